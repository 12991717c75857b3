//! What libbpf says, kept apart per call and per guest.
//!
//! libbpf has one print callback for the whole process, and the causes of open, CO-RE, BTF and map failures appear nowhere
//! else. It is installed once; each thread collects only while a guest's call runs on it. What is said on a thread where no
//! call runs goes to whoever had the callback before.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use libbpf_rs::{PrintCallback, PrintLevel};

/// How important a message of libbpf is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageLevel {
    /// Something failed or is likely to.
    Warning,
    /// Of general interest.
    Info,
    /// Each step that libbpf takes; verifier logs that were asked for.
    Debug,
}

/// Receives what libbpf says during a guest's calls, a message at a time.
pub type MessageSink = Arc<dyn Fn(MessageLevel, &str) + Send + Sync>;

/// A broken object can make libbpf repeat itself for each of its parts.
const MAX_KEPT: usize = 200;

struct Collector {
    sink: Option<MessageSink>,
    warnings: Vec<String>,
}

thread_local! {
    static COLLECTOR: RefCell<Option<Collector>> = const { RefCell::new(None) };
}

static PREVIOUS: OnceLock<Option<(PrintLevel, PrintCallback)>> = OnceLock::new();

fn on_print(level: PrintLevel, message: String) {
    let text = message.trim_end();
    let text = text.strip_prefix("libbpf: ").unwrap_or(text);
    // The sink is the embedder's code: it may use libbpf itself, so nothing is borrowed while it runs.
    let sink = COLLECTOR.with_borrow_mut(|collector| {
        let collector = collector.as_mut()?;
        if level == PrintLevel::Warn && collector.warnings.len() < MAX_KEPT {
            collector.warnings.push(text.to_owned());
        }
        Some(collector.sink.clone())
    });
    match sink {
        Some(Some(sink)) => {
            let level = match level {
                PrintLevel::Warn => MessageLevel::Warning,
                PrintLevel::Info => MessageLevel::Info,
                PrintLevel::Debug => MessageLevel::Debug,
            };
            // Called from C, which a panic must not cross. There is nobody to tell of it but the panic hook, which was told.
            let _ = catch_unwind(AssertUnwindSafe(|| sink(level, text)));
        }
        Some(None) => {}
        None => {
            if let Some(Some((least, previous))) = PREVIOUS.get()
                && level <= *least
            {
                previous(level, message);
            }
        }
    }
}

/// Runs `call` and returns with its result the warnings that libbpf gave meanwhile on this thread.
pub(crate) fn collect<R>(sink: Option<&MessageSink>, call: impl FnOnce() -> R) -> (R, Vec<String>) {
    PREVIOUS.get_or_init(|| libbpf_rs::set_print(Some((PrintLevel::Debug, on_print))));
    let outer = COLLECTOR.replace(Some(Collector {
        sink: sink.cloned(),
        warnings: Vec::new(),
    }));
    let result = call();
    let collector = COLLECTOR.replace(outer);
    (
        result,
        collector
            .map(|collector| collector.warnings)
            .unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_do_not_hear_each_other() {
        let speak = |name: &str| on_print(PrintLevel::Warn, format!("libbpf: {name}\n"));
        let barrier = std::sync::Barrier::new(2);
        let one = |name: &str| {
            let ((), heard) = collect(None, || {
                barrier.wait();
                speak(name);
                barrier.wait();
            });
            heard
        };
        std::thread::scope(|scope| {
            let a = scope.spawn(|| one("a"));
            let b = scope.spawn(|| one("b"));
            assert_eq!(a.join().unwrap(), ["a"]);
            assert_eq!(b.join().unwrap(), ["b"]);
        });
    }

    #[test]
    fn a_flood_is_cut() {
        let ((), heard) = collect(None, || {
            for _ in 0..1000 {
                on_print(PrintLevel::Warn, "again".into());
            }
        });
        assert_eq!(heard.len(), MAX_KEPT);
    }
}
