//! `objects.wit`.

mod existing;
mod failures;
mod load;
mod validate;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString, c_char};
use std::marker::PhantomData;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard};

use libbpf_rs::AsRawLibbpf as _;
use libbpf_sys as sys;
use wasmtime::component::Resource;

pub(crate) use self::failures::{append_capabilities, append_warnings, not_loaded};
pub(crate) use self::load::VerifierLog;
use crate::bindings::objects::{
    Host, HostObject, HostOpenObject, HostOpenOptions, InnerMapDeclaration, MapDeclaration,
    ProgramDeclaration,
};
use crate::bindings::types::{ErrorCode, MapType, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{CodeResult, Errno, Failure, FailureResult};
use crate::maps::{Map, MapMemory, ProgramMemory};
use crate::messages;
use crate::policy::{Need, Reservation};
use crate::programs::{Program, SpecIds};
use existing::ExistingMaps;
use validate::Invalid;

/// How an object is opened.
#[derive(Debug, Default)]
pub struct OpenOptions {
    name: Option<String>,
    verifier_log_level: u32,
}

/// A parsed object.
pub struct OpenObject {
    object: libbpf_rs::OpenObject,
    name: String,
    verifier_log_level: u32,
    existing: ExistingMaps,
    /// The programs that programs of it are for, by the name of the latter. libbpf stores a bare descriptor.
    targets: BTreeMap<String, Program>,
    /// Its memory, and a descriptor for each map that libbpf keeps a place for.
    _held: Reservation,
}

/// An object in the kernel.
pub struct Object(Arc<LoadedObject>);

/// What keeps libbpf's object, and with it its programs and maps, in the kernel. Programs and links hold it too.
pub(crate) struct LoadedObject {
    name: String,
    pub(crate) programs: Vec<LoadedProgram>,
    maps: Vec<LoadedMap>,
    object: Mutex<libbpf_rs::Object>,
    /// Timers and work keep their programs as long as somebody has the map that they are in: so do handles to its maps.
    has_callbacks: bool,
    /// Which specifications of USDT probes are in use.
    pub(crate) usdt: Mutex<SpecIds>,
    _held: Reservation,
}

pub(crate) struct LoadedProgram {
    origin: Origin,
    pub(crate) name: String,
    /// Empty for a program that is not from an object.
    pub(crate) section: String,
    pub(crate) kind: ProgramType,
    /// The kernel's number of the attach type that it was verified for.
    pub(crate) attach_type: u32,
    /// Whatever keeps the program in the kernel without this object holds this too.
    pub(crate) held: Arc<ProgramMemory>,
}

/// Where a loaded program is from.
enum Origin {
    /// Libbpf's program. It is found by this and not by its name: names are bytes of an ELF file.
    Object(NonNull<sys::bpf_program>),
    /// A descriptor alone.
    Descriptor(OwnedFd),
}

struct LoadedMap {
    name: String,
    pointer: NonNull<sys::bpf_map>,
    kind: MapType,
    /// Handles to the map hold this too.
    memory: Arc<MapMemory>,
    /// Whether it existed before the object.
    is_reused: bool,
}

// SAFETY: the program is the object's, which may go from thread to thread; whoever uses the pointer holds the object's lock.
unsafe impl Send for LoadedProgram {}
// SAFETY: as above.
unsafe impl Sync for LoadedProgram {}
// SAFETY: as above; a loaded map's descriptor does not change.
unsafe impl Send for LoadedMap {}
// SAFETY: as above.
unsafe impl Sync for LoadedMap {}

impl LoadedMap {
    fn duplicate_fd(&self) -> std::io::Result<OwnedFd> {
        // SAFETY: the object, and with it the map, lives as long as `self` is borrowed from it.
        unsafe { BorrowedFd::borrow_raw(sys::bpf_map__fd(self.pointer.as_ptr())) }
            .try_clone_to_owned()
    }

    /// libbpf mapped the arena when it created it, and the kernel takes no second address for it. None if it took over one that was
    /// pinned.
    fn arena(&self, object: &Arc<LoadedObject>) -> Option<ObjectArena> {
        let mut length: sys::size_t = 0;
        // SAFETY: as above. For an arena this is where its mapping begins; the length is that of initial data, of which there is none.
        let start = unsafe { sys::bpf_map__initial_value(self.pointer.as_ptr(), &raw mut length) };
        Some(ObjectArena {
            start: NonNull::new(start.cast())?,
            _object: Arc::clone(object),
        })
    }
}

/// Where libbpf has mapped an object's arena. The mapping lives as long as the object.
#[derive(Clone)]
pub(crate) struct ObjectArena {
    pub(crate) start: NonNull<u8>,
    _object: Arc<LoadedObject>,
}

// SAFETY: the memory is only copied from and to by the kernel, at the address that stays the same while the object lives.
unsafe impl Send for ObjectArena {}
// SAFETY: as above.
unsafe impl Sync for ObjectArena {}

impl LoadedProgram {
    /// A program that no object declares.
    pub(crate) fn alone(
        fd: OwnedFd,
        name: String,
        kind: ProgramType,
        attach_type: u32,
        held: Arc<ProgramMemory>,
    ) -> Self {
        Self {
            origin: Origin::Descriptor(fd),
            name,
            section: String::new(),
            kind,
            attach_type,
            held,
        }
    }

    /// Libbpf's program, if it is from an object.
    pub(crate) fn pointer(&self) -> Option<NonNull<sys::bpf_program>> {
        match self.origin {
            Origin::Object(pointer) => Some(pointer),
            Origin::Descriptor(_) => None,
        }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        match &self.origin {
            // SAFETY: as for maps.
            Origin::Object(pointer) => unsafe {
                BorrowedFd::borrow_raw(sys::bpf_program__fd(pointer.as_ptr()))
            },
            Origin::Descriptor(fd) => fd.as_fd(),
        }
    }
}

impl LoadedObject {
    /// Libbpf's map of operations of this name. Whoever uses it holds the lock.
    pub(crate) fn operations(&self, name: &str) -> Option<NonNull<sys::bpf_map>> {
        self.maps
            .iter()
            .find(|map| map.name == name && matches!(map.kind, MapType::StructOps))
            .map(|map| map.pointer)
    }

    /// The descriptor of a map of this name.
    pub(crate) fn map_fd(&self, name: &str) -> Option<BorrowedFd<'_>> {
        let map = self.maps.iter().find(|map| map.name == name)?;
        // SAFETY: as in `duplicate_fd`.
        match unsafe { sys::bpf_map__fd(map.pointer.as_ptr()) } {
            // SAFETY: as above, and it has one.
            fd @ 0.. => Some(unsafe { BorrowedFd::borrow_raw(fd) }),
            _ => None,
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, libbpf_rs::Object> {
        // Nothing that runs under the lock leaves the object half changed.
        self.object
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// 64 MiB: a hundred times what large tools have.
const MAX_ELF: usize = 64 << 20;

impl Host for WasmBpfCtxView<'_> {}

impl HostOpenOptions for WasmBpfCtxView<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<OpenOptions>> {
        Ok(self.table.push(OpenOptions::default())?)
    }

    fn set_name(&mut self, options: Resource<OpenOptions>, name: String) -> FailureResult<()> {
        let good = (1..=63).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        if !good {
            return Err(Failure::refused(
                ErrorCode::InvalidArgument,
                format!("{name:?} is no object name: 1 to 63 letters, digits, `_`, `-` and `.`"),
            ));
        }
        self.table.get_mut(&options)?.name = Some(name);
        Ok(())
    }

    fn set_verifier_log_level(
        &mut self,
        options: Resource<OpenOptions>,
        level: u32,
    ) -> FailureResult<()> {
        if level > 7 {
            return Err(Failure::refused(
                ErrorCode::InvalidArgument,
                format!("{level} is no verifier log level: 0 to 7"),
            ));
        }
        self.table.get_mut(&options)?.verifier_log_level = level;
        Ok(())
    }

    fn drop(&mut self, options: Resource<OpenOptions>) -> wasmtime::Result<()> {
        self.table.delete(options)?;
        Ok(())
    }
}

impl HostOpenObject for WasmBpfCtxView<'_> {
    fn open(
        &mut self,
        elf: Vec<u8>,
        options: Resource<OpenOptions>,
    ) -> FailureResult<Resource<OpenObject>> {
        let options = self.table.get(&options)?;
        // Without a name libbpf would make one of the buffer's address, which is not the guest's to know.
        let name = options.name.clone().unwrap_or_else(|| "object".to_owned());
        if elf.len() > MAX_ELF {
            return Err(Failure::refused(
                ErrorCode::LimitExceeded,
                format!(
                    "cannot open `{name}`: {} bytes are more than the {MAX_ELF} allowed",
                    elf.len()
                ),
            )
            .about(name));
        }
        let verifier_log_level = options.verifier_log_level;
        let struct_ops = self.ctx.policy.check_struct_ops(&name);
        let allowed = validate::Allowed {
            struct_ops: struct_ops.is_ok(),
        };
        match validate::validate(&elf, allowed) {
            Ok(()) => {}
            Err(Invalid::StructOps(_)) => {
                struct_ops.map_err(|missing| Failure::from(missing).about(&name))?
            }
            Err(invalid) => {
                let text = format!("cannot open the BPF object `{name}`: {invalid}");
                return Err(Failure::refused(ErrorCode::Malformed, text).about(&name));
            }
        }
        let mut builder = libbpf_rs::ObjectBuilder::default();
        let open = builder
            .name(&name)
            .and_then(|builder| match &self.ctx.custom_btf {
                Some(file) => builder.btf_custom_path(file),
                None => Ok(builder),
            });
        if let Err(error) = open {
            return Err(Failure::errno(
                libc::EINVAL,
                format!("cannot open `{name}`: {error}"),
            ));
        }
        let (object, warnings) = messages::collect(self.ctx.messages.as_ref(), || {
            // SAFETY: buffer and options outlive the call; libbpf copies what it keeps.
            let object = unsafe {
                sys::bpf_object__open_mem(
                    elf.as_ptr().cast(),
                    elf.len() as sys::size_t,
                    builder.as_libbpf_object().as_ptr(),
                )
            };
            NonNull::new(object).ok_or_else(last_errno)
        });
        let object = match object {
            // SAFETY: libbpf just opened it, and nobody else has it.
            Ok(object) => unsafe { libbpf_rs::OpenObject::from_ptr(object) },
            Err(errno) => return Err(failures::open(&name, errno, &warnings)),
        };
        check_opened(&object, &name)?;
        let held = self
            .ctx
            .usage
            .reserve(need_of_open(&object, elf.len()))
            .map_err(|limit| {
                let text = format!("cannot open the BPF object `{name}`: {limit}");
                Failure::refused(ErrorCode::LimitExceeded, text).about(&name)
            })?;
        let object = OpenObject {
            object,
            name,
            verifier_log_level,
            existing: ExistingMaps::default(),
            targets: BTreeMap::new(),
            _held: held,
        };
        Ok(self.table.push(object)?)
    }

    fn name(&mut self, object: Resource<OpenObject>) -> wasmtime::Result<String> {
        Ok(self.table.get(&object)?.name.clone())
    }

    fn maps(&mut self, object: Resource<OpenObject>) -> wasmtime::Result<Vec<MapDeclaration>> {
        let object = self.table.get(&object)?;
        Ok(object
            .maps()
            .map(|map| object.declaration_of(&map))
            .collect())
    }

    fn programs(
        &mut self,
        object: Resource<OpenObject>,
    ) -> wasmtime::Result<Vec<ProgramDeclaration>> {
        Ok(self
            .table
            .get(&object)?
            .programs()
            .map(|program| program.declaration())
            .collect())
    }

    fn initial_value(
        &mut self,
        object: Resource<OpenObject>,
        map: String,
    ) -> FailureResult<Vec<u8>> {
        let map = self.table.get(&object)?.map(&map)?;
        Ok(map.initial_value()?.to_vec())
    }

    fn set_initial_value(
        &mut self,
        object: Resource<OpenObject>,
        map: String,
        offset: u32,
        data: Vec<u8>,
    ) -> FailureResult<()> {
        let mut map = self.table.get_mut(&object)?.map(&map)?;
        let name = map.name();
        let contents = map.initial_value_mut()?;
        let length = contents.len();
        // Guest-controlled: the sum must not wrap.
        let target = (offset as usize)
            .checked_add(data.len())
            .and_then(|end| contents.get_mut(offset as usize..end));
        let Some(target) = target else {
            return Err(Failure::refused(
                ErrorCode::WrongSize,
                format!(
                    "cannot set the initial value of `{name}`: {} bytes from {offset} on reach past its {length}",
                    data.len()
                ),
            )
            .about(name));
        };
        target.copy_from_slice(&data);
        Ok(())
    }

    fn set_map_type(
        &mut self,
        object: Resource<OpenObject>,
        map: String,
        kind: MapType,
    ) -> FailureResult<()> {
        let map = self.table.get_mut(&object)?.plain_map(&map, "type")?;
        let kind = MapType::from_kernel(kind.to_kernel());
        map.demand_free_shape("the type of")?;
        if !has_free_shape(kind) {
            return Err(map.refuse(
                "the type of",
                &format!("no map becomes one of type {}", kind.name()),
            ));
        }
        map.set("the type of", |pointer| {
            // SAFETY: the map belongs to an open object that nobody else uses now.
            unsafe { sys::bpf_map__set_type(pointer, kind.to_kernel()) }
        })
    }

    fn set_key_size(
        &mut self,
        object: Resource<OpenObject>,
        map: String,
        size: u32,
    ) -> FailureResult<()> {
        let map = self.table.get_mut(&object)?.plain_map(&map, "key size")?;
        map.demand_free_shape("the key size of")?;
        map.set("the key size of", |pointer| {
            // SAFETY: as above.
            unsafe { sys::bpf_map__set_key_size(pointer, size) }
        })
    }

    fn set_value_size(
        &mut self,
        object: Resource<OpenObject>,
        map: String,
        size: u32,
    ) -> FailureResult<()> {
        let map = self.table.get_mut(&object)?.plain_map(&map, "value size")?;
        map.demand_free_shape("the value size of")?;
        map.set("the value size of", |pointer| {
            // SAFETY: as above.
            unsafe { sys::bpf_map__set_value_size(pointer, size) }
        })
    }

    fn set_max_entries(
        &mut self,
        object: Resource<OpenObject>,
        map: String,
        count: u32,
    ) -> FailureResult<()> {
        let map = self
            .table
            .get_mut(&object)?
            .plain_map(&map, "number of entries")?;
        map.refuse_arena("the number of entries of")?;
        if matches!(map.kind(), MapType::Ringbuf | MapType::UserRingbuf) && count > 1 << 31 {
            return Err(map.refuse("the size of", "a ring has 2 GiB at most"));
        }
        map.set("the number of entries of", |pointer| {
            // SAFETY: as above.
            unsafe { sys::bpf_map__set_max_entries(pointer, count) }
        })
    }

    fn set_map_flags(
        &mut self,
        object: Resource<OpenObject>,
        map: String,
        flags: u32,
    ) -> FailureResult<()> {
        let map = self.table.get_mut(&object)?.plain_map(&map, "flags")?;
        map.refuse_arena("the flags of")?;
        map.set("the flags of", |pointer| {
            // SAFETY: as above.
            unsafe { sys::bpf_map__set_map_flags(pointer, flags) }
        })
    }

    fn set_map_extra(
        &mut self,
        object: Resource<OpenObject>,
        map: String,
        extra: u64,
    ) -> FailureResult<()> {
        let map = self.table.get_mut(&object)?.plain_map(&map, "extra")?;
        map.refuse_arena("the extra of")?;
        map.set("the extra of", |pointer| {
            // SAFETY: as above.
            unsafe { sys::bpf_map__set_map_extra(pointer, extra) }
        })
    }

    fn set_autocreate(
        &mut self,
        object: Resource<OpenObject>,
        map: String,
        autocreate: bool,
    ) -> FailureResult<()> {
        let map = self.table.get_mut(&object)?.map(&map)?;
        map.set("whether to create", |pointer| {
            // SAFETY: as above.
            unsafe { sys::bpf_map__set_autocreate(pointer, autocreate) }
        })
    }

    fn set_autoload(
        &mut self,
        object: Resource<OpenObject>,
        program: String,
        autoload: bool,
    ) -> FailureResult<()> {
        let program = self.table.get_mut(&object)?.program(&program)?;
        program.set("whether to load", |pointer| {
            // SAFETY: the program belongs to an open object that nobody else uses now.
            unsafe { sys::bpf_program__set_autoload(pointer, autoload) }
        })
    }

    fn set_program_type(
        &mut self,
        object: Resource<OpenObject>,
        program: String,
        kind: ProgramType,
    ) -> FailureResult<()> {
        let program = self.table.get_mut(&object)?.program(&program)?;
        program.set("the type of", |pointer| {
            // SAFETY: as above.
            unsafe { sys::bpf_program__set_type(pointer, kind.to_kernel()) }
        })
    }

    fn set_expected_attach_type(
        &mut self,
        object: Resource<OpenObject>,
        program: String,
        attach_type: u32,
    ) -> FailureResult<()> {
        let program = self.table.get_mut(&object)?.program(&program)?;
        program.set("the attach type of", |pointer| {
            // SAFETY: as above.
            unsafe { sys::bpf_program__set_expected_attach_type(pointer, attach_type) }
        })
    }

    fn set_attach_target(
        &mut self,
        object: Resource<OpenObject>,
        program: String,
        target: String,
    ) -> FailureResult<()> {
        let open = self.table.get_mut(&object)?;
        let program = open.program(&program)?;
        if matches!(program.kind(), ProgramType::Ext) {
            let why =
                "it takes the place of a function of a program, which set-attach-program sets";
            return Err(program.refuse("the target of", why));
        }
        // What libbpf says for the others depends on whether the kernel has a function of that name.
        if !matches!(program.kind(), ProgramType::Tracing | ProgramType::Lsm) {
            let why = format!(
                "programs of type {} have none before they are attached",
                program.kind().name()
            );
            return Err(program.refuse("the target of", &why));
        }
        let Ok(c_target) = CString::new(target.as_str()) else {
            return Err(program.refuse("the target of", "a name has no zero byte"));
        };
        let (result, warnings) = messages::collect(self.ctx.messages.as_ref(), || {
            // SAFETY: as above; the string outlives the call. The descriptor 0 says "the kernel, not a program".
            unsafe { sys::bpf_program__set_attach_target(program.pointer, 0, c_target.as_ptr()) }
        });
        if result < 0 {
            // libbpf says ESRCH for a function that is not in the kernel's BTF.
            let errno = if result == -libc::ESRCH {
                libc::ENOENT
            } else {
                -result
            };
            let mut text = format!(
                "cannot set the target of the program `{}` to `{target}`: {}",
                program.name(),
                Errno(errno)
            );
            append_warnings(&mut text, &warnings);
            return Err(Failure::errno(errno, text).about(program.name()));
        }
        Ok(())
    }

    fn set_attach_program(
        &mut self,
        object: Resource<OpenObject>,
        program: String,
        target: Resource<Program>,
        function: String,
    ) -> FailureResult<()> {
        let target = self.table.get(&target)?.clone();
        let open = self.table.get_mut(&object)?;
        let opened = open.program(&program)?;
        if !matches!(opened.kind(), ProgramType::Tracing | ProgramType::Ext) {
            let why = format!(
                "programs of type {} are for no other program",
                opened.kind().name()
            );
            return Err(opened.refuse("the target of", &why));
        }
        let Ok(c_function) = CString::new(function.as_str()) else {
            return Err(opened.refuse("the target of", "a name has no zero byte"));
        };
        let fd = target.loaded().fd().as_raw_fd();
        let (result, warnings) = messages::collect(self.ctx.messages.as_ref(), || {
            // SAFETY: as above; the string outlives the call, and the descriptor the open object, which keeps the target.
            unsafe { sys::bpf_program__set_attach_target(opened.pointer, fd, c_function.as_ptr()) }
        });
        if result < 0 {
            let mut text = format!(
                "cannot set the target of the program `{program}` to the function `{function}` of `{}`: {}",
                target.loaded().name,
                Errno(-result)
            );
            append_warnings(&mut text, &warnings);
            return Err(Failure::errno(-result, text).about(program));
        }
        // The one that it was for before may go only now.
        open.targets.insert(program, target);
        Ok(())
    }

    fn set_program_flags(
        &mut self,
        object: Resource<OpenObject>,
        program: String,
        flags: u32,
    ) -> FailureResult<()> {
        let program = self.table.get_mut(&object)?.program(&program)?;
        program.set("the flags of", |pointer| {
            // SAFETY: as above.
            unsafe { sys::bpf_program__set_flags(pointer, flags) }
        })
    }

    fn reuse_map(
        &mut self,
        object: Resource<OpenObject>,
        map: String,
        existing: Resource<Map>,
    ) -> FailureResult<()> {
        self.reuse_existing(&object, map, &existing)
    }

    fn set_inner_map(
        &mut self,
        object: Resource<OpenObject>,
        map: String,
        inner: Resource<Map>,
    ) -> FailureResult<()> {
        self.set_inner_existing(&object, map, &inner)
    }

    fn set_pin_path(
        &mut self,
        object: Resource<OpenObject>,
        map: String,
        path: Option<String>,
    ) -> FailureResult<()> {
        let open = self.table.get_mut(&object)?;
        let is_reused = open.existing.reused(&map).is_some();
        let map = open.map(&map)?;
        if is_reused {
            return Err(map.refuse("the pin path of", "it is to be an existing map"));
        }
        map.set_pin_path(path.as_deref())
    }

    fn set_numa_node(
        &mut self,
        object: Resource<OpenObject>,
        map: String,
        node: u32,
    ) -> FailureResult<()> {
        let map = self.table.get_mut(&object)?.plain_map(&map, "NUMA node")?;
        map.refuse_arena("the NUMA node of")?;
        map.set_numa_node(node)
    }

    fn load(&mut self, object: Resource<OpenObject>) -> FailureResult<Resource<Object>> {
        let object = self.table.delete(object)?;
        let loaded = load::load(self.ctx, object)?;
        Ok(self.table.push(Object(Arc::new(loaded)))?)
    }

    fn drop(&mut self, object: Resource<OpenObject>) -> wasmtime::Result<()> {
        self.table.delete(object)?;
        Ok(())
    }
}

impl HostObject for WasmBpfCtxView<'_> {
    fn name(&mut self, object: Resource<Object>) -> wasmtime::Result<String> {
        Ok(self.table.get(&object)?.0.name.clone())
    }

    fn map_names(&mut self, object: Resource<Object>) -> wasmtime::Result<Vec<String>> {
        Ok(self
            .table
            .get(&object)?
            .0
            .maps
            .iter()
            .map(|map| map.name.clone())
            .collect())
    }

    fn program_names(&mut self, object: Resource<Object>) -> wasmtime::Result<Vec<String>> {
        Ok(self
            .table
            .get(&object)?
            .0
            .programs
            .iter()
            .map(|program| program.name.clone())
            .collect())
    }

    fn map(&mut self, object: Resource<Object>, name: String) -> CodeResult<Resource<Map>> {
        let object = &self.table.get(&object)?.0;
        let map = object
            .maps
            .iter()
            .find(|map| map.name == name)
            .ok_or(ErrorCode::NotFound)?;
        let fd = map.duplicate_fd()?;
        let memory = Arc::clone(&map.memory);
        let is_arena = matches!(map.kind, MapType::Arena);
        let arena = is_arena.then(|| map.arena(object)).flatten();
        let mut map = Map::from_fd(&self.ctx.usage, fd, Some(&name), memory)?;
        if let Some(arena) = arena {
            map.set_arena(arena);
        }
        if object.has_callbacks || matches!(map.info().type_, MapType::StructOps) {
            map.keep_object(Arc::clone(object));
        }
        Ok(self.table.push(map)?)
    }

    fn program(&mut self, object: Resource<Object>, name: String) -> CodeResult<Resource<Program>> {
        let object = &self.table.get(&object)?.0;
        let index = object
            .programs
            .iter()
            .position(|program| program.name == name)
            .ok_or(ErrorCode::NotFound)?;
        let program = Program::of_object(Arc::clone(object), index);
        Ok(self.table.push(program)?)
    }

    fn drop(&mut self, object: Resource<Object>) -> wasmtime::Result<()> {
        self.table.delete(object)?;
        Ok(())
    }
}

impl Object {
    pub(crate) fn loaded(&self) -> &Arc<LoadedObject> {
        &self.0
    }
}

impl OpenObject {
    pub(crate) fn pointer(&self) -> *mut sys::bpf_object {
        self.object.as_libbpf_object().as_ptr()
    }

    fn maps(&self) -> impl Iterator<Item = OpenMap<'_>> {
        maps_of(&self.object)
    }

    fn programs(&self) -> impl Iterator<Item = OpenProgram<'_>> {
        programs_of(&self.object)
    }

    fn map(&self, name: &str) -> FailureResult<OpenMap<'_>> {
        self.maps().find(|map| map.name() == name).ok_or_else(|| {
            let names = self.maps().map(|map| map.name()).collect::<Vec<_>>();
            failures::no_such("map", name, &self.name, &names)
        })
    }

    /// A map that is not global data: libbpf laid that out when it opened the object, and would read and write
    /// past its end if its shape changed.
    fn plain_map(&self, name: &str, property: &str) -> FailureResult<OpenMap<'_>> {
        let map = self.map(name)?;
        if map.is_internal() {
            return Err(map.refuse(
                &format!("the {property} of"),
                "it is global data, whose shape the object's code fixes",
            ));
        }
        if self.existing.reused(name).is_some() {
            let what = format!("the {property} of");
            return Err(map.refuse(&what, "it is to be an existing map, which is as it is"));
        }
        Ok(map)
    }

    /// What is declared, and what of it an existing map decides.
    fn declaration_of(&self, map: &OpenMap<'_>) -> MapDeclaration {
        let mut declared = map.declaration();
        if let Some(existing) = self.existing.reused(&declared.name) {
            let info = existing.info();
            declared.max_entries = info.max_entries;
            declared.flags = info.flags;
            declared.extra = info.extra;
        }
        declared
    }

    fn program(&self, name: &str) -> FailureResult<OpenProgram<'_>> {
        self.programs()
            .find(|program| program.name() == name)
            .ok_or_else(|| {
                let names = self
                    .programs()
                    .map(|program| program.name())
                    .collect::<Vec<_>>();
                failures::no_such("program", name, &self.name, &names)
            })
    }
}

