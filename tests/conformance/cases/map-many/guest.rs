//! Many keys in one call.

use conformance_guests::{assert_code, raw};
use raw::maps::{Map, UpdateMode, Walk};
use raw::types::{ErrorCode, MapType};

conformance_guests::guest!();

fn map(kind: MapType, key: u32, value: u32, entries: u32) -> Map {
    raw::create_map("tested", kind, key, value, entries, 0).unwrap()
}

fn keys(keys: impl IntoIterator<Item = u32>) -> Vec<u8> {
    keys.into_iter().flat_map(u32::to_ne_bytes).collect()
}

fn values(values: impl IntoIterator<Item = u64>) -> Vec<u8> {
    values.into_iter().flat_map(u64::to_ne_bytes).collect()
}

/// The values of keys, of a map with values of 8 bytes.
fn found(map: &Map, keys: &[u8]) -> Vec<Option<u64>> {
    let found = map.lookup_many(keys).unwrap();
    let count = keys.len() / 4;
    assert_eq!(found.values.len(), count * 8);
    assert_eq!(found.found.len(), count.div_ceil(8));
    let each = found.values.chunks_exact(8).enumerate();
    each.map(|(index, value)| {
        let value = u64::from_ne_bytes(value.try_into().unwrap());
        let is_there = found.found[index / 8] >> (index % 8) & 1 == 1;
        assert!(is_there || value == 0, "zeros where the key is missing");
        is_there.then_some(value)
    })
    .collect()
}

fn count(map: &Map) -> u32 {
    let walk = Walk::start(map, false).unwrap();
    let counts = std::iter::from_fn(|| Some(walk.next(u32::MAX).unwrap().count));
    counts.take_while(|count| *count > 0).sum()
}

/// More than a host may want to give to the kernel at once.
fn many() {
    let map = map(MapType::Hash, 4, 8, 10_000);
    let all = keys(0..10_000);
    let stored = values((0..10_000).map(|key| key << 32));
    let updated = map.update_many(&all, &stored, UpdateMode::Create).unwrap();
    assert_eq!(updated.count, 10_000);
    assert!(updated.failed.is_none());
    assert!(
        found(&map, &all)
            .into_iter()
            .eq((0..10_000).map(|key| Some(key << 32)))
    );
    // Some are missing, in no order, and one comes twice.
    let some = keys([9_999, 10_000, 1, 77_777, 5, 5, 20_000, 3, 2]);
    let expected = [
        Some(9_999 << 32),
        None,
        Some(1 << 32),
        None,
        Some(5 << 32),
        Some(5 << 32),
        None,
        Some(3 << 32),
        Some(2 << 32),
    ];
    assert_eq!(found(&map, &some), expected);
    assert!(found(&map, &[]).is_empty());
    // What is missing is no failure, nor the end.
    let deleted = map.delete_many(&keys([1, 1, 20_000, 2, 3])).unwrap();
    assert_eq!((deleted.count, deleted.missing), (5, 2));
    assert!(deleted.failed.is_none());
    let deleted = map.delete_many(&all).unwrap();
    assert_eq!((deleted.count, deleted.missing), (10_000, 3));
    assert_eq!(count(&map), 0);
    assert_eq!(map.delete_many(&[]).unwrap().count, 0);
    let updated = map.update_many(&[], &[], UpdateMode::Any).unwrap();
    assert_eq!(updated.count, 0);
}

/// Values are as long as the map says, for all CPUs together.
fn kinds() {
    for (kind, flags) in [
        (MapType::LruHash, 0),
        (MapType::PercpuHash, 0),
        (MapType::LruPercpuHash, 0),
        (MapType::LpmTrie, 1),
    ] {
        let map = raw::create_map("tested", kind, 8, 8, 1000, flags).unwrap();
        let length = map.info().value_length as usize;
        // As a trie reads it: all 32 bits count.
        let prefixes = keys((0..100).flat_map(|key| [32, key]));
        let stored = values((0..100).flat_map(|key| vec![key + 1; length / 8]));
        let updated = map
            .update_many(&prefixes, &stored, UpdateMode::Any)
            .unwrap();
        assert_eq!(updated.count, 100, "{kind:?}");
        let found = map.lookup_many(&prefixes).unwrap();
        assert_eq!(found.values, stored, "{kind:?}");
        assert_eq!(count(&map), 100, "{kind:?}");
        let deleted = map.delete_many(&prefixes[..50 * 8]).unwrap();
        assert_eq!((deleted.count, deleted.missing), (50, 0), "{kind:?}");
        assert_eq!(count(&map), 50, "{kind:?}");
    }
}

