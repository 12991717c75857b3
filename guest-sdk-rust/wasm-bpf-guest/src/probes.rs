//! Probes of functions: of the kernel's, of those of binaries, and of USDT.

use std::path::{Path, PathBuf};

use crate::bindings::programs::{ProbeOptions, ProbeTargets};
use crate::descriptor::{Descriptor, open_descriptor};
use crate::error::Result;
use crate::{Link, Program};

/// A binary to probe: a path, which has to be in a folder that the host opened to the component, or a descriptor that is open already.
#[derive(Debug)]
pub enum Binary<'a> {
    /// A path as the component sees it.
    Path(PathBuf),
    /// An open file.
    Open(&'a Descriptor),
}

impl From<&str> for Binary<'_> {
    fn from(path: &str) -> Self {
        Self::Path(path.into())
    }
}

impl From<&String> for Binary<'_> {
    fn from(path: &String) -> Self {
        Self::Path(path.into())
    }
}

impl From<String> for Binary<'_> {
    fn from(path: String) -> Self {
        Self::Path(path.into())
    }
}

impl From<&Path> for Binary<'_> {
    fn from(path: &Path) -> Self {
        Self::Path(path.into())
    }
}

impl From<&PathBuf> for Binary<'_> {
    fn from(path: &PathBuf) -> Self {
        Self::Path(path.into())
    }
}

impl From<PathBuf> for Binary<'_> {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl<'a> From<&'a Descriptor> for Binary<'a> {
    fn from(descriptor: &'a Descriptor) -> Self {
        Self::Open(descriptor)
    }
}

impl Binary<'_> {
    fn with<T>(self, call: impl FnOnce(&Descriptor) -> Result<T>) -> Result<T> {
        match self {
            Self::Path(path) => call(&open_descriptor(path)?),
            Self::Open(descriptor) => call(descriptor),
        }
    }
}

/// How a program is attached to a kernel function.
#[derive(Clone, Debug, Default)]
pub struct KprobeOpts {
    /// Read by the program with bpf_get_attach_cookie; 0 for none. Kernel 5.15.
    pub cookie: u64,
    /// Bytes behind the function's start. Not for probes of the return.
    pub offset: u64,
}

/// How a program is attached to many kernel functions.
#[derive(Clone, Debug, Default)]
pub struct KprobeMultiOpts {
    /// Functions by their names.
    pub symbols: Vec<String>,
    /// In place of names, what they match: `*` stands for any characters, at most twice, `?` for one.
    pub pattern: String,
    /// What the program reads with bpf_get_attach_cookie, one for each name; or empty.
    pub cookies: Vec<u64>,
    /// When the functions return.
    pub retprobe: bool,
    /// When they are called and when they return, for programs of `kprobe.session`. Kernel 6.10.
    pub session: bool,
}

/// How a program is attached to a system call.
#[derive(Clone, Debug, Default)]
pub struct KsyscallOpts {
    /// Read by the program with bpf_get_attach_cookie; 0 for none. Kernel 5.15.
    pub cookie: u64,
}

/// How a program is attached to a function of a binary.
#[derive(Clone, Debug, Default)]
pub struct UprobeOpts {
    /// Where in the file the semaphore is that is counted up as long as the probe is there; 0 for none. Kernel 4.20.
    pub ref_ctr_offset: u64,
    /// Read by the program with bpf_get_attach_cookie; 0 for none. Kernel 5.15.
    pub cookie: u64,
    /// When the function returns.
    pub retprobe: bool,
    /// The function, `NAME` or `NAME@VERSION`; the offset counts from its start. Without it the offset is that in the file.
    pub func_name: Option<String>,
}

/// How a program is attached to many functions of a binary.
#[derive(Clone, Debug, Default)]
pub struct UprobeMultiOpts {
    /// Functions by their names.
    pub syms: Vec<String>,
    /// In place of names, offsets in the file.
    pub offsets: Vec<u64>,
    /// The semaphore of each name or offset; or empty.
    pub ref_ctr_offsets: Vec<u64>,
    /// What the program reads with bpf_get_attach_cookie, one for each name or offset; or empty.
    pub cookies: Vec<u64>,
    /// When the functions return.
    pub retprobe: bool,
    /// When they are called and when they return, for programs of `uprobe.session`. Kernel 6.13.
    pub session: bool,
}

