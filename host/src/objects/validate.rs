//! What a BPF object must be before libbpf sees it.
//!
//! Libbpf reads ELF and BTF as a compiler wrote them: much of what it follows it does not check, and here the bytes come from a component and are read in a process with privileges. What follows refuses what libbpf would follow out of its buffers, around in circles, down its stack or into far more memory or time than the object is worth. Whatever `clang -target bpf` and libbpf's linker make passes. Names of libbpf's functions say what a check is there for; its version is 1.7.
//!
//! Nothing here recurses, and memory is linear in the size of the object.

use std::collections::{HashMap, HashSet};
use std::fmt;

const MAX_SECTIONS: u64 = 4096;
const MAX_SYMBOLS: u64 = 262_144;
/// `bpf_object__reloc_code` calls itself once for each function of a chain of calls.
const MAX_FUNCTIONS: u64 = 2048;
const MAX_RELOCATIONS: u64 = 1 << 20;
/// Libbpf makes a descriptor or a mapping for each.
const MAX_MAPS: u64 = 1024;
/// In the kernel it is 0xfffff, far from what programs have.
const MAX_TYPES: u64 = 262_144;
/// The kernel's bound for types and for strings.
const MAX_BTF: u64 = 16 << 20;
/// Of the bytes that the section says it has but which are not in the file. Libbpf keeps such sizes in 32 bits, rounds them up in 32 bits and maps as much.
const MAX_ZEROED: u64 = 1 << 30;
const MAX_VALUE: u64 = 1 << 30;
/// The kernel follows 32.
const MAX_DEPTH: u32 = 64;
const MAX_KCONFIG: u64 = 1024;
const MAX_KCONFIG_SIZE: u64 = 4096;
const MAX_KSYMS: u64 = 4096;
/// `.BTF.ext` has a block for each section with code; libbpf goes through the sections for each.
const MAX_BLOCKS: u64 = 4096;
/// For each, `bpf_core_find_cands` goes through all types of the kernel.
const MAX_CORE_TYPES: u64 = 4096;
/// `BPF_CORE_SPEC_MAX_LEN`
const MAX_ACCESS: usize = 64;
/// The kernel's for identifiers is 512. Libbpf compares names with names, so their length multiplies the work.
const MAX_NAME: usize = 1024;
const MAX_SECTION_NAME: usize = 8192;
/// Of what libbpf puts together for the programs from the functions they may call.
const MAX_LINKED: u64 = 1 << 30;
/// Steps of libbpf's loops within loops that compare names: about a second.
const MAX_COMPARISONS: u64 = 1 << 26;
/// Steps of libbpf's loops within loops that compare numbers: some seconds.
const MAX_STEPS: u64 = 1 << 32;

const EM_NONE: u16 = 0;
const EM_BPF: u16 = 247;
const ET_REL: u16 = 1;
const ELF_HEADER: usize = 64;
const SECTION_HEADER: usize = 64;
const SYMBOL: usize = 24;
const RELOCATION: usize = 16;
const SHT_NULL: u32 = 0;
const SHT_PROGBITS: u32 = 1;
const SHT_SYMTAB: u32 = 2;
const SHT_STRTAB: u32 = 3;
const SHT_NOBITS: u32 = 8;
const SHT_REL: u32 = 9;
const SHF_EXECINSTR: u64 = 4;
const SHF_COMPRESSED: u64 = 0x800;
const SHN_UNDEF: u16 = 0;
const SHN_ABS: u16 = 0xfff1;
const SHN_COMMON: u16 = 0xfff2;
const STB_GLOBAL: u8 = 1;
const STB_WEAK: u8 = 2;
const STT_NOTYPE: u8 = 0;
const STT_OBJECT: u8 = 1;
const STT_FUNC: u8 = 2;

const INSTRUCTION: usize = 8;
const LDIMM64: u8 = 0x18;

const BTF_MAGIC: u16 = 0xeb9f;
const BTF_HEADER: usize = 24;
const BTF_EXT_HEADER: usize = 24;
const BTF_EXT_HEADER_CORE: usize = 32;
const BPF_MAP_TYPE_ARENA: u32 = 33;
const VAR_STATIC: u32 = 0;

/// What an object may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    pub(super) struct_ops: bool,
}

/// Why an object is refused before libbpf sees it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Invalid {
    #[error("it is not a BPF object: {0}")]
    File(&'static str),
    #[error("section {section}: {what}")]
    Section { section: Name, what: &'static str },
    /// Well-formed or not: without the grant libbpf does not get to see it.
    #[error("section {0} needs a grant")]
    StructOps(Name),
    #[error("symbol {symbol}: {what}")]
    Symbol { symbol: Name, what: &'static str },
    #[error("section {section}, byte {at}: {what}")]
    Code {
        section: Name,
        at: u64,
        what: &'static str,
    },
    #[error("section {section}, relocation {index}: {what}")]
    Relocation {
        section: Name,
        index: usize,
        what: &'static str,
    },
    #[error("section `.BTF`: {0}")]
    Btf(&'static str),
    #[error("section `.BTF`, type {id}{name}: {what}")]
    Type {
        id: u32,
        /// With a space before it, or nothing.
        name: Name,
        what: &'static str,
    },
    #[error("section `.BTF.ext`, {part}: {what}")]
    BtfExt {
        part: &'static str,
        what: &'static str,
    },
    #[error("map {map}: {what}")]
    Map { map: Name, what: &'static str },
    #[error("{what}: {found}, and at most {most} are allowed")]
    TooMany {
        what: &'static str,
        found: u64,
        most: u64,
    },
}

/// A name in the object, or its number where it has none, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(String);

impl Name {
    fn new(name: &[u8], index: usize) -> Self {
        if name.is_empty() {
            return Self(format!("#{index}"));
        }
        let shown = name.get(..64).unwrap_or(name);
        let rest = if shown.len() < name.len() { "..." } else { "" };
        Self(format!("`{}{rest}`", shown.escape_ascii()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks that libbpf can open, prepare and load the object without harm to the process.
pub(super) fn validate(elf: &[u8], allowed: Allowed) -> Result<(), Invalid> {
    let file = File::read(elf)?;
    file.check_sections(allowed)?;
    let code = file.check_functions()?;
    let relocations = file.check_relocations(&code)?;
    let mut work = Work::new(&file, &code, &relocations);
    if let Some(section) = file.section(b".BTF") {
        let btf = Btf::read(section.data)?;
        btf.check_references()?;
        let sizes = btf.check_values()?;
        btf.check_data_sections(&file, &sizes, &mut work)?;
        // Without .BTF libbpf does not look at it.
        if let Some(section) = file.section(b".BTF.ext") {
            check_btf_ext(section.data, &btf, &file, &code, &mut work)?;
        }
    }
    work.check()
}

fn at_most(what: &'static str, found: u64, most: u64) -> Result<(), Invalid> {
    if found > most {
        return Err(Invalid::TooMany { what, found, most });
    }
    Ok(())
}

/// As a size or an index of what is in memory.
fn index(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

fn bytes<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..)?.first_chunk().copied()
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    bytes(data, at).map(u16::from_ne_bytes)
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    bytes(data, at).map(u32::from_ne_bytes)
}

fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    bytes(data, at).map(u64::from_ne_bytes)
}

fn range(data: &[u8], at: u64, len: u64) -> Option<&[u8]> {
    let start = usize::try_from(at).ok()?;
    let end = usize::try_from(at.checked_add(len)?).ok()?;
    data.get(start..end)
}

/// The string at an offset of a table, without its NUL. Looks no further than `most`, so that strings which share their end do not take the square of the table.
fn string(table: &[u8], at: u32, most: usize) -> Option<&[u8]> {
    let rest = table.get(index(at.into())..)?;
    let rest = rest.get(..=most).unwrap_or(rest);
    rest.iter()
        .position(|&byte| byte == 0)
        .and_then(|end| rest.get(..end))
}

/// Names go into paths under the BPF file system, into files of tracefs and to terminals.
fn plain(name: &[u8]) -> bool {
    name.iter()
        .all(|&byte| byte > b' ' && byte != 0x7f && byte != b'/')
}

struct Section<'a> {
    index: usize,
    name: &'a [u8],
    kind: u32,
    flags: u64,
    size: u64,
    link: u32,
    info: u32,
    entry: u64,
    /// Empty if the file has none of it.
    data: &'a [u8],
}

impl Section<'_> {
    fn is_code(&self) -> bool {
        self.flags & SHF_EXECINSTR != 0
    }

    fn named(&self) -> Name {
        Name::new(self.name, self.index)
    }

    fn invalid(&self, what: &'static str) -> Invalid {
        Invalid::Section {
            section: self.named(),
            what,
        }
    }

    /// Whether it becomes a map.
    fn is_data(&self) -> bool {
        let is = |name: &[u8]| {
            self.name
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
        };
        match self.kind {
            SHT_PROGBITS => is(b".data") || is(b".rodata"),
            SHT_NOBITS => is(b".bss"),
            _ => false,
        }
    }

    fn is_struct_ops(&self) -> bool {
        is_struct_ops(self.name)
    }
}

fn is_struct_ops(section: &[u8]) -> bool {
    section
        .strip_prefix(b"?")
        .unwrap_or(section)
        .starts_with(b".struct_ops")
}

struct Symbol<'a> {
    index: usize,
    name: &'a [u8],
    kind: u8,
    bind: u8,
    section: u16,
    value: u64,
    size: u64,
}

impl Symbol<'_> {
    fn invalid(&self, what: &'static str) -> Invalid {
        Invalid::Symbol {
            symbol: Name::new(self.name, self.index),
            what,
        }
    }

    fn is_global(&self) -> bool {
        matches!(self.bind, STB_GLOBAL | STB_WEAK)
    }

    fn is_extern(&self) -> bool {
        self.section == SHN_UNDEF && self.is_global() && self.kind == STT_NOTYPE
    }
}

struct File<'a> {
    sections: Vec<Section<'a>>,
    symbols: Vec<Symbol<'a>>,
    symbol_table: usize,
}

impl<'a> File<'a> {
    fn read(elf: &'a [u8]) -> Result<Self, Invalid> {
        let sections = read_sections(elf)?;
        let mut tables = sections.iter().filter(|section| section.kind == SHT_SYMTAB);
        let Some(table) = tables.next() else {
            return Err(Invalid::File("it has no symbol table"));
        };
        if tables.next().is_some() {
            return Err(Invalid::File("it has more than one symbol table"));
        }
        let symbols = read_symbols(table, &sections)?;
        Ok(Self {
            symbol_table: table.index,
            symbols,
            sections,
        })
    }

    /// The first of that name, which is the one `elf_sec_by_name` finds.
    fn section(&self, name: &[u8]) -> Option<&Section<'a>> {
        self.sections
            .iter()
            .skip(1)
            .find(|section| section.name == name)
    }

    fn check_sections(&self, allowed: Allowed) -> Result<(), Invalid> {
        // `bpf_object__elf_collect` takes the last of these and `elf_sec_by_name` the first.
        const SINGLE: [&[u8]; 11] = [
            b".text",
            b".maps",
            b".BTF",
            b".BTF.ext",
            b"license",
            b"version",
            b".data",
            b".rodata",
            b".bss",
            b".addr_space.1",
            b".kconfig",
        ];
        // Which are read as if they were in the file.
        const IN_FILE: [&[u8]; 6] = [
            b".text",
            b".maps",
            b".BTF",
            b".BTF.ext",
            b"license",
            b"version",
        ];
        let mut seen = HashSet::new();
        let mut zeroed = 0_u64;
        for section in self.sections.iter().skip(1) {
            if section.name.iter().any(u8::is_ascii_control) {
                return Err(section.invalid("there are control characters in its name"));
            }
            if (SINGLE.contains(&section.name) || section.is_struct_ops())
                && !seen.insert(section.name)
            {
                return Err(section.invalid("there is more than one section of this name"));
            }
            if IN_FILE.contains(&section.name) && section.kind != SHT_PROGBITS {
                return Err(section.invalid("it must be of type PROGBITS"));
            }
            // `elf_strptr` would unpack it, whatever its size.
            if section.flags & SHF_COMPRESSED != 0 && !section.name.starts_with(b".debug_") {
                return Err(section.invalid("it is compressed"));
            }
            if section.is_struct_ops() && !allowed.struct_ops {
                return Err(Invalid::StructOps(section.named()));
            }
            // `create_jt_map` takes offsets and sizes of symbols in it as they are.
            if section.name == b".jumptables" {
                return Err(section
                    .invalid("jump tables are not supported; compile with `-fno-jump-tables`"));
            }
            if section.kind == SHT_NOBITS {
                zeroed = zeroed.saturating_add(section.size);
            }
        }
        at_most("bytes of zeroed data", zeroed, MAX_ZEROED)
    }

    /// The functions of each section with code, and what each of the section's instructions is.
    ///
    /// `bpf_object__add_programs` makes a program of each and copies its instructions. Later `bpf_object__relocate_data`, `bpf_core_patch_insn` and those that poison instructions write both halves of a 64-bit load, and look at the first only.
    fn check_functions(&self) -> Result<Vec<Code>, Invalid> {
        let mut code: Vec<Code> = Vec::new();
        code.resize_with(self.sections.len(), Code::default);
        let mut functions = 0;
        for symbol in &self.symbols {
            let Some(section) = self.sections.get(usize::from(symbol.section)) else {
                continue;
            };
            if symbol.kind != STT_FUNC
                || symbol.section == SHN_UNDEF
                || !section.is_code()
                || section.kind != SHT_PROGBITS
            {
                continue;
            }
            functions += 1;
            at_most("functions", functions, MAX_FUNCTIONS)?;
            let start = index(symbol.value);
            let end = start.saturating_add(index(symbol.size));
            if symbol.size == 0
                || !start.is_multiple_of(INSTRUCTION)
                || !end.is_multiple_of(INSTRUCTION)
            {
                return Err(symbol.invalid("it is not made of whole instructions"));
            }
            if section.data.get(start..end).is_none() {
                return Err(symbol.invalid("it is not inside its section"));
            }
            if !plain(symbol.name) {
                return Err(symbol.invalid("its name is not a name of a function"));
            }
            if let Some(code) = code.get_mut(section.index) {
                code.functions.push((start, end, symbol.index));
            }
        }
        for (section, code) in self.sections.iter().zip(&mut code) {
            code.functions.sort_unstable();
            // `cmp_progs` gives no order for functions that begin together, which qsort needs, `find_prog_by_sec_insn` finds one function only, and each takes a copy.
            let overlap = code
                .functions
                .windows(2)
                .find_map(|pair| match pair {
                    &[(_, end, _), (start, _, symbol)] if start < end => Some(symbol),
                    _ => None,
                })
                .and_then(|symbol| self.symbols.get(symbol));
            if let Some(symbol) = overlap {
                return Err(symbol.invalid("it overlaps another function"));
            }
            if !section.is_code() || section.kind != SHT_PROGBITS {
                continue;
            }
            if section.data.len() % INSTRUCTION != 0 {
                return Err(section.invalid("it is not made of whole instructions"));
            }
            code.slots = vec![Slot::Unused; section.data.len() / INSTRUCTION];
            for &(start, end, _) in &code.functions {
                walk(section, start, end, &mut code.slots)?;
            }
        }
        Ok(code)
    }

    /// How many relocations each section has. Those of sections that libbpf does not relocate are not looked at.
    fn check_relocations(&self, code: &[Code]) -> Result<Vec<u64>, Invalid> {
        let mut counts = vec![0_u64; self.sections.len()];
        let mut total = 0;
        for section in &self.sections {
            if section.kind != SHT_REL || is_ignored(section.name) {
                continue;
            }
            let target = self
                .sections
                .get(index(section.info.into()))
                .filter(|target| target.index != 0);
            let Some(target) = target else {
                return Err(section.invalid("it relocates a section that is not there"));
            };
            if index(section.link.into()) != self.symbol_table {
                return Err(section.invalid("it does not belong to the symbol table"));
            }
            let (entries, rest) = section.data.as_chunks::<RELOCATION>();
            if section.entry != count(RELOCATION) || !rest.is_empty() {
                return Err(section.invalid("it is not made of whole relocations"));
            }
            total += count(entries.len());
            at_most("relocations", total, MAX_RELOCATIONS)?;
            if let Some(count_of) = counts.get_mut(target.index) {
                *count_of += count(entries.len());
            }
            let slots = code.get(target.index).map(|code| code.slots.as_slice());
            for (index, entry) in entries.iter().enumerate() {
                self.check_relocation(entry, target, slots.unwrap_or_default())
                    .map_err(|what| Invalid::Relocation {
                        section: section.named(),
                        index,
                        what,
                    })?;
            }
        }
        Ok(counts)
    }

    fn check_relocation(
        &self,
        entry: &[u8],
        target: &Section<'_>,
        slots: &[Slot],
    ) -> Result<(), &'static str> {
        let short = "it is cut short";
        let offset = u64_at(entry, 0).ok_or(short)?;
        let info = u64_at(entry, 8).ok_or(short)?;
        if self.symbols.get(index(info >> 32)).is_none() {
            return Err("it is against a symbol that is not there");
        }
        if target.is_code() {
            // One that is in no function is left over from a weak function, and libbpf skips it.
            if offset % count(INSTRUCTION) != 0 || offset >= target.size {
                return Err("it is not at an instruction of its section");
            }
            if slots.get(index(offset) / INSTRUCTION) == Some(&Slot::Second) {
                return Err("it is at the second half of a 64-bit load");
            }
        } else if target.name == b".maps" || target.is_struct_ops() {
            // `bpf_object__collect_map_relos` adds to the offset without a look at overflow, and makes as many slots as the difference asks for.
            if offset.checked_add(8).is_none_or(|end| end > target.size) {
                return Err("it is not inside its section");
            }
        }
        Ok(())
    }
}

