//! Timers of BPF programs.

use conformance_guests::assert_fails;
use wasm_bpf_guest::{ErrorKind, MapHandle, Result};

conformance_guests::guest!();

fn load() -> Result<case::CaseSkel> {
    case::CaseSkelBuilder::new().open()?.load()
}

/// The callback may run after the object and the link are gone.
fn limit() {
    let mut skel = load().unwrap();
    skel.attach().unwrap();
    let timers = MapHandle::try_from(&skel.maps.timers).unwrap();
    drop(skel);
    assert_fails!(load(), ErrorKind::LimitExceeded, "programs");
    drop(timers);
    load().unwrap();
}
