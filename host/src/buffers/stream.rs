//! Reading a stream of records: waiting for them, being interrupted, counting what was lost. What differs between kinds of buffer is a
//! [`Source`].

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use wasmtime_wasi::p2::Pollable;

use crate::bindings::buffers::Records;
use crate::bindings::types::ErrorCode;
use crate::error::CodeResult;
use crate::lifecycle::Stop;
use crate::policy::{Need, Reservation, Usage};
use crate::readiness;

/// What records come from.
pub trait Source: Send {
    /// What pollables share with the stream.
    type Rings: Rings;

    /// The rings that records are in.
    fn rings(&self) -> &Arc<Self::Rings>;

    /// Appends what is pending now, up to about `most` bytes.
    fn take(&mut self, most: usize, packed: &mut Vec<u8>, lost: &mut Lost) -> CodeResult<()>;

    /// Whether there is anything that counts losses.
    fn has_counters(&self) -> bool;

    /// Adds what was lost since it was asked last.
    fn count_lost(&mut self, lost: &mut Lost) -> CodeResult<()>;
}

/// What is looked into and waited for.
pub trait Rings: Send + Sync + 'static {
    /// Become readable when there is something new.
    fn fds(&self) -> Vec<BorrowedFd<'_>>;

    /// Whether [`Source::take`] would return something.
    fn has_record(&self) -> bool;

    /// Bytes pending.
    fn available(&self) -> u64;

    /// Whether one waiter's look at a descriptor can hide its readiness from the next.
    const WAITERS_DISTURB: bool;
}

/// What was lost and not yet told.
#[derive(Default)]
pub struct Lost {
    pub(super) count: u64,
    /// The same by source, packed as entries of a list; only of sources whose losses are known one by one.
    pub(super) entries: Vec<u8>,
}

/// A stream of records.
pub struct Stream<S: Source> {
    pub(super) source: S,
    epoll: OwnedFd,
    counted_at: Option<Instant>,
    lost: Lost,
    stop: Stop,
    /// Since a stop was noticed, until it is told.
    stopping: Option<Stopping>,
    /// Of embeddings that wait without blocking; made by the first wait.
    reactor: Option<AsyncFd<OwnedFd>>,
}

/// What is still to be said before the interruption.
#[derive(Clone, Copy)]
enum Stopping {
    /// So many of the bytes that were pending when the stop was noticed.
    Delivering(u64),
    /// Nothing more: what was lost was told once. Programs may go on losing records, which must not put off the end.
    Told,
}

/// What one read returns at most, a longer single record apart: larger windows are slower, as they leave the caches.
const MAX_READ: usize = 64 << 10;
/// While records are pending no system call is made for them; lost counters need one each, so they are read now and then.
const COUNT_EVERY: Duration = Duration::from_millis(50);
/// How long a wait trusts a descriptor whose readiness another waiter may have taken.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// What the epoll descriptor says for the stop request.
const STOP: u64 = u64::MAX;

/// An epoll descriptor over rings.
fn watch(rings: &impl Rings) -> io::Result<OwnedFd> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    for fd in rings.fds() {
        // Edge-triggered: a record that is reserved but not yet submitted makes a ring readable, and must not make a wait spin.
        let events = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&epoll, fd, epoll::EventData::new_u64(0), events)?;
    }
    Ok(epoll)
}

/// Takes what is ready out of an epoll descriptor, waiting for it if there is nothing. Whether the stop request was among it.
fn wait(epoll: &OwnedFd, timeout: Option<Duration>) -> io::Result<bool> {
    // Rounded up: a wait that ends too early would be repeated in a hurry.
    let timeout = timeout.map(|timeout| {
        let millis = timeout.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i64;
        Timespec {
            tv_sec: millis / 1000,
            tv_nsec: millis % 1000 * 1_000_000,
        }
    });
    let mut events = [epoll::Event {
        flags: epoll::EventFlags::empty(),
        data: epoll::EventData::new_u64(0),
    }; 64];
    match epoll::wait(epoll, &mut events[..], timeout.as_ref()) {
        // A signal handler of the embedder ran; whoever asked to stop has told `stop`.
        Err(rustix::io::Errno::INTR) => Ok(false),
        Ok(count) => Ok(events[..count].iter().any(|event| event.data.u64() == STOP)),
        Err(error) => Err(error.into()),
    }
}

impl<S: Source> Stream<S> {
    /// Descriptors that a stream has, besides those of its source: its epoll descriptor and the copy of it in a reactor.
    pub(super) const DESCRIPTORS: u64 = 2;

    pub(super) fn new(source: S, stop: Stop) -> io::Result<Self> {
        let epoll = watch(&**source.rings())?;
        epoll::add(
            &epoll,
            stop.wake_fd()?,
            epoll::EventData::new_u64(STOP),
            epoll::EventFlags::IN,
        )?;
        Ok(Self {
            source,
            epoll,
            counted_at: None,
            lost: Lost::default(),
            stop,
            stopping: None,
            reactor: None,
        })
    }

