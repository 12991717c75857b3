//! The types, variables, maps and programs of an object, read into plain values.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::path::Path;

use libbpf_rs::btf::types::{self, IntEncoding, Linkage, MemberAttr};
use libbpf_rs::btf::{BtfKind, BtfType, HasSize, ReferencesType};
use libbpf_rs::{Btf, ObjectBuilder};

/// The number of a type in the object's BTF; 0 is `void`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(pub u32);

/// A BTF type.
#[derive(Clone, Debug)]
pub(crate) struct Type {
    pub name: Option<String>,
    pub kind: Kind,
}

/// What a type is, as far as it matters for the layout of data.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Int {
        size: u64,
        signed: bool,
        boolean: bool,
    },
    Float {
        size: u64,
    },
    Pointer(Id),
    Array {
        element: Id,
        length: u64,
    },
    Composite {
        union: bool,
        size: u64,
        members: Vec<Member>,
    },
    Enum {
        size: u64,
        signed: bool,
        values: Vec<(String, i128)>,
    },
    Typedef(Id),
    /// `const`, `volatile`, `restrict` or a type tag.
    Modifier(Id),
    Variable {
        ty: Id,
        external: bool,
    },
    Section {
        size: u64,
        variables: Vec<SectionEntry>,
    },
    /// A forward declaration, a function, `void`: nothing that has a size.
    Other,
}

/// A member of a struct or union.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub name: Option<String>,
    pub ty: Id,
    pub bit_offset: u64,
    /// The width of a bit-field.
    pub bits: Option<u64>,
}

/// A variable's place in its section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SectionEntry {
    pub variable: Id,
    pub offset: u64,
}

/// All of an object's types.
#[derive(Debug, Default)]
pub(crate) struct Types(Vec<Type>);

impl Types {
    pub(crate) fn get(&self, id: Id) -> &Type {
        // libbpf checks the references when it parses; a number that it let through is `void` to us.
        self.0.get(id.0 as usize).unwrap_or(&VOID)
    }

    /// The type behind typedefs and modifiers.
    pub(crate) fn resolve(&self, mut id: Id) -> Id {
        while let Kind::Typedef(next) | Kind::Modifier(next) = self.get(id).kind {
            id = next;
        }
        id
    }

    /// Gives the variables of `.kconfig`, which are declarations in the object, the places that libbpf gives them.
    fn place_kconfig(&mut self) {
        let is_kconfig = |ty: &Type| ty.name.as_deref() == Some(".kconfig");
        let Some(at) = self.0.iter().position(is_kconfig) else {
            return;
        };
        let Kind::Section { variables, .. } = &self.0[at].kind else {
            return;
        };
        let mut placed = variables
            .iter()
            .map(|entry| {
                let variable = self.get(entry.variable);
                let (size, align) = match variable.kind {
                    Kind::Variable { ty, .. } => self.scalar_size(ty),
                    _ => (0, 1),
                };
                let name = variable.name.clone().unwrap_or_default();
                (Reverse(align), size, name, entry.variable)
            })
            .collect::<Vec<_>>();
        placed.sort();
        let mut end = 0u64;
        let mut entries = Vec::new();
        for (Reverse(align), size, _, variable) in placed {
            let offset = end.next_multiple_of(align);
            end = offset + size;
            entries.push(SectionEntry { variable, offset });
        }
        for entry in &entries {
            let variable = self.0.get_mut(entry.variable.0 as usize);
            if let Some(Kind::Variable { external, .. }) = variable.map(|ty| &mut ty.kind) {
                *external = false;
            }
        }
        self.0[at].kind = Kind::Section {
            size: end,
            variables: entries,
        };
    }

    /// Size and alignment of a number or of an array of them.
    fn scalar_size(&self, id: Id) -> (u64, u64) {
        match self.get(self.resolve(id)).kind {
            Kind::Int { size, .. } | Kind::Enum { size, .. } => (size, size.clamp(1, 8)),
            Kind::Array { element, length } => {
                let (size, align) = self.scalar_size(element);
                (size * length, align)
            }
            _ => (0, 1),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id, &Type)> {
        (0..).map(Id).zip(&self.0)
    }
}

#[cfg(test)]
impl FromIterator<Type> for Types {
    /// Numbers the types from 1.
    fn from_iter<I: IntoIterator<Item = Type>>(types: I) -> Self {
        Self(std::iter::once(VOID.clone()).chain(types).collect())
    }
}

static VOID: Type = Type {
    name: None,
    kind: Kind::Other,
};

/// An object as libbpf sees it.
#[derive(Debug, Default)]
pub(crate) struct Object {
    pub types: Types,
    /// The maps that the source declares, in its order.
    pub maps: Vec<String>,
    /// The sections of global variables for which there is a map.
    pub sections: Vec<String>,
    /// The programs in the order of the source.
    pub programs: Vec<String>,
}

impl Object {
    /// Reads a linked object.
    pub(crate) fn read(path: &Path) -> libbpf_rs::Result<Self> {
        let open = ObjectBuilder::default().open_file(path)?;
        // An object without BTF opens too; its BTF is then found missing here.
        let btf = Btf::from_path(path)?;
        let mut types = Types(
            (0..btf.len() as u32)
                .map(|id| match btf.type_by_id::<BtfType<'_>>(id.into()) {
                    Some(ty) => Type {
                        name: ty.name().map(string),
                        kind: kind(ty),
                    },
                    None => VOID.clone(),
                })
                .collect(),
        );
        types.place_kconfig();
        let mut maps = Vec::new();
        let mut internal = Vec::new();
        for map in open.maps() {
            let name = string(map.name());
            // A map that libbpf makes for a section is named after it, and so has a dot, which a C identifier has not.
            if name.contains('.') {
                internal.push(name);
            } else {
                maps.push(name);
            }
        }
        let sections = types
            .iter()
            .filter_map(|(_, ty)| match (&ty.kind, &ty.name) {
                (Kind::Section { .. }, Some(name)) => Some(name),
                _ => None,
            })
            .filter(|section| has_map(section, &internal))
            .cloned()
            .collect();
        let programs = open.progs().map(|program| string(program.name())).collect();
        Ok(Self {
            types,
            maps,
            sections,
            programs,
        })
    }
}

