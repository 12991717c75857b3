include!(concat!(env!("OUT_DIR"), "/maps.skel.rs"));

use maps::{MapsSkelBuilder, types};
use wasm_bpf_guest::{BloomFilter, Map, OpenMap, PerCpuMap, Queue, TypedMap};

fn main() {
    // Before loading all are the same.
    let open = MapsSkelBuilder::new().open().unwrap();
    let _: [&OpenMap; 4] = [
        &open.maps.hash,
        &open.maps.percpu_hash,
        &open.maps.queue,
        &open.maps.bloom,
    ];
    let skel = open.load().unwrap();
    let maps = &skel.maps;

    let _: &TypedMap<types::verdict, [types::event; 3]> = &maps.hash;
    let _: &TypedMap<i32, types::array_value_anon_0> = &maps.array;
    let _: &TypedMap<[u8; 16], types::event> = &maps.lru;
    let _: &TypedMap<types::prefix_t, u64> = &maps.trie;
    let _: &PerCpuMap<types::r#match, types::sample> = &maps.percpu_hash;
    let _: &PerCpuMap<u32, [[types::r#match; 3]; 2]> = &maps.percpu_array;
    let _: &PerCpuMap<i64, u64> = &maps.percpu_lru;
    let _: &Queue<types::event> = &maps.queue;
    let _: &Queue<types::stack_value_anon_0> = &maps.stack;
    let _: &BloomFilter<[u64; 2]> = &maps.bloom;
    let _: &TypedMap<i8, i16> = &maps.aliased;
    let _: &TypedMap<i8, i16> = &maps.r#move;
    // A reference to another type would be dereferenced to this one.
    let is_plain = |map: &dyn std::any::Any| map.is::<Map>();
    let plain: [&dyn std::any::Any; 7] = [
        &maps.no_key,
        &maps.no_value,
        &maps.bytes,
        &maps.nothing,
        &maps.ring,
        &maps.perf,
        &maps.outer,
    ];
    assert_eq!(plain.map(is_plain), [true; 7]);

    assert_eq!(size_of::<types::sample>(), 12);
    assert_eq!(size_of::<types::stack_value_anon_0>(), 8);
    let value = types::array_value_anon_0::default();
    let _: (u8, types::r#match) = (value.flag, value.r#match);

    // Each is the map of its own name.
    let names = [
        (&maps.hash.name, "hash"),
        (&maps.array.name, "array"),
        (&maps.lru.name, "lru"),
        (&maps.trie.name, "trie"),
        (&maps.percpu_hash.name, "percpu_hash"),
        (&maps.percpu_array.name, "percpu_array"),
        (&maps.percpu_lru.name, "percpu_lru"),
        (&maps.queue.name, "queue"),
        (&maps.stack.name, "stack"),
        (&maps.bloom.name, "bloom"),
        (&maps.aliased.name, "aliased"),
        (&maps.r#move.name, "move"),
        (&maps.no_key.name, "no_key"),
        (&maps.outer.name, "outer"),
    ];
    for (found, expected) in names {
        assert_eq!(found, expected);
    }
}
