//! Links to the network: what the kernel says of them, and what is done to them.

use conformance_guests::{assert_fails, given, is_gone, is_held, link_id};
use wasm_bpf_guest::{
    Direction, ErrorKind, InterfaceDetails, Link, LinkDetails, NF_INET_LOCAL_IN, NFPROTO_IPV4,
    NetfilterOpts, Program,
};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

/// The object with these of its programs.
fn loaded(names: &[&str]) -> CaseSkel {
    let open = CaseSkelBuilder::new().open().unwrap();
    for name in names {
        let program = open.open.program(name).unwrap();
        program.set_autoload(true).unwrap();
    }
    open.load().unwrap()
}

fn interface() -> String {
    given("interface")
}

fn details(link: &Link) -> LinkDetails {
    link.info().unwrap().unwrap().details
}

fn xdp(link: &Link) -> InterfaceDetails {
    match details(link) {
        LinkDetails::Xdp(details) => details,
        other => panic!("{other:?}"),
    }
}

fn xdp_info() {
    /// BPF_XDP
    const ATTACH_TYPE: u32 = 37;
    let skel = loaded(&["first"]);
    let link = skel.progs.first.attach_xdp(interface()).unwrap();
    let details = xdp(&link);
    assert_ne!(details.interface_index, 0);
    assert_eq!(details.attach_type, ATTACH_TYPE);
    assert!(link.places().unwrap().is_empty());
}

fn tcx_info() {
    /// BPF_TCX_INGRESS
    const ATTACH_TYPE: u32 = 46;
    let skel = loaded(&["on_ingress"]);
    let program = &skel.progs.on_ingress;
    let link = program.attach_tcx(interface(), Direction::Ingress, None);
    match details(&link.unwrap()) {
        LinkDetails::Tcx(details) => {
            assert_ne!(details.interface_index, 0);
            assert_eq!(details.attach_type, ATTACH_TYPE);
        }
        other => panic!("{other:?}"),
    }
}

fn netkit_info() {
    /// BPF_NETKIT_PRIMARY
    const ATTACH_TYPE: u32 = 54;
    let skel = loaded(&["on_primary"]);
    let program = &skel.progs.on_primary;
    let link = program.attach_netkit(given("netkit"), false, None);
    match details(&link.unwrap()) {
        LinkDetails::Netkit(details) => {
            assert_ne!(details.interface_index, 0);
            assert_eq!(details.attach_type, ATTACH_TYPE);
        }
        other => panic!("{other:?}"),
    }
}

fn netns_info() {
    /// BPF_SK_LOOKUP
    const ATTACH_TYPE: u32 = 36;
    let skel = loaded(&["on_lookup"]);
    let link = skel.progs.on_lookup.attach_netns(None).unwrap();
    match details(&link) {
        LinkDetails::Netns(details) => {
            assert_ne!(details.inode, 0);
            assert_eq!(details.attach_type, ATTACH_TYPE);
        }
        other => panic!("{other:?}"),
    }
}

fn netfilter_info() {
    let skel = loaded(&["on_hook"]);
    let opts = NetfilterOpts {
        protocol_family: NFPROTO_IPV4,
        hooknum: NF_INET_LOCAL_IN,
        priority: -77,
        ..NetfilterOpts::default()
    };
    let link = skel.progs.on_hook.attach_netfilter_with_opts(opts).unwrap();
    match details(&link) {
        LinkDetails::Netfilter(details) => {
            assert_eq!(
                (details.protocol_family, details.priority),
                (NFPROTO_IPV4, -77)
            );
            assert_eq!((details.hook, details.flags), (NF_INET_LOCAL_IN, 0));
        }
        other => panic!("{other:?}"),
    }
}

fn id(program: &Program) -> u32 {
    program.info().unwrap().id
}

fn program_of(link: &Link) -> u32 {
    link.info().unwrap().unwrap().program_id
}

fn replace() {
    let skel = loaded(&["first", "second"]);
    let (first, second) = (&skel.progs.first, &skel.progs.second);
    let mut link = first.attach_xdp(interface()).unwrap();
    assert_fails!(
        link.replace_prog(second, second),
        ErrorKind::NotPermitted,
        "second"
    );
    assert_eq!(program_of(&link), id(first));
    link.replace_prog(second, first).unwrap();
    assert_eq!(program_of(&link), id(second));
    link.update_prog(first).unwrap();
    assert_eq!(program_of(&link), id(first));
    let (first, link_id) = (id(first), link_id(&link));
    drop(skel);
    is_held(&format!("program={first} {link_id}"));
    drop(link);
    is_gone(&link_id);
    is_gone(&format!("program={first}"));
}

/// Nothing is attached, and still the link is there.
fn detach() {
    let skel = loaded(&["first", "second"]);
    let link = skel.progs.first.attach_xdp(interface()).unwrap();
    assert_fails!(skel.progs.second.attach_xdp(interface()), ErrorKind::Busy);
    link.detach().unwrap();
    assert_eq!(xdp(&link).interface_index, 0);
    is_held(&link_id(&link));
    let other = skel.progs.second.attach_xdp(interface()).unwrap();
    // What is detached cannot take part any more, and does not take the other away.
    link.detach().unwrap();
    drop(link);
    assert_ne!(xdp(&other).interface_index, 0);
    assert_fails!(skel.progs.first.attach_xdp(interface()), ErrorKind::Busy);
}

fn path() -> String {
    format!("{}/name", given("bpffs"))
}

fn detach_pinned() {
    let skel = loaded(&["first", "second"]);
    let mut link = skel.progs.first.attach_xdp(interface()).unwrap();
    link.pin(path()).unwrap();
    drop(link);
    assert_fails!(skel.progs.second.attach_xdp(interface()), ErrorKind::Busy);
    let mut opened = Link::open(path()).unwrap();
    opened.detach().unwrap();
    let _other = skel.progs.second.attach_xdp(interface()).unwrap();
    assert_eq!(xdp(&Link::open(path()).unwrap()).interface_index, 0);
    opened.unpin(path()).unwrap();
}

fn opened(skel: &CaseSkel) -> Link {
    let mut link = skel.progs.first.attach_xdp(interface()).unwrap();
    link.pin(path()).unwrap();
    Link::open(path()).unwrap()
}

fn replace_in_pinned() {
    let skel = loaded(&["first", "second"]);
    let mut opened = opened(&skel);
    opened.update_prog(&skel.progs.second).unwrap();
    assert_eq!(program_of(&opened), id(&skel.progs.second));
    opened.unpin(path()).unwrap();
}

/// That it made the link itself is not known of a handle that was opened.
fn replace_in_pinned_denied() {
    let skel = loaded(&["first", "second"]);
    let mut opened = opened(&skel);
    assert_fails!(
        opened.update_prog(&skel.progs.second),
        ErrorKind::NotGranted,
        "xdp=*"
    );
    assert_eq!(program_of(&opened), id(&skel.progs.first));
    opened.unpin(path()).unwrap();
}
