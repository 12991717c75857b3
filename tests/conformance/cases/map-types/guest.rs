//! Each kind of map: it is made, used as far as the interface goes, and the rest is refused.

use std::collections::BTreeSet;

use case::{CaseSkel, CaseSkelBuilder};
use conformance_guests::{assert_code, assert_fails, number, pull, raw, trigger};
use raw::maps::{Map, UpdateMode, Walk};
use raw::objects::{OpenObject, OpenOptions};
use raw::types::{ErrorCode, MapType};
use wasm_bpf_guest::{ErrorKind, MapCore as _};

conformance_guests::guest!();

/// Makes a map, whose info has to say what was asked for.
fn map(kind: MapType, key: u32, value: u32, entries: u32, flags: u32) -> Map {
    let map = raw::create_map("tested", kind, key, value, entries, flags).unwrap();
    let info = map.info();
    assert_eq!(info.name, "tested");
    assert_eq!(name(info.type_), name(kind));
    assert_eq!((info.key_size, info.value_size), (key, value));
    assert_eq!(info.max_entries, entries);
    // To some kinds the kernel itself adds that programs only read (BPF_F_RDONLY_PROG).
    assert_eq!(info.flags & !128, flags);
    assert_eq!(info.value_length, length(kind, value));
    map
}

fn name(kind: MapType) -> String {
    format!("{kind:?}")
}

/// Bytes of the values of all CPUs.
fn length(kind: MapType, value: u32) -> u32 {
    match kind {
        MapType::PercpuHash
        | MapType::PercpuArray
        | MapType::LruPercpuHash
        | MapType::PercpuCgroupStorage => {
            value.next_multiple_of(8) * number::<u32>("possible-cpus")
        }
        _ => value,
    }
}

fn indexes(keys: &[u8]) -> Vec<u32> {
    let keys = keys.chunks_exact(4);
    keys.map(|key| u32::from_ne_bytes(key.try_into().unwrap()))
        .collect()
}

/// How many entries a walk returns.
fn count(map: &Map) -> u32 {
    let walk = Walk::start(map, false).unwrap();
    let counts = std::iter::from_fn(|| Some(walk.next(u32::MAX).unwrap().count));
    counts.take_while(|count| *count > 0).sum()
}

/// No function takes it for a map with keys.
fn refuses_keys(map: &Map) {
    let info = map.info();
    let key = vec![0; info.key_size as usize];
    let value = vec![0; info.value_length as usize];
    let mode = UpdateMode::Any;
    assert_code!(map.lookup(&key), ErrorCode::NotSupported);
    assert_code!(map.update(&key, &value, mode), ErrorCode::NotSupported);
    assert_code!(map.delete(&key), ErrorCode::NotSupported);
    assert_code!(map.lookup_and_delete(&key), ErrorCode::NotSupported);
    assert_code!(map.next_key(None), ErrorCode::NotSupported);
    assert_code!(map.keys(None, 1), ErrorCode::NotSupported);
    assert_code!(map.lookup_number(0), ErrorCode::NotSupported);
    assert_code!(map.update_number(0, 0, mode), ErrorCode::NotSupported);
    assert_code!(map.lookup_many(&key), ErrorCode::NotSupported);
    assert_code!(map.update_many(&key, &value, mode), ErrorCode::NotSupported);
    assert_code!(map.delete_many(&key), ErrorCode::NotSupported);
    assert_code!(Walk::start(map, false), ErrorCode::NotSupported);
}

/// Nor for one that values are put into without a key.
fn refuses_values(map: &Map) {
    let value = vec![0; map.info().value_length as usize];
    assert_code!(map.push(&value, false), ErrorCode::NotSupported);
    assert_code!(map.pop(), ErrorCode::NotSupported);
    assert_code!(map.peek(), ErrorCode::NotSupported);
    assert_code!(map.contains(&value), ErrorCode::NotSupported);
}

