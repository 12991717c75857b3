//! Objects, before and after load.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use crate::bindings::objects;
use crate::error::{Error, ErrorKind, Result};
use crate::map::not_created;
use crate::{Map, MapCore, MapHandle, MapType, Program, ProgramType};

/// What the maps in a map of maps are made like.
pub use crate::bindings::objects::InnerMapDeclaration;

/// Opens an object. What is set here takes effect then.
///
/// ```no_run
/// use wasm_bpf_guest::ObjectBuilder;
///
/// # fn main() -> wasm_bpf_guest::Result<()> {
/// # let elf: &[u8] = &[];
/// let open = ObjectBuilder::default().name("tracer").open_memory(elf)?;
/// open.map("events")?.set_max_entries(1 << 20)?;
/// let object = open.load()?;
/// let link = object.program("on_exec")?.attach()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct ObjectBuilder {
    name: Option<String>,
    verifier_log_level: u32,
}

impl ObjectBuilder {
    /// Options with their defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The object's name, which messages carry: 1 to 63 letters, digits, `_`, `-` and `.`.
    pub fn name(&mut self, name: impl Into<String>) -> &mut Self {
        self.name = Some(name.into());
        self
    }

    /// How much the verifier says of programs that load: 0 to 7. The host shows it among libbpf's messages.
    pub fn verifier_log_level(&mut self, level: u32) -> &mut Self {
        self.verifier_log_level = level;
        self
    }

    /// Opens an object that was compiled into the component.
    pub fn open_memory(&mut self, elf: &[u8]) -> Result<OpenObject> {
        let options = objects::OpenOptions::new();
        if let Some(name) = &self.name {
            options.set_name(name)?;
        }
        options.set_verifier_log_level(self.verifier_log_level)?;
        let object = objects::OpenObject::open(elf, &options)?;
        Ok(OpenObject {
            object: Rc::new(Opened {
                handle: RefCell::new(Some(object)),
            }),
        })
    }

    /// Opens an object from a file in a directory that the host opened to the component.
    pub fn open_file(&mut self, path: impl AsRef<Path>) -> Result<OpenObject> {
        let path = path.as_ref();
        let elf = std::fs::read(path).map_err(|error| {
            let kind = match error.kind() {
                std::io::ErrorKind::NotFound => ErrorKind::NotFound,
                std::io::ErrorKind::PermissionDenied => ErrorKind::AccessDenied,
                _ => ErrorKind::Other(error.raw_os_error().unwrap_or(5)),
            };
            Error::of_code(
                kind,
                format!("cannot read the object {}: {error}", path.display()),
            )
        })?;
        self.open_memory(&elf)
    }
}

/// Shared by the open object and the maps and programs named in it; `load` takes the handle out.
struct Opened {
    handle: RefCell<Option<objects::OpenObject>>,
}

impl Opened {
    fn with<R>(&self, call: impl FnOnce(&objects::OpenObject) -> R) -> Result<R> {
        match &*self.handle.borrow() {
            Some(handle) => Ok(call(handle)),
            None => Err(Error::of_code(
                ErrorKind::InvalidArgument,
                "the object was loaded: what is set before load cannot be used any more",
            )),
        }
    }
}

/// An object that is parsed and not yet in the kernel.
pub struct OpenObject {
    object: Rc<Opened>,
}

impl OpenObject {
    /// The object's name.
    pub fn name(&self) -> String {
        self.object.with(|object| object.name()).unwrap_or_default()
    }

    /// The maps that the object declares.
    pub fn maps(&self) -> impl Iterator<Item = OpenMap> + use<> {
        let declared = self.object.with(|object| object.maps()).unwrap_or_default();
        let object = Rc::clone(&self.object);
        declared.into_iter().map(move |map| OpenMap {
            object: Rc::clone(&object),
            name: map.name,
        })
    }

    /// The programs that the object declares.
    pub fn progs(&self) -> impl Iterator<Item = OpenProgram> + use<> {
        let declared = self
            .object
            .with(|object| object.programs())
            .unwrap_or_default();
        let object = Rc::clone(&self.object);
        declared.into_iter().map(move |program| OpenProgram {
            object: Rc::clone(&object),
            name: program.name,
        })
    }

    /// A map by its name; for global data its section, such as `.rodata`.
    pub fn map(&self, name: &str) -> Result<OpenMap> {
        self.maps()
            .find(|map| map.name == name)
            .ok_or_else(|| no_such("map", name))
    }

