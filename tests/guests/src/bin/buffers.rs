//! What this host says when it refuses buffers and mapped memory; the rest is in the conformance suite.

use test_guests::{assert_fails, case, no_such_case};
use wasm_bpf_guest::{
    ErrorKind, MapCore as _, MapHandle, MapType, PerfBufferBuilder, RingBufferBuilder,
    UserRingBuffer,
};

fn main() {
    let (case, _) = case();
    match case.as_str() {
        "refusals" => refusals(),
        "pollables" => pollables(),
        _ => no_such_case(&case),
    }
}

fn map(kind: MapType, name: &str, key: u32, value: u32, entries: u32) -> MapHandle {
    MapHandle::create(kind, name, key, value, entries, 0).unwrap()
}

fn refusals() {
    let ring = map(MapType::Ringbuf, "ring", 0, 0, 4096);
    let events = map(MapType::PerfEventArray, "events", 4, 4, 4);
    let hash = map(MapType::Hash, "hash", 4, 4, 4);
    let array = map(MapType::Array, "array", 4, 8, 1);
    let rings = |map: &MapHandle, count| {
        let mut builder = RingBufferBuilder::new();
        for _ in 0..count {
            builder.add(map, |_| 0).unwrap();
        }
        builder.build()
    };
    assert_fails!(rings(&ring, 0), ErrorKind::InvalidArgument, "0 rings");
    assert_fails!(rings(&ring, 65), ErrorKind::InvalidArgument, "65 rings");
    assert_fails!(
        rings(&hash, 1),
        ErrorKind::InvalidArgument,
        "`hash`",
        "type hash, not ringbuf"
    );
    let mut builder = RingBufferBuilder::new();
    builder.add_counted(&ring, &array, |_| 0).unwrap();
    assert_fails!(
        builder.build(),
        ErrorKind::InvalidArgument,
        "`array` cannot count lost records",
        "percpu-array"
    );
    let perf = |map, pages| PerfBufferBuilder::new(map).pages(pages).build();
    assert_fails!(
        perf(&events, 3),
        ErrorKind::InvalidArgument,
        "`events`",
        "3 pages for each CPU are not a power of two"
    );
    assert_fails!(
        perf(&hash, 1),
        ErrorKind::InvalidArgument,
        "`hash`",
        "type hash, not perf-event-array"
    );
    let _first = perf(&events, 1).unwrap();
    assert_fails!(perf(&events, 1), ErrorKind::Busy, "drop that first");
    assert_fails!(
        UserRingBuffer::new(&hash),
        ErrorKind::InvalidArgument,
        "`hash`",
        "type hash, not user-ringbuf"
    );
    assert_fails!(
        array.mmap(),
        ErrorKind::NotSupported,
        "`array`",
        "BPF_F_MMAPABLE"
    );
    assert_fails!(hash.mmap(), ErrorKind::NotSupported, "`hash`", "type hash");
}

/// Run with `--limit descriptors=64`.
fn pollables() {
    let ring = map(MapType::Ringbuf, "ring", 0, 0, 4096);
    let mut builder = RingBufferBuilder::new();
    builder.add(&ring, |_| 0).unwrap();
    let ring = builder.build().unwrap();
    let _kept = (0..65).map(|_| ring.subscribe()).collect::<Vec<_>>();
    unreachable!("a component that passes this limit ends");
}
