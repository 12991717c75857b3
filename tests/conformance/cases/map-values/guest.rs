//! Single keys and values.

use conformance_guests::{assert_code, assert_fails, raw};
use raw::maps::{UpdateMode, Walk};
use raw::types::{self, ErrorCode};
use wasm_bpf_guest::{ErrorKind, MapCore as _, MapFlags, MapHandle, MapType};

conformance_guests::guest!();

fn map(kind: MapType, key: u32, value: u32, entries: u32) -> MapHandle {
    MapHandle::create(kind, "tested", key, value, entries, 0).unwrap()
}

/// What is stored is found until it is replaced or deleted.
fn values() {
    let map = map(MapType::Hash, 2, 3, 4);
    assert!(map.lookup(&[1, 2]).unwrap().is_none());
    map.update(&[1, 2], &[3, 4, 5], MapFlags::Any).unwrap();
    assert_eq!(map.lookup(&[1, 2]).unwrap().unwrap(), [3, 4, 5]);
    map.update(&[1, 2], &[6, 7, 8], MapFlags::Any).unwrap();
    assert_eq!(map.lookup(&[1, 2]).unwrap().unwrap(), [6, 7, 8]);
    map.delete(&[1, 2]).unwrap();
    assert!(map.lookup(&[1, 2]).unwrap().is_none());
    assert_fails!(map.delete(&[1, 2]), ErrorKind::NotFound, "tested");
    let info = map.info().unwrap();
    assert_eq!(info.name, "tested");
    assert!(matches!(info.type_, MapType::Hash));
    assert_eq!((info.key_size, info.value_size), (2, 3));
    assert_eq!((info.value_length, info.max_entries), (3, 4));
    // A second handle is to the same map.
    let second = map.clone();
    map.update(&[9, 9], &[1; 3], MapFlags::Any).unwrap();
    drop(map);
    assert_eq!(second.lookup(&[9, 9]).unwrap().unwrap(), [1; 3]);
}

/// Each mode against a key that is there and one that is not.
fn update_modes() {
    let map = map(MapType::Hash, 4, 4, 4);
    let (key, old, new) = ([1; 4], [2; 4], [3; 4]);
    assert_fails!(
        map.update(&key, &old, MapFlags::Exist),
        ErrorKind::NotFound,
        "tested"
    );
    map.update(&key, &old, MapFlags::NoExist).unwrap();
    assert_fails!(
        map.update(&key, &new, MapFlags::NoExist),
        ErrorKind::AlreadyExists,
        "tested"
    );
    assert_eq!(map.lookup(&key).unwrap().unwrap(), old);
    map.update(&key, &new, MapFlags::Exist).unwrap();
    assert_eq!(map.lookup(&key).unwrap().unwrap(), new);
}

/// Of all kinds of hash table.
fn taken() {
    for kind in [MapType::Hash, MapType::LruHash, MapType::PercpuHash] {
        let map = map(kind, 4, 8, 4);
        let value = vec![2; map.info().unwrap().value_length as usize];
        assert!(map.lookup_and_delete(&[1; 4]).unwrap().is_none());
        map.update(&[1; 4], &value, MapFlags::Any).unwrap();
        assert_eq!(map.lookup_and_delete(&[1; 4]).unwrap().unwrap(), value);
        assert!(map.lookup(&[1; 4]).unwrap().is_none());
        assert!(map.lookup_and_delete(&[1; 4]).unwrap().is_none());
    }
}

/// What is different for indexes.
fn array() {
    let map = map(MapType::Array, 4, 4, 3);
    let (last, end) = (2u32.to_ne_bytes(), 3u32.to_ne_bytes());
    assert_eq!(map.lookup(&last).unwrap().unwrap(), [0; 4]);
    map.update(&last, &[7; 4], MapFlags::Exist).unwrap();
    assert_eq!(map.lookup(&last).unwrap().unwrap(), [7; 4]);
    assert_fails!(
        map.update(&last, &[8; 4], MapFlags::NoExist),
        ErrorKind::AlreadyExists
    );
    assert!(map.lookup(&end).unwrap().is_none());
    assert_fails!(map.update(&end, &[7; 4], MapFlags::Any), ErrorKind::Full);
    assert_fails!(map.delete(&last), ErrorKind::InvalidArgument);
    assert_fails!(map.lookup_and_delete(&last), ErrorKind::NotSupported);
    assert_eq!(map.lookup(&last).unwrap().unwrap(), [7; 4]);
}

