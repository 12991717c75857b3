//! Programs on the hooks of traffic control that are links.

use conformance_guests::{
    assert_fails, failure, given, has_filters, holds, is_gone, link_id, packets, packets_out, soon,
    unplug,
};
use wasm_bpf_guest::{
    Direction, ErrorKind, Link, LinkType, Placement, Program, Result, TC_INGRESS, TcHook,
};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

fn load() -> CaseSkel {
    CaseSkelBuilder::new().open().unwrap().load().unwrap()
}

fn attach(program: &Program, placement: Option<&Placement>) -> Result<Link> {
    program.attach_tcx("wb0", Direction::Ingress, placement)
}

/// In which order the programs see a packet.
fn order_is(skel: &CaseSkel, expected: u64) {
    skel.bss.order.set(&0).unwrap();
    packets(1);
    soon(|| skel.bss.order.get().unwrap() == expected);
}

/// Each side has its own.
fn counts_packets() {
    let skel = load();
    let interface = given("interface");
    let link = attach(&skel.progs.one, None).unwrap();
    let info = link.info().unwrap().unwrap();
    assert!(matches!(info.type_, LinkType::Tcx), "{info:?}");
    assert_eq!(info.program_id, skel.progs.one.info().unwrap().id);
    let egress = skel
        .progs
        .leaving
        .attach_tcx(&interface, Direction::Egress, None)
        .unwrap();
    holds(&skel.object, &[&link, &egress]);
    packets(3);
    soon(|| skel.bss.order.get().unwrap() == 111);
    assert_eq!(skel.bss.out.get().unwrap(), 0);
    packets_out(4);
    soon(|| skel.bss.out.get().unwrap() == 4);
    assert_eq!(skel.bss.order.get().unwrap(), 111);
    let ids = [&link, &egress].map(link_id);
    drop(link);
    drop(egress);
    ids.iter().for_each(|id| is_gone(id));
    packets(3);
    packets_out(3);
    assert_eq!(skel.bss.order.get().unwrap(), 111);
    assert_eq!(skel.bss.out.get().unwrap(), 4);
}

/// Every way to say where.
fn order() {
    let skel = load();
    let progs = &skel.progs;
    // Without a place: behind.
    let one = attach(&progs.one, None).unwrap();
    let two = attach(&progs.two, None).unwrap();
    order_is(&skel, 12);
    let at = |placement: Placement, expected: u64| {
        let three = attach(&progs.three, Some(&placement)).unwrap();
        order_is(&skel, expected);
        drop(three);
        order_is(&skel, 12);
    };
    at(Placement::new(), 123);
    at(Placement::first(), 312);
    at(Placement::last(), 123);
    at(Placement::before(&progs.one).unwrap(), 312);
    at(Placement::after(&progs.one).unwrap(), 132);
    at(Placement::before(&progs.two).unwrap(), 132);
    at(Placement::after(&progs.two).unwrap(), 123);
    at(Placement::before_link(&one).unwrap(), 312);
    at(Placement::after_link(&one).unwrap(), 132);
    at(Placement::before_link(&two).unwrap(), 132);
    at(Placement::after_link(&two).unwrap(), 123);
    let id = progs.two.info().unwrap().id;
    at(Placement::before_id(id), 132);
    at(Placement::after_id(id), 123);
}

/// TCX_DROP.
fn stops_the_others() {
    let skel = load();
    let _one = attach(&skel.progs.one, None).unwrap();
    let _two = attach(&skel.progs.two, None).unwrap();
    order_is(&skel, 12);
    skel.data.answer.set(&2).unwrap();
    skel.bss.order.set(&0).unwrap();
    packets(2);
    soon(|| skel.bss.order.get().unwrap() == 11);
}

/// A hook begins with 1, and each change counts.
fn revisions() {
    const ESTALE: i32 = 116;
    let skel = load();
    let expecting = |revision| Placement::new().expected_revision(revision);
    let stale = |revision| {
        let refused = attach(&skel.progs.two, Some(&expecting(revision)));
        let error = assert_fails!(refused, ErrorKind::Other(ESTALE), "two");
        assert_eq!(error.errno(), Some(ESTALE));
    };
    let _one = attach(&skel.progs.one, Some(&expecting(1))).unwrap();
    stale(1);
    stale(u64::MAX);
    let two = attach(&skel.progs.two, Some(&expecting(2))).unwrap();
    order_is(&skel, 12);
    drop(two);
    stale(3);
    let _two = attach(&skel.progs.two, Some(&expecting(4))).unwrap();
    // Whatever it is.
    let _three = attach(&skel.progs.three, Some(&expecting(0))).unwrap();
    order_is(&skel, 123);
}

