//! Many keys in one call, walks, per-CPU values, queues, stacks and bloom filters.

use std::collections::{BTreeMap, BTreeSet};

use test_guests::raw::{maps, types};
use test_guests::{assert_fails, case, hear, no_such_case, say, trigger};
use wasm_bpf_guest::{
    BloomFilter, ErrorKind, MapCore, MapFlags, MapHandle, MapType, PerCpuMap, Queue, TypedMap,
};

wasm_bpf_guest::include_skeleton!("churn");
use churn::types::twelve;
use churn::{ChurnSkel, ChurnSkelBuilder, OpenChurnSkel};

fn main() {
    let (case, args) = case();
    match case.as_str() {
        "all-entries" => all_entries(),
        "deleted" => deleted(),
        "under-change" => under_change(),
        "without-batches" => without_batches(),
        "many" => many(),
        "many-fails" => many_fails(),
        "hostile" => hostile(),
        "numbers" => numbers(),
        "per-cpu" => per_cpu(args[0].parse().unwrap()),
        "per-cpu-counts" => per_cpu_counts(),
        "queue" => queue(),
        "bloom" => bloom(),
        "typed" => typed(),
        "frozen" => frozen(),
        _ => no_such_case(&case),
    }
}

fn map(kind: MapType, key: u32, value: u32, entries: u32) -> MapHandle {
    MapHandle::create(kind, "tested", key, value, entries, 0).unwrap()
}

fn hash(entries: u32) -> TypedMap<u32, u64, MapHandle> {
    TypedMap::new(map(MapType::Hash, 4, 8, entries)).unwrap()
}

fn fill(map: &TypedMap<u32, u64, MapHandle>, count: u32) {
    let keys = (0..count).collect::<Vec<_>>();
    let values = keys
        .iter()
        .map(|key| u64::from(*key) * 3)
        .collect::<Vec<_>>();
    map.insert_many(&keys, &values, MapFlags::Any).unwrap();
}

/// Complete, and equal to what the walk over keys and single lookups give.
fn all_entries() {
    for count in [0, 1, 4095, 10_000] {
        let map = hash(count.max(1));
        fill(&map, count);
        let mut by_keys = BTreeMap::new();
        for key in map.keys() {
            let key = key.unwrap();
            let value = map.lookup(&key).unwrap().unwrap();
            by_keys.insert(key, value);
        }
        assert_eq!(by_keys.len(), count as usize);
        for at_once in [1, 3, 1000, 10_000, u32::MAX] {
            if at_once == 1 && count > 5000 {
                continue;
            }
            let walk = map.lookup_batch(at_once, MapFlags::Any, MapFlags::Any);
            let entries = walk.unwrap().map(|entry| entry.unwrap());
            let entries = entries.collect::<Vec<_>>();
            assert_eq!(entries.len(), count as usize, "no entry comes twice");
            assert_eq!(entries.into_iter().collect::<BTreeMap<_, _>>(), by_keys);
        }
        let typed = map
            .iter()
            .collect::<Result<BTreeMap<u32, u64>, _>>()
            .unwrap();
        assert!(
            typed
                .into_iter()
                .eq((0..count).map(|key| (key, u64::from(key) * 3)))
        );
    }
    // Arrays have batches of another make.
    let array: TypedMap<u32, u64, _> = TypedMap::new(map(MapType::Array, 4, 8, 10_000)).unwrap();
    array.insert(&9_999, &7, MapFlags::Any).unwrap();
    let entries = array.iter().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(entries.len(), 10_000);
    assert_eq!(entries.last(), Some(&(9_999, 7)));
    assert_fails!(
        map(MapType::Hash, 4, 4, 1)
            .lookup_batch(0, MapFlags::Any, MapFlags::Any)
            .unwrap()
            .next()
            .unwrap(),
        ErrorKind::InvalidArgument
    );
    assert_fails!(
        array.lookup_batch(1, MapFlags::Exist, MapFlags::Any),
        ErrorKind::InvalidArgument
    );
}

