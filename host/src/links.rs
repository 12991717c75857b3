//! `links.wit`.

use std::os::fd::AsFd as _;
use std::os::fd::AsRawFd as _;
use std::sync::Arc;

use wasmtime::component::Resource;

use crate::bindings::links::{Host, HostLink, LinkInfo, LinkType};
use crate::ctx::WasmBpfCtxView;
use crate::error::CodeResult;
use crate::objects::LoadedObject;
use crate::policy::Reservation;

/// An attached program.
pub struct Link {
    // Before the object: libbpf may use the object while it detaches (USDT does).
    link: libbpf_rs::Link,
    _object: Arc<LoadedObject>,
    _held: Reservation,
}

impl Link {
    pub(crate) fn new(link: libbpf_rs::Link, object: Arc<LoadedObject>, held: Reservation) -> Self {
        Self {
            link,
            _object: object,
            _held: held,
        }
    }
}

impl Host for WasmBpfCtxView<'_> {}

impl HostLink for WasmBpfCtxView<'_> {
    fn info(&mut self, link: Resource<Link>) -> CodeResult<Option<LinkInfo>> {
        let link = &self.table.get(&link)?.link;
        let mut info = libbpf_sys::bpf_link_info::default();
        let mut length = size_of_val(&info) as u32;
        // SAFETY: `info` is a plain struct of `length` bytes.
        let answer = unsafe {
            libbpf_sys::bpf_link_get_info_by_fd(
                link.as_fd().as_raw_fd(),
                &raw mut info,
                &raw mut length,
            )
        };
        match -answer {
            0 => Ok(Some(LinkInfo {
                id: info.id,
                type_: LinkType::from_kernel(info.type_),
                program_id: info.prog_id,
            })),
            // The descriptor is a perf event's, not a link's: how kernels before 5.15 attach tracepoints and probes.
            libc::EINVAL | libc::EBADFD => Ok(None),
            errno => Err(std::io::Error::from_raw_os_error(errno).into()),
        }
    }

    fn drop(&mut self, link: Resource<Link>) -> wasmtime::Result<()> {
        self.table.delete(link)?;
        Ok(())
    }
}
