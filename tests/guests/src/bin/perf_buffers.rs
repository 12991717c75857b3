//! Perf buffers: received and lost make up what was produced, on all CPUs.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use test_guests::raw::{buffers, maps, types};
use test_guests::{assert_fails, case, hear, no_such_case, number, say, trigger};
use wasm_bpf_guest::zerocopy::FromBytes as _;
use wasm_bpf_guest::{ErrorKind, MapHandle, MapType, PerfBuffer, PerfBufferBuilder};

wasm_bpf_guest::include_skeleton!("perf");
use perf::types::record;
use perf::{PerfSkel, PerfSkelBuilder};

fn main() {
    let (case, _) = case();
    match case.as_str() {
        "all-cpus" => all_cpus(),
        "overflow" => overflow(),
        "while-filled" => while_filled(),
        "large" => large(),
        "max-bytes" => max_bytes(),
        "time-out" => time_out(),
        "pollable" => pollable(),
        "limits" => limits(),
        "wrong" => wrong(),
        _ => no_such_case(&case),
    }
}

fn attached(extra: u32) -> PerfSkel {
    let mut open = PerfSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open.rodata.batch = number("BATCH");
    open.rodata.extra = extra;
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    skel
}

/// What arrives, by CPU.
#[derive(Default)]
struct Tally {
    received: BTreeMap<i32, u64>,
    lost: BTreeMap<i32, u64>,
    next: BTreeMap<i32, u64>,
}

impl Tally {
    fn take(&mut self, cpu: i32, bytes: &[u8]) {
        let (record, _) = record::read_from_prefix(bytes).unwrap();
        assert_eq!(record.check, !record.number, "a torn record");
        assert_eq!(record.cpu as i32, cpu, "the source is the CPU");
        let next = self.next.entry(cpu).or_default();
        assert!(record.number >= *next, "out of order or twice");
        *next = record.number + 1;
        *self.received.entry(cpu).or_default() += 1;
    }

    fn received(&self) -> u64 {
        self.received.values().sum()
    }

    fn lost(&self) -> u64 {
        self.lost.values().sum()
    }
}

fn open<'cb>(skel: &PerfSkel, pages: usize, tally: &'cb RefCell<Tally>) -> PerfBuffer<'cb> {
    PerfBufferBuilder::new(&skel.maps.events)
        .pages(pages)
        .sample_cb(|cpu, bytes| tally.borrow_mut().take(cpu, bytes))
        .lost_cb(|cpu, count| {
            assert!(count > 0);
            *tally.borrow_mut().lost.entry(cpu).or_default() += count;
        })
        .build()
        .unwrap()
}

/// The program's own count of what it produced, and of what the kernel did not take, against what came.
fn check(skel: &PerfSkel, perf: &PerfBuffer<'_>, tally: &RefCell<Tally>) {
    let tally = tally.borrow();
    let produced = skel.bss.produced.get().unwrap();
    let refused = skel.bss.refused.get().unwrap();
    assert_eq!(tally.lost(), perf.lost(), "told one by one and in sum");
    assert_eq!(perf.lost(), refused);
    assert_eq!(tally.received() + perf.lost(), produced);
    assert_eq!(perf.available(), 0);
    say(format_args!(
        "received={} lost={} cpus={}",
        tally.received(),
        perf.lost(),
        tally.received.len()
    ));
}

/// The test triggers on each CPU in turn.
fn all_cpus() {
    let skel = attached(0);
    let tally = RefCell::default();
    let perf = open(&skel, 64, &tally);
    say("ready");
    hear("all are made");
    perf.consume().unwrap();
    check(&skel, &perf, &tally);
}

/// Nothing is read until the buffer, a page, is full several times over; then all is made that there is.
fn overflow() {
    let skel = attached(0);
    let tally = RefCell::default();
    let perf = open(&skel, 1, &tally);
    say("ready");
    hear("too many are made");
    perf.consume().unwrap();
    check(&skel, &perf, &tally);
    assert!(perf.lost() > 0, "the buffer cannot have held all");
    // What is lost later is told later.
    let before = perf.lost();
    say("again");
    hear("too many are made");
    perf.consume().unwrap();
    assert!(perf.lost() > before);
    check(&skel, &perf, &tally);
}

/// Read while it is filled as fast as both can.
fn while_filled() {
    let total: u64 = number("TOTAL");
    let skel = attached(0);
    let tally = RefCell::default();
    let perf = open(&skel, 4, &tally);
    say("ready");
    let start = Instant::now();
    while skel.bss.produced.get().unwrap() < total {
        perf.poll(Duration::from_millis(100)).unwrap();
        assert!(start.elapsed() < Duration::from_secs(120));
    }
    perf.consume().unwrap();
    check(&skel, &perf, &tally);
}

/// Records of some KiB go around the end of the buffer, whole.
fn large() {
    let extra: u32 = number("EXTRA");
    let skel = attached(extra);
    let received = Cell::new(0u64);
    let perf = PerfBufferBuilder::new(&skel.maps.events)
        .pages(4)
        .sample_cb(|_, bytes| {
            let (record, rest) = record::read_from_prefix(bytes).unwrap();
            assert_eq!(record.number, received.get());
            assert_eq!(record.check, !record.number);
            // The kernel pads to a multiple of 8, its own 4 bytes of length included.
            let written = size_of::<record>() + extra as usize;
            assert_eq!(bytes.len(), (written + 4).next_multiple_of(8) - 4);
            assert!(rest.iter().all(|byte| *byte == 0));
            received.set(received.get() + 1);
        })
        .build()
        .unwrap();
    for round in 1..=50u64 {
        say(format_args!("round {round}"));
        hear("made");
        perf.poll(Duration::from_secs(10)).unwrap();
        assert_eq!(received.get(), skel.bss.produced.get().unwrap());
    }
    assert_eq!(perf.lost(), 0);
}

