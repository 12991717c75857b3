//! Maps whose keys and values are types instead of bytes.

use std::borrow::Cow;
use std::cell::Cell;
use std::marker::PhantomData;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Map, MapCore, MapFlags, MapIter, delete_many, failed, update_many};
use crate::error::{Error, Result};

/// A map with keys `K` and values `V`. `M` is any map: an object's [`Map`], a [`MapHandle`](crate::MapHandle).
///
/// The byte functions of [`MapCore`] are there too. The values of per-CPU maps are [`PerCpu`](crate::PerCpu)s, and
/// [`PerCpuMap`](crate::PerCpuMap) is short for that; maps without keys are [`Queue`]s and [`BloomFilter`]s.
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

/// What can be a value of a [`TypedMap`]: types that are plain bytes, and [`PerCpu`](crate::PerCpu)s of them.
pub trait MapValue: sealed::Value {}

impl<T: sealed::Value> MapValue for T {}

pub(super) mod sealed {
    use super::{Cow, FromBytes, Immutable, IntoBytes, Result, from_bytes};

    /// How values cross.
    pub trait Value: Sized {
        /// Bytes of one value as the BPF program sees it.
        const SIZE: usize;
        /// Whether there is one for each CPU.
        const IS_PER_CPU: bool = false;

        /// Reads what the host returns for one key.
        fn decode(bytes: &[u8]) -> Result<Self>;

        /// What the host takes for these keys.
        fn encode(values: &[Self]) -> Cow<'_, [u8]>;
    }

    impl<T: IntoBytes + FromBytes + Immutable> Value for T {
        const SIZE: usize = size_of::<T>();

        fn decode(bytes: &[u8]) -> Result<Self> {
            from_bytes(bytes)
        }

        fn encode(values: &[Self]) -> Cow<'_, [u8]> {
            Cow::Borrowed(values.as_bytes())
        }
    }
}

/// Whether values of this size cross to the host as numbers.
const fn is_number(size: usize) -> bool {
    matches!(size, 1 | 2 | 4 | 8)
}

/// Up to 8 bytes as a number.
pub(crate) fn to_number(value: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..value.len()].copy_from_slice(value);
    u64::from_le_bytes(bytes)
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
fn check_sizes(
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
    V: MapValue,
{
    /// Looks at a map as one of these types.
    ///
    /// # Errors
    /// [`ErrorKind::WrongSize`](crate::ErrorKind::WrongSize) if the map's keys or values have other sizes, or if it has values for each CPU and the type
    /// has not, or the other way round.
    pub fn new(map: M) -> Result<Self> {
        let this = Self::unchecked(map);
        this.map()?;
        Ok(this)
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

    fn map(&self) -> Result<&M> {
        if !self.checked.get() {
            check_sizes(&self.map, Some(size_of::<K>()), V::SIZE, V::IS_PER_CPU)?;
            self.checked.set(true);
        }
        Ok(&self.map)
    }

    /// Whether key and value cross as numbers, without lists.
    const ARE_NUMBERS: bool = is_number(size_of::<K>()) && is_number(V::SIZE) && !V::IS_PER_CPU;

    /// The value of a key.
    pub fn get(&self, key: &K) -> Result<Option<V>> {
        if const { Self::ARE_NUMBERS } {
            let handle = self.map()?.handle()?;
            let number = handle
                .lookup_number(to_number(key.as_bytes()))
                .map_err(|code| failed(handle, "look up a key in", code, key.as_bytes(), None))?;
            return number
                .map(|number| V::decode(&number.to_le_bytes()[..V::SIZE]))
                .transpose();
        }
        self.map()?
            .lookup(key.as_bytes())?
            .map(|value| V::decode(&value))
            .transpose()
    }

    /// Creates or replaces the value of a key, as `flags` say.
    pub fn insert(&self, key: &K, value: &V, flags: MapFlags) -> Result<()> {
        let value = V::encode(std::slice::from_ref(value));
        if const { Self::ARE_NUMBERS } {
            let handle = self.map()?.handle()?;
            return handle
                .update_number(to_number(key.as_bytes()), to_number(&value), flags.mode())
                .map_err(|code| failed(handle, "update", code, key.as_bytes(), Some(&value)));
        }
        self.map()?.update(key.as_bytes(), &value, flags)
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
            .map(|value| V::decode(&value))
            .transpose()
    }

    /// The values of many keys, fetched with one call of the host for up to 4096 of them.
    pub fn get_many(&self, keys: &[K]) -> Result<Vec<Option<V>>> {
        let handle = self.map()?.handle()?;
        let length = handle.info().value_length as usize;
        // The host returns 16 MiB at most.
        let most = ((16 << 20) / length.max(1)).clamp(1, 4096);
        let mut values = Vec::with_capacity(keys.len());
        for keys in keys.chunks(most) {
            let found = handle.lookup_many(keys.as_bytes()).map_err(|code| {
                let key = keys[0].as_bytes();
                failed(handle, "look up many keys in", code, key, None)
            })?;
            for index in 0..keys.len() {
                let is_there = found.found[index / 8] >> (index % 8) & 1 == 1;
                let at = index * length;
                let value = is_there.then(|| V::decode(&found.values[at..at + length]));
                values.push(value.transpose()?);
            }
        }
        Ok(values)
    }

    /// Creates or replaces the values of many keys, up to 65,536 with each call of the host.
    ///
    /// # Errors
    /// [`ErrorKind::WrongSize`](crate::ErrorKind::WrongSize) if there are not as many values as keys. Of the first entry that fails; those before it are stored, and
    /// the message says how many.
    pub fn insert_many(&self, keys: &[K], values: &[V], flags: MapFlags) -> Result<()> {
        let handle = self.map()?.handle()?;
        update_many(handle, keys.as_bytes(), &V::encode(values), flags)
    }

    /// Deletes many keys, up to 65,536 with each call of the host; how many of them were there.
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

impl<K: FromBytes, V: MapValue> Iterator for TypedMapIter<K, V> {
    type Item = Result<(K, V)>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.inner.next_entry().transpose()?;
        Some(entry.and_then(|(key, value)| Ok((from_bytes(key)?, V::decode(value)?))))
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
