//! `sockets.wit`.

mod packets;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno as RustixErrno;
use rustix::net::sockopt;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, accept_with, bind, connect,
    getpeername, getsockname, ipproto, listen, recv, send, socket_with,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, Pollable};

use crate::bindings::maps::UpdateMode;
use crate::bindings::sockets::{Host, HostSocket, Received, SocketKind};
use crate::bindings::types::ErrorCode;
use crate::ctx::WasmBpfCtxView;
use crate::error::{CodeResult, Errno, Failure, FailureResult};
use crate::maps::{Map, ProgramMemory};
use crate::policy::{Need, Reservation, Usage};
use crate::readiness;

/// A socket of the host.
pub struct Socket(Arc<Open>);

/// Handles, pollables and links share it.
pub(crate) struct Open {
    fd: OwnedFd,
    kind: Kind,
    shares_port: Mutex<bool>,
    /// How many filters have been attached: only the link of the last one detaches.
    filters: Mutex<u64>,
    /// Programs that go on acting on it because it was stored in a map.
    keeps: Mutex<Vec<Arc<ProgramMemory>>>,
    _held: Reservation,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tcp {
        v6: bool,
    },
    Udp {
        v6: bool,
    },
    /// The interface; none: all of them.
    Packets(Option<String>),
}

/// Which program chooses among sockets that share an address: the number of the last one that this component attached.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReuseportGroups(Arc<Mutex<HashMap<ReuseportGroup, u64>>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ReuseportGroup {
    is_tcp: bool,
    address: SocketAddr,
}

const SOCKET_FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// What one call receives at most.
const MAX_RECEIVE: usize = 1 << 20;

impl Socket {
    pub(crate) fn open(&self) -> &Arc<Open> {
        &self.0
    }

    fn new(fd: OwnedFd, kind: Kind, held: Reservation) -> Self {
        Self(Arc::new(Open {
            fd,
            kind,
            shares_port: Mutex::default(),
            filters: Mutex::default(),
            keeps: Mutex::default(),
            _held: held,
        }))
    }
}

impl Open {
    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    fn local(&self) -> rustix::io::Result<SocketAddr> {
        getsockname(&self.fd)?.try_into()
    }

    /// Who else gets what is sent to the same address; none if the socket has no address yet, or has it for itself.
    pub(crate) fn reuseport_group(&self) -> Option<ReuseportGroup> {
        let address = self.local().ok().filter(|address| address.port() != 0)?;
        let is_tcp = match self.kind {
            Kind::Tcp { .. } => true,
            Kind::Udp { .. } => false,
            Kind::Packets(_) => return None,
        };
        locked(&self.shares_port).then_some(ReuseportGroup { is_tcp, address })
    }

    /// Attaches a filter; its number. Under the lock: nobody detaches meanwhile.
    pub(crate) fn attach_filter(&self, program: RawFd) -> io::Result<u64> {
        let mut filters = lock(&self.filters);
        set_option(self.fd(), libc::SO_ATTACH_BPF, program)?;
        *filters += 1;
        Ok(*filters)
    }

    /// Detaches the filter of this number, unless another one has taken its place.
    pub(crate) fn detach_filter(&self, number: u64) -> io::Result<()> {
        let filters = lock(&self.filters);
        if *filters == number {
            set_option(self.fd(), libc::SO_DETACH_FILTER, 0)?;
        }
        Ok(())
    }
}

impl ReuseportGroups {
    /// Attaches a program that chooses; its number.
    pub(crate) fn attach(
        &self,
        group: ReuseportGroup,
        socket: &Open,
        program: RawFd,
    ) -> io::Result<u64> {
        let mut groups = lock(&self.0);
        set_option(socket.fd(), libc::SO_ATTACH_REUSEPORT_EBPF, program)?;
        let number = groups.entry(group).or_default();
        *number += 1;
        Ok(*number)
    }

