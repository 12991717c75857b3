//! Programs from instructions, without an object.

use conformance_guests::{assert_fails, is_gone, is_held, link_id, pull};
use wasm_bpf_guest::{
    ErrorKind, MapCore as _, MapFlags, MapHandle, MapType, Program, ProgramBuilder, ProgramInput,
    ProgramType, Result, TypedMap,
};

conformance_guests::guest!();

/// Pseudo sources of the instruction that loads 64 bits.
const MAP_FD: u8 = 1;
const MAP_VALUE: u8 = 2;
const BTF_ID: u8 = 3;
const MAP_INDEX: u8 = 5;
const MAP_INDEX_VALUE: u8 = 6;

type Instruction = [u8; 8];

fn instruction(code: u8, to: u8, from: u8, offset: i16, number: i32) -> Instruction {
    let registers = if cfg!(target_endian = "little") {
        from << 4 | to
    } else {
        to << 4 | from
    };
    let [offset_0, offset_1] = offset.to_ne_bytes();
    let [a, b, c, d] = number.to_ne_bytes();
    [code, registers, offset_0, offset_1, a, b, c, d]
}

/// rTO = number
fn set(to: u8, number: i32) -> Instruction {
    instruction(0xb7, to, 0, 0, number)
}

/// rTO = rFROM
fn copy(to: u8, from: u8) -> Instruction {
    instruction(0xbf, to, from, 0, 0)
}

fn call(helper: i32) -> Instruction {
    instruction(0x85, 0, 0, 0, helper)
}

fn exit() -> Instruction {
    instruction(0x95, 0, 0, 0, 0)
}

/// rTO = 64 bits of which the pseudo source says what they are.
fn load_64(to: u8, from: u8, number: i32, second: i32) -> [Instruction; 2] {
    [
        instruction(0x18, to, from, 0, number),
        instruction(0, 0, 0, 0, second),
    ]
}

fn returns(number: i32) -> Vec<u8> {
    [set(0, number), exit()].concat()
}

/// Adds 1 to the number in the value of the map with this index.
fn counting(map: i32) -> Vec<u8> {
    let [first, second] = load_64(1, MAP_INDEX_VALUE, map, 0);
    [
        first,
        second,
        set(2, 1),
        // lock *(u64 *)(r1 + 0) += r2
        instruction(0xdb, 1, 2, 0, 0),
        set(0, 0),
        exit(),
    ]
    .concat()
}

fn builder() -> ProgramBuilder {
    let builder = ProgramBuilder::new(ProgramType::RawTracepoint);
    builder.name("made").unwrap().license("GPL").unwrap()
}

fn array(number: u64) -> TypedMap<u32, u64, MapHandle> {
    let map = MapHandle::create(MapType::Array, "numbers", 4, 8, 1, 0).unwrap();
    let map = TypedMap::new(map).unwrap();
    map.insert(&0, &number, MapFlags::Any).unwrap();
    map
}

fn run(program: &Program) -> u32 {
    let input = ProgramInput {
        context_in: Some(&mut [0; 16]),
        ..ProgramInput::default()
    };
    program.test_run(input).unwrap().return_value
}

/// Others on the machine make system calls too.
fn counts() {
    let map = array(0);
    let program = builder().map(&map).unwrap().load(&counting(0)).unwrap();
    let info = program.info().unwrap();
    assert_eq!(
        (program.name(), info.name.as_str(), info.section.as_str()),
        ("made", "made", "")
    );
    assert!(matches!(info.type_, ProgramType::RawTracepoint));
    // Nothing says where it is to be attached.
    assert!(program.auto_attach().unwrap().is_none());
    let link = program.attach_raw_tracepoint("sys_enter").unwrap();
    let id = link_id(&link);
    is_held(&id);
    pull(10);
    drop(link);
    is_gone(&id);
    let count = map.get(&0).unwrap().unwrap();
    assert!(count >= 10, "{count}");
    pull(10);
    assert_eq!(map.get(&0).unwrap(), Some(count));
}

