//! Compiles the eBPF programs of a WebAssembly component, for use in its build script.
//!
//! A component carries its eBPF programs with it. They are written in C, next to the Rust code that loads them and
//! talks to them:
//!
//! ```text
//! build.rs
//! src/main.rs
//! src/bpf/bootstrap.bpf.c
//! ```
//!
//! The build script has one line:
//!
//! ```no_run
//! // build.rs
//! fn main() {
//!     wasm_bpf_build::build()
//! }
//! ```
//!
//! It compiles each `src/bpf/NAME.bpf.c` to an object and writes a *skeleton* for it: Rust types for the object's maps,
//! programs and global variables. The component takes it in with
//!
//! ```text
//! wasm_bpf_guest::include_skeleton!("bootstrap");
//! ```
//!
//! which gives the module `bootstrap`. It is used in three steps: open the object, change what it starts with, load it.
//!
//! ```text
//! let mut open = bootstrap::BootstrapSkelBuilder::new().open()?;
//! open.rodata.min_duration_ns = 1_000_000;
//! let mut skel = open.load()?;
//! skel.attach()?;
//! ```
//!
//! [`Builder`] is for what [`build`] does not do, such as sources in other places or more arguments for clang.
//!
//! # What is needed
//!
//! A clang of version 14 or newer with the bpf target. The one that the environment variable `CLANG` names is taken,
//! or else the first of `clang`, `clang-22`, … `clang-14` in `PATH`. Clang 14 does not record whether the numbers of
//! an enum have a sign; they are unsigned in Rust then.
//!
//! # Headers
//!
//! The sources find libbpf's headers, such as `<bpf/bpf_helpers.h>`, without anything being installed, in the version
//! that fits this crate; those of the kernel's user space API, such as `<linux/bpf.h>`, where the system has them; and
//! what lies in their own directory, such as a `vmlinux.h`. With this crate comes
//!
//! - `<wasm_bpf/ringbuf.bpf.h>`: ring buffer output that counts the records which found no room;
//! - `<wasm_bpf/syscall.bpf.h>`: the arguments of system calls, on every architecture with one object.
//!
//! # Types
//!
//! The skeleton's module `types` defines each struct, union and enum that the global variables and the keys and values
//! of the maps have. A type that is used nowhere there, like the records of a ring buffer, is made known by a variable:
//!
//! ```c
//! const struct event *unused __attribute__((unused));
//! ```
//!
//! Pointers of variables are followed to this end; pointers inside of structs are not, as they lead to most of the
//! kernel. The types have the layout of BPF, which is a 64-bit target, although a component is a 32-bit one; this is
//! checked when the component is compiled. They implement the traits of `zerocopy`, by which the bytes of a record or
//! of a map's value are read as the type.
//!
//! | C                                   | Rust                                                           |
//! |-------------------------------------|----------------------------------------------------------------|
//! | integers                            | the integer of the same size; `long` is `i64`                  |
//! | `char`, `_Bool`                     | `u8`                                                           |
//! | `__int128`, `long double`           | `[u64; 2]`                                                     |
//! | pointers                            | `u64`                                                          |
//! | arrays                              | arrays; `[T; 0]` for one without a length                      |
//! | enums                               | a struct around the number, with a constant for each name      |
//! | unions                              | a struct with the field `storage`                              |
//! | bit-fields                          | methods: `flag()` and `set_flag(..)`                           |
//! | a struct without a name             | a struct named after what it is in, as `event_anon_0`          |
//! | a member without a name             | a field named `anon_0`                                         |
//! | gaps                                | fields named `_pad0`                                           |
//!
//! Names that Rust does not have in this form are adapted: `type` is `r#type`, and a dot becomes an underscore.
//!
//! # Maps
//!
//! Maps are fields of `maps`. After loading they know the types that the source declares for their keys and values with
//! `__type`:
//!
//! ```text
//! let start = skel.maps.starts.get(&pid)?;
//! for entry in skel.maps.counts.iter() {
//!     let (key, count) = entry?;
//! }
//! let total = skel.maps.totals.get(&key)?.map(|values| values.sum());
//! ```
//!
//! | Map                                                     | Rust              |
//! |---------------------------------------------------------|-------------------|
//! | hash, array, LRU hash, LPM trie                         | `TypedMap<K, V>`  |
//! | per-CPU hash, per-CPU array, per-CPU LRU hash           | `PerCpuMap<K, V>` |
//! | queue, stack                                            | `Queue<V>`        |
//! | bloom filter                                            | `BloomFilter<V>`  |
//! | all others, and those with sizes in the place of types  | `Map`             |
//!
//! Each of them is also a `Map`, whose functions take bytes.
//!
//! # Global variables
//!
//! The variables of a section are fields of the skeleton's field for the section: `bss`, `data`, `rodata`, or `data_hits` for
//! `SEC(".data.hits")`. Before loading they are values, with which the object is loaded. After loading they are read and
//! written while programs run; those of `.rodata` are only read, as programs cannot change them either.
//!
//! ```text
//! let mut open = bootstrap::BootstrapSkelBuilder::new().open()?;
//! open.rodata.min_duration_ns = 1;
//! let skel = open.load()?;
//! skel.data.level.set(&3)?;
//! let count = skel.bss.count.get()?;
//! ```
//!
//! `skel.bss.get()` reads all variables of a section at once. A section in which all variables are `static` can be read but
//! not written after loading.

