//! Ctrl-C and its kin: asks, then insists, then ends the process.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use wasm_bpf_host::Stop;

use crate::output;

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
            output::note("the component is stuck inside a call of the host; ending the process");
            // Everything of it in the kernel hangs on descriptors of this process.
            std::process::exit(128 + signal);
        })
        .context("cannot start a thread")?;
    Ok(received)
}
