//! USDT probes: what libbpf does for them, but with a file and maps that are not to be trusted.
//!
//! A place of a probe is a uprobe. Where the probe's arguments are at that place, registers or memory, is text in a note of the file; it becomes a
//! specification in a map of the object, whose number the uprobe has as its cookie. `bpf/usdt.bpf.h` has the other side.

use std::ffi::CString;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::{Arc, OnceLock, PoisonError};

use libbpf_sys as sys;
use wasmtime::component::Resource;

use super::binary::UsdtPlace;
use super::kprobe::SINGLE;
use super::probe::{
    ProbeOptions, Takes, demand_attach_type, invalid, refuse, shown_name, user_name,
};
use super::uprobe::{Target, Uprobe, UprobeMulti, without_path};
use super::{LoadedProgram, Program, cannot_attach};
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::descriptors::HostFile;
use crate::error::{Failure, FailureResult};
use crate::links::{Attached, Attachment, Link};
use crate::messages;
use crate::objects::LoadedObject;
use crate::policy::Need;

const SPECS: &str = "__bpf_usdt_specs";
const IPS: &str = "__bpf_usdt_ip_to_spec_id";
/// BPF_USDT_MAX_ARG_CNT
const MAX_ARGUMENTS: usize = 12;

/// Numbers of specifications in an object's map.
#[derive(Debug, Default)]
pub(crate) struct SpecIds {
    next: u32,
    free: Vec<u32>,
}

impl SpecIds {
    fn take(&mut self, room: u32) -> Option<u32> {
        self.free.pop().or_else(|| {
            let id = self.next;
            (id < room).then(|| {
                self.next += 1;
                id
            })
        })
    }
}

/// Where one argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Location {
    Constant(i64),
    Register(u16),
    /// In memory, at a distance from what the register has.
    Memory {
        register: u16,
        distance: i64,
    },
    /// The same with an index, shifted.
    Indexed {
        register: u16,
        index: u16,
        shift: u8,
        distance: i64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Argument {
    location: Location,
    is_signed: bool,
    /// Bits above the argument's own in 64.
    shift: u8,
}

/// How an object's `bpf/usdt.bpf.h` lays out a specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// Up to libbpf 1.6.
    Old,
    /// Since libbpf 1.7: with indexed memory.
    New,
}

impl Layout {
    fn of_size(size: u32) -> Option<Self> {
        [Self::Old, Self::New]
            .into_iter()
            .find(|layout| layout.size() == size as usize)
    }

    fn argument_size(self) -> usize {
        match self {
            Self::Old => 16,
            Self::New => 24,
        }
    }

    /// Arguments, cookie, and the arguments' number, filled up to 8 bytes.
    fn size(self) -> usize {
        MAX_ARGUMENTS * self.argument_size() + 16
    }

    /// None if it cannot say it.
    fn specification(self, arguments: &[Argument], cookie: u64) -> Option<Vec<u8>> {
        let mut bytes = vec![0; self.size()];
        for (argument, bytes) in arguments
            .iter()
            .zip(bytes.chunks_exact_mut(self.argument_size()))
        {
            let (value, kind, register, index, shift) = match argument.location {
                Location::Constant(value) => (value, 0u32, 0, 0, 0),
                Location::Register(register) => (0, 1, register, 0, 0),
                Location::Memory { register, distance } => (distance, 2, register, 0, 0),
                Location::Indexed {
                    register,
                    index,
                    shift,
                    distance,
                } => (distance, 3, register, index, shift),
            };
            bytes[..8].copy_from_slice(&value.to_ne_bytes());
            let rest = match self {
                Self::Old if kind == 3 => return None,
                Self::Old => {
                    bytes[8..12].copy_from_slice(&kind.to_ne_bytes());
                    &mut bytes[12..]
                }
                Self::New => {
                    // Bit fields, of this byte order.
                    bytes[8] = kind as u8;
                    let of_index = (index & 0xfff) | (u16::from(shift) << 12);
                    bytes[10..12].copy_from_slice(&of_index.to_ne_bytes());
                    &mut bytes[14..]
                }
            };
            rest[..2].copy_from_slice(&register.to_ne_bytes());
            rest[2] = argument.is_signed.into();
            rest[3] = argument.shift;
        }
        let tail = &mut bytes[MAX_ARGUMENTS * self.argument_size()..];
        tail[..8].copy_from_slice(&cookie.to_ne_bytes());
        tail[8..10].copy_from_slice(&(arguments.len() as u16).to_ne_bytes());
        Some(bytes)
    }
}

