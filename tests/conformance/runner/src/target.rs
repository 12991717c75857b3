//! What uprobes and USDT programs are attached to: calls its functions as often as the first argument says, or, for `serve`, as often as each line
//! of standard input says.

use std::hint::black_box;
use std::io::{self, BufRead as _, Write as _};
use std::sync::atomic::{AtomicU16, Ordering};

/// On a page of its own in the file: a page that two segments share is mapped twice, and the kernel counts in the first place.
#[repr(align(4096))]
struct Semaphore(AtomicU16);

/// Counted up by the kernel as long as a program is attached to `prepared`.
#[unsafe(link_section = ".probes")]
static PREPARED_SEMAPHORE: Semaphore = Semaphore(AtomicU16::new(0));

/// A USDT probe as the macros of `sys/sdt.h` make them: an instruction that does nothing, and a note that says where it is and where its arguments
/// are.
macro_rules! usdt {
    ($name:literal, $semaphore:literal, $arguments:literal, $($operands:tt)*) => {
        // SAFETY: one instruction that does nothing; the rest goes into sections that are not executed.
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        unsafe {
            std::arch::asm!(
                "990: nop",
                ".pushsection .note.stapsdt,\"\",\"note\"",
                ".balign 4",
                ".4byte 992f-991f, 994f-993f, 3",
                "991: .asciz \"stapsdt\"",
                "992: .balign 4",
                "993: .8byte 990b",
                ".8byte 0",
                concat!(".8byte ", $semaphore),
                ".asciz \"wasm_bpf\"",
                concat!(".asciz \"", $name, "\""),
                concat!(".asciz \"", $arguments, "\""),
                "994: .balign 4",
                ".popsection",
                $($operands)*
            );
        }
    };
}

/// Not inlined, and with a name that a symbol table has.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn wbc_target(number: u64) -> u64 {
    let number = black_box(number);
    #[cfg(target_arch = "x86_64")]
    usdt!("called", "0", "8@{} -4@$-7", in(reg) number, options(att_syntax, nostack));
    #[cfg(target_arch = "aarch64")]
    usdt!("called", "0", "8@{} -4@-7", in(reg) number, options(nostack));
    number + 1
}

/// Another one.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn wbc_other(number: u64) -> u64 {
    let number = black_box(number);
    // Somebody looks, so the argument is worth its work.
    if PREPARED_SEMAPHORE.0.load(Ordering::Relaxed) > 0 {
        let prepared = number * 100;
        #[cfg(target_arch = "x86_64")]
        usdt!("prepared", "{}", "8@{}", sym PREPARED_SEMAPHORE, in(reg) prepared, options(att_syntax, nostack));
        #[cfg(target_arch = "aarch64")]
        usdt!("prepared", "{}", "8@{}", sym PREPARED_SEMAPHORE, in(reg) prepared, options(nostack));
        let _ = prepared;
    }
    number + 2
}

fn call(count: u64) {
    for number in 0..count {
        black_box(wbc_target(number));
        black_box(wbc_other(number));
    }
}

fn main() {
    let argument = std::env::args().nth(1).unwrap_or_default();
    if argument != "serve" {
        call(argument.parse().unwrap_or(1));
        return;
    }
    for line in io::stdin().lock().lines() {
        let Some(count) = line.ok().and_then(|line| line.parse().ok()) else {
            break;
        };
        call(count);
        let mut output = io::stdout().lock();
        if writeln!(output).and_then(|()| output.flush()).is_err() {
            break;
        }
    }
}
