//! Maps.

mod create;
mod flags;
mod iter;
mod lpm;
mod percpu;
mod typed;

use std::fmt;
use std::rc::Rc;

pub use self::create::MapCreateOptions;
pub use self::flags::ElemFlags;
pub use self::iter::{MapIter, MapKeyIter};
pub use self::lpm::LpmKey;
pub use self::percpu::{PerCpu, PerCpuMap};
pub use self::typed::{BloomFilter, MapValue, Queue, TypedMap, TypedMapIter};
pub(crate) use self::typed::{from_bytes, to_number};
use crate::bindings::links;
use crate::bindings::maps::{self, UpdateMode};
use crate::bindings::query;
use crate::error::{Error, ErrorKind, Result, words};
use crate::{Descriptor, Link, MappedMemory, PerfEvent, Program};

/// Kinds of map.
pub use crate::bindings::types::MapType;

/// What is known of a map.
pub use crate::bindings::maps::MapInfo;

/// Whom a value of a local storage belongs to: a process by its number, a file or a cgroup by a [`Descriptor`].
pub use crate::bindings::maps::StorageOwner;

/// What an update expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MapFlags {
    /// Create or replace.
    #[default]
    Any,
    /// Create; fails with [`ErrorKind::AlreadyExists`] otherwise.
    NoExist,
    /// Replace; fails with [`ErrorKind::NotFound`] otherwise.
    Exist,
}

impl MapFlags {
    pub(crate) fn mode(self) -> UpdateMode {
        match self {
            Self::Any => UpdateMode::Any,
            Self::NoExist => UpdateMode::Create,
            Self::Exist => UpdateMode::Replace,
        }
    }
}

mod sealed {
    use super::{Rc, Result, maps};

    pub trait Handle {
        fn handle(&self) -> Result<&maps::Map>;
        fn shared(&self) -> Result<Rc<maps::Map>>;
    }
}
pub(crate) use sealed::Handle;

/// What all maps can do, whether they are an object's or were made by [`MapHandle::create`].
///
/// Keys have exactly [`key_size`](Self::key_size) bytes. Values have exactly [`value_size`](Self::value_size) bytes, but for
/// per-CPU maps: those go through the functions with `percpu` in their name. Queues, stacks and bloom filters have no keys: theirs is
/// the empty one. [`TypedMap`], [`PerCpuMap`], [`Queue`] and [`BloomFilter`] do the same with types in place of bytes.
pub trait MapCore: Handle {
    /// What is known of the map. It does not change while the map lives.
    fn info(&self) -> Result<MapInfo> {
        Ok(self.handle()?.info())
    }

    /// The name in the BPF C source.
    fn name(&self) -> Result<String> {
        Ok(self.info()?.name)
    }

    /// The kind of map.
    fn map_type(&self) -> Result<MapType> {
        Ok(self.info()?.type_)
    }

    /// Bytes of a key.
    fn key_size(&self) -> Result<u32> {
        Ok(self.info()?.key_size)
    }

    /// Bytes of a value.
    fn value_size(&self) -> Result<u32> {
        Ok(self.info()?.value_size)
    }

    /// Entries at most.
    fn max_entries(&self) -> Result<u32> {
        Ok(self.info()?.max_entries)
    }

    /// All keys, fetched many at a time, in the kernel's order.
    ///
    /// While others change the map a key may come twice, or one that was just added not at all; the walk ends in any case.
    fn keys(&self) -> MapKeyIter {
        MapKeyIter::new(self.shared())
    }

    /// All entries as (key, value), fetched many at a time with the kernel's batches, in the kernel's order.
    ///
    /// An entry that is there all the time comes at least once; while others change the map, others may come or not. The walk ends in any case. Values of
    /// per-CPU maps come packed: see [`PerCpuMap::iter`] for their parts.
    fn iter(&self) -> MapIter {
        MapIter::new(self.shared(), false, iter::ENTRIES)
    }

    /// Takes all entries out of the map as (key, value). In hash maps each is read and deleted in one step: what a program stores afterwards is a new
    /// entry. Only a program that looked the value up before and still works on it can lose what it adds at that moment.
    ///
    /// Entries are deleted as they are fetched, many at a time, also those that are not looked at because the iterator is dropped.
    fn drain(&self) -> MapIter {
        MapIter::new(self.shared(), true, iter::ENTRIES)
    }

