//! Attaching to sockets and to maps of sockets.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::ptr;
use std::sync::Arc;

use libbpf_sys as sys;
use wasmtime::component::Resource;

use super::{Program, cannot_attach};
use crate::bindings::types::{ErrorCode, MapType, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{Failure, FailureResult};
use crate::links::{Attached, Attachment, Link};
use crate::maps::Map;
use crate::objects::LoadedProgram;
use crate::sockets::{Kind, Open, ReuseportGroup, ReuseportGroups, Socket};

impl WasmBpfCtxView<'_> {
    pub(super) fn attach_to_socket(
        &mut self,
        program: &Resource<Program>,
        socket: &Resource<Socket>,
    ) -> FailureResult<Resource<Link>> {
        let to = "to a socket";
        self.demand_kind(program, &[ProgramType::SocketFilter], to)?;
        let program = self.table.get(program)?.clone();
        let socket = Arc::clone(self.table.get(socket)?.open());
        let loaded = program.loaded();
        let check = match socket.kind() {
            Kind::Packets(interface) => self.ctx.policy.check_packets(interface.as_deref()),
            Kind::Tcp { .. } | Kind::Udp { .. } => {
                self.ctx.policy.check_socket_filter(&loaded.name)
            }
        };
        check.map_err(|missing| Failure::from(missing).about(&loaded.name))?;
        let held = self.reserve_link(loaded)?;
        let number = socket
            .attach_filter(loaded.fd().as_raw_fd())
            .map_err(|error| failed(loaded, to, &error))?;
        let filter = Filter {
            socket,
            number: Some(number),
        };
        let link = Link::new(Attachment::Other(Box::new(filter)), program, held);
        Ok(self.table.push(link)?)
    }

    pub(super) fn attach_to_shared_port(
        &mut self,
        program: &Resource<Program>,
        socket: &Resource<Socket>,
    ) -> FailureResult<Resource<Link>> {
        let to = "to sockets that share a port";
        let kinds = [ProgramType::SkReuseport, ProgramType::SocketFilter];
        self.demand_kind(program, &kinds, to)?;
        let program = self.table.get(program)?.clone();
        let socket = Arc::clone(self.table.get(socket)?.open());
        let loaded = program.loaded();
        let check = self.ctx.policy.check_sockmap(&loaded.name);
        check.map_err(|missing| Failure::from(missing).about(&loaded.name))?;
        let Some(group) = socket.reuseport_group() else {
            let text = format!(
                "cannot attach `{}` {to}: the socket has to be bound, and to share its port since before that",
                loaded.name
            );
            return Err(Failure::refused(ErrorCode::InvalidArgument, text).about(&loaded.name));
        };
        let held = self.reserve_link(loaded)?;
        let groups = self.ctx.reuseport_groups.clone();
        let number = groups
            .attach(group, &socket, loaded.fd().as_raw_fd())
            .map_err(|error| failed(loaded, to, &error))?;
        let choice = Choice {
            groups,
            group,
            socket,
            number: Some(number),
        };
        let link = Link::new(Attachment::Other(Box::new(choice)), program, held);
        Ok(self.table.push(link)?)
    }

    pub(super) fn attach_to_sockmap(
        &mut self,
        program: &Resource<Program>,
        map: &Resource<Map>,
        attach_type: Option<u32>,
    ) -> FailureResult<Resource<Link>> {
        let kinds = [ProgramType::SkSkb, ProgramType::SkMsg];
        self.demand_kind(program, &kinds, "to a map of sockets")?;
        let program = self.table.get(program)?.clone();
        let map = self.table.get(map)?;
        let loaded = program.loaded();
        let info = map.info();
        let to = format!("to the map `{}`", info.name);
        let refuse = |code, why: String| {
            let text = format!("cannot attach `{}` {to}: {why}", loaded.name);
            Err(Failure::refused(code, text).about(&loaded.name))
        };
        if !matches!(info.type_, MapType::Sockmap | MapType::Sockhash) {
            let why = format!(
                "it is of type {}, and this takes sockmap or sockhash",
                info.type_.name()
            );
            return refuse(ErrorCode::NotSupported, why);
        }
        if map.demand_changeable().is_err() {
            let why = "its handle is for reading only".to_owned();
            return refuse(ErrorCode::NotPermitted, why);
        }
        let check = self.ctx.policy.check_sockmap(&loaded.name);
        check.map_err(|missing| Failure::from(missing).about(&loaded.name))?;
        let is_msg = matches!(loaded.kind, ProgramType::SkMsg);
        let only = is_msg.then_some(sys::BPF_SK_MSG_VERDICT);
        let attach_type = attach_type.or(only).unwrap_or(loaded.attach_type);
        // The kernel would take the number of another place for one of another kind of target.
        let is_for_sockets = match attach_type {
            sys::BPF_SK_MSG_VERDICT => is_msg,
            sys::BPF_SK_SKB_STREAM_PARSER
            | sys::BPF_SK_SKB_STREAM_VERDICT
            | sys::BPF_SK_SKB_VERDICT => !is_msg,
            _ => false,
        };
        if !is_for_sockets {
            let why = format!(
                "attach type {attach_type} is nothing that a program of type {} does for a map; \
                 sections such as sk_skb/stream_verdict say which it is, or the attach function",
                loaded.kind.name()
            );
            return refuse(ErrorCode::InvalidArgument, why);
        }
        if attach_type == sys::BPF_SK_SKB_STREAM_PARSER
            && let Some(fault) = crate::features::faults::stream_parser()
        {
            return refuse(ErrorCode::NotSupported, fault);
        }
        let held = self.reserve_link(loaded)?;
        let attachment = sockmap_attachment(&program, map, attach_type, &to)?;
        map.memory().attach(&loaded.held);
        let mut link = Link::new(attachment, program, held);
        link.count(map.memory());
        Ok(self.table.push(link)?)
    }
}

