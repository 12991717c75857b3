//! Cgroups in maps.

use conformance_guests::{assert_fails, given, pull, trigger};
use wasm_bpf_guest::{
    Descriptor, ErrorKind, MapCore as _, MapFlags, MapHandle, MapType, open_descriptor,
};

conformance_guests::guest!();

/// The one that the runner made, and which it is not in.
fn empty() -> Descriptor {
    open_descriptor(given("cgroup")).unwrap()
}

/// The folder above it, the root, which everything is in.
fn root() -> Descriptor {
    open_descriptor(given("cgroup") + "/..").unwrap()
}

fn load() -> case::CaseSkel {
    let mut open = case::CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open.load().unwrap()
}

/// At each moment the one that was stored last. The descriptors are gone by then.
fn stored() {
    const AGAIN: i64 = -11;
    let mut skel = load();
    skel.attach().unwrap();
    let answers = || {
        pull(1);
        skel.bss.get().unwrap().answers
    };
    let put = |key: u32, cgroup| {
        let map = &skel.maps.cgroups;
        map.update_cgroup(&key.to_ne_bytes(), &cgroup, MapFlags::Any)
            .unwrap();
    };
    // EAGAIN: there is none.
    assert_eq!(answers(), [AGAIN, AGAIN]);
    put(0, root());
    put(1, empty());
    assert_eq!(answers(), [1, 0]);
    put(0, empty());
    put(1, root());
    assert_eq!(answers(), [0, 1]);
    skel.maps.cgroups.delete(&[0; 4]).unwrap();
    assert_eq!(answers(), [AGAIN, 1]);
}

/// Nothing is stored by any of them.
fn wrong() {
    let skel = load();
    let map = &skel.maps.cgroups;
    let procs = open_descriptor(given("cgroup") + "/cgroup.procs").unwrap();
    for other in [open_descriptor("/usr").unwrap(), procs] {
        let result = map.update_cgroup(&[0; 4], &other, MapFlags::Any);
        assert_fails!(result, ErrorKind::InvalidArgument, "cgroups");
    }
    let result = map.update_cgroup(&[2, 0, 0, 0], &empty(), MapFlags::Any);
    assert_fails!(result, ErrorKind::Full, "cgroups");
    let result = map.update_cgroup(&[0; 5], &empty(), MapFlags::Any);
    assert_fails!(result, ErrorKind::WrongSize, "cgroups");
    for number in 0..16u32 {
        let result = map.update(&[0; 4], &number.to_ne_bytes(), MapFlags::Any);
        assert_fails!(result, ErrorKind::NotSupported, "cgroups");
    }
    for kind in [MapType::Hash, MapType::ProgArray] {
        let other = MapHandle::create(kind, "other", 4, 4, 4, 0).unwrap();
        let result = other.update_cgroup(&[0; 4], &empty(), MapFlags::Any);
        assert_fails!(result, ErrorKind::NotSupported, "other");
    }
}
