//! What maps can be made, and how many.

use conformance_guests::{assert_code, assert_fails, raw};
use raw::maps::Walk;
use raw::types::{self, ErrorCode};
use wasm_bpf_guest::{
    ErrorKind, MapCore as _, MapCreateOptions, MapFlags, MapHandle, MapType, Object, Result,
};

conformance_guests::guest!();

/// What the kernel shows of a name is what was given.
fn names() {
    let create = |name| MapHandle::create(MapType::Hash, name, 4, 4, 1, 0);
    for name in ["", "fifteen_letters", "a.b_C9"] {
        assert_eq!(create(name).unwrap().info().unwrap().name, name);
    }
    for name in ["sixteen_letters_", "a b", "a-b", "a/b", "é", "a\0b"] {
        assert_fails!(create(name), ErrorKind::InvalidArgument);
    }
}

/// Flags would be more than a map: a node, a descriptor, rights.
fn flags() {
    let create = |kind, flags| MapHandle::create(kind, "tested", 4, 8, 4, flags);
    // BPF_F_NO_PREALLOC and ZERO_SEED, NO_COMMON_LRU, NUMA_NODE, RDONLY_PROG, WRONLY_PROG, MMAPABLE, INNER_MAP.
    for (kind, flags) in [
        (MapType::Hash, 0),
        (MapType::Hash, 1 | 64),
        (MapType::LruHash, 2),
        (MapType::Hash, 4),
        (MapType::Array, 128),
        (MapType::Hash, 256),
        (MapType::Array, 1024),
        (MapType::Array, 4096),
    ] {
        let map = create(kind, flags).unwrap();
        assert_eq!(map.info().unwrap().flags, flags);
    }
    let map = MapHandle::create(MapType::PerfEventArray, "tested", 4, 4, 4, 1 << 11).unwrap();
    assert_eq!(map.info().unwrap().flags, 1 << 11);
    // Traces of build ids, 32 bytes each.
    let map = MapHandle::create(MapType::StackTrace, "tested", 4, 320, 4, 32).unwrap();
    assert_eq!(map.info().unwrap().flags, 32);
    // BPF_F_CLONE, LINK, PATH_FD, VTYPE_BTF_OBJ_FD, TOKEN_FD, RB_OVERWRITE, and one that no kernel has.
    for flags in [1 << 9, 1 << 13, 1 << 14, 1 << 15, 1 << 16, 1 << 19, 1 << 31] {
        let result = create(MapType::Hash, flags);
        assert_fails!(result, ErrorKind::InvalidArgument, "tested");
    }
    // The kernel has it, but not for this kind.
    let result = create(MapType::Array, 1);
    assert_fails!(result, ErrorKind::InvalidArgument, "tested");
}

/// The kernel refuses them, and the map is named.
fn sizes() {
    for (kind, key, value, entries) in [
        (MapType::Hash, 0, 4, 1),
        (MapType::Hash, 4, 0, 1),
        (MapType::Hash, 4, 4, 0),
        (MapType::Array, 8, 4, 1),
        (MapType::Array, 4, 4, 0),
        (MapType::ProgArray, 4, 8, 1),
        (MapType::Queue, 4, 4, 1),
        (MapType::StackTrace, 4, 9, 1),
        (MapType::Ringbuf, 0, 0, 4097),
        (MapType::Ringbuf, 4, 4, 4096),
    ] {
        let result = MapHandle::create(kind, "tested", key, value, entries, 0);
        let error = assert_fails!(result, ErrorKind::InvalidArgument, "tested");
        assert!(error.errno().is_some(), "the kernel said it: {error}");
    }
}

/// Another map, a description of types, operations.
fn needs_more() {
    for kind in [
        MapType::ArrayOfMaps,
        MapType::HashOfMaps,
        MapType::StructOps,
        MapType::SkStorage,
        MapType::InodeStorage,
        MapType::TaskStorage,
        MapType::CgrpStorage,
    ] {
        let result = MapHandle::create(kind, "tested", 4, 4, 1, 0);
        assert_fails!(result, ErrorKind::NotSupported, "tested");
    }
}

/// By the kernel's number, and by what is in them.
fn identity() {
    let map = || raw::create_map("tested", types::MapType::Hash, 4, 4, 1, 0).unwrap();
    let (first, second) = (map(), map());
    assert_ne!(first.info().id, second.info().id);
    assert_ne!(first.info().id, 0);
    let mode = raw::maps::UpdateMode::Any;
    first.update_number(1, 2, mode).unwrap();
    assert_eq!(second.lookup_number(1).unwrap(), None);
}

/// Two at a time.
fn number_of_maps() {
    let create = |name| MapHandle::create(MapType::Hash, name, 4, 4, 1, 0);
    let first = create("first").unwrap();
    let _second = create("second").unwrap();
    assert_fails!(create("third"), ErrorKind::LimitExceeded, "maps", "third");
    drop(first);
    create("third").unwrap();
}

/// One map of 4 MiB, but not two.
fn memory() {
    let create = |entries| MapHandle::create(MapType::Array, "tested", 4, 4096, entries, 0);
    let result = create(1 << 20);
    let error = assert_fails!(result, ErrorKind::LimitExceeded, "map-memory", "tested");
    assert_eq!(error.errno(), None, "the host refused, not the kernel");
    let most = create(1000).unwrap();
    assert_fails!(create(1000), ErrorKind::LimitExceeded, "map-memory");
    drop(most);
    create(1000).unwrap();
    // The sizes must not wrap around to something small.
    for kind in [MapType::Array, MapType::Hash, MapType::PercpuHash] {
        let result = MapHandle::create(kind, "tested", u32::MAX, u32::MAX, u32::MAX, 0);
        assert_fails!(result, ErrorKind::LimitExceeded, "map-memory");
    }
}

