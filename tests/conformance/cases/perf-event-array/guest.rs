//! Perf events in maps.

use conformance_guests::{assert_fails, cpus, pull_on, trigger};
use wasm_bpf_guest::{
    ErrorKind, MapCore as _, MapFlags, MapHandle, MapType, PerfBufferBuilder, PerfEvent,
    PerfEventOptions, SoftwareEvent,
};

conformance_guests::guest!();

fn load() -> case::CaseSkel {
    let mut open = case::CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    skel
}

/// The clock of a CPU.
fn clock_of(cpu: usize) -> PerfEvent {
    let options = PerfEventOptions::new().cpu(cpu as u32);
    PerfEvent::open(SoftwareEvent::CpuClock, &options).unwrap()
}

fn key_of(cpu: usize) -> [u8; 4] {
    (cpu as u32).to_ne_bytes()
}

const ENOENT: i64 = 2;

fn stored() {
    let skel = load();
    let events = &skel.maps.events;
    for cpu in cpus() {
        let key = key_of(cpu);
        let read = || {
            pull_on(cpu, 1);
            let bss = skel.bss.get().unwrap();
            assert_eq!(bss.cpu, cpu as u64);
            (bss.answer, bss.counter)
        };
        assert_eq!(read(), (-ENOENT, 0));
        let event = clock_of(cpu);
        events
            .update_perf_event(&key, &event, MapFlags::Any)
            .unwrap();
        let (answer, first) = read();
        assert_eq!(answer, 0);
        let now = event.read().unwrap().value;
        assert!(first > 0 && first <= now, "{first} of {now}");
        drop(event);
        let (answer, second) = read();
        assert_eq!(answer, 0);
        assert!(second > now, "{second} after {now}");
        // Another one in its place, which has just begun.
        let event = clock_of(cpu);
        event.disable().unwrap();
        event.reset().unwrap();
        events
            .update_perf_event(&key, &event, MapFlags::Any)
            .unwrap();
        assert_eq!(read(), (0, 0));
        assert!(events.delete(&key).is_ok());
        assert_eq!(read(), (-ENOENT, 0));
    }
}

fn with_a_buffer() {
    let skel = load();
    let events = &skel.maps.events;
    let cpu = cpus()[0];
    let (key, event) = (key_of(cpu), clock_of(cpu));
    let store = || events.update_perf_event(&key, &event, MapFlags::Any);
    store().unwrap();
    let open = || PerfBufferBuilder::new(events).build();
    assert_fails!(open(), ErrorKind::Busy, "events");
    events.delete(&key).unwrap();
    let buffer = open().unwrap();
    assert_fails!(store(), ErrorKind::Busy, "events");
    drop(buffer);
    store().unwrap();
    pull_on(cpu, 1);
    assert_eq!(skel.bss.answer.get().unwrap(), 0);
}

fn wrong() {
    let skel = load();
    let events = &skel.maps.events;
    let cpu = cpus()[0];
    let (key, event) = (key_of(cpu), clock_of(cpu));
    for key in [&[][..], &[0; 3], &[0; 8]] {
        assert_fails!(
            events.update_perf_event(key, &event, MapFlags::Any),
            ErrorKind::WrongSize,
            "events"
        );
    }
    assert_fails!(
        events.update_perf_event(&1024u32.to_ne_bytes(), &event, MapFlags::Any),
        ErrorKind::Full,
        "events"
    );
    for mode in [MapFlags::NoExist, MapFlags::Exist] {
        assert_fails!(
            events.update_perf_event(&key, &event, mode),
            ErrorKind::InvalidArgument,
            "events"
        );
    }
    for kind in [MapType::Array, MapType::ProgArray, MapType::Hash] {
        let other = MapHandle::create(kind, "other", 4, 4, 4, 0).unwrap();
        assert_fails!(
            other.update_perf_event(&[0; 4], &event, MapFlags::Any),
            ErrorKind::NotSupported,
            "other"
        );
    }
    // Its count is that of many threads.
    let options = PerfEventOptions::new().process(trigger().0).inherit(true);
    let inherited = PerfEvent::open(SoftwareEvent::ContextSwitches, &options).unwrap();
    assert_fails!(
        events.update_perf_event(&key, &inherited, MapFlags::Any),
        ErrorKind::InvalidArgument | ErrorKind::NotSupported,
        "events"
    );
    // No number becomes an event: it would be a descriptor of the host.
    for number in 0..16u32 {
        assert_fails!(
            events.update(&key, &number.to_ne_bytes(), MapFlags::Any),
            ErrorKind::NotSupported
        );
    }
    pull_on(cpu, 1);
    assert_eq!(skel.bss.answer.get().unwrap(), -ENOENT);
}

fn limit_descriptors() {
    let events = MapHandle::create(MapType::PerfEventArray, "events", 4, 4, 64, 0).unwrap();
    let cpu = cpus()[0];
    let options = PerfEventOptions::new().cpu(cpu as u32);
    let store = |index: u32| {
        let event = PerfEvent::open(SoftwareEvent::CpuClock, &options)?;
        events.update_perf_event(&index.to_ne_bytes(), &event, MapFlags::Any)
    };
    let mut stored = 0;
    let error = loop {
        match store(stored) {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
    };
    assert_fails!(Err::<(), _>(error), ErrorKind::LimitExceeded, "descriptors");
    // The map has one itself.
    assert_eq!(stored, 15);
    assert_fails!(store(0), ErrorKind::LimitExceeded, "descriptors");
    events.delete(&3u32.to_ne_bytes()).unwrap();
    store(3).unwrap();
    drop(events);
    clock_of(cpu);
}
