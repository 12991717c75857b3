//! Links: what the kernel says of them, what dropping them does, and what they need.

use std::cell::Cell;

use conformance_guests::{assert_fails, holds, is_gone, link_id, pull, trigger};
use wasm_bpf_guest::{ErrorKind, Link, LinkType, MapCore, MapHandle, RingBufferBuilder};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder, OpenCaseSkel};

fn open() -> OpenCaseSkel {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open
}

/// The object with one of its programs, which is attached.
fn attached(name: &str) -> CaseSkel {
    let open = open();
    open.progs.on_enter.set_autoload(false).unwrap();
    let program = open.open.program(name).unwrap();
    program.set_autoload(true).unwrap();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    skel
}

/// How many of two calls are counted.
fn counted(map: &impl MapCore) -> u64 {
    let count = || {
        let value = map.lookup(&[0; 4]).unwrap().unwrap();
        u64::from_ne_bytes(value.try_into().unwrap())
    };
    let before = count();
    pull(2);
    count() - before
}

/// The kernel's own words.
fn info() {
    let skel = attached("on_enter");
    let link = skel.links.on_enter.as_ref().unwrap();
    let info = link.info().unwrap().unwrap();
    assert!(matches!(info.type_, LinkType::RawTracepoint), "{info:?}");
    assert_eq!(info.program_id, skel.progs.on_enter.info().unwrap().id);
    holds(&skel.object, &[link]);
}

/// A trampoline in front of the function.
fn info_of_functions() {
    let skel = attached("on_function");
    let link = skel.links.on_function.as_ref().unwrap();
    let info = link.info().unwrap().unwrap();
    assert!(matches!(info.type_, LinkType::Tracing), "{info:?}");
    assert_eq!(info.program_id, skel.progs.on_function.info().unwrap().id);
    holds(&skel.object, &[link]);
}

/// A perf event that is told to call the program.
fn info_of_tracepoints() {
    let skel = attached("on_tracepoint");
    let link = skel.links.on_tracepoint.as_ref().unwrap();
    let info = link.info().unwrap().unwrap();
    assert!(matches!(info.type_, LinkType::PerfEvent), "{info:?}");
    assert_eq!(info.program_id, skel.progs.on_tracepoint.info().unwrap().id);
    holds(&skel.object, &[link]);
}

/// Only the dropped link is gone; its program is still there, and can be attached again.
fn drop_detaches() {
    let (mut skel, other) = (attached("on_enter"), attached("on_enter"));
    let link = skel.links.on_enter.take().unwrap();
    let id = link_id(&link);
    holds(&skel.object, &[&link]);
    let count = &skel.object.map("count").unwrap();
    let count_of_other = &other.object.map("count").unwrap();
    assert_eq!(counted(count), 2);
    drop(link);
    is_gone(&id);
    assert_eq!(counted(count), 0);
    assert_eq!(counted(count_of_other), 2);
    let _again = skel.progs.on_enter.attach().unwrap();
    assert_eq!(counted(count), 2);
}

/// Each of two links of one program counts. Before 6.10 raw tracepoints take a program once.
fn two_links() {
    let mut skel = attached("on_enter");
    let first = skel.links.on_enter.take().unwrap();
    let second = skel.progs.on_enter.attach().unwrap();
    let ids = [&first, &second].map(link_id);
    assert_ne!(ids[0], ids[1]);
    let count = &skel.object.map("count").unwrap();
    assert_eq!(counted(count), 4);
    drop(first);
    is_gone(&ids[0]);
    assert_eq!(counted(count), 2);
    drop(second);
    is_gone(&ids[1]);
    assert_eq!(counted(count), 0);
}

/// Tracepoints had no link object before 5.15. They take a program once.
fn tracepoint_drop_detaches() {
    let mut skel = attached("on_tracepoint");
    let first = skel.links.on_tracepoint.take().unwrap();
    let program = &skel.progs.on_tracepoint;
    let count = &skel.object.map("count").unwrap();
    assert_eq!(counted(count), 2);
    assert_fails!(program.attach(), ErrorKind::AlreadyExists, "on_tracepoint");
    assert_eq!(counted(count), 2);
    drop(first);
    assert_eq!(counted(count), 0);
    let _second = program.attach().unwrap();
    assert_eq!(counted(count), 2);
}

/// A link needs nobody: it delivers after everything else was dropped.
fn outlives() {
    let CaseSkel {
        object,
        maps,
        progs,
        mut links,
        ..
    } = attached("on_enter");
    let link: Link = links.on_enter.take().unwrap();
    let id = link_id(&link);
    holds(&object, &[&link]);
    // A second handle to a map, and a ring buffer: neither is the object's.
    let count = MapHandle::try_from(&maps.count).unwrap();
    let received = Cell::new(0);
    let mut builder = RingBufferBuilder::new();
    builder
        .add(&maps.ring, |_| {
            received.set(received.get() + 1);
            0
        })
        .unwrap();
    let ring = builder.build().unwrap();
    drop(object);
    assert_eq!(counted(&count), 2);
    drop(progs);
    assert_eq!(counted(&count), 2);
    drop(maps);
    drop(links);
    ring.consume().unwrap();
    assert_eq!(received.get(), 4);
    assert_eq!(counted(&count), 2);
    ring.consume().unwrap();
    assert_eq!(received.get(), 6);
    assert!(link.info().unwrap().is_some());
    drop(link);
    is_gone(&id);
    assert_eq!(counted(&count), 0);
    ring.consume().unwrap();
    assert_eq!(received.get(), 6);
    // The map needs no ring.
    drop(ring);
    assert_eq!(counted(&count), 0);
}
