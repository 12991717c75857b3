//! Filters of the classic hook of traffic control.

use conformance_guests::{
    assert_fails, given, has_filters, has_no_qdisc, leaves_filters, packets, packets_out, soon,
    unplug,
};
use wasm_bpf_guest::query;
use wasm_bpf_guest::{
    Direction, ErrorKind, Link, Program, Result, TC_EGRESS, TC_INGRESS, TcHook, TcHookBuilder,
};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

fn load() -> CaseSkel {
    CaseSkelBuilder::new().open().unwrap().load().unwrap()
}

fn load_with(name: &str) -> CaseSkel {
    let open = CaseSkelBuilder::new().open().unwrap();
    open.open.program(name).unwrap().set_autoload(true).unwrap();
    open.load().unwrap()
}

fn attach(
    program: &Program,
    interface: &str,
    side: Direction,
    priority: u32,
    handle: u32,
) -> Result<Link> {
    let mut hook = TcHook::new(program);
    hook.interface(interface)
        .attach_point(side)
        .priority(priority)
        .handle(handle);
    hook.attach()?;
    Ok(hook.into_link().unwrap())
}

/// Each side has its own.
fn counts_packets() {
    let skel = load();
    let interface = given("interface");
    has_no_qdisc();
    let mut builder = TcHookBuilder::new(&skel.progs.count_first);
    builder.interface(&interface).priority(7).handle(9);
    let mut ingress = builder.hook(TC_INGRESS);
    assert_eq!((ingress.get_priority(), ingress.get_handle()), (7, 9));
    assert_fails!(ingress.query(), ErrorKind::NotFound, "count_first");
    ingress.create().unwrap().attach().unwrap();
    has_filters(1);
    let id = skel.progs.count_first.info().unwrap().id;
    assert_eq!(ingress.query().unwrap(), id);
    packets(10);
    soon(|| skel.bss.first.get().unwrap() == 10);
    packets_out(10);
    assert_eq!(skel.bss.first.get().unwrap(), 10);
    let egress = attach(&skel.progs.count_second, &interface, TC_EGRESS, 0, 0).unwrap();
    // The kernel has no link for it.
    assert!(egress.info().unwrap().is_none());
    has_filters(2);
    packets_out(10);
    soon(|| skel.bss.second.get().unwrap() == 10);
    assert_eq!(skel.bss.first.get().unwrap(), 10);
    ingress.detach().unwrap();
    has_filters(1);
    packets(10);
    assert_eq!(skel.bss.first.get().unwrap(), 10);
    // Twice does nothing.
    ingress.destroy().unwrap();
    drop(egress);
    has_no_qdisc();
    packets_out(10);
    assert_eq!(skel.bss.second.get().unwrap(), 10);
}

/// What the first one drops the second one does not see.
fn priorities() {
    let skel = load();
    let interface = given("interface");
    let second = attach(&skel.progs.count_second, &interface, TC_INGRESS, 2, 0).unwrap();
    let first = attach(&skel.progs.count_first, &interface, TC_INGRESS, 1, 0).unwrap();
    has_filters(2);
    packets(5);
    soon(|| skel.bss.second.get().unwrap() == 5);
    assert_eq!(skel.bss.first.get().unwrap(), 5);
    const DROP: i32 = 2;
    skel.data.answer.set(&DROP).unwrap();
    packets(5);
    soon(|| skel.bss.first.get().unwrap() == 10);
    assert_eq!(skel.bss.second.get().unwrap(), 5);
    drop(first);
    has_filters(1);
    packets(5);
    soon(|| skel.bss.second.get().unwrap() == 10);
    drop(second);
    has_no_qdisc();
}

/// Of the kernel's own choice there are two.
fn one_place() {
    let skel = load();
    let interface = given("interface");
    let place = |program, handle| attach(program, &interface, TC_INGRESS, 5, handle);
    let first = place(&skel.progs.count_first, 1).unwrap();
    let again = place(&skel.progs.count_second, 1);
    assert_fails!(again, ErrorKind::AlreadyExists, "count_second", &interface);
    has_filters(1);
    packets(5);
    soon(|| skel.bss.first.get().unwrap() == 5);
    let beside = place(&skel.progs.count_second, 2).unwrap();
    let anywhere = place(&skel.progs.count_second, 0).unwrap();
    has_filters(3);
    drop(beside);
    has_filters(2);
    drop(first);
    has_filters(1);
    packets(5);
    soon(|| skel.bss.second.get().unwrap() >= 5);
    assert_eq!(skel.bss.first.get().unwrap(), 5);
    drop(anywhere);
    has_no_qdisc();
}