fn read_sections(elf: &[u8]) -> Result<Vec<Section<'_>>, Invalid> {
    let short = Invalid::File("it is shorter than an ELF header");
    if !elf.starts_with(b"\x7fELF") {
        return Err(Invalid::File("it is not an ELF file"));
    }
    let Some(header) = elf.get(..ELF_HEADER) else {
        return Err(short);
    };
    if header.get(4) != Some(&2) {
        return Err(Invalid::File("it is not a 64-bit ELF file"));
    }
    let native = if cfg!(target_endian = "little") { 1 } else { 2 };
    match header.get(5) {
        Some(&order) if order == native => {}
        Some(1) => {
            return Err(Invalid::File(
                "it is little-endian and the host is not; compile with `-target bpfeb`",
            ));
        }
        Some(2) => {
            return Err(Invalid::File(
                "it is big-endian and the host is not; compile with `-target bpfel`",
            ));
        }
        _ => return Err(Invalid::File("its byte order is not known")),
    }
    let field = |at| u16_at(header, at).map_or(0, u64::from);
    if header.get(6) != Some(&1) || u32_at(header, 20) != Some(1) {
        return Err(Invalid::File("its ELF version is not 1"));
    }
    if field(16) != u64::from(ET_REL) {
        return Err(Invalid::File(
            "it is not relocatable; it must not be linked by `ld`",
        ));
    }
    let machine = field(18);
    if machine != u64::from(EM_BPF) && machine != u64::from(EM_NONE) {
        return Err(Invalid::File(
            "it is for another machine; compile with `-target bpf`",
        ));
    }
    if field(56) != 0 {
        return Err(Invalid::File("it has program headers"));
    }
    if field(58) != count(SECTION_HEADER) {
        return Err(Invalid::File("its section headers are not of 64 bytes"));
    }
    // Zero would say that the number is elsewhere, as it is from 65280 on.
    let number = field(60);
    if number == 0 {
        return Err(Invalid::File("it has no sections"));
    }
    at_most("sections", number, MAX_SECTIONS)?;
    let table = u64_at(header, 40)
        .and_then(|at| range(elf, at, number * count(SECTION_HEADER)))
        .ok_or(Invalid::File("its section headers are not in the file"))?;
    let (headers, _) = table.as_chunks::<SECTION_HEADER>();

    let mut sections = Vec::with_capacity(headers.len());
    let mut names = Vec::with_capacity(headers.len());
    let mut in_file = 0_u64;
    for (index, header) in headers.iter().enumerate() {
        let word = |at| u32_at(header, at).unwrap_or(0);
        let long = |at| u64_at(header, at).unwrap_or(0);
        names.push(word(0));
        let mut section = Section {
            index,
            name: &[],
            kind: word(4),
            flags: long(8),
            size: long(32),
            link: word(40),
            info: word(44),
            entry: long(56),
            data: &[],
        };
        match section.kind {
            SHT_NULL => {
                if index == 0 && (section.size != 0 || section.link != 0) {
                    return Err(section.invalid("the first section must be empty"));
                }
                section.size = 0;
            }
            SHT_NOBITS => {}
            _ if index == 0 => {
                return Err(section.invalid("the first section must be empty"));
            }
            _ => {
                section.data = range(elf, long(24), section.size)
                    .ok_or_else(|| section.invalid("it is not in the file"))?;
                in_file = in_file.saturating_add(section.size);
            }
        }
        if section.kind == SHT_STRTAB && section.data.last() != Some(&0) {
            return Err(section.invalid("its last string does not end"));
        }
        sections.push(section);
    }
    // Libbpf copies each: sections that share bytes would multiply them.
    if in_file > count(elf.len()) {
        return Err(Invalid::File("its sections overlap"));
    }

    let table = sections
        .get(index(field(62)))
        .filter(|table| table.kind == SHT_STRTAB)
        .map(|table| table.data)
        .ok_or(Invalid::File("it has no names of sections"))?;
    for (section, name) in sections.iter_mut().zip(names).skip(1) {
        section.name = string(table, name, MAX_SECTION_NAME)
            .ok_or_else(|| section.invalid("its name is not in the table of names"))?;
    }
    Ok(sections)
}

fn read_symbols<'a>(
    table: &Section<'a>,
    sections: &[Section<'a>],
) -> Result<Vec<Symbol<'a>>, Invalid> {
    let (entries, rest) = table.data.as_chunks::<SYMBOL>();
    if table.entry != count(SYMBOL) || !rest.is_empty() {
        return Err(table.invalid("it is not made of whole symbols"));
    }
    at_most("symbols", count(entries.len()), MAX_SYMBOLS)?;
    if u64::from(table.info) > count(entries.len()) {
        return Err(table.invalid("it has fewer symbols than local ones"));
    }
    let names = sections
        .get(index(table.link.into()))
        .filter(|names| names.kind == SHT_STRTAB)
        .map(|names| names.data)
        .ok_or_else(|| table.invalid("it has no names of symbols"))?;

    let mut symbols = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let info = entry.get(4).copied().unwrap_or(0);
        let mut symbol = Symbol {
            index,
            name: &[],
            kind: info & 0xf,
            bind: info >> 4,
            section: u16_at(entry, 6).unwrap_or(0),
            value: u64_at(entry, 8).unwrap_or(0),
            size: u64_at(entry, 16).unwrap_or(0),
        };
        symbol.name = string(names, u32_at(entry, 0).unwrap_or(0), MAX_NAME)
            .ok_or_else(|| symbol.invalid("its name is not in the table of names"))?;
        // `btf_fixup_datasec` keeps values in 32 bits and `compare_vsi_off` takes differences of them.
        if symbol.value > i32::MAX.unsigned_abs().into() {
            return Err(symbol.invalid("its value is too large"));
        }
        match symbol.section {
            SHN_UNDEF | SHN_ABS | SHN_COMMON => {}
            section => {
                let section = sections
                    .get(usize::from(section))
                    .ok_or_else(|| symbol.invalid("it is in a section that is not there"))?;
                let end = symbol.value.checked_add(symbol.size);
                if end.is_none_or(|end| end > section.size) {
                    return Err(symbol.invalid("it is not inside its section"));
                }
            }
        }
        symbols.push(symbol);
    }
    Ok(symbols)
}

/// `ignore_elf_section`, as far as it is about relocations.
fn is_ignored(name: &[u8]) -> bool {
    name.strip_prefix(b".rel").is_some_and(|target| {
        target.starts_with(b".debug_") || target == b".BTF" || target == b".BTF.ext"
    })
}

/// The code of a section.
#[derive(Default)]
struct Code {
    /// Start, end, and symbol, in order, none over another.
    functions: Vec<(usize, usize, usize)>,
    /// What each of its instructions is.
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// Of no function: libbpf does not copy it.
    Unused,
    Instruction,
    /// The second half of a 64-bit load.
    Second,
}

