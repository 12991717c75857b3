//! What the guests of the conformance suite share: which case to run, and talking with the runner.
//!
//! A guest asserts; its exit status is the verdict, and what went wrong is on standard error. On standard output it asks the runner for what
//! only a native process can do: see `tests/conformance/README.md` for the lines.

use std::env;
use std::io::{BufRead as _, Write as _};

use wasm_bpf_guest::{Link, MapCore as _, Object};

pub mod elf;

/// The interfaces below the guest crate, for what that crate does not let through.
#[allow(missing_docs, clippy::all)]
pub mod raw {
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "wasm-bpf:bpf/imports",
        // The linker joins sections of the same name, such as that of the guest crate's own bindings, to one that is none.
        type_section_suffix: ":raw",
        with: {
            "wasi:io/error@0.2.12": wasip2::io::error,
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "wasi:io/streams@0.2.12": wasip2::io::streams,
            "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
            "wasi:clocks/wall-clock@0.2.12": wasip2::clocks::wall_clock,
            "wasi:filesystem/types@0.2.12": wasip2::filesystem::types,
        },
    });

    pub use wasm_bpf::bpf::*;

    /// Makes a map with no options but flags.
    pub fn create_map(
        name: &str,
        kind: types::MapType,
        key_size: u32,
        value_size: u32,
        max_entries: u32,
        flags: u32,
    ) -> Result<maps::Map, types::Error> {
        let options = maps::CreateOptions::new();
        options.set_flags(flags);
        maps::Map::create(name, kind, key_size, value_size, max_entries, &options)
    }
}

/// Brings in `main`, which calls the function of the case that the runner names, and the skeleton of `case.bpf.c` as the module `case`.
///
/// The functions are those that `case.toml` lists. One that it does not list is called by nothing, which is an error in this package.
#[macro_export]
macro_rules! guest {
    () => {
        include!(concat!(
            env!("OUT_DIR"),
            "/",
            env!("CARGO_BIN_NAME"),
            "/guest.rs"
        ));
    };
}

/// The case that is asked for.
pub fn case() -> String {
    env::args()
        .nth(1)
        .expect("the first argument names the case")
}

/// Says that there is no such case: a wrong name must not pass.
pub fn no_such_case(case: &str) -> ! {
    panic!("there is no case {case:?}")
}

