//! Programs whose target is fixed when they are loaded: functions of the kernel and of other programs, security hooks.

use std::ffi::CString;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::ptr::NonNull;

use libbpf_sys as sys;
use wasmtime::component::Resource;

use super::{Program, cannot_attach};
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{Errno, Failure, FailureResult};
use crate::links::{Attachment, Link};

pub(super) fn attach_trace(
    view: &mut WasmBpfCtxView<'_>,
    program: &Resource<Program>,
    cookie: u64,
) -> FailureResult<Resource<Link>> {
    let to = "to the target that was fixed when it was loaded";
    view.demand_kind(program, &[ProgramType::Tracing], to)?;
    let program = view.table.get(program)?.clone();
    let loaded = program.loaded();
    if loaded.attach_type == sys::BPF_TRACE_ITER {
        let text = format!(
            "cannot attach `{}` {to}: it is an iterator, which attach-iterator attaches",
            loaded.name
        );
        return Err(Failure::refused(ErrorCode::InvalidArgument, text).about(&loaded.name));
    }
    let mut options = link_options();
    options.__bindgen_anon_1.tracing.cookie = cookie;
    match make_link(view, &program, 0, &options)? {
        Ok(link) => Ok(view.table.push(link)?),
        Err(libc::EINVAL) if cookie != 0 => {
            let text = format!(
                "cannot attach `{}` {to} with a cookie: {}; kernels before 5.19 take none",
                loaded.name,
                Errno(libc::EINVAL)
            );
            let failure = Failure::new(ErrorCode::NotSupported, libc::EINVAL, text);
            Err(failure.about(&loaded.name))
        }
        Err(errno) => Err(cannot_attach(loaded, to, errno, &[])),
    }
}

pub(super) fn attach_lsm(
    view: &mut WasmBpfCtxView<'_>,
    program: &Resource<Program>,
) -> FailureResult<Resource<Link>> {
    let to = "to its security hook";
    view.demand_kind(program, &[ProgramType::Lsm], to)?;
    let program = view.table.get(program)?.clone();
    let loaded = program.loaded();
    if loaded.attach_type == sys::BPF_LSM_CGROUP {
        let text = format!(
            "cannot attach `{}` {to}: it is for the hook in one cgroup, and is attached to a cgroup",
            loaded.name
        );
        return Err(Failure::refused(ErrorCode::InvalidArgument, text).about(&loaded.name));
    }
    demand_lsm(&loaded.name)?;
    match make_link(view, &program, 0, &link_options())? {
        Ok(link) => Ok(view.table.push(link)?),
        Err(errno) => Err(cannot_attach(loaded, to, errno, &[])),
    }
}

/// Kernels attach programs to security hooks also if they were booted without BPF as a security module, and never call them.
pub(super) fn demand_lsm(program: &str) -> FailureResult<()> {
    const MODULES: &str = "/sys/kernel/security/lsm";
    // Not mounted, it says nothing.
    let Ok(modules) = std::fs::read_to_string(MODULES) else {
        return Ok(());
    };
    if has_bpf(&modules) {
        return Ok(());
    }
    let text = format!(
        "cannot attach `{program}` to its security hook: this kernel asks no BPF programs, its security modules are {0}\n\
         boot it with lsm={0},bpf",
        modules.trim()
    );
    Err(Failure::refused(ErrorCode::NotSupported, text).about(program))
}

fn has_bpf(modules: &str) -> bool {
    modules.trim().split(',').any(|module| module == "bpf")
}

