//! Programs on routes.

use conformance_guests::{assert_fails, has_no_qdisc, holds};
use wasm_bpf_guest::{Direction, ErrorKind, ProgramInput, ProgramType, TcHook};

conformance_guests::guest!();
use case::CaseSkelBuilder;

/// All four kinds.
fn loads() {
    let skel = CaseSkelBuilder::new().open().unwrap().load().unwrap();
    holds(&skel.object, &[]);
    let kinds = [
        &skel.progs.on_in,
        &skel.progs.on_out,
        &skel.progs.on_xmit,
        &skel.progs.on_seg6local,
    ]
    .map(|program| program.info().unwrap().type_);
    assert!(
        matches!(
            kinds,
            [
                ProgramType::LwtIn,
                ProgramType::LwtOut,
                ProgramType::LwtXmit,
                ProgramType::LwtSeg6local
            ]
        ),
        "{kinds:?}"
    );
    for program in skel.object.progs() {
        assert!(program.auto_attach().unwrap().is_none());
        let name = program.name();
        let mut hook = TcHook::new(&program);
        hook.interface("wb0");
        assert_fails!(hook.attach().map(|_| ()), ErrorKind::InvalidArgument, name);
        assert_fails!(
            program.attach_tcx("wb0", Direction::Ingress, None),
            ErrorKind::InvalidArgument,
            name
        );
        assert_fails!(program.attach_netns(None), ErrorKind::InvalidArgument, name);
    }
    has_no_qdisc();
}

/// BPF_OK, and BPF_DROP of the one that sends.
fn test_run() {
    let skel = CaseSkelBuilder::new().open().unwrap().load().unwrap();
    // Ethernet with IPv4, which is all that the kernel looks at.
    let mut packet = [0u8; 64];
    packet[12] = 8;
    packet[14] = 0x45;
    for (program, verdict) in [
        (&skel.progs.on_in, 0),
        (&skel.progs.on_out, 0),
        (&skel.progs.on_xmit, 2),
    ] {
        let before = skel.bss.runs.get().unwrap();
        let output = program.test_run(ProgramInput {
            data_in: Some(&packet),
            ..ProgramInput::default()
        });
        assert_eq!(output.unwrap().return_value, verdict);
        assert_eq!(skel.bss.runs.get().unwrap(), before + 1);
    }
    // Not every kernel runs these so.
    let before = skel.bss.runs.get().unwrap();
    let output = skel.progs.on_seg6local.test_run(ProgramInput {
        data_in: Some(&packet),
        ..ProgramInput::default()
    });
    match output {
        Ok(_) => assert_eq!(skel.bss.runs.get().unwrap(), before + 1),
        Err(error) => assert!(matches!(error.kind(), ErrorKind::NotSupported), "{error}"),
    }
}
