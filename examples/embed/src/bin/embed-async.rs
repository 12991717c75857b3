//! Runs a component in an async program, next to other work on the same thread, and ends it by dropping the call.
//!
//! ```text
//! make examples
//! cargo run -p embed --bin embed-async -- build/rust/bootstrap.component.wasm
//! ```

use std::time::Duration;

use embed::State;
use wasm_bpf_host::{Policy, WasmBpfCtx};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings::Command;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args = embed::arguments()?;
    let engine = Engine::new(&wasm_bpf_host::engine_config())?;
    let mut linker = Linker::<State>::new(&engine);
    wasm_bpf_host::wasi::add_to_linker_async(&mut linker)?;
    wasm_bpf_host::add_to_linker_async(&mut linker)?;
    let component = Component::from_file(&engine, &args[0])?;

    let bpf = WasmBpfCtx::builder().policy(Policy::observe()).build();
    let stop = bpf.stop();
    let mut store = Store::new(&engine, State::new(bpf, &args)?);
    stop.arm(&mut store);
    let command = Command::instantiate_async(&mut store, &component, &linker).await?;

    let tick = async {
        let mut interval = tokio::time::interval(Duration::from_secs(1));
        for second in 0..5 {
            interval.tick().await;
            eprintln!("the program itself goes on: second {second}");
        }
    };
    tokio::select! {
        result = command.wasi_cli_run().call_run(&mut store) => {
            println!("the component returned {:?}", result?);
        }
        // The call is dropped in the middle of its wait.
        () = tick => println!("five seconds are over: the call was dropped"),
    }
    // And with the store everything that the component had in the kernel.
    drop(store);
    Ok(())
}
