//! The classic hook of traffic control (clsact). The kernel keeps its filters whoever dies, so each is journalled.

use std::io;
use std::os::fd::AsRawFd as _;

use libbpf_sys as sys;

use super::filters::{self, Filter};
use crate::bindings::links::FilterPlace;
use crate::bindings::programs::Direction;
use crate::bindings::query::AttachedFilter;
use crate::journal::{self, Entry, Journal, Left, Locked, ProgramIdentity, Record};
use crate::links::Attached;
use crate::network_interfaces::Interface;
use crate::objects::LoadedProgram;

/// Entries of filters.
pub(crate) const KIND: &str = "tc";

const CLSACT_MAJOR: u32 = 0xffff_0000;
const MINOR_INGRESS: u32 = 0xfff2;
const MINOR_EGRESS: u32 = 0xfff3;

/// A side of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Ingress,
    Egress,
}

impl Side {
    pub(super) fn of(direction: Direction) -> Self {
        match direction {
            Direction::Ingress => Self::Ingress,
            Direction::Egress => Self::Egress,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        [Self::Ingress, Self::Egress]
            .into_iter()
            .find(|side| side.name() == name)
    }

    fn parent(self) -> u32 {
        CLSACT_MAJOR
            | match self {
                Self::Ingress => MINOR_INGRESS,
                Self::Egress => MINOR_EGRESS,
            }
    }

    fn attach_point(self) -> sys::bpf_tc_attach_point {
        match self {
            Self::Ingress => sys::BPF_TC_INGRESS,
            Self::Egress => sys::BPF_TC_EGRESS,
        }
    }
}

/// Where a filter is. 0: the kernel chooses, or chose and nobody knows yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) side: Side,
    pub(super) handle: u32,
    pub(super) priority: u32,
}

/// A filter of this process.
pub(super) struct TcFilter {
    journal: Journal,
    /// None: it is detached.
    entry: Option<Entry>,
    netns: u64,
    interface: Interface,
    place: Place,
    program: ProgramIdentity,
}

