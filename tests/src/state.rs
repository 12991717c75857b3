//! The data of a store, for tests that embed the host.

use wasm_bpf_host::{WasmBpfCtx, WasmBpfCtxView, WasmBpfView};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// What a component of a test has of the host.
pub struct State {
    wasi: WasiCtx,
    bpf: WasmBpfCtx,
    table: ResourceTable,
}

impl State {
    /// With nothing in the table.
    pub fn new(wasi: WasiCtx, bpf: WasmBpfCtx) -> Self {
        Self {
            wasi,
            bpf,
            table: ResourceTable::new(),
        }
    }
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
