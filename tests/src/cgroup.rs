//! A cgroup of the test's own.

use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};

/// A cgroup without processes. Dropping it removes it.
pub struct Cgroup(PathBuf);

impl Cgroup {
    /// Makes one right below the root.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let mounts = fs::read_to_string("/proc/self/mounts").expect("the list of mounts");
        let root = mounts.lines().find_map(|line| {
            let mut words = line.split(' ').skip(1);
            let path = words.next()?;
            (words.next()? == "cgroup2").then(|| PathBuf::from(path))
        });
        let root = root.expect("a cgroup file system of version 2");
        let path = root.join(format!("wasm-bpf-test-{}-{number}", process::id()));
        fs::create_dir(&path).expect("a new cgroup");
        Self(path)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Its folder as a text.
    pub fn path(&self) -> String {
        self.0.display().to_string()
    }

    /// Has a process in it send some bytes to a port of this machine.
    pub fn send(&self, port: u16, bytes: &str) {
        let processes = self.0.join("cgroup.procs");
        let mut command = Command::new("bash");
        command.args(["-c", &format!("printf {bytes} >/dev/tcp/127.0.0.1/{port}")]);
        // SAFETY: the child writes one byte to a file and has no other thread.
        unsafe {
            command.pre_exec(move || {
                let mut file = fs::OpenOptions::new().write(true).open(&processes)?;
                file.write_all(b"0")
            });
        }
        assert!(command.status().unwrap().success());
    }
}

impl Default for Cgroup {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}
