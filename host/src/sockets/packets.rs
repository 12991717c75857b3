//! Sockets that receive the packets of network interfaces.

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use crate::network_interfaces::Interface;

/// A socket for the packets of an interface, or of all of them.
pub(super) fn open(interface: Option<&str>) -> io::Result<OwnedFd> {
    let index = match interface {
        // The name is guest-controlled.
        Some(name) => Interface::find(name).map_err(|_| no_such())?.index,
        None => 0,
    };
    // Without a protocol it receives nothing until it is bound: no packet of another interface comes first.
    // SAFETY: numbers only.
    let socket = unsafe {
        libc::socket(
            libc::AF_PACKET,
            libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC,
            0,
        )
    };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just made, and nobody else has it.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: plain numbers, for which zeros are fine.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = index;
    // SAFETY: the address is as long as the call is told.
    let answer = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            size_of_val(&address) as libc::socklen_t,
        )
    };
    if answer == 0 {
        Ok(socket)
    } else {
        Err(io::Error::last_os_error())
    }
}

fn no_such() -> io::Error {
    io::Error::from_raw_os_error(libc::ENODEV)
}
