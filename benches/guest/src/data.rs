//! What both sides put into their maps, and how much of it there is.

/// Entries of the maps that single keys are looked up in.
pub const KEYS: u64 = 1024;

/// Keys that are looked up with one call.
pub const MANY: u64 = 256;

/// Entries of the map that is walked over.
pub const ENTRIES: u64 = 10_000;

/// Entries that the kernel is asked for at a time, as the guest crate does.
#[allow(dead_code)]
pub const BATCH: u32 = 4096;

/// Records in a full buffer.
pub const RECORDS: u32 = 3000;

/// Pages of a perf buffer, for each CPU.
pub const PAGES: usize = 64;

/// The value of a key, which no other key has.
pub fn value_of(key: u64) -> u64 {
    (key + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The same with 64 bytes.
pub fn wide_of(key: u64) -> [u64; 8] {
    [0, 1, 2, 3, 4, 5, 6, 7].map(|word| value_of(key) ^ word)
}