/// A number that a component writes must not become a descriptor of the host, or anything else of the kernel.
fn refuses_numbers(map: &Map) {
    let info = map.info();
    let key = vec![0; info.key_size as usize];
    for number in 0..16u64 {
        let mut value = vec![0; info.value_size as usize];
        value[..4].copy_from_slice(&(number as u32).to_ne_bytes());
        for mode in [UpdateMode::Any, UpdateMode::Create, UpdateMode::Replace] {
            assert_code!(map.update(&key, &value, mode), ErrorCode::NotSupported);
            let many = map.update_many(&key, &value, mode);
            assert_code!(many, ErrorCode::NotSupported);
            assert_code!(map.update_number(0, number, mode), ErrorCode::NotSupported);
        }
    }
    refuses_values(map);
}

/// A hash table of 8 entries.
fn is_hash_table(kind: MapType) {
    let map = map(kind, 4, 8, 8, 0);
    let value = |seed: u8| vec![seed; length(kind, 8) as usize];
    let (first, second) = (1u32.to_ne_bytes(), 2u32.to_ne_bytes());
    assert_eq!(map.lookup(&first).unwrap(), None);
    map.update(&first, &value(1), UpdateMode::Create).unwrap();
    map.update(&second, &value(2), UpdateMode::Create).unwrap();
    map.update(&first, &value(3), UpdateMode::Replace).unwrap();
    assert_eq!(map.lookup(&first).unwrap(), Some(value(3)));
    assert_eq!(map.lookup(&second).unwrap(), Some(value(2)));
    let mut keys = indexes(&map.keys(None, 8).unwrap());
    keys.sort();
    assert_eq!(keys, [1, 2]);
    assert_eq!(count(&map), 2);
    assert!(map.delete(&first).unwrap());
    assert!(!map.delete(&first).unwrap());
    assert_eq!(count(&map), 1);
    refuses_values(&map);
}

/// A hash table that takes more keys than it has room for.
fn drops_old_keys(kind: MapType) {
    is_hash_table(kind);
    let map = map(kind, 4, 8, 100, 0);
    let value = vec![1; length(kind, 8) as usize];
    for key in 0..1000u32 {
        map.update(&key.to_ne_bytes(), &value, UpdateMode::Create)
            .unwrap();
    }
    let left = count(&map);
    assert!((1..=100).contains(&left), "{left}");
}

/// Indexes.
fn is_array(kind: MapType) {
    let map = map(kind, 4, 8, 8, 0);
    let (zeros, ones) = (
        vec![0; length(kind, 8) as usize],
        vec![1; length(kind, 8) as usize],
    );
    let (last, end) = (7u32.to_ne_bytes(), 8u32.to_ne_bytes());
    assert_eq!(map.lookup(&last).unwrap().unwrap(), zeros);
    map.update(&last, &ones, UpdateMode::Replace).unwrap();
    assert_eq!(map.lookup(&last).unwrap().unwrap(), ones);
    assert_eq!(map.lookup(&end).unwrap(), None);
    assert_eq!(
        indexes(&map.keys(None, 9).unwrap()),
        [0, 1, 2, 3, 4, 5, 6, 7]
    );
    assert_eq!(count(&map), 8);
    assert_code!(map.delete(&last), ErrorCode::InvalidArgument);
    refuses_values(&map);
}

fn hash() {
    is_hash_table(MapType::Hash);
}

fn lru_hash() {
    drops_old_keys(MapType::LruHash);
}

fn percpu_hash() {
    is_hash_table(MapType::PercpuHash);
}

fn lru_percpu_hash() {
    drops_old_keys(MapType::LruPercpuHash);
}

fn array() {
    is_array(MapType::Array);
}

fn percpu_array() {
    is_array(MapType::PercpuArray);
}

