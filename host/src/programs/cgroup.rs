//! Attaching to cgroups.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;

use libbpf_sys as sys;
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;

use super::{Program, cannot_attach};
use crate::bindings::programs::CgroupSharing;
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::descriptors::HostFile;
use crate::error::{Errno, Failure, FailureResult};
use crate::links::{Attached, Attachment, Link};
use crate::objects::LoadedProgram;

/// `cgroup-options`.
#[derive(Default)]
pub struct CgroupOptions {
    pub(super) attach_type: Option<u32>,
    pub(super) sharing: Option<CgroupSharing>,
    pub(super) replaced: Option<Program>,
}

const KINDS: [ProgramType; 8] = [
    ProgramType::CgroupSkb,
    ProgramType::CgroupSock,
    ProgramType::CgroupSockAddr,
    ProgramType::CgroupSockopt,
    ProgramType::CgroupSysctl,
    ProgramType::CgroupDevice,
    ProgramType::SockOps,
    ProgramType::Lsm,
];

/// `CGROUP2_SUPER_MAGIC`.
const CGROUP2: i64 = 0x6367_7270;

impl WasmBpfCtxView<'_> {
    pub(super) fn attach_to_cgroup(
        &mut self,
        program: &Resource<Program>,
        cgroup: &Resource<Descriptor>,
        options: Option<&Resource<CgroupOptions>>,
    ) -> FailureResult<Resource<Link>> {
        self.demand_kind(program, &KINDS, "to a cgroup")?;
        let cgroup = self.host_file(cgroup)?;
        let program = self.table.get(program)?.clone();
        let loaded = program.loaded();
        let refuse = |code, why: String| {
            let text = format!("cannot attach `{}` to a cgroup: {why}", loaded.name);
            Failure::refused(code, text).about(&loaded.name)
        };
        let path = match path_of(&cgroup) {
            Ok(path) => path,
            Err(why) => return Err(refuse(ErrorCode::InvalidArgument, why)),
        };
        let check = self.ctx.policy.check_cgroup(&loaded.name, &path);
        check.map_err(|missing| Failure::from(missing).about(&loaded.name))?;
        let default = CgroupOptions::default();
        let options = match options {
            Some(options) => self.table.get(options)?,
            None => &default,
        };
        let attach_type = attach_type(loaded, options.attach_type);
        let is_lsm = matches!(loaded.kind, ProgramType::Lsm);
        if is_lsm && attach_type != sys::BPF_LSM_CGROUP {
            let why = "it is for the whole machine, and was not loaded for cgroups";
            return Err(refuse(ErrorCode::InvalidArgument, why.into()));
        }
        let to = format!("to the cgroup {path}");
        let held = self.reserve_link(loaded)?;
        let attachment = match options.sharing {
            None if options.replaced.is_some() => {
                let why = "what takes another program's place has to say how it shares the cgroup";
                return Err(refuse(ErrorCode::InvalidArgument, why.into()));
            }
            None => Attachment::Descriptor(link(loaded, &cgroup, attach_type, &to)?),
            Some(_) if is_lsm && !matches!(options.sharing, Some(CgroupSharing::Multiple)) => {
                let why =
                    "programs on security hooks of cgroups are attached as links or as multiple";
                return Err(refuse(ErrorCode::NotSupported, why.into()));
            }
            Some(sharing) => {
                let attached = WithoutLink::attach(
                    &program,
                    cgroup,
                    attach_type,
                    sharing,
                    options.replaced.as_ref(),
                    &to,
                )?;
                Attachment::Other(Box::new(attached))
            }
        };
        Ok(self.table.push(Link::new(attachment, program, held))?)
    }
}

