//! Maps whose keys and values are types instead of bytes.

use std::cell::Cell;
use std::marker::PhantomData;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Map, MapCore, MapFlags, MapIter, delete_many, failed, update_many};
use crate::error::{Error, Result};

/// A map with keys `K` and values `V`. `M` is any map: an object's [`Map`], a [`MapHandle`](crate::MapHandle).
///
/// The byte functions of [`MapCore`] are there too. Per-CPU maps are [`PerCpuMap`](crate::PerCpuMap)s, maps without keys [`Queue`]s and
/// [`BloomFilter`]s.
///
/// ```no_run
/// use wasm_bpf_guest::{MapFlags, MapHandle, MapType, TypedMap};
///
/// # fn run() -> wasm_bpf_guest::Result<()> {
/// let map = MapHandle::create(MapType::Hash, "ports", 2, 8, 1024, 0)?;
/// let ports: TypedMap<u16, u64, _> = TypedMap::new(map)?;
/// ports.insert(&443, &1, MapFlags::Any)?;
/// assert_eq!(ports.get(&443)?, Some(1));
/// for entry in ports.iter() {
///     let (port, count) = entry?;
///     println!("{port}: {count}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct TypedMap<K, V, M = Map> {
    pub(super) map: M,
    checked: Cell<bool>,
    types: PhantomData<(K, V)>,
}

/// Whether a type crosses to the host as a number.
pub(crate) const fn is_number<T>() -> bool {
    matches!(size_of::<T>(), 1 | 2 | 4 | 8)
}

/// The bytes of a type of up to 8 bytes as a number.
pub(crate) fn to_number<T: IntoBytes + Immutable>(value: &T) -> u64 {
    let mut bytes = [0; 8];
    bytes[..size_of::<T>()].copy_from_slice(value.as_bytes());
    u64::from_le_bytes(bytes)
}

/// The other way round.
pub(crate) fn from_number<T: FromBytes>(number: u64) -> Result<T> {
    from_bytes(&number.to_le_bytes()[..size_of::<T>()])
}

/// A value out of bytes of exactly its size.
pub(crate) fn from_bytes<T: FromBytes>(bytes: &[u8]) -> Result<T> {
    T::read_from_bytes(bytes).map_err(|_| {
        Error::layout(format!(
            "{} has {} bytes, but {} came from the host",
            std::any::type_name::<T>(),
            size_of::<T>(),
            bytes.len()
        ))
    })
}

/// Whether the sizes of a map are those of types.
pub(crate) fn check_sizes(
    map: &impl MapCore,
    key: Option<usize>,
    value: usize,
    is_percpu: bool,
) -> Result<()> {
    let info = map.info()?;
    let of_map = (info.key_size as usize, info.value_size as usize);
    let of_types = (key.unwrap_or(0), value);
    if of_map != of_types {
        return Err(Error::layout(format!(
            "the map `{}` has keys of {} and values of {} bytes, the types {} and {}",
            info.name, of_map.0, of_map.1, of_types.0, of_types.1
        )));
    }
    let per_cpu = matches!(
        info.type_,
        crate::MapType::PercpuHash | crate::MapType::PercpuArray | crate::MapType::LruPercpuHash
    );
    if per_cpu != is_percpu {
        let (is, take) = if per_cpu {
            ("has values for each CPU", "PerCpuMap")
        } else {
            ("has one value for all CPUs", "TypedMap")
        };
        return Err(Error::layout(format!(
            "the map `{}` {is}: use {take}",
            info.name
        )));
    }
    Ok(())
}