    /// A program by its name.
    pub fn program(&self, name: &str) -> Result<OpenProgram> {
        self.progs()
            .find(|program| program.name == name)
            .ok_or_else(|| no_such("program", name))
    }

    /// Brings the object into the kernel.
    ///
    /// # Errors
    /// Among others: a program that the verifier rejects ([`Error::verifier_log`]), a grant that is missing, a map that the kernel
    /// cannot create. Nothing of the object is in the kernel then.
    pub fn load(self) -> Result<Object> {
        let handle = self.object.handle.take();
        let handle = handle.expect("`load` takes the open object, so it is called once");
        Ok(Object {
            handle: objects::OpenObject::load(handle)?,
        })
    }
}

/// Where `pin_maps` pins a map.
fn pin_of(folder: &str, map: &Map) -> Result<String> {
    let name = map.name()?.replace('.', "_");
    Ok(format!("{}/{name}", folder.trim_end_matches('/')))
}

fn no_such(what: &str, name: &str) -> Error {
    Error::of_code(
        ErrorKind::NotFound,
        format!("the object has no {what} `{name}`"),
    )
}

/// A map of an open object. After load its functions fail.
pub struct OpenMap {
    object: Rc<Opened>,
    name: String,
}

impl OpenMap {
    fn declaration(&self) -> Result<objects::MapDeclaration> {
        self.object
            .with(|object| object.maps())?
            .into_iter()
            .find(|map| map.name == self.name)
            .ok_or_else(|| no_such("map", &self.name))
    }

    fn set(
        &self,
        call: impl FnOnce(&objects::OpenObject, &str) -> Result<(), crate::bindings::types::Error>,
    ) -> Result<()> {
        Ok(self.object.with(|object| call(object, &self.name))??)
    }

    /// The name; for global data the section.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kind of map.
    pub fn map_type(&self) -> Result<MapType> {
        Ok(self.declaration()?.type_)
    }

    /// Bytes of a key.
    pub fn key_size(&self) -> Result<u32> {
        Ok(self.declaration()?.key_size)
    }

    /// Bytes of a value.
    pub fn value_size(&self) -> Result<u32> {
        Ok(self.declaration()?.value_size)
    }

    /// Entries at most.
    pub fn max_entries(&self) -> Result<u32> {
        Ok(self.declaration()?.max_entries)
    }

    /// BPF_F_* for its creation.
    pub fn map_flags(&self) -> Result<u32> {
        Ok(self.declaration()?.flags)
    }

    /// Whether `load` creates it.
    pub fn autocreate(&self) -> Result<bool> {
        Ok(self.declaration()?.autocreate)
    }

    /// What else the kind of map takes.
    pub fn map_extra(&self) -> Result<u64> {
        Ok(self.declaration()?.extra)
    }

    /// Whether it is global data: .data, .bss, .rodata and their named sections.
    pub fn is_internal(&self) -> Result<bool> {
        Ok(self.declaration()?.global_data)
    }

    /// Where `load` pins it, or takes it over from.
    pub fn pin_path(&self) -> Result<Option<String>> {
        Ok(self.declaration()?.pin_path)
    }

    /// The NUMA node of its memory, if the flags have BPF_F_NUMA_NODE.
    pub fn numa_node(&self) -> Result<u32> {
        Ok(self.declaration()?.numa_node)
    }

    /// What the maps in a map of maps are made like.
    pub fn inner_map(&self) -> Result<Option<InnerMapDeclaration>> {
        Ok(self.declaration()?.inner_map)
    }

    /// Changes the kind of map.
    pub fn set_type(&self, kind: MapType) -> Result<()> {
        self.set(|object, name| object.set_map_type(name, kind))
    }

    /// Changes the bytes of a key.
    pub fn set_key_size(&self, size: u32) -> Result<()> {
        self.set(|object, name| object.set_key_size(name, size))
    }

    /// Changes the bytes of a value.
    pub fn set_value_size(&self, size: u32) -> Result<()> {
        self.set(|object, name| object.set_value_size(name, size))
    }

    /// Changes how many entries the map has at most; for ring buffers, bytes.
    pub fn set_max_entries(&self, count: u32) -> Result<()> {
        self.set(|object, name| object.set_max_entries(name, count))
    }

