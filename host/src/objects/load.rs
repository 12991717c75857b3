//! From parsed to in the kernel: policy, relocation, policy again, load.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};

use libbpf_sys as sys;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

use super::{LoadedMap, LoadedObject, LoadedProgram, OpenMap, OpenObject, Origin, failures};
use crate::bindings::objects::MapDeclaration;
use crate::bindings::types::{ErrorCode, MapType};
use crate::ctx::WasmBpfCtx;
use crate::error::{Failure, FailureResult};
use crate::maps::{Kept, MapMemory, ProgramMemory, estimated_cpus};
use crate::messages::{self, MessageLevel};
use crate::policy::{Need, Reservation, map_memory};

/// Where the verifier writes what it has to say of one program.
pub(crate) struct VerifierLog {
    pub(super) program: String,
    memory: NonNull<u8>,
}

impl VerifierLog {
    /// The most that every kernel takes (4.x: 2^24 - 1). libbpf does not grow a buffer that it is given, and kernels before 6.4 keep the
    /// log's start if it is too small. Pages that are not written cost nothing.
    const SIZE: usize = (1 << 24) - 1;

    pub(crate) fn new(program: String) -> std::io::Result<Self> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let memory = unsafe {
            mmap_anonymous(
                std::ptr::null_mut(),
                Self::SIZE,
                ProtFlags::READ | ProtFlags::WRITE,
                flags,
            )
        }?;
        let memory = NonNull::new(memory.cast()).expect("a mapping is not at address 0");
        Ok(Self { program, memory })
    }

    /// Where it is, and how much there is room for.
    pub(crate) fn buffer(&self) -> (*mut std::ffi::c_char, u32) {
        (self.memory.as_ptr().cast(), Self::SIZE as u32)
    }

    /// The log's text.
    pub(crate) fn text(&self) -> String {
        // SAFETY: the mapping has SIZE bytes, and the kernel is done with it.
        let bytes = unsafe { std::slice::from_raw_parts(self.memory.as_ptr(), Self::SIZE) };
        let end = bytes
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(Self::SIZE);
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    }
}

impl Drop for VerifierLog {
    fn drop(&mut self) {
        // SAFETY: our mapping, and libbpf does not use it after load. Failure leaves it mapped, which hurts nobody.
        let _ = unsafe { munmap(self.memory.as_ptr().cast(), Self::SIZE) };
    }
}

pub(super) fn load(ctx: &WasmBpfCtx, open: OpenObject) -> FailureResult<LoadedObject> {
    let held = check_declarations(ctx, &open)?;
    let logs = set_verifier_logs(&open)?;
    let sink = ctx.messages.as_ref();
    let pointer = open.pointer();
    let pins = NewPins::of(&open);
    // libbpf forgets the names of maps that exist already.
    let names = open
        .maps()
        .map(|map| (map.pointer.addr(), map.name()))
        .collect::<HashMap<_, _>>();
    open.hand_over_existing()?;

    // Relocates, creates the maps, and makes the pins that the object declares.
    let (answer, warnings) = messages::collect(sink, || {
        // SAFETY: an open object that nobody else uses.
        unsafe { sys::bpf_object__prepare(pointer) }
    });
    if answer < 0 {
        return Err(failures::prepare(
            &open,
            -answer,
            &warnings,
            ctx.custom_btf.as_deref(),
        ));
    }
    let has_callbacks = check_instructions(ctx, &open).inspect_err(|_| pins.remove())?;
    let (answer, warnings) = messages::collect(sink, || {
        // SAFETY: a prepared object that nobody else uses. On failure it stays ours to close.
        unsafe { sys::bpf_object__load(pointer) }
    });
    if answer < 0 {
        pins.remove();
        return Err(failures::load(&open, -answer, &warnings, &logs));
    }
    if let (Some(sink), 1..) = (sink, open.verifier_log_level) {
        for log in &logs {
            sink(
                MessageLevel::Debug,
                &format!("verifier log of `{}`:\n{}", log.program, log.text()),
            );
        }
    }
    Ok(LoadedObject::new(open, held, &names, has_callbacks))
}

/// Pins that this load makes: a load that fails leaves nothing behind. Those that were there before are others'.
struct NewPins<'a> {
    maps: Vec<OpenMap<'a>>,
}

