//! The example `task-iter` lists tasks that the test has made.

use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use wasm_bpf_tests::{Finished, Run, assert_nothing_new, everything};

fn task_iter(args: &[&str]) -> Finished {
    Run::example("task-iter").args(args).finish()
}

/// A process that sleeps.
struct Sleeper(Child);

impl Sleeper {
    fn new() -> Self {
        let mut command = Command::new("sleep");
        command.arg("1000").stdin(Stdio::null());
        Self(command.spawn().expect("sleep is everywhere"))
    }

    fn id(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.0.kill().expect("our child");
        self.0.wait().expect("our child");
    }
}

/// The words of the line of a thread: process, thread, parent, state, start and name.
fn line<'a>(finished: &'a Finished, thread: &str) -> Option<Vec<&'a str>> {
    let lines = finished.output.lines().skip(1);
    let mut words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.find(|words| words.get(1) == Some(&thread))
}

#[test]
fn processes_are_listed() {
    let before = everything();
    let sleeper = Sleeper::new();
    let id = sleeper.id();
    let finished = loop {
        let finished = task_iter(&[]).ok();
        // It may not yet be what it will be, or on its way to sleep.
        let words = line(&finished, &id);
        if words.is_some_and(|words| words[3] == "S" && words[5] == "sleep") {
            break finished;
        }
    };
    let parent = std::process::id().to_string();
    let words = line(&finished, &id).unwrap();
    assert_eq!(words[..3], [id.as_str(), &id, &parent]);
    // Started after this one, as the kernel counts.
    let own = line(&finished, &parent).unwrap();
    assert!(own[4] <= words[4], "{own:?} {words:?}");
    // None of the kernel's, unless asked for.
    assert!(!finished.output.contains("kthreadd"));
    let with_kernel = task_iter(&["-k"]).ok();
    assert!(with_kernel.output.contains("kthreadd"));
    assert_nothing_new(&before);
}

#[test]
fn threads_are_listed_when_asked_for() {
    let (end, wait) = mpsc::channel::<()>();
    let (say, hear) = mpsc::channel();
    let named = thread::Builder::new().name("wasm-bpf-named".to_owned());
    let thread = named.spawn(move || {
        // SAFETY: takes nothing, cannot fail.
        say.send(unsafe { libc::gettid() }).unwrap();
        let _ = wait.recv();
    });
    let id = hear.recv().unwrap().to_string();
    let process = std::process::id().to_string();
    let finished = task_iter(&["-t", "-p", &process]).ok();
    let words = line(&finished, &id).unwrap();
    assert_eq!((words[0], words[5]), (process.as_str(), "wasm-bpf-named"));
    // Only of this process.
    let lines = finished.output.lines().skip(1);
    let mut processes = lines.map(|line| line.split_whitespace().next().unwrap());
    assert!(processes.all(|other| other == process));
    let without = task_iter(&["-p", &process]).ok();
    assert!(line(&without, &id).is_none());
    assert!(line(&without, &process).is_some());
    drop(end);
    thread.unwrap().join().unwrap();
}

#[test]
fn a_stack_says_what_a_process_waits_in() {
    let sleeper = Sleeper::new();
    let finished = loop {
        let finished = task_iter(&["-s", "-p", &sleeper.id()]).ok();
        if finished.output.contains("nanosleep") {
            break finished;
        }
    };
    // Below the line of the process, indented.
    let mut lines = finished.output.lines().skip(1);
    assert!(lines.next().unwrap().ends_with(" sleep"));
    assert!(lines.all(|line| line.starts_with("        ") && line.contains("+0x")));
}

#[test]
fn wrong_calls_are_told() {
    task_iter(&["-p", "0"])
        .ended_with(2)
        .says(&["not the ID of a process", "--help"]);
    task_iter(&["-p", "4000000"])
        .ok()
        .says(&["there is no process 4000000"]);
}
