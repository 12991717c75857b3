//! `query.wit`.

mod attached;
mod find;
mod open;

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;

use crate::bindings::links::LinkInfo;
use crate::bindings::programs::{Direction, ProgramInfo};
use crate::bindings::query::{
    Attached, AttachedEvent, AttachedFilter, FoundBtf, FoundMap, Host, XdpPrograms,
};
use crate::btf::Btf;
use crate::ctx::WasmBpfCtxView;
use crate::error::FailureResult;
use crate::links::Link;
use crate::maps::Map;
use crate::programs::Program;

impl Host for WasmBpfCtxView<'_> {
    fn programs(&mut self, after: u32, max: u32) -> FailureResult<Vec<ProgramInfo>> {
        self.allow("the list of programs in the kernel")?;
        find::programs(after, max)
    }

    fn maps(&mut self, after: u32, max: u32) -> FailureResult<Vec<FoundMap>> {
        self.allow("the list of maps in the kernel")?;
        find::maps(after, max)
    }

    fn links(&mut self, after: u32, max: u32) -> FailureResult<Vec<LinkInfo>> {
        self.allow("the list of links in the kernel")?;
        find::links(after, max)
    }

    fn btfs(&mut self, after: u32, max: u32) -> FailureResult<Vec<FoundBtf>> {
        self.allow("the list of BTF in the kernel")?;
        find::btfs(after, max)
    }

    fn open_program(&mut self, id: u32) -> FailureResult<Resource<Program>> {
        let program = open::program(self.ctx, id)?;
        Ok(self.table.push(program)?)
    }

    fn open_map(&mut self, id: u32) -> FailureResult<Resource<Map>> {
        let map = open::map(self.ctx, id, false)?;
        Ok(self.table.push(map)?)
    }

    fn open_map_to_change(&mut self, id: u32) -> FailureResult<Resource<Map>> {
        let map = open::map(self.ctx, id, true)?;
        Ok(self.table.push(map)?)
    }

    fn open_link(&mut self, id: u32) -> FailureResult<Resource<Link>> {
        let link = open::link(self.ctx, id)?;
        Ok(self.table.push(link)?)
    }

    fn open_btf(&mut self, id: u32) -> FailureResult<Resource<Btf>> {
        self.allow(&format!("the BTF of id {id}"))?;
        let btf = crate::btf::of_id(self.ctx, id)?;
        Ok(self.table.push(btf)?)
    }

    fn attached_to_cgroup(
        &mut self,
        cgroup: Resource<Descriptor>,
        attach_type: u32,
        effective: bool,
    ) -> FailureResult<Vec<Attached>> {
        self.allow("the list of programs of a cgroup")?;
        let file = self.host_file(&cgroup)?;
        attached::to_cgroup(&file, attach_type, effective)
    }

    fn attached_to_netns(
        &mut self,
        netns: Resource<Descriptor>,
        attach_type: u32,
    ) -> FailureResult<Vec<Attached>> {
        self.allow("the list of programs of a network namespace")?;
        let file = self.host_file(&netns)?;
        attached::to_netns(&file, attach_type)
    }

    fn attached_to_interface(
        &mut self,
        name: String,
        attach_type: u32,
    ) -> FailureResult<Vec<Attached>> {
        self.allow(&format!(
            "the list of programs of the network interface {name:?}"
        ))?;
        attached::to_interface(&name, attach_type)
    }

    fn xdp(&mut self, name: String) -> FailureResult<XdpPrograms> {
        self.allow(&format!(
            "the list of programs of the network interface {name:?}"
        ))?;
        attached::xdp(&name)
    }

    fn filters(
        &mut self,
        name: String,
        direction: Direction,
    ) -> FailureResult<Vec<AttachedFilter>> {
        self.allow(&format!(
            "the list of programs of the network interface {name:?}"
        ))?;
        attached::filters(&name, direction)
    }

    fn event_of_process(&mut self, process: u32, descriptor: u32) -> FailureResult<AttachedEvent> {
        self.allow(&format!("what the process {process} has attached"))?;
        attached::event_of_process(process, descriptor)
    }
}

impl WasmBpfCtxView<'_> {
    fn allow(&self, what: &str) -> FailureResult<()> {
        Ok(self.ctx.policy.check_query(|| what.to_owned())?)
    }
}
