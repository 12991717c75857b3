//! Keys and values that cross as numbers.

use conformance_guests::{assert_code, raw};
use raw::maps::{Map, UpdateMode};
use raw::types::{ErrorCode, MapType};

conformance_guests::guest!();

fn map(kind: MapType, key: u32, value: u32) -> Map {
    raw::create_map("tested", kind, key, value, 2, 0).unwrap()
}

/// Up to the largest number of each size, and not beyond.
fn sizes() {
    for size in [1u32, 2, 4, 8] {
        let largest = u64::MAX >> (64 - 8 * size);
        let map = map(MapType::Hash, size, size);
        let update = |key, value| map.update_number(key, value, UpdateMode::Any);
        update(largest, largest - 1).unwrap();
        assert_eq!(map.lookup_number(largest).unwrap(), Some(largest - 1));
        assert_eq!(map.lookup_number(0).unwrap(), None);
        // The same bytes that the byte functions see.
        let key = &largest.to_ne_bytes()[..size as usize];
        let value = &(largest - 1).to_ne_bytes()[..size as usize];
        assert_eq!(map.lookup(key).unwrap().unwrap(), value);
        if size < 8 {
            // Cut off, they would be the key 0.
            assert_code!(map.lookup_number(largest + 1), ErrorCode::WrongSize);
            assert_code!(update(largest + 1, 0), ErrorCode::WrongSize);
            assert_code!(update(0, largest + 1), ErrorCode::WrongSize);
            assert_code!(update(u64::MAX, 0), ErrorCode::WrongSize);
            assert_eq!(map.lookup_number(0).unwrap(), None);
        }
    }
    // Key and value need not have the same size.
    let map = map(MapType::Hash, 2, 8);
    map.update_number(3, u64::MAX, UpdateMode::Any).unwrap();
    assert_eq!(map.lookup_number(3).unwrap(), Some(u64::MAX));
}

/// A map with room for two.
fn modes() {
    let map = map(MapType::Hash, 4, 8);
    let replaced = map.update_number(1, 1, UpdateMode::Replace);
    assert_code!(replaced, ErrorCode::NotFound);
    map.update_number(1, 1, UpdateMode::Create).unwrap();
    let created = map.update_number(1, 2, UpdateMode::Create);
    assert_code!(created, ErrorCode::AlreadyExists);
    assert_eq!(map.lookup_number(1).unwrap(), Some(1));
    map.update_number(1, 2, UpdateMode::Replace).unwrap();
    assert_eq!(map.lookup_number(1).unwrap(), Some(2));
    map.update_number(2, 1, UpdateMode::Any).unwrap();
    let third = map.update_number(3, 1, UpdateMode::Any);
    assert_code!(third, ErrorCode::Full);
}

/// With one CPU a per-CPU value has a length that a number could have.
fn no_numbers() {
    for (kind, key, value) in [
        (MapType::Hash, 3, 8),
        (MapType::Hash, 16, 8),
        (MapType::Hash, 8, 12),
        (MapType::Hash, 8, 3),
        (MapType::PercpuHash, 4, 8),
        (MapType::PercpuArray, 4, 8),
    ] {
        let map = map(kind, key, value);
        assert_code!(map.lookup_number(1), ErrorCode::WrongSize);
        let update = map.update_number(1, 1, UpdateMode::Any);
        assert_code!(update, ErrorCode::WrongSize);
    }
}

/// A number that a component writes must not become a descriptor of the host.
fn no_keys() {
    let queue = map(MapType::Queue, 0, 8);
    assert_code!(queue.lookup_number(0), ErrorCode::NotSupported);
    let update = queue.update_number(0, 0, UpdateMode::Any);
    assert_code!(update, ErrorCode::NotSupported);
    let programs = map(MapType::ProgArray, 4, 4);
    for number in 0..16 {
        let update = programs.update_number(0, number, UpdateMode::Any);
        assert_code!(update, ErrorCode::NotSupported);
    }
    assert_eq!(programs.lookup_number(0).unwrap(), None);
}
