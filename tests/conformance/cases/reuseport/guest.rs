//! Sockets that share a port.

use conformance_guests::{assert_fails, holds};
use wasm_bpf_guest::{ErrorKind, MapCore, MapFlags, Socket, SocketKind};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

fn load() -> CaseSkel {
    CaseSkelBuilder::new().open().unwrap().load().unwrap()
}

/// Two sockets that share a port.
fn group() -> [Socket; 2] {
    let first = sharing();
    first.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let second = sharing();
    second.bind(first.local_addr().unwrap()).unwrap();
    [first, second]
}

fn sharing() -> Socket {
    let socket = Socket::open(SocketKind::Udp4).unwrap();
    socket.set_reuse_port(true).unwrap();
    socket
}

fn sender(group: &[Socket; 2]) -> Socket {
    let sender = Socket::open(SocketKind::Udp4).unwrap();
    sender.connect(group[0].local_addr().unwrap()).unwrap();
    sender
}

/// How many of 8 datagrams that name it each of the two gets. They arrive before `send` returns.
fn arrived(group: &[Socket; 2], sender: &Socket, name: u8) -> [usize; 2] {
    for _ in 0..8 {
        // Of one that was dropped the next one hears: ECONNREFUSED.
        while let Err(error) = sender.send(&[name]) {
            assert!(matches!(error.kind(), ErrorKind::Other(111)), "{error}");
        }
    }
    [0, 1].map(|index: usize| {
        let socket = &group[index];
        std::iter::from_fn(|| socket.try_receive(8).unwrap()).count()
    })
}

/// The kernel's own choice: all from one sender go to one of them.
fn is_the_kernels(group: &[Socket; 2], sender: &Socket) -> bool {
    let counts = [0, 1, 9].map(|name| arrived(group, sender, name));
    counts[0] == counts[1] && counts[1] == counts[2] && counts[0].contains(&8)
}

fn choose() {
    let skel = load();
    let group = group();
    let sender = sender(&group);
    assert!(is_the_kernels(&group, &sender));
    for (index, socket) in (0u32..).zip(&group) {
        let key = index.to_ne_bytes();
        socket
            .store_in(&skel.maps.socks, &key, MapFlags::NoExist)
            .unwrap();
        let cookie = socket.cookie().unwrap().to_ne_bytes();
        assert_eq!(skel.maps.socks.lookup(&key).unwrap().unwrap(), cookie);
    }
    let link = skel.progs.choose.attach_reuseport(&group[1]).unwrap();
    assert!(link.info().unwrap().is_none());
    holds(&skel.object, &[]);
    assert_eq!(arrived(&group, &sender, 0), [8, 0]);
    assert_eq!(arrived(&group, &sender, 1), [0, 8]);
    assert_eq!(arrived(&group, &sender, 3), [0, 0]);
    assert_eq!(skel.bss.get().unwrap().chosen, 24);
    drop(link);
    assert!(is_the_kernels(&group, &sender));
    assert_eq!(skel.bss.get().unwrap().chosen, 24);
    let [first, second] = group;
    drop(first);
    assert!(skel.maps.socks.lookup(&[0; 4]).unwrap().is_none());
    drop(second);
}

fn by_number() {
    let skel = load();
    let group = group();
    let sender = sender(&group);
    let link = skel.progs.by_number.attach_reuseport(&group[0]).unwrap();
    assert_eq!(arrived(&group, &sender, 0), [8, 0]);
    assert_eq!(arrived(&group, &sender, 1), [0, 8]);
    drop(link);
    assert!(is_the_kernels(&group, &sender));
}

fn replaced() {
    let skel = load();
    let group = group();
    let sender = sender(&group);
    let first = skel.progs.drop_all.attach_reuseport(&group[0]).unwrap();
    assert_eq!(arrived(&group, &sender, 0), [0, 0]);
    let second = skel.progs.by_number.attach_reuseport(&group[1]).unwrap();
    assert_eq!(arrived(&group, &sender, 1), [0, 8]);
    drop(first);
    assert_eq!(arrived(&group, &sender, 1), [0, 8]);
    assert_eq!(arrived(&group, &sender, 0), [8, 0]);
    drop(second);
    assert!(is_the_kernels(&group, &sender));
}

fn outlives() {
    let skel = load();
    let group = group();
    let sender = sender(&group);
    let third = sharing();
    third.bind(group[0].local_addr().unwrap()).unwrap();
    let link = skel.progs.drop_all.attach_reuseport(&third).unwrap();
    holds(&skel.object, &[]);
    drop(skel);
    drop(third);
    assert_eq!(arrived(&group, &sender, 0), [0, 0]);
    drop(link);
    assert!(is_the_kernels(&group, &sender));
}

fn stored() {
    let skel = load();
    let socks = &skel.maps.socks;
    let put =
        |socket: &Socket, index: u32| socket.store_in(socks, &index.to_ne_bytes(), MapFlags::Any);
    assert_fails!(put(&sharing(), 0), ErrorKind::InvalidArgument, "socks");
    let alone = Socket::open(SocketKind::Udp4).unwrap();
    alone.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    assert_fails!(put(&alone, 0), ErrorKind::InvalidArgument, "socks");
    let group = group();
    put(&group[0], 0).unwrap();
    assert_fails!(put(&group[0], 1), ErrorKind::Busy, "socks");
    assert_fails!(put(&group[1], 4), ErrorKind::Full, "socks");
    put(&group[1], 0).unwrap();
    put(&group[0], 1).unwrap();
}

fn wrong() {
    let skel = load();
    let group = group();
    let attach = |socket: &Socket| skel.progs.choose.attach_reuseport(socket);
    // Not bound; does not share.
    assert_fails!(attach(&sharing()), ErrorKind::InvalidArgument, "choose");
    let alone = Socket::open(SocketKind::Udp4).unwrap();
    alone.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    assert_fails!(attach(&alone), ErrorKind::InvalidArgument, "choose");
    let capture = Socket::open_packet(Some("lo")).unwrap();
    assert_fails!(attach(&capture), ErrorKind::InvalidArgument, "choose");
    let refused = skel.progs.of_another_kind.attach_reuseport(&group[0]);
    assert_fails!(refused, ErrorKind::InvalidArgument, "of_another_kind");
}

fn denied() {
    let open = CaseSkelBuilder::new().open().unwrap();
    for program in ["choose", "drop_all", "of_another_kind"] {
        open.open
            .program(program)
            .unwrap()
            .set_autoload(false)
            .unwrap();
    }
    open.open
        .map("socks")
        .unwrap()
        .set_autocreate(false)
        .unwrap();
    let skel = open.load().unwrap();
    let group = group();
    let refused = skel.progs.by_number.attach_reuseport(&group[0]);
    assert_fails!(refused, ErrorKind::NotGranted, "sockmap", "by_number");
    assert!(is_the_kernels(&group, &sender(&group)));
}
