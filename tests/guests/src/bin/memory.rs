//! Memory shared with programs: global data, arrays, arenas.

use test_guests::{assert_fails, case, hear, no_such_case, say, trigger};
use wasm_bpf_guest::{ErrorKind, MapCore, MapFlags, MapHandle, MapType, MappedMemory};

wasm_bpf_guest::include_skeleton!("shared");
wasm_bpf_guest::include_skeleton!("paged");
wasm_bpf_guest::include_skeleton!("holes");
use holes::HolesSkelBuilder;
use paged::{PagedSkel, PagedSkelBuilder};
use shared::{SharedSkel, SharedSkelBuilder};

fn main() {
    let (case, _) = case();
    match case.as_str() {
        "both-ways" => both_ways(),
        "before-load" => before_load(),
        "read-only" => read_only(),
        "static" => static_only(),
        "array" => array(),
        "hostile" => hostile(),
        "not-mappable" => not_mappable(),
        "order" => order(),
        "arena" => arena(),
        "arena-holes" => arena_holes(),
        "arena-hostile" => arena_hostile(),
        "arena-order" => arena_order(),
        _ => no_such_case(&case),
    }
}

fn attached() -> SharedSkel {
    let mut open = SharedSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    skel
}

/// Has the program act once.
fn act() {
    say("act");
    hear("done");
}

