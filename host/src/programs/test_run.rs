//! Runs of programs that are not attached.

use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

use libbpf_sys as sys;
use wasmtime::component::Resource;

use super::Program;
use crate::bindings::programs::{HostTestOptions, TestOutput};
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{Errno, Failure, FailureResult};
use crate::objects::LoadedProgram;
use crate::policy::{Need, Policy, Reservation};

/// No kernel takes as much: the most is a context of 64 KiB, and packets of some pages.
const MAX_BYTES: usize = 1 << 20;

/// What a test run is given.
#[derive(Default)]
pub struct TestOptions {
    data: Bytes,
    data_room: Bytes,
    context: Bytes,
    context_room: Bytes,
    repeat: u32,
    cpu: Option<u32>,
    live_frames: bool,
    batch_size: u32,
    checksum_complete: bool,
}

/// Bytes that count against the limits: an option or the room for an answer.
#[derive(Default)]
struct Bytes {
    bytes: Vec<u8>,
    room: u32,
    _held: Option<Reservation>,
}

impl WasmBpfCtxView<'_> {
    fn set_bytes(
        &mut self,
        options: &Resource<TestOptions>,
        what: &str,
        field: impl FnOnce(&mut TestOptions) -> &mut Bytes,
        bytes: Vec<u8>,
        room: u32,
    ) -> FailureResult<()> {
        // Guest-controlled: both are memory of the host.
        let length = bytes.len().max(room as usize);
        let refuse = |why| {
            let text = format!("cannot set {what} of a test run: {why}");
            Failure::refused(ErrorCode::LimitExceeded, text)
        };
        if length > MAX_BYTES {
            return Err(refuse(format!(
                "{length} bytes are more than the {MAX_BYTES} allowed"
            )));
        }
        let need = Need {
            map_memory: length as u64,
            ..Need::default()
        };
        let held = self.ctx.usage.reserve(need);
        let held = held.map_err(|limit| refuse(limit.to_string()))?;
        *field(self.table.get_mut(options)?) = Bytes {
            bytes,
            room,
            _held: Some(held),
        };
        Ok(())
    }
}

impl HostTestOptions for WasmBpfCtxView<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<TestOptions>> {
        Ok(self.table.push(TestOptions::default())?)
    }

    fn set_data(&mut self, options: Resource<TestOptions>, data: Vec<u8>) -> FailureResult<()> {
        self.set_bytes(&options, "the data", |options| &mut options.data, data, 0)
    }

    fn set_data_room(&mut self, options: Resource<TestOptions>, bytes: u32) -> FailureResult<()> {
        self.set_bytes(
            &options,
            "the room for data",
            |options| &mut options.data_room,
            Vec::new(),
            bytes,
        )
    }

    fn set_context(
        &mut self,
        options: Resource<TestOptions>,
        context: Vec<u8>,
    ) -> FailureResult<()> {
        self.set_bytes(
            &options,
            "the context",
            |options| &mut options.context,
            context,
            0,
        )
    }

    fn set_context_room(
        &mut self,
        options: Resource<TestOptions>,
        bytes: u32,
    ) -> FailureResult<()> {
        self.set_bytes(
            &options,
            "the room for a context",
            |options| &mut options.context_room,
            Vec::new(),
            bytes,
        )
    }

    fn set_repeat(&mut self, options: Resource<TestOptions>, count: u32) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.repeat = count;
        Ok(())
    }

    fn set_cpu(&mut self, options: Resource<TestOptions>, cpu: u32) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.cpu = Some(cpu);
        Ok(())
    }

    fn set_live_frames(
        &mut self,
        options: Resource<TestOptions>,
        live: bool,
    ) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.live_frames = live;
        Ok(())
    }

    fn set_batch_size(
        &mut self,
        options: Resource<TestOptions>,
        packets: u32,
    ) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.batch_size = packets;
        Ok(())
    }

    fn set_checksum_complete(
        &mut self,
        options: Resource<TestOptions>,
        complete: bool,
    ) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.checksum_complete = complete;
        Ok(())
    }

    fn drop(&mut self, options: Resource<TestOptions>) -> wasmtime::Result<()> {
        self.table.delete(options)?;
        Ok(())
    }
}

