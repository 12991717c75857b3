//! What a native tool does: libbpf, called directly.

mod buffers;
mod maps;
mod object;

use anyhow::Result;

pub use buffers::{Perf, Ring};
pub use maps::{Global, GlobalLookup, Lookup, LookupMany, LookupWide, Update, Walk};

use crate::trigger::Trigger;

/// The native side of a case.
pub trait Native {
    /// The timed part, so many times; the sum of all that was read.
    fn run(&mut self, iterations: u32) -> Result<u64>;

    /// The sum of what the runs wrote; 0 if the case only reads.
    fn written(&mut self) -> Result<u64> {
        Ok(0)
    }
}

/// Makes the native side of a case, of an object's bytes.
pub type Prepare = fn(&[u8], Trigger) -> Result<Box<dyn Native>>;
