//! What a guest in C calls: the function of libbpf's API where `guest-sdk-c` has it, else that of the generated bindings.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

const HEADERS: &str = "guest-sdk-c/include/bpf";
const BINDINGS: &str = "guest-sdk-c/generated/wasm_bpf.h";

pub struct CNames {
    libbpf: HashSet<String>,
    bindings: HashSet<String>,
}

impl CNames {
    pub fn load(root: &Path) -> Result<Self> {
        let mut libbpf = HashSet::new();
        for header in headers(&root.join(HEADERS))? {
            libbpf.extend(called(&read(&header)?).map(str::to_owned));
        }
        let bindings = called(&read(&root.join(BINDINGS))?)
            .map(str::to_owned)
            .collect();
        Ok(Self { libbpf, bindings })
    }

    #[cfg(test)]
    pub fn of_libbpf(names: &[&str]) -> Self {
        Self {
            libbpf: names.iter().map(|name| (*name).to_owned()).collect(),
            bindings: HashSet::new(),
        }
    }

    /// The name of what reaches a function of the interface, and of libbpf.
    pub fn of(&self, wit: &str, libbpf: Option<&str>) -> String {
        match libbpf {
            Some(function) if self.libbpf.contains(function) => function.to_owned(),
            _ => self.binding(wit),
        }
    }

    fn binding(&self, wit: &str) -> String {
        let wit = wit.replace('-', "_");
        let parts = wit.split('.').collect::<Vec<_>>();
        let candidates = match parts[..] {
            [interface, resource, "constructor"] => {
                vec![format!("{interface}_constructor_{resource}")]
            }
            [interface, resource, "drop"] => vec![format!("{interface}_{resource}_drop_own")],
            [interface, resource, function] => vec![
                format!("{interface}_method_{resource}_{function}"),
                format!("{interface}_static_{resource}_{function}"),
            ],
            _ => vec![parts.join("_")],
        };
        let names = candidates.into_iter();
        let mut names = names.map(|name| format!("wasm_bpf_bpf_{name}"));
        names
            .clone()
            .find(|name| self.bindings.contains(name))
            .or_else(|| names.next())
            .unwrap_or_default()
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn headers(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(headers(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// The names that stand before an opening bracket.
fn called(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('(').filter_map(|(at, _)| {
        let before = text[..at].trim_end();
        let start = before
            .rfind(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
            .map_or(0, |found| found + 1);
        (start < before.len()).then(|| &before[start..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libbpf_comes_before_the_bindings() {
        let names = CNames {
            libbpf: called("LIBBPF_API int bpf_map_freeze(int fd);")
                .map(str::to_owned)
                .collect(),
            bindings: called(
                "extern bool wasm_bpf_bpf_maps_static_walk_start(int map);\n\
                 extern void wasm_bpf_bpf_maps_walk_drop_own (int);",
            )
            .map(str::to_owned)
            .collect(),
        };
        let of = |wit, libbpf| names.of(wit, libbpf);
        assert_eq!(
            of("maps.map.freeze", Some("bpf_map_freeze")),
            "bpf_map_freeze"
        );
        assert_eq!(
            of("maps.walk.start", Some("bpf_map_lookup_batch")),
            "wasm_bpf_bpf_maps_static_walk_start"
        );
        assert_eq!(
            of("maps.walk.drop", None),
            "wasm_bpf_bpf_maps_walk_drop_own"
        );
    }
}
