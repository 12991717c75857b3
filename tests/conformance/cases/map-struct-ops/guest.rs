//! Maps whose value is a table of operations.

use conformance_guests::assert_code;
use conformance_guests::raw::maps::{UpdateMode, Walk};
use conformance_guests::raw::objects::{OpenObject, OpenOptions};
use conformance_guests::raw::types::{ErrorCode, MapType};

conformance_guests::guest!();

/// Its value has addresses of programs.
fn map() {
    let open = OpenObject::open(case::DATA, &OpenOptions::new()).unwrap();
    let object = OpenObject::load(open).unwrap();
    let map = object.map("operations").unwrap();
    let info = map.info();
    assert!(matches!(info.type_, MapType::StructOps));
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
