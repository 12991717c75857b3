//! Lists tasks from inside the kernel.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::time::Duration;

use example_common::{Failure, end, id};
use wasm_bpf_guest::zerocopy::{FromZeros as _, IntoBytes as _};
use wasm_bpf_guest::{Iter, printable, stdout};

wasm_bpf_guest::include_skeleton!("task_iter");
use task_iter::types::task;

const HELP: &str = "\
Lists the tasks of the machine as the kernel has them: a program inside the kernel walks
them and writes a record of each.

Usage: task-iter [options]

Options:
  -t, --threads   All threads, not only the first of each process
  -p, --pid PID   Only this process
  -k, --kernel    Threads of the kernel, too
  -s, --stack     What each is doing in the kernel: its call stack there
  -h, --help      Print this help

Columns: process, thread, parent process, state, when it was started (time since the
machine was), name.

States: R runs or could, S sleeps, D waits for what cannot be interrupted, I a kernel
thread without work, T stopped, t traced, Z ended and not waited for, X ends, P parked.

Examples:
  sudo wasm-bpf run task-iter.component.wasm
  sudo wasm-bpf run task-iter.component.wasm -t -p 1234 -s";

fn main() {
    end("task-iter", run());
}

#[derive(Debug, Default)]
struct Options {
    threads: bool,
    kernel: bool,
    stack: bool,
    pid: u32,
}

/// None if only help was asked for.
fn arguments(mut parser: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;

    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('t') | Long("threads") => options.threads = true,
            Short('k') | Long("kernel") => options.kernel = true,
            Short('s') | Long("stack") => options.stack = true,
            Short('p') | Long("pid") => options.pid = parser.value()?.parse_with(id)?,
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(None);
            }
            _ => return Err(argument.unexpected()),
        }
    }
    // Whoever names one wants to see it.
    options.kernel |= options.pid != 0;
    Ok(Some(options))
}

fn run() -> Result<(), Failure> {
    let Some(options) = arguments(lexopt::Parser::from_env())? else {
        return Ok(());
    };

    let mut open = task_iter::TaskIterSkelBuilder::new().open()?;
    open.rodata.target_pid = options.pid;
    open.rodata.with_threads = options.threads.into();
    open.progs.stacks.set_autoload(options.stack)?;
    let skel = open.load()?;

    let stacks = if options.stack {
        let link = skel.progs.stacks.attach()?;
        read_stacks(BufReader::new(Iter::new(&link)?)).map_err(cannot_read)?
    } else {
        HashMap::new()
    };
    let link = skel.progs.tasks.attach()?;
    let mut tasks = BufReader::with_capacity(64 << 10, Iter::new(&link)?);
    let mut output = BufWriter::new(stdout());
    let mut count = 0;
    print_header(&mut output)?;
    while let Some(task) = read_task(&mut tasks).map_err(cannot_read)? {
        if task.is_kernel_thread != 0 && !options.kernel {
            continue;
        }
        print(&mut output, &task)?;
        for function in stacks.get(&task.tid).into_iter().flatten() {
            writeln!(output, "        {}", printable(function.as_bytes()))?;
        }
        count += 1;
    }
    output.flush()?;
    if count == 0 && options.pid != 0 {
        eprintln!("task-iter: there is no process {}", options.pid);
    }
    Ok(())
}

fn cannot_read(error: io::Error) -> Failure {
    Failure::Output(io::Error::other(format!(
        "what the kernel has of its tasks: {error}"
    )))
}

/// The next record; none at the end.
fn read_task(stream: &mut impl BufRead) -> io::Result<Option<task>> {
    if stream.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut task = task::new_zeroed();
    stream.read_exact(task.as_mut_bytes())?;
    Ok(Some(task))
}

