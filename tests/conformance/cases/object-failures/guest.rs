//! Objects that cannot be opened or loaded, and what is said of them.

use conformance_guests::raw::objects::OpenOptions;
use conformance_guests::raw::types::ErrorCode;
use conformance_guests::{assert_code, assert_fails};
use wasm_bpf_guest::{
    Error, ErrorKind, MapCore as _, MapFlags, MapHandle, MapType, Object, ObjectBuilder,
    OpenObject, Result,
};

conformance_guests::guest!();
use case::DATA;

fn open(elf: &[u8]) -> Result<OpenObject> {
    ObjectBuilder::new().name("tested").open_memory(elf)
}

/// Loads one of the programs.
fn load(program: &str) -> Result<Object> {
    let open = open(DATA).unwrap();
    open.program(program).unwrap().set_autoload(true).unwrap();
    open.load()
}

/// Nothing, the beginning of a file, and something else.
fn no_object() {
    for broken in [&[][..], b"\x7fELF", b"no ELF file at all", &DATA[..100]] {
        assert_fails!(open(broken), ErrorKind::Malformed, "tested");
    }
    open(DATA).unwrap().load().unwrap();
}

/// A part of the file is refused, or as good as the whole.
fn cut_off() {
    assert_fails!(open(&DATA[..DATA.len() / 2]), ErrorKind::Malformed);
    for length in (0..DATA.len()).step_by(211) {
        if let Ok(open) = open(&DATA[..length]) {
            let _ = open.load();
        }
    }
    open(DATA).unwrap().load().unwrap();
}

/// The file says which machine it is for.
fn other_machine() {
    const MACHINE: usize = 18;
    const X86_64: u8 = 62;
    let mut other = DATA.to_vec();
    other[MACHINE] = X86_64;
    assert_fails!(open(&other), ErrorKind::Malformed, "tested");
}

/// The second map gets the name of the first, wherever it stands.
fn two_of_a_name() {
    let mut twins = DATA.to_vec();
    let places = DATA.windows(8).enumerate();
    for (at, _) in places.filter(|(_, window)| window == b"numberz\0") {
        twins[at..at + 7].copy_from_slice(b"numbers");
    }
    assert_ne!(twins, DATA);
    assert_fails!(open(&twins), ErrorKind::Malformed, "numbers");
}

/// One byte more than there may be.
fn too_large() {
    let mut large = DATA.to_vec();
    large.resize((64 << 20) + 1, 0);
    assert_fails!(open(&large), ErrorKind::LimitExceeded, "tested");
}

/// The log says at which instruction, and why.
fn rejected() {
    let error = assert_fails!(load("careless"), ErrorKind::RejectedByVerifier, "careless");
    assert_eq!(error.subject(), Some("careless"));
    assert!(error.errno().is_some(), "the kernel refused, not the host");
    let log = error.verifier_log().unwrap();
    assert!(log.contains("bpf_map_lookup_elem"), "{log}");
    assert!(log.contains("map_value_or_null"), "{log}");
    assert!(log.len() <= 64 << 10, "{}", log.len());
}

/// The log of a rejected program, at a level.
fn log_at(level: u32) -> String {
    let open = ObjectBuilder::new()
        .verifier_log_level(level)
        .open_memory(DATA)
        .unwrap();
    open.program("careless")
        .unwrap()
        .set_autoload(true)
        .unwrap();
    let error: Error = assert_fails!(open.load(), ErrorKind::RejectedByVerifier);
    error.verifier_log().unwrap().to_owned()
}

/// Steps are in the log at level 1, and at level 4, statistics, they are not.
fn log_levels() {
    for level in [0, 1, 2, 3] {
        let log = log_at(level);
        assert!(log.contains("bpf_map_lookup_elem"), "{level}: {log}");
    }
    let statistics = log_at(4);
    assert!(!statistics.contains("bpf_map_lookup_elem"), "{statistics}");
    assert!(statistics.contains("map_value_or_null"), "{statistics}");
    for level in [8, u32::MAX] {
        let result = OpenOptions::new().set_verifier_log_level(level);
        assert_code!(
            result.map_err(|error| error.code),
            ErrorCode::InvalidArgument
        );
    }
    // A program that is good loads at any level.
    for level in 0..=7 {
        let mut builder = ObjectBuilder::new();
        let open = builder.verifier_log_level(level).open_memory(DATA).unwrap();
        let program = open.program("big_number").unwrap();
        program.set_autoload(true).unwrap();
        open.load().unwrap();
    }
}

/// Which field, and in which program.
fn wrong_field() {
    let error = assert_fails!(
        load("wrong_field"),
        ErrorKind::NotSupported,
        "wrong_field",
        "task_struct",
        "no_such_field"
    );
    assert_eq!(error.subject(), Some("wrong_field"));
}

/// The object with the load of a number made into a reference to a map that no relocation put there.
fn with_reference(kind: u8, number: i32) -> Result<Object> {
    // A load of a 64-bit number is two instructions of eight bytes, with half of the number in each.
    let at = DATA.windows(16).position(|window| {
        window[0] == 0x18
            && window[4..8] == 0x5566_7788u32.to_le_bytes()
            && window[12..] == 0x1122_3344u32.to_le_bytes()
    });
    let at = at.expect("the number is in the object");
    let mut elf = DATA.to_vec();
    // The kind of reference is in the upper half of the registers' byte.
    elf[at + 1] = elf[at + 1] & 0x0f | kind << 4;
    elf[at + 4..at + 8].copy_from_slice(&number.to_le_bytes());
    elf[at + 12..at + 16].fill(0);
    let open = open(&elf)?;
    // Without maps of its own no descriptor is the object's.
    for map in open.maps() {
        map.set_autocreate(false)?;
    }
    open.program("big_number")?.set_autoload(true)?;
    open.load()
}

/// A descriptor in an instruction would be a map of the host, or of another component.
fn descriptors_in_instructions() {
    // As a number it is none.
    with_reference(0, 1).unwrap();
    // The host has a descriptor of this map, whichever it is.
    let _map = MapHandle::create(MapType::Array, "own", 4, 8, 1, 0).unwrap();
    // BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE, BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE
    for kind in [1, 2, 5, 6] {
        for number in (0..20).chain([-1, i32::MAX]) {
            let error = assert_fails!(
                with_reference(kind, number),
                ErrorKind::Malformed,
                "big_number"
            );
            assert_eq!(error.subject(), Some("big_number"));
        }
    }
}

/// These maps take descriptors from native programs, and hold what they stand for.
fn descriptors_as_values() {
    let inner = MapHandle::create(MapType::Array, "inner", 4, 8, 1, 0).unwrap();
    let _object = load("big_number").unwrap();
    let create = |kind| MapHandle::create(kind, "taken", 4, 4, 1, 0).unwrap();
    for map in [
        create(MapType::ProgArray),
        create(MapType::PerfEventArray),
        MapHandle::create_of_maps(MapType::ArrayOfMaps, "taken", 4, 1, 0, &inner).unwrap(),
    ] {
        for number in 0..24u32 {
            let result = map.update(&[0; 4], &number.to_ne_bytes(), MapFlags::Any);
            assert_fails!(result, ErrorKind::NotSupported, "taken");
        }
        // Nothing was stored. Perf events cannot be looked up at all.
        let found = map.lookup(&[0; 4]);
        assert!(!matches!(found, Ok(Some(_))), "{found:?}");
    }
}
