//! `programs.wit`.

mod binary;
pub(crate) mod cgroup;
mod filters;
pub(crate) mod info;
mod iterators;
mod kprobe;
mod load;
mod network;
mod perf_event;
mod pins;
mod placement;
mod probe;
mod raw;
mod replace;
mod sockets;
pub(crate) mod tc;
mod test_run;
mod trace;
mod uprobe;
mod usdt;

use std::ffi::CString;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;

pub use self::cgroup::CgroupOptions;
pub use self::info::Statistics;
pub use self::iterators::IteratorOptions;
pub use self::load::LoadOptions;
pub use self::test_run::TestOptions;
use crate::bindings::maps::UpdateMode;
use crate::bindings::programs::{
    Direction, Host, HostProgram, ProbeTargets, ProgramInfo, ProgramStatistics, ProgramStream,
    SectionKind, TestOutput, XdpMode,
};
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{CodeResult, Errno, Failure, FailureResult};
use crate::links::{Attachment, Link};
use crate::maps::{self, Map};
use crate::messages;
use crate::objects::{LoadedObject, LoadedProgram};
use crate::perf_events::PerfEvent;
use crate::policy::{Need, Reservation};
use crate::sockets::Socket;
pub use placement::Placement;

pub use probe::ProbeOptions;
pub(crate) use usdt::SpecIds;

/// A program in the kernel. Links hold one too: what it takes stays for as long as it is attached.
#[derive(Clone)]
pub struct Program(Kept);

#[derive(Clone)]
enum Kept {
    OfObject {
        object: Arc<LoadedObject>,
        /// Index among the object's loaded programs.
        index: usize,
    },
    Alone(Arc<LoadedProgram>),
}

impl Program {
    pub(crate) fn of_object(object: Arc<LoadedObject>, index: usize) -> Self {
        Self(Kept::OfObject { object, index })
    }

    /// A program that no object declares.
    pub(crate) fn alone(program: LoadedProgram) -> Self {
        Self(Kept::Alone(Arc::new(program)))
    }

    pub(crate) fn loaded(&self) -> &LoadedProgram {
        match &self.0 {
            Kept::OfObject { object, index } => &object.programs[*index],
            Kept::Alone(program) => program,
        }
    }

    /// Its object, which is locked while libbpf writes to it.
    pub(crate) fn object(&self) -> Option<&Arc<LoadedObject>> {
        match &self.0 {
            Kept::OfObject { object, .. } => Some(object),
            Kept::Alone(_) => None,
        }
    }
}

impl Host for WasmBpfCtxView<'_> {
    fn kind_of_section(&mut self, section: String) -> wasmtime::Result<Option<SectionKind>> {
        Ok(info::kind_of_section(&section))
    }
}

