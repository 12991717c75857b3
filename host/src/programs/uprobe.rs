//! Probes of functions of binaries, which the component opened or an ELF section names.

use std::cell::RefCell;
use std::ffi::{CString, c_ulong};
use std::fs::OpenOptions;
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::ptr;

use libbpf_sys as sys;
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;

use super::binary::{Binary, Problem};
use super::kprobe::SINGLE;
use super::probe::{
    ProbeOptions, Takes, Targets, demand_attach_type, invalid, refuse, shown_name, user_name,
};
use super::{LoadedProgram, Program, cannot_attach, link_create, nothing_attached};
use crate::bindings::programs::ProbeTargets;
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::descriptors::HostFile;
use crate::error::{Errno, Failure, FailureResult, code_of_errno};
use crate::links::{Attachment, Link};

/// A semaphore's offset has 32 bits in what the kernel takes for a single probe, and libbpf says of a larger one that all went well.
const MAX_SEMAPHORE: u64 = u32::MAX as u64;

/// A binary, and whether the policy grants any place in it.
pub(super) struct Target {
    pub(super) file: HostFile,
    is_granted: bool,
}

impl Target {
    /// A file that the component opened.
    fn opened(file: HostFile) -> Self {
        Self {
            file,
            is_granted: false,
        }
    }
}

