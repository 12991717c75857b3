//! Counts what comes in on a network interface.

mod kind;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use example_common::{Failure, TimeOfDay, end, seconds};
use wasm_bpf_guest::{XdpMode, sleep_until, stdout};

use kind::Kind;

wasm_bpf_guest::include_skeleton!("xdp_counter");

const HELP: &str = "\
Counts the packets and bytes that come in on a network interface, by protocol or by port.
They are counted by XDP, before the kernel's network stack sees them, and all go through.

Usage: xdp-counter [options] INTERFACE [INTERVAL [COUNT]]

  INTERFACE           The interface, such as eth0; the host has to allow it: --allow xdp=eth0
  INTERVAL            Seconds between tables (default: 1)
  COUNT               How many to print (default: until Ctrl-C)

Options:
  -p, --ports         By protocol and destination port
  -n, --rows N        At most N rows a table, the busiest first (default: 20)
  -g, --generic       Count in the network stack, not in the driver: works with every driver
  -T, --timestamp     Print the time (UTC) before each table
  -h, --help          Print this help

Columns: the protocol; packets and bytes in the interval; both a second; and of all since the start.

Examples:
  sudo wasm-bpf run --allow xdp=eth0 xdp-counter.component.wasm eth0
  sudo wasm-bpf run --allow xdp=eth0 xdp-counter.component.wasm -p -n 5 eth0 10 6";

fn main() {
    end("xdp-counter", run());
}

#[derive(Debug)]
struct Options {
    interface: String,
    interval: Duration,
    count: Option<NonZeroU64>,
    ports: bool,
    rows: usize,
    generic: bool,
    timestamp: bool,
}

/// None if only help was asked for.
fn arguments(mut parser: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;

    let (mut interface, mut interval) = (None, None);
    let mut options = Options {
        interface: String::new(),
        interval: Duration::from_secs(1),
        count: None,
        ports: false,
        rows: 20,
        generic: false,
        timestamp: false,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('p') | Long("ports") => options.ports = true,
            Short('n') | Long("rows") => {
                options.rows = parser.value()?.parse::<NonZeroU64>()?.get() as usize;
            }
            Short('g') | Long("generic") => options.generic = true,
            Short('T') | Long("timestamp") => options.timestamp = true,
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(None);
            }
            Value(value) if interface.is_none() => interface = Some(value.string()?),
            Value(value) if interval.is_none() => interval = Some(value.parse_with(seconds)?),
            Value(value) if options.count.is_none() => options.count = Some(value.parse()?),
            _ => return Err(argument.unexpected()),
        }
    }
    options.interface = interface.ok_or("which interface?")?;
    options.interval = interval.unwrap_or(options.interval);
    Ok(Some(options))
}

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counter {
    packets: u64,
    bytes: u64,
}

/// A kind of packet: how many in the interval, and in all.
struct Row {
    kind: Kind,
    new: Counter,
    all: Counter,
}

fn run() -> Result<(), Failure> {
    let Some(options) = arguments(lexopt::Parser::from_env())? else {
        return Ok(());
    };

    let mut open = xdp_counter::XdpCounterSkelBuilder::new().open()?;
    open.rodata.count_ports = options.ports.into();
    let skel = open.load()?;
    let mode = match options.generic {
        true => XdpMode::Generic,
        false => XdpMode::Default,
    };
    let link = skel
        .progs
        .count_packet
        .attach_xdp_with_mode(&options.interface, mode)?;
    eprintln!(
        "xdp-counter: counting on {}; Ctrl-C ends it",
        options.interface
    );

    let mut output = BufWriter::new(stdout());
    let mut known = BTreeMap::<Kind, Counter>::new();
    let mut last = Instant::now();
    let mut left = options.count.map(NonZeroU64::get);
    loop {
        // From one deadline to the next, so that the time for printing does not add up.
        let deadline = last.checked_add(options.interval);
        let is_stopped = sleep_until(deadline);
        let now = match (is_stopped, deadline) {
            (false, Some(deadline)) => deadline,
            _ => Instant::now(),
        };
        let took = now - last;
        last = now;
        let mut rows = Vec::new();
        for entry in skel.maps.counters.iter() {
            let (kind, counters) = entry?;
            let kind = Kind::new(kind.ethertype, kind.protocol, kind.port);
            let all = Counter {
                packets: counters.sum_by(|counter| counter.packets),
                bytes: counters.sum_by(|counter| counter.bytes),
            };
            let before = known.insert(kind, all).unwrap_or_default();
            let new = Counter {
                packets: all.packets - before.packets,
                bytes: all.bytes - before.bytes,
            };
            rows.push(Row { kind, new, all });
        }
        print(&mut output, &options, rows, took)?;
        output.flush()?;
        left = left.map(|left| left - 1);
        if is_stopped || left == Some(0) {
            break;
        }
    }
    drop(link);

    let not_counted = skel.bss.not_counted.get()?;
    if not_counted > 0 {
        eprintln!(
            "xdp-counter: {not_counted} packets not counted: there were more kinds than it keeps"
        );
    }
    Ok(())
}

