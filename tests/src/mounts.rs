//! Mounts that only one run sees. For [`Run::before`](crate::Run::before): system calls only.

use std::ffi::CStr;
use std::io;
use std::ptr;

fn done(answer: libc::c_int) -> io::Result<()> {
    if answer < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Gives this process a mount namespace of its own.
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

/// Mounts a new file system of a kind that needs no device.
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
