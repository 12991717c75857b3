//! What an object declares, what is set before load, and what the kernel has of it afterwards.

use conformance_guests::raw::objects::{OpenObject, OpenOptions};
use conformance_guests::raw::types::{Error, ErrorCode, MapType as RawMapType};
use conformance_guests::{assert_code, assert_fails, pull, raw, trigger};
use wasm_bpf_guest::zerocopy::FromBytes as _;
use wasm_bpf_guest::{
    ErrorKind, MapCore as _, MapFlags, MapType, Object, ObjectBuilder, ProgramType,
};

conformance_guests::guest!();
use case::types::seen;
use case::{CaseSkel, CaseSkelBuilder, OpenCaseSkel};

const NO_PREALLOC: u32 = 1;
const STRICT_ALIGNMENT: u32 = 1;
const CGROUP_INET_INGRESS: u32 = 0;
const CGROUP_INET_EGRESS: u32 = 1;
const TRACE_RAW_TP: u32 = 23;

/// The object; its pinned map would need a grant.
fn open() -> OpenCaseSkel {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open.maps.pinned_map.set_autocreate(false).unwrap();
    open
}

/// The same as the interface itself has it.
fn open_raw() -> OpenObject {
    OpenObject::open(case::DATA, &OpenOptions::new()).unwrap()
}

/// The object with one of the programs that are off, and only that.
fn with_program(name: &str) -> OpenCaseSkel {
    let open = open();
    open.progs.on_enter.set_autoload(false).unwrap();
    let program = open.open.program(name).unwrap();
    program.set_autoload(true).unwrap();
    open
}

fn last_seen(object: &Object) -> seen {
    let map = object.map("seen").unwrap();
    let value = map.lookup(&[0; 4]).unwrap().unwrap();
    seen::read_from_bytes(&value).unwrap()
}

/// An object is called as it is told to be.
fn names() {
    let mut builder = ObjectBuilder::new();
    let named = builder.name("my.object");
    assert_fails!(
        named.open_memory(b"no object"),
        ErrorKind::Malformed,
        "my.object"
    );
    let open = named.open_memory(case::DATA).unwrap();
    assert_eq!(open.name(), "my.object");
    let pinned = open.map("pinned_map").unwrap();
    pinned.set_autocreate(false).unwrap();
    let object = open.load().unwrap();
    assert_eq!(object.name(), "my.object");
    let longest = "x".repeat(63);
    let open = ObjectBuilder::new().name(&longest).open_memory(case::DATA);
    assert_eq!(open.unwrap().name(), longest);
    let too_long = "x".repeat(64);
    for name in ["", "a b", "a/b", "é", &too_long] {
        let options = OpenOptions::new();
        assert_code!(
            options.set_name(name).map_err(code),
            ErrorCode::InvalidArgument
        );
    }
}

fn code(error: Error) -> ErrorCode {
    error.code
}