    /// Detaches the program of this number, unless another one has taken its place.
    pub(crate) fn detach(
        &self,
        group: ReuseportGroup,
        socket: &Open,
        number: u64,
    ) -> io::Result<()> {
        const SO_DETACH_REUSEPORT_BPF: i32 = 68;
        let groups = lock(&self.0);
        if groups.get(&group) == Some(&number) {
            set_option(socket.fd(), SO_DETACH_REUSEPORT_BPF, 0)?;
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that runs under the locks leaves them half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn locked(flag: &Mutex<bool>) -> bool {
    *lock(flag)
}

fn set_option(socket: BorrowedFd<'_>, option: i32, value: i32) -> io::Result<()> {
    // SAFETY: `value` is as long as the call is told.
    let answer = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            (&raw const value).cast(),
            size_of_val(&value) as libc::socklen_t,
        )
    };
    if answer == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

impl Host for WasmBpfCtxView<'_> {}

impl HostSocket for WasmBpfCtxView<'_> {
    fn open(&mut self, kind: SocketKind) -> FailureResult<Resource<Socket>> {
        let kind = match kind {
            SocketKind::Tcp4 => Kind::Tcp { v6: false },
            SocketKind::Tcp6 => Kind::Tcp { v6: true },
            SocketKind::Udp4 => Kind::Udp { v6: false },
            SocketKind::Udp6 => Kind::Udp { v6: true },
            SocketKind::Other(number) => {
                let text = format!("cannot open a socket of kind {number}: it is not known here");
                return Err(Failure::refused(ErrorCode::NotSupported, text));
            }
        };
        self.ctx.policy.check_any_socket()?;
        let held = reserve(&self.ctx.usage).map_err(|why| failed("open a socket", why))?;
        let fd = open(&kind).map_err(|errno| errno_failed("open a socket", errno))?;
        Ok(self.table.push(Socket::new(fd, kind, held))?)
    }

    fn open_packet(&mut self, interface: Option<String>) -> FailureResult<Resource<Socket>> {
        let to = match &interface {
            Some(interface) => format!("open a socket for the packets of `{interface}`"),
            None => "open a socket for the packets of all network interfaces".to_owned(),
        };
        self.ctx.policy.check_packets(interface.as_deref())?;
        let held = reserve(&self.ctx.usage).map_err(|why| failed(&to, why))?;
        let fd = packets::open(interface.as_deref()).map_err(|error| {
            let errno = error.raw_os_error().unwrap_or(libc::EIO);
            let mut text = format!("cannot {to}: {}", Errno(errno));
            crate::objects::append_capabilities(&mut text, errno);
            Failure::errno(errno, text)
        })?;
        let socket = Socket::new(fd, Kind::Packets(interface), held);
        Ok(self.table.push(socket)?)
    }

    fn set_reuse_port(&mut self, socket: Resource<Socket>, share: bool) -> FailureResult<()> {
        let socket = &self.table.get(&socket)?.0;
        let to = "let other sockets share the port";
        demand_inet(socket, to)?;
        sockopt::set_socket_reuseport(&socket.fd, share)
            .map_err(|errno| errno_failed(to, errno))?;
        *lock(&socket.shares_port) = share;
        Ok(())
    }

    fn bind(&mut self, socket: Resource<Socket>, address: String) -> FailureResult<()> {
        let socket = &self.table.get(&socket)?.0;
        let to = format!("bind a socket to {address:?}");
        let address = address_of(socket, &address, &to)?;
        self.ctx.policy.check_socket(&address.to_string(), &to)?;
        bind(&socket.fd, &address).map_err(|errno| errno_failed(&to, errno))
    }

    fn connect(&mut self, socket: Resource<Socket>, address: String) -> FailureResult<()> {
        let socket = &self.table.get(&socket)?.0;
        let to = format!("connect a socket to {address:?}");
        let address = address_of(socket, &address, &to)?;
        self.ctx.policy.check_socket(&address.to_string(), &to)?;
        match connect(&socket.fd, &address) {
            Err(errno @ (RustixErrno::INPROGRESS | RustixErrno::ALREADY)) => Err(Failure::new(
                ErrorCode::WouldBlock,
                errno.raw_os_error(),
                format!("cannot {to} at once: the peer has not answered yet"),
            )),
            answer => answer.map_err(|errno| errno_failed(&to, errno)),
        }
    }

    fn listen(&mut self, socket: Resource<Socket>, backlog: u32) -> FailureResult<()> {
        let socket = &self.table.get(&socket)?.0;
        let to = "take connections on a socket";
        let Kind::Tcp { v6 } = socket.kind else {
            let text = format!("cannot {to}: it is not TCP");
            return Err(Failure::refused(ErrorCode::NotSupported, text));
        };
        let is_bound = socket.local().is_ok_and(|address| address.port() != 0);
        if !is_bound {
            // The kernel would bind it to every address.
            let address = match v6 {
                true => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
                false => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            };
            self.ctx.policy.check_socket(&address.to_string(), to)?;
        }
        // Guest-controlled; the kernel cuts it to net.core.somaxconn.
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        listen(&socket.fd, backlog).map_err(|errno| errno_failed(to, errno))
    }

    fn accept(&mut self, socket: Resource<Socket>) -> CodeResult<Resource<Socket>> {
        let socket = Arc::clone(&self.table.get(&socket)?.0);
        if !matches!(socket.kind, Kind::Tcp { .. }) {
            return Err(ErrorCode::InvalidArgument.into());
        }
        let held = reserve(&self.ctx.usage).map_err(|_| ErrorCode::LimitExceeded)?;
        let fd = accept_with(&socket.fd, SOCKET_FLAGS).map_err(io::Error::from)?;
        let accepted = Socket::new(fd, socket.kind.clone(), held);
        self.table
            .push(accepted)
            .map_err(crate::error::CodeError::from)
    }

    fn local_address(&mut self, socket: Resource<Socket>) -> CodeResult<String> {
        let socket = &self.table.get(&socket)?.0;
        socket.demand_inet()?;
        Ok(socket.local().map_err(io::Error::from)?.to_string())
    }

    fn peer_address(&mut self, socket: Resource<Socket>) -> CodeResult<Option<String>> {
        let socket = &self.table.get(&socket)?.0;
        socket.demand_inet()?;
        let peer = match getpeername(&socket.fd) {
            Ok(peer) => peer,
            Err(RustixErrno::NOTCONN) => None,
            Err(errno) => return Err(io::Error::from(errno).into()),
        };
        let address = peer.map(SocketAddr::try_from).transpose();
        let address = address.map_err(io::Error::from)?;
        Ok(address.map(|address| address.to_string()))
    }

    fn cookie(&mut self, socket: Resource<Socket>) -> CodeResult<u64> {
        let socket = &self.table.get(&socket)?.0;
        Ok(sockopt::socket_cookie(&socket.fd).map_err(io::Error::from)?)
    }

    fn send(&mut self, socket: Resource<Socket>, data: Vec<u8>) -> CodeResult<u32> {
        let socket = &self.table.get(&socket)?.0;
        // The grant for packets is one to see them.
        socket.demand_inet()?;
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let sent = send(&socket.fd, &data, flags).map_err(io::Error::from)?;
        Ok(u32::try_from(sent).unwrap_or(u32::MAX))
    }

    fn receive(&mut self, socket: Resource<Socket>, max_bytes: u32) -> CodeResult<Received> {
        let socket = &self.table.get(&socket)?.0;
        // Kernels without the repair of CVE-2023-53133 never come back from this for a socket that is in a map.
        if max_bytes == 0 {
            return Err(ErrorCode::InvalidArgument.into());
        }
        // Guest-controlled.
        let most = (max_bytes as usize).min(MAX_RECEIVE);
        let flags = match socket.kind {
            // TCP would throw the data away.
            Kind::Tcp { .. } => RecvFlags::DONTWAIT,
            Kind::Udp { .. } | Kind::Packets(_) => RecvFlags::DONTWAIT | RecvFlags::TRUNC,
        };
        let mut data = Vec::with_capacity(most);
        let room = &mut data.spare_capacity_mut()[..most];
        let ((taken, _), length) = recv(&socket.fd, room, flags).map_err(io::Error::from)?;
        let taken = taken.len();
        // SAFETY: the kernel wrote so many bytes at the start of the room.
        unsafe { data.set_len(taken) };
        data.shrink_to_fit();
        Ok(Received {
            data,
            length: u32::try_from(length).unwrap_or(u32::MAX),
        })
    }

    fn subscribe_receive(
        &mut self,
        socket: Resource<Socket>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.subscribe_to_socket(&socket, Direction::Receive)
    }

    fn subscribe_send(
        &mut self,
        socket: Resource<Socket>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.subscribe_to_socket(&socket, Direction::Send)
    }

    fn store_in(
        &mut self,
        socket: Resource<Socket>,
        map: Resource<Map>,
        key: Vec<u8>,
        mode: UpdateMode,
    ) -> FailureResult<()> {
        let socket = &self.table.get(&socket)?.0;
        let map = self.table.get(&map)?;
        let attached = map.store_socket(&key, socket.fd(), mode)?;
        let mut keeps = lock(&socket.keeps);
        for program in attached {
            if !keeps.iter().any(|kept| Arc::ptr_eq(kept, &program)) {
                keeps.push(program);
            }
        }
        Ok(())
    }

    fn lookup_in_storage(
        &mut self,
        socket: Resource<Socket>,
        map: Resource<Map>,
    ) -> CodeResult<Option<Vec<u8>>> {
        let socket = self.table.get(&socket)?.0.fd();
        self.table.get(&map)?.lookup_of_socket(socket)
    }

    fn update_in_storage(
        &mut self,
        socket: Resource<Socket>,
        map: Resource<Map>,
        value: Vec<u8>,
        mode: UpdateMode,
    ) -> CodeResult<()> {
        let socket = self.table.get(&socket)?.0.fd();
        self.table.get(&map)?.update_of_socket(socket, &value, mode)
    }

    fn delete_in_storage(
        &mut self,
        socket: Resource<Socket>,
        map: Resource<Map>,
    ) -> CodeResult<bool> {
        let socket = self.table.get(&socket)?.0.fd();
        self.table.get(&map)?.delete_of_socket(socket)
    }

    fn drop(&mut self, socket: Resource<Socket>) -> wasmtime::Result<()> {
        self.table.delete(socket)?;
        Ok(())
    }
}

impl WasmBpfCtxView<'_> {
    fn subscribe_to_socket(
        &mut self,
        socket: &Resource<Socket>,
        direction: Direction,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let socket = Arc::clone(&self.table.get(socket)?.0);
        let held = reserve(&self.ctx.usage)
            .map_err(|limit| wasmtime::format_err!("cannot make a pollable: {limit}"))?;
        self.subscribe_to(Ready {
            reactor: None,
            socket,
            direction,
            _held: held,
        })
    }
}

