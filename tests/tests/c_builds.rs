//! `guest-sdk-c/wasm-bpf.mk`: Makefiles of users, in directories of their own. Nothing here needs root.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use wasm_bpf_tests::{Finished, host, workspace};

const EVENT: &str = "\
#pragma once
struct event {
	int pid;
	FIELD duration;
	char name[16];
};
";

const BPF: &str = r#"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "event.h"

const volatile int level = 3;
int count;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

SEC("tp/syscalls/sys_enter_getpid")
int report(void *ctx)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return 0;
	event->duration = count++ + level;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
"#;

/// It says what both sides agreed about, and exits with a number that only C programs end with.
const PROGRAM: &str = r#"
#include <stdio.h>
#include <linux/types.h>
#include <linux/if_ether.h>
#include "event.h"
#include "foo.skel.h"

int main(int argc, char **argv)
{
	size_t size;
	const void *object = foo_bpf__elf_bytes(&size);
	struct event event = { .duration = (__u64)argc };

	printf("%s: event %zu, object %d\n", argv[1], sizeof(event), object && size > 500);
	return event.duration == 2 ? 3 : 4;
}
"#;

/// A user's directory.
struct Project(TempDir);

impl Project {
    fn empty(makefile: &str) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        let include = format!(
            "{makefile}\ninclude {}/guest-sdk-c/wasm-bpf.mk\n",
            workspace().display()
        );
        project.write("Makefile", &include);
        project
    }

    /// `foo`, whose event has a field of this type.
    fn new(field: &str) -> Self {
        let project = Self::empty("WASM_BPF_APPS := foo");
        project.write("event.h", &EVENT.replace("FIELD", field));
        project.write("foo.bpf.c", BPF);
        project.write("foo.c", PROGRAM);
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Builds with a library that all tests share, which takes a while to compile.
    fn make(&self, args: &[&str]) -> Finished {
        let shared = workspace().join("build/tests/c-shared");
        fs::create_dir_all(&shared).unwrap();
        let shared_arg = format!("WASM_BPF_SHARED={}", shared.display());
        let lock = fs::File::create(shared.join("lock")).unwrap();
        lock.lock().unwrap();
        self.make_alone(&[&shared_arg, "-s", "wasm-bpf-shared"])
            .ok();
        drop(lock);
        self.make_alone(&[&[shared_arg.as_str()], args].concat())
    }

    fn make_alone(&self, args: &[&str]) -> Finished {
        // What the tests themselves were started with is nothing that a user has.
        let mut command = Command::new("make");
        command.current_dir(self.0.path()).args(args);
        for name in [
            "MAKEFLAGS",
            "MFLAGS",
            "MAKELEVEL",
            "CFLAGS",
            "CPPFLAGS",
            "CXXFLAGS",
            "CLANG",
            "BPFTOOL",
            "WASM_BPF_C",
        ] {
            command.env_remove(name);
        }
        Finished::of(&mut command)
    }

    /// What a failed build says. It leaves no component.
    #[track_caller]
    fn failure(&self, args: &[&str]) -> String {
        self.failed(self.make(args))
    }

    #[track_caller]
    fn failed(&self, finished: Finished) -> String {
        let finished = finished.ended_with(2);
        assert!(!self.path("foo.component.wasm").exists());
        finished.errors
    }

    #[track_caller]
    fn run(&self, name: &str, code: i32) -> String {
        let component = self.path(&format!("{name}.component.wasm"));
        Finished::of(Command::new(host()).arg("run").arg(component).arg("hello"))
            .ended_with(code)
            .output
    }

    fn changed(&self, name: &str) -> SystemTime {
        fs::metadata(self.path(name)).unwrap().modified().unwrap()
    }

    /// Gives all that was built a time before now, so that what is built anew differs from it, whatever times the file system keeps.
    fn age(&self) {
        fn visit(dir: &Path, time: SystemTime) {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                let kind = fs::symlink_metadata(&path).unwrap();
                if kind.is_dir() {
                    visit(&path, time);
                } else if kind.is_file() {
                    let file = fs::File::options().write(true).open(&path).unwrap();
                    // All the same: none is newer than what is made of it.
                    file.set_modified(time).unwrap();
                }
            }
        }
        // Newer than the tools, on which all depends.
        visit(
            self.0.path(),
            SystemTime::now() - Duration::from_millis(1500),
        );
    }
}

