//! Perf buffers: every record arrives, on whichever CPU it was made, or is counted as lost.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use conformance_guests::raw::{buffers, objects};
use conformance_guests::{
    assert_fails, begin_to_pull, cpus, pull, pull_on, stop_soon, traps_now, trigger,
};
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::io::poll::poll;
use wasm_bpf_guest::zerocopy::{FromBytes as _, IntoBytes as _};
use wasm_bpf_guest::{
    ErrorKind, MapHandle, MapType, PerfBuffer, PerfBufferBuilder, stop_requested,
};

conformance_guests::guest!();
use case::types::record;
use case::{CaseSkel, CaseSkelBuilder, OpenCaseSkel};

/// Loaded and attached, after `set` set variables.
fn attached_with(set: impl FnOnce(&mut OpenCaseSkel)) -> CaseSkel {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    set(&mut open);
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    skel
}

fn attached() -> CaseSkel {
    attached_with(|_| {})
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

fn open<'cb>(skel: &CaseSkel, pages: usize, tally: &'cb RefCell<Tally>) -> PerfBuffer<'cb> {
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

/// What came, against the program's own count of what it made and of what the kernel did not take.
fn check(skel: &CaseSkel, perf: &PerfBuffer<'_>, tally: &RefCell<Tally>) {
    let tally = tally.borrow();
    assert_eq!(tally.lost(), perf.lost(), "told one by one and in sum");
    assert_eq!(perf.lost(), skel.bss.refused.get().unwrap());
    assert_eq!(
        tally.received() + perf.lost(),
        skel.bss.produced.get().unwrap()
    );
    assert_eq!(perf.available(), 0);
}

/// The trigger is pulled on each CPU in turn.
fn all_cpus() {
    let skel = attached();
    let tally = RefCell::default();
    let perf = open(&skel, 4, &tally);
    for cpu in cpus() {
        pull_on(cpu, 20);
    }
    assert!(perf.available() > 0);
    perf.consume().unwrap();
    check(&skel, &perf, &tally);
    for cpu in cpus() {
        assert_eq!(tally.borrow().received[&(cpu as i32)], 20);
    }
    assert_eq!(perf.lost(), 0);
}

/// Nothing is read until the buffer is full several times over. A kernel before 6.0 writes how many it lost before the next record for which there
/// is room.
fn overflow() {
    let skel = attached();
    let tally = RefCell::default();
    let perf = open(&skel, 1, &tally);
    let cpu = cpus()[0];
    for _ in 0..2 {
        let before = perf.lost();
        pull_on(cpu, 2000);
        perf.consume().unwrap();
        pull_on(cpu, 1);
        perf.consume().unwrap();
        check(&skel, &perf, &tally);
        assert!(perf.lost() > before, "a page cannot have held all");
    }
    assert!(tally.borrow().received() > 2);
}

/// The same without another record.
fn losses_at_once() {
    let skel = attached();
    let tally = RefCell::default();
    let perf = open(&skel, 1, &tally);
    for _ in 0..2 {
        let before = perf.lost();
        pull_on(cpus()[0], 2000);
        perf.consume().unwrap();
        check(&skel, &perf, &tally);
        assert!(perf.lost() > before, "a page cannot have held all");
    }
}

/// Read while it is filled, as fast as both can.
fn while_filled() {
    const TOTAL: u64 = 10_000;
    let skel = attached();
    let tally = RefCell::default();
    let perf = open(&skel, 1, &tally);
    begin_to_pull(TOTAL);
    while skel.bss.produced.get().unwrap() < TOTAL {
        perf.poll(Duration::from_millis(20)).unwrap();
    }
    perf.consume().unwrap();
    // One more on each CPU, for what it lost last.
    for cpu in cpus() {
        pull_on(cpu, 1);
    }
    perf.consume().unwrap();
    check(&skel, &perf, &tally);
    assert!(tally.borrow().received() > cpus().len() as u64);
}

