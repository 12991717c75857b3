//! What is known of programs, and how often they ran.

use conformance_guests::assert_fails;
use wasm_bpf_guest::{
    ErrorKind, MapCore as _, ProgramInput, ProgramStatistics, ProgramType, Statistics,
    kind_of_section,
};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

fn load() -> CaseSkel {
    CaseSkelBuilder::new().open().unwrap().load().unwrap()
}

/// Two loads are two programs with the same instructions.
fn info() {
    let (first, second) = (load(), load());
    let info = first.progs.run.info().unwrap();
    assert_eq!(
        (info.name.as_str(), info.section.as_str()),
        ("run", "raw_tp/sys_enter")
    );
    assert!(matches!(info.type_, ProgramType::RawTracepoint));
    assert!(info.instructions > 2 && info.instructions < 100);
    assert!(info.gpl_compatible);
    assert!(info.load_time > 0);
    assert_eq!(
        info.map_ids,
        [first
            .object
            .map(".bss")
            .or_else(|_| first.object.map("case.bss"))
            .unwrap()
            .info()
            .unwrap()
            .id]
    );
    assert_ne!(info.btf_id, 0);
    assert_eq!((info.attach_btf_id, info.interface_index), (0, 0));
    let other = second.progs.run.info().unwrap();
    assert_ne!(info.id, other.id);
    assert_eq!(info.tag, other.tag);
    assert!(other.load_time >= info.load_time);
}

fn run(skel: &CaseSkel, times: u32) -> ProgramStatistics {
    // The kernel has it run once each time.
    for _ in 0..times {
        let input = ProgramInput {
            context_in: Some(&mut [0; 16]),
            ..ProgramInput::default()
        };
        skel.progs.run.test_run(input).unwrap();
    }
    skel.progs.run.statistics().unwrap()
}

/// It may be that somebody else measures too: then more is counted, never less.
fn statistics() {
    let skel = load();
    let before = run(&skel, 3);
    let (first, second) = (Statistics::enable().unwrap(), Statistics::enable().unwrap());
    let after = run(&skel, 10);
    assert_eq!(after.run_count - before.run_count, 10);
    assert!(after.run_time_ns > before.run_time_ns);
    // As long as one of them is there.
    drop(first);
    let later = run(&skel, 10);
    assert_eq!(later.run_count - after.run_count, 10);
    drop(second);
    let last = run(&skel, 10);
    assert!(last.run_count == later.run_count || before.run_count == 3);
    assert_eq!(skel.bss.runs.get().unwrap(), 33);
}

/// One's own numbers may be read, whether or not somebody counts.
fn statistics_denied() {
    assert_fails!(Statistics::enable(), ErrorKind::NotGranted, "statistics");
    let statistics = load().progs.run.statistics().unwrap();
    assert_eq!(statistics.recursion_misses, 0);
}

/// And is given back.
fn statistics_limit() {
    let mut held = Vec::new();
    let error = loop {
        match Statistics::enable() {
            Ok(statistics) => held.push(statistics),
            Err(error) => break error,
        }
    };
    assert!(matches!(error.kind(), ErrorKind::LimitExceeded), "{error}");
    conformance_guests::saw(error.kind());
    assert_eq!(held.len(), 5);
    held.pop();
    held.push(Statistics::enable().unwrap());
}

/// Names that are none, too.
fn sections() {
    for (section, kind, attach_type) in [
        ("kprobe/do_unlinkat", ProgramType::Kprobe, 0),
        ("xdp", ProgramType::Xdp, 37),
        ("xdp.frags", ProgramType::Xdp, 37),
        ("cgroup_skb/egress", ProgramType::CgroupSkb, 1),
        ("fentry/x", ProgramType::Tracing, 24),
        ("raw_tp/sys_enter", ProgramType::RawTracepoint, 0),
    ] {
        let found = kind_of_section(section).unwrap_or_else(|| panic!("{section}"));
        assert_eq!(
            format!("{:?}", found.type_),
            format!("{kind:?}"),
            "{section}"
        );
        assert_eq!(found.expected_attach_type, attach_type, "{section}");
    }
    for section in ["", "no_such_section", "kprobe\0", "/", &"x".repeat(100_000)] {
        assert!(kind_of_section(section).is_none());
    }
}
