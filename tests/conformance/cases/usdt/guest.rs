//! USDT probes.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use conformance_guests::elf::Target;
use conformance_guests::raw::programs::ProbeOptions;
use conformance_guests::{assert_fails, call_in_process, call_target, given, is_gone, number, raw};
use wasm_bpf_guest::{ErrorKind, Link, Program, Result, UsdtOpts};

conformance_guests::guest!();

/// Sets an option that the function under test does not take.
type Setter = fn(&ProbeOptions);

use case::{CaseSkel, CaseSkelBuilder, OpenCaseSkel};

fn open(program: &str) -> OpenCaseSkel {
    let open = CaseSkelBuilder::new().open().unwrap();
    let program = open.open.program(program).unwrap();
    program.set_autoload(true).unwrap();
    open
}

fn load(program: &str) -> CaseSkel {
    open(program).load().unwrap()
}

fn attach(program: &Program, name: &str) -> Result<Link> {
    program.attach_usdt(-1, given("target"), "wasm_bpf", name)
}

/// Calls, and the sum of first arguments, of four calls with 0, 1, 2 and 3.
fn counted(skel: &CaseSkel) -> (u64, u64) {
    let now = || (skel.bss.calls.get().unwrap(), skel.bss.sum.get().unwrap());
    let before = now();
    call_target(4);
    let after = now();
    (after.0 - before.0, after.1 - before.1)
}

fn arguments() {
    for name in ["on_probe", "as_uprobe"] {
        let skel = load(name);
        let program = skel.object.program(name).unwrap();
        assert_eq!(counted(&skel), (0, 0));
        for cookie in [0x1122_3344_5566_7788, 0, u64::MAX] {
            let opts = UsdtOpts { cookie };
            let target = given("target");
            let link = program.attach_usdt_with_opts(-1, target, "wasm_bpf", "called", opts);
            let link = link.unwrap();
            assert_eq!(counted(&skel), (4, 6));
            assert_eq!(skel.bss.second.get().unwrap(), -7);
            assert_eq!(skel.bss.arguments.get().unwrap(), 2);
            assert_eq!(skel.bss.cookie.get().unwrap(), cookie);
            drop(link);
            assert_eq!(counted(&skel), (0, 0));
        }
    }
}

fn semaphore() {
    let skel = load("on_probe");
    let program = &skel.progs.on_probe;
    let link = attach(program, "prepared").unwrap();
    assert_eq!(counted(&skel), (4, 600));
    assert_eq!(skel.bss.arguments.get().unwrap(), 1);
    let second = attach(program, "called").unwrap();
    assert_eq!(counted(&skel), (8, 606));
    drop(link);
    assert_eq!(counted(&skel), (4, 6));
    drop(second);
    assert_eq!(counted(&skel), (0, 0));
}

fn section() {
    let skel = load("where_the_section_says");
    let link = skel.progs.where_the_section_says.attach().unwrap();
    assert_eq!(counted(&skel), (4, 6));
    drop(link);
    assert_eq!(counted(&skel), (0, 0));
    let skel = load("of_half_a_section");
    let result = skel.progs.of_half_a_section.attach();
    assert_fails!(result, ErrorKind::InvalidArgument, "of_half_a_section");
    let skel = load("on_probe");
    assert!(skel.progs.on_probe.auto_attach().unwrap().is_none());
}

fn section_not_granted() {
    let skel = load("where_the_section_says");
    let result = skel.progs.where_the_section_says.attach();
    assert_fails!(result, ErrorKind::NotGranted, "binary", &given("target"));
    assert_eq!(counted(&skel), (0, 0));
}

fn process() {
    let skel = load("on_probe");
    let attach = |pid| {
        let program = &skel.progs.on_probe;
        program.attach_usdt(pid, given("target"), "wasm_bpf", "called")
    };
    let in_process = || {
        let before = skel.bss.sum.get().unwrap();
        call_in_process(5);
        skel.bss.sum.get().unwrap() - before
    };
    for _ in 0..3 {
        let link = attach(number("process")).unwrap();
        assert_eq!(counted(&skel), (0, 0));
        assert_eq!(in_process(), 10);
        assert_eq!(skel.bss.second.get().unwrap(), -7);
        drop(link);
        assert_eq!(in_process(), 0);
    }
    for pid in [1 << 30, i32::MAX] {
        assert_fails!(attach(pid), ErrorKind::NoSuchProcess, "on_probe");
    }
    assert_fails!(attach(0), ErrorKind::InvalidArgument, "on_probe");
}

