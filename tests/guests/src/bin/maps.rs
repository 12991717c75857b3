//! Maps: the words for what is refused, and what the guest crate makes of them. What they do is in the conformance suite.

use test_guests::{assert_fails, case, no_such_case, say};
use wasm_bpf_guest::{
    BloomFilter, ErrorKind, MapCore as _, MapFlags, MapHandle, MapType, Object, PerCpuMap, Queue,
    TypedMap,
};

wasm_bpf_guest::include_skeleton!("calls");

fn main() {
    let (case, _) = case();
    match case.as_str() {
        "sizes" => sizes(),
        "refused" => refused(),
        "too-large" => too_large(),
        "larger-than-the-kernel-takes" => larger_than_the_kernel_takes(),
        "limits" => limits(),
        "typed" => typed(),
        "typed-per-cpu" => typed_per_cpu(),
        "typed-many" => typed_many(),
        "without-keys" => without_keys(),
        "batches" => batches(),
        _ => no_such_case(&case),
    }
}

fn map(kind: MapType, key: u32, value: u32, entries: u32) -> MapHandle {
    MapHandle::create(kind, "tested", key, value, entries, 0).unwrap()
}

fn sizes() {
    let map = map(MapType::Hash, 4, 8, 4);
    for length in [0, 3, 5] {
        let key = vec![0; length];
        let size = format!("the key has {length} bytes, the map's have 4");
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
    for length in [0, 7, 9] {
        let value = vec![0; length];
        let size = format!("the value has {length} bytes, the map takes 8");
        let size = size.as_str();
        let result = map.update(&[0; 4], &value, MapFlags::Any);
        assert_fails!(result, ErrorKind::WrongSize, "`tested`", size);
    }
}

fn refused() {
    let create = |kind, name: &str, flags| MapHandle::create(kind, name, 4, 4, 1, flags);
    let result = create(MapType::Hash, "tested", 1 << 31 | 1);
    assert_fails!(result, ErrorKind::InvalidArgument, "`tested`", "0x80000000");
    let result = create(MapType::Hash, "sixteen_letters_", 0);
    assert_fails!(
        result,
        ErrorKind::InvalidArgument,
        "`sixteen_letters_`",
        "at most 15"
    );
    let result = create(MapType::TaskStorage, "tested", 0);
    assert_fails!(result, ErrorKind::NotSupported, "declare it in an object");
    let result = create(MapType::HashOfMaps, "tested", 0);
    assert_fails!(result, ErrorKind::NotSupported, "set-inner-map");
    let result = create(MapType::Devmap, "tested", 0);
    assert_fails!(result, ErrorKind::NotGranted, "--allow xdp=");
    let result = create(MapType::Other(4711), "tested", 0);
    assert_fails!(result, ErrorKind::NotGranted, "--allow map-type=4711");
}

/// With the limit that there is when nobody sets one.
fn too_large() {
    let result = MapHandle::create(MapType::Array, "tested", 4, 1 << 20, 1 << 20, 0);
    assert_fails!(
        result,
        ErrorKind::LimitExceeded,
        "`tested`",
        "--limit map-memory="
    );
    assert_fails!(
        load_with_large_count(),
        ErrorKind::LimitExceeded,
        "map-memory",
        "`count`"
    );
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
    let error = test_guests::failure(load_with_large_count());
    // ENOMEM or E2BIG.
    assert!(matches!(error.errno(), Some(7 | 12)), "{error}");
    assert_eq!(error.subject(), Some("count"));
    for part in ["`count`", "entries 4294967295", "too large"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    say(error);
}

/// Run with `--limit maps=1`.
fn limits() {
    let _first = map(MapType::Hash, 4, 4, 1);
    let result = MapHandle::create(MapType::Hash, "second", 4, 4, 1, 0);
    assert_fails!(result, ErrorKind::LimitExceeded, "maps=1", "`second`");
}

fn typed() {
    let map: TypedMap<u16, [u8; 5], _> = TypedMap::new(self::map(MapType::Hash, 2, 5, 4)).unwrap();
    assert_eq!(map.get(&1).unwrap(), None);
    map.insert(&1, b"hello", MapFlags::Any).unwrap();
    assert_eq!(map.get(&1).unwrap(), Some(*b"hello"));
    let result = map.insert(&1, b"other", MapFlags::NoExist);
    assert_fails!(result, ErrorKind::AlreadyExists);
    assert_eq!(map.get_many(&[0, 1]).unwrap(), [None, Some(*b"hello")]);
    assert_eq!(map.take(&1).unwrap(), Some(*b"hello"));
    assert!(!map.remove(&1).unwrap());
    // Numbers cross in another way.
    let numbers: TypedMap<u32, u64, _> = TypedMap::new(self::map(MapType::Hash, 4, 8, 4)).unwrap();
    numbers.insert(&3, &u64::MAX, MapFlags::NoExist).unwrap();
    let result = numbers.insert(&3, &0, MapFlags::NoExist);
    assert_fails!(result, ErrorKind::AlreadyExists, "`tested`");
    assert_eq!(numbers.get(&3).unwrap(), Some(u64::MAX));
    let entries = numbers.iter().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(entries, [(3, u64::MAX)]);
    assert!(numbers.remove(&3).unwrap());
    let result = TypedMap::<u64, u64, _>::new(MapHandle::try_from(&numbers).unwrap());
    assert_fails!(result, ErrorKind::WrongSize, "keys of 4", "`tested`");
}

fn typed_per_cpu() {
    let map: PerCpuMap<u32, [u32; 3], _> =
        PerCpuMap::new(self::map(MapType::PercpuHash, 4, 12, 4)).unwrap();
    let cpus = map.info().unwrap().value_length as usize / 16;
    let values = (0..cpus as u32).map(|cpu| [cpu, 7, u32::MAX]);
    let values = values.collect::<Vec<_>>();
    map.insert(&2, &values.clone().into(), MapFlags::Any)
        .unwrap();
    assert_eq!(*map.get(&2).unwrap().unwrap(), *values);
    let bytes = map.lookup_percpu(&2u32.to_ne_bytes()).unwrap().unwrap();
    assert_eq!(bytes.len(), cpus);
    assert!(bytes.iter().all(|value| value.len() == 12));
    map.update_percpu(&3u32.to_ne_bytes(), &bytes, MapFlags::NoExist)
        .unwrap();
    assert_eq!(*map.get(&3).unwrap().unwrap(), *values);
    let many = map.get_many(&[2, 9]).unwrap();
    let many = (many[0].as_deref(), many[1].is_none());
    assert_eq!(many, (Some(&*values), true));
    let taken = map.drain().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(taken.len(), 2);
    assert!(taken.iter().all(|(_, taken)| **taken == *values));
    let result = map.insert(&2, &values[1..].to_vec().into(), MapFlags::Any);
    assert_fails!(result, ErrorKind::WrongSize, "`tested`");
    let result = map.update_percpu(&[0; 4], &vec![[0; 12]; cpus + 1], MapFlags::Any);
    assert_fails!(result, ErrorKind::WrongSize, "the map takes");
    let result = map.update_percpu(&[0; 4], &vec![[0; 4]; cpus], MapFlags::Any);
    assert_fails!(result, ErrorKind::WrongSize, "the map's have 12");
    // Types of another size, and maps with one value for all CPUs.
    let array = self::map(MapType::PercpuArray, 4, 12, 1);
    let result = PerCpuMap::<u32, u64, _>::new(array.clone());
    assert_fails!(result, ErrorKind::WrongSize, "`tested`", "12");
    assert_fails!(
        TypedMap::<u32, [u32; 3], _>::new(array),
        ErrorKind::WrongSize,
        "PerCpuMap"
    );
    let hash = self::map(MapType::Hash, 4, 8, 1);
    assert_fails!(
        PerCpuMap::<u32, u64, _>::new(hash),
        ErrorKind::WrongSize,
        "TypedMap"
    );
}

fn typed_many() {
    // More than the crate gives to the host in one call.
    let map: TypedMap<u32, u64, _> =
        TypedMap::new(self::map(MapType::Hash, 4, 8, 150_000)).unwrap();
    let keys = (0..150_000).collect::<Vec<u32>>();
    let values = keys.iter().map(|key| u64::from(*key) * 3);
    let values = values.collect::<Vec<_>>();
    map.insert_many(&keys, &values, MapFlags::NoExist).unwrap();
    let found = map.get_many(&keys).unwrap();
    assert!(found.into_iter().eq(values.iter().copied().map(Some)));
    assert_eq!(map.iter().count(), 150_000);
    assert_eq!(map.remove_many(&keys[1..]).unwrap(), 149_999);
    assert_eq!(map.remove_many(&keys).unwrap(), 1);
    // How far it came is told.
    let result = map.insert_many(&keys, &values[1..], MapFlags::Any);
    assert_fails!(result, ErrorKind::WrongSize, "`tested`");
    map.insert(&50, &0, MapFlags::Any).unwrap();
    let result = map.insert_many(&keys, &values, MapFlags::NoExist);
    assert_fails!(result, ErrorKind::AlreadyExists, "50 entries were stored");
    let result = map.insert_many(&[0, 1, 90, 2], &[2; 4], MapFlags::Exist);
    assert_fails!(result, ErrorKind::NotFound, "2 entries were stored");
    let array: TypedMap<u32, u64, _> = TypedMap::new(self::map(MapType::Array, 4, 8, 1)).unwrap();
    assert_fails!(
        array.remove_many(&[0]),
        ErrorKind::InvalidArgument,
        "0 were"
    );
}

fn without_keys() {
    for (kind, is_queue) in [(MapType::Queue, true), (MapType::Stack, false)] {
        let queue: Queue<u32, _> = Queue::new(map(kind, 0, 4, 3)).unwrap();
        assert_eq!((queue.peek().unwrap(), queue.pop().unwrap()), (None, None));
        for value in 1..=3 {
            queue.push(&value).unwrap();
        }
        assert_fails!(queue.push(&4), ErrorKind::Full, "`tested`");
        queue.push_dropping_oldest(&4).unwrap();
        let expected = if is_queue { [2, 3, 4] } else { [4, 3, 2] };
        for value in expected {
            assert_eq!(queue.peek().unwrap(), Some(value));
            assert_eq!(queue.pop().unwrap(), Some(value));
        }
        // As with libbpf-rs: without a key.
        let map = MapHandle::try_from(&queue).unwrap();
        map.update(&[], &[9, 0, 0, 0], MapFlags::Any).unwrap();
        assert_eq!(map.lookup(&[]).unwrap().unwrap(), [9, 0, 0, 0]);
        assert_eq!(map.lookup_and_delete(&[]).unwrap().unwrap(), [9, 0, 0, 0]);
        assert_fails!(map.lookup(&[1]), ErrorKind::NotSupported);
        assert!(map.keys().next().unwrap().is_err());
        assert!(map.iter().next().unwrap().is_err());
        assert_fails!(Queue::<u64, _>::new(map), ErrorKind::WrongSize);
    }
    let filter = map(MapType::BloomFilter, 0, 8, 1000);
    let filter: BloomFilter<u64, _> = BloomFilter::new(filter).unwrap();
    filter.insert(&7).unwrap();
    assert!(filter.contains(&7).unwrap());
    let map = MapHandle::try_from(&filter).unwrap();
    assert!(map.lookup_bloom_filter(&7u64.to_ne_bytes()).unwrap());
    let result = map.update(&[], &[0; 8], MapFlags::Exist);
    assert_fails!(result, ErrorKind::InvalidArgument);
}

/// With the names of libbpf-rs.
fn batches() {
    let map = self::map(MapType::Hash, 4, 8, 100);
    let keys = (0..100u32).flat_map(u32::to_ne_bytes).collect::<Vec<_>>();
    let any = MapFlags::Any;
    map.update_batch(&keys, &[1; 800], 100, any, any).unwrap();
    let walk = map.lookup_batch(7, any, any).unwrap();
    assert_eq!(walk.map(Result::unwrap).count(), 100);
    map.delete_batch(&keys[..40], 10, any, any).unwrap();
    let walk = map.lookup_and_delete_batch(7, any, any).unwrap();
    assert_eq!(walk.map(Result::unwrap).count(), 90);
    assert!(map.iter().next().is_none());
    assert_fails!(
        map.delete_batch(&[1, 0, 0], 1, any, any),
        ErrorKind::WrongSize,
        "`tested`"
    );
    let result = map.lookup_batch(1, MapFlags::Exist, any);
    assert_fails!(result, ErrorKind::InvalidArgument);
    let mut none = map.lookup_batch(0, any, any).unwrap();
    assert_fails!(none.next().unwrap(), ErrorKind::InvalidArgument);
}
