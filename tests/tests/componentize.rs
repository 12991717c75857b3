//! `wasm-bpf componentize`: what core modules become, and what is said of those that cannot become anything. Nothing here needs root.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use wasm_bpf_tests::{Finished, host, workspace};

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, contents).unwrap();
        path
    }

    fn module(&self, text: &str) -> PathBuf {
        self.file("module.wasm", wat::parse_str(text).unwrap())
    }

    /// All that is in the directory, by name.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Makes a component of a module.
    #[track_caller]
    fn made(&self, module: &Path) -> PathBuf {
        let component = self.path("made.component.wasm");
        let finished = componentize(module, &component).ok();
        assert_eq!(
            (finished.output.as_str(), finished.errors.as_str()),
            ("", "")
        );
        component
    }
}

fn componentize(module: &Path, output: &Path) -> Finished {
    let mut command = Command::new(host());
    command
        .arg("componentize")
        .arg(module)
        .arg("-o")
        .arg(output);
    Finished::of(&mut command)
}

fn run(component: &Path, args: &[&str]) -> Finished {
    Finished::of(Command::new(host()).arg("run").arg(component).args(args))
}

/// That nothing is written, and the reason is said.
#[track_caller]
fn refused(files: &Files, module: &Path, parts: &[&str]) {
    let output = files.path("refused.component.wasm");
    let before = files.names();
    let finished = componentize(module, &output).ended_with(1).says(parts);
    let errors = finished.errors;
    assert!(errors.starts_with("error: "), "{errors}");
    assert!(
        errors.contains(module.file_name().unwrap().to_str().unwrap()),
        "{errors}"
    );
    assert!(!errors.contains("panicked"), "{errors}");
    assert_eq!(files.names(), before);
}

/// A program that ends with this code.
fn exits(code: i32, more: &str) -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            {more}
            (func (export "_start") i32.const {code} call $exit))"#
    )
}

