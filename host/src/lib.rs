//! Runs WebAssembly components that load, attach and talk to eBPF programs.
//!
//! This crate implements the interfaces of the WIT package `wasm-bpf:bpf` over libbpf, for any program that embeds
//! [`wasmtime`]. The `wasm-bpf` command is a thin user of it.
//!
//! ```text
//!   component ── wasm-bpf:bpf ──> this crate ── libbpf ──> kernel
//!                                     │
//!                      Policy, Limits, Stop: the embedder's say
//! ```
//!
//! # Example
//!
//! The context holds what a component may do; the view gives the crate access to it inside the store's data; a linker gets the
//! interfaces next to WASI's.
//!
//! ```
//! use wasm_bpf_host::{Limits, Policy, WasmBpfCtx, WasmBpfCtxView, WasmBpfView};
//! use wasmtime::component::{Component, Linker, ResourceTable};
//! use wasmtime::{Engine, Store};
//! use wasmtime_wasi::p2::bindings::sync::Command;
//! use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
//!
//! struct State {
//!     wasi: WasiCtx,
//!     bpf: WasmBpfCtx,
//!     table: ResourceTable,
//! }
//!
//! impl WasiView for State {
//!     fn ctx(&mut self) -> WasiCtxView<'_> {
//!         WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
//!     }
//! }
//!
//! impl WasmBpfView for State {
//!     fn bpf(&mut self) -> WasmBpfCtxView<'_> {
//!         WasmBpfCtxView { ctx: &mut self.bpf, table: &mut self.table }
//!     }
//! }
//!
//! # fn main() -> wasmtime::Result<()> {
//! let engine = Engine::new(&wasm_bpf_host::engine_config())?;
//! let mut linker = Linker::<State>::new(&engine);
//! // WASI whose waits end when the component is asked to stop, and our interfaces.
//! wasm_bpf_host::wasi::add_to_linker_sync(&mut linker)?;
//! wasm_bpf_host::add_to_linker_sync(&mut linker)?;
//!
//! // Observing programs, and packets of one interface.
//! let mut policy = Policy::observe();
//! policy.allow("socket-filter=eth0".parse().unwrap());
//!
//! let bpf = WasmBpfCtx::builder().policy(policy).limits(Limits::default()).build();
//! let stop = bpf.stop();
//! let wasi = WasiCtx::builder().inherit_stdio().build();
//! let mut store = Store::new(&engine, State { wasi, bpf, table: ResourceTable::new() });
//! stop.arm(&mut store);
//!
//! # // A command that does nothing, in place of a file.
//! # let path = std::env::temp_dir().join(format!("wasm-bpf-doc-{}.wat", std::process::id()));
//! # std::fs::write(&path, r#"(component
//! #   (core module $m (func (export "run") (result i32) i32.const 0))
//! #   (core instance $i (instantiate $m))
//! #   (func $run (result (result)) (canon lift (core func $i "run")))
//! #   (instance (export "wasi:cli/run@0.2.12") (export "run" (func $run))))"#)?;
//! let component = Component::from_file(&engine, &path)?;
//! # std::fs::remove_file(&path)?;
//! let command = Command::instantiate(&mut store, &component, &linker)?;
//! // Meanwhile any thread may call `stop.request()`, and `stop.terminate()` if that is not heard.
//! let result = command.wasi_cli_run().call_run(&mut store)?;
//! assert!(result.is_ok());
//! # Ok(())
//! # }
//! ```
//!
//! `examples/embed` in the repository has this as a program, and one for async embedders.
//!
//! # What a component leaves behind
//!
//! Nothing. Programs, maps and links live as long as handles in the store's table; dropping the store detaches and unloads
//! everything, and the kernel does the same if the process dies. What the kernel would keep then is written down before it is made
//! ([`WasmBpfCtxBuilder::journal`]), and removed by the next process that builds a context.

#![deny(missing_docs)]

