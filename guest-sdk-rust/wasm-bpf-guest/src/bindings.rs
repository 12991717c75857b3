//! What wit-bindgen makes of `wit/`.

wit_bindgen::generate!({
    path: "../../wit",
    world: "wasm-bpf:bpf/imports",
    with: {
        "wasi:io/error@0.2.12": wasip2::io::error,
        "wasi:io/poll@0.2.12": wasip2::io::poll,
        "wasi:io/streams@0.2.12": wasip2::io::streams,
        "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
        "wasi:clocks/wall-clock@0.2.12": wasip2::clocks::wall_clock,
        "wasi:filesystem/types@0.2.12": wasip2::filesystem::types,
    },
});

pub use wasm_bpf::bpf::{
    btf, buffers, features, lifecycle, links, mapped_memory, maps, objects, perf_events, programs,
    query, sockets, symbols, types,
};
