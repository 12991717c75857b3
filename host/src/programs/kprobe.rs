//! Probes of functions of the kernel.

use std::ffi::CString;
use std::ptr;

use libbpf_sys as sys;
use wasmtime::component::Resource;

use super::probe::{
    ProbeOptions, Takes, Targets, demand_attach_type, invalid, kernel_name, shown_name,
};
use super::{Program, cannot_attach, nothing_attached};
use crate::bindings::programs::ProbeTargets;
use crate::bindings::types::ProgramType;
use crate::ctx::WasmBpfCtxView;
use crate::error::FailureResult;
use crate::links::{Attachment, Link};

/// Attach types of programs for a single probe: none, and the kernel's number for perf events.
pub(super) const SINGLE: [u32; 2] = [0, sys::BPF_PERF_EVENT];

/// libbpf makes the function's name of it in 128 bytes.
const MAX_SYSCALL: usize = 100;

impl WasmBpfCtxView<'_> {
    pub(super) fn kprobe(
        &mut self,
        program: Resource<Program>,
        function: &str,
        options: &Resource<ProbeOptions>,
    ) -> FailureResult<Resource<Link>> {
        let to = format!("to the kernel's function {}", shown_name(function));
        self.demand_kind(&program, &[ProgramType::Kprobe], &to)?;
        let options = self.probe_options(options)?;
        let loaded = self.table.get(&program)?.loaded();
        let sections = "`kprobe` or `kretprobe`";
        demand_attach_type(loaded, &to, &SINGLE, sections)?;
        let invalid = invalid(loaded, &to);
        options
            .demand_only(&[Takes::Cookie, Takes::AtReturn, Takes::Offset])
            .map_err(&invalid)?;
        if options.at_return && options.offset != 0 {
            return Err(invalid("a probe at the return has no offset".into()));
        }
        let function = kernel_name(function, "").map_err(&invalid)?;
        let opts = sys::bpf_kprobe_opts {
            sz: size_of::<sys::bpf_kprobe_opts>() as _,
            bpf_cookie: options.cookie,
            offset: options.offset,
            retprobe: options.at_return,
            ..Default::default()
        };
        drop(invalid);
        self.attach_with(&program, &to, |program| {
            // SAFETY: the program belongs to a live object; string and options outlive the call.
            unsafe {
                sys::bpf_program__attach_kprobe_opts(
                    program.as_ptr(),
                    function.as_ptr(),
                    &raw const opts,
                )
            }
        })?
        .ok_or_else(|| nothing_attached(&to))
    }

    pub(super) fn ksyscall(
        &mut self,
        program: Resource<Program>,
        name: &str,
        options: &Resource<ProbeOptions>,
    ) -> FailureResult<Resource<Link>> {
        let to = format!("to the system call {}", shown_name(name));
        self.demand_kind(&program, &[ProgramType::Kprobe], &to)?;
        let options = self.probe_options(options)?;
        let loaded = self.table.get(&program)?.loaded();
        let sections = "`ksyscall` or `kretsyscall`";
        demand_attach_type(loaded, &to, &SINGLE, sections)?;
        let invalid = invalid(loaded, &to);
        options
            .demand_only(&[Takes::Cookie, Takes::AtReturn])
            .map_err(&invalid)?;
        let name = kernel_name(name, "").map_err(&invalid)?;
        if name.as_bytes().len() > MAX_SYSCALL {
            return Err(invalid(format!(
                "no system call has a name of more than {MAX_SYSCALL} characters"
            )));
        }
        let opts = sys::bpf_ksyscall_opts {
            sz: size_of::<sys::bpf_ksyscall_opts>() as _,
            bpf_cookie: options.cookie,
            retprobe: options.at_return,
            ..Default::default()
        };
        drop(invalid);
        self.attach_with(&program, &to, |program| {
            // SAFETY: as above.
            unsafe {
                sys::bpf_program__attach_ksyscall(program.as_ptr(), name.as_ptr(), &raw const opts)
            }
        })?
        .ok_or_else(|| nothing_attached(&to))
    }

    pub(super) fn kprobe_multi(
        &mut self,
        program: Resource<Program>,
        targets: ProbeTargets,
        options: &Resource<ProbeOptions>,
    ) -> FailureResult<Resource<Link>> {
        let to = match &targets {
            ProbeTargets::Pattern(pattern) => {
                format!("to the kernel's functions {}", shown_name(pattern))
            }
            ProbeTargets::Functions(names) => format!("to {} functions of the kernel", names.len()),
            ProbeTargets::Offsets(_) => "to functions of the kernel".to_owned(),
        };
        self.demand_kind(&program, &[ProgramType::Kprobe], &to)?;
        let options = self.probe_options(options)?;
        let program_of = self.table.get(&program)?.clone();
        let loaded = program_of.loaded();
        let invalid = invalid(loaded, &to);
        options
            .demand_only(&[Takes::Cookies, Takes::AtReturn, Takes::Session])
            .map_err(&invalid)?;
        let (attach_type, section) = if options.session {
            (sys::BPF_TRACE_KPROBE_SESSION, "`kprobe.session`")
        } else {
            let section = "`kprobe.multi` or `kretprobe.multi`";
            (sys::BPF_TRACE_KPROBE_MULTI, section)
        };
        demand_attach_type(loaded, &to, &[attach_type], section)?;
        let targets = Targets::check(targets, true).map_err(&invalid)?;
        targets
            .demand_length("cookies", options.cookies.len())
            .map_err(&invalid)?;
        let names = match targets {
            Targets::Pattern(pattern) => {
                let pattern = CString::new(pattern).expect("its characters were checked");
                let opts = sys::bpf_kprobe_multi_opts {
                    sz: size_of::<sys::bpf_kprobe_multi_opts>() as _,
                    retprobe: options.at_return,
                    session: options.session,
                    ..Default::default()
                };
                let link = self.attach_with(&program, &to, |program| {
                    // SAFETY: as above.
                    unsafe {
                        sys::bpf_program__attach_kprobe_multi_opts(
                            program.as_ptr(),
                            pattern.as_ptr(),
                            &raw const opts,
                        )
                    }
                })?;
                return link.ok_or_else(|| nothing_attached(&to));
            }
            Targets::Functions(names) => names,
            Targets::Offsets(_) => unreachable!("the kernel has no offsets"),
        };
        let names = names
            .into_iter()
            .map(|name| CString::new(name).expect("its characters were checked"))
            .collect::<Vec<_>>();
        let mut symbols = names.iter().map(|name| name.as_ptr()).collect::<Vec<_>>();
        let held = self.reserve_link(loaded)?;
        let mut opts = sys::bpf_link_create_opts {
            sz: size_of::<sys::bpf_link_create_opts>() as _,
            ..Default::default()
        };
        let flags = if options.at_return {
            sys::BPF_F_KPROBE_MULTI_RETURN
        } else {
            0
        };
        opts.__bindgen_anon_1.kprobe_multi =
            sys::bpf_link_create_opts__bindgen_ty_1__bindgen_ty_2 {
                flags,
                cnt: symbols.len() as u32,
                syms: symbols.as_mut_ptr(),
                addrs: ptr::null(),
                cookies: if options.cookies.is_empty() {
                    ptr::null()
                } else {
                    options.cookies.as_ptr()
                },
            };
        let attached = super::link_create(loaded, 0, attach_type, &opts);
        let fd = attached.map_err(|errno| {
            // What the kernel says of names that it does not know.
            let errno = if errno == libc::ESRCH {
                libc::ENOENT
            } else {
                errno
            };
            cannot_attach(loaded, &to, errno, &[])
        })?;
        drop(invalid);
        let link = Link::new(Attachment::Descriptor(fd), program_of.clone(), held);
        Ok(self.table.push(link)?)
    }
}
