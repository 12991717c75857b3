//! What killed hosts leave in the kernel is removed at the next start, and nothing else.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use wasm_bpf_tests::{Finished, Held, Run, Running, assert_gone, held};

/// A network namespace with the veth pair `wb0` and `wb1`.
struct Netns(String);

impl Netns {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("wbj-{}-{number}", std::process::id());
        run(Command::new("ip").args(["netns", "add", &name]));
        let netns = Self(name);
        netns.ip("link add wb0 type veth peer name wb1");
        netns.ip("link set wb0 up");
        netns.ip("link set wb1 up");
        netns
    }

    fn ip(&self, words: &str) -> String {
        let words = words.split(' ');
        run(Command::new("ip").args(["-netns", &self.0]).args(words))
    }

    fn tc(&self, words: &str) -> String {
        let words = words.split(' ');
        run(Command::new("tc").args(["-netns", &self.0]).args(words))
    }

    fn has_qdisc(&self) -> bool {
        self.tc("qdisc show dev wb0").contains("clsact")
    }

    /// Filters on a side of `wb0`.
    fn filters(&self, side: &str) -> usize {
        if !self.has_qdisc() {
            return 0;
        }
        let shown = self.tc(&format!("filter show dev wb0 {side}"));
        shown
            .lines()
            .filter(|line| line.contains(" handle "))
            .count()
    }

    /// A host, to be run in it.
    fn host(&self, journal: &Path, case: &str) -> Run {
        let file = fs::File::open(Path::new("/run/netns").join(&self.0)).unwrap();
        let netns = Arc::new(OwnedFd::from(file));
        host(journal, case).before(move || {
            // SAFETY: a descriptor that lives.
            match unsafe { libc::setns(netns.as_raw_fd(), libc::CLONE_NEWNET) } {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            }
        })
    }

    /// A host that has filters in these places, and what it has in the kernel.
    fn holding(&self, journal: &Path, places: &[&str]) -> (Running, Vec<Held>) {
        let run = self.host(journal, "hold").with_input();
        let mut running = run.arg("wb0").args(places).start();
        let held = held(&running.line("holds"));
        running.line("attached");
        (running, held)
    }

    /// The same, killed. The filters stay.
    fn killed(&self, journal: &Path, places: &[&str]) -> Vec<Held> {
        let (running, held) = self.holding(journal, places);
        running.signal(libc::SIGKILL);
        drop(running.finish());
        assert!(held.iter().any(|held| held.exists()));
        held
    }

    /// The next host that is started here, whatever it runs.
    fn next(&self, journal: &Path) -> Finished {
        self.host(journal, "nothing").finish().ok()
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let _ = Command::new("ip")
            .args(["netns", "delete", &self.0])
            .status();
    }
}

fn host(journal: &Path, case: &str) -> Run {
    Run::guest("network", case)
        .options(["--allow", "tc=*", "--journal"])
        .option(journal)
}

fn run(command: &mut Command) -> String {
    let finished = Finished::of(command).ok();
    finished.output
}

/// A place for a journal. It is made when something is written.
fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// What is in a journal but its lock.
fn entries(journal: &Path) -> Vec<String> {
    let names = fs::read_dir(journal).into_iter().flatten();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names = names.filter(|name| name != "lock").collect::<Vec<_>>();
    names.sort();
    names
}

#[test]
fn what_a_killed_host_left_is_removed_by_the_next() {
    let (netns, dir) = (Netns::new(), folder());
    let journal = dir.path().join("journal");
    let held = netns.killed(&journal, &["ingress:0:0", "egress:7:9", "ingress:1:0"]);
    assert_eq!((netns.filters("ingress"), netns.filters("egress")), (2, 1));
    assert_eq!(entries(&journal).len(), 4, "{:?}", entries(&journal));
    let next = netns.next(&journal).says(&[
        "the tc filter on the ingress of wb0",
        "the tc filter on the egress of wb0",
        "killed",
    ]);
    assert_eq!(next.output, "nothing is done\n");
    assert!(!netns.has_qdisc());
    assert_eq!(entries(&journal), [""; 0]);
    assert_gone(&held);
    // Once.
    assert_eq!(netns.next(&journal).errors, "");
}

#[test]
fn a_host_that_ends_leaves_nothing_to_remove() {
    let (netns, dir) = (Netns::new(), folder());
    let journal = dir.path().join("a/b/journal");
    let (running, held) = netns.holding(&journal, &["ingress:0:0", "egress:0:0"]);
    assert_eq!(entries(&journal).len(), 3);
    drop(running.finish().ok());
    assert!(!netns.has_qdisc());
    assert_eq!(entries(&journal), [""; 0]);
    assert_gone(&held);
}

#[test]
fn what_living_hosts_have_stays() {
    let (netns, dir) = (Netns::new(), folder());
    let journal = dir.path().join("journal");
    let (living, _) = netns.holding(&journal, &["ingress:1:0"]);
    let held = netns.killed(&journal, &["ingress:2:0"]);
    assert_eq!(netns.filters("ingress"), 2);
    netns.next(&journal).says(&["of wb0"]);
    assert_eq!(netns.filters("ingress"), 1);
    assert_gone(&held);
    assert_eq!(netns.next(&journal).errors, "");
    assert_eq!(netns.filters("ingress"), 1);
    // The one that made the qdisc is not the last one that used it: the last one removes it.
    drop(living.finish().ok());
    assert!(!netns.has_qdisc());
    assert_eq!(entries(&journal), [""; 0]);
}

