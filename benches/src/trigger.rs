//! System calls that make programs act.

use anyhow::{Result, ensure};

/// One system call of this thread. Harmless and rare, so that nothing else of the process fills a buffer.
#[derive(Clone, Copy)]
pub struct Trigger {
    pub thread: u64,
    pub syscall: u64,
}

impl Trigger {
    /// What the programs of the native side act on.
    pub fn native() -> Self {
        Self::of(libc::SYS_sched_get_priority_min)
    }

    /// What the programs of the guest act on.
    pub fn guest() -> Self {
        Self::of(libc::SYS_sched_get_priority_max)
    }

    fn of(syscall: libc::c_long) -> Self {
        Self {
            // SAFETY: takes nothing, cannot fail.
            thread: unsafe { libc::gettid() }.cast_unsigned().into(),
            syscall: syscall.cast_unsigned(),
        }
    }

    /// Makes the call.
    pub fn pull(self) -> Result<()> {
        let syscall = self.syscall.cast_signed();
        // SAFETY: both calls only look a number up.
        let answer = unsafe { libc::syscall(syscall, libc::SCHED_OTHER) };
        ensure!(answer >= 0, "the system call {syscall} failed");
        Ok(())
    }
}
