//! Maps.

use std::rc::Rc;

use crate::bindings::maps::{self, UpdateMode};
use crate::error::{Error, ErrorKind, Result, words};

/// Kinds of map.
pub use crate::bindings::types::MapType;

/// What is known of a map.
pub use crate::bindings::maps::MapInfo;

/// What an update expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MapFlags {
    /// Create or replace.
    #[default]
    Any,
    /// Create; fails with [`ErrorKind::AlreadyExists`] otherwise.
    NoExist,
    /// Replace; fails with [`ErrorKind::NotFound`] otherwise.
    Exist,
}

impl MapFlags {
    fn mode(self) -> UpdateMode {
        match self {
            Self::Any => UpdateMode::Any,
            Self::NoExist => UpdateMode::Create,
            Self::Exist => UpdateMode::Replace,
        }
    }
}

mod sealed {
    use super::{Rc, Result, maps};

    pub trait Handle {
        fn handle(&self) -> Result<&maps::Map>;
        fn shared(&self) -> Result<Rc<maps::Map>>;
    }
}
pub(crate) use sealed::Handle;

/// What all maps can do, whether they are an object's or were made by [`MapHandle::create`].
///
/// Keys have exactly [`key_size`](Self::key_size) bytes. Values have exactly [`value_size`](Self::value_size) bytes, but for
/// per-CPU maps: those go through the functions with `percpu` in their name.
pub trait MapCore: Handle {
    /// What is known of the map. It does not change while the map lives.
    fn info(&self) -> Result<MapInfo> {
        Ok(self.handle()?.info())
    }

    /// The name in the BPF C source.
    fn name(&self) -> Result<String> {
        Ok(self.info()?.name)
    }

    /// The kind of map.
    fn map_type(&self) -> Result<MapType> {
        Ok(self.info()?.type_)
    }

    /// Bytes of a key.
    fn key_size(&self) -> Result<u32> {
        Ok(self.info()?.key_size)
    }

    /// Bytes of a value.
    fn value_size(&self) -> Result<u32> {
        Ok(self.info()?.value_size)
    }

    /// Entries at most.
    fn max_entries(&self) -> Result<u32> {
        Ok(self.info()?.max_entries)
    }

    /// All keys, fetched many at a time, in the kernel's order.
    ///
    /// While others change the map a key may come twice, or one that was just added not at all; the walk ends in any case.
    fn keys(&self) -> MapKeyIter {
        MapKeyIter::new(self.shared())
    }

    /// The value of a key. `value_size` bytes; for a per-CPU map use [`lookup_percpu`](Self::lookup_percpu).
    fn lookup(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let handle = self.handle()?;
        handle
            .lookup(key)
            .map_err(|code| failed(handle, "look up a key in", code, key, None))
    }

    /// The values of a key on each CPU, CPU 0 first, `value_size` bytes each.
    fn lookup_percpu(&self, key: &[u8]) -> Result<Option<Vec<Vec<u8>>>> {
        let info = self.info()?;
        let Some(packed) = self.lookup(key)? else {
            return Ok(None);
        };
        let size = info.value_size as usize;
        let values = packed.chunks_exact(size.next_multiple_of(8).max(8));
        Ok(Some(values.map(|value| value[..size].to_vec()).collect()))
    }

    /// Creates or replaces the value of a key, as `flags` say.
    fn update(&self, key: &[u8], value: &[u8], flags: MapFlags) -> Result<()> {
        let handle = self.handle()?;
        handle
            .update(key, value, flags.mode())
            .map_err(|code| failed(handle, "update", code, key, Some(value)))
    }

    /// Sets the values of a key on each CPU, CPU 0 first: one for each possible CPU, `value_size` bytes each.
    fn update_percpu(&self, key: &[u8], values: &[impl AsRef<[u8]>], flags: MapFlags) -> Result<()>
    where
        Self: Sized,
    {
        let size = self.info()?.value_size as usize;
        let mut packed = Vec::with_capacity(values.len() * size.next_multiple_of(8));
        for value in values {
            let value = value.as_ref();
            if value.len() != size {
                return Err(Error::layout(format!(
                    "a per-CPU value has {} bytes, the map's have {size}",
                    value.len()
                )));
            }
            packed.extend_from_slice(value);
            packed.resize(packed.len().next_multiple_of(8), 0);
        }
        self.update(key, &packed, flags)
    }

    /// Deletes a key. Fails with [`ErrorKind::NotFound`] if it is not there.
    fn delete(&self, key: &[u8]) -> Result<()> {
        let handle = self.handle()?;
        match handle.delete(key) {
            Ok(true) => Ok(()),
            Ok(false) => Err(failed(
                handle,
                "delete a key of",
                ErrorKind::NotFound,
                key,
                None,
            )),
            Err(code) => Err(failed(handle, "delete a key of", code, key, None)),
        }
    }

