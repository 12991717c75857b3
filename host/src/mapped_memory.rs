//! `mapped-memory.wit`.
//!
//! Arrays, global data among them, are mapped by the map's own descriptor with the kernel's length and protection: their pages are there as long as the
//! mapping is, so that reading them cannot fault. An arena's pages come and go as programs say, and touching one that is not there can end
//! the process; the kernel copies from and to arenas instead, and says so if it cannot.

use std::io;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use libbpf_sys as sys;
use rustix::mm::ProtFlags;
use rustix::param::page_size;
use wasmtime::component::Resource;

use crate::bindings::mapped_memory::{Host, HostMapping};
use crate::bindings::types::{ErrorCode, MapType};
use crate::ctx::{WasmBpfCtx, WasmBpfCtxView};
use crate::error::{CodeResult, Errno, Failure, FailureResult};
use crate::maps::{Arena, Map, MapMemory};
use crate::mmap::SharedMapping;
use crate::policy::{Need, Reservation};

/// The memory of a map.
pub struct Mapping {
    memory: Memory,
    size: u64,
    is_writable: bool,
    /// For an arena: whether pages that no program has allocated stay absent.
    holes_stay: bool,
    _map: Arc<MapMemory>,
    _held: Reservation,
}

enum Memory {
    Array(SharedMapping),
    Arena {
        start: NonNull<u8>,
        /// Keeps it mapped.
        _arena: Arena,
    },
}

// SAFETY: an arena's memory is only copied from and to by the kernel, at an address that stays the same while the arena is kept.
unsafe impl Send for Memory {}

/// An entry of 8 bytes for each page of 4096.
const PAGE_TABLES: u64 = 512;

/// What one call copies at most.
const MAX_COPY: usize = 16 << 20;

impl Mapping {
    fn open(ctx: &WasmBpfCtx, map: &Map) -> FailureResult<Self> {
        let info = map.info();
        let name = &info.name;
        let refuse = |code, why: String| {
            Failure::refused(code, format!("cannot map the memory of `{name}`: {why}")).about(name)
        };
        let size = match info.type_ {
            MapType::Array => array_size(info.value_size, info.max_entries),
            MapType::Arena => u64::from(info.max_entries) * page_size() as u64,
            kind => {
                let why = format!(
                    "a map of type {} has none that could be mapped",
                    kind.name()
                );
                return Err(refuse(ErrorCode::NotSupported, why));
            }
        };
        if info.flags & sys::BPF_F_MMAPABLE == 0 {
            let why = "it was made without BPF_F_MMAPABLE; libbpf sets that for sections with variables that are not static";
            return Err(refuse(ErrorCode::NotSupported, why.to_owned()));
        }
        if matches!(info.type_, MapType::Array) && map.is_read_only() {
            let why = "it was made with BPF_F_RDONLY, and the kernel maps no array that user space has never been allowed to write to; \
                       look its values up";
            return Err(refuse(ErrorCode::NotSupported, why.to_owned()));
        }
        let need = Need {
            descriptors: 1,
            // The pages are the map's; the tables that say where they are come with each mapping.
            map_memory: size / PAGE_TABLES + page_size() as u64,
            ..Need::default()
        };
        let held = ctx
            .usage
            .reserve(need)
            .map_err(|limit| refuse(ErrorCode::LimitExceeded, limit.to_string()))?;
        let failed = |error: io::Error| {
            let errno = match error.raw_os_error() {
                // The kernel's word for an arena that has an address already.
                Some(libc::EINVAL) if matches!(info.type_, MapType::Arena) => libc::EBUSY,
                errno => errno.unwrap_or(libc::EIO),
            };
            let text = format!("cannot map the memory of `{name}`: {}", Errno(errno));
            Failure::errno(errno, text).about(name)
        };
        let (memory, is_writable) = if matches!(info.type_, MapType::Arena) {
            let start = arena_start(map, size).map_err(failed)?;
            let arena = map.arena().clone();
            (
                Memory::Arena {
                    start,
                    _arena: arena,
                },
                true,
            )
        } else {
            let (mapping, is_writable) = map_array(map, size).map_err(failed)?;
            (Memory::Array(mapping), is_writable)
        };
        Ok(Self {
            memory,
            size,
            is_writable,
            holes_stay: info.flags & sys::BPF_F_SEGV_ON_FAULT != 0,
            _map: map.memory(),
            _held: held,
        })
    }

    /// Guest-controlled: where a range begins, if it is within the memory.
    fn range(&self, offset: u64, length: usize) -> CodeResult<usize> {
        let end = offset.checked_add(length as u64);
        match end {
            Some(end) if end <= self.size && length <= MAX_COPY => Ok(offset as usize),
            Some(end) if end <= self.size => Err(ErrorCode::LimitExceeded.into()),
            _ => Err(ErrorCode::WrongSize.into()),
        }
    }

