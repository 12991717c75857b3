//! Operations of the kernel that a component may implement with a grant.

use conformance_guests::raw::maps::{UpdateMode, Walk};
use conformance_guests::raw::objects::{OpenObject, OpenOptions};
use conformance_guests::raw::types::ErrorCode;
use conformance_guests::{assert_code, assert_fails, holds};
use wasm_bpf_guest::{ErrorKind, MapCore as _, MapType, Object, ObjectBuilder, Result};

conformance_guests::guest!();

fn load() -> Result<Object> {
    ObjectBuilder::new().open_memory(case::DATA)?.load()
}

/// The programs and their map are in the kernel; nothing uses them.
fn allowed() {
    let object = load().unwrap();
    let map = object.map("wbc_congestion").unwrap();
    assert!(matches!(map.map_type().unwrap(), MapType::StructOps));
    assert_eq!(object.progs().count(), 3);
    holds(&object, &[]);
}

/// A host may refuse when it opens the object or when it loads it.
fn denied() {
    assert_fails!(load(), ErrorKind::NotGranted, "struct-ops");
}

/// Operations are more than observing.
fn nothing_granted() {
    assert_fails!(load(), ErrorKind::NotGranted, "struct-ops");
}

/// The value of its map has addresses of programs.
fn map() {
    let open = OpenObject::open(case::DATA, &OpenOptions::new()).unwrap();
    let object = OpenObject::load(open).unwrap();
    let map = object.map("wbc_congestion").unwrap();
    let info = map.info();
    assert_eq!((info.key_size, info.max_entries), (4, 1));
    let (key, value) = ([0; 4], vec![0; info.value_length as usize]);
    let mode = UpdateMode::Any;
    assert_code!(map.lookup(&key), ErrorCode::NotSupported);
    assert_code!(map.update(&key, &value, mode), ErrorCode::NotSupported);
    assert_code!(map.delete(&key), ErrorCode::NotSupported);
    assert_code!(map.lookup_and_delete(&key), ErrorCode::NotSupported);
    assert_code!(map.next_key(None), ErrorCode::NotSupported);
    assert_code!(map.keys(None, 1), ErrorCode::NotSupported);
    assert_code!(Walk::start(&map, false), ErrorCode::NotSupported);
    assert_code!(map.freeze(), ErrorCode::NotSupported);
}
