//! The example `sockops` tells of connections of a cgroup that the test makes.

use std::net::TcpListener;

use wasm_bpf_tests::{Cgroup, Run, assert_nothing_new, everything};

#[test]
fn connections_of_the_cgroup_and_no_others_are_told() {
    let before = everything();
    let cgroup = Cgroup::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut running = Run::example("sockops")
        .options(["--dir", &cgroup.path()])
        .options(["--allow", &format!("cgroup={}", cgroup.path())])
        .args([&cgroup.path()])
        .start();
    running.line("TIME ");
    // This process is not in the cgroup.
    drop(std::net::TcpStream::connect(("127.0.0.1", port)).unwrap());
    drop(listener.accept().unwrap());
    cgroup.send(port, "12345");
    drop(listener.accept().unwrap());
    let remote = format!("127.0.0.1:{port}");
    let line = running.line("");
    assert!(line.contains(" CONNECT "), "{line}");
    assert_eq!(line.split_whitespace().nth(3), Some(&*remote), "{line}");
    let line = running.line("");
    assert!(line.contains(" CLOSE "), "{line}");
    let words = line.split_whitespace().collect::<Vec<_>>();
    assert_eq!(words[3], remote, "{line}");
    running.signal(libc::SIGINT);
    let finished = running.finish().ok();
    // Only the one of the cgroup, and only the side that is in it.
    assert_eq!(finished.output.matches("CONNECT").count(), 1);
    assert_eq!(finished.output.matches("ACCEPT").count(), 0);
    drop(cgroup);
    assert_nothing_new(&before);
}

#[test]
fn a_cgroup_that_was_not_granted_is_refused() {
    let cgroup = Cgroup::new();
    let finished = Run::example("sockops")
        .options(["--dir", &cgroup.path()])
        .options(["--allow", "cgroup=/another"])
        .args([&cgroup.path()])
        .start()
        .finish();
    assert!(!finished.status.success());
    assert!(
        finished.errors.contains("--allow cgroup="),
        "{}",
        finished.errors
    );
}
