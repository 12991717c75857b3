//! Types.

use std::fmt;
use std::rc::Rc;

use crate::bindings::btf;
use crate::error::{Result, words};
use crate::{Error, ErrorKind, Object, Program};

/// Kinds of type.
pub use crate::bindings::btf::TypeKind as BtfKind;

/// Parts of types.
pub use crate::bindings::btf::{
    ArrayShape, Enumerator as EnumMember, IntEncoding, Member as StructMember, Parameter,
    PlacedVariable as DataSecVarInfo, TypeDetails, TypeInfo,
};

/// The id of a type within one [`Btf`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(u32);

impl From<u32> for TypeId {
    fn from(id: u32) -> Self {
        Self(id)
    }
}

impl From<TypeId> for u32 {
    fn from(id: TypeId) -> Self {
        id.0
    }
}

impl fmt::Display for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Types of the kernel, a module, an object or a program. Clones are the same.
///
/// ```no_run
/// use wasm_bpf_guest::btf::{Btf, Struct};
///
/// # fn run() -> wasm_bpf_guest::Result<()> {
/// let kernel = Btf::from_vmlinux()?;
/// let task: Struct = kernel.type_by_name("task_struct").expect("every kernel has it");
/// let pid = task.member("pid").expect("and its processes have numbers");
/// println!("at byte {} of {}", pid.bit_offset / 8, task.size());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Btf {
    handle: Rc<btf::Btf>,
}

impl Btf {
    pub(crate) fn new(handle: btf::Btf) -> Self {
        Self {
            handle: Rc::new(handle),
        }
    }

    /// The types of the running kernel, or what the operator gave in their place.
    pub fn from_vmlinux() -> Result<Self> {
        Ok(Self::new(btf::Btf::kernel()?))
    }

    /// The types of a kernel module that is loaded now, which continue those of the kernel.
    pub fn from_module(name: &str) -> Result<Self> {
        Ok(Self::new(btf::Btf::module(name)?))
    }

    /// The types of an object; none if it has none.
    pub fn from_bpf_object(object: &Object) -> Result<Option<Self>> {
        Ok(btf::Btf::of_object(object.handle())?.map(Self::new))
    }

    /// The types that the kernel has with a program; none if it was loaded without.
    pub fn from_program(program: &Program) -> Result<Option<Self>> {
        Ok(btf::Btf::of_program(program.handle()?)?.map(Self::new))
    }

    /// The types of the program of an id; the host must have been given the grant `query`.
    pub fn from_prog_id(id: u32) -> Result<Self> {
        let missing = |what: &str| Error::of_code(ErrorKind::NotFound, what);
        let found = crate::query::program(id)?
            .ok_or_else(|| missing(&format!("there is no program of id {id}")))?;
        if found.btf_id == 0 {
            return Err(missing(&format!("the program of id {id} has no BTF")));
        }
        Self::from_id(found.btf_id)
    }

    /// The BTF of an id; the host must have been given the grant `query`.
    pub fn from_id(id: u32) -> Result<Self> {
        Ok(Self::new(crate::bindings::query::open_btf(id)?))
    }

    /// Types from bytes: the content of a section `.BTF`.
    pub fn from_bytes(data: &[u8]) -> Result<Self> {
        Ok(Self::new(btf::Btf::parse(data)?))
    }

    /// One more than the highest id.
    pub fn len(&self) -> usize {
        self.handle.type_count() as usize
    }

    /// Whether there are no types but `void`.
    pub fn is_empty(&self) -> bool {
        self.len() <= 1
    }

    /// The lowest id of its own: 1, or where the types end that it continues.
    pub fn first_id(&self) -> TypeId {
        TypeId(self.handle.first_id())
    }

    /// Bytes of a pointer.
    pub fn ptr_size(&self) -> u32 {
        self.handle.pointer_size()
    }

    /// A type by its name. `K` says which kind it has to be; [`BtfType`] is any.
    pub fn type_by_name<K: FromBtf>(&self, name: &str) -> Option<K> {
        K::KINDS
            .iter()
            .filter_map(|kind| self.handle.find(name, *kind))
            .min()
            .and_then(|id| self.type_by_id(TypeId(id)))
    }

