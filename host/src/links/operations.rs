//! Operations of the kernel that a map of an object implements.

use std::ptr::NonNull;
use std::sync::Arc;

use libbpf_sys as sys;
use wasmtime::component::Resource;

use super::{Attached, Attachment, Keeps, Link};
use crate::bindings::types::{ErrorCode, MapType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{Errno, Failure, FailureResult};
use crate::maps::Map;
use crate::messages;
use crate::objects::{LoadedObject, append_capabilities, append_warnings, last_errno};
use crate::policy::Need;

/// Operations without a link of the kernel: the value of their map is what registers them.
struct Registered {
    /// Libbpf's link, whose descriptor is the map's. Destroying it deletes the value.
    link: Option<libbpf_rs::Link>,
}

impl Attached for Registered {
    fn detach(&mut self) -> std::io::Result<()> {
        drop(self.link.take());
        Ok(())
    }

    fn disconnect(mut self: Box<Self>) {
        if let Some(link) = &mut self.link {
            link.disconnect();
        }
    }
}

impl WasmBpfCtxView<'_> {
    /// Libbpf's map, the object that keeps it, and whether the kernel has links for it.
    fn operations(
        &self,
        map: &Resource<Map>,
        verb: &str,
    ) -> FailureResult<(NonNull<sys::bpf_map>, Arc<LoadedObject>, bool)> {
        let map = self.table.get(map)?;
        let info = map.info();
        let refuse = |code, why: &str| {
            let text = format!("cannot {verb} `{}`: {why}", info.name);
            Failure::refused(code, text).about(&info.name)
        };
        if !matches!(info.type_, MapType::StructOps) {
            let why = format!("it is a map of type {}", info.type_.name());
            return Err(refuse(ErrorCode::InvalidArgument, &why));
        }
        self.ctx
            .policy
            .check_operations(&info.name)
            .map_err(|missing| Failure::from(missing).about(&info.name))?;
        let object = map.object();
        let found = object.and_then(|object| {
            let pointer = object.operations(&info.name)?;
            Some((
                pointer,
                Arc::clone(object),
                info.flags & sys::BPF_F_LINK != 0,
            ))
        });
        found.ok_or_else(|| {
            refuse(
                ErrorCode::InvalidArgument,
                "it is not from an object, which has the operations",
            )
        })
    }

    pub(super) fn attach_operations(&mut self, map: &Resource<Map>) -> FailureResult<Link> {
        let (pointer, object, has_link) = self.operations(map, "register the operations")?;
        let name = self.table.get(map)?.info().name.clone();
        let need = Need {
            links: 1,
            descriptors: 1,
            ..Need::default()
        };
        let held = self.ctx.usage.reserve(need).map_err(|limit| {
            let text = format!("cannot register the operations `{name}`: {limit}");
            Failure::refused(ErrorCode::LimitExceeded, text).about(&name)
        })?;
        let (link, warnings) = messages::collect(self.ctx.messages.as_ref(), || {
            let _object = object.lock();
            // SAFETY: a map of operations of a live, loaded object.
            let link = unsafe { sys::bpf_map__attach_struct_ops(pointer.as_ptr()) };
            NonNull::new(link).ok_or_else(last_errno)
        });
        let link = link.map_err(|errno| failed("register", &name, errno, &warnings))?;
        // SAFETY: libbpf just made it, and nobody else has it.
        let link = unsafe { libbpf_rs::Link::from_ptr(link) };
        let attachment = if has_link {
            Attachment::Libbpf(link)
        } else {
            Attachment::Other(Box::new(Registered { link: Some(link) }))
        };
        Ok(Link::keeping(attachment, Keeps::Operations(object), held))
    }

    pub(super) fn update_operations(
        &mut self,
        link: &Resource<Link>,
        map: &Resource<Map>,
    ) -> FailureResult<()> {
        let (pointer, object, has_link) = self.operations(map, "put in the operations")?;
        let name = self.table.get(map)?.info().name.clone();
        let refuse = |code, why: &str| {
            let text = format!("cannot put in the operations `{name}`: {why}");
            Failure::refused(code, text).about(&name)
        };
        if !has_link {
            return Err(refuse(
                ErrorCode::NotSupported,
                "they are registered without a link; declare them in a section .struct_ops.link",
            ));
        }
        let link = self.table.get_mut(link)?;
        // Libbpf takes whatever it is given for a link of operations.
        let (Some(Attachment::Libbpf(libbpf)), Keeps::Operations(_)) =
            (&link.attachment, &link.keeps)
        else {
            return Err(refuse(
                ErrorCode::InvalidArgument,
                "the link is not one that attach-struct-ops made with a link of the kernel",
            ));
        };
        let libbpf = libbpf_rs::AsRawLibbpf::as_libbpf_object(libbpf);
        let (answer, warnings) = messages::collect(self.ctx.messages.as_ref(), || {
            let _object = object.lock();
            // SAFETY: a link that libbpf made for operations, and a map of operations of a live, loaded object.
            unsafe { sys::bpf_link__update_map(libbpf.as_ptr(), pointer.as_ptr()) }
        });
        if answer < 0 {
            return Err(failed("put in", &name, -answer, &warnings));
        }
        link.keeps = Keeps::Operations(object);
        Ok(())
    }
}

fn failed(verb: &str, name: &str, errno: i32, warnings: &[String]) -> Failure {
    let mut text = format!("cannot {verb} the operations `{name}`: {}", Errno(errno));
    append_warnings(&mut text, warnings);
    append_capabilities(&mut text, errno);
    // The kernel says E2BIG and the like of values that it does not take.
    Failure::errno_of_creation(errno, text).about(name)
}
