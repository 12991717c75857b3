//! Maps outside any object.

use std::ffi::CString;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::sync::Arc;

use wasmtime::component::Resource;

use super::{Map, MapMemory, estimated_cpus};
use crate::bindings::maps::HostCreateOptions;
use crate::bindings::types::{ErrorCode, MapType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{CodeResult, Errno, Failure, FailureResult};
use crate::messages;
use crate::objects::{append_capabilities, append_warnings};
use crate::policy::{Need, map_memory};

/// What a map is made with besides its sizes.
#[derive(Default)]
pub struct CreateOptions {
    flags: u32,
    extra: u64,
    inner: Option<Map>,
    numa_node: u32,
}

/// Flags for creation that change nothing outside the map. BPF_F_RB_OVERWRITE is not among them: records would change while they are read.
const KNOWN_FLAGS: u32 = libbpf_sys::BPF_F_NO_PREALLOC
    | libbpf_sys::BPF_F_NO_COMMON_LRU
    | libbpf_sys::BPF_F_ZERO_SEED
    | libbpf_sys::BPF_F_RDONLY_PROG
    | libbpf_sys::BPF_F_WRONLY_PROG
    | libbpf_sys::BPF_F_MMAPABLE
    | libbpf_sys::BPF_F_INNER_MAP
    | libbpf_sys::BPF_F_NUMA_NODE
    | libbpf_sys::BPF_F_RDONLY
    | libbpf_sys::BPF_F_WRONLY
    | libbpf_sys::BPF_F_STACK_BUILD_ID
    | libbpf_sys::BPF_F_PRESERVE_ELEMS
    | libbpf_sys::BPF_F_SEGV_ON_FAULT
    | libbpf_sys::BPF_F_NO_USER_CONV;

impl HostCreateOptions for WasmBpfCtxView<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<CreateOptions>> {
        Ok(self.table.push(CreateOptions::default())?)
    }

    fn set_flags(&mut self, options: Resource<CreateOptions>, flags: u32) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.flags = flags;
        Ok(())
    }

    fn set_extra(&mut self, options: Resource<CreateOptions>, extra: u64) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.extra = extra;
        Ok(())
    }

    fn set_inner_map(
        &mut self,
        options: Resource<CreateOptions>,
        inner: Resource<Map>,
    ) -> CodeResult<()> {
        let inner = self.table.get(&inner)?.try_clone(&self.ctx.usage)?;
        self.table.get_mut(&options)?.inner = Some(inner);
        Ok(())
    }

    fn set_numa_node(
        &mut self,
        options: Resource<CreateOptions>,
        node: u32,
    ) -> wasmtime::Result<()> {
        let options = self.table.get_mut(&options)?;
        options.numa_node = node;
        options.flags |= libbpf_sys::BPF_F_NUMA_NODE;
        Ok(())
    }

    fn drop(&mut self, options: Resource<CreateOptions>) -> wasmtime::Result<()> {
        self.table.delete(options)?;
        Ok(())
    }
}

impl WasmBpfCtxView<'_> {
    /// Makes a map.
    pub(super) fn create_map(
        &mut self,
        name: String,
        kind: MapType,
        [key_size, value_size, max_entries]: [u32; 3],
        options: &Resource<CreateOptions>,
    ) -> FailureResult<Resource<Map>> {
        let kind = MapType::from_kernel(kind.to_kernel());
        let CreateOptions {
            flags,
            extra,
            inner,
            numa_node,
        } = self.table.get(options)?;
        let (flags, extra) = (*flags, *extra);
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
        let of_maps = matches!(kind, MapType::ArrayOfMaps | MapType::HashOfMaps);
        let remedy = match kind {
            _ if of_maps && inner.is_none() => {
                Some("give set-inner-map one like those it will hold")
            }
            MapType::StructOps
            | MapType::SkStorage
            | MapType::InodeStorage
            | MapType::TaskStorage
            | MapType::CgrpStorage => Some("declare it in an object"),
            _ => None,
        };
        if let Some(remedy) = remedy {
            let why = format!(
                "a map of type {} needs more than sizes and flags; {remedy}",
                kind.name()
            );
            return Err(refuse(ErrorCode::NotSupported, why));
        }
        if inner.is_some() && !of_maps {
            let why = format!("a map of type {} holds no maps", kind.name());
            return Err(refuse(ErrorCode::InvalidArgument, why));
        }
        // An arena's is the address that it is mapped at, whatever is there.
        if extra != 0 && !matches!(kind, MapType::BloomFilter) {
            let why = format!("a map of type {} takes no extra", kind.name());
            return Err(refuse(ErrorCode::InvalidArgument, why));
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
            map_extra: extra,
            numa_node: *numa_node,
            inner_map_fd: inner
                .as_ref()
                .map_or(0, |inner| inner.as_fd().as_raw_fd() as u32),
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
            append_warnings(&mut text, &warnings);
            append_capabilities(&mut text, -answer);
            // The kernel says the same of a kind that it does not have as of wrong sizes.
            let failure = if answer == -libc::EINVAL && !is_known(kind) {
                text.push_str("; this kernel does not have this kind of map");
                Failure::new(ErrorCode::NotSupported, -answer, text)
            } else {
                Failure::errno_of_creation(-answer, text)
            };
            return Err(failure.about(name));
        }
        // SAFETY: the kernel just made this descriptor for us.
        let fd = unsafe { OwnedFd::from_raw_fd(answer) };
        let memory = Arc::new(MapMemory::new(held));
        let map = Map::from_fd(&self.ctx.usage, fd, None, memory).map_err(|error| {
            let text = format!("cannot take a handle to the map `{name}`");
            Failure::of(error, text).about(&name)
        })?;
        Ok(self.table.push(map)?)
    }
}

/// Whether the kernel has this kind of map. Of kinds that libbpf does not know it is taken that the kernel does not either.
fn is_known(kind: MapType) -> bool {
    // SAFETY: a number, and no options.
    unsafe { libbpf_sys::libbpf_probe_bpf_map_type(kind.to_kernel(), std::ptr::null()) > 0 }
}
