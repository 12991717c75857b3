//! Probes of functions of a binary.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use conformance_guests::elf::Target;
use conformance_guests::raw::programs::ProbeOptions;
use conformance_guests::{assert_fails, call_in_process, call_target, given, number, raw};
use wasm_bpf_guest::{Descriptor, ErrorKind, Link, Program, Result, UprobeOpts, open_descriptor};

conformance_guests::guest!();

/// Sets an option that the function under test does not take.
type Setter = fn(&ProbeOptions);

use case::{CaseSkel, CaseSkelBuilder};

fn load(program: &str) -> CaseSkel {
    let open = CaseSkelBuilder::new().open().unwrap();
    let program = open.open.program(program).unwrap();
    program.set_autoload(true).unwrap();
    open.load().unwrap()
}

fn counted(skel: &CaseSkel) -> u64 {
    let before = skel.bss.calls.get().unwrap();
    call_target(4);
    skel.bss.calls.get().unwrap() - before
}

fn named(name: &str) -> UprobeOpts {
    UprobeOpts {
        func_name: Some(name.to_owned()),
        ..UprobeOpts::default()
    }
}

/// A probe of a function in all processes.
fn attach(program: &Program, name: &str) -> Result<Link> {
    program.attach_uprobe_with_opts(-1, given("target"), 0, named(name))
}

/// By path and by descriptor, by name and by offset.
fn function() {
    let skel = load("count");
    let program = &skel.progs.count;
    let target = open_descriptor(given("target")).unwrap();
    let offset = Target::read().function("wbc_target");
    assert_eq!(counted(&skel), 0);
    for retprobe in [false, true] {
        let opts = UprobeOpts {
            retprobe,
            ..named("wbc_target")
        };
        let first = program.attach_uprobe_with_opts(-1, given("target"), 0, opts);
        let first = first.unwrap();
        assert_eq!(counted(&skel), 4);
        let second = program
            .attach_uprobe(retprobe, -1, &target, offset)
            .unwrap();
        assert_eq!(counted(&skel), 8);
        drop(first);
        assert_eq!(counted(&skel), 4);
        drop(second);
        assert_eq!(counted(&skel), 0);
    }
    let _link = attach(program, "wbc_other").unwrap();
    drop(target);
    assert_eq!(counted(&skel), 4);
}

/// Cookies belong to links, not to the program.
fn cookie() {
    let skel = load("with_cookie");
    for cookie in [0x1122_3344_5566_7788, 0, u64::MAX] {
        let opts = UprobeOpts {
            cookie,
            ..named("wbc_target")
        };
        let program = &skel.progs.with_cookie;
        let link = program.attach_uprobe_with_opts(-1, given("target"), 0, opts);
        let _link = link.unwrap();
        assert_eq!(counted(&skel), 4);
        assert_eq!(skel.bss.cookie.get().unwrap(), cookie);
    }
}

/// There are two that run the file; one of them is named.
fn process() {
    let skel = load("count");
    let program = &skel.progs.count;
    let attach =
        |pid| program.attach_uprobe_with_opts(pid, given("target"), 0, named("wbc_target"));
    let in_process = || {
        let before = skel.bss.calls.get().unwrap();
        call_in_process(5);
        skel.bss.calls.get().unwrap() - before
    };
    let link = attach(number("process")).unwrap();
    assert_eq!(counted(&skel), 0);
    assert_eq!(in_process(), 5);
    drop(link);
    assert_eq!(in_process(), 0);
    let link = attach(-1).unwrap();
    assert_eq!(counted(&skel), 4);
    assert_eq!(in_process(), 5);
    drop(link);
    // No kernel has as many.
    for pid in [1 << 30, i32::MAX] {
        assert_fails!(attach(pid), ErrorKind::NoSuchProcess, "count");
    }
    // The host.
    assert_fails!(attach(0), ErrorKind::InvalidArgument, "count");
}

/// Behind an instruction that does nothing.
fn place() -> u64 {
    Target::read().usdt("called").0 + 1
}

fn unnamed_place() {
    let skel = load("count");
    let program = &skel.progs.count;
    let target = given("target");
    let error = assert_fails!(
        program.attach_uprobe(false, -1, &target, place()),
        ErrorKind::NotGranted,
        "count",
        &format!("binary={target}")
    );
    assert_eq!(error.subject(), Some("count"));
    let behind = place() - Target::read().function("wbc_target");
    let result = program.attach_uprobe_with_opts(-1, &target, behind, named("wbc_target"));
    assert_fails!(result, ErrorKind::NotGranted, "binary");
    for offset in [1, 1 << 40, u64::MAX] {
        let result = program.attach_uprobe(false, -1, &target, offset);
        assert_fails!(result, ErrorKind::NotGranted, "binary");
    }
    assert_eq!(counted(&skel), 0);
    // The file names it.
    let _link = program
        .attach_uprobe(false, -1, &target, place() - 1)
        .unwrap();
    assert_eq!(counted(&skel), 4);
}

