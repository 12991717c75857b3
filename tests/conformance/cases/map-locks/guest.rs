//! Locks in values.

use wasm_bpf_guest::{ElemFlags, MapCore, MapFlags, Object};

conformance_guests::guest!();

const KEY: [u8; 4] = [1, 0, 0, 0];

fn load() -> Object {
    let open = case::CaseSkelBuilder::new().open().unwrap();
    open.open.load().unwrap()
}

/// `struct locked`; the lock is in its bytes 4 to 8.
fn value(lock: u8, rest: u8) -> Vec<u8> {
    let mut value = vec![rest; 16];
    value[4..8].fill(lock);
    value
}

/// Created under no lock, since there is none yet; replaced under it.
fn whole() {
    let object = load();
    for name in ["by_key", "by_index"] {
        let map = object.map(name).unwrap();
        map.update(&KEY, &value(0, 1), MapFlags::Any).unwrap();
        for rest in [2, 3] {
            let flags = ElemFlags::LOCK | ElemFlags::EXIST;
            map.update_with(&KEY, &value(0, rest), flags).unwrap();
            let seen = map.lookup_with(&KEY, ElemFlags::LOCK).unwrap();
            assert_eq!(seen, Some(value(0, rest)), "{name}");
        }
    }
}

/// A lock that somebody set from outside would never be let go.
fn hidden() {
    let object = load();
    for name in ["by_key", "by_index"] {
        let map = object.map(name).unwrap();
        map.update(&KEY, &value(0xff, 1), MapFlags::Any).unwrap();
        assert_eq!(map.lookup(&KEY).unwrap(), Some(value(0, 1)), "{name}");
        map.update(&KEY, &value(0xff, 2), MapFlags::Any).unwrap();
        // It can be taken.
        let seen = map.lookup_with(&KEY, ElemFlags::LOCK).unwrap();
        assert_eq!(seen, Some(value(0, 2)), "{name}");
        let entries = map.iter().collect::<Result<Vec<_>, _>>().unwrap();
        assert!(entries.contains(&(KEY.to_vec(), value(0, 2))), "{name}");
    }
}

/// Once.
fn taken() {
    let map = load().map("by_key").unwrap();
    map.update(&KEY, &value(0, 5), MapFlags::Any).unwrap();
    let take = || map.lookup_and_delete_with(&KEY, ElemFlags::LOCK).unwrap();
    assert_eq!(take(), Some(value(0, 5)));
    assert_eq!(take(), None);
}
