//! `wasm-bpf compile`.

use std::path::Path;

use anyhow::{anyhow, bail};
use wasmtime::{Cache, Engine};

use crate::run::State;
use crate::{Compile, component, engine, output};

/// Compiles the components into the cache that `run` reads; the exit code.
pub fn compile(options: &Compile) -> anyhow::Result<u8> {
    // `run` does without a cache; here there would be nothing left to do.
    let cache = engine::cache().map_err(|error| {
        anyhow!(
            "compiled components cannot be kept: {error:#}\n  \
             they need a directory that you can write to and nobody else can{}",
            if rustix::process::geteuid().is_root() {
                ""
            } else {
                "; XDG_CACHE_HOME says where"
            }
        )
    })?;
    let engine = engine::new(Some(cache.clone()), options.any_cpu)?;
    let mut code = 0;
    for path in &options.components {
        match compile_one(&engine, &cache, path) {
            Ok(done) if options.verbose => output::note(&format!("{} {done}", path.display())),
            Ok(_) => {}
            // The others are compiled nevertheless.
            Err(error) => {
                output::error(&error);
                code = 1;
            }
        }
    }
    Ok(code)
}

/// What was done.
fn compile_one(engine: &Engine, cache: &Cache, path: &Path) -> anyhow::Result<&'static str> {
    let (hits, misses) = (cache.cache_hits(), cache.cache_misses());
    component::load::<State>(engine, path)?;
    if cache.cache_hits() > hits {
        return Ok("was compiled before");
    }
    // Counted when the entry is written. A failure to write it is no error to the engine.
    if cache.cache_misses() > misses {
        return Ok("is compiled");
    }
    bail!(
        "{} was compiled, but could not be kept in {}\n  \
         the file system may be full or read-only, or something unfinished in the way: that directory can be removed",
        path.display(),
        cache.directory().display()
    )
}
