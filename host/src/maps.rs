//! `maps.wit`.

use std::ffi::{CStr, CString, c_void};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::ptr;
use std::sync::Arc;

use wasmtime::component::Resource;

use crate::bindings::maps::{Host, HostMap, MapInfo, UpdateMode};
use crate::bindings::types::{ErrorCode, MapType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{CodeResult, Errno, Failure, FailureResult, code_of_errno};
use crate::messages;
use crate::policy::{Need, Reservation, Usage, map_memory};

/// A map in the kernel, by a descriptor of its own.
pub struct Map {
    fd: OwnedFd,
    info: MapInfo,
    access: Access,
    /// The map is in the kernel as long as any descriptor of it, whatever became of its object.
    memory: Arc<Reservation>,
    _descriptor: Reservation,
}

/// What the byte functions may do on a kind of map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Everything.
    Full,
    /// Values stand for kernel objects: reading gives ids, deleting takes out what is there, but a number from a component must
    /// not become an object.
    NoUpdate,
    /// No keys, or keys that are descriptors of the host, or values that the kernel reads in place of writing.
    None,
}

impl Access {
    fn of(kind: MapType, key_size: u32) -> Self {
        match kind {
            MapType::Hash
            | MapType::Array
            | MapType::PercpuHash
            | MapType::PercpuArray
            | MapType::LruHash
            | MapType::LruPercpuHash
            | MapType::LpmTrie
            | MapType::StackTrace
                if key_size > 0 =>
            {
                Self::Full
            }
            MapType::ProgArray
            | MapType::PerfEventArray
            | MapType::CgroupArray
            | MapType::ArrayOfMaps
            | MapType::HashOfMaps
            | MapType::Devmap
            | MapType::DevmapHash
            | MapType::Cpumap
            | MapType::Xskmap
            | MapType::Sockmap
            | MapType::Sockhash
            | MapType::ReuseportSockarray => Self::NoUpdate,
            _ => Self::None,
        }
    }
}

/// CPUs that per-CPU values are made for. The kernel copies a value for each of them without asking how long our buffer is, so
/// without this number no per-CPU value may be touched.
pub(crate) fn possible_cpus() -> std::io::Result<u32> {
    // SAFETY: takes no argument; the answer is kept by libbpf after the first call.
    let cpus = unsafe { libbpf_sys::libbpf_num_possible_cpus() };
    match u32::try_from(cpus) {
        Ok(cpus) if cpus > 0 => Ok(cpus),
        _ => Err(std::io::Error::from_raw_os_error(-cpus)),
    }
}

/// The same for estimates of memory.
pub(crate) fn estimated_cpus() -> u32 {
    possible_cpus().unwrap_or(1)
}

impl Map {
    /// Takes over a descriptor. `name` where the kernel's own, cut to 15 characters, is not the one to show. `memory` is what the map
    /// takes of the limits.
    pub(crate) fn from_fd(
        usage: &Usage,
        fd: OwnedFd,
        name: Option<&str>,
        memory: Arc<Reservation>,
    ) -> CodeResult<Self> {
        let descriptor = usage
            .reserve(Need {
                descriptors: 1,
                ..Need::default()
            })
            .map_err(|_| ErrorCode::LimitExceeded)?;
        let mut info = libbpf_sys::bpf_map_info::default();
        let mut length = size_of_val(&info) as u32;
        // SAFETY: `info` is a plain struct of `length` bytes.
        let answer = unsafe {
            libbpf_sys::bpf_map_get_info_by_fd(fd.as_raw_fd(), &raw mut info, &raw mut length)
        };
        done(answer)?;
        let kind = MapType::from_kernel(info.type_);
        let value_length = match kind {
            MapType::PercpuHash
            | MapType::PercpuArray
            | MapType::LruPercpuHash
            | MapType::PercpuCgroupStorage => {
                // The kernel limits a value to 32 KiB and there are some thousands of CPUs at most.
                info.value_size.next_multiple_of(8) * possible_cpus()?
            }
            _ => info.value_size,
        };
        let kernel_name = || {
            // SAFETY: the kernel ends names with a zero within the array.
            unsafe { CStr::from_ptr(info.name.as_ptr()) }
                .to_string_lossy()
                .into_owned()
        };
        Ok(Self {
            info: MapInfo {
                name: name.map_or_else(kernel_name, str::to_owned),
                type_: kind,
                id: info.id,
                key_size: info.key_size,
                value_size: info.value_size,
                value_length,
                max_entries: info.max_entries,
                flags: info.map_flags,
                extra: info.map_extra,
            },
            access: Access::of(kind, info.key_size),
            fd,
            memory,
            _descriptor: descriptor,
        })
    }

