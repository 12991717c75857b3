//! `features.wit`.

mod config;
pub(crate) mod faults;
mod kernel;
mod probe;

use std::ffi::CString;
use std::path::Path;

pub(crate) use self::kernel::interface_index;
use crate::bindings::features::{Host, KernelVersion, NetworkInterface};
use crate::bindings::links::LinkType;
use crate::bindings::types::{ErrorCode, MapType, ProgramType};
use crate::btf;
use crate::ctx::WasmBpfCtxView;
use crate::error::{CodeError, CodeResult};
use crate::messages;
use crate::policy;
use crate::programs::is_tracefs_name;

/// Names that one call asks for.
const MAX_NAMES: usize = 65_536;

impl Host for WasmBpfCtxView<'_> {
    fn release(&mut self) -> wasmtime::Result<String> {
        Ok(kernel::Names::get()?.release)
    }

    fn version(&mut self) -> wasmtime::Result<KernelVersion> {
        let [major, minor, patch] = kernel::Names::get()?.version();
        Ok(KernelVersion {
            major,
            minor,
            patch,
        })
    }

    fn machine(&mut self) -> wasmtime::Result<String> {
        Ok(kernel::Names::get()?.machine)
    }

    fn own_process(&mut self) -> wasmtime::Result<u32> {
        Ok(std::process::id())
    }

    fn page_size(&mut self) -> wasmtime::Result<u32> {
        Ok(rustix::param::page_size() as u32)
    }

    fn monotonic_time(&mut self) -> wasmtime::Result<u64> {
        Ok(kernel::clock(libc::CLOCK_MONOTONIC) as u64)
    }

    fn boot_time(&mut self) -> wasmtime::Result<u64> {
        Ok(kernel::clock(libc::CLOCK_BOOTTIME) as u64)
    }

    fn monotonic_to_wall(&mut self) -> wasmtime::Result<i64> {
        Ok(kernel::monotonic_to_wall())
    }

    fn possible_cpus(&mut self) -> CodeResult<u32> {
        Ok(crate::maps::possible_cpus()?)
    }

    fn online_cpus(&mut self) -> CodeResult<Vec<u32>> {
        let text = std::fs::read_to_string("/sys/devices/system/cpu/online")?;
        Ok(kernel::cpu_list(&text).ok_or(std::io::Error::from_raw_os_error(libc::EIO))?)
    }

    fn network_interfaces(&mut self) -> CodeResult<Vec<NetworkInterface>> {
        let all = kernel::interfaces()?;
        let all = all.into_iter();
        Ok(all
            .map(|(index, name)| NetworkInterface { index, name })
            .collect())
    }

    fn interface_index(&mut self, name: String) -> wasmtime::Result<Option<u32>> {
        Ok(kernel::interface_index(&name))
    }

    fn interface_name(&mut self, index: u32) -> wasmtime::Result<Option<String>> {
        Ok(kernel::interface_name(index))
    }

    fn has_map_type(&mut self, kind: MapType) -> CodeResult<bool> {
        probe::probe(self.ctx, probe::Question::Map(kind.to_kernel()))
    }

    fn has_program_type(&mut self, kind: ProgramType) -> CodeResult<bool> {
        probe::probe(self.ctx, probe::Question::Program(kind.to_kernel()))
    }

    fn has_helper(&mut self, kind: ProgramType, helper: u32) -> CodeResult<bool> {
        probe::probe(self.ctx, probe::Question::Helper(kind.to_kernel(), helper))
    }

    fn helper_number(&mut self, name: String) -> wasmtime::Result<Option<u32>> {
        Ok(policy::helper_number(&name))
    }

    fn has_attach_type(&mut self, attach_type: u32) -> CodeResult<bool> {
        self.kernel_has("bpf_attach_type", attach_type)
    }

    fn has_link_type(&mut self, kind: LinkType) -> CodeResult<bool> {
        let number = kind.to_kernel();
        // 0 stands for no link at all.
        Ok(number != 0 && self.kernel_has("bpf_link_type", number)?)
    }

    fn has_functions(&mut self, names: Vec<String>) -> CodeResult<Vec<bool>> {
        if names.len() > MAX_NAMES {
            return Err(ErrorCode::LimitExceeded.into());
        }
        let Some(found) = kernel::functions(&names)? else {
            return Err(ErrorCode::NotFound.into());
        };
        Ok(found)
    }

    fn has_tracepoint(&mut self, category: String, name: String) -> CodeResult<bool> {
        if !is_tracefs_name(&category) || !is_tracefs_name(&name) {
            return Err(ErrorCode::InvalidArgument.into());
        }
        let mounted = [
            "/sys/kernel/tracing/events",
            "/sys/kernel/debug/tracing/events",
        ]
        .into_iter()
        .map(Path::new)
        .find(|path| path.exists());
        let Some(events) = mounted else {
            return Err(ErrorCode::NotSupported.into());
        };
        Ok(events.join(category).join(name).join("id").exists())
    }

    fn has_raw_tracepoint(&mut self, name: String) -> CodeResult<bool> {
        if !is_tracefs_name(&name) {
            return Err(ErrorCode::InvalidArgument.into());
        }
        let name = format!("btf_trace_{name}");
        let kernel = self.kernel_types()?;
        if kernel.find(&name, Some(btf::TYPEDEF)).is_some() {
            return Ok(true);
        }
        // A module may go while we look.
        let modules = btf::modules();
        let mut types = modules
            .iter()
            .filter_map(|name| btf::module_types(name).ok());
        Ok(types.any(|types| types.find(&name, Some(btf::TYPEDEF)).is_some()))
    }

    fn config(&mut self, name: String) -> CodeResult<Option<String>> {
        let ok = name
            .strip_prefix("CONFIG_")
            .is_some_and(|rest| (1..128).contains(&rest.len()))
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !ok {
            return Err(ErrorCode::InvalidArgument.into());
        }
        let all = config::all().ok_or(ErrorCode::NotFound)?;
        Ok(all.get(&name).cloned())
    }

    fn jiffies_per_second(&mut self) -> CodeResult<u32> {
        let all = config::all().ok_or(ErrorCode::NotFound)?;
        let value = all.get("CONFIG_HZ").and_then(|value| value.parse().ok());
        Ok(value.ok_or(ErrorCode::NotFound)?)
    }
}

impl WasmBpfCtxView<'_> {
    fn kernel_types(&self) -> CodeResult<std::sync::Arc<btf::Types>> {
        let (types, _) = messages::collect(self.ctx.messages.as_ref(), btf::kernel_types);
        types.map_err(|_| CodeError::from(ErrorCode::NotFound))
    }

    fn kernel_has(&self, enumeration: &str, value: u32) -> CodeResult<bool> {
        let types = self.kernel_types()?;
        Ok(types.enumeration_has(enumeration, value.into()))
    }
}

/// A name of a network interface as the kernel takes it.
fn interface_c_name(name: &str) -> Option<CString> {
    let ok = (1..libc::IFNAMSIZ).contains(&name.len());
    ok.then(|| CString::new(name).ok())?
}
