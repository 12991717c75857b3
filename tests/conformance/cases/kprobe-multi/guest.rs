//! One program at many kernel functions.

use conformance_guests::raw::objects::{Object, OpenObject, OpenOptions};
use conformance_guests::raw::programs::{ProbeOptions, ProbeTargets};
use conformance_guests::raw::types::ErrorCode;
use conformance_guests::{assert_fails, is_gone, is_held, link_id, number, pull};
use wasm_bpf_guest::{ErrorKind, KprobeMultiOpts, Program};

conformance_guests::guest!();

/// Sets an option that the function under test does not take.
type Setter = fn(&ProbeOptions);

use case::{CaseSkel, CaseSkelBuilder};

fn load(program: &str) -> CaseSkel {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    open.rodata.trigger_thread = number("trigger-thread");
    let program = open.open.program(program).unwrap();
    program.set_autoload(true).unwrap();
    open.load().unwrap()
}

/// The function of the system call of the runner's thread, and one of a call that it does not make.
fn functions_of_calls(program: &Program) -> [String; 2] {
    ["__x64_sys_", "__arm64_sys_", "__riscv_sys_", "__se_sys_"]
        .map(|prefix| ["max", "min"].map(|end| format!("{prefix}sched_get_priority_{end}")))
        .into_iter()
        .find(|names| program.attach_kprobe_multi(false, names.to_vec()).is_ok())
        .expect("one of the names is the kernel's")
}

fn counted(skel: &CaseSkel) -> u64 {
    let before = skel.bss.calls.get().unwrap();
    pull(3);
    skel.bss.calls.get().unwrap() - before
}

/// The kernel sorts them; the cookies go with them.
fn functions() {
    let skel = load("on_many");
    let program = &skel.progs.on_many;
    let [max, min] = functions_of_calls(program);
    for retprobe in [false, true] {
        for symbols in [[&max, &min], [&min, &max]] {
            let cookies = symbols.map(|name| if *name == max { 1 << 40 } else { 2 });
            let opts = KprobeMultiOpts {
                symbols: symbols.map(String::clone).to_vec(),
                cookies: cookies.to_vec(),
                retprobe,
                ..KprobeMultiOpts::default()
            };
            let link = program.attach_kprobe_multi_with_opts(opts).unwrap();
            let id = link_id(&link);
            is_held(&id);
            assert_eq!(counted(&skel), 3);
            assert_eq!(skel.bss.cookie.get().unwrap(), 1 << 40);
            drop(link);
            is_gone(&id);
            assert_eq!(counted(&skel), 0);
        }
    }
    let link = program.attach_kprobe_multi(false, vec![min]).unwrap();
    assert_eq!(counted(&skel), 0);
    drop(link);
}

fn with_pattern(pattern: &str) -> KprobeMultiOpts {
    KprobeMultiOpts {
        pattern: pattern.to_owned(),
        ..KprobeMultiOpts::default()
    }
}

/// The kernel lists what can be probed.
fn pattern() {
    let skel = load("on_many");
    let program = &skel.progs.on_many;
    let attach = |pattern: &str| program.attach_kprobe_multi_with_opts(with_pattern(pattern));
    let link = attach("__*_sched_get_priority_m?x").unwrap();
    assert!(counted(&skel) >= 3);
    drop(link);
    assert_eq!(counted(&skel), 0);
    assert_fails!(attach("no_such_function*"), ErrorKind::NotFound, "on_many");
    assert_fails!(attach("no_such_function"), ErrorKind::NotFound, "on_many");
}

/// Twice for each call.
fn session() {
    let skel = load("on_both_ends");
    let many = load("on_many");
    let names = functions_of_calls(&many.progs.on_many).to_vec();
    let opts = KprobeMultiOpts {
        symbols: names,
        cookies: vec![7, 8],
        session: true,
        ..KprobeMultiOpts::default()
    };
    let program = &skel.progs.on_both_ends;
    let link = program.attach_kprobe_multi_with_opts(opts).unwrap();
    assert_eq!(counted(&skel), 6);
    assert_eq!(skel.bss.cookie.get().unwrap(), 7);
    drop(link);
    assert_eq!(counted(&skel), 0);
}

