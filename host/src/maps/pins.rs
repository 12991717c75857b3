//! Names in a BPF file system.

use std::collections::{BTreeSet, HashMap};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Weak};

use libbpf_sys as sys;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, fstat, fstatfs, mkdirat, openat2, unlinkat,
};
use rustix::io::Errno as OsErrno;

use super::{Map, MapMemory, estimated_cpus};
use crate::bindings::types::{ErrorCode, MapType};
use crate::ctx::WasmBpfCtx;
use crate::error::{Errno, Failure, FailureResult};
use crate::policy::{Need, Policy, map_memory};

/// The maps that a component pinned or opened by a pin. A pinned map is in the kernel without any handle; what it takes goes on
/// counting as long as the component runs, or until it removes the pin.
#[derive(Debug, Default)]
pub(crate) struct Pins(HashMap<u32, Pinned>);

#[derive(Debug)]
struct Pinned {
    memory: Weak<MapMemory>,
    /// Set as soon as the map counts without a handle: the component pinned it, or stored something in it.
    kept: Option<Arc<MapMemory>>,
    paths: BTreeSet<String>,
}

impl Pins {
    fn add(&mut self, id: u32, memory: &Arc<MapMemory>, path: &str) -> &mut Pinned {
        // Those of others whose handles are gone are of no use any more.
        self.0
            .retain(|_, pinned| pinned.kept.is_some() || pinned.memory.strong_count() > 0);
        let pinned = self.0.entry(id).or_insert_with(|| Pinned {
            memory: Arc::downgrade(memory),
            kept: None,
            paths: BTreeSet::new(),
        });
        pinned.paths.insert(path.to_owned());
        pinned
    }

    fn remove(&mut self, id: u32, path: &str) {
        if let Some(pinned) = self.0.get_mut(&id) {
            pinned.paths.remove(path);
            if pinned.paths.is_empty() {
                self.0.remove(&id);
            }
        }
    }

    /// What is known of a map, if a handle or a pin of this component keeps it.
    pub(crate) fn memory(&self, id: u32) -> Option<Arc<MapMemory>> {
        self.0.get(&id)?.memory.upgrade()
    }

    /// Something was stored in a map: if a pin keeps it, the pin keeps that too.
    pub(crate) fn stored_in(&mut self, map: &Map) {
        if let Some(pinned) = self.0.get_mut(&map.info.id) {
            pinned.kept = Some(map.memory());
        }
    }
}

/// `BPF_FS_MAGIC`.
const BPF_FS: i64 = 0xcafe_4a11;

/// A place in a BPF file system: an open folder and a name in it. The folder was reached without following links, so that it is the one
/// that the grant names.
pub(crate) struct Place {
    folder: OwnedFd,
    name: String,
}

/// What can be pinned. The kernel opens all of them by one call, and answers the same questions about them with other structures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pinnable {
    Map,
    Program,
    Link,
}

impl Pinnable {
    fn name(self) -> &'static str {
        match self {
            Self::Map => "map",
            Self::Program => "program",
            Self::Link => "link",
        }
    }

    /// By the name that the kernel gives its descriptors.
    fn of(descriptor: &str) -> Option<Self> {
        match descriptor {
            "anon_inode:bpf-map" => Some(Self::Map),
            "anon_inode:bpf-prog" => Some(Self::Program),
            "anon_inode:bpf-link" | "anon_inode:bpf_link" => Some(Self::Link),
            _ => None,
        }
    }
}

impl Place {
    /// Below the open folder, whatever is done to the path meanwhile.
    fn path(&self) -> CString {
        let path = format!("/proc/self/fd/{}/{}", self.folder.as_raw_fd(), self.name);
        CString::new(path).expect("checked: no zero in the name")
    }

    /// What is pinned here, and must be of this kind.
    fn open(&self, wanted: Pinnable) -> Result<OwnedFd, String> {
        // Held, so that nobody can put a link in its place between the look and the opening.
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let pin = rustix::fs::openat(&self.folder, &self.name, flags, Mode::empty())
            .map_err(|error| Errno(error.raw_os_error()).to_string())?;
        let is_link =
            fstat(&pin).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_symlink());
        if is_link {
            return Err("it is a symbolic link, which is not followed".to_owned());
        }
        let path = CString::new(format!("/proc/self/fd/{}", pin.as_raw_fd()));
        let path = path.expect("a number has no zero byte");
        // SAFETY: the path outlives the call.
        let fd = unsafe { sys::bpf_obj_get(path.as_ptr()) };
        if fd < 0 {
            return Err(Errno(-fd).to_string());
        }
        // SAFETY: just made for us.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let kind = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()))
            .map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EIO)).to_string())?;
        let kind = kind.display().to_string();
        match Pinnable::of(&kind) {
            Some(kind) if kind == wanted => Ok(fd),
            _ => Err(format!(
                "it is no {}, but {}",
                wanted.name(),
                kind.trim_start_matches("anon_inode:")
            )),
        }
    }
}

