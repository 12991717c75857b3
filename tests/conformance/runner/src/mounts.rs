//! Mounts that only one process sees, or that go with whoever made them.

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr;

use tempfile::TempDir;

fn done(answer: libc::c_int) -> io::Result<()> {
    if answer < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Gives this process a mount namespace of its own. System calls only.
pub fn make_private() -> io::Result<()> {
    // SAFETY: a number; then strings that end with a zero, and null where the kernel allows it.
    unsafe {
        done(libc::unshare(libc::CLONE_NEWNS))?;
        done(libc::mount(
            c"none".as_ptr(),
            c"/".as_ptr(),
            ptr::null(),
            libc::MS_REC | libc::MS_PRIVATE,
            ptr::null(),
        ))
    }
}

/// Mounts a new file system of a kind that needs no device. System calls only.
pub fn mount(kind: &CStr, target: &CStr) -> io::Result<()> {
    // SAFETY: strings that end with a zero, and null where the kernel allows it.
    done(unsafe {
        libc::mount(
            kind.as_ptr(),
            target.as_ptr(),
            kind.as_ptr(),
            0,
            ptr::null(),
        )
    })
}

fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).expect("a path has no zero")
}

/// A BPF file system, unmounted in the end with all that is pinned in it.
pub struct BpfFs(TempDir);

impl BpfFs {
    pub fn new() -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        mount(c"bpf", &c_path(dir.path()))?;
        Ok(Self(dir))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for BpfFs {
    fn drop(&mut self) {
        // SAFETY: a string that ends with a zero.
        let answer = unsafe { libc::umount2(c_path(self.path()).as_ptr(), libc::MNT_DETACH) };
        assert_eq!(answer, 0, "{}", io::Error::last_os_error());
    }
}
