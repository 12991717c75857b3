//! Grants: what an operator allows beyond observing.

use std::fmt;
use std::str::FromStr;

/// Something that is not observing and that an operator may allow.
///
/// Written `NAME` or `NAME=VALUE`; where a value is taken, `*` stands for every one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    name: &'static str,
    value: Option<String>,
}

/// Name, what the value is (none: takes no value), what it allows.
pub(crate) const GRANTS: &[(&str, Option<&str>, &str)] = &[
    (
        "binary",
        Some("PATH"),
        "probe processes that run this file, when an ELF section names it (uprobe); since Linux 6.18 a probe can change their registers",
    ),
    (
        "cgroup",
        Some("PATH"),
        "programs on cgroups: sockets, packets, devices, sysctl, sock_ops",
    ),
    (
        "debug-info",
        None,
        "places in source code and inlined functions, for which the host opens what other users' files name",
    ),
    (
        "disconnect",
        None,
        "let a program stay attached after the component ended",
    ),
    ("fmod-ret", None, "change what kernel functions return"),
    ("freplace", None, "replace functions of other BPF programs"),
    (
        "helper",
        Some("NAME"),
        "this helper, such as bpf_send_signal",
    ),
    ("kfunc", Some("NAME"), "this kernel function"),
    ("lsm", None, "security hooks, which may deny operations"),
    ("lwt", None, "programs on routes (lightweight tunnels)"),
    (
        "map-type",
        Some("NAME"),
        "this kind of map, when it is not among those for observing",
    ),
    ("netfilter", None, "packet filter hooks"),
    (
        "netns",
        None,
        "socket lookup and flow dissection of a network namespace",
    ),
    (
        "pin",
        Some("PATH"),
        "keep maps, programs and links under this path of a BPF file system",
    ),
    (
        "program-type",
        Some("NAME"),
        "this kind of program, when no other grant covers it",
    ),
    (
        "query",
        None,
        "list what others have in the kernel, and read their maps",
    ),
    (
        "query-change",
        None,
        "with query: change what others have in the kernel, their maps, programs and links",
    ),
    (
        "raw-tracepoint-writable",
        None,
        "raw tracepoints that can write to their arguments",
    ),
    (
        "socket",
        Some("ADDRESS"),
        "TCP and UDP sockets at or to this address and port, for programs and maps of sockets",
    ),
    (
        "socket-filter",
        Some("INTERFACE"),
        "see packets of this network interface",
    ),
    ("sockmap", None, "redirect and change data between sockets"),
    (
        "statistics",
        None,
        "measure the runs of every program in the kernel, which slows each of them a little",
    ),
    (
        "struct-ops",
        None,
        "implement operations of the kernel, such as congestion control",
    ),
    ("syscall", None, "programs that make system calls"),
    (
        "tc",
        Some("INTERFACE"),
        "see, change and drop packets of this network interface (tc, tcx, netkit)",
    ),
    (
        "xdp",
        Some("INTERFACE"),
        "see, change and drop packets of this network interface (XDP)",
    ),
];

impl Grant {
    /// The grant `name`, or `name=value`.
    pub(crate) fn new(name: &'static str, value: Option<&str>) -> Self {
        debug_assert!(
            GRANTS
                .iter()
                .any(|(known, takes, _)| { *known == name && takes.is_some() == value.is_some() })
        );
        Self {
            name,
            value: value.map(str::to_owned),
        }
    }

    /// The name in front of `=`.
    pub fn name(&self) -> &str {
        self.name
    }

    /// What stands behind `=`.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Whether this grant, given by an operator, allows `wanted`.
    pub(crate) fn covers(&self, wanted: &Grant) -> bool {
        self.name == wanted.name
            && match (self.value(), wanted.value()) {
                (None, None) => true,
                (Some("*"), Some(_)) => true,
                (Some(given), Some(wanted)) => match (self.name, given.strip_suffix("/*")) {
                    // A folder and what is in it; `..` has been refused where paths come from guests.
                    ("pin" | "binary" | "cgroup", Some(folder)) => wanted
                        .strip_prefix(folder)
                        .is_some_and(|rest| rest.starts_with('/')),
                    // An address with any port.
                    ("socket", None) if given.ends_with(":*") => {
                        let address = given.trim_end_matches('*');
                        wanted
                            .strip_prefix(address)
                            .is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
                    }
                    _ => given == wanted,
                },
                _ => false,
            }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}={value}", self.name),
            None => f.write_str(self.name),
        }
    }
}

