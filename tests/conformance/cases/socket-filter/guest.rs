//! Programs that say how much of each packet a socket gets.

use conformance_guests::{assert_fails, holds};
use wasm_bpf_guest::{ErrorKind, Socket, SocketKind};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

fn load() -> CaseSkel {
    CaseSkelBuilder::new().open().unwrap().load().unwrap()
}

/// A socket, and one that sends to it.
fn pair() -> (Socket, Socket) {
    let receiver = Socket::open(SocketKind::Udp4).unwrap();
    receiver.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let sender = Socket::open(SocketKind::Udp4).unwrap();
    sender.connect(receiver.local_addr().unwrap()).unwrap();
    (receiver, sender)
}

/// What arrives of these. Over the loopback interface they arrive before `send` returns.
fn arrives(receiver: &Socket, sender: &Socket) -> Vec<Vec<u8>> {
    for data in [&[0, 1][..], &[2, 3], &[4, 5, 6]] {
        assert_eq!(sender.send(data).unwrap(), data.len());
    }
    let mut arrived = Vec::new();
    while let Some(received) = receiver.try_receive(64).unwrap() {
        arrived.push(received.data);
    }
    arrived
}

fn datagrams() {
    let skel = load();
    let (receiver, sender) = pair();
    let all = [vec![0, 1], vec![2, 3], vec![4, 5, 6]];
    assert_eq!(arrives(&receiver, &sender), all);
    let link = skel
        .progs
        .drop_zeros
        .attach_socket_filter(&receiver)
        .unwrap();
    // The kernel has no link for it.
    assert!(link.info().unwrap().is_none());
    holds(&skel.object, &[]);
    assert_eq!(arrives(&receiver, &sender), all[1..]);
    assert_eq!(skel.bss.get().unwrap().seen, 3);
    drop(link);
    assert_eq!(arrives(&receiver, &sender), all);
    assert_eq!(skel.bss.get().unwrap().seen, 3);
    let _link = skel.progs.cut.attach_socket_filter(&receiver).unwrap();
    assert_eq!(arrives(&receiver, &sender), [vec![0], vec![2], vec![4]]);
}

fn packets() {
    let skel = load();
    let capture = Socket::open_packet(Some("lo")).unwrap();
    let link = skel.progs.only_udp.attach_socket_filter(&capture).unwrap();
    // Nobody listens there: two packets of TCP each way.
    let stream = Socket::open(SocketKind::Tcp4).unwrap();
    let refused = stream.connect("127.0.0.1:9".parse().unwrap());
    assert_fails!(refused, ErrorKind::Other(111));
    assert!(skel.bss.get().unwrap().seen >= 2);
    assert!(capture.try_receive(1 << 16).unwrap().is_none());
    let (_receiver, sender) = pair();
    sender.send(&[7; 100]).unwrap();
    for _ in 0..2 {
        // Cut by the program.
        let packet = capture.receive(1 << 16).unwrap();
        assert_eq!(packet.data.len(), 42);
        assert_eq!(packet.data[23], 17);
    }
    drop(link);
    sender.send(&[7; 100]).unwrap();
    assert_eq!(capture.receive(1 << 16).unwrap().data.len(), 142);
}

fn replaced() {
    let skel = load();
    let (receiver, sender) = pair();
    let first = skel
        .progs
        .drop_zeros
        .attach_socket_filter(&receiver)
        .unwrap();
    let second = skel.progs.cut.attach_socket_filter(&receiver).unwrap();
    let cut = [vec![0], vec![2], vec![4]];
    assert_eq!(arrives(&receiver, &sender), cut);
    drop(first);
    assert_eq!(arrives(&receiver, &sender), cut);
    drop(second);
    assert_eq!(arrives(&receiver, &sender)[2], [4, 5, 6]);
    let third = skel
        .progs
        .drop_zeros
        .attach_socket_filter(&receiver)
        .unwrap();
    assert_eq!(arrives(&receiver, &sender).len(), 2);
    drop(third);
    assert_eq!(arrives(&receiver, &sender).len(), 3);
}

fn outlives() {
    let skel = load();
    let (receiver, sender) = pair();
    let link = skel
        .progs
        .drop_zeros
        .attach_socket_filter(&receiver)
        .unwrap();
    holds(&skel.object, &[]);
    let seen = wasm_bpf_guest::MapHandle::try_from(&skel.object.map(".bss").unwrap()).unwrap();
    let seen = || {
        use wasm_bpf_guest::MapCore as _;
        let value = seen.lookup(&[0; 4]).unwrap().unwrap();
        u64::from_ne_bytes(value[..8].try_into().unwrap())
    };
    drop(skel);
    assert_eq!(arrives(&receiver, &sender).len(), 2);
    assert_eq!(seen(), 3);
    drop(receiver);
    // The link keeps it open: somebody is there to filter for.
    sender.send(&[1]).unwrap();
    sender.send(&[1]).unwrap();
    assert_eq!(seen(), 5);
    drop(link);
    // Now nobody is: the second one hears of what the first one met.
    sender.send(&[1]).unwrap();
    assert_fails!(sender.send(&[1]), ErrorKind::Other(111));
    assert_eq!(seen(), 5);
}

fn wrong() {
    let skel = load();
    let (receiver, _sender) = pair();
    let refused = skel.progs.of_another_kind.attach_socket_filter(&receiver);
    assert_fails!(refused, ErrorKind::InvalidArgument, "of_another_kind");
    let link = skel.progs.cut.attach_socket_filter(&receiver).unwrap();
    let refused = skel.progs.cut.attach_socket_filter(&receiver);
    assert_fails!(refused, ErrorKind::LimitExceeded, "links=1");
    drop(link);
    let _link = skel.progs.cut.attach_socket_filter(&receiver).unwrap();
}