    pub(crate) fn info(&self) -> &MapInfo {
        &self.info
    }

    pub(crate) fn duplicate_fd(&self) -> std::io::Result<OwnedFd> {
        self.fd.try_clone()
    }

    /// What keeps the map's memory counted, for whatever keeps the map.
    pub(crate) fn memory(&self) -> Arc<Reservation> {
        Arc::clone(&self.memory)
    }

    fn check_key(&self, key: &[u8]) -> CodeResult<()> {
        if self.access == Access::None {
            return Err(ErrorCode::NotSupported.into());
        }
        check_length(key, self.info.key_size)
    }

    pub(crate) fn lookup(&self, key: &[u8]) -> CodeResult<Option<Vec<u8>>> {
        self.check_key(key)?;
        let mut value = vec![0; self.info.value_length as usize];
        // SAFETY: `key` has key_size bytes and `value` the length that the kernel fills for this kind of map.
        let answer = unsafe {
            libbpf_sys::bpf_map_lookup_elem(
                self.fd.as_raw_fd(),
                key.as_ptr().cast(),
                value.as_mut_ptr().cast(),
            )
        };
        Ok(found(answer)?.then_some(value))
    }

    fn next_key(&self, after: Option<&[u8]>, next: &mut [u8]) -> CodeResult<bool> {
        debug_assert_eq!(next.len(), self.info.key_size as usize);
        let after = after.map_or(ptr::null(), <[u8]>::as_ptr);
        // SAFETY: both keys have key_size bytes; a null `after` asks for the first.
        let answer = unsafe {
            libbpf_sys::bpf_map_get_next_key(
                self.fd.as_raw_fd(),
                after.cast::<c_void>(),
                next.as_mut_ptr().cast(),
            )
        };
        found(answer)
    }
}

fn check_length(bytes: &[u8], expected: u32) -> CodeResult<()> {
    if bytes.len() == expected as usize {
        Ok(())
    } else {
        Err(ErrorCode::WrongSize.into())
    }
}

/// libbpf's answer (0 or a negative errno) where ENOENT is no failure.
fn found(answer: i32) -> CodeResult<bool> {
    match answer {
        0.. => Ok(true),
        _ if answer == -libc::ENOENT => Ok(false),
        _ => Err(code_of_errno(-answer).into()),
    }
}

fn done(answer: i32) -> CodeResult<()> {
    if answer < 0 {
        Err(code_of_errno(-answer).into())
    } else {
        Ok(())
    }
}

/// Keys that one call of `keys` returns at most, in bytes.
const MAX_KEY_BYTES: usize = 1 << 20;

/// Flags for creation that change nothing outside the map.
const KNOWN_FLAGS: u32 = libbpf_sys::BPF_F_NO_PREALLOC
    | libbpf_sys::BPF_F_NO_COMMON_LRU
    | libbpf_sys::BPF_F_ZERO_SEED
    | libbpf_sys::BPF_F_RDONLY_PROG
    | libbpf_sys::BPF_F_WRONLY_PROG
    | libbpf_sys::BPF_F_MMAPABLE
    | libbpf_sys::BPF_F_INNER_MAP;

impl Host for WasmBpfCtxView<'_> {}

