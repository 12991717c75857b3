//! Maps with a value for each CPU.

use conformance_guests::{assert_code, cpus, number, pull_on, raw, trigger};
use raw::maps::{Map, UpdateMode, Walk};
use raw::types::{ErrorCode, MapType};

conformance_guests::guest!();

fn map(kind: MapType, value: u32) -> Map {
    raw::create_map("tested", kind, 4, value, 2, 0).unwrap()
}

/// A different value of `size` bytes for each CPU, in places of a multiple of 8 bytes.
fn packed(size: usize, seed: u8) -> Vec<u8> {
    let mut packed = Vec::new();
    for cpu in 0..number::<usize>("possible-cpus") {
        let value = (0..size).map(|at| seed + (cpu * 16 + at) as u8);
        packed.extend(value);
        packed.resize(packed.len().next_multiple_of(8), 0);
    }
    packed
}

/// Through all functions that take or give values.
fn sizes() {
    for kind in [
        MapType::PercpuHash,
        MapType::PercpuArray,
        MapType::LruPercpuHash,
    ] {
        for size in [1, 4, 5, 8, 12] {
            let map = map(kind, size as u32);
            let (first, second) = (packed(size, 1), packed(size, 101));
            let info = map.info();
            assert_eq!(info.value_size as usize, size);
            assert_eq!(info.value_length as usize, first.len());
            let (zero, one) = (0u32.to_ne_bytes(), 1u32.to_ne_bytes());
            map.update(&zero, &first, UpdateMode::Any).unwrap();
            assert_eq!(map.lookup(&zero).unwrap().unwrap(), first);
            let is_array = matches!(kind, MapType::PercpuArray);
            assert_eq!(map.lookup(&one).unwrap().is_some(), is_array);
            let many = map.update_many(&one, &second, UpdateMode::Any).unwrap();
            assert_eq!(many.count, 1);
            let found = map.lookup_many(&[one, zero].concat()).unwrap();
            assert_eq!(found.values, [&second[..], &first].concat());
            // A walk has each with its own key.
            let walk = Walk::start(&map, false).unwrap();
            let mut count = 0;
            loop {
                let batch = walk.next(u32::MAX).unwrap();
                if batch.count == 0 {
                    break;
                }
                count += batch.count;
                let values = batch.values.chunks_exact(first.len());
                for (key, value) in batch.keys.chunks_exact(4).zip(values) {
                    let expected = if key == zero { &first } else { &second };
                    assert_eq!(value, expected);
                }
            }
            assert_eq!(count, 2);
        }
    }
}

/// One value for one CPU is not enough, whatever its size.
fn lengths() {
    for kind in [MapType::PercpuHash, MapType::PercpuArray] {
        let map = map(kind, 5);
        let value = packed(5, 1);
        for length in [0, 5, value.len() - 8, value.len() - 1, value.len() + 8] {
            let wrong = vec![0; length];
            let update = map.update(&[0; 4], &wrong, UpdateMode::Any);
            assert_code!(update, ErrorCode::WrongSize);
            let updated = map.update_many(&[0; 4], &wrong, UpdateMode::Any);
            assert_code!(updated, ErrorCode::WrongSize);
        }
    }
}

/// A hundred calls on each CPU that the runner may use.
fn counts() {
    let mut open = case::CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    let used = cpus();
    for cpu in &used {
        pull_on(*cpu, 100);
    }
    let one = skel.maps.of_1.get(&1).unwrap().unwrap();
    let four = skel.maps.of_4.get(&1).unwrap().unwrap();
    let eight = skel.maps.of_8.get(&1).unwrap().unwrap();
    let twelve = skel.maps.of_12.get(&1).unwrap().unwrap();
    assert_eq!(one.len(), number::<usize>("possible-cpus"));
    for cpu in 0..one.len() {
        let calls = if used.contains(&cpu) { 100 } else { 0 };
        assert_eq!(one[cpu], calls as u8, "on CPU {cpu}");
        assert_eq!(four[cpu], 2 * calls, "on CPU {cpu}");
        assert_eq!(eight[cpu], 3 * u64::from(calls), "on CPU {cpu}");
        let parts = (twelve[cpu].a, twelve[cpu].b, twelve[cpu].c);
        assert_eq!(parts, (calls, 10 * calls, 100 * calls), "on CPU {cpu}");
    }
}
