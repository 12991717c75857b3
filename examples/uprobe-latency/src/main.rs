//! Shows how long calls of a function of a binary take.

use std::io::{BufWriter, Write};
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use example_common::{Failure, Histogram, TimeOfDay, end, id, seconds};
use wasm_bpf_guest::{UprobeOpts, open_descriptor, sleep_until, stdout};

wasm_bpf_guest::include_skeleton!("uprobe_latency");

const HELP: &str = "\
Shows how long calls of a function of a program or library take, as a histogram: from
the call until it returns, whatever the thread does or waits for meanwhile.

Usage: uprobe-latency [options] BINARY FUNCTION [INTERVAL [COUNT]]

  BINARY              The program or library; its folder has to be opened: --dir
  FUNCTION            A function in its symbols: NAME or NAME@VERSION
  INTERVAL            Seconds between histograms (default: one, when Ctrl-C ends it)
  COUNT               How many to print (default: until Ctrl-C)

Options:
  -m, --milliseconds  Count in milliseconds instead of microseconds
  -n, --nanoseconds   Count in nanoseconds
  -T, --timestamp     Print the time (UTC) before each output
  -p, --pid PID       Only this process
  -h, --help          Print this help

Columns: the time that a call took, how many calls took that long, and the same as a bar.

Examples:
  sudo wasm-bpf run --dir /usr/bin uprobe-latency.component.wasm /usr/bin/bash readline
  sudo wasm-bpf run --dir /usr/lib uprobe-latency.component.wasm -n \\
      /usr/lib/x86_64-linux-gnu/libc.so.6 malloc 1 10";

fn main() {
    end("uprobe-latency", run());
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Unit {
    Nanoseconds,
    #[default]
    Microseconds,
    Milliseconds,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Nanoseconds => "nsecs",
            Self::Microseconds => "usecs",
            Self::Milliseconds => "msecs",
        }
    }

    fn in_nanoseconds(self) -> u64 {
        match self {
            Self::Nanoseconds => 1,
            Self::Microseconds => 1_000,
            Self::Milliseconds => 1_000_000,
        }
    }
}

#[derive(Debug, Default)]
struct Options {
    binary: String,
    function: String,
    interval: Option<Duration>,
    count: Option<NonZeroU64>,
    unit: Unit,
    timestamp: bool,
    pid: Option<u32>,
}

/// None if only help was asked for.
fn arguments(mut parser: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;

    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('m') | Long("milliseconds") => options.unit = Unit::Milliseconds,
            Short('n') | Long("nanoseconds") => options.unit = Unit::Nanoseconds,
            Short('T') | Long("timestamp") => options.timestamp = true,
            Short('p') | Long("pid") => options.pid = Some(parser.value()?.parse_with(id)?),
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(None);
            }
            Value(value) if options.binary.is_empty() => options.binary = value.string()?,
            Value(value) if options.function.is_empty() => options.function = value.string()?,
            Value(value) if options.interval.is_none() => {
                options.interval = Some(value.parse_with(seconds)?);
            }
            Value(value) if options.count.is_none() => options.count = Some(value.parse()?),
            _ => return Err(argument.unexpected()),
        }
    }
    if options.function.is_empty() {
        return Err("a binary and a function are needed".into());
    }
    Ok(Some(options))
}

/// What was counted since the start.
#[derive(Clone, Copy)]
struct Counts {
    slots: [u64; 26],
    nanoseconds: u64,
}

impl Counts {
    fn since(&self, before: &Self) -> Self {
        Self {
            slots: std::array::from_fn(|slot| self.slots[slot] - before.slots[slot]),
            nanoseconds: self.nanoseconds.wrapping_sub(before.nanoseconds),
        }
    }
}

