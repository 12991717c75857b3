//! Programs.

use std::io::{self, Read};
use std::path::Path;

use crate::bindings::{programs, query};
use crate::error::{Error, ErrorKind, Result, words};
use crate::link::text;
use crate::{Descriptor, IterOpts, Link, MapCore, MapIterOpts, PerfEvent, Placement, Socket};

/// Kinds of program.
pub use crate::bindings::types::ProgramType;

/// What is known of a loaded program.
pub use crate::bindings::programs::ProgramInfo;

/// How often a program ran, and what an ELF section says of the program in it.
pub use crate::bindings::programs::{ProgramStatistics, SectionKind};

/// A program of a loaded object.
pub struct Program {
    handle: Option<programs::Program>,
    name: String,
}

impl Program {
    pub(crate) fn new(handle: programs::Program, name: &str) -> Self {
        Self {
            handle: Some(handle),
            name: name.to_owned(),
        }
    }

    /// The program of an id; the host must have been given the grants `query` and `query-change`.
    pub fn from_prog_id(id: u32) -> Result<Self> {
        let handle = query::open_program(id)?;
        let name = handle.info().map(|info| info.name).unwrap_or_default();
        Ok(Self::new(handle, &name))
    }

    pub(crate) fn absent(name: &str) -> Self {
        Self {
            handle: None,
            name: name.to_owned(),
        }
    }

