//! Files and folders of the host as capabilities: binaries to probe, cgroups, namespaces.

use std::path::Path;

use wasip2::filesystem::preopens;
use wasip2::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

/// A file or folder that the host opened to the component, of `wasi:filesystem`.
pub use wasip2::filesystem::types::Descriptor;

use crate::error::{Error, ErrorKind, Result};

/// Opens a file or folder by the path that the component sees it at.
///
/// It has to be in, or be, a folder that the host opened to the component: `wasm-bpf run --dir /sys/fs/cgroup ...`.
///
/// # Errors
/// [`ErrorKind::NotGranted`] if no such folder was opened, [`ErrorKind::NotFound`] if nothing is there.
pub fn open_descriptor(path: impl AsRef<Path>) -> Result<Descriptor> {
    let path = path.as_ref();
    let within = preopens::get_directories()
        .into_iter()
        .filter_map(|(folder, name)| {
            let rest = path.strip_prefix(&name).ok()?;
            Some((name.len(), folder, rest))
        })
        .max_by_key(|(length, ..)| *length);
    let Some((_, folder, rest)) = within else {
        return Err(Error::of_code(
            ErrorKind::NotGranted,
            format!(
                "cannot open {}: it is in no folder that was opened to the component; open one with --dir",
                path.display()
            ),
        ));
    };
    let Some(rest) = rest.to_str().filter(|rest| !rest.is_empty()) else {
        return Ok(folder);
    };
    folder
        .open_at(
            PathFlags::SYMLINK_FOLLOW,
            rest,
            OpenFlags::empty(),
            DescriptorFlags::READ,
        )
        .map_err(|code| {
            let text = format!("cannot open {}: {}", path.display(), code.message());
            Error::of_code(kind_of(code), text)
        })
}

fn kind_of(code: ErrorCode) -> ErrorKind {
    match code {
        ErrorCode::Access => ErrorKind::AccessDenied,
        ErrorCode::NotPermitted | ErrorCode::ReadOnly => ErrorKind::NotPermitted,
        ErrorCode::NoEntry => ErrorKind::NotFound,
        ErrorCode::Exist => ErrorKind::AlreadyExists,
        ErrorCode::Busy => ErrorKind::Busy,
        ErrorCode::InsufficientSpace | ErrorCode::Quota => ErrorKind::NoSpace,
        ErrorCode::InsufficientMemory => ErrorKind::OutOfMemory,
        ErrorCode::NoDevice => ErrorKind::NoSuchDevice,
        ErrorCode::Unsupported => ErrorKind::NotSupported,
        _ => ErrorKind::InvalidArgument,
    }
}
