//! The Rust types that have the layout of C types.
//!
//! BPF is a 64-bit target and a guest is a 32-bit one, so nothing here is left to the compiler: pointers and `long` are
//! 64-bit integers, and each gap is a member. The Rust alignment of a type can only be smaller than that of C, which
//! does no harm to data that is copied.

use std::collections::{BTreeMap, HashMap};

use crate::btf::{Id, Kind, Member, Types};
use crate::names::{self, Scope};

/// A definition to be written, in the order in which they were asked for.
#[derive(Debug)]
pub(crate) enum Item {
    Struct(Struct),
    Union(Union),
    Enum(Enum),
}

/// A struct, or the variables of a section.
#[derive(Debug)]
pub(crate) struct Struct {
    pub name: String,
    /// How C calls it.
    pub c_name: String,
    pub size: u64,
    pub packed: bool,
    pub fields: Vec<Field>,
    pub bit_fields: Vec<BitField>,
    /// The size of the section whose variables these are, without the padding at the end.
    pub section: Option<(String, u64)>,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub name: String,
    pub ty: String,
    /// The type as it is written outside of the module of types.
    pub path: String,
    pub offset: u64,
    pub role: Role,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A member of the C type, with its name there.
    Member(String),
    /// The bytes of a run of bit-fields.
    Bits,
    Padding,
}

/// A bit-field, which is read and written through methods.
#[derive(Debug)]
pub(crate) struct BitField {
    pub name: String,
    pub ty: String,
    pub value: BitValue,
    /// The field that has its bytes, and the first bit in them.
    pub storage: String,
    pub start: u64,
    pub width: u64,
}

/// What a bit-field's bits mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BitValue {
    Unsigned,
    Signed,
    Bool,
    /// An enumeration over a signed or unsigned integer.
    Enum {
        signed: bool,
    },
}

#[derive(Debug)]
pub(crate) struct Union {
    pub name: String,
    pub c_name: String,
    pub size: u64,
    /// The size of one element of the storage, which gives it the alignment.
    pub unit: u64,
    /// The members as text.
    pub members: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Enum {
    pub name: String,
    pub c_name: String,
    pub size: u64,
    pub signed: bool,
    pub values: Vec<(String, i128)>,
}

/// The Rust type of a section of global variables.
#[derive(Debug)]
pub(crate) struct Section {
    /// The name in the object, as in `.rodata.cfg`.
    pub section: String,
    /// The name of the skeleton's field.
    pub field: String,
    /// The name of the type.
    pub ty: String,
    /// What the name of the type of its live variables ends with.
    pub suffix: String,
    /// Whether only loading sets its variables.
    pub constant: bool,
    /// Whether they can be set before that. libbpf fills `.kconfig` from the kernel's configuration.
    pub settable: bool,
    pub variables: Vec<Variable>,
}

/// A global variable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// The name of its field in the type of the section.
    pub name: String,
    /// Its type as it is written outside of the module of types.
    pub ty: String,
    pub offset: u64,
}

/// The type of the guest crate that knows the keys and values of a map.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrapper {
    pub name: &'static str,
    /// Its parameters as they are written outside of the module of types.
    pub parameters: Vec<String>,
}

/// What cannot be written as a Rust type.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unsupported {
    pub item: String,
    pub reason: String,
}

type Result<T> = std::result::Result<T, Unsupported>;

/// How a type is written, and the room that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shape {
    text: String,
    /// The same outside of the module of types.
    path: String,
    size: u64,
    align: u64,
}

impl Shape {
    /// A type that Rust has.
    fn new(text: impl Into<String>, size: u64, align: u64) -> Self {
        let text = text.into();
        Self {
            path: text.clone(),
            text,
            size,
            align,
        }
    }

    /// A type that is defined here.
    fn defined(name: String, size: u64, align: u64) -> Self {
        Self {
            path: format!("types::{name}"),
            text: name,
            size,
            align,
        }
    }
}

