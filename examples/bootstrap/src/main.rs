//! Prints the processes that start and end.

use std::fmt;
use std::io::{BufWriter, Write as _};
use std::time::Duration;

use example_common::{Failure, TimeOfDay, end};
use wasm_bpf_guest::zerocopy::FromBytes as _;
use wasm_bpf_guest::{RingBufferBuilder, printable, stdout};

wasm_bpf_guest::include_skeleton!("bootstrap");
use bootstrap::types::{event, event_kind};

const HELP: &str = "\
Prints the processes that start and end.

Usage: bootstrap [-d MS]

Options:
  -d, --duration MS  Only processes that ran at least this long, when they end
  -h, --help         Print this help

Columns: the time (UTC), EXEC or EXIT, the process's name, its PID and its parent's, and
the file for a start or [exit code] (duration) for an end. A process that a signal ended
has SIG and its number; one that was running before has no duration.

Examples:
  sudo wasm-bpf run bootstrap.component.wasm
  sudo wasm-bpf run bootstrap.component.wasm -d 100";

fn main() {
    end("bootstrap", run());
}

/// The duration in milliseconds; none if only help was asked for.
fn arguments() -> Result<Option<u64>, lexopt::Error> {
    use lexopt::prelude::*;

    let mut min_duration_ms = 0;
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('d') | Long("duration") => min_duration_ms = parser.value()?.parse()?,
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(None);
            }
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some(min_duration_ms))
}

fn run() -> Result<(), Failure> {
    let Some(min_duration_ms) = arguments()? else {
        return Ok(());
    };

    let mut open = bootstrap::BootstrapSkelBuilder::new().open()?;
    open.rodata.min_duration_ns = min_duration_ms
        .checked_mul(1_000_000)
        .ok_or_else(|| Failure::Usage(format!("{min_duration_ms} ms is too long")))?;
    let mut skel = open.load()?;
    skel.attach()?;

    let mut output = BufWriter::new(stdout());
    writeln!(
        output,
        "{:<8} {:<5} {:<15} {:>7} {:>7} FILENAME/EXIT CODE",
        "TIME", "EVENT", "COMM", "PID", "PPID"
    )?;
    output.flush()?;

    let mut failed = None;
    let output = std::cell::RefCell::new(output);
    let mut builder = RingBufferBuilder::new();
    builder.add_counted(&skel.maps.events, &skel.maps.lost, |record| {
        let Ok((event, _)) = event::read_from_prefix(record) else {
            return 0;
        };
        match writeln!(output.borrow_mut(), "{}", Line(&event)) {
            Ok(()) => 0,
            Err(error) => {
                failed = Some(error);
                -1
            }
        }
    })?;
    builder.on_lost(|count| {
        eprintln!("{count} events lost: they came faster than they could be printed")
    });
    let ring = builder.build()?;
    let ended = loop {
        let polled = ring.poll(Duration::MAX);
        // A batch at a time: a write for each line would cost more than the line.
        output.borrow_mut().flush()?;
        match polled {
            Ok(()) => {}
            Err(error) if error.is_interrupted() => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    drop(ring);
    match (failed, ended) {
        (Some(error), _) => Err(error.into()),
        (None, ended) => Ok(ended?),
    }
}

/// A line of output.
struct Line<'a>(&'a event);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = self.0;
        let is_exec = event.kind == event_kind::EVENT_EXEC;
        write!(
            f,
            "{} {:<5} {:<15} {:>7} {:>7} ",
            TimeOfDay::now(),
            if is_exec { "EXEC" } else { "EXIT" },
            printable(&event.comm),
            event.pid,
            event.ppid,
        )?;
        if is_exec {
            return f.write_str(&printable(&event.filename));
        }
        match event.exit_code & 0x7f {
            0 => write!(f, "[{}]", event.exit_code >> 8 & 0xff)?,
            signal => write!(f, "[SIG {signal}]")?,
        }
        if event.has_duration != 0 {
            write!(f, " ({:.1}ms)", event.duration_ns as f64 / 1e6)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(change: impl FnOnce(&mut event)) -> String {
        let mut event = event::default();
        event.comm[..2].copy_from_slice(b"sh");
        change(&mut event);
        Line(&event).to_string()
    }

    #[test]
    fn an_end_has_its_code_or_its_signal() {
        let exit = |code| {
            line(|event| {
                event.kind = event_kind::EVENT_EXIT;
                event.exit_code = code;
            })
        };
        assert!(exit(3 << 8).ends_with(" [3]"));
        assert!(exit(9).ends_with(" [SIG 9]"));
    }

    #[test]
    fn names_cannot_play_with_the_terminal() {
        let line = line(|event| {
            event.filename[..4].copy_from_slice(b"a\x1b[m");
        });
        assert!(line.ends_with(" a?[m"), "{line:?}");
    }
}