fn deleted() {
    let map = hash(10_000);
    fill(&map, 10_000);
    let taken = map.drain().collect::<Result<BTreeMap<_, _>, _>>().unwrap();
    assert!(
        taken
            .into_iter()
            .eq((0..10_000).map(|key| (key, u64::from(key) * 3)))
    );
    assert!(map.iter().next().is_none(), "all were deleted");
    // What the kernel cannot take out in batches is read and then deleted.
    let trie = MapHandle::create(MapType::LpmTrie, "trie", 8, 8, 100, 1).unwrap();
    let trie: TypedMap<[u32; 2], u64, _> = TypedMap::new(trie).unwrap();
    for key in 0..100u32 {
        trie.insert(&[32, key], &key.into(), MapFlags::Any).unwrap();
    }
    let taken = trie.drain().collect::<Result<BTreeMap<_, _>, _>>().unwrap();
    assert_eq!(taken.len(), 100);
    assert!(trie.iter().next().is_none());
    assert_fails!(
        self::map(MapType::Array, 4, 4, 4).drain().next().unwrap(),
        ErrorKind::InvalidArgument
    );
}

fn open() -> OpenChurnSkel {
    let mut open = ChurnSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open
}

fn load(open: OpenChurnSkel) -> ChurnSkel {
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    skel
}

const STAYING: u32 = 2000;

/// A thread of the test has the program insert and delete all the time.
fn under_change() {
    let open = open();
    open.progs.churn.set_autoload(true).unwrap();
    let skel = load(open);
    for key in 0..STAYING {
        skel.maps.busy.insert(&key, &1, MapFlags::Any).unwrap();
        let prefix = churn::types::prefix {
            length: 32,
            bits: key,
        };
        skel.maps.trie.insert(&prefix, &1, MapFlags::Any).unwrap();
    }
    say("ready");
    while skel.bss.turns.get().unwrap() == 0 {}
    let before = skel.bss.turns.get().unwrap();
    for _ in 0..20 {
        let mut seen = BTreeSet::new();
        let mut count = 0;
        for entry in skel.maps.busy.iter() {
            seen.insert(entry.unwrap().0);
            count += 1;
        }
        let missed = (0..STAYING).find(|key| !seen.contains(key));
        assert_eq!(
            missed, None,
            "an entry that was there all the time is missing"
        );
        assert_eq!(seen.len(), count, "in a hash table none comes twice");
        // From key to key: it ends.
        let count = skel.maps.trie.iter().count();
        assert!(count <= 20_000, "{count}");
    }
    // Taking out what others put in ends too.
    let taken = skel.maps.busy.drain().map(|entry| entry.unwrap().0);
    let taken = taken.collect::<BTreeSet<_>>();
    assert!((0..STAYING).all(|key| taken.contains(&key)));
    let count = skel.maps.trie.drain().count();
    assert!(count <= 20_000, "{count}");
    assert!(
        skel.bss.turns.get().unwrap() > before,
        "nothing was changed meanwhile"
    );
}

/// A kind of map that the kernel has no batches for: the host goes from key to key.
fn without_batches() {
    let stacks = MapHandle::create(MapType::StackTrace, "stacks", 4, 80, 16, 0).unwrap();
    assert!(stacks.iter().next().is_none());
    let array = MapHandle::create(MapType::ProgArray, "programs", 4, 4, 8192, 0).unwrap();
    assert!(array.iter().next().is_none());
    // Its keys are there, whether or not there is something.
    let keys = array
        .keys()
        .map(|key| u32::from_ne_bytes(key.unwrap().try_into().unwrap()));
    assert!(keys.eq(0..8192));
    for kind in [MapType::Queue, MapType::Stack, MapType::BloomFilter] {
        let map = map(kind, 0, 4, 4);
        assert_fails!(map.iter().next().unwrap(), ErrorKind::NotSupported);
        assert_fails!(map.drain().next().unwrap(), ErrorKind::NotSupported);
    }
}

