//! Maps of what packets are redirected to: network interfaces and CPUs. And cgroups, which are named by a descriptor too.

use std::os::fd::{AsFd as _, AsRawFd as _};
use std::sync::Arc;

use libbpf_sys as sys;

use super::{Kept, Map, ProgramMemory, flags_of};
use crate::bindings::maps::UpdateMode;
use crate::bindings::types::{ErrorCode, MapType, ProgramType};
use crate::ctx::WasmBpfCtx;
use crate::descriptors::HostFile;
use crate::error::{Errno, Failure, FailureResult};
use crate::network_interfaces::{Interface, shown};
use crate::objects::LoadedProgram;
use crate::policy::Need;

/// The most that the kernel takes.
const MAX_QUEUE: u32 = 16384;

/// What the kernel has for a CPU besides the queue: a thread's stack, and places for packets on each CPU.
const OF_CPU: u64 = 32 << 10;

/// What is to be stored where, for messages.
struct Task<'a> {
    map: &'a Map,
    what: String,
}

impl Task<'_> {
    fn text(&self, why: &str) -> String {
        let name = &self.map.info.name;
        format!("cannot put {} into the map `{name}`: {why}", self.what)
    }

    fn refuse(&self, code: ErrorCode, why: &str) -> Failure {
        Failure::refused(code, self.text(why)).about(&self.map.info.name)
    }

    fn failed(&self, errno: i32, why: &str) -> Failure {
        Failure::errno(errno, self.text(why)).about(&self.map.info.name)
    }

    fn demand_kind(&self, fits: bool, of: &str) -> FailureResult<()> {
        if fits {
            return Ok(());
        }
        let kind = self.map.info.type_.name();
        let why = format!("it is a map of type {kind}, not of {of}");
        Err(self.refuse(ErrorCode::NotSupported, &why))
    }

    /// `value` has at least `value-size` bytes.
    fn store(&self, key: &[u8], value: &[u8], mode: UpdateMode) -> FailureResult<()> {
        let map = self.map;
        if key.len() != map.info.key_size as usize {
            let why = format!(
                "the key has {} bytes, the map's have {}",
                key.len(),
                map.info.key_size
            );
            return Err(self.refuse(ErrorCode::WrongSize, &why));
        }
        if value.len() < map.info.value_size as usize {
            let why = format!("its values have {} bytes", map.info.value_size);
            return Err(self.refuse(ErrorCode::WrongSize, &why));
        }
        // SAFETY: `key` has key_size bytes, `value` at least value_size.
        let answer = unsafe {
            sys::bpf_map_update_elem(
                map.fd.as_raw_fd(),
                key.as_ptr().cast(),
                value.as_ptr().cast(),
                flags_of(mode),
            )
        };
        match -answer {
            ..=0 => Ok(()),
            errno => Err(self.failed(errno, &Errno(errno).to_string())),
        }
    }
}

/// Puts a network interface into a map, with a program that runs for what is redirected to it.
pub(crate) fn store_device(
    ctx: &mut WasmBpfCtx,
    map: &Map,
    key: &[u8],
    interface: &str,
    program: Option<&LoadedProgram>,
    mode: UpdateMode,
) -> FailureResult<()> {
    let task = Task {
        map,
        what: format!("the network interface {}", shown(interface)),
    };
    let is_of_devices = matches!(map.info.type_, MapType::Devmap | MapType::DevmapHash);
    task.demand_kind(is_of_devices, "network interfaces")?;
    // Before anything is looked up: who has no grant does not learn which interfaces there are.
    ctx.policy
        .check_redirection(interface)
        .map_err(|missing| Failure::from(missing).about(interface))?;
    let found = Interface::find(interface).map_err(|unusable| {
        unusable
            .failure(|why| task.text(&why.to_string()))
            .about(&map.info.name)
    })?;
    let index = found.index.cast_unsigned();
    let (value, kept) = value_of(&task, index, program, sys::BPF_XDP_DEVMAP)?;
    task.store(key, &value, mode)?;
    map.memory
        .keep(key, kept.map_or(Kept::Nothing, Kept::Program));
    ctx.pins.stored_in(map);
    Ok(())
}

/// Makes a CPU ready to take packets, with a program that runs there for each of them.
pub(crate) fn store_cpu(
    ctx: &mut WasmBpfCtx,
    map: &Map,
    key: &[u8],
    queue_size: u32,
    program: Option<&LoadedProgram>,
    mode: UpdateMode,
) -> FailureResult<()> {
    let task = Task {
        map,
        what: "a CPU".to_owned(),
    };
    task.demand_kind(matches!(map.info.type_, MapType::Cpumap), "CPUs")?;
    // Guest-controlled; 0 would delete what is there.
    if !(1..=MAX_QUEUE).contains(&queue_size) {
        let why = format!("its queue has 1 to {MAX_QUEUE} places, not {queue_size}");
        return Err(task.refuse(ErrorCode::InvalidArgument, &why));
    }
    let need = Need {
        map_memory: u64::from(queue_size) * 8 + OF_CPU,
        ..Need::default()
    };
    let held = ctx
        .usage
        .reserve(need)
        .map_err(|limit| task.refuse(ErrorCode::LimitExceeded, &limit.to_string()))?;
    let (value, kept) = value_of(&task, queue_size, program, sys::BPF_XDP_CPUMAP)?;
    task.store(key, &value, mode)?;
    map.memory.keep(key, Kept::Queue(held, kept));
    ctx.pins.stored_in(map);
    Ok(())
}

/// `struct bpf_devmap_val` or `struct bpf_cpumap_val`: a number, and a program's descriptor or 0.
fn value_of(
    task: &Task<'_>,
    number: u32,
    program: Option<&LoadedProgram>,
    attach_type: u32,
) -> FailureResult<([u8; 8], Option<Arc<ProgramMemory>>)> {
    let mut value = [0; 8];
    value[..4].copy_from_slice(&number.to_ne_bytes());
    if let Some(program) = program {
        // The kernel would say of a CPU's that there is no memory.
        if !matches!(program.kind, ProgramType::Xdp) || program.attach_type != attach_type {
            let section = match attach_type {
                sys::BPF_XDP_DEVMAP => "xdp/devmap",
                _ => "xdp/cpumap",
            };
            let why = format!(
                "`{}` is no program for it; one is of type xdp and in a section `{section}`",
                program.name
            );
            return Err(task.refuse(ErrorCode::InvalidArgument, &why));
        }
        if task.map.info.value_size < 8 {
            return Err(task.refuse(
                ErrorCode::WrongSize,
                "its values have 4 bytes and no room for a program; make it with values of 8",
            ));
        }
        value[4..].copy_from_slice(&program.fd().as_raw_fd().to_ne_bytes());
    }
    Ok((value, program.map(|program| Arc::clone(&program.held))))
}

impl Map {
    pub(super) fn update_cgroup(
        &self,
        key: &[u8],
        cgroup: &HostFile,
        mode: UpdateMode,
    ) -> FailureResult<()> {
        let task = Task {
            map: self,
            what: "a cgroup".to_owned(),
        };
        task.demand_kind(matches!(self.info.type_, MapType::CgroupArray), "cgroups")?;
        let descriptor = cgroup.as_fd().as_raw_fd().to_ne_bytes();
        match task.store(key, &descriptor, mode) {
            Err(Failure::Error(error)) if error.errno == libc::EBADF => Err(task.refuse(
                ErrorCode::InvalidArgument,
                "the descriptor is not the folder of a cgroup (version 2)",
            )),
            other => other,
        }
    }
}
