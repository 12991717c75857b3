//! `buffers.wit`.

mod ring;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use self::ring::{Corrupt, Ring};
use crate::bindings::buffers::{self as blocking, Records};
use crate::bindings::types::{ErrorCode, MapType};
use crate::bindings::waiting::buffers as waiting;
use crate::ctx::{WasmBpfCtx, WasmBpfCtxView};
use crate::error::{CodeError, CodeResult, Errno, Failure, FailureResult};
use crate::lifecycle::Stop;
use crate::maps::Map;
use crate::policy::{Need, Reservation};
use crate::readiness;

/// A consumer over one or several rings.
pub struct RingBuffer {
    rings: Arc<Rings>,
    counters: Vec<LostCounter>,
    counted_at: Option<Instant>,
    /// Counted and not yet told.
    lost: u64,
    /// Which ring is looked into first: not always the same, so that a busy one does not starve the others.
    first: usize,
    stop: Stop,
    /// Since a stop was noticed, until it is told.
    stopping: Option<Stopping>,
    _memory: Vec<Arc<Reservation>>,
    _held: Reservation,
    /// Of embeddings that wait without blocking; made by the first wait.
    reactor: Option<AsyncFd<OwnedFd>>,
}

/// The rings and an epoll descriptor over them and the stop request.
struct Rings {
    rings: Vec<Ring>,
    epoll: OwnedFd,
}

/// A per-CPU counter that programs raise when they cannot reserve.
struct LostCounter {
    map: Map,
    seen: u64,
}

/// What is still to be said before the interruption.
#[derive(Clone, Copy)]
enum Stopping {
    /// So many of the bytes that were pending when the stop was noticed.
    Delivering(u64),
    /// Nothing more: what was lost was told once. Programs may go on losing records, which must not put off the end.
    Told,
}

/// Rings in one buffer. Guests choose the number.
const MAX_RINGS: usize = 64;
/// What one read returns at most, a longer single record apart: larger windows are slower, as they leave the caches.
const MAX_READ: usize = 64 << 10;
/// While records are pending no system call is made for them; lost counters need one each, so they are read now and then.
const COUNT_EVERY: Duration = Duration::from_millis(50);
/// What the epoll descriptor says for the stop request; rings have their index.
const STOP: u64 = u64::MAX;

impl Rings {
    fn new(rings: Vec<Ring>, stop: &Stop) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (index, ring) in rings.iter().enumerate() {
            // Edge-triggered: a record that is reserved but not yet submitted makes the ring readable, and must not make a wait spin.
            let events = epoll::EventFlags::IN | epoll::EventFlags::ET;
            epoll::add(
                &epoll,
                ring.fd(),
                epoll::EventData::new_u64(index as u64),
                events,
            )?;
        }
        epoll::add(
            &epoll,
            stop.wake_fd()?,
            epoll::EventData::new_u64(STOP),
            epoll::EventFlags::IN,
        )?;
        Ok(Self { rings, epoll })
    }

    fn has_record(&self) -> bool {
        // What is corrupt is for `poll` to tell, so it ends a wait too.
        self.rings
            .iter()
            .any(|ring| ring.has_record().unwrap_or(true))
    }

    /// Waits in the kernel. Whether the time was not over.
    fn wait(&self, timeout: Option<Duration>, stop: &Stop) -> io::Result<()> {
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
        }; 8];
        let count = match epoll::wait(&self.epoll, &mut events[..], timeout.as_ref()) {
            // A signal handler of the embedder ran; whoever asked to stop has told `stop`.
            Err(rustix::io::Errno::INTR) => return Ok(()),
            other => other?,
        };
        if events[..count].iter().any(|event| event.data.u64() == STOP) {
            stop.clear_wake();
        }
        Ok(())
    }
}

