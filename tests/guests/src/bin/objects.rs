//! Objects, programs and links: what is set before load, who keeps what alive, and what the policy and the kernel refuse.

use test_guests::{assert_fails, case, no_such_case, say, say_what_is_held, trigger};
use wasm_bpf_guest::zerocopy::FromBytes as _;
use wasm_bpf_guest::{
    ErrorKind, LinkType, MapCore as _, MapHandle, MapType, Object, ObjectBuilder, OpenObject,
    ProgramType, RawTracepointOpts, Result, RingBufferBuilder,
};

wasm_bpf_guest::include_skeleton!("calls");
wasm_bpf_guest::include_skeleton!("refused");
use calls::types::call;
use calls::{CallsSkel, CallsSkelBuilder, OpenCallsSkel};

fn main() {
    let (case, args) = case();
    let arg = |index: usize| args.get(index).map(String::as_str).unwrap_or_default();
    match case.as_str() {
        "variables" => variables(),
        "global-data-is-fixed" => global_data_is_fixed(),
        "declarations" => declarations(),
        "unknown-names" => unknown_names(),
        "links-outlive" => links_outlive(),
        "dropped-link" => dropped_link(),
        "refused-links" => refused_links(),
        "attach" => attach(),
        "tracepoint" => tracepoint(),
        "no-tracefs" => no_tracefs(),
        "info" => info(),
        "not-granted" => not_granted(arg(0), arg(1)),
        "granted" => granted(arg(0)),
        "foreign-maps" => foreign_maps(),
        "broken-elf" => broken_elf(),
        "changed-elf" => changed_elf(arg(0).parse().unwrap(), arg(1).parse().unwrap()),
        "rejected" => rejected(),
        "wrong-field" => wrong_field(),
        "right-field" => right_field(),
        "no-btf" => no_btf(),
        "not-permitted" => not_permitted(),
        "limits" => limits(),
        _ => no_such_case(&case),
    }
}

fn open() -> OpenCallsSkel {
    let mut open = CallsSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open
}

fn attached() -> CallsSkel {
    let mut skel = open().load().unwrap();
    skel.attach().unwrap();
    skel
}

/// How many calls the program counted. Asking is a call itself, and is counted before it is answered.
fn count(map: &dyn wasm_bpf_guest::MapCore) -> u64 {
    let value = map.lookup(&[0; 4]).unwrap().unwrap();
    u64::from_ne_bytes(value.try_into().unwrap())
}

fn is_counting(map: &dyn wasm_bpf_guest::MapCore) -> bool {
    let before = count(map);
    let after = count(map);
    assert!(after == before || after == before + 1, "{before} {after}");
    after == before + 1
}

fn last_call(skel: &CallsSkel) -> call {
    let last = std::cell::Cell::new(None);
    let mut builder = RingBufferBuilder::new();
    builder
        .add(&skel.maps.ring, |bytes| {
            last.set(Some(call::read_from_bytes(bytes).unwrap()));
            0
        })
        .unwrap();
    let ring = builder.build().unwrap();
    count(&skel.maps.count);
    ring.consume().unwrap();
    drop(ring);
    last.into_inner().expect("a call was counted")
}

/// The program sees what its source says, and what is set before load.
fn variables() {
    let skel = attached();
    let seen = last_call(&skel);
    assert_eq!((seen.rodata, seen.data, seen.bss), (1, 2, 0));
    drop(skel);
    let mut open = open();
    assert_eq!(open.rodata.from_rodata, 1);
    assert_eq!(open.data.from_data, 2);
    assert_eq!(open.bss.from_bss, 0);
    open.rodata.from_rodata = 0x1111_2222_3333_4444;
    open.data.from_data = 55;
    open.bss.from_bss = u64::MAX;
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    let seen = last_call(&skel);
    assert_eq!(
        (seen.rodata, seen.data, seen.bss),
        (0x1111_2222_3333_4444, 55, u64::MAX)
    );
    // After load they are maps: what can be written is seen too, and what cannot is refused.
    let data = skel.object.map(".data").unwrap();
    let mut value = data.lookup(&[0; 4]).unwrap().unwrap();
    let at = value
        .chunks_exact(8)
        .position(|word| word == 55u64.to_ne_bytes())
        .unwrap();
    value[at * 8..][..8].copy_from_slice(&66u64.to_ne_bytes());
    data.update(&[0; 4], &value, Default::default()).unwrap();
    assert_eq!(last_call(&skel).data, 66);
    let rodata = skel.object.map(".rodata").unwrap();
    let value = rodata.lookup(&[0; 4]).unwrap().unwrap();
    assert_fails!(
        rodata.update(&[0; 4], &value, Default::default()),
        ErrorKind::NotPermitted
    );
}

