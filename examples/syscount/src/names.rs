//! Names of system calls.

use std::borrow::Cow;
use std::ffi::c_long;

use crate::syscount::types::arch as Arch;

/// As in syscount.h.
const KEY_32_BIT: u32 = 1 << 31;
const NUMBERS: u32 = 1024;

/// The name of a system call by its key in the map. The kernel's architecture decides on it, not the one that this code was
/// compiled for, which has no system calls.
pub fn name_of(arch: Arch, key: u32) -> Cow<'static, str> {
    let number = key & !KEY_32_BIT;
    if number == NUMBERS {
        return Cow::Borrowed("[no system call]");
    }
    if key & KEY_32_BIT != 0 {
        return Cow::Owned(format!("[32-bit {number}]"));
    }
    by_number(arch, number as c_long)
        .map_or_else(|| Cow::Owned(format!("[{number}]")), Cow::Borrowed)
}

fn by_number(arch: Arch, number: c_long) -> Option<&'static str> {
    use syscall_numbers::{aarch64, riscv64, x32, x86_64};

    match arch {
        Arch::ARCH_X86_64 => x86_64::sys_call_name(number).or_else(|| x32::sys_call_name(number)),
        Arch::ARCH_ARM64 => aarch64::sys_call_name(number),
        Arch::ARCH_RISCV64 => riscv64::sys_call_name(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_architecture_has_its_numbers() {
        for (arch, number, name) in [
            (Arch::ARCH_X86_64, 0, "read"),
            (Arch::ARCH_X86_64, 257, "openat"),
            // Behind the gap in the numbers.
            (Arch::ARCH_X86_64, 437, "openat2"),
            (Arch::ARCH_X86_64, 1 << 30, "read"),
            (Arch::ARCH_ARM64, 56, "openat"),
            (Arch::ARCH_ARM64, 437, "openat2"),
            (Arch::ARCH_RISCV64, 56, "openat"),
            (Arch::ARCH_RISCV64, 437, "openat2"),
        ] {
            assert_eq!(name_of(arch, number), name, "{arch:?} {number}");
        }
    }

    #[test]
    fn what_has_no_name_has_a_number() {
        assert_eq!(name_of(Arch::ARCH_X86_64, 1000), "[1000]");
        assert_eq!(name_of(Arch::ARCH_OTHER, 0), "[0]");
        assert_eq!(name_of(Arch::ARCH_X86_64, 1 << 31 | 5), "[32-bit 5]");
        assert_eq!(
            name_of(Arch::ARCH_X86_64, 1 << 31 | 1024),
            "[no system call]"
        );
    }
}
