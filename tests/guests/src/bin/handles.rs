//! Breaks the rules: uses handles that were made up, dropped, or given away. The host must end each of these runs.

use test_guests::raw::{buffers, links, maps, objects, programs, types};
use test_guests::{case, no_such_case, say, trigger};
use wasm_bpf_guest::zerocopy::IntoBytes as _;

wasm_bpf_guest::include_skeleton!("calls");

fn main() {
    let (case, args) = case();
    let number = || args[0].parse::<u32>().unwrap();
    // Something of each kind is there, so that numbers of one kind are good ones of another.
    let options = objects::OpenOptions::new();
    let open = objects::OpenObject::open(calls::DATA, &options).unwrap();
    let mut variables = calls::CallsSkelBuilder::new().open().unwrap().rodata;
    (variables.trigger_thread, variables.trigger_syscall) = trigger();
    open.set_initial_value(".rodata", 0, variables.as_bytes())
        .unwrap();
    if case == "set-after-load" {
        let stale = forged_open_object(open.handle());
        let _object = objects::OpenObject::load(open).unwrap();
        say("still running");
        let _ = stale.set_max_entries("count", 1);
        survived();
    }
    let object = objects::OpenObject::load(open).unwrap();
    let map = object.map("count").unwrap();
    let ring_map = object.map("ring").unwrap();
    let program = object.program("on_enter").unwrap();
    let link = program.attach().unwrap().unwrap();
    let ring = buffers::RingBuffer::open(&[buffers::Ring {
        map: &ring_map,
        lost_counter: None,
    }])
    .unwrap();
    say(format_args!(
        "holds program={} map={} link={}",
        program.info().unwrap().id,
        map.info().id,
        link.info().unwrap().unwrap().id
    ));
    match case.as_str() {
        "map" => {
            let _ = forged_map(number()).lookup(&[0; 4]);
        }
        "program" => {
            let _ = forged_program(number()).info();
        }
        "link" => {
            let _ = forged_link(number()).info();
        }
        "object" => {
            let _ = forged_object(number()).name();
        }
        "ring" => {
            let _ = forged_ring(number()).available();
        }
        "ring-of" => {
            let map = forged_map(number());
            let _ = buffers::RingBuffer::open(&[buffers::Ring {
                map: &map,
                lost_counter: None,
            }]);
        }
        "drop" => drop(forged_map(number())),
        "dropped-map" => {
            let stale = forged_map(map.handle());
            drop(map);
            let _ = stale.lookup(&[0; 4]);
        }
        "dropped-link" => {
            let stale = forged_link(link.handle());
            drop(link);
            let _ = stale.info();
        }
        "dropped-twice" => {
            let stale = forged_map(map.handle());
            drop(map);
            drop(stale);
        }
        "dropped-ring" => {
            let stale = forged_ring(ring.handle());
            drop(ring);
            let _ = stale.poll(Some(0), 1024);
        }
        // Good ones of another kind.
        "link-as-map" => {
            let _ = forged_map(link.handle()).lookup(&[0; 4]);
        }
        "map-as-program" => {
            let _ = forged_program(map.handle()).attach();
        }
        "map-as-link" => drop(forged_link(map.handle())),
        "program-as-ring" => {
            let _ = forged_ring(program.handle()).poll(Some(0), 1024);
        }
        "loaded-twice" => {
            let options = objects::OpenOptions::new();
            let open = objects::OpenObject::open(calls::DATA, &options).unwrap();
            let again = forged_open_object(open.handle());
            let _first = objects::OpenObject::load(open);
            let _ = objects::OpenObject::load(again);
        }
        // No handle is wrong here: what a component may do after all this.
        "none" => {
            let found: Result<_, types::ErrorCode> = map.lookup(&[0; 4]);
            assert!(found.unwrap().is_some());
            return;
        }
        _ => no_such_case(&case),
    }
    survived();
}

fn survived() -> ! {
    say("survived");
    wasm_bpf_guest::exit(42);
}

// SAFETY of all: none is claimed. A wrong handle is what the host has to answer, in this component's name.

fn forged_map(number: u32) -> maps::Map {
    unsafe { maps::Map::from_handle(number) }
}

fn forged_program(number: u32) -> programs::Program {
    unsafe { programs::Program::from_handle(number) }
}

fn forged_link(number: u32) -> links::Link {
    unsafe { links::Link::from_handle(number) }
}

fn forged_object(number: u32) -> objects::Object {
    unsafe { objects::Object::from_handle(number) }
}

fn forged_open_object(number: u32) -> objects::OpenObject {
    unsafe { objects::OpenObject::from_handle(number) }
}

fn forged_ring(number: u32) -> buffers::RingBuffer {
    unsafe { buffers::RingBuffer::from_handle(number) }
}
