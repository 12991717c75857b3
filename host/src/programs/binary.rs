//! What a binary says of itself: functions and USDT probes.
//!
//! libbpf would read the file through libelf, which maps it: a file that becomes shorter meanwhile ends the process, and so does a table whose
//! entries have no size. The file is guest-controlled, and may change at any moment. So it is read here, piece by piece, into memory that counts.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

use object::elf;
use object::endian::Endianness;
use object::read::elf::{
    FileHeader, ProgramHeader as _, SectionHeader as _, SectionTable, Sym as _, VersionTable,
};
use object::read::{ReadCache, ReadCacheOps, ReadRef as _, SectionIndex, SymbolIndex};

use super::probe::{MAX_TARGETS, MAX_USER_NAME};
use crate::bindings::types::ErrorCode;
use crate::descriptors::HostFile;
use crate::error::{Errno, code_of_errno};
use crate::policy::{LimitExceeded, Need, Reservation, Usage};

/// As many parts as a file may be mapped in. Real ones have up to ten.
const MAX_SEGMENTS: usize = 256;

/// Why a binary cannot be probed.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) code: ErrorCode,
    pub(super) why: String,
}

type Found<T> = Result<T, Problem>;

fn problem(code: ErrorCode, why: impl Into<String>) -> Problem {
    Problem {
        code,
        why: why.into(),
    }
}

/// A place of a USDT probe.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UsdtPlace {
    /// In memory, as the file is linked.
    pub(super) address: u64,
    /// In the file.
    pub(super) offset: u64,
    /// Of the counter, in the file; 0 for none.
    pub(super) semaphore: u64,
    /// Whether the counter's page is in two parts of the file that are written to. The kernel counts in the first, which may be other data.
    pub(super) is_ambiguous: bool,
    /// Where its arguments are.
    pub(super) arguments: String,
}

/// A regular file that is probed.
pub(super) struct Binary<'a> {
    cache: ReadCache<Reader<'a>>,
    file: &'a HostFile,
    exceeded: &'a RefCell<Option<LimitExceeded>>,
}

/// Reads without moving the descriptor's position, which is the component's.
struct Reader<'a> {
    file: BorrowedFd<'a>,
    position: u64,
    usage: &'a Usage,
    held: Vec<Reservation>,
    exceeded: &'a RefCell<Option<LimitExceeded>>,
}

impl ReadCacheOps for Reader<'_> {
    fn len(&mut self) -> Result<u64, ()> {
        let stat = rustix::fs::fstat(self.file).map_err(drop)?;
        u64::try_from(stat.st_size).map_err(drop)
    }

    fn seek(&mut self, position: u64) -> Result<u64, ()> {
        self.position = position;
        Ok(position)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ()> {
        let count = rustix::io::pread(self.file, buffer, self.position).map_err(drop)?;
        self.position += count as u64;
        Ok(count)
    }

    fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), ()> {
        // Before the memory is touched. The cache lets nothing go before the end.
        let need = Need {
            map_memory: buffer.len() as u64,
            ..Need::default()
        };
        match self.usage.reserve(need) {
            Ok(held) => self.held.push(held),
            Err(limit) => {
                self.exceeded.replace(Some(limit));
                return Err(());
            }
        }
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..])? {
                // Shorter than it was a moment ago.
                0 => return Err(()),
                count => filled += count,
            }
        }
        Ok(())
    }
}

impl HostFile {
    /// Only regular files have functions. Others, such as pipes, could block whoever reads them.
    pub(super) fn demand_regular(&self) -> Found<()> {
        let stat = rustix::fs::fstat(self.as_fd()).map_err(|errno| {
            let errno = io::Error::from(errno).raw_os_error().unwrap_or(libc::EIO);
            problem(code_of_errno(errno), Errno(errno).to_string())
        })?;
        if stat.st_mode & libc::S_IFMT != libc::S_IFREG {
            return Err(problem(
                ErrorCode::InvalidArgument,
                "the binary is no regular file",
            ));
        }
        Ok(())
    }
}

