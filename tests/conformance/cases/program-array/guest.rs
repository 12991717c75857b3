//! Programs in maps.

use conformance_guests::{assert_fails, holds, pull, trigger};
use wasm_bpf_guest::{ErrorKind, MapCore as _, MapFlags, MapHandle, MapType};

conformance_guests::guest!();

/// The object with these programs switched on.
fn open(programs: &[&str]) -> case::OpenCaseSkel {
    let mut open = case::CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    for program in programs {
        let program = open.open.program(program).unwrap();
        program.set_autoload(true).unwrap();
    }
    open
}

fn load(programs: &[&str]) -> case::CaseSkel {
    let mut skel = open(programs).load().unwrap();
    skel.attach().unwrap();
    skel
}

/// How often a tail call came to its target, and how often not.
fn counts(skel: &case::CaseSkel) -> (u64, u64) {
    let bss = skel.bss.get().unwrap();
    (bss.jumped, bss.fell_through)
}

/// The tail call goes where the array says at each moment.
fn stored() {
    let skel = load(&["jump", "target"]);
    holds(&skel.object, &[]);
    let (targets, target) = (&skel.maps.targets, &skel.progs.target);
    let key = 1u32.to_ne_bytes();
    pull(1);
    assert_eq!(counts(&skel), (0, 1));
    assert!(targets.lookup(&key).unwrap().is_none());
    targets.update_program(&key, target, MapFlags::Any).unwrap();
    // What is stored is told by its id.
    let id = target.info().unwrap().id.to_ne_bytes();
    assert_eq!(targets.lookup(&key).unwrap().unwrap(), id);
    pull(2);
    assert_eq!(counts(&skel), (2, 1));
    targets.delete(&key).unwrap();
    pull(1);
    assert_eq!(counts(&skel), (2, 2));
}

/// The kernel puts programs into arrays in one way only, whether there is one already or not.
fn modes() {
    let skel = load(&["target"]);
    let (targets, target) = (&skel.maps.targets, &skel.progs.target);
    let key = 1u32.to_ne_bytes();
    let put = |flags| targets.update_program(&key, target, flags);
    for flags in [MapFlags::NoExist, MapFlags::Exist] {
        assert_fails!(put(flags), ErrorKind::InvalidArgument, "targets");
    }
    assert!(targets.lookup(&key).unwrap().is_none());
    put(MapFlags::Any).unwrap();
    assert_fails!(put(MapFlags::Exist), ErrorKind::InvalidArgument, "targets");
    assert!(targets.lookup(&key).unwrap().is_some());
}

/// Each is refused by its own error, and stores nothing.
fn wrong() {
    let skel = load(&["jump", "target", "of_another_kind"]);
    let (targets, target) = (&skel.maps.targets, &skel.progs.target);
    let key = 1u32.to_ne_bytes();
    // An index past the end.
    assert_fails!(
        targets.update_program(&4u32.to_ne_bytes(), target, MapFlags::Any),
        ErrorKind::Full,
        "targets"
    );
    assert_fails!(
        targets.update_program(&[0; 2], target, MapFlags::Any),
        ErrorKind::WrongSize,
        "targets"
    );
    // The program that uses the array has decided which kind it holds.
    assert_fails!(
        targets.update_program(&key, &skel.progs.of_another_kind, MapFlags::Any),
        ErrorKind::InvalidArgument,
        "targets"
    );
    let other = MapHandle::create(MapType::Hash, "other", 4, 4, 4, 0).unwrap();
    assert_fails!(
        other.update_program(&key, target, MapFlags::Any),
        ErrorKind::NotSupported,
        "other"
    );
    // No number becomes a program: it would be a descriptor of the host.
    for number in 0..16u32 {
        assert_fails!(
            targets.update(&key, &number.to_ne_bytes(), MapFlags::Any),
            ErrorKind::NotSupported
        );
    }
    assert!(targets.lookup(&key).unwrap().is_none());
}

/// The program is still there when its object is gone, and counts until it is taken out.
fn limit_programs() {
    let skel = load(&["jump"]);
    let key = 1u32.to_ne_bytes();
    let other = load(&["target"]);
    skel.maps
        .targets
        .update_program(&key, &other.progs.target, MapFlags::Any)
        .unwrap();
    drop(other);
    pull(1);
    assert_eq!(skel.bss.fell_through.get().unwrap(), 0);
    let third = load(&["target"]);
    assert_fails!(
        open(&["target"]).load(),
        ErrorKind::LimitExceeded,
        "programs"
    );
    drop(third);
    skel.maps.targets.delete(&key).unwrap();
    let _second = load(&["target"]);
    let _third = load(&["target"]);
}

/// The objects are gone at once, but not the maps of what was stored.
fn limit_map_memory() {
    let skel = load(&["jump"]);
    let store = |key: u32| {
        let other = open(&["target"]).load()?;
        let target = &other.progs.target;
        skel.maps
            .targets
            .update_program(&key.to_ne_bytes(), target, MapFlags::Any)
    };
    store(0).unwrap();
    store(1).unwrap();
    assert_fails!(store(2), ErrorKind::LimitExceeded, "map-memory");
    skel.maps.targets.delete(&0u32.to_ne_bytes()).unwrap();
    store(2).unwrap();
    assert_fails!(store(3), ErrorKind::LimitExceeded, "map-memory");
}

fn found() {
    let skel = load(&["jump", "target"]);
    let (targets, target) = (&skel.maps.targets, &skel.progs.target);
    let key = 1u32.to_ne_bytes();
    let found = MapHandle::from_map_id_read_only(targets.info().unwrap().id).unwrap();
    assert!(found.lookup(&key).unwrap().is_none());
    targets.update_program(&key, target, MapFlags::Any).unwrap();
    let id = target.info().unwrap().id.to_ne_bytes();
    assert_eq!(found.lookup(&key).unwrap().unwrap(), id);
    assert_fails!(
        found.update_program(&key, target, MapFlags::Any),
        ErrorKind::NotPermitted
    );
    assert_fails!(found.delete(&key), ErrorKind::NotPermitted);
    pull(1);
    assert_eq!(counts(&skel), (1, 0));
}

/// What is stored by way of it the first handle and the programs see.
fn found_to_change() {
    let skel = load(&["jump", "target"]);
    let (targets, target) = (&skel.maps.targets, &skel.progs.target);
    let key = 1u32.to_ne_bytes();
    let found = MapHandle::from_map_id(targets.info().unwrap().id).unwrap();
    found.update_program(&key, target, MapFlags::Any).unwrap();
    pull(1);
    assert_eq!(counts(&skel), (1, 0));
    found.delete(&key).unwrap();
    assert!(targets.lookup(&key).unwrap().is_none());
    pull(1);
    assert_eq!(counts(&skel), (1, 1));
}
