//! Maps that an object takes over.

use conformance_guests::{assert_fails, given, is_gone, is_held, pull, trigger};
use wasm_bpf_guest::{ErrorKind, MapCore as _, MapFlags, MapHandle, MapType, OpenObject};

conformance_guests::guest!();

const KEY: [u8; 4] = [1, 0, 0, 0];

fn open() -> case::OpenCaseSkel {
    let mut open = case::CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open
}

fn existing(entries: u32) -> MapHandle {
    MapHandle::create(MapType::Array, "existing", 4, 8, entries, 0).unwrap()
}

fn reuse(open: &OpenObject, map: &MapHandle) -> wasm_bpf_guest::Result<()> {
    open.map("counts").unwrap().reuse_map(map)
}

fn load(open: case::OpenCaseSkel) -> case::CaseSkel {
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    skel
}

fn count(map: &impl wasm_bpf_guest::MapCore) -> u64 {
    let value = map.lookup(&KEY).unwrap().unwrap();
    u64::from_ne_bytes(value.try_into().unwrap())
}

/// It has its own id, the declared name, and as many entries as it has.
fn reused() {
    let map = existing(16);
    let first = open();
    reuse(&first.open, &map).unwrap();
    assert_eq!(first.open.map("counts").unwrap().max_entries().unwrap(), 16);
    let skel = load(first);
    pull(3);
    assert_eq!(count(&map), 3);
    let info = skel.object.map("counts").unwrap().info().unwrap();
    let own = map.info().unwrap();
    assert_eq!((info.id, info.max_entries), (own.id, 16));
    assert_eq!(
        (info.name.as_str(), own.name.as_str()),
        ("counts", "existing")
    );
    drop(skel);
    // The handle goes before load.
    let second = open();
    reuse(&second.open, &map).unwrap();
    drop(map);
    let skel = load(second);
    pull(2);
    assert_eq!(count(&skel.object.map("counts").unwrap()), 5);
}

/// Each trigger counts twice.
fn shared() {
    let map = existing(4);
    let id = format!("map={}", map.info().unwrap().id);
    let skels = [open(), open()].map(|open| {
        reuse(&open.open, &map).unwrap();
        load(open)
    });
    drop(map);
    pull(2);
    let [one, two] = skels;
    drop(one);
    is_held(&id);
    let map = two.object.map("counts").unwrap();
    pull(1);
    assert_eq!(count(&map), 5);
    drop(two);
    is_held(&id);
    assert_eq!(count(&map), 5);
    drop(map);
    is_gone(&id);
}

/// Each is refused when it is said, and the object loads all the same.
fn wrong() {
    let open = open();
    for (kind, key, value) in [
        (MapType::Hash, 4, 8),
        (MapType::PercpuArray, 4, 8),
        (MapType::Array, 4, 4),
        (MapType::Array, 4, 16),
        (MapType::Hash, 8, 8),
    ] {
        let map = MapHandle::create(kind, "existing", key, value, 4, 0).unwrap();
        assert_fails!(
            reuse(&open.open, &map),
            ErrorKind::InvalidArgument,
            "counts",
            "existing"
        );
    }
    let map = existing(4);
    for name in [".bss", ".rodata"] {
        let result = open.open.map(name).unwrap().reuse_map(&map);
        assert_fails!(result, ErrorKind::InvalidArgument, name);
    }
    assert_fails!(open.open.map("none"), ErrorKind::NotFound, "none");
    let skel = load(open);
    pull(1);
    assert_eq!(count(&skel.object.map("counts").unwrap()), 1);
    assert_eq!(count(&map), 0);
}

/// Not its shape, nor where it is pinned, nor what it is.
fn fixed() {
    let map = existing(4);
    let open = open();
    reuse(&open.open, &map).unwrap();
    let counts = open.open.map("counts").unwrap();
    for result in [
        counts.set_max_entries(8),
        counts.set_map_flags(1),
        counts.set_value_size(16),
        counts.set_type(MapType::Hash),
        counts.set_numa_node(0),
        counts.set_pin_path(Some("/sys/fs/bpf/counts")),
        counts.reuse_map(&map),
    ] {
        assert_fails!(result, ErrorKind::InvalidArgument, "counts");
    }
    load(open);
}

/// The object's other maps are three.
fn counted_once() {
    let map = existing(4);
    let first = open();
    reuse(&first.open, &map).unwrap();
    let skel = load(first);
    let another = || MapHandle::create(MapType::Array, "another", 4, 8, 1, 0);
    assert_fails!(another(), ErrorKind::LimitExceeded, "maps");
    drop(map);
    // The object has it.
    assert_fails!(another(), ErrorKind::LimitExceeded, "maps");
    let map = skel.object.map("counts").unwrap();
    drop(skel);
    let _three = [another().unwrap(), another().unwrap(), another().unwrap()];
    assert_fails!(another(), ErrorKind::LimitExceeded, "maps");
    drop(map);
    another().unwrap();
}

/// A table of programs that objects share.
fn program_array() {
    let array = MapHandle::create(MapType::ProgArray, "table", 4, 4, 8, 0).unwrap();
    let target = load(open());
    let program = &target.progs.count;
    array
        .update_program(&[2, 0, 0, 0], program, MapFlags::Any)
        .unwrap();
    let jumping = open();
    jumping
        .open
        .map("targets")
        .unwrap()
        .reuse_map(&array)
        .unwrap();
    let jumping = load(jumping);
    pull(1);
    // Its own trigger, and the jump from the other, which jumps no further: its table is empty.
    assert_eq!(target.bss.get().unwrap().turns, 2);
    assert_eq!(jumping.bss.get().unwrap().turns, 1);
    drop(target);
    pull(1);
    assert_eq!(jumping.bss.get().unwrap().turns, 2);
    let id = array.lookup(&[2, 0, 0, 0]).unwrap();
    assert!(id.is_some(), "what is in it stays");
}

