//! Attaching to network interfaces and namespaces.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use libbpf_sys as sys;
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;

use super::placement::Placement;
use super::tc::{NotMade, Place, Side, TcFilter};
use super::{Program, cannot_attach};
use crate::bindings::programs::{Direction, XdpMode};
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{Errno, Failure, FailureResult};
use crate::links::{Attachment, Link};
use crate::network_interfaces::{self, Interface, Unusable};
use crate::objects::LoadedProgram;

type Attached = FailureResult<Resource<Link>>;

pub(super) fn attach_xdp(
    view: &mut WasmBpfCtxView<'_>,
    program: &Resource<Program>,
    network_interface: &str,
    mode: XdpMode,
) -> Attached {
    let to = ToInterface {
        grant: "xdp",
        kind: ProgramType::Xdp,
        // Before an object says otherwise, programs have none.
        attach_types: &[sys::BPF_XDP],
        hook: "XDP",
    };
    let (interface, to) = to.find(view, program, network_interface)?;
    let flags = match mode {
        XdpMode::Default => 0,
        XdpMode::Generic => sys::XDP_FLAGS_SKB_MODE,
        XdpMode::Native => sys::XDP_FLAGS_DRV_MODE,
        XdpMode::Hardware => sys::XDP_FLAGS_HW_MODE,
    };
    let options = sys::bpf_link_create_opts {
        flags,
        ..link_options()
    };
    link(
        view,
        program,
        &to,
        interface.index,
        sys::BPF_XDP,
        &options,
        |_| None,
    )
}

pub(super) fn attach_tc(
    view: &mut WasmBpfCtxView<'_>,
    program: &Resource<Program>,
    network_interface: &str,
    direction: Direction,
    priority: u32,
    handle: u32,
) -> Attached {
    let (side, attach_type) = of_direction(direction);
    let to = ToInterface {
        grant: "tc",
        kind: ProgramType::SchedCls,
        attach_types: &[attach_type],
        hook: side.name(),
    };
    let (interface, to) = to.find(view, program, network_interface)?;
    let program = view.table.get(program)?.clone();
    let loaded = program.loaded();
    if priority > u32::from(u16::MAX) {
        let text = format!(
            "cannot attach `{}` {to}: {priority} is no priority; 1 to {}, or 0 for one that the kernel chooses",
            loaded.name,
            u16::MAX
        );
        return Err(Failure::refused(ErrorCode::InvalidArgument, text).about(&loaded.name));
    }
    let held = view.reserve_link(loaded)?;
    let place = Place {
        side,
        handle,
        priority,
    };
    let journal = &view.ctx.journal;
    let (made, warnings) = crate::messages::collect(view.ctx.messages.as_ref(), || {
        TcFilter::attach(journal, loaded, interface, place)
    });
    match made {
        Ok(filter) => {
            let filter = Attachment::Other(Box::new(filter));
            Ok(view.table.push(Link::new(filter, program, held))?)
        }
        Err(NotMade("", error)) => Err(cannot_attach(loaded, &to, errno_of(&error), &warnings)),
        Err(NotMade(what, error)) => {
            let mut text = format!("cannot attach `{}` {to}: {what}: {error}", loaded.name);
            if what.contains("journal") {
                text.push_str(&format!(
                    "\nthe journal is in {}; without it a killed host would leave the filter in the kernel",
                    journal.folder().display()
                ));
            }
            Err(Failure::errno(errno_of(&error), text).about(&loaded.name))
        }
    }
}

pub(super) fn attach_tcx(
    view: &mut WasmBpfCtxView<'_>,
    program: &Resource<Program>,
    network_interface: &str,
    direction: Direction,
    placement: Option<&Resource<Placement>>,
) -> Attached {
    let (side, attach_type) = of_direction(direction);
    let to = ToInterface {
        grant: "tc",
        kind: ProgramType::SchedCls,
        attach_types: &[attach_type],
        hook: side.name(),
    };
    let placement = placed(view, placement)?;
    let (interface, to) = to.find(view, program, network_interface)?;
    let mut options = link_options();
    options.flags = placement.flags();
    options.__bindgen_anon_1.tcx.relative_id = placement.relative_id();
    options.__bindgen_anon_1.tcx.expected_revision = placement.expected_revision();
    let unknown = |errno| {
        why_invalid(
            errno,
            interface.index,
            attach_type,
            "tcx, which is there since Linux 6.6",
        )
    };
    link(
        view,
        program,
        &to,
        interface.index,
        attach_type,
        &options,
        unknown,
    )
}

