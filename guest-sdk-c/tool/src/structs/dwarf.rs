//! Reads types from DWARF.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use gimli::{
    AttributeValue, DebuggingInformationEntry, DwAt, DwTag, EndianSlice, LittleEndian, Unit,
    constants as dw,
};

use super::layout::{Definition, Id, Kind, Layouts, Member, NOTHING, Name, Number, Type};
use super::places::Places;

/// The sections of one file or module, by their names.
pub type Sections = HashMap<String, Vec<u8>>;

type Reader<'a> = EndianSlice<'a, LittleEndian>;
type Entry<'a> = DebuggingInformationEntry<Reader<'a>>;

/// Adds all types that debug information tells of.
///
/// Object files are read as they are: what a relocation of one would fill in, an offset in another section of the same
/// file, compilers put there too.
pub fn read(sections: &Sections, layouts: &mut Layouts, places: &Places) -> anyhow::Result<()> {
    let sections = gimli::DwarfSections::load(|id| -> anyhow::Result<Reader<'_>> {
        let bytes = sections.get(id.name()).map_or(&[][..], Vec::as_slice);
        Ok(EndianSlice::new(bytes, LittleEndian))
    })?;
    let dwarf = sections.borrow(|section| *section);
    let mut units = Vec::new();
    let mut headers = dwarf.units();
    while let Some(header) = headers.next()? {
        let unit = dwarf.unit(header)?;
        if unit.dwo_name()?.is_some() {
            bail!("its debug information is in other files; compile without -gsplit-dwarf");
        }
        units.push(unit);
    }
    // A type can refer to one that comes after it, and in linked modules to one of another unit.
    let mut ids = HashMap::new();
    for unit in &units {
        let mut entries = unit.entries();
        while let Some(entry) = entries.next_dfs()? {
            if is_type(entry.tag())
                && let Some(offset) = entry.offset().to_debug_info_offset(&unit.header)
            {
                ids.insert(offset.0, layouts.reserve());
            }
        }
    }
    let mut typedefs = Vec::new();
    for unit in &units {
        UnitReader {
            dwarf: &dwarf,
            unit,
            ids: &ids,
            places,
            layouts,
            typedefs: &mut typedefs,
        }
        .read()?;
    }
    // Only now is every type known by whether it has a name.
    for (name, id, definition) in typedefs {
        let Kind::Alias(to) = layouts.get(id).kind else {
            continue;
        };
        let target = layouts.get(to);
        if target.name.is_none()
            && matches!(target.kind, Kind::Composite { .. } | Kind::Enum { .. })
        {
            let definition = Definition {
                ty: to,
                ..definition
            };
            layouts.define(Name::Typedef(name), definition);
        }
    }
    Ok(())
}

fn is_type(tag: DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_base_type
            | dw::DW_TAG_unspecified_type
            | dw::DW_TAG_pointer_type
            | dw::DW_TAG_reference_type
            | dw::DW_TAG_rvalue_reference_type
            | dw::DW_TAG_ptr_to_member_type
            | dw::DW_TAG_subroutine_type
            | dw::DW_TAG_array_type
            | dw::DW_TAG_structure_type
            | dw::DW_TAG_class_type
            | dw::DW_TAG_union_type
            | dw::DW_TAG_enumeration_type
            | dw::DW_TAG_typedef
            | dw::DW_TAG_const_type
            | dw::DW_TAG_volatile_type
            | dw::DW_TAG_restrict_type
            | dw::DW_TAG_atomic_type
    )
}

/// What an entry is inside of.
struct Outer {
    depth: isize,
    /// The struct whose members or the array whose dimensions are its children.
    id: Option<Id>,
    /// Whether C++ puts it before the names inside.
    is_scope: bool,
}

struct UnitReader<'r, 'a> {
    dwarf: &'r gimli::Dwarf<Reader<'a>>,
    unit: &'r Unit<Reader<'a>>,
    ids: &'r HashMap<usize, Id>,
    places: &'r Places,
    layouts: &'r mut Layouts,
    typedefs: &'r mut Vec<(String, Id, Definition)>,
}

