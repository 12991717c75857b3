//! Memory shared with programs: the guest `memory` asserts, case by case.

use wasm_bpf_tests::{Run, Trigger, assert_nothing_new, everything};

/// Runs a case; the guest says when the program shall act.
fn passes(case: &str) {
    passes_with(case, &[]);
}

/// Programs that allocate pages are on a function of the host itself.
fn passes_with_arena(case: &str) {
    passes_with(case, &["--allow", "binary=/proc/self/exe"]);
}

fn passes_with(case: &str, options: &[&str]) {
    let before = everything();
    let trigger = Trigger::new();
    let run = trigger
        .environment()
        .iter()
        .fold(Run::guest("memory", case).with_input(), Run::env);
    let mut running = run.options(options).start();
    while running.next_line().is_some_and(|line| line == "act") {
        trigger.pull(1);
        running.say("done");
    }
    running.finish().ok();
    assert_nothing_new(&before);
}

#[test]
fn globals_are_seen_both_ways_while_programs_run() {
    passes("both-ways");
}

#[test]
fn globals_begin_with_what_was_set_before_load() {
    passes("before-load");
}

#[test]
fn what_is_read_only_after_load_cannot_be_written() {
    passes("read-only");
}

#[test]
fn static_variables_are_read_through_their_map() {
    passes("static");
}

#[test]
fn arrays_are_shared() {
    passes("array");
}

#[test]
fn ranges_past_the_end_are_refused() {
    passes("hostile");
}

#[test]
fn maps_without_memory_are_refused() {
    passes("not-mappable");
}

#[test]
fn memory_outlives_its_handles_and_frozen_maps_are_read_only() {
    passes("order");
}

#[test]
fn an_arena_is_shared() {
    passes_with_arena("arena");
}

#[test]
fn holes_of_an_arena_are_errors() {
    passes_with_arena("arena-holes");
}

#[test]
fn ranges_past_the_end_of_an_arena_are_refused() {
    passes_with_arena("arena-hostile");
}

#[test]
fn an_arena_outlives_its_object() {
    passes_with_arena("arena-order");
}
