//! Reports files opened, programs started, uses of bpf and ptrace, from security hooks.

use std::cell::{Cell, RefCell};
use std::io::{self, BufWriter, Write};
use std::time::{Duration, Instant};

use example_common::{Failure, TimeOfDay, end, id, seconds};
use wasm_bpf_guest::zerocopy::FromBytes as _;
use wasm_bpf_guest::{ErrorKind, RingBufferBuilder, printable, stdout};

wasm_bpf_guest::include_skeleton!("lsm_audit");
use lsm_audit::types::{event, event_kind};

const HELP: &str = "\
Reports from the kernel's security hooks who opens files, starts programs, uses bpf(2) and
looks into other processes. It lets everything pass.

Usage: lsm-audit [options]

Options:
  -e, --events LIST       Some of open, exec, bpf and ptrace, with commas (default: all)
  -p, --pid PID           Only what this process does
  -T, --timestamp         Print the time (UTC) of each event
  -d, --duration SECONDS  End after that time (default: at Ctrl-C)
  -h, --help              Print this help

Columns: user, process and its name, the event, and what it is about: the file, the
program, the command of bpf, or the process that is looked into.

It needs a kernel (5.11 or newer) with CONFIG_BPF_LSM that was booted with bpf among its
security modules (lsm=...,bpf), and the grant for security hooks.

Examples:
  sudo wasm-bpf run --allow lsm lsm-audit.component.wasm
  sudo wasm-bpf run --allow lsm lsm-audit.component.wasm -e exec,ptrace -T";

fn main() {
    end("lsm-audit", run());
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Events {
    open: bool,
    exec: bool,
    bpf: bool,
    ptrace: bool,
}

impl Events {
    const ALL: Self = Self {
        open: true,
        exec: true,
        bpf: true,
        ptrace: true,
    };

    fn parse(list: &str) -> Result<Self, String> {
        let mut events = Self {
            open: false,
            exec: false,
            bpf: false,
            ptrace: false,
        };
        for name in list.split(',') {
            match name {
                "open" => events.open = true,
                "exec" => events.exec = true,
                "bpf" => events.bpf = true,
                "ptrace" => events.ptrace = true,
                _ => return Err(format!("no such event: {name:?}")),
            }
        }
        Ok(events)
    }
}

#[derive(Debug)]
struct Options {
    events: Events,
    pid: u32,
    timestamp: bool,
    duration: Option<Duration>,
}

/// None if only help was asked for.
fn arguments(mut parser: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;

    let mut options = Options {
        events: Events::ALL,
        pid: 0,
        timestamp: false,
        duration: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('e') | Long("events") => {
                options.events = parser.value()?.parse_with(Events::parse)?;
            }
            Short('p') | Long("pid") => options.pid = parser.value()?.parse_with(id)?,
            Short('T') | Long("timestamp") => options.timestamp = true,
            Short('d') | Long("duration") => {
                options.duration = Some(parser.value()?.parse_with(seconds)?);
            }
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(None);
            }
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some(options))
}

fn run() -> Result<(), Failure> {
    let Some(options) = arguments(lexopt::Parser::from_env())? else {
        return Ok(());
    };

    let mut open = lsm_audit::LsmAuditSkelBuilder::new().open()?;
    open.rodata.target_pid = options.pid;
    open.progs.on_open.set_autoload(options.events.open)?;
    open.progs.on_exec.set_autoload(options.events.exec)?;
    open.progs.on_bpf.set_autoload(options.events.bpf)?;
    open.progs.on_ptrace.set_autoload(options.events.ptrace)?;
    let mut skel = open.load().inspect_err(|error| hint(error.kind()))?;

    let output = RefCell::new(BufWriter::new(stdout()));
    let failed = Cell::new(None);
    let mut builder = RingBufferBuilder::new();
    builder.add(&skel.maps.events, |record| {
        // Padding may follow.
        let Ok((event, _)) = event::read_from_prefix(record) else {
            return 0;
        };
        match print(&mut *output.borrow_mut(), &options, &event) {
            Ok(()) => 0,
            Err(error) => {
                failed.set(Some(error));
                -1
            }
        }
    })?;
    let ring = builder.build()?;
    skel.attach().inspect_err(|error| hint(error.kind()))?;
    print_header(&mut *output.borrow_mut(), &options)?;
    output.borrow_mut().flush()?;

    let deadline = options
        .duration
        .and_then(|duration| Instant::now().checked_add(duration));
    let ended = loop {
        let left = deadline.map_or(Duration::MAX, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        });
        let polled = ring.poll(left);
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
    let no_room = skel.bss.events_without_room.get()?;
    if no_room > 0 {
        eprintln!(
            "lsm-audit: {no_room} events not reported: they came faster than they could be printed; -e or -p make them fewer"
        );
    }
    Ok(ended?)
}

