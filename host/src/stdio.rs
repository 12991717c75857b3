//! Standard output and error that can be waited for.
//!
//! WASI's own write to the descriptor in the middle of a call that may not block: with a full pipe behind it the whole
//! host would hang there, deaf to every stop. Here a write happens only when the descriptor takes it, and otherwise the
//! wait is one that can be interrupted.

use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::FileType;
use tokio::io::{AsyncWrite, Interest};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::readiness;

/// An output of the host process for a component to write to.
#[derive(Clone)]
pub struct Output {
    fd: Arc<OwnedFd>,
    terminal: bool,
    /// Bytes that a write takes without blocking when the descriptor says that it is writable.
    room: usize,
}

/// What POSIX promises of a pipe that is writable.
const PIPE_BUF: usize = 4096;
/// Regular files never block for long.
const FILE_ROOM: usize = 64 << 10;

impl Output {
    /// The process's standard output.
    pub fn stdout() -> io::Result<Self> {
        Self::new(io::stdout().as_fd())
    }

    /// The process's standard error.
    pub fn stderr() -> io::Result<Self> {
        Self::new(io::stderr().as_fd())
    }

    /// A descriptor; it is duplicated.
    pub fn new(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let kind = FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode);
        let room = if kind == FileType::RegularFile {
            FILE_ROOM
        } else {
            PIPE_BUF
        };
        Ok(Self {
            terminal: fd.is_terminal(),
            fd: Arc::new(fd.try_clone_to_owned()?),
            room,
        })
    }

    fn is_writable(&self) -> io::Result<bool> {
        let mut fds = [PollFd::new(&*self.fd, PollFlags::OUT)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // An error or a hang-up counts: the write then says what it is.
        match poll(&mut fds, Some(&now)) {
            Ok(count) => Ok(count > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn writable(&self) -> io::Result<()> {
        loop {
            if self.is_writable()? {
                return Ok(());
            }
            let reactor = match readiness::register(self.fd.try_clone()?, Interest::WRITABLE) {
                Ok(reactor) => reactor,
                // Not a descriptor that can be waited for, such as a regular file: always writable.
                Err(error) if error.raw_os_error() == Some(libc::EPERM) => return Ok(()),
                Err(error) => return Err(error),
            };
            let mut ready = reactor.writable().await?;
            ready.clear_ready();
        }
    }

    fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match rustix::io::write(&*self.fd, bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(rustix::io::Errno::INTR) => {}
                // Somebody made the description non-blocking, and somebody else filled it since we looked.
                Err(rustix::io::Errno::AGAIN) => {
                    let mut fds = [PollFd::new(&*self.fd, PollFlags::OUT)];
                    match poll(&mut fds, None) {
                        Ok(_) | Err(rustix::io::Errno::INTR) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn stream_error(error: io::Error) -> StreamError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        StreamError::Closed
    } else {
        StreamError::LastOperationFailed(error.into())
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        self.terminal
    }
}

impl StdoutStream for Output {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(AsyncOutput {
            output: self.clone(),
            wait: None,
        })
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {
        // A failure is for the write to tell.
        let _ = self.writable().await;
    }
}

impl OutputStream for Output {
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(if self.is_writable().map_err(stream_error)? {
            self.room
        } else {
            0
        })
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_all(&bytes).map_err(stream_error)
    }

    fn flush(&mut self) -> StreamResult<()> {
        // Nothing is kept back.
        Ok(())
    }
}

type Wait = Pin<Box<dyn Future<Output = io::Result<()>> + Send + Sync>>;

/// The same for whoever wants tokio's trait.
struct AsyncOutput {
    output: Output,
    wait: Option<Wait>,
}

impl AsyncWrite for AsyncOutput {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let output = self.output.clone();
        let wait = self.wait.get_or_insert_with(|| {
            let output = output.clone();
            Box::pin(async move { output.writable().await })
        });
        let waited = ready!(wait.as_mut().poll(context));
        self.wait = None;
        let length = bytes.len().min(output.room);
        Poll::Ready(
            waited
                .and_then(|()| output.write_all(&bytes[..length]))
                .map(|()| length),
        )
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_pipe_takes_nothing_and_a_drained_one_does() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let mut output = Output::new(write.as_fd()).unwrap();
        let mut written = 0;
        while output.check_write().unwrap() > 0 {
            output.write(Bytes::from(vec![7; PIPE_BUF])).unwrap();
            written += PIPE_BUF;
        }
        assert!(written >= PIPE_BUF);
        let mut drained = vec![0; written];
        rustix::io::read(&read, &mut drained).unwrap();
        assert_eq!(output.check_write().unwrap(), PIPE_BUF);
    }

    #[test]
    fn a_closed_pipe_is_closed() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        drop(read);
        let mut output = Output::new(write.as_fd()).unwrap();
        assert!(output.check_write().unwrap() > 0);
        // The test harness ignores SIGPIPE, as Rust programs do.
        assert!(matches!(
            output.write(Bytes::from_static(b"x")),
            Err(StreamError::Closed)
        ));
    }

    #[test]
    fn files_are_always_ready() {
        let file = tempfile::tempfile().unwrap();
        let mut output = Output::new(file.as_fd()).unwrap();
        assert_eq!(output.check_write().unwrap(), FILE_ROOM);
    }
}