    /// As [`iter`](Self::iter), with the number of entries to fetch at a time. Both flags must be [`MapFlags::Any`].
    fn lookup_batch(&self, count: u32, elem_flags: MapFlags, flags: MapFlags) -> Result<MapIter> {
        iter::demand_no_flags(elem_flags, flags)?;
        Ok(MapIter::new(Ok(self.shared()?), false, count))
    }

    /// As [`drain`](Self::drain), with the number of entries to fetch at a time. Both flags must be [`MapFlags::Any`].
    fn lookup_and_delete_batch(
        &self,
        count: u32,
        elem_flags: MapFlags,
        flags: MapFlags,
    ) -> Result<MapIter> {
        iter::demand_no_flags(elem_flags, flags)?;
        Ok(MapIter::new(Ok(self.shared()?), true, count))
    }

    /// Creates or replaces the values of `count` keys with one call. `keys` has `count * key_size` bytes; `values` `count * value_size`, or for per-CPU maps
    /// as many as [`info`](Self::info) says in `value_length`. `flags` must be [`MapFlags::Any`].
    ///
    /// # Errors
    /// Of the first pair that fails; those before it are stored, and the message says how many.
    fn update_batch(
        &self,
        keys: &[u8],
        values: &[u8],
        count: u32,
        elem_flags: MapFlags,
        flags: MapFlags,
    ) -> Result<()> {
        iter::demand_no_flags(MapFlags::Any, flags)?;
        let handle = self.handle()?;
        demand_count(handle, keys, count)?;
        update_many(handle, keys, values, elem_flags)
    }

    /// Deletes `count` keys with one call. `keys` has `count * key_size` bytes. Both flags must be [`MapFlags::Any`]. A key that is not there is no failure.
    fn delete_batch(
        &self,
        keys: &[u8],
        count: u32,
        elem_flags: MapFlags,
        flags: MapFlags,
    ) -> Result<()> {
        iter::demand_no_flags(elem_flags, flags)?;
        let handle = self.handle()?;
        demand_count(handle, keys, count)?;
        delete_many(handle, keys).map(drop)
    }

    /// The value of a key. `value_size` bytes; for a per-CPU map use [`lookup_percpu`](Self::lookup_percpu). Without a key: the value of a queue or stack that
    /// [`lookup_and_delete`](Self::lookup_and_delete) would take.
    fn lookup(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let handle = self.handle()?;
        let answer = if is_keyless(handle, key) {
            handle.peek()
        } else {
            handle.lookup(key)
        };
        answer.map_err(|code| failed(handle, "look up a key in", code, key, None))
    }

    /// Whether `value` may be in a bloom filter: false is certain, true is not.
    fn lookup_bloom_filter(&self, value: &[u8]) -> Result<bool> {
        let handle = self.handle()?;
        handle
            .contains(value)
            .map_err(|code| failed(handle, "look up a value in", code, &[], Some(value)))
    }

    /// The values of a key on each CPU, CPU 0 first, `value_size` bytes each.
    fn lookup_percpu(&self, key: &[u8]) -> Result<Option<Vec<Vec<u8>>>> {
        let info = self.info()?;
        let Some(packed) = self.lookup(key)? else {
            return Ok(None);
        };
        let size = info.value_size as usize;
        let values = packed.chunks_exact(size.next_multiple_of(8).max(8));
        Ok(Some(values.map(|value| value[..size].to_vec()).collect()))
    }

    /// Creates or replaces the value of a key, as `flags` say. Without a key: puts the value into a queue, a stack or a bloom filter; with
    /// [`MapFlags::Exist`] a queue or stack that is full drops its oldest value for it.
    fn update(&self, key: &[u8], value: &[u8], flags: MapFlags) -> Result<()> {
        let handle = self.handle()?;
        let answer = if is_keyless(handle, key) {
            match flags {
                MapFlags::Any => handle.push(value, false),
                MapFlags::Exist => handle.push(value, true),
                MapFlags::NoExist => Err(ErrorKind::InvalidArgument),
            }
        } else {
            handle.update(key, value, flags.mode())
        };
        answer.map_err(|code| failed(handle, "update", code, key, Some(value)))
    }

    /// Puts a map into a map of maps. It stays there when its own handle is dropped.
    fn update_map(&self, key: &[u8], inner: &dyn MapCore, flags: MapFlags) -> Result<()> {
        let handle = self.handle()?;
        handle
            .update_map(key, inner.handle()?, flags.mode())
            .map_err(|code| failed(handle, "put a map into", code, key, None))
    }

