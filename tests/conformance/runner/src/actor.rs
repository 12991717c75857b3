//! What a process in a cgroup does, so that the programs there have something to act on.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::mem::size_of_val;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::time::Duration;

use anyhow::bail;

/// Peers that do not answer would be waited for for good.
const PATIENCE: Duration = Duration::from_secs(2);

/// Does it; in one word what came out: `ok`, `ok=VALUE`, or the number of an errno.
pub fn act(words: &[&str]) -> anyhow::Result<String> {
    let done = match words {
        ["connect", address] => connect(address.parse()?),
        ["bind", address] => TcpListener::bind(address.parse::<SocketAddr>()?).map(drop_ok),
        ["listener-name", address] => TcpListener::bind(address.parse::<SocketAddr>()?)
            .and_then(|listener| listener.local_addr())
            .map(|address| format!("ok={}", address.port())),
        ["meet", address] => meet(address.parse()?),
        ["send", address] => send(address.parse()?),
        ["echo", address] => echo(address.parse()?),
        ["open", path] => open(path),
        ["read", path] => fs::read(path).map(drop_ok),
        ["set-tos", value] => set_tos(value.parse()?).map(drop_ok),
        ["get-tos"] => get_tos(),
        ["unix", path] => unix(path),
        _ => bail!("this is not understood"),
    };
    Ok(match done {
        Ok(outcome) => outcome,
        Err(error) => error.raw_os_error().unwrap_or(libc::EIO).to_string(),
    })
}

fn drop_ok<T>(_: T) -> String {
    "ok".to_owned()
}

fn connect(to: SocketAddr) -> io::Result<String> {
    TcpStream::connect_timeout(&to, PATIENCE).map(drop_ok)
}

/// Connects to itself; whom it met.
fn meet(address: SocketAddr) -> io::Result<String> {
    let _listener = TcpListener::bind(address)?;
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    Ok(format!("ok={}", stream.peer_addr()?.port()))
}

fn any(like: SocketAddr) -> SocketAddr {
    SocketAddr::new(like.ip(), 0)
}

fn send(to: SocketAddr) -> io::Result<String> {
    // Not connected: the address goes with the datagram.
    UdpSocket::bind(any(to))?
        .send_to(b"datagram", to)
        .map(drop_ok)
}

/// Sends a datagram to itself and receives it; whose it is.
fn echo(address: SocketAddr) -> io::Result<String> {
    let socket = UdpSocket::bind(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.send_to(b"datagram", socket.local_addr()?)?;
    let (_, from) = socket.recv_from(&mut [0; 16])?;
    Ok(format!("ok={}", from.port()))
}

fn open(path: &str) -> io::Result<String> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NONBLOCK);
    options.open(path).map(drop_ok::<File>)
}

fn set_tos(value: i32) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    // SAFETY: the value is as long as the call is told.
    let answer = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_TOS,
            (&raw const value).cast(),
            size_of_val(&value) as libc::socklen_t,
        )
    };
    match answer {
        0 => Ok(socket),
        _ => Err(io::Error::last_os_error()),
    }
}

fn get_tos() -> io::Result<String> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let mut value = 0i32;
    let mut length = size_of_val(&value) as libc::socklen_t;
    // SAFETY: the value is as long as the call is told.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_TOS,
            (&raw mut value).cast(),
            &raw mut length,
        )
    };
    match answer {
        0 => Ok(format!("ok={value}")),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A connection and a datagram over sockets in the file system.
fn unix(path: &str) -> io::Result<String> {
    let (stream, datagram) = (format!("{path}.stream"), format!("{path}.datagram"));
    let done = || {
        let listener = UnixListener::bind(&stream)?;
        let connected = UnixStream::connect(&stream)?;
        connected.peer_addr()?;
        listener.local_addr()?;
        let receiver = UnixDatagram::bind(&datagram)?;
        UnixDatagram::unbound()?.send_to(b"datagram", &datagram)?;
        receiver.recv_from(&mut [0; 16])
    };
    let outcome = done();
    let _ = fs::remove_file(&stream);
    let _ = fs::remove_file(&datagram);
    outcome.map(drop_ok)
}