/// Every part of a declaration is what the source says.
fn declared_maps() {
    let maps = open_raw().maps();
    let names = maps.iter().map(|map| map.name.as_str());
    let names = names.collect::<Vec<_>>();
    // In the order of the file; global data has sections of its own.
    assert_eq!(names[..4], ["seen", "plain", "programs", "pinned_map"]);
    for name in [".rodata", ".data", ".bss"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for map in &maps {
        assert!(map.autocreate, "{map:?}");
        assert_eq!(map.global_data, map.name.starts_with('.'), "{map:?}");
        assert_eq!(map.extra, 0, "{map:?}");
    }
    let plain = &maps[1];
    assert!(matches!(plain.type_, RawMapType::Hash), "{plain:?}");
    assert_eq!((plain.key_size, plain.value_size), (4, 8));
    assert_eq!((plain.max_entries, plain.flags), (16, NO_PREALLOC));
    assert_eq!(plain.pin_path, None);
    assert!(matches!(maps[2].type_, RawMapType::ProgArray));
    let path = maps[3].pin_path.as_deref();
    assert_eq!(path, Some("/sys/fs/bpf/pinned_map"));
    let data = maps.iter().find(|map| map.name == ".data").unwrap();
    assert!(matches!(data.type_, RawMapType::Array), "{data:?}");
    assert_eq!((data.key_size, data.value_size), (4, 8));
    assert_eq!(data.max_entries, 1);
}

/// What a section says is in the declaration.
fn declared_programs() {
    let programs = open_raw().programs();
    let program = |name: &str| {
        let found = programs.iter().find(|program| program.name == name);
        found.unwrap_or_else(|| panic!("no {name} in {programs:?}"))
    };
    assert_eq!(programs.len(), 5);
    let on_enter = program("on_enter");
    assert_eq!(on_enter.section, "raw_tp/sys_enter");
    assert!(matches!(
        on_enter.type_,
        raw::types::ProgramType::RawTracepoint
    ));
    assert_eq!(on_enter.expected_attach_type, 0);
    assert!(on_enter.autoload);
    // To return nothing takes a number and a return.
    assert_eq!(program("any_kind").instructions, 2);
    assert!(on_enter.instructions > 10, "{on_enter:?}");
    assert!(!program("any_kind").autoload);
    let leaving = program("leaving");
    assert!(matches!(leaving.type_, raw::types::ProgramType::CgroupSkb));
    assert_eq!(leaving.expected_attach_type, CGROUP_INET_EGRESS);
    assert_eq!(program("typed").expected_attach_type, TRACE_RAW_TP);
}

/// Global data before load, as programs see it; after load it is maps.
fn variables() {
    let attached = |open: OpenCaseSkel| -> CaseSkel {
        let mut skel = open.load().unwrap();
        skel.attach().unwrap();
        pull(1);
        skel
    };
    let seen = last_seen(&attached(open()).object);
    assert_eq!((seen.rodata, seen.data, seen.bss), (1, 2, 0));
    let mut open = open();
    assert_eq!(open.rodata.from_rodata, 1);
    assert_eq!(open.data.from_data, 2);
    assert_eq!(open.bss.from_bss, 0);
    open.rodata.from_rodata = 0x1111_2222_3333_4444;
    open.data.from_data = 55;
    open.bss.from_bss = u64::MAX;
    let skel = attached(open);
    let seen = last_seen(&skel.object);
    assert_eq!(seen.calls, 1);
    assert_eq!(seen.rodata, 0x1111_2222_3333_4444);
    assert_eq!((seen.data, seen.bss), (55, u64::MAX));
    // What can be written is seen too, and what cannot is refused.
    let data = skel.object.map(".data").unwrap();
    data.update(&[0; 4], &66u64.to_ne_bytes(), MapFlags::Any)
        .unwrap();
    pull(1);
    assert_eq!(last_seen(&skel.object).data, 66);
    let rodata = skel.object.map(".rodata").unwrap();
    let value = rodata.lookup(&[0; 4]).unwrap().unwrap();
    assert_fails!(
        rodata.update(&[0; 4], &value, MapFlags::Any),
        ErrorKind::NotPermitted,
        ".rodata"
    );
}

/// Parts of global data, and where it ends.
fn initial_values() {
    let open = open_raw();
    let data = open.initial_value(".data").unwrap();
    assert_eq!(data, 2u64.to_ne_bytes());
    open.set_initial_value(".data", 3, &[7, 8]).unwrap();
    let mut expected = data;
    expected[3..5].copy_from_slice(&[7, 8]);
    assert_eq!(open.initial_value(".data").unwrap(), expected);
    // Nothing at the end is nothing too much.
    open.set_initial_value(".data", 8, &[]).unwrap();
    let past_the_end = [
        (0, &[0; 9][..]),
        (7, &[0; 2]),
        (8, &[0]),
        (u32::MAX, &[0]),
        (u32::MAX, &[]),
        (u32::MAX - 1, &[0; 8]),
    ];
    for (offset, data) in past_the_end {
        let error = open.set_initial_value(".data", offset, data).unwrap_err();
        assert_eq!(error.subject.as_deref(), Some(".data"));
        assert_code!(Err::<(), _>(error.code), ErrorCode::WrongSize);
    }
    assert_eq!(open.initial_value(".data").unwrap(), expected);
    assert_code!(
        open.initial_value("plain").map_err(code),
        ErrorCode::InvalidArgument
    );
    assert_code!(
        open.set_initial_value("plain", 0, &[0]).map_err(code),
        ErrorCode::InvalidArgument
    );
}

/// The kernel creates what was set.
fn map_settings() {
    let open = open();
    let map = &open.maps.plain;
    map.set_type(MapType::LruHash).unwrap();
    map.set_key_size(2).unwrap();
    map.set_value_size(16).unwrap();
    map.set_max_entries(7).unwrap();
    map.set_map_flags(0).unwrap();
    assert!(matches!(map.map_type().unwrap(), MapType::LruHash));
    assert_eq!(
        (map.key_size().unwrap(), map.value_size().unwrap()),
        (2, 16)
    );
    assert_eq!(
        (map.max_entries().unwrap(), map.map_flags().unwrap()),
        (7, 0)
    );
    let skel = open.load().unwrap();
    let info = skel.maps.plain.info().unwrap();
    assert!(matches!(info.type_, MapType::LruHash));
    assert_eq!((info.key_size, info.value_size), (2, 16));
    assert_eq!((info.max_entries, info.flags), (7, 0));
    skel.maps
        .plain
        .update(&[1; 2], &[2; 16], MapFlags::Any)
        .unwrap();
    assert_eq!(skel.maps.plain.lookup(&[1; 2]).unwrap().unwrap(), [2; 16]);
}

/// The extra of a bloom filter is its number of hash functions.
fn map_extra() {
    let open = open();
    let map = &open.maps.plain;
    map.set_type(MapType::BloomFilter).unwrap();
    map.set_key_size(0).unwrap();
    map.set_map_flags(0).unwrap();
    map.set_map_extra(3).unwrap();
    let info = open.load().unwrap().maps.plain.info().unwrap();
    assert!(matches!(info.type_, MapType::BloomFilter));
    assert_eq!(info.extra, 3);
}

/// The kernel has no ring of any other size.
fn ring_size() {
    let open = open();
    let map = &open.maps.plain;
    map.set_type(MapType::Ringbuf).unwrap();
    map.set_key_size(0).unwrap();
    map.set_value_size(0).unwrap();
    map.set_map_flags(0).unwrap();
    map.set_max_entries(100_000).unwrap();
    let info = open.load().unwrap().maps.plain.info().unwrap();
    assert_eq!(info.max_entries, 128 << 10);
}

/// Global data was laid out when the object was opened, and libbpf fills program arrays: another shape would reach past them.
fn fixed_shapes() {
    let open = open();
    for name in [".rodata", ".data", ".bss"] {
        let map = open.open.map(name).unwrap();
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
            let error = assert_fails!(result, ErrorKind::InvalidArgument, name);
            assert_eq!(error.subject(), Some(name));
        }
        assert_eq!(map.value_size().unwrap(), length);
    }
    let programs = &open.maps.programs;
    for result in [
        programs.set_type(MapType::Array),
        programs.set_key_size(8),
        programs.set_value_size(8),
        // Nor does another map become one.
        open.maps.plain.set_type(MapType::ProgArray),
        open.maps.plain.set_type(MapType::HashOfMaps),
        open.maps.plain.set_type(MapType::StructOps),
        open.maps.plain.set_type(MapType::Arena),
    ] {
        assert_fails!(result, ErrorKind::InvalidArgument);
    }
    // How many programs there can be is no shape.
    programs.set_max_entries(5).unwrap();
    let skel = open.load().unwrap();
    assert_eq!(skel.maps.programs.info().unwrap().max_entries, 5);
}

