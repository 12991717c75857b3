//! Keys of LPM tries.

use std::net::{Ipv4Addr, Ipv6Addr};

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The key of an LPM trie (`struct bpf_lpm_trie_key_u8`): a prefix of `N` bytes at most. A lookup finds the longest prefix that the key begins with.
///
/// ```no_run
/// use std::net::Ipv4Addr;
/// use wasm_bpf_guest::{LpmKey, Map, MapFlags, TypedMap};
///
/// # fn run(map: Map) -> wasm_bpf_guest::Result<()> {
/// let routes: TypedMap<LpmKey<4>, u32> = TypedMap::new(map)?;
/// routes.insert(&LpmKey::ipv4(Ipv4Addr::new(10, 0, 0, 0), 8), &1, MapFlags::Any)?;
/// assert_eq!(routes.get(&LpmKey::host(Ipv4Addr::new(10, 1, 2, 3)))?, Some(1));
/// # Ok(())
/// # }
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C, packed)]
pub struct LpmKey<const N: usize> {
    prefix_len: u32,
    data: [u8; N],
}

impl<const N: usize> LpmKey<N> {
    /// The first `prefix_len` bits of `data`. The others do not count; they are kept and come back with the key.
    pub const fn new(data: [u8; N], prefix_len: u32) -> Self {
        Self { prefix_len, data }
    }

    /// The whole of an address, to look it up.
    pub fn host(data: impl Into<Address<N>>) -> Self {
        Self::new(data.into().0, 8 * N as u32)
    }

    /// How many bits of the data count.
    pub const fn prefix_len(&self) -> u32 {
        self.prefix_len
    }

    /// The data, the most significant byte first.
    pub const fn data(&self) -> [u8; N] {
        self.data
    }
}

impl LpmKey<4> {
    /// An IPv4 network, such as 10.0.0.0/8.
    pub const fn ipv4(address: Ipv4Addr, prefix_len: u32) -> Self {
        Self::new(address.octets(), prefix_len)
    }
}

impl LpmKey<16> {
    /// An IPv6 network, such as fd00::/8.
    pub const fn ipv6(address: Ipv6Addr, prefix_len: u32) -> Self {
        Self::new(address.octets(), prefix_len)
    }
}

/// The bytes of an address.
#[doc(hidden)]
pub struct Address<const N: usize>([u8; N]);

impl<const N: usize> From<[u8; N]> for Address<N> {
    fn from(data: [u8; N]) -> Self {
        Self(data)
    }
}

impl From<Ipv4Addr> for Address<4> {
    fn from(address: Ipv4Addr) -> Self {
        Self(address.octets())
    }
}

impl From<Ipv6Addr> for Address<16> {
    fn from(address: Ipv6Addr) -> Self {
        Self(address.octets())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_laid_out_as_in_the_kernel() {
        let key = LpmKey::ipv4(Ipv4Addr::new(10, 1, 0, 0), 16);
        assert_eq!(key.as_bytes(), [16, 0, 0, 0, 10, 1, 0, 0]);
        assert_eq!(LpmKey::host([1, 2, 3]).as_bytes(), [24, 0, 0, 0, 1, 2, 3]);
        assert_eq!(size_of::<LpmKey<16>>(), 20);
    }
}
