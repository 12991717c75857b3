//! CPUs in maps.

use conformance_guests::{assert_fails, cpus, is_gone, is_held, number, raw};
use wasm_bpf_guest::{ErrorKind, MapCore as _, MapFlags, MapHandle, MapType, Object};

conformance_guests::guest!();

fn map(kind: MapType, value: u32, entries: u32) -> MapHandle {
    MapHandle::create(kind, "cpus", 4, value, entries, 0).unwrap()
}

/// One entry more than there are CPUs.
fn of_cpus(value: u32) -> MapHandle {
    map(MapType::Cpumap, value, number::<u32>("possible-cpus") + 1)
}

fn load(program: &str) -> Object {
    let open = case::CaseSkelBuilder::new().open().unwrap().open;
    open.program(program).unwrap().set_autoload(true).unwrap();
    open.load().unwrap()
}

/// The size of the queue, and the program's id.
fn stored_in(map: &MapHandle, cpu: u32) -> Option<(u32, u32)> {
    let value = map.lookup(&cpu.to_ne_bytes()).unwrap()?;
    let number = |at: usize| u32::from_ne_bytes(value[at..at + 4].try_into().unwrap());
    let program = if value.len() == 8 { number(4) } else { 0 };
    Some((number(0), program))
}

fn cpu() -> u32 {
    cpus()[0] as u32
}

/// The size of its queue is what a lookup gives.
fn stored() {
    let map = of_cpus(4);
    let cpu = cpu();
    assert_eq!(stored_in(&map, cpu), None);
    for size in [192, 1, 16384] {
        map.update_cpu(cpu, size, MapFlags::Any).unwrap();
        assert_eq!(stored_in(&map, cpu), Some((size, 0)));
    }
    let beyond = number::<u32>("possible-cpus");
    let result = map.update_cpu(beyond, 1, MapFlags::Any);
    assert_fails!(result, ErrorKind::NoSuchDevice, "cpus");
    for absurd in [beyond + 1, u32::MAX] {
        let result = map.update_cpu(absurd, 1, MapFlags::Any);
        assert_fails!(result, ErrorKind::Full, "cpus");
    }
    map.delete(&cpu.to_ne_bytes()).unwrap();
    assert_eq!(stored_in(&map, cpu), None);
    let map = raw::create_map("cpus", raw::types::MapType::Cpumap, 4, 4, 4, 0).unwrap();
    let result = map.update_cpu(&[0; 3], 1, raw::maps::UpdateMode::Any);
    let code = result.unwrap_err().code;
    conformance_guests::assert_code!(Err::<(), _>(code), raw::types::ErrorCode::WrongSize);
}

/// Its id is shown.
fn with_program() {
    let map = of_cpus(8);
    let cpu = cpu();
    let put = |map: &MapHandle, object: &Object, name| {
        let program = object.program(name).unwrap();
        map.update_cpu_with_program(cpu, 192, &program, MapFlags::Any)
    };
    let other = load("on_the_way_in");
    let result = put(&map, &other, "on_the_way_in");
    assert_fails!(result, ErrorKind::InvalidArgument, "cpus");
    let object = load("on_the_other_cpu");
    let result = put(&of_cpus(4), &object, "on_the_other_cpu");
    assert_fails!(result, ErrorKind::WrongSize, "cpus");
    put(&map, &object, "on_the_other_cpu").unwrap();
    let id = object
        .program("on_the_other_cpu")
        .unwrap()
        .info()
        .unwrap()
        .id;
    drop(object);
    let held = format!("program={id}");
    is_held(&held);
    assert_eq!(stored_in(&map, cpu), Some((192, id)));
    map.delete(&cpu.to_ne_bytes()).unwrap();
    is_gone(&held);
}

/// 0 would delete what is there.
fn queues() {
    let map = of_cpus(4);
    map.update_cpu(cpu(), 192, MapFlags::Any).unwrap();
    for size in [0, 16385, 1 << 31, u32::MAX] {
        let result = map.update_cpu(cpu(), size, MapFlags::Any);
        assert_fails!(result, ErrorKind::InvalidArgument, "cpus");
    }
    assert_eq!(stored_in(&map, cpu()), Some((192, 0)));
}

/// One large queue, but not two.
fn memory() {
    let (first, second) = (of_cpus(4), of_cpus(4));
    let put = |map: &MapHandle| map.update_cpu(cpu(), 16384, MapFlags::Any);
    put(&first).unwrap();
    assert_fails!(put(&second), ErrorKind::LimitExceeded, "map-memory");
    assert_eq!(stored_in(&second, cpu()), None);
    first.delete(&cpu().to_ne_bytes()).unwrap();
    put(&second).unwrap();
    drop(second);
    put(&first).unwrap();
}

/// Neither way.
fn kinds() {
    for kind in [MapType::Hash, MapType::Array, MapType::Devmap] {
        let result = map(kind, 4, 4).update_cpu(0, 192, MapFlags::Any);
        assert_fails!(result, ErrorKind::NotSupported, "cpus");
    }
    let map = of_cpus(4);
    let result = map.update(&[0; 4], &192u32.to_ne_bytes(), MapFlags::Any);
    assert_fails!(result, ErrorKind::NotSupported, "cpus");
}

/// Each time a thread of the kernel, and a queue.
fn again_and_again() {
    let map = of_cpus(4);
    let cpu = cpu();
    for _ in 0..300 {
        map.update_cpu(cpu, 16384, MapFlags::Any).unwrap();
        map.delete(&cpu.to_ne_bytes()).unwrap();
    }
    assert_eq!(stored_in(&map, cpu), None);
}