/// How one of the wanted names was found.
#[derive(Clone, Copy)]
struct Match {
    offset: u64,
    is_weak: bool,
}

/// A part of the file that is mapped when it runs.
struct Segment {
    start: u64,
    end: u64,
    offset: u64,
    in_file: u64,
    is_writable: bool,
    is_executable: bool,
}

impl Segment {
    /// Whole pages of the file are mapped.
    fn maps_writable(&self, offset: u64, page: u64) -> bool {
        let start = self.offset / page * page;
        let end = self.offset.saturating_add(self.in_file);
        self.is_writable && start <= offset && offset / page < end.div_ceil(page)
    }
}

impl<'a> Binary<'a> {
    pub(super) fn new(
        file: &'a HostFile,
        usage: &'a Usage,
        exceeded: &'a RefCell<Option<LimitExceeded>>,
    ) -> Self {
        let reader = Reader {
            file: file.as_fd(),
            position: 0,
            usage,
            held: Vec::new(),
            exceeded,
        };
        Self {
            cache: ReadCache::new(reader),
            file,
            exceeded,
        }
    }

    /// Where these functions are, in the order of the names.
    pub(super) fn functions(&self, names: &[String]) -> Found<Vec<u64>> {
        match self.class()? {
            elf::ELFCLASS32 => self.functions_of::<elf::FileHeader32<Endianness>>(names),
            _ => self.functions_of::<elf::FileHeader64<Endianness>>(names),
        }
    }

    /// Where the functions are whose names match.
    pub(super) fn matching(&self, pattern: &str) -> Found<Vec<u64>> {
        let mut offsets = Vec::new();
        let mut seen = HashSet::new();
        // Full tables first, as libbpf has it: what is in the other is in them too.
        for kind in [elf::SHT_SYMTAB, elf::SHT_DYNSYM] {
            let mut too_many = false;
            self.each_function(kind, |name, offset| {
                if !too_many && matches(name, pattern.as_bytes()) && seen.insert(offset) {
                    too_many = offsets.len() == MAX_TARGETS;
                    offsets.push(offset);
                }
            })?;
            if too_many {
                return Err(problem(
                    ErrorCode::InvalidArgument,
                    format!("more than {MAX_TARGETS} functions match; a narrower pattern helps"),
                ));
            }
            if !offsets.is_empty() {
                return Ok(offsets);
            }
        }
        Err(problem(
            ErrorCode::NotFound,
            format!("no function of the file matches `{pattern}`"),
        ))
    }

    /// The first of these offsets that is neither the start of a function nor the place of a USDT probe.
    pub(super) fn first_unnamed(&self, offsets: &[u64]) -> Found<Option<u64>> {
        let mut unnamed = offsets.iter().copied().collect::<HashSet<_>>();
        for kind in [elf::SHT_SYMTAB, elf::SHT_DYNSYM] {
            self.each_function(kind, |_, offset| {
                unnamed.remove(&offset);
            })?;
        }
        if !unnamed.is_empty() && self.class()? == elf::ELFCLASS64 {
            self.each_usdt(|_, _, place| {
                unnamed.remove(&place.offset);
                Ok(())
            })?;
        }
        Ok(offsets
            .iter()
            .copied()
            .find(|offset| unnamed.contains(offset)))
    }

    /// The first of these that no USDT probe of the file has as its semaphore.
    pub(super) fn first_foreign_semaphore(&self, semaphores: &[u64]) -> Found<Option<u64>> {
        let mut foreign = semaphores.iter().copied().collect::<HashSet<_>>();
        // None.
        foreign.remove(&0);
        if !foreign.is_empty() && self.class()? == elf::ELFCLASS64 {
            self.each_usdt(|_, _, place| {
                if !place.is_ambiguous {
                    foreign.remove(&place.semaphore);
                }
                Ok(())
            })?;
        }
        Ok(semaphores
            .iter()
            .copied()
            .find(|offset| foreign.contains(offset)))
    }