/// A map that is switched off is not made.
fn autocreate() {
    let open = open();
    open.maps.plain.set_autocreate(false).unwrap();
    assert!(!open.maps.plain.autocreate().unwrap());
    let object = open.load().unwrap().object;
    assert_fails!(object.map("plain"), ErrorKind::NotFound, "plain");
    assert!(object.map("programs").is_ok());
    let names = object.maps().map(|map| map.info().unwrap().name);
    let names = names.collect::<Vec<_>>();
    assert!(!names.iter().any(|name| name == "plain"), "{names:?}");
    assert!(names.iter().any(|name| name == "seen"), "{names:?}");
    // A program that needs the map cannot be loaded without it.
    let open = self::open();
    open.maps.seen.set_autocreate(false).unwrap();
    assert_fails!(open.load(), ErrorKind::RejectedByVerifier, "on_enter");
}

/// A program that is switched off is not loaded, and one that is switched on is.
fn autoload() {
    let open = open();
    assert!(open.progs.on_enter.autoload().unwrap());
    open.progs.on_enter.set_autoload(false).unwrap();
    open.progs.any_kind.set_autoload(true).unwrap();
    let object = open.load().unwrap().object;
    let names = object.progs().map(|program| program.name().to_owned());
    assert_eq!(names.collect::<Vec<_>>(), ["any_kind"]);
    assert_fails!(object.program("on_enter"), ErrorKind::NotFound, "on_enter");
}

