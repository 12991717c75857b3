//! Local storages.

use conformance_guests::{assert_fails, given, pull, trigger};
use wasm_bpf_guest::{
    ErrorKind, Map, MapCore, MapFlags, MapHandle, MapType, StorageOwner, open_descriptor,
};

conformance_guests::guest!();

const STORAGES: [&str; 3] = ["of_tasks", "of_inodes", "of_cgroups"];

/// The object with one storage.
fn open(storage: &str) -> case::OpenCaseSkel {
    let open = case::CaseSkelBuilder::new().open().unwrap();
    for name in STORAGES {
        let map = open.open.map(name).unwrap();
        map.set_autocreate(name == storage).unwrap();
    }
    open
}

fn map(storage: &str) -> Map {
    let object = open(storage).open.load().unwrap();
    object.map(storage).unwrap()
}

/// `struct value`.
fn value(count: u64, tag: u32) -> Vec<u8> {
    let mut value = count.to_ne_bytes().to_vec();
    value.extend(tag.to_ne_bytes());
    value.resize(16, 0);
    value
}

/// The first process, which there always is.
const FIRST: StorageOwner<'_> = StorageOwner::Task(1);

/// All that can be done with a value.
fn go_round(map: &Map, owner: impl Fn() -> StorageOwner<'static>) {
    let update = |value: &[u8], flags| map.update_of(owner(), value, flags);
    assert_eq!(map.lookup_of(owner()).unwrap(), None);
    assert_fails!(update(&value(1, 1), MapFlags::Exist), ErrorKind::NotFound);
    update(&value(1, 1), MapFlags::NoExist).unwrap();
    assert_fails!(
        update(&value(2, 2), MapFlags::NoExist),
        ErrorKind::AlreadyExists
    );
    assert_eq!(map.lookup_of(owner()).unwrap(), Some(value(1, 1)));
    update(&value(3, 3), MapFlags::Exist).unwrap();
    update(&value(4, 4), MapFlags::Any).unwrap();
    assert_eq!(map.lookup_of(owner()).unwrap(), Some(value(4, 4)));
    let name = map.name().unwrap();
    for length in [0, 15, 17, 1 << 20] {
        let result = update(&vec![0; length], MapFlags::Any);
        assert_fails!(result, ErrorKind::WrongSize, &name);
    }
    assert!(map.delete_of(owner()).unwrap());
    assert!(!map.delete_of(owner()).unwrap());
    assert_eq!(map.lookup_of(owner()).unwrap(), None);
}

/// Of the first one.
fn of_tasks() {
    go_round(&map("of_tasks"), || FIRST);
}

/// Both see what the other wrote.
fn of_the_trigger() {
    let mut open = open("of_tasks");
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open.open
        .program("count")
        .unwrap()
        .set_autoload(true)
        .unwrap();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    let map = skel.object.map("of_tasks").unwrap();
    let owner = || StorageOwner::Task(trigger().0);
    assert_eq!(map.lookup_of(owner()).unwrap(), None);
    pull(3);
    assert_eq!(map.lookup_of(owner()).unwrap(), Some(value(3, 0)));
    map.update_of(owner(), &value(10, 7), MapFlags::Any)
        .unwrap();
    pull(2);
    assert_eq!(map.lookup_of(owner()).unwrap(), Some(value(12, 7)));
    // It is nobody else's.
    assert_eq!(map.lookup_of(FIRST).unwrap(), None);
}

fn descriptor(path: &str) -> &'static wasm_bpf_guest::Descriptor {
    Box::leak(Box::new(open_descriptor(path).unwrap()))
}

/// Two handles of one folder are one owner.
fn of_inodes() {
    let map = map("of_inodes");
    let cgroup = given("cgroup");
    let (one, two) = (descriptor(&cgroup), descriptor(&cgroup));
    go_round(&map, || StorageOwner::File(one));
    map.update_of(StorageOwner::File(one), &value(5, 5), MapFlags::Any)
        .unwrap();
    let seen = map.lookup_of(StorageOwner::File(two)).unwrap();
    assert_eq!(seen, Some(value(5, 5)));
    let other = map
        .lookup_of(StorageOwner::File(descriptor("/usr")))
        .unwrap();
    assert_eq!(other, None);
}

/// And to no other folder, or file.
fn of_cgroups() {
    let map = map("of_cgroups");
    let cgroup = given("cgroup");
    let owner = descriptor(&cgroup);
    go_round(&map, || StorageOwner::Cgroup(owner));
    for other in ["/usr", &format!("{cgroup}/cgroup.procs")] {
        let other = descriptor(other);
        let result = map.lookup_of(StorageOwner::Cgroup(other));
        assert_fails!(result, ErrorKind::InvalidArgument, "of_cgroups");
        let result = map.update_of(StorageOwner::Cgroup(other), &value(1, 1), MapFlags::Any);
        assert_fails!(result, ErrorKind::InvalidArgument, "of_cgroups");
        let result = map.delete_of(StorageOwner::Cgroup(other));
        assert_fails!(result, ErrorKind::InvalidArgument, "of_cgroups");
    }
}

/// Those that are absurd too.
fn no_such_process() {
    let map = map("of_tasks");
    for number in [0, i32::MAX as u32, 1 << 31, u32::MAX] {
        let owner = || StorageOwner::Task(number);
        assert_fails!(map.lookup_of(owner()), ErrorKind::NoSuchProcess, "of_tasks");
        let result = map.update_of(owner(), &value(1, 1), MapFlags::Any);
        assert_fails!(result, ErrorKind::NoSuchProcess, "of_tasks");
        assert_fails!(map.delete_of(owner()), ErrorKind::NoSuchProcess, "of_tasks");
    }
}

/// Nothing comes of them.
fn other_owners() {
    let map = map("of_tasks");
    let cgroup = descriptor(&given("cgroup"));
    let wrong = |map: &dyn MapCore, owner: &dyn Fn() -> StorageOwner<'static>| {
        [
            map.lookup_of(owner()).map(drop),
            map.update_of(owner(), &value(1, 1), MapFlags::Any),
            map.delete_of(owner()).map(drop),
        ]
    };
    for result in wrong(&map, &|| StorageOwner::File(cgroup)) {
        assert_fails!(result, ErrorKind::InvalidArgument, "of_tasks");
    }
    for result in wrong(&map, &|| StorageOwner::Cgroup(cgroup)) {
        assert_fails!(result, ErrorKind::InvalidArgument, "of_tasks");
    }
    let hash = MapHandle::create(MapType::Hash, "hash", 4, 16, 4, 0).unwrap();
    for result in wrong(&hash, &|| FIRST) {
        assert_fails!(result, ErrorKind::NotSupported, "hash");
    }
    // A key would be a descriptor of the host.
    for number in 0..16u32 {
        let key = number.to_ne_bytes();
        assert_fails!(map.lookup(&key), ErrorKind::NotSupported, "of_tasks");
        let result = map.update(&key, &value(1, 1), MapFlags::Any);
        assert_fails!(result, ErrorKind::NotSupported, "of_tasks");
        assert_fails!(map.delete(&key), ErrorKind::NotSupported, "of_tasks");
    }
}

/// The map alone is enough, and a second one has values of its own.
fn outlives_its_object() {
    let (one, two) = (map("of_tasks"), map("of_tasks"));
    one.update_of(FIRST, &value(1, 2), MapFlags::Any).unwrap();
    assert_eq!(two.lookup_of(FIRST).unwrap(), None);
    assert_eq!(one.lookup_of(FIRST).unwrap(), Some(value(1, 2)));
}