impl RingBuffer {
    fn new(ctx: &WasmBpfCtx, sources: Vec<(&Map, Option<&Map>)>) -> FailureResult<Self> {
        let stop = ctx.stop();
        let refuse = |text: String| Failure::refused(ErrorCode::InvalidArgument, text);
        let failed = |map: &Map, error: io::Error| {
            let errno = error.raw_os_error().unwrap_or(libc::EIO);
            let name = &map.info().name;
            let text = format!(
                "cannot open the ring buffer over `{name}`: {}",
                Errno(errno)
            );
            Failure::errno(errno, text).about(name)
        };
        if sources.is_empty() || sources.len() > MAX_RINGS {
            return Err(refuse(format!(
                "cannot open a ring buffer over {} rings: 1 to {MAX_RINGS}",
                sources.len()
            )));
        }
        // The epoll descriptor, its copy in a reactor, a pollable's; counters count themselves.
        let need = Need {
            descriptors: sources.len() as u64 + 3,
            ..Need::default()
        };
        let held = ctx.usage.reserve(need).map_err(|limit| {
            Failure::refused(
                ErrorCode::LimitExceeded,
                format!("cannot open a ring buffer: {limit}"),
            )
        })?;
        let memory = sources.iter().map(|(map, _)| map.memory()).collect();
        let mut rings = Vec::new();
        let mut counters: Vec<LostCounter> = Vec::new();
        for (map, counter) in &sources {
            let info = map.info();
            if !matches!(info.type_, MapType::Ringbuf) {
                return Err(refuse(format!(
                    "cannot open a ring buffer over `{}`: it is a map of type {}, not ringbuf",
                    info.name,
                    info.type_.name()
                ))
                .about(&info.name));
            }
            let ring = map
                .duplicate_fd()
                .and_then(|fd| Ring::map(fd, info.max_entries))
                .map_err(|error| failed(map, error))?;
            rings.push(ring);
            let Some(counter) = counter else { continue };
            let info = counter.info();
            if !matches!(info.type_, MapType::PercpuArray)
                || info.value_size != 8
                || info.key_size != 4
                || info.max_entries < 1
            {
                return Err(refuse(format!(
                    "`{}` cannot count lost records: a percpu-array of one 8-byte value can, this is {} of {} bytes",
                    info.name,
                    info.type_.name(),
                    info.value_size
                ))
                .about(&info.name));
            }
            // Rings may share a counter.
            if counters.iter().all(|known| known.map.info().id != info.id) {
                let fd = counter
                    .duplicate_fd()
                    .map_err(|error| failed(counter, error))?;
                let map = Map::from_fd(&ctx.usage, fd, Some(&info.name), counter.memory());
                let map = map.map_err(|error| {
                    let text = format!("cannot take a handle to the map `{}`", info.name);
                    Failure::of(error, text).about(&info.name)
                })?;
                counters.push(LostCounter { map, seen: 0 });
            }
        }
        let rings = Rings::new(rings, &stop).map_err(|error| failed(sources[0].0, error))?;
        Ok(Self {
            rings: Arc::new(rings),
            counters,
            counted_at: None,
            lost: 0,
            first: 0,
            stop,
            stopping: None,
            _memory: memory,
            _held: held,
            reactor: None,
        })
    }

    /// What is pending now, without waiting.
    fn take(&mut self, max_bytes: u32) -> CodeResult<Vec<u8>> {
        let most = (max_bytes as usize).min(MAX_READ);
        let count = self.rings.rings.len();
        let mut packed = Vec::new();
        for step in 0..count {
            let index = (self.first + step) % count;
            // The index is below MAX_RINGS.
            let taken = self.rings.rings[index].take(index as u32, most, &mut packed);
            // What was taken from other rings is gone from them. The next call meets the corrupt one again.
            if packed.is_empty() {
                taken?;
            }
        }
        self.first = (self.first + 1) % count;
        Ok(packed)
    }

    /// Counts what was lost since the last count.
    fn count_lost(&mut self) -> CodeResult<()> {
        for counter in &mut self.counters {
            let values = counter.map.lookup(&[0; 4])?.unwrap_or_default();
            let (cpus, _) = values.as_chunks::<8>();
            let total = cpus
                .iter()
                .map(|cpu| u64::from_ne_bytes(*cpu))
                .fold(0, u64::wrapping_add);
            self.lost = self.lost.saturating_add(total.wrapping_sub(counter.seen));
            counter.seen = total;
        }
        self.counted_at = Some(Instant::now());
        Ok(())
    }

    /// The same, unless that was just done. Before records are taken: a failure must not take them along.
    fn count_lost_if_due(&mut self) -> CodeResult<()> {
        let due = self.counted_at.is_none_or(|at| at.elapsed() >= COUNT_EVERY);
        if due && !self.counters.is_empty() {
            self.count_lost()
        } else {
            Ok(())
        }
    }

