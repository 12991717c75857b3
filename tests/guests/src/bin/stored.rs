//! Maps in maps, programs in maps, and names in a BPF file system.

use test_guests::{assert_fails, case, hear, no_such_case, say, trigger};
use wasm_bpf_guest::{ErrorKind, Map, MapCore, MapFlags, MapHandle, MapType, TypedMap};

wasm_bpf_guest::include_skeleton!("churn");
wasm_bpf_guest::include_skeleton!("timer");
use churn::{ChurnSkel, ChurnSkelBuilder, OpenChurnSkel};

fn main() {
    let (case, args) = case();
    match case.as_str() {
        "maps" => maps(),
        "maps-count" => maps_count(),
        "maps-wrong" => maps_wrong(),
        "programs" => programs(),
        "programs-count" => programs_count(),
        "programs-keep-maps" => programs_keep_maps(),
        "timers-count" => timers_count(),
        "pins-count" => pins_count(&args[0]),
        "pin" => pin(&args[0]),
        "pinned" => pinned(&args[0]),
        "pin-refused" => pin_refused(&args[0]),
        "pin-not-granted" => pin_not_granted(&args[0]),
        _ => no_such_case(&case),
    }
}

fn open(programs: &[&str]) -> OpenChurnSkel {
    let mut open = ChurnSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    for program in programs {
        open.open
            .program(program)
            .unwrap()
            .set_autoload(true)
            .unwrap();
    }
    open
}

fn load(programs: &[&str]) -> ChurnSkel {
    let mut skel = open(programs).load().unwrap();
    skel.attach().unwrap();
    skel
}

/// Has the programs act once.
fn act() {
    say("act");
    hear("done");
}

/// Like the inner maps that the object declares.
fn inner(value: u64) -> TypedMap<u32, u64, MapHandle> {
    let map = MapHandle::create(MapType::Array, "inner", 4, 8, 4, 0).unwrap();
    let map = TypedMap::new(map).unwrap();
    map.insert(&0, &value, MapFlags::Any).unwrap();
    map
}

fn id(map: &Map, key: u32) -> Option<u32> {
    let value = map.lookup(&key.to_ne_bytes()).unwrap()?;
    Some(u32::from_ne_bytes(value.try_into().unwrap()))
}

fn maps() {
    let skel = load(&["look_inside"]);
    let key = 2u32.to_ne_bytes();
    act();
    assert_eq!(skel.bss.seen_by_index.get().unwrap(), 0);
    let (first, second) = (inner(10), inner(20));
    for (outer, seen) in [
        (&skel.maps.by_index, &skel.bss.seen_by_index),
        (&skel.maps.by_key, &skel.bss.seen_by_key),
    ] {
        outer.update_map(&key, &first, MapFlags::Any).unwrap();
        // What is stored is told by its id.
        assert_eq!(id(outer, 2), Some(first.info().unwrap().id));
        act();
        assert_eq!(seen.get().unwrap(), 10);
        first.insert(&0, &11, MapFlags::Any).unwrap();
        act();
        assert_eq!(seen.get().unwrap(), 11);
        outer.update_map(&key, &second, MapFlags::Any).unwrap();
        act();
        assert_eq!(seen.get().unwrap(), 20);
        // Its own handle may go: the outer map keeps it.
        let third = inner(30);
        outer.update_map(&key, &third, MapFlags::Any).unwrap();
        drop(third);
        act();
        assert_eq!(seen.get().unwrap(), 30);
        outer.delete(&key).unwrap();
        act();
        assert_eq!(seen.get().unwrap(), 0);
        first.insert(&0, &10, MapFlags::Any).unwrap();
    }
    // Outside of objects, walked and emptied.
    let outer = MapHandle::create_of_maps(MapType::HashOfMaps, "outer", 4, 8, 0, &first).unwrap();
    for key in 0..8u32 {
        let flags = MapFlags::NoExist;
        outer
            .update_map(&key.to_ne_bytes(), &second, flags)
            .unwrap();
    }
    assert_fails!(
        outer.update_map(&[9; 4], &second, MapFlags::Any),
        ErrorKind::Full,
        "`outer`"
    );
    assert_fails!(
        outer.update_map(&[0; 4], &second, MapFlags::NoExist),
        ErrorKind::AlreadyExists
    );
    let id = second.info().unwrap().id.to_ne_bytes().to_vec();
    assert!(outer.iter().all(|entry| entry.unwrap().1 == id));
    assert_eq!(outer.drain().count(), 8);
    assert_eq!(outer.iter().count(), 0);
}

