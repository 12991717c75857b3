//! Prints the files that processes open.

use std::cell::{Cell, RefCell};
use std::io::{self, BufWriter, Write};
use std::time::{Duration, Instant};

use example_common::{Failure, TimeOfDay, end, id, seconds};
use wasm_bpf_guest::zerocopy::FromBytes as _;
use wasm_bpf_guest::{PerfBufferBuilder, printable, stdout};

wasm_bpf_guest::include_skeleton!("opensnoop");
use opensnoop::types::event;

/// As in opensnoop.h.
const PATH_LENGTH: usize = 256;

const HELP: &str = "\
Prints the files that processes open: the system calls open, openat and openat2.

Usage: opensnoop [options]

Which calls:
  -p, --pid PID           Only of this process
  -t, --tid TID           Only of this thread
  -u, --uid UID           Only of this user
  -n, --name NAME         Only of processes and threads whose name contains NAME
  -x, --failed            Only those that failed

Output:
  -T, --timestamp         The time (UTC) of each call
  -U, --print-uid         The user ID
  -e, --extended-fields   The flags, in octal

Other options:
  -d, --duration SECONDS  End after this time (default: with Ctrl-C)
      --pages N           Pages of the buffer for each CPU, a power of two (default: 64);
                          more if events are lost
  -h, --help              Print this help

Columns: the process ID, the thread's name, the file descriptor or -1, the errno or 0, and
the path as the process gave it.

Examples:
  sudo wasm-bpf run opensnoop.component.wasm
  sudo wasm-bpf run opensnoop.component.wasm -T -p 1234
  sudo wasm-bpf run opensnoop.component.wasm -x -n nginx -d 10";

fn main() {
    end("opensnoop", run());
}

#[derive(Debug)]
struct Options {
    pid: u32,
    tid: u32,
    uid: Option<u32>,
    name: Option<String>,
    only_failed: bool,
    timestamp: bool,
    print_uid: bool,
    print_flags: bool,
    duration: Option<Duration>,
    pages: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pid: 0,
            tid: 0,
            uid: None,
            name: None,
            only_failed: false,
            timestamp: false,
            print_uid: false,
            print_flags: false,
            duration: None,
            pages: 64,
        }
    }
}

/// None if only help was asked for.
fn arguments(mut parser: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;

    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('p') | Long("pid") => options.pid = parser.value()?.parse_with(id)?,
            Short('t') | Long("tid") => options.tid = parser.value()?.parse_with(id)?,
            Short('u') | Long("uid") => options.uid = Some(parser.value()?.parse_with(uid)?),
            Short('n') | Long("name") => options.name = Some(parser.value()?.string()?),
            Short('x') | Long("failed") => options.only_failed = true,
            Short('T') | Long("timestamp") => options.timestamp = true,
            Short('U') | Long("print-uid") => options.print_uid = true,
            Short('e') | Long("extended-fields") => options.print_flags = true,
            Short('d') | Long("duration") => {
                options.duration = Some(parser.value()?.parse_with(seconds)?);
            }
            Long("pages") => options.pages = parser.value()?.parse_with(pages)?,
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(None);
            }
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some(options))
}

/// The largest number is no user's, and stands for any.
fn uid(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(u32::MAX) | Err(_) => Err("not a user ID".into()),
        Ok(uid) => Ok(uid),
    }
}

fn pages(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|pages: &usize| pages.is_power_of_two())
        .ok_or_else(|| "not a power of two".into())
}

fn run() -> Result<(), Failure> {
    let Some(options) = arguments(lexopt::Parser::from_env())? else {
        return Ok(());
    };

    let mut open = opensnoop::OpensnoopSkelBuilder::new().open()?;
    open.rodata.target_pid = options.pid;
    open.rodata.target_tid = options.tid;
    if let Some(uid) = options.uid {
        open.rodata.target_uid = uid;
    }
    open.rodata.only_failed = options.only_failed.into();
    let mut skel = open.load()?;

    let output = RefCell::new(BufWriter::new(stdout()));
    let failed = Cell::new(None);
    let perf = PerfBufferBuilder::new(&skel.maps.events)
        .pages(options.pages)
        .sample_cb(|_, record| {
            // The path is behind the event, and padding behind the path.
            let Ok((event, rest)) = event::read_from_prefix(record) else {
                return;
            };
            let path = rest.get(..event.path_length as usize).unwrap_or(rest);
            if let Err(error) = print(&mut *output.borrow_mut(), &options, &event, path) {
                failed.set(Some(error));
            }
        })
        .lost_cb(|cpu, count| eprintln!("opensnoop: {count} events lost on CPU {cpu}"))
        .build()?;
    skel.attach()?;
    print_header(&mut *output.borrow_mut(), &options)?;
    output.borrow_mut().flush()?;
    // The calls of the lines above were seen.
    if skel.bss.is_unknown_architecture.get()? != 0 {
        return Err(Failure::Kernel(
            "this kernel's architecture is none of those whose registers it knows: x86-64, arm64, riscv64",
        ));
    }

    let deadline = options
        .duration
        .and_then(|duration| Instant::now().checked_add(duration));
    let ended = loop {
        let left = deadline.map_or(Duration::MAX, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        });
        let polled = perf.poll(left);
        // A batch at a time: a write for each line would cost more than the line.
        output.borrow_mut().flush()?;
        if let Some(error) = failed.take() {
            return Err(error.into());
        }
        match polled {
            Ok(()) if left.is_zero() => break Ok(()),
            Ok(()) => {}
            Err(error) if error.is_interrupted() => break Ok(()),
            Err(error) => break Err(error),
        }
    };

    if perf.lost() > 0 {
        eprintln!(
            "opensnoop: {} events lost in all: they came faster than they could be printed; more --pages, -p or -x help",
            perf.lost()
        );
    }
    let no_room = skel.bss.calls_without_room.get()?;
    if no_room > 0 {
        eprintln!(
            "opensnoop: {no_room} calls not reported: more were under way at once than it keeps"
        );
    }
    Ok(ended?)
}

