//! From a file to something that can be run, or to the reason why it cannot.

use std::path::Path;

use anyhow::{Context as _, bail};
use wasm_bpf_host::{INTERFACE_VERSION, WasmBpfView};
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::p2::bindings::sync::CommandPre;

const MAGIC: &[u8] = b"\0asm";
const CORE_MODULE: [u8; 4] = [1, 0, 0, 0];
const OUR_PACKAGE: &str = "wasm-bpf:bpf/";

/// Reads and compiles a component, or takes it from the engine's cache, and links it with what this host offers.
pub fn load<T: WasiView + WasmBpfView>(
    engine: &Engine,
    path: &Path,
) -> anyhow::Result<CommandPre<T>> {
    let shown = path.display();
    let bytes = read(path, "component")?;
    recognize(&bytes, &shown.to_string())?;
    let component = Component::from_binary(engine, &bytes)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("{shown} is not a valid component; was it cut off or changed?"))?;
    check_imports(engine, &component, &shown.to_string())?;
    let mut linker = Linker::<T>::new(engine);
    wasm_bpf_host::wasi::add_to_linker_sync(&mut linker)?;
    wasm_bpf_host::add_to_linker_sync(&mut linker)?;
    let linked = linker
        .instantiate_pre(&component)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("{shown} needs something that this host does not offer"))?;
    CommandPre::new(linked)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("{shown} is not a command: it does not export wasi:cli/run"))
}

/// Reads a file that should be something.
pub fn read(path: &Path, what: &str) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => anyhow::anyhow!("there is no file {shown}"),
        std::io::ErrorKind::IsADirectory => {
            anyhow::anyhow!("{shown} is a directory, not a {what}")
        }
        _ => anyhow::Error::new(error).context(format!("cannot read {shown}")),
    })
}

/// What a file is, as far as its first bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Component,
    Module,
    /// WebAssembly as people write it.
    Text,
    Elf,
    Empty,
    Unknown,
}

pub fn kind(bytes: &[u8]) -> Kind {
    let is_text = |word: &[u8]| bytes.trim_ascii_start().starts_with(word);
    if bytes.is_empty() {
        Kind::Empty
    } else if bytes.starts_with(b"\x7fELF") {
        Kind::Elf
    } else if is_text(b"(module") || is_text(b"(component") {
        Kind::Text
    } else if !bytes.starts_with(MAGIC) {
        Kind::Unknown
    } else if bytes.get(4..8) == Some(&CORE_MODULE) {
        Kind::Module
    } else {
        Kind::Component
    }
}

/// Tells apart what people hand over by mistake.
fn recognize(bytes: &[u8], shown: &str) -> anyhow::Result<()> {
    match kind(bytes) {
        Kind::Component => Ok(()),
        Kind::Elf => bail!(
            "{shown} is an ELF file, not a component\n\
             a BPF object is embedded in a component by its build; see the guest crate's documentation"
        ),
        Kind::Empty => bail!("{shown} is empty, not a component"),
        Kind::Text => bail!(
            "{shown} is WebAssembly in its text form, not a component\n\
             convert it first: wasm-tools parse"
        ),
        Kind::Unknown => bail!("{shown} is not WebAssembly: it does not begin with \\0asm"),
        Kind::Module => bail!(
            "{shown} is a core module, not a component\n\
             build it for wasm32-wasip2, whose linker makes components, or make one of it: wasm-bpf componentize"
        ),
    }
}

/// What WASI's names begin with; whether each is there is for the linker to tell.
const WASI: &str = "wasi:";

fn check_imports(engine: &Engine, component: &Component, shown: &str) -> anyhow::Result<()> {
    for (name, _) in component.component_type().imports(engine) {
        if let Some(interface) = name.strip_prefix(OUR_PACKAGE) {
            let version = interface
                .split_once('@')
                .map_or("no version", |(_, version)| version);
            if !is_compatible(version) {
                bail!(
                    "{shown} was built for version {version} of the wasm-bpf interfaces, this host offers {INTERFACE_VERSION}\n\
                     use a host of its version, or build the component anew"
                );
            }
        } else if !name.starts_with(WASI) {
            bail!(
                "{shown} imports `{name}`, which this host does not offer\n\
                 a component can use the wasm-bpf interfaces and WASI 0.2"
            );
        }
    }
    Ok(())
}

/// Before 1.0 the second number breaks.
fn is_compatible(version: &str) -> bool {
    let parts = |version: &str| -> Option<(u64, u64)> {
        let mut numbers = version.split('.').map(|number| number.parse().ok());
        Some((numbers.next()??, numbers.next()??))
    };
    match (parts(version), parts(INTERFACE_VERSION)) {
        (Some((0, theirs)), Some((0, ours))) => theirs == ours,
        (Some((theirs, _)), Some((ours, _))) => theirs == ours,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_files_apart() {
        let why = |bytes: &[u8]| recognize(bytes, "x").unwrap_err().to_string();
        assert!(why(b"\x7fELF...").contains("ELF"));
        assert!(why(b"").contains("empty"));
        assert!(why(b"hello").contains("not WebAssembly"));
        assert!(why(b"\n  (module)").contains("text form"));
        assert!(why(b"\0asm\x01\0\0\0").contains("core module"));
        assert!(recognize(b"\0asm\x0d\0\x01\0", "x").is_ok());
    }

    #[test]
    fn versions() {
        assert!(is_compatible(INTERFACE_VERSION));
        assert!(is_compatible("0.1.7"));
        for other in ["0.2.0", "1.0.0", "", "no version", "0"] {
            assert!(!is_compatible(other), "{other}");
        }
    }
}
