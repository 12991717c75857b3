//! One program at many functions of a binary.

use conformance_guests::elf::Target;
use conformance_guests::{
    assert_fails, call_in_process, call_target, given, is_gone, is_held, link_id, number,
};
use wasm_bpf_guest::{ErrorKind, Link, Program, Result, UprobeMultiOpts};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

fn load(program: &str) -> CaseSkel {
    let open = CaseSkelBuilder::new().open().unwrap();
    let program = open.open.program(program).unwrap();
    program.set_autoload(true).unwrap();
    open.load().unwrap()
}

fn counted(skel: &CaseSkel) -> u64 {
    let before = skel.bss.calls.get().unwrap();
    skel.bss.cookies.set(&0).unwrap();
    call_target(4);
    skel.bss.calls.get().unwrap() - before
}

fn attach(program: &Program, pattern: &str, opts: UprobeMultiOpts) -> Result<Link> {
    program.attach_uprobe_multi_with_opts(-1, given("target"), pattern, opts)
}

fn names(names: &[&str]) -> UprobeMultiOpts {
    UprobeMultiOpts {
        syms: names.iter().map(|name| (*name).to_owned()).collect(),
        ..UprobeMultiOpts::default()
    }
}

fn offsets(offsets: &[u64]) -> UprobeMultiOpts {
    UprobeMultiOpts {
        offsets: offsets.to_vec(),
        ..UprobeMultiOpts::default()
    }
}

fn functions() {
    let skel = load("on_many");
    let program = &skel.progs.on_many;
    let target = Target::read();
    let both = ["wbc_target", "wbc_other"];
    let places = both.map(|name| target.function(name));
    for retprobe in [false, true] {
        for opts in [names(&both), offsets(&places)] {
            let opts = UprobeMultiOpts {
                cookies: vec![1, 4],
                retprobe,
                ..opts
            };
            let link = attach(program, "", opts).unwrap();
            let id = link_id(&link);
            is_held(&id);
            assert_eq!(counted(&skel), 8);
            assert_eq!(skel.bss.cookies.get().unwrap(), 5);
            drop(link);
            is_gone(&id);
            assert_eq!(counted(&skel), 0);
        }
        for (pattern, calls) in [
            ("wbc_*", 8),
            ("wbc_t?rget", 4),
            ("wbc_other", 4),
            ("*bc_*er", 4),
        ] {
            let link = program.attach_uprobe_multi(-1, given("target"), pattern, retprobe, false);
            let _link = link.unwrap();
            assert_eq!(counted(&skel), calls, "{pattern}");
        }
    }
    let mut opts = names(&both);
    opts.cookies = vec![1, 2];
    opts.syms[1] = "wbc_target".into();
    // The kernel takes the same twice, or does not.
    if let Ok(link) = attach(program, "", opts) {
        drop(link);
    }
    assert_eq!(counted(&skel), 0);
}

fn section() {
    let skel = load("where_the_section_says");
    let link = skel.progs.where_the_section_says.attach().unwrap();
    assert_eq!(counted(&skel), 8);
    drop(link);
    assert_eq!(counted(&skel), 0);
}

fn session() {
    let skel = load("on_both_ends");
    let program = &skel.progs.on_both_ends;
    let link = program.attach_uprobe_multi(-1, given("target"), "wbc_*", false, true);
    let link = link.unwrap();
    assert_eq!(counted(&skel), 16);
    drop(link);
    for (name, session, retprobe) in [
        ("on_both_ends", false, false),
        ("on_both_ends", true, true),
        ("on_many", true, false),
        ("on_one", true, false),
        ("on_one", false, false),
    ] {
        let skel = load(name);
        let program = skel.object.program(name).unwrap();
        let result = program.attach_uprobe_multi(-1, given("target"), "wbc_*", retprobe, session);
        assert_fails!(result, ErrorKind::InvalidArgument, name);
    }
}

fn process() {
    let skel = load("on_many");
    let program = &skel.progs.on_many;
    let attach = |pid| program.attach_uprobe_multi(pid, given("target"), "wbc_*", false, false);
    let link = attach(number("process")).unwrap();
    assert_eq!(counted(&skel), 0);
    let before = skel.bss.calls.get().unwrap();
    call_in_process(5);
    assert_eq!(skel.bss.calls.get().unwrap() - before, 10);
    drop(link);
    assert_fails!(attach(1 << 30), ErrorKind::NoSuchProcess, "on_many");
    assert_fails!(attach(0), ErrorKind::InvalidArgument, "on_many");
}

