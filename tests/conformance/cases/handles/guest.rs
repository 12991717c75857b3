//! Breaks the rules: uses handles that were made up, dropped or given away. The host must end each of these runs, and only it.

use std::mem::ManuallyDrop;

use conformance_guests::raw::{buffers, links, maps, objects, programs};
use conformance_guests::{is_held, traps_now};

conformance_guests::guest!();

/// A number that no handle has yet.
const NEVER: u32 = 12345;

/// Something of each kind, so that numbers of one kind are good ones of another.
struct Handles {
    map: maps::Map,
    ring_map: maps::Map,
    program: programs::Program,
    link: links::Link,
    ring: buffers::RingBuffer,
    _object: objects::Object,
}

fn open() -> objects::OpenObject {
    let options = objects::OpenOptions::new();
    objects::OpenObject::open(case::DATA, &options).unwrap()
}

/// All of it has to be gone after the trap.
fn handles() -> Handles {
    let object = objects::OpenObject::load(open()).unwrap();
    let map = object.map("count").unwrap();
    let ring_map = object.map("ring").unwrap();
    let program = object.program("on_enter").unwrap();
    let link = program.attach().unwrap().unwrap();
    let ring = buffers::RingBuffer::open(&[ring_of(&ring_map)]).unwrap();
    is_held(&format!(
        "program={} map={} map={} link={}",
        program.info().unwrap().id,
        map.info().id,
        ring_map.info().id,
        link.info().unwrap().unwrap().id
    ));
    Handles {
        map,
        ring_map,
        program,
        link,
        ring,
        _object: object,
    }
}

fn ring_of(map: &maps::Map) -> buffers::Ring<'_> {
    buffers::Ring {
        map,
        lost_counter: None,
    }
}

// SAFETY of all: none is claimed. A wrong handle is what the host has to answer, in this component's name. They are not dropped, so that
// a trap is one of the call.

fn forged_map(number: u32) -> ManuallyDrop<maps::Map> {
    ManuallyDrop::new(unsafe { maps::Map::from_handle(number) })
}

fn forged_program(number: u32) -> ManuallyDrop<programs::Program> {
    ManuallyDrop::new(unsafe { programs::Program::from_handle(number) })
}

fn forged_link(number: u32) -> ManuallyDrop<links::Link> {
    ManuallyDrop::new(unsafe { links::Link::from_handle(number) })
}

fn forged_object(number: u32) -> ManuallyDrop<objects::Object> {
    ManuallyDrop::new(unsafe { objects::Object::from_handle(number) })
}

fn forged_open_object(number: u32) -> ManuallyDrop<objects::OpenObject> {
    ManuallyDrop::new(unsafe { objects::OpenObject::from_handle(number) })
}

fn forged_options(number: u32) -> ManuallyDrop<objects::OpenOptions> {
    ManuallyDrop::new(unsafe { objects::OpenOptions::from_handle(number) })
}

fn forged_ring(number: u32) -> ManuallyDrop<buffers::RingBuffer> {
    ManuallyDrop::new(unsafe { buffers::RingBuffer::from_handle(number) })
}

/// The cases below fail for their handles, not for what they do before.
fn good_handles() {
    let held = handles();
    let map = forged_map(held.map.handle());
    assert!(map.lookup(&[0; 4]).unwrap().is_some());
    let ring = forged_ring(held.ring.handle());
    assert_eq!(ring.available(), 0);
    assert_eq!(held.ring_map.info().name, "ring");
}

/// A map of a number that no handle has.
fn made_up_map() {
    let _held = handles();
    traps_now();
    let _ = forged_map(NEVER).lookup(&[0; 4]);
}

/// The number 0 stands for no handle.
fn map_of_zero() {
    let _held = handles();
    traps_now();
    let _ = forged_map(0).lookup(&[0; 4]);
}

/// The largest number reaches past all tables.
fn map_of_largest() {
    let _held = handles();
    traps_now();
    let _ = forged_map(u32::MAX).lookup(&[0; 4]);
}

