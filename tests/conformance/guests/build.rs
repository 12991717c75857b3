//! Compiles each folder's BPF object, and writes the `main` of each guest from what its `case.toml` lists: a case that is only in one of the
//! two does not compile.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// What is needed here of a `case.toml`; the runner reads all of it.
#[derive(Deserialize)]
struct Folder {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
}

#[derive(Deserialize)]
struct Package {
    bin: Vec<Case>,
}

fn main() -> anyhow::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").context("run by cargo")?);
    let out = PathBuf::from(env::var_os("OUT_DIR").context("run by cargo")?);
    let cases = here.join("../cases");
    println!("cargo:rerun-if-changed={}", cases.display());
    let mut folders = BTreeSet::new();
    for entry in fs::read_dir(&cases)? {
        let folder = entry?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        if folder.join("guest.rs").exists() {
            write(&folder, &out.join(&*name)).with_context(|| format!("cases/{name}"))?;
            folders.insert(name.into_owned());
        }
    }
    let package: Package = toml::from_str(&fs::read_to_string(here.join("Cargo.toml"))?)?;
    let binaries = package.bin.into_iter().map(|bin| bin.name);
    let binaries = binaries.collect::<BTreeSet<_>>();
    let different = folders.symmetric_difference(&binaries).collect::<Vec<_>>();
    ensure!(
        different.is_empty(),
        "guests/Cargo.toml and the folders of `cases` are not the same: {different:?}"
    );
    Ok(())
}

/// Writes what `guest!` includes.
fn write(folder: &Path, out: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(out)?;
    let text = fs::read_to_string(folder.join("case.toml")).context("case.toml")?;
    let listed: Folder = toml::from_str(&text).context("case.toml")?;
    let mut code = String::new();
    let program = folder.join("case.bpf.c");
    if program.exists() {
        wasm_bpf_build::Builder::new()
            .source(&program)
            .clang_arg("-I../include")
            .out_dir(out)
            .build()?;
        code.push_str("include!(\"case.skel.rs\");\n");
    }
    code.push_str("fn main() {\n    match ::conformance_guests::case().as_str() {\n");
    for case in &listed.case {
        let name = &case.name;
        writeln!(code, "        {name:?} => {}(),", name.replace('-', "_"))?;
    }
    code.push_str("        other => ::conformance_guests::no_such_case(other),\n    }\n}\n");
    let file = out.join("guest.rs");
    if fs::read_to_string(&file).ok().as_ref() != Some(&code) {
        fs::write(&file, code)?;
    }
    Ok(())
}
