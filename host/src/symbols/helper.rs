//! The process that reads symbols, as the host sees it.

use std::ffi::OsString;
use std::io::{self, IoSlice, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use super::protocol::{Answer, Request, TIME_LIMIT, decode, encode, length, read_rest};
use crate::policy::{Need, Reservation, Usage};

/// How the process is started.
#[derive(Clone, Debug)]
pub(crate) struct SymbolizerCommand {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
}

/// The process, which is started when it is first asked, and again when it broke.
#[derive(Debug)]
pub(crate) struct Helper {
    command: Option<SymbolizerCommand>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    // Before the process: without it the process ends.
    stream: UnixStream,
    child: Child,
    has_answered: bool,
    _held: Reservation,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The embedder named no program.
    NoCommand,
    /// A limit.
    Limit(String),
    /// It could not be started.
    Start(io::Error),
    /// It took too long.
    Time,
    /// It ended, or what it says makes no sense.
    Broke(String),
}

impl Helper {
    pub(crate) fn new(command: Option<SymbolizerCommand>) -> Self {
        Self {
            command,
            running: None,
        }
    }

    pub(super) fn ask(
        &mut self,
        usage: &Usage,
        request: &Request,
        file: Option<BorrowedFd<'_>>,
    ) -> Result<Answer, NoAnswer> {
        loop {
            if self.running.is_none() {
                self.running = Some(self.start(usage)?);
            }
            let running = self.running.as_mut().expect("just started");
            let error = match running.ask(request, file) {
                Ok(answer) => {
                    running.has_answered = true;
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let has_answered = running.has_answered;
            let timed_out = matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
            );
            let status = self.running.take().expect("just asked").end();
            let by_alarm = status
                .as_ref()
                .is_ok_and(|status| status.signal() == Some(libc::SIGALRM));
            if timed_out || by_alarm {
                return Err(NoAnswer::Time);
            }
            // What it remembers of earlier calls may have been too much: a new one has only this to do.
            if !has_answered {
                return Err(NoAnswer::Broke(match status {
                    Ok(status) => status.to_string(),
                    Err(_) => error.to_string(),
                }));
            }
        }
    }

    fn start(&self, usage: &Usage) -> Result<Running, NoAnswer> {
        let command = self.command.as_ref().ok_or(NoAnswer::NoCommand)?;
        let need = Need {
            descriptors: 1,
            ..Need::default()
        };
        let held = usage
            .reserve(need)
            .map_err(|limit| NoAnswer::Limit(limit.to_string()))?;
        let start = || {
            let (ours, its) = UnixStream::pair()?;
            // The process has an alarm of its own, for what takes long.
            ours.set_read_timeout(Some(Duration::from_secs(u64::from(TIME_LIMIT) + 5)))?;
            ours.set_write_timeout(Some(Duration::from_secs(5)))?;
            let child = Command::new(&command.program)
                .args(&command.args)
                .env_clear()
                .current_dir("/")
                .stdin(Stdio::from(OwnedFd::from(its)))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                // Ctrl-C at the terminal is for the component.
                .process_group(0)
                .spawn()?;
            Ok((ours, child))
        };
        let (stream, child) = start().map_err(NoAnswer::Start)?;
        Ok(Running {
            stream,
            child,
            has_answered: false,
            _held: held,
        })
    }
}

impl Running {
    fn ask(&mut self, request: &Request, file: Option<BorrowedFd<'_>>) -> io::Result<Answer> {
        let bytes = encode(request)?;
        self.send_length(length(&bytes)?, file)?;
        self.stream.write_all(&bytes)?;
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        decode(&read_rest(&self.stream, length)?)
    }

    fn send_length(&self, length: [u8; 4], file: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let files = file.map(|file| [file]);
        if let Some(files) = &files {
            control.push(SendAncillaryMessage::ScmRights(files));
        }
        let sent = rustix::net::sendmsg(
            self.stream.as_fd(),
            &[IoSlice::new(&length)],
            &mut control,
            SendFlags::NOSIGNAL,
        )?;
        match sent {
            4 => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    /// Ends it, if it has not ended by itself.
    fn end(mut self) -> io::Result<ExitStatus> {
        // One that broke is about to end: its status says how.
        for _ in 0..20 {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It is our child: what could fail is that it has been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
