//! Memory of a descriptor, mapped as long as this lives.

use std::io;
use std::os::fd::AsFd;
use std::ptr::{self, NonNull};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// A shared mapping at an address of the kernel's choice.
pub(crate) struct SharedMapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the mapping belongs to this value, and is only accessed through atomics and raw copies.
unsafe impl Send for SharedMapping {}
// SAFETY: as above.
unsafe impl Sync for SharedMapping {}

impl SharedMapping {
    /// `length` bytes from `offset` on, a multiple of the page size.
    pub(crate) fn new(
        fd: impl AsFd,
        length: usize,
        protection: ProtFlags,
        offset: usize,
    ) -> io::Result<Self> {
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

    /// Where it is, page-aligned.
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// How many bytes were mapped.
    pub(crate) fn length(&self) -> usize {
        self.length
    }
}

impl Drop for SharedMapping {
    fn drop(&mut self) {
        // SAFETY: our mapping, with no reference left. Failure leaves it mapped, which hurts nobody.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
    }
}
