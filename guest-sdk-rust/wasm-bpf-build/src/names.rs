//! Rust names for C names.

use std::collections::HashSet;

/// The keywords that Rust accepts as names in their raw form; those of every edition, as the edition of the guest is
/// not known here.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// The keywords that have no raw form.
const RESERVED: &[&str] = &["_", "Self", "crate", "self", "super"];

/// The names that definitions are made of; a C type with such a name would hide one from all others.
const USED: &[&str] = &[
    "Box", "Default", "Option", "Some", "bool", "f32", "f64", "i16", "i32", "i64", "i8", "str",
    "u16", "u32", "u64", "u8", "usize", "zerocopy",
];

/// The C name with every character that Rust does not take replaced: compilers put dots into the names of static
/// variables, and file names have dashes.
pub(crate) fn plain(c: &str) -> String {
    let mut name: String = c
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

/// A name as it is written in Rust source.
pub(crate) fn identifier(c: &str) -> String {
    let name = plain(c);
    if KEYWORDS.contains(&name.as_str()) {
        format!("r#{name}")
    } else if RESERVED.contains(&name.as_str()) {
        format!("{name}_")
    } else {
        name
    }
}

/// A name for a type.
pub(crate) fn type_identifier(c: &str) -> String {
    let name = identifier(c);
    if USED.contains(&name.as_str()) {
        format!("{name}_")
    } else {
        name
    }
}

/// The camel-case form that Rust types have.
pub(crate) fn camel_case(c: &str) -> String {
    let name: String = plain(c)
        .split('_')
        .flat_map(|word| {
            let mut chars = word.chars();
            chars
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(chars)
                .collect::<Vec<_>>()
        })
        .collect();
    plain(&name)
}

/// The names of one scope.
#[derive(Debug, Default)]
pub(crate) struct Scope(HashSet<String>);

impl Scope {
    /// Gives the name, or one like it where it is taken already.
    pub(crate) fn claim(&mut self, name: String) -> String {
        if self.0.insert(name.clone()) {
            return name;
        }
        (2..)
            .map(|n| format!("{}_{n}", name.trim_start_matches("r#")))
            .find(|name| self.0.insert(name.clone()))
            .unwrap_or(name)
    }

    /// Whether the name is taken.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers() {
        assert_eq!(identifier("pid"), "pid");
        assert_eq!(identifier("type"), "r#type");
        assert_eq!(identifier("gen"), "r#gen");
        assert_eq!(identifier("self"), "self_");
        assert_eq!(identifier("_"), "__");
        assert_eq!(identifier("handle_exec.____fmt"), "handle_exec_____fmt");
        assert_eq!(identifier("3way"), "_3way");
        assert_eq!(identifier("rodata.str1.1"), "rodata_str1_1");
        assert_eq!(identifier(""), "__");
        assert_eq!(type_identifier("u64"), "u64_");
        assert_eq!(type_identifier("match"), "r#match");
        assert_eq!(type_identifier("event"), "event");
    }

    #[test]
    fn camel_case_names() {
        assert_eq!(camel_case("bootstrap"), "Bootstrap");
        assert_eq!(camel_case("tcp-connect.v4"), "TcpConnectV4");
        assert_eq!(camel_case("__x__y"), "XY");
        assert_eq!(camel_case("3way"), "_3way");
        assert_eq!(camel_case("runQueue"), "RunQueue");
    }

    #[test]
    fn taken_names_get_a_number() {
        let mut scope = Scope::default();
        assert_eq!(scope.claim("a".into()), "a");
        assert_eq!(scope.claim("a".into()), "a_2");
        assert_eq!(scope.claim("a".into()), "a_3");
        assert_eq!(scope.claim("r#type".into()), "r#type");
        assert_eq!(scope.claim("r#type".into()), "type_2");
        assert!(scope.has("a_2") && !scope.has("b"));
    }
}
