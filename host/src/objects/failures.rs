//! Why opening and loading fail, in words: what, on what, why, and what to do.

use std::path::Path;

use super::OpenObject;
use super::load::VerifierLog;
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::error::{Errno, Failure, code_of_errno};

/// How much of a verifier log a component gets: its end says why.
const MAX_LOG: usize = 64 << 10;
const KERNEL_BTF: &str = "/sys/kernel/btf/vmlinux";

pub(super) fn no_such(what: &str, wanted: &str, object: &str, names: &[String]) -> Failure {
    let known = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    Failure::refused(
        ErrorCode::NotFound,
        format!("there is no {what} `{wanted}` in the object `{object}`; it has {known}"),
    )
    .about(wanted)
}

pub(super) fn open(name: &str, errno: i32, warnings: &[String]) -> Failure {
    let mut text = format!("cannot open the BPF object `{name}`: {}", Errno(errno));
    append_warnings(&mut text, warnings);
    if errno == libc::ENOMEM {
        return Failure::errno(errno, text).about(name);
    }
    text.push_str("\nit must be what `clang -target bpf -g -O2 -c` makes");
    Failure::new(ErrorCode::Malformed, errno, text).about(name)
}

pub(super) fn prepare(
    open: &OpenObject,
    errno: i32,
    warnings: &[String],
    custom_btf: Option<&Path>,
) -> Failure {
    let name = &open.name;
    if let Some(map) = warnings.iter().find_map(|line| failed_map(line)) {
        let mut text = format!(
            "cannot create the map `{map}` of `{name}`: {}",
            Errno(errno)
        );
        if let Ok(map) = open.map(map) {
            let map = map.declaration();
            text.push_str(&format!(
                " (type {}, key {}, value {}, entries {}, flags {:#x})",
                map.type_.name(),
                map.key_size,
                map.value_size,
                map.max_entries,
                map.flags,
            ));
        }
        append_warnings(&mut text, warnings);
        if errno == libc::E2BIG || errno == libc::ENOMEM {
            text.push_str("\nthe map is too large for this kernel: lower its number of entries");
        }
        append_capabilities(&mut text, errno);
        return Failure::errno_of_creation(errno, text).about(map);
    }
    let mut text = format!("cannot load `{name}`: {}", Errno(errno));
    append_warnings(&mut text, warnings);
    match custom_btf {
        Some(file) if warnings.iter().any(|line| line.contains("BTF")) => {
            text.push_str(&format!(
                "\nthe BTF in {} was used in place of the kernel's; is it for this kernel?",
                file.display()
            ));
        }
        None if !Path::new(KERNEL_BTF).exists() => {
            text.push_str(&format!(
                "\nthis kernel shows no BTF ({KERNEL_BTF} is not there), which CO-RE relocations need: \
                 boot a kernel with CONFIG_DEBUG_INFO_BTF=y, or give BTF made for this kernel with --btf FILE"
            ));
        }
        _ => {}
    }
    append_capabilities(&mut text, errno);
    Failure::new(code_of_load(errno), errno, text).about(name)
}

/// libbpf says ESRCH and ENOENT of what is not in the kernel's BTF: neither a process nor a name that the component could look for.
fn code_of_load(errno: i32) -> ErrorCode {
    match errno {
        libc::ESRCH | libc::ENOENT => ErrorCode::NotSupported,
        _ => code_of_errno(errno),
    }
}

pub(super) fn load(
    open: &OpenObject,
    errno: i32,
    warnings: &[String],
    logs: &[VerifierLog],
) -> Failure {
    let failed = warnings.iter().find_map(|line| failed_program(line));
    let Some(program) = failed else {
        let name = &open.name;
        let mut text = format!("cannot load `{name}`: {}", Errno(errno));
        append_warnings(&mut text, warnings);
        append_capabilities(&mut text, errno);
        return Failure::new(code_of_load(errno), errno, text).about(name);
    };
    let log = logs
        .iter()
        .find(|log| log.program == program)
        .map(VerifierLog::text)
        .filter(|log| !log.trim().is_empty());
    let is_without_target = !open.targets.contains_key(program)
        && open
            .program(program)
            .is_ok_and(|program| matches!(program.kind(), ProgramType::Ext));
    let failure = not_loaded(program, errno, warnings, log);
    if is_without_target {
        return failure.with_remedy(
            "it takes the place of a function of another program: say of which with set-attach-program before load",
        );
    }
    failure
}

/// Why a program was not loaded; `log` is the verifier's, if it looked at it.
pub(crate) fn not_loaded(
    program: &str,
    errno: i32,
    warnings: &[String],
    log: Option<String>,
) -> Failure {
    let Some(log) = log else {
        // The kernel refused before the verifier looked.
        let mut text = format!("cannot load the program `{program}`: {}", Errno(errno));
        append_warnings(&mut text, warnings);
        append_capabilities(&mut text, errno);
        if errno == libc::EINVAL {
            text.push_str(
                "\nthis kernel may not have this type of program, or an attach type of it",
            );
        }
        return Failure::new(code_of_load(errno), errno, text).about(program);
    };
    if let Some(field) = failed_relocation(&log) {
        let text = format!(
            "cannot load the program `{program}`: the CO-RE relocation of {field} failed: this kernel has no such \
             type, field or value\nguard its use with bpf_core_field_exists (or bpf_core_type_exists, \
             bpf_core_enum_value_exists)"
        );
        return Failure::new(ErrorCode::NotSupported, errno, text)
            .about(program)
            .with_log(end_of(&log, MAX_LOG).to_owned());
    }
    let end = last_lines(&log, 6);
    let text = format!(
        "the verifier rejected the program `{program}`: {}\n{end}",
        Errno(errno)
    );
    Failure::new(ErrorCode::RejectedByVerifier, errno, text)
        .about(program)
        .with_log(end_of(&log, MAX_LOG).to_owned())
}