fn wrong_targets() {
    let skel = load("on_many");
    let program = &skel.progs.on_many;
    let attach = |names: Vec<String>, cookies: Vec<u64>| {
        program.attach_kprobe_multi_with_opts(KprobeMultiOpts {
            symbols: names,
            cookies,
            ..KprobeMultiOpts::default()
        })
    };
    let known = functions_of_calls(program);
    let with = |name: &str| vec![known[0].clone(), name.to_owned()];
    assert_fails!(
        attach(with("no_such_function"), vec![]),
        ErrorKind::NotFound,
        "on_many"
    );
    for name in ["", "a\0b", "a/b", "a b", "vfs_*", &"x".repeat(1 << 20)] {
        assert_fails!(attach(with(name), vec![]), ErrorKind::InvalidArgument);
    }
    for cookies in [vec![1], vec![1, 2, 3], vec![1; 70_000]] {
        assert_fails!(
            attach(known.to_vec(), cookies),
            ErrorKind::InvalidArgument,
            "cookies"
        );
    }
    // None, too many, too many bytes.
    let long = vec!["x".repeat(500); 10_000];
    for names in [vec![], vec!["schedule".to_owned(); 65_537], long] {
        assert_fails!(attach(names, vec![]), ErrorKind::InvalidArgument);
    }
    for pattern in ["a*b*c*", "***", "a b*", "a\0*", "../*"] {
        assert_fails!(
            program.attach_kprobe_multi_with_opts(with_pattern(pattern)),
            ErrorKind::InvalidArgument
        );
    }
    let opts = KprobeMultiOpts {
        cookies: vec![1],
        ..with_pattern("__*_sched_get_priority_max")
    };
    let result = program.attach_kprobe_multi_with_opts(opts);
    assert_fails!(result, ErrorKind::InvalidArgument, "cookies");
    // What the guest crate has no words for.
    let object = raw_object();
    let program = object.program("on_many").unwrap();
    let offsets = ProbeTargets::Offsets(vec![0]);
    let names = ProbeTargets::Functions(known.to_vec());
    let set: [(&ProbeTargets, Setter); 6] = [
        (&offsets, |_| {}),
        (&names, |options| options.set_offset(1)),
        (&names, |options| options.set_cookie(1)),
        (&names, |options| options.set_process(Some(1))),
        (&names, |options| options.set_semaphore_offsets(&[1, 2])),
        (&names, |options| {
            options.set_at_return(true);
            options.set_session(true);
        }),
    ];
    for (targets, set) in set {
        let options = ProbeOptions::new();
        set(&options);
        let error = program.attach_kprobe_multi(targets, &options);
        let error = error.expect_err("nothing is passed over");
        assert!(
            matches!(error.code, ErrorCode::InvalidArgument),
            "{error:?}"
        );
    }
}

/// The object, with its program for many probes, through the interface itself.
fn raw_object() -> Object {
    let open = OpenObject::open(case::DATA, &OpenOptions::new()).unwrap();
    open.set_autoload("on_many", true).unwrap();
    OpenObject::load(open).unwrap()
}

fn wrong_programs() {
    let many = load("on_many");
    let [name, _] = functions_of_calls(&many.progs.on_many);
    for (program, session) in [
        ("on_one", false),
        ("on_one", true),
        ("on_many", true),
        ("on_both_ends", false),
    ] {
        let skel = load(program);
        let opts = KprobeMultiOpts {
            symbols: vec![name.clone()],
            session,
            ..KprobeMultiOpts::default()
        };
        let attached = skel.object.program(program).unwrap();
        let result = attached.attach_kprobe_multi_with_opts(opts);
        assert_fails!(result, ErrorKind::InvalidArgument, program);
    }
}

fn lists_are_limited() {
    let object = raw_object();
    let program = object.program("on_many").unwrap();
    let names = ProbeTargets::Functions(vec!["schedule".to_owned()]);
    let hold = || {
        let options = ProbeOptions::new();
        options.set_cookies(&vec![1; 65_536]);
        options
    };
    let code = |options: &ProbeOptions| {
        let error = program.attach_kprobe_multi(&names, options);
        error.expect_err("one cookie too many").code
    };
    let first = hold();
    assert!(matches!(code(&first), ErrorCode::InvalidArgument));
    let mut more = vec![hold(), hold()];
    let last = code(&more[1]);
    conformance_guests::saw(last);
    assert!(matches!(last, ErrorCode::LimitExceeded), "{last:?}");
    more.clear();
    assert!(matches!(code(&hold()), ErrorCode::InvalidArgument));
}
