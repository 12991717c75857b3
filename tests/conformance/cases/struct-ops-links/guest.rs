//! Operations that are registered with a link of the kernel.

use std::fs;

use conformance_guests::{assert_fails, given, is_gone, is_held, link_id};
use wasm_bpf_guest::{ErrorKind, Link, LinkDetails, Map, MapCore as _, Object, ObjectBuilder};

conformance_guests::guest!();

fn load() -> Object {
    let open = ObjectBuilder::new().open_memory(case::DATA).unwrap();
    open.load().unwrap()
}

fn map(name: &str) -> Map {
    load().map(name).unwrap()
}

/// Whether the kernel offers this congestion control.
fn is_offered(name: &str) -> bool {
    let offered = fs::read_to_string("/proc/sys/net/ipv4/tcp_available_congestion_control");
    offered.unwrap().split_whitespace().any(|word| word == name)
}

/// Which map has the operations.
fn map_of(link: &Link) -> u32 {
    match link.info().unwrap().unwrap().details {
        LinkDetails::StructOps(map) => map,
        other => panic!("{other:?}"),
    }
}

fn registered() {
    let map = map("first");
    for _ in 0..2 {
        let link = map.attach_struct_ops().unwrap();
        assert!(is_offered("wbc_linked"));
        assert_eq!(map_of(&link), map.info().unwrap().id);
        assert_fails!(
            map.attach_struct_ops(),
            ErrorKind::AlreadyExists | ErrorKind::Busy,
            "first"
        );
        let id = link_id(&link);
        drop(link);
        is_gone(&id);
        assert!(!is_offered("wbc_linked"));
    }
}

/// The link keeps the map whose operations it registers now.
fn updated() {
    let (first, second, other) = (map("first"), map("second"), map("other"));
    let mut link = first.attach_struct_ops().unwrap();
    link.update_map(&second).unwrap();
    let id = second.info().unwrap().id;
    assert_eq!(map_of(&link), id);
    // Another name is another congestion control.
    assert_fails!(link.update_map(&other), ErrorKind::InvalidArgument, "other");
    assert_eq!(map_of(&link), id);
    drop((first, second, other));
    is_held(&format!("map={id}"));
    assert!(is_offered("wbc_linked"));
    drop(link);
    is_gone(&format!("map={id}"));
    assert!(!is_offered("wbc_linked"));
}

fn pinned() {
    let path = format!("{}/operations", given("bpffs"));
    let mut link = map("first").attach_struct_ops().unwrap();
    let id = link_id(&link);
    link.pin(&path).unwrap();
    drop(link);
    is_held(&id);
    assert!(is_offered("wbc_linked"));
    let mut again = Link::open(&path).unwrap();
    // It is libbpf that puts the operations of a map in, and it has no part in this link.
    assert_fails!(
        again.update_map(&map("second")),
        ErrorKind::InvalidArgument,
        "second"
    );
    again.unpin(&path).unwrap();
    drop(again);
    is_gone(&id);
    assert!(!is_offered("wbc_linked"));
}

fn detached() {
    let link = map("first").attach_struct_ops().unwrap();
    link.detach().unwrap();
    assert!(!is_offered("wbc_linked"));
    drop(link);
}
