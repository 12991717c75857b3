//! Links are pinned, detached, disconnected, and their programs are exchanged.

use conformance_guests::{assert_fails, given, is_gone, is_held, link_id, pull, trigger};
use wasm_bpf_guest::{
    ErrorKind, Link, LinkDetails, MapCore, MapHandle, MapType, Program, ProgramBuilder,
    ProgramType, Result,
};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

/// The object with these of its programs.
fn loaded(names: &[&str]) -> CaseSkel {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open.progs.on_enter.set_autoload(false).unwrap();
    for name in names {
        let program = open.open.program(name).unwrap();
        program.set_autoload(true).unwrap();
    }
    open.load().unwrap()
}

/// How many of two calls are counted.
fn counted(map: &impl MapCore) -> u64 {
    let count = || {
        let value = map.lookup(&[0; 4]).unwrap().unwrap();
        u64::from_ne_bytes(value.try_into().unwrap())
    };
    let before = count();
    pull(2);
    count() - before
}

/// A path in the case's own BPF file system.
fn path(name: &str) -> String {
    format!("{}/{name}", given("bpffs"))
}

/// A link of a program that does nothing.
fn link() -> Result<Link> {
    let instructions = [[0xb7u8, 0, 0, 0, 0, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]];
    let program =
        ProgramBuilder::new(ProgramType::RawTracepoint).load(instructions.as_flattened())?;
    program.attach_raw_tracepoint("sys_enter")
}

/// The program is there as long as the name or a handle, and no longer.
fn stays_with_its_name(name: &str, attach: impl Fn(&CaseSkel) -> Link) {
    let path = path("name");
    let skel = loaded(&[name]);
    let count = MapHandle::try_from(&skel.object.map("count").unwrap()).unwrap();
    let mut link = attach(&skel);
    let id = link_id(&link);
    link.pin(&path).unwrap();
    assert_eq!(counted(&count), 2);
    drop(skel);
    drop(link);
    is_held(&id);
    assert_eq!(counted(&count), 2);
    let mut again = Link::open(&path).unwrap();
    assert_eq!(link_id(&again), id);
    drop(Link::open(&path).unwrap());
    assert_eq!(counted(&count), 2);
    // The handle keeps it when the name is gone.
    again.unpin(&path).unwrap();
    assert_fails!(again.unpin(&path), ErrorKind::NotFound, path.as_str());
    assert_eq!(counted(&count), 2);
    drop(again);
    is_gone(&id);
    assert_eq!(counted(&count), 0);
}

fn pinned() {
    stays_with_its_name("on_enter", |skel| skel.progs.on_enter.attach().unwrap());
}

/// A perf event has a descriptor of its own.
fn pinned_tracepoint() {
    stays_with_its_name("on_tracepoint", |skel| {
        skel.progs.on_tracepoint.attach().unwrap()
    });
}

fn pin_names() {
    let (one, two) = (path("one"), path("folder/two"));
    let (mut first, mut second) = (link().unwrap(), link().unwrap());
    first.pin(&one).unwrap();
    first.pin(&two).unwrap();
    assert_fails!(first.pin(&one), ErrorKind::AlreadyExists, one.as_str());
    assert_fails!(second.pin(&one), ErrorKind::AlreadyExists, one.as_str());
    assert_fails!(second.unpin(&one), ErrorKind::InvalidArgument, "another");
    // A map is no link, and a link neither map nor program.
    let map = MapHandle::create(MapType::Array, "map", 4, 8, 1, 0).unwrap();
    let of_map = path("map");
    map.pin(&of_map).unwrap();
    assert_fails!(Link::open(&of_map), ErrorKind::InvalidArgument, "link");
    assert_fails!(first.unpin(&of_map), ErrorKind::InvalidArgument, "link");
    assert_fails!(
        MapHandle::from_pinned_path(&one),
        ErrorKind::InvalidArgument,
        "map"
    );
    assert_fails!(
        Program::from_pinned_path(&one),
        ErrorKind::InvalidArgument,
        "program"
    );
    map.unpin(&of_map).unwrap();
    // One of two names is enough.
    let id = link_id(&first);
    first.unpin(&one).unwrap();
    drop(first);
    is_held(&id);
    let mut again = Link::open(&two).unwrap();
    again.unpin(&two).unwrap();
    drop(again);
    is_gone(&id);
}

