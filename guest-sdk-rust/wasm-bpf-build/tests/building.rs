//! Build scripts as Cargo runs them: what they write, what they tell Cargo, and what they say when they fail.

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use libbpf_rs::MapCore as _;
use support::{Package, assert_success, contains};
use wasm_bpf_build::{Builder, Error};

const BUILD_RS: &str = "fn main() { wasm_bpf_build::build() }";

const TRIVIAL: &str = r#"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

int count;

SEC("socket")
int look(void *ctx)
{
	return count++;
}
"#;

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The message of a build that shall fail, which is for a person to read.
fn failure(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let message = stderr(&output);
    assert!(
        !message.contains("panicked") && !message.contains("Error"),
        "{message}"
    );
    message
}

/// A clang that the tests can use, by its path.
fn real_clang() -> PathBuf {
    let names = std::iter::once("clang".to_owned())
        .chain((15..=22).rev().map(|version| format!("clang-{version}")));
    let path = std::env::var_os("PATH").unwrap();
    let dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names
        .flat_map(|name| {
            dirs.iter()
                .map(move |dir| dir.join(&name))
                .collect::<Vec<_>>()
        })
        .find(|path| path.is_file())
        .expect("clang in PATH")
}

fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_build_script_compiles_every_source_and_tells_cargo_what_it_read() {
    let package = Package::new();
    package.write(
        "src/bpf/one.bpf.c",
        &format!("#include \"shared.h\"\n{TRIVIAL}"),
    );
    package.write("src/bpf/two-parts.bpf.c", TRIVIAL);
    package.write("src/bpf/shared.h", "struct shared { int a; };\n");
    package.write("src/bpf/notes.c", "this is not compiled");
    let output = package.build_script(BUILD_RS).output().unwrap();
    assert_success(&output, "the build script");

    let told = stdout(&output);
    let told: Vec<&str> = told.lines().collect();
    for expected in [
        "cargo:rerun-if-env-changed=CLANG",
        "cargo:rerun-if-changed=src/bpf",
        "cargo:rerun-if-changed=src/bpf/one.bpf.c",
        "cargo:rerun-if-changed=src/bpf/two-parts.bpf.c",
        "cargo:rerun-if-changed=src/bpf/shared.h",
        "cargo:rerun-if-changed=/usr/include/linux/bpf.h",
    ] {
        assert!(told.contains(&expected), "{expected} is not in {told:#?}");
    }
    // What the build script writes itself must not set it off again.
    let out = package.out().display().to_string();
    assert!(!told.iter().any(|line| line.contains(&out)), "{told:#?}");

    // Two skeletons fit into one crate.
    package.run(
        r#"
        include!(concat!(env!("OUT_DIR"), "/one.skel.rs"));
        include!(concat!(env!("OUT_DIR"), "/two-parts.skel.rs"));
        fn main() {
            let one = one::OneSkelBuilder::new().open().unwrap();
            let two = two_parts::TwoPartsSkelBuilder::new().open().unwrap();
            assert_eq!(one.bss.count + two.bss.count, 0);
        }
        "#,
    );
}

