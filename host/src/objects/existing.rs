//! Maps that exist already and that an object takes over at load, or makes its own like.

use std::collections::HashMap;
use std::os::fd::{AsFd as _, AsRawFd as _};

use libbpf_sys as sys;
use wasmtime::component::Resource;

use super::{OpenMap, OpenObject};
use crate::bindings::types::{ErrorCode, MapType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{Failure, FailureResult};
use crate::maps::Map;

/// Maps that a component handed to an open object, by the name of the map that they are for. Their handles are the object's own: libbpf stores bare numbers of
/// descriptors, and takes them when the object is loaded.
#[derive(Default)]
pub(super) struct ExistingMaps {
    /// In place of what the object declares.
    reused: HashMap<String, Map>,
    /// What maps in a map are like.
    inner: HashMap<String, Map>,
}

impl ExistingMaps {
    pub(super) fn reused(&self, name: &str) -> Option<&Map> {
        self.reused.get(name)
    }

    pub(super) fn has_inner(&self, name: &str) -> bool {
        self.inner.contains_key(name)
    }
}

impl OpenObject {
    /// Hands the maps to libbpf. From then on libbpf calls them by their own names.
    pub(super) fn hand_over_existing(&self) -> FailureResult<()> {
        for map in self.maps().filter(|map| map.autocreate()) {
            if let Some(existing) = self.existing.reused(&map.name()) {
                map.set("what is used for", |pointer| {
                    // SAFETY: the map belongs to an open object that nobody else uses; libbpf duplicates the descriptor.
                    unsafe { sys::bpf_map__reuse_fd(pointer, existing.as_fd().as_raw_fd()) }
                })?;
            }
        }
        Ok(())
    }
}

impl WasmBpfCtxView<'_> {
    fn own_handle(&self, map: &Resource<Map>, name: &str) -> FailureResult<Map> {
        self.table
            .get(map)?
            .try_clone(&self.ctx.usage)
            .map_err(|error| {
                let text = format!("cannot take a handle for the map `{name}`");
                Failure::of(error, text).about(name)
            })
    }

    pub(super) fn reuse_existing(
        &mut self,
        object: &Resource<OpenObject>,
        name: String,
        existing: &Resource<Map>,
    ) -> FailureResult<()> {
        // The kernel does not look at how a descriptor was opened when a program is loaded with it.
        let may_change = self.table.get(existing)?.demand_changeable().is_ok();
        let existing = self.own_handle(existing, &name)?;
        let open = self.table.get_mut(object)?;
        let map = open.plain_map(&name, "descriptor")?;
        map.refuse_arena("what is used for")?;
        if !may_change {
            let text = format!(
                "cannot use `{}` for the map `{name}`: its handle is for reading only, and programs could change it",
                existing.info().name
            );
            return Err(Failure::refused(ErrorCode::NotPermitted, text).about(&name));
        }
        let refuse = |why: &str| Err(map.refuse("what is used for", why));
        if map.pin_path().is_some() {
            return refuse(
                "it has a pin path, which says what map it is; take that away with set-pin-path first",
            );
        }
        let declared = map.declaration();
        let info = existing.info();
        for (what, declared, existing) in [
            ("key", declared.key_size, info.key_size),
            ("value", declared.value_size, info.value_size),
        ] {
            if declared != existing {
                return refuse(&format!(
                    "its {what}s have {declared} bytes, and those of `{}` {existing}",
                    info.name
                ));
            }
        }
        if map.kind().to_kernel() != info.type_.to_kernel() {
            return refuse(&format!(
                "it is of type {}, and `{}` of type {}",
                map.kind().name(),
                info.name,
                info.type_.name()
            ));
        }
        open.existing.reused.insert(name, existing);
        Ok(())
    }

    pub(super) fn set_inner_existing(
        &mut self,
        object: &Resource<OpenObject>,
        name: String,
        inner: &Resource<Map>,
    ) -> FailureResult<()> {
        let inner = self.own_handle(inner, &name)?;
        let open = self.table.get_mut(object)?;
        let map = open.plain_map(&name, "inner map")?;
        if !matches!(map.kind(), MapType::ArrayOfMaps | MapType::HashOfMaps) {
            let why = format!("a map of type {} holds no maps", map.kind().name());
            return Err(map.refuse("the inner map of", &why));
        }
        if open.existing.has_inner(&name) {
            return Err(map.refuse("the inner map of", "it was set before"));
        }
        map.set("the inner map of", |pointer| {
            // SAFETY: the map belongs to an open object that nobody else uses now. libbpf keeps the number of the descriptor, which stays open
            // as long as the object, and is not asked to close it.
            unsafe { sys::bpf_map__set_inner_map_fd(pointer, inner.as_fd().as_raw_fd()) }
        })?;
        open.existing.inner.insert(name, inner);
        Ok(())
    }
}

impl OpenMap<'_> {
    pub(super) fn set_pin_path(&self, path: Option<&str>) -> FailureResult<()> {
        const WHAT: &str = "the pin path of";
        let path = match path {
            Some(path) => {
                crate::maps::check_path(path).map_err(|why| self.refuse(WHAT, why))?;
                match std::ffi::CString::new(path) {
                    Ok(path) => Some(path),
                    Err(_) => return Err(self.refuse(WHAT, "a path has no zero byte")),
                }
            }
            None => None,
        };
        let pointer = path.as_ref().map_or(std::ptr::null(), |path| path.as_ptr());
        self.set(WHAT, |map| {
            // SAFETY: the map belongs to an open object that nobody else uses now; libbpf copies the path.
            unsafe { sys::bpf_map__set_pin_path(map, pointer) }
        })
    }

    pub(super) fn set_numa_node(&self, node: u32) -> FailureResult<()> {
        let what = "the NUMA node of";
        self.set(what, |map| {
            // SAFETY: as above.
            unsafe { sys::bpf_map__set_numa_node(map, node) }
        })?;
        let flags = self.flags() | sys::BPF_F_NUMA_NODE;
        self.set(what, |map| {
            // SAFETY: as above.
            unsafe { sys::bpf_map__set_map_flags(map, flags) }
        })
    }
}