    /// Puts a program into a program array, for bpf_tail_call. It stays there when its own handle is dropped.
    fn update_program(&self, key: &[u8], program: &Program, flags: MapFlags) -> Result<()> {
        let handle = self.handle()?;
        program
            .handle()?
            .store_in(handle, key, flags.mode())
            .map_err(|code| failed(handle, "put a program into", code, key, None))
    }

    /// Puts a perf event into a perf event array, for bpf_perf_event_read_value. It stays there when its own handle is dropped.
    fn update_perf_event(&self, key: &[u8], event: &PerfEvent, flags: MapFlags) -> Result<()> {
        let handle = self.handle()?;
        event
            .handle()
            .store_in(handle, key, flags.mode())
            .map_err(|code| failed(handle, "put a perf event into", code, key, None))
    }

    /// Sets the values of a key on each CPU, CPU 0 first: one for each possible CPU, `value_size` bytes each.
    fn update_percpu(&self, key: &[u8], values: &[impl AsRef<[u8]>], flags: MapFlags) -> Result<()>
    where
        Self: Sized,
    {
        let size = self.info()?.value_size as usize;
        let mut packed = Vec::with_capacity(values.len() * size.next_multiple_of(8));
        for value in values {
            let value = value.as_ref();
            if value.len() != size {
                return Err(Error::layout(format!(
                    "a per-CPU value has {} bytes, the map's have {size}",
                    value.len()
                )));
            }
            packed.extend_from_slice(value);
            packed.resize(packed.len().next_multiple_of(8), 0);
        }
        self.update(key, &packed, flags)
    }

    /// Deletes a key. Fails with [`ErrorKind::NotFound`] if it is not there.
    fn delete(&self, key: &[u8]) -> Result<()> {
        let handle = self.handle()?;
        match handle.delete(key) {
            Ok(true) => Ok(()),
            Ok(false) => Err(failed(
                handle,
                "delete a key of",
                ErrorKind::NotFound,
                key,
                None,
            )),
            Err(code) => Err(failed(handle, "delete a key of", code, key, None)),
        }
    }

    /// Takes the value of a key and deletes the key, in one step. Without a key: the oldest value of a queue, the newest of a stack.
    fn lookup_and_delete(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let handle = self.handle()?;
        let answer = if is_keyless(handle, key) {
            handle.pop()
        } else {
            handle.lookup_and_delete(key)
        };
        answer.map_err(|code| failed(handle, "take a key from", code, key, None))
    }

    /// The key after the given one, in the kernel's order; with none, the first key; none at the end.
    fn next_key(&self, after: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
        let handle = self.handle()?;
        handle
            .next_key(after)
            .map_err(|code| failed(handle, "walk", code, after.unwrap_or_default(), None))
    }

    /// As [`lookup`](Self::lookup), with flags: [`ElemFlags::LOCK`], or [`ElemFlags::cpu`] for one CPU's value of a per-CPU map, which has `value_size` bytes.
    fn lookup_with(&self, key: &[u8], flags: ElemFlags) -> Result<Option<Vec<u8>>> {
        let handle = self.handle()?;
        handle
            .lookup_with(key, flags.bits())
            .map_err(|code| failed(handle, "look up a key in", code, key, None))
    }

    /// As [`update`](Self::update), with flags. With [`ElemFlags::cpu`] and [`ElemFlags::ALL_CPUS`] the value has `value_size` bytes.
    fn update_with(&self, key: &[u8], value: &[u8], flags: ElemFlags) -> Result<()> {
        let handle = self.handle()?;
        handle
            .update_with(key, value, flags.bits())
            .map_err(|code| failed(handle, "update", code, key, Some(value)))
    }

    /// As [`lookup_and_delete`](Self::lookup_and_delete), with flags: [`ElemFlags::LOCK`].
    fn lookup_and_delete_with(&self, key: &[u8], flags: ElemFlags) -> Result<Option<Vec<u8>>> {
        let handle = self.handle()?;
        handle
            .lookup_and_delete_with(key, flags.bits())
            .map_err(|code| failed(handle, "take a key from", code, key, None))
    }

    /// Puts a cgroup into a cgroup array, by its folder: see [`open_descriptor`](crate::open_descriptor).
    fn update_cgroup(&self, key: &[u8], cgroup: &Descriptor, flags: MapFlags) -> Result<()> {
        Ok(self.handle()?.update_cgroup(key, cgroup, flags.mode())?)
    }

