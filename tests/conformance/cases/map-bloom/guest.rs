//! Bloom filters.

use conformance_guests::{assert_code, pull, raw, trigger};
use raw::maps::Map;
use raw::types::{ErrorCode, MapType};
use wasm_bpf_guest::MapCore as _;

conformance_guests::guest!();

fn filter() -> Map {
    raw::create_map("tested", MapType::BloomFilter, 0, 8, 1000, 0).unwrap()
}

/// False is certain, true is not.
fn values() {
    let filter = filter();
    let contains = |value: u64| filter.contains(&value.to_ne_bytes()).unwrap();
    assert!(!(0..500).any(contains), "it is empty");
    for value in 0..500u64 {
        filter.push(&value.to_ne_bytes(), false).unwrap();
    }
    assert!((0..500).all(contains));
    let wrong = (10_000..11_000).filter(|value| contains(*value));
    assert!(wrong.count() < 100);
}

/// The kernel reads the buffer of a lookup: it must not be taken for an answer.
fn refused() {
    let filter = filter();
    for length in [0, 7, 9, 4096] {
        let value = vec![0; length];
        assert_code!(filter.push(&value, false), ErrorCode::WrongSize);
        assert_code!(filter.contains(&value), ErrorCode::WrongSize);
    }
    assert_code!(filter.push(&[0; 8], true), ErrorCode::InvalidArgument);
    assert_code!(filter.peek(), ErrorCode::NotSupported);
    assert_code!(filter.pop(), ErrorCode::NotSupported);
    let hash = raw::create_map("tested", MapType::Hash, 4, 8, 4, 0).unwrap();
    assert_code!(hash.contains(&[0; 8]), ErrorCode::NotSupported);
}

/// Ten calls.
fn from_programs() {
    let mut open = case::CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    let seen = &skel.maps.seen;
    assert!(!(1..=10).any(|value| seen.contains(&value).unwrap()));
    pull(10);
    assert!((1..=10).all(|value| seen.contains(&value).unwrap()));
    let info = skel.object.map("seen").unwrap().info().unwrap();
    assert_eq!(info.extra, 3);
}
