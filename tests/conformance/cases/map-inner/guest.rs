//! What the maps in a map of maps are like.

use conformance_guests::{assert_code, assert_fails, is_gone, pull, raw, trigger};
use raw::maps::CreateOptions;
use raw::types::ErrorCode;
use wasm_bpf_guest::{
    ErrorKind, MapCore as _, MapCreateOptions, MapFlags, MapHandle, MapType, Object,
};

conformance_guests::guest!();

const KEY: [u8; 4] = [2, 0, 0, 0];

fn open() -> case::OpenCaseSkel {
    let mut open = case::CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open
}

/// An array with this in its first value.
fn array(entries: u32, first: u64) -> MapHandle {
    let map = MapHandle::create(MapType::Array, "inner", 4, 8, entries, 0).unwrap();
    map.update(&[0; 4], &first.to_ne_bytes(), MapFlags::Any)
        .unwrap();
    map
}

fn store(object: &Object, inner: &MapHandle) -> wasm_bpf_guest::Result<()> {
    object
        .map("outer")
        .unwrap()
        .update_map(&KEY, inner, MapFlags::Any)
}

/// Of maps of maps alone.
fn declared() {
    let open = open().open;
    let inner = open.map("outer").unwrap().inner_map().unwrap().unwrap();
    assert!(matches!(inner.type_, MapType::Array));
    let sizes = (inner.key_size, inner.value_size, inner.max_entries);
    assert_eq!(sizes, (4, 8, 4));
    assert_eq!(inner.flags, 0);
    assert!(open.map("plain").unwrap().inner_map().unwrap().is_none());
}

/// The program is verified against it.
fn set() {
    let open = open();
    let outer = open.open.map("outer").unwrap();
    outer.set_inner_map(&array(16, 0)).unwrap();
    assert!(
        outer.inner_map().unwrap().is_none(),
        "it declares none any more"
    );
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    let result = store(&skel.object, &array(4, 5));
    assert_fails!(result, ErrorKind::InvalidArgument, "outer");
    store(&skel.object, &array(16, 6)).unwrap();
    pull(1);
    assert_eq!(skel.bss.get().unwrap().seen, 6);
}

/// A hash takes the number that its descriptor had, if one does.
fn dropped_before_load() {
    let open = open();
    let model = array(4, 0);
    open.open
        .map("outer")
        .unwrap()
        .set_inner_map(&model)
        .unwrap();
    drop(model);
    let _others = [(); 8].map(|()| MapHandle::create(MapType::Hash, "other", 8, 4, 1, 0));
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    store(&skel.object, &array(4, 7)).unwrap();
    pull(1);
    assert_eq!(skel.bss.get().unwrap().seen, 7);
}

/// In objects and outside of them.
fn wrong() {
    let first = open();
    let plain = first.open.map("plain").unwrap();
    let result = plain.set_inner_map(&array(4, 0));
    assert_fails!(result, ErrorKind::InvalidArgument, "plain");
    let outer = first.open.map("outer").unwrap();
    outer.set_inner_map(&array(4, 0)).unwrap();
    let result = outer.set_inner_map(&array(4, 0));
    assert_fails!(result, ErrorKind::InvalidArgument, "outer");
    assert_fails!(first.open.map("none"), ErrorKind::NotFound, "none");
    // No maps of maps of maps, no tables of programs.
    let model = array(4, 0);
    let options = MapCreateOptions::new().inner_map(&model);
    let of_maps = MapHandle::create(MapType::ArrayOfMaps, "of_maps", 4, 4, 4, options).unwrap();
    let table = MapHandle::create(MapType::ProgArray, "table", 4, 4, 4, 0).unwrap();
    for model in [&of_maps, &table] {
        let open = open();
        open.open
            .map("outer")
            .unwrap()
            .set_inner_map(model)
            .unwrap();
        let error = conformance_guests::failure(open.load());
        let text = error.to_string();
        assert!(text.contains("outer"), "{text}");
        let options = MapCreateOptions::new().inner_map(model);
        let result = MapHandle::create(MapType::HashOfMaps, "tested", 4, 4, 4, options);
        let error = conformance_guests::failure(result);
        assert!(error.to_string().contains("tested"), "{error}");
        assert!(error.errno().is_some(), "the kernel said it: {error}");
    }
    // A map that holds no maps has no model.
    let options = MapCreateOptions::new().inner_map(&model);
    let result = MapHandle::create(MapType::Hash, "tested", 4, 4, 4, options);
    assert_fails!(result, ErrorKind::InvalidArgument, "tested");
}

/// As soon as there is the map that it was for.
fn let_go() {
    let model = array(4, 0);
    let id = format!("map={}", model.info().unwrap().id);
    let open = open();
    open.open
        .map("outer")
        .unwrap()
        .set_inner_map(&model)
        .unwrap();
    drop(model);
    let _skel = open.load().unwrap();
    is_gone(&id);
    let model = raw::create_map("model", raw::types::MapType::Array, 4, 8, 4, 0).unwrap();
    let id = format!("map={}", model.info().id);
    let options = CreateOptions::new();
    options.set_inner_map(&model).unwrap();
    drop(model);
    let kind = raw::types::MapType::ArrayOfMaps;
    let _outer = raw::maps::Map::create("outer", kind, 4, 4, 4, &options).unwrap();
    drop(options);
    is_gone(&id);
}

/// Until its options are gone.
fn descriptors() {
    let map = || raw::create_map("model", raw::types::MapType::Array, 4, 8, 4, 0);
    let (first, _second) = (map().unwrap(), map().unwrap());
    let options = CreateOptions::new();
    options.set_inner_map(&first).unwrap();
    let others = CreateOptions::new();
    assert_code!(others.set_inner_map(&first), ErrorCode::LimitExceeded);
    drop(options);
    others.set_inner_map(&first).unwrap();
}
