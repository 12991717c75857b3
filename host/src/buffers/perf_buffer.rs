//! `perf-buffer`: a buffer for each CPU, all of them read through one list.
//!
//! libbpf sets the buffers up and takes them down. Reading them is our own, as with rings: libbpf would call back for each record, and
//! could not stop before one that does not fit into the list any more.

use std::io;
use std::mem::offset_of;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use libbpf_sys as sys;
use rustix::param::page_size;

use super::packed::{packed_length, push_lost, push_record};
use super::ring::Corrupt;
use super::stream::{Lost, Rings, Source, Stream};
use crate::bindings::types::{ErrorCode, MapType};
use crate::ctx::WasmBpfCtx;
use crate::error::{CodeResult, Errno, Failure, FailureResult};
use crate::maps::{Map, OpenedPerfBuffer};
use crate::messages;
use crate::objects::{append_warnings, last_errno};
use crate::policy::{Need, Reservation};

/// A consumer over the buffers of all CPUs.
pub type PerfBuffer = Stream<PerfSource>;

/// The buffers of a perf buffer.
pub struct PerfSource {
    buffers: Arc<Buffers>,
    /// Which CPU is looked at first: not always the same, so that a busy one does not starve the others.
    first: usize,
    /// How the losses of each CPU are known.
    losses: Losses,
}

enum Losses {
    /// The kernel counts them for each event; what was seen of that (6.0).
    Counted(Vec<u64>),
    /// It writes them into the buffer when there is room again.
    Written,
}

/// libbpf's perf buffer, and where its parts are.
pub struct Buffers {
    cpus: Vec<CpuBuffer>,
    handle: NonNull<sys::perf_buffer>,
    /// libbpf keeps the number of it, to take the buffers out of the map in the end.
    _map: OwnedFd,
    _opened: OpenedPerfBuffer,
    _held: Reservation,
}

// SAFETY: libbpf's structure is only touched when it is made and freed; the memory of its buffers is accessed through
// atomics, and read between the positions, where the kernel does not write.
unsafe impl Send for Buffers {}
// SAFETY: as above; only the one stream that consumes moves the tail.
unsafe impl Sync for Buffers {}

/// The buffer of a CPU.
struct CpuBuffer {
    cpu: u32,
    fd: RawFd,
    /// A page of positions.
    base: NonNull<u8>,
    /// What is behind it.
    data: NonNull<u8>,
    /// Bytes of the data, a power of two.
    size: usize,
}

/// A piece of a record's data, in up to two parts.
type Parts<'a> = (&'a [u8], &'a [u8]);

impl CpuBuffer {
    /// `base` is where a page of positions and `size` bytes of data are mapped.
    fn new(cpu: u32, fd: RawFd, base: NonNull<u8>, size: usize) -> Self {
        // SAFETY: still within the mapping.
        let data = unsafe { base.add(page_size()) };
        Self {
            cpu,
            fd,
            base,
            data,
            size,
        }
    }

    fn position(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: the first page of the mapping holds a perf_event_mmap_page, whose positions are aligned.
        unsafe { self.base.add(offset).cast::<AtomicU64>().as_ref() }
    }

    fn head(&self) -> &AtomicU64 {
        self.position(offset_of!(sys::perf_event_mmap_page, data_head))
    }

    fn tail(&self) -> &AtomicU64 {
        self.position(offset_of!(sys::perf_event_mmap_page, data_tail))
    }

    /// Where to read from, and how many bytes are pending from there.
    fn pending(&self) -> Result<(u64, usize), Corrupt> {
        // Pairs with the kernel's barrier before it publishes the head: the records are visible.
        let head = self.head().load(Ordering::Acquire);
        let tail = self.tail().load(Ordering::Relaxed);
        let pending = usize::try_from(head.wrapping_sub(tail)).map_err(|_| Corrupt)?;
        if pending > self.size {
            return Err(Corrupt);
        }
        Ok((tail, pending))
    }

