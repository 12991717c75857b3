//! `links.wit`.

mod info;
mod iterate;
mod lifecycle;
mod operations;

use std::collections::BTreeSet;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynInputStream;

use crate::bindings::links::{FilterPlace, Host, HostLink, LinkInfo, LinkPlace};
use crate::ctx::WasmBpfCtxView;
use crate::error::{CodeResult, FailureResult};
use crate::maps::{Map, MapMemory};
use crate::objects::LoadedObject;
use crate::policy::Reservation;
use crate::programs::Program;

/// An attached program.
pub struct Link {
    /// Taken when the link goes, before what it needs: libbpf may use the program's object while it detaches (USDT does).
    attachment: Option<Attachment>,
    keeps: Keeps,
    /// The program that this one acts on, which the kernel keeps as long as the link.
    target: Option<Program>,
    /// The map that an iterator walks. Kernels before 6.0 do not keep it while it is walked.
    map: Option<Arc<Map>>,
    /// The map of sockets that the program is attached to, which the kernel keeps as long as the link.
    _counts: Option<Arc<MapMemory>>,
    held: Arc<Reservation>,
    /// Where the component pinned it: what a pin keeps stays attached.
    pins: BTreeSet<String>,
}

/// What a link keeps in the kernel with it.
#[derive(Clone)]
pub(crate) enum Keeps {
    /// The attached program.
    Program(Program),
    /// The object whose operations are registered.
    Operations(Arc<LoadedObject>),
    /// A link that was opened has its program by itself.
    Nothing,
}

/// What attaches a program. Dropping it detaches.
pub(crate) enum Attachment {
    /// Libbpf's link.
    Libbpf(libbpf_rs::Link),
    /// A link of the kernel, by its descriptor alone.
    Descriptor(OwnedFd),
    /// What the kernel does not tie to a link.
    Other(Box<dyn Attached>),
}

/// An attachment without a link of the kernel. Dropping it detaches.
pub(crate) trait Attached: Send {
    /// The descriptor of the kernel's link that is behind it, if there is just one.
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Where it is among the filters of its hook, if it is one.
    fn filter_place(&self) -> Option<FilterPlace> {
        None
    }

    /// Detaches now; a second time does nothing.
    fn detach(&mut self) -> std::io::Result<()>;

    /// Leaves it attached for good.
    fn disconnect(self: Box<Self>) {
        std::mem::forget(self);
    }
}

impl Attachment {
    /// The descriptor of the kernel's link, or of the perf event that stands for one.
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Libbpf(link) => Some(link.as_fd()),
            Self::Descriptor(fd) => Some(fd.as_fd()),
            Self::Other(attached) => attached.fd(),
        }
    }

    /// Lets go of a link that a pin keeps. libbpf would switch a perf event off first, whoever else has its link.
    fn leave(self) {
        match self {
            Self::Libbpf(mut link) => {
                let fd = link.as_fd().as_raw_fd();
                link.disconnect();
                drop(link);
                // A perf event's own descriptor, which only libbpf knows, stays open as long as the process.
                // SAFETY: it was libbpf's, which has let it go without closing it.
                drop(unsafe { OwnedFd::from_raw_fd(fd) });
            }
            Self::Descriptor(fd) => drop(fd),
            // What it needs besides the kernel's link (USDT: what is in its maps) stays too.
            Self::Other(attached) => attached.disconnect(),
        }
    }

    /// Lets go without detaching: descriptors stay open as long as the process.
    fn disconnect(self) {
        match self {
            Self::Libbpf(mut link) => link.disconnect(),
            Self::Descriptor(fd) => std::mem::forget(fd),
            Self::Other(attached) => attached.disconnect(),
        }
    }
}

impl Link {
    pub(crate) fn new(attachment: Attachment, program: Program, held: Reservation) -> Self {
        Self::keeping(attachment, Keeps::Program(program), held)
    }

    pub(crate) fn keeping(attachment: Attachment, keeps: Keeps, held: Reservation) -> Self {
        Self {
            attachment: Some(attachment),
            keeps,
            target: None,
            map: None,
            _counts: None,
            held: Arc::new(held),
            pins: BTreeSet::new(),
        }
    }

