//! Programs whose target is fixed at load: BTF tracepoints, entries, exits and results of kernel functions.

use std::io::ErrorKind as IoErrorKind;

use conformance_guests::{assert_fails, failure, given, holds, is_gone, is_held, link_id, pull};
use wasm_bpf_guest::{ErrorKind, IterOpts, LinkType, TraceOpts};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder, OpenCaseSkel};

fn open() -> OpenCaseSkel {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = conformance_guests::trigger();
    open
}

fn with_program(name: &str) -> OpenCaseSkel {
    let open = open();
    open.open.program(name).unwrap().set_autoload(true).unwrap();
    open
}

/// The object with one program, for the function of the trigger's call.
fn on_call(name: &str) -> CaseSkel {
    let open = with_program(name);
    let program = open.open.program(name).unwrap();
    let found = ["x64", "arm64", "riscv", "s390x"].iter().any(|machine| {
        let function = format!("__{machine}_sys_sched_get_priority_max");
        program.set_attach_target(&function).is_ok()
    });
    assert!(found, "the function of the trigger's call is not known");
    open.load().unwrap()
}

/// How many of some calls were counted.
fn counted(skel: &CaseSkel) -> u64 {
    let before = skel.bss.calls.get().unwrap();
    pull(3);
    skel.bss.calls.get().unwrap() - before
}

/// The section names it.
fn tracepoint() {
    let skel = with_program("on_tracepoint").load().unwrap();
    assert_eq!(counted(&skel), 0);
    let link = skel.progs.on_tracepoint.attach_trace().unwrap();
    assert_eq!(counted(&skel), 3);
    let info = link.info().unwrap().unwrap();
    assert!(
        matches!(info.type_, LinkType::RawTracepoint | LinkType::Tracing),
        "{info:?}"
    );
    holds(&skel.object, &[&link]);
    let id = link_id(&link);
    drop(link);
    is_gone(&id);
    assert_eq!(counted(&skel), 0);
}

/// Cookies belong to links, not to the program.
fn tracepoint_cookie() {
    let skel = with_program("on_tracepoint_with_cookie").load().unwrap();
    let program = &skel.progs.on_tracepoint_with_cookie;
    for cookie in [0x1122_3344_5566_7788, 0, u64::MAX] {
        let link = program.attach_trace_with_opts(TraceOpts { cookie });
        let _link = link.unwrap();
        assert_eq!(counted(&skel), 3);
        assert_eq!(skel.bss.cookie.get().unwrap(), cookie);
    }
}

/// The target was set, which the section leaves open.
fn entry() {
    let skel = on_call("on_entry");
    assert_eq!(counted(&skel), 0);
    let link = skel.progs.on_entry.attach_trace().unwrap();
    assert_eq!(counted(&skel), 3);
    let info = link.info().unwrap().unwrap();
    assert!(matches!(info.type_, LinkType::Tracing), "{info:?}");
    drop(link);
    assert_eq!(counted(&skel), 0);
    let skel = on_call("on_entry");
    let _link = skel.progs.on_entry.attach().unwrap();
    assert_eq!(counted(&skel), 3);
}

/// One program, and another link each time.
fn entry_cookie() {
    let skel = on_call("on_entry_with_cookie");
    let program = &skel.progs.on_entry_with_cookie;
    for cookie in [0x1122_3344_5566_7788, 0, u64::MAX] {
        let link = program.attach_trace_with_opts(TraceOpts { cookie });
        let _link = link.unwrap();
        assert_eq!(counted(&skel), 3);
        assert_eq!(skel.bss.cookie.get().unwrap(), cookie);
    }
}

/// The highest priority of ordinary tasks is 0.
fn exit() {
    let skel = on_call("on_exit");
    let _link = skel.progs.on_exit.attach_trace().unwrap();
    assert_eq!(counted(&skel), 3);
    assert_eq!(skel.bss.result.get().unwrap(), 1000);
}

/// Each call counts twice.
fn both() {
    let skel = on_call("on_both");
    let link = skel.progs.on_both.attach_trace().unwrap();
    assert_eq!(counted(&skel), 6);
    drop(link);
    assert_eq!(counted(&skel), 0);
}

/// The kernel goes by it, for the folder of this name only.
fn result() {
    let denied = format!("{}/wasm-bpf-conformance-denied", given("cgroup"));
    let other = format!("{}/wasm-bpf-conformance-other", given("cgroup"));
    let skel = with_program("on_result").load().unwrap();
    let make = |path: &str| {
        let made = std::fs::create_dir(path);
        if made.is_ok() {
            std::fs::remove_dir(path).unwrap();
        }
        made.map_err(|error| error.kind())
    };
    assert_eq!(make(&denied), Ok(()));
    let link = skel.progs.on_result.attach_trace().unwrap();
    assert_eq!(make(&denied), Err(IoErrorKind::PermissionDenied));
    assert_eq!(make(&other), Ok(()));
    drop(link);
    assert_eq!(make(&denied), Ok(()));
    assert_eq!(skel.bss.calls.get().unwrap(), 1);
}

/// Whatever the machine can do.
fn result_denied() {
    let error = assert_fails!(
        with_program("on_result").load(),
        ErrorKind::NotGranted,
        "on_result",
        "fmod-ret"
    );
    assert_eq!(error.errno(), None);
}

/// Kernels differ in what they call it.
fn twice() {
    let skel = on_call("on_entry");
    let link = skel.progs.on_entry.attach_trace().unwrap();
    let error = failure(skel.progs.on_entry.attach_trace());
    assert_eq!(error.subject(), Some("on_entry"));
    assert!(error.errno().is_some(), "{error}");
    assert_eq!(counted(&skel), 3);
    drop(link);
}

/// One is allowed.
fn link_limit() {
    let skel = with_program("on_tracepoint").load().unwrap();
    let first = skel.progs.on_tracepoint.attach_trace().unwrap();
    let second = with_program("on_tracepoint").load().unwrap();
    let program = &second.progs.on_tracepoint;
    assert_fails!(
        program.attach_trace(),
        ErrorKind::LimitExceeded,
        "links",
        "on_tracepoint"
    );
    drop(first);
    let _link = program.attach_trace().unwrap();
    assert_eq!(counted(&second), 3);
}

/// Link first, link last.
fn outlives_its_object() {
    let skel = with_program("on_tracepoint").load().unwrap();
    let link = skel.progs.on_tracepoint.attach_trace().unwrap();
    let id = skel.progs.on_tracepoint.info().unwrap().id;
    let CaseSkel {
        object, bss, progs, ..
    } = skel;
    drop((object, progs));
    pull(3);
    assert_eq!(bss.calls.get().unwrap(), 3);
    is_held(&format!("program={id} {}", link_id(&link)));
    drop(link);
    is_gone(&format!("program={id}"));
}

/// A tracepoint is neither a hook, nor walked, nor replaced.
fn wrong_kinds() {
    let skel = with_program("on_tracepoint").load().unwrap();
    let program = &skel.progs.on_tracepoint;
    let results = [
        program.attach_lsm(),
        program.attach_iter_with_opts(IterOpts::None),
        program.attach_freplace(program, "on_tracepoint"),
        program.attach_raw_tracepoint("sys_enter"),
    ];
    for result in results {
        assert_fails!(result, ErrorKind::InvalidArgument, "on_tracepoint");
    }
    assert_eq!(counted(&skel), 0);
}
