//! Whether the cases cover the interface, and whether what they are said to cover can be true.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use wit_component::DecodedWasm;
use wit_parser::{Resolve, TypeDefKind, WorldItem};

use crate::case::{self, Language};
use crate::coverage;
use crate::execute::component;

/// What cases have to cover besides what the WIT package names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Requirements {
    grants: Vec<String>,
    defects: Vec<String>,
    /// With the reason.
    #[serde(default)]
    unreachable_errors: BTreeMap<String, String>,
}

/// Everything that is wrong.
pub fn check(root: &Path, components: &Path) -> anyhow::Result<Vec<String>> {
    let cases = case::read_all(root)?;
    let required = required(root)?;
    let mut problems = Vec::new();
    let mut covered = BTreeSet::new();
    for case in &cases {
        for item in &case.covers {
            covered.insert(item.as_str());
            if !required.known.contains(item) {
                problems.push(format!("{}: there is no {item} to cover", case.id()));
            }
        }
        if case.covers.is_empty() {
            problems.push(format!("{}: covers nothing", case.id()));
        }
    }
    let missing = required
        .wanted
        .iter()
        .filter(|item| !covered.contains(item.as_str()));
    problems.extend(missing.map(|item| format!("no case covers {item}")));
    for language in Language::ALL {
        let of_language = cases.iter().filter(|case| case.language == language);
        let mut imports = BTreeMap::new();
        for case in of_language {
            let file = component(components, case);
            if !imports.contains_key(&file) {
                imports.insert(file.clone(), imported(&file)?);
            }
            // Errors and the like have a colon.
            let functions = case.covers.iter().filter(|item| !item.contains(':'));
            let functions = functions.filter(|item| !item.ends_with(".drop"));
            for function in functions.filter(|function| !imports[&file].contains(*function)) {
                problems.push(format!(
                    "{} ({}): its component does not use {function}",
                    case.id(),
                    language.name()
                ));
            }
        }
    }
    Ok(problems)
}

struct Required {
    /// What can be covered.
    known: BTreeSet<String>,
    /// What has to be.
    wanted: BTreeSet<String>,
}

fn required(root: &Path) -> anyhow::Result<Required> {
    let file = case::suite(root).join("requirements.toml");
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let requirements: Requirements =
        toml::from_str(&text).with_context(|| file.display().to_string())?;
    let mut wanted = BTreeSet::from_iter(coverage::wit_functions(root)?);
    let errors = cases_of(root, "error-code")?;
    wanted.extend(errors.iter().map(|name| format!("error:{name}")));
    let kinds = cases_of(root, "map-type")?;
    // The kinds that the package does not name are a grant's.
    let kinds = kinds.iter().filter(|name| *name != "other");
    wanted.extend(kinds.map(|name| format!("map-type:{name}")));
    for grant in &requirements.grants {
        wanted.extend(["allowed", "denied"].map(|answer| format!("grant:{grant}={answer}")));
    }
    let defects = requirements.defects.iter();
    wanted.extend(defects.map(|name| format!("defect:{name}")));
    // Components do not say whether they drop a resource: guests do it by themselves.
    let mut known = wanted.clone();
    known.extend(wanted.iter().filter_map(|function| {
        let (resource, _) = function.rsplit_once('.')?;
        resource.contains('.').then(|| format!("{resource}.drop"))
    }));
    for error in requirements.unreachable_errors.keys() {
        if !wanted.remove(&format!("error:{error}")) {
            bail!("{}: there is no error {error}", file.display());
        }
    }
    Ok(Required { known, wanted })
}

/// The cases of a variant of the interface `types`.
fn cases_of(root: &Path, variant: &str) -> anyhow::Result<Vec<String>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root.join("wit"))?;
    let interface = resolve.packages[package].interfaces["types"];
    let type_ = resolve.interfaces[interface].types[variant];
    match &resolve.types[type_].kind {
        TypeDefKind::Variant(variant) => {
            Ok(variant.cases.iter().map(|case| case.name.clone()).collect())
        }
        _ => bail!("{variant} is no variant"),
    }
}

/// The functions of our package that a component imports. Linkers leave out those that it does not use.
fn imported(component: &Path) -> anyhow::Result<BTreeSet<String>> {
    let bytes = fs::read(component).with_context(|| component.display().to_string())?;
    let decoded = wit_component::decode(&bytes).with_context(|| component.display().to_string())?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        bail!("{} is no component", component.display());
    };
    let mut found = BTreeSet::new();
    for item in resolve.worlds[world].imports.values() {
        let WorldItem::Interface { id, .. } = item else {
            continue;
        };
        let interface = &resolve.interfaces[*id];
        let package = interface.package.map(|id| &resolve.packages[id].name);
        if package.is_some_and(|name| name.namespace == "wasm-bpf" && name.name == "bpf") {
            let name = interface.name.as_deref().unwrap_or_default();
            let functions = interface.functions.keys();
            found.extend(functions.map(|function| full_name(name, function)));
        }
    }
    Ok(found)
}

/// Of `[method]map.lookup` in `maps`: `maps.map.lookup`.
fn full_name(interface: &str, function: &str) -> String {
    match function.split_once(']') {
        Some(("[constructor", resource)) => format!("{interface}.{resource}.constructor"),
        Some((_, name)) => format!("{interface}.{name}"),
        None => format!("{interface}.{function}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_one_name() {
        assert_eq!(full_name("maps", "[method]map.lookup"), "maps.map.lookup");
        assert_eq!(full_name("maps", "[static]walk.start"), "maps.walk.start");
        assert_eq!(
            full_name("objects", "[constructor]open-options"),
            "objects.open-options.constructor"
        );
        assert_eq!(
            full_name("lifecycle", "stop-requested"),
            "lifecycle.stop-requested"
        );
    }

    /// The names of components are those of the package.
    #[test]
    fn what_can_be_covered_is_what_the_package_has() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let required = required(&root).unwrap();
        for item in [
            "maps.map.lookup",
            "objects.open-options.constructor",
            "lifecycle.stop-requested",
            "error:not-found",
            "map-type:hash",
            "grant:xdp=denied",
            "defect:two-rings",
        ] {
            assert!(required.known.contains(item), "{item}");
        }
        assert!(!required.known.contains("map-type:other"));
    }
}