/// libbpf laid global data out when it opened the object: another shape would reach past it.
fn global_data_is_fixed() {
    let open = ObjectBuilder::new().open_memory(calls::DATA).unwrap();
    for name in [".rodata", ".data", ".bss"] {
        let map = open.map(name).unwrap();
        let length = map.value_size().unwrap();
        for result in [
            map.set_type(MapType::Hash),
            map.set_key_size(8),
            map.set_value_size(1 << 20),
            map.set_value_size(0),
            map.set_max_entries(2),
            map.set_map_flags(0),
            map.set_map_extra(1),
        ] {
            let error = assert_fails!(result, ErrorKind::InvalidArgument, name, "global data");
            assert_eq!(error.subject(), Some(name));
        }
        assert_eq!(map.value_size().unwrap(), length);
        let contents = map.initial_value().unwrap();
        assert_eq!(contents.len(), length as usize);
        map.set_initial_value(&contents).unwrap();
        map.set_initial_value_at(length, &[]).unwrap();
        map.set_initial_value_at(length - 1, &[0]).unwrap();
        let too_long = vec![0; contents.len() + 1];
        for (offset, data) in [
            (0, too_long.as_slice()),
            (length - 1, &[0; 2]),
            (length, &[0]),
            (u32::MAX, &[0]),
            (u32::MAX, &[]),
            (u32::MAX - 1, &contents),
        ] {
            let error = assert_fails!(
                map.set_initial_value_at(offset, data),
                ErrorKind::WrongSize,
                name
            );
            assert_eq!(error.subject(), Some(name));
        }
    }
    let ring = open.map("ring").unwrap();
    assert_fails!(ring.initial_value(), ErrorKind::InvalidArgument, "`ring`");
    assert_fails!(ring.set_initial_value(&[0]), ErrorKind::InvalidArgument);
}

fn declarations() {
    let mut builder = ObjectBuilder::new();
    let open = builder.name("my.object").open_memory(calls::DATA).unwrap();
    assert_eq!(open.name(), "my.object");
    let names = open.maps().map(|map| map.name().to_owned());
    let names = names.collect::<Vec<_>>();
    for name in ["ring", "count", ".rodata", ".data", ".bss"] {
        assert!(names.iter().any(|known| known == name), "{names:?}");
    }
    let program = open.program("on_enter").unwrap();
    assert_eq!(program.section().unwrap(), "raw_tp/sys_enter");
    assert!(matches!(
        program.prog_type().unwrap(),
        ProgramType::RawTracepoint
    ));
    assert!(program.autoload().unwrap());
    assert!(program.insn_cnt().unwrap() > 0);
    assert!(!open.program("anywhere").unwrap().autoload().unwrap());
    let map = open.map("count").unwrap();
    assert_eq!((map.key_size().unwrap(), map.value_size().unwrap()), (4, 8));
    map.set_type(MapType::Hash).unwrap();
    map.set_max_entries(7).unwrap();
    map.set_value_size(16).unwrap();
    map.set_map_flags(1).unwrap();
    let object = open.load().unwrap();
    assert_eq!(object.name(), "my.object");
    let info = object.map("count").unwrap().info().unwrap();
    assert!(matches!(info.type_, MapType::Hash));
    assert_eq!((info.max_entries, info.value_size), (7, 16));
    assert_eq!(info.flags, 1);
    // What belongs to the time before load says so.
    assert_fails!(map.set_max_entries(1), ErrorKind::InvalidArgument, "loaded");
    for name in ["", "a b", "é", &"x".repeat(64)] {
        assert_fails!(
            ObjectBuilder::new().name(name).open_memory(calls::DATA),
            ErrorKind::InvalidArgument
        );
    }
    assert_fails!(
        ObjectBuilder::new()
            .verifier_log_level(8)
            .open_memory(calls::DATA),
        ErrorKind::InvalidArgument
    );
}

