//! `wasm-bpf-c headers` and `wasm-bpf-c link`.

mod support;

use std::fs;

use support::{Project, stderr};

const SOURCE: &str = "
#include <bpf/bpf_helpers.h>
int NAME_value = 3;
SEC(\"socket\") int NAME_program(void *ctx) { return NAME_value; }
char NAME_license[] SEC(\"license\") = \"GPL\";
";

/// Compiled against the headers that the command writes.
fn project() -> Project {
    let project = Project::new();
    let output = project.run(&["headers", "include"]);
    assert!(output.status.success(), "{}", stderr(&output));
    // The header takes its types from vmlinux.h or the kernel's; a program here needs no more than these.
    let types = "typedef unsigned char __u8; typedef unsigned short __u16; typedef unsigned int __u32;\n\
                 typedef unsigned long long __u64; typedef int __s32; typedef long long __s64; typedef __u16 __be16;\n\
                 typedef __u32 __be32; typedef __u32 __wsum; enum bpf_map_type { ARRAY };\n";
    for name in ["one", "two"] {
        let source = SOURCE.replace("NAME", name);
        project.write(&format!("{name}.bpf.c"), &format!("{types}{source}"));
        project.bpf(&format!("{name}.bpf.c"), &["-I", "include"]);
    }
    project
}

#[test]
fn headers_are_written_once() {
    let project = project();
    for name in [
        "bpf/bpf_helpers.h",
        "bpf/bpf_helper_defs.h",
        "bpf/bpf_tracing.h",
        "bpf/bpf_core_read.h",
        "bpf/bpf_endian.h",
        "bpf/usdt.bpf.h",
        "wasm_bpf/ringbuf.bpf.h",
    ] {
        assert!(project.path("include").join(name).is_file(), "{name}");
    }
    // What make compares must not change for nothing.
    let header = project.path("include/bpf/bpf_helpers.h");
    let before = fs::metadata(&header).unwrap().modified().unwrap();
    project.run(&["headers", "include"]);
    assert_eq!(fs::metadata(&header).unwrap().modified().unwrap(), before);
    let output = project.run(&["headers", "one.bpf.c"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("cannot create the directory one.bpf.c/bpf"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn linking_drops_dwarf_and_keeps_btf() {
    let project = project();
    let output = project.run(&["link", "two.bpf.o", "-o", "out.bpf.o"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let linked = project.read("out.bpf.o");
    assert!(!contains(&linked, b".debug_info"));
    assert!(contains(&linked, b".BTF.ext"));
    assert!(linked.len() < project.read("two.bpf.o").len());
}

#[test]
fn several_objects_become_one() {
    let project = project();
    let output = project.run(&["link", "one.bpf.o", "two.bpf.o", "-o", "out.bpf.o"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let linked = project.read("out.bpf.o");
    assert!(contains(&linked, b"one_value") && contains(&linked, b"two_program"));
}

#[test]
fn what_cannot_be_linked_leaves_nothing() {
    let project = project();
    project.write("plain.txt", "hello\n");
    let cut = &project.read("one.bpf.o")[..200];
    project.write_bytes("cut.bpf.o", cut);
    for (args, why) in [
        (&["missing.o"][..], "cannot read missing.o"),
        (&["plain.txt"], "plain.txt is not an object file"),
        (&["cut.bpf.o"], "libbpf cannot link the object of cut.bpf.o"),
        (&["one.bpf.o", "one.bpf.o"], "conflicting non-weak symbol"),
    ] {
        let output = project.run(&[&["link", "-o", "out.bpf.o"], args].concat());
        assert_eq!(output.status.code(), Some(1));
        assert!(
            stderr(&output).contains(why),
            "{args:?}: {}",
            stderr(&output)
        );
        assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    }
    let left: Vec<_> = fs::read_dir(project.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_string_lossy().starts_with("out.bpf.o")),
        "{left:?}"
    );
}

#[test]
fn an_object_is_not_overwritten_with_what_is_made_of_it() {
    let project = project();
    let before = project.read("one.bpf.o");
    let output = project.run(&["link", "one.bpf.o", "-o", "./one.bpf.o"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("would be overwritten"),
        "{}",
        stderr(&output)
    );
    assert_eq!(project.read("one.bpf.o"), before);
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
