//! Standard output whose failures can be told apart, and text that may go there.

use std::io::{self, ErrorKind, Write};

use wasip2::cli::stdout::get_stdout;
use wasip2::io::streams::{OutputStream, StreamError};

/// Standard output. In contrast to that of [`std::io`], whose failures are all "I/O error", a reader that has gone away is
/// [`ErrorKind::BrokenPipe`]: `tool | head` can end in peace. Nothing is buffered; put it into a [`BufWriter`](io::BufWriter).
pub struct Stdout {
    stream: OutputStream,
}

/// Standard output.
pub fn stdout() -> Stdout {
    Stdout {
        stream: get_stdout(),
    }
}

/// What one blocking write takes, by WASI's rules.
const MOST: usize = 4096;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = &bytes[..bytes.len().min(MOST)];
        match self.stream.blocking_write_and_flush(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(StreamError::Closed) => Err(ErrorKind::BrokenPipe.into()),
            Err(StreamError::LastOperationFailed(error)) => {
                Err(io::Error::other(error.to_debug_string()))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A string of C as text: up to its zero, with what is not UTF-8 replaced. Processes choose their names and paths, and control characters
/// would move a terminal's cursor: they become question marks.
///
/// ```
/// use wasm_bpf_guest::printable;
///
/// assert_eq!(printable(b"bash\0\0\0\0"), "bash");
/// assert_eq!(printable(b"a\x1b[2Jb\0rest"), "a?[2Jb");
/// ```
pub fn printable(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end])
        .chars()
        .map(|char| if char.is_control() { '?' } else { char })
        .collect()
}
