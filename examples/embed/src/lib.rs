//! What both programs share: the data of a store, and how it gives access to WASI's and our context.

use wasm_bpf_host::{WasmBpfCtx, WasmBpfCtxView, WasmBpfView};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The data of a store. A program of one's own adds what else its components need.
pub struct State {
    wasi: WasiCtx,
    bpf: WasmBpfCtx,
    table: ResourceTable,
}

impl State {
    /// State for a component with these arguments, whose output is this program's.
    pub fn new(bpf: WasmBpfCtx, args: &[String]) -> anyhow::Result<Self> {
        let wasi = WasiCtx::builder()
            .stdout(wasm_bpf_host::Output::stdout()?)
            .stderr(wasm_bpf_host::Output::stderr()?)
            .args(args)
            .build();
        Ok(Self {
            wasi,
            bpf,
            table: ResourceTable::new(),
        })
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

/// The component's path and its arguments from the command line.
pub fn arguments() -> anyhow::Result<Vec<String>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    anyhow::ensure!(
        !args.is_empty(),
        "usage: {} COMPONENT [ARGS]",
        env!("CARGO_PKG_NAME")
    );
    Ok(args)
}
