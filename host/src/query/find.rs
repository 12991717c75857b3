//! Going through what is in the kernel by its ids.

use std::ffi::{CStr, c_char};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};

use libbpf_sys as sys;

use crate::bindings::links::LinkInfo;
use crate::bindings::maps::MapInfo;
use crate::bindings::programs::ProgramInfo;
use crate::bindings::query::{FoundBtf, FoundMap};
use crate::bindings::types::MapType;
use crate::btf::{KernelBtf, Types};
use crate::error::{Errno, Failure, FailureResult};
use crate::links::info_of;
use crate::maps;
use crate::programs::info::whole;

/// What one call returns.
const MAX: u32 = 256;
/// The kernel keeps 15 characters of a name.
const NAME: usize = 15;

type Next = unsafe extern "C" fn(u32, *mut u32) -> i32;

/// The ids after one, as the kernel counts them. What goes away meanwhile is left out.
fn collect<T>(
    what: &str,
    next: Next,
    after: u32,
    max: u32,
    read: impl Fn(u32) -> io::Result<T>,
) -> FailureResult<Vec<T>> {
    let failed = |errno| {
        let text = format!("cannot list the {what} in the kernel: {}", Errno(errno));
        Failure::errno(errno, text)
    };
    let (mut all, mut id) = (Vec::new(), after);
    while all.len() < max.min(MAX) as usize {
        // SAFETY: one of libbpf's functions of this kind; the id is written to.
        match -unsafe { next(id, &raw mut id) } {
            0 => {}
            libc::ENOENT => break,
            // What the kernel says of ids past the largest it has.
            libc::EINVAL if id >= i32::MAX as u32 => break,
            errno => return Err(failed(errno)),
        }
        match read(id) {
            Ok(found) => all.push(found),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {}
            Err(error) => return Err(failed(error.raw_os_error().unwrap_or(libc::EIO))),
        }
    }
    Ok(all)
}

/// libbpf's answer as a descriptor of our own.
pub(super) fn descriptor(answer: i32) -> io::Result<OwnedFd> {
    if answer < 0 {
        return Err(io::Error::from_raw_os_error(-answer));
    }
    // SAFETY: the kernel just made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(answer) })
}

fn done(answer: i32) -> io::Result<()> {
    if answer < 0 {
        return Err(io::Error::from_raw_os_error(-answer));
    }
    Ok(())
}

fn text(name: &[c_char]) -> String {
    // SAFETY: the kernel ends names with a zero within the array.
    unsafe { CStr::from_ptr(name.as_ptr()) }
        .to_string_lossy()
        .into_owned()
}

pub(super) fn programs(after: u32, max: u32) -> FailureResult<Vec<ProgramInfo>> {
    collect("programs", sys::bpf_prog_get_next_id, after, max, |id| {
        // SAFETY: a number.
        program(&descriptor(unsafe { sys::bpf_prog_get_fd_by_id(id) })?)
    })
}

pub(super) fn program(fd: &OwnedFd) -> io::Result<ProgramInfo> {
    let info = program_info(fd, sys::bpf_prog_info::default())?;
    whole(fd.as_fd(), program_name(fd, &info), String::new(), 0)
}

/// `info` says what is asked for: its pointers are to buffers of the lengths next to them.
fn program_info(fd: &OwnedFd, mut info: sys::bpf_prog_info) -> io::Result<sys::bpf_prog_info> {
    let mut length = size_of_val(&info) as u32;
    // SAFETY: `info` is a plain struct of `length` bytes; of its pointers see above.
    done(unsafe { sys::bpf_prog_get_info_by_fd(fd.as_raw_fd(), &raw mut info, &raw mut length) })?;
    Ok(info)
}

/// The whole name, where the program's types have it.
fn program_name(fd: &OwnedFd, info: &sys::bpf_prog_info) -> String {
    let short = text(&info.name);
    if short.len() < NAME || info.btf_id == 0 {
        return short;
    }
    function_name(fd, info)
        .filter(|name| name.starts_with(&short))
        .unwrap_or(short)
}

