//! What is said of objects that are refused, and objects with changed bytes: the guest `objects` asserts, case by case.

use std::io;
use std::path::PathBuf;

use wasm_bpf_tests::{Run, assert_gone, held, mounts};

fn passes(case: &str) {
    Run::guest("objects", case).finish().ok();
}

#[test]
fn tracepoints_without_tracefs_say_what_to_do() {
    Run::guest("objects", "no-tracefs")
        .before(|| {
            mounts::make_private()?;
            // Over whatever is there.
            mounts::mount(c"tmpfs", c"/sys/kernel/tracing")?;
            match mounts::mount(c"tmpfs", c"/sys/kernel/debug") {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                other => other,
            }
        })
        .finish()
        .ok();
}

#[test]
fn a_refusal_names_the_option_and_allow_all_allows_all() {
    for (what, grant) in [
        ("pass_packets", "xdp="),
        ("see_packets", "tc="),
        ("sends_signals", "helper=bpf_send_signal"),
        ("devices", "xdp="),
    ] {
        Run::guest("objects", "not-granted")
            .args([what, grant])
            .finish()
            .ok();
        Run::guest("objects", "granted")
            .option("--allow-all")
            .arg(what)
            .finish()
            .ok();
    }
}

const PIN: &str = "/sys/fs/bpf/wasm_bpf_test_pin";

/// A BPF file system that only this run sees.
fn own_bpf_file_system() -> io::Result<()> {
    mounts::make_private()?;
    mounts::mount(c"bpf", c"/sys/fs/bpf")
}

#[test]
fn a_declared_pin_needs_a_grant() {
    let refused = |options: &[&str]| {
        Run::guest("objects", "not-granted")
            .options(options)
            .before(own_bpf_file_system)
            .args(["wasm_bpf_test_pin", &format!("pin={PIN}")])
            .finish()
            .ok();
    };
    refused(&[]);
    refused(&["--allow", "pin=/sys/fs/bpf/other"]);
    let granted = |grant: &str| {
        let finished = Run::guest("objects", "granted")
            .options(["--allow", grant])
            .before(own_bpf_file_system)
            .arg("wasm_bpf_test_pin")
            .finish()
            .ok();
        // It went with the file system.
        assert_gone(&held(finished.line("holds")));
    };
    granted(&format!("pin={PIN}"));
    granted("pin=/sys/fs/bpf/*");
    assert!(!PathBuf::from(PIN).exists());
}

/// Whatever is in the file: names that are no text, sizes and offsets that lead nowhere.
#[test]
fn changed_objects_do_not_harm_the_host() {
    for mask in [0x01, 0x04, 0x40, 0x80, 0xff] {
        Run::guest("objects", "changed-elf")
            .args([mask.to_string(), "7".to_owned()])
            .finish()
            .ok();
    }
}

#[test]
fn a_rejected_program_is_told_with_the_end_of_the_log() {
    passes("rejected");
}

#[test]
fn a_field_that_the_kernel_does_not_have_is_told_with_what_to_do() {
    passes("wrong-field");
    passes("right-field");
}

#[test]
fn limits_are_told_with_the_option() {
    Run::guest("objects", "limits")
        .options(["--limit", "programs=1", "--limit", "links=1"])
        .finish()
        .ok();
}
