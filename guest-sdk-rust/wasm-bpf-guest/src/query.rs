//! What is in the kernel, whoever loaded it. The host must have been given the grant `query`.
//!
//! ```no_run
//! use wasm_bpf_guest::query::{MapInfoIter, ProgInfoIter};
//!
//! # fn run() -> wasm_bpf_guest::Result<()> {
//! for program in ProgInfoIter::default() {
//!     let program = program?;
//!     println!("{} {}", program.id, program.name);
//! }
//! let maps: Vec<_> = MapInfoIter::default().collect::<Result<_, _>>()?;
//! # Ok(())
//! # }
//! ```

use crate::bindings::query;
use crate::bindings::types;
use crate::{Descriptor, Direction, LinkInfo, ProgramInfo, Result};

/// What is found.
pub use crate::bindings::query::{
    Attached, AttachedEvent, AttachedFilter, FoundBtf, FoundMap, XdpPrograms,
};

/// Fetched at a time.
const PAGE: u32 = 256;

macro_rules! iterators {
    ($($(#[$doc:meta])* $name:ident: $item:ty, $list:path, |$found:ident| $id:expr;)*) => {
        $(
            $(#[$doc])*
            ///
            /// What comes and goes meanwhile may be among them or not. After an error it ends.
            #[derive(Debug, Default)]
            pub struct $name(Pages<$item>);

            impl Iterator for $name {
                type Item = Result<$item>;

                fn next(&mut self) -> Option<Self::Item> {
                    self.0.next($list, |$found| $id)
                }
            }
        )*
    };
}

iterators! {
    /// The programs in the kernel, in the order of their ids.
    ProgInfoIter: ProgramInfo, query::programs, |found| found.id;
    /// The maps in the kernel, in the order of their ids.
    MapInfoIter: FoundMap, query::maps, |found| found.info.id;
    /// The links in the kernel, in the order of their ids.
    LinkInfoIter: LinkInfo, query::links, |found| found.id;
    /// The BTF in the kernel, in the order of its ids.
    BtfInfoIter: FoundBtf, query::btfs, |found| found.id;
}

#[derive(Debug)]
struct Pages<T> {
    page: std::vec::IntoIter<T>,
    after: u32,
    ended: bool,
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self {
            page: Vec::new().into_iter(),
            after: 0,
            ended: false,
        }
    }
}

impl<T> Pages<T> {
    fn next(
        &mut self,
        list: fn(u32, u32) -> Result<Vec<T>, types::Error>,
        id: fn(&T) -> u32,
    ) -> Option<Result<T>> {
        if self.page.len() == 0 && !self.ended {
            match list(self.after, PAGE) {
                Ok(page) => {
                    match page.last() {
                        Some(last) => self.after = id(last),
                        None => self.ended = true,
                    }
                    self.page = page.into_iter();
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error.into()));
                }
            }
        }
        self.page.next().map(Ok)
    }
}

/// What is known of the program of an id; none if there is none.
pub fn program(id: u32) -> Result<Option<ProgramInfo>> {
    let found = query::programs(id.wrapping_sub(1), 1)?;
    Ok(found.into_iter().find(|found| found.id == id))
}

/// What is known of the map of an id; none if there is none.
pub fn map(id: u32) -> Result<Option<FoundMap>> {
    let found = query::maps(id.wrapping_sub(1), 1)?;
    Ok(found.into_iter().find(|found| found.info.id == id))
}

/// What is known of the link of an id; none if there is none.
pub fn link(id: u32) -> Result<Option<LinkInfo>> {
    let found = query::links(id.wrapping_sub(1), 1)?;
    Ok(found.into_iter().find(|found| found.id == id))
}

/// The programs that are attached to a cgroup, in the order in which they run; with `effective` also those of the cgroups above.
pub fn attached_to_cgroup(
    cgroup: &Descriptor,
    attach_type: u32,
    effective: bool,
) -> Result<Vec<Attached>> {
    Ok(query::attached_to_cgroup(cgroup, attach_type, effective)?)
}

/// The programs that are attached to a network namespace.
pub fn attached_to_netns(netns: &Descriptor, attach_type: u32) -> Result<Vec<Attached>> {
    Ok(query::attached_to_netns(netns, attach_type)?)
}

/// The programs that are attached to a network interface with tcx or netkit, in the order in which they run.
pub fn attached_to_interface(name: &str, attach_type: u32) -> Result<Vec<Attached>> {
    Ok(query::attached_to_interface(name, attach_type)?)
}

/// The XDP programs of a network interface.
pub fn xdp(name: &str) -> Result<XdpPrograms> {
    Ok(query::xdp(name)?)
}

/// The programs that are attached to a network interface with the classic hook of traffic control, in the order in which they run.
pub fn filters(name: &str, direction: Direction) -> Result<Vec<AttachedFilter>> {
    Ok(query::filters(name, direction)?)
}

/// The program behind a perf event or raw tracepoint that a process has open.
pub fn event_of_process(process: u32, descriptor: u32) -> Result<AttachedEvent> {
    Ok(query::event_of_process(process, descriptor)?)
}
