//! What is in the kernel, whoever loaded it.

use conformance_guests::{assert_fails, given};
use wasm_bpf_guest::btf::{Btf, Func};
use wasm_bpf_guest::features;
use wasm_bpf_guest::query::{self, Attached, BtfInfoIter, LinkInfoIter, MapInfoIter, ProgInfoIter};
use wasm_bpf_guest::{
    CgroupOpts, CgroupSharing, ErrorKind, Link, LinkType, MapCore as _, MapFlags, MapHandle,
    MapType, Placement, Program, ProgramType, TC_INGRESS, XdpMode, open_descriptor,
};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

const NAME: &str = "a_name_of_more_than_15_characters";
const SK_LOOKUP: u32 = 36;
const TCX_INGRESS: u32 = 46;

fn loaded() -> CaseSkel {
    let mut skel = CaseSkelBuilder::new().open().unwrap().load().unwrap();
    skel.attach().unwrap();
    skel
}

fn ids(skel: &CaseSkel) -> (u32, u32, u32) {
    let link = skel
        .links
        .a_name_of_more_than_15_characters
        .as_ref()
        .unwrap();
    (
        skel.progs
            .a_name_of_more_than_15_characters
            .info()
            .unwrap()
            .id,
        skel.maps.query_values.info().unwrap().id,
        link.info().unwrap().unwrap().id,
    )
}

fn lists() {
    let skel = loaded();
    let (program, map, link) = ids(&skel);
    let found_programs: Vec<_> = ProgInfoIter::default().map(Result::unwrap).collect();
    assert!(
        found_programs
            .windows(2)
            .all(|pair| pair[0].id < pair[1].id)
    );
    let found = found_programs
        .iter()
        .find(|found| found.id == program)
        .unwrap();
    assert_eq!(found.name, NAME);
    assert!(matches!(found.type_, ProgramType::RawTracepoint));
    assert!(found.map_ids.contains(&map), "{found:?}");
    let maps: Vec<_> = MapInfoIter::default().map(Result::unwrap).collect();
    let found_map = maps.iter().find(|found| found.info.id == map).unwrap();
    assert_eq!(found_map.info.name, "query_values");
    assert!(matches!(found_map.info.type_, MapType::Hash));
    assert_eq!(
        (found_map.info.key_size, found_map.info.value_length),
        (4, 8)
    );
    let btf = Btf::from_id(found_map.btf).unwrap();
    let value: wasm_bpf_guest::btf::BtfType = btf.type_by_id(found_map.value_type.into()).unwrap();
    assert_eq!(value.resolved_size().unwrap(), 8);
    let mut links = LinkInfoIter::default().map(Result::unwrap);
    let found_link = links.find(|found| found.id == link).unwrap();
    assert!(matches!(found_link.type_, LinkType::RawTracepoint));
    assert_eq!(found_link.program_id, program);
    let mut btfs = BtfInfoIter::default().map(Result::unwrap);
    assert!(btfs.any(|one| one.id == found.btf_id && !one.of_kernel && one.size > 0));
    let btf = Btf::from_prog_id(program).unwrap();
    assert!(btf.type_by_name::<Func>(NAME).is_some());
    // Ids that nothing has, and questions for nothing.
    for id in [0, u32::MAX, i32::MAX as u32] {
        assert!(query::program(id).unwrap().is_none());
        assert!(query::map(id).unwrap().is_none());
        assert!(query::link(id).unwrap().is_none());
        assert_fails!(Btf::from_id(id), ErrorKind::NotFound);
    }
    let programs = conformance_guests::raw::query::programs;
    assert!(programs(0, 0).unwrap().is_empty());
    assert!(programs(0, u32::MAX).unwrap().len() <= 256);
    drop(skel);
    conformance_guests::is_gone(&format!("program={program}"));
    assert!(query::program(program).unwrap().is_none());
}

