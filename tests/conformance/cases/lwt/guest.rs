//! Programs on routes.

use conformance_guests::{assert_fails, has_no_qdisc, holds};
use wasm_bpf_guest::{Direction, ErrorKind, ProgramType, TcHook};

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