impl<'a> UnitReader<'_, 'a> {
    fn read(mut self) -> anyhow::Result<()> {
        let mut outers: Vec<Outer> = Vec::new();
        let mut entries = self.unit.entries();
        while let Some(entry) = entries.next_dfs()? {
            let depth = entry.depth();
            while outers.last().is_some_and(|outer| outer.depth >= depth) {
                outers.pop();
            }
            let is_scoped = outers.iter().any(|outer| outer.is_scope);
            let id = if is_type(entry.tag()) {
                Some(self.read_type(entry, is_scoped)?)
            } else {
                if let Some(outer) = outers.last().and_then(|outer| outer.id) {
                    self.read_part(entry, outer)?;
                }
                None
            };
            outers.push(Outer {
                depth,
                id,
                is_scope: matches!(
                    entry.tag(),
                    dw::DW_TAG_namespace
                        | dw::DW_TAG_structure_type
                        | dw::DW_TAG_class_type
                        | dw::DW_TAG_union_type
                ),
            });
        }
        Ok(())
    }

    fn read_type(&mut self, entry: &Entry<'a>, is_scoped: bool) -> anyhow::Result<Id> {
        let offset = entry.offset().to_debug_info_offset(&self.unit.header);
        let id = offset
            .and_then(|offset| self.ids.get(&offset.0))
            .copied()
            .unwrap_or(NOTHING);
        let name = self.name(entry)?;
        let size = || number(entry, dw::DW_AT_byte_size);
        let pointer = u64::from(self.unit.header.address_size());
        let is_declaration = entry.has_attr(dw::DW_AT_declaration);
        let kind = match entry.tag() {
            dw::DW_TAG_base_type => Kind::Number {
                size: size().unwrap_or(0),
                number: match entry.attr_value(dw::DW_AT_encoding) {
                    Some(AttributeValue::Encoding(dw::DW_ATE_signed | dw::DW_ATE_signed_char)) => {
                        Number::Signed
                    }
                    Some(AttributeValue::Encoding(
                        dw::DW_ATE_unsigned | dw::DW_ATE_unsigned_char,
                    )) => Number::Unsigned,
                    _ => Number::Other,
                },
            },
            dw::DW_TAG_pointer_type
            | dw::DW_TAG_reference_type
            | dw::DW_TAG_rvalue_reference_type
            | dw::DW_TAG_ptr_to_member_type => Kind::Pointer {
                size: size().unwrap_or(pointer),
                to: self.target(entry)?,
            },
            dw::DW_TAG_array_type => Kind::Array {
                element: self.target(entry)?,
                counts: Vec::new(),
            },
            dw::DW_TAG_structure_type | dw::DW_TAG_class_type | dw::DW_TAG_union_type
                if !is_declaration =>
            {
                Kind::Composite {
                    union: entry.tag() == dw::DW_TAG_union_type,
                    size: size().unwrap_or(0),
                    members: Vec::new(),
                }
            }
            dw::DW_TAG_enumeration_type if !is_declaration => Kind::Enum {
                size: size().unwrap_or(0),
            },
            dw::DW_TAG_typedef
            | dw::DW_TAG_const_type
            | dw::DW_TAG_volatile_type
            | dw::DW_TAG_restrict_type
            | dw::DW_TAG_atomic_type => Kind::Alias(self.target(entry)?),
            _ => Kind::Nothing,
        };
        if let Some(name) = &name
            && !is_scoped
        {
            match kind {
                Kind::Composite { .. } | Kind::Enum { .. } => {
                    let definition = self.definition(entry, id)?;
                    self.layouts.define(Name::Tag(name.clone()), definition);
                }
                Kind::Alias(_) => {
                    let definition = self.definition(entry, id)?;
                    self.typedefs.push((name.clone(), id, definition));
                }
                _ => {}
            }
        }
        self.layouts.set(id, Type { name, kind });
        Ok(id)
    }

    /// Reads what a type has as a child: a member or a dimension.
    fn read_part(&mut self, entry: &Entry<'a>, outer: Id) -> anyhow::Result<()> {
        match entry.tag() {
            dw::DW_TAG_member | dw::DW_TAG_inheritance => {
                // A static member of C++ is not in the struct.
                if entry.has_attr(dw::DW_AT_external) || entry.has_attr(dw::DW_AT_declaration) {
                    return Ok(());
                }
                let member = self.member(entry)?;
                if let Kind::Composite { members, .. } = &mut self.layouts.get_mut(outer).kind {
                    members.push(member);
                }
            }
            dw::DW_TAG_subrange_type => {
                let count = number(entry, dw::DW_AT_count).or_else(|| {
                    number(entry, dw::DW_AT_upper_bound).map(|last| last.wrapping_add(1))
                });
                if let Kind::Array { counts, .. } = &mut self.layouts.get_mut(outer).kind {
                    // Clang writes no count for `[]` and 0 for `[0]`, which are the same here.
                    counts.push(count.filter(|&count| count > 0));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn member(&self, entry: &Entry<'a>) -> anyhow::Result<Member> {
        let ty = self.target(entry)?;
        let width = number(entry, dw::DW_AT_bit_size);
        let bytes = match entry.attr_value(dw::DW_AT_data_member_location) {
            None => 0,
            Some(_) => number(entry, dw::DW_AT_data_member_location).context(
                "it says where a member is in a way that is not understood; compile with -gdwarf-4 or -gdwarf-5",
            )?,
        };
        let mut offset = match number(entry, dw::DW_AT_data_bit_offset) {
            Some(bits) => bits,
            None => bytes * 8,
        };
        // DWARF 3 counts from the most significant bit of a number that holds the bit-field.
        if let (Some(from_top), Some(width)) = (number(entry, dw::DW_AT_bit_offset), width) {
            let storage = number(entry, dw::DW_AT_byte_size)
                .context("it has a bit-field of which it does not say in what it lies")?;
            offset += (storage * 8)
                .checked_sub(from_top + width)
                .context("it has a bit-field that is outside of what it lies in")?;
        }
        Ok(Member {
            name: self.name(entry)?,
            ty,
            offset,
            width,
        })
    }

    fn name(&self, entry: &Entry<'a>) -> anyhow::Result<Option<String>> {
        match entry.attr_value(dw::DW_AT_name) {
            None => Ok(None),
            Some(value) => Ok(Some(self.string(value)?)),
        }
    }

    fn string(&self, value: AttributeValue<Reader<'a>>) -> anyhow::Result<String> {
        let text = self.dwarf.attr_string(self.unit, value)?;
        Ok(text.to_string_lossy().into_owned())
    }

    /// The type that an entry is about.
    fn target(&self, entry: &Entry<'a>) -> anyhow::Result<Id> {
        let offset = match entry.attr_value(dw::DW_AT_type) {
            None => return Ok(NOTHING),
            Some(AttributeValue::UnitRef(offset)) => offset.to_debug_info_offset(&self.unit.header),
            Some(AttributeValue::DebugInfoRef(offset)) => Some(offset),
            Some(AttributeValue::DebugTypesRef(_)) => {
                bail!(
                    "its types are in sections of their own; compile without -fdebug-types-section"
                )
            }
            Some(_) => None,
        };
        let id = offset.and_then(|offset| self.ids.get(&offset.0));
        ensure!(id.is_some(), "it refers to a type that is not there");
        Ok(id.copied().unwrap_or(NOTHING))
    }

    fn definition(&self, entry: &Entry<'a>, ty: Id) -> anyhow::Result<Definition> {
        let Some(file) = self.file(entry)? else {
            return Ok(Definition {
                ty,
                place: None,
                system: false,
            });
        };
        let shown = self.places.shown(&file).display().to_string();
        Ok(Definition {
            ty,
            place: Some(match number(entry, dw::DW_AT_decl_line) {
                Some(line) => format!("{shown}:{line}"),
                None => shown,
            }),
            system: self.places.is_system(&file),
        })
    }

    /// The file in which something is declared.
    fn file(&self, entry: &Entry<'a>) -> anyhow::Result<Option<PathBuf>> {
        let index = match entry.attr_value(dw::DW_AT_decl_file) {
            Some(AttributeValue::FileIndex(index)) => index,
            _ => return Ok(None),
        };
        let Some(program) = &self.unit.line_program else {
            return Ok(None);
        };
        let header = program.header();
        let Some(file) = header.file(index) else {
            return Ok(None);
        };
        let mut path = PathBuf::new();
        if let Some(dir) = self.unit.comp_dir {
            path.push(Path::new(&*dir.to_string_lossy()));
        }
        if let Some(dir) = file.directory(header) {
            path.push(self.string(dir)?);
        }
        path.push(self.string(file.path_name())?);
        Ok(Some(path))
    }
}

fn number(entry: &Entry<'_>, name: DwAt) -> Option<u64> {
    entry.attr(name).and_then(|attr| attr.udata_value())
}