impl<'a> NewPins<'a> {
    fn of(open: &'a OpenObject) -> Self {
        let is_new = |map: &OpenMap<'_>| {
            map.pin_path()
                .is_some_and(|path| !Path::new(&path).exists())
        };
        Self {
            maps: open
                .maps()
                .filter(|map| map.autocreate() && is_new(map))
                .collect(),
        }
    }

    fn remove(&self) {
        for map in &self.maps {
            // libbpf removes those of a load that fails by itself; a pin that is not there is no failure here.
            // SAFETY: a map of an open object.
            let _ = unsafe { sys::bpf_map__unpin(map.pointer, std::ptr::null()) };
        }
    }
}

/// Before anything is created: what the object declares.
fn check_declarations(ctx: &WasmBpfCtx, open: &OpenObject) -> FailureResult<Reservation> {
    let mut need = Need::default();
    let cpus = estimated_cpus();
    // libbpf keeps one for the object's BTF and one for what it probes.
    need.descriptors = 2;
    for map in open.maps().filter(|map| map.autocreate()) {
        let declared = map.declaration();
        ctx.policy
            .check_map(&declared.name, declared.type_)
            .map_err(|missing| Failure::from(missing).about(&declared.name))?;
        if let Some(path) = &declared.pin_path {
            ctx.policy
                .check_declared_pin(&declared.name, path)
                .map_err(|missing| Failure::from(missing).about(&declared.name))?;
        }
        if let Some(inner) = map.inner() {
            ctx.policy
                .check_map(&inner.name(), inner.kind())
                .map_err(|missing| Failure::from(missing).about(&declared.name))?;
        }
        if open.existing.reused(&declared.name).is_none() {
            let of_map = need_of_map(&map, cpus);
            need.maps += of_map.maps;
            need.map_memory = need.map_memory.saturating_add(of_map.map_memory);
        }
        need.descriptors += 1;
    }
    for program in open.programs().filter(|program| program.autoload()) {
        let name = program.name();
        ctx.policy
            .check_program(&name, program.kind(), program.attach_type())
            .map_err(|missing| Failure::from(missing).about(&name))?;
        need.programs += 1;
        need.descriptors += 1;
    }
    ctx.usage.reserve(need).map_err(|limit| {
        let mut text = format!("cannot load `{}`: {limit}", open.name);
        if limit.name == "map-memory"
            && let Some(largest) = largest_map(open, cpus)
        {
            text.push_str(&format!("; the largest map is {largest}"));
        }
        let failure = Failure::refused(ErrorCode::LimitExceeded, text);
        failure.about(&open.name)
    })
}

/// What a map holds of the limits as long as it is in the kernel.
fn need_of_map(map: &OpenMap<'_>, cpus: u32) -> Need {
    let memory = memory_of(&map.declaration(), cpus);
    // A template for the values of a map of maps is created too, and goes again.
    let template = map
        .inner()
        .map_or(0, |inner| memory_of(&inner.declaration(), cpus));
    Need {
        maps: 1,
        map_memory: memory.saturating_add(template),
        ..Need::default()
    }
}

fn memory_of(map: &MapDeclaration, cpus: u32) -> u64 {
    map_memory(
        map.type_,
        map.key_size,
        map.value_size,
        map.max_entries,
        cpus,
    )
}

fn largest_map(open: &OpenObject, cpus: u32) -> Option<String> {
    open.maps()
        .filter(|map| map.autocreate())
        .map(|map| {
            let map = map.declaration();
            (memory_of(&map, cpus), map.name)
        })
        .max()
        .map(|(bytes, name)| format!("`{name}` with about {bytes} bytes"))
}

fn set_verifier_logs(open: &OpenObject) -> FailureResult<Vec<VerifierLog>> {
    let out_of_memory = || Failure::errno(libc::ENOMEM, "no memory for the verifier's log");
    open.programs()
        .filter(|program| program.autoload())
        .map(|program| {
            let log = VerifierLog::new(program.name()).map_err(|_| out_of_memory())?;
            // SAFETY: the buffer lives until the load is over; afterwards libbpf does not touch it.
            let answer = unsafe {
                sys::bpf_program__set_log_level(program.pointer, open.verifier_log_level);
                sys::bpf_program__set_log_buf(
                    program.pointer,
                    log.memory.as_ptr().cast(),
                    VerifierLog::SIZE as sys::size_t,
                )
            };
            if answer < 0 {
                Err(out_of_memory())
            } else {
                Ok(log)
            }
        })
        .collect()
}