/// Functions by thread: a line with its ID, and then those of its functions, which begin with a space.
fn read_stacks(stream: impl BufRead) -> io::Result<HashMap<u32, Vec<String>>> {
    let mut stacks = HashMap::new();
    let mut functions = &mut Vec::new();
    for line in stream.lines() {
        let line = line?;
        match (line.strip_prefix(' '), line.parse()) {
            (Some(function), _) => functions.push(function.to_owned()),
            (None, Ok(thread)) => functions = stacks.entry(thread).or_default(),
            (None, Err(_)) => {}
        }
    }
    Ok(stacks)
}

fn print_header(output: &mut impl Write) -> io::Result<()> {
    writeln!(
        output,
        "{:>7} {:>7} {:>7} S {:>14} COMM",
        "PID", "TID", "PPID", "STARTED"
    )
}

fn print(output: &mut impl Write, task: &task) -> io::Result<()> {
    writeln!(
        output,
        "{:>7} {:>7} {:>7} {} {:>14} {}",
        task.pid,
        task.tid,
        task.parent,
        state(task.state, task.exit_state),
        since_start(Duration::from_nanos(task.start)),
        printable(&task.comm),
    )
}

/// As ps(1) shows it. The numbers are those of include/linux/sched.h; they have not changed since 4.14.
fn state(state: u32, exit_state: u32) -> char {
    const DEAD: u32 = 0x10;
    const ZOMBIE: u32 = 0x20;
    const WITHOUT_LOAD: u32 = 0x400;
    match (state, exit_state) {
        (_, ended) if ended & ZOMBIE != 0 => 'Z',
        (_, ended) if ended & DEAD != 0 => 'X',
        (0, _) => 'R',
        (bits, _) if bits & 1 != 0 => 'S',
        (bits, _) if bits & 2 != 0 && bits & WITHOUT_LOAD != 0 => 'I',
        (bits, _) if bits & 2 != 0 => 'D',
        (bits, _) if bits & 4 != 0 => 'T',
        (bits, _) if bits & 8 != 0 => 't',
        (bits, _) if bits & 0x40 != 0 => 'P',
        _ => '?',
    }
}

/// `1-02:03:04.005`: days if there are any.
fn since_start(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    let clock = format!(
        "{hours:02}:{minutes:02}:{rest:02}.{:03}",
        time.subsec_millis()
    );
    if days > 0 {
        format!("{days}-{clock}")
    } else {
        clock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_letters() {
        assert_eq!(state(0, 0), 'R');
        assert_eq!(state(1, 0), 'S');
        assert_eq!(state(2, 0), 'D');
        assert_eq!(state(0x402, 0), 'I');
        // Killable: it waits for what can only be interrupted by the end.
        assert_eq!(state(0x102, 0), 'D');
        assert_eq!(state(0x80, 0x20), 'Z');
        assert_eq!(state(0x8000, 0), '?');
    }

    #[test]
    fn times_are_short() {
        assert_eq!(since_start(Duration::from_millis(5)), "00:00:00.005");
        assert_eq!(since_start(Duration::from_secs(90_061)), "1-01:01:01.000");
    }

    #[test]
    fn stacks_belong_to_threads() {
        let text = b"1\n schedule+0x3f\n do_wait+0x1\n2\n3\n x\n";
        let stacks = read_stacks(&text[..]).unwrap();
        assert_eq!(stacks[&1], ["schedule+0x3f", "do_wait+0x1"]);
        assert!(stacks[&2].is_empty());
        assert_eq!(stacks[&3], ["x"]);
    }

    #[test]
    fn half_a_record_is_an_error() {
        let bytes = [0; size_of::<task>() + 1];
        let mut stream = &bytes[..];
        assert!(read_task(&mut stream).unwrap().is_some());
        read_task(&mut stream).unwrap_err();
        assert!(read_task(&mut stream).unwrap().is_none());
    }

    #[test]
    fn a_named_process_is_seen_whatever_it_is() {
        let parse = |args: &[&str]| arguments(lexopt::Parser::from_args(args)).unwrap().unwrap();
        assert!(parse(&["-p", "2"]).kernel);
        assert!(!parse(&["-ts"]).kernel);
        arguments(lexopt::Parser::from_args(["-p", "0"])).unwrap_err();
    }
}
