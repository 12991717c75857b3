//! Large records of ring buffers.

use std::cell::Cell;
use std::time::Duration;

use conformance_guests::raw::{buffers, objects};
use conformance_guests::{pull, trigger};
use wasm_bpf_guest::RingBufferBuilder;
use wasm_bpf_guest::zerocopy::{FromBytes as _, IntoBytes as _};

conformance_guests::guest!();
use case::types::record;
use case::{CaseSkelBuilder, OpenCaseSkel};

/// What is in a large record at this place, behind its number.
fn word(index: usize) -> u64 {
    (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Whether this is a large record of the given number.
fn is_large(bytes: &[u8], number: u64) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut words = words.iter().map(|word| u64::from_ne_bytes(*word));
    rest.is_empty()
        && words.next() == Some(number)
        && words.zip(1..).all(|(found, index)| found == word(index))
}

fn assert_small(bytes: &[u8], number: u64) {
    let record = record::read_from_bytes(bytes).unwrap();
    assert_eq!((record.number, record.check), (number, !number));
}

fn open() -> OpenCaseSkel {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    for (index, place) in open.bss.pattern.iter_mut().enumerate() {
        *place = word(index);
    }
    open
}

/// A small record, a large one, a small one, again and again.
fn large_between_small(open: OpenCaseSkel, size: usize) {
    const ROUNDS: u64 = 10;
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    let next = Cell::new(0);
    let mut builder = RingBufferBuilder::new();
    builder
        .add_counted(&skel.maps.ring, &skel.maps.lost, |bytes| {
            let number = next.get();
            if number % 3 == 1 {
                assert_eq!(bytes.len(), size);
                assert!(is_large(bytes, number));
            } else {
                assert_small(bytes, number);
            }
            next.set(number + 1);
            0
        })
        .unwrap();
    let ring = builder.build().unwrap();
    for round in 1..=ROUNDS {
        pull(1);
        ring.poll(Duration::MAX).unwrap();
        assert_eq!(next.get(), round * 3);
    }
    assert_eq!(ring.lost(), 0);
}

/// Ten of them go around the ring twice.
fn sixty_kib() {
    let open = open();
    open.progs.produce_60k.set_autoload(true).unwrap();
    large_between_small(open, 60 << 10);
}

/// Ten of them go around the ring almost four times.
fn larger_than_a_read() {
    let open = open();
    open.progs.produce_100k.set_autoload(true).unwrap();
    large_between_small(open, 100 << 10);
}

/// The lengths of the records of one read.
fn lengths(packed: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut rest = packed;
    while let Some((header, behind)) = rest.split_first_chunk::<8>() {
        let word = u32::from_ne_bytes(header[..4].try_into().unwrap());
        assert_eq!(word >> 30, 0, "a record, not discarded");
        let length = word as usize;
        assert!(behind.len() >= length.next_multiple_of(8), "not whole");
        lengths.push(length);
        rest = &behind[length.next_multiple_of(8)..];
    }
    assert!(rest.is_empty());
    lengths
}

/// Through the interface itself: the guest crate chooses the size of its reads.
fn max_bytes() {
    let open = objects::OpenObject::open(case::DATA, &objects::OpenOptions::new()).unwrap();
    // The skeleton knows how the variables are laid out.
    open.set_initial_value(".rodata", 0, self::open().rodata.as_bytes())
        .unwrap();
    open.set_autoload("produce_60k", true).unwrap();
    let object = objects::OpenObject::load(open).unwrap();
    let ring = buffers::Ring {
        map: &object.map("ring").unwrap(),
        lost_counter: None,
    };
    let buffer = buffers::RingBuffer::open(&[ring]).unwrap();
    let _link = object.program("produce_60k").unwrap().attach().unwrap();
    pull(2);
    let (small, large) = (size_of::<record>(), 60 << 10);
    let read = |most| lengths(&buffer.poll(Some(0), most).unwrap().packed);
    // Each has a header of 8 bytes.
    assert_eq!(buffer.available(), 2 * (2 * (small + 8) + large + 8) as u64);
    assert_eq!(read(1024), [small], "what follows does not fit");
    assert_eq!(read(1024), [large], "alone and whole");
    assert_eq!(read(1024), [small, small]);
    assert_eq!(read(0), [large], "one at least");
    assert_eq!(read(u32::MAX), [small]);
    assert!(read(u32::MAX).is_empty());
    assert_eq!(buffer.available(), 0);
}