fn pin_paths() {
    let mut link = link().unwrap();
    let folder = given("bpffs");
    for path in [
        "relative/path".to_owned(),
        String::new(),
        format!("{folder}/"),
        format!("{folder}/./here"),
        format!("{folder}/dotted.name"),
        format!("{folder}/zero\0byte"),
        "/tmp/wasm-bpf-conformance-pin".to_owned(),
        "/proc/self/fd/0".to_owned(),
    ] {
        assert_fails!(link.pin(&path), ErrorKind::InvalidArgument);
        assert_fails!(Link::open(&path), ErrorKind::InvalidArgument);
        assert_fails!(link.unpin(&path), ErrorKind::InvalidArgument);
    }
    assert_fails!(link.unpin(path("missing")), ErrorKind::NotFound);
    assert_fails!(Link::open(path("missing/name")), ErrorKind::NotFound);
}

/// Before anything looks whether it is there.
fn pin_denied() {
    let mut link = link().unwrap();
    for path in [
        path("name"),
        path("granted/name"),
        path("granted2"),
        "/tmp/name".to_owned(),
    ] {
        assert_fails!(link.pin(&path), ErrorKind::NotGranted, "pin", path.as_str());
        assert_fails!(
            Link::open(&path),
            ErrorKind::NotGranted,
            "pin",
            path.as_str()
        );
        assert_fails!(
            link.unpin(&path),
            ErrorKind::NotGranted,
            "pin",
            path.as_str()
        );
    }
    link.pin(path("granted")).unwrap();
    link.unpin(path("granted")).unwrap();
}

/// A link and its program go on counting.
fn pin_limit() {
    let pin = |name: &str| link()?.pin(path(name));
    pin("a").unwrap();
    pin("b").unwrap();
    assert_fails!(pin("c"), ErrorKind::LimitExceeded, "programs");
    assert_fails!(Link::open(path("a")), ErrorKind::LimitExceeded, "links");
    // The folder of names is the operator's, too: what is left goes with it.
}

/// Before 5.15 a tracepoint has no link; from then on it has one whose program stays.
fn without_a_link() {
    let skel = loaded(&["on_tracepoint", "on_enter"]);
    let mut link = skel.progs.on_tracepoint.attach().unwrap();
    assert_fails!(link.detach(), ErrorKind::NotSupported, "on_tracepoint");
    let replaced = link.update_prog(&skel.progs.on_tracepoint);
    assert_fails!(replaced, ErrorKind::NotSupported, "on_tracepoint");
    if link.info().unwrap().is_none() {
        assert_fails!(link.pin(path("name")), ErrorKind::NotSupported, "no link");
    }
    let count = skel.object.map("count").unwrap();
    assert_eq!(counted(&count), 2);
    drop(link);
    assert_eq!(counted(&count), 0);
}

/// Nothing changes with that.
fn detach() {
    let skel = loaded(&["on_enter"]);
    let link = skel.progs.on_enter.attach().unwrap();
    let count = skel.object.map("count").unwrap();
    for _ in 0..2 {
        assert_fails!(link.detach(), ErrorKind::NotSupported, "on_enter");
        assert_eq!(counted(&count), 2);
    }
    drop(link);
    assert_eq!(counted(&count), 0);
}

