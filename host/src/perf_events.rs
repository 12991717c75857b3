//! `perf-events.wit`.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use libbpf_sys as sys;
use rustix::ioctl::{Opcode, opcode};
use wasmtime::component::Resource;

use crate::bindings::maps::UpdateMode;
use crate::bindings::perf_events::{
    BreakpointAccess, Cache, CacheEvent, CacheOperation, CacheResult, Count, HardwareEvent, Host,
    HostPerfEvent, HostPerfEventOptions, PerfEventType, SoftwareEvent,
};
use crate::bindings::types::ErrorCode;
use crate::ctx::{WasmBpfCtx, WasmBpfCtxView};
use crate::error::{CodeResult, Errno, Failure, FailureResult};
use crate::maps::{Map, possible_cpus};
use crate::policy::{Need, Reservation};
use crate::programs::{Program, tracefs_name};

/// What an event is opened with.
#[derive(Clone, Copy, Debug, Default)]
pub struct PerfEventOptions {
    process: Option<u32>,
    cpu: Option<u32>,
    period: u64,
    frequency: u64,
    disabled: bool,
    inherit: bool,
    exclude_user: bool,
    exclude_kernel: bool,
    exclude_hypervisor: bool,
    exclude_idle: bool,
    exclude_host: bool,
    exclude_guest: bool,
    precision: u8,
    sample_type: u64,
    branch_sample_type: u64,
    more_config: [u64; 2],
}

/// An event that is counted or sampled. Links share it: the kernel's event is there as long as one of them is.
#[derive(Clone)]
pub struct PerfEvent(Arc<Opened>);

struct Opened {
    // Before the program: the kernel lets it go with the event.
    fd: OwnedFd,
    /// What it is, for messages.
    what: String,
    is_sampled: bool,
    /// Before 5.15 the kernel keeps a program that was attached once.
    attached: Mutex<Option<Program>>,
    held: Arc<Reservation>,
}

const ENABLE: Opcode = opcode::none(b'$', 0);
const DISABLE: Opcode = opcode::none(b'$', 1);
const RESET: Opcode = opcode::none(b'$', 3);
const SET_BPF: Opcode = opcode::write::<u32>(b'$', 8);

impl PerfEvent {
    /// What it is, for messages.
    pub(crate) fn what(&self) -> &str {
        &self.0.what
    }

    /// Whether it has samples at which a program can run.
    pub(crate) fn is_sampled(&self) -> bool {
        self.0.is_sampled
    }

