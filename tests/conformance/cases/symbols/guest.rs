//! Names of addresses.

use std::fs;

use conformance_guests::{assert_code, assert_fails, given, pull, raw, trigger};
use wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use wasm_bpf_guest::{ErrorKind, OffsetKind, Symbolizer, Unknown, open_descriptor};

conformance_guests::guest!();

/// Of the trigger's system call: its process, and the stacks.
fn sampled() -> (u32, Vec<u64>, Vec<u64>) {
    let mut open = case::CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    pull(1);
    let bss = skel.bss.get().unwrap();
    let depth = |stack: &[u64]| {
        let addresses = stack.iter().copied().take_while(|address| *address != 0);
        addresses.collect::<Vec<_>>()
    };
    (
        bss.process as u32,
        depth(&bss.kernel_stack),
        depth(&bss.user_stack),
    )
}

/// Where the trace is taken differs from one kernel to another; that it is of a system call does not.
fn kernel() {
    let (_, stack, _) = sampled();
    assert!(!stack.is_empty());
    let found = Symbolizer::new().symbolize_kernel(&stack).unwrap();
    assert_eq!(found.len(), stack.len());
    let names = found
        .iter()
        .zip(&stack)
        .filter_map(|(found, address)| {
            let symbol = found.as_ref().ok()?;
            // The program itself is at the top of it, on some kernels.
            assert_eq!(symbol.address.wrapping_add(symbol.offset), *address);
            Some(symbol.name.as_str())
        })
        .collect::<Vec<_>>();
    assert!(
        names.iter().any(|name| name.contains("syscall")),
        "{names:?}"
    );
    // In an order of their own, and one twice.
    let address = *stack.last().unwrap();
    let found = Symbolizer::new()
        .symbolize_kernel(&[address, 1, address])
        .unwrap();
    let name = |index: usize| found[index].as_ref().map(|symbol| symbol.name.clone());
    assert!(name(1).is_err(), "{:?}", found[1]);
    assert_eq!(name(0).unwrap(), name(2).unwrap());
    assert!(Symbolizer::new().symbolize_kernel(&[]).unwrap().is_empty());
}

/// The trigger calls libc's `syscall`.
fn process() {
    let (process, _, stack) = sampled();
    let found = Symbolizer::new()
        .symbolize_process(process, &[stack[0], 1])
        .unwrap();
    let symbol = found[0].as_ref().unwrap();
    assert_eq!(symbol.name, "syscall", "{symbol:?}");
    let module = symbol.module.as_ref().unwrap();
    assert!(module.contains("libc"), "{module}");
    assert!(symbol.offset > 0);
    assert!(symbol.place.is_none(), "no debug information was asked for");
    assert!(matches!(found[1], Err(Unknown::Unmapped)), "{:?}", found[1]);
    assert!(symbolizer_finds(process, &stack));
}

/// A stack that is read wrongly has addresses of anything: they do not take the names of the others.
fn symbolizer_finds(process: u32, stack: &[u64]) -> bool {
    let mut addresses = (0..64)
        .map(|page| stack[0] ^ (page << 20))
        .collect::<Vec<_>>();
    addresses.push(stack[0]);
    let found = Symbolizer::new()
        .symbolize_process(process, &addresses)
        .unwrap();
    found[64]
        .as_ref()
        .is_ok_and(|symbol| symbol.name == "syscall")
}

const TARGET: &str = "/run/wasm-bpf-conformance/target";

fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let mut number = [0; 8];
    number[..length].copy_from_slice(&bytes[at..at + length]);
    u64::from_le_bytes(number)
}