/// The value of the second of two maps.
fn looks_up() {
    let (first, second) = (array(7), array(42));
    let [load, load_rest] = load_64(1, MAP_INDEX, 1, 0);
    // The key on the stack; the value of the map, or 0.
    let instructions = [
        load,
        load_rest,
        // *(u32 *)(r10 - 4) = 0
        instruction(0x62, 10, 0, -4, 0),
        copy(2, 10),
        instruction(0x07, 2, 0, 0, -4),
        call(1),
        // if r0 == 0 goto +1
        instruction(0x15, 0, 0, 1, 0),
        // r0 = *(u64 *)(r0 + 0)
        instruction(0x79, 0, 0, 0, 0),
        exit(),
    ]
    .concat();
    let program = builder().map(&first).unwrap().map(&second).unwrap();
    let program = program.load(&instructions).unwrap();
    assert_eq!(run(&program), 42);
    let info = program.info().unwrap();
    assert_eq!(info.map_ids, [second.info().unwrap().id]);
}

/// The context is in r1, and the helper wants it there.
fn tail_call() {
    let map = MapHandle::create(MapType::ProgArray, "calls", 4, 4, 2, 0).unwrap();
    let [load, load_rest] = load_64(2, MAP_INDEX, 0, 0);
    let instructions = [load, load_rest, set(3, 1), call(12), set(0, 1), exit()].concat();
    let caller = builder().map(&map).unwrap().load(&instructions).unwrap();
    assert_eq!(run(&caller), 1);
    let called = builder().load(&returns(2)).unwrap();
    map.update_program(&1u32.to_ne_bytes(), &called, MapFlags::Any)
        .unwrap();
    assert_eq!(run(&caller), 2);
    // The map keeps it.
    drop(called);
    assert_eq!(run(&caller), 2);
}

/// BPF_TRACE_FENTRY
const FENTRY: u32 = 24;
/// BPF_TRACE_RAW_TP
const BTF_TRACEPOINT: u32 = 23;

fn tracing(attach_type: u32, target: &str, map: &TypedMap<u32, u64, MapHandle>) -> Result<Program> {
    ProgramBuilder::new(ProgramType::Tracing)
        .license("GPL")?
        .expected_attach_type(attach_type)
        .attach_target(target)?
        .map(map)?
        .load(&counting(0))
}

/// The kernel calls the function when a program on functions is run.
fn function() {
    let map = array(0);
    let program = tracing(FENTRY, "bpf_fentry_test1", &map).unwrap();
    let link = program.attach().unwrap();
    is_held(&link_id(&link));
    program.test_run(ProgramInput::default()).unwrap();
    assert_eq!(map.get(&0).unwrap(), Some(1));
    drop(link);
    program.test_run(ProgramInput::default()).unwrap();
    assert_eq!(map.get(&0).unwrap(), Some(1));
    let missing = tracing(FENTRY, "wbc_no_such_function", &map);
    assert_fails!(missing, ErrorKind::NotFound, "wbc_no_such_function");
}

/// By the name that it has everywhere.
fn btf_tracepoint() {
    let map = array(0);
    let program = tracing(BTF_TRACEPOINT, "sys_enter", &map).unwrap();
    let link = program.attach().unwrap();
    pull(10);
    drop(link);
    assert!(map.get(&0).unwrap().unwrap() >= 10);
}

/// With the log, whether or not one was asked for.
fn rejected() {
    let no_exit = set(0, 0).to_vec();
    let unset = copy(0, 3)
        .iter()
        .chain(&exit())
        .copied()
        .collect::<Vec<_>>();
    for level in [0, 1, 2] {
        for instructions in [&no_exit, &unset] {
            let builder = builder().verifier_log_level(level).unwrap();
            let error = builder.load(instructions);
            let error = assert_fails!(
                error,
                ErrorKind::RejectedByVerifier
                    | ErrorKind::AccessDenied
                    | ErrorKind::InvalidArgument,
                "made"
            );
            assert!(error.verifier_log().is_some_and(|log| !log.is_empty()));
        }
    }
    // One that is taken, with a log for the operator only.
    builder()
        .verifier_log_level(2)
        .unwrap()
        .load(&returns(0))
        .unwrap();
}

