//! Maps: the guest `maps` asserts, case by case. What maps do is in the conformance suite.

use wasm_bpf_tests::Run;

fn passes(case: &str) {
    Run::guest("maps", case).finish().ok();
}

#[test]
fn wrong_sizes_are_named() {
    passes("sizes");
}

#[test]
fn what_is_missing_for_a_map_is_named() {
    passes("refused");
}

#[test]
fn a_map_past_the_memory_limit_is_refused_with_the_option_that_raises_it() {
    passes("too-large");
}

#[test]
fn a_map_that_the_kernel_refuses_is_named() {
    Run::guest("maps", "larger-than-the-kernel-takes")
        .options(["--limit", "map-memory=17179869183G"])
        .finish()
        .ok();
}

#[test]
fn the_limit_for_the_number_of_maps_is_named() {
    Run::guest("maps", "limits")
        .options(["--limit", "maps=1"])
        .finish()
        .ok();
}

#[test]
fn typed_maps_check_their_types() {
    passes("typed");
}

#[test]
fn typed_maps_have_a_value_for_each_cpu() {
    passes("typed-per-cpu");
}

#[test]
fn typed_maps_deal_with_more_keys_than_one_call_takes() {
    passes("typed-many");
}

#[test]
fn queues_and_bloom_filters_have_types() {
    passes("without-keys");
}

#[test]
fn batches_have_the_names_of_libbpf_rs() {
    passes("batches");
}