fn both_ways() {
    let skel = attached();
    // As they are declared.
    assert_eq!(skel.data.input.get().unwrap(), 5);
    assert_eq!(skel.bss.output.get().unwrap(), 0);
    assert_eq!(skel.data_named.named.get().unwrap(), 11);
    act();
    assert_eq!(skel.bss.output.get().unwrap(), 5 * 3 + 11 + 13 + 17);
    assert_eq!(skel.data.small.get().unwrap(), 8);
    // What is written here is what the program reads next.
    skel.data.input.set(&1000).unwrap();
    skel.data_named.named.set(&1).unwrap();
    skel.data.small.set(&100).unwrap();
    act();
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

fn before_load() {
    let mut open = SharedSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open.rodata.factor = 100;
    open.rodata.table[2] = 33;
    open.data.input = 7;
    open.bss.output = 99;
    open.data_named.named = 1;
    open.rodata_fixed.fixed = 2;
    let mut skel = open.load().unwrap();
    assert_eq!(skel.bss.output.get().unwrap(), 99);
    assert_eq!(skel.rodata.table.get().unwrap(), [1, 2, 33, 4]);
    assert_eq!(skel.rodata.table.element(2).unwrap().get().unwrap(), 33);
    skel.attach().unwrap();
    act();
    assert_eq!(skel.bss.output.get().unwrap(), 7 * 100 + 1 + 2 + 17);
}

fn section(skel: &SharedSkel, name: &str) -> wasm_bpf_guest::Map {
    skel.object.map(name).unwrap()
}

fn read_only() {
    let skel = attached();
    for name in [".rodata", ".rodata.fixed"] {
        let memory = section(&skel, name).mmap().unwrap();
        assert!(!memory.is_writable());
        let before = memory.read(0, memory.size() as u32).unwrap();
        assert_fails!(memory.write(0, &[1]), ErrorKind::NotPermitted, name);
        assert_fails!(memory.set(0, &1u32), ErrorKind::NotPermitted, name);
        assert_fails!(memory.set(0, &1u64), ErrorKind::NotPermitted, name);
        // Nor through the map.
        let map = section(&skel, name);
        assert_fails!(
            map.update(&[0; 4], &before, MapFlags::Any),
            ErrorKind::NotPermitted,
            name
        );
        assert_eq!(memory.read(0, memory.size() as u32).unwrap(), before);
    }
    assert!(section(&skel, ".data").mmap().unwrap().is_writable());
    assert!(section(&skel, ".bss").mmap().unwrap().is_writable());
    assert_eq!(skel.rodata.factor.get().unwrap(), 3);
    assert_eq!(skel.rodata_fixed.fixed.get().unwrap(), 13);
}

/// A section of static variables is read through its map, and cannot be set.
fn static_only() {
    let skel = attached();
    assert_fails!(
        section(&skel, ".data.hidden").mmap(),
        ErrorKind::NotSupported,
        "BPF_F_MMAPABLE"
    );
    assert_eq!(skel.data_hidden.hidden.get().unwrap(), 17);
    assert_eq!(skel.data_hidden.get().unwrap().hidden, 17);
    assert_fails!(
        skel.data_hidden.hidden.set(&1),
        ErrorKind::NotSupported,
        "static"
    );
}

fn array() {
    let skel = attached();
    let memory = skel.maps.entries.mmap().unwrap();
    // 12 bytes each, at multiples of 16; the last one ends it.
    assert_eq!(memory.size(), 999 * 16 + 12);
    memory.set(999 * 16, &[20u32, 22, 0]).unwrap();
    act();
    assert_eq!(memory.get::<[u32; 3]>(999 * 16).unwrap(), [20, 22, 42]);
    assert_eq!(skel.maps.entries.get(&999).unwrap(), Some([20, 22, 42]));
    skel.maps
        .entries
        .insert(&500, &[1, 2, 3], MapFlags::Any)
        .unwrap();
    assert_eq!(memory.get::<u32>(500 * 16 + 8).unwrap(), 3);
    assert!(!skel.maps.entries.is_absent());
}

fn hostile_ranges(memory: &MappedMemory) {
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
    assert!(memory.read(size, 0).unwrap().is_empty());
    memory.write(size, &[]).unwrap();
    assert_fails!(memory.read(size + 1, 0), ErrorKind::WrongSize);
}

/// Through the interface below, for what the guest crate does not let through.
fn hostile() {
    use test_guests::raw::{mapped_memory, maps, types};

    let skel = attached();
    hostile_ranges(&section(&skel, ".data").mmap().unwrap());
    hostile_ranges(&skel.maps.entries.mmap().unwrap());
    let map = maps::Map::create("mapped", types::MapType::Array, 4, 8, 4, 1 << 10).unwrap();
    let mapping = mapped_memory::Mapping::open(&map).unwrap();
    assert_eq!(mapping.size(), 32);
    for offset in [1, 2, 3, 5, 9] {
        let code = mapping.read_u32(offset).unwrap_err();
        assert!(matches!(code, types::ErrorCode::InvalidArgument));
        let code = mapping.write_u32(offset, 1).unwrap_err();
        assert!(matches!(code, types::ErrorCode::InvalidArgument));
    }
    for offset in [4, 12, 20] {
        let code = mapping.read_u64(offset).unwrap_err();
        assert!(matches!(code, types::ErrorCode::InvalidArgument));
        let code = mapping.write_u64(offset, 1).unwrap_err();
        assert!(matches!(code, types::ErrorCode::InvalidArgument));
    }
    for offset in [29, 32, u64::MAX - 7, u64::MAX] {
        assert!(matches!(
            mapping.write_u64(offset, 1),
            Err(types::ErrorCode::WrongSize)
        ));
        assert!(matches!(
            mapping.read_u32(offset),
            Err(types::ErrorCode::WrongSize)
        ));
    }
    mapping.write_u64(24, u64::MAX).unwrap();
    mapping.write_u32(24, 0).unwrap();
    assert_eq!(mapping.read_u64(24).unwrap(), 0xffff_ffff_0000_0000);
    // More than one call copies, within a map that has it.
    let large = MapHandle::create(MapType::Array, "large", 4, 1 << 20, 20, 1 << 10).unwrap();
    let memory = large.mmap().unwrap();
    assert_fails!(memory.read(0, 17 << 20), ErrorKind::LimitExceeded);
    assert_eq!(memory.read(4 << 20, 16 << 20).unwrap().len(), 16 << 20);
}

fn not_mappable() {
    let skel = attached();
    assert_fails!(
        skel.maps.plain.mmap(),
        ErrorKind::NotSupported,
        "`plain`",
        "BPF_F_MMAPABLE"
    );
    for (kind, key, value, entries) in [
        (MapType::Hash, 4, 4, 4),
        (MapType::Ringbuf, 0, 0, 4096),
        (MapType::PerfEventArray, 4, 4, 4),
        (MapType::PercpuArray, 4, 8, 4),
        (MapType::Queue, 0, 4, 4),
    ] {
        let map = MapHandle::create(kind, "tested", key, value, entries, 0).unwrap();
        assert_fails!(map.mmap(), ErrorKind::NotSupported, "`tested`");
    }
}

/// The memory outlives handle and object; a frozen map can be read, and one that is mapped for writing not frozen.
fn order() {
    let skel = attached();
    let memory = section(&skel, ".bss").mmap().unwrap();
    memory.set(0, &42u64).unwrap();
    drop(skel);
    assert_eq!(memory.get::<u64>(0).unwrap(), 42);
    let map = MapHandle::create(MapType::Array, "frozen", 4, 8, 1, 1 << 10).unwrap();
    let memory = map.mmap().unwrap();
    assert_fails!(map.freeze(), ErrorKind::Busy, "`frozen`");
    memory.set(0, &7u64).unwrap();
    drop(memory);
    map.freeze().unwrap();
    let memory = map.mmap().unwrap();
    assert!(!memory.is_writable());
    assert_eq!(memory.get::<u64>(0).unwrap(), 7);
    assert_fails!(memory.set(0, &8u64), ErrorKind::NotPermitted);
    assert_fails!(
        map.update(&[0; 4], &[0; 8], MapFlags::Any),
        ErrorKind::NotPermitted
    );
    assert_fails!(map.freeze(), ErrorKind::NotPermitted);
}

fn paged() -> PagedSkel {
    let open = PagedSkelBuilder::new().open().unwrap();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    skel
}

/// Has the program of an arena act once: it is on the function by which the host freezes maps.
fn turn(turns: &wasm_bpf_guest::Global<u64>) {
    let before = turns.get().unwrap();
    MapHandle::create(MapType::Array, "frozen", 4, 8, 1, 0)
        .unwrap()
        .freeze()
        .unwrap();
    assert_eq!(turns.get().unwrap(), before + 1);
}

/// Where the program's page is in the arena: it wrote this value to its start.
fn page_with(memory: &MappedMemory, value: u64) -> u64 {
    (0..memory.size())
        .step_by(4096)
        .find(|offset| memory.get::<u64>(*offset).is_ok_and(|word| word == value))
        .expect("the program's page is somewhere")
}

fn arena() {
    let skel = paged();
    let memory = skel.maps.arena.mmap().unwrap();
    assert_eq!(memory.size(), 16 * 4096);
    assert!(memory.is_writable());
    skel.bss.value.set(&0x1234_5678_9abc).unwrap();
    turn(&skel.bss.turns);
    let page = page_with(&memory, 0x1234_5678_9abc);
    // What is written here stays until the program writes.
    memory.write(page + 8, b"hello").unwrap();
    memory.set(page, &1u64).unwrap();
    memory.set(page + 16, &2u32).unwrap();
    assert_eq!(memory.get::<u64>(page).unwrap(), 1);
    assert_eq!(memory.get::<u32>(page + 16).unwrap(), 2);
    turn(&skel.bss.turns);
    assert_eq!(memory.get::<u64>(page).unwrap(), 0x1234_5678_9abc);
    assert_eq!(memory.read(page + 8, 5).unwrap(), b"hello");
    // All of it: pages that are not there are allocated now.
    assert_eq!(memory.read(0, 16 * 4096).unwrap().len(), 16 * 4096);
}

/// Pages that nobody allocated stay absent: an answer, not the end of the host.
fn arena_holes() {
    let open = HolesSkelBuilder::new().open().unwrap();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    let memory = skel.maps.arena.mmap().unwrap();
    assert_fails!(memory.read(0, 1), ErrorKind::NotFound, "`arena`");
    assert_fails!(memory.read(0, 16 * 4096), ErrorKind::NotFound);
    assert_fails!(memory.write(4096, &[1; 64]), ErrorKind::NotFound);
    assert_fails!(memory.get::<u64>(8192), ErrorKind::NotFound);
    assert_fails!(memory.set(8192, &1u32), ErrorKind::NotFound);
    skel.bss.value.set(&99).unwrap();
    turn(&skel.bss.turns);
    let page = page_with(&memory, 99);
    // Into the hole behind it.
    if page + 4096 < memory.size() {
        assert_fails!(memory.read(page, 4097), ErrorKind::NotFound);
        assert_fails!(memory.write(page + 4000, &[0; 200]), ErrorKind::NotFound);
    }
}

fn arena_hostile() {
    let skel = paged();
    hostile_ranges(&skel.maps.arena.mmap().unwrap());
    let memory = skel.maps.arena.mmap().unwrap();
    drop(skel);
    hostile_ranges(&memory);
    // One that no object made: the host maps it once, as long as the map's handle is there.
    let map = MapHandle::create(MapType::Arena, "alone", 0, 0, 4, 1 << 10).unwrap();
    let memory = map.mmap().unwrap();
    hostile_ranges(&memory);
    memory.set(4096, &5u64).unwrap();
    assert_eq!(memory.get::<u64>(4096).unwrap(), 5);
    drop(memory);
    let again = map.mmap().unwrap();
    drop(map);
    assert_eq!(again.get::<u64>(4096).unwrap(), 5);
}

/// The arena's memory outlives all handles to its object.
fn arena_order() {
    let skel = paged();
    let map = skel.object.map("arena").unwrap();
    let memory = map.mmap().unwrap();
    memory.set(0, &3u64).unwrap();
    drop(skel);
    memory.set(8, &4u64).unwrap();
    drop(memory);
    let again = map.mmap().unwrap();
    drop(map);
    assert_eq!(again.get::<u64>(0).unwrap(), 3);
    assert_eq!(again.get::<u64>(8).unwrap(), 4);
}