#[test]
fn two_lines_of_a_makefile_make_a_component() {
    let project = Project::new("__u64");
    let built = project.make_alone(&["-j2"]).ok();
    assert_eq!(built.errors, "");
    for step in [
        "BPF      foo.bpf.c",
        "SKEL     build/foo/foo.skel.h",
        "CC       foo.c",
        "CHECK    structs of foo",
        "LINK     foo.component.wasm",
    ] {
        assert!(built.output.contains(step), "{step}: {}", built.output);
    }
    assert_eq!(project.run("foo", 3), "hello: event 32, object 1\n");
    let size = fs::metadata(project.path("foo.component.wasm"))
        .unwrap()
        .len();
    assert!(size < 100_000, "{size}");
    // Of BTF and debug information, the first alone is in what is loaded.
    let object = fs::read(project.path("build/foo/foo.bpf.o")).unwrap();
    let has = |part: &[u8]| object.windows(part.len()).any(|window| window == part);
    assert!(has(b".BTF.ext") && !has(b".debug_info"));
    let dir = project.0.path().to_str().unwrap();
    assert!(!has(dir.as_bytes()), "the object names {dir}");
    let component = fs::read(project.path("foo.component.wasm")).unwrap();
    assert!(
        !component
            .windows(dir.len())
            .any(|window| window == dir.as_bytes())
    );

    project.make_alone(&["wasm-bpf-clean"]).ok();
    let mut left: Vec<_> = fs::read_dir(project.0.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["Makefile", "build", "event.h", "foo.bpf.c", "foo.c"]);
    assert_eq!(fs::read_dir(project.path("build")).unwrap().count(), 0);
}

#[test]
fn what_changed_is_built_anew_and_nothing_else() {
    let project = Project::new("__u64");
    project.make_alone(&[]).ok();
    let all = [
        "build/foo/foo.bpf.o",
        "build/foo/foo.c.o",
        "build/libbpf.a",
        "foo.component.wasm",
    ];
    let built = |args: &[&str]| -> Vec<bool> {
        let before = all.map(|name| project.changed(name));
        project.make_alone(args).ok();
        all.iter()
            .zip(before)
            .map(|(name, before)| project.changed(name) != before)
            .collect()
    };
    project.age();
    assert_eq!(built(&[]), [false, false, false, false]);
    project.write("foo.c", &PROGRAM.replace("3 : 4", "5 : 4"));
    assert_eq!(built(&[]), [false, true, false, true]);
    project.run("foo", 5);
    project.age();
    // The header is on both sides, and the skeleton in the program.
    project.write(
        "event.h",
        &EVENT.replace("FIELD", "__u64").replace("[16]", "[24]"),
    );
    assert_eq!(built(&[]), [true, true, false, true]);
    assert_eq!(project.run("foo", 5), "hello: event 40, object 1\n");
    project.age();
    assert_eq!(built(&["CFLAGS=-DX='(1,2)'"]), [false, true, false, true]);
    project.age();
    assert_eq!(
        built(&["CFLAGS=-DX='(1,2)'", "foo_BPF_CFLAGS=-DY"]),
        [true, true, false, true]
    );
    project.age();
    assert_eq!(
        built(&[
            "CFLAGS=-DX='(1,2)'",
            "foo_BPF_CFLAGS=-DY",
            "foo_LDFLAGS=-lc-printscan-no-floating-point"
        ]),
        [false, false, false, true]
    );
}

#[test]
fn a_struct_that_differs_fails_the_build() {
    for (field, fixed) in [
        ("long", "__s64"),
        ("unsigned long", "__u64"),
        ("size_t", "__u64"),
    ] {
        let project = Project::new(field);
        project.write(
            "event.h",
            &format!("#include <stddef.h>\n{}", EVENT.replace("FIELD", field)),
        );
        let errors = project.failure(&[]);
        assert!(
            errors.contains(&format!("duration ({field}): 8 bytes at offset 8 for BPF, 4 bytes at offset 4 for the guest: declare it as {fixed}\n")),
            "{errors}"
        );
        assert!(
            errors.contains(
                "struct event is not the same for the BPF program and for the guest (event.h:3)"
            ),
            "{errors}"
        );
        // It is not passed by trying again.
        project.failure(&[]);
        project.make(&["foo_IGNORE_STRUCTS=event"]).ok();
        project.run("foo", 3);
    }
}

