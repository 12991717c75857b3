//! One mapped `ringbuf` map: finds whole records in it, copies them, and only then gives their space back.
//!
//! The memory is shared with the kernel and with every process that has the map, so each number in it is checked before
//! it is used, and read once.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering, fence};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use rustix::param::page_size;

/// Bytes in front of each record's data.
pub(super) const HEADER: usize = 8;
/// The program has not submitted the record yet.
const BUSY: u32 = 1 << 31;
/// Bits of the first header word that hold the length of the data; bit 30 says "discarded".
const LENGTH: u32 = (1 << 30) - 1;

/// The positions or lengths in the ring are not what a kernel writes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Corrupt;

/// A ring buffer map in memory.
pub(super) struct Ring {
    fd: OwnedFd,
    /// A page whose first word is the consumer's position; ours to write.
    consumer: Mapping,
    /// A page whose first word is the producer's position, and the data twice in a row, so that a record that wraps around is in one piece.
    producer: Mapping,
    /// Bytes of the data, a power of two.
    size: usize,
}

struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the mapping belongs to this value, and is only accessed through atomics and raw copies.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(fd: &OwnedFd, length: usize, protection: ProtFlags, offset: usize) -> io::Result<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice.
        let start = unsafe {
            mmap(
                ptr::null_mut(),
                length,
                protection,
                MapFlags::SHARED,
                fd,
                offset as u64,
            )?
        };
        let start = NonNull::new(start.cast()).expect("a mapping is not at address 0");
        Ok(Self { start, length })
    }

    fn position(&self) -> &AtomicUsize {
        // SAFETY: page-aligned, at least a page long, and lives as long as `self`.
        unsafe { self.start.cast::<AtomicUsize>().as_ref() }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: our mapping, with no reference left. Failure leaves it mapped, which hurts nobody.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
    }
}

impl Ring {
    /// Maps the ring of a `ringbuf` map with this many bytes.
    pub(super) fn map(fd: OwnedFd, size: u32) -> io::Result<Self> {
        let size = size as usize;
        if !size.is_power_of_two() || !size.is_multiple_of(page_size()) {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let page = page_size();
        let length = size
            .checked_mul(2)
            .and_then(|twice| twice.checked_add(page))
            .ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))?;
        let consumer = Mapping::new(&fd, page, ProtFlags::READ | ProtFlags::WRITE, 0)?;
        let producer = Mapping::new(&fd, length, ProtFlags::READ, page)?;
        Ok(Self {
            fd,
            consumer,
            producer,
            size,
        })
    }

    /// Becomes readable when the kernel wakes the consumer.
    pub(super) fn fd(&self) -> impl AsFd + '_ {
        &self.fd
    }

    /// The consumer's position and how many bytes are pending from there.
    fn pending(&self) -> Result<(usize, usize), Corrupt> {
        // The kernel wakes the consumer only if it sees that the consumer has caught up. Our last store of the position must
        // be visible before we look whether there is more, or both sides could wait for each other.
        fence(Ordering::SeqCst);
        let from = self.consumer.position().load(Ordering::Acquire);
        let to = self.producer.position().load(Ordering::Acquire);
        let pending = to.wrapping_sub(from);
        if pending > self.size || !from.is_multiple_of(8) {
            return Err(Corrupt);
        }
        Ok((from, pending))
    }

    /// Bytes pending, records not yet submitted included.
    pub(super) fn available(&self) -> Result<usize, Corrupt> {
        Ok(self.pending()?.1)
    }

    /// Whether [`take`](Self::take) would return something.
    pub(super) fn has_record(&self) -> Result<bool, Corrupt> {
        let (from, pending) = self.pending()?;
        Ok(pending > 0 && self.header(from)? & BUSY == 0)
    }

    fn data(&self, position: usize) -> *const u8 {
        let offset = page_size() + (position & (self.size - 1));
        debug_assert!(offset < self.producer.length);
        // SAFETY: within the mapping: a page, then twice `size` bytes.
        unsafe { self.producer.start.as_ptr().add(offset) }
    }

    fn header(&self, position: usize) -> Result<u32, Corrupt> {
        if !position.is_multiple_of(8) {
            return Err(Corrupt);
        }
        // SAFETY: within the mapping and aligned, as the position is a multiple of 8.
        let word = unsafe { &*self.data(position).cast::<AtomicU32>() };
        Ok(word.load(Ordering::Acquire))
    }

    /// Appends whole records to `out`, their second header word replaced by `source`. Stops before `out` would be longer than `most`, but
    /// if `out` is empty one record is taken however long it is.
    pub(super) fn take(&self, source: u32, most: usize, out: &mut Vec<u8>) -> Result<(), Corrupt> {
        let (from, pending) = self.pending()?;
        let room = most.saturating_sub(out.len());
        let mut taken = 0;
        while taken < pending {
            let header = self.header(from.wrapping_add(taken))?;
            if header & BUSY != 0 {
                break;
            }
            let frame = frame_length(header);
            if frame > pending - taken {
                return Err(Corrupt);
            }
            let alone = taken == 0 && out.is_empty();
            if taken + frame > room && !alone {
                break;
            }
            taken += frame;
        }
        if taken == 0 {
            return Ok(());
        }
        let start = out.len();
        out.reserve(taken);
        // SAFETY: `taken` bytes from the masked position on are within the double mapping, since taken <= pending <= size;
        // `out` has room for them, and they are initialized by the copy.
        unsafe {
            ptr::copy_nonoverlapping(self.data(from), out.as_mut_ptr().add(start), taken);
            out.set_len(start + taken);
        }
        if stamp(&mut out[start..], source).is_err() {
            // Changed by another process between check and copy.
            out.truncate(start);
            return Err(Corrupt);
        }
        // Only now may the kernel write there again.
        self.consumer
            .position()
            .store(from.wrapping_add(taken), Ordering::Release);
        Ok(())
    }
}

