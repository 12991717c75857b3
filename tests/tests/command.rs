//! What the command says to those who use it wrongly or hand it something wrong. Nothing here needs root.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::{self, File, Permissions};
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::fs::{DirEntryExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::ptr;

use tempfile::TempDir;
use wasm_bpf_tests::{Finished, host, mounts};

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

/// Whether it is to be run or compiled.
#[track_caller]
fn refused(path: &Path, parts: &[&str]) {
    fails_with(run(path), path, parts);
    let compiled = Cache::new().command(&["compile", path.to_str().unwrap()]);
    fails_with(compiled, path, parts);
}

#[track_caller]
fn fails_with(finished: Finished, path: &Path, parts: &[&str]) {
    let finished = finished.ended_with(1).says(parts);
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
    fails_with(run(&trap), &trap, &["failed", "unreachable", "-v"]);
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

/// A cache of compiled components that is the test's own, and empty at first.
struct Cache(TempDir);

impl Cache {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, args: &[&str]) -> Finished {
        let mut command = Command::new(host());
        command.args(args).env("XDG_CACHE_HOME", self.0.path());
        // SAFETY: asks for a number.
        if unsafe { libc::geteuid() } == 0 {
            // Root's is at one place, which here becomes this one.
            let path = CString::new(self.0.path().as_os_str().as_encoded_bytes()).unwrap();
            let bind = move || {
                mounts::make_private()?;
                // SAFETY: strings that end with a zero, and null where the kernel allows it.
                let answer = unsafe {
                    libc::mount(
                        path.as_ptr(),
                        c"/var/cache".as_ptr(),
                        ptr::null(),
                        libc::MS_BIND,
                        ptr::null(),
                    )
                };
                if answer < 0 {
                    return Err(io::Error::last_os_error());
                }
                Ok(())
            };
            // SAFETY: system calls only.
            unsafe { command.pre_exec(bind) };
        }
        Finished::of(&mut command)
    }

    fn ours(&self) -> PathBuf {
        self.0.path().join("wasm-bpf")
    }

    /// Its entries, and the inode of each: one that is written anew has another.
    fn entries(&self) -> BTreeMap<String, u64> {
        let modules = self.ours().join("compiled/modules");
        let versions = fs::read_dir(modules).into_iter().flatten();
        versions
            .flat_map(|version| fs::read_dir(version.unwrap().path()).unwrap())
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), entry.ino()))
            // Statistics of each are beside it.
            .filter(|(name, _)| !name.contains('.'))
            .collect()
    }
}

#[test]
fn what_is_compiled_is_not_compiled_at_the_first_run() {
    let files = Files::new();
    let cache = Cache::new();
    let zero = files.component("zero.wasm", &command_component("i32.const 0"));
    let one = files.component("one.wasm", &command_component("i32.const 1"));
    let (zero, one) = (zero.to_str().unwrap(), one.to_str().unwrap());
    let finished = cache.command(&["compile", zero, one]).ok();
    assert_eq!(
        (finished.output.as_str(), finished.errors.as_str()),
        ("", "")
    );
    let compiled = cache.entries();
    assert_eq!(compiled.len(), 2);
    cache.command(&["run", zero]).ok();
    cache.command(&["run", one]).ended_with(1);
    cache
        .command(&["compile", "-v", zero])
        .ok()
        .says(&["zero.wasm was compiled before"]);
    // A component is recognized by what it is, not by where it lies.
    let copy = files.file("copy.wasm", fs::read(zero).unwrap());
    cache.command(&["run", copy.to_str().unwrap()]).ok();
    assert_eq!(cache.entries(), compiled);
}

#[test]
fn one_component_that_cannot_be_compiled_does_not_keep_others_from_it() {
    let files = Files::new();
    let cache = Cache::new();
    let text = files.file("text.wasm", "hello");
    let good = files.component("good.wasm", &command_component("i32.const 0"));
    let paths = [&text, &good].map(|path| path.to_str().unwrap());
    cache
        .command(&["compile", "-v", paths[0], paths[1]])
        .ended_with(1)
        .says(&["text.wasm is not WebAssembly", "good.wasm is compiled"]);
    assert_eq!(cache.entries().len(), 1);
}

