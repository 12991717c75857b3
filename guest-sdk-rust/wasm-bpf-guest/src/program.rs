//! Programs.

use crate::bindings::programs;
use crate::error::{Error, ErrorKind, Result, words};
use crate::map::MapCore;
use crate::{Descriptor, Link, Placement, Socket};

/// Kinds of program.
pub use crate::bindings::types::ProgramType;

/// What is known of a loaded program.
pub use crate::bindings::programs::ProgramInfo;

/// A program of a loaded object.
pub struct Program {
    handle: Option<programs::Program>,
    name: String,
}

impl Program {
    pub(crate) fn new(handle: programs::Program, name: &str) -> Self {
        Self {
            handle: Some(handle),
            name: name.to_owned(),
        }
    }

    pub(crate) fn absent(name: &str) -> Self {
        Self {
            handle: None,
            name: name.to_owned(),
        }
    }

    pub(crate) fn handle(&self) -> Result<&programs::Program> {
        self.handle.as_ref().ok_or_else(|| {
            Error::of_code(
                ErrorKind::NotFound,
                format!(
                    "the program `{}` was not loaded: autoload was switched off",
                    self.name
                ),
            )
        })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the program was not loaded. Its functions fail with [`ErrorKind::NotFound`] then.
    pub fn is_absent(&self) -> bool {
        self.handle.is_none()
    }

    /// What is known of the program.
    pub fn info(&self) -> Result<ProgramInfo> {
        self.handle()?.info().map_err(|code| {
            let text = format!(
                "cannot ask about the program `{}`: {}",
                self.name,
                words(code)
            );
            Error::of_code(code, text)
        })
    }

    /// Attaches where the ELF section says.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::NotSupported`] if the section names no target; [`auto_attach`](Self::auto_attach) tells that apart.
    pub fn attach(&self) -> Result<Link> {
        self.auto_attach()?.ok_or_else(|| {
            Error::of_code(
                ErrorKind::NotSupported,
                format!("cannot attach `{}`: its section names no target", self.name),
            )
        })
    }

    /// Attaches where the ELF section says; none if it names no target.
    pub fn auto_attach(&self) -> Result<Option<Link>> {
        Ok(self.handle()?.attach()?.map(Link::new))
    }

    /// Attaches to a static tracepoint, such as `sched`, `sched_process_exec`.
    pub fn attach_tracepoint(
        &self,
        category: impl AsRef<str>,
        name: impl AsRef<str>,
    ) -> Result<Link> {
        self.attach_tracepoint_with_opts(category, name, TracepointOpts::default())
    }

    /// Attaches to a static tracepoint.
    pub fn attach_tracepoint_with_opts(
        &self,
        category: impl AsRef<str>,
        name: impl AsRef<str>,
        opts: TracepointOpts,
    ) -> Result<Link> {
        let link =
            self.handle()?
                .attach_tracepoint(category.as_ref(), name.as_ref(), opts.cookie)?;
        Ok(Link::new(link))
    }

    /// Attaches to a tracepoint by its bare name, such as `sched_switch`.
    pub fn attach_raw_tracepoint(&self, name: impl AsRef<str>) -> Result<Link> {
        self.attach_raw_tracepoint_with_opts(name, RawTracepointOpts::default())
    }

    /// Attaches to a tracepoint by its bare name.
    pub fn attach_raw_tracepoint_with_opts(
        &self,
        name: impl AsRef<str>,
        opts: RawTracepointOpts,
    ) -> Result<Link> {
        Ok(Link::new(
            self.handle()?
                .attach_raw_tracepoint(name.as_ref(), opts.cookie)?,
        ))
    }
}

impl Program {
    /// Attaches to a cgroup of version 2: a folder that [`open_descriptor`](crate::open_descriptor) opens.
    pub fn attach_cgroup(&self, cgroup: &Descriptor) -> Result<Link> {
        self.attach_cgroup_with_opts(cgroup, CgroupOpts::default())
    }

    /// Attaches to a cgroup of version 2.
    pub fn attach_cgroup_with_opts(
        &self,
        cgroup: &Descriptor,
        opts: CgroupOpts<'_>,
    ) -> Result<Link> {
        let options = programs::CgroupOptions::new();
        if let Some(attach_type) = opts.attach_type {
            options.set_attach_type(attach_type);
        }
        if let Some(sharing) = opts.sharing {
            options.set_sharing(sharing);
        }
        if let Some(placement) = opts.placement {
            options.set_placement(placement.handle());
        }
        if let Some(replaced) = opts.replaced {
            options.set_replaced(replaced.handle()?);
        }
        let link = self.handle()?.attach_cgroup(cgroup, Some(&options))?;
        Ok(Link::new(link))
    }

    /// Attaches to a socket as its filter, in place of the one that is there.
    pub fn attach_socket_filter(&self, socket: &Socket) -> Result<Link> {
        let link = self.handle()?.attach_socket_filter(socket.handle())?;
        Ok(Link::new(link))
    }

    /// Attaches to the sockets that share the address and port of this one.
    pub fn attach_reuseport(&self, socket: &Socket) -> Result<Link> {
        let link = self.handle()?.attach_reuseport(socket.handle())?;
        Ok(Link::new(link))
    }

    /// Attaches to a `sockmap` or `sockhash`, for what the program was loaded for.
    pub fn attach_sockmap(&self, map: &dyn MapCore) -> Result<Link> {
        let link = self.handle()?.attach_sockmap(map.handle()?, None)?;
        Ok(Link::new(link))
    }

    /// Attaches to a `sockmap` or `sockhash`, for the kernel's number of an attach type.
    pub fn attach_sockmap_as(&self, map: &dyn MapCore, attach_type: u32) -> Result<Link> {
        let link = self
            .handle()?
            .attach_sockmap(map.handle()?, Some(attach_type))?;
        Ok(Link::new(link))
    }
}

/// What a program on a cgroup lets others do.
pub use crate::bindings::programs::CgroupSharing;

/// How a program is attached to a cgroup. The default is a link, where the program was loaded for.
#[derive(Clone, Copy, Default)]
pub struct CgroupOpts<'p> {
    /// Another place than the program was loaded for: the kernel's number of an attach type.
    pub attach_type: Option<u32>,
    /// Without a link of the kernel, as bpf_prog_attach does with these flags.
    pub sharing: Option<CgroupSharing>,
    /// Where among the programs of the cgroup it is put. Kernel 6.17.
    pub placement: Option<&'p Placement>,
    /// The program whose place is taken, without a gap; with `sharing` only.
    pub replaced: Option<&'p Program>,
}

/// How a program is attached to a tracepoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct TracepointOpts {
    /// Read by the program with bpf_get_attach_cookie; 0 for none. Kernel 5.15.
    pub cookie: u64,
}

/// How a program is attached to a raw tracepoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawTracepointOpts {
    /// Read by the program with bpf_get_attach_cookie; 0 for none. Kernel 6.10.
    pub cookie: u64,
}
