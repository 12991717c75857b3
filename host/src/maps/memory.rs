//! What a map takes of the limits, and what it keeps in the kernel.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::policy::Reservation;

/// What a map takes of the limits. All that keeps the map in the kernel holds this: its object, handles, buffers.
///
/// The kernel keeps maps and programs that are stored in a map, also when nothing else does. They go on counting until they are
/// taken out or the map is gone. Nothing here goes in a circle: maps of maps hold maps that hold nothing, and programs hold of a
/// program array only what it counts itself; the kernel empties an array that no process has any more.
#[derive(Debug)]
pub(crate) struct MapMemory {
    reservation: Arc<Reservation>,
    stored: Mutex<Contents>,
    has_perf_buffer: AtomicBool,
    /// Programs that act on sockets that are stored. Weak: they hold their maps.
    attached: Mutex<Vec<Weak<ProgramMemory>>>,
}

#[derive(Debug, Default)]
struct Contents {
    /// What components stored, by key.
    by_key: HashMap<Vec<u8>, Kept>,
    /// What may have been in it from the start.
    declared: Vec<Kept>,
}

/// Something that a map keeps in the kernel.
#[derive(Debug)]
pub(crate) enum Kept {
    Map(#[expect(dead_code, reason = "held")] Arc<MapMemory>),
    Program(#[expect(dead_code, reason = "held")] Arc<ProgramMemory>),
    /// A queue for packets of a CPU, with the program that runs there.
    Queue(
        #[expect(dead_code, reason = "held")] Reservation,
        #[expect(dead_code, reason = "held")] Option<Arc<ProgramMemory>>,
    ),
    /// Something that takes next to nothing, in place of what was there.
    Nothing,
    PerfEvent(#[expect(dead_code, reason = "held")] Arc<Reservation>),
}

/// What a program takes of the limits, and with it the maps of its object, which it may use.
#[derive(Debug)]
pub(crate) struct ProgramMemory {
    _reservation: Reservation,
    _maps: Vec<Arc<MapMemory>>,
    _arrays: Vec<Arc<Reservation>>,
    /// The program that it was loaded for, which the kernel keeps as long as this one. Never in a circle: it was there before.
    _target: Option<Arc<ProgramMemory>>,
}

impl ProgramMemory {
    /// `maps` are those of the object, with whether each is a program array; `target` the program that this one is for.
    pub(crate) fn new<'a>(
        reservation: Reservation,
        maps: impl Iterator<Item = (&'a Arc<MapMemory>, bool)>,
        target: Option<Arc<ProgramMemory>>,
    ) -> Self {
        let (arrays, maps): (Vec<_>, Vec<_>) = maps.partition(|(_, is_array)| *is_array);
        Self {
            _reservation: reservation,
            _maps: maps.into_iter().map(|(map, _)| Arc::clone(map)).collect(),
            _arrays: arrays
                .into_iter()
                .map(|(map, _)| Arc::clone(&map.reservation))
                .collect(),
            _target: target,
        }
    }
}

/// That a perf buffer is open over a map.
#[derive(Debug)]
pub(crate) struct OpenedPerfBuffer(Arc<MapMemory>);

impl Drop for OpenedPerfBuffer {
    fn drop(&mut self) {
        self.0.has_perf_buffer.store(false, Ordering::SeqCst);
    }
}

impl MapMemory {
    pub(crate) fn new(reservation: Reservation) -> Self {
        Self {
            reservation: Arc::new(reservation),
            stored: Mutex::default(),
            has_perf_buffer: AtomicBool::new(false),
            attached: Mutex::default(),
        }
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        // Nothing that runs under the lock leaves it half changed.
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was stored under a key, in place of what was there.
    pub(super) fn keep(&self, key: &[u8], kept: Kept) {
        match kept {
            Kept::Nothing => self.contents().by_key.remove(key),
            kept => self.contents().by_key.insert(key.to_vec(), kept),
        };
    }

    /// What was stored under a key is not there any more.
    pub(super) fn let_go(&self, key: &[u8]) {
        self.contents().by_key.remove(key);
    }

    /// The object that declares the map may have put this into it.
    pub(crate) fn keep_declared(&self, kept: Kept) {
        self.contents().declared.push(kept);
    }

    /// A program was attached to this map of sockets.
    pub(crate) fn attach(&self, program: &Arc<ProgramMemory>) {
        let mut attached = self.attached.lock().unwrap_or_else(PoisonError::into_inner);
        attached.retain(|program| program.strong_count() > 0);
        attached.push(Arc::downgrade(program));
    }

    /// What a socket that is stored now keeps in the kernel as long as it is open.
    pub(super) fn attached(&self) -> Vec<Arc<ProgramMemory>> {
        let attached = self.attached.lock().unwrap_or_else(PoisonError::into_inner);
        attached.iter().filter_map(Weak::upgrade).collect()
    }

    /// Whether a perf buffer is open over the map: it would take out what others stored.
    pub(super) fn has_perf_buffer(&self) -> bool {
        self.has_perf_buffer.load(Ordering::SeqCst)
    }

    /// Whether a component stored events, which a perf buffer would replace.
    pub(crate) fn keeps_perf_events(&self) -> bool {
        let contents = self.contents();
        let mut kept = contents.by_key.values();
        kept.any(|kept| matches!(kept, Kept::PerfEvent(_)))
    }

    /// Marks that there is a perf buffer; none if there was one.
    pub(crate) fn open_perf_buffer(self: Arc<Self>) -> Option<OpenedPerfBuffer> {
        let had_one = self.has_perf_buffer.swap(true, Ordering::SeqCst);
        (!had_one).then_some(OpenedPerfBuffer(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Limits, Need, Usage};

    fn usage() -> Usage {
        Usage::new(Limits {
            maps: 2,
            ..Limits::default()
        })
    }

    fn map(usage: &Usage) -> Option<Arc<MapMemory>> {
        let need = Need {
            maps: 1,
            ..Need::default()
        };
        Some(Arc::new(MapMemory::new(usage.reserve(need).ok()?)))
    }

    #[test]
    fn what_is_stored_counts_until_it_is_taken_out() {
        let usage = usage();
        let outer = map(&usage).unwrap();
        outer.keep(b"key", Kept::Map(map(&usage).unwrap()));
        // Its own handle is gone, and yet it counts.
        assert!(map(&usage).is_none());
        outer.let_go(b"other");
        assert!(map(&usage).is_none());
        outer.let_go(b"key");
        let second = map(&usage).unwrap();
        outer.keep(b"key", Kept::Map(second));
        assert!(map(&usage).is_none());
        drop(outer);
        assert!(map(&usage).is_some());
    }
}