/// Addresses of four bytes. BPF_F_NO_PREALLOC, which a trie has to have, is 1.
fn lpm_trie() {
    let map = map(MapType::LpmTrie, 8, 4, 10, 1);
    let key = |length: u32, address: [u8; 4]| [&length.to_ne_bytes()[..], &address].concat();
    let insert = |length, address, value| {
        let key = key(length, address);
        map.update(&key, &[value; 4], UpdateMode::Any)
    };
    insert(8, [10, 0, 0, 0], 8).unwrap();
    insert(16, [10, 1, 0, 0], 16).unwrap();
    assert_code!(insert(33, [10, 1, 0, 0], 33), ErrorCode::InvalidArgument);
    let lookup = |address| map.lookup(&key(32, address)).unwrap();
    assert_eq!(lookup([10, 1, 2, 3]).unwrap(), [16; 4]);
    assert_eq!(lookup([10, 9, 2, 3]).unwrap(), [8; 4]);
    assert_eq!(lookup([11, 1, 2, 3]), None);
    assert_eq!(count(&map), 2);
    assert!(map.delete(&key(16, [10, 1, 0, 0])).unwrap());
    assert!(!map.delete(&key(16, [10, 1, 0, 0])).unwrap());
    assert_eq!(lookup([10, 1, 2, 3]).unwrap(), [8; 4]);
    refuses_values(&map);
}

/// Loads a program with its map, and attaches it.
fn load(program: &str, map: &str) -> CaseSkel {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    for other in open.open.maps() {
        if !other.name().starts_with('.') && other.name() != map {
            other.set_autocreate(false).unwrap();
        }
    }
    let program = open.open.program(program).unwrap();
    program.set_autoload(true).unwrap();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    skel
}

/// The kernel's stack at a system call, 10 addresses at most.
fn stack_trace() {
    let skel = load("take_stack", "stacks");
    let stacks = skel.object.map("stacks").unwrap();
    assert!(stacks.iter().next().is_none());
    pull(1);
    let id = skel.bss.stack_id.get().unwrap();
    let key = u32::try_from(id).expect("the program got a number for it");
    let stack = stacks.lookup(&key.to_ne_bytes()).unwrap().unwrap();
    assert_eq!(stack.len(), 80);
    assert_ne!(stack[..8], [0; 8], "an address of the kernel");
    let entries = stacks.iter().map(|entry| entry.unwrap());
    let keys = entries.map(|(key, value)| {
        assert_eq!(value, stack);
        key
    });
    assert_eq!(
        keys.collect::<BTreeSet<_>>(),
        [key.to_ne_bytes().to_vec()].into()
    );
    let update = stacks.update(&key.to_ne_bytes(), &stack, Default::default());
    assert_fails!(update, ErrorKind::InvalidArgument);
    stacks.delete(&key.to_ne_bytes()).unwrap();
    assert_eq!(stacks.lookup(&key.to_ne_bytes()).unwrap(), None);
    let map = map(MapType::StackTrace, 4, 80, 16, 0);
    assert!(!map.delete(&[0; 4]).unwrap());
    refuses_values(&map);
}

/// Keys that are there whether or not there is something.
fn prog_array() {
    let map = map(MapType::ProgArray, 4, 4, 5, 0);
    refuses_numbers(&map);
    assert_eq!(map.lookup(&[0; 4]).unwrap(), None);
    assert!(!map.delete(&[0; 4]).unwrap());
    assert_eq!(indexes(&map.keys(None, 9).unwrap()), [0, 1, 2, 3, 4]);
    assert_eq!(count(&map), 0);
    // And more of them than one step looks at.
    assert_eq!(count(&self::map(MapType::ProgArray, 4, 4, 8192, 0)), 0);
}

/// What is stored cannot be looked up.
fn is_array_of_unreadable(map: &Map) {
    refuses_numbers(map);
    assert_code!(map.lookup(&[0; 4]), ErrorCode::NotSupported);
    assert_code!(map.lookup_number(0), ErrorCode::NotSupported);
    assert_code!(map.lookup_many(&[0; 4]), ErrorCode::NotSupported);
    assert_eq!(indexes(&map.keys(None, 9).unwrap()), [0, 1, 2, 3, 4]);
}

