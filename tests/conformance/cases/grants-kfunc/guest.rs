//! Functions of the kernel that a program may call with a grant, and without one.

use conformance_guests::{assert_fails, holds};
use wasm_bpf_guest::{ErrorKind, Object, ObjectBuilder, Result};

conformance_guests::guest!();

fn load(program: &str) -> Result<Object> {
    let open = ObjectBuilder::new().open_memory(case::DATA)?;
    open.program(program)?.set_autoload(true)?;
    open.load()
}

/// With a grant for each of the two functions.
fn kfunc_allowed() {
    holds(&load("takes_key").unwrap(), &[]);
}

/// With a grant for one of them: the other is named.
fn kfunc_denied() {
    let error = assert_fails!(
        load("takes_key"),
        ErrorKind::NotGranted,
        "takes_key",
        "kfunc=bpf_lookup_system_key"
    );
    assert_eq!(error.subject(), Some("takes_key"));
    assert_eq!(error.errno(), None);
}

/// Without any.
fn observing() {
    holds(&load("takes_task").unwrap(), &[]);
}