mod bindings;
mod btf;
mod buffers;
mod ctx;
mod descriptors;
mod error;
mod features;
mod journal;
mod left;
mod lifecycle;
mod links;
mod mapped_memory;
mod maps;
mod messages;
mod mmap;
mod network_interfaces;
mod objects;
mod perf_events;
mod pipes;
mod policy;
mod programs;
mod query;
mod readiness;
mod sockets;
mod stdio;
mod symbols;
mod types;
pub mod wasi;

use wasmtime::Config;
use wasmtime::component::{HasData, Linker};

pub use ctx::{WasmBpfCtx, WasmBpfCtxBuilder, WasmBpfCtxView, WasmBpfView};
pub use journal::Recovered;
pub use lifecycle::{Stop, Terminated};
pub use messages::{MessageLevel, MessageSink};
pub use policy::{Grant, Limits, ParseGrantError, Policy};
pub use stdio::Output;
#[cfg(feature = "symbolizer")]
pub use symbols::serve_symbolizer;

/// The version of the WIT package that this host implements.
pub const INTERFACE_VERSION: &str = "0.1.0";

/// Every grant: its name, what its value is if it takes one, and what it allows.
pub fn grants() -> impl Iterator<Item = (&'static str, Option<&'static str>, &'static str)> {
    policy::GRANTS.iter().copied()
}

/// Removes what killed hosts left in the kernel, as far as their journal says so: in `folder`, as
/// [`WasmBpfCtxBuilder::journal`] has it, or in the usual place. What is told is for people.
///
/// The first context that a process builds does this too.
pub fn recover(folder: Option<&std::path::Path>) -> Vec<Recovered> {
    journal::Journal::new(folder.map(ToOwned::to_owned)).recover()
}

/// The engine configuration that this crate is measured with.
///
/// Epoch interruption is on, which [`Stop::terminate`] needs; support for concurrent component calls is off: it would make every
/// host call create and drop a task, which costs more than most calls here do.
pub fn engine_config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true).concurrency_support(false);
    config
}

struct HasBpf;

impl HasData for HasBpf {
    type Data<'a> = WasmBpfCtxView<'a>;
}

/// Adds the interfaces of `wasm-bpf:bpf` to a linker for blocking calls: waiting functions block their thread.
///
/// WASI is added apart, by [`wasi::add_to_linker_sync`].
pub fn add_to_linker_sync<T: WasmBpfView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    add_nonblocking_to_linker(linker)?;
    bindings::buffers::add_to_linker::<T, HasBpf>(linker, T::bpf)
}

/// Adds the interfaces of `wasm-bpf:bpf` to a linker for async calls: waiting functions leave the thread to others, in a tokio
/// runtime with I/O and time enabled. Dropping a call that waits ends it.
///
/// WASI is added apart, by [`wasi::add_to_linker_async`].
pub fn add_to_linker_async<T: WasmBpfView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    add_nonblocking_to_linker(linker)?;
    bindings::waiting::buffers::add_to_linker::<T, HasBpf>(linker, T::bpf)
}

fn add_nonblocking_to_linker<T: WasmBpfView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    bindings::types::add_to_linker::<T, HasBpf>(linker, T::bpf)?;
    bindings::maps::add_to_linker::<T, HasBpf>(linker, T::bpf)?;
    bindings::mapped_memory::add_to_linker::<T, HasBpf>(linker, T::bpf)?;
    bindings::sockets::add_to_linker::<T, HasBpf>(linker, T::bpf)?;
    bindings::links::add_to_linker::<T, HasBpf>(linker, T::bpf)?;
    bindings::perf_events::add_to_linker::<T, HasBpf>(linker, T::bpf)?;
    bindings::symbols::add_to_linker::<T, HasBpf>(linker, T::bpf)?;
    bindings::programs::add_to_linker::<T, HasBpf>(linker, T::bpf)?;
    bindings::objects::add_to_linker::<T, HasBpf>(linker, T::bpf)?;
    bindings::lifecycle::add_to_linker::<T, HasBpf>(linker, T::bpf)?;
    bindings::btf::add_to_linker::<T, HasBpf>(linker, T::bpf)?;
    bindings::features::add_to_linker::<T, HasBpf>(linker, T::bpf)?;
    bindings::query::add_to_linker::<T, HasBpf>(linker, T::bpf)
}
