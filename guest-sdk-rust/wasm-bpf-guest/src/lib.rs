//! Write eBPF tools as WebAssembly components, with the API of libbpf-rs.
//!
//! A component carries its BPF object; the host that runs it (`wasm-bpf run tool.component.wasm`) loads it into the kernel,
//! as far as the operator allows. Names and shapes are those of libbpf-rs, so that a program ports by changing its imports. Handles are
//! owned: there are no lifetimes between objects, maps, programs and links, and they may be dropped in any order.
//!
//! ```text
//!   ObjectBuilder --open--> OpenObject --load--> Object --map-----> Map ----> RingBuffer, PerfBuffer, UserRingBuffer,
//!                           (OpenMap,                  |                      MappedMemory, MapIter, TypedMap, ...
//!                            OpenProgram)              \--program--> Program --attach--> Link
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
//! `examples/bootstrap` in the repository is the whole of it. [`coming_from_libbpf_rs`] has what is different from libbpf-rs.
//!
//! # Maps
//!
//! [`MapCore`] has the functions of all maps, on bytes. Skeletons give maps the types of their definitions; any other map gets them from
//! [`TypedMap::new`] and [`PerCpuMap::new`]. Walks fetch many entries with each call of the host, whatever is walked:
//!
//! ```no_run
//! use wasm_bpf_guest::{Object, PerCpuMap, TypedMap};
//!
//! # fn run(object: Object) -> wasm_bpf_guest::Result<()> {
//! let starts: TypedMap<u32, u64> = TypedMap::new(object.map("starts")?)?;
//! let known = starts.get_many(&[1, 2, 3])?;
//! for entry in starts.iter() {
//!     let (pid, start) = entry?;
//! }
//! let counts: PerCpuMap<u32, u64> = PerCpuMap::new(object.map("counts")?)?;
//! // Read and deleted in one step: each interval begins at 0.
//! for entry in counts.drain() {
//!     let (key, counts) = entry?;
//!     println!("{key}: {} on all CPUs", counts.sum());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`Queue`] and [`BloomFilter`] are for maps without keys; [`MapCore::update_map`] and [`MapCore::update_program`] put one object into
//! another.
//!
//! # Global variables
//!
//! Before load they are fields of the open skeleton; afterwards `.data` and `.bss` are live, through [`Global`]. [`MapCore::mmap`] gives the
//! memory of arrays and arenas:
//!
//! ```no_run
//! use wasm_bpf_guest::{MapCore as _, MapHandle, MapType};
//!
//! # fn run() -> wasm_bpf_guest::Result<()> {
//! const MMAPABLE: u32 = 1 << 10;
//! let map = MapHandle::create(MapType::Array, "shared", 4, 8, 512, MMAPABLE)?;
//! let memory = map.mmap()?;
//! memory.set(8 * 100, &42u64)?;
//! assert_eq!(memory.get::<u64>(8 * 100)?, 42);
//! # Ok(())
//! # }
//! ```
//!
//! # Records
//!
//! A [`RingBuffer`] or a [`PerfBuffer`] hands records to callbacks, many with each call of the host, and tells what was lost. A
//! [`UserRingBuffer`] sends them the other way.
//!
//! # Samples and names
//!
//! A [`PerfEvent`] is counted or sampled; a program attached to it runs at each sample. A [`Symbolizer`] has names for the addresses in a stack.
//!
//! # Stopping
//!
//! Ctrl-C ends every wait, once: [`RingBuffer::poll`] with an error that [`is_interrupted`](Error::is_interrupted), a sleep early;
//! [`sleep_until`] is for tools that do something each interval. Links are detached when the component ends, however it ends. [`exit`] has an
//! exit code.
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
pub mod btf;
mod buffers;
mod descriptor;
mod error;
pub mod features;
mod iter;
mod lifecycle;
mod link;
mod map;
mod mapped_memory;
mod network;
mod object;
mod output;
mod perf_event;
mod probes;
mod program;
pub mod query;
mod socket;
mod symbols;

#[doc = include_str!("../docs/coming-from-libbpf-rs.md")]
pub mod coming_from_libbpf_rs {}

pub use buffers::{
    PerfBuffer, PerfBufferBuilder, RingBuffer, RingBufferBuilder, UserRingBuffer,
    UserRingBufferSample,
};
pub use descriptor::{Descriptor, open_descriptor};
pub use error::{Error, ErrorKind, Result};
pub use iter::{CgroupIterOpts, CgroupIterOrder, Iter, IterOpts, MapIterOpts};
pub use lifecycle::{exit, sleep_until, stop_requested, subscribe_stop};
pub use link::{
    CgroupDetails, CgroupIteration, EventDetails, FilterPlace, InterfaceDetails, IterDetails,
    Iteration, KprobeDetails, KprobeMultiDetails, Link, LinkDetails, LinkInfo, LinkPlace, LinkType,
    NetfilterDetails, NetnsDetails, RawTracepointDetails, SockmapDetails, TaskIteration,
    TracepointDetails, TracingDetails, UprobeDetails, UprobeMultiDetails,
};
pub use map::{
    BloomFilter, ElemFlags, LpmKey, Map, MapCore, MapCreateOptions, MapFlags, MapHandle, MapInfo,
    MapIter, MapKeyIter, MapType, MapValue, PerCpu, PerCpuMap, Queue, StorageOwner, TypedMap,
    TypedMapIter,
};
#[doc(hidden)]
pub use mapped_memory::GlobalData;
pub use mapped_memory::{Constant, Global, MappedMemory};
pub use network::{
    Direction, NF_INET_FORWARD, NF_INET_LOCAL_IN, NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING,
    NF_INET_PRE_ROUTING, NFPROTO_IPV4, NFPROTO_IPV6, NetfilterOpts, Placement, TC_EGRESS,
    TC_INGRESS, TcAttachPoint, TcHook, TcHookBuilder, Xdp, XdpMode,
};
pub use object::{InnerMapDeclaration, Object, ObjectBuilder, OpenMap, OpenObject, OpenProgram};
pub use output::{Stdout, printable, stdout};
pub use perf_event::{
    BreakpointAccess, BreakpointEvent, Cache, CacheEvent, CacheOperation, CacheResult, Count,
    HardwareEvent, PerfEvent, PerfEventOptions, PerfEventType, SoftwareEvent, TracepointEvent,
    UnitEvent,
};
pub use probes::{
    Binary, KprobeMultiOpts, KprobeOpts, KsyscallOpts, UprobeMultiOpts, UprobeOpts, UsdtOpts,
};
pub use program::{
    CgroupOpts, CgroupSharing, PerfEventOpts, Program, ProgramBuilder, ProgramInfo, ProgramInput,
    ProgramOutput, ProgramStatistics, ProgramType, RawTracepointOpts, SectionKind, Statistics,
    TraceOpts, TracepointOpts, kind_of_section,
};
pub use socket::{Received, Socket, SocketKind};
pub use symbols::{CodePlace, InlinedFunction, OffsetKind, Symbol, Symbolizer, Unknown};
pub use zerocopy;

/// Takes in the skeleton that the build script made of `src/bpf/NAME.bpf.c`, as a module of that name.
#[macro_export]
macro_rules! include_skeleton {
    ($name:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $name, ".skel.rs"));
    };
}