#![deny(missing_docs)]
#![deny(unsafe_code)]
// The examples are build scripts, of which main is the point.
#![allow(clippy::needless_doctest_main)]

mod btf;
mod clang;
mod code;
mod error;
mod headers;
mod layout;
#[allow(unsafe_code)] // The linker of libbpf.
mod libbpf;
mod names;
mod skeleton;
mod types;

use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use clang::{Clang, Job};
pub use error::{Error, Result};

/// Where [`build`] looks for sources.
const SOURCE_DIR: &str = "src/bpf";

/// How the name of a source ends.
const SOURCE_SUFFIX: &str = ".bpf.c";

/// Compiles every `src/bpf/*.bpf.c` and writes a skeleton for each.
///
/// Meant as all of a build script's `main`: on a failure it prints the reason and ends the process.
///
/// ```no_run
/// // build.rs
/// fn main() {
///     wasm_bpf_build::build()
/// }
/// ```
pub fn build() {
    if let Err(error) = Builder::new().build() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

/// Writes the headers that BPF sources include to a directory, for a build that has its own way to compile them.
///
/// They are libbpf's, as `bpf/bpf_helpers.h`, and those that come with this crate, as `wasm_bpf/ringbuf.bpf.h`. A file that
/// is there in the right version already is left alone.
///
/// # Errors
///
/// [`Error::Io`] where a file or directory cannot be written.
pub fn write_headers(dir: &Path) -> Result<()> {
    headers::write(dir)
}

/// Links compiled BPF objects to one that can be loaded, as [`Builder::build`] does with each of its own.
///
/// Of debug information BTF alone remains, in which the sections of variables then have their sizes.
///
/// # Errors
///
/// [`Error::Object`] where libbpf cannot link them, or write the object.
pub fn link_objects(from: &[&Path], to: &Path) -> Result<()> {
    libbpf::link(from.first().copied().unwrap_or(to), from, to)
}

/// Compiles BPF sources as it is told.
///
/// ```no_run
/// // build.rs
/// fn main() -> Result<(), wasm_bpf_build::Error> {
///     wasm_bpf_build::Builder::new()
///         .source("src/bpf/bootstrap.bpf.c")
///         .clang_arg("-DMAX_EVENTS=64")
///         .build()
/// }
/// ```
///
/// For each source `NAME.bpf.c` it writes, to the directory that Cargo has for it,
///
/// - `NAME.bpf.o`, the object, linked and without debug information other than BTF, and
/// - `NAME.skel.rs`, its skeleton.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    sources: Vec<PathBuf>,
    clang_args: Vec<OsString>,
    out_dir: Option<PathBuf>,
}

impl Builder {
    /// Begins with every `src/bpf/*.bpf.c` as sources, until one is named.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names a source to compile, relative to the directory of the package.
    ///
    /// Once one is named, only those that are named are compiled.
    pub fn source(&mut self, path: impl Into<PathBuf>) -> &mut Self {
        self.sources.push(path.into());
        self
    }

    /// Adds an argument for clang, after those that it is given anyway.
    ///
    /// Relative paths refer to the directory of the package. An argument that defines one of the `__TARGET_ARCH_*`
    /// macros replaces the definition for the architecture of the build host.
    pub fn clang_arg(&mut self, arg: impl Into<OsString>) -> &mut Self {
        self.clang_args.push(arg.into());
        self
    }