impl HostProgram for WasmBpfCtxView<'_> {
    fn info(&mut self, program: Resource<Program>) -> CodeResult<ProgramInfo> {
        info::info(self.table.get(&program)?.loaded())
    }

    fn attach(&mut self, program: Resource<Program>) -> FailureResult<Option<Resource<Link>>> {
        let loaded = self.table.get(&program)?.loaded();
        let check = self.check_section(loaded);
        check.map_err(|failure| failure.about(&loaded.name))?;
        if loaded.pointer().is_none() {
            // Without a section there is only what the program was loaded for.
            return match loaded.kind {
                ProgramType::Tracing | ProgramType::Lsm => {
                    let to = "to what it was loaded for";
                    self.attach_raw(&program, None, 0, to).map(Some)
                }
                _ => Ok(None),
            };
        }
        if let Some(link) = self.attach_to_file_of_section(&program)? {
            return Ok(Some(link));
        }
        let loaded = self.table.get(&program)?.loaded();
        let to = format!("where its section `{}` says", loaded.section);
        self.attach_with(&program, &to, |program| {
            // SAFETY: the program belongs to a live object.
            unsafe { libbpf_sys::bpf_program__attach(program.as_ptr()) }
        })
    }

    fn attach_tracepoint(
        &mut self,
        program: Resource<Program>,
        category: String,
        name: String,
        cookie: u64,
    ) -> FailureResult<Resource<Link>> {
        let to = format!("to the tracepoint {category}/{name}");
        self.demand_kind(&program, &[ProgramType::Tracepoint], &to)?;
        let about = self.about(&program)?;
        let category = tracefs_name(&category).map_err(&about)?;
        let name = tracefs_name(&name).map_err(&about)?;
        let options = libbpf_sys::bpf_tracepoint_opts {
            sz: size_of::<libbpf_sys::bpf_tracepoint_opts>() as _,
            bpf_cookie: cookie,
        };
        self.attach_with(&program, &to, |program| {
            // SAFETY: the program belongs to a live object; strings and options outlive the call.
            unsafe {
                libbpf_sys::bpf_program__attach_tracepoint_opts(
                    program.as_ptr(),
                    category.as_ptr(),
                    name.as_ptr(),
                    &raw const options,
                )
            }
        })?
        .ok_or_else(|| nothing_attached(&to))
    }

    fn attach_raw_tracepoint(
        &mut self,
        program: Resource<Program>,
        name: String,
        cookie: u64,
    ) -> FailureResult<Resource<Link>> {
        let to = format!("to the raw tracepoint {name}");
        let kinds = [
            ProgramType::RawTracepoint,
            ProgramType::RawTracepointWritable,
        ];
        self.demand_kind(&program, &kinds, &to)?;
        let about = self.about(&program)?;
        let name = tracefs_name(&name).map_err(about)?;
        self.attach_raw(&program, Some(&name), cookie, &to)
    }

    fn store_in(
        &mut self,
        program: Resource<Program>,
        map: Resource<Map>,
        key: Vec<u8>,
        mode: UpdateMode,
    ) -> CodeResult<()> {
        let program = self.table.get(&program)?.loaded();
        let map = self.table.get(&map)?;
        map.store_program(&key, program, mode)?;
        self.ctx.pins.stored_in(map);
        Ok(())
    }

    fn store_in_device(
        &mut self,
        program: Resource<Program>,
        map: Resource<Map>,
        key: Vec<u8>,
        network_interface: String,
        mode: UpdateMode,
    ) -> FailureResult<()> {
        let map = self.table.get(&map)?;
        let program = self.table.get(&program)?.loaded();
        let interface = &network_interface;
        maps::store_device(self.ctx, map, &key, interface, Some(program), mode)
    }

    fn store_in_cpu(
        &mut self,
        program: Resource<Program>,
        map: Resource<Map>,
        key: Vec<u8>,
        queue_size: u32,
        mode: UpdateMode,
    ) -> FailureResult<()> {
        let map = self.table.get(&map)?;
        let program = self.table.get(&program)?.loaded();
        maps::store_cpu(self.ctx, map, &key, queue_size, Some(program), mode)
    }

    fn attach_cgroup(
        &mut self,
        program: Resource<Program>,
        cgroup: Resource<Descriptor>,
        options: Option<Resource<CgroupOptions>>,
    ) -> FailureResult<Resource<Link>> {
        self.attach_to_cgroup(&program, &cgroup, options.as_ref())
    }

    fn attach_socket_filter(
        &mut self,
        program: Resource<Program>,
        socket: Resource<Socket>,
    ) -> FailureResult<Resource<Link>> {
        self.attach_to_socket(&program, &socket)
    }

    fn attach_reuseport(
        &mut self,
        program: Resource<Program>,
        socket: Resource<Socket>,
    ) -> FailureResult<Resource<Link>> {
        self.attach_to_shared_port(&program, &socket)
    }

    fn attach_sockmap(
        &mut self,
        program: Resource<Program>,
        map: Resource<Map>,
        attach_type: Option<u32>,
    ) -> FailureResult<Resource<Link>> {
        self.attach_to_sockmap(&program, &map, attach_type)
    }

    fn attach_trace(
        &mut self,
        program: Resource<Program>,
        cookie: u64,
    ) -> FailureResult<Resource<Link>> {
        trace::attach_trace(self, &program, cookie)
    }

    fn attach_lsm(&mut self, program: Resource<Program>) -> FailureResult<Resource<Link>> {
        trace::attach_lsm(self, &program)
    }

    fn attach_freplace(
        &mut self,
        program: Resource<Program>,
        target: Resource<Program>,
        function: String,
    ) -> FailureResult<Resource<Link>> {
        trace::attach_freplace(self, &program, &target, &function)
    }

    fn attach_iterator(
        &mut self,
        program: Resource<Program>,
        options: Resource<IteratorOptions>,
    ) -> FailureResult<Resource<Link>> {
        iterators::attach(self, &program, &options)
    }

    fn load(
        &mut self,
        kind: ProgramType,
        options: Resource<LoadOptions>,
        instructions: Vec<u8>,
    ) -> FailureResult<Resource<Program>> {
        let program = self.load_program(kind, &options, &instructions)?;
        Ok(self.table.push(program)?)
    }

    fn statistics(&mut self, program: Resource<Program>) -> CodeResult<ProgramStatistics> {
        info::statistics(self.table.get(&program)?.loaded())
    }

    fn test_run(
        &mut self,
        program: Resource<Program>,
        options: Resource<TestOptions>,
    ) -> FailureResult<TestOutput> {
        WasmBpfCtxView::test_run(self, &program, &options)
    }

    fn read_stream(
        &mut self,
        program: Resource<Program>,
        stream: ProgramStream,
        max: u32,
    ) -> CodeResult<Vec<u8>> {
        info::read_stream(self.table.get(&program)?.loaded(), stream, max)
    }

    fn replace_in(
        &mut self,
        program: Resource<Program>,
        link: Resource<Link>,
        expected: Option<Resource<Program>>,
    ) -> FailureResult<()> {
        self.replace_program(&program, &link, expected.as_ref())
    }

    fn pin(&mut self, program: Resource<Program>, path: String) -> FailureResult<()> {
        pins::pin(self.ctx, self.table.get(&program)?.loaded(), &path)
    }

    fn unpin(&mut self, program: Resource<Program>, path: String) -> FailureResult<()> {
        pins::unpin(self.ctx, self.table.get(&program)?.loaded(), &path)
    }

    fn open_pinned(&mut self, path: String) -> FailureResult<Resource<Program>> {
        let program = pins::open(self.ctx, &path)?;
        Ok(self.table.push(program)?)
    }

    fn attach_kprobe(
        &mut self,
        program: Resource<Program>,
        function: String,
        options: Resource<ProbeOptions>,
    ) -> FailureResult<Resource<Link>> {
        self.kprobe(program, &function, &options)
    }

    fn attach_kprobe_multi(
        &mut self,
        program: Resource<Program>,
        targets: ProbeTargets,
        options: Resource<ProbeOptions>,
    ) -> FailureResult<Resource<Link>> {
        self.kprobe_multi(program, targets, &options)
    }

    fn attach_ksyscall(
        &mut self,
        program: Resource<Program>,
        name: String,
        options: Resource<ProbeOptions>,
    ) -> FailureResult<Resource<Link>> {
        self.ksyscall(program, &name, &options)
    }

    fn attach_uprobe(
        &mut self,
        program: Resource<Program>,
        binary: Resource<Descriptor>,
        function: Option<String>,
        options: Resource<ProbeOptions>,
    ) -> FailureResult<Resource<Link>> {
        let target = self.opened_target(&binary)?;
        let options = self.probe_options(&options)?;
        self.uprobe(&program, &target, function.as_deref(), &options)
    }

    fn attach_uprobe_multi(
        &mut self,
        program: Resource<Program>,
        binary: Resource<Descriptor>,
        targets: ProbeTargets,
        options: Resource<ProbeOptions>,
    ) -> FailureResult<Resource<Link>> {
        let target = self.opened_target(&binary)?;
        let options = self.probe_options(&options)?;
        self.uprobe_multi(&program, &target, targets, &options)
    }

    fn attach_usdt(
        &mut self,
        program: Resource<Program>,
        binary: Resource<Descriptor>,
        provider: String,
        name: String,
        options: Resource<ProbeOptions>,
    ) -> FailureResult<Resource<Link>> {
        let target = self.opened_target(&binary)?;
        let options = self.probe_options(&options)?;
        self.usdt(&program, &target, &provider, &name, &options)
    }

    fn attach_xdp(
        &mut self,
        program: Resource<Program>,
        network_interface: String,
        mode: XdpMode,
    ) -> FailureResult<Resource<Link>> {
        network::attach_xdp(self, &program, &network_interface, mode)
    }

    fn attach_tc(
        &mut self,
        program: Resource<Program>,
        network_interface: String,
        direction: Direction,
        priority: u32,
        handle: u32,
    ) -> FailureResult<Resource<Link>> {
        network::attach_tc(
            self,
            &program,
            &network_interface,
            direction,
            priority,
            handle,
        )
    }

    fn attach_tcx(
        &mut self,
        program: Resource<Program>,
        network_interface: String,
        direction: Direction,
        placement: Option<Resource<Placement>>,
    ) -> FailureResult<Resource<Link>> {
        network::attach_tcx(
            self,
            &program,
            &network_interface,
            direction,
            placement.as_ref(),
        )
    }

    fn attach_netkit(
        &mut self,
        program: Resource<Program>,
        network_interface: String,
        peer: bool,
        placement: Option<Resource<Placement>>,
    ) -> FailureResult<Resource<Link>> {
        network::attach_netkit(self, &program, &network_interface, peer, placement.as_ref())
    }

    fn attach_netns(
        &mut self,
        program: Resource<Program>,
        netns: Option<Resource<Descriptor>>,
    ) -> FailureResult<Resource<Link>> {
        network::attach_netns(self, &program, netns.as_ref())
    }

    fn attach_netfilter(
        &mut self,
        program: Resource<Program>,
        protocol_family: u32,
        hook: u32,
        priority: i32,
        defragment: bool,
    ) -> FailureResult<Resource<Link>> {
        let at = network::NetfilterHook {
            protocol_family,
            hook,
            priority,
            defragment,
        };
        network::attach_netfilter(self, &program, at)
    }

    fn attach_perf_event(
        &mut self,
        program: Resource<Program>,
        event: Resource<PerfEvent>,
        cookie: u64,
    ) -> FailureResult<Resource<Link>> {
        let event = self.table.get(&event)?.clone();
        self.attach_to_perf_event(&program, event, cookie)
    }

    fn drop(&mut self, program: Resource<Program>) -> wasmtime::Result<()> {
        self.table.delete(program)?;
        Ok(())
    }
}

