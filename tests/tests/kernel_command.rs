//! What the command says where the kernel or the machine is not as it should be.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use wasm_bpf_tests::{Run, example, guest, host, mounts};

const BTF: &str = "/sys/kernel/btf/vmlinux";

/// A directory that everybody can read.
fn open_directory() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    dir
}

/// A copy that everybody can read and run.
fn copy(from: &Path, to: &TempDir) -> PathBuf {
    let copy = to.path().join(from.file_name().unwrap());
    // By another process: what is open for writing here, a child of another test's would keep open, and what is open for
    // writing cannot be run.
    let status = Command::new("cp").arg(from).arg(&copy).status().unwrap();
    assert!(status.success());
    fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
    copy
}

/// From here on an ordinary user.
fn become_nobody() -> io::Result<()> {
    const NOBODY: u32 = 65534;
    // SAFETY: numbers, and an empty list.
    let answers = unsafe {
        [
            libc::setgroups(0, std::ptr::null()),
            libc::setgid(NOBODY),
            libc::setuid(NOBODY),
        ]
    };
    if answers == [0; 3] {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[test]
fn without_capabilities_it_names_them_and_root() {
    let dir = open_directory();
    let host = copy(host(), &dir);
    let run = |component: &Path| {
        Run::component(copy(component, &dir))
            .with_host(&host)
            .before(become_nobody)
    };
    run(&example("bootstrap"))
        .finish()
        .ended_with(1)
        .says(&["CAP_BPF", "CAP_PERFMON", "root"]);
    run(&guest("objects"))
        .arg("not-permitted")
        .finish()
        .ended_with(1)
        .says(&["CAP_BPF", "root"]);
}

/// Where libbpf looks for the kernel's types is empty.
fn hide_btf() -> io::Result<()> {
    mounts::make_private()?;
    mounts::mount(c"tmpfs", c"/sys/kernel/btf")?;
    for other in [c"/boot", c"/lib/modules", c"/usr/lib/debug"] {
        match mounts::mount(c"tmpfs", other) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[test]
fn without_btf_it_says_what_to_do() {
    Run::guest("objects", "no-btf")
        .before(hide_btf)
        .finish()
        .ok();
    // As a user of a tool sees it.
    Run::example("bootstrap")
        .before(hide_btf)
        .finish()
        .ended_with(1)
        .says(&["BTF", "--btf", "CONFIG_DEBUG_INFO_BTF"]);
}

#[test]
fn btf_of_a_file_does_instead_of_the_kernels() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("vmlinux");
    fs::copy(BTF, &file).unwrap();
    Run::guest("objects", "right-field")
        .option("--btf")
        .option(&file)
        .before(hide_btf)
        .finish()
        .ok();
    // What is not in it is not found.
    Run::guest("objects", "wrong-field")
        .option("--btf")
        .option(&file)
        .finish()
        .ok();
}

#[test]
fn btf_that_is_broken_is_refused_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let run = |contents: &[u8]| {
        let file = dir.path().join("broken-btf");
        fs::write(&file, contents).unwrap();
        Run::example("bootstrap")
            .option("--btf")
            .option(&file)
            .finish()
            .ended_with(1)
            .says(&["broken-btf", "BTF"]);
    };
    run(b"no BTF at all");
    // It begins well.
    let good = fs::read(BTF).unwrap();
    run(&good[..good.len() / 2]);
}

#[test]
fn verbose_says_what_libbpf_says_and_quiet_nothing() {
    let said = |options: &[&str]| {
        let run = Run::guest("ending", "return").options(options);
        run.finish().ok().errors
    };
    assert_eq!(said(&[]), "");
    assert_eq!(said(&["-q"]), "");
    let steps = said(&["-vv"]);
    assert!(
        steps.contains("libbpf: ") && steps.contains("on_enter"),
        "{steps}"
    );
}

#[test]
fn a_component_gets_arguments_variables_and_directories() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "contents").unwrap();
    let host_dir = dir.path().to_str().unwrap();
    Run::guest("command", "surroundings")
        .options(["--dir", &format!("{host_dir}::/given")])
        .options(["--env", "GIVEN=a=b", "--env", "NOT_SET_ANYWHERE"])
        .args(["--help", "-v", "", "ä"])
        .finish()
        .ok();
    assert_eq!(
        fs::read_to_string(dir.path().join("written")).unwrap(),
        "by the component"
    );
}
