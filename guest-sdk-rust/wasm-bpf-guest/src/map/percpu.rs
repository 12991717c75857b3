//! Maps with a value for each CPU.

use std::borrow::Cow;
use std::iter::Sum;
use std::ops::Deref;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Map;
use super::typed::sealed::Value;
use super::typed::{TypedMap, from_bytes};
use crate::error::Result;

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

impl<V: IntoBytes + FromBytes + Immutable> Value for PerCpu<V> {
    const SIZE: usize = size_of::<V>();
    const IS_PER_CPU: bool = true;

    fn decode(bytes: &[u8]) -> Result<Self> {
        let size = size_of::<V>();
        bytes
            .chunks_exact(size.next_multiple_of(8).max(8))
            .map(|slot| from_bytes(&slot[..size]))
            .collect::<Result<Vec<_>>>()
            .map(Self)
    }

    fn encode(values: &[Self]) -> Cow<'_, [u8]> {
        let mut packed = Vec::new();
        for value in values.iter().flat_map(|values| &values.0) {
            packed.extend_from_slice(value.as_bytes());
            packed.resize(packed.len().next_multiple_of(8), 0);
        }
        Cow::Owned(packed)
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
pub type PerCpuMap<K, V, M = Map> = TypedMap<K, PerCpu<V>, M>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_size_are_found() {
        let packed = [1u64, 2, 3].map(u64::to_le_bytes).concat();
        assert_eq!(*PerCpu::<u8>::decode(&packed).unwrap(), [1, 2, 3]);
        assert_eq!(PerCpu::<u32>::decode(&packed).unwrap().sum(), 6);
        assert_eq!(*PerCpu::<u64>::decode(&packed).unwrap(), [1, 2, 3]);
        // 12 bytes take 16.
        let packed = [1u32, 2, 3, 0, 4, 5, 6, 0].map(u32::to_le_bytes).concat();
        let values = PerCpu::<[u32; 3]>::decode(&packed).unwrap();
        assert_eq!(*values, [[1, 2, 3], [4, 5, 6]]);
        assert_eq!(values.sum_by(|value| value[2]), 9);
        assert_eq!(*PerCpu::encode(&[values]), packed);
    }
}
