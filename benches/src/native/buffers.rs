//! Ring buffers and perf buffers through libbpf.

use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};

use anyhow::{Result, ensure};
use libbpf_sys as sys;

use super::Native;
use super::object::{Object, answer, pointer};
use crate::data::{PAGES, RECORDS};
use crate::trigger::Trigger;

/// What the callbacks add to.
#[derive(Default)]
struct Tally {
    sum: u64,
    count: u32,
    lost: u64,
}

impl Tally {
    /// Adds a record.
    ///
    /// # Safety
    /// `tally` and `data` are what libbpf calls back with: the tally that it was given, which nobody uses meanwhile, and a record, which has
    /// 8 bytes or more and is aligned to 4 of them.
    unsafe fn take(tally: *mut c_void, data: *mut c_void) {
        // SAFETY: see above.
        let (tally, number) = unsafe {
            (
                &mut *tally.cast::<Self>(),
                data.cast::<u64>().read_unaligned(),
            )
        };
        tally.sum = tally.sum.wrapping_add(number);
        tally.count += 1;
    }

    /// The sum of a run, if it had all records.
    fn total(&self, iterations: u32) -> Result<u64> {
        ensure!(
            self.count == iterations * RECORDS && self.lost == 0,
            "native side: {} records came and {} were lost, in place of {RECORDS}",
            self.count,
            self.lost
        );
        Ok(self.sum)
    }
}

/// A ring buffer with libbpf's consumer.
pub struct Ring {
    ring: NonNull<sys::ring_buffer>,
    // Where libbpf was told that it is: behind a pointer, since a reference could not be shared with it.
    tally: NonNull<Tally>,
    _object: Object,
}

unsafe extern "C" fn on_ring_record(
    tally: *mut c_void,
    data: *mut c_void,
    _: sys::size_t,
) -> c_int {
    // SAFETY: called by libbpf with what `Ring::new` gave it.
    unsafe { Tally::take(tally, data) };
    0
}

impl Ring {
    pub fn new(object: &[u8], trigger: Trigger) -> Result<Self> {
        let object = Object::load(object, Some(c"fill_ring"), trigger)?;
        let fd = object.map_fd(c"ring")?;
        let tally = NonNull::from(Box::leak(Box::<Tally>::default()));
        // SAFETY: a map's descriptor, and a tally that outlives the ring.
        let ring = unsafe {
            sys::ring_buffer__new(fd, Some(on_ring_record), tally.as_ptr().cast(), ptr::null())
        };
        let ring = pointer(ring, "open the ring buffer").inspect_err(|_| {
            // SAFETY: nobody else knows it.
            drop(unsafe { Box::from_raw(tally.as_ptr()) });
        })?;
        Ok(Self {
            ring,
            tally,
            _object: object,
        })
    }
}

impl Native for Ring {
    fn run(&mut self, iterations: u32) -> Result<u64> {
        // SAFETY: ours, and libbpf does not use it now.
        unsafe { *self.tally.as_ptr() = Tally::default() };
        // SAFETY: an open ring.
        answer(
            unsafe { sys::ring_buffer__consume(self.ring.as_ptr()) },
            "consume the ring buffer",
        )?;
        // SAFETY: as above.
        unsafe { self.tally.as_ref() }.total(iterations)
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: ours; the tally after who uses it.
        unsafe {
            sys::ring_buffer__free(self.ring.as_ptr());
            drop(Box::from_raw(self.tally.as_ptr()));
        }
    }
}

/// A perf buffer with libbpf's consumer.
pub struct Perf {
    buffer: NonNull<sys::perf_buffer>,
    tally: NonNull<Tally>,
    _object: Object,
}

unsafe extern "C" fn on_perf_record(tally: *mut c_void, _: c_int, data: *mut c_void, _: u32) {
    // SAFETY: called by libbpf with what `Perf::new` gave it.
    unsafe { Tally::take(tally, data) };
}

unsafe extern "C" fn on_perf_lost(tally: *mut c_void, _: c_int, count: u64) {
    // SAFETY: the tally that libbpf was given, which nobody uses meanwhile.
    unsafe { (*tally.cast::<Tally>()).lost += count };
}

impl Perf {
    pub fn new(object: &[u8], trigger: Trigger) -> Result<Self> {
        let object = Object::load(object, Some(c"fill_perf"), trigger)?;
        let fd = object.map_fd(c"events")?;
        let tally = NonNull::from(Box::leak(Box::<Tally>::default()));
        // SAFETY: a map's descriptor, and a tally that outlives the buffer.
        let buffer = unsafe {
            sys::perf_buffer__new(
                fd,
                PAGES as sys::size_t,
                Some(on_perf_record),
                Some(on_perf_lost),
                tally.as_ptr().cast(),
                ptr::null(),
            )
        };
        let buffer = pointer(buffer, "open the perf buffer").inspect_err(|_| {
            // SAFETY: nobody else knows it.
            drop(unsafe { Box::from_raw(tally.as_ptr()) });
        })?;
        Ok(Self {
            buffer,
            tally,
            _object: object,
        })
    }
}

impl Native for Perf {
    fn run(&mut self, iterations: u32) -> Result<u64> {
        // SAFETY: ours, and libbpf does not use it now.
        unsafe { *self.tally.as_ptr() = Tally::default() };
        // SAFETY: an open buffer.
        answer(
            unsafe { sys::perf_buffer__consume(self.buffer.as_ptr()) },
            "consume the perf buffer",
        )?;
        // SAFETY: as above.
        unsafe { self.tally.as_ref() }.total(iterations)
    }
}

impl Drop for Perf {
    fn drop(&mut self) {
        // SAFETY: ours; the tally after who uses it.
        unsafe {
            sys::perf_buffer__free(self.buffer.as_ptr());
            drop(Box::from_raw(self.tally.as_ptr()));
        }
    }
}