/// What a note says of a probe's arguments: `-4@%edi 8@-16(%rbp)`.
fn parse_arguments(text: &str) -> Option<Vec<Argument>> {
    let mut arguments = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if arguments.len() == MAX_ARGUMENTS {
            return None;
        }
        // Up to the next space that is in no brackets.
        let mut depth = 0usize;
        let end = rest.find(|character: char| {
            match character {
                '(' | '[' => depth += 1,
                ')' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            character.is_ascii_whitespace() && depth == 0
        });
        let (argument, behind) = rest.split_at(end.unwrap_or(rest.len()));
        arguments.push(parse_argument(argument)?);
        rest = behind.trim_start();
    }
    Some(arguments)
}

fn parse_argument(text: &str) -> Option<Argument> {
    let (size, location) = text.split_once('@')?;
    let size = size.parse::<i8>().ok()?;
    let bits = match size.unsigned_abs() {
        bytes @ (1 | 2 | 4 | 8) => 8 * bytes,
        _ => return None,
    };
    let location = location.replace(|character: char| character.is_ascii_whitespace(), "");
    Some(Argument {
        location: machine::location(&location)?,
        is_signed: size < 0,
        shift: 64 - bits,
    })
}

/// `DISTANCE(INSIDE)` with any brackets: the distance, 0 if there is none, and what is inside.
#[cfg(any(target_arch = "x86_64", target_arch = "riscv64"))]
fn in_brackets(text: &str) -> Option<(i64, &str)> {
    let (distance, inside) = text.strip_suffix(')')?.split_once('(')?;
    let distance = match distance {
        "" => 0,
        distance => distance.parse().ok()?,
    };
    Some((distance, inside))
}

#[cfg(target_arch = "x86_64")]
mod machine {
    use super::{Location, in_brackets};

    pub(super) fn location(text: &str) -> Option<Location> {
        if let Some(number) = text.strip_prefix('$') {
            return Some(Location::Constant(number.parse().ok()?));
        }
        if text.starts_with('%') {
            return Some(Location::Register(register(text)?));
        }
        let (distance, inside) = in_brackets(text)?;
        let mut parts = inside.split(',');
        let register_of = |text: Option<&str>| register(text?);
        let base = register_of(parts.next())?;
        let Some(index) = parts.next() else {
            return Some(Location::Memory {
                register: base,
                distance,
            });
        };
        let shift = match parts.next() {
            None | Some("1") => 0,
            Some("2") => 1,
            Some("4") => 2,
            Some("8") => 3,
            Some(_) => return None,
        };
        if parts.next().is_some() {
            return None;
        }
        Some(Location::Indexed {
            register: base,
            index: register(index)?,
            shift,
            distance,
        })
    }

    /// Where it is in `struct pt_regs`.
    fn register(text: &str) -> Option<u16> {
        let name = text.strip_prefix('%')?;
        const NAMES: [(&str, u16); 8] = [
            ("bp", 32),
            ("bx", 40),
            ("ax", 80),
            ("cx", 88),
            ("dx", 96),
            ("si", 104),
            ("di", 112),
            ("sp", 152),
        ];
        // From r8 on.
        const NUMBERED: [u16; 8] = [72, 64, 56, 48, 24, 16, 8, 0];
        if let Some(number) = name.strip_prefix('r')
            && let number = number.strip_suffix(['d', 'w', 'b']).unwrap_or(number)
            && let Ok(number) = number.parse::<usize>()
        {
            return NUMBERED.get(number.checked_sub(8)?).copied();
        }
        if ["rip", "eip"].contains(&name) {
            return Some(128);
        }
        NAMES.into_iter().find_map(|(stem, offset)| {
            let long = name
                .strip_prefix(['r', 'e'])
                .is_some_and(|rest| rest == stem);
            // al, bl, cl, dl; sil, dil, bpl, spl.
            let low = match stem.strip_suffix('x') {
                Some(letter) => name.strip_suffix('l') == Some(letter),
                None => name.strip_suffix('l') == Some(stem),
            };
            (long || low || name == stem).then_some(offset)
        })
    }
}