/// How a program is attached to a USDT probe.
#[derive(Clone, Debug, Default)]
pub struct UsdtOpts {
    /// Read by the program with bpf_usdt_cookie; 0 for none.
    pub cookie: u64,
}

/// A process as libbpf has it: -1 for all.
fn process(pid: i32) -> Option<u32> {
    u32::try_from(pid).ok()
}

/// One of the two ways to say which functions.
fn targets(pattern: &str, names: Vec<String>) -> ProbeTargets {
    if pattern.is_empty() {
        ProbeTargets::Functions(names)
    } else {
        ProbeTargets::Pattern(pattern.to_owned())
    }
}

impl Program {
    /// Attaches to a function of the kernel.
    pub fn attach_kprobe(&self, retprobe: bool, func_name: impl AsRef<str>) -> Result<Link> {
        self.attach_kprobe_with_opts(retprobe, func_name, KprobeOpts::default())
    }

    /// Attaches to a function of the kernel.
    pub fn attach_kprobe_with_opts(
        &self,
        retprobe: bool,
        func_name: impl AsRef<str>,
        opts: KprobeOpts,
    ) -> Result<Link> {
        let options = ProbeOptions::new();
        options.set_at_return(retprobe);
        options.set_cookie(opts.cookie);
        options.set_offset(opts.offset);
        let link = self.handle()?.attach_kprobe(func_name.as_ref(), &options)?;
        Ok(Link::new(link))
    }

    /// Attaches a program of `kprobe.multi` to many functions of the kernel, as one link. Kernel 5.18.
    pub fn attach_kprobe_multi<T: AsRef<str>>(
        &self,
        retprobe: bool,
        symbols: Vec<T>,
    ) -> Result<Link> {
        let symbols = symbols.iter().map(|name| name.as_ref().to_owned());
        self.attach_kprobe_multi_with_opts(KprobeMultiOpts {
            symbols: symbols.collect(),
            retprobe,
            ..KprobeMultiOpts::default()
        })
    }

    /// Attaches a program of `kprobe.multi` or `kprobe.session` to many functions of the kernel, as one link.
    pub fn attach_kprobe_multi_with_opts(&self, opts: KprobeMultiOpts) -> Result<Link> {
        let options = ProbeOptions::new();
        options.set_at_return(opts.retprobe);
        options.set_session(opts.session);
        options.set_cookies(&opts.cookies);
        let targets = targets(&opts.pattern, opts.symbols);
        let link = self.handle()?.attach_kprobe_multi(&targets, &options)?;
        Ok(Link::new(link))
    }

    /// Attaches to a system call by its bare name, such as `openat`.
    pub fn attach_ksyscall(&self, retprobe: bool, syscall_name: impl AsRef<str>) -> Result<Link> {
        self.attach_ksyscall_with_opts(retprobe, syscall_name, KsyscallOpts::default())
    }

    /// Attaches to a system call by its bare name.
    pub fn attach_ksyscall_with_opts(
        &self,
        retprobe: bool,
        syscall_name: impl AsRef<str>,
        opts: KsyscallOpts,
    ) -> Result<Link> {
        let options = ProbeOptions::new();
        options.set_at_return(retprobe);
        options.set_cookie(opts.cookie);
        let link = self
            .handle()?
            .attach_ksyscall(syscall_name.as_ref(), &options)?;
        Ok(Link::new(link))
    }

