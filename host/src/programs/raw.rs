//! Attaching by descriptor what the kernel attaches by one call: raw tracepoints, and what was loaded for its target.

use std::ffi::CStr;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use libbpf_sys as sys;
use wasmtime::component::Resource;

use super::{Program, cannot_attach};
use crate::ctx::WasmBpfCtxView;
use crate::error::FailureResult;
use crate::links::{Attachment, Link};

impl WasmBpfCtxView<'_> {
    /// To the tracepoint, or to the target that the program was loaded for.
    pub(super) fn attach_raw(
        &mut self,
        program: &Resource<Program>,
        tracepoint: Option<&CStr>,
        cookie: u64,
        to: &str,
    ) -> FailureResult<Resource<Link>> {
        let program = self.table.get(program)?.clone();
        let loaded = program.loaded();
        let held = self.reserve_link(loaded)?;
        let mut options = sys::bpf_raw_tp_opts {
            sz: size_of::<sys::bpf_raw_tp_opts>() as _,
            tp_name: tracepoint.map_or(std::ptr::null(), CStr::as_ptr),
            cookie,
        };
        // SAFETY: a live program; string and options outlive the call.
        let answer =
            unsafe { sys::bpf_raw_tracepoint_open_opts(loaded.fd().as_raw_fd(), &raw mut options) };
        if answer < 0 {
            return Err(cannot_attach(loaded, to, -answer, &[]));
        }
        // SAFETY: just made for us.
        let fd = unsafe { OwnedFd::from_raw_fd(answer) };
        let link = Link::new(Attachment::Descriptor(fd), program, held);
        Ok(self.table.push(link)?)
    }
}