impl WasmBpfCtxView<'_> {
    pub(super) fn opened_target(&self, binary: &Resource<Descriptor>) -> FailureResult<Target> {
        Ok(Target::opened(self.host_file(binary)?))
    }

    pub(super) fn uprobe(
        &mut self,
        program: &Resource<Program>,
        target: &Target,
        function: Option<&str>,
        options: &ProbeOptions,
    ) -> FailureResult<Resource<Link>> {
        let to = match function {
            Some(function) => format!("to the function {}", shown_name(function)),
            None => format!("to offset {:#x} of a file", options.offset),
        };
        self.demand_kind(program, &[ProgramType::Kprobe], &to)?;
        let loaded = self.table.get(program)?.loaded();
        let sections = "`uprobe` or `uretprobe`";
        demand_attach_type(loaded, &to, &SINGLE, sections)?;
        let invalid = invalid(loaded, &to);
        options
            .demand_only(&[
                Takes::Cookie,
                Takes::AtReturn,
                Takes::Offset,
                Takes::Process,
                Takes::Semaphore,
            ])
            .map_err(&invalid)?;
        if options.at_return && options.offset != 0 && function.is_some() {
            return Err(invalid("a probe at the return has no offset".into()));
        }
        if options.semaphore > MAX_SEMAPHORE {
            return Err(invalid("no semaphore is that far in a file".into()));
        }
        let pid = options
            .pid()
            .map_err(|(code, why)| refuse(loaded, &to, code, why))?;
        let offset = match function {
            Some(function) => {
                user_name(function).map_err(&invalid)?;
                let names = [function.to_owned()];
                let start =
                    self.read_binary(loaded, &to, target, |binary| binary.functions(&names))?[0];
                start
                    .checked_add(options.offset)
                    .ok_or_else(|| invalid("the offset is past the end of the file".into()))?
            }
            None if options.offset == 0 => {
                return Err(invalid("neither a function nor an offset is named".into()));
            }
            None => options.offset,
        };
        if options.offset != 0 {
            self.demand_named_places(loaded, &to, target, &[offset])?;
        }
        demand_within(loaded, &to, target, &[offset])?;
        self.demand_named_semaphores(loaded, &to, target, &[options.semaphore])?;
        let probe = Uprobe {
            offset,
            pid,
            semaphore: options.semaphore,
            cookie: options.cookie,
            at_return: options.at_return,
        };
        drop(invalid);
        let path = CString::new(target.file.proc_path()).expect("digits and slashes");
        self.attach_with(program, &to, |program| {
            // SAFETY: the program belongs to a live object; the path outlives the call.
            unsafe { probe.attach(program.as_ptr(), &path) }
        })
        .map_err(|failure| without_path(failure, &target.file))?
        .ok_or_else(|| nothing_attached(&to))
    }

    pub(super) fn uprobe_multi(
        &mut self,
        program: &Resource<Program>,
        target: &Target,
        targets: ProbeTargets,
        options: &ProbeOptions,
    ) -> FailureResult<Resource<Link>> {
        let to = match &targets {
            ProbeTargets::Pattern(pattern) => format!("to the functions {}", shown_name(pattern)),
            ProbeTargets::Functions(names) => format!("to {} functions of a file", names.len()),
            ProbeTargets::Offsets(offsets) => format!("to {} offsets of a file", offsets.len()),
        };
        self.demand_kind(program, &[ProgramType::Kprobe], &to)?;
        let program = self.table.get(program)?.clone();
        let loaded = program.loaded();
        let invalid = invalid(loaded, &to);
        options
            .demand_only(&[
                Takes::Cookies,
                Takes::AtReturn,
                Takes::Session,
                Takes::Process,
                Takes::Semaphores,
            ])
            .map_err(&invalid)?;
        let (attach_type, section) = if options.session {
            (sys::BPF_TRACE_UPROBE_SESSION, "`uprobe.session`")
        } else {
            let section = "`uprobe.multi` or `uretprobe.multi`";
            (sys::BPF_TRACE_UPROBE_MULTI, section)
        };
        demand_attach_type(loaded, &to, &[attach_type], section)?;
        let pid = options
            .pid()
            .map_err(|(code, why)| refuse(loaded, &to, code, why))?;
        let targets = Targets::check(targets, false).map_err(&invalid)?;
        for (what, length) in [
            ("cookies", options.cookies.len()),
            ("semaphore-offsets", options.semaphores.len()),
        ] {
            targets.demand_length(what, length).map_err(&invalid)?;
        }
        let offsets = match &targets {
            Targets::Pattern(pattern) => {
                self.read_binary(loaded, &to, target, |binary| binary.matching(pattern))?
            }
            Targets::Functions(names) => {
                self.read_binary(loaded, &to, target, |binary| binary.functions(names))?
            }
            Targets::Offsets(offsets) => {
                self.demand_named_places(loaded, &to, target, offsets)?;
                offsets.clone()
            }
        };
        demand_within(loaded, &to, target, &offsets)?;
        self.demand_named_semaphores(loaded, &to, target, &options.semaphores)?;
        let held = self.reserve_link(loaded)?;
        let probes = UprobeMulti {
            attach_type,
            offsets: &offsets,
            cookies: &options.cookies,
            semaphores: &options.semaphores,
            at_return: options.at_return,
            pid,
        };
        let fd = probes
            .attach(loaded, &target.file)
            .map_err(|errno| cannot_attach(loaded, &to, errno, &[]))?;
        drop(invalid);
        let link = Link::new(Attachment::Descriptor(fd), program.clone(), held);
        Ok(self.table.push(link)?)
    }

    /// Attaches to the file that the program's section names, if it is of a kind that names one. The policy was asked before.
    pub(super) fn attach_to_file_of_section(
        &mut self,
        program: &Resource<Program>,
    ) -> FailureResult<Option<Resource<Link>>> {
        let loaded = self.table.get(program)?.loaded();
        let name = loaded.name.clone();
        let section = loaded.section.clone();
        let Some(path) = super::file_in_section(&section) else {
            return Ok(None);
        };
        let to = format!("where its section `{section}` says");
        let invalid = |why: &str| {
            let text = format!("cannot attach `{name}` {to}: {why}");
            Failure::refused(ErrorCode::InvalidArgument, text).about(&name)
        };
        // `file_in_section` found the first slash.
        let (kind, rest) = section.split_once('/').unwrap_or((&section, ""));
        let Some(rest) = rest[path.len()..].strip_prefix(':') else {
            return Err(invalid("it has no `:` and function behind the file"));
        };
        let open = OpenOptions::new()
            .read(true)
            // A pipe would wait for somebody who writes.
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)
            .map_err(|error| {
                let errno = error.raw_os_error().unwrap_or(libc::EIO);
                let text = format!("cannot attach `{name}` {to}: {path}: {}", Errno(errno));
                Failure::new(code_of_errno(errno), errno, text).about(&name)
            })?;
        let target = Target {
            file: HostFile::from(open),
            is_granted: true,
        };
        let kind = kind.strip_suffix(".s").unwrap_or(kind);
        let mut options = ProbeOptions {
            at_return: kind.starts_with("uretprobe"),
            session: kind == "uprobe.session",
            ..ProbeOptions::default()
        };
        let link = match kind {
            "usdt" => {
                let Some((provider, probe)) = rest.split_once(':') else {
                    return Err(invalid("behind the file it has not PROVIDER:NAME"));
                };
                self.usdt(program, &target, provider, probe, &options)
            }
            "uprobe" | "uretprobe" => {
                let (function, offset) = function_and_offset(rest);
                options.offset = offset;
                self.uprobe(program, &target, Some(function), &options)
            }
            _ => {
                let pattern = ProbeTargets::Pattern(rest.to_owned());
                self.uprobe_multi(program, &target, pattern, &options)
            }
        };
        link.map(Some)
    }

    /// What the binary says.
    pub(super) fn read_binary<T>(
        &self,
        program: &LoadedProgram,
        to: &str,
        target: &Target,
        ask: impl FnOnce(&Binary<'_>) -> Result<T, Problem>,
    ) -> FailureResult<T> {
        let exceeded = RefCell::new(None);
        let binary = Binary::new(&target.file, &self.ctx.usage, &exceeded);
        ask(&binary).map_err(|problem| refuse(program, to, problem.code, problem.why))
    }

    /// Places that the file does not name need a grant.
    fn demand_named_places(
        &self,
        program: &LoadedProgram,
        to: &str,
        target: &Target,
        offsets: &[u64],
    ) -> FailureResult<()> {
        self.demand_named(program, to, target, |binary| {
            let unnamed = binary.first_unnamed(offsets)?;
            Ok(unnamed.map(|offset| {
                format!("the offset {offset:#x}, where no function starts and no USDT probe is")
            }))
        })
    }

    /// So do counters.
    fn demand_named_semaphores(
        &self,
        program: &LoadedProgram,
        to: &str,
        target: &Target,
        semaphores: &[u64],
    ) -> FailureResult<()> {
        if semaphores.iter().all(|offset| *offset == 0) {
            return Ok(());
        }
        self.demand_named(program, to, target, |binary| {
            let foreign = binary.first_foreign_semaphore(semaphores)?;
            Ok(foreign.map(|offset| {
                format!("the semaphore at {offset:#x}, which is that of no USDT probe")
            }))
        })
    }

    fn demand_named(
        &self,
        program: &LoadedProgram,
        to: &str,
        target: &Target,
        find: impl FnOnce(&Binary<'_>) -> Result<Option<String>, Problem>,
    ) -> FailureResult<()> {
        target
            .file
            .demand_regular()
            .map_err(|problem| refuse(program, to, problem.code, problem.why))?;
        if target.is_granted {
            return Ok(());
        }
        let path = target.file.path().unwrap_or_default();
        let path = path.to_string_lossy();
        let check = |place: &str| self.ctx.policy.check_place(&program.name, &path, place);
        if check("").is_ok() {
            return Ok(());
        }
        match self.read_binary(program, to, target, find)? {
            None => Ok(()),
            Some(place) => {
                check(&place).map_err(|missing| Failure::from(missing).about(&program.name))
            }
        }
    }
}

/// The kernel takes the largest numbers for negative ones, which it does not check.
fn demand_within(
    program: &LoadedProgram,
    to: &str,
    target: &Target,
    offsets: &[u64],
) -> FailureResult<()> {
    let length = rustix::fs::fstat(target.file.as_fd()).map_or(0, |stat| stat.st_size as u64);
    match offsets.iter().find(|offset| **offset >= length) {
        None => Ok(()),
        Some(offset) => {
            let why = format!("the offset {offset:#x} is past the end of the file");
            Err(refuse(program, to, ErrorCode::InvalidArgument, why))
        }
    }
}

/// One probe.
pub(super) struct Uprobe {
    pub(super) offset: u64,
    pub(super) pid: i32,
    pub(super) semaphore: u64,
    pub(super) cookie: u64,
    pub(super) at_return: bool,
}

impl Uprobe {
    /// # Safety
    /// The program belongs to a live object.
    pub(super) unsafe fn attach(
        &self,
        program: *mut sys::bpf_program,
        path: &CString,
    ) -> *mut sys::bpf_link {
        // Without a function's name libbpf does not read the file.
        let opts = sys::bpf_uprobe_opts {
            sz: size_of::<sys::bpf_uprobe_opts>() as _,
            ref_ctr_offset: self.semaphore,
            bpf_cookie: self.cookie,
            retprobe: self.at_return,
            ..Default::default()
        };
        // SAFETY: as demanded; path and options outlive the call.
        unsafe {
            sys::bpf_program__attach_uprobe_opts(
                program,
                self.pid,
                path.as_ptr(),
                self.offset,
                &raw const opts,
            )
        }
    }
}

/// Many probes as one link.
pub(super) struct UprobeMulti<'a> {
    pub(super) attach_type: u32,
    pub(super) offsets: &'a [u64],
    /// None, or as many.
    pub(super) cookies: &'a [u64],
    /// None, or as many.
    pub(super) semaphores: &'a [u64],
    pub(super) at_return: bool,
    pub(super) pid: i32,
}

