//! Objects, programs and links: the guest `objects` asserts, case by case.

use std::io;
use std::path::PathBuf;

use wasm_bpf_tests::{Held, Run, assert_gone, held, mounts};

fn passes(case: &str) {
    Run::guest("objects", case).finish().ok();
}

#[test]
fn programs_see_the_variables_that_were_set_before_load() {
    passes("variables");
}

#[test]
fn global_data_keeps_its_shape() {
    passes("global-data-is-fixed");
}

#[test]
fn declarations_can_be_read_and_changed_before_load() {
    passes("declarations");
}

#[test]
fn unknown_names_are_not_found() {
    passes("unknown-names");
}

#[test]
fn a_link_delivers_after_all_else_was_dropped() {
    let finished = Run::guest("objects", "links-outlive").finish().ok();
    assert_gone(&held(finished.line("holds")));
}

#[test]
fn a_dropped_link_detaches() {
    let mut running = Run::guest("objects", "dropped-link").with_input().start();
    let link = held(&running.line("holds"));
    assert!(link[0].exists());
    running.say("it is there");
    running.line("dropped");
    // While the component runs, and its program is attached by another link.
    assert_gone(&link);
    running.say("it is gone");
    running.finish().ok();
}

#[test]
fn links_to_nothing_are_refused() {
    passes("refused-links");
}

#[test]
fn a_program_without_target_can_be_given_one() {
    passes("attach");
}

#[test]
fn information_is_the_kernels() {
    let finished = Run::guest("objects", "info").finish().ok();
    let held = held(finished.line("holds"));
    assert!(held.iter().any(|held| matches!(held, Held::Map(_))));
    assert_gone(&held);
}

#[test]
fn tracepoints_can_be_attached_where_tracefs_is() {
    Run::guest("objects", "tracepoint")
        .before(|| {
            mounts::make_private()?;
            mounts::mount(c"tracefs", c"/sys/kernel/tracing")
        })
        .finish()
        .ok();
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

/// What is switched on, the grant that the refusal names, and one that lets it in.
fn needs_a_grant(what: &str, named: &str, given: &str) {
    Run::guest("objects", "not-granted")
        .args([what, named])
        .finish()
        .ok();
    // Another grant does not help.
    Run::guest("objects", "not-granted")
        .options(["--allow", "lsm", "--allow", "helper=bpf_override_return"])
        .args([what, named])
        .finish()
        .ok();
    for options in [&["--allow", given][..], &["--allow-all"]] {
        let finished = Run::guest("objects", "granted")
            .options(options)
            .arg(what)
            .finish()
            .ok();
        assert_gone(&held(finished.line("holds")));
    }
}

#[test]
fn an_xdp_program_needs_a_grant() {
    needs_a_grant("pass_packets", "xdp=", "xdp=no-such-interface");
}

#[test]
fn a_tc_program_needs_a_grant() {
    needs_a_grant("see_packets", "tc=", "tc=*");
}

#[test]
fn a_helper_that_acts_on_the_machine_needs_a_grant() {
    let grant = "helper=bpf_send_signal";
    needs_a_grant("sends_signals", grant, grant);
}

#[test]
fn a_map_of_devices_needs_a_grant() {
    needs_a_grant("devices", "xdp=", "xdp=no-such-interface");
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

#[test]
fn descriptors_in_instructions_are_refused() {
    passes("foreign-maps");
}

#[test]
fn broken_objects_are_malformed() {
    passes("broken-elf");
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
fn a_rejected_program_is_named_with_the_end_of_the_log() {
    passes("rejected");
}

#[test]
fn a_field_that_the_kernel_does_not_have_is_named() {
    passes("wrong-field");
    passes("right-field");
}

#[test]
fn programs_and_links_are_limited() {
    Run::guest("objects", "limits")
        .options(["--limit", "programs=1", "--limit", "links=1"])
        .finish()
        .ok();
}
