//! Writes `guest-sdk-c/generated`: the C header and source of the interface, and what tells the linker the component's type.
//!
//! `make generate` runs it; with `--check` it writes nothing and fails if a file is not what it would have written.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use wit_bindgen_c::Opts;
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;

fn main() -> anyhow::Result<()> {
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => bail!("unknown argument {other:?}; there is only --check"),
    };
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let directory = sdk.join("generated");
    let mut different = Vec::new();
    for (name, content) in generate(&sdk)? {
        let file = directory.join(&name);
        if fs::read(&file).is_ok_and(|written| written == content) {
            continue;
        }
        if !check {
            fs::write(&file, content).with_context(|| format!("writing {}", file.display()))?;
        }
        different.push(name);
    }
    if check && !different.is_empty() {
        bail!(
            "guest-sdk-c/generated is not what wit/ says ({}): run `make generate` and commit what it writes",
            different.join(", ")
        );
    }
    for name in different {
        eprintln!("wrote guest-sdk-c/generated/{name}");
    }
    Ok(())
}

/// The files and what is in them.
fn generate(sdk: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut resolve = Resolve::default();
    resolve.push_path(sdk.join("../wit")).context("wit/")?;
    let (package, _) = resolve
        .push_path(sdk.join("wit"))
        .context("guest-sdk-c/wit/")?;
    let mut all = Vec::new();
    for world in ["wasm-bpf", "command"] {
        let world = resolve.select_world(&[package], Some(world))?;
        let mut files = Files::default();
        Opts::default()
            .build()
            .generate(&mut resolve, world, &mut files)?;
        for (name, content) in files.iter() {
            // The library exports what the second world has by hand, in a line; the linker has to be told of it.
            if !name.starts_with("command.") {
                all.push((name.to_owned(), without_macros(content)));
            }
        }
    }
    Ok(all)
}

/// `errno` is a macro in C, which no field can be called; the generator has its underscore for keywords alone.
fn without_macros(content: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(content) {
        Ok(text) => text.replace(" errno;", " errno_;").into(),
        Err(_) => content.to_owned(),
    }
}