/// What is to be done, for messages.
pub(crate) struct Task<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) what: String,
    pub(crate) subject: String,
    pub(crate) path: &'a str,
}

impl Task<'_> {
    pub(crate) fn refuse(&self, code: ErrorCode, why: &str) -> Failure {
        Failure::refused(code, format!("cannot {}: {why}", self.what)).about(&self.subject)
    }

    pub(crate) fn failed(&self, errno: i32) -> Failure {
        Failure::errno(errno, format!("cannot {}: {}", self.what, Errno(errno)))
            .about(&self.subject)
    }

    /// Whether the path is granted.
    pub(crate) fn check(&self) -> FailureResult<()> {
        self.policy
            .check_pin(self.path, || format!("to {}", self.what))
            .map_err(|missing| Failure::from(missing).about(&self.subject))
    }

    /// Looks the place up; `make` makes the last folder if it is missing.
    fn place(&self, make: bool) -> FailureResult<Place> {
        self.check()?;
        let bad = |why| self.refuse(ErrorCode::InvalidArgument, why);
        check_path(self.path).map_err(bad)?;
        let path = Path::new(self.path);
        let (Some(folder), Some(name)) = (
            path.parent(),
            path.file_name().and_then(|name| name.to_str()),
        ) else {
            return Err(bad("it names nothing"));
        };
        let folder = match open_folder(folder) {
            Err(OsErrno::NOENT) if make => self.make(folder)?,
            other => other.map_err(|error| self.folder_failed(error))?,
        };
        self.demand_bpf_fs(&folder)?;
        Ok(Place {
            folder,
            name: name.to_owned(),
        })
    }

    fn folder_failed(&self, error: OsErrno) -> Failure {
        match error {
            OsErrno::LOOP => self.refuse(
                ErrorCode::InvalidArgument,
                "a folder of the path is a symbolic link, which is not followed",
            ),
            error => self.failed(error.raw_os_error()),
        }
    }

    fn demand_bpf_fs(&self, folder: &OwnedFd) -> FailureResult<()> {
        let found = fstatfs(folder).map_err(|error| self.failed(error.raw_os_error()))?;
        // The type's width and sign differ between machines.
        if i64::from(found.f_type as u32) == BPF_FS {
            return Ok(());
        }
        Err(self.refuse(
            ErrorCode::InvalidArgument,
            "it is not in a BPF file system; one is usually mounted at /sys/fs/bpf (mount -t bpf bpf /sys/fs/bpf)",
        ))
    }

    fn make(&self, folder: &Path) -> FailureResult<OwnedFd> {
        let failed = |error: OsErrno| self.folder_failed(error);
        let (Some(above), Some(name)) = (folder.parent(), folder.file_name()) else {
            return Err(self.failed(libc::ENOENT));
        };
        let above = open_folder(above).map_err(failed)?;
        self.demand_bpf_fs(&above)?;
        match mkdirat(&above, name, Mode::RWXU) {
            // Somebody else was first.
            Ok(()) | Err(OsErrno::EXIST) => open_folder(folder).map_err(failed),
            Err(error) => Err(failed(error)),
        }
    }
}

/// Why a path cannot be one to pin at.
pub(crate) fn check_path(path: &str) -> Result<(), &'static str> {
    // Guest-controlled: what `Path` would tidy up silently is refused.
    let is_plain = path.starts_with('/')
        && !path.ends_with('/')
        && path[1..]
            .split('/')
            .all(|part| !matches!(part, "" | "." | ".."));
    if !is_plain {
        return Err("the path is not absolute, or has empty parts, `.` or `..`");
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.contains('.') || path.contains('\0') {
        return Err("BPF file systems take no names with dots");
    }
    Ok(())
}

