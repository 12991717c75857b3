//! The part of the guest crate that generated skeletons use, over the bytes of an object file instead of a kernel.
//!
//! It reads the sections of the object by itself, so that what tests see of them does not depend on libbpf.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;

pub use zerocopy;
use zerocopy::{FromBytes, Immutable, IntoBytes};

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
    /// The sections that were mapped.
    mapped: Vec<String>,
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
        Map {
            name: name.into(),
            state: self.state.clone(),
        }
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

    /// For tests: changes a section as a program would.
    pub fn store(&self, name: &str, offset: usize, bytes: &[u8]) {
        let mut state = self.state.borrow_mut();
        let section = state.sections.get_mut(name).unwrap();
        section[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    /// For tests: gives a section another size than the skeleton was generated for.
    pub fn resize(&self, name: &str, size: usize) {
        let mut state = self.state.borrow_mut();
        state.sections.get_mut(name).unwrap().resize(size, 0);
    }

    /// For tests: the sections that were mapped, each as often as it was.
    pub fn mapped(&self) -> Vec<String> {
        self.state.borrow().mapped.clone()
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
    state: Shared,
}

/// Defines a map that knows types, over one that does not.
macro_rules! typed {
    ($name:ident $(, $parameter:ident)*) => {
        pub struct $name<$($parameter),*> {
            map: Map,
            types: PhantomData<($($parameter,)*)>,
        }

        /// As in the guest crate, only for types that can be read from bytes and written as bytes.
        impl<$($parameter: IntoBytes + FromBytes + Immutable),*> $name<$($parameter),*> {
            pub fn unchecked(map: Map) -> Self {
                Self {
                    map,
                    types: PhantomData,
                }
            }
        }

        impl<$($parameter),*> Deref for $name<$($parameter),*> {
            type Target = Map;

            fn deref(&self) -> &Map {
                &self.map
            }
        }
    };
}

typed!(TypedMap, K, V);
typed!(PerCpuMap, K, V);
typed!(Queue, V);
typed!(BloomFilter, V);

pub struct GlobalData {
    map: Map,
    mapped: Cell<bool>,
}

impl GlobalData {
    pub fn new(map: Map) -> Rc<Self> {
        Rc::new(Self {
            map,
            mapped: Cell::new(false),
        })
    }

    pub fn bytes(&self) -> Result<Vec<u8>> {
        let name = &self.map.name;
        let mut state = self.map.state.borrow_mut();
        if !self.mapped.replace(true) {
            state.mapped.push(name.clone());
        }
        let section = state.sections.get(name);
        section
            .cloned()
            .ok_or_else(|| Error(format!("no section {name}")))
    }

    fn get<T: FromBytes>(&self, offset: u32) -> Result<T> {
        let bytes = self.bytes()?;
        T::read_from_prefix(bytes.get(offset as usize..).unwrap_or_default())
            .map(|(value, _)| value)
            .map_err(|_| Error(format!("{} ends before {offset}", self.map.name)))
    }

    fn set<T: IntoBytes + Immutable>(&self, offset: u32, value: &T) -> Result<()> {
        let mut bytes = self.bytes()?;
        value
            .write_to_prefix(bytes.get_mut(offset as usize..).unwrap_or_default())
            .map_err(|_| Error(format!("{} ends before {offset}", self.map.name)))?;
        let mut state = self.map.state.borrow_mut();
        state.sections.insert(self.map.name.clone(), bytes);
        Ok(())
    }
}

/// Defines a global variable.
macro_rules! variable {
    ($name:ident) => {
        pub struct $name<T> {
            section: Rc<GlobalData>,
            offset: u32,
            ty: PhantomData<T>,
        }

        impl<T> $name<T> {
            pub fn new(section: &Rc<GlobalData>, offset: u32) -> Self {
                Self {
                    section: Rc::clone(section),
                    offset,
                    ty: PhantomData,
                }
            }
        }

        impl<T: FromBytes> $name<T> {
            pub fn get(&self) -> Result<T> {
                self.section.get(self.offset)
            }
        }
    };
}

variable!(Global);
variable!(Constant);

impl<T: IntoBytes + Immutable> Global<T> {
    pub fn set(&self, value: &T) -> Result<()> {
        self.section.set(self.offset, value)
    }
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