/// Room for three keys.
fn full() {
    let map = map(MapType::Hash, 4, 4, 3);
    for key in 0..3 {
        map.update(&[key; 4], &[key; 4], MapFlags::NoExist).unwrap();
    }
    assert_fails!(
        map.update(&[9; 4], &[0; 4], MapFlags::Any),
        ErrorKind::Full,
        "tested"
    );
    map.update(&[1; 4], &[7; 4], MapFlags::Any).unwrap();
    map.delete(&[0; 4]).unwrap();
    map.update(&[9; 4], &[8; 4], MapFlags::Any).unwrap();
    assert_eq!(map.lookup(&[1; 4]).unwrap().unwrap(), [7; 4]);
    assert_eq!(map.lookup(&[9; 4]).unwrap().unwrap(), [8; 4]);
}

/// The kernel would read past the end of what is too short.
fn sizes() {
    let map = raw::create_map("tested", types::MapType::Hash, 4, 8, 4, 0).unwrap();
    for length in [0, 3, 5, 4096] {
        let key = vec![0; length];
        let update = map.update(&key, &[0; 8], UpdateMode::Any);
        assert_code!(update, ErrorCode::WrongSize);
        assert_code!(map.lookup(&key), ErrorCode::WrongSize);
        assert_code!(map.delete(&key), ErrorCode::WrongSize);
        assert_code!(map.lookup_and_delete(&key), ErrorCode::WrongSize);
        assert_code!(map.next_key(Some(&key)), ErrorCode::WrongSize);
        assert_code!(map.keys(Some(&key), 1), ErrorCode::WrongSize);
    }
    for length in [0, 7, 9, 4096] {
        let update = map.update(&[0; 4], &vec![0; length], UpdateMode::Any);
        assert_code!(update, ErrorCode::WrongSize);
    }
    assert!(map.next_key(None).unwrap().is_none(), "nothing came in");
}

/// Every function that would change it.
fn frozen() {
    let map = raw::create_map("tested", types::MapType::Hash, 4, 4, 4, 0).unwrap();
    map.update_number(1, 2, UpdateMode::Any).unwrap();
    map.freeze().unwrap();
    let (key, value) = (1u32.to_ne_bytes(), 3u32.to_ne_bytes());
    let update = map.update(&key, &value, UpdateMode::Any);
    assert_code!(update, ErrorCode::NotPermitted);
    let update = map.update_number(1, 3, UpdateMode::Any);
    assert_code!(update, ErrorCode::NotPermitted);
    let updated = map.update_many(&key, &value, UpdateMode::Any).unwrap();
    assert_eq!(updated.count, 0);
    assert!(matches!(updated.failed, Some(ErrorCode::NotPermitted)));
    assert_code!(map.delete(&key), ErrorCode::NotPermitted);
    let deleted = map.delete_many(&key).unwrap();
    assert_eq!(deleted.count, 0);
    assert!(matches!(deleted.failed, Some(ErrorCode::NotPermitted)));
    assert_code!(map.lookup_and_delete(&key), ErrorCode::NotPermitted);
    let taking = Walk::start(&map, true).unwrap();
    assert_code!(taking.next(1), ErrorCode::NotPermitted);
    assert_eq!(map.lookup_number(1).unwrap(), Some(2));
    assert_eq!(Walk::start(&map, false).unwrap().next(9).unwrap().count, 1);
}

/// It changes nothing.
fn frozen_twice() {
    let map = raw::create_map("tested", types::MapType::Array, 4, 4, 4, 0).unwrap();
    map.freeze().unwrap();
    assert_code!(map.freeze(), ErrorCode::NotPermitted);
    assert_eq!(map.lookup_number(1).unwrap(), Some(0));
}

/// BPF_F_MMAPABLE is 1024.
fn frozen_while_mapped() {
    let map = MapHandle::create(MapType::Array, "tested", 4, 8, 1, 1024).unwrap();
    let memory = map.mmap().unwrap();
    assert!(memory.is_writable());
    assert_fails!(map.freeze(), ErrorKind::Busy, "tested");
    drop(memory);
    map.freeze().unwrap();
    assert!(!map.mmap().unwrap().is_writable());
}
