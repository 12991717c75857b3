//! What the types of one side look like in memory, whatever told so.

use std::collections::BTreeMap;

/// A type, by its place among the types of its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id(usize);

/// `void`, and whatever else has no size.
pub const NOTHING: Id = Id(0);

#[derive(Clone, Debug)]
pub struct Type {
    /// The name in the source, without `struct` and the like.
    pub name: Option<String>,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Number {
        size: u64,
        number: Number,
    },
    Pointer {
        size: u64,
        to: Id,
    },
    /// With the number of elements in each dimension; it is absent for the array without one at the end of a struct.
    Array {
        element: Id,
        counts: Vec<Option<u64>>,
    },
    Composite {
        union: bool,
        size: u64,
        members: Vec<Member>,
    },
    Enum {
        size: u64,
    },
    /// A typedef, or a qualifier such as `const`, which has no name.
    Alias(Id),
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    Signed,
    Unsigned,
    /// A floating-point number, a `bool`: nothing that an integer stands for.
    Other,
}

#[derive(Clone, Debug)]
pub struct Member {
    /// Absent for a struct or union whose members count as those of the outer one.
    pub name: Option<String>,
    pub ty: Id,
    /// In bits, from the start of the struct.
    pub offset: u64,
    /// How many bits a bit-field has.
    pub width: Option<u64>,
}

/// By what name two sides share a type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// Of a struct, union or enum.
    Tag(String),
    /// Of one that has no name but by a typedef.
    Typedef(String),
}

impl Name {
    pub fn text(&self) -> &str {
        match self {
            Self::Tag(name) | Self::Typedef(name) => name,
        }
    }
}

/// A struct, union or enum that has a name.
#[derive(Clone, Debug)]
pub struct Definition {
    pub ty: Id,
    /// The file and line, where they are known.
    pub place: Option<String>,
    /// Whether it is of the system, which the two sides have each for itself.
    pub system: bool,
}

/// All types of one side.
#[derive(Debug)]
pub struct Layouts {
    types: Vec<Type>,
    pub named: BTreeMap<Name, Vec<Definition>>,
}

impl Default for Layouts {
    fn default() -> Self {
        Self {
            types: vec![Type {
                name: None,
                kind: Kind::Nothing,
            }],
            named: BTreeMap::new(),
        }
    }
}

impl Layouts {
    /// Makes room for a type that is not known yet.
    pub fn reserve(&mut self) -> Id {
        self.types.push(self.types[0].clone());
        Id(self.types.len() - 1)
    }

    pub fn set(&mut self, id: Id, ty: Type) {
        self.types[id.0] = ty;
    }

    pub fn get(&self, id: Id) -> &Type {
        &self.types[id.0]
    }

    pub fn get_mut(&mut self, id: Id) -> &mut Type {
        &mut self.types[id.0]
    }

    /// The type behind typedefs and qualifiers.
    pub fn resolve(&self, mut id: Id) -> &Type {
        // No source has a longer chain; one that goes in a circle comes from a broken file.
        for _ in 0..64 {
            match self.get(id).kind {
                Kind::Alias(next) => id = next,
                _ => return self.get(id),
            }
        }
        self.get(NOTHING)
    }

    pub fn size(&self, id: Id) -> u64 {
        match &self.resolve(id).kind {
            Kind::Number { size, .. }
            | Kind::Pointer { size, .. }
            | Kind::Composite { size, .. }
            | Kind::Enum { size } => *size,
            Kind::Array { element, counts } => counts
                .iter()
                .map(|count| count.unwrap_or(0))
                .fold(self.size(*element), u64::saturating_mul),
            Kind::Alias(_) | Kind::Nothing => 0,
        }
    }

    /// A type as the source spells it.
    pub fn spell(&self, id: Id) -> String {
        let ty = self.get(id);
        match (&ty.kind, &ty.name) {
            (Kind::Composite { union: false, .. }, name) => tagged("struct", name),
            (Kind::Composite { union: true, .. }, name) => tagged("union", name),
            (Kind::Enum { .. }, name) => tagged("enum", name),
            (_, Some(name)) => name.clone(),
            (Kind::Pointer { to, .. }, None) => match self.get(*to).kind {
                // The name of a struct that is only declared is not kept, nor are functions spelled out.
                Kind::Nothing => "a pointer".into(),
                Kind::Pointer { .. } => format!("{}*", self.spell(*to)),
                _ => format!("{} *", self.spell(*to)),
            },
            (Kind::Array { element, counts }, None) => {
                let mut text = self.spell(*element);
                for count in counts {
                    text.push('[');
                    text.extend(count.map(|count| count.to_string()));
                    text.push(']');
                }
                text
            }
            (Kind::Alias(to), None) => self.spell(*to),
            (Kind::Number { size, .. }, None) => format!("a number of {size} bytes"),
            (Kind::Nothing, None) => "void".into(),
        }
    }

    /// A type by which it is shared, as the source spells it.
    pub fn spell_name(&self, name: &Name, id: Id) -> String {
        match name {
            Name::Tag(_) => self.spell(id),
            Name::Typedef(name) => name.clone(),
        }
    }

    /// The name by which a struct or union is shared, if it has one of its own.
    pub fn tag(&self, id: Id) -> Option<Name> {
        let ty = self.resolve(id);
        match ty.kind {
            Kind::Composite { .. } => ty.name.clone().map(Name::Tag),
            _ => None,
        }
    }

    pub fn define(&mut self, name: Name, definition: Definition) {
        self.named.entry(name).or_default().push(definition);
    }
}

fn tagged(word: &str, name: &Option<String>) -> String {
    match name {
        Some(name) => format!("{word} {name}"),
        None => format!("a {word} without a name"),
    }
}
