//! Packets, for programs that wait for some: into one end of a veth pair, or out of it.

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::thread;

use anyhow::{Context as _, anyhow, bail};

/// The port that they are for. Guests count only those: interfaces that come up send some of their own.
pub const PORT: u16 = 7777;
/// The address of the interface that guests attach to, and of the one that packets come from.
pub const TO: [u8; 4] = [10, 77, 0, 1];
pub const FROM: [u8; 4] = [10, 77, 0, 2];

/// Sends packets in a network namespace, through one interface to another.
pub fn send(netns: OwnedFd, count: u64, through: &str, to: &str) -> anyhow::Result<()> {
    let (through, to) = (through.to_owned(), to.to_owned());
    // The namespace is the thread's.
    let sender = thread::spawn(move || {
        // SAFETY: a descriptor that lives.
        if unsafe { libc::setns(netns.as_raw_fd(), libc::CLONE_NEWNET) } != 0 {
            return Err(io::Error::last_os_error()).context("cannot enter the namespace");
        }
        send_here(&through, &to, count)
    });
    sender.join().map_err(|_| anyhow!("it panicked"))?
}

fn send_here(through: &str, to: &str, count: u64) -> anyhow::Result<()> {
    // SAFETY: numbers.
    let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        bail!("a packet socket: {}", io::Error::last_os_error());
    }
    // SAFETY: it was just opened for us.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    let (index, source) = interface(&socket, through)?;
    let (_, destination) = interface(&socket, to)?;
    let frame = frame(destination, source);
    // SAFETY: a plain struct.
    let mut address = unsafe { std::mem::zeroed::<libc::sockaddr_ll>() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_ifindex = index;
    address.sll_halen = 6;
    address.sll_addr[..6].copy_from_slice(&destination);
    for _ in 0..count {
        // SAFETY: buffer and address have these lengths.
        let sent = unsafe {
            libc::sendto(
                socket.as_raw_fd(),
                frame.as_ptr().cast(),
                frame.len(),
                0,
                (&raw const address).cast(),
                size_of_val(&address) as u32,
            )
        };
        let error = io::Error::last_os_error();
        // A program on the way out that drops it.
        if sent < 0 && error.raw_os_error() != Some(libc::ENOBUFS) {
            return Err(error).with_context(|| format!("cannot send through {through}"));
        }
    }
    Ok(())
}

/// Index and address.
fn interface(socket: &OwnedFd, name: &str) -> anyhow::Result<(i32, [u8; 6])> {
    // SAFETY: a plain struct.
    let mut request = unsafe { std::mem::zeroed::<libc::ifreq>() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    let mut ask = |what| {
        // SAFETY: the struct that both requests take.
        match unsafe { libc::ioctl(socket.as_raw_fd(), what, &raw mut request) } {
            0 => Ok(request.ifr_ifru),
            _ => Err(io::Error::last_os_error()).with_context(|| name.to_owned()),
        }
    };
    // SAFETY: what these requests fill.
    unsafe {
        let index = ask(libc::SIOCGIFINDEX)?.ifru_ifindex;
        let hardware = ask(libc::SIOCGIFHWADDR)?.ifru_hwaddr.sa_data;
        let byte = |at: usize| hardware[at] as u8;
        Ok((index, std::array::from_fn(byte)))
    }
}

/// UDP in IPv4 in Ethernet, with 32 bytes.
fn frame(destination: [u8; 6], source: [u8; 6]) -> Vec<u8> {
    const PAYLOAD: usize = 32;
    let udp_length = (8 + PAYLOAD) as u16;
    let mut ip = vec![0x45, 0];
    ip.extend((20 + udp_length).to_be_bytes());
    // Neither a fragment nor to be made into some; 64 hops; UDP; the sum comes below.
    ip.extend([0, 1, 0x40, 0, 64, 17, 0, 0]);
    ip.extend(FROM);
    ip.extend(TO);
    let sum = checksum(&ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    let mut frame = Vec::new();
    frame.extend(destination);
    frame.extend(source);
    frame.extend([0x08, 0x00]);
    frame.extend(ip);
    frame.extend(4711u16.to_be_bytes());
    frame.extend(PORT.to_be_bytes());
    frame.extend(udp_length.to_be_bytes());
    // IPv4 lets UDP go without a sum.
    frame.extend([0, 0]);
    frame.extend([0x5a; PAYLOAD]);
    frame
}

fn checksum(header: &[u8]) -> u16 {
    let words = header
        .chunks(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let mut sum: u32 = words.map(u32::from).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_with_its_sum_sums_up_to_nothing() {
        let frame = frame([1; 6], [2; 6]);
        assert_eq!(frame.len(), 14 + 20 + 8 + 32);
        assert_eq!(checksum(&frame[14..34]), 0);
    }
}