fn unnamed_place_granted() {
    let skel = load("count");
    let program = &skel.progs.count;
    let target = given("target");
    let behind = place() - Target::read().function("wbc_target");
    let link = program.attach_uprobe(false, -1, &target, place()).unwrap();
    assert_eq!(counted(&skel), 4);
    drop(link);
    let link = program.attach_uprobe_with_opts(-1, &target, behind, named("wbc_target"));
    let link = link.unwrap();
    assert_eq!(counted(&skel), 4);
    drop(link);
    for offset in [1 << 40, 1 << 63, u64::MAX] {
        let result = program.attach_uprobe(false, -1, &target, offset);
        assert_fails!(result, _, "count");
        let result = program.attach_uprobe_with_opts(-1, &target, offset, named("wbc_target"));
        assert_fails!(result, _, "count");
    }
    assert_eq!(counted(&skel), 0);
}

/// The target looks at it before it comes to the place that is probed.
fn semaphore() {
    let skel = load("count");
    let program = &skel.progs.count;
    let (place, semaphore) = Target::read().usdt("prepared");
    assert_ne!(semaphore, 0);
    let attach = |ref_ctr_offset| {
        let opts = UprobeOpts {
            ref_ctr_offset,
            ..UprobeOpts::default()
        };
        program.attach_uprobe_with_opts(-1, given("target"), place, opts)
    };
    let link = attach(0).unwrap();
    assert_eq!(counted(&skel), 0);
    drop(link);
    let link = attach(semaphore).unwrap();
    assert_eq!(counted(&skel), 4);
    drop(link);
    assert_eq!(counted(&skel), 0);
    for other in [1, semaphore - 2, semaphore + 2, u32::MAX.into()] {
        assert_fails!(attach(other), ErrorKind::NotGranted, "binary", "count");
    }
    for far in [1 << 32, u64::MAX] {
        assert_fails!(attach(far), ErrorKind::InvalidArgument, "count");
    }
}

fn wrong_names() {
    let skel = load("count");
    let program = &skel.progs.count;
    for name in [
        "no_such_function",
        "wbc_targe",
        "wbc_target ",
        "wbc_*",
        "a/b",
        "@",
        "wbc_target@NO_SUCH_VERSION",
        &"x".repeat(4096),
    ] {
        let error = assert_fails!(attach(program, name), ErrorKind::NotFound, "count");
        assert!(error.to_string().len() < 6000);
    }
    for name in ["", "wbc_target\0", &"x".repeat(4097), &"x".repeat(1 << 20)] {
        let error = assert_fails!(attach(program, name), ErrorKind::InvalidArgument, "count");
        assert!(error.to_string().len() < 1000);
    }
    // Neither a function nor an offset; an offset of the return.
    let result = program.attach_uprobe(false, -1, given("target"), 0);
    assert_fails!(result, ErrorKind::InvalidArgument, "count");
    let opts = UprobeOpts {
        retprobe: true,
        ..named("wbc_target")
    };
    let result = program.attach_uprobe_with_opts(-1, given("target"), 4, opts);
    assert_fails!(result, ErrorKind::InvalidArgument, "count");
    let result = program.attach_uprobe_with_opts(-1, "/etc/passwd", 0, named("f"));
    assert_fails!(result, ErrorKind::NotGranted);
}

/// A file beside the target, which goes when this does.
struct Beside(PathBuf);

