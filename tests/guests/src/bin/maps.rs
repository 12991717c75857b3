//! Maps: keys and values, and what is refused.

use std::collections::BTreeSet;

use test_guests::raw::{maps, types};
use test_guests::{assert_fails, case, no_such_case, say};
use wasm_bpf_guest::{ErrorKind, MapCore as _, MapFlags, MapHandle, MapType, Object};

wasm_bpf_guest::include_skeleton!("calls");

fn main() {
    let (case, args) = case();
    match case.as_str() {
        "all-keys" => all_keys(),
        "pages" => pages(),
        "keys-while-deleting" => keys_while_deleting(),
        "values" => values(),
        "update-modes" => update_modes(),
        "take" => take(),
        "sizes" => sizes(),
        "per-cpu" => per_cpu(args[0].parse().unwrap()),
        "full" => full(),
        "kernel-objects" => kernel_objects(),
        "no-keys" => no_keys(),
        "refused" => refused(),
        "too-large" => too_large(),
        "larger-than-the-kernel-takes" => larger_than_the_kernel_takes(),
        "limits" => limits(),
        _ => no_such_case(&case),
    }
}

fn map(kind: MapType, key: u32, value: u32, entries: u32) -> MapHandle {
    MapHandle::create(kind, "tested", key, value, entries, 0).unwrap()
}

fn filled(count: u32) -> MapHandle {
    let map = map(MapType::Hash, 4, 4, count.max(1));
    for key in 0..count {
        let key = key.to_ne_bytes();
        map.update(&key, &key, MapFlags::NoExist).unwrap();
    }
    map
}

fn number(key: &[u8]) -> u32 {
    u32::from_ne_bytes(key.try_into().unwrap())
}