    fn records(&mut self, packed: Vec<u8>) -> Records {
        Records {
            packed,
            lost: std::mem::take(&mut self.lost),
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
                self.take(max_bytes)?
            } else {
                Vec::new()
            };
            if !packed.is_empty() {
                let left = backlog.saturating_sub(packed.len() as u64);
                self.stopping = Some(Stopping::Delivering(left));
                return Ok(self.records(packed));
            }
            self.count_lost()?;
            if self.lost > 0 {
                self.stopping = Some(Stopping::Told);
                return Ok(self.records(Vec::new()));
            }
        }
        self.stopping = None;
        self.stop.take_bpf_interrupt();
        Err(ErrorCode::Interrupted.into())
    }

    fn available(&self) -> u64 {
        // What is corrupt has no pending bytes that could be told; `poll` says so.
        let available = |ring: &Ring| ring.available().unwrap_or(0) as u64;
        self.rings.rings.iter().map(available).sum()
    }

    /// Nothing is pending: what was lost is told before a wait, so that it is not told late.
    fn lost_before_wait(&mut self) -> CodeResult<Option<Records>> {
        if self.counters.is_empty() {
            return Ok(None);
        }
        self.count_lost()?;
        Ok((self.lost > 0).then(|| self.records(Vec::new())))
    }

    /// The time is over.
    fn nothing(&mut self) -> CodeResult<Records> {
        self.count_lost()?;
        Ok(self.records(Vec::new()))
    }

    /// Blocks the thread.
    fn poll(&mut self, timeout: Option<u64>, max_bytes: u32) -> CodeResult<Records> {
        let deadline = Deadline::after(timeout);
        if let Some(records) = self.pending(max_bytes)? {
            return Ok(records);
        }
        if let Some(records) = self.lost_before_wait()? {
            return Ok(records);
        }
        while !deadline.is_over() {
            self.rings.wait(deadline.left(), &self.stop)?;
            if let Some(records) = self.pending(max_bytes)? {
                return Ok(records);
            }
        }
        self.nothing()
    }

    /// Leaves the thread to others.
    async fn poll_async(&mut self, timeout: Option<u64>, max_bytes: u32) -> CodeResult<Records> {
        let deadline = Deadline::after(timeout);
        if let Some(records) = self.pending(max_bytes)? {
            return Ok(records);
        }
        if let Some(records) = self.lost_before_wait()? {
            return Ok(records);
        }
        while !deadline.is_over() {
            let reactor = match &mut self.reactor {
                Some(reactor) => reactor,
                none => {
                    let epoll = self.rings.epoll.try_clone()?;
                    none.insert(readiness::register(epoll, Interest::READABLE)?)
                }
            };
            let readable = reactor.readable();
            let ready = match deadline.left() {
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
                self.rings.wait(Some(Duration::ZERO), &self.stop)?;
                ready.clear_ready();
            }
            if let Some(records) = self.pending(max_bytes)? {
                return Ok(records);
            }
        }
        self.nothing()
    }
}

