//! Which filters the clsact hooks of an interface have, asked by netlink: libbpf has no list of them.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{FromRawFd as _, OwnedFd};

// Of linux/rtnetlink.h and linux/pkt_cls.h.
const RTM_NEWTFILTER: u16 = 44;
const RTM_GETTFILTER: u16 = 46;
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_BPF_ID: u16 = 11;
const TYPE_MASK: u16 = 0x3fff;

const HEADER: usize = 16;
const TCMSG: usize = 20;

/// A classifier at a hook, of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) kind: String,
    pub(super) handle: u32,
    pub(super) priority: u32,
    /// If it is a BPF program.
    pub(super) program_id: Option<u32>,
}

/// The filters at `parent` of an interface; none where there is no such interface or hook.
pub(super) fn list(interface: i32, parent: u32) -> io::Result<Vec<Filter>> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: numbers.
    let socket = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just opened for us. A file reads and writes whole messages of a netlink socket.
    let mut socket = File::from(unsafe { OwnedFd::from_raw_fd(socket) });
    socket.write_all(&request(interface, parent))?;
    let mut filters = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = socket.read(&mut buffer)?;
        if length == 0 || parse(&buffer[..length], parent, &mut filters)? {
            return Ok(filters);
        }
    }
}

fn request(interface: i32, parent: u32) -> Vec<u8> {
    let flags = libc::NLM_F_REQUEST | libc::NLM_F_DUMP;
    let mut bytes = Vec::new();
    bytes.extend(((HEADER + TCMSG) as u32).to_ne_bytes());
    bytes.extend(RTM_GETTFILTER.to_ne_bytes());
    bytes.extend((flags as u16).to_ne_bytes());
    // A sequence of one, and no port.
    bytes.extend([0; 8]);
    // The family, with its padding.
    bytes.extend([0; 4]);
    bytes.extend(interface.to_ne_bytes());
    bytes.extend(0u32.to_ne_bytes());
    bytes.extend(parent.to_ne_bytes());
    bytes.extend(0u32.to_ne_bytes());
    bytes
}

/// Adds the filters of a message; whether it was the last one.
fn parse(mut bytes: &[u8], parent: u32, filters: &mut Vec<Filter>) -> io::Result<bool> {
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    while bytes.len() >= HEADER {
        let length = number(bytes, 0).ok_or_else(broken)? as usize;
        let message = bytes.get(HEADER..length).ok_or_else(broken)?;
        let kind = u16::from_ne_bytes([bytes[4], bytes[5]]);
        match i32::from(kind) {
            libc::NLMSG_DONE => return Ok(true),
            libc::NLMSG_ERROR => {
                let errno = number(message, 0).ok_or_else(broken)?.cast_signed();
                return Err(io::Error::from_raw_os_error(-errno));
            }
            _ if kind == RTM_NEWTFILTER => {
                let filter = filter(message, parent).ok_or_else(broken)?;
                filters.extend(filter);
            }
            _ => {}
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

/// The outer none: it is broken. The inner: it is at another hook.
fn filter(message: &[u8], parent: u32) -> Option<Option<Filter>> {
    let handle = number(message, 8)?;
    let at = number(message, 12)?;
    let info = number(message, 16)?;
    if at != parent {
        return Some(None);
    }
    let attributes = message.get(TCMSG..)?;
    let kind = attribute(attributes, TCA_KIND).unwrap_or_default();
    let kind = kind.split(|byte| *byte == 0).next().unwrap_or_default();
    let options = attribute(attributes, TCA_OPTIONS).unwrap_or_default();
    let program_id = attribute(options, TCA_BPF_ID).and_then(|value| number(value, 0));
    Some(Some(Filter {
        kind: String::from_utf8_lossy(kind).into_owned(),
        handle,
        priority: info >> 16,
        program_id: program_id.filter(|_| kind == b"bpf"),
    }))
}

fn attribute(mut bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    while bytes.len() >= 4 {
        let length = usize::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
        let kind = u16::from_ne_bytes([bytes[2], bytes[3]]) & TYPE_MASK;
        let value = bytes.get(4..length)?;
        if kind == wanted {
            return Some(value);
        }
        bytes = bytes.get(length.next_multiple_of(4)..)?;
    }
    None
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute_bytes(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend((4 + value.len() as u16).to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn message(kind: u16, content: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(((HEADER + content.len()) as u32).to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0; 10]);
        bytes.extend(content);
        bytes
    }

    fn tcmsg(handle: u32, parent: u32, info: u32) -> Vec<u8> {
        [0, 7, handle, parent, info]
            .iter()
            .flat_map(|number| number.to_ne_bytes())
            .collect()
    }

    #[test]
    fn filters_are_read() {
        let mut content = tcmsg(3, 9, 50 << 16);
        content.extend(attribute_bytes(TCA_KIND, b"bpf\0"));
        let options = attribute_bytes(TCA_BPF_ID, &77u32.to_ne_bytes());
        content.extend(attribute_bytes(TCA_OPTIONS | 0x8000, &options));
        let mut bytes = message(RTM_NEWTFILTER, &content);
        let mut other = tcmsg(1, 9, 2 << 16);
        other.extend(attribute_bytes(TCA_KIND, b"flower\0"));
        bytes.extend(message(RTM_NEWTFILTER, &other));
        bytes.extend(message(RTM_NEWTFILTER, &tcmsg(1, 8, 0)));
        bytes.extend(message(3, &0u32.to_ne_bytes()));
        let mut filters = Vec::new();
        assert!(parse(&bytes, 9, &mut filters).unwrap());
        let [bpf, flower] = &filters[..] else {
            panic!("{filters:?}")
        };
        assert_eq!(
            (bpf.handle, bpf.priority, bpf.program_id),
            (3, 50, Some(77))
        );
        assert_eq!((flower.kind.as_str(), flower.program_id), ("flower", None));
        // Whatever is cut off is an error or nothing, never a panic.
        for length in 0..bytes.len() {
            let _ = parse(&bytes[..length], 9, &mut Vec::new());
        }
    }

    #[test]
    fn an_interface_without_hooks_has_none() {
        assert_eq!(list(i32::MAX, 0xffff_fff2).unwrap(), []);
    }
}
