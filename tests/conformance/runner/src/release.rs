//! Versions of kernels.

use std::fmt;
use std::fs;

use anyhow::Context as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The first two numbers of a kernel's release: what interfaces are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    major: u32,
    minor: u32,
}

impl Release {
    /// Of `6.12`, or of more, as `6.12.48+deb13-amd64`.
    pub fn parse(text: &str) -> Option<Self> {
        let (major, rest) = text.split_once('.')?;
        let end = rest.find(|c: char| !c.is_ascii_digit());
        let minor = &rest[..end.unwrap_or(rest.len())];
        Some(Self {
            major: major.parse().ok()?,
            minor: minor.parse().ok()?,
        })
    }

    /// The running kernel's, and the whole of its name.
    pub fn running() -> anyhow::Result<(Self, String)> {
        const FILE: &str = "/proc/sys/kernel/osrelease";
        let text = fs::read_to_string(FILE).with_context(|| format!("cannot read {FILE}"))?;
        let text = text.trim_end();
        let release = Self::parse(text).with_context(|| format!("{text:?} is no release"))?;
        Ok((release, text.to_owned()))
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl<'de> Deserialize<'de> for Release {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom(format!("{text:?} is no release")))
    }
}

impl Serialize for Release {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_numbers() {
        let release = |text| Release::parse(text).unwrap();
        assert!(release("5.10.0-33-amd64") < release("6.1"));
        assert!(release("6.1") < release("6.12.48+deb13-amd64"));
        assert_eq!(release("7.3-rc1").to_string(), "7.3");
        for wrong in ["", "6", "x.1", "6."] {
            assert_eq!(Release::parse(wrong), None, "{wrong:?}");
        }
    }
}
