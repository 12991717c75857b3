//! The kernel's flags for looking up and storing.

use std::ops::BitOr;

use super::MapFlags;

/// Flags of [`MapCore::lookup_with`](crate::MapCore::lookup_with), [`update_with`](crate::MapCore::update_with) and
/// [`lookup_and_delete_with`](crate::MapCore::lookup_and_delete_with), put together with `|`.
///
/// ```no_run
/// use wasm_bpf_guest::{ElemFlags, MapCore};
///
/// # fn run(counters: impl MapCore, per_cpu: impl MapCore) -> wasm_bpf_guest::Result<()> {
/// // Whole, whatever programs do to it meanwhile.
/// let value = counters.lookup_with(&1u32.to_ne_bytes(), ElemFlags::LOCK)?;
/// // That of CPU 3 alone.
/// let value = per_cpu.lookup_with(&1u32.to_ne_bytes(), ElemFlags::cpu(3))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ElemFlags(u64);

impl ElemFlags {
    /// Create or replace.
    pub const ANY: Self = Self(0);
    /// Create; fails with [`ErrorKind::AlreadyExists`](crate::ErrorKind::AlreadyExists) otherwise.
    pub const NO_EXIST: Self = Self(1);
    /// Replace; fails with [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) otherwise.
    pub const EXIST: Self = Self(2);
    /// Reads or writes a value that has a `bpf_spin_lock` whole (BPF_F_LOCK).
    pub const LOCK: Self = Self(4);
    /// The same value for all CPUs of a per-CPU map (BPF_F_ALL_CPUS). Kernel 6.19.
    pub const ALL_CPUS: Self = Self(16);

    /// One CPU's value of a per-CPU map (BPF_F_CPU). Kernel 6.19.
    pub const fn cpu(cpu: u32) -> Self {
        Self(8 | (cpu as u64) << 32)
    }

    /// The kernel's bits, for flags that this crate does not name.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The kernel's bits.
    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl BitOr for ElemFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl From<MapFlags> for ElemFlags {
    fn from(flags: MapFlags) -> Self {
        match flags {
            MapFlags::Any => Self::ANY,
            MapFlags::NoExist => Self::NO_EXIST,
            MapFlags::Exist => Self::EXIST,
        }
    }
}
