//! What maps have for sockets.

use conformance_guests::{assert_fails, holds};
use wasm_bpf_guest::{ErrorKind, MapCore as _, MapFlags, Socket, SocketKind};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

fn load() -> CaseSkel {
    CaseSkelBuilder::new().open().unwrap().load().unwrap()
}

fn socket() -> Socket {
    Socket::open(SocketKind::Udp4).unwrap()
}

fn values() {
    let skel = load();
    let storage = &skel.maps.storage;
    let (one, other) = (socket(), socket());
    assert_eq!(one.lookup_in_storage(storage).unwrap(), None);
    let put = |value: u64, flags| one.update_in_storage(storage, &value.to_ne_bytes(), flags);
    let found = || one.lookup_in_storage(storage).unwrap();
    assert_fails!(put(1, MapFlags::Exist), ErrorKind::NotFound);
    put(2, MapFlags::NoExist).unwrap();
    assert_eq!(found(), Some(2u64.to_ne_bytes().to_vec()));
    assert_fails!(put(3, MapFlags::NoExist), ErrorKind::AlreadyExists);
    put(4, MapFlags::Exist).unwrap();
    put(5, MapFlags::Any).unwrap();
    assert_eq!(found(), Some(5u64.to_ne_bytes().to_vec()));
    // It is this socket's alone.
    assert_eq!(other.lookup_in_storage(storage).unwrap(), None);
    assert!(!other.delete_in_storage(storage).unwrap());
    assert!(one.delete_in_storage(storage).unwrap());
    assert!(!one.delete_in_storage(storage).unwrap());
    assert_eq!(found(), None);
    put(6, MapFlags::Any).unwrap();
    holds(&skel.object, &[]);
    drop(one);
    // A new one, with the same number of a descriptor, has nothing.
    assert_eq!(socket().lookup_in_storage(storage).unwrap(), None);
    // A socket's value does not keep the map.
    other
        .update_in_storage(storage, &[0; 8], MapFlags::Any)
        .unwrap();
    drop(skel);
}

fn wrong() {
    let skel = load();
    let socket = socket();
    for length in [0, 7, 9, 1 << 20] {
        let value = vec![0; length];
        let refused = socket.update_in_storage(&skel.maps.storage, &value, MapFlags::Any);
        assert_fails!(refused, ErrorKind::WrongSize);
    }
    let hash = &skel.maps.hash;
    assert_fails!(socket.lookup_in_storage(hash), ErrorKind::NotSupported);
    assert_fails!(socket.delete_in_storage(hash), ErrorKind::NotSupported);
    let refused = socket.update_in_storage(hash, &[0; 8], MapFlags::Any);
    assert_fails!(refused, ErrorKind::NotSupported);
    assert_eq!(hash.keys().count(), 0);
    // And a key that is bytes never becomes a socket.
    assert_fails!(
        skel.maps.storage.lookup(&3i32.to_ne_bytes()),
        ErrorKind::NotSupported
    );
    let refused = skel
        .maps
        .storage
        .update(&3i32.to_ne_bytes(), &[0; 8], MapFlags::Any);
    assert_fails!(refused, ErrorKind::NotSupported);
}
