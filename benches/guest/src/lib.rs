//! The component that is measured: each case as a tool would write it with the guest crate.

mod data;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bench::types::wide;
use bench::{BenchSkel, BenchSkelBuilder};
use data::{ENTRIES, KEYS, MANY, PAGES, RECORDS, value_of, wide_of};
use wasm_bpf_guest::zerocopy::FromBytes as _;
use wasm_bpf_guest::{
    MapCore as _, MapFlags, PerfBufferBuilder, Result, RingBufferBuilder, stop_requested,
};

wasm_bpf_guest::include_skeleton!("bench");

#[allow(missing_docs, clippy::all)]
mod world {
    wit_bindgen::generate!({ path: "wit", world: "bench" });

    export!(Component with_types_in self);

    /// Who answers the harness.
    pub struct Component;
}

/// The timed part.
type Run = Box<dyn FnMut(u32) -> std::result::Result<u64, String>>;

/// What a run wrote, summed up.
type Written = Box<dyn Fn() -> Result<u64>>;

struct Case {
    run: Run,
    written: Option<Written>,
}

thread_local! {
    static CASE: RefCell<Option<Case>> = const { RefCell::new(None) };
}

impl world::Guest for world::Component {
    fn object() -> Vec<u8> {
        bench::DATA.to_vec()
    }

    fn prepare(case: String, thread: u64, syscall: u64) -> std::result::Result<(), String> {
        let prepared = prepare(&case, thread, syscall).map_err(|error| format!("{error:#}"))?;
        let prepared = prepared.ok_or_else(|| format!("there is no case {case:?}"))?;
        CASE.set(Some(prepared));
        Ok(())
    }

    fn run(iterations: u32) -> std::result::Result<u64, String> {
        CASE.with_borrow_mut(|case| (case.as_mut().ok_or(UNPREPARED)?.run)(iterations))
    }

    fn written() -> std::result::Result<u64, String> {
        CASE.with_borrow(|case| match &case.as_ref().ok_or(UNPREPARED)?.written {
            Some(written) => written().map_err(|error| error.to_string()),
            None => Ok(0),
        })
    }
}

const UNPREPARED: &str = "no case was prepared";

fn prepare(case: &str, thread: u64, syscall: u64) -> Result<Option<Case>> {
    let mut open = BenchSkelBuilder::new().open()?;
    open.rodata.trigger.thread = thread;
    open.rodata.trigger.syscall = syscall;
    match case {
        "ring" => open.progs.fill_ring.set_autoload(true)?,
        "perf" => open.progs.fill_perf.set_autoload(true)?,
        _ => {}
    }
    let mut skel = open.load()?;
    skel.attach()?;
    Ok(Some(match case {
        "host-call" => reads(|iterations| {
            let requested = (0..iterations).filter(|_| stop_requested()).count();
            // So that the sum of nothing is not 0.
            Ok(u64::from(iterations) - requested as u64)
        }),
        "lookup" => lookup(skel)?,
        "lookup-number" => lookup_number(skel)?,
        "lookup-64" => lookup_64(skel)?,
        "update" => update(skel)?,
        "update-number" => update_number(skel)?,
        "get-many" => get_many(skel)?,
        "walk" => walk(skel)?,
        "ring" => ring(skel)?,
        "perf" => perf(skel)?,
        // What they are compared with differs, not what is done here.
        "global" | "global-lookup" => global(skel)?,
        _ => return Ok(None),
    }))
}

/// A case that only reads.
fn reads(mut run: impl FnMut(u32) -> Result<u64> + 'static) -> Case {
    Case {
        run: Box::new(move |iterations| run(iterations).map_err(|error| format!("{error:#}"))),
        written: None,
    }
}

/// Which key comes in this turn.
fn key_of(turn: u32) -> u64 {
    u64::from(turn) % KEYS
}

fn fill_numbers(skel: &BenchSkel) -> Result<()> {
    let keys: Vec<u64> = (0..KEYS).collect();
    let values: Vec<u64> = keys.iter().copied().map(value_of).collect();
    skel.maps.numbers.insert_many(&keys, &values, MapFlags::Any)
}

/// What a lookup that finds nothing adds: the sum is wrong then, which the harness sees.
const NOTHING: u64 = 1;

fn lookup(skel: BenchSkel) -> Result<Case> {
    fill_numbers(&skel)?;
    Ok(reads(move |iterations| {
        let mut sum = 0u64;
        for turn in 0..iterations {
            let value = skel.maps.numbers.lookup(&key_of(turn).to_ne_bytes())?;
            let value = value.and_then(|value| u64::read_from_bytes(&value).ok());
            sum = sum.wrapping_add(value.unwrap_or(NOTHING));
        }
        Ok(sum)
    }))
}

fn lookup_number(skel: BenchSkel) -> Result<Case> {
    fill_numbers(&skel)?;
    Ok(reads(move |iterations| {
        let mut sum = 0u64;
        for turn in 0..iterations {
            let value = skel.maps.numbers.get(&key_of(turn))?;
            sum = sum.wrapping_add(value.unwrap_or(NOTHING));
        }
        Ok(sum)
    }))
}