fn walk(
    section: &Section<'_>,
    start: usize,
    end: usize,
    slots: &mut [Slot],
) -> Result<(), Invalid> {
    let invalid = |at, what| {
        Err(Invalid::Code {
            section: section.named(),
            at: count(at),
            what,
        })
    };
    let mut at = start;
    while at < end {
        if let Some(slot) = slots.get_mut(at / INSTRUCTION) {
            *slot = Slot::Instruction;
        }
        let opcode = section.data.get(at);
        at += INSTRUCTION;
        if opcode != Some(&LDIMM64) {
            continue;
        }
        if at >= end {
            return invalid(
                at - INSTRUCTION,
                "the second half of a 64-bit load is not in the function",
            );
        }
        // Libbpf looks at instructions one by one and would take it for one.
        if section.data.get(at) != Some(&0) {
            return invalid(at, "the second half of a 64-bit load is an instruction");
        }
        if let Some(slot) = slots.get_mut(at / INSTRUCTION) {
            *slot = Slot::Second;
        }
        at += INSTRUCTION;
    }
    Ok(())
}

/// What libbpf does for each of something with each of something else, which is small for any real object.
struct Work {
    symbols: u64,
    /// Sections with code.
    code: u64,
    /// Functions outside `.text`: the programs.
    programs: u64,
    /// Functions in `.text`: what programs call.
    subprograms: u64,
    /// Bytes that each program may get a copy of.
    linked: u64,
    relocations: u64,
    externs: u64,
    data_sections: u64,
    maps: u64,
    types: u64,
    /// In all data sections.
    variables: u64,
    /// That are looked up in the symbols.
    global_variables: u64,
    /// Steps over `.BTF.ext`.
    steps: u64,
}

impl Work {
    fn new(file: &File<'_>, code: &[Code], relocations: &[u64]) -> Self {
        /// More than the size of `struct reloc_desc`.
        const DESCRIPTION: u64 = 64;

        let mut work = Self {
            symbols: count(file.symbols.len()),
            code: 0,
            programs: 0,
            subprograms: 0,
            linked: 0,
            relocations: relocations.iter().sum(),
            externs: count(file.symbols.iter().filter(|s| s.is_extern()).count()),
            data_sections: 0,
            maps: 0,
            types: 0,
            variables: 0,
            global_variables: 0,
            steps: 0,
        };
        for ((section, code), relocations) in file.sections.iter().zip(code).zip(relocations) {
            work.data_sections += u64::from(section.is_data());
            work.code += u64::from(section.is_code());
            let functions = count(code.functions.len());
            if section.name == b".text" {
                work.subprograms += functions;
                work.linked = work
                    .linked
                    .saturating_add(section.size)
                    .saturating_add(relocations.saturating_mul(DESCRIPTION));
            } else {
                work.programs += functions;
            }
        }
        work
    }

    /// `adjust_prog_btf_ext_info` goes through the records of the section for each function that a program has.
    fn add_block(&mut self, section: &[u8], functions: usize, records: u64, size: u64) {
        let calls = self.programs.saturating_mul(self.subprograms + 1);
        if section == b".text" {
            self.linked = self.linked.saturating_add(size);
            self.steps = self.steps.saturating_add(calls.saturating_mul(records));
        } else {
            self.steps = self
                .steps
                .saturating_add(count(functions).saturating_mul(records));
        }
        self.steps = self.steps.saturating_add(calls);
    }

    fn check(&self) -> Result<(), Invalid> {
        at_most("externs", self.externs, MAX_KCONFIG + MAX_KSYMS)?;
        at_most(
            "maps",
            self.maps.saturating_add(self.data_sections),
            MAX_MAPS,
        )?;
        // `bpf_object__append_subprog_code`, `append_subprog_relos` and `adjust_prog_btf_ext_info`
        at_most(
            "bytes of functions, relocations and debug information for all programs together",
            self.programs.saturating_mul(self.linked),
            MAX_LINKED,
        )?;
        // `find_elf_var_sym`
        at_most(
            "symbols for all global variables together",
            self.global_variables.saturating_mul(self.symbols),
            MAX_COMPARISONS,
        )?;
        // `find_extern_btf_id`, `find_extern_sec_btf_id` and `btf__find_by_name`
        at_most(
            "types for all externs and data sections together",
            (self.externs + self.data_sections)
                .saturating_mul(self.types.saturating_add(self.variables)),
            MAX_COMPARISONS << 2,
        )?;
        // `bpf_program__record_reloc` and `bpf_object__collect_map_relos`
        at_most(
            "externs and maps for all relocations together",
            self.relocations
                .saturating_mul(self.externs + self.maps + self.data_sections),
            MAX_STEPS >> 2,
        )?;
        // `bpf_object__add_programs`
        at_most(
            "symbols for all sections with code together",
            self.code.saturating_mul(self.symbols),
            MAX_STEPS >> 2,
        )?;
        at_most(
            "records of debug information for all programs together",
            self.steps,
            MAX_STEPS,
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Void,
    Int,
    Ptr,
    Array,
    Struct,
    Union,
    Enum,
    Fwd,
    Typedef,
    Volatile,
    Const,
    Restrict,
    Func,
    FuncProto,
    Var,
    DataSec,
    Float,
    DeclTag,
    TypeTag,
    Enum64,
}

impl Kind {
    fn of(kind: u32) -> Option<Self> {
        const KINDS: [Kind; 19] = [
            Kind::Int,
            Kind::Ptr,
            Kind::Array,
            Kind::Struct,
            Kind::Union,
            Kind::Enum,
            Kind::Fwd,
            Kind::Typedef,
            Kind::Volatile,
            Kind::Const,
            Kind::Restrict,
            Kind::Func,
            Kind::FuncProto,
            Kind::Var,
            Kind::DataSec,
            Kind::Float,
            Kind::DeclTag,
            Kind::TypeTag,
            Kind::Enum64,
        ];
        KINDS.get(index(kind.into()).checked_sub(1)?).copied()
    }

    /// Of what follows the type: size of one, and whether there are as many as the type says.
    fn rest(self) -> (usize, bool) {
        match self {
            Self::Int | Self::Var | Self::DeclTag => (4, false),
            Self::Array => (12, false),
            Self::Struct | Self::Union | Self::DataSec | Self::Enum64 => (12, true),
            Self::Enum | Self::FuncProto => (8, true),
            _ => (0, false),
        }
    }

    /// What `skip_mods_and_typedefs` skips.
    fn is_skipped(self) -> bool {
        matches!(
            self,
            Self::Typedef | Self::Volatile | Self::Const | Self::Restrict | Self::TypeTag
        )
    }

    /// Whether the type is what its type is, and no other field than that says more.
    fn has_type(self) -> bool {
        self.is_skipped()
            || matches!(
                self,
                Self::Ptr | Self::Func | Self::FuncProto | Self::Var | Self::DeclTag
            )
    }

    /// Whether it says something about a name instead of being the type of something.
    fn is_declaration(self) -> bool {
        matches!(self, Self::Func | Self::Var | Self::DataSec | Self::DeclTag)
    }
}

#[derive(Clone, Copy)]
struct Type<'a> {
    id: u32,
    kind: Kind,
    /// Whether members have sizes of bit fields.
    flag: bool,
    name_at: u32,
    /// Size, or the type that it is of.
    value: u32,
    rest: &'a [u8],
}

impl<'a> Type<'a> {
    const VOID: Self = Self {
        id: 0,
        kind: Kind::Void,
        flag: false,
        name_at: 0,
        value: 0,
        rest: &[],
    };

    fn word(&self, at: usize) -> u32 {
        u32_at(self.rest, at).unwrap_or(0)
    }

    /// Of what follows it, three words each.
    fn triples(&self) -> impl Iterator<Item = [u32; 3]> + use<'a> {
        let word = |entry: &[u8], at| u32_at(entry, at).unwrap_or(0);
        self.rest
            .as_chunks::<12>()
            .0
            .iter()
            .map(move |entry| [word(entry, 0), word(entry, 4), word(entry, 8)])
    }

    fn pairs(&self) -> impl Iterator<Item = [u32; 2]> + use<'a> {
        let word = |entry: &[u8], at| u32_at(entry, at).unwrap_or(0);
        self.rest
            .as_chunks::<8>()
            .0
            .iter()
            .map(move |entry| [word(entry, 0), word(entry, 4)])
    }

    /// The types that are part of it, by their number.
    fn part(&self, number: usize) -> Option<u32> {
        match self.kind {
            Kind::Var => (number == 0).then_some(self.value),
            kind if kind.is_skipped() => (number == 0).then_some(self.value),
            Kind::Array => (number == 0).then(|| self.word(0)),
            Kind::Struct | Kind::Union => {
                u32_at(self.rest, number.checked_mul(12)?.checked_add(4)?)
            }
            Kind::DataSec => u32_at(self.rest, number.checked_mul(12)?),
            _ => None,
        }
    }

    /// Bit offset and, of a bit field, bits.
    fn place(&self, offset: u32) -> (u64, u64) {
        if self.flag {
            ((offset & 0x00ff_ffff).into(), (offset >> 24).into())
        } else {
            (offset.into(), 0)
        }
    }
}

struct Btf<'a> {
    types: Vec<Type<'a>>,
    strings: &'a [u8],
}

impl<'a> Btf<'a> {
    /// `btf__new`, with a version of the header that cannot say anything else than it does.
    fn read(data: &'a [u8]) -> Result<Self, Invalid> {
        let short = Invalid::Btf("it is shorter than its header");
        if data.len() < BTF_HEADER {
            return Err(short);
        }
        if u16_at(data, 0) != Some(BTF_MAGIC) {
            return Err(Invalid::Btf("it is not BTF of this byte order"));
        }
        let field = |at| u32_at(data, at).map_or(0, u64::from);
        if data.get(2) != Some(&1) {
            return Err(Invalid::Btf("its version is not 1"));
        }
        if field(4) != count(BTF_HEADER) {
            return Err(Invalid::Btf("its header is not of 24 bytes"));
        }
        let body = data.get(BTF_HEADER..).unwrap_or_default();
        let (types_at, types_len) = (field(8), field(12));
        let (strings_at, strings_len) = (field(16), field(20));
        at_most("bytes of BTF types", types_len, MAX_BTF)?;
        at_most("bytes of BTF strings", strings_len, MAX_BTF)?;
        if types_at % 4 != 0 || types_at + types_len > strings_at {
            return Err(Invalid::Btf("its types are not before its strings"));
        }
        let types = range(body, types_at, types_len)
            .ok_or(Invalid::Btf("its types are not in the section"))?;
        let strings = range(body, strings_at, strings_len)
            .ok_or(Invalid::Btf("its strings are not in the section"))?;
        if strings.first() != Some(&0) || strings.last() != Some(&0) {
            return Err(Invalid::Btf(
                "its strings do not begin and end with an empty byte",
            ));
        }
        Ok(Self {
            types: read_types(types)?,
            strings,
        })
    }

