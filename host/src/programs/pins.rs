//! Names of programs in a BPF file system.

use std::ffi::CStr;
use std::sync::Arc;

use super::{Program, info::kernel_info};
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtx;
use crate::error::{Failure, FailureResult};
use crate::maps::ProgramMemory;
use crate::maps::pins::{Pinnable, Task};
use crate::objects::LoadedProgram;
use crate::policy::{Need, Policy};

fn task<'a>(policy: &'a Policy, verb: &str, program: &LoadedProgram, path: &'a str) -> Task<'a> {
    let name = &program.name;
    Task {
        policy,
        what: format!("{verb} the program `{name}` at {path}"),
        subject: name.clone(),
        path,
    }
}

pub(super) fn pin(ctx: &mut WasmBpfCtx, program: &LoadedProgram, path: &str) -> FailureResult<()> {
    task(&ctx.policy, "pin", program, path).pin(program.fd())?;
    ctx.left.pinned(path, Arc::clone(&program.held));
    Ok(())
}

pub(super) fn unpin(
    ctx: &mut WasmBpfCtx,
    program: &LoadedProgram,
    path: &str,
) -> FailureResult<()> {
    let task = task(&ctx.policy, "unpin", program, path);
    task.unpin(Pinnable::Program, |pinned| {
        use std::os::fd::AsFd as _;
        Ok(kernel_info(pinned.as_fd())?.id == kernel_info(program.fd())?.id)
    })?;
    ctx.left.unpinned(path);
    Ok(())
}

pub(super) fn open(ctx: &WasmBpfCtx, path: &str) -> FailureResult<Program> {
    use std::os::fd::AsFd as _;
    let task = Task {
        policy: &ctx.policy,
        what: format!("open the program that is pinned at {path}"),
        subject: path.to_owned(),
        path,
    };
    let (fd, file) = task.open(Pinnable::Program)?;
    let info = kernel_info(fd.as_fd())
        .map_err(|error| task.failed(error.raw_os_error().unwrap_or(libc::EIO)))?;
    let kind = ProgramType::from_kernel(info.type_);
    ctx.policy
        .check_opened_program(&file, kind)
        .map_err(|missing| Failure::from(missing).about(path))?;
    let need = Need {
        programs: 1,
        descriptors: 1,
        ..Need::default()
    };
    let held = ctx
        .usage
        .reserve(need)
        .map_err(|limit| task.refuse(ErrorCode::LimitExceeded, &limit.to_string()))?;
    // SAFETY: the kernel ends names with a zero within the array.
    let name = unsafe { CStr::from_ptr(info.name.as_ptr()) }
        .to_string_lossy()
        .into_owned();
    let held = Arc::new(ProgramMemory::new(held, std::iter::empty(), None));
    Ok(Program::alone(LoadedProgram::alone(
        fd, name, kind, 0, held,
    )))
}
