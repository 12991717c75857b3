//! Programs at the samples of a perf event.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};

use libbpf_sys as sys;
use wasmtime::component::Resource;

use super::{Program, cannot_attach};
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{Failure, FailureResult};
use crate::links::{Attached, Attachment, Link};
use crate::perf_events::PerfEvent;

/// An attachment without a link of the kernel, as before 5.15. The kernel lets the program go with the event only.
struct WithoutLink(PerfEvent);

impl Attached for WithoutLink {
    fn detach(&mut self) -> io::Result<()> {
        self.0.disable()
    }
}

impl Drop for WithoutLink {
    fn drop(&mut self) {
        // Nothing but a closed descriptor could refuse it.
        let _ = self.detach();
    }
}

impl WasmBpfCtxView<'_> {
    pub(super) fn attach_to_perf_event(
        &mut self,
        program: &Resource<Program>,
        event: PerfEvent,
        cookie: u64,
    ) -> FailureResult<Resource<Link>> {
        let to = format!("to the event {}", event.what());
        self.demand_kind(
            program,
            &[ProgramType::PerfEvent, ProgramType::Tracepoint],
            &to,
        )?;
        let program = self.table.get(program)?.clone();
        let loaded = program.loaded();
        let name = &loaded.name;
        if matches!(loaded.kind, ProgramType::PerfEvent) && !event.is_sampled() {
            let text = format!(
                "cannot attach `{name}` {to}: it only counts; open it with a sample period or frequency"
            );
            return Err(Failure::refused(ErrorCode::InvalidArgument, text).about(name));
        }
        let held = self.reserve_link(loaded)?;
        let failed = |error: io::Error| {
            let errno = error.raw_os_error().unwrap_or(libc::EIO);
            cannot_attach(loaded, &to, errno, &[])
        };
        let attachment = match create_link(
            loaded.fd().as_raw_fd(),
            event.as_fd().as_raw_fd(),
            cookie,
        ) {
            Ok(link) => Attachment::Descriptor(link),
            Err(error)
                if error.raw_os_error() == Some(libc::EINVAL)
                    && !has_links(loaded.fd().as_raw_fd()) =>
            {
                if cookie != 0 {
                    let text = format!(
                        "cannot attach `{name}` {to} with a cookie: that is there from Linux 5.15 on"
                    );
                    return Err(Failure::refused(ErrorCode::NotSupported, text).about(name));
                }
                event.set_program(&program).map_err(failed)?;
                Attachment::Other(Box::new(WithoutLink(event.clone())))
            }
            Err(error) => return Err(failed(error)),
        };
        // As libbpf does: events for programs are often opened switched off.
        event.enable().map_err(failed)?;
        let link = Link::new(attachment, program, held);
        Ok(self.table.push(link)?)
    }
}

fn create_link(program: RawFd, event: RawFd, cookie: u64) -> io::Result<OwnedFd> {
    let mut options = sys::bpf_link_create_opts {
        sz: size_of::<sys::bpf_link_create_opts>() as _,
        ..Default::default()
    };
    options.__bindgen_anon_1.perf_event.bpf_cookie = cookie;
    // SAFETY: two descriptors, and options that outlive the call.
    let answer =
        unsafe { sys::bpf_link_create(program, event, sys::BPF_PERF_EVENT, &raw const options) };
    if answer < 0 {
        return Err(io::Error::from_raw_os_error(-answer));
    }
    // SAFETY: the kernel just made it.
    Ok(unsafe { OwnedFd::from_raw_fd(answer) })
}

/// Whether the kernel knows links to perf events: then what it does not like is that there is no such descriptor.
fn has_links(program: RawFd) -> bool {
    let answer = create_link(program, -1, 0);
    answer.is_err_and(|error| error.raw_os_error() == Some(libc::EBADF))
}
