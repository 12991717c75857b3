//! From files to the types of a side.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use object::{Object as _, ObjectSection as _};
use wasmparser::{Parser, Payload};

use super::btf;
use super::dwarf::{self, Sections};
use super::layout::Layouts;
use super::places::Places;

const BITCODE: [u8; 4] = *b"BC\xc0\xde";
const ELF: &[u8] = b"\x7fELF";
const WASM: &[u8] = b"\0asm";

/// The types of a BPF object.
///
/// BTF has those of variables, functions and maps, and nothing on where they are declared. A record of a ring buffer is often
/// none of them; if the object still has DWARF, which linking drops, that tells of all.
pub fn bpf(path: &Path, places: &Places) -> anyhow::Result<Layouts> {
    let bytes = read(path)?;
    ensure!(
        bytes.starts_with(ELF),
        "{} is not a BPF object: it does not begin with \\x7fELF",
        path.display()
    );
    let not_read = || format!("cannot read the object {}", path.display());
    let file = object::File::parse(&*bytes).with_context(not_read)?;
    ensure!(
        file.architecture() == object::Architecture::Bpf,
        "{} is an object for another machine than BPF; give the BPF object first",
        path.display()
    );
    ensure!(
        file.is_little_endian(),
        "{} is big-endian, as no component is; compile it with -target bpfel",
        path.display()
    );
    ensure!(
        file.section_by_name(".BTF").is_some(),
        "{} has no BTF, which tells how its structs are laid out; compile it with -g",
        path.display()
    );
    let mut sections = Sections::new();
    for section in file.sections() {
        let name = section.name().with_context(not_read)?;
        if name.starts_with(".debug_") {
            let data = section.uncompressed_data().with_context(not_read)?;
            sections.insert(name.to_owned(), data.into_owned());
        }
    }
    let mut layouts = Layouts::default();
    dwarf::read(&sections, &mut layouts, places).with_context(|| unreadable(path))?;
    btf::read(path, &mut layouts)?;
    Ok(layouts)
}

/// Adds the types of a guest: an object file, or what was linked of such, a module or component.
pub fn guest(path: &Path, layouts: &mut Layouts, places: &Places) -> anyhow::Result<()> {
    let bytes = read(path)?;
    let shown = path.display();
    if bytes.starts_with(&BITCODE) {
        bail!(
            "{shown} is LLVM bitcode, of -flto: give the linked module instead, or compile without -flto"
        );
    }
    if bytes.starts_with(ELF) {
        bail!(
            "{shown} is an ELF file, not a part of a guest; give the one BPF object first, then files for wasm32"
        );
    }
    ensure!(
        bytes.starts_with(WASM),
        "{shown} is not WebAssembly: it does not begin with \\0asm"
    );
    let mut has_code = false;
    let mut has_debug_information = false;
    for module in modules(&bytes).with_context(|| format!("cannot read {shown}"))? {
        has_code |= module.has_code;
        if module.sections.contains_key(".debug_info") {
            has_debug_information = true;
            dwarf::read(&module.sections, layouts, places).with_context(|| unreadable(path))?;
        }
    }
    // A source without functions has nothing to debug, and compilers then write nothing.
    ensure!(
        has_debug_information || !has_code,
        "{shown} has no debug information, which tells how its structs are laid out; compile it with -g, and strip after the check"
    );
    Ok(())
}

fn unreadable(path: &Path) -> String {
    format!("cannot read the debug information of {}", path.display())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

#[derive(Default)]
struct Module {
    sections: Sections,
    has_code: bool,
}

/// The core modules of a file, each with debug information of its own.
fn modules(bytes: &[u8]) -> wasmparser::Result<Vec<Module>> {
    let mut done = Vec::new();
    let mut open = vec![Module::default()];
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            // What follows, up to its end, is of the inner one.
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                open.push(Module::default());
            }
            Payload::End(_) => done.extend(open.pop()),
            Payload::CodeSectionStart { .. } => {
                if let Some(module) = open.last_mut() {
                    module.has_code = true;
                }
            }
            Payload::CustomSection(section) if section.name().starts_with(".debug_") => {
                if let Some(module) = open.last_mut() {
                    let sections = &mut module.sections;
                    sections.insert(section.name().to_owned(), section.data().to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(done)
}
