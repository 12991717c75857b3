//! Programs on a cgroup without a link of the kernel, for tests that kill the host.

use std::io::BufRead as _;

use test_guests::{case, no_such_case, say, say_what_is_held};
use wasm_bpf_guest::{CgroupOpts, CgroupSharing, Link, Program, open_descriptor};

wasm_bpf_guest::include_skeleton!("cgroup");

fn main() {
    let (case, args) = case();
    match case.as_str() {
        "hold" => hold(&args[0], &args[1]),
        "disconnect" => disconnect(&args[0]),
        "nothing" => say("nothing is done"),
        other => no_such_case(other),
    }
}

fn load() -> cgroup::CgroupSkel {
    let skel = cgroup::CgroupSkelBuilder::new().open().unwrap();
    skel.load().unwrap()
}

fn attach(program: &Program, path: &str, sharing: &str) -> Link {
    let opts = CgroupOpts {
        sharing: Some(match sharing {
            "exclusive" => CgroupSharing::Exclusive,
            "overridable" => CgroupSharing::Overridable,
            "multiple" => CgroupSharing::Multiple,
            other => panic!("{other:?} is no way to share a cgroup"),
        }),
        ..CgroupOpts::default()
    };
    let cgroup = open_descriptor(path).unwrap();
    program.attach_cgroup_with_opts(&cgroup, opts).unwrap()
}

/// Attaches to a cgroup until it is told to end.
fn hold(path: &str, sharing: &str) {
    let skel = load();
    let _link = attach(&skel.progs.on_egress, path, sharing);
    say_what_is_held(&skel.object, &[]);
    say("attached");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).unwrap();
}

/// Leaves a program on a cgroup.
fn disconnect(path: &str) {
    let skel = load();
    let link = attach(&skel.progs.on_egress, path, "multiple");
    link.disconnect().unwrap();
}