fn unknown_names() {
    let open = ObjectBuilder::new().open_memory(calls::DATA).unwrap();
    assert_fails!(open.map("no_such"), ErrorKind::NotFound, "`no_such`");
    assert_fails!(open.program("no_such"), ErrorKind::NotFound, "`no_such`");
    let object = open.load().unwrap();
    assert_fails!(object.map("no_such"), ErrorKind::NotFound, "`no_such`");
    assert_fails!(object.program("no_such"), ErrorKind::NotFound);
    assert_fails!(object.program("anywhere"), ErrorKind::NotFound);
    let names = object.progs().map(|program| program.name().to_owned());
    assert_eq!(names.collect::<Vec<_>>(), ["on_enter"]);
}

/// A link needs nobody: it delivers after everything else was dropped.
fn links_outlive() {
    let CallsSkel {
        object,
        maps,
        progs,
        mut links,
        ..
    } = attached();
    let link = links.on_enter.take().unwrap();
    say_what_is_held(&object, &[&link]);
    // A second handle to a map, and a ring buffer: neither is the object's.
    let counter = MapHandle::try_from(&maps.count).unwrap();
    let received = std::cell::Cell::new(0);
    let mut builder = RingBufferBuilder::new();
    builder
        .add(&maps.ring, |_| {
            received.set(received.get() + 1);
            0
        })
        .unwrap();
    let ring = builder.build().unwrap();
    drop(object);
    assert!(is_counting(&counter));
    drop(progs);
    assert!(is_counting(&counter));
    drop(maps);
    drop(links);
    ring.consume().unwrap();
    let before = received.get();
    assert!(before >= 4, "{before}");
    assert!(is_counting(&counter));
    ring.consume().unwrap();
    assert_eq!(received.get(), before + 2);
    assert!(link.info().unwrap().is_some());
    drop(link);
    assert!(!is_counting(&counter));
    // The map lives on, and in the other order: ring first.
    drop(ring);
    assert!(count(&counter) > 0);
}

fn dropped_link() {
    let mut skel = attached();
    let first = skel.links.on_enter.take().unwrap();
    let second = skel.progs.on_enter.attach().unwrap();
    let id = |link: &wasm_bpf_guest::Link| link.info().unwrap().unwrap().id;
    assert_ne!(id(&first), id(&second), "two links of one program");
    say(format_args!("holds link={}", id(&first)));
    test_guests::hear("it is there");
    assert_eq!(count(&skel.maps.count) + 2, count(&skel.maps.count));
    drop(first);
    say("dropped");
    test_guests::hear("it is gone");
    assert!(is_counting(&skel.maps.count), "the other one is attached");
    drop(second);
    assert!(!is_counting(&skel.maps.count));
    // The program is still there, and can be attached again.
    let _third = skel.progs.on_enter.attach().unwrap();
    assert!(is_counting(&skel.maps.count));
}

fn refused_links() {
    let skel = open().load().unwrap();
    let program = &skel.progs.on_enter;
    assert_fails!(
        program.attach_raw_tracepoint("no_such_tracepoint"),
        ErrorKind::NotFound,
        "no_such_tracepoint",
        "`on_enter`"
    );
    for name in ["", "..", "a/b", "../../etc", "a b", "a\0b"] {
        assert_fails!(
            program.attach_raw_tracepoint(name),
            ErrorKind::InvalidArgument
        );
    }
    // Of another kind.
    assert_fails!(
        program.attach_tracepoint("sched", "sched_switch"),
        ErrorKind::InvalidArgument,
        "raw-tracepoint"
    );
    assert!(skel.progs.anywhere.is_absent());
    assert_fails!(skel.progs.anywhere.attach(), ErrorKind::NotFound);
    assert!(!is_counting(&skel.maps.count));
}

/// A section without a target is nothing that fails; a target can be named.
fn attach() {
    let open = open();
    open.progs.on_enter.set_autoload(false).unwrap();
    open.progs.anywhere.set_autoload(true).unwrap();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    let program = &skel.progs.anywhere;
    assert!(program.auto_attach().unwrap().is_none());
    assert_fails!(program.attach(), ErrorKind::NotSupported, "`anywhere`");
    assert!(!is_counting(&skel.maps.count));
    let link = program.attach_raw_tracepoint("sys_enter").unwrap();
    assert!(is_counting(&skel.maps.count));
    drop(link);
    let opts = RawTracepointOpts::default();
    let _link = program
        .attach_raw_tracepoint_with_opts("sys_enter", opts)
        .unwrap();
    assert!(is_counting(&skel.maps.count));
}

