//! Files that are read as they come: `trace_pipe` of tracefs, named pipes.
//!
//! WASI reads files at places in them, and the kernel has no places in these. Here a stream of such a file is one that waits for
//! what comes next, wherever it is asked to begin.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, SeekFrom};
use rustix::io::Errno;
use tokio::io::Interest;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{self, ErrorCode};
use wasmtime_wasi::p2::{DynInputStream, InputStream, Pollable, StreamError, StreamResult};

use crate::readiness;

/// The interface whose function is replaced, at the version that wasmtime-wasi links.
const INTERFACE: &str = "wasi:filesystem/types@0.2.12";

/// Puts the function that makes streams of files in the place of WASI's own, which goes on doing so for all files that have places.
pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    linker.instance(INTERFACE)?.func_wrap(
        "[method]descriptor.read-via-stream",
        |mut store: StoreContextMut<'_, T>, (descriptor, offset): (Resource<Descriptor>, u64)| {
            Ok((read_via_stream(store.data_mut(), descriptor, offset)?,))
        },
    )
}

fn read_via_stream<T: WasiView>(
    data: &mut T,
    descriptor: Resource<Descriptor>,
    offset: u64,
) -> wasmtime::Result<Result<Resource<DynInputStream>, ErrorCode>> {
    let mut view = data.filesystem();
    if let Descriptor::File(file) = view.table.get(&descriptor)?
        && has_no_places(&file.file)
    {
        let stream: DynInputStream = Box::new(Stream {
            file: Arc::clone(&file.file),
        });
        // It is the component's own description of the file: nobody else finds it changed.
        let flags = rustix::fs::fcntl_getfl(&file.file).unwrap_or(OFlags::empty());
        if rustix::fs::fcntl_setfl(&file.file, flags | OFlags::NONBLOCK).is_err() {
            return Ok(Err(ErrorCode::Unsupported));
        }
        return Ok(Ok(view.table.push(stream)?));
    }
    match types::HostDescriptor::read_via_stream(&mut view, descriptor, offset) {
        Ok(stream) => Ok(Ok(stream)),
        Err(error) => Ok(Err(types::Host::convert_error_code(&mut view, error)?)),
    }
}

fn has_no_places(file: &File) -> bool {
    rustix::fs::seek(file, SeekFrom::Current(0)) == Err(Errno::SPIPE)
}

struct Stream {
    file: Arc<File>,
}

/// What one read takes at most.
const MAX_READ: usize = 64 << 10;

impl Stream {
    /// Whether a read would not wait. An error or the other end's going away counts: the read then says what it is.
    fn is_readable(&self) -> bool {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let mut fds = [PollFd::new(&*self.file, PollFlags::IN)];
        poll(&mut fds, Some(&now)) != Ok(0)
    }

    async fn readable(&self) -> io::Result<()> {
        while !self.is_readable() {
            let fd: OwnedFd = self.file.as_fd().try_clone_to_owned()?;
            let reactor = readiness::register(fd, Interest::READABLE)?;
            reactor.readable().await?.clear_ready();
        }
        Ok(())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {
        // A failure is for the read to tell.
        let _ = self.readable().await;
    }
}

#[wasmtime_wasi::async_trait]
impl InputStream for Stream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        // Guest-controlled.
        let mut bytes = vec![0; size.min(MAX_READ)];
        if bytes.is_empty() {
            return Ok(Bytes::new());
        }
        loop {
            match rustix::io::read(&*self.file, &mut bytes) {
                Ok(0) => return Err(StreamError::Closed),
                Ok(count) => {
                    bytes.truncate(count);
                    return Ok(bytes.into());
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(Bytes::new()),
                Err(errno) => {
                    return Err(StreamError::LastOperationFailed(
                        io::Error::from(errno).into(),
                    ));
                }
            }
        }
    }
}