/// Whether a section holds global variables, and libbpf made a map of it.
///
/// It names the maps of the standard sections after the object as well, as in `bootstra.rodata`.
fn has_map(section: &str, internal: &[String]) -> bool {
    let standard = [".data", ".bss", ".rodata"];
    if standard.contains(&section) || section == ".kconfig" {
        return internal.iter().any(|name| name.ends_with(section));
    }
    standard.iter().any(|prefix| {
        section
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with('.'))
    }) && internal.iter().any(|name| name == section)
}

fn string(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

fn kind(ty: BtfType<'_>) -> Kind {
    // Each conversion succeeds for the kind it stands under; the fallback is for the type checker.
    known_kind(ty).unwrap_or(Kind::Other)
}

fn known_kind(ty: BtfType<'_>) -> Option<Kind> {
    Some(match ty.kind() {
        BtfKind::Int => {
            let int = types::Int::try_from(ty).ok()?;
            Kind::Int {
                size: int.size() as u64,
                signed: matches!(int.encoding, IntEncoding::Signed),
                boolean: matches!(int.encoding, IntEncoding::Bool),
            }
        }
        BtfKind::Float => Kind::Float {
            size: types::Float::try_from(ty).ok()?.size() as u64,
        },
        BtfKind::Ptr => Kind::Pointer(target(&types::Ptr::try_from(ty).ok()?)),
        BtfKind::Array => {
            let array = types::Array::try_from(ty).ok()?;
            Kind::Array {
                element: Id(array.ty().into()),
                length: array.capacity() as u64,
            }
        }
        BtfKind::Struct | BtfKind::Union => {
            let composite = types::Composite::try_from(ty).ok()?;
            let members = composite
                .iter()
                .map(|member| {
                    let (bit_offset, bits) = match member.attr {
                        MemberAttr::Normal { offset } => (offset, None),
                        MemberAttr::BitField { size, offset } => (offset, Some(size.into())),
                    };
                    Member {
                        name: member.name.map(string),
                        ty: Id(member.ty.into()),
                        bit_offset: bit_offset.into(),
                        bits,
                    }
                })
                .collect();
            Kind::Composite {
                union: !composite.is_struct,
                size: composite.size() as u64,
                members,
            }
        }
        BtfKind::Enum => {
            let it = types::Enum::try_from(ty).ok()?;
            let values = it.iter().map(|value| (value.name, i128::from(value.value)));
            Kind::Enum {
                size: it.size() as u64,
                signed: it.is_signed(),
                values: enumerators(values),
            }
        }
        BtfKind::Enum64 => {
            let it = types::Enum64::try_from(ty).ok()?;
            let values = it.iter().map(|value| (value.name, value.value));
            Kind::Enum {
                size: it.size() as u64,
                signed: it.is_signed(),
                values: enumerators(values),
            }
        }
        BtfKind::Typedef => Kind::Typedef(target(&types::Typedef::try_from(ty).ok()?)),
        BtfKind::Const => Kind::Modifier(target(&types::Const::try_from(ty).ok()?)),
        BtfKind::Volatile => Kind::Modifier(target(&types::Volatile::try_from(ty).ok()?)),
        BtfKind::Restrict => Kind::Modifier(target(&types::Restrict::try_from(ty).ok()?)),
        BtfKind::TypeTag => Kind::Modifier(target(&types::TypeTag::try_from(ty).ok()?)),
        BtfKind::Var => {
            let var = types::Var::try_from(ty).ok()?;
            Kind::Variable {
                external: var.linkage() == Linkage::Extern,
                ty: target(&var),
            }
        }
        BtfKind::DataSec => {
            let section = types::DataSec::try_from(ty).ok()?;
            Kind::Section {
                size: section.size() as u64,
                variables: section
                    .iter()
                    .map(|entry| SectionEntry {
                        variable: Id(entry.ty.into()),
                        offset: entry.offset.into(),
                    })
                    .collect(),
            }
        }
        BtfKind::Void | BtfKind::Fwd | BtfKind::Func | BtfKind::FuncProto | BtfKind::DeclTag => {
            Kind::Other
        }
    })
}

fn target<'btf>(ty: &impl ReferencesType<'btf>) -> Id {
    Id(ty.referenced_type_id().into())
}

fn enumerators<'a>(values: impl Iterator<Item = (Option<&'a OsStr>, i128)>) -> Vec<(String, i128)> {
    values
        .filter_map(|(name, value)| Some((string(name?), value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_with_maps() {
        let internal = [
            "bootstra.rodata",
            ".rodata.cfg",
            ".rodata.str1.1",
            "x.kconfig",
        ];
        let internal: Vec<String> = internal.map(String::from).into();
        assert!(has_map(".rodata", &internal));
        assert!(has_map(".rodata.cfg", &internal));
        assert!(!has_map(".bss", &internal));
        assert!(has_map(".kconfig", &internal));
        assert!(!has_map(".kconfig.x", &internal));
        assert!(!has_map("license", &internal));
        assert!(!has_map(".data.cfg", &internal));
    }
}