    /// All places of a USDT probe.
    pub(super) fn usdt(&self, provider: &str, name: &str) -> Found<Vec<UsdtPlace>> {
        let mut places = Vec::new();
        self.each_usdt(|its_provider, its_name, place| {
            if its_provider != provider.as_bytes() || its_name != name.as_bytes() {
                return Ok(());
            }
            if place.is_ambiguous {
                return Err(problem(
                    ErrorCode::NotSupported,
                    "its semaphore is on a page that two segments of the file share: the kernel would count in the wrong one",
                ));
            }
            if places.len() == MAX_TARGETS {
                return Err(problem(
                    ErrorCode::Malformed,
                    format!("it has more than {MAX_TARGETS} places of this probe"),
                ));
            }
            places.push(place);
            Ok(())
        })?;
        if places.is_empty() {
            return Err(problem(
                ErrorCode::NotFound,
                "the file has no such USDT probe",
            ));
        }
        Ok(places)
    }

    /// Whether it is linked for certain addresses, not for any.
    pub(super) fn has_fixed_addresses(&self) -> Found<bool> {
        let header = self.header::<elf::FileHeader64<Endianness>>()?;
        let endian = header.endian().map_err(|error| self.broken(error))?;
        Ok(header.e_type(endian) == elf::ET_EXEC)
    }

    fn class(&self) -> Found<u8> {
        self.file.demand_regular()?;
        let ident = self.cache.read_bytes_at(0, 16).unwrap_or(&[]);
        match ident {
            [0x7f, b'E', b'L', b'F', class @ 1..=2, ..] => Ok(*class),
            _ if self.exceeded.borrow().is_some() => Err(self.broken("")),
            _ => Err(problem(ErrorCode::Malformed, "the binary is no ELF file")),
        }
    }

    /// A broken file, unless it could not be read to the end for want of memory.
    fn broken(&self, error: impl std::fmt::Display) -> Problem {
        match &*self.exceeded.borrow() {
            Some(limit) => problem(
                ErrorCode::LimitExceeded,
                format!("reading the file's symbols takes memory: {limit}"),
            ),
            None => problem(
                ErrorCode::Malformed,
                format!("the binary is a broken ELF file: {error}"),
            ),
        }
    }

    fn header<Elf: FileHeader<Endian = Endianness>>(&self) -> Found<&Elf> {
        Elf::parse(&self.cache).map_err(|error| self.broken(error))
    }

    fn functions_of<Elf: FileHeader<Endian = Endianness>>(
        &self,
        names: &[String],
    ) -> Found<Vec<u64>> {
        // By the name without version. Versions of symbols in full tables are a part of the name.
        let mut wanted = HashMap::<&[u8], Vec<usize>>::new();
        for (index, name) in names.iter().enumerate() {
            wanted
                .entry(base_name(name.as_bytes()))
                .or_default()
                .push(index);
        }
        let mut found = vec![None::<Match>; names.len()];
        let mut ambiguous = None;
        for kind in [elf::SHT_DYNSYM, elf::SHT_SYMTAB] {
            // What was found in the first table is not looked for in the second.
            let is_open = found.iter().map(Option::is_none).collect::<Vec<_>>();
            if !is_open.contains(&true) {
                break;
            }
            self.each_symbol::<Elf>(kind, |symbol| {
                for &index in wanted.get(base_name(symbol.name)).into_iter().flatten() {
                    let name = names[index].as_bytes();
                    if !is_open[index] || !symbol.is_called(name, kind) {
                        continue;
                    }
                    let new = Match {
                        offset: symbol.offset,
                        is_weak: symbol.is_weak,
                    };
                    match &mut found[index] {
                        Some(old) if old.offset == new.offset || new.is_weak => {}
                        Some(old) if !old.is_weak => ambiguous = Some(index),
                        slot => *slot = Some(new),
                    }
                }
            })?;
        }
        if let Some(index) = ambiguous {
            return Err(problem(
                ErrorCode::InvalidArgument,
                format!(
                    "several functions of the file are called `{}`",
                    names[index]
                ),
            ));
        }
        let offset = |(name, found): (&String, Option<Match>)| match found {
            Some(found) => Ok(found.offset),
            None => Err(problem(
                ErrorCode::NotFound,
                format!("the file has no function `{name}` in its symbols"),
            )),
        };
        names.iter().zip(found).map(offset).collect()
    }

