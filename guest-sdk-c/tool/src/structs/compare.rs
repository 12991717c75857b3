//! Where the two sides lay out a struct differently.

use std::fmt::{self, Write as _};

use super::layout::{Definition, Id, Kind, Layouts, Member, Name, Number};

/// What the comparison found.
#[derive(Debug, Default)]
pub struct Comparison {
    /// The types that were compared, as the source spells them.
    pub compared: Vec<String>,
    /// Those that are not the same, each with what is to be said about it.
    pub different: Vec<Difference>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    /// The type as the source spells it.
    name: String,
    /// Where each side has it from: BPF, then the guest.
    places: [Option<String>; 2],
    sizes: [u64; 2],
    problems: Vec<Problem>,
    /// How many fields are elsewhere only because of those before them.
    moved: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Problem {
    /// One is a struct, the other a union or an enum.
    Kind {
        bpf: String,
        guest: String,
    },
    /// A field is not of the same size, or not in the same place.
    Field {
        path: String,
        spelled: [String; 2],
        places: [Place; 2],
        /// What to declare it as.
        fixed: Option<String>,
        is_pointer: bool,
    },
    OnlyBpf {
        path: String,
    },
    OnlyGuest {
        path: String,
    },
    /// All fields are where they should be.
    Size,
    /// An enum has another size.
    Enum,
}

/// Where a field is, in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    offset: u64,
    size: u64,
    is_bit_field: bool,
}

/// Compares all types that both sides have by the same name and that are not the system's.
pub fn compare(bpf: &Layouts, guest: &Layouts, ignored: &[String]) -> Comparison {
    let compare = Compare {
        bpf,
        guest,
        ignored,
    };
    let mut comparison = Comparison::default();
    for name in guest.named.keys() {
        let (ours, theirs) = compare.definitions(name);
        let Some(first) = ours.first().filter(|_| !theirs.is_empty()) else {
            continue;
        };
        comparison.compared.push(bpf.spell_name(name, first.ty));
        for ours in &ours {
            for theirs in &theirs {
                // Each source that includes a header has its own definition.
                if let Some(difference) = compare.definition(name, ours, theirs)
                    && !comparison.different.contains(&difference)
                {
                    comparison.different.push(difference);
                }
            }
        }
    }
    comparison
}

struct Compare<'a> {
    bpf: &'a Layouts,
    guest: &'a Layouts,
    ignored: &'a [String],
}

/// What a struct was found to have while its fields are walked.
#[derive(Default)]
struct Found {
    problems: Vec<Problem>,
    moved: usize,
}

impl<'a> Compare<'a> {
    /// The definitions of a name on both sides that count.
    fn definitions(&self, name: &Name) -> (Vec<&'a Definition>, Vec<&'a Definition>) {
        if self.ignored.iter().any(|ignored| ignored == name.text()) {
            return (Vec::new(), Vec::new());
        }
        let of = |layouts: &'a Layouts| -> Vec<&'a Definition> {
            let definitions = layouts.named.get(name).into_iter().flatten();
            definitions
                .filter(|definition| !definition.system)
                .collect()
        };
        (of(self.bpf), of(self.guest))
    }

    fn definition(
        &self,
        name: &Name,
        ours: &Definition,
        theirs: &Definition,
    ) -> Option<Difference> {
        let sizes = [self.bpf.size(ours.ty), self.guest.size(theirs.ty)];
        let mut found = Found::default();
        match (
            &self.bpf.resolve(ours.ty).kind,
            &self.guest.resolve(theirs.ty).kind,
        ) {
            (Kind::Composite { union, .. }, Kind::Composite { union: other, .. })
                if union == other =>
            {
                self.types("", [0, 0], ours.ty, theirs.ty, &mut found);
            }
            (Kind::Enum { .. }, Kind::Enum { .. }) => {
                if sizes[0] != sizes[1] {
                    found.problems.push(Problem::Enum);
                }
            }
            _ => found.problems.push(Problem::Kind {
                bpf: self.bpf.spell(ours.ty),
                guest: self.guest.spell(theirs.ty),
            }),
        }
        if found.problems.is_empty() {
            // If fields moved, it is because of a struct inside that is reported by itself.
            if found.moved > 0 || sizes[0] == sizes[1] || self.holds_different(ours.ty, theirs.ty) {
                return None;
            }
            found.problems.push(Problem::Size);
        }
        Some(Difference {
            name: self.bpf.spell_name(name, ours.ty),
            places: [ours.place.clone(), theirs.place.clone()],
            sizes,
            problems: found.problems,
            moved: found.moved,
        })
    }

    /// Compares what is at two places, given in bits from the start of the outermost struct.
    fn types(&self, path: &str, at: [u64; 2], ours: Id, theirs: Id, found: &mut Found) {
        let (bpf, guest) = (self.bpf.resolve(ours), self.guest.resolve(theirs));
        match (&bpf.kind, &guest.kind) {
            (
                Kind::Composite { union, members, .. },
                Kind::Composite {
                    union: their_union,
                    members: their_members,
                    ..
                },
            ) if union == their_union => {
                let ours = flatten(self.bpf, members);
                let theirs = flatten(self.guest, their_members);
                self.members(path, at, *union, &ours, &theirs, found);
            }
            (Kind::Array { element, .. }, Kind::Array { element: other, .. }) => {
                // The size was found to be the same, and so it is that of each element.
                self.types(&format!("{path}[]"), at, *element, *other, found);
            }
            _ => {}
        }
    }

