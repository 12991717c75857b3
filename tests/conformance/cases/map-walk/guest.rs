//! Walks over all entries, many with each call.

use std::collections::{BTreeMap, BTreeSet};

use conformance_guests::{assert_code, begin_to_pull, raw, trigger};
use raw::maps::{Map, UpdateMode, Walk};
use raw::types::{ErrorCode, MapType};
use wasm_bpf_guest::{MapCore as _, MapFlags};

conformance_guests::guest!();

/// A map with keys and values of 4 bytes.
fn map(kind: MapType, entries: u32) -> Map {
    let flags = if matches!(kind, MapType::LpmTrie) {
        1
    } else {
        0
    };
    raw::create_map("tested", kind, 4, 4, entries, flags).unwrap()
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_ne_bytes(bytes.try_into().unwrap())
}

/// Stores key * 3 under each key.
fn fill(map: &Map, count: u32) {
    let times = map.info().value_length as usize / 4;
    let keys = (0..count).flat_map(u32::to_ne_bytes).collect::<Vec<_>>();
    let values = (0..count).flat_map(|key| (key * 3).to_ne_bytes().repeat(times));
    let values = values.collect::<Vec<_>>();
    let updated = map.update_many(&keys, &values, UpdateMode::Any).unwrap();
    assert_eq!(updated.count, count);
}

/// All that a walk returns; no key twice.
fn collect(walk: &Walk, max: u32) -> BTreeMap<u32, Vec<u8>> {
    let mut all = BTreeMap::new();
    loop {
        let batch = walk.next(max).unwrap();
        let count = batch.count as usize;
        assert_eq!(batch.keys.len(), count * 4);
        if count == 0 {
            assert!(batch.values.is_empty());
            return all;
        }
        assert!(batch.values.len().is_multiple_of(count));
        let values = batch.values.chunks_exact(batch.values.len() / count);
        for (key, value) in batch.keys.chunks_exact(4).zip(values) {
            let before = all.insert(number(key), value.to_vec());
            assert!(before.is_none(), "an entry came twice");
        }
    }
}

/// Equal to what keys and lookups give.
fn all() {
    for count in [0, 1, 2047, 5000] {
        let map = map(MapType::Hash, count.max(1));
        fill(&map, count);
        let keys = map.keys(None, u32::MAX).unwrap();
        let values = map.lookup_many(&keys).unwrap().values;
        let entries = keys.chunks_exact(4).zip(values.chunks_exact(4));
        let expected = entries.map(|(key, value)| (number(key), value.to_vec()));
        let expected = expected.collect::<BTreeMap<_, _>>();
        assert!(expected.keys().copied().eq(0..count));
        for max in [1, 3, 1000, count.max(1), u32::MAX] {
            let walk = Walk::start(&map, false).unwrap();
            assert_eq!(collect(&walk, max), expected, "{count} by {max}");
            // One that is over stays over.
            assert_eq!(walk.next(max).unwrap().count, 0);
        }
    }
}

/// Two walks over the same map, one after the first batch of the other.
fn kinds() {
    for kind in [
        MapType::Array,
        MapType::PercpuArray,
        MapType::PercpuHash,
        MapType::LruHash,
    ] {
        // An LRU map that is full drops some.
        let map = map(kind, 2000);
        let is_array = matches!(kind, MapType::Array | MapType::PercpuArray);
        let count = if is_array { 2000 } else { 100 };
        fill(&map, count);
        let first = Walk::start(&map, false).unwrap();
        let begun = first.next(1).unwrap().count as usize;
        let second = collect(&Walk::start(&map, false).unwrap(), 64);
        assert!(second.keys().copied().eq(0..count), "{kind:?}");
        for (key, value) in &second {
            assert_eq!(number(&value[..4]), key * 3, "{kind:?}");
        }
        let rest = collect(&first, 64);
        assert_eq!(begun + rest.len(), count as usize, "{kind:?}");
    }
    let trie = raw::create_map("tested", MapType::LpmTrie, 8, 4, 100, 1).unwrap();
    let mut expected = BTreeSet::new();
    for (length, bits) in [(0, 0), (8, 10), (16, 10), (32, 77)] {
        let key = [u32::to_ne_bytes(length), u32::to_ne_bytes(bits)].concat();
        trie.update(&key, &length.to_ne_bytes(), UpdateMode::Any)
            .unwrap();
        expected.insert(key);
    }
    for max in [1, 3, 100] {
        let walk = Walk::start(&trie, false).unwrap();
        let mut found = BTreeSet::new();
        loop {
            let batch = walk.next(max).unwrap();
            if batch.count == 0 {
                break;
            }
            for (key, value) in batch.keys.chunks_exact(8).zip(batch.values.chunks_exact(4)) {
                assert_eq!(key[..4], *value);
                assert!(found.insert(key.to_vec()), "an entry came twice");
            }
        }
        assert_eq!(found, expected);
    }
}

