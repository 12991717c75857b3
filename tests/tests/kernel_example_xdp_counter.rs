//! The example `xdp-counter` counts packets that the test sends, in a network namespace of its own.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use wasm_bpf_conformance::packets;
use wasm_bpf_tests::{Finished, Run, Running, assert_nothing_new, everything};

/// A namespace with the veth pair `wb0` and `wb1`.
struct Netns(String);

impl Netns {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let netns = Self(format!("wbx-{}-{number}", std::process::id()));
        let ip = |words: &str| {
            let words = words.split(' ');
            drop(Finished::of(Command::new("ip").args(words)).ok());
        };
        ip(&format!("netns add {}", netns.0));
        ip(&format!(
            "-netns {} link add wb0 type veth peer name wb1",
            netns.0
        ));
        ip(&format!("-netns {} link set wb0 up", netns.0));
        ip(&format!("-netns {} link set wb1 up", netns.0));
        netns
    }

    fn file(&self) -> OwnedFd {
        let path = Path::new("/run/netns").join(&self.0);
        fs::File::open(path).unwrap().into()
    }

    fn run(&self, grant: &str, args: &[&str]) -> Run {
        let netns = Arc::new(self.file());
        Run::example("xdp-counter")
            .options(["--allow", grant])
            .args(args)
            .before(move || {
                // SAFETY: a descriptor that lives.
                match unsafe { libc::setns(netns.as_raw_fd(), libc::CLONE_NEWNET) } {
                    0 => Ok(()),
                    _ => Err(io::Error::last_os_error()),
                }
            })
    }

    fn counting(&self, args: &[&str]) -> Running {
        let mut running = self.run("xdp=wb0", args).start();
        running.error_line("xdp-counter: counting on wb0");
        running
    }

    fn send(&self, count: u64) {
        packets::send(self.file(), count, "wb1", "wb0").unwrap();
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let mut delete = Command::new("ip");
        let _ = delete.args(["netns", "delete", &self.0]).status();
    }
}

/// Ethernet, IPv4, UDP and 32 bytes.
const LENGTH: u64 = 14 + 20 + 8 + 32;

#[test]
fn packets_and_bytes_of_a_protocol_are_counted() {
    let before = everything();
    let netns = Netns::new();
    for mode in [&[][..], &["-g"]] {
        let running = netns.counting(&[mode, &["-T", "wb0", "60"]].concat());
        netns.send(100);
        running.signal(libc::SIGINT);
        let finished = running.finish().ok();
        let line = finished.line("IPv4 UDP ");
        let words = line.split_whitespace().skip(2).collect::<Vec<_>>();
        assert_eq!(words[0], "100", "{line}");
        assert_eq!(words[1], (100 * LENGTH).to_string(), "{line}");
        assert_eq!(words[4], "100", "{line}");
        let total = finished.line("total ").split_whitespace().nth(1).unwrap();
        assert!(total.parse::<u64>().unwrap() >= 100);
        let time = finished.output.lines().next().unwrap();
        assert_eq!(time.split(':').count(), 3, "{time}");
    }
    drop(netns);
    assert_nothing_new(&before);
}

#[test]
fn ports_have_rows_of_their_own_and_each_interval_begins_anew() {
    let netns = Netns::new();
    let mut running = netns.counting(&["--ports", "--rows", "3", "wb0", "1"]);
    netns.send(7);
    let port = format!("IPv4 UDP {}", packets::PORT);
    // The table in which they are; later ones have only what came later.
    let line = running.line(&port);
    assert_eq!(line.split_whitespace().nth(3), Some("7"), "{line}");
    running.line("total");
    netns.send(5);
    let line = running.line(&port);
    let words = line.split_whitespace().collect::<Vec<_>>();
    assert_eq!((words[3], words[7]), ("5", "12"), "{line}");
    running.signal(libc::SIGINT);
    drop(running.finish().ok());
}

#[test]
fn what_it_needs_is_told() {
    let netns = Netns::new();
    netns
        .run("xdp=wb1", &["wb0"])
        .finish()
        .ended_with(1)
        .says(&["xdp-counter:", "--allow xdp=wb0"]);
    netns
        .run("xdp=*", &["wb9"])
        .finish()
        .ended_with(1)
        .says(&["wb9"]);
    netns
        .run("xdp=*", &[])
        .finish()
        .ended_with(2)
        .says(&["which interface?", "--help"]);
}