impl WasmBpfCtxView<'_> {
    /// Names the program in failures.
    fn about(
        &self,
        program: &Resource<Program>,
    ) -> FailureResult<impl Fn(Failure) -> Failure + use<>> {
        let name = self.table.get(program)?.loaded().name.clone();
        Ok(move |failure: Failure| failure.about(&name))
    }

    /// Before libbpf acts on what an ELF section says: files, names that become paths, patterns.
    fn check_section(&self, program: &LoadedProgram) -> FailureResult<()> {
        let LoadedProgram { name, section, .. } = program;
        let refuse = |code, why: &str| {
            let text = format!("cannot attach `{name}` where its section `{section}` says: {why}");
            Err(Failure::refused(code, text))
        };
        let Some((kind, target)) = section.split_once('/') else {
            return Ok(());
        };
        let kind = kind.strip_suffix(".s").unwrap_or(kind);
        match kind {
            "tp" | "tracepoint" => {
                if let Some((category, name)) = target.split_once('/') {
                    tracefs_name(category)?;
                    tracefs_name(name)?;
                }
            }
            "lsm" => trace::demand_lsm(name)?,
            _ => {}
        }
        if is_pattern(kind) && target.bytes().filter(|byte| *byte == b'*').count() > MAX_STARS {
            return refuse(
                ErrorCode::InvalidArgument,
                &format!("a pattern has {MAX_STARS} stars at most"),
            );
        }
        if let Some(path) = file_in_section(section) {
            if !path.starts_with('/') {
                return refuse(
                    ErrorCode::InvalidArgument,
                    &format!(
                        "it names the file `{path}` without a leading slash; name it by its absolute path"
                    ),
                );
            }
            self.ctx.policy.check_binary(name, path)?;
        }
        Ok(())
    }

    /// Room for one more link, and its descriptors.
    fn reserve_link(&self, program: &LoadedProgram) -> FailureResult<Reservation> {
        let need = Need {
            links: 1,
            descriptors: 2,
            ..Need::default()
        };
        self.ctx.usage.reserve(need).map_err(|limit| {
            let text = format!("cannot attach `{}`: {limit}", program.name);
            Failure::refused(ErrorCode::LimitExceeded, text).about(&program.name)
        })
    }

    /// Attaches through `call`, which returns libbpf's link or null with errno set; none if libbpf found nothing to attach. Only for what libbpf
    /// needs its own program for: others attach by descriptor, which programs that no object declares have too.
    fn attach_with(
        &mut self,
        program: &Resource<Program>,
        to: &str,
        call: impl FnOnce(NonNull<libbpf_sys::bpf_program>) -> *mut libbpf_sys::bpf_link,
    ) -> FailureResult<Option<Resource<Link>>> {
        let program = self.table.get(program)?.clone();
        let loaded = program.loaded();
        let name = &loaded.name;
        let (Some(object), Some(pointer)) = (program.object(), loaded.pointer()) else {
            let text = format!("cannot attach `{name}` {to}: no object declares this program");
            return Err(Failure::refused(ErrorCode::NotSupported, text).about(name));
        };
        let held = self.reserve_link(loaded)?;
        let (link, warnings) = messages::collect(self.ctx.messages.as_ref(), || {
            // Attaching writes to the object, so one at a time.
            let _object = object.lock();
            NonNull::new(call(pointer)).ok_or_else(crate::objects::last_errno)
        });
        match link {
            Ok(link) => {
                // SAFETY: libbpf just made it, and nobody else has it.
                let link = unsafe { libbpf_rs::Link::from_ptr(link) };
                let link = Link::new(Attachment::Libbpf(link), program, held);
                Ok(Some(self.table.push(link)?))
            }
            // libbpf gives the same errno for a section that names no target and for a kernel that cannot attach; it explains only the
            // second.
            Err(libc::EOPNOTSUPP) if warnings.is_empty() && !names_a_target(&loaded.section) => {
                Ok(None)
            }
            Err(errno) => Err(cannot_attach(loaded, to, errno, &warnings)),
        }
    }

    fn demand_kind(
        &self,
        program: &Resource<Program>,
        kinds: &[ProgramType],
        to: &str,
    ) -> FailureResult<()> {
        let program = self.table.get(program)?.loaded();
        let number = program.kind.to_kernel();
        if kinds.iter().any(|kind| kind.to_kernel() == number) {
            return Ok(());
        }
        Err(Failure::refused(
            ErrorCode::InvalidArgument,
            format!(
                "cannot attach `{}` {to}: it is a program of type {}, and this takes {}",
                program.name,
                program.kind.name(),
                kinds
                    .iter()
                    .map(|kind| kind.name())
                    .collect::<Vec<_>>()
                    .join(" or "),
            ),
        )
        .about(&program.name))
    }
}

