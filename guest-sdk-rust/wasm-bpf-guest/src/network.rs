//! Attaching to network interfaces and namespaces.

use crate::bindings::programs;
use crate::error::{Error, ErrorKind, Result, words};
use crate::{Descriptor, Link, Program};

/// How an XDP program is attached, and sides of an interface.
pub use crate::bindings::programs::{Direction, XdpMode};

/// Netfilter's number of IPv4.
pub const NFPROTO_IPV4: u32 = 2;
/// Netfilter's number of IPv6.
pub const NFPROTO_IPV6: u32 = 10;

/// The hook before routing.
pub const NF_INET_PRE_ROUTING: u32 = 0;
/// The hook for what is for this machine.
pub const NF_INET_LOCAL_IN: u32 = 1;
/// The hook for what is forwarded.
pub const NF_INET_FORWARD: u32 = 2;
/// The hook for what this machine sends.
pub const NF_INET_LOCAL_OUT: u32 = 3;
/// The hook after routing.
pub const NF_INET_POST_ROUTING: u32 = 4;

/// How a program is attached to a hook of netfilter.
#[derive(Debug, Clone, Copy, Default)]
pub struct NetfilterOpts {
    /// [`NFPROTO_IPV4`] or [`NFPROTO_IPV6`].
    pub protocol_family: u32,
    /// [`NF_INET_PRE_ROUTING`] to [`NF_INET_POST_ROUTING`].
    pub hooknum: u32,
    /// The lowest comes first.
    pub priority: i32,
    /// The program sees whole packets, not fragments: BPF_F_NETFILTER_IP_DEFRAG. Kernel 6.6.
    pub defragment: bool,
}

impl Program {
    /// Attaches an XDP program to a network interface, by its name. Needs the grant `xdp=INTERFACE`.
    pub fn attach_xdp(&self, interface: impl AsRef<str>) -> Result<Link> {
        self.attach_xdp_with_mode(interface, XdpMode::Default)
    }

    /// Attaches an XDP program to a network interface, in the driver, in the network stack or in the card.
    pub fn attach_xdp_with_mode(&self, interface: impl AsRef<str>, mode: XdpMode) -> Result<Link> {
        let link = self.handle()?.attach_xdp(interface.as_ref(), mode)?;
        Ok(Link::new(link))
    }

    /// Attaches a classifier to a network interface (tcx, kernel 6.6); behind those that are there if no place is given. Needs the grant
    /// `tc=INTERFACE`.
    pub fn attach_tcx(
        &self,
        interface: impl AsRef<str>,
        direction: Direction,
        placement: Option<&Placement>,
    ) -> Result<Link> {
        let placement = placement.map(|placement| &placement.handle);
        let link = self
            .handle()?
            .attach_tcx(interface.as_ref(), direction, placement)?;
        Ok(Link::new(link))
    }

    /// Attaches a classifier to a netkit pair (kernel 6.7), named by its primary end: to that, or to the peer. Needs the grant `tc=INTERFACE`.
    pub fn attach_netkit(
        &self,
        interface: impl AsRef<str>,
        peer: bool,
        placement: Option<&Placement>,
    ) -> Result<Link> {
        let placement = placement.map(|placement| &placement.handle);
        let link = self
            .handle()?
            .attach_netkit(interface.as_ref(), peer, placement)?;
        Ok(Link::new(link))
    }

    /// Attaches a flow dissector or a program that looks sockets up to a network namespace: that of a file such as `/run/netns/NAME`
    /// ([`open_descriptor`](crate::open_descriptor)), or the host's own. Needs the grant `netns`.
    pub fn attach_netns(&self, netns: Option<&Descriptor>) -> Result<Link> {
        Ok(Link::new(self.handle()?.attach_netns(netns)?))
    }

    /// Attaches to a hook of netfilter (kernel 6.4) of the host's network namespace. Needs the grant `netfilter`.
    pub fn attach_netfilter_with_opts(&self, opts: NetfilterOpts) -> Result<Link> {
        let NetfilterOpts {
            protocol_family,
            hooknum,
            priority,
            defragment,
        } = opts;
        let link =
            self.handle()?
                .attach_netfilter(protocol_family, hooknum, priority, defragment)?;
        Ok(Link::new(link))
    }
}

