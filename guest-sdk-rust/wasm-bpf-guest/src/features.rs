//! What the running kernel is and can do. No grant is needed for any of it.
//!
//! ```no_run
//! use wasm_bpf_guest::{MapType, features};
//!
//! # fn run() -> wasm_bpf_guest::Result<()> {
//! let rings = features::is_map_type_supported(MapType::Ringbuf)?;
//! let names = ["vfs_read", "vfs_no_such"];
//! assert_eq!(features::functions_exist(&names)?, [true, false]);
//! # Ok(())
//! # }
//! ```

use std::time::{Duration, SystemTime};

use crate::bindings::features;
use crate::error::{Result, words};
use crate::{Error, ErrorKind, LinkType, MapType, ProgramType};

/// The version that a kernel is of, and a network interface.
pub use crate::bindings::features::{KernelVersion, NetworkInterface};

fn explained<T>(answer: Result<T, ErrorKind>, what: impl FnOnce() -> String) -> Result<T> {
    answer.map_err(|code| {
        let text = format!("cannot ask {}: {}", what(), words(code));
        Error::of_code(code, text)
    })
}

/// The kernel's release, such as `6.1.0-20-amd64`.
pub fn release() -> String {
    features::release()
}

/// The version that the kernel is of.
pub fn version() -> KernelVersion {
    features::version()
}

/// The machine, such as `x86_64`.
pub fn machine() -> String {
    features::machine()
}

/// The process in whose name the component acts, as programs see it.
pub fn own_process() -> u32 {
    features::own_process()
}

/// Bytes of a page of memory.
pub fn page_size() -> usize {
    features::page_size() as usize
}

/// Now on the clock of bpf_ktime_get_ns.
pub fn monotonic_time() -> Duration {
    Duration::from_nanos(features::monotonic_time())
}

/// Now on the clock of bpf_ktime_get_boot_ns.
pub fn boot_time() -> Duration {
    Duration::from_nanos(features::boot_time())
}

/// When it was, by the clock on the wall, that bpf_ktime_get_ns gave `ktime`.
pub fn wall_time(ktime: u64) -> SystemTime {
    let since_1970 = features::monotonic_to_wall().saturating_add_unsigned(ktime);
    SystemTime::UNIX_EPOCH + Duration::from_nanos(since_1970.try_into().unwrap_or(0))
}

/// How many CPUs per-CPU maps have values for.
pub fn num_possible_cpus() -> Result<usize> {
    let cpus = explained(features::possible_cpus(), || {
        "how many CPUs there are".into()
    })?;
    Ok(cpus as usize)
}

/// The CPUs that are online now.
pub fn online_cpus() -> Result<Vec<u32>> {
    explained(features::online_cpus(), || "which CPUs are online".into())
}

/// The network interfaces of the host's network namespace.
pub fn network_interfaces() -> Result<Vec<NetworkInterface>> {
    explained(features::network_interfaces(), || {
        "which network interfaces there are".into()
    })
}

/// The number of a network interface.
pub fn interface_index(name: &str) -> Option<u32> {
    features::interface_index(name)
}

/// The name of a network interface.
pub fn interface_name(index: u32) -> Option<String> {
    features::interface_name(index)
}

/// Whether the kernel has this kind of map: libbpf-rs's `MapType::is_supported`.
pub fn is_map_type_supported(kind: MapType) -> Result<bool> {
    explained(features::has_map_type(kind), || {
        format!("for maps of kind {kind:?}")
    })
}

/// Whether the kernel has this kind of program: libbpf-rs's `ProgramType::is_supported`.
pub fn is_program_type_supported(kind: ProgramType) -> Result<bool> {
    explained(features::has_program_type(kind), || {
        format!("for programs of kind {kind:?}")
    })
}

/// Whether programs of this kind can call a helper: libbpf-rs's `ProgramType::is_helper_supported`.
pub fn is_helper_supported(kind: ProgramType, helper: u32) -> Result<bool> {
    explained(features::has_helper(kind, helper), || {
        format!("for the helper {helper} in programs of kind {kind:?}")
    })
}

/// The number of a helper, such as `bpf_get_stackid`.
pub fn helper_number(name: &str) -> Option<u32> {
    features::helper_number(name)
}

/// Whether the kernel knows an attach type, by its number.
pub fn is_attach_type_supported(attach_type: u32) -> Result<bool> {
    explained(features::has_attach_type(attach_type), || {
        format!("for the attach type {attach_type}")
    })
}

/// Whether the kernel knows this kind of link.
pub fn is_link_type_supported(kind: LinkType) -> Result<bool> {
    explained(features::has_link_type(kind), || {
        format!("for links of kind {kind:?}")
    })
}

/// Which of these functions the kernel and its modules have now.
pub fn functions_exist(names: &[impl AsRef<str>]) -> Result<Vec<bool>> {
    let names: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
    explained(features::has_functions(&names), || {
        "for functions of the kernel".into()
    })
}

/// Whether the kernel or a module has this function now.
pub fn function_exists(name: &str) -> Result<bool> {
    Ok(functions_exist(&[name])? == [true])
}

/// Whether there is a tracepoint for [`Program::attach_tracepoint`](crate::Program::attach_tracepoint).
pub fn tracepoint_exists(category: &str, name: &str) -> Result<bool> {
    explained(features::has_tracepoint(category, name), || {
        format!("for the tracepoint {category}/{name}")
    })
}

/// Whether there is a tracepoint of this bare name for raw and BTF tracepoints.
pub fn raw_tracepoint_exists(name: &str) -> Result<bool> {
    explained(features::has_raw_tracepoint(name), || {
        format!("for the tracepoint {name}")
    })
}

/// What the kernel was built with: the value of an option such as `CONFIG_HZ`; none if it is not set.
pub fn config(name: &str) -> Result<Option<String>> {
    explained(features::config(name), || {
        format!("for the kernel's option {name}")
    })
}

/// How often the kernel's `jiffies` count in a second.
pub fn jiffies_per_second() -> Result<u32> {
    explained(features::jiffies_per_second(), || "for CONFIG_HZ".into())
}