/// Value, size and offset in the file of a symbol of a 64-bit ELF file.
fn elf_symbol(elf: &[u8], wanted: &str) -> (u64, u64, u64) {
    let section = |index: u64| {
        let at = (number(elf, 0x28, 8) + index * 64) as usize;
        let field = |offset, length| number(elf, at + offset, length);
        // Type, offset, size, link.
        (field(4, 4), field(0x18, 8), field(0x20, 8), field(0x28, 4))
    };
    let sections = number(elf, 0x3c, 2);
    let (_, start, size, link) = (0..sections)
        .map(section)
        .find(|section| section.0 == 2)
        .expect("a symbol table");
    let names = section(link).1;
    let symbol = (start..start + size)
        .step_by(24)
        .find(|symbol| {
            let name = (names + number(elf, *symbol as usize, 4)) as usize;
            elf[name..].starts_with(wanted.as_bytes()) && elf[name + wanted.len()] == 0
        })
        .expect("the symbol");
    let value = number(elf, symbol as usize + 8, 8);
    let size = number(elf, symbol as usize + 16, 8);
    let segments = number(elf, 0x38, 2);
    let offset = (0..segments)
        .find_map(|index| {
            let at = (number(elf, 0x20, 8) + index * 56) as usize;
            let field = |offset| number(elf, at + offset, 8);
            let (offset, address, length) = (field(8), field(0x10), field(0x20));
            let is_there = number(elf, at, 4) == 1 && (address..address + length).contains(&value);
            is_there.then(|| value - address + offset)
        })
        .expect("a segment");
    (value, size, offset)
}

fn file() {
    let elf = fs::read(TARGET).unwrap();
    let (value, size, offset) = elf_symbol(&elf, "wbc_target");
    let target = open_descriptor(TARGET).unwrap();
    let symbolizer = Symbolizer::new().enable_demangling(false);
    for (kind, start) in [(OffsetKind::Virtual, value), (OffsetKind::File, offset)] {
        let found = symbolizer
            .symbolize_file(&target, kind, &[start, start + 1, u64::MAX])
            .unwrap();
        for (index, found) in found[..2].iter().enumerate() {
            let symbol = found.as_ref().unwrap();
            assert_eq!(symbol.name, "wbc_target");
            assert_eq!(symbol.address, value);
            assert_eq!(symbol.offset, index as u64);
            assert_eq!(symbol.size, Some(size));
        }
        assert!(found[2].is_err(), "{:?}", found[2]);
    }
    // Rust's own names: as they are in the file, and as they are in the source code.
    let text = String::from_utf8_lossy(&elf);
    let start = text.find("_ZN").or_else(|| text.find("_RN"));
    assert!(start.is_some(), "a mangled name");
}

fn wrong() {
    let symbolizer = raw::symbols::Symbolizer::new();
    let code = |result: Result<Vec<_>, raw::types::Error>| result.map_err(|error| error.code);
    let many = vec![1; 4097];
    assert_code!(
        code(symbolizer.symbolize_kernel(&many)),
        raw::types::ErrorCode::LimitExceeded
    );
    assert_code!(
        code(symbolizer.symbolize_process(trigger().0, &many)),
        raw::types::ErrorCode::LimitExceeded
    );
    let own = Symbolizer::new();
    // The guest crate asks in parts.
    assert_eq!(own.symbolize_kernel(&many).unwrap().len(), many.len());
    assert_fails!(
        own.symbolize_process(0, &[1]),
        ErrorKind::InvalidArgument,
        "0"
    );
    for process in [u32::MAX, u32::MAX >> 1, 1 << 31] {
        assert_fails!(
            own.symbolize_process(process, &[1]),
            ErrorKind::NoSuchProcess
        );
    }
    let folder = open_descriptor(given("folder")).unwrap();
    assert_fails!(
        own.symbolize_file(&folder, OffsetKind::File, &[1]),
        ErrorKind::InvalidArgument
    );
    let written = folder
        .open_at(
            PathFlags::empty(),
            "written",
            OpenFlags::CREATE,
            DescriptorFlags::WRITE,
        )
        .unwrap();
    assert_fails!(
        own.symbolize_file(&written, OffsetKind::File, &[1]),
        ErrorKind::AccessDenied,
        "written"
    );
}

