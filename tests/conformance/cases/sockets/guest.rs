//! Sockets of the host.

use std::net::SocketAddr;
use std::time::Duration;

use conformance_guests::{assert_code, assert_fails, raw, stop_soon, traps_now};
use wasm_bpf_guest::{ErrorKind, Result, Socket, SocketKind};

conformance_guests::guest!();

fn any(v6: bool) -> SocketAddr {
    let text = if v6 { "[::1]:0" } else { "127.0.0.1:0" };
    text.parse().unwrap()
}

fn stream(v6: bool) -> Socket {
    let kind = if v6 {
        SocketKind::Tcp6
    } else {
        SocketKind::Tcp4
    };
    Socket::open(kind).unwrap()
}

fn datagram(v6: bool) -> Socket {
    let kind = if v6 {
        SocketKind::Udp6
    } else {
        SocketKind::Udp4
    };
    Socket::open(kind).unwrap()
}

fn listener(v6: bool) -> Socket {
    let listener = stream(v6);
    listener.bind(any(v6)).unwrap();
    listener.listen(8).unwrap();
    listener
}

/// Both ends of a connection.
fn pair(listener: &Socket, v6: bool) -> (Socket, Socket) {
    let client = stream(v6);
    client.connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap())
}

fn tcp() {
    tcp_over(false);
    tcp_over(true);
}

fn udp() {
    udp_over(false);
    udp_over(true);
}

fn tcp_over(v6: bool) {
    let listener = listener(v6);
    let address = listener.local_addr().unwrap();
    assert_eq!((address.is_ipv6(), address.port() != 0), (v6, true));
    assert!(listener.try_accept().unwrap().is_none());
    let (client, server) = pair(&listener, v6);
    assert_eq!(client.peer_addr().unwrap(), Some(address));
    assert_eq!(server.local_addr().unwrap(), address);
    assert_eq!(
        server.peer_addr().unwrap(),
        Some(client.local_addr().unwrap())
    );
    assert_eq!(listener.peer_addr().unwrap(), None);
    let cookies = [&listener, &client, &server].map(|socket| socket.cookie().unwrap());
    assert!(cookies[0] != cookies[1] && cookies[1] != cookies[2] && cookies[0] != cookies[2]);
    assert_eq!(client.cookie().unwrap(), cookies[1]);
    assert!(server.try_receive(64).unwrap().is_none());
    assert_eq!(client.send(b"forth").unwrap(), 5);
    assert_eq!(server.receive(64).unwrap().data, b"forth");
    assert_eq!(server.send(b"and back").unwrap(), 8);
    // A stream is taken piece by piece.
    assert_eq!(client.receive(4).unwrap().data, b"and ");
    let rest = client.receive(64).unwrap();
    assert_eq!((&rest.data[..], rest.length), (&b"back"[..], 4));
    assert!(client.subscribe_send().ready());
    assert!(!client.subscribe_receive().ready());
    drop(server);
    // It sends no more.
    assert!(client.receive(64).unwrap().data.is_empty());
    drop(listener);
    let late = stream(v6);
    let refused = assert_fails!(late.connect(address), ErrorKind::Other(_));
    assert_eq!(refused.errno(), Some(111));
}

fn udp_over(v6: bool) {
    let (one, other) = (datagram(v6), datagram(v6));
    one.bind(any(v6)).unwrap();
    other.connect(one.local_addr().unwrap()).unwrap();
    assert_eq!(other.peer_addr().unwrap(), Some(one.local_addr().unwrap()));
    for length in [0usize, 5, 9000, 60_000] {
        assert_eq!(other.send(&vec![7; length]).unwrap(), length);
        let received = one.receive(65_536).unwrap();
        assert_eq!(
            (received.data.len(), received.length),
            (length, length as u32)
        );
    }
    other.send(&[1, 2, 3, 4, 5]).unwrap();
    other.send(&[6]).unwrap();
    let received = one.receive(2).unwrap();
    assert_eq!((&received.data[..], received.length), (&[1, 2][..], 5));
    assert_eq!(one.receive(2).unwrap().data, [6]);
    // Nobody is connected to: EDESTADDRREQ.
    assert_code!(one_raw_send(), ErrorKind::Other(89));
    assert!(one.try_receive(2).unwrap().is_none());
}

/// The code of a function of the interface itself.
fn one_raw_send() -> std::result::Result<u32, ErrorKind> {
    let socket = datagram(false);
    socket.bind(any(false)).unwrap();
    socket
        .send(b"to whom")
        .map(|sent| sent as u32)
        .map_err(|error| error.kind())
}

fn shared_port() {
    for open in [stream, datagram] {
        let (first, second, third) = (open(false), open(false), open(false));
        first.set_reuse_port(true).unwrap();
        first.bind(any(false)).unwrap();
        let address = first.local_addr().unwrap();
        // EADDRINUSE
        let refused = assert_fails!(third.bind(address), ErrorKind::Other(98));
        assert_eq!(refused.errno(), Some(98));
        second.set_reuse_port(true).unwrap();
        second.bind(address).unwrap();
        assert_eq!(second.local_addr().unwrap(), address);
    }
}

