//! Operations that are registered without a link of the kernel.

use std::fs;

use conformance_guests::{assert_fails, given};
use wasm_bpf_guest::{ErrorKind, MapCore as _, MapHandle, MapType, Object, ObjectBuilder, Result};

conformance_guests::guest!();

fn load() -> Result<Object> {
    ObjectBuilder::new().open_memory(case::DATA)?.load()
}

/// Whether the kernel offers this congestion control.
fn is_offered(name: &str) -> bool {
    let offered = fs::read_to_string("/proc/sys/net/ipv4/tcp_available_congestion_control");
    offered.unwrap().split_whitespace().any(|word| word == name)
}

fn registered() {
    let object = load().unwrap();
    let map = object.map("without_link").unwrap();
    assert!(!is_offered("wbc_plain"));
    let link = map.attach_struct_ops().unwrap();
    assert!(is_offered("wbc_plain"));
    assert!(link.info().unwrap().is_none());
    assert!(link.places().unwrap().is_empty());
    // They are registered.
    assert_fails!(map.attach_struct_ops(), ErrorKind::Busy, "without_link");
    // The same name is taken, too.
    let other = load().unwrap().map("without_link").unwrap();
    assert_fails!(
        other.attach_struct_ops(),
        ErrorKind::AlreadyExists,
        "without_link"
    );
    drop(link);
    assert!(!is_offered("wbc_plain"));
    // Once.
    assert_fails!(map.attach_struct_ops(), ErrorKind::Busy, "without_link");
    let link = load()
        .unwrap()
        .map("without_link")
        .unwrap()
        .attach_struct_ops()
        .unwrap();
    assert!(is_offered("wbc_plain"));
    drop(link);
    assert!(!is_offered("wbc_plain"));
}

fn detached() {
    let map = load().unwrap().map("without_link").unwrap();
    let link = map.attach_struct_ops().unwrap();
    assert!(is_offered("wbc_plain"));
    link.detach().unwrap();
    assert!(!is_offered("wbc_plain"));
    link.detach().unwrap();
    drop(link);
    assert!(!is_offered("wbc_plain"));
}

fn outlives() {
    let object = load().unwrap();
    let map = MapHandle::try_from(&object.map("without_link").unwrap()).unwrap();
    drop(object);
    let link = map.attach_struct_ops().unwrap();
    drop(map);
    assert!(is_offered("wbc_plain"));
    drop(link);
    assert!(!is_offered("wbc_plain"));
}

fn refused() {
    let array = MapHandle::create(MapType::Array, "array", 4, 8, 1, 0).unwrap();
    assert_fails!(
        array.attach_struct_ops(),
        ErrorKind::InvalidArgument,
        "array"
    );
    let object = load().unwrap();
    let map = object.map("without_link").unwrap();
    let mut link = map.attach_struct_ops().unwrap();
    assert_fails!(link.update_map(&array), ErrorKind::InvalidArgument, "array");
    assert_fails!(
        link.update_map(&map),
        ErrorKind::NotSupported,
        "without_link"
    );
    let path = format!("{}/operations", given("bpffs"));
    assert_fails!(link.pin(&path), ErrorKind::NotSupported, "no link");
    let program = object.program("ssthresh").unwrap();
    assert_fails!(
        link.update_prog(&program),
        ErrorKind::NotSupported,
        "ssthresh"
    );
    assert!(is_offered("wbc_plain"));
}

fn denied() {
    assert_fails!(load(), ErrorKind::NotGranted, "struct-ops");
    let array = MapHandle::create(MapType::Array, "array", 4, 8, 1, 0).unwrap();
    assert_fails!(
        array.attach_struct_ops(),
        ErrorKind::InvalidArgument,
        "array"
    );
    assert!(!is_offered("wbc_plain"));
}
