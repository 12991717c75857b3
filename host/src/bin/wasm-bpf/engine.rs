//! The engine that compiles and runs components, and the cache of what it compiled.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::PathBuf;

use anyhow::Context as _;
use wasmtime::{Cache, CacheConfig, Engine};

/// An engine that generates code for this very CPU, or for any of its architecture. Without a cache it compiles each time.
pub fn new(cache: Option<Cache>, any_cpu: bool) -> anyhow::Result<Engine> {
    create(cache, any_cpu)
        .map_err(anyhow::Error::from)
        .context("cannot set up the WebAssembly engine")
}

fn create(cache: Option<Cache>, any_cpu: bool) -> wasmtime::Result<Engine> {
    let mut config = wasm_bpf_host::engine_config();
    if any_cpu {
        // It is the target anyway, but for one that is named wasmtime does not look for features of the CPU.
        let target = Engine::new(&config)?.get_target();
        config.target(&target.expect("the command is built with a compiler"))?;
    }
    config.cache(cache);
    Engine::new(&config)
}

/// Where compiled components are kept. What lies there is run as native code, so nobody else may write there.
///
/// Entries are found by the component, the settings of the compiler and the CPU's features that the code needs.
pub fn cache() -> anyhow::Result<Cache> {
    let euid = rustix::process::geteuid();
    let base = if euid.is_root() {
        // Not in a home directory: with sudo that may be somebody else's.
        PathBuf::from("/var/cache")
    } else {
        std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
            .context("there is no home directory to keep compiled components in")?
    };
    let directory = base.join("wasm-bpf");
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let found = std::fs::symlink_metadata(&directory)?;
    anyhow::ensure!(
        found.is_dir() && found.uid() == euid.as_raw() && found.mode() & 0o022 == 0,
        "{} belongs to somebody else, or others may write there",
        directory.display()
    );
    let mut config = CacheConfig::new();
    config.with_directory(directory.join("compiled"));
    Cache::new(config).map_err(anyhow::Error::from)
}