/// What is opened and must not go on: what libbpf would do with it is not the component's to decide.
fn check_opened(object: &libbpf_rs::OpenObject, name: &str) -> FailureResult<()> {
    let refuse = |code, what: &str, why: &str| {
        Failure::refused(code, format!("cannot open the BPF object `{name}`: {why}")).about(what)
    };
    let mut names = BTreeSet::new();
    for map in maps_of(object) {
        // Grants and handles go by name: one that stands for two things, or cannot be said, would let one pass for the other.
        let map_name = map.name();
        if !map.has_good_name() || !names.insert(map_name.clone()) {
            let why = format!("two maps are called `{map_name}`, or its name is not UTF-8");
            return Err(refuse(ErrorCode::Malformed, &map_name, &why));
        }
        match map.kind() {
            // libbpf maps it at the address in the extra, whatever is there, and copies initial data into memory that may fault.
            MapType::Arena => {
                const HARMLESS: u32 =
                    sys::BPF_F_MMAPABLE | sys::BPF_F_NO_USER_CONV | sys::BPF_F_SEGV_ON_FAULT;
                let why = if map.extra() != 0 {
                    "declares map_extra, an address in the host; leave it out, and the host chooses"
                } else if map.flags() & !HARMLESS != 0 {
                    "has flags other than BPF_F_MMAPABLE, BPF_F_NO_USER_CONV and BPF_F_SEGV_ON_FAULT"
                } else if map.has_initial_value() {
                    "has variables with initial values, which this host does not support yet"
                } else {
                    continue;
                };
                let why = format!("the arena `{map_name}` {why}");
                return Err(refuse(ErrorCode::InvalidArgument, &map_name, &why));
            }
            // Only libbpf itself makes these, from a section that describes the operations.
            MapType::StructOps if !map.is_real_struct_ops() => {
                let why = format!(
                    "the map `{map_name}` is of type struct-ops but not in a .struct_ops section"
                );
                return Err(refuse(ErrorCode::Malformed, &map_name, &why));
            }
            _ => {}
        }
    }
    let mut names = BTreeSet::new();
    for program in programs_of(object) {
        let program_name = program.name();
        if !program.has_good_name() || !names.insert(program_name.clone()) {
            let why = format!("two programs are called `{program_name}`, or its name is not UTF-8");
            return Err(refuse(ErrorCode::Malformed, &program_name, &why));
        }
    }
    Ok(())
}