    /// What a pollable of this stream is made of. It keeps the rings, and what they count against the limits.
    pub(super) fn ready(&self, usage: &Usage) -> wasmtime::Result<Ready<S::Rings>> {
        Ok(Ready {
            rings: Arc::clone(self.source.rings()),
            stop: self.stop.clone(),
            epoll: None,
            _held: descriptors_of_pollable(usage, 1)?,
        })
    }

    /// Waits in the kernel.
    fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
        if wait(&self.epoll, timeout)? {
            self.stop.clear_wake();
        }
        Ok(())
    }

    /// How long a wait may last before the rings are looked into again.
    fn trusted(&self, left: Option<Duration>) -> Option<Duration> {
        let has_pollables = Arc::strong_count(self.source.rings()) > 1;
        if S::Rings::WAITERS_DISTURB && has_pollables {
            Some(left.map_or(LOOK_AGAIN, |left| left.min(LOOK_AGAIN)))
        } else {
            left
        }
    }

    /// What is pending now, without waiting.
    fn take(&mut self, max_bytes: u32) -> CodeResult<Vec<u8>> {
        let most = (max_bytes as usize).min(MAX_READ);
        let mut packed = Vec::new();
        self.source.take(most, &mut packed, &mut self.lost)?;
        Ok(packed)
    }

    /// Counts what was lost since the last count.
    fn count_lost(&mut self) -> CodeResult<()> {
        self.source.count_lost(&mut self.lost)?;
        self.counted_at = Some(Instant::now());
        Ok(())
    }

    /// The same, unless that was just done. Before records are taken: a failure must not take them along.
    fn count_lost_if_due(&mut self) -> CodeResult<()> {
        let due = self.counted_at.is_none_or(|at| at.elapsed() >= COUNT_EVERY);
        if due && self.source.has_counters() {
            self.count_lost()
        } else {
            Ok(())
        }
    }

    fn records(&mut self, packed: Vec<u8>) -> Records {
        let Lost { count, mut entries } = std::mem::take(&mut self.lost);
        let packed = if entries.is_empty() {
            packed
        } else {
            entries.extend_from_slice(&packed);
            entries
        };
        Records {
            packed,
            lost: count,
        }
    }

    /// What a poll returns before it waits: what is pending, or an interruption. None: nothing, wait.
    fn pending(&mut self, max_bytes: u32) -> CodeResult<Option<Records>> {
        self.count_lost_if_due()?;
        if self.stop.has_bpf_interrupt() {
            return self.before_stop(max_bytes).map(Some);
        }
        let packed = self.take(max_bytes)?;
        Ok((!packed.is_empty()).then(|| self.records(packed)))
    }

    /// A stop was asked for: what was pending when that was noticed is still delivered, then the interruption. What programs go on to
    /// produce does not put it off.
    fn before_stop(&mut self, max_bytes: u32) -> CodeResult<Records> {
        let stopping = match self.stopping {
            Some(stopping) => stopping,
            None => Stopping::Delivering(self.available()),
        };
        if let Stopping::Delivering(backlog) = stopping {
            let packed = if backlog > 0 {
                // A corrupt ring is told once; it must not put the interruption off.
                self.take(max_bytes)
                    .inspect_err(|_| self.stopping = Some(Stopping::Told))?
            } else {
                Vec::new()
            };
            if !packed.is_empty() {
                let left = backlog.saturating_sub(packed.len() as u64);
                self.stopping = Some(Stopping::Delivering(left));
                return Ok(self.records(packed));
            }
            self.count_lost()?;
            if self.lost.count > 0 {
                self.stopping = Some(Stopping::Told);
                return Ok(self.records(Vec::new()));
            }
        }
        self.stopping = None;
        self.stop.take_bpf_interrupt();
        Err(ErrorCode::Interrupted.into())
    }

    /// Bytes pending.
    pub(super) fn available(&self) -> u64 {
        self.source.rings().available()
    }

    /// Nothing is pending: what was lost is told before a wait, so that it is not told late.
    fn lost_before_wait(&mut self) -> CodeResult<Option<Records>> {
        if !self.source.has_counters() {
            return Ok(None);
        }
        self.count_lost()?;
        Ok((self.lost.count > 0).then(|| self.records(Vec::new())))
    }

    /// The time is over.
    fn nothing(&mut self) -> CodeResult<Records> {
        self.count_lost()?;
        Ok(self.records(Vec::new()))
    }

    /// Blocks the thread.
    pub(super) fn poll(&mut self, timeout: Option<u64>, max_bytes: u32) -> CodeResult<Records> {
        let deadline = Deadline::after(timeout);
        if let Some(records) = self.pending(max_bytes)? {
            return Ok(records);
        }
        if deadline.is_over() {
            return self.nothing();
        }
        if let Some(records) = self.lost_before_wait()? {
            return Ok(records);
        }
        while !deadline.is_over() {
            self.wait(self.trusted(deadline.left()))?;
            if let Some(records) = self.pending(max_bytes)? {
                return Ok(records);
            }
        }
        self.nothing()
    }

    /// Leaves the thread to others.
    pub(super) async fn poll_async(
        &mut self,
        timeout: Option<u64>,
        max_bytes: u32,
    ) -> CodeResult<Records> {
        let deadline = Deadline::after(timeout);
        if let Some(records) = self.pending(max_bytes)? {
            return Ok(records);
        }
        if deadline.is_over() {
            return self.nothing();
        }
        if let Some(records) = self.lost_before_wait()? {
            return Ok(records);
        }
        while !deadline.is_over() {
            let trusted = self.trusted(deadline.left());
            let reactor = match &mut self.reactor {
                Some(reactor) => reactor,
                none => {
                    let epoll = self.epoll.try_clone()?;
                    none.insert(readiness::register(epoll, Interest::READABLE)?)
                }
            };
            let readable = reactor.readable();
            let ready = match trusted {
                Some(left) => tokio::time::timeout(left, readable).await.ok(),
                None => Some(readable.await),
            };
            let ready = match ready.transpose() {
                Ok(ready) => ready,
                Err(error) => {
                    // The runtime that it was registered with is gone; the next wait registers with the one of today.
                    self.reactor = None;
                    return Err(error.into());
                }
            };
            if let Some(mut ready) = ready {
                // Takes the events out of the inner epoll; what comes later makes it readable again.
                let stopped = wait(&self.epoll, Some(Duration::ZERO))?;
                ready.clear_ready();
                if stopped {
                    self.stop.clear_wake();
                }
            }
            if let Some(records) = self.pending(max_bytes)? {
                return Ok(records);
            }
        }
        self.nothing()
    }
}

