//! Skeletons of C sources, compiled and run against a stub of the guest crate.

mod support;

use support::Package;

#[test]
fn a_skeleton_opens_loads_and_attaches() {
    let package = Package::new();
    package
        .build("bootstrap", include_str!("bpf/bootstrap.bpf.c"))
        .unwrap();
    package.run(include_str!("programs/bootstrap.rs"));
}

/// Needs clang 15, the first whose BTF says which enums are signed.
#[test]
fn types_have_the_layout_of_c() {
    let package = Package::new();
    package
        .build("awkward", include_str!("bpf/awkward.bpf.c"))
        .unwrap();
    package.run(include_str!("programs/awkward.rs"));
}

#[test]
fn what_libbpf_treats_in_its_own_way_is_no_obstacle() {
    let package = Package::new();
    package
        .build("special", include_str!("bpf/special.bpf.c"))
        .unwrap();
    package.run(include_str!("programs/special.rs"));
}

#[test]
fn maps_have_the_types_that_they_are_declared_with() {
    let package = Package::new();
    package
        .build("maps", include_str!("bpf/maps.bpf.c"))
        .unwrap();
    package.run(include_str!("programs/maps.rs"));
}

#[test]
fn global_variables_are_live_after_loading() {
    let package = Package::new();
    package
        .build("global", include_str!("bpf/global.bpf.c"))
        .unwrap();
    package.run(include_str!("programs/global.rs"));
}
