//! How runs end: how soon a stop ends waits, what becomes of those who do not listen, and what is said. What a stop does is tried by the
//! conformance suite.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use libc::{SIGINT, SIGKILL, SIGTERM};
use wasm_bpf_tests::{Held, PATIENCE, Run, Running, assert_gone, held};

fn run(case: &str) -> Run {
    Run::guest("ending", case)
}

/// What the guest holds while it runs, all of it in the kernel.
#[track_caller]
fn holds(running: &mut Running) -> Vec<Held> {
    let held = held(&running.line("holds"));
    let of_a_kind = |kind: fn(&Held) -> bool| held.iter().any(kind);
    assert!(of_a_kind(|held| matches!(held, Held::Program(_))));
    assert!(of_a_kind(|held| matches!(held, Held::Map(_))));
    assert!(of_a_kind(|held| matches!(held, Held::Link(_))));
    held
}

/// Runs a case that holds something until it waits. What is told to be gone later is there now.
#[track_caller]
fn waiting(case: &str) -> (Running, Vec<Held>) {
    let mut running = run(case).start();
    let held = holds(&mut running);
    running.line("waiting");
    for held in &held {
        assert!(held.exists(), "{held:?}");
    }
    (running, held)
}

#[test]
fn a_trap_is_told_with_how_to_learn_more() {
    run("panic").finish().ended_with(1).says(&[
        "as the test wants it",
        "error:",
        "ending.component.wasm failed: ",
        "unreachable",
        "-v",
    ]);
}

#[test]
fn a_trap_says_where_when_asked_to() {
    run("panic")
        .option("-v")
        .finish()
        .ended_with(1)
        .says(&["wasm backtrace"]);
}

#[test]
fn nothing_is_left_after_a_kill() {
    let (running, held) = waiting("until-stopped");
    running.signal(SIGKILL);
    let finished = running.finish();
    assert_eq!(finished.status.signal(), Some(SIGKILL));
    assert_gone(&held);
}

#[test]
fn nothing_is_left_after_the_end_of_the_grace_time() {
    for (signal, code) in [(SIGINT, 130), (SIGTERM, 143)] {
        let (running, held) = waiting("busy");
        let start = Instant::now();
        running.signal(signal);
        let finished = running.finish().ended_with(code).says(&["terminated"]);
        assert!(finished.ended_at - start >= Duration::from_millis(1900));
        assert_gone(&held);
    }
}

#[test]
fn a_component_stuck_in_a_call_of_the_host_ends_with_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = CString::new(dir.path().join("pipe").as_os_str().as_bytes()).unwrap();
    // SAFETY: the path is a string that ends with a zero.
    assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
    let mut running = run("stuck")
        .options(["--dir", &format!("{}::/given", dir.path().display())])
        .start();
    let held = holds(&mut running);
    running.line("waiting");
    running.signal(SIGINT);
    running
        .finish()
        .ended_with(130)
        .says(&["stuck inside a call of the host"]);
    assert_gone(&held);
}

/// The grace time is for those who use it, and begins with the stop.
#[test]
fn a_component_that_goes_on_after_its_wait_is_ended() {
    let (mut running, held) = waiting("busy-after-poll");
    running.signal(SIGINT);
    running.line("ended");
    running.finish().ended_with(130);
    assert_gone(&held);
}

#[test]
fn a_second_ctrl_c_ends_a_busy_component_at_once() {
    // Sooner than the grace time would. A machine that is too busy once is so three times only if it is broken.
    let took = (0..3).map(|_| {
        let (running, held) = waiting("busy");
        let start = Instant::now();
        running.signal(SIGINT);
        // The kernel keeps one signal of a kind; the second must not come before the first was taken.
        sleep(Duration::from_millis(200));
        running.signal(SIGINT);
        let finished = running.finish().ended_with(130);
        assert_gone(&held);
        finished.ended_at - start
    });
    let took = took
        .inspect(|took| assert!(*took >= Duration::from_millis(200)))
        .min();
    assert!(took < Some(Duration::from_secs(1)), "{took:?}");
}

/// How long after the signal a wait ended: the median of five.
#[track_caller]
fn assert_a_stop_ends(case: &str, signal: i32) {
    let mut took = (0..5)
        .map(|_| {
            let mut running = run(case).with_input().start();
            running.line("waiting");
            // It prints before it waits.
            sleep(Duration::from_millis(50));
            let start = Instant::now();
            running.signal(signal);
            let (ended, _) = running.line_at("ended");
            running.finish_with_input_open().ok();
            ended - start
        })
        .collect::<Vec<_>>();
    took.sort();
    assert!(took[2] <= Duration::from_millis(100), "{took:?}");
}

#[test]
fn a_stop_ends_a_poll_without_time_out() {
    assert_a_stop_ends("poll", SIGINT);
    assert_a_stop_ends("poll", SIGTERM);
}

#[test]
fn a_stop_ends_a_poll_with_time_out() {
    assert_a_stop_ends("poll-with-time-out", SIGINT);
}

#[test]
fn a_stop_ends_waits_for_perf_and_user_ring_buffers() {
    assert_a_stop_ends("poll-perf", SIGINT);
    assert_a_stop_ends("subscribe-perf", SIGINT);
    assert_a_stop_ends("subscribe-user-ring", SIGINT);
}

#[test]
fn a_stop_ends_a_sleep() {
    assert_a_stop_ends("sleep", SIGINT);
}

#[test]
fn a_stop_ends_a_read_of_standard_input() {
    assert_a_stop_ends("read", SIGINT);
}

#[test]
fn a_stop_makes_its_pollable_ready() {
    assert_a_stop_ends("subscribe", SIGINT);
}

#[test]
fn a_stop_ends_a_write_into_a_full_pipe() {
    let mut took = (0..5)
        .map(|_| {
            let mut running = run("write").without_reader().start();
            wait_until_full(&running);
            let start = Instant::now();
            running.signal(SIGINT);
            let (ended, _) = running.error_line_at("ended");
            running.finish().ok();
            ended - start
        })
        .collect::<Vec<_>>();
    took.sort();
    assert!(took[2] <= Duration::from_millis(100), "{took:?}");
}

/// Full is a pipe that has much and does not get more.
fn wait_until_full(running: &Running) {
    let until = Instant::now() + PATIENCE;
    let mut before = 0;
    loop {
        sleep(Duration::from_millis(100));
        let now = running.unread();
        if now == before && now >= 4096 {
            return;
        }
        assert!(Instant::now() < until, "{now} bytes in the pipe");
        before = now;
    }
}
