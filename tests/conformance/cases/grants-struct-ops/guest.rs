//! Operations of the kernel that a component may implement with a grant.

use conformance_guests::{assert_fails, holds};
use wasm_bpf_guest::{ErrorKind, MapCore as _, MapType, Object, ObjectBuilder, Result};

conformance_guests::guest!();

fn load() -> Result<Object> {
    ObjectBuilder::new().open_memory(case::DATA)?.load()
}

/// The programs and their map are in the kernel; nothing uses them.
fn struct_ops_allowed() {
    let object = load().unwrap();
    let map = object.map("wbc_congestion").unwrap();
    assert!(matches!(map.map_type().unwrap(), MapType::StructOps));
    assert_eq!(object.progs().count(), 3);
    holds(&object, &[]);
}

/// A host may refuse when it opens the object or when it loads it.
fn struct_ops_denied() {
    assert_fails!(load(), ErrorKind::NotGranted, "struct-ops");
}

/// Operations are more than observing.
fn nothing_granted() {
    assert_fails!(load(), ErrorKind::NotGranted, "struct-ops");
}