/// After relocation: what the kernel would get. Whether a program may start something that goes on by itself.
fn check_instructions(ctx: &WasmBpfCtx, open: &OpenObject) -> FailureResult<bool> {
    let mut has_callbacks = false;
    let map_fds = open
        .maps()
        // libbpf keeps the places of maps that are not created with descriptors of another kind.
        .filter(|map| map.autocreate())
        // SAFETY: maps of a prepared object.
        .map(|map| unsafe { sys::bpf_map__fd(map.pointer) })
        .filter(|fd| *fd >= 0)
        .collect::<BTreeSet<_>>();
    for program in open.programs().filter(|program| program.autoload()) {
        // Once more: relocation may have changed what is loaded (struct_ops does).
        let name = program.name();
        ctx.policy
            .check_program(&name, program.kind(), program.attach_type())
            .map_err(|missing| Failure::from(missing).about(&name))?;
        has_callbacks |= ctx.policy.check_instructions(
            &name,
            program.kind(),
            program.instructions(),
            &map_fds,
        )?;
    }
    Ok(has_callbacks)
}

/// libbpf fills maps of maps and program arrays as the object declares. Which map and program is in which is not looked up: any of
/// the same object may be.
fn keep_declared(programs: &[LoadedProgram], maps: &[LoadedMap]) {
    let holds_maps = |kind| matches!(kind, MapType::ArrayOfMaps | MapType::HashOfMaps);
    for outer in maps {
        // libbpf leaves the contents of a map that existed before alone.
        if holds_maps(outer.kind) && !outer.is_reused {
            // The kernel puts no map of maps and no program array into one.
            let can_be_inner = |inner: &&LoadedMap| {
                !holds_maps(inner.kind) && !matches!(inner.kind, MapType::ProgArray)
            };
            for inner in maps.iter().filter(can_be_inner) {
                outer
                    .memory
                    .keep_declared(Kept::Map(Arc::clone(&inner.memory)));
            }
        }
        if matches!(outer.kind, MapType::ProgArray) {
            for program in programs {
                outer
                    .memory
                    .keep_declared(Kept::Program(Arc::clone(&program.held)));
            }
        }
    }
}

impl LoadedObject {
    /// `held` is divided among the object, its maps and its programs: each may outlive the others.
    fn new(
        open: OpenObject,
        mut held: Reservation,
        names: &HashMap<usize, String>,
        has_callbacks: bool,
    ) -> Self {
        let cpus = estimated_cpus();
        let maps: Vec<_> = open
            .maps()
            .filter(|map| map.autocreate())
            // SAFETY: a map of a loaded object; negative if it was not created.
            .filter(|map| unsafe { sys::bpf_map__fd(map.pointer) } >= 0)
            .filter_map(|map| {
                let name = names.get(&map.pointer.addr())?.clone();
                let reused = open.existing.reused(&name);
                Some(LoadedMap {
                    pointer: NonNull::new(map.pointer)?,
                    kind: map.kind(),
                    memory: match reused {
                        Some(existing) => existing.memory(),
                        None => Arc::new(MapMemory::new(held.split(need_of_map(&map, cpus)))),
                    },
                    is_reused: reused.is_some(),
                    name,
                })
            })
            .collect();
        let programs: Vec<_> = open
            .programs()
            // SAFETY: a program of a loaded object; negative if it was not loaded.
            .filter(|program| unsafe { sys::bpf_program__fd(program.pointer) } >= 0)
            .filter_map(|program| {
                Some(LoadedProgram {
                    name: program.name(),
                    section: program.section(),
                    kind: program.kind(),
                    attach_type: program.attach_type(),
                    origin: Origin::Object(NonNull::new(program.pointer)?),
                    held: Arc::new(ProgramMemory::new(
                        held.split(Need {
                            programs: 1,
                            ..Need::default()
                        }),
                        maps.iter().map(|map| {
                            // What a map holds must not hold the map.
                            let holds_programs = matches!(map.kind, MapType::ProgArray)
                                || map.is_reused && has_callbacks;
                            (&map.memory, holds_programs)
                        }),
                        open.targets
                            .get(&program.name())
                            .map(|target| Arc::clone(&target.loaded().held)),
                    )),
                })
            })
            .collect();
        keep_declared(&programs, &maps);
        // Handles that others have to such maps do not hold this object, whose timers go on as long as they do.
        for map in maps.iter().filter(|map| map.is_reused && has_callbacks) {
            for program in &programs {
                map.memory
                    .keep_declared(Kept::Program(Arc::clone(&program.held)));
            }
        }
        let OpenObject { object, name, .. } = open;
        // SAFETY: the object is loaded, and the pointer has one owner again.
        let object = unsafe { libbpf_rs::Object::from_ptr(object.take_ptr()) };
        Self {
            name,
            programs,
            maps,
            object: Mutex::new(object),
            has_callbacks,
            usdt: Mutex::default(),
            _held: held,
        }
    }
}
