//! Sockets of the host, for what programs are attached to and maps hold.

use std::net::SocketAddr;
use std::time::Duration;

use wasip2::clocks::monotonic_clock;
use wasip2::io::poll::{self, Pollable};

use crate::MapFlags;
use crate::bindings::sockets;
use crate::error::{Error, ErrorKind, Result, words};
use crate::map::MapCore;

/// Kinds of socket, and what [`Socket::receive`] took.
pub use crate::bindings::sockets::{Received, SocketKind};

/// A socket of the host: for socket filters, groups of sockets that share a port, and maps of sockets.
///
/// The host must have been given the grant `socket=ADDRESS` for the addresses that it is bound and connected to, or `socket-filter=INTERFACE` for packets.
///
/// ```no_run
/// use wasm_bpf_guest::{Socket, SocketKind};
///
/// # fn run() -> wasm_bpf_guest::Result<()> {
/// let server = Socket::open(SocketKind::Tcp4)?;
/// server.bind("127.0.0.1:0".parse().unwrap())?;
/// server.listen(8)?;
/// let client = Socket::open(SocketKind::Tcp4)?;
/// client.connect(server.local_addr()?)?;
/// let connection = server.accept()?;
/// client.send(b"hello")?;
/// assert_eq!(connection.receive(64)?.data, b"hello");
/// # Ok(())
/// # }
/// ```
pub struct Socket {
    handle: sockets::Socket,
}

impl Socket {
    /// Opens a TCP or UDP socket.
    pub fn open(kind: SocketKind) -> Result<Self> {
        Ok(Self {
            handle: sockets::Socket::open(kind)?,
        })
    }

    /// Opens a socket for the packets of a network interface, or with none of all of them.
    pub fn open_packet(interface: Option<&str>) -> Result<Self> {
        Ok(Self {
            handle: sockets::Socket::open_packet(interface)?,
        })
    }

    pub(crate) fn handle(&self) -> &sockets::Socket {
        &self.handle
    }

    /// Lets other sockets be bound to the same address and port, if they let it too.
    pub fn set_reuse_port(&self, share: bool) -> Result<()> {
        Ok(self.handle.set_reuse_port(share)?)
    }

    /// Binds to an address of the host; port 0 lets the kernel choose one.
    pub fn bind(&self, address: SocketAddr) -> Result<()> {
        Ok(self.handle.bind(&address.to_string())?)
    }