/// Opens the object, gives its map other sizes, and loads it.
fn load(value: u32, entries: u32) -> Result<Object> {
    let open = case::CaseSkelBuilder::new().open()?.open;
    let large = open.map("large")?;
    large.set_value_size(value)?;
    large.set_max_entries(entries)?;
    open.load()
}

/// While the object is there, and not after.
fn memory_of_an_object() {
    let result = load(1 << 24, u32::MAX);
    let error = assert_fails!(result, ErrorKind::LimitExceeded, "map-memory", "large");
    assert_eq!(error.errno(), None, "the host refused, not the kernel");
    let object = load(4096, 1000).unwrap();
    let create = || MapHandle::create(MapType::Array, "tested", 4, 4096, 1000, 0);
    assert_fails!(create(), ErrorKind::LimitExceeded, "map-memory");
    drop(object);
    create().unwrap();
}

/// A map has one, and a walk one of its own.
fn descriptors() {
    let map = || raw::create_map("tested", types::MapType::Hash, 4, 4, 1, 0);
    let (first, _second) = (map().unwrap(), map().unwrap());
    let walk = Walk::start(&first, false).unwrap();
    assert_code!(Walk::start(&first, false), ErrorCode::LimitExceeded);
    let error = map().map(drop).unwrap_err();
    assert_code!(Err::<(), _>(error.code), ErrorCode::LimitExceeded);
    drop(walk);
    Walk::start(&first, false).unwrap();
}

/// Not even one entry of this size. No map is there yet, so none is full.
fn larger_than_the_kernel_takes() {
    let result = MapHandle::create(MapType::Hash, "tested", 4, 1 << 24, 1, 0);
    let error = assert_fails!(result, ErrorKind::InvalidArgument, "tested");
    assert!(error.errno().is_some(), "{error}");
}

/// On its own and in an object, whose failing map is named.
fn larger_than_the_memory() {
    let result = MapHandle::create(MapType::Array, "tested", 4, 1 << 20, u32::MAX, 0);
    assert_fails!(result, ErrorKind::OutOfMemory, "tested");
    let error = assert_fails!(load(1 << 20, u32::MAX), ErrorKind::OutOfMemory, "large");
    assert_eq!(error.subject(), Some("large"));
}

/// Of the right kinds, and of no others.
fn extra() {
    let create = |kind, key, options| MapHandle::create(kind, "tested", key, 8, 100, options);
    let options = MapCreateOptions::new().extra(3);
    let bloom = create(MapType::BloomFilter, 0, options).unwrap();
    assert_eq!(bloom.info().unwrap().extra, 3);
    // The kernel has 15 at most.
    let options = MapCreateOptions::new().extra(16);
    let result = create(MapType::BloomFilter, 0, options);
    assert_fails!(result, ErrorKind::InvalidArgument, "tested");
    for kind in [MapType::Hash, MapType::Arena, MapType::Ringbuf] {
        let options = MapCreateOptions::new().flags(1 << 10).extra(1 << 32);
        let result = create(kind, 0, options);
        let error = assert_fails!(result, ErrorKind::InvalidArgument, "tested", "extra");
        assert_eq!(error.errno(), None, "the host refuses it");
    }
}

/// The first there always is; the last the kernel refuses.
fn numa_node() {
    let create = |node| {
        let options = MapCreateOptions::new().numa_node(node);
        MapHandle::create(MapType::Hash, "tested", 4, 8, 4, options)
    };
    let map = create(0).unwrap();
    assert_eq!(map.info().unwrap().flags, 4);
    map.update(&[1; 4], &[2; 8], MapFlags::Any).unwrap();
    assert_eq!(map.lookup(&[1; 4]).unwrap(), Some(vec![2; 8]));
    for node in [1 << 20, u32::MAX - 1] {
        let error = assert_fails!(create(node), ErrorKind::InvalidArgument, "tested");
        assert!(error.errno().is_some(), "the kernel said it: {error}");
    }
}

/// Of the handle, not of the map: the kernel forgets them.
fn rights() {
    let create = |kind, flags| MapHandle::create(kind, "tested", 4, 8, 4, flags).unwrap();
    for kind in [MapType::Hash, MapType::Array] {
        let read_only = create(kind, 8);
        assert_eq!(read_only.info().unwrap().flags, 0);
        assert!(read_only.lookup(&[0; 4]).is_ok());
        let result = read_only.update(&[0; 4], &[1; 8], MapFlags::Any);
        assert_fails!(result, ErrorKind::NotPermitted, "tested");
        let write_only = create(kind, 16);
        write_only.update(&[0; 4], &[1; 8], MapFlags::Any).unwrap();
        let result = write_only.lookup(&[0; 4]);
        assert_fails!(result, ErrorKind::NotPermitted, "tested");
        // Nor both ways at once.
        let result = MapHandle::create(kind, "tested", 4, 8, 4, 8 | 16);
        assert_fails!(result, ErrorKind::InvalidArgument, "tested");
    }
}

/// The kernel has no memory of such maps for user space.
fn memory_of_a_read_only_map() {
    let map = MapHandle::create(MapType::Array, "tested", 4, 8, 4, 8 | 1 << 10).unwrap();
    assert_fails!(
        map.mmap(),
        ErrorKind::NotSupported,
        "tested",
        "BPF_F_RDONLY"
    );
    let map = MapHandle::create(MapType::Array, "tested", 4, 8, 4, 16 | 1 << 10).unwrap();
    assert_fails!(map.mmap(), ErrorKind::AccessDenied, "tested");
}
