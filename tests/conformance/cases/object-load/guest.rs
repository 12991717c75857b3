//! Bringing objects into the kernel: what is there then, what counts, and what is left after a failure.

use conformance_guests::{assert_fails, holds, pull, trigger};
use wasm_bpf_guest::zerocopy::FromBytes as _;
use wasm_bpf_guest::{ErrorKind, MapCore as _, MapFlags, MapHandle, MapType, ObjectBuilder};

conformance_guests::guest!();
use case::types::task;
use case::{CaseSkelBuilder, OpenCaseSkel};

fn open() -> OpenCaseSkel {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open
}

/// All that was switched on is there, and nothing else.
fn maps_and_programs() {
    let open = ObjectBuilder::new().open_memory(case::DATA).unwrap();
    open.program("second").unwrap().set_autoload(true).unwrap();
    let name = open.name();
    let object = open.load().unwrap();
    assert_eq!(object.name(), name);
    holds(&object, &[]);
    let programs = object.progs().map(|program| program.name().to_owned());
    assert_eq!(programs.collect::<Vec<_>>(), ["first", "second"]);
    let mut maps = object
        .maps()
        .map(|map| map.info().unwrap().name)
        .collect::<Vec<_>>();
    maps.sort();
    assert_eq!(maps, [".data", ".rodata", "spare", "tasks"]);
    assert_fails!(object.map("no_such"), ErrorKind::NotFound, "no_such");
    assert_fails!(object.map("first"), ErrorKind::NotFound, "first");
    assert_fails!(object.program("no_such"), ErrorKind::NotFound, "no_such");
    assert_fails!(object.program("careless"), ErrorKind::NotFound, "careless");
    // Handles of their own, to the same map.
    let (one, other) = (object.map("spare").unwrap(), object.map("spare").unwrap());
    assert_eq!(one.info().unwrap().id, other.info().unwrap().id);
    one.update(&[1; 4], &[2; 4], MapFlags::Any).unwrap();
    drop(one);
    let program = object.program("second").unwrap();
    drop(object);
    assert_eq!(other.lookup(&[1; 4]).unwrap().unwrap(), [2; 4]);
    assert_eq!(program.info().unwrap().name, "second");
}

/// What is loaded twice is there twice.
fn two_loads() {
    let (one, other) = (open().load().unwrap().object, open().load().unwrap().object);
    let (one, other) = (one.map("spare").unwrap(), other.map("spare").unwrap());
    assert_ne!(one.info().unwrap().id, other.info().unwrap().id);
    one.update(&[1; 4], &[2; 4], MapFlags::Any).unwrap();
    assert!(other.lookup(&[1; 4]).unwrap().is_none());
}

/// The kernel's own types say where the field is.
fn relocated() {
    let open = open();
    open.progs.first.set_autoload(false).unwrap();
    open.progs.relocated.set_autoload(true).unwrap();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    pull(1);
    let map = skel.object.map("tasks").unwrap();
    let value = map.lookup(&[0; 4]).unwrap().unwrap();
    let seen = task::read_from_bytes(&value).unwrap();
    assert!(seen.by_helper > 0, "the program did not act");
    assert_eq!(seen.by_offset, seen.by_helper);
}

/// The good program and all maps were there when the other one failed.
fn nothing_remains() {
    for _ in 0..10 {
        let open = open();
        open.progs.careless.set_autoload(true).unwrap();
        assert_fails!(open.load(), ErrorKind::RejectedByVerifier, "careless");
    }
    let object = open().load().unwrap().object;
    holds(&object, &[]);
}

/// One program is allowed.
fn program_limit() {
    let skel = open().load().unwrap();
    assert_fails!(open().load(), ErrorKind::LimitExceeded, "programs");
    drop(skel);
    let two = open();
    two.progs.second.set_autoload(true).unwrap();
    assert_fails!(two.load(), ErrorKind::LimitExceeded, "programs");
    open().load().unwrap();
}

/// The object has four maps.
fn map_limit() {
    let object = open().load().unwrap().object;
    let create = || MapHandle::create(MapType::Array, "fifth", 4, 8, 1, 0);
    assert_fails!(create(), ErrorKind::LimitExceeded, "maps");
    assert_fails!(open().load(), ErrorKind::LimitExceeded, "maps");
    drop(object);
    let _map = create().unwrap();
    assert_fails!(open().load(), ErrorKind::LimitExceeded, "maps");
}

/// A million entries of eight bytes are more than four million bytes.
fn memory_limit() {
    let large = open();
    large.maps.spare.set_max_entries(1_000_000).unwrap();
    assert_fails!(large.load(), ErrorKind::LimitExceeded, "map-memory");
    open().load().unwrap();
}

/// Each handle counts, also of one map.
fn handle_limit() {
    let object = open().load().unwrap().object;
    let mut handles = Vec::new();
    let error = loop {
        match object.map("spare") {
            Ok(map) => handles.push(map),
            Err(error) => break error,
        }
        assert!(handles.len() <= 64, "nothing is counted");
    };
    assert_fails!(Err::<(), _>(error), ErrorKind::LimitExceeded, "spare");
    handles.pop();
    handles.push(object.map("spare").unwrap());
    assert_fails!(object.map("spare"), ErrorKind::LimitExceeded, "spare");
}

/// No hash table has keys of no bytes.
fn impossible_map() {
    let open = open();
    open.maps.spare.set_key_size(0).unwrap();
    let error = assert_fails!(open.load(), ErrorKind::InvalidArgument, "spare");
    assert_eq!(error.subject(), Some("spare"));
    assert!(error.errno().is_some(), "the kernel refused, not the host");
}