/// What an open object holds of the limits: what libbpf keeps of the file, global data (.bss takes no room in the file), and a descriptor
/// for each map.
fn need_of_open(object: &libbpf_rs::OpenObject, elf: usize) -> Need {
    let mut need = Need {
        map_memory: elf as u64,
        descriptors: 2,
        ..Need::default()
    };
    for map in maps_of(object) {
        need.descriptors += 1;
        if map.is_internal() {
            need.map_memory = need.map_memory.saturating_add(map.value_size().into());
        }
    }
    need
}

fn maps_of(object: &libbpf_rs::OpenObject) -> impl Iterator<Item = OpenMap<'_>> {
    // SAFETY: the object is open as long as it is borrowed.
    libbpf_rs::MapIter::new(unsafe { object.as_libbpf_object().as_ref() }).map(|map| OpenMap {
        pointer: map.as_ptr(),
        _object: PhantomData,
    })
}

fn programs_of(object: &libbpf_rs::OpenObject) -> impl Iterator<Item = OpenProgram<'_>> {
    // SAFETY: as above.
    libbpf_rs::ProgIter::new(unsafe { object.as_libbpf_object().as_ref() }).map(|program| {
        OpenProgram {
            pointer: program.as_ptr(),
            _object: PhantomData,
        }
    })
}