pub(super) fn attach_netkit(
    view: &mut WasmBpfCtxView<'_>,
    program: &Resource<Program>,
    network_interface: &str,
    peer: bool,
    placement: Option<&Resource<Placement>>,
) -> Attached {
    let (attach_type, hook) = match peer {
        false => (sys::BPF_NETKIT_PRIMARY, "netkit (primary end)"),
        true => (sys::BPF_NETKIT_PEER, "netkit (peer)"),
    };
    let to = ToInterface {
        grant: "tc",
        kind: ProgramType::SchedCls,
        attach_types: &[attach_type],
        hook,
    };
    let placement = placed(view, placement)?;
    let (interface, to) = to.find(view, program, network_interface)?;
    let mut options = link_options();
    options.flags = placement.flags();
    options.__bindgen_anon_1.netkit.relative_id = placement.relative_id();
    options.__bindgen_anon_1.netkit.expected_revision = placement.expected_revision();
    let unknown = |errno| {
        why_invalid(
            errno,
            interface.index,
            attach_type,
            "netkit, which is there since Linux 6.7 if it was built with CONFIG_NETKIT",
        )
    };
    link(
        view,
        program,
        &to,
        interface.index,
        attach_type,
        &options,
        unknown,
    )
}

pub(super) fn attach_netns(
    view: &mut WasmBpfCtxView<'_>,
    program: &Resource<Program>,
    netns: Option<&Resource<Descriptor>>,
) -> Attached {
    let to = match netns {
        Some(_) => "to a network namespace",
        None => "to the host's network namespace",
    };
    view.demand_kind(
        program,
        &[ProgramType::FlowDissector, ProgramType::SkLookup],
        to,
    )?;
    let loaded = view.table.get(program)?.loaded();
    let name = loaded.name.clone();
    let attach_type = match loaded.kind {
        ProgramType::SkLookup => sys::BPF_SK_LOOKUP,
        _ => sys::BPF_FLOW_DISSECTOR,
    };
    demand_attach_type(loaded, &[attach_type], to)?;
    let granted = view.ctx.policy.check_network("netns", &name);
    granted.map_err(|missing| Failure::from(missing).about(&name))?;
    let own;
    let given;
    let descriptor = match netns {
        Some(descriptor) => {
            given = view.host_file(descriptor)?;
            given.as_fd()
        }
        None => {
            // The calling thread's: embedders may have several.
            own = File::open("/proc/thread-self/ns/net").map_err(|error| {
                let text = format!("cannot attach `{name}` {to}: {error}");
                Failure::errno(errno_of(&error), text).about(&name)
            })?;
            own.as_fd()
        }
    };
    if !is_netns(descriptor) {
        let text = format!(
            "cannot attach `{name}` {to}: the descriptor is of no network namespace; open a file such as /run/netns/NAME"
        );
        return Err(Failure::refused(ErrorCode::InvalidArgument, text).about(&name));
    }
    let target = descriptor.as_raw_fd();
    link(
        view,
        program,
        to,
        target,
        attach_type,
        &link_options(),
        |_| None,
    )
}

/// Guest-controlled numbers, which the kernel checks.
#[derive(Clone, Copy)]
pub(super) struct NetfilterHook {
    pub(super) protocol_family: u32,
    pub(super) hook: u32,
    pub(super) priority: i32,
    pub(super) defragment: bool,
}

pub(super) fn attach_netfilter(
    view: &mut WasmBpfCtxView<'_>,
    program: &Resource<Program>,
    at: NetfilterHook,
) -> Attached {
    let family = match at.protocol_family {
        2 => "IPv4".to_owned(),
        10 => "IPv6".to_owned(),
        other => format!("family {other}"),
    };
    let to = format!(
        "to netfilter hook {} of {family} with priority {}",
        at.hook, at.priority
    );
    view.demand_kind(program, &[ProgramType::Netfilter], &to)?;
    let loaded = view.table.get(program)?.loaded();
    let name = loaded.name.clone();
    demand_attach_type(loaded, &[sys::BPF_NETFILTER], &to)?;
    let granted = view.ctx.policy.check_network("netfilter", &name);
    granted.map_err(|missing| Failure::from(missing).about(&name))?;
    let mut options = link_options();
    let flags = if at.defragment {
        sys::BPF_F_NETFILTER_IP_DEFRAG
    } else {
        0
    };
    options.__bindgen_anon_1.netfilter = sys::bpf_link_create_opts__bindgen_ty_1__bindgen_ty_5 {
        pf: at.protocol_family,
        hooknum: at.hook,
        priority: at.priority,
        flags,
    };
    link(view, program, &to, 0, sys::BPF_NETFILTER, &options, |_| {
        None
    })
}

/// What attaching to an interface demands.
struct ToInterface<'a> {
    grant: &'static str,
    kind: ProgramType,
    attach_types: &'a [u32],
    hook: &'a str,
}

impl ToInterface<'_> {
    /// The interface, after kind, name and grant were seen to fit; and words for where to.
    fn find(
        &self,
        view: &WasmBpfCtxView<'_>,
        program: &Resource<Program>,
        name: &str,
    ) -> FailureResult<(Interface, String)> {
        let loaded = view.table.get(program)?.loaded();
        let about = |failure: Failure| failure.about(&loaded.name);
        let unusable = |unusable: Unusable| {
            about(unusable.failure(|why| {
                let name = network_interfaces::shown(name);
                format!(
                    "cannot attach `{}` to the network interface {name}: {why}",
                    loaded.name
                )
            }))
        };
        network_interfaces::check_name(name).map_err(unusable)?;
        let to = format!("to {} of the network interface {name}", self.hook);
        view.demand_kind(program, &[self.kind], &to)?;
        demand_attach_type(loaded, self.attach_types, &to)?;
        let granted = view
            .ctx
            .policy
            .check_interface(self.grant, &loaded.name, name);
        granted.map_err(|missing| about(missing.into()))?;
        let interface = Interface::find(name).map_err(unusable)?;
        Ok((interface, to))
    }
}

