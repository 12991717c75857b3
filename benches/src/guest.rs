//! The component that is measured.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use wasm_bpf_host::{Policy, WasmBpfCtx, WasmBpfCtxView, WasmBpfView};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::trigger::Trigger;

wasmtime::component::bindgen!({ path: "guest/wit", world: "bench" });

struct State {
    wasi: WasiCtx,
    bpf: WasmBpfCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasmBpfView for State {
    fn bpf(&mut self) -> WasmBpfCtxView<'_> {
        WasmBpfCtxView {
            ctx: &mut self.bpf,
            table: &mut self.table,
        }
    }
}

/// The component, compiled and linked as `wasm-bpf run` does it.
pub struct Compiled {
    engine: Engine,
    before: BenchPre<State>,
}

impl Compiled {
    pub fn new(path: &Path) -> Result<Self> {
        let engine = Engine::new(&wasm_bpf_host::engine_config())?;
        let mut linker = Linker::<State>::new(&engine);
        wasm_bpf_host::wasi::add_to_linker_sync(&mut linker)?;
        wasm_bpf_host::add_to_linker_sync(&mut linker)?;
        let told = || {
            format!(
                "cannot use the component {}; `make bench` builds it",
                path.display()
            )
        };
        let component = Component::from_file(&engine, path)
            .map_err(anyhow::Error::from)
            .with_context(told)?;
        let before = linker
            .instantiate_pre(&component)
            .and_then(BenchPre::new)
            .map_err(anyhow::Error::from)
            .with_context(told)?;
        Ok(Self { engine, before })
    }

    fn instantiate(&self) -> Result<Guest> {
        let bpf = WasmBpfCtx::builder().policy(Policy::observe()).build();
        let stop = bpf.stop();
        // Its panics are worth reading.
        let wasi = WasiCtx::builder().inherit_stderr().build();
        let state = State {
            wasi,
            bpf,
            table: ResourceTable::new(),
        };
        let mut store = Store::new(&self.engine, state);
        stop.arm(&mut store);
        let instance = self.before.instantiate(&mut store)?;
        Ok(Guest { store, instance })
    }

    /// The BPF object that the component carries.
    pub fn object(&self) -> Result<Vec<u8>> {
        let Guest {
            mut store,
            instance,
        } = self.instantiate()?;
        Ok(instance.call_object(&mut store)?)
    }

    /// An instance that is ready for a case. Dropping it takes all that it has out of the kernel.
    pub fn prepare(&self, case: &str, trigger: Trigger) -> Result<Guest> {
        let mut guest = self.instantiate()?;
        let Trigger { thread, syscall } = trigger;
        told(
            guest
                .instance
                .call_prepare(&mut guest.store, case, thread, syscall)?,
        )?;
        Ok(guest)
    }
}

/// A failure in the component's words.
fn told<T>(result: Result<T, String>) -> Result<T> {
    match result {
        Ok(value) => Ok(value),
        Err(message) => bail!("guest: {message}"),
    }
}

/// An instance of the component, ready for a case.
pub struct Guest {
    store: Store<State>,
    instance: Bench,
}

impl Guest {
    /// The timed part, so many times; the sum of all that was read.
    pub fn run(&mut self, iterations: u32) -> Result<u64> {
        told(self.instance.call_run(&mut self.store, iterations)?)
    }

    /// The sum of what the runs wrote.
    pub fn written(&mut self) -> Result<u64> {
        told(self.instance.call_written(&mut self.store)?)
    }
}
