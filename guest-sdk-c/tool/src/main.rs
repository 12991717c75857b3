//! The `wasm-bpf-c` command: what a build of C guests needs beside compilers and bpftool. `guest-sdk-c/wasm-bpf.mk` runs it.

mod strip;
mod structs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueHint};

/// Build C guests: WebAssembly components that load eBPF programs.
#[derive(Parser)]
#[command(
    name = "wasm-bpf-c",
    version,
    max_term_width = 100,
    after_help = "Examples:\n  \
        wasm-bpf-c headers build/include\n  \
        wasm-bpf-c link foo.unlinked.o -o foo.bpf.o\n  \
        wasm-bpf-c check-structs foo.unlinked.o foo.o\n  \
        wasm-bpf-c strip foo.unstripped.wasm -o foo.component.wasm\n\n\
        Exit codes:\n  \
        0 if all is well; 1 if not; 2 for wrong usage"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Headers(Headers),
    Link(Link),
    CheckStructs(CheckStructs),
    Strip(Strip),
}

/// Write the headers that BPF sources include: libbpf's <bpf/bpf_helpers.h> and its like, and <wasm_bpf/ringbuf.bpf.h>.
///
/// Files that are there in the right version are left alone.
#[derive(Args)]
struct Headers {
    /// The directory to write to, for -I; it is made if it is not there.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: PathBuf,
}

/// Link BPF objects, as clang compiles them, to the one that a skeleton is made of and the kernel loads.
///
/// One object is linked by itself: DWARF is dropped, BTF stays, and sections of variables get their sizes in it.
#[derive(Args)]
struct Link {
    /// The object to write.
    #[arg(short, value_name = "OUT.bpf.o", value_hint = ValueHint::FilePath)]
    output: PathBuf,

    /// The objects that clang wrote.
    #[arg(value_name = "IN.o", required = true, value_hint = ValueHint::FilePath)]
    objects: Vec<PathBuf>,
}

/// Compare the structs that a BPF object and a guest share by name; fail where they are laid out differently.
///
/// `long` and pointers have 8 bytes in a BPF program and 4 in a guest. Structs, unions and enums of the same name, or of the same
/// typedef if they have no name, are compared field by field. Left out are those that either side has from a directory of
/// the system (/usr/include, /usr/lib, the same in /usr/local, and --system) or from a file vmlinux*.h: each side has its own there.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  \
    wasm-bpf-c check-structs foo.unlinked.o foo.o event.o\n  \
    wasm-bpf-c check-structs --system ~/wasi-sdk/share --ignore config foo.bpf.o foo.wasm\n\n\
    Exit codes:\n  \
    0 if all are the same; 1 if one is not, or a file cannot be read; 2 for wrong usage")]
struct CheckStructs {
    /// A directory of headers that are nobody's agreement, such as a sysroot.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    system: Vec<PathBuf>,

    /// Leave out a struct, by its name.
    #[arg(long, value_name = "NAME")]
    ignore: Vec<String>,

    /// Print what is compared.
    #[arg(short, long)]
    verbose: bool,

    /// The BPF object. As clang writes it, with DWARF, it tells of all structs; linked, of those of variables and maps.
    #[arg(value_name = "OBJECT.bpf.o", value_hint = ValueHint::FilePath)]
    object: PathBuf,

    /// The guest, compiled with -g: object files, or a linked module or component that is not stripped.
    #[arg(value_name = "GUEST", required = true, value_hint = ValueHint::FilePath)]
    guest: Vec<PathBuf>,
}

/// Drop the names from a component or a module: of its parts, and of functions. What is run stays the same.
#[derive(Args)]
struct Strip {
    /// The file to write.
    #[arg(short, value_name = "OUT.wasm", value_hint = ValueHint::FilePath)]
    output: PathBuf,

    /// The component.
    #[arg(value_name = "IN.wasm", value_hint = ValueHint::FilePath)]
    component: PathBuf,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Headers(options) => {
            wasm_bpf_build::write_headers(&options.dir).map_err(Into::into)
        }
        Command::Link(options) => link(&options),
        Command::CheckStructs(options) => structs::check(&options),
        Command::Strip(options) => strip::strip(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn link(options: &Link) -> anyhow::Result<()> {
    let output = &options.output;
    for object in &options.objects {
        // libbpf names a missing file by its error number alone.
        let bytes =
            fs::read(object).with_context(|| format!("cannot read {}", object.display()))?;
        anyhow::ensure!(
            bytes.starts_with(b"\x7fELF"),
            "{} is not an object file: it does not begin with \\x7fELF",
            object.display()
        );
        anyhow::ensure!(
            !is_same_file(object, output),
            "{} would be overwritten with what is made of it: give another name with -o",
            object.display()
        );
    }
    let objects: Vec<&Path> = options.objects.iter().map(PathBuf::as_path).collect();
    write_whole(output, |unfinished| {
        wasm_bpf_build::link_objects(&objects, unfinished).map_err(Into::into)
    })
}

/// Has a file written under another name first: a reader never sees half of it, and a failure leaves nothing.
fn write_whole(
    output: &Path,
    write: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut unfinished = output.to_owned().into_os_string();
    unfinished.push(".new");
    let unfinished = PathBuf::from(unfinished);
    write(&unfinished)
        .and_then(|()| Ok(fs::rename(&unfinished, output)?))
        .with_context(|| format!("cannot write {}", output.display()))
        .inspect_err(|_| {
            let _ = fs::remove_file(&unfinished);
        })
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
