//! `walk`: all entries of a map, many with each call.

use std::os::fd::AsRawFd as _;
use std::ptr;

use libbpf_sys as sys;
use wasmtime::component::Resource;

use super::many::MAX_WAITS;
use super::{Access, Map};
use crate::bindings::maps::{Batch, HostWalk};
use crate::bindings::types::{ErrorCode, MapType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{CodeError, CodeResult, KERNEL_ENOTSUPP, code_of_errno};
use crate::policy::{Need, Reservation, Usage};

/// A walk over a map.
pub struct Walk {
    map: Map,
    and_delete: bool,
    place: Place,
    /// How many steps may still come, where others could make a walk start again and again.
    left: u64,
    /// What the walk failed with after it had something to return, to be told by the next call.
    failed: Option<CodeError>,
    /// What was read with a bucket and is more than was asked for, and how much of it was returned.
    surplus: Option<(Batch, usize)>,
    /// The memory for it.
    held: Option<Reservation>,
    usage: Usage,
}

/// Where a walk is.
enum Place {
    /// The kernel's batches, with its cursor.
    Batches(Option<Vec<u8>>),
    /// From key to key, at the first.
    FirstKey,
    /// From key to key, at this one.
    Key(Vec<u8>),
    /// At the end.
    End,
}

/// What one call returns at most, in bytes, unless a single entry or bucket is larger.
const MAX_BATCH_BYTES: usize = 1 << 20;

/// A bucket that is larger is not returned in one piece: entries that were made to collide.
const MAX_BUCKET_BYTES: usize = 64 << 20;

/// How often the kernel may say of a batch that it was disturbed before the component is told.
const MOST_RETRIES: u32 = 100;

/// What a batch of the kernel said.
enum Answer {
    /// There may be more.
    Entries(Batch),
    /// These are the last.
    Last(Batch),
    /// The kernel has no batches for this kind of map.
    NoBatches,
}

impl Walk {
    fn start(map: Map, and_delete: bool, usage: Usage) -> CodeResult<Self> {
        map.demand_keys()?;
        if and_delete && matches!(map.info.type_, MapType::Array | MapType::PercpuArray) {
            return Err(ErrorCode::InvalidArgument.into());
        }
        Ok(Self {
            and_delete,
            place: Place::Batches(None),
            // Twice: a walk that is disturbed once can still be whole.
            left: 2 * u64::from(map.info.max_entries),
            failed: None,
            surplus: None,
            held: None,
            usage,
            map,
        })
    }

    /// No more than `max` entries; what is left of a bucket comes with the next call.
    fn next(&mut self, max: u32) -> CodeResult<Batch> {
        if max == 0 {
            return Err(ErrorCode::InvalidArgument.into());
        }
        if self.surplus.is_none() {
            let batch = self.read(max)?;
            if batch.count <= max {
                self.held = None;
                return Ok(batch);
            }
            self.surplus = Some((batch, 0));
        }
        let Some((surplus, at)) = &mut self.surplus else {
            unreachable!("just made");
        };
        let (key_size, length) = (self.map.info.key_size, self.map.info.value_length);
        let (key_size, length) = (key_size as usize, length as usize);
        let most = (max as usize).min((MAX_BATCH_BYTES / (key_size + length)).max(1));
        let end = (surplus.count as usize).min(*at + most);
        let batch = Batch {
            count: (end - *at) as u32,
            keys: surplus.keys[*at * key_size..end * key_size].to_vec(),
            values: surplus.values[*at * length..end * length].to_vec(),
        };
        *at = end;
        if end == surplus.count as usize {
            self.surplus = None;
            self.held = None;
        }
        Ok(batch)
    }

    fn read(&mut self, max: u32) -> CodeResult<Batch> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let info = &self.map.info;
        let entry = info.key_size as usize + info.value_length as usize;
        // Guest-controlled, and never past the promised end.
        let most = (max as usize)
            .min(info.max_entries as usize)
            .min((MAX_BATCH_BYTES / entry).max(1))
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if let Place::Batches(cursor) = &mut self.place {
            let cursor = cursor.take();
            match self.batch(cursor, most)? {
                Answer::Entries(batch) if self.goes_on_after(&batch) => return Ok(batch),
                Answer::Entries(batch) | Answer::Last(batch) => {
                    self.place = Place::End;
                    return Ok(batch);
                }
                Answer::NoBatches => self.place = Place::FirstKey,
            }
        }
        if self.and_delete && self.map.access == Access::NoUpdate {
            // Each entry makes the kernel wait until no program uses what was stored: some milliseconds.
            return self.by_key(most.min(MAX_WAITS));
        }
        self.by_key(most)
    }

    /// Whether the walk goes on after a batch. The kernel goes through the buckets of a hash table in their order, and ends whatever happens;
    /// where it goes from key to key, a key that is deleted makes it start again.
    fn goes_on_after(&mut self, batch: &Batch) -> bool {
        let in_buckets = matches!(
            self.map.info.type_,
            MapType::Hash
                | MapType::LruHash
                | MapType::PercpuHash
                | MapType::LruPercpuHash
                | MapType::HashOfMaps
        );
        if !in_buckets {
            self.left = self.left.saturating_sub(batch.count.into());
        }
        self.left > 0
    }

    /// At least one entry, or the end.
    fn batch(&mut self, mut cursor: Option<Vec<u8>>, mut most: usize) -> CodeResult<Answer> {
        let info = &self.map.info;
        let (key_size, length) = (info.key_size as usize, info.value_length as usize);
        let mut next = vec![0; key_size.max(4)];
        let mut retries = 0;
        loop {
            let mut keys = vec![0; most * key_size];
            let mut values = vec![0; most * length];
            // At most max_entries, but for a bucket that does not fit.
            let mut count = most as u32;
            let call = if self.and_delete {
                sys::bpf_map_lookup_and_delete_batch
            } else {
                sys::bpf_map_lookup_batch
            };
            let from = cursor.as_mut().map_or(ptr::null_mut(), Vec::as_mut_ptr);
            // SAFETY: the lists have room for `count` keys and values of the sizes that the kernel writes for this kind of map; cursors
            // have at least 4 and key_size bytes, of which the kernel uses one or the other.
            let answer = unsafe {
                call(
                    self.map.fd.as_raw_fd(),
                    from.cast(),
                    next.as_mut_ptr().cast(),
                    keys.as_mut_ptr().cast(),
                    values.as_mut_ptr().cast(),
                    &raw mut count,
                    ptr::null(),
                )
            };
            let entries = |mut keys: Vec<u8>, mut values: Vec<u8>| {
                let count = (count as usize).min(most);
                keys.truncate(count * key_size);
                values.truncate(count * length);
                if self.and_delete && self.map.access == Access::NoUpdate {
                    keys.chunks_exact(key_size)
                        .for_each(|key| self.map.let_go(key));
                }
                Batch {
                    count: count as u32,
                    keys,
                    values,
                }
            };
            match -answer {
                libc::ENOENT => return Ok(Answer::Last(entries(keys, values))),
                // A bucket that has more than there is room for: nothing was taken. It has no more than the map.
                libc::ENOSPC if most < self.map.info.max_entries as usize => {
                    most = (2 * most).min(self.map.info.max_entries as usize);
                    let bytes = most * (key_size + length);
                    // The host keeps what is more than was asked for until it is: that counts.
                    self.held = None;
                    let need = Need {
                        map_memory: bytes as u64,
                        ..Need::default()
                    };
                    self.held = self.usage.reserve(need).ok();
                    if bytes > MAX_BUCKET_BYTES || self.held.is_none() {
                        self.held = None;
                        self.place = Place::Batches(cursor);
                        return Err(ErrorCode::LimitExceeded.into());
                    }
                }
                libc::EINVAL | libc::EOPNOTSUPP | KERNEL_ENOTSUPP if cursor.is_none() => {
                    return Ok(Answer::NoBatches);
                }
                // Said before anything was done: the count is still what it was.
                errno @ (libc::EINVAL | libc::EPERM | libc::EFAULT | libc::EBADF) => {
                    self.place = Place::Batches(cursor);
                    return Err(code_of_errno(errno).into());
                }
                // It stopped on the way. What was taken before is valid, and may be deleted; the cursor is where it stopped.
                1.. if count > 0 => {
                    self.place = Place::Batches(Some(next));
                    return Ok(Answer::Entries(entries(keys, values)));
                }
                errno @ (libc::EINTR | libc::EAGAIN | libc::EBUSY) if retries >= MOST_RETRIES => {
                    self.place = Place::Batches(cursor);
                    return Err(code_of_errno(errno).into());
                }
                libc::EINTR | libc::EAGAIN | libc::EBUSY => retries += 1,
                errno @ 1.. => {
                    self.place = Place::Batches(cursor);
                    return Err(code_of_errno(errno).into());
                }
                _ if count == 0 => cursor = Some(next.clone()),
                _ => {
                    self.place = Place::Batches(Some(next));
                    return Ok(Answer::Entries(entries(keys, values)));
                }
            }
        }
    }

    fn by_key(&mut self, most: usize) -> CodeResult<Batch> {
        let mut value = vec![0; self.map.info.value_length as usize];
        let mut batch = Batch {
            count: 0,
            keys: Vec::new(),
            values: Vec::new(),
        };
        while (batch.count as usize) < most {
            match self.step(&mut value) {
                Ok(Some((key, true))) => {
                    batch.count += 1;
                    batch.keys.extend_from_slice(&key);
                    batch.values.extend_from_slice(&value);
                }
                Ok(Some((_, false))) => {}
                Ok(None) => break,
                // What was taken before is not lost.
                Err(error) if batch.count > 0 => {
                    self.failed = Some(error);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(batch)
    }

    /// A key, and whether it was still there; its value in `value`.
    fn step(&mut self, value: &mut [u8]) -> CodeResult<Option<(Vec<u8>, bool)>> {
        let Some(key) = self.next_key()? else {
            return Ok(None);
        };
        let is_there = if self.and_delete {
            take(&self.map, &key, value)?
        } else {
            self.map.lookup_into(&key, value)?
        };
        Ok(Some((key, is_there)))
    }

    /// The key to deal with now; none at the end. The one after it is looked for at once: after a key that is deleted the kernel begins
    /// at the first again.
    fn next_key(&mut self) -> CodeResult<Option<Vec<u8>>> {
        // Keys that are gone before their entries are read count too: others could take each one away.
        self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => {
                self.place = Place::End;
                return Ok(None);
            }
        };
        let mut next = vec![0; self.map.info.key_size as usize];
        let key = match std::mem::replace(&mut self.place, Place::End) {
            Place::Key(key) => key,
            Place::FirstKey if self.map.next_key(None, &mut next)? => next.clone(),
            _ => return Ok(None),
        };
        if self.map.next_key(Some(&key), &mut next)? {
            self.place = Place::Key(next);
        }
        Ok(Some(key))
    }
}

/// Reads an entry and deletes it, in one step where the kernel can.
fn take(map: &Map, key: &[u8], value: &mut [u8]) -> CodeResult<bool> {
    let is_there = match map.take_into(key, value) {
        Err(CodeError::Code(ErrorCode::NotSupported | ErrorCode::InvalidArgument)) => {
            map.lookup_into(key, value)? && map.delete(key)?
        }
        other => other?,
    };
    map.let_go(key);
    Ok(is_there)
}

impl HostWalk for WasmBpfCtxView<'_> {
    fn start(&mut self, map: Resource<Map>, and_delete: bool) -> CodeResult<Resource<Walk>> {
        let usage = self.ctx.usage.clone();
        let map = self.table.get(&map)?.try_clone(&usage)?;
        Ok(self.table.push(Walk::start(map, and_delete, usage)?)?)
    }

    fn next(&mut self, walk: Resource<Walk>, max: u32) -> CodeResult<Batch> {
        self.table.get_mut(&walk)?.next(max)
    }

    fn drop(&mut self, walk: Resource<Walk>) -> wasmtime::Result<()> {
        self.table.delete(walk)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::fd::{FromRawFd as _, OwnedFd};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::bindings::maps::UpdateMode;
    use crate::maps::MapMemory;
    use crate::policy::Limits;

    /// A map of the running kernel with 4-byte keys and values.
    fn kernel_map(kind: MapType, entries: u32) -> Map {
        let usage = Usage::new(Limits::default());
        // SAFETY: no name, no options.
        let fd = unsafe {
            sys::bpf_map_create(
                kind.to_kernel(),
                c"walked".as_ptr(),
                4,
                4,
                entries,
                ptr::null(),
            )
        };
        assert!(fd >= 0, "this test needs root: {fd}");
        // SAFETY: just made.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let memory = Arc::new(MapMemory::new(usage.reserve(Need::default()).unwrap()));
        Map::from_fd(&usage, fd, None, memory).unwrap()
    }

    fn insert(map: &Map, key: u32, value: u32) {
        let value = value
            .to_ne_bytes()
            .repeat(map.info.value_length as usize / 4);
        map.update(&key.to_ne_bytes(), &value, UpdateMode::Any)
            .unwrap();
    }

    fn start(map: &Map, and_delete: bool, by_key: bool) -> Walk {
        let map = map.try_clone(&Usage::new(Limits::default())).unwrap();
        let mut walk = Walk::start(map, and_delete, Usage::new(Limits::default())).unwrap();
        if by_key {
            walk.place = Place::FirstKey;
        }
        walk
    }

    /// All that a walk returns, by key; how many entries came.
    fn collect(mut walk: Walk, max: u32) -> (BTreeMap<u32, Vec<u8>>, usize) {
        let mut all = BTreeMap::new();
        let mut count = 0;
        loop {
            let batch = walk.next(max).unwrap();
            if batch.count == 0 {
                return (all, count);
            }
            assert!(batch.count <= max, "no more than asked for");
            count += batch.count as usize;
            let length = walk.map.info.value_length as usize;
            assert_eq!(batch.keys.len(), batch.count as usize * 4);
            assert_eq!(batch.values.len(), batch.count as usize * length);
            let keys = batch.keys.chunks_exact(4);
            for (key, value) in keys.zip(batch.values.chunks_exact(length)) {
                all.insert(u32::from_ne_bytes(key.try_into().unwrap()), value.to_vec());
            }
        }
    }

    #[test]
    fn kernel_batches_and_keys_give_the_same() {
        for kind in [
            MapType::Hash,
            MapType::PercpuHash,
            MapType::LruHash,
            MapType::Array,
        ] {
            let map = kernel_map(kind, 1000);
            for key in 0..1000 {
                // An LRU map may drop some.
                insert(&map, key, !key);
            }
            let (expected, count) = collect(start(&map, false, true), 77);
            assert_eq!(expected.len(), count);
            assert!(matches!(kind, MapType::LruHash) || count == 1000);
            for max in [1, 7, 999, 1000, u32::MAX] {
                let walk = start(&map, false, false);
                let (found, count) = collect(walk, max);
                assert_eq!(count, expected.len(), "{} by {max}", kind.name());
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn kernel_both_ways_of_deleting_leave_nothing() {
        for by_key in [false, true] {
            let map = kernel_map(MapType::Hash, 1000);
            for key in 0..1000 {
                insert(&map, key, key + 1);
            }
            let (taken, count) = collect(start(&map, true, by_key), 64);
            assert_eq!((taken.len(), count), (1000, 1000));
            assert!(
                taken
                    .iter()
                    .all(|(key, value)| *value == (key + 1).to_ne_bytes())
            );
            assert!(!map.next_key(None, &mut [0; 4]).unwrap());
        }
    }

    #[test]
    fn kernel_walks_end_and_miss_nothing_while_others_change_the_map() {
        const STAYING: u32 = 2000;
        for (and_delete, by_key) in [(false, false), (false, true), (true, false), (true, true)] {
            let map = Arc::new(kernel_map(MapType::Hash, 10_000));
            for key in 0..STAYING {
                insert(&map, key, 1);
            }
            let is_over = Arc::new(AtomicBool::new(false));
            let disturber = std::thread::spawn({
                let (map, is_over) = (Arc::clone(&map), Arc::clone(&is_over));
                move || {
                    let mut turn = 0u32;
                    while !is_over.load(Ordering::Relaxed) {
                        let key = STAYING + turn % 5000;
                        insert(&map, key, 2);
                        let _ = map.delete(&(STAYING + turn.wrapping_mul(7) % 5000).to_ne_bytes());
                        turn = turn.wrapping_add(1);
                    }
                }
            });
            for _ in 0..if and_delete { 1 } else { 20 } {
                let (found, count) = collect(start(&map, and_delete, by_key), 100);
                assert!(count <= 20_000, "{count}");
                // From key to key, one that is deleted under the walk makes it start again until its steps are used up.
                if !by_key || and_delete {
                    let missed = (0..STAYING).find(|key| !found.contains_key(key));
                    assert_eq!(missed, None, "delete {and_delete}");
                }
            }
            is_over.store(true, Ordering::Relaxed);
            disturber.join().unwrap();
        }
    }

    /// A batch of the kernel's may be longer than what is left.
    #[test]
    fn kernel_walks_end_within_two_steps_for_each_entry() {
        for by_key in [false, true] {
            let map = kernel_map(MapType::Array, 1000);
            let mut walk = start(&map, false, by_key);
            walk.left = 700;
            assert_eq!(collect(walk, 300).1, 700);
        }
    }

    #[test]
    fn kernel_walks_that_cannot_be_are_refused() {
        let array = kernel_map(MapType::Array, 4);
        let refused = Walk::start(array, true, Usage::default());
        assert!(refused.is_err());
        let hash = kernel_map(MapType::Hash, 4);
        assert!(start(&hash, false, false).next(0).is_err());
        // One that is over stays over.
        let mut walk = start(&hash, false, false);
        for _ in 0..3 {
            assert_eq!(walk.next(u32::MAX).unwrap().count, 0);
        }
    }
}
