//! Programs on cgroups.

use conformance_guests::{assert_fails, given, holds, in_cgroup, is_gone, link_id, number};
use wasm_bpf_guest::{
    CgroupOpts, CgroupSharing, Descriptor, ErrorKind, Link, LinkDetails, LinkType, Placement,
    Program, Result, open_descriptor,
};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

/// EPERM, which a process gets where a program denies.
const DENIED: &str = "1";

/// The kernel's numbers.
const INGRESS: u32 = 0;
const EGRESS: u32 = 1;

fn load(programs: &[&str]) -> CaseSkel {
    let open = CaseSkelBuilder::new().open().unwrap();
    for program in programs {
        let program = open.open.program(program).unwrap();
        program.set_autoload(true).unwrap();
    }
    open.load().unwrap()
}

fn cgroup() -> Descriptor {
    open_descriptor(given("cgroup")).unwrap()
}

fn attach(skel: &CaseSkel, program: &str, opts: CgroupOpts<'_>) -> Result<Link> {
    let program = skel.object.program(program).unwrap();
    program.attach_cgroup_with_opts(&cgroup(), opts)
}

fn calls(skel: &CaseSkel) -> u64 {
    skel.bss.get().unwrap().calls
}

/// A program acts from the moment it is attached until its link is dropped.
fn acts(program: &str, action: &str, without: &str, with: &str) {
    println!("{program}");
    let skel = load(&[program]);
    in_cgroup(without, action);
    assert_eq!(calls(&skel), 0);
    let link = skel
        .object
        .program(program)
        .unwrap()
        .attach_cgroup(&cgroup())
        .unwrap();
    holds(&skel.object, &[&link]);
    let info = link.info().unwrap().unwrap();
    assert!(matches!(info.type_, LinkType::Cgroup), "{info:?}");
    let id = skel.object.program(program).unwrap().info().unwrap().id;
    assert_eq!(info.program_id, id);
    in_cgroup(with, action);
    let seen = calls(&skel);
    assert!(seen > 0, "{program} was not called");
    let id = link_id(&link);
    drop(link);
    is_gone(&id);
    in_cgroup(without, action);
    assert_eq!(calls(&skel), seen);
}

/// Nobody is there to answer, which the process hears at once: ECONNREFUSED.
const REFUSED: &str = "111";

fn places() {
    // A datagram that does not arrive: EAGAIN after a while. One that is not let go: EPERM.
    acts("drop_ingress", "echo 127.0.0.1:7001", "ok=7001", "11");
    acts("drop_egress", "echo 127.0.0.1:7001", "ok=7001", DENIED);
    acts("deny_sock_create", "send 127.0.0.1:7002", "ok", DENIED);
    acts("deny_post_bind4", "bind 127.0.0.1:7003", "ok", DENIED);
    acts("deny_post_bind6", "bind [::1]:7003", "ok", DENIED);
    acts("deny_bind4", "bind 127.0.0.1:7003", "ok", DENIED);
    acts("deny_bind6", "bind [::1]:7003", "ok", DENIED);
    acts("deny_connect4", "connect 127.0.0.1:9", REFUSED, DENIED);
    acts("deny_connect6", "connect [::1]:9", REFUSED, DENIED);
    acts("deny_sendmsg4", "send 127.0.0.1:7002", "ok", DENIED);
    acts("deny_sendmsg6", "send [::1]:7002", "ok", DENIED);
    acts(
        "rename_recvmsg4",
        "echo 127.0.0.1:7001",
        "ok=7001",
        "ok=4711",
    );
    acts("rename_recvmsg6", "echo [::1]:7001", "ok=7001", "ok=4711");
    acts(
        "rename_getsockname4",
        "listener-name 127.0.0.1:7003",
        "ok=7003",
        "ok=4711",
    );
    acts(
        "rename_getsockname6",
        "listener-name [::1]:7003",
        "ok=7003",
        "ok=4711",
    );
    acts(
        "rename_getpeername4",
        "meet 127.0.0.1:7003",
        "ok=7003",
        "ok=4711",
    );
    acts(
        "rename_getpeername6",
        "meet [::1]:7003",
        "ok=7003",
        "ok=4711",
    );
    acts("deny_device", "open /dev/zero", "ok", DENIED);
    acts("deny_sysctl", "read /proc/sys/kernel/ostype", "ok", DENIED);
    acts("deny_setsockopt", "set-tos 32", "ok", DENIED);
    acts("change_getsockopt", "get-tos", "ok=0", "ok=85");
    acts("see_sockops", "connect 127.0.0.1:9", REFUSED, REFUSED);
}

