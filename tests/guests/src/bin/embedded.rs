//! What programs that embed the host run.

use std::time::Duration;

use test_guests::{case, no_such_case, say, say_what_is_held, trigger};
use wasm_bpf_guest::{PerfBufferBuilder, Result, RingBufferBuilder};

wasm_bpf_guest::include_skeleton!("calls");
wasm_bpf_guest::include_skeleton!("perf");
wasm_bpf_guest::include_skeleton!("refused");

fn main() {
    let (case, args) = case();
    match case.as_str() {
        "fail" => fail(&args[0]),
        "poll" => poll(),
        "poll-perf" => poll_perf(),
        _ => no_such_case(&case),
    }
}

/// Loads a program that cannot be loaded, and prints all that it is told.
fn fail(program: &str) {
    let open = refused::RefusedSkelBuilder::new().open().unwrap();
    for map in ["devices", "wasm_bpf_test_pin"] {
        open.open.map(map).unwrap().set_autocreate(false).unwrap();
    }
    open.open
        .program(program)
        .unwrap()
        .set_autoload(true)
        .unwrap();
    let error = open.load().err().expect("it cannot be loaded");
    say(format_args!("{error:#}"));
}

/// Says a line for each record until it is stopped.
fn poll() {
    let mut open = calls::CallsSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    let mut builder = RingBufferBuilder::new();
    builder
        .add(&skel.maps.ring, |_| {
            say("record");
            0
        })
        .unwrap();
    let ring = builder.build().unwrap();
    say_what_is_held(&skel.object, &[skel.links.on_enter.as_ref().unwrap()]);
    until_interrupted(|| ring.poll(Duration::MAX));
}

/// The same with a perf buffer.
fn poll_perf() {
    let mut open = perf::PerfSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    let perf = PerfBufferBuilder::new(&skel.maps.events)
        .pages(1)
        .sample_cb(|_, _| say("record"))
        .build()
        .unwrap();
    say_what_is_held(&skel.object, &[skel.links.produce.as_ref().unwrap()]);
    until_interrupted(|| perf.poll(Duration::MAX));
}

fn until_interrupted(poll: impl Fn() -> Result<()>) {
    loop {
        match poll() {
            Ok(()) => {}
            Err(error) if error.is_interrupted() => break,
            Err(error) => panic!("{error}"),
        }
    }
    say("interrupted");
}
