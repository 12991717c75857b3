//! What is printed and written.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::cases::Case;
use crate::measure::{Times, least, median};

/// Where and how the numbers were measured.
pub struct Conditions {
    kernel: String,
    wasmtime: &'static str,
    rounds: u32,
}

impl Conditions {
    pub fn new(rounds: u32) -> Result<Self> {
        let path = "/proc/sys/kernel/osrelease";
        let kernel = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
        Ok(Self {
            kernel: kernel.trim().to_owned(),
            wasmtime: locked_version("wasmtime").unwrap_or("unknown"),
            rounds,
        })
    }
}

/// The version that Cargo.lock has: the crate does not tell its own.
fn locked_version(package: &str) -> Option<&'static str> {
    let lock = include_str!("../../Cargo.lock");
    let (_, rest) = lock.split_once(&format!("\nname = \"{package}\"\nversion = \""))?;
    Some(rest.split_once('"')?.0)
}

/// Numbers of an unoptimized build are not to be taken for others.
const IS_DEBUG: bool = cfg!(debug_assertions);

/// A table of all cases.
pub fn table(conditions: &Conditions, results: &[(&Case, Times)]) -> String {
    let mut text = format!(
        "kernel {}, wasmtime {}, the least of {} rounds\n",
        conditions.kernel, conditions.wasmtime, conditions.rounds
    );
    if IS_DEBUG {
        text.push_str("A debug build: these numbers say nothing.\n");
    }
    let width = results
        .iter()
        .map(|(case, _)| case.name.len())
        .max()
        .unwrap_or(0);
    text.push_str(&format!(
        "\n{:width$}  {:>9}  {:>9}  {:>6}  of one\n",
        "case", "native ns", "guest ns", "ratio"
    ));
    for (case, times) in results {
        let guest = least(&times.guest);
        let (native, ratio) = match (&times.native, times.ratio()) {
            (Some(native), Some(ratio)) => (format!("{:.1}", least(native)), format!("{ratio:.2}")),
            _ => ("-".to_owned(), "-".to_owned()),
        };
        // A String takes everything.
        let _ = writeln!(
            text,
            "{:width$}  {native:>9}  {guest:>9.1}  {ratio:>6}  {}",
            case.name, case.unit
        );
    }
    text
}

/// Writes all of it to a file.
pub fn write_json(path: &Path, conditions: &Conditions, results: &[(&Case, Times)]) -> Result<()> {
    let of = |times: &[f64]| json!({ "least": least(times), "median": median(times) });
    let cases: Vec<Value> = results
        .iter()
        .map(|(case, times)| {
            json!({
                "name": case.name,
                "unit": case.unit,
                "native_ns": times.native.as_deref().map(of),
                "guest_ns": of(&times.guest),
                "ratio": times.ratio(),
            })
        })
        .collect();
    let report = json!({
        "kernel": conditions.kernel,
        "wasmtime": conditions.wasmtime,
        "debug": IS_DEBUG,
        "rounds": conditions.rounds,
        "cases": cases,
    });
    fs::write(path, format!("{report:#}\n"))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_tells_the_version() {
        let version = locked_version("wasmtime").unwrap();
        assert!(
            version.starts_with(|c: char| c.is_ascii_digit()),
            "{version}"
        );
        assert_eq!(locked_version("no-such-package"), None);
    }
}