fn packets() {
    let capture = Socket::open_packet(Some("lo")).unwrap();
    assert!(capture.try_receive(64).unwrap().is_none());
    let (one, other) = (datagram(false), datagram(false));
    one.bind(any(false)).unwrap();
    other.connect(one.local_addr().unwrap()).unwrap();
    other.send(b"wasm-bpf").unwrap();
    // Its two ways over the loopback interface: Ethernet, IPv4 and UDP headers, then the data.
    for most in [1 << 16, 44] {
        let packet = capture.receive(most).unwrap();
        assert_eq!(packet.length, 14 + 20 + 8 + 8);
        assert_eq!(packet.data.len(), most.min(50));
        assert_eq!(&packet.data[42..], &b"wasm-bpf"[..packet.data.len() - 42]);
        assert_eq!(packet.data[12..14], [8, 0]);
    }
    assert!(capture.try_receive(64).unwrap().is_none());
    // It is there to see.
    assert_fails!(capture.send(&[0; 64]), ErrorKind::NotSupported);
    assert_fails!(capture.bind(any(false)), ErrorKind::NotSupported);
    assert_fails!(capture.connect(any(false)), ErrorKind::NotSupported);
    assert_fails!(capture.listen(1), ErrorKind::NotSupported);
    assert_fails!(capture.set_reuse_port(true), ErrorKind::NotSupported);
    assert_fails!(capture.local_addr(), ErrorKind::NotSupported);
    assert_fails!(capture.peer_addr(), ErrorKind::NotSupported);
    assert!(one.receive(64).is_ok());
    for name in ["lo\0", "", "../lo", "a-name-that-is-much-too-long-for-one"] {
        assert_fails!(Socket::open_packet(Some(name)), ErrorKind::NotGranted);
    }
}

fn packets_denied() {
    assert_fails!(
        Socket::open_packet(Some("lo")),
        ErrorKind::NotGranted,
        "socket-filter=lo"
    );
    assert_fails!(
        Socket::open_packet(None),
        ErrorKind::NotGranted,
        "socket-filter=*"
    );
    assert_fails!(
        Socket::open_packet(Some("*")),
        ErrorKind::NotGranted,
        "socket-filter=*"
    );
    Socket::open_packet(Some("wb0")).unwrap();
}

fn packets_of_all() {
    for name in [
        "no-such",
        "lo\0",
        "",
        "*",
        "a-name-that-is-much-too-long-for-one",
    ] {
        assert_fails!(Socket::open_packet(Some(name)), ErrorKind::NoSuchDevice);
    }
    let capture = Socket::open_packet(None).unwrap();
    let (one, other) = (datagram(false), datagram(false));
    one.bind(any(false)).unwrap();
    other.connect(one.local_addr().unwrap()).unwrap();
    other.send(b"wasm-bpf").unwrap();
    // Those of the veth pair that comes up are among them.
    let is_ours = |packet: &[u8]| packet.ends_with(b"wasm-bpf");
    while !is_ours(&capture.receive(1 << 16).unwrap().data) {}
}

fn denied() {
    let address = |text: &str| text.parse::<SocketAddr>().unwrap();
    for text in [
        "127.0.0.1:0",
        "127.0.0.1:4001",
        "0.0.0.0:4000",
        "127.0.0.2:4000",
        "127.0.0.1:40",
    ] {
        let grant = format!("socket={text}");
        assert_fails!(
            stream(false).bind(address(text)),
            ErrorKind::NotGranted,
            &grant
        );
        assert_fails!(
            datagram(false).connect(address(text)),
            ErrorKind::NotGranted,
            &grant
        );
    }
    for text in [
        "[::]:4000",
        "[::2]:4000",
        "[::ffff:127.0.0.1]:4000",
        "[::1%1]:4000",
    ] {
        assert_fails!(stream(true).bind(address(text)), ErrorKind::NotGranted);
        assert_fails!(datagram(true).connect(address(text)), ErrorKind::NotGranted);
    }
    // The kernel would choose every address and any port.
    assert_fails!(
        stream(false).listen(1),
        ErrorKind::NotGranted,
        "socket=0.0.0.0:0"
    );
    assert_fails!(
        stream(true).listen(1),
        ErrorKind::NotGranted,
        "socket=[::]:0"
    );
    let socket = datagram(false);
    socket.bind(address("127.0.0.1:4000")).unwrap();
    datagram(true).bind(address("[::1]:4001")).unwrap();
}

fn none_granted() {
    for kind in [
        SocketKind::Tcp4,
        SocketKind::Tcp6,
        SocketKind::Udp4,
        SocketKind::Udp6,
    ] {
        assert_fails!(Socket::open(kind), ErrorKind::NotGranted, "socket=");
    }
}

