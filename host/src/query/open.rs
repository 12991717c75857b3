//! Handles to what others have in the kernel.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use libbpf_sys as sys;

use super::find;
use crate::bindings::types::{ErrorCode, MapType};
use crate::ctx::WasmBpfCtx;
use crate::error::{Errno, Failure, FailureResult};
use crate::links::{Attachment, Keeps, Link};
use crate::maps::{Map, MapMemory, ProgramMemory, estimated_cpus};
use crate::objects::LoadedProgram;
use crate::policy::{LimitExceeded, Need, map_memory};
use crate::programs::Program;

fn failed(what: &str, error: &std::io::Error) -> Failure {
    let errno = error.raw_os_error().unwrap_or(libc::EIO);
    Failure::errno(errno, format!("cannot open {what}: {}", Errno(errno)))
}

fn limited(what: &str, limit: &LimitExceeded) -> Failure {
    Failure::refused(
        ErrorCode::LimitExceeded,
        format!("cannot open {what}: {limit}"),
    )
}

pub(super) fn program(ctx: &WasmBpfCtx, id: u32) -> FailureResult<Program> {
    let what = format!("the program of id {id}");
    ctx.policy.check_query_change(|| what.clone())?;
    // SAFETY: a number.
    let fd = find::descriptor(unsafe { sys::bpf_prog_get_fd_by_id(id) })
        .map_err(|error| failed(&what, &error))?;
    let found = find::program(&fd).map_err(|error| failed(&what, &error))?;
    let (name, kind) = (found.name, found.type_);
    ctx.policy
        .check_opened_program(&name, kind)
        .map_err(|missing| Failure::from(missing).about(&name))?;
    let need = Need {
        programs: 1,
        descriptors: 1,
        ..Need::default()
    };
    let held = ctx
        .usage
        .reserve(need)
        .map_err(|limit| limited(&what, &limit).about(&name))?;
    let held = Arc::new(ProgramMemory::new(held, std::iter::empty(), None));
    Ok(Program::alone(LoadedProgram::alone(
        fd, name, kind, 0, held,
    )))
}

pub(super) fn map(ctx: &mut WasmBpfCtx, id: u32, to_change: bool) -> FailureResult<Map> {
    let what = format!("the map of id {id}");
    if to_change {
        let what = format!("{what}, to change it,");
        ctx.policy.check_query_change(|| what.clone())?;
    } else {
        ctx.policy.check_query(|| what.clone())?;
    }
    let fd = find::open_map(id, to_change).map_err(|error| failed(&what, &error))?;
    let info = find::map_info(&fd).map_err(|error| failed(&what, &error))?;
    let kind = MapType::from_kernel(info.type_);
    ctx.policy.check_map(&format!("of id {id}"), kind)?;
    let memory = match ctx.pins.memory(id) {
        Some(memory) => memory,
        None => {
            let need = Need {
                maps: 1,
                map_memory: map_memory(
                    kind,
                    info.key_size,
                    info.value_size,
                    info.max_entries,
                    estimated_cpus(),
                ),
                ..Need::default()
            };
            let held = ctx
                .usage
                .reserve(need)
                .map_err(|limit| limited(&what, &limit))?;
            Arc::new(MapMemory::new(held))
        }
    };
    let mut map = Map::from_fd(&ctx.usage, fd, None, memory)
        .map_err(|error| Failure::of(error, format!("cannot open {what}")))?;
    if !to_change {
        map.only_read();
    }
    Ok(map)
}

pub(super) fn link(ctx: &WasmBpfCtx, id: u32) -> FailureResult<Link> {
    let what = format!("the link of id {id}");
    ctx.policy.check_query_change(|| what.clone())?;
    // SAFETY: a number.
    let fd: OwnedFd = find::descriptor(unsafe { sys::bpf_link_get_fd_by_id(id) })
        .map_err(|error| failed(&what, &error))?;
    let need = Need {
        links: 1,
        descriptors: 1,
        ..Need::default()
    };
    let held = ctx
        .usage
        .reserve(need)
        .map_err(|limit| limited(&what, &limit))?;
    Ok(Link::keeping(
        Attachment::Descriptor(fd),
        Keeps::Nothing,
        held,
    ))
}