/// A program that is loaded, a link that is gone, and numbers that are no program's.
fn no_neighbour() {
    let skel = load();
    let _one = attach(&skel.progs.one, None).unwrap();
    let beside = |placement: Placement| {
        let refused = attach(&skel.progs.two, Some(&placement));
        assert_fails!(refused, ErrorKind::NotFound, "two");
    };
    beside(Placement::before(&skel.progs.three).unwrap());
    let three = attach(&skel.progs.three, None).unwrap();
    let placement = Placement::before_link(&three).unwrap();
    let id = link_id(&three);
    holds(&skel.object, &[&three]);
    drop(three);
    // The placement does not keep it.
    is_gone(&id);
    beside(placement);
    beside(Placement::before_id(u32::MAX));
    beside(Placement::after_id(0x7fff_ffff));
    order_is(&skel, 1);
}

/// The classic hook has none.
fn no_link() {
    let skel = load();
    let mut hook = TcHook::new(&skel.progs.one);
    hook.interface("wb0")
        .attach_point(TC_INGRESS)
        .attach()
        .unwrap();
    has_filters(1);
    let link = hook.into_link().unwrap();
    let before = Placement::before_link(&link);
    assert_fails!(before, ErrorKind::NotSupported);
    assert_fails!(Placement::after_link(&link), ErrorKind::NotSupported);
}

/// By the host, but for what the kernel alone knows.
fn refused() {
    let open = CaseSkelBuilder::new().open().unwrap();
    open.progs.is_xdp.set_autoload(true).unwrap();
    let skel = open.load().unwrap();
    let progs = &skel.progs;
    let ingress = |program: &Program, name: &str| {
        let attached = program.attach_tcx(name, Direction::Ingress, None);
        failure(attached)
    };
    let is = |error: wasm_bpf_guest::Error, name: &str| {
        assert!(
            matches!(error.kind(), ErrorKind::InvalidArgument),
            "{error}"
        );
        assert_eq!(error.subject(), Some(name));
        assert_eq!(error.errno(), None);
    };
    is(ingress(&progs.leaving, "wb0"), "leaving");
    is(ingress(&progs.is_xdp, "wb0"), "is_xdp");
    for name in ["", "wb0/", "wb0\0", "sixteen-letters-"] {
        is(ingress(&progs.one, name), "one");
    }
    let egress = progs.two.attach_tcx("wb0", Direction::Egress, None);
    is(failure(egress), "two");
    let device = progs.one.attach_tcx("wb9", Direction::Ingress, None);
    assert_fails!(device, ErrorKind::NoSuchDevice, "wb9");
    let denied = progs.one.attach_tcx("wb1", Direction::Ingress, None);
    assert_fails!(denied, ErrorKind::NotGranted, "tc=wb1", "one");
    // A hook has a program once.
    let _one = attach(&progs.one, None).unwrap();
    let again = attach(&progs.one, None);
    assert_fails!(again, ErrorKind::AlreadyExists, "one", "wb0");
}

/// The kernel detaches; the link stays a handle.
fn unplugged() {
    let skel = load();
    let link = attach(&skel.progs.one, None).unwrap();
    holds(&skel.object, &[&link]);
    order_is(&skel, 1);
    unplug();
    assert!(link.info().unwrap().is_some());
    let id = link_id(&link);
    drop(link);
    is_gone(&id);
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
    let placement = Placement::first();
    let link = attach(&progs.one, Some(&placement)).unwrap();
    holds(&object, &[&link]);
    drop(placement);
    drop((object, maps, progs, links));
    packets(4);
    soon(|| bss.order.get().unwrap() == 1111);
    let id = link_id(&link);
    drop(link);
    is_gone(&id);
}

/// On a kernel that has it, it works.
fn older_kernel() {
    let skel = load();
    match attach(&skel.progs.one, None) {
        Ok(_link) => order_is(&skel, 1),
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::NotSupported), "{error}");
            assert!(error.to_string().contains("6.6"), "{error}");
        }
    }
}
