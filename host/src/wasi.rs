//! WASI whose waits know about the stop request.
//!
//! WASI has no word for "interrupted": a sleep, a poll or a blocking read or write would hold a component for as long as it
//! likes. The functions here take the place of WASI's own; each waits for what it always did, or for the stop.
//!
//! What an interrupted wait returns, once for each request: `poll` says that everything is ready, and `block` returns (both
//! are allowed to be wrong: who waits for readiness tries again); a blocking operation on a stream fails with an error, since an empty answer would
//! mean the end of the stream and lose what comes later.

use std::future::Future;
use std::pin::pin;

use bytes::Bytes;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::p2::bindings::io as waiting;
use wasmtime_wasi::p2::bindings::sync::io as blocking;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, DynPollable, OutputStream, StreamError, StreamResult,
};
use wasmtime_wasi::runtime::{poll_noop, with_ambient_tokio_runtime};

use crate::ctx::WasmBpfView;
use crate::lifecycle::Stop;
use crate::pipes;

/// Adds all of WASI 0.2 to a linker for blocking calls, with waits that end when a stop is asked for. In place of
/// [`wasmtime_wasi::p2::add_to_linker_sync`].
pub fn add_to_linker_sync<T>(linker: &mut Linker<T>) -> wasmtime::Result<()>
where
    T: WasiView + WasmBpfView + 'static,
{
    wasmtime_wasi::p2::add_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    pipes::add_to_linker(linker)?;
    blocking::poll::add_to_linker::<T, HasStoppable>(linker, stoppable)?;
    blocking::streams::add_to_linker::<T, HasStoppable>(linker, stoppable)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Adds all of WASI 0.2 to a linker for async calls, with waits that end when a stop is asked for. In place of
/// [`wasmtime_wasi::p2::add_to_linker_async`].
pub fn add_to_linker_async<T>(linker: &mut Linker<T>) -> wasmtime::Result<()>
where
    T: WasiView + WasmBpfView + 'static,
{
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    pipes::add_to_linker(linker)?;
    waiting::poll::add_to_linker::<T, HasStoppable>(linker, stoppable)?;
    waiting::streams::add_to_linker::<T, HasStoppable>(linker, stoppable)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What the functions here work on.
struct Stoppable<'a> {
    table: &'a mut ResourceTable,
    stop: Stop,
}

struct HasStoppable;

impl HasData for HasStoppable {
    type Data<'a> = Stoppable<'a>;
}

fn stoppable<T: WasmBpfView>(data: &mut T) -> Stoppable<'_> {
    let view = data.bpf();
    Stoppable {
        stop: view.ctx.stop(),
        table: view.table,
    }
}

fn interrupted() -> StreamError {
    StreamError::LastOperationFailed(wasmtime::Error::msg(
        "interrupted: the component was asked to stop",
    ))
}

/// `wait`, unless the stop comes first. What is ready goes before the stop.
async fn unless_stopped<R>(stop: &Stop, wait: impl Future<Output = R>) -> Option<R> {
    tokio::select! {
        biased;
        result = wait => Some(result),
        () = stop.wasi_interrupted() => None,
    }
}

async fn stream_unless_stopped<R>(
    stop: &Stop,
    wait: impl Future<Output = StreamResult<R>>,
) -> StreamResult<R> {
    unless_stopped(stop, wait)
        .await
        .unwrap_or_else(|| Err(interrupted()))
}

/// Runs a wait to its end on this thread. The runtime, with its threads, is only started by a wait that is not over at once.
fn block_on<R>(wait: impl Future<Output = R>) -> R {
    let mut wait = pin!(wait);
    with_ambient_tokio_runtime(|| {
        if let Some(result) = poll_noop(wait.as_mut()) {
            return result;
        }
        tokio::runtime::Handle::current().block_on(async {
            // Lets the runtime see to what happened outside before the same readiness is asked for once more.
            tokio::task::yield_now().await;
            wait.await
        })
    })
}

async fn poll(
    view: &mut Stoppable<'_>,
    pollables: Vec<Resource<DynPollable>>,
) -> wasmtime::Result<Vec<u32>> {
    let count = pollables.len() as u32;
    let wait = waiting::poll::Host::poll(view.table, pollables);
    unless_stopped(&view.stop, wait)
        .await
        .unwrap_or_else(|| Ok((0..count).collect()))
}

