//! XDP programs on network interfaces.

use conformance_guests::{
    assert_fails, failure, given, has_no_qdisc, holds, is_gone, link_id, packets, soon, unplug,
};
use wasm_bpf_guest::{
    Direction, ErrorKind, Link, LinkType, Object, ObjectBuilder, TcHookBuilder, Xdp, XdpMode,
};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

fn load() -> CaseSkel {
    CaseSkelBuilder::new().open().unwrap().load().unwrap()
}

/// The object with one of its programs more.
fn load_with(name: &str) -> CaseSkel {
    let open = CaseSkelBuilder::new().open().unwrap();
    open.open.program(name).unwrap().set_autoload(true).unwrap();
    open.load().unwrap()
}

/// Sees that what the link is says so, and that it is in the kernel.
fn is_attached(skel: &CaseSkel, link: &Link) {
    let info = link.info().unwrap().unwrap();
    assert!(matches!(info.type_, LinkType::Xdp), "{info:?}");
    holds(&skel.object, &[link]);
}

/// Each mode; the driver of veth has both.
fn counts_packets() {
    let skel = load();
    let interface = given("interface");
    let mut expected = 0;
    for mode in [XdpMode::Default, XdpMode::Generic, XdpMode::Native] {
        let program = &skel.progs.pass_xdp;
        let link = program.attach_xdp_with_mode(&interface, mode).unwrap();
        is_attached(&skel, &link);
        let id = program.info().unwrap().id;
        assert_eq!(link.info().unwrap().unwrap().program_id, id);
        packets(10);
        expected += 10;
        soon(|| skel.bss.seen.get().unwrap() == expected);
        let id = link_id(&link);
        drop(link);
        is_gone(&id);
        packets(10);
        assert_eq!(skel.bss.seen.get().unwrap(), expected);
    }
    // The same with the struct that libbpf-rs has.
    let mut xdp = Xdp::new(&skel.progs.pass_xdp);
    assert!(xdp.link().is_none());
    xdp.attach(&interface, XdpMode::Generic).unwrap();
    packets(5);
    soon(|| skel.bss.seen.get().unwrap() == expected + 5);
    xdp.detach();
    packets(5);
    assert_eq!(skel.bss.seen.get().unwrap(), expected + 5);
}

/// A classifier behind it sees what comes through.
fn drops_packets() {
    let skel = load_with("behind_xdp");
    let interface = given("interface");
    let mut hook = TcHookBuilder::new(&skel.progs.behind_xdp)
        .interface(&interface)
        .hook(Direction::Ingress);
    hook.create().unwrap().attach().unwrap();
    let program = &skel.progs.drop_xdp;
    packets(5);
    soon(|| skel.bss.behind.get().unwrap() == 5);
    let link = program.attach_xdp(&interface).unwrap();
    packets(5);
    soon(|| skel.bss.dropped.get().unwrap() == 5);
    assert_eq!(skel.bss.behind.get().unwrap(), 5);
    drop(link);
    packets(5);
    soon(|| skel.bss.behind.get().unwrap() == 10);
    assert_eq!(skel.bss.dropped.get().unwrap(), 5);
    drop(hook);
    has_no_qdisc();
}

/// The first stays.
fn one_program() {
    let skel = load();
    let interface = given("interface");
    let link = skel.progs.pass_xdp.attach_xdp(&interface).unwrap();
    let second = skel.progs.drop_xdp.attach_xdp(&interface);
    assert_fails!(second, ErrorKind::Busy, "drop_xdp", &interface);
    // Nor in another mode.
    let second = skel
        .progs
        .drop_xdp
        .attach_xdp_with_mode(&interface, XdpMode::Generic);
    let error = failure(second);
    assert!(
        matches!(error.kind(), ErrorKind::Busy | ErrorKind::AlreadyExists),
        "{error}"
    );
    packets(5);
    soon(|| skel.bss.seen.get().unwrap() == 5);
    drop(link);
    let _second = skel.progs.drop_xdp.attach_xdp(&interface).unwrap();
    packets(5);
    soon(|| skel.bss.dropped.get().unwrap() == 5);
}

/// The kernel has more than one word for it.
fn hardware() {
    let skel = load();
    let interface = given("interface");
    let error = failure(
        skel.progs
            .pass_xdp
            .attach_xdp_with_mode(&interface, XdpMode::Hardware),
    );
    assert!(
        matches!(
            error.kind(),
            ErrorKind::NotSupported | ErrorKind::InvalidArgument
        ),
        "{error}"
    );
    assert!(error.errno().is_some(), "{error}");
}

