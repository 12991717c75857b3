//! Network namespaces of a test's own.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use wasm_bpf_conformance::packets;

use crate::Finished;

/// A namespace with the veth pair `wb0` and `wb1`.
pub struct Netns(String);

impl Netns {
    /// Makes one. It goes with the value.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let netns = Self(format!("wbx-{}-{number}", std::process::id()));
        let ip = |words: &str| {
            let words = words.split(' ');
            drop(Finished::of(Command::new("ip").args(words)).ok());
        };
        ip(&format!("netns add {}", netns.0));
        ip(&format!(
            "-netns {} link add wb0 type veth peer name wb1",
            netns.0
        ));
        ip(&format!("-netns {} link set wb0 up", netns.0));
        ip(&format!("-netns {} link set wb1 up", netns.0));
        netns
    }

    fn file(&self) -> OwnedFd {
        let path = Path::new("/run/netns").join(&self.0);
        fs::File::open(path).unwrap().into()
    }

    /// For `Run::before`: has the new process be in it.
    pub fn enter(&self) -> impl FnMut() -> io::Result<()> + Send + Sync + 'static {
        let netns = Arc::new(self.file());
        move || {
            // SAFETY: a descriptor that lives.
            match unsafe { libc::setns(netns.as_raw_fd(), libc::CLONE_NEWNET) } {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            }
        }
    }

    /// Sends packets out of `wb1`, to `wb0`.
    pub fn send(&self, count: u64) {
        packets::send(self.file(), count, "wb1", "wb0").unwrap();
    }
}

impl Default for Netns {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let mut delete = Command::new("ip");
        let _ = delete.args(["netns", "delete", &self.0]).status();
    }
}
