//! Programs from instructions.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::sync::Arc;

use libbpf_sys::{self as sys, bpf_insn};
use wasmtime::component::Resource;

use super::Program;
use crate::bindings::programs::HostLoadOptions;
use crate::bindings::types::{ErrorCode, MapType, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{Errno, Failure, FailureResult};
use crate::maps::{Map, MapMemory, ProgramMemory};
use crate::messages;
use crate::objects::{LoadedProgram, VerifierLog, append_capabilities, not_loaded};
use crate::policy::{Need, Reservation};

/// What the verifier takes of a privileged process.
const MAX_INSTRUCTIONS: usize = 1_000_000;
/// What the verifier takes of one program (`MAX_USED_MAPS`).
const MAX_MAPS: usize = 64;
/// Flags that concern the program alone. Not BPF_F_TOKEN_FD, which has a descriptor with it.
const KNOWN_FLAGS: u32 = sys::BPF_F_STRICT_ALIGNMENT
    | sys::BPF_F_ANY_ALIGNMENT
    | sys::BPF_F_TEST_RND_HI32
    | sys::BPF_F_TEST_STATE_FREQ
    | sys::BPF_F_SLEEPABLE
    | sys::BPF_F_XDP_HAS_FRAGS
    | sys::BPF_F_XDP_DEV_BOUND_ONLY
    | sys::BPF_F_TEST_REG_INVARIANTS;

/// How a program is loaded from instructions.
#[derive(Default)]
pub struct LoadOptions {
    name: String,
    license: CString,
    expected_attach_type: u32,
    flags: u32,
    attach_target: Option<CString>,
    verifier_log_level: u32,
    maps: Vec<AddedMap>,
}

struct AddedMap {
    fd: OwnedFd,
    kind: MapType,
    memory: Arc<MapMemory>,
    _held: Reservation,
}

fn bad(text: String) -> Failure {
    Failure::refused(ErrorCode::InvalidArgument, text)
}

fn is_name(name: &str, most: usize) -> bool {
    name.len() <= most
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
}

impl HostLoadOptions for WasmBpfCtxView<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<LoadOptions>> {
        Ok(self.table.push(LoadOptions::default())?)
    }

    fn set_name(&mut self, options: Resource<LoadOptions>, name: String) -> FailureResult<()> {
        if !is_name(&name, 15) {
            return Err(bad(format!(
                "{name:?} is no name of a program: 15 letters, digits, `_` and `.` at most"
            )));
        }
        self.table.get_mut(&options)?.name = name;
        Ok(())
    }

    fn set_license(
        &mut self,
        options: Resource<LoadOptions>,
        license: String,
    ) -> FailureResult<()> {
        let is_short = license.len() < 128;
        match CString::new(license) {
            Ok(license) if is_short => {
                self.table.get_mut(&options)?.license = license;
                Ok(())
            }
            _ => Err(bad(
                "a license has 127 bytes at most, and no zero among them".to_owned(),
            )),
        }
    }

    fn set_expected_attach_type(
        &mut self,
        options: Resource<LoadOptions>,
        number: u32,
    ) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.expected_attach_type = number;
        Ok(())
    }

    fn set_flags(&mut self, options: Resource<LoadOptions>, flags: u32) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.flags = flags;
        Ok(())
    }

    fn set_attach_target(
        &mut self,
        options: Resource<LoadOptions>,
        name: String,
    ) -> FailureResult<()> {
        if name.is_empty() || !is_name(&name, 127) {
            return Err(bad(format!(
                "{name:?} is no name of a function: 1 to 127 letters, digits, `_` and `.`"
            )));
        }
        let name = CString::new(name).expect("checked: no zero among the characters");
        self.table.get_mut(&options)?.attach_target = Some(name);
        Ok(())
    }

    fn set_verifier_log_level(
        &mut self,
        options: Resource<LoadOptions>,
        level: u32,
    ) -> FailureResult<()> {
        if level > 7 {
            return Err(bad(format!("{level} is no verifier log level: 0 to 7")));
        }
        self.table.get_mut(&options)?.verifier_log_level = level;
        Ok(())
    }

    fn add_map(
        &mut self,
        options: Resource<LoadOptions>,
        map: Resource<Map>,
    ) -> FailureResult<u32> {
        let map = self.table.get(&map)?;
        let index = self.table.get(&options)?.maps.len();
        let cannot = |why: &dyn std::fmt::Display| {
            let name = &map.info().name;
            format!("cannot give the map `{name}` to a program: {why}")
        };
        if index >= MAX_MAPS {
            let text = cannot(&format_args!("it has {MAX_MAPS} already"));
            return Err(Failure::refused(ErrorCode::LimitExceeded, text));
        }
        let need = Need {
            descriptors: 1,
            ..Need::default()
        };
        let held = self
            .ctx
            .usage
            .reserve(need)
            .map_err(|limit| Failure::refused(ErrorCode::LimitExceeded, cannot(&limit)))?;
        map.demand_changeable().map_err(|error| {
            let why = "it was opened by its id, to be read only";
            Failure::of(error, cannot(&why))
        })?;
        let fd = map.duplicate_fd().map_err(|error| {
            let errno = error.raw_os_error().unwrap_or(libc::EIO);
            Failure::errno(errno, cannot(&Errno(errno)))
        })?;
        let added = AddedMap {
            fd,
            kind: map.info().type_,
            memory: map.memory(),
            _held: held,
        };
        self.table.get_mut(&options)?.maps.push(added);
        Ok(index as u32)
    }

    fn drop(&mut self, options: Resource<LoadOptions>) -> wasmtime::Result<()> {
        self.table.delete(options)?;
        Ok(())
    }
}

