//! Programs on cgroups without a link stay when their host is killed. The next one detaches them, and no others.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use tempfile::TempDir;
use wasm_bpf_tests::{Cgroup, Finished, Held, Run, Running, assert_gone, held};

const EGRESS: u32 = libbpf_sys::BPF_CGROUP_INET_EGRESS;

/// Where a host writes down what it attaches. It makes the folder.
struct Journal {
    folder: PathBuf,
    _in: TempDir,
}

impl Journal {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            folder: dir.path().join("journal"),
            _in: dir,
        }
    }

    /// What is in it but its lock.
    fn entries(&self) -> Vec<String> {
        let names = fs::read_dir(&self.folder).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "lock").collect()
    }

    fn host(&self, cgroup: &Cgroup, case: &str) -> Run {
        Run::guest("cgroup", case)
            .options(["--dir", &cgroup.path()])
            .options(["--allow", &format!("cgroup={}", cgroup.path())])
            .option("--journal")
            .option(&self.folder)
    }

    /// A host that has a program on a cgroup, and what it has in the kernel.
    fn holding(&self, cgroup: &Cgroup, sharing: &str) -> (Running, Vec<Held>) {
        let run = self.host(cgroup, "hold").with_input();
        let mut running = run.args([&cgroup.path(), sharing]).start();
        let held = held(&running.line("holds"));
        running.line("attached");
        (running, held)
    }

    /// The same, killed. The program stays.
    fn killed(&self, cgroup: &Cgroup, sharing: &str) -> Vec<Held> {
        let (running, held) = self.holding(cgroup, sharing);
        running.signal(libc::SIGKILL);
        drop(running.finish());
        assert!(held.iter().all(|held| held.exists()), "{held:?}");
        held
    }

    /// The next host, whatever it runs.
    fn next(&self) -> Finished {
        Run::guest("cgroup", "nothing")
            .option("--journal")
            .option(&self.folder)
            .finish()
            .ok()
    }
}

/// The programs on a cgroup.
fn attached(cgroup: &Cgroup) -> Vec<Held> {
    let folder = File::open(cgroup.folder()).unwrap();
    let mut ids = [0; 64];
    let (mut count, mut flags) = (ids.len() as u32, 0);
    // SAFETY: there is room for `count` ids, and for the numbers.
    let answer = unsafe {
        libbpf_sys::bpf_prog_query(
            folder.as_raw_fd(),
            EGRESS,
            0,
            &raw mut flags,
            ids.as_mut_ptr(),
            &raw mut count,
        )
    };
    assert_eq!(answer, 0);
    let ids = &ids[..count as usize];
    ids.iter().map(|id| Held::Program(*id)).collect()
}

/// Takes away what is on a cgroup for itself, whosever it is.
fn detach(cgroup: &Cgroup) {
    let folder = File::open(cgroup.folder()).unwrap();
    // SAFETY: a descriptor and a number.
    let answer = unsafe { libbpf_sys::bpf_prog_detach(folder.as_raw_fd(), EGRESS) };
    assert_eq!(answer, 0);
}

#[test]
fn what_a_killed_host_left_is_detached_by_the_next() {
    for sharing in ["exclusive", "overridable", "multiple"] {
        let (cgroup, journal) = (Cgroup::new(), Journal::new());
        let held = journal.killed(&cgroup, sharing);
        assert_eq!(attached(&cgroup), held, "{sharing}");
        assert_eq!(journal.entries().len(), 1);
        let told = format!("the program on the cgroup {}", cgroup.path());
        let next = journal.next().says(&[&told, "killed"]);
        assert_eq!(next.output, "nothing is done\n");
        assert_eq!(attached(&cgroup), [], "{sharing}");
        assert_gone(&held);
        assert_eq!(journal.entries(), [""; 0]);
        // Once.
        assert_eq!(journal.next().errors, "");
    }
}

#[test]
fn a_host_that_ends_leaves_nothing_to_detach() {
    let (cgroup, journal) = (Cgroup::new(), Journal::new());
    let (running, held) = journal.holding(&cgroup, "exclusive");
    assert_eq!(attached(&cgroup), held);
    assert_eq!(journal.entries().len(), 1);
    // It lives.
    assert_eq!(journal.next().errors, "");
    assert_eq!(attached(&cgroup), held);
    drop(running.finish().ok());
    assert_eq!(attached(&cgroup), []);
    assert_eq!(journal.entries(), [""; 0]);
    assert_gone(&held);
}

#[test]
fn a_program_that_took_its_place_stays() {
    let (cgroup, journal, other) = (Cgroup::new(), Journal::new(), Journal::new());
    let gone = journal.killed(&cgroup, "exclusive");
    detach(&cgroup);
    assert_gone(&gone);
    let (living, held) = other.holding(&cgroup, "exclusive");
    assert_eq!(journal.next().errors, "");
    assert_eq!(attached(&cgroup), held);
    assert_eq!(journal.entries(), [""; 0]);
    drop(living.finish().ok());
}

/// The program is in the kernel for another reason, and the cgroup has one that does not share: the kernel would detach whichever is there.
#[test]
fn a_program_that_took_its_place_stays_though_the_first_one_lives() {
    let (cgroup, journal, other) = (Cgroup::new(), Journal::new(), Journal::new());
    let kept = journal.killed(&cgroup, "overridable");
    let [Held::Program(id)] = kept[..] else {
        panic!("{kept:?}")
    };
    // SAFETY: a number.
    let program = unsafe { libbpf_sys::bpf_prog_get_fd_by_id(id) };
    assert!(program >= 0);
    detach(&cgroup);
    let (living, held) = other.holding(&cgroup, "overridable");
    assert_eq!(journal.next().errors, "");
    assert_eq!(attached(&cgroup), held);
    assert_eq!(journal.entries(), [""; 0]);
    assert!(kept[0].exists());
    // SAFETY: it was opened above.
    unsafe { libc::close(program) };
    assert_gone(&kept);
    drop(living.finish().ok());
}