/// Why a text is no grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseGrantError {
    /// There is no grant of this name.
    #[error("there is no grant `{0}`; the grants are {list}", list = names())]
    Unknown(String),
    /// The grant takes a value.
    #[error("the grant `{name}` needs a value: {name}={value}, or {name}=* for every one")]
    NeedsValue {
        /// The grant.
        name: &'static str,
        /// What the value is.
        value: &'static str,
    },
    /// The grant takes no value.
    #[error("the grant `{0}` takes no value")]
    TakesNoValue(&'static str),
}

fn names() -> String {
    GRANTS
        .iter()
        .map(|(name, ..)| *name)
        .collect::<Vec<_>>()
        .join(", ")
}

impl FromStr for Grant {
    type Err = ParseGrantError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let Some(&(name, takes, _)) = GRANTS.iter().find(|(known, ..)| *known == name) else {
            return Err(ParseGrantError::Unknown(name.to_owned()));
        };
        match (takes, value) {
            (Some(what), None | Some("")) => Err(ParseGrantError::NeedsValue { name, value: what }),
            (None, Some(_)) => Err(ParseGrantError::TakesNoValue(name)),
            _ => Ok(Self {
                name,
                value: value.map(str::to_owned),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> Grant {
        text.parse().unwrap()
    }

    #[test]
    fn parses_and_prints() {
        for text in ["lsm", "xdp=eth0", "helper=bpf_send_signal", "xdp=*"] {
            assert_eq!(grant(text).to_string(), text);
        }
        assert!(matches!(
            "xpd=eth0".parse::<Grant>(),
            Err(ParseGrantError::Unknown(_))
        ));
        assert!(matches!(
            "xdp".parse::<Grant>(),
            Err(ParseGrantError::NeedsValue { .. })
        ));
        assert!(matches!(
            "xdp=".parse::<Grant>(),
            Err(ParseGrantError::NeedsValue { .. })
        ));
        assert!(matches!(
            "lsm=1".parse::<Grant>(),
            Err(ParseGrantError::TakesNoValue("lsm"))
        ));
    }

    #[test]
    fn covers_no_more_than_it_says() {
        assert!(grant("xdp=eth0").covers(&grant("xdp=eth0")));
        assert!(!grant("xdp=eth0").covers(&grant("xdp=eth1")));
        assert!(!grant("xdp=eth0").covers(&grant("tc=eth0")));
        assert!(grant("xdp=*").covers(&grant("xdp=eth1")));
        assert!(grant("pin=/sys/fs/bpf/a/*").covers(&grant("pin=/sys/fs/bpf/a/map")));
        assert!(!grant("pin=/sys/fs/bpf/a/*").covers(&grant("pin=/sys/fs/bpf/ab")));
        assert!(!grant("pin=/sys/fs/bpf/a").covers(&grant("pin=/sys/fs/bpf/a/map")));
        assert!(grant("socket=127.0.0.1:80").covers(&grant("socket=127.0.0.1:80")));
        assert!(!grant("socket=127.0.0.1:80").covers(&grant("socket=127.0.0.1:8080")));
        assert!(grant("socket=127.0.0.1:*").covers(&grant("socket=127.0.0.1:80")));
        assert!(grant("socket=[::1]:*").covers(&grant("socket=[::1]:80")));
        assert!(!grant("socket=127.0.0.1:*").covers(&grant("socket=127.0.0.10:80")));
        assert!(!grant("socket=[::1]:*").covers(&grant("socket=[::12]:80")));
        assert!(!grant("helper=bpf_*").covers(&grant("helper=bpf_send_signal")));
    }
}