fn print_header(output: &mut impl Write, options: &Options) -> io::Result<()> {
    if options.timestamp {
        write!(output, "{:<8} ", "TIME")?;
    }
    if options.print_uid {
        write!(output, "{:>6} ", "UID")?;
    }
    write!(
        output,
        "{:>7} {:<15} {:>4} {:>3} ",
        "PID", "COMM", "FD", "ERR"
    )?;
    if options.print_flags {
        write!(output, "{:>8} ", "FLAGS")?;
    }
    writeln!(output, "PATH")
}

fn print(output: &mut impl Write, options: &Options, event: &event, path: &[u8]) -> io::Result<()> {
    let comm = printable(&event.comm);
    if let Some(name) = &options.name
        && !comm.contains(name)
    {
        return Ok(());
    }
    if options.timestamp {
        write!(output, "{} ", TimeOfDay::now())?;
    }
    if options.print_uid {
        write!(output, "{:>6} ", event.uid)?;
    }
    let (fd, errno) = match event.result {
        fd @ 0.. => (fd, 0),
        error => (-1, error.unsigned_abs()),
    };
    write!(output, "{:>7} {comm:<15} {fd:>4} {errno:>3} ", event.pid)?;
    if options.print_flags {
        write!(output, "{:08o} ", event.flags)?;
    }
    match path {
        // Its memory could not be read. The kernel could not either, and the call failed with EFAULT (14).
        [] => writeln!(output, "[?]"),
        // The buffer is full, so it may go on.
        _ if path.len() == PATH_LENGTH => writeln!(output, "{}...", printable(path)),
        _ => writeln!(output, "{}", printable(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(args: &[&str]) -> Result<Options, String> {
        arguments(lexopt::Parser::from_args(args))
            .map(|options| options.unwrap())
            .map_err(|error| error.to_string())
    }

    fn line(args: &[&str], path: &[u8], change: impl FnOnce(&mut event)) -> String {
        let mut event = event {
            pid: 7,
            ..event::default()
        };
        event.comm[..2].copy_from_slice(b"sh");
        change(&mut event);
        let mut output = Vec::new();
        print(&mut output, &options(args).unwrap(), &event, path).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn a_result_is_a_descriptor_or_an_errno() {
        assert_eq!(
            line(&[], b"/tmp\0", |event| event.result = 3),
            "      7 sh                 3   0 /tmp\n"
        );
        assert_eq!(
            line(&["-U", "-e"], b"/tmp\0", |event| {
                event.result = -2;
                event.flags = 0o2000000;
            }),
            "     0       7 sh                -1   2 02000000 /tmp\n"
        );
    }

    #[test]
    fn a_path_may_be_unreadable_cut_or_hostile() {
        assert!(line(&[], b"", |_| {}).ends_with(" [?]\n"));
        assert!(line(&[], b"\0", |_| {}).ends_with("   0 \n"));
        assert!(line(&[], &[b'a'; 256], |_| {}).ends_with("aaa...\n"));
        assert!(line(&[], b"a\x1b[2J\nb\0", |_| {}).ends_with(" a?[2J?b\n"));
    }

    #[test]
    fn columns_are_under_their_names() {
        let all = &["-T", "-U", "-e"];
        let mut header = Vec::new();
        print_header(&mut header, &options(all).unwrap()).unwrap();
        let header = String::from_utf8(header).unwrap();
        let line = line(all, b"/x\0", |_| {});
        assert_eq!(header.find("PATH"), line.find("/x"));
        assert_eq!(header.find("COMM"), line.find("sh"));
    }

    #[test]
    fn names_are_searched_for() {
        assert!(!line(&["-n", "s"], b"/\0", |_| {}).is_empty());
        assert!(line(&["-n", "bash"], b"/\0", |_| {}).is_empty());
    }

    #[test]
    fn numbers_are_checked() {
        assert_eq!(options(&[]).unwrap().pages, 64);
        assert_eq!(options(&["-u", "0"]).unwrap().uid, Some(0));
        for wrong in [
            &["-p", "0"][..],
            &["-t", "x"],
            &["-u", "4294967295"],
            &["-d", "0"],
            &["--pages", "0"],
            &["--pages", "3"],
            &["file"],
        ] {
            options(wrong).unwrap_err();
        }
    }
}
