//! Maps with a value for each CPU.

use std::cell::Cell;
use std::iter::Sum;
use std::marker::PhantomData;
use std::ops::Deref;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::typed::{check_sizes, from_bytes};
use super::{Map, MapCore, MapFlags, MapIter, delete_many, failed};
use crate::error::{Error, Result};

/// The values of one key on each possible CPU, CPU 0 first. It is a slice: `values[cpu]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerCpu<V>(Vec<V>);

impl<V> PerCpu<V> {
    /// The values added up.
    pub fn sum(&self) -> V
    where
        V: Copy + Sum,
    {
        self.0.iter().copied().sum()
    }

    /// A number of each value, added up, such as `values.sum_by(|value| value.count)`.
    pub fn sum_by<N: Sum>(&self, number: impl FnMut(&V) -> N) -> N {
        self.0.iter().map(number).sum()
    }
}

impl<V> From<Vec<V>> for PerCpu<V> {
    fn from(values: Vec<V>) -> Self {
        Self(values)
    }
}

impl<V> Deref for PerCpu<V> {
    type Target = [V];

    fn deref(&self) -> &[V] {
        &self.0
    }
}

impl<V> IntoIterator for PerCpu<V> {
    type Item = V;
    type IntoIter = std::vec::IntoIter<V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A map with keys `K` and a value `V` for each CPU. `M` is any map: an object's [`Map`], a [`MapHandle`](crate::MapHandle).
///
/// ```no_run
/// use wasm_bpf_guest::{Object, PerCpuMap};
///
/// # fn run(object: Object) -> wasm_bpf_guest::Result<()> {
/// let counts: PerCpuMap<u32, u64> = PerCpuMap::new(object.map("counts")?)?;
/// for entry in counts.iter() {
///     let (syscall, counts) = entry?;
///     println!("{syscall}: {} on all CPUs, {} on CPU 0", counts.sum(), counts[0]);
/// }
/// # Ok(())
/// # }
/// ```
pub struct PerCpuMap<K, V, M = Map> {
    pub(super) map: M,
    checked: Cell<bool>,
    types: PhantomData<(K, V)>,
}

/// The values in what the host returns: each begins at a multiple of 8.
fn unpack<V: FromBytes>(packed: &[u8]) -> Result<PerCpu<V>> {
    let size = size_of::<V>();
    packed
        .chunks_exact(size.next_multiple_of(8).max(8))
        .map(|slot| from_bytes(&slot[..size]))
        .collect::<Result<Vec<_>>>()
        .map(PerCpu)
}

impl<K, V, M: MapCore> PerCpuMap<K, V, M>
where
    K: IntoBytes + FromBytes + Immutable,
    V: IntoBytes + FromBytes + Immutable,
{
    /// Looks at a map as one of these types.
    ///
    /// # Errors
    /// [`ErrorKind::WrongSize`](crate::ErrorKind::WrongSize) if the map's keys or values have other sizes, or one value for all CPUs.
    pub fn new(map: M) -> Result<Self> {
        let this = Self::unchecked(map);
        this.map()?;
        Ok(this)
    }

    fn map(&self) -> Result<&M> {
        if !self.checked.get() {
            check_sizes(&self.map, Some(size_of::<K>()), size_of::<V>(), true)?;
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

    /// The values of a key on each CPU.
    pub fn get(&self, key: &K) -> Result<Option<PerCpu<V>>> {
        self.map()?
            .lookup(key.as_bytes())?
            .map(|packed| unpack(&packed))
            .transpose()
    }

    /// Sets the values of a key: one for each possible CPU.
    pub fn insert(&self, key: &K, values: &[V], flags: MapFlags) -> Result<()> {
        let size = size_of::<V>();
        let mut packed = Vec::with_capacity(values.len() * size.next_multiple_of(8));
        for value in values {
            packed.extend_from_slice(value.as_bytes());
            packed.resize(packed.len().next_multiple_of(8), 0);
        }
        let expected = self.map()?.info()?.value_length as usize;
        if packed.len() != expected {
            return Err(Error::layout(format!(
                "{} values were given for {} possible CPUs",
                values.len(),
                expected / size.next_multiple_of(8).max(8)
            )));
        }
        self.map()?.update(key.as_bytes(), &packed, flags)
    }

    /// Deletes a key; whether it was there.
    pub fn remove(&self, key: &K) -> Result<bool> {
        let handle = self.map()?.handle()?;
        handle
            .delete(key.as_bytes())
            .map_err(|code| failed(handle, "delete a key of", code, key.as_bytes(), None))
    }

    /// Takes the values of a key and deletes the key, in one step.
    pub fn take(&self, key: &K) -> Result<Option<PerCpu<V>>> {
        self.map()?
            .lookup_and_delete(key.as_bytes())?
            .map(|packed| unpack(&packed))
            .transpose()
    }

    /// Deletes many keys with one call of the host; how many of them were there.
    pub fn remove_many(&self, keys: &[K]) -> Result<u32> {
        delete_many(self.map()?.handle()?, keys.as_bytes())
    }

    /// All entries, fetched many at a time: see [`MapCore::iter`].
    pub fn iter(&self) -> PerCpuMapIter<K, V> {
        PerCpuMapIter::new(self.map().map(|map| map.iter()))
    }

    /// Takes all entries out of the map: see [`MapCore::drain`].
    pub fn drain(&self) -> PerCpuMapIter<K, V> {
        PerCpuMapIter::new(self.map().map(|map| map.drain()))
    }
}

/// An iterator over the entries of a [`PerCpuMap`].
pub struct PerCpuMapIter<K, V> {
    inner: MapIter,
    types: PhantomData<(K, V)>,
}

impl<K, V> PerCpuMapIter<K, V> {
    fn new(inner: Result<MapIter>) -> Self {
        let inner = inner.unwrap_or_else(MapIter::failing);
        Self {
            inner,
            types: PhantomData,
        }
    }
}

impl<K: FromBytes, V: FromBytes> Iterator for PerCpuMapIter<K, V> {
    type Item = Result<(K, PerCpu<V>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.inner.next_entry().transpose()?;
        Some(entry.and_then(|(key, packed)| Ok((from_bytes(key)?, unpack(packed)?))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_size_are_found() {
        let packed = [1u64, 2, 3].map(u64::to_le_bytes).concat();
        assert_eq!(*unpack::<u8>(&packed).unwrap(), [1, 2, 3]);
        assert_eq!(unpack::<u32>(&packed).unwrap().sum(), 6);
        assert_eq!(*unpack::<u64>(&packed).unwrap(), [1, 2, 3]);
        // 12 bytes take 16.
        let packed = [1u32, 2, 3, 0, 4, 5, 6, 0].map(u32::to_le_bytes).concat();
        assert_eq!(
            *unpack::<[u32; 3]>(&packed).unwrap(),
            [[1, 2, 3], [4, 5, 6]]
        );
        let values = unpack::<[u32; 3]>(&packed).unwrap();
        assert_eq!(values.sum_by(|value| value[2]), 9);
    }
}
