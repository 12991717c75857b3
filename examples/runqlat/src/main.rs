//! Shows how long tasks wait for a CPU.

use std::io::{self, BufWriter, Write};
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use example_common::{Failure, Histogram, TimeOfDay, end, id, seconds};
use wasm_bpf_guest::{printable, sleep_until, stdout};

wasm_bpf_guest::include_skeleton!("runqlat");
use runqlat::types::{grouping, hist};

const HELP: &str = "\
Shows how long tasks wait for a CPU, as a histogram: the time from when a task could run
until it ran.

Usage: runqlat [options] [INTERVAL [COUNT]]

  INTERVAL            Seconds between histograms (default: one, when Ctrl-C ends it)
  COUNT               How many to print (default: until Ctrl-C)

Options:
  -m, --milliseconds  Count in milliseconds instead of microseconds
  -T, --timestamp     Print the time (UTC) before each output
  -P, --processes     A histogram for each process
  -L, --threads       A histogram for each thread
  -p, --pid PID       Only this process
  -h, --help          Print this help

Columns: the time waited, how many waits took that long, and the same as a bar.

Examples:
  sudo wasm-bpf run runqlat.component.wasm
  sudo wasm-bpf run runqlat.component.wasm -T 1 10
  sudo wasm-bpf run runqlat.component.wasm -L -p 1234 5";

fn main() {
    end("runqlat", run());
}

#[derive(Debug, Default)]
struct Options {
    interval: Option<Duration>,
    count: Option<NonZeroU64>,
    milliseconds: bool,
    timestamp: bool,
    processes: bool,
    threads: bool,
    pid: u32,
}

impl Options {
    fn unit(&self) -> &'static str {
        if self.milliseconds { "msecs" } else { "usecs" }
    }
}

/// None if only help was asked for.
fn arguments(mut parser: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;

    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('m') | Long("milliseconds") => options.milliseconds = true,
            Short('T') | Long("timestamp") => options.timestamp = true,
            Short('P') | Long("processes") => options.processes = true,
            Short('L') | Long("threads") => options.threads = true,
            Short('p') | Long("pid") => options.pid = parser.value()?.parse_with(id)?,
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(None);
            }
            Value(value) if options.interval.is_none() => {
                options.interval = Some(value.parse_with(seconds)?);
            }
            Value(value) if options.count.is_none() => options.count = Some(value.parse()?),
            _ => return Err(argument.unexpected()),
        }
    }
    if options.processes && options.threads {
        return Err("-P and -L exclude each other".into());
    }
    Ok(Some(options))
}

fn run() -> Result<(), Failure> {
    let Some(options) = arguments(lexopt::Parser::from_env())? else {
        return Ok(());
    };

    let mut open = runqlat::RunqlatSkelBuilder::new().open()?;
    open.rodata.target_tgid = options.pid;
    if options.milliseconds {
        open.rodata.unit_ns = 1_000_000;
    }
    if options.processes {
        open.rodata.grouping = grouping::GROUP_PROCESS;
    } else if options.threads {
        open.rodata.grouping = grouping::GROUP_THREAD;
    } else {
        // It keeps the names right, which are not asked for.
        open.progs.on_exec.set_autoload(false)?;
    }
    let mut skel = open.load()?;
    skel.attach()?;
    eprintln!("runqlat: measuring; Ctrl-C ends it");

    let mut output = BufWriter::new(stdout());
    let mut last = Instant::now();
    let mut left = options.count.map(NonZeroU64::get);
    loop {
        // From one deadline to the next, so that the time for printing does not add up.
        let deadline = options
            .interval
            .and_then(|interval| last.checked_add(interval));
        let is_stopped = sleep_until(deadline);
        last = deadline.unwrap_or(last);
        let mut hists = skel.maps.hists.drain().collect::<Result<Vec<_>, _>>()?;
        hists.sort_unstable_by_key(|(id, _)| *id);
        print(&mut output, &options, &hists)?;
        output.flush()?;
        left = left.map(|left| left - 1);
        if is_stopped || left == Some(0) {
            break;
        }
    }

    let no_room = skel.bss.waits_without_room.get()?;
    if no_room > 0 {
        eprintln!("runqlat: {no_room} waits not measured: more tasks waited at once than it keeps");
    }
    let no_histogram = skel.bss.waits_without_histogram.get()?;
    if no_histogram > 0 {
        eprintln!(
            "runqlat: {no_histogram} waits not counted: there were more processes or threads than it keeps; a shorter interval or -p helps"
        );
    }
    Ok(())
}

fn print(output: &mut impl Write, options: &Options, hists: &[(u32, hist)]) -> io::Result<()> {
    if options.timestamp {
        writeln!(output, "{}", TimeOfDay::now())?;
    }
    for (id, hist) in hists {
        if options.processes {
            writeln!(output, "pid = {id} {}", printable(&hist.comm))?;
        } else if options.threads {
            writeln!(output, "tid = {id} {}", printable(&hist.comm))?;
        }
        writeln!(output, "{}", Histogram::new(options.unit(), &hist.slots))?;
    }
    if hists.is_empty() {
        writeln!(output, "(no task waited)\n")?;
    }
    Ok(())
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
    fn interval_and_count_are_positional() {
        let both = options(&["0.5", "-T", "10"]).unwrap();
        assert_eq!(both.interval, Some(Duration::from_millis(500)));
        assert_eq!(both.count, NonZeroU64::new(10));
        assert_eq!(options(&[]).unwrap().interval, None);
        for wrong in [
            &["0"][..],
            &["-1"],
            &["nan"],
            &["1e99"],
            &["1", "0"],
            &["1", "2", "3"],
            &["-p", "0"],
            &["-P", "-L"],
        ] {
            options(wrong).unwrap_err();
        }
    }

    #[test]
    fn a_process_is_named_above_its_histogram() {
        let mut one = hist::default();
        one.slots[0] = 1;
        one.comm[..8].copy_from_slice(b"a\x1b[2Jb\0c");
        let options = Options {
            processes: true,
            ..Options::default()
        };
        let mut output = Vec::new();
        print(&mut output, &options, &[(7, one)]).unwrap();
        assert!(output.starts_with(b"pid = 7 a?[2Jb\n     usecs "));
    }
}
