//! `programs.wit`.

pub(crate) mod cgroup;
mod filters;
mod interface;
mod network;
mod placement;
mod sockets;
pub(crate) mod tc;

use std::ffi::CString;
use std::os::fd::AsRawFd as _;
use std::ptr::NonNull;
use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;

pub use self::cgroup::CgroupOptions;
use crate::bindings::maps::UpdateMode;
use crate::bindings::programs::{
    CgroupSharing, Direction, Host, HostCgroupOptions, HostPlacement, HostProgram, ProgramInfo,
    XdpMode,
};
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{CodeResult, Errno, Failure, FailureResult, code_of_errno};
use crate::links::{Attachment, Link};
use crate::maps::Map;
use crate::messages;
use crate::objects::{LoadedObject, LoadedProgram};
use crate::policy::{Need, Reservation};
use crate::sockets::Socket;
use placement::Neighbour;
pub use placement::Placement;

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
    #[allow(dead_code)]
    Alone(Arc<LoadedProgram>),
}

impl Program {
    pub(crate) fn of_object(object: Arc<LoadedObject>, index: usize) -> Self {
        Self(Kept::OfObject { object, index })
    }

    /// A program that no object declares.
    #[allow(dead_code)]
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

impl Host for WasmBpfCtxView<'_> {}

impl HostProgram for WasmBpfCtxView<'_> {
    fn info(&mut self, program: Resource<Program>) -> CodeResult<ProgramInfo> {
        let program = self.table.get(&program)?.loaded();
        let mut info = libbpf_sys::bpf_prog_info::default();
        let mut length = size_of_val(&info) as u32;
        // SAFETY: `info` is a plain struct of `length` bytes; its pointers are null, so the kernel writes nothing elsewhere.
        let answer = unsafe {
            libbpf_sys::bpf_prog_get_info_by_fd(
                program.fd().as_raw_fd(),
                &raw mut info,
                &raw mut length,
            )
        };
        if answer < 0 {
            return Err(code_of_errno(-answer).into());
        }
        Ok(ProgramInfo {
            name: program.name.clone(),
            section: program.section.clone(),
            type_: program.kind,
            id: info.id,
            tag: u64::from_be_bytes(info.tag),
            instructions: info.xlated_prog_len / 8,
        })
    }

    fn attach(&mut self, program: Resource<Program>) -> FailureResult<Option<Resource<Link>>> {
        let loaded = self.table.get(&program)?.loaded();
        let check = self.check_section(loaded);
        check.map_err(|failure| failure.about(&loaded.name))?;
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
        let category = tracefs_name(&category)?;
        let name = tracefs_name(&name)?;
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
        let name = tracefs_name(&name)?;
        let mut options = libbpf_sys::bpf_raw_tracepoint_opts {
            sz: size_of::<libbpf_sys::bpf_raw_tracepoint_opts>() as _,
            cookie,
        };
        self.attach_with(&program, &to, |program| {
            // SAFETY: the program belongs to a live object; string and options outlive the call.
            unsafe {
                libbpf_sys::bpf_program__attach_raw_tracepoint_opts(
                    program.as_ptr(),
                    name.as_ptr(),
                    &raw mut options,
                )
            }
        })?
        .ok_or_else(|| nothing_attached(&to))
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

    fn drop(&mut self, program: Resource<Program>) -> wasmtime::Result<()> {
        self.table.delete(program)?;
        Ok(())
    }
}

impl HostCgroupOptions for WasmBpfCtxView<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<CgroupOptions>> {
        Ok(self.table.push(CgroupOptions::default())?)
    }

    fn set_attach_type(
        &mut self,
        options: Resource<CgroupOptions>,
        attach_type: u32,
    ) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.attach_type = Some(attach_type);
        Ok(())
    }

    fn set_sharing(
        &mut self,
        options: Resource<CgroupOptions>,
        sharing: CgroupSharing,
    ) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.sharing = Some(sharing);
        Ok(())
    }

    fn set_placement(
        &mut self,
        options: Resource<CgroupOptions>,
        placement: Resource<Placement>,
    ) -> wasmtime::Result<()> {
        let placement = *self.table.get(&placement)?;
        self.table.get_mut(&options)?.placement = placement;
        Ok(())
    }

    fn set_replaced(
        &mut self,
        options: Resource<CgroupOptions>,
        program: Resource<Program>,
    ) -> wasmtime::Result<()> {
        let program = self.table.get(&program)?.clone();
        self.table.get_mut(&options)?.replaced = Some(program);
        Ok(())
    }

    fn drop(&mut self, options: Resource<CgroupOptions>) -> wasmtime::Result<()> {
        self.table.delete(options)?;
        Ok(())
    }
}