/// Where the baseline lacks an instruction the compiler must do with others.
const BEYOND_THE_BASELINE: &str = r#"
    (if (f64.ne (f64.nearest (f64.const 2.5)) (f64.const 2)) (then unreachable))
    (if (i64.ne (i64.popcnt (i64.const 255)) (i64.const 8)) (then unreachable))
    (if (i64.ne (i64.clz (i64.const 1)) (i64.const 63)) (then unreachable))
    (if (i32.ne (i32.const 16) (i8x16.extract_lane_u 0 (i8x16.swizzle
            (v128.const i8x16 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
            (v128.const i8x16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0))))
        (then unreachable))
    (if (i64.ne (i64.const -1) (i64x2.extract_lane 0 (i64x2.gt_s
            (i64x2.splat (i64.const 5))
            (i64x2.splat (i64.const 4)))))
        (then unreachable))
    (if (f32.ne (f32.const 7) (f32x4.extract_lane 3 (f32x4.ceil (f32x4.relaxed_madd
            (f32x4.splat (f32.const 2))
            (f32x4.splat (f32.const 3))
            (f32x4.splat (f32.const 0.5))))))
        (then unreachable))
    i32.const 0"#;

#[test]
fn code_for_any_cpu_is_apart_from_code_for_this_one() {
    let files = Files::new();
    let cache = Cache::new();
    let path = files.component("simd.wasm", &command_component(BEYOND_THE_BASELINE));
    let path = path.to_str().unwrap();
    cache.command(&["compile", "--any-cpu", path]).ok();
    let any = cache.entries();
    assert_eq!(any.len(), 1);
    cache.command(&["run", "--any-cpu", path]).ok();
    assert_eq!(cache.entries(), any);
    cache.command(&["run", path]).ok();
    let both = cache.entries();
    // x86-64 since 2008, and every other architecture's CPUs of today, have more than the baseline.
    assert_eq!(both.len(), 2);
    cache.command(&["run", "--any-cpu", path]).ok();
    cache.command(&["compile", path]).ok();
    assert_eq!(cache.entries(), both);
    cache
        .command(&["run", "--any-cpu", "--no-cache", path])
        .ok();
}

#[test]
fn a_cache_that_cannot_be_used_fails_compiling_and_not_running() {
    let files = Files::new();
    let good = files.component("good.wasm", &command_component("i32.const 0"));
    let good = good.to_str().unwrap();
    #[track_caller]
    fn unusable(cache: &Cache, component: &str, parts: &[&str]) {
        let finished = cache
            .command(&["compile", component])
            .ended_with(1)
            .says(parts);
        assert!(
            finished.errors.starts_with("error: "),
            "{}",
            finished.errors
        );
        let finished = cache.command(&["run", component]).ok();
        assert_eq!(finished.errors, "");
    }

    let cache = Cache::new();
    fs::write(cache.ours(), "in the way").unwrap();
    unusable(
        &cache,
        good,
        &["cannot make", "/wasm-bpf", "that you can write to"],
    );

    let cache = Cache::new();
    fs::create_dir(cache.ours()).unwrap();
    fs::set_permissions(cache.ours(), Permissions::from_mode(0o777)).unwrap();
    unusable(&cache, good, &["/wasm-bpf", "others may write there"]);

    // What only writing shows, as with a full disk.
    let cache = Cache::new();
    fs::create_dir_all(cache.ours().join("compiled")).unwrap();
    fs::write(cache.ours().join("compiled/modules"), "in the way").unwrap();
    unusable(
        &cache,
        good,
        &[
            "good.wasm",
            "could not be kept in",
            "/wasm-bpf/compiled",
            "full or read-only",
        ],
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
    wrong_usage(&["compile"], &["COMPONENT", "--help"]);
    wrong_usage(&["compile", "--no-cache", "x.wasm"], &["'--no-cache'"]);
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
            "compile",
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
        "Ctrl-C asks",
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
    let help = command(&["compile", "--help"]).ok().output;
    for part in [
        "/var/cache/wasm-bpf",
        "Exit codes",
        "Examples:",
        "--any-cpu",
    ] {
        assert!(help.contains(part), "no {part:?} in {help}");
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
        for option in ["allow", "limit", "btf", "compile", "any-cpu"] {
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
