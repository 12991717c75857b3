//! The second part of the page: what the public functions of libbpf-rs are in the guest crate.
//!
//! Most have the same name there and need no word. `tests/conformance/coverage-libbpf-rs.toml` has the others: under which name, or why not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::{code, lines_of, package_source, without_generics, words};

const TABLE: &str = "tests/conformance/coverage-libbpf-rs.toml";
/// Not of the programs that use it: errors have their own type here, the others are private or about the build.
const NOT_READ: &[&str] = &["error.rs", "util.rs"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
    functions: Vec<String>,
}

/// `coverage-libbpf-rs.toml`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Table {
    /// Types whose functions are those of another type in the guest crate.
    types: BTreeMap<String, String>,
    /// Functions that have another name.
    renamed: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    not_applicable: Vec<Reason>,
}

impl Table {
    pub(super) fn load(root: &Path) -> Result<Self> {
        let path = root.join(TABLE);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }

    fn reason(&self, function: &str) -> Option<&Reason> {
        let has = |reason: &&Reason| reason.functions.iter().any(|name| name == function);
        self.not_applicable.iter().find(has)
    }

    /// What a function is in the guest crate, whose names are `guest`.
    fn ways(&self, function: &str, guest: &BTreeSet<String>) -> Vec<String> {
        if let Some(names) = self.renamed.get(function) {
            return names.clone();
        }
        let same = match function.split_once("::") {
            Some((ty, name)) => {
                let ty = self.types.get(ty).map_or(ty, String::as_str);
                format!("{ty}::{name}")
            }
            None => function.to_owned(),
        };
        guest.contains(&same).then_some(same).into_iter().collect()
    }
}

/// All public functions of the libbpf-rs that the workspace uses, as `Type::function`.
pub(super) fn functions(root: &Path) -> Result<BTreeSet<String>> {
    let source = package_source(root, "libbpf-rs")?;
    let mut names = BTreeSet::new();
    read(&source, &mut names)?;
    ensure!(
        !names.is_empty(),
        "{} has no public function",
        source.display()
    );
    Ok(names)
}

fn read(dir: &Path, names: &mut BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            read(&path, names)?;
        } else if name.ends_with(".rs") && !NOT_READ.contains(&name.as_ref()) {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            functions_of(&text, names);
        }
    }
    Ok(())
}

/// Functions that say that they are public, and those of public traits. Source as rustfmt writes it.
fn functions_of(text: &str, names: &mut BTreeSet<String>) {
    let first_word = |text: &str| words(text).next().unwrap_or_default().to_owned();
    let mut owner: Option<(String, bool)> = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("pub trait ") {
            owner = Some((first_word(rest), true));
        } else if let Some(rest) = line.strip_prefix("impl") {
            let rest = without_generics(rest);
            owner = (!rest.contains(" for ")).then(|| (first_word(rest), false));
        } else if line.starts_with('}') {
            owner = None;
        } else if let Some((ty, is_trait)) = &owner {
            let line = line.strip_prefix("    ").unwrap_or_default();
            let is_public = *is_trait || line.starts_with("pub ");
            let line = line.trim_start_matches("pub ");
            let line = line.trim_start_matches("const ");
            let line = line.trim_start_matches("unsafe ");
            if let Some(rest) = line.strip_prefix("fn ").filter(|_| is_public) {
                names.insert(format!("{ty}::{}", first_word(rest)));
            }
        }
    }
}

/// Where the table, libbpf-rs and the guest crate do not agree.
pub(super) fn compare(
    table: &Table,
    functions: &BTreeSet<String>,
    guest: &BTreeSet<String>,
) -> Vec<String> {
    let mut problems = Vec::new();
    for function in functions {
        let ways = table.ways(function, guest);
        match (ways.is_empty(), table.reason(function)) {
            (true, None) => problems.push(format!(
                "{function} of libbpf-rs is not in wasm-bpf-guest, and {TABLE} does not say why"
            )),
            (false, Some(_)) => problems.push(format!(
                "{TABLE}: {function} is said not to apply, and is in wasm-bpf-guest"
            )),
            _ => {}
        }
        for way in ways.iter().filter(|way| !guest.contains(*way)) {
            problems.push(format!(
                "{TABLE}: {function}: wasm-bpf-guest has no public function {way}"
            ));
        }
    }
    let reasons = table.not_applicable.iter();
    let told = reasons.flat_map(|reason| &reason.functions);
    for function in table.renamed.keys().chain(told) {
        if !functions.contains(function) {
            problems.push(format!("{TABLE}: libbpf-rs has no {function}"));
        }
    }
    problems
}

pub(super) fn render(
    table: &Table,
    functions: &BTreeSet<String>,
    guest: &BTreeSet<String>,
    text: &mut String,
) {
    let (reached, rest): (Vec<_>, Vec<_>) = functions
        .iter()
        .map(|function| (function, table.ways(function, guest)))
        .partition(|(_, ways)| !ways.is_empty());
    let _ = write!(
        text,
        "\n## libbpf-rs\n\nWhat each of the {} public functions of libbpf-rs is in `wasm-bpf-guest`: {} have a counterpart, {} do not apply.\n\n\
         | libbpf-rs | Rust (`wasm-bpf-guest`) |\n|---|---|\n",
        functions.len(),
        reached.len(),
        rest.len(),
    );
    for (function, ways) in reached {
        let _ = writeln!(text, "| `{function}` | {} |", code(&ways));
    }
    text.push_str("\nThose that do not apply:\n");
    for reason in &table.not_applicable {
        let _ = write!(
            text,
            "\n**{}.**\n{}\n",
            reason.reason,
            lines_of(&reason.functions)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "
impl<'obj> MapMut<'obj> {
    pub fn pin<P: AsRef<Path>>(&mut self) {
    }

    fn private(&self) {}

    pub unsafe fn from_ptr() {}
}

impl Drop for Map {
    fn drop(&mut self) {}
}

pub trait MapCore: Debug {
    fn lookup(&self);
}
";

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn functions() -> BTreeSet<String> {
        let mut functions = BTreeSet::new();
        functions_of(SOURCE, &mut functions);
        functions
    }

    #[test]
    fn public_functions_are_found() {
        let expected = ["MapCore::lookup", "MapMut::from_ptr", "MapMut::pin"];
        assert_eq!(functions(), names(&expected));
    }

    #[test]
    fn each_has_a_way_or_a_reason() {
        let text = "
            types = { MapMut = 'Map' }
            renamed = { 'MapCore::lookup' = ['Map::get'] }
            [[not-applicable]]
            reason = 'pointers'
            functions = ['MapMut::from_ptr']
        ";
        let guest = names(&["Map::pin", "Map::get"]);
        let problems =
            |text: &str, guest: &BTreeSet<String>| compare(&table(text), &functions(), guest);
        assert_eq!(problems(text, &guest), Vec::<String>::new());
        let told = |problems: Vec<String>, what: &str| {
            let is_told = problems.iter().any(|problem| problem.contains(what));
            assert!(is_told, "{what}: {problems:#?}");
        };
        told(problems(text, &names(&["Map::get"])), "MapMut::pin of");
        told(
            problems(text, &names(&["Map::pin"])),
            "no public function Map::get",
        );
        let twice = text.replace("'MapMut::from_ptr'", "'MapMut::from_ptr', 'MapMut::pin'");
        told(problems(&twice, &guest), "said not to apply");
        let wrong = text.replace("from_ptr", "from_pointer");
        told(problems(&wrong, &guest), "has no MapMut::from_pointer");
    }
}