    fn members(
        &self,
        path: &str,
        at: [u64; 2],
        union: bool,
        ours: &[Member],
        theirs: &[Member],
        found: &mut Found,
    ) {
        let find = |members: &'_ [Member], name: &Option<String>| {
            members.iter().position(|member| member.name == *name)
        };
        // In a union no field is behind another one.
        let mut is_moved = false;
        for member in ours {
            let Some(name) = &member.name else { continue };
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            let Some(other) = find(theirs, &member.name).map(|n| &theirs[n]) else {
                found.problems.push(Problem::OnlyBpf { path });
                is_moved = !union;
                continue;
            };
            let places = [
                place(self.bpf, at[0], member),
                place(self.guest, at[1], other),
            ];
            let before = found.problems.len();
            let is_reported = self.is_reported(member.ty, other.ty);
            let differs_inside = is_reported && self.differs(member.ty, other.ty);
            let inside = !is_reported && self.is_walked(member.ty, other.ty);
            if inside {
                // Why a struct is larger is a matter of its fields.
                self.types(
                    &path,
                    [places[0].offset, places[1].offset],
                    member.ty,
                    other.ty,
                    found,
                );
            }
            let explained = found.problems.len() > before || differs_inside;
            if !explained && places[0].size != places[1].size
                || places[0].is_bit_field != places[1].is_bit_field
            {
                found
                    .problems
                    .push(self.problem(path, places, member, other));
            } else if differs_inside {
                found.moved += 1;
            } else if !explained && places[0].offset != places[1].offset {
                if is_moved {
                    found.moved += 1;
                } else {
                    found
                        .problems
                        .push(self.problem(path, places, member, other));
                }
            }
            let differs = explained || found.problems.len() > before;
            is_moved |= differs && !union;
        }
        for other in theirs {
            if let Some(name) = &other.name
                && find(ours, &other.name).is_none()
            {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                found.problems.push(Problem::OnlyGuest { path });
            }
        }
    }

    fn problem(&self, path: String, places: [Place; 2], ours: &Member, theirs: &Member) -> Problem {
        let (fixed, is_pointer) = self.fixed(ours, theirs);
        Problem::Field {
            path,
            spelled: [self.bpf.spell(ours.ty), self.guest.spell(theirs.ty)],
            places,
            fixed,
            is_pointer,
        }
    }

    /// What both sides can declare a field as, so that it is what it now is for BPF; and whether it is a pointer.
    fn fixed(&self, ours: &Member, theirs: &Member) -> (Option<String>, bool) {
        if self.bpf.size(ours.ty) == self.guest.size(theirs.ty) {
            return (None, false);
        }
        let (base, dimensions) = strip(self.bpf, ours.ty);
        let base = self.bpf.resolve(base);
        let (name, is_pointer) = match base.kind {
            Kind::Pointer { .. } => (Some("__u64"), true),
            Kind::Number {
                size,
                number: Number::Signed,
            } => (integer(size, ["__s8", "__s16", "__s32", "__s64"]), false),
            Kind::Number {
                size,
                number: Number::Unsigned,
            }
            | Kind::Enum { size } => (integer(size, ["__u8", "__u16", "__u32", "__u64"]), false),
            _ => (None, false),
        };
        let (other, other_dimensions) = strip(self.guest, theirs.ty);
        let is_same_element = self.bpf.size(strip(self.bpf, ours.ty).0) == self.guest.size(other);
        if is_same_element || dimensions != other_dimensions {
            // The length of an array differs, for which no type is the answer.
            return (None, false);
        }
        let fixed = name.map(|name| match ours.width {
            Some(width) => format!("{name} : {width}"),
            None => format!("{name}{dimensions}"),
        });
        (fixed, is_pointer)
    }

    /// Whether a struct inside of another is compared under its own name.
    fn is_reported(&self, ours: Id, theirs: Id) -> bool {
        let (ours, theirs) = (strip(self.bpf, ours), strip(self.guest, theirs));
        if ours.1 != theirs.1 {
            return false;
        }
        match (self.bpf.tag(ours.0), self.guest.tag(theirs.0)) {
            (Some(name), Some(other)) if name == other => {
                let (ours, theirs) = self.definitions(&name);
                !ours.is_empty() && !theirs.is_empty()
            }
            _ => false,
        }
    }

    /// Whether both are structs, or arrays of as many of them.
    fn is_walked(&self, ours: Id, theirs: Id) -> bool {
        let (ours, theirs) = (strip(self.bpf, ours), strip(self.guest, theirs));
        ours.1 == theirs.1
            && matches!(self.bpf.resolve(ours.0).kind, Kind::Composite { .. })
            && matches!(self.guest.resolve(theirs.0).kind, Kind::Composite { .. })
    }

    fn differs(&self, ours: Id, theirs: Id) -> bool {
        let (ours, theirs) = (strip(self.bpf, ours).0, strip(self.guest, theirs).0);
        let mut found = Found::default();
        self.types("", [0, 0], ours, theirs, &mut found);
        !found.problems.is_empty()
            || found.moved > 0
            || self.bpf.size(ours) != self.guest.size(theirs)
    }

    /// Whether a struct has one inside that differs and is reported by itself.
    fn holds_different(&self, ours: Id, theirs: Id) -> bool {
        let (Kind::Composite { members, .. }, Kind::Composite { members: other, .. }) = (
            &self.bpf.resolve(ours).kind,
            &self.guest.resolve(theirs).kind,
        ) else {
            return false;
        };
        let other = flatten(self.guest, other);
        flatten(self.bpf, members).iter().any(|member| {
            let found = other.iter().find(|other| other.name == member.name);
            found.is_some_and(|other| {
                self.is_reported(member.ty, other.ty) && self.differs(member.ty, other.ty)
            })
        })
    }
}

