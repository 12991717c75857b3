//! One mapped `ringbuf` map: finds whole records in it, copies them, and only then gives their space back.
//!
//! The memory is shared with the kernel and with every process that has the map, so each number in it is checked before
//! it is used, and read once.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering, fence};

use rustix::mm::ProtFlags;
use rustix::param::page_size;

use super::packed::{HEADER, frame_length};
use crate::mmap::SharedMapping;

/// The program has not submitted the record yet.
const BUSY: u32 = 1 << 31;

/// The positions or lengths in the ring are not what a kernel writes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Corrupt;

/// A ring buffer map in memory.
pub(super) struct Ring {
    fd: OwnedFd,
    /// A page whose first word is the consumer's position; ours to write.
    consumer: SharedMapping,
    /// A page whose first word is the producer's position, and the data twice in a row, so that a record that wraps around is in one piece.
    producer: SharedMapping,
    /// Bytes of the data, a power of two.
    size: usize,
    /// Where the data begins in the producer's mapping. Kept: asking the C library for the size of a page costs as much as a record.
    page: usize,
}

fn position(mapping: &SharedMapping) -> &AtomicUsize {
    // SAFETY: page-aligned, at least a page long, and lives as long as the mapping.
    unsafe { mapping.start().cast::<AtomicUsize>().as_ref() }
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
        let consumer = SharedMapping::new(&fd, page, ProtFlags::READ | ProtFlags::WRITE, 0)?;
        let producer = SharedMapping::new(&fd, length, ProtFlags::READ, page)?;
        Ok(Self {
            fd,
            consumer,
            producer,
            size,
            page,
        })
    }

    /// Becomes readable when the kernel wakes the consumer.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// The consumer's position and how many bytes are pending from there.
    fn pending(&self) -> Result<(usize, usize), Corrupt> {
        // The kernel wakes the consumer only if it sees that the consumer has caught up. Our last store of the position must
        // be visible before we look whether there is more, or both sides could wait for each other.
        fence(Ordering::SeqCst);
        let from = position(&self.consumer).load(Ordering::Acquire);
        let to = position(&self.producer).load(Ordering::Acquire);
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
        let offset = self.page + (position & (self.size - 1));
        debug_assert!(offset < self.producer.length());
        // SAFETY: within the mapping: a page, then twice `size` bytes.
        unsafe { self.producer.start().as_ptr().add(offset) }
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
        position(&self.consumer).store(from.wrapping_add(taken), Ordering::Release);
        Ok(())
    }
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