/// Whether type, key size and value size of such a map may be set.
fn has_free_shape(kind: MapType) -> bool {
    !matches!(
        kind,
        MapType::Arena
            | MapType::StructOps
            | MapType::ArrayOfMaps
            | MapType::HashOfMaps
            | MapType::ProgArray
    )
}

/// A map of an open object.
struct OpenMap<'a> {
    pointer: *mut sys::bpf_map,
    _object: PhantomData<&'a libbpf_rs::OpenObject>,
}

// SAFETY of the calls below: the map belongs to an open object that is borrowed as long as this lives.
impl OpenMap<'_> {
    /// The name in the source; for global data the section. libbpf puts the object's name in front of the plain sections, to tell
    /// them apart in the kernel.
    fn name(&self) -> String {
        // SAFETY: see above.
        let name = string(unsafe { sys::bpf_map__name(self.pointer) });
        let section = [".data", ".rodata", ".bss", ".kconfig"]
            .into_iter()
            .find(|section| self.is_internal() && name.ends_with(section));
        section.map_or(name, str::to_owned)
    }

    fn kind(&self) -> MapType {
        // SAFETY: see above.
        MapType::from_kernel(unsafe { sys::bpf_map__type(self.pointer) })
    }

    fn extra(&self) -> u64 {
        // SAFETY: see above.
        unsafe { sys::bpf_map__map_extra(self.pointer) }
    }

    fn flags(&self) -> u32 {
        // SAFETY: see above.
        unsafe { sys::bpf_map__map_flags(self.pointer) }
    }

    fn value_size(&self) -> u32 {
        // SAFETY: see above.
        unsafe { sys::bpf_map__value_size(self.pointer) }
    }

    fn has_good_name(&self) -> bool {
        // SAFETY: see above.
        is_utf8(unsafe { sys::bpf_map__name(self.pointer) })
    }

    /// Not to be asked of struct_ops maps that libbpf did not make itself.
    fn has_initial_value(&self) -> bool {
        let mut length: sys::size_t = 0;
        // SAFETY: see above.
        !unsafe { sys::bpf_map__initial_value(self.pointer, &raw mut length) }.is_null()
    }

    /// libbpf sets this for the struct_ops maps that it makes, and for no other map.
    fn is_real_struct_ops(&self) -> bool {
        // SAFETY: see above.
        unsafe { sys::bpf_map__autoattach(self.pointer) }
    }

    /// What the values of a map of maps are made like.
    fn inner(&self) -> Option<OpenMap<'_>> {
        // SAFETY: see above; the inner map lives as long as the outer one.
        let inner = unsafe { sys::bpf_map__inner_map(self.pointer) };
        (!inner.is_null()).then_some(OpenMap {
            pointer: inner,
            _object: PhantomData,
        })
    }

    fn is_internal(&self) -> bool {
        // SAFETY: see above.
        unsafe { sys::bpf_map__is_internal(self.pointer) }
    }

    fn autocreate(&self) -> bool {
        // SAFETY: see above.
        unsafe { sys::bpf_map__autocreate(self.pointer) }
    }

    fn pin_path(&self) -> Option<String> {
        // SAFETY: see above.
        let path = unsafe { sys::bpf_map__pin_path(self.pointer) };
        (!path.is_null()).then(|| string(path))
    }

    fn declaration(&self) -> MapDeclaration {
        // SAFETY: see above.
        let (key_size, value_size, max_entries, flags) = unsafe {
            (
                sys::bpf_map__key_size(self.pointer),
                sys::bpf_map__value_size(self.pointer),
                sys::bpf_map__max_entries(self.pointer),
                sys::bpf_map__map_flags(self.pointer),
            )
        };
        MapDeclaration {
            name: self.name(),
            type_: self.kind(),
            key_size,
            value_size,
            max_entries,
            flags,
            extra: self.extra(),
            autocreate: self.autocreate(),
            global_data: self.is_internal(),
            pin_path: self.pin_path(),
            // SAFETY: see above.
            numa_node: unsafe { sys::bpf_map__numa_node(self.pointer) },
            inner_map: self.inner().map(|inner| {
                let inner = inner.declaration();
                InnerMapDeclaration {
                    type_: inner.type_,
                    key_size: inner.key_size,
                    value_size: inner.value_size,
                    max_entries: inner.max_entries,
                    flags: inner.flags,
                }
            }),
        }
    }

    fn contents(&self) -> FailureResult<NonNull<[u8]>> {
        let mut length: sys::size_t = 0;
        // Arenas and struct_ops maps have initial values too, which are not laid out as one would think.
        let start = if self.is_internal() {
            // SAFETY: see above.
            unsafe { sys::bpf_map__initial_value(self.pointer, &raw mut length) }
        } else {
            std::ptr::null_mut()
        };
        match NonNull::new(start.cast::<u8>()) {
            Some(start) => Ok(NonNull::slice_from_raw_parts(start, length as usize)),
            None => Err(self.refuse("the initial value of", "it is not global data")),
        }
    }

    /// libbpf fills some maps before programs run, with descriptors of its own, and trusts that their keys and values have four
    /// bytes; others it laid out when it opened the object.
    fn demand_free_shape(&self, what: &str) -> FailureResult<()> {
        let kind = self.kind();
        if has_free_shape(kind) {
            return Ok(());
        }
        Err(self.refuse(
            what,
            &format!("a map of type {} keeps its shape", kind.name()),
        ))
    }

    /// libbpf computed where in the arena's memory its data goes, and the extra is an address in the host.
    fn refuse_arena(&self, what: &str) -> FailureResult<()> {
        if matches!(self.kind(), MapType::Arena | MapType::StructOps) {
            return Err(self.refuse(
                what,
                "it is an arena or a struct_ops map, which keep what the object declares",
            ));
        }
        Ok(())
    }

    fn initial_value(&self) -> FailureResult<&[u8]> {
        // SAFETY: libbpf's memory for the section, of this length, as long as the object is open.
        Ok(unsafe { self.contents()?.as_ref() })
    }

    fn initial_value_mut(&mut self) -> FailureResult<&mut [u8]> {
        if self.name() == ".kconfig" {
            return Err(self.refuse(
                "the initial value of",
                "libbpf fills it from the kernel's configuration",
            ));
        }
        // SAFETY: as above; nobody else reads it before load.
        Ok(unsafe { self.contents()?.as_mut() })
    }

    fn refuse(&self, what: &str, why: &str) -> Failure {
        let name = self.name();
        Failure::refused(
            ErrorCode::InvalidArgument,
            format!("cannot change {what} the map `{name}`: {why}"),
        )
        .about(name)
    }

    fn set(&self, what: &str, call: impl FnOnce(*mut sys::bpf_map) -> i32) -> FailureResult<()> {
        let answer = call(self.pointer);
        if answer < 0 {
            let name = self.name();
            let text = format!("cannot change {what} the map `{name}`: {}", Errno(-answer));
            return Err(Failure::errno(-answer, text).about(name));
        }
        Ok(())
    }
}

