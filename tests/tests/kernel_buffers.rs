//! Ring buffers: every record arrives once, in order, or is counted as lost.

use wasm_bpf_tests::{Finished, Run, Running, Trigger};

const TOTAL: u64 = 200_000;

fn run(case: &str, trigger: &Trigger, batch: u64) -> Run {
    trigger
        .environment()
        .iter()
        .fold(Run::guest("buffers", case).with_input(), Run::env)
        .env(format!("BATCH={batch}"))
}

/// Runs a case until the guest is ready for records.
fn start(case: &str, trigger: &Trigger, batch: u64, more: &[String]) -> Running {
    let run = more.iter().fold(run(case, trigger, batch), Run::env);
    let mut running = run.start();
    running.line("ready");
    running
}

/// What the guest counted, after it checked it against the numbers of the records.
fn received_and_lost(finished: &Finished) -> (u64, u64) {
    let line = finished.line("received=");
    let number = |word: &str| word.split_once('=').unwrap().1.parse().unwrap();
    let (received, lost) = line.split_once(' ').unwrap();
    (number(received), number(lost))
}

/// Whether some are lost is up to the machine; that each is either received or counted is not.
#[test]
fn records_made_at_full_speed_arrive_in_order_or_are_counted() {
    let trigger = Trigger::new();
    let total = format!("TOTAL={TOTAL}");
    let running = start("in-order", &trigger, 500, &[total]);
    trigger.pull(TOTAL / 500);
    let (received, lost) = received_and_lost(&running.finish().ok());
    assert_eq!(received + lost, TOTAL);
    assert!(received > 0);
}

#[test]
fn a_consumer_that_comes_late_is_told_what_it_missed() {
    let trigger = Trigger::new();
    let total = format!("TOTAL={TOTAL}");
    let mut running = start("late", &trigger, 500, &[total]);
    trigger.pull(TOTAL / 500 / 2);
    running.say("half is made");
    trigger.pull(TOTAL / 500 / 2);
    let (received, lost) = received_and_lost(&running.finish().ok());
    assert_eq!(received + lost, TOTAL);
    // The ring has room for some 2700 records.
    assert!(lost > TOTAL / 2 - 3000, "{lost}");
    assert!(received > 2000, "{received}");
}

#[test]
fn nothing_is_lost_when_the_ring_never_fills() {
    const STEP: u64 = 5000;
    let trigger = Trigger::new();
    let more = [format!("TOTAL={TOTAL}"), format!("STEP={STEP}")];
    let mut running = start("paced", &trigger, 500, &more);
    for step in 1..=TOTAL / STEP {
        trigger.pull(STEP / 500);
        if step < TOTAL / STEP {
            running.line(&format!("received {}", step * STEP));
        }
    }
    let counts = received_and_lost(&running.finish().ok());
    assert_eq!(counts, (TOTAL, 0));
}

#[test]
fn two_rings_deliver_each_in_its_order() {
    let trigger = Trigger::new();
    let total = format!("TOTAL={TOTAL}");
    let running = start("two-rings", &trigger, 250, &[total]);
    trigger.pull(TOTAL / 500);
    let (received, lost) = received_and_lost(&running.finish().ok());
    assert_eq!(received + lost, TOTAL);
}

fn large_records(case: &str) {
    let trigger = Trigger::new();
    let mut running = start(case, &trigger, 1, &[]);
    for round in 1..=20 {
        trigger.pull(1);
        running.line(&format!("received {}", round * 3));
    }
    running.finish().ok();
}

#[test]
fn a_record_of_60_kib_arrives_whole() {
    large_records("large");
}

#[test]
fn a_record_larger_than_one_read_arrives_whole() {
    large_records("larger-than-a-read");
}

#[test]
fn a_read_returns_no_more_than_it_may_unless_one_record_is_larger() {
    let trigger = Trigger::new();
    let mut running = start("max-bytes", &trigger, 1, &[]);
    trigger.pull(2);
    running.say("all are made");
    running.finish().ok();
}

#[test]
fn a_negative_answer_stops_a_poll_and_loses_nothing() {
    let trigger = Trigger::new();
    let mut running = start("negative-answer", &trigger, 10, &[]);
    trigger.pull(1);
    running.say("all are made");
    running.finish().ok();
}

#[test]
fn waits_last_until_the_time_is_over_or_a_record_comes() {
    let trigger = Trigger::new();
    let running = start("time-out", &trigger, 1, &[]);
    trigger.pull(1);
    running.finish().ok();
}

#[test]
fn what_is_no_ring_or_no_counter_is_refused() {
    run("wrong-maps", &Trigger::new(), 1).finish().ok();
}

#[test]
fn rings_that_pollables_keep_count_against_the_limit() {
    run("pollables", &Trigger::new(), 1)
        .options(["--limit", "map-memory=1M"])
        .finish()
        .ok();
}