    /// Bytes at a position; two parts if they go around the end.
    fn bytes(&self, position: u64, length: usize) -> Parts<'_> {
        debug_assert!(length <= self.size);
        let start = position as usize & (self.size - 1);
        let first = length.min(self.size - start);
        // SAFETY: both parts are within the data and between the positions, where the kernel does not write until the tail has
        // moved.
        unsafe {
            (
                std::slice::from_raw_parts(self.data.add(start).as_ptr(), first),
                std::slice::from_raw_parts(self.data.as_ptr(), length - first),
            )
        }
    }

    /// Eight bytes at a position that is a multiple of eight: they do not go around the end.
    fn word(&self, position: u64) -> [u8; 8] {
        debug_assert!(position.is_multiple_of(8));
        let start = position as usize & (self.size - 1);
        // SAFETY: within the data, whose size is a multiple of 8, and between the positions, as in `bytes`.
        unsafe { self.data.add(start).cast::<[u8; 8]>().read() }
    }

    /// Appends records, as long as `packed` does not become longer than `most`, but at least one if it is empty. Losses that are
    /// written between the records go to `written`. Takes nothing from a buffer that is corrupt.
    fn take(
        &self,
        most: usize,
        packed: &mut Vec<u8>,
        written: Option<&mut Lost>,
    ) -> Result<(), Corrupt> {
        let (tail, pending) = self.pending()?;
        let start = packed.len();
        let mut lost = Lost::default();
        let taken = self
            .copy(tail, pending, most, packed, &mut lost)
            .inspect_err(|_| packed.truncate(start))?;
        if let Some(written) = written {
            written.count = written.count.saturating_add(lost.count);
            written.entries.append(&mut lost.entries);
        }
        // Only now may the kernel write there again.
        self.tail()
            .store(tail.wrapping_add(taken as u64), Ordering::Release);
        Ok(())
    }

    /// How many bytes of the buffer were copied or passed over.
    fn copy(
        &self,
        tail: u64,
        pending: usize,
        most: usize,
        packed: &mut Vec<u8>,
        lost: &mut Lost,
    ) -> Result<usize, Corrupt> {
        // Packed, a record takes no more than it does in the buffer: 8 bytes of header there and 4 of its length.
        packed.reserve(pending.min(most.saturating_sub(packed.len())));
        let mut taken = 0;
        while taken < pending {
            let at = tail.wrapping_add(taken as u64);
            if pending - taken < HEADER {
                return Err(Corrupt);
            }
            let [a, b, c, d, _, _, e, f] = self.word(at);
            let kind = u32::from_ne_bytes([a, b, c, d]);
            let size = usize::from(u16::from_ne_bytes([e, f]));
            if size < HEADER || !size.is_multiple_of(8) || size > pending - taken {
                return Err(Corrupt);
            }
            let body = at.wrapping_add(HEADER as u64);
            match kind {
                sys::PERF_RECORD_SAMPLE if size > HEADER => {
                    // With PERF_SAMPLE_RAW alone: the length, then the data.
                    let [a, b, c, d, ..] = self.word(body);
                    let length = u32::from_ne_bytes([a, b, c, d]) as usize;
                    if length > size - HEADER - 4 {
                        return Err(Corrupt);
                    }
                    if !packed.is_empty() && packed.len() + packed_length(length) > most {
                        break;
                    }
                    let data = self.bytes(body.wrapping_add(4), length);
                    push_record(packed, self.cpu, data);
                }
                sys::PERF_RECORD_LOST if size >= HEADER + 16 => {
                    let count = u64::from_ne_bytes(self.word(body.wrapping_add(8)));
                    lost.count = lost.count.saturating_add(count);
                    push_lost(&mut lost.entries, self.cpu, count);
                }
                // Others, such as those of throttling, say nothing about records.
                _ => {}
            }
            taken += size;
        }
        Ok(taken)
    }

    /// How many records the kernel could not write, ever.
    fn lost(&self) -> io::Result<u64> {
        // SAFETY: the descriptor is open as long as libbpf's perf buffer, which keeps this buffer.
        let fd = unsafe { BorrowedFd::borrow_raw(self.fd) };
        // With PERF_FORMAT_LOST: the value, then the count.
        let mut answer = [0; 16];
        let length = rustix::io::read(fd, &mut answer)?;
        let (_, count) = answer[..length].split_at_checked(8).unwrap_or_default();
        let count = <[u8; 8]>::try_from(count).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        Ok(u64::from_ne_bytes(count))
    }
}

/// Bytes of `struct perf_event_header`.
const HEADER: usize = 8;

impl Rings for Buffers {
    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        // SAFETY: as for `lost`.
        let borrow = |buffer: &CpuBuffer| unsafe { BorrowedFd::borrow_raw(buffer.fd) };
        self.cpus.iter().map(borrow).collect()
    }

    fn has_record(&self) -> bool {
        let has = |buffer: &CpuBuffer| buffer.pending().map_or(true, |(_, pending)| pending > 0);
        self.cpus.iter().any(has)
    }

    fn available(&self) -> u64 {
        let available =
            |buffer: &CpuBuffer| buffer.pending().map_or(0, |(_, pending)| pending as u64);
        self.cpus.iter().map(available).sum()
    }

    /// The kernel forgets that an event was signalled when anybody asks for it (perf_poll).
    const WAITERS_DISTURB: bool = true;
}