/// With the component it goes: here the host's process ends then.
fn disconnect() {
    let skel = loaded(&["on_enter"]);
    let count = MapHandle::try_from(&skel.object.map("count").unwrap()).unwrap();
    let link = skel.progs.on_enter.attach().unwrap();
    let id = link_id(&link);
    link.disconnect().unwrap();
    is_held(&id);
    assert_eq!(counted(&count), 2);
    drop(skel);
    assert_eq!(counted(&count), 2);
    let _second = self::link().unwrap();
    assert_fails!(self::link(), ErrorKind::LimitExceeded, "links");
}

fn disconnect_denied() {
    let skel = loaded(&["on_enter"]);
    let count = skel.object.map("count").unwrap();
    let link = skel.progs.on_enter.attach().unwrap();
    let id = link_id(&link);
    assert_eq!(counted(&count), 2);
    assert_fails!(link.disconnect(), ErrorKind::NotGranted, "disconnect");
    is_gone(&id);
    assert_eq!(counted(&count), 0);
}

fn program_of(link: &Link) -> u32 {
    link.info().unwrap().unwrap().program_id
}

fn id(program: &Program) -> u32 {
    program.info().unwrap().id
}

/// The link keeps the new program and lets the old one go.
fn replace() {
    let (old, new) = (loaded(&["first"]), loaded(&["second"]));
    let (first, second) = (&old.progs.first, &new.progs.second);
    let mut link = first.attach().unwrap();
    assert!(matches!(
        link.info().unwrap().unwrap().details,
        LinkDetails::Iter(_)
    ));
    // Somebody else's program is not what is attached.
    assert_fails!(
        link.replace_prog(second, second),
        ErrorKind::NotPermitted,
        "second"
    );
    assert_eq!(program_of(&link), id(first));
    link.replace_prog(second, first).unwrap();
    assert_eq!(program_of(&link), id(second));
    link.update_prog(first).unwrap();
    link.update_prog(second).unwrap();
    link.update_prog(second).unwrap();
    let (first, second) = (id(first), id(second));
    drop(old);
    is_gone(&format!("program={first}"));
    drop(new);
    is_held(&format!("program={second}"));
    assert_eq!(program_of(&link), second);
    drop(link);
    is_gone(&format!("program={second}"));
}

fn replace_refused() {
    let skel = loaded(&["first", "of_maps", "on_enter"]);
    let mut of_iterator = skel.progs.first.attach().unwrap();
    assert_fails!(
        of_iterator.update_prog(&skel.progs.on_enter),
        ErrorKind::InvalidArgument,
        "on_enter",
        "first"
    );
    assert_fails!(
        of_iterator.update_prog(&skel.progs.of_maps),
        ErrorKind::InvalidArgument,
        "of_maps"
    );
    assert_eq!(program_of(&of_iterator), id(&skel.progs.first));
    let mut of_tracepoint = skel.progs.on_enter.attach().unwrap();
    assert_fails!(
        of_tracepoint.update_prog(&skel.progs.on_enter),
        ErrorKind::NotSupported,
        "raw-tracepoint"
    );
    // No map of operations, and no link of one.
    let map = MapHandle::create(MapType::Array, "map", 4, 8, 1, 0).unwrap();
    assert_fails!(
        of_iterator.update_map(&map),
        ErrorKind::InvalidArgument,
        "array"
    );
}

fn replace_in_pinned() {
    let path = path("name");
    let skel = loaded(&["first", "second", "on_enter"]);
    let mut link = skel.progs.first.attach().unwrap();
    link.pin(&path).unwrap();
    let mut opened = Link::open(&path).unwrap();
    // The kernel looks at the kind of what it does not know.
    assert_fails!(
        opened.update_prog(&skel.progs.on_enter),
        ErrorKind::InvalidArgument,
        "on_enter"
    );
    opened.update_prog(&skel.progs.second).unwrap();
    for link in [&link, &opened] {
        assert_eq!(program_of(link), id(&skel.progs.second));
    }
    link.unpin(&path).unwrap();
}