    /// Puts a network interface into a map of devices; the host must have been given the grant `xdp=INTERFACE`.
    fn update_device(&self, key: &[u8], network_interface: &str, flags: MapFlags) -> Result<()> {
        let handle = self.handle()?;
        Ok(handle.update_device(key, network_interface, flags.mode())?)
    }

    /// As [`update_device`](Self::update_device), with a program that runs for each packet that is redirected there.
    fn update_device_with_program(
        &self,
        key: &[u8],
        network_interface: &str,
        program: &Program,
        flags: MapFlags,
    ) -> Result<()> {
        let (program, handle) = (program.handle()?, self.handle()?);
        Ok(program.store_in_device(handle, key, network_interface, flags.mode())?)
    }

    /// Makes a CPU ready to take packets, with a queue of this many.
    fn update_cpu(&self, cpu: u32, queue_size: u32, flags: MapFlags) -> Result<()> {
        let handle = self.handle()?;
        Ok(handle.update_cpu(&cpu.to_ne_bytes(), queue_size, flags.mode())?)
    }

    /// As [`update_cpu`](Self::update_cpu), with a program that runs there for each packet.
    fn update_cpu_with_program(
        &self,
        cpu: u32,
        queue_size: u32,
        program: &Program,
        flags: MapFlags,
    ) -> Result<()> {
        let (program, handle) = (program.handle()?, self.handle()?);
        Ok(program.store_in_cpu(handle, &cpu.to_ne_bytes(), queue_size, flags.mode())?)
    }

    /// The value that belongs to a process, a file or a cgroup in a local storage.
    fn lookup_of(&self, owner: StorageOwner<'_>) -> Result<Option<Vec<u8>>> {
        let handle = self.handle()?;
        handle
            .lookup_of(&owner)
            .map_err(|code| failed_owner(handle, "look up an owner in", code, None))
    }

    /// Creates or replaces the value that belongs to an owner in a local storage. It goes with the owner.
    fn update_of(&self, owner: StorageOwner<'_>, value: &[u8], flags: MapFlags) -> Result<()> {
        let handle = self.handle()?;
        handle
            .update_of(&owner, value, flags.mode())
            .map_err(|code| failed_owner(handle, "update", code, Some(value)))
    }

    /// Deletes the value that belongs to an owner in a local storage; whether there was one.
    fn delete_of(&self, owner: StorageOwner<'_>) -> Result<bool> {
        let handle = self.handle()?;
        handle
            .delete_of(&owner)
            .map_err(|code| failed_owner(handle, "delete a value of", code, None))
    }

    /// Maps the memory that programs share: global data, arrays made with BPF_F_MMAPABLE, arenas.
    fn mmap(&self) -> Result<MappedMemory> {
        MappedMemory::open(self.handle()?)
    }

    /// Takes from user space the right to change the map, for good.
    fn freeze(&self) -> Result<()> {
        let handle = self.handle()?;
        handle
            .freeze()
            .map_err(|code| failed(handle, "freeze", code, &[], None))
    }

    /// Registers the operations that an object declares in this map with the kernel, until the link is dropped; the host must have been given the grant
    /// `struct-ops`.
    fn attach_struct_ops(&self) -> Result<Link> {
        Ok(Link::new(links::attach_struct_ops(self.handle()?)?))
    }

    /// Keeps the map in the kernel under a path of a BPF file system; the host must have been given the grant `pin=PATH`.
    fn pin(&self, path: impl AsRef<str>) -> Result<()>
    where
        Self: Sized,
    {
        Ok(self.handle()?.pin(path.as_ref())?)
    }

    /// Removes a name that the map was pinned under.
    fn unpin(&self, path: impl AsRef<str>) -> Result<()>
    where
        Self: Sized,
    {
        Ok(self.handle()?.unpin(path.as_ref())?)
    }
}

/// Whether this is a queue, a stack or a bloom filter, which have no keys.
fn is_keyless(map: &maps::Map, key: &[u8]) -> bool {
    key.is_empty()
        && matches!(
            map.info().type_,
            MapType::Queue | MapType::Stack | MapType::BloomFilter
        )
}

fn demand_count(map: &maps::Map, keys: &[u8], count: u32) -> Result<()> {
    let info = map.info();
    let expected = u64::from(count) * u64::from(info.key_size);
    if keys.len() as u64 == expected {
        return Ok(());
    }
    Err(Error::layout(format!(
        "{count} keys of the map `{}` have {expected} bytes, these have {}",
        info.name,
        keys.len()
    )))
}

