//! `ring-buffer`: a consumer over one or several rings.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use super::ring::{Corrupt, Ring};
use super::stream::{Lost, Rings, Source, Stream};
use crate::bindings::types::{ErrorCode, MapType};
use crate::ctx::WasmBpfCtx;
use crate::error::{CodeError, CodeResult, Errno, Failure, FailureResult};
use crate::maps::{Map, MapMemory};
use crate::policy::{Need, Reservation};

/// A consumer over one or several rings.
pub type RingBuffer = Stream<RingSource>;

/// The rings of a ring buffer, and what counts what did not get in.
pub struct RingSource {
    rings: Arc<Mapped>,
    counters: Vec<LostCounter>,
    /// Which ring is looked into first: not always the same, so that a busy one does not starve the others.
    first: usize,
}

/// Mapped rings.
pub struct Mapped {
    rings: Vec<Ring>,
    _memory: Vec<Arc<MapMemory>>,
    _held: Reservation,
}

/// A per-CPU counter that programs raise when they cannot reserve.
struct LostCounter {
    map: Map,
    seen: u64,
}

/// Rings in one buffer. Guests choose the number.
const MAX_RINGS: usize = 64;

impl Rings for Mapped {
    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        self.rings.iter().map(Ring::fd).collect()
    }

    fn has_record(&self) -> bool {
        // What is corrupt is for `poll` to tell, so it ends a wait too.
        self.rings
            .iter()
            .any(|ring| ring.has_record().unwrap_or(true))
    }

    fn available(&self) -> u64 {
        // What is corrupt has no pending bytes that could be told; `poll` says so.
        let available = |ring: &Ring| ring.available().unwrap_or(0) as u64;
        self.rings.iter().map(available).sum()
    }

    const WAITERS_DISTURB: bool = false;
}

impl Source for RingSource {
    type Rings = Mapped;

    fn rings(&self) -> &Arc<Mapped> {
        &self.rings
    }

    fn take(&mut self, most: usize, packed: &mut Vec<u8>, _: &mut Lost) -> CodeResult<()> {
        let rings = &self.rings.rings;
        let count = rings.len();
        for step in 0..count {
            let index = (self.first + step) % count;
            // The index is below MAX_RINGS.
            let taken = rings[index].take(index as u32, most, packed);
            // What was taken from other rings is gone from them. The next call meets the corrupt one again.
            if packed.is_empty() {
                taken?;
            }
        }
        self.first = (self.first + 1) % count;
        Ok(())
    }

    fn has_counters(&self) -> bool {
        !self.counters.is_empty()
    }

    fn count_lost(&mut self, lost: &mut Lost) -> CodeResult<()> {
        for counter in &mut self.counters {
            let values = counter.map.lookup(&[0; 4])?.unwrap_or_default();
            let (cpus, _) = values.as_chunks::<8>();
            let total = cpus
                .iter()
                .map(|cpu| u64::from_ne_bytes(*cpu))
                .fold(0, u64::wrapping_add);
            // A component may have set its own counter back.
            let new = total.checked_sub(counter.seen).unwrap_or(total);
            lost.count = lost.count.saturating_add(new);
            counter.seen = total;
        }
        Ok(())
    }
}

impl From<Corrupt> for CodeError {
    fn from(_: Corrupt) -> Self {
        ErrorCode::Malformed.into()
    }
}

impl RingBuffer {
    pub(super) fn open(
        ctx: &WasmBpfCtx,
        sources: Vec<(&Map, Option<&Map>)>,
    ) -> FailureResult<Self> {
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
        // Counters count themselves.
        let need = Need {
            descriptors: sources.len() as u64 + Self::DESCRIPTORS,
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
                let map = counter.try_clone(&ctx.usage).map_err(|error| {
                    let text = format!("cannot take a handle to the map `{}`", info.name);
                    Failure::of(error, text).about(&info.name)
                })?;
                counters.push(LostCounter { map, seen: 0 });
            }
        }
        let source = RingSource {
            rings: Arc::new(Mapped {
                rings,
                _memory: memory,
                _held: held,
            }),
            counters,
            first: 0,
        };
        Stream::new(source, ctx.stop()).map_err(|error| failed(sources[0].0, error))
    }
}