impl<K, V, M: MapCore> TypedMap<K, V, M>
where
    K: IntoBytes + FromBytes + Immutable,
    V: IntoBytes + FromBytes + Immutable,
{
    /// Looks at a map as one of these types.
    ///
    /// # Errors
    /// [`ErrorKind::WrongSize`](crate::ErrorKind::WrongSize) if the map's keys or values have other sizes, or values for each CPU.
    pub fn new(map: M) -> Result<Self> {
        let this = Self::unchecked(map);
        this.map()?;
        Ok(this)
    }

    fn map(&self) -> Result<&M> {
        if !self.checked.get() {
            check_sizes(&self.map, Some(size_of::<K>()), size_of::<V>(), false)?;
            self.checked.set(true);
        }
        Ok(&self.map)
    }

    /// For generated skeletons: a map that may not be there. Its sizes are checked when it is first used.
    #[doc(hidden)]
    pub fn unchecked(map: M) -> Self {
        Self {
            map,
            checked: Cell::new(false),
            types: PhantomData,
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &K) -> Result<Option<V>> {
        if const { is_number::<K>() && is_number::<V>() } {
            let handle = self.map()?.handle()?;
            return handle
                .lookup_number(to_number(key))
                .map_err(|code| failed(handle, "look up a key in", code, key.as_bytes(), None))?
                .map(from_number)
                .transpose();
        }
        self.map()?
            .lookup(key.as_bytes())?
            .map(|value| from_bytes(&value))
            .transpose()
    }

    /// Creates or replaces the value of a key, as `flags` say.
    pub fn insert(&self, key: &K, value: &V, flags: MapFlags) -> Result<()> {
        if const { is_number::<K>() && is_number::<V>() } {
            let handle = self.map()?.handle()?;
            return handle
                .update_number(to_number(key), to_number(value), flags.mode())
                .map_err(|code| {
                    let (key, value) = (key.as_bytes(), value.as_bytes());
                    failed(handle, "update", code, key, Some(value))
                });
        }
        self.map()?.update(key.as_bytes(), value.as_bytes(), flags)
    }

    /// Deletes a key; whether it was there.
    pub fn remove(&self, key: &K) -> Result<bool> {
        let handle = self.map()?.handle()?;
        handle
            .delete(key.as_bytes())
            .map_err(|code| failed(handle, "delete a key of", code, key.as_bytes(), None))
    }

    /// Takes the value of a key and deletes the key, in one step.
    pub fn take(&self, key: &K) -> Result<Option<V>> {
        self.map()?
            .lookup_and_delete(key.as_bytes())?
            .map(|value| from_bytes(&value))
            .transpose()
    }

    /// The values of many keys, fetched with one call of the host for up to 4096 of them.
    pub fn get_many(&self, keys: &[K]) -> Result<Vec<Option<V>>> {
        let handle = self.map()?.handle()?;
        let mut values = Vec::with_capacity(keys.len());
        // The host returns 16 MiB at most.
        let most = (16 << 20) / size_of::<V>().max(1);
        for keys in keys.chunks(most.clamp(1, 4096)) {
            let found = handle.lookup_many(keys.as_bytes()).map_err(|code| {
                let key = keys[0].as_bytes();
                failed(handle, "look up many keys in", code, key, None)
            })?;
            for index in 0..keys.len() {
                let is_there = found.found[index / 8] >> (index % 8) & 1 == 1;
                let at = index * size_of::<V>();
                let value = is_there.then(|| from_bytes(&found.values[at..at + size_of::<V>()]));
                values.push(value.transpose()?);
            }
        }
        Ok(values)
    }

    /// Creates or replaces the values of many keys with one call of the host.
    ///
    /// # Errors
    /// [`ErrorKind::WrongSize`](crate::ErrorKind::WrongSize) if there are not as many values as keys. Of the first entry that fails; those before it are stored, and
    /// the message says how many.
    pub fn insert_many(&self, keys: &[K], values: &[V], flags: MapFlags) -> Result<()> {
        update_many(
            self.map()?.handle()?,
            keys.as_bytes(),
            values.as_bytes(),
            flags,
        )
    }

    /// Deletes many keys with one call of the host; how many of them were there.
    pub fn remove_many(&self, keys: &[K]) -> Result<u32> {
        delete_many(self.map()?.handle()?, keys.as_bytes())
    }

    /// All entries, fetched many at a time: see [`MapCore::iter`].
    pub fn iter(&self) -> TypedMapIter<K, V> {
        TypedMapIter::new(self.map().map(|map| map.iter()))
    }

    /// Takes all entries out of the map: see [`MapCore::drain`].
    pub fn drain(&self) -> TypedMapIter<K, V> {
        TypedMapIter::new(self.map().map(|map| map.drain()))
    }
}

/// An iterator over the entries of a [`TypedMap`].
pub struct TypedMapIter<K, V> {
    inner: MapIter,
    types: PhantomData<(K, V)>,
}

impl<K, V> TypedMapIter<K, V> {
    fn new(inner: Result<MapIter>) -> Self {
        let inner = inner.unwrap_or_else(MapIter::failing);
        Self {
            inner,
            types: PhantomData,
        }
    }
}

impl<K: FromBytes, V: FromBytes> Iterator for TypedMapIter<K, V> {
    type Item = Result<(K, V)>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.inner.next_entry().transpose()?;
        Some(entry.and_then(|(key, value)| Ok((from_bytes(key)?, from_bytes(value)?))))
    }
}