    fn control(&self, code: Opcode, argument: libc::c_int) -> io::Result<()> {
        // SAFETY: these take a number or nothing.
        match unsafe { libc::ioctl(self.0.fd.as_raw_fd(), code as _, argument) } {
            0.. => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    pub(crate) fn enable(&self) -> io::Result<()> {
        self.control(ENABLE, 0)
    }

    pub(crate) fn disable(&self) -> io::Result<()> {
        self.control(DISABLE, 0)
    }

    /// Attaches a program without a link, for good.
    pub(crate) fn set_program(&self, program: &Program) -> io::Result<()> {
        self.control(SET_BPF, program.loaded().fd().as_raw_fd())?;
        let attached = self.0.attached.lock();
        *attached.unwrap_or_else(PoisonError::into_inner) = Some(program.clone());
        Ok(())
    }

    fn count(&self) -> io::Result<Count> {
        let mut answer = [0; 24];
        let length = rustix::io::read(&self.0.fd, &mut answer)?;
        if length != answer.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let word = |index: usize| {
            let bytes = answer[index * 8..][..8].try_into();
            u64::from_ne_bytes(bytes.expect("eight bytes"))
        };
        Ok(Count {
            value: word(0),
            enabled: word(1),
            running: word(2),
        })
    }

    fn open(
        ctx: &WasmBpfCtx,
        kind: &PerfEventType,
        options: &PerfEventOptions,
    ) -> FailureResult<Self> {
        let what = describe(kind, options);
        let refuse = |code, why: String| {
            Err(Failure::refused(
                code,
                format!("cannot open the event {what}: {why}"),
            ))
        };
        let (process, cpu) = match target(options) {
            Ok(target) => target,
            Err((code, why)) => return refuse(code, why),
        };
        if options.period != 0 && options.frequency != 0 {
            let why = "it has a sample period and a frequency; set one of them";
            return refuse(ErrorCode::InvalidArgument, why.to_owned());
        }
        if let Some(most) = max_frequency().filter(|most| options.frequency > *most) {
            let why = format!(
                "{} samples a second are more than the kernel allows; {MAX_FREQUENCY} says {most}",
                options.frequency
            );
            return refuse(ErrorCode::InvalidArgument, why);
        }
        if options.precision > 3 {
            let why = format!("the precision {} is none of 0 to 3", options.precision);
            return refuse(ErrorCode::InvalidArgument, why);
        }
        let mut attributes = attributes(options);
        set_kind(&mut attributes, kind)?;
        let need = Need {
            descriptors: 1,
            ..Need::default()
        };
        let held = match ctx.usage.reserve(need) {
            Ok(held) => Arc::new(held),
            Err(limit) => return refuse(ErrorCode::LimitExceeded, limit.to_string()),
        };
        let fd = perf_event_open(&attributes, process, cpu)
            .map_err(|error| cannot_open(&what, kind, &error))?;
        Ok(Self(Arc::new(Opened {
            fd,
            what,
            is_sampled: options.period != 0 || options.frequency != 0,
            attached: Mutex::default(),
            held,
        })))
    }
}

impl AsFd for PerfEvent {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.fd.as_fd()
    }
}

/// The most samples a second, where it is to be read and changed.
const MAX_FREQUENCY: &str = "/proc/sys/kernel/perf_event_max_sample_rate";

fn max_frequency() -> Option<u64> {
    fs::read_to_string(MAX_FREQUENCY).ok()?.trim().parse().ok()
}

/// The kernel's numbers of the process and of the CPU, -1 for any. Both are guest-controlled: what is negative, or 0, means other things
/// to the kernel, such as the thread of the host that asks.
fn target(options: &PerfEventOptions) -> Result<(i32, i32), (ErrorCode, String)> {
    let process = match options.process.map(i32::try_from) {
        None => -1,
        Some(Ok(0)) => {
            return Err((
                ErrorCode::InvalidArgument,
                "0 is the ID of no process".to_owned(),
            ));
        }
        Some(Ok(process)) => process,
        Some(Err(_)) => {
            return Err((
                ErrorCode::NoSuchProcess,
                "there is no such process".to_owned(),
            ));
        }
    };
    let cpu = match options.cpu {
        None => -1,
        Some(cpu) => {
            // The kernel says "invalid argument" of those that it is not built for.
            let exists = possible_cpus().is_ok_and(|cpus| cpu < cpus);
            let number = i32::try_from(cpu).ok().filter(|_| exists);
            number.ok_or_else(|| {
                (
                    ErrorCode::NoSuchDevice,
                    format!("this machine has no CPU {cpu}"),
                )
            })?
        }
    };
    if process == -1 && cpu == -1 {
        let why = "it is of one process or of one CPU; set at least one of them";
        return Err((ErrorCode::InvalidArgument, why.to_owned()));
    }
    Ok((process, cpu))
}

fn attributes(options: &PerfEventOptions) -> sys::perf_event_attr {
    let mut attributes = sys::perf_event_attr {
        size: size_of::<sys::perf_event_attr>() as u32,
        sample_type: options.sample_type,
        branch_sample_type: options.branch_sample_type,
        read_format: (sys::PERF_FORMAT_TOTAL_TIME_ENABLED | sys::PERF_FORMAT_TOTAL_TIME_RUNNING)
            .into(),
        ..Default::default()
    };
    if options.frequency != 0 {
        attributes.__bindgen_anon_1.sample_freq = options.frequency;
        attributes.set_freq(1);
    } else {
        attributes.__bindgen_anon_1.sample_period = options.period;
    }
    attributes.set_disabled(options.disabled.into());
    attributes.set_inherit(options.inherit.into());
    attributes.set_exclude_user(options.exclude_user.into());
    attributes.set_exclude_kernel(options.exclude_kernel.into());
    attributes.set_exclude_hv(options.exclude_hypervisor.into());
    attributes.set_exclude_idle(options.exclude_idle.into());
    attributes.set_exclude_host(options.exclude_host.into());
    attributes.set_exclude_guest(options.exclude_guest.into());
    attributes.set_precise_ip(options.precision.into());
    attributes.__bindgen_anon_3.config1 = options.more_config[0];
    attributes.__bindgen_anon_4.config2 = options.more_config[1];
    attributes
}

/// Says which event it is. For the units of probes the configuration has addresses of the host's memory: no component may name them.
fn set_kind(attributes: &mut sys::perf_event_attr, kind: &PerfEventType) -> FailureResult<()> {
    (attributes.type_, attributes.config) = match kind {
        PerfEventType::Hardware(event) => (sys::PERF_TYPE_HARDWARE, hardware(*event)),
        PerfEventType::Software(event) => (sys::PERF_TYPE_SOFTWARE, software(*event)),
        PerfEventType::Cache(event) => (sys::PERF_TYPE_HW_CACHE, cache(*event)),
        PerfEventType::Raw(config) => (sys::PERF_TYPE_RAW, *config),
        PerfEventType::Tracepoint(event) => (
            sys::PERF_TYPE_TRACEPOINT,
            tracepoint_id(&event.category, &event.name)?,
        ),
        PerfEventType::Breakpoint(event) => {
            attributes.bp_type = [
                (BreakpointAccess::READ, 1),
                (BreakpointAccess::WRITE, 2),
                (BreakpointAccess::EXECUTE, 4),
            ]
            .into_iter()
            .filter(|(access, _)| event.access.contains(*access))
            .map(|(_, bit)| bit)
            .sum();
            attributes.__bindgen_anon_3.bp_addr = event.address;
            attributes.__bindgen_anon_4.bp_len = event.length.into();
            (sys::PERF_TYPE_BREAKPOINT, 0)
        }
        PerfEventType::Unit(event) => (unit_type(&event.unit)?, event.config),
    };
    Ok(())
}

fn hardware(event: HardwareEvent) -> u64 {
    let number = match event {
        HardwareEvent::CpuCycles => sys::PERF_COUNT_HW_CPU_CYCLES,
        HardwareEvent::Instructions => sys::PERF_COUNT_HW_INSTRUCTIONS,
        HardwareEvent::CacheReferences => sys::PERF_COUNT_HW_CACHE_REFERENCES,
        HardwareEvent::CacheMisses => sys::PERF_COUNT_HW_CACHE_MISSES,
        HardwareEvent::BranchInstructions => sys::PERF_COUNT_HW_BRANCH_INSTRUCTIONS,
        HardwareEvent::BranchMisses => sys::PERF_COUNT_HW_BRANCH_MISSES,
        HardwareEvent::BusCycles => sys::PERF_COUNT_HW_BUS_CYCLES,
        HardwareEvent::StalledCyclesFrontend => sys::PERF_COUNT_HW_STALLED_CYCLES_FRONTEND,
        HardwareEvent::StalledCyclesBackend => sys::PERF_COUNT_HW_STALLED_CYCLES_BACKEND,
        HardwareEvent::RefCpuCycles => sys::PERF_COUNT_HW_REF_CPU_CYCLES,
        HardwareEvent::Other(number) => return number,
    };
    number.into()
}

fn software(event: SoftwareEvent) -> u64 {
    let number = match event {
        SoftwareEvent::CpuClock => sys::PERF_COUNT_SW_CPU_CLOCK,
        SoftwareEvent::TaskClock => sys::PERF_COUNT_SW_TASK_CLOCK,
        SoftwareEvent::PageFaults => sys::PERF_COUNT_SW_PAGE_FAULTS,
        SoftwareEvent::ContextSwitches => sys::PERF_COUNT_SW_CONTEXT_SWITCHES,
        SoftwareEvent::CpuMigrations => sys::PERF_COUNT_SW_CPU_MIGRATIONS,
        SoftwareEvent::PageFaultsMinor => sys::PERF_COUNT_SW_PAGE_FAULTS_MIN,
        SoftwareEvent::PageFaultsMajor => sys::PERF_COUNT_SW_PAGE_FAULTS_MAJ,
        SoftwareEvent::AlignmentFaults => sys::PERF_COUNT_SW_ALIGNMENT_FAULTS,
        SoftwareEvent::EmulationFaults => sys::PERF_COUNT_SW_EMULATION_FAULTS,
        SoftwareEvent::Dummy => sys::PERF_COUNT_SW_DUMMY,
        SoftwareEvent::BpfOutput => sys::PERF_COUNT_SW_BPF_OUTPUT,
        SoftwareEvent::CgroupSwitches => sys::PERF_COUNT_SW_CGROUP_SWITCHES,
        SoftwareEvent::Other(number) => return number,
    };
    number.into()
}

fn cache(event: CacheEvent) -> u64 {
    let cache = match event.cache {
        Cache::L1Data => 0,
        Cache::L1Instructions => 1,
        Cache::LastLevel => 2,
        Cache::DataTlb => 3,
        Cache::InstructionTlb => 4,
        Cache::BranchPrediction => 5,
        Cache::Node => 6,
        Cache::Other(number) => number,
    };
    let operation = match event.operation {
        CacheOperation::Read => 0,
        CacheOperation::Write => 1,
        CacheOperation::Prefetch => 2,
        CacheOperation::Other(number) => number,
    };
    let result = match event.result {
        CacheResult::Access => 0,
        CacheResult::Miss => 1,
        CacheResult::Other(number) => number,
    };
    u64::from(cache) | u64::from(operation) << 8 | u64::from(result) << 16
}

/// The kernel's number of a tracepoint.
fn tracepoint_id(category: &str, name: &str) -> FailureResult<u64> {
    tracefs_name(category)?;
    tracefs_name(name)?;
    let folders = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
    let folder = folders
        .iter()
        .find(|folder| Path::new(folder).join("events").exists())
        .ok_or_else(|| {
            Failure::errno(
                libc::ENOENT,
                "tracefs is not mounted, which tracepoints need: mount -t tracefs tracefs /sys/kernel/tracing",
            )
        })?;
    let file = format!("{folder}/events/{category}/{name}/id");
    read_number(&file).map_err(|error| {
        let errno = error.raw_os_error().unwrap_or(libc::EIO);
        let text = format!("there is no tracepoint {category}/{name}: {}", Errno(errno));
        Failure::errno(errno, text)
    })
}

/// Units whose configuration is an address of the memory of whoever opens the event.
const PROBES: [&str; 2] = ["kprobe", "uprobe"];

/// The kernel's number of a unit.
fn unit_type(unit: &str) -> FailureResult<u32> {
    tracefs_name(unit).map_err(|_| {
        Failure::refused(
            ErrorCode::InvalidArgument,
            format!("{unit:?} is no name of a unit that has events"),
        )
    })?;
    if PROBES.contains(&unit) {
        return Err(Failure::refused(
            ErrorCode::NotSupported,
            format!(
                "events of the unit `{unit}` cannot be opened: attach the program to the probe itself"
            ),
        ));
    }
    let file = format!("/sys/bus/event_source/devices/{unit}/type");
    let number = read_number(&file).map_err(|error| {
        let errno = error.raw_os_error().unwrap_or(libc::EIO);
        let text = format!(
            "this machine has no unit `{unit}` that has events: {}",
            Errno(errno)
        );
        Failure::errno(errno, text)
    })?;
    u32::try_from(number).map_err(|_| Failure::errno(libc::EIO, "the unit has no number"))
}

fn read_number(file: &str) -> io::Result<u64> {
    let text = fs::read_to_string(file)?;
    let number = text.trim().parse();
    number.map_err(|_| io::ErrorKind::InvalidData.into())
}

fn perf_event_open(
    attributes: &sys::perf_event_attr,
    process: i32,
    cpu: i32,
) -> io::Result<OwnedFd> {
    const NO_GROUP: i32 = -1;
    // SAFETY: the structure has the size that it says; the kernel reads only that.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            std::ptr::from_ref(attributes),
            process,
            cpu,
            NO_GROUP,
            libc::c_ulong::from(sys::PERF_FLAG_FD_CLOEXEC as u8),
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just made it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

fn describe(kind: &PerfEventType, options: &PerfEventOptions) -> String {
    let mut text = match kind {
        PerfEventType::Hardware(event) => format!("hardware {}", kebab(event)),
        PerfEventType::Software(event) => format!("software {}", kebab(event)),
        PerfEventType::Tracepoint(event) => {
            format!("tracepoint {}/{}", event.category, event.name)
        }
        PerfEventType::Cache(event) => format!("cache {}", kebab(&event.cache)),
        PerfEventType::Raw(config) => format!("raw {config:#x}"),
        PerfEventType::Breakpoint(event) => format!("breakpoint at {:#x}", event.address),
        PerfEventType::Unit(event) => format!("{:#x} of the unit {}", event.config, event.unit),
    };
    if let Some(process) = options.process {
        text.push_str(&format!(" of process {process}"));
    }
    if let Some(cpu) = options.cpu {
        text.push_str(&format!(" on CPU {cpu}"));
    }
    text
}

/// The name of a case as in the WIT; bindgen prints `HardwareEvent::CpuCycles`.
fn kebab(case: &impl fmt::Debug) -> String {
    let text = format!("{case:?}");
    let name = text.rsplit("::").next().unwrap_or(&text);
    let mut kebab = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}

fn cannot_open(what: &str, kind: &PerfEventType, error: &io::Error) -> Failure {
    let errno = error.raw_os_error().unwrap_or(libc::EIO);
    let mut text = format!("cannot open the event {what}: {}", Errno(errno));
    let on_hardware = matches!(
        kind,
        PerfEventType::Hardware(_)
            | PerfEventType::Cache(_)
            | PerfEventType::Raw(_)
            | PerfEventType::Unit(_)
    );
    match errno {
        libc::ENOENT if on_hardware => text.push_str(
            "\nno unit of this machine counts this event; virtual machines often have none: the software event cpu-clock is there always",
        ),
        libc::EOPNOTSUPP if on_hardware => {
            text.push_str("\nthis machine can count it but not sample it");
        }
        libc::ENODEV => text.push_str("\nthe CPU does not run"),
        libc::ENOSPC => text.push_str("\nthe CPU's breakpoints are all in use"),
        libc::EACCES | libc::EPERM => text.push_str(
            "\nit needs CAP_PERFMON, or what /proc/sys/kernel/perf_event_paranoid allows",
        ),
        _ => {}
    }
    Failure::errno(errno, text)
}

impl Map {
    /// Stores an event, unless a perf buffer has the map.
    fn store_event(&self, key: &[u8], event: &PerfEvent, mode: UpdateMode) -> CodeResult<()> {
        self.store_perf_event(key, event.as_fd(), Arc::clone(&event.0.held), mode)
    }
}

impl Host for WasmBpfCtxView<'_> {}

impl WasmBpfCtxView<'_> {
    fn set(
        &mut self,
        options: &Resource<PerfEventOptions>,
        set: impl FnOnce(&mut PerfEventOptions),
    ) -> wasmtime::Result<()> {
        set(self.table.get_mut(options)?);
        Ok(())
    }
}

impl HostPerfEventOptions for WasmBpfCtxView<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<PerfEventOptions>> {
        Ok(self.table.push(PerfEventOptions::default())?)
    }

