//! Memory shared with BPF programs.

use std::cell::OnceCell;
use std::marker::PhantomData;
use std::rc::Rc;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::bindings::{mapped_memory, maps};
use crate::error::{Error, ErrorKind, Result, words};
use crate::map::{from_bytes, to_number};
use crate::{Map, MapCore as _};

/// The memory of a map: global data, an array made with BPF_F_MMAPABLE, an arena. [`MapCore::mmap`](crate::MapCore::mmap) opens it.
///
/// Reading and writing take no system call. Types of 4 and 8 bytes at a multiple of their size are read and written whole; others may be seen half
/// written.
#[derive(Clone)]
pub struct MappedMemory {
    handle: Rc<mapped_memory::Mapping>,
    name: Rc<str>,
}

impl MappedMemory {
    pub(crate) fn open(map: &maps::Map) -> Result<Self> {
        Ok(Self {
            handle: Rc::new(mapped_memory::Mapping::open(map)?),
            name: map.info().name.into(),
        })
    }

    fn failed(&self, what: &str, offset: u64, length: usize, code: ErrorKind) -> Error {
        let mut text = format!(
            "cannot {what} {length} bytes at {offset} of the memory of `{}`: {}",
            self.name,
            words(code)
        );
        if matches!(code, ErrorKind::WrongSize) {
            text.push_str(&format!(": it has {} bytes", self.size()));
        }
        Error::of_code(code, text)
    }

    /// Its length in bytes.
    pub fn size(&self) -> u64 {
        self.handle.size()
    }

    /// Whether it can be written to.
    pub fn is_writable(&self) -> bool {
        self.handle.is_writable()
    }

    /// Bytes from `offset` on.
    pub fn read(&self, offset: u64, length: u32) -> Result<Vec<u8>> {
        self.handle
            .read(offset, length)
            .map_err(|code| self.failed("read", offset, length as usize, code))
    }

    /// Overwrites bytes from `offset` on.
    pub fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.handle
            .write(offset, data)
            .map_err(|code| self.failed("write", offset, data.len(), code))
    }

    /// What is at `offset`.
    pub fn get<T: FromBytes>(&self, offset: u64) -> Result<T> {
        let told = |code| self.failed("read", offset, size_of::<T>(), code);
        match size_of::<T>() {
            4 if offset.is_multiple_of(4) => {
                from_bytes(&self.handle.read_u32(offset).map_err(told)?.to_le_bytes())
            }
            8 if offset.is_multiple_of(8) => {
                from_bytes(&self.handle.read_u64(offset).map_err(told)?.to_le_bytes())
            }
            size => from_bytes(&self.read(offset, size as u32)?),
        }
    }

    /// Overwrites what is at `offset`.
    pub fn set<T: IntoBytes + Immutable>(&self, offset: u64, value: &T) -> Result<()> {
        let told = |code| self.failed("write", offset, size_of::<T>(), code);
        match size_of::<T>() {
            4 if offset.is_multiple_of(4) => self
                .handle
                .write_u32(offset, to_number(value.as_bytes()) as u32)
                .map_err(told),
            8 if offset.is_multiple_of(8) => self
                .handle
                .write_u64(offset, to_number(value.as_bytes()))
                .map_err(told),
            _ => self.write(offset, value.as_bytes()),
        }
    }
}

/// A section of global data, mapped when it is first used. For generated skeletons.
#[doc(hidden)]
pub struct GlobalData {
    map: Map,
    /// None: it cannot be mapped.
    memory: OnceCell<Option<MappedMemory>>,
}

/// What is read of a section at once.
const PIECE: u64 = 1 << 20;

impl GlobalData {
    #[doc(hidden)]
    pub fn new(map: Map) -> Rc<Self> {
        Rc::new(Self {
            map,
            memory: OnceCell::new(),
        })
    }

    /// The mapped section; none if all variables are static, or the kernel is too old.
    fn memory(&self) -> Result<Option<&MappedMemory>> {
        if let Some(memory) = self.memory.get() {
            return Ok(memory.as_ref());
        }
        let memory = match self.map.mmap() {
            Ok(memory) => Some(memory),
            Err(error) if matches!(error.kind(), ErrorKind::NotSupported) => None,
            Err(error) => return Err(error),
        };
        Ok(self.memory.get_or_init(|| memory).as_ref())
    }

