//! Reads types from BTF.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::Context as _;
use libbpf_rs::btf::types::{self, IntEncoding, MemberAttr};
use libbpf_rs::btf::{BtfKind, BtfType, HasSize, ReferencesType};
use libbpf_rs::{Btf, btf::TypeId};

use super::layout::{Definition, Id, Kind, Layouts, Member, NOTHING, Name, Number, Type};

/// BPF is a 64-bit machine, which BTF does not say.
const POINTER: u64 = 8;

/// Adds the types of an object whose names are not known yet: what DWARF told of a type, it told with the place.
pub fn read(path: &Path, layouts: &mut Layouts) -> anyhow::Result<()> {
    // What libbpf would print is less than what the error says.
    libbpf_rs::set_print(None);
    let btf = Btf::from_path(path)
        .with_context(|| format!("cannot read the BTF of {}", path.display()))?;
    let mut ids = vec![NOTHING];
    ids.extend((1..btf.len()).map(|_| layouts.reserve()));
    let find = |id: TypeId| ids.get(u32::from(id) as usize).copied().unwrap_or(NOTHING);
    let known: Vec<Name> = layouts.named.keys().cloned().collect();
    let mut found = Vec::new();
    for (n, &id) in ids.iter().enumerate().skip(1) {
        let Some(ty) = btf.type_by_id::<BtfType<'_>>((n as u32).into()) else {
            continue;
        };
        let name = ty.name().map(string);
        // The conversions succeed for the kind that they stand under.
        let kind = kind(ty, &find).unwrap_or(Kind::Nothing);
        match (&kind, &name) {
            (Kind::Composite { .. } | Kind::Enum { .. }, Some(name)) => {
                found.push((Name::Tag(name.clone()), id));
            }
            (Kind::Alias(to), Some(name)) => found.push((Name::Typedef(name.clone()), *to)),
            _ => {}
        }
        layouts.set(id, Type { name, kind });
    }
    for (name, id) in found {
        let ty = layouts.get(id);
        let is_shared = match name {
            Name::Tag(_) => true,
            Name::Typedef(_) => {
                ty.name.is_none() && matches!(ty.kind, Kind::Composite { .. } | Kind::Enum { .. })
            }
        };
        if is_shared && known.binary_search(&name).is_err() {
            layouts.define(
                name,
                Definition {
                    ty: id,
                    place: None,
                    system: false,
                },
            );
        }
    }
    Ok(())
}

fn kind(ty: BtfType<'_>, find: &dyn Fn(TypeId) -> Id) -> Option<Kind> {
    Some(match ty.kind() {
        BtfKind::Int => {
            let int = types::Int::try_from(ty).ok()?;
            Kind::Number {
                size: int.size() as u64,
                number: match int.encoding {
                    IntEncoding::Signed => Number::Signed,
                    IntEncoding::Bool => Number::Other,
                    _ => Number::Unsigned,
                },
            }
        }
        BtfKind::Float => Kind::Number {
            size: types::Float::try_from(ty).ok()?.size() as u64,
            number: Number::Other,
        },
        BtfKind::Ptr => Kind::Pointer {
            size: POINTER,
            to: find(types::Ptr::try_from(ty).ok()?.referenced_type_id()),
        },
        BtfKind::Array => {
            let array = types::Array::try_from(ty).ok()?;
            let count = array.capacity() as u64;
            Kind::Array {
                element: find(array.ty()),
                counts: vec![(count > 0).then_some(count)],
            }
        }
        BtfKind::Struct | BtfKind::Union => {
            let composite = types::Composite::try_from(ty).ok()?;
            let members = composite
                .iter()
                .map(|member| {
                    let (offset, width) = match member.attr {
                        MemberAttr::Normal { offset } => (offset, None),
                        MemberAttr::BitField { size, offset } => (offset, Some(size.into())),
                    };
                    Member {
                        name: member.name.map(string),
                        ty: find(member.ty),
                        offset: offset.into(),
                        width,
                    }
                })
                .collect();
            Kind::Composite {
                union: !composite.is_struct,
                size: composite.size() as u64,
                members,
            }
        }
        BtfKind::Enum => Kind::Enum {
            size: types::Enum::try_from(ty).ok()?.size() as u64,
        },
        BtfKind::Enum64 => Kind::Enum {
            size: types::Enum64::try_from(ty).ok()?.size() as u64,
        },
        BtfKind::Typedef => Kind::Alias(find(
            types::Typedef::try_from(ty).ok()?.referenced_type_id(),
        )),
        BtfKind::Const => Kind::Alias(find(types::Const::try_from(ty).ok()?.referenced_type_id())),
        BtfKind::Volatile => Kind::Alias(find(
            types::Volatile::try_from(ty).ok()?.referenced_type_id(),
        )),
        BtfKind::Restrict => Kind::Alias(find(
            types::Restrict::try_from(ty).ok()?.referenced_type_id(),
        )),
        BtfKind::TypeTag => Kind::Alias(find(
            types::TypeTag::try_from(ty).ok()?.referenced_type_id(),
        )),
        BtfKind::Void
        | BtfKind::Fwd
        | BtfKind::Func
        | BtfKind::FuncProto
        | BtfKind::Var
        | BtfKind::DataSec
        | BtfKind::DeclTag => Kind::Nothing,
    })
}

fn string(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}
