//! Handles that were made up or dropped end the component, and only it.

use wasm_bpf_tests::{Run, assert_gone, held};

#[track_caller]
fn traps(case: &str, args: &[&str]) {
    let finished = Run::guest("handles", case).args(args).finish();
    // A crash of the host would be a signal, and its panic another code and text.
    let finished = finished
        .ended_with(1)
        .says(&["error: ", "handles.component.wasm failed: "]);
    assert!(!finished.errors.contains("panicked"), "{}", finished.errors);
    assert!(!finished.output.contains("survived"), "{case} {args:?}");
    if case != "set-after-load" {
        assert_gone(&held(finished.line("holds")));
    }
}

#[test]
fn made_up_handles_trap() {
    for case in [
        "map", "program", "link", "object", "ring", "ring-of", "drop",
    ] {
        // The largest number stands for "dropped" in the guest's own bindings, which then drop nothing.
        let largest = if case == "drop" {
            "4294967294"
        } else {
            "4294967295"
        };
        for number in ["0", "1", "12345", largest] {
            traps(case, &[number]);
        }
    }
}

#[test]
fn dropped_handles_trap() {
    for case in [
        "dropped-map",
        "dropped-link",
        "dropped-ring",
        "dropped-twice",
    ] {
        traps(case, &[]);
    }
}

#[test]
fn handles_of_another_kind_trap() {
    for case in [
        "link-as-map",
        "map-as-program",
        "map-as-link",
        "program-as-ring",
    ] {
        traps(case, &[]);
    }
}

#[test]
fn an_open_object_is_gone_once_it_was_loaded() {
    traps("set-after-load", &[]);
    traps("loaded-twice", &[]);
}

/// The cases above fail for their handles, not for what they do before.
#[test]
fn good_handles_do_not_trap() {
    let finished = Run::guest("handles", "none").finish().ok();
    assert_gone(&held(finished.line("holds")));
}