impl Open {
    fn demand_inet(&self) -> CodeResult<()> {
        match self.kind {
            Kind::Packets(_) => Err(ErrorCode::NotSupported.into()),
            Kind::Tcp { .. } | Kind::Udp { .. } => Ok(()),
        }
    }
}

fn demand_inet(socket: &Open, to: &str) -> FailureResult<()> {
    match socket.kind {
        Kind::Packets(_) => {
            let text = format!("cannot {to}: it receives the packets of network interfaces");
            Err(Failure::refused(ErrorCode::NotSupported, text))
        }
        Kind::Tcp { .. } | Kind::Udp { .. } => Ok(()),
    }
}

/// Room for one descriptor.
fn reserve(usage: &Usage) -> Result<Reservation, String> {
    let need = Need {
        descriptors: 1,
        ..Need::default()
    };
    usage.reserve(need).map_err(|limit| limit.to_string())
}

fn failed(to: &str, limit: String) -> Failure {
    Failure::refused(ErrorCode::LimitExceeded, format!("cannot {to}: {limit}"))
}

fn errno_failed(to: &str, errno: RustixErrno) -> Failure {
    let errno = errno.raw_os_error();
    Failure::errno(errno, format!("cannot {to}: {}", Errno(errno)))
}

fn open(kind: &Kind) -> rustix::io::Result<OwnedFd> {
    let (v6, type_, protocol) = match kind {
        Kind::Tcp { v6 } => (*v6, SocketType::STREAM, ipproto::TCP),
        Kind::Udp { v6 } => (*v6, SocketType::DGRAM, ipproto::UDP),
        Kind::Packets(_) => return Err(RustixErrno::INVAL),
    };
    let family = match v6 {
        true => AddressFamily::INET6,
        false => AddressFamily::INET,
    };
    let socket = socket_with(family, type_, SOCKET_FLAGS, Some(protocol))?;
    if v6 {
        // An IPv4 address written as an IPv6 one would be another than that of the grant.
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    Ok(socket)
}

/// Reads an address of the socket's own kind.
fn address_of(socket: &Open, text: &str, to: &str) -> FailureResult<SocketAddr> {
    demand_inet(socket, to)?;
    let (Kind::Tcp { v6 } | Kind::Udp { v6 }) = socket.kind else {
        unreachable!("demanded above");
    };
    let refuse = |why: &str| {
        let text = format!("cannot {to}: {why}");
        Err(Failure::refused(ErrorCode::InvalidArgument, text))
    };
    match text.parse::<SocketAddr>() {
        Ok(address) if address.is_ipv6() == v6 => Ok(address),
        Ok(_) if v6 => refuse("the socket takes IPv6 addresses, as in [::1]:8080"),
        Ok(_) => refuse("the socket takes IPv4 addresses, as in 127.0.0.1:8080"),
        Err(_) => refuse("that is no address with a port, as in 127.0.0.1:8080 or [::1]:8080"),
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Receive,
    Send,
}

impl Direction {
    fn events(self) -> PollFlags {
        match self {
            Self::Receive => PollFlags::IN,
            Self::Send => PollFlags::OUT,
        }
    }

    fn interest(self) -> Interest {
        match self {
            Self::Receive => Interest::READABLE,
            Self::Send => Interest::WRITABLE,
        }
    }
}

/// Ready when there is something to do with a socket. A stop ends WASI's own wait for it.
struct Ready {
    reactor: Option<AsyncFd<OwnedFd>>,
    socket: Arc<Open>,
    direction: Direction,
    /// Of the reactor's copy.
    _held: Reservation,
}

impl Ready {
    /// Asks the kernel. A failure is for the next call to tell.
    fn is_ready(&self) -> bool {
        let mut socket = [PollFd::new(&self.socket.fd, self.direction.events())];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        rustix::event::poll(&mut socket, Some(&at_once)) != Ok(0)
    }

    fn reactor(&mut self) -> io::Result<&mut AsyncFd<OwnedFd>> {
        if self.reactor.is_none() {
            let copy = self.socket.fd.try_clone()?;
            self.reactor = Some(readiness::register(copy, self.direction.interest())?);
        }
        Ok(self.reactor.as_mut().expect("made above"))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Ready {
    async fn ready(&mut self) {
        while !self.is_ready() {
            let direction = self.direction;
            let Ok(reactor) = self.reactor() else { return };
            let ready = match direction {
                Direction::Receive => reactor.readable_mut().await,
                Direction::Send => reactor.writable_mut().await,
            };
            let Ok(mut ready) = ready else { return };
            ready.clear_ready();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Limits;

    fn socket(kind: Kind) -> Socket {
        let usage = Usage::new(Limits::default());
        Socket::new(open(&kind).unwrap(), kind, reserve(&usage).unwrap())
    }

    #[test]
    fn addresses_are_of_the_sockets_kind() {
        let four = socket(Kind::Tcp { v6: false });
        let six = socket(Kind::Udp { v6: true });
        let address = |socket: &Socket, text: &str| address_of(&socket.0, text, "try").is_ok();
        assert!(address(&four, "127.0.0.1:80"));
        assert!(address(&six, "[::1]:80"));
        assert!(address(&six, "[fe80::1%2]:0"));
        for bad in [
            "[::1]:80",
            "localhost:80",
            "127.0.0.1",
            "127.0.0.1:65536",
            "",
            "\0",
        ] {
            assert!(!address(&four, bad), "{bad:?}");
        }
        assert!(!address(&six, "127.0.0.1:80"));
    }

    #[test]
    fn an_ipv6_socket_reaches_no_ipv4_address() {
        let six = socket(Kind::Udp { v6: true });
        let mapped: SocketAddr = "[::ffff:127.0.0.1]:9".parse().unwrap();
        assert!(connect(&six.0.fd, &mapped).is_err());
    }

    #[test]
    fn groups_are_of_sockets_that_share() {
        let udp = socket(Kind::Udp { v6: false });
        *lock(&udp.0.shares_port) = true;
        assert_eq!(udp.0.reuseport_group(), None);
        sockopt::set_socket_reuseport(&udp.0.fd, true).unwrap();
        bind(&udp.0.fd, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        assert!(udp.0.reuseport_group().is_some());
        *lock(&udp.0.shares_port) = false;
        assert_eq!(udp.0.reuseport_group(), None);
    }
}
