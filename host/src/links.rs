//! `links.wit`.

mod iterate;

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynInputStream;

use crate::bindings::links::{Host, HostLink, LinkInfo, LinkType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{CodeResult, FailureResult};
use crate::maps::Map;
use crate::policy::Reservation;
use crate::programs::Program;

/// An attached program.
pub struct Link {
    // Before the program: libbpf may use the program's object while it detaches (USDT does).
    attachment: Attachment,
    _program: Program,
    /// The program that this one acts on, which the kernel keeps as long as the link.
    _target: Option<Program>,
    /// The map that an iterator walks. Kernels before 6.0 do not keep it while it is walked.
    map: Option<Arc<Map>>,
    _held: Reservation,
}

/// What attaches a program. Dropping it detaches.
pub(crate) enum Attachment {
    /// Libbpf's link.
    Libbpf(libbpf_rs::Link),
    /// A link of the kernel, by its descriptor alone.
    Descriptor(OwnedFd),
    /// What the kernel does not tie to a link.
    #[allow(dead_code)]
    Other(Box<dyn Attached>),
}

/// An attachment without a link of the kernel. Dropping it detaches.
pub(crate) trait Attached: Send {
    /// Detaches now; a second time does nothing.
    #[allow(dead_code)]
    fn detach(&mut self) -> std::io::Result<()>;
}

impl Attachment {
    /// The descriptor of the kernel's link, or of the perf event that stands for one.
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Libbpf(link) => Some(link.as_fd()),
            Self::Descriptor(fd) => Some(fd.as_fd()),
            Self::Other(_) => None,
        }
    }
}

impl Link {
    pub(crate) fn new(attachment: Attachment, program: Program, held: Reservation) -> Self {
        Self {
            attachment,
            _program: program,
            _target: None,
            map: None,
            _held: held,
        }
    }

    /// Keeps the program that this one acts on.
    pub(crate) fn with_target(mut self, target: Program) -> Self {
        self._target = Some(target);
        self
    }

    /// Keeps the map that is walked.
    pub(crate) fn with_map(mut self, map: Arc<Map>) -> Self {
        self.map = Some(map);
        self
    }

    /// What the kernel says of the link; none if there is no link of the kernel.
    pub(crate) fn kernel_info(&self) -> std::io::Result<Option<libbpf_sys::bpf_link_info>> {
        let Some(fd) = self.attachment.fd() else {
            return Ok(None);
        };
        let mut info = libbpf_sys::bpf_link_info::default();
        let mut length = size_of_val(&info) as u32;
        // SAFETY: `info` is a plain struct of `length` bytes.
        let answer = unsafe {
            libbpf_sys::bpf_link_get_info_by_fd(fd.as_raw_fd(), &raw mut info, &raw mut length)
        };
        match -answer {
            0 => Ok(Some(info)),
            // The descriptor is a perf event's, not a link's: how kernels before 5.15 attach tracepoints and probes.
            libc::EINVAL | libc::EBADFD => Ok(None),
            errno => Err(std::io::Error::from_raw_os_error(errno)),
        }
    }
}

impl Host for WasmBpfCtxView<'_> {}

impl HostLink for WasmBpfCtxView<'_> {
    fn info(&mut self, link: Resource<Link>) -> CodeResult<Option<LinkInfo>> {
        let info = self.table.get(&link)?.kernel_info()?;
        Ok(info.map(|info| LinkInfo {
            id: info.id,
            type_: LinkType::from_kernel(info.type_),
            program_id: info.prog_id,
        }))
    }

    fn iterate(&mut self, link: Resource<Link>) -> FailureResult<Resource<DynInputStream>> {
        iterate::iterate(self, &link)
    }

    fn drop(&mut self, link: Resource<Link>) -> wasmtime::Result<()> {
        self.table.delete(link)?;
        Ok(())
    }
}