impl UprobeMulti<'_> {
    pub(super) fn attach(
        &self,
        program: &LoadedProgram,
        file: &HostFile,
    ) -> Result<std::os::fd::OwnedFd, i32> {
        let number = |offset: &u64| *offset as c_ulong;
        let offsets = self.offsets.iter().map(number).collect::<Vec<_>>();
        let semaphores = self.semaphores.iter().map(number).collect::<Vec<_>>();
        let path = CString::new(file.proc_path()).expect("digits and slashes");
        debug_assert!([0, offsets.len()].contains(&self.cookies.len()));
        debug_assert!([0, offsets.len()].contains(&semaphores.len()));
        let mut opts = sys::bpf_link_create_opts {
            sz: size_of::<sys::bpf_link_create_opts>() as _,
            ..Default::default()
        };
        opts.__bindgen_anon_1.uprobe_multi =
            sys::bpf_link_create_opts__bindgen_ty_1__bindgen_ty_3 {
                flags: if self.at_return {
                    sys::BPF_F_UPROBE_MULTI_RETURN
                } else {
                    0
                },
                cnt: offsets.len() as u32,
                path: path.as_ptr(),
                offsets: offsets.as_ptr(),
                ref_ctr_offsets: pointer(&semaphores),
                cookies: pointer(self.cookies),
                // 0 is all processes here.
                pid: u32::try_from(self.pid).unwrap_or(0),
                ..Default::default()
            };
        link_create(program, 0, self.attach_type, &opts)
    }
}

/// Null for none.
fn pointer<T>(list: &[T]) -> *const T {
    if list.is_empty() {
        ptr::null()
    } else {
        list.as_ptr()
    }
}

/// The number of a descriptor of the host means nothing to the component.
pub(super) fn without_path(mut failure: Failure, file: &HostFile) -> Failure {
    if let Failure::Error(error) = &mut failure {
        error.message = error.message.replace(&file.proc_path(), "the file");
    }
    failure
}

/// `FUNCTION[+OFFSET]`, as libbpf reads it in a section.
fn function_and_offset(text: &str) -> (&str, u64) {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    match text.rsplit_once('+') {
        Some((function, offset)) => match number(offset) {
            Some(offset) => (function, offset),
            None => (text, 0),
        },
        None => (text, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_in_sections() {
        assert_eq!(function_and_offset("f"), ("f", 0));
        assert_eq!(function_and_offset("f+4"), ("f", 4));
        assert_eq!(function_and_offset("f+0x10"), ("f", 16));
        assert_eq!(function_and_offset("operator+"), ("operator+", 0));
        assert_eq!(function_and_offset("f+-4"), ("f+-4", 0));
    }
}
