//! What libbpf says, kept apart per call and per guest.
//!
//! libbpf has one print callback for the whole process, and the causes of open, CO-RE, BTF and map failures appear nowhere
//! else. It is installed once; each thread collects only while a guest's call runs on it. What is said on a thread where no
//! call runs goes to whoever had the callback before.

use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use libbpf_sys::{
    __va_list_tag, LIBBPF_INFO, LIBBPF_WARN, libbpf_print_fn_t, libbpf_print_level,
    libbpf_set_print,
};

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

static PREVIOUS: OnceLock<libbpf_print_fn_t> = OnceLock::new();

/// What a message may have; libbpf's own are a line or two.
const MAX_MESSAGE: usize = 16 << 10;

unsafe extern "C" {
    /// Of the C library. `va_list` is an array or is passed by reference on the machines that BPF runs on, so it is a pointer here.
    fn vsnprintf(
        buffer: *mut c_char,
        size: usize,
        format: *const c_char,
        arguments: *mut c_void,
    ) -> c_int;
}

/// libbpf's print callback. Not that of libbpf-rs, which panics, in a function that C called, at a name in an ELF file
/// that is not UTF-8.
unsafe extern "C" fn print(
    level: libbpf_print_level,
    format: *const c_char,
    arguments: *mut __va_list_tag,
) -> c_int {
    let has_listener = COLLECTOR.with_borrow(|collector| {
        let collector = collector.as_ref()?;
        Some(level == LIBBPF_WARN || collector.sink.is_some())
    });
    match has_listener {
        Some(true) => {}
        // Hundreds of steps in each load, which nobody wants to read.
        Some(false) => return 0,
        None => {
            return match PREVIOUS.get() {
                // SAFETY: the callback that was there before, with what it would have got.
                Some(Some(previous)) => unsafe { previous(level, format, arguments) },
                _ => 0,
            };
        }
    }
    let mut buffer = vec![0u8; MAX_MESSAGE];
    // SAFETY: the buffer has this size, and format and arguments are libbpf's, which fit each other.
    let length = unsafe {
        vsnprintf(
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            format,
            arguments.cast(),
        )
    };
    let length = usize::try_from(length).unwrap_or(0);
    let is_cut = length >= buffer.len();
    buffer.truncate(length.min(buffer.len() - 1));
    let mut message = String::from_utf8_lossy(&buffer).into_owned();
    if is_cut {
        message.push_str(" [cut]");
    }
    on_print(level, &message);
    0
}

fn on_print(level: libbpf_print_level, message: &str) {
    let text = message.trim_end();
    let text = text.strip_prefix("libbpf: ").unwrap_or(text);
    // The sink is the embedder's code: it may use libbpf itself, so nothing is borrowed while it runs.
    let sink = COLLECTOR.with_borrow_mut(|collector| {
        let collector = collector.as_mut()?;
        if level == LIBBPF_WARN && collector.warnings.len() < MAX_KEPT {
            collector.warnings.push(text.to_owned());
        }
        Some(collector.sink.clone())
    });
    if let Some(Some(sink)) = sink {
        let level = match level {
            LIBBPF_WARN => MessageLevel::Warning,
            LIBBPF_INFO => MessageLevel::Info,
            _ => MessageLevel::Debug,
        };
        // Called from C, which a panic must not cross. There is nobody to tell of it but the panic hook, which was told.
        let _ = catch_unwind(AssertUnwindSafe(|| sink(level, text)));
    }
}

/// Runs `call` and returns with its result the warnings that libbpf gave meanwhile on this thread.
pub(crate) fn collect<R>(sink: Option<&MessageSink>, call: impl FnOnce() -> R) -> (R, Vec<String>) {
    // SAFETY: the callback is a function, which is there for good.
    PREVIOUS.get_or_init(|| unsafe { libbpf_set_print(Some(print)) });
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
        let speak = |name: &str| on_print(LIBBPF_WARN, &format!("libbpf: {name}\n"));
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
                on_print(LIBBPF_WARN, "again");
            }
        });
        assert_eq!(heard.len(), MAX_KEPT);
    }
}