/// Those before it are stored.
fn first_failure() {
    let small = map(MapType::Hash, 4, 8, 100);
    let (all, ones) = (keys(0..200), values([1; 200]));
    let updated = small.update_many(&all, &ones, UpdateMode::Any).unwrap();
    assert_eq!((updated.count, count(&small)), (100, 100));
    assert_code!(Err::<(), _>(updated.failed.unwrap()), ErrorCode::Full);
    let map = map(MapType::Hash, 4, 8, 200);
    map.update_number(50, 0, UpdateMode::Any).unwrap();
    let updated = map.update_many(&all, &ones, UpdateMode::Create).unwrap();
    assert_eq!((updated.count, count(&map)), (50, 51));
    assert_code!(
        Err::<(), _>(updated.failed.unwrap()),
        ErrorCode::AlreadyExists
    );
    let (some, twos) = (keys([0, 1, 90, 2]), values([2; 4]));
    let updated = map.update_many(&some, &twos, UpdateMode::Replace).unwrap();
    assert_eq!(updated.count, 2);
    assert_code!(Err::<(), _>(updated.failed.unwrap()), ErrorCode::NotFound);
    assert_eq!(
        found(&map, &keys([0, 1, 2])),
        [Some(2), Some(2), Some(1)],
        "what comes after it is not stored"
    );
}

/// Of ten entries.
fn arrays() {
    let map = map(MapType::Array, 4, 8, 10);
    let (some, fives) = (keys([1, 2, 10, 3]), values([5; 4]));
    let updated = map.update_many(&some, &fives, UpdateMode::Any).unwrap();
    assert_eq!(updated.count, 2);
    assert_code!(Err::<(), _>(updated.failed.unwrap()), ErrorCode::Full);
    assert_eq!(
        found(&map, &keys([2, 3, 10])),
        [Some(5), Some(0), None],
        "what comes after it is not stored"
    );
    let deleted = map.delete_many(&keys([1, 2])).unwrap();
    assert_eq!(deleted.count, 0);
    assert_code!(
        Err::<(), _>(deleted.failed.unwrap()),
        ErrorCode::InvalidArgument
    );
}

/// None of them reaches the kernel.
fn lengths() {
    let map = map(MapType::Hash, 4, 8, 10);
    for length in [1, 3, 5, 4097] {
        let keys = vec![0; length];
        assert_code!(map.lookup_many(&keys), ErrorCode::WrongSize);
        assert_code!(map.delete_many(&keys), ErrorCode::WrongSize);
        let updated = map.update_many(&keys, &[0; 8], UpdateMode::Any);
        assert_code!(updated, ErrorCode::WrongSize);
    }
    for length in [0, 7, 9, 16] {
        let updated = map.update_many(&[0; 4], &vec![0; length], UpdateMode::Any);
        assert_code!(updated, ErrorCode::WrongSize);
    }
    assert_eq!(count(&map), 0, "nothing came in");
}

/// A call has to end, and its answer has to fit into the host's memory.
fn too_many() {
    let map = map(MapType::Hash, 4, 1, 10);
    let zeros = vec![0; 4 * ((1 << 18) + 1)];
    let (keys, values) = (&zeros[4..], &zeros[..1 << 18]);
    assert_code!(map.lookup_many(&zeros), ErrorCode::LimitExceeded);
    assert_code!(map.delete_many(&zeros), ErrorCode::LimitExceeded);
    let updated = map.update_many(&zeros, &zeros[..(1 << 18) + 1], UpdateMode::Any);
    assert_code!(updated, ErrorCode::LimitExceeded);
    assert_eq!(count(&map), 0, "nothing was stored");
    let updated = map.update_many(keys, values, UpdateMode::Any).unwrap();
    assert_eq!(updated.count, 1 << 18);
    // Short keys that ask for long values.
    let long = self::map(MapType::Array, 4, 1 << 20, 4);
    assert_code!(long.lookup_many(&keys[..4 * 17]), ErrorCode::LimitExceeded);
    let found = long.lookup_many(&keys[..4 * 16]).unwrap();
    assert_eq!(found.values.len(), 16 << 20);
}

/// The kernel waits after each until no program uses it.
fn too_many_objects() {
    let map = map(MapType::ProgArray, 4, 4, 512);
    let keys = keys(0..257);
    assert_code!(map.delete_many(&keys), ErrorCode::LimitExceeded);
    let deleted = map.delete_many(&keys[4..]).unwrap();
    assert_eq!((deleted.count, deleted.missing), (256, 256));
}

/// A number that a component writes must not become a descriptor of the host.
fn not_supported() {
    let queue = map(MapType::Queue, 0, 4, 4);
    assert_code!(queue.lookup_many(&[0; 4]), ErrorCode::NotSupported);
    assert_code!(queue.delete_many(&[0; 4]), ErrorCode::NotSupported);
    let updated = queue.update_many(&[0; 4], &[0; 4], UpdateMode::Any);
    assert_code!(updated, ErrorCode::NotSupported);
    let programs = map(MapType::ProgArray, 4, 4, 4);
    for number in 0..16u32 {
        let updated = programs.update_many(&[0; 4], &number.to_ne_bytes(), UpdateMode::Any);
        assert_code!(updated, ErrorCode::NotSupported);
    }
}
