//! The headers that BPF sources include.

use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// The headers of this crate, by the path under which BPF sources include them.
const OWN_HEADERS: [(&str, &str); 2] = [
    (
        "wasm_bpf/ringbuf.bpf.h",
        include_str!("../include/wasm_bpf/ringbuf.bpf.h"),
    ),
    (
        "wasm_bpf/syscall.bpf.h",
        include_str!("../include/wasm_bpf/syscall.bpf.h"),
    ),
];

/// Writes libbpf's headers and our own under `dir`.
pub(crate) fn write(dir: &Path) -> Result<()> {
    for (name, text) in libbpf_sys::API_HEADERS {
        write_if_changed(&dir.join("bpf").join(name), text)?;
    }
    for (name, text) in OWN_HEADERS {
        write_if_changed(&dir.join(name), text)?;
    }
    Ok(())
}

/// Leaves a file alone that has the right text already, so that nothing that watches its time is set off.
fn write_if_changed(path: &Path, text: &str) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(Error::io("create the directory", parent))?;
    }
    fs::write(path, text).map_err(Error::io("write", path))
}

/// The directories of the system's kernel headers.
///
/// Clang searches `/usr/include` for the bpf target as well, but not the directory in which Debian and its relatives
/// keep the `asm` headers of each architecture.
pub(crate) fn system_dirs() -> Vec<PathBuf> {
    let include = Path::new("/usr/include");
    let mut dirs = Vec::new();
    if !include.join("asm/types.h").exists()
        && let Some(dir) = multiarch_dir(include)
    {
        dirs.push(dir);
    }
    if include.is_dir() {
        dirs.push(include.to_owned());
    }
    dirs
}

fn multiarch_dir(include: &Path) -> Option<PathBuf> {
    let probe = |triple: &str| {
        let dir = include.join(triple);
        dir.join("asm/types.h").exists().then_some(dir)
    };
    let named = match ARCH {
        "x86" => probe("i386-linux-gnu"),
        "arm" => probe("arm-linux-gnueabihf"),
        "powerpc64" => probe("powerpc64le-linux-gnu"),
        arch => probe(&format!("{arch}-linux-gnu")),
    };
    named.or_else(|| {
        let output = Command::new("gcc")
            .arg("-print-multiarch")
            .stderr(Stdio::null())
            .output()
            .ok()?;
        let triple = String::from_utf8(output.stdout).ok()?;
        let triple = triple.trim();
        if triple.is_empty() {
            None
        } else {
            probe(triple)
        }
    })
}