/// A link that the kernel makes of descriptors alone; or its errno.
fn link_create(
    program: &LoadedProgram,
    target: i32,
    attach_type: u32,
    options: &libbpf_sys::bpf_link_create_opts,
) -> Result<OwnedFd, i32> {
    // SAFETY: a program's descriptor; what the options point to outlives the call.
    let fd = unsafe {
        libbpf_sys::bpf_link_create(program.fd().as_raw_fd(), target, attach_type, options)
    };
    match fd {
        // SAFETY: the kernel just made it, and nobody else has it.
        0.. => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(-fd),
    }
}

/// libbpf matches patterns against every function of the kernel, or of a file, with an algorithm that takes the longer the more
/// stars there are: with twenty it would not come to an end.
const MAX_STARS: usize = 2;

/// Sections whose target is a pattern.
fn is_pattern(kind: &str) -> bool {
    kind.ends_with(".multi") || kind.ends_with(".session")
}

/// Whether a section says where to attach, and libbpf knows how.
fn names_a_target(section: &str) -> bool {
    let Some((kind, target)) = section.split_once('/') else {
        return false;
    };
    let kind = kind.strip_suffix(".s").unwrap_or(kind);
    let attachable = matches!(
        kind,
        "kprobe"
            | "kretprobe"
            | "uprobe"
            | "uretprobe"
            | "ksyscall"
            | "kretsyscall"
            | "usdt"
            | "tp"
            | "tracepoint"
            | "raw_tp"
            | "raw_tracepoint"
            | "raw_tp.w"
            | "raw_tracepoint.w"
            | "tp_btf"
            | "fentry"
            | "fexit"
            | "fmod_ret"
            | "fsession"
            | "freplace"
            | "lsm"
            | "lsm_cgroup"
            | "iter"
    );
    !target.is_empty() && (attachable || is_pattern(kind))
}

