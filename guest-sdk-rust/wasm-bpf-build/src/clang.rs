//! Finds a clang for BPF and compiles with it.

use std::collections::BTreeSet;
use std::env;
use std::env::consts::ARCH;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};
use crate::headers;

/// The first clang whose BTF says which enumerations are signed and has 64-bit ones is 15; 14 still compiles
/// everything else, and is what older distributions have.
const MINIMUM: u32 = 14;

/// The newest versioned name that is tried.
const NEWEST: u32 = 22;

/// A clang that compiles for BPF.
#[derive(Debug)]
pub(crate) struct Clang {
    program: OsString,
}

/// One compilation.
pub(crate) struct Job<'a> {
    /// The source, relative to `root` where it lies under it.
    pub source: &'a Path,
    /// The object to write.
    pub object: &'a Path,
    /// The directory to which relative paths refer.
    pub root: &'a Path,
    /// The directory of the headers that this crate writes.
    pub include: &'a Path,
    /// More arguments, which come last so that they can override.
    pub args: &'a [OsString],
}

/// What a compilation gave besides the object.
pub(crate) struct Compiled {
    /// The files that were read.
    pub dependencies: BTreeSet<PathBuf>,
    /// What clang printed.
    pub warnings: String,
}

impl Clang {
    /// Takes the clang that the environment variable `CLANG` names, or else the first usable one in `PATH`.
    pub(crate) fn find() -> Result<Self> {
        match env::var_os("CLANG") {
            Some(clang) if !clang.is_empty() => Self::named(clang),
            _ => Self::search(),
        }
    }

    fn named(clang: OsString) -> Result<Self> {
        match check(&clang) {
            Ok(()) => Ok(Self { program: clang }),
            Err(reason) => Err(Error::ClangUnusable {
                clang: clang.to_string_lossy().into_owned(),
                minimum: MINIMUM,
                reason: reason.unwrap_or_else(|| "there is no such program".into()),
            }),
        }
    }

    fn search() -> Result<Self> {
        let mut rejected = Vec::new();
        let versioned = (MINIMUM..=NEWEST).rev().map(|v| format!("clang-{v}"));
        for name in std::iter::once("clang".to_owned()).chain(versioned) {
            match check(name.as_ref()) {
                Ok(()) => {
                    return Ok(Self {
                        program: name.into(),
                    });
                }
                Err(Some(reason)) => rejected.push(format!("{name}: {reason}")),
                Err(None) => {}
            }
        }
        let tried = if rejected.is_empty() {
            format!("PATH has neither clang nor clang-{NEWEST} to clang-{MINIMUM}")
        } else {
            rejected.join("; ")
        };
        Err(Error::ClangNotFound {
            minimum: MINIMUM,
            tried,
        })
    }

    /// Compiles one source to an object that still has DWARF.
    pub(crate) fn compile(&self, job: &Job<'_>) -> Result<Compiled> {
        let depfile = job.object.with_extension("d");
        let mut command = Command::new(&self.program);
        command
            .current_dir(job.root)
            .args(["-target", "bpf", "-mcpu=v3", "-O2", "-g", "-Wall"])
            .args(reproducible(job))
            .arg("-I")
            .arg(job.include)
            .arg("-I")
            .arg(match job.source.parent() {
                Some(dir) if !dir.as_os_str().is_empty() => dir,
                _ => Path::new("."),
            });
        for dir in headers::system_dirs() {
            command.arg("-idirafter").arg(dir);
        }
        if let Some(arch) = target_arch(job.args)? {
            command.arg(format!("-D__TARGET_ARCH_{arch}"));
        }
        command
            .args(["-MD", "-MF"])
            .arg(&depfile)
            .args(job.args)
            .arg("-c")
            .arg(job.source)
            .arg("-o")
            .arg(job.object);
        let output = command
            .stdin(Stdio::null())
            .output()
            .map_err(Error::io("run", &self.program))?;
        let mut diagnostics = String::from_utf8_lossy(&output.stderr).into_owned();
        if !diagnostics.is_empty() && !diagnostics.ends_with('\n') {
            diagnostics.push('\n');
        }
        if !output.status.success() {
            return Err(Error::Compile {
                path: job.source.to_owned(),
                clang: self.program.to_string_lossy().into_owned(),
                status: output.status.to_string(),
                diagnostics,
            });
        }
        let rule = fs::read_to_string(&depfile).map_err(Error::io("read", &depfile))?;
        fs::remove_file(&depfile).map_err(Error::io("remove", &depfile))?;
        Ok(Compiled {
            dependencies: dependencies(&rule),
            warnings: diagnostics,
        })
    }
}

