//! What a component may do with a grant, and not without it.

use std::collections::BTreeSet;

use conformance_guests::{assert_fails, holds};
use wasm_bpf_guest::{
    ErrorKind, MapHandle, MapType, Object, ObjectBuilder, OpenObject, ProgramType, Result,
};

conformance_guests::guest!();

/// A program and the grant that it needs.
const PROGRAMS: &[(&str, &str)] = &[
    ("on_xdp", "xdp"),
    ("on_tc", "tc"),
    ("on_action", "tc"),
    ("on_socket", "socket-filter"),
    ("on_cgroup_skb", "cgroup"),
    ("on_cgroup_sock", "cgroup"),
    ("on_cgroup_sock_addr", "cgroup"),
    ("on_cgroup_device", "cgroup"),
    ("on_cgroup_sysctl", "cgroup"),
    ("on_cgroup_sockopt", "cgroup"),
    ("on_sock_ops", "cgroup"),
    ("on_sk_lookup", "netns"),
    ("on_flow_dissector", "netns"),
    ("on_sk_skb", "sockmap"),
    ("on_sk_msg", "sockmap"),
    ("on_sk_reuseport", "sockmap"),
    ("on_netfilter", "netfilter"),
    ("on_lwt_in", "lwt"),
    ("on_lwt_out", "lwt"),
    ("on_lwt_xmit", "lwt"),
    ("on_lwt_seg6local", "lwt"),
    ("on_lsm", "lsm"),
    ("on_fmod_ret", "fmod-ret"),
    ("on_freplace", "freplace"),
    ("on_raw_tp_writable", "raw-tracepoint-writable"),
    ("on_syscall", "syscall"),
    ("on_lirc_mode2", "program-type=lirc-mode2"),
    ("sends_signals", "helper=bpf_send_signal"),
];

/// A kind of map, its sizes of key and value and its entries, and the grant that it needs.
const MAPS: &[(MapType, [u32; 3], &str)] = &[
    (MapType::Devmap, [4, 4, 1], "xdp"),
    (MapType::DevmapHash, [4, 4, 1], "xdp"),
    (MapType::Cpumap, [4, 4, 1], "xdp"),
    (MapType::Xskmap, [4, 4, 1], "xdp"),
    (MapType::Sockmap, [4, 4, 1], "sockmap"),
    (MapType::Sockhash, [4, 4, 1], "sockmap"),
    (MapType::ReuseportSockarray, [4, 4, 1], "sockmap"),
    (MapType::CgroupStorage, [16, 8, 0], "cgroup"),
    (MapType::PercpuCgroupStorage, [16, 8, 0], "cgroup"),
];

/// The object without its maps.
fn open() -> OpenObject {
    let open = ObjectBuilder::new().open_memory(case::DATA).unwrap();
    for map in open.maps() {
        map.set_autocreate(false).unwrap();
    }
    open
}

/// The object with one program.
fn load(program: &str) -> Result<Object> {
    let open = open();
    open.program(program)?.set_autoload(true)?;
    open.load()
}

/// Each of these programs is loaded, and is in the kernel.
fn loads(programs: impl IntoIterator<Item = &'static str>) {
    for name in programs {
        let object = load(name).unwrap();
        assert_eq!(object.program(name).unwrap().info().unwrap().name, name);
        holds(&object, &[]);
    }
}

/// Each of these programs is refused by the host itself, which names the grant and the program.
fn is_refused(result: Result<Object>, name: &str, grant: &str) {
    let error = assert_fails!(result, ErrorKind::NotGranted, name, grant);
    assert_eq!(error.subject(), Some(name));
    assert_eq!(error.errno(), None);
}

/// What a grant is for can be had.
fn allowed(grant: &str) {
    let programs = PROGRAMS.iter().filter(|(_, needs)| *needs == grant);
    loads(programs.map(|(program, _)| *program));
    for (kind, [key, value, entries], needs) in MAPS {
        if *needs == grant {
            MapHandle::create(*kind, "wanted", *key, *value, *entries, 0).unwrap();
        }
    }
}

/// What a grant is for cannot be had without it.
fn denied(grant: &str) {
    for (program, needs) in PROGRAMS {
        if *needs == grant {
            is_refused(load(program), program, grant);
        }
    }
    for (kind, [key, value, entries], needs) in MAPS {
        if *needs == grant {
            let map = MapHandle::create(*kind, "wanted", *key, *value, *entries, 0);
            assert_fails!(map, ErrorKind::NotGranted, "wanted", grant);
        }
    }
}

/// The policy let it through: it is loaded, or the kernel or libbpf has another reason not to.
fn passes_the_policy(name: &str) {
    match load(name) {
        Ok(object) => holds(&object, &[]),
        Err(error) => {
            assert!(!matches!(error.kind(), ErrorKind::NotGranted), "{error}");
            assert!(error.errno().is_some(), "{error}");
        }
    }
}

/// A component without grants may observe, and nothing else.
fn nothing_granted() {
    loads(["observes"]);
    let of_programs = PROGRAMS.iter().map(|(_, grant)| *grant);
    let of_maps = MAPS.iter().map(|(.., grant)| *grant);
    for grant in of_programs.chain(of_maps).collect::<BTreeSet<_>>() {
        denied(grant);
    }
}

/// XDP programs and what they redirect to.
fn xdp_allowed() {
    allowed("xdp");
    let open = open();
    open.map("devices").unwrap().set_autocreate(true).unwrap();
    holds(&open.load().unwrap(), &[]);
}

/// The same without; a map is refused where an object declares it, too.
fn xdp_denied() {
    denied("xdp");
    let open = open();
    open.map("devices").unwrap().set_autocreate(true).unwrap();
    is_refused(open.load(), "devices", "xdp");
}

