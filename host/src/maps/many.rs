//! Many keys in one call.

use std::ops::ControlFlow;
use std::os::fd::AsRawFd as _;
use std::ptr;

use super::{Access, Map};
use crate::bindings::maps::{Deleted, FoundValues, UpdateMode, Updated};
use crate::bindings::types::{ErrorCode, MapType};
use crate::error::{CodeError, CodeResult};

/// What one call of `lookup-many` returns of values at most, in bytes.
const MAX_VALUE_BYTES: usize = 16 << 20;

/// Keys that one call deals with at most: each may cost a system call, and nothing ends a call in between.
const MAX_KEYS: usize = 1 << 18;

/// The same where each key that is deleted makes the kernel wait until no program uses what was stored: some milliseconds.
pub(super) const MAX_WAITS: usize = 256;

/// Elements that are given to the kernel at once: so that one system call does not last for long.
const AT_ONCE: usize = 4096;

impl Map {
    /// How many keys there are in a list.
    fn count_keys(&self, keys: &[u8]) -> CodeResult<usize> {
        self.demand_keys()?;
        let size = self.info.key_size as usize;
        if size == 0 || !keys.len().is_multiple_of(size) {
            return Err(ErrorCode::WrongSize.into());
        }
        let count = keys.len() / size;
        // Guest-controlled.
        if count > MAX_KEYS {
            return Err(ErrorCode::LimitExceeded.into());
        }
        Ok(count)
    }

    fn key_at<'a>(&self, keys: &'a [u8], index: usize) -> &'a [u8] {
        let size = self.info.key_size as usize;
        &keys[index * size..(index + 1) * size]
    }

    pub(super) fn lookup_many(&self, keys: &[u8]) -> CodeResult<FoundValues> {
        let count = self.count_keys(keys)?;
        let length = self.info.value_length as usize;
        // Guest-controlled: keys of a byte could ask for values of many pages each.
        let bytes = count
            .checked_mul(length)
            .filter(|bytes| *bytes <= MAX_VALUE_BYTES.max(length))
            .ok_or(ErrorCode::LimitExceeded)?;
        let mut values = vec![0; bytes];
        let mut found = vec![0; count.div_ceil(8)];
        for index in 0..count {
            let value = &mut values[index * length..(index + 1) * length];
            if self.lookup_into(self.key_at(keys, index), value)? {
                found[index / 8] |= 1 << (index % 8);
            }
        }
        Ok(FoundValues { values, found })
    }

    pub(super) fn update_many(
        &self,
        keys: &[u8],
        values: &[u8],
        mode: UpdateMode,
    ) -> CodeResult<Updated> {
        let count = self.count_keys(keys)?;
        self.demand(Access::Full)?;
        let length = self.info.value_length as usize;
        if count.checked_mul(length) != Some(values.len()) {
            return Err(ErrorCode::WrongSize.into());
        }
        let key_size = self.info.key_size as usize;
        // The kernel's batches know no modes.
        let has_batches = matches!(mode, UpdateMode::Any);
        let batch = |from: usize, count: &mut u32| {
            // SAFETY: both lists have at least `count` elements from there on.
            unsafe {
                libbpf_sys::bpf_map_update_batch(
                    self.fd.as_raw_fd(),
                    keys[from * key_size..].as_ptr().cast(),
                    values[from * length..].as_ptr().cast(),
                    ptr::from_mut(count),
                    ptr::null(),
                )
            }
        };
        let single = |index: usize| {
            let value = &values[index * length..(index + 1) * length];
            self.update(self.key_at(keys, index), value, mode)
        };
        let (count, failed) = each(count, has_batches, batch, single);
        Ok(Updated {
            count: count as u32,
            failed: code_or_trap(failed)?,
        })
    }

    pub(super) fn delete_many(&self, keys: &[u8]) -> CodeResult<Deleted> {
        let count = self.count_keys(keys)?;
        let key_size = self.info.key_size as usize;
        // The kernel waits once for each batch; program arrays and the like have none.
        let has_batches =
            self.access == Access::Full || matches!(self.info.type_, MapType::HashOfMaps);
        if !has_batches && count > MAX_WAITS {
            return Err(ErrorCode::LimitExceeded.into());
        }
        let mut missing = 0;
        let batch = |from: usize, count: &mut u32| {
            // SAFETY: the list has at least `count` keys from there on.
            unsafe {
                libbpf_sys::bpf_map_delete_batch(
                    self.fd.as_raw_fd(),
                    keys[from * key_size..].as_ptr().cast(),
                    ptr::from_mut(count),
                    ptr::null(),
                )
            }
        };
        let single = |index: usize| {
            let was_there = self.delete(self.key_at(keys, index))?;
            missing += u32::from(!was_there);
            Ok(())
        };
        let (count, failed) = each(count, has_batches, batch, single);
        if self.access == Access::NoUpdate {
            keys.chunks_exact(key_size)
                .take(count)
                .for_each(|key| self.let_go(key));
        }
        Ok(Deleted {
            count: count as u32,
            missing,
            failed: code_or_trap(failed)?,
        })
    }
}