    /// The same for a number, which is at a multiple of its size.
    fn number(&self, offset: u64, length: usize) -> CodeResult<usize> {
        let start = self.range(offset, length)?;
        if start.is_multiple_of(length) {
            Ok(start)
        } else {
            Err(ErrorCode::InvalidArgument.into())
        }
    }

    fn demand_writable(&self) -> CodeResult<()> {
        if self.is_writable {
            Ok(())
        } else {
            Err(ErrorCode::NotPermitted.into())
        }
    }

    fn start(&self) -> NonNull<u8> {
        match &self.memory {
            Memory::Array(mapping) => mapping.start(),
            Memory::Arena { start, .. } => *start,
        }
    }

    /// Where an array's byte is; none for an arena, whose memory must not be touched.
    fn in_array(&self, start: usize) -> Option<NonNull<u8>> {
        match &self.memory {
            Memory::Array(mapping) => {
                debug_assert!(start < mapping.length());
                // SAFETY: within the mapping, as `range` checked.
                Some(unsafe { mapping.start().add(start) })
            }
            Memory::Arena { .. } => None,
        }
    }

    fn read(&self, offset: u64, length: u32) -> CodeResult<Vec<u8>> {
        let start = self.range(offset, length as usize)?;
        let mut bytes = Vec::with_capacity(length as usize);
        if length == 0 {
            return Ok(bytes);
        }
        match self.in_array(start) {
            // SAFETY: both have `length` bytes, which are initialized by the copy. Programs may write meanwhile: the bytes are some
            // of theirs or of before, and mean nothing to the host.
            Some(from) => unsafe {
                from.as_ptr()
                    .copy_to_nonoverlapping(bytes.as_mut_ptr(), length as usize);
                bytes.set_len(length as usize);
            },
            None => {
                bytes.resize(length as usize, 0);
                self.copy_from_arena(start, &mut bytes)?;
            }
        }
        Ok(bytes)
    }

    fn write(&self, offset: u64, data: &[u8]) -> CodeResult<()> {
        self.demand_writable()?;
        let start = self.range(offset, data.len())?;
        if data.is_empty() {
            return Ok(());
        }
        match self.in_array(start) {
            // SAFETY: as for `read`; the mapping can be written to.
            Some(to) => unsafe {
                to.as_ptr()
                    .copy_from_nonoverlapping(data.as_ptr(), data.len());
            },
            None => self.copy_to_arena(start, data)?,
        }
        Ok(())
    }

    fn copy_from_arena(&self, start: usize, bytes: &mut [u8]) -> CodeResult<()> {
        let local = iovec(bytes.as_mut_ptr(), bytes.len());
        let remote = iovec(self.start().as_ptr().wrapping_add(start), bytes.len());
        // SAFETY: the kernel writes to `bytes` only, and reads from our own process as from a foreign one: what is not there is an error.
        let copied = unsafe { libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0) };
        self.copied(copied, bytes.len())
    }

    fn copy_to_arena(&self, start: usize, data: &[u8]) -> CodeResult<()> {
        let local = iovec(data.as_ptr().cast_mut(), data.len());
        let remote = iovec(self.start().as_ptr().wrapping_add(start), data.len());
        // SAFETY: the range is within the arena's mapping, as `range` checked, which nothing of the host is in.
        let copied = unsafe { libc::process_vm_writev(libc::getpid(), &local, 1, &remote, 1, 0) };
        self.copied(copied, data.len())
    }

    fn copied(&self, copied: isize, length: usize) -> CodeResult<()> {
        if copied == length as isize {
            return Ok(());
        }
        let errno = if copied < 0 {
            io::Error::last_os_error().raw_os_error()
        } else {
            // Less than all: the rest could not be reached.
            Some(libc::EFAULT)
        };
        Err(match errno {
            Some(libc::EFAULT) if self.holes_stay => ErrorCode::NotFound,
            Some(libc::EFAULT) => ErrorCode::OutOfMemory,
            errno => crate::error::code_of_errno(errno.unwrap_or(libc::EIO)),
        }
        .into())
    }
}

fn iovec(start: *mut u8, length: usize) -> libc::iovec {
    libc::iovec {
        iov_base: start.cast(),
        iov_len: length,
    }
}

/// Up to the end of the last value; each begins at a multiple of 8.
fn array_size(value_size: u32, max_entries: u32) -> u64 {
    let stride = u64::from(value_size).next_multiple_of(8);
    stride * u64::from(max_entries).saturating_sub(1) + u64::from(value_size)
}

/// Maps as the kernel allows: to be written to, or else to be read.
fn map_array(map: &Map, size: u64) -> io::Result<(SharedMapping, bool)> {
    let length = in_pages(size)?;
    let mapped = |protection| SharedMapping::new(map, length, protection, 0);
    match mapped(ProtFlags::READ | ProtFlags::WRITE) {
        // Frozen, or made for reading only.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES)) => {
            Ok((mapped(ProtFlags::READ)?, false))
        }
        other => Ok((other?, true)),
    }
}