/// Run with `--limit maps=4`: what is stored counts, whatever becomes of its handle.
fn maps_count() {
    let template = inner(0);
    let outer =
        MapHandle::create_of_maps(MapType::ArrayOfMaps, "outer", 4, 8, 0, &template).unwrap();
    let store = |key: u32| {
        let map = MapHandle::create(MapType::Array, "inner", 4, 8, 4, 0)?;
        outer.update_map(&key.to_ne_bytes(), &map, MapFlags::Any)
    };
    store(0).unwrap();
    store(1).unwrap();
    assert_fails!(store(2), ErrorKind::LimitExceeded, "maps=4");
    // In place of another there is room, once the other is gone.
    outer.delete(&0u32.to_ne_bytes()).unwrap();
    store(0).unwrap();
    assert_fails!(store(0), ErrorKind::LimitExceeded);
    drop(outer);
    let _one = inner(0);
    let _two = inner(0);
    let _three = inner(0);
    assert_fails!(
        MapHandle::create(MapType::Array, "inner", 4, 8, 4, 0),
        ErrorKind::LimitExceeded
    );
}

fn maps_wrong() {
    let skel = load(&["look_inside"]);
    let key = [0; 4];
    let good = inner(1);
    let other = MapHandle::create(MapType::Hash, "other", 4, 8, 4, 0).unwrap();
    assert_fails!(
        skel.maps.by_index.update_map(&key, &other, MapFlags::Any),
        ErrorKind::InvalidArgument,
        "`by_index`"
    );
    assert_fails!(
        skel.maps.by_index.update_map(&[0; 3], &good, MapFlags::Any),
        ErrorKind::WrongSize,
        "the key has 3 bytes"
    );
    assert_fails!(
        skel.maps
            .by_index
            .update_map(&[4, 0, 0, 0], &good, MapFlags::Any),
        ErrorKind::Full
    );
    assert_fails!(
        other.update_map(&key, &good, MapFlags::Any),
        ErrorKind::NotSupported,
        "`other`"
    );
    // No number becomes a map.
    for number in 0..16u32 {
        assert_fails!(
            skel.maps
                .by_key
                .update(&key, &number.to_ne_bytes(), MapFlags::Any),
            ErrorKind::NotSupported
        );
    }
    let create =
        |kind, inner: &dyn MapCore| MapHandle::create_of_maps(kind, "outer", 4, 4, 0, inner);
    assert_fails!(
        create(MapType::Hash, &good),
        ErrorKind::InvalidArgument,
        "`outer`"
    );
    // A map of maps of maps, and of kinds that cannot be inside.
    assert_fails!(
        create(MapType::HashOfMaps, &skel.maps.by_key),
        ErrorKind::InvalidArgument,
        "`outer`"
    );
    assert_fails!(
        MapHandle::create(MapType::HashOfMaps, "outer", 4, 4, 4, 0),
        ErrorKind::NotSupported,
        "create-of-maps"
    );
}

fn programs() {
    let skel = load(&["jump", "target"]);
    act();
    let counts = || {
        let bss = skel.bss.get().unwrap();
        (bss.jumped, bss.fell_through)
    };
    assert_eq!(counts(), (0, 1));
    let key = 1u32.to_ne_bytes();
    skel.maps
        .targets
        .update_program(&key, &skel.progs.target, MapFlags::Any)
        .unwrap();
    assert_eq!(
        id(&skel.maps.targets, 1),
        Some(skel.progs.target.info().unwrap().id)
    );
    act();
    assert_eq!(counts(), (1, 1));
    skel.maps.targets.delete(&key).unwrap();
    act();
    assert_eq!(counts(), (1, 2));
    assert_fails!(
        skel.maps
            .targets
            .update_program(&[4, 0, 0, 0], &skel.progs.target, MapFlags::Any),
        ErrorKind::Full,
        "`targets`"
    );
    assert_fails!(
        skel.maps
            .targets
            .update_program(&[0; 2], &skel.progs.target, MapFlags::Any),
        ErrorKind::WrongSize
    );
    assert_fails!(
        skel.maps
            .busy
            .update_program(&[0; 4], &skel.progs.target, MapFlags::Any),
        ErrorKind::NotSupported,
        "`busy`"
    );
    for number in 0..16u32 {
        assert_fails!(
            skel.maps
                .targets
                .update(&key, &number.to_ne_bytes(), MapFlags::Any),
            ErrorKind::NotSupported
        );
    }
}

