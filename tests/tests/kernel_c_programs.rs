//! Programs in C, written for libbpf: from the same source files the native compiler makes a program and the C SDK a component. Both see the same
//! events and have to print the same.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use wasm_bpf_conformance::packets;
use wasm_bpf_tests::{
    Cgroup, Finished, Netns, Run, Running, assert_nothing_new, c_example, c_program, everything,
    native,
};

/// One program in both forms, running at the same time.
struct Both {
    native: Running,
    component: Running,
}

/// What both printed on standard output, line by line, with the lines that `choose` takes, as it gives them.
fn printed(finished: &Finished, choose: impl Fn(&str) -> Option<String>) -> Vec<String> {
    finished.output.lines().filter_map(choose).collect()
}

impl Both {
    /// Starts both and waits until both say that they are ready. `options` are those of the host.
    fn start(
        name: &str,
        component: PathBuf,
        options: &[&str],
        args: &[&str],
        wait: impl Fn(&mut Running),
    ) -> Self {
        let native = Run::native(native(name)).args(args);
        let component = Run::component(component).options(options).args(args);
        let mut both = Self {
            native: native.start(),
            component: component.start(),
        };
        wait(&mut both.native);
        wait(&mut both.component);
        both
    }

    /// Presses Ctrl-C in both; both have to end with this exit code.
    #[track_caller]
    fn stop(self, code: i32) -> (Finished, Finished) {
        self.native.signal(libc::SIGINT);
        self.component.signal(libc::SIGINT);
        let native = self.native.finish().ended_with(code);
        (native, self.component.finish().ended_with(code))
    }

    /// The same, and what they print has to be the same: `count` lines of what `choose` makes of each.
    #[track_caller]
    fn agree(self, count: usize, choose: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let (native, component) = self.stop(0);
        let expected = printed(&native, &choose);
        assert_eq!(expected.len(), count, "native:\n{}", native.output);
        assert_eq!(printed(&component, &choose), expected);
        expected
    }
}

/// A program that does nothing and has a name of its own.
fn marked(dir: &Path, name: &str) -> PathBuf {
    let path = dir.join(name);
    fs::copy("/bin/true", &path).unwrap();
    path
}

/// Masks what is between brackets, such as a duration.
fn without_brackets(line: &str) -> String {
    match (line.find(" ("), line.ends_with(')')) {
        (Some(at), true) => format!("{} (...)", &line[..at]),
        _ => line.to_owned(),
    }
}