fn tracepoint() {
    let open = open();
    open.progs.on_enter.set_autoload(false).unwrap();
    open.progs.on_tracepoint.set_autoload(true).unwrap();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    assert!(is_counting(&skel.maps.count));
    skel.links.on_tracepoint.take();
    assert!(!is_counting(&skel.maps.count));
    let program = &skel.progs.on_tracepoint;
    let link = program
        .attach_tracepoint("raw_syscalls", "sys_enter")
        .unwrap();
    assert!(is_counting(&skel.maps.count));
    drop(link);
    assert_fails!(
        program.attach_tracepoint("raw_syscalls", "no_such"),
        ErrorKind::NotFound,
        "raw_syscalls/no_such"
    );
    assert_fails!(
        program.attach_tracepoint("..", "sys_enter"),
        ErrorKind::InvalidArgument
    );
}

fn no_tracefs() {
    let open = open();
    open.progs.on_tracepoint.set_autoload(true).unwrap();
    let skel = open.load().unwrap();
    assert_fails!(
        skel.progs.on_tracepoint.attach(),
        ErrorKind::NotFound,
        "mount -t tracefs"
    );
}

fn info() {
    let skel = attached();
    let program = skel.progs.on_enter.info().unwrap();
    assert_eq!(program.name, "on_enter");
    assert_eq!(program.section, "raw_tp/sys_enter");
    assert!(matches!(program.type_, ProgramType::RawTracepoint));
    assert!(program.instructions > 0 && program.tag != 0);
    let link = skel.links.on_enter.as_ref().unwrap();
    let link = link.info().unwrap().unwrap();
    assert!(matches!(link.type_, LinkType::RawTracepoint));
    assert_eq!(link.program_id, program.id);
    let map = skel.object.map(".rodata").unwrap().info().unwrap();
    assert_eq!(map.name, ".rodata");
    say_what_is_held(&skel.object, &[skel.links.on_enter.as_ref().unwrap()]);
}

/// The object with everything that needs a grant; `wanted` is switched on.
fn refused_object(wanted: &str) -> OpenObject {
    let open = ObjectBuilder::new().open_memory(refused::DATA).unwrap();
    for map in ["devices", "wasm_bpf_test_pin"] {
        open.map(map)
            .unwrap()
            .set_autocreate(map == wanted)
            .unwrap();
    }
    if let Ok(program) = open.program(wanted) {
        program.set_autoload(true).unwrap();
    }
    open
}

fn not_granted(wanted: &str, grant: &str) {
    let error = assert_fails!(
        refused_object(wanted).load(),
        ErrorKind::NotGranted,
        format!("`{wanted}`").as_str(),
        format!("--allow {grant}").as_str()
    );
    assert_eq!(error.subject(), Some(wanted));
    assert_eq!(error.errno(), None, "the host refused, not the kernel");
}

fn granted(wanted: &str) {
    let object = refused_object(wanted).load().unwrap();
    let found = object.map(wanted).is_ok() || object.program(wanted).is_ok();
    assert!(found);
    say_what_is_held(&object, &[]);
}

/// A load of a 64-bit number, as the compiler wrote it, and where it is in the object.
fn position_of_big_number() -> usize {
    const NUMBER: u64 = 0x1122_3344_5566_7788;
    let [a, b, c, d, e, f, g, h] = NUMBER.to_le_bytes();
    let at = refused::DATA.windows(16).position(|window| {
        window[0] == 0x18 && window[4..8] == [a, b, c, d] && window[12..] == [e, f, g, h]
    });
    at.expect("the number is in the object")
}

/// The object with that load made into a reference: to a map, by a number that no relocation put there.
fn with_reference(kind: u8, number: i32) -> Result<Object> {
    let at = position_of_big_number();
    let mut elf = refused::DATA.to_vec();
    // The kind is in the upper half of the registers' byte.
    elf[at + 1] = elf[at + 1] & 0x0f | kind << 4;
    elf[at + 4..at + 8].copy_from_slice(&number.to_le_bytes());
    elf[at + 12..at + 16].fill(0);
    let open = ObjectBuilder::new().open_memory(&elf)?;
    // Without maps of its own no descriptor is the object's.
    for map in ["devices", "wasm_bpf_test_pin", "numbers"] {
        open.map(map)?.set_autocreate(false)?;
    }
    open.program("big_number")?.set_autoload(true)?;
    open.load()
}

