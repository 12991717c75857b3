//! What the components that tests run share.
//!
//! Each chooses a case by its first argument. The component asserts; its exit status is the verdict, and what went wrong
//! is on standard error.

use std::env;
use std::io::Write as _;

use wasm_bpf_guest::{Link, MapCore as _, Object};

/// The interfaces below the guest crate, for what that crate does not let through.
#[allow(missing_docs, clippy::all)]
pub mod raw {
    wit_bindgen::generate!({
        path: "../../wit",
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
}

/// The case, and its arguments.
pub fn case() -> (String, Vec<String>) {
    let mut args = env::args().skip(1);
    let case = args.next().expect("the first argument names the case");
    (case, args.collect())
}

/// Says that there is no such case: a test that names one wrongly must not pass.
pub fn no_such_case(case: &str) -> ! {
    panic!("there is no case {case:?}")
}

/// A number that the test gave in the environment.
pub fn number<N: std::str::FromStr>(name: &str) -> N {
    let value = env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    value
        .parse()
        .unwrap_or_else(|_| panic!("{name}={value:?} is no number"))
}

/// Which system call of which thread makes programs act: the host's own `bpf` calls, unless the test has a thread for it.
pub fn trigger() -> (u32, u64) {
    if env::var_os("TRIGGER_THREAD").is_some() {
        (number("TRIGGER_THREAD"), number("TRIGGER_SYSCALL"))
    } else {
        (number("HOST_PID"), number("SYS_BPF"))
    }
}

/// Prints a line that the test waits for.
pub fn say(line: impl std::fmt::Display) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").expect("standard output is open");
    output.flush().expect("standard output is open");
}

/// Tells the test by their ids what is in the kernel now.
pub fn say_what_is_held(object: &Object, links: &[&Link]) {
    let mut line = String::from("holds");
    for program in object.progs() {
        line.push_str(&format!(" program={}", program.info().unwrap().id));
    }
    for map in object.maps() {
        line.push_str(&format!(" map={}", map.info().unwrap().id));
    }
    for link in links {
        let info = link.info().unwrap().expect("a raw tracepoint has a link");
        line.push_str(&format!(" link={}", info.id));
    }
    say(line);
}

/// What a call failed with.
#[track_caller]
pub fn failure<T>(result: wasm_bpf_guest::Result<T>) -> wasm_bpf_guest::Error {
    match result {
        Ok(_) => panic!("this should have failed"),
        Err(error) => error,
    }
}

/// Asserts the case of an error.
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
