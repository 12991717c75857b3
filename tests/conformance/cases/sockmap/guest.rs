//! Sockets in maps, and programs on those.

use conformance_guests::{assert_fails, holds, is_gone, link_id};
use wasm_bpf_guest::features::{self, KernelVersion};
use wasm_bpf_guest::{
    ErrorKind, Link, LinkDetails, LinkType, MapCore, MapFlags, MapHandle, MapType, Socket,
    SocketKind,
};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

fn load() -> CaseSkel {
    CaseSkelBuilder::new().open().unwrap().load().unwrap()
}

/// Kernels that lock a CPU up when a program lets pass what a stream parser has read (CVE-2024-56694), and those whose number does not tell.
fn locks_up_with_parsers() -> bool {
    let KernelVersion {
        major,
        minor,
        patch,
    } = features::version();
    let is_faulty = match (major, minor) {
        (5, 10) => (223..233).contains(&patch),
        (5, 15) => (159..174).contains(&patch),
        (6, 1) => (91..120).contains(&patch),
        (6, 6) => (31..64).contains(&patch),
        (6, 8) => patch >= 10,
        (6, 9 | 10) => true,
        (6, 11) => patch < 11,
        (6, 12) => patch < 2,
        _ => false,
    };
    is_faulty || patch == 0 && (major, minor) < (6, 13)
}

/// A parser; none where the kernel would lock up, and no component gets one.
fn parser(skel: &CaseSkel) -> Option<Link> {
    let attached = skel.progs.parse.attach_sockmap(&skel.maps.socks);
    if !locks_up_with_parsers() {
        return Some(attached.unwrap());
    }
    let KernelVersion { major, minor, .. } = features::version();
    let number = format!("{major}.{minor}.");
    assert_fails!(attached, ErrorKind::NotSupported, "parse", "lock", &number);
    None
}

/// Both ends of a connection.
fn pair() -> (Socket, Socket) {
    let listener = Socket::open(SocketKind::Tcp4).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    listener.listen(1).unwrap();
    let client = Socket::open(SocketKind::Tcp4).unwrap();
    client.connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap())
}

/// What one end sends comes out of the other.
fn passes(from: &Socket, to: &Socket) {
    assert_eq!(from.send(b"data").unwrap(), 4);
    assert_eq!(to.receive(64).unwrap().data, b"data");
}

fn store(socket: &Socket, map: &dyn MapCore, key: &[u8]) {
    socket.store_in(map, key, MapFlags::Any).unwrap();
}

fn forward() {
    let skel = load();
    let socks = &skel.maps.socks;
    let parser = parser(&skel);
    let _verdict = skel.progs.forward.attach_sockmap(socks).unwrap();
    holds(&skel.object, &[]);
    let ((here, first), (there, second)) = (pair(), pair());
    passes(&here, &first);
    assert_eq!(skel.bss.get().unwrap().judged, 0);
    store(&first, socks, &0u32.to_ne_bytes());
    store(&second, socks, &1u32.to_ne_bytes());
    for _ in 0..3 {
        passes(&here, &there);
    }
    assert!(first.try_receive(64).unwrap().is_none());
    let bss = skel.bss.get().unwrap();
    let parsed = if parser.is_some() { 3 } else { 0 };
    assert_eq!((bss.parsed, bss.judged), (parsed, 3));
    // The way back is nobody's business.
    passes(&first, &here);
}

fn messages() {
    let skel = load();
    let by_number = &skel.maps.by_number;
    let sent = || skel.bss.get().unwrap().sent;
    let link = skel.progs.count_messages.attach_sockmap(by_number).unwrap();
    let (client, server) = pair();
    passes(&client, &server);
    assert_eq!(sent(), 0);
    let key = (1u64 << 40).to_ne_bytes();
    store(&client, by_number, &key);
    passes(&client, &server);
    passes(&server, &client);
    assert_eq!(sent(), 1);
    // It was stored when the program was there.
    drop(link);
    passes(&client, &server);
    assert_eq!(sent(), 2);
    by_number.delete(&key).unwrap();
    passes(&client, &server);
    assert_eq!(sent(), 2);
    let _link = skel.progs.drop_messages.attach_sockmap(by_number).unwrap();
    store(&server, by_number, &key);
    // EACCES
    assert_fails!(server.send(b"x"), ErrorKind::AccessDenied);
    passes(&client, &server);
}

fn link() {
    let skel = load();
    let socks = &skel.maps.socks;
    let link = skel.progs.count_messages.attach_sockmap(socks).unwrap();
    let info = link.info().unwrap().unwrap();
    assert!(matches!(info.type_, LinkType::Sockmap), "{info:?}");
    assert_eq!(
        info.program_id,
        skel.progs.count_messages.info().unwrap().id
    );
    match info.details {
        LinkDetails::Sockmap(details) => {
            /// BPF_SK_MSG_VERDICT
            const ATTACH_TYPE: u32 = 7;
            let map_id = socks.info().unwrap().id;
            assert_eq!((details.map_id, details.attach_type), (map_id, ATTACH_TYPE));
        }
        other => panic!("{other:?}"),
    }
    holds(&skel.object, &[&link]);
    let second = skel.progs.drop_messages.attach_sockmap(socks);
    assert_fails!(second, ErrorKind::Busy, "drop_messages");
    let _verdict = skel.progs.forward.attach_sockmap(socks).unwrap();
    let id = link_id(&link);
    drop(link);
    is_gone(&id);
    let _second = skel.progs.drop_messages.attach_sockmap(socks).unwrap();
}

