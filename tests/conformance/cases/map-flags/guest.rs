//! Looking up and storing with flags.

use conformance_guests::{assert_fails, number};
use wasm_bpf_guest::{ElemFlags, ErrorKind, MapCore as _, MapCreateOptions, MapHandle, MapType};

conformance_guests::guest!();

fn map(kind: MapType) -> MapHandle {
    MapHandle::create(kind, "tested", 4, 4, 4, 0).unwrap()
}

const KEY: [u8; 4] = [1, 0, 0, 0];

/// All of them, with each flag.
fn modes() {
    let map = map(MapType::Hash);
    let put = |value, flags| map.update_with(&KEY, &[value; 4], flags);
    assert_fails!(put(1, ElemFlags::EXIST), ErrorKind::NotFound, "tested");
    put(2, ElemFlags::NO_EXIST).unwrap();
    assert_fails!(put(3, ElemFlags::NO_EXIST), ErrorKind::AlreadyExists);
    assert_eq!(map.lookup(&KEY).unwrap(), Some(vec![2; 4]));
    put(4, ElemFlags::EXIST).unwrap();
    let seen = map.lookup_with(&KEY, ElemFlags::ANY).unwrap();
    assert_eq!(seen, Some(vec![4; 4]));
    assert_eq!(map.lookup_with(&[9; 4], ElemFlags::ANY).unwrap(), None);
}

/// Once.
fn taken() {
    let map = map(MapType::Hash);
    map.update_with(&KEY, &[1; 4], ElemFlags::ANY).unwrap();
    let take = |flags| map.lookup_and_delete_with(&KEY, flags);
    assert_fails!(take(ElemFlags::LOCK), ErrorKind::InvalidArgument, "tested");
    assert_eq!(take(ElemFlags::ANY).unwrap(), Some(vec![1; 4]));
    assert_eq!(take(ElemFlags::ANY).unwrap(), None);
    let result = map.lookup_and_delete_with(&[1; 3], ElemFlags::ANY);
    assert_fails!(result, ErrorKind::WrongSize, "tested");
}

/// The last CPU's value of each kind.
fn one_cpu() {
    let cpus: u32 = number("possible-cpus");
    let last = cpus - 1;
    for kind in [
        MapType::PercpuArray,
        MapType::PercpuHash,
        MapType::LruPercpuHash,
    ] {
        let map = map(kind);
        let values = (0..cpus).map(|cpu| [cpu as u8; 4]).collect::<Vec<_>>();
        map.update_percpu(&KEY, &values, Default::default())
            .unwrap();
        for cpu in 0..cpus {
            let value = map.lookup_with(&KEY, ElemFlags::cpu(cpu)).unwrap();
            assert_eq!(value, Some(vec![cpu as u8; 4]));
        }
        let flags = ElemFlags::cpu(last) | ElemFlags::EXIST;
        map.update_with(&KEY, &[99; 4], flags).unwrap();
        let mut expected = values.clone();
        expected[last as usize] = [99; 4];
        assert_eq!(map.lookup_percpu(&KEY).unwrap().unwrap(), expected);
        // Of one CPU, or of all: by their length one is not taken for the other.
        let result = map.update_with(&KEY, &vec![1; 8 * cpus as usize + 8], flags);
        assert_fails!(result, ErrorKind::WrongSize, "tested");
    }
}

/// The same for each.
fn all_cpus() {
    let cpus: u32 = number("possible-cpus");
    let map = map(MapType::PercpuHash);
    map.update_with(&KEY, &[7; 4], ElemFlags::ALL_CPUS).unwrap();
    let values = map.lookup_percpu(&KEY).unwrap().unwrap();
    assert_eq!(values, vec![vec![7; 4]; cpus as usize]);
    let result = map.update_with(&KEY, &[7; 5], ElemFlags::ALL_CPUS);
    assert_fails!(result, ErrorKind::WrongSize, "tested");
    // There is not one value to read.
    let result = map.lookup_with(&KEY, ElemFlags::ALL_CPUS);
    assert_fails!(result, ErrorKind::InvalidArgument, "tested");
}

/// Whatever the kernel would make of them.
fn unknown() {
    let cpus: u32 = number("possible-cpus");
    let plain = map(MapType::Hash);
    let per_cpu = map(MapType::PercpuHash);
    let packed = vec![0; per_cpu.info().unwrap().value_length as usize];
    let bad = [
        3,
        32,
        1 << 31,
        1 << 32,
        4 | 1 << 32,
        8 | 16,
        16 | 1 << 32,
        8 | u64::from(cpus) << 32,
        8 | u64::from(u32::MAX) << 32,
        u64::MAX,
    ];
    for flags in bad.map(ElemFlags::from_bits) {
        for (map, value) in [(&plain, &[0; 4][..]), (&per_cpu, &packed)] {
            let result = map.lookup_with(&KEY, flags);
            assert_fails!(result, ErrorKind::InvalidArgument, "tested");
            let result = map.update_with(&KEY, value, flags);
            assert_fails!(result, ErrorKind::InvalidArgument, "tested");
            let result = map.lookup_and_delete_with(&KEY, flags);
            assert_fails!(result, ErrorKind::InvalidArgument, "tested");
        }
    }
    for flags in [ElemFlags::cpu(0), ElemFlags::ALL_CPUS] {
        let result = plain.update_with(&KEY, &[0; 4], flags);
        assert_fails!(result, ErrorKind::InvalidArgument, "tested");
    }
    // No lock in the value.
    let result = plain.update_with(&KEY, &[0; 4], ElemFlags::LOCK);
    assert_fails!(result, ErrorKind::InvalidArgument, "tested");
    assert_eq!(plain.lookup(&KEY).unwrap(), None);
}

/// No number becomes a map, and what has no keys has none.
fn kinds() {
    let inner = map(MapType::Array);
    let options = MapCreateOptions::new().inner_map(&inner);
    let outer = MapHandle::create(MapType::ArrayOfMaps, "outer", 4, 4, 4, options).unwrap();
    for number in 0..16u32 {
        let result = outer.update_with(&KEY, &number.to_ne_bytes(), ElemFlags::ANY);
        assert_fails!(result, ErrorKind::NotSupported, "outer");
    }
    assert_eq!(outer.lookup_with(&KEY, ElemFlags::ANY).unwrap(), None);
    let queue = MapHandle::create(MapType::Queue, "queue", 0, 4, 4, 0).unwrap();
    let ring = MapHandle::create(MapType::Ringbuf, "ring", 0, 0, 4096, 0);
    for map in [Some(queue), ring.ok()].into_iter().flatten() {
        assert_fails!(
            map.lookup_with(&[], ElemFlags::ANY),
            ErrorKind::NotSupported
        );
        assert_fails!(
            map.update_with(&[], &[0; 4], ElemFlags::ANY),
            ErrorKind::NotSupported
        );
        assert_fails!(
            map.lookup_and_delete_with(&[], ElemFlags::ANY),
            ErrorKind::NotSupported
        );
    }
}