    /// A type by its id.
    pub fn type_by_id<K: FromBtf>(&self, id: TypeId) -> Option<K> {
        K::from_btf(self.describe(id)?)
    }

    fn describe(&self, id: TypeId) -> Option<BtfType> {
        Some(BtfType {
            info: self.handle.describe(id.0)?,
            source: self.clone(),
        })
    }

    /// All types of a kind, in the order of their ids, those that it continues among them.
    pub fn type_by_kind<K: FromBtf>(&self) -> impl Iterator<Item = K> {
        self.types_from(TypeId(1)).filter_map(K::from_btf)
    }

    /// All types from an id on, fetched many at a time.
    pub fn types_from(&self, first: TypeId) -> impl Iterator<Item = BtfType> {
        const PAGE: u32 = 1024;
        let source = self.clone();
        let mut page = Vec::new().into_iter();
        let mut next = first.0;
        std::iter::from_fn(move || {
            if page.len() == 0 {
                page = source.handle.describe_many(next, PAGE).into_iter();
                next = next.saturating_add(page.len() as u32);
            }
            Some(BtfType {
                info: page.next()?,
                source: source.clone(),
            })
        })
    }

    /// The string at an offset of the string section.
    pub fn string_at(&self, offset: u32) -> Option<String> {
        self.handle.string_at(offset)
    }

    /// All bytes as the kernel or the compiler wrote them; of a module its own.
    pub fn raw_data(&self) -> Vec<u8> {
        let mut data = Vec::with_capacity(self.handle.raw_size() as usize);
        loop {
            let part = self.handle.raw_data(data.len() as u32, u32::MAX);
            if part.is_empty() {
                return data;
            }
            data.extend(part);
        }
    }
}

/// A type of any kind.
#[derive(Clone)]
pub struct BtfType {
    info: TypeInfo,
    source: Btf,
}

impl fmt::Debug for BtfType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info.fmt(f)
    }
}

impl BtfType {
    /// The id.
    pub fn type_id(&self) -> TypeId {
        TypeId(self.info.id)
    }

    /// The name; none if it has none.
    pub fn name(&self) -> Option<&str> {
        Some(self.info.name.as_str()).filter(|name| !name.is_empty())
    }

    /// The kind.
    pub fn kind(&self) -> BtfKind {
        self.info.kind
    }

    /// All that is said of it.
    pub fn info(&self) -> &TypeInfo {
        &self.info
    }

    /// Bytes that a value takes, through typedefs, modifiers and arrays.
    pub fn resolved_size(&self) -> Result<u32> {
        let size = self.source.handle.resolve_size(self.info.id);
        size.map_err(|code| self.failed("ask the size", code))
    }

    /// The alignment of a value.
    pub fn alignment(&self) -> Result<u32> {
        let align = self.source.handle.align_of(self.info.id);
        align.map_err(|code| self.failed("ask the alignment", code))
    }

    /// The type behind typedefs and modifiers.
    pub fn skip_mods_and_typedefs(&self) -> Result<Self> {
        let id = self.source.handle.resolve_type(self.info.id);
        let id = id.map_err(|code| self.failed("ask what is behind", code))?;
        let missing = || self.failed("ask what is behind", ErrorKind::NotFound);
        self.source.describe(TypeId(id)).ok_or_else(missing)
    }

    /// The type that it refers to: what a pointer points to, elements of an array, what a prototype returns. None for kinds that refer to none.
    pub fn next_type(&self) -> Option<Self> {
        if matches!(
            self.info.kind,
            BtfKind::Int
                | BtfKind::Float
                | BtfKind::Struct
                | BtfKind::Union
                | BtfKind::Enum
                | BtfKind::Enum64
                | BtfKind::DataSec
                | BtfKind::Fwd
                | BtfKind::Void
        ) {
            return None;
        }
        self.source.describe(TypeId(self.info.refers_to))
    }

    fn failed(&self, what: &str, code: ErrorKind) -> Error {
        let text = format!(
            "cannot {what} of the type {} `{}`: {}",
            self.info.id,
            self.info.name,
            words(code)
        );
        Error::of_code(code, text)
    }
}

/// What [`Btf::type_by_name`] and its relatives can return.
pub trait FromBtf: Sized {
    /// The kinds that it is made of; `None` is any.
    const KINDS: &'static [Option<BtfKind>];

