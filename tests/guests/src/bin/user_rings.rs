//! User ring buffers: what a component sends arrives, in order, or is refused.

use test_guests::{assert_fails, case, hear, no_such_case, say, trigger};
use wasm_bpf_guest::{ErrorKind, MapCore as _, UserRingBuffer};

wasm_bpf_guest::include_skeleton!("commands");
use commands::{CommandsSkel, CommandsSkelBuilder};

fn main() {
    let (case, _) = case();
    match case.as_str() {
        "in-order" => in_order(),
        "full" => full(),
        "wrong" => wrong(),
        "pollables" => pollables(),
        _ => no_such_case(&case),
    }
}

fn attached() -> CommandsSkel {
    let mut open = CommandsSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    skel
}

/// A number, and bytes behind it.
fn record(number: u64, length: usize) -> Vec<u8> {
    let mut record = number.to_ne_bytes().to_vec();
    record.resize(length, 0xa5);
    record
}

fn in_order() {
    let skel = attached();
    let ring = UserRingBuffer::new(&skel.maps.commands).unwrap();
    let mut sent = 0;
    for round in 0..40u64 {
        for length in [8, 9, 100, 500] {
            if round % 2 == 0 {
                ring.write(&record(sent, length)).unwrap();
            } else {
                let mut sample = ring.reserve(length).unwrap();
                sample.copy_from_slice(&record(sent, length));
                ring.submit(sample).unwrap();
                // One that is dropped was never there.
                drop(ring.reserve(length).unwrap());
            }
            sent += 1;
        }
        say("sent");
        hear("drained");
        assert_eq!(skel.bss.received.get().unwrap(), sent);
    }
    assert_eq!(skel.bss.sum.get().unwrap(), sent * (sent - 1) / 2);
    assert_eq!(skel.bss.wrong.get().unwrap(), 0);
}

fn full() {
    let skel = attached();
    let ring = UserRingBuffer::new(&skel.maps.commands).unwrap();
    let has_room = ring.subscribe();
    assert!(has_room.ready());
    let mut sent = 0;
    let error = loop {
        match ring.write(&record(sent, 56)) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error.kind(), ErrorKind::NoSpace), "{error}");
    // 64 bytes each with the header.
    assert_eq!(sent, 4096 / 64);
    assert!(!has_room.ready());
    say("sent");
    has_room.block();
    hear("drained");
    assert_eq!(skel.bss.received.get().unwrap(), sent);
    ring.write(&record(sent, 56)).unwrap();
    // As large as the ring, its header included, and a byte more.
    say("sent");
    hear("drained");
    ring.write(&record(sent + 1, 4088)).unwrap();
    say("sent");
    hear("drained");
    assert_eq!(skel.bss.received.get().unwrap(), sent + 2);
    assert_eq!(skel.bss.wrong.get().unwrap(), 0);
}

/// Run with `--limit descriptors=64`.
fn pollables() {
    let skel = attached();
    let ring = UserRingBuffer::new(&skel.maps.commands).unwrap();
    // Those that are dropped are free again.
    for _ in 0..200 {
        drop(ring.subscribe());
    }
    let _kept = (0..200).map(|_| ring.subscribe()).collect::<Vec<_>>();
    unreachable!("a component that passes this limit ends");
}

fn wrong() {
    let skel = attached();
    let ring = UserRingBuffer::new(&skel.maps.commands).unwrap();
    for length in [4089, 4096, 1 << 20] {
        assert_fails!(ring.write(&record(0, length)), ErrorKind::WrongSize);
    }
    ring.write(&[]).unwrap();
    let hash = wasm_bpf_guest::MapHandle::create(wasm_bpf_guest::MapType::Hash, "hash", 4, 4, 1, 0)
        .unwrap();
    assert_fails!(
        UserRingBuffer::new(&hash),
        ErrorKind::InvalidArgument,
        "`hash`",
        "user-ringbuf"
    );
    assert_fails!(skel.maps.commands.lookup(&[]), ErrorKind::NotSupported);
}