fn run() -> Result<(), Failure> {
    let Some(options) = arguments(lexopt::Parser::from_env())? else {
        return Ok(());
    };
    let binary = open_descriptor(&options.binary)?;

    let mut open = uprobe_latency::UprobeLatencySkelBuilder::new().open()?;
    open.rodata.unit_ns = options.unit.in_nanoseconds();
    let skel = open.load()?;
    let pid = options.pid.map_or(-1, u32::cast_signed);
    let opts = |retprobe| UprobeOpts {
        retprobe,
        func_name: Some(options.function.clone()),
        ..UprobeOpts::default()
    };
    // The other way round a call could begin of which the end is not seen.
    let returns = &skel.progs.on_return;
    let _returns = returns.attach_uprobe_with_opts(pid, &binary, 0, opts(true))?;
    let calls = &skel.progs.on_call;
    let _calls = calls.attach_uprobe_with_opts(pid, &binary, 0, opts(false))?;
    eprintln!("uprobe-latency: measuring; Ctrl-C ends it");

    let mut output = BufWriter::new(stdout());
    let mut last = Instant::now();
    let mut left = options.count.map(NonZeroU64::get);
    let mut before = Counts {
        slots: [0; 26],
        nanoseconds: 0,
    };
    loop {
        // From one deadline to the next, so that the time for printing does not add up.
        let deadline = options
            .interval
            .and_then(|interval| last.checked_add(interval));
        let is_stopped = sleep_until(deadline);
        last = deadline.unwrap_or(last);
        let now = Counts {
            slots: skel.bss.slots.get()?,
            nanoseconds: skel.bss.total_ns.get()?,
        };
        print(&mut output, &options, &now.since(&before))?;
        output.flush()?;
        before = now;
        left = left.map(|left| left - 1);
        if is_stopped || left == Some(0) {
            break;
        }
    }

    let no_room = skel.bss.calls_without_room.get()?;
    if no_room > 0 {
        eprintln!(
            "uprobe-latency: {no_room} calls not measured: more threads were in the function, or it was more often within itself, than the tool keeps"
        );
    }
    Ok(())
}

fn print(output: &mut impl Write, options: &Options, counts: &Counts) -> std::io::Result<()> {
    if options.timestamp {
        writeln!(output, "{}", TimeOfDay::now())?;
    }
    let calls = counts.slots.iter().sum::<u64>();
    if calls == 0 {
        return writeln!(output, "(no call returned)\n");
    }
    let unit = options.unit.name();
    write!(output, "{}", Histogram::new(unit, &counts.slots))?;
    let mean = counts.nanoseconds / options.unit.in_nanoseconds() / calls;
    writeln!(output, "calls = {calls}, mean = {mean} {unit}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(args: &[&str]) -> Result<Options, String> {
        arguments(lexopt::Parser::from_args(args))
            .map(|options| options.unwrap())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn binary_and_function_come_first() {
        let all = options(&["/bin/x", "-n", "f", "0.5", "10"]).unwrap();
        assert_eq!(
            (all.binary.as_str(), all.function.as_str()),
            ("/bin/x", "f")
        );
        assert_eq!(all.interval, Some(Duration::from_millis(500)));
        assert_eq!(all.count, NonZeroU64::new(10));
        assert_eq!(all.unit, Unit::Nanoseconds);
        assert_eq!(options(&["/bin/x", "f"]).unwrap().interval, None);
        for wrong in [
            &[][..],
            &["/bin/x"],
            &["/bin/x", "f", "0"],
            &["/bin/x", "f", "1", "0"],
            &["/bin/x", "f", "1", "1", "1"],
            &["-p", "0", "/bin/x", "f"],
        ] {
            options(wrong).unwrap_err();
        }
    }

    #[test]
    fn an_interval_has_what_came_in_it() {
        let mut before = Counts {
            slots: [1; 26],
            nanoseconds: 1000,
        };
        before.slots[3] = 5;
        let now = Counts {
            slots: [7; 26],
            nanoseconds: 126_000,
        };
        let counts = now.since(&before);
        let mut output = Vec::new();
        print(&mut output, &Options::default(), &counts).unwrap();
        let text = String::from_utf8(output).unwrap();
        assert!(text.contains("calls = 152, mean = 0 usecs"), "{text}");
        assert!(text.contains("         8 -> 15         : 2 "), "{text}");
    }
}
