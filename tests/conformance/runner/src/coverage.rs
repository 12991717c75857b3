//! `docs/coverage.md`: which functions of libbpf a component reaches, how, since which kernel, and on which kernels the suite tried them; and
//! what libbpf-rs's are in the guest crate.
//!
//! It is made of three things: `tests/conformance/coverage.toml` (kept by hand), the documentation of `wit/` (references and first kernels),
//! and `tests/conformance/kernels-passed.json` (written by runs of the suite). [`check`] compares the table with libbpf-sys, with `wit/`
//! and with the guest crate.
//!
//! Functions of the interface are named `INTERFACE.FUNCTION` or `INTERFACE.RESOURCE.FUNCTION`, as in `maps.map.lookup`; dropping and
//! constructing a resource are called `drop` and `constructor`.

mod c_names;
mod libbpf_rs;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::{self, Write as _};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use wit_parser::{FunctionKind, Resolve, TypeDefKind, TypeId};

use c_names::CNames;

/// The table that is kept by hand.
const TABLE: &str = "tests/conformance/coverage.toml";
/// What runs of the suite found.
const PASSED: &str = "tests/conformance/kernels-passed.json";
/// Where the Rust column's names must be.
const GUEST_CRATE: &str = "guest-sdk-rust/wasm-bpf-guest/src";

/// A kernel's version as it is shown: `6.1`. The order is that of versions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kernel(String);

impl Kernel {
    fn numbers(&self) -> Vec<u64> {
        self.0
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect()
    }
}