/// Collects the definitions of one object.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    types: &'a Types,
    /// The names that typedefs give to types which have none.
    aliases: HashMap<Id, &'a str>,
    scope: Scope,
    /// The names of sections in the skeleton.
    sections: Scope,
    shapes: BTreeMap<Id, Shape>,
    anonymous: HashMap<String, usize>,
    items: Vec<Item>,
}

/// The inside of a struct so far.
#[derive(Debug, Default)]
struct Body {
    fields: Vec<Field>,
    bit_fields: Vec<BitField>,
    scope: Scope,
    end: u64,
    align: u64,
    misaligned: bool,
    paddings: usize,
}

/// A run of bit-fields whose bytes are not collected yet.
struct Run<'a> {
    start: u64,
    end: u64,
    members: Vec<&'a Member>,
}

impl<'a> Layout<'a> {
    pub(crate) fn new(types: &'a Types) -> Self {
        let mut aliases = HashMap::new();
        for (_, ty) in types.iter() {
            let (Kind::Typedef(target), Some(name)) = (&ty.kind, &ty.name) else {
                continue;
            };
            let mut target = *target;
            while let Kind::Modifier(next) = types.get(target).kind {
                target = next;
            }
            if types.get(target).name.is_none() {
                aliases.entry(target).or_insert(name.as_str());
            }
        }
        Self {
            types,
            aliases,
            scope: Scope::default(),
            sections: Scope::default(),
            shapes: BTreeMap::new(),
            anonymous: HashMap::new(),
            items: Vec::new(),
        }
    }

    pub(crate) fn into_items(self) -> Vec<Item> {
        self.items
    }

    /// Defines the types of keys and values that the map definitions name, and gives the wrappers of the maps for which
    /// there is one.
    pub(crate) fn define_map_types(&mut self) -> Result<HashMap<String, Wrapper>> {
        let mut wrappers = HashMap::new();
        for (name, ty, _) in self.variables(".maps") {
            if let Some(wrapper) = self.define_map(ty, &name)? {
                wrappers.insert(name, wrapper);
            }
        }
        Ok(wrappers)
    }

    fn define_map(&mut self, definition: Id, owner: &str) -> Result<Option<Wrapper>> {
        let types = self.types;
        let Kind::Composite { members, .. } = &types.get(types.resolve(definition)).kind else {
            return Ok(None);
        };
        let mut number = None;
        let mut parts = HashMap::new();
        for member in members {
            match member.name.as_deref() {
                Some("type") => number = self.number(member.ty),
                // `__type(key, T)` declares a pointer to T.
                Some(part @ ("key" | "value")) => {
                    let owner = format!("{owner}_{part}");
                    self.reach(member.ty, &owner)?;
                    if let Some(path) = self.declared(member.ty, &owner) {
                        parts.insert(part, path);
                    }
                }
                // `__array(values, T)` declares an array of pointers to T, which for a map of maps is the definition of
                // an inner map.
                Some("values") => {
                    let inner = self.pointee(member.ty);
                    self.define_map(inner, &format!("{owner}_values"))?;
                }
                _ => {}
            }
        }
        let (key, value) = (parts.remove("key"), parts.remove("value"));
        Ok(number.and_then(|number| wrapper(number, key, value)))
    }

    /// The number that `__uint(name, N)` declares: as a pointer to an array of N elements.
    fn number(&self, id: Id) -> Option<u64> {
        let Kind::Pointer(array) = self.types.get(self.types.resolve(id)).kind else {
            return None;
        };
        match self.types.get(self.types.resolve(array)).kind {
            Kind::Array { length, .. } => Some(length),
            _ => None,
        }
    }

    /// The type of a map's key or value, which is behind a pointer, as it is written outside of the module of types.
    fn declared(&mut self, id: Id, owner: &str) -> Option<String> {
        let Kind::Pointer(target) = self.types.get(self.types.resolve(id)).kind else {
            return None;
        };
        // Structs, unions and enums are defined by now. What else has no counterpart in Rust is used as bytes.
        let shape = self.shape(target, owner, owner).ok()?;
        (shape.size > 0).then_some(shape.path)
    }