impl HostPlacement for WasmBpfCtxView<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<Placement>> {
        Ok(self.table.push(Placement::default())?)
    }

    fn set_first(&mut self, placement: Resource<Placement>) -> wasmtime::Result<()> {
        self.table.get_mut(&placement)?.set_before(Neighbour::All);
        Ok(())
    }

    fn set_last(&mut self, placement: Resource<Placement>) -> wasmtime::Result<()> {
        self.table.get_mut(&placement)?.set_after(Neighbour::All);
        Ok(())
    }

    fn set_before_program(
        &mut self,
        placement: Resource<Placement>,
        program: Resource<Program>,
    ) -> CodeResult<()> {
        let neighbour = self.program_beside(&program)?;
        self.table.get_mut(&placement)?.set_before(neighbour);
        Ok(())
    }

    fn set_after_program(
        &mut self,
        placement: Resource<Placement>,
        program: Resource<Program>,
    ) -> CodeResult<()> {
        let neighbour = self.program_beside(&program)?;
        self.table.get_mut(&placement)?.set_after(neighbour);
        Ok(())
    }

    fn set_before_link(
        &mut self,
        placement: Resource<Placement>,
        link: Resource<Link>,
    ) -> CodeResult<()> {
        let neighbour = self.link_beside(&link)?;
        self.table.get_mut(&placement)?.set_before(neighbour);
        Ok(())
    }

    fn set_after_link(
        &mut self,
        placement: Resource<Placement>,
        link: Resource<Link>,
    ) -> CodeResult<()> {
        let neighbour = self.link_beside(&link)?;
        self.table.get_mut(&placement)?.set_after(neighbour);
        Ok(())
    }

    fn set_before_program_id(
        &mut self,
        placement: Resource<Placement>,
        id: u32,
    ) -> wasmtime::Result<()> {
        let placement = self.table.get_mut(&placement)?;
        placement.set_before(Neighbour::Program(id));
        Ok(())
    }

    fn set_after_program_id(
        &mut self,
        placement: Resource<Placement>,
        id: u32,
    ) -> wasmtime::Result<()> {
        let placement = self.table.get_mut(&placement)?;
        placement.set_after(Neighbour::Program(id));
        Ok(())
    }

    fn set_expected_revision(
        &mut self,
        placement: Resource<Placement>,
        revision: u64,
    ) -> wasmtime::Result<()> {
        let placement = self.table.get_mut(&placement)?;
        placement.set_expected_revision(revision);
        Ok(())
    }

    fn drop(&mut self, placement: Resource<Placement>) -> wasmtime::Result<()> {
        self.table.delete(placement)?;
        Ok(())
    }
}

impl WasmBpfCtxView<'_> {
    fn program_beside(&self, program: &Resource<Program>) -> CodeResult<Neighbour> {
        let fd = self.table.get(program)?.loaded().fd();
        let identity = crate::journal::ProgramIdentity::of(fd)?;
        Ok(Neighbour::Program(identity.id))
    }

    fn link_beside(&self, link: &Resource<Link>) -> CodeResult<Neighbour> {
        let id = self.table.get(link)?.kernel_id()?;
        Ok(Neighbour::Link(id.ok_or(ErrorCode::NotSupported)?))
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
            // libbpf fills the maps that such programs need from structures of its own, and trusts the sizes that the object declares.
            "usdt" => {
                return refuse(
                    ErrorCode::NotSupported,
                    "USDT probes cannot be attached by their section yet",
                );
            }
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
        text.push_str(missing_target());
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
fn missing_target() -> &'static str {
    // libbpf finds the ids of tracepoints there.
    let mounted = [
        "/sys/kernel/tracing/events",
        "/sys/kernel/debug/tracing/events",
    ]
    .iter()
    .any(|path| std::path::Path::new(path).exists());
    if mounted {
        "\nthis kernel has no such target"
    } else {
        "\ntracefs is not mounted, which tracepoints and probes need: \
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

/// A name below tracefs `events/`. libbpf puts it into a path, so nothing that climbs may come through.
fn tracefs_name(name: &str) -> FailureResult<CString> {
    let ok = !name.is_empty()
        && name.len() < 128
        && name != "."
        && name != ".."
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte));
    match CString::new(name) {
        Ok(name) if ok => Ok(name),
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