fn wrong() {
    assert_fails!(Socket::open(SocketKind::Other(1)), ErrorKind::NotSupported);
    use raw::sockets::{Socket as Raw, SocketKind as Kind};
    use raw::types::ErrorCode;
    let socket = Raw::open(Kind::Tcp4).unwrap();
    for address in [
        "",
        "localhost:80",
        "127.0.0.1",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.1:80",
        "[::1]:80",
        "127.0.0.1:80\0",
        "unix:/tmp/x",
        &"1".repeat(1 << 20),
    ] {
        assert_code!(
            socket.bind(address).map_err(|error| error.code),
            ErrorCode::InvalidArgument
        );
        assert_code!(
            socket.connect(address).map_err(|error| error.code),
            ErrorCode::InvalidArgument
        );
    }
    assert_code!(socket.accept(), ErrorCode::InvalidArgument);
    assert_code!(socket.receive(0), ErrorCode::InvalidArgument);
    // ENOTCONN, and EPIPE of what was never connected.
    assert_code!(socket.receive(u32::MAX), ErrorCode::Other(107));
    assert_code!(socket.send(b"x"), ErrorCode::Other(32));
    socket.bind("127.0.0.1:0").unwrap();
    assert_code!(
        socket.bind("127.0.0.1:0").map_err(|error| error.code),
        ErrorCode::InvalidArgument
    );
    let datagrams = Raw::open(Kind::Udp4).unwrap();
    assert_code!(
        datagrams.listen(1).map_err(|error| error.code),
        ErrorCode::NotSupported
    );
    assert_code!(datagrams.accept(), ErrorCode::InvalidArgument);
    assert_code!(datagrams.receive(1), ErrorCode::WouldBlock);
    // EMSGSIZE
    datagrams.connect("127.0.0.1:9").unwrap();
    assert_code!(datagrams.send(&vec![0; 70_000]), ErrorCode::Other(90));
    socket.listen(u32::MAX).unwrap();
    // A listener connects to nobody: EISCONN.
    assert_code!(
        socket.connect("127.0.0.1:9").map_err(|error| error.code),
        ErrorCode::Other(106)
    );
}

fn no_room() {
    let listener = listener(false);
    let (client, server) = pair(&listener, false);
    let mut sent = 0;
    let block = vec![0; 1 << 16];
    let refused = loop {
        match client.send(&block) {
            Ok(taken) => sent += taken,
            Err(error) => break error,
        }
    };
    assert_fails!(Err::<(), _>(refused), ErrorKind::WouldBlock);
    let room = client.subscribe_send();
    assert!(!room.ready());
    let mut received = 0;
    while received < sent {
        received += server.receive(1 << 20).unwrap().data.len();
    }
    assert_eq!(received, sent);
    room.block();
    assert!(room.ready());
    assert!(client.send(&block).unwrap() > 0);
}

fn stop() {
    let listener = listener(false);
    let (client, server) = pair(&listener, false);
    stop_soon();
    let ended: Result<_> = server.receive(64);
    assert!(assert_fails!(ended, ErrorKind::Interrupted).is_interrupted());
    // What comes afterwards is received, and waited for.
    let nothing = server
        .receive_timeout(64, Duration::from_millis(50))
        .unwrap();
    assert!(nothing.is_none());
    client.send(b"late").unwrap();
    assert_eq!(server.receive(64).unwrap().data, b"late");
}

fn limit() {
    let listener = listener(false);
    let client = stream(false);
    // Its pollables have a descriptor while it waits.
    client.connect(listener.local_addr().unwrap()).unwrap();
    let third = stream(false);
    let fourth = stream(false);
    assert_fails!(
        Socket::open(SocketKind::Udp4),
        ErrorKind::LimitExceeded,
        "descriptors=4"
    );
    assert_fails!(listener.try_accept(), ErrorKind::LimitExceeded);
    drop(third);
    drop(fourth);
    let _accepted = listener.accept().unwrap();
    let _fourth = datagram(false);
    assert_fails!(
        Socket::open(SocketKind::Tcp6),
        ErrorKind::LimitExceeded,
        "descriptors=4"
    );
}

fn pollable_outlives() {
    let listener = listener(false);
    let (client, server) = pair(&listener, false);
    let (ready, of_listener) = (server.subscribe_receive(), listener.subscribe_receive());
    assert!(!ready.ready());
    drop(server);
    drop(listener);
    assert!(!ready.ready());
    client.send(b"x").unwrap();
    ready.block();
    assert!(ready.ready());
    drop(of_listener);
}

fn too_many_pollables() {
    let socket = datagram(false);
    let _one = socket.subscribe_receive();
    let _two = socket.subscribe_send();
    traps_now();
    let _three = socket.subscribe_receive();
}
