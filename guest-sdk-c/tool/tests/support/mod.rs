//! A directory in which files are compiled and given to `wasm-bpf-c`.

// Each test binary uses a part.
#![allow(dead_code)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

pub struct Project {
    dir: TempDir,
}

impl Project {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        self.write_bytes(name, text.as_bytes());
    }

    pub fn write_bytes(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file in a directory")).expect("directory");
        fs::write(path, bytes).expect("file");
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect(name)
    }

    /// Compiles NAME.bpf.c to NAME.bpf.o.
    #[track_caller]
    pub fn bpf(&self, source: &str, args: &[&str]) {
        self.bpf_as(source, &with_extension(source), args);
    }

    #[track_caller]
    pub fn bpf_as(&self, source: &str, object: &str, args: &[&str]) {
        self.clang(
            &[&["-target", "bpf", "-O2", "-g"], args].concat(),
            source,
            object,
        );
    }

    /// Compiles NAME.c to NAME.o.
    #[track_caller]
    pub fn guest(&self, source: &str, args: &[&str]) {
        self.guest_as(source, &with_extension(source), args);
    }

    #[track_caller]
    pub fn guest_as(&self, source: &str, object: &str, args: &[&str]) {
        self.clang(
            &[&["--target=wasm32", "-Oz", "-g"], args].concat(),
            source,
            object,
        );
    }

    #[track_caller]
    pub fn native(&self, source: &str, object: &str) {
        self.clang(&["-g"], source, object);
    }

    #[track_caller]
    fn clang(&self, args: &[&str], source: &str, object: &str) {
        let output = Command::new(clang())
            .current_dir(self.dir.path())
            .args(args)
            .args(["-c", source, "-o", object])
            .output()
            .expect("clang runs");
        assert!(output.status.success(), "{}", stderr(&output));
    }

    /// Links foo.bpf.o to linked.bpf.o, without DWARF.
    #[track_caller]
    pub fn link(&self) {
        let output = self.run(&["link", "foo.bpf.o", "-o", "linked.bpf.o"]);
        assert!(output.status.success(), "{}", stderr(&output));
    }

    pub fn check(&self, args: &[&str]) -> Output {
        self.run(&[&["check-structs"], args].concat())
    }

    pub fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_wasm-bpf-c"))
            .current_dir(self.dir.path())
            .args(args)
            .output()
            .expect("wasm-bpf-c runs")
    }
}

fn with_extension(source: &str) -> String {
    let (stem, _) = source.rsplit_once('.').expect("a name with an extension");
    format!("{stem}.o")
}

/// The compiler that the build uses: `CLANG`, or one of those in `PATH`.
fn clang() -> PathBuf {
    if let Some(clang) = env::var_os("CLANG").filter(|clang| !clang.is_empty()) {
        return clang.into();
    }
    let names =
        std::iter::once("clang".to_owned()).chain((15..=22).rev().map(|v| format!("clang-{v}")));
    let path = env::var_os("PATH").expect("PATH");
    let dirs: Vec<PathBuf> = env::split_paths(&path).collect();
    names
        .flat_map(|name| dirs.iter().map(move |dir| dir.join(&name)))
        .find(|path: &PathBuf| Path::is_file(path))
        .expect("clang in PATH")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