    fn get(&self, id: u32) -> Option<&Type<'a>> {
        self.types.get(index(id.into()))
    }

    /// One that is known to be there.
    fn ty(&self, id: u32) -> Type<'a> {
        self.get(id).copied().unwrap_or(Type::VOID)
    }

    fn has_string(&self, at: u32) -> bool {
        index(at.into()) < self.strings.len()
    }

    fn string(&self, at: u32) -> &'a [u8] {
        string(self.strings, at, MAX_NAME).unwrap_or_default()
    }

    fn invalid(&self, ty: &Type<'_>, what: &'static str) -> Invalid {
        let name = string(self.strings, ty.name_at, MAX_NAME).unwrap_or_default();
        Invalid::Type {
            id: ty.id,
            name: Name(if name.is_empty() {
                format!(" ({:?})", ty.kind)
            } else {
                format!(" {}", Name::new(name, 0))
            }),
            what,
        }
    }

    /// What it is without qualifiers and names. To be called once it is known that this ends.
    fn skip(&self, id: u32) -> Type<'a> {
        let mut ty = self.ty(id);
        for _ in 0..=MAX_DEPTH {
            if !ty.kind.is_skipped() {
                break;
            }
            ty = self.ty(ty.value);
        }
        ty
    }

    /// That all types and strings which types name are there. `btf_validate_type` does not look at the types that functions return, and `skip_mods_and_typedefs` takes any type to be there.
    fn check_references(&self) -> Result<(), Invalid> {
        for ty in self.types.iter().skip(1) {
            if !self.has_string(ty.name_at) {
                return Err(self.invalid(ty, "its name is not in the strings"));
            }
            if matches!(ty.kind, Kind::Var | Kind::Func | Kind::DataSec) {
                let name = string(self.strings, ty.name_at, MAX_NAME);
                if name.is_none_or(<[u8]>::is_empty) {
                    return Err(self.invalid(ty, "it has no name, or one that is too long"));
                }
            }
            if ty.kind.has_type() {
                self.check_reference(ty, ty.value)?;
            }
            match ty.kind {
                Kind::Array => {
                    self.check_reference(ty, ty.word(0))?;
                    self.check_reference(ty, ty.word(4))?;
                }
                Kind::Struct | Kind::Union => {
                    for [name, member, _] in ty.triples() {
                        self.check_string(ty, name)?;
                        self.check_reference(ty, member)?;
                    }
                }
                Kind::FuncProto => {
                    for [name, parameter] in ty.pairs() {
                        self.check_string(ty, name)?;
                        self.check_reference(ty, parameter)?;
                    }
                }
                Kind::Enum => {
                    for [name, _] in ty.pairs() {
                        self.check_string(ty, name)?;
                    }
                }
                Kind::Enum64 => {
                    for [name, _, _] in ty.triples() {
                        self.check_string(ty, name)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn check_string(&self, ty: &Type<'_>, at: u32) -> Result<(), Invalid> {
        if self.has_string(at) {
            Ok(())
        } else {
            Err(self.invalid(ty, "a name in it is not in the strings"))
        }
    }

    fn check_reference(&self, ty: &Type<'_>, id: u32) -> Result<(), Invalid> {
        let Some(target) = self.get(id) else {
            return Err(self.invalid(ty, "it is of a type that is not there"));
        };
        let fits = match ty.kind {
            Kind::Func => target.kind == Kind::FuncProto,
            Kind::DeclTag => target.kind != Kind::Void,
            _ => !target.kind.is_declaration(),
        };
        if fits {
            Ok(())
        } else {
            Err(self.invalid(ty, "it is of a type that it cannot be of"))
        }
    }

    /// The size of each type. No type is part of itself, nor are types nested deep: `skip_mods_and_typedefs` would not end, and `btf__align_of`, `find_kcfg_type` and `bpf_core_match_member` would call themselves as deep.
    fn check_values(&self) -> Result<Vec<Option<u64>>, Invalid> {
        #[derive(Clone, Copy, PartialEq, Eq)]
        enum State {
            New,
            Open,
            Done { depth: u32 },
        }
        let mut states = vec![State::New; self.types.len()];
        let mut sizes = vec![None; self.types.len()];
        // A type, which of its parts is next, and the depth of those before.
        let mut path: Vec<(u32, usize, u32)> = Vec::new();
        for root in self.types.iter().skip(1) {
            if states.get(index(root.id.into())) != Some(&State::New) {
                continue;
            }
            path.push((root.id, 0, 0));
            while let Some((id, next, depth)) = path.last_mut() {
                let ty = self.ty(*id);
                let here = index(ty.id.into());
                if let Some(part) = ty.part(*next) {
                    let target = self.ty(part);
                    if ty.kind == Kind::DataSec
                        && target.kind != Kind::Var
                        && !(target.kind == Kind::Func && self.string(ty.name_at) == b".ksyms")
                    {
                        // `bpf_object__collect_externs` writes a linkage into each, behind a smaller type if it is one.
                        return Err(self.invalid(&ty, "something in it is not a variable"));
                    }
                    match states.get(index(part.into())) {
                        Some(State::Open) => {
                            return Err(self.invalid(&ty, "it is part of itself"));
                        }
                        Some(State::Done { depth: of_part }) => {
                            *depth = (*depth).max(of_part + 1);
                            *next += 1;
                        }
                        _ if part == 0 => *next += 1,
                        _ => {
                            if let Some(state) = states.get_mut(here) {
                                *state = State::Open;
                            }
                            path.push((part, 0, 0));
                        }
                    }
                } else {
                    let depth = *depth;
                    if depth > MAX_DEPTH {
                        return Err(self.invalid(&ty, "its types are nested too deep"));
                    }
                    if let Some(state) = states.get_mut(here) {
                        *state = State::Done { depth };
                    }
                    let size = self.check_size(&ty, &sizes)?;
                    if let Some(of_type) = sizes.get_mut(here) {
                        *of_type = size;
                    }
                    path.pop();
                }
                if path.len() > index(u64::from(MAX_DEPTH) + 1) {
                    return Err(self.invalid(root, "its types are nested too deep"));
                }
            }
        }
        Ok(sizes)
    }

    /// The size of a type if it has one, given those of its parts.
    fn check_size(&self, ty: &Type<'_>, sizes: &[Option<u64>]) -> Result<Option<u64>, Invalid> {
        let size_of = |id: u32| sizes.get(index(id.into())).copied().flatten();
        let own = u64::from(ty.value);
        let size = match ty.kind {
            Kind::Int | Kind::Enum | Kind::Enum64 | Kind::Float => {
                // `btf__align_of` and the bit fields of `bpf_core_calc_field_relo` divide by it.
                if own == 0 || own > 16 {
                    return Err(self.invalid(ty, "it has no size that a number can have"));
                }
                Some(own)
            }
            Kind::Ptr => Some(8),
            Kind::Struct | Kind::Union => {
                for [_, member, offset] in ty.triples() {
                    self.check_member(ty, member, offset, size_of(member), own)?;
                }
                Some(own)
            }
            Kind::DataSec => Some(own),
            Kind::Array => size_of(ty.word(0)).map(|size| size.saturating_mul(ty.word(8).into())),
            Kind::Var => size_of(ty.value),
            kind if kind.is_skipped() => size_of(ty.value),
            _ => None,
        };
        // The arrays in definitions of maps are as long as the number they stand for, and there is nothing of their type.
        let is_value = matches!(
            ty.kind,
            Kind::Struct | Kind::Union | Kind::DataSec | Kind::Var
        );
        if is_value && size.is_some_and(|size| size > MAX_VALUE) {
            return Err(self.invalid(ty, "it is larger than 1 GiB"));
        }
        Ok(size)
    }

    /// `bpf_map__init_kern_struct_ops` reads and writes members wherever they say they are.
    fn check_member(
        &self,
        ty: &Type<'_>,
        member: u32,
        offset: u32,
        size: Option<u64>,
        own: u64,
    ) -> Result<(), Invalid> {
        let (at, bits) = ty.place(offset);
        let base = self.skip(member);
        let bits = if bits != 0 {
            // `bpf_core_calc_field_relo` takes its size for one and divides by it.
            if !matches!(base.kind, Kind::Int | Kind::Enum | Kind::Enum64) {
                return Err(self.invalid(ty, "a bit field in it is not a number"));
            }
            if bits > u64::from(base.value) * 8 {
                return Err(self.invalid(ty, "a bit field in it is larger than its type"));
            }
            bits
        } else if base.kind == Kind::Int && !ty.flag {
            // A bit field of old compilers has a type of its own.
            u64::from(base.word(0) & 0xff).min(u64::from(base.value) * 8)
        } else {
            size.unwrap_or(0).saturating_mul(8)
        };
        if at.saturating_add(bits) > own * 8 {
            return Err(self.invalid(ty, "a member of it is not inside"));
        }
        Ok(())
    }

    fn check_data_sections(
        &self,
        file: &File<'_>,
        sizes: &[Option<u64>],
        work: &mut Work,
    ) -> Result<(), Invalid> {
        work.types = count(self.types.len());
        let mut seen = HashSet::new();
        for ty in self.types.iter().skip(1) {
            if ty.kind != Kind::DataSec {
                continue;
            }
            // Libbpf looks for them by name, and finds the first here and the last there.
            let name = self.string(ty.name_at);
            if !seen.insert(name) {
                return Err(self.invalid(ty, "there is more than one of this name"));
            }
            let mut variables = 0_u64;
            for [var, offset, size] in ty.triples() {
                variables += 1;
                let var = self.ty(var);
                work.global_variables +=
                    u64::from(var.kind == Kind::Var && var.word(0) != VAR_STATIC);
                // Of externs, libbpf sets both.
                if name == b".kconfig" || name == b".ksyms" {
                    continue;
                }
                // `compare_vsi_off` takes differences in 32 bits, and qsort needs an order.
                let end = u64::from(offset) + u64::from(size);
                if (ty.value != 0 && end > ty.value.into()) || end > i32::MAX.unsigned_abs().into()
                {
                    return Err(self.invalid(ty, "a variable of it is not inside"));
                }
            }
            work.variables = work.variables.saturating_add(variables);
            match name {
                b".kconfig" => self.check_kconfig(ty, sizes, variables)?,
                b".ksyms" => at_most("variables in `.ksyms`", variables, MAX_KSYMS)?,
                b".maps" => {
                    work.maps = variables;
                    self.check_maps(ty, file)?;
                }
                name if is_struct_ops(name) => self.check_struct_ops(ty, file, sizes)?,
                _ => {}
            }
        }
        at_most("data sections with types", count(seen.len()), MAX_SECTIONS)
    }

    /// `bpf_object__collect_externs` adds up sizes in an `int`, and asks for the alignment of a type before it looks whether it is one that an option can have; that takes time which grows with the power of how deep unions are nested. `set_kcfg_value_tri` takes any enum to be as large as an `int`.
    fn check_kconfig(
        &self,
        ty: &Type<'_>,
        sizes: &[Option<u64>],
        variables: u64,
    ) -> Result<(), Invalid> {
        at_most("variables in `.kconfig`", variables, MAX_KCONFIG)?;
        for [id, _, _] in ty.triples() {
            let var = self.ty(id);
            let value = self.skip(var.value);
            let fits = match value.kind {
                Kind::Int => true,
                Kind::Enum => value.value == 4,
                Kind::Enum64 => value.value == 8,
                Kind::Array => self.skip(value.word(0)).kind == Kind::Int,
                _ => false,
            };
            if !fits {
                return Err(self.invalid(&var, "no option of the kernel is of its type"));
            }
            let size = sizes.get(index(id.into())).copied().flatten();
            if size.is_none_or(|size| size == 0 || size > MAX_KCONFIG_SIZE) {
                return Err(self.invalid(&var, "no option of the kernel is of its size"));
            }
        }
        Ok(())
    }

    fn check_maps(&self, ty: &Type<'_>, file: &File<'_>) -> Result<(), Invalid> {
        let invalid = |var: &Type<'_>, what| {
            Err(Invalid::Map {
                map: Name::new(self.string(var.name_at), index(var.id.into())),
                what,
            })
        };
        let mut total = 0_u64;
        for [id, _, size] in ty.triples() {
            let var = self.ty(id);
            total = total.saturating_add(size.into());
            // `build_map_pin_path` makes it part of a path.
            if !plain(self.string(var.name_at)) {
                return invalid(&var, "its name is not a name of a variable");
            }
            let definition = self.skip(var.value);
            if definition.kind != Kind::Struct {
                return invalid(&var, "its definition is not a struct");
            }
            if definition.value > size {
                return invalid(&var, "its definition is larger than its variable");
            }
            let mut is_arena = false;
            let mut is_placed = false;
            for [name, member, _] in definition.triples() {
                match self.string(name) {
                    b"type" => is_arena |= self.number(member) == Some(BPF_MAP_TYPE_ARENA.into()),
                    b"map_extra" => is_placed |= self.number(member) != Some(0),
                    _ => {}
                }
            }
            // `bpf_object__create_maps` maps it there, over whatever else is there.
            if is_arena && is_placed {
                return invalid(
                    &var,
                    "`map_extra` of an arena is an address in the host and must not be given",
                );
            }
        }
        // `bpf_object__collect_map_relos` makes slots for as much as the size of each.
        let section = file.section(b".maps").map_or(0, |section| section.size);
        if total > section {
            return Err(self.invalid(ty, "its variables are larger than the section"));
        }
        Ok(())
    }

    /// What `get_map_field_long` reads from a member of a map's definition.
    fn number(&self, member: u32) -> Option<u64> {
        let ty = self.skip(member);
        match ty.kind {
            Kind::Ptr => {
                let array = self.ty(ty.value);
                (array.kind == Kind::Array).then(|| array.word(8).into())
            }
            Kind::Enum => ty.pairs().next().map(|[_, value]| value.into()),
            Kind::Enum64 => ty
                .triples()
                .next()
                .map(|[_, low, high]| u64::from(high) << 32 | u64::from(low)),
            _ => None,
        }
    }

    /// `init_struct_ops_maps` adds offset and size in 32 bits, with offsets that `btf_fixup_datasec` takes from symbols of any section; `bpf_map__init_kern_struct_ops` takes offsets of members with the sizes of bit fields in them.
    fn check_struct_ops(
        &self,
        ty: &Type<'_>,
        file: &File<'_>,
        sizes: &[Option<u64>],
    ) -> Result<(), Invalid> {
        let symbols: HashMap<&[u8], u64> = file
            .symbols
            .iter()
            .rev()
            .filter(|symbol| symbol.kind == STT_OBJECT && symbol.is_global())
            .map(|symbol| (symbol.name, symbol.value))
            .collect();
        let section = file
            .section(self.string(ty.name_at))
            .map_or(0, |section| section.size);
        for [id, offset, _] in ty.triples() {
            let var = self.ty(id);
            let value = self.skip(var.value);
            if value.kind != Kind::Struct {
                return Err(self.invalid(&var, "what is in a struct_ops section must be structs"));
            }
            let offset = u64::from(offset).max(
                symbols
                    .get(self.string(var.name_at))
                    .copied()
                    .unwrap_or_default(),
            );
            if offset + u64::from(value.value) > section {
                return Err(self.invalid(&var, "it is not inside its section"));
            }
            for [_, member, place] in value.triples() {
                let (at, bits) = value.place(place);
                let size = sizes
                    .get(index(member.into()))
                    .copied()
                    .flatten()
                    .unwrap_or(0);
                if bits != 0 || at % 8 != 0 || at / 8 + size > value.value.into() {
                    return Err(self.invalid(&value, "struct_ops cannot have bit fields"));
                }
            }
        }
        Ok(())
    }
}

fn read_types(data: &[u8]) -> Result<Vec<Type<'_>>, Invalid> {
    let mut types = vec![Type::VOID];
    let mut at = 0;
    while at < data.len() {
        at_most("BTF types", count(types.len()), MAX_TYPES)?;
        let id = u32::try_from(types.len()).unwrap_or(u32::MAX);
        let invalid = |what| Invalid::Type {
            id,
            name: Name(String::new()),
            what,
        };
        let words = (u32_at(data, at), u32_at(data, at + 4), u32_at(data, at + 8));
        let (Some(name_at), Some(info), Some(value)) = words else {
            return Err(invalid("it is cut short"));
        };
        let kind = Kind::of(info >> 24 & 0x1f).ok_or_else(|| invalid("its kind is not known"))?;
        let (size, is_many) = kind.rest();
        let number = if is_many {
            index((info & 0xffff).into())
        } else {
            1
        };
        let start = at + 12;
        at = start + size * number;
        types.push(Type {
            id,
            kind,
            flag: info >> 31 != 0,
            name_at,
            value,
            rest: data
                .get(start..at)
                .ok_or_else(|| invalid("it is cut short"))?,
        });
    }
    Ok(types)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Functions,
    Lines,
    Core,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Functions => "func_info",
            Self::Lines => "line_info",
            Self::Core => "core_relo",
        }
    }

    fn invalid(self, what: &'static str) -> Invalid {
        Invalid::BtfExt {
            part: self.name(),
            what,
        }
    }

    /// The size of what libbpf knows of a record.
    fn least(self) -> usize {
        match self {
            Self::Functions => 8,
            Self::Lines | Self::Core => 16,
        }
    }
}

