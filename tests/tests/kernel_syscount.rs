//! The example `syscount` counts the system calls that the test makes.

use std::time::Duration;

use wasm_bpf_tests::{Finished, Run, Running, assert_nothing_new, everything};

fn syscount(args: &[&str]) -> Running {
    let run = args.iter().fold(Run::example("syscount"), Run::arg);
    let mut running = run.start();
    running.error_line("syscount: counting");
    running
}

fn me() -> String {
    std::process::id().to_string()
}

/// Runs until `act` is done and Ctrl-C.
fn count(args: &[&str], act: impl FnOnce()) -> Finished {
    let running = syscount(args);
    act();
    running.signal(libc::SIGINT);
    running.finish().ok()
}

/// The numbers in the line that begins with this word.
fn row(finished: &Finished, name: &str) -> Option<Vec<f64>> {
    let line = finished
        .output
        .lines()
        .find(|line| line.split_whitespace().next() == Some(name))?;
    let words = line.split_whitespace().skip(1);
    Some(words.filter_map(|word| word.parse().ok()).collect())
}

fn get_priority(count: usize) {
    for _ in 0..count {
        // SAFETY: only looks a number up.
        unsafe { libc::syscall(libc::SYS_sched_get_priority_max, libc::SCHED_OTHER) };
    }
}

#[test]
fn counts_calls_of_all_cpus_by_their_names() {
    let before = everything();
    const CALLS: usize = 12_345;
    let finished = count(&["-p", &me()], || {
        // On several CPUs: their counts are added up.
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| get_priority(CALLS));
            }
        });
    });
    let row = row(&finished, "sched_get_priority_max").expect(&finished.output);
    assert_eq!(row[0], 3.0 * CALLS as f64);
    assert_nothing_new(&before);
}

#[test]
fn shows_the_largest_and_the_sum_of_the_others() {
    let finished = count(&["-p", &me(), "-T", "1"], || {
        get_priority(5000);
        for _ in 0..100 {
            // SAFETY: takes nothing, cannot fail.
            unsafe { libc::syscall(libc::SYS_getppid) };
        }
    });
    assert_eq!(row(&finished, "sched_get_priority_max").unwrap()[0], 5000.0);
    assert!(row(&finished, "getppid").is_none(), "{}", finished.output);
    let last = finished.output.trim_end().lines().last().unwrap();
    let others = last
        .split_whitespace()
        .filter_map(|word| word.parse::<u64>().ok());
    assert!(others.max().is_some_and(|count| count >= 100), "{last}");
}

#[test]
fn measures_the_time_in_calls() {
    let finished = count(&["-p", &me(), "-L", "-m"], || {
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let row = row(&finished, "clock_nanosleep")
        .or_else(|| row(&finished, "nanosleep"))
        .expect(&finished.output);
    assert_eq!(row[0], 5.0);
    assert!((100.0..5000.0).contains(&row[1]), "{row:?} ms");
}

#[test]
fn counts_failed_calls_by_their_error() {
    let close_nothing = || {
        for _ in 0..30 {
            // SAFETY: a descriptor that nobody has.
            unsafe { libc::syscall(libc::SYS_close, -1) };
        }
        get_priority(50);
    };
    let finished = count(&["-p", &me(), "-e", "EBADF"], close_nothing);
    assert_eq!(row(&finished, "close").expect(&finished.output)[0], 30.0);
    assert!(row(&finished, "sched_get_priority_max").is_none());
    let finished = count(&["-p", &me(), "-e", "ENOENT"], close_nothing);
    assert!(row(&finished, "close").is_none(), "{}", finished.output);
}

#[test]
fn counts_by_process() {
    let finished = count(&["-P", "-p", &me()], || get_priority(1000));
    let row = row(&finished, &me()).expect(&finished.output);
    assert!(*row.last().unwrap() >= 1000.0, "{row:?}");
}

#[test]
fn each_interval_begins_at_zero() {
    let mut running = syscount(&["-p", &me(), "-i", "0.5", "-c", "2"]);
    get_priority(777);
    let mut counts = Vec::new();
    while let Some(line) = running.next_line() {
        if line.starts_with('[') {
            counts.push(0.0);
        } else if let Some(count) = line.strip_prefix("sched_get_priority_max") {
            *counts.last_mut().unwrap() = count.trim().parse().unwrap();
        }
    }
    running.finish().ok();
    assert_eq!(counts.iter().sum::<f64>(), 777.0, "{counts:?}");
    assert_eq!(counts.len(), 2);
    assert!(counts.contains(&0.0), "{counts:?}");
}
