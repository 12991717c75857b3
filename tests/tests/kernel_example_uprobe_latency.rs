//! The example `uprobe-latency` measures calls that the test makes.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use wasm_bpf_tests::{Run, Running, assert_nothing_new, everything};

/// The C library that this process has mapped.
fn library() -> PathBuf {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let path = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5))
        .map(Path::new)
        .find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("libc.so") || name.starts_with("libc-")
        });
    path.expect("tests are linked with the C library")
        .to_owned()
}

/// The tool on a function of the C library, with its folder opened.
fn uprobe_latency(before: &[&str], function: &str, behind: &[&str]) -> Run {
    let library = library();
    let run = Run::example("uprobe-latency")
        .option("--dir")
        .option(library.parent().unwrap());
    let run = run.args(before).arg(&library).arg(function);
    run.args(behind)
}

fn measuring(run: Run) -> Running {
    let mut running = run.start();
    running.error_line("uprobe-latency: measuring");
    running
}

fn sleep_for(microseconds: u32) {
    // SAFETY: takes a number.
    unsafe { libc::usleep(microseconds) };
}

/// How many calls took so long, by the lower end of each range.
fn slots(text: &str) -> Vec<(u64, u64)> {
    let parse = |line: &str| {
        let (range, rest) = line.split_once(" : ")?;
        let low = range.split_once("->")?.0;
        let count = rest.split_whitespace().next()?;
        Some((low.trim().parse().ok()?, count.parse().ok()?))
    };
    text.lines().filter_map(parse).collect()
}

#[test]
fn calls_of_a_process_are_measured() {
    let before = everything();
    let pid = std::process::id().to_string();
    let running = measuring(uprobe_latency(&["-T", "-p", &pid], "usleep", &[]));
    for _ in 0..20 {
        sleep_for(5_000);
    }
    thread::sleep(Duration::from_millis(100));
    running.signal(libc::SIGINT);
    let finished = running.finish().ok();
    // Other tests of this process may sleep too.
    let slots = slots(&finished.output);
    let long = slots.iter().filter(|(low, _)| *low >= 4096);
    let calls = long.map(|(_, count)| count).sum::<u64>();
    assert!(calls >= 20, "{}", finished.output);
    finished.line("calls = ");
    assert_nothing_new(&before);
}

#[test]
fn each_interval_has_its_own() {
    let args = ["-m", "-p", &std::process::id().to_string()];
    let running = measuring(uprobe_latency(&args, "usleep", &["1", "2"]));
    sleep_for(300_000);
    let finished = running.finish().ok();
    let parts = finished.output.split("calls = ").collect::<Vec<_>>();
    assert!(finished.output.contains("msecs"), "{}", finished.output);
    assert_eq!(
        slots(parts[0])
            .iter()
            .filter(|(low, count)| *low == 256 && *count > 0)
            .count(),
        1,
        "{}",
        finished.output
    );
}

#[test]
fn what_is_not_there_is_told() {
    uprobe_latency(&[], "no_such_function", &["1", "1"])
        .finish()
        .ended_with(1)
        .says(&["no_such_function"]);
    Run::example("uprobe-latency")
        .args(["/usr/bin/env", "main"])
        .finish()
        .ended_with(1)
        .says(&["--dir"]);
    Run::example("uprobe-latency")
        .arg("/usr/bin/env")
        .finish()
        .ended_with(2)
        .says(&["--help"]);
}
