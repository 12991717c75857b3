//! Links.

use std::path::Path;

use crate::bindings::{links, query};
use crate::error::{Error, ErrorKind, Result, words};
use crate::{MapCore, Program};

/// What the kernel says of a link, and kinds of link.
pub use crate::bindings::links::{
    CgroupDetails, CgroupIteration, EventDetails, FilterPlace, InterfaceDetails, IterDetails,
    Iteration, KprobeDetails, KprobeMultiDetails, LinkDetails, LinkInfo, LinkPlace, LinkType,
    NetfilterDetails, NetnsDetails, RawTracepointDetails, SockmapDetails, TaskIteration,
    TracepointDetails, TracingDetails, UprobeDetails, UprobeMultiDetails,
};

/// An attached program. Dropping it detaches the program.
#[must_use = "dropping a link detaches the program"]
pub struct Link {
    handle: links::Link,
}

impl Link {
    pub(crate) fn new(handle: links::Link) -> Self {
        Self { handle }
    }

    /// The link of an id; the host must have been given the grants `query` and `query-change`. Dropping it detaches the program only if nobody else holds the link.
    pub fn from_link_id(id: u32) -> Result<Self> {
        Ok(Self::new(query::open_link(id)?))
    }

    pub(crate) fn handle(&self) -> &links::Link {
        &self.handle
    }

    /// What the kernel says of the link; none where the kernel attaches without a link object (tracepoints and probes before 5.15).
    pub fn info(&self) -> Result<Option<LinkInfo>> {
        self.handle.info().map_err(|code| {
            Error::of_code(code, format!("cannot ask about a link: {}", words(code)))
        })
    }

    /// The places of a link to many functions of the kernel or places of a file; of others none.
    pub fn places(&self) -> Result<Vec<LinkPlace>> {
        self.handle.places().map_err(|code| {
            let text = format!("cannot ask about the places of a link: {}", words(code));
            Error::of_code(code, text)
        })
    }

    /// The priority and handle of a filter that [`TcHook`](crate::TcHook) made; none of other links.
    pub fn filter_place(&self) -> Option<FilterPlace> {
        self.handle.filter_place()
    }

    /// The link that is pinned at a path. Dropping it does not detach what the pin keeps.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::new(links::Link::open_pinned(text(path.as_ref())?)?))
    }

    /// Puts another program in the place of the attached one, in one step.
    pub fn update_prog(&mut self, prog: &Program) -> Result<()> {
        Ok(prog.handle()?.replace_in(&self.handle, None)?)
    }

    /// The same, if `expected` is the program that is attached.
    pub fn replace_prog(&mut self, prog: &Program, expected: &Program) -> Result<()> {
        let expected = expected.handle()?;
        Ok(prog.handle()?.replace_in(&self.handle, Some(expected))?)
    }

    /// Puts the operations of another map in the place of those that this link registers, in one step.
    pub fn update_map(&mut self, map: &impl MapCore) -> Result<()> {
        Ok(self.handle.update_map(map.handle()?)?)
    }

    /// Detaches the program and keeps the link. Fails with [`ErrorKind::NotSupported`] for kinds of link that only dropping detaches.
    pub fn detach(&self) -> Result<()> {
        Ok(self.handle.detach()?)
    }

    /// Lets go of the link without detaching. The operator has to have granted `disconnect`; else the link is dropped, which detaches.
    ///
    /// What the kernel ties to a link stays attached as long as the host's process or a pin keeps the link.
    pub fn disconnect(self) -> Result<()> {
        Ok(links::Link::disconnect(self.handle)?)
    }

    /// Gives the link a name in a BPF file system: the program stays attached as long as the name.
    pub fn pin(&mut self, path: impl AsRef<Path>) -> Result<()> {
        Ok(self.handle.pin(text(path.as_ref())?)?)
    }

    /// Takes the name away.
    pub fn unpin(&mut self, path: impl AsRef<Path>) -> Result<()> {
        Ok(self.handle.unpin(text(path.as_ref())?)?)
    }
}

/// A path as the host takes it.
pub(crate) fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| {
        let text = format!("the path {} is not UTF-8", path.display());
        Error::of_code(ErrorKind::InvalidArgument, text)
    })
}
