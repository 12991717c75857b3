//! What a module has, and whether it can be a component.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use wasmparser::{ExternalKind, MemoryType, Parser, Payload, TypeRef};

use super::{COMMAND_ADAPTER, GROWN, PREVIEW1};

/// The module from which programs of the predecessor import.
const PREDECESSOR: &str = "wasm_bpf";

/// How wit-bindgen calls the section with the types of what a module imports.
const COMPONENT_TYPE: &str = "component-type";

/// What the host allocates with in a module.
pub const REALLOC: &str = "cabi_realloc";

/// Functions that one version of emscripten or another exports always.
const EMSCRIPTEN: [&str; 3] = [
    "stackAlloc",
    "_emscripten_stack_alloc",
    "emscripten_stack_get_end",
];

/// What a module has that decides whether it can be a component.
#[derive(Default)]
pub struct Contents {
    /// By the module that they are imported from.
    imports: BTreeMap<String, BTreeSet<String>>,
    exports: BTreeMap<String, (ExternalKind, u32)>,
    /// How many functions it imports, and how many there are with its own.
    pub functions: u32,
    pub memory: Option<MemoryType>,
    has_component_type: bool,
    /// Whether it is a part of a program, to be linked when it starts.
    is_library: bool,
    imports_memory: bool,
}