/// Keys that are given to the host at once: it takes four times as many.
const KEYS: usize = 1 << 16;

/// Stores values of many keys.
fn update_many(map: &maps::Map, keys: &[u8], values: &[u8], flags: MapFlags) -> Result<()> {
    let info = map.info();
    let (key_size, value_length) = (info.key_size as usize, info.value_length as usize);
    let count = keys.len() / key_size.max(1);
    if keys.len() != count * key_size || values.len() != count * value_length {
        return Err(Error::layout(format!(
            "cannot update many keys of the map `{}`: {} bytes of keys of {key_size}, {} bytes of values of {value_length}",
            info.name,
            keys.len(),
            values.len(),
        )));
    }
    let mut stored = 0;
    while stored < count {
        let end = count.min(stored + KEYS);
        let keys = &keys[stored * key_size..end * key_size];
        let values = &values[stored * value_length..end * value_length];
        let failed = match map.update_many(keys, values, flags.mode()) {
            Ok(updated) => {
                stored += updated.count as usize;
                updated.failed
            }
            Err(code) => Some(code),
        };
        if let Some(code) = failed {
            return Err(Error::of_code(
                code,
                format!(
                    "cannot update the map `{}`: {}; {stored} entries were stored before that",
                    info.name,
                    words(code)
                ),
            ));
        }
    }
    Ok(())
}

/// Deletes many keys; how many were there.
fn delete_many(map: &maps::Map, keys: &[u8]) -> Result<u32> {
    let info = map.info();
    let key_size = info.key_size as usize;
    let mut were_there = 0;
    let mut done = 0;
    // What is left over at the end is no key, which the host says.
    for keys in keys.chunks((KEYS * key_size).max(1)) {
        let failed = match map.delete_many(keys) {
            Ok(deleted) => {
                done += deleted.count;
                were_there += deleted.count - deleted.missing;
                deleted.failed
            }
            Err(ErrorKind::WrongSize) => {
                return Err(failed(
                    map,
                    "delete many keys of",
                    ErrorKind::WrongSize,
                    keys,
                    None,
                ));
            }
            Err(code) => Some(code),
        };
        if let Some(code) = failed {
            return Err(Error::of_code(
                code,
                format!(
                    "cannot delete keys of the map `{}`: {}; {done} were dealt with before that",
                    info.name,
                    words(code)
                ),
            ));
        }
    }
    Ok(were_there)
}

/// An error that says which sizes were wrong, if they were.
fn failed(map: &maps::Map, what: &str, code: ErrorKind, key: &[u8], value: Option<&[u8]>) -> Error {
    let info = map.info();
    let mut text = format!("cannot {what} the map `{}`: {}", info.name, words(code));
    if matches!(code, ErrorKind::WrongSize) {
        if key.len() != info.key_size as usize {
            text.push_str(&format!(
                ": the key has {} bytes, the map's have {}",
                key.len(),
                info.key_size
            ));
        } else if let Some(value) = value {
            text.push_str(&format!(
                ": the value has {} bytes, the map takes {}",
                value.len(),
                info.value_length
            ));
        }
    }
    Error::of_code(code, text)
}

/// The same where owners take the place of keys.
fn failed_owner(map: &maps::Map, what: &str, code: ErrorKind, value: Option<&[u8]>) -> Error {
    let info = map.info();
    failed(map, what, code, &vec![0; info.key_size as usize], value)
}

/// A map of a loaded object.
pub struct Map {
    handle: Result<Rc<maps::Map>>,
}

impl Map {
    pub(crate) fn new(handle: maps::Map) -> Self {
        Self {
            handle: Ok(Rc::new(handle)),
        }
    }

    /// A map that is not there; its functions fail with `why`.
    pub(crate) fn absent(why: Error) -> Self {
        Self { handle: Err(why) }
    }

    /// Whether the map was not created. Its functions fail with [`ErrorKind::NotFound`] then.
    pub fn is_absent(&self) -> bool {
        self.handle.is_err()
    }
}

impl Handle for Map {
    fn handle(&self) -> Result<&maps::Map> {
        self.handle.as_deref().map_err(Clone::clone)
    }

    fn shared(&self) -> Result<Rc<maps::Map>> {
        self.handle.clone()
    }
}