/// Where an arena is mapped. One that no object made is mapped now if it is not yet, and stays so as long as the map's handles.
fn arena_start(map: &Map, size: u64) -> io::Result<NonNull<u8>> {
    let own = match map.arena() {
        Arena::OfObject(arena) => return Ok(arena.start),
        Arena::Own(own) => own,
    };
    if let Some(mapping) = own.get() {
        return Ok(mapping.start());
    }
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    let mapping = SharedMapping::new(map, in_pages(size)?, protection, 0)?;
    Ok(own.get_or_init(|| mapping).start())
}

fn in_pages(size: u64) -> io::Result<usize> {
    let size = usize::try_from(size).map_err(|_| io::ErrorKind::OutOfMemory)?;
    Ok(size.next_multiple_of(page_size()))
}

impl Host for WasmBpfCtxView<'_> {}

impl HostMapping for WasmBpfCtxView<'_> {
    fn open(&mut self, map: Resource<Map>) -> FailureResult<Resource<Mapping>> {
        let mapping = Mapping::open(self.ctx, self.table.get(&map)?)?;
        Ok(self.table.push(mapping)?)
    }

    fn size(&mut self, mapping: Resource<Mapping>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&mapping)?.size)
    }

    fn is_writable(&mut self, mapping: Resource<Mapping>) -> wasmtime::Result<bool> {
        Ok(self.table.get(&mapping)?.is_writable)
    }

    fn read(
        &mut self,
        mapping: Resource<Mapping>,
        offset: u64,
        length: u32,
    ) -> CodeResult<Vec<u8>> {
        self.table.get(&mapping)?.read(offset, length)
    }

    fn write(&mut self, mapping: Resource<Mapping>, offset: u64, data: Vec<u8>) -> CodeResult<()> {
        self.table.get(&mapping)?.write(offset, &data)
    }

    fn read_u32(&mut self, mapping: Resource<Mapping>, offset: u64) -> CodeResult<u32> {
        let mapping = self.table.get(&mapping)?;
        let start = mapping.number(offset, 4)?;
        Ok(match mapping.in_array(start) {
            // SAFETY: within the mapping and aligned; programs access it atomically or not at all.
            Some(at) => unsafe { at.cast::<AtomicU32>().as_ref() }.load(Ordering::Relaxed),
            None => {
                let mut bytes = [0; 4];
                mapping.copy_from_arena(start, &mut bytes)?;
                u32::from_ne_bytes(bytes)
            }
        })
    }

    fn write_u32(&mut self, mapping: Resource<Mapping>, offset: u64, value: u32) -> CodeResult<()> {
        let mapping = self.table.get(&mapping)?;
        mapping.demand_writable()?;
        let start = mapping.number(offset, 4)?;
        match mapping.in_array(start) {
            // SAFETY: as for `read_u32`; the mapping can be written to.
            Some(at) => unsafe { at.cast::<AtomicU32>().as_ref() }.store(value, Ordering::Relaxed),
            None => mapping.copy_to_arena(start, &value.to_ne_bytes())?,
        }
        Ok(())
    }

    fn read_u64(&mut self, mapping: Resource<Mapping>, offset: u64) -> CodeResult<u64> {
        let mapping = self.table.get(&mapping)?;
        let start = mapping.number(offset, 8)?;
        Ok(match mapping.in_array(start) {
            // SAFETY: as for `read_u32`.
            Some(at) => unsafe { at.cast::<AtomicU64>().as_ref() }.load(Ordering::Relaxed),
            None => {
                let mut bytes = [0; 8];
                mapping.copy_from_arena(start, &mut bytes)?;
                u64::from_ne_bytes(bytes)
            }
        })
    }

    fn write_u64(&mut self, mapping: Resource<Mapping>, offset: u64, value: u64) -> CodeResult<()> {
        let mapping = self.table.get(&mapping)?;
        mapping.demand_writable()?;
        let start = mapping.number(offset, 8)?;
        match mapping.in_array(start) {
            // SAFETY: as for `write_u32`.
            Some(at) => unsafe { at.cast::<AtomicU64>().as_ref() }.store(value, Ordering::Relaxed),
            None => mapping.copy_to_arena(start, &value.to_ne_bytes())?,
        }
        Ok(())
    }

    fn drop(&mut self, mapping: Resource<Mapping>) -> wasmtime::Result<()> {
        self.table.delete(mapping)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_end_with_the_last_value() {
        assert_eq!(array_size(12, 1), 12);
        assert_eq!(array_size(12, 3), 44);
        assert_eq!(array_size(8, 3), 24);
        assert_eq!(array_size(1, 0), 1);
        assert!(array_size(u32::MAX, u32::MAX) > 1 << 62);
    }
}
