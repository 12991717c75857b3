//! Tries of prefixes.

use std::net::{Ipv4Addr, Ipv6Addr};

use conformance_guests::{assert_fails, pull, trigger};
use wasm_bpf_guest::zerocopy::IntoBytes as _;
use wasm_bpf_guest::{ErrorKind, LpmKey, MapCore as _, MapFlags, MapHandle, MapType, TypedMap};

conformance_guests::guest!();

const BPF_F_NO_PREALLOC: u32 = 1;

fn trie<const N: usize>(entries: u32) -> TypedMap<LpmKey<N>, u32, MapHandle> {
    let key = 4 + N as u32;
    let map = MapHandle::create(MapType::LpmTrie, "trie", key, 4, entries, BPF_F_NO_PREALLOC);
    TypedMap::new(map.unwrap()).unwrap()
}

/// 10.1.2.3, while networks around it come and go.
fn longest_prefix() {
    let mut open = case::CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    let routes: TypedMap<LpmKey<4>, u32, _> =
        TypedMap::new(skel.object.map("routes").unwrap()).unwrap();
    let address = Ipv4Addr::new(10, 1, 2, 3);
    let found = || {
        pull(1);
        let found = skel.bss.get().unwrap().found;
        let seen = routes.get(&LpmKey::host(address)).unwrap();
        assert_eq!(seen.unwrap_or(0), found);
        found
    };
    let put = |address: [u8; 4], length, value| {
        let key = LpmKey::new(address, length);
        routes.insert(&key, &value, MapFlags::Any).unwrap();
    };
    assert_eq!(found(), 0);
    put([10, 0, 0, 0], 8, 1);
    assert_eq!(found(), 1);
    put([10, 1, 2, 0], 24, 2);
    put([10, 1, 3, 0], 24, 3);
    assert_eq!(found(), 2);
    put([10, 1, 2, 3], 32, 4);
    assert_eq!(found(), 4);
    assert!(routes.remove(&LpmKey::host(address)).unwrap());
    assert!(routes.remove(&LpmKey::new([10, 1, 2, 0], 24)).unwrap());
    assert_eq!(found(), 1);
    // Everything.
    put([0; 4], 0, 5);
    assert!(routes.remove(&LpmKey::new([10, 0, 0, 0], 8)).unwrap());
    assert_eq!(found(), 5);
}

/// Of both families, and of a length that is no multiple of four.
fn typed() {
    let four = trie::<4>(8);
    let networks = [(10, 8), (172, 12), (192, 16)]
        .map(|(first, length)| LpmKey::ipv4(Ipv4Addr::new(first, 0, 0, 0), length));
    for (value, key) in (1u32..).zip(&networks) {
        four.insert(key, &value, MapFlags::NoExist).unwrap();
    }
    let host = LpmKey::host(Ipv4Addr::new(192, 0, 2, 1));
    assert_eq!(four.get(&host).unwrap(), Some(3));
    assert_eq!(four.get(&LpmKey::host([11, 0, 0, 1])).unwrap(), None);
    let mut all = four.iter().collect::<Result<Vec<_>, _>>().unwrap();
    all.sort_by_key(|(_, value)| *value);
    let expected = networks.into_iter().zip(1u32..).collect::<Vec<_>>();
    assert_eq!(all, expected);
    let keys = four.keys().collect::<Result<Vec<_>, _>>().unwrap();
    assert!(keys.contains(&networks[0].as_bytes().to_vec()));
    let six = trie::<16>(8);
    let network = LpmKey::ipv6("fd00::".parse().unwrap(), 8);
    six.insert(&network, &6, MapFlags::Any).unwrap();
    let host: Ipv6Addr = "fd12::1".parse().unwrap();
    assert_eq!(six.get(&LpmKey::host(host)).unwrap(), Some(6));
    assert_eq!(six.get(&LpmKey::host(Ipv6Addr::LOCALHOST)).unwrap(), None);
    let odd = trie::<5>(8);
    odd.insert(&LpmKey::new([1, 2, 0, 0, 0], 12), &7, MapFlags::Any)
        .unwrap();
    assert_eq!(odd.get(&LpmKey::host([1, 5, 9, 9, 9])).unwrap(), Some(7));
    assert_eq!(odd.get(&LpmKey::host([1, 16, 0, 0, 0])).unwrap(), None);
}

/// Each has its own error.
fn wrong_prefixes() {
    let trie = trie::<4>(2);
    for length in [33, 1 << 16, u32::MAX] {
        let key = LpmKey::new([10, 0, 0, 0], length);
        let result = trie.insert(&key, &1, MapFlags::Any);
        assert_fails!(result, ErrorKind::InvalidArgument, "trie");
        let result = trie.remove(&key);
        assert_fails!(result, ErrorKind::InvalidArgument, "trie");
    }
    trie.insert(&LpmKey::new([10, 0, 0, 0], 8), &1, MapFlags::Any)
        .unwrap();
    // Of the same address, but another prefix.
    let other = LpmKey::new([10, 0, 0, 0], 9);
    assert!(!trie.remove(&other).unwrap());
    let result = trie.delete(other.as_bytes());
    assert_fails!(result, ErrorKind::NotFound, "trie");
    trie.insert(&other, &2, MapFlags::Any).unwrap();
    let result = trie.insert(&LpmKey::new([11, 0, 0, 0], 8), &3, MapFlags::Any);
    assert_fails!(result, ErrorKind::NoSpace, "trie");
}
