//! Limits: how much of the kernel a component may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::bindings::types::MapType;

/// How much of the kernel one context's component may hold at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of all maps together, estimated from their declarations before they are created, and of objects that are open. 512 MiB unless
    /// set.
    pub map_memory: u64,
    /// Maps. 1024 unless set.
    pub maps: u64,
    /// Loaded programs. 512 unless set.
    pub programs: u64,
    /// Links. 4096 unless set.
    pub links: u64,
    /// Descriptors of the host that handles hold: a map has one, a ring buffer two and one for each ring. 512 unless set: processes
    /// have 1024 by default.
    pub descriptors: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            map_memory: 512 << 20,
            maps: 1024,
            programs: 512,
            links: 4096,
            descriptors: 512,
        }
    }
}

#[derive(Debug, Default)]
struct Used {
    map_memory: AtomicU64,
    maps: AtomicU64,
    programs: AtomicU64,
    links: AtomicU64,
    descriptors: AtomicU64,
}

/// What is in use of [`Limits`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    limits: Limits,
    used: Arc<Used>,
}

/// What something wants to hold.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Need {
    pub(crate) map_memory: u64,
    pub(crate) maps: u64,
    pub(crate) programs: u64,
    pub(crate) links: u64,
    pub(crate) descriptors: u64,
}

/// Held until dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    need: Need,
    used: Arc<Used>,
}

/// Which limit would be passed, and how.
#[derive(Debug, thiserror::Error)]
#[error(
    "the limit {name}={limit} would be passed: {used} in use, {wanted} more wanted; \
     it can be raised with --limit {name}=N"
)]
pub(crate) struct LimitExceeded {
    pub(crate) name: &'static str,
    limit: u64,
    used: u64,
    wanted: u64,
}

impl Usage {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            used: Arc::default(),
        }
    }

    pub(crate) fn reserve(&self, need: Need) -> Result<Reservation, LimitExceeded> {
        let mut held = Reservation {
            need: Need::default(),
            used: Arc::clone(&self.used),
        };
        take(
            "map-memory",
            &self.used.map_memory,
            self.limits.map_memory,
            need.map_memory,
        )?;
        held.need.map_memory = need.map_memory;
        take("maps", &self.used.maps, self.limits.maps, need.maps)?;
        held.need.maps = need.maps;
        take(
            "programs",
            &self.used.programs,
            self.limits.programs,
            need.programs,
        )?;
        held.need.programs = need.programs;
        take("links", &self.used.links, self.limits.links, need.links)?;
        held.need.links = need.links;
        take(
            "descriptors",
            &self.used.descriptors,
            self.limits.descriptors,
            need.descriptors,
        )?;
        held.need.descriptors = need.descriptors;
        Ok(held)
    }
}

impl Reservation {
    /// Hands a part of this reservation over to another holder. The sums stay the same.
    pub(crate) fn split(&mut self, part: Need) -> Self {
        let take = |from: &mut u64, wanted: u64| {
            let taken = wanted.min(*from);
            *from -= taken;
            taken
        };
        let need = Need {
            map_memory: take(&mut self.need.map_memory, part.map_memory),
            maps: take(&mut self.need.maps, part.maps),
            programs: take(&mut self.need.programs, part.programs),
            links: take(&mut self.need.links, part.links),
            descriptors: take(&mut self.need.descriptors, part.descriptors),
        };
        Self {
            need,
            used: Arc::clone(&self.used),
        }
    }
}

fn take(
    name: &'static str,
    counter: &AtomicU64,
    limit: u64,
    wanted: u64,
) -> Result<(), LimitExceeded> {
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(wanted).filter(|sum| *sum <= limit)
        })
        .map(drop)
        .map_err(|used| LimitExceeded {
            name,
            limit,
            used,
            wanted,
        })
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.used
            .map_memory
            .fetch_sub(self.need.map_memory, Ordering::Relaxed);
        self.used.maps.fetch_sub(self.need.maps, Ordering::Relaxed);
        self.used
            .programs
            .fetch_sub(self.need.programs, Ordering::Relaxed);
        self.used
            .links
            .fetch_sub(self.need.links, Ordering::Relaxed);
        self.used
            .descriptors
            .fetch_sub(self.need.descriptors, Ordering::Relaxed);
    }
}

