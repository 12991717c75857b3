//! What is said of objects and programs that the policy or the kernel refuses, and objects with changed bytes.

use test_guests::{assert_fails, case, no_such_case, say, say_what_is_held, trigger};
use wasm_bpf_guest::{ErrorKind, MapHandle, MapType, ObjectBuilder, OpenObject};

wasm_bpf_guest::include_skeleton!("calls");
wasm_bpf_guest::include_skeleton!("refused");
use calls::{CallsSkelBuilder, OpenCallsSkel};

fn main() {
    let (case, args) = case();
    let arg = |index: usize| args.get(index).map(String::as_str).unwrap_or_default();
    match case.as_str() {
        "no-tracefs" => no_tracefs(),
        "not-granted" => not_granted(arg(0), arg(1)),
        "granted" => granted(arg(0)),
        "changed-elf" => changed_elf(arg(0).parse().unwrap(), arg(1).parse().unwrap()),
        "rejected" => rejected(),
        "wrong-field" => wrong_field(),
        "right-field" => right_field(),
        "no-btf" => no_btf(),
        "not-permitted" => not_permitted(),
        "limits" => limits(),
        _ => no_such_case(&case),
    }
}

fn open() -> OpenCallsSkel {
    let mut open = CallsSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    open
}

fn no_tracefs() {
    let open = open();
    open.progs.on_tracepoint.set_autoload(true).unwrap();
    let skel = open.load().unwrap();
    assert_fails!(
        skel.progs.on_tracepoint.attach(),
        ErrorKind::NotFound,
        "mount -t tracefs"
    );
}

/// The object with everything that needs a grant; `wanted` is switched on.
fn refused_object(wanted: &str) -> OpenObject {
    let open = ObjectBuilder::new().open_memory(refused::DATA).unwrap();
    for map in ["devices", "wasm_bpf_test_pin"] {
        open.map(map)
            .unwrap()
            .set_autocreate(map == wanted)
            .unwrap();
    }
    if let Ok(program) = open.program(wanted) {
        program.set_autoload(true).unwrap();
    }
    open
}

fn not_granted(wanted: &str, grant: &str) {
    let error = assert_fails!(
        refused_object(wanted).load(),
        ErrorKind::NotGranted,
        format!("`{wanted}`").as_str(),
        format!("--allow {grant}").as_str()
    );
    assert_eq!(error.subject(), Some(wanted));
    assert_eq!(error.errno(), None, "the host refused, not the kernel");
}

fn granted(wanted: &str) {
    let object = refused_object(wanted).load().unwrap();
    let found = object.map(wanted).is_ok() || object.program(wanted).is_ok();
    assert!(found);
    say_what_is_held(&object, &[]);
}

/// Bytes changed one after the other. What opens may load or not; the host goes on in any case.
fn changed_elf(mask: u8, step: usize) {
    let mut opened = 0;
    let mut loaded = 0;
    for at in (0..calls::DATA.len()).step_by(step) {
        let mut changed = calls::DATA.to_vec();
        changed[at] ^= mask;
        if let Ok(open) = ObjectBuilder::new().open_memory(&changed) {
            opened += 1;
            loaded += usize::from(open.load().is_ok());
        }
    }
    say(format_args!("opened={opened} loaded={loaded}"));
    // The host is as good as before.
    ObjectBuilder::new()
        .open_memory(calls::DATA)
        .unwrap()
        .load()
        .unwrap();
}

fn rejected() {
    let error = assert_fails!(
        refused_object("careless").load(),
        ErrorKind::RejectedByVerifier,
        "`careless`",
        // The end of the log.
        "map_value_or_null"
    );
    let log = error.verifier_log().unwrap();
    assert!(!format!("{error}").contains(log.trim_end()));
    assert!(format!("{error:#}").contains(log.trim_end()));
}

fn wrong_field() {
    let error = assert_fails!(
        refused_object("wrong_field").load(),
        ErrorKind::NotSupported,
        "`wrong_field`",
        "struct task_struct.no_such_field",
        "bpf_core_field_exists"
    );
    assert_eq!(error.subject(), Some("wrong_field"));
}

fn right_field() {
    refused_object("right_field").load().unwrap();
}

/// Run where the kernel shows no BTF.
fn no_btf() {
    let error = test_guests::failure(refused_object("right_field").load());
    for part in ["BTF", "--btf"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    say(error);
}

/// Run without capabilities.
fn not_permitted() {
    let map = MapHandle::create(MapType::Hash, "tested", 4, 4, 1, 0);
    assert_fails!(map, ErrorKind::NotPermitted, "CAP_BPF", "root");
    let error = assert_fails!(
        refused_object("right_field").load(),
        ErrorKind::NotPermitted | ErrorKind::AccessDenied,
        "CAP_BPF",
        "root"
    );
    eprintln!("{error}");
    wasm_bpf_guest::exit(1);
}

/// Run with `--limit programs=1 --limit links=1`.
fn limits() {
    let skel = open().load().unwrap();
    assert_fails!(
        open().load(),
        ErrorKind::LimitExceeded,
        "--limit programs=N",
        "programs=1"
    );
    let _link = skel.progs.on_enter.attach().unwrap();
    assert_fails!(
        skel.progs.on_enter.attach(),
        ErrorKind::LimitExceeded,
        "--limit links=N",
        "links=1",
        "`on_enter`"
    );
}