    /// Defines the types of the variables of a section, without the section itself.
    pub(crate) fn define_variable_types(&mut self, section: &str) -> Result<()> {
        let owner = section_field(section);
        for (_, ty, _) in self.variables(section) {
            self.reach(ty, &owner)?;
        }
        Ok(())
    }

    /// Defines the struct of a section's variables. The types of all variables shall be defined before, as a C type
    /// keeps its name where the two would have the same.
    pub(crate) fn define_section(&mut self, section: &str) -> Result<Section> {
        let field = section_field(section);
        let variables = self.variables(section);
        let size = self.section_size(section);
        let name = if self.scope.has(&field) {
            self.scope.claim(format!("{field}_section"))
        } else {
            self.scope.claim(field.clone())
        };
        let members: Vec<Member> = variables
            .into_iter()
            .map(|(name, ty, offset)| Member {
                name: Some(name),
                ty,
                bit_offset: offset * 8,
                bits: None,
            })
            .collect();
        let c_name = format!("section {section}");
        let mut body = self.body(&members, &name, &c_name)?;
        let variables = body
            .fields
            .iter()
            .filter(|field| matches!(field.role, Role::Member(_)))
            .map(|field| Variable {
                name: field.name.clone(),
                ty: field.path.clone(),
                offset: field.offset,
            })
            .collect();
        let packed = body.misaligned;
        // A section ends with its last variable. Making it a packed struct for that would forbid to borrow its members.
        let padded = if packed {
            size
        } else {
            size.next_multiple_of(body.align.max(1))
        };
        body.pad(padded);
        self.items.push(Item::Struct(Struct {
            name: name.clone(),
            c_name,
            size: padded,
            packed,
            fields: body.fields,
            bit_fields: body.bit_fields,
            section: Some((section.to_owned(), size)),
        }));
        Ok(Section {
            section: section.to_owned(),
            suffix: self.sections.claim(names::camel_case(&field)),
            field: self.sections.claim(names::identifier(&field)),
            ty: name,
            constant: section.starts_with(".rodata") || section == ".kconfig",
            settable: section != ".kconfig",
            variables,
        })
    }

    /// The names, types and offsets of a section's variables in the order of their offsets.
    fn variables(&self, section: &str) -> Vec<(String, Id, u64)> {
        let mut variables: Vec<_> = self
            .types
            .iter()
            .filter(|(_, ty)| ty.name.as_deref() == Some(section))
            .filter_map(|(_, ty)| match &ty.kind {
                Kind::Section { variables, .. } => Some(variables),
                _ => None,
            })
            .flatten()
            .filter_map(|entry| {
                let variable = self.types.get(entry.variable);
                match variable.kind {
                    // A declaration has no room in this object.
                    Kind::Variable { external: true, .. } => None,
                    Kind::Variable { ty, .. } => {
                        Some((variable.name.clone().unwrap_or_default(), ty, entry.offset))
                    }
                    _ => None,
                }
            })
            .collect();
        variables.sort_by_key(|(_, _, offset)| *offset);
        variables
    }

    fn section_size(&self, section: &str) -> u64 {
        self.types
            .iter()
            .filter(|(_, ty)| ty.name.as_deref() == Some(section))
            .find_map(|(_, ty)| match ty.kind {
                Kind::Section { size, .. } => Some(size),
                _ => None,
            })
            .unwrap_or(0)
    }

    /// What is behind the pointers and arrays of a type.
    fn pointee(&self, mut id: Id) -> Id {
        loop {
            id = self.types.resolve(id);
            match self.types.get(id).kind {
                Kind::Pointer(target)
                | Kind::Array {
                    element: target, ..
                } => id = target,
                _ => return id,
            }
        }
    }

    /// Defines a type and, where it is a pointer, what it points to: a variable that is a pointer to a struct is how
    /// a BPF source makes its compiler keep the struct.
    ///
    /// Pointers inside structs are not followed. They are addresses in the kernel, and behind them is most of it.
    fn reach(&mut self, id: Id, owner: &str) -> Result<()> {
        let id = self.pointee(id);
        match self.types.get(id).kind {
            Kind::Composite { .. } | Kind::Enum { .. } => self.shape(id, owner, owner).map(drop),
            _ => Ok(()),
        }
    }

