//! Ctrl-C and its kin: asks, then insists, then ends the process.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use wasm_bpf_host::Stop;

/// How long a component that was asked to stop may go on.
const GRACE: Duration = Duration::from_secs(2);
/// How long a component that was terminated may stay inside a host call.
const STUCK: Duration = Duration::from_millis(500);

/// The signal that asked the component to stop, for the exit code.
#[derive(Clone, Default)]
pub struct Received(Arc<AtomicI32>);

impl Received {
    /// The exit code of a process that this signal ended.
    pub fn exit_code(&self) -> Option<u8> {
        match self.0.load(Ordering::SeqCst) {
            0 => None,
            signal => u8::try_from(128 + signal).ok(),
        }
    }
}

/// Standard error may be a full pipe, or locked by whoever is stuck: neither may hold up the end.
fn say_if_possible(text: &str) {
    let stderr = rustix::stdio::stderr();
    let mut fds = [PollFd::new(&stderr, PollFlags::OUT)];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    if poll(&mut fds, Some(&now)).is_ok_and(|count| count > 0) {
        let _ = rustix::io::write(stderr, text.as_bytes());
    }
}

/// Watches for signals from now on.
pub fn watch(stop: Stop) -> anyhow::Result<Received> {
    static STARTED: OnceLock<()> = OnceLock::new();
    anyhow::ensure!(STARTED.set(()).is_ok(), "signals are being watched already");
    let mut signals =
        Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot watch for signals")?;
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || signals.forever().try_for_each(|signal| sender.send(signal)))
        .context("cannot start a thread")?;
    let received = Received::default();
    let stopping = received.clone();
    thread::Builder::new()
        .name("stop".into())
        .spawn(move || {
            let Ok(signal) = receiver.recv() else { return };
            stopping.0.store(signal, Ordering::SeqCst);
            stop.request();
            // The time is over, or somebody has no patience.
            if let Err(RecvTimeoutError::Disconnected) = receiver.recv_timeout(GRACE) {
                return;
            }
            stop.terminate();
            let _ = receiver.recv_timeout(STUCK);
            say_if_possible(
                "wasm-bpf: the component is stuck inside a call of the host; ending the process\n",
            );
            // Everything of it in the kernel hangs on descriptors of this process. Not `exit`: that waits for locks which a thread that is
            // stuck may hold.
            // SAFETY: ends the process.
            unsafe { libc::_exit(128 + signal) };
        })
        .context("cannot start a thread")?;
    Ok(received)
}