    fn each_function(&self, kind: u32, mut call: impl FnMut(&[u8], u64)) -> Found<()> {
        let call = |symbol: Symbol<'_>| call(symbol.name, symbol.offset);
        match self.class()? {
            elf::ELFCLASS32 => self.each_symbol::<elf::FileHeader32<Endianness>>(kind, call),
            _ => self.each_symbol::<elf::FileHeader64<Endianness>>(kind, call),
        }
    }

    /// The functions of the first table of this kind.
    fn each_symbol<Elf: FileHeader<Endian = Endianness>>(
        &self,
        kind: u32,
        mut call: impl FnMut(Symbol<'_>),
    ) -> Found<()> {
        let header = self.header::<Elf>()?;
        let broken = |error: object::read::Error| self.broken(error);
        let endian = header.endian().map_err(broken)?;
        let sections = header.sections(endian, &self.cache).map_err(broken)?;
        let table = sections
            .enumerate()
            .find(|(_, section)| section.sh_type(endian) == kind);
        let Some((_, table)) = table else {
            return Ok(());
        };
        let symbols = table
            .data_as_array::<Elf::Sym, _>(endian, &self.cache)
            .map_err(broken)?;
        let strings = sections.section(table.link(endian)).map_err(broken)?;
        let strings = strings.data(endian, &self.cache).map_err(broken)?;
        let versions = self.versions::<Elf>(endian, &sections, kind)?;
        for (index, symbol) in symbols.iter().enumerate() {
            if symbol.st_type() != elf::STT_FUNC || symbol.is_undefined(endian) {
                continue;
            }
            // Others are no place in the file.
            let section = SectionIndex(symbol.st_shndx(endian).into());
            let Ok(section) = sections.section(section) else {
                continue;
            };
            let offset = symbol
                .st_value(endian)
                .into()
                .wrapping_sub(section.sh_addr(endian).into())
                .wrapping_add(section.sh_offset(endian).into());
            let Some(name) = string_at(strings, symbol.st_name(endian)) else {
                continue;
            };
            if offset == 0 || name.is_empty() {
                continue;
            }
            let version = || {
                let versions = versions.as_ref()?;
                let index = versions.version_index(endian, SymbolIndex(index));
                let version = versions.version(index).ok()??;
                Some(version.name())
            };
            call(Symbol {
                name,
                offset,
                is_weak: symbol.st_bind() == elf::STB_WEAK,
                version: &version,
            });
        }
        Ok(())
    }

    /// Versions of the dynamic symbols. A file whose versions are broken has none.
    fn versions<'f, Elf: FileHeader<Endian = Endianness>>(
        &'f self,
        endian: Endianness,
        sections: &SectionTable<'f, Elf, &'f ReadCache<Reader<'a>>>,
        kind: u32,
    ) -> Found<Option<VersionTable<'f, Elf>>> {
        if kind != elf::SHT_DYNSYM {
            return Ok(None);
        }
        Ok(sections.versions(endian, &self.cache).ok().flatten())
    }

    /// The USDT probes that the file says it has: provider, name, place.
    fn each_usdt(&self, mut call: impl FnMut(&[u8], &[u8], UsdtPlace) -> Found<()>) -> Found<()> {
        type Elf = elf::FileHeader64<Endianness>;
        if self.class()? != elf::ELFCLASS64 {
            return Err(problem(
                ErrorCode::Malformed,
                "the binary is no ELF file of 64 bits, which alone has USDT probes here",
            ));
        }
        let header = self.header::<Elf>()?;
        let broken = |error: object::read::Error| self.broken(error);
        let endian = header.endian().map_err(broken)?;
        if endian != Endianness::default() {
            return Err(problem(
                ErrorCode::Malformed,
                "the binary is for a machine of the other byte order",
            ));
        }
        let sections = header.sections(endian, &self.cache).map_err(broken)?;
        let named = |wanted: &str| {
            sections
                .iter()
                .find(|section| sections.section_name(endian, section) == Ok(wanted.as_bytes()))
        };
        let Some(notes) = named(".note.stapsdt") else {
            return Ok(());
        };
        // Where the linker put it; what moved it since (prelink) moved the probes as far.
        let base = named(".stapsdt.base").map_or(0, |section| section.sh_addr(endian));
        let base: u64 = base;
        let mut segments = Vec::new();
        for segment in header
            .program_headers(endian, &self.cache)
            .map_err(broken)?
            .iter()
            .filter(|segment| segment.p_type(endian) == elf::PT_LOAD)
            .take(MAX_SEGMENTS)
        {
            let start: u64 = segment.p_vaddr(endian);
            let size: u64 = segment.p_memsz(endian);
            segments.push(Segment {
                start,
                end: start.saturating_add(size),
                offset: segment.p_offset(endian),
                in_file: segment.p_filesz(endian),
                is_writable: segment.p_flags(endian) & elf::PF_W != 0,
                is_executable: segment.p_flags(endian) & elf::PF_X != 0,
            });
        }
        let place_of = |address: u64, executable: bool| {
            let segment = segments
                .iter()
                .find(|segment| (segment.start..segment.end).contains(&address))?;
            (segment.is_executable == executable)
                .then(|| (address - segment.start).wrapping_add(segment.offset))
        };
        let page = rustix::param::page_size() as u64;
        let is_shared = |offset: u64| {
            let parts = segments
                .iter()
                .filter(|segment| segment.maps_writable(offset, page));
            parts.count() > 1
        };
        let notes = notes.notes(endian, &self.cache).map_err(broken)?;
        let Some(mut notes) = notes else {
            return Ok(());
        };
        while let Some(note) = notes.next().map_err(broken)? {
            let Some(probe) = UsdtNote::parse(note.name(), note.n_type(endian), note.desc()) else {
                return Err(self.broken("a note about a USDT probe is not what it should be"));
            };
            let moved = match (base, probe.base) {
                (0, _) | (_, 0) => 0,
                (now, linked) => now.wrapping_sub(linked),
            };
            let address = probe.location.wrapping_add(moved);
            let Some(offset) = place_of(address, true) else {
                return Err(self.broken("a USDT probe is not in its code"));
            };
            let semaphore = match probe.semaphore {
                0 => Some(0),
                address => place_of(address, false),
            };
            let Some(semaphore) = semaphore else {
                return Err(self.broken("the semaphore of a USDT probe is not in its data"));
            };
            let place = UsdtPlace {
                address,
                offset,
                semaphore,
                is_ambiguous: semaphore != 0 && is_shared(semaphore),
                arguments: String::from_utf8_lossy(probe.arguments).into_owned(),
            };
            call(probe.provider, probe.name, place)?;
        }
        Ok(())
    }
}

