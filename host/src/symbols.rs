//! `symbols.wit`.
//!
//! Files that hold symbols may be hostile: any user can make one, and have it in a stack. They are read in another process, which
//! has limits of memory and time, by blazesym. What goes wrong there is the failure of a call.

mod helper;
mod protocol;
#[cfg(feature = "symbolizer")]
mod serve;

use std::os::fd::{AsFd as _, BorrowedFd};

use rustix::fs::{FileType, OFlags};
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;

use self::helper::NoAnswer;
pub(crate) use self::helper::{Helper, SymbolizerCommand};
use self::protocol::{Answer, Failed, Options, Request, Source};
#[cfg(feature = "symbolizer")]
pub use self::serve::serve_symbolizer;
use crate::bindings::symbols::{
    CodePlace, Host, HostSymbolizer, InlinedFunction, OffsetKind, Symbol, Unknown,
};
use crate::bindings::types::ErrorCode;
use crate::ctx::WasmBpfCtxView;
use crate::error::{Failure, FailureResult};

/// Addresses of one call: so that an answer has an end.
const MAX_ADDRESSES: usize = 4096;

/// How names of addresses are found.
#[derive(Clone, Copy, Debug)]
pub struct Symbolizer(Options);

type Answers = Vec<Result<Symbol, Unknown>>;

impl Host for WasmBpfCtxView<'_> {}

impl HostSymbolizer for WasmBpfCtxView<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<Symbolizer>> {
        let options = Options {
            debug_info: false,
            inlined: true,
            demangle: true,
        };
        Ok(self.table.push(Symbolizer(options))?)
    }

    fn set_debug_info(&mut self, this: Resource<Symbolizer>, wanted: bool) -> wasmtime::Result<()> {
        self.table.get_mut(&this)?.0.debug_info = wanted;
        Ok(())
    }

    fn set_inlined(&mut self, this: Resource<Symbolizer>, wanted: bool) -> wasmtime::Result<()> {
        self.table.get_mut(&this)?.0.inlined = wanted;
        Ok(())
    }

    fn set_demangle(&mut self, this: Resource<Symbolizer>, wanted: bool) -> wasmtime::Result<()> {
        self.table.get_mut(&this)?.0.demangle = wanted;
        Ok(())
    }

    fn symbolize_kernel(
        &mut self,
        this: Resource<Symbolizer>,
        addresses: Vec<u64>,
    ) -> FailureResult<Answers> {
        self.symbolize(&this, "the kernel", Source::Kernel, addresses, None)
    }

    fn symbolize_process(
        &mut self,
        this: Resource<Symbolizer>,
        process: u32,
        addresses: Vec<u64>,
    ) -> FailureResult<Answers> {
        let of = format!("process {process}");
        // 0 would be the process that reads them.
        let code = match i32::try_from(process) {
            Ok(0) => Some(ErrorCode::InvalidArgument),
            Ok(_) if std::path::Path::new(&format!("/proc/{process}")).exists() => None,
            _ => Some(ErrorCode::NoSuchProcess),
        };
        if let Some(code) = code {
            let text = format!("cannot find names of addresses of {of}: there is no such process");
            return Err(Failure::refused(code, text));
        }
        self.symbolize(&this, &of, Source::Process(process), addresses, None)
    }

    fn symbolize_file(
        &mut self,
        this: Resource<Symbolizer>,
        file: Resource<Descriptor>,
        kind: OffsetKind,
        offsets: Vec<u64>,
    ) -> FailureResult<Answers> {
        let file = self.host_file(&file)?;
        let of = file.path().map_or_else(
            |_| "a file".to_owned(),
            |path| format!("the file {}", path.display()),
        );
        if let Err((code, why)) = check_file(file.as_fd()) {
            let text = format!("cannot find names of addresses of {of}: {why}");
            return Err(Failure::refused(code, text));
        }
        let source = match kind {
            OffsetKind::File => Source::FileOffsets,
            OffsetKind::Virtual => Source::VirtualOffsets,
        };
        self.symbolize(&this, &of, source, offsets, Some(file.as_fd()))
    }

    fn drop(&mut self, this: Resource<Symbolizer>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

/// The other process opens the file again, to map it: only what the component may read, and what reading does not change.
fn check_file(file: BorrowedFd<'_>) -> Result<(), (ErrorCode, &'static str)> {
    let failed = |_| (ErrorCode::InvalidArgument, "it is none that can be read");
    let stat = rustix::fs::fstat(file).map_err(failed)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err((ErrorCode::InvalidArgument, "it is no regular file"));
    }
    let flags = rustix::fs::fcntl_getfl(file).map_err(failed)?;
    if flags.contains(OFlags::PATH) || flags & OFlags::ACCMODE == OFlags::WRONLY {
        return Err((ErrorCode::AccessDenied, "it is not open for reading"));
    }
    let mut magic = [0; 4];
    let length = rustix::io::pread(file, &mut magic, 0).map_err(failed)?;
    if magic[..length] != *b"\x7fELF" {
        return Err((ErrorCode::Malformed, "it is no ELF file"));
    }
    Ok(())
}