/// Why bytes are no instructions.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum BadInstructions {
    #[error("{0} bytes are no instructions of 8 bytes each")]
    Length(usize),
    #[error("instruction {at} is cut off")]
    CutOff { at: usize },
    #[error("instruction {at} refers to the map {index}, and {maps} were added")]
    NoSuchMap { at: usize, index: i32, maps: usize },
    #[error(
        "instruction {at} has {what}, a number of this machine or process; an object has it by its name"
    )]
    Number { at: usize, what: &'static str },
}

impl BadInstructions {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NoSuchMap { .. } => ErrorCode::InvalidArgument,
            _ => ErrorCode::Malformed,
        }
    }
}

/// The instructions in `bytes`, with the descriptors of maps in place of their indexes.
fn instructions(bytes: &[u8], maps: &[i32]) -> Result<Vec<bpf_insn>, BadInstructions> {
    const LOAD_64: u8 = (sys::BPF_LD | sys::BPF_IMM | sys::BPF_DW) as u8;
    const CALL: u8 = (sys::BPF_JMP | sys::BPF_CALL) as u8;
    const CALL_X: u8 = CALL | sys::BPF_X as u8;
    if !bytes.len().is_multiple_of(size_of::<bpf_insn>()) {
        return Err(BadInstructions::Length(bytes.len()));
    }
    let mut instructions = bytes
        .chunks_exact(size_of::<bpf_insn>())
        // SAFETY: as many bytes as the struct has, of which any will do.
        .map(|bytes| unsafe { bytes.as_ptr().cast::<bpf_insn>().read_unaligned() })
        .collect::<Vec<_>>();
    let mut at = 0;
    while at < instructions.len() {
        let code = instructions[at].code;
        let source = u32::from(instructions[at].src_reg());
        let number = |what| Err(BadInstructions::Number { at, what });
        match code {
            LOAD_64 => {
                if at + 1 >= instructions.len() {
                    return Err(BadInstructions::CutOff { at });
                }
                let by_descriptor = match source {
                    sys::BPF_PSEUDO_MAP_IDX => sys::BPF_PSEUDO_MAP_FD,
                    sys::BPF_PSEUDO_MAP_IDX_VALUE => sys::BPF_PSEUDO_MAP_VALUE,
                    sys::BPF_PSEUDO_MAP_FD | sys::BPF_PSEUDO_MAP_VALUE => {
                        return number("the descriptor of a map");
                    }
                    sys::BPF_PSEUDO_BTF_ID => return number("a type of the kernel's BTF"),
                    _ => 0,
                };
                if by_descriptor != 0 {
                    let index = instructions[at].imm;
                    let fd = usize::try_from(index)
                        .ok()
                        .and_then(|index| maps.get(index));
                    let Some(fd) = fd else {
                        let maps = maps.len();
                        return Err(BadInstructions::NoSuchMap { at, index, maps });
                    };
                    instructions[at].imm = *fd;
                    instructions[at].set_src_reg(by_descriptor as u8);
                }
                at += 1;
            }
            CALL | CALL_X if source == sys::BPF_PSEUDO_KFUNC_CALL => {
                return number("a call of a kernel function");
            }
            _ => {}
        }
        at += 1;
    }
    Ok(instructions)
}

