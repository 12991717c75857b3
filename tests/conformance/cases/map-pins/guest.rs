//! Names in a BPF file system.

use conformance_guests::{assert_fails, given, is_gone, is_held};
use wasm_bpf_guest::{ErrorKind, MapCore as _, MapFlags, MapHandle, MapType, Result, TypedMap};

conformance_guests::guest!();

fn map(value: u64) -> TypedMap<u32, u64, MapHandle> {
    let map = MapHandle::create(MapType::Array, "pinned", 4, 8, 4, 0).unwrap();
    let map = TypedMap::new(map).unwrap();
    map.insert(&0, &value, MapFlags::Any).unwrap();
    map
}

/// A path in the case's own BPF file system.
fn path(name: &str) -> String {
    format!("{}/{name}", given("bpffs"))
}

fn open(path: &str) -> Result<TypedMap<u32, u64, MapHandle>> {
    TypedMap::new(MapHandle::from_pinned_path(path)?)
}

/// The name keeps the map when its last handle is gone.
fn pinned() {
    let path = path("name");
    let first = map(42);
    first.pin(&path).unwrap();
    let info = first.info().unwrap();
    drop(first);
    is_held(&format!("map={}", info.id));
    let again = open(&path).unwrap();
    let found = again.info().unwrap();
    assert_eq!(found.id, info.id);
    assert!(matches!(found.type_, MapType::Array));
    assert_eq!((found.name, found.max_entries), (info.name, 4));
    assert_eq!(again.get(&0).unwrap(), Some(42));
    // Two handles are to the same map.
    let second = open(&path).unwrap();
    again.insert(&1, &43, MapFlags::Any).unwrap();
    assert_eq!(second.get(&1).unwrap(), Some(43));
    second.unpin(&path).unwrap();
}

/// The handle keeps the map when the name is gone; then nothing does.
fn unpinned() {
    let path = path("name");
    let map = map(42);
    map.pin(&path).unwrap();
    map.unpin(&path).unwrap();
    assert_fails!(map.unpin(&path), ErrorKind::NotFound, path.as_str());
    assert_fails!(open(&path), ErrorKind::NotFound, path.as_str());
    assert_eq!(map.get(&0).unwrap(), Some(42));
    let id = map.info().unwrap().id;
    drop(map);
    is_gone(&format!("map={id}"));
}

/// A map may have several names, but a name only one map, which alone can take it away.
fn names() {
    let (one, two) = (path("one"), path("folder/two"));
    let map = map(1);
    map.pin(&one).unwrap();
    // The last folder is made, those above are not.
    map.pin(&two).unwrap();
    assert_fails!(
        map.pin(path("no/such/folder")),
        ErrorKind::NotFound,
        "pinned"
    );
    let id = map.info().unwrap().id;
    for name in [&one, &two] {
        assert_eq!(open(name).unwrap().info().unwrap().id, id);
    }
    assert_fails!(map.pin(&one), ErrorKind::AlreadyExists, one.as_str());
    let other = self::map(2);
    assert_fails!(other.pin(&one), ErrorKind::AlreadyExists, one.as_str());
    assert_fails!(other.unpin(&one), ErrorKind::InvalidArgument, one.as_str());
    map.unpin(&one).unwrap();
    assert_fails!(open(&one), ErrorKind::NotFound, one.as_str());
    assert_eq!(open(&two).unwrap().get(&0).unwrap(), Some(1));
    // The name is free for another.
    other.pin(&one).unwrap();
    assert_eq!(open(&one).unwrap().get(&0).unwrap(), Some(2));
    other.unpin(&one).unwrap();
    map.unpin(&two).unwrap();
}

