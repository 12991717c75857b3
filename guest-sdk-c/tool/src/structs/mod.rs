//! `wasm-bpf-c check-structs`: what a BPF program and a guest exchange has to be the same for both.
//!
//! BPF is a 64-bit machine and a guest a 32-bit one: `long` and pointers are larger for BPF. A header that both include
//! can so mean two different things, and what one side writes, the other reads wrongly. Nothing else would tell.

mod btf;
mod compare;
mod dwarf;
mod inputs;
mod layout;
mod places;

use std::env;
use std::fmt::Write as _;

use anyhow::{Context as _, bail};

use crate::CheckStructs;
use layout::Layouts;
use places::Places;

pub fn check(options: &CheckStructs) -> anyhow::Result<()> {
    let current = env::current_dir().context("cannot tell the current directory")?;
    let places = Places::new(current, &options.system);
    let bpf = inputs::bpf(&options.object, &places)?;
    let mut guest = Layouts::default();
    for file in &options.guest {
        inputs::guest(file, &mut guest, &places)?;
    }
    let comparison = compare::compare(&bpf, &guest, &options.ignore);
    if options.verbose {
        for name in &comparison.compared {
            println!("compared {name}");
        }
    }
    if comparison.different.is_empty() {
        return Ok(());
    }
    let mut message = String::new();
    for difference in &comparison.different {
        let _ = writeln!(message, "{difference}");
    }
    bail!(
        "{message}\
         what a program and its BPF side exchange needs types of the same size on both, as the __u64 and __s32 of \
         <linux/types.h> are; a struct that they share in nothing but its name can be left out (--ignore)"
    )
}