impl Drop for Buffers {
    fn drop(&mut self) {
        // SAFETY: libbpf's own, and nobody has anything of it any more. The map's descriptor is closed afterwards.
        unsafe { sys::perf_buffer__free(self.handle.as_ptr()) };
    }
}

impl Source for PerfSource {
    type Rings = Buffers;

    fn rings(&self) -> &Arc<Buffers> {
        &self.buffers
    }

    fn take(&mut self, most: usize, packed: &mut Vec<u8>, lost: &mut Lost) -> CodeResult<()> {
        let cpus = &self.buffers.cpus;
        for step in 0..cpus.len() {
            let buffer = &cpus[(self.first + step) % cpus.len()];
            let written = match self.losses {
                Losses::Counted(_) => None,
                Losses::Written => Some(&mut *lost),
            };
            let taken = buffer.take(most, packed, written);
            // What was taken before is gone from the buffers. The next call meets the corrupt one again.
            if packed.is_empty() {
                taken?;
            }
        }
        self.first = (self.first + 1) % cpus.len().max(1);
        Ok(())
    }

    fn has_counters(&self) -> bool {
        matches!(self.losses, Losses::Counted(_))
    }

    fn count_lost(&mut self, lost: &mut Lost) -> CodeResult<()> {
        let Losses::Counted(seen) = &mut self.losses else {
            return Ok(());
        };
        for (buffer, seen) in self.buffers.cpus.iter().zip(seen) {
            let total = buffer.lost()?;
            let new = total.saturating_sub(*seen);
            if new > 0 {
                *seen = total;
                lost.count = lost.count.saturating_add(new);
                push_lost(&mut lost.entries, buffer.cpu, new);
            }
        }
        Ok(())
    }
}

/// The CPUs that run, below `limit`.
fn online_cpus(limit: u32) -> io::Result<Vec<i32>> {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/online")?;
    let cpus = parse_cpus(text.trim()).ok_or(io::ErrorKind::InvalidData)?;
    Ok(cpus
        .into_iter()
        .filter(|cpu| *cpu < limit)
        .map(|cpu| cpu as i32)
        .collect())
}

/// A list as the kernel writes it, such as `0-3,5`.
fn parse_cpus(text: &str) -> Option<Vec<u32>> {
    /// More than any kernel is built for.
    const MOST: u32 = 1 << 16;
    let mut cpus = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
        if last >= MOST {
            return None;
        }
        cpus.extend(first..=last);
    }
    Some(cpus)
}

/// What the kernel is asked for: BPF's output, woken up for each record.
fn attributes(read_format: u32) -> sys::perf_event_attr {
    let mut attributes = sys::perf_event_attr {
        type_: sys::PERF_TYPE_SOFTWARE,
        size: size_of::<sys::perf_event_attr>() as u32,
        config: sys::PERF_COUNT_SW_BPF_OUTPUT.into(),
        sample_type: sys::PERF_SAMPLE_RAW.into(),
        read_format: read_format.into(),
        ..Default::default()
    };
    attributes.__bindgen_anon_2.wakeup_events = 1;
    attributes
}

