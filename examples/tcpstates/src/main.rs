//! Prints the state changes of TCP connections, and how long each state lasted.

use std::fmt;
use std::io::{BufWriter, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use example_common::{Failure, TimeOfDay, end};
use wasm_bpf_guest::zerocopy::FromBytes as _;
use wasm_bpf_guest::{RingBufferBuilder, printable, stdout};

wasm_bpf_guest::include_skeleton!("tcpstates");
use tcpstates::types::event;

const HELP: &str = "\
Prints the state changes of TCP connections, and how long each state lasted.

Usage: tcpstates [-T] [-4 | -6] [-l PORT] [-r PORT]

Options:
  -T, --timestamp         With the time (UTC)
  -4, --ipv4              Only IPv4
  -6, --ipv6              Only IPv6
  -l, --local-port PORT   Only connections with this port here
  -r, --remote-port PORT  Only connections with this port there
  -h, --help              Print this help

Columns: an address of the kernel's that tells connections apart, the process that was
running (packets arrive in whichever runs), the addresses and ports here and there, the
old state and the new one, and how many milliseconds the old one lasted; - for the first
change that is seen.

Examples:
  sudo wasm-bpf run tcpstates.component.wasm
  sudo wasm-bpf run tcpstates.component.wasm -T -l 443";

const IPV4: u16 = 2;
const IPV6: u16 = 10;

fn main() {
    end("tcpstates", run());
}

#[derive(Default)]
struct Options {
    timestamp: bool,
    family: u16,
    local_port: u16,
    remote_port: u16,
}

/// None if only help was asked for.
fn arguments() -> Result<Option<Options>, Failure> {
    use lexopt::prelude::*;

    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('T') | Long("timestamp") => options.timestamp = true,
            Short('4') | Long("ipv4") if options.family != IPV6 => options.family = IPV4,
            Short('6') | Long("ipv6") if options.family != IPV4 => options.family = IPV6,
            Short('4' | '6') | Long("ipv4" | "ipv6") => {
                return Err(Failure::Usage("-4 and -6 exclude each other".into()));
            }
            Short('l') | Long("local-port") => {
                options.local_port = parser.value()?.parse_with(port)?;
            }
            Short('r') | Long("remote-port") => {
                options.remote_port = parser.value()?.parse_with(port)?;
            }
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(None);
            }
            _ => return Err(argument.unexpected().into()),
        }
    }
    Ok(Some(options))
}

/// 0 stands for every port in the BPF program.
fn port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("not a port".into()),
        Ok(port) => Ok(port),
    }
}

fn run() -> Result<(), Failure> {
    let Some(options) = arguments()? else {
        return Ok(());
    };

    let mut open = tcpstates::TcpstatesSkelBuilder::new().open()?;
    open.rodata.only_family = options.family;
    open.rodata.only_local_port = options.local_port;
    open.rodata.only_remote_port = options.remote_port;
    let mut skel = open.load()?;
    skel.attach()?;

    let mut output = BufWriter::new(stdout());
    if options.timestamp {
        write!(output, "{:<8} ", "TIME")?;
    }
    writeln!(
        output,
        "{:<16} {:>7} {:<15} {:<15} {:<5} {:<15} {:<5} {:<11} -> {:<11} MS",
        "SKADDR", "C-PID", "C-COMM", "LADDR", "LPORT", "RADDR", "RPORT", "OLDSTATE", "NEWSTATE"
    )?;
    output.flush()?;

    let mut failed = None;
    let output = std::cell::RefCell::new(output);
    let mut builder = RingBufferBuilder::new();
    builder.add_counted(&skel.maps.events, &skel.maps.lost, |record| {
        let Ok((event, _)) = event::read_from_prefix(record) else {
            return 0;
        };
        let mut output = output.borrow_mut();
        let time = match options.timestamp {
            true => write!(output, "{} ", TimeOfDay::now()),
            false => Ok(()),
        };
        match time.and_then(|()| writeln!(output, "{}", Line(&event))) {
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
        let is_ipv6 = event.is_ipv6 != 0;
        write!(
            f,
            "{:016x} {:>7} {:<15} {:<15} {:<5} {:<15} {:<5} {:<11} -> {:<11} ",
            event.socket,
            event.pid,
            printable(&event.comm),
            address(&event.local, is_ipv6),
            event.local_port,
            address(&event.remote, is_ipv6),
            event.remote_port,
            state(event.old_state),
            state(event.new_state),
        )?;
        match event.has_duration {
            0 => f.write_str("-"),
            _ => write!(f, "{:.3}", event.duration_ns as f64 / 1e6),
        }
    }
}

/// As text at once: what pads columns does not pad addresses.
fn address(bytes: &[u8; 16], is_ipv6: bool) -> String {
    let address: IpAddr = match bytes {
        _ if is_ipv6 => Ipv6Addr::from(*bytes).into(),
        [a, b, c, d, ..] => Ipv4Addr::new(*a, *b, *c, *d).into(),
    };
    address.to_string()
}

/// As include/net/tcp_states.h names them.
fn state(number: u8) -> &'static str {
    const NAMES: [&str; 14] = [
        "?",
        "ESTABLISHED",
        "SYN_SENT",
        "SYN_RECV",
        "FIN_WAIT1",
        "FIN_WAIT2",
        "TIME_WAIT",
        "CLOSE",
        "CLOSE_WAIT",
        "LAST_ACK",
        "LISTEN",
        "CLOSING",
        "NEW_SYN_RECV",
        "BOUND",
    ];
    NAMES.get(usize::from(number)).copied().unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_columns() {
        let mut event = event {
            local_port: 443,
            old_state: 10,
            new_state: 7,
            ..event::default()
        };
        event.local[..4].copy_from_slice(&[127, 0, 0, 1]);
        let line = Line(&event).to_string();
        assert!(line.contains(" 127.0.0.1       443   0.0.0.0 "), "{line}");
        assert!(line.ends_with(" LISTEN      -> CLOSE       -"), "{line}");
        event.is_ipv6 = 1;
        event.local = Ipv6Addr::LOCALHOST.octets();
        event.has_duration = 1;
        event.duration_ns = 1_500_000;
        let line = Line(&event).to_string();
        assert!(line.contains(" ::1 "), "{line}");
        assert!(line.ends_with(" 1.500"), "{line}");
    }

    #[test]
    fn what_is_no_port_is_refused() {
        assert_eq!(port("443"), Ok(443));
        for wrong in ["0", "65536", "-1", "http", ""] {
            port(wrong).unwrap_err();
        }
    }
}