/// A queue or a stack of values `V`.
pub struct Queue<V, M = Map> {
    pub(super) map: M,
    checked: Cell<bool>,
    types: PhantomData<V>,
}

impl<V: IntoBytes + FromBytes + Immutable, M: MapCore> Queue<V, M> {
    /// Looks at a map as one of this type.
    ///
    /// # Errors
    /// [`ErrorKind::WrongSize`](crate::ErrorKind::WrongSize) if the map has keys, or values of another size.
    pub fn new(map: M) -> Result<Self> {
        let this = Self::unchecked(map);
        this.map()?;
        Ok(this)
    }

    fn map(&self) -> Result<&M> {
        if !self.checked.get() {
            check_sizes(&self.map, None, size_of::<V>(), false)?;
            self.checked.set(true);
        }
        Ok(&self.map)
    }

    /// For generated skeletons: a map that may not be there. Its sizes are checked when it is first used.
    #[doc(hidden)]
    pub fn unchecked(map: M) -> Self {
        Self {
            map,
            checked: Cell::new(false),
            types: PhantomData,
        }
    }

    /// Puts a value in. Fails with [`ErrorKind::Full`](crate::ErrorKind::Full) if there is no room.
    pub fn push(&self, value: &V) -> Result<()> {
        self.map()?.update(&[], value.as_bytes(), MapFlags::Any)
    }

    /// Puts a value in, and drops the oldest one if there is no room.
    pub fn push_dropping_oldest(&self, value: &V) -> Result<()> {
        self.map()?.update(&[], value.as_bytes(), MapFlags::Exist)
    }

    /// Takes the oldest value of a queue, the newest of a stack.
    pub fn pop(&self) -> Result<Option<V>> {
        let value = self.map()?.lookup_and_delete(&[])?;
        value.map(|value| from_bytes(&value)).transpose()
    }

    /// The value that [`pop`](Self::pop) would take.
    pub fn peek(&self) -> Result<Option<V>> {
        let value = self.map()?.lookup(&[])?;
        value.map(|value| from_bytes(&value)).transpose()
    }
}

/// A bloom filter of values `V`.
pub struct BloomFilter<V, M = Map> {
    pub(super) map: M,
    checked: Cell<bool>,
    types: PhantomData<V>,
}

impl<V: IntoBytes + Immutable, M: MapCore> BloomFilter<V, M> {
    /// Looks at a map as one of this type.
    ///
    /// # Errors
    /// [`ErrorKind::WrongSize`](crate::ErrorKind::WrongSize) if the map has keys, or values of another size.
    pub fn new(map: M) -> Result<Self> {
        let this = Self::unchecked(map);
        this.map()?;
        Ok(this)
    }

    fn map(&self) -> Result<&M> {
        if !self.checked.get() {
            check_sizes(&self.map, None, size_of::<V>(), false)?;
            self.checked.set(true);
        }
        Ok(&self.map)
    }

    /// For generated skeletons: a map that may not be there. Its sizes are checked when it is first used.
    #[doc(hidden)]
    pub fn unchecked(map: M) -> Self {
        Self {
            map,
            checked: Cell::new(false),
            types: PhantomData,
        }
    }

    /// Puts a value in.
    pub fn insert(&self, value: &V) -> Result<()> {
        self.map()?.update(&[], value.as_bytes(), MapFlags::Any)
    }

    /// Whether a value may be in it: false is certain, true is not.
    pub fn contains(&self, value: &V) -> Result<bool> {
        self.map()?.lookup_bloom_filter(value.as_bytes())
    }
}
