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

use super::packed::{frame_length, write_header};
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
    /// if `out` is empty one record is taken however long it is. Takes nothing from a ring that is corrupt.
    pub(super) fn take(&self, source: u32, most: usize, out: &mut Vec<u8>) -> Result<(), Corrupt> {
        let (from, pending) = self.pending()?;
        let start = out.len();
        let taken = self
            .copy(from, pending, source, most, out)
            .inspect_err(|_| out.truncate(start))?;
        if taken > 0 {
            // Only now may the kernel write there again.
            let position = position(&self.consumer);
            position.store(from.wrapping_add(taken), Ordering::Release);
        }
        Ok(())
    }

    /// How many bytes were copied. One pass, record by record: the headers are in the way of one large copy, which a second pass would
    /// have to change.
    fn copy(
        &self,
        from: usize,
        pending: usize,
        source: u32,
        most: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize, Corrupt> {
        out.reserve(pending.min(most.saturating_sub(out.len())));
        let mut taken = 0;
        while taken < pending {
            let position = from.wrapping_add(taken);
            let header = self.header(position)?;
            if header & BUSY != 0 {
                break;
            }
            let frame = frame_length(header);
            if frame > pending - taken {
                return Err(Corrupt);
            }
            if out.len() + frame > most {
                if !out.is_empty() {
                    break;
                }
                out.reserve(frame);
            }
            // SAFETY: `frame` bytes from the masked position on are within the double mapping, since frame <= pending <= size; `out` has
            // room for them, and they are initialized by the copy. The header that is written is the one that was checked,
            // whatever another process does to the ring meanwhile.
            unsafe {
                let to = out.as_mut_ptr().add(out.len());
                ptr::copy_nonoverlapping(self.data(position), to, frame);
                write_header(to, header, source);
                out.set_len(out.len() + frame);
            }
            taken += frame;
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
    use rustix::io::pwrite;

    use super::*;

    /// A ring in memory of our own, laid out as the kernel does: positions, then the data twice.
    struct Fake {
        ring: Ring,
        fd: OwnedFd,
        produced: usize,
    }

    const SIZE: usize = 4096;

    impl Fake {
        fn new() -> Self {
            let fd = memfd_create("ring", MemfdFlags::CLOEXEC).unwrap();
            // The kernel's ring has the size of a page; where pages are larger, so is the ring.
            let size = SIZE.max(page_size());
            ftruncate(&fd, (2 * page_size() + 2 * size) as u64).unwrap();
            let ring = Ring::map(fd.try_clone().unwrap(), size as u32).unwrap();
            Self {
                ring,
                fd,
                produced: 0,
            }
        }

        fn write(&self, position: usize, bytes: &[u8]) {
            let size = self.ring.size;
            for (index, byte) in bytes.iter().enumerate() {
                let at = (position + index) & (size - 1);
                for copy in [at, at + size] {
                    let offset = (2 * page_size() + copy) as u64;
                    assert_eq!(pwrite(&self.fd, &[*byte], offset), Ok(1));
                }
            }
        }

        fn produce_to(&mut self, position: usize) {
            self.produced = position;
            let bytes = position.to_ne_bytes();
            assert_eq!(
                pwrite(&self.fd, &bytes, page_size() as u64),
                Ok(bytes.len())
            );
        }

        fn produce(&mut self, word: u32, data: &[u8]) {
            let mut record = word.to_ne_bytes().to_vec();
            record.extend(77u32.to_ne_bytes());
            record.extend(data);
            record.resize(record.len().next_multiple_of(8), 0);
            self.write(self.produced, &record);
            self.produce_to(self.produced + record.len());
        }

        fn take(&self, most: usize) -> Result<Vec<u8>, Corrupt> {
            let mut out = Vec::new();
            self.ring.take(5, most, &mut out).map(|()| out)
        }
    }

    #[test]
    fn records_come_whole_and_with_their_source() {
        let mut fake = Fake::new();
        // Around the end several times.
        for turn in 0..1000usize {
            let data = vec![turn as u8; 1 + turn % 50];
            fake.produce(data.len() as u32, &data);
            fake.produce(8 | 1 << 30, &[9; 8]);
            let packed = fake.take(1 << 16).unwrap();
            let first = frame_length(data.len() as u32);
            assert_eq!(packed.len(), first + 16);
            assert_eq!(packed[..4], (data.len() as u32).to_ne_bytes());
            assert_eq!(packed[4..8], 5u32.to_ne_bytes());
            assert_eq!(&packed[8..8 + data.len()], data);
            assert_eq!(packed[first..first + 4], (8u32 | 1 << 30).to_ne_bytes());
            assert_eq!(fake.ring.available(), Ok(0));
        }
    }

    #[test]
    fn a_read_ends_before_what_does_not_fit_or_is_not_submitted() {
        let mut fake = Fake::new();
        for _ in 0..3 {
            fake.produce(8, &[1; 8]);
        }
        fake.produce(8 | BUSY, &[2; 8]);
        fake.produce(8, &[3; 8]);
        assert_eq!(fake.take(0).unwrap().len(), 16, "one at least");
        assert_eq!(fake.take(31).unwrap().len(), 16);
        assert_eq!(fake.take(1 << 16).unwrap().len(), 16);
        assert!(fake.take(1 << 16).unwrap().is_empty());
        assert_eq!(fake.ring.has_record(), Ok(false));
        assert_eq!(fake.ring.available(), Ok(32));
        let mut out = vec![0; 10];
        fake.write(48, &8u32.to_ne_bytes());
        fake.ring.take(5, 12, &mut out).unwrap();
        assert_eq!(out.len(), 10, "there is something in it already");
    }

    #[test]
    fn nothing_is_taken_from_a_corrupt_ring() {
        let mut fake = Fake::new();
        fake.produce(8, &[1; 8]);
        fake.produce(1000, &[2; 8]);
        assert_eq!(fake.take(1 << 16), Err(Corrupt));
        assert_eq!(fake.ring.available(), Ok(32));
        let mut out = vec![7; 24];
        assert_eq!(fake.ring.take(0, 1 << 16, &mut out), Err(Corrupt));
        assert_eq!(out, [7; 24]);
        let mut fake = Fake::new();
        fake.produce_to(fake.ring.size + 8);
        assert_eq!(fake.take(1 << 16), Err(Corrupt));
        let fake = Fake::new();
        assert_eq!(pwrite(&fake.fd, &4usize.to_ne_bytes(), 0), Ok(8));
        assert_eq!(fake.take(1 << 16), Err(Corrupt));
    }
}
