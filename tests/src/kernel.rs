//! Assertions about what the kernel holds.

use wasm_bpf_conformance::kernel;
pub use wasm_bpf_conformance::kernel::{Held, everything};

/// What a guest says it holds: `holds program=1 map=2 link=3`.
pub fn held(line: &str) -> Vec<Held> {
    let list = line.strip_prefix("holds ").expect("a line of what is held");
    let words = list.split_whitespace();
    words.map(|word| word.parse().unwrap()).collect()
}

/// Waits until there is nothing in the kernel that was not there before.
#[track_caller]
pub fn assert_nothing_new(before: &[Held]) {
    let left = kernel::left_since(before);
    assert!(left.is_empty(), "still in the kernel: {left:?}");
}

/// Waits until nothing of it is in the kernel.
#[track_caller]
pub fn assert_gone(held: &[Held]) {
    let left = kernel::still_there(held);
    assert!(left.is_empty(), "still in the kernel: {left:?}");
}
