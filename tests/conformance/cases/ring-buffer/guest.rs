//! Ring buffers: every record arrives once and in order, or is counted as lost.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use conformance_guests::raw::{buffers, objects};
use conformance_guests::{assert_fails, begin_to_pull, pull, stop_soon, traps_now, trigger};
use wasm_bpf_guest::zerocopy::{FromBytes as _, IntoBytes as _};
use wasm_bpf_guest::{
    ErrorKind, Map, MapCore, MapHandle, MapType, RingBuffer, RingBufferBuilder, stop_requested,
};

conformance_guests::guest!();
use case::types::record;
use case::{CaseSkel, CaseSkelBuilder, OpenCaseSkel};

const BPF_RB_NO_WAKEUP: u64 = 1;

/// Loaded and attached as `choose` says.
fn attached(choose: impl FnOnce(&mut OpenCaseSkel)) -> CaseSkel {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    choose(&mut open);
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    skel
}

/// With the program that fills one ring.
fn producing() -> CaseSkel {
    attached(|open| open.progs.produce.set_autoload(true).unwrap())
}

/// A numbered record, checked.
fn number_of(bytes: &[u8]) -> u64 {
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
            "{number}, not {next}: out of order or twice"
        );
        self.gaps.set(self.gaps.get() + number - next);
        self.next.set(number + 1);
        self.received.set(self.received.get() + 1);
        0
    }

    /// Of so many that were made, each was received or is counted as lost.
    fn check(&self, total: u64, lost: u64) {
        let received = self.received.get();
        assert_eq!(received + lost, total, "received {received}, lost {lost}");
        // The last ones may be among the lost.
        assert_eq!(self.gaps.get() + total - self.next.get(), lost);
    }
}

/// A buffer over the ring and its counter.
fn counted<'cb>(skel: &CaseSkel, tally: &'cb Tally) -> RingBuffer<'cb> {
    let mut builder = RingBufferBuilder::new();
    builder
        .add_counted(&skel.maps.ring, &skel.maps.lost, |bytes| tally.take(bytes))
        .unwrap();
    builder.build().unwrap()
}

/// A buffer that only counts what comes out of the ring.
fn counting<'cb>(skel: &CaseSkel, received: &'cb Cell<u64>) -> RingBuffer<'cb> {
    let mut builder = RingBufferBuilder::new();
    builder
        .add(&skel.maps.ring, |_| {
            received.set(received.get() + 1);
            0
        })
        .unwrap();
    builder.build().unwrap()
}

/// Polls until `total` records were made and nothing is left.
fn drain(skel: &CaseSkel, ring: &RingBuffer<'_>, total: u64) {
    loop {
        ring.poll(Duration::from_millis(20)).unwrap();
        // In this order: what was counted before is in the ring when it is looked into.
        let is_over = skel.bss.produced.get().unwrap() == total;
        if ring.consume_raw().unwrap() == 0 && is_over {
            break;
        }
    }
    // Lost ones are told before a wait at the latest.
    ring.poll(Duration::from_millis(1)).unwrap();
    assert_eq!(ring.available(), 0);
}