/// `wb1` is granted, `wb0` is not.
fn other_interface_denied() {
    let skel = load();
    let refused = skel.progs.pass_xdp.attach_xdp("wb0");
    let error = assert_fails!(refused, ErrorKind::NotGranted, "pass_xdp", "xdp=wb0");
    assert_eq!(error.subject(), Some("pass_xdp"));
    assert_eq!(error.errno(), None);
    // Whether there is one is not told either.
    let refused = skel.progs.pass_xdp.attach_xdp("wb9");
    assert_fails!(refused, ErrorKind::NotGranted, "xdp=wb9");
    assert_fails!(
        skel.progs.pass_xdp.attach_xdp("*"),
        ErrorKind::NotGranted,
        "xdp=*"
    );
    let link = skel.progs.pass_xdp.attach_xdp("wb1").unwrap();
    is_attached(&skel, &link);
}

/// Paths, text after a zero, and more than a name can have.
fn names() {
    let skel = load();
    let attach = |name: &str| skel.progs.pass_xdp.attach_xdp(name);
    for name in [
        "",
        ".",
        "..",
        "wb0/",
        "../wb0",
        "/sys/class/net/wb0",
        "wb0\0",
        "\0",
        "wb0 ",
        "wb0\n",
        "wb0:1",
        "sixteen-letters-",
        &"w".repeat(1 << 20),
    ] {
        let error = assert_fails!(attach(name), ErrorKind::InvalidArgument);
        assert_eq!(error.subject(), Some("pass_xdp"));
        assert!(error.to_string().len() < 1000);
    }
    for name in ["wb9", "fifteen-letters", "%s%n", "é"] {
        assert_fails!(attach(name), ErrorKind::NoSuchDevice, name);
    }
    assert!(attach("wb0").is_ok());
}

/// A classifier, a tracepoint's program, and one that a device map runs.
fn other_kinds() {
    let object = |name: &str| -> Object {
        let open = ObjectBuilder::default().open_memory(case::DATA).unwrap();
        open.program(name).unwrap().set_autoload(true).unwrap();
        open.load().unwrap()
    };
    for name in ["behind_xdp", "no_xdp", "of_devmap"] {
        let object = object(name);
        let program = object.program(name).unwrap();
        let refused = program.attach_xdp("wb0");
        let error = assert_fails!(refused, ErrorKind::InvalidArgument, name, "wb0");
        assert_eq!(error.errno(), None);
    }
    let skel = load();
    let program = &skel.progs.pass_xdp;
    assert_fails!(
        program.attach_tcx("wb0", Direction::Ingress, None),
        ErrorKind::InvalidArgument,
        "pass_xdp"
    );
    assert_fails!(program.attach_netns(None), ErrorKind::InvalidArgument);
}

/// The kernel detaches; the link stays a handle.
fn unplugged() {
    let skel = load();
    let link = skel.progs.pass_xdp.attach_xdp("wb0").unwrap();
    is_attached(&skel, &link);
    packets(3);
    soon(|| skel.bss.seen.get().unwrap() == 3);
    unplug();
    assert!(link.info().unwrap().is_some());
    assert_fails!(
        skel.progs.drop_xdp.attach_xdp("wb0"),
        ErrorKind::NoSuchDevice,
        "wb0"
    );
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
    let link = progs.pass_xdp.attach_xdp("wb0").unwrap();
    holds(&object, &[&link]);
    drop((object, maps, progs, links));
    packets(4);
    soon(|| bss.seen.get().unwrap() == 4);
    let id = link_id(&link);
    drop(link);
    is_gone(&id);
    packets(4);
    assert_eq!(bss.seen.get().unwrap(), 4);
}

/// One link.
fn limit() {
    let skel = load();
    let first = skel.progs.pass_xdp.attach_xdp("wb0").unwrap();
    let second = skel.progs.drop_xdp.attach_xdp("wb1");
    assert_fails!(second, ErrorKind::LimitExceeded, "links", "drop_xdp");
    drop(first);
    // What failed held nothing.
    for _ in 0..3 {
        let again = skel.progs.pass_xdp.attach_xdp("wb0").unwrap();
        assert_fails!(
            skel.progs.pass_xdp.attach_xdp("wb9"),
            ErrorKind::LimitExceeded | ErrorKind::NoSuchDevice
        );
        drop(again);
        assert_fails!(
            skel.progs.pass_xdp.attach_xdp("wb9"),
            ErrorKind::NoSuchDevice
        );
    }
}
