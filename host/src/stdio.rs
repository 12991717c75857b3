//! Standard output and error that can be waited for.
//!
//! WASI's own write to the descriptor in the middle of a call that may not block: with a full pipe behind it the whole
//! host would hang there, deaf to every stop. Here a write happens only when the descriptor takes it, and otherwise the
//! wait is one that can be interrupted.

use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags};
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
        let duplicate = match kind {
            FileType::Fifo | FileType::CharacterDevice => without_blocking(fd),
            _ => None,
        };
        let duplicate = match duplicate {
            Some(fd) => fd,
            None => fd.try_clone_to_owned()?,
        };
        Ok(Self {
            terminal: fd.is_terminal(),
            fd: Arc::new(duplicate),
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

    /// Writes what the descriptor takes; how much that was.
    fn write_some(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = 0;
        while written < bytes.len() {
            match rustix::io::write(&*self.fd, &bytes[written..]) {
                Ok(count) => written += count,
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(written)
    }
}

/// The same pipe or terminal through a description of our own that does not block: a terminal says that it is writable when it
/// takes a single byte, and then blocks for the rest. The flag cannot be set on the one that we were given, which others share.
fn without_blocking(fd: BorrowedFd<'_>) -> Option<OwnedFd> {
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).ok()
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
        Box::new(Stream {
            output: self.clone(),
            permit: 0,
            rest: Bytes::new(),
        })
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(AsyncOutput {
            output: self.clone(),
            wait: None,
        })
    }
}

/// What a component writes to.
struct Stream {
    output: Output,
    /// What the component was told it may write, and has not written.
    permit: usize,
    /// What the descriptor did not take in spite of saying so.
    rest: Bytes,
}

impl Stream {
    /// Whether nothing is left to write.
    fn write_rest(&mut self) -> io::Result<bool> {
        if !self.rest.is_empty() {
            let written = self.output.write_some(&self.rest)?;
            self.rest.advance(written);
        }
        Ok(self.rest.is_empty())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {
        // A failure is for the write to tell.
        while self.output.writable().await.is_ok() {
            if self.write_rest().unwrap_or(true) {
                return;
            }
        }
    }
}

impl OutputStream for Stream {
    fn check_write(&mut self) -> StreamResult<usize> {
        let ready = self
            .write_rest()
            .and_then(|done| Ok(done && self.output.is_writable()?));
        self.permit = if ready.map_err(stream_error)? {
            self.output.room
        } else {
            0
        };
        Ok(self.permit)
    }

    fn write(&mut self, mut bytes: Bytes) -> StreamResult<()> {
        // Guest-controlled: a write that nobody permitted could block.
        let Some(permit) = self.permit.checked_sub(bytes.len()) else {
            return Err(StreamError::trap(
                "more was written than check-write permitted",
            ));
        };
        self.permit = permit;
        let written = self.output.write_some(&bytes).map_err(stream_error)?;
        bytes.advance(written);
        if !bytes.is_empty() {
            self.permit = 0;
            self.rest = bytes;
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        // What is left is written before the next permit is given, which is what a flush waits for.
        self.permit = 0;
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
        loop {
            let output = self.output.clone();
            let wait = self.wait.get_or_insert_with(|| {
                let output = output.clone();
                Box::pin(async move { output.writable().await })
            });
            let waited = ready!(wait.as_mut().poll(context));
            self.wait = None;
            waited?;
            let length = bytes.len().min(output.room);
            let written = output.write_some(&bytes[..length])?;
            if written > 0 || length == 0 {
                return Poll::Ready(Ok(written));
            }
        }
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
        let mut output = Output::new(write.as_fd()).unwrap().p2_stream();
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
        let mut output = Output::new(write.as_fd()).unwrap().p2_stream();
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
        let mut output = Output::new(file.as_fd()).unwrap().p2_stream();
        assert_eq!(output.check_write().unwrap(), FILE_ROOM);
    }

    #[test]
    fn a_write_without_permit_is_a_trap() {
        let (_read, write) = rustix::pipe::pipe().unwrap();
        let mut output = Output::new(write.as_fd()).unwrap().p2_stream();
        assert!(matches!(
            output.write(Bytes::from_static(b"x")),
            Err(StreamError::Trap(_))
        ));
        let room = output.check_write().unwrap();
        assert!(matches!(
            output.write(Bytes::from(vec![0; room + 1])),
            Err(StreamError::Trap(_))
        ));
    }

    #[test]
    fn what_a_pipe_does_not_take_is_kept_and_written_later() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let output = Output::new(write.as_fd()).unwrap();
        let mut stream = output.p2_stream();
        let room = stream.check_write().unwrap();
        // Somebody else fills the pipe between permit and write.
        let mut filled = 0;
        while output.is_writable().unwrap() {
            filled += output.write_some(&[1; PIPE_BUF]).unwrap();
        }
        stream.write(Bytes::from(vec![2; room])).unwrap();
        assert_eq!(stream.check_write().unwrap(), 0);
        let mut drained = Vec::new();
        while drained.len() < filled {
            let mut part = vec![0; filled - drained.len()];
            let count = rustix::io::read(&read, &mut part).unwrap();
            drained.extend_from_slice(&part[..count]);
        }
        assert!(stream.check_write().unwrap() > 0);
        let mut rest = vec![0; room];
        assert_eq!(rustix::io::read(&read, &mut rest).unwrap(), room);
        assert!(rest.iter().all(|byte| *byte == 2));
    }
}
