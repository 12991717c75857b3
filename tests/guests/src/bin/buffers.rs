//! Ring buffers: nothing is lost without being counted, nothing comes twice or out of order.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use test_guests::raw::{buffers, maps, objects};
use test_guests::{assert_fails, case, hear, no_such_case, number, say, trigger};
use wasm_bpf_guest::zerocopy::{FromBytes as _, IntoBytes as _};
use wasm_bpf_guest::{ErrorKind, MapCore as _, Result, RingBufferBuilder};

wasm_bpf_guest::include_skeleton!("records");
use records::types::record;
use records::{OpenRecordsSkel, RecordsSkel, RecordsSkelBuilder};

/// How long the producer may take; it is a thread of the test.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() {
    let (case, _) = case();
    match case.as_str() {
        "in-order" => in_order(),
        "late" => late(),
        "paced" => paced(),
        "two-rings" => two_rings(),
        "large" => large(|open| open.progs.produce_60k.set_autoload(true), 60 << 10),
        "larger-than-a-read" => large(|open| open.progs.produce_100k.set_autoload(true), 100 << 10),
        "max-bytes" => max_bytes(),
        "negative-answer" => negative_answer(),
        "time-out" => time_out(),
        "wrong-maps" => wrong_maps(),
        "pollables" => pollables(),
        _ => no_such_case(&case),
    }
}

fn open(total: u64) -> OpenRecordsSkel {
    let mut open = RecordsSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open.rodata.batch = number("BATCH");
    open.rodata.total = total;
    open
}

/// Attached to the trigger, with rings of this many bytes.
fn attached(
    ring_size: u32,
    total: u64,
    choose: impl FnOnce(&OpenRecordsSkel) -> Result<()>,
) -> RecordsSkel {
    let open = open(total);
    open.maps.ring.set_max_entries(ring_size).unwrap();
    open.maps.second.set_max_entries(ring_size).unwrap();
    choose(&open).unwrap();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    skel
}

fn produced(skel: &RecordsSkel) -> u64 {
    let value = skel.maps.produced.lookup(&[0; 4]).unwrap().unwrap();
    u64::from_ne_bytes(value.try_into().unwrap())
}

/// Run with `--limit map-memory=1M`: a pollable keeps its ring, which goes on counting.
fn pollables() {
    let ring = || {
        let map = wasm_bpf_guest::MapHandle::create(
            wasm_bpf_guest::MapType::Ringbuf,
            "ring",
            0,
            0,
            256 << 10,
            0,
        )?;
        let mut builder = RingBufferBuilder::new();
        builder.add(&map, |_| 0)?;
        Ok::<_, wasm_bpf_guest::Error>(builder.build()?.subscribe())
    };
    let kept = [ring().unwrap(), ring().unwrap(), ring().unwrap()];
    assert_fails!(ring(), ErrorKind::LimitExceeded, "map-memory");
    drop(kept);
    ring().unwrap();
}

/// A numbered record, checked.
fn number_of(bytes: &[u8]) -> u64 {
    assert_eq!(bytes.len(), size_of::<record>());
    let record = record::read_from_bytes(bytes).unwrap();
    assert_eq!(record.check, !record.number, "a torn record");
    record.number
}

/// What arrives, and what does not.
#[derive(Default)]
struct Tally {
    received: Cell<u64>,
    next: Cell<u64>,
    gaps: Cell<u64>,
}

impl Tally {
    fn take(&self, bytes: &[u8]) -> i32 {
        let number = number_of(bytes);
        let next = self.next.get();
        assert!(
            number >= next,
            "{number} after {}: out of order or twice",
            next - 1
        );
        self.gaps.set(self.gaps.get() + number - next);
        self.next.set(number + 1);
        self.received.set(self.received.get() + 1);
        0
    }