fn read_only() {
    let skel = loaded();
    let (_, id, _) = ids(&skel);
    let own = &skel.maps.query_values;
    let (key, value) = (1u32.to_ne_bytes(), 42u64.to_ne_bytes());
    own.update(&key, &value, MapFlags::Any).unwrap();
    let found = MapHandle::from_map_id_read_only(id).unwrap();
    assert_eq!(found.info().unwrap().id, id);
    assert_eq!(found.lookup(&key).unwrap().as_deref(), Some(&value[..]));
    assert_eq!(found.iter().count(), 1);
    assert_fails!(
        found.update(&key, &value, MapFlags::Any),
        ErrorKind::NotPermitted
    );
    assert_fails!(found.delete(&key), ErrorKind::NotPermitted);
    assert_fails!(
        found.pin("/sys/fs/bpf/wasm-bpf-conformance"),
        ErrorKind::NotPermitted,
        "read"
    );
    // Where programs could change it.
    let open = CaseSkelBuilder::new().open().unwrap();
    assert_fails!(
        open.maps.query_values.reuse_map(&found),
        ErrorKind::NotPermitted,
        "reading"
    );
    drop(open);
    let outer = MapHandle::create_of_maps(MapType::ArrayOfMaps, "outer", 4, 1, 0, &found).unwrap();
    assert_fails!(
        outer.update_map(&[0; 4], &found, MapFlags::Any),
        ErrorKind::NotPermitted
    );
    let own = MapHandle::try_from(own).unwrap();
    outer.update_map(&[0; 4], &own, MapFlags::Any).unwrap();
    assert_eq!(own.lookup(&key).unwrap().as_deref(), Some(&value[..]));
    for id in [0, u32::MAX] {
        assert_fails!(
            MapHandle::from_map_id_read_only(id),
            ErrorKind::NotFound,
            "map"
        );
    }
    // A handle keeps the map when nothing else does.
    drop((skel, own, outer));
    assert_eq!(found.lookup(&key).unwrap().as_deref(), Some(&value[..]));
}

fn change() {
    let skel = loaded();
    let (program, map, link) = ids(&skel);
    let found = MapHandle::from_map_id(map).unwrap();
    let (key, value) = (1u32.to_ne_bytes(), 42u64.to_ne_bytes());
    found.update(&key, &value, MapFlags::Any).unwrap();
    assert_eq!(
        skel.maps.query_values.lookup(&key).unwrap().as_deref(),
        Some(&value[..])
    );
    let found = Program::from_prog_id(program).unwrap();
    assert_eq!(found.info().unwrap().id, program);
    assert_eq!(found.name(), NAME);
    let found_link = Link::from_link_id(link).unwrap();
    assert_eq!(found_link.info().unwrap().unwrap().program_id, program);
    for id in [0, u32::MAX] {
        assert_fails!(MapHandle::from_map_id(id), ErrorKind::NotFound);
        assert_fails!(Program::from_prog_id(id), ErrorKind::NotFound);
        assert_fails!(Link::from_link_id(id), ErrorKind::NotFound);
    }
    // What others let go stays as long as it is held here.
    drop((skel, found));
    assert!(query::link(link).unwrap().is_some());
    drop(found_link);
    assert!(query::link(link).unwrap().is_none());
}

fn refused(grant: &str) {
    let skel = loaded();
    let (program, map, link) = ids(&skel);
    let grant = format!("--allow {grant}");
    assert_fails!(MapHandle::from_map_id(map), ErrorKind::NotGranted, &grant);
    assert_fails!(
        Program::from_prog_id(program),
        ErrorKind::NotGranted,
        &grant
    );
    assert_fails!(Link::from_link_id(link), ErrorKind::NotGranted, &grant);
}

fn only_query() {
    refused("query-change");
}

fn only_change() {
    refused("query");
}

fn not_granted() {
    let skel = loaded();
    let (_, map, _) = ids(&skel);
    let cgroup = open_descriptor(given("cgroup")).unwrap();
    assert_fails!(
        ProgInfoIter::default().next().unwrap(),
        ErrorKind::NotGranted,
        "query"
    );
    assert_fails!(
        MapInfoIter::default().next().unwrap(),
        ErrorKind::NotGranted,
        "query"
    );
    assert_fails!(
        LinkInfoIter::default().next().unwrap(),
        ErrorKind::NotGranted,
        "query"
    );
    assert_fails!(
        BtfInfoIter::default().next().unwrap(),
        ErrorKind::NotGranted,
        "query"
    );
    assert_fails!(Btf::from_id(1), ErrorKind::NotGranted, "query");
    assert_fails!(
        MapHandle::from_map_id_read_only(map),
        ErrorKind::NotGranted,
        "query"
    );
    assert_fails!(
        query::attached_to_cgroup(&cgroup, 0, false),
        ErrorKind::NotGranted,
        "query"
    );
    assert_fails!(
        query::attached_to_netns(&cgroup, SK_LOOKUP),
        ErrorKind::NotGranted,
        "query"
    );
    assert_fails!(
        query::attached_to_interface("lo", 0),
        ErrorKind::NotGranted,
        "query"
    );
    assert_fails!(query::xdp("lo"), ErrorKind::NotGranted, "query");
    assert_fails!(
        query::filters("lo", TC_INGRESS),
        ErrorKind::NotGranted,
        "query"
    );
    assert_fails!(
        query::event_of_process(1, 1),
        ErrorKind::NotGranted,
        "query"
    );
}

