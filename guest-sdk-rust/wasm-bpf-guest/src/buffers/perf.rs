//! Perf buffers.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use wasip2::io::poll::Pollable;

use super::records::{Entry, WINDOW, limit, next_entry};
use crate::MapCore;
use crate::bindings::{buffers, maps};
use crate::error::{Error, Result, words};

type SampleCallback<'cb> = Box<dyn FnMut(i32, &[u8]) + 'cb>;
type LostCallback<'cb> = Box<dyn FnMut(i32, u64) + 'cb>;

/// Builds a [`PerfBuffer`].
///
/// ```no_run
/// use std::time::Duration;
/// use wasm_bpf_guest::{Object, PerfBufferBuilder};
///
/// # fn run(object: Object) -> wasm_bpf_guest::Result<()> {
/// let perf = PerfBufferBuilder::new(&object.map("events")?)
///     .sample_cb(|cpu, data| println!("CPU {cpu}: {} bytes", data.len()))
///     .lost_cb(|cpu, count| eprintln!("CPU {cpu}: {count} records lost"))
///     .pages(64)
///     .build()?;
/// loop {
///     match perf.poll(Duration::MAX) {
///         Ok(()) => {}
///         Err(error) if error.is_interrupted() => return Ok(()),
///         Err(error) => return Err(error),
///     }
/// }
/// # }
/// ```
pub struct PerfBufferBuilder<'cb> {
    map: Result<Rc<maps::Map>>,
    pages: usize,
    sample_cb: Option<SampleCallback<'cb>>,
    lost_cb: Option<LostCallback<'cb>>,
}

impl<'cb> PerfBufferBuilder<'cb> {
    /// A buffer over a `perf-event-array`, with 64 pages for each CPU.
    pub fn new(map: &dyn MapCore) -> Self {
        Self {
            map: map.shared(),
            pages: 64,
            sample_cb: None,
            lost_cb: None,
        }
    }

    /// Called with the CPU and the data of each record. The kernel pads the data, to a length that is 4 less than a multiple of 8: read the front of
    /// it as the type that the program wrote.
    pub fn sample_cb(mut self, callback: impl FnMut(i32, &[u8]) + 'cb) -> Self {
        self.sample_cb = Some(Box::new(callback));
        self
    }

    /// Called with a CPU and the number of records that were lost there since it was called last.
    pub fn lost_cb(mut self, callback: impl FnMut(i32, u64) + 'cb) -> Self {
        self.lost_cb = Some(Box::new(callback));
        self
    }

    /// The size of the buffer of each CPU in pages of memory: a power of two.
    pub fn pages(mut self, pages: usize) -> Self {
        self.pages = pages;
        self
    }

    /// Opens the buffer.
    pub fn build(self) -> Result<PerfBuffer<'cb>> {
        // What does not fit is more than there is memory, which the host says.
        let pages = u32::try_from(self.pages).unwrap_or(u32::MAX);
        let handle = buffers::PerfBuffer::open(&*self.map?, pages)?;
        Ok(PerfBuffer {
            handle,
            state: RefCell::new(State {
                sample_cb: self.sample_cb,
                lost_cb: self.lost_cb,
                lost: 0,
            }),
        })
    }
}

/// Consumes the buffers of all CPUs: many records with each call of the host.
pub struct PerfBuffer<'cb> {
    handle: buffers::PerfBuffer,
    state: RefCell<State<'cb>>,
}

struct State<'cb> {
    sample_cb: Option<SampleCallback<'cb>>,
    lost_cb: Option<LostCallback<'cb>>,
    lost: u64,
}

impl PerfBuffer<'_> {
    /// Waits until there are records, at most for `timeout` ([`Duration::MAX`]: without limit), and hands out all that are there.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted), once, when a stop is asked for: see [`Error::is_interrupted`].
    pub fn poll(&self, mut timeout: Duration) -> Result<()> {
        loop {
            let records = self.handle.poll(limit(timeout), WINDOW).map_err(|code| {
                Error::of_code(
                    code,
                    format!("cannot poll the perf buffer: {}", words(code)),
                )
            })?;
            self.hand_out(&records);
            if records.packed.is_empty() {
                return Ok(());
            }
            // What came meanwhile, without waiting.
            timeout = Duration::ZERO;
        }
    }

    /// Hands out all records that are there, without waiting.
    pub fn consume(&self) -> Result<()> {
        self.poll(Duration::ZERO)
    }

    /// Records lost since the buffer was opened.
    pub fn lost(&self) -> u64 {
        self.state.borrow().lost
    }

    /// Bytes pending on all CPUs.
    pub fn available(&self) -> u64 {
        self.handle.available()
    }

    /// A pollable that is ready when [`poll`](Self::poll) would return at once.
    pub fn subscribe(&self) -> Pollable {
        self.handle.subscribe()
    }

    fn hand_out(&self, records: &buffers::Records) {
        let mut state = self.state.borrow_mut();
        let State {
            sample_cb,
            lost_cb,
            lost,
        } = &mut *state;
        *lost = lost.saturating_add(records.lost);
        let mut at = 0;
        while let Some(entry) = next_entry(&records.packed, &mut at) {
            // There are no 2^31 CPUs.
            match entry {
                Entry::Record { source, data } => {
                    if let Some(callback) = sample_cb {
                        callback(source as i32, data);
                    }
                }
                Entry::Lost { source, count } => {
                    if let Some(callback) = lost_cb {
                        callback(source as i32, count);
                    }
                }
            }
        }
    }
}