fn failed(program: &LoadedProgram, to: &str, error: &io::Error) -> Failure {
    let errno = error.raw_os_error().unwrap_or(libc::EIO);
    cannot_attach(program, to, errno, &[])
}

/// A link where the kernel has such ones (6.10).
fn sockmap_attachment(
    program: &Program,
    map: &Map,
    attach_type: u32,
    to: &str,
) -> FailureResult<Attachment> {
    let loaded = program.loaded();
    let fails = |errno| cannot_attach(loaded, to, errno, &[]);
    let (program_fd, map_fd) = (loaded.fd().as_raw_fd(), map.as_fd().as_raw_fd());
    // SAFETY: descriptors and numbers; no options.
    let link = unsafe { sys::bpf_link_create(program_fd, map_fd, attach_type, ptr::null()) };
    match link {
        0.. => {
            // SAFETY: it was just made, and nobody else has it.
            return Ok(Attachment::Descriptor(unsafe {
                OwnedFd::from_raw_fd(link)
            }));
        }
        // What older kernels say of what they do not know.
        _ if link == -libc::EINVAL || link == -libc::EOPNOTSUPP => {}
        _ => return Err(fails(-link)),
    }
    let map_copy = map
        .duplicate_fd()
        .map_err(|error| failed(loaded, to, &error))?;
    // SAFETY: descriptors and numbers.
    let answer = unsafe { sys::bpf_prog_attach(program_fd, map_fd, attach_type, 0) };
    if answer < 0 {
        return Err(fails(-answer));
    }
    Ok(Attachment::Other(Box::new(OnMap {
        program: program.clone(),
        map: map_copy,
        attach_type,
        is_attached: true,
    })))
}

/// A filter on a socket.
struct Filter {
    socket: Arc<Open>,
    number: Option<u64>,
}

impl Attached for Filter {
    fn detach(&mut self) -> io::Result<()> {
        match self.number.take() {
            Some(number) => self.socket.detach_filter(number),
            None => Ok(()),
        }
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ = self.detach();
    }
}

/// A program that chooses among sockets.
struct Choice {
    groups: ReuseportGroups,
    group: ReuseportGroup,
    socket: Arc<Open>,
    number: Option<u64>,
}

impl Attached for Choice {
    fn detach(&mut self) -> io::Result<()> {
        match self.number.take() {
            Some(number) => self.groups.detach(self.group, &self.socket, number),
            None => Ok(()),
        }
    }
}

impl Drop for Choice {
    fn drop(&mut self) {
        // As above.
        let _ = self.detach();
    }
}

/// A program on a map of sockets, without a link. It goes with the map, which this keeps.
struct OnMap {
    program: Program,
    map: OwnedFd,
    attach_type: u32,
    is_attached: bool,
}

impl Attached for OnMap {
    fn detach(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_attached) {
            return Ok(());
        }
        let program = self.program.loaded().fd().as_raw_fd();
        // SAFETY: descriptors and a number.
        let answer =
            unsafe { sys::bpf_prog_detach2(program, self.map.as_raw_fd(), self.attach_type) };
        match -answer {
            // Another has taken its place.
            0 | libc::ENOENT => Ok(()),
            errno => Err(io::Error::from_raw_os_error(errno)),
        }
    }
}

impl Drop for OnMap {
    fn drop(&mut self) {
        // As above.
        let _ = self.detach();
    }
}