async fn block(view: &mut Stoppable<'_>, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
    let wait = waiting::poll::HostPollable::block(view.table, pollable);
    unless_stopped(&view.stop, wait).await.unwrap_or(Ok(()))
}

/// What a component may hand to one blocking write, by WASI's rules.
const MAX_BLOCKING_WRITE: u64 = 4096;

/// Writes and flushes if the stream takes it at once; whether it did. What is left stays in `bytes`.
fn write_at_once(stream: &mut dyn OutputStream, bytes: &mut Bytes) -> StreamResult<bool> {
    while !bytes.is_empty() {
        let room = stream.check_write()?;
        if room == 0 {
            return Ok(false);
        }
        stream.write(bytes.split_to(bytes.len().min(room)))?;
    }
    stream.flush()?;
    match stream.check_write() {
        Ok(room) => Ok(room > 0),
        // Closed after the last byte: nothing was lost.
        Err(StreamError::Closed) => Ok(true),
        Err(error) => Err(error),
    }
}

fn check_blocking_write(length: u64) -> StreamResult<()> {
    if length > MAX_BLOCKING_WRITE {
        return Err(StreamError::trap(
            "a blocking write takes 4096 bytes at most",
        ));
    }
    Ok(())
}

impl Stoppable<'_> {
    /// Writes, and waits on this thread only if it must: starting the runtime for each line of output would cost more
    /// than the line.
    fn write_blocking(
        &mut self,
        stream: &Resource<DynOutputStream>,
        bytes: Vec<u8>,
    ) -> StreamResult<()> {
        check_blocking_write(bytes.len() as u64)?;
        let stream = self.table.get_mut(stream)?;
        let mut bytes = Bytes::from(bytes);
        if write_at_once(&mut **stream, &mut bytes)? {
            return Ok(());
        }
        block_on(stream_unless_stopped(
            &self.stop,
            stream.blocking_write_and_flush(bytes),
        ))
    }
}

impl blocking::poll::Host for Stoppable<'_> {
    fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        block_on(poll(self, pollables))
    }
}

impl blocking::poll::HostPollable for Stoppable<'_> {
    fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        blocking::poll::HostPollable::ready(self.table, pollable)
    }

    fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        block_on(block(self, pollable))
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        blocking::poll::HostPollable::drop(self.table, pollable)
    }
}

impl blocking::streams::Host for Stoppable<'_> {
    fn convert_stream_error(
        &mut self,
        error: StreamError,
    ) -> wasmtime::Result<blocking::streams::StreamError> {
        blocking::streams::Host::convert_stream_error(self.table, error)
    }
}

impl blocking::streams::HostInputStream for Stoppable<'_> {
    fn read(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<Vec<u8>> {
        waiting::streams::HostInputStream::read(self.table, stream, length)
    }

    fn blocking_read(
        &mut self,
        stream: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<Vec<u8>> {
        let wait = waiting::streams::HostInputStream::blocking_read(self.table, stream, length);
        block_on(stream_unless_stopped(&self.stop, wait))
    }

    fn skip(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<u64> {
        waiting::streams::HostInputStream::skip(self.table, stream, length)
    }

    fn blocking_skip(
        &mut self,
        stream: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        let wait = waiting::streams::HostInputStream::blocking_skip(self.table, stream, length);
        block_on(stream_unless_stopped(&self.stop, wait))
    }

    fn subscribe(
        &mut self,
        stream: Resource<DynInputStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        waiting::streams::HostInputStream::subscribe(self.table, stream)
    }

    fn drop(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<()> {
        block_on(waiting::streams::HostInputStream::drop(self.table, stream))
    }
}

impl blocking::streams::HostOutputStream for Stoppable<'_> {
    fn check_write(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<u64> {
        waiting::streams::HostOutputStream::check_write(self.table, stream)
    }

    fn write(&mut self, stream: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        waiting::streams::HostOutputStream::write(self.table, stream, bytes)
    }

    fn blocking_write_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        bytes: Vec<u8>,
    ) -> StreamResult<()> {
        self.write_blocking(&stream, bytes)
    }

    fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        length: u64,
    ) -> StreamResult<()> {
        check_blocking_write(length)?;
        self.write_blocking(&stream, vec![0; length as usize])
    }

    fn subscribe(
        &mut self,
        stream: Resource<DynOutputStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        waiting::streams::HostOutputStream::subscribe(self.table, stream)
    }

    fn write_zeroes(&mut self, stream: Resource<DynOutputStream>, length: u64) -> StreamResult<()> {
        waiting::streams::HostOutputStream::write_zeroes(self.table, stream, length)
    }

    fn flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        waiting::streams::HostOutputStream::flush(self.table, stream)
    }

    fn blocking_flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        let wait = waiting::streams::HostOutputStream::blocking_flush(self.table, stream);
        block_on(stream_unless_stopped(&self.stop, wait))
    }

    fn splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        waiting::streams::HostOutputStream::splice(self.table, to, from, length)
    }

    fn blocking_splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        let wait =
            waiting::streams::HostOutputStream::blocking_splice(self.table, to, from, length);
        block_on(stream_unless_stopped(&self.stop, wait))
    }

    fn drop(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<()> {
        block_on(waiting::streams::HostOutputStream::drop(self.table, stream))
    }
}