/// Why a filter was not made: what was tried, and the cause.
pub(super) struct NotMade(pub(super) &'static str, pub(super) io::Error);

impl TcFilter {
    /// Makes a filter. The entry comes first.
    pub(super) fn attach(
        journal: &Journal,
        program: &LoadedProgram,
        interface: Interface,
        place: Place,
    ) -> Result<Self, NotMade> {
        let not_journalled = |error| NotMade("it cannot be written down in the journal", error);
        let identity = ProgramIdentity::of(program.fd())
            .map_err(|error| NotMade("the kernel does not tell about the program", error))?;
        let netns = journal::netns_inode()
            .map_err(|error| NotMade("the network namespace is not known", error))?;
        let mut locked = journal.lock().map_err(not_journalled)?;
        let mut filter = Self {
            journal: journal.clone(),
            entry: None,
            netns,
            interface,
            place,
            program: identity,
        };
        filter
            .make_qdisc(&mut locked)
            .map_err(|error| NotMade("the qdisc clsact cannot be made", error))?;
        let entry = locked.write(&filter.record()).map_err(|error| {
            drop_qdisc(&mut locked, netns, &filter.interface);
            not_journalled(error)
        })?;
        match filter.make_filter(program) {
            Ok(()) => {
                let mut entry = entry;
                // Without it the entry still names the program, by which the filter is found.
                let _ = locked.rewrite(&mut entry, &filter.record());
                filter.entry = Some(entry);
                Ok(filter)
            }
            Err(error) => {
                let _ = locked.remove(entry);
                drop_qdisc(&mut locked, netns, &filter.interface);
                Err(NotMade("", error))
            }
        }
    }

    fn record(&self) -> Record {
        let mut record = Record::new(KIND);
        record
            .set("netns", self.netns)
            .set("interface", &self.interface.name)
            .set("interface-index", self.interface.index)
            .set("side", self.place.side.name())
            .set("handle", self.place.handle)
            .set("priority", self.place.priority);
        self.program.write_to(&mut record);
        record
    }

    /// The qdisc that hooks are in. If it is not there yet, it is noted first that it is of this project's hosts: whichever of them
    /// removes the last filter removes it too.
    fn make_qdisc(&self, locked: &mut Locked<'_>) -> io::Result<()> {
        let note = note_name(self.netns, self.interface.index);
        let noted = locked.note(&note).is_some_and(|record| {
            // Else it is about another interface, which had the number before.
            is_about(&record, &self.interface)
        });
        if !noted {
            let mut record = Record::new("qdisc");
            record
                .set("interface", &self.interface.name)
                .set("boot", journal::boot_id());
            locked.put_note(&note, &record)?;
        }
        let mut hook = hook(&self.interface, sys::BPF_TC_INGRESS | sys::BPF_TC_EGRESS);
        // SAFETY: the struct lives, and has its size in it.
        let answer = unsafe { sys::bpf_tc_hook_create(&raw mut hook) };
        match -answer {
            0 => Ok(()),
            libc::EEXIST => {
                if !noted {
                    locked.remove_note(&note)?;
                }
                Ok(())
            }
            errno => {
                if !noted {
                    locked.remove_note(&note)?;
                }
                Err(io::Error::from_raw_os_error(errno))
            }
        }
    }

    fn make_filter(&mut self, program: &LoadedProgram) -> io::Result<()> {
        let hook = hook(&self.interface, self.place.side.attach_point());
        let mut options = sys::bpf_tc_opts {
            sz: size_of::<sys::bpf_tc_opts>() as _,
            prog_fd: program.fd().as_raw_fd(),
            handle: self.place.handle,
            priority: self.place.priority,
            ..Default::default()
        };
        // SAFETY: the structs live, and have their sizes in them; the program has its descriptor.
        let answer = unsafe { sys::bpf_tc_attach(&raw const hook, &raw mut options) };
        if answer < 0 {
            return Err(io::Error::from_raw_os_error(-answer));
        }
        self.place.handle = options.handle;
        self.place.priority = options.priority;
        Ok(())
    }
}

impl Attached for TcFilter {
    fn filter_place(&self) -> Option<FilterPlace> {
        Some(FilterPlace {
            priority: self.place.priority,
            handle: self.place.handle,
        })
    }

    fn detach(&mut self) -> io::Result<()> {
        if self.entry.is_none() {
            return Ok(());
        }
        // Interfaces of another namespace have the same numbers.
        if journal::netns_inode()? != self.netns {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "this thread is in another network namespace",
            ));
        }
        let journal = self.journal.clone();
        let mut locked = journal.lock()?;
        remove_filters(&self.interface, self.place, self.program)?;
        drop_qdisc(&mut locked, self.netns, &self.interface);
        match self.entry.take() {
            Some(entry) => locked.remove(entry),
            None => Ok(()),
        }
    }

    /// The filter stays, and with it the qdisc: neither is any host's to remove from here on.
    fn disconnect(mut self: Box<Self>) {
        let Some(entry) = self.entry.take() else {
            return;
        };
        let journal = self.journal.clone();
        if let Ok(mut locked) = journal.lock() {
            let _ = locked.remove(entry);
            let _ = locked.remove_note(&note_name(self.netns, self.interface.index));
        }
    }
}

impl Drop for TcFilter {
    fn drop(&mut self) {
        // What fails stays in the journal, without a host that lives.
        let _ = self.detach();
    }
}

fn hook(interface: &Interface, attach_point: sys::bpf_tc_attach_point) -> sys::bpf_tc_hook {
    sys::bpf_tc_hook {
        sz: size_of::<sys::bpf_tc_hook>() as _,
        ifindex: interface.index,
        attach_point,
        ..Default::default()
    }
}

/// Whether a filter is the one that was made there.
fn is_it(filter: &Filter, place: Place, program: ProgramIdentity) -> bool {
    let same = |recorded: u32, found: u32| recorded == 0 || recorded == found;
    filter.program_id == Some(program.id)
        && filter.handle != 0
        && same(place.handle, filter.handle)
        && same(place.priority, filter.priority)
}

/// Removes the filter at this place if it runs this very program; how many were removed.
fn remove_filters(
    interface: &Interface,
    place: Place,
    program: ProgramIdentity,
) -> io::Result<usize> {
    let filters = filters::list(interface.index, place.side.parent())?;
    let mut removed = 0;
    for filter in filters {
        if !is_it(&filter, place, program) || !program.is_in_kernel()? {
            continue;
        }
        let hook = hook(interface, place.side.attach_point());
        let options = sys::bpf_tc_opts {
            sz: size_of::<sys::bpf_tc_opts>() as _,
            handle: filter.handle,
            priority: filter.priority,
            ..Default::default()
        };
        // SAFETY: the structs live, and have their sizes in them.
        let answer = unsafe { sys::bpf_tc_detach(&raw const hook, &raw const options) };
        match -answer {
            0 => removed += 1,
            libc::ENOENT | libc::ENODEV => {}
            errno => return Err(io::Error::from_raw_os_error(errno)),
        }
    }
    Ok(removed)
}

