//! Running the host, and talking with what it runs.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::{PATIENCE, example, guest, host};

/// `wasm-bpf run`, or a native program, to be.
pub struct Run {
    options: Vec<OsString>,
    component: OsString,
    args: Vec<OsString>,
    before: Vec<Box<dyn FnMut() -> io::Result<()> + Send + Sync>>,
    host: OsString,
    is_native: bool,
    input: bool,
    reads_output: bool,
}

impl Run {
    /// Runs a component.
    pub fn component(path: impl AsRef<Path>) -> Self {
        Self {
            options: Vec::new(),
            component: path.as_ref().into(),
            args: Vec::new(),
            before: Vec::new(),
            host: host().into(),
            is_native: false,
            input: false,
            reads_output: true,
        }
    }

    /// Runs a program without the host.
    pub fn native(path: impl AsRef<Path>) -> Self {
        Self {
            is_native: true,
            ..Self::component(path)
        }
    }

    /// Runs a guest of `tests/guests` with a case of it.
    pub fn guest(name: &str, case: &str) -> Self {
        Self::component(guest(name)).arg(case)
    }

    /// Runs an example.
    pub fn example(name: &str) -> Self {
        Self::component(example(name))
    }

    /// Adds an option of `wasm-bpf run`.
    pub fn option(mut self, option: impl AsRef<OsStr>) -> Self {
        self.options.push(option.as_ref().into());
        self
    }

    /// Adds options of `wasm-bpf run`.
    pub fn options<S: AsRef<OsStr>>(self, options: impl IntoIterator<Item = S>) -> Self {
        options.into_iter().fold(self, Self::option)
    }

