//! The interface definitions: whole, documented, versioned, and implemented.

use std::path::PathBuf;

use wasm_bpf_tests::{State, workspace};
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{
    Docs, Function, FunctionKind, Interface, ManglingAndAbi, PackageId, Resolve, Stability, Type,
    TypeDef, TypeDefKind, WorldId, WorldItem,
};

fn wit() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let dir: PathBuf = workspace().join("wit");
    let (package, _) = resolve
        .push_dir(&dir)
        .unwrap_or_else(|error| panic!("{error:?}"));
    (resolve, package)
}

/// The interfaces of our package, not those that it uses.
fn interfaces() -> (Resolve, Vec<Interface>) {
    let (resolve, package) = wit();
    let interfaces = resolve.packages[package]
        .interfaces
        .values()
        .map(|id| resolve.interfaces[*id].clone())
        .collect::<Vec<_>>();
    assert!(!interfaces.is_empty());
    (resolve, interfaces)
}

/// What is wrong, all of it at once.
#[derive(Default)]
struct Complaints(Vec<String>);

impl Complaints {
    fn check(&mut self, is_right: bool, what: impl FnOnce() -> String) {
        if !is_right {
            self.0.push(what());
        }
    }

    #[track_caller]
    fn none(self) {
        assert!(self.0.is_empty(), "\n{}", self.0.join("\n"));
    }
}

/// The first paragraph says in whole sentences what it is. Names of kernel constants and errnos stand for themselves.
fn check_docs(complaints: &mut Complaints, what: &str, docs: &Docs) {
    let Some(text) = docs.contents.as_deref() else {
        complaints.0.push(format!("{what} has no documentation"));
        return;
    };
    let first = text.trim().split("\n\n").next().unwrap_or_default();
    let stands_for_itself = ["BPF_", "BTF_", "HW_BREAKPOINT_", "PERF_", "POSIX: "]
        .iter()
        .any(|start| first.contains(start));
    complaints.check(
        stands_for_itself || (first.len() > 10 && first.ends_with(['.', ':'])),
        || format!("the documentation of {what} does not begin with a sentence: {first:?}"),
    );
}

fn check_stability(complaints: &mut Complaints, what: &str, stability: &Stability) {
    let is_since = matches!(
        stability,
        Stability::Stable {
            since,
            deprecated: None
        } if since.to_string() == "0.1.0"
    );
    complaints.check(is_since, || {
        format!("{what} is not @since(version = 0.1.0)")
    });
}

