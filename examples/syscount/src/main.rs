//! Counts system calls.

mod errno;
mod names;
mod table;

use std::io::{BufWriter, Write as _};
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::{Duration, Instant};

use example_common::{Failure, TimeOfDay, end, id, seconds};
use wasm_bpf_guest::{printable, sleep_until, stdout};

use table::{Row, Table};

wasm_bpf_guest::include_skeleton!("syscount");

const HELP: &str = "\
Counts system calls.

Usage: syscount [options]

When:
  -i, --interval SECONDS  Print and begin anew this often (default: print once, at the end)
  -c, --count N           End after so many intervals
  -d, --duration SECONDS  End after this time (default: with Ctrl-C)

Which calls:
  -p, --pid PID           Only of this process
  -x, --failed            Only those that failed
  -e, --errno ERROR       Only those that failed with this error: ENOENT, or 2

Output:
  -P, --processes         By process instead of by system call
  -L, --latency           Also the time spent in them, and sort by it
  -m, --milliseconds      Times in milliseconds instead of microseconds
  -T, --top N             How many lines, the largest first (default: 10)

  -h, --help              Print this help

Without -L, -x and -e calls are counted when they begin; with one of them when they end.

Examples:
  sudo wasm-bpf run syscount.component.wasm
  sudo wasm-bpf run syscount.component.wasm -i 1 -P -L
  sudo wasm-bpf run syscount.component.wasm -d 10 -e ENOENT -p 1234";

fn main() {
    end("syscount", run());
}

#[derive(Debug)]
struct Options {
    interval: Option<Duration>,
    count: Option<NonZeroU64>,
    duration: Option<Duration>,
    pid: u32,
    only_failed: bool,
    /// 0 stands for any.
    errno: u32,
    processes: bool,
    latency: bool,
    milliseconds: bool,
    top: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            interval: None,
            count: None,
            duration: None,
            pid: 0,
            only_failed: false,
            errno: 0,
            processes: false,
            latency: false,
            milliseconds: false,
            top: 10,
        }
    }
}

/// None if only help was asked for.
fn arguments(mut parser: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;

    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('i') | Long("interval") => {
                options.interval = Some(parser.value()?.parse_with(seconds)?);
            }
            Short('c') | Long("count") => options.count = Some(parser.value()?.parse()?),
            Short('d') | Long("duration") => {
                options.duration = Some(parser.value()?.parse_with(seconds)?);
            }
            Short('p') | Long("pid") => options.pid = parser.value()?.parse_with(id)?,
            Short('x') | Long("failed") => options.only_failed = true,
            Short('e') | Long("errno") => {
                options.errno = parser.value()?.parse_with(errno::parse)?;
                options.only_failed = true;
            }
            Short('P') | Long("processes") => options.processes = true,
            Short('L') | Long("latency") => options.latency = true,
            Short('m') | Long("milliseconds") => options.milliseconds = true,
            Short('T') | Long("top") => {
                options.top = parser.value()?.parse::<NonZeroUsize>()?.get();
            }
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(None);
            }
            _ => return Err(argument.unexpected()),
        }
    }
    if options.count.is_some() && options.interval.is_none() {
        return Err("-c counts intervals: it needs -i".into());
    }
    if options.milliseconds && !options.latency {
        return Err("-m is for the times that -L prints".into());
    }
    Ok(Some(options))
}

fn run() -> Result<(), Failure> {
    let Some(options) = arguments(lexopt::Parser::from_env())? else {
        return Ok(());
    };

    let mut open = syscount::SyscountSkelBuilder::new().open()?;
    let at_end = options.latency || options.only_failed;
    open.rodata.target_pid = options.pid;
    open.rodata.by_process = options.processes.into();
    open.rodata.at_end = at_end.into();
    open.rodata.only_failed = options.only_failed.into();
    open.rodata.target_errno = options.errno;
    if !at_end {
        open.progs.on_exit.set_autoload(false)?;
        open.progs.on_thread_exit.set_autoload(false)?;
        open.maps.calls.set_max_entries(1)?;
    }
    if options.processes {
        // More processes than system calls may be at work.
        open.maps.totals.set_max_entries(PROCESSES)?;
        open.maps.comms.set_max_entries(PROCESSES)?;
    } else {
        open.progs.on_exec.set_autoload(false)?;
    }
    let mut skel = open.load()?;
    skel.attach()?;
    eprintln!("syscount: counting; Ctrl-C ends it");

    let mut output = BufWriter::new(stdout());
    let mut last = Instant::now();
    let end = options
        .duration
        .and_then(|duration| last.checked_add(duration));
    let mut left = options.count.map(NonZeroU64::get);
    loop {
        // From one deadline to the next, so that the time for printing does not add up.
        let next = options
            .interval
            .and_then(|interval| last.checked_add(interval));
        let deadline = [next, end].into_iter().flatten().min();
        let is_stopped = sleep_until(deadline);
        last = deadline.unwrap_or(last);

        let mut rows = Vec::new();
        for entry in skel.maps.totals.drain() {
            let (key, totals) = entry?;
            rows.push(Row {
                key,
                count: totals.sum_by(|total| total.count),
                total_ns: totals.sum_by(|total| total.total_ns),
            });
        }
        let table = Table::new(rows, options.top, options.latency);
        let names = if options.processes {
            let keys = table.rows.iter().map(|row| row.key).collect::<Vec<_>>();
            let comms = skel.maps.comms.get_many(&keys)?;
            comms
                .iter()
                .map(|comm| {
                    comm.as_ref()
                        .map_or_else(String::new, |comm| printable(&comm.text))
                })
                .collect::<Vec<_>>()
        } else {
            let arch = skel.bss.arch.get()?;
            let name = |row: &Row| names::name_of(arch, row.key).into_owned();
            table.rows.iter().map(name).collect()
        };
        writeln!(output, "[{}]", TimeOfDay::now())?;
        table.print(&mut output, &names, &options)?;
        output.flush()?;

        left = left.map(|left| left - 1);
        if is_stopped || left == Some(0) || (end.is_some() && deadline == end) {
            break;
        }
    }

    let no_total = skel.bss.calls_without_total.get()?;
    if no_total > 0 {
        eprintln!(
            "syscount: {no_total} calls not counted: they were of more processes than it keeps; a shorter interval or -p helps"
        );
    }
    let no_room = skel.bss.calls_without_room.get()?;
    if no_room > 0 {
        eprintln!("syscount: {no_room} calls not counted: there were more threads than it keeps");
    }
    Ok(())
}

/// Processes that are counted at a time.
const PROCESSES: u32 = 16384;

#[cfg(test)]
mod tests {
    use super::*;

    pub fn options(args: &[&str]) -> Result<Options, String> {
        arguments(lexopt::Parser::from_args(args))
            .map(|options| options.unwrap())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn options_that_need_others_say_so() {
        assert!(options(&["-c", "1"]).unwrap_err().contains("-i"));
        assert!(options(&["-m"]).unwrap_err().contains("-L"));
        let both = options(&["-i", "0.1", "-c", "2", "-Lm"]).unwrap();
        assert_eq!(both.interval, Some(Duration::from_millis(100)));
        assert!(both.latency && both.milliseconds);
    }

    #[test]
    fn an_error_means_failed_calls() {
        let enoent = options(&["-e", "ENOENT"]).unwrap();
        assert_eq!((enoent.errno, enoent.only_failed), (2, true));
        for wrong in [
            &["-e", "0"][..],
            &["-T", "0"],
            &["-p", "0"],
            &["-d", "0"],
            &["-i", "x"],
            &["5"],
        ] {
            options(wrong).unwrap_err();
        }
    }
}