fn limit() {
    let map = MapHandle::create(MapType::Array, "limited", 4, 8, 1, 0).unwrap();
    let id = map.info().unwrap().id;
    let held: Vec<_> = (0..5)
        .map_while(|_| MapHandle::from_map_id_read_only(id).ok())
        .collect();
    assert_eq!(held.len(), 2);
    assert_fails!(
        MapHandle::from_map_id_read_only(id),
        ErrorKind::LimitExceeded,
        "maps"
    );
    drop(held);
    MapHandle::from_map_id_read_only(id).unwrap();
}

fn attached() {
    let cgroup = open_descriptor(given("cgroup")).unwrap();
    assert!(
        query::attached_to_cgroup(&cgroup, 0, false)
            .unwrap()
            .is_empty()
    );
    query::attached_to_cgroup(&cgroup, 0, true).unwrap();
    // Attach types for which the kernel takes a number of something else, and those that nothing has.
    for attach_type in [TCX_INGRESS, SK_LOOKUP, 1000, u32::MAX] {
        assert_fails!(
            query::attached_to_cgroup(&cgroup, attach_type, false),
            ErrorKind::InvalidArgument
        );
    }
    // A cgroup is no network namespace.
    assert_fails!(
        query::attached_to_netns(&cgroup, SK_LOOKUP),
        ErrorKind::InvalidArgument
    );
    assert_fails!(
        query::attached_to_netns(&cgroup, 0),
        ErrorKind::InvalidArgument
    );
    let name = given("interface");
    let xdp = query::xdp(&name).unwrap();
    assert_eq!((xdp.native, xdp.generic, xdp.offloaded), (0, 0, 0));
    match query::attached_to_interface(&name, TCX_INGRESS) {
        Ok(all) => assert!(all.is_empty()),
        // Before 6.6.
        Err(error) => assert!(
            matches!(error.kind(), ErrorKind::InvalidArgument),
            "{error}"
        ),
    }
    assert_fails!(
        query::attached_to_interface(&name, 0),
        ErrorKind::InvalidArgument
    );
    for name in ["", "no-such-device", "lo\0"] {
        assert_fails!(query::xdp(name), ErrorKind::NoSuchDevice);
        assert_fails!(
            query::attached_to_interface(name, TCX_INGRESS),
            ErrorKind::NoSuchDevice
        );
    }
    for (process, descriptor) in [(0, 0), (u32::MAX, 0), (1, u32::MAX)] {
        assert_fails!(
            query::event_of_process(process, descriptor),
            ErrorKind::InvalidArgument
        );
    }
    assert_fails!(
        query::event_of_process(i32::MAX as u32, 0),
        ErrorKind::NotFound | ErrorKind::NoSuchProcess
    );
}

fn load(names: &[&str]) -> CaseSkel {
    let open = CaseSkelBuilder::new().open().unwrap();
    open.progs
        .a_name_of_more_than_15_characters
        .set_autoload(false)
        .unwrap();
    for name in names {
        open.open.program(name).unwrap().set_autoload(true).unwrap();
    }
    open.load().unwrap()
}

fn program(program: &Program) -> u32 {
    program.info().unwrap().id
}

fn link(link: &Link) -> u32 {
    link.info().unwrap().unwrap().id
}

/// The programs and links of what is found.
fn found(found: &[Attached]) -> Vec<(u32, u32)> {
    found.iter().map(|one| (one.program, one.link)).collect()
}

fn of_a_cgroup() {
    const EGRESS: u32 = 1;
    let skel = load(&["on_egress", "on_egress_too"]);
    let (first, second) = (&skel.progs.on_egress, &skel.progs.on_egress_too);
    let cgroup = open_descriptor(given("cgroup")).unwrap();
    let path = format!("{}/below", given("cgroup"));
    std::fs::create_dir(&path).unwrap();
    let below = open_descriptor(&path).unwrap();
    let of = |cgroup, effective| query::attached_to_cgroup(cgroup, EGRESS, effective).unwrap();
    let first_link = first.attach_cgroup(&cgroup).unwrap();
    let opts = CgroupOpts {
        sharing: Some(CgroupSharing::Multiple),
        ..CgroupOpts::default()
    };
    let second_link = second.attach_cgroup_with_opts(&cgroup, opts).unwrap();
    // The kernel tells the links of other hooks only.
    let both = [(program(first), 0), (program(second), 0)];
    assert_eq!(found(&of(&cgroup, false)), both);
    assert!(of(&below, false).is_empty());
    // Besides those of the cgroups above the runner's.
    let acting = found(&of(&below, true));
    assert!(both.iter().all(|one| acting.contains(one)), "{acting:?}");
    drop(first_link);
    assert_eq!(found(&of(&cgroup, false)), both[1..]);
    drop(second_link);
    assert!(of(&cgroup, false).is_empty());
    // Another place of the same cgroup.
    let _link = first.attach_cgroup(&cgroup).unwrap();
    let ingress = query::attached_to_cgroup(&cgroup, 0, false).unwrap();
    assert!(ingress.is_empty(), "{ingress:?}");
    drop(below);
    std::fs::remove_dir(&path).unwrap();
}

