//! Names in a BPF file system: what takes two components, or somebody else who puts things there. The guest is `stored`.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use wasm_bpf_tests::mounts::BpfFs;
use wasm_bpf_tests::{Run, assert_gone, assert_nothing_new, everything, held};

fn run(case: &str, path: &Path, grant: &str) -> Run {
    Run::guest("stored", case)
        .arg(path)
        .options(["--allow", grant])
}

#[test]
fn a_pinned_map_outlives_its_component_until_it_is_unpinned() {
    let before = everything();
    let fs = BpfFs::new().unwrap();
    // The last folder is made.
    let folder = fs.path().join("tool");
    let path = folder.join("kept");
    let grant = format!("pin={}/*", folder.display());
    let finished = run("pin", &path, &grant).finish().ok();
    assert!(path.exists());
    let kept = held(finished.line("holds "));
    assert!(kept.iter().all(|held| held.exists()));
    run("pinned", &path, &grant).finish().ok();
    assert!(!path.exists());
    assert_gone(&kept);
    assert_nothing_new(&before);
}

/// A program that nothing attaches.
fn pin_program(path: &Path) {
    let instructions = [
        libbpf_sys::bpf_insn {
            code: 0xb7,
            ..Default::default()
        },
        libbpf_sys::bpf_insn {
            code: 0x95,
            ..Default::default()
        },
    ];
    // SAFETY: the instructions are `r0 = 0; exit`; strings end with a zero; no options.
    unsafe {
        let fd = libbpf_sys::bpf_prog_load(
            libbpf_sys::BPF_PROG_TYPE_RAW_TRACEPOINT,
            c"pinned".as_ptr(),
            c"GPL".as_ptr(),
            instructions.as_ptr(),
            instructions.len() as _,
            std::ptr::null_mut(),
        );
        assert!(fd >= 0, "{fd}");
        let path = CString::new(path.to_str().unwrap()).unwrap();
        assert_eq!(libbpf_sys::bpf_obj_pin(fd, path.as_ptr()), 0);
        libc::close(fd);
    }
}

#[test]
fn paths_that_are_no_place_for_a_pin_are_refused() {
    let before = everything();
    let fs = BpfFs::new().unwrap();
    let (folder, other) = (fs.path().join("folder"), fs.path().join("other"));
    fs::create_dir(&folder).unwrap();
    fs::create_dir(&other).unwrap();
    pin_program(&folder.join("program"));
    let grant = format!("pin={}/*", other.display());
    run("pin", &other.join("name"), &grant).finish().ok();
    symlink(other.join("name"), folder.join("link")).unwrap();
    symlink(&other, folder.join("linked")).unwrap();
    run("pin-refused", &folder, "pin=*").finish().ok();
    assert!(other.join("name").exists());
    assert!(!fs.path().join("above").exists());
    drop(fs);
    assert_nothing_new(&before);
}

#[test]
fn a_missing_grant_for_a_pin_is_told_as_an_option() {
    let fs = BpfFs::new().unwrap();
    let path = fs.path().join("name");
    Run::guest("stored", "pin-not-granted")
        .arg(&path)
        .finish()
        .ok();
    assert!(!path.exists());
}
