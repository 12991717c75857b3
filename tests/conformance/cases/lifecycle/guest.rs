//! How runs end, and what an asked-for stop does to waits.

use std::cell::Cell;
use std::hint::black_box;
use std::io::Read as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use conformance_guests::{assert_fails, holds, pull, stop_soon, traps_now, trigger};
use wasm_bpf_guest::{
    ErrorKind, MapCore as _, MapFlags, MapHandle, MapType, PerfBuffer, PerfBufferBuilder,
    RingBuffer, RingBufferBuilder, UserRingBuffer, exit, stop_requested, subscribe_stop,
};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

const HOUR: Duration = Duration::from_secs(3600);

fn load() -> CaseSkel {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open.load().unwrap()
}

/// Something of each kind in the kernel; all of it has to be gone in the end.
fn hold() -> CaseSkel {
    let mut skel = load();
    skel.attach().unwrap();
    holds(&skel.object, &[skel.links.on_enter.as_ref().unwrap()]);
    skel
}

/// A ring that no record comes into: nothing is attached.
fn quiet_ring() -> RingBuffer<'static> {
    let skel = load();
    let mut builder = RingBufferBuilder::new();
    builder.add(&skel.maps.ring, |_| 0).unwrap();
    // The ring outlives object, program and map.
    builder.build().unwrap()
}

/// A perf buffer that no record comes into.
fn quiet_perf_buffer() -> PerfBuffer<'static> {
    let map = MapHandle::create(MapType::PerfEventArray, "quiet", 4, 4, 64, 0).unwrap();
    PerfBufferBuilder::new(&map).pages(1).build().unwrap()
}

/// Waits with a stop on its way: it has to end the wait.
fn is_ended_by_a_stop(wait: impl FnOnce()) {
    let _held = hold();
    assert!(!stop_requested());
    stop_soon();
    wait();
    assert!(stop_requested(), "something else ended the wait");
}

/// The handles are dropped, as everywhere in Rust.
fn returned() {
    drop(hold());
}

/// The handles are not dropped.
fn exit_at_once() {
    let _held = hold();
    exit(0);
}

/// The older function knows success and failure only.
fn exit_one() {
    let _held = hold();
    std::process::exit(1);
}

/// A code that is neither success nor the usual failure.
fn exit_three() {
    let _held = hold();
    exit(3);
}

/// A code has eight bits.
fn exit_largest() {
    let _held = hold();
    exit(255);
}

/// A panic ends in a trap.
fn panicked() {
    let _held = hold();
    traps_now();
    panic!("as the case wants it");
}

/// The host holds records that were not handled yet.
fn trap_in_a_callback() {
    let skel = hold();
    let mut builder = RingBufferBuilder::new();
    builder
        .add(&skel.maps.ring, |_| {
            traps_now();
            std::process::abort()
        })
        .unwrap();
    let ring = builder.build().unwrap();
    pull(10);
    let _ = ring.consume();
}

/// The usual loop of a tool.
fn until_stopped() {
    let skel = hold();
    let received = Cell::new(0);
    let mut builder = RingBufferBuilder::new();
    builder
        .add(&skel.maps.ring, |_| {
            received.set(received.get() + 1);
            0
        })
        .unwrap();
    let ring = builder.build().unwrap();
    pull(3);
    stop_soon();
    let error = loop {
        if let Err(error) = ring.poll(Duration::MAX) {
            break error;
        }
    };
    assert_fails!(Err::<(), _>(error), ErrorKind::Interrupted);
    assert!(stop_requested());
    assert_eq!(received.get(), 3);
}

/// An hour would be too long.
fn poll_with_time_out() {
    is_ended_by_a_stop(|| {
        assert_fails!(quiet_ring().poll(HOUR), ErrorKind::Interrupted);
    });
}

/// The other kind of buffer.
fn poll_perf_buffer() {
    is_ended_by_a_stop(|| {
        assert_fails!(
            quiet_perf_buffer().poll(Duration::MAX),
            ErrorKind::Interrupted
        );
    });
}

/// Who waits by a pollable is woken too.
fn block_on_ring_buffer() {
    is_ended_by_a_stop(|| quiet_ring().subscribe().block());
}

/// The poll after it says why.
fn block_on_perf_buffer() {
    is_ended_by_a_stop(|| {
        let buffer = quiet_perf_buffer();
        buffer.subscribe().block();
        assert_fails!(buffer.consume(), ErrorKind::Interrupted);
    });
}

/// Nobody drains it.
fn block_on_user_ring_buffer() {
    let map = MapHandle::create(MapType::UserRingbuf, "full", 0, 0, 4096, 0).unwrap();
    let ring = UserRingBuffer::new(&map).unwrap();
    ring.write(&[0; 4088]).unwrap();
    is_ended_by_a_stop(|| ring.subscribe().block());
}

/// A wait of WASI.
fn sleeping() {
    is_ended_by_a_stop(|| sleep(HOUR));
}

/// Nobody writes into it.
fn reading() {
    is_ended_by_a_stop(|| {
        let error = std::io::stdin().read(&mut [0; 16]).unwrap_err();
        assert_ne!(error.kind(), std::io::ErrorKind::UnexpectedEof, "{error}");
    });
}

/// Once it is ready it stays so.
fn stop_pollable() {
    let stop = subscribe_stop();
    assert!(!stop.ready());
    is_ended_by_a_stop(|| stop.block());
    assert!(stop.ready());
    assert!(subscribe_stop().ready());
}

/// After the interruption there is time to put things in order. Only a little: the grace time is the same on slow machines.
fn clean_up() {
    let held = hold();
    let create = || MapHandle::create(MapType::Hash, "cleaned", 4, 4, 1, 0).unwrap();
    let ring = quiet_ring();
    let map = create();
    stop_soon();
    assert_fails!(ring.poll(Duration::MAX), ErrorKind::Interrupted);
    map.update(&[1; 4], &[2; 4], MapFlags::Any).unwrap();
    assert_eq!(map.lookup(&[1; 4]).unwrap().unwrap(), [2; 4]);
    let _another = create();
    drop(held);
    exit(5);
}

/// A stop loses nothing.
fn pending_first() {
    let skel = hold();
    let received = Cell::new(0);
    let mut builder = RingBufferBuilder::new();
    builder
        .add(&skel.maps.ring, |_| {
            received.set(received.get() + 1);
            0
        })
        .unwrap();
    let ring = builder.build().unwrap();
    pull(10);
    stop_soon();
    // Not a wait, which the stop would end.
    while !stop_requested() {
        black_box(0);
    }
    assert_fails!(ring.poll(Duration::MAX), ErrorKind::Interrupted);
    assert_eq!(received.get(), 10);
    assert_eq!(ring.available(), 0);
}

/// One stop interrupts the waits of this interface once, and those of WASI once.
fn waits_again() {
    const A_MOMENT: Duration = Duration::from_millis(50);
    let takes_a_moment = |wait: &dyn Fn()| {
        let start = Instant::now();
        wait();
        assert!(start.elapsed() >= A_MOMENT, "{:?}", start.elapsed());
    };
    let ring = quiet_ring();
    stop_soon();
    assert_fails!(ring.poll(Duration::MAX), ErrorKind::Interrupted);
    takes_a_moment(&|| ring.poll(A_MOMENT).unwrap());
    sleep(HOUR);
    takes_a_moment(&|| sleep(A_MOMENT));
    assert!(stop_requested());
    assert!(subscribe_stop().ready());
}