#[cfg(target_arch = "aarch64")]
mod machine {
    use super::Location;

    pub(super) fn location(text: &str) -> Option<Location> {
        if let Some(inside) = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
        {
            let (name, distance) = match inside.split_once(',') {
                Some((name, distance)) => (name, distance.parse().ok()?),
                None => (inside, 0),
            };
            let register = register(name)?;
            return Some(Location::Memory { register, distance });
        }
        if let Ok(number) = text.parse() {
            return Some(Location::Constant(number));
        }
        Some(Location::Register(register(text)?))
    }

    /// Where it is in `struct user_pt_regs`.
    fn register(name: &str) -> Option<u16> {
        if name == "sp" {
            return Some(8 * 31);
        }
        let number = name.strip_prefix('x')?.parse::<u16>().ok()?;
        (number < 31).then_some(8 * number)
    }
}

#[cfg(target_arch = "riscv64")]
mod machine {
    use super::{Location, in_brackets};

    pub(super) fn location(text: &str) -> Option<Location> {
        if let Ok(number) = text.parse() {
            return Some(Location::Constant(number));
        }
        if let Some((distance, name)) = in_brackets(text) {
            let register = register(name)?;
            return Some(Location::Memory { register, distance });
        }
        Some(Location::Register(register(text)?))
    }

    /// Where it is in `struct user_regs_struct`.
    fn register(name: &str) -> Option<u16> {
        const NAMES: [&str; 32] = [
            "pc", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3",
            "a4", "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11",
            "t3", "t4", "t5", "t6",
        ];
        let index = NAMES.iter().skip(1).position(|known| *known == name)?;
        Some(8 * (index as u16 + 1))
    }
}

#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
)))]
mod machine {
    /// None: all arguments are of a form that is not known here.
    pub(super) fn location(_: &str) -> Option<super::Location> {
        None
    }
}

/// The maps of `bpf/usdt.bpf.h`, of the sizes that they should have.
struct Maps<'a> {
    specs: BorrowedFd<'a>,
    ips: BorrowedFd<'a>,
    layout: Layout,
    room: u32,
}

impl<'a> Maps<'a> {
    fn of(object: &'a LoadedObject) -> Result<Self, (ErrorCode, String)> {
        let find = |name| {
            object.map_fd(name).ok_or_else(|| {
                let why =
                    format!("its object has no map `{name}`: it does not include bpf/usdt.bpf.h");
                (ErrorCode::NotSupported, why)
            })
        };
        let (specs, ips) = (find(SPECS)?, find(IPS)?);
        let wrong = |name: &str| {
            let why = format!("the map `{name}` has not the sizes that bpf/usdt.bpf.h gives it");
            (ErrorCode::InvalidArgument, why)
        };
        // What the kernel says, not what the object declares: the component may have taken other maps for them.
        let info = map_info(specs).ok_or_else(|| wrong(SPECS))?;
        let layout = Layout::of_size(info.value_size)
            .filter(|_| info.type_ == sys::BPF_MAP_TYPE_ARRAY && info.key_size == 4)
            .ok_or_else(|| wrong(SPECS))?;
        let of_ips = map_info(ips).ok_or_else(|| wrong(IPS))?;
        if of_ips.type_ != sys::BPF_MAP_TYPE_HASH || of_ips.key_size != 8 || of_ips.value_size != 4
        {
            return Err(wrong(IPS));
        }
        Ok(Self {
            specs,
            ips,
            layout,
            room: info.max_entries,
        })
    }
}

