//! Maps: the guest `maps` asserts, case by case.

use wasm_bpf_tests::Run;

fn passes(case: &str) {
    Run::guest("maps", case).finish().ok();
}

#[test]
fn a_walk_sees_each_key_once_over_0_to_10000_entries() {
    passes("all-keys");
}

#[test]
fn pages_of_keys_follow_each_other() {
    passes("pages");
}

#[test]
fn a_walk_sees_what_is_not_deleted_and_ends() {
    passes("keys-while-deleting");
}

#[test]
fn values_are_stored_and_a_missing_key_is_none() {
    passes("values");
}

#[test]
fn update_modes_are_obeyed() {
    passes("update-modes");
}

#[test]
fn a_key_is_taken_in_one_step() {
    passes("take");
}

#[test]
fn wrong_sizes_are_refused_and_named() {
    passes("sizes");
}

#[test]
fn per_cpu_values_have_a_slot_for_each_cpu() {
    // As the kernel counts: possible ones, not those that run.
    let possible = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap();
    let last = possible.trim().rsplit(['-', ',']).next().unwrap();
    let cpus = last.parse::<u32>().unwrap() + 1;
    Run::guest("maps", "per-cpu")
        .arg(cpus.to_string())
        .finish()
        .ok();
}

#[test]
fn a_full_map_is_full() {
    passes("full");
}

#[test]
fn numbers_do_not_become_kernel_objects() {
    passes("kernel-objects");
}

#[test]
fn maps_without_keys_are_not_read_by_key() {
    passes("no-keys");
}

#[test]
fn maps_that_cannot_be_created_are_refused() {
    passes("refused");
}

#[test]
fn a_map_past_the_memory_limit_is_refused() {
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
fn the_number_of_maps_is_limited() {
    Run::guest("maps", "limits")
        .options(["--limit", "maps=2"])
        .finish()
        .ok();
}