impl PerfBuffer {
    pub(super) fn open(ctx: &WasmBpfCtx, map: &Map, pages: u32) -> FailureResult<Self> {
        let info = map.info();
        let name = &info.name;
        let refuse = |code, why: String| {
            let text = format!("cannot open the perf buffer over `{name}`: {why}");
            Failure::refused(code, text).about(name)
        };
        if !matches!(info.type_, MapType::PerfEventArray) {
            let why = format!(
                "it is a map of type {}, not perf-event-array",
                info.type_.name()
            );
            return Err(refuse(ErrorCode::InvalidArgument, why));
        }
        // Guest-controlled.
        if !pages.is_power_of_two() {
            let why = format!("{pages} pages for each CPU are not a power of two");
            return Err(refuse(ErrorCode::InvalidArgument, why));
        }
        let failed = |errno: i32, warnings: &[String]| {
            let mut text = format!(
                "cannot open the perf buffer over `{name}` with {pages} pages for each CPU: {}",
                Errno(errno)
            );
            append_warnings(&mut text, warnings);
            Failure::errno(errno, text).about(name)
        };
        let io_failed = |error: io::Error| failed(error.raw_os_error().unwrap_or(libc::EIO), &[]);
        let mut cpus = online_cpus(info.max_entries).map_err(io_failed)?;
        if cpus.is_empty() {
            let why = format!(
                "it has {} entries, none for a CPU that runs",
                info.max_entries
            );
            return Err(refuse(ErrorCode::InvalidArgument, why));
        }
        let size = u64::from(pages) * page_size() as u64;
        let need = Need {
            map_memory: (size + page_size() as u64).saturating_mul(cpus.len() as u64),
            // An event for each CPU, libbpf's epoll descriptor, the map's copy.
            descriptors: cpus.len() as u64 + 2 + Self::DESCRIPTORS,
            ..Need::default()
        };
        let held = ctx
            .usage
            .reserve(need)
            .map_err(|limit| refuse(ErrorCode::LimitExceeded, limit.to_string()))?;
        if map.memory().keeps_perf_events() {
            let why = "perf events are stored in it; delete them first";
            return Err(refuse(ErrorCode::Busy, why.to_owned()));
        }
        // libbpf takes all entries out of the map in the end, also those of another.
        let opened = map.memory().open_perf_buffer().ok_or_else(|| {
            let why = "another perf buffer is open over it; drop that first";
            refuse(ErrorCode::Busy, why.to_owned())
        })?;
        let map_fd = map.duplicate_fd().map_err(io_failed)?;
        let mut keys = cpus.clone();
        let mut open = |read_format| {
            let mut attributes = attributes(read_format);
            let options = sys::perf_buffer_raw_opts {
                sz: size_of::<sys::perf_buffer_raw_opts>() as _,
                cpu_cnt: cpus.len() as i32,
                cpus: cpus.as_mut_ptr(),
                map_keys: keys.as_mut_ptr(),
                ..Default::default()
            };
            messages::collect(ctx.messages.as_ref(), || {
                // SAFETY: all arguments outlive the call. Nobody asks libbpf to consume, so it needs no callback.
                let handle = unsafe {
                    sys::perf_buffer__new_raw(
                        map_fd.as_raw_fd(),
                        pages as sys::size_t,
                        &raw mut attributes,
                        None,
                        ptr::null_mut(),
                        &raw const options,
                    )
                };
                NonNull::new(handle).ok_or_else(last_errno)
            })
        };
        let (mut handle, mut warnings) = open(sys::PERF_FORMAT_LOST);
        let counted = handle != Err(libc::EINVAL);
        if !counted {
            // Before 6.0 the kernel does not know this format.
            (handle, warnings) = open(0);
        }
        let handle = handle.map_err(|errno| failed(errno, &warnings))?;
        // From here on libbpf's perf buffer is freed whatever happens.
        let mut buffers = Buffers {
            cpus: Vec::new(),
            handle,
            _map: map_fd,
            _opened: opened,
            _held: held,
        };
        for (index, cpu) in cpus.iter().enumerate() {
            let mut base = ptr::null_mut();
            let mut size: sys::size_t = 0;
            // SAFETY: libbpf has a buffer for each CPU that it was given, in that order.
            let (answer, fd) = unsafe {
                let (handle, index) = (handle.as_ptr(), index as i32);
                (
                    sys::perf_buffer__buffer(handle, index, &raw mut base, &raw mut size),
                    sys::perf_buffer__buffer_fd(handle, index as sys::size_t),
                )
            };
            let base = NonNull::new(base.cast()).filter(|_| answer == 0 && fd >= 0);
            let base = base.ok_or_else(|| failed(libc::EIO, &[]))?;
            let buffer = CpuBuffer::new(*cpu as u32, fd, base, size as usize);
            buffers.cpus.push(buffer);
        }
        let losses = if counted {
            Losses::Counted(vec![0; cpus.len()])
        } else {
            Losses::Written
        };
        let source = PerfSource {
            buffers: Arc::new(buffers),
            first: 0,
            losses,
        };
        Stream::new(source, ctx.stop()).map_err(io_failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cpus() {
        assert_eq!(parse_cpus("0").unwrap(), [0]);
        assert_eq!(parse_cpus("0-3,5,8-9").unwrap(), [0, 1, 2, 3, 5, 8, 9]);
        assert_eq!(parse_cpus("0-4294967295"), None);
        assert_eq!(parse_cpus(""), None);
        assert_eq!(parse_cpus("a-b"), None);
    }

    /// A buffer in our own memory, laid out as the kernel does.
    struct Fake {
        memory: Vec<u64>,
        size: usize,
    }

    impl Fake {
        fn new(size: usize) -> Self {
            Self {
                memory: vec![0; (page_size() + size) / 8],
                size,
            }
        }

        fn buffer(&mut self) -> CpuBuffer {
            let base = NonNull::new(self.memory.as_mut_ptr().cast()).unwrap();
            CpuBuffer::new(3, -1, base, self.size)
        }

        /// Writes a record at the head, around the end if need be.
        fn write(&mut self, kind: u32, body: &[u8]) {
            let size = (HEADER + body.len()).next_multiple_of(8);
            let mut record = kind.to_ne_bytes().to_vec();
            record.extend([0, 0]);
            record.extend((size as u16).to_ne_bytes());
            record.extend(body);
            record.resize(size, 0);
            let buffer = self.buffer();
            let head = buffer.head().load(Ordering::Relaxed);
            for (index, byte) in record.iter().enumerate() {
                let at = (head as usize + index) & (self.size - 1);
                // SAFETY: within the memory.
                unsafe { buffer.data.add(at).write(*byte) };
            }
            buffer.head().store(head + size as u64, Ordering::Relaxed);
        }

        fn sample(&mut self, data: &[u8]) {
            let mut body = (data.len() as u32).to_ne_bytes().to_vec();
            body.extend(data);
            self.write(sys::PERF_RECORD_SAMPLE, &body);
        }
    }

    #[test]
    fn records_that_go_around_the_end_are_whole() {
        let mut fake = Fake::new(64);
        for turn in 0..20u8 {
            let data = [turn; 20];
            fake.sample(&data);
            let mut packed = Vec::new();
            fake.buffer().take(1 << 16, &mut packed, None).unwrap();
            assert_eq!(packed.len(), 32);
            assert_eq!(packed[..4], 20u32.to_ne_bytes());
            assert_eq!(packed[4..8], 3u32.to_ne_bytes());
            assert_eq!(packed[8..28], data);
        }
    }

    #[test]
    fn a_list_ends_before_what_does_not_fit_and_goes_on_there() {
        let mut fake = Fake::new(256);
        for number in 0..4u8 {
            fake.sample(&[number; 12]);
        }
        let mut numbers = Vec::new();
        for _ in 0..2 {
            let mut packed = Vec::new();
            fake.buffer().take(50, &mut packed, None).unwrap();
            assert_eq!(packed.len(), 48);
            numbers.extend([packed[8], packed[32]]);
        }
        assert_eq!(numbers, [0, 1, 2, 3]);
        // One that is longer than the list may be comes alone.
        fake.sample(&[9; 100]);
        fake.sample(&[9; 12]);
        let mut packed = Vec::new();
        fake.buffer().take(50, &mut packed, None).unwrap();
        assert_eq!(packed.len(), packed_length(100));
    }

    #[test]
    fn losses_written_between_records_are_counted() {
        let mut fake = Fake::new(256);
        fake.sample(&[1; 4]);
        let body = [7u64.to_ne_bytes(), 42u64.to_ne_bytes()].concat();
        fake.write(sys::PERF_RECORD_LOST, &body);
        fake.write(5, &[0; 24]);
        fake.sample(&[2; 4]);
        let (mut packed, mut lost) = (Vec::new(), Lost::default());
        let buffer = fake.buffer();
        buffer.take(1 << 16, &mut packed, Some(&mut lost)).unwrap();
        assert_eq!(packed.len(), 32);
        assert_eq!(lost.count, 42);
        assert_eq!(lost.entries.len(), 16);
    }

    #[test]
    fn what_no_kernel_writes_is_corrupt_and_stays() {
        let take = |fake: &mut Fake| fake.buffer().take(1 << 16, &mut Vec::new(), None);
        // A length past the record's end.
        let mut fake = Fake::new(256);
        fake.write(sys::PERF_RECORD_SAMPLE, &1000u32.to_ne_bytes());
        assert_eq!(take(&mut fake), Err(Corrupt));
        assert_eq!(take(&mut fake), Err(Corrupt));
        // A record without a size.
        let mut fake = Fake::new(256);
        fake.buffer().head().store(8, Ordering::Relaxed);
        assert_eq!(take(&mut fake), Err(Corrupt));
        // More than there is room for.
        let mut fake = Fake::new(256);
        fake.buffer().head().store(264, Ordering::Relaxed);
        assert_eq!(take(&mut fake), Err(Corrupt));
    }
}