    /// Says what came, after all came.
    fn check(&self, total: u64, lost: u64) {
        let received = self.received.get();
        // The end may be missing too.
        let gaps = self.gaps.get() + total - self.next.get();
        assert_eq!(received + lost, total, "received {received}, lost {lost}");
        assert_eq!(gaps, lost);
        say(format_args!("received={received} lost={lost}"));
    }
}

/// Polls until all `total` records were made and nothing is left.
fn drain(skel: &RecordsSkel, ring: &wasm_bpf_guest::RingBuffer<'_>, total: u64) {
    let start = Instant::now();
    loop {
        ring.poll(Duration::from_millis(100)).unwrap();
        // In this order: what was made before is in the ring when it is looked into.
        let is_over = produced(skel) == total;
        if ring.consume_raw().unwrap() == 0 && is_over {
            break;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "{} of {total} records were made",
            produced(skel)
        );
    }
    // Lost ones are told before a wait at the latest.
    ring.consume().unwrap();
    assert_eq!(ring.available(), 0);
}

fn one_ring(ring_size: u32, total: u64, before: impl FnOnce(&RecordsSkel)) {
    let skel = attached(ring_size, total, |open| {
        open.progs.produce.set_autoload(true)
    });
    before(&skel);
    let tally = Tally::default();
    let told = Cell::new(0);
    let mut builder = RingBufferBuilder::new();
    builder
        .add_counted(&skel.maps.ring, &skel.maps.lost, |bytes| tally.take(bytes))
        .unwrap()
        .on_lost(|count| told.set(told.get() + count));
    let ring = builder.build().unwrap();
    drain(&skel, &ring, total);
    assert_eq!(told.get(), ring.lost());
    tally.check(total, ring.lost());
}

/// Drained while it is filled, as fast as both can.
fn in_order() {
    one_ring(64 << 10, number("TOTAL"), |_| say("ready"));
}

/// Drained only after it overflowed, and then while it is filled.
fn late() {
    one_ring(64 << 10, number("TOTAL"), |skel| {
        say("ready");
        hear("half is made");
        assert!(produced(skel) > 0);
    });
}

/// The producer waits for the consumer whenever the ring could get full.
fn paced() {
    let total = number("TOTAL");
    let step: u64 = number("STEP");
    let skel = attached(256 << 10, total, |open| {
        open.progs.produce.set_autoload(true)
    });
    let tally = Tally::default();
    let mut builder = RingBufferBuilder::new();
    builder
        .add_counted(&skel.maps.ring, &skel.maps.lost, |bytes| tally.take(bytes))
        .unwrap();
    let ring = builder.build().unwrap();
    say("ready");
    let start = Instant::now();
    let mut goal = step.min(total);
    loop {
        ring.poll(Duration::from_millis(100)).unwrap();
        while tally.received.get() >= goal && goal < total {
            say(format_args!("received {goal}"));
            goal = (goal + step).min(total);
        }
        if tally.received.get() >= total {
            break;
        }
        assert!(start.elapsed() < PATIENCE);
    }
    drain(&skel, &ring, total);
    tally.check(total, ring.lost());
}

/// One buffer over both: even numbers in one ring, odd ones in the other.
fn two_rings() {
    let total = number("TOTAL");
    let skel = attached(64 << 10, total, |open| {
        open.progs.produce_two.set_autoload(true)
    });
    let next = [Cell::new(0), Cell::new(1)];
    let received = [Cell::new(0), Cell::new(0)];
    let take = |ring: usize, bytes: &[u8]| {
        let number = number_of(bytes);
        assert_eq!(number % 2, ring as u64, "a record of the other ring");
        assert!(number >= next[ring].get(), "out of order or twice");
        next[ring].set(number + 2);
        received[ring].set(received[ring].get() + 1);
        0
    };
    let mut builder = RingBufferBuilder::new();
    // They share the counter, which must be counted once.
    builder
        .add_counted(&skel.maps.ring, &skel.maps.lost, |bytes| take(0, bytes))
        .unwrap()
        .add_counted(&skel.maps.second, &skel.maps.lost, |bytes| take(1, bytes))
        .unwrap();
    let ring = builder.build().unwrap();
    say("ready");
    drain(&skel, &ring, total);
    let [first, second] = received.each_ref().map(Cell::get);
    let lost = ring.lost();
    assert!(first > 0 && second > 0, "{first} and {second}");
    assert_eq!(first + second + lost, total);
    say(format_args!("received={} lost={lost}", first + second));
}