impl waiting::poll::Host for Stoppable<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        poll(self, pollables).await
    }
}

impl waiting::poll::HostPollable for Stoppable<'_> {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        waiting::poll::HostPollable::ready(self.table, pollable).await
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        block(self, pollable).await
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        waiting::poll::HostPollable::drop(self.table, pollable)
    }
}

impl waiting::streams::Host for Stoppable<'_> {
    fn convert_stream_error(
        &mut self,
        error: StreamError,
    ) -> wasmtime::Result<waiting::streams::StreamError> {
        waiting::streams::Host::convert_stream_error(self.table, error)
    }
}

impl waiting::streams::HostInputStream for Stoppable<'_> {
    fn read(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<Vec<u8>> {
        waiting::streams::HostInputStream::read(self.table, stream, length)
    }

    async fn blocking_read(
        &mut self,
        stream: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<Vec<u8>> {
        let wait = waiting::streams::HostInputStream::blocking_read(self.table, stream, length);
        stream_unless_stopped(&self.stop, wait).await
    }

    fn skip(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<u64> {
        waiting::streams::HostInputStream::skip(self.table, stream, length)
    }

    async fn blocking_skip(
        &mut self,
        stream: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        let wait = waiting::streams::HostInputStream::blocking_skip(self.table, stream, length);
        stream_unless_stopped(&self.stop, wait).await
    }

    fn subscribe(
        &mut self,
        stream: Resource<DynInputStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        waiting::streams::HostInputStream::subscribe(self.table, stream)
    }

    async fn drop(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<()> {
        waiting::streams::HostInputStream::drop(self.table, stream).await
    }
}

impl waiting::streams::HostOutputStream for Stoppable<'_> {
    fn check_write(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<u64> {
        waiting::streams::HostOutputStream::check_write(self.table, stream)
    }

    fn write(&mut self, stream: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        waiting::streams::HostOutputStream::write(self.table, stream, bytes)
    }

    async fn blocking_write_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        bytes: Vec<u8>,
    ) -> StreamResult<()> {
        let wait =
            waiting::streams::HostOutputStream::blocking_write_and_flush(self.table, stream, bytes);
        stream_unless_stopped(&self.stop, wait).await
    }

    async fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        length: u64,
    ) -> StreamResult<()> {
        let wait = waiting::streams::HostOutputStream::blocking_write_zeroes_and_flush(
            self.table, stream, length,
        );
        stream_unless_stopped(&self.stop, wait).await
    }

    fn subscribe(
        &mut self,
        stream: Resource<DynOutputStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        waiting::streams::HostOutputStream::subscribe(self.table, stream)
    }

    fn write_zeroes(&mut self, stream: Resource<DynOutputStream>, length: u64) -> StreamResult<()> {
        waiting::streams::HostOutputStream::write_zeroes(self.table, stream, length)
    }

    fn flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        waiting::streams::HostOutputStream::flush(self.table, stream)
    }

    async fn blocking_flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        let wait = waiting::streams::HostOutputStream::blocking_flush(self.table, stream);
        stream_unless_stopped(&self.stop, wait).await
    }

    fn splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        waiting::streams::HostOutputStream::splice(self.table, to, from, length)
    }

    async fn blocking_splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        let wait =
            waiting::streams::HostOutputStream::blocking_splice(self.table, to, from, length);
        stream_unless_stopped(&self.stop, wait).await
    }

    async fn drop(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<()> {
        waiting::streams::HostOutputStream::drop(self.table, stream).await
    }
}
