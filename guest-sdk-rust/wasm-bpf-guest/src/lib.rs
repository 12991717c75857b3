//! Write eBPF tools as WebAssembly components, with the API of libbpf-rs.
//!
//! A component carries its BPF object; the host that runs it (`wasm-bpf run tool.component.wasm`) loads it into the kernel,
//! as far as the operator allows. Names and shapes are those of libbpf-rs, so that a program ports by changing its imports. Handles are
//! owned: there are no lifetimes between objects, maps, programs and links, and they may be dropped in any order.
//!
//! ```text
//!   ObjectBuilder --open--> OpenObject --load--> Object --map-----> Map ----> RingBuffer
//!                           (OpenMap,                  \--program--> Program --attach--> Link
//!                            OpenProgram)
//! ```
//!
//! Dropping a [`Link`] detaches its program; dropping everything leaves nothing in the kernel.
//!
//! # A tool
//!
//! The crate `wasm-bpf-build` compiles `src/bpf/*.bpf.c` in the build script and writes a skeleton with the object's maps,
//! programs, settings and event types:
//!
//! ```text
//! // build.rs
//! fn main() {
//!     wasm_bpf_build::build()
//! }
//!
//! // src/main.rs
//! wasm_bpf_guest::include_skeleton!("bootstrap");
//!
//! let mut open = bootstrap::BootstrapSkelBuilder::new().open()?;
//! open.rodata.min_duration_ns = 1_000_000;
//! let mut skel = open.load()?;
//! skel.attach()?;
//! ```
//!
//! `examples/bootstrap` in the repository is the whole of it.
//!
//! # Reading records
//!
//! Records are bytes in the layout that BPF gives them; the skeleton's types have that layout, so a record is read without a copy
//! through [`zerocopy`]:
//!
//! ```
//! use wasm_bpf_guest::zerocopy::{self, FromBytes, Immutable, KnownLayout};
//!
//! #[derive(FromBytes, Immutable, KnownLayout)]
//! #[zerocopy(crate = "wasm_bpf_guest::zerocopy")]
//! #[repr(C)]
//! struct Event {
//!     pid: u32,
//!     code: u32,
//! }
//!
//! let record = [1u32.to_ne_bytes(), 2u32.to_ne_bytes()].concat();
//! let event = Event::read_from_bytes(&record).unwrap();
//! assert_eq!((event.pid, event.code), (1, 2));
//! ```

#![deny(missing_docs)]

#[allow(missing_docs, clippy::all)]
mod bindings;
mod error;
mod lifecycle;
mod link;
mod map;
mod object;
mod output;
mod program;
mod ringbuf;

pub use error::{Error, ErrorKind, Result};
pub use lifecycle::{exit, stop_requested, subscribe_stop};
pub use link::{Link, LinkInfo, LinkType};
pub use map::{Map, MapCore, MapFlags, MapHandle, MapInfo, MapKeyIter, MapType};
pub use object::{Object, ObjectBuilder, OpenMap, OpenObject, OpenProgram};
pub use output::{Stdout, stdout};
pub use program::{Program, ProgramInfo, ProgramType, RawTracepointOpts, TracepointOpts};
pub use ringbuf::{RingBuffer, RingBufferBuilder};
pub use zerocopy;

/// Takes in the skeleton that the build script made of `src/bpf/NAME.bpf.c`, as a module of that name.
#[macro_export]
macro_rules! include_skeleton {
    ($name:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $name, ".skel.rs"));
    };
}