    /// None if the type is of another kind.
    fn from_btf(found: BtfType) -> Option<Self>;
}

impl FromBtf for BtfType {
    const KINDS: &'static [Option<BtfKind>] = &[None];

    fn from_btf(found: BtfType) -> Option<Self> {
        Some(found)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident: $($kind:ident)|+;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub struct $name(BtfType);

            impl FromBtf for $name {
                const KINDS: &'static [Option<BtfKind>] = &[$(Some(BtfKind::$kind)),+];

                fn from_btf(found: BtfType) -> Option<Self> {
                    matches!(found.kind(), $(BtfKind::$kind)|+).then_some(Self(found))
                }
            }

            impl std::ops::Deref for $name {
                type Target = BtfType;

                fn deref(&self) -> &BtfType {
                    &self.0
                }
            }
        )*
    };
}

kinds! {
    /// An integer.
    Int: Int;
    /// A pointer.
    Ptr: Ptr;
    /// An array.
    Array: Array;
    /// A structure.
    Struct: Struct;
    /// A union.
    Union: Union;
    /// A structure or a union.
    Composite: Struct | Union;
    /// An enumeration of 32 bits.
    Enum: Enum;
    /// An enumeration of 64 bits.
    Enum64: Enum64;
    /// An enumeration of either size.
    AnyEnum: Enum | Enum64;
    /// A structure or union that is named and not described.
    Fwd: Fwd;
    /// A typedef.
    Typedef: Typedef;
    /// A function.
    Func: Func;
    /// What a function takes and returns.
    FuncProto: FuncProto;
    /// A variable.
    Var: Var;
    /// A section of data.
    DataSec: DataSec;
    /// A floating-point number.
    Float: Float;
}

macro_rules! sized {
    ($($name:ident)*) => {
        $(impl $name {
            /// Bytes.
            pub fn size(&self) -> u32 {
                self.info.size
            }
        })*
    };
}

sized!(Int Struct Union Composite Enum Enum64 AnyEnum DataSec Float);

macro_rules! with_members {
    ($($name:ident)*) => {
        $(impl $name {
            /// The members, in the order of the source.
            pub fn members(&self) -> &[StructMember] {
                match &self.info.details {
                    TypeDetails::Members(members) => members,
                    _ => &[],
                }
            }

            /// A member by its name.
            pub fn member(&self, name: &str) -> Option<&StructMember> {
                self.members().iter().find(|member| member.name == name)
            }
        })*
    };
}

with_members!(Struct Union Composite);

macro_rules! with_values {
    ($($name:ident)*) => {
        $(impl $name {
            /// Whether its values are signed.
            pub fn is_signed(&self) -> bool {
                matches!(&self.info.details, TypeDetails::Enumeration(all) if all.signed)
            }

            /// The values, in the order of the source.
            pub fn values(&self) -> &[EnumMember] {
                match &self.info.details {
                    TypeDetails::Enumeration(all) => &all.values,
                    _ => &[],
                }
            }

            /// A value by its name.
            pub fn value(&self, name: &str) -> Option<i64> {
                let mut values = self.values().iter();
                values.find(|known| known.name == name).map(|known| known.value)
            }
        })*
    };
}

with_values!(Enum Enum64 AnyEnum);

impl Int {
    /// How it is kept.
    pub fn encoding(&self) -> Option<IntEncoding> {
        match self.info.details {
            TypeDetails::Int(encoding) => Some(encoding),
            _ => None,
        }
    }
}

impl Array {
    /// How many elements it has.
    pub fn capacity(&self) -> usize {
        match self.info.details {
            TypeDetails::Array(shape) => shape.count as usize,
            _ => 0,
        }
    }
}

impl FuncProto {
    /// What the function takes.
    pub fn parameters(&self) -> &[Parameter] {
        match &self.info.details {
            TypeDetails::Parameters(parameters) => parameters,
            _ => &[],
        }
    }
}

impl DataSec {
    /// The variables in it.
    pub fn variables(&self) -> &[DataSecVarInfo] {
        match &self.info.details {
            TypeDetails::Variables(variables) => variables,
            _ => &[],
        }
    }
}