/// Classifiers and actions.
fn tc_allowed() {
    allowed("tc");
}

/// The same without.
fn tc_denied() {
    denied("tc");
}

/// Socket filters.
fn socket_filter_allowed() {
    allowed("socket-filter");
}

/// The same without.
fn socket_filter_denied() {
    denied("socket-filter");
}

/// All kinds of programs on cgroups, and the maps that go with them.
fn cgroup_allowed() {
    allowed("cgroup");
}

/// The same without.
fn cgroup_denied() {
    denied("cgroup");
}

/// Programs of network namespaces.
fn netns_allowed() {
    allowed("netns");
}

/// The same without.
fn netns_denied() {
    denied("netns");
}

/// Programs on sockets in maps, and those maps.
fn sockmap_allowed() {
    allowed("sockmap");
}

/// The same without.
fn sockmap_denied() {
    denied("sockmap");
}

/// Packet filter hooks.
fn netfilter_allowed() {
    allowed("netfilter");
}

/// The same without.
fn netfilter_denied() {
    denied("netfilter");
}

/// Programs on routes.
fn lwt_allowed() {
    allowed("lwt");
}

/// The same without.
fn lwt_denied() {
    denied("lwt");
}

/// A security hook, which the guest names.
fn lsm_allowed() {
    let open = open();
    let program = open.program("on_lsm").unwrap();
    program.set_autoload(true).unwrap();
    program.set_attach_target("file_mprotect").unwrap();
    holds(&open.load().unwrap(), &[]);
}

/// The same without.
fn lsm_denied() {
    denied("lsm");
}

/// Programs that change what a kernel function returns.
fn fmod_ret_allowed() {
    allowed("fmod-ret");
}

/// The same without, and for a program that becomes one by its attach type.
fn fmod_ret_denied() {
    const MODIFY_RETURN: u32 = 26;
    denied("fmod-ret");
    let open = open();
    let program = open.program("on_fentry").unwrap();
    program.set_autoload(true).unwrap();
    program.set_attach_type(MODIFY_RETURN).unwrap();
    is_refused(open.load(), "on_fentry", "fmod-ret");
}

/// It cannot be loaded yet: the interface has no function that says which program it replaces a function of.
fn freplace_allowed() {
    passes_the_policy("on_freplace");
}

/// The same without.
fn freplace_denied() {
    denied("freplace");
}

/// Raw tracepoints that can write to their arguments.
fn raw_tracepoint_writable_allowed() {
    allowed("raw-tracepoint-writable");
}

/// The same without.
fn raw_tracepoint_writable_denied() {
    denied("raw-tracepoint-writable");
}

/// Programs that make system calls.
fn syscall_allowed() {
    allowed("syscall");
}

/// The same without.
fn syscall_denied() {
    denied("syscall");
}

/// By bpf() a program could do what any grant is for.
fn system_calls_of_bpf() {
    loads(["on_syscall"]);
    assert_fails!(
        load("calls_bpf"),
        ErrorKind::NotGranted,
        "calls_bpf",
        "bpf_sys_bpf"
    );
}

/// A helper that acts on the machine, in a program that may be loaded without a grant.
fn helper_allowed() {
    allowed("helper=bpf_send_signal");
}

/// The same without; a grant for another helper is none for this one.
fn helper_denied() {
    denied("helper=bpf_send_signal");
}

/// A kind that the interface names and no other grant covers; many kernels are built without it.
fn program_type_allowed() {
    passes_the_policy("on_lirc_mode2");
}

/// The same without.
fn program_type_denied() {
    denied("program-type=lirc-mode2");
}

/// A kind that nobody knows yet: it is the kernel that refuses it.
fn map_type_allowed() {
    let map = MapHandle::create(MapType::Other(9999), "future", 4, 4, 1, 0);
    assert_fails!(
        map,
        ErrorKind::InvalidArgument | ErrorKind::NotSupported,
        "future"
    );
}

/// The same without. A known kind cannot be had by its number, either.
fn map_type_denied() {
    let create = |kind| MapHandle::create(kind, "future", 4, 4, 1, 0);
    assert_fails!(
        create(MapType::Other(9999)),
        ErrorKind::NotGranted,
        "future",
        "map-type",
        "9999"
    );
    const DEVMAP: u32 = 14;
    assert_fails!(
        create(MapType::Other(DEVMAP)),
        ErrorKind::NotGranted,
        "future",
        "xdp"
    );
}

/// A pin that the object declares, by which `load` would take over a map of others.
fn declared_pin_denied() {
    let open = open();
    open.map("wasm_bpf_conf")
        .unwrap()
        .set_autocreate(true)
        .unwrap();
    is_refused(
        open.load(),
        "wasm_bpf_conf",
        "pin=/sys/fs/bpf/wasm_bpf_conf",
    );
}

/// What counts is the kind that a program has when it is loaded, not that of its section.
fn changed_kind() {
    let as_kind = |name: &str, kind| {
        let open = open();
        let program = open.program(name).unwrap();
        program.set_autoload(true).unwrap();
        program.set_prog_type(kind).unwrap();
        program.set_attach_type(0).unwrap();
        open.load()
    };
    for kind in [ProgramType::Xdp, ProgramType::Other(6)] {
        is_refused(as_kind("observes", kind), "observes", "xdp");
    }
    let object = as_kind("on_socket", ProgramType::RawTracepoint).unwrap();
    let info = object.program("on_socket").unwrap().info().unwrap();
    assert!(matches!(info.type_, ProgramType::RawTracepoint));
}