/// Whatever is granted: the numbers would be the host's.
fn hostile() {
    let map = array(0);
    let with_map = |instructions: &[u8]| builder().map(&map).unwrap().load(instructions);
    for number in [0, 1, 3, 5, 7, 10, 100, -1, i32::MAX, i32::MIN] {
        for from in [MAP_FD, MAP_VALUE, BTF_ID] {
            let load = load_64(1, from, number, 0).concat();
            let instructions = [load, returns(0)].concat();
            assert_fails!(with_map(&instructions), ErrorKind::Malformed, "made");
        }
        // Of a kernel function, and of a module's.
        for offset in [0, 1] {
            let call = instruction(0x85, 0, 2, offset, number).to_vec();
            let instructions = [call, returns(0)].concat();
            assert_fails!(with_map(&instructions), ErrorKind::Malformed, "made");
        }
    }
    for index in [1, 2, 63, 64, -1, i32::MAX, i32::MIN] {
        for from in [MAP_INDEX, MAP_INDEX_VALUE] {
            let load = load_64(1, from, index, 0).concat();
            let instructions = [load, returns(0)].concat();
            assert_fails!(with_map(&instructions), ErrorKind::InvalidArgument, "made");
        }
    }
    // Past the end of the value.
    let load = load_64(1, MAP_INDEX_VALUE, 0, 8).concat();
    assert!(with_map(&[load, returns(0)].concat()).is_err());
    // What is cut off, in an instruction and between two.
    let load = load_64(1, MAP_INDEX, 0, 0);
    assert_fails!(with_map(&load[0]), ErrorKind::Malformed, "made");
    assert_fails!(with_map(&returns(0)[..15]), ErrorKind::Malformed, "made");
    assert_fails!(with_map(&[]), ErrorKind::InvalidArgument, "made");
    // Bytes without a meaning.
    for byte in [0, 0x18, 0x85, 0xff] {
        assert!(with_map(&[byte; 64]).is_err());
    }
    // A map of the same index is a map.
    with_map(&[load_64(1, MAP_INDEX, 0, 0).concat(), returns(0)].concat()).unwrap();
}

/// The most that the verifier takes goes through it; one more does not.
fn large() {
    let program = |count: usize| {
        let mut instructions = set(0, 0).repeat(count - 1);
        instructions.extend(exit());
        builder().load(&instructions)
    };
    program(100_000).unwrap();
    // Here the kernel has the word.
    let _ = program(1_000_000);
    assert_fails!(program(1_000_001), ErrorKind::InvalidArgument, "1000001");
}

/// Each is refused where it is set.
fn options() {
    let builder = || ProgramBuilder::new(ProgramType::RawTracepoint);
    let fails = |result: Result<ProgramBuilder>| {
        assert_fails!(result.map(drop), ErrorKind::InvalidArgument);
    };
    for name in ["sixteen_letters_", "a b", "a/b", "zero\0", "\u{e9}", "\n"] {
        fails(builder().name(name));
    }
    for license in ["GPL\0", &"x".repeat(128)] {
        fails(builder().license(license));
    }
    for target in ["", "a b", "zero\0", "a*", &"x".repeat(128)] {
        fails(builder().attach_target(target));
    }
    for level in [8, u32::MAX] {
        fails(builder().verifier_log_level(level));
    }
    for flags in [1 << 16, 1 << 31, u32::MAX] {
        let program = builder().flags(flags).load(&returns(0));
        assert_fails!(program, ErrorKind::InvalidArgument, "flags");
    }
    // Without a name, and without a license.
    assert_eq!(builder().load(&returns(0)).unwrap().name(), "");
    let info = builder().load(&returns(0)).unwrap().info().unwrap();
    assert!(!info.gpl_compatible);
    let info = builder()
        .license("GPL")
        .unwrap()
        .load(&returns(0))
        .unwrap()
        .info()
        .unwrap();
    assert!(info.gpl_compatible);
}