    pub(crate) fn handle(&self) -> Result<&programs::Program> {
        self.handle.as_ref().ok_or_else(|| {
            Error::of_code(
                ErrorKind::NotFound,
                format!(
                    "the program `{}` was not loaded: autoload was switched off",
                    self.name
                ),
            )
        })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the program was not loaded. Its functions fail with [`ErrorKind::NotFound`] then.
    pub fn is_absent(&self) -> bool {
        self.handle.is_none()
    }

    /// What is known of the program.
    pub fn info(&self) -> Result<ProgramInfo> {
        self.handle()?.info().map_err(|code| {
            let text = format!(
                "cannot ask about the program `{}`: {}",
                self.name,
                words(code)
            );
            Error::of_code(code, text)
        })
    }

    /// Attaches where the ELF section says.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::NotSupported`] if the section names no target; [`auto_attach`](Self::auto_attach) tells that apart.
    pub fn attach(&self) -> Result<Link> {
        self.auto_attach()?.ok_or_else(|| {
            Error::of_code(
                ErrorKind::NotSupported,
                format!("cannot attach `{}`: its section names no target", self.name),
            )
        })
    }

    /// Attaches where the ELF section says; none if it names no target.
    pub fn auto_attach(&self) -> Result<Option<Link>> {
        Ok(self.handle()?.attach()?.map(Link::new))
    }

    /// Attaches to a static tracepoint, such as `sched`, `sched_process_exec`.
    pub fn attach_tracepoint(
        &self,
        category: impl AsRef<str>,
        name: impl AsRef<str>,
    ) -> Result<Link> {
        self.attach_tracepoint_with_opts(category, name, TracepointOpts::default())
    }

    /// Attaches to a static tracepoint.
    pub fn attach_tracepoint_with_opts(
        &self,
        category: impl AsRef<str>,
        name: impl AsRef<str>,
        opts: TracepointOpts,
    ) -> Result<Link> {
        let link =
            self.handle()?
                .attach_tracepoint(category.as_ref(), name.as_ref(), opts.cookie)?;
        Ok(Link::new(link))
    }

    /// Attaches to a tracepoint by its bare name, such as `sched_switch`.
    pub fn attach_raw_tracepoint(&self, name: impl AsRef<str>) -> Result<Link> {
        self.attach_raw_tracepoint_with_opts(name, RawTracepointOpts::default())
    }

    /// Attaches to a tracepoint by its bare name.
    pub fn attach_raw_tracepoint_with_opts(
        &self,
        name: impl AsRef<str>,
        opts: RawTracepointOpts,
    ) -> Result<Link> {
        Ok(Link::new(
            self.handle()?
                .attach_raw_tracepoint(name.as_ref(), opts.cookie)?,
        ))
    }

    /// Attaches to a perf event that is sampled, or to one of a tracepoint. The event begins to count; its handle may be dropped.
    pub fn attach_perf_event(&self, event: &PerfEvent) -> Result<Link> {
        self.attach_perf_event_with_opts(event, PerfEventOpts::default())
    }

    /// Attaches to a perf event.
    pub fn attach_perf_event_with_opts(
        &self,
        event: &PerfEvent,
        opts: PerfEventOpts,
    ) -> Result<Link> {
        let handle = self.handle()?;
        Ok(Link::new(
            handle.attach_perf_event(event.handle(), opts.cookie)?,
        ))
    }

    /// Attaches a tracing program to the target that was fixed at load: `tp_btf`, `fentry`, `fexit`, `fsession`, `fmod_ret`.
    pub fn attach_trace(&self) -> Result<Link> {
        self.attach_trace_with_opts(TraceOpts::default())
    }

    /// Attaches a tracing program to the target that was fixed at load.
    pub fn attach_trace_with_opts(&self, opts: TraceOpts) -> Result<Link> {
        Ok(Link::new(self.handle()?.attach_trace(opts.cookie)?))
    }

    /// Attaches an LSM program to its security hook.
    pub fn attach_lsm(&self) -> Result<Link> {
        Ok(Link::new(self.handle()?.attach_lsm()?))
    }

    /// Attaches an extension (`freplace`) in place of a global function of another program. [`attach`](Self::attach) takes the one of
    /// [`OpenProgram::set_attach_program`](crate::OpenProgram::set_attach_program).
    pub fn attach_freplace(&self, target: &Program, function: impl AsRef<str>) -> Result<Link> {
        let target = target.handle()?;
        let link = self.handle()?.attach_freplace(target, function.as_ref())?;
        Ok(Link::new(link))
    }

    /// Attaches an iterator over the elements of a map. [`Iter`](crate::Iter) reads it.
    pub fn attach_iter(&self, map: &dyn MapCore) -> Result<Link> {
        self.attach_iter_with_opts(IterOpts::Map(MapIterOpts::from_map(map)))
    }

    /// Attaches an iterator. [`Iter`](crate::Iter) reads it.
    pub fn attach_iter_with_opts(&self, opts: IterOpts<'_>) -> Result<Link> {
        let options = opts.make()?;
        Ok(Link::new(self.handle()?.attach_iterator(&options)?))
    }

    /// The program that is pinned at a path. Its name is the kernel's, 15 characters at most.
    pub fn from_pinned_path(path: impl AsRef<Path>) -> Result<Self> {
        Self::of_handle(programs::Program::open_pinned(text(path.as_ref())?)?)
    }

    pub(crate) fn of_handle(handle: programs::Program) -> Result<Self> {
        let info = handle.info().map_err(|code| {
            Error::of_code(code, format!("cannot ask about a program: {}", words(code)))
        })?;
        Ok(Self::new(handle, &info.name))
    }

    /// Gives the program a name in a BPF file system: it stays in the kernel as long as the name.
    pub fn pin(&self, path: impl AsRef<Path>) -> Result<()> {
        Ok(self.handle()?.pin(text(path.as_ref())?)?)
    }

    /// Takes the name away.
    pub fn unpin(&self, path: impl AsRef<Path>) -> Result<()> {
        Ok(self.handle()?.unpin(text(path.as_ref())?)?)
    }

    /// How often the program ran and how long, as far as statistics were [enabled](Statistics::enable).
    pub fn statistics(&self) -> Result<ProgramStatistics> {
        self.handle()?.statistics().map_err(|code| {
            let text = format!(
                "cannot ask how often the program `{}` ran: {}",
                self.name,
                words(code)
            );
            Error::of_code(code, text)
        })
    }

    /// Runs the program now, on data and a context of one's own making.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::NoSpace`] if an answer is longer than the slice for it, with [`ErrorKind::Interrupted`] if a stop was asked for.
    pub fn test_run<'dat>(&self, input: ProgramInput<'dat>) -> Result<ProgramOutput<'dat>> {
        const ON_CPU: u32 = 1;
        const LIVE_FRAMES: u32 = 2;
        const CHECKSUM_COMPLETE: u32 = 4;
        let ProgramInput {
            context_in,
            context_out,
            data_in,
            data_out,
            cpu,
            flags,
            repeat,
            batch_size,
        } = input;
        if flags & !(ON_CPU | LIVE_FRAMES | CHECKSUM_COMPLETE) != 0 {
            let text = format!("cannot run `{}`: unknown flags {flags:#x}", self.name);
            return Err(Error::of_code(ErrorKind::InvalidArgument, text));
        }
        let options = programs::TestOptions::new();
        if let Some(data) = data_in {
            options.set_data(data)?;
        }
        if let Some(room) = &data_out {
            options.set_data_room(length(room))?;
        }
        if let Some(context) = &context_in {
            options.set_context(context)?;
        }
        if let Some(room) = &context_out {
            options.set_context_room(length(room))?;
        }
        options.set_repeat(repeat);
        options.set_batch_size(batch_size);
        options.set_live_frames(flags & LIVE_FRAMES != 0);
        options.set_checksum_complete(flags & CHECKSUM_COMPLETE != 0);
        if flags & ON_CPU != 0 {
            options.set_cpu(cpu);
        }
        let output = self.handle()?.test_run(&options)?;
        // `syscall` programs write to the context that they were given.
        let context = match context_out {
            Some(room) => filled(room, &output.context),
            None if !output.context.is_empty() => {
                context_in.and_then(|context| filled(context, &output.context))
            }
            None => None,
        };
        Ok(ProgramOutput {
            return_value: output.return_value,
            context,
            data: data_out.and_then(|room| filled(room, &output.data)),
            duration: std::time::Duration::from_nanos(output.duration_ns.into()),
        })
    }

    /// What the program printed with bpf_stream_vprintk. Kernel 6.17.
    pub fn stdout(&self) -> impl Read + '_ {
        Stream {
            program: self,
            stream: programs::ProgramStream::StandardOutput,
        }
    }

    /// What the program printed to its other stream, and what the kernel says of its faults. Kernel 6.17.
    pub fn stderr(&self) -> impl Read + '_ {
        Stream {
            program: self,
            stream: programs::ProgramStream::StandardError,
        }
    }
}