#[test]
fn structs_of_the_system_may_differ() {
    let project = Project::new("__u64");
    // Of vmlinux.h on one side, of libc on the other.
    project.write("vmlinux.h", "#pragma once\nstruct timeval { long tv_sec; long tv_usec; };\nstruct timespec { long tv_sec; long tv_nsec; };\n");
    project.write(
        "foo.bpf.c",
        &format!(
            "#include \"vmlinux.h\"\n{}",
            BPF.replace(
                "int count;",
                "int count;\nstruct timespec at;\nstruct timeval when;"
            )
        ),
    );
    project.write(
        "foo.c",
        &format!("#include <time.h>\n#include <sys/time.h>\n{}", PROGRAM.replace("size_t size;", "struct timespec at = {0};\n\tstruct timeval when = {0};\n\tsize_t size = at.tv_sec + when.tv_sec;"))
            // The skeleton asserts what both sides have, by the same name, in a variable.
            .replace("#include \"foo.skel.h\"", "#define BPF_SKEL_SIZE_ONLY_timespec\n#define BPF_SKEL_SIZE_ONLY_timeval\n#include \"foo.skel.h\""),
    );
    project.make(&[]).ok();
    project.run("foo", 3);
}

#[test]
fn several_programs_in_c_and_cxx_from_several_folders() {
    let project = Project::empty(
        "WASM_BPF_APPS := foo plain
         WASM_BPF_OUT := out
         WASM_BPF_BUILD := out/build
         foo_SOURCES := src/main.cpp src/more.c ../outside.c
         foo_BPF := bpf/foo.bpf.c bpf/bar.bpf.c
         foo_CFLAGS := -Iinclude
         foo_BPF_CFLAGS := -Iinclude -DLEVEL=7
         plain_BPF :=",
    );
    let outside = format!(
        "{}.c",
        project.0.path().file_name().unwrap().to_str().unwrap()
    );
    let outside = project.0.path().parent().unwrap().join(outside);
    fs::write(&outside, "int outside(void) { return 40; }\n").unwrap();
    let makefile = fs::read_to_string(project.path("Makefile")).unwrap();
    let name = outside.file_name().unwrap().to_str().unwrap();
    project.write(
        "Makefile",
        &makefile.replace("../outside.c", &format!("../{name}")),
    );
    project.write("include/event.h", &EVENT.replace("FIELD", "__u64"));
    project.write("bpf/foo.bpf.c", &BPF.replace("level = 3", "level = LEVEL"));
    project.write("bpf/bar.bpf.c", BPF);
    project.write(
        "plain.c",
        "#include <stdio.h>\nint main(void) { puts(\"plain\"); return 3; }\n",
    );
    project.write("src/more.c", "int more(void) { return 2; }\n");
    project.write(
        "src/main.cpp",
        r#"
        #include <stdio.h>
        #include <linux/types.h>
        #include "event.h"
        #include "foo.skel.h"
        #include "bar.skel.h"
        extern "C" int more(void);
        extern "C" int outside(void);
        struct Base { virtual int value() const { return 1; } };
        struct Event : Base { event inner{}; int value() const override { return sizeof(inner) == 32 ? more() + outside() : 0; } };
        int main()
        {
            size_t foo, bar;
            Event event;
            const Base &base = event;
            foo_bpf__elf_bytes(&foo);
            bar_bpf__elf_bytes(&bar);
            printf("%d %d\n", base.value(), foo > 500 && bar > 500);
            return 3;
        }
        "#,
    );
    let built = project.make(&["-j2"]);
    fs::remove_file(&outside).unwrap();
    built.ok();
    assert_eq!(project.run("out/foo", 3), "42 1\n");
    assert_eq!(project.run("out/plain", 3), "plain\n");
}

#[test]
fn vmlinux_h_can_be_made_of_btf() {
    let project = Project::new("__u64");
    // The object of a first build stands for a kernel: it has BTF with a struct that the second one knows from nowhere else.
    project.write(
        "foo.bpf.c",
        &BPF.replace("int count;", "int count;\nstruct known known;"),
    );
    let event = EVENT.replace("FIELD", "__u64");
    project.write("event.h", &format!("{event}struct known {{ int a; }};\n"));
    project.make(&[]).ok();
    fs::copy(
        project.path("build/foo/foo.bpf.o"),
        project.path("kernel.o"),
    )
    .unwrap();
    project.write(
        "foo.bpf.c",
        "#include \"vmlinux.h\"\n#define SEC(x) __attribute__((section(x), used))\nint count;\n\
         SEC(\"socket\") int look(void *ctx) { return count + sizeof(struct known); }\nchar LICENSE[] SEC(\"license\") = \"GPL\";\n",
    );
    project.write(
        "event.h",
        "#include <linux/types.h>\nstruct event { __u64 duration; };\n",
    );
    project.make(&["WASM_BPF_VMLINUX=kernel.o"]).ok();
    project.run("foo", 3);
}

