//! Events that are counted and sampled, and programs at their samples.

use std::time::{Duration, Instant};

use conformance_guests::{
    assert_fails, cpus, failure, holds, is_gone, link_id, number, pull, trigger,
};
use wasm_bpf_guest::{
    BreakpointAccess, BreakpointEvent, Cache, CacheEvent, CacheOperation, CacheResult, ErrorKind,
    HardwareEvent, LinkDetails, LinkType, PerfEvent, PerfEventOptions, PerfEventOpts,
    PerfEventType, SoftwareEvent, TracepointEvent, UnitEvent,
};

conformance_guests::guest!();

fn load(programs: &[&str]) -> case::CaseSkel {
    let mut open = case::CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    for program in programs {
        let program = open.open.program(program).unwrap();
        program.set_autoload(true).unwrap();
    }
    open.load().unwrap()
}

/// Of the trigger's thread. It sleeps after each order, so that each has a context switch at least.
fn of_trigger() -> PerfEventOptions {
    PerfEventOptions::new().process(trigger().0)
}

fn switches(options: PerfEventOptions) -> PerfEvent {
    PerfEvent::open(SoftwareEvent::ContextSwitches, &options).unwrap()
}

/// Orders, each of which is one of its own.
fn pull_times(count: u64) {
    for _ in 0..count {
        pull(1);
    }
}

fn samples() {
    let skel = load(&["on_sample"]);
    let event = switches(of_trigger().sample_period(1).disabled(true));
    pull_times(3);
    assert_eq!(event.read().unwrap().value, 0);
    let link = skel.progs.on_sample.attach_perf_event(&event).unwrap();
    holds(&skel.object, &[]);
    let seen = || skel.bss.samples.get().unwrap();
    pull_times(5);
    let first = seen();
    assert!(first >= 4, "{first} samples of five switches");
    assert_eq!(skel.bss.of_trigger.get().unwrap(), first);
    drop(event);
    pull_times(5);
    assert!(seen() >= first + 4, "{} after {first}", seen());
    drop(link);
    let last = seen();
    pull_times(5);
    assert_eq!(seen(), last, "the link is gone");
}

/// A CPU's clock runs while somebody runs there.
fn clock() {
    let skel = load(&["on_sample"]);
    let links = cpus()
        .into_iter()
        .map(|cpu| {
            let options = PerfEventOptions::new()
                .cpu(cpu as u32)
                .sample_frequency(99)
                .exclude_idle(true)
                .exclude_hypervisor(true)
                .disabled(true);
            let event = PerfEvent::open(SoftwareEvent::CpuClock, &options).unwrap();
            skel.progs.on_sample.attach_perf_event(&event).unwrap()
        })
        .collect::<Vec<_>>();
    let start = Instant::now();
    while skel.bss.of_trigger.get().unwrap() == 0 {
        pull(20_000);
        assert!(start.elapsed() < Duration::from_secs(30), "no sample");
    }
    drop(links);
    let last = skel.bss.samples.get().unwrap();
    pull(20_000);
    assert_eq!(skel.bss.samples.get().unwrap(), last);
}

fn orders() {
    let skel = load(&["on_sample"]);
    let event = switches(of_trigger().sample_period(1));
    let link = skel.progs.on_sample.attach_perf_event(&event).unwrap();
    let info = link.info().unwrap().unwrap();
    assert!(matches!(info.type_, LinkType::PerfEvent), "{info:?}");
    assert_eq!(info.program_id, skel.progs.on_sample.info().unwrap().id);
    holds(&skel.object, &[&link]);
    let samples = skel.bss.samples;
    drop((skel.progs, skel.object, skel.maps, event));
    let before = samples.get().unwrap();
    pull_times(3);
    assert!(samples.get().unwrap() > before);
    let id = link_id(&link);
    drop(link);
    is_gone(&id);
}

