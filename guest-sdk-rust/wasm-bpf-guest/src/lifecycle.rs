//! Being asked to stop, and ending.

use std::io::Write as _;

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
