//! Has libbpf link and read objects, and keeps what it prints for the error message.

use std::cell::RefCell;
use std::path::Path;

use libbpf_rs::{Linker, PrintLevel, set_print};

use crate::btf::Object;
use crate::error::{Error, Result};

thread_local! {
    /// libbpf returns error numbers and prints what they are about.
    static PRINTED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Links one object by itself, which drops its DWARF and gives the sections in its BTF their sizes.
pub(crate) fn link(source: &Path, from: &Path, to: &Path) -> Result<()> {
    explain(source, "link", || {
        let mut linker = Linker::new(to)?;
        linker.add_file(from)?;
        linker.link()
    })
}

/// Reads a linked object.
pub(crate) fn read(source: &Path, object: &Path) -> Result<Object> {
    explain(source, "read", || Object::read(object))
}

fn explain<T>(
    source: &Path,
    action: &'static str,
    run: impl FnOnce() -> libbpf_rs::Result<T>,
) -> Result<T> {
    PRINTED.take();
    let before = set_print(Some((PrintLevel::Warn, |_, message| {
        PRINTED.with_borrow_mut(|printed| printed.push_str(&message));
    })));
    let result = run();
    set_print(before);
    let printed = PRINTED.take();
    result.map_err(|error| Error::Object {
        path: source.to_owned(),
        action,
        reason: match printed.trim_end() {
            "" => format!("{error:#}"),
            printed => format!("{error:#}; it says:\n{printed}"),
        },
    })
}