fn many() {
    let map = hash(10_000);
    let keys = (0..10_000).collect::<Vec<u32>>();
    let values = keys
        .iter()
        .map(|key| u64::from(*key) << 32)
        .collect::<Vec<_>>();
    map.insert_many(&keys, &values, MapFlags::NoExist).unwrap();
    let found = map.get_many(&keys).unwrap();
    assert!(found.into_iter().eq(values.iter().copied().map(Some)));
    // Some are missing, in no order.
    let some = [9_999, 10_000, 0, 77_777, 5, 5];
    let expected = [
        Some(9_999 << 32),
        None,
        Some(0),
        None,
        Some(5 << 32),
        Some(5 << 32),
    ];
    assert_eq!(map.get_many(&some).unwrap(), expected);
    assert!(map.get_many(&[]).unwrap().is_empty());
    // What is missing is no failure, nor the end.
    assert_eq!(map.remove_many(&[1, 1, 20_000, 2, 3]).unwrap(), 3);
    assert_eq!(map.remove_many(&keys).unwrap(), 9_997);
    assert_eq!(map.remove_many(&keys).unwrap(), 0);
    assert!(map.iter().next().is_none());
    map.insert_many(&[], &[], MapFlags::Any).unwrap();
    // More than the host takes at once.
    let large = hash(150_000);
    fill(&large, 150_000);
    assert_eq!(large.iter().count(), 150_000);
    let keys = (0..150_000).collect::<Vec<u32>>();
    assert!(
        large
            .get_many(&keys)
            .unwrap()
            .into_iter()
            .all(|value| value.is_some())
    );
    assert_eq!(large.remove_many(&keys).unwrap(), 150_000);
    // With the names of libbpf-rs.
    map.update_batch(
        &[1, 0, 0, 0, 2, 0, 0, 0],
        &[0; 16],
        2,
        MapFlags::Any,
        MapFlags::Any,
    )
    .unwrap();
    map.delete_batch(&[1, 0, 0, 0, 2, 0, 0, 0], 2, MapFlags::Any, MapFlags::Any)
        .unwrap();
    assert_fails!(
        map.delete_batch(&[1, 0, 0], 1, MapFlags::Any, MapFlags::Any),
        ErrorKind::WrongSize,
        "`tested`"
    );
    // Per-CPU values are as long as the map says.
    let per_cpu = self::map(MapType::PercpuHash, 4, 8, 100);
    let length = per_cpu.info().unwrap().value_length as usize;
    let keys = (0..100u32).flat_map(u32::to_ne_bytes).collect::<Vec<_>>();
    per_cpu
        .update_batch(
            &keys,
            &vec![1; 100 * length],
            100,
            MapFlags::Any,
            MapFlags::Any,
        )
        .unwrap();
    assert_eq!(per_cpu.iter().count(), 100);
}

fn many_fails() {
    // Too many: those before the first that does not fit are stored.
    let map = hash(100);
    let keys = (0..200).collect::<Vec<u32>>();
    let values = vec![1; 200];
    assert_fails!(
        map.insert_many(&keys, &values, MapFlags::Any),
        ErrorKind::Full,
        "`tested`",
        "100 entries were stored"
    );
    assert_eq!(map.iter().count(), 100);
    let map = hash(200);
    map.insert(&50, &0, MapFlags::Any).unwrap();
    assert_fails!(
        map.insert_many(&keys, &values, MapFlags::NoExist),
        ErrorKind::AlreadyExists,
        "50 entries were stored"
    );
    assert_fails!(
        map.insert_many(&[0, 1, 90, 2], &[2; 4], MapFlags::Exist),
        ErrorKind::NotFound,
        "2 entries were stored"
    );
    assert_eq!(
        map.get_many(&[0, 1, 2]).unwrap(),
        [Some(2), Some(2), Some(1)]
    );
    assert_fails!(
        map.insert_many(&keys, &values[1..], MapFlags::Any),
        ErrorKind::WrongSize,
        "`tested`"
    );
    // An array: an index past the end stops it there, and nothing is deleted.
    let array: TypedMap<u32, u64, _> = TypedMap::new(self::map(MapType::Array, 4, 8, 10)).unwrap();
    assert_fails!(
        array.insert_many(&[1, 2, 10, 3], &[5; 4], MapFlags::Any),
        ErrorKind::Full,
        "2 entries were stored"
    );
    assert_eq!(array.get_many(&[2, 3]).unwrap(), [Some(5), Some(0)]);
    assert_fails!(array.remove_many(&[1]), ErrorKind::InvalidArgument);
}