fn info() {
    /// PERF_TYPE_SOFTWARE and PERF_COUNT_SW_CONTEXT_SWITCHES
    const EVENT: (u32, u64) = (1, 3);
    let skel = load(&["on_sample"]);
    let event = switches(of_trigger().sample_period(1));
    let opts = PerfEventOpts { cookie: 77 };
    let program = &skel.progs.on_sample;
    let link = program.attach_perf_event_with_opts(&event, opts).unwrap();
    match link.info().unwrap().unwrap().details {
        LinkDetails::Event(details) => {
            assert_eq!((details.type_, details.config), EVENT);
            assert_eq!(details.cookie, opts.cookie);
        }
        other => panic!("{other:?}"),
    }
    assert!(link.filter_place().is_none());
}

fn cookie() {
    let skel = load(&["reads_cookie"]);
    let event = switches(of_trigger().sample_period(1));
    let opts = PerfEventOpts {
        cookie: 0x1234_5678_9abc_def0,
    };
    let program = &skel.progs.reads_cookie;
    let _link = program.attach_perf_event_with_opts(&event, opts).unwrap();
    pull_times(3);
    assert_eq!(skel.bss.cookie.get().unwrap(), opts.cookie);
}

fn one_program() {
    let skel = load(&["on_sample", "on_sample_too"]);
    let event = switches(of_trigger().sample_period(1));
    let link = skel.progs.on_sample.attach_perf_event(&event).unwrap();
    assert_fails!(
        skel.progs.on_sample_too.attach_perf_event(&event),
        ErrorKind::AlreadyExists,
        "on_sample_too",
        "context-switches"
    );
    pull_times(3);
    assert!(skel.bss.samples.get().unwrap() > 0);
    assert_eq!(skel.bss.others.get().unwrap(), 0);
    drop(link);
}

fn counts() {
    let event = switches(of_trigger().disabled(true));
    let value = || event.read().unwrap().value;
    pull_times(3);
    let count = event.read().unwrap();
    assert_eq!((count.value, count.enabled, count.running), (0, 0, 0));
    event.enable().unwrap();
    pull_times(5);
    let count = event.read().unwrap();
    assert!(count.value >= 4, "{count:?}");
    assert!(count.enabled > 0 && count.running > 0, "{count:?}");
    event.disable().unwrap();
    let last = value();
    pull_times(5);
    assert_eq!(value(), last);
    event.reset().unwrap();
    assert_eq!(value(), 0);
    event.enable().unwrap();
    pull_times(3);
    assert!(value() > 0);
}

/// The kernel is where tasks are switched.
fn left_out() {
    let all = switches(
        of_trigger()
            .exclude_user(true)
            .exclude_guest(true)
            .inherit(true),
    );
    let none = switches(of_trigger().exclude_kernel(true));
    // All flags at once are something the kernel takes, or says why not.
    let every = of_trigger()
        .exclude_user(true)
        .exclude_kernel(true)
        .exclude_host(true)
        .exclude_guest(true);
    let nothing = switches(every);
    pull_times(5);
    assert!(all.read().unwrap().value >= 4);
    assert_eq!(none.read().unwrap().value, 0);
    assert_eq!(nothing.read().unwrap().value, 0);
}

fn tracepoint() {
    let skel = load(&["on_tracepoint", "on_sample"]);
    let named = |category: &str, name: &str| TracepointEvent {
        category: category.to_owned(),
        name: name.to_owned(),
    };
    let enter = named("raw_syscalls", "sys_enter");
    let event = PerfEvent::open(enter.clone(), &of_trigger().disabled(true)).unwrap();
    let program = &skel.progs.on_tracepoint;
    let link = program.attach_perf_event(&event).unwrap();
    pull(7);
    let seen = || skel.bss.of_trigger.get().unwrap();
    assert!(seen() >= 7, "{} of 7", seen());
    // Of another kind than the event takes, though of a kind that events take.
    let sampled = PerfEvent::open(enter, &of_trigger().sample_period(1)).unwrap();
    assert_fails!(
        skel.progs.on_sample.attach_perf_event(&sampled),
        ErrorKind::InvalidArgument,
        "on_sample"
    );
    drop(link);
    drop(event);
    let last = seen();
    pull(7);
    assert_eq!(seen(), last);
    for (category, name) in [("sched", "no_such_tracepoint"), ("no_such_folder", "x")] {
        assert_fails!(
            PerfEvent::open(named(category, name), &of_trigger()),
            ErrorKind::NotFound,
            name
        );
    }
    for (category, name) in [("..", "x"), ("sched/..", "x"), ("", ""), ("sched", "a\0b")] {
        assert_fails!(
            PerfEvent::open(named(category, name), &of_trigger()),
            ErrorKind::InvalidArgument
        );
    }
}