    fn set_process(&mut self, this: Resource<PerfEventOptions>, id: u32) -> wasmtime::Result<()> {
        self.set(&this, |options| options.process = Some(id))
    }

    fn set_cpu(&mut self, this: Resource<PerfEventOptions>, cpu: u32) -> wasmtime::Result<()> {
        self.set(&this, |options| options.cpu = Some(cpu))
    }

    fn set_sample_period(
        &mut self,
        this: Resource<PerfEventOptions>,
        period: u64,
    ) -> wasmtime::Result<()> {
        self.set(&this, |options| options.period = period)
    }

    fn set_sample_frequency(
        &mut self,
        this: Resource<PerfEventOptions>,
        frequency: u64,
    ) -> wasmtime::Result<()> {
        self.set(&this, |options| options.frequency = frequency)
    }

    fn set_disabled(&mut self, this: Resource<PerfEventOptions>, on: bool) -> wasmtime::Result<()> {
        self.set(&this, |options| options.disabled = on)
    }

    fn set_inherit(&mut self, this: Resource<PerfEventOptions>, on: bool) -> wasmtime::Result<()> {
        self.set(&this, |options| options.inherit = on)
    }

    fn set_exclude_user(
        &mut self,
        this: Resource<PerfEventOptions>,
        on: bool,
    ) -> wasmtime::Result<()> {
        self.set(&this, |options| options.exclude_user = on)
    }