/// Sixty records of 3 KiB go around four pages many times.
fn large_records() {
    const EXTRA: u32 = 3001;
    let skel = attached_with(|open| open.rodata.extra = EXTRA);
    let received = Cell::new(0u64);
    let perf = PerfBufferBuilder::new(&skel.maps.events)
        .pages(4)
        .sample_cb(|_, bytes| {
            let (record, rest) = record::read_from_prefix(bytes).unwrap();
            assert_eq!(record.number, received.get());
            assert_eq!(record.check, !record.number);
            // The kernel pads to a multiple of 8, its own 4 bytes of length included.
            let written = size_of::<record>() + EXTRA as usize;
            assert_eq!(bytes.len(), (written + 4).next_multiple_of(8) - 4);
            assert!(rest.iter().all(|byte| *byte == 0));
            received.set(received.get() + 1);
        })
        .build()
        .unwrap();
    for round in 1..=20 {
        pull_on(cpus()[0], 3);
        perf.consume().unwrap();
        assert_eq!(received.get(), round * 3);
    }
    assert_eq!(perf.lost(), 0);
}

/// Through the interface itself: the guest crate chooses the size of its reads.
fn max_bytes() {
    let open = objects::OpenObject::open(case::DATA, &objects::OpenOptions::new()).unwrap();
    let mut variables = CaseSkelBuilder::new().open().unwrap().rodata;
    (variables.trigger_thread, variables.trigger_syscall) = trigger();
    let variables = &variables.as_bytes()[..case::types::rodata::SIZE];
    open.set_initial_value(".rodata", 0, variables).unwrap();
    let object = objects::OpenObject::load(open).unwrap();
    let buffer = buffers::PerfBuffer::open(&object.map("events").unwrap(), 4).unwrap();
    let _link = object.program("produce").unwrap().attach().unwrap();
    pull_on(cpus()[0], 10);
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

/// Without records a poll waits for all of its time, and one without time not at all.
fn time_out() {
    let skel = attached();
    let tally = RefCell::default();
    let perf = open(&skel, 1, &tally);
    for millis in [0, 1, 50, 200] {
        let start = Instant::now();
        perf.poll(Duration::from_millis(millis)).unwrap();
        assert!(start.elapsed() >= Duration::from_millis(millis));
    }
    assert_eq!(tally.borrow().received(), 0);
}

/// The record comes while the poll waits: only the last of many triggers makes it.
fn wake_up() {
    let skel = attached_with(|open| open.rodata.skip = 9_999);
    let tally = RefCell::default();
    let perf = open(&skel, 1, &tally);
    begin_to_pull(10_000);
    perf.poll(Duration::MAX).unwrap();
    assert_eq!(tally.borrow().received(), 1);
}

/// Now the pollable waits and now the buffer itself.
fn pollable() {
    let skel = attached();
    let tally = RefCell::default();
    let perf = open(&skel, 1, &tally);
    let ready = perf.subscribe();
    for round in 1..=10 {
        assert!(!ready.ready());
        begin_to_pull(1);
        if round % 2 == 0 {
            let too_late = subscribe_duration(LONG.as_nanos() as u64);
            poll(&[&ready, &too_late]);
            assert!(ready.ready(), "{}", counts(&skel));
            perf.consume().unwrap();
        } else {
            perf.poll(LONG).unwrap();
        }
        assert_eq!(tally.borrow().received(), round, "{}", counts(&skel));
    }
}

/// Longer than any record takes.
const LONG: Duration = Duration::from_secs(60);

/// What the program says of a record that does not come.
fn counts(skel: &CaseSkel) -> String {
    let bss = skel.bss.get().unwrap();
    format!(
        "triggered {}, produced {}, refused {}",
        bss.triggers, bss.produced, bss.refused
    )
}

/// The kernel takes no record for a CPU that has no buffer in the map.
fn closed() {
    let skel = attached();
    let refused = || skel.bss.refused.get().unwrap();
    pull(1);
    assert_eq!(refused(), 1);
    let tally = RefCell::default();
    let perf = open(&skel, 1, &tally);
    pull(1);
    assert_eq!(refused(), 1);
    let ready = perf.subscribe();
    drop(perf);
    pull(1);
    assert_eq!(refused(), 1, "the pollable keeps them");
    assert!(ready.ready());
    drop(ready);
    pull(1);
    assert_eq!(refused(), 2);
    assert_eq!(tally.borrow().received(), 0);
}

/// Two over one map would take each other's places, and the first to go those of both.
fn one_at_a_time() {
    let skel = attached();
    let build = || PerfBufferBuilder::new(&skel.maps.events).pages(1).build();
    let first = build().unwrap();
    assert_fails!(build(), ErrorKind::Busy, "events");
    // The first is as it was.
    pull(1);
    assert_eq!(skel.bss.refused.get().unwrap(), 0);
    assert!(first.available() > 0);
    drop(first);
    build().unwrap();
}

fn wrong_arguments() {
    let skel = attached();
    for pages in [0, 3, 100, u32::MAX as usize] {
        assert_fails!(
            PerfBufferBuilder::new(&skel.maps.events)
                .pages(pages)
                .build(),
            ErrorKind::InvalidArgument,
            "events"
        );
    }
    assert_fails!(
        PerfBufferBuilder::new(&skel.maps.scratch).pages(1).build(),
        ErrorKind::InvalidArgument,
        "scratch"
    );
}

/// There always is a place for the first CPU.
fn few_entries() {
    let map = MapHandle::create(MapType::PerfEventArray, "one", 4, 4, 1, 0).unwrap();
    let perf = PerfBufferBuilder::new(&map).pages(1).build().unwrap();
    perf.consume().unwrap();
    assert_eq!(perf.available(), 0);
}

fn quiet_map() -> MapHandle {
    MapHandle::create(MapType::PerfEventArray, "quiet", 4, 4, 1, 0).unwrap()
}

/// A buffer on the first CPU that nothing comes into.
fn quiet(pages: usize) -> wasm_bpf_guest::Result<PerfBuffer<'static>> {
    PerfBufferBuilder::new(&quiet_map()).pages(pages).build()
}