/// Whatever comes of a broken file, what comes next is right.
fn hostile_files() {
    let elf = fs::read(TARGET).unwrap();
    let (value, ..) = elf_symbol(&elf, "wbc_target");
    let target = open_descriptor(TARGET).unwrap();
    let path = format!("{}/broken", given("folder"));
    let symbolizers = [Symbolizer::new(), Symbolizer::new().enable_code_info(true)];
    let mut refused = 0;
    let mut try_file = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let broken = open_descriptor(&path).unwrap();
        for symbolizer in &symbolizers {
            let offsets = [0, value, u64::MAX];
            match symbolizer.symbolize_file(&broken, OffsetKind::Virtual, &offsets) {
                Ok(found) => assert_eq!(found.len(), 3),
                Err(_) => refused += 1,
            }
        }
        let found = symbolizers[0]
            .symbolize_file(&target, OffsetKind::Virtual, &[value])
            .unwrap();
        assert_eq!(found[0].as_ref().unwrap().name, "wbc_target");
    };
    try_file(b"");
    try_file(b"\x7fELF");
    try_file(&[0xff; 64]);
    let mut padded = b"\x7fELF".to_vec();
    padded.resize(4096, 0xff);
    try_file(&padded);
    for part in [1, 2, 3] {
        try_file(&elf[..elf.len() * part / 4]);
    }
    // Counts, sizes and offsets of the header, each of them absurd.
    for (at, length) in [
        (0x10, 2),
        (0x20, 8),
        (0x28, 8),
        (0x36, 2),
        (0x38, 2),
        (0x3a, 2),
        (0x3c, 2),
        (0x3e, 2),
    ] {
        for byte in [0, 0x7f, 0xff] {
            let mut broken = elf.clone();
            broken[at..at + length].fill(byte);
            try_file(&broken);
        }
    }
    // And all sections.
    let sections = number(&elf, 0x28, 8) as usize;
    for field in [0x18, 0x20, 0x28, 0x38] {
        let mut broken = elf.clone();
        for section in broken[sections..].chunks_exact_mut(64) {
            section[field..field + 8].fill(0xff);
        }
        try_file(&broken);
    }
    assert!(refused > 0);
    fs::write(&path, b"no ELF file at all").unwrap();
    let broken = open_descriptor(&path).unwrap();
    assert_fails!(
        symbolizers[0].symbolize_file(&broken, OffsetKind::File, &[1]),
        ErrorKind::Malformed,
        "broken"
    );
}

fn debug_info_allowed() {
    let elf = fs::read(TARGET).unwrap();
    let (value, ..) = elf_symbol(&elf, "wbc_target");
    let target = open_descriptor(TARGET).unwrap();
    for with_inlined in [false, true] {
        let symbolizer = Symbolizer::new()
            .enable_code_info(true)
            .enable_inlined_fns(with_inlined);
        let found = symbolizer
            .symbolize_file(&target, OffsetKind::Virtual, &[value])
            .unwrap();
        let symbol = found[0].as_ref().unwrap();
        assert_eq!(symbol.name, "wbc_target");
        let place = symbol.place.as_ref().unwrap();
        assert_eq!(place.file, "target.rs", "{place:?}");
        assert!(place.line.is_some(), "{place:?}");
        if !with_inlined {
            assert!(symbol.inlined.is_empty());
        }
    }
}

fn debug_info_denied() {
    let symbolizer = Symbolizer::new().enable_code_info(true);
    let target = open_descriptor(TARGET).unwrap();
    let denied = [
        symbolizer.symbolize_kernel(&[1]),
        symbolizer.symbolize_process(trigger().0, &[1]),
        symbolizer.symbolize_file(&target, OffsetKind::File, &[1]),
    ];
    for denied in denied {
        assert_fails!(denied, ErrorKind::NotGranted, "debug-info");
    }
    let symbolizer = symbolizer.enable_code_info(false);
    symbolizer
        .symbolize_file(&target, OffsetKind::File, &[1])
        .unwrap();
}

fn limit_descriptors() {
    assert_fails!(
        Symbolizer::new().symbolize_kernel(&[1]),
        ErrorKind::LimitExceeded,
        "descriptors"
    );
}
