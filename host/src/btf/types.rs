//! Reading BTF, whoever wrote it.
//!
//! All that is followed is checked first: bytes of a component are read like the kernel's. Libbpf reads BTF too, but trusts much of it.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::bindings::btf::{
    ArrayShape, Enumeration, Enumerator, IntEncoding, Member, Parameter, PlacedVariable,
    TypeDetails, TypeInfo, TypeKind,
};
use crate::bindings::types::ErrorCode;

const MAGIC: u16 = 0xeb9f;
const HEADER: usize = 24;
/// Of a type, without what follows it.
const TYPE: usize = 12;
/// The kernel's bound for the sections of types and strings.
pub(super) const MAX_SIZE: usize = 16 << 20;
/// The kernel's is 512, that of Rust's symbols included.
const MAX_NAME: usize = 1024;
/// How far references are followed: libbpf's bound.
const MAX_DEPTH: u32 = 32;
/// Libbpf has none; structures within structures do not go so deep.
const MAX_NESTING: u32 = 64;

pub(super) const INT: u32 = 1;
const PTR: u32 = 2;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
pub(crate) const ENUM: u32 = 6;
const FWD: u32 = 7;
pub(crate) const TYPEDEF: u32 = 8;
const VOLATILE: u32 = 9;
const CONST: u32 = 10;
const RESTRICT: u32 = 11;
const FUNC: u32 = 12;
const FUNC_PROTO: u32 = 13;
const VAR: u32 = 14;
const DATA_SEC: u32 = 15;
const FLOAT: u32 = 16;
const DECL_TAG: u32 = 17;
const TYPE_TAG: u32 = 18;
const ENUM64: u32 = 19;

impl TypeKind {
    fn from_kernel(number: u32) -> Self {
        match number {
            0 => Self::Void,
            INT => Self::Int,
            PTR => Self::Ptr,
            ARRAY => Self::Array,
            STRUCT => Self::Struct,
            UNION => Self::Union,
            ENUM => Self::Enum,
            FWD => Self::Fwd,
            TYPEDEF => Self::Typedef,
            VOLATILE => Self::Volatile,
            CONST => Self::Const,
            RESTRICT => Self::Restrict,
            FUNC => Self::Func,
            FUNC_PROTO => Self::FuncProto,
            VAR => Self::Var,
            DATA_SEC => Self::DataSec,
            FLOAT => Self::Float,
            DECL_TAG => Self::DeclTag,
            TYPE_TAG => Self::TypeTag,
            ENUM64 => Self::Enum64,
            other => Self::Other(other),
        }
    }

    pub(super) fn to_kernel(self) -> u32 {
        match self {
            Self::Void => 0,
            Self::Int => INT,
            Self::Ptr => PTR,
            Self::Array => ARRAY,
            Self::Struct => STRUCT,
            Self::Union => UNION,
            Self::Enum => ENUM,
            Self::Fwd => FWD,
            Self::Typedef => TYPEDEF,
            Self::Volatile => VOLATILE,
            Self::Const => CONST,
            Self::Restrict => RESTRICT,
            Self::Func => FUNC,
            Self::FuncProto => FUNC_PROTO,
            Self::Var => VAR,
            Self::DataSec => DATA_SEC,
            Self::Float => FLOAT,
            Self::DeclTag => DECL_TAG,
            Self::TypeTag => TYPE_TAG,
            Self::Enum64 => ENUM64,
            Self::Other(number) => number,
        }
    }
}

/// Why bytes are not BTF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {what}")]
pub(crate) struct Malformed {
    at: usize,
    what: &'static str,
}

/// Types from one source, and those that they continue.
#[derive(Debug)]
pub(crate) struct Types {
    data: Box<[u8]>,
    base: Option<Arc<Types>>,
    /// Where each type of its own begins in `data`.
    starts: Vec<u32>,
    strings: Range<usize>,
    /// Its own ids, by name and then by number; made when first needed.
    by_name: OnceLock<Vec<u32>>,
}

/// A type's first three words.
#[derive(Clone, Copy)]
struct Head {
    name: u32,
    info: u32,
    size_or_type: u32,
    /// Where the rest begins.
    rest: usize,
}

impl Head {
    fn kind(self) -> u32 {
        (self.info >> 24) & 0x1f
    }

    fn count(self) -> usize {
        (self.info & 0xffff) as usize
    }

    fn flag(self) -> bool {
        self.info >> 31 == 1
    }

