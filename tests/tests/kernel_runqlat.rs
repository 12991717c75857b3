//! The example `runqlat` measures waits that the test provokes.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use wasm_bpf_tests::{Run, Running, assert_nothing_new, everything};

fn runqlat(args: &[&str]) -> Running {
    let run = args.iter().fold(Run::example("runqlat"), Run::arg);
    let mut running = run.start();
    running.error_line("runqlat: measuring");
    running
}

/// Two processes that want the same CPU all the time.
struct Contenders(Vec<Child>);

impl Contenders {
    fn new() -> Self {
        let burn = || {
            Command::new("taskset")
                .args(["-c", "0", "sh", "-c", "while :; do :; done"])
                .stdin(Stdio::null())
                .spawn()
                .expect("taskset is part of util-linux")
        };
        Self(vec![burn(), burn()])
    }
}

impl Drop for Contenders {
    fn drop(&mut self) {
        for child in &mut self.0 {
            child.kill().expect("our child");
            child.wait().expect("our child");
        }
    }
}

/// The slots of a histogram: from, to, count.
fn slots(text: &str) -> Vec<(u64, u64, u64)> {
    let parse = |line: &str| {
        let (range, rest) = line.split_once(" : ")?;
        let (low, high) = range.split_once("->")?;
        let count = rest.split_whitespace().next()?.parse().ok()?;
        Some((low.trim().parse().ok()?, high.trim().parse().ok()?, count))
    };
    text.lines().filter_map(parse).collect()
}

#[test]
fn a_process_that_shares_its_cpu_waits_for_milliseconds() {
    let before = everything();
    let contenders = Contenders::new();
    let pid = contenders.0[0].id().to_string();
    let start = Instant::now();
    let finished = runqlat(&["-P", "-p", &pid, "1", "2"]).finish().ok();
    assert!(start.elapsed() >= Duration::from_secs(2));
    let header = format!("pid = {pid} ");
    assert_eq!(
        finished
            .output
            .lines()
            .filter(|line| line.starts_with(&header))
            .count(),
        2,
        "a histogram for each interval:\n{}",
        finished.output
    );
    assert!(!finished.output.contains("tid ="));
    let slots = slots(&finished.output);
    // Turns last for a millisecond at least; in two seconds each of two waits half of the time.
    let long = slots.iter().filter(|(low, ..)| *low >= 512);
    let waited = long.map(|(low, _, count)| low * count).sum::<u64>();
    assert!(
        (100_000..4_000_000).contains(&waited),
        "{waited} microseconds:\n{}",
        finished.output
    );
    drop(contenders);
    assert_nothing_new(&before);
}

#[test]
fn each_interval_begins_at_zero() {
    let _contenders = Contenders::new();
    let finished = runqlat(&["0.5", "4"]).finish().ok();
    let parts = finished.output.split("distribution").skip(1);
    let counts = parts
        .map(|part| slots(part).iter().map(|slot| slot.2).sum::<u64>())
        .collect::<Vec<_>>();
    assert_eq!(counts.len(), 4, "{}", finished.output);
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    // If the counts were kept, the last would have those of all.
    let sum = counts.iter().sum::<u64>();
    assert!(counts[3] * 2 < sum, "{counts:?}");
}

#[test]
fn ctrl_c_prints_what_there_is() {
    let running = runqlat(&["-m", "-T"]);
    std::thread::sleep(Duration::from_millis(300));
    running.signal(libc::SIGINT);
    let finished = running.finish().ok();
    assert!(finished.output.contains("msecs"), "{}", finished.output);
    assert!(!slots(&finished.output).is_empty());
    let time = finished.output.lines().next().unwrap();
    assert_eq!(time.split(':').count(), 3, "{time}");
}

#[test]
fn a_wrong_option_is_refused() {
    Run::example("runqlat")
        .args(["-P", "-L"])
        .finish()
        .ended_with(2)
        .says(&["exclude each other", "--help"]);
}
