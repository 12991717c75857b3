//! The conformance suite's runner: what a host has to do, tried on the kernel at hand.
//!
//! `case.rs` reads the cases, `execute.rs` runs one of them with a host, `surroundings.rs` makes what it needs and `kernel.rs` sees what it
//! left. `probe.rs` and `config.rs` say whether this kernel can do it at all. `results.rs` keeps what came out, `matrix.rs` shows it.
//! `check.rs` and `coverage.rs` ask what the cases cover, and `c_compat.rs` what the library for C guests has.

pub mod actor;
pub mod c_compat;
pub mod case;
pub mod check;
pub mod config;
pub mod coverage;
pub mod execute;
pub mod host;
pub mod kernel;
pub mod log;
pub mod matrix;
pub mod mounts;
pub mod packets;
pub mod probe;
pub mod release;
pub mod results;
pub mod surroundings;
pub mod trigger;
