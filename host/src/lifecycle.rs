//! `lifecycle.wit`: being asked to stop, and being made to.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::event::{EventfdFlags, eventfd};
use tokio::sync::Notify;
use wasmtime::component::Resource;
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use crate::bindings::lifecycle::Host;
use crate::ctx::WasmBpfCtxView;

/// Asks one component to stop, or ends it. Clones are handles to the same component; they may be used from any thread,
/// and from signal-handling threads.
///
/// A component that is [asked](Self::request) gets a chance to clean up: its waits end, and its next waiting call says
/// `interrupted`. How long that chance lasts is the embedder's to decide: [`terminate`](Self::terminate) then ends it by
/// a trap, provided the store was [armed](Self::arm).
#[derive(Clone, Debug)]
pub struct Stop {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    requested: AtomicBool,
    terminated: AtomicBool,
    /// One interruption for each of the two kinds of waits, so that a sleep that ends early does not take the
    /// `interrupted` away from the ring buffer that is polled next.
    bpf_interrupt: AtomicBool,
    wasi_interrupt: AtomicBool,
    wake_tasks: Notify,
    /// Made by the first wait that needs it.
    wake_thread: OnceLock<OwnedFd>,
    engine: OnceLock<Engine>,
}

/// The trap by which [`Stop::terminate`] ends a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the component was terminated: it did not end in time after it was asked to stop")]
pub struct Terminated;

impl Stop {
    pub(crate) fn new() -> Self {
        Self {
            inner: Arc::default(),
        }
    }

    /// Asks the component to stop. Each request interrupts one more wait.
    pub fn request(&self) {
        let inner = &self.inner;
        inner.bpf_interrupt.store(true, Ordering::SeqCst);
        inner.wasi_interrupt.store(true, Ordering::SeqCst);
        inner.requested.store(true, Ordering::SeqCst);
        inner.wake_tasks.notify_waiters();
        if let Some(wake) = inner.wake_thread.get() {
            // The counter cannot be full: it is read before each wait. Any other failure has no remedy here.
            let _ = rustix::io::write(wake, &1u64.to_ne_bytes());
        }
    }

    /// Whether [`request`](Self::request) was called.
    pub fn is_requested(&self) -> bool {
        self.inner.requested.load(Ordering::SeqCst)
    }

    /// Makes [`terminate`](Self::terminate) work for this store. Its engine must have
    /// [epoch interruption](wasmtime::Config::epoch_interruption) on, as in [`engine_config`](crate::engine_config).
    pub fn arm<T: 'static>(&self, store: &mut Store<T>) {
        let _ = self.inner.engine.set(store.engine().clone());
        let inner = Arc::clone(&self.inner);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            if inner.terminated.load(Ordering::SeqCst) {
                Err(Terminated.into())
            } else {
                // Another component of the same engine was meant.
                Ok(UpdateDeadline::Continue(1))
            }
        });
        if self.inner.terminated.load(Ordering::SeqCst) {
            // The epoch was raised before it counted for this store.
            store.set_epoch_deadline(0);
        }
    }

    /// Ends the component by a [trap](Terminated) as soon as it runs its own code; its waits are ended for that. A component that is inside
    /// another host call ends when that call returns.
    pub fn terminate(&self) {
        self.inner.terminated.store(true, Ordering::SeqCst);
        self.request();
        if let Some(engine) = self.inner.engine.get() {
            engine.increment_epoch();
        }
    }

    /// Whether there is an interruption to take for a waiting function of this crate's interfaces.
    pub(crate) fn has_bpf_interrupt(&self) -> bool {
        self.inner.bpf_interrupt.load(Ordering::SeqCst)
    }

    /// Takes the interruption meant for a waiting function of this crate's interfaces.
    pub(crate) fn take_bpf_interrupt(&self) -> bool {
        self.inner.bpf_interrupt.swap(false, Ordering::SeqCst)
    }

    /// Takes the interruption meant for a wait of WASI.
    pub(crate) fn take_wasi_interrupt(&self) -> bool {
        self.inner.wasi_interrupt.swap(false, Ordering::SeqCst)
    }

    /// Resolves when a wait of WASI is to end, having taken the interruption.
    pub(crate) async fn wasi_interrupted(&self) {
        self.until(|| self.take_wasi_interrupt()).await;
    }

    /// Resolves when a waiting function of this crate would be interrupted. Takes nothing.
    pub(crate) async fn bpf_interrupted(&self) {
        self.until(|| self.has_bpf_interrupt()).await;
    }

    async fn requested(&self) {
        self.until(|| self.is_requested()).await;
    }

    async fn until(&self, condition: impl Fn() -> bool) {
        loop {
            // Enabled before the condition is looked at: a request in between is not missed.
            let mut notified = std::pin::pin!(self.inner.wake_tasks.notified());
            notified.as_mut().enable();
            if condition() {
                return;
            }
            notified.await;
        }
    }

    /// Readable from a request on until [`clear_wake`](Self::clear_wake).
    pub(crate) fn wake_fd(&self) -> std::io::Result<BorrowedFd<'_>> {
        let inner = &self.inner;
        if inner.wake_thread.get().is_none() {
            let made = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            let _ = inner.wake_thread.set(made);
            if inner.bpf_interrupt.load(Ordering::SeqCst) {
                // Requested before there was anything to write to.
                if let Some(wake) = inner.wake_thread.get() {
                    let _ = rustix::io::write(wake, &1u64.to_ne_bytes());
                }
            }
        }
        Ok(inner.wake_thread.get().expect("set above").as_fd())
    }

    pub(crate) fn clear_wake(&self) {
        if let Some(wake) = self.inner.wake_thread.get() {
            // Nothing to read is fine: another wait was first.
            let _ = rustix::io::read(wake, &mut [0; 8]);
        }
    }
}

impl Host for WasmBpfCtxView<'_> {
    fn stop_requested(&mut self) -> wasmtime::Result<bool> {
        Ok(self.ctx.stop.is_requested())
    }

    fn subscribe_stop(&mut self) -> wasmtime::Result<Resource<DynPollable>> {
        let requested = self.table.push(Requested(self.ctx.stop.clone()))?;
        subscribe(self.table, requested)
    }
}

struct Requested(Stop);

#[wasmtime_wasi::async_trait]
impl Pollable for Requested {
    async fn ready(&mut self) {
        self.0.requested().await;
        // Who waits for the stop itself has been told: the next wait need not end early once more.
        self.0.take_wasi_interrupt();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_wait_is_interrupted_once_a_request() {
        let stop = Stop::new();
        assert!(!stop.take_bpf_interrupt());
        stop.request();
        assert!(stop.take_bpf_interrupt());
        assert!(!stop.take_bpf_interrupt());
        assert!(stop.take_wasi_interrupt());
        assert!(stop.is_requested());
        stop.request();
        assert!(stop.take_bpf_interrupt());
    }

    #[test]
    fn a_request_before_the_first_wait_is_seen() {
        let stop = Stop::new();
        stop.request();
        let mut counter = [0; 8];
        rustix::io::read(stop.wake_fd().unwrap(), &mut counter).unwrap();
        assert_ne!(u64::from_ne_bytes(counter), 0);
    }
}
