//! What programs print for whoever has them.

use std::io::Read as _;

use conformance_guests::assert_code;
use conformance_guests::raw::programs::{LoadOptions, Program, ProgramStream};
use conformance_guests::raw::types::{ErrorCode, ProgramType};
use wasm_bpf_guest::ProgramInput;

conformance_guests::guest!();
use case::CaseSkelBuilder;

/// Each line goes to its stream. A kernel may have no memory for it at that moment, which some virtual machines never have; then there is nothing.
fn read() {
    const NO_MEMORY: u32 = -12i32 as u32;
    let skel = CaseSkelBuilder::new().open().unwrap().load().unwrap();
    let program = &skel.progs.print;
    let mut text = String::new();
    program.stdout().read_to_string(&mut text).unwrap();
    assert_eq!(text, "");
    let print = |number: u64, fails: u64| {
        let mut context = [number, fails].map(u64::to_ne_bytes).concat();
        let input = ProgramInput {
            context_in: Some(&mut context),
            ..ProgramInput::default()
        };
        program.test_run(input).unwrap().return_value
    };
    let answers = [print(42, 0), print(43, 1)];
    if answers == [0, 0] {
        let mut part = [0; 6];
        assert_eq!(program.stdout().read(&mut part).unwrap(), 6);
        assert_eq!(&part, b"number");
        program.stdout().read_to_string(&mut text).unwrap();
        assert_eq!(text, " 42\nnumber 43\n");
        text.clear();
        program.stderr().read_to_string(&mut text).unwrap();
        assert_eq!(text, "failed 43\n");
    } else {
        assert_eq!(answers, [NO_MEMORY; 2]);
    }
    text.clear();
    program.stdout().read_to_string(&mut text).unwrap();
    program.stderr().read_to_string(&mut text).unwrap();
    assert_eq!(text, "");
    let raw = nothing();
    let standard_output = ProgramStream::StandardOutput;
    assert_code!(
        raw.read_stream(standard_output, 0),
        ErrorCode::InvalidArgument
    );
    assert_code!(
        raw.read_stream(ProgramStream::Other(77), 10),
        ErrorCode::NotFound
    );
    // As much as can be said is no memory of the host's.
    assert_eq!(
        raw.read_stream(ProgramStream::StandardError, u32::MAX)
            .unwrap(),
        []
    );
}

/// r0 = 0; exit
fn nothing() -> Program {
    let instructions = [[0xb7u8, 0, 0, 0, 0, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]];
    Program::load(
        ProgramType::RawTracepoint,
        &LoadOptions::new(),
        instructions.as_flattened(),
    )
    .unwrap()
}

/// Before 6.17; later there is one.
fn not_supported() {
    match nothing().read_stream(ProgramStream::StandardOutput, 10) {
        Ok(bytes) => assert_eq!(bytes, []),
        Err(code) => assert!(matches!(code, ErrorCode::NotSupported), "{code:?}"),
    }
}