#[test]
fn what_others_made_stays() {
    let (netns, dir) = (Netns::new(), folder());
    let journal = dir.path().join("journal");
    netns.tc("qdisc add dev wb0 clsact");
    netns.killed(&journal, &["ingress:5:0"]);
    netns.next(&journal).says(&["of wb0"]);
    assert_eq!(netns.filters("ingress"), 0);
    assert!(netns.has_qdisc(), "it was there before");
    netns.tc("qdisc del dev wb0 clsact");
    // A filter in a qdisc that a host made: another host's, with a journal of its own.
    netns.killed(&journal, &["ingress:5:0"]);
    let other = dir.path().join("other");
    let (living, _) = netns.holding(&other, &["egress:1:0"]);
    netns.next(&journal).says(&["of wb0"]);
    assert_eq!((netns.filters("ingress"), netns.filters("egress")), (0, 1));
    assert!(netns.has_qdisc());
    drop(living.finish().ok());
}

#[test]
fn another_filter_in_the_same_place_stays() {
    let (netns, dir) = (Netns::new(), folder());
    let journal = dir.path().join("journal");
    netns.killed(&journal, &["ingress:5:1"]);
    netns.tc("filter del dev wb0 ingress");
    let other = dir.path().join("other");
    let (living, held) = netns.holding(&other, &["ingress:5:1"]);
    assert_eq!(netns.next(&journal).errors, "");
    assert_eq!(netns.filters("ingress"), 1);
    assert!(held.iter().all(|held| held.exists()));
    assert_eq!(entries(&journal).len(), 1, "the qdisc has a filter");
    drop(living.finish().ok());
}

#[test]
fn another_namespace_is_left_alone() {
    let (netns, other, dir) = (Netns::new(), Netns::new(), folder());
    let journal = dir.path().join("journal");
    let held = netns.killed(&journal, &["ingress:5:1"]);
    // The interface of the same name and number there has nothing to do with it.
    other.tc("qdisc add dev wb0 clsact");
    assert_eq!(other.next(&journal).errors, "");
    assert_eq!(netns.filters("ingress"), 1);
    assert!(other.has_qdisc());
    assert_eq!(entries(&journal).len(), 2);
    // With the namespace the filter goes.
    drop(netns);
    assert_gone(&held);
    assert_eq!(other.next(&journal).errors, "");
    assert_eq!(entries(&journal), [""; 0]);
    assert!(other.has_qdisc());
}

#[test]
fn an_interface_that_went_is_forgotten() {
    let (netns, dir) = (Netns::new(), folder());
    let journal = dir.path().join("journal");
    let held = netns.killed(&journal, &["ingress:0:0"]);
    netns.ip("link delete wb0");
    assert_gone(&held);
    assert_eq!(netns.next(&journal).errors, "");
    assert_eq!(entries(&journal), [""; 0]);
}

#[test]
fn an_entry_that_cannot_be_understood_is_moved_aside() {
    let (netns, dir) = (Netns::new(), folder());
    let journal = dir.path().join("journal");
    netns.killed(&journal, &["ingress:0:0"]);
    let name = entries(&journal).remove(0);
    assert!(name.starts_with("entry-"), "{name}");
    let text = fs::read_to_string(journal.join(&name)).unwrap();
    assert!(text.contains("\ninterface=wb0\n"), "{text}");
    fs::write(
        journal.join(&name),
        text.replace("side=ingress", "side=../.."),
    )
    .unwrap();
    netns
        .next(&journal)
        .says(&[&name, "cannot be understood", "corrupt-"]);
    // It was not acted on.
    assert_eq!(netns.filters("ingress"), 1);
    assert!(entries(&journal).contains(&format!("corrupt-{name}")));
    assert_eq!(netns.next(&journal).errors, "");
}

#[test]
fn without_a_journal_no_filter_is_made() {
    let (netns, dir) = (Netns::new(), folder());
    let journal = dir.path().join("journal");
    fs::write(&journal, "no folder").unwrap();
    netns
        .host(&journal, "hold")
        .args(["wb0", "ingress:0:0"])
        .finish()
        .ended_with(1)
        .says(&["journal", journal.to_str().unwrap()]);
    assert!(!netns.has_qdisc());
}

#[test]
fn filters_of_a_component_that_traps_are_removed() {
    let (netns, dir) = (Netns::new(), folder());
    let journal = dir.path().join("journal");
    netns
        .host(&journal, "hold")
        .args(["wb0", "ingress:0:0", "nonsense"])
        .finish()
        .ended_with(1)
        .says(&["panicked"]);
    assert!(!netns.has_qdisc());
    assert_eq!(entries(&journal), [""; 0]);
}

#[test]
fn a_disconnected_filter_stays() {
    let (netns, dir) = (Netns::new(), folder());
    let journal = dir.path().join("journal");
    netns
        .host(&journal, "disconnect")
        .options(["--allow", "disconnect"])
        .arg("wb0")
        .finish()
        .ok();
    assert_eq!(netns.filters("ingress"), 1);
    assert_eq!(entries(&journal), [""; 0]);
    assert_eq!(netns.next(&journal).errors, "");
    assert_eq!(netns.filters("ingress"), 1);
}

#[test]
fn a_detached_filter_is_gone_while_its_link_is_there() {
    let (netns, dir) = (Netns::new(), folder());
    let journal = dir.path().join("journal");
    let run = netns.host(&journal, "detach").with_input();
    let mut running = run.arg("wb0").start();
    running.line("detached");
    assert!(!netns.has_qdisc());
    assert_eq!(entries(&journal), [""; 0]);
    drop(running.finish().ok());
}