fn release() {
    acts("see_sock_release", "bind 127.0.0.1:7003", "ok", "ok");
}

fn unix() {
    let action = format!("unix /tmp/wasm-bpf-conformance-{}", given("trigger-thread"));
    acts("deny_connect_unix", &action, "ok", DENIED);
    acts("deny_sendmsg_unix", &action, "ok", DENIED);
    acts("see_recvmsg_unix", &action, "ok", "ok");
    acts("see_getpeername_unix", &action, "ok", "ok");
    acts("see_getsockname_unix", &action, "ok", "ok");
}

fn security_hook() {
    acts("deny_lsm_bind", "bind 127.0.0.1:7003", "ok", DENIED);
}

fn security_hook_without_link() {
    let skel = load(&["deny_lsm_bind"]);
    let action = "bind 127.0.0.1:7003";
    for exclusive in [CgroupSharing::Exclusive, CgroupSharing::Overridable] {
        let refused = attach(&skel, "deny_lsm_bind", shared(exclusive));
        assert_fails!(refused, ErrorKind::NotSupported, "deny_lsm_bind");
    }
    let link = attach(&skel, "deny_lsm_bind", shared(CgroupSharing::Multiple)).unwrap();
    holds(&skel.object, &[]);
    in_cgroup(DENIED, action);
    drop(link);
    in_cgroup("ok", action);
    // There is room for it again.
    let link = attach(&skel, "deny_lsm_bind", shared(CgroupSharing::Multiple)).unwrap();
    in_cgroup(DENIED, action);
    link.detach().unwrap();
    in_cgroup("ok", action);
}

fn whole_machine() {
    let skel = load(&["whole_machine"]);
    let refused = attach(&skel, "whole_machine", CgroupOpts::default());
    assert_fails!(refused, ErrorKind::InvalidArgument, "whole_machine");
}

fn attach_type() {
    let skel = load(&["drop_either", "deny_connect4"]);
    let at = |attach_type| CgroupOpts {
        attach_type: Some(attach_type),
        ..CgroupOpts::default()
    };
    for (attach_type, outcome) in [(INGRESS, "11"), (EGRESS, DENIED)] {
        let link = attach(&skel, "drop_either", at(attach_type)).unwrap();
        in_cgroup(outcome, "echo 127.0.0.1:7001");
        drop(link);
        in_cgroup("ok=7001", "echo 127.0.0.1:7001");
    }
    // BPF_CGROUP_INET4_CONNECT is 10. 11 is its neighbour for IPv6, 43 BPF_LSM_CGROUP, 37 BPF_XDP.
    for (program, attach_type) in [
        ("deny_connect4", EGRESS),
        ("deny_connect4", 11),
        ("drop_either", 10),
        ("drop_either", 43),
        ("drop_either", 37),
        ("drop_either", u32::MAX),
    ] {
        let refused = attach(&skel, program, at(attach_type));
        assert_fails!(refused, ErrorKind::InvalidArgument, program);
    }
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
}

