//! What is changed in a module before it becomes part of a component.

use std::borrow::Cow;

use wasm_encoder::reencode::{Reencode as _, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    MemorySection, Module, RawSection, TypeSection, ValType,
};
use wasmparser::{FunctionBody, Operator, Parser, Payload};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::PREVIEW1;
use super::contents::{Contents, REALLOC};

/// The adapter's function to exit with tells no more than whether all went well: every code but 0 would arrive as 1. The
/// one of WASI 0.2.12 takes the code, and is of the same type for a module.
const EXIT: (&str, &str) = (PREVIEW1, "proc_exit");
const EXIT_WITH_CODE: (&str, &str) = ("wasi:cli/exit@0.2.12", "exit-with-code");
const EXIT_WIT: &str = "
package wasm-bpf:componentize;

world exits {
    import wasi:cli/exit@0.2.12;
}

package wasi:cli@0.2.12 {
    interface exit {
        exit-with-code: func(status-code: u8);
    }
}
";

/// What the adapter is given in a memory that has a limit, in pages: it needs two, one for its state and one for its stack,
/// and a few for what is handed over.
const ADAPTER_PAGES: u64 = 16;
const MOST_PAGES: u64 = 1 << 16;

/// What to do with a module so that it and the adapter get along in one memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    /// It grows, or it can be asked for some of it.
    Keep,
    /// The limit that it is to have.
    Raise(u64),
    /// The same; the module goes on seeing what it was compiled with, this many pages.
    Hide { pages: u64, limit: u64 },
    /// `malloc` is the function to ask.
    Allocate { malloc: u32 },
}

impl Memory {
    fn choose(contents: &Contents) -> Self {
        let Some(memory) = contents.memory.filter(|_| !contents.has_realloc()) else {
            return Self::Keep;
        };
        let limit = |pages: u64| (pages + ADAPTER_PAGES).min(MOST_PAGES);
        match (contents.malloc(), memory.maximum) {
            (Some(malloc), _) if contents.owns_all_memory() => Self::Allocate { malloc },
            (_, Some(maximum)) if maximum == memory.initial => Self::Hide {
                pages: memory.initial,
                limit: limit(maximum),
            },
            (_, Some(maximum)) => Self::Raise(limit(maximum)),
            (_, None) => Self::Keep,
        }
    }
}

pub fn rewrite<'a>(module: &'a [u8], contents: &Contents) -> anyhow::Result<Cow<'a, [u8]>> {
    let memory = Memory::choose(contents);
    let exits = contents.imports(EXIT);
    if memory == Memory::Keep && !exits {
        return Ok(Cow::Borrowed(module));
    }
    let mut changed = Rewriter {
        memory,
        realloc: contents.functions,
        realloc_type: 0,
    }
    .rewrite(module)?;
    if exits {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("exit.wit", EXIT_WIT)?;
        let world = resolve.select_world(&[package], None)?;
        embed_component_metadata(&mut changed, &resolve, world, StringEncoding::UTF8)?;
    }
    Ok(Cow::Owned(changed))
}

struct Rewriter {
    memory: Memory,
    /// The index that a function gets which is added, and that of its type.
    realloc: u32,
    realloc_type: u32,
}

impl Rewriter {
    /// Copies all sections but those in which something changes.
    fn rewrite(&mut self, module: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut same = RoundtripReencoder;
        let mut changed = Module::new();
        let allocates = matches!(self.memory, Memory::Allocate { .. });
        let hides = matches!(self.memory, Memory::Hide { .. });
        let mut code = CodeSection::new();
        let mut left = 0;
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    let mut imports = ImportSection::new();
                    for import in section.into_imports() {
                        let import = import?;
                        let (from, name) = match (import.module, import.name) {
                            EXIT => EXIT_WITH_CODE,
                            other => other,
                        };
                        imports.import(from, name, same.entity_type(import.ty)?);
                    }
                    changed.section(&imports);
                }
                Payload::TypeSection(section) if allocates => {
                    let mut types = TypeSection::new();
                    same.parse_type_section(&mut types, section)?;
                    self.realloc_type = types.len();
                    types.ty().function([ValType::I32; 4], [ValType::I32]);
                    changed.section(&types);
                }
                Payload::FunctionSection(section) if allocates => {
                    let mut functions = FunctionSection::new();
                    same.parse_function_section(&mut functions, section)?;
                    functions.function(self.realloc_type);
                    changed.section(&functions);
                }
                Payload::MemorySection(section) => {
                    let mut memories = MemorySection::new();
                    for memory in section {
                        let mut memory = same.memory_type(memory?)?;
                        if let Memory::Raise(limit) | Memory::Hide { limit, .. } = self.memory {
                            memory.maximum = Some(limit);
                        }
                        memories.memory(memory);
                    }
                    changed.section(&memories);
                }
                Payload::ExportSection(section) if allocates => {
                    let mut exports = ExportSection::new();
                    same.parse_export_section(&mut exports, section)?;
                    exports.export(REALLOC, ExportKind::Func, self.realloc);
                    changed.section(&exports);
                }
                Payload::CodeSectionStart { count, .. } if allocates || hides => left = count,
                Payload::CodeSectionEntry(body) => {
                    if left > 0 {
                        self.body(&mut code, &body)?;
                        left -= 1;
                        if left == 0 {
                            if let Memory::Allocate { malloc } = self.memory {
                                code.function(&realloc(malloc));
                            }
                            changed.section(&code);
                        }
                    }
                }
                // Debug information says where in the code something is, which is elsewhere now.
                Payload::CustomSection(section)
                    if (allocates || hides) && section.name().starts_with(".debug_") => {}
                payload => {
                    if let Some((id, range)) = payload.as_section() {
                        let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
                        changed.section(&RawSection {
                            id,
                            data: &module[range],
                        });
                    }
                }
            }
        }
        Ok(changed.finish())
    }

    fn body(&self, code: &mut CodeSection, body: &FunctionBody<'_>) -> anyhow::Result<()> {
        let mut same = RoundtripReencoder;
        let mut function = same.new_function_with_parsed_locals(body)?;
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            let operator = reader.clone().read()?;
            match (self.memory, operator) {
                (Memory::Hide { pages, .. }, Operator::MemorySize { .. }) => {
                    reader.read()?;
                    function.instructions().i32_const(pages as i32);
                }
                // To grow by nothing asks for the size; all else fails, which -1 stands for.
                (Memory::Hide { pages, .. }, Operator::MemoryGrow { .. }) => {
                    reader.read()?;
                    function
                        .instructions()
                        .i32_eqz()
                        .i32_const(pages as i32 + 1)
                        .i32_mul()
                        .i32_const(1)
                        .i32_sub();
                }
                _ => {
                    function.instruction(&same.parse_instruction(&mut reader)?);
                }
            }
        }
        code.function(&function);
        Ok(())
    }
}

/// `cabi_realloc` by `malloc`. The adapter allocates what it then keeps: nothing is ever made larger.
fn realloc(malloc: u32) -> Function {
    let mut function = Function::new([(1, ValType::I32)]);
    let [old, new_size, result] = [0, 3, 4];
    function
        .instructions()
        .local_get(old)
        .if_(wasm_encoder::BlockType::Empty)
        .unreachable()
        .end()
        .local_get(new_size)
        .call(malloc)
        .local_tee(result)
        .i32_eqz()
        .if_(wasm_encoder::BlockType::Empty)
        .unreachable()
        .end()
        .local_get(result)
        .end();
    function
}