impl Contents {
    pub fn read(module: &[u8]) -> anyhow::Result<Self> {
        let mut contents = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        match import.ty {
                            TypeRef::Memory(memory) => {
                                contents.imports_memory = true;
                                contents.memory = Some(memory);
                            }
                            TypeRef::Func(_) | TypeRef::FuncExact(_) => contents.functions += 1,
                            _ => {}
                        }
                        let names = contents.imports.entry(import.module.into()).or_default();
                        names.insert(import.name.into());
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        contents.memory = Some(memory?);
                    }
                }
                Payload::FunctionSection(section) => contents.functions += section.count(),
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        let place = (export.kind, export.index);
                        contents.exports.insert(export.name.into(), place);
                    }
                }
                Payload::CustomSection(section) => {
                    contents.has_component_type |= section.name().starts_with(COMPONENT_TYPE);
                    contents.is_library |= section.name().starts_with("dylink");
                }
                _ => {}
            }
        }
        Ok(contents)
    }

    pub fn imports(&self, (module, name): (&str, &str)) -> bool {
        let names = self.imports.get(module);
        names.is_some_and(|names| names.contains(name))
    }

    /// Whether it begins at `_start`, as programs of preview 1 do.
    pub fn is_command(&self) -> bool {
        self.exports.contains_key("_start")
    }

    pub fn has_realloc(&self) -> bool {
        self.exports.contains_key(REALLOC)
    }

    /// The function that allocates memory in it, as C has it.
    pub fn malloc(&self) -> Option<u32> {
        match self.exports.get("malloc") {
            Some(&(ExternalKind::Func, index)) => Some(index),
            _ => None,
        }
    }

    /// Whether the memory that it starts with is all that it can have.
    pub fn has_fixed_memory(&self) -> bool {
        self.memory
            .is_some_and(|memory| memory.maximum == Some(memory.initial))
    }

    /// Whether all memory behind its own is its own too, as it believes: it comes from emscripten, whose `sbrk` takes
    /// what someone else has grown the memory by for a part of the heap.
    pub fn owns_all_memory(&self) -> bool {
        EMSCRIPTEN
            .iter()
            .any(|&name| self.exports.contains_key(name))
            || self.imports(GROWN)
    }

    /// Says what is in the way, and what to do about it.
    pub fn check(&self, shown: &str) -> anyhow::Result<()> {
        if let Some(names) = self.imports.get(PREDECESSOR) {
            bail!(
                "{shown} is a program for the predecessor of wasm-bpf: it imports {} from {PREDECESSOR}\n\
                 those functions are not here any more; the program is compiled anew, nearly unchanged: \
                 docs/migrating.md tells how",
                list(names)
            );
        }
        if self.is_library {
            bail!(
                "{shown} is a shared library, of which a program is linked when it starts\n\
                 link it statically to a program with a main function"
            );
        }
        let memory = self.memory;
        if memory.is_some_and(|memory| memory.memory64) {
            bail!(
                "{shown} has a memory of 64 bits, which components do not have\n\
                 compile it for wasm32"
            );
        }
        if memory.is_some_and(|memory| memory.shared) {
            bail!(
                "{shown} shares its memory with threads, which components do not have\n\
                 compile it without -pthread and for a target without threads"
            );
        }
        if self.imports_memory {
            bail!(
                "{shown} imports its memory, which components do not share\n\
                 link it without --import-memory"
            );
        }
        self.check_imports(shown)?;
        let run = self
            .exports
            .keys()
            .find(|name| name.starts_with("wasi:cli/run@"));
        if let Some(run) = run
            && !self.has_component_type
        {
            bail!(
                "{shown} exports {run}, but has no section {COMPONENT_TYPE} with its type\n\
                 link it anew, and strip no custom sections; the linker for wasm32-wasip2, wasm-component-ld, makes components itself"
            );
        }
        if !self.is_command() && run.is_none() {
            bail!(
                "{shown} is no program: it does not export _start, where one begins\n\
                 it needs a main function, and to be linked as a command (clang: without -mexec-model=reactor; emscripten: \
                 -sSTANDALONE_WASM, without --no-entry)"
            );
        }
        if !self.exports.contains_key("memory") {
            bail!(
                "{shown} does not export its memory, without which the host cannot hand it anything\n\
                 link it with --export-memory"
            );
        }
        if self.owns_all_memory()
            && !self.has_fixed_memory()
            && !self.has_realloc()
            && self.malloc().is_none()
        {
            bail!(
                "{shown} was made by emscripten with a memory that grows, and does not export malloc: there is no place in it for \
                 what its calls of WASI hand over\n\
                 link it with -sEXPORTED_FUNCTIONS=_main,_malloc, or without -sALLOW_MEMORY_GROWTH"
            );
        }
        Ok(())
    }

    fn check_imports(&self, shown: &str) -> anyhow::Result<()> {
        for (module, names) in &self.imports {
            match module.as_str() {
                PREVIEW1 => {
                    let offered = Self::read(COMMAND_ADAPTER)?.exports;
                    let missing: BTreeSet<_> = names
                        .iter()
                        .filter(|&name| !offered.contains_key(name))
                        .cloned()
                        .collect();
                    if !missing.is_empty() {
                        bail!(
                            "{shown} imports {} from {PREVIEW1}, which WASI preview 1 does not have\n\
                             compile it without what extends WASI for one runtime alone",
                            list(&missing)
                        );
                    }
                }
                "wasi_unstable" => bail!(
                    "{shown} was built for the WASI before preview 1: it imports from wasi_unstable\n\
                     compile it anew with a compiler of 2020 or later"
                ),
                // Imports with the name of an interface, `package:name/interface`, or `$root` for a function of the world.
                interface if interface.contains('/') || interface == "$root" => {
                    if !self.has_component_type {
                        bail!(
                            "{shown} imports the interface {interface}, but has no section {COMPONENT_TYPE} with its types\n\
                             link the object file to it that its bindings came with (of wasm-bpf: \
                             guest-sdk-c/generated/wasm_bpf_component_type.o), and strip no custom sections"
                        );
                    }
                }
                _ => {
                    let missing: BTreeSet<_> = names
                        .iter()
                        .filter(|name| (module.as_str(), name.as_str()) != GROWN)
                        .cloned()
                        .collect();
                    if !missing.is_empty() {
                        bail!(
                            "{shown} imports {} from {module}, which a component cannot\n\
                             link what defines it; if the linker was told to let undefined symbols be \
                             (--allow-undefined, -sERROR_ON_UNDEFINED_SYMBOLS=0), it would name them without that",
                            list(&missing)
                        );
                    }
                }
            }
        }
        Ok(())
    }
}

/// A few names; a module can have hundreds.
fn list(names: &BTreeSet<String>) -> String {
    const SHOWN: usize = 4;
    let mut text = names
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}
