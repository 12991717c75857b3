//! Programs on hooks of netfilter.

use conformance_guests::{assert_fails, failure, holds, is_gone, link_id, packets, soon};
use wasm_bpf_guest::{
    ErrorKind, Link, LinkType, NF_INET_LOCAL_IN, NF_INET_PRE_ROUTING, NFPROTO_IPV4, NFPROTO_IPV6,
    NetfilterOpts, Program, Result,
};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

fn load() -> CaseSkel {
    let open = CaseSkelBuilder::new().open().unwrap();
    open.progs.on_first.set_autoload(true).unwrap();
    open.progs.on_second.set_autoload(true).unwrap();
    open.load().unwrap()
}

fn attach(program: &Program, hooknum: u32, priority: i32) -> Result<Link> {
    program.attach_netfilter_with_opts(NetfilterOpts {
        protocol_family: NFPROTO_IPV4,
        hooknum,
        priority,
        defragment: false,
    })
}

/// Before routing, and at the machine's own door.
fn drops_packets() {
    let skel = load();
    let first = attach(&skel.progs.on_first, NF_INET_PRE_ROUTING, -5).unwrap();
    let second = attach(&skel.progs.on_second, NF_INET_LOCAL_IN, 5).unwrap();
    let info = first.info().unwrap().unwrap();
    assert!(matches!(info.type_, LinkType::Netfilter), "{info:?}");
    assert_eq!(info.program_id, skel.progs.on_first.info().unwrap().id);
    holds(&skel.object, &[&first, &second]);
    packets(5);
    soon(|| skel.bss.second.get().unwrap() == 5);
    assert_eq!(skel.bss.first.get().unwrap(), 5);
    // NF_DROP
    skel.data.verdict.set(&0).unwrap();
    packets(5);
    soon(|| skel.bss.first.get().unwrap() == 10);
    assert_eq!(skel.bss.second.get().unwrap(), 5);
    let id = link_id(&first);
    drop(first);
    is_gone(&id);
    packets(5);
    soon(|| skel.bss.second.get().unwrap() == 10);
    assert_eq!(skel.bss.first.get().unwrap(), 10);
}

/// Another hook, another priority.
fn same_priority() {
    let skel = load();
    let first = attach(&skel.progs.on_first, NF_INET_LOCAL_IN, 7).unwrap();
    let again = attach(&skel.progs.on_second, NF_INET_LOCAL_IN, 7);
    assert_fails!(again, ErrorKind::Busy, "on_second");
    let behind = attach(&skel.progs.on_second, NF_INET_LOCAL_IN, 8).unwrap();
    let before = attach(&skel.progs.on_second, NF_INET_PRE_ROUTING, 7).unwrap();
    packets(3);
    soon(|| skel.bss.second.get().unwrap() == 6);
    assert_eq!(skel.bss.first.get().unwrap(), 3);
    drop((first, behind, before));
}

/// Each is the kernel's to judge.
fn absurd_numbers() {
    const ERANGE: i32 = 34;
    const EPROTO: i32 = 71;
    const EAFNOSUPPORT: i32 = 97;
    let skel = load();
    let program = &skel.progs.on_first;
    let attach = |protocol_family, hooknum, priority| {
        failure(program.attach_netfilter_with_opts(NetfilterOpts {
            protocol_family,
            hooknum,
            priority,
            defragment: false,
        }))
    };
    for priority in [i32::MIN, i32::MAX] {
        let error = attach(NFPROTO_IPV4, NF_INET_LOCAL_IN, priority);
        assert!(matches!(error.kind(), ErrorKind::Other(ERANGE)), "{error}");
    }
    for family in [0, 1, 7, 4711, u32::MAX] {
        let error = attach(family, NF_INET_LOCAL_IN, 1);
        assert!(
            matches!(error.kind(), ErrorKind::Other(EAFNOSUPPORT)),
            "{error}"
        );
    }
    for hook in [5, 99, u32::MAX] {
        let error = attach(NFPROTO_IPV6, hook, 1);
        assert!(matches!(error.kind(), ErrorKind::Other(EPROTO)), "{error}");
    }
}

/// Packets that are whole already.
fn defragments() {
    const ERANGE: i32 = 34;
    let skel = load();
    let attach = |priority| {
        skel.progs
            .on_first
            .attach_netfilter_with_opts(NetfilterOpts {
                protocol_family: NFPROTO_IPV4,
                hooknum: NF_INET_LOCAL_IN,
                priority,
                defragment: true,
            })
    };
    assert_fails!(attach(-400), ErrorKind::Other(ERANGE), "on_first");
    let link = attach(-300).unwrap();
    holds(&skel.object, &[&link]);
    packets(3);
    soon(|| skel.bss.first.get().unwrap() == 3);
}

/// A classifier.
fn other_kinds() {
    let open = CaseSkelBuilder::new().open().unwrap();
    open.progs.is_tc.set_autoload(true).unwrap();
    let skel = open.load().unwrap();
    let refused = attach(&skel.progs.is_tc, NF_INET_LOCAL_IN, 1);
    let error = assert_fails!(refused, ErrorKind::InvalidArgument, "is_tc");
    assert_eq!(error.errno(), None);
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
    let link = attach(&progs.on_first, NF_INET_LOCAL_IN, 1).unwrap();
    holds(&object, &[&link]);
    drop((object, maps, progs, links));
    packets(4);
    soon(|| bss.first.get().unwrap() == 4);
    let id = link_id(&link);
    drop(link);
    is_gone(&id);
}