impl Beside {
    fn new(content: &[u8]) -> Self {
        let path = Path::new(&given("target")).with_file_name("other");
        fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Writes over a part of a file.
fn put(mut file: &fs::File, at: usize, bytes: &[u8]) {
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.write_all(bytes).unwrap();
}

/// The host reads them: none of them may end it.
fn hostile_files() {
    let skel = load("count");
    let program = &skel.progs.count;
    let on = |file: &Descriptor| program.attach_uprobe_with_opts(-1, file, 0, named("wbc_target"));
    let of = |content: &[u8]| {
        let file = Beside::new(content);
        on(&open_descriptor(&file.0).unwrap())
    };
    let whole = Target::read();
    for content in [
        &b""[..],
        b"\x7fELF",
        b"#!/bin/sh\nexit\n",
        &[0xff; 65536],
        &whole.0[..4096],
    ] {
        assert_fails!(of(content), ErrorKind::Malformed, "count");
    }
    let half = &whole.0[..whole.0.len() / 2];
    assert_fails!(of(half), _, "count");
    // Numbers of tables' headers that are not true, one at a time: what comes out is an error or a probe.
    let file = Beside::new(&whole.0);
    let descriptor = open_descriptor(&file.0).unwrap();
    let content = fs::OpenOptions::new().write(true).open(&file.0).unwrap();
    let tables = whole.sections();
    let tables = tables
        .iter()
        .filter(|section| matches!(section.kind, 2 | 11));
    // Place, size, link, size of an entry; of the file where its tables are.
    let numbers = tables.flat_map(|section| [24, 32, 40, 56].map(|at| section.header + at));
    for at in numbers.chain([32, 40, 56]) {
        for number in [0, u64::MAX] {
            put(&content, at, &number.to_le_bytes());
            match on(&descriptor) {
                Ok(link) => drop(link),
                Err(error) => conformance_guests::saw(error.kind()),
            }
        }
        let right = &whole.0[at..at + 8];
        put(&content, at, right);
    }
    drop(file);
    let folder = Path::new(&given("target")).parent().unwrap().to_owned();
    let result = on(&open_descriptor(folder).unwrap());
    assert_fails!(result, ErrorKind::InvalidArgument, "count");
    // A file that is longer than its content, in which nothing is.
    let file = Beside::new(&whole.0[..64]);
    let sparse = fs::OpenOptions::new().write(true).open(&file.0).unwrap();
    sparse.set_len(1 << 40).unwrap();
    assert_fails!(on(&open_descriptor(&file.0).unwrap()), _, "count");
    drop(file);
    // One that is gone is still a file.
    let file = Beside::new(&whole.0);
    let descriptor = open_descriptor(&file.0).unwrap();
    drop(file);
    let _link = on(&descriptor);
    assert_eq!(skel.bss.calls.get().unwrap(), 0);
    let _link = attach(program, "wbc_target").unwrap();
    assert_eq!(counted(&skel), 4);
}

/// A table of symbols that is as large as the limit, of which nothing is on the disk.
fn memory() {
    let skel = load("count");
    let program = &skel.progs.count;
    let mut target = Target::read();
    let table = target
        .sections()
        .into_iter()
        .find(|section| section.kind == 2);
    let size = table.unwrap().header + 32;
    target.0[size..size + 8].copy_from_slice(&(64u64 << 20).to_le_bytes());
    let file = Beside::new(&target.0);
    let sparse = fs::OpenOptions::new().write(true).open(&file.0).unwrap();
    sparse.set_len(1 << 30).unwrap();
    let result = program.attach_uprobe_with_opts(-1, &file.0, 0, named("wbc_target"));
    let error = assert_fails!(result, ErrorKind::LimitExceeded, "map-memory");
    assert_eq!(error.subject(), Some("count"));
    let _link = attach(program, "wbc_target").unwrap();
    assert_eq!(counted(&skel), 4);
}

fn wrong_kind() {
    for name in ["for_many", "of_another_kind"] {
        let skel = load(name);
        let program = skel.object.program(name).unwrap();
        let result = attach(&program, "wbc_target");
        assert_fails!(result, ErrorKind::InvalidArgument, name);
    }
    // What the guest crate has no words for.
    let options = raw::objects::OpenOptions::new();
    let open = raw::objects::OpenObject::open(case::DATA, &options).unwrap();
    let object = raw::objects::OpenObject::load(open).unwrap();
    let program = object.program("count").unwrap();
    let target = open_descriptor(given("target")).unwrap();
    let set: [(&str, Setter); 3] = [
        ("session", |options| options.set_session(true)),
        ("cookies", |options| options.set_cookies(&[1])),
        ("semaphore-offsets", |options| {
            options.set_semaphore_offsets(&[8]);
        }),
    ];
    for (name, set) in set {
        let options = ProbeOptions::new();
        set(&options);
        let error = program.attach_uprobe(&target, Some("wbc_target"), &options);
        let error = error.expect_err("nothing is passed over");
        assert!(matches!(error.code, raw::types::ErrorCode::InvalidArgument));
        assert!(error.message.contains(name), "{}", error.message);
    }
    let options = ProbeOptions::new();
    options.set_process(Some(u32::MAX));
    let error = program.attach_uprobe(&target, Some("wbc_target"), &options);
    let error = error.expect_err("there is no such process");
    assert!(matches!(error.code, raw::types::ErrorCode::NoSuchProcess));
}

fn lifetimes() {
    let CaseSkel {
        object, progs, bss, ..
    } = load("count");
    let link = attach(&progs.count, "wbc_target").unwrap();
    let second = attach(&progs.count, "wbc_other");
    assert_fails!(second, ErrorKind::LimitExceeded, "links");
    drop(object);
    drop(progs);
    call_target(3);
    assert_eq!(bss.calls.get().unwrap(), 3);
    drop(link);
    call_target(3);
    assert_eq!(bss.calls.get().unwrap(), 3);
}