/// The programs that are filters of an interface, whoever attached them.
pub(crate) fn attached(interface: i32, direction: Direction) -> io::Result<Vec<AttachedFilter>> {
    let filters = filters::list(interface, Side::of(direction).parent())?;
    let programs = filters.into_iter().filter_map(|filter| {
        Some(AttachedFilter {
            program: filter.program_id?,
            place: FilterPlace {
                priority: filter.priority,
                handle: filter.handle,
            },
        })
    });
    Ok(programs.collect())
}

fn note_name(netns: u64, interface: i32) -> String {
    format!("qdisc-{netns}-{interface}")
}

/// Whether a note is of this boot and about this interface.
fn is_about(note: &Record, interface: &Interface) -> bool {
    note.text("boot") == Some(&journal::boot_id())
        && note.text("interface") == Some(&interface.name)
}

/// Removes the qdisc if a host of this project made it and nobody has a filter in it.
fn drop_qdisc(locked: &mut Locked<'_>, netns: u64, interface: &Interface) {
    let name = note_name(netns, interface.index);
    let Some(note) = locked.note(&name) else {
        return;
    };
    if !is_about(&note, interface) {
        let _ = locked.remove_note(&name);
        return;
    }
    let sides = [Side::Ingress, Side::Egress];
    let lists = sides.map(|side| filters::list(interface.index, side.parent()));
    if lists
        .iter()
        .any(|list| !matches!(list, Ok(list) if list.is_empty()))
    {
        return;
    }
    // The number may be another interface's by now, whose qdisc is not ours.
    if Interface::name_of(interface.index).as_ref() == Some(&interface.name) {
        let mut hook = hook(interface, sys::BPF_TC_INGRESS | sys::BPF_TC_EGRESS);
        // SAFETY: the struct lives, and has its size in it. If it is gone meanwhile, all the better.
        unsafe { sys::bpf_tc_hook_destroy(&raw mut hook) };
    }
    let _ = locked.remove_note(&name);
}

/// Removes the filter that a dead host left, if it is still there and runs the program that was written down.
pub(crate) fn remove_left(record: &Record, locked: &mut Locked<'_>) -> Left {
    let Some((netns, interface, place, program)) = read(record) else {
        return Left::Corrupt;
    };
    // None: the machine was started anew since.
    let Some(program) = program else {
        return Left::Gone;
    };
    let here = match journal::netns_inode() {
        Ok(inode) => inode == netns,
        Err(error) => return Left::Kept(format!("the network namespace is not known: {error}")),
    };
    match program.is_in_kernel() {
        // The filter would hold it.
        Ok(false) => {
            if here {
                drop_qdisc(locked, netns, &interface);
            } else {
                let _ = locked.remove_note(&note_name(netns, interface.index));
            }
            return Left::Gone;
        }
        Ok(true) if !here => return Left::Elsewhere,
        Ok(true) => {}
        Err(error) => {
            return Left::Kept(format!("the kernel does not tell about programs: {error}"));
        }
    }
    match remove_filters(&interface, place, program) {
        Ok(removed) => {
            drop_qdisc(locked, netns, &interface);
            match removed {
                0 => Left::Gone,
                _ => Left::Removed(format!(
                    "the tc filter on the {} of {interface}",
                    place.side.name()
                )),
            }
        }
        Err(error) => Left::Kept(format!(
            "the tc filter on the {} of {interface} cannot be removed: {error}",
            place.side.name()
        )),
    }
}

type Read = (u64, Interface, Place, Option<ProgramIdentity>);

fn read(record: &Record) -> Option<Read> {
    let interface = Interface {
        name: record.text("interface")?.to_owned(),
        index: record
            .number("interface-index")
            .filter(|index| *index > 0)?,
    };
    let place = Place {
        side: Side::of_name(record.text("side")?)?,
        handle: record.number("handle")?,
        priority: record
            .number("priority")
            .filter(|priority| *priority <= u32::from(u16::MAX))?,
    };
    let program = ProgramIdentity::read_from(record)?;
    Some((record.number("netns")?, interface, place, program))
}