impl WasmBpfCtxView<'_> {
    pub(super) fn load_program(
        &mut self,
        kind: ProgramType,
        options: &Resource<LoadOptions>,
        bytes: &[u8],
    ) -> FailureResult<Program> {
        let options = self.table.get(options)?;
        // What is decided on a number must not see a case that was sent as `other`.
        let kind = ProgramType::from_kernel(kind.to_kernel());
        let name = &options.name;
        let refuse = |code, why: &str| {
            let text = format!("cannot load the program `{name}`: {why}");
            Failure::refused(code, text).about(name)
        };
        let count = bytes.len() / size_of::<bpf_insn>();
        if count == 0 || count > MAX_INSTRUCTIONS {
            let why = format!("it has {count} instructions; 1 to {MAX_INSTRUCTIONS} are taken");
            return Err(refuse(ErrorCode::InvalidArgument, &why));
        }
        if options.flags & !KNOWN_FLAGS != 0 {
            let why = format!(
                "the flags {:#x} are not known here",
                options.flags & !KNOWN_FLAGS
            );
            return Err(refuse(ErrorCode::InvalidArgument, &why));
        }
        if matches!(kind, ProgramType::Ext | ProgramType::StructOps) {
            let why = format!(
                "programs of type {} are for a function of another program or of an operation; declare it in an object",
                kind.name()
            );
            return Err(refuse(ErrorCode::NotSupported, &why));
        }
        let attach_type = options.expected_attach_type;
        self.ctx
            .policy
            .check_program(name, kind, attach_type)
            .map_err(|missing| Failure::from(missing).about(name))?;
        let maps = options.maps.iter().map(|map| map.fd.as_raw_fd());
        let maps = maps.collect::<Vec<_>>();
        let instructions =
            instructions(bytes, &maps).map_err(|bad| refuse(bad.code(), &bad.to_string()))?;
        let maps = BTreeSet::from_iter(maps);
        let has_callbacks = self
            .ctx
            .policy
            .check_instructions(name, kind, &instructions, &maps)?;
        if has_callbacks {
            let why =
                "it has functions that are called back, which need BTF; declare it in an object";
            return Err(refuse(ErrorCode::NotSupported, why));
        }
        let need = Need {
            programs: 1,
            descriptors: 1,
            ..Need::default()
        };
        let held = self
            .ctx
            .usage
            .reserve(need)
            .map_err(|limit| refuse(ErrorCode::LimitExceeded, &limit.to_string()))?;
        let target = match &options.attach_target {
            Some(target) => {
                let (id, _) = messages::collect(self.ctx.messages.as_ref(), || {
                    // SAFETY: the string outlives the call.
                    unsafe { sys::libbpf_find_vmlinux_btf_id(target.as_ptr(), attach_type) }
                });
                if id <= 0 {
                    let why = format!(
                        "the kernel's BTF has nothing of the name `{}` to attach it to",
                        target.to_string_lossy()
                    );
                    let code = match -id {
                        libc::ESRCH => ErrorCode::NotSupported,
                        _ => ErrorCode::NotFound,
                    };
                    return Err(refuse(code, &why));
                }
                id.cast_unsigned()
            }
            None => 0,
        };
        let log = VerifierLog::new(name.clone())
            .map_err(|_| refuse(ErrorCode::OutOfMemory, "no memory for the verifier's log"))?;
        let level = options.verifier_log_level;
        let mut fd = load(kind, options, &instructions, target, level, &log);
        if fd < 0 && level == 0 {
            fd = load(kind, options, &instructions, target, 1, &log);
        }
        if fd < 0 {
            let text = Some(log.text()).filter(|log| !log.trim().is_empty());
            return Err(match -fd {
                // Of what the verifier never saw.
                errno if text.is_none() => {
                    let mut text = format!("cannot load the program `{name}`: {}", Errno(errno));
                    append_capabilities(&mut text, errno);
                    Failure::errno_of_creation(errno, text).about(name)
                }
                errno => not_loaded(name, errno, &[], text),
            });
        }
        // SAFETY: just made for us.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        if let (Some(sink), 1..) = (&self.ctx.messages, level) {
            sink(
                messages::MessageLevel::Debug,
                &format!("verifier log of `{name}`:\n{}", log.text()),
            );
        }
        let maps = options
            .maps
            .iter()
            .map(|map| (&map.memory, matches!(map.kind, MapType::ProgArray)));
        let held = Arc::new(ProgramMemory::new(held, maps, None));
        let program = LoadedProgram::alone(fd, name.clone(), kind, attach_type, held);
        Ok(Program::alone(program))
    }
}