/// The kernel loads what was set.
fn program_type() {
    let open = with_program("any_kind");
    let program = &open.progs.any_kind;
    program.set_prog_type(ProgramType::PerfEvent).unwrap();
    let declared = program.prog_type().unwrap();
    assert!(matches!(declared, ProgramType::PerfEvent));
    let skel = open.load().unwrap();
    let program = &skel.progs.any_kind;
    let info = program.info().unwrap();
    assert!(matches!(info.type_, ProgramType::PerfEvent));
    assert_fails!(
        program.attach_raw_tracepoint("sys_enter"),
        ErrorKind::InvalidArgument,
        "any_kind"
    );
}

/// There is no way around the policy by another kind.
fn program_type_not_granted() {
    let open = with_program("any_kind");
    let program = &open.progs.any_kind;
    program.set_prog_type(ProgramType::Xdp).unwrap();
    let error = assert_fails!(open.load(), ErrorKind::NotGranted, "any_kind", "xdp");
    assert_eq!(error.subject(), Some("any_kind"));
}

/// What is right for packets that leave is wrong for those that arrive.
fn expected_attach_type() {
    with_program("leaving").load().unwrap();
    let open = with_program("leaving");
    let program = &open.progs.leaving;
    program.set_attach_type(CGROUP_INET_INGRESS).unwrap();
    assert_fails!(open.load(), ErrorKind::RejectedByVerifier, "leaving");
}

/// The program acts where it was told to, not where its section says.
fn attach_target() {
    let pulled = |open: OpenCaseSkel| {
        let mut skel = open.load().unwrap();
        skel.attach().unwrap();
        pull(3);
        last_seen(&skel.object).calls
    };
    assert_eq!(pulled(with_program("typed")), 0);
    let open = with_program("typed");
    open.progs.typed.set_attach_target("sys_enter").unwrap();
    assert_eq!(pulled(open), 3);
    let open = with_program("typed");
    assert_fails!(
        open.progs.typed.set_attach_target("no_such_tracepoint"),
        ErrorKind::NotFound,
        "no_such_tracepoint"
    );
}

/// A raw tracepoint has its target when it is attached, not before.
fn no_attach_target() {
    let open = open();
    for target in ["sys_enter", "vfs_read"] {
        assert_fails!(
            open.progs.on_enter.set_attach_target(target),
            ErrorKind::InvalidArgument,
            "on_enter"
        );
    }
}

/// The kernel takes the flags.
fn program_flags() {
    with_program("misaligned").load().unwrap();
    let open = with_program("misaligned");
    open.progs.misaligned.set_flags(STRICT_ALIGNMENT).unwrap();
    assert_fails!(open.load(), ErrorKind::RejectedByVerifier, "misaligned");
}

/// Nothing is set for something else.
fn unknown_names() {
    let open = open_raw();
    let no = "no_such";
    assert_code!(open.initial_value(no).map_err(code), ErrorCode::NotFound);
    for result in [
        open.set_initial_value(no, 0, &[]),
        open.set_map_type(no, RawMapType::Hash),
        open.set_key_size(no, 4),
        open.set_value_size(no, 4),
        open.set_max_entries(no, 1),
        open.set_map_flags(no, 0),
        open.set_map_extra(no, 0),
        open.set_autocreate(no, true),
        open.set_autoload(no, true),
        open.set_program_type(no, raw::types::ProgramType::Kprobe),
        open.set_expected_attach_type(no, 0),
        open.set_attach_target(no, "sys_enter"),
        open.set_program_flags(no, 0),
        // A program is no map, and a map no program.
        open.set_autocreate("on_enter", true),
        open.set_autoload("plain", true),
    ] {
        assert_code!(result.map_err(code), ErrorCode::NotFound);
    }
}

/// An object that is dropped counts no longer, loaded or not.
fn dropped_unloaded() {
    let open = || -> Result<OpenObject, Error> {
        let options = OpenOptions::new();
        options.set_name("kept").unwrap();
        let open = OpenObject::open(case::DATA, &options)?;
        // The object needs its options no more.
        drop(options);
        assert_eq!(open.name(), "kept");
        Ok(open)
    };
    let mut kept = Vec::new();
    let error = loop {
        match open() {
            Ok(open) => kept.push(open),
            Err(error) => break error,
        }
        assert!(kept.len() <= 64, "nothing is counted");
    };
    assert_code!(Err::<(), _>(error.code), ErrorCode::LimitExceeded);
    kept.pop();
    kept.push(open().unwrap());
    assert_code!(open().map_err(code), ErrorCode::LimitExceeded);
    kept.clear();
    open().unwrap();
}