/// Runs that are one part at least: on the same data, one after the other.
const FIRST_PART: u32 = 1000;
/// How long a part is to take: a stop is heard between parts.
const PART: Duration = Duration::from_millis(100);

/// How many runs the next part has, by the time that one takes. What the kernel does before and after the runs does not count: with it, where that
/// takes long, each part would be shorter than the last.
fn next_part(each: Duration, left: u32) -> u32 {
    let fitting = PART.as_nanos() / each.as_nanos().max(1);
    u32::try_from(fitting).unwrap_or(u32::MAX).clamp(1, left)
}

/// The kernel runs these once, and some it does so silently whatever the count.
fn runs_once(kind: ProgramType) -> bool {
    matches!(
        kind,
        ProgramType::Tracing
            | ProgramType::RawTracepoint
            | ProgramType::RawTracepointWritable
            | ProgramType::StructOps
            | ProgramType::Syscall
    )
}

impl WasmBpfCtxView<'_> {
    pub(super) fn test_run(
        &mut self,
        program: &Resource<Program>,
        options: &Resource<TestOptions>,
    ) -> FailureResult<TestOutput> {
        let program = self.table.get(program)?.loaded();
        let options = self.table.get(options)?;
        let refuse = |code, why: &str| {
            let text = format!("cannot run `{}`: {why}", program.name);
            Failure::refused(code, text).about(&program.name)
        };
        let repeat = options.repeat.max(1);
        if repeat > 1 && runs_once(program.kind) {
            return Err(refuse(
                ErrorCode::InvalidArgument,
                &format!("programs of type {} run once", program.kind.name()),
            ));
        }
        if options.live_frames {
            check_live_frames(&self.ctx.policy, program, &options.context.bytes)?;
        }
        let mut left = repeat;
        let mut part = left.min(FIRST_PART);
        let mut nanoseconds = 0;
        loop {
            let mut output = run(program.fd(), program.kind, options, part)
                .map_err(|failure| failure.words(program, options))?;
            nanoseconds += u128::from(output.duration_ns) * u128::from(part);
            left -= part;
            if left == 0 {
                let average = nanoseconds / u128::from(repeat);
                output.duration_ns = u32::try_from(average).unwrap_or(u32::MAX);
                return Ok(output);
            }
            if self.ctx.stop.take_bpf_interrupt() {
                return Err(refuse(
                    ErrorCode::Interrupted,
                    &format!(
                        "a stop was asked for after {} of {repeat} runs",
                        repeat - left
                    ),
                ));
            }
            part = next_part(Duration::from_nanos(output.duration_ns.into()), left);
        }
    }
}

/// Packets come in on an interface, and go on from there for real.
fn check_live_frames(
    policy: &Policy,
    program: &LoadedProgram,
    context: &[u8],
) -> FailureResult<()> {
    // `ingress_ifindex` in `struct xdp_md`.
    let index = context.get(12..16).map_or(0, |bytes| {
        u32::from_ne_bytes(bytes.try_into().expect("four bytes"))
    });
    let interface = if index == 0 {
        // The kernel takes the loopback interface of the namespace.
        "lo".to_owned()
    } else {
        interface_name(index).ok_or_else(|| {
            let text = format!(
                "cannot run `{}`: the context names the interface {index}, which is not there",
                program.name
            );
            Failure::errno(libc::ENODEV, text).about(&program.name)
        })?
    };
    policy
        .check_live_frames(&program.name, &interface)
        .map_err(|missing| Failure::from(missing).about(&program.name))
}

fn interface_name(index: u32) -> Option<String> {
    let mut name = [0; libc::IF_NAMESIZE];
    // SAFETY: the buffer has the length that the function asks for.
    let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr()) };
    if found.is_null() {
        return None;
    }
    // SAFETY: it ends with a zero.
    let name = unsafe { std::ffi::CStr::from_ptr(name.as_ptr()) };
    Some(name.to_string_lossy().into_owned())
}

/// How the kernel refused, and how much it would have given back.
struct Refused {
    errno: i32,
    data: u32,
    context: u32,
}

