//! How runs end, and what an asked-for stop does to waits.

use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::thread::sleep;
use std::time::Duration;

use test_guests::{case, no_such_case, say, say_what_is_held, trigger};
use wasm_bpf_guest::{
    MapHandle, MapType, PerfBuffer, PerfBufferBuilder, RingBuffer, RingBufferBuilder,
    UserRingBuffer, stop_requested, subscribe_stop,
};

wasm_bpf_guest::include_skeleton!("calls");
use calls::{CallsSkel, CallsSkelBuilder};

fn main() {
    let (case, _) = case();
    match case.as_str() {
        "return" => drop(hold()),
        "panic" => {
            let _held = hold();
            panic!("as the test wants it");
        }
        "until-stopped" => until_stopped(),
        "poll" => waits(|| poll_forever(&ring())),
        "poll-with-time-out" => waits(|| {
            let error = ring().poll(Duration::from_secs(3600)).unwrap_err();
            assert!(error.is_interrupted(), "{error}");
        }),
        "poll-perf" => waits(|| {
            let error = perf().poll(Duration::MAX).unwrap_err();
            assert!(error.is_interrupted(), "{error}");
        }),
        "subscribe-perf" => waits(|| {
            let perf = perf();
            perf.subscribe().block();
            assert!(perf.consume().unwrap_err().is_interrupted());
        }),
        "subscribe-user-ring" => waits(|| {
            let map = MapHandle::create(MapType::UserRingbuf, "full", 0, 0, 4096, 0).unwrap();
            let ring = UserRingBuffer::new(&map).unwrap();
            ring.write(&[0; 4088]).unwrap();
            // Nobody drains it.
            ring.subscribe().block();
        }),
        "sleep" => waits(|| sleep(Duration::from_secs(3600))),
        "read" => waits(|| {
            let error = std::io::stdin().read(&mut [0; 16]).unwrap_err();
            eprintln!("read: {error}");
        }),
        "write" => write(),
        "subscribe" => waits(|| {
            let stop = subscribe_stop();
            assert!(!stop.ready());
            stop.block();
            assert!(stop.ready());
        }),
        "busy" => {
            let _held = hold();
            say("waiting");
            spin();
        }
        "busy-after-poll" => {
            let _held = hold();
            say("waiting");
            poll_forever(&ring());
            say("ended");
            spin();
        }
        "stuck" => {
            let _held = hold();
            say("waiting");
            // Nobody ever opens its other end, and opening is no wait that a stop ends.
            let opened = std::fs::File::open("/given/pipe");
            panic!("this should not have returned: {opened:?}");
        }
        _ => no_such_case(&case),
    }
}

/// Something of each kind in the kernel; the test is told.
fn hold() -> CallsSkel {
    let mut skel = load();
    skel.attach().unwrap();
    say_what_is_held(&skel.object, &[skel.links.on_enter.as_ref().unwrap()]);
    skel
}

fn load() -> CallsSkel {
    let mut open = CallsSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open.load().unwrap()
}

/// A ring that no record comes into: nothing is attached.
fn ring() -> RingBuffer<'static> {
    let skel = load();
    let mut builder = RingBufferBuilder::new();
    builder.add(&skel.maps.ring, |_| 0).unwrap();
    // The ring outlives object, program and map.
    builder.build().unwrap()
}

/// A perf buffer that no record comes into.
fn perf() -> PerfBuffer<'static> {
    let map = MapHandle::create(MapType::PerfEventArray, "quiet", 4, 4, 64, 0).unwrap();
    PerfBufferBuilder::new(&map).pages(1).build().unwrap()
}

fn poll_forever(ring: &RingBuffer<'_>) {
    let error = ring.poll(Duration::MAX).unwrap_err();
    assert!(error.is_interrupted(), "{error}");
}

fn waits(wait: impl FnOnce()) {
    assert!(!stop_requested());
    say("waiting");
    wait();
    say("ended");
    assert!(stop_requested(), "nobody asked for a stop");
}

fn spin() -> ! {
    let mut number = 0u64;
    loop {
        number = black_box(number.wrapping_add(1));
    }
}

fn until_stopped() {
    let skel = hold();
    let mut builder = RingBufferBuilder::new();
    builder.add(&skel.maps.ring, |_| 0).unwrap();
    let ring = builder.build().unwrap();
    say("waiting");
    loop {
        match ring.poll(Duration::MAX) {
            Ok(()) => {}
            Err(error) if error.is_interrupted() => return,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Nobody reads the output: at some point a write waits.
fn write() {
    let mut output = std::io::stdout().lock();
    let error = loop {
        if let Err(error) = output.write_all(&[b'x'; 1024]) {
            break error;
        }
    };
    eprintln!("ended: {error}");
    assert!(stop_requested(), "nobody asked for a stop");
}
