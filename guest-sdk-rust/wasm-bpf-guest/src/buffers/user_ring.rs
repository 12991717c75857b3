//! User ring buffers.

use std::ops::{Deref, DerefMut};

use wasip2::io::poll::Pollable;

use crate::MapCore;
use crate::bindings::buffers;
use crate::error::{Error, Result, words};

/// Sends records to programs, which take them with bpf_user_ringbuf_drain. Kernel 6.1.
///
/// ```no_run
/// use wasm_bpf_guest::{ErrorKind, Object, UserRingBuffer};
///
/// # fn run(object: Object) -> wasm_bpf_guest::Result<()> {
/// let ring = UserRingBuffer::new(&object.map("commands")?)?;
/// match ring.write(&7u32.to_ne_bytes()) {
///     Err(error) if matches!(error.kind(), ErrorKind::NoSpace) => {
///         println!("the program has not drained the ring");
///         Ok(())
///     }
///     other => other,
/// }
/// # }
/// ```
pub struct UserRingBuffer {
    handle: buffers::UserRingBuffer,
}

impl UserRingBuffer {
    /// Opens a producer over a `user-ringbuf`. A ring has one at a time.
    pub fn new(map: &dyn MapCore) -> Result<Self> {
        Ok(Self {
            handle: buffers::UserRingBuffer::open(map.handle()?)?,
        })
    }

    /// Writes a record, whole or not at all.
    ///
    /// # Errors
    /// [`ErrorKind::NoSpace`](crate::ErrorKind::NoSpace) if no program has made room for it yet; [`ErrorKind::WrongSize`](crate::ErrorKind::WrongSize) if it is
    /// larger than the ring.
    pub fn write(&self, data: &[u8]) -> Result<()> {
        self.handle.write(data).map_err(|code| {
            let text = format!(
                "cannot write {} bytes to the user ring buffer: {}",
                data.len(),
                words(code)
            );
            Error::of_code(code, text)
        })
    }

    /// A record of `size` zeros to fill in and [`submit`](Self::submit). It is made in the component's own memory: room in the ring is looked for
    /// when it is submitted, and a record that is dropped was never there.
    pub fn reserve(&self, size: usize) -> Result<UserRingBufferSample> {
        Ok(UserRingBufferSample {
            data: vec![0; size],
        })
    }

    /// Writes a record that [`reserve`](Self::reserve) made. Fails as [`write`](Self::write) does.
    pub fn submit(&self, sample: UserRingBufferSample) -> Result<()> {
        self.write(&sample.data)
    }

    /// A pollable that is ready when the ring is not full.
    pub fn subscribe(&self) -> Pollable {
        self.handle.subscribe()
    }
}

/// A record to be submitted to a [`UserRingBuffer`].
pub struct UserRingBufferSample {
    data: Vec<u8>,
}

impl Deref for UserRingBufferSample {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.data
    }
}

impl DerefMut for UserRingBufferSample {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }
}