    /// Connects to a peer, and waits until it has answered.
    ///
    /// # Errors
    /// Fails with an error that [`is_interrupted`](Error::is_interrupted) if a stop was asked for meanwhile.
    pub fn connect(&self, address: SocketAddr) -> Result<()> {
        loop {
            match self.try_connect(address) {
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock) => {
                    wait(&self.handle.subscribe_send(), "connect a socket")?;
                }
                answer => return answer,
            }
        }
    }

    /// Connects to a peer; [`ErrorKind::WouldBlock`] until it has answered.
    pub fn try_connect(&self, address: SocketAddr) -> Result<()> {
        Ok(self.handle.connect(&address.to_string())?)
    }

    /// Takes connections from now on.
    pub fn listen(&self, backlog: u32) -> Result<()> {
        Ok(self.handle.listen(backlog)?)
    }

    /// Waits for the next connection.
    ///
    /// # Errors
    /// Fails with an error that [`is_interrupted`](Error::is_interrupted) if a stop was asked for meanwhile.
    pub fn accept(&self) -> Result<Self> {
        loop {
            if let Some(accepted) = self.try_accept()? {
                return Ok(accepted);
            }
            wait(&self.handle.subscribe_receive(), "accept a connection")?;
        }
    }

    /// The next connection; none if there is none yet.
    pub fn try_accept(&self) -> Result<Option<Self>> {
        match self.handle.accept() {
            Ok(handle) => Ok(Some(Self { handle })),
            Err(ErrorKind::WouldBlock) => Ok(None),
            Err(code) => Err(failed("accept a connection", code)),
        }
    }

    /// The address that the socket is bound to.
    pub fn local_addr(&self) -> Result<SocketAddr> {
        let to = "ask a socket for its address";
        let address = self.handle.local_address();
        read(&address.map_err(|code| failed(to, code))?)
    }

    /// The address of the peer; none if the socket is not connected.
    pub fn peer_addr(&self) -> Result<Option<SocketAddr>> {
        let to = "ask a socket for its peer's address";
        let address = self.handle.peer_address();
        let address = address.map_err(|code| failed(to, code))?;
        address.as_deref().map(read).transpose()
    }

    /// What programs get with bpf_get_socket_cookie.
    pub fn cookie(&self) -> Result<u64> {
        let cookie = self.handle.cookie();
        cookie.map_err(|code| failed("ask a socket for its cookie", code))
    }

    /// Sends to the peer; how many bytes were taken. Fails with [`ErrorKind::WouldBlock`] if there is no room.
    pub fn send(&self, data: &[u8]) -> Result<usize> {
        let sent = self.handle.send(data);
        sent.map(|sent| sent as usize)
            .map_err(|code| failed("send", code))
    }

    /// Waits for data, a datagram or a packet.
    ///
    /// # Errors
    /// Fails with an error that [`is_interrupted`](Error::is_interrupted) if a stop was asked for meanwhile.
    pub fn receive(&self, max_bytes: usize) -> Result<Received> {
        loop {
            if let Some(received) = self.try_receive(max_bytes)? {
                return Ok(received);
            }
            wait(&self.handle.subscribe_receive(), "receive")?;
        }
    }

    /// The same for so long at most; none if nothing came.
    pub fn receive_timeout(&self, max_bytes: usize, timeout: Duration) -> Result<Option<Received>> {
        if let Some(received) = self.try_receive(max_bytes)? {
            return Ok(Some(received));
        }
        let timeout = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        let timer = monotonic_clock::subscribe_duration(timeout);
        let readable = self.handle.subscribe_receive();
        poll::poll(&[&readable, &timer]);
        match self.try_receive(max_bytes)? {
            None if !timer.ready() && !readable.ready() => {
                Err(failed("receive", ErrorKind::Interrupted))
            }
            received => Ok(received),
        }
    }

    /// What is there; none if nothing came yet.
    pub fn try_receive(&self, max_bytes: usize) -> Result<Option<Received>> {
        match self
            .handle
            .receive(max_bytes.try_into().unwrap_or(u32::MAX))
        {
            Ok(received) => Ok(Some(received)),
            Err(ErrorKind::WouldBlock) => Ok(None),
            Err(code) => Err(failed("receive", code)),
        }
    }

    /// A pollable that is ready when there is something to receive or to accept.
    pub fn subscribe_receive(&self) -> Pollable {
        self.handle.subscribe_receive()
    }

    /// A pollable that is ready when the socket can send, or has connected.
    pub fn subscribe_send(&self) -> Pollable {
        self.handle.subscribe_send()
    }

    /// Puts the socket into a `sockmap`, `sockhash` or `reuseport-sockarray`. It is taken out when it is closed.
    pub fn store_in(&self, map: &dyn MapCore, key: &[u8], flags: MapFlags) -> Result<()> {
        Ok(self.handle.store_in(map.handle()?, key, flags.mode())?)
    }

    /// What an `sk-storage` map has for this socket.
    pub fn lookup_in_storage(&self, map: &dyn MapCore) -> Result<Option<Vec<u8>>> {
        let value = self.handle.lookup_in_storage(map.handle()?);
        value.map_err(|code| failed("look up the storage of a socket", code))
    }

    /// Stores a value for this socket in an `sk-storage` map.
    pub fn update_in_storage(
        &self,
        map: &dyn MapCore,
        value: &[u8],
        flags: MapFlags,
    ) -> Result<()> {
        let answer = self
            .handle
            .update_in_storage(map.handle()?, value, flags.mode());
        answer.map_err(|code| failed("update the storage of a socket", code))
    }

    /// Deletes what an `sk-storage` map has for this socket; whether there was something.
    pub fn delete_in_storage(&self, map: &dyn MapCore) -> Result<bool> {
        let answer = self.handle.delete_in_storage(map.handle()?);
        answer.map_err(|code| failed("delete the storage of a socket", code))
    }
}

fn failed(to: &str, code: ErrorKind) -> Error {
    Error::of_code(code, format!("cannot {to}: {}", words(code)))
}

fn read(address: &str) -> Result<SocketAddr> {
    address.parse().map_err(|_| {
        let text = format!("{address:?} is not the address of a TCP or UDP socket");
        Error::of_code(ErrorKind::InvalidArgument, text)
    })
}

/// A stop ends the wait before what is waited for is ready.
fn wait(ready: &Pollable, to: &str) -> Result<()> {
    ready.block();
    if ready.ready() {
        Ok(())
    } else {
        Err(failed(to, ErrorKind::Interrupted))
    }
}