    /// The Rust type of a C type; `owner` is the Rust name of what it is found in, and `item` says where for errors.
    fn shape(&mut self, id: Id, owner: &str, item: &str) -> Result<Shape> {
        let id = self.types.resolve(id);
        if let Some(shape) = self.shapes.get(&id) {
            return Ok(shape.clone());
        }
        let types = self.types;
        let ty = types.get(id);
        let unsupported = |reason: String| Unsupported {
            item: item.to_owned(),
            reason,
        };
        match &ty.kind {
            // Text is bytes in Rust, whether or not C's plain char is signed.
            Kind::Int { size: 1, .. } if ty.name.as_deref() == Some("char") => {
                Ok(Shape::new("u8", 1, 1))
            }
            // Rust's bool must be 0 or 1, and a byte that BPF wrote can be anything.
            Kind::Int {
                size,
                boolean: true,
                ..
            } => Ok(integer(*size, false)),
            Kind::Int { size, signed, .. } => match size {
                1 | 2 | 4 | 8 => Ok(integer(*size, *signed)),
                16 => Ok(Shape::new("[u64; 2]", 16, 8)),
                _ => Err(unsupported(format!("it is an integer of {size} bytes"))),
            },
            Kind::Float { size } => match size {
                4 => Ok(Shape::new("f32", 4, 4)),
                8 => Ok(Shape::new("f64", 8, 8)),
                16 => Ok(Shape::new("[u64; 2]", 16, 8)),
                _ => Ok(Shape::new(format!("[u8; {size}]"), *size, 1)),
            },
            Kind::Pointer(_) => Ok(Shape::new("u64", 8, 8)),
            Kind::Array { element, length } => {
                let element = self.shape(*element, owner, item)?;
                let size = element
                    .size
                    .checked_mul(*length)
                    .ok_or_else(|| unsupported("it is larger than memory".into()))?;
                Ok(Shape {
                    text: format!("[{}; {length}]", element.text),
                    path: format!("[{}; {length}]", element.path),
                    size,
                    align: element.align,
                })
            }
            Kind::Composite { .. } | Kind::Enum { .. } => {
                let shape = self.define(id, owner)?;
                self.shapes.insert(id, shape.clone());
                Ok(shape)
            }
            Kind::Typedef(_)
            | Kind::Modifier(_)
            | Kind::Variable { .. }
            | Kind::Section { .. }
            | Kind::Other => Err(unsupported("its type is incomplete".into())),
        }
    }

    fn define(&mut self, id: Id, owner: &str) -> Result<Shape> {
        let types = self.types;
        let ty = types.get(id);
        let keyword = match ty.kind {
            Kind::Composite { union: true, .. } => "union",
            Kind::Composite { .. } => "struct",
            _ => "enum",
        };
        let (base, c_name) = match (&ty.name, self.aliases.get(&id)) {
            (Some(name), _) => (name.clone(), format!("{keyword} {name}")),
            (None, Some(alias)) => ((*alias).to_owned(), (*alias).to_owned()),
            (None, None) => {
                let owner = owner.trim_start_matches("r#");
                let count = self.anonymous.entry(owner.to_owned()).or_default();
                let name = format!("{owner}_anon_{count}");
                *count += 1;
                (name, format!("{keyword} without a name in {owner}"))
            }
        };
        let name = self.scope.claim(names::type_identifier(&base));
        match &ty.kind {
            Kind::Composite {
                union: true,
                size,
                members,
            } => self.define_union(name, c_name, *size, members),
            Kind::Composite { size, members, .. } => {
                self.define_struct(name, c_name, *size, members)
            }
            Kind::Enum {
                size,
                signed,
                values,
            } => {
                let shape = integer(*size, *signed);
                let mut scope = Scope::default();
                self.items.push(Item::Enum(Enum {
                    name: name.clone(),
                    c_name,
                    size: *size,
                    signed: *signed,
                    values: values
                        .iter()
                        .map(|(name, value)| (scope.claim(names::identifier(name)), *value))
                        .collect(),
                }));
                Ok(Shape::defined(name, shape.size, shape.align))
            }
            _ => Err(Unsupported {
                item: c_name,
                reason: "it is no data type".into(),
            }),
        }
    }

