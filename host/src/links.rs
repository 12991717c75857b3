//! `links.wit`.

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use std::sync::Arc;

use wasmtime::component::Resource;

use crate::bindings::links::{Host, HostLink, LinkInfo, LinkType};
use crate::ctx::WasmBpfCtxView;
use crate::error::CodeResult;
use crate::maps::MapMemory;
use crate::policy::Reservation;
use crate::programs::Program;

/// An attached program.
pub struct Link {
    // Before the program: libbpf may use the program's object while it detaches (USDT does).
    attachment: Attachment,
    _program: Program,
    /// What the kernel keeps as long as this.
    _keeps: Option<Arc<MapMemory>>,
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
            _keeps: None,
            _held: held,
        }
    }

    /// Counts a map as long as the link lives.
    pub(crate) fn keep(&mut self, map: Arc<MapMemory>) {
        self._keeps = Some(map);
    }

    /// The kernel's id of its link; none if the kernel has no link for it.
    pub(crate) fn kernel_id(&self) -> std::io::Result<Option<u32>> {
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
            0 => Ok(Some(info.id)),
            libc::EINVAL | libc::EBADFD => Ok(None),
            errno => Err(std::io::Error::from_raw_os_error(errno)),
        }
    }
}

impl Host for WasmBpfCtxView<'_> {}

impl HostLink for WasmBpfCtxView<'_> {
    fn info(&mut self, link: Resource<Link>) -> CodeResult<Option<LinkInfo>> {
        let Some(fd) = self.table.get(&link)?.attachment.fd() else {
            return Ok(None);
        };
        let mut info = libbpf_sys::bpf_link_info::default();
        let mut length = size_of_val(&info) as u32;
        // SAFETY: `info` is a plain struct of `length` bytes.
        let answer = unsafe {
            libbpf_sys::bpf_link_get_info_by_fd(fd.as_raw_fd(), &raw mut info, &raw mut length)
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
