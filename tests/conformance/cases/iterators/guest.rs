//! Iterators: what they walk, and reading what they write.

use std::collections::BTreeSet;
use std::io::Read as _;

use conformance_guests::{assert_fails, holds, is_gone, is_held, link_id, number};
use wasm_bpf_guest::{
    CgroupIterOpts, CgroupIterOrder, ErrorKind, Iter, IterOpts, Link, LinkType, MapCore, MapFlags,
    MapHandle, MapIterOpts, MapType, Object, Result, open_descriptor,
};

conformance_guests::guest!();
use case::{CaseSkelBuilder, OpenCaseSkel};

const RDONLY_PROG: u32 = 1 << 7;

fn open() -> OpenCaseSkel {
    CaseSkelBuilder::new().open().unwrap()
}

/// The object with one of its programs.
fn with_program(name: &str) -> Object {
    let open = open();
    open.open.program(name).unwrap().set_autoload(true).unwrap();
    open.load().unwrap().object
}

fn attach(name: &str, opts: IterOpts<'_>) -> Result<Link> {
    with_program(name)
        .program(name)
        .unwrap()
        .attach_iter_with_opts(opts)
}

fn read(link: &Link) -> String {
    let mut text = String::new();
    Iter::new(link).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// The numbers of each line.
fn lines(link: &Link) -> Vec<Vec<u64>> {
    let line = |line: &str| line.split(' ').map(|word| word.parse().unwrap()).collect();
    read(link).lines().map(line).collect()
}

/// The first number of each line.
fn first(link: &Link) -> Vec<u64> {
    lines(link).into_iter().map(|line| line[0]).collect()
}

/// Thread and process of the trigger.
fn trigger() -> (u32, u32) {
    let thread = number("trigger-thread");
    let link = attach("tasks", IterOpts::None).unwrap();
    let lines = lines(&link);
    let line = lines.iter().find(|line| line[0] == u64::from(thread));
    (thread, line.unwrap()[1] as u32)
}

/// An array with the squares.
fn squares(count: u32) -> MapHandle {
    let map = MapHandle::create(MapType::Array, "squares", 4, 8, count, 0).unwrap();
    for key in 0..count {
        let square = u64::from(key) * u64::from(key);
        map.update(&key.to_ne_bytes(), &square.to_ne_bytes(), MapFlags::Any)
            .unwrap();
    }
    map
}

fn expected_squares(count: u32) -> String {
    let line = |key: u32| format!("{key} {}\n", u64::from(key) * u64::from(key));
    (0..count).map(line).collect()
}

/// Each task once.
fn tasks() {
    let object = with_program("tasks");
    let program = object.program("tasks").unwrap();
    let link = program.attach_iter_with_opts(IterOpts::None).unwrap();
    let info = link.info().unwrap().unwrap();
    assert!(matches!(info.type_, LinkType::Iter), "{info:?}");
    holds(&object, &[&link]);
    let tasks = first(&link);
    let different = tasks.iter().collect::<BTreeSet<_>>();
    assert_eq!(different.len(), tasks.len());
    let thread: u64 = number("trigger-thread");
    assert!(different.contains(&thread), "{thread} is not in {tasks:?}");
    let id = link_id(&link);
    drop(link);
    is_gone(&id);
}

/// What it walks is all there.
fn by_section() {
    let object = with_program("tasks");
    let link = object.program("tasks").unwrap().attach().unwrap();
    let thread: u64 = number("trigger-thread");
    assert!(first(&link).contains(&thread));
}

/// Those of others too: they are seen, not had.
fn maps() {
    let object = with_program("maps");
    let id = object.map("many").unwrap().info().unwrap().id;
    let program = object.program("maps").unwrap();
    let link = program.attach_iter_with_opts(IterOpts::None).unwrap();
    assert!(first(&link).contains(&u64::from(id)));
}

/// The runner has more threads than the trigger's.
fn one_thread() {
    let (thread, process) = trigger();
    let link = attach("tasks", IterOpts::Task(thread)).unwrap();
    assert_eq!(
        lines(&link),
        [[u64::from(thread), u64::from(process)].to_vec()]
    );
    let link = attach("tasks", IterOpts::Process(process)).unwrap();
    let threads = lines(&link);
    assert!(threads.len() > 1, "{threads:?}");
    assert!(threads.iter().all(|line| line[1] == u64::from(process)));
    assert!(threads.iter().any(|line| line[0] == u64::from(thread)));
    for all in [IterOpts::Task(0), IterOpts::Process(0)] {
        assert_fails!(attach("tasks", all), ErrorKind::InvalidArgument);
    }
}

/// Whatever the kernel is.
fn one_thread_at_most() {
    let (thread, process) = trigger();
    for only in [IterOpts::Task(thread), IterOpts::Process(process)] {
        match attach("tasks", only) {
            Ok(link) => assert!(lines(&link).iter().all(|line| line[1] == process.into())),
            Err(error) => assert!(matches!(error.kind(), ErrorKind::NotSupported), "{error}"),
        }
    }
}

/// Of a map of the object, and of one that was made otherwise.
fn elements() {
    let object = with_program("elements");
    let program = object.program("elements").unwrap();
    let map = squares(300);
    let link = program.attach_iter(&map).unwrap();
    assert_eq!(read(&link), expected_squares(300));
    let link = program.attach_iter(&object.map("many").unwrap()).unwrap();
    let zeros = (0..4096).map(|key| format!("{key} 0\n"));
    assert_eq!(read(&link), zeros.collect::<String>());
    let hash = MapHandle::create(MapType::Hash, "hash", 4, 8, 8, 0).unwrap();
    hash.update(&7u32.to_ne_bytes(), &9u64.to_ne_bytes(), MapFlags::Any)
        .unwrap();
    assert_eq!(read(&program.attach_iter(&hash).unwrap()), "7 9\n");
}

/// Each read of the whole is one walk.
fn writes_to_values() {
    let map = squares(5);
    let link = attach("doubles", IterOpts::Map(MapIterOpts::from_map(&map))).unwrap();
    for factor in [2, 4] {
        assert_eq!(read(&link), "");
        let value = map.lookup(&3u32.to_ne_bytes()).unwrap().unwrap();
        assert_eq!(u64::from_ne_bytes(value.try_into().unwrap()), 9 * factor);
    }
}

/// The verifier takes what is in the one for constant, and the kernel what is in the other for its own.
fn protected_maps() {
    let object = with_program("elements");
    let program = object.program("elements").unwrap();
    for name in [".rodata", "locks"] {
        assert_fails!(
            program.attach_iter(&object.map(name).unwrap()),
            ErrorKind::NotPermitted,
            name
        );
    }
    let read_only = MapHandle::create(MapType::Array, "read_only", 4, 8, 1, RDONLY_PROG);
    assert_fails!(
        program.attach_iter(&read_only.unwrap()),
        ErrorKind::NotPermitted,
        "read_only"
    );
}

/// Of maps, of tasks, and of nothing.
fn wrong_kinds() {
    let map = squares(1);
    let over_map = IterOpts::Map(MapIterOpts::from_map(&map));
    for program in ["tasks", "maps"] {
        assert_fails!(
            attach(program, over_map),
            ErrorKind::InvalidArgument,
            program
        );
    }
    // It has to be told which map.
    assert_fails!(
        attach("elements", IterOpts::None),
        ErrorKind::InvalidArgument,
        "elements"
    );
    let queue = MapHandle::create(MapType::Queue, "queue", 0, 8, 8, 0).unwrap();
    let over_queue = IterOpts::Map(MapIterOpts::from_map(&queue));
    assert_fails!(
        attach("elements", over_queue),
        ErrorKind::InvalidArgument,
        "elements"
    );
    // The program reads eight bytes of a value.
    let short = MapHandle::create(MapType::Array, "short", 4, 4, 1, 0).unwrap();
    let over_short = IterOpts::Map(MapIterOpts::from_map(&short));
    assert_fails!(
        attach("elements", over_short),
        ErrorKind::AccessDenied,
        "elements"
    );
    for opts in [IterOpts::None, over_map] {
        assert_fails!(
            attach("on_enter", opts),
            ErrorKind::InvalidArgument,
            "on_enter"
        );
    }
    let object = with_program("tasks");
    assert_fails!(
        object.program("tasks").unwrap().attach_trace(),
        ErrorKind::InvalidArgument,
        "tasks"
    );
}

/// The kernel takes one and the same bytes for a thread, for a map and for an order. Descriptors of the host are small numbers.
fn forged_numbers() {
    let _map = squares(1);
    for number in (1..64).chain([u32::MAX, i32::MAX as u32]) {
        for opts in [IterOpts::Task(number), IterOpts::Process(number)] {
            let object = with_program("elements");
            let program = object.program("elements").unwrap();
            let error = conformance_guests::failure(program.attach_iter_with_opts(opts));
            assert!(
                matches!(
                    error.kind(),
                    ErrorKind::InvalidArgument | ErrorKind::NotSupported
                ),
                "{error}"
            );
            // The kernel was not asked.
            assert_eq!(error.errno(), None, "{error}");
        }
    }
}

/// Three below each other: each order is another one.
fn cgroups() {
    let top = conformance_guests::given("cgroup");
    let (middle, bottom) = (format!("{top}/middle"), format!("{top}/middle/bottom"));
    std::fs::create_dir(&middle).unwrap();
    std::fs::create_dir(&bottom).unwrap();
    let walked = |path: &str, order| {
        let cgroup = open_descriptor(path).unwrap();
        let link = attach(
            "cgroups",
            IterOpts::Cgroup(CgroupIterOpts::new(&cgroup, order)),
        );
        drop(cgroup);
        link.map(|link| first(&link))
    };
    let id = |path| {
        let only = walked(path, CgroupIterOrder::SelfOnly).unwrap();
        assert_eq!(only.len(), 1);
        only[0]
    };
    let ids = [id(&top), id(&middle), id(&bottom)];
    let down = walked(&top, CgroupIterOrder::DescendantsPre).unwrap();
    let up_to_top = walked(&top, CgroupIterOrder::DescendantsPost).unwrap();
    let up = walked(&bottom, CgroupIterOrder::AncestorsUp).unwrap();
    let no_order = walked(&top, CgroupIterOrder::Other(99));
    std::fs::remove_dir(&bottom).unwrap();
    std::fs::remove_dir(&middle).unwrap();
    assert_eq!(down, ids);
    assert_eq!(up_to_top, [ids[2], ids[1], ids[0]]);
    assert_eq!(up[..3], [ids[2], ids[1], ids[0]]);
    assert_fails!(no_order, ErrorKind::InvalidArgument, "cgroups");
    // It has to be told which, and is for cgroups only.
    assert_fails!(
        attach("cgroups", IterOpts::None),
        ErrorKind::InvalidArgument,
        "cgroups"
    );
    let cgroup = open_descriptor(&top).unwrap();
    let from_top = CgroupIterOpts::new(&cgroup, CgroupIterOrder::SelfOnly);
    for program in ["tasks", "elements"] {
        assert_fails!(
            attach(program, IterOpts::Cgroup(from_top)),
            ErrorKind::InvalidArgument,
            program
        );
    }
}

/// Another file system.
fn no_cgroup() {
    let folder = open_descriptor(conformance_guests::given("bpffs")).unwrap();
    let from_there = CgroupIterOpts::new(&folder, CgroupIterOrder::SelfOnly);
    assert_fails!(
        attach("cgroups", IterOpts::Cgroup(from_there)),
        ErrorKind::InvalidArgument,
        "cgroups"
    );
}

/// More than the kernel's buffer has, and than one read takes.
fn small_and_large_pieces() {
    let map = squares(10_000);
    let link = attach("elements", IterOpts::Map(MapIterOpts::from_map(&map))).unwrap();
    let expected = expected_squares(10_000);
    assert!(expected.len() > 100_000);
    for size in [1, 7, 4096, 1 << 20] {
        let mut stream = Iter::new(&link).unwrap();
        let mut buffer = vec![0; size];
        let mut text = Vec::new();
        assert_eq!(stream.read(&mut []).unwrap(), 0);
        loop {
            let count = stream.read(&mut buffer).unwrap();
            if count == 0 {
                break;
            }
            text.extend_from_slice(&buffer[..count]);
            // Small pieces take long: the first of them will do, and then the rest.
            if size < 100 && text.len() > 1000 {
                stream.read_to_end(&mut text).unwrap();
            }
        }
        assert!(text == expected.as_bytes(), "in pieces of {size}");
        for _ in 0..3 {
            assert_eq!(stream.read(&mut buffer).unwrap(), 0);
        }
    }
}

/// At once.
fn no_output() {
    let link = attach("silent", IterOpts::None).unwrap();
    assert_eq!(read(&link), "");
}

/// Not a part of it either.
fn too_much_at_once() {
    let link = attach("too_much", IterOpts::None).unwrap();
    let mut stream = Iter::new(&link).unwrap();
    let error = stream.read_to_end(&mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("iterator"), "{error}");
}

/// One is in the middle when the other begins.
fn two_runs() {
    let map = squares(4096);
    let link = attach("elements", IterOpts::Map(MapIterOpts::from_map(&map))).unwrap();
    let (mut one, mut other) = (Iter::new(&link).unwrap(), Iter::new(&link).unwrap());
    let (mut first, mut second) = (vec![0; 100], Vec::new());
    one.read_exact(&mut first).unwrap();
    other.read_to_end(&mut second).unwrap();
    one.read_to_end(&mut first).unwrap();
    assert!(first == expected_squares(4096).as_bytes());
    assert!(first == second);
}

/// Only the stream is left.
fn stream_outlives_everything() {
    let object = with_program("elements");
    let program = object.program("elements").unwrap();
    let map = squares(4096);
    let map_id = format!("map={}", map.info().unwrap().id);
    let id = format!("program={}", program.info().unwrap().id);
    let link = program.attach_iter(&map).unwrap();
    let mut stream = Iter::new(&link).unwrap();
    let mut text = vec![0; 10];
    stream.read_exact(&mut text).unwrap();
    drop((object, program));
    drop(map);
    drop(link);
    is_held(&format!("{id} {map_id}"));
    stream.read_to_end(&mut text).unwrap();
    assert!(text == expected_squares(4096).as_bytes());
    drop(stream);
    is_gone(&id);
    is_gone(&map_id);
}

/// As many as fit, and not one more.
fn many_streams() {
    let map = squares(3);
    let link = attach("elements", IterOpts::Map(MapIterOpts::from_map(&map))).unwrap();
    let mut streams = Vec::new();
    let error = loop {
        assert!(streams.len() < 4096, "there is no limit");
        match Iter::new(&link) {
            Ok(stream) => streams.push(stream),
            Err(error) => break error,
        }
    };
    assert!(matches!(error.kind(), ErrorKind::LimitExceeded), "{error}");
    assert!(error.to_string().contains("descriptors"), "{error}");
    assert!(streams.len() > 32, "{}", streams.len());
    streams.truncate(10);
    for stream in &mut streams {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert_eq!(text, expected_squares(3));
    }
    streams.extend(std::iter::from_fn(|| Iter::new(&link).ok()).take(100));
    // Options have a descriptor of their own.
    let over = IterOpts::Map(MapIterOpts::from_map(&map));
    streams.truncate(20);
    let object = with_program("elements");
    let program = object.program("elements").unwrap();
    streams.extend(std::iter::from_fn(|| Iter::new(&link).ok()).take(100));
    assert_fails!(
        program.attach_iter_with_opts(over),
        ErrorKind::LimitExceeded,
        "descriptors"
    );
}

/// One is allowed.
fn link_limit() {
    let object = with_program("tasks");
    let program = object.program("tasks").unwrap();
    let first = program.attach_iter_with_opts(IterOpts::None).unwrap();
    assert_fails!(
        program.attach_iter_with_opts(IterOpts::None),
        ErrorKind::LimitExceeded,
        "links",
        "tasks"
    );
    drop(first);
    let _link = program.attach_iter_with_opts(IterOpts::None).unwrap();
}

/// It has nothing to say.
fn not_an_iterator() {
    let object = with_program("on_enter");
    let link = object.program("on_enter").unwrap().attach().unwrap();
    assert_fails!(Iter::new(&link), ErrorKind::InvalidArgument);
}