fn all_keys() {
    for count in [0, 1, 2, 4096, 10_000] {
        let map = filled(count);
        let keys = map.keys().map(|key| number(&key.unwrap()));
        let mut keys = keys.collect::<Vec<_>>();
        // Nobody changes it: no key comes twice.
        assert_eq!(keys.len(), count as usize);
        keys.sort();
        assert!(keys.into_iter().eq(0..count));
        // One by one.
        let mut walked = 0;
        let mut after = None;
        while let Some(key) = map.next_key(after.as_deref()).unwrap() {
            walked += 1;
            after = Some(key);
        }
        assert_eq!(walked, count);
    }
    let array = map(MapType::Array, 4, 8, 5);
    let keys = array.keys().map(|key| number(&key.unwrap()));
    assert_eq!(keys.collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

fn raw_map(kind: MapType, key: u32, value: u32, entries: u32) -> maps::Map {
    let kind = match kind {
        MapType::Hash => types::MapType::Hash,
        MapType::Array => types::MapType::Array,
        _ => unreachable!("not used here"),
    };
    maps::Map::create("tested", kind, key, value, entries, 0).unwrap()
}

/// Pages of the interface itself: the guest crate chooses their size.
fn pages() {
    let map = raw_map(MapType::Hash, 4, 4, 1000);
    assert!(map.keys(None, 7).unwrap().is_empty());
    for key in 0..1000u32 {
        let key = key.to_ne_bytes();
        map.update(&key, &key, maps::UpdateMode::Any).unwrap();
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
        for key in page.chunks_exact(4) {
            assert!(keys.insert(number(key)), "a key came twice");
        }
    }
    assert!(keys.into_iter().eq(0..1000));
    assert_eq!(map.keys(None, u32::MAX).unwrap().len(), 4000);
    assert!(matches!(
        map.keys(None, 0),
        Err(types::ErrorCode::InvalidArgument)
    ));
    assert!(matches!(
        map.keys(Some(&[0; 3]), 7),
        Err(types::ErrorCode::WrongSize)
    ));
}

fn keys_while_deleting() {
    // Every second key is deleted before, while and after the walk comes to it.
    let map = filled(10_000);
    let mut seen = BTreeSet::new();
    for key in map.keys() {
        let key = number(&key.unwrap());
        seen.insert(key);
        for deleted in [key, key.wrapping_mul(7) % 10_000] {
            if deleted % 2 == 1 {
                // Some were deleted before.
                let _ = map.delete(&deleted.to_ne_bytes());
            }
        }
    }
    let missed = (0..10_000).step_by(2).find(|key| !seen.contains(key));
    assert_eq!(missed, None, "a key that was there all the time is missing");
    // Each key is deleted as soon as it comes.
    let map = filled(10_000);
    let mut count = 0;
    for key in map.keys() {
        map.delete(&key.unwrap()).unwrap();
        count += 1;
    }
    assert_eq!(count, 10_000);
    assert!(map.next_key(None).unwrap().is_none());
    // And each comes back at once: the walk ends all the same.
    let map = filled(1000);
    for key in map.keys() {
        let key = key.unwrap();
        map.delete(&key).unwrap();
        map.update(&key, &key, MapFlags::Any).unwrap();
    }
}

fn values() {
    let map = map(MapType::Hash, 2, 3, 4);
    assert!(map.lookup(&[1, 2]).unwrap().is_none());
    map.update(&[1, 2], &[3, 4, 5], MapFlags::Any).unwrap();
    assert_eq!(map.lookup(&[1, 2]).unwrap().unwrap(), [3, 4, 5]);
    map.update(&[1, 2], &[6, 7, 8], MapFlags::Any).unwrap();
    assert_eq!(map.lookup(&[1, 2]).unwrap().unwrap(), [6, 7, 8]);
    map.delete(&[1, 2]).unwrap();
    assert!(map.lookup(&[1, 2]).unwrap().is_none());
    assert_fails!(map.delete(&[1, 2]), ErrorKind::NotFound, "`tested`");
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

fn update_modes() {
    let map = map(MapType::Hash, 4, 4, 4);
    let (key, old, new) = ([1; 4], [2; 4], [3; 4]);
    assert_fails!(
        map.update(&key, &old, MapFlags::Exist),
        ErrorKind::NotFound,
        "`tested`"
    );
    map.update(&key, &old, MapFlags::NoExist).unwrap();
    assert_fails!(
        map.update(&key, &new, MapFlags::NoExist),
        ErrorKind::AlreadyExists,
        "`tested`"
    );
    assert_eq!(map.lookup(&key).unwrap().unwrap(), old);
    map.update(&key, &new, MapFlags::Exist).unwrap();
    assert_eq!(map.lookup(&key).unwrap().unwrap(), new);
}

fn take() {
    let map = map(MapType::Hash, 4, 4, 4);
    assert!(map.lookup_and_delete(&[1; 4]).unwrap().is_none());
    map.update(&[1; 4], &[2; 4], MapFlags::Any).unwrap();
    assert_eq!(map.lookup_and_delete(&[1; 4]).unwrap().unwrap(), [2; 4]);
    assert!(map.lookup(&[1; 4]).unwrap().is_none());
    let array = self::map(MapType::Array, 4, 4, 4);
    assert_fails!(
        array.lookup_and_delete(&[0; 4]),
        ErrorKind::NotSupported,
        "`tested`"
    );
    assert_fails!(array.delete(&[0; 4]), ErrorKind::InvalidArgument);
}

fn sizes() {
    let map = map(MapType::Hash, 4, 8, 4);
    for wrong in [0, 3, 5, 4096] {
        let key = vec![0; wrong];
        let size = format!("the key has {wrong} bytes, the map's have 4");
        let size = size.as_str();
        assert_fails!(map.lookup(&key), ErrorKind::WrongSize, "`tested`", size);
        assert_fails!(
            map.update(&key, &[0; 8], MapFlags::Any),
            ErrorKind::WrongSize,
            size
        );
        assert_fails!(map.delete(&key), ErrorKind::WrongSize, size);
        assert_fails!(map.lookup_and_delete(&key), ErrorKind::WrongSize, size);
        assert_fails!(map.next_key(Some(&key)), ErrorKind::WrongSize, size);
    }
    for wrong in [0, 7, 9, 4096] {
        let size = format!("the value has {wrong} bytes, the map takes 8");
        assert_fails!(
            map.update(&[0; 4], &vec![0; wrong], MapFlags::Any),
            ErrorKind::WrongSize,
            "`tested`",
            size.as_str()
        );
    }
    assert!(map.next_key(None).unwrap().is_none(), "nothing came in");
}

fn per_cpu(cpus: usize) {
    for kind in [MapType::PercpuHash, MapType::PercpuArray] {
        let map = map(kind, 4, 5, 2);
        let info = map.info().unwrap();
        assert_eq!(info.value_size, 5);
        assert_eq!(info.value_length as usize, cpus * 8);
        let values = (0..cpus).map(|cpu| vec![cpu as u8 + 1; 5]);
        let values = values.collect::<Vec<_>>();
        map.update_percpu(&[0; 4], &values, MapFlags::Any).unwrap();
        assert_eq!(map.lookup_percpu(&[0; 4]).unwrap().unwrap(), values);
        let packed = map.lookup(&[0; 4]).unwrap().unwrap();
        assert_eq!(packed.len(), cpus * 8);
        for (slot, value) in packed.chunks_exact(8).zip(&values) {
            assert_eq!(&slot[..5], value.as_slice());
        }
        // One value is not enough, whatever its length.
        assert_fails!(
            map.update(&[0; 4], &[0; 5], MapFlags::Any),
            ErrorKind::WrongSize,
            "the value has 5 bytes"
        );
        assert_fails!(
            map.update_percpu(&[0; 4], &vec![[0; 5]; cpus + 1], MapFlags::Any),
            ErrorKind::WrongSize
        );
        assert_fails!(
            map.update_percpu(&[0; 4], &vec![[0; 4]; cpus], MapFlags::Any),
            ErrorKind::WrongSize
        );
        assert!(
            matches!(kind, MapType::PercpuArray) == map.lookup(&[1, 0, 0, 0]).unwrap().is_some()
        );
    }
}

fn full() {
    let map = filled(3);
    assert_fails!(
        map.update(&[9; 4], &[0; 4], MapFlags::Any),
        ErrorKind::Full,
        "`tested`",
        "full"
    );
    map.delete(&0u32.to_ne_bytes()).unwrap();
    map.update(&[9; 4], &[0; 4], MapFlags::Any).unwrap();
    // An array is full from the start, and has no more keys.
    let array = self::map(MapType::Array, 4, 4, 3);
    assert_fails!(
        array.update(&3u32.to_ne_bytes(), &[0; 4], MapFlags::Any),
        ErrorKind::Full
    );
    assert!(array.lookup(&3u32.to_ne_bytes()).unwrap().is_none());
}

/// A number that a component writes must not become a descriptor of the host.
fn kernel_objects() {
    for kind in [
        MapType::ProgArray,
        MapType::PerfEventArray,
        MapType::CgroupArray,
    ] {
        let map = map(kind, 4, 4, 4);
        for number in 0..16u32 {
            assert_fails!(
                map.update(&[0; 4], &number.to_ne_bytes(), MapFlags::Any),
                ErrorKind::NotSupported,
                "`tested`"
            );
        }
    }
}

fn no_keys() {
    let queue = map(MapType::Queue, 0, 4, 4);
    // What has no key is not there under one.
    assert_fails!(queue.lookup(&[0; 4]), ErrorKind::NotSupported);
    assert_fails!(
        queue.update(&[0; 4], &[0; 4], MapFlags::Any),
        ErrorKind::NotSupported
    );
    assert_fails!(queue.next_key(None), ErrorKind::NotSupported);
    assert!(queue.keys().next().unwrap().is_err());
    let ring = map(MapType::Ringbuf, 0, 0, 4096);
    assert_fails!(ring.lookup(&[]), ErrorKind::NotSupported);
    assert_fails!(ring.delete(&[]), ErrorKind::NotSupported);
}

fn refused() {
    let create = |kind, name: &str, flags| MapHandle::create(kind, name, 4, 4, 1, flags);
    // BPF_F_NUMA_NODE, BPF_F_RDONLY, BPF_F_PRESERVE_ELEMS, and one that no kernel has.
    for flags in [4, 8, 1 << 11, 1 << 31] {
        let shown = format!("{flags:#x}");
        assert_fails!(
            create(MapType::Hash, "tested", flags),
            ErrorKind::InvalidArgument,
            "`tested`",
            shown.as_str()
        );
    }
    // BPF_F_NO_PREALLOC is one that hash maps take, and arrays do not.
    create(MapType::Hash, "tested", 1).unwrap();
    assert_fails!(
        create(MapType::Array, "tested", 1),
        ErrorKind::InvalidArgument,
        "`tested`"
    );
    for name in ["sixteen_letters_", "a b", "a-b", "a/b", "é", "a\0b"] {
        assert_fails!(
            create(MapType::Hash, name, 0),
            ErrorKind::InvalidArgument,
            "15"
        );
    }
    for name in ["", "fifteen_letters", "a.b_C9"] {
        create(MapType::Hash, name, 0).unwrap();
    }
    for kind in [
        MapType::ArrayOfMaps,
        MapType::HashOfMaps,
        MapType::StructOps,
        MapType::TaskStorage,
    ] {
        assert_fails!(create(kind, "tested", 0), ErrorKind::NotSupported);
    }
    assert_fails!(
        MapHandle::create(MapType::Hash, "tested", 0, 4, 1, 0),
        ErrorKind::InvalidArgument,
        "`tested`"
    );
    let error = assert_fails!(
        create(MapType::Devmap, "tested", 0),
        ErrorKind::NotGranted,
        "--allow xdp="
    );
    assert_eq!(error.errno(), None, "the host refused, not the kernel");
    assert_fails!(
        create(MapType::Other(4711), "tested", 0),
        ErrorKind::NotGranted,
        "--allow map-type=4711"
    );
}

fn too_large() {
    let error = assert_fails!(
        MapHandle::create(MapType::Array, "tested", 4, 1 << 20, 1 << 20, 0),
        ErrorKind::LimitExceeded,
        "`tested`",
        "map-memory",
        "--limit map-memory="
    );
    assert_eq!(error.errno(), None);
    // The sizes must not wrap around to something small.
    for kind in [MapType::Array, MapType::Hash, MapType::PercpuHash] {
        assert_fails!(
            MapHandle::create(kind, "tested", u32::MAX, u32::MAX, u32::MAX, 0),
            ErrorKind::LimitExceeded,
            "map-memory"
        );
    }
    let error = assert_fails!(
        load_with_large_count(),
        ErrorKind::LimitExceeded,
        "map-memory",
        "`count`"
    );
    assert_eq!(error.errno(), None);
    // What was refused takes nothing of the limit.
    let most = MapHandle::create(MapType::Array, "tested", 4, 1 << 20, 500, 1 << 10).unwrap();
    assert_fails!(
        MapHandle::create(MapType::Array, "tested", 4, 1 << 20, 500, 1 << 10),
        ErrorKind::LimitExceeded
    );
    drop(most);
    MapHandle::create(MapType::Array, "tested", 4, 1 << 20, 500, 1 << 10).unwrap();
}

/// More than any machine has: the kernel cannot but refuse.
fn load_with_large_count() -> wasm_bpf_guest::Result<Object> {
    let open = calls::CallsSkelBuilder::new().open()?.open;
    let count = open.map("count")?;
    count.set_value_size(1 << 24)?;
    count.set_max_entries(u32::MAX)?;
    open.load()
}

/// With a limit that lets everything through.
fn larger_than_the_kernel_takes() {
    let create = |kind, entries| MapHandle::create(kind, "tested", 4, 1 << 24, entries, 0);
    let error = refused_by_the_kernel(create(MapType::Array, u32::MAX));
    assert!(error.to_string().contains("`tested`"), "{error}");
    // Not even one entry of this size.
    let error = refused_by_the_kernel(create(MapType::Hash, 1));
    assert!(error.to_string().contains("`tested`"), "{error}");
    let error = refused_by_the_kernel(load_with_large_count());
    assert_eq!(error.subject(), Some("count"));
    for part in ["`count`", "entries 4294967295", "too large"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    say(error);
}

/// With ENOMEM or E2BIG. No map is there yet, so none is full.
fn refused_by_the_kernel<T>(result: wasm_bpf_guest::Result<T>) -> wasm_bpf_guest::Error {
    let error = test_guests::failure(result);
    assert!(
        matches!(error.errno(), Some(7 | 12)),
        "{:?} {error}",
        error.errno()
    );
    assert!(
        matches!(
            error.kind(),
            ErrorKind::OutOfMemory | ErrorKind::InvalidArgument
        ),
        "{:?} {error}",
        error.kind()
    );
    error
}

/// Run with `--limit maps=2`.
fn limits() {
    let first = map(MapType::Hash, 4, 4, 1);
    let _second = map(MapType::Hash, 4, 4, 1);
    assert_fails!(
        MapHandle::create(MapType::Hash, "third", 4, 4, 1, 0),
        ErrorKind::LimitExceeded,
        "maps=2",
        "`third`"
    );
    drop(first);
    MapHandle::create(MapType::Hash, "third", 4, 4, 1, 0).unwrap();
}
