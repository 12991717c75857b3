//! `wasm-bpf-c check-structs` on what clang compiles for BPF and for guests.

mod support;

use support::{Project, stderr, stdout};

/// What both sides include. The fixed-width types are those of <linux/types.h>, which wasm32 has no system header of here.
const TYPES: &str = "
typedef unsigned char __u8;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
";

/// Compiles a header's structs on both sides as programs do: neither needs a variable of the type.
fn project(header: &str, uses: &[&str]) -> Project {
    let project = Project::new();
    project.write("types.h", TYPES);
    project.write("event.h", header);
    let used: String = uses
        .iter()
        .enumerate()
        .map(|(n, name)| {
            format!("void use{n}({name} *x) {{ ((volatile char *)x)[sizeof(*x) - 1]++; }}\n")
        })
        .collect();
    let includes = "#include \"types.h\"\n#include \"event.h\"\n";
    project.write(
        "foo.bpf.c",
        &format!(
            "{includes}int count;\n{}",
            used.replace("void use", "__attribute__((section(\"socket\"))) int use")
                .replace("++; }", "++; return 0; }")
        ),
    );
    project.write("foo.c", &format!("{includes}{used}"));
    project.bpf("foo.bpf.c", &[]);
    project.guest("foo.c", &[]);
    project
}

/// The complaint about structs that have to differ.
#[track_caller]
fn complaint(project: &Project, args: &[&str]) -> String {
    let output = project.check(args);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.starts_with("error: "), "{text}");
    text
}