/// A function of a file.
struct Symbol<'a> {
    name: &'a [u8],
    offset: u64,
    is_weak: bool,
    version: &'a dyn Fn() -> Option<&'a [u8]>,
}

impl Symbol<'_> {
    /// Whether this is the function of that name, which may have a version: `NAME@VERSION`.
    fn is_called(&self, wanted: &[u8], kind: u32) -> bool {
        let base = base_name(wanted);
        if base_name(self.name) != base {
            return false;
        }
        if base.len() == wanted.len() {
            return true;
        }
        if kind == elf::SHT_DYNSYM {
            let version = &wanted[base.len() + 1..];
            let version = version.strip_prefix(b"@").unwrap_or(version);
            (self.version)() == Some(version)
        } else {
            self.name == wanted
        }
    }
}

/// What a note in `.note.stapsdt` says.
struct UsdtNote<'a> {
    location: u64,
    base: u64,
    semaphore: u64,
    provider: &'a [u8],
    name: &'a [u8],
    arguments: &'a [u8],
}

impl<'a> UsdtNote<'a> {
    fn parse(owner: &[u8], kind: u32, content: &'a [u8]) -> Option<Self> {
        if owner != b"stapsdt" || kind != 3 {
            return None;
        }
        let (numbers, texts) = content.split_at_checked(24)?;
        let number = |index: usize| {
            let bytes = numbers[8 * index..][..8].try_into();
            u64::from_ne_bytes(bytes.expect("eight bytes"))
        };
        let mut texts = texts.split(|byte| *byte == 0);
        let mut text = || texts.next();
        let (provider, name, arguments) = (text()?, text()?, text()?);
        // What comes after the arguments' zero is padding; without it there is none.
        text()?;
        if name.is_empty() {
            return None;
        }
        Some(Self {
            location: number(0),
            base: number(1),
            semaphore: number(2),
            provider,
            name,
            arguments: if arguments.starts_with(b":") {
                b""
            } else {
                arguments
            },
        })
    }
}