impl Ord for Kernel {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = self.numbers().cmp(&other.numbers());
        numbers.then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Kernel {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Kernel {
    fn from(label: &str) -> Self {
        Self(label.to_owned())
    }
}

/// On which kernels the suite passed a case for a function of the interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Passed(pub BTreeMap<String, BTreeSet<Kernel>>);

impl Passed {
    /// Reads the file that is checked in below `root`; nothing has passed if there is none.
    pub fn load(root: &Path) -> Result<Self> {
        let path = root.join(PASSED);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Writes the file that [`load`](Self::load) reads.
    pub fn save(&self, root: &Path) -> Result<()> {
        let path = root.join(PASSED);
        fs::write(&path, self.to_json()?).with_context(|| path.display().to_string())
    }

    /// A case that covers `function` passed on `kernel`.
    pub fn add(&mut self, function: &str, kernel: &str) {
        let kernels = self.0.entry(function.to_owned()).or_default();
        kernels.insert(kernel.into());
    }

    /// Forgets what is known of a kernel, before a run on it says it anew.
    pub fn forget(&mut self, kernel: &str) {
        let kernel = Kernel::from(kernel);
        self.0.retain(|_, kernels| {
            kernels.remove(&kernel);
            !kernels.is_empty()
        });
    }

    /// One line for each function, so that a change of one is a change of one line.
    fn to_json(&self) -> Result<String> {
        let lines = self
            .0
            .iter()
            .map(|(function, kernels)| {
                let (function, kernels) = (
                    serde_json::to_string(function)?,
                    serde_json::to_string(kernels)?,
                );
                Ok(format!("  {function}: {kernels}"))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(if lines.is_empty() {
            "{}\n".to_owned()
        } else {
            format!("{{\n{}\n}}\n", lines.join(",\n"))
        })
    }

    fn kernels(&self) -> BTreeSet<&Kernel> {
        self.0.values().flatten().collect()
    }
}

/// How one function of libbpf is reached.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Way {
    wit: String,
    #[serde(default)]
    rust: Vec<String>,
}

/// A function of the interface without one of libbpf.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    #[serde(default)]
    rust: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NotYet {
    topic: String,
    note: Option<String>,
    functions: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NotApplicable {
    reason: String,
    functions: Vec<String>,
}

/// `coverage.toml`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    interfaces: Vec<String>,
    libbpf: BTreeMap<String, Vec<Way>>,
    #[serde(default)]
    own: BTreeMap<String, Own>,
    #[serde(default)]
    not_yet: Vec<NotYet>,
    #[serde(default)]
    not_applicable: Vec<NotApplicable>,
}

impl Table {
    fn load(root: &Path) -> Result<Self> {
        let path = root.join(TABLE);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Functions of libbpf in all parts of the table, as often as they stand there.
    fn functions(&self) -> impl Iterator<Item = &str> {
        let not_yet = self.not_yet.iter().flat_map(|group| &group.functions);
        let not_applicable = self.not_applicable.iter();
        let not_applicable = not_applicable.flat_map(|group| &group.functions);
        self.libbpf
            .keys()
            .chain(not_yet)
            .chain(not_applicable)
            .map(String::as_str)
    }

    /// Names of the Rust column, each with what it stands for.
    fn rust(&self) -> impl Iterator<Item = (&str, &String)> {
        let ways = self.libbpf.iter();
        let ways = ways.flat_map(|(function, ways)| {
            let names = ways.iter().flat_map(|way| &way.rust);
            names.map(|name| (function.as_str(), name))
        });
        let own = self.own.iter();
        ways.chain(own.flat_map(|(wit, own)| own.rust.iter().map(|name| (wit.as_str(), name))))
    }
}

/// All functions of libbpf, as they stand in the table that [`check`] compares with libbpf-sys.
pub(crate) fn named_functions(root: &Path) -> Result<BTreeSet<String>> {
    Ok(Table::load(root)?
        .functions()
        .map(ToOwned::to_owned)
        .collect())
}

/// Names of one line of references, with the kernels that stand behind them in brackets.
#[derive(Debug, PartialEq, Eq)]
struct Group {
    text: String,
    kernels: Option<String>,
}

/// One line below `# References`: `libbpf: bpf_obj_pin, bpf_map__pin (4.4)`.
#[derive(Debug, PartialEq, Eq)]
struct Reference {
    /// `libbpf`, `Linux` or `POSIX`.
    whose: String,
    groups: Vec<Group>,
}

/// The words of a text that may be names of C.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

impl Reference {
    fn parse(line: &str) -> Option<Self> {
        let (whose, mut rest) = line.split_once(": ")?;
        let mut groups = Vec::new();
        let mut from = 0;
        // Brackets without a version belong to the name: mmap(2).
        while let Some(open) = rest[from..].find('(').map(|at| from + at) {
            let close = open + rest[open..].find(')')?;
            let inside = &rest[open + 1..close];
            if versions(inside).next().is_some() {
                groups.push(Group {
                    text: rest[..open].trim_matches([' ', ',']).to_owned(),
                    kernels: Some(inside.to_owned()),
                });
                rest = &rest[close + 1..];
                from = 0;
            } else {
                from = close + 1;
            }
        }
        let rest = rest.trim_matches([' ', ',']);
        if !rest.is_empty() {
            groups.push(Group {
                text: rest.to_owned(),
                kernels: None,
            });
        }
        let whose = whose.to_owned();
        (!groups.is_empty()).then_some(Self { whose, groups })
    }
}

/// The lines below `# References`, each in one piece.
fn references(docs: &str) -> Vec<Reference> {
    let mut lines: Vec<String> = Vec::new();
    let below = docs
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "# References")
        .skip(1);
    for line in below.take_while(|line| !line.starts_with('#')) {
        match (line.strip_prefix("- "), lines.last_mut()) {
            (Some(item), _) => lines.push(item.to_owned()),
            (None, Some(last)) if !line.is_empty() => {
                last.push(' ');
                last.push_str(line);
            }
            _ => {}
        }
    }
    lines
        .iter()
        .filter_map(|line| Reference::parse(line))
        .collect()
}

/// Versions in a text: `4.20` and `5.16` of "queues and stacks 4.20, bloom filters 5.16".
fn versions(text: &str) -> impl Iterator<Item = Kernel> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .filter(|word| {
            word.split_once('.').is_some_and(|(major, minor)| {
                major.parse::<u32>().is_ok() && minor.parse::<u32>().is_ok()
            })
        })
        .map(Kernel::from)
}

/// A function of the interface.
#[derive(Debug)]
struct WitFunction {
    interface: String,
    name: String,
    /// The resource that it makes or belongs to, with the interface: `maps.map`.
    resource: Option<String>,
    /// Static functions and constructors.
    needs_no_handle: bool,
    /// Dropping a resource, which has no documentation of its own. A component need not do it.
    is_drop: bool,
    references: Vec<Reference>,
}

impl WitFunction {
    /// Where its documentation names a function of libbpf; past the end if it does not.
    fn place_of(&self, function: &str) -> usize {
        let words = self.groups_of_libbpf().flat_map(|group| words(&group.text));
        let words = words.collect::<Vec<_>>();
        let place = words.iter().position(|word| *word == function);
        place.unwrap_or(words.len())
    }

    fn groups_of_libbpf(&self) -> impl Iterator<Item = &Group> {
        self.references
            .iter()
            .filter(|reference| reference.whose == "libbpf")
            .flat_map(|reference| &reference.groups)
    }

    fn groups(&self) -> impl Iterator<Item = &Group> {
        self.references
            .iter()
            .flat_map(|reference| &reference.groups)
    }

    /// What its documentation says of kernels, for one of the functions that it names or, without one, as a whole.
    fn kernels(&self, function: Option<&str>) -> Option<&str> {
        let of_function = |group: &&Group| {
            function.is_some_and(|function| words(&group.text).any(|word| word == function))
        };
        if let Some(group) = self.groups().find(of_function) {
            return group.kernels.as_deref();
        }
        let kernels = self.groups().filter_map(|group| group.kernels.as_deref());
        kernels.min_by_key(|text| versions(text).min())
    }

    /// The lowest version that its documentation names.
    fn first_kernel(&self) -> Option<Kernel> {
        versions(self.kernels(None)?).min()
    }
}

/// The interface, in the order of its files.
struct Wit {
    functions: Vec<WitFunction>,
}

impl Wit {
    fn load(root: &Path) -> Result<Self> {
        let mut resolve = Resolve::default();
        let dir = root.join("wit");
        let (package, _) = resolve
            .push_dir(&dir)
            .with_context(|| dir.display().to_string())?;
        Self::of(&resolve, package)
    }

    fn of(resolve: &Resolve, package: wit_parser::PackageId) -> Result<Self> {
        let mut functions = Vec::new();
        for (interface, id) in &resolve.packages[package].interfaces {
            let id = &resolve.interfaces[*id];
            let full = |resource: TypeId| {
                let name = resolve.types[resource].name.as_deref();
                format!("{interface}.{}", name.unwrap_or_default())
            };
            for function in id.functions.values() {
                let (resource, needs_no_handle) = match function.kind {
                    FunctionKind::Freestanding | FunctionKind::AsyncFreestanding => (None, true),
                    FunctionKind::Method(id) | FunctionKind::AsyncMethod(id) => {
                        (Some(full(id)), false)
                    }
                    FunctionKind::Static(id)
                    | FunctionKind::AsyncStatic(id)
                    | FunctionKind::Constructor(id) => (Some(full(id)), true),
                };
                let last = match function.kind {
                    FunctionKind::Constructor(_) => "constructor",
                    _ => function.item_name(),
                };
                let owner = resource.as_deref().unwrap_or(interface);
                let name = format!("{owner}.{last}");
                let docs = function.docs.contents.as_deref().unwrap_or_default();
                let references = references(docs);
                ensure!(
                    !references.is_empty(),
                    "the documentation of {name} has no references"
                );
                functions.push(WitFunction {
                    interface: interface.clone(),
                    name,
                    resource,
                    needs_no_handle,
                    is_drop: false,
                    references,
                });
            }
            for ty in id.types.values() {
                if !matches!(resolve.types[*ty].kind, TypeDefKind::Resource) {
                    continue;
                }
                let docs = resolve.types[*ty].docs.contents.as_deref();
                let drop = WitFunction {
                    interface: interface.clone(),
                    name: format!("{}.drop", full(*ty)),
                    resource: Some(full(*ty)),
                    needs_no_handle: false,
                    is_drop: true,
                    references: references(docs.unwrap_or_default()),
                };
                let last = functions
                    .iter()
                    .rposition(|function: &WitFunction| function.resource == drop.resource);
                functions.insert(last.map_or(functions.len(), |last| last + 1), drop);
            }
        }
        Ok(Self { functions })
    }

    fn find(&self, name: &str) -> Option<(usize, &WitFunction)> {
        let mut functions = self.functions.iter().enumerate();
        functions.find(|(_, wit)| wit.name == name)
    }

    /// From which kernel on, as the documentation says it. A method that says nothing is as old as what makes its resource.
    fn since(&self, wit: &WitFunction, function: Option<&str>) -> Option<String> {
        if let Some(kernels) = wit.kernels(function) {
            return Some(kernels.to_owned());
        }
        if wit.needs_no_handle {
            return None;
        }
        let makers = self
            .functions
            .iter()
            .filter(|maker| maker.needs_no_handle && maker.resource == wit.resource)
            .map(WitFunction::first_kernel)
            .collect::<Option<Vec<_>>>()?;
        makers.into_iter().min().map(|kernel| kernel.to_string())
    }
}

/// Functions of the interface that a component can call, in the order of `wit/`.
pub fn wit_functions(root: &Path) -> Result<Vec<String>> {
    let functions = Wit::load(root)?.functions.into_iter();
    Ok(functions
        .filter(|wit| !wit.is_drop)
        .map(|wit| wit.name)
        .collect())
}

const HEAD: &str = "\
<!-- Made by `make coverage` from wit/, tests/conformance/coverage.toml and tests/conformance/kernels-passed.json. Do not edit. -->

# Coverage: the functions of libbpf and libbpf-rs

Which of libbpf's public functions a component reaches, how, and since which kernel. This page is made by `make coverage`; what it says of the
interface comes from `wit/`.

";

const LEGEND: &str = "
- **libbpf function**: the one whose work it is. Where none corresponds, what the WIT function stands on instead.
- **WIT function**: `INTERFACE.RESOURCE.FUNCTION` of the package `wasm-bpf:bpf`; `drop` is what happens when the last handle is dropped. One
  function of libbpf may be several here, and several of libbpf one.
- **Rust**: what calls it in `wasm-bpf-guest`; — if only the generated bindings do.
- **C**: what calls it in a guest written in C: the function of libbpf, where its API for guests has it, else the generated bindings.
- **first kernel**: the first Linux that can do it, and what came later. — where the interface names none: it asks nothing of the kernel, or
  what it asks depends on the kind of map or program (`wit/types.wit` has their versions).
- **kernels passed**: those on which the conformance suite passed a case for the WIT function; `from` a version: on all from there on. — for
  none yet.
";

fn code(names: &[String]) -> String {
    let names = names.iter().map(|name| format!("`{name}`"));
    names.collect::<Vec<_>>().join(", ")
}

fn or_dash(text: String) -> String {
    if text.is_empty() {
        "—".to_owned()
    } else {
        text
    }
}

/// Those of `passed` in few words. Whoever has all from some version on is told by that version.
fn kernels_in_words(all: &BTreeSet<&Kernel>, passed: Option<&BTreeSet<Kernel>>) -> String {
    let Some(passed) = passed.filter(|passed| !passed.is_empty()) else {
        return "—".to_owned();
    };
    let is_rest = passed
        .iter()
        .rev()
        .zip(all.iter().rev())
        .all(|(passed, one_of_all)| passed == *one_of_all);
    match passed.first() {
        _ if is_rest && passed.len() == all.len() => "all".to_owned(),
        Some(first) if is_rest && passed.len() > 2 => format!("from {first}"),
        _ => {
            let passed = passed.iter().map(Kernel::to_string);
            passed.collect::<Vec<_>>().join(", ")
        }
    }
}

/// Columns of a line.
const WIDTH: usize = 140;

/// Names in lines that are not too long.
fn lines_of(names: &[String]) -> String {
    let mut text = String::new();
    let mut width = 0;
    for (index, name) in names.iter().enumerate() {
        let comma = if index + 1 < names.len() { "," } else { "" };
        let name = format!("`{name}`{comma}");
        if width > 0 && width + 1 + name.len() > WIDTH {
            text.push('\n');
            width = 0;
        } else if width > 0 {
            text.push(' ');
            width += 1;
        }
        width += name.len();
        text.push_str(&name);
    }
    text
}

/// One line of a table.
struct Row<'a> {
    /// The place of the function among those of the interface.
    at: usize,
    wit: &'a WitFunction,
    libbpf: Option<&'a str>,
    rust: &'a [String],
}

impl Row<'_> {
    fn write(
        &self,
        text: &mut String,
        wit: &Wit,
        c: &CNames,
        passed: &Passed,
        all: &BTreeSet<&Kernel>,
    ) {
        let libbpf = match self.libbpf {
            Some(function) => format!("`{function}`"),
            None => {
                let references = self.wit.references.iter().map(|reference| {
                    let groups = reference.groups.iter().map(|group| group.text.as_str());
                    let groups = groups.collect::<Vec<_>>().join(", ");
                    format!("{}: {groups}", reference.whose)
                });
                references.collect::<Vec<_>>().join("; ")
            }
        };
        let c = c.of(&self.wit.name, self.libbpf);
        let cells = [
            libbpf,
            format!("`{}`", self.wit.name),
            or_dash(code(self.rust)),
            format!("`{c}`"),
            or_dash(wit.since(self.wit, self.libbpf).unwrap_or_default()),
            kernels_in_words(all, passed.0.get(&self.wit.name)),
        ];
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
}

fn rows<'a>(wit: &'a Wit, table: &'a Table) -> Result<Vec<Row<'a>>> {
    let find = |name: &str, of: &str| {
        wit.find(name)
            .with_context(|| format!("{of}: the interface has no {name}"))
    };
    let mut rows = Vec::new();
    for (function, ways) in &table.libbpf {
        for way in ways {
            let (at, wit) = find(&way.wit, function)?;
            rows.push(Row {
                at,
                wit,
                libbpf: Some(function),
                rust: &way.rust,
            });
        }
    }
    for (name, own) in &table.own {
        let (at, wit) = find(name, TABLE)?;
        rows.push(Row {
            at,
            wit,
            libbpf: None,
            rust: &own.rust,
        });
    }
    // Those that the documentation names come first, in its order.
    rows.sort_by_key(|row| {
        let place = row.libbpf.map(|function| row.wit.place_of(function));
        (row.at, place, row.libbpf)
    });
    Ok(rows)
}

/// The Markdown of `docs/coverage.md`.
pub fn document(root: &Path, passed: &Passed) -> Result<String> {
    let c = CNames::load(root)?;
    let mut text = render(&Wit::load(root)?, &Table::load(root)?, &c, passed)?;
    libbpf_rs::render(
        &libbpf_rs::Table::load(root)?,
        &libbpf_rs::functions(root)?,
        &rust_names(&root.join(GUEST_CRATE))?,
        &mut text,
    );
    Ok(text)
}

fn render(wit: &Wit, table: &Table, c: &CNames, passed: &Passed) -> Result<String> {
    let rows = rows(wit, table)?;
    let all = passed.kernels();
    let not_yet = table.not_yet.iter().map(|group| group.functions.len());
    let not_yet = not_yet.sum::<usize>();
    let not_applicable = table.not_applicable.iter();
    let not_applicable = not_applicable.map(|group| group.functions.len());
    let not_applicable = not_applicable.sum::<usize>();
    let callable = wit.functions.iter().filter(|wit| !wit.is_drop).count();

    let mut text = HEAD.to_owned();
    let _ = write!(
        text,
        "| public functions of libbpf | {} |\n|---|---|\n\
         | [in the interface](#in-the-interface) | {} |\n\
         | [not yet](#not-yet) | {not_yet} |\n\
         | [not applicable](#not-applicable) | {not_applicable} |\n\n\
         The interface has {callable} functions; {} of them correspond to none of libbpf's.\n\n",
        table.libbpf.len() + not_yet + not_applicable,
        table.libbpf.len(),
        table.own.len(),
    );
    if all.is_empty() {
        text.push_str("No run of the suite has been recorded.\n");
    } else {
        let kernels = all.iter().map(|kernel| kernel.to_string());
        let kernels = kernels.collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "The suite ran on Linux {kernels}.");
    }

    text.push_str("\n## In the interface\n");
    text.push_str(LEGEND);
    // Those that the table forgets come last; `check` complains.
    let listed = table.interfaces.iter().map(String::as_str);
    let rest = rows.iter().map(|row| row.wit.interface.as_str());
    let mut seen = HashSet::new();
    for interface in listed.chain(rest).filter(|name| seen.insert(*name)) {
        let _ = write!(
            text,
            "\n### {interface}\n\n\
             | libbpf function | WIT function | Rust (`wasm-bpf-guest`) | C | first kernel | kernels passed |\n\
             |---|---|---|---|---|---|\n"
        );
        for row in rows.iter().filter(|row| row.wit.interface == interface) {
            row.write(&mut text, wit, c, passed, &all);
        }
    }

    text.push_str("\n## Not yet\n\nPlanned.\n");
    for group in &table.not_yet {
        let _ = write!(text, "\n### {}\n\n", group.topic);
        if let Some(note) = &group.note {
            let _ = write!(text, "{note}\n\n");
        }
        text.push_str(
            "| libbpf function | WIT function | Rust (`wasm-bpf-guest`) | C |\n|---|---|---|---|\n",
        );
        for function in &group.functions {
            let _ = writeln!(text, "| `{function}` | not yet | not yet | not yet |");
        }
    }

    text.push_str("\n## Not applicable\n\nFor a reason, and not planned.\n");
    for group in &table.not_applicable {
        let _ = write!(
            text,
            "\n**{}.**\n{}\n",
            group.reason,
            lines_of(&group.functions)
        );
    }
    Ok(text)
}

/// What a libbpf function's name begins with.
const PREFIXES: &[&str] = &[
    "bpf_",
    "btf_",
    "libbpf_",
    "perf_buffer__",
    "ring__",
    "ring_buffer__",
    "user_ring_buffer__",
];

fn has_prefix_of_libbpf(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// All public functions of the libbpf that the workspace uses, in the order of libbpf-sys's bindings.
pub fn libbpf_functions(root: &Path) -> Result<Vec<String>> {
    let path = bindings(root)?;
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let functions = functions_of_bindings(&text);
    ensure!(
        !functions.is_empty(),
        "{} declares no function of libbpf",
        path.display()
    );
    Ok(functions)
}

/// What is declared in blocks of `extern "C"`. Other functions of the bindings read and write fields of bits.
fn functions_of_bindings(text: &str) -> Vec<String> {
    let mut is_extern = false;
    let mut functions = Vec::new();
    for line in text.lines() {
        if line.starts_with("unsafe extern \"C\"") || line.starts_with("extern \"C\"") {
            is_extern = true;
        } else if line.starts_with('}') {
            is_extern = false;
        } else if is_extern && let Some(rest) = line.trim().strip_prefix("pub fn ") {
            let name = words(rest).next().unwrap_or_default();
            if has_prefix_of_libbpf(name) {
                functions.push(name.to_owned());
            }
        }
    }
    functions
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
}

/// The pre-generated bindings of libbpf-sys.
fn bindings(root: &Path) -> Result<PathBuf> {
    Ok(package_source(root, "libbpf-sys")?.join("bindings.rs"))
}

/// The source of a package that the workspace uses, wherever cargo has it.
fn package_source(root: &Path, name: &str) -> Result<PathBuf> {
    let metadata = cargo_metadata(root, true).or_else(|_| cargo_metadata(root, false))?;
    let mut found = metadata
        .packages
        .into_iter()
        .filter(|package| package.name == name);
    let (Some(package), None) = (found.next(), found.next()) else {
        bail!("the workspace does not use one version of {name}");
    };
    Ok(package.manifest_path.with_file_name("src"))
}

fn cargo_metadata(root: &Path, offline: bool) -> Result<Metadata> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--format-version", "1", "--locked"]);
    if offline {
        cargo.arg("--offline");
    }
    let output = cargo.current_dir(root).output().context("cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    serde_json::from_slice(&output.stdout).context("cargo metadata")
}

/// Public names of the guest crate: `Type::function`, `function`, and for each type `Type`, `Type::field` and `drop(Type)`.
fn rust_names(dir: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            names.append(&mut rust_names(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            rust_names_of(&text, &mut names);
        }
    }
    Ok(names)
}

/// Reads what rustfmt wrote: an item that begins in the first column ends with a brace there.
fn rust_names_of(text: &str, names: &mut BTreeSet<String>) {
    let first_word = |text: &str| words(text).next().unwrap_or_default().to_owned();
    // Of an `impl` or `trait`, and whether its functions are public without saying so.
    let mut owner: Option<(String, bool)> = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("pub struct ") {
            let name = first_word(rest);
            names.insert(format!("drop({name})"));
            owner = rest
                .trim_end()
                .ends_with('{')
                .then(|| (name.clone(), false));
            names.insert(name);
        } else if let Some(rest) = line.strip_prefix("pub trait ") {
            owner = Some((first_word(rest), true));
        } else if let Some(rest) = line.strip_prefix("impl") {
            let rest = without_generics(rest);
            owner = Some(match rest.split_once(" for ") {
                Some((_, ty)) => (first_word(ty), true),
                None => (first_word(rest), false),
            });
        } else if line.starts_with('}') {
            owner = None;
        } else if let Some(rest) = line.strip_prefix("pub fn ") {
            names.insert(first_word(rest));
        } else if let Some((ty, is_public)) = &owner {
            let function = match line.strip_prefix("    fn ") {
                Some(rest) if *is_public => Some(rest),
                _ => line.strip_prefix("    pub fn "),
            };
            let field = line.strip_prefix("    pub ");
            let field = field.filter(|rest| rest.trim_end().ends_with(',') && rest.contains(": "));
            if let Some(name) = function.or(field) {
                names.insert(format!("{ty}::{}", first_word(name)));
            }
        }
    }
}

/// What stands behind `<...>` at the start.
fn without_generics(text: &str) -> &str {
    let mut depth = 0;
    let mut previous = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if previous != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text[at..].trim_start_matches('>').trim_start();
        }
        previous = c;
    }
    text
}

