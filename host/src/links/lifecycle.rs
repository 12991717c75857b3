//! Detaching, pinning, disconnecting.

use std::any::Any;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::sync::Arc;

use libbpf_sys as sys;

use super::{Attachment, Keeps, Link};
use crate::bindings::types::ErrorCode;
use crate::ctx::WasmBpfCtx;
use crate::error::{Errno, Failure, FailureResult};
use crate::maps::pins::{Pinnable, Task};
use crate::policy::{Need, Policy};

/// A link for messages.
fn name_of(link: &Link) -> String {
    match &link.keeps {
        Keeps::Program(program) => format!("the link of `{}`", program.loaded().name),
        Keeps::Operations(_) => "the link of operations".to_owned(),
        Keeps::Nothing => "the link".to_owned(),
    }
}

fn no_link(link: &Link, verb: &str) -> Failure {
    Failure::refused(
        ErrorCode::NotSupported,
        format!(
            "cannot {verb} {}: the kernel has no link for this attachment",
            name_of(link)
        ),
    )
}

/// The descriptor, if it is that of a link: kernels before 5.15 attach probes and tracepoints without one.
fn kernel_link<'a>(link: &'a Link, verb: &str) -> FailureResult<BorrowedFd<'a>> {
    let info = link.info();
    let info =
        info.map_err(|error| Failure::of(error, format!("cannot {verb} {}", name_of(link))))?;
    match (info, link.fd()) {
        (Some(_), Some(fd)) => Ok(fd),
        _ => Err(no_link(link, verb)),
    }
}

fn id_of(link: BorrowedFd<'_>) -> std::io::Result<u32> {
    let mut info = sys::bpf_link_info::default();
    let mut length = size_of_val(&info) as u32;
    // SAFETY: `info` is a plain struct of `length` bytes, without pointers.
    let answer =
        unsafe { sys::bpf_link_get_info_by_fd(link.as_raw_fd(), &raw mut info, &raw mut length) };
    match answer {
        // Some kinds have no room for their names, and say everything else all the same.
        0 => Ok(info.id),
        errno => Err(std::io::Error::from_raw_os_error(-errno)),
    }
}

pub(super) fn detach(link: &mut Link) -> FailureResult<()> {
    let name = name_of(link);
    let failed = |errno| Failure::errno(errno, format!("cannot detach {name}: {}", Errno(errno)));
    if let Some(Attachment::Other(attached)) = &mut link.attachment {
        return attached
            .detach()
            .map_err(|error| failed(error.raw_os_error().unwrap_or(libc::EIO)));
    }
    let fd = kernel_link(link, "detach")?;
    // SAFETY: takes the descriptor only.
    let answer = unsafe { sys::bpf_link_detach(fd.as_raw_fd()) };
    match -answer {
        ..=0 => Ok(()),
        // A kernel without the call says the first, one whose links of this kind have no such thing the second.
        errno @ (libc::EINVAL | libc::EOPNOTSUPP) => Err(Failure::new(
            ErrorCode::NotSupported,
            errno,
            format!(
                "cannot detach {name}: the kernel detaches a link of this kind only when its last handle and pin are gone"
            ),
        )),
        errno => Err(failed(errno)),
    }
}

/// What a link goes on taking of the limits without a handle.
fn held(link: &Link) -> impl Any + Send + Sync + use<> {
    let program = match &link.keeps {
        Keeps::Program(program) => Some(Arc::clone(&program.loaded().held)),
        Keeps::Operations(_) | Keeps::Nothing => None,
    };
    let object = match &link.keeps {
        Keeps::Operations(object) => Some(Arc::clone(object)),
        Keeps::Program(_) | Keeps::Nothing => None,
    };
    (Arc::clone(&link.held), program, object)
}

fn task<'a>(policy: &'a Policy, verb: &str, link: &Link, path: &'a str) -> Task<'a> {
    Task {
        policy,
        what: format!("{verb} {} at {path}", name_of(link)),
        subject: path.to_owned(),
        path,
    }
}

pub(super) fn pin(ctx: &mut WasmBpfCtx, link: &mut Link, path: &str) -> FailureResult<()> {
    let task = task(&ctx.policy, "pin", link, path);
    // Whatever is attached: what was not granted is not done.
    task.check()?;
    task.pin(kernel_link(link, "pin")?)?;
    ctx.left.pinned(path, held(link));
    link.pins.insert(path.to_owned());
    Ok(())
}

pub(super) fn unpin(ctx: &mut WasmBpfCtx, link: &mut Link, path: &str) -> FailureResult<()> {
    let task = task(&ctx.policy, "unpin", link, path);
    task.check()?;
    let id = id_of(kernel_link(link, "unpin")?);
    task.unpin(Pinnable::Link, |pinned| Ok(id_of(pinned.as_fd())? == id?))?;
    ctx.left.unpinned(path);
    link.pins.remove(path);
    Ok(())
}

pub(super) fn open(ctx: &WasmBpfCtx, path: &str) -> FailureResult<Link> {
    let task = Task {
        policy: &ctx.policy,
        what: format!("open the link that is pinned at {path}"),
        subject: path.to_owned(),
        path,
    };
    let (fd, _) = task.open(Pinnable::Link)?;
    let need = Need {
        links: 1,
        descriptors: 1,
        ..Need::default()
    };
    let held = ctx
        .usage
        .reserve(need)
        .map_err(|limit| task.refuse(ErrorCode::LimitExceeded, &limit.to_string()))?;
    Ok(Link::keeping(
        Attachment::Descriptor(fd),
        Keeps::Nothing,
        held,
    ))
}

pub(super) fn disconnect(ctx: &mut WasmBpfCtx, mut link: Link) -> FailureResult<()> {
    ctx.policy.check_disconnect()?;
    ctx.left.disconnected(held(&link));
    if let Some(attachment) = link.attachment.take() {
        attachment.disconnect();
    }
    Ok(())
}