/// Run with `--limit programs=3`: a program that an array keeps counts when its object is gone.
fn programs_count() {
    let skel = load(&["jump"]);
    let key = 1u32.to_ne_bytes();
    let other = load(&["target"]);
    skel.maps
        .targets
        .update_program(&key, &other.progs.target, MapFlags::Any)
        .unwrap();
    drop(other);
    act();
    assert_eq!(
        skel.bss.fell_through.get().unwrap(),
        0,
        "the program is still there"
    );
    let third = load(&["target"]);
    assert_fails!(
        open(&["target"]).load(),
        ErrorKind::LimitExceeded,
        "programs=3"
    );
    drop(third);
    skel.maps.targets.delete(&key).unwrap();
    let _second = load(&["target"]);
    let _third = load(&["target"]);
}

/// Run with `--limit map-memory=7M`, which three of the object's loads pass: a program that an array keeps has its object's maps.
fn programs_keep_maps() {
    let skel = load(&["jump"]);
    let store = |key: u32| {
        let other = open(&["target"]).load()?;
        let target = &other.progs.target;
        skel.maps
            .targets
            .update_program(&key.to_ne_bytes(), target, MapFlags::Any)
    };
    store(0).unwrap();
    store(1).unwrap();
    assert_fails!(store(2), ErrorKind::LimitExceeded, "map-memory");
    skel.maps.targets.delete(&0u32.to_ne_bytes()).unwrap();
    store(2).unwrap();
    assert_fails!(store(3), ErrorKind::LimitExceeded, "map-memory");
}

/// Run with `--limit programs=1`: a timer keeps its program as long as there is a handle to its map.
fn timers_count() {
    let load = || timer::TimerSkelBuilder::new().open().unwrap().load();
    let mut skel = load().unwrap();
    skel.attach().unwrap();
    let timers = MapHandle::try_from(&skel.maps.timers).unwrap();
    drop(skel);
    assert_fails!(load(), ErrorKind::LimitExceeded, "programs=1");
    drop(timers);
    load().unwrap();
}

/// Run with `--limit maps=4`: a pin keeps a map, and what is stored in it, also without a handle.
fn pins_count(folder: &str) {
    let outer = format!("{folder}/outer");
    let map = MapHandle::create_of_maps(MapType::ArrayOfMaps, "outer", 4, 8, 0, &inner(0)).unwrap();
    map.pin(&outer).unwrap();
    drop(map);
    // Opened each time anew.
    let store = |key: u32| {
        let map = MapHandle::create(MapType::Array, "inner", 4, 8, 4, 0)?;
        let outer = MapHandle::from_pinned_path(&outer)?;
        outer.update_map(&key.to_ne_bytes(), &map, MapFlags::Any)
    };
    for key in 0..3 {
        store(key).unwrap();
    }
    assert_fails!(store(3), ErrorKind::LimitExceeded, "maps=4");
    let map = MapHandle::from_pinned_path(&outer).unwrap();
    map.delete(&0u32.to_ne_bytes()).unwrap();
    drop(map);
    store(0).unwrap();
    MapHandle::from_pinned_path(&outer)
        .unwrap()
        .unpin(&outer)
        .unwrap();
    let pin = |name: &str| {
        let map = MapHandle::create(MapType::Array, "pinned", 4, 8, 4, 0)?;
        map.pin(format!("{folder}/{name}"))
    };
    for name in ["a", "b", "c", "d"] {
        pin(name).unwrap();
    }
    assert_fails!(pin("e"), ErrorKind::LimitExceeded, "maps=4");
    let path = format!("{folder}/a");
    MapHandle::from_pinned_path(&path)
        .unwrap()
        .unpin(&path)
        .unwrap();
    pin("e").unwrap();
}