fn breakpoint() {
    let at = |address, length, access| BreakpointEvent {
        address,
        length,
        access,
    };
    let accesses = BreakpointAccess::READ | BreakpointAccess::WRITE;
    // Of the first page, which nobody has.
    let event = PerfEvent::open(at(8, 8, accesses), &of_trigger()).unwrap();
    pull_times(2);
    assert_eq!(event.read().unwrap().value, 0);
    for wrong in [
        at(8, 3, accesses),
        at(8, u32::MAX, accesses),
        at(8, 8, BreakpointAccess::empty()),
    ] {
        assert_fails!(
            PerfEvent::open(wrong, &of_trigger()),
            ErrorKind::InvalidArgument,
            "0x8"
        );
    }
}

/// The kernel's own events are those of a unit, too: 3 are the context switches.
fn unit() {
    let unit = |unit: &str, config| UnitEvent {
        unit: unit.to_owned(),
        config,
    };
    // What is recorded with a sample goes nowhere, and harms nothing.
    const SAMPLE_IP: u64 = 1;
    const SAMPLE_ADDR: u64 = 1 << 3;
    let options = of_trigger()
        .more_config(0, 0)
        .precision(0)
        .sample_type(SAMPLE_IP | SAMPLE_ADDR)
        .branch_sample_type(0);
    let event = PerfEvent::open(unit("software", 3), &options).unwrap();
    pull_times(5);
    assert!(event.read().unwrap().value >= 4);
    failure(PerfEvent::open(unit("software", 9999), &of_trigger()));
}

fn hardware() {
    let event = PerfEvent::open(HardwareEvent::Instructions, &of_trigger()).unwrap();
    pull(1000);
    assert!(event.read().unwrap().value > 1000);
    let cache = CacheEvent {
        cache: Cache::L1Data,
        operation: CacheOperation::Read,
        result: CacheResult::Access,
    };
    if let Ok(event) = PerfEvent::open(cache, &of_trigger()) {
        pull(1000);
        assert!(event.read().unwrap().value > 0);
    }
}

