//! The part of the guest crate that generated skeletons use, over the bytes of an object file instead of a kernel.
//!
//! It reads the sections of the object by itself, so that what tests see of them does not depend on libbpf.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

pub use zerocopy;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug)]
pub struct Error(String);

impl Error {
    pub fn layout(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// What a test can look at after loading.
#[derive(Debug, Default)]
struct State {
    sections: BTreeMap<String, Vec<u8>>,
    symbols: Vec<String>,
    /// The sections that were written, in this order.
    written: Vec<String>,
    /// The programs that are not to be loaded.
    absent: Vec<String>,
    attached: Vec<String>,
}

type Shared = Rc<RefCell<State>>;

#[derive(Debug, Default)]
pub struct ObjectBuilder {
    /// Cuts the given number of bytes off every section, to have an object that does not fit the skeleton.
    pub cut: usize,
}

impl ObjectBuilder {
    pub fn open_memory(&mut self, object: &[u8]) -> Result<OpenObject> {
        let mut state = read_elf(object).ok_or_else(|| Error("malformed ELF file".into()))?;
        for section in state.sections.values_mut() {
            section.truncate(section.len().saturating_sub(self.cut));
        }
        Ok(OpenObject {
            state: Rc::new(RefCell::new(state)),
        })
    }
}

pub struct OpenObject {
    state: Shared,
}

impl OpenObject {
    pub fn map(&self, name: &str) -> Result<OpenMap> {
        let state = self.state.borrow();
        if state.symbols.iter().any(|symbol| symbol == name) || state.sections.contains_key(name) {
            Ok(OpenMap {
                name: name.into(),
                state: self.state.clone(),
            })
        } else {
            Err(Error(format!("no map {name}")))
        }
    }

    pub fn program(&self, name: &str) -> Result<OpenProgram> {
        if self
            .state
            .borrow()
            .symbols
            .iter()
            .any(|symbol| symbol == name)
        {
            Ok(OpenProgram {
                name: name.into(),
                state: self.state.clone(),
            })
        } else {
            Err(Error(format!("no program {name}")))
        }
    }

    pub fn load(self) -> Result<Object> {
        Ok(Object { state: self.state })
    }
}

pub struct OpenMap {
    name: String,
    state: Shared,
}

impl OpenMap {
    pub fn initial_value(&self) -> Result<Vec<u8>> {
        let state = self.state.borrow();
        let value = state.sections.get(&self.name);
        value
            .cloned()
            .ok_or_else(|| Error(format!("map {} has no initial value", self.name)))
    }

    pub fn set_initial_value(&self, value: &[u8]) -> Result<()> {
        let mut state = self.state.borrow_mut();
        state.written.push(self.name.clone());
        match state.sections.get_mut(&self.name) {
            Some(section) if section.len() == value.len() => {
                section.copy_from_slice(value);
                Ok(())
            }
            _ => Err(Error(format!("wrong initial value for map {}", self.name))),
        }
    }
}

pub struct OpenProgram {
    name: String,
    state: Shared,
}

impl OpenProgram {
    pub fn set_autoload(&self, autoload: bool) -> Result<()> {
        if !autoload {
            self.state.borrow_mut().absent.push(self.name.clone());
        }
        Ok(())
    }
}

pub struct Object {
    state: Shared,
}

impl Object {
    pub fn map_or_absent(&self, name: &str) -> Map {
        Map { name: name.into() }
    }

    pub fn program_or_absent(&self, name: &str) -> Program {
        Program {
            name: name.into(),
            state: self.state.clone(),
        }
    }

    /// For tests: the contents of a section with which the object was loaded.
    pub fn section(&self, name: &str) -> Vec<u8> {
        self.state.borrow().sections[name].clone()
    }

    /// For tests: the sections that were written before the object was loaded.
    pub fn written(&self) -> Vec<String> {
        self.state.borrow().written.clone()
    }

    /// For tests: the programs that were attached.
    pub fn attached(&self) -> Vec<String> {
        self.state.borrow().attached.clone()
    }
}

pub struct Map {
    pub name: String,
}

pub struct Program {
    pub name: String,
    state: Shared,
}

impl Program {
    pub fn is_absent(&self) -> bool {
        self.state.borrow().absent.contains(&self.name)
    }

    /// A program whose name begins with `fails` cannot be attached, and one with `manual` has no target.
    pub fn auto_attach(&self) -> Result<Option<Link>> {
        if self.is_absent() || self.name.starts_with("fails") {
            return Err(Error(format!("cannot attach {}", self.name)));
        }
        if self.name.starts_with("manual") {
            return Ok(None);
        }
        self.state.borrow_mut().attached.push(self.name.clone());
        Ok(Some(Link {
            program: self.name.clone(),
        }))
    }
}

#[derive(Debug)]
pub struct Link {
    pub program: String,
}

/// Reads the contents of all sections, and the names of all symbols.
fn read_elf(file: &[u8]) -> Option<State> {
    let number = |at: usize, size: usize| {
        let bytes = file.get(at..at + size)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0, |n, byte| n << 8 | usize::from(*byte)),
        )
    };
    let table = number(0x28, 8)?;
    let count = number(0x3c, 2)?;
    let header = |section: usize| table + section * 64;
    let data = |section: usize| {
        let (kind, offset, size) = (
            number(header(section) + 4, 4)?,
            number(header(section) + 24, 8)?,
            number(header(section) + 32, 8)?,
        );
        const SHT_NOBITS: usize = 8;
        if kind == SHT_NOBITS {
            Some(vec![0; size])
        } else {
            Some(file.get(offset..offset + size)?.to_vec())
        }
    };
    let text = |strings: &[u8], at: usize| {
        let rest = strings.get(at..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        String::from_utf8(rest[..end].to_vec()).ok()
    };
    let names = data(number(0x3e, 2)?)?;
    let mut state = State::default();
    for section in 0..count {
        let name = text(&names, number(header(section), 4)?)?;
        let contents = data(section)?;
        if name == ".symtab" {
            let strings = data(number(header(section) + 40, 4)?)?;
            for symbol in contents.chunks(24) {
                let at = u32::from_le_bytes(symbol.get(..4)?.try_into().ok()?);
                state.symbols.push(text(&strings, at as usize)?);
            }
        }
        state.sections.insert(name, contents);
    }
    Some(state)
}
