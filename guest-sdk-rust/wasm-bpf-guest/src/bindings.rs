//! What wit-bindgen makes of `wit/`.

wit_bindgen::generate!({
    path: "../../wit",
    world: "wasm-bpf:bpf/imports",
    with: {
        "wasi:io/poll@0.2.12": wasip2::io::poll,
        "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
    },
});

pub use wasm_bpf::bpf::{buffers, lifecycle, links, mapped_memory, maps, objects, programs, types};
