//! Memory that is shared with programs: global data and arrays.

use conformance_guests::raw::{mapped_memory, types};
use conformance_guests::{assert_code, assert_fails, begin_to_pull, pull, trigger};
use wasm_bpf_guest::{ErrorKind, Map, MapCore, MapFlags, MapHandle, MapType, MappedMemory};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder, OpenCaseSkel};

const BPF_F_MMAPABLE: u32 = 1 << 10;

fn open() -> OpenCaseSkel {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open
}

fn attached() -> CaseSkel {
    let mut skel = open().load().unwrap();
    skel.attach().unwrap();
    skel
}

fn section(skel: &CaseSkel, name: &str) -> Map {
    skel.object.map(name).unwrap()
}

/// What the program writes is seen here, and what is written here is what it reads next.
fn both_ways() {
    let skel = attached();
    // As they are declared.
    assert_eq!(skel.data.input.get().unwrap(), 5);
    assert_eq!(skel.bss.output.get().unwrap(), 0);
    assert_eq!(skel.data_named.named.get().unwrap(), 11);
    pull(1);
    assert_eq!(skel.bss.output.get().unwrap(), 5 * 3 + 11 + 13 + 17);
    assert_eq!(skel.data.small.get().unwrap(), 8);
    skel.data.input.set(&1000).unwrap();
    skel.data_named.named.set(&1).unwrap();
    skel.data.small.set(&100).unwrap();
    pull(1);
    assert_eq!(skel.bss.output.get().unwrap(), 1000 * 3 + 1 + 13 + 17);
    assert_eq!(skel.data.small.get().unwrap(), 101);
    let pair = skel.bss.pair.get().unwrap();
    assert_eq!((pair.first, pair.second), (2, 1000));
    // Part of an array, and all of it.
    assert_eq!(skel.bss.squares.element(15).unwrap().get().unwrap(), 225);
    assert!(skel.bss.squares.element(16).is_none());
    skel.bss.squares.element(3).unwrap().set(&77).unwrap();
    let squares = skel.bss.squares.get().unwrap();
    assert_eq!((squares[2], squares[3], squares[4]), (4, 77, 16));
    // A section at once.
    let bss = skel.bss.get().unwrap();
    assert_eq!(bss.output, 1000 * 3 + 1 + 13 + 17);
    assert_eq!(bss.squares, squares);
}

/// Set in all kinds of section; the rest is as it is declared.
fn before_load() {
    let mut open = open();
    open.rodata.factor = 100;
    open.rodata.table[2] = 33;
    open.data.input = 7;
    open.bss.output = 99;
    open.data_named.named = 1;
    open.rodata_fixed.fixed = 2;
    let mut skel = open.load().unwrap();
    assert_eq!(skel.bss.output.get().unwrap(), 99);
    assert_eq!(skel.data.small.get().unwrap(), 7);
    assert_eq!(skel.rodata.table.get().unwrap(), [1, 2, 33, 4]);
    assert_eq!(skel.rodata.table.element(2).unwrap().get().unwrap(), 33);
    skel.attach().unwrap();
    pull(1);
    assert_eq!(skel.bss.output.get().unwrap(), 7 * 100 + 1 + 2 + 17);
}

/// Neither through the memory nor through the map.
fn read_only_sections() {
    let skel = attached();
    for name in [".rodata", ".rodata.fixed"] {
        let map = section(&skel, name);
        let memory = map.mmap().unwrap();
        assert!(!memory.is_writable());
        let all = || memory.read(0, memory.size() as u32).unwrap();
        let before = all();
        assert_fails!(memory.write(0, &[1]), ErrorKind::NotPermitted, name);
        assert_fails!(memory.set(0, &1u32), ErrorKind::NotPermitted, name);
        assert_fails!(memory.set(0, &1u64), ErrorKind::NotPermitted, name);
        assert_fails!(
            map.update(&[0; 4], &before, MapFlags::Any),
            ErrorKind::NotPermitted,
            name
        );
        assert_eq!(all(), before);
    }
    assert!(section(&skel, ".data").mmap().unwrap().is_writable());
    assert!(section(&skel, ".bss").mmap().unwrap().is_writable());
    assert_eq!(skel.rodata.factor.get().unwrap(), 3);
    assert_eq!(skel.rodata_fixed.fixed.get().unwrap(), 13);
}

/// They can be read, and not be set.
fn static_variables() {
    let skel = attached();
    assert_fails!(
        section(&skel, ".data.hidden").mmap(),
        ErrorKind::NotSupported,
        ".data.hidden"
    );
    assert_eq!(skel.data_hidden.hidden.get().unwrap(), 17);
    assert_eq!(skel.data_hidden.get().unwrap().hidden, 17);
    let value = section(&skel, ".data.hidden").lookup(&[0; 4]).unwrap();
    assert_eq!(value.unwrap(), 17u64.to_ne_bytes());
}

