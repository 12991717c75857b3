//! `programs.wit`.

use std::ffi::CString;
use std::os::fd::AsRawFd as _;
use std::ptr::NonNull;
use std::sync::Arc;

use libbpf_rs::AsRawLibbpf as _;
use wasmtime::component::Resource;

use crate::bindings::programs::{Host, HostProgram, ProgramInfo};
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{CodeResult, Errno, Failure, FailureResult, code_of_errno};
use crate::links::Link;
use crate::messages;
use crate::objects::{LoadedObject, LoadedProgram};
use crate::policy::Need;

/// A program in the kernel.
pub struct Program {
    object: Arc<LoadedObject>,
    /// Index among the object's loaded programs.
    index: usize,
}

impl Program {
    pub(crate) fn new(object: Arc<LoadedObject>, index: usize) -> Self {
        Self { object, index }
    }

    fn loaded(&self) -> &LoadedProgram {
        &self.object.programs[self.index]
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
                program.fd.as_raw_fd(),
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
        if let Some(path) = file_in_section(&loaded.section) {
            if !path.starts_with('/') {
                return Err(Failure::refused(
                    ErrorCode::InvalidArgument,
                    format!(
                        "cannot attach `{}`: its section `{}` names the file `{path}` without a \
                         leading slash; name it by its absolute path",
                        loaded.name, loaded.section
                    ),
                )
                .about(&loaded.name));
            }
            self.ctx.policy.check_binary(&loaded.name, path)?;
        }
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
            ..Default::default()
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
            ..Default::default()
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

    fn drop(&mut self, program: Resource<Program>) -> wasmtime::Result<()> {
        self.table.delete(program)?;
        Ok(())
    }
}

impl WasmBpfCtxView<'_> {
    /// Attaches through `call`, which returns libbpf's link or null with errno set; none if libbpf found nothing to attach.
    fn attach_with(
        &mut self,
        program: &Resource<Program>,
        to: &str,
        call: impl FnOnce(NonNull<libbpf_sys::bpf_program>) -> *mut libbpf_sys::bpf_link,
    ) -> FailureResult<Option<Resource<Link>>> {
        let program = self.table.get(program)?;
        let name = &program.loaded().name;
        let held = self
            .ctx
            .usage
            .reserve(Need {
                links: 1,
                ..Need::default()
            })
            .map_err(|limit| {
                let text = format!("cannot attach `{name}`: {limit}");
                Failure::refused(ErrorCode::LimitExceeded, text).about(name)
            })?;
        let (link, warnings) = messages::collect(self.ctx.messages.as_ref(), || {
            // Attaching writes to the object (the USDT manager, for one), so one at a time.
            let object = program.object.lock();
            let pointer = find_program(&object, program.loaded());
            pointer.map(|pointer| {
                NonNull::new(call(pointer)).ok_or_else(|| {
                    std::io::Error::last_os_error()
                        .raw_os_error()
                        .unwrap_or(libc::EIO)
                })
            })
        });
        match link {
            Some(Ok(link)) => {
                // SAFETY: libbpf just made it, and nobody else has it.
                let link = unsafe { libbpf_rs::Link::from_ptr(link) };
                let link = Link::new(link, Arc::clone(&program.object), held);
                Ok(Some(self.table.push(link)?))
            }
            // libbpf says the same for "this section names no target" and for a kernel that cannot attach; it explains only the second.
            Some(Err(libc::EOPNOTSUPP)) if warnings.is_empty() => Ok(None),
            Some(Err(errno)) => {
                let mut text = format!("cannot attach `{name}` {to}: {}", Errno(errno));
                crate::objects::append_warnings(&mut text, &warnings);
                if errno == libc::ENOENT {
                    text.push_str(missing_target());
                }
                crate::objects::append_capabilities(&mut text, errno);
                Err(Failure::errno(errno, text).about(name))
            }
            None => Err(Failure::Trap(wasmtime::Error::msg(
                "a loaded program is not in its object",
            ))),
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

fn find_program(
    object: &libbpf_rs::Object,
    wanted: &LoadedProgram,
) -> Option<NonNull<libbpf_sys::bpf_program>> {
    let name = CString::new(wanted.name.as_str()).ok()?;
    // SAFETY: the object is alive while it is borrowed.
    NonNull::new(unsafe {
        libbpf_sys::bpf_object__find_program_by_name(
            object.as_libbpf_object().as_ptr(),
            name.as_ptr(),
        )
    })
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
        assert_eq!(file("usdt//bin/x:prov:name"), Some("/bin/x"));
        assert_eq!(file("usdt/libc.so.6:libc:setjmp"), Some("libc.so.6"));
        assert_eq!(file("uprobe"), None);
        assert_eq!(file("kprobe/do_unlinkat"), None);
        assert_eq!(file("tracepoint/sched/sched_switch"), None);
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