fn cannot_attach(program: &LoadedProgram, to: &str, errno: i32, warnings: &[String]) -> Failure {
    let mut text = format!("cannot attach `{}` {to}: {}", program.name, Errno(errno));
    crate::objects::append_warnings(&mut text, warnings);
    if errno == libc::ENOENT {
        // libbpf finds the ids of tracepoints there, and the functions that patterns are matched against.
        let is_of_tracefs = program.kind.to_kernel() == ProgramType::Tracepoint.to_kernel()
            || warnings
                .iter()
                .any(|warning| warning.contains("available_filter_functions"));
        text.push_str(missing_target(is_of_tracefs));
    }
    crate::objects::append_capabilities(&mut text, errno);
    Failure::errno(errno, text).about(&program.name)
}

/// Attach functions that take their target as an argument never answer "nothing to attach"; if one does, it is a failure.
fn nothing_attached(to: &str) -> Failure {
    Failure::errno(
        libc::EOPNOTSUPP,
        format!("cannot attach {to}: {}", Errno(libc::EOPNOTSUPP)),
    )
}

/// What to do when the kernel knows no such target.
fn missing_target(is_of_tracefs: bool) -> &'static str {
    let mounted = [
        "/sys/kernel/tracing/events",
        "/sys/kernel/debug/tracing/events",
    ]
    .iter()
    .any(|path| std::path::Path::new(path).exists());
    if mounted || !is_of_tracefs {
        "\nthis kernel has no such target"
    } else {
        "\ntracefs is not mounted, which this needs: \
         mount -t tracefs tracefs /sys/kernel/tracing"
    }
}

