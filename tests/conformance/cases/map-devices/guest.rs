//! Network interfaces in maps.

use conformance_guests::{assert_fails, given, is_gone, is_held};
use wasm_bpf_guest::{ErrorKind, MapCore as _, MapFlags, MapHandle, MapType, Object, Result};

conformance_guests::guest!();

const KEY: [u8; 4] = [1, 0, 0, 0];

fn map(kind: MapType, value: u32) -> MapHandle {
    MapHandle::create(kind, "devices", 4, value, 4, 0).unwrap()
}

fn load(program: &str) -> Result<Object> {
    let open = case::CaseSkelBuilder::new().open()?.open;
    open.program(program)?.set_autoload(true)?;
    open.load()
}

/// The interface's number, and the program's id.
fn stored_in(map: &MapHandle) -> Option<(u32, u32)> {
    let value = map.lookup(&KEY).unwrap()?;
    let number = |at: usize| u32::from_ne_bytes(value[at..at + 4].try_into().unwrap());
    let program = if value.len() == 8 { number(4) } else { 0 };
    Some((number(0), program))
}

/// In both kinds of map.
fn stored() {
    let interface = given("interface");
    let mut numbers = Vec::new();
    for kind in [MapType::Devmap, MapType::DevmapHash] {
        let map = map(kind, 4);
        assert_eq!(stored_in(&map), None);
        map.update_device(&KEY, &interface, MapFlags::Any).unwrap();
        let (number, _) = stored_in(&map).unwrap();
        assert_ne!(number, 0);
        numbers.push(number);
        map.update_device(&KEY, &interface, MapFlags::Any).unwrap();
        let result = map.update_device(&KEY, &interface, MapFlags::NoExist);
        assert_fails!(result, ErrorKind::AlreadyExists, "devices");
        let result = map.update_device(&KEY[..3], &interface, MapFlags::Any);
        assert_fails!(result, ErrorKind::WrongSize, "devices");
        map.delete(&KEY).unwrap();
        assert_eq!(stored_in(&map), None);
    }
    assert_eq!(numbers[0], numbers[1]);
    // An index past the end.
    let result = map(MapType::Devmap, 4).update_device(&[4, 0, 0, 0], &interface, MapFlags::Any);
    assert_fails!(result, ErrorKind::Full, "devices");
}

/// Its id is shown.
fn with_program() {
    for kind in [MapType::Devmap, MapType::DevmapHash] {
        let map = map(kind, 8);
        let object = load("on_the_way_out").unwrap();
        let program = object.program("on_the_way_out").unwrap();
        let id = program.info().unwrap().id;
        let held = format!("program={id}");
        map.update_device_with_program(&KEY, &given("interface"), &program, MapFlags::Any)
            .unwrap();
        drop((program, object));
        is_held(&held);
        assert_eq!(stored_in(&map).unwrap().1, id);
        // The interface alone takes its place.
        map.update_device(&KEY, &given("interface"), MapFlags::Any)
            .unwrap();
        assert_eq!(stored_in(&map).unwrap().1, 0);
        is_gone(&held);
    }
}

/// The map stays as it was.
fn wrong_programs() {
    let large = map(MapType::Devmap, 8);
    let interface = given("interface");
    let object = load("on_the_way_in").unwrap();
    let program = object.program("on_the_way_in").unwrap();
    let result = large.update_device_with_program(&KEY, &interface, &program, MapFlags::Any);
    assert_fails!(result, ErrorKind::InvalidArgument, "devices");
    let object = load("on_the_way_out").unwrap();
    let program = object.program("on_the_way_out").unwrap();
    let small = map(MapType::Devmap, 4);
    let result = small.update_device_with_program(&KEY, &interface, &program, MapFlags::Any);
    assert_fails!(result, ErrorKind::WrongSize, "devices");
    let hash = map(MapType::Hash, 8);
    let result = hash.update_device_with_program(&KEY, &interface, &program, MapFlags::Any);
    assert_fails!(result, ErrorKind::NotSupported, "devices");
    assert_eq!(stored_in(&large), None);
}

/// There is room for one program.
fn counted() {
    let map = map(MapType::Devmap, 8);
    let object = load("on_the_way_out").unwrap();
    let program = object.program("on_the_way_out").unwrap();
    map.update_device_with_program(&KEY, &given("interface"), &program, MapFlags::Any)
        .unwrap();
    drop((program, object));
    let again = || load("on_the_way_out");
    assert_fails!(again(), ErrorKind::LimitExceeded, "programs");
    map.delete(&KEY).unwrap();
    again().unwrap();
}

/// Each is refused before the kernel could make something else of it.
fn names() {
    let map = map(MapType::Devmap, 4);
    let interface = given("interface");
    let put = |name: &str| map.update_device(&KEY, name, MapFlags::Any);
    for name in ["none", "wb7", "WB0", "0", "1", "2"] {
        assert_fails!(put(name), ErrorKind::NoSuchDevice, "devices", name);
    }
    for name in [
        String::new(),
        format!("{interface}\0"),
        format!("{interface}\0x"),
        format!("{interface}:1"),
        format!(" {interface}"),
        format!("{interface}\n"),
        "../lo".to_owned(),
        "x".repeat(16),
        "x".repeat(1 << 20),
    ] {
        assert_fails!(put(&name), ErrorKind::InvalidArgument, "devices");
    }
    assert_eq!(stored_in(&map), None);
    put(&interface).unwrap();
}

/// Nor does a number become one.
fn kinds() {
    let interface = given("interface");
    for kind in [
        MapType::Hash,
        MapType::Array,
        MapType::ProgArray,
        MapType::Cpumap,
    ] {
        let result = map(kind, 4).update_device(&KEY, &interface, MapFlags::Any);
        assert_fails!(result, ErrorKind::NotSupported, "devices");
    }
    for kind in [MapType::Devmap, MapType::DevmapHash] {
        let map = map(kind, 4);
        for number in 0..16u32 {
            let result = map.update(&KEY, &number.to_ne_bytes(), MapFlags::Any);
            assert_fails!(result, ErrorKind::NotSupported, "devices");
        }
        assert_eq!(stored_in(&map), None);
    }
}

/// The answer is the same for both: it does not tell which interfaces there are.
fn denied() {
    let map = map(MapType::Devmap, 8);
    for name in [given("interface").as_str(), "lo", "none"] {
        let result = map.update_device(&KEY, name, MapFlags::Any);
        let grant = format!("xdp={name}");
        assert_fails!(result, ErrorKind::NotGranted, &grant);
    }
    let object = load("on_the_way_out").unwrap();
    let program = object.program("on_the_way_out").unwrap();
    let interface = given("interface");
    let result = map.update_device_with_program(&KEY, &interface, &program, MapFlags::Any);
    assert_fails!(result, ErrorKind::NotGranted, "xdp=");
    assert_eq!(stored_in(&map), None);
}

/// Neither in the kernel nor in the host.
fn again_and_again() {
    let interface = given("interface");
    let map = map(MapType::DevmapHash, 4);
    for turn in 0..100_000u32 {
        let key = turn.to_ne_bytes();
        map.update_device(&key, &interface, MapFlags::Any).unwrap();
        map.delete(&key).unwrap();
    }
    assert_eq!(map.keys().count(), 0);
}