/// About what a map takes in the kernel. Sizes are guest-controlled: nothing here may overflow.
pub(crate) fn map_memory(
    kind: MapType,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    cpus: u32,
) -> u64 {
    // Bucket list node, hash and alignment of an element of a hash table, and its share of the buckets, which are a power of two.
    const HASH_OVERHEAD: u64 = 80;
    // What the host remembers of a map or program that a component stored, besides the key.
    const STORED_OVERHEAD: u64 = 96;
    const PAGE: u64 = 4096;
    let round = |size: u32| u64::from(size).next_multiple_of(8);
    let (key, value) = (round(key_size), round(value_size));
    let entry = match kind {
        MapType::Array | MapType::Queue | MapType::Stack | MapType::BloomFilter => value,
        // Its head, and pointers to as many as the next power of two.
        MapType::StackTrace => value + 40,
        MapType::PercpuArray => value.saturating_mul(cpus.into()).saturating_add(8),
        MapType::PercpuHash | MapType::LruPercpuHash => {
            (HASH_OVERHEAD + key).saturating_add(value.saturating_mul(cpus.into()))
        }
        MapType::Ringbuf | MapType::UserRingbuf => 1,
        MapType::Arena => PAGE,
        MapType::ArrayOfMaps
        | MapType::HashOfMaps
        | MapType::ProgArray
        | MapType::PerfEventArray
        | MapType::Devmap
        | MapType::DevmapHash
        | MapType::Cpumap => HASH_OVERHEAD + STORED_OVERHEAD + 2 * key + value,
        _ => HASH_OVERHEAD + key + value,
    };
    // Hash tables keep an element for each CPU in reserve.
    let reserve = if matches!(
        kind,
        MapType::Ringbuf | MapType::UserRingbuf | MapType::Arena
    ) {
        0
    } else {
        cpus
    };
    entry
        .saturating_mul(u64::from(max_entries) + u64::from(reserve))
        .saturating_add(PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_free_again() {
        let usage = Usage::new(Limits {
            map_memory: 100,
            maps: 2,
            ..Limits::default()
        });
        let need = Need {
            map_memory: 60,
            maps: 1,
            ..Need::default()
        };
        let first = usage.reserve(need).unwrap();
        assert_eq!(usage.reserve(need).unwrap_err().name, "map-memory");
        drop(first);
        usage.reserve(need).unwrap();
    }

    #[test]
    fn parts_are_free_when_their_holders_are_gone() {
        let usage = Usage::new(Limits {
            maps: 2,
            ..Limits::default()
        });
        let maps = |maps| Need {
            maps,
            ..Need::default()
        };
        let mut whole = usage.reserve(maps(2)).unwrap();
        let part = whole.split(maps(1));
        // More than is left is not made out of nothing.
        let rest = whole.split(maps(5));
        assert_eq!(rest.need.maps, 1);
        drop(whole);
        assert!(usage.reserve(maps(1)).is_err());
        drop(part);
        let _again = usage.reserve(maps(1)).unwrap();
        assert!(usage.reserve(maps(1)).is_err());
        drop(rest);
        usage.reserve(maps(1)).unwrap();
    }

    #[test]
    fn what_is_refused_holds_nothing() {
        let usage = Usage::new(Limits {
            map_memory: 100,
            maps: 0,
            ..Limits::default()
        });
        let need = Need {
            map_memory: 60,
            maps: 1,
            ..Need::default()
        };
        assert_eq!(usage.reserve(need).unwrap_err().name, "maps");
        usage
            .reserve(Need {
                map_memory: 100,
                ..Need::default()
            })
            .unwrap();
    }

    #[test]
    fn the_largest_sizes_do_not_wrap() {
        let max = u32::MAX;
        for kind in [
            MapType::Hash,
            MapType::PercpuHash,
            MapType::PercpuArray,
            MapType::Arena,
        ] {
            assert!(map_memory(kind, max, max, max, max) > u64::from(max));
        }
        assert_eq!(
            map_memory(MapType::Ringbuf, 0, 0, 1 << 20, 2),
            (1 << 20) + 4096
        );
    }
}