/// The path that the kernel knows a cgroup by, or why it is none.
fn path_of(file: &HostFile) -> Result<String, String> {
    let fails = |error: io::Error| {
        let errno = error.raw_os_error().unwrap_or(libc::EIO);
        format!(
            "the host cannot tell what the descriptor is: {}",
            Errno(errno)
        )
    };
    let on = rustix::fs::fstatfs(file.as_fd()).map_err(|errno| fails(errno.into()))?;
    if on.f_type != CGROUP2 {
        return Err(
            "the descriptor is no folder of a cgroup file system of version 2, such as /sys/fs/cgroup"
                .into(),
        );
    }
    let stat = rustix::fs::fstat(file.as_fd()).map_err(|errno| fails(errno.into()))?;
    if stat.st_mode & libc::S_IFMT != libc::S_IFDIR {
        return Err("the descriptor is a file of a cgroup, not the folder".into());
    }
    let path = file.path().map_err(fails)?;
    match path.into_os_string().into_string() {
        Ok(path) => Ok(path),
        Err(_) => Err("its path is not UTF-8, so that no grant can name it".into()),
    }
}

/// Where a program is attached: where it was loaded for, unless something else was asked for. Kinds that are attached to one place only need not be
/// loaded for it.
fn attach_type(program: &LoadedProgram, asked: Option<u32>) -> u32 {
    let only = match program.kind {
        ProgramType::SockOps => Some(sys::BPF_CGROUP_SOCK_OPS),
        ProgramType::CgroupDevice => Some(sys::BPF_CGROUP_DEVICE),
        ProgramType::CgroupSysctl => Some(sys::BPF_CGROUP_SYSCTL),
        _ => None,
    };
    asked.or(only).unwrap_or(program.attach_type)
}

fn link(
    program: &LoadedProgram,
    cgroup: &HostFile,
    attach_type: u32,
    to: &str,
) -> FailureResult<OwnedFd> {
    // SAFETY: descriptors and numbers; no options. The kinds are such that the kernel takes the target for a cgroup.
    let link = unsafe {
        sys::bpf_link_create(
            program.fd().as_raw_fd(),
            cgroup.as_fd().as_raw_fd(),
            attach_type,
            ptr::null(),
        )
    };
    if link < 0 {
        return Err(cgroup_failed(program, attach_type, to, -link));
    }
    // SAFETY: it was just made, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(link) })
}

fn cgroup_failed(program: &LoadedProgram, attach_type: u32, to: &str, errno: i32) -> Failure {
    let hint = match errno {
        libc::EINVAL => vec![format!(
            "either this kernel has no such place for it, or it was loaded for attach type {} and not for {attach_type}",
            program.attach_type
        )],
        libc::EPERM => vec![
            "a program that does not share may be attached to this cgroup or to one above it"
                .to_owned(),
        ],
        // Kernels before 6.x and later ones tell it apart; what is there is full.
        libc::E2BIG => vec!["the cgroup has as many programs as the kernel takes".to_owned()],
        // Not the target of a tracepoint: cannot_attach would speak of tracefs.
        libc::ENOENT => {
            let text = format!(
                "cannot attach `{}` {to}: the cgroup was removed, or the program to be replaced is not there",
                program.name
            );
            return Failure::errno(errno, text).about(&program.name);
        }
        _ => Vec::new(),
    };
    cannot_attach(program, to, errno, &hint)
}

/// An attachment that the kernel ties to the cgroup alone: it stays when nobody holds anything.
struct WithoutLink {
    program: Program,
    cgroup: HostFile,
    attach_type: u32,
    is_multiple: bool,
    is_attached: bool,
}

