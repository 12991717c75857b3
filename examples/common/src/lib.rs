//! What the example tools share: how they end, what their options are made of, and histograms.

mod histogram;

use std::fmt;
use std::io::{self, ErrorKind};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasm_bpf_guest::{exit, stop_requested};

pub use histogram::Histogram;

/// Why a tool cannot go on.
pub enum Failure {
    /// It was called in a wrong way.
    Usage(String),
    /// The host, the kernel or libbpf refused something.
    Bpf(wasm_bpf_guest::Error),
    /// This kernel is none that the tool knows.
    Kernel(&'static str),
    /// Its output takes nothing.
    Output(io::Error),
}

impl From<wasm_bpf_guest::Error> for Failure {
    fn from(error: wasm_bpf_guest::Error) -> Self {
        Self::Bpf(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(error.to_string())
    }
}

/// Ends a tool: 0 also if it was stopped or its reader went away, 2 for a wrong call, 1 for what failed.
pub fn end(name: &str, result: Result<(), Failure>) {
    match result {
        Ok(()) => {}
        Err(Failure::Usage(text)) => {
            eprintln!("{name}: {text}\ntry --help");
            exit(2);
        }
        Err(Failure::Bpf(error)) if error.is_interrupted() => {}
        Err(Failure::Bpf(error)) => {
            eprintln!("{name}: {error:#}");
            exit(1);
        }
        Err(Failure::Kernel(text)) => {
            eprintln!("{name}: {text}");
            exit(1);
        }
        // Whoever read the output has seen enough; and a stop ends a write that waits for the reader.
        Err(Failure::Output(error))
            if error.kind() == ErrorKind::BrokenPipe || stop_requested() => {}
        Err(Failure::Output(error)) => {
            eprintln!("{name}: cannot write: {error}");
            exit(1);
        }
    }
}

/// The ID of a process or thread. 0, which is none, stands for all of them in the tools' BPF programs.
pub fn id(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("not the ID of a process or thread".into()),
        Ok(id) => Ok(id),
    }
}

/// A number of seconds, such as `0.5`.
pub fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "not a number of seconds above 0".into())
}

/// A time of the day, UTC: `14:39:32`.
pub struct TimeOfDay(u64);

impl TimeOfDay {
    /// The time now.
    pub fn now() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        Self(since_1970.map_or(0, |since| since.as_secs() % 86_400))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        write!(f, "{hour:02}:{minute:02}:{second:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_checked() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "nan", "1e99", "", "x"] {
            seconds(wrong).unwrap_err();
        }
        assert_eq!(id("1"), Ok(1));
        for wrong in ["0", "-1", "4294967296", ""] {
            id(wrong).unwrap_err();
        }
    }

    #[test]
    fn times_have_two_digits() {
        assert_eq!(TimeOfDay(0).to_string(), "00:00:00");
        assert_eq!(TimeOfDay(86_399).to_string(), "23:59:59");
    }
}