fn length(room: &[u8]) -> u32 {
    u32::try_from(room.len()).unwrap_or(u32::MAX)
}

/// The part of `room` that holds `bytes` now.
fn filled<'room>(room: &'room mut [u8], bytes: &[u8]) -> Option<&'room mut [u8]> {
    let part = room.get_mut(..bytes.len())?;
    part.copy_from_slice(bytes);
    Some(part)
}

/// A stream of a program; at its end there is nothing at the moment.
struct Stream<'prog> {
    program: &'prog Program,
    stream: programs::ProgramStream,
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let handle = self.program.handle().map_err(io::Error::other)?;
        let bytes = handle
            .read_stream(self.stream, length(buffer))
            .map_err(|code| {
                let text = format!(
                    "cannot read a stream of `{}`: {}",
                    self.program.name,
                    words(code)
                );
                io::Error::other(Error::of_code(code, text))
            })?;
        // As many as were asked for, at most.
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

/// What [`Program::test_run`] gives the program, and where it puts the answers.
#[derive(Debug, Default)]
pub struct ProgramInput<'dat> {
    /// The context: the struct of the program's kind as it is for programs, or arguments. Mutable since `syscall` programs write to it.
    pub context_in: Option<&'dat mut [u8]>,
    /// Where the context goes after the run.
    pub context_out: Option<&'dat mut [u8]>,
    /// The data, such as a packet.
    pub data_in: Option<&'dat [u8]>,
    /// Where the data goes after the run.
    pub data_out: Option<&'dat mut [u8]>,
    /// On which CPU, with the flag BPF_F_TEST_RUN_ON_CPU.
    pub cpu: u32,
    /// Flags of BPF_PROG_TEST_RUN.
    pub flags: u32,
    /// How often the program runs; 0 is 1.
    pub repeat: u32,
    /// How many packets at a time, with the flag BPF_F_TEST_XDP_LIVE_FRAMES; 0 for the kernel's choice.
    pub batch_size: u32,
}

