//! What the kernel holds, by its ids.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Something in the kernel, by its id. Ids go up and are not soon given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Program(u32),
    Map(u32),
    Link(u32),
}

type Next = unsafe extern "C" fn(u32, *mut u32) -> i32;

/// The id after `id` in one of the kernel's lists; none at its end. Takes no reference to anything: one that is taken to a program array
/// which is going away makes the kernel keep it.
fn next_id(next: Next, mut id: u32) -> Option<u32> {
    let after = id;
    // SAFETY: takes a number and writes one.
    match unsafe { next(after, &raw mut id) } {
        0 => Some(id),
        error => {
            assert_eq!(
                error,
                -libc::ENOENT,
                "cannot list what is in the kernel: {} (tests of the kernel need root)",
                std::io::Error::from_raw_os_error(-error)
            );
            None
        }
    }
}

impl Held {
    /// Whether it is still there.
    pub fn exists(self) -> bool {
        let (next, id): (Next, _) = match self {
            Self::Program(id) => (libbpf_sys::bpf_prog_get_next_id, id),
            Self::Map(id) => (libbpf_sys::bpf_map_get_next_id, id),
            Self::Link(id) => (libbpf_sys::bpf_link_get_next_id, id),
        };
        next_id(next, id - 1) == Some(id)
    }
}

/// What a guest says it holds: `holds program=1 map=2 link=3`.
pub fn held(line: &str) -> Vec<Held> {
    let list = line.strip_prefix("holds ").expect("a line of what is held");
    list.split_whitespace()
        .map(|word| {
            let (kind, id) = word.split_once('=').expect("kind=id");
            let id = id.parse().expect("an id is a number");
            match kind {
                "program" => Held::Program(id),
                "map" => Held::Map(id),
                "link" => Held::Link(id),
                _ => panic!("{kind} is nothing that can be held"),
            }
        })
        .collect()
}

/// All programs, maps and links that are in the kernel now.
pub fn everything() -> Vec<Held> {
    type Kind = fn(u32) -> Held;
    let kinds: [(Next, Kind); 3] = [
        (libbpf_sys::bpf_prog_get_next_id, Held::Program),
        (libbpf_sys::bpf_map_get_next_id, Held::Map),
        (libbpf_sys::bpf_link_get_next_id, Held::Link),
    ];
    let ids = |next| std::iter::successors(next_id(next, 0), move |id| next_id(next, *id));
    kinds
        .into_iter()
        .flat_map(|(next, held)| ids(next).map(held))
        .collect()
}

/// Waits until there is nothing in the kernel that was not there before. What other processes of the machine made meanwhile, and hold, is
/// not the test's.
#[track_caller]
pub fn assert_nothing_new(before: &[Held]) {
    let new = |held: &Held| !before.contains(held) && !is_held_by_others(*held);
    assert_gone(&everything().into_iter().filter(new).collect::<Vec<_>>());
}

/// Whether a process other than this one has a descriptor of it.
fn is_held_by_others(held: Held) -> bool {
    let line = match held {
        Held::Program(id) => format!("prog_id:\t{id}"),
        Held::Map(id) => format!("map_id:\t{id}"),
        Held::Link(id) => format!("link_id:\t{id}"),
    };
    let me = std::process::id().to_string();
    // Processes and descriptors come and go: those that are gone hold nothing.
    let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
    entries(Path::new("/proc"))
        .filter(|process| process.file_name().to_str() != Some(&me))
        .flat_map(|process| entries(&process.path().join("fdinfo")).collect::<Vec<_>>())
        .filter_map(|descriptor| fs::read_to_string(descriptor.path()).ok())
        .any(|text| text.lines().any(|found| found == line))
}

/// Waits until nothing of it is in the kernel, which frees things a little later than they are closed.
#[track_caller]
pub fn assert_gone(held: &[Held]) {
    let start = Instant::now();
    loop {
        let left = held.iter().filter(|held| held.exists()).collect::<Vec<_>>();
        if left.is_empty() {
            return;
        }
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "still in the kernel: {left:?}"
        );
        sleep(Duration::from_millis(10));
    }
}
