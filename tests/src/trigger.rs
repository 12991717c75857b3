//! A thread whose system calls make a guest's programs act.

use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

/// Harmless and rare.
const SYSCALL: libc::c_long = libc::SYS_sched_get_priority_max;

/// A thread that makes one kind of system call when it is told to, and no other of that kind.
pub struct Trigger {
    thread_id: i32,
    calls: Option<Sender<(u64, Sender<()>)>>,
    thread: Option<JoinHandle<()>>,
}

impl Default for Trigger {
    fn default() -> Self {
        Self::new()
    }
}

impl Trigger {
    pub fn new() -> Self {
        let (calls, orders) = mpsc::channel::<(u64, Sender<()>)>();
        let (say_id, hear_id) = mpsc::channel();
        let thread = thread::spawn(move || {
            // SAFETY: takes nothing, cannot fail.
            say_id.send(unsafe { libc::gettid() }).unwrap();
            for (count, done) in orders {
                for _ in 0..count {
                    // SAFETY: only looks a number up.
                    unsafe { libc::syscall(SYSCALL, libc::SCHED_OTHER) };
                }
                // Nobody may wait for it any more.
                let _ = done.send(());
            }
        });
        Self {
            thread_id: hear_id.recv().unwrap(),
            calls: Some(calls),
            thread: Some(thread),
        }
    }

    /// Has it run on one CPU from now on.
    pub fn pin(&self, cpu: usize) {
        // SAFETY: a set of CPUs is plain bits, and the call only reads it.
        let answer = unsafe {
            let mut cpus = std::mem::zeroed::<libc::cpu_set_t>();
            libc::CPU_SET(cpu, &mut cpus);
            libc::sched_setaffinity(self.thread_id, size_of_val(&cpus), &raw const cpus)
        };
        assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
    }

    /// What a guest needs to know of it.
    pub fn environment(&self) -> [String; 2] {
        [
            format!("TRIGGER_THREAD={}", self.thread_id),
            format!("TRIGGER_SYSCALL={SYSCALL}"),
        ]
    }

    /// Calls so many times, and waits for the end.
    pub fn pull(&self, count: u64) {
        let (done, wait) = mpsc::channel();
        self.calls
            .as_ref()
            .unwrap()
            .send((count, done))
            .expect("the thread lives as long as this");
        wait.recv().unwrap();
    }
}

impl Drop for Trigger {
    fn drop(&mut self) {
        self.calls.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
