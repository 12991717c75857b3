//! What is measured.

use anyhow::Result;

use crate::data::{ENTRIES, MANY, RECORDS};
use crate::native::{
    Global, GlobalLookup, Lookup, LookupMany, LookupWide, Native, Perf, Prepare, Ring, Update, Walk,
};
use crate::trigger::Trigger;

/// A case. The guest knows it by its name.
pub struct Case {
    pub name: &'static str,
    /// What one time stands for.
    pub unit: &'static str,
    /// What is compared.
    pub about: &'static str,
    /// Units in one iteration.
    pub units: u32,
    /// Each run empties a buffer, which is filled before it.
    pub consumes: bool,
    /// None: nothing native does that.
    pub native: Option<Prepare>,
}

const fn case(
    name: &'static str,
    unit: &'static str,
    about: &'static str,
    native: Prepare,
) -> Case {
    Case {
        name,
        unit,
        about,
        units: 1,
        consumes: false,
        native: Some(native),
    }
}

fn boxed(native: Result<impl Native + 'static>) -> Result<Box<dyn Native>> {
    Ok(Box::new(native?))
}

fn lookup(object: &[u8], trigger: Trigger) -> Result<Box<dyn Native>> {
    boxed(Lookup::new(object, trigger))
}

fn lookup_wide(object: &[u8], trigger: Trigger) -> Result<Box<dyn Native>> {
    boxed(LookupWide::new(object, trigger))
}

fn update(object: &[u8], trigger: Trigger) -> Result<Box<dyn Native>> {
    boxed(Update::new(object, trigger))
}

pub const CASES: &[Case] = &[
    case(
        "lookup",
        "lookup",
        "MapCore::lookup of 8 bytes against bpf_map_lookup_elem",
        lookup,
    ),
    case(
        "lookup-number",
        "lookup",
        "TypedMap::get of a u64 against bpf_map_lookup_elem",
        lookup,
    ),
    case(
        "lookup-64",
        "lookup",
        "MapCore::lookup of 64 bytes against bpf_map_lookup_elem",
        lookup_wide,
    ),
    case(
        "update",
        "update",
        "MapCore::update of 8 bytes against bpf_map_update_elem",
        update,
    ),
    case(
        "update-number",
        "update",
        "TypedMap::insert of a u64 against bpf_map_update_elem",
        update,
    ),
    Case {
        units: MANY as u32,
        ..case(
            "get-many",
            "key",
            "TypedMap::get_many of 256 keys against 256 bpf_map_lookup_elem",
            |object, trigger| boxed(LookupMany::new(object, trigger)),
        )
    },
    Case {
        units: ENTRIES as u32,
        ..case(
            "walk",
            "entry",
            "TypedMap::iter over 10,000 entries against bpf_map_lookup_batch, both 4096 at a time",
            |object, trigger| boxed(Walk::new(object, trigger)),
        )
    },
    Case {
        units: RECORDS,
        consumes: true,
        ..case(
            "ring",
            "record",
            "RingBuffer::consume of 3000 records of 64 bytes against ring_buffer__consume",
            |object, trigger| boxed(Ring::new(object, trigger)),
        )
    },
    Case {
        units: RECORDS,
        consumes: true,
        ..case(
            "perf",
            "record",
            "PerfBuffer::consume of 3000 records of 64 bytes against perf_buffer__consume",
            |object, trigger| boxed(Perf::new(object, trigger)),
        )
    },
    case(
        "global",
        "read",
        "a variable of .bss against a read of mapped memory, one instruction",
        |object, trigger| boxed(Global::new(object, trigger)),
    ),
    case(
        "global-lookup",
        "read",
        "the same against bpf_map_lookup_elem of .bss",
        |object, trigger| boxed(GlobalLookup::new(object, trigger)),
    ),
    Case {
        name: "host-call",
        unit: "call",
        about: "stop_requested: what any call of the host costs at least",
        units: 1,
        consumes: false,
        native: None,
    },
];