fn many() {
    let skel = load(&["pass_egress", "drop_egress"]);
    let link = |program| attach(&skel, program, CgroupOpts::default()).unwrap();
    let (first, second) = (link("pass_egress"), link("pass_egress"));
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
    assert_eq!(calls(&skel), 2);
    // One that denies is enough.
    let third = link("drop_egress");
    in_cgroup(DENIED, "echo 127.0.0.1:7001");
    drop(first);
    in_cgroup(DENIED, "echo 127.0.0.1:7001");
    drop(third);
    let before = calls(&skel);
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
    assert_eq!(calls(&skel), before + 1);
    drop(second);
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
    assert_eq!(calls(&skel), before + 1);
}

fn outlives() {
    let skel = load(&["deny_bind4"]);
    let cgroup = cgroup();
    let program = skel.object.program("deny_bind4").unwrap();
    let link = program.attach_cgroup(&cgroup).unwrap();
    holds(&skel.object, &[&link]);
    let id = link_id(&link);
    drop(cgroup);
    drop(program);
    drop(skel);
    in_cgroup(DENIED, "bind 127.0.0.1:7003");
    drop(link);
    is_gone(&id);
    in_cgroup("ok", "bind 127.0.0.1:7003");
}

fn info() {
    /// BPF_CGROUP_INET4_BIND
    const ATTACH_TYPE: u32 = 8;
    let skel = load(&["deny_bind4", "drop_either"]);
    let cgroup_id = number::<u64>("cgroup-id");
    let at_egress = CgroupOpts {
        attach_type: Some(EGRESS),
        ..CgroupOpts::default()
    };
    for (program, opts, attach_type) in [
        ("deny_bind4", CgroupOpts::default(), ATTACH_TYPE),
        ("drop_either", at_egress, EGRESS),
    ] {
        let link = attach(&skel, program, opts).unwrap();
        match link.info().unwrap().unwrap().details {
            LinkDetails::Cgroup(details) => {
                assert_eq!(
                    (details.cgroup_id, details.attach_type),
                    (cgroup_id, attach_type)
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

fn program_of(link: &Link) -> u32 {
    link.info().unwrap().unwrap().program_id
}

fn replace() {
    let (old, new) = (load(&["pass_egress"]), load(&["drop_egress"]));
    let pass = old.object.program("pass_egress").unwrap();
    let deny = new.object.program("drop_egress").unwrap();
    let id = |program: &Program| program.info().unwrap().id;
    let mut link = pass.attach_cgroup(&cgroup()).unwrap();
    let number = link_id(&link);
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
    assert_fails!(
        link.replace_prog(&deny, &deny),
        ErrorKind::NotPermitted,
        "drop_egress"
    );
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
    link.replace_prog(&deny, &pass).unwrap();
    assert_eq!(program_of(&link), id(&deny));
    in_cgroup(DENIED, "echo 127.0.0.1:7001");
    link.update_prog(&pass).unwrap();
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
    link.update_prog(&deny).unwrap();
    // The link keeps the one that came, and is the same.
    let (pass_id, deny_id) = (id(&pass), id(&deny));
    assert_eq!(
        (link_id(&link), program_of(&link)),
        (number.clone(), deny_id)
    );
    drop((pass, old));
    is_gone(&format!("program={pass_id}"));
    drop((deny, new));
    in_cgroup(DENIED, "echo 127.0.0.1:7001");
    drop(link);
    is_gone(&number);
    is_gone(&format!("program={deny_id}"));
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
}

/// The kernel would take a program for IPv6 where IPv4 is bound.
fn replace_refused() {
    let skel = load(&["deny_bind4", "deny_bind6", "pass_egress", "drop_egress"]);
    let program = |name| skel.object.program(name).unwrap();
    let mut link = program("deny_bind4").attach_cgroup(&cgroup()).unwrap();
    for name in ["deny_bind6", "drop_egress"] {
        let refused = link.update_prog(&program(name));
        assert_fails!(refused, ErrorKind::InvalidArgument, name);
    }
    in_cgroup("ok", "bind [::1]:7003");
    in_cgroup(DENIED, "bind 127.0.0.1:7003");
    drop(link);
    let mut without = attach(&skel, "pass_egress", shared(CgroupSharing::Multiple)).unwrap();
    let refused = without.update_prog(&program("drop_egress"));
    assert_fails!(refused, ErrorKind::NotSupported, "drop_egress", "no link");
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
}

/// A link that was opened by its name.
fn opened(skel: &CaseSkel) -> (Link, String) {
    let path = format!("{}/link", given("bpffs"));
    let program = skel.object.program("pass_egress").unwrap();
    let mut link = program.attach_cgroup(&cgroup()).unwrap();
    link.pin(&path).unwrap();
    drop(link);
    (Link::open(&path).unwrap(), path)
}

fn replace_in_pinned() {
    let skel = load(&["pass_egress", "drop_egress"]);
    let (mut link, path) = opened(&skel);
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
    let program = skel.object.program("drop_egress").unwrap();
    link.update_prog(&program).unwrap();
    in_cgroup(DENIED, "echo 127.0.0.1:7001");
    link.unpin(&path).unwrap();
    drop(link);
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
}

/// That it made the link itself is not known of a handle that was opened.
fn replace_in_pinned_denied() {
    let skel = load(&["pass_egress", "drop_egress"]);
    let (mut link, path) = opened(&skel);
    let program = skel.object.program("drop_egress").unwrap();
    let refused = link.update_prog(&program);
    assert_fails!(refused, ErrorKind::NotGranted, "drop_egress", "cgroup=*");
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
    link.unpin(&path).unwrap();
}

/// The kernel lets the program go when the cgroup goes; the link has nothing to do any more.
fn removed() {
    let skel = load(&["deny_bind4"]);
    let path = format!("{}/below", given("cgroup"));
    std::fs::create_dir(&path).unwrap();
    let below = open_descriptor(&path).unwrap();
    let program = skel.object.program("deny_bind4").unwrap();
    let link = program.attach_cgroup(&below).unwrap();
    std::fs::remove_dir(&path).unwrap();
    // The kernel knows it as `below (deleted)`, and has no such cgroup.
    let refused = program.attach_cgroup(&below);
    assert_fails!(refused, ErrorKind::NotFound, "deny_bind4");
    assert_fails!(
        program.attach_cgroup(&cgroup()),
        ErrorKind::NotGranted,
        "cgroup="
    );
    drop(below);
    assert!(link.info().unwrap().is_some());
    drop(link);
}

fn wrong() {
    let skel = load(&["deny_bind4", "of_another_kind"]);
    let program = skel.object.program("deny_bind4").unwrap();
    for path in [
        "/proc/sys/kernel".to_owned(),
        "/proc/sys/kernel/ostype".to_owned(),
        format!("{}/cgroup.procs", given("cgroup")),
    ] {
        let wrong = open_descriptor(&path).unwrap();
        assert_fails!(
            program.attach_cgroup(&wrong),
            ErrorKind::InvalidArgument,
            "deny_bind4"
        );
    }
    let refused = attach(&skel, "of_another_kind", CgroupOpts::default());
    assert_fails!(refused, ErrorKind::InvalidArgument, "of_another_kind");
    in_cgroup("ok", "bind 127.0.0.1:7003");
}

fn denied() {
    let skel = load(&["deny_bind4"]);
    let refused = attach(&skel, "deny_bind4", CgroupOpts::default());
    let grant = format!("--allow cgroup={}", given("cgroup"));
    assert_fails!(refused, ErrorKind::NotGranted, &grant, "deny_bind4");
    in_cgroup("ok", "bind 127.0.0.1:7003");
}

fn limit() {
    let skel = load(&["pass_egress"]);
    let link = || attach(&skel, "pass_egress", CgroupOpts::default());
    let first = link().unwrap();
    let _second = link().unwrap();
    assert_fails!(link(), ErrorKind::LimitExceeded, "links=2");
    drop(first);
    let _third = link().unwrap();
    assert_fails!(link(), ErrorKind::LimitExceeded, "links=2");
}

fn shared(sharing: CgroupSharing) -> CgroupOpts<'static> {
    CgroupOpts {
        sharing: Some(sharing),
        ..CgroupOpts::default()
    }
}

fn in_place_of(replaced: &Program, sharing: CgroupSharing) -> CgroupOpts<'_> {
    CgroupOpts {
        replaced: Some(replaced),
        ..shared(sharing)
    }
}

fn exclusive() {
    const HOW: CgroupSharing = CgroupSharing::Exclusive;
    let skel = load(&["pass_egress", "drop_egress"]);
    let pass = skel.object.program("pass_egress").unwrap();
    let nobody = attach(&skel, "drop_egress", in_place_of(&pass, HOW));
    assert_fails!(nobody, ErrorKind::NotFound, "drop_egress");
    let first = attach(&skel, "pass_egress", shared(HOW)).unwrap();
    assert!(first.info().unwrap().is_none());
    holds(&skel.object, &[]);
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
    assert_eq!(calls(&skel), 1);
    let second = attach(&skel, "drop_egress", shared(HOW));
    assert_fails!(second, ErrorKind::Busy, "drop_egress");
    let other = skel.object.program("drop_egress").unwrap();
    let second = attach(&skel, "drop_egress", in_place_of(&other, HOW));
    assert_fails!(second, ErrorKind::Busy, "drop_egress");
    let second = attach(&skel, "drop_egress", CgroupOpts::default());
    assert_fails!(second, ErrorKind::NotPermitted, "drop_egress");
    let second = attach(&skel, "drop_egress", shared(CgroupSharing::Multiple));
    assert_fails!(second, ErrorKind::NotPermitted, "drop_egress");
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
    let second = attach(&skel, "drop_egress", in_place_of(&pass, HOW)).unwrap();
    in_cgroup(DENIED, "echo 127.0.0.1:7001");
    // It is not attached any more: the other one stays.
    drop(first);
    in_cgroup(DENIED, "echo 127.0.0.1:7001");
    drop(second);
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
    // Now there is room for a link.
    let _link = attach(&skel, "drop_egress", CgroupOpts::default()).unwrap();
    in_cgroup(DENIED, "echo 127.0.0.1:7001");
}

fn below() {
    let skel = load(&["pass_egress", "drop_egress"]);
    let path = format!("{}/below", given("cgroup"));
    std::fs::create_dir(&path).unwrap();
    let below = open_descriptor(&path).unwrap();
    let other = skel.object.program("drop_egress").unwrap();
    let attach_below = |sharing| other.attach_cgroup_with_opts(&below, shared(sharing));
    let first = attach(&skel, "pass_egress", shared(CgroupSharing::Exclusive)).unwrap();
    for sharing in [
        CgroupSharing::Exclusive,
        CgroupSharing::Overridable,
        CgroupSharing::Multiple,
    ] {
        assert_fails!(
            attach_below(sharing),
            ErrorKind::NotPermitted,
            "drop_egress"
        );
    }
    drop(first);
    let _first = attach(&skel, "pass_egress", shared(CgroupSharing::Overridable)).unwrap();
    drop(attach_below(CgroupSharing::Overridable).unwrap());
    drop(attach_below(CgroupSharing::Multiple).unwrap());
    drop(below);
    std::fs::remove_dir(&path).unwrap();
}

fn multiple() {
    const HOW: CgroupSharing = CgroupSharing::Multiple;
    let skel = load(&["pass_egress", "drop_egress", "drop_either"]);
    let first = attach(&skel, "pass_egress", shared(HOW)).unwrap();
    // A program is attached once this way.
    let again = attach(&skel, "pass_egress", shared(HOW));
    assert_fails!(again, ErrorKind::InvalidArgument, "pass_egress");
    let link = attach(&skel, "pass_egress", CgroupOpts::default()).unwrap();
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
    assert_eq!(calls(&skel), 2);
    let second = attach(&skel, "drop_egress", shared(HOW)).unwrap();
    in_cgroup(DENIED, "echo 127.0.0.1:7001");
    drop(second);
    let pass = skel.object.program("pass_egress").unwrap();
    let third = attach(&skel, "drop_egress", in_place_of(&pass, HOW)).unwrap();
    in_cgroup(DENIED, "echo 127.0.0.1:7001");
    let nobody = attach(
        &skel,
        "drop_either",
        CgroupOpts {
            attach_type: Some(EGRESS),
            ..in_place_of(&skel.object.program("drop_either").unwrap(), HOW)
        },
    );
    assert_fails!(
        nobody,
        ErrorKind::InvalidArgument | ErrorKind::NotFound,
        "drop_either"
    );
    drop(first);
    in_cgroup(DENIED, "echo 127.0.0.1:7001");
    drop(third);
    in_cgroup("ok=7001", "echo 127.0.0.1:7001");
    drop(link);
}

fn contradictions() {
    let skel = load(&["pass_egress"]);
    let pass = skel.object.program("pass_egress").unwrap();
    // A link takes the place of a program by a function of its own.
    let opts = CgroupOpts {
        replaced: Some(&pass),
        ..CgroupOpts::default()
    };
    assert_fails!(
        attach(&skel, "pass_egress", opts),
        ErrorKind::InvalidArgument,
        "pass_egress"
    );
}

/// The neighbour of a link is a link, that of an attachment without one a program.
fn placement() {
    let skel = load(&["rename_getsockname4", "rename_again"]);
    let action = "listener-name 127.0.0.1:7003";
    let program = skel.object.program("rename_getsockname4").unwrap();
    for sharing in [None, Some(CgroupSharing::Multiple)] {
        let opts = CgroupOpts {
            sharing,
            ..CgroupOpts::default()
        };
        let first = program.attach_cgroup_with_opts(&cgroup(), opts).unwrap();
        let (before, after) = match sharing {
            None => (
                Placement::before_link(&first),
                Placement::after_link(&first),
            ),
            Some(_) => (Placement::before(&program), Placement::after(&program)),
        };
        let (before, after) = (before.unwrap(), after.unwrap());
        let (any, first_of_all, last) = (Placement::new(), Placement::first(), Placement::last());
        let attach_again = |placement| {
            let opts = CgroupOpts {
                placement: Some(placement),
                sharing,
                ..CgroupOpts::default()
            };
            attach(&skel, "rename_again", opts)
        };
        for (placement, outcome) in [
            (&any, "ok=4712"),
            (&first_of_all, "ok=4711"),
            (&last, "ok=4712"),
            (&after, "ok=4712"),
            (&before, "ok=4711"),
        ] {
            let second = attach_again(placement).unwrap();
            in_cgroup(outcome, action);
            drop(second);
            in_cgroup("ok=4711", action);
        }
        drop(first);
        // The neighbour is gone.
        assert_fails!(attach_again(&after), ErrorKind::NotFound, "rename_again");
    }
}

fn outlives_without_link() {
    let skel = load(&["deny_bind4"]);
    let path = format!("{}/below", given("cgroup"));
    std::fs::create_dir(&path).unwrap();
    let program = skel.object.program("deny_bind4").unwrap();
    let attach_to = |path: &str| {
        let cgroup = open_descriptor(path).unwrap();
        program
            .attach_cgroup_with_opts(&cgroup, shared(CgroupSharing::Multiple))
            .unwrap()
    };
    let (link, below) = (attach_to(&given("cgroup")), attach_to(&path));
    holds(&skel.object, &[]);
    std::fs::remove_dir(&path).unwrap();
    drop(program);
    drop(skel);
    in_cgroup(DENIED, "bind 127.0.0.1:7003");
    drop(below);
    in_cgroup(DENIED, "bind 127.0.0.1:7003");
    drop(link);
    in_cgroup("ok", "bind 127.0.0.1:7003");
}