fn perf_event_array() {
    let map = map(MapType::PerfEventArray, 4, 4, 5, 0);
    is_array_of_unreadable(&map);
    assert!(!map.delete(&[0; 4]).unwrap());
}

fn cgroup_array() {
    let map = map(MapType::CgroupArray, 4, 4, 5, 0);
    is_array_of_unreadable(&map);
    assert!(!map.delete(&[0; 4]).unwrap());
}

fn queue() {
    refuses_keys(&map(MapType::Queue, 0, 4, 4, 0));
}

fn stack() {
    refuses_keys(&map(MapType::Stack, 0, 4, 4, 0));
}

fn bloom_filter() {
    refuses_keys(&map(MapType::BloomFilter, 0, 4, 4, 0));
}

/// A multiple of the page size.
fn ringbuf() {
    let map = map(MapType::Ringbuf, 0, 0, 4096, 0);
    refuses_keys(&map);
    refuses_values(&map);
}

fn user_ringbuf() {
    let map = map(MapType::UserRingbuf, 0, 0, 4096, 0);
    refuses_keys(&map);
    refuses_values(&map);
}

/// BPF_F_MMAPABLE, which an arena has to have, is 1024.
fn arena() {
    let map = map(MapType::Arena, 0, 0, 4, 1024);
    refuses_keys(&map);
    refuses_values(&map);
    let memory = raw::mapped_memory::Mapping::open(&map).unwrap();
    assert_eq!(memory.size(), 4 * 4096);
}

/// A storage, which needs a description of its types: out of an object.
fn is_storage(name: &str, kind: MapType) {
    let open = OpenObject::open(case::DATA, &OpenOptions::new()).unwrap();
    for map in open.maps() {
        if !map.name.starts_with('.') && map.name != name {
            open.set_autocreate(&map.name, false).unwrap();
        }
    }
    let object = OpenObject::load(open).unwrap();
    let map = object.map(name).unwrap();
    let info = map.info();
    assert_eq!(info.name, name);
    assert_eq!(self::name(info.type_), self::name(kind));
    assert_eq!((info.key_size, info.value_size), (4, 8));
    refuses_keys(&map);
    refuses_values(&map);
}

fn sk_storage() {
    is_storage("sk_storage", MapType::SkStorage);
}

fn inode_storage() {
    is_storage("inode_storage", MapType::InodeStorage);
}

/// What a program counts for a thread, it finds again.
fn task_storage() {
    is_storage("task_storage", MapType::TaskStorage);
    let skel = load("count_in_task", "task_storage");
    pull(3);
    pull(4);
    assert_eq!(skel.bss.calls_of_task.get().unwrap(), 7);
}

fn cgrp_storage() {
    is_storage("cgrp_storage", MapType::CgrpStorage);
}

/// Their keys are the number of a cgroup and the kind of a program.
fn cgroup_storage() {
    for kind in [MapType::CgroupStorage, MapType::PercpuCgroupStorage] {
        let map = map(kind, 16, 8, 0, 0);
        refuses_keys(&map);
        refuses_values(&map);
    }
}

/// Asserts that the kinds are refused, with the grant's name.
fn are_denied(kinds: &[(MapType, u32, u32, u32)], grant: &str) {
    for &(kind, key, value, entries) in kinds {
        let error = match raw::create_map("tested", kind, key, value, entries, 0) {
            Ok(_) => panic!("{kind:?} was made"),
            Err(error) => error,
        };
        assert!(error.message.contains(grant), "{}", error.message);
        assert!(error.message.contains("tested"), "{}", error.message);
        assert_eq!(error.errno, 0, "the host refused, not the kernel");
        assert_code!(Err::<(), _>(error.code), ErrorCode::NotGranted);
    }
}