/// One call of the interface itself returns all that is pending: as many records as were made, with their headers.
fn all_records() {
    let open = objects::OpenObject::open(case::DATA, &objects::OpenOptions::new()).unwrap();
    let mut variables = CaseSkelBuilder::new().open().unwrap().rodata;
    (variables.trigger_thread, variables.trigger_syscall) = trigger();
    open.set_initial_value(".rodata", 0, variables.as_bytes())
        .unwrap();
    open.set_autoload("produce", true).unwrap();
    let object = objects::OpenObject::load(open).unwrap();
    let ring = buffers::Ring {
        map: &object.map("ring").unwrap(),
        lost_counter: None,
    };
    let buffer = buffers::RingBuffer::open(&[ring]).unwrap();
    let _link = object.program("produce").unwrap().attach().unwrap();
    pull(100);
    // A record of 16 bytes and its header of 8, in the ring as in the list.
    assert_eq!(buffer.available(), 100 * 24);
    let records = buffer.poll(None, u32::MAX).unwrap();
    assert_eq!(records.packed.len(), 100 * 24);
    for (number, entry) in records.packed.chunks(24).enumerate() {
        let length = u32::from_ne_bytes(entry[..4].try_into().unwrap());
        let source = u32::from_ne_bytes(entry[4..8].try_into().unwrap());
        assert_eq!((length, source), (16, 0));
        assert_eq!(number_of(&entry[8..]), number as u64);
    }
    assert_eq!(records.lost, 0, "there is no counter");
    assert_eq!(buffer.available(), 0);
    assert!(buffer.poll(Some(0), u32::MAX).unwrap().packed.is_empty());
}

/// Read while it is filled, as fast as both can.
fn while_filled() {
    const TOTAL: u64 = 10_000;
    let skel = producing();
    let tally = Tally::default();
    let ring = counted(&skel, &tally);
    begin_to_pull(TOTAL);
    drain(&skel, &ring, TOTAL);
    tally.check(TOTAL, ring.lost());
    assert!(tally.received.get() > 0);
}

/// Read only after the ring overflowed.
fn overflow() {
    let skel = producing();
    let tally = Tally::default();
    let told = Cell::new(0);
    let mut builder = RingBufferBuilder::new();
    builder
        .add_counted(&skel.maps.ring, &skel.maps.lost, |bytes| tally.take(bytes))
        .unwrap()
        .on_lost(|count| told.set(told.get() + count));
    let ring = builder.build().unwrap();
    pull(5000);
    drain(&skel, &ring, 5000);
    tally.check(5000, ring.lost());
    // There is room for 64 KiB of records that take 24 bytes; the kernel leaves a little free.
    assert!((2700..=2730).contains(&tally.received.get()));
    // What is lost after that is told after that.
    pull(3000);
    drain(&skel, &ring, 8000);
    tally.check(8000, ring.lost());
    assert_eq!(told.get(), ring.lost(), "told one by one and in sum");
}

/// Read before it can be full, ten times over.
fn nothing_lost() {
    let skel = producing();
    let tally = Tally::default();
    let ring = counted(&skel, &tally);
    for round in 1..=10 {
        pull(2000);
        ring.consume().unwrap();
        assert_eq!(tally.received.get(), round * 2000);
    }
    tally.check(20_000, 0);
    assert_eq!(ring.lost(), 0);
}

/// Even numbers are in one ring and odd ones in the other.
fn two_rings() {
    let skel = attached(|open| open.progs.produce_two.set_autoload(true).unwrap());
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
    builder
        .add_counted(&skel.maps.ring, &skel.maps.lost, |bytes| take(0, bytes))
        .unwrap()
        .add_counted(&skel.maps.second, &skel.maps.lost, |bytes| take(1, bytes))
        .unwrap();
    let ring = builder.build().unwrap();
    // Little enough for both: everything arrives.
    pull(500);
    assert_eq!(ring.consume_raw().unwrap(), 1000);
    assert_eq!(received.each_ref().map(Cell::get), [500, 500]);
    // More than fits.
    pull(4000);
    drain(&skel, &ring, 9000);
    let [first, second] = received.each_ref().map(Cell::get);
    assert!(first > 500 && second > 500, "{first} and {second}");
    assert!(ring.lost() > 0);
    assert_eq!(first + second + ring.lost(), 9000);
}

/// Odd numbers are discarded.
fn discarded() {
    let skel = attached(|open| open.progs.produce_and_discard.set_autoload(true).unwrap());
    let seen = RefCell::new(Vec::new());
    let mut builder = RingBufferBuilder::new();
    builder
        .add(&skel.maps.ring, |bytes| {
            seen.borrow_mut().push(number_of(bytes));
            0
        })
        .unwrap();
    let ring = builder.build().unwrap();
    pull(10);
    ring.consume().unwrap();
    assert_eq!(*seen.borrow(), [0, 2, 4, 6, 8]);
    assert_eq!(ring.available(), 0);
}