impl HostMap for WasmBpfCtxView<'_> {
    fn create(
        &mut self,
        name: String,
        kind: MapType,
        key_size: u32,
        value_size: u32,
        max_entries: u32,
        flags: u32,
    ) -> FailureResult<Resource<Map>> {
        let kind = MapType::from_kernel(kind.to_kernel());
        let refuse = |code, why: String| {
            Failure::refused(code, format!("cannot create the map `{name}`: {why}")).about(&name)
        };
        let name_is_good = name.len() <= 15
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
        if !name_is_good {
            return Err(refuse(
                ErrorCode::InvalidArgument,
                "a name has at most 15 letters, digits, `_` and `.`".into(),
            ));
        }
        if flags & !KNOWN_FLAGS != 0 {
            return Err(refuse(
                ErrorCode::InvalidArgument,
                format!("the flags {:#x} are not known here", flags & !KNOWN_FLAGS),
            ));
        }
        if matches!(
            kind,
            MapType::ArrayOfMaps
                | MapType::HashOfMaps
                | MapType::StructOps
                | MapType::SkStorage
                | MapType::InodeStorage
                | MapType::TaskStorage
                | MapType::CgrpStorage
        ) {
            return Err(refuse(
                ErrorCode::NotSupported,
                format!(
                    "a map of type {} needs more than sizes; declare it in an object",
                    kind.name()
                ),
            ));
        }
        self.ctx.policy.check_map(&name, kind)?;
        let need = Need {
            maps: 1,
            map_memory: map_memory(kind, key_size, value_size, max_entries, estimated_cpus()),
            ..Need::default()
        };
        let held = self
            .ctx
            .usage
            .reserve(need)
            .map_err(|limit| refuse(ErrorCode::LimitExceeded, limit.to_string()))?;
        let c_name = CString::new(name.as_str()).expect("checked: no zero among the characters");
        let options = libbpf_sys::bpf_map_create_opts {
            sz: size_of::<libbpf_sys::bpf_map_create_opts>() as _,
            map_flags: flags,
            ..Default::default()
        };
        let (answer, warnings) = messages::collect(self.ctx.messages.as_ref(), || {
            // SAFETY: name and options outlive the call.
            unsafe {
                libbpf_sys::bpf_map_create(
                    kind.to_kernel(),
                    c_name.as_ptr(),
                    key_size,
                    value_size,
                    max_entries,
                    &raw const options,
                )
            }
        });
        if answer < 0 {
            let mut text = format!(
                "cannot create the map `{name}` (type {}, key {key_size}, value {value_size}, entries {max_entries}, \
                 flags {flags:#x}): {}",
                kind.name(),
                Errno(-answer),
            );
            crate::objects::append_warnings(&mut text, &warnings);
            crate::objects::append_capabilities(&mut text, -answer);
            return Err(Failure::errno_of_creation(-answer, text).about(name));
        }
        // SAFETY: the kernel just made this descriptor for us.
        let fd = unsafe { OwnedFd::from_raw_fd(answer) };
        let map = Map::from_fd(&self.ctx.usage, fd, None, Arc::new(held)).map_err(|error| {
            let text = format!("cannot take a handle to the map `{name}`");
            Failure::of(error, text).about(&name)
        })?;
        Ok(self.table.push(map)?)
    }

    fn info(&mut self, map: Resource<Map>) -> wasmtime::Result<MapInfo> {
        Ok(self.table.get(&map)?.info.clone())
    }

    fn lookup(&mut self, map: Resource<Map>, key: Vec<u8>) -> CodeResult<Option<Vec<u8>>> {
        self.table.get(&map)?.lookup(&key)
    }

    fn update(
        &mut self,
        map: Resource<Map>,
        key: Vec<u8>,
        value: Vec<u8>,
        mode: UpdateMode,
    ) -> CodeResult<()> {
        let map = self.table.get(&map)?;
        map.check_key(&key)?;
        if map.access != Access::Full {
            return Err(ErrorCode::NotSupported.into());
        }
        check_length(&value, map.info.value_length)?;
        let flags = match mode {
            UpdateMode::Any => libbpf_sys::BPF_ANY,
            UpdateMode::Create => libbpf_sys::BPF_NOEXIST,
            UpdateMode::Replace => libbpf_sys::BPF_EXIST,
        };
        // SAFETY: `key` has key_size bytes and `value` the length that the kernel reads for this kind of map.
        done(unsafe {
            libbpf_sys::bpf_map_update_elem(
                map.fd.as_raw_fd(),
                key.as_ptr().cast(),
                value.as_ptr().cast(),
                flags.into(),
            )
        })
    }

    fn delete(&mut self, map: Resource<Map>, key: Vec<u8>) -> CodeResult<bool> {
        let map = self.table.get(&map)?;
        map.check_key(&key)?;
        // SAFETY: `key` has key_size bytes.
        found(unsafe { libbpf_sys::bpf_map_delete_elem(map.fd.as_raw_fd(), key.as_ptr().cast()) })
    }

    fn lookup_and_delete(
        &mut self,
        map: Resource<Map>,
        key: Vec<u8>,
    ) -> CodeResult<Option<Vec<u8>>> {
        let map = self.table.get(&map)?;
        map.check_key(&key)?;
        let mut value = vec![0; map.info.value_length as usize];
        // SAFETY: as for `lookup`.
        let answer = unsafe {
            libbpf_sys::bpf_map_lookup_and_delete_elem(
                map.fd.as_raw_fd(),
                key.as_ptr().cast(),
                value.as_mut_ptr().cast(),
            )
        };
        Ok(found(answer)?.then_some(value))
    }

    fn next_key(
        &mut self,
        map: Resource<Map>,
        after: Option<Vec<u8>>,
    ) -> CodeResult<Option<Vec<u8>>> {
        let map = self.table.get(&map)?;
        let mut next = vec![0; map.info.key_size as usize];
        map.check_key(after.as_deref().unwrap_or(&next))?;
        Ok(map.next_key(after.as_deref(), &mut next)?.then_some(next))
    }

    fn keys(
        &mut self,
        map: Resource<Map>,
        after: Option<Vec<u8>>,
        max: u32,
    ) -> CodeResult<Vec<u8>> {
        let map = self.table.get(&map)?;
        let size = map.info.key_size as usize;
        if max == 0 {
            return Err(ErrorCode::InvalidArgument.into());
        }
        match &after {
            Some(after) => map.check_key(after)?,
            None if map.access == Access::None => return Err(ErrorCode::NotSupported.into()),
            None => {}
        }
        // `max` is guest-controlled; a map may have more entries than fit, and grow while it is walked.
        let most = (max as usize)
            .min(map.info.max_entries as usize)
            .min((MAX_KEY_BYTES / size).max(1));
        let mut keys: Vec<u8> = Vec::new();
        let mut after = after;
        let mut next = vec![0; size];
        for _ in 0..most {
            if !map.next_key(after.as_deref(), &mut next)? {
                break;
            }
            keys.extend_from_slice(&next);
            after.get_or_insert_default().clone_from(&next);
        }
        Ok(keys)
    }

    fn drop(&mut self, map: Resource<Map>) -> wasmtime::Result<()> {
        self.table.delete(map)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_no_objects() {
        for number in 0..64 {
            let kind = MapType::from_kernel(number);
            let full = matches!(
                kind.name().as_str(),
                "hash"
                    | "array"
                    | "percpu-hash"
                    | "percpu-array"
                    | "lru-hash"
                    | "lru-percpu-hash"
                    | "lpm-trie"
                    | "stack-trace"
            );
            assert_eq!(Access::of(kind, 4) == Access::Full, full, "{}", kind.name());
        }
        // Keys of storages are descriptors; a bloom filter reads the value that a lookup is to fill.
        for kind in [
            MapType::TaskStorage,
            MapType::SkStorage,
            MapType::BloomFilter,
        ] {
            assert_eq!(Access::of(kind, 4), Access::None);
        }
    }

    #[test]
    fn lengths_are_exact() {
        assert!(check_length(&[0; 4], 4).is_ok());
        assert!(check_length(&[0; 3], 4).is_err());
        assert!(check_length(&[0; 5], 4).is_err());
        assert!(check_length(&[], u32::MAX).is_err());
    }
}