/// A program of an open object.
struct OpenProgram<'a> {
    pointer: *mut sys::bpf_program,
    _object: PhantomData<&'a libbpf_rs::OpenObject>,
}

// SAFETY of the calls below: the program belongs to an open object that is borrowed as long as this lives.
impl OpenProgram<'_> {
    fn name(&self) -> String {
        // SAFETY: see above.
        string(unsafe { sys::bpf_program__name(self.pointer) })
    }

    fn has_good_name(&self) -> bool {
        // SAFETY: see above.
        is_utf8(unsafe { sys::bpf_program__name(self.pointer) })
    }

    fn section(&self) -> String {
        // SAFETY: see above.
        string(unsafe { sys::bpf_program__section_name(self.pointer) })
    }

    fn kind(&self) -> ProgramType {
        // SAFETY: see above.
        ProgramType::from_kernel(unsafe { sys::bpf_program__type(self.pointer) })
    }

    fn attach_type(&self) -> u32 {
        // SAFETY: see above.
        unsafe { sys::bpf_program__expected_attach_type(self.pointer) }
    }

    fn autoload(&self) -> bool {
        // SAFETY: see above.
        unsafe { sys::bpf_program__autoload(self.pointer) }
    }

    fn instructions(&self) -> &[sys::bpf_insn] {
        // SAFETY: see above; libbpf's array has this many instructions until the object changes phase.
        unsafe {
            let first = sys::bpf_program__insns(self.pointer);
            let count = sys::bpf_program__insn_cnt(self.pointer) as usize;
            if first.is_null() {
                &[]
            } else {
                std::slice::from_raw_parts(first, count)
            }
        }
    }

    fn declaration(&self) -> ProgramDeclaration {
        ProgramDeclaration {
            name: self.name(),
            section: self.section(),
            type_: self.kind(),
            expected_attach_type: self.attach_type(),
            instructions: self.instructions().len() as u32,
            autoload: self.autoload(),
        }
    }

    fn refuse(&self, what: &str, why: &str) -> Failure {
        let name = self.name();
        Failure::refused(
            ErrorCode::InvalidArgument,
            format!("cannot change {what} the program `{name}`: {why}"),
        )
        .about(name)
    }

    fn set(
        &self,
        what: &str,
        call: impl FnOnce(*mut sys::bpf_program) -> i32,
    ) -> FailureResult<()> {
        let answer = call(self.pointer);
        if answer < 0 {
            let name = self.name();
            let text = format!(
                "cannot change {what} the program `{name}`: {}",
                Errno(-answer)
            );
            return Err(Failure::errno(-answer, text).about(name));
        }
        Ok(())
    }
}

pub(crate) fn last_errno() -> i32 {
    std::io::Error::last_os_error()
        .raw_os_error()
        .unwrap_or(libc::EIO)
}

fn is_utf8(text: *const c_char) -> bool {
    // SAFETY: as in `string`.
    !text.is_null() && unsafe { CStr::from_ptr(text) }.to_str().is_ok()
}

/// A name from an ELF file: any bytes.
fn string(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: libbpf's strings end with a zero and live as long as what they name.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}
