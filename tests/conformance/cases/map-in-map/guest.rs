//! Maps in maps.

use conformance_guests::{assert_fails, holds, pull, trigger};
use wasm_bpf_guest::{ErrorKind, Map, MapCore, MapFlags, MapHandle, MapType, TypedMap};

conformance_guests::guest!();

fn load() -> case::CaseSkel {
    let mut open = case::CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    skel
}

/// Like the inner maps that the object declares.
fn inner(value: u64) -> TypedMap<u32, u64, MapHandle> {
    let map = MapHandle::create(MapType::Array, "inner", 4, 8, 4, 0).unwrap();
    let map = TypedMap::new(map).unwrap();
    map.insert(&0, &value, MapFlags::Any).unwrap();
    map
}

/// What a map of maps tells of the map under a key: its id.
fn stored_id(outer: &Map, key: u32) -> Option<u32> {
    let value = outer.lookup(&key.to_ne_bytes()).unwrap()?;
    Some(u32::from_ne_bytes(value.try_into().unwrap()))
}

/// What the object declares to be stored is found by the program.
fn declared() {
    let skel = load();
    let declared = &skel.maps.declared;
    assert_eq!(
        stored_id(&skel.maps.by_index, 2),
        Some(declared.info().unwrap().id)
    );
    assert_eq!(stored_id(&skel.maps.by_index, 1), None);
    declared.insert(&0, &5, MapFlags::Any).unwrap();
    pull(1);
    assert_eq!(skel.bss.seen_by_index.get().unwrap(), 5);
    assert_eq!(skel.bss.seen_by_key.get().unwrap(), 0);
}

/// The program sees what is stored at each moment.
fn stored() {
    let skel = load();
    holds(&skel.object, &[]);
    let key = 2u32.to_ne_bytes();
    skel.maps.by_index.delete(&key).unwrap();
    pull(1);
    assert_eq!(skel.bss.seen_by_index.get().unwrap(), 0);
    let (first, second) = (inner(10), inner(20));
    for (outer, seen) in [
        (&skel.maps.by_index, &skel.bss.seen_by_index),
        (&skel.maps.by_key, &skel.bss.seen_by_key),
    ] {
        outer.update_map(&key, &first, MapFlags::Any).unwrap();
        assert_eq!(stored_id(outer, 2), Some(first.info().unwrap().id));
        pull(1);
        assert_eq!(seen.get().unwrap(), 10);
        // The map itself is in there, not its contents at that moment.
        first.insert(&0, &11, MapFlags::Any).unwrap();
        pull(1);
        assert_eq!(seen.get().unwrap(), 11);
        first.insert(&0, &10, MapFlags::Any).unwrap();
        outer.update_map(&key, &second, MapFlags::Any).unwrap();
        pull(1);
        assert_eq!(seen.get().unwrap(), 20);
        // Its own handle may go: the outer map keeps it.
        let third = inner(30);
        outer.update_map(&key, &third, MapFlags::Any).unwrap();
        drop(third);
        pull(1);
        assert_eq!(seen.get().unwrap(), 30);
        outer.delete(&key).unwrap();
        pull(1);
        assert_eq!(seen.get().unwrap(), 0);
    }
}

/// Outside of objects: as many maps as there is room for, walked and emptied.
fn created() {
    let inner = inner(1);
    let outer = MapHandle::create_of_maps(MapType::HashOfMaps, "outer", 4, 8, 0, &inner).unwrap();
    let info = outer.info().unwrap();
    assert!(matches!(info.type_, MapType::HashOfMaps));
    assert_eq!((info.key_size, info.value_length), (4, 4));
    assert_eq!(info.max_entries, 8);
    let put = |key: u32, flags| outer.update_map(&key.to_ne_bytes(), &inner, flags);
    assert_fails!(put(0, MapFlags::Exist), ErrorKind::NotFound, "outer");
    for key in 0..8 {
        put(key, MapFlags::NoExist).unwrap();
    }
    assert_fails!(put(9, MapFlags::Any), ErrorKind::Full, "outer");
    assert_fails!(put(0, MapFlags::NoExist), ErrorKind::AlreadyExists, "outer");
    put(0, MapFlags::Exist).unwrap();
    let id = inner.info().unwrap().id.to_ne_bytes().to_vec();
    assert!(outer.iter().all(|entry| entry.unwrap().1 == id));
    assert_eq!(outer.iter().count(), 8);
    assert_eq!(outer.drain().count(), 8);
    assert_eq!(outer.iter().count(), 0);
}

