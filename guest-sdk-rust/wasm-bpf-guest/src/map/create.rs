//! How maps are made outside objects.

use super::{MapCore, maps};
use crate::error::Result;

/// What a map is made with besides its sizes; see [`MapHandle::create`](crate::MapHandle::create).
///
/// ```no_run
/// use wasm_bpf_guest::{MapCreateOptions, MapHandle, MapType};
///
/// # fn run() -> wasm_bpf_guest::Result<()> {
/// const BPF_F_NO_PREALLOC: u32 = 1;
/// let trie = MapHandle::create(MapType::LpmTrie, "routes", 8, 4, 1024, BPF_F_NO_PREALLOC)?;
/// let inner = MapHandle::create(MapType::Array, "inner", 4, 8, 16, 0)?;
/// let options = MapCreateOptions::new().inner_map(&inner);
/// let outer = MapHandle::create(MapType::HashOfMaps, "outer", 4, 4, 64, options)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Default)]
pub struct MapCreateOptions<'a> {
    flags: u32,
    extra: u64,
    inner: Option<&'a dyn MapCore>,
    numa_node: Option<u32>,
}

impl<'a> MapCreateOptions<'a> {
    /// Options with their defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// BPF_F_*.
    pub fn flags(mut self, flags: u32) -> Self {
        self.flags = flags;
        self
    }

    /// What else the kind of map takes: the number of hash functions of a bloom filter.
    pub fn extra(mut self, extra: u64) -> Self {
        self.extra = extra;
        self
    }

    /// A map like those that a map of maps will hold.
    pub fn inner_map(mut self, inner: &'a dyn MapCore) -> Self {
        self.inner = Some(inner);
        self
    }

    /// The NUMA node of the map's memory.
    pub fn numa_node(mut self, node: u32) -> Self {
        self.numa_node = Some(node);
        self
    }

    pub(super) fn to_host(self) -> Result<maps::CreateOptions> {
        let options = maps::CreateOptions::new();
        options.set_flags(self.flags);
        options.set_extra(self.extra);
        if let Some(inner) = self.inner {
            let inner = inner.handle()?;
            options
                .set_inner_map(inner)
                .map_err(|code| super::failed(inner, "make a map of maps like", code, &[], None))?;
        }
        if let Some(node) = self.numa_node {
            options.set_numa_node(node);
        }
        Ok(options)
    }
}

/// BPF_F_* alone.
impl From<u32> for MapCreateOptions<'_> {
    fn from(flags: u32) -> Self {
        Self::new().flags(flags)
    }
}
