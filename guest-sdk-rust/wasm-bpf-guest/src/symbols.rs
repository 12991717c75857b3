//! Names of addresses.

use crate::bindings::symbols;
use crate::descriptor::Descriptor;
use crate::error::Result;

/// What an address stands for, or why that is not known.
pub use crate::bindings::symbols::{CodePlace, InlinedFunction, OffsetKind, Symbol, Unknown};

/// What the host takes in one call.
const AT_ONCE: usize = 4096;

/// Finds names of addresses, as blazesym's `Symbolizer` does, which the host uses.
///
/// ```no_run
/// use wasm_bpf_guest::Symbolizer;
///
/// # fn run(pid: u32, stack: &[u64]) -> wasm_bpf_guest::Result<()> {
/// let symbolizer = Symbolizer::new();
/// for symbol in symbolizer.symbolize_process(pid, stack)? {
///     match symbol {
///         Ok(symbol) => println!("{}+{:#x}", symbol.name, symbol.offset),
///         Err(why) => println!("[unknown: {why:?}]"),
///     }
/// }
/// # Ok(())
/// # }
/// # let _ = run;
/// ```
pub struct Symbolizer {
    handle: symbols::Symbolizer,
}

impl Default for Symbolizer {
    fn default() -> Self {
        Self::new()
    }
}

impl Symbolizer {
    /// One that uses symbol tables alone, and prints C++ and Rust names as they are in the source code.
    pub fn new() -> Self {
        Self {
            handle: symbols::Symbolizer::new(),
        }
    }

    /// Whether to use debug information: places in the source code, inlined functions. The operator has to grant `debug-info`.
    #[must_use]
    pub fn enable_code_info(self, enable: bool) -> Self {
        self.handle.set_debug_info(enable);
        self
    }

    /// Whether to tell of inlined functions, as debug information says.
    #[must_use]
    pub fn enable_inlined_fns(self, enable: bool) -> Self {
        self.handle.set_inlined(enable);
        self
    }

    /// Whether to print C++ and Rust names as they are in the source code.
    #[must_use]
    pub fn enable_demangling(self, enable: bool) -> Self {
        self.handle.set_demangle(enable);
        self
    }

    /// Names of addresses of the kernel, one answer for each.
    pub fn symbolize_kernel(&self, addresses: &[u64]) -> Result<Vec<Result<Symbol, Unknown>>> {
        in_parts(addresses, |part| self.handle.symbolize_kernel(part))
    }

    /// Names of addresses of a process, one answer for each.
    pub fn symbolize_process(
        &self,
        pid: u32,
        addresses: &[u64],
    ) -> Result<Vec<Result<Symbol, Unknown>>> {
        in_parts(addresses, |part| self.handle.symbolize_process(pid, part))
    }

    /// Names of offsets in an ELF file, one answer for each.
    pub fn symbolize_file(
        &self,
        file: &Descriptor,
        kind: OffsetKind,
        offsets: &[u64],
    ) -> Result<Vec<Result<Symbol, Unknown>>> {
        in_parts(offsets, |part| self.handle.symbolize_file(file, kind, part))
    }
}

fn in_parts<T, E>(
    addresses: &[u64],
    mut ask: impl FnMut(&[u64]) -> Result<Vec<T>, E>,
) -> Result<Vec<T>>
where
    crate::Error: From<E>,
{
    let mut answers = Vec::with_capacity(addresses.len());
    for part in addresses.chunks(AT_ONCE) {
        answers.append(&mut ask(part)?);
    }
    Ok(answers)
}
