//! `docs/c-compat.md`: which functions of libbpf the library for C guests has, what is different there, and which tests of it call them.
//!
//! It is made of the headers in `guest-sdk-c/include/bpf`, of the tests in `guest-sdk-c/tests`, and of `guest-sdk-c/missing.toml`, which says why
//! the other functions are not there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::coverage::named_functions;

/// Where `<bpf/...>` is.
const HEADERS: &str = "guest-sdk-c/include/bpf";
/// The headers that programs include; the others come with them.
const ENTRIES: [&str; 4] = ["libbpf.h", "bpf.h", "btf.h", "libbpf_legacy.h"];
const TESTS: &str = "guest-sdk-c/tests";
const MISSING: &str = "guest-sdk-c/missing.toml";
/// More tests of a function than this are not named.
const SHOWN_TESTS: usize = 3;

/// `NAME_bpf__SUFFIX` of a skeleton, and what it calls.
const SKELETON: [(&str, &[&str]); 7] = [
    ("open", &["bpf_object__open_skeleton"]),
    ("open_opts", &["bpf_object__open_skeleton"]),
    (
        "open_and_load",
        &["bpf_object__open_skeleton", "bpf_object__load_skeleton"],
    ),
    ("load", &["bpf_object__load_skeleton"]),
    ("attach", &["bpf_object__attach_skeleton"]),
    ("detach", &["bpf_object__detach_skeleton"]),
    ("destroy", &["bpf_object__destroy_skeleton"]),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    reason: String,
    functions: Vec<String>,
}

/// `missing.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    /// What is not declared.
    #[serde(default)]
    missing: Vec<Group>,
    /// What is declared, since programs call it whatever it answers, and always fails.
    #[serde(default)]
    refused: Vec<Group>,
}

impl Table {
    fn load(root: &Path) -> Result<Self> {
        let path = root.join(MISSING);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }
}

/// A function of a header.
#[derive(Debug, PartialEq, Eq)]
struct Function {
    name: String,
    /// The comment above it, in one line.
    comment: String,
}

/// What one header declares.
#[derive(Debug, Default)]
struct Header {
    /// Below [`HEADERS`].
    path: String,
    /// Its first comment.
    title: String,
    functions: Vec<Function>,
    /// Macros with parameters, and what they name.
    macros: BTreeMap<String, Vec<String>>,
    includes: Vec<String>,
}

