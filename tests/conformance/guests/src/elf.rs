//! The uprobe target as a file: where its functions and USDT probes are. Little endian, 64 bits.

use std::fs;

/// The whole of it.
pub struct Target(pub Vec<u8>);

/// A section: where its header is, and what that says.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Where the header is in the file.
    pub header: usize,
    /// SHT_SYMTAB is 2, SHT_DYNSYM 11.
    pub kind: u32,
    address: u64,
    offset: u64,
    size: u64,
    link: u32,
}

impl Target {
    /// Reads the runner's target.
    pub fn read() -> Self {
        Self(fs::read(crate::given("target")).expect("the target is in a folder of the case"))
    }

    fn number(&self, at: usize, size: usize) -> u64 {
        let mut bytes = [0; 8];
        bytes[..size].copy_from_slice(&self.0[at..][..size]);
        u64::from_le_bytes(bytes)
    }

    /// All sections.
    pub fn sections(&self) -> Vec<Section> {
        let first = self.number(0x28, 8) as usize;
        let count = self.number(0x3c, 2) as usize;
        let section = |index| {
            let header = first + 64 * index;
            Section {
                header,
                kind: self.number(header + 4, 4) as u32,
                address: self.number(header + 16, 8),
                offset: self.number(header + 24, 8),
                size: self.number(header + 32, 8),
                link: self.number(header + 40, 4) as u32,
            }
        };
        (0..count).map(section).collect()
    }

    /// Where what is at an address when it runs is in the file.
    fn offset_of(&self, address: u64) -> u64 {
        let sections = self.sections();
        let section = sections
            .iter()
            .find(|section| {
                section.address != 0
                    && (section.address..section.address + section.size).contains(&address)
            })
            .expect("a section has it");
        address - section.address + section.offset
    }

    /// Where a function starts in the file.
    pub fn function(&self, name: &str) -> u64 {
        let sections = self.sections();
        let table = sections.iter().find(|section| section.kind == 2);
        let table = table.expect("the target is not stripped");
        let strings = sections[table.link as usize].offset as usize;
        let wanted = format!("{name}\0");
        let address = (0..table.size as usize / 24)
            .map(|index| table.offset as usize + 24 * index)
            .find(|symbol| {
                let name = strings + self.number(*symbol, 4) as usize;
                self.0[name..].starts_with(wanted.as_bytes())
            })
            .map(|symbol| self.number(symbol + 8, 8));
        self.offset_of(address.expect("the target has it"))
    }

    /// Where a USDT probe and its semaphore (or 0) are in the file.
    pub fn usdt(&self, name: &str) -> (u64, u64) {
        let owner = b"stapsdt\0";
        let texts = format!("wasm_bpf\0{name}\0");
        let content = (0..self.0.len() - 8)
            .filter(|at| self.0[*at..].starts_with(owner))
            .map(|at| at + owner.len())
            .find(|at| self.0[(at + 24).min(self.0.len())..].starts_with(texts.as_bytes()))
            .expect("the target has it");
        let semaphore = match self.number(content + 16, 8) {
            0 => 0,
            address => self.offset_of(address),
        };
        (self.offset_of(self.number(content, 8)), semaphore)
    }
}