/// Adds what libbpf said, without what only repeats that something failed.
pub(crate) fn append_warnings(text: &mut String, warnings: &[String]) {
    const MOST: usize = 12;
    let told = warnings
        .iter()
        .filter(|line| !line.starts_with("failed to load object") && !line.trim().is_empty());
    for line in told.take(MOST) {
        text.push_str("\n  libbpf: ");
        text.push_str(line.trim());
    }
}

/// Bits of `CapEff` in /proc/self/status that BPF needs.
const CAP_NET_ADMIN: u32 = 12;
const CAP_SYS_ADMIN: u32 = 21;
const CAP_PERFMON: u32 = 38;
const CAP_BPF: u32 = 39;

/// If the kernel said "not permitted", tells which capability is missing, if any is.
pub(crate) fn append_capabilities(text: &mut String, errno: i32) {
    if errno != libc::EPERM && errno != libc::EACCES {
        return;
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let Some(effective) = effective_capabilities(&status) else {
        return;
    };
    let missing = missing_capabilities(effective);
    if !missing.is_empty() {
        text.push_str(&format!(
            "\nthis process lacks {}: run it as root, for instance with sudo",
            missing.join(" and ")
        ));
    } else if errno == libc::EPERM {
        text.push_str(
            "\nthe process has the capabilities: a security policy of this machine may forbid it",
        );
    }
}

fn effective_capabilities(status: &str) -> Option<u64> {
    let hex = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(hex.trim(), 16).ok()
}

fn missing_capabilities(effective: u64) -> Vec<&'static str> {
    let has = |bit: u32| effective & (1 << bit) != 0;
    if has(CAP_SYS_ADMIN) {
        return Vec::new();
    }
    [
        (CAP_BPF, "CAP_BPF"),
        (CAP_PERFMON, "CAP_PERFMON"),
        (CAP_NET_ADMIN, "CAP_NET_ADMIN"),
    ]
    .into_iter()
    .filter(|(bit, _)| !has(*bit))
    .map(|(_, name)| name)
    .collect()
}

/// The program in libbpf's `prog 'NAME': BPF program load failed: ...` and its like.
fn failed_program(line: &str) -> Option<&str> {
    let (name, rest) = line.strip_prefix("prog '")?.split_once("': ")?;
    (rest.starts_with("BPF program load failed")
        || rest.starts_with("failed to")
        || rest.starts_with("missing BPF prog type")
        || rest.starts_with("failed to prepare"))
    .then_some(name)
}

/// The map in libbpf's `map 'NAME': failed to create...`.
fn failed_map(line: &str) -> Option<&str> {
    let (name, rest) = line.strip_prefix("map '")?.split_once("': ")?;
    rest.starts_with("failed to").then_some(name)
}

/// What follows in the line that libbpf writes into a verifier log: `failed to resolve CO-RE relocation <byte_off> [7] struct x.y (0:1 @ offset 8)`.
fn failed_relocation(log: &str) -> Option<String> {
    let line = log
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("failed to resolve CO-RE relocation "))?;
    // Kind of relocation and BTF id are of no use to a reader, the place in the struct of little.
    let spec = line.split_once("] ").map_or(line, |(_, spec)| spec);
    let spec = spec.split_once(" (").map_or(spec, |(spec, _)| spec);
    Some(format!("`{spec}`"))
}

fn end_of(text: &str, most: usize) -> &str {
    let mut start = text.len().saturating_sub(most);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// The last lines that say something; the verifier ends with statistics.
fn last_lines(log: &str, most: usize) -> String {
    let lines = log
        .lines()
        .filter(|line| {
            !line.trim().is_empty()
                && !line.starts_with("processed ")
                && !line.starts_with("verification time")
                && !line.starts_with("stack depth")
        })
        .collect::<Vec<_>>();
    let start = lines.len().saturating_sub(most);
    lines[start..]
        .iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_who_failed() {
        assert_eq!(
            failed_program("prog 'f': BPF program load failed: -EACCES"),
            Some("f")
        );
        assert_eq!(failed_program("prog 'f': relo #1: some detail"), None);
        assert_eq!(failed_map("map 'm': failed to create: -E2BIG"), Some("m"));
        assert_eq!(failed_map("map 'm': found something"), None);
    }

    #[test]
    fn finds_the_field() {
        let log = "0: (85) call\n<invalid CO-RE relocation>\nfailed to resolve CO-RE relocation <byte_off> [7] \
                   struct task_struct.no_such (0:1 @ offset 8)\nprocessed 1 insns";
        assert_eq!(
            failed_relocation(log).unwrap(),
            "`struct task_struct.no_such`"
        );
        assert_eq!(failed_relocation("0: (95) exit"), None);
    }

    #[test]
    fn keeps_the_end_of_a_log() {
        assert_eq!(end_of("abc", 2), "bc");
        assert_eq!(end_of("aé", 1), "");
        assert_eq!(end_of("abc", 10), "abc");
        assert_eq!(last_lines("a\nb\n\nprocessed 3 insns\n", 1), "  b");
    }

    #[test]
    fn names_missing_capabilities() {
        assert_eq!(
            effective_capabilities("Name:\tx\nCapEff:\t0000000000000000\n"),
            Some(0)
        );
        assert_eq!(
            missing_capabilities(0),
            ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"]
        );
        assert!(missing_capabilities(1 << CAP_SYS_ADMIN).is_empty());
        assert_eq!(
            missing_capabilities(1 << CAP_BPF | 1 << CAP_NET_ADMIN),
            ["CAP_PERFMON"]
        );
    }
}