/// What a callback answers ends the poll; nothing is lost by that.
fn callback_stops() {
    let skel = producing();
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
    pull(10);
    let error = ring.poll(Duration::MAX).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Other(7)), "{error}");
    assert_eq!(*seen.borrow(), [0, 1, 2]);
    assert_eq!(ring.poll_raw(Duration::MAX).unwrap(), -7);
    assert_eq!(*seen.borrow(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(ring.poll_raw(Duration::MAX).unwrap(), 4);
    assert_eq!(*seen.borrow(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(ring.consume_raw().unwrap(), 0);
}

/// Without records a poll waits for all of its time, and one without time not at all.
fn time_out() {
    let skel = producing();
    let received = Cell::new(0);
    let ring = counting(&skel, &received);
    for millis in [1, 50, 200] {
        let start = Instant::now();
        assert_eq!(ring.poll_raw(Duration::from_millis(millis)).unwrap(), 0);
        assert!(start.elapsed() >= Duration::from_millis(millis));
    }
    assert_eq!(ring.poll_raw(Duration::ZERO).unwrap(), 0);
}

/// The record comes while the poll waits: only the last of many triggers makes it.
fn wake_up() {
    let skel = attached(|open| {
        open.rodata.skip = 9_999;
        open.progs.produce.set_autoload(true).unwrap();
    });
    let received = Cell::new(0);
    let ring = counting(&skel, &received);
    begin_to_pull(10_000);
    assert_eq!(ring.poll_raw(Duration::MAX).unwrap(), 1);
    assert_eq!(received.get(), 1);
}

/// Whoever looks finds the record, although the program wakes nobody up.
fn without_wake_up() {
    let skel = attached(|open| {
        open.rodata.submit_flags = BPF_RB_NO_WAKEUP;
        open.progs.produce.set_autoload(true).unwrap();
    });
    let received = Cell::new(0);
    let ring = counting(&skel, &received);
    let ready = ring.subscribe();
    pull(3);
    assert!(ready.ready());
    assert_eq!(ring.poll_raw(Duration::MAX).unwrap(), 3);
    assert!(!ready.ready());
}

/// Two pollables of one ring do not disturb each other; when the buffer is gone they still see what comes.
fn pollable() {
    let skel = producing();
    let received = Cell::new(0);
    let ring = counting(&skel, &received);
    let (first, second) = (ring.subscribe(), ring.subscribe());
    for round in 1..=5 {
        assert!(!first.ready() && !second.ready());
        begin_to_pull(1);
        first.block();
        second.block();
        assert!(first.ready() && second.ready());
        ring.consume().unwrap();
        assert_eq!(received.get(), round);
    }
    drop(ring);
    assert!(!first.ready());
    begin_to_pull(1);
    first.block();
    assert!(second.ready());
}

fn assert_interrupted(ring: &RingBuffer<'_>) {
    assert!(!stop_requested());
    assert_fails!(ring.poll(Duration::MAX), ErrorKind::Interrupted);
    assert!(stop_requested());
}

/// After the interruption waits wait again.
fn stop_while_polling() {
    let skel = producing();
    let received = Cell::new(0);
    let ring = counting(&skel, &received);
    stop_soon();
    assert_interrupted(&ring);
    let start = Instant::now();
    ring.poll(Duration::from_millis(50)).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(50));
    assert_eq!(received.get(), 0);
}

/// The pollable is ready for the interruption as it is for records.
fn stop_while_subscribed() {
    let skel = producing();
    let received = Cell::new(0);
    let ring = counting(&skel, &received);
    let ready = ring.subscribe();
    stop_soon();
    assert!(!ready.ready());
    ready.block();
    assert!(ready.ready());
    assert!(stop_requested());
    assert_fails!(ring.consume(), ErrorKind::Interrupted);
    assert!(!ready.ready());
}

/// Nothing that was pending is held back by the stop.
fn records_before_stop() {
    let skel = producing();
    let received = Cell::new(0);
    let ring = counting(&skel, &received);
    pull(10);
    stop_soon();
    // Not a wait, which the stop would end.
    while !stop_requested() {}
    assert_fails!(ring.poll(Duration::MAX), ErrorKind::Interrupted);
    assert_eq!(received.get(), 10);
    assert_eq!(ring.available(), 0);
}

/// What is no ring buffer, or no counter, is refused.
fn wrong_maps() {
    let skel = producing();
    let open = |ring: &Map, counter: Option<&dyn MapCore>| {
        let mut builder = RingBufferBuilder::new();
        match counter {
            Some(counter) => builder.add_counted(ring, counter, |_| 0),
            None => builder.add(ring, |_| 0),
        }
        .unwrap();
        builder.build()
    };
    let (ring, lost) = (&skel.maps.ring, &skel.maps.lost);
    assert_fails!(open(lost, None), ErrorKind::InvalidArgument, "lost");
    assert_fails!(open(ring, Some(ring)), ErrorKind::InvalidArgument, "ring");
    for (kind, value) in [(MapType::PercpuArray, 4), (MapType::Array, 8)] {
        let counter = MapHandle::create(kind, "counter", 4, value, 1, 0).unwrap();
        assert_fails!(
            open(ring, Some(&counter)),
            ErrorKind::InvalidArgument,
            "counter"
        );
    }
    assert_fails!(RingBufferBuilder::new().build(), ErrorKind::InvalidArgument);
    let rings = |count| {
        let mut builder = RingBufferBuilder::new();
        for _ in 0..count {
            builder.add(ring, |_| 0).unwrap();
        }
        builder.build()
    };
    assert_fails!(rings(65), ErrorKind::InvalidArgument);
    rings(64).unwrap();
    open(ring, Some(lost)).unwrap();
}

/// A ring that no program writes to.
fn quiet_ring(bytes: u32) -> wasm_bpf_guest::Result<RingBuffer<'static>> {
    let map = MapHandle::create(MapType::Ringbuf, "quiet", 0, 0, bytes, 0)?;
    let mut builder = RingBufferBuilder::new();
    builder.add(&map, |_| 0)?;
    builder.build()
}

/// Each buffer takes a descriptor at least: the limit is met at some point, and not by those that are gone.
fn limit() {
    for _ in 0..100 {
        quiet_ring(4096).unwrap();
    }
    let map = MapHandle::create(MapType::Ringbuf, "quiet", 0, 0, 4096, 0).unwrap();
    let open = || {
        let mut builder = RingBufferBuilder::new();
        builder.add(&map, |_| 0)?;
        builder.build()
    };
    let mut kept = Vec::new();
    let error = loop {
        match open() {
            Ok(ring) => kept.push(ring),
            Err(error) => break error,
        }
        assert!(kept.len() <= 64);
    };
    assert_fails!(Err::<(), _>(error), ErrorKind::LimitExceeded, "descriptors");
    kept.clear();
    open().unwrap();
}

/// Four rings of a quarter of the limit are too many, as each takes a little more than what it holds.
fn pollables_keep_rings() {
    let pollable = || Ok(quiet_ring(256 << 10)?.subscribe());
    let kept = [(); 3].map(|()| pollable().unwrap());
    assert_fails!(pollable(), ErrorKind::LimitExceeded, "map-memory");
    drop(kept);
    pollable().unwrap();
}

/// Those that are dropped do not count.
fn too_many_pollables() {
    let ring = quiet_ring(4096).unwrap();
    for _ in 0..200 {
        drop(ring.subscribe());
    }
    traps_now();
    let _kept = [(); 65].map(|()| ring.subscribe());
}
