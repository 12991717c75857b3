//! Has libbpf link and read objects, and keeps what it prints for the error message.

use std::cell::RefCell;
use std::ffi::{CString, c_int};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr::{self, NonNull};

use libbpf_rs::{PrintLevel, set_print};

use crate::btf::Object;
use crate::error::{Error, Result};

thread_local! {
    /// libbpf returns error numbers and prints what they are about.
    static PRINTED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Links objects, which drops their DWARF and gives the sections in their BTF their sizes; of one object too.
pub(crate) fn link(named: &Path, from: &[&Path], to: &Path) -> Result<()> {
    explain(named, "link", || {
        let mut linker = Linker::new(to)?;
        for object in from {
            linker.add(object)?;
        }
        linker.finish()
    })
}

/// libbpf's static linker.
// That of libbpf-rs 0.27 takes the negative error numbers of libbpf for positive ones, and panics on the first object that
// cannot be linked.
struct Linker(NonNull<libbpf_sys::bpf_linker>);

impl Linker {
    fn new(output: &Path) -> libbpf_rs::Result<Self> {
        let output = path(output)?;
        // SAFETY: the path is a C string, and no options is what a null pointer means.
        let linker = unsafe { libbpf_sys::bpf_linker__new(output.as_ptr(), ptr::null_mut()) };
        match NonNull::new(linker) {
            Some(linker) => Ok(Self(linker)),
            None => Err(io::Error::last_os_error().into()),
        }
    }

    fn add(&mut self, object: &Path) -> libbpf_rs::Result<()> {
        let object = path(object)?;
        // SAFETY: the linker was made and is not freed yet; the path is a C string, and no options is what null means.
        check(unsafe {
            libbpf_sys::bpf_linker__add_file(self.0.as_ptr(), object.as_ptr(), ptr::null())
        })
    }

    fn finish(&mut self) -> libbpf_rs::Result<()> {
        // SAFETY: the linker was made and is not freed yet.
        check(unsafe { libbpf_sys::bpf_linker__finalize(self.0.as_ptr()) })
    }
}

impl Drop for Linker {
    fn drop(&mut self) {
        // SAFETY: it was made, and nothing uses it from here on.
        unsafe { libbpf_sys::bpf_linker__free(self.0.as_ptr()) }
    }
}

fn path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

/// The result of a function of libbpf, which returns error numbers negated.
fn check(result: c_int) -> libbpf_rs::Result<()> {
    if result < 0 {
        return Err(io::Error::from_raw_os_error(-result).into());
    }
    Ok(())
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