#[track_caller]
fn agreed(project: &Project, args: &[&str]) -> String {
    let output = project.check(args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
}

const FILES: [&str; 2] = ["foo.bpf.o", "foo.o"];

#[test]
fn fixed_width_fields_are_the_same() {
    let project = project(
        "enum kind { ONE, TWO };
         struct inner { __u8 a; __u64 b; };
         struct event {
             __s32 pid; __u64 start; char comm[16]; enum kind kind; struct inner inner[2];
             union { __u32 x; __u64 y; };
             unsigned flag : 1; unsigned rest : 7; __u64 wide : 40;
             struct { __u32 p; } named;
             __u8 tail[];
         };
         typedef struct { __u32 a; __u64 b; } pair_t;
         union either { __u64 a; __u32 b; };",
        &["struct event", "pair_t", "union either"],
    );
    let compared = agreed(&project, &["--verbose", FILES[0], FILES[1]]);
    for name in [
        "struct event",
        "struct inner",
        "enum kind",
        "pair_t",
        "union either",
    ] {
        assert!(
            compared.contains(&format!("compared {name}\n")),
            "{name}: {compared}"
        );
    }
}

#[test]
fn a_long_is_named_with_its_offsets_and_the_type_to_use() {
    let project = project(
        "struct event { int pid; unsigned long start; long end; int code; char comm[8]; };",
        &["struct event"],
    );
    assert_eq!(
        complaint(&project, &FILES),
        "error: struct event is not the same for the BPF program and for the guest (event.h:1)\n  \
         start (unsigned long): 8 bytes at offset 8 for BPF, 4 bytes at offset 4 for the guest: declare it as __u64\n  \
         end (long): 8 bytes at offset 16 for BPF, 4 bytes at offset 8 for the guest: declare it as __s64\n  \
         because of that 2 more fields are elsewhere\n  \
         in all 40 bytes for BPF, 24 for the guest\n\
         what a program and its BPF side exchange needs types of the same size on both, as the __u64 and __s32 of \
         <linux/types.h> are; a struct that they share in nothing but its name can be left out (--ignore)\n"
    );
}

#[test]
fn pointers_and_typedefs_of_long_are_told_as_they_are_declared() {
    let project = project(
        "typedef unsigned long size_t;
         struct event { char *name; size_t sizes[4]; void *raw; struct unknown *far; };",
        &["struct event"],
    );
    let text = complaint(&project, &FILES);
    for part in [
        "name (char *): 8 bytes at offset 0 for BPF, 4 bytes at offset 0 for the guest: declare it as __u64, and convert pointers",
        "sizes (size_t[4]): 32 bytes at offset 8 for BPF, 16 bytes at offset 4 for the guest: declare it as __u64[4]\n",
        "raw (a pointer): 8 bytes",
        "far (a pointer): 8 bytes",
    ] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn structs_inside_are_told_where_they_are_declared() {
    let project = project(
        "struct stamp { long seconds; };
         struct event { int pid; struct stamp at; int last; };
         struct outer { struct { int a; struct { long b; } c; } d[2]; union { long e; int f; }; };",
        &["struct event", "struct outer"],
    );
    let text = complaint(&project, &FILES);
    // Nothing is wrong with the event but its stamp, which is told once.
    assert!(!text.contains("struct event"), "{text}");
    assert!(text.contains("struct stamp is not the same"), "{text}");
    assert!(
        text.contains("seconds (long): 8 bytes at offset 0 for BPF, 4 bytes at offset 0"),
        "{text}"
    );
    assert!(
        text.contains("d[].c.b (long): 8 bytes at offset 8 for BPF, 4 bytes at offset 4"),
        "{text}"
    );
    assert!(
        text.contains("  e (long): 8 bytes at offset 32 for BPF, 4 bytes at offset 16"),
        "{text}"
    );
    // In a union, nothing moves the others.
    assert!(
        text.contains("because of that 1 more field is elsewhere"),
        "{text}"
    );
}

#[test]
fn bit_fields_are_compared_by_their_bits() {
    let same = project(
        "struct flags { unsigned a : 3; unsigned b : 30; __u64 c : 33; __s32 d : 5; };",
        &["struct flags"],
    );
    agreed(&same, &FILES);
    let different = project(
        "struct flags { unsigned a : 20; unsigned long b : 20; };",
        &["struct flags"],
    );
    let text = complaint(&different, &FILES);
    assert!(
        text.contains("b (unsigned long): 20 bits at offset 2, bit 4 for BPF, 20 bits at offset 4, bit 0 for the guest: declare it as __u64 : 20\n"),
        "{text}"
    );
}

#[test]
fn every_version_of_dwarf_tells_the_same() {
    let header = "struct event { int pid; unsigned a : 3; unsigned b : 7; unsigned long start; long more[2]; };";
    let project = project(header, &["struct event"]);
    let expected = complaint(&project, &FILES);
    for (bpf, guest) in [
        ("-gdwarf-3", "-gdwarf-5"),
        ("-gdwarf-4", "-gdwarf-3"),
        ("-gdwarf-5", "-gdwarf-4"),
    ] {
        project.bpf("foo.bpf.c", &[bpf]);
        project.guest("foo.c", &[guest]);
        assert_eq!(complaint(&project, &FILES), expected, "{bpf} {guest}");
    }
}

#[test]
fn a_field_that_one_side_lacks_is_named() {
    let project = project("struct event { int a; };", &["struct event"]);
    project.write(
        "foo.c",
        "struct event { int a; int b; };\nint use(struct event *x) { return x->b; }\n",
    );
    project.guest("foo.c", &[]);
    let text = complaint(&project, &FILES);
    assert!(
        text.contains("b: the BPF program does not have this field"),
        "{text}"
    );
    assert!(text.contains("(BPF: event.h:1; guest: foo.c:1)"), "{text}");
    let swapped = Project::new();
    swapped.write(
        "foo.bpf.c",
        "struct event { int a; int b; };\n__attribute__((section(\"socket\"))) int use(struct event *x) { return x->b; }\nint n;\n",
    );
    swapped.write(
        "foo.c",
        "struct event { int a; };\nint use(struct event *x) { return x->a; }\n",
    );
    swapped.bpf("foo.bpf.c", &[]);
    swapped.guest("foo.c", &[]);
    assert!(complaint(&swapped, &FILES).contains("b: the guest does not have this field"));
}

#[test]
fn a_union_is_no_struct_and_a_packed_one_no_other() {
    let project = Project::new();
    let source = |declarations: &str| {
        format!(
            "{declarations}\n__attribute__((section(\"socket\"))) int use(union either *x, struct packed *y) {{ return x->a + y->b; }}\nint n;\n"
        )
    };
    project.write(
        "foo.bpf.c",
        &source(
            "union either { int a; }; struct packed { char a; int b; } __attribute__((packed));",
        ),
    );
    project.write("foo.c", "struct either { int a; };\nstruct packed { char a; int b; };\nint use(struct either *x, struct packed *y) { return x->a + y->b; }\n");
    project.bpf("foo.bpf.c", &[]);
    project.guest("foo.c", &[]);
    let text = complaint(&project, &FILES);
    assert!(
        text.contains("it is union either for BPF, struct either for the guest"),
        "{text}"
    );
    // No type would make it right, so none is named.
    assert!(
        text.contains("b (int): 4 bytes at offset 1 for BPF, 4 bytes at offset 4 for the guest\n"),
        "{text}"
    );
}

#[test]
fn an_end_that_is_padded_differently_is_told() {
    let project = project(
        "struct event { __u64 a; int b; } ALIGNED;",
        &["struct event"],
    );
    project.bpf("foo.bpf.c", &["-DALIGNED=__attribute__((aligned(16)))"]);
    project.guest("foo.c", &["-DALIGNED="]);
    agreed(&project, &FILES);
    project.guest("foo.c", &["-DALIGNED=__attribute__((packed))"]);
    let text = complaint(&project, &FILES);
    assert!(
        text.contains("all fields are where they should be"),
        "{text}"
    );
    assert!(
        text.contains("in all 16 bytes for BPF, 12 for the guest; its end is padded differently"),
        "{text}"
    );
}

#[test]
fn an_enum_has_one_size() {
    let project = project(
        "enum kind { A, B };\nstruct event { enum kind kind; };",
        &["struct event"],
    );
    project.guest("foo.c", &["-fshort-enums"]);
    let text = complaint(&project, &FILES);
    assert!(text.contains("enum kind is not the same"), "{text}");
    assert!(
        text.contains("in all 4 bytes for BPF, 1 for the guest"),
        "{text}"
    );
}

#[test]
fn what_is_the_systems_is_not_compared() {
    let project = Project::new();
    // A struct of the kernel that a BPF program has from vmlinux.h, and a guest from a header of its libc or its own.
    project.write(
        "vmlinux.h",
        "struct timespec { long tv_sec; long tv_nsec; };\nstruct own { long a; };\n",
    );
    project.write(
        "sysroot/time.h",
        "struct timespec { long long tv_sec; int tv_nsec; };\n",
    );
    project.write(
        "foo.bpf.c",
        "#include \"vmlinux.h\"\n__attribute__((section(\"socket\"))) int use(struct timespec *x, struct own *y) { return x->tv_sec + y->a; }\nint n;\n",
    );
    project.write(
        "foo.c",
        "#include <time.h>\nstruct own { int b; };\nint use(struct timespec *x, struct own *y) { return x->tv_sec + y->b; }\n",
    );
    project.bpf("foo.bpf.c", &[]);
    project.guest("foo.c", &["-isystem", "sysroot"]);
    let compared = agreed(&project, &["--verbose", FILES[0], FILES[1]]);
    assert_eq!(compared, "");
    // Where DWARF does not say that the kernel's is from vmlinux.h, a sysroot still can be named.
    project.link();
    let text = complaint(&project, &["linked.bpf.o", "foo.o"]);
    assert!(text.contains("struct timespec is not the same"), "{text}");
    let text = complaint(&project, &["--system", "sysroot", "linked.bpf.o", "foo.o"]);
    assert!(!text.contains("struct timespec is not the same"), "{text}");
    agreed(
        &project,
        &[
            "--system",
            "./x/../sysroot",
            "--ignore",
            "own",
            "linked.bpf.o",
            "foo.o",
        ],
    );
}

#[test]
fn a_struct_of_the_system_inside_of_a_shared_one_counts() {
    let project = Project::new();
    project.write(
        "vmlinux.h",
        "struct timespec { long tv_sec; long tv_nsec; };\n",
    );
    project.write(
        "sysroot/time.h",
        "struct timespec { long long tv_sec; int tv_nsec; };\n",
    );
    project.write(
        "event.h",
        "struct event { int pid; struct timespec at; };\n",
    );
    project.write(
        "foo.bpf.c",
        "#include \"vmlinux.h\"\n#include \"event.h\"\n__attribute__((section(\"socket\"))) int use(struct event *x) { return x->pid; }\nint n;\n",
    );
    project.write(
        "foo.c",
        "#include <time.h>\n#include \"event.h\"\nint use(struct event *x) { return x->pid; }\n",
    );
    project.bpf("foo.bpf.c", &[]);
    project.guest("foo.c", &["-isystem", "sysroot"]);
    let text = complaint(&project, &["--system", "sysroot", FILES[0], FILES[1]]);
    assert!(text.contains("struct event is not the same"), "{text}");
    assert!(
        text.contains(
            "at.tv_nsec (long; guest: int): 8 bytes at offset 16 for BPF, 4 bytes at offset 16"
        ),
        "{text}"
    );
}

#[test]
fn a_linked_object_has_the_structs_of_its_variables() {
    let project = project(
        "struct config { long limit; };\ntypedef struct { long a; } key_t;\nstruct record { long b; };",
        &["struct config", "key_t", "struct record"],
    );
    project.write(
        "foo.bpf.c",
        "#include \"event.h\"\nstruct config config; key_t keys[3];\n\
         __attribute__((section(\"socket\"))) int use(void *x) { return ((struct record *)x)->b; }\n",
    );
    project.bpf("foo.bpf.c", &[]);
    project.link();
    let text = complaint(&project, &["linked.bpf.o", "foo.o"]);
    assert!(text.contains("struct config is not the same"), "{text}");
    assert!(text.contains("key_t is not the same"), "{text}");
    assert!(!text.contains("struct record"), "{text}");
    // DWARF has what is used in functions alone.
    let text = complaint(&project, &FILES);
    for name in ["struct config", "key_t", "struct record"] {
        assert!(
            text.contains(&format!("{name} is not the same")),
            "{name}: {text}"
        );
        assert_eq!(
            text.matches(&format!("{name} is not the same")).count(),
            1,
            "{text}"
        );
    }
}

#[test]
fn every_object_of_a_guest_is_looked_at() {
    let project = project("struct event { __s64 a; };", &["struct event"]);
    project.write(
        "old.c",
        "struct event { long a; };\nint old(struct event *x) { return x->a; }\n",
    );
    project.write(
        "again.c",
        "#include \"types.h\"\n#include \"event.h\"\nint again(struct event *x) { return x->a; }\n",
    );
    project.write("empty.c", "extern int x;\n");
    for file in ["old.c", "again.c", "empty.c"] {
        project.guest(file, &[]);
    }
    agreed(&project, &["foo.bpf.o", "foo.o", "again.o", "empty.o"]);
    let text = complaint(&project, &["foo.bpf.o", "foo.o", "again.o", "old.o"]);
    assert!(text.contains("(BPF: event.h:1; guest: old.c:1)"), "{text}");
    assert_eq!(text.matches("is not the same").count(), 1, "{text}");
}

#[test]
fn names_of_cxx_scopes_are_not_those_of_c() {
    let project = project("struct event { __s64 a; };", &["struct event"]);
    project.write(
        "more.cpp",
        "namespace other { struct event { long a; }; }\n\
         struct outer { struct event { long b; } inner; };\n\
         long use(other::event *x, outer *y) { return x->a + y->inner.b; }\n",
    );
    project.guest("more.cpp", &[]);
    agreed(&project, &["foo.bpf.o", "foo.o", "more.o"]);
    // Of a C header it is the same struct.
    project.write(
        "more.cpp",
        "struct event { long a; };\nlong use(event *x) { return x->a; }\n",
    );
    project.guest("more.cpp", &[]);
    assert!(complaint(&project, &["foo.bpf.o", "foo.o", "more.o"]).contains("guest: more.cpp:1"));
}

#[test]
fn structs_inside_of_structs_are_global_in_c() {
    let project = project(
        "struct outer { int a; struct event { long b; } inner; };",
        &["struct outer"],
    );
    let text = complaint(&project, &FILES);
    assert!(text.contains("struct event is not the same"), "{text}");
}

#[test]
fn what_cannot_be_read_is_said() {
    let project = project("struct event { __s64 a; };", &["struct event"]);
    project.write("plain.txt", "hello\n");
    project.guest_as("foo.c", "nodebug.o", &["-g0"]);
    project.guest_as("foo.c", "bitcode.o", &["-flto"]);
    project.native("foo.c", "native.o");
    project.bpf_as("foo.bpf.c", "nodebug.bpf.o", &["-g0"]);
    project.bpf_as("foo.bpf.c", "big.bpf.o", &["-target", "bpfeb"]);
    project.guest_as("foo.c", "split.o", &["-gsplit-dwarf"]);
    let cut = &project.read("foo.o")[..300];
    project.write_bytes("cut.o", cut);
    let cut = &project.read("foo.bpf.o")[..300];
    project.write_bytes("cut.bpf.o", cut);
    for (args, why) in [
        (&["missing.o", "foo.o"][..], "cannot read missing.o"),
        (&["plain.txt", "foo.o"], "plain.txt is not a BPF object"),
        (
            &["native.o", "foo.o"],
            "native.o is an object for another machine",
        ),
        (&["big.bpf.o", "foo.o"], "big.bpf.o is big-endian"),
        (&["nodebug.bpf.o", "foo.o"], "nodebug.bpf.o has no BTF"),
        (&["cut.bpf.o", "foo.o"], "cannot read the object cut.bpf.o"),
        (&["foo.bpf.o", "plain.txt"], "plain.txt is not WebAssembly"),
        (&["foo.bpf.o", "foo.bpf.o"], "foo.bpf.o is an ELF file"),
        (
            &["foo.bpf.o", "nodebug.o"],
            "nodebug.o has no debug information",
        ),
        (&["foo.bpf.o", "bitcode.o"], "bitcode.o is LLVM bitcode"),
        (&["foo.bpf.o", "split.o"], "compile without -gsplit-dwarf"),
        (&["foo.bpf.o", "cut.o"], "cannot read cut.o"),
    ] {
        let text = complaint(&project, args);
        assert!(text.contains(why), "{args:?}: {text}");
        assert!(!text.contains("panicked"), "{text}");
    }
}

#[test]
fn usage_has_an_exit_code_of_its_own() {
    let project = Project::new();
    assert_eq!(project.check(&["foo.bpf.o"]).status.code(), Some(2));
}
