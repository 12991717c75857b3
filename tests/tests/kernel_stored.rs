//! Maps in maps, programs in maps, pins: the guest `stored` asserts, case by case.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use wasm_bpf_tests::mounts::BpfFs;
use wasm_bpf_tests::{Run, Trigger, assert_gone, assert_nothing_new, everything, held};

/// Runs a case; the guest says when its programs shall act.
fn passes_with(case: &str, options: &[&str]) {
    let before = everything();
    let trigger = Trigger::new();
    let run = trigger
        .environment()
        .iter()
        .fold(Run::guest("stored", case).with_input(), Run::env);
    let mut running = run.options(options).start();
    while running.next_line().is_some_and(|line| line == "act") {
        trigger.pull(1);
        running.say("done");
    }
    running.finish().ok();
    assert_nothing_new(&before);
}

#[test]
fn programs_find_the_maps_that_were_stored() {
    passes_with("maps", &[]);
}

#[test]
fn stored_maps_count_against_the_limit() {
    passes_with("maps-count", &["--limit", "maps=4"]);
}

#[test]
fn what_does_not_fit_into_a_map_of_maps_is_refused() {
    passes_with("maps-wrong", &[]);
}

#[test]
fn tail_calls_find_the_programs_that_were_stored() {
    passes_with("programs", &[]);
}

#[test]
fn stored_programs_count_against_the_limit() {
    passes_with("programs-count", &["--limit", "programs=3"]);
}

#[test]
fn stored_programs_count_with_their_maps() {
    passes_with("programs-keep-maps", &["--limit", "map-memory=7M"]);
}

#[test]
fn programs_that_timers_keep_count_against_the_limit() {
    passes_with("timers-count", &["--limit", "programs=1"]);
}

#[test]
fn pinned_maps_count_against_the_limit() {
    let before = everything();
    let fs = BpfFs::new();
    run("pins-count", fs.path(), "pin=*")
        .options(["--limit", "maps=4"])
        .finish()
        .ok();
    drop(fs);
    assert_nothing_new(&before);
}

fn run(case: &str, path: &Path, grant: &str) -> Run {
    Run::guest("stored", case)
        .arg(path)
        .options(["--allow", grant])
}

#[test]
fn a_pinned_map_outlives_its_component_until_it_is_unpinned() {
    let before = everything();
    let fs = BpfFs::new();
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
    let fs = BpfFs::new();
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
fn pins_need_a_grant_for_their_path() {
    let fs = BpfFs::new();
    let path = fs.path().join("name");
    for grant in [
        "pin=/sys/fs/bpf/*".to_owned(),
        format!("pin={}/*", path.display()),
    ] {
        run("pin-not-granted", &path, &grant).finish().ok();
    }
    Run::guest("stored", "pin-not-granted")
        .arg(&path)
        .finish()
        .ok();
    assert!(!path.exists());
}