/// Every path is granted, so that what refuses is the host's own look at it.
fn hostile_paths() {
    let map = map(0);
    let folder = given("bpffs");
    for path in [
        "relative/path".to_owned(),
        String::new(),
        "/".to_owned(),
        format!("{folder}/"),
        format!("{folder}//twice"),
        format!("{folder}/./here"),
        format!("{folder}/dotted.name"),
        format!("{folder}/zero\0byte"),
        // No BPF file systems.
        "/tmp/wasm-bpf-conformance-pin".to_owned(),
        "/proc/wasm-bpf-conformance-pin".to_owned(),
        // Behind a symbolic link: what it leads to is not what was granted.
        "/proc/self/fd/0".to_owned(),
    ] {
        assert_fails!(map.pin(&path), ErrorKind::InvalidArgument, "pinned");
        assert_fails!(open(&path), ErrorKind::InvalidArgument);
        assert_fails!(map.unpin(&path), ErrorKind::InvalidArgument, "pinned");
    }
    // One that climbs is also one that no grant for a folder can cover.
    for path in [
        format!("{folder}/../above"),
        format!("{folder}/folder/../above"),
        format!("{folder}/.."),
    ] {
        for result in [map.pin(&path), open(&path).map(drop), map.unpin(&path)] {
            assert_fails!(result, ErrorKind::NotGranted | ErrorKind::InvalidArgument);
        }
    }
    // Plain, but nothing is there.
    let missing = path("missing");
    assert_fails!(map.unpin(&missing), ErrorKind::NotFound, "pinned");
    assert_fails!(open(&missing), ErrorKind::NotFound, missing.as_str());
    assert_fails!(open(&path("missing/name")), ErrorKind::NotFound);
}

/// Each path is refused with the grant that it lacks, before anything looks whether it is there.
fn refused(paths: &[String]) {
    let map = map(0);
    for path in paths {
        for result in [map.pin(path), open(path).map(drop), map.unpin(path)] {
            assert_fails!(result, ErrorKind::NotGranted, "pin", path.as_str());
        }
    }
}

/// A grant for a path is for no longer one, for no shorter one, and for no neighbour.
fn not_granted() {
    refused(&[
        path("name"),
        path("other"),
        path("others/name"),
        path("granted/name"),
        path("granted2"),
        path("grante"),
        "/tmp/name".to_owned(),
    ]);
    let map = map(0);
    // The grants themselves hold.
    for name in ["granted", "other/name"] {
        map.pin(path(name)).unwrap();
        map.unpin(path(name)).unwrap();
    }
}

/// Observing does not include pins.
fn nothing_granted() {
    refused(&[path("name"), "/sys/fs/bpf/name".to_owned()]);
}

/// Neither opening a pinned map anew each time nor dropping handles makes room.
fn limit() {
    let outer = path("outer");
    let map = MapHandle::create_of_maps(MapType::ArrayOfMaps, "outer", 4, 8, 0, &map(0)).unwrap();
    map.pin(&outer).unwrap();
    drop(map);
    let store = |key: u32| {
        let map = MapHandle::create(MapType::Array, "inner", 4, 8, 4, 0)?;
        let outer = MapHandle::from_pinned_path(&outer)?;
        outer.update_map(&key.to_ne_bytes(), &map, MapFlags::Any)
    };
    for key in 0..3 {
        store(key).unwrap();
    }
    assert_fails!(store(3), ErrorKind::LimitExceeded, "maps");
    let map = MapHandle::from_pinned_path(&outer).unwrap();
    map.delete(&0u32.to_ne_bytes()).unwrap();
    drop(map);
    store(0).unwrap();
    let map = MapHandle::from_pinned_path(&outer).unwrap();
    map.unpin(&outer).unwrap();
    drop(map);
    let pin = |name: &str| {
        let map = MapHandle::create(MapType::Array, "pinned", 4, 8, 4, 0)?;
        map.pin(path(name))
    };
    for name in ["a", "b", "c", "d"] {
        pin(name).unwrap();
    }
    assert_fails!(pin("e"), ErrorKind::LimitExceeded, "maps");
    let first = MapHandle::from_pinned_path(path("a")).unwrap();
    first.unpin(path("a")).unwrap();
    drop(first);
    pin("e").unwrap();
}