/// The descriptor, or a negative errno.
fn load(
    kind: ProgramType,
    options: &LoadOptions,
    instructions: &[bpf_insn],
    target: u32,
    level: u32,
    log: &VerifierLog,
) -> i32 {
    let name = CString::new(options.name.as_str()).expect("checked: no zero among the characters");
    let mut kernel = sys::bpf_prog_load_opts {
        sz: size_of::<sys::bpf_prog_load_opts>() as _,
        expected_attach_type: options.expected_attach_type,
        prog_flags: options.flags,
        attach_btf_id: target,
        log_level: level,
        ..Default::default()
    };
    if level > 0 {
        (kernel.log_buf, kernel.log_size) = log.buffer();
    }
    // SAFETY: strings, instructions and the log outlive the call, and have the lengths that go with them.
    unsafe {
        sys::bpf_prog_load(
            kind.to_kernel(),
            name.as_ptr(),
            options.license.as_ptr(),
            instructions.as_ptr(),
            instructions.len() as _,
            &raw mut kernel,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOAD_64: u8 = 0x18;
    const CALL: u8 = 0x85;

    fn bytes(code: u8, source: u32, immediate: i32) -> Vec<u8> {
        let mut instruction = bpf_insn {
            code,
            imm: immediate,
            ..Default::default()
        };
        instruction.set_src_reg(source as u8);
        // SAFETY: a plain struct of 8 bytes.
        let bytes: [u8; 8] = unsafe { std::mem::transmute(instruction) };
        bytes.to_vec()
    }

    fn load_64(source: u32, immediate: i32) -> Vec<u8> {
        [bytes(LOAD_64, source, immediate), bytes(0, 0, 8)].concat()
    }

    #[test]
    fn maps_go_by_their_index() {
        let found = instructions(&load_64(sys::BPF_PSEUDO_MAP_IDX, 1), &[7, 9]).unwrap();
        assert_eq!(found[0].imm, 9);
        assert_eq!(u32::from(found[0].src_reg()), sys::BPF_PSEUDO_MAP_FD);
        let found = instructions(&load_64(sys::BPF_PSEUDO_MAP_IDX_VALUE, 0), &[7]).unwrap();
        assert_eq!(found[0].imm, 7);
        assert_eq!(u32::from(found[0].src_reg()), sys::BPF_PSEUDO_MAP_VALUE);
        assert_eq!(found[1].imm, 8);
        for index in [-1, 1, i32::MAX, i32::MIN] {
            let bad = instructions(&load_64(sys::BPF_PSEUDO_MAP_IDX, index), &[7]);
            assert!(matches!(bad, Err(BadInstructions::NoSuchMap { .. })));
        }
    }

    #[test]
    fn numbers_of_this_process_are_refused() {
        for source in [
            sys::BPF_PSEUDO_MAP_FD,
            sys::BPF_PSEUDO_MAP_VALUE,
            sys::BPF_PSEUDO_BTF_ID,
        ] {
            let bad = instructions(&load_64(source, 3), &[3]);
            assert!(matches!(bad, Err(BadInstructions::Number { at: 0, .. })));
        }
        let call = bytes(CALL, sys::BPF_PSEUDO_KFUNC_CALL, 3);
        assert!(matches!(
            instructions(&call, &[]),
            Err(BadInstructions::Number { .. })
        ));
        assert!(instructions(&bytes(CALL, 0, 3), &[]).is_ok());
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let half = &load_64(0, 0)[..8];
        assert_eq!(
            instructions(half, &[]).err(),
            Some(BadInstructions::CutOff { at: 0 })
        );
        assert_eq!(
            instructions(&[0; 12], &[]).err(),
            Some(BadInstructions::Length(12))
        );
    }
}