fn function_name(fd: &OwnedFd, info: &sys::bpf_prog_info) -> Option<String> {
    let size = info.func_info_rec_size;
    if info.nr_func_info == 0 || !(8..=256).contains(&size) {
        return None;
    }
    let mut record = vec![0u8; size as usize];
    let asked = sys::bpf_prog_info {
        nr_func_info: 1,
        func_info_rec_size: size,
        func_info: record.as_mut_ptr() as u64,
        ..Default::default()
    };
    program_info(fd, asked).ok()?;
    let id = u32::from_ne_bytes(*record.get(4..)?.first_chunk()?);
    let types: Types = KernelBtf::of_id(info.btf_id).ok()?.types().ok()?;
    Some(types.describe(id)?.name)
}

pub(super) fn map_info(fd: &OwnedFd) -> io::Result<sys::bpf_map_info> {
    let mut info = sys::bpf_map_info::default();
    let mut length = size_of_val(&info) as u32;
    // SAFETY: `info` is a plain struct of `length` bytes.
    done(unsafe { sys::bpf_map_get_info_by_fd(fd.as_raw_fd(), &raw mut info, &raw mut length) })?;
    Ok(info)
}

pub(super) fn maps(after: u32, max: u32) -> FailureResult<Vec<FoundMap>> {
    collect("maps", sys::bpf_map_get_next_id, after, max, |id| {
        let info = map_info(&open_map(id, false)?)?;
        let kind = MapType::from_kernel(info.type_);
        Ok(FoundMap {
            info: MapInfo {
                name: text(&info.name),
                type_: kind,
                id: info.id,
                key_size: info.key_size,
                value_size: info.value_size,
                value_length: maps::value_length(kind, info.value_size).unwrap_or(0),
                max_entries: info.max_entries,
                flags: info.map_flags,
                extra: info.map_extra,
            },
            btf: info.btf_id,
            key_type: info.btf_key_type_id,
            value_type: info.btf_value_type_id,
        })
    })
}

/// A descriptor that can, or cannot, change the map.
pub(super) fn open_map(id: u32, to_change: bool) -> io::Result<OwnedFd> {
    let options = sys::bpf_get_fd_by_id_opts {
        sz: size_of::<sys::bpf_get_fd_by_id_opts>() as _,
        open_flags: if to_change { 0 } else { sys::BPF_F_RDONLY },
        token_fd: 0,
    };
    // SAFETY: the options outlive the call.
    match descriptor(unsafe { sys::bpf_map_get_fd_by_id_opts(id, &raw const options) }) {
        // Maps that user space may only write have no descriptor for reading.
        Err(error) if error.raw_os_error() == Some(libc::EPERM) && !to_change => {
            let options = sys::bpf_get_fd_by_id_opts {
                open_flags: sys::BPF_F_WRONLY,
                ..options
            };
            // SAFETY: as above.
            let fd = descriptor(unsafe { sys::bpf_map_get_fd_by_id_opts(id, &raw const options) });
            fd.map_err(|_| error)
        }
        other => other,
    }
}

pub(super) fn links(after: u32, max: u32) -> FailureResult<Vec<LinkInfo>> {
    collect("links", sys::bpf_link_get_next_id, after, max, |id| {
        // SAFETY: a number.
        let fd = descriptor(unsafe { sys::bpf_link_get_fd_by_id(id) })?;
        match info_of(fd.as_fd()) {
            Ok(Some(info)) => Ok(info),
            // Gone meanwhile.
            _ => Err(io::Error::from_raw_os_error(libc::ENOENT)),
        }
    })
}

pub(super) fn btfs(after: u32, max: u32) -> FailureResult<Vec<FoundBtf>> {
    collect("BTF", sys::bpf_btf_get_next_id, after, max, |id| {
        let found = KernelBtf::of_id(id)?;
        Ok(FoundBtf {
            id: found.id,
            size: found.size,
            of_kernel: found.of_kernel,
            name: found.name,
        })
    })
}
