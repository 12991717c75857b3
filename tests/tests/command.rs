//! What the command says to those who use it wrongly or hand it something wrong. Nothing here needs root.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use wasm_bpf_tests::{Finished, host};

/// Files for a test.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, contents).unwrap();
        path
    }

    fn component(&self, name: &str, text: &str) -> PathBuf {
        self.file(name, wat::parse_str(text).unwrap())
    }
}

fn command(args: &[&str]) -> Finished {
    Finished::of(Command::new(host()).args(args))
}

fn run(component: &Path) -> Finished {
    Finished::of(Command::new(host()).arg("run").arg(component))
}

/// A command of WASI whose `run` consists of this.
fn command_component(body: &str) -> String {
    format!(
        r#"(component
            (core module $m (func (export "run") (result i32) {body}))
            (core instance $i (instantiate $m))
            (func $run (result (result)) (canon lift (core func $i "run")))
            (instance (export "wasi:cli/run@0.2.12") (export "run" (func $run))))"#
    )
}

#[track_caller]
fn refused(path: &Path, parts: &[&str]) {
    let finished = run(path).ended_with(1).says(parts);
    assert!(
        finished.errors.starts_with("error: "),
        "{}",
        finished.errors
    );
    assert!(finished.output.is_empty());
    // Who has many files must know which.
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(finished.errors.contains(name), "{}", finished.errors);
}

#[test]
fn the_result_of_a_component_is_the_exit_code() {
    let files = Files::new();
    let good = files.component("good.wasm", &command_component("i32.const 0"));
    let finished = run(&good).ok();
    assert_eq!(
        (finished.output.as_str(), finished.errors.as_str()),
        ("", "")
    );
    let failed = files.component("failed.wasm", &command_component("i32.const 1"));
    run(&failed).ended_with(1);
    let trap = files.component("trap.wasm", &command_component("unreachable"));
    refused(&trap, &["failed", "unreachable", "-v"]);
}

#[test]
fn a_file_that_is_not_there() {
    refused(Path::new("/no/such/file.wasm"), &["there is no file"]);
}

#[test]
fn a_directory() {
    refused(Files::new().0.path(), &["is a directory"]);
}

#[test]
fn a_file_that_is_not_webassembly() {
    let files = Files::new();
    refused(&files.file("text.wasm", "hello"), &["not WebAssembly"]);
    refused(
        &files.file("empty.wasm", ""),
        &["is empty, not a component"],
    );
    refused(
        &files.file("object.bpf.o", b"\x7fELF and so on"),
        &["is an ELF file", "embedded in a component"],
    );
}

#[test]
fn a_core_module() {
    let files = Files::new();
    refused(
        &files.component("module.wasm", "(module)"),
        &["core module", "wasm32-wasip2"],
    );
}

#[test]
fn a_component_that_was_cut_off_or_changed() {
    let files = Files::new();
    let bytes = wat::parse_str(command_component("i32.const 0")).unwrap();
    for length in [8, 20, bytes.len() / 2, bytes.len() - 1] {
        let cut = files.file("cut.wasm", &bytes[..length]);
        let finished = run(&cut).ended_with(1);
        assert!(finished.errors.contains("cut.wasm"), "{}", finished.errors);
        assert!(!finished.errors.contains("panicked"), "{}", finished.errors);
    }
    refused(
        &files.file("cut.wasm", &bytes[..bytes.len() / 2]),
        &["not a valid component", "cut off"],
    );
}

