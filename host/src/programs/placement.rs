//! Where among the programs of a hook one is put.

use libbpf_sys as sys;

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