/// What a test run gave.
#[derive(Debug)]
pub struct ProgramOutput<'dat> {
    /// What the program returned, the last time that it ran.
    pub return_value: u32,
    /// The context after the run, if there was a place for it.
    pub context: Option<&'dat mut [u8]>,
    /// The data after the run, if there was a place for it.
    pub data: Option<&'dat mut [u8]>,
    /// Of one run, on average.
    pub duration: std::time::Duration,
}

/// Loads a program from instructions.
///
/// ```no_run
/// use wasm_bpf_guest::{ProgramBuilder, ProgramType};
///
/// # fn run() -> wasm_bpf_guest::Result<()> {
/// // r0 = 0; exit
/// let instructions = [[0xb7u8, 0, 0, 0, 0, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]];
/// let program = ProgramBuilder::new(ProgramType::RawTracepoint)
///     .name("nothing")?
///     .license("GPL")?
///     .load(instructions.as_flattened())?;
/// let _link = program.attach_raw_tracepoint("sched_switch")?;
/// # Ok(())
/// # }
/// ```
pub struct ProgramBuilder {
    kind: ProgramType,
    options: programs::LoadOptions,
}

impl ProgramBuilder {
    /// A program of this kind, without name, license and maps.
    pub fn new(kind: ProgramType) -> Self {
        Self {
            kind,
            options: programs::LoadOptions::new(),
        }
    }

    /// Its name: 15 letters, digits, `_` and `.` at most.
    pub fn name(self, name: &str) -> Result<Self> {
        self.options.set_name(name)?;
        Ok(self)
    }

    /// Its license. Many helpers are for programs only whose license is compatible with the GPL.
    pub fn license(self, license: &str) -> Result<Self> {
        self.options.set_license(license)?;
        Ok(self)
    }

    /// The kernel's number of what it is to be attached as (`enum bpf_attach_type`).
    pub fn expected_attach_type(self, number: u32) -> Self {
        self.options.set_expected_attach_type(number);
        self
    }

    /// Flags of BPF_PROG_LOAD.
    pub fn flags(self, flags: u32) -> Self {
        self.options.set_flags(flags);
        self
    }

    /// The kernel's function, tracepoint or hook that a `tracing` or `lsm` program is for.
    pub fn attach_target(self, name: &str) -> Result<Self> {
        self.options.set_attach_target(name)?;
        Ok(self)
    }

    /// What the verifier's log has: 0 to 7.
    pub fn verifier_log_level(self, level: u32) -> Result<Self> {
        self.options.set_verifier_log_level(level)?;
        Ok(self)
    }

    /// Adds a map. Instructions refer to it by the number of those that were added before it (BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE).
    pub fn map(self, map: &impl crate::MapCore) -> Result<Self> {
        self.options.add_map(map.handle()?)?;
        Ok(self)
    }

    /// Loads it: instructions of 8 bytes, in the byte order of the machine.
    pub fn load(self, instructions: &[u8]) -> Result<Program> {
        let handle = programs::Program::load(self.kind, &self.options, instructions)?;
        Program::of_handle(handle)
    }
}

/// Keeps the kernel measuring how long programs run, until it is dropped.
#[must_use = "dropping it has the kernel stop measuring"]
pub struct Statistics {
    _handle: programs::Statistics,
}

impl Statistics {
    /// Has the kernel measure the runs of all programs in it. The operator has to have granted `statistics`.
    pub fn enable() -> Result<Self> {
        Ok(Self {
            _handle: programs::Statistics::enable()?,
        })
    }
}

/// What libbpf makes of a program in an ELF section of this name, such as `kprobe/do_unlinkat`.
pub fn kind_of_section(section: &str) -> Option<SectionKind> {
    programs::kind_of_section(section)
}

