//! Streams of records from programs, and to them.

mod perf;
mod records;
mod ring;
mod user_ring;

pub use perf::{PerfBuffer, PerfBufferBuilder};
pub use ring::{RingBuffer, RingBufferBuilder};
pub use user_ring::{UserRingBuffer, UserRingBufferSample};