fn wrong_names() {
    let skel = load("on_probe");
    let attach = |provider: &str, name: &str| {
        let program = &skel.progs.on_probe;
        program.attach_usdt(-1, given("target"), provider, name)
    };
    for (provider, name) in [
        ("wasm_bpf", "no_such"),
        ("no_such", "called"),
        ("wasm_bp", "called"),
        ("wasm_bpf", "calle"),
        ("called", "wasm_bpf"),
        ("wasm_bpf", "*"),
    ] {
        let error = assert_fails!(attach(provider, name), ErrorKind::NotFound, name, provider);
        assert_eq!(error.subject(), Some("on_probe"));
    }
    let long = "x".repeat(1 << 20);
    for (provider, name) in [
        ("wasm_bpf", ""),
        ("", "called"),
        ("wasm_bpf", "called\0"),
        ("wasm_bpf\0called", "x"),
        (&long, "called"),
        ("wasm_bpf", &long),
    ] {
        let error = assert_fails!(attach(provider, name), ErrorKind::InvalidArgument);
        assert!(error.to_string().len() < 1000);
    }
}

fn wrong_kind() {
    let skel = load("of_another_kind");
    let result = attach(&skel.progs.of_another_kind, "called");
    assert_fails!(result, ErrorKind::InvalidArgument, "of_another_kind");
    let options = raw::objects::OpenOptions::new();
    let open = raw::objects::OpenObject::open(case::DATA, &options).unwrap();
    open.set_autoload("on_probe", true).unwrap();
    let object = raw::objects::OpenObject::load(open).unwrap();
    let program = object.program("on_probe").unwrap();
    let target = wasm_bpf_guest::open_descriptor(given("target")).unwrap();
    let set: [(&str, Setter); 6] = [
        ("at-return", |options| options.set_at_return(true)),
        ("session", |options| options.set_session(true)),
        ("offset", |options| options.set_offset(1)),
        ("cookies", |options| options.set_cookies(&[1])),
        ("semaphore-offset", |options| {
            options.set_semaphore_offset(8)
        }),
        ("semaphore-offsets", |options| {
            options.set_semaphore_offsets(&[8]);
        }),
    ];
    for (name, set) in set {
        let options = ProbeOptions::new();
        set(&options);
        let error = program.attach_usdt(&target, "wasm_bpf", "called", &options);
        let error = error.expect_err("nothing is passed over");
        assert!(matches!(error.code, raw::types::ErrorCode::InvalidArgument));
        assert!(error.message.contains(name), "{}", error.message);
    }
}

/// libbpf writes as many bytes as its own structures have.
fn forged_maps() {
    const SPECS: &str = "__bpf_usdt_specs";
    const IPS: &str = "__bpf_usdt_ip_to_spec_id";
    let forge = |map: &str, key: Option<u32>, value: Option<u32>| {
        let open = open("without_arguments");
        let map = open.open.map(map).unwrap();
        if let Some(key) = key {
            map.set_key_size(key).unwrap();
        }
        if let Some(value) = value {
            map.set_value_size(value).unwrap();
        }
        let skel = open.load().unwrap();
        attach(&skel.progs.without_arguments, "called").map(|link| (link, skel))
    };
    for (map, key, value) in [
        (SPECS, None, Some(8)),
        (SPECS, None, Some(303)),
        (SPECS, None, Some(4096)),
        (IPS, Some(1), None),
        (IPS, Some(64), None),
        (IPS, None, Some(1)),
        (IPS, None, Some(64)),
    ] {
        let result = forge(map, key, value);
        assert_fails!(result, ErrorKind::InvalidArgument, map, "without_arguments");
    }
    for map in [SPECS, IPS] {
        let open = open("without_arguments");
        open.open.map(map).unwrap().set_autocreate(false).unwrap();
        let skel = open.load().unwrap();
        let result = attach(&skel.progs.without_arguments, "called");
        assert_fails!(result, ErrorKind::NotSupported, map, "usdt.bpf.h");
    }
    // The sizes of older headers are good ones.
    let (_link, skel) = forge(SPECS, None, Some(208)).unwrap();
    assert_eq!(counted(&skel).0, 4);
}