/// What the kernel cannot take out in batches is read and then deleted.
fn taken() {
    let map = map(MapType::Hash, 5000);
    fill(&map, 5000);
    let taken = collect(&Walk::start(&map, true).unwrap(), 64);
    assert!(taken.keys().copied().eq(0..5000));
    assert!(taken.iter().all(|(key, value)| number(value) == key * 3));
    assert!(map.next_key(None).unwrap().is_none(), "all were deleted");
    map.update_number(7, 8, UpdateMode::Create).unwrap();
    let taken = collect(&Walk::start(&map, true).unwrap(), 1);
    assert!(taken.into_iter().eq([(7, 8u32.to_ne_bytes().to_vec())]));
    let trie = raw::create_map("tested", MapType::LpmTrie, 8, 4, 100, 1).unwrap();
    for key in 0..100u32 {
        let prefix = [32u32.to_ne_bytes(), key.to_ne_bytes()].concat();
        trie.update(&prefix, &key.to_ne_bytes(), UpdateMode::Any)
            .unwrap();
    }
    let walk = Walk::start(&trie, true).unwrap();
    let counts = std::iter::from_fn(|| Some(walk.next(7).unwrap().count));
    let count: u32 = counts.take_while(|count| *count > 0).sum();
    assert_eq!(count, 100);
    assert!(trie.next_key(None).unwrap().is_none(), "all were deleted");
}

/// No keys, nothing to be looked up by them, nothing that can be deleted.
fn refused() {
    for kind in [MapType::Queue, MapType::Stack] {
        let map = raw::create_map("tested", kind, 0, 4, 4, 0).unwrap();
        for and_delete in [false, true] {
            let walk = Walk::start(&map, and_delete);
            assert_code!(walk, ErrorCode::NotSupported);
        }
    }
    for kind in [MapType::Array, MapType::PercpuArray] {
        assert_code!(Walk::start(&map(kind, 4), true), ErrorCode::InvalidArgument);
    }
    let hash = map(MapType::Hash, 4);
    fill(&hash, 4);
    let walk = Walk::start(&hash, false).unwrap();
    assert_code!(walk.next(0), ErrorCode::InvalidArgument);
    assert_eq!(collect(&walk, 1).len(), 4, "it goes on after that");
    let events = map(MapType::PerfEventArray, 4);
    let walk = Walk::start(&events, false).unwrap();
    assert_code!(walk.next(1), ErrorCode::NotSupported);
}

/// Entries of 400,000 bytes, and of more than 1 MiB.
fn large_values() {
    for (kind, size, entries) in [
        (MapType::Array, 400_000, 10),
        (MapType::Hash, 400_000, 10),
        (MapType::Array, 1_500_000, 3),
        (MapType::Hash, 1_500_000, 3),
    ] {
        let map = raw::create_map("tested", kind, 4, size, entries, 0).unwrap();
        for key in 0..entries {
            let value = vec![key as u8; size as usize];
            map.update(&key.to_ne_bytes(), &value, UpdateMode::Any)
                .unwrap();
        }
        let walk = Walk::start(&map, false).unwrap();
        let mut seen = BTreeSet::new();
        loop {
            let batch = walk.next(u32::MAX).unwrap();
            if batch.count == 0 {
                break;
            }
            // Buckets of a hash table come whole.
            if matches!(kind, MapType::Array) {
                let most = (2 << 20).max(size as usize);
                assert!(batch.values.len() <= most, "{}", batch.values.len());
            }
            let values = batch.values.chunks_exact(size as usize);
            for (key, value) in batch.keys.chunks_exact(4).zip(values) {
                let key = number(key);
                assert!(value.iter().all(|byte| *byte == key as u8));
                seen.insert(key);
            }
        }
        assert!(seen.into_iter().eq(0..entries), "{kind:?}");
    }
}

/// The walk keeps it.
fn map_is_gone() {
    let map = map(MapType::Hash, 10);
    fill(&map, 10);
    let walk = Walk::start(&map, false).unwrap();
    drop(map);
    assert!(collect(&walk, 3).into_keys().eq(0..10));
}

/// The kernel's hash of a key of 4 bytes, with the seed 0 (`jhash`).
fn hash(key: u32) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(4);
    let (mut a, mut b, mut c) = (start.wrapping_add(key), start, start);
    let mix = |to: &mut u32, from: u32, by| {
        *to = (*to ^ from).wrapping_sub(from.rotate_left(by));
    };
    mix(&mut c, b, 14);
    mix(&mut a, c, 11);
    mix(&mut b, a, 25);
    mix(&mut c, b, 16);
    mix(&mut a, c, 4);
    mix(&mut b, a, 14);
    mix(&mut c, b, 24);
    c
}

