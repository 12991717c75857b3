//! What the kernel says of links: what they attach to.

use wasm_bpf_guest::{Iteration, Link, LinkDetails, Program, RawTracepointOpts, TracepointOpts};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

/// The object with one of its programs.
fn loaded(program: &str) -> CaseSkel {
    let open = CaseSkelBuilder::new().open().unwrap();
    let program = open.open.program(program).unwrap();
    program.set_autoload(true).unwrap();
    open.load().unwrap()
}

/// What the link of a program attaches to.
fn details(link: &Link, program: &Program) -> LinkDetails {
    let info = link.info().unwrap().unwrap();
    assert_ne!(info.id, 0);
    assert_eq!(info.program_id, program.info().unwrap().id);
    info.details
}

/// Only the newest kernels tell the cookie.
fn raw_tracepoint() {
    let skel = loaded("on_raw_tracepoint");
    let program = &skel.progs.on_raw_tracepoint;
    for cookie in [0, 42] {
        let opts = RawTracepointOpts { cookie };
        let Ok(link) = program.attach_raw_tracepoint_with_opts("sys_exit", opts) else {
            // Before 6.10.
            assert_ne!(cookie, 0);
            continue;
        };
        match details(&link, program) {
            LinkDetails::RawTracepoint(details) => {
                assert_eq!(details.name, "sys_exit");
                assert!(details.cookie == cookie || details.cookie == 0);
            }
            other => panic!("{other:?}"),
        }
        assert!(link.places().unwrap().is_empty());
    }
}

fn btf_tracepoint() {
    /// BPF_TRACE_RAW_TP
    const ATTACH_TYPE: u32 = 23;
    let skel = loaded("on_btf_tracepoint");
    let program = &skel.progs.on_btf_tracepoint;
    let link = program.attach().unwrap();
    match details(&link, program) {
        // Attached by the call that kernels before had, it is one of a raw tracepoint.
        LinkDetails::RawTracepoint(details) => assert_eq!(details.name, "sys_enter"),
        LinkDetails::Tracing(details) => {
            assert_eq!(details.attach_type, ATTACH_TYPE);
            assert_ne!((details.target_object_id, details.target_btf_id), (0, 0));
        }
        other => panic!("{other:?}"),
    }
}

fn iterator() {
    let skel = loaded("on_task");
    let program = &skel.progs.on_task;
    let link = program.attach().unwrap();
    match details(&link, program) {
        LinkDetails::Iter(details) => {
            assert_eq!(details.target, "task");
            match details.iteration {
                Iteration::Tasks(tasks) => assert_eq!((tasks.thread, tasks.process), (0, 0)),
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other:?}"),
    }
}

fn tracepoint() {
    let skel = loaded("on_tracepoint");
    let program = &skel.progs.on_tracepoint;
    let opts = TracepointOpts { cookie: 42 };
    let link = program.attach_tracepoint_with_opts("sched", "sched_process_exec", opts);
    match details(&link.unwrap(), program) {
        LinkDetails::Tracepoint(details) => {
            assert_eq!(
                (details.name.as_str(), details.cookie),
                ("sched_process_exec", 42)
            );
        }
        other => panic!("{other:?}"),
    }
}

/// By libbpf, at the function's start.
fn kprobe() {
    for (name, is_return) in [("on_kprobe", false), ("on_kretprobe", true)] {
        let skel = loaded(name);
        let program = if is_return {
            &skel.progs.on_kretprobe
        } else {
            &skel.progs.on_kprobe
        };
        let link = program.attach().unwrap();
        match details(&link, program) {
            LinkDetails::Kprobe(details) => {
                assert_eq!(details.function, "do_sys_openat2");
                assert_eq!((details.offset, details.cookie), (0, 0));
                assert_eq!(details.is_return, is_return);
                assert_ne!(details.address, 0);
            }
            other => panic!("{other:?}"),
        }
    }
}

fn uprobe() {
    let target = conformance_guests::given("target");
    for (name, is_return) in [("on_uprobe", false), ("on_uretprobe", true)] {
        let skel = loaded(name);
        let program = if is_return {
            &skel.progs.on_uretprobe
        } else {
            &skel.progs.on_uprobe
        };
        let link = program.attach().unwrap();
        match details(&link, program) {
            LinkDetails::Uprobe(details) => {
                // A host may have named the file to the kernel by its own descriptor, which is nobody else's to know.
                assert!(details.path == target || details.path.is_empty());
                assert_ne!(details.offset, 0);
                assert_eq!(details.is_return, is_return);
                assert_eq!((details.cookie, details.semaphore_offset), (0, 0));
            }
            other => panic!("{other:?}"),
        }
    }
}

fn kprobe_multi() {
    let skel = loaded("on_kprobe_multi");
    let program = &skel.progs.on_kprobe_multi;
    let link = program.attach().unwrap();
    let count = match details(&link, program) {
        LinkDetails::KprobeMulti(details) => {
            assert_eq!(details.flags, 0);
            details.count
        }
        other => panic!("{other:?}"),
    };
    assert!(count > 1, "vfs_read and vfs_readv at least");
    let places = link.places().unwrap();
    assert_eq!(places.len(), count as usize);
    for place in places {
        assert_ne!(place.address, 0);
        assert_eq!((place.cookie, place.semaphore_offset), (0, 0));
    }
}

fn uprobe_multi() {
    let skel = loaded("on_uprobe_multi");
    let program = &skel.progs.on_uprobe_multi;
    let link = program.attach().unwrap();
    match details(&link, program) {
        LinkDetails::UprobeMulti(details) => {
            assert_eq!(details.path, conformance_guests::given("target"));
            assert_eq!((details.count, details.flags, details.process), (1, 0, 0));
        }
        other => panic!("{other:?}"),
    }
    let places = link.places().unwrap();
    assert_eq!(places.len(), 1);
    assert_ne!(places[0].address, 0);
}
