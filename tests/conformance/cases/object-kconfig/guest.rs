//! The kernel's configuration.

use conformance_guests::{assert_fails, pull, trigger};
use wasm_bpf_guest::ErrorKind;

conformance_guests::guest!();

/// Each, whatever its size is, and where libbpf put it.
fn same_for_both() {
    let mut open = case::CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = trigger();
    let mut skel = open.load().unwrap();
    skel.attach().unwrap();
    pull(1);
    let seen = skel.bss.get().unwrap();
    let all = skel.kconfig.get().unwrap();
    assert_ne!(seen.version, 0);
    assert_eq!(all.LINUX_KERNEL_VERSION, seen.version);
    assert_eq!(
        skel.kconfig.LINUX_KERNEL_VERSION.get().unwrap(),
        seen.version
    );
    assert_eq!((all.CONFIG_BPF, seen.has_bpf), (1, 1));
    assert_eq!((all.CONFIG_NO_KERNEL_HAS_THIS, seen.has_none), (0, 0));
    assert_ne!(seen.hz, 0);
    assert_eq!(all.CONFIG_HZ, seen.hz);
    // TRI_YES
    assert_eq!(seen.has_syscall, 1);
    assert_eq!(all.CONFIG_BPF_SYSCALL.0, seen.has_syscall);
    assert_ne!(seen.hostname[0], 0);
    assert_eq!(all.CONFIG_DEFAULT_HOSTNAME, seen.hostname);
    assert_ne!(seen.shift, 0);
    assert_eq!(all.CONFIG_LOG_BUF_SHIFT, seen.shift);
}

/// libbpf would overwrite it.
fn not_to_be_set() {
    let open = case::CaseSkelBuilder::new().open().unwrap().open;
    let kconfig = open.map(".kconfig").unwrap();
    let result = kconfig.set_initial_value(&[1; 4]);
    assert_fails!(result, ErrorKind::InvalidArgument, ".kconfig");
}
