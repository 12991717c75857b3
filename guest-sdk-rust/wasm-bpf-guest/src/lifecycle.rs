//! Being asked to stop, and ending.

use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use wasip2::io::poll::Pollable;

use crate::bindings::lifecycle;

/// Whether a stop was asked for: Ctrl-C, SIGTERM, or the host. Once true, it stays true.
pub fn stop_requested() -> bool {
    lifecycle::stop_requested()
}

/// A pollable that is ready from the moment a stop is asked for.
pub fn subscribe_stop() -> Pollable {
    lifecycle::subscribe_stop()
}

/// Sleeps until `deadline`, or without one for good, unless a stop is asked for. Whether one was.
///
/// ```no_run
/// use std::time::{Duration, Instant};
/// use wasm_bpf_guest::sleep_until;
///
/// let mut next = Instant::now();
/// loop {
///     // From deadline to deadline: the time for the work does not add up.
///     next += Duration::from_secs(1);
///     let is_stopped = sleep_until(Some(next));
///     println!("one more interval");
///     if is_stopped {
///         break;
///     }
/// }
/// ```
pub fn sleep_until(deadline: Option<Instant>) -> bool {
    const LONG: Duration = Duration::from_secs(24 * 60 * 60);
    loop {
        // A stop ends a sleep early, also one that begins after it.
        if stop_requested() {
            return true;
        }
        let left = deadline.map_or(LONG, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        });
        if left.is_zero() {
            return false;
        }
        thread::sleep(left);
    }
}

/// Ends the component with an exit code.
///
/// Use it in place of [`std::process::exit`], and of returning an [`ExitCode`](std::process::ExitCode) from `main`: those go through an older
/// WASI function that knows success and failure only, so that 3 arrives as 1. As with them, destructors are not run; the
/// host detaches and unloads what is left.
pub fn exit(code: u8) -> ! {
    // What is still in the buffers would be lost. There is nobody left to tell of a failure.
    let _ = std::io::stdout().flush();
    let _ = std::io::stderr().flush();
    wasip2::cli::exit::exit_with_code(code);
    unreachable!("the host ended the component");
}