/// The memory, the map's own functions and the program see the same values.
fn arrays() {
    let skel = attached();
    let memory = skel.maps.entries.mmap().unwrap();
    // 12 bytes each, at multiples of 16; the last one ends it.
    assert_eq!(memory.size(), 999 * 16 + 12);
    memory.set(999 * 16, &[20u32, 22, 0]).unwrap();
    pull(1);
    assert_eq!(memory.get::<[u32; 3]>(999 * 16).unwrap(), [20, 22, 42]);
    assert_eq!(skel.maps.entries.get(&999).unwrap(), Some([20, 22, 42]));
    skel.maps
        .entries
        .insert(&500, &[1, 2, 3], MapFlags::Any)
        .unwrap();
    assert_eq!(memory.get::<u32>(500 * 16 + 8).unwrap(), 3);
}

/// While the program turns all bits of a number over and over.
fn whole_numbers() {
    const TURNS: u64 = 10_000;
    let skel = attached();
    begin_to_pull(TURNS);
    while skel.bss.turns.get().unwrap() < TURNS {
        let whole = skel.bss.whole.get().unwrap();
        assert!(whole == 0 || whole == u64::MAX, "{whole:x}");
        let half = skel.bss.whole_half.get().unwrap();
        assert!(half == 0 || half == u32::MAX, "{half:x}");
    }
}

fn assert_ranges(memory: &MappedMemory) {
    let size = memory.size();
    for (offset, length) in [
        (size, 1),
        (size - 1, 2),
        (0, size as u32 + 1),
        (u64::MAX, 1),
        (u64::MAX - 3, 8),
        (1 << 32, 4),
        (i64::MAX as u64, u32::MAX),
        (0, u32::MAX),
    ] {
        assert_fails!(memory.read(offset, length), ErrorKind::WrongSize);
    }
    for offset in [size - 3, size, size + 8, u64::MAX, u64::MAX - 7] {
        assert_fails!(memory.read(offset, 8), ErrorKind::WrongSize);
        assert_fails!(memory.write(offset, &[0; 8]), ErrorKind::WrongSize);
    }
    for offset in [size.next_multiple_of(8), u64::MAX - 7] {
        assert_fails!(memory.get::<u64>(offset), ErrorKind::WrongSize);
        assert_fails!(memory.set(offset, &1u64), ErrorKind::WrongSize);
    }
    // Nothing, at the end, is within.
    assert!(memory.read(size, 0).unwrap().is_empty());
    memory.write(size, &[]).unwrap();
    assert_fails!(memory.read(size + 1, 0), ErrorKind::WrongSize);
}

fn ranges() {
    let skel = attached();
    assert_ranges(&section(&skel, ".data").mmap().unwrap());
    assert_ranges(&skel.maps.entries.mmap().unwrap());
    // Within the page that the kernel maps, and yet past the end.
    let map = MapHandle::create(MapType::Array, "short", 4, 3, 1, BPF_F_MMAPABLE).unwrap();
    let memory = map.mmap().unwrap();
    assert_eq!(memory.size(), 3);
    assert_fails!(memory.get::<u32>(0), ErrorKind::WrongSize);
    assert_fails!(memory.read(0, 4), ErrorKind::WrongSize);
    memory.write(0, &[1, 2, 3]).unwrap();
    assert_eq!(memory.read(1, 2).unwrap(), [2, 3]);
}

