//! What the tests share: running the host, talking with what it runs, and asking the kernel what is left.
//!
//! The host, the guests and the examples are built by `make test`, which also tells where they are.

mod cgroup;
mod kernel;
mod netns;
mod run;
mod state;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

pub use cgroup::Cgroup;
pub use kernel::{Held, assert_gone, assert_nothing_new, everything, held};
pub use netns::Netns;
pub use run::{Finished, Output, Run, Running};
pub use state::State;
pub use wasm_bpf_conformance::mounts;
pub use wasm_bpf_conformance::trigger::Trigger;

/// How long anything may take before a test gives up. Long: a busy machine is no failure.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The directory that has the workspace's `Cargo.toml`.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests are in a directory of the workspace")
}

/// The host.
pub fn host() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| built("WASM_BPF", "target/debug/wasm-bpf"))
}

/// A guest of `tests/guests`.
pub fn guest(name: &str) -> PathBuf {
    component("WASM_BPF_TEST_GUESTS", "build/tests", name)
}

/// An example.
pub fn example(name: &str) -> PathBuf {
    component("WASM_BPF_EXAMPLES", "build/rust", name)
}

/// An example in C.
pub fn c_example(name: &str) -> PathBuf {
    component("WASM_BPF_C_EXAMPLES", "build/c", name)
}

/// A program of `tests/c`.
pub fn c_program(name: &str) -> PathBuf {
    component("WASM_BPF_C_PROGRAMS", "build/tests/c", name)
}

/// What the native compiler made of an example in C, or of a program of `tests/c`.
pub fn native(name: &str) -> PathBuf {
    let path = built("WASM_BPF_NATIVE", "build/native").join(name);
    assert!(path.exists(), "{} {MISSING}", path.display());
    path
}

/// All examples that were built.
pub fn examples() -> Vec<PathBuf> {
    let dir = built("WASM_BPF_EXAMPLES", "build/rust");
    let mut paths = std::fs::read_dir(&dir)
        .unwrap_or_else(|error| panic!("cannot list {}: {error}", dir.display()))
        .map(|entry| entry.expect("a directory can be listed").path())
        .filter(|path| path.to_string_lossy().ends_with(".component.wasm"))
        .collect::<Vec<_>>();
    paths.sort();
    paths
}

fn component(variable: &str, default: &str, name: &str) -> PathBuf {
    let path = built(variable, default).join(format!("{name}.component.wasm"));
    assert!(path.exists(), "{} {MISSING}", path.display());
    path
}

const MISSING: &str = "is not there: run the tests with `make test`, which builds it";

fn built(variable: &str, default: &str) -> PathBuf {
    let path = match std::env::var_os(variable) {
        Some(path) => PathBuf::from(path),
        None => workspace().join(default),
    };
    assert!(path.exists(), "{} {MISSING}", path.display());
    path
}
