//! Files of the host that probes may be put on with a grant.

use conformance_guests::{assert_fails, call_target};
use wasm_bpf_guest::ErrorKind;

conformance_guests::guest!();

/// The object with this program, and the first one.
fn load(program: &str) -> case::CaseSkel {
    let open = case::CaseSkelBuilder::new().open().unwrap();
    let program = open.open.program(program).unwrap();
    program.set_autoload(true).unwrap();
    open.load().unwrap()
}

/// The program sees the calls of the file's function while it is attached, and no others.
fn binary_allowed() {
    let skel = load("on_call");
    let calls = || skel.bss.calls.get().unwrap();
    call_target(2);
    assert_eq!(calls(), 0);
    let link = skel.progs.on_call.attach().unwrap();
    call_target(3);
    assert_eq!(calls(), 3);
    drop(link);
    call_target(4);
    assert_eq!(calls(), 3);
}

/// But a path that leaves the folder on its way is not in it.
fn binary_of_a_folder() {
    let skel = load("climbs");
    let _link = skel.progs.on_call.attach().unwrap();
    call_target(1);
    assert_eq!(skel.bss.calls.get().unwrap(), 1);
    assert_fails!(skel.progs.climbs.attach(), ErrorKind::NotGranted, "climbs");
}

/// Loading touches no file: attaching is what needs the grant.
fn binary_denied() {
    let skel = load("on_call");
    let error = assert_fails!(
        skel.progs.on_call.attach(),
        ErrorKind::NotGranted,
        "on_call",
        "binary",
        "/run/wasm-bpf-conformance/target"
    );
    assert_eq!(error.subject(), Some("on_call"));
    call_target(1);
    assert_eq!(skel.bss.calls.get().unwrap(), 0);
}

/// Where such a file is would depend on the host's surroundings.
fn relative_path() {
    let skel = load("without_folder");
    assert_fails!(
        skel.progs.without_folder.attach(),
        ErrorKind::InvalidArgument,
        "without_folder"
    );
}
