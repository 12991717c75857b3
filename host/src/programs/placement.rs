//! Where among the programs of a hook one is put.

use libbpf_sys as sys;
use wasmtime::component::Resource;

use super::Program;
use crate::bindings::programs::HostPlacement;
use crate::bindings::types::ErrorCode;
use crate::ctx::WasmBpfCtxView;
use crate::error::CodeResult;
use crate::links::Link;

/// Where among the programs of a hook one is put. Neighbours are ids: a placement holds nothing in the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    flags: u32,
    neighbour: u32,
    revision: u64,
}

/// Next to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Neighbour {
    /// To all there are.
    All,
    Program(u32),
    Link(u32),
}

impl Placement {
    pub(crate) fn set_before(&mut self, neighbour: Neighbour) {
        self.set(sys::BPF_F_BEFORE, neighbour);
    }

    pub(crate) fn set_after(&mut self, neighbour: Neighbour) {
        self.set(sys::BPF_F_AFTER, neighbour);
    }

    pub(crate) fn set_expected_revision(&mut self, revision: u64) {
        self.revision = revision;
    }

    fn set(&mut self, side: u32, neighbour: Neighbour) {
        let (flag, id) = match neighbour {
            Neighbour::All => (0, 0),
            Neighbour::Program(id) => (0, id),
            Neighbour::Link(id) => (sys::BPF_F_LINK, id),
        };
        self.flags = side | flag;
        self.neighbour = id;
    }

    /// For `bpf_link_create_opts.flags` and `bpf_prog_attach_opts.flags`. libbpf adds BPF_F_ID for a neighbour when it makes a link; for
    /// bpf_prog_attach_opts it does so too.
    pub(crate) fn flags(&self) -> u32 {
        self.flags
    }

    /// `relative_id` of libbpf's options: a program's, or a link's if the flags say so. 0: none.
    pub(crate) fn relative_id(&self) -> u32 {
        self.neighbour
    }

    /// `expected_revision` of libbpf's options. 0: any.
    pub(crate) fn expected_revision(&self) -> u64 {
        self.revision
    }
}

impl HostPlacement for WasmBpfCtxView<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<Placement>> {
        Ok(self.table.push(Placement::default())?)
    }

    fn set_first(&mut self, placement: Resource<Placement>) -> wasmtime::Result<()> {
        self.table.get_mut(&placement)?.set_before(Neighbour::All);
        Ok(())
    }

    fn set_last(&mut self, placement: Resource<Placement>) -> wasmtime::Result<()> {
        self.table.get_mut(&placement)?.set_after(Neighbour::All);
        Ok(())
    }

    fn set_before_program(
        &mut self,
        placement: Resource<Placement>,
        program: Resource<Program>,
    ) -> CodeResult<()> {
        let neighbour = self.program_beside(&program)?;
        self.table.get_mut(&placement)?.set_before(neighbour);
        Ok(())
    }

    fn set_after_program(
        &mut self,
        placement: Resource<Placement>,
        program: Resource<Program>,
    ) -> CodeResult<()> {
        let neighbour = self.program_beside(&program)?;
        self.table.get_mut(&placement)?.set_after(neighbour);
        Ok(())
    }

    fn set_before_link(
        &mut self,
        placement: Resource<Placement>,
        link: Resource<Link>,
    ) -> CodeResult<()> {
        let neighbour = self.link_beside(&link)?;
        self.table.get_mut(&placement)?.set_before(neighbour);
        Ok(())
    }

    fn set_after_link(
        &mut self,
        placement: Resource<Placement>,
        link: Resource<Link>,
    ) -> CodeResult<()> {
        let neighbour = self.link_beside(&link)?;
        self.table.get_mut(&placement)?.set_after(neighbour);
        Ok(())
    }

    fn set_before_program_id(
        &mut self,
        placement: Resource<Placement>,
        id: u32,
    ) -> wasmtime::Result<()> {
        let placement = self.table.get_mut(&placement)?;
        placement.set_before(Neighbour::Program(id));
        Ok(())
    }

    fn set_after_program_id(
        &mut self,
        placement: Resource<Placement>,
        id: u32,
    ) -> wasmtime::Result<()> {
        let placement = self.table.get_mut(&placement)?;
        placement.set_after(Neighbour::Program(id));
        Ok(())
    }

    fn set_expected_revision(
        &mut self,
        placement: Resource<Placement>,
        revision: u64,
    ) -> wasmtime::Result<()> {
        let placement = self.table.get_mut(&placement)?;
        placement.set_expected_revision(revision);
        Ok(())
    }

    fn drop(&mut self, placement: Resource<Placement>) -> wasmtime::Result<()> {
        self.table.delete(placement)?;
        Ok(())
    }
}

impl WasmBpfCtxView<'_> {
    fn program_beside(&self, program: &Resource<Program>) -> CodeResult<Neighbour> {
        let fd = self.table.get(program)?.loaded().fd();
        let identity = crate::journal::ProgramIdentity::of(fd)?;
        Ok(Neighbour::Program(identity.id))
    }

    fn link_beside(&self, link: &Resource<Link>) -> CodeResult<Neighbour> {
        let id = self.table.get(link)?.kernel_id();
        Ok(Neighbour::Link(id.ok_or(ErrorCode::NotSupported)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_place_counts() {
        let mut placement = Placement::default();
        assert_eq!((placement.flags(), placement.relative_id()), (0, 0));
        placement.set_before(Neighbour::Link(7));
        assert_eq!(placement.flags(), sys::BPF_F_BEFORE | sys::BPF_F_LINK);
        assert_eq!(placement.relative_id(), 7);
        placement.set_after(Neighbour::All);
        assert_eq!(
            (placement.flags(), placement.relative_id()),
            (sys::BPF_F_AFTER, 0)
        );
        placement.set_expected_revision(3);
        assert_eq!(placement.expected_revision(), 3);
    }
}
