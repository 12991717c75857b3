//! One program in the place of another.

use std::os::fd::AsRawFd as _;

use libbpf_sys as sys;
use wasmtime::component::Resource;

use super::Program;
use crate::bindings::links::{LinkDetails, LinkType};
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{Errno, Failure, FailureResult};
use crate::links::{Keeps, Link};

/// Kinds of link whose program the kernel exchanges.
fn can_be_replaced(kind: LinkType) -> bool {
    matches!(
        kind,
        LinkType::Cgroup
            | LinkType::Netns
            | LinkType::Xdp
            | LinkType::Iter
            | LinkType::Tcx
            | LinkType::Netkit
            | LinkType::Sockmap
    )
}

/// Kinds whose programs are verified for one attach type, which the kernel does not look at when it exchanges them.
fn is_for_one_attach_type(kind: ProgramType) -> bool {
    matches!(
        kind,
        ProgramType::CgroupSock | ProgramType::CgroupSockAddr | ProgramType::CgroupSockopt
    )
}

impl WasmBpfCtxView<'_> {
    pub(super) fn replace_program(
        &mut self,
        new: &Resource<Program>,
        link: &Resource<Link>,
        expected: Option<&Resource<Program>>,
    ) -> FailureResult<()> {
        let new = self.table.get(new)?.clone();
        let expected = match expected {
            Some(expected) => Some(self.table.get(expected)?.clone()),
            None => None,
        };
        let program = new.loaded();
        let link = self.table.get_mut(link)?;
        let refuse = |code, why: &str| {
            let text = format!("cannot put `{}` into a link: {why}", program.name);
            Failure::refused(code, text).about(&program.name)
        };
        let info = link.info();
        let info = info.map_err(|error| {
            Failure::of(error, format!("cannot put `{}` into a link", program.name))
        })?;
        let (Some(info), Some(fd)) = (info, link.fd()) else {
            return Err(refuse(
                ErrorCode::NotSupported,
                "the kernel has no link for this attachment",
            ));
        };
        if !can_be_replaced(info.type_) {
            let why = format!("the program of a link of type {} stays", info.type_.name());
            return Err(refuse(ErrorCode::NotSupported, &why));
        }
        match link.keeps() {
            Keeps::Program(old) => {
                let old = old.loaded();
                if old.kind.to_kernel() != program.kind.to_kernel() {
                    let why = format!(
                        "it is of type {}, and the link's program `{}` of type {}",
                        program.kind.name(),
                        old.name,
                        old.kind.name(),
                    );
                    return Err(refuse(ErrorCode::InvalidArgument, &why));
                }
            }
            // Whoever made it had the grant for its target.
            Keeps::Nothing => self
                .ctx
                .policy
                .check_any_target(&program.name, program.kind, program.attach_type)
                .map_err(|missing| Failure::from(missing).about(&program.name))?,
            Keeps::Operations(_) => {
                return Err(refuse(
                    ErrorCode::NotSupported,
                    "it registers operations; update-map replaces them",
                ));
            }
        }
        if let LinkDetails::Cgroup(details) = &info.details
            && is_for_one_attach_type(program.kind)
            && details.attach_type != program.attach_type
        {
            let why = format!(
                "it is for the attach type {}, and the link for {}",
                program.attach_type, details.attach_type
            );
            return Err(refuse(ErrorCode::InvalidArgument, &why));
        }
        let mut options = sys::bpf_link_update_opts {
            sz: size_of::<sys::bpf_link_update_opts>() as _,
            ..Default::default()
        };
        if let Some(expected) = &expected {
            options.flags = sys::BPF_F_REPLACE;
            options.old_prog_fd = expected.loaded().fd().as_raw_fd().cast_unsigned();
        }
        // SAFETY: descriptors of a live link and of live programs; the options outlive the call.
        let answer = unsafe {
            sys::bpf_link_update(fd.as_raw_fd(), program.fd().as_raw_fd(), &raw const options)
        };
        if answer < 0 {
            let errno = -answer;
            let mut text = format!(
                "cannot put `{}` into a link: {}",
                program.name,
                Errno(errno)
            );
            if errno == libc::EPERM && expected.is_some() {
                text.push_str("; the expected program is not the one that is attached");
            }
            return Err(Failure::errno(errno, text).about(&program.name));
        }
        link.keep(new.clone());
        Ok(())
    }
}