fn semaphores() {
    let skel = load("on_many");
    let program = &skel.progs.on_many;
    let (prepared, semaphore) = Target::read().usdt("prepared");
    let (called, none) = Target::read().usdt("called");
    assert_eq!(none, 0);
    let with = |semaphores: &[u64]| {
        let opts = UprobeMultiOpts {
            ref_ctr_offsets: semaphores.to_vec(),
            ..offsets(&[prepared, called])
        };
        attach(program, "", opts)
    };
    let link = with(&[]).unwrap();
    assert_eq!(counted(&skel), 4);
    drop(link);
    let link = with(&[semaphore, 0]).unwrap();
    assert_eq!(counted(&skel), 8);
    drop(link);
    for foreign in [[semaphore, 2], [semaphore + 2, 0], [u64::MAX, 0]] {
        assert_fails!(with(&foreign), ErrorKind::NotGranted, "binary", "on_many");
    }
    let result = with(&[semaphore]);
    assert_fails!(result, ErrorKind::InvalidArgument, "semaphore-offsets");
}

fn unnamed_places() {
    let skel = load("on_many");
    let program = &skel.progs.on_many;
    let target = Target::read();
    let (function, behind) = (target.function("wbc_target"), target.usdt("called").0 + 1);
    for places in [&[behind][..], &[function, behind], &[u64::MAX], &[0]] {
        let result = attach(program, "", offsets(places));
        assert_fails!(result, ErrorKind::NotGranted, "binary", "on_many");
    }
    assert_eq!(counted(&skel), 0);
}

fn unnamed_places_granted() {
    let skel = load("on_many");
    let program = &skel.progs.on_many;
    let target = Target::read();
    let (function, behind) = (target.function("wbc_target"), target.usdt("called").0 + 1);
    let link = attach(program, "", offsets(&[function, behind])).unwrap();
    assert_eq!(counted(&skel), 8);
    drop(link);
    for places in [&[u64::MAX][..], &[function, 1 << 62]] {
        assert_fails!(attach(program, "", offsets(places)), _, "on_many");
    }
    assert_eq!(counted(&skel), 0);
}

fn wrong_targets() {
    let skel = load("on_many");
    let program = &skel.progs.on_many;
    let error = assert_fails!(
        attach(program, "", names(&["wbc_target", "no_such_function"])),
        ErrorKind::NotFound,
        "no_such_function"
    );
    assert_eq!(error.subject(), Some("on_many"));
    let result = attach(program, "no_such_*", UprobeMultiOpts::default());
    assert_fails!(result, ErrorKind::NotFound, "no_such_*");
    for name in ["", "a\0b", &"x".repeat(5000), &"x".repeat(1 << 20)] {
        let result = attach(program, "", names(&["wbc_target", name]));
        assert_fails!(result, ErrorKind::InvalidArgument, "on_many");
    }
    for pattern in ["a*b*c*", "***", "a\0*", &"x".repeat(1 << 20)] {
        let result = attach(program, pattern, UprobeMultiOpts::default());
        assert_fails!(result, ErrorKind::InvalidArgument, "on_many");
    }
    for cookies in [vec![1], vec![1; 3], vec![1; 100_000]] {
        let opts = UprobeMultiOpts {
            cookies,
            ..names(&["wbc_target", "wbc_other"])
        };
        let result = attach(program, "", opts);
        assert_fails!(result, ErrorKind::InvalidArgument, "cookies");
    }
    let opts = UprobeMultiOpts {
        cookies: vec![1, 2],
        ..UprobeMultiOpts::default()
    };
    let result = attach(program, "wbc_*", opts);
    assert_fails!(result, ErrorKind::InvalidArgument, "cookies");
    // None; too many; too many bytes.
    let long = "x".repeat(4096);
    for opts in [
        names(&[]),
        names(&["f"; 65_537]),
        names(&[long.as_str(); 1_025]),
        offsets(&[8; 65_537]),
    ] {
        let result = attach(program, "", opts);
        assert_fails!(result, ErrorKind::InvalidArgument, "on_many");
    }
    let other = std::path::Path::new(&given("target")).with_file_name("other");
    std::fs::write(&other, b"\x7fELF\x02 and nothing else").unwrap();
    for opts in [names(&["wbc_target"]), offsets(&[8])] {
        let result = program.attach_uprobe_multi_with_opts(-1, &other, "", opts);
        assert_fails!(result, ErrorKind::Malformed, "on_many");
    }
    std::fs::remove_file(&other).unwrap();
    assert_eq!(counted(&skel), 0);
}
