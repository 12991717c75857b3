//! Programs on security hooks.

use std::io::ErrorKind as IoErrorKind;

use conformance_guests::{assert_fails, given, holds, is_gone, link_id};
use wasm_bpf_guest::{ErrorKind, LinkType};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder, OpenCaseSkel};

fn with_program(name: &str) -> OpenCaseSkel {
    let open = CaseSkelBuilder::new().open().unwrap();
    open.open.program(name).unwrap().set_autoload(true).unwrap();
    open
}

/// Makes a folder, and removes it again.
fn make(name: &str) -> Result<(), IoErrorKind> {
    let path = format!("{}/wasm-bpf-conformance-{name}", given("cgroup"));
    std::fs::create_dir(&path).map_err(|error| error.kind())?;
    std::fs::remove_dir(&path).unwrap();
    Ok(())
}

/// The folder of one name, and no other.
fn denies() {
    let skel = with_program("denies").load().unwrap();
    assert_eq!(make("denied"), Ok(()));
    let link = skel.progs.denies.attach_lsm().unwrap();
    assert_eq!(make("denied"), Err(IoErrorKind::PermissionDenied));
    assert_eq!(make("other"), Ok(()));
    assert_eq!(skel.bss.asked.get().unwrap(), 1);
    let info = link.info().unwrap().unwrap();
    assert!(matches!(info.type_, LinkType::Tracing), "{info:?}");
    holds(&skel.object, &[&link]);
    drop(link);
    assert_eq!(make("denied"), Ok(()));
    assert_eq!(skel.bss.asked.get().unwrap(), 1);
}

/// By its section, and by the function for it.
fn audits() {
    for by_section in [true, false] {
        let skel = with_program("audits").load().unwrap();
        let program = &skel.progs.audits;
        let link = if by_section {
            program.attach()
        } else {
            program.attach_lsm()
        };
        let link = link.unwrap();
        assert_eq!(make("denied"), Ok(()));
        assert_eq!(skel.bss.asked.get().unwrap(), 1);
        drop(link);
        assert_eq!(make("denied"), Ok(()));
        assert_eq!(skel.bss.asked.get().unwrap(), 1);
    }
}

/// What else is granted does not help.
fn denied() {
    for name in ["denies", "audits"] {
        let error = assert_fails!(
            with_program(name).load(),
            ErrorKind::NotGranted,
            name,
            "lsm"
        );
        assert_eq!(error.errno(), None);
    }
}

/// The section names none.
fn hooks() {
    let open = with_program("anywhere");
    assert_fails!(
        open.progs.anywhere.set_attach_target("no_such_hook"),
        ErrorKind::NotFound,
        "no_such_hook"
    );
    open.progs
        .anywhere
        .set_attach_target("file_mprotect")
        .unwrap();
    let skel = open.load().unwrap();
    let link = skel.progs.anywhere.attach_lsm().unwrap();
    holds(&skel.object, &[&link]);
}

/// One is allowed.
fn link_limit() {
    let (first, second) = (with_program("audits"), with_program("audits"));
    let (first, second) = (first.load().unwrap(), second.load().unwrap());
    let link = first.progs.audits.attach_lsm().unwrap();
    assert_fails!(
        second.progs.audits.attach_lsm(),
        ErrorKind::LimitExceeded,
        "links",
        "audits"
    );
    drop(link);
    let _link = second.progs.audits.attach_lsm().unwrap();
}

/// It would deny, as 0 says there.
fn of_a_cgroup() {
    let skel = with_program("in_a_cgroup").load().unwrap();
    assert_fails!(
        skel.progs.in_a_cgroup.attach_lsm(),
        ErrorKind::InvalidArgument,
        "in_a_cgroup"
    );
}

/// Whatever the machine can do.
fn wrong_kinds() {
    let skel = with_program("on_enter").load().unwrap();
    assert_fails!(
        skel.progs.on_enter.attach_lsm(),
        ErrorKind::InvalidArgument,
        "on_enter"
    );
}

/// Nothing else keeps it.
fn outlives_its_object() {
    let skel = with_program("denies").load().unwrap();
    let link = skel.progs.denies.attach_lsm().unwrap();
    let CaseSkel { object, progs, .. } = skel;
    let id = format!("program={}", progs.denies.info().unwrap().id);
    drop((object, progs));
    assert_eq!(make("denied"), Err(IoErrorKind::PermissionDenied));
    let link_id = link_id(&link);
    drop(link);
    is_gone(&id);
    is_gone(&link_id);
    assert_eq!(make("denied"), Ok(()));
}
