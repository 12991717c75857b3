//! Iterators: what they walk, and reading what their programs write.

use std::io;

use wasip2::io::streams::{InputStream, StreamError};

use crate::bindings::programs;
use crate::error::Result;
use crate::{Descriptor, Link, MapCore};

/// Which cgroups an iterator walks.
pub use crate::bindings::programs::CgroupOrder as CgroupIterOrder;

/// What an iterator is to walk.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum IterOpts<'a> {
    /// All that its kind has, such as all tasks.
    None,
    /// The elements of a map. Kernel 5.9.
    Map(MapIterOpts<'a>),
    /// Cgroups. Kernel 6.1.
    Cgroup(CgroupIterOpts<'a>),
    /// One thread, by its id. Kernel 6.1.
    Task(u32),
    /// The threads of one process, by its id. Kernel 6.1.
    Process(u32),
}

/// The map that an iterator walks.
#[derive(Clone, Copy)]
pub struct MapIterOpts<'a> {
    map: &'a dyn MapCore,
}

impl<'a> MapIterOpts<'a> {
    /// The elements of this map.
    pub fn from_map(map: &'a dyn MapCore) -> Self {
        Self { map }
    }
}

/// The cgroups that an iterator walks.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct CgroupIterOpts<'a> {
    /// Where it starts, from [`open_descriptor`](crate::open_descriptor).
    pub cgroup: &'a Descriptor,
    /// Where it goes from there.
    pub order: CgroupIterOrder,
}

impl<'a> CgroupIterOpts<'a> {
    /// From this cgroup on, in this order.
    pub fn new(cgroup: &'a Descriptor, order: CgroupIterOrder) -> Self {
        Self { cgroup, order }
    }
}

impl IterOpts<'_> {
    pub(crate) fn make(self) -> Result<programs::IteratorOptions> {
        let options = programs::IteratorOptions::new();
        match self {
            Self::None => {}
            Self::Map(over) => options.set_map(over.map.handle()?)?,
            Self::Cgroup(over) => options.set_cgroup(over.cgroup, over.order)?,
            Self::Task(thread) => options.set_task(thread)?,
            Self::Process(process) => options.set_process(process)?,
        }
        Ok(options)
    }
}

/// A run of an iterator, from its beginning: what its program writes with `BPF_SEQ_PRINTF` and `bpf_seq_write`.
///
/// The program runs as this is read; the link may be dropped before. For lines, put a [`BufReader`](io::BufReader) in between:
///
/// ```no_run
/// use std::io::{BufRead as _, BufReader};
/// use wasm_bpf_guest::{Iter, Object};
///
/// # fn run(object: Object) -> Result<(), Box<dyn std::error::Error>> {
/// let link = object.program("dump_tasks")?.attach()?;
/// for line in BufReader::new(Iter::new(&link)?).lines() {
///     println!("{}", line?);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Iter {
    stream: InputStream,
}

impl Iter {
    /// Starts the iterator of a link.
    pub fn new(link: &Link) -> Result<Self> {
        Ok(Self {
            stream: link.handle().iterate()?,
        })
    }
}

impl io::Read for Iter {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        match self.stream.blocking_read(buffer.len() as u64) {
            Ok(bytes) => {
                buffer[..bytes.len()].copy_from_slice(&bytes);
                Ok(bytes.len())
            }
            Err(StreamError::Closed) => Ok(0),
            Err(StreamError::LastOperationFailed(error)) => {
                Err(io::Error::other(error.to_debug_string()))
            }
        }
    }
}
