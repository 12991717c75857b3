//! Keys, one after the other and in pages.

use std::collections::BTreeSet;

use conformance_guests::{assert_code, raw};
use raw::maps::{UpdateMode, Walk};
use raw::types::{self, ErrorCode};
use wasm_bpf_guest::{MapCore as _, MapFlags, MapHandle, MapType};

conformance_guests::guest!();

fn number(key: &[u8]) -> u32 {
    u32::from_ne_bytes(key.try_into().unwrap())
}

fn numbers(keys: &[u8]) -> Vec<u32> {
    keys.chunks_exact(4).map(number).collect()
}

/// A hash table with the keys below `count`.
fn filled(count: u32) -> MapHandle {
    let map = MapHandle::create(MapType::Hash, "tested", 4, 4, count.max(1), 0).unwrap();
    let keys = (0..count).flat_map(u32::to_ne_bytes).collect::<Vec<_>>();
    map.update_batch(&keys, &keys, count, MapFlags::Any, MapFlags::Any)
        .unwrap();
    map
}

/// In pages and one by one.
fn all() {
    for count in [0, 1, 2, 4096, 5000] {
        let map = filled(count);
        let keys = map.keys().map(|key| number(&key.unwrap()));
        let mut keys = keys.collect::<Vec<_>>();
        // Nobody changes it: no key comes twice.
        assert_eq!(keys.len(), count as usize);
        keys.sort();
        assert!(keys.into_iter().eq(0..count));
        let mut walked = BTreeSet::new();
        let mut after = None;
        while let Some(key) = map.next_key(after.as_deref()).unwrap() {
            assert!(walked.insert(number(&key)), "a key came twice");
            after = Some(key);
        }
        assert!(walked.into_iter().eq(0..count));
    }
}

/// A walk that begins after a key of zeros misses it.
fn first() {
    let hash = raw::create_map("tested", types::MapType::Hash, 4, 4, 4, 0).unwrap();
    assert!(hash.next_key(None).unwrap().is_none());
    let trie = raw::create_map("tested", types::MapType::LpmTrie, 8, 4, 4, 1).unwrap();
    let array = raw::create_map("tested", types::MapType::Array, 4, 4, 1, 0).unwrap();
    for map in [hash, trie, array] {
        let zero = vec![0; map.info().key_size as usize];
        map.update(&zero, &[7; 4], UpdateMode::Any).unwrap();
        assert_eq!(map.next_key(None).unwrap(), Some(zero.clone()));
        assert_eq!(map.next_key(Some(&zero)).unwrap(), None);
        assert_eq!(map.keys(None, 9).unwrap(), zero);
        assert!(map.keys(Some(&zero), 9).unwrap().is_empty());
        let walk = Walk::start(&map, false).unwrap();
        let batch = walk.next(9).unwrap();
        assert_eq!((batch.count, batch.keys), (1, zero));
        assert_eq!(walk.next(9).unwrap().count, 0);
    }
}

/// What comes after a key that is not in the map.
fn gone() {
    let hash = filled(2);
    let first = hash.next_key(None).unwrap();
    let missing = 77u32.to_ne_bytes();
    assert_eq!(hash.next_key(Some(&missing)).unwrap(), first);
    let array = raw::create_map("tested", types::MapType::Array, 4, 4, 3, 0).unwrap();
    assert_eq!(numbers(&array.keys(None, 9).unwrap()), [0, 1, 2]);
    assert_eq!(numbers(&array.keys(Some(&missing), 1).unwrap()), [0]);
    let last = 2u32.to_ne_bytes();
    assert!(array.next_key(Some(&last)).unwrap().is_none());
}

/// By seven, and all at once.
fn pages() {
    let map = raw::create_map("tested", types::MapType::Hash, 4, 4, 1000, 0).unwrap();
    assert!(map.keys(None, 7).unwrap().is_empty());
    for key in 0..1000 {
        map.update_number(key, key, UpdateMode::Any).unwrap();
    }
    let mut keys = BTreeSet::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = map.keys(after.as_deref(), 7).unwrap();
        assert!(page.len() <= 7 * 4 && page.len().is_multiple_of(4));
        let Some(last) = page.rchunks_exact(4).next() else {
            break;
        };
        after = Some(last.to_vec());
        for key in numbers(&page) {
            assert!(keys.insert(key), "a key came twice");
        }
    }
    assert!(keys.into_iter().eq(0..1000));
    assert_eq!(map.keys(None, u32::MAX).unwrap().len(), 4000);
    assert_code!(map.keys(None, 0), ErrorCode::InvalidArgument);
}

/// Keys of 512 bytes, the longest of a hash table.
fn large_pages() {
    let map = raw::create_map("tested", types::MapType::Hash, 512, 1, 3000, 0).unwrap();
    let mut keys = vec![0; 3000 * 512];
    for (index, key) in keys.chunks_exact_mut(512).enumerate() {
        key[..4].copy_from_slice(&(index as u32).to_ne_bytes());
    }
    let updated = map.update_many(&keys, &[0; 3000], UpdateMode::Any).unwrap();
    assert_eq!(updated.count, 3000);
    let mut seen = BTreeSet::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = map.keys(after.as_deref(), u32::MAX).unwrap();
        assert!(page.len() <= 1 << 20, "{}", page.len());
        let Some(last) = page.rchunks_exact(512).next() else {
            break;
        };
        after = Some(last.to_vec());
        seen.extend(page.chunks_exact(512).map(|key| number(&key[..4])));
    }
    assert!(seen.into_iter().eq(0..3000));
}

/// The key that a walk stands on is deleted, others, or each.
fn while_deleting() {
    // Every second key is deleted before, while and after the walk comes to it.
    let map = filled(5000);
    let mut seen = BTreeSet::new();
    for key in map.keys() {
        let key = number(&key.unwrap());
        seen.insert(key);
        for deleted in [key, key.wrapping_mul(7) % 5000] {
            if deleted % 2 == 1 {
                // Some were deleted before.
                let _ = map.delete(&deleted.to_ne_bytes());
            }
        }
    }
    let missed = (0..5000).step_by(2).find(|key| !seen.contains(key));
    assert_eq!(missed, None, "a key that was there all the time is missing");
    // Each key is deleted as soon as it comes.
    let map = filled(5000);
    let mut count = 0;
    for key in map.keys() {
        map.delete(&key.unwrap()).unwrap();
        count += 1;
    }
    assert_eq!(count, 5000);
    assert!(map.next_key(None).unwrap().is_none());
    // And each comes back at once: the walk ends all the same.
    let map = filled(1000);
    for key in map.keys() {
        let key = key.unwrap();
        map.delete(&key).unwrap();
        map.update(&key, &key, MapFlags::Any).unwrap();
    }
}