    /// Takes the value of a key and deletes the key, in one step.
    fn lookup_and_delete(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let handle = self.handle()?;
        handle
            .lookup_and_delete(key)
            .map_err(|code| failed(handle, "take a key from", code, key, None))
    }

    /// The key after the given one, in the kernel's order; with none, the first key; none at the end.
    fn next_key(&self, after: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
        let handle = self.handle()?;
        handle
            .next_key(after)
            .map_err(|code| failed(handle, "walk", code, after.unwrap_or_default(), None))
    }
}

/// An error that says which sizes were wrong, if they were.
fn failed(map: &maps::Map, what: &str, code: ErrorKind, key: &[u8], value: Option<&[u8]>) -> Error {
    let info = map.info();
    let mut text = format!("cannot {what} the map `{}`: {}", info.name, words(code));
    if matches!(code, ErrorKind::WrongSize) {
        if key.len() != info.key_size as usize {
            text.push_str(&format!(
                ": the key has {} bytes, the map's have {}",
                key.len(),
                info.key_size
            ));
        } else if let Some(value) = value {
            text.push_str(&format!(
                ": the value has {} bytes, the map takes {}",
                value.len(),
                info.value_length
            ));
        }
    }
    Error::of_code(code, text)
}

/// A map of a loaded object.
pub struct Map {
    handle: Option<Rc<maps::Map>>,
    name: String,
}

impl Map {
    pub(crate) fn new(handle: maps::Map, name: &str) -> Self {
        Self {
            handle: Some(Rc::new(handle)),
            name: name.to_owned(),
        }
    }

    pub(crate) fn absent(name: &str) -> Self {
        Self {
            handle: None,
            name: name.to_owned(),
        }
    }

    /// Whether the map was not created. Its functions fail with [`ErrorKind::NotFound`] then.
    pub fn is_absent(&self) -> bool {
        self.handle.is_none()
    }
}

impl Handle for Map {
    fn handle(&self) -> Result<&maps::Map> {
        self.handle
            .as_deref()
            .ok_or_else(|| not_created(&self.name))
    }

    fn shared(&self) -> Result<Rc<maps::Map>> {
        self.handle.clone().ok_or_else(|| not_created(&self.name))
    }
}

impl MapCore for Map {}

fn not_created(name: &str) -> Error {
    Error::of_code(
        ErrorKind::NotFound,
        format!("the map `{name}` was not created: autocreate was switched off"),
    )
}

/// A map of its own: made by [`create`](Self::create), or a second handle to an object's.
#[derive(Clone)]
pub struct MapHandle {
    handle: Rc<maps::Map>,
}

impl MapHandle {
    /// Makes a map outside any object. `flags` are BPF_F_*.
    pub fn create(
        kind: MapType,
        name: &str,
        key_size: u32,
        value_size: u32,
        max_entries: u32,
        flags: u32,
    ) -> Result<Self> {
        let handle = maps::Map::create(name, kind, key_size, value_size, max_entries, flags)?;
        Ok(Self {
            handle: Rc::new(handle),
        })
    }
}

impl TryFrom<&Map> for MapHandle {
    type Error = Error;

    fn try_from(map: &Map) -> Result<Self> {
        Ok(Self {
            handle: map.shared()?,
        })
    }
}

impl Handle for MapHandle {
    fn handle(&self) -> Result<&maps::Map> {
        Ok(&self.handle)
    }

    fn shared(&self) -> Result<Rc<maps::Map>> {
        Ok(Rc::clone(&self.handle))
    }
}

impl MapCore for MapHandle {}

/// An iterator over the keys of a map.
pub struct MapKeyIter {
    map: Result<Rc<maps::Map>>,
    key_size: usize,
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
    fn new(map: Result<Rc<maps::Map>>) -> Self {
        let info = map.as_ref().ok().map(|map| map.info());
        let (key_size, most) = info.map_or((0, 0), |info| {
            (info.key_size as usize, u64::from(info.max_entries))
        });
        Self {
            map,
            key_size,
            page: Vec::new(),
            at: 0,
            left: most.saturating_mul(2),
            ended: false,
        }
    }

    fn turn_page(&mut self) -> Result<()> {
        let map = self.map.as_ref().map_err(Clone::clone)?;
        // The last key of the page may be gone; any other of it that is still there keeps the place. If none is, the kernel starts at the
        // first: better a key twice than one not at all.
        let after = self.page.rchunks_exact(self.key_size.max(1)).find(|key| {
            // Whatever else is wrong with a lookup, the walk itself will meet it.
            !matches!(map.lookup(key), Ok(None))
        });
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