/// Without the flag the numbers of entries must be the same, with it they need not.
fn sizes_may_differ() {
    const INNER_MAP: u32 = 1 << 12;
    let array =
        |entries, flags| MapHandle::create(MapType::Array, "inner", 4, 8, entries, flags).unwrap();
    let outer = |inner: &MapHandle| {
        MapHandle::create_of_maps(MapType::ArrayOfMaps, "outer", 4, 2, 0, inner).unwrap()
    };
    let free = outer(&array(4, INNER_MAP));
    free.update_map(&[0; 4], &array(100, INNER_MAP), MapFlags::Any)
        .unwrap();
    let fixed = outer(&array(4, 0));
    fixed
        .update_map(&[0; 4], &array(4, 0), MapFlags::Any)
        .unwrap();
    assert_fails!(
        fixed.update_map(&[0; 4], &array(100, 0), MapFlags::Any),
        ErrorKind::InvalidArgument,
        "outer"
    );
}

/// Each is refused by its own error, and stores nothing.
fn wrong() {
    let skel = load();
    let (by_index, by_key) = (&skel.maps.by_index, &skel.maps.by_key);
    let key = [0; 4];
    let good = inner(1);
    let other = MapHandle::create(MapType::Hash, "other", 4, 8, 4, 0).unwrap();
    assert_fails!(
        by_index.update_map(&key, &other, MapFlags::Any),
        ErrorKind::InvalidArgument,
        "by_index"
    );
    assert_fails!(
        by_index.update_map(&[0; 3], &good, MapFlags::Any),
        ErrorKind::WrongSize,
        "by_index"
    );
    // An index past the end.
    assert_fails!(
        by_index.update_map(&4u32.to_ne_bytes(), &good, MapFlags::Any),
        ErrorKind::Full,
        "by_index"
    );
    assert_fails!(
        other.update_map(&key, &good, MapFlags::Any),
        ErrorKind::NotSupported,
        "other"
    );
    // No number becomes a map: it would be a descriptor of the host.
    for number in 0..16u32 {
        assert_fails!(
            by_key.update(&key, &number.to_ne_bytes(), MapFlags::Any),
            ErrorKind::NotSupported
        );
    }
    assert_eq!(stored_id(by_index, 0), None);
    assert_eq!(stored_id(by_key, 0), None);
    let create =
        |kind, inner: &dyn MapCore| MapHandle::create_of_maps(kind, "outer", 4, 4, 0, inner);
    assert_fails!(
        create(MapType::Hash, &good),
        ErrorKind::InvalidArgument,
        "outer"
    );
    // No maps of maps of maps.
    assert_fails!(
        create(MapType::HashOfMaps, by_key),
        ErrorKind::InvalidArgument,
        "outer"
    );
    // Without a template.
    assert_fails!(
        MapHandle::create(MapType::HashOfMaps, "outer", 4, 4, 4, 0),
        ErrorKind::NotSupported,
        "outer"
    );
}

/// The outer map and two stored ones leave room for one: what is stored counts like what has a handle.
fn limit() {
    let template = inner(0);
    let outer =
        MapHandle::create_of_maps(MapType::ArrayOfMaps, "outer", 4, 8, 0, &template).unwrap();
    let store = |key: u32| {
        let map = MapHandle::create(MapType::Array, "inner", 4, 8, 4, 0)?;
        outer.update_map(&key.to_ne_bytes(), &map, MapFlags::Any)
    };
    store(0).unwrap();
    store(1).unwrap();
    assert_fails!(store(2), ErrorKind::LimitExceeded, "maps");
    // In place of another there is room, once the other is gone.
    outer.delete(&0u32.to_ne_bytes()).unwrap();
    store(0).unwrap();
    assert_fails!(store(0), ErrorKind::LimitExceeded, "maps");
    drop(outer);
    let _three = [inner(0), inner(0), inner(0)];
    assert_fails!(
        MapHandle::create(MapType::Array, "inner", 4, 8, 4, 0),
        ErrorKind::LimitExceeded,
        "maps"
    );
}