/// Keeps a map under a name; the test looks whether it is there afterwards.
fn pin(path: &str) {
    let map = inner(42);
    map.pin(path).unwrap();
    assert_fails!(map.pin(path), ErrorKind::AlreadyExists, path);
    let again = MapHandle::from_pinned_path(path).unwrap();
    assert_eq!(again.info().unwrap().id, map.info().unwrap().id);
    // Not by somebody else's handle.
    assert_fails!(
        inner(1).unpin(path),
        ErrorKind::InvalidArgument,
        "another map"
    );
    say(format_args!("holds map={}", map.info().unwrap().id));
}

/// A second component finds it, and removes it.
fn pinned(path: &str) {
    let map = MapHandle::from_pinned_path(path).unwrap();
    let map: TypedMap<u32, u64, _> = TypedMap::new(map).unwrap();
    assert_eq!(map.get(&0).unwrap(), Some(42));
    map.insert(&0, &43, MapFlags::Any).unwrap();
    map.unpin(path).unwrap();
    assert_fails!(map.unpin(path), ErrorKind::NotFound, path);
    assert_fails!(MapHandle::from_pinned_path(path), ErrorKind::NotFound, path);
    assert_eq!(map.get(&0).unwrap(), Some(43));
}

/// With every grant for pins, so that the host's own checks are met.
fn pin_refused(folder: &str) {
    let map = inner(0);
    for (path, why) in [
        ("relative/path".to_owned(), "not absolute"),
        (String::new(), "not absolute"),
        ("/".to_owned(), "not absolute"),
        (format!("{folder}/"), "empty parts"),
        (format!("{folder}//twice"), "empty parts"),
        (format!("{folder}/./here"), "empty parts"),
        (format!("{folder}/dotted.name"), "dots"),
        ("/tmp/no-bpf-file-system".to_owned(), "BPF file system"),
        ("/proc/self/fd/0".to_owned(), "symbolic link"),
    ] {
        assert_fails!(map.pin(&path), ErrorKind::InvalidArgument, "`inner`", why);
        assert_fails!(
            MapHandle::from_pinned_path(&path),
            ErrorKind::InvalidArgument,
            why
        );
        assert_fails!(map.unpin(&path), ErrorKind::InvalidArgument, why);
    }
    assert_fails!(
        map.pin(format!("{folder}/../above")),
        ErrorKind::NotGranted,
        "--allow-all"
    );
    assert_fails!(
        map.pin(format!("{folder}/missing/missing/name")),
        ErrorKind::NotFound
    );
    assert_fails!(
        MapHandle::from_pinned_path(format!("{folder}/missing")),
        ErrorKind::NotFound
    );
    // What the test pinned there: a program, and a link to a map of another folder.
    assert_fails!(
        MapHandle::from_pinned_path(format!("{folder}/program")),
        ErrorKind::InvalidArgument,
        "no map"
    );
    assert_fails!(
        map.unpin(format!("{folder}/program")),
        ErrorKind::InvalidArgument,
        "no map"
    );
    for path in [format!("{folder}/link"), format!("{folder}/linked/name")] {
        assert_fails!(
            MapHandle::from_pinned_path(&path),
            ErrorKind::InvalidArgument,
            "symbolic link"
        );
    }
    assert_fails!(
        map.pin(format!("{folder}/linked/name")),
        ErrorKind::InvalidArgument,
        "symbolic link"
    );
}

/// Without a grant, or with one for another folder.
fn pin_not_granted(path: &str) {
    let map = inner(0);
    let grant = format!("--allow pin={path}");
    assert_fails!(map.pin(path), ErrorKind::NotGranted, grant.as_str());
    assert_fails!(map.unpin(path), ErrorKind::NotGranted, grant.as_str());
    assert_fails!(
        MapHandle::from_pinned_path(path),
        ErrorKind::NotGranted,
        grant.as_str()
    );
}
