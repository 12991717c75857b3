//! The example `profile` finds what a thread of the test does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use wasm_bpf_tests::{Run, Running, assert_nothing_new, everything};

fn profile(args: &[&str]) -> Running {
    let run = args.iter().fold(Run::example("profile"), Run::arg);
    let mut running = run.start();
    running.error_line("profile: sampling");
    running
}

/// Not inlined, and with a name that a symbol table has.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn wasm_bpf_test_burns_here(is_over: &AtomicBool) -> u64 {
    let mut number = 1u64;
    while !is_over.load(Ordering::Relaxed) {
        // Nothing here calls another function, in a build without optimization either.
        let mut turn = 0;
        while turn < 10_000 {
            number = number.wrapping_mul(6_364_136_223_846_793_005);
            turn += 1;
        }
    }
    number
}

/// A thread that computes.
struct Burner {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Burner {
    fn new() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let is_over = Arc::clone(&is_over);
            move || wasm_bpf_test_burns_here(&is_over)
        });
        Self {
            is_over,
            thread: Some(thread),
        }
    }
}

impl Drop for Burner {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it only computes");
        }
    }
}

#[test]
fn a_busy_function_has_its_name_in_folded_stacks() {
    let before = everything();
    let burner = Burner::new();
    let pid = std::process::id().to_string();
    let start = Instant::now();
    let finished = profile(&["-f", "-F", "99", "-p", &pid, "2"]).finish().ok();
    assert!(start.elapsed() >= Duration::from_secs(2));
    let count = |line: &str| -> u64 { line.rsplit(' ').next().unwrap().parse().unwrap() };
    let burnt = finished
        .output
        .lines()
        .filter(|line| line.contains(";wasm_bpf_test_burns_here"))
        .map(count)
        .sum::<u64>();
    let all = finished.output.lines().map(count).sum::<u64>();
    // It has a CPU for itself for a part of the time at least, and the process does little else.
    assert!(burnt >= 20 && burnt * 2 > all, "{}", finished.output);
    drop(burner);
    assert_nothing_new(&before);
}

#[test]
fn ctrl_c_prints_what_there_is() {
    let _burner = Burner::new();
    let pid = std::process::id().to_string();
    let running = profile(&["-U", "-p", &pid]);
    std::thread::sleep(Duration::from_secs(1));
    running.signal(libc::SIGINT);
    let finished = running.finish().ok();
    assert!(
        finished.output.contains("    wasm_bpf_test_burns_here\n"),
        "{}",
        finished.output
    );
    assert!(finished.output.contains(&format!("({pid})")));
}

#[test]
fn a_wrong_option_is_refused() {
    Run::example("profile")
        .args(["-U", "-K"])
        .finish()
        .ended_with(2)
        .says(&["exclude each other", "--help"]);
}
