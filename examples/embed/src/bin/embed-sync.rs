//! Runs a component on a thread, and asks it to stop after five seconds.
//!
//! ```text
//! make examples
//! cargo run -p embed --bin embed-sync -- build/rust/bootstrap.component.wasm
//! ```

use std::thread;
use std::time::Duration;

use embed::State;
use wasm_bpf_host::{Policy, WasmBpfCtx};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::bindings::sync::Command;

fn main() -> anyhow::Result<()> {
    let args = embed::arguments()?;
    let engine = Engine::new(&wasm_bpf_host::engine_config())?;
    let mut linker = Linker::<State>::new(&engine);
    wasm_bpf_host::wasi::add_to_linker_sync(&mut linker)?;
    wasm_bpf_host::add_to_linker_sync(&mut linker)?;
    let component = Component::from_file(&engine, &args[0])?;

    let bpf = WasmBpfCtx::builder().policy(Policy::observe()).build();
    let stop = bpf.stop();
    let mut store = Store::new(&engine, State::new(bpf, &args)?);
    // Lets `terminate` end a component that does not listen.
    stop.arm(&mut store);
    let running = thread::spawn(move || {
        let command = Command::instantiate(&mut store, &component, &linker)?;
        command.wasi_cli_run().call_run(&mut store)
        // The store is dropped here: nothing of the component stays in the kernel.
    });

    thread::sleep(Duration::from_secs(5));
    stop.request();
    for _ in 0..20 {
        if running.is_finished() {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    stop.terminate();
    match running.join().expect("the thread does not panic") {
        Ok(result) => println!("the component returned {result:?}"),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(code)) => println!("the component exited with {code}"),
            None => return Err(error.into()),
        },
    }
    Ok(())
}