fn drop_detaches() {
    let skel = load();
    let socks = &skel.maps.socks;
    let link = skel.progs.drop_messages.attach_sockmap(socks).unwrap();
    let (client, server) = pair();
    store(&client, socks, &[0; 4]);
    assert_fails!(client.send(b"x"), ErrorKind::AccessDenied);
    drop(link);
    store(&server, socks, &1u32.to_ne_bytes());
    passes(&server, &client);
}

fn outlives() {
    let skel = load();
    let map = MapHandle::try_from(&skel.maps.by_number).unwrap();
    let link = skel.progs.drop_messages.attach_sockmap(&map).unwrap();
    holds(&skel.object, &[]);
    drop(skel);
    let (client, server) = pair();
    store(&client, &map, &[0; 8]);
    drop(map);
    assert_fails!(client.send(b"x"), ErrorKind::AccessDenied);
    drop(link);
    // The map has nobody any more, and the socket is in none.
    std::thread::sleep(std::time::Duration::from_millis(100));
    passes(&server, &client);
}

fn counted() {
    let skel = load();
    let socks = &skel.maps.socks;
    let (client, _server) = pair();
    let link = skel.progs.forward.attach_sockmap(socks).unwrap();
    store(&client, socks, &[0; 4]);
    drop(link);
    drop(skel);
    // Its program refers to the map that it is in.
    let second = CaseSkelBuilder::new().open().unwrap().load();
    assert_fails!(second.map(drop), ErrorKind::LimitExceeded, "programs=6");
    drop(client);
    load();
}

fn attach_types() {
    const PARSER: u32 = 4;
    const VERDICT: u32 = 5;
    const MESSAGES: u32 = 7;
    let skel = load();
    let socks = &skel.maps.socks;
    let anywhere = &skel.progs.anywhere;
    assert_fails!(
        anywhere.attach_sockmap(socks),
        ErrorKind::InvalidArgument,
        "anywhere"
    );
    for wrong in [0, MESSAGES, 37, 43, u32::MAX] {
        let refused = anywhere.attach_sockmap_as(socks, wrong);
        assert_fails!(refused, ErrorKind::InvalidArgument, "anywhere");
    }
    for wrong in [PARSER, VERDICT, 0] {
        let refused = skel.progs.count_messages.attach_sockmap_as(socks, wrong);
        assert_fails!(refused, ErrorKind::InvalidArgument, "count_messages");
    }
    let _parser = parser(&skel);
    let _verdict = anywhere.attach_sockmap_as(socks, VERDICT).unwrap();
    let (client, server) = pair();
    store(&server, socks, &[0; 4]);
    passes(&client, &server);
    assert_eq!(skel.bss.get().unwrap().judged, 1);
}

fn stored() {
    let skel = load();
    let (socks, by_number) = (&skel.maps.socks, &skel.maps.by_number);
    let (client, server) = pair();
    let key = 2u32.to_ne_bytes();
    let put = |flags| client.store_in(socks, &key, flags);
    put(MapFlags::NoExist).unwrap();
    // Values of 8 bytes are cookies.
    let cookie = client.cookie().unwrap().to_ne_bytes();
    assert_eq!(socks.lookup(&key).unwrap().unwrap(), cookie);
    assert_fails!(put(MapFlags::NoExist), ErrorKind::AlreadyExists, "socks");
    put(MapFlags::Exist).unwrap();
    // A number is no socket.
    let refused = socks.update(&key, &3u64.to_ne_bytes(), MapFlags::Any);
    assert_fails!(refused, ErrorKind::NotSupported);
    let past = server.store_in(socks, &4u32.to_ne_bytes(), MapFlags::Any);
    assert_fails!(past, ErrorKind::Full, "socks");
    for length in [0, 3, 5, 8] {
        let refused = server.store_in(socks, &vec![0; length], MapFlags::Any);
        assert_fails!(refused, ErrorKind::WrongSize, "socks");
    }
    store(&client, by_number, &[1; 8]);
    store(&server, by_number, &[2; 8]);
    socks.delete(&key).unwrap();
    assert!(socks.lookup(&key).unwrap().is_none());
    // One that is connected to nobody.
    let alone = Socket::open(SocketKind::Tcp4).unwrap();
    let refused = alone.store_in(by_number, &[3; 8], MapFlags::Any);
    assert_fails!(refused, ErrorKind::NotSupported, "by_number");
    let refused = server.store_in(&skel.maps.array, &[0; 4], MapFlags::Any);
    assert_fails!(refused, ErrorKind::NotSupported, "array");
    // Closed: the kernel takes it out.
    assert_eq!(by_number.keys().count(), 2);
    drop(client);
    assert_eq!(by_number.keys().count(), 1);
    drop(server);
    assert_eq!(by_number.keys().count(), 0);
    let _datagrams = {
        let socket = Socket::open(SocketKind::Udp4).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        store(&socket, by_number, &[4; 8]);
        socket
    };
}

fn wrong() {
    let skel = load();
    let socks = &skel.maps.socks;
    let refused = skel.progs.of_another_kind.attach_sockmap(socks);
    assert_fails!(refused, ErrorKind::InvalidArgument, "of_another_kind");
    let refused = skel.progs.forward.attach_sockmap(&skel.maps.array);
    assert_fails!(refused, ErrorKind::NotSupported, "forward", "array");
}

fn xsk() {
    let map = MapHandle::create(MapType::Xskmap, "xsks", 4, 4, 1, 0).unwrap();
    let socket = Socket::open(SocketKind::Udp4).unwrap();
    let refused = socket.store_in(&map, &[0; 4], MapFlags::Any);
    assert_fails!(refused, ErrorKind::NotSupported, "xsks", "AF_XDP");
}