fn room() {
    let open = open("on_probe");
    let specs = open.open.map("__bpf_usdt_specs").unwrap();
    specs.set_max_entries(1).unwrap();
    let skel = open.load().unwrap();
    let program = &skel.progs.on_probe;
    for _ in 0..20 {
        let link = attach(program, "called").unwrap();
        let result = attach(program, "prepared");
        assert_fails!(result, ErrorKind::Full, "__bpf_usdt_specs", "on_probe");
        drop(link);
    }
    let link = attach(program, "prepared").unwrap();
    assert_eq!(counted(&skel), (4, 600));
    drop(link);
    let _link = attach(program, "called").unwrap();
    assert_eq!(counted(&skel), (4, 6));
}

/// Writes over a part of a file.
fn put(mut file: &fs::File, at: usize, bytes: &[u8]) {
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.write_all(bytes).unwrap();
}

fn hostile_files() {
    let skel = load("on_probe");
    let program = &skel.progs.on_probe;
    let file = Path::new(&given("target")).with_file_name("other");
    let of = |content: &[u8]| {
        fs::write(&file, content).unwrap();
        let result = program.attach_usdt(-1, &file, "wasm_bpf", "called");
        fs::remove_file(&file).unwrap();
        result
    };
    let whole = Target::read().0;
    for content in [&b""[..], b"\x7fELF\x02", &[0xff; 4096], &whole[..4096]] {
        assert_fails!(of(content), ErrorKind::Malformed, "on_probe");
    }
    let texts = b"stapsdt\0";
    let notes = (0..whole.len() - 8)
        .filter(|at| whole[*at..].starts_with(texts))
        .collect::<Vec<_>>();
    assert!(notes.len() >= 2);
    // One place at a time.
    fs::write(&file, &whole).unwrap();
    let content = fs::OpenOptions::new().write(true).open(&file).unwrap();
    let change = |at: usize, bytes: &[u8]| {
        put(&content, at, bytes);
        let result = program.attach_usdt(-1, &file, "wasm_bpf", "called");
        let right = &whole[at..at + bytes.len()];
        put(&content, at, right);
        result
    };
    for note in notes {
        // Sizes of name and content, place, base, semaphore: what comes out is an error or a probe.
        for at in [
            note - 12,
            note - 8,
            note - 4,
            note + 8,
            note + 16,
            note + 24,
        ] {
            for number in [0u32, 25, u32::MAX] {
                match change(at, &number.to_le_bytes()) {
                    Ok(link) => drop(link),
                    Err(error) => conformance_guests::saw(error.kind()),
                }
            }
        }
    }
    // A place that nothing is mapped at.
    let called = (0..whole.len() - 16).find(|at| whole[*at..].starts_with(b"wasm_bpf\0called\0"));
    let called = called.unwrap();
    assert_fails!(
        change(called - 24, &[0xff; 8]),
        ErrorKind::Malformed,
        "on_probe"
    );
    // Text in place of arguments: 8@... and -4@...
    for text in [&b"9@"[..], b"x@", b"88", b"8@%x", b"8@@@"] {
        let result = change(called + 16, text);
        assert_fails!(result, ErrorKind::NotSupported, "on_probe", "usdt.bpf.h");
    }
    fs::remove_file(&file).unwrap();
    let folder = file.parent().unwrap();
    let result = program.attach_usdt(-1, folder, "wasm_bpf", "called");
    assert_fails!(result, ErrorKind::InvalidArgument, "on_probe");
    let _link = attach(program, "called").unwrap();
    assert_eq!(counted(&skel), (4, 6));
}

/// libbpf's own link would use memory of an object that is gone.
fn lifetimes() {
    let skel = load("on_probe");
    let CaseSkel {
        object,
        maps,
        progs,
        bss,
        ..
    } = skel;
    let links = ["called", "prepared", "called"].map(|name| attach(&progs.on_probe, name).unwrap());
    let id = progs.on_probe.info().unwrap().id;
    drop((object, maps, progs));
    call_target(4);
    assert_eq!(bss.calls.get().unwrap(), 12);
    let [first, second, third] = links;
    drop(second);
    drop(first);
    call_target(4);
    assert_eq!(bss.calls.get().unwrap(), 16);
    drop(third);
    is_gone(&format!("program={id}"));
}