/// When a wait ends.
struct Deadline(Option<Instant>);

impl Deadline {
    /// Guest-controlled nanoseconds: what the clock cannot express is without limit.
    fn after(timeout: Option<u64>) -> Self {
        Self(timeout.and_then(|timeout| Instant::now().checked_add(Duration::from_nanos(timeout))))
    }

    fn left(&self) -> Option<Duration> {
        self.0
            .map(|at| at.saturating_duration_since(Instant::now()))
    }

    fn is_over(&self) -> bool {
        self.left() == Some(Duration::ZERO)
    }
}

/// What `subscribe` returns a pollable for. It has an epoll descriptor of its own: the stream's forgets an event when the
/// stream has seen it.
pub struct Ready<R> {
    rings: Arc<R>,
    stop: Stop,
    epoll: Option<AsyncFd<OwnedFd>>,
    _held: Reservation,
}

/// The place for what a pollable waits with. Its function cannot fail, so a component that passes the limit ends.
pub(super) fn descriptors_of_pollable(
    usage: &Usage,
    descriptors: u64,
) -> wasmtime::Result<Reservation> {
    let need = Need {
        descriptors,
        ..Need::default()
    };
    let held = usage.reserve(need);
    held.map_err(|limit| wasmtime::format_err!("cannot make a pollable: {limit}"))
}

impl<R: Rings> Ready<R> {
    fn reactor(&mut self) -> io::Result<&mut AsyncFd<OwnedFd>> {
        if self.epoll.is_none() {
            let epoll = watch(&*self.rings)?;
            self.epoll = Some(readiness::register(epoll, Interest::READABLE)?);
        }
        Ok(self.epoll.as_mut().expect("made above"))
    }
}

#[wasmtime_wasi::async_trait]
impl<R: Rings> Pollable for Ready<R> {
    async fn ready(&mut self) {
        let rings = Arc::clone(&self.rings);
        let stop = self.stop.clone();
        let trusted = if R::WAITERS_DISTURB {
            LOOK_AGAIN
        } else {
            Duration::MAX
        };
        while !rings.has_record() && !stop.has_bpf_interrupt() {
            // A failure ends the wait: `poll` then meets it too, and can say so.
            let Ok(reactor) = self.reactor() else { return };
            let ready = tokio::select! {
                ready = tokio::time::timeout(trusted, reactor.readable_mut()) => ready,
                () = stop.bpf_interrupted() => return,
            };
            let mut ready = match ready {
                Ok(Ok(ready)) => ready,
                Ok(Err(_)) => return,
                // Time to look again.
                Err(_) => continue,
            };
            let _ = wait(ready.get_inner(), Some(Duration::ZERO));
            ready.clear_ready();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_of_any_size() {
        assert!(Deadline::after(Some(0)).is_over());
        assert!(!Deadline::after(Some(u64::MAX)).is_over());
        assert!(Deadline::after(None).left().is_none());
    }
}
