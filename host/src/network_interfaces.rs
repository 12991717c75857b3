//! Network interfaces, which components name.

use std::ffi::CString;
use std::fmt;

use crate::bindings::types::ErrorCode;
use crate::error::Failure;

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

/// Why a name is not that of an interface.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It can be none.
    NoName,
    NotThere,
    /// The interface goes by another, this.
    OtherName(String),
}

impl Unusable {
    /// Its errno; none if the host itself refuses.
    pub(crate) fn errno(&self) -> Option<i32> {
        match self {
            Self::NoName => None,
            Self::NotThere | Self::OtherName(_) => Some(libc::ENODEV),
        }
    }

    /// As a failure, whose message is made of the reason.
    pub(crate) fn failure(&self, text: impl FnOnce(&Self) -> String) -> Failure {
        match self.errno() {
            Some(errno) => Failure::errno(errno, text(self)),
            None => Failure::refused(ErrorCode::InvalidArgument, text(self)),
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName => write!(
                f,
                "that is no name of a network interface: 1 to {MAX_NAME} bytes without `/`, `:` and white space"
            ),
            Self::NotThere => {
                f.write_str("there is no such network interface in the host's network namespace")
            }
            Self::OtherName(name) => write!(f, "that is another name of {name}; use this one"),
        }
    }
}

/// As it is shown: a guest's name may be of any length.
pub(crate) fn shown(name: &str) -> String {
    format!("{:?}", name.chars().take(64).collect::<String>())
}

/// Whether this can be an interface's name.
pub(crate) fn check_name(name: &str) -> Result<CString, Unusable> {
    name_of_interface(name).ok_or(Unusable::NoName)
}

impl Interface {
    /// The interface of this name in the network namespace of the calling thread. Grants go by the name that the kernel itself uses: others that an interface may have
    /// besides do not count.
    pub(crate) fn find(name: &str) -> Result<Self, Unusable> {
        let c_name = check_name(name)?;
        // SAFETY: a string with a final zero.
        let index = unsafe { libc::if_nametoindex(c_name.as_ptr()) };
        let index = i32::try_from(index).ok().filter(|index| *index > 0);
        let index = index.ok_or(Unusable::NotThere)?;
        let known_as = Self::name_of(index).ok_or(Unusable::NotThere)?;
        if known_as != name {
            return Err(Unusable::OtherName(known_as));
        }
        Ok(Self {
            name: known_as,
            index,
        })
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
        assert_eq!(
            Interface::find("wb-no-such").unwrap_err(),
            Unusable::NotThere
        );
        assert_eq!(Interface::find("l o").unwrap_err(), Unusable::NoName);
        assert_eq!(Interface::name_of(i32::MAX), None);
    }
}
