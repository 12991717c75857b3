//! What the command itself says, on standard error. Colour only on a terminal, and not with NO_COLOR.
//!
//! A standard error that takes nothing is no reason to fail: what is said is dropped then.

use std::io::Write as _;

use clap::builder::styling::{AnsiColor, Style};
use wasm_bpf_host::MessageLevel;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const NOTE: Style = AnsiColor::Yellow.on_default();

/// An error with its causes: what failed first, why below it.
pub fn error(error: &anyhow::Error) {
    let _ = writeln!(anstream::stderr(), "{ERROR}error:{ERROR:#} {error}");
    for cause in error.chain().skip(1) {
        let _ = writeln!(
            anstream::stderr(),
            "  {}",
            cause.to_string().replace('\n', "\n  ")
        );
    }
}

pub fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{NOTE}wasm-bpf:{NOTE:#} {text}");
}

/// A message of libbpf.
pub fn libbpf(level: MessageLevel, text: &str) {
    let style = if level == MessageLevel::Warning {
        NOTE
    } else {
        Style::new()
    };
    let _ = writeln!(anstream::stderr(), "{style}libbpf:{style:#} {text}");
}