    /// Changes the BPF_F_* flags.
    pub fn set_map_flags(&self, flags: u32) -> Result<()> {
        self.set(|object, name| object.set_map_flags(name, flags))
    }

    /// Changes what else the kind of map takes.
    pub fn set_map_extra(&self, extra: u64) -> Result<()> {
        self.set(|object, name| object.set_map_extra(name, extra))
    }

    /// Whether `load` creates it.
    pub fn set_autocreate(&self, autocreate: bool) -> Result<()> {
        self.set(|object, name| object.set_autocreate(name, autocreate))
    }

    /// Has `load` use a map that exists. In the object it goes by the declared name. The handle may be dropped before `load`.
    pub fn reuse_map(&self, existing: &dyn MapCore) -> Result<()> {
        let existing = existing.handle()?;
        self.set(|object, name| object.reuse_map(name, existing))
    }

    /// Has `load` use the map that is pinned under a path.
    pub fn reuse_pinned_map(&self, path: impl AsRef<str>) -> Result<()> {
        self.reuse_map(&MapHandle::from_pinned_path(path)?)
    }

    /// Says what the maps in a map of maps are made like. The handle may be dropped before `load`.
    pub fn set_inner_map(&self, inner: &dyn MapCore) -> Result<()> {
        let inner = inner.handle()?;
        self.set(|object, name| object.set_inner_map(name, inner))
    }

    /// Has `load` pin the map at a path of a BPF file system, or take over the one that is there; none: `load` leaves pins alone. The host must have been given the
    /// grant `pin=PATH`.
    pub fn set_pin_path(&self, path: Option<&str>) -> Result<()> {
        self.set(|object, name| object.set_pin_path(name, path))
    }

    /// Asks for memory of this NUMA node; sets BPF_F_NUMA_NODE too.
    pub fn set_numa_node(&self, node: u32) -> Result<()> {
        self.set(|object, name| object.set_numa_node(name, node))
    }

    /// The contents of a global-data map.
    pub fn initial_value(&self) -> Result<Vec<u8>> {
        Ok(self
            .object
            .with(|object| object.initial_value(&self.name))??)
    }

    /// Overwrites the contents of a global-data map from its start on.
    pub fn set_initial_value(&self, data: &[u8]) -> Result<()> {
        self.set_initial_value_at(0, data)
    }

    /// Overwrites the contents of a global-data map from `offset` on.
    pub fn set_initial_value_at(&self, offset: u32, data: &[u8]) -> Result<()> {
        self.set(|object, name| object.set_initial_value(name, offset, data))
    }
}

/// A program of an open object. After load its functions fail.
pub struct OpenProgram {
    object: Rc<Opened>,
    name: String,
}

impl OpenProgram {
    fn declaration(&self) -> Result<objects::ProgramDeclaration> {
        self.object
            .with(|object| object.programs())?
            .into_iter()
            .find(|program| program.name == self.name)
            .ok_or_else(|| no_such("program", &self.name))
    }

    fn set(
        &self,
        call: impl FnOnce(&objects::OpenObject, &str) -> Result<(), crate::bindings::types::Error>,
    ) -> Result<()> {
        Ok(self.object.with(|object| call(object, &self.name))??)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The ELF section.
    pub fn section(&self) -> Result<String> {
        Ok(self.declaration()?.section)
    }

    /// The kind of program.
    pub fn prog_type(&self) -> Result<ProgramType> {
        Ok(self.declaration()?.type_)
    }

    /// Instructions, before functions that it calls are put behind it.
    pub fn insn_cnt(&self) -> Result<u32> {
        Ok(self.declaration()?.instructions)
    }

    /// Whether `load` loads it.
    pub fn autoload(&self) -> Result<bool> {
        Ok(self.declaration()?.autoload)
    }

    /// Whether `load` loads it.
    pub fn set_autoload(&self, autoload: bool) -> Result<()> {
        self.set(|object, name| object.set_autoload(name, autoload))
    }

    /// Changes the kind of program.
    pub fn set_prog_type(&self, kind: ProgramType) -> Result<()> {
        self.set(|object, name| object.set_program_type(name, kind))
    }

    /// Changes the attach type that the program is verified for: the kernel's number (`enum bpf_attach_type`).
    pub fn set_attach_type(&self, attach_type: u32) -> Result<()> {
        self.set(|object, name| object.set_expected_attach_type(name, attach_type))
    }

    /// Sets what a tracing or LSM program attaches to: a kernel function, a tracepoint or a hook.
    pub fn set_attach_target(&self, target: &str) -> Result<()> {
        self.set(|object, name| object.set_attach_target(name, target))
    }

    /// Sets the function of a loaded program that this one is for: what an extension (`freplace`) takes the place of, or what `fentry` and `fexit` observe.
    pub fn set_attach_program(&self, target: &Program, function: &str) -> Result<()> {
        let target = target.handle()?;
        self.set(|object, name| object.set_attach_program(name, target, function))
    }

    /// The attach type that the program is verified for: the kernel's number (`enum bpf_attach_type`).
    pub fn attach_type(&self) -> Result<u32> {
        Ok(self.declaration()?.expected_attach_type)
    }

    /// Changes the BPF_F_* load flags.
    pub fn set_flags(&self, flags: u32) -> Result<()> {
        self.set(|object, name| object.set_program_flags(name, flags))
    }
}

/// An object in the kernel. Maps, programs and links stay valid after it is dropped.
pub struct Object {
    handle: objects::Object,
}

impl Object {
    pub(crate) fn handle(&self) -> &objects::Object {
        &self.handle
    }

