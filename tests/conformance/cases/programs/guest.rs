//! Programs: what is known of them, and how they are attached.

use conformance_guests::{assert_fails, call_target, is_gone, is_held, link_id, pull, trigger};
use wasm_bpf_guest::zerocopy::FromBytes as _;
use wasm_bpf_guest::{ErrorKind, ProgramType, RawTracepointOpts, TracepointOpts};

conformance_guests::guest!();
use case::types::seen;
use case::{CaseSkel, CaseSkelBuilder, OpenCaseSkel};

fn open() -> OpenCaseSkel {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open
}

/// The object with one of the programs that are off, and only that.
fn with_program(name: &str) -> CaseSkel {
    let open = open();
    let first = &open.progs.counts_calls_of_one_thread;
    first.set_autoload(false).unwrap();
    let program = open.open.program(name).unwrap();
    program.set_autoload(true).unwrap();
    open.load().unwrap()
}

fn last_seen(map: &impl wasm_bpf_guest::MapCore) -> seen {
    let value = map.lookup(&[0; 4]).unwrap().unwrap();
    seen::read_from_bytes(&value).unwrap()
}

/// How many of some calls were counted.
fn counted(skel: &CaseSkel) -> u64 {
    let before = last_seen(&skel.maps.seen).calls;
    pull(3);
    last_seen(&skel.maps.seen).calls - before
}

/// The kernel's own words, and the whole name.
fn info() {
    let skel = open().load().unwrap();
    let info = skel.progs.counts_calls_of_one_thread.info().unwrap();
    assert_eq!(info.name, "counts_calls_of_one_thread");
    assert_eq!(info.section, "raw_tp/sys_enter");
    assert!(matches!(info.type_, ProgramType::RawTracepoint));
    assert!(info.instructions > 10, "{info:?}");
    is_held(&format!("program={}", info.id));
    // The tag is made of the instructions: the same for the same program, another for another.
    let second = open().load().unwrap();
    let same = second.progs.counts_calls_of_one_thread.info().unwrap();
    assert_ne!(same.id, info.id);
    assert_eq!(same.tag, info.tag);
    assert_eq!(same.instructions, info.instructions);
    let other = with_program("on_function");
    assert_ne!(other.progs.on_function.info().unwrap().tag, info.tag);
}

/// Each call counts once, as long as there is a link.
fn attach() {
    let skel = open().load().unwrap();
    assert_eq!(counted(&skel), 0);
    let link = skel.progs.counts_calls_of_one_thread.attach().unwrap();
    assert_eq!(counted(&skel), 3);
    drop(link);
    assert_eq!(counted(&skel), 0);
}

/// There is nothing to attach to.
fn attach_without_target() {
    let skel = with_program("anywhere");
    assert!(skel.progs.anywhere.auto_attach().unwrap().is_none());
    assert_eq!(counted(&skel), 0);
}

/// The kernel does not know the one, and the host does not look for the other.
fn attach_to_nothing() {
    let skel = with_program("on_no_tracepoint");
    let error = assert_fails!(
        skel.progs.on_no_tracepoint.attach(),
        ErrorKind::NotFound,
        "no_such_tracepoint"
    );
    assert_eq!(error.subject(), Some("on_no_tracepoint"));
    let skel = with_program("on_path");
    assert_fails!(skel.progs.on_path.attach(), ErrorKind::InvalidArgument);
}

/// The name is that of the call: what its function is called depends on the machine.
fn kprobe() {
    let skel = with_program("on_kernel_function");
    let link = skel.progs.on_kernel_function.attach().unwrap();
    assert_eq!(counted(&skel), 3);
    drop(link);
    assert_eq!(counted(&skel), 0);
    let skel = with_program("on_no_kernel_function");
    assert_fails!(
        skel.progs.on_no_kernel_function.attach(),
        ErrorKind::NotFound,
        "no_such_function"
    );
}

/// Whatever functions there are.
fn pattern() {
    let skel = with_program("on_pattern");
    assert_fails!(
        skel.progs.on_pattern.attach(),
        ErrorKind::InvalidArgument,
        "on_pattern"
    );
}

/// The name is an argument: no string of the object.
fn attach_raw_tracepoint() {
    let skel = with_program("anywhere");
    let program = &skel.progs.anywhere;
    let name = ["sys", "enter"].join("_");
    let link = program.attach_raw_tracepoint(&name).unwrap();
    assert_eq!(counted(&skel), 3);
    drop(link);
    // At the exit of a call the second argument is what it returned, not its number.
    let link = program.attach_raw_tracepoint("sys_exit").unwrap();
    assert_eq!(counted(&skel), 0);
    drop(link);
    assert_fails!(
        program.attach_raw_tracepoint("no_such_tracepoint"),
        ErrorKind::NotFound,
        "no_such_tracepoint",
        "anywhere"
    );
    for name in ["", "..", "a/b", "../../etc", "a b", "a\0b"] {
        assert_fails!(
            program.attach_raw_tracepoint(name),
            ErrorKind::InvalidArgument
        );
    }
    // A tracepoint of the other kind is for programs of the other kind.
    assert_fails!(
        program.attach_tracepoint("raw_syscalls", "sys_enter"),
        ErrorKind::InvalidArgument,
        "anywhere"
    );
}