#[test]
fn execve_argp_and_a_ring_buffer() {
    let before = everything();
    let dir = tempfile::tempdir().unwrap();
    let program = marked(dir.path(), "wbexecve");
    let both = Both::start(
        "execve",
        c_example("execve"),
        &[],
        &["-n", "wbexecve"],
        |running| drop(running.line("    PID")),
    );
    let arguments = ["plain", "with space", "quo\"te", "", "esc\x1b[m"];
    for count in 0..=arguments.len() {
        let mut command = Command::new(&program);
        assert!(
            command
                .args(&arguments[..count])
                .status()
                .unwrap()
                .success()
        );
    }
    // More than the record has room for.
    let long = "x".repeat(2000);
    assert!(
        Command::new(&program)
            .arg(&long)
            .status()
            .unwrap()
            .success()
    );
    let lines = both.agree(arguments.len() + 2, |line| {
        line.contains(" wbexecve ").then(|| line.to_owned())
    });
    assert!(
        lines[2].ends_with(r#"/wbexecve plain "with space""#),
        "{}",
        lines[2]
    );
    assert!(
        lines[5].ends_with(" esc?[m") || lines[5].contains("esc?[m"),
        "{}",
        lines[5]
    );
    assert!(lines[6].contains(" ... ("), "{}", lines[6]);
    assert_nothing_new(&before);
}

#[test]
fn bootstrap_read_only_data_and_a_map() {
    let before = everything();
    let dir = tempfile::tempdir().unwrap();
    let program = marked(dir.path(), "wbbootstrap");
    let both = Both::start("bootstrap", c_example("bootstrap"), &[], &[], |running| {
        drop(running.line("TIME "));
    });
    for _ in 0..20 {
        assert!(Command::new(&program).status().unwrap().success());
    }
    let lines = both.agree(40, |line| {
        // The second of the one may be another's.
        let line = line.contains(" wbbootstrap ").then_some(line)?;
        Some(without_brackets(line.split_once(' ')?.1))
    });
    assert!(lines[0].starts_with("EXEC "), "{}", lines[0]);
    assert!(lines[1].contains(" [0] (...)"), "{}", lines[1]);
    assert_nothing_new(&before);
}

#[test]
fn opensnoop_a_perf_buffer() {
    let before = everything();
    let dir = tempfile::tempdir().unwrap();
    let me = std::process::id().to_string();
    let both = Both::start(
        "opensnoop",
        c_example("opensnoop"),
        &[],
        &["-p", &me, "-U", "-e"],
        |running| while !running.next_line().expect("a header").contains("PATH") {},
    );
    let name = dir.path().display().to_string();
    for number in 0..200 {
        let path = dir.path().join(number.to_string());
        fs::File::open(&path).unwrap_err();
        drop(fs::File::create(&path).unwrap());
    }
    let lines = both.agree(400, |line| line.contains(&name).then(|| line.to_owned()));
    let words = lines[0].split_whitespace().collect::<Vec<_>>();
    assert_eq!(words[1], me);
    assert_eq!(words[3..5], ["-1", "2"], "ENOENT");
    assert_nothing_new(&before);
}

#[test]
fn uprobe_a_function_of_a_program() {
    let before = everything();
    let target = native("uprobe-target");
    let folder = target.parent().unwrap().display().to_string();
    let both = Both::start(
        "uprobe",
        c_example("uprobe"),
        &["--dir", &folder],
        &[&target.display().to_string()],
        |running| drop(running.error_line("uprobe: tracing")),
    );
    let calls = Finished::of(Command::new(&target).arg("5")).ok();
    assert_eq!(calls.output.lines().count(), 5);
    let lines = both.agree(5, |line| {
        line.contains("uprobed_add(").then(|| {
            let end = line.rfind(" (").unwrap();
            line[..end].to_owned()
        })
    });
    assert!(lines[4].ends_with(" uprobed_add(4, 5) = 9"), "{}", lines[4]);
    assert_nothing_new(&before);
}

#[test]
fn usdt_arguments_a_cookie_and_the_exit_code_of_the_program() {
    let before = everything();
    let target = native("usdt-target");
    let folder = target.parent().unwrap().display().to_string();
    for code in ["0", "3"] {
        let both = Both::start(
            "usdt",
            c_program("usdt"),
            &["--dir", &folder],
            &["-e", code, &target.display().to_string()],
            |running| drop(running.error_line("usdt: ready")),
        );
        drop(Finished::of(Command::new(&target).arg("50")).ok());
        let (native, component) = both.stop(code.parse().unwrap());
        assert_eq!(native.output, component.output);
        let lines = native.output.lines().collect::<Vec<_>>();
        assert_eq!(lines.len(), 50 + 3 + 1, "{}", native.output);
        assert_eq!(lines[1], "1 two cookie=feed");
        assert_eq!(lines[52], "number 2: 16 times, the last with -47");
        assert_eq!(
            lines[53],
            "stopped by signal 2 after 50 events; the program saw 50"
        );
    }
    assert_nothing_new(&before);
}

#[test]
fn sockops_a_cgroup() {
    let before = everything();
    let cgroup = Cgroup::new();
    let path = cgroup.path();
    let both = Both::start(
        "sockops",
        c_example("sockops"),
        &["--dir", &path, "--allow", &format!("cgroup={path}")],
        &[&path],
        |running| drop(running.line("TIME ")),
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for bytes in ["1", "22", "333"] {
        cgroup.send(port, bytes);
        drop(listener.accept().unwrap());
    }
    let lines = both.agree(6, |line| {
        let words = line.split_whitespace().collect::<Vec<_>>();
        let event = *words.get(1)?;
        matches!(event, "CONNECT" | "CLOSE").then(|| {
            // Without when it was and how long it took.
            let mut shown = words[1..5].to_vec();
            shown.extend(words.get(6..).unwrap_or_default());
            shown.join(" ")
        })
    });
    assert!(lines[0].starts_with("CONNECT 127.0.0.1:"), "{}", lines[0]);
    drop(cgroup);
    assert_nothing_new(&before);
}

/// One after the other: an interface has one program of this kind. What is sent is the same.
fn one_after_the_other(
    netns: &Netns,
    name: &str,
    component: PathBuf,
    grant: &str,
    args: &[&str],
    act: impl Fn(Running) -> Finished,
) -> String {
    let run = Run::native(native(name)).args(args).with_input();
    let native = act(run.before(netns.enter()).start());
    let run = Run::component(component).options(["--allow", grant]);
    let run = run.args(args).with_input().before(netns.enter());
    let component = act(run.start());
    assert_eq!(component.output, native.output, "{}", component.errors);
    native.output
}

#[test]
fn tc_a_filter_and_global_variables() {
    let before = everything();
    let netns = Netns::new();
    let first = (packets::PORT - 1).to_string();
    let output = one_after_the_other(
        &netns,
        "tc",
        c_program("tc"),
        "tc=wb0",
        &["wb0", &first],
        |mut running| {
            running.line("query: 0");
            netns.send(3);
            running.say("counts");
            assert_eq!(running.line("port "), format!("port {}: 3", packets::PORT));
            running.line("dropped: 0");
            // What C writes into .bss reaches the program, and what the program counted beside it is not undone.
            running.say(&format!("drop {}", packets::PORT));
            running.say("counts");
            running.line("dropped: 0");
            // A component's writes go out when it waits, as it does for this line.
            running.say("counts");
            running.line("dropped: 0");
            netns.send(4);
            running.say("counts");
            running.line("dropped: 4");
            running.finish().ok()
        },
    );
    assert!(output.contains("a second time: -17\n"), "{output}");
    assert!(output.ends_with("detached: 0\nonce more: -2\n"), "{output}");
    drop(netns);
    assert_nothing_new(&before);
}

#[test]
fn xdp_an_interface_and_maps_with_values_for_each_cpu() {
    let before = everything();
    let netns = Netns::new();
    let count = |mut running: Running| {
        running.line("      PASSED");
        netns.send(9);
        while !running.next_line().expect("it goes on").contains(" 9 ") {}
        running.signal(libc::SIGINT);
        let mut finished = running.finish().ok();
        // How many lines there are depends on the time, and the kernel sends packets of its own.
        let blocked = finished.output.lines().last().unwrap_or_default();
        finished.output = blocked.to_owned();
        finished
    };
    let output = one_after_the_other(
        &netns,
        "xdp",
        c_example("xdp"),
        "xdp=wb0",
        &["-b", "10.77.0.0/16", "-b", "192.0.2.7", "wb0"],
        count,
    );
    assert_eq!(output, "192.0.2.7: 0 packets dropped");
    drop(netns);
    assert_nothing_new(&before);
}

#[test]
fn global_data_of_every_kind_of_type() {
    let before = everything();
    for run in [
        Run::native(native("globals")),
        Run::component(c_program("globals")),
    ] {
        let finished = run.finish().ok();
        assert_eq!(finished.output, "both sides agree\n");
    }
    assert_nothing_new(&before);
}

#[test]
fn sockfilter_a_packet_socket() {
    let before = everything();
    let netns = Netns::new();
    let args = ["-i", "wb0"];
    let run = Run::native(native("sockfilter")).args(args);
    let mut both = Both {
        native: run.before(netns.enter()).start(),
        component: Run::component(c_example("sockfilter"))
            .options(["--allow", "socket-filter=wb0"])
            .args(args)
            .before(netns.enter())
            .start(),
    };
    both.native.line("WAY ");
    both.component.line("WAY ");
    netns.send(20);
    let port = format!(":{} ", packets::PORT);
    let lines = both.agree(20, |line| line.contains(&port).then(|| line.to_owned()));
    assert!(lines[0].starts_with("in        UDP "), "{}", lines[0]);
    drop(netns);
    assert_nothing_new(&before);
}

#[test]
fn minimal_its_own_process_and_global_variables() {
    let before = everything();
    let mut running = Run::component(c_example("minimal")).start();
    // The process whose system calls are counted is the host's: there are some in each second.
    let calls = |line: &str| -> u64 { line.split(' ').next().unwrap().parse().unwrap() };
    let first = calls(&running.next_line().unwrap());
    let second = calls(&running.next_line().unwrap());
    assert!(first > 0 && second > first, "{first} {second}");
    running.signal(libc::SIGTERM);
    drop(running.finish().ok());
    assert_nothing_new(&before);
}

#[test]
fn runqlat_histograms_and_keys() {
    let before = everything();
    let finished = Run::component(c_example("runqlat"))
        .args(["-P", "-T", "1", "2"])
        .finish()
        .ok();
    assert!(finished.output.matches("     usecs ").count() >= 2);
    assert!(finished.output.contains("pid = "), "{}", finished.output);
    let stopped = Run::component(c_example("runqlat")).start();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    stopped.signal(libc::SIGINT);
    let stopped = stopped.finish().ok();
    assert!(stopped.output.contains("     usecs "), "{}", stopped.output);
    assert_nothing_new(&before);
}

#[test]
fn what_is_missing_is_told() {
    Run::component(c_example("sockops"))
        .finish()
        .ended_with(64)
        .says(&["which cgroup?", "--help"]);
    Run::component(c_example("uprobe"))
        .args(["/not/there"])
        .finish()
        .ended_with(1)
        .says(&["/not/there", "--dir"]);
    Run::component(c_example("xdp"))
        .args(["lo"])
        .finish()
        .ended_with(1)
        .says(&["--allow xdp="]);
    let help = Run::component(c_example("execve"))
        .args(["--help"])
        .finish()
        .ok();
    for part in ["-n, --name=NAME", "EXAMPLES:", "Usage: execve"] {
        assert!(help.output.contains(part), "{}", help.output);
    }
}
