//! Probes of kernel functions.

use conformance_guests::raw::programs::ProbeOptions;
use conformance_guests::{assert_fails, number, pull, raw};
use wasm_bpf_guest::{ErrorKind, KprobeOpts, KsyscallOpts};

conformance_guests::guest!();

/// Sets an option that the function under test does not take.
type Setter = fn(&ProbeOptions);

use case::{CaseSkel, CaseSkelBuilder};

/// The system call of the runner's thread.
const CALL: &str = "sched_get_priority_max";

fn load(program: &str) -> CaseSkel {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    open.rodata.trigger_thread = number("trigger-thread");
    let program = open.open.program(program).unwrap();
    program.set_autoload(true).unwrap();
    open.load().unwrap()
}

/// What the kernel calls the function of the system call: that depends on the machine, on which the component does not.
fn function_of_call(skel: &CaseSkel) -> String {
    ["__x64_sys_", "__arm64_sys_", "__riscv_sys_", "__se_sys_"]
        .iter()
        .map(|prefix| format!("{prefix}{CALL}"))
        .find(|name| skel.progs.count.attach_kprobe(false, name).is_ok())
        .expect("one of the names is the kernel's")
}

fn counted(skel: &CaseSkel) -> u64 {
    let before = skel.bss.calls.get().unwrap();
    pull(3);
    skel.bss.calls.get().unwrap() - before
}

/// By the function's name and by that of the call.
fn function() {
    let skel = load("count");
    let name = function_of_call(&skel);
    assert_eq!(counted(&skel), 0);
    for at_return in [false, true] {
        let link = skel.progs.count.attach_kprobe(at_return, &name).unwrap();
        assert_eq!(counted(&skel), 3, "at return: {at_return}");
        let second = skel.progs.count.attach_ksyscall(at_return, CALL).unwrap();
        assert_eq!(counted(&skel), 6, "at return: {at_return}");
        drop(link);
        assert_eq!(counted(&skel), 3);
        drop(second);
        assert_eq!(counted(&skel), 0);
    }
}

/// Cookies belong to links, not to the program.
fn cookie() {
    let skel = load("with_cookie");
    let name = function_of_call(&skel);
    let program = &skel.progs.with_cookie;
    for cookie in [0x1122_3344_5566_7788, 0, u64::MAX] {
        let opts = KprobeOpts {
            cookie,
            ..KprobeOpts::default()
        };
        let link = program.attach_kprobe_with_opts(false, &name, opts).unwrap();
        assert_eq!(counted(&skel), 3);
        assert_eq!(skel.bss.cookie.get().unwrap(), cookie);
        drop(link);
        let opts = KsyscallOpts { cookie };
        let _link = program.attach_ksyscall_with_opts(true, CALL, opts).unwrap();
        assert_eq!(counted(&skel), 3);
        assert_eq!(skel.bss.cookie.get().unwrap(), cookie);
    }
}

/// Which offsets are instructions depends on the kernel: some of the first are, and what is past the end never is.
fn offset() {
    let skel = load("count");
    let name = function_of_call(&skel);
    let attach = |offset, retprobe| {
        let opts = KprobeOpts {
            offset,
            ..KprobeOpts::default()
        };
        let program = &skel.progs.count;
        program.attach_kprobe_with_opts(retprobe, &name, opts)
    };
    let good = (1..16).filter_map(|offset| attach(offset, false).ok());
    assert!(good.count() > 0);
    for far in [1 << 20, u64::MAX] {
        assert_fails!(attach(far, false), _, "count");
    }
    assert_fails!(attach(4, true), ErrorKind::InvalidArgument, "count");
}

/// libbpf would write the name into a line of a file, on kernels that have no other way.
fn no_such_function() {
    let skel = load("count");
    let program = &skel.progs.count;
    let attach = |name: &str| {
        [
            program.attach_kprobe(false, name),
            program.attach_ksyscall(false, name),
        ]
    };
    for result in attach("no_such_function") {
        let error = assert_fails!(result, ErrorKind::NotFound, "no_such_function");
        assert_eq!(error.subject(), Some("count"));
    }
    let long = "x".repeat(1 << 20);
    for name in [
        "",
        "a b",
        "a\0b",
        "../a",
        "a/b",
        "vfs_*",
        "a\np:kprobes/x y",
        "f+4",
        &long,
    ] {
        for result in attach(name) {
            let error = assert_fails!(result, ErrorKind::InvalidArgument, "count");
            assert!(error.to_string().len() < 1000, "{error}");
        }
    }
    // The longest name that the kernel could have is no name of a call.
    let [function, call] = attach(&"x".repeat(511));
    assert_fails!(function, _, "count");
    assert_fails!(call, ErrorKind::InvalidArgument, "count");
}

/// Each by itself.
fn options_of_others() {
    let object = raw_object();
    let program = object.program("count").unwrap();
    let set: [(&str, Setter); 6] = [
        ("session", |options| options.set_session(true)),
        ("process", |options| options.set_process(Some(1))),
        ("cookies", |options| options.set_cookies(&[1])),
        ("semaphore-offset", |options| {
            options.set_semaphore_offset(8)
        }),
        ("semaphore-offsets", |options| {
            options.set_semaphore_offsets(&[8])
        }),
        ("offset", |options| options.set_offset(4)),
    ];
    for (name, set) in set {
        let options = ProbeOptions::new();
        set(&options);
        let mut results = vec![program.attach_ksyscall(CALL, &options)];
        if name != "offset" {
            results.push(program.attach_kprobe("no_such_function", &options));
        }
        for result in results {
            let Err(error) = result else {
                panic!("the option {name} was passed over");
            };
            conformance_guests::saw(error.code);
            assert!(matches!(error.code, raw::types::ErrorCode::InvalidArgument));
            assert!(error.message.contains(name), "{}", error.message);
        }
    }
}

/// The object through the interface itself.
fn raw_object() -> raw::objects::Object {
    let options = raw::objects::OpenOptions::new();
    let open = raw::objects::OpenObject::open(case::DATA, &options).unwrap();
    raw::objects::OpenObject::load(open).unwrap()
}

/// The kernel would take some of them, and the program would not find what it is written for.
fn wrong_kind() {
    for name in ["for_many", "of_another_kind"] {
        let skel = load(name);
        let program = skel.object.program(name).unwrap();
        for result in [
            program.attach_kprobe(false, "schedule"),
            program.attach_ksyscall(false, CALL),
        ] {
            assert_fails!(result, ErrorKind::InvalidArgument, name);
        }
    }
}

/// What is dropped first.
fn lifetimes() {
    let CaseSkel {
        object, progs, bss, ..
    } = load("count");
    let link = progs.count.attach_ksyscall(false, CALL).unwrap();
    assert_fails!(
        progs.count.attach_ksyscall(false, CALL),
        ErrorKind::LimitExceeded,
        "links"
    );
    drop(object);
    drop(progs);
    let before = bss.calls.get().unwrap();
    pull(3);
    assert_eq!(bss.calls.get().unwrap(), before + 3);
    drop(link);
    pull(3);
    assert_eq!(bss.calls.get().unwrap(), before + 3);
}