/// Cookies belong to links, not to the program.
fn raw_tracepoint_cookie() {
    let skel = with_program("anywhere_with_cookie");
    let program = &skel.progs.anywhere_with_cookie;
    for cookie in [0x1122_3344_5566_7788, 0, u64::MAX] {
        let opts = RawTracepointOpts { cookie };
        let link = program.attach_raw_tracepoint_with_opts("sys_enter", opts);
        let _link = link.unwrap();
        assert_eq!(counted(&skel), 3);
        assert_eq!(last_seen(&skel.maps.seen).cookie, cookie);
    }
}

/// Category and name are arguments.
fn attach_tracepoint() {
    let mut skel = with_program("on_tracepoint");
    skel.attach().unwrap();
    assert_eq!(counted(&skel), 3);
    skel.links.on_tracepoint.take();
    assert_eq!(counted(&skel), 0);
    let program = &skel.progs.on_tracepoint;
    let link = program.attach_tracepoint("raw_syscalls", "sys_enter");
    let link = link.unwrap();
    assert_eq!(counted(&skel), 3);
    drop(link);
    assert_eq!(counted(&skel), 0);
    assert_fails!(
        program.attach_tracepoint("raw_syscalls", "no_such"),
        ErrorKind::NotFound,
        "raw_syscalls",
        "no_such"
    );
    for (category, name) in [
        ("..", "sys_enter"),
        ("raw_syscalls", ".."),
        ("raw_syscalls/sys_enter", ""),
        ("", "sys_enter"),
        ("raw_syscalls", "sys_enter\0"),
    ] {
        assert_fails!(
            program.attach_tracepoint(category, name),
            ErrorKind::InvalidArgument
        );
    }
    assert_fails!(
        program.attach_raw_tracepoint("sys_enter"),
        ErrorKind::InvalidArgument,
        "on_tracepoint"
    );
}

/// Cookies belong to links, not to the program.
fn tracepoint_cookie() {
    let skel = with_program("on_tracepoint_with_cookie");
    let program = &skel.progs.on_tracepoint_with_cookie;
    for cookie in [0x1122_3344_5566_7788, 0, u64::MAX] {
        let opts = TracepointOpts { cookie };
        let link = program.attach_tracepoint_with_opts("raw_syscalls", "sys_enter", opts);
        let _link = link.unwrap();
        assert_eq!(counted(&skel), 3);
        assert_eq!(last_seen(&skel.maps.seen).cookie, cookie);
    }
}

/// The function is found in the file, or not.
fn uprobe() {
    let skel = with_program("on_function");
    let link = skel.progs.on_function.attach().unwrap();
    call_target(5);
    assert_eq!(last_seen(&skel.maps.seen).calls, 5);
    drop(link);
    call_target(5);
    assert_eq!(last_seen(&skel.maps.seen).calls, 5);
    let skel = with_program("on_no_function");
    assert_fails!(
        skel.progs.on_no_function.attach(),
        ErrorKind::NotFound,
        "no_such_function"
    );
    // Which file a relative path is would depend on the host.
    let skel = with_program("on_relative_path");
    assert_fails!(
        skel.progs.on_relative_path.attach(),
        ErrorKind::InvalidArgument,
        "on_relative_path"
    );
}

/// The file is named in the refusal.
fn uprobe_not_granted() {
    let skel = with_program("on_function");
    let error = assert_fails!(
        skel.progs.on_function.attach(),
        ErrorKind::NotGranted,
        "on_function",
        "binary",
        "/run/wasm-bpf-conformance/target"
    );
    assert_eq!(error.subject(), Some("on_function"));
    call_target(5);
    assert_eq!(last_seen(&skel.maps.seen).calls, 0);
}

/// `bpf/usdt.bpf.h` has them, which the object does not include.
fn usdt() {
    let skel = with_program("on_usdt");
    assert_fails!(
        skel.progs.on_usdt.attach(),
        ErrorKind::NotSupported,
        "on_usdt"
    );
}

/// One link is allowed.
fn link_limit() {
    let skel = open().load().unwrap();
    let program = &skel.progs.counts_calls_of_one_thread;
    let first = program.attach().unwrap();
    assert_fails!(
        program.attach(),
        ErrorKind::LimitExceeded,
        "links",
        "counts_calls_of_one_thread"
    );
    assert_fails!(
        program.attach_raw_tracepoint("sys_enter"),
        ErrorKind::LimitExceeded,
        "links"
    );
    assert_eq!(counted(&skel), 3);
    drop(first);
    let _second = program.attach_raw_tracepoint("sys_enter").unwrap();
    assert_eq!(counted(&skel), 3);
}

/// A handle is all that a program needs; without one it is gone while the component runs.
fn outlives_its_object() {
    let CaseSkel {
        object,
        maps,
        progs,
        ..
    } = open().load().unwrap();
    drop(object);
    let id = progs.counts_calls_of_one_thread.info().unwrap().id;
    let link = progs.counts_calls_of_one_thread.attach().unwrap();
    pull(3);
    assert_eq!(last_seen(&maps.seen).calls, 3);
    is_held(&format!("program={id} {}", link_id(&link)));
    drop(link);
    is_held(&format!("program={id}"));
    drop(progs);
    is_gone(&format!("program={id}"));
}