fn check_btf_ext(
    data: &[u8],
    btf: &Btf<'_>,
    file: &File<'_>,
    code: &[Code],
    work: &mut Work,
) -> Result<(), Invalid> {
    let header = |what| Invalid::BtfExt {
        part: "header",
        what,
    };
    if data.len() < BTF_EXT_HEADER {
        return Err(header("it is cut short"));
    }
    if u16_at(data, 0) != Some(BTF_MAGIC) {
        return Err(header("it is not BTF of this byte order"));
    }
    if data.get(2) != Some(&1) || data.get(3) != Some(&0) {
        return Err(header("its version is not 1"));
    }
    let field = |at| u32_at(data, at).map_or(0, u64::from);
    let length = index(field(4));
    if length < BTF_EXT_HEADER || !length.is_multiple_of(4) || length > data.len() {
        return Err(header("its length is wrong"));
    }
    let body = data.get(length..).unwrap_or_default();
    let mut sections: HashMap<&[u8], &Section<'_>> = HashMap::new();
    for section in file.sections.iter().skip(1) {
        sections.entry(section.name).or_insert(section);
    }
    let mut reader = ExtReader {
        btf,
        sections,
        code,
        work,
        core_types: HashSet::new(),
    };
    reader.check_part(Part::Functions, body, field(8), field(12))?;
    reader.check_part(Part::Lines, body, field(16), field(20))?;
    if length >= BTF_EXT_HEADER_CORE {
        reader.check_part(Part::Core, body, field(24), field(28))?;
    }
    Ok(())
}

struct ExtReader<'r, 'a> {
    btf: &'r Btf<'a>,
    sections: HashMap<&'a [u8], &'r Section<'a>>,
    code: &'r [Code],
    work: &'r mut Work,
    /// The types that are looked for in the kernel.
    core_types: HashSet<u32>,
}

impl ExtReader<'_, '_> {
    /// `btf_ext_parse_sec_info`, and what the records say.
    fn check_part(&mut self, part: Part, body: &[u8], at: u64, len: u64) -> Result<(), Invalid> {
        if len == 0 {
            return Ok(());
        }
        let data = range(body, at, len)
            .filter(|_| at.is_multiple_of(4))
            .ok_or_else(|| part.invalid("it is not in the section"))?;
        let (size, mut data) = data
            .split_first_chunk()
            .map(|(size, data)| (index(u32::from_ne_bytes(*size).into()), data))
            .ok_or_else(|| part.invalid("it is cut short"))?;
        if size < part.least() || size % 4 != 0 {
            return Err(part.invalid("the size of its records is wrong"));
        }
        let mut blocks = 0;
        while !data.is_empty() {
            blocks += 1;
            at_most("blocks of `.BTF.ext`", blocks, MAX_BLOCKS)?;
            let (Some(name), Some(number)) = (u32_at(data, 0), u32_at(data, 4)) else {
                return Err(part.invalid("it is cut short"));
            };
            let length = u64::from(number).saturating_mul(count(size));
            let records = range(data, 8, length)
                .filter(|_| number != 0)
                .ok_or_else(|| part.invalid("its number of records is wrong"))?;
            if !self.btf.has_string(name) {
                return Err(part.invalid("the name of a section is not in the strings"));
            }
            self.check_block(part, self.btf.string(name), records, size)?;
            data = data
                .get(index(length).saturating_add(8)..)
                .unwrap_or_default();
        }
        Ok(())
    }

    fn check_block(
        &mut self,
        part: Part,
        name: &[u8],
        records: &[u8],
        size: usize,
    ) -> Result<(), Invalid> {
        // Libbpf skips what is about a section that is not there.
        let section = self.sections.get(name).copied();
        let code = section.and_then(|section| self.code.get(section.index));
        if part != Part::Core {
            self.work.add_block(
                name,
                code.map_or(0, |code| code.functions.len()),
                count(records.len() / size),
                count(records.len()),
            );
        }
        let mut before = 0;
        for record in records.chunks_exact(size) {
            let word = |at| u32_at(record, at).unwrap_or(0);
            let at = word(0);
            if !index(at.into()).is_multiple_of(INSTRUCTION)
                || section.is_some_and(|section| u64::from(at) >= section.size)
            {
                return Err(part.invalid("a record is not about an instruction of its section"));
            }
            match part {
                // `adjust_prog_btf_ext_info` copies all from a function's first to its last.
                Part::Functions | Part::Lines if at < before => {
                    return Err(part.invalid("its records are not in order"));
                }
                Part::Functions => {
                    if self.btf.get(word(4)).is_none_or(|ty| ty.kind != Kind::Func) {
                        return Err(part.invalid("a record is not about a function"));
                    }
                }
                Part::Lines => {
                    if !self.btf.has_string(word(4)) || !self.btf.has_string(word(8)) {
                        return Err(part.invalid("a line is not in the strings"));
                    }
                }
                Part::Core => {
                    // `bpf_core_patch_insn` poisons both halves of a 64-bit load.
                    let slot = code.and_then(|code| code.slots.get(index(at.into()) / INSTRUCTION));
                    if slot == Some(&Slot::Second) {
                        return Err(part.invalid("a record is about half of a 64-bit load"));
                    }
                    self.check_core(word(4), word(8), word(12))?;
                }
            }
            before = at;
        }
        Ok(())
    }

