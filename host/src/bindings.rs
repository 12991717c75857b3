//! What wasmtime makes of `wit/`. Private: the public names are those of the resource structs and the view.

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "wasm-bpf:bpf/imports",
        imports: { default: trappable },
        require_store_data_send: true,
        trappable_error_type: {
            "wasm-bpf:bpf/types.error-code" => crate::error::CodeError,
            "wasm-bpf:bpf/types.error" => crate::error::Failure,
        },
        with: {
            "wasi:io": wasmtime_wasi::p2::bindings::sync::io,
            "wasi:filesystem": wasmtime_wasi::p2::bindings::sync::filesystem,
            "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
            "wasm-bpf:bpf/maps.map": crate::maps::Map,
            "wasm-bpf:bpf/maps.walk": crate::maps::Walk,
            "wasm-bpf:bpf/maps.create-options": crate::maps::CreateOptions,
            "wasm-bpf:bpf/mapped-memory.mapping": crate::mapped_memory::Mapping,
            "wasm-bpf:bpf/perf-events.perf-event-options": crate::perf_events::PerfEventOptions,
            "wasm-bpf:bpf/perf-events.perf-event": crate::perf_events::PerfEvent,
            "wasm-bpf:bpf/symbols.symbolizer": crate::symbols::Symbolizer,
            "wasm-bpf:bpf/programs.program": crate::programs::Program,
            "wasm-bpf:bpf/programs.cgroup-options": crate::programs::CgroupOptions,
            "wasm-bpf:bpf/sockets.socket": crate::sockets::Socket,
            "wasm-bpf:bpf/programs.iterator-options": crate::programs::IteratorOptions,
            "wasm-bpf:bpf/programs.test-options": crate::programs::TestOptions,
            "wasm-bpf:bpf/programs.load-options": crate::programs::LoadOptions,
            "wasm-bpf:bpf/programs.statistics": crate::programs::Statistics,
            "wasm-bpf:bpf/programs.probe-options": crate::programs::ProbeOptions,
            "wasm-bpf:bpf/programs.placement": crate::programs::Placement,
            "wasm-bpf:bpf/links.link": crate::links::Link,
            "wasm-bpf:bpf/objects.open-options": crate::objects::OpenOptions,
            "wasm-bpf:bpf/objects.open-object": crate::objects::OpenObject,
            "wasm-bpf:bpf/objects.object": crate::objects::Object,
            "wasm-bpf:bpf/buffers.ring-buffer": crate::buffers::RingBuffer,
            "wasm-bpf:bpf/buffers.perf-buffer": crate::buffers::PerfBuffer,
            "wasm-bpf:bpf/buffers.user-ring-buffer": crate::buffers::UserRingBuffer,
            "wasm-bpf:bpf/btf.btf": crate::btf::Btf,
        },
    });
}

pub use generated::wasm_bpf::bpf::{
    btf, buffers, features, lifecycle, links, mapped_memory, maps, objects, perf_events, programs,
    query, sockets, symbols, types,
};

/// The same, with functions that wait instead of blocking their thread. Only those differ.
pub mod waiting {
    mod generated {
        wasmtime::component::bindgen!({
            path: "../wit",
            world: "wasm-bpf:bpf/imports",
            imports: {
                "wasm-bpf:bpf/buffers.[method]ring-buffer.poll": async | trappable,
                "wasm-bpf:bpf/buffers.[method]perf-buffer.poll": async | trappable,
                default: trappable,
            },
            require_store_data_send: true,
            trappable_error_type: {
                "wasm-bpf:bpf/types.error-code" => crate::error::CodeError,
                "wasm-bpf:bpf/types.error" => crate::error::Failure,
            },
            with: {
                "wasi:io": wasmtime_wasi::p2::bindings::sync::io,
            "wasi:filesystem": wasmtime_wasi::p2::bindings::sync::filesystem,
                "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
                "wasm-bpf:bpf/types": crate::bindings::types,
                "wasm-bpf:bpf/maps": crate::bindings::maps,
                "wasm-bpf:bpf/mapped-memory": crate::bindings::mapped_memory,
                "wasm-bpf:bpf/links": crate::bindings::links,
                "wasm-bpf:bpf/sockets": crate::bindings::sockets,
                "wasm-bpf:bpf/perf-events": crate::bindings::perf_events,
                "wasm-bpf:bpf/symbols": crate::bindings::symbols,
                "wasm-bpf:bpf/programs": crate::bindings::programs,
                "wasm-bpf:bpf/objects": crate::bindings::objects,
                "wasm-bpf:bpf/lifecycle": crate::bindings::lifecycle,
                "wasm-bpf:bpf/btf": crate::bindings::btf,
                "wasm-bpf:bpf/features": crate::bindings::features,
                "wasm-bpf:bpf/query": crate::bindings::query,
                "wasm-bpf:bpf/buffers.ring-buffer": crate::buffers::RingBuffer,
                "wasm-bpf:bpf/buffers.perf-buffer": crate::buffers::PerfBuffer,
                "wasm-bpf:bpf/buffers.user-ring-buffer": crate::buffers::UserRingBuffer,
            },
        });
    }

    pub use generated::wasm_bpf::bpf::buffers;
}