/// The file that a section such as `uprobe//usr/bin/bash:readline` names, if it is of a kind that names one.
fn file_in_section(section: &str) -> Option<&str> {
    let (kind, target) = section.split_once('/')?;
    let kind = kind.strip_suffix(".s").unwrap_or(kind);
    matches!(
        kind,
        "uprobe" | "uretprobe" | "uprobe.multi" | "uretprobe.multi" | "uprobe.session" | "usdt"
    )
    .then(|| target.split(':').next().unwrap_or(target))
    .filter(|path| !path.is_empty())
}

pub(crate) fn is_tracefs_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() < 128
        && name != "."
        && name != ".."
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte))
}

/// A name below tracefs `events/`. libbpf puts it into a path, so nothing that climbs may come through.
pub(crate) fn tracefs_name(name: &str) -> FailureResult<CString> {
    match CString::new(name) {
        Ok(c_name) if is_tracefs_name(name) => Ok(c_name),
        _ => Err(Failure::refused(
            ErrorCode::InvalidArgument,
            format!(
                "{name:?} is no name of a tracepoint: letters, digits, `_`, `-`, `.` and `:` only, \
                 127 at most"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_sections() {
        let file = file_in_section;
        assert_eq!(file("uprobe//usr/bin/bash:readline"), Some("/usr/bin/bash"));
        assert_eq!(file("uprobe.s//bin/x:f+4"), Some("/bin/x"));
        assert_eq!(file("uretprobe.multi//bin/x:f*"), Some("/bin/x"));
        assert_eq!(file("uprobe/libc.so.6:malloc"), Some("libc.so.6"));
        assert_eq!(file("uprobe"), None);
        assert_eq!(file("kprobe/do_unlinkat"), None);
        assert_eq!(file("tracepoint/sched/sched_switch"), None);
    }

    #[test]
    fn targets_in_sections() {
        for with in [
            "tp/sched/sched_switch",
            "kprobe.multi/a*",
            "fentry.s/f",
            "iter/task",
        ] {
            assert!(names_a_target(with), "{with}");
        }
        for without in ["kprobe", "xdp", "tc/ingress", "tp/", "perf_event", "raw_tp"] {
            assert!(!names_a_target(without), "{without}");
        }
    }

    #[test]
    fn names_cannot_climb() {
        for good in ["sched", "sys_enter_openat", "a.b", "a-b:c"] {
            assert!(tracefs_name(good).is_ok());
        }
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a\0b",
            "a b",
            &"x".repeat(128),
        ] {
            assert!(tracefs_name(bad).is_err(), "{bad:?}");
        }
    }
}