/// Where among the programs of a hook one is put; as it is made: behind all that are there.
pub struct Placement {
    handle: programs::Placement,
}

impl Default for Placement {
    fn default() -> Self {
        Self::new()
    }
}

impl Placement {
    pub(crate) fn handle(&self) -> &programs::Placement {
        &self.handle
    }

    /// Behind all that are there.
    pub fn new() -> Self {
        Self {
            handle: programs::Placement::new(),
        }
    }

    /// In front of all that are there.
    pub fn first() -> Self {
        let this = Self::new();
        this.handle.set_first();
        this
    }

    /// Behind all that are there.
    pub fn last() -> Self {
        let this = Self::new();
        this.handle.set_last();
        this
    }

    /// In front of a program that is attached there.
    pub fn before(program: &Program) -> Result<Self> {
        let this = Self::new();
        let set = this.handle.set_before_program(program.handle()?);
        set.map(|()| this).map_err(unplaced)
    }

    /// Behind a program that is attached there.
    pub fn after(program: &Program) -> Result<Self> {
        let this = Self::new();
        let set = this.handle.set_after_program(program.handle()?);
        set.map(|()| this).map_err(unplaced)
    }

    /// In front of a link that is attached there.
    pub fn before_link(link: &Link) -> Result<Self> {
        let this = Self::new();
        let set = this.handle.set_before_link(link.handle());
        set.map(|()| this).map_err(unplaced)
    }

    /// Behind a link that is attached there.
    pub fn after_link(link: &Link) -> Result<Self> {
        let this = Self::new();
        let set = this.handle.set_after_link(link.handle());
        set.map(|()| this).map_err(unplaced)
    }

    /// In front of a program of anybody, by the kernel's id.
    pub fn before_id(id: u32) -> Self {
        let this = Self::new();
        this.handle.set_before_program_id(id);
        this
    }

    /// Behind a program of anybody, by the kernel's id.
    pub fn after_id(id: u32) -> Self {
        let this = Self::new();
        this.handle.set_after_program_id(id);
        this
    }

    /// Only if nothing was attached or detached since the hook had this revision.
    pub fn expected_revision(self, revision: u64) -> Self {
        self.handle.set_expected_revision(revision);
        self
    }
}

fn unplaced(code: ErrorKind) -> Error {
    let text = format!("cannot place a program beside this: {}", words(code));
    Error::of_code(code, text)
}

/// Attaches an XDP program, and detaches it when it is told to or dropped.
pub struct Xdp<'program> {
    program: &'program Program,
    link: Option<Link>,
}

impl<'program> Xdp<'program> {
    /// For a program.
    pub fn new(program: &'program Program) -> Self {
        Self {
            program,
            link: None,
        }
    }

    /// Attaches to a network interface. Another that it was attached to is let go.
    pub fn attach(&mut self, interface: impl AsRef<str>, mode: XdpMode) -> Result<()> {
        self.link = Some(self.program.attach_xdp_with_mode(interface, mode)?);
        Ok(())
    }

    /// Detaches.
    pub fn detach(&mut self) {
        self.link = None;
    }

    /// What it is attached by.
    pub fn link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    /// What it is attached by, to keep.
    pub fn into_link(self) -> Option<Link> {
        self.link
    }
}

/// The side of an interface that a [`TcHook`] is on.
pub type TcAttachPoint = Direction;
/// What comes in.
pub const TC_INGRESS: TcAttachPoint = Direction::Ingress;
/// What goes out.
pub const TC_EGRESS: TcAttachPoint = Direction::Egress;

/// The classic hook of traffic control (clsact) on a network interface. Dropping it detaches.
///
/// The qdisc that the hook is in is made when the first filter is attached and goes with the last, if this project's host made it.
pub struct TcHook<'program> {
    program: &'program Program,
    interface: String,
    attach_point: TcAttachPoint,
    handle: u32,
    priority: u32,
    link: Option<Link>,
}