/// A descriptor of the host in an instruction would be another component's map.
fn foreign_maps() {
    // As a number it is none.
    with_reference(0, 1).unwrap();
    // A map outside the object has a descriptor in the host, too. Which one is not said, so all that it can be are tried.
    let _map = MapHandle::create(MapType::Array, "own", 4, 8, 1, 0).unwrap();
    // BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE, BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE
    for kind in [1, 2, 5, 6] {
        for number in (0..24).chain([-1, i32::MAX]) {
            let error = assert_fails!(
                with_reference(kind, number),
                ErrorKind::Malformed,
                "`big_number`"
            );
            assert_eq!(error.subject(), Some("big_number"));
        }
    }
}

fn broken_elf() {
    let open = |elf: &[u8]| ObjectBuilder::new().open_memory(elf);
    let good = calls::DATA;
    for broken in [&[][..], b"\x7fELF", b"no ELF file at all", &good[..100]] {
        assert_fails!(open(broken), ErrorKind::Malformed, "`object`");
    }
    // Cut off anywhere, it is either refused or as good as the whole; the host goes on in any case.
    let mut refused = 0;
    for length in (0..good.len()).step_by(97) {
        refused += usize::from(open(&good[..length]).is_err());
    }
    assert!(refused > 0);
    // For another machine.
    let mut other = good.to_vec();
    other[18] = 62;
    assert_fails!(open(&other), ErrorKind::Malformed);
    open(good).unwrap().load().unwrap();
}

/// Bytes changed one after the other. What opens may load or not; the host goes on in any case.
fn changed_elf(mask: u8, step: usize) {
    let mut opened = 0;
    let mut loaded = 0;
    for at in (0..calls::DATA.len()).step_by(step) {
        let mut changed = calls::DATA.to_vec();
        changed[at] ^= mask;
        if let Ok(open) = ObjectBuilder::new().open_memory(&changed) {
            opened += 1;
            loaded += usize::from(open.load().is_ok());
        }
    }
    say(format_args!("opened={opened} loaded={loaded}"));
    // The host is as good as before.
    ObjectBuilder::new()
        .open_memory(calls::DATA)
        .unwrap()
        .load()
        .unwrap();
}

fn rejected() {
    let error = assert_fails!(
        refused_object("careless").load(),
        ErrorKind::RejectedByVerifier,
        "`careless`",
        // The end of the log.
        "map_value_or_null"
    );
    assert_eq!(error.subject(), Some("careless"));
    assert!(error.errno().is_some());
    let log = error.verifier_log().unwrap();
    assert!(log.contains("bpf_map_lookup_elem"), "{log}");
    assert!(log.contains("processed "), "{log}");
    assert!(log.len() <= 64 << 10);
    assert!(!format!("{error}").contains(log.trim_end()));
    assert!(format!("{error:#}").contains(log.trim_end()));
}

fn wrong_field() {
    let error = assert_fails!(
        refused_object("wrong_field").load(),
        ErrorKind::NotSupported,
        "`wrong_field`",
        "struct task_struct.no_such_field",
        "bpf_core_field_exists"
    );
    assert_eq!(error.subject(), Some("wrong_field"));
}

fn right_field() {
    refused_object("right_field").load().unwrap();
}

/// Run where the kernel shows no BTF.
fn no_btf() {
    let error = test_guests::failure(refused_object("right_field").load());
    for part in ["BTF", "--btf"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    say(error);
}

/// Run without capabilities.
fn not_permitted() {
    let map = MapHandle::create(MapType::Hash, "tested", 4, 4, 1, 0);
    assert_fails!(map, ErrorKind::NotPermitted, "CAP_BPF", "root");
    let error = assert_fails!(
        refused_object("right_field").load(),
        ErrorKind::NotPermitted | ErrorKind::AccessDenied,
        "CAP_BPF",
        "root"
    );
    eprintln!("{error}");
    wasm_bpf_guest::exit(1);
}

/// Run with `--limit programs=1 --limit links=1`.
fn limits() {
    let skel = open().load().unwrap();
    assert_fails!(open().load(), ErrorKind::LimitExceeded, "programs=1");
    let first = skel.progs.on_enter.attach().unwrap();
    assert_fails!(
        skel.progs.on_enter.attach(),
        ErrorKind::LimitExceeded,
        "links=1",
        "`on_enter`"
    );
    drop(first);
    let second = skel.progs.on_enter.attach().unwrap();
    // Dropping the object gives nothing back as long as a link of it lives.
    drop(skel);
    assert_fails!(open().load(), ErrorKind::LimitExceeded, "programs=1");
    drop(second);
    open().load().unwrap();
}
