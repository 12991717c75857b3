//! Kernel functions that programs call by BTF id.

use std::ffi::CStr;
use std::ptr::NonNull;
use std::sync::OnceLock;

/// Iterators, references, containers and reads: what observing programs need. A name that ends in `*` stands for a family.
const OBSERVE: &[&str] = &[
    "bpf_iter_*",
    "bpf_rcu_read_lock",
    "bpf_rcu_read_unlock",
    "bpf_preempt_disable",
    "bpf_preempt_enable",
    "bpf_local_irq_save",
    "bpf_local_irq_restore",
    "bpf_task_acquire",
    "bpf_task_release",
    "bpf_task_from_pid",
    "bpf_task_from_vpid",
    "bpf_task_under_cgroup",
    "bpf_task_get_cgroup1",
    "bpf_get_task_exe_file",
    "bpf_put_file",
    "bpf_path_d_path",
    "bpf_cgroup_acquire",
    "bpf_cgroup_release",
    "bpf_cgroup_ancestor",
    "bpf_cgroup_from_id",
    "bpf_cgroup_read_xattr",
    "bpf_get_file_xattr",
    "bpf_get_dentry_xattr",
    "bpf_cpumask_*",
    "bpf_dynptr_*",
    "bpf_obj_new_impl",
    "bpf_obj_drop_impl",
    "bpf_percpu_obj_new_impl",
    "bpf_percpu_obj_drop_impl",
    "bpf_refcount_acquire_impl",
    "bpf_list_*",
    "bpf_rbtree_*",
    "bpf_rdonly_cast",
    "bpf_cast_to_kern_ctx",
    "bpf_map_sum_elem_count",
    "bpf_arena_alloc_pages",
    "bpf_arena_free_pages",
    "bpf_arena_reserve_pages",
    "bpf_copy_from_user_str",
    "bpf_copy_from_user_task_str",
    "bpf_copy_from_user_dynptr",
    "bpf_copy_from_user_str_dynptr",
    "bpf_copy_from_user_task_dynptr",
    "bpf_copy_from_user_task_str_dynptr",
    "bpf_probe_read_kernel_dynptr",
    "bpf_probe_read_kernel_str_dynptr",
    "bpf_probe_read_user_dynptr",
    "bpf_probe_read_user_str_dynptr",
    "bpf_get_kmem_cache",
    "bpf_get_fsverity_digest",
    "bpf_session_cookie",
    "bpf_session_is_return",
    "bpf_get_cpu_time_counter",
    "bpf_cpu_time_counter_to_ns",
    "bpf_throw",
    "bpf_wq_*",
    "bpf_stream_vprintk",
    "bpf_stream_vprintk_impl",
    "bpf_strcmp",
    "bpf_strcasecmp",
    "bpf_strchr",
    "bpf_strchrnul",
    "bpf_strnchr",
    "bpf_strrchr",
    "bpf_strlen",
    "bpf_strnlen",
    "bpf_strspn",
    "bpf_strcspn",
    "bpf_strstr",
    "bpf_strnstr",
    "bpf_res_spin_*",
];

/// Whether a program that only observes may call it.
pub(super) fn is_observing(name: &str) -> bool {
    OBSERVE.iter().any(|known| match known.strip_suffix('*') {
        Some(family) => name.starts_with(family),
        None => name == *known,
    })
}

/// The kernel's BTF, parsed once: tens of milliseconds, only paid when a program calls a kernel function.
struct KernelBtf(Option<NonNull<libbpf_sys::btf>>);

// SAFETY: the BTF is never changed after it was parsed, and never freed.
unsafe impl Send for KernelBtf {}
// SAFETY: as above; looking up types by id only reads.
unsafe impl Sync for KernelBtf {}

static KERNEL_BTF: OnceLock<KernelBtf> = OnceLock::new();

/// Whether a descriptor is BTF of the kernel or of one of its modules, and not what some program brought along.
pub(super) fn is_kernel_btf(descriptor: i32) -> bool {
    let mut info = libbpf_sys::bpf_btf_info::default();
    let mut length = size_of_val(&info) as u32;
    // SAFETY: `info` is a plain struct of `length` bytes; its pointers are null, so the kernel writes nothing elsewhere.
    let answer =
        unsafe { libbpf_sys::bpf_btf_get_info_by_fd(descriptor, &raw mut info, &raw mut length) };
    answer == 0 && info.kernel_btf == 1
}

/// The name of the function that has this id in the kernel's BTF, none if there is no such function.
pub(crate) fn name_of(btf_id: u32) -> Option<&'static str> {
    let btf = KERNEL_BTF.get_or_init(|| {
        // SAFETY: takes no argument; returns null on failure.
        KernelBtf(NonNull::new(unsafe { libbpf_sys::btf__load_vmlinux_btf() }))
    });
    let btf = btf.0?;
    // SAFETY: `btf` lives as long as the process; a wrong id gives null.
    let info = unsafe { libbpf_sys::btf__type_by_id(btf.as_ptr(), btf_id).as_ref() }?;
    let kind = (info.info >> 24) & 0x1f;
    if kind != libbpf_sys::BTF_KIND_FUNC {
        return None;
    }
    // SAFETY: a wrong offset gives null; strings of the BTF live as long as it does.
    let name = unsafe {
        let name = libbpf_sys::btf__name_by_offset(btf.as_ptr(), info.name_off);
        (!name.is_null()).then(|| CStr::from_ptr(name))
    };
    name.and_then(|name| name.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_and_names() {
        assert!(is_observing("bpf_iter_num_new"));
        assert!(is_observing("bpf_task_acquire"));
        assert!(!is_observing("bpf_task_acquire_not"));
        assert!(!is_observing("bpf_xdp_metadata_rx_hash"));
        assert!(!is_observing("cubictcp_init"));
        assert!(!is_observing("bpf_kfunc_call_test_mod"));
    }
}