fn limit_of_memory() {
    assert_fails!(
        quiet(1 << 12),
        ErrorKind::LimitExceeded,
        "quiet",
        "map-memory"
    );
    assert_fails!(quiet(1 << 31), ErrorKind::LimitExceeded, "quiet");
    // Half of the limit, and its pages of positions.
    for _ in 0..3 {
        quiet(1 << 9).unwrap();
    }
    let _half = quiet(1 << 9).unwrap();
    assert_fails!(quiet(1 << 9), ErrorKind::LimitExceeded, "map-memory");
}

/// Each buffer takes a descriptor at least: the limit is met at some point, and not by those that are gone.
fn limit_of_descriptors() {
    for _ in 0..300 {
        quiet(1).unwrap();
    }
    let mut kept = Vec::new();
    let error = loop {
        match quiet(1) {
            Ok(perf) => kept.push(perf),
            Err(error) => break error,
        }
        assert!(kept.len() <= 256);
    };
    assert_fails!(Err::<(), _>(error), ErrorKind::LimitExceeded, "descriptors");
    kept.clear();
    quiet(1).unwrap();
}

/// 64 GiB.
fn out_of_memory() {
    assert_fails!(quiet(1 << 24), ErrorKind::OutOfMemory, "quiet");
    quiet(1).unwrap();
}

/// Those that are dropped do not count.
fn too_many_pollables() {
    let perf = quiet(1).unwrap();
    for _ in 0..300 {
        drop(perf.subscribe());
    }
    traps_now();
    let _kept = [(); 257].map(|()| perf.subscribe());
}

/// After the interruption waits wait again.
fn stop_while_polling() {
    let perf = quiet(1).unwrap();
    stop_soon();
    assert!(!stop_requested());
    assert_fails!(perf.poll(Duration::MAX), ErrorKind::Interrupted);
    assert!(stop_requested());
    let start = Instant::now();
    perf.poll(Duration::from_millis(50)).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(50));
}

/// The pollable is ready for the interruption as it is for records.
fn stop_while_subscribed() {
    let perf = quiet(1).unwrap();
    let ready = perf.subscribe();
    stop_soon();
    assert!(!ready.ready());
    ready.block();
    assert!(ready.ready());
    assert!(stop_requested());
    assert_fails!(perf.consume(), ErrorKind::Interrupted);
    assert!(!ready.ready());
}

/// Nothing that was pending is held back by the stop.
fn records_before_stop() {
    let skel = attached();
    let tally = RefCell::default();
    let perf = open(&skel, 1, &tally);
    pull(10);
    stop_soon();
    // Not a wait, which the stop would end.
    while !stop_requested() {}
    assert_fails!(perf.poll(Duration::MAX), ErrorKind::Interrupted);
    assert_eq!(tally.borrow().received(), 10);
    assert_eq!(perf.available(), 0);
}