    /// Adds an argument of the component.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().into());
        self
    }

    /// Adds arguments of the component.
    pub fn args<S: AsRef<OsStr>>(self, args: impl IntoIterator<Item = S>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Sets a variable of the component: `NAME=VALUE`.
    pub fn env(self, variable: impl AsRef<OsStr>) -> Self {
        self.option("--env").option(variable)
    }

    /// Uses another copy of the host.
    pub fn with_host(mut self, host: impl AsRef<Path>) -> Self {
        self.host = host.as_ref().into();
        self
    }

    /// Gives it a standard input to speak into; otherwise it has an empty one.
    pub fn with_input(mut self) -> Self {
        self.input = true;
        self
    }

    /// Leaves what it prints on standard output in the pipe.
    pub fn without_reader(mut self) -> Self {
        self.reads_output = false;
        self
    }

    /// Does something in the new process before the host begins. As between fork and exec: system calls only.
    pub fn before(mut self, act: impl FnMut() -> io::Result<()> + Send + Sync + 'static) -> Self {
        self.before.push(Box::new(act));
        self
    }

    /// Starts it.
    pub fn start(self) -> Running {
        // The guest learns its host's process id, by which it finds its own system calls. Only a shell has it before the
        // command line is made.
        let mut command = if self.is_native {
            assert!(self.options.is_empty(), "a native program has no grants");
            Command::new(&self.component)
        } else {
            let mut command = Command::new("/bin/sh");
            command
                .args(["-c", r#"exec "$0" run --env "HOST_PID=$$" "$@""#])
                .arg(&self.host)
                .args(["--env", &format!("SYS_BPF={}", libc::SYS_bpf)])
                .args(&self.options)
                .arg(&self.component);
            command
        };
        command
            .args(&self.args)
            .stdin(if self.input {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for act in self.before {
            // SAFETY: `before` says what may be done.
            unsafe { command.pre_exec(act) };
        }
        let mut child = command.spawn().expect("it can be started");
        let input = child.stdin.take();
        let output = child.stdout.take().expect("it has a pipe");
        let (output, unread) = if self.reads_output {
            (Output::of(output), None)
        } else {
            (Output::of(io::empty()), Some(output))
        };
        let errors = Output::of(child.stderr.take().expect("it has a pipe"));
        Running {
            child,
            input,
            output,
            errors,
            unread,
        }
    }

    /// Runs it to its end.
    pub fn finish(self) -> Finished {
        self.start().finish()
    }
}

/// The lines of an output, as they come.
pub struct Output {
    lines: Receiver<(Instant, String)>,
    seen: String,
}

impl Output {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            // Ends with the stream, or with whoever is told.
            while let Ok(1..) = stream.read_until(b'\n', &mut line) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                if sender.send((Instant::now(), text)).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Self {
            lines,
            seen: String::new(),
        }
    }

    fn next(&mut self, until: Instant) -> Result<(Instant, String), RecvTimeoutError> {
        let left = until.saturating_duration_since(Instant::now());
        let (at, line) = self.lines.recv_timeout(left)?;
        self.seen.push_str(&line);
        self.seen.push('\n');
        Ok((at, line))
    }

    /// All of it, after it ended.
    fn rest(mut self, until: Instant) -> String {
        while self.next(until).is_ok() {}
        self.seen
    }
}

/// A host that runs. Dropping it kills it.
pub struct Running {
    child: Child,
    input: Option<ChildStdin>,
    output: Output,
    errors: Output,
    unread: Option<ChildStdout>,
}

impl Running {
    /// The host's process id.
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: i32) {
        // SAFETY: our child, which is not reaped while this lives.
        let answer = unsafe { libc::kill(self.pid(), signal) };
        assert_eq!(answer, 0, "cannot send signal {signal}");
    }

    /// Writes a line to its standard input.
    pub fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("it has an input");
        writeln!(input, "{line}").expect("it reads its input");
    }

    /// Bytes in the pipe of its output, if nobody reads it.
    pub fn unread(&self) -> usize {
        let pipe = self.unread.as_ref().expect("nobody reads its output");
        let mut bytes: libc::c_int = 0;
        // SAFETY: writes one int.
        let answer = unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut bytes) };
        assert_eq!(answer, 0);
        bytes.cast_unsigned() as usize
    }

    /// Closes its output, if nobody reads it.
    pub fn close_output(&mut self) {
        self.unread.take().expect("nobody reads its output");
    }

    /// Waits for a line of standard output that begins so, and returns it.
    #[track_caller]
    pub fn line(&mut self, start: &str) -> String {
        self.line_at(start).1
    }

    /// The same, with when it came.
    #[track_caller]
    pub fn line_at(&mut self, start: &str) -> (Instant, String) {
        self.wait_for(start, |running| &mut running.output)
    }

    /// Waits for a line of standard error that begins so, with when it came.
    #[track_caller]
    pub fn error_line_at(&mut self, start: &str) -> (Instant, String) {
        self.wait_for(start, |running| &mut running.errors)
    }

    #[track_caller]
    fn wait_for(
        &mut self,
        start: &str,
        output: impl Fn(&mut Self) -> &mut Output,
    ) -> (Instant, String) {
        let until = Instant::now() + PATIENCE;
        loop {
            match output(self).next(until) {
                Ok((at, line)) if line.starts_with(start) => return (at, line),
                Ok(_) => {}
                Err(why) => {
                    let why = match why {
                        RecvTimeoutError::Timeout => "in time",
                        RecvTimeoutError::Disconnected => "before the output ended",
                    };
                    // What the other output has is often the reason.
                    let soon = Instant::now() + Duration::from_millis(200);
                    while self.output.next(soon).is_ok() {}
                    while self.errors.next(soon).is_ok() {}
                    panic!(
                        "no line {start:?} came {why}\n--- output:\n{}--- errors:\n{}",
                        self.output.seen, self.errors.seen
                    );
                }
            }
        }
    }

    /// Waits for a line of standard error.
    #[track_caller]
    pub fn error_line(&mut self, start: &str) -> String {
        self.error_line_at(start).1
    }

    /// The next line of standard output; none at its end.
    #[track_caller]
    pub fn next_line(&mut self) -> Option<String> {
        match self.output.next(Instant::now() + PATIENCE) {
            Ok((_, line)) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                panic!("no line came in time\n--- output:\n{}", self.output.seen)
            }
        }
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("our child").is_some()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        // A guest that reads gets an end.
        self.input.take();
        self.end()
    }

    /// Waits for its end, with its input open.
    #[track_caller]
    pub fn finish_with_input_open(mut self) -> Finished {
        let _input = self.input.take();
        self.end()
    }

    #[track_caller]
    fn end(mut self) -> Finished {
        let until = Instant::now() + PATIENCE * 2;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                break status;
            }
            if Instant::now() > until {
                // Ends the outputs as well.
                let _ = self.child.kill();
                let soon = Instant::now() + Duration::from_secs(1);
                while self.output.next(soon).is_ok() {}
                while self.errors.next(soon).is_ok() {}
                panic!(
                    "it did not end\n--- output:\n{}--- errors:\n{}",
                    self.output.seen, self.errors.seen
                );
            }
            thread::sleep(Duration::from_millis(1));
        };
        let ended_at = Instant::now();
        let take = |output: &mut Output| std::mem::replace(output, Output::of(io::empty()));
        Finished {
            status,
            ended_at,
            output: take(&mut self.output).rest(until),
            errors: take(&mut self.errors).rest(until),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A host that ended.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub ended_at: Instant,
    pub output: String,
    pub errors: String,
}

impl Finished {
    /// Of any command, not only `wasm-bpf run`.
    pub fn of(command: &mut Command) -> Self {
        let output = command
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Self {
            status: output.status,
            ended_at: Instant::now(),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Its exit code; a signal is none.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Asserts that it ended well.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.ended_with(0)
    }

    /// Asserts its exit code.
    #[track_caller]
    pub fn ended_with(self, code: i32) -> Self {
        assert_eq!(
            self.code(),
            Some(code),
            "signal {:?}\n--- output:\n{}--- errors:\n{}",
            self.status.signal(),
            self.output,
            self.errors
        );
        self
    }

    /// Asserts that standard error has each of these.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(
                self.errors.contains(part),
                "standard error does not say {part:?}\n--- output:\n{}--- errors:\n{}",
                self.output,
                self.errors
            );
        }
        self
    }

    /// The line of standard output that begins so.
    #[track_caller]
    pub fn line(&self, start: &str) -> &str {
        self.output
            .lines()
            .find(|line| line.starts_with(start))
            .unwrap_or_else(|| {
                panic!(
                    "no line {start:?}\n--- output:\n{}--- errors:\n{}",
                    self.output, self.errors
                )
            })
    }
}