#[test]
fn a_source_that_does_not_compile_is_shown_with_the_diagnostics_of_clang() {
    let package = Package::new();
    package.write("src/bpf/good.bpf.c", TRIVIAL);
    package.write(
        "src/bpf/wrong.bpf.c",
        "int broken(void)\n{\n\treturn no_such_thing;\n}\n",
    );
    let message = failure(&mut package.build_script(BUILD_RS));
    assert!(
        message.contains(
            "src/bpf/wrong.bpf.c:3:9: error: use of undeclared identifier 'no_such_thing'"
        ),
        "{message}"
    );
    assert!(
        message.contains("        return no_such_thing;\n"),
        "{message}"
    );
    let last = message.lines().last().unwrap();
    assert!(
        last.contains("failed to compile src/bpf/wrong.bpf.c"),
        "{message}"
    );

    // An error that main returns is printed in its debug form, which must be as readable.
    let main =
        "fn main() -> Result<(), wasm_bpf_build::Error> { wasm_bpf_build::Builder::new().build() }";
    let output = package.build_script(main).output().unwrap();
    assert!(!output.status.success());
    assert!(
        stderr(&output).contains("        return no_such_thing;\n"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn warnings_of_clang_are_passed_on() {
    let package = Package::new();
    package.write(
        "src/bpf/careless.bpf.c",
        "int f(void)\n{\n\tint unused;\n\treturn 0;\n}\n",
    );
    let output = package.build_script(BUILD_RS).output().unwrap();
    assert_success(&output, "the build script");
    let told = stdout(&output);
    assert!(
        told.contains(
            "cargo:warning=src/bpf/careless.bpf.c:3:6: warning: unused variable 'unused'"
        ),
        "{told}"
    );
}

#[test]
fn a_missing_clang_is_named_with_what_to_install() {
    let package = Package::new();
    package.write("src/bpf/trivial.bpf.c", TRIVIAL);
    let empty = package.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let message = failure(
        package
            .build_script(BUILD_RS)
            .env("PATH", &empty)
            .env_remove("CLANG"),
    );
    for part in [
        "neither clang nor clang-22 to clang-14",
        "apt-get install clang-19",
        "dnf install clang",
        "CLANG",
    ] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    let message = failure(
        package
            .build_script(BUILD_RS)
            .env("CLANG", "/no/such/clang"),
    );
    for part in [
        "CLANG=/no/such/clang",
        "there is no such program",
        "apt-get install clang-19",
    ] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
}

#[test]
fn an_unfit_clang_is_passed_over() {
    let package = Package::new();
    package.write("src/bpf/trivial.bpf.c", TRIVIAL);
    let bin = package.path().join("bin");
    script(
        &bin.join("clang"),
        "#!/bin/sh\necho 'Debian clang version 13.0.1-6'\n",
    );
    script(
        &bin.join("clang-22"),
        "#!/bin/sh\ncase $1 in\n--version) echo 'clang version 22.1.0';;\n--print-targets) echo '    x86-64 - x';;\nesac\n",
    );
    let message = failure(
        package
            .build_script(BUILD_RS)
            .env("PATH", &bin)
            .env_remove("CLANG"),
    );
    assert!(message.contains("clang: it is clang 13"), "{message}");
    assert!(
        message.contains("clang-22: it has no bpf target"),
        "{message}"
    );

    symlink(real_clang(), bin.join("clang-15")).unwrap();
    let mut build = package.build_script(BUILD_RS);
    let output = build
        .env("PATH", &bin)
        .env_remove("CLANG")
        .output()
        .unwrap();
    assert_success(&output, "the build script");

    // The one that CLANG names is taken or none.
    let message = failure(
        package
            .build_script(BUILD_RS)
            .env("CLANG", bin.join("clang")),
    );
    assert!(message.contains("it is clang 13"), "{message}");
}

#[test]
fn objects_have_source_lines_but_no_paths_of_this_machine_and_no_dwarf() {
    let package = Package::new();
    package.write("src/bpf/trivial.bpf.c", TRIVIAL);
    package.write("src/bpf/rings.bpf.c", include_str!("bpf/bootstrap.bpf.c"));
    assert_success(
        &package.build_script(BUILD_RS).output().unwrap(),
        "the build script",
    );
    // A source outside of the package, by an absolute path.
    package
        .build("outside", include_str!("bpf/bootstrap.bpf.c"))
        .unwrap();

    let own = package.path().display().to_string();
    for (name, file, line) in [
        ("trivial", "./src/bpf/trivial.bpf.c", "return count++;"),
        (
            "rings",
            "./src/bpf/rings.bpf.c",
            "bpf_get_current_comm(e->comm",
        ),
        ("outside", "outside.bpf.c", "bpf_get_current_comm(e->comm"),
    ] {
        let object = package.object(name);
        assert!(contains(&object, file), "{name} does not name its source");
        assert!(
            contains(&object, line),
            "{name} does not have its source lines"
        );
        for path in [
            own.as_str(),
            env!("CARGO_MANIFEST_DIR"),
            "/tmp/",
            "/home/",
            "/root/",
        ] {
            assert!(!contains(&object, path), "{name} has the path {path}");
        }
        assert!(
            contains(&object, ".BTF") && !contains(&object, ".debug_"),
            "{name} has DWARF"
        );
    }
    // The lines of our header are there as well, under a name without the directory of generated files.
    let object = package.object("rings");
    assert!(contains(&object, "include/wasm_bpf/ringbuf.bpf.h"));
    assert!(contains(&object, "__sync_fetch_and_add(count, 1);"));
}

#[test]
fn the_same_source_gives_the_same_object_anywhere() {
    let build = || {
        let package = Package::new();
        package.write("src/bpf/rings.bpf.c", include_str!("bpf/bootstrap.bpf.c"));
        assert_success(
            &package.build_script(BUILD_RS).output().unwrap(),
            "the build script",
        );
        (package.object("rings"), package.skeleton("rings"))
    };
    assert!(build() == build());
}

#[test]
fn the_ring_buffer_header_works_after_either_kind_of_kernel_header() {
    let source = include_str!("bpf/bootstrap.bpf.c");
    let vmlinux = source.replace("#include <linux/bpf.h>", "#include \"vmlinux.h\"");
    assert_ne!(source, vmlinux);
    let package = Package::new();
    package.write("src/bpf/vmlinux.h", include_str!("bpf/vmlinux.h"));
    package.write("src/bpf/uapi.bpf.c", source);
    package.write("src/bpf/core.bpf.c", &vmlinux);
    let output = package.build_script(BUILD_RS).output().unwrap();
    assert_success(&output, "the build script");
    assert!(
        !stdout(&output).contains("cargo:warning"),
        "{}",
        stdout(&output)
    );
    for name in ["uapi", "core"] {
        let object = libbpf_rs::ObjectBuilder::default()
            .open_file(package.out().join(format!("{name}.bpf.o")))
            .unwrap();
        let lost = object.maps().find(|map| map.name() == "lost").unwrap();
        assert_eq!(lost.map_type(), libbpf_rs::MapType::PercpuArray);
        assert_eq!(
            (lost.key_size(), lost.value_size(), lost.max_entries()),
            (4, 8, 1)
        );
        let skeleton = package.skeleton(name);
        assert!(skeleton.contains("pub lost: PerCpuMap<u32, u64>,"));
        assert!(skeleton.contains("pub rb: Map,"));
    }
}

#[test]
fn arguments_for_clang_come_last() {
    let package = Package::new();
    let source = r#"
        #if defined(__TARGET_ARCH_arm64) && !defined(__TARGET_ARCH_x86) && LIMIT == 7
        int fine;
        #endif
        int *use(void) { return &fine; }
    "#;
    let path = package.write("args.bpf.c", source);
    let mut builder = Builder::new();
    builder
        .source(&path)
        .out_dir(package.out())
        .clang_arg("-D__TARGET_ARCH_arm64");
    assert!(matches!(builder.build(), Err(Error::Compile { .. })));
    builder
        .clang_args(["-ULIMIT", "-DLIMIT=7"])
        .build()
        .unwrap();
    assert!(package.skeleton("args").contains("pub fine: i32,"));
}

#[test]
fn sources_that_cannot_be_told_apart_or_named_are_refused() {
    let package = Package::new();
    let message = failure(&mut package.build_script(BUILD_RS));
    assert!(
        message.contains("src/bpf has no *.bpf.c files"),
        "{message}"
    );

    let a = package.write("a/same.bpf.c", TRIVIAL);
    let b = package.write("b/same.bpf.c", TRIVIAL);
    let error = Builder::new()
        .source(a)
        .source(b)
        .out_dir(package.out())
        .build()
        .unwrap_err();
    assert!(
        matches!(&error, Error::DuplicateName { name, .. } if name == "same"),
        "{error}"
    );

    let error = Builder::new()
        .source("plain.c")
        .out_dir(package.out())
        .build()
        .unwrap_err();
    assert!(matches!(&error, Error::SourceName { .. }), "{error}");
}

#[test]
fn an_object_that_libbpf_refuses_is_shown_with_what_it_says() {
    let package = Package::new();
    let error = package
        .build(
            "odd",
            "struct { int type; } broken __attribute__((section(\".maps\"), used));\n",
        )
        .unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, Error::Object { .. }), "{message}");
    assert!(
        message.contains("odd.bpf.c") && message.contains("broken"),
        "{message}"
    );
}

#[test]
fn without_an_output_directory_the_message_says_how_to_give_one() {
    let package = Package::new();
    package.write("src/bpf/trivial.bpf.c", TRIVIAL);
    let message = failure(package.build_script(BUILD_RS).env_remove("OUT_DIR"));
    assert!(
        message.contains("OUT_DIR") && message.contains("Builder::out_dir"),
        "{message}"
    );
}

#[test]
fn kernel_records_that_find_no_room_are_counted() {
    let package = Package::new();
    let source = r#"
        #include <linux/bpf.h>
        #include <bpf/bpf_helpers.h>
        #include <wasm_bpf/ringbuf.bpf.h>

        struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } rb SEC(".maps");
        WASM_BPF_LOST_COUNTER(lost_reserve);
        WASM_BPF_LOST_COUNTER(lost_output);

        SEC("socket")
        int reserve(void *ctx)
        {
            __u64 *record = wasm_bpf_ringbuf_reserve(&rb, 1016, &lost_reserve);

            if (!record)
                return 1;
            *record = 0;
            bpf_ringbuf_submit(record, 0);
            return 0;
        }

        SEC("socket")
        int output(void *ctx)
        {
            __u64 record = 0;

            return wasm_bpf_ringbuf_output(&rb, &record, sizeof(record), 0, &lost_output) ? 1 : 0;
        }

        char LICENSE[] SEC("license") = "GPL";
    "#;
    package.build("full", source).unwrap();
    let object = libbpf_rs::ObjectBuilder::default()
        .open_file(package.out().join("full.bpf.o"))
        .unwrap();
    let object = object.load().unwrap();
    let run = |name: &str| {
        let program = object
            .progs_mut()
            .find(|program| program.name() == name)
            .unwrap();
        let input = libbpf_rs::ProgramInput {
            data_in: Some(&[0; 64]),
            ..Default::default()
        };
        program.test_run(input).unwrap().return_value
    };
    // Four records of 1024 bytes with their headers would fill it, but one byte of it always stays free.
    let reserved: Vec<u32> = (0..10).map(|_| run("reserve")).collect();
    assert_eq!(reserved, [0, 0, 0, 1, 1, 1, 1, 1, 1, 1]);
    // The rest takes 16 bytes for each record of 8.
    let failed = (0..70).filter(|_| run("output") == 1).count();
    assert_eq!(failed, 70 - 63);

    let count = |name: &str| -> u64 {
        let map = object.maps().find(|map| map.name() == name).unwrap();
        let slots = map
            .lookup_percpu(&[0; 4], libbpf_rs::MapFlags::ANY)
            .unwrap()
            .unwrap();
        slots
            .iter()
            .map(|slot| u64::from_le_bytes(slot[..8].try_into().unwrap()))
            .sum()
    };
    assert_eq!(count("lost_reserve"), 7);
    assert_eq!(count("lost_output"), 7);
}