/// Through the interface itself: the guest crate reads what is not aligned as bytes.
fn numbers() {
    use types::ErrorCode;

    let kind = types::MapType::Array;
    let map = conformance_guests::raw::create_map("mapped", kind, 4, 8, 4, BPF_F_MMAPABLE).unwrap();
    let mapping = mapped_memory::Mapping::open(&map).unwrap();
    assert_eq!(mapping.size(), 32);
    assert!(mapping.is_writable());
    for offset in [1, 2, 3, 5, 9] {
        assert_code!(mapping.read_u32(offset), ErrorCode::InvalidArgument);
        assert_code!(mapping.write_u32(offset, 1), ErrorCode::InvalidArgument);
    }
    for offset in [4, 12, 20] {
        assert_code!(mapping.read_u64(offset), ErrorCode::InvalidArgument);
        assert_code!(mapping.write_u64(offset, 1), ErrorCode::InvalidArgument);
    }
    for offset in [32, 40, u64::MAX - 7] {
        assert_code!(mapping.read_u32(offset), ErrorCode::WrongSize);
        assert_code!(mapping.write_u32(offset, 1), ErrorCode::WrongSize);
        assert_code!(mapping.read_u64(offset), ErrorCode::WrongSize);
        assert_code!(mapping.write_u64(offset, 1), ErrorCode::WrongSize);
    }
    assert_eq!(mapping.read(0, 32).unwrap(), [0; 32], "nothing was written");
    mapping.write_u64(24, u64::MAX).unwrap();
    mapping.write_u32(24, 0x0102_0304).unwrap();
    assert_eq!(mapping.read_u32(24).unwrap(), 0x0102_0304);
    assert_eq!(mapping.read_u32(28).unwrap(), u32::MAX);
    // In the order of bytes that the machine has.
    let mut bytes = 0x0102_0304u32.to_ne_bytes().to_vec();
    bytes.extend([0xff; 4]);
    assert_eq!(mapping.read(24, 8).unwrap(), bytes);
    let number = u64::from_ne_bytes(bytes.try_into().unwrap());
    assert_eq!(mapping.read_u64(24).unwrap(), number);
}

fn sixteen_mib() {
    let map = MapHandle::create(MapType::Array, "large", 4, 1 << 20, 17, BPF_F_MMAPABLE).unwrap();
    let memory = map.mmap().unwrap();
    memory.set(17 * (1 << 20) - 8, &u64::MAX).unwrap();
    assert_fails!(memory.read(0, 17 << 20), ErrorKind::LimitExceeded, "large");
    assert_fails!(
        memory.read(0, (16 << 20) + 1),
        ErrorKind::LimitExceeded,
        "large"
    );
    let bytes = memory.read(1 << 20, 16 << 20).unwrap();
    assert_eq!(bytes.len(), 16 << 20);
    assert!(bytes.ends_with(&[0xff; 8]));
}

fn not_mappable() {
    let skel = attached();
    assert_fails!(skel.maps.plain.mmap(), ErrorKind::NotSupported, "plain");
    for (kind, key, value, entries) in [
        (MapType::Hash, 4, 4, 4),
        (MapType::PerfEventArray, 4, 4, 4),
        (MapType::PercpuArray, 4, 8, 4),
        (MapType::Queue, 0, 4, 4),
    ] {
        let map = MapHandle::create(kind, "tested", key, value, entries, 0).unwrap();
        assert_fails!(map.mmap(), ErrorKind::NotSupported, "tested");
    }
}

fn outlives_object() {
    let skel = attached();
    let memory = section(&skel, ".bss").mmap().unwrap();
    memory.set(0, &42u64).unwrap();
    drop(skel);
    assert_eq!(memory.get::<u64>(0).unwrap(), 42);
    memory.set(0, &43u64).unwrap();
    assert_eq!(memory.get::<u64>(0).unwrap(), 43);
}

fn frozen() {
    let map = MapHandle::create(MapType::Array, "frozen", 4, 8, 1, BPF_F_MMAPABLE).unwrap();
    let memory = map.mmap().unwrap();
    assert_fails!(map.freeze(), ErrorKind::Busy, "frozen");
    memory.set(0, &7u64).unwrap();
    drop(memory);
    map.freeze().unwrap();
    let memory = map.mmap().unwrap();
    assert!(!memory.is_writable());
    assert_eq!(memory.get::<u64>(0).unwrap(), 7);
    assert_fails!(memory.set(0, &8u64), ErrorKind::NotPermitted, "frozen");
    assert_fails!(
        map.update(&[0; 4], &[0; 8], MapFlags::Any),
        ErrorKind::NotPermitted,
        "frozen"
    );
    assert_eq!(memory.get::<u64>(0).unwrap(), 7);
}

/// Memory cannot be mapped for writing alone.
fn write_only() {
    let skel = attached();
    assert_fails!(
        skel.maps.only_written.mmap(),
        ErrorKind::AccessDenied,
        "only_written"
    );
}

/// Each mapping takes a descriptor at least: the limit is met at some point, and not by those that are gone.
fn limit() {
    let map = MapHandle::create(MapType::Array, "array", 4, 8, 1, BPF_F_MMAPABLE).unwrap();
    for _ in 0..100 {
        map.mmap().unwrap();
    }
    let mut kept = Vec::new();
    let error = loop {
        match map.mmap() {
            Ok(memory) => kept.push(memory),
            Err(error) => break error,
        }
        assert!(kept.len() <= 64);
    };
    assert_fails!(Err::<(), _>(error), ErrorKind::LimitExceeded, "array");
    kept.clear();
    map.mmap().unwrap();
}