#[test]
fn a_module_exits_as_it_says() {
    let files = Files::new();
    for code in [0, 1, 3, 255] {
        let module = files.module(&exits(code, r#"(memory (export "memory") 1)"#));
        let finished = run(&files.made(&module), &[]).ended_with(code);
        assert_eq!(finished.errors, "");
    }
}

#[test]
fn a_module_without_wasi_becomes_a_component_too() {
    let files = Files::new();
    let module = files.module(r#"(module (memory (export "memory") 1) (func (export "_start")))"#);
    run(&files.made(&module), &[]).ok();
    let module = files.module(
        r#"(module (memory (export "memory") 1) (func (export "wasi:cli/run@0.2.0#run") (result i32) i32.const 1))"#,
    );
    refused(
        &files,
        &module,
        &["exports wasi:cli/run@0.2.0#run", "component-type"],
    );
}

/// The adapter keeps its state in the memory of the module. It must find room in it, and the module not take that for its own.
#[test]
fn memory_that_cannot_grow_has_room_for_the_adapter() {
    let files = Files::new();
    for (memory, sizes) in [("1 1", "1"), ("3 3", "3"), ("1 2", "1")] {
        // Asks for its arguments, which the adapter allocates for; then for its size, and for more.
        let module = files.module(&format!(
            r#"(module
                (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
                (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                (memory (export "memory") {memory})
                (func (export "_start")
                    (if (call $args (i32.const 16) (i32.const 20)) (then unreachable))
                    (if (i32.ne (i32.load (i32.const 16)) (i32.const 3)) (then (call $exit (i32.const 4))))
                    (call $exit (call $seen)))
                (func $seen (result i32) {seen}))"#,
            seen = if memory == "1 2" {
                // There is more, but not without limit.
                "(i32.and (i32.lt_s (memory.size) (i32.const 32)) (i32.lt_s (memory.grow (i32.const 64)) (i32.const 0)))".to_owned()
            } else {
                format!(
                    "(i32.and (i32.eq (memory.size) (i32.const {sizes}))
                        (i32.and (i32.eq (memory.grow (i32.const 1)) (i32.const -1))
                            (i32.eq (memory.grow (i32.const 0)) (i32.const {sizes}))))"
                )
            }
        ));
        run(&files.made(&module), &["a", "b"]).ended_with(1);
    }
}

/// What emscripten links in its standalone mode takes all of the memory behind its own for its own.
#[test]
fn a_module_of_emscripten_is_asked_for_memory() {
    let files = Files::new();
    let module = |malloc: &str, memory: &str| {
        format!(
            r#"(module
                (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
                (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                (import "env" "emscripten_notify_memory_growth" (func $grown (param i32)))
                (memory (export "memory") {memory})
                (global $asked (mut i32) (i32.const 0))
                (func {malloc} (param i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.mul (memory.size) (i32.const 65536)))
                    (global.set $asked (i32.const 7))
                    (drop (memory.grow (i32.add (i32.div_u (local.get 0) (i32.const 65536)) (i32.const 1))))
                    (call $grown (i32.const 0))
                    (local.get $at))
                (func (export "stackAlloc") (param i32) (result i32) unreachable)
                (func (export "_start")
                    (drop (call $args (i32.const 16) (i32.const 20)))
                    (call $exit (global.get $asked))))"#
        )
    };
    let asked = files.module(&module(r#"(export "malloc")"#, "1"));
    run(&files.made(&asked), &[]).ended_with(7);
    let fixed = files.module(&module("", "1 1"));
    run(&files.made(&fixed), &[]).ended_with(0);
    let growing = files.module(&module("", "1 9"));
    refused(
        &files,
        &growing,
        &["emscripten", "_malloc", "-sALLOW_MEMORY_GROWTH"],
    );
}

#[test]
fn a_program_of_the_predecessor_is_sent_to_the_page_on_migrating() {
    let files = Files::new();
    let module = files.module(
        r#"(module
            (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
            (import "wasm_bpf" "wasm_load_bpf_object" (func (param i32 i32) (result i64)))
            (import "wasm_bpf" "wasm_attach_bpf_program" (func (param i64 i32 i32) (result i32)))
            (import "wasm_bpf" "wasm_bpf_buffer_poll" (func (param i64 i32 i32 i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "_start")))"#,
    );
    refused(
        &files,
        &module,
        &[
            "predecessor",
            "wasm_attach_bpf_program, wasm_bpf_buffer_poll, wasm_load_bpf_object",
            "docs/migrating.md",
        ],
    );
    assert!(workspace().join("docs/migrating.md").is_file());
}

#[test]
fn what_is_no_module() {
    let files = Files::new();
    for (name, contents, parts) in [
        (
            "text.wat",
            "(module)".as_bytes(),
            &["text form", "wasm-tools"][..],
        ),
        ("hello.wasm", b"hello", &["not WebAssembly"]),
        ("empty.wasm", b"", &["is empty, not a core module"]),
        (
            "object.bpf.o",
            b"\x7fELF and so on",
            &["is an ELF file", "wasm32-wasip1"],
        ),
        (
            "component.wasm",
            &wat::parse_str("(component)").unwrap(),
            &["component already", "wasm-bpf run"],
        ),
    ] {
        let path = files.file(name, contents);
        refused(&files, &path, parts);
    }
    refused(&files, &files.path("missing.wasm"), &["there is no file"]);
    refused(
        &files,
        files.0.path(),
        &["is a directory, not a core module"],
    );
    // Without names, which are in a section behind the code that nothing needs.
    let whole = wat::parse_str(
        r#"(module (memory (export "memory") 1) (func (export "_start") (drop (i32.const 0))))"#,
    )
    .unwrap();
    // What is cut off after a section is a module still, of less.
    for length in 8..whole.len() {
        let cut = files.file("cut.wasm", &whole[..length]);
        let errors = componentize(&cut, &files.path("refused.wasm"))
            .ended_with(1)
            .errors;
        assert!(
            errors.contains("not a valid module; was it cut off")
                || errors.contains("does not export _start"),
            "{errors}"
        );
    }
    let cut = files.file("cut.wasm", &whole[..whole.len() - 1]);
    refused(&files, &cut, &["not a valid module", "cut off"]);
}

#[test]
fn modules_that_cannot_be_components() {
    let files = Files::new();
    let memory = r#"(memory (export "memory") 1)"#;
    let start = r#"(func (export "_start"))"#;
    for (text, parts) in [
        (
            format!(
                r#"(import "env" "lookup" (func)) (import "env" "store" (func)) {memory} {start}"#
            ),
            &["imports lookup, store from env", "--allow-undefined"][..],
        ),
        (
            format!(r#"(import "wasi_unstable" "proc_exit" (func (param i32))) {memory} {start}"#),
            &["before preview 1"],
        ),
        (
            format!(
                r#"(import "wasi_snapshot_preview1" "sock_open" (func (param i32))) {memory} {start}"#
            ),
            &["imports sock_open", "preview 1 does not have"],
        ),
        (
            format!(
                r#"(import "wasi_snapshot_preview1" "fd_close" (func (param i64))) {memory} {start}"#
            ),
            &["cannot be made a component", "fd_close"],
        ),
        (
            format!(
                r#"(import "wasm-bpf:bpf/lifecycle@0.1.0" "stop-requested" (func (result i32))) {memory} {start}"#
            ),
            &["wasm-bpf:bpf/lifecycle@0.1.0", "wasm_bpf_component_type.o"],
        ),
        (memory.to_owned(), &["does not export _start", "main"]),
        (
            start.to_owned(),
            &["does not export its memory", "--export-memory"],
        ),
        (
            format!(r#"(import "env" "memory" (memory 1)) {start}"#),
            &["imports its memory", "--import-memory"],
        ),
        (
            format!(r#"(memory (export "memory") i64 1) {start}"#),
            &["64 bits", "wasm32"],
        ),
        (
            format!(r#"(memory (export "memory") 1 2 shared) {start}"#),
            &["threads", "-pthread"],
        ),
        (
            format!(r#"(@custom "dylink.0" (before first) "") {memory} {start}"#),
            &["shared library", "statically"],
        ),
    ] {
        let module = files.module(&format!("(module {text})"));
        refused(&files, &module, parts);
    }
}

#[test]
fn the_output_is_written_whole_and_never_over_the_input() {
    let files = Files::new();
    let module = files.module(&exits(0, r#"(memory (export "memory") 1)"#));
    let bytes = fs::read(&module).unwrap();
    fs::hard_link(&module, files.path("hard.wasm")).unwrap();
    symlink(&module, files.path("soft.wasm")).unwrap();
    for output in ["module.wasm", "hard.wasm", "soft.wasm"] {
        componentize(&module, &files.path(output))
            .ended_with(1)
            .says(&["would be overwritten", "another name with -o"]);
        assert_eq!(fs::read(&module).unwrap(), bytes);
    }
    let before = files.names();
    componentize(&module, &files.path("no/such/dir.wasm"))
        .ended_with(1)
        .says(&["cannot write", "no/such/dir.wasm"]);
    componentize(&module, files.0.path())
        .ended_with(1)
        .says(&["cannot write"]);
    assert_eq!(files.names(), before);
    // What is there is replaced; a link stays one.
    let old = files.file("old.wasm", "old");
    symlink(&old, files.path("link.wasm")).unwrap();
    componentize(&module, &files.path("link.wasm")).ok();
    assert!(
        fs::symlink_metadata(files.path("link.wasm"))
            .unwrap()
            .is_symlink()
    );
    run(&old, &[]).ok();
    // A pipe is written to, not replaced.
    let script = format!(
        "{} componentize {} -o /dev/stdout | head -c 8 | od -An -tx1",
        host().display(),
        module.display()
    );
    let piped = Finished::of(Command::new("sh").args(["-c", &script])).ok();
    assert_eq!(piped.output.trim(), "00 61 73 6d 0d 00 01 00");
}

#[test]
fn wrong_usage() {
    for args in [
        &["componentize"][..],
        &["componentize", "x.wasm"],
        &["componentize", "-o", "x.wasm"],
    ] {
        let finished = Finished::of(Command::new(host()).args(args)).ended_with(2);
        assert!(finished.errors.contains("Usage"), "{}", finished.errors);
    }
    let help = Finished::of(Command::new(host()).args(["componentize", "--help"])).ok();
    for part in [
        "Examples:",
        "Exit codes:",
        "emscripten",
        "wasm_bpf_component_type.o",
    ] {
        assert!(help.output.contains(part), "{part}");
    }
}

/// A shell that knows the toolchain for guests in C, and functions to compile and link for wasm32-wasip1 with it.
fn shell(files: &Files, script: &str) -> Finished {
    let functions = r#"
        set -eu
        . "$WORKSPACE/build/toolchain.env"
        if [ -n "${WASI_SDK_PATH:-}" ]; then
            cc() { "$WASI_SDK_PATH/bin/clang" --target=wasm32-wasip1 "$@"; }
            link() { cc "$@"; }
        else
            [ -n "$GUEST_WASI_LIBC" ] || { echo 'no wasi-libc: set WASI_SDK_PATH, or GUEST_STD=debian for make setup' >&2; exit 1; }
            cc() {
                "$CLANG" --target=wasm32-wasip1 --sysroot="$GUEST_WASI_LIBC" -isystem "$GUEST_WASI_LIBC/include/wasm32-wasip1" "$@"
            }
            lib=$GUEST_WASI_LIBC/lib/wasm32-wasip1
            link() {
                LD_LIBRARY_PATH=$GUEST_LD_LIBRARY_PATH "$GUEST_WASM_LD" -m wasm32 "$lib/crt1-command.o" "$@" \
                    -L"$lib" -lc "$GUEST_BUILTINS"
            }
        fi
        sdk=$WORKSPACE/guest-sdk-c/generated
    "#;
    let mut command = Command::new("bash");
    command
        .arg("-c")
        .arg(format!("{functions}\n{script}"))
        .env("WORKSPACE", workspace())
        .current_dir(files.0.path());
    Finished::of(&mut command)
}

#[test]
fn a_c_program_for_preview_1_runs_as_a_component() {
    let files = Files::new();
    files.file(
        "program.c",
        r#"
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        int main(int argc, char **argv)
        {
            size_t total = 0;
            char line[64];
            while (fgets(line, sizeof(line), stdin))
                total += strlen(line);
            /* More than the memory that it starts with. */
            char *copy = malloc(8 << 20);
            memset(copy, 'x', 8 << 20);
            printf("%s %s %zu %c\n", argv[1], getenv("WHO"), total, copy[(8 << 20) - 1]);
            fprintf(stderr, "to stderr\n");
            return argc == 2 ? 3 : 4;
        }
        "#,
    );
    shell(
        &files,
        "cc -O1 -c program.c -o program.o && link program.o -o program.wasm",
    )
    .ok();
    let component = files.made(&files.path("program.wasm"));
    let script = format!(
        "printf 'one\\ntwo\\n' | {} run --env WHO=me {} hello",
        host().display(),
        component.display()
    );
    let finished = Finished::of(Command::new("sh").args(["-c", &script])).ended_with(3);
    assert_eq!(finished.output, "hello me 8 x\n");
    assert_eq!(finished.errors, "to stderr\n");
}

/// What the linker for components makes one of, when the linker for modules alone is called.
#[test]
fn a_module_for_wasi_0_2_becomes_a_component() {
    let files = Files::new();
    files.file(
        "program.c",
        "#include <stdio.h>\nint main(int argc, char **argv) { puts(argv[1]); return 0; }\n",
    );
    let script = r#"
        if [ -n "${WASI_SDK_PATH:-}" ]; then sysroot=$WASI_SDK_PATH/share/wasi-sysroot; else sysroot=$GUEST_WASI_LIBC; fi
        cc --target=wasm32-wasip2 -O1 -c program.c -o program.o
        lib=$sysroot/lib/wasm32-wasip2
        LD_LIBRARY_PATH=${GUEST_LD_LIBRARY_PATH:-} "${GUEST_WASM_LD:-$WASI_SDK_PATH/bin/wasm-ld}" -m wasm32 "$lib/crt1-command.o" program.o \
            -L"$lib" -lc ${GUEST_BUILTINS:-} -o program.wasm"#;
    shell(&files, script).ok();
    let finished = run(&files.made(&files.path("program.wasm")), &["hello"]).ok();
    assert_eq!(finished.output, "hello\n");
}

#[test]
fn a_module_with_the_c_bindings_imports_the_interfaces() {
    let files = Files::new();
    files.file(
        "program.c",
        r#"
        #include <stdio.h>
        #include "wasm_bpf.h"
        int main(void)
        {
            printf("stop requested: %d\n", wasm_bpf_bpf_lifecycle_stop_requested());
            return 5;
        }
        "#,
    );
    shell(
        &files,
        r#"cc -O1 -ffunction-sections -I"$sdk" -c program.c -o program.o && cc -Oz -ffunction-sections -c "$sdk/wasm_bpf.c" -o bindings.o
        link program.o bindings.o "$sdk/wasm_bpf_component_type.o" -o program.wasm"#,
    )
    .ok();
    let finished = run(&files.made(&files.path("program.wasm")), &[]).ended_with(5);
    assert_eq!(finished.output, "stop requested: 0\n");
}
