//! `maps.wit`.

mod create;
mod devices;
mod flags;
mod many;
mod memory;
mod number;
pub(crate) mod pins;
mod sockets;
mod storages;
mod walk;

use std::ffi::{CStr, c_void};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::ptr;
use std::sync::{Arc, OnceLock};

use rustix::fs::OFlags;
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;

pub use self::create::CreateOptions;
pub(crate) use self::devices::{store_cpu, store_device};
pub(crate) use self::memory::{Kept, MapMemory, OpenedPerfBuffer, ProgramMemory};
pub(crate) use self::pins::{Pins, check_path};
pub use self::walk::Walk;
use crate::bindings::maps::{
    Deleted, FoundValues, Host, HostMap, MapInfo, StorageOwner, UpdateMode, Updated,
};
use crate::bindings::types::{ErrorCode, MapType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{CodeError, CodeResult, FailureResult, code_of_errno};
use crate::mmap::SharedMapping;
use crate::objects::{LoadedObject, LoadedProgram, ObjectArena};
use crate::policy::{Need, Reservation, Usage};

/// A map in the kernel, by a descriptor of its own.
pub struct Map {
    fd: OwnedFd,
    info: MapInfo,
    access: Access,
    /// The map is in the kernel as long as any descriptor of it, whatever became of its object.
    memory: Arc<MapMemory>,
    /// Where an arena is mapped: the kernel takes one address for it, for ever.
    arena: Arena,
    /// Of a map whose object's programs may go on by themselves, or which has operations that can be registered.
    object: Option<Arc<LoadedObject>>,
    /// Somebody else's, to look at: nothing that could change it may come to have it, whatever the kernel says.
    only_read: bool,
    _descriptor: Reservation,
}

/// Where an arena is mapped.
#[derive(Clone)]
pub(crate) enum Arena {
    /// By libbpf, which made it.
    OfObject(ObjectArena),
    /// By us, when it was first asked for.
    Own(Arc<OnceLock<SharedMapping>>),
}

/// What the byte functions may do on a kind of map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Everything.
    Full,
    /// Values stand for kernel objects: reading gives ids, deleting takes out what is there, but a number from a component must
    /// not become an object.
    NoUpdate,
    /// Values without keys, put in and taken out.
    Queue,
    /// Values without keys, put in and asked for: the kernel reads the buffer of a lookup in place of writing it.
    Bloom,
    /// Other maps without keys, or with keys that are descriptors of the host.
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
            MapType::Queue | MapType::Stack if key_size == 0 => Self::Queue,
            MapType::BloomFilter if key_size == 0 => Self::Bloom,
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
        memory: Arc<MapMemory>,
    ) -> CodeResult<Self> {
        let descriptor = descriptor(usage)?;
        let mut info = libbpf_sys::bpf_map_info::default();
        let mut length = size_of_val(&info) as u32;
        // SAFETY: `info` is a plain struct of `length` bytes.
        let answer = unsafe {
            libbpf_sys::bpf_map_get_info_by_fd(fd.as_raw_fd(), &raw mut info, &raw mut length)
        };
        done(answer)?;
        let kind = MapType::from_kernel(info.type_);
        let value_length = value_length(kind, info.value_size).ok_or(ErrorCode::NotSupported)?;
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
            arena: Arena::Own(Arc::default()),
            object: None,
            only_read: false,
            _descriptor: descriptor,
        })
    }

    /// A second handle to the same map. No system call but that for the descriptor.
    pub(crate) fn try_clone(&self, usage: &Usage) -> CodeResult<Self> {
        Ok(Self {
            _descriptor: descriptor(usage)?,
            fd: self.fd.try_clone()?,
            info: self.info.clone(),
            access: self.access,
            memory: Arc::clone(&self.memory),
            arena: self.arena.clone(),
            object: self.object.clone(),
            only_read: self.only_read,
        })
    }

    /// From now on this handle is for looking. The kernel keeps to it as far as the descriptor goes, but not where it makes the map known by another
    /// way: to a program, in another map, under a name.
    pub(crate) fn only_read(&mut self) {
        self.only_read = true;
    }

    /// Before the map gets to where it could be changed.
    pub(crate) fn demand_changeable(&self) -> CodeResult<()> {
        if self.only_read {
            return Err(ErrorCode::NotPermitted.into());
        }
        Ok(())
    }

    /// Keeps the object as long as this handle.
    pub(crate) fn keep_object(&mut self, object: Arc<LoadedObject>) {
        self.object = Some(object);
    }

    /// The object that is kept.
    pub(crate) fn object(&self) -> Option<&Arc<LoadedObject>> {
        self.object.as_ref()
    }

    /// Says where the arena is mapped, for one of an object.
    pub(crate) fn set_arena(&mut self, arena: ObjectArena) {
        self.arena = Arena::OfObject(arena);
    }

    pub(crate) fn arena(&self) -> &Arena {
        &self.arena
    }

    fn is_percpu(&self) -> bool {
        is_percpu(self.info.type_)
    }

    pub(crate) fn info(&self) -> &MapInfo {
        &self.info
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub(crate) fn duplicate_fd(&self) -> std::io::Result<OwnedFd> {
        self.fd.try_clone()
    }

    /// Whether this descriptor can read values and not change them. The kernel does not say so of the map.
    pub(crate) fn is_read_only(&self) -> bool {
        rustix::fs::fcntl_getfl(&self.fd)
            .is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDONLY)
    }

    /// What keeps the map's memory counted, for whatever keeps the map.
    pub(crate) fn memory(&self) -> Arc<MapMemory> {
        Arc::clone(&self.memory)
    }

    fn has_keys(&self) -> bool {
        matches!(self.access, Access::Full | Access::NoUpdate)
    }

    fn demand(&self, access: Access) -> CodeResult<()> {
        if self.access == access {
            Ok(())
        } else {
            Err(ErrorCode::NotSupported.into())
        }
    }

    fn demand_keys(&self) -> CodeResult<()> {
        if self.has_keys() {
            Ok(())
        } else {
            Err(ErrorCode::NotSupported.into())
        }
    }

    fn check_key(&self, key: &[u8]) -> CodeResult<()> {
        self.demand_keys()?;
        check_length(key, self.info.key_size)
    }

    pub(crate) fn lookup(&self, key: &[u8]) -> CodeResult<Option<Vec<u8>>> {
        self.check_key(key)?;
        let mut value = vec![0; self.info.value_length as usize];
        Ok(self.lookup_into(key, &mut value)?.then_some(value))
    }

    /// Whether the key is there; its value in `value`. The lengths have been checked.
    fn lookup_into(&self, key: &[u8], value: &mut [u8]) -> CodeResult<bool> {
        debug_assert_eq!(key.len(), self.info.key_size as usize);
        debug_assert_eq!(value.len(), self.info.value_length as usize);
        // SAFETY: `key` has key_size bytes and `value` the length that the kernel fills for this kind of map.
        found(unsafe {
            libbpf_sys::bpf_map_lookup_elem(
                self.fd.as_raw_fd(),
                key.as_ptr().cast(),
                value.as_mut_ptr().cast(),
            )
        })
    }

    /// Takes the value of a key out, in one step. The lengths have been checked.
    fn take_into(&self, key: &[u8], value: &mut [u8]) -> CodeResult<bool> {
        debug_assert_eq!(value.len(), self.info.value_length as usize);
        // SAFETY: as for `lookup_into`.
        found(unsafe {
            libbpf_sys::bpf_map_lookup_and_delete_elem(
                self.fd.as_raw_fd(),
                key.as_ptr().cast(),
                value.as_mut_ptr().cast(),
            )
        })
    }

    /// Stores a value. The lengths have been checked, and that the value is no descriptor of the component's choice.
    fn update(&self, key: &[u8], value: &[u8], mode: UpdateMode) -> CodeResult<()> {
        debug_assert_eq!(key.len(), self.info.key_size as usize);
        // SAFETY: `key` has key_size bytes and `value` the length that the kernel reads for this kind of map.
        done(unsafe {
            libbpf_sys::bpf_map_update_elem(
                self.fd.as_raw_fd(),
                key.as_ptr().cast(),
                value.as_ptr().cast(),
                flags_of(mode),
            )
        })
    }

    /// Whether the key was there. Its length has been checked.
    fn delete(&self, key: &[u8]) -> CodeResult<bool> {
        debug_assert_eq!(key.len(), self.info.key_size as usize);
        // SAFETY: `key` has key_size bytes.
        let was_there = found(unsafe {
            libbpf_sys::bpf_map_delete_elem(self.fd.as_raw_fd(), key.as_ptr().cast())
        })?;
        self.let_go(key);
        Ok(was_there)
    }

    /// Only the text about the descriptor has it.
    fn is_frozen(&self) -> CodeResult<bool> {
        let file = format!("/proc/self/fdinfo/{}", self.fd.as_raw_fd());
        let text = std::fs::read_to_string(file)?;
        Ok(text.lines().any(|line| line == "frozen:\t1"))
    }

    /// What was stored under a key does not count any more.
    fn let_go(&self, key: &[u8]) {
        if self.access == Access::NoUpdate {
            self.memory.let_go(key);
        }
    }

    /// Stores a kernel object that the host holds.
    fn store(
        &self,
        key: &[u8],
        object: BorrowedFd<'_>,
        kept: Kept,
        mode: UpdateMode,
    ) -> CodeResult<()> {
        check_length(key, self.info.key_size)?;
        if self.info.value_size != 4 {
            return Err(ErrorCode::WrongSize.into());
        }
        self.update(key, &object.as_raw_fd().to_ne_bytes(), mode)?;
        self.memory.keep(key, kept);
        Ok(())
    }

    pub(crate) fn store_program(
        &self,
        key: &[u8],
        program: &LoadedProgram,
        mode: UpdateMode,
    ) -> CodeResult<()> {
        if !matches!(self.info.type_, MapType::ProgArray) {
            return Err(ErrorCode::NotSupported.into());
        }
        let kept = Kept::Program(Arc::clone(&program.held));
        self.store(key, program.fd(), kept, mode)
    }

    /// Stores a perf event. A perf buffer over the map has its own there, and takes out whatever there is in the end.
    pub(crate) fn store_perf_event(
        &self,
        key: &[u8],
        event: BorrowedFd<'_>,
        held: Arc<Reservation>,
        mode: UpdateMode,
    ) -> CodeResult<()> {
        if !matches!(self.info.type_, MapType::PerfEventArray) {
            return Err(ErrorCode::NotSupported.into());
        }
        if self.memory.has_perf_buffer() {
            return Err(ErrorCode::Busy.into());
        }
        self.store(key, event, Kept::PerfEvent(held), mode)
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

/// Bytes of all values of a key together.
pub(crate) fn value_length(kind: MapType, value_size: u32) -> Option<u32> {
    if !is_percpu(kind) {
        return Some(value_size);
    }
    // The kernel limits a value to 32 KiB and there are some thousands of CPUs at most.
    value_size
        .checked_next_multiple_of(8)?
        .checked_mul(possible_cpus().ok()?)
}

fn is_percpu(kind: MapType) -> bool {
    matches!(
        kind,
        MapType::PercpuHash
            | MapType::PercpuArray
            | MapType::LruPercpuHash
            | MapType::PercpuCgroupStorage
    )
}

impl AsFd for Map {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The place of a handle's descriptor.
fn descriptor(usage: &Usage) -> CodeResult<Reservation> {
    let need = Need {
        descriptors: 1,
        ..Need::default()
    };
    Ok(usage.reserve(need).map_err(|_| ErrorCode::LimitExceeded)?)
}

fn flags_of(mode: UpdateMode) -> u64 {
    let flags = match mode {
        UpdateMode::Any => libbpf_sys::BPF_ANY,
        UpdateMode::Create => libbpf_sys::BPF_NOEXIST,
        UpdateMode::Replace => libbpf_sys::BPF_EXIST,
    };
    flags.into()
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

impl Host for WasmBpfCtxView<'_> {}

impl HostMap for WasmBpfCtxView<'_> {
    fn create(
        &mut self,
        name: String,
        kind: MapType,
        key_size: u32,
        value_size: u32,
        max_entries: u32,
        options: Resource<CreateOptions>,
    ) -> FailureResult<Resource<Map>> {
        self.create_map(name, kind, [key_size, value_size, max_entries], &options)
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
        map.demand(Access::Full)?;
        check_length(&value, map.info.value_length)?;
        map.update(&key, &value, mode)
    }

    fn delete(&mut self, map: Resource<Map>, key: Vec<u8>) -> CodeResult<bool> {
        let map = self.table.get(&map)?;
        map.check_key(&key)?;
        map.delete(&key)
    }

    fn lookup_and_delete(
        &mut self,
        map: Resource<Map>,
        key: Vec<u8>,
    ) -> CodeResult<Option<Vec<u8>>> {
        let map = self.table.get(&map)?;
        map.check_key(&key)?;
        let mut value = vec![0; map.info.value_length as usize];
        let was_there = map.take_into(&key, &mut value)?;
        map.let_go(&key);
        Ok(was_there.then_some(value))
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
            None => map.demand_keys()?,
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

    fn lookup_number(&mut self, map: Resource<Map>, key: u64) -> CodeResult<Option<u64>> {
        self.table.get(&map)?.lookup_number(key)
    }

    fn update_number(
        &mut self,
        map: Resource<Map>,
        key: u64,
        value: u64,
        mode: UpdateMode,
    ) -> CodeResult<()> {
        self.table.get(&map)?.update_number(key, value, mode)
    }

    fn lookup_many(&mut self, map: Resource<Map>, keys: Vec<u8>) -> CodeResult<FoundValues> {
        self.table.get(&map)?.lookup_many(&keys)
    }

    fn update_many(
        &mut self,
        map: Resource<Map>,
        keys: Vec<u8>,
        values: Vec<u8>,
        mode: UpdateMode,
    ) -> CodeResult<Updated> {
        self.table.get(&map)?.update_many(&keys, &values, mode)
    }

    fn delete_many(&mut self, map: Resource<Map>, keys: Vec<u8>) -> CodeResult<Deleted> {
        self.table.get(&map)?.delete_many(&keys)
    }

    fn push(&mut self, map: Resource<Map>, value: Vec<u8>, drop_oldest: bool) -> CodeResult<()> {
        let map = self.table.get(&map)?;
        let flags = match (map.access, drop_oldest) {
            (Access::Queue, true) => libbpf_sys::BPF_EXIST,
            (Access::Queue | Access::Bloom, false) => libbpf_sys::BPF_ANY,
            (Access::Bloom, true) => return Err(ErrorCode::InvalidArgument.into()),
            _ => return Err(ErrorCode::NotSupported.into()),
        };
        check_length(&value, map.info.value_length)?;
        // SAFETY: these kinds have no key, and `value` has value_size bytes.
        done(unsafe {
            libbpf_sys::bpf_map_update_elem(
                map.fd.as_raw_fd(),
                ptr::null(),
                value.as_ptr().cast(),
                flags.into(),
            )
        })
    }

    fn pop(&mut self, map: Resource<Map>) -> CodeResult<Option<Vec<u8>>> {
        let map = self.table.get(&map)?;
        map.demand(Access::Queue)?;
        let mut value = vec![0; map.info.value_length as usize];
        // SAFETY: these kinds have no key, and `value` has value_size bytes.
        let answer = unsafe {
            libbpf_sys::bpf_map_lookup_and_delete_elem(
                map.fd.as_raw_fd(),
                ptr::null(),
                value.as_mut_ptr().cast(),
            )
        };
        Ok(found(answer)?.then_some(value))
    }

    fn peek(&mut self, map: Resource<Map>) -> CodeResult<Option<Vec<u8>>> {
        let map = self.table.get(&map)?;
        map.demand(Access::Queue)?;
        let mut value = vec![0; map.info.value_length as usize];
        // SAFETY: as for `pop`.
        let answer = unsafe {
            libbpf_sys::bpf_map_lookup_elem(
                map.fd.as_raw_fd(),
                ptr::null(),
                value.as_mut_ptr().cast(),
            )
        };
        Ok(found(answer)?.then_some(value))
    }

    fn contains(&mut self, map: Resource<Map>, mut value: Vec<u8>) -> CodeResult<bool> {
        let map = self.table.get(&map)?;
        map.demand(Access::Bloom)?;
        check_length(&value, map.info.value_length)?;
        // SAFETY: as for `pop`; of this kind the kernel reads the value.
        found(unsafe {
            libbpf_sys::bpf_map_lookup_elem(
                map.fd.as_raw_fd(),
                ptr::null(),
                value.as_mut_ptr().cast(),
            )
        })
    }

    fn update_map(
        &mut self,
        map: Resource<Map>,
        key: Vec<u8>,
        inner: Resource<Map>,
        mode: UpdateMode,
    ) -> CodeResult<()> {
        let map = self.table.get(&map)?;
        if !matches!(map.info.type_, MapType::ArrayOfMaps | MapType::HashOfMaps) {
            return Err(ErrorCode::NotSupported.into());
        }
        let inner = self.table.get(&inner)?;
        inner.demand_changeable()?;
        let kept = Kept::Map(inner.memory());
        map.store(&key, inner.as_fd(), kept, mode)?;
        self.ctx.pins.stored_in(map);
        Ok(())
    }

    fn freeze(&mut self, map: Resource<Map>) -> CodeResult<()> {
        let map = self.table.get(&map)?;
        // SAFETY: takes the descriptor only.
        match done(unsafe { libbpf_sys::bpf_map_freeze(map.fd.as_raw_fd()) }) {
            // Older kernels, 6.1 among them, say so of a map that is frozen already, too.
            Err(CodeError::Code(ErrorCode::Busy)) if map.is_frozen()? => {
                Err(ErrorCode::NotPermitted.into())
            }
            other => other,
        }
    }

    fn pin(&mut self, map: Resource<Map>, path: String) -> FailureResult<()> {
        let ctx = &mut *self.ctx;
        pins::pin(&ctx.policy, &mut ctx.pins, self.table.get(&map)?, &path)
    }

    fn unpin(&mut self, map: Resource<Map>, path: String) -> FailureResult<()> {
        let ctx = &mut *self.ctx;
        pins::unpin(&ctx.policy, &mut ctx.pins, self.table.get(&map)?, &path)
    }

    fn open_pinned(&mut self, path: String) -> FailureResult<Resource<Map>> {
        let map = pins::open(self.ctx, &path)?;
        Ok(self.table.push(map)?)
    }

    fn lookup_with(
        &mut self,
        map: Resource<Map>,
        key: Vec<u8>,
        flags: u64,
    ) -> CodeResult<Option<Vec<u8>>> {
        self.table.get(&map)?.lookup_with(&key, flags)
    }

    fn update_with(
        &mut self,
        map: Resource<Map>,
        key: Vec<u8>,
        value: Vec<u8>,
        flags: u64,
    ) -> CodeResult<()> {
        self.table.get(&map)?.update_with(&key, value, flags)
    }

    fn lookup_and_delete_with(
        &mut self,
        map: Resource<Map>,
        key: Vec<u8>,
        flags: u64,
    ) -> CodeResult<Option<Vec<u8>>> {
        self.table.get(&map)?.lookup_and_delete_with(&key, flags)
    }

    fn update_cgroup(
        &mut self,
        map: Resource<Map>,
        key: Vec<u8>,
        cgroup: Resource<Descriptor>,
        mode: UpdateMode,
    ) -> FailureResult<()> {
        let cgroup = self.host_file(&cgroup)?;
        self.table.get(&map)?.update_cgroup(&key, &cgroup, mode)
    }

    fn update_device(
        &mut self,
        map: Resource<Map>,
        key: Vec<u8>,
        network_interface: String,
        mode: UpdateMode,
    ) -> FailureResult<()> {
        let map = self.table.get(&map)?;
        devices::store_device(self.ctx, map, &key, &network_interface, None, mode)
    }

    fn update_cpu(
        &mut self,
        map: Resource<Map>,
        key: Vec<u8>,
        queue_size: u32,
        mode: UpdateMode,
    ) -> FailureResult<()> {
        let map = self.table.get(&map)?;
        devices::store_cpu(self.ctx, map, &key, queue_size, None, mode)
    }

    fn lookup_of(
        &mut self,
        map: Resource<Map>,
        owner: StorageOwner,
    ) -> CodeResult<Option<Vec<u8>>> {
        let owner = self.storage_owner(&map, owner)?;
        self.table.get(&map)?.lookup_of(&owner)
    }

    fn update_of(
        &mut self,
        map: Resource<Map>,
        owner: StorageOwner,
        value: Vec<u8>,
        mode: UpdateMode,
    ) -> CodeResult<()> {
        let owner = self.storage_owner(&map, owner)?;
        self.table.get(&map)?.update_of(&owner, &value, mode)
    }

    fn delete_of(&mut self, map: Resource<Map>, owner: StorageOwner) -> CodeResult<bool> {
        let owner = self.storage_owner(&map, owner)?;
        self.table.get(&map)?.delete_of(&owner)
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
        for kind in [MapType::TaskStorage, MapType::SkStorage, MapType::Ringbuf] {
            assert_eq!(Access::of(kind, 4), Access::None);
        }
        assert_eq!(Access::of(MapType::BloomFilter, 0), Access::Bloom);
        assert_eq!(Access::of(MapType::Queue, 0), Access::Queue);
        assert_eq!(Access::of(MapType::Queue, 4), Access::None);
    }

    #[test]
    fn lengths_are_exact() {
        assert!(check_length(&[0; 4], 4).is_ok());
        assert!(check_length(&[0; 3], 4).is_err());
        assert!(check_length(&[0; 5], 4).is_err());
        assert!(check_length(&[], u32::MAX).is_err());
    }
}