    fn define_struct(
        &mut self,
        name: String,
        c_name: String,
        size: u64,
        members: &[Member],
    ) -> Result<Shape> {
        // The definition comes before those of the types that it contains, as a reader expects it.
        let place = self.items.len();
        let mut body = self.body(members, &name, &c_name)?;
        if body.end > size {
            return Err(Unsupported {
                item: c_name,
                reason: format!("its members take {} bytes, but it has {size}", body.end),
            });
        }
        body.pad(size);
        let align = body.align.max(1);
        let packed = body.misaligned || !size.is_multiple_of(align);
        self.items.insert(
            place,
            Item::Struct(Struct {
                name: name.clone(),
                c_name,
                size,
                packed,
                fields: body.fields,
                bit_fields: body.bit_fields,
                section: None,
            }),
        );
        Ok(Shape::defined(name, size, if packed { 1 } else { align }))
    }

    fn define_union(
        &mut self,
        name: String,
        c_name: String,
        size: u64,
        members: &[Member],
    ) -> Result<Shape> {
        let place = self.items.len();
        let mut align = 1;
        let mut texts = Vec::new();
        for member in members {
            let member_name = member.name.as_deref().unwrap_or("(no name)");
            let shape = self.shape(member.ty, &name, &format!("{member_name} of {c_name}"))?;
            align = align.max(shape.align);
            texts.push(match member.bits {
                Some(bits) => format!("{member_name}: {} ({bits} bits)", shape.text),
                None => format!("{member_name}: {}", shape.text),
            });
        }
        let unit = [8, 4, 2]
            .into_iter()
            .find(|unit| *unit <= align && size.is_multiple_of(*unit))
            .unwrap_or(1);
        self.items.insert(
            place,
            Item::Union(Union {
                name: name.clone(),
                c_name,
                size,
                unit,
                members: texts,
            }),
        );
        Ok(Shape::defined(name, size, unit))
    }

    /// Lays out members in the order of their offsets, with each gap filled but the one at the end.
    fn body(&mut self, members: &[Member], name: &str, c_name: &str) -> Result<Body> {
        let mut body = Body::default();
        // The names of C come first; made-up ones give way.
        let named: Vec<Option<String>> = members
            .iter()
            .map(|member| {
                let name = member.name.as_deref()?;
                Some(body.scope.claim(names::identifier(name)))
            })
            .collect();
        let mut run: Option<Run<'_>> = None;
        let mut run_names = Vec::new();
        for (member, rust_name) in members.iter().zip(named) {
            let in_c = member.name.as_deref().unwrap_or("a member without a name");
            let item = format!("{in_c} of {c_name}");
            if let Some(bits) = member.bits {
                let start = member.bit_offset / 8;
                let end = (member.bit_offset + bits).div_ceil(8);
                match &mut run {
                    Some(run) if start <= run.end => {
                        run.end = run.end.max(end);
                        run.members.push(member);
                    }
                    _ => {
                        self.finish_run(&mut body, run.take(), &mut run_names, name, c_name)?;
                        run = Some(Run {
                            start,
                            end,
                            members: vec![member],
                        });
                    }
                }
                run_names.push(rust_name);
                continue;
            }
            self.finish_run(&mut body, run.take(), &mut run_names, name, c_name)?;
            if !member.bit_offset.is_multiple_of(8) {
                return Err(Unsupported {
                    item,
                    reason: "it begins inside a byte".into(),
                });
            }
            let offset = member.bit_offset / 8;
            let shape = self.shape(member.ty, name, &item)?;
            if offset < body.end {
                return Err(Unsupported {
                    item,
                    reason: "it overlaps the member before it".into(),
                });
            }
            body.pad(offset);
            let rust_name = rust_name.unwrap_or_else(|| body.numbered("anon_"));
            body.push(rust_name, shape, offset, Role::Member(in_c.to_owned()));
        }
        self.finish_run(&mut body, run.take(), &mut run_names, name, c_name)?;
        Ok(body)
    }