/// What a kernel without hooks for BPF needs.
fn hint(why: ErrorKind) {
    if matches!(why, ErrorKind::NotSupported) {
        eprintln!(
            "lsm-audit: this kernel has no security hooks for BPF: it has to be built with CONFIG_BPF_LSM=y and booted with bpf among lsm=..."
        );
    }
}

fn print_header(output: &mut impl Write, options: &Options) -> io::Result<()> {
    if options.timestamp {
        write!(output, "{:<8} ", "TIME")?;
    }
    writeln!(
        output,
        "{:>6} {:>7} {:<15} {:<6} WHAT",
        "UID", "PID", "COMM", "EVENT"
    )
}

fn print(output: &mut impl Write, options: &Options, event: &event) -> io::Result<()> {
    if options.timestamp {
        write!(output, "{} ", TimeOfDay::now())?;
    }
    let comm = printable(&event.comm);
    write!(output, "{:>6} {:>7} {comm:<15} ", event.uid, event.pid)?;
    let text = printable(&event.text);
    match event.kind {
        event_kind::KIND_OPEN => writeln!(output, "open   {} {text}", access(event.value)),
        event_kind::KIND_EXEC => writeln!(output, "exec   {text}"),
        event_kind::KIND_BPF => writeln!(output, "bpf    {}", command(event.value)),
        event_kind::KIND_PTRACE => writeln!(output, "ptrace {} {text}", event.target),
        event_kind(other) => writeln!(output, "{other}"),
    }
}

/// For what a file is opened: the lowest two bits of the flags, on every architecture.
fn access(flags: u32) -> &'static str {
    match flags & 3 {
        0 => "r",
        1 => "w",
        2 => "rw",
        // Neither: only the name is wanted, or an ioctl.
        _ => "-",
    }
}

/// Commands of bpf(2), by number.
const COMMANDS: &[&str] = &[
    "map-create",
    "map-lookup",
    "map-update",
    "map-delete",
    "map-next-key",
    "prog-load",
    "obj-pin",
    "obj-get",
    "prog-attach",
    "prog-detach",
    "prog-test-run",
    "prog-next-id",
    "map-next-id",
    "prog-by-id",
    "map-by-id",
    "obj-info",
    "prog-query",
    "raw-tracepoint-open",
    "btf-load",
    "btf-by-id",
    "task-fd-query",
    "map-lookup-and-delete",
    "map-freeze",
    "btf-next-id",
    "map-lookup-batch",
    "map-lookup-and-delete-batch",
    "map-update-batch",
    "map-delete-batch",
    "link-create",
    "link-update",
    "link-by-id",
    "link-next-id",
    "enable-stats",
    "iter-create",
    "link-detach",
    "prog-bind-map",
    "token-create",
];

fn command(number: u32) -> String {
    COMMANDS
        .get(number as usize)
        .map_or_else(|| format!("command {number}"), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bpf_guest::zerocopy::FromZeros as _;

    fn line(change: impl FnOnce(&mut event)) -> String {
        let mut event = event::new_zeroed();
        event.pid = 7;
        event.comm[..2].copy_from_slice(b"sh");
        change(&mut event);
        let options = arguments(lexopt::Parser::from_args::<[&str; 0]>([]))
            .unwrap()
            .unwrap();
        let mut output = Vec::new();
        print(&mut output, &options, &event).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn lines_say_what_happened() {
        let opened = line(|event| {
            event.value = 2;
            event.text[..9].copy_from_slice(b"/tmp/a\x1bb\0");
        });
        assert_eq!(
            opened,
            "     0       7 sh              open   rw /tmp/a?b\n"
        );
        let loaded = line(|event| {
            event.kind = event_kind::KIND_BPF;
            event.value = 5;
        });
        assert!(loaded.ends_with("bpf    prog-load\n"), "{loaded}");
        let traced = line(|event| {
            event.kind = event_kind::KIND_PTRACE;
            event.target = 9;
        });
        assert!(traced.contains("ptrace 9"), "{traced}");
    }

    #[test]
    fn commands_have_names() {
        assert_eq!(command(0), "map-create");
        assert_eq!(command(28), "link-create");
        assert_eq!(command(36), "token-create");
        assert_eq!(command(99), "command 99");
    }

    #[test]
    fn events_are_chosen() {
        assert_eq!(
            Events::parse("exec,bpf"),
            Ok(Events {
                open: false,
                exec: true,
                bpf: true,
                ptrace: false
            })
        );
        for wrong in ["", "open,", "write"] {
            Events::parse(wrong).unwrap_err();
        }
    }
}