/// The arguments that keep the paths of this machine out of the object.
///
/// BTF has the name of each source file and the text of its lines, which the verifier quotes. Clang reads the text
/// from the file by the name that it records, so that a replaced name alone would lose it; with the sources embedded
/// in DWARF it takes the text from there. The linker then drops DWARF.
fn reproducible(job: &Job<'_>) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["-gdwarf-5", "-gembed-source", "-fdebug-compilation-dir=."]
        .map(OsString::from)
        .into();
    let mut map = |from: &Path, to: &str| {
        let mut arg = OsString::from("-ffile-prefix-map=");
        arg.push(from);
        arg.push("=");
        arg.push(to);
        args.push(arg);
    };
    // The include directory often lies under the root. Of two prefixes that match, newer versions of clang take the
    // one that comes last and older ones the longer one.
    if let Some(dir) = job.source.parent()
        && dir.is_absolute()
    {
        map(dir, ".");
    }
    map(job.root, ".");
    map(job.include, "include");
    args
}

/// The architecture whose registers `bpf_tracing.h` shall know, or none where the caller has chosen it.
fn target_arch(args: &[OsString]) -> Result<Option<&'static str>> {
    if cfg!(target_endian = "big") {
        return Err(Error::BigEndian { arch: ARCH });
    }
    let chosen = args
        .iter()
        .any(|arg| arg.to_string_lossy().contains("__TARGET_ARCH_"));
    Ok((!chosen).then_some(match ARCH {
        "x86" | "x86_64" => "x86",
        "aarch64" => "arm64",
        "riscv32" | "riscv64" => "riscv",
        "loongarch64" => "loongarch",
        "powerpc" | "powerpc64" => "powerpc",
        "mips" | "mips64" => "mips",
        arch => arch,
    }))
}

/// Whether a program is a clang that can be used. The reason is absent where there is no such program.
fn check(program: &OsStr) -> std::result::Result<(), Option<String>> {
    let version = run(program, "--version")?;
    match major_version(&version) {
        None => return Err(Some("its --version does not name a clang version".into())),
        Some(major) if major < MINIMUM => {
            return Err(Some(format!("it is clang {major}")));
        }
        Some(_) => {}
    }
    let targets = run(program, "--print-targets")?;
    if targets
        .lines()
        .any(|line| line.split_whitespace().next() == Some("bpf"))
    {
        Ok(())
    } else {
        Err(Some("it has no bpf target".into()))
    }
}

fn run(program: &OsStr, arg: &str) -> std::result::Result<String, Option<String>> {
    match Command::new(program).arg(arg).stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => Err(Some(format!("it failed with {arg} ({})", output.status))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(None),
        Err(error) => Err(Some(format!("it cannot be run ({error})"))),
    }
}

/// Vendors put their name before "clang version".
fn major_version(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("clang version ")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// The prerequisites of a rule as clang writes it for make.
fn dependencies(rule: &str) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    let mut name = String::new();
    let mut chars = rule.chars().peekable();
    let mut in_target = true;
    let mut finish = |name: &mut String, in_target: &mut bool| {
        if name.is_empty() {
            return;
        }
        let name = std::mem::take(name);
        if *in_target {
            *in_target = !name.ends_with(':');
        } else {
            files.insert(PathBuf::from(name));
        }
    };
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('\n')) => {
                chars.next();
                finish(&mut name, &mut in_target);
            }
            ('\\', Some(&escaped @ (' ' | '#' | '\\'))) => {
                chars.next();
                name.push(escaped);
            }
            ('$', Some('$')) => {
                chars.next();
                name.push('$');
            }
            (c, _) if c.is_whitespace() => finish(&mut name, &mut in_target),
            (c, _) => name.push(c),
        }
    }
    finish(&mut name, &mut in_target);
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(
            major_version("Debian clang version 19.1.7 (3~deb12u1)\nTarget: x86_64-pc-linux-gnu\n"),
            Some(19)
        );
        assert_eq!(
            major_version("clang version 14.0.6 (Fedora 14.0.6-1.fc36)"),
            Some(14)
        );
        assert_eq!(major_version("clang version 22git"), Some(22));
        assert_eq!(major_version("gcc (Debian 12.2.0-14) 12.2.0"), None);
    }

    #[test]
    fn make_rules() {
        let rule =
            "/out dir/a.o: src/a.bpf.c \\\n  src/with\\ space.h src/hash\\#.h src/money$$.h\n";
        // The target's own blank is escaped by clang; unescaped it would still end at the colon.
        let expected = [
            "src/a.bpf.c",
            "src/with space.h",
            "src/hash#.h",
            "src/money$.h",
        ];
        assert_eq!(
            dependencies(rule),
            expected.iter().map(PathBuf::from).collect()
        );
        assert!(dependencies("").is_empty());
    }

    #[test]
    fn a_program_that_is_no_clang_is_rejected_with_the_reason() {
        let error = Clang::named("/bin/cat".into()).unwrap_err().to_string();
        assert!(error.contains("CLANG=/bin/cat"), "{error}");
        assert!(error.contains("does not name a clang version"), "{error}");
    }

    #[test]
    fn the_target_architecture_can_be_chosen() {
        assert!(target_arch(&[]).unwrap().is_some());
        assert_eq!(
            target_arch(&["-D__TARGET_ARCH_arm64".into()]).unwrap(),
            None
        );
    }
}
