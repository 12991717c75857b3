//! What the machine lets any program do, tried natively: a case is not skipped for what is only assumed.

use std::collections::HashMap;
use std::ffi::CStr;
use std::fmt;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::ptr;

use libbpf_sys as sys;
use serde::Deserialize;

/// A kind of program that a machine may refuse though its kernel was built with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    Fentry,
    FmodRet,
    Freplace,
    Lsm,
    TpBtf,
    HardwareCounter,
    Breakpoint,
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fentry => "fentry",
            Self::FmodRet => "fmod-ret",
            Self::Freplace => "freplace",
            Self::Lsm => "lsm",
            Self::TpBtf => "tp-btf",
            Self::HardwareCounter => "hardware-counter",
            Self::Breakpoint => "breakpoint",
        })
    }
}

/// What was tried, with what came of it.
#[derive(Default)]
pub struct Probes(HashMap<Probe, Option<String>>);

impl Probes {
    /// Why the machine refuses it; none if it does not.
    pub fn refusal(&mut self, probe: Probe) -> Option<String> {
        let tried = self.0.entry(probe);
        tried
            .or_insert_with(|| probe.run().err().map(|why| format!("{probe}: {why}")))
            .clone()
    }
}

impl Probe {
    /// Whether it is the machine's hardware that it tries.
    pub fn is_of_hardware(self) -> bool {
        matches!(self, Self::HardwareCounter | Self::Breakpoint)
    }

    fn run(self) -> Result<(), String> {
        let (program, attach_type, function) = match self {
            Self::Fentry => {
                let function = c"bpf_fentry_test1";
                (sys::BPF_PROG_TYPE_TRACING, sys::BPF_TRACE_FENTRY, function)
            }
            Self::FmodRet => {
                let function = c"security_file_mprotect";
                (sys::BPF_PROG_TYPE_TRACING, sys::BPF_MODIFY_RETURN, function)
            }
            Self::TpBtf => {
                let function = c"sys_enter";
                (sys::BPF_PROG_TYPE_TRACING, sys::BPF_TRACE_RAW_TP, function)
            }
            Self::Lsm => (sys::BPF_PROG_TYPE_LSM, sys::BPF_LSM_MAC, c"file_mprotect"),
            Self::Freplace => return freplace(),
            Self::HardwareCounter => {
                let mut event = event(sys::PERF_TYPE_HARDWARE);
                event.config = sys::PERF_COUNT_HW_INSTRUCTIONS.into();
                return open_event(&event);
            }
            Self::Breakpoint => {
                let mut event = event(sys::PERF_TYPE_BREAKPOINT);
                // Reads and writes.
                event.bp_type = 3;
                event.__bindgen_anon_3.bp_addr = 8;
                event.__bindgen_anon_4.bp_len = 8;
                return open_event(&event);
            }
        };
        let mut kind = Kind::of(program);
        kind.attach_type = attach_type;
        kind.btf_id = btf_id(function, attach_type)?;
        let program = kind.load().map_err(|error| format!("loading: {error}"))?;
        if matches!(self, Self::Lsm | Self::FmodRet) {
            // Attached, it would be asked by the whole machine.
            return Ok(());
        }
        // SAFETY: a descriptor, and no name: the program knows what it is attached to.
        let answer = unsafe { sys::bpf_raw_tracepoint_open(ptr::null(), program.as_raw_fd()) };
        if answer < 0 {
            let error = io::Error::from_raw_os_error(-answer);
            return Err(format!("attaching: {error}"));
        }
        // SAFETY: just made.
        drop(unsafe { OwnedFd::from_raw_fd(answer) });
        Ok(())
    }
}

/// A function of the kernel, for a program that is called with it.
fn btf_id(function: &CStr, attach_type: sys::bpf_attach_type) -> Result<u32, String> {
    // SAFETY: a string and a number.
    let id = unsafe { sys::libbpf_find_vmlinux_btf_id(function.as_ptr(), attach_type) };
    u32::try_from(id).map_err(|_| {
        let error = io::Error::from_raw_os_error(-id);
        format!("{function:?} is not in the kernel's BTF: {error}")
    })
}

/// A program without types of its own cannot be replaced, which a kernel that is allowed to look says as an invalid argument.
fn freplace() -> Result<(), String> {
    let target = Kind::of(sys::BPF_PROG_TYPE_XDP).load();
    let target = target.map_err(|error| format!("loading a target: {error}"))?;
    let mut kind = Kind::of(sys::BPF_PROG_TYPE_EXT);
    kind.btf_id = 1;
    kind.target = Some(target);
    match kind.load() {
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => Err(format!("loading: {error}")),
        _ => Ok(()),
    }
}

fn event(kind: u32) -> sys::perf_event_attr {
    sys::perf_event_attr {
        type_: kind,
        size: size_of::<sys::perf_event_attr>() as u32,
        ..Default::default()
    }
}

/// Opens an event of this thread.
fn open_event(event: &sys::perf_event_attr) -> Result<(), String> {
    const ANY: i32 = -1;
    // SAFETY: a structure with its size; the rest are numbers.
    let fd = unsafe { libc::syscall(libc::SYS_perf_event_open, event, 0, ANY, ANY, 0) };
    if fd < 0 {
        return Err(format!("opening: {}", io::Error::last_os_error()));
    }
    // SAFETY: just made.
    drop(unsafe { OwnedFd::from_raw_fd(fd as i32) });
    Ok(())
}

/// A program that does nothing.
pub(crate) struct Kind {
    program: sys::bpf_prog_type,
    attach_type: sys::bpf_attach_type,
    btf_id: u32,
    target: Option<OwnedFd>,
}

impl Kind {
    pub(crate) fn of(program: sys::bpf_prog_type) -> Self {
        Self {
            program,
            attach_type: 0,
            btf_id: 0,
            target: None,
        }
    }

    pub(crate) fn load(&self) -> io::Result<OwnedFd> {
        // r0 = 0; exit
        let code = |code: u32| sys::bpf_insn {
            code: code as u8,
            ..Default::default()
        };
        let instructions = [
            code(sys::BPF_ALU64 | sys::BPF_MOV | sys::BPF_K),
            code(sys::BPF_JMP | sys::BPF_EXIT),
        ];
        let mut options = sys::bpf_prog_load_opts {
            sz: size_of::<sys::bpf_prog_load_opts>() as _,
            expected_attach_type: self.attach_type,
            attach_btf_id: self.btf_id,
            attach_prog_fd: self.target.as_ref().map_or(0, |fd| fd.as_raw_fd() as _),
            ..Default::default()
        };
        // SAFETY: strings that end with a zero, and as many instructions as are said.
        let answer = unsafe {
            sys::bpf_prog_load(
                self.program,
                c"probe".as_ptr(),
                c"GPL".as_ptr(),
                instructions.as_ptr(),
                instructions.len() as _,
                &raw mut options,
            )
        };
        if answer < 0 {
            return Err(io::Error::from_raw_os_error(-answer));
        }
        // SAFETY: just made.
        Ok(unsafe { OwnedFd::from_raw_fd(answer) })
    }
}
