//! What is known of a program.

use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use libbpf_sys as sys;
use wasmtime::component::Resource;

use crate::bindings::programs::{
    HostStatistics, ProgramInfo, ProgramStatistics, ProgramStream, SectionKind,
};
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{CodeResult, Errno, Failure, FailureResult, code_of_errno};
use crate::messages;
use crate::objects::{LoadedProgram, append_capabilities};
use crate::policy::{Need, Reservation};

/// Asks the kernel. What `info` points to already is the caller's, with the lengths that go with it.
fn ask(program: BorrowedFd<'_>, info: &mut sys::bpf_prog_info) -> std::io::Result<()> {
    let mut length = size_of_val(info) as u32;
    // SAFETY: `info` is a plain struct of `length` bytes; its pointers are null, or the caller's with the lengths that it gives.
    let answer = unsafe {
        sys::bpf_prog_get_info_by_fd(program.as_raw_fd(), &raw mut *info, &raw mut length)
    };
    match answer {
        0.. => Ok(()),
        errno => Err(std::io::Error::from_raw_os_error(-errno)),
    }
}

/// What the kernel says, without what takes a buffer.
pub(crate) fn kernel_info(program: BorrowedFd<'_>) -> std::io::Result<sys::bpf_prog_info> {
    let mut info = sys::bpf_prog_info::default();
    ask(program, &mut info)?;
    Ok(info)
}

pub(super) fn info(program: &LoadedProgram) -> CodeResult<ProgramInfo> {
    let (name, section) = (program.name.clone(), program.section.clone());
    Ok(whole(program.fd(), name, section, program.attach_type)?)
}

/// What the kernel says, with what it does not know.
pub(crate) fn whole(
    program: BorrowedFd<'_>,
    name: String,
    section: String,
    expected_attach_type: u32,
) -> std::io::Result<ProgramInfo> {
    let info = kernel_info(program)?;
    // A program's maps do not change.
    let mut map_ids = vec![0u32; info.nr_map_ids as usize];
    if !map_ids.is_empty() {
        let mut with_maps = sys::bpf_prog_info {
            nr_map_ids: info.nr_map_ids,
            map_ids: map_ids.as_mut_ptr() as u64,
            ..Default::default()
        };
        ask(program, &mut with_maps)?;
        map_ids.truncate(with_maps.nr_map_ids as usize);
    }
    Ok(ProgramInfo {
        name,
        section,
        type_: ProgramType::from_kernel(info.type_),
        id: info.id,
        tag: u64::from_be_bytes(info.tag),
        instructions: info.xlated_prog_len / 8,
        expected_attach_type,
        jited_size: info.jited_prog_len,
        verified_instructions: info.verified_insns,
        gpl_compatible: info.gpl_compatible() != 0,
        load_time: info.load_time,
        created_by_uid: info.created_by_uid,
        map_ids,
        btf_id: info.btf_id,
        attach_btf_object_id: info.attach_btf_obj_id,
        attach_btf_id: info.attach_btf_id,
        interface_index: info.ifindex,
    })
}

pub(super) fn statistics(program: &LoadedProgram) -> CodeResult<ProgramStatistics> {
    let info = kernel_info(program.fd())?;
    Ok(ProgramStatistics {
        run_count: info.run_cnt,
        run_time_ns: info.run_time_ns,
        recursion_misses: info.recursion_misses,
    })
}

/// What one read of a stream gives at most.
const MAX_READ: u32 = 1 << 20;

pub(super) fn read_stream(
    program: &LoadedProgram,
    stream: ProgramStream,
    max: u32,
) -> CodeResult<Vec<u8>> {
    if max == 0 {
        return Err(ErrorCode::InvalidArgument.into());
    }
    let number = match stream {
        ProgramStream::StandardOutput => sys::BPF_STREAM_STDOUT,
        ProgramStream::StandardError => sys::BPF_STREAM_STDERR,
        ProgramStream::Other(number) => number,
    };
    // Guest-controlled.
    let mut bytes = vec![0; max.min(MAX_READ) as usize];
    // SAFETY: the buffer has this length.
    let answer = unsafe {
        sys::bpf_prog_stream_read(
            program.fd().as_raw_fd(),
            number,
            bytes.as_mut_ptr().cast(),
            bytes.len() as u32,
            std::ptr::null_mut(),
        )
    };
    match answer {
        0.. => {
            bytes.truncate(answer as usize);
            Ok(bytes)
        }
        // Of a stream that it does not have the kernel says ENOENT: this is the call.
        errno if errno == -libc::EINVAL => Err(ErrorCode::NotSupported.into()),
        errno => Err(code_of_errno(-errno).into()),
    }
}

pub(super) fn kind_of_section(section: &str) -> Option<SectionKind> {
    // Longer than any that libbpf knows, target included.
    if section.len() > 4096 {
        return None;
    }
    let section = std::ffi::CString::new(section).ok()?;
    let (mut kind, mut attach_type) = (0, 0);
    // It lists all that it knows where it does not know one, which is no news to anybody.
    let (answer, _) = messages::collect(None, || {
        // SAFETY: string and numbers outlive the call.
        unsafe {
            sys::libbpf_prog_type_by_name(section.as_ptr(), &raw mut kind, &raw mut attach_type)
        }
    });
    (answer >= 0).then(|| SectionKind {
        type_: ProgramType::from_kernel(kind),
        expected_attach_type: attach_type,
    })
}

/// Keeps the kernel measuring: it does as long as this is open.
pub struct Statistics {
    _fd: OwnedFd,
    _held: Reservation,
}

impl HostStatistics for WasmBpfCtxView<'_> {
    fn enable(&mut self) -> FailureResult<Resource<Statistics>> {
        self.ctx.policy.check_statistics()?;
        let cannot = |why: &dyn std::fmt::Display| format!("cannot enable statistics: {why}");
        let need = Need {
            descriptors: 1,
            ..Need::default()
        };
        let held = self
            .ctx
            .usage
            .reserve(need)
            .map_err(|limit| Failure::refused(ErrorCode::LimitExceeded, cannot(&limit)))?;
        // SAFETY: takes a number.
        let answer = unsafe { sys::bpf_enable_stats(sys::BPF_STATS_RUN_TIME) };
        if answer < 0 {
            let mut text = cannot(&Errno(-answer));
            append_capabilities(&mut text, -answer);
            // A kernel without the call.
            return Err(match -answer {
                libc::EINVAL => Failure::new(ErrorCode::NotSupported, libc::EINVAL, text),
                errno => Failure::errno(errno, text),
            });
        }
        // SAFETY: just made for us.
        let fd = unsafe { OwnedFd::from_raw_fd(answer) };
        Ok(self.table.push(Statistics {
            _fd: fd,
            _held: held,
        })?)
    }

    fn drop(&mut self, statistics: Resource<Statistics>) -> wasmtime::Result<()> {
        self.table.delete(statistics)?;
        Ok(())
    }
}
