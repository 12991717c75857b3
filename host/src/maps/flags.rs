//! Looking up and storing with the kernel's flags.

use std::os::fd::AsRawFd as _;

use libbpf_sys as sys;

use super::{Access, Map, check_length, done, found, possible_cpus};
use crate::bindings::types::ErrorCode;
use crate::error::{CodeError, CodeResult};

const LOCK: u64 = sys::BPF_F_LOCK as u64;
const CPU: u64 = sys::BPF_F_CPU as u64;
const ALL_CPUS: u64 = sys::BPF_F_ALL_CPUS as u64;
/// What an update expects to find: BPF_ANY, BPF_NOEXIST, BPF_EXIST.
const MODE: u64 = 3;

/// What flags ask for, as far as they are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked {
    /// One value, not one for each CPU.
    one_value: bool,
}

/// Guest-controlled: the kernel copies as much as the flags say, and what is not known here could say anything.
fn check(flags: u64, known: u64, is_percpu: bool, cpus: u32) -> Option<Asked> {
    let cpu = flags >> 32;
    let low = flags & u64::from(u32::MAX);
    let one_value = low & (CPU | ALL_CPUS) != 0;
    let is_good = low & !known == 0
        && low & MODE != MODE
        && low & (CPU | ALL_CPUS) != CPU | ALL_CPUS
        && (low & CPU != 0 || cpu == 0)
        && cpu < u64::from(cpus)
        && (is_percpu || !one_value);
    is_good.then_some(Asked { one_value })
}

impl Map {
    fn check_flags(&self, flags: u64, known: u64) -> CodeResult<Asked> {
        let cpus = if self.is_percpu() {
            possible_cpus()?
        } else {
            1
        };
        Ok(check(flags, known, self.is_percpu(), cpus).ok_or(ErrorCode::InvalidArgument)?)
    }

    pub(super) fn lookup_with(&self, key: &[u8], flags: u64) -> CodeResult<Option<Vec<u8>>> {
        self.check_key(key)?;
        let asked = self.check_flags(flags, LOCK | CPU)?;
        // Room for all CPUs, whatever the kernel makes of the flags.
        let mut value = vec![0; self.info.value_length as usize];
        // SAFETY: as for `lookup_into`.
        let is_there = found(unsafe {
            sys::bpf_map_lookup_elem_flags(
                self.fd.as_raw_fd(),
                key.as_ptr().cast(),
                value.as_mut_ptr().cast(),
                flags,
            )
        });
        if asked.one_value {
            value.truncate(self.info.value_size as usize);
        }
        Ok(asked.unknown_to_kernel(is_there)?.then_some(value))
    }

    pub(super) fn update_with(&self, key: &[u8], mut value: Vec<u8>, flags: u64) -> CodeResult<()> {
        self.check_key(key)?;
        self.demand(Access::Full)?;
        let asked = self.check_flags(flags, MODE | LOCK | CPU | ALL_CPUS)?;
        let length = if asked.one_value {
            self.info.value_size
        } else {
            self.info.value_length
        };
        check_length(&value, length)?;
        // As above.
        value.resize(self.info.value_length as usize, 0);
        // SAFETY: as for `update`.
        asked.unknown_to_kernel(done(unsafe {
            sys::bpf_map_update_elem(
                self.fd.as_raw_fd(),
                key.as_ptr().cast(),
                value.as_ptr().cast(),
                flags,
            )
        }))
    }

    pub(super) fn lookup_and_delete_with(
        &self,
        key: &[u8],
        flags: u64,
    ) -> CodeResult<Option<Vec<u8>>> {
        self.check_key(key)?;
        self.check_flags(flags, LOCK)?;
        let mut value = vec![0; self.info.value_length as usize];
        // SAFETY: as for `lookup_into`.
        let was_there = found(unsafe {
            sys::bpf_map_lookup_and_delete_elem_flags(
                self.fd.as_raw_fd(),
                key.as_ptr().cast(),
                value.as_mut_ptr().cast(),
                flags,
            )
        })?;
        self.let_go(key);
        Ok(was_there.then_some(value))
    }
}

impl Asked {
    /// Kernels before 6.19 say EINVAL of the flags about CPUs; all else about them has been checked.
    fn unknown_to_kernel<T>(self, answer: CodeResult<T>) -> CodeResult<T> {
        match answer {
            Err(CodeError::Code(ErrorCode::InvalidArgument)) if self.one_value => {
                Err(ErrorCode::NotSupported.into())
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_ask_for_no_more_than_is_known() {
        let update = MODE | LOCK | CPU | ALL_CPUS;
        let good = |flags, is_percpu| check(flags, update, is_percpu, 4);
        for flags in [0, 1, 2, LOCK, LOCK | 2] {
            assert_eq!(good(flags, false), Some(Asked { one_value: false }));
        }
        for flags in [CPU, CPU | 1, CPU | 3 << 32, ALL_CPUS, ALL_CPUS | 2] {
            assert_eq!(good(flags, true), Some(Asked { one_value: true }));
            assert_eq!(good(flags, false), None, "{flags:#x}");
        }
        for flags in [
            3,
            32,
            1 << 31,
            1 << 32,
            LOCK | 1 << 32,
            CPU | 4 << 32,
            CPU | u64::from(u32::MAX) << 32,
            CPU | ALL_CPUS,
            ALL_CPUS | 1 << 32,
            u64::MAX,
        ] {
            assert_eq!(good(flags, true), None, "{flags:#x}");
        }
        assert_eq!(check(ALL_CPUS, LOCK | CPU, true, 4), None);
        assert_eq!(check(1, LOCK | CPU, true, 4), None);
    }
}