impl Task<'_> {
    /// Gives `object` the name.
    pub(crate) fn pin(&self, object: BorrowedFd<'_>) -> FailureResult<()> {
        let place = self.place(true)?;
        // SAFETY: the path outlives the call.
        let answer = unsafe { sys::bpf_obj_pin(object.as_raw_fd(), place.path().as_ptr()) };
        if answer < 0 {
            return Err(self.failed(-answer));
        }
        Ok(())
    }

    /// Takes the name away from what is of this kind, and which `is_it` knows.
    pub(crate) fn unpin(
        &self,
        kind: Pinnable,
        is_it: impl FnOnce(&OwnedFd) -> io::Result<bool>,
    ) -> FailureResult<()> {
        let place = self.place(false)?;
        let pinned = self.open_at(&place, kind)?;
        let is_it = is_it(&pinned)
            .map_err(|error| self.failed(error.raw_os_error().unwrap_or(libc::EIO)))?;
        if !is_it {
            return Err(self.refuse(
                ErrorCode::InvalidArgument,
                &format!(
                    "another {} is pinned there, which is left alone",
                    kind.name()
                ),
            ));
        }
        unlinkat(&place.folder, &place.name, AtFlags::empty())
            .map_err(|error| self.failed(error.raw_os_error()))
    }

    /// What is pinned at the path, and its name there.
    pub(crate) fn open(&self, kind: Pinnable) -> FailureResult<(OwnedFd, String)> {
        let place = self.place(false)?;
        let fd = self.open_at(&place, kind)?;
        Ok((fd, place.name))
    }

    fn open_at(&self, place: &Place, kind: Pinnable) -> FailureResult<OwnedFd> {
        if rustix::fs::statat(&place.folder, &place.name, AtFlags::SYMLINK_NOFOLLOW)
            .is_err_and(|error| error == OsErrno::NOENT)
        {
            return Err(self.failed(libc::ENOENT));
        }
        place
            .open(kind)
            .map_err(|why| self.refuse(ErrorCode::InvalidArgument, &why))
    }
}

fn open_folder(path: &Path) -> Result<OwnedFd, OsErrno> {
    openat2(
        CWD,
        path,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS,
    )
}

pub(super) fn pin(policy: &Policy, pins: &mut Pins, map: &Map, path: &str) -> FailureResult<()> {
    let name = &map.info.name;
    let task = Task {
        policy,
        what: format!("pin the map `{name}` at {path}"),
        subject: name.clone(),
        path,
    };
    map.demand_changeable().map_err(|_| {
        task.refuse(
            ErrorCode::NotPermitted,
            "it was opened by its id, to be read only",
        )
    })?;
    task.pin(map.as_fd())?;
    let memory = map.memory();
    let pinned = pins.add(map.info.id, &memory, path);
    pinned.kept = Some(memory);
    Ok(())
}

pub(super) fn unpin(policy: &Policy, pins: &mut Pins, map: &Map, path: &str) -> FailureResult<()> {
    let name = &map.info.name;
    let task = Task {
        policy,
        what: format!("unpin the map `{name}` at {path}"),
        subject: name.clone(),
        path,
    };
    let id = map.info.id;
    task.unpin(Pinnable::Map, |pinned| Ok(id_of(pinned)? == id))?;
    pins.remove(id, path);
    Ok(())
}

fn info_of(map: &OwnedFd) -> io::Result<sys::bpf_map_info> {
    let mut info = sys::bpf_map_info::default();
    let mut length = size_of_val(&info) as u32;
    // SAFETY: `info` is a plain struct of `length` bytes.
    let answer =
        unsafe { sys::bpf_map_get_info_by_fd(map.as_raw_fd(), &raw mut info, &raw mut length) };
    if answer < 0 {
        return Err(io::Error::from_raw_os_error(-answer));
    }
    Ok(info)
}

fn id_of(map: &OwnedFd) -> io::Result<u32> {
    Ok(info_of(map)?.id)
}

pub(super) fn open(ctx: &mut WasmBpfCtx, path: &str) -> FailureResult<Map> {
    let task = Task {
        policy: &ctx.policy,
        what: format!("open the map that is pinned at {path}"),
        subject: path.to_owned(),
        path,
    };
    let (fd, name) = task.open(Pinnable::Map)?;
    let info =
        info_of(&fd).map_err(|error| task.failed(error.raw_os_error().unwrap_or(libc::EIO)))?;
    let kind = MapType::from_kernel(info.type_);
    ctx.policy
        .check_map(&name, kind)
        .map_err(|missing| Failure::from(missing).about(path))?;
    let memory = match ctx.pins.memory(info.id) {
        Some(memory) => memory,
        None => {
            let need = Need {
                maps: 1,
                map_memory: map_memory(
                    kind,
                    info.key_size,
                    info.value_size,
                    info.max_entries,
                    estimated_cpus(),
                ),
                ..Need::default()
            };
            let held = ctx
                .usage
                .reserve(need)
                .map_err(|limit| task.refuse(ErrorCode::LimitExceeded, &limit.to_string()))?;
            Arc::new(MapMemory::new(held))
        }
    };
    let map = Map::from_fd(&ctx.usage, fd, None, Arc::clone(&memory))
        .map_err(|error| Failure::of(error, format!("cannot {}", task.what)).about(path))?;
    ctx.pins.add(info.id, &memory, path);
    Ok(map)
}