/// Where the table, libbpf, the interface and the guest crate do not agree.
pub fn check(root: &Path, libbpf_functions: &[String]) -> Result<Vec<String>> {
    let guest = rust_names(&root.join(GUEST_CRATE))?;
    let mut problems = compare(
        &Wit::load(root)?,
        &Table::load(root)?,
        &Passed::load(root)?,
        libbpf_functions,
        &guest,
    );
    let table = libbpf_rs::Table::load(root)?;
    problems.extend(libbpf_rs::compare(
        &table,
        &libbpf_rs::functions(root)?,
        &guest,
    ));
    Ok(problems)
}

fn compare(
    wit: &Wit,
    table: &Table,
    passed: &Passed,
    libbpf_functions: &[String],
    rust: &BTreeSet<String>,
) -> Vec<String> {
    let mut problems = Vec::new();
    let libbpf = libbpf_functions.iter().map(String::as_str);
    let libbpf = libbpf.collect::<BTreeSet<_>>();

    let mut seen = BTreeSet::new();
    for function in table.functions() {
        if !seen.insert(function) {
            problems.push(format!("{function} stands in the table twice"));
        }
        if !libbpf.contains(function) {
            problems.push(format!(
                "{function} is in the table, but libbpf does not have it"
            ));
        }
    }
    for function in libbpf.difference(&seen) {
        problems.push(format!(
            "{function} of libbpf has no entry in the table: a way, `not-yet` or a reason"
        ));
    }

    let mut reached = BTreeSet::new();
    for (function, ways) in &table.libbpf {
        if ways.is_empty() {
            problems.push(format!("{function}: no function of the interface"));
        }
        for way in ways {
            reached.insert(way.wit.as_str());
            if wit.find(&way.wit).is_none() {
                problems.push(format!("{function}: the interface has no {}", way.wit));
            }
        }
    }
    for name in table.own.keys() {
        if wit.find(name).is_none() {
            problems.push(format!("own: the interface has no {name}"));
        }
        if reached.contains(name.as_str()) {
            problems.push(format!(
                "{name} is among those without a function of libbpf, and has one"
            ));
        }
    }
    for function in &wit.functions {
        let name = function.name.as_str();
        let is_known = reached.contains(name) || table.own.contains_key(name);
        if !is_known && !function.is_drop {
            problems.push(format!("{name} of the interface is nowhere in the table"));
        }
        problems.extend(check_references(function, table, &libbpf));
    }
    let interfaces = wit.functions.iter().map(|wit| wit.interface.as_str());
    for interface in interfaces.collect::<BTreeSet<_>>() {
        if !table.interfaces.iter().any(|listed| listed == interface) {
            problems.push(format!("`interfaces` does not name {interface}"));
        }
    }

    for (of, name) in table.rust() {
        if !rust.contains(name) {
            problems.push(format!(
                "{of}: wasm-bpf-guest has no public function {name}"
            ));
        }
    }
    for name in passed.0.keys() {
        if wit.find(name).is_none() {
            problems.push(format!("{PASSED}: the interface has no {name}"));
        }
    }
    problems
}

