//! Programs with names in a BPF file system.

use conformance_guests::{assert_fails, given, is_gone, is_held};
use wasm_bpf_guest::{
    ErrorKind, MapCore as _, MapHandle, MapType, Program, ProgramBuilder, ProgramInput,
    ProgramType, Result,
};

conformance_guests::guest!();

/// A program that returns this number.
fn program(number: u8) -> Program {
    let instructions = [
        [0xb7u8, 0, 0, 0, number, 0, 0, 0],
        [0x95, 0, 0, 0, 0, 0, 0, 0],
    ];
    let builder = ProgramBuilder::new(ProgramType::RawTracepoint);
    let builder = builder.name("pinned").unwrap().license("GPL").unwrap();
    builder.load(instructions.as_flattened()).unwrap()
}

/// A path in the case's own BPF file system.
fn path(name: &str) -> String {
    format!("{}/{name}", given("bpffs"))
}

fn open(path: &str) -> Result<Program> {
    Program::from_pinned_path(path)
}

fn run(program: &Program) -> u32 {
    let input = ProgramInput {
        context_in: Some(&mut [9, 0, 0, 0, 0, 0, 0, 0]),
        ..ProgramInput::default()
    };
    program.test_run(input).unwrap().return_value
}

/// Of an object, whose handles go. The kernel keeps 15 characters of its name.
fn pinned() {
    let path = path("name");
    let open_skel = case::CaseSkelBuilder::new().open().unwrap();
    let name = "pinned_program_with_a_long_name";
    let declared = open_skel.open.program(name).unwrap();
    declared.set_autoload(true).unwrap();
    let skel = open_skel.load().unwrap();
    let first = &skel.progs.pinned_program_with_a_long_name;
    first.pin(&path).unwrap();
    let info = first.info().unwrap();
    assert_eq!(info.name, name);
    drop(skel);
    is_held(&format!("program={}", info.id));
    let again = open(&path).unwrap();
    let found = again.info().unwrap();
    assert_eq!((found.id, found.tag), (info.id, info.tag));
    assert!(matches!(found.type_, ProgramType::RawTracepoint));
    assert_eq!(
        (found.name.as_str(), found.section.as_str()),
        (&name[..15], "")
    );
    assert_eq!(run(&again), 9);
    // It is attached by the name of a tracepoint as before.
    let link = again.attach_raw_tracepoint("sys_enter").unwrap();
    assert_eq!(link.info().unwrap().unwrap().program_id, info.id);
    again.unpin(&path).unwrap();
    drop(again);
    is_held(&format!("program={}", info.id));
    drop(link);
    is_gone(&format!("program={}", info.id));
}

/// The handle keeps the program when the name is gone; then nothing does.
fn unpinned() {
    let path = path("name");
    let program = program(1);
    program.pin(&path).unwrap();
    program.unpin(&path).unwrap();
    assert_fails!(program.unpin(&path), ErrorKind::NotFound, path.as_str());
    assert_fails!(open(&path), ErrorKind::NotFound, path.as_str());
    assert_eq!(run(&program), 1);
    let id = program.info().unwrap().id;
    drop(program);
    is_gone(&format!("program={id}"));
}

/// A name is of one program, or of something else.
fn names() {
    let (one, two) = (path("one"), path("folder/two"));
    let program = program(1);
    program.pin(&one).unwrap();
    program.pin(&two).unwrap();
    assert_fails!(program.pin(&one), ErrorKind::AlreadyExists, one.as_str());
    let other = self::program(2);
    assert_fails!(other.unpin(&one), ErrorKind::InvalidArgument, "another");
    // A map is no program, and a program no map.
    let map = MapHandle::create(MapType::Array, "map", 4, 8, 1, 0).unwrap();
    let of_map = path("map");
    map.pin(&of_map).unwrap();
    assert_fails!(open(&of_map), ErrorKind::InvalidArgument, "program");
    assert_fails!(
        program.unpin(&of_map),
        ErrorKind::InvalidArgument,
        "program"
    );
    assert_fails!(
        MapHandle::from_pinned_path(&one),
        ErrorKind::InvalidArgument,
        "map"
    );
    assert_fails!(map.unpin(&one), ErrorKind::InvalidArgument, "map");
    map.unpin(&of_map).unwrap();
    // Any handle takes a name away.
    let again = open(&two).unwrap();
    again.unpin(&one).unwrap();
    again.unpin(&two).unwrap();
}

/// Every path is granted, so that what refuses is the host's own look at it.
fn hostile_paths() {
    let program = program(0);
    let folder = given("bpffs");
    for path in [
        "relative/path".to_owned(),
        String::new(),
        "/".to_owned(),
        format!("{folder}/"),
        format!("{folder}//twice"),
        format!("{folder}/dotted.name"),
        format!("{folder}/zero\0byte"),
        "/tmp/wasm-bpf-conformance-pin".to_owned(),
        "/proc/self/fd/0".to_owned(),
    ] {
        for result in [
            program.pin(&path),
            open(&path).map(drop),
            program.unpin(&path),
        ] {
            assert_fails!(result, ErrorKind::InvalidArgument);
        }
    }
    let above = format!("{folder}/../above");
    for result in [
        program.pin(&above),
        open(&above).map(drop),
        program.unpin(&above),
    ] {
        assert_fails!(result, ErrorKind::NotGranted | ErrorKind::InvalidArgument);
    }
    assert_fails!(program.unpin(path("missing")), ErrorKind::NotFound);
    assert_fails!(open(&path("missing/name")), ErrorKind::NotFound);
}

fn of_others() {
    let program = open(&given("pinned-program")).unwrap();
    let info = program.info().unwrap();
    assert!(matches!(info.type_, ProgramType::Xdp), "{info:?}");
    assert_eq!(program.name(), "probe");
}

/// The path is not enough for a kind that is not granted.
fn of_others_denied() {
    let refused = open(&given("pinned-program"));
    assert_fails!(refused, ErrorKind::NotGranted, "xdp", "of-others");
}

fn not_granted() {
    let program = program(0);
    for path in [
        path("name"),
        path("others/name"),
        path("granted2"),
        "/tmp/name".to_owned(),
    ] {
        for result in [
            program.pin(&path),
            open(&path).map(drop),
            program.unpin(&path),
        ] {
            assert_fails!(result, ErrorKind::NotGranted, "pin", path.as_str());
        }
    }
    for name in ["granted", "other/name"] {
        program.pin(path(name)).unwrap();
        program.unpin(path(name)).unwrap();
    }
}

/// Neither dropping handles nor pinning twice makes room.
fn limit() {
    let pin = |name: &str| {
        let program = program(1);
        program.pin(path(name)).unwrap();
    };
    pin("a");
    pin("b");
    let third = open(&path("a")).unwrap();
    assert_fails!(open(&path("b")), ErrorKind::LimitExceeded, "programs");
    third.unpin(path("a")).unwrap();
    drop(third);
    pin("c");
    let last = open(&path("b")).unwrap();
    last.unpin(path("b")).unwrap();
    drop(last);
    let last = open(&path("c")).unwrap();
    last.unpin(path("c")).unwrap();
}