pub(super) fn attach_freplace(
    view: &mut WasmBpfCtxView<'_>,
    program: &Resource<Program>,
    target: &Resource<Program>,
    function: &str,
) -> FailureResult<Resource<Link>> {
    let target = view.table.get(target)?.clone();
    let to = format!(
        "in place of the function `{function}` of `{}`",
        target.loaded().name
    );
    view.demand_kind(program, &[ProgramType::Ext], &to)?;
    let program = view.table.get(program)?.clone();
    let loaded = program.loaded();
    let function_id = function_id(target.loaded().fd(), function).map_err(|(code, why)| {
        let text = format!("cannot attach `{}` {to}: {why}", loaded.name);
        Failure::refused(code, text).about(&loaded.name)
    })?;
    let mut options = link_options();
    options.target_btf_id = function_id;
    let target_fd = target.loaded().fd().as_raw_fd();
    match make_link(view, &program, target_fd, &options)? {
        Ok(link) => Ok(view.table.push(link.with_target(target))?),
        Err(errno) => {
            let mut failure = cannot_attach(loaded, &to, errno, &[]);
            if errno == libc::EINVAL
                && let Failure::Error(error) = &mut failure
            {
                error.message.push_str(
                    "\nthe function must be global, and have the types of the one that the program was loaded for",
                );
            }
            Err(failure)
        }
    }
}

/// The id of a function in a program's own BTF.
fn function_id(program: BorrowedFd<'_>, function: &str) -> Result<u32, (ErrorCode, String)> {
    let Ok(name) = CString::new(function) else {
        let why = "a function's name has no zero byte".to_owned();
        return Err((ErrorCode::InvalidArgument, why));
    };
    let mut info = sys::bpf_prog_info::default();
    let mut length = size_of_val(&info) as u32;
    // SAFETY: `info` is a plain struct of `length` bytes; its pointers are null, so the kernel writes nothing elsewhere.
    let answer = unsafe {
        sys::bpf_prog_get_info_by_fd(program.as_raw_fd(), &raw mut info, &raw mut length)
    };
    if answer < 0 || info.btf_id == 0 {
        let why = "it has no types; compile it with -g".to_owned();
        return Err((ErrorCode::InvalidArgument, why));
    }
    // SAFETY: a number; null on failure.
    let btf = unsafe { sys::btf__load_from_kernel_by_id(info.btf_id) };
    let Some(btf) = NonNull::new(btf) else {
        let why = format!("its types: {}", Errno(crate::objects::last_errno()));
        return Err((ErrorCode::NotPermitted, why));
    };
    // SAFETY: the BTF was just loaded, and is freed once, after its last use.
    let id = unsafe {
        let id = sys::btf__find_by_name_kind(btf.as_ptr(), name.as_ptr(), sys::BTF_KIND_FUNC);
        sys::btf__free(btf.as_ptr());
        id
    };
    match u32::try_from(id) {
        Ok(id) if id > 0 => Ok(id),
        _ => Err((ErrorCode::NotFound, "it has no such function".to_owned())),
    }
}

/// Options with nothing set.
pub(super) fn link_options() -> sys::bpf_link_create_opts {
    sys::bpf_link_create_opts {
        sz: size_of::<sys::bpf_link_create_opts>() as _,
        ..Default::default()
    }
}

/// A link of the kernel, or its errno. What `options` points to has to live.
pub(super) fn make_link(
    view: &WasmBpfCtxView<'_>,
    program: &Program,
    target: i32,
    options: &sys::bpf_link_create_opts,
) -> FailureResult<Result<Link, i32>> {
    let loaded = program.loaded();
    let held = view.reserve_link(loaded)?;
    // SAFETY: descriptors that are open, and options that outlive the call with all that they point to.
    let fd = unsafe {
        sys::bpf_link_create(loaded.fd().as_raw_fd(), target, loaded.attach_type, options)
    };
    if fd < 0 {
        return Ok(Err(-fd));
    }
    // SAFETY: just made, and nobody else has it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok(Ok(Link::new(
        Attachment::Descriptor(fd),
        program.clone(),
        held,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_modules() {
        assert!(has_bpf("lockdown,yama,bpf\n"));
        assert!(has_bpf("bpf"));
        assert!(!has_bpf("lockdown,capability,nobpf\n"));
        assert!(!has_bpf(""));
    }
}
