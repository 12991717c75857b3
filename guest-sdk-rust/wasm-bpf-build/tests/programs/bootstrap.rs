//! Uses a skeleton as a component does.

// What a strict guest asks of its own code must not fail because of a skeleton.
#![forbid(unsafe_code)]
#![deny(missing_docs, unreachable_pub, unused, nonstandard_style)]
#![deny(missing_debug_implementations, trivial_casts, unused_qualifications)]

include!(concat!(env!("OUT_DIR"), "/bootstrap.skel.rs"));

use bootstrap::{BootstrapSkelBuilder, types};
use wasm_bpf_guest::zerocopy::{FromBytes, IntoBytes};

fn main() {
    // Untouched sections are not written.
    let open = BootstrapSkelBuilder::new().open().unwrap();
    assert_eq!(open.rodata.min_duration_ns, 0);
    let skel = open.load().unwrap();
    assert!(skel.object.written().is_empty());

    // A changed one is.
    let mut open = BootstrapSkelBuilder::new().open().unwrap();
    open.rodata.min_duration_ns = 1_000_000;
    let mut skel = open.load().unwrap();
    assert_eq!(skel.object.written(), [".rodata"]);
    assert_eq!(skel.object.section(".rodata"), 1_000_000u64.to_le_bytes());
    assert_eq!(skel.maps.rb.name, "rb");
    assert_eq!(skel.maps.exec_start.name, "exec_start");
    assert_eq!(skel.maps.lost.name, "lost");
    assert_eq!(skel.progs.handle_exec.name, "handle_exec");

    skel.attach().unwrap();
    assert_eq!(skel.object.attached(), ["handle_exec", "handle_exit"]);
    assert_eq!(
        skel.links.handle_exit.as_ref().unwrap().program,
        "handle_exit"
    );
    // What has a link is not attached again.
    skel.attach().unwrap();
    assert_eq!(skel.object.attached().len(), 2);

    // A program that is not loaded does not keep the others from being attached.
    let open = BootstrapSkelBuilder::new().open().unwrap();
    open.progs.handle_exec.set_autoload(false).unwrap();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    assert!(skel.links.handle_exec.is_none());
    assert!(skel.links.handle_exit.is_some());

    // An object that is not the one of the skeleton is refused.
    let mut builder = BootstrapSkelBuilder::new();
    builder.object.cut = 1;
    let error = builder.open().err().unwrap().to_string();
    assert!(
        error.contains(".rodata") && error.contains("7 bytes") && error.contains('8'),
        "{error}"
    );

    // A record of the ring buffer is read by its bytes.
    let mut record = vec![0; size_of::<types::event>()];
    record[..4].copy_from_slice(&42u32.to_le_bytes());
    record[24..28].copy_from_slice(b"bash");
    let event = types::event::read_from_bytes(&record).unwrap();
    assert_eq!(event.pid, 42);
    assert_eq!(&event.comm[..5], b"bash\0");
    assert_eq!(event.as_bytes(), record);
}