/// The members of a struct, with those of structs and unions that have no name in the place of these.
fn flatten(layouts: &Layouts, members: &[Member]) -> Vec<Member> {
    let mut flat = Vec::new();
    for member in members {
        match &layouts.resolve(member.ty).kind {
            Kind::Composite { members, .. } if member.name.is_none() => {
                flat.extend(flatten(layouts, members).into_iter().map(|mut inner| {
                    inner.offset += member.offset;
                    inner
                }));
            }
            _ => flat.push(member.clone()),
        }
    }
    flat
}

fn place(layouts: &Layouts, start: u64, member: &Member) -> Place {
    Place {
        offset: start + member.offset,
        size: member
            .width
            .unwrap_or_else(|| layouts.size(member.ty).saturating_mul(8)),
        is_bit_field: member.width.is_some(),
    }
}

/// What an array consists of, and its dimensions as C writes them.
fn strip(layouts: &Layouts, id: Id) -> (Id, String) {
    let mut id = id;
    let mut dimensions = String::new();
    while let Kind::Array { element, counts } = &layouts.resolve(id).kind {
        for count in counts {
            let _ = match count {
                Some(count) => write!(dimensions, "[{count}]"),
                None => write!(dimensions, "[]"),
            };
        }
        id = *element;
    }
    (id, dimensions)
}

fn integer(size: u64, names: [&'static str; 4]) -> Option<&'static str> {
    match size {
        1 => Some(names[0]),
        2 => Some(names[1]),
        4 => Some(names[2]),
        8 => Some(names[3]),
        _ => None,
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is not the same for the BPF program and for the guest",
            self.name
        )?;
        match &self.places {
            [Some(bpf), Some(guest)] if bpf == guest => write!(f, " ({bpf})")?,
            [Some(bpf), Some(guest)] => write!(f, " (BPF: {bpf}; guest: {guest})")?,
            [None, Some(guest)] => write!(f, " ({guest})")?,
            [Some(bpf), None] => write!(f, " ({bpf})")?,
            [None, None] => {}
        }
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        match self.moved {
            0 => {}
            1 => write!(f, "\n  because of that 1 more field is elsewhere")?,
            n => write!(f, "\n  because of that {n} more fields are elsewhere")?,
        }
        let [bpf, guest] = self.sizes;
        if bpf != guest {
            write!(f, "\n  in all {bpf} bytes for BPF, {guest} for the guest")?;
        }
        if self.problems == [Problem::Size] {
            write!(
                f,
                "; its end is padded differently: fill it up with a field of bytes, to a multiple of 8"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind { bpf, guest } => write!(f, "it is {bpf} for BPF, {guest} for the guest"),
            Self::OnlyBpf { path } => {
                write!(
                    f,
                    "{path}: the guest does not have this field: use one declaration for both"
                )
            }
            Self::OnlyGuest { path } => write!(
                f,
                "{path}: the BPF program does not have this field: use one declaration for both"
            ),
            Self::Size => write!(f, "all fields are where they should be"),
            Self::Enum => write!(
                f,
                "one side packs it, or has values in it that the other has not: use one declaration for both"
            ),
            Self::Field {
                path,
                spelled: [ours, theirs],
                places: [bpf, guest],
                fixed,
                is_pointer,
            } => {
                write!(f, "{path} ({ours}")?;
                if ours != theirs {
                    write!(f, "; guest: {theirs}")?;
                }
                write!(f, "): {bpf} for BPF, {guest} for the guest")?;
                match fixed {
                    Some(fixed) if *is_pointer => write!(
                        f,
                        ": declare it as {fixed}, and convert pointers with (__u64)(unsigned long)"
                    ),
                    Some(fixed) => write!(f, ": declare it as {fixed}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (byte, bit) = (self.offset / 8, self.offset % 8);
        if self.is_bit_field {
            let plural = if self.size == 1 { "" } else { "s" };
            write!(f, "{} bit{plural} at offset {byte}, bit {bit}", self.size)
        } else {
            let size = self.size / 8;
            let plural = if size == 1 { "" } else { "s" };
            write!(f, "{size} byte{plural} at offset {byte}")
        }
    }
}