impl MapCore for Map {}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(self, "Map", f)
    }
}

/// What the name of a map's type and the map itself say.
fn debug(map: &dyn MapCore, ty: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let name = map.info().map(|info| info.name);
    f.debug_tuple(ty).field(&name).finish()
}

/// Why a map of an object is absent.
pub(crate) fn not_created(name: &str) -> Error {
    Error::of_code(
        ErrorKind::NotFound,
        format!("the map `{name}` was not created: autocreate was switched off"),
    )
}

/// A map of its own: made by [`create`](Self::create), or a second handle to an object's.
#[derive(Clone)]
pub struct MapHandle {
    handle: Rc<maps::Map>,
}

impl MapHandle {
    /// Makes a map outside any object. `options` are [`MapCreateOptions`], or BPF_F_* alone; 0 for none.
    pub fn create<'a>(
        kind: MapType,
        name: &str,
        key_size: u32,
        value_size: u32,
        max_entries: u32,
        options: impl Into<MapCreateOptions<'a>>,
    ) -> Result<Self> {
        let options = options.into().to_host()?;
        let handle = maps::Map::create(name, kind, key_size, value_size, max_entries, &options)?;
        Ok(Self {
            handle: Rc::new(handle),
        })
    }

    /// Makes a map of maps outside any object, for maps like `inner`.
    pub fn create_of_maps(
        kind: MapType,
        name: &str,
        key_size: u32,
        max_entries: u32,
        flags: u32,
        inner: &dyn MapCore,
    ) -> Result<Self> {
        let options = MapCreateOptions::new().flags(flags).inner_map(inner);
        Self::create(kind, name, key_size, 4, max_entries, options)
    }

    /// The map of an id, to read and to change; the host must have been given the grants `query` and `query-change`.
    pub fn from_map_id(id: u32) -> Result<Self> {
        Ok(Self {
            handle: Rc::new(query::open_map_to_change(id)?),
        })
    }

    /// The map of an id, to read; the host must have been given the grant `query`.
    pub fn from_map_id_read_only(id: u32) -> Result<Self> {
        Ok(Self {
            handle: Rc::new(query::open_map(id)?),
        })
    }

    /// Opens the map that is pinned under a path of a BPF file system; the host must have been given the grant `pin=PATH`.
    pub fn from_pinned_path(path: impl AsRef<str>) -> Result<Self> {
        let handle = maps::Map::open_pinned(path.as_ref())?;
        Ok(Self {
            handle: Rc::new(handle),
        })
    }
}

/// What wrappers that give a map types share: each is still a map.
macro_rules! is_a_map {
    ($wrapper:ident<$($type:ident),*>) => {
        impl<$($type,)* M> std::ops::Deref for $wrapper<$($type,)* M> {
            type Target = M;

            fn deref(&self) -> &M {
                &self.map
            }
        }

        impl<$($type,)* M: MapCore> Handle for $wrapper<$($type,)* M> {
            fn handle(&self) -> Result<&maps::Map> {
                self.map.handle()
            }

            fn shared(&self) -> Result<Rc<maps::Map>> {
                self.map.shared()
            }
        }

        impl<$($type,)* M: MapCore> MapCore for $wrapper<$($type,)* M> {}

        impl<$($type,)* M: MapCore> std::fmt::Debug for $wrapper<$($type,)* M> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                debug(&self.map, stringify!($wrapper), f)
            }
        }

        impl<$($type,)* M: MapCore> TryFrom<&$wrapper<$($type,)* M>> for MapHandle {
            type Error = Error;

            fn try_from(map: &$wrapper<$($type,)* M>) -> Result<Self> {
                Ok(Self {
                    handle: map.shared()?,
                })
            }
        }
    };
}
is_a_map! { TypedMap<K, V> }
is_a_map! { Queue<V> }
is_a_map! { BloomFilter<V> }

impl TryFrom<&Map> for MapHandle {
    type Error = Error;

    fn try_from(map: &Map) -> Result<Self> {
        Ok(Self {
            handle: map.shared()?,
        })
    }
}

impl Handle for MapHandle {
    fn handle(&self) -> Result<&maps::Map> {
        Ok(&self.handle)
    }

    fn shared(&self) -> Result<Rc<maps::Map>> {
        Ok(Rc::clone(&self.handle))
    }
}

impl MapCore for MapHandle {}

impl fmt::Debug for MapHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(self, "MapHandle", f)
    }
}
