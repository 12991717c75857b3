//! What this host says when it refuses buffers and mapped memory; the rest is in the conformance suite.

use wasm_bpf_tests::Run;

#[test]
fn refusals_say_why() {
    Run::guest("buffers", "refusals").finish().ok();
}

#[test]
fn a_component_with_too_many_pollables_is_told_the_limit() {
    Run::guest("buffers", "pollables")
        .options(["--limit", "descriptors=64"])
        .finish()
        .ended_with(1)
        .says(&["cannot make a pollable", "descriptors=64"]);
}