fn map_info(map: BorrowedFd<'_>) -> Option<sys::bpf_map_info> {
    let mut info = sys::bpf_map_info::default();
    let mut length = size_of_val(&info) as u32;
    // SAFETY: `info` is a plain struct of `length` bytes.
    let answer =
        unsafe { sys::bpf_map_get_info_by_fd(map.as_raw_fd(), &raw mut info, &raw mut length) };
    (answer == 0).then_some(info)
}

/// Both have exactly as many bytes as the map demands.
fn update(map: BorrowedFd<'_>, key: &[u8], value: &[u8], flags: u32) -> Result<(), i32> {
    // SAFETY: the sizes were compared with the kernel's.
    let answer = unsafe {
        sys::bpf_map_update_elem(
            map.as_raw_fd(),
            key.as_ptr().cast(),
            value.as_ptr().cast(),
            flags.into(),
        )
    };
    if answer < 0 { Err(-answer) } else { Ok(()) }
}

/// Whether programs of this kind read cookies. `bpf/usdt.bpf.h` is told the same by libbpf when it loads the object.
fn has_cookies() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        // SAFETY: numbers only.
        let answer = unsafe {
            sys::libbpf_probe_bpf_helper(
                sys::BPF_PROG_TYPE_KPROBE,
                sys::BPF_FUNC_get_attach_cookie,
                std::ptr::null(),
            )
        };
        answer == 1
    })
}

/// A program at all places of a USDT probe.
struct UsdtLink {
    multi: Option<OwnedFd>,
    singles: Vec<libbpf_rs::Link>,
    /// Keys in the map of places.
    ips: Vec<u64>,
    ids: Vec<u32>,
    object: Arc<LoadedObject>,
}

impl UsdtLink {
    fn new(object: Arc<LoadedObject>) -> Self {
        Self {
            multi: None,
            singles: Vec::new(),
            ips: Vec::new(),
            ids: Vec::new(),
            object,
        }
    }
}

impl Attached for UsdtLink {
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.multi.as_ref().map(|fd| fd.as_fd())
    }

    fn detach(&mut self) -> std::io::Result<()> {
        // Before the numbers are free for others.
        self.multi = None;
        self.singles.clear();
        if let Some(map) = self.object.map_fd(IPS) {
            for ip in self.ips.drain(..) {
                // SAFETY: keys of eight bytes, as was compared. What the component itself deleted is no failure.
                let _ =
                    unsafe { sys::bpf_map_delete_elem(map.as_raw_fd(), (&raw const ip).cast()) };
            }
        }
        let ids = self.object.usdt.lock();
        let mut ids = ids.unwrap_or_else(PoisonError::into_inner);
        ids.free.append(&mut self.ids);
        Ok(())
    }
}

impl Drop for UsdtLink {
    fn drop(&mut self) {
        let _ = self.detach();
    }
}

