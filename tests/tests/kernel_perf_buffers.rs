//! Perf buffers: every record arrives, on whichever CPU it was made, or is counted as lost.

use wasm_bpf_tests::{Finished, Run, Running, Trigger, assert_nothing_new, everything};

fn run(case: &str, trigger: &Trigger, batch: u64) -> Run {
    trigger
        .environment()
        .iter()
        .fold(Run::guest("perf_buffers", case).with_input(), Run::env)
        .env(format!("BATCH={batch}"))
}

fn start(case: &str, trigger: &Trigger, batch: u64) -> Running {
    let mut running = run(case, trigger, batch).start();
    running.line("ready");
    running
}

fn number(finished: &Finished, name: &str) -> u64 {
    let line = finished
        .output
        .lines()
        .rfind(|line| line.starts_with("received="));
    let line = line.expect("the guest says what it counted");
    let word = line.split(' ').find_map(|word| word.strip_prefix(name));
    word.unwrap().parse().unwrap()
}

/// The CPUs that the tests may run on.
fn cpus() -> Vec<usize> {
    // SAFETY: a set of CPUs is plain bits, which the call fills.
    let set = unsafe {
        let mut set = std::mem::zeroed::<libc::cpu_set_t>();
        assert_eq!(
            libc::sched_getaffinity(0, size_of_val(&set), &raw mut set),
            0
        );
        set
    };
    // SAFETY: within the set.
    let has = |cpu: &usize| unsafe { libc::CPU_ISSET(*cpu, &set) };
    (0..libc::CPU_SETSIZE as usize).filter(has).collect()
}

#[test]
fn records_of_all_cpus_are_in_one_list() {
    let before = everything();
    let trigger = Trigger::new();
    let mut running = start("all-cpus", &trigger, 10);
    let cpus = cpus();
    for cpu in &cpus {
        trigger.pin(*cpu);
        trigger.pull(20);
    }
    running.say("all are made");
    let finished = running.finish().ok();
    assert_eq!(number(&finished, "received="), 200 * cpus.len() as u64);
    assert_eq!(number(&finished, "lost="), 0);
    assert_eq!(number(&finished, "cpus="), cpus.len() as u64);
    assert_nothing_new(&before);
}

#[test]
fn what_did_not_fit_is_counted_as_the_kernel_counts_it() {
    let trigger = Trigger::new();
    trigger.pin(cpus()[0]);
    let mut running = start("overflow", &trigger, 500);
    trigger.pull(4);
    running.say("too many are made");
    running.line("again");
    trigger.pull(4);
    running.say("too many are made");
    let finished = running.finish().ok();
    // 4000 records of 40 bytes, read twice out of a page.
    let (received, lost) = (number(&finished, "received="), number(&finished, "lost="));
    assert_eq!(received + lost, 4000);
    assert!((150..=204).contains(&received), "{received}");
}

#[test]
fn received_and_lost_make_up_what_was_made_at_full_speed() {
    const TOTAL: u64 = 100_000;
    let trigger = Trigger::new();
    let mut running = run("while-filled", &trigger, 500)
        .env(format!("TOTAL={TOTAL}"))
        .start();
    running.line("ready");
    trigger.pull(TOTAL / 500);
    let finished = running.finish().ok();
    let (received, lost) = (number(&finished, "received="), number(&finished, "lost="));
    assert_eq!(received + lost, TOTAL);
    assert!(received > 0);
}

#[test]
fn large_records_are_whole() {
    let trigger = Trigger::new();
    trigger.pin(cpus()[0]);
    let mut running = run("large", &trigger, 3).env("EXTRA=3001").start();
    for round in 1..=50 {
        running.line(&format!("round {round}"));
        trigger.pull(1);
        running.say("made");
    }
    running.finish().ok();
}

#[test]
fn a_read_returns_no_more_than_it_may() {
    let trigger = Trigger::new();
    trigger.pin(cpus()[0]);
    let mut running = start("max-bytes", &trigger, 10);
    trigger.pull(1);
    running.say("made");
    running.finish().ok();
}

#[test]
fn waits_last_until_the_time_is_over_or_a_record_comes() {
    let trigger = Trigger::new();
    let mut running = run("time-out", &trigger, 1).start();
    running.line("waiting");
    std::thread::sleep(std::time::Duration::from_millis(50));
    trigger.pull(1);
    running.finish().ok();
}

#[test]
fn pollables_and_waits_do_not_disturb_each_other() {
    let trigger = Trigger::new();
    let mut running = run("pollable", &trigger, 1).start();
    for _ in 0..10 {
        running.line("made?");
        std::thread::sleep(std::time::Duration::from_millis(20));
        trigger.pull(1);
        running.say("made");
    }
    running.finish().ok();
}

#[test]
fn buffers_count_against_the_memory_limit() {
    run("limits", &Trigger::new(), 1)
        .options(["--limit", "map-memory=4M"])
        .finish()
        .ok();
}

#[test]
fn what_is_no_perf_buffer_is_refused() {
    let before = everything();
    run("wrong", &Trigger::new(), 1).finish().ok();
    assert_nothing_new(&before);
}
