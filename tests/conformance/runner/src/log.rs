//! What the kernel says in its log.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::Context as _;

/// The log from here on.
pub struct KernelLog(File);

/// What it says when something is broken, as opposed to slow or new.
const SIGNS: [&str; 13] = [
    "WARNING:",
    "BUG:",
    "kernel BUG at",
    "Oops",
    "Call Trace:",
    "general protection fault",
    "unable to handle",
    "refcount_t:",
    "UBSAN:",
    "KASAN:",
    "scheduling while atomic",
    "possible recursive locking",
    "unregister_netdevice: waiting",
];

impl KernelLog {
    /// From now on.
    pub fn follow() -> anyhow::Result<Self> {
        const FILE: &str = "/dev/kmsg";
        let mut file = File::options()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(FILE)
            .with_context(|| format!("cannot read the kernel's log, {FILE}"))?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self(file))
    }

    /// The lines that came since, and those among them that tell of something broken.
    pub fn news(&mut self) -> anyhow::Result<News> {
        // One record a read.
        let mut buffer = [0; 8192];
        let mut lines = Vec::new();
        loop {
            match self.0.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => lines.extend(line_of(&buffer[..length])),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // The oldest were overwritten before they were read; the next read goes on after them.
                Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {
                    lines.push("(lines of the log were overwritten before they were read)".into());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("cannot read the kernel's log"),
            }
        }
        let broken = lines.iter().filter(|line| is_broken(line)).cloned();
        Ok(News {
            broken: broken.collect(),
            lines,
        })
    }
}

/// What came.
pub struct News {
    pub lines: Vec<String>,
    pub broken: Vec<String>,
}

/// Of `6,1234,567890,-;text` and lines with more about it.
fn line_of(record: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(record);
    let (_, message) = text.split_once(';')?;
    Some(message.lines().next().unwrap_or_default().to_owned())
}

fn is_broken(line: &str) -> bool {
    SIGNS.iter().any(|sign| line.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_a_text() {
        let record = b"4,1234,567890,-;WARNING: CPU: 0 PID: 1 at kernel/bpf/x.c:1\n SUBSYSTEM=x\n";
        let line = line_of(record).unwrap();
        assert_eq!(line, "WARNING: CPU: 0 PID: 1 at kernel/bpf/x.c:1");
        assert!(is_broken(&line));
        assert!(!is_broken("clocksource: timekeeping watchdog"));
    }

    /// What the kernel says of a process that touches what is not there.
    #[test]
    fn kernel_log_is_followed() {
        let mut log = KernelLog::follow().unwrap();
        // Rust's own handler says it better, but the kernel then says nothing.
        let mut command = std::process::Command::new("/bin/true");
        // SAFETY: system calls, then what the test is about; nothing else runs in this process.
        unsafe {
            std::os::unix::process::CommandExt::pre_exec(&mut command, || {
                libc::signal(libc::SIGSEGV, libc::SIG_DFL);
                std::ptr::without_provenance_mut::<u8>(1).write_volatile(0);
                Ok(())
            });
        }
        // Its end, before it could become the command, is all there is to see.
        assert!(!command.status().is_ok_and(|status| status.success()));
        let news = log.news().unwrap();
        let tells = |news: News| news.lines.iter().any(|line| line.contains("segfault at"));
        // Of a process, not of the kernel: the machine's others have theirs.
        assert!(news.broken.is_empty());
        assert!(tells(news));
        assert!(!tells(log.news().unwrap()), "told once");
    }
}