    /// Adds the bytes of a run of bit-fields, and its bit-fields.
    fn finish_run(
        &mut self,
        body: &mut Body,
        run: Option<Run<'_>>,
        run_names: &mut Vec<Option<String>>,
        owner: &str,
        c_name: &str,
    ) -> Result<()> {
        let Some(run) = run else {
            return Ok(());
        };
        if run.start < body.end {
            return Err(Unsupported {
                item: c_name.to_owned(),
                reason: "a bit-field overlaps the member before it".into(),
            });
        }
        body.pad(run.start);
        let storage = body.scope.claim(format!("bitfield_{}", run.start));
        let size = run.end - run.start;
        body.push(
            storage.clone(),
            Shape::new(format!("[u8; {size}]"), size, 1),
            run.start,
            Role::Bits,
        );
        for (member, name) in run.members.into_iter().zip(run_names.drain(..)) {
            let (Some(name), Some(width)) = (name, member.bits) else {
                continue;
            };
            let shape = self.shape(member.ty, owner, c_name)?;
            let value = match self.types.get(self.types.resolve(member.ty)).kind {
                Kind::Int { boolean: true, .. } => BitValue::Bool,
                Kind::Int { signed: true, .. } => BitValue::Signed,
                Kind::Enum { signed, .. } => BitValue::Enum { signed },
                _ => BitValue::Unsigned,
            };
            // Wider than any integer here; the bytes are still there.
            if width > 64 {
                continue;
            }
            body.bit_fields.push(BitField {
                name,
                ty: if value == BitValue::Bool {
                    "bool".into()
                } else if shape.size > 8 {
                    "u64".into()
                } else {
                    shape.text
                },
                value,
                storage: storage.clone(),
                start: member.bit_offset - run.start * 8,
                width,
            });
        }
        Ok(())
    }
}

impl Body {
    fn push(&mut self, name: String, shape: Shape, offset: u64, role: Role) {
        self.align = self.align.max(shape.align);
        self.misaligned |= !offset.is_multiple_of(shape.align);
        self.end = offset + shape.size;
        self.fields.push(Field {
            name,
            ty: shape.text,
            path: shape.path,
            offset,
            role,
        });
    }

    /// Fills up to an offset.
    fn pad(&mut self, to: u64) {
        let Some(size) = to.checked_sub(self.end).filter(|size| *size > 0) else {
            return;
        };
        let name = self.scope.claim(format!("_pad{}", self.paddings));
        self.paddings += 1;
        let shape = Shape::new(format!("[u8; {size}]"), size, 1);
        self.push(name, shape, self.end, Role::Padding);
    }

    fn numbered(&mut self, prefix: &str) -> String {
        let name = (0..)
            .map(|n| format!("{prefix}{n}"))
            .find(|name| !self.scope.has(name))
            .unwrap_or_default();
        self.scope.claim(name)
    }
}

/// The name of a section as a field of the skeleton, before keywords are taken care of.
fn section_field(section: &str) -> String {
    names::plain(section.trim_start_matches('.'))
}

/// The wrapper of a map by its type's number in the kernel.
fn wrapper(number: u64, key: Option<String>, value: Option<String>) -> Option<Wrapper> {
    const HASH: u64 = 1;
    const ARRAY: u64 = 2;
    const PERCPU_HASH: u64 = 5;
    const PERCPU_ARRAY: u64 = 6;
    const LRU_HASH: u64 = 9;
    const LRU_PERCPU_HASH: u64 = 10;
    const LPM_TRIE: u64 = 11;
    const QUEUE: u64 = 22;
    const STACK: u64 = 23;
    const BLOOM_FILTER: u64 = 30;
    let (name, parameters) = match number {
        HASH | ARRAY | LRU_HASH | LPM_TRIE => ("TypedMap", vec![key?, value?]),
        PERCPU_HASH | PERCPU_ARRAY | LRU_PERCPU_HASH => ("PerCpuMap", vec![key?, value?]),
        QUEUE | STACK => ("Queue", vec![value?]),
        BLOOM_FILTER => ("BloomFilter", vec![value?]),
        _ => return None,
    };
    Some(Wrapper { name, parameters })
}