/// Through the interface itself.
fn hostile() {
    let create = |kind, key, value, entries| {
        maps::Map::create("tested", kind, key, value, entries, 0).unwrap()
    };
    let wrong_size = |code| matches!(code, types::ErrorCode::WrongSize);
    let map = create(types::MapType::Hash, 4, 8, 10);
    for length in [1, 3, 5, 4097] {
        let keys = vec![0; length];
        assert!(wrong_size(map.lookup_many(&keys).unwrap_err()));
        assert!(wrong_size(map.delete_many(&keys).unwrap_err()));
        let mode = maps::UpdateMode::Any;
        assert!(wrong_size(
            map.update_many(&keys, &[0; 8], mode).unwrap_err()
        ));
    }
    for values in [0, 7, 9, 16] {
        let mode = maps::UpdateMode::Any;
        let code = map.update_many(&[0; 4], &vec![0; values], mode);
        assert!(wrong_size(code.unwrap_err()));
    }
    // Short keys that ask for long values.
    let long = create(types::MapType::Array, 4, 1 << 20, 4);
    let keys = [0; 4 * 17];
    assert!(matches!(
        long.lookup_many(&keys),
        Err(types::ErrorCode::LimitExceeded)
    ));
    assert_eq!(
        long.lookup_many(&keys[..64]).unwrap().values.len(),
        16 << 20
    );
    // More keys than one call deals with, and as many as it does.
    let many = vec![0; 4 * ((1 << 18) + 1)];
    let limit = |code| matches!(code, types::ErrorCode::LimitExceeded);
    assert!(limit(map.lookup_many(&many).unwrap_err()));
    assert!(limit(map.delete_many(&many).unwrap_err()));
    let mode = maps::UpdateMode::Any;
    assert!(limit(
        map.update_many(&many, &vec![0; 2 * many.len()], mode)
            .unwrap_err()
    ));
    assert!(
        map.lookup_many(&[0; 4]).unwrap().found == [0],
        "nothing was stored"
    );
    assert_eq!(map.delete_many(&many[4..]).unwrap().missing, 1 << 18);
    // Fewer where each key takes its time.
    let programs = create(types::MapType::ProgArray, 4, 4, 512);
    assert!(limit(programs.delete_many(&[0; 4 * 257]).unwrap_err()));
    assert_eq!(programs.delete_many(&[0; 4 * 256]).unwrap().missing, 256);
    // As many entries as there are numbers.
    let walk = maps::Walk::start(&long, false).unwrap();
    let mut count = 0;
    loop {
        let batch = walk.next(u32::MAX).unwrap();
        if batch.count == 0 {
            break;
        }
        assert!(batch.values.len() <= 2 << 20, "a call returns about 1 MiB");
        count += batch.count;
    }
    assert_eq!(count, 4);
    assert!(matches!(
        walk.next(0),
        Err(types::ErrorCode::InvalidArgument)
    ));
    // The map's handle may go before the walk.
    let walk = maps::Walk::start(&map, false).unwrap();
    drop(map);
    assert_eq!(walk.next(u32::MAX).unwrap().count, 0);
}