/// The pattern that the program fills a large record with.
fn is_pattern(bytes: &[u8], number: u64) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    rest.is_empty()
        && words.iter().zip(1u64..).all(|(word, index)| {
            let expected = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            u64::from_ne_bytes(*word) == expected.wrapping_add(number)
        })
}

/// Large records between small ones, whole and in order.
fn large(choose: impl FnOnce(&OpenRecordsSkel) -> Result<()>, size: usize) {
    const ROUNDS: u64 = 20;
    let total = ROUNDS * 3;
    let skel = attached(256 << 10, total, choose);
    let next = Cell::new(0);
    let mut builder = RingBufferBuilder::new();
    builder
        .add_counted(&skel.maps.ring, &skel.maps.lost, |bytes| {
            let number = next.get();
            if number % 3 == 1 {
                assert_eq!(bytes.len(), size);
                assert!(is_pattern(bytes, number));
            } else {
                assert_eq!(number_of(bytes), number);
            }
            next.set(number + 1);
            0
        })
        .unwrap();
    let ring = builder.build().unwrap();
    say("ready");
    let start = Instant::now();
    while next.get() < total {
        ring.poll(Duration::from_millis(100)).unwrap();
        if next.get().is_multiple_of(3) {
            say(format_args!("received {}", next.get()));
        }
        assert!(start.elapsed() < PATIENCE);
    }
    assert_eq!((produced(&skel), ring.lost()), (total, 0));
}

/// The lengths of the records of one read.
fn lengths(packed: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut rest = packed;
    while let Some((header, behind)) = rest.split_first_chunk::<8>() {
        let word = u32::from_ne_bytes(header[..4].try_into().unwrap());
        assert_eq!(word >> 30, 0, "neither busy nor discarded");
        let length = word as usize;
        assert!(behind.len() >= length.next_multiple_of(8), "not whole");
        lengths.push(length);
        rest = &behind[length.next_multiple_of(8)..];
    }
    assert!(rest.is_empty());
    lengths
}

/// A record larger than what a read may return comes alone and whole. Through the interface itself: the guest crate
/// chooses the size of its reads.
fn max_bytes() {
    let (object, ring) = raw_object("produce_60k");
    let program = object.program("produce_60k").unwrap();
    let _link = program.attach().unwrap().expect("the section has a target");
    let buffer = buffers::RingBuffer::open(&[buffers::Ring {
        map: &ring,
        lost_counter: None,
    }])
    .unwrap();
    say("ready");
    hear("all are made");
    let small = size_of::<record>();
    let read = |most| {
        let records = buffer.poll(Some(0), most).unwrap();
        assert_eq!(records.lost, 0, "there is no counter");
        lengths(&records.packed)
    };
    let frame = |length: usize| (length.next_multiple_of(8) + 8) as u64;
    assert_eq!(
        buffer.available(),
        2 * (2 * frame(small) + frame(60 << 10)),
        "two rounds"
    );
    assert_eq!(read(1024), [small], "what follows does not fit");
    assert_eq!(read(1024), [60 << 10], "alone and whole");
    assert_eq!(read(1024), [small, small]);
    assert_eq!(read(0), [60 << 10], "one at least");
    assert_eq!(read(u32::MAX), [small]);
    assert!(read(u32::MAX).is_empty());
    assert_eq!(buffer.available(), 0);
}