fn of_a_netns() {
    const FLOW_DISSECTOR: u32 = 17;
    let skel = load(&["on_lookup"]);
    let lookup = &skel.progs.on_lookup;
    let netns = open_descriptor(given("netns")).unwrap();
    let of = |attach_type| query::attached_to_netns(&netns, attach_type).unwrap();
    assert!(of(SK_LOOKUP).is_empty());
    let first = lookup.attach_netns(None).unwrap();
    let second = lookup.attach_netns(None).unwrap();
    let ids = |all: Vec<Attached>| all.iter().map(|one| one.program).collect::<Vec<_>>();
    assert_eq!(ids(of(SK_LOOKUP)), [program(lookup); 2]);
    assert!(of(FLOW_DISSECTOR).is_empty());
    drop(first);
    assert_eq!(ids(of(SK_LOOKUP)), [program(lookup)]);
    drop(second);
    assert!(of(SK_LOOKUP).is_empty());
}

fn of_an_interface() {
    const TCX_EGRESS: u32 = 47;
    let skel = load(&["on_packet", "on_packet_too"]);
    let (first, second) = (&skel.progs.on_packet, &skel.progs.on_packet_too);
    let name = given("interface");
    let of = |attach_type| query::attached_to_interface(&name, attach_type).unwrap();
    let last = first.attach_tcx(&name, TC_INGRESS, None).unwrap();
    let placement = Placement::first();
    let placed = second.attach_tcx(&name, TC_INGRESS, Some(&placement));
    let placed = placed.unwrap();
    let both = [
        (program(second), link(&placed)),
        (program(first), link(&last)),
    ];
    assert_eq!(found(&of(TCX_INGRESS)), both);
    assert!(of(TCX_EGRESS).is_empty());
    drop(placed);
    assert_eq!(found(&of(TCX_INGRESS)), both[1..]);
    drop(last);
    assert!(of(TCX_INGRESS).is_empty());
}

fn xdp() {
    let skel = load(&["on_xdp"]);
    let on_xdp = &skel.progs.on_xdp;
    let name = given("interface");
    let of = || {
        let found = query::xdp(&name).unwrap();
        (found.native, found.generic, found.offloaded)
    };
    let link = on_xdp.attach_xdp_with_mode(&name, XdpMode::Generic);
    let link = link.unwrap();
    assert_eq!(of(), (0, program(on_xdp), 0));
    drop(link);
    let link = on_xdp.attach_xdp_with_mode(&name, XdpMode::Native);
    let link = link.unwrap();
    assert_eq!(of(), (program(on_xdp), 0, 0));
    drop(link);
    assert_eq!(of(), (0, 0, 0));
}

/// Which number the descriptor has is the host's business: one of them has it.
fn of_a_process() {
    let skel = loaded();
    let (id, _, _) = ids(&skel);
    let process = features::own_process();
    let mut found = Vec::new();
    for descriptor in 0..1024 {
        match query::event_of_process(process, descriptor) {
            Ok(event) => found.push(event),
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::NotSupported | ErrorKind::NotFound),
                "{error}"
            ),
        }
    }
    let event = found.iter().find(|event| event.program == id).unwrap();
    /// BPF_FD_TYPE_RAW_TRACEPOINT
    const RAW_TRACEPOINT: u32 = 0;
    assert_eq!(
        (event.type_, event.name.as_str()),
        (RAW_TRACEPOINT, "sys_enter")
    );
    assert_eq!((event.offset, event.address), (0, 0));
    assert_fails!(query::event_of_process(process, 0), ErrorKind::NotSupported);
    drop(skel);
    for descriptor in 0..1024 {
        if let Ok(event) = query::event_of_process(process, descriptor) {
            assert_ne!(event.program, id);
        }
    }
}
