//! Errors.

use std::fmt;

use crate::bindings::types;

/// Why an operation failed, as a case to match on.
pub use crate::bindings::types::ErrorCode as ErrorKind;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the host, the kernel or libbpf: what failed, on what, why, and what to do about it.
///
/// `{}` prints the message. `{:#}` adds the end of the verifier's log, if there is one.
#[derive(Debug, Clone)]
pub struct Error {
    inner: Box<types::Error>,
}

impl Error {
    pub(crate) fn of_code(code: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(types::Error {
                code,
                errno: 0,
                message: message.into(),
                subject: None,
                verifier_log: None,
            }),
        }
    }

    /// An error for data whose layout is not the expected one. For generated skeletons.
    #[doc(hidden)]
    pub fn layout(message: impl Into<String>) -> Self {
        Self::of_code(ErrorKind::WrongSize, message)
    }

    /// The cause as a case.
    pub fn kind(&self) -> ErrorKind {
        self.inner.code
    }

    /// The Linux errno that the kernel or libbpf gave; none if the host itself refused.
    pub fn errno(&self) -> Option<i32> {
        (self.inner.errno != 0).then_some(self.inner.errno)
    }

    /// The program, map or section concerned.
    pub fn subject(&self) -> Option<&str> {
        self.inner.subject.as_deref()
    }

    /// The end of the verifier's log, if the verifier rejected a program.
    pub fn verifier_log(&self) -> Option<&str> {
        self.inner.verifier_log.as_deref()
    }

    /// Whether this is a waiting call's word that a stop was asked for.
    pub fn is_interrupted(&self) -> bool {
        matches!(self.inner.code, ErrorKind::Interrupted)
    }
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        Self {
            inner: Box::new(error),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)?;
        match &self.inner.verifier_log {
            Some(log) if f.alternate() => write!(f, "\nverifier log:\n{}", log.trim_end()),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// The words for a bare code.
pub(crate) fn words(code: ErrorKind) -> String {
    match code {
        ErrorKind::NotGranted => "not granted by the host's policy".into(),
        ErrorKind::NotPermitted => "operation not permitted".into(),
        ErrorKind::AccessDenied => "permission denied".into(),
        ErrorKind::RejectedByVerifier => "rejected by the verifier".into(),
        ErrorKind::Malformed => "malformed".into(),
        ErrorKind::WrongSize => "wrong size".into(),
        ErrorKind::InvalidArgument => "invalid argument".into(),
        ErrorKind::NotFound => "not found".into(),
        ErrorKind::AlreadyExists => "already exists".into(),
        ErrorKind::Busy => "busy".into(),
        ErrorKind::Full => "the map is full".into(),
        ErrorKind::NoSpace => "no space left".into(),
        ErrorKind::OutOfMemory => "out of memory".into(),
        ErrorKind::LimitExceeded => "a limit of the host is reached".into(),
        ErrorKind::WouldBlock => "nothing at the moment".into(),
        ErrorKind::Interrupted => "interrupted: a stop was asked for".into(),
        ErrorKind::NoSuchDevice => "no such device".into(),
        ErrorKind::NoSuchProcess => "no such process".into(),
        ErrorKind::NotSupported => "not supported".into(),
        ErrorKind::Other(errno) => format!("errno {errno}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_shown_when_asked_for() {
        let error = Error::from(types::Error {
            code: ErrorKind::RejectedByVerifier,
            errno: 13,
            message: "rejected".into(),
            subject: Some("f".into()),
            verifier_log: Some("0: (95) exit\n".into()),
        });
        assert_eq!(error.to_string(), "rejected");
        assert_eq!(
            format!("{error:#}"),
            "rejected\nverifier log:\n0: (95) exit"
        );
        assert_eq!((error.errno(), error.subject()), (Some(13), Some("f")));
    }
}