    /// Bytes that follow; none for a kind that nobody knows the size of.
    fn rest_length(self) -> Option<usize> {
        Some(match self.kind() {
            INT | VAR | DECL_TAG => 4,
            ARRAY => 12,
            STRUCT | UNION | DATA_SEC | ENUM64 => 12 * self.count(),
            ENUM | FUNC_PROTO => 8 * self.count(),
            PTR | FWD | TYPEDEF | VOLATILE | CONST | RESTRICT | FUNC | FLOAT | TYPE_TAG => 0,
            _ => return None,
        })
    }

    fn is_sized(self) -> bool {
        matches!(
            self.kind(),
            INT | FLOAT | STRUCT | UNION | ENUM | ENUM64 | DATA_SEC
        )
    }
}

impl Types {
    /// `base`: what these types continue, for modules.
    pub(crate) fn parse(
        data: impl Into<Box<[u8]>>,
        base: Option<Arc<Self>>,
    ) -> Result<Self, Malformed> {
        let data = data.into();
        let bad = |at, what| Malformed { at, what };
        let word = |at| word(&data, at).ok_or(bad(at, "it ends within the header"));
        let magic = word(0)?.to_ne_bytes();
        let magic = u16::from_ne_bytes([magic[0], magic[1]]);
        if magic == MAGIC.swap_bytes() {
            return Err(bad(0, "it is in the byte order of another machine"));
        }
        if magic != MAGIC {
            return Err(bad(0, "it does not begin as BTF does"));
        }
        if data[2] != 1 {
            return Err(bad(2, "a version of BTF that is not known"));
        }
        let header = word(4)? as usize;
        if header < HEADER || header > data.len() {
            return Err(bad(4, "the length of the header is not one"));
        }
        let section = |at: usize| -> Result<Range<usize>, Malformed> {
            let (start, length) = (word(at)? as usize, word(at + 4)? as usize);
            let start = header
                .checked_add(start)
                .ok_or(bad(at, "a section outside of the data"))?;
            match start.checked_add(length) {
                Some(end) if end <= data.len() => Ok(start..end),
                _ => Err(bad(at, "a section outside of the data")),
            }
        };
        let types = section(8)?;
        let strings = section(16)?;
        if types.len() > MAX_SIZE || strings.len() > MAX_SIZE {
            return Err(bad(8, "more than 16 MiB"));
        }
        if data[strings.clone()].last().is_some_and(|last| *last != 0) {
            return Err(bad(strings.end, "the last string does not end"));
        }
        if base.is_none() && data[strings.clone()].first() != Some(&0) {
            return Err(bad(strings.start, "the first string is not the empty one"));
        }
        let mut read = Self {
            starts: Vec::with_capacity(types.len() / 24),
            data,
            base,
            strings,
            by_name: OnceLock::new(),
        };
        let mut at = types.start;
        while at < types.end {
            let head = read
                .head_at(at)
                .filter(|head| head.rest <= types.end)
                .ok_or(bad(at, "a type that does not end"))?;
            let length = head
                .rest_length()
                .ok_or(bad(at, "a kind of type that is not known"))?;
            let end = head.rest + length;
            if end > types.end {
                return Err(bad(at, "a type that does not end"));
            }
            read.check_names(head)
                .ok_or(bad(at, "a name that is none of its strings"))?;
            read.starts.push(at as u32);
            at = end;
        }
        Ok(read)
    }

    fn check_names(&self, head: Head) -> Option<()> {
        self.name(head.name)?;
        let entry = match head.kind() {
            STRUCT | UNION | ENUM64 => 12,
            ENUM | FUNC_PROTO => 8,
            _ => return Some(()),
        };
        for index in 0..head.count() {
            self.name(word(&self.data, head.rest + index * entry)?)?;
        }
        Some(())
    }

    fn head_at(&self, at: usize) -> Option<Head> {
        Some(Head {
            name: word(&self.data, at)?,
            info: word(&self.data, at + 4)?,
            size_or_type: word(&self.data, at + 8)?,
            rest: at + TYPE,
        })
    }

    /// The type, and whose it is; none for `void` and for ids that there are not.
    fn head(&self, id: u32) -> Option<(&Self, Head)> {
        let own = id.checked_sub(self.first_id());
        match (own, &self.base) {
            (Some(own), _) => {
                let start = *self.starts.get(own as usize)?;
                Some((self, self.head_at(start as usize)?))
            }
            (None, Some(base)) => base.head(id),
            (None, None) => None,
        }
    }