/// How a tracing program is attached.
#[derive(Debug, Clone, Copy, Default)]
pub struct TraceOpts {
    /// Read by the program with bpf_get_attach_cookie; 0 for none. Kernel 5.19, for BTF tracepoints 6.10.
    pub cookie: u64,
}

impl Program {
    /// Attaches to a cgroup of version 2: a folder that [`open_descriptor`](crate::open_descriptor) opens.
    pub fn attach_cgroup(&self, cgroup: &Descriptor) -> Result<Link> {
        self.attach_cgroup_with_opts(cgroup, CgroupOpts::default())
    }

    /// Attaches to a cgroup of version 2.
    pub fn attach_cgroup_with_opts(
        &self,
        cgroup: &Descriptor,
        opts: CgroupOpts<'_>,
    ) -> Result<Link> {
        let options = programs::CgroupOptions::new();
        if let Some(attach_type) = opts.attach_type {
            options.set_attach_type(attach_type);
        }
        if let Some(sharing) = opts.sharing {
            options.set_sharing(sharing);
        }
        if let Some(placement) = opts.placement {
            options.set_placement(placement.handle());
        }
        if let Some(replaced) = opts.replaced {
            options.set_replaced(replaced.handle()?);
        }
        let link = self.handle()?.attach_cgroup(cgroup, Some(&options))?;
        Ok(Link::new(link))
    }

    /// Attaches to a socket as its filter, in place of the one that is there.
    pub fn attach_socket_filter(&self, socket: &Socket) -> Result<Link> {
        let link = self.handle()?.attach_socket_filter(socket.handle())?;
        Ok(Link::new(link))
    }

    /// Attaches to the sockets that share the address and port of this one.
    pub fn attach_reuseport(&self, socket: &Socket) -> Result<Link> {
        let link = self.handle()?.attach_reuseport(socket.handle())?;
        Ok(Link::new(link))
    }

    /// Attaches to a `sockmap` or `sockhash`, for what the program was loaded for.
    pub fn attach_sockmap(&self, map: &dyn MapCore) -> Result<Link> {
        let link = self.handle()?.attach_sockmap(map.handle()?, None)?;
        Ok(Link::new(link))
    }

    /// Attaches to a `sockmap` or `sockhash`, for the kernel's number of an attach type.
    pub fn attach_sockmap_as(&self, map: &dyn MapCore, attach_type: u32) -> Result<Link> {
        let link = self
            .handle()?
            .attach_sockmap(map.handle()?, Some(attach_type))?;
        Ok(Link::new(link))
    }
}

/// What a program on a cgroup lets others do.
pub use crate::bindings::programs::CgroupSharing;

/// How a program is attached to a cgroup. The default is a link, where the program was loaded for.
#[derive(Clone, Copy, Default)]
pub struct CgroupOpts<'p> {
    /// Another place than the program was loaded for: the kernel's number of an attach type.
    pub attach_type: Option<u32>,
    /// Without a link of the kernel, as bpf_prog_attach does with these flags.
    pub sharing: Option<CgroupSharing>,
    /// Where among the programs of the cgroup it is put. Kernel 6.17.
    pub placement: Option<&'p Placement>,
    /// The program whose place is taken, without a gap; with `sharing` only.
    pub replaced: Option<&'p Program>,
}

/// How a program is attached to a tracepoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct TracepointOpts {
    /// Read by the program with bpf_get_attach_cookie; 0 for none. Kernel 5.15.
    pub cookie: u64,
}

/// How a program is attached to a raw tracepoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawTracepointOpts {
    /// Read by the program with bpf_get_attach_cookie; 0 for none. Kernel 6.10.
    pub cookie: u64,
}

/// How a program is attached to a perf event.
#[derive(Debug, Clone, Copy, Default)]
pub struct PerfEventOpts {
    /// Read by the program with bpf_get_attach_cookie; 0 for none. Kernel 5.15.
    pub cookie: u64,
}
