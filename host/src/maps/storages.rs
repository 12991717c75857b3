//! Local storages, whose values belong to processes, files and cgroups.

use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};

use libbpf_sys as sys;
use wasmtime::component::Resource;

use super::{Map, check_length, done, flags_of, found};
use crate::bindings::maps::{StorageOwner, UpdateMode};
use crate::bindings::types::{ErrorCode, MapType};
use crate::ctx::WasmBpfCtxView;
use crate::descriptors::HostFile;
use crate::error::{CodeError, CodeResult};

/// An owner, held while the kernel is asked.
pub(super) enum Owner {
    Process(OwnedFd),
    File(HostFile),
}

impl Owner {
    /// What the kernel takes as the key.
    fn key(&self) -> [u8; 4] {
        let fd = match self {
            Self::Process(fd) => fd.as_raw_fd(),
            Self::File(file) => file.as_fd().as_raw_fd(),
        };
        fd.to_ne_bytes()
    }
}

/// Since 6.9, and the same number as O_EXCL.
const PIDFD_THREAD: libc::c_uint = 0o200;

fn open_process(id: u32) -> CodeResult<OwnedFd> {
    // Guest-controlled: the kernel's numbers are positive.
    let id = i32::try_from(id)
        .ok()
        .filter(|id| *id > 0)
        .ok_or(ErrorCode::NoSuchProcess)?;
    let open = |flags: libc::c_uint| {
        // SAFETY: takes numbers only.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, id, flags) };
        if fd < 0 {
            return Err(std::io::Error::last_os_error());
        }
        // SAFETY: the kernel just made this descriptor for us.
        Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
    };
    match open(PIDFD_THREAD) {
        // A kernel that opens processes only; of a thread it says EINVAL once more.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => match open(0) {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                Err(ErrorCode::NotSupported.into())
            }
            other => Ok(other?),
        },
        other => Ok(other?),
    }
}

impl WasmBpfCtxView<'_> {
    /// The owner, if it is of the kind that the map is for.
    pub(super) fn storage_owner(
        &self,
        map: &Resource<Map>,
        owner: StorageOwner,
    ) -> CodeResult<Owner> {
        let kind = self.table.get(map)?.info.type_;
        match (kind, owner) {
            (MapType::TaskStorage, StorageOwner::Task(id)) => Ok(Owner::Process(open_process(id)?)),
            (MapType::InodeStorage, StorageOwner::File(file))
            | (MapType::CgrpStorage, StorageOwner::Cgroup(file)) => {
                Ok(Owner::File(self.host_file(&file)?))
            }
            (MapType::TaskStorage | MapType::InodeStorage | MapType::CgrpStorage, _) => {
                Err(ErrorCode::InvalidArgument.into())
            }
            _ => Err(ErrorCode::NotSupported.into()),
        }
    }
}

/// The kernel's word for a descriptor that stands for something else.
fn of_owner<T>(answer: CodeResult<T>) -> CodeResult<T> {
    match answer {
        Err(CodeError::Code(ErrorCode::Other(libc::EBADF))) => {
            Err(ErrorCode::InvalidArgument.into())
        }
        other => other,
    }
}

impl Map {
    pub(super) fn lookup_of(&self, owner: &Owner) -> CodeResult<Option<Vec<u8>>> {
        let mut value = vec![0; self.info.value_length as usize];
        // SAFETY: keys of these kinds are descriptors, and `value` has value_size bytes.
        let is_there = of_owner(found(unsafe {
            sys::bpf_map_lookup_elem(
                self.fd.as_raw_fd(),
                owner.key().as_ptr().cast(),
                value.as_mut_ptr().cast(),
            )
        }))?;
        Ok(is_there.then_some(value))
    }

    pub(super) fn update_of(
        &self,
        owner: &Owner,
        value: &[u8],
        mode: UpdateMode,
    ) -> CodeResult<()> {
        check_length(value, self.info.value_length)?;
        // SAFETY: as above.
        of_owner(done(unsafe {
            sys::bpf_map_update_elem(
                self.fd.as_raw_fd(),
                owner.key().as_ptr().cast(),
                value.as_ptr().cast(),
                flags_of(mode),
            )
        }))
    }

    /// Whether there was one.
    pub(super) fn delete_of(&self, owner: &Owner) -> CodeResult<bool> {
        // SAFETY: as above.
        of_owner(found(unsafe {
            sys::bpf_map_delete_elem(self.fd.as_raw_fd(), owner.key().as_ptr().cast())
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_those_that_are_there() {
        assert!(open_process(std::process::id()).is_ok());
        for id in [0, u32::MAX, 1 << 31, i32::MAX as u32] {
            assert!(
                matches!(
                    open_process(id),
                    Err(CodeError::Code(ErrorCode::NoSuchProcess))
                ),
                "{id}"
            );
        }
    }
}