/// A program of a number that no handle has.
fn made_up_program() {
    let _held = handles();
    traps_now();
    let _ = forged_program(NEVER).attach();
}

/// A link of a number that no handle has.
fn made_up_link() {
    let _held = handles();
    traps_now();
    let _ = forged_link(NEVER).info();
}

/// An object of a number that no handle has.
fn made_up_object() {
    let _held = handles();
    traps_now();
    let _ = forged_object(NEVER).name();
}

/// Options of a number that no handle has.
fn made_up_options() {
    let _held = handles();
    traps_now();
    let _ = objects::OpenObject::open(case::DATA, &forged_options(NEVER));
}

/// A ring buffer of a number that no handle has.
fn made_up_ring() {
    let _held = handles();
    traps_now();
    let _ = forged_ring(NEVER).poll(Some(0), 1024);
}

/// Handles in a list are looked at too.
fn made_up_in_a_list() {
    let held = handles();
    let made_up = forged_map(NEVER);
    traps_now();
    let rings = [ring_of(&held.ring_map), ring_of(&made_up)];
    let _ = buffers::RingBuffer::open(&rings);
}

/// Dropping is a use.
fn made_up_drop() {
    let _held = handles();
    traps_now();
    drop(ManuallyDrop::into_inner(forged_map(NEVER)));
}

/// A map after it was dropped; its object has it still.
fn dropped_map() {
    let held = handles();
    let stale = forged_map(held.map.handle());
    drop(held.map);
    traps_now();
    let _ = stale.lookup(&[0; 4]);
}

/// A link after it was dropped.
fn dropped_link() {
    let held = handles();
    let stale = forged_link(held.link.handle());
    drop(held.link);
    traps_now();
    let _ = stale.info();
}

/// A ring buffer after it was dropped.
fn dropped_ring() {
    let held = handles();
    let stale = forged_ring(held.ring.handle());
    drop(held.ring);
    traps_now();
    let _ = stale.poll(Some(0), 1024);
}

/// The second time there is nothing to drop.
fn dropped_twice() {
    let held = handles();
    let stale = forged_map(held.map.handle());
    drop(held.map);
    traps_now();
    drop(ManuallyDrop::into_inner(stale));
}

/// A good handle of another kind.
fn link_as_map() {
    let held = handles();
    traps_now();
    let _ = forged_map(held.link.handle()).lookup(&[0; 4]);
}

/// A good handle of another kind.
fn map_as_program() {
    let held = handles();
    traps_now();
    let _ = forged_program(held.map.handle()).attach();
}

/// A good handle of another kind is not dropped by its number either.
fn map_dropped_as_link() {
    let held = handles();
    traps_now();
    drop(ManuallyDrop::into_inner(forged_link(held.map.handle())));
}

/// A good handle of another kind.
fn program_as_ring() {
    let held = handles();
    traps_now();
    let _ = forged_ring(held.program.handle()).poll(Some(0), 1024);
}

/// Loading takes the open object: it can be changed no more.
fn set_after_load() {
    let open = open();
    let stale = forged_open_object(open.handle());
    let _object = objects::OpenObject::load(open).unwrap();
    traps_now();
    let _ = stale.set_max_entries("count", 1);
}

/// Nor can it be loaded again.
fn loaded_twice() {
    let open = open();
    let stale = forged_open_object(open.handle());
    let _object = objects::OpenObject::load(open).unwrap();
    traps_now();
    let _ = objects::OpenObject::load(ManuallyDrop::into_inner(stale));
}

/// Loading takes it also if it fails.
fn set_after_failure() {
    let open = open();
    let stale = forged_open_object(open.handle());
    // No array has keys of one byte.
    open.set_key_size("count", 1).unwrap();
    assert!(objects::OpenObject::load(open).is_err());
    traps_now();
    let _ = stale.set_max_entries("count", 1);
}