/// A program that was made for another hook of its kind. 0: for no certain one.
fn demand_attach_type(program: &LoadedProgram, wanted: &[u32], to: &str) -> FailureResult<()> {
    if program.attach_type == 0 || wanted.contains(&program.attach_type) {
        return Ok(());
    }
    let text = format!(
        "cannot attach `{}` {to}: it was made for another hook (`{}`, attach type {})",
        program.name, program.section, program.attach_type
    );
    Err(Failure::refused(ErrorCode::InvalidArgument, text).about(&program.name))
}

fn of_direction(direction: Direction) -> (Side, u32) {
    let side = Side::of(direction);
    match side {
        Side::Ingress => (side, sys::BPF_TCX_INGRESS),
        Side::Egress => (side, sys::BPF_TCX_EGRESS),
    }
}

fn placed(
    view: &WasmBpfCtxView<'_>,
    placement: Option<&Resource<Placement>>,
) -> FailureResult<Placement> {
    Ok(match placement {
        Some(placement) => *view.table.get(placement)?,
        None => Placement::default(),
    })
}

fn link_options() -> sys::bpf_link_create_opts {
    sys::bpf_link_create_opts {
        sz: size_of::<sys::bpf_link_create_opts>() as _,
        ..Default::default()
    }
}

/// Makes a link of the kernel. `explain` may know better what an errno means.
fn link(
    view: &mut WasmBpfCtxView<'_>,
    program: &Resource<Program>,
    to: &str,
    target: i32,
    attach_type: u32,
    options: &sys::bpf_link_create_opts,
    explain: impl FnOnce(i32) -> Option<&'static str>,
) -> Attached {
    let program = view.table.get(program)?.clone();
    let loaded = program.loaded();
    let held = view.reserve_link(loaded)?;
    // SAFETY: the options have their size in them and point to nothing; the program has its descriptor.
    let fd = unsafe {
        sys::bpf_link_create(
            loaded.fd().as_raw_fd(),
            target,
            attach_type,
            std::ptr::from_ref(options),
        )
    };
    if fd < 0 {
        return Err(match explain(-fd) {
            Some(missing) => {
                let text = format!(
                    "cannot attach `{}` {to}: this kernel has no {missing}",
                    loaded.name
                );
                Failure::new(ErrorCode::NotSupported, -fd, text).about(&loaded.name)
            }
            None => not_attached(loaded, to, -fd),
        });
    }
    // SAFETY: the kernel just made it for us.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let link = Link::new(Attachment::Descriptor(fd), program, held);
    Ok(view.table.push(link)?)
}

/// As `cannot_attach`, without what it says of tracepoints that are not found.
fn not_attached(program: &LoadedProgram, to: &str, errno: i32) -> Failure {
    let mut text = format!("cannot attach `{}` {to}: {}", program.name, Errno(errno));
    crate::objects::append_capabilities(&mut text, errno);
    Failure::errno(errno, text).about(&program.name)
}

/// What a kernel that does not know an attach type answers EINVAL to, whatever is asked of it.
fn why_invalid(
    errno: i32,
    interface: i32,
    attach_type: u32,
    missing: &'static str,
) -> Option<&'static str> {
    let mut options = sys::bpf_prog_query_opts {
        sz: size_of::<sys::bpf_prog_query_opts>() as _,
        ..Default::default()
    };
    // SAFETY: the options have their size in them and point to nothing, of the length 0.
    let query = || unsafe { sys::bpf_prog_query_opts(interface, attach_type, &raw mut options) };
    (errno == libc::EINVAL && { query }() == -libc::EINVAL).then_some(missing)
}

fn is_netns(descriptor: BorrowedFd<'_>) -> bool {
    const NSFS_MAGIC: i128 = 0x6e73_6673;
    // Of linux/nsfs.h: `_IO(0xb7, 0x3)`.
    const NS_GET_NSTYPE: libc::Ioctl = 0xb703;
    let Ok(about) = rustix::fs::fstatfs(descriptor) else {
        return false;
    };
    // Other files may understand the number otherwise.
    about.f_type as i128 == NSFS_MAGIC
        // SAFETY: a number that takes no argument.
        && unsafe { libc::ioctl(descriptor.as_raw_fd(), NS_GET_NSTYPE) } == libc::CLONE_NEWNET
}

/// An error of the host's own has the errno of its kind.
fn errno_of(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(match error.kind() {
        io::ErrorKind::PermissionDenied => libc::EACCES,
        io::ErrorKind::ResourceBusy => libc::EBUSY,
        _ => libc::EIO,
    })
}
