//! Ring buffers.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use wasip2::io::poll::Pollable;

use super::records::{Entry, WINDOW, limit, next_entry};
use crate::MapCore;
use crate::bindings::{buffers, maps};
use crate::error::{Error, ErrorKind, Result, words};

type Callback<'cb> = Box<dyn FnMut(&[u8]) -> i32 + 'cb>;
type LostCallback<'cb> = Box<dyn FnMut(u64) + 'cb>;

/// Collects the rings of a [`RingBuffer`] and what is called for their records.
///
/// ```no_run
/// use std::time::Duration;
/// use wasm_bpf_guest::{Object, RingBufferBuilder};
///
/// # fn run(object: Object) -> wasm_bpf_guest::Result<()> {
/// let mut builder = RingBufferBuilder::new();
/// builder.add_counted(&object.map("events")?, &object.map("lost")?, |record| {
///     println!("{} bytes", record.len());
///     0
/// })?;
/// builder.on_lost(|count| eprintln!("{count} records lost"));
/// let ring = builder.build()?;
/// loop {
///     match ring.poll(Duration::MAX) {
///         Ok(()) => {}
///         Err(error) if error.is_interrupted() => return Ok(()),
///         Err(error) => return Err(error),
///     }
/// }
/// # }
/// ```
#[derive(Default)]
pub struct RingBufferBuilder<'cb> {
    rings: Vec<(Rc<maps::Map>, Option<Rc<maps::Map>>)>,
    callbacks: Vec<Callback<'cb>>,
    on_lost: Option<LostCallback<'cb>>,
}

impl<'cb> RingBufferBuilder<'cb> {
    /// A builder without rings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a `ringbuf` map. `callback` gets the data of each record; a negative answer stops the poll or consume that called it, which then
    /// fails with that number. Records that come after are kept for the next one.
    pub fn add(
        &mut self,
        map: &dyn MapCore,
        callback: impl FnMut(&[u8]) -> i32 + 'cb,
    ) -> Result<&mut Self> {
        self.rings.push((map.shared()?, None));
        self.callbacks.push(Box::new(callback));
        Ok(self)
    }

    /// Adds a `ringbuf` map and the counter that its programs raise for records that found no room (`WASM_BPF_LOST_COUNTER` of
    /// `wasm_bpf/ringbuf.bpf.h`). Rings may share one.
    pub fn add_counted(
        &mut self,
        map: &dyn MapCore,
        counter: &dyn MapCore,
        callback: impl FnMut(&[u8]) -> i32 + 'cb,
    ) -> Result<&mut Self> {
        self.rings.push((map.shared()?, Some(counter.shared()?)));
        self.callbacks.push(Box::new(callback));
        Ok(self)
    }

    /// Called with the number of records that were lost since it was called last.
    pub fn on_lost(&mut self, callback: impl FnMut(u64) + 'cb) -> &mut Self {
        self.on_lost = Some(Box::new(callback));
        self
    }

    /// Opens the buffer.
    pub fn build(self) -> Result<RingBuffer<'cb>> {
        let rings = self
            .rings
            .iter()
            .map(|(map, counter)| buffers::Ring {
                map,
                lost_counter: counter.as_deref(),
            })
            .collect::<Vec<_>>();
        let handle = buffers::RingBuffer::open(&rings)?;
        Ok(RingBuffer {
            handle,
            state: RefCell::new(State {
                callbacks: self.callbacks,
                on_lost: self.on_lost,
                packed: Vec::new(),
                at: 0,
                lost: 0,
            }),
        })
    }
}

/// Consumes one or several ring buffers: many records with each call of the host.
pub struct RingBuffer<'cb> {
    handle: buffers::RingBuffer,
    state: RefCell<State<'cb>>,
}

struct State<'cb> {
    callbacks: Vec<Callback<'cb>>,
    on_lost: Option<LostCallback<'cb>>,
    /// What the host returned; up to `at` it was handed out.
    packed: Vec<u8>,
    at: usize,
    lost: u64,
}

