//! What the kernel holds, by its ids.

use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::bail;

/// How long the kernel may take to free what nobody holds any more.
const PATIENCE: Duration = Duration::from_secs(5);

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
                "cannot list what is in the kernel: {} (this needs root)",
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

impl FromStr for Held {
    type Err = anyhow::Error;

    /// Of `map=7`, as guests say it.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let number = |id: &str| match id.parse() {
            Ok(id @ 1..) => Ok(id),
            _ => bail!("{id:?} is no id"),
        };
        match text.split_once('=') {
            Some(("program", id)) => Ok(Self::Program(number(id)?)),
            Some(("map", id)) => Ok(Self::Map(number(id)?)),
            Some(("link", id)) => Ok(Self::Link(number(id)?)),
            _ => bail!("{text:?} is neither a program, a map nor a link"),
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(id) => write!(f, "program {id}"),
            Self::Map(id) => write!(f, "map {id}"),
            Self::Link(id) => write!(f, "link {id}"),
        }
    }
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

/// Waits until there is nothing in the kernel that was not there before; what there is after all. What other processes of the machine made
/// meanwhile, and hold, is not meant.
pub fn left_since(before: &[Held]) -> Vec<Held> {
    let new = |held: &Held| !before.contains(held) && !is_held_by_others(*held);
    still_there(&everything().into_iter().filter(new).collect::<Vec<_>>())
}

/// Waits until nothing of it is in the kernel, which frees things a little later than they are closed; what is there after all.
pub fn still_there(held: &[Held]) -> Vec<Held> {
    let start = Instant::now();
    loop {
        let left = held.iter().copied().filter(|held| held.exists());
        let left = left.collect::<Vec<_>>();
        if left.is_empty() || start.elapsed() > PATIENCE {
            return left;
        }
        sleep(Duration::from_millis(5));
    }
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