fn numbers() {
    for size in [1u32, 2, 4, 8] {
        let largest = u64::MAX >> (64 - 8 * size);
        let kind = types::MapType::Hash;
        let map = maps::Map::create("tested", kind, size, size, 4, 0).unwrap();
        let mode = maps::UpdateMode::Any;
        map.update_number(largest, largest - 1, mode).unwrap();
        assert_eq!(map.lookup_number(largest).unwrap(), Some(largest - 1));
        assert_eq!(map.lookup_number(0).unwrap(), None);
        // The same bytes that the byte functions see.
        let key = &largest.to_ne_bytes()[..size as usize];
        let value = &(largest - 1).to_ne_bytes()[..size as usize];
        assert_eq!(map.lookup(key).unwrap().unwrap(), value);
        assert!(matches!(
            map.update_number(largest, 1, maps::UpdateMode::Create),
            Err(types::ErrorCode::AlreadyExists)
        ));
        if size < 8 {
            for (key, value) in [(largest + 1, 0), (0, largest + 1), (u64::MAX, 0)] {
                assert!(matches!(
                    map.update_number(key, value, mode),
                    Err(types::ErrorCode::WrongSize)
                ));
            }
            assert!(matches!(
                map.lookup_number(largest + 1),
                Err(types::ErrorCode::WrongSize)
            ));
        }
    }
    for (kind, key, value) in [
        (types::MapType::Hash, 3, 8),
        (types::MapType::Hash, 8, 12),
        (types::MapType::PercpuHash, 4, 8),
    ] {
        let map = maps::Map::create("tested", kind, key, value, 4, 0).unwrap();
        assert!(matches!(
            map.lookup_number(1),
            Err(types::ErrorCode::WrongSize)
        ));
        assert!(matches!(
            map.update_number(1, 1, maps::UpdateMode::Any),
            Err(types::ErrorCode::WrongSize)
        ));
    }
    // A number must not become a descriptor of the host.
    let programs = maps::Map::create("tested", types::MapType::ProgArray, 4, 4, 4, 0).unwrap();
    for number in 0..16 {
        assert!(matches!(
            programs.update_number(0, number, maps::UpdateMode::Any),
            Err(types::ErrorCode::NotSupported)
        ));
        let mode = maps::UpdateMode::Any;
        let value = (number as u32).to_ne_bytes();
        assert!(matches!(
            programs.update_many(&[0; 4], &value, mode),
            Err(types::ErrorCode::NotSupported)
        ));
    }
    let queue = maps::Map::create("tested", types::MapType::Queue, 0, 8, 4, 0).unwrap();
    assert!(matches!(
        queue.lookup_number(0),
        Err(types::ErrorCode::NotSupported)
    ));
}

/// Values of a size, on each CPU, through all functions.
fn per_cpu_of<V>(cpus: usize, value: impl Fn(usize) -> V)
where
    V: wasm_bpf_guest::zerocopy::IntoBytes
        + wasm_bpf_guest::zerocopy::FromBytes
        + wasm_bpf_guest::zerocopy::Immutable
        + Clone
        + PartialEq
        + std::fmt::Debug,
{
    for kind in [
        MapType::PercpuHash,
        MapType::PercpuArray,
        MapType::LruPercpuHash,
    ] {
        let map: PerCpuMap<u32, V, _> =
            PerCpuMap::new(map(kind, 4, size_of::<V>() as u32, 4)).unwrap();
        let info = map.info().unwrap();
        assert_eq!(info.value_size as usize, size_of::<V>());
        assert_eq!(
            info.value_length as usize,
            cpus * size_of::<V>().next_multiple_of(8)
        );
        let values = (0..cpus).map(&value).collect::<Vec<_>>();
        map.insert(&2, &values.clone().into(), MapFlags::Any)
            .unwrap();
        assert_eq!(*map.get(&2).unwrap().unwrap(), *values);
        let bytes = map.lookup_percpu(&2u32.to_ne_bytes()).unwrap().unwrap();
        assert_eq!(bytes.len(), cpus);
        for (bytes, value) in bytes.iter().zip(&values) {
            assert_eq!(bytes, value.as_bytes());
        }
        let entries = map.iter().collect::<Result<Vec<_>, _>>().unwrap();
        let found = entries.iter().find(|(key, _)| *key == 2).unwrap();
        assert_eq!(*found.1, *values);
        assert_fails!(
            map.insert(&2, &values[1..].to_vec().into(), MapFlags::Any),
            ErrorKind::WrongSize,
            "`tested`"
        );
        let many = map.get_many(&[2, 9]).unwrap();
        assert_eq!(
            (many[0].as_deref(), many[1].is_none()),
            (Some(&*values), true)
        );
        if !matches!(kind, MapType::PercpuArray) {
            let taken = map.drain().collect::<Result<Vec<_>, _>>().unwrap();
            assert_eq!(taken.len(), 1);
            assert_eq!(*taken[0].1, *values);
            assert!(map.get(&2).unwrap().is_none());
        }
    }
}