/// A name without its version.
fn base_name(name: &[u8]) -> &[u8] {
    let end = name.iter().position(|byte| *byte == b'@');
    &name[..end.unwrap_or(name.len())]
}

/// The string that begins there. Names that are longer than any that can be asked for are none: strings may overlap, and each would be read again for each
/// symbol.
fn string_at(strings: &[u8], start: u32) -> Option<&[u8]> {
    let rest = strings.get(start as usize..)?;
    let rest = &rest[..rest.len().min(MAX_USER_NAME + 1)];
    let end = rest.iter().position(|byte| *byte == 0)?;
    Some(&rest[..end])
}

/// Whether all of a name matches; `*` stands for any characters, `?` for one.
fn matches(name: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut in_pattern) = (0, 0);
    // Where to go on if what follows the last star does not match: one character later.
    let mut retry = None;
    while at < name.len() {
        match pattern.get(in_pattern) {
            Some(b'*') => {
                in_pattern += 1;
                retry = Some((at, in_pattern));
            }
            Some(byte) if *byte == b'?' || *byte == name[at] => {
                at += 1;
                in_pattern += 1;
            }
            _ => match &mut retry {
                Some((from, behind)) => {
                    *from += 1;
                    (at, in_pattern) = (*from, *behind);
                }
                None => return false,
            },
        }
    }
    pattern[in_pattern..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;

    use super::*;
    use crate::policy::Limits;

    /// What a test does with a file of this content.
    fn with<T>(content: &[u8], limits: Limits, call: impl FnOnce(&Binary<'_>) -> T) -> T {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        with_file(file, limits, call)
    }

    fn with_file<T>(file: File, limits: Limits, call: impl FnOnce(&Binary<'_>) -> T) -> T {
        let file = HostFile::from(file);
        let usage = Usage::new(limits);
        let exceeded = RefCell::new(None);
        call(&Binary::new(&file, &usage, &exceeded))
    }

    fn own() -> File {
        File::open(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn own_functions_are_found() {
        #[unsafe(no_mangle)]
        #[inline(never)]
        extern "C" fn wasm_bpf_test_function(number: u64) -> u64 {
            std::hint::black_box(number)
        }
        wasm_bpf_test_function(1);
        with_file(own(), Limits::default(), |binary| {
            let name = "wasm_bpf_test_function".to_owned();
            let offsets = binary.functions(std::slice::from_ref(&name)).unwrap();
            assert_eq!(binary.matching("wasm_bpf_test_f*").unwrap(), offsets);
            assert_eq!(binary.first_unnamed(&offsets).unwrap(), None);
            let beside = offsets[0] + 1;
            assert_eq!(binary.first_unnamed(&[beside]).unwrap(), Some(beside));
            assert_eq!(binary.first_foreign_semaphore(&[0, 8]).unwrap(), Some(8));
            let missing = binary.functions(&[name, "no_such".into()]).unwrap_err();
            assert!(matches!(missing.code, ErrorCode::NotFound), "{missing:?}");
            assert!(missing.why.contains("no_such"));
            let missing = binary.usdt("no", "such").unwrap_err();
            assert!(matches!(missing.code, ErrorCode::NotFound), "{missing:?}");
        });
    }

    #[test]
    fn symbols_count_against_the_limit() {
        let limits = Limits {
            map_memory: 4096,
            ..Limits::default()
        };
        with_file(own(), limits, |binary| {
            let error = binary.matching("main").unwrap_err();
            assert!(matches!(error.code, ErrorCode::LimitExceeded), "{error:?}");
            assert!(error.why.contains("map-memory"), "{error:?}");
        });
    }

    #[test]
    fn what_is_no_elf_file_is_malformed() {
        let long = [0x7f; 4096];
        for content in [
            &b""[..],
            b"\x7fELF",
            b"#!/bin/sh\n",
            &long,
            b"\x7fELF\x02\x01\x01",
        ] {
            with(content, Limits::default(), |binary| {
                let error = binary.matching("main").unwrap_err();
                assert!(matches!(error.code, ErrorCode::Malformed), "{error:?}");
                binary.usdt("a", "b").unwrap_err();
                binary.has_fixed_addresses().unwrap_err();
            });
        }
        with_file(File::open("/").unwrap(), Limits::default(), |binary| {
            let error = binary.matching("main").unwrap_err();
            assert!(matches!(error.code, ErrorCode::InvalidArgument));
        });
    }

    /// A file with one section of symbols, one of strings, and one of notes; numbers may be anything.
    fn crafted(symbols: [u64; 4], strings: [u64; 2], notes: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let header = 64;
        let names = b"\0.symtab\0.note.stapsdt\0.shstrtab\0f\0";
        let names_at = header + 5 * 64 + 56;
        let notes_at = names_at + names.len();
        file.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        for half in [3u16, 62] {
            file.extend_from_slice(&half.to_le_bytes());
        }
        file.extend_from_slice(&1u32.to_le_bytes());
        for word in [0u64, 64 + 5 * 64, 64] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(&0u32.to_le_bytes());
        for half in [64u16, 56, 1, 64, 5, 4] {
            file.extend_from_slice(&half.to_le_bytes());
        }
        let mut section = |name: u32, kind: u32, offset: u64, size: u64, link: u32, entry: u64| {
            for word in [name, kind] {
                file.extend_from_slice(&word.to_le_bytes());
            }
            for word in [0, 0x1000, offset, size] {
                file.extend_from_slice(&word.to_le_bytes());
            }
            for word in [link, 0] {
                file.extend_from_slice(&word.to_le_bytes());
            }
            for word in [4, entry] {
                file.extend_from_slice(&word.to_le_bytes());
            }
        };
        section(0, 0, 0, 0, 0, 0);
        let [offset, size, link, entry] = symbols;
        section(1, 2, offset, size, link as u32, entry);
        section(9, 7, notes_at as u64, notes.len() as u64, 0, 0);
        section(0, 3, strings[0], strings[1], 0, 0);
        section(23, 3, names_at as u64, names.len() as u64, 0, 0);
        // One segment, of all there is.
        for word in [1u32, 5] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        for word in [0u64, 0, 0, 1 << 20, 1 << 20, 1] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(names);
        file.extend_from_slice(notes);
        file
    }

    fn note(numbers: [u64; 3], texts: &[u8]) -> Vec<u8> {
        let mut note = Vec::new();
        for word in [8u32, 24 + texts.len() as u32, 3] {
            note.extend_from_slice(&word.to_le_bytes());
        }
        note.extend_from_slice(b"stapsdt\0");
        for number in numbers {
            note.extend_from_slice(&number.to_le_bytes());
        }
        note.extend_from_slice(texts);
        note.resize(note.len().next_multiple_of(4), 0);
        note
    }

    #[test]
    fn absurd_tables_are_refused_or_empty() {
        let numbers = [0, 1, 23, 24, 64, 1 << 20, 1 << 40, u64::MAX - 7, u64::MAX];
        for offset in numbers {
            for size in numbers {
                for link in [0, 1, 3, 4, 5, u64::MAX] {
                    // Entries without size, too.
                    for entry in [0, 24] {
                        let symbols = [offset, size, link, entry];
                        let file = crafted(symbols, [offset, size], &[]);
                        with(&file, Limits::default(), |binary| {
                            let _ = binary.matching("*").map(drop);
                            let _ = binary.functions(&["f".to_owned()]).map(drop);
                            let _ = binary.first_unnamed(&[1]).map(drop);
                        });
                    }
                }
            }
        }
    }

    #[test]
    fn notes_are_read_or_refused() {
        let good = note([0x100, 0, 0], b"provider\0name\0-4@%edi 8@$5\0");
        let second = note([0x200, 0, 0], b"provider\0other\0:\0");
        let both = [good.clone(), second].concat();
        with(
            &crafted([0, 0, 4, 24], [0; 2], &both),
            Limits::default(),
            |binary| {
                let places = binary.usdt("provider", "name").unwrap();
                let expected = UsdtPlace {
                    address: 0x100,
                    offset: 0x100,
                    semaphore: 0,
                    is_ambiguous: false,
                    arguments: "-4@%edi 8@$5".into(),
                };
                assert_eq!(places, [expected]);
                assert_eq!(binary.usdt("provider", "other").unwrap()[0].arguments, "");
                assert_eq!(binary.first_unnamed(&[0x100, 0x101]).unwrap(), Some(0x101));
                assert!(!binary.has_fixed_addresses().unwrap());
            },
        );
        let mut cut = good.clone();
        cut.truncate(cut.len() - 8);
        for bad in [
            cut,
            note([0x100, 0, 0], b"provider\0name"),
            note([0x100, 0, 0], b"provider\0\0\0"),
            note([0x100, 0, 0], b""),
            // Outside of what is mapped; a semaphore in code.
            note([1 << 30, 0, 0], b"p\0n\0\0"),
            note([0x100, 0, 0x200], b"p\0n\0\0"),
            note([u64::MAX, 0, u64::MAX], b"p\0n\0\0"),
            vec![0xff; 64],
            vec![0; 3],
        ] {
            with(
                &crafted([0, 0, 4, 24], [0; 2], &bad),
                Limits::default(),
                |binary| {
                    let error = binary.usdt("provider", "name").unwrap_err();
                    assert!(matches!(error.code, ErrorCode::Malformed), "{error:?}");
                },
            );
        }
    }

    #[test]
    fn a_file_that_becomes_shorter_is_no_harm() {
        let content = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        let same = file.try_clone().unwrap();
        with_file(file, Limits::default(), |binary| {
            binary.class().unwrap();
            let _ = binary.cache.len();
            same.set_len(4096).unwrap();
            let error = binary.matching("main").unwrap_err();
            assert!(matches!(error.code, ErrorCode::Malformed), "{error:?}");
        });
    }

    #[test]
    fn a_page_is_in_one_segment_or_in_two() {
        let segment = |offset, in_file| Segment {
            start: 0,
            end: 0,
            offset,
            in_file,
            is_writable: true,
            is_executable: false,
        };
        let (first, second) = (segment(0x56960, 0x2b18), segment(0x59478, 0x9fa));
        for (offset, expected) in [
            (0x55fff, [false, false]),
            (0x56000, [true, false]),
            (0x59e70, [true, true]),
            (0x5a000, [false, false]),
        ] {
            let maps = [&first, &second].map(|segment| segment.maps_writable(offset, 4096));
            assert_eq!(maps, expected, "{offset:#x}");
        }
        assert!(!segment(u64::MAX, u64::MAX).maps_writable(0, 4096));
    }

    #[test]
    fn patterns_match_all_of_a_name() {
        for (name, pattern, expected) in [
            ("malloc", "malloc", true),
            ("malloc2", "malloc", false),
            ("malloc", "mal*", true),
            ("malloc", "*loc", true),
            ("malloc", "*l*", true),
            ("malloc", "m?lloc", true),
            ("malloc", "m?loc", false),
            ("", "*", true),
            ("", "?", false),
            ("aab", "*ab", true),
            ("abab", "*ab", true),
            ("abac", "*ab", false),
        ] {
            let result = matches(name.as_bytes(), pattern.as_bytes());
            assert_eq!(result, expected, "{name} {pattern}");
        }
    }
}