fn lookup_64(skel: BenchSkel) -> Result<Case> {
    for key in 0..KEYS {
        let words = wide_of(key);
        skel.maps
            .wides
            .insert(&key, &wide { words }, MapFlags::Any)?;
    }
    Ok(reads(move |iterations| {
        let mut sum = 0u64;
        for turn in 0..iterations {
            let value = skel.maps.wides.lookup(&key_of(turn).to_ne_bytes())?;
            let value = value.and_then(|value| wide::read_from_bytes(&value).ok());
            sum = sum.wrapping_add(value.map_or(NOTHING, |value| value.words[7]));
        }
        Ok(sum)
    }))
}

/// A case that writes numbers: each turn another value, so that what is there at the end tells of the last turns.
fn writes(
    skel: BenchSkel,
    mut write: impl FnMut(&BenchSkel, u64, u64) -> Result<()> + 'static,
) -> Result<Case> {
    fill_numbers(&skel)?;
    let skel = Rc::new(skel);
    let written = Rc::clone(&skel);
    let mut run = reads(move |iterations| {
        for turn in 0..iterations {
            write(&skel, key_of(turn), turn.into())?;
        }
        Ok(0)
    });
    run.written = Some(Box::new(move || {
        let mut sum = 0u64;
        for entry in written.maps.numbers.iter() {
            let (key, value) = entry?;
            sum = sum.wrapping_add(value ^ key << 32);
        }
        Ok(sum)
    }));
    Ok(run)
}

fn update(skel: BenchSkel) -> Result<Case> {
    writes(skel, |skel, key, value| {
        let (key, value) = (key.to_ne_bytes(), value.to_ne_bytes());
        skel.maps.numbers.update(&key, &value, MapFlags::Any)
    })
}

fn update_number(skel: BenchSkel) -> Result<Case> {
    writes(skel, |skel, key, value| {
        skel.maps.numbers.insert(&key, &value, MapFlags::Any)
    })
}

fn get_many(skel: BenchSkel) -> Result<Case> {
    fill_numbers(&skel)?;
    let keys: Vec<u64> = (0..MANY).collect();
    Ok(reads(move |iterations| {
        let mut sum = 0u64;
        for _ in 0..iterations {
            for value in skel.maps.numbers.get_many(&keys)? {
                sum = sum.wrapping_add(value.unwrap_or(NOTHING));
            }
        }
        Ok(sum)
    }))
}

fn walk(skel: BenchSkel) -> Result<Case> {
    let keys: Vec<u64> = (0..ENTRIES).collect();
    let values: Vec<u64> = keys.iter().copied().map(value_of).collect();
    let entries = &skel.maps.entries;
    entries.insert_many(&keys, &values, MapFlags::Any)?;
    Ok(reads(move |iterations| {
        let mut sum = 0u64;
        for _ in 0..iterations {
            for entry in skel.maps.entries.iter() {
                let (key, value) = entry?;
                sum = sum.wrapping_add(value ^ key);
            }
        }
        Ok(sum)
    }))
}

/// The sum of the numbers of records, and how many they are.
#[derive(Default)]
struct Tally {
    sum: Cell<u64>,
    count: Cell<u32>,
}

impl Tally {
    fn take(&self, record: &[u8]) {
        let number = record
            .first_chunk()
            .map_or(0, |word| u64::from_ne_bytes(*word));
        self.sum.set(self.sum.get().wrapping_add(number));
        self.count.set(self.count.get() + 1);
    }

    /// The sum of a run, if it had all records.
    fn total(&self, iterations: u32) -> std::result::Result<u64, String> {
        let (sum, count) = (self.sum.take(), self.count.take());
        if count != iterations * RECORDS {
            return Err(format!("{count} records came in place of {RECORDS}"));
        }
        Ok(sum)
    }
}

fn ring(skel: BenchSkel) -> Result<Case> {
    let tally = Rc::new(Tally::default());
    let seen = Rc::clone(&tally);
    let mut builder = RingBufferBuilder::new();
    builder.add(&skel.maps.ring, move |record| {
        seen.take(record);
        0
    })?;
    let ring = builder.build()?;
    Ok(consumes(skel, tally, move || ring.consume()))
}

fn perf(skel: BenchSkel) -> Result<Case> {
    let tally = Rc::new(Tally::default());
    let seen = Rc::clone(&tally);
    let buffer = PerfBufferBuilder::new(&skel.maps.events)
        .sample_cb(move |_, record| seen.take(record))
        .pages(PAGES)
        .build()?;
    Ok(consumes(skel, tally, move || buffer.consume()))
}

fn consumes(skel: BenchSkel, tally: Rc<Tally>, consume: impl Fn() -> Result<()> + 'static) -> Case {
    Case {
        run: Box::new(move |iterations| {
            // Its link is what makes the program act.
            let _attached = &skel;
            consume().map_err(|error| format!("{error:#}"))?;
            tally.total(iterations)
        }),
        written: None,
    }
}

fn global(skel: BenchSkel) -> Result<Case> {
    skel.bss.counter.set(&value_of(0))?;
    Ok(reads(move |iterations| {
        let mut sum = 0u64;
        for _ in 0..iterations {
            sum = sum.wrapping_add(skel.bss.counter.get()?);
        }
        Ok(sum)
    }))
}