/// In the kernel nothing has it then.
fn let_go() {
    let map = existing(4);
    let id = format!("map={}", map.info().unwrap().id);
    let first = open();
    reuse(&first.open, &map).unwrap();
    drop(map);
    is_held(&id);
    drop(first);
    is_gone(&id);
    let map = existing(4);
    let id = format!("map={}", map.info().unwrap().id);
    let second = open();
    reuse(&second.open, &map).unwrap();
    // No kernel knows this flag.
    let targets = second.open.map("targets").unwrap();
    targets.set_map_flags(1 << 30).unwrap();
    assert_fails!(second.load(), ErrorKind::InvalidArgument, "targets");
    is_held(&id);
    drop(map);
    is_gone(&id);
}

fn path(name: &str) -> String {
    format!("{}/{name}", given("bpffs"))
}

/// The second object counts on.
fn pinned_by_load() {
    let path = path("counts");
    let first = open();
    let counts = first.open.map("counts").unwrap();
    assert_eq!(counts.pin_path().unwrap(), None);
    counts.set_pin_path(Some(&path)).unwrap();
    assert_eq!(counts.pin_path().unwrap().as_deref(), Some(path.as_str()));
    // It says by itself what map it is.
    assert_fails!(
        reuse(&first.open, &existing(4)),
        ErrorKind::InvalidArgument,
        "pin"
    );
    let skel = load(first);
    pull(2);
    drop(skel);
    let pinned = MapHandle::from_pinned_path(&path).unwrap();
    assert_eq!(count(&pinned), 2);
    let second = open();
    second
        .open
        .map("counts")
        .unwrap()
        .set_pin_path(Some(&path))
        .unwrap();
    let skel = load(second);
    pull(1);
    assert_eq!(count(&pinned), 3);
    drop(skel);
    // By the handle it is taken over without any say on pins.
    let third = open();
    third
        .open
        .map("counts")
        .unwrap()
        .reuse_pinned_map(&path)
        .unwrap();
    let _skel = load(third);
    pull(1);
    assert_eq!(count(&pinned), 4);
    pinned.unpin(&path).unwrap();
    let fourth = open();
    let counts = fourth.open.map("counts").unwrap();
    counts.set_pin_path(Some(&path)).unwrap();
    counts.set_pin_path(None).unwrap();
    load(fourth);
    assert_fails!(MapHandle::from_pinned_path(&path), ErrorKind::NotFound);
}

/// It is said at load, which names the grant.
fn pin_denied() {
    let path = path("counts");
    let open = open();
    let counts = open.open.map("counts").unwrap();
    counts.set_pin_path(Some(&path)).unwrap();
    let grant = format!("pin={path}");
    assert_fails!(open.load(), ErrorKind::NotGranted, "counts", &grant);
}

/// They come to nothing in each policy.
fn pin_paths() {
    let open = open();
    let counts = open.open.map("counts").unwrap();
    for bad in [
        "",
        "/",
        "counts",
        "./counts",
        "/sys/fs/bpf/",
        "/sys/fs/bpf/../bpf/counts",
        "/sys/fs/bpf//counts",
        "/sys/fs/bpf/./counts",
        "/sys/fs/bpf/a.b",
        "/sys/fs/bpf/a\0b",
    ] {
        let result = counts.set_pin_path(Some(bad));
        assert_fails!(result, ErrorKind::InvalidArgument, "counts");
    }
    assert_eq!(counts.pin_path().unwrap(), None);
}

/// In a folder that is made for them.
fn pins_of_all() {
    let folder = path("all");
    let skel = load(open());
    let names = ["counts", "targets", "_bss", "_rodata"];
    skel.object.pin_maps(&folder).unwrap();
    let opened = |name: &str| MapHandle::from_pinned_path(format!("{folder}/{name}"));
    for name in names {
        opened(name).unwrap();
    }
    skel.object.unpin_maps(&folder).unwrap();
    for name in names {
        assert_fails!(opened(name), ErrorKind::NotFound, name);
    }
    // One name is taken: none is left.
    let taken = existing(1);
    taken.pin(format!("{folder}/targets")).unwrap();
    assert_fails!(
        skel.object.pin_maps(&folder),
        ErrorKind::AlreadyExists,
        "targets"
    );
    for name in ["counts", "_bss", "_rodata"] {
        assert_fails!(opened(name), ErrorKind::NotFound, name);
    }
    taken.unpin(format!("{folder}/targets")).unwrap();
}

/// The first there always is.
fn numa_node() {
    let first = open();
    let counts = first.open.map("counts").unwrap();
    counts.set_numa_node(0).unwrap();
    assert_eq!(counts.numa_node().unwrap(), 0);
    assert_eq!(counts.map_flags().unwrap(), 4);
    let skel = load(first);
    pull(1);
    assert_eq!(count(&skel.object.map("counts").unwrap()), 1);
    let second = open();
    let counts = second.open.map("counts").unwrap();
    counts.set_numa_node(1 << 20).unwrap();
    assert_eq!(counts.numa_node().unwrap(), 1 << 20);
    let result = second.open.map(".bss").unwrap().set_numa_node(0);
    assert_fails!(result, ErrorKind::InvalidArgument, ".bss");
    assert_fails!(second.load(), ErrorKind::InvalidArgument, "counts");
}