fn raw_object(program: &str) -> (objects::Object, maps::Map) {
    let options = objects::OpenOptions::new();
    let open = objects::OpenObject::open(records::DATA, &options).unwrap();
    open.set_autoload(program, true).unwrap();
    // The skeleton knows how the variables are laid out.
    let mut variables = self::open(6).rodata;
    variables.batch = 1;
    open.set_initial_value(".rodata", 0, variables.as_bytes())
        .unwrap();
    let object = objects::OpenObject::load(open).unwrap();
    let ring = object.map("ring").unwrap();
    (object, ring)
}

/// A callback that answers a negative number stops the poll; what comes later is kept.
fn negative_answer() {
    let total = 10;
    let skel = attached(64 << 10, total, |open| {
        open.progs.produce.set_autoload(true)
    });
    let seen = RefCell::new(Vec::new());
    let mut builder = RingBufferBuilder::new();
    builder
        .add(&skel.maps.ring, |bytes| {
            let number = number_of(bytes);
            seen.borrow_mut().push(number);
            if number == 2 || number == 5 { -7 } else { 0 }
        })
        .unwrap();
    let ring = builder.build().unwrap();
    say("ready");
    hear("all are made");
    let error = assert_fails!(ring.poll(Duration::MAX), ErrorKind::Other(7), "-7");
    assert!(!error.is_interrupted());
    assert_eq!(*seen.borrow(), [0, 1, 2]);
    assert_eq!(ring.poll_raw(Duration::MAX).unwrap(), -7);
    assert_eq!(*seen.borrow(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(ring.poll_raw(Duration::MAX).unwrap(), 4);
    assert_eq!(*seen.borrow(), (0..total).collect::<Vec<_>>());
    assert_eq!(ring.consume_raw().unwrap(), 0);
}

/// A poll with nothing to return lasts as long as it was told to, and no call returns at once for nothing.
fn time_out() {
    let skel = attached(64 << 10, 1, |open| open.progs.produce.set_autoload(true));
    let mut builder = RingBufferBuilder::new();
    builder.add(&skel.maps.ring, |_| 0).unwrap();
    let ring = builder.build().unwrap();
    let start = Instant::now();
    assert_eq!(ring.poll_raw(Duration::from_millis(300)).unwrap(), 0);
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(ring.consume_raw().unwrap(), 0);
    let ready = ring.subscribe();
    assert!(!ready.ready());
    say("ready");
    ready.block();
    assert!(ready.ready());
    assert!(ring.available() > 0);
    assert_eq!(ring.poll_raw(Duration::MAX).unwrap(), 1);
    assert!(!ready.ready());
}

/// What is no ring buffer, or no counter, is refused.
fn wrong_maps() {
    let skel = attached(64 << 10, 1, |open| open.progs.produce.set_autoload(true));
    let open = |counter: Option<&wasm_bpf_guest::Map>, ring: &wasm_bpf_guest::Map| {
        let mut builder = RingBufferBuilder::new();
        match counter {
            Some(counter) => builder.add_counted(ring, counter, |_| 0),
            None => builder.add(ring, |_| 0),
        }
        .unwrap();
        builder.build()
    };
    let maps = &skel.maps;
    assert_fails!(
        open(None, &maps.lost),
        ErrorKind::InvalidArgument,
        "`lost`",
        "percpu-array"
    );
    assert_fails!(
        open(Some(&maps.produced), &maps.ring),
        ErrorKind::InvalidArgument,
        "`produced`"
    );
    assert_fails!(
        RingBufferBuilder::new().build(),
        ErrorKind::InvalidArgument,
        "0 rings"
    );
    let mut builder = RingBufferBuilder::new();
    for _ in 0..65 {
        builder.add(&maps.ring, |_| 0).unwrap();
    }
    assert_fails!(builder.build(), ErrorKind::InvalidArgument, "65 rings");
    open(Some(&maps.lost), &maps.ring).unwrap();
}