#[test]
fn a_component_that_imports_what_is_not_offered() {
    let files = Files::new();
    let import = |name: &str| {
        let text = format!(r#"(component (import "{name}" (instance (export "f" (func)))))"#);
        files.component("imports.wasm", &text)
    };
    refused(
        &import("example:other/things@1.0.0"),
        &["`example:other/things@1.0.0`", "does not offer", "WASI 0.2"],
    );
    refused(
        &import("wasm-bpf:bpf/maps@0.2.0"),
        &["version 0.2.0", "offers 0.1.0", "build the component anew"],
    );
    refused(
        &import("wasm-bpf:bpf/no-such@0.1.0"),
        &["wasm-bpf:bpf/no-such@0.1.0", "does not offer"],
    );
    refused(
        &import("wasi:cli/no-such@0.2.0"),
        &["wasi:cli/no-such@0.2.0", "does not offer"],
    );
    // The interface is there, a function of this name is not.
    refused(
        &import("wasm-bpf:bpf/lifecycle@0.1.0"),
        &["does not offer", "lifecycle", "`f`"],
    );
}

#[test]
fn a_component_that_is_no_command() {
    let files = Files::new();
    refused(
        &files.component("library.wasm", "(component)"),
        &["is not a command", "wasi:cli/run"],
    );
}

#[track_caller]
fn wrong_usage(args: &[&str], parts: &[&str]) {
    let finished = command(args).ended_with(2).says(parts);
    assert!(finished.output.is_empty(), "{}", finished.output);
}

#[test]
fn wrong_options() {
    wrong_usage(&["run", "--bogus", "x.wasm"], &["'--bogus'", "--help"]);
    wrong_usage(&["run"], &["COMPONENT", "--help"]);
    wrong_usage(&["bogus"], &["'bogus'", "--help"]);
    wrong_usage(&["run", "-q", "-v", "x.wasm"], &["--quiet", "--verbose"]);
    wrong_usage(&["run", "--env", "=x", "x.wasm"], &["NAME=VALUE"]);
    wrong_usage(&["run", "--dir", "::x", "x.wasm"], &["HOST::GUEST"]);
    wrong_usage(&["completions", "no-shell"], &["bash", "zsh", "fish"]);
}

#[test]
fn wrong_grants() {
    let allow = |grant| ["run", "--allow", grant, "x.wasm"];
    wrong_usage(&allow("xpd=eth0"), &["no grant `xpd`", "xdp", "tc", "lsm"]);
    wrong_usage(&allow("xdp"), &["needs a value", "xdp=INTERFACE", "xdp=*"]);
    wrong_usage(&allow("xdp="), &["needs a value"]);
    wrong_usage(&allow("lsm=1"), &["`lsm` takes no value"]);
}

#[test]
fn wrong_limits() {
    let limit = |limit: &str, parts: &[&str]| {
        wrong_usage(&["run", "--limit", limit, "x.wasm"], parts);
    };
    limit("maps", &["NAME=VALUE", "map-memory=1G"]);
    limit("mops=1", &["no limit `mops`", "maps", "links"]);
    for value in ["", "x", "-1", "1.5G", "1T", "99999999999999999999"] {
        limit(&format!("map-memory={value}"), &["no number or size"]);
    }
}

#[test]
fn files_that_options_name() {
    let files = Files::new();
    let good = files.component("good.wasm", &command_component("i32.const 0"));
    let good = good.to_str().unwrap();
    let failed = |args: &[&str], parts: &[&str]| {
        command(&[&["run"], args, &[good]].concat())
            .ended_with(1)
            .says(parts);
    };
    failed(
        &["--dir", "/no/such/dir"],
        &["directory /no/such/dir", "No such file"],
    );
    failed(
        &["--btf", "/no/such/btf"],
        &["BTF file /no/such/btf", "No such file"],
    );
    let text = files.file("btf", "no BTF at all");
    let text = text.to_str().unwrap();
    failed(
        &["--btf", text],
        &[text, "is not BTF", "/sys/kernel/btf/vmlinux"],
    );
    let short = files.file("short", "x");
    failed(
        &["--btf", short.to_str().unwrap()],
        &["cannot read the BTF file"],
    );
}

#[test]
fn help_has_examples_and_names_grants_and_limits() {
    let help = |args: &[&str]| command(args).ok().output;
    for args in [&["--help"][..], &["-h"]] {
        let help = help(args);
        for part in [
            "Usage:",
            "run",
            "completions",
            "Examples:",
            "sudo wasm-bpf run",
        ] {
            assert!(help.contains(part), "no {part:?} in {help}");
        }
    }
    let help = help(&["run", "--help"]);
    for part in [
        "Usage:",
        "Grants",
        "Limits",
        "Exit codes",
        "Examples:",
        "--btf",
    ] {
        assert!(help.contains(part), "no {part:?} in {help}");
    }
    for (grant, ..) in wasm_bpf_host::grants() {
        assert!(help.contains(grant), "no {grant} in {help}");
    }
    let version = command(&["--version"]).ok().output;
    assert!(version.starts_with("wasm-bpf "), "{version}");
    // Without a command there is nothing to do, but much to tell.
    let nothing = command(&[]).ended_with(2);
    assert!(nothing.errors.contains("Examples:"), "{}", nothing.errors);
}

#[test]
fn completions_are_scripts_of_their_shell() {
    for (shell, part) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef wasm-bpf"),
        ("fish", "complete -c wasm-bpf"),
    ] {
        let script = command(&["completions", shell]).ok().output;
        assert!(script.contains(part), "{script}");
        for option in ["allow", "limit", "btf"] {
            assert!(script.contains(option), "{shell}: no {option}");
        }
        let files = Files::new();
        let path = files.file("script", &script);
        // Not every machine has every shell.
        if let Ok(mut child) = Command::new(shell).arg("-n").arg(&path).spawn() {
            assert!(child.wait().unwrap().success(), "{shell} does not read it");
        }
    }
}

/// What is said on a terminal that is standard error.
fn on_a_terminal(no_color: bool) -> String {
    let (mut master, mut slave) = (0, 0);
    // SAFETY: two ints to write to; the rest may be null.
    let answer = unsafe {
        libc::openpty(
            &raw mut master,
            &raw mut slave,
            std::ptr::null_mut(),
            std::ptr::null(),
            std::ptr::null(),
        )
    };
    assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: two descriptors that were just made for us.
    let (master, slave) = unsafe { (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(slave)) };
    let mut command = Command::new(host());
    command
        .args(["run", "/no/such/file.wasm"])
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(slave);
    if no_color {
        command.env("NO_COLOR", "1");
    }
    let status = command.spawn().unwrap().wait().unwrap();
    assert_eq!(status.code(), Some(1));
    // Closes the terminal on our side, so that reading ends.
    drop(command);
    // SAFETY: a flag on our descriptor; and there is nobody left who could write more than is there.
    unsafe { libc::fcntl(master.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
    let mut said = Vec::new();
    // Ends with an error, as terminals do.
    let _ = File::from(master).read_to_end(&mut said);
    String::from_utf8(said).unwrap()
}

#[test]
fn colour_is_for_terminals_whose_user_wants_it() {
    let said = on_a_terminal(false);
    assert!(said.contains("\x1b["), "{said:?}");
    let said = on_a_terminal(true);
    assert!(
        !said.contains('\x1b') && said.contains("error: "),
        "{said:?}"
    );
    let finished = command(&["run", "/no/such/file.wasm"]);
    assert!(!finished.errors.contains('\x1b'), "{}", finished.errors);
    for args in [&["run", "--bogus", "x"][..], &["--help"]] {
        let finished = command(args);
        assert!(!finished.errors.contains('\x1b') && !finished.output.contains('\x1b'));
    }
}