    /// Keeps the program that this one acts on.
    pub(crate) fn with_target(mut self, target: Program) -> Self {
        self.target = Some(target);
        self
    }

    /// Keeps the map that is walked.
    pub(crate) fn with_map(mut self, map: Arc<Map>) -> Self {
        self.map = Some(map);
        self
    }

    /// Counts a map as long as the link lives.
    pub(crate) fn count(&mut self, map: Arc<MapMemory>) {
        self._counts = Some(map);
    }

    /// The descriptor of the kernel's link, or of the perf event that stands for one.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.attachment.as_ref()?.fd()
    }

    pub(crate) fn keeps(&self) -> &Keeps {
        &self.keeps
    }

    /// Another program is attached now.
    pub(crate) fn keep(&mut self, program: Program) {
        self.keeps = Keeps::Program(program);
    }

    /// The kernel's own answer; none where it has no link.
    pub(crate) fn kernel_info(&self) -> Option<libbpf_sys::bpf_link_info> {
        info::kernel_info(self.fd()?)
    }

    /// The kernel's id of its link; none where it has no link.
    pub(crate) fn kernel_id(&self) -> Option<u32> {
        self.kernel_info().map(|info| info.id)
    }

    /// What the kernel says; none where it has no link.
    pub(crate) fn info(&self) -> CodeResult<Option<LinkInfo>> {
        self.fd().map_or(Ok(None), info::info)
    }
}

/// What the kernel says of a link of its own.
pub(crate) fn info_of(link: BorrowedFd<'_>) -> CodeResult<Option<LinkInfo>> {
    info::info(link)
}

impl Drop for Link {
    fn drop(&mut self) {
        match self.attachment.take() {
            Some(attachment) if !self.pins.is_empty() => attachment.leave(),
            other => drop(other),
        }
    }
}

impl Host for WasmBpfCtxView<'_> {
    fn attach_struct_ops(&mut self, map: Resource<Map>) -> FailureResult<Resource<Link>> {
        let link = self.attach_operations(&map)?;
        Ok(self.table.push(link)?)
    }
}

impl HostLink for WasmBpfCtxView<'_> {
    fn info(&mut self, link: Resource<Link>) -> CodeResult<Option<LinkInfo>> {
        self.table.get(&link)?.info()
    }

    fn places(&mut self, link: Resource<Link>) -> CodeResult<Vec<LinkPlace>> {
        self.table
            .get(&link)?
            .fd()
            .map_or(Ok(Vec::new()), info::places)
    }

    fn filter_place(&mut self, link: Resource<Link>) -> wasmtime::Result<Option<FilterPlace>> {
        Ok(match &self.table.get(&link)?.attachment {
            Some(Attachment::Other(attached)) => attached.filter_place(),
            _ => None,
        })
    }

    fn detach(&mut self, link: Resource<Link>) -> FailureResult<()> {
        lifecycle::detach(self.table.get_mut(&link)?)
    }

    fn pin(&mut self, link: Resource<Link>, path: String) -> FailureResult<()> {
        lifecycle::pin(self.ctx, self.table.get_mut(&link)?, &path)
    }

    fn unpin(&mut self, link: Resource<Link>, path: String) -> FailureResult<()> {
        lifecycle::unpin(self.ctx, self.table.get_mut(&link)?, &path)
    }

    fn open_pinned(&mut self, path: String) -> FailureResult<Resource<Link>> {
        let link = lifecycle::open(self.ctx, &path)?;
        Ok(self.table.push(link)?)
    }

    fn disconnect(&mut self, this: Resource<Link>) -> FailureResult<()> {
        // Whatever comes of it, the handle is gone.
        let link = self.table.delete(this)?;
        lifecycle::disconnect(self.ctx, link)
    }

    fn iterate(&mut self, link: Resource<Link>) -> FailureResult<Resource<DynInputStream>> {
        iterate::iterate(self, &link)
    }

    fn update_map(&mut self, link: Resource<Link>, map: Resource<Map>) -> FailureResult<()> {
        self.update_operations(&link, &map)
    }

    fn drop(&mut self, link: Resource<Link>) -> wasmtime::Result<()> {
        self.table.delete(link)?;
        Ok(())
    }
}