impl WasmBpfCtxView<'_> {
    pub(super) fn usdt(
        &mut self,
        program: &Resource<Program>,
        target: &Target,
        provider: &str,
        name: &str,
        options: &ProbeOptions,
    ) -> FailureResult<Resource<Link>> {
        let to = format!(
            "to the USDT probe {} of {}",
            shown_name(name),
            shown_name(provider)
        );
        self.demand_kind(program, &[ProgramType::Kprobe], &to)?;
        let program = self.table.get(program)?.clone();
        let loaded = program.loaded();
        let good = [SINGLE.as_slice(), &[sys::BPF_TRACE_UPROBE_MULTI]].concat();
        demand_attach_type(loaded, &to, &good, "`usdt`")?;
        let refused = |(code, why): (ErrorCode, String)| refuse(loaded, &to, code, why);
        let invalid = invalid(loaded, &to);
        options
            .demand_only(&[Takes::Cookie, Takes::Process])
            .map_err(&invalid)?;
        let pid = options.pid().map_err(refused)?;
        user_name(provider).map_err(&invalid)?;
        user_name(name).map_err(&invalid)?;
        let (Some(object), Some(pointer)) = (program.object(), loaded.pointer()) else {
            let why = "no object declares this program";
            return Err(refuse(loaded, &to, ErrorCode::NotSupported, why));
        };
        let maps = Maps::of(object).map_err(refused)?;
        let (mut places, has_fixed_addresses) =
            self.read_binary(loaded, &to, target, |binary| {
                Ok((binary.usdt(provider, name)?, binary.has_fixed_addresses()?))
            })?;
        let needs_addresses = !has_cookies();
        if needs_addresses && !has_fixed_addresses {
            move_to_process(&mut places, pid, &target.file).map_err(refused)?;
        }

        let is_multi = loaded.attach_type == sys::BPF_TRACE_UPROBE_MULTI;
        let need = Need {
            links: 1,
            // Each probe has an event and a link.
            descriptors: if is_multi { 1 } else { 2 * places.len() as u64 },
            ..Need::default()
        };
        let held = self
            .ctx
            .usage
            .reserve(need)
            .map_err(|limit| refuse(loaded, &to, ErrorCode::LimitExceeded, limit))?;

        let mut link = UsdtLink::new(Arc::clone(object));
        let cannot = |errno| cannot_attach(loaded, &to, errno, &[]);
        let mut cookies = Vec::with_capacity(places.len());
        let mut known = std::collections::HashMap::<&str, u32>::new();
        for place in &places {
            let id = match known.get(place.arguments.as_str()) {
                Some(id) => *id,
                None => {
                    let specification = parse_arguments(&place.arguments)
                        .and_then(|arguments| maps.layout.specification(&arguments, options.cookie))
                        .ok_or_else(|| unknown_arguments(loaded, &to, &place.arguments))?;
                    let ids = object.usdt.lock();
                    let mut ids = ids.unwrap_or_else(PoisonError::into_inner);
                    let id = ids.take(maps.room).ok_or_else(|| {
                        let why = format!(
                            "the map `{SPECS}` has room for {} kinds of arguments: \
                             BPF_USDT_MAX_SPEC_CNT",
                            maps.room
                        );
                        refuse(loaded, &to, ErrorCode::Full, why)
                    })?;
                    link.ids.push(id);
                    drop(ids);
                    update(maps.specs, &id.to_ne_bytes(), &specification, sys::BPF_ANY)
                        .map_err(cannot)?;
                    known.insert(&place.arguments, id);
                    id
                }
            };
            cookies.push(u64::from(id));
            if needs_addresses {
                let key = place.address.to_ne_bytes();
                update(maps.ips, &key, &id.to_ne_bytes(), sys::BPF_NOEXIST).map_err(|errno| {
                    match errno {
                        libc::EEXIST => {
                            let why = "a program of this object is attached to a place of it \
                                       already, and this kernel tells probes apart by their \
                                       places only";
                            refuse(loaded, &to, ErrorCode::AlreadyExists, why)
                        }
                        errno => cannot(errno),
                    }
                })?;
                link.ips.push(place.address);
            }
        }

        if is_multi {
            let offsets = places.iter().map(|place| place.offset).collect::<Vec<_>>();
            let semaphores = places
                .iter()
                .map(|place| place.semaphore)
                .collect::<Vec<_>>();
            let has_semaphores = semaphores.iter().any(|offset| *offset != 0);
            let probes = UprobeMulti {
                attach_type: sys::BPF_TRACE_UPROBE_MULTI,
                offsets: &offsets,
                cookies: &cookies,
                semaphores: if has_semaphores { &semaphores } else { &[] },
                at_return: false,
                pid,
            };
            link.multi = Some(probes.attach(loaded, &target.file).map_err(cannot)?);
        } else {
            let sink = self.ctx.messages.as_ref();
            let path = CString::new(target.file.proc_path()).expect("digits and slashes");
            for (place, cookie) in places.iter().zip(cookies) {
                if place.semaphore > u64::from(u32::MAX) {
                    return Err(invalid("its semaphore is too far in the file".into()));
                }
                let probe = Uprobe {
                    offset: place.offset,
                    pid,
                    semaphore: place.semaphore,
                    cookie: if needs_addresses { 0 } else { cookie },
                    at_return: false,
                };
                let (attached, warnings) = messages::collect(sink, || {
                    let _object = object.lock();
                    // SAFETY: the program belongs to a live object, which is locked.
                    let attached = unsafe { probe.attach(pointer.as_ptr(), &path) };
                    NonNull::new(attached).ok_or_else(crate::objects::last_errno)
                });
                let attached = attached.map_err(|errno| {
                    let failure = cannot_attach(loaded, &to, errno, &warnings);
                    without_path(failure, &target.file)
                })?;
                // SAFETY: libbpf just made it, and nobody else has it.
                link.singles
                    .push(unsafe { libbpf_rs::Link::from_ptr(attached) });
            }
        }
        drop(invalid);
        let link = Link::new(Attachment::Other(Box::new(link)), program.clone(), held);
        Ok(self.table.push(link)?)
    }
}