/// The busiest first; what came before, but not in this interval, is not shown.
fn print(
    output: &mut impl Write,
    options: &Options,
    mut rows: Vec<Row>,
    took: Duration,
) -> io::Result<()> {
    if options.timestamp {
        writeln!(output, "{}", TimeOfDay::now())?;
    }
    rows.retain(|row| row.new.packets > 0);
    rows.sort_by_key(|row| (std::cmp::Reverse(row.new.bytes), row.kind));
    let a_second = |number: u64| number as f64 / took.as_secs_f64();
    let mut sum = Counter::default();
    let mut sum_of_all = Counter::default();
    for row in &rows {
        sum.packets += row.new.packets;
        sum.bytes += row.new.bytes;
        sum_of_all.packets += row.all.packets;
        sum_of_all.bytes += row.all.bytes;
    }
    writeln!(
        output,
        "{:<16} {:>10} {:>12} {:>11} {:>11} {:>12}",
        "PROTOCOL", "PACKETS", "BYTES", "PACKETS/S", "MBIT/S", "ALL PACKETS"
    )?;
    let mut line = |name: &str, new: Counter, all: Counter| {
        writeln!(
            output,
            "{name:<16} {:>10} {:>12} {:>11.1} {:>11.3} {:>12}",
            new.packets,
            new.bytes,
            a_second(new.packets),
            a_second(new.bytes) * 8.0 / 1e6,
            all.packets,
        )
    };
    for row in rows.iter().take(options.rows) {
        line(&row.kind.to_string(), row.new, row.all)?;
    }
    line("total", sum, sum_of_all)?;
    writeln!(output)
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
    fn interface_interval_and_count_are_positional() {
        let all = options(&["-p", "eth0", "0.5", "-n", "3", "10"]).unwrap();
        assert_eq!(all.interface, "eth0");
        assert_eq!(all.interval, Duration::from_millis(500));
        assert_eq!(all.count, NonZeroU64::new(10));
        assert_eq!((all.ports, all.rows), (true, 3));
        assert_eq!(options(&["eth0"]).unwrap().interval, Duration::from_secs(1));
        for wrong in [
            &[][..],
            &["eth0", "0"],
            &["eth0", "1", "0"],
            &["eth0", "1", "1", "1"],
            &["-n", "0", "eth0"],
            &["--bogus"],
        ] {
            options(wrong).unwrap_err();
        }
    }

    #[test]
    fn the_busiest_comes_first() {
        let row = |protocol, bytes| Row {
            kind: Kind::new(0x0800, protocol, 0),
            new: Counter { packets: 2, bytes },
            all: Counter { packets: 5, bytes },
        };
        let mut options = options(&["eth0"]).unwrap();
        options.rows = 1;
        let mut output = Vec::new();
        let rows = vec![row(6, 100), row(17, 1_000_000)];
        print(&mut output, &options, rows, Duration::from_secs(2)).unwrap();
        let text = String::from_utf8(output).unwrap();
        let words = |line: &str| {
            let words = line.split_whitespace().map(str::to_owned);
            words.collect::<Vec<_>>()
        };
        let lines = text.lines().map(words).collect::<Vec<_>>();
        assert_eq!(
            lines[1],
            ["IPv4", "UDP", "2", "1000000", "1.0", "4.000", "5"]
        );
        assert_eq!(lines[2], ["total", "4", "1000100", "2.0", "4.000", "10"]);
    }
}
