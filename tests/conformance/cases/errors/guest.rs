//! What the kernel answers that functions seldom meet.

use conformance_guests::assert_fails;
use wasm_bpf_guest::{
    ErrorKind, MapCore as _, MapFlags, MapHandle, MapType, Object, ObjectBuilder,
};

conformance_guests::guest!();

const EBADF: i32 = 9;
const ENOMEM: i32 = 12;
const EACCES: i32 = 13;

fn load(program: &str) -> Object {
    let open = ObjectBuilder::new().open_memory(case::DATA).unwrap();
    open.program(program).unwrap().set_autoload(true).unwrap();
    open.load().unwrap()
}

/// What was there before stays readable.
fn not_permitted() {
    let map = MapHandle::create(MapType::Array, "frozen", 4, 8, 1, 0).unwrap();
    map.update(&[0; 4], &[1; 8], MapFlags::Any).unwrap();
    map.freeze().unwrap();
    assert_fails!(
        map.update(&[0; 4], &[2; 8], MapFlags::Any),
        ErrorKind::NotPermitted,
        "frozen"
    );
    assert_eq!(map.lookup(&[0; 4]).unwrap().unwrap(), [1; 8]);
}

/// The verifier does not know the tracepoint; who attaches finds out.
fn access_denied() {
    let object = load("reads_far");
    let program = object.program("reads_far").unwrap();
    let error = assert_fails!(
        program.attach_tracepoint("raw_syscalls", "sys_enter"),
        ErrorKind::AccessDenied,
        "reads_far"
    );
    assert_eq!(error.errno(), Some(EACCES));
}

/// The kernel says ENOSPC of tries, and E2BIG (`full`) of other maps.
fn no_space() {
    const NO_PREALLOC: u32 = 1;
    let map = MapHandle::create(MapType::LpmTrie, "trie", 8, 4, 2, NO_PREALLOC).unwrap();
    let put = |address: u32| {
        let key = [32u32.to_ne_bytes(), address.to_be_bytes()].concat();
        map.update(&key, &[0; 4], MapFlags::Any)
    };
    put(1).unwrap();
    put(2).unwrap();
    assert_fails!(put(3), ErrorKind::NoSpace, "trie");
}

/// A PiB, outside of an object and in one.
fn out_of_memory() {
    const VALUE: u32 = 1 << 20;
    const ENTRIES: u32 = 1 << 30;
    let map = MapHandle::create(MapType::Array, "huge", 4, VALUE, ENTRIES, 0);
    let error = assert_fails!(map, ErrorKind::OutOfMemory, "huge");
    assert_eq!(error.errno(), Some(ENOMEM));
    let open = ObjectBuilder::new().open_memory(case::DATA).unwrap();
    let map = open.map("entries").unwrap();
    map.set_value_size(VALUE).unwrap();
    map.set_max_entries(ENTRIES).unwrap();
    let error = assert_fails!(open.load(), ErrorKind::OutOfMemory, "entries");
    assert_eq!(error.errno(), Some(ENOMEM));
}

/// EBADF: there is no map to go over.
fn other() {
    let object = load("without_map");
    let program = object.program("without_map").unwrap();
    let error = assert_fails!(program.attach(), ErrorKind::Other(EBADF), "without_map");
    assert_eq!(error.errno(), Some(EBADF));
}
