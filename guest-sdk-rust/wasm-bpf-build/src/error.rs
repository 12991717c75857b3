//! What can go wrong while an object is built.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a BPF source could not be turned into an object and a skeleton.
///
/// The messages are written for the person who runs `cargo build`: they name the file or the tool, the reason, and
/// what to do about it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The crate does not run inside a Cargo build script.
    #[error(
        "cannot tell where to write the generated files: the environment variable OUT_DIR is not set; call this from \
         a Cargo build script, or set the directory with Builder::out_dir"
    )]
    NoOutDir,

    /// There is nothing to compile.
    #[error(
        "found no BPF sources: {dir} has no *.bpf.c files; add one, or name the sources with Builder::source"
    )]
    NoSources {
        /// The directory that was searched.
        dir: PathBuf,
    },

    /// The name of a source gives no name for its skeleton.
    #[error("cannot name the skeleton of {path}: the file name must have the form NAME.bpf.c")]
    SourceName {
        /// The source.
        path: PathBuf,
    },

    /// Two sources would be compiled to the same object file.
    #[error("{first} and {second} would both be compiled to {name}.bpf.o: rename one of them")]
    DuplicateName {
        /// The name that both files have without `.bpf.c`.
        name: String,
        /// The source that came first.
        first: PathBuf,
        /// The source that came second.
        second: PathBuf,
    },

    /// No compiler for BPF could be found.
    #[error(
        "cannot compile BPF sources: found no clang {minimum} or newer with the bpf target ({tried}); install one \
         (Debian, Ubuntu: apt-get install clang-19; Fedora: dnf install clang), or name its path in the environment \
         variable CLANG"
    )]
    ClangNotFound {
        /// The oldest version that is accepted.
        minimum: u32,
        /// What was tried, and why each was rejected.
        tried: String,
    },

    /// The compiler that the environment variable `CLANG` names cannot be used.
    #[error(
        "cannot compile BPF sources with CLANG={clang}: {reason}; name a clang {minimum} or newer that has the bpf \
         target (Debian, Ubuntu: apt-get install clang-19; Fedora: dnf install clang), or unset CLANG to have one \
         searched in PATH"
    )]
    ClangUnusable {
        /// The value of `CLANG`.
        clang: String,
        /// The oldest version that is accepted.
        minimum: u32,
        /// Why it was rejected.
        reason: String,
    },

    /// The compiler rejected a source.
    #[error("{diagnostics}{clang} failed to compile {path} ({status})")]
    Compile {
        /// The source.
        path: PathBuf,
        /// The compiler.
        clang: String,
        /// How the compiler ended.
        status: String,
        /// What the compiler wrote to its standard error.
        diagnostics: String,
    },

    /// The build host is big-endian.
    #[error(
        "cannot compile BPF sources on this host: it is big-endian ({arch}), and a component lays out what it shares \
         with BPF programs as little-endian; build on a little-endian host"
    )]
    BigEndian {
        /// The architecture of the host.
        arch: &'static str,
    },

    /// libbpf could not process the compiled object.
    #[error("libbpf cannot {action} the object of {path}: {reason}")]
    Object {
        /// The source of the object, or the first object that was to be linked.
        path: PathBuf,
        /// What was attempted, as in "cannot link".
        action: &'static str,
        /// The error of libbpf, and what it printed.
        reason: String,
    },

    /// A type of the object has no Rust counterpart.
    #[error(
        "cannot write {item} of {path} as a Rust type: {reason}; change the declaration, or keep it out of global \
         variables and of the keys and values of maps"
    )]
    Type {
        /// The source of the object.
        path: PathBuf,
        /// The C type or variable.
        item: String,
        /// What is not supported about it.
        reason: String,
    },

    /// A file could not be read or written, or a program not be run.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was attempted, as in "cannot write".
        action: &'static str,
        /// The file or program.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// Writes the message: a build script whose `main` returns the error has it printed in this form, and the diagnostics
/// of the compiler are unreadable as an escaped string.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The result of building BPF objects.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// For `map_err` after an operation on `path`.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
