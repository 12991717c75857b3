//! Names in a BPF file system: what two components after each other see, what others put there, and how this host words its refusals.

use test_guests::{assert_fails, case, no_such_case, say};
use wasm_bpf_guest::{ErrorKind, MapCore as _, MapFlags, MapHandle, MapType, TypedMap};

fn main() {
    let (case, args) = case();
    match case.as_str() {
        "pin" => pin(&args[0]),
        "pinned" => pinned(&args[0]),
        "pin-refused" => pin_refused(&args[0]),
        "pin-not-granted" => pin_not_granted(&args[0]),
        _ => no_such_case(&case),
    }
}

fn map(value: u64) -> TypedMap<u32, u64, MapHandle> {
    let map = MapHandle::create(MapType::Array, "pinned", 4, 8, 4, 0).unwrap();
    let map = TypedMap::new(map).unwrap();
    map.insert(&0, &value, MapFlags::Any).unwrap();
    map
}

/// Keeps a map under a name; the test looks whether it is there afterwards.
fn pin(path: &str) {
    let map = map(42);
    map.pin(path).unwrap();
    say(format_args!("holds map={}", map.info().unwrap().id));
}

/// A second component finds it, and removes it.
fn pinned(path: &str) {
    let map = MapHandle::from_pinned_path(path).unwrap();
    let map: TypedMap<u32, u64, _> = TypedMap::new(map).unwrap();
    assert_eq!(map.get(&0).unwrap(), Some(42));
    map.unpin(path).unwrap();
}

/// With every grant for pins, so that the host's own checks are met.
fn pin_refused(folder: &str) {
    let map = map(0);
    for (path, why) in [
        ("relative/path".to_owned(), "not absolute"),
        (format!("{folder}//twice"), "empty parts"),
        (format!("{folder}/dotted.name"), "dots"),
        ("/tmp/no-bpf-file-system".to_owned(), "BPF file system"),
        ("/proc/self/fd/0".to_owned(), "symbolic link"),
        // What the test put there: a program, and links to a map of another folder and to that folder.
        (format!("{folder}/program"), "no map"),
        (format!("{folder}/link"), "symbolic link"),
        (format!("{folder}/linked/name"), "symbolic link"),
    ] {
        let open = MapHandle::from_pinned_path(&path);
        assert_fails!(open, ErrorKind::InvalidArgument, why);
        assert_fails!(
            map.unpin(&path),
            ErrorKind::InvalidArgument,
            "`pinned`",
            why
        );
    }
    assert_fails!(
        map.pin(format!("{folder}/linked/other")),
        ErrorKind::InvalidArgument,
        "symbolic link"
    );
    for taken in ["program", "link"] {
        assert_fails!(
            map.pin(format!("{folder}/{taken}")),
            ErrorKind::AlreadyExists
        );
    }
    assert_fails!(
        map.pin(format!("{folder}/../above")),
        ErrorKind::NotGranted,
        "--allow-all"
    );
}

/// The message is what to write on the command line.
fn pin_not_granted(path: &str) {
    let map = map(0);
    let grant = format!("--allow pin={path}");
    assert_fails!(map.pin(path), ErrorKind::NotGranted, grant.as_str());
    assert_fails!(map.unpin(path), ErrorKind::NotGranted, grant.as_str());
    assert_fails!(
        MapHandle::from_pinned_path(path),
        ErrorKind::NotGranted,
        grant.as_str()
    );
}