impl Refused {
    fn words(&self, program: &LoadedProgram, options: &TestOptions) -> Failure {
        let mut text = format!("cannot run `{}`: {}", program.name, Errno(self.errno));
        match self.errno {
            libc::ENOSPC => {
                for (what, length, room) in [
                    ("data", self.data, options.data_room.room),
                    ("context", self.context, options.context_room.room),
                ] {
                    if length > room {
                        text.push_str(&format!(
                            "\nthe {what} has {length} bytes now, and there was room for {room}"
                        ));
                    }
                }
            }
            libc::EINVAL => text.push_str(&format!(
                "\nof type {}; {} bytes of data, a context of {}: the kernel takes other lengths, or does not take an option of \
                 this run",
                program.kind.name(),
                options.data.bytes.len(),
                options.context.bytes.len(),
            )),
            _ => {}
        }
        Failure::errno(self.errno, text).about(&program.name)
    }
}

fn run(
    program: BorrowedFd<'_>,
    kind: ProgramType,
    options: &TestOptions,
    repeat: u32,
) -> Result<TestOutput, Refused> {
    let mut flags = 0;
    for (is_set, flag) in [
        (options.cpu.is_some(), sys::BPF_F_TEST_RUN_ON_CPU),
        (options.live_frames, sys::BPF_F_TEST_XDP_LIVE_FRAMES),
        (
            options.checksum_complete,
            sys::BPF_F_TEST_SKB_CHECKSUM_COMPLETE,
        ),
    ] {
        if is_set {
            flags |= flag;
        }
    }
    let mut data = vec![0u8; options.data_room.room as usize];
    let mut context = vec![0u8; options.context_room.room as usize];
    // The kernel writes what `syscall` programs make of it over it.
    let mut given = options.context.bytes.clone();
    // A pointer without a length would have the kernel write as much as it likes.
    let pointer = |bytes: &mut Vec<u8>| match bytes.as_mut_slice() {
        [] => std::ptr::null_mut(),
        bytes => bytes.as_mut_ptr(),
    };
    let mut kernel = sys::bpf_test_run_opts {
        sz: size_of::<sys::bpf_test_run_opts>() as _,
        data_in: match options.data.bytes.as_slice() {
            [] => std::ptr::null(),
            bytes => bytes.as_ptr().cast(),
        },
        data_size_in: options.data.bytes.len() as u32,
        data_out: pointer(&mut data).cast(),
        data_size_out: data.len() as u32,
        ctx_in: pointer(&mut given).cast(),
        ctx_size_in: given.len() as u32,
        ctx_out: pointer(&mut context).cast(),
        ctx_size_out: context.len() as u32,
        // Some kinds take no count at all.
        repeat: if repeat == 1 { 0 } else { repeat.cast_signed() },
        flags,
        cpu: options.cpu.unwrap_or(0),
        batch_size: options.batch_size,
        ..Default::default()
    };
    // SAFETY: each pointer is null or has the length that goes with it, and the kernel keeps to those. Of `syscall` programs it
    // writes to the context that is given, which is a copy.
    let answer = unsafe { sys::bpf_prog_test_run_opts(program.as_raw_fd(), &raw mut kernel) };
    if answer < 0 {
        return Err(Refused {
            errno: -answer,
            data: kernel.data_size_out,
            context: kernel.ctx_size_out,
        });
    }
    // What is shorter than the room for it says how long it is.
    data.truncate(kernel.data_size_out as usize);
    context.truncate(kernel.ctx_size_out as usize);
    if matches!(kind, ProgramType::Syscall) {
        context = given;
    }
    Ok(TestOutput {
        return_value: kernel.retval,
        duration_ns: kernel.duration,
        data,
        context,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_short_and_end() {
        let each = Duration::from_nanos;
        assert_eq!(next_part(each(100), 1 << 30), 1_000_000);
        assert_eq!(next_part(each(100), 5), 5);
        // One that takes longer than a part goes on alone.
        assert_eq!(next_part(Duration::from_secs(100), 50), 1);
        // What is too short to be measured takes a nanosecond.
        assert_eq!(next_part(Duration::ZERO, u32::MAX), 100_000_000);
        assert_eq!(next_part(Duration::ZERO, 7), 7);
    }
}
