//! Arenas: memory whose pages programs allocate.

use conformance_guests::raw::{mapped_memory, types};
use conformance_guests::{assert_code, assert_fails, call_target, given};
use wasm_bpf_guest::{ErrorKind, MapCore as _, MapHandle, MapType, MappedMemory};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

const PAGE: u64 = 4096;
const SIZE: u64 = 16 * PAGE;
const BPF_F_MMAPABLE: u32 = 1 << 10;

fn attached() -> CaseSkel {
    let mut skel = CaseSkelBuilder::new().open().unwrap().load().unwrap();
    skel.attach().unwrap();
    skel
}

/// Has the program write this value to its page.
fn write_to_page(skel: &CaseSkel, value: u64) {
    let turns = skel.bss.turns.get().unwrap();
    skel.bss.value.set(&value).unwrap();
    call_target(1);
    assert_eq!(skel.bss.turns.get().unwrap(), turns + 1);
}

fn shared() {
    let skel = attached();
    let memory = skel.maps.arena.mmap().unwrap();
    assert_eq!(memory.size(), SIZE);
    assert!(memory.is_writable());
    write_to_page(&skel, 0x1234_5678_9abc);
    // The kernel chose which page it is.
    let page = (0..SIZE)
        .step_by(PAGE as usize)
        .find(|page| memory.get::<u64>(*page).unwrap() == 0x1234_5678_9abc)
        .expect("the program's page is somewhere");
    // What is written here stays until the program writes.
    memory.write(page + 8, b"hello").unwrap();
    memory.set(page, &1u64).unwrap();
    memory.set(page + 16, &2u32).unwrap();
    assert_eq!(memory.get::<u64>(page).unwrap(), 1);
    assert_eq!(memory.get::<u32>(page + 16).unwrap(), 2);
    write_to_page(&skel, 5);
    assert_eq!(memory.get::<u64>(page).unwrap(), 5);
    assert_eq!(memory.read(page + 8, 5).unwrap(), b"hello");
    // All of it: pages that are not there are allocated now.
    assert_eq!(memory.read(0, SIZE as u32).unwrap().len(), SIZE as usize);
}

fn assert_ranges(memory: &MappedMemory) {
    for (offset, length) in [
        (SIZE, 1),
        (SIZE - 1, 2),
        (0, SIZE as u32 + 1),
        (u64::MAX, 1),
        (u64::MAX - 3, 8),
        (1 << 32, 4),
        (0, u32::MAX),
    ] {
        assert_fails!(memory.read(offset, length), ErrorKind::WrongSize);
    }
    for offset in [SIZE - 3, SIZE, SIZE + 8, u64::MAX - 7] {
        assert_fails!(memory.write(offset, &[0; 8]), ErrorKind::WrongSize);
    }
    for offset in [SIZE, u64::MAX - 7] {
        assert_fails!(memory.get::<u64>(offset), ErrorKind::WrongSize);
        assert_fails!(memory.set(offset, &1u64), ErrorKind::WrongSize);
    }
    // Nothing, at the end, is within.
    assert!(memory.read(SIZE, 0).unwrap().is_empty());
    memory.write(SIZE, &[]).unwrap();
    assert_fails!(memory.read(SIZE + 1, 0), ErrorKind::WrongSize);
}

fn ranges() {
    let skel = attached();
    let memory = skel.maps.arena.mmap().unwrap();
    assert_ranges(&memory);
    drop(skel);
    assert_ranges(&memory);
    // Numbers where they are not aligned: the guest crate would read bytes.
    let map = conformance_guests::raw::create_map(
        "alone",
        types::MapType::Arena,
        0,
        0,
        1,
        BPF_F_MMAPABLE,
    )
    .unwrap();
    let mapping = mapped_memory::Mapping::open(&map).unwrap();
    assert_code!(mapping.read_u64(4), types::ErrorCode::InvalidArgument);
    assert_code!(mapping.write_u64(4, 1), types::ErrorCode::InvalidArgument);
    assert_code!(mapping.read_u32(2), types::ErrorCode::InvalidArgument);
    assert_code!(mapping.write_u32(2, 1), types::ErrorCode::InvalidArgument);
    assert_eq!(mapping.read(0, 16).unwrap(), [0; 16]);
}

/// An arena that no object made.
fn alone() -> MapHandle {
    MapHandle::create(MapType::Arena, "alone", 0, 0, 16, BPF_F_MMAPABLE).unwrap()
}

fn without_object() {
    let map = alone();
    let memory = map.mmap().unwrap();
    assert_ranges(&memory);
    memory.set(PAGE, &5u64).unwrap();
    assert_eq!(memory.get::<u64>(PAGE).unwrap(), 5);
    drop(memory);
    let again = map.mmap().unwrap();
    drop(map);
    assert_eq!(again.get::<u64>(PAGE).unwrap(), 5);
}

fn outlives_object() {
    let skel = attached();
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

/// The kernel keeps the first address, which a handle of another origin does not know.
fn mapped_before() {
    let path = format!("{}/arena", given("bpffs"));
    let map = alone();
    let memory = map.mmap().unwrap();
    memory.set(0, &3u64).unwrap();
    map.pin(&path).unwrap();
    let other = MapHandle::from_pinned_path(&path).unwrap();
    assert_fails!(other.mmap(), ErrorKind::Busy, "alone");
    assert_eq!(memory.get::<u64>(0).unwrap(), 3);
    map.unpin(&path).unwrap();
}