    fn word_of(&self, head: Head, index: usize) -> u32 {
        // What follows a type was measured when it was read.
        word(&self.data, head.rest + index * 4).unwrap_or(0)
    }

    /// One more than the highest id.
    pub(crate) fn count(&self) -> u32 {
        self.first_id() + self.starts.len() as u32
    }

    pub(super) fn first_id(&self) -> u32 {
        self.base.as_ref().map_or(1, |base| base.count())
    }

    pub(super) fn raw(&self) -> &[u8] {
        &self.data
    }

    fn strings_end(&self) -> u32 {
        let before = self.base.as_ref().map_or(0, |base| base.strings_end());
        before.saturating_add(self.strings.len() as u32)
    }

    /// A name: a string of a length that names have.
    fn name(&self, offset: u32) -> Option<&[u8]> {
        let before = self.base.as_ref().map_or(0, |base| base.strings_end());
        let Some(own) = offset.checked_sub(before) else {
            return self.base.as_ref()?.name(offset);
        };
        let strings = &self.data[self.strings.clone()];
        let rest = strings.get(own as usize..)?;
        let rest = rest.get(..=MAX_NAME).unwrap_or(rest);
        let end = rest.iter().position(|byte| *byte == 0)?;
        Some(&rest[..end])
    }

    fn text(&self, offset: u32) -> String {
        String::from_utf8_lossy(self.name(offset).unwrap_or_default()).into_owned()
    }

    /// Any string, up to a length that lines of source have.
    pub(super) fn string_at(&self, offset: u32) -> Option<String> {
        const MAX: usize = 1 << 16;
        let before = self.base.as_ref().map_or(0, |base| base.strings_end());
        let Some(own) = offset.checked_sub(before) else {
            return self.base.as_ref()?.string_at(offset);
        };
        let rest = self.data[self.strings.clone()].get(own as usize..)?;
        let rest = rest.get(..MAX).unwrap_or(rest);
        let end = rest
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(rest.len());
        (!rest.is_empty()).then(|| String::from_utf8_lossy(&rest[..end]).into_owned())
    }

    fn name_of(&self, id: u32) -> &[u8] {
        let found = self.head(id).and_then(|(of, head)| of.name(head.name));
        found.unwrap_or_default()
    }

    /// The lowest id with this name; of this kind if one is given.
    pub(crate) fn find(&self, name: &str, kind: Option<u32>) -> Option<u32> {
        if let Some(base) = &self.base
            && let Some(found) = base.find(name, kind)
        {
            return Some(found);
        }
        let by_name = self.by_name.get_or_init(|| {
            let mut ids: Vec<u32> = (self.first_id()..self.count())
                .filter(|id| !self.name_of(*id).is_empty())
                .collect();
            ids.sort_by(|a, b| self.name_of(*a).cmp(self.name_of(*b)).then(a.cmp(b)));
            ids
        });
        let first =
            by_name.partition_point(|id| self.name_of(*id).cmp(name.as_bytes()) == Ordering::Less);
        by_name[first..]
            .iter()
            .take_while(|id| self.name_of(**id) == name.as_bytes())
            .copied()
            .find(|id| {
                kind.is_none_or(|kind| self.head(*id).is_some_and(|(_, head)| head.kind() == kind))
            })
    }