    /// Attaches to an offset in a binary, in one process or (-1) in all. [`attach_uprobe_with_opts`](Self::attach_uprobe_with_opts) takes a function's
    /// name.
    pub fn attach_uprobe<'a>(
        &self,
        retprobe: bool,
        pid: i32,
        binary: impl Into<Binary<'a>>,
        func_offset: u64,
    ) -> Result<Link> {
        let opts = UprobeOpts {
            retprobe,
            ..UprobeOpts::default()
        };
        self.attach_uprobe_with_opts(pid, binary, func_offset, opts)
    }

    /// Attaches to a function of a binary, in one process or (-1) in all.
    pub fn attach_uprobe_with_opts<'a>(
        &self,
        pid: i32,
        binary: impl Into<Binary<'a>>,
        func_offset: u64,
        opts: UprobeOpts,
    ) -> Result<Link> {
        let options = ProbeOptions::new();
        options.set_at_return(opts.retprobe);
        options.set_cookie(opts.cookie);
        options.set_offset(func_offset);
        options.set_process(process(pid));
        options.set_semaphore_offset(opts.ref_ctr_offset);
        binary.into().with(|binary| {
            let function = opts.func_name.as_deref();
            let link = self.handle()?.attach_uprobe(binary, function, &options)?;
            Ok(Link::new(link))
        })
    }

    /// Attaches a program of `uprobe.multi` or `uprobe.session` to all functions of a binary that match, as one link. Kernel 6.6.
    pub fn attach_uprobe_multi<'a>(
        &self,
        pid: i32,
        binary: impl Into<Binary<'a>>,
        func_pattern: impl AsRef<str>,
        retprobe: bool,
        session: bool,
    ) -> Result<Link> {
        let opts = UprobeMultiOpts {
            retprobe,
            session,
            ..UprobeMultiOpts::default()
        };
        self.attach_uprobe_multi_with_opts(pid, binary, func_pattern, opts)
    }

    /// Attaches a program of `uprobe.multi` or `uprobe.session` to many functions of a binary, as one link: those that match, or without a pattern those of the
    /// options.
    pub fn attach_uprobe_multi_with_opts<'a>(
        &self,
        pid: i32,
        binary: impl Into<Binary<'a>>,
        func_pattern: impl AsRef<str>,
        opts: UprobeMultiOpts,
    ) -> Result<Link> {
        let options = ProbeOptions::new();
        options.set_at_return(opts.retprobe);
        options.set_session(opts.session);
        options.set_cookies(&opts.cookies);
        options.set_semaphore_offsets(&opts.ref_ctr_offsets);
        options.set_process(process(pid));
        let targets = match targets(func_pattern.as_ref(), opts.syms) {
            ProbeTargets::Functions(names) if names.is_empty() => {
                ProbeTargets::Offsets(opts.offsets)
            }
            targets => targets,
        };
        binary.into().with(|binary| {
            let link = self
                .handle()?
                .attach_uprobe_multi(binary, &targets, &options)?;
            Ok(Link::new(link))
        })
    }

    /// Attaches a program of `usdt` to a USDT probe of a binary, in one process or (-1) in all.
    pub fn attach_usdt<'a>(
        &self,
        pid: i32,
        binary: impl Into<Binary<'a>>,
        usdt_provider: impl AsRef<str>,
        usdt_name: impl AsRef<str>,
    ) -> Result<Link> {
        let opts = UsdtOpts::default();
        self.attach_usdt_with_opts(pid, binary, usdt_provider, usdt_name, opts)
    }

    /// Attaches a program of `usdt` to a USDT probe of a binary, in one process or (-1) in all.
    pub fn attach_usdt_with_opts<'a>(
        &self,
        pid: i32,
        binary: impl Into<Binary<'a>>,
        usdt_provider: impl AsRef<str>,
        usdt_name: impl AsRef<str>,
        opts: UsdtOpts,
    ) -> Result<Link> {
        let options = ProbeOptions::new();
        options.set_cookie(opts.cookie);
        options.set_process(process(pid));
        let (provider, name) = (usdt_provider.as_ref(), usdt_name.as_ref());
        binary.into().with(|binary| {
            let link = self
                .handle()?
                .attach_usdt(binary, provider, name, &options)?;
            Ok(Link::new(link))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_processes_are_all() {
        assert_eq!(process(-1), None);
        assert_eq!(process(0), Some(0));
        assert_eq!(process(7), Some(7));
    }
}