fn unknown_arguments(program: &LoadedProgram, to: &str, arguments: &str) -> Failure {
    let why = format!(
        "its arguments `{}` are of a form that is not known here, or that the object's \
         bpf/usdt.bpf.h does not know",
        arguments.chars().take(200).collect::<String>()
    );
    refuse(program, to, ErrorCode::NotSupported, why)
}

/// Where the places are in a process that has mapped the file.
fn move_to_process(
    places: &mut [UsdtPlace],
    pid: i32,
    file: &HostFile,
) -> Result<(), (ErrorCode, String)> {
    if pid < 0 {
        let why = "this kernel has probes without cookies: those of a shared library, or of a \
                   position-independent executable, need a process";
        return Err((ErrorCode::NotSupported, why.into()));
    }
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"));
    let maps = maps.map_err(|_| {
        (
            ErrorCode::NoSuchProcess,
            format!("there is no process {pid}"),
        )
    })?;
    let path = file.path().unwrap_or_default();
    let path = path.to_string_lossy();
    for place in places {
        place.address = address_in(&maps, &path, place.offset).ok_or_else(|| {
            let why = format!("the process {pid} has not mapped the file");
            (ErrorCode::NotFound, why)
        })?;
    }
    Ok(())
}

/// Where code of a file is, by what `/proc/PID/maps` says.
fn address_in(maps: &str, path: &str, offset: u64) -> Option<u64> {
    maps.lines().find_map(|line| {
        let mut words = line.splitn(6, ' ');
        let (start, end) = words.next()?.split_once('-')?;
        let mode = words.next()?;
        let number = |digits| u64::from_str_radix(digits, 16).ok();
        let from = number(words.next()?)?;
        let its_path = words.nth(2)?.trim_start();
        if path.is_empty() || its_path != path || mode.as_bytes().get(2) != Some(&b'x') {
            return None;
        }
        let (start, end) = (number(start)?, number(end)?);
        let within = offset.checked_sub(from)?;
        (within < end.checked_sub(start)?).then_some(start + within)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn arguments_of_this_machine() {
        let parse = |text| parse_arguments(text).unwrap();
        let one = |text: &str| parse_arguments(text).unwrap()[0];
        assert_eq!(parse(""), []);
        let edi = Argument {
            location: Location::Register(112),
            is_signed: true,
            shift: 32,
        };
        let constant = Argument {
            location: Location::Constant(-7),
            is_signed: false,
            shift: 0,
        };
        assert_eq!(parse("-4@%edi 8@$-7"), [edi, constant]);
        let memory = |register, distance| Location::Memory { register, distance };
        assert_eq!(one("1@-20(%rbp)").location, memory(32, -20));
        assert_eq!(one(" 8@( %rsp ) ").location, memory(152, 0));
        let indexed = Location::Indexed {
            register: 32,
            index: 80,
            shift: 3,
            distance: -96,
        };
        assert_eq!(one("1@-96(%rbp, %rax, 8)").location, indexed);
        for (name, offset) in [
            ("al", 80),
            ("bl", 40),
            ("sil", 104),
            ("spl", 152),
            ("dx", 96),
            ("r8", 72),
            ("r9b", 64),
            ("r10d", 56),
            ("r11w", 48),
            ("r12", 24),
            ("r13", 16),
            ("r14", 8),
            ("r15", 0),
            ("rip", 128),
        ] {
            let text = format!("8@%{name}");
            let location = parse_arguments(&text).unwrap()[0].location;
            assert_eq!(location, Location::Register(offset), "{name}");
        }
        let twelve = "8@$1 ".repeat(12);
        assert_eq!(parse(&twelve).len(), 12);
        let thirteen = "8@$1 ".repeat(13);
        for bad in [
            &thirteen,
            "8",
            "8@",
            "@%rax",
            "3@%rax",
            "-128@%rax",
            "8@%xmm0",
            "8@%r16",
            "8@%r7",
            "8@x(%rip)",
            "8@(%rbp",
            "8@(%rbp,%rax,3)",
            "8@(%rbp,%rax,1,1)",
            "8@(rbp)",
            "8@$x",
            "8@%",
            "8@()",
            "8@$99999999999999999999",
        ] {
            assert_eq!(parse_arguments(bad), None, "{bad}");
        }
    }

    #[test]
    fn specifications_have_the_headers_layout() {
        assert_eq!((Layout::Old.size(), Layout::New.size()), (208, 304));
        assert_eq!(Layout::of_size(304), Some(Layout::New));
        assert_eq!(Layout::of_size(303), None);
        let indexed = Argument {
            location: Location::Indexed {
                register: 0x1122,
                index: 0xabc,
                shift: 0xd,
                distance: -1,
            },
            is_signed: true,
            shift: 56,
        };
        let bytes = Layout::New.specification(&[indexed], 5).unwrap();
        assert_eq!(bytes[..8], [0xff; 8]);
        // What a C compiler makes of the same on a machine of this byte order.
        #[cfg(target_endian = "little")]
        assert_eq!(
            bytes[8..24],
            [3, 0, 0xbc, 0xda, 0, 0, 0x22, 0x11, 1, 56, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(bytes[288..296], 5u64.to_ne_bytes());
        assert_eq!(bytes[296..298], 1u16.to_ne_bytes());
        assert_eq!(Layout::Old.specification(&[indexed], 5), None);
        let register = Argument {
            location: Location::Register(112),
            ..indexed
        };
        let bytes = Layout::Old.specification(&[register; 12], 5).unwrap();
        #[cfg(target_endian = "little")]
        assert_eq!(bytes[8..16], [1, 0, 0, 0, 112, 0, 1, 56]);
        assert_eq!(bytes[192..200], 5u64.to_ne_bytes());
        assert_eq!(bytes[200..202], 12u16.to_ne_bytes());
    }

    #[test]
    fn numbers_come_back() {
        let mut ids = SpecIds::default();
        assert_eq!((ids.take(2), ids.take(2)), (Some(0), Some(1)));
        assert_eq!(ids.take(2), None);
        ids.free.push(0);
        assert_eq!(ids.take(2), Some(0));
        assert_eq!(SpecIds::default().take(0), None);
    }

    #[test]
    fn places_in_processes() {
        let maps = "\
            5000-6000 r--p 00000000 08:01 12 /bin/x\n\
            6000-8000 r-xp 00001000 08:01 12                 /bin/x\n\
            7f00-8f00 r-xp 00001000 08:01 13 /lib/with space.so\n\
            9000-a000 r-xp 00000000 00:00 0 \n";
        assert_eq!(address_in(maps, "/bin/x", 0x1234), Some(0x6234));
        assert_eq!(address_in(maps, "/bin/x", 0x500), None);
        assert_eq!(address_in(maps, "/bin/x", 0x3000), None);
        assert_eq!(address_in(maps, "/lib/with space.so", 0x1000), Some(0x7f00));
        assert_eq!(address_in(maps, "", 0x100), None);
        assert_eq!(address_in("nonsense", "/bin/x", 1), None);
    }
}
