//! Builds BPF sources in a directory of their own, and compiles programs against what that gives.

// Each test binary uses a part.
#![allow(dead_code)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use tempfile::TempDir;
use wasm_bpf_build::Builder;

/// The directory of a package that is being built.
pub struct Package {
    dir: TempDir,
}

impl Package {
    pub fn new() -> Self {
        let package = Self {
            dir: tempfile::tempdir().expect("a temporary directory"),
        };
        fs::create_dir(package.out()).expect("the directory for generated files");
        package
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Where generated files go.
    pub fn out(&self) -> PathBuf {
        self.path().join("out")
    }

    /// Writes a file of the package.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a file in a directory")).expect("directory");
        fs::write(&path, text).expect("file");
        path
    }

    /// Builds one source that is written to the package first.
    pub fn build(&self, name: &str, text: &str) -> wasm_bpf_build::Result<()> {
        let path = self.write(&format!("src/bpf/{name}.bpf.c"), text);
        Builder::new().source(path).out_dir(self.out()).build()
    }

    pub fn object(&self, name: &str) -> Vec<u8> {
        fs::read(self.out().join(format!("{name}.bpf.o"))).expect("the object")
    }

    pub fn skeleton(&self, name: &str) -> String {
        fs::read_to_string(self.out().join(format!("{name}.skel.rs"))).expect("the skeleton")
    }

    /// Compiles a program against the stub of the guest crate, with warnings as errors, and runs it.
    pub fn run(&self, program: &str) {
        let source = self.write("main.rs", program);
        let binary = self.path().join("main");
        let output = rustc(&source, &binary, "wasm_bpf_guest", "wasm_bpf_guest_stub")
            .env("OUT_DIR", self.out())
            .output()
            .expect("rustc runs");
        assert_success(&output, "rustc");
        let output = Command::new(&binary).output().expect("the program runs");
        assert_success(&output, "the program");
    }

    /// A command that runs a real build script in the environment that Cargo gives it.
    pub fn build_script(&self, script: &str) -> Command {
        let source = self.write("build.rs", script);
        let binary = self.path().join("build-script");
        let output = rustc(&source, &binary, "wasm_bpf_build", "wasm_bpf_build")
            .output()
            .expect("rustc runs");
        assert_success(&output, "rustc");
        let mut command = Command::new(binary);
        command
            .current_dir(self.path())
            .env("CARGO_MANIFEST_DIR", self.path())
            .env("OUT_DIR", self.out());
        command
    }
}

/// A command that compiles a program which uses one crate of those that this test was built with.
fn rustc(source: &Path, binary: &Path, name: &str, library: &str) -> Command {
    let deps = env::current_exe().expect("the path of this test");
    let deps = deps.parent().expect("the directory of this test");
    let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command
        .args(["--edition", "2024", "-D", "warnings", "-C", "debuginfo=0"])
        .arg("-L")
        .arg(format!("dependency={}", deps.display()))
        .arg("--extern")
        .arg(format!("{name}={}", newest(deps, library).display()))
        .arg("-o")
        .arg(binary)
        .arg(source);
    command
}

/// The library that was built last, as earlier builds leave theirs under other hashes.
fn newest(deps: &Path, library: &str) -> PathBuf {
    let prefix = format!("lib{library}-");
    let modified = |path: &PathBuf| {
        let metadata = fs::metadata(path).expect("metadata");
        metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)
    };
    fs::read_dir(deps)
        .expect("the directory of this test")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "rlib")
        })
        .filter(|path| {
            let name = path.file_name().expect("a file name");
            name.to_string_lossy().starts_with(&prefix)
        })
        .max_by_key(modified)
        .expect("the library")
}

pub fn assert_success(output: &Output, what: &str) {
    assert!(
        output.status.success(),
        "{what} failed ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

pub fn contains(bytes: &[u8], part: &str) -> bool {
    bytes
        .windows(part.len())
        .any(|window| window == part.as_bytes())
}
