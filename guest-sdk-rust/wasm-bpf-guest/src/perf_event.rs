//! Perf events.

use crate::bindings::perf_events;
use crate::error::{Error, Result, words};

/// Kinds of event, and what an event has counted.
pub use crate::bindings::perf_events::{
    BreakpointAccess, BreakpointEvent, Cache, CacheEvent, CacheOperation, CacheResult, Count,
    HardwareEvent, PerfEventType, SoftwareEvent, TracepointEvent, UnitEvent,
};

/// What an event is opened with: the fields of `struct perf_event_attr` that matter for programs.
///
/// ```no_run
/// use wasm_bpf_guest::{PerfEvent, PerfEventOptions, Program, SoftwareEvent};
///
/// # fn run(program: Program) -> wasm_bpf_guest::Result<()> {
/// let options = PerfEventOptions::new().cpu(0).sample_frequency(49);
/// let event = PerfEvent::open(SoftwareEvent::CpuClock, &options)?;
/// let link = program.attach_perf_event(&event)?;
/// # Ok(())
/// # }
/// # let _ = run;
/// ```
pub struct PerfEventOptions {
    handle: perf_events::PerfEventOptions,
}

impl Default for PerfEventOptions {
    fn default() -> Self {
        Self::new()
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) = $set:ident;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(self, $($argument: $type),*) -> Self {
                self.handle.$set($($argument),*);
                self
            }
        )*
    };
}

impl PerfEventOptions {
    /// Options without a process, a CPU, a period or anything that is left out.
    pub fn new() -> Self {
        Self {
            handle: perf_events::PerfEventOptions::new(),
        }
    }

    setters! {
        /// Only the thread with this ID; of a process the first one.
        process(id: u32) = set_process;
        /// Only this CPU.
        cpu(cpu: u32) = set_cpu;
        /// A sample each so many events.
        sample_period(period: u64) = set_sample_period;
        /// So many samples a second.
        sample_frequency(frequency: u64) = set_sample_frequency;
        /// Whether it waits for [`PerfEvent::enable`], or for a program.
        disabled(on: bool) = set_disabled;
        /// Whether it goes for threads and processes too that the thread will start.
        inherit(on: bool) = set_inherit;
        /// Whether the time in user space is left out.
        exclude_user(on: bool) = set_exclude_user;
        /// Whether the time in the kernel is left out.
        exclude_kernel(on: bool) = set_exclude_kernel;
        /// Whether the time in a hypervisor is left out.
        exclude_hypervisor(on: bool) = set_exclude_hypervisor;
        /// Whether the time in which a CPU has nothing to do is left out.
        exclude_idle(on: bool) = set_exclude_idle;
        /// Whether the time as the host of virtual machines is left out.
        exclude_host(on: bool) = set_exclude_host;
        /// Whether the time in virtual machines is left out.
        exclude_guest(on: bool) = set_exclude_guest;
        /// How near to the event a sample's address has to be: 0 to 3. (`precise_ip`)
        precision(precision: u8) = set_precision;
        /// What the hardware records with a sample: PERF_SAMPLE_*.
        sample_type(sample_type: u64) = set_sample_type;
        /// Which branches it records: PERF_SAMPLE_BRANCH_*.
        branch_sample_type(sample_type: u64) = set_branch_sample_type;
        /// More about the event, where its unit takes more. (`config1`, `config2`)
        more_config(config1: u64, config2: u64) = set_more_config;
    }
}

impl From<HardwareEvent> for PerfEventType {
    fn from(event: HardwareEvent) -> Self {
        Self::Hardware(event)
    }
}

impl From<SoftwareEvent> for PerfEventType {
    fn from(event: SoftwareEvent) -> Self {
        Self::Software(event)
    }
}

impl From<CacheEvent> for PerfEventType {
    fn from(event: CacheEvent) -> Self {
        Self::Cache(event)
    }
}

impl From<TracepointEvent> for PerfEventType {
    fn from(event: TracepointEvent) -> Self {
        Self::Tracepoint(event)
    }
}

impl From<BreakpointEvent> for PerfEventType {
    fn from(event: BreakpointEvent) -> Self {
        Self::Breakpoint(event)
    }
}

impl From<UnitEvent> for PerfEventType {
    fn from(event: UnitEvent) -> Self {
        Self::Unit(event)
    }
}

/// An event that the kernel counts or samples. It ends when this, its links, and the maps that it is stored in are gone.
pub struct PerfEvent {
    handle: perf_events::PerfEvent,
}

impl PerfEvent {
    /// Begins with an event, on one CPU or of one thread.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if no unit of the machine counts it, as is usual for hardware events in virtual machines.
    pub fn open(event: impl Into<PerfEventType>, options: &PerfEventOptions) -> Result<Self> {
        let handle = perf_events::PerfEvent::open(&event.into(), &options.handle)?;
        Ok(Self { handle })
    }

    pub(crate) fn handle(&self) -> &perf_events::PerfEvent {
        &self.handle
    }

    /// Begins to count, or goes on.
    pub fn enable(&self) -> Result<()> {
        self.handle.enable().map_err(|code| failed("enable", code))
    }

    /// Counts no more, for the time being.
    pub fn disable(&self) -> Result<()> {
        let disabled = self.handle.disable();
        disabled.map_err(|code| failed("disable", code))
    }

    /// Sets the count to 0.
    pub fn reset(&self) -> Result<()> {
        self.handle.reset().map_err(|code| failed("reset", code))
    }

    /// What was counted up to now.
    pub fn read(&self) -> Result<Count> {
        self.handle.read().map_err(|code| failed("read", code))
    }
}

fn failed(what: &str, code: crate::ErrorKind) -> Error {
    Error::of_code(code, format!("cannot {what} a perf event: {}", words(code)))
}