#[test]
fn what_is_missing_is_named() {
    let project = Project::new("__u64");
    for (arg, parts) in [
        (
            "CLANG=/nope/clang",
            &["no clang for BPF was found", "CLANG="][..],
        ),
        (
            "WASM_BPF_C=/nope/wasm-bpf-c",
            &["there is no /nope/wasm-bpf-c", "c-tools"],
        ),
        (
            "BPFTOOL=/nope/bpftool",
            &["there is no /nope/bpftool", "bpftool-patches"],
        ),
        (
            "WASI_SDK_PATH=/nope",
            &["WASI_SDK_PATH is '/nope'", "bin/clang"],
        ),
        (
            "WASM_BPF_TOOLCHAIN=/nope/toolchain.env",
            &["no wasi-libc and linker", "WASI_SDK_PATH", "setup"],
        ),
    ] {
        let errors = project.failed(project.make_alone(&[arg]));
        for part in parts {
            assert!(errors.contains(part), "{arg}: {errors}");
        }
        // Cleaning needs no tools.
        project.make_alone(&["wasm-bpf-clean", arg]).ok();
    }
    fs::remove_file(project.path("foo.bpf.c")).unwrap();
    assert!(project.failure(&[]).contains("foo.bpf.c"));
    project.write("foo.bpf.c", "int broken(void) { return no_such_thing; }\n");
    assert!(project.failure(&[]).contains("no_such_thing"));
}

/// A directory that is laid out as a wasi-sdk is, of the toolchain that there is.
fn wasi_sdk() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let script = r#"
        set -eu
        . "$WORKSPACE/build/toolchain.env"
        if [ -n "${WASI_SDK_PATH:-}" ]; then rmdir "$SDK"; ln -s "$WASI_SDK_PATH" "$SDK"; exit; fi
        [ -n "$GUEST_WASI_LIBC" ] || { echo 'no wasi-libc: set WASI_SDK_PATH, or GUEST_STD=debian for make setup' >&2; exit 1; }
        mkdir -p "$SDK/bin" "$SDK/share"
        ln -s "$GUEST_WASI_LIBC" "$SDK/share/wasi-sysroot"
        ln -s "$(dirname "$(readlink -f "$CLANG")")/llvm-ar" "$SDK/bin/llvm-ar"
        for name in clang clang++; do
            case $name in clang) mode=gcc ;; *) mode=g++ ;; esac
            # A wasi-sdk's clang knows its sysroot and has the builtins in its resource directory.
            cat >"$SDK/bin/$name" <<CLANG
#!/bin/sh
case " \$* " in *' -c '*) more=-nostdinc++ ;; *) more='-nodefaultlibs -lc $GUEST_BUILTINS' ;; esac
exec $CLANG --driver-mode=$mode --sysroot=$SDK/share/wasi-sysroot -B$SDK/bin "\$@" \$more
CLANG
        done
        cat >"$SDK/bin/wasm-component-ld" <<LINKER
#!/bin/sh
LD_LIBRARY_PATH=$GUEST_LD_LIBRARY_PATH exec $GUEST_COMPONENT_LD "\$@"
LINKER
            ln -s "$GUEST_WASM_LD" "$SDK/bin/wasm-ld"
    "#;
    Finished::of(
        Command::new("bash")
            .args(["-c", script])
            .env("WORKSPACE", workspace())
            .env("SDK", dir.path()),
    )
    .ok();
    for entry in fs::read_dir(dir.path().join("bin")).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_symlink() {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    dir
}

#[test]
fn a_wasi_sdk_compiles_and_links() {
    let sdk = wasi_sdk();
    let project = Project::new("__u64");
    let sdk = format!("WASI_SDK_PATH={}", sdk.path().display());
    let built = project.make_alone(&[&sdk, "V=1"]).ok();
    assert_eq!(built.errors, "");
    assert!(
        built.output.contains("/bin/clang --target=wasm32-wasip2"),
        "{}",
        built.output
    );
    assert_eq!(project.run("foo", 3), "hello: event 32, object 1\n");
    project.write("foo.cpp", PROGRAM);
    project.make_alone(&[&sdk, "foo_SOURCES=foo.cpp"]).ok();
    assert_eq!(project.run("foo", 3), "hello: event 32, object 1\n");
    project.write("event.h", &EVENT.replace("FIELD", "long"));
    fs::remove_file(project.path("foo.component.wasm")).unwrap();
    assert!(
        project
            .failed(project.make_alone(&[&sdk]))
            .contains("declare it as __s64")
    );
}