    pub(crate) fn describe(&self, id: u32) -> Option<TypeInfo> {
        if id == 0 {
            return Some(TypeInfo {
                id,
                name: String::new(),
                kind: TypeKind::Void,
                size: 0,
                refers_to: 0,
                details: TypeDetails::None,
            });
        }
        let (of, head) = self.head(id)?;
        let kind = head.kind();
        let word = |index| of.word_of(head, index);
        let details = match kind {
            INT => {
                let encoding = word(0);
                let has = |bit| (encoding >> 24) & bit != 0;
                TypeDetails::Int(IntEncoding {
                    bits: encoding & 0xff,
                    offset: (encoding >> 16) & 0xff,
                    signed: has(1),
                    char: has(2),
                    bool: has(4),
                })
            }
            ARRAY => TypeDetails::Array(ArrayShape {
                index: word(1),
                count: word(2),
            }),
            STRUCT | UNION => {
                let member = |index: usize| {
                    let offset = word(index * 3 + 2);
                    let (bit_offset, bit_size) = if head.flag() {
                        (offset & 0xff_ffff, offset >> 24)
                    } else {
                        (offset, 0)
                    };
                    Member {
                        name: of.text(word(index * 3)),
                        type_: word(index * 3 + 1),
                        bit_offset,
                        bit_size,
                    }
                };
                TypeDetails::Members((0..head.count()).map(member).collect())
            }
            ENUM => {
                let value = |index: usize| {
                    let value = word(index * 2 + 1);
                    Enumerator {
                        name: of.text(word(index * 2)),
                        value: if head.flag() {
                            i64::from(value as i32)
                        } else {
                            i64::from(value)
                        },
                    }
                };
                TypeDetails::Enumeration(Enumeration {
                    signed: head.flag(),
                    values: (0..head.count()).map(value).collect(),
                })
            }
            ENUM64 => {
                let value = |index: usize| Enumerator {
                    name: of.text(word(index * 3)),
                    value: (u64::from(word(index * 3 + 1)) | u64::from(word(index * 3 + 2)) << 32)
                        as i64,
                };
                TypeDetails::Enumeration(Enumeration {
                    signed: head.flag(),
                    values: (0..head.count()).map(value).collect(),
                })
            }
            FWD => TypeDetails::Union(head.flag()),
            FUNC_PROTO => {
                let parameter = |index: usize| Parameter {
                    name: of.text(word(index * 2)),
                    type_: word(index * 2 + 1),
                };
                TypeDetails::Parameters((0..head.count()).map(parameter).collect())
            }
            FUNC => TypeDetails::Linkage(head.count() as u32),
            VAR => TypeDetails::Linkage(word(0)),
            DATA_SEC => {
                let variable = |index: usize| PlacedVariable {
                    type_: word(index * 3),
                    offset: word(index * 3 + 1),
                    size: word(index * 3 + 2),
                };
                TypeDetails::Variables((0..head.count()).map(variable).collect())
            }
            DECL_TAG => TypeDetails::Component(word(0) as i32),
            _ => TypeDetails::None,
        };
        Some(TypeInfo {
            id,
            name: of.text(head.name),
            kind: TypeKind::from_kernel(kind),
            size: if head.is_sized() {
                head.size_or_type
            } else {
                0
            },
            refers_to: match kind {
                ARRAY => word(0),
                FWD => 0,
                _ if head.is_sized() => 0,
                _ => head.size_or_type,
            },
            details,
        })
    }

    /// About how many bytes `describe` makes in a component.
    pub(super) fn weight(&self, id: u32) -> usize {
        let Some((_, head)) = self.head(id) else {
            return 64;
        };
        64 + head.rest_length().unwrap_or(0) * 4
    }

    fn demand(&self, id: u32) -> Result<(&Self, Head), ErrorCode> {
        match self.head(id) {
            Some(found) => Ok(found),
            // `void` has nothing of what is asked for.
            None if id == 0 => Err(ErrorCode::InvalidArgument),
            None => Err(ErrorCode::NotFound),
        }
    }

    pub(super) fn resolve_size(&self, id: u32) -> Result<u32, ErrorCode> {
        let (mut id, mut elements) = (id, 1u32);
        for _ in 0..MAX_DEPTH {
            let (of, head) = self.demand(id)?;
            let size = match head.kind() {
                _ if head.is_sized() => head.size_or_type,
                PTR => self.pointer_size(),
                TYPEDEF | VOLATILE | CONST | RESTRICT | VAR | DECL_TAG | TYPE_TAG => {
                    id = head.size_or_type;
                    continue;
                }
                ARRAY => {
                    let more = of.word_of(head, 2);
                    elements = elements.checked_mul(more).ok_or(ErrorCode::Full)?;
                    id = of.word_of(head, 0);
                    continue;
                }
                _ => return Err(ErrorCode::InvalidArgument),
            };
            return size.checked_mul(elements).ok_or(ErrorCode::Full);
        }
        Err(ErrorCode::InvalidArgument)
    }

    pub(super) fn resolve_type(&self, id: u32) -> Result<u32, ErrorCode> {
        let mut id = id;
        for _ in 0..MAX_DEPTH {
            if id == 0 {
                return Ok(0);
            }
            let (_, head) = self.demand(id)?;
            if !matches!(
                head.kind(),
                TYPEDEF | VOLATILE | CONST | RESTRICT | VAR | TYPE_TAG
            ) {
                return Ok(id);
            }
            id = head.size_or_type;
        }
        Err(ErrorCode::InvalidArgument)
    }

    pub(super) fn align_of(&self, id: u32) -> Result<u32, ErrorCode> {
        self.align_within(id, MAX_NESTING, &mut HashMap::new())
    }

