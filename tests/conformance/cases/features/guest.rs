//! What the running kernel is and can do.

use std::time::{Duration, SystemTime};

use conformance_guests::{assert_fails, given, number};
use wasm_bpf_guest::{ErrorKind, LinkType, MapType, ProgramType, features};

conformance_guests::guest!();

fn kernel() {
    let release = features::release();
    let version = features::version();
    assert!(
        release.starts_with(&format!("{}.{}", version.major, version.minor)),
        "{release}"
    );
    assert!(version.major >= 5, "{version:?}");
    assert!(!features::machine().is_empty());
    assert!(features::page_size().is_power_of_two() && features::page_size() >= 4096);
    let (monotonic, boot) = (features::monotonic_time(), features::boot_time());
    assert!(boot >= monotonic, "{boot:?} {monotonic:?}");
    let later = features::monotonic_time();
    assert!(later > monotonic);
    let wall = features::wall_time(later.as_nanos() as u64);
    let off = match SystemTime::now().duration_since(wall) {
        Ok(off) => off,
        Err(error) => error.duration(),
    };
    assert!(off < Duration::from_secs(60), "{off:?}");
}

fn online() -> Vec<u32> {
    features::online_cpus().unwrap()
}

fn cpus() {
    assert_eq!(
        features::num_possible_cpus().unwrap(),
        number::<usize>("possible-cpus")
    );
    let online = online();
    for cpu in conformance_guests::cpus() {
        assert!(online.contains(&(cpu as u32)), "{cpu} {online:?}");
    }
}

fn interfaces() {
    let name = given("interface");
    let all = features::network_interfaces().unwrap();
    let index = features::interface_index(&name).unwrap();
    assert!(
        all.iter().any(|one| one.index == index && one.name == name),
        "{all:?}"
    );
    assert_eq!(features::interface_name(index), Some(name));
    for name in ["", "no-such-device", "lo\0", "../lo", &"a".repeat(1 << 20)] {
        assert_eq!(features::interface_index(name), None);
    }
    for index in [0, u32::MAX] {
        assert_eq!(features::interface_name(index), None);
    }
}

fn probes() {
    use features::{is_helper_supported, is_map_type_supported, is_program_type_supported};
    assert!(is_map_type_supported(MapType::Hash).unwrap());
    assert!(is_map_type_supported(MapType::Ringbuf).unwrap());
    assert!(is_map_type_supported(MapType::Other(1)).unwrap());
    assert!(is_program_type_supported(ProgramType::Tracepoint).unwrap());
    assert!(is_program_type_supported(ProgramType::Xdp).unwrap());
    let lookup = features::helper_number("bpf_map_lookup_elem").unwrap();
    assert_eq!(lookup, 1);
    assert!(is_helper_supported(ProgramType::Tracepoint, lookup).unwrap());
    let redirect = features::helper_number("bpf_redirect_map").unwrap();
    assert!(is_helper_supported(ProgramType::Xdp, redirect).unwrap());
    assert!(!is_helper_supported(ProgramType::Tracepoint, redirect).unwrap());
    for helper in [5000, u32::MAX] {
        assert!(!is_helper_supported(ProgramType::Tracepoint, helper).unwrap());
    }
    for name in [
        "",
        "bpf_no_such",
        "map_lookup_elem",
        "bpf_map_lookup_elem\0",
    ] {
        assert_eq!(features::helper_number(name), None);
    }
    for number in [1000, u32::MAX] {
        assert_fails!(
            is_map_type_supported(MapType::Other(number)),
            ErrorKind::NotSupported
        );
        assert_fails!(
            is_program_type_supported(ProgramType::Other(number)),
            ErrorKind::NotSupported
        );
        assert_fails!(
            is_helper_supported(ProgramType::Other(number), 1),
            ErrorKind::NotSupported | ErrorKind::InvalidArgument
        );
    }
    assert_fails!(
        is_helper_supported(ProgramType::Tracing, lookup),
        ErrorKind::NotSupported
    );
    // The answer is remembered.
    for _ in 0..10_000 {
        assert!(is_map_type_supported(MapType::Hash).unwrap());
    }
}

fn probes_without_room() {
    assert_fails!(
        features::is_map_type_supported(MapType::Array),
        ErrorKind::LimitExceeded
    );
    let kind = ProgramType::Tracepoint;
    assert_fails!(
        features::is_program_type_supported(kind),
        ErrorKind::LimitExceeded
    );
    assert_fails!(
        features::is_helper_supported(kind, 1),
        ErrorKind::LimitExceeded
    );
}

fn types_of_attachment() {
    // BPF_TRACE_ITER (5.8) is 28.
    assert!(features::is_attach_type_supported(28).unwrap());
    for number in [10_000, u32::MAX] {
        assert!(!features::is_attach_type_supported(number).unwrap());
    }
    assert!(features::is_link_type_supported(LinkType::Iter).unwrap());
    assert!(!features::is_link_type_supported(LinkType::Other(10_000)).unwrap());
    assert!(!features::is_link_type_supported(LinkType::Other(0)).unwrap());
}

fn functions() {
    let names = ["vfs_read", "vfs_no_such", "", "vfs_write", "vfs_read"];
    let found = features::functions_exist(&names).unwrap();
    assert_eq!(found, [true, false, false, true, true]);
    // A variable.
    assert!(!features::function_exists("tcp_hashinfo").unwrap());
    assert!(
        features::functions_exist(&[] as &[&str])
            .unwrap()
            .is_empty()
    );
    let many = vec!["a"; 70_000];
    assert_fails!(features::functions_exist(&many), ErrorKind::LimitExceeded);
}

fn tracepoints() {
    assert!(features::tracepoint_exists("sched", "sched_switch").unwrap());
    assert!(!features::tracepoint_exists("sched", "no_such").unwrap());
    assert!(!features::tracepoint_exists("no_such", "sched_switch").unwrap());
    for bad in ["", ".", "..", "../sched", "a/b", "a\0"] {
        assert_fails!(
            features::tracepoint_exists(bad, "sched_switch"),
            ErrorKind::InvalidArgument
        );
        assert_fails!(
            features::tracepoint_exists("sched", bad),
            ErrorKind::InvalidArgument
        );
    }
}

fn raw_tracepoints() {
    assert!(features::raw_tracepoint_exists("sched_switch").unwrap());
    assert!(!features::raw_tracepoint_exists("no_such_tracepoint").unwrap());
    for bad in ["", "../x", "a b"] {
        assert_fails!(
            features::raw_tracepoint_exists(bad),
            ErrorKind::InvalidArgument
        );
    }
}

fn config() {
    match features::config("CONFIG_BPF_SYSCALL") {
        Ok(value) => {
            assert_eq!(value.as_deref(), Some("y"));
            assert_eq!(features::config("CONFIG_NO_SUCH_OPTION").unwrap(), None);
            let hz = features::jiffies_per_second().unwrap();
            assert!((24..=10_000).contains(&hz), "{hz}");
            assert_eq!(features::config("CONFIG_HZ").unwrap(), Some(hz.to_string()));
        }
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::NotFound), "{error}");
            assert_fails!(features::jiffies_per_second(), ErrorKind::NotFound);
        }
    }
    for bad in [
        "",
        "CONFIG_",
        "BPF_SYSCALL",
        "CONFIG_A=y",
        "CONFIG_../x",
        "CONFIG_A\0",
    ] {
        assert_fails!(features::config(bad), ErrorKind::InvalidArgument);
    }
}
