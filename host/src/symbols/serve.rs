//! The process that reads symbols, from within.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::num::NonZeroU32;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

use blazesym::symbolize::source::{Elf, Kernel, Process, Source as From};
use blazesym::symbolize::{CodeInfo, Input, Reason, Sym, Symbolized, Symbolizer};
use blazesym::{ErrorKind, MaybeDefault, Pid};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};

use super::protocol::{
    Answer, Failed, MAX_ANSWER, Options, Place, Request, Source, Symbol, TIME_LIMIT, Unknown,
    decode, encode, read_rest, write,
};

/// Bytes that it may take of memory; what it reads of files does not count.
const MEMORY: u64 = 1 << 30;

/// Answers a host that asks for names of addresses, through standard input, which is a socket, until the host closes it. For programs that
/// [`WasmBpfCtxBuilder::symbolizer`](crate::WasmBpfCtxBuilder::symbolizer) names.
///
/// A request that takes too long, or too much memory, ends the process.
pub fn serve_symbolizer() -> io::Result<()> {
    limit(libc::RLIMIT_DATA, MEMORY)?;
    limit(libc::RLIMIT_CORE, 0)?;
    // SAFETY: standard input is open, and nothing else in this process reads it.
    let stream = UnixStream::from(unsafe { OwnedFd::from_raw_fd(0) });
    let mut symbolizers = HashMap::new();
    while let Some((length, file)) = receive(&stream)? {
        let request: Request = decode(&read_rest(&stream, length)?)?;
        alarm(TIME_LIMIT);
        let symbolizer = symbolizers
            .entry(request.options)
            .or_insert_with(|| symbolizer(request.options));
        let answer = answer(symbolizer, &request, file.as_ref());
        let mut bytes = encode(&answer)?;
        if bytes.len() > MAX_ANSWER {
            let text = format!("the names take more than {} MiB", MAX_ANSWER >> 20);
            bytes = encode(&Answer::Failed(Failed::TooLarge, text))?;
        }
        write(&stream, &bytes)?;
        alarm(0);
    }
    Ok(())
}

