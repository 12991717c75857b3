//! Filters on a network interface, for tests that kill the host.

use std::io::BufRead as _;

use test_guests::{case, no_such_case, say, say_what_is_held};
use wasm_bpf_guest::{Direction, TcHook};

wasm_bpf_guest::include_skeleton!("network");

fn main() {
    let (case, args) = case();
    match case.as_str() {
        "hold" => hold(&args),
        "disconnect" => disconnect(&args[0]),
        "detach" => detach(&args[0]),
        "nothing" => say("nothing is done"),
        other => no_such_case(other),
    }
}

/// Attaches on `INTERFACE` as each argument says, `ingress:PRIORITY:HANDLE` or `egress:...`, until it is told to end.
fn hold(args: &[String]) {
    let skel = network::NetworkSkelBuilder::new().open().unwrap();
    let skel = skel.load().unwrap();
    let (interface, places) = args.split_first().expect("an interface");
    let mut hooks = Vec::new();
    for place in places {
        let parts = place.split(':').collect::<Vec<_>>();
        let mut hook = TcHook::new(&skel.progs.on_packet);
        hook.interface(interface.as_str())
            .attach_point(match parts[0] {
                "ingress" => Direction::Ingress,
                _ => Direction::Egress,
            })
            .priority(parts[1].parse().unwrap())
            .handle(parts[2].parse().unwrap());
        hook.attach().unwrap();
        hooks.push(hook);
    }
    say_what_is_held(&skel.object, &[]);
    say("attached");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).unwrap();
}

/// Leaves a filter on the ingress of an interface.
fn disconnect(interface: &str) {
    let skel = network::NetworkSkelBuilder::new().open().unwrap();
    let skel = skel.load().unwrap();
    let mut hook = TcHook::new(&skel.progs.on_packet);
    hook.interface(interface).attach().unwrap();
    hook.into_link().unwrap().disconnect().unwrap();
}

/// Detaches a filter before its link goes, twice.
fn detach(interface: &str) {
    let skel = network::NetworkSkelBuilder::new().open().unwrap();
    let skel = skel.load().unwrap();
    let mut hook = TcHook::new(&skel.progs.on_packet);
    hook.interface(interface).attach().unwrap();
    let link = hook.into_link().unwrap();
    link.detach().unwrap();
    let _ = link.detach();
    say("detached");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).unwrap();
}
