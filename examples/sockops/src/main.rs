//! Prints the TCP connections of a cgroup: when they begin, and what they were when they end.

use std::fmt;
use std::io::{BufWriter, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use example_common::{Failure, TimeOfDay, end};
use wasm_bpf_guest::zerocopy::FromBytes as _;
use wasm_bpf_guest::{RingBufferBuilder, open_descriptor, stdout};

wasm_bpf_guest::include_skeleton!("sockops");
use sockops::types::{event, event_kind};

const HELP: &str = "\
Prints the TCP connections of a cgroup: when they begin, and what they were when they end.

Usage: sockops [-c] CGROUP

Arguments:
  CGROUP       A folder of a cgroup file system of version 2; those below it belong to it

Options:
  -c, --close  Only the ends of connections
  -h, --help   Print this help

Columns: the time (UTC), CONNECT, ACCEPT or CLOSE, the address and port here and there, the
smoothed round-trip time in microseconds; for an end also how many milliseconds the
connection was there, the bytes that were sent (and acknowledged) and received, and the
segments that were sent again. Only connections that begin while this runs are seen.

The host has to be told to open the folder to the component, and to let it attach there:
  sudo wasm-bpf run --dir /sys/fs/cgroup --allow cgroup=/sys/fs/cgroup/system.slice \\
      sockops.component.wasm /sys/fs/cgroup/system.slice";

fn main() {
    end("sockops", run());
}

struct Options {
    cgroup: String,
    only_ends: bool,
}

/// None if only help was asked for.
fn arguments() -> Result<Option<Options>, Failure> {
    use lexopt::prelude::*;

    let (mut cgroup, mut only_ends) = (None, false);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('c') | Long("close") => only_ends = true,
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(None);
            }
            Value(path) if cgroup.is_none() => cgroup = Some(path.string()?),
            _ => return Err(argument.unexpected().into()),
        }
    }
    match cgroup {
        Some(cgroup) => Ok(Some(Options { cgroup, only_ends })),
        None => Err(Failure::Usage("which cgroup?".into())),
    }
}

fn run() -> Result<(), Failure> {
    let Some(options) = arguments()? else {
        return Ok(());
    };

    let cgroup = open_descriptor(&options.cgroup)?;
    let skel = sockops::SockopsSkelBuilder::new().open()?.load()?;
    let _link = skel.progs.on_event.attach_cgroup(&cgroup)?;

    let mut output = BufWriter::new(stdout());
    writeln!(
        output,
        "{:<8} {:<7} {:<21} {:<21} {:>7} {:>10} {:>9} {:>9} {:>7}",
        "TIME", "EVENT", "LOCAL", "REMOTE", "RTT(us)", "MS", "TX", "RX", "RETRANS"
    )?;
    output.flush()?;

    let mut failed = None;
    let output = std::cell::RefCell::new(output);
    let mut builder = RingBufferBuilder::new();
    builder.add_counted(&skel.maps.events, &skel.maps.lost, |record| {
        let Ok((event, _)) = event::read_from_prefix(record) else {
            return 0;
        };
        if options.only_ends && event.kind != event_kind::EVENT_CLOSE {
            return 0;
        }
        match writeln!(output.borrow_mut(), "{} {}", TimeOfDay::now(), Line(&event)) {
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

/// A line of output, without the time.
struct Line<'a>(&'a event);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = self.0;
        let is_ipv6 = event.is_ipv6 != 0;
        let name = match event.kind {
            event_kind::EVENT_CONNECT => "CONNECT",
            event_kind::EVENT_ACCEPT => "ACCEPT",
            _ => "CLOSE",
        };
        write!(
            f,
            "{name:<7} {:<21} {:<21} {:>7}",
            address(&event.local, event.local_port, is_ipv6),
            address(&event.remote, event.remote_port, is_ipv6),
            event.round_trip,
        )?;
        if event.kind != event_kind::EVENT_CLOSE {
            return Ok(());
        }
        let duration = match event.has_duration {
            0 => "-".to_owned(),
            _ => format!("{:.3}", event.duration_ns as f64 / 1e6),
        };
        write!(
            f,
            " {duration:>10} {:>9} {:>9} {:>7}",
            event.bytes_sent, event.bytes_received, event.retransmissions
        )
    }
}

/// As text at once: what pads columns does not pad addresses.
fn address(bytes: &[u8; 16], port: u16, is_ipv6: bool) -> String {
    let address: IpAddr = match bytes {
        _ if is_ipv6 => Ipv6Addr::from(*bytes).into(),
        [a, b, c, d, ..] => Ipv4Addr::new(*a, *b, *c, *d).into(),
    };
    SocketAddr::new(address, port).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_have_more_columns() {
        let mut event = event {
            local_port: 443,
            bytes_sent: 12,
            round_trip: 31,
            ..event::default()
        };
        event.local[..4].copy_from_slice(&[127, 0, 0, 1]);
        let line = Line(&event).to_string();
        assert!(line.starts_with("CONNECT 127.0.0.1:443 "), "{line}");
        assert!(line.ends_with(" 31"), "{line}");
        event.kind = event_kind::EVENT_CLOSE;
        event.is_ipv6 = 1;
        event.local = Ipv6Addr::LOCALHOST.octets();
        let line = Line(&event).to_string();
        assert!(line.starts_with("CLOSE   [::1]:443 "), "{line}");
        let words = line.split_whitespace().collect::<Vec<_>>();
        assert_eq!(words[3..], ["31", "-", "12", "0", "0"]);
    }
}