impl From<Corrupt> for CodeError {
    fn from(_: Corrupt) -> Self {
        ErrorCode::Malformed.into()
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

/// What `subscribe` returns a pollable for. It has an epoll descriptor of its own: the buffer's forgets an event when the
/// buffer has seen it.
struct Ready {
    rings: Arc<Rings>,
    stop: Stop,
    epoll: Option<AsyncFd<OwnedFd>>,
}

impl Ready {
    fn reactor(&mut self) -> io::Result<&mut AsyncFd<OwnedFd>> {
        if self.epoll.is_none() {
            let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
            for ring in &self.rings.rings {
                let events = epoll::EventFlags::IN | epoll::EventFlags::ET;
                epoll::add(&epoll, ring.fd(), epoll::EventData::new_u64(0), events)?;
            }
            self.epoll = Some(readiness::register(epoll, Interest::READABLE)?);
        }
        Ok(self.epoll.as_mut().expect("made above"))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Ready {
    async fn ready(&mut self) {
        let rings = Arc::clone(&self.rings);
        let stop = self.stop.clone();
        while !rings.has_record() && !stop.has_bpf_interrupt() {
            // A failure ends the wait: `poll` then meets it too, and can say so.
            let Ok(reactor) = self.reactor() else { return };
            let ready = tokio::select! {
                ready = reactor.readable_mut() => ready,
                () = stop.bpf_interrupted() => return,
            };
            let Ok(mut ready) = ready else { return };
            let mut events = [epoll::Event {
                flags: epoll::EventFlags::empty(),
                data: epoll::EventData::new_u64(0),
            }; MAX_RINGS];
            let now = Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            let _ = epoll::wait(ready.get_inner(), &mut events[..], Some(&now));
            ready.clear_ready();
        }
    }
}

impl blocking::Host for WasmBpfCtxView<'_> {}

impl blocking::HostRingBuffer for WasmBpfCtxView<'_> {
    fn open(&mut self, rings: Vec<blocking::Ring>) -> FailureResult<Resource<RingBuffer>> {
        self.open_ring_buffer(
            rings
                .into_iter()
                .map(|ring| (ring.map, ring.lost_counter))
                .collect(),
        )
    }

    fn poll(
        &mut self,
        buffer: Resource<RingBuffer>,
        timeout: Option<u64>,
        max_bytes: u32,
    ) -> CodeResult<Records> {
        self.table.get_mut(&buffer)?.poll(timeout, max_bytes)
    }

    fn subscribe(
        &mut self,
        buffer: Resource<RingBuffer>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.subscribe_ring_buffer(&buffer)
    }

    fn available(&mut self, buffer: Resource<RingBuffer>) -> wasmtime::Result<u64> {
        self.available_in_ring_buffer(&buffer)
    }

    fn drop(&mut self, buffer: Resource<RingBuffer>) -> wasmtime::Result<()> {
        self.table.delete(buffer)?;
        Ok(())
    }
}

impl waiting::Host for WasmBpfCtxView<'_> {}

impl waiting::HostRingBuffer for WasmBpfCtxView<'_> {
    fn open(&mut self, rings: Vec<waiting::Ring>) -> FailureResult<Resource<RingBuffer>> {
        self.open_ring_buffer(
            rings
                .into_iter()
                .map(|ring| (ring.map, ring.lost_counter))
                .collect(),
        )
    }

    async fn poll(
        &mut self,
        buffer: Resource<RingBuffer>,
        timeout: Option<u64>,
        max_bytes: u32,
    ) -> CodeResult<waiting::Records> {
        let Records { packed, lost } = self
            .table
            .get_mut(&buffer)?
            .poll_async(timeout, max_bytes)
            .await?;
        Ok(waiting::Records { packed, lost })
    }

    fn subscribe(
        &mut self,
        buffer: Resource<RingBuffer>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.subscribe_ring_buffer(&buffer)
    }

    fn available(&mut self, buffer: Resource<RingBuffer>) -> wasmtime::Result<u64> {
        self.available_in_ring_buffer(&buffer)
    }

    fn drop(&mut self, buffer: Resource<RingBuffer>) -> wasmtime::Result<()> {
        self.table.delete(buffer)?;
        Ok(())
    }
}

/// What both linkers share.
impl WasmBpfCtxView<'_> {
    fn open_ring_buffer(
        &mut self,
        rings: Vec<(Resource<Map>, Option<Resource<Map>>)>,
    ) -> FailureResult<Resource<RingBuffer>> {
        let mut sources = Vec::new();
        for (map, counter) in &rings {
            let counter = counter
                .as_ref()
                .map(|counter| self.table.get(counter))
                .transpose()?;
            sources.push((self.table.get(map)?, counter));
        }
        let buffer = RingBuffer::new(self.ctx, sources)?;
        Ok(self.table.push(buffer)?)
    }

    fn subscribe_ring_buffer(
        &mut self,
        buffer: &Resource<RingBuffer>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let rings = Arc::clone(&self.table.get(buffer)?.rings);
        let stop = self.ctx.stop();
        let ready = self.table.push(Ready {
            rings,
            stop,
            epoll: None,
        })?;
        subscribe(self.table, ready)
    }

    fn available_in_ring_buffer(&mut self, buffer: &Resource<RingBuffer>) -> wasmtime::Result<u64> {
        Ok(self.table.get(buffer)?.available())
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