    /// All of its bytes.
    #[doc(hidden)]
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let Some(memory) = self.memory()? else {
            return Ok(self.map.lookup(&[0; 4])?.unwrap_or_default());
        };
        let size = memory.size();
        let mut bytes = Vec::with_capacity(size as usize);
        while (bytes.len() as u64) < size {
            let at = bytes.len() as u64;
            bytes.extend(memory.read(at, (size - at).min(PIECE) as u32)?);
        }
        Ok(bytes)
    }

    fn get<T: FromBytes>(&self, offset: u32) -> Result<T> {
        match self.memory()? {
            Some(memory) => memory.get(offset.into()),
            None => {
                let bytes = self.bytes()?;
                let at = offset as usize;
                from_bytes(bytes.get(at..at + size_of::<T>()).unwrap_or_default())
            }
        }
    }

    fn set<T: IntoBytes + Immutable>(&self, offset: u32, value: &T) -> Result<()> {
        match self.memory()? {
            Some(memory) => memory.set(offset.into(), value),
            None => {
                let name = self.map.name()?;
                Err(Error::of_code(
                    ErrorKind::NotSupported,
                    format!(
                        "cannot set a variable of `{name}`: it is not mapped, since all of its variables are static or the \
                         kernel is older than 5.5"
                    ),
                ))
            }
        }
    }
}

/// A variable of a section: where it is.
struct Variable<T> {
    section: Rc<GlobalData>,
    offset: u32,
    ty: PhantomData<T>,
}

impl<T> Variable<T> {
    fn new(section: &Rc<GlobalData>, offset: u32) -> Self {
        Self {
            section: Rc::clone(section),
            offset,
            ty: PhantomData,
        }
    }
}

impl<T, const N: usize> Variable<[T; N]> {
    fn element(&self, index: usize) -> Option<Variable<T>> {
        let offset = self.offset + (index * size_of::<T>()) as u32;
        (index < N).then(|| Variable::new(&self.section, offset))
    }
}

/// A global variable of a loaded object, live: what programs write is seen, and they see what is written here.
///
/// Skeletons have one for each variable of `.data` and `.bss`: `skel.bss.count.get()?`. Variables of 4 and 8 bytes that are aligned are read and written
/// whole; others may be seen half written. No system call is made, but the first time that a section is used.
///
/// A section whose variables are all `static` cannot be mapped: its variables are read through the map, and cannot be set.
pub struct Global<T>(Variable<T>);

impl<T> Global<T> {
    #[doc(hidden)]
    pub fn new(section: &Rc<GlobalData>, offset: u32) -> Self {
        Self(Variable::new(section, offset))
    }
}

impl<T: FromBytes> Global<T> {
    /// Its value now.
    pub fn get(&self) -> Result<T> {
        self.0.section.get(self.0.offset)
    }
}

impl<T: IntoBytes + Immutable> Global<T> {
    /// Changes it.
    pub fn set(&self, value: &T) -> Result<()> {
        self.0.section.set(self.0.offset, value)
    }
}

impl<T, const N: usize> Global<[T; N]> {
    /// One element of an array; none past its end.
    pub fn element(&self, index: usize) -> Option<Global<T>> {
        self.0.element(index).map(Global)
    }
}

/// A global variable of `.rodata`, which is read-only once the object is loaded. Before that it is a field of the open skeleton.
pub struct Constant<T>(Variable<T>);

impl<T> Constant<T> {
    #[doc(hidden)]
    pub fn new(section: &Rc<GlobalData>, offset: u32) -> Self {
        Self(Variable::new(section, offset))
    }
}

impl<T: FromBytes> Constant<T> {
    /// Its value.
    pub fn get(&self) -> Result<T> {
        self.0.section.get(self.0.offset)
    }
}

impl<T, const N: usize> Constant<[T; N]> {
    /// One element of an array; none past its end.
    pub fn element(&self, index: usize) -> Option<Constant<T>> {
        self.0.element(index).map(Constant)
    }
}