fn wrong() {
    let clock = SoftwareEvent::CpuClock;
    let thread = trigger().0;
    let cases = [
        // Neither a process nor a CPU.
        (PerfEventOptions::new(), ErrorKind::InvalidArgument),
        // Of the host itself, were it to get to the kernel.
        (
            PerfEventOptions::new().process(0),
            ErrorKind::InvalidArgument,
        ),
        (
            PerfEventOptions::new().process(0).cpu(0),
            ErrorKind::InvalidArgument,
        ),
        (
            PerfEventOptions::new().process(u32::MAX),
            ErrorKind::NoSuchProcess,
        ),
        (
            PerfEventOptions::new().process(u32::MAX >> 1),
            ErrorKind::NoSuchProcess,
        ),
        (
            PerfEventOptions::new().cpu(u32::MAX),
            ErrorKind::NoSuchDevice,
        ),
        (
            PerfEventOptions::new().cpu(number::<u32>("possible-cpus")),
            ErrorKind::NoSuchDevice,
        ),
        (
            PerfEventOptions::new()
                .process(thread)
                .sample_period(1)
                .sample_frequency(1),
            ErrorKind::InvalidArgument,
        ),
        (
            PerfEventOptions::new()
                .process(thread)
                .sample_frequency(u64::MAX),
            ErrorKind::InvalidArgument,
        ),
        (
            PerfEventOptions::new()
                .process(thread)
                .sample_period(u64::MAX),
            ErrorKind::InvalidArgument,
        ),
        (
            PerfEventOptions::new().process(thread).precision(255),
            ErrorKind::InvalidArgument,
        ),
        (
            PerfEventOptions::new()
                .process(thread)
                .sample_type(u64::MAX),
            ErrorKind::InvalidArgument,
        ),
    ];
    for (index, (options, kind)) in cases.iter().enumerate() {
        let error = failure(PerfEvent::open(clock, options));
        assert_eq!(
            format!("{:?}", error.kind()),
            format!("{kind:?}"),
            "case {index}: {error}"
        );
        assert!(error.to_string().contains("cpu-clock"), "{error}");
    }
    let error = failure(PerfEvent::open(
        clock,
        &PerfEventOptions::new()
            .process(thread)
            .sample_frequency(u64::MAX),
    ));
    assert!(
        error.to_string().contains("perf_event_max_sample_rate"),
        "{error}"
    );
    // A number that no kernel has.
    assert_fails!(
        PerfEvent::open(SoftwareEvent::Other(u64::MAX), &of_trigger()),
        ErrorKind::NotFound | ErrorKind::InvalidArgument
    );
    let unit = |unit: &str| {
        PerfEventType::Unit(UnitEvent {
            unit: unit.to_owned(),
            config: 0,
        })
    };
    // Their configuration is an address of the host's memory.
    for probe in ["kprobe", "uprobe"] {
        let options = of_trigger().more_config(0x1000, 0x1000);
        assert_fails!(
            PerfEvent::open(unit(probe), &options),
            ErrorKind::NotSupported,
            probe
        );
    }
    for forged in [
        "",
        ".",
        "..",
        "./kprobe",
        "kprobe/",
        "../devices/uprobe",
        "a\0b",
    ] {
        assert_fails!(
            PerfEvent::open(unit(forged), &of_trigger()),
            ErrorKind::InvalidArgument
        );
    }
    assert_fails!(
        PerfEvent::open(unit("no-such-unit"), &of_trigger()),
        ErrorKind::NotFound,
        "no-such-unit"
    );
}

fn wrong_program() {
    let skel = load(&["on_sample", "of_another_kind"]);
    let sampled = switches(of_trigger().sample_period(1));
    assert_fails!(
        skel.progs.of_another_kind.attach_perf_event(&sampled),
        ErrorKind::InvalidArgument,
        "of_another_kind",
        "raw-tracepoint"
    );
    let counted = switches(of_trigger());
    assert_fails!(
        skel.progs.on_sample.attach_perf_event(&counted),
        ErrorKind::InvalidArgument,
        "on_sample",
        "context-switches"
    );
}

fn limit_links() {
    let skel = load(&["on_sample"]);
    let program = &skel.progs.on_sample;
    let event = switches(of_trigger().sample_period(1));
    let other = switches(of_trigger().sample_period(1));
    let link = program.attach_perf_event(&event).unwrap();
    assert_fails!(
        program.attach_perf_event(&other),
        ErrorKind::LimitExceeded,
        "links"
    );
    drop(link);
    let _link = program.attach_perf_event(&other).unwrap();
}

fn limit_descriptors() {
    let mut events = Vec::new();
    let error = loop {
        match PerfEvent::open(SoftwareEvent::ContextSwitches, &of_trigger()) {
            Ok(event) => events.push(event),
            Err(error) => break error,
        }
    };
    assert_fails!(Err::<(), _>(error), ErrorKind::LimitExceeded, "descriptors");
    assert_eq!(events.len(), 16);
    events.pop();
    events.push(switches(of_trigger()));
}