fn per_cpu(cpus: usize) {
    per_cpu_of(cpus, |cpu| cpu as u8 + 1);
    per_cpu_of(cpus, |cpu| 0xdead_0000 + cpu as u32);
    per_cpu_of(cpus, |cpu| u64::MAX - cpu as u64);
    per_cpu_of(cpus, |cpu| [cpu as u32, 7, u32::MAX]);
    // Types of another size, and maps with one value for all CPUs.
    let map = self::map(MapType::PercpuArray, 4, 12, 1);
    assert_fails!(
        PerCpuMap::<u32, u64, _>::new(map.clone()),
        ErrorKind::WrongSize,
        "`tested`",
        "12"
    );
    assert_fails!(
        TypedMap::<u32, [u32; 3], _>::new(map),
        ErrorKind::WrongSize,
        "PerCpuMap"
    );
    assert_fails!(
        PerCpuMap::<u32, u64, _>::new(self::map(MapType::Hash, 4, 8, 1)),
        ErrorKind::WrongSize,
        "TypedMap"
    );
}

/// What a program counts on several CPUs adds up.
fn per_cpu_counts() {
    let open = open();
    open.progs.count.set_autoload(true).unwrap();
    let skel = load(open);
    say("ready");
    hear("counted");
    let calls: u64 = test_guests::number("CALLS");
    let cpus: usize = test_guests::number("CPUS");
    let one = skel.maps.of_1.get(&1).unwrap().unwrap();
    assert_eq!(one.sum_by(|count| u64::from(*count)), calls);
    assert_eq!(one.iter().filter(|count| **count > 0).count(), cpus);
    let four = skel.maps.of_4.get(&1).unwrap().unwrap();
    assert_eq!(u64::from(four.sum()), 2 * calls);
    let eight = skel.maps.of_8.get(&1).unwrap().unwrap();
    assert_eq!(eight.sum(), 3 * calls);
    let twelve = skel.maps.of_12.get(&1).unwrap().unwrap();
    let sum = |part: fn(&twelve) -> u32| u64::from(twelve.sum_by(part));
    assert_eq!(sum(|value| value.a), calls);
    assert_eq!(sum(|value| value.b), 10 * calls);
    assert_eq!(sum(|value| value.c), 100 * calls);
}

fn queue() {
    for (kind, is_queue) in [(MapType::Queue, true), (MapType::Stack, false)] {
        let queue: Queue<u32, _> = Queue::new(map(kind, 0, 4, 3)).unwrap();
        assert_eq!((queue.peek().unwrap(), queue.pop().unwrap()), (None, None));
        for value in 1..=3 {
            queue.push(&value).unwrap();
        }
        assert_fails!(queue.push(&4), ErrorKind::Full, "`tested`");
        assert_eq!(queue.peek().unwrap(), Some(if is_queue { 1 } else { 3 }));
        queue.push_dropping_oldest(&4).unwrap();
        let expected = if is_queue { [2, 3, 4] } else { [4, 3, 2] };
        for value in expected {
            assert_eq!(queue.peek().unwrap(), Some(value));
            assert_eq!(queue.pop().unwrap(), Some(value));
        }
        assert_eq!(queue.pop().unwrap(), None);
        // As with libbpf-rs: without a key.
        let map = MapHandle::try_from(&queue).unwrap();
        map.update(&[], &[9, 0, 0, 0], MapFlags::Any).unwrap();
        assert_eq!(map.lookup(&[]).unwrap().unwrap(), [9, 0, 0, 0]);
        assert_eq!(map.lookup_and_delete(&[]).unwrap().unwrap(), [9, 0, 0, 0]);
        assert_fails!(
            map.update(&[], &[0; 3], MapFlags::Any),
            ErrorKind::WrongSize
        );
        assert_fails!(map.lookup(&[1]), ErrorKind::NotSupported);
        assert_fails!(map.lookup_bloom_filter(&[0; 4]), ErrorKind::NotSupported);
        assert_fails!(map.delete(&[]), ErrorKind::NotSupported);
        assert_fails!(Queue::<u64, _>::new(map), ErrorKind::WrongSize);
    }
}

