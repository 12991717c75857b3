//! The one place where failures become what a component sees.

use std::fmt;

use wasmtime::component::ResourceTableError;

use crate::bindings::types::{Error, ErrorCode, Host};
use crate::ctx::WasmBpfCtxView;

/// How a hot function fails: a bare code, or a trap for a component that broke the rules.
#[derive(Debug)]
pub enum CodeError {
    /// The component gets this.
    Code(ErrorCode),
    /// The component ends.
    Trap(wasmtime::Error),
}

/// How opening, configuring, loading and attaching fail: with a cause in words, or a trap.
#[derive(Debug)]
pub enum Failure {
    /// The component gets this.
    Error(Box<Error>),
    /// The component ends.
    Trap(wasmtime::Error),
}

pub(crate) type CodeResult<T> = Result<T, CodeError>;
pub(crate) type FailureResult<T> = Result<T, Failure>;

impl Host for WasmBpfCtxView<'_> {
    fn convert_error_code(&mut self, error: CodeError) -> wasmtime::Result<ErrorCode> {
        match error {
            CodeError::Code(code) => Ok(code),
            CodeError::Trap(trap) => Err(trap),
        }
    }

    fn convert_error(&mut self, error: Failure) -> wasmtime::Result<Error> {
        match error {
            Failure::Error(error) => Ok(*error),
            Failure::Trap(trap) => Err(trap),
        }
    }
}

impl From<ErrorCode> for CodeError {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

/// A stale or forged handle is no error to handle: the component is broken.
impl From<ResourceTableError> for CodeError {
    fn from(error: ResourceTableError) -> Self {
        Self::Trap(error.into())
    }
}

impl From<ResourceTableError> for Failure {
    fn from(error: ResourceTableError) -> Self {
        Self::Trap(error.into())
    }
}

impl From<std::io::Error> for CodeError {
    fn from(error: std::io::Error) -> Self {
        Self::Code(code_of_errno(error.raw_os_error().unwrap_or(libc::EIO)))
    }
}

impl Failure {
    /// The host itself refuses.
    pub(crate) fn refused(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(code, 0, message)
    }

    /// The kernel or libbpf gave `errno`.
    pub(crate) fn errno(errno: i32, message: impl Into<String>) -> Self {
        Self::new(code_of_errno(errno), errno, message)
    }

    pub(crate) fn new(code: ErrorCode, errno: i32, message: impl Into<String>) -> Self {
        Self::Error(Box::new(Error {
            code,
            errno,
            message: message.into(),
            subject: None,
            verifier_log: None,
        }))
    }

    /// The kernel gave `errno` when it was to create something. What is not there yet cannot be full: the kernel says E2BIG of sizes that
    /// it does not take.
    pub(crate) fn errno_of_creation(errno: i32, message: impl Into<String>) -> Self {
        match errno {
            libc::E2BIG => Self::new(ErrorCode::InvalidArgument, errno, message),
            _ => Self::errno(errno, message),
        }
    }

    /// A bare code, with words.
    pub(crate) fn of(error: CodeError, message: impl Into<String>) -> Self {
        match error {
            CodeError::Code(code) => Self::new(code, 0, message),
            CodeError::Trap(trap) => Self::Trap(trap),
        }
    }

    /// Names the program, map or section concerned.
    pub(crate) fn about(mut self, subject: impl Into<String>) -> Self {
        if let Self::Error(error) = &mut self {
            error.subject = Some(subject.into());
        }
        self
    }

    /// Adds a line on what to do.
    pub(crate) fn with_remedy(mut self, line: &str) -> Self {
        if let Self::Error(error) = &mut self {
            error.message.push('\n');
            error.message.push_str(line);
        }
        self
    }

    pub(crate) fn with_log(mut self, log: String) -> Self {
        if let Self::Error(error) = &mut self {
            error.verifier_log = Some(log);
        }
        self
    }
}

/// libbpf's own error numbers start here (`enum libbpf_errno`).
const LIBBPF_ERRNO_START: i32 = 4000;
const LIBBPF_ERRNO_VERIFY: i32 = 4007;
/// The kernel's ENOTSUPP, which is not in POSIX and reaches user space from several BPF paths.
pub(crate) const KERNEL_ENOTSUPP: i32 = 524;

pub(crate) fn code_of_errno(errno: i32) -> ErrorCode {
    match errno {
        libc::EPERM => ErrorCode::NotPermitted,
        libc::EACCES => ErrorCode::AccessDenied,
        libc::ENOEXEC => ErrorCode::Malformed,
        libc::EINVAL => ErrorCode::InvalidArgument,
        libc::ENOENT => ErrorCode::NotFound,
        libc::EEXIST => ErrorCode::AlreadyExists,
        libc::EBUSY => ErrorCode::Busy,
        libc::E2BIG => ErrorCode::Full,
        libc::ENOSPC => ErrorCode::NoSpace,
        libc::ENOMEM => ErrorCode::OutOfMemory,
        libc::EAGAIN => ErrorCode::WouldBlock,
        libc::EINTR => ErrorCode::Interrupted,
        libc::ENODEV => ErrorCode::NoSuchDevice,
        libc::ESRCH => ErrorCode::NoSuchProcess,
        libc::EOPNOTSUPP | libc::ENOSYS | KERNEL_ENOTSUPP => ErrorCode::NotSupported,
        LIBBPF_ERRNO_VERIFY => ErrorCode::RejectedByVerifier,
        LIBBPF_ERRNO_START..=4099 => ErrorCode::Malformed,
        other => ErrorCode::Other(other),
    }
}

/// The words for an errno, libbpf's and the kernel's private ones included.
pub(crate) struct Errno(pub(crate) i32);

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            KERNEL_ENOTSUPP => f.write_str("not supported by the kernel (ENOTSUPP)"),
            4000 => f.write_str("libelf cannot read it"),
            4001 => f.write_str("not a valid BPF object"),
            4003 => f.write_str("it is for a machine of the other byte order"),
            4005 => f.write_str("a relocation failed"),
            errno if (LIBBPF_ERRNO_START..=4099).contains(&errno) => {
                write!(f, "libbpf error {errno}")
            }
            errno => {
                let text = std::io::Error::from_raw_os_error(errno).to_string();
                // std appends " (os error N)", which says nothing to most readers.
                f.write_str(text.split(" (os error").next().unwrap_or(&text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errnos_have_cases() {
        assert!(matches!(
            code_of_errno(libc::EPERM),
            ErrorCode::NotPermitted
        ));
        assert!(matches!(code_of_errno(524), ErrorCode::NotSupported));
        assert!(matches!(code_of_errno(4001), ErrorCode::Malformed));
        assert!(matches!(
            code_of_errno(libc::EXDEV),
            ErrorCode::Other(libc::EXDEV)
        ));
    }

    #[test]
    fn errnos_have_words() {
        assert_eq!(Errno(libc::EPERM).to_string(), "Operation not permitted");
        assert!(Errno(524).to_string().contains("not supported"));
    }
}