/// The one that made the qdisc goes first, and last.
fn last_one_tidies_up() {
    let skel = load();
    let interface = given("interface");
    for first_goes_first in [true, false] {
        let first = attach(&skel.progs.count_first, &interface, TC_INGRESS, 0, 0).unwrap();
        let second = attach(&skel.progs.count_second, &interface, TC_EGRESS, 0, 0).unwrap();
        let (one, other) = match first_goes_first {
            true => (first, second),
            false => (second, first),
        };
        drop(one);
        has_filters(1);
        drop(other);
        has_no_qdisc();
    }
}

fn place(link: &Link) -> (u32, u32) {
    let place = link.filter_place().unwrap();
    (place.priority, place.handle)
}

/// The kernel counts down from the highest priority for each filter.
fn places() {
    let skel = load();
    let interface = given("interface");
    let program = &skel.progs.count_first;
    let given = attach(program, &interface, TC_INGRESS, 7, 9).unwrap();
    assert_eq!(place(&given), (7, 9));
    let mut hook = TcHook::new(program);
    hook.interface(&interface).attach().unwrap();
    let chosen = (hook.get_priority(), hook.get_handle());
    assert!(
        chosen.0 > 7 && chosen.0 <= 65535 && chosen.1 != 0,
        "{chosen:?}"
    );
    let link = hook.into_link().unwrap();
    assert_eq!(place(&link), chosen);
    // It is there, and no other can be.
    let again = attach(
        &skel.progs.count_second,
        &interface,
        TC_INGRESS,
        chosen.0,
        chosen.1,
    );
    assert_fails!(again, ErrorKind::AlreadyExists);
    // With a priority of one's own the kernel chooses the handle.
    let beside = attach(program, &interface, TC_INGRESS, chosen.0, 0).unwrap();
    let (priority, handle) = place(&beside);
    assert_eq!(priority, chosen.0);
    assert!(handle != 0 && handle != chosen.1, "{handle}");
    has_filters(3);
    link.detach().unwrap();
    has_filters(2);
    assert_eq!(place(&link), chosen);
}

/// With the program and the place of each.
fn found() {
    let skel = load();
    let interface = given("interface");
    let found = |side| -> Vec<_> {
        let all = query::filters(&interface, side).unwrap();
        let each =
            |one: query::AttachedFilter| (one.program, (one.place.priority, one.place.handle));
        all.into_iter().map(each).collect()
    };
    assert_eq!(found(TC_INGRESS), []);
    let ids = [&skel.progs.count_first, &skel.progs.count_second].map(|one| one.info().unwrap().id);
    let last = attach(&skel.progs.count_first, &interface, TC_INGRESS, 0, 0).unwrap();
    let middle = attach(&skel.progs.count_second, &interface, TC_INGRESS, 5, 6).unwrap();
    let first = attach(&skel.progs.count_first, &interface, TC_INGRESS, 4, 7).unwrap();
    let egress = attach(&skel.progs.count_second, &interface, TC_EGRESS, 0, 8).unwrap();
    let expected = [(ids[0], (4, 7)), (ids[1], (5, 6)), (ids[0], place(&last))];
    assert_eq!(found(TC_INGRESS), expected);
    assert_eq!(found(TC_EGRESS), [(ids[1], place(&egress))]);
    drop(middle);
    assert_eq!(found(TC_INGRESS), [expected[0], expected[2]]);
    drop((first, last));
    assert_eq!(found(TC_INGRESS), []);
    for name in ["", "no-such-device", "wb0\0"] {
        assert_fails!(query::filters(name, TC_INGRESS), ErrorKind::NoSuchDevice);
    }
}

/// What made the qdisc is dropped; what was disconnected is left alone.
fn disconnected() {
    let CaseSkel {
        object,
        maps,
        progs,
        links,
        bss,
        ..
    } = load();
    let interface = given("interface");
    let dropped = attach(&progs.count_second, &interface, TC_EGRESS, 0, 0).unwrap();
    let link = attach(&progs.count_first, &interface, TC_INGRESS, 0, 0).unwrap();
    link.disconnect().unwrap();
    drop(dropped);
    has_filters(1);
    // It counts as a link as long as the component runs.
    let second = attach(&progs.count_second, &interface, TC_EGRESS, 0, 0).unwrap();
    let third = attach(&progs.count_second, &interface, TC_EGRESS, 0, 0);
    assert_fails!(third, ErrorKind::LimitExceeded, "links");
    drop(second);
    drop((object, maps, progs, links));
    packets(4);
    soon(|| bss.first.get().unwrap() == 4);
    has_filters(1);
    leaves_filters(1);
}

fn disconnect_denied() {
    let skel = load();
    let link = attach(&skel.progs.count_first, "wb0", TC_INGRESS, 0, 0).unwrap();
    has_filters(1);
    assert_fails!(link.disconnect(), ErrorKind::NotGranted, "disconnect");
    has_no_qdisc();
}

