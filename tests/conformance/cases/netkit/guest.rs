//! Programs on netkit pairs.

use conformance_guests::{
    assert_fails, failure, given, holds, is_gone, link_id, packets_through, soon,
};
use wasm_bpf_guest::{ErrorKind, Link, LinkType, Placement, Program, Result};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

fn load() -> CaseSkel {
    CaseSkelBuilder::new().open().unwrap().load().unwrap()
}

fn attach(program: &Program, peer: bool, placement: Option<&Placement>) -> Result<Link> {
    program.attach_netkit(given("netkit"), peer, placement)
}

/// Packets that an end of the pair sends.
fn from_primary(count: u64) {
    packets_through(count, &given("netkit"), &given("netkit-peer"));
}

fn from_peer(count: u64) {
    packets_through(count, &given("netkit-peer"), &given("netkit"));
}

/// Both ends, by the name of the primary one.
fn counts_packets() {
    let skel = load();
    let primary = attach(&skel.progs.on_primary, false, None).unwrap();
    let peer = attach(&skel.progs.on_peer, true, None).unwrap();
    for (link, program) in [
        (&primary, &skel.progs.on_primary),
        (&peer, &skel.progs.on_peer),
    ] {
        let info = link.info().unwrap().unwrap();
        assert!(matches!(info.type_, LinkType::Netkit), "{info:?}");
        assert_eq!(info.program_id, program.info().unwrap().id);
    }
    holds(&skel.object, &[&primary, &peer]);
    from_primary(5);
    soon(|| skel.bss.primary.get().unwrap() == 5);
    assert_eq!(skel.bss.peer.get().unwrap(), 0);
    from_peer(7);
    soon(|| skel.bss.peer.get().unwrap() == 7);
    assert_eq!(skel.bss.primary.get().unwrap(), 5);
    let id = link_id(&primary);
    drop(primary);
    is_gone(&id);
    from_primary(5);
    assert_eq!(skel.bss.primary.get().unwrap(), 5);
}

/// In front of, behind, and beside what is not there.
fn order() {
    let skel = load();
    let link = attach(&skel.progs.on_primary, false, None).unwrap();
    let first = attach(&skel.progs.on_any, false, Some(&Placement::first())).unwrap();
    from_primary(1);
    soon(|| skel.bss.order.get().unwrap() == 21);
    drop(first);
    let behind = Placement::after_link(&link).unwrap();
    let _behind = attach(&skel.progs.on_any, false, Some(&behind)).unwrap();
    skel.bss.order.set(&0).unwrap();
    from_primary(1);
    soon(|| skel.bss.order.get().unwrap() == 12);
    let beside = Placement::before(&skel.progs.on_peer).unwrap();
    let refused = attach(&skel.progs.on_any, true, Some(&beside));
    assert_fails!(refused, ErrorKind::NotFound, "on_any");
}

/// By the host, or by the kernel.
fn refused() {
    const ENXIO: i32 = 6;
    let skel = load();
    let program = &skel.progs.on_primary;
    let error = failure(attach(program, true, None));
    assert!(
        matches!(error.kind(), ErrorKind::InvalidArgument),
        "{error}"
    );
    assert_eq!(error.errno(), None);
    for name in ["", "a/b", "wbk0\0", "sixteen-letters-"] {
        let refused = program.attach_netkit(name, false, None);
        assert_fails!(refused, ErrorKind::InvalidArgument);
    }
    let refused = program.attach_netkit("wb9", false, None);
    assert_fails!(refused, ErrorKind::NoSuchDevice, "wb9");
    let refused = program.attach_netkit("wb0", false, None);
    assert_fails!(refused, ErrorKind::Other(ENXIO), "wb0");
    let peer = given("netkit-peer");
    let refused = program.attach_netkit(&peer, false, None);
    assert_fails!(refused, ErrorKind::AccessDenied, &peer);
}

/// Only the link is left of it.
fn handles_dropped_first() {
    let CaseSkel {
        object,
        maps,
        progs,
        links,
        bss,
        ..
    } = load();
    let link = attach(&progs.on_primary, false, None).unwrap();
    holds(&object, &[&link]);
    drop((object, maps, progs, links));
    from_primary(4);
    soon(|| bss.primary.get().unwrap() == 4);
    let id = link_id(&link);
    drop(link);
    is_gone(&id);
}

/// Of the veth interface: with netkit the kernel says that it is none.
fn without_netkit() {
    const ENXIO: i32 = 6;
    let skel = load();
    let interface = given("interface");
    let error = failure(skel.progs.on_primary.attach_netkit(&interface, false, None));
    match error.kind() {
        ErrorKind::NotSupported => assert!(error.to_string().contains("CONFIG_NETKIT"), "{error}"),
        ErrorKind::Other(ENXIO) => {}
        _ => panic!("{error}"),
    }
}
