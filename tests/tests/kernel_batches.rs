//! Many keys in one call, walks, per-CPU values: the guest `batches` asserts, case by case.

use std::sync::atomic::{AtomicBool, Ordering};

use wasm_bpf_tests::{Run, Trigger, assert_nothing_new, everything};

fn passes(case: &str) {
    let before = everything();
    Run::guest("batches", case).finish().ok();
    assert_nothing_new(&before);
}

#[test]
fn batches_are_complete_and_equal_to_the_walk_over_keys() {
    passes("all-entries");
}

#[test]
fn entries_are_taken_out() {
    passes("deleted");
}

#[test]
fn walks_end_and_miss_nothing_while_a_thread_inserts_and_deletes() {
    let trigger = Trigger::new();
    let run = trigger
        .environment()
        .iter()
        .fold(Run::guest("batches", "under-change"), Run::env);
    let mut running = run.start();
    running.line("ready");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                trigger.pull(50);
            }
        });
        let finished = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| running.finish()));
        is_over.store(true, Ordering::Relaxed);
        finished.expect("it ends").ok();
    });
}

#[test]
fn kinds_without_batches_are_walked_key_by_key() {
    passes("without-batches");
}

#[test]
fn many_keys_are_dealt_with_in_one_call() {
    passes("many");
}

#[test]
fn many_keys_end_at_the_first_that_fails_and_say_where() {
    passes("many-fails");
}

#[test]
fn lists_of_wrong_lengths_and_huge_requests_are_refused() {
    passes("hostile");
}

#[test]
fn numbers_are_what_the_bytes_are() {
    passes("numbers");
}

fn possible_cpus() -> usize {
    // As the kernel counts: possible ones, not those that run.
    let possible = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap();
    let last = possible.trim().rsplit(['-', ',']).next().unwrap();
    last.parse::<usize>().unwrap() + 1
}

#[test]
fn per_cpu_values_of_1_4_8_and_12_bytes() {
    let before = everything();
    Run::guest("batches", "per-cpu")
        .arg(possible_cpus().to_string())
        .finish()
        .ok();
    assert_nothing_new(&before);
}

#[test]
fn counts_of_all_cpus_add_up() {
    let trigger = Trigger::new();
    let cpus = std::thread::available_parallelism().unwrap().get();
    // A count of one byte must not wrap around.
    let calls_per_cpu = 100;
    let run = trigger.environment().iter().fold(
        Run::guest("batches", "per-cpu-counts").with_input(),
        Run::env,
    );
    let mut running = run
        .env(format!("CALLS={}", cpus * calls_per_cpu))
        .env(format!("CPUS={cpus}"))
        .start();
    running.line("ready");
    for cpu in 0..cpus {
        trigger.pin(cpu);
        trigger.pull(calls_per_cpu as u64);
    }
    running.say("counted");
    running.finish().ok();
}

#[test]
fn queues_and_stacks_give_back_what_was_put_in() {
    passes("queue");
}

#[test]
fn a_bloom_filter_knows_what_was_put_in() {
    passes("bloom");
}

#[test]
fn typed_maps_check_their_types() {
    passes("typed");
}

#[test]
fn a_frozen_map_is_only_read() {
    passes("frozen");
}