impl WithoutLink {
    fn attach(
        program: &Program,
        cgroup: HostFile,
        attach_type: u32,
        sharing: CgroupSharing,
        replaced: Option<&Program>,
        to: &str,
    ) -> FailureResult<Self> {
        let loaded = program.loaded();
        let fails = |errno| cgroup_failed(loaded, attach_type, to, errno);
        let is_multiple = matches!(sharing, CgroupSharing::Multiple);
        let mut options = sys::bpf_prog_attach_opts {
            sz: size_of::<sys::bpf_prog_attach_opts>() as _,
            ..Default::default()
        };
        options.flags = match sharing {
            CgroupSharing::Exclusive => 0,
            CgroupSharing::Overridable => sys::BPF_F_ALLOW_OVERRIDE,
            CgroupSharing::Multiple => sys::BPF_F_ALLOW_MULTI,
        };
        if is_multiple {
            if let Some(replaced) = replaced {
                options.flags |= sys::BPF_F_REPLACE;
                options.__bindgen_anon_1.replace_prog_fd = replaced.loaded().fd().as_raw_fd();
            }
        } else {
            // The kernel would put this one into the place of whichever is there.
            let there = attached(&cgroup, attach_type).map_err(fails)?;
            let expected = replaced.map(|replaced| id_of(replaced.loaded()));
            let expected = expected.transpose().map_err(fails)?;
            match (there.first(), expected) {
                (None, None) => {}
                (None, Some(_)) => return Err(fails(libc::ENOENT)),
                (Some(id), Some(expected)) if *id == expected => {}
                (Some(id), _) => {
                    let text = format!(
                        "cannot attach `{}` {to}: program {id} is attached there, whose place it would take",
                        loaded.name
                    );
                    return Err(Failure::refused(ErrorCode::Busy, text).about(&loaded.name));
                }
            }
        }
        // SAFETY: descriptors, numbers, and options that outlive the call. The kinds are such that the kernel takes the target for a cgroup.
        let answer = unsafe {
            sys::bpf_prog_attach_opts(
                loaded.fd().as_raw_fd(),
                cgroup.as_fd().as_raw_fd(),
                attach_type,
                &raw const options,
            )
        };
        if answer < 0 {
            return Err(fails(-answer));
        }
        Ok(Self {
            program: program.clone(),
            cgroup,
            attach_type,
            is_multiple,
            is_attached: true,
        })
    }

    /// Whether it is still this program that is attached. Of programs that do not share the kernel detaches whichever is there.
    fn is_ours(&self) -> io::Result<bool> {
        if self.is_multiple {
            return Ok(true);
        }
        let error = io::Error::from_raw_os_error;
        let own = id_of(self.program.loaded()).map_err(error)?;
        let there = attached(&self.cgroup, self.attach_type).map_err(error)?;
        Ok(there.contains(&own))
    }
}

impl Attached for WithoutLink {
    fn detach(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_attached) || !self.is_ours()? {
            return Ok(());
        }
        let program: RawFd = self.program.loaded().fd().as_raw_fd();
        // SAFETY: descriptors and a number.
        let answer = unsafe {
            sys::bpf_prog_detach2(program, self.cgroup.as_fd().as_raw_fd(), self.attach_type)
        };
        match -answer {
            // Another has taken its place, or the cgroup was removed.
            0 | libc::ENOENT => Ok(()),
            errno => Err(io::Error::from_raw_os_error(errno)),
        }
    }
}

impl Drop for WithoutLink {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ = self.detach();
    }
}

/// Ids of the programs that are attached to a cgroup itself.
fn attached(cgroup: &HostFile, attach_type: u32) -> Result<Vec<u32>, i32> {
    // The kernel takes 64.
    let mut ids = vec![0; 64];
    let mut count = ids.len() as u32;
    let mut flags = 0;
    // SAFETY: there is room for `count` ids, and for the numbers.
    let answer = unsafe {
        sys::bpf_prog_query(
            cgroup.as_fd().as_raw_fd(),
            attach_type,
            0,
            &raw mut flags,
            ids.as_mut_ptr(),
            &raw mut count,
        )
    };
    if answer < 0 {
        return Err(-answer);
    }
    ids.truncate(count as usize);
    Ok(ids)
}

fn id_of(program: &LoadedProgram) -> Result<u32, i32> {
    let mut info = sys::bpf_prog_info::default();
    let mut length = size_of_val(&info) as u32;
    // SAFETY: `info` is a plain struct of `length` bytes; its pointers are null, so the kernel writes nothing elsewhere.
    let answer = unsafe {
        sys::bpf_prog_get_info_by_fd(program.fd().as_raw_fd(), &raw mut info, &raw mut length)
    };
    if answer < 0 {
        Err(-answer)
    } else {
        Ok(info.id)
    }
}