fn bloom() {
    let filter: BloomFilter<u64, _> =
        BloomFilter::new(map(MapType::BloomFilter, 0, 8, 1000)).unwrap();
    for value in 0..500 {
        filter.insert(&value).unwrap();
    }
    assert!((0..500).all(|value| filter.contains(&value).unwrap()));
    // A few may be taken for others, most not.
    let wrong = (10_000..11_000).filter(|value| filter.contains(value).unwrap());
    assert!(wrong.count() < 100);
    let map = MapHandle::try_from(&filter).unwrap();
    assert!(map.lookup_bloom_filter(&499u64.to_ne_bytes()).unwrap());
    assert_fails!(map.lookup_bloom_filter(&[0; 4]), ErrorKind::WrongSize);
    assert_fails!(
        map.update(&[], &[0; 8], MapFlags::Exist),
        ErrorKind::InvalidArgument
    );
    // The kernel reads the buffer of a lookup: it must not be taken for an answer.
    assert_fails!(map.lookup(&[]), ErrorKind::NotSupported);
    assert_fails!(map.lookup_and_delete(&[]), ErrorKind::NotSupported);
}

fn typed() {
    let map: TypedMap<u16, [u8; 5], _> = TypedMap::new(self::map(MapType::Hash, 2, 5, 4)).unwrap();
    assert_eq!(map.get(&1).unwrap(), None);
    map.insert(&1, b"hello", MapFlags::Any).unwrap();
    assert_eq!(map.get(&1).unwrap(), Some(*b"hello"));
    assert_fails!(
        map.insert(&1, b"other", MapFlags::NoExist),
        ErrorKind::AlreadyExists
    );
    assert_eq!(map.get_many(&[0, 1]).unwrap(), [None, Some(*b"hello")]);
    assert_eq!(map.take(&1).unwrap(), Some(*b"hello"));
    assert!(!map.remove(&1).unwrap());
    let numbers = hash(4);
    numbers.insert(&3, &u64::MAX, MapFlags::NoExist).unwrap();
    assert_fails!(
        numbers.insert(&3, &0, MapFlags::NoExist),
        ErrorKind::AlreadyExists,
        "`tested`"
    );
    assert_eq!(numbers.get(&3).unwrap(), Some(u64::MAX));
    assert!(numbers.remove(&3).unwrap());
    assert_fails!(
        TypedMap::<u64, u64, _>::new(MapHandle::try_from(&numbers).unwrap()),
        ErrorKind::WrongSize,
        "keys of 4",
        "`tested`"
    );
}

fn frozen() {
    let map = hash(4);
    map.insert(&1, &1, MapFlags::Any).unwrap();
    map.freeze().unwrap();
    assert_eq!(map.get(&1).unwrap(), Some(1));
    assert_eq!(map.iter().count(), 1);
    assert_fails!(map.insert(&1, &2, MapFlags::Any), ErrorKind::NotPermitted);
    assert_fails!(
        map.insert_many(&[1], &[2], MapFlags::Any),
        ErrorKind::NotPermitted
    );
    assert_fails!(map.remove(&1), ErrorKind::NotPermitted);
    assert_fails!(map.remove_many(&[1]), ErrorKind::NotPermitted);
    assert_fails!(map.drain().next().unwrap(), ErrorKind::NotPermitted);
    assert_fails!(map.take(&1), ErrorKind::NotPermitted);
    assert_fails!(map.freeze(), ErrorKind::NotPermitted, "`tested`");
    assert_eq!(map.get(&1).unwrap(), Some(1));
}
