//! `buffers.wit`.

mod packed;
mod perf_buffer;
mod ring;
mod ring_buffer;
mod stream;
mod user_ring_buffer;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

pub use self::perf_buffer::PerfBuffer;
pub use self::ring_buffer::RingBuffer;
pub use self::user_ring_buffer::UserRingBuffer;
use crate::bindings::buffers::{self as blocking, Records};
use crate::bindings::waiting::buffers as waiting;
use crate::ctx::WasmBpfCtxView;
use crate::error::{CodeResult, FailureResult};
use crate::maps::Map;

impl blocking::Host for WasmBpfCtxView<'_> {}

impl waiting::Host for WasmBpfCtxView<'_> {}

impl From<Records> for waiting::Records {
    fn from(records: Records) -> Self {
        let Records { packed, lost } = records;
        Self { packed, lost }
    }
}

/// The functions that do not wait, for one linker as for the other.
macro_rules! not_waiting {
    (ring-buffer, $bindings:ident) => {
        fn open(&mut self, rings: Vec<$bindings::Ring>) -> FailureResult<Resource<RingBuffer>> {
            let pair = |ring: $bindings::Ring| (ring.map, ring.lost_counter);
            self.open_ring_buffer(rings.into_iter().map(pair).collect())
        }

        not_waiting! { stream, RingBuffer }
    };
    (perf-buffer) => {
        fn open(&mut self, map: Resource<Map>, pages: u32) -> FailureResult<Resource<PerfBuffer>> {
            let buffer = PerfBuffer::open(self.ctx, self.table.get(&map)?, pages)?;
            Ok(self.table.push(buffer)?)
        }

        not_waiting! { stream, PerfBuffer }
    };
    (stream, $type:ident) => {
        fn subscribe(
            &mut self,
            buffer: Resource<$type>,
        ) -> wasmtime::Result<Resource<DynPollable>> {
            let ready = self.table.get(&buffer)?.ready(&self.ctx.usage)?;
            self.subscribe_to(ready)
        }

        fn available(&mut self, buffer: Resource<$type>) -> wasmtime::Result<u64> {
            Ok(self.table.get(&buffer)?.available())
        }

        fn drop(&mut self, buffer: Resource<$type>) -> wasmtime::Result<()> {
            self.table.delete(buffer)?;
            Ok(())
        }
    };
    (user-ring-buffer) => {
        fn open(&mut self, map: Resource<Map>) -> FailureResult<Resource<UserRingBuffer>> {
            let buffer = UserRingBuffer::open(self.ctx, self.table.get(&map)?)?;
            Ok(self.table.push(buffer)?)
        }

        fn write(&mut self, buffer: Resource<UserRingBuffer>, data: Vec<u8>) -> CodeResult<()> {
            self.table.get_mut(&buffer)?.write(&data)
        }

        fn subscribe(
            &mut self,
            buffer: Resource<UserRingBuffer>,
        ) -> wasmtime::Result<Resource<DynPollable>> {
            let has_room = self.table.get(&buffer)?.has_room(&self.ctx.usage)?;
            self.subscribe_to(has_room)
        }

        fn drop(&mut self, buffer: Resource<UserRingBuffer>) -> wasmtime::Result<()> {
            self.table.delete(buffer)?;
            Ok(())
        }
    };
}

impl blocking::HostRingBuffer for WasmBpfCtxView<'_> {
    fn poll(
        &mut self,
        buffer: Resource<RingBuffer>,
        timeout: Option<u64>,
        max_bytes: u32,
    ) -> CodeResult<Records> {
        self.table.get_mut(&buffer)?.poll(timeout, max_bytes)
    }

    not_waiting! { ring-buffer, blocking }
}

impl waiting::HostRingBuffer for WasmBpfCtxView<'_> {
    async fn poll(
        &mut self,
        buffer: Resource<RingBuffer>,
        timeout: Option<u64>,
        max_bytes: u32,
    ) -> CodeResult<waiting::Records> {
        let buffer = self.table.get_mut(&buffer)?;
        Ok(buffer.poll_async(timeout, max_bytes).await?.into())
    }

    not_waiting! { ring-buffer, waiting }
}

impl blocking::HostPerfBuffer for WasmBpfCtxView<'_> {
    fn poll(
        &mut self,
        buffer: Resource<PerfBuffer>,
        timeout: Option<u64>,
        max_bytes: u32,
    ) -> CodeResult<Records> {
        self.table.get_mut(&buffer)?.poll(timeout, max_bytes)
    }

    not_waiting! { perf-buffer }
}

impl waiting::HostPerfBuffer for WasmBpfCtxView<'_> {
    async fn poll(
        &mut self,
        buffer: Resource<PerfBuffer>,
        timeout: Option<u64>,
        max_bytes: u32,
    ) -> CodeResult<waiting::Records> {
        let buffer = self.table.get_mut(&buffer)?;
        Ok(buffer.poll_async(timeout, max_bytes).await?.into())
    }

    not_waiting! { perf-buffer }
}

impl blocking::HostUserRingBuffer for WasmBpfCtxView<'_> {
    not_waiting! { user-ring-buffer }
}

impl waiting::HostUserRingBuffer for WasmBpfCtxView<'_> {
    not_waiting! { user-ring-buffer }
}

impl WasmBpfCtxView<'_> {
    fn open_ring_buffer(
        &mut self,
        rings: Vec<(Resource<Map>, Option<Resource<Map>>)>,
    ) -> FailureResult<Resource<RingBuffer>> {
        let mut sources = Vec::new();
        for (map, counter) in &rings {
            let counter = counter
                .as_ref()
                .map(|counter| self.table.get(counter))
                .transpose()?;
            sources.push((self.table.get(map)?, counter));
        }
        let buffer = RingBuffer::open(self.ctx, sources)?;
        Ok(self.table.push(buffer)?)
    }

    pub(crate) fn subscribe_to(
        &mut self,
        ready: impl Pollable + 'static,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let ready = self.table.push(ready)?;
        subscribe(self.table, ready)
    }
}
