//! Queues and stacks.

use conformance_guests::{assert_code, pull, raw, trigger};
use raw::maps::Map;
use raw::types::{ErrorCode, MapType};

conformance_guests::guest!();

fn map(kind: MapType, key: u32) -> Map {
    raw::create_map("tested", kind, key, 4, 3, 0).unwrap()
}

/// Three values, and a fourth that one has to go for.
fn order() {
    for (kind, is_queue) in [(MapType::Queue, true), (MapType::Stack, false)] {
        let map = map(kind, 0);
        assert_eq!((map.peek().unwrap(), map.pop().unwrap()), (None, None));
        for value in [1, 2, 3] {
            map.push(&[value; 4], false).unwrap();
        }
        assert_code!(map.push(&[4; 4], false), ErrorCode::Full);
        let next = if is_queue { [1; 4] } else { [3; 4] };
        assert_eq!(map.peek().unwrap().unwrap(), next);
        map.push(&[4; 4], true).unwrap();
        let expected = if is_queue { [2, 3, 4] } else { [4, 3, 2] };
        for value in expected {
            assert_eq!(map.peek().unwrap().unwrap(), [value; 4]);
            assert_eq!(map.pop().unwrap().unwrap(), [value; 4]);
        }
        assert_eq!((map.peek().unwrap(), map.pop().unwrap()), (None, None));
    }
}

/// The kernel would read past the end of what is too short.
fn refused() {
    for kind in [MapType::Queue, MapType::Stack] {
        let map = map(kind, 0);
        for length in [0, 3, 5, 4096] {
            for drop_oldest in [false, true] {
                let push = map.push(&vec![0; length], drop_oldest);
                assert_code!(push, ErrorCode::WrongSize);
            }
        }
        assert_code!(map.contains(&[0; 4]), ErrorCode::NotSupported);
        assert_eq!(map.pop().unwrap(), None, "nothing came in");
    }
}

/// Those functions would read keys that are not there.
fn other_kinds() {
    for kind in [MapType::Hash, MapType::Array, MapType::ProgArray] {
        let map = map(kind, 4);
        assert_code!(map.push(&[0; 4], false), ErrorCode::NotSupported);
        assert_code!(map.push(&[0; 4], true), ErrorCode::NotSupported);
        assert_code!(map.pop(), ErrorCode::NotSupported);
        assert_code!(map.peek(), ErrorCode::NotSupported);
    }
}

/// A program answers each order.
fn from_programs() {
    let mut open = case::CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    for order in [10, 20, 30] {
        skel.maps.orders.push(&order).unwrap();
    }
    // The last call finds no order.
    pull(4);
    assert_eq!(skel.maps.orders.pop().unwrap(), None);
    for answer in [31, 21, 11] {
        assert_eq!(skel.maps.answers.pop().unwrap(), Some(answer));
    }
    assert_eq!(skel.maps.answers.pop().unwrap(), None);
}