/// Header, data and padding.
fn frame_length(header: u32) -> usize {
    (header & LENGTH).next_multiple_of(8) as usize + HEADER
}

/// Writes `source` into the second header word of each record of `frames`.
fn stamp(frames: &mut [u8], source: u32) -> Result<(), Corrupt> {
    let mut rest = frames;
    while !rest.is_empty() {
        let (header, _) = rest.split_first_chunk_mut::<HEADER>().ok_or(Corrupt)?;
        let [a, b, c, d, ..] = *header;
        let frame = frame_length(u32::from_ne_bytes([a, b, c, d]));
        header[4..].copy_from_slice(&source.to_ne_bytes());
        rest = rest.get_mut(frame..).ok_or(Corrupt)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_padded() {
        assert_eq!(frame_length(0), 8);
        assert_eq!(frame_length(1), 16);
        assert_eq!(frame_length(8), 16);
        assert_eq!(frame_length(9 | 1 << 30), 24);
        assert_eq!(frame_length(LENGTH), (1 << 30) + 8);
    }

    #[test]
    fn stamps_each_record() {
        let mut frames = Vec::new();
        for length in [3u32, 8] {
            frames.extend_from_slice(&length.to_ne_bytes());
            frames.extend_from_slice(&77u32.to_ne_bytes());
            frames.extend_from_slice(&[1; 8]);
        }
        stamp(&mut frames, 5).unwrap();
        assert_eq!(frames[4..8], 5u32.to_ne_bytes());
        assert_eq!(frames[20..24], 5u32.to_ne_bytes());
    }

    #[test]
    fn lengths_past_the_end_are_found() {
        let mut frames = vec![0; 16];
        frames[..4].copy_from_slice(&100u32.to_ne_bytes());
        assert_eq!(stamp(&mut frames, 0), Err(Corrupt));
        assert_eq!(stamp(&mut [0; 4], 0), Err(Corrupt));
    }
}
