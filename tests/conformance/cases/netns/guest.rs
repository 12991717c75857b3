//! Programs on network namespaces.

use conformance_guests::{
    assert_fails, given, holds, is_gone, link_id, packets, packets_out, soon,
};
use wasm_bpf_guest::{ErrorKind, Link, LinkType, open_descriptor};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

fn load(names: &[&str]) -> CaseSkel {
    let open = CaseSkelBuilder::new().open().unwrap();
    for name in names {
        open.open.program(name).unwrap().set_autoload(true).unwrap();
    }
    open.load().unwrap()
}

fn is_attached(skel: &CaseSkel, link: &Link) {
    let info = link.info().unwrap().unwrap();
    assert!(matches!(info.type_, LinkType::Netns), "{info:?}");
    holds(&skel.object, &[link]);
}

fn is_detached(link: Link) {
    let id = link_id(&link);
    drop(link);
    is_gone(&id);
}

/// For each packet that comes in; nobody listens.
fn looks_sockets_up() {
    let skel = load(&["on_lookup"]);
    let program = &skel.progs.on_lookup;
    let link = program.attach_netns(None).unwrap();
    is_attached(&skel, &link);
    packets(5);
    soon(|| skel.bss.looked_up.get().unwrap() == 5);
    // There may be several, even of one program.
    let second = program.attach_netns(None).unwrap();
    packets(5);
    soon(|| skel.bss.looked_up.get().unwrap() == 15);
    is_detached(link);
    packets(5);
    soon(|| skel.bss.looked_up.get().unwrap() == 20);
    is_detached(second);
    packets(5);
    assert_eq!(skel.bss.looked_up.get().unwrap(), 20);
}

/// The kernel asks it about each packet that a packet socket sends.
fn dissects_flows() {
    let skel = load(&["on_flow"]);
    let program = &skel.progs.on_flow;
    let link = program.attach_netns(None).unwrap();
    is_attached(&skel, &link);
    packets_out(5);
    soon(|| skel.bss.dissected.get().unwrap() >= 5);
    assert_fails!(program.attach_netns(None), ErrorKind::Full, "on_flow");
    is_detached(link);
    let before = skel.bss.dissected.get().unwrap();
    packets_out(5);
    assert_eq!(skel.bss.dissected.get().unwrap(), before);
    is_detached(program.attach_netns(None).unwrap());
}

/// It is the host's own here, but that is not what is said.
fn by_descriptor() {
    let skel = load(&["on_lookup"]);
    let netns = open_descriptor(given("netns")).unwrap();
    let link = skel.progs.on_lookup.attach_netns(Some(&netns)).unwrap();
    is_attached(&skel, &link);
    packets(5);
    soon(|| skel.bss.looked_up.get().unwrap() == 5);
    is_detached(link);
}

/// A folder, a namespace of another kind, a file of another file system.
fn other_descriptors() {
    let skel = load(&["on_lookup"]);
    for path in ["/run/netns", "/proc/self/ns", "/proc/self/fdinfo/0"] {
        let descriptor = open_descriptor(path).unwrap();
        let refused = skel.progs.on_lookup.attach_netns(Some(&descriptor));
        let error = assert_fails!(refused, ErrorKind::InvalidArgument, "on_lookup", "netns");
        assert_eq!(error.errno(), None);
    }
}

/// Of every namespace.
fn other_kinds() {
    let skel = load(&["is_tc"]);
    let refused = skel.progs.is_tc.attach_netns(None);
    assert_fails!(refused, ErrorKind::InvalidArgument, "is_tc");
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
    } = load(&["on_lookup"]);
    let netns = open_descriptor(given("netns")).unwrap();
    let link = progs.on_lookup.attach_netns(Some(&netns)).unwrap();
    holds(&object, &[&link]);
    drop(netns);
    drop((object, maps, progs, links));
    packets(4);
    soon(|| bss.looked_up.get().unwrap() == 4);
    is_detached(link);
    packets(4);
    assert_eq!(bss.looked_up.get().unwrap(), 4);
}