/// The words of C code.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// A comment without its marks, in one line.
fn in_one_line(comment: &str) -> String {
    let inside = comment
        .trim()
        .trim_start_matches("/*")
        .trim_end_matches("*/");
    let lines = inside.lines().map(|line| {
        let line = line.trim();
        line.strip_prefix('*').unwrap_or(line).trim()
    });
    lines
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The name that `LIBBPF_API TYPE NAME(...);` declares.
fn declared_name(declaration: &str) -> Option<&str> {
    let (before, _) = declaration
        .strip_prefix("LIBBPF_API")?
        .trim()
        .split_once('(')?;
    words(before.trim()).last()
}

impl Header {
    fn parse(path: &str, text: &str) -> Result<Self> {
        let mut header = Self {
            path: path.to_owned(),
            ..Self::default()
        };
        let mut lines = text.lines();
        let mut comment = String::new();
        while let Some(line) = lines.next() {
            // A statement, a comment or a macro in one piece.
            let mut piece = line.to_owned();
            let ends: fn(&str) -> bool = if line.starts_with("/*") {
                |piece| piece.ends_with("*/")
            } else if line.starts_with("LIBBPF_API") {
                |piece| piece.ends_with(';')
            } else if line.starts_with("#define") {
                |piece| !piece.ends_with('\\')
            } else {
                |_| true
            };
            while !ends(&piece) {
                let next = lines
                    .next()
                    .with_context(|| format!("{path} ends in the middle of: {line}"))?;
                piece.push('\n');
                piece.push_str(next);
            }
            if line.is_empty() {
                comment.clear();
            } else if line.starts_with("/*") {
                comment = in_one_line(&piece);
                if header.title.is_empty() && !comment.starts_with("SPDX") {
                    header.title.clone_from(&comment);
                }
            } else if line.starts_with("LIBBPF_API") {
                let name = declared_name(&piece)
                    .with_context(|| format!("{path}: not understood: {piece}"))?;
                header.functions.push(Function {
                    name: name.to_owned(),
                    comment: std::mem::take(&mut comment),
                });
            } else if let Some(rest) = line.strip_prefix("#include <bpf/") {
                header
                    .includes
                    .push(rest.trim_end_matches('>').trim().to_owned());
            } else if let Some(rest) = piece.strip_prefix("#define ") {
                let end = rest
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(rest.len());
                let body = words(&rest[end..]).map(ToOwned::to_owned).collect();
                header.macros.insert(rest[..end].to_owned(), body);
            }
        }
        Ok(header)
    }
}

/// All headers in the order in which a program gets to see them.
fn headers(root: &Path) -> Result<Vec<Header>> {
    fn add(
        dir: &Path,
        path: &str,
        seen: &mut BTreeSet<String>,
        all: &mut Vec<Header>,
    ) -> Result<()> {
        if !seen.insert(path.to_owned()) {
            return Ok(());
        }
        let file = dir.join(path);
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let header = Header::parse(path, &text)?;
        for include in &header.includes {
            add(dir, include, seen, all)?;
        }
        all.push(header);
        Ok(())
    }
    let dir = root.join(HEADERS);
    let (mut seen, mut all) = (BTreeSet::new(), Vec::new());
    for entry in ENTRIES {
        add(&dir, entry, &mut seen, &mut all)?;
    }
    for file in files(&dir)? {
        let path = file.strip_prefix(&dir)?.to_string_lossy().into_owned();
        ensure!(
            seen.contains(&path) || !fs::read_to_string(&file)?.contains("\nLIBBPF_API"),
            "{path} is included by none of {}",
            ENTRIES.join(", ")
        );
    }
    Ok(all)
}

/// The files below a directory, in the order of their names.
fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// C code without its comments, and without what is in quotes.
fn only_code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if c == '"' || c == '\'' {
            let mut escaped = false;
            let end = rest[1..].find(|next: char| {
                let ends = next == c && !escaped;
                escaped = next == '\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |end| end + 2)
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        code.push(' ');
        rest = &rest[skipped..];
    }
    code
}

/// What a test names, through macros of the headers and its skeletons too.
fn named_by(text: &str, macros: &BTreeMap<&str, &Vec<String>>) -> BTreeSet<String> {
    let skeletons: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("#include \"")?.strip_suffix(".skel.h\""))
        .collect();
    let code = only_code(text);
    let mut open: Vec<&str> = words(&code).collect();
    let mut named = BTreeSet::new();
    while let Some(word) = open.pop() {
        if !named.insert(word.to_owned()) {
            continue;
        }
        if let Some(body) = macros.get(word) {
            open.extend(body.iter().map(String::as_str));
        }
        let of_skeleton = skeletons
            .iter()
            .find_map(|name| word.strip_prefix(name)?.strip_prefix("_bpf__"));
        for (suffix, calls) in SKELETON {
            if of_skeleton == Some(suffix) {
                open.extend(calls);
            }
        }
    }
    named
}

/// The tests that name a function, by function.
fn tests(root: &Path, headers: &[Header]) -> Result<BTreeMap<String, Vec<String>>> {
    let macros = headers
        .iter()
        .flat_map(|header| &header.macros)
        .map(|(name, body)| (name.as_str(), body))
        .collect();
    let dir = root.join(TESTS);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in fs::read_dir(&dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !(name.ends_with(".c") || name.ends_with(".cpp")) || name.ends_with(".bpf.c") {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        for word in named_by(&text, &macros) {
            found
                .entry(word)
                .or_default()
                .push(name.clone().into_owned());
        }
    }
    for tests in found.values_mut() {
        tests.sort();
    }
    Ok(found)
}

/// Everything that the page is made of.
#[derive(Debug)]
struct Sources {
    headers: Vec<Header>,
    tests: BTreeMap<String, Vec<String>>,
    table: Table,
    libbpf: BTreeSet<String>,
}

impl Sources {
    fn load(root: &Path) -> Result<Self> {
        let headers = headers(root)?;
        Ok(Self {
            tests: tests(root, &headers)?,
            headers,
            table: Table::load(root)?,
            libbpf: named_functions(root)?,
        })
    }

    fn declared(&self) -> impl Iterator<Item = &Function> {
        self.headers.iter().flat_map(|header| &header.functions)
    }

    /// What is wrong with them, one line each.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut declared = BTreeSet::new();
        for function in self.declared() {
            let name = function.name.as_str();
            if !declared.insert(name) {
                problems.push(format!("{name} is declared twice"));
            }
            if !self.libbpf.contains(name) {
                problems.push(format!("{name} is declared, and no function of libbpf"));
            }
            if function.comment.is_empty() {
                problems.push(format!("{name} has no comment above it"));
            }
            if !self.tests.contains_key(name) {
                problems.push(format!("{name} is called by no test in {TESTS}"));
            }
        }
        let mut explained = BTreeSet::new();
        for (groups, wants_declaration) in
            [(&self.table.missing, false), (&self.table.refused, true)]
        {
            for name in groups.iter().flat_map(|group| &group.functions) {
                if !explained.insert(name.as_str()) {
                    problems.push(format!("{name} is in {MISSING} twice"));
                }
                if !self.libbpf.contains(name) {
                    problems.push(format!("{name} is in {MISSING}, and no function of libbpf"));
                } else if declared.contains(name.as_str()) != wants_declaration {
                    let there = if wants_declaration { "is not" } else { "is" };
                    problems.push(format!(
                        "{name} {there} declared, other than {MISSING} says"
                    ));
                }
            }
        }
        for name in &self.libbpf {
            if !declared.contains(name.as_str()) && !explained.contains(name.as_str()) {
                problems.push(format!(
                    "{name} is not declared, and {MISSING} does not say why"
                ));
            }
        }
        problems
    }

    fn reason_of_refusal(&self, name: &str) -> Option<&str> {
        let groups = self.table.refused.iter();
        let mut with_it = groups.filter(|group| group.functions.iter().any(|it| it == name));
        with_it.next().map(|group| group.reason.as_str())
    }

    fn row(&self, function: &Function) -> String {
        let Function { name, comment } = function;
        let supported = match self.reason_of_refusal(name) {
            Some(reason) => format!("no: {reason}"),
            None => "yes".to_owned(),
        };
        let tests = self.tests.get(name).map_or(&[][..], Vec::as_slice);
        let mut shown: Vec<String> = tests
            .iter()
            .take(SHOWN_TESTS)
            .map(|test| {
                let stem = test
                    .rsplit_once('.')
                    .map_or(test.as_str(), |(stem, _)| stem);
                format!("[{stem}](../{TESTS}/{test})")
            })
            .collect();
        if tests.len() > SHOWN_TESTS {
            // Not how many: the page would change with every test.
            shown.push("and others".to_owned());
        }
        format!(
            "| `{name}` | {supported} | {} | {} |\n",
            comment.replace('|', "\\|"),
            shown.join(", ")
        )
    }

    fn render(&self) -> Result<String> {
        let declared = self.declared().count();
        let refused: usize = self
            .table
            .refused
            .iter()
            .map(|group| group.functions.len())
            .sum();
        let missing: usize = self
            .table
            .missing
            .iter()
            .map(|group| group.functions.len())
            .sum();
        let mut page = format!(
            "<!-- Made by `make coverage` from {HEADERS}, {TESTS} and {MISSING}. Do not edit. -->\n\n\
             # libbpf's API for C guests\n\n\
             Which of libbpf's functions the library for C guests has. Results and `errno` are those of libbpf 1.7; where a function does something else, or less, the\n\
             column in the middle says so, in the words of the header.\n\n\
             | functions of libbpf | {} |\n|---|---|\n\
             | there | {} |\n| declared, without support | {refused} |\n| [not there](#not-there) | {missing} |\n\n\
             - **supported**: no for what programs may call, and what always fails.\n\
             - **test**: which of the library's own tests calls it, and checks what it gives. A test runs as a component on a real kernel.\n",
            self.libbpf.len(),
            declared - refused,
        );
        for header in self
            .headers
            .iter()
            .filter(|header| !header.functions.is_empty())
        {
            let title = header
                .title
                .split_inclusive(". ")
                .next()
                .unwrap_or_default();
            write!(
                page,
                "\n## `<bpf/{0}>`\n\n[{1}](../{HEADERS}/{0})\n\n| libbpf function | supported | here | test |\n|---|---|---|---|\n",
                header.path,
                title.trim().trim_end_matches('.')
            )?;
            for function in &header.functions {
                page.push_str(&self.row(function));
            }
        }
        page.push_str("\n## Not there\n\n| functions | why not |\n|---|---|\n");
        for group in &self.table.missing {
            let names = group.functions.iter().map(|name| format!("`{name}`"));
            let names = names.collect::<Vec<_>>().join(", ");
            writeln!(page, "| {names} | {} |", group.reason.replace('|', "\\|"))?;
        }
        Ok(page)
    }
}

/// The text of `docs/c-compat.md`, and what is wrong with what it is made of, one line each.
///
/// # Errors
/// If something cannot be read or understood.
pub fn document(root: &Path) -> Result<(String, Vec<String>)> {
    let sources = Sources::load(root)?;
    Ok((sources.render()?, sources.problems()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "\
/* SPDX-License-Identifier: X */
/* Maps. They hold things. */
#include <bpf/other.h>

/* Opens it. Not with a mouse. */
LIBBPF_API struct map *map__open(const char *name);

/*
 * Closes it,
 * or them.
 */
LIBBPF_API void map__close(struct map *map,
\t\t\t   int how);
/* Closes all. */
LIBBPF_API int map__close_all(void);

#define map__for_each(map) \\
\tfor (map = map__next(0); map; map = map__next(map))
";

    fn sources(test: &str, table: &str, libbpf: &[&str]) -> Sources {
        let headers = vec![Header::parse("map.h", HEADER).unwrap()];
        let macros = headers[0]
            .macros
            .iter()
            .map(|(name, body)| (name.as_str(), body))
            .collect();
        let named = named_by(test, &macros);
        Sources {
            tests: named
                .into_iter()
                .map(|name| (name, vec!["map.c".to_owned()]))
                .collect(),
            headers,
            table: toml::from_str(table).unwrap(),
            libbpf: libbpf.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn declarations_with_their_comments() {
        let header = Header::parse("map.h", HEADER).unwrap();
        let found: Vec<_> = header
            .functions
            .iter()
            .map(|f| (f.name.as_str(), f.comment.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("map__open", "Opens it. Not with a mouse."),
                ("map__close", "Closes it, or them."),
                ("map__close_all", "Closes all."),
            ]
        );
        assert_eq!(header.title, "Maps. They hold things.");
        assert_eq!(header.includes, ["other.h"]);
        Header::parse("x.h", "/* Cut\n").unwrap_err();
        Header::parse("x.h", "/* It. */\nLIBBPF_API int map__open;\n").unwrap_err();
    }

    #[test]
    fn calls_are_found_in_code_alone() {
        let named = named_by(
            "#include \"a.skel.h\"\n// map__open\nint main() { /* map__close */ a_bpf__open_and_load(); x(\"map__close_all \\\" b\"); map__for_each(m); }",
            &[("map__for_each", &vec!["map__next".to_owned()])].into(),
        );
        for name in [
            "map__next",
            "main",
            "bpf_object__open_skeleton",
            "bpf_object__load_skeleton",
        ] {
            assert!(named.contains(name), "{name}");
        }
        for name in [
            "map__open",
            "map__close",
            "map__close_all",
            "bpf_object__attach_skeleton",
        ] {
            assert!(!named.contains(name), "{name}");
        }
    }

    #[test]
    fn what_is_wrong() {
        let all = ["map__open", "map__close", "map__close_all", "map__melt"];
        let melt = "[[missing]]\nreason = \"it is hot\"\nfunctions = [\"map__melt\"]\n";
        let test = "map__open(); map__close(); map__close_all();";
        assert_eq!(sources(test, melt, &all).problems(), [""; 0]);
        let problems = |test: &str, table: &str, libbpf: &[&str]| {
            sources(test, table, libbpf).problems().join("\n")
        };
        assert!(
            problems("map__open(); map__close();", melt, &all)
                .contains("map__close_all is called by no test")
        );
        assert!(problems(test, "", &all).contains("map__melt is not declared, and"));
        assert!(
            problems(test, melt, &all[..2]).contains("map__close_all is declared, and no function")
        );
        assert!(
            problems(test, melt, &all[..3])
                .contains("map__melt is in guest-sdk-c/missing.toml, and no function")
        );
        let open = melt.replace("map__melt", "map__open");
        assert!(problems(test, &open, &all).contains("map__open is declared, other than"));
        let mut without = sources(test, melt, &all);
        without.headers[0].functions[0].comment.clear();
        assert_eq!(without.problems(), ["map__open has no comment above it"]);
        let twice = format!("{melt}{melt}");
        assert!(
            problems(test, &twice, &all).contains("map__melt is in guest-sdk-c/missing.toml twice")
        );
        let refused = melt.replace("missing", "refused");
        assert!(problems(test, &refused, &all).contains("map__melt is not declared, other than"));
    }

    #[test]
    fn the_page() {
        let table = "[[missing]]\nreason = \"it is hot\"\nfunctions = [\"map__melt\"]\n\
                     [[refused]]\nreason = \"nobody can\"\nfunctions = [\"map__close\"]\n";
        let page = sources(
            "map__open();",
            table,
            &["map__open", "map__close", "map__close_all", "map__melt"],
        )
        .render()
        .unwrap();
        assert!(
            page.contains(
                "| `map__open` | yes | Opens it. Not with a mouse. | [map](../guest-sdk-c/tests/map.c) |\n"
            ),
            "{page}"
        );
        assert!(
            page.contains("| `map__close` | no: nobody can | Closes it, or them. |  |\n"),
            "{page}"
        );
        assert!(
            page.contains("| `map__close_all` | yes | Closes all. |  |\n"),
            "{page}"
        );
        assert!(page.contains("| `map__melt` | it is hot |\n"), "{page}");
        assert!(page.contains("| there | 2 |\n"), "{page}");
        assert!(
            page.contains("[Maps](../guest-sdk-c/include/bpf/map.h)"),
            "{page}"
        );
    }
}
