//! User ring buffers: what a component sends arrives in order, or is refused.

use wasm_bpf_tests::{Run, Trigger, assert_nothing_new, everything};

/// Runs a case; whenever the guest has sent something, the program takes it.
fn passes(case: &str) {
    let before = everything();
    let trigger = Trigger::new();
    let run = trigger
        .environment()
        .iter()
        .fold(Run::guest("user_rings", case).with_input(), Run::env);
    let mut running = run.start();
    while running.next_line().is_some_and(|line| line == "sent") {
        trigger.pull(1);
        running.say("drained");
    }
    running.finish().ok();
    assert_nothing_new(&before);
}

#[test]
fn records_arrive_in_order() {
    passes("in-order");
}

#[test]
fn a_full_ring_refuses_until_it_is_drained() {
    passes("full");
}

#[test]
fn pollables_count_against_the_limit() {
    let trigger = Trigger::new();
    let run = trigger
        .environment()
        .iter()
        .fold(Run::guest("user_rings", "pollables"), Run::env);
    run.options(["--limit", "descriptors=64"])
        .finish()
        .ended_with(1)
        .says(&["cannot make a pollable", "descriptors=64"]);
}

#[test]
fn what_does_not_fit_is_refused() {
    passes("wrong");
}