    /// `bpf_core_parse_spec` reads the numbers of members with their sign, and takes what is below zero for small enough.
    fn check_core(&mut self, ty: u32, access: u32, kind: u32) -> Result<(), Invalid> {
        const MAX_KIND: u32 = 12;
        /// Digits of a number that fits an `int`.
        const DIGITS: usize = 9;

        let part = Part::Core;
        if self.btf.get(ty).is_none() {
            return Err(part.invalid("a record is about a type that is not there"));
        }
        if kind > MAX_KIND {
            return Err(part.invalid("the kind of a record is not known"));
        }
        if !self.btf.has_string(access) {
            return Err(part.invalid("what a record is about is not in the strings"));
        }
        let numbers = self.btf.string(access).split(|&byte| byte == b':');
        let mut found = 0;
        for number in numbers {
            found += 1;
            if found > MAX_ACCESS
                || number.is_empty()
                || number.len() > DIGITS
                || !number.iter().all(u8::is_ascii_digit)
            {
                return Err(part.invalid("what a record is about is not a list of numbers"));
            }
        }
        self.core_types.insert(ty);
        at_most(
            "types in CO-RE relocations",
            count(self.core_types.len()),
            MAX_CORE_TYPES,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INT: u32 = 1;
    const PTR: u32 = 2;
    const ARRAY: u32 = 3;
    const STRUCT: u32 = 4;
    const UNION: u32 = 5;
    const TYPEDEF: u32 = 8;
    const CONST: u32 = 10;
    const FUNC: u32 = 12;
    const FUNC_PROTO: u32 = 13;
    const VAR: u32 = 14;
    const DATASEC: u32 = 15;
    const ENUM64: u32 = 19;

    const NOP: [u8; 8] = [0xb7, 0, 0, 0, 0, 0, 0, 0];
    const LOAD: [u8; 8] = [LDIMM64, 0, 0, 0, 0, 0, 0, 0];
    const ZERO: [u8; 8] = [0; 8];
    const EXIT: [u8; 8] = [0x95, 0, 0, 0, 0, 0, 0, 0];

    // Sections of `Object`.
    const STRTAB: usize = 1;
    const SYMTAB: usize = 2;
    const TC: usize = 3;
    const TEXT: usize = 4;
    const MAPS: usize = 5;
    const RODATA: usize = 6;
    const BSS: usize = 7;
    const REL_TC: usize = 8;
    const REL_MAPS: usize = 9;
    const BTF: usize = 10;
    const BTF_EXT: usize = 11;

    // Symbols of `Object`.
    const PROGRAM: usize = 1;
    const FUNCTION: usize = 2;
    const VALUE: usize = 4;

    macro_rules! refused {
        ($object:expr, $invalid:pat) => {{
            let found = check(&$object);
            assert!(matches!(found, Err($invalid)), "{found:?}");
        }};
    }

    fn check(object: &Object) -> Result<(), Invalid> {
        validate(&object.bytes(), Allowed { struct_ops: false })
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    fn put(data: &mut [u8], at: usize, bytes: &[u8]) {
        data[at..at + bytes.len()].copy_from_slice(bytes);
    }

    #[derive(Clone)]
    struct Strings(Vec<u8>);

    impl Strings {
        fn add(&mut self, text: &str) -> u32 {
            if text.is_empty() {
                return 0;
            }
            let at = self.0.len();
            self.0.extend_from_slice(text.as_bytes());
            self.0.push(0);
            u32::try_from(at).unwrap()
        }
    }

    #[derive(Clone)]
    struct Types {
        strings: Strings,
        types: Vec<u8>,
        last: u32,
    }

    impl Types {
        fn new() -> Self {
            Self {
                strings: Strings(vec![0]),
                types: Vec::new(),
                last: 0,
            }
        }

        fn add(&mut self, name: &str, kind: u32, number: u32, value: u32, rest: &[u32]) -> u32 {
            let name = self.strings.add(name);
            self.types
                .extend(words(&[name, kind << 24 | number, value]));
            self.types.extend(words(rest));
            self.last += 1;
            self.last
        }

        fn int(&mut self, name: &str, size: u32) -> u32 {
            self.add(name, INT, 0, size, &[size * 8])
        }

        fn section(&mut self, name: &str, vars: &[(u32, u32, u32)]) -> u32 {
            let rest: Vec<u32> = vars.iter().flat_map(|&(a, b, c)| [a, b, c]).collect();
            let number = u32::try_from(vars.len()).unwrap();
            self.add(name, DATASEC, number, 0, &rest)
        }

        fn bytes(&self) -> Vec<u8> {
            let types = u32::try_from(self.types.len()).unwrap();
            let strings = u32::try_from(self.strings.0.len()).unwrap();
            let mut data = BTF_MAGIC.to_ne_bytes().to_vec();
            data.extend([1, 0]);
            data.extend(words(&[24, 0, types, types, strings]));
            data.extend(&self.types);
            data.extend(&self.strings.0);
            data
        }
    }

    #[derive(Clone, Default)]
    struct Part {
        name: String,
        kind: u32,
        flags: u64,
        link: u32,
        info: u32,
        entry: u64,
        data: Vec<u8>,
        /// Where it is not that of the data.
        size: Option<u64>,
    }

    #[derive(Clone)]
    struct Object {
        sections: Vec<Part>,
        types: Types,
        /// The type of a function, for `.BTF.ext`.
        func: u32,
        strukt: u32,
        /// Section name, and access string.
        tc: u32,
        access: u32,
    }

    impl Object {
        /// A program with a relocated load, a function, a map and a constant.
        fn new() -> Self {
            let mut names = Strings(vec![0]);
            let mut symbols = vec![0; SYMBOL];
            let mut symbol = |name, info: u8, section: usize, value: u64, size: u64| {
                symbols.extend(names.add(name).to_ne_bytes());
                symbols.extend([info, 0]);
                symbols.extend(u16::try_from(section).unwrap().to_ne_bytes());
                symbols.extend(value.to_ne_bytes());
                symbols.extend(size.to_ne_bytes());
            };
            symbol("program", 0x12, TC, 0, 32);
            symbol("function", 0x12, TEXT, 8, 16);
            symbol("table", 0x11, MAPS, 0, 16);
            symbol("value", 0x11, RODATA, 0, 8);
            let part = |name: &str, kind, flags, data: &[u8]| Part {
                name: name.to_owned(),
                kind,
                flags,
                data: data.to_vec(),
                ..Part::default()
            };
            let relocation = |at: u64, symbol: u64| {
                [at.to_ne_bytes(), (symbol << 32 | 1).to_ne_bytes()].concat()
            };
            let rel = |name: &str, target: usize, data: &[u8]| Part {
                link: 2,
                info: u32::try_from(target).unwrap(),
                entry: 16,
                ..part(name, SHT_REL, 0, data)
            };
            let code = SHF_EXECINSTR | 2;
            let mut types = Types::new();
            let int = types.int("int", 4);
            let long = types.int("long", 8);
            let array = types.add("", ARRAY, 0, 0, &[int, int, 1]);
            let number = types.add("", PTR, 0, array, &[]);
            let (ty, extra) = (types.strings.add("type"), types.strings.add("map_extra"));
            let map = types.add("", STRUCT, 2, 16, &[ty, number, 0, extra, number, 64]);
            let table = types.add("table", VAR, 0, map, &[1]);
            types.section(".maps", &[(table, 0, 16)]);
            let constant = types.add("", CONST, 0, long, &[]);
            let value = types.add("value", VAR, 0, constant, &[1]);
            types.section(".rodata", &[(value, 0, 8)]);
            let proto = types.add("", FUNC_PROTO, 1, int, &[0, number]);
            let func = types.add("program", FUNC, 1, proto, &[]);
            let member = types.strings.add("member");
            // Two bit fields, and an array.
            let strukt = types.add(
                "strukt",
                STRUCT | 0x80,
                3,
                8,
                &[
                    member,
                    int,
                    3 << 24,
                    member,
                    int,
                    29 << 24 | 3,
                    member,
                    array,
                    32,
                ],
            );
            types.add("alias", TYPEDEF, 0, strukt, &[]);
            types.add("either", UNION, 2, 8, &[member, long, 0, member, strukt, 0]);
            let option = types.add("LINUX_KERNEL_VERSION", VAR, 0, int, &[2]);
            types.section(".kconfig", &[(option, 0, 4)]);
            let kernel = types.add("init_task", VAR, 0, 0, &[2]);
            types.section(".ksyms", &[(kernel, 0, 0), (func, 0, 0)]);
            let (tc, access) = (types.strings.add("tc"), types.strings.add("0:1"));
            let sections = vec![
                Part::default(),
                part(".strtab", SHT_STRTAB, 0, &names.0),
                Part {
                    link: 1,
                    info: 1,
                    entry: 24,
                    ..part(".symtab", SHT_SYMTAB, 0, &symbols)
                },
                part("tc", SHT_PROGBITS, code, &[NOP, LOAD, ZERO, EXIT].concat()),
                part(".text", SHT_PROGBITS, code, &[NOP, NOP, EXIT].concat()),
                part(".maps", SHT_PROGBITS, 3, &[0; 16]),
                part(".rodata", SHT_PROGBITS, 2, &[0; 8]),
                Part {
                    size: Some(64),
                    ..part(".bss", SHT_NOBITS, 3, &[])
                },
                rel(".reltc", TC, &relocation(8, 4)),
                rel(".rel.maps", MAPS, &relocation(8, 1)),
                part(".BTF", SHT_PROGBITS, 0, &types.bytes()),
                part(".BTF.ext", SHT_PROGBITS, 0, &[]),
                part("license", SHT_PROGBITS, 3, b"GPL\0"),
            ];
            let mut object = Self {
                sections,
                types,
                func,
                strukt,
                tc,
                access,
            };
            object.set_ext(
                &[8, object.tc, 1, 0, object.func],
                &[16, object.tc, 2, 0, 0, 0, 0, 24, 0, 0, 0],
                &[16, object.tc, 1, 8, object.strukt, object.access, 0],
            );
            object
        }

        fn set_ext(&mut self, functions: &[u32], lines: &[u32], core: &[u32]) {
            let lengths =
                [functions, lines, core].map(|part| u32::try_from(part.len() * 4).unwrap());
            let [f, l, c] = lengths;
            let mut data = BTF_MAGIC.to_ne_bytes().to_vec();
            data.extend([1, 0]);
            data.extend(words(&[32, 0, f, f, l, f + l, c]));
            data.extend(words(&[functions, lines, core].concat()));
            self.sections[BTF_EXT].data = data;
        }

        fn with(edit: impl FnOnce(&mut Self)) -> Self {
            let mut object = Self::new();
            edit(&mut object);
            object
        }

        fn with_types(edit: impl FnOnce(&mut Types)) -> Self {
            Self::with(|object| {
                edit(&mut object.types);
                object.sections[BTF].data = object.types.bytes();
            })
        }

        fn with_symbol(symbol: usize, at: usize, bytes: &[u8]) -> Self {
            Self::with(|object| {
                put(
                    &mut object.sections[SYMTAB].data,
                    symbol * SYMBOL + at,
                    bytes,
                );
            })
        }

        fn with_section(name: &str, kind: u32, flags: u64, data: &[u8]) -> Self {
            Self::with(|object| {
                object.sections.push(Part {
                    name: name.to_owned(),
                    kind,
                    flags,
                    data: data.to_vec(),
                    ..Part::default()
                });
            })
        }

        fn bytes(&self) -> Vec<u8> {
            let mut names = Strings(self.sections[STRTAB].data.clone());
            let at: Vec<u32> = self.sections.iter().map(|s| names.add(&s.name)).collect();
            let mut file = vec![0; ELF_HEADER];
            let mut headers = Vec::new();
            for (index, (section, name)) in self.sections.iter().zip(at).enumerate() {
                let data = if index == STRTAB {
                    &names.0
                } else {
                    &section.data
                };
                file.resize(file.len().next_multiple_of(8), 0);
                headers.extend(words(&[name, section.kind]));
                for long in [section.flags, 0, count(file.len())] {
                    headers.extend(long.to_ne_bytes());
                }
                headers.extend(section.size.unwrap_or(count(data.len())).to_ne_bytes());
                headers.extend(words(&[section.link, section.info]));
                headers.extend(8_u64.to_ne_bytes());
                headers.extend(section.entry.to_ne_bytes());
                file.extend(data);
            }
            file.resize(file.len().next_multiple_of(8), 0);
            let order = if cfg!(target_endian = "little") { 1 } else { 2 };
            put(&mut file, 0, &[0x7f, b'E', b'L', b'F', 2, order, 1]);
            put(&mut file, 16, &ET_REL.to_ne_bytes());
            put(&mut file, 18, &EM_BPF.to_ne_bytes());
            put(&mut file, 20, &1_u32.to_ne_bytes());
            let headers_at = count(file.len()).to_ne_bytes();
            put(&mut file, 40, &headers_at);
            put(&mut file, 58, &64_u16.to_ne_bytes());
            let number = u16::try_from(self.sections.len()).unwrap();
            put(&mut file, 60, &number.to_ne_bytes());
            put(&mut file, 62, &1_u16.to_ne_bytes());
            file.extend(headers);
            file
        }
    }

    #[test]
    fn what_compilers_make_is_accepted() {
        assert_eq!(check(&Object::new()), Ok(()));
        // Without debug information.
        let object = Object::with(|object| object.sections.truncate(BTF));
        assert_eq!(check(&object), Ok(()));
        // What is left of a weak function that another replaces.
        let object = Object::with(|object| {
            object.sections[TC].data.extend([LOAD, ZERO].concat());
            put(&mut object.sections[REL_TC].data, 0, &32_u64.to_ne_bytes());
        });
        assert_eq!(check(&object), Ok(()));
        // Compressed debug information, with relocations that libbpf does not read.
        let mut object = Object::with_section(".debug_info", SHT_PROGBITS, SHF_COMPRESSED, &[1]);
        object.sections.push(Part {
            name: ".rel.debug_info".to_owned(),
            kind: SHT_REL,
            data: vec![0xff; 16],
            ..Part::default()
        });
        assert_eq!(check(&object), Ok(()));
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        let of = |elf: &[u8]| validate(elf, Allowed { struct_ops: true });
        for elf in [&b""[..], b"\x7fELF", b"#!/bin/sh", &[0xff; 4096]] {
            assert!(matches!(of(elf), Err(Invalid::File(_))));
        }
        let good = Object::new().bytes();
        for end in 0..good.len() {
            assert!(of(&good[..end]).is_err(), "{end}");
        }
        let with = |at: usize, bytes: &[u8]| {
            let mut elf = good.clone();
            put(&mut elf, at, bytes);
            of(&elf)
        };
        let foreign = if cfg!(target_endian = "little") { 2 } else { 1 };
        for (at, bytes) in [
            (4, &[1][..]),
            (5, &[foreign]),
            (5, &[3]),
            (16, &[2]),
            (18, &[62]),
            (40, &[0xff; 8]),
            (58, &[1]),
            (60, &[0, 0]),
            (62, &[5]),
        ] {
            assert!(matches!(with(at, bytes), Err(Invalid::File(_))), "{at}");
        }
        assert!(matches!(
            with(60, &4097_u16.to_ne_bytes()),
            Err(Invalid::TooMany {
                what: "sections",
                ..
            })
        ));
    }

    #[test]
    fn sections_that_libbpf_would_misread_are_refused() {
        let edit = |section: usize, edit: fn(&mut Part)| {
            Object::with(|object| edit(&mut object.sections[section]))
        };
        refused!(
            edit(RODATA, |part| part.size = Some(1 << 40)),
            Invalid::Section {
                what: "it is not in the file",
                ..
            }
        );
        refused!(
            edit(RODATA, |part| {
                part.kind = SHT_STRTAB;
                part.data = b"x".to_vec();
            }),
            Invalid::Section {
                what: "its last string does not end",
                ..
            }
        );
        refused!(
            edit(BSS, |part| part.size = Some(u64::MAX)),
            Invalid::TooMany {
                what: "bytes of zeroed data",
                ..
            }
        );
        refused!(
            edit(MAPS, |part| part.kind = SHT_NOBITS),
            Invalid::Section {
                what: "it must be of type PROGBITS",
                ..
            }
        );
        refused!(
            edit(STRTAB, |part| part.flags = SHF_COMPRESSED),
            Invalid::Section {
                what: "it is compressed",
                ..
            }
        );
        refused!(
            edit(SYMTAB, |part| part.entry = 16),
            Invalid::Section { .. }
        );
        refused!(edit(SYMTAB, |part| part.link = 3), Invalid::Section { .. });
        refused!(
            edit(SYMTAB, |part| part.kind = SHT_PROGBITS),
            Invalid::File("it has no symbol table")
        );
        refused!(
            Object::with_section(".text", SHT_PROGBITS, 0, &[]),
            Invalid::Section {
                what: "there is more than one section of this name",
                ..
            }
        );
        refused!(
            Object::with_section("tc\x1b[0m", SHT_PROGBITS, 0, &[]),
            Invalid::Section { .. }
        );
        refused!(
            Object::with_section(".jumptables", SHT_PROGBITS, 0, &[0; 8]),
            Invalid::Section { .. }
        );
        for name in [".struct_ops", ".struct_ops.link", "?.struct_ops"] {
            let object = Object::with_section(name, SHT_PROGBITS, 0, &[0; 8]);
            refused!(object, Invalid::StructOps(_));
            assert_eq!(
                validate(&object.bytes(), Allowed { struct_ops: true }),
                Ok(())
            );
        }
        // Sections of the same bytes.
        let mut elf = Object::new().bytes();
        let headers = index(u64_at(&elf, 40).unwrap());
        let size = count(elf.len()).to_ne_bytes();
        put(
            &mut elf,
            headers + RODATA * SECTION_HEADER + 24,
            &[[0; 8], size].concat(),
        );
        assert_eq!(
            validate(&elf, Allowed { struct_ops: false }),
            Err(Invalid::File("its sections overlap"))
        );
    }

    #[test]
    fn symbols_outside_are_refused() {
        for (at, bytes) in [
            (0, &[0xff; 4][..]),
            (6, &200_u16.to_ne_bytes()),
            (8, &9_u64.to_ne_bytes()),
            (8, &u64::MAX.to_ne_bytes()),
            (16, &u64::MAX.to_ne_bytes()),
        ] {
            refused!(
                Object::with_symbol(VALUE, at, bytes),
                Invalid::Symbol { .. }
            );
        }
        refused!(
            Object::with(|object| {
                let symbols = &mut object.sections[SYMTAB].data;
                symbols.resize(SYMBOL * (index(MAX_SYMBOLS) + 1), 0);
            }),
            Invalid::TooMany {
                what: "symbols",
                ..
            }
        );
    }

    #[test]
    fn functions_that_libbpf_would_overrun_are_refused() {
        // A function of part of an instruction, and one of none.
        for (at, value) in [(16, 12_u64), (8, 4), (16, 0)] {
            refused!(
                Object::with_symbol(FUNCTION, at, &value.to_ne_bytes()),
                Invalid::Symbol {
                    what: "it is not made of whole instructions",
                    ..
                }
            );
        }
        // The program ends within its load.
        refused!(
            Object::with_symbol(PROGRAM, 16, &16_u64.to_ne_bytes()),
            Invalid::Code { at: 8, .. }
        );
        refused!(
            Object::with(|object| put(&mut object.sections[TC].data, 16, &LOAD)),
            Invalid::Code { at: 16, .. }
        );
        refused!(
            Object::with(|object| object.sections[TC].data.push(0)),
            Invalid::Section {
                what: "it is not made of whole instructions",
                ..
            }
        );
        refused!(
            Object::with(|object| {
                let symbols = &mut object.sections[SYMTAB].data;
                let copy = symbols[PROGRAM * SYMBOL..][..SYMBOL].to_vec();
                symbols.extend(copy);
            }),
            Invalid::Symbol {
                what: "it overlaps another function",
                ..
            }
        );
        let many = |number: usize| {
            Object::with(|object| {
                object.sections[TEXT].data = NOP.repeat(number + 8);
                let symbols = &mut object.sections[SYMTAB].data;
                let one = symbols[FUNCTION * SYMBOL..][..SYMBOL].to_vec();
                for at in 0..number {
                    let mut one = one.clone();
                    put(&mut one, 8, &count(at * 8 + 24).to_ne_bytes());
                    put(&mut one, 16, &8_u64.to_ne_bytes());
                    symbols.extend(one);
                }
            })
        };
        assert_eq!(check(&many(2046)), Ok(()));
        refused!(
            many(2047),
            Invalid::TooMany {
                what: "functions",
                ..
            }
        );
    }

    #[test]
    fn relocations_outside_are_refused() {
        let edit = |section: usize, at: usize, value: u64| {
            Object::with(|object| {
                put(&mut object.sections[section].data, at, &value.to_ne_bytes());
            })
        };
        // The second half of the load, part of an instruction, after the section.
        for (at, value) in [(0, 16), (0, 4), (0, 32), (8, 5 << 32), (8, u64::MAX)] {
            refused!(edit(REL_TC, at, value), Invalid::Relocation { .. });
        }
        for value in [9, 16, u64::MAX - 7] {
            refused!(edit(REL_MAPS, 0, value), Invalid::Relocation { .. });
        }
        let part = |edit: fn(&mut Part)| Object::with(|object| edit(&mut object.sections[REL_TC]));
        refused!(part(|part| part.entry = 24), Invalid::Section { .. });
        refused!(part(|part| part.data.push(0)), Invalid::Section { .. });
        refused!(part(|part| part.info = 100), Invalid::Section { .. });
        refused!(part(|part| part.info = 0), Invalid::Section { .. });
        refused!(part(|part| part.link = 1), Invalid::Section { .. });
        refused!(
            part(|part| part.data = part.data.repeat(index(MAX_RELOCATIONS) + 1)),
            Invalid::TooMany {
                what: "relocations",
                ..
            }
        );
    }

    #[test]
    fn headers_of_types_are_checked() {
        for (at, value) in [
            (0, 0),
            (4, 0),
            (4, 28),
            (8, 1),
            (12, u32::MAX >> 8),
            (16, 4),
            (20, 0),
        ] {
            let object = Object::with(|object| {
                put(&mut object.sections[BTF].data, at, &u32::to_ne_bytes(value));
            });
            refused!(object, Invalid::Btf(_) | Invalid::Type { .. });
        }
        refused!(
            Object::with(|object| *object.sections[BTF].data.last_mut().unwrap() = 1),
            Invalid::Btf(_)
        );
        refused!(
            Object::with(|object| object.sections[BTF].data.clear()),
            Invalid::Btf(_)
        );
    }

    #[test]
    fn types_that_are_not_there_are_refused() {
        let bad = |name: &str, kind, number, value, rest: &[u32]| {
            Object::with_types(|types| {
                types.add(name, kind, number, value, rest);
            })
        };
        let none = 10_000;
        for object in [
            bad("x", 0, 0, 0, &[]),
            bad("x", 20, 0, 0, &[]),
            bad("x", PTR, 0, none, &[]),
            bad("x", ARRAY, 0, 0, &[none, 1, 1]),
            bad("x", ARRAY, 0, 0, &[1, none, 1]),
            bad("x", STRUCT, 1, 4, &[0, none, 0]),
            bad("x", STRUCT, 1, 4, &[none, 1, 0]),
            // The type that a function returns.
            bad("", FUNC_PROTO, 0, none, &[]),
            bad("", FUNC_PROTO, 1, 0, &[0, none]),
            bad("x", FUNC, 0, 1, &[]),
            bad("x", VAR, 0, none, &[0]),
            bad("", VAR, 0, 1, &[0]),
            bad(&"x".repeat(2000), VAR, 0, 1, &[0]),
            bad("x", DATASEC, 1, 0, &[none, 0, 0]),
            // What is not a variable, with a name like an extern's.
            bad("x", DATASEC, 1, 0, &[1, 0, 0]),
            bad("x", DATASEC, 1, 0, &[0, 0, 0]),
            // Cut short.
            bad("x", STRUCT, 2, 4, &[0, 1, 0]),
            bad("x", ENUM64, 1, 8, &[0, 0]),
        ] {
            refused!(object, Invalid::Type { .. });
        }
    }

    #[test]
    fn types_in_circles_and_deep_ones_are_refused() {
        refused!(
            Object::with_types(|types| {
                let next = types.last + 1;
                types.add("x", TYPEDEF, 0, next, &[]);
            }),
            Invalid::Type {
                what: "it is part of itself",
                ..
            }
        );
        refused!(
            Object::with_types(|types| {
                let next = types.last + 1;
                types.add("x", STRUCT, 1, 8, &[0, next + 1, 0]);
                types.add("", ARRAY, 0, 0, &[next, 1, 1]);
            }),
            Invalid::Type {
                what: "it is part of itself",
                ..
            }
        );
        // Through a pointer it is as in any list.
        let list = Object::with_types(|types| {
            let next = types.last + 1;
            types.add("x", STRUCT, 1, 8, &[0, next + 1, 0]);
            types.add("", PTR, 0, next, &[]);
        });
        assert_eq!(check(&list), Ok(()));
        let deep = |number: u32, reverse: bool| {
            Object::with_types(|types| {
                let first = types.last + 1;
                for at in 0..number {
                    let of = match (reverse, at) {
                        (false, 0) => 1,
                        (true, at) if at + 1 == number => 1,
                        (false, at) => first + at - 1,
                        (true, at) => first + at + 1,
                    };
                    types.add("x", TYPEDEF, 0, of, &[]);
                }
            })
        };
        for reverse in [false, true] {
            assert_eq!(check(&deep(64, reverse)), Ok(()));
            for number in [65, 66, 5000] {
                refused!(
                    deep(number, reverse),
                    Invalid::Type {
                        what: "its types are nested too deep",
                        ..
                    }
                );
            }
        }
    }

    #[test]
    fn members_outside_and_large_types_are_refused() {
        let bad = |kind, number, value, rest: &[u32]| {
            Object::with_types(|types| {
                types.add("x", kind, number, value, rest);
            })
        };
        let flag = 0x80;
        for object in [
            bad(STRUCT, 1, 4, &[0, 1, 1]),
            bad(STRUCT, 1, 4, &[0, 1, u32::MAX]),
            bad(UNION, 1, 4, &[0, 2, 0]),
            bad(STRUCT | flag, 1, 4, &[0, 1, 8 << 24 | 25]),
            // More bits than an int has, and bits of a pointer.
            bad(STRUCT | flag, 1, 100, &[0, 1, 33 << 24]),
            bad(STRUCT | flag, 1, 100, &[0, 4, 8 << 24]),
            bad(STRUCT, 0, (1 << 30) + 1, &[]),
            bad(INT, 0, 0, &[0]),
            bad(INT, 0, 17, &[0]),
        ] {
            refused!(object, Invalid::Type { .. });
        }
        // Arrays of arrays, past any integer.
        let large = |kind, rest: &[u32]| {
            Object::with_types(|types| {
                let mut of = 1;
                for _ in 0..4 {
                    of = types.add("", ARRAY, 0, 0, &[of, 1, u32::MAX]);
                }
                types.add("x", kind, 0, of, rest);
            })
        };
        refused!(large(VAR, &[0]), Invalid::Type { .. });
        assert_eq!(check(&large(PTR, &[])), Ok(()));
    }

    #[test]
    fn variables_are_checked() {
        let with = |name: &str, vars: &[(u32, u32, u32)]| {
            Object::with_types(|types| {
                let var = types.add("x", VAR, 0, 1, &[0]);
                let vars: Vec<_> = vars.iter().map(|&(_, b, c)| (var, b, c)).collect();
                types.section(name, &vars);
            })
        };
        assert_eq!(check(&with(".data.x", &[(0, 0, 4)])), Ok(()));
        refused!(with(".data.x", &[(0, 1 << 31, 4)]), Invalid::Type { .. });
        refused!(with(".data.x", &[(0, u32::MAX, 4)]), Invalid::Type { .. });
        refused!(
            with(".rodata", &[]),
            Invalid::Type {
                what: "there is more than one of this name",
                ..
            }
        );
        // One of a size that it has been given.
        refused!(
            Object::with_types(|types| {
                let var = types.add("x", VAR, 0, 1, &[0]);
                types.add(".data.x", DATASEC, 1, 7, &[var, 4, 4]);
            }),
            Invalid::Type {
                what: "a variable of it is not inside",
                ..
            }
        );
    }

    /// Without the sections for externs that `Object` has.
    fn bare(edit: impl FnOnce(&mut Types)) -> Object {
        Object::with(|object| {
            object.sections.truncate(BTF + 1);
            let mut types = Types::new();
            types.int("int", 4);
            edit(&mut types);
            object.sections[BTF].data = types.bytes();
        })
    }

    #[test]
    fn externs_are_checked() {
        let option = |edit: fn(&mut Types) -> u32| {
            bare(|types| {
                let of = edit(types);
                let var = types.add("CONFIG_X", VAR, 0, of, &[2]);
                types.section(".kconfig", &[(var, 0, 0)]);
            })
        };
        let good: [fn(&mut Types) -> u32; 3] = [
            |_| 1,
            |types| types.add("", ARRAY, 0, 0, &[1, 1, 16]),
            |types| types.add("libbpf_tristate", ENUM64, 0, 8, &[]),
        ];
        for of in good {
            assert_eq!(check(&option(of)), Ok(()));
        }
        let bad: [fn(&mut Types) -> u32; 5] = [
            |_| 0,
            // Written as an int.
            |types| types.add("libbpf_tristate", ENUM64, 0, 1, &[]),
            |types| types.add("x", STRUCT, 0, 8, &[]),
            |types| types.add("", ARRAY, 0, 0, &[1, 1, 1025]),
            |types| types.add("", ARRAY, 0, 0, &[1, 1, 0]),
        ];
        for of in bad {
            refused!(option(of), Invalid::Type { .. });
        }
        let many = |name: &str, number| {
            bare(|types| {
                let var = types.add("x", VAR, 0, 1, &[2]);
                types.section(name, &vec![(var, 0, 0); number]);
            })
        };
        assert_eq!(check(&many(".kconfig", 1024)), Ok(()));
        refused!(many(".kconfig", 1025), Invalid::TooMany { .. });
        assert_eq!(check(&many(".ksyms", 4096)), Ok(()));
        refused!(many(".ksyms", 4097), Invalid::TooMany { .. });
    }

    #[test]
    fn maps_are_checked() {
        let map = |name: &str, size, ty: u32, extra: u32| {
            bare(|types| {
                let mut number = |number| {
                    let array = types.add("", ARRAY, 0, 0, &[1, 1, number]);
                    types.add("", PTR, 0, array, &[])
                };
                let (ty, extra) = (number(ty), number(extra));
                let names = ["type", "map_extra"].map(|name| types.strings.add(name));
                let map = types.add("", STRUCT, 2, 16, &[names[0], ty, 0, names[1], extra, 64]);
                let var = types.add(name, VAR, 0, map, &[1]);
                types.section(".maps", &[(var, 0, size)]);
            })
        };
        assert_eq!(check(&map("x", 16, 1, 1)), Ok(()));
        assert_eq!(check(&map("x", 16, BPF_MAP_TYPE_ARENA, 0)), Ok(()));
        refused!(map("x", 16, BPF_MAP_TYPE_ARENA, 4096), Invalid::Map { .. });
        refused!(map("../x", 16, 1, 1), Invalid::Map { .. });
        refused!(map("x\n", 16, 1, 1), Invalid::Map { .. });
        refused!(map("x", 15, 1, 1), Invalid::Map { .. });
        refused!(
            map("x", 17, 1, 1),
            Invalid::Type {
                what: "its variables are larger than the section",
                ..
            }
        );
        refused!(
            bare(|types| {
                let var = types.add("x", VAR, 0, 1, &[1]);
                types.section(".maps", &[(var, 0, 4)]);
            }),
            Invalid::Map {
                what: "its definition is not a struct",
                ..
            }
        );
        // Descriptors are made for each.
        let data = |number: usize| {
            Object::with(|object| {
                for at in 0..number {
                    let mut part = object.sections[RODATA].clone();
                    part.name = format!(".data.{at}");
                    object.sections.push(part);
                }
            })
        };
        assert_eq!(check(&data(1021)), Ok(()));
        refused!(data(1022), Invalid::TooMany { what: "maps", .. });
    }

    #[test]
    fn struct_ops_are_checked() {
        let of = |offset: u32, size: u32, member: [u32; 3], kind| {
            let mut object = bare(|types| {
                let member = types.add("ops", kind, 1, size, &member);
                let var = types.add("value", VAR, 0, member, &[1]);
                types.section(".struct_ops", &[(var, offset, size)]);
            });
            object.sections.push(Part {
                name: ".struct_ops".to_owned(),
                kind: SHT_PROGBITS,
                data: vec![0; 16],
                ..Part::default()
            });
            validate(&object.bytes(), Allowed { struct_ops: true })
        };
        assert_eq!(of(0, 16, [0, 1, 96], STRUCT), Ok(()));
        assert!(of(8, 16, [0, 1, 0], STRUCT).is_err());
        assert!(of(u32::MAX, 1 << 20, [0, 1, 0], STRUCT).is_err());
        assert!(of(0, 16, [0, 1, 97], STRUCT).is_err());
        assert!(of(0, 16, [0, 1, 4 << 24], STRUCT | 0x80).is_err());
        assert!(of(0, 16, [0, 1, 0], UNION).is_err());
    }

    #[test]
    fn debug_information_outside_is_refused() {
        let with = |edit: fn(&Object) -> [Vec<u32>; 3]| {
            Object::with(|object| {
                let [functions, lines, core] = edit(object);
                object.set_ext(&functions, &lines, &core);
            })
        };
        type Edit = fn(&Object) -> [Vec<u32>; 3];
        let bad: [Edit; 20] = [
            // Sizes of records.
            |o| [vec![4, o.tc, 1, 0], vec![], vec![]],
            |o| [vec![9, o.tc, 1, 0, o.func], vec![], vec![]],
            // None, and more than there are.
            |_| [vec![8], vec![8, 0], vec![]],
            |o| [vec![8, o.tc, 0], vec![], vec![]],
            |o| [vec![8, o.tc, 2, 0, o.func], vec![], vec![]],
            |o| [vec![8, o.tc, u32::MAX, 0, o.func], vec![], vec![]],
            |o| [vec![u32::MAX - 3, o.tc, u32::MAX, 0, 0], vec![], vec![]],
            // No name, no function, no instruction.
            |_| [vec![8, u32::MAX, 1, 0, 1], vec![], vec![]],
            |o| [vec![8, o.tc, 1, 0, o.strukt], vec![], vec![]],
            |o| [vec![8, o.tc, 1, 0, u32::MAX], vec![], vec![]],
            |o| [vec![8, o.tc, 1, 4, o.func], vec![], vec![]],
            |o| [vec![8, o.tc, 1, 32, o.func], vec![], vec![]],
            // Not in order.
            |o| [vec![], vec![16, o.tc, 2, 8, 0, 0, 0, 0, 0, 0, 0], vec![]],
            |o| [vec![], vec![16, o.tc, 1, 0, u32::MAX, 0, 0], vec![]],
            |o| [vec![], vec![16, o.tc, 1, 0, 0, u32::MAX, 0], vec![]],
            // The second half of a load, no type, no string, no such kind.
            |o| [vec![], vec![], vec![16, o.tc, 1, 16, 1, o.access, 0]],
            |o| [vec![], vec![], vec![16, o.tc, 1, 8, u32::MAX, o.access, 0]],
            |o| [vec![], vec![], vec![16, o.tc, 1, 8, 1, u32::MAX, 0]],
            |o| [vec![], vec![], vec![16, o.tc, 1, 8, 1, o.access, 13]],
            // Its name is not a list of numbers.
            |o| [vec![], vec![], vec![16, o.tc, 1, 8, 1, o.tc, 0]],
        ];
        for edit in bad {
            refused!(with(edit), Invalid::BtfExt { .. });
        }
        for access in [
            "-1",
            "0:-1",
            "",
            "0:",
            "0::1",
            "9999999999",
            " 1",
            &"0:".repeat(64),
            &["0"; 65].join(":"),
        ] {
            let object = Object::with(|object| {
                let access = object.types.strings.add(access);
                object.sections[BTF].data = object.types.bytes();
                let core = [16, object.tc, 1, 8, object.strukt, access, 0];
                object.set_ext(&[], &[], &core);
            });
            refused!(object, Invalid::BtfExt { .. });
        }
        // The header.
        for (at, value) in [(0, 0), (4, 20), (4, 33), (4, u32::MAX), (8, 2), (12, 3)] {
            let object = Object::with(|object| {
                let data = &mut object.sections[BTF_EXT].data;
                put(data, at, &u32::to_ne_bytes(value));
            });
            refused!(object, Invalid::BtfExt { .. });
        }
    }

    #[test]
    fn work_that_multiplies_is_refused() {
        // Each program gets a copy of every function.
        let object = Object::with(|object| {
            let number = 1024;
            object.sections.truncate(BTF);
            object.sections[TC].data = NOP.repeat(number);
            object.sections[REL_TC].data.clear();
            object.sections[TEXT].data = NOP.repeat(1 << 18);
            let symbols = &mut object.sections[SYMTAB].data;
            let one = symbols[PROGRAM * SYMBOL..][..SYMBOL].to_vec();
            put(symbols, PROGRAM * SYMBOL + 16, &8_u64.to_ne_bytes());
            for at in 1..number {
                let mut one = one.clone();
                put(&mut one, 8, &count(at * 8).to_ne_bytes());
                put(&mut one, 16, &8_u64.to_ne_bytes());
                symbols.extend(one);
            }
        });
        refused!(object, Invalid::TooMany { .. });
        // Each global variable is looked up in the symbols.
        let object = bare(|types| {
            let var = types.add("x", VAR, 0, 1, &[1]);
            types.section(".data.x", &vec![(var, 0, 4); 60_000]);
        });
        assert_eq!(check(&object), Ok(()));
        let mut object = object;
        object.sections[SYMTAB].data.resize(SYMBOL * 2000, 0);
        refused!(object, Invalid::TooMany { .. });
    }

    #[test]
    fn messages_say_what_and_where() {
        let error = |object: &Object| check(object).unwrap_err().to_string();
        assert_eq!(
            error(&Object::with_symbol(VALUE, 8, &9_u64.to_ne_bytes())),
            "symbol `value`: it is not inside its section"
        );
        assert_eq!(
            error(&Object::with(|object| {
                put(&mut object.sections[REL_TC].data, 0, &[16]);
            })),
            "section `.reltc`, relocation 0: it is at the second half of a 64-bit load"
        );
        let object = Object::with_types(|types| {
            types.add("x", STRUCT, 1, 4, &[0, 1, 1]);
        });
        let id = object.types.last;
        assert_eq!(
            error(&object),
            format!("section `.BTF`, type {id} `x`: a member of it is not inside")
        );
    }

    #[test]
    fn damaged_objects_do_no_harm() {
        let good = Object::new().bytes();
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            index(state % count(below))
        };
        let mut refused = 0;
        for _ in 0..20_000 {
            let mut elf = good.clone();
            for _ in 0..=random(3) {
                let at = random(elf.len() - 8);
                match random(4) {
                    0 => elf[at] ^= 1 << random(8),
                    1 => elf[at] = u8::try_from(random(256)).unwrap(),
                    2 => {
                        let value = [0, 1, 8, u32::MAX, u32::MAX >> 1, 1 << 31][random(6)];
                        put(&mut elf, at & !3, &u32::to_ne_bytes(value));
                    }
                    _ => {
                        let from = random(elf.len() - 8);
                        elf.copy_within(from..from + 8, at);
                    }
                }
            }
            let allowed = Allowed {
                struct_ops: random(2) == 0,
            };
            refused += usize::from(validate(&elf, allowed).is_err());
        }
        assert!(refused > 1000);
    }
}