    /// The object's name.
    pub fn name(&self) -> String {
        self.handle.name()
    }

    /// The maps that were created.
    pub fn maps(&self) -> impl Iterator<Item = Map> + '_ {
        self.handle
            .map_names()
            .into_iter()
            .filter_map(|name| self.map(&name).ok())
    }

    /// The programs that were loaded.
    pub fn progs(&self) -> impl Iterator<Item = Program> + '_ {
        self.handle
            .program_names()
            .into_iter()
            .filter_map(|name| self.program(&name).ok())
    }

    /// A map by its name.
    pub fn map(&self, name: &str) -> Result<Map> {
        match self.handle.map(name) {
            Ok(handle) => Ok(Map::new(handle)),
            Err(ErrorKind::NotFound) => Err(no_such("map", name)),
            Err(code) => {
                let why = crate::error::words(code);
                Err(Error::of_code(
                    code,
                    format!("cannot get the map `{name}`: {why}"),
                ))
            }
        }
    }

    /// A program by its name.
    pub fn program(&self, name: &str) -> Result<Program> {
        match self.handle.program(name) {
            Ok(handle) => Ok(Program::new(handle, name)),
            Err(ErrorKind::NotFound) => Err(no_such("program", name)),
            Err(code) => {
                let why = crate::error::words(code);
                Err(Error::of_code(
                    code,
                    format!("cannot get the program `{name}`: {why}"),
                ))
            }
        }
    }

    /// Pins each map, global data too, in a folder of a BPF file system, under its name with `_` for dots. If one cannot be, those that were
    /// pinned are unpinned again.
    ///
    /// The host must have been given the grant `pin=FOLDER/*`.
    pub fn pin_maps(&self, folder: impl AsRef<str>) -> Result<()> {
        let mut pinned: Vec<(Map, String)> = Vec::new();
        for map in self.maps() {
            let path = pin_of(folder.as_ref(), &map)?;
            if let Err(error) = map.pin(&path) {
                for (map, path) in pinned.iter().rev() {
                    // What went wrong first is told.
                    let _ = map.unpin(path);
                }
                return Err(error);
            }
            pinned.push((map, path));
        }
        Ok(())
    }

    /// Removes the names that [`pin_maps`](Self::pin_maps) made. Ends at the first that cannot be removed.
    pub fn unpin_maps(&self, folder: impl AsRef<str>) -> Result<()> {
        for map in self.maps() {
            map.unpin(pin_of(folder.as_ref(), &map)?)?;
        }
        Ok(())
    }

    /// A map that may not have been created. For generated skeletons.
    #[doc(hidden)]
    pub fn map_or_absent(&self, name: &str) -> Map {
        self.map(name).unwrap_or_else(|error| {
            Map::absent(match error.kind() {
                ErrorKind::NotFound => not_created(name),
                _ => error,
            })
        })
    }

    /// A program that may not have been loaded. For generated skeletons.
    #[doc(hidden)]
    pub fn program_or_absent(&self, name: &str) -> Program {
        self.program(name).unwrap_or_else(|_| Program::absent(name))
    }
}
