//! `wasm-bpf componentize`: from a core module to a component.

mod contents;
mod rewrite;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as PREVIEW1,
    WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as COMMAND_ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

use crate::Componentize;
use crate::component::{self, Kind};
use contents::Contents;

/// With this, a module of emscripten tells JavaScript that its memory has grown. Here nobody needs to know.
const GROWN: (&str, &str) = ("env", "emscripten_notify_memory_growth");

/// Makes a component of a core module, and writes it.
pub fn componentize(options: &Componentize) -> anyhow::Result<u8> {
    let (input, output) = (&options.module, &options.output);
    let shown = input.display().to_string();
    let module = component::read(input, "core module")?;
    if is_same_file(input, output) {
        bail!(
            "{shown} would be overwritten with the component that is made of it\n\
             give another name with -o"
        );
    }
    let component = encode(&module, &shown)?;
    write(output, &component).with_context(|| format!("cannot write {}", output.display()))?;
    Ok(0)
}

fn encode(module: &[u8], shown: &str) -> anyhow::Result<Vec<u8>> {
    match component::kind(module) {
        Kind::Module => {}
        Kind::Component => bail!(
            "{shown} is a component already\n\
             it can be run as it is: wasm-bpf run {shown}"
        ),
        Kind::Elf => bail!(
            "{shown} is an ELF file, not a core module\n\
             compile the program for wasm32-wasip1; a BPF object is embedded in it by its skeleton"
        ),
        Kind::Empty => bail!("{shown} is empty, not a core module"),
        Kind::Text => bail!(
            "{shown} is WebAssembly in its text form, not a core module\n\
             convert it first: wasm-tools parse"
        ),
        Kind::Unknown => bail!("{shown} is not WebAssembly: it does not begin with \\0asm"),
    }
    wasmparser::Validator::new()
        .validate_all(module)
        .with_context(|| format!("{shown} is not a valid module; was it cut off or changed?"))?;
    let contents = Contents::read(module)?;
    contents.check(shown)?;
    let encode = || -> anyhow::Result<Vec<u8>> {
        let module = rewrite::rewrite(module, &contents)?;
        let mut encoder = ComponentEncoder::default();
        encoder.validate(true).module(&module)?;
        // The one for commands is what exports wasi:cli/run, and calls _start.
        let adapter = if contents.is_command() {
            COMMAND_ADAPTER
        } else {
            REACTOR_ADAPTER
        };
        encoder.adapter(PREVIEW1, adapter)?;
        if contents.imports(GROWN) {
            encoder.adapter(GROWN.0, &ignore_growth())?;
        }
        encoder.encode()
    };
    encode().with_context(|| format!("{shown} cannot be made a component"))
}

/// An adapter whose function does nothing.
fn ignore_growth() -> Vec<u8> {
    use wasm_encoder::{
        CodeSection, ExportKind, ExportSection, Function, FunctionSection, Module, TypeSection,
        ValType,
    };
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    exports.export(GROWN.1, ExportKind::Func, 0);
    let mut code = CodeSection::new();
    let mut body = Function::new([]);
    body.instructions().end();
    code.function(&body);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&functions)
        .section(&exports)
        .section(&code);
    module.finish()
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

/// Writes a file that is there as a whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What a link points to is written, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    // A pipe or a device takes bytes; a file in its place would help nobody.
    if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
        return fs::write(&path, bytes);
    }
    let unfinished = unfinished(&path);
    fs::write(&unfinished, bytes)
        .and_then(|()| fs::rename(&unfinished, &path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&unfinished);
        })
}

/// A name beside the file, which no other process uses.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    name.into()
}