    /// Adds several arguments for clang, as [`clang_arg`](Self::clang_arg) does.
    pub fn clang_args<A: Into<OsString>>(
        &mut self,
        args: impl IntoIterator<Item = A>,
    ) -> &mut Self {
        self.clang_args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets the directory to write to, instead of the one that the environment variable `OUT_DIR` names.
    pub fn out_dir(&mut self, dir: impl Into<PathBuf>) -> &mut Self {
        self.out_dir = Some(dir.into());
        self
    }

    /// Compiles the sources and writes their skeletons.
    ///
    /// Tells Cargo on the standard output which files to watch, and what clang warns about.
    ///
    /// # Errors
    ///
    /// Where no clang can be used, a source does not compile, an object has a type that cannot be written in Rust, or
    /// a file cannot be read or written. See [`Error`].
    pub fn build(&self) -> Result<()> {
        let root = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(root) => PathBuf::from(root),
            None => env::current_dir().map_err(Error::io("find", "the current directory"))?,
        };
        let out_dir = match &self.out_dir {
            Some(dir) => root.join(dir),
            None => root.join(env::var_os("OUT_DIR").ok_or(Error::NoOutDir)?),
        };
        println!("cargo:rerun-if-env-changed=CLANG");
        let sources = self.find_sources(&root)?;
        let clang = Clang::find()?;
        let include = out_dir.join("include");
        headers::write(&include)?;
        let mut dependencies = BTreeSet::new();
        for Source { path, name } in &sources {
            let unlinked = out_dir.join(format!("{name}.unlinked.o"));
            let compiled = clang.compile(&Job {
                source: path,
                object: &unlinked,
                root: &root,
                include: &include,
                args: &self.clang_args,
            })?;
            for line in compiled.warnings.lines() {
                println!("cargo:warning={line}");
            }
            dependencies.extend(compiled.dependencies);
            let object = out_dir.join(format!("{name}.bpf.o"));
            libbpf::link(path, &[&unlinked], &object)?;
            // It is many times larger, with the text of all headers in it.
            fs::remove_file(&unlinked).map_err(Error::io("remove", &unlinked))?;
            let object = libbpf::read(path, &object)?;
            let skeleton =
                skeleton::write(name, path, &object).map_err(|unsupported| Error::Type {
                    path: path.clone(),
                    item: unsupported.item,
                    reason: unsupported.reason,
                })?;
            let file = out_dir.join(format!("{name}.skel.rs"));
            fs::write(&file, skeleton).map_err(Error::io("write", &file))?;
        }
        // The headers that this crate writes are not watched: they change with the crate, and Cargo knows of that.
        for file in dependencies
            .iter()
            .filter(|file| !file.starts_with(&include))
        {
            println!("cargo:rerun-if-changed={}", file.display());
        }
        Ok(())
    }

    fn find_sources(&self, root: &Path) -> Result<Vec<Source>> {
        let paths = if self.sources.is_empty() {
            // For sources that are added later.
            println!("cargo:rerun-if-changed={SOURCE_DIR}");
            sources_in(root)?
        } else {
            self.sources.clone()
        };
        let mut sources: Vec<Source> = Vec::new();
        for path in paths {
            // Named relative to the package, a source has the same name on every machine.
            let path = path.strip_prefix(root).unwrap_or(&path).to_owned();
            let name = match path.file_name().and_then(OsStr::to_str) {
                Some(name) => name.strip_suffix(SOURCE_SUFFIX).filter(|n| !n.is_empty()),
                None => None,
            };
            let Some(name) = name.map(str::to_owned) else {
                return Err(Error::SourceName { path });
            };
            if let Some(first) = sources.iter().find(|source| source.name == name) {
                return Err(Error::DuplicateName {
                    name,
                    first: first.path.clone(),
                    second: path,
                });
            }
            sources.push(Source { path, name });
        }
        Ok(sources)
    }
}

/// A source, and its file name without the suffix.
struct Source {
    path: PathBuf,
    name: String,
}

/// The sources of a package in the order of their names.
fn sources_in(root: &Path) -> Result<Vec<PathBuf>> {
    let dir = root.join(SOURCE_DIR);
    let mut sources = Vec::new();
    if dir.is_dir() {
        let entries = fs::read_dir(&dir).map_err(Error::io("list", &dir))?;
        for entry in entries {
            let path = entry.map_err(Error::io("list", &dir))?.path();
            if path.to_string_lossy().ends_with(SOURCE_SUFFIX) {
                sources.push(path);
            }
        }
    }
    if sources.is_empty() {
        return Err(Error::NoSources { dir });
    }
    sources.sort();
    Ok(sources)
}