/// The name of an integer type.
pub(crate) fn integer_name(size: u64, signed: bool) -> String {
    format!("{}{}", if signed { 'i' } else { 'u' }, size * 8)
}

fn integer(size: u64, signed: bool) -> Shape {
    Shape::new(integer_name(size, signed), size, size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::btf::{SectionEntry, Type};

    fn ty(name: impl Into<Option<&'static str>>, kind: Kind) -> Type {
        Type {
            name: name.into().map(String::from),
            kind,
        }
    }

    fn int(name: &'static str, size: u64, signed: bool) -> Type {
        let kind = Kind::Int {
            size,
            signed,
            boolean: false,
        };
        ty(name, kind)
    }

    fn composite(
        name: impl Into<Option<&'static str>>,
        union: bool,
        size: u64,
        members: &[(&str, u32, u64)],
    ) -> Type {
        let members = members
            .iter()
            .map(|(name, id, offset)| Member {
                name: (!name.is_empty()).then(|| (*name).to_owned()),
                ty: Id(*id),
                bit_offset: offset * 8,
                bits: None,
            })
            .collect();
        let kind = Kind::Composite {
            union,
            size,
            members,
        };
        ty(name, kind)
    }

    /// Types 1 to 4 are integers; the others follow.
    fn types(more: impl IntoIterator<Item = Type>) -> Types {
        let integers = [
            int("int", 4, true),
            int("long", 8, true),
            int("char", 1, true),
            int("signed char", 1, true),
        ];
        integers.into_iter().chain(more).collect()
    }

    /// The struct that type 5 becomes.
    fn define(types: &Types) -> Result<(Struct, Vec<Item>)> {
        let mut layout = Layout::new(types);
        layout.shape(Id(5), "owner", "a variable")?;
        let mut items = layout.into_items();
        match items.remove(0) {
            Item::Struct(first) => Ok((first, items)),
            other => panic!("{other:?} is no struct"),
        }
    }

    fn fields(item: &Struct) -> Vec<(&str, &str, u64)> {
        item.fields
            .iter()
            .map(|field| (field.name.as_str(), field.ty.as_str(), field.offset))
            .collect()
    }

    #[test]
    fn gaps_become_members() {
        let types = types([composite(
            "s",
            false,
            24,
            &[("a", 3, 0), ("b", 2, 8), ("c", 4, 16)],
        )]);
        let (s, _) = define(&types).unwrap();
        let expected = [
            ("a", "u8", 0),
            ("_pad0", "[u8; 7]", 1),
            ("b", "i64", 8),
            ("c", "i8", 16),
            ("_pad1", "[u8; 7]", 17),
        ];
        assert_eq!(fields(&s), expected);
        assert!(!s.packed);
    }

    #[test]
    fn packed_structs_are_told_by_their_offsets_and_size() {
        let by_offset = types([composite(
            "s",
            false,
            6,
            &[("a", 3, 0), ("b", 1, 1), ("c", 3, 5)],
        )]);
        assert!(define(&by_offset).unwrap().0.packed);
        let by_size = types([composite("s", false, 9, &[("a", 2, 0), ("b", 3, 8)])]);
        assert!(define(&by_size).unwrap().0.packed);
        // One that contains a packed struct is not packed itself.
        let outer = types([
            composite("s", false, 16, &[("a", 6, 0), ("b", 1, 12)]),
            composite("p", false, 9, &[("a", 2, 0), ("b", 3, 8)]),
        ]);
        let (s, _) = define(&outer).unwrap();
        assert!(!s.packed);
        assert_eq!(fields(&s)[1], ("_pad0", "[u8; 3]", 9));
    }

    #[test]
    fn types_without_a_name_are_named_after_a_typedef_or_what_they_are_in() {
        let types = types([
            composite(
                "s",
                false,
                16,
                &[("", 6, 0), ("x", 7, 4), ("anon_0", 1, 8), ("y", 8, 12)],
            ),
            composite(None, true, 4, &[("a", 1, 0)]),
            composite(None, false, 4, &[("a", 1, 0)]),
            ty("y_t", Kind::Typedef(Id(9))),
            composite(None, false, 4, &[("a", 1, 0)]),
        ]);
        let (s, items) = define(&types).unwrap();
        let expected = [
            ("anon_1", "s_anon_0", 0),
            ("x", "s_anon_1", 4),
            ("anon_0", "i32", 8),
            ("y", "y_t", 12),
        ];
        assert_eq!(fields(&s), expected);
        assert!(matches!(&items[0], Item::Union(union) if union.unit == 4 && union.size == 4));
    }

    #[test]
    fn structs_of_the_same_name_are_told_apart() {
        let types = types([
            composite("s", false, 8, &[("a", 6, 0), ("b", 7, 4)]),
            composite("t", false, 4, &[("a", 1, 0)]),
            composite("t", false, 4, &[("b", 1, 0)]),
        ]);
        let (s, _) = define(&types).unwrap();
        assert_eq!(fields(&s), [("a", "t", 0), ("b", "t_2", 4)]);
    }

    #[test]
    fn what_cannot_be_laid_out_is_an_error_that_names_it() {
        let overlap = types([composite("s", false, 8, &[("a", 2, 0), ("b", 1, 4)])]);
        let error = define(&overlap).unwrap_err();
        assert_eq!(error.item, "b of struct s");
        let odd = types([
            composite("s", false, 4, &[("a", 6, 0)]),
            int("odd", 3, false),
        ]);
        let error = define(&odd).unwrap_err();
        assert_eq!(error.item, "a of struct s");
        assert!(error.reason.contains("3 bytes"), "{error:?}");
        let incomplete = types([
            composite("s", false, 4, &[("a", 6, 0)]),
            ty("fwd", Kind::Other),
        ]);
        assert!(
            define(&incomplete)
                .unwrap_err()
                .reason
                .contains("incomplete")
        );
        let short = types([composite("s", false, 4, &[("a", 2, 0)])]);
        assert_eq!(define(&short).unwrap_err().item, "struct s");
    }

    #[test]
    fn sections_have_their_variables_in_order_and_no_declarations() {
        let variable = |name, external| {
            ty(
                name,
                Kind::Variable {
                    ty: Id(1),
                    external,
                },
            )
        };
        let entry = |id, offset| SectionEntry {
            variable: Id(id),
            offset,
        };
        let types = types([
            variable("late", false),
            variable("early.x", false),
            variable("elsewhere", true),
            ty(
                ".data.of-mine",
                Kind::Section {
                    size: 14,
                    variables: vec![entry(5, 8), entry(6, 0), entry(7, 0)],
                },
            ),
        ]);
        let mut layout = Layout::new(&types);
        let section = layout.define_section(".data.of-mine").unwrap();
        assert_eq!(
            (section.field.as_str(), section.ty.as_str()),
            ("data_of_mine", "data_of_mine")
        );
        assert_eq!(
            (section.suffix.as_str(), section.constant),
            ("DataOfMine", false)
        );
        let variable = |name: &str, offset| Variable {
            name: name.to_owned(),
            ty: "i32".to_owned(),
            offset,
        };
        assert_eq!(
            section.variables,
            [variable("early_x", 0), variable("late", 8)]
        );
        let items = layout.into_items();
        let [Item::Struct(s)] = &items[..] else {
            panic!("{items:?}");
        };
        let expected = [
            ("early_x", "i32", 0),
            ("_pad0", "[u8; 4]", 4),
            ("late", "i32", 8),
            ("_pad1", "[u8; 4]", 12),
        ];
        assert_eq!(fields(s), expected);
        assert_eq!((s.size, s.section.as_ref().unwrap().1), (16, 14));
    }
}
