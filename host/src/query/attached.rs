//! What is attached where.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};

use libbpf_sys as sys;

use crate::bindings::programs::Direction;
use crate::bindings::query::{Attached, AttachedEvent, AttachedFilter, XdpPrograms};
use crate::bindings::types::ErrorCode;
use crate::descriptors::HostFile;
use crate::error::{Errno, Failure, FailureResult};
use crate::features::interface_index;

/// Programs that one answer has.
const MAX: usize = 4096;

/// What is attached to a target of the kernel's query: a descriptor, or the number of an interface.
fn query(target: i32, attach_type: u32, query_flags: u32) -> io::Result<Vec<Attached>> {
    let mut programs = vec![0u32; MAX];
    let mut links = vec![0u32; MAX];
    let mut flags = vec![0u32; MAX];
    let mut ask = |whole: bool| {
        let mut options = sys::bpf_prog_query_opts {
            sz: size_of::<sys::bpf_prog_query_opts>() as _,
            query_flags,
            prog_ids: programs.as_mut_ptr(),
            ..Default::default()
        };
        options.__bindgen_anon_1.count = MAX as u32;
        if whole {
            options.link_ids = links.as_mut_ptr();
            // The kernel has none of those that come from cgroups above.
            if query_flags & sys::BPF_F_QUERY_EFFECTIVE == 0 {
                options.prog_attach_flags = flags.as_mut_ptr();
            }
        }
        // SAFETY: the buffers have `count` entries, and outlive the call.
        let answer = unsafe { sys::bpf_prog_query_opts(target, attach_type, &raw mut options) };
        // SAFETY: the union's fields are one number by two names.
        (answer, unsafe { options.__bindgen_anon_1.count })
    };
    let (mut answer, mut count) = ask(true);
    // Older kernels take only what they know.
    if matches!(-answer, libc::E2BIG | libc::EINVAL) {
        (answer, count) = ask(false);
    }
    if answer < 0 {
        return Err(io::Error::from_raw_os_error(-answer));
    }
    let all = programs.iter().zip(&links).zip(&flags);
    Ok(all
        .take(count as usize)
        .map(|((program, link), flags)| Attached {
            program: *program,
            link: *link,
            flags: *flags,
        })
        .collect())
}

fn failed(to: &str, attach_type: u32, error: &io::Error) -> Failure {
    let what = format!("cannot ask what is attached to {to} with the attach type {attach_type}");
    match error.raw_os_error().unwrap_or(libc::EIO) {
        libc::ENOSPC => Failure::refused(
            ErrorCode::LimitExceeded,
            format!("{what}: it is more than {MAX} programs"),
        ),
        // The descriptor is none of the kind that the kernel looks for.
        errno @ libc::EBADF => Failure::new(
            ErrorCode::InvalidArgument,
            errno,
            format!("{what}: the descriptor is none of a cgroup"),
        ),
        errno => Failure::errno(errno, format!("{what}: {}", Errno(errno))),
    }
}

pub(super) fn to_cgroup(
    file: &HostFile,
    attach_type: u32,
    effective: bool,
) -> FailureResult<Vec<Attached>> {
    // Others take the number of an interface in place of a descriptor.
    if !is_of_cgroups(attach_type) {
        let text = format!("{attach_type} is no attach type of cgroups");
        return Err(Failure::refused(ErrorCode::InvalidArgument, text));
    }
    let flags = if effective {
        sys::BPF_F_QUERY_EFFECTIVE
    } else {
        0
    };
    query(file.as_fd().as_raw_fd(), attach_type, flags)
        .map_err(|error| failed("a cgroup", attach_type, &error))
}

pub(super) fn to_netns(file: &HostFile, attach_type: u32) -> FailureResult<Vec<Attached>> {
    if !matches!(attach_type, sys::BPF_FLOW_DISSECTOR | sys::BPF_SK_LOOKUP) {
        let text = format!("{attach_type} is no attach type of network namespaces");
        return Err(Failure::refused(ErrorCode::InvalidArgument, text));
    }
    query(file.as_fd().as_raw_fd(), attach_type, 0)
        .map_err(|error| failed("a network namespace", attach_type, &error))
}

fn is_of_cgroups(attach_type: u32) -> bool {
    matches!(
        attach_type,
        sys::BPF_CGROUP_INET_INGRESS
            | sys::BPF_CGROUP_INET_EGRESS
            | sys::BPF_CGROUP_INET_SOCK_CREATE
            | sys::BPF_CGROUP_INET_SOCK_RELEASE
            | sys::BPF_CGROUP_SOCK_OPS
            | sys::BPF_CGROUP_DEVICE
            | sys::BPF_CGROUP_INET4_BIND
            | sys::BPF_CGROUP_INET6_BIND
            | sys::BPF_CGROUP_INET4_CONNECT
            | sys::BPF_CGROUP_INET6_CONNECT
            | sys::BPF_CGROUP_UNIX_CONNECT
            | sys::BPF_CGROUP_INET4_POST_BIND
            | sys::BPF_CGROUP_INET6_POST_BIND
            | sys::BPF_CGROUP_UDP4_SENDMSG
            | sys::BPF_CGROUP_UDP6_SENDMSG
            | sys::BPF_CGROUP_UNIX_SENDMSG
            | sys::BPF_CGROUP_UDP4_RECVMSG
            | sys::BPF_CGROUP_UDP6_RECVMSG
            | sys::BPF_CGROUP_UNIX_RECVMSG
            | sys::BPF_CGROUP_SYSCTL
            | sys::BPF_CGROUP_GETSOCKOPT
            | sys::BPF_CGROUP_SETSOCKOPT
            | sys::BPF_CGROUP_INET4_GETPEERNAME
            | sys::BPF_CGROUP_INET6_GETPEERNAME
            | sys::BPF_CGROUP_UNIX_GETPEERNAME
            | sys::BPF_CGROUP_INET4_GETSOCKNAME
            | sys::BPF_CGROUP_INET6_GETSOCKNAME
            | sys::BPF_CGROUP_UNIX_GETSOCKNAME
            | sys::BPF_LSM_CGROUP
    )
}