fn raw_buffer(skel: &PerfSkel, pages: u32) -> Result<buffers::PerfBuffer, types::Error> {
    // The interface below the guest crate needs a handle of its own kind: a map that only it knows.
    let _ = skel;
    let map = maps::Map::create("events", types::MapType::PerfEventArray, 4, 4, 64, 0).unwrap();
    buffers::PerfBuffer::open(&map, pages)
}

/// Through the interface itself: the guest crate chooses the size of its reads.
fn max_bytes() {
    use test_guests::raw::objects;
    use wasm_bpf_guest::zerocopy::IntoBytes as _;

    let mut variables = PerfSkelBuilder::new().open().unwrap().rodata;
    (variables.trigger_thread, variables.trigger_syscall) = trigger();
    variables.batch = number("BATCH");
    let opened = objects::OpenObject::open(perf::DATA, &objects::OpenOptions::new()).unwrap();
    opened
        .set_initial_value(
            ".rodata",
            0,
            &variables.as_bytes()[..perf::types::rodata::SIZE],
        )
        .unwrap();
    let object = objects::OpenObject::load(opened).unwrap();
    let buffer = buffers::PerfBuffer::open(&object.map("events").unwrap(), 16).unwrap();
    let _link = object.program("produce").unwrap().attach().unwrap();
    say("ready");
    hear("made");
    // 10 records of 24 bytes, which the kernel pads to 28; packed they take 40.
    let read = |most| {
        let records = buffer.poll(Some(0), most).unwrap();
        assert_eq!(records.lost, 0);
        assert!(records.packed.len().is_multiple_of(40));
        records.packed.len() / 40
    };
    assert!(buffer.available() > 0);
    assert_eq!(read(0), 1, "one at least");
    assert_eq!(read(100), 2);
    assert_eq!(read(40 * 3), 3);
    assert_eq!(read(u32::MAX), 4);
    assert_eq!(read(u32::MAX), 0);
    assert_eq!(buffer.available(), 0);
}

fn time_out() {
    let skel = attached(0);
    let tally = RefCell::default();
    let perf = open(&skel, 4, &tally);
    for millis in [0, 1, 50] {
        let start = Instant::now();
        perf.poll(Duration::from_millis(millis)).unwrap();
        assert!(start.elapsed() >= Duration::from_millis(millis));
    }
    assert_eq!(tally.borrow().received(), 0);
    // A record ends a wait.
    say("waiting");
    let start = Instant::now();
    perf.poll(Duration::from_secs(60)).unwrap();
    assert!(start.elapsed() < Duration::from_secs(30));
    assert!(tally.borrow().received() > 0);
}

/// A pollable that somebody holds does not take a wait's wake-up away, and the other way round.
fn pollable() {
    let skel = attached(0);
    let tally = RefCell::default();
    let perf = open(&skel, 4, &tally);
    let ready = perf.subscribe();
    assert!(!ready.ready());
    for round in 0..10 {
        say("made?");
        if round % 2 == 0 {
            ready.block();
            assert!(ready.ready());
            perf.consume().unwrap();
        } else {
            perf.poll(Duration::from_secs(30)).unwrap();
        }
        assert_eq!(tally.borrow().received(), skel.bss.produced.get().unwrap());
        assert!(!ready.ready());
        hear("made");
    }
}

/// Run with `--limit map-memory=4M`.
fn limits() {
    let map = MapHandle::create(MapType::PerfEventArray, "events", 4, 4, 64, 0).unwrap();
    let build = |pages| PerfBufferBuilder::new(&map).pages(pages).build();
    assert_fails!(
        build(1 << 12),
        ErrorKind::LimitExceeded,
        "`events`",
        "map-memory"
    );
    // What was refused takes nothing of the limit, and what is dropped is free again.
    for _ in 0..3 {
        build(64).unwrap();
    }
}

fn wrong() {
    let skel = attached(0);
    for pages in [0, 3, 100, usize::MAX] {
        assert_fails!(
            PerfBufferBuilder::new(&skel.maps.events)
                .pages(pages)
                .build(),
            ErrorKind::InvalidArgument,
            "`events`",
            "power of two"
        );
    }
    assert_fails!(
        PerfBufferBuilder::new(&skel.maps.events)
            .pages(1 << 31)
            .build(),
        ErrorKind::LimitExceeded,
        "`events`"
    );
    assert_fails!(
        PerfBufferBuilder::new(&skel.maps.scratch).build(),
        ErrorKind::InvalidArgument,
        "`scratch`",
        "percpu-array"
    );
    raw_buffer(&skel, 1).unwrap();
    // Two over one map would take each other's places, and the first to go those of both.
    let first = PerfBufferBuilder::new(&skel.maps.events)
        .pages(1)
        .build()
        .unwrap();
    let second = || PerfBufferBuilder::new(&skel.maps.events).pages(1).build();
    assert_fails!(second(), ErrorKind::Busy, "`events`");
    drop(first);
    second().unwrap();
    // An array without a place for any CPU that runs cannot be made smaller than one entry: the first CPU is served.
    let one = MapHandle::create(MapType::PerfEventArray, "one", 4, 4, 1, 0).unwrap();
    PerfBufferBuilder::new(&one).pages(1).build().unwrap();
}