fn limit(resource: libc::__rlimit_resource_t, most: u64) -> io::Result<()> {
    let limit = libc::rlimit {
        rlim_cur: most as _,
        rlim_max: most as _,
    };
    // SAFETY: the structure outlives the call.
    match unsafe { libc::setrlimit(resource, &raw const limit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Ends the process after so many seconds; 0 takes that back.
fn alarm(seconds: u32) {
    // SAFETY: nothing handles the signal, whose default is the end.
    unsafe { libc::alarm(seconds) };
}

/// The length of the next request, with the file that came along; none at the end.
fn receive(stream: &UnixStream) -> io::Result<Option<([u8; 4], Option<OwnedFd>)>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut length = [0; 4];
    let received = rustix::net::recvmsg(
        stream.as_fd(),
        &mut [IoSliceMut::new(&mut length)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC | RecvFlags::WAITALL,
    )?;
    let file = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut files) => files.next(),
        _ => None,
    });
    match received.bytes {
        0 => Ok(None),
        4 => Ok(Some((length, file))),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn symbolizer(options: Options) -> Symbolizer {
    Symbolizer::builder()
        .enable_code_info(options.debug_info)
        .enable_inlined_fns(options.debug_info && options.inlined)
        .enable_demangling(options.demangle)
        .build()
}

fn answer(symbolizer: &Symbolizer, request: &Request, file: Option<&OwnedFd>) -> Answer {
    let addresses = &request.addresses;
    let debug_info = request.options.debug_info;
    let (source, input) = match (request.source, file) {
        (Source::Kernel, _) => {
            if is_hidden() {
                let text = "the kernel hides its addresses, see /proc/sys/kernel/kptr_restrict";
                return Answer::Failed(Failed::NotPermitted, text.to_owned());
            }
            let mut kernel = Kernel {
                debug_syms: debug_info,
                ..Kernel::default()
            };
            if !debug_info {
                kernel.vmlinux = MaybeDefault::None;
            }
            (From::Kernel(kernel), Input::AbsAddr(&**addresses))
        }
        (Source::Process(id), _) => {
            let Some(id) = NonZeroU32::new(id) else {
                return Answer::Failed(Failed::NotFound, "0 is no process".to_owned());
            };
            let mut process = Process::new(Pid::Pid(id));
            // Without, nothing is opened but what the process has mapped.
            process.debug_syms = debug_info;
            process.perf_map = debug_info;
            (From::Process(process), Input::AbsAddr(&**addresses))
        }
        (kind, Some(file)) => {
            let mut elf = Elf::new(format!("/proc/self/fd/{}", file.as_raw_fd()));
            elf.debug_syms = debug_info;
            let input = match kind {
                Source::FileOffsets => Input::FileOffset(&**addresses),
                _ => Input::VirtOffset(&**addresses),
            };
            (From::Elf(elf), input)
        }
        (_, None) => return Answer::Failed(Failed::Other, "no file came along".to_owned()),
    };
    match symbolizer.symbolize(&source, input) {
        Ok(found) => Answer::Found(found.into_iter().map(convert).collect()),
        // One address in a file that is no ELF file (a stack that is read wrongly has such) would take the names of all others.
        Err(_) if is_running(request.source) => {
            let one_by_one = addresses.iter().map(|address| {
                let input = Input::AbsAddr(std::slice::from_ref(address));
                let found = symbolizer.symbolize(&source, input).ok();
                let found = found.and_then(|found| found.into_iter().next());
                found.map_or(Err(Unknown::Unreadable), convert)
            });
            Answer::Found(one_by_one.collect())
        }
        Err(error) => {
            let failed = match error.kind() {
                ErrorKind::NotFound => Failed::NotFound,
                ErrorKind::PermissionDenied => Failed::NotPermitted,
                ErrorKind::InvalidData | ErrorKind::InvalidDwarf | ErrorKind::UnexpectedEof => {
                    Failed::Malformed
                }
                ErrorKind::Unsupported => Failed::NotSupported,
                _ => Failed::Other,
            };
            Answer::Failed(failed, format!("{error:#}"))
        }
    }
}

/// Whether it is a process that is still there.
fn is_running(source: Source) -> bool {
    match source {
        Source::Process(id) => std::fs::read_to_string(format!("/proc/{id}/maps")).is_ok(),
        _ => false,
    }
}

/// Whether the kernel shows zeros in place of addresses.
fn is_hidden() -> bool {
    let mut start = [0; 8];
    let read = std::fs::File::open("/proc/kallsyms")
        .and_then(|mut file| io::Read::read_exact(&mut file, &mut start));
    // The first symbols are those of per-CPU data, whose addresses start at 0 on some kernels: these have no low digits only.
    read.is_ok() && start == *b"00000000" && all_zero()
}

fn all_zero() -> bool {
    use std::io::BufRead as _;

    let Ok(file) = std::fs::File::open("/proc/kallsyms") else {
        return false;
    };
    let mut lines = io::BufReader::new(file).lines().map_while(Result::ok);
    lines.all(|line| {
        line.bytes()
            .take_while(|byte| *byte != b' ')
            .all(|byte| byte == b'0')
    })
}

fn convert(found: Symbolized<'_>) -> Result<Symbol, Unknown> {
    match found {
        Symbolized::Sym(symbol) => Ok(convert_symbol(symbol)),
        Symbolized::Unknown(reason) => Err(match reason {
            Reason::Unmapped => Unknown::Unmapped,
            Reason::InvalidFileOffset => Unknown::InvalidOffset,
            Reason::MissingComponent => Unknown::NoFile,
            Reason::MissingSyms => Unknown::NoSymbols,
            Reason::Unsupported => Unknown::Unsupported,
            Reason::UnknownAddr => Unknown::NoSuchSymbol,
            Reason::IgnoredError => Unknown::Unreadable,
            _ => Unknown::Other(0),
        }),
    }
}

fn convert_symbol(symbol: Sym<'_>) -> Symbol {
    Symbol {
        name: symbol.name.into_owned(),
        module: symbol
            .module
            .map(|module| module.to_string_lossy().into_owned()),
        address: symbol.addr,
        offset: symbol.offset as u64,
        size: symbol.size.map(|size| size as u64),
        place: symbol.code_info.map(|place| convert_place(*place)),
        inlined: symbol
            .inlined
            .into_iter()
            .map(|function| {
                let place = function.code_info.map(convert_place);
                (function.name.into_owned(), place)
            })
            .collect(),
    }
}

fn convert_place(place: CodeInfo<'_>) -> Place {
    Place {
        folder: place.dir.map(|dir| dir.to_string_lossy().into_owned()),
        file: place.file.to_string_lossy().into_owned(),
        line: place.line,
        column: place.column.map(u32::from),
    }
}