fn demand_interface(name: &str) -> FailureResult<i32> {
    interface_index(name)
        .and_then(|index| i32::try_from(index).ok())
        .ok_or_else(|| {
            let text = format!("there is no network interface {name:?}");
            Failure::refused(ErrorCode::NoSuchDevice, text).about(name)
        })
}

pub(super) fn to_interface(name: &str, attach_type: u32) -> FailureResult<Vec<Attached>> {
    if !matches!(
        attach_type,
        sys::BPF_TCX_INGRESS | sys::BPF_TCX_EGRESS | sys::BPF_NETKIT_PRIMARY | sys::BPF_NETKIT_PEER
    ) {
        let text = format!("{attach_type} is no attach type of tcx and netkit");
        return Err(Failure::refused(ErrorCode::InvalidArgument, text));
    }
    let index = demand_interface(name)?;
    match query(index, attach_type, 0) {
        Ok(all) => Ok(all),
        // Nothing was ever attached there.
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(Vec::new()),
        Err(error) => {
            let to = format!("the network interface {name}");
            Err(failed(&to, attach_type, &error).about(name))
        }
    }
}

pub(super) fn xdp(name: &str) -> FailureResult<XdpPrograms> {
    let index = demand_interface(name)?;
    let mut options = sys::bpf_xdp_query_opts {
        // Without the features of the driver, which older kernels do not tell.
        sz: std::mem::offset_of!(sys::bpf_xdp_query_opts, feature_flags) as _,
        ..Default::default()
    };
    // SAFETY: the options are filled up to the size that they give.
    let answer = unsafe { sys::bpf_xdp_query(index, 0, &raw mut options) };
    if answer < 0 {
        let text = format!(
            "cannot ask what XDP does on the network interface {name}: {}",
            Errno(-answer)
        );
        return Err(Failure::errno(-answer, text).about(name));
    }
    Ok(XdpPrograms {
        native: options.drv_prog_id,
        generic: options.skb_prog_id,
        offloaded: options.hw_prog_id,
    })
}

pub(super) fn filters(name: &str, direction: Direction) -> FailureResult<Vec<AttachedFilter>> {
    let index = demand_interface(name)?;
    let what = || format!("cannot ask for the filters of the network interface {name}");
    let filters = crate::programs::tc::attached(index, direction).map_err(|error| {
        let errno = error.raw_os_error().unwrap_or(libc::EIO);
        Failure::errno(errno, format!("{}: {error}", what())).about(name)
    })?;
    if filters.len() > MAX {
        let text = format!("{}: it has more than {MAX}", what());
        return Err(Failure::refused(ErrorCode::LimitExceeded, text).about(name));
    }
    Ok(filters)
}

pub(super) fn event_of_process(process: u32, descriptor: u32) -> FailureResult<AttachedEvent> {
    let what = format!(
        "cannot ask what the descriptor {descriptor} of the process {process} has attached"
    );
    let (Ok(pid @ 1..), Ok(fd)) = (i32::try_from(process), i32::try_from(descriptor)) else {
        let text = format!("{what}: no process or descriptor has such a number");
        return Err(Failure::refused(ErrorCode::InvalidArgument, text));
    };
    let mut name = [0u8; 4096];
    let mut length = name.len() as u32;
    let (mut program, mut kind, mut offset, mut address) = (0, 0, 0, 0);
    // SAFETY: the buffer has `length` bytes, and all else is written to.
    let answer = unsafe {
        sys::bpf_task_fd_query(
            pid,
            fd,
            0,
            name.as_mut_ptr().cast(),
            &raw mut length,
            &raw mut program,
            &raw mut kind,
            &raw mut offset,
            &raw mut address,
        )
    };
    match -answer {
        0 => {}
        // No such descriptor, or one of something else.
        errno @ (libc::EBADF | libc::EOPNOTSUPP | crate::error::KERNEL_ENOTSUPP) => {
            let text = format!("{what}: it is neither a perf event nor a raw tracepoint");
            return Err(Failure::new(ErrorCode::NotSupported, errno, text));
        }
        errno => return Err(Failure::errno(errno, format!("{what}: {}", Errno(errno)))),
    }
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(0);
    Ok(AttachedEvent {
        program,
        type_: kind,
        name: String::from_utf8_lossy(&name[..end]).into_owned(),
        offset,
        address,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_an_interface_is_no_descriptor() {
        // With these the kernel takes the target for an interface.
        for attach_type in [
            sys::BPF_TCX_INGRESS,
            sys::BPF_NETKIT_PRIMARY,
            sys::BPF_LIRC_MODE2,
            sys::BPF_SK_SKB_VERDICT,
            u32::MAX,
        ] {
            assert!(!is_of_cgroups(attach_type));
        }
    }
}