#[test]
fn what_shares_the_cgroup_with_it_stays() {
    let (cgroup, journal, other) = (Cgroup::new(), Journal::new(), Journal::new());
    let (first, held_first) = other.holding(&cgroup, "multiple");
    let (last, held_last) = journal.holding(&cgroup, "multiple");
    let left = journal.killed(&cgroup, "multiple");
    assert_eq!(attached(&cgroup).len(), 3);
    journal.next().says(&["the program on the cgroup"]);
    assert_gone(&left);
    assert_eq!(attached(&cgroup), [held_first, held_last].concat());
    drop((first.finish().ok(), last.finish().ok()));
    assert_eq!(attached(&cgroup), []);
}

#[test]
fn a_cgroup_that_went_is_forgotten() {
    let (cgroup, journal) = (Cgroup::new(), Journal::new());
    let held = journal.killed(&cgroup, "exclusive");
    drop(cgroup);
    assert_gone(&held);
    assert_eq!(journal.next().errors, "");
    assert_eq!(journal.entries(), [""; 0]);
}

/// Another one of the same path is not it.
#[test]
fn another_cgroup_is_left_alone() {
    let (cgroup, other, journal) = (Cgroup::new(), Cgroup::new(), Journal::new());
    let held = journal.killed(&cgroup, "exclusive");
    let entry = journal.folder.join(journal.entries().remove(0));
    let text = fs::read_to_string(&entry).unwrap();
    fs::write(&entry, text.replace(&cgroup.path(), &other.path())).unwrap();
    let (living, stays) = Journal::new().holding(&other, "exclusive");
    assert_eq!(journal.next().errors, "");
    assert_eq!((attached(&cgroup), attached(&other)), (held.clone(), stays));
    drop(living.finish().ok());
    // Nor is a folder that is no cgroup.
    fs::write(&entry, text.replace(&cgroup.path(), "/tmp")).unwrap();
    assert_eq!(journal.next().errors, "");
    assert_eq!(attached(&cgroup), held);
    // Its own.
    fs::write(&entry, text).unwrap();
    journal.next().says(&[&cgroup.path()]);
    assert_gone(&held);
}

/// A host in a container does not see it. The entry is for one that does.
#[test]
fn a_cgroup_out_of_sight_is_left_alone() {
    let (cgroup, journal) = (Cgroup::new(), Journal::new());
    let held = journal.killed(&cgroup, "exclusive");
    let root = cgroup.folder().parent().unwrap().to_str().unwrap();
    let root = CString::new(root).unwrap();
    let host = Run::guest("cgroup", "nothing")
        .option("--journal")
        .option(&journal.folder)
        .before(move || {
            // SAFETY: names that live.
            let answers = unsafe {
                [
                    libc::unshare(libc::CLONE_NEWNS),
                    libc::mount(
                        std::ptr::null(),
                        c"/".as_ptr(),
                        std::ptr::null(),
                        libc::MS_PRIVATE | libc::MS_REC,
                        std::ptr::null(),
                    ),
                    libc::mount(
                        c"none".as_ptr(),
                        root.as_ptr(),
                        c"tmpfs".as_ptr(),
                        0,
                        std::ptr::null(),
                    ),
                ]
            };
            match answers {
                [0, 0, 0] => Ok(()),
                _ => Err(io::Error::last_os_error()),
            }
        });
    assert_eq!(host.finish().ok().errors, "");
    assert_eq!(attached(&cgroup), held);
    assert_eq!(journal.entries().len(), 1);
    journal.next().says(&[&cgroup.path()]);
    assert_gone(&held);
}

#[test]
fn an_entry_that_cannot_be_understood_is_moved_aside() {
    let (cgroup, journal) = (Cgroup::new(), Journal::new());
    let held = journal.killed(&cgroup, "exclusive");
    let name = journal.entries().remove(0);
    let entry = journal.folder.join(&name);
    let text = fs::read_to_string(&entry).unwrap();
    assert!(text.contains("\nattach-type=1\n"), "{text}");
    fs::write(&entry, text.replace("attach-type=1", "attach-type=x")).unwrap();
    journal
        .next()
        .says(&[&name, "cannot be understood", "corrupt-"]);
    assert_eq!(attached(&cgroup), held);
    drop(cgroup);
    assert_gone(&held);
}

#[test]
fn a_disconnected_program_stays() {
    let (cgroup, journal) = (Cgroup::new(), Journal::new());
    journal
        .host(&cgroup, "disconnect")
        .options(["--allow", "disconnect"])
        .arg(cgroup.path())
        .finish()
        .ok();
    let left = attached(&cgroup);
    assert_eq!(left.len(), 1);
    assert_eq!(journal.entries(), [""; 0]);
    assert_eq!(journal.next().errors, "");
    assert_eq!(attached(&cgroup), left);
    drop(cgroup);
    assert_gone(&left);
}

#[test]
fn without_a_journal_no_program_is_attached() {
    let cgroup = Cgroup::new();
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("journal");
    fs::write(&journal, "no folder").unwrap();
    Run::guest("cgroup", "hold")
        .options(["--dir", &cgroup.path(), "--allow", "cgroup=*", "--journal"])
        .option(&journal)
        .args([&cgroup.path(), "exclusive"])
        .finish()
        .ended_with(1)
        .says(&["journal", journal.to_str().unwrap()]);
    assert_eq!(attached(&cgroup), []);
}
