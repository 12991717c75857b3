//! The example `bootstrap` reports what really happens.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use wasm_bpf_tests::{PATIENCE, Run, Running, examples};

/// Runs bootstrap until it is attached.
fn bootstrap(args: &[&str]) -> Running {
    let run = args.iter().fold(Run::example("bootstrap"), Run::arg);
    let mut running = run.start();
    running.line("TIME");
    running
}

/// The shell under a name that no other process has: the kernel keeps 15 characters of it.
fn shell(dir: &Path, name: &str) -> Command {
    let link = dir.join(name);
    std::os::unix::fs::symlink("/bin/sh", &link).unwrap();
    let mut command = Command::new(link);
    command.stdin(Stdio::null());
    command
}

fn unique(kind: &str) -> String {
    let name = format!("{kind}{}", std::process::id());
    assert!(name.len() <= 15);
    name
}

/// The columns of a line about a process.
struct Line {
    event: String,
    pid: u32,
    ppid: u32,
    rest: String,
}

/// Waits for the end of a process, and returns all lines about it so far.
fn lines_until_end(running: &mut Running, name: &str, pid: u32) -> Vec<Line> {
    let mut lines = Vec::new();
    loop {
        let line = running.line("");
        let mut words = line.split_whitespace();
        let mut word = || words.next().unwrap_or_default().to_owned();
        let (_time, event, comm) = (word(), word(), word());
        let (line_pid, ppid) = (word(), word());
        if comm != name || line_pid != pid.to_string() {
            continue;
        }
        lines.push(Line {
            pid,
            ppid: ppid.parse().unwrap(),
            rest: words.collect::<Vec<_>>().join(" "),
            event,
        });
        if lines.last().unwrap().event == "EXIT" {
            return lines;
        }
    }
}

fn milliseconds(rest: &str) -> f64 {
    let (_, duration) = rest.split_once('(').expect("a duration");
    duration.strip_suffix("ms)").unwrap().parse().unwrap()
}

fn wait(child: &mut Child) {
    child.wait().unwrap();
}

#[test]
fn reports_a_process_that_starts_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let name = unique("seven");
    let mut running = bootstrap(&[]);
    let mut child = shell(dir.path(), &name)
        .args(["-c", "sleep 0.2; exit 7"])
        .spawn()
        .unwrap();
    wait(&mut child);
    let lines = lines_until_end(&mut running, &name, child.id());
    let [start, end] = lines.as_slice() else {
        panic!("{} lines about one process", lines.len());
    };
    assert_eq!((start.event.as_str(), start.pid), ("EXEC", child.id()));
    assert_eq!(
        (start.ppid, end.ppid),
        (std::process::id(), std::process::id())
    );
    assert_eq!(Path::new(&start.rest), dir.path().join(&name));
    assert!(end.rest.starts_with("[7] ("), "{}", end.rest);
    let duration = milliseconds(&end.rest);
    assert!((200.0..20_000.0).contains(&duration), "{duration} ms");
}

#[test]
fn reports_the_signal_that_ended_a_process() {
    let dir = tempfile::tempdir().unwrap();
    let name = unique("killed");
    let mut running = bootstrap(&[]);
    let mut child = shell(dir.path(), &name)
        .args(["-c", "kill -9 $$; sleep 60"])
        .spawn()
        .unwrap();
    wait(&mut child);
    let lines = lines_until_end(&mut running, &name, child.id());
    let end = &lines.last().unwrap().rest;
    assert!(end.starts_with("[SIG 9] ("), "{end}");
}

#[test]
fn reports_only_long_processes_when_asked_to() {
    let dir = tempfile::tempdir().unwrap();
    let (short, long) = (unique("short"), unique("long"));
    let mut running = bootstrap(&["-d", "300"]);
    let mut children = [
        shell(dir.path(), &short)
            .args(["-c", "exit 0"])
            .spawn()
            .unwrap(),
        shell(dir.path(), &long)
            .args(["-c", "sleep 0.5"])
            .spawn()
            .unwrap(),
    ];
    children.iter_mut().for_each(wait);
    let lines = lines_until_end(&mut running, &long, children[1].id());
    assert_eq!(lines.len(), 1, "the end only");
    assert!(milliseconds(&lines[0].rest) >= 500.0);
    running.signal(libc::SIGINT);
    let finished = running.finish().ok();
    // The machine may be too busy to end the short one in time; then it has told the truth about it.
    let told = finished.output.lines().filter(|line| line.contains(&short));
    for line in told {
        assert!(milliseconds(line) >= 300.0, "{line}");
    }
}

#[test]
fn ends_when_it_is_stopped() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let running = bootstrap(&[]);
        running.signal(signal);
        running.finish().ok();
    }
}

/// As with `| head`: whoever read has seen enough.
#[test]
fn ends_well_when_its_reader_does() {
    let mut running = Run::example("bootstrap").without_reader().start();
    let until = Instant::now() + PATIENCE;
    while running.unread() == 0 {
        assert!(Instant::now() < until, "it prints nothing");
        sleep(Duration::from_millis(10));
    }
    running.close_output();
    while !running.has_ended() {
        assert!(Instant::now() < until, "it goes on");
        // Something to print.
        wait(&mut Command::new("/bin/true").spawn().unwrap());
        sleep(Duration::from_millis(10));
    }
    running.finish().ok();
}

#[test]
fn explains_itself() {
    let help = Run::example("bootstrap").arg("--help").finish().ok();
    assert!(help.output.contains("Examples:"), "{}", help.output);
    Run::example("bootstrap")
        .arg("--bogus")
        .finish()
        .ended_with(2)
        .says(&["--bogus", "--help"]);
    Run::example("bootstrap")
        .args(["-d", "99999999999999999999"])
        .finish()
        .ended_with(2);
}

/// Tools are to be sent around, so they stay small.
#[test]
fn examples_are_small() {
    let paths = examples();
    assert!(!paths.is_empty());
    for path in paths {
        let size = std::fs::metadata(&path).unwrap().len();
        assert!(size <= 300 * 1024, "{} has {size} bytes", path.display());
    }
}