    fn set_exclude_kernel(
        &mut self,
        this: Resource<PerfEventOptions>,
        on: bool,
    ) -> wasmtime::Result<()> {
        self.set(&this, |options| options.exclude_kernel = on)
    }

    fn set_exclude_hypervisor(
        &mut self,
        this: Resource<PerfEventOptions>,
        on: bool,
    ) -> wasmtime::Result<()> {
        self.set(&this, |options| options.exclude_hypervisor = on)
    }

    fn set_exclude_idle(
        &mut self,
        this: Resource<PerfEventOptions>,
        on: bool,
    ) -> wasmtime::Result<()> {
        self.set(&this, |options| options.exclude_idle = on)
    }

    fn set_exclude_host(
        &mut self,
        this: Resource<PerfEventOptions>,
        on: bool,
    ) -> wasmtime::Result<()> {
        self.set(&this, |options| options.exclude_host = on)
    }

    fn set_exclude_guest(
        &mut self,
        this: Resource<PerfEventOptions>,
        on: bool,
    ) -> wasmtime::Result<()> {
        self.set(&this, |options| options.exclude_guest = on)
    }

    fn set_precision(
        &mut self,
        this: Resource<PerfEventOptions>,
        precision: u8,
    ) -> wasmtime::Result<()> {
        self.set(&this, |options| options.precision = precision)
    }

