//! A thread whose system calls make a guest's programs act.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

/// Harmless and rare.
const SYSCALL: libc::c_long = libc::SYS_sched_get_priority_max;

struct Order {
    count: u64,
    done: Sender<()>,
}

/// A thread that makes one kind of system call when it is told to, and no other of that kind.
pub struct Trigger {
    thread_id: i32,
    orders: Option<Sender<Order>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Default for Trigger {
    fn default() -> Self {
        Self::new()
    }
}

impl Trigger {
    pub fn new() -> Self {
        let (orders, received) = mpsc::channel::<Order>();
        let (say_id, hear_id) = mpsc::channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let is_over = Arc::clone(&is_over);
            move || {
                // SAFETY: takes nothing, cannot fail.
                say_id.send(unsafe { libc::gettid() }).unwrap();
                for Order { count, done } in received {
                    for _ in 0..count {
                        if is_over.load(Ordering::Relaxed) {
                            return;
                        }
                        // SAFETY: only looks a number up.
                        unsafe { libc::syscall(SYSCALL, libc::SCHED_OTHER) };
                    }
                    // Nobody may wait for it any more.
                    let _ = done.send(());
                }
            }
        });
        Self {
            thread_id: hear_id.recv().unwrap(),
            orders: Some(orders),
            is_over,
            thread: Some(thread),
        }
    }

    pub fn thread_id(&self) -> i32 {
        self.thread_id
    }

    pub fn syscall(&self) -> libc::c_long {
        SYSCALL
    }

    /// The same as variables of a guest of the host's own tests.
    pub fn environment(&self) -> [String; 2] {
        [
            format!("TRIGGER_THREAD={}", self.thread_id),
            format!("TRIGGER_SYSCALL={SYSCALL}"),
        ]
    }

    /// Has it run on one CPU from now on.
    pub fn pin(&self, cpu: usize) -> std::io::Result<()> {
        if cpu >= libc::CPU_SETSIZE as usize {
            return Err(std::io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: a set of CPUs is plain bits, and the call only reads it.
        let answer = unsafe {
            let mut cpus = std::mem::zeroed::<libc::cpu_set_t>();
            libc::CPU_SET(cpu, &mut cpus);
            libc::sched_setaffinity(self.thread_id, size_of_val(&cpus), &raw const cpus)
        };
        if answer == 0 {
            Ok(())
        } else {
            Err(std::io::Error::last_os_error())
        }
    }

    /// Calls so many times, and waits for the end.
    pub fn pull(&self, count: u64) {
        self.begin(count).recv().unwrap();
    }

    /// Begins to call so many times; what is returned hears of the end.
    pub fn begin(&self, count: u64) -> mpsc::Receiver<()> {
        let (done, wait) = mpsc::channel();
        self.orders
            .as_ref()
            .unwrap()
            .send(Order { count, done })
            .expect("the thread lives as long as this");
        wait
    }
}

impl Drop for Trigger {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.orders.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
