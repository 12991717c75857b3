//! Links.

use crate::bindings::links;
use crate::error::{Error, Result, words};

/// What the kernel says of a link, and kinds of link.
pub use crate::bindings::links::{LinkInfo, LinkType};

/// An attached program. Dropping it detaches the program.
#[must_use = "dropping a link detaches the program"]
pub struct Link {
    handle: links::Link,
}

impl Link {
    pub(crate) fn new(handle: links::Link) -> Self {
        Self { handle }
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
}