/// 256 entries of 260 KiB in one of 256 buckets. BPF_F_ZERO_SEED is 64.
fn colliding() {
    let size = 260 << 10;
    let map = raw::create_map("tested", MapType::Hash, 4, size, 256, 64).unwrap();
    let value = vec![1; size as usize];
    for key in (0..).filter(|key| hash(*key).is_multiple_of(256)).take(256) {
        map.update(&u32::to_ne_bytes(key), &value, UpdateMode::Any)
            .unwrap();
    }
    let walk = Walk::start(&map, false).unwrap();
    assert_code!(walk.next(1), ErrorCode::LimitExceeded);
}

/// 16 entries in one of 256 buckets, which the kernel reads at once.
fn parts_of_a_bucket() {
    for and_delete in [false, true] {
        let map = raw::create_map("tested", MapType::Hash, 4, 8, 256, 64).unwrap();
        let keys = (0..).filter(|key| hash(*key).is_multiple_of(256)).take(16);
        let keys = keys.collect::<BTreeSet<u32>>();
        for key in &keys {
            let value = u64::from(*key).to_ne_bytes();
            map.update(&key.to_ne_bytes(), &value, UpdateMode::Any)
                .unwrap();
        }
        let walk = Walk::start(&map, and_delete).unwrap();
        let mut seen = BTreeSet::new();
        for (max, expected) in [(3, 3), (1, 1), (5, 5), (100, 7), (100, 0), (1, 0)] {
            let batch = walk.next(max).unwrap();
            assert_eq!(batch.count, expected);
            assert_eq!(batch.keys.len(), 4 * expected as usize);
            for (key, value) in batch.keys.chunks(4).zip(batch.values.chunks(8)) {
                let key = u32::from_ne_bytes(key.try_into().unwrap());
                assert_eq!(value, u64::from(key).to_ne_bytes());
                assert!(seen.insert(key), "{key} came twice");
            }
        }
        assert_eq!(seen, keys);
        let left = map.keys(None, 100).unwrap().len() / 4;
        assert_eq!(left, if and_delete { 0 } else { 16 });
    }
}

const STAYING: u32 = 500;
/// A walk that is disturbed ends after two steps for each of `max_entries`.
const MOST: usize = 2 * 2000;

/// A program that inserts and deletes all the time, from now on, besides what stays.
fn begin() -> case::CaseSkel {
    let mut open = case::CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    let mut skel = open.load().unwrap();
    for key in 0..STAYING {
        skel.maps.table.insert(&key, &1, MapFlags::Any).unwrap();
        let prefix = case::types::prefix {
            length: 32,
            bits: key,
        };
        skel.maps.trie.insert(&prefix, &1, MapFlags::Any).unwrap();
    }
    skel.attach().unwrap();
    begin_to_pull(1_000_000);
    while skel.bss.turns.get().unwrap() == 0 {}
    skel
}

/// Ten walks.
fn under_change() {
    let skel = begin();
    let before = skel.bss.turns.get().unwrap();
    for _ in 0..10 {
        let mut seen = BTreeSet::new();
        let mut count = 0;
        for entry in skel.maps.table.iter() {
            seen.insert(entry.unwrap().0);
            count += 1;
        }
        let missed = (0..STAYING).find(|key| !seen.contains(key));
        assert_eq!(missed, None, "an entry that stayed is missing");
        assert_eq!(seen.len(), count, "an entry came twice");
        let count = skel.maps.trie.iter().count();
        assert!(count <= MOST, "{count}");
        let count = skel.object.map("trie").unwrap().keys().count();
        assert!(count <= MOST, "{count}");
    }
    assert!(
        skel.bss.turns.get().unwrap() > before,
        "nothing was changed"
    );
}

/// Taking out what others put in.
fn taken_under_change() {
    let skel = begin();
    let before = skel.bss.turns.get().unwrap();
    let taken = skel.maps.table.drain().map(|entry| entry.unwrap().0);
    let taken = taken.collect::<BTreeSet<_>>();
    let missed = (0..STAYING).find(|key| !taken.contains(key));
    assert_eq!(missed, None, "an entry that stayed is missing");
    for key in 0..STAYING {
        assert_eq!(skel.maps.table.get(&key).unwrap(), None, "it was deleted");
    }
    let count = skel.maps.trie.drain().count();
    assert!(count <= MOST, "{count}");
    assert!(
        skel.bss.turns.get().unwrap() > before,
        "nothing was changed"
    );
}