    fn set_sample_type(
        &mut self,
        this: Resource<PerfEventOptions>,
        sample_type: u64,
    ) -> wasmtime::Result<()> {
        self.set(&this, |options| options.sample_type = sample_type)
    }

    fn set_branch_sample_type(
        &mut self,
        this: Resource<PerfEventOptions>,
        sample_type: u64,
    ) -> wasmtime::Result<()> {
        self.set(&this, |options| options.branch_sample_type = sample_type)
    }

    fn set_more_config(
        &mut self,
        this: Resource<PerfEventOptions>,
        config1: u64,
        config2: u64,
    ) -> wasmtime::Result<()> {
        self.set(&this, |options| options.more_config = [config1, config2])
    }

    fn drop(&mut self, this: Resource<PerfEventOptions>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl HostPerfEvent for WasmBpfCtxView<'_> {
    fn open(
        &mut self,
        kind: PerfEventType,
        options: Resource<PerfEventOptions>,
    ) -> FailureResult<Resource<PerfEvent>> {
        let options = *self.table.get(&options)?;
        let event = PerfEvent::open(self.ctx, &kind, &options)?;
        Ok(self.table.push(event)?)
    }

    fn enable(&mut self, event: Resource<PerfEvent>) -> CodeResult<()> {
        Ok(self.table.get(&event)?.enable()?)
    }

    fn disable(&mut self, event: Resource<PerfEvent>) -> CodeResult<()> {
        Ok(self.table.get(&event)?.disable()?)
    }

    fn reset(&mut self, event: Resource<PerfEvent>) -> CodeResult<()> {
        Ok(self.table.get(&event)?.control(RESET, 0)?)
    }

    fn read(&mut self, event: Resource<PerfEvent>) -> CodeResult<Count> {
        Ok(self.table.get(&event)?.count()?)
    }

    fn store_in(
        &mut self,
        event: Resource<PerfEvent>,
        map: Resource<Map>,
        key: Vec<u8>,
        mode: UpdateMode,
    ) -> CodeResult<()> {
        let event = self.table.get(&event)?;
        let map = self.table.get(&map)?;
        map.store_event(&key, event, mode)?;
        self.ctx.pins.stored_in(map);
        Ok(())
    }

    fn drop(&mut self, event: Resource<PerfEvent>) -> wasmtime::Result<()> {
        self.table.delete(event)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::perf_events::UnitEvent;

    fn code<T>(result: FailureResult<T>) -> ErrorCode {
        match result {
            Err(Failure::Error(error)) => error.code,
            _ => panic!("no error"),
        }
    }

    #[test]
    fn the_host_itself_is_no_process_to_name() {
        let of = |process, cpu| {
            target(&PerfEventOptions {
                process,
                cpu,
                ..Default::default()
            })
        };
        assert_eq!(of(Some(7), None).unwrap(), (7, -1));
        assert_eq!(of(None, Some(0)).unwrap(), (-1, 0));
        for (process, cpu) in [
            (None, None),
            (Some(0), None),
            (Some(0), Some(0)),
            (Some(u32::MAX), Some(0)),
            (None, Some(u32::MAX)),
            (None, Some(1 << 20)),
        ] {
            of(process, cpu).unwrap_err();
        }
    }

    #[test]
    fn units_of_probes_are_refused() {
        let open = |unit: &str| {
            set_kind(
                &mut attributes(&PerfEventOptions::default()),
                &PerfEventType::Unit(UnitEvent {
                    unit: unit.to_owned(),
                    config: 0,
                }),
            )
        };
        for probe in PROBES {
            assert!(matches!(code(open(probe)), ErrorCode::NotSupported));
        }
        for forged in ["", "..", "../../x", "kprobe/", "./uprobe", "a\0b"] {
            assert!(matches!(code(open(forged)), ErrorCode::InvalidArgument));
        }
        assert!(matches!(code(open("no-such-unit")), ErrorCode::NotFound));
    }

    #[test]
    fn numbers_of_caches_are_packed() {
        let event = CacheEvent {
            cache: Cache::LastLevel,
            operation: CacheOperation::Write,
            result: CacheResult::Miss,
        };
        assert_eq!(cache(event), 0x1_01_02);
    }

    #[test]
    fn names_are_those_of_the_wit() {
        assert_eq!(kebab(&SoftwareEvent::CpuClock), "cpu-clock");
    }
}
