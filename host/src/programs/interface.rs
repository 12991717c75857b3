//! Network interfaces, which components name.

use std::ffi::CString;
use std::fmt;
use std::io;

use crate::bindings::types::ErrorCode;
use crate::error::{Errno, Failure, FailureResult};

/// A network interface of the host process's network namespace.
#[derive(Clone, Debug)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) index: i32,
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The kernel's IFNAMSIZ without the final zero.
const MAX_NAME: usize = 15;

/// Guest-controlled: what the kernel lets be an interface's name, and nothing else, comes through.
fn name_of_interface(name: &str) -> Option<CString> {
    let ok = (1..=MAX_NAME).contains(&name.len())
        && name != "."
        && name != ".."
        && !name
            .bytes()
            .any(|byte| byte == b'/' || byte == b':' || byte.is_ascii_whitespace() || byte == 0x0b);
    CString::new(name).ok().filter(|_| ok)
}

/// Whether this can be an interface's name.
pub(crate) fn check_name(name: &str) -> FailureResult<CString> {
    name_of_interface(name).ok_or_else(|| {
        let text = format!(
            "{:?} is no name of a network interface: 1 to {MAX_NAME} bytes without `/`, `:` and space",
            // It may be of any length.
            name.chars().take(64).collect::<String>(),
        );
        Failure::refused(ErrorCode::InvalidArgument, text)
    })
}

impl Interface {
    /// The interface of this name in the network namespace of the calling thread.
    pub(crate) fn find(name: &str) -> FailureResult<Self> {
        let c_name = check_name(name)?;
        // SAFETY: a string with a final zero.
        let index = unsafe { libc::if_nametoindex(c_name.as_ptr()) };
        match i32::try_from(index) {
            Ok(index @ 1..) => Ok(Self {
                name: name.to_owned(),
                index,
            }),
            _ => {
                let errno = io::Error::last_os_error().raw_os_error();
                let errno = errno.unwrap_or(libc::ENODEV);
                let text = format!(
                    "there is no network interface {name} in the host's network namespace: {}",
                    Errno(errno)
                );
                Err(Failure::errno(errno, text))
            }
        }
    }

    /// The name that an interface has now; none if there is none of this index.
    pub(crate) fn name_of(index: i32) -> Option<String> {
        let mut name = [0u8; libc::IF_NAMESIZE];
        // SAFETY: the buffer has the length that the function demands.
        let found =
            unsafe { libc::if_indextoname(index.cast_unsigned(), name.as_mut_ptr().cast()) };
        let length = name.iter().position(|byte| *byte == 0)?;
        (!found.is_null()).then(|| String::from_utf8_lossy(&name[..length]).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_interfaces() {
        for good in ["lo", "eth0", "br-1234567890ab", "wg.0", "x@y", "a=b"] {
            assert!(name_of_interface(good).is_some(), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "../lo",
            "a b",
            "a\tb",
            "a\nb",
            "eth0:1",
            "eth0\0",
            "\0",
            "br-1234567890abc",
            &"x".repeat(1 << 20),
        ] {
            assert!(name_of_interface(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn interfaces_are_found() {
        let lo = Interface::find("lo").unwrap();
        assert_eq!(Interface::name_of(lo.index).as_deref(), Some("lo"));
        assert!(Interface::find("wb-no-such").is_err());
        assert_eq!(Interface::name_of(i32::MAX), None);
    }
}
