//! `user-ring-buffer`: records for programs.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use libbpf_sys as sys;
use rustix::event::{PollFd, PollFlags, Timespec};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use wasmtime_wasi::p2::Pollable;

use super::stream::descriptors_of_pollable;
use crate::bindings::types::{ErrorCode, MapType};
use crate::ctx::WasmBpfCtx;
use crate::error::{CodeResult, Errno, Failure, FailureResult, code_of_errno};
use crate::lifecycle::Stop;
use crate::maps::{Map, MapMemory};
use crate::objects::last_errno;
use crate::policy::{Need, Reservation, Usage};
use crate::readiness;

/// A producer over a `user-ringbuf`.
pub struct UserRingBuffer {
    ring: NonNull<sys::user_ring_buffer>,
    /// libbpf keeps the number of it.
    map: OwnedFd,
    stop: Stop,
    memory: Arc<MapMemory>,
    _held: Reservation,
}

// SAFETY: libbpf's structure belongs to this value, and is used by one thread at a time.
unsafe impl Send for UserRingBuffer {}

impl UserRingBuffer {
    pub(super) fn open(ctx: &WasmBpfCtx, map: &Map) -> FailureResult<Self> {
        let info = map.info();
        let name = &info.name;
        let refuse = |code, why: String| {
            let text = format!("cannot open the user ring buffer over `{name}`: {why}");
            Failure::refused(code, text).about(name)
        };
        if !matches!(info.type_, MapType::UserRingbuf) {
            let why = format!(
                "it is a map of type {}, not user-ringbuf",
                info.type_.name()
            );
            return Err(refuse(ErrorCode::InvalidArgument, why));
        }
        let need = Need {
            // The map's copy, libbpf's epoll descriptor.
            descriptors: 2,
            ..Need::default()
        };
        let held = ctx
            .usage
            .reserve(need)
            .map_err(|limit| refuse(ErrorCode::LimitExceeded, limit.to_string()))?;
        let failed = |errno| {
            let text = format!(
                "cannot open the user ring buffer over `{name}`: {}",
                Errno(errno)
            );
            Failure::errno(errno, text).about(name)
        };
        let map_fd = map
            .duplicate_fd()
            .map_err(|error| failed(error.raw_os_error().unwrap_or(libc::EIO)))?;
        // SAFETY: the descriptor is open as long as the ring; no options.
        let ring = unsafe { sys::user_ring_buffer__new(map_fd.as_raw_fd(), ptr::null()) };
        let ring = NonNull::new(ring).ok_or_else(|| failed(last_errno()))?;
        Ok(Self {
            ring,
            map: map_fd,
            stop: ctx.stop(),
            memory: map.memory(),
            _held: held,
        })
    }

    pub(super) fn write(&mut self, data: &[u8]) -> CodeResult<()> {
        // Guest-controlled; libbpf refuses what is larger than the ring.
        let length = u32::try_from(data.len()).map_err(|_| ErrorCode::WrongSize)?;
        // SAFETY: nobody else uses the ring now.
        let sample = unsafe { sys::user_ring_buffer__reserve(self.ring.as_ptr(), length) };
        let Some(sample) = NonNull::new(sample) else {
            return Err(match last_errno() {
                libc::E2BIG => ErrorCode::WrongSize,
                errno => code_of_errno(errno),
            }
            .into());
        };
        // SAFETY: libbpf reserved `length` bytes in its mapping of the ring. What is submitted is given to the kernel.
        unsafe {
            ptr::copy_nonoverlapping(data.as_ptr(), sample.as_ptr().cast(), data.len());
            sys::user_ring_buffer__submit(self.ring.as_ptr(), sample.as_ptr());
        }
        Ok(())
    }

    /// What a pollable of this ring is made of.
    pub(super) fn has_room(&self, usage: &Usage) -> wasmtime::Result<HasRoom> {
        Ok(HasRoom {
            // Its own copy and that of its reactor.
            _held: descriptors_of_pollable(usage, 2)?,
            map: self.map.try_clone()?,
            reactor: None,
            stop: self.stop.clone(),
            _memory: Arc::clone(&self.memory),
        })
    }
}

impl Drop for UserRingBuffer {
    fn drop(&mut self) {
        // SAFETY: libbpf's own; the map's descriptor is closed afterwards.
        unsafe { sys::user_ring_buffer__free(self.ring.as_ptr()) };
    }
}

/// Ready when the ring is not full.
pub struct HasRoom {
    map: OwnedFd,
    reactor: Option<AsyncFd<OwnedFd>>,
    stop: Stop,
    _memory: Arc<MapMemory>,
    _held: Reservation,
}

impl HasRoom {
    /// Asks the kernel. A failure is for the next write to tell.
    fn is_ready(&self) -> bool {
        let mut map = [PollFd::new(&self.map, PollFlags::OUT)];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        rustix::event::poll(&mut map, Some(&at_once)) != Ok(0)
    }

    fn reactor(&mut self) -> io::Result<&mut AsyncFd<OwnedFd>> {
        if self.reactor.is_none() {
            let map = self.map.try_clone()?;
            self.reactor = Some(readiness::register(map, Interest::WRITABLE)?);
        }
        Ok(self.reactor.as_mut().expect("made above"))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for HasRoom {
    async fn ready(&mut self) {
        let stop = self.stop.clone();
        while !self.is_ready() && !stop.has_bpf_interrupt() {
            let Ok(reactor) = self.reactor() else { return };
            let ready = tokio::select! {
                ready = reactor.writable_mut() => ready,
                () = stop.bpf_interrupted() => return,
            };
            let Ok(mut ready) = ready else { return };
            ready.clear_ready();
        }
    }
}