impl WasmBpfCtxView<'_> {
    fn symbolize(
        &mut self,
        symbolizer: &Resource<Symbolizer>,
        of: &str,
        source: Source,
        addresses: Vec<u64>,
        file: Option<BorrowedFd<'_>>,
    ) -> FailureResult<Answers> {
        let options = self.table.get(symbolizer)?.0;
        let refuse = |code, why: &str| {
            let text = format!("cannot find names of addresses of {of}: {why}");
            Failure::refused(code, text)
        };
        // Guest-controlled.
        if addresses.len() > MAX_ADDRESSES {
            let why = format!(
                "{} at once are more than {MAX_ADDRESSES}; ask for fewer",
                addresses.len()
            );
            return Err(refuse(ErrorCode::LimitExceeded, &why));
        }
        if options.debug_info {
            self.ctx.policy.check_debug_info(of)?;
        }
        let request = Request {
            options,
            source,
            addresses,
        };
        let answer = self.ctx.symbolizer.ask(&self.ctx.usage, &request, file);
        let answer = answer.map_err(|no_answer| match no_answer {
            NoAnswer::NoCommand => refuse(
                ErrorCode::NotSupported,
                "this host was given no program that reads symbols",
            ),
            NoAnswer::Limit(limit) => refuse(ErrorCode::LimitExceeded, &limit),
            NoAnswer::Start(error) => refuse(
                ErrorCode::NotSupported,
                &format!("the process that reads symbols does not start: {error}"),
            ),
            NoAnswer::Time => refuse(
                ErrorCode::LimitExceeded,
                &format!("it took more than {} seconds", protocol::TIME_LIMIT),
            ),
            NoAnswer::Broke(how) => refuse(
                ErrorCode::Malformed,
                &format!(
                    "the process that reads symbols broke off ({how}): what it read is broken, or takes too much memory"
                ),
            ),
        })?;
        match answer {
            Answer::Found(found) if found.len() == request.addresses.len() => Ok(found
                .into_iter()
                .map(|answer| answer.map(Symbol::from).map_err(Unknown::from))
                .collect()),
            Answer::Found(_) => Err(refuse(
                ErrorCode::Other(libc::EIO),
                "there are not as many answers as addresses",
            )),
            Answer::Failed(failed, why) => {
                let code = match failed {
                    Failed::NotFound if matches!(source, Source::Process(_)) => {
                        ErrorCode::NoSuchProcess
                    }
                    Failed::NotFound => ErrorCode::NotFound,
                    Failed::NotPermitted => ErrorCode::NotPermitted,
                    Failed::Malformed => ErrorCode::Malformed,
                    Failed::NotSupported => ErrorCode::NotSupported,
                    Failed::TooLarge => ErrorCode::LimitExceeded,
                    Failed::Other => ErrorCode::Other(libc::EIO),
                };
                Err(refuse(code, &why))
            }
        }
    }
}

impl From<protocol::Place> for CodePlace {
    fn from(place: protocol::Place) -> Self {
        Self {
            folder: place.folder,
            file: place.file,
            line: place.line,
            column: place.column,
        }
    }
}

impl From<protocol::Symbol> for Symbol {
    fn from(symbol: protocol::Symbol) -> Self {
        Self {
            name: symbol.name,
            module: symbol.module,
            address: symbol.address,
            offset: symbol.offset,
            size: symbol.size,
            place: symbol.place.map(CodePlace::from),
            inlined: symbol
                .inlined
                .into_iter()
                .map(|(name, place)| InlinedFunction {
                    name,
                    place: place.map(CodePlace::from),
                })
                .collect(),
        }
    }
}

impl From<protocol::Unknown> for Unknown {
    fn from(unknown: protocol::Unknown) -> Self {
        match unknown {
            protocol::Unknown::Unmapped => Self::Unmapped,
            protocol::Unknown::InvalidOffset => Self::InvalidOffset,
            protocol::Unknown::NoFile => Self::NoFile,
            protocol::Unknown::Unsupported => Self::Unsupported,
            protocol::Unknown::NoSymbols => Self::NoSymbols,
            protocol::Unknown::NoSuchSymbol => Self::NoSuchSymbol,
            protocol::Unknown::Unreadable => Self::Unreadable,
            protocol::Unknown::Other(number) => Self::Other(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn only_regular_files_that_can_be_read_are_opened_again() {
        let own = File::open("/proc/self/exe").unwrap();
        check_file(own.as_fd()).unwrap();
        let folder = File::open("/").unwrap();
        assert!(matches!(
            check_file(folder.as_fd()),
            Err((ErrorCode::InvalidArgument, _))
        ));
        let text = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(text.path(), "no ELF file").unwrap();
        assert!(matches!(
            check_file(File::open(text.path()).unwrap().as_fd()),
            Err((ErrorCode::Malformed, _))
        ));
        let device = File::open("/dev/null").unwrap();
        check_file(device.as_fd()).unwrap_err();
        let temporary = tempfile::NamedTempFile::new().unwrap();
        let written = File::options().write(true).open(temporary.path()).unwrap();
        assert!(matches!(
            check_file(written.as_fd()),
            Err((ErrorCode::AccessDenied, _))
        ));
    }
}
