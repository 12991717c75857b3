//! Arenas in which pages that no program allocated stay absent.

use conformance_guests::{assert_fails, call_target};
use wasm_bpf_guest::{ErrorKind, MapCore as _};

conformance_guests::guest!();
use case::CaseSkelBuilder;

const PAGE: u64 = 4096;
const SIZE: u64 = 16 * PAGE;

/// An answer, not the end of the host.
fn holes() {
    let mut skel = CaseSkelBuilder::new().open().unwrap().load().unwrap();
    skel.attach().unwrap();
    let memory = skel.maps.arena.mmap().unwrap();
    assert_fails!(memory.read(0, 1), ErrorKind::NotFound, "arena");
    assert_fails!(memory.read(0, SIZE as u32), ErrorKind::NotFound, "arena");
    assert_fails!(memory.write(PAGE, &[1; 64]), ErrorKind::NotFound, "arena");
    for page in (0..SIZE).step_by(PAGE as usize) {
        assert_fails!(memory.get::<u64>(page), ErrorKind::NotFound, "arena");
        assert_fails!(memory.set(page, &1u64), ErrorKind::NotFound, "arena");
        assert_fails!(memory.get::<u32>(page), ErrorKind::NotFound, "arena");
        assert_fails!(memory.set(page, &1u32), ErrorKind::NotFound, "arena");
    }
    // Now a program allocates a page.
    skel.bss.value.set(&99).unwrap();
    call_target(1);
    assert_eq!(skel.bss.turns.get().unwrap(), 1);
    let pages = (0..SIZE).step_by(PAGE as usize);
    let pages = pages.filter(|page| memory.get::<u64>(*page).is_ok());
    let pages = pages.collect::<Vec<_>>();
    let [page] = pages[..] else {
        panic!("one page is there, not {pages:?}");
    };
    assert_eq!(memory.get::<u64>(page).unwrap(), 99);
    memory.write(page + 8, b"hello").unwrap();
    assert_eq!(memory.read(page + 8, 5).unwrap(), b"hello");
    // Into the hole behind it, if it is not the last.
    if page + PAGE < SIZE {
        assert_fails!(memory.read(page, PAGE as u32 + 1), ErrorKind::NotFound);
        assert_fails!(
            memory.write(page + PAGE - 96, &[0; 200]),
            ErrorKind::NotFound
        );
    }
}
