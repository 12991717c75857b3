//! What uprobes are attached to: calls its function as often as the first argument says.

use std::hint::black_box;

/// Not inlined, and with a name that a symbol table has.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn wbc_target(number: u64) -> u64 {
    black_box(number) + 1
}

fn main() {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok());
    for number in 0..count.unwrap_or(1) {
        black_box(wbc_target(number));
    }
}