/// `wb1` is granted, `wb0` is not.
fn other_interface_denied() {
    let skel = load();
    let refused = attach(&skel.progs.count_first, "wb0", TC_INGRESS, 0, 0);
    let error = assert_fails!(refused, ErrorKind::NotGranted, "count_first", "tc=wb0");
    assert_eq!(error.subject(), Some("count_first"));
    let refused = skel.progs.count_first.attach_tcx("wb0", TC_INGRESS, None);
    assert_fails!(refused, ErrorKind::NotGranted, "tc=wb0");
    let refused = skel.progs.count_first.attach_netkit("wb0", false, None);
    assert_fails!(refused, ErrorKind::NotGranted, "tc=wb0");
    has_no_qdisc();
    let _link = attach(&skel.progs.count_first, "wb1", TC_INGRESS, 0, 0).unwrap();
    packets_out(1);
    soon(|| skel.bss.first.get().unwrap() == 1);
}

/// No filter is made of them, and no qdisc.
fn absurd_numbers() {
    let skel = load();
    let program = &skel.progs.count_first;
    for priority in [65536, 1 << 16 | 1, u32::MAX] {
        let refused = attach(program, "wb0", TC_INGRESS, priority, 0);
        assert_fails!(refused, ErrorKind::InvalidArgument, "count_first");
    }
    for name in ["", "wb0/", "../wb0", "wb0\0", "wb0 ", "sixteen-letters-"] {
        let refused = attach(program, name, TC_INGRESS, 0, 0);
        assert_fails!(refused, ErrorKind::InvalidArgument);
    }
    assert_fails!(
        attach(program, "wb9", TC_INGRESS, 0, 0),
        ErrorKind::NoSuchDevice,
        "wb9"
    );
    has_no_qdisc();
    // The largest that there are.
    let link = attach(program, "wb0", TC_INGRESS, 65535, u32::MAX).unwrap();
    has_filters(1);
    drop(link);
    has_no_qdisc();
}

/// For the other side, for another hook, of another kind.
fn other_kinds() {
    for name in ["for_netkit", "is_action", "is_xdp", "for_egress"] {
        let skel = load_with(name);
        let program = skel.object.program(name).unwrap();
        let refused = attach(&program, "wb0", TC_INGRESS, 0, 0);
        let error = assert_fails!(refused, ErrorKind::InvalidArgument, name);
        assert_eq!(error.errno(), None);
    }
    has_no_qdisc();
    // The side that the section names.
    let skel = load_with("for_egress");
    let link = attach(&skel.progs.for_egress, "wb0", TC_EGRESS, 0, 0).unwrap();
    packets_out(3);
    soon(|| skel.bss.second.get().unwrap() == 3);
    drop(link);
    has_no_qdisc();
}

/// The filter went with it.
fn unplugged() {
    let skel = load();
    let link = attach(&skel.progs.count_first, "wb0", TC_INGRESS, 0, 0).unwrap();
    packets(3);
    soon(|| skel.bss.first.get().unwrap() == 3);
    unplug();
    drop(link);
    assert_fails!(
        attach(&skel.progs.count_first, "wb0", TC_INGRESS, 0, 0),
        ErrorKind::NoSuchDevice,
        "wb0"
    );
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
    let link = attach(&progs.count_first, "wb0", TC_INGRESS, 0, 0).unwrap();
    drop((object, maps, progs, links));
    packets(4);
    soon(|| bss.first.get().unwrap() == 4);
    has_filters(1);
    drop(link);
    has_no_qdisc();
    packets(4);
    assert_eq!(bss.first.get().unwrap(), 4);
}

/// One link.
fn limit() {
    let skel = load();
    let program = &skel.progs.count_first;
    let first = attach(program, "wb0", TC_INGRESS, 0, 0).unwrap();
    let second = attach(program, "wb0", TC_EGRESS, 0, 0);
    assert_fails!(second, ErrorKind::LimitExceeded, "links", "count_first");
    has_filters(1);
    drop(first);
    has_no_qdisc();
    let _second = attach(program, "wb0", TC_EGRESS, 0, 0).unwrap();
}

/// Each is the one that was made.
fn many() {
    let skel = load();
    let program = &skel.progs.count_first;
    let attach = |_| attach(program, "wb0", TC_INGRESS, 0, 0).unwrap();
    let links = (0..100).map(attach).collect::<Vec<_>>();
    has_filters(100);
    packets(1);
    soon(|| skel.bss.first.get().unwrap() == 100);
    for (dropped, link) in links.into_iter().enumerate() {
        drop(link);
        if dropped == 49 {
            has_filters(50);
        }
    }
    has_no_qdisc();
}