    /// `known` has what was found for structures: the same one may be met on many ways.
    fn align_within(
        &self,
        id: u32,
        depth: u32,
        known: &mut HashMap<u32, u32>,
    ) -> Result<u32, ErrorCode> {
        let depth = depth.checked_sub(1).ok_or(ErrorCode::InvalidArgument)?;
        let (of, head) = self.demand(id)?;
        match head.kind() {
            INT | ENUM | ENUM64 | FLOAT => Ok(head.size_or_type.min(self.pointer_size())),
            PTR => Ok(self.pointer_size()),
            TYPEDEF | VOLATILE | CONST | RESTRICT | VAR | TYPE_TAG => {
                self.align_within(head.size_or_type, depth, known)
            }
            ARRAY => self.align_within(of.word_of(head, 0), depth, known),
            STRUCT | UNION => {
                if let Some(align) = known.get(&id) {
                    return Ok(*align);
                }
                let mut most = 1;
                let mut packed = false;
                for index in 0..head.count() {
                    let member = of.word_of(head, index * 3 + 1);
                    let align = self.align_within(member, depth, known)?;
                    most = most.max(align);
                    let offset = of.word_of(head, index * 3 + 2);
                    let (offset, bits) = if head.flag() {
                        (offset & 0xff_ffff, offset >> 24)
                    } else {
                        (offset, 0)
                    };
                    // As libbpf: a member that is not where its alignment would have it.
                    packed |= bits == 0
                        && align
                            .checked_mul(8)
                            .is_some_and(|align| align > 0 && offset % align != 0);
                }
                packed |= most > 0 && head.size_or_type % most != 0;
                let align = if packed { 1 } else { most };
                known.insert(id, align);
                Ok(align)
            }
            _ => Err(ErrorCode::InvalidArgument),
        }
    }

    pub(super) fn pointer_size(&self) -> u32 {
        if let Some(base) = &self.base {
            return base.pointer_size();
        }
        ["long int", "long", "long unsigned int", "unsigned long"]
            .iter()
            .filter_map(|name| self.head(self.find(name, Some(INT))?))
            .map(|(_, head)| head.size_or_type)
            .find(|size| matches!(size, 4 | 8))
            .unwrap_or(8)
    }

    /// Whether an enumeration of this name has this value.
    pub(crate) fn enumeration_has(&self, name: &str, value: i64) -> bool {
        let found = self
            .find(name, Some(ENUM))
            .and_then(|id| self.describe(id))
            .map(|found| found.details);
        match found {
            Some(TypeDetails::Enumeration(all)) => all.values.iter().any(|known| {
                // The one that says where they end is no value.
                known.value == value
                    && !known.name.starts_with("__MAX_")
                    && !known.name.starts_with("MAX_")
            }),
            _ => false,
        }
    }
}