/// The parts of a type that have documentation of their own.
fn parts(ty: &TypeDef) -> Vec<(&str, &Docs)> {
    match &ty.kind {
        TypeDefKind::Record(record) => record
            .fields
            .iter()
            .map(|field| (field.name.as_str(), &field.docs))
            .collect(),
        TypeDefKind::Variant(variant) => variant
            .cases
            .iter()
            .map(|case| (case.name.as_str(), &case.docs))
            .collect(),
        TypeDefKind::Enum(list) => list
            .cases
            .iter()
            .map(|case| (case.name.as_str(), &case.docs))
            .collect(),
        TypeDefKind::Flags(flags) => flags
            .flags
            .iter()
            .map(|flag| (flag.name.as_str(), &flag.docs))
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether it is a name from another interface, which has its documentation there.
fn is_used_from_elsewhere(resolve: &Resolve, ty: &TypeDef) -> bool {
    let TypeDefKind::Type(Type::Id(origin)) = ty.kind else {
        return false;
    };
    resolve.types[origin].owner != ty.owner
}

#[test]
fn the_definitions_are_a_package_of_the_hosts_version() {
    let (resolve, package) = wit();
    let name = &resolve.packages[package].name;
    assert_eq!(
        (name.namespace.as_str(), name.name.as_str()),
        ("wasm-bpf", "bpf")
    );
    let version = name.version.as_ref().unwrap().to_string();
    assert_eq!(version, wasm_bpf_host::INTERFACE_VERSION);
}

#[test]
fn everything_is_documented() {
    let (resolve, interfaces) = interfaces();
    let mut complaints = Complaints::default();
    for interface in &interfaces {
        let name = interface.name.as_deref().unwrap();
        check_docs(&mut complaints, name, &interface.docs);
        for (ty_name, id) in &interface.types {
            let ty = &resolve.types[*id];
            if is_used_from_elsewhere(&resolve, ty) {
                continue;
            }
            let what = format!("{name}.{ty_name}");
            check_docs(&mut complaints, &what, &ty.docs);
            for (part, docs) in parts(ty) {
                check_docs(&mut complaints, &format!("{what}.{part}"), docs);
            }
        }
        for function in interface.functions.values() {
            let what = format!("{name}.{}", function.name);
            check_docs(&mut complaints, &what, &function.docs);
        }
    }
    let (resolve, package) = wit();
    for (name, id) in &resolve.packages[package].worlds {
        check_docs(&mut complaints, name, &resolve.worlds[*id].docs);
    }
    check_docs(
        &mut complaints,
        "the package",
        &resolve.packages[package].docs,
    );
    complaints.none();
}

#[test]
fn everything_says_since_when_it_is_there() {
    let (resolve, interfaces) = interfaces();
    let mut complaints = Complaints::default();
    for interface in &interfaces {
        let name = interface.name.as_deref().unwrap();
        check_stability(&mut complaints, name, &interface.stability);
        for (ty_name, id) in &interface.types {
            let ty = &resolve.types[*id];
            check_stability(&mut complaints, &format!("{name}.{ty_name}"), &ty.stability);
        }
        for function in interface.functions.values() {
            let what = format!("{name}.{}", function.name);
            check_stability(&mut complaints, &what, &function.stability);
        }
    }
    let (resolve, package) = wit();
    for (name, id) in &resolve.packages[package].worlds {
        let world = &resolve.worlds[*id];
        check_stability(&mut complaints, name, &world.stability);
        let mut own = 0;
        for (key, item) in &world.imports {
            let WorldItem::Interface { id, stability, .. } = item else {
                panic!("{key:?}");
            };
            // Those of WASI have versions of their own.
            if resolve.interfaces[*id].package == Some(package) {
                own += 1;
                let import = resolve.name_world_key(key);
                check_stability(&mut complaints, &format!("{name}: {import}"), stability);
            }
        }
        assert_eq!(own, interfaces.len(), "imports of {name}");
    }
    complaints.none();
}

fn returns_a_result(resolve: &Resolve, function: &Function) -> bool {
    let Some(Type::Id(id)) = function.result else {
        return false;
    };
    matches!(resolve.types[id].kind, TypeDefKind::Result(_))
}

/// Whoever knows libbpf or the kernel's interface must find it here, and what may go wrong.
#[test]
fn functions_name_their_counterparts_and_errors() {
    let (resolve, interfaces) = interfaces();
    let mut complaints = Complaints::default();
    let mut count = 0;
    for interface in &interfaces {
        for function in interface.functions.values() {
            count += 1;
            let what = format!("{}.{}", interface.name.as_deref().unwrap(), function.name);
            let docs = function.docs.contents.as_deref().unwrap_or_default();
            let has = |heading: &str| docs.lines().any(|line| line.trim() == heading);
            complaints.check(has("# References"), || {
                format!("{what} has no # References")
            });
            if returns_a_result(&resolve, function) {
                complaints.check(has("# Errors"), || format!("{what} has no # Errors"));
            }
            // Sections stand in one order.
            if let (Some(errors), Some(references)) =
                (docs.find("# Errors"), docs.find("# References"))
            {
                complaints.check(errors < references, || {
                    format!("{what}: # References comes before # Errors")
                });
            }
        }
        // A resource is a counterpart of something as well.
        for (name, id) in &interface.types {
            let ty = &resolve.types[*id];
            if matches!(ty.kind, TypeDefKind::Resource) {
                let docs = ty.docs.contents.as_deref().unwrap_or_default();
                complaints.check(docs.contains("# References"), || {
                    format!("the resource {name} has no # References")
                });
            }
        }
    }
    assert!(count > 40, "{count} functions");
    complaints.none();
}

/// A component that imports everything that a world offers.
fn importing_all(resolve: &Resolve, world: WorldId) -> Vec<u8> {
    let mut module = dummy_module(
        resolve,
        world,
        ManglingAndAbi::Legacy(wit_parser::LiftLowerAbi::Sync),
    );
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).unwrap().encode().unwrap()
}

fn world(resolve: &Resolve, package: PackageId, name: &str) -> WorldId {
    resolve.packages[package].worlds[name]
}

/// Compiles for the linkers and resolves each import, with its types.
fn assert_offered(bytes: &[u8]) {
    let engine = Engine::new(&wasm_bpf_host::engine_config()).unwrap();
    let component = Component::from_binary(&engine, bytes).unwrap();
    let mut blocking = Linker::<State>::new(&engine);
    wasm_bpf_host::wasi::add_to_linker_sync(&mut blocking).unwrap();
    wasm_bpf_host::add_to_linker_sync(&mut blocking).unwrap();
    blocking.instantiate_pre(&component).unwrap();
    let mut waiting = Linker::<State>::new(&engine);
    wasm_bpf_host::wasi::add_to_linker_async(&mut waiting).unwrap();
    wasm_bpf_host::add_to_linker_async(&mut waiting).unwrap();
    waiting.instantiate_pre(&component).unwrap();
}

#[test]
fn the_host_implements_every_function_with_these_types() {
    let (resolve, package) = wit();
    let bytes = importing_all(&resolve, world(&resolve, package, "imports"));
    // That the component imports all of it is what the rest rests on.
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (resolve, interfaces) = interfaces();
    for interface in &interfaces {
        let name = interface.name.as_deref().unwrap();
        let full = format!("wasm-bpf:bpf/{name}@{}", wasm_bpf_host::INTERFACE_VERSION);
        assert!(text.contains(&full), "{full} is not imported");
        for function in interface.functions.values() {
            if !matches!(function.kind, FunctionKind::Constructor(_)) {
                assert!(
                    text.contains(&function.name),
                    "{} is not imported",
                    function.name
                );
            }
        }
    }
    drop(resolve);
    assert_offered(&bytes);
}

#[test]
fn the_host_offers_all_of_wasi_that_the_world_for_tools_has() {
    let (resolve, package) = wit();
    assert_offered(&importing_all(
        &resolve,
        world(&resolve, package, "wasm-bpf"),
    ));
}