/// What the documentation of a function says of libbpf must be what the table says. (The table may say more: getters of which a record has
/// the answer, for instance.)
fn check_references(wit: &WitFunction, table: &Table, libbpf: &BTreeSet<&str>) -> Vec<String> {
    let mut problems = Vec::new();
    for group in wit.groups_of_libbpf() {
        let mut previous = "";
        for word in words(&group.text) {
            let is_type = ["struct", "union"].contains(&previous) || word.ends_with("_opts");
            if libbpf.contains(word) {
                let ways = table.libbpf.get(word).map(Vec::as_slice);
                let ways = ways.unwrap_or_default();
                // What the documentation of a resource names may be reached by any of its functions.
                let is_in = ways.iter().any(|way| {
                    way.wit == wit.name
                        || (wit.is_drop
                            && wit.resource.as_deref()
                                == way.wit.rsplit_once('.').map(|(owner, _)| owner))
                });
                if !is_in {
                    let name = wit.name.trim_end_matches(".drop");
                    problems.push(format!(
                        "the documentation of {name} refers to {word}, and the entry of {word} does not name {name}"
                    ));
                }
            } else if has_prefix_of_libbpf(word) && !is_type {
                problems.push(format!(
                    "the documentation of {} refers to {word}, which libbpf does not have",
                    wit.name
                ));
            }
            previous = word;
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIT: &str = "
package a:b;

interface maps {
    /// A map.
    ///
    /// # References
    /// - libbpf: struct bpf_map, bpf_map__close
    resource %map {
        /// Makes a map.
        ///
        /// # References
        /// - libbpf: bpf_map_create (3.19;
        ///   of maps 4.12)
        create: static func() -> %map;

        /// Its length.
        ///
        /// # References
        /// - libbpf: bpf_map__len
        len: func() -> u32;

        /// Many.
        ///
        /// # References
        /// - libbpf: bpf_map_update_batch (5.6), bpf_map_update_elem (3.19)
        update-many: func();

        /// Memory.
        ///
        /// # References
        /// - Linux: mmap(2) (arrays 5.5, arenas 6.9)
        read: func();
    }

    /// Something else.
    ///
    /// # References
    /// - POSIX: a flag
    stop: func();
}
";

    const TOML: &str = r#"
interfaces = ["maps"]
[libbpf]
bpf_map__close = [{ wit = "maps.map.drop", rust = ["drop(Map)"] }]
bpf_map_create = [{ wit = "maps.map.create", rust = ["Map::create"] }]
bpf_map__len = [{ wit = "maps.map.len", rust = ["MapCore::len"] }]
bpf_map_update_batch = [{ wit = "maps.map.update-many" }]
bpf_map_update_elem = [{ wit = "maps.map.update-many" }]
[own]
"maps.map.read" = {}
"maps.stop" = { rust = ["stop"] }
[[not-yet]]
topic = "Later"
functions = ["bpf_later"]
[[not-applicable]]
reason = "Never"
functions = ["libbpf_never"]
"#;

    const RUST: &str = "
pub struct Map<'a> {
    fd: i32,
}

impl<'a, M: Fn() -> u32> Map<M> {
    pub fn create() {}
    fn private() {}
}

pub trait MapCore {
    fn len(&self) {
        fn inner() {}
    }
}

impl Iterator for MapIter {
    fn next(&mut self) {}
}

pub fn stop() {}
";

    fn wit(text: &str) -> Result<Wit> {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("test.wit", text).unwrap();
        Wit::of(&resolve, package)
    }

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    fn functions() -> Vec<String> {
        let table = table(TOML);
        table.functions().map(str::to_owned).collect()
    }

    fn rust() -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        rust_names_of(RUST, &mut names);
        names
    }

    fn problems(of_wit: &str, of_table: &str, libbpf: &[String]) -> Vec<String> {
        let passed = Passed::default();
        compare(
            &wit(of_wit).unwrap(),
            &table(of_table),
            &passed,
            libbpf,
            &rust(),
        )
    }

    #[test]
    fn kernels_are_sorted_as_versions() {
        let mut passed = Passed::default();
        for kernel in ["6.1", "5.10", "5.4", "4.19"] {
            passed.add("maps.map.create", kernel);
        }
        passed.add("a.b", "6.1");
        let text = "{\n  \"a.b\": [\"6.1\"],\n  \"maps.map.create\": [\"4.19\",\"5.4\",\"5.10\",\"6.1\"]\n}\n";
        assert_eq!(passed.to_json().unwrap(), text);
        assert_eq!(serde_json::from_str::<Passed>(text).unwrap(), passed);
        passed.forget("6.1");
        assert!(!passed.0.contains_key("a.b"));
        assert_eq!(passed.kernels().len(), 3);
        assert_eq!(Passed::default().to_json().unwrap(), "{}\n");
    }

    #[test]
    fn passed_kernels_in_few_words() {
        let all = ["4.19", "5.4", "5.10", "6.1", "6.18"].map(Kernel::from);
        let all = all.iter().collect::<BTreeSet<_>>();
        let words = |passed: &[&str]| {
            let passed = passed.iter().map(|label| Kernel::from(*label)).collect();
            kernels_in_words(&all, Some(&passed))
        };
        assert_eq!(words(&["4.19", "5.4", "5.10", "6.1", "6.18"]), "all");
        assert_eq!(words(&["5.10", "6.1", "6.18"]), "from 5.10");
        assert_eq!(words(&["6.1", "6.18"]), "6.1, 6.18");
        assert_eq!(words(&["5.4", "6.1", "6.18"]), "5.4, 6.1, 6.18");
        assert_eq!(words(&[]), "—");
        assert_eq!(kernels_in_words(&all, None), "—");
    }

    #[test]
    fn long_lists_are_broken_into_lines() {
        let names = vec!["x".repeat(66); 3];
        let lines = lines_of(&names);
        let lines = lines.lines().map(str::len).collect::<Vec<_>>();
        assert_eq!(lines, [69 + 1 + 69, 68]);
    }

    #[test]
    fn references_are_read() {
        let group = |text: &str, kernels: Option<&str>| Group {
            text: text.to_owned(),
            kernels: kernels.map(str::to_owned),
        };
        let groups = |line| Reference::parse(line).unwrap().groups;
        assert_eq!(
            groups("libbpf: bpf_a_batch (5.6), bpf_b, bpf_c (3.19; more 4.12)"),
            [
                group("bpf_a_batch", Some("5.6")),
                group("bpf_b, bpf_c", Some("3.19; more 4.12")),
            ]
        );
        assert_eq!(
            groups("Linux: mmap(2) (arrays 5.5)"),
            [group("mmap(2)", Some("arrays 5.5"))]
        );
        assert_eq!(groups("POSIX: a flag"), [group("a flag", None)]);
        assert!(references("Says nothing.").is_empty());
    }

    #[test]
    fn first_kernels_are_those_of_the_documentation() {
        let wit = wit(WIT).unwrap();
        let since =
            |name: &str, function: Option<&str>| wit.since(wit.find(name).unwrap().1, function);
        let kernels = since("maps.map.create", Some("bpf_map_create"));
        assert_eq!(kernels.as_deref(), Some("3.19; of maps 4.12"));
        // As old as what makes maps.
        assert_eq!(since("maps.map.len", None).as_deref(), Some("3.19"));
        assert_eq!(since("maps.map.drop", None).as_deref(), Some("3.19"));
        let kernels = since("maps.map.update-many", Some("bpf_map_update_batch"));
        assert_eq!(kernels.as_deref(), Some("5.6"));
        assert_eq!(since("maps.map.update-many", None).as_deref(), Some("3.19"));
        assert_eq!(since("maps.stop", None), None);
    }

    #[test]
    fn a_function_without_references_is_named() {
        let text = WIT.replace("    /// # References\n    /// - POSIX: a flag\n", "");
        let error = wit(&text).err().unwrap().to_string();
        assert!(error.contains("maps.stop"), "{error}");
    }

    #[test]
    fn functions_of_the_guest_crate_are_found() {
        let expected = [
            "Map",
            "Map::create",
            "MapCore::len",
            "MapIter::next",
            "drop(Map)",
            "stop",
        ];
        assert_eq!(rust(), expected.map(str::to_owned).into());
    }

    #[test]
    fn functions_of_libbpf_are_found_in_bindings() {
        let text = "
impl perf_event_attr {
    pub fn bpf_event(&self) -> u64 {
    }
}
unsafe extern \"C\" {
    pub fn bpf_map_create(a: u32) -> u32;
}
unsafe extern \"C\" {
    pub fn vdprintf();
    pub fn ring__size(r: *const ring) -> u64;
}
";
        assert_eq!(
            functions_of_bindings(text),
            ["bpf_map_create", "ring__size"]
        );
    }

    #[test]
    fn what_agrees_has_no_problems() {
        assert_eq!(problems(WIT, TOML, &functions()), Vec::<String>::new());
    }

    #[test]
    fn what_does_not_agree_is_told() {
        let told = |problems: Vec<String>, what: &[&str]| {
            assert!(
                problems
                    .iter()
                    .any(|problem| what.iter().all(|what| problem.contains(what))),
                "{what:?} is not in {problems:#?}"
            );
        };
        let functions = functions();
        let more = [functions.clone(), vec!["bpf_new".to_owned()]].concat();
        told(problems(WIT, TOML, &more), &["bpf_new", "no entry"]);
        told(
            problems(WIT, TOML, &functions[1..]),
            &["libbpf does not have it"],
        );
        let replaced = |from, to| problems(WIT, &TOML.replace(from, to), &functions);
        told(
            replaced("maps.map.len", "maps.map.length"),
            &["no maps.map.length"],
        );
        told(
            replaced("maps.map.len", "maps.map.length"),
            &["maps.map.len ", "nowhere"],
        );
        told(
            replaced("\"maps.map.read\" = {}", ""),
            &["maps.map.read", "nowhere"],
        );
        told(
            replaced("MapCore::len", "MapCore::inner"),
            &["MapCore::inner"],
        );
        told(replaced("Map::create", "Map::private"), &["Map::private"]);
        told(replaced("[\"maps\"]", "[]"), &["`interfaces`"]);
        told(
            replaced("\"bpf_later\"", "\"bpf_later\", \"bpf_later\""),
            &["twice"],
        );
        let wit = WIT.replace("libbpf: bpf_map__len", "libbpf: bpf_map__lenght");
        told(problems(&wit, TOML, &functions), &["bpf_map__lenght"]);
        let wit = WIT.replace("libbpf: bpf_map__len", "libbpf: bpf_map__len, bpf_later");
        told(
            problems(&wit, TOML, &functions),
            &["maps.map.len", "refers to bpf_later"],
        );
    }

    #[test]
    fn the_document_has_a_row_for_each_way() {
        let mut passed = Passed::default();
        passed.add("maps.map.len", "6.1");
        passed.add("maps.map.create", "5.4");
        let text = render(
            &wit(WIT).unwrap(),
            &table(TOML),
            &CNames::of_libbpf(&["bpf_map_create"]),
            &passed,
        )
        .unwrap();
        for line in [
            "| public functions of libbpf | 7 |",
            "| [in the interface](#in-the-interface) | 5 |",
            "| `bpf_map_create` | `maps.map.create` | `Map::create` | `bpf_map_create` | 3.19; of maps 4.12 | 5.4 |",
            "| `bpf_map__len` | `maps.map.len` | `MapCore::len` | `wasm_bpf_bpf_maps_method_map_len` | 3.19 | 6.1 |",
            "| Linux: mmap(2) | `maps.map.read` | — | `wasm_bpf_bpf_maps_method_map_read` | arrays 5.5, arenas 6.9 | — |",
            "| `bpf_later` | not yet | not yet | not yet |",
            "**Never.**",
        ] {
            assert!(text.lines().any(|have| have == line), "{line}\n{text}");
        }
        assert!(text.contains("Linux 5.4, 6.1."), "{text}");
    }
}
