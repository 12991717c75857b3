//! What an iterator writes, as a stream.

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::sync::Arc;

use bytes::Bytes;
use rustix::io::Errno as IoErrno;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, InputStream, Pollable, StreamError, StreamResult};

use super::{Keeps, Link};
use crate::bindings::types::ErrorCode;
use crate::ctx::WasmBpfCtxView;
use crate::error::{Errno, Failure, FailureResult};
use crate::maps::Map;
use crate::policy::{Need, Reservation};

/// A run of an iterator.
struct Run {
    fd: OwnedFd,
    /// The last read came back without output: the program ran for a million things and wrote nothing.
    is_empty: bool,
    is_over: bool,
    // After the descriptor: kernels before 6.0 do not keep the map themselves.
    _map: Option<Arc<Map>>,
    /// The kernel keeps it as long as the descriptor, so it goes on counting.
    _keeps: Keeps,
    _held: Reservation,
}

/// What one read takes at most. The kernel's own buffer has half of it.
const MAX_READ: usize = 64 << 10;

pub(super) fn iterate(
    view: &mut WasmBpfCtxView<'_>,
    link: &Resource<Link>,
) -> FailureResult<Resource<DynInputStream>> {
    let link = view.table.get(link)?;
    let need = Need {
        descriptors: 1,
        ..Need::default()
    };
    let held = view.ctx.usage.reserve(need).map_err(|limit| {
        let text = format!("cannot start the iterator: {limit}");
        Failure::refused(ErrorCode::LimitExceeded, text)
    })?;
    let no_iterator = || {
        let text = "cannot start an iterator: the link is of none";
        Failure::refused(ErrorCode::InvalidArgument, text)
    };
    let fd = link.fd().ok_or_else(no_iterator)?;
    // SAFETY: the descriptor of a link, which is open.
    let fd = unsafe { libbpf_sys::bpf_iter_create(fd.as_raw_fd()) };
    match -fd {
        // Perf events stand for links on old kernels.
        libc::EINVAL | libc::EBADFD => return Err(no_iterator()),
        errno @ 1.. => {
            let text = format!("cannot start the iterator: {}", Errno(errno));
            return Err(Failure::errno(errno, text));
        }
        _ => {}
    }
    let run = Run {
        // SAFETY: just made, and nobody else has it.
        fd: unsafe { OwnedFd::from_raw_fd(fd) },
        is_empty: false,
        is_over: false,
        _map: link.map.clone(),
        _keeps: link.keeps().clone(),
        _held: held,
    };
    let stream: DynInputStream = Box::new(run);
    Ok(view.table.push(stream)?)
}

#[wasmtime_wasi::async_trait]
impl Pollable for Run {
    async fn ready(&mut self) {
        // Each read does something. After one that found nothing to say, others get a turn, among them the stop request.
        if self.is_empty {
            tokio::task::yield_now().await;
        }
    }
}

#[wasmtime_wasi::async_trait]
impl InputStream for Run {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.is_over {
            return Err(StreamError::Closed);
        }
        // Guest-controlled.
        let mut bytes = vec![0; size.min(MAX_READ)];
        if bytes.is_empty() {
            return Ok(Bytes::new());
        }
        let count = loop {
            match rustix::io::read(&self.fd, &mut bytes) {
                Err(IoErrno::INTR) => {}
                result => break result,
            }
        };
        self.is_empty = false;
        match count {
            Ok(0) => {
                self.is_over = true;
                Err(StreamError::Closed)
            }
            Ok(count) => {
                bytes.truncate(count);
                Ok(bytes.into())
            }
            Err(IoErrno::AGAIN) => {
                self.is_empty = true;
                Ok(Bytes::new())
            }
            Err(errno) => {
                let errno = errno.raw_os_error();
                let mut text = format!("the iterator failed: {}", Errno(errno));
                if errno == libc::E2BIG {
                    text.push_str("; what one call of its program writes has to fit into 32 KiB");
                }
                Err(StreamError::LastOperationFailed(wasmtime::Error::msg(text)))
            }
        }
    }

    /// Unlike the default, waits for output as long as there is none.
    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        loop {
            self.ready().await;
            let bytes = self.read(size)?;
            if !bytes.is_empty() || size == 0 {
                return Ok(bytes);
            }
        }
    }
}
