//! The example `xdp-counter` counts packets that the test sends, in a network namespace of its own.

use wasm_bpf_conformance::packets;
use wasm_bpf_tests::{Netns, Run, Running, assert_nothing_new, everything};

/// The tool, in the namespace.
fn run(netns: &Netns, grant: &str, args: &[&str]) -> Run {
    let run = Run::example("xdp-counter").options(["--allow", grant]);
    run.args(args).before(netns.enter())
}

fn counting(netns: &Netns, args: &[&str]) -> Running {
    let mut running = run(netns, "xdp=wb0", args).start();
    running.error_line("xdp-counter: counting on wb0");
    running
}

/// Ethernet, IPv4, UDP and 32 bytes.
const LENGTH: u64 = 14 + 20 + 8 + 32;

#[test]
fn packets_and_bytes_of_a_protocol_are_counted() {
    let before = everything();
    let netns = Netns::new();
    for mode in [&[][..], &["-g"]] {
        let running = counting(&netns, &[mode, &["-T", "wb0", "60"]].concat());
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
    let mut running = counting(&netns, &["--ports", "--rows", "3", "wb0", "1"]);
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
    run(&netns, "xdp=wb1", &["wb0"])
        .finish()
        .ended_with(1)
        .says(&["xdp-counter:", "--allow xdp=wb0"]);
    run(&netns, "xdp=*", &["wb9"])
        .finish()
        .ended_with(1)
        .says(&["wb9"]);
    run(&netns, "xdp=*", &[])
        .finish()
        .ended_with(2)
        .says(&["which interface?", "--help"]);
}
