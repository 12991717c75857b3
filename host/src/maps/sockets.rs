//! What maps have to do with sockets: those that hold them, and those that hold values for them.

use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::sync::Arc;

use super::{Map, ProgramMemory, check_length, done, flags_of, found};
use crate::bindings::maps::UpdateMode;
use crate::bindings::types::{ErrorCode, MapType};
use crate::error::{CodeResult, Errno, Failure, FailureResult};

impl Map {
    /// Stores a socket. It does not count: the kernel takes it out when it is closed. What is attached to the map now stays with the socket, whatever
    /// becomes of the map.
    pub(crate) fn store_socket(
        &self,
        key: &[u8],
        socket: BorrowedFd<'_>,
        mode: UpdateMode,
    ) -> FailureResult<Vec<Arc<ProgramMemory>>> {
        let name = &self.info.name;
        let refuse = |code, why: &str| {
            let text = format!("cannot store a socket in the map `{name}`: {why}");
            Err(Failure::refused(code, text).about(name))
        };
        match self.info.type_ {
            MapType::Sockmap | MapType::Sockhash | MapType::ReuseportSockarray => {}
            MapType::Xskmap => {
                return refuse(
                    ErrorCode::NotSupported,
                    "it takes AF_XDP sockets, whose rings in memory this interface does not share with components",
                );
            }
            other => {
                let why = format!("a map of type {} holds no sockets", other.name());
                return refuse(ErrorCode::NotSupported, &why);
            }
        }
        if key.len() != self.info.key_size as usize {
            let why = format!(
                "the key has {} bytes in place of {}",
                key.len(),
                self.info.key_size
            );
            return refuse(ErrorCode::WrongSize, &why);
        }
        let number = socket.as_raw_fd();
        let (four, eight) = (number.to_ne_bytes(), i64::from(number).to_ne_bytes());
        let value: &[u8] = match self.info.value_size {
            4 => &four,
            8 => &eight,
            _ => {
                return refuse(
                    ErrorCode::WrongSize,
                    "its values have neither 4 nor 8 bytes",
                );
            }
        };
        // SAFETY: key and value have the lengths of the map.
        let answer = unsafe {
            libbpf_sys::bpf_map_update_elem(
                self.fd.as_raw_fd(),
                key.as_ptr().cast(),
                value.as_ptr().cast(),
                flags_of(mode),
            )
        };
        if answer < 0 {
            let text = format!(
                "cannot store a socket in the map `{name}`: {}",
                Errno(-answer)
            );
            return Err(Failure::errno(-answer, text).about(name));
        }
        Ok(self.memory.attached())
    }

    /// Keys of these maps are descriptors of the host, and so never from a component.
    fn demand_storage_of_sockets(&self) -> CodeResult<()> {
        if matches!(self.info.type_, MapType::SkStorage) && self.info.key_size == 4 {
            Ok(())
        } else {
            Err(ErrorCode::NotSupported.into())
        }
    }

    pub(crate) fn lookup_of_socket(&self, socket: BorrowedFd<'_>) -> CodeResult<Option<Vec<u8>>> {
        self.demand_storage_of_sockets()?;
        let key = socket.as_raw_fd().to_ne_bytes();
        let mut value = vec![0; self.info.value_length as usize];
        Ok(self.lookup_into(&key, &mut value)?.then_some(value))
    }

    pub(crate) fn update_of_socket(
        &self,
        socket: BorrowedFd<'_>,
        value: &[u8],
        mode: UpdateMode,
    ) -> CodeResult<()> {
        self.demand_storage_of_sockets()?;
        check_length(value, self.info.value_length)?;
        let key = socket.as_raw_fd().to_ne_bytes();
        // SAFETY: the key has 4 bytes and the value value_size.
        done(unsafe {
            libbpf_sys::bpf_map_update_elem(
                self.fd.as_raw_fd(),
                key.as_ptr().cast(),
                value.as_ptr().cast(),
                flags_of(mode),
            )
        })
    }

    pub(crate) fn delete_of_socket(&self, socket: BorrowedFd<'_>) -> CodeResult<bool> {
        self.demand_storage_of_sockets()?;
        let key = socket.as_raw_fd().to_ne_bytes();
        // SAFETY: the key has 4 bytes.
        found(unsafe { libbpf_sys::bpf_map_delete_elem(self.fd.as_raw_fd(), key.as_ptr().cast()) })
    }
}