fn word(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*data.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BTF of types given as words, and strings.
    fn raw(types: &[&[u32]], strings: &[u8]) -> Vec<u8> {
        let words: Vec<u32> = types.concat();
        let mut data = Vec::new();
        data.extend(MAGIC.to_ne_bytes());
        data.extend([1, 0]);
        for word in [
            24,
            0,
            words.len() as u32 * 4,
            words.len() as u32 * 4,
            strings.len() as u32,
        ] {
            data.extend(word.to_ne_bytes());
        }
        data.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
        data.extend(strings);
        data
    }

    fn info(kind: u32, count: u32) -> u32 {
        kind << 24 | count
    }

    const STRINGS: &[u8] = b"\0int\0pair\0a\0b\0";

    fn pair() -> Types {
        let int: &[u32] = &[1, info(INT, 0), 4, 1 << 24 | 32];
        let pair: &[u32] = &[5, info(STRUCT, 2), 8, 10, 1, 0, 12, 1, 32];
        let array: &[u32] = &[0, info(ARRAY, 0), 0, 2, 1, 3];
        let typedef: &[u32] = &[5, info(TYPEDEF, 0), 3];
        Types::parse(raw(&[int, pair, array, typedef], STRINGS), None).unwrap()
    }

    #[test]
    fn types_are_described() {
        let types = pair();
        assert_eq!(types.count(), 5);
        assert_eq!(types.find("pair", None), Some(2));
        assert_eq!(types.find("pair", Some(TYPEDEF)), Some(4));
        assert_eq!(types.find("pai", None), None);
        assert_eq!(types.find("", None), None);
        let TypeDetails::Members(members) = types.describe(2).unwrap().details else {
            panic!("no structure")
        };
        assert_eq!((members[1].name.as_str(), members[1].bit_offset), ("b", 32));
        assert!(matches!(types.resolve_size(4), Ok(24)));
        assert!(matches!(types.align_of(4), Ok(4)));
        assert!(matches!(types.resolve_type(4), Ok(3)));
        assert!(types.describe(0).is_some());
        assert!(types.describe(5).is_none());
        assert!(types.describe(u32::MAX).is_none());
        assert!(matches!(types.resolve_size(5), Err(ErrorCode::NotFound)));
        assert!(matches!(
            types.resolve_size(0),
            Err(ErrorCode::InvalidArgument)
        ));
    }

    #[test]
    fn a_module_continues_the_kernel() {
        let base = Arc::new(pair());
        let more: &[u32] = &[STRINGS.len() as u32, info(STRUCT, 1), 8, 5, 2, 0];
        let types = Types::parse(raw(&[more], b"more\0"), Some(base)).unwrap();
        assert_eq!((types.first_id(), types.count()), (5, 6));
        assert_eq!(types.find("more", None), Some(5));
        assert_eq!(types.find("pair", None), Some(2));
        let TypeDetails::Members(members) = types.describe(5).unwrap().details else {
            panic!("no structure")
        };
        assert_eq!((members[0].name.as_str(), members[0].type_), ("pair", 2));
        assert!(matches!(types.align_of(5), Ok(4)));
        assert_eq!(types.string_at(STRINGS.len() as u32).unwrap(), "more");
        assert_eq!(types.string_at(u32::MAX), None);
    }

    #[test]
    fn what_goes_in_circles_ends() {
        let own: &[u32] = &[0, info(TYPEDEF, 0), 1];
        let contains_itself: &[u32] = &[0, info(STRUCT, 1), 8, 0, 2, 0];
        let array: &[u32] = &[0, info(ARRAY, 0), 0, 3, 3, u32::MAX];
        let types = Types::parse(raw(&[own, contains_itself, array], b"\0"), None).unwrap();
        for id in 1..=3 {
            assert!(types.align_of(id).is_err());
            assert!(id == 2 || types.resolve_size(id).is_err());
        }
        assert!(types.resolve_type(1).is_err());
    }

    #[test]
    fn many_ways_to_one_structure_are_gone_once() {
        // Each has the one before it twice: 2^60 ways to the first.
        let first: Vec<u32> = vec![0, info(INT, 0), 4, 32];
        let mut all = vec![first];
        for id in 1..=60 {
            all.push(vec![0, info(STRUCT, 2), 8, 0, id, 0, 0, id, 0]);
        }
        let all: Vec<&[u32]> = all.iter().map(Vec::as_slice).collect();
        let types = Types::parse(raw(&all, b"\0"), None).unwrap();
        assert!(matches!(types.align_of(61), Ok(4)));
    }

    #[test]
    fn what_is_cut_is_refused() {
        let int: &[u32] = &[1, info(INT, 0), 4, 32];
        let pair: &[u32] = &[5, info(STRUCT, 2), 8, 10, 1, 0, 12, 1, 32];
        let whole = raw(&[int, pair], STRINGS);
        assert!(Types::parse(whole.clone(), None).is_ok());
        for length in 0..whole.len() {
            assert!(Types::parse(&whole[..length], None).is_err(), "{length}");
        }
        // Whatever a byte is: refused or read, and every question answered.
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] = value;
                let Ok(types) = Types::parse(changed, None) else {
                    continue;
                };
                for id in 0..types.count() + 1 {
                    let _ = (types.describe(id), types.weight(id));
                    let _ = (types.resolve_size(id), types.align_of(id));
                    let _ = (types.resolve_type(id), types.string_at(id));
                }
                types.find("pair", None);
            }
        }
    }

    #[test]
    fn names_without_an_end_are_refused() {
        let int: &[u32] = &[1, info(INT, 0), 4, 32];
        let mut strings = vec![0];
        strings.resize(MAX_NAME + 10, b'a');
        strings.push(0);
        assert!(Types::parse(raw(&[int], &strings), None).is_err());
        let beyond: &[u32] = &[100, info(INT, 0), 4, 32];
        assert!(Types::parse(raw(&[beyond], b"\0"), None).is_err());
        let unknown: &[u32] = &[0, info(31, 0), 4];
        assert!(Types::parse(raw(&[unknown], b"\0"), None).is_err());
    }
}
