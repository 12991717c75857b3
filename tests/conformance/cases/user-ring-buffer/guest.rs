//! User ring buffers: what a component sends to programs arrives in order, or is refused.

use conformance_guests::{assert_fails, begin_to_pull, pull, stop_soon, traps_now, trigger};
use wasm_bpf_guest::{ErrorKind, MapCore as _, MapHandle, MapType, UserRingBuffer, stop_requested};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

fn attached() -> (CaseSkel, UserRingBuffer) {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    let ring = UserRingBuffer::new(&skel.maps.commands).unwrap();
    (skel, ring)
}

/// A number, and bytes behind it.
fn record(number: u64, length: usize) -> Vec<u8> {
    let mut record = number.to_ne_bytes().to_vec();
    record.resize(length, 0xa5);
    record
}

fn assert_received(skel: &CaseSkel, count: u64) {
    assert_eq!(skel.bss.received.get().unwrap(), count);
    assert_eq!(skel.bss.wrong.get().unwrap(), 0);
}

/// Six of them take some 300 bytes; thirty times that goes around the ring twice.
fn in_order() {
    let (skel, ring) = attached();
    let mut sent = 0;
    for round in 0..30 {
        for length in [8, 9, 100] {
            ring.write(&record(sent, length)).unwrap();
            // The same in the component's own memory first.
            let mut sample = ring.reserve(length).unwrap();
            sample.copy_from_slice(&record(sent + 1, length));
            ring.submit(sample).unwrap();
            // One that is dropped was never there.
            drop(ring.reserve(length).unwrap());
            sent += 2;
        }
        pull(1);
        assert_received(&skel, (round + 1) * 6);
        assert_eq!(skel.bss.last_length.get().unwrap(), 100);
    }
}

fn full() {
    let (skel, ring) = attached();
    let has_room = ring.subscribe();
    assert!(has_room.ready());
    // 64 bytes each with the header.
    for number in 0..4096 / 64 {
        ring.write(&record(number, 56)).unwrap();
    }
    assert_fails!(ring.write(&record(64, 56)), ErrorKind::NoSpace);
    assert!(!has_room.ready());
    begin_to_pull(1);
    has_room.block();
    assert!(has_room.ready());
    // The program may have been in the middle of it.
    pull(1);
    assert_received(&skel, 64);
    ring.write(&record(64, 56)).unwrap();
    pull(1);
    assert_received(&skel, 65);
}

fn sizes() {
    let (skel, ring) = attached();
    for length in [4089, 4096, 1 << 20] {
        assert_fails!(ring.write(&record(0, length)), ErrorKind::WrongSize);
    }
    ring.write(&record(0, 4088)).unwrap();
    pull(1);
    assert_received(&skel, 1);
    // An empty one is one; the program here has no use for it.
    ring.write(&[]).unwrap();
    ring.write(&record(1, 8)).unwrap();
    pull(1);
    assert_received(&skel, 2);
}

fn wrong_maps() {
    let hash = MapHandle::create(MapType::Hash, "hash", 4, 4, 1, 0).unwrap();
    assert_fails!(
        UserRingBuffer::new(&hash),
        ErrorKind::InvalidArgument,
        "hash"
    );
    let ring = MapHandle::create(MapType::Ringbuf, "down", 0, 0, 4096, 0).unwrap();
    assert_fails!(
        UserRingBuffer::new(&ring),
        ErrorKind::InvalidArgument,
        "down"
    );
    let ring = MapHandle::create(MapType::UserRingbuf, "up", 0, 0, 4096, 0).unwrap();
    assert_fails!(ring.lookup(&[]), ErrorKind::NotSupported, "up");
}

/// One that no program drains.
fn quiet_map() -> MapHandle {
    MapHandle::create(MapType::UserRingbuf, "quiet", 0, 0, 4096, 0).unwrap()
}

fn pollable() {
    let (skel, ring) = attached();
    let has_room = ring.subscribe();
    ring.write(&record(0, 4088)).unwrap();
    drop(ring);
    assert!(!has_room.ready());
    begin_to_pull(1);
    has_room.block();
    pull(1);
    assert_received(&skel, 1);
    // Nothing else is left of this one.
    let ring = UserRingBuffer::new(&quiet_map()).unwrap();
    let has_room = ring.subscribe();
    ring.write(&[0; 4088]).unwrap();
    drop(ring);
    assert!(!has_room.ready());
}

/// Each ring buffer takes a descriptor at least: the limit is met at some point, and not by those that are gone.
fn limit() {
    let map = quiet_map();
    for _ in 0..100 {
        UserRingBuffer::new(&map).unwrap();
    }
    let mut kept = Vec::new();
    let error = loop {
        match UserRingBuffer::new(&map) {
            Ok(ring) => kept.push(ring),
            Err(error) => break error,
        }
        assert!(kept.len() <= 64);
    };
    assert_fails!(Err::<(), _>(error), ErrorKind::LimitExceeded, "descriptors");
    kept.clear();
    UserRingBuffer::new(&map).unwrap();
}

/// Those that are dropped do not count.
fn too_many_pollables() {
    let ring = UserRingBuffer::new(&quiet_map()).unwrap();
    for _ in 0..200 {
        drop(ring.subscribe());
    }
    traps_now();
    let _kept = [(); 65].map(|()| ring.subscribe());
}

/// Nobody makes room.
fn stop_while_subscribed() {
    let ring = UserRingBuffer::new(&quiet_map()).unwrap();
    ring.write(&[0; 4088]).unwrap();
    let has_room = ring.subscribe();
    stop_soon();
    assert!(!has_room.ready());
    has_room.block();
    assert!(stop_requested());
}