fn cgroup_storage_denied() {
    are_denied(
        &[
            (MapType::CgroupStorage, 16, 8, 0),
            (MapType::PercpuCgroupStorage, 16, 8, 0),
        ],
        "cgroup",
    );
}

/// Empty, which is all that a component can make of it by itself.
fn is_empty_array(map: &Map) {
    refuses_numbers(map);
    assert_eq!(indexes(&map.keys(None, 9).unwrap()), [0, 1, 2, 3, 4]);
    assert_eq!(map.lookup(&[0; 4]).unwrap(), None);
    assert_eq!(count(map), 0);
}

/// The same where keys are no indexes.
fn is_empty_table(map: &Map) {
    refuses_numbers(map);
    assert!(map.keys(None, 9).unwrap().is_empty());
    assert_eq!(map.lookup(&[0; 4]).unwrap(), None);
    assert_eq!(count(map), 0);
    assert!(!map.delete(&[0; 4]).unwrap());
}

fn devmap() {
    is_empty_array(&map(MapType::Devmap, 4, 4, 5, 0));
    is_empty_table(&map(MapType::DevmapHash, 4, 4, 5, 0));
}

fn cpumap() {
    let map = map(MapType::Cpumap, 4, 4, 1, 0);
    refuses_numbers(&map);
    assert_eq!(indexes(&map.keys(None, 9).unwrap()), [0]);
    assert_eq!(map.lookup(&[0; 4]).unwrap(), None);
    assert_eq!(count(&map), 0);
}

fn xskmap() {
    is_array_of_unreadable(&map(MapType::Xskmap, 4, 4, 5, 0));
}

fn xdp_denied() {
    are_denied(
        &[
            (MapType::Devmap, 4, 4, 1),
            (MapType::DevmapHash, 4, 4, 1),
            (MapType::Cpumap, 4, 4, 1),
            (MapType::Xskmap, 4, 4, 1),
        ],
        "xdp",
    );
}

/// With values of 8 bytes, a lookup gives a cookie.
fn sockmap() {
    is_empty_array(&map(MapType::Sockmap, 4, 8, 5, 0));
    is_empty_table(&map(MapType::Sockhash, 4, 8, 5, 0));
}

fn reuseport_sockarray() {
    let map = map(MapType::ReuseportSockarray, 4, 8, 5, 0);
    is_empty_array(&map);
    assert!(!map.delete(&[0; 4]).unwrap());
}

fn sockmap_denied() {
    are_denied(
        &[
            (MapType::Sockmap, 4, 8, 1),
            (MapType::Sockhash, 4, 8, 1),
            (MapType::ReuseportSockarray, 4, 8, 1),
        ],
        "sockmap",
    );
}

/// Numbers are no way around a grant. 1 is hash, 14 is devmap, 15 is sockmap, 19 is cgroup-storage.
fn numbers() {
    let map = raw::create_map("tested", MapType::Other(1), 4, 8, 4, 0).unwrap();
    assert!(matches!(map.info().type_, MapType::Hash));
    map.update_number(1, 2, UpdateMode::Create).unwrap();
    assert_eq!(map.lookup_number(1).unwrap(), Some(2));
    are_denied(&[(MapType::Other(14), 4, 4, 1)], "xdp");
    are_denied(&[(MapType::Other(15), 4, 8, 1)], "sockmap");
    are_denied(&[(MapType::Other(19), 16, 8, 0)], "cgroup");
    are_denied(&[(MapType::Other(4711), 4, 4, 1)], "map-type");
}

/// No kernel has so many kinds.
fn unknown() {
    let result = raw::create_map("tested", MapType::Other(4711), 4, 4, 1, 0);
    let error = result.map(drop).unwrap_err();
    assert_code!(Err::<(), _>(error.code), ErrorCode::NotSupported);
}