/// What the runner says of this run: `name=value` among the arguments.
pub fn given(name: &str) -> String {
    env::args()
        .skip(2)
        .find_map(|argument| Some(argument.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
        .unwrap_or_else(|| panic!("the runner gave no {name}"))
}

/// A number that the runner gives.
pub fn number<N: std::str::FromStr>(name: &str) -> N {
    let value = given(name);
    value
        .parse()
        .unwrap_or_else(|_| panic!("{name}={value:?} is no number"))
}

/// The CPUs that the runner may use.
pub fn cpus() -> Vec<usize> {
    let list = given("cpus");
    let cpus = list.split(',').map(|cpu| cpu.parse().unwrap());
    cpus.collect()
}

/// Which system call of which thread makes programs act.
pub fn trigger() -> (u32, u64) {
    (number("trigger-thread"), number("trigger-syscall"))
}

fn print(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").expect("standard output is open");
    output.flush().expect("standard output is open");
}

/// Asks the runner for something and waits until it is done.
fn ask(what: &str) {
    print(&format!("> {what}"));
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .expect("standard input is open");
    assert_eq!(answer.trim_end(), "done", "the answer to {what:?}");
}

/// Has the trigger's thread make its system call so many times.
pub fn pull(count: u64) {
    ask(&format!("pull {count}"));
}

/// The same on one CPU.
pub fn pull_on(cpu: usize, count: u64) {
    ask(&format!("pull {count} on {cpu}"));
}

/// Has the trigger's thread begin with that; does not wait for its end.
pub fn begin_to_pull(count: u64) {
    ask(&format!("begin {count}"));
}

/// Has the target of uprobes call its function so many times.
pub fn call_target(count: u64) {
    ask(&format!("call {count}"));
}

/// Has a process in the cgroup do something, and the runner see what comes out: `ok`, `ok=VALUE`, or the number of an errno.
pub fn in_cgroup(outcome: &str, action: &str) {
    ask(&format!("in-cgroup {outcome} {action}"));
}

/// Has the process that runs the target call its functions so many times.
pub fn call_in_process(count: u64) {
    ask(&format!("serve {count}"));
}

/// Has packets sent to the interface.
pub fn packets(count: u64) {
    ask(&format!("packets {count} through wb1 to wb0"));
}

/// Has packets sent out of the interface.
pub fn packets_out(count: u64) {
    ask(&format!("packets {count} through wb0 to wb1"));
}

/// Has packets sent out of one interface to another.
pub fn packets_through(count: u64, through: &str, to: &str) {
    ask(&format!("packets {count} through {through} to {to}"));
}

/// Has the interface be taken away.
pub fn unplug() {
    ask("unplug");
}

/// Has the runner see that the interface has so many filters of traffic control.
pub fn has_filters(count: u64) {
    ask(&format!("filters {count}"));
}

/// Has the runner see that the interface has no qdisc for filters.
pub fn has_no_qdisc() {
    ask("filters none");
}

/// Says that the interface has to have so many filters when the host has ended.
pub fn leaves_filters(count: u64) {
    print(&format!("= leaves-filters {count}"));
}

/// Waits until it is so: a packet may be dealt with a little after it was sent.
#[track_caller]
pub fn soon(what: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !what() {
        assert!(
            start.elapsed() < std::time::Duration::from_secs(30),
            "it did not come to be"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Has the host be asked to stop in a moment.
pub fn stop_soon() {
    ask("stop");
}

/// Has the runner see that nothing of it is in the kernel any more: `link=7`.
pub fn is_gone(what: &str) {
    ask(&format!("gone {what}"));
}

/// Has the runner see that something is in the kernel now; it also has to be gone in the end.
pub fn is_held(what: &str) {
    ask(&format!("held {what}"));
}

/// The same for what an object has, and for links.
pub fn holds(object: &Object, links: &[&Link]) {
    let programs = object.progs();
    let programs = programs.map(|program| format!("program={}", program.info().unwrap().id));
    let maps = object.maps();
    let maps = maps.map(|map| format!("map={}", map.info().unwrap().id));
    let links = links.iter().map(|link| link_id(link));
    is_held(
        &programs
            .chain(maps)
            .chain(links)
            .collect::<Vec<_>>()
            .join(" "),
    );
}

/// A link as the runner is asked about it.
pub fn link_id(link: &Link) -> String {
    let info = link.info().unwrap().expect("the kernel has a link for it");
    format!("link={}", info.id)
}

/// Says that what comes now has to end the guest. What follows must not be reached.
pub fn traps_now() {
    print("= trap");
}

/// Says which case of an error was seen: the runner compares it with what the case is said to cover.
pub fn saw(code: impl std::fmt::Debug) {
    // Of both bindings: `ErrorCode::NotFound` is `not-found`.
    let shown = format!("{code:?}");
    let name = shown.rsplit("::").next().unwrap_or_default();
    let name = name.split('(').next().unwrap_or_default();
    let mut line = String::from("= error ");
    for (index, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            line.push('-');
        }
        line.push(letter.to_ascii_lowercase());
    }
    print(&line);
}

/// What a call failed with.
#[track_caller]
pub fn failure<T>(result: wasm_bpf_guest::Result<T>) -> wasm_bpf_guest::Error {
    match result {
        Ok(_) => panic!("this should have failed"),
        Err(error) => {
            saw(error.kind());
            error
        }
    }
}

/// Asserts the case of an error, and what its message has. A message has to name things; its wording is the host's.
#[macro_export]
macro_rules! assert_fails {
    ($result:expr, $kind:pat $(, $part:expr)* $(,)?) => {{
        let error = $crate::failure($result);
        assert!(
            matches!(error.kind(), $kind),
            "{:?} in place of {}: {error}",
            error.kind(),
            stringify!($kind)
        );
        $(
            assert!(
                error.to_string().contains($part),
                "the message does not have {:?}: {error}",
                $part
            );
        )*
        error
    }};
}

/// The same for the code of a function of the interface itself.
#[macro_export]
macro_rules! assert_code {
    ($result:expr, $kind:pat) => {{
        let code = match $result {
            Ok(_) => panic!("this should have failed"),
            Err(code) => code,
        };
        assert!(
            matches!(code, $kind),
            "{code:?} in place of {}",
            stringify!($kind)
        );
        $crate::saw(code);
    }};
}