/// It is loaded for no interface yet.
fn granted() {
    let program = ProgramBuilder::new(ProgramType::Xdp)
        .load(&returns(2))
        .unwrap();
    let frame = [0; 64];
    let output = program.test_run(ProgramInput {
        data_in: Some(&frame),
        ..ProgramInput::default()
    });
    assert_eq!(output.unwrap().return_value, 2);
}

/// The message names the grant.
fn not_granted() {
    for (kind, grant) in [
        (ProgramType::Xdp, "xdp"),
        (ProgramType::SchedCls, "tc"),
        (ProgramType::CgroupSkb, "cgroup"),
        (ProgramType::Syscall, "syscall"),
        (ProgramType::Lsm, "lsm"),
        (ProgramType::Other(31), "syscall"),
        (ProgramType::Other(9999), "program-type=9999"),
    ] {
        let program = ProgramBuilder::new(kind).load(&returns(0));
        assert_fails!(program, ErrorKind::NotGranted, grant);
    }
    let send_signal = [set(1, 9), call(109), set(0, 0), exit()].concat();
    assert_fails!(
        builder().load(&send_signal),
        ErrorKind::NotGranted,
        "helper=bpf_send_signal"
    );
    // BPF_MODIFY_RETURN
    let program = ProgramBuilder::new(ProgramType::Tracing).expected_attach_type(26);
    assert_fails!(program.load(&returns(0)), ErrorKind::NotGranted, "fmod-ret");
}

/// Their target is not one that a name could say.
fn not_by_instructions() {
    for kind in [
        ProgramType::Ext,
        ProgramType::StructOps,
        ProgramType::Other(28),
    ] {
        let program = ProgramBuilder::new(kind).load(&returns(0));
        assert_fails!(program, ErrorKind::NotSupported, "object");
    }
    // A kind that no kernel has is granted, and is refused by the kernel.
    let program = ProgramBuilder::new(ProgramType::Other(9999)).load(&returns(0));
    assert_fails!(program, ErrorKind::InvalidArgument | ErrorKind::Full);
}

/// Those that were refused take nothing.
fn limit() {
    let load = || builder().load(&returns(0));
    for _ in 0..5 {
        assert!(builder().load(&set(0, 0)).is_err());
    }
    let (first, _second) = (load().unwrap(), load().unwrap());
    assert_fails!(load(), ErrorKind::LimitExceeded, "programs");
    drop(first);
    let _third = load().unwrap();
    // A map as often as there is room for a descriptor.
    let map = array(0);
    let mut builder = builder();
    let error = loop {
        builder = match builder.map(&map) {
            Ok(builder) => builder,
            Err(error) => break error,
        };
    };
    assert!(matches!(error.kind(), ErrorKind::LimitExceeded), "{error}");
    conformance_guests::saw(error.kind());
    // The options are gone with it.
    MapHandle::create(MapType::Array, "another", 4, 8, 1, 0).unwrap();
}

/// The program keeps the map.
fn outlives() {
    let map = array(40);
    let id = map.info().unwrap().id;
    let [load, load_rest] = load_64(1, MAP_INDEX_VALUE, 0, 0);
    let instructions = [
        load,
        load_rest,
        // r0 = *(u64 *)(r1 + 0)
        instruction(0x79, 0, 1, 0, 0),
        instruction(0x07, 0, 0, 0, 1),
        // *(u64 *)(r1 + 0) = r0
        instruction(0x7b, 1, 0, 0, 0),
        exit(),
    ]
    .concat();
    let program = builder().map(&map).unwrap().load(&instructions).unwrap();
    drop(map);
    is_held(&format!("map={id}"));
    assert_eq!(run(&program), 41);
    assert_eq!(run(&program), 42);
    let program_id = program.info().unwrap().id;
    drop(program);
    is_gone(&format!("program={program_id}"));
    is_gone(&format!("map={id}"));
}
