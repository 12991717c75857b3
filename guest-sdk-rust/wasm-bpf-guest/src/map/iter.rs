//! Walking over the entries of a map.

use std::rc::Rc;

use super::{MapFlags, MapType, failed};
use crate::bindings::maps;
use crate::error::{Error, ErrorKind, Result};

/// An iterator over the keys of a map.
pub struct MapKeyIter {
    map: Result<Rc<maps::Map>>,
    key_size: usize,
    /// Keys are indexes, which do not go away, whether or not there is something.
    is_index: bool,
    page: Vec<u8>,
    at: usize,
    /// How many keys may still come. A walk that the kernel starts again and again, because the key that it stood on was
    /// deleted, has to end.
    left: u64,
    ended: bool,
}

/// Keys in a page.
const PAGE: u32 = 4096;

impl MapKeyIter {
    pub(super) fn new(map: Result<Rc<maps::Map>>) -> Self {
        let info = map.as_ref().ok().map(|map| map.info());
        let is_index = info.as_ref().is_some_and(|info| {
            !matches!(
                info.type_,
                MapType::Hash
                    | MapType::LruHash
                    | MapType::PercpuHash
                    | MapType::LruPercpuHash
                    | MapType::LpmTrie
                    | MapType::HashOfMaps
                    | MapType::DevmapHash
                    | MapType::Sockhash
            )
        });
        let (key_size, most) = info.map_or((0, 0), |info| {
            (info.key_size as usize, u64::from(info.max_entries))
        });
        Self {
            map,
            key_size,
            is_index,
            page: Vec::new(),
            at: 0,
            left: most.saturating_mul(2),
            ended: false,
        }
    }

    fn turn_page(&mut self) -> Result<()> {
        let map = self.map.as_ref().map_err(Clone::clone)?;
        let mut keys = self.page.rchunks_exact(self.key_size.max(1));
        let after = if self.is_index {
            keys.next()
        } else {
            // The last key of the page may be gone; any other of it that is still there keeps the place. If none is, the kernel starts
            // at the first: better a key twice than one not at all.
            keys.find(|key| {
                // Whatever else is wrong with a lookup, the walk itself will meet it.
                !matches!(map.lookup(key), Ok(None))
            })
        };
        let page = map
            .keys(after, PAGE)
            .map_err(|code| failed(map, "walk", code, after.unwrap_or_default(), None))?;
        self.page = page;
        self.at = 0;
        Ok(())
    }
}

impl Iterator for MapKeyIter {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        if self.at == self.page.len()
            && let Err(error) = self.turn_page()
        {
            self.ended = true;
            return Some(Err(error));
        }
        if self.page.is_empty() || self.left == 0 {
            self.ended = true;
            return None;
        }
        let key = self.page[self.at..self.at + self.key_size].to_vec();
        self.at += self.key_size;
        self.left -= 1;
        Some(Ok(key))
    }
}

/// Entries to fetch at a time.
pub(super) const ENTRIES: u32 = 4096;

/// An iterator over the entries of a map, which are fetched many at a time.
///
/// After an error it ends.
pub struct MapIter {
    map: Result<Rc<maps::Map>>,
    walk: Option<maps::Walk>,
    and_delete: bool,
    most: u32,
    key_size: usize,
    value_length: usize,
    batch: maps::Batch,
    at: usize,
    ended: bool,
}

impl MapIter {
    pub(super) fn new(map: Result<Rc<maps::Map>>, and_delete: bool, most: u32) -> Self {
        Self {
            map,
            walk: None,
            and_delete,
            most,
            key_size: 0,
            value_length: 0,
            batch: maps::Batch {
                count: 0,
                keys: Vec::new(),
                values: Vec::new(),
            },
            at: 0,
            ended: false,
        }
    }

    /// One that says why there is nothing to walk over.
    pub(super) fn failing(error: Error) -> Self {
        Self::new(Err(error), false, ENTRIES)
    }

    /// The next entry, borrowed: without the copy that the iterator makes of each.
    pub fn next_entry(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        if self.at == self.batch.count as usize && !self.ended {
            self.fetch().inspect_err(|_| self.ended = true)?;
        }
        if self.ended {
            return Ok(None);
        }
        let (key_size, value_length, at) = (self.key_size, self.value_length, self.at);
        self.at += 1;
        Ok(Some((
            &self.batch.keys[at * key_size..(at + 1) * key_size],
            &self.batch.values[at * value_length..(at + 1) * value_length],
        )))
    }

    fn fetch(&mut self) -> Result<()> {
        let map = self.map.as_ref().map_err(Clone::clone)?;
        let told = |code| failed(map, "walk", code, &[], None);
        let walk = match &self.walk {
            Some(walk) => walk,
            None => {
                let info = map.info();
                self.key_size = info.key_size as usize;
                self.value_length = info.value_length as usize;
                let walk = maps::Walk::start(map, self.and_delete).map_err(told)?;
                self.walk.insert(walk)
            }
        };
        self.batch = walk.next(self.most).map_err(told)?;
        self.at = 0;
        self.ended = self.batch.count == 0;
        Ok(())
    }
}

impl Iterator for MapIter {
    type Item = Result<(Vec<u8>, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_entry() {
            Ok(entry) => entry.map(|(key, value)| Ok((key.to_vec(), value.to_vec()))),
            Err(error) => Some(Err(error)),
        }
    }
}

/// The flags of libbpf's batch functions, of which the kernel knows none for what is done here.
pub(super) fn demand_no_flags(elem_flags: MapFlags, flags: MapFlags) -> Result<()> {
    if elem_flags == MapFlags::Any && flags == MapFlags::Any {
        return Ok(());
    }
    Err(Error::of_code(
        ErrorKind::InvalidArgument,
        "walks and batches take no flags other than MapFlags::Any",
    ))
}
