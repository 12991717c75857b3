//! Attaching to cgroups.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use libbpf_sys as sys;
use rustix::fs::{Mode, OFlags};
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;

use super::placement::Placement;
use super::{Program, cannot_attach};
use crate::bindings::programs::{CgroupSharing, HostCgroupOptions};
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::descriptors::HostFile;
use crate::error::{Errno, Failure, FailureResult};
use crate::journal::{Entry, Journal, Left, Locked, ProgramIdentity, Record};
use crate::links::{Attached, Attachment, Link};
use crate::objects::LoadedProgram;

/// `cgroup-options`.
#[derive(Default)]
pub struct CgroupOptions {
    pub(super) attach_type: Option<u32>,
    pub(super) sharing: Option<CgroupSharing>,
    pub(super) placement: Placement,
    pub(super) replaced: Option<Program>,
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
            None => {
                Attachment::Descriptor(link(loaded, &cgroup, attach_type, options.placement, &to)?)
            }
            Some(_) if is_lsm && !matches!(options.sharing, Some(CgroupSharing::Multiple)) => {
                let why =
                    "programs on security hooks of cgroups are attached as links or as multiple";
                return Err(refuse(ErrorCode::NotSupported, why.into()));
            }
            Some(sharing) => {
                let wanted = Wanted {
                    attach_type,
                    sharing,
                    placement: options.placement,
                    replaced: options.replaced.as_ref(),
                    path: &path,
                    to: &to,
                };
                let attached = WithoutLink::attach(&self.ctx.journal, &program, cgroup, &wanted)?;
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
    if !is_on_cgroup2(file.as_fd()).map_err(fails)? {
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
    placement: Placement,
    to: &str,
) -> FailureResult<OwnedFd> {
    let mut options = sys::bpf_link_create_opts {
        sz: size_of::<sys::bpf_link_create_opts>() as _,
        flags: placement.flags(),
        ..Default::default()
    };
    options.__bindgen_anon_1.cgroup.relative_id = placement.relative_id();
    options.__bindgen_anon_1.cgroup.expected_revision = placement.expected_revision();
    // SAFETY: descriptors, numbers, and options that outlive the call. The kinds are such that the kernel takes the target for a cgroup.
    let link = unsafe {
        sys::bpf_link_create(
            program.fd().as_raw_fd(),
            cgroup.as_fd().as_raw_fd(),
            attach_type,
            &raw const options,
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
        libc::EINVAL if program.attach_type != attach_type => vec![format!(
            "it was loaded for attach type {}, and is to be attached for {attach_type}",
            program.attach_type
        )],
        libc::EINVAL => {
            vec!["this kernel has no such place for it, or it is attached there already".to_owned()]
        }
        libc::EPERM => vec![
            "a program that does not share may be attached to this cgroup or to one above it"
                .to_owned(),
        ],
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

/// An attachment that the kernel ties to the cgroup alone: it stays when nobody holds anything, and so is journalled.
struct WithoutLink {
    journal: Journal,
    /// None: it is detached.
    entry: Option<Entry>,
    identity: ProgramIdentity,
    program: Program,
    cgroup: HostFile,
    attach_type: u32,
}

/// What is asked for of an attachment without a link.
struct Wanted<'a> {
    attach_type: u32,
    sharing: CgroupSharing,
    placement: Placement,
    replaced: Option<&'a Program>,
    path: &'a str,
    to: &'a str,
}

impl WithoutLink {
    /// Attaches. The entry comes first.
    fn attach(
        journal: &Journal,
        program: &Program,
        cgroup: HostFile,
        wanted: &Wanted<'_>,
    ) -> FailureResult<Self> {
        let loaded = program.loaded();
        let Wanted {
            attach_type, to, ..
        } = *wanted;
        let fails = |errno| cgroup_failed(loaded, attach_type, to, errno);
        let fails_of = |error: io::Error| fails(error.raw_os_error().unwrap_or(libc::EIO));
        let is_multiple = matches!(wanted.sharing, CgroupSharing::Multiple);
        let mut options = sys::bpf_prog_attach_opts {
            sz: size_of::<sys::bpf_prog_attach_opts>() as _,
            flags: wanted.placement.flags(),
            relative_id: wanted.placement.relative_id(),
            expected_revision: wanted.placement.expected_revision(),
            ..Default::default()
        };
        options.flags |= match wanted.sharing {
            CgroupSharing::Exclusive => 0,
            CgroupSharing::Overridable => sys::BPF_F_ALLOW_OVERRIDE,
            CgroupSharing::Multiple => sys::BPF_F_ALLOW_MULTI,
        };
        let not_journalled = |error: io::Error| {
            let text = format!(
                "cannot attach `{}` {to}: it cannot be written down in the journal: {error}\n\
                 the journal is in {}; without it a killed host would leave the program attached",
                loaded.name,
                journal.folder().display()
            );
            let errno = error.raw_os_error().unwrap_or(libc::EIO);
            Failure::errno(errno, text).about(&loaded.name)
        };
        let identity = ProgramIdentity::of(loaded.fd()).map_err(fails_of)?;
        // No other host attaches between the question what is there and the answer to it.
        let mut locked = journal.lock().map_err(not_journalled)?;
        if is_multiple {
            if let Some(replaced) = wanted.replaced {
                options.flags |= sys::BPF_F_REPLACE;
                options.__bindgen_anon_1.replace_prog_fd = replaced.loaded().fd().as_raw_fd();
            }
        } else {
            // The kernel would put this one into the place of whichever is there.
            let there = attached(cgroup.as_fd(), attach_type).map_err(fails)?;
            let expected = wanted
                .replaced
                .map(|replaced| ProgramIdentity::of(replaced.loaded().fd()))
                .transpose()
                .map_err(fails_of)?;
            match (there.first(), expected) {
                (None, None) => {}
                (None, Some(_)) => return Err(fails(libc::ENOENT)),
                (Some(id), Some(expected)) if *id == expected.id => {}
                (Some(id), _) => {
                    let text = format!(
                        "cannot attach `{}` {to}: program {id} is attached there, whose place it would take",
                        loaded.name
                    );
                    return Err(Failure::refused(ErrorCode::Busy, text).about(&loaded.name));
                }
            }
        }
        let mut record = Record::new(KIND);
        let inode = inode(cgroup.as_fd()).map_err(fails_of)?;
        record
            .set("cgroup", wanted.path)
            .set("cgroup-id", inode)
            .set("attach-type", attach_type);
        identity.write_to(&mut record);
        let entry = locked.write(&record).map_err(not_journalled)?;
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
            let _ = locked.remove(entry);
            return Err(fails(-answer));
        }
        Ok(Self {
            journal: journal.clone(),
            entry: Some(entry),
            identity,
            program: program.clone(),
            cgroup,
            attach_type,
        })
    }
}

impl Attached for WithoutLink {
    fn detach(&mut self) -> io::Result<()> {
        if self.entry.is_none() {
            return Ok(());
        }
        let journal = self.journal.clone();
        let mut locked = journal.lock()?;
        detach(
            self.program.loaded().fd(),
            self.identity.id,
            self.cgroup.as_fd(),
            self.attach_type,
        )?;
        match self.entry.take() {
            Some(entry) => locked.remove(entry),
            None => Ok(()),
        }
    }

    /// The program stays, and is no host's to detach from here on.
    fn disconnect(mut self: Box<Self>) {
        let Some(entry) = self.entry.take() else {
            return;
        };
        let journal = self.journal.clone();
        if let Ok(mut locked) = journal.lock() {
            let _ = locked.remove(entry);
        }
    }
}

impl Drop for WithoutLink {
    fn drop(&mut self) {
        // What fails stays in the journal, without a host that lives.
        let _ = self.detach();
    }
}

/// Detaches a program if it is the one that is attached; whether it was. Of programs that do not share the kernel would detach whichever is there.
fn detach(
    program: BorrowedFd<'_>,
    id: u32,
    cgroup: BorrowedFd<'_>,
    attach_type: u32,
) -> io::Result<bool> {
    let there = match attached(cgroup, attach_type) {
        Ok(there) => there,
        // The cgroup was removed.
        Err(libc::ENOENT | libc::ENODEV) => return Ok(false),
        Err(errno) => return Err(io::Error::from_raw_os_error(errno)),
    };
    if !there.contains(&id) {
        return Ok(false);
    }
    // SAFETY: descriptors and a number.
    let answer =
        unsafe { sys::bpf_prog_detach2(program.as_raw_fd(), cgroup.as_raw_fd(), attach_type) };
    match -answer {
        0 => Ok(true),
        libc::ENOENT | libc::ENODEV => Ok(false),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// In the journal.
pub(crate) const KIND: &str = "cgroup";

/// Detaches what a dead host left, if it is still there.
pub(crate) fn remove_left(record: &Record, _locked: &mut Locked<'_>) -> Left {
    let (Some(path), Some(inode), Some(attach_type), Some(identity)) = (
        record.text("cgroup"),
        record.number::<u64>("cgroup-id"),
        record.number::<u32>("attach-type"),
        ProgramIdentity::read_from(record),
    ) else {
        return Left::Corrupt;
    };
    // None: the machine was started anew since.
    let Some(identity) = identity else {
        return Left::Gone;
    };
    let told = |error: io::Error| Left::Kept(format!("the program on the cgroup {path}: {error}"));
    match identity.is_in_kernel() {
        // The cgroup would hold it.
        Ok(false) => return Left::Gone,
        Ok(true) => {}
        Err(error) => return told(error),
    }
    // SAFETY: a number.
    let program = unsafe { sys::bpf_prog_get_fd_by_id(identity.id) };
    if program < 0 {
        return match -program {
            libc::ENOENT => Left::Gone,
            errno => told(io::Error::from_raw_os_error(errno)),
        };
    }
    // SAFETY: it was just opened, and nobody else has it.
    let program = unsafe { OwnedFd::from_raw_fd(program) };
    match ProgramIdentity::of(program.as_fd()) {
        Ok(found) if found == identity => {}
        Ok(_) => return Left::Gone,
        Err(error) => return told(error),
    }
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    let cgroup = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(cgroup) => cgroup,
        // It may be there under another path; or it was removed, and whoever holds the program holds it for another reason.
        Err(_) => return Left::Elsewhere,
    };
    let is_same = is_on_cgroup2(cgroup.as_fd()).unwrap_or(false)
        && self::inode(cgroup.as_fd()).is_ok_and(|found| found == inode);
    if !is_same {
        return Left::Elsewhere;
    }
    match detach(program.as_fd(), identity.id, cgroup.as_fd(), attach_type) {
        Ok(true) => Left::Removed(format!("the program on the cgroup {path}")),
        Ok(false) => Left::Gone,
        Err(error) => told(error),
    }
}

/// What the kernel tells a cgroup from all others by, for as long as the machine runs.
fn inode(cgroup: BorrowedFd<'_>) -> io::Result<u64> {
    Ok(rustix::fs::fstat(cgroup)?.st_ino)
}

fn is_on_cgroup2(file: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(rustix::fs::fstatfs(file)?.f_type == CGROUP2)
}

/// Ids of the programs that are attached to a cgroup itself.
fn attached(cgroup: BorrowedFd<'_>, attach_type: u32) -> Result<Vec<u32>, i32> {
    // The kernel takes 64 at a place, and all security hooks of a cgroup are asked for as one.
    const MAX: usize = 64 * 16;
    let mut ids = vec![0; MAX];
    let mut flags = vec![0; MAX];
    let mut options = sys::bpf_prog_query_opts {
        sz: size_of::<sys::bpf_prog_query_opts>() as _,
        prog_ids: ids.as_mut_ptr(),
        ..Default::default()
    };
    options.__bindgen_anon_1.count = MAX as u32;
    // Of these the kernel lists no programs without their flags; before 6.0, which does not have them, it takes no room for flags.
    if attach_type == sys::BPF_LSM_CGROUP {
        options.prog_attach_flags = flags.as_mut_ptr();
    }
    // SAFETY: there is room for `count` ids and flags.
    let answer =
        unsafe { sys::bpf_prog_query_opts(cgroup.as_raw_fd(), attach_type, &raw mut options) };
    if answer < 0 {
        return Err(-answer);
    }
    // SAFETY: the union's fields are one number by two names.
    ids.truncate(unsafe { options.__bindgen_anon_1.count } as usize);
    Ok(ids)
}