impl<'program> TcHook<'program> {
    /// For a program, on the ingress of no interface yet.
    pub fn new(program: &'program Program) -> Self {
        Self {
            program,
            interface: String::new(),
            attach_point: TC_INGRESS,
            handle: 0,
            priority: 0,
            link: None,
        }
    }

    /// Sets the interface, by its name.
    pub fn interface(&mut self, name: impl Into<String>) -> &mut Self {
        self.interface = name.into();
        self
    }

    /// Sets the side.
    pub fn attach_point(&mut self, attach_point: TcAttachPoint) -> &mut Self {
        self.attach_point = attach_point;
        self
    }

    /// Sets the handle; 0 for one that the kernel chooses.
    pub fn handle(&mut self, handle: u32) -> &mut Self {
        self.handle = handle;
        self
    }

    /// The handle that was set, or that the kernel chose.
    pub fn get_handle(&self) -> u32 {
        self.handle
    }

    /// Sets the priority, 1 to 65535; 0 for one that the kernel chooses.
    pub fn priority(&mut self, priority: u32) -> &mut Self {
        self.priority = priority;
        self
    }

    /// The priority that was set, or that the kernel chose.
    pub fn get_priority(&self) -> u32 {
        self.priority
    }

    /// Does nothing: [`attach`](Self::attach) makes the qdisc. For programs that were written for libbpf-rs.
    pub fn create(&mut self) -> Result<&mut Self> {
        Ok(self)
    }

    /// Attaches the program. Where it was attached before, it is let go first.
    pub fn attach(&mut self) -> Result<&mut Self> {
        self.link = None;
        let program = self.program.handle()?;
        let link = program.attach_tc(
            &self.interface,
            self.attach_point,
            self.priority,
            self.handle,
        )?;
        let link = Link::new(link);
        if let Some(place) = link.filter_place() {
            self.priority = place.priority;
            self.handle = place.handle;
        }
        self.link = Some(link);
        Ok(self)
    }

    /// The kernel's id of the program that is attached.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if none is.
    pub fn query(&self) -> Result<u32> {
        match &self.link {
            Some(_) => Ok(self.program.info()?.id),
            None => Err(Error::of_code(
                ErrorKind::NotFound,
                format!("`{}` is not attached", self.program.name()),
            )),
        }
    }

    /// Detaches the program.
    pub fn detach(&mut self) -> Result<()> {
        self.link = None;
        Ok(())
    }

    /// Detaches the program. Unlike with libbpf-rs, filters of others stay.
    pub fn destroy(&mut self) -> Result<()> {
        self.detach()
    }

    /// What it is attached by, to keep.
    pub fn into_link(self) -> Option<Link> {
        self.link
    }
}

/// Makes several [`TcHook`]s with the same initial values.
pub struct TcHookBuilder<'program> {
    program: &'program Program,
    interface: String,
    handle: u32,
    priority: u32,
}

impl<'program> TcHookBuilder<'program> {
    /// For a program.
    pub fn new(program: &'program Program) -> Self {
        Self {
            program,
            interface: String::new(),
            handle: 0,
            priority: 0,
        }
    }

    /// Sets the interface, by its name.
    pub fn interface(&mut self, name: impl Into<String>) -> &mut Self {
        self.interface = name.into();
        self
    }

    /// Sets the handle.
    pub fn handle(&mut self, handle: u32) -> &mut Self {
        self.handle = handle;
        self
    }

    /// Sets the priority.
    pub fn priority(&mut self, priority: u32) -> &mut Self {
        self.priority = priority;
        self
    }

    /// A hook with these values.
    pub fn hook(&self, attach_point: TcAttachPoint) -> TcHook<'program> {
        let mut hook = TcHook::new(self.program);
        hook.interface(&self.interface)
            .handle(self.handle)
            .priority(self.priority)
            .attach_point(attach_point);
        hook
    }
}