/// Goes over `count` elements with the kernel's batches, as far as it has them; with an element that stops a batch, and without
/// batches, one by one. How many were done, and why the next was not.
fn each(
    count: usize,
    mut has_batches: bool,
    batch: impl Fn(usize, &mut u32) -> i32,
    mut single: impl FnMut(usize) -> CodeResult<()>,
) -> (usize, Option<CodeError>) {
    let mut done = 0;
    while done < count {
        if has_batches {
            let asked = (count - done).min(AT_ONCE);
            // At most AT_ONCE.
            let mut answered = asked as u32;
            let answer = batch(done, &mut answered);
            match progress(answer, asked, answered as usize) {
                ControlFlow::Continue(more) => done += more,
                ControlFlow::Break(()) => has_batches = false,
            }
            if answer >= 0 || done == count {
                continue;
            }
        }
        // The element that the batch stopped at: what it fails with is told.
        if let Err(error) = single(done) {
            return (done, Some(error));
        }
        done += 1;
    }
    (done, None)
}

/// How far a batch came. A kernel that does not know batches, for this kind of map or at all, leaves the count as it was.
fn progress(answer: i32, asked: usize, answered: usize) -> ControlFlow<(), usize> {
    match answer {
        0.. => ControlFlow::Continue(asked),
        _ if answered < asked => ControlFlow::Continue(answered),
        _ => ControlFlow::Break(()),
    }
}

fn code_or_trap(failed: Option<CodeError>) -> CodeResult<Option<ErrorCode>> {
    match failed {
        None => Ok(None),
        Some(CodeError::Code(code)) => Ok(Some(code)),
        Some(trap) => Err(trap),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// A kernel whose elements fail where `bad` says, in a batch or one by one.
    fn run(
        count: usize,
        has_batches: bool,
        knows_batches: bool,
        bad: &[usize],
    ) -> (Vec<usize>, usize, bool) {
        let seen = RefCell::new(Vec::new());
        let batch = |from: usize, count: &mut u32| {
            if !knows_batches {
                return -libc::EINVAL;
            }
            for index in 0..*count as usize {
                if bad.contains(&(from + index)) {
                    *count = index as u32;
                    return -libc::E2BIG;
                }
                seen.borrow_mut().push(from + index);
            }
            0
        };
        let single = |index: usize| {
            if bad.contains(&index) {
                return Err(ErrorCode::Full.into());
            }
            seen.borrow_mut().push(index);
            Ok(())
        };
        let (done, failed) = each(count, has_batches, batch, single);
        (seen.into_inner(), done, failed.is_some())
    }

    #[test]
    fn each_element_is_done_once_up_to_the_first_that_fails() {
        for (has, knows) in [(false, false), (true, false), (true, true)] {
            for count in [0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE] {
                let (seen, done, failed) = run(count, has, knows, &[]);
                assert!(seen.into_iter().eq(0..count));
                assert_eq!((done, failed), (count, false));
            }
            for bad in [0, 1, AT_ONCE - 1, AT_ONCE, 2 * AT_ONCE + 5] {
                let (seen, done, failed) = run(3 * AT_ONCE, has, knows, &[bad]);
                assert!(seen.into_iter().eq(0..bad));
                assert_eq!((done, failed), (bad, true));
            }
        }
    }

    #[test]
    fn what_stops_a_batch_but_not_a_single_call_is_no_end() {
        // As a key that is missing when many are deleted.
        let single_calls = RefCell::new(0);
        let batch = |from: usize, count: &mut u32| {
            if from <= 3 && from + *count as usize > 3 {
                *count = 3 - from as u32;
                return -libc::ENOENT;
            }
            0
        };
        let single = |index| {
            assert_eq!(index, 3);
            *single_calls.borrow_mut() += 1;
            Ok(())
        };
        let (done, failed) = each(10, true, batch, single);
        assert_eq!(
            (done, failed.is_none(), single_calls.into_inner()),
            (10, true, 1)
        );
    }
}
