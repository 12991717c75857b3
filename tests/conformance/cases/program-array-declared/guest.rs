//! Programs that an object puts into its maps.

use conformance_guests::{pull, trigger};
use wasm_bpf_guest::MapCore as _;

conformance_guests::guest!();

/// Nobody stores the program, and it is there until it is deleted.
fn declared() {
    let mut open = case::CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    let counts = || {
        let bss = skel.bss.get().unwrap();
        (bss.jumped, bss.fell_through)
    };
    let key = 3u32.to_ne_bytes();
    let id = skel.progs.target.info().unwrap().id.to_ne_bytes();
    assert_eq!(skel.maps.targets.lookup(&key).unwrap().unwrap(), id);
    pull(2);
    assert_eq!(counts(), (2, 0));
    skel.maps.targets.delete(&key).unwrap();
    pull(1);
    assert_eq!(counts(), (2, 1));
}
