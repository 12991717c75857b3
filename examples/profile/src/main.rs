//! Shows where CPUs spend their time.

mod stacks;

use std::io::{BufWriter, Write as _};
use std::time::{Duration, Instant};

use example_common::{Failure, end, id, seconds};
use wasm_bpf_guest::{
    ErrorKind, HardwareEvent, Link, MapCore as _, MapHandle, MapType, PerfEvent, PerfEventOptions,
    PerfEventType, Program, SoftwareEvent, sleep_until, stdout,
};

use stacks::Sampled;

wasm_bpf_guest::include_skeleton!("profile");

const HELP: &str = "\
Shows where CPUs spend their time: takes a sample of each CPU many times a second and
counts the stacks, of the kernel and of processes.

Usage: profile [options] [DURATION]

  DURATION            Seconds to sample (default: until Ctrl-C)

Options:
  -F, --frequency HZ  Samples a second of each CPU (default: 49)
  -p, --pid PID       Only this process
  -U, --user          Only stacks of user space
  -K, --kernel        Only stacks of the kernel
  -I, --idle          CPUs that have nothing to do, too
  -f, --folded        A line for each stack, as tools that draw flame graphs take it
  -a, --annotations   Mark functions of the kernel with _[k]
  -h, --help          Print this help

Output: each stack with its innermost function first, the process that it is of, and how
often it was met; the most frequent last.

Examples:
  sudo wasm-bpf run profile.component.wasm 10
  sudo wasm-bpf run profile.component.wasm -F 99 -p 1234 5
  sudo wasm-bpf run profile.component.wasm -f 30 >out.folded; flamegraph.pl out.folded >out.svg";

fn main() {
    end("profile", run());
}

#[derive(Debug)]
struct Options {
    duration: Option<Duration>,
    frequency: u64,
    pid: u32,
    user: bool,
    kernel: bool,
    idle: bool,
    folded: bool,
    annotations: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            duration: None,
            // Not in step with what happens a round number of times a second.
            frequency: 49,
            pid: 0,
            user: false,
            kernel: false,
            idle: false,
            folded: false,
            annotations: false,
        }
    }
}

/// None if only help was asked for.
fn arguments(mut parser: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;

    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('F') | Long("frequency") => {
                options.frequency = parser.value()?.parse()?;
                if options.frequency == 0 {
                    return Err("the frequency has to be 1 at least".into());
                }
            }
            Short('p') | Long("pid") => options.pid = parser.value()?.parse_with(id)?,
            Short('U') | Long("user") => options.user = true,
            Short('K') | Long("kernel") => options.kernel = true,
            Short('I') | Long("idle") => options.idle = true,
            Short('f') | Long("folded") => options.folded = true,
            Short('a') | Long("annotations") => options.annotations = true,
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(None);
            }
            Value(value) if options.duration.is_none() => {
                options.duration = Some(value.parse_with(seconds)?);
            }
            _ => return Err(argument.unexpected()),
        }
    }
    if options.user && options.kernel {
        return Err("-U and -K exclude each other".into());
    }
    Ok(Some(options))
}

fn run() -> Result<(), Failure> {
    let Some(options) = arguments(lexopt::Parser::from_env())? else {
        return Ok(());
    };

    let mut open = profile::ProfileSkelBuilder::new().open()?;
    open.rodata.target_tgid = options.pid;
    open.rodata.with_user = u8::from(!options.kernel);
    open.rodata.with_kernel = u8::from(!options.user);
    open.rodata.with_idle = u8::from(options.idle);
    let skel = open.load()?;
    let (links, clock) = sample(&skel.progs.on_sample, &options)?;
    eprintln!(
        "profile: sampling {} CPUs {} times a second by {clock}; Ctrl-C ends it",
        links.len(),
        options.frequency
    );
    let deadline = options
        .duration
        .and_then(|duration| Instant::now().checked_add(duration));
    sleep_until(deadline);
    drop(links);

    let sampled = Sampled::read(&skel)?;
    let mut output = BufWriter::new(stdout());
    if options.folded {
        sampled.print_folded(&mut output, options.annotations)?;
    } else {
        sampled.print(&mut output, options.annotations)?;
    }
    output.flush()?;

    let no_room = skel.bss.samples_without_room.get()?;
    if no_room > 0 {
        eprintln!("profile: {no_room} samples not counted: there were more stacks than it keeps");
    }
    let no_stack = skel.bss.stacks_without_room.get()?;
    if no_stack > 0 {
        eprintln!("profile: {no_stack} stacks missing: another one had their place");
    }
    Ok(())
}

/// Runs the program at samples of each CPU; what they are taken by. A machine without counters of the hardware has the kernel's clock.
fn sample(program: &Program, options: &Options) -> Result<(Vec<Link>, &'static str), Failure> {
    let cycles = PerfEventType::from(HardwareEvent::CpuCycles);
    match sample_by(program, &cycles, options.frequency) {
        Ok(links) => Ok((links, "CPU cycles")),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::NotSupported | ErrorKind::Busy
            ) =>
        {
            let clock = PerfEventType::from(SoftwareEvent::CpuClock);
            Ok((
                sample_by(program, &clock, options.frequency)?,
                "the kernel's clock",
            ))
        }
        Err(error) => Err(error.into()),
    }
}

fn sample_by(
    program: &Program,
    event: &PerfEventType,
    frequency: u64,
) -> wasm_bpf_guest::Result<Vec<Link>> {
    let mut links = Vec::new();
    for cpu in 0..possible_cpus()? {
        let options = PerfEventOptions::new()
            .cpu(cpu)
            .sample_frequency(frequency)
            .disabled(true);
        match PerfEvent::open(event.clone(), &options) {
            Ok(event) => links.push(program.attach_perf_event(&event)?),
            // It does not run.
            Err(error) if matches!(error.kind(), ErrorKind::NoSuchDevice) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(links)
}

/// A per-CPU map has a value for each CPU that there may be.
fn possible_cpus() -> wasm_bpf_guest::Result<u32> {
    let map = MapHandle::create(MapType::PercpuArray, "cpus", 4, 8, 1, 0)?;
    Ok(map.info()?.value_length / 8)
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
    fn duration_is_positional() {
        let both = options(&["-F", "99", "0.5"]).unwrap();
        assert_eq!(both.duration, Some(Duration::from_millis(500)));
        assert_eq!(both.frequency, 99);
        assert_eq!(options(&[]).unwrap().frequency, 49);
        for wrong in [
            &["0"][..],
            &["-F", "0"],
            &["1", "2"],
            &["-U", "-K"],
            &["-p", "0"],
        ] {
            options(wrong).unwrap_err();
        }
    }
}