impl RingBuffer<'_> {
    /// Waits until there are records, at most for `timeout` ([`Duration::MAX`]: without limit), and hands out all that are there.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`], once, when a stop is asked for: see [`Error::is_interrupted`]. What a callback answered, if it was
    /// negative.
    pub fn poll(&self, timeout: Duration) -> Result<()> {
        match self.poll_raw(timeout)? {
            answer if answer < 0 => Err(Error::of_code(
                ErrorKind::Other(-answer),
                format!("a ring buffer callback answered {answer}"),
            )),
            _ => Ok(()),
        }
    }

    /// As [`poll`](Self::poll); how many records were handed out, or the negative answer of a callback.
    pub fn poll_raw(&self, timeout: Duration) -> Result<i32> {
        let mut count = 0i32;
        // Kept from a poll that a callback stopped.
        if self.hand_out(&mut count) < 0 {
            return Ok(count);
        }
        let mut timeout = if count > 0 { Duration::ZERO } else { timeout };
        loop {
            let records = match self.handle.poll(limit(timeout), WINDOW) {
                Ok(records) => records,
                // An interruption comes once, so it is told even if records were handed out.
                Err(code) => {
                    return Err(Error::of_code(
                        code,
                        format!("cannot poll the ring buffer: {}", words(code)),
                    ));
                }
            };
            self.tell_lost(records.lost);
            let end = records.packed.is_empty();
            {
                let mut state = self.state.borrow_mut();
                state.packed = records.packed;
                state.at = 0;
            }
            if self.hand_out(&mut count) < 0 {
                return Ok(count);
            }
            if end {
                return Ok(count);
            }
            // What came meanwhile, without waiting: libbpf's poll returns when the rings are empty too.
            timeout = Duration::ZERO;
        }
    }

    /// Hands out all records that are there, without waiting.
    pub fn consume(&self) -> Result<()> {
        self.poll(Duration::ZERO)
    }

    /// As [`consume`](Self::consume); how many records were handed out, or the negative answer of a callback.
    pub fn consume_raw(&self) -> Result<i32> {
        self.poll_raw(Duration::ZERO)
    }

    /// Records lost since the buffer was opened, as far as the rings have counters.
    pub fn lost(&self) -> u64 {
        self.state.borrow().lost
    }

    /// Bytes pending in the rings.
    pub fn available(&self) -> u64 {
        self.handle.available()
    }

    /// A pollable that is ready when [`poll`](Self::poll) would return at once.
    pub fn subscribe(&self) -> Pollable {
        self.handle.subscribe()
    }

    fn tell_lost(&self, lost: u64) {
        if lost == 0 {
            return;
        }
        let mut state = self.state.borrow_mut();
        state.lost = state.lost.saturating_add(lost);
        if let Some(on_lost) = &mut state.on_lost {
            on_lost(lost);
        }
    }

    /// Calls the callbacks; `count` becomes the answer of one that stops, and is returned.
    fn hand_out(&self, count: &mut i32) -> i32 {
        let mut state = self.state.borrow_mut();
        let State {
            callbacks,
            packed,
            at,
            ..
        } = &mut *state;
        let mut position = *at;
        let mut handed_out = 0i32;
        let mut stopped = 0;
        while let Some(entry) = next_entry(packed, &mut position) {
            // Rings have no entries that count losses: those are told apart.
            let Entry::Record { source, data } = entry else {
                continue;
            };
            let Some(callback) = callbacks.get_mut(source as usize) else {
                continue;
            };
            let answer = callback(data);
            if answer < 0 {
                stopped = answer;
                break;
            }
            handed_out += 1;
        }
        *at = position;
        *count = if stopped < 0 {
            stopped
        } else {
            count.saturating_add(handed_out)
        };
        stopped
    }
}
