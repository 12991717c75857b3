//! `types.wit`: the enumerations, to and from the kernel's numbers.

use libbpf_sys as sys;

use crate::bindings::links::LinkType;
use crate::bindings::types::{MapType, ProgramType};

/// Both directions from one table, so that they cannot disagree.
macro_rules! kernel_numbers {
    ($type:ident, $($case:ident = $number:ident,)*) => {
        // Not every type is needed in every direction.
        #[allow(dead_code)]
        impl $type {
            pub(crate) fn from_kernel(number: u32) -> Self {
                match number {
                    $(sys::$number => Self::$case,)*
                    other => Self::Other(other),
                }
            }

            pub(crate) fn to_kernel(self) -> u32 {
                match self {
                    $(Self::$case => sys::$number,)*
                    Self::Other(number) => number,
                }
            }

            /// The kernel's name without the prefix, in kebab case, as in the WIT.
            pub(crate) fn name(self) -> String {
                match self {
                    $(Self::$case => {
                        let name = stringify!($number);
                        let name = ["BPF_MAP_TYPE_", "BPF_PROG_TYPE_", "BPF_LINK_TYPE_"]
                            .iter()
                            .find_map(|prefix| name.strip_prefix(prefix))
                            .unwrap_or(name);
                        name.to_ascii_lowercase().replace('_', "-")
                    })*
                    Self::Other(number) => format!("number {number}"),
                }
            }
        }
    };
}

kernel_numbers! { MapType,
    Hash = BPF_MAP_TYPE_HASH,
    Array = BPF_MAP_TYPE_ARRAY,
    ProgArray = BPF_MAP_TYPE_PROG_ARRAY,
    PerfEventArray = BPF_MAP_TYPE_PERF_EVENT_ARRAY,
    PercpuHash = BPF_MAP_TYPE_PERCPU_HASH,
    PercpuArray = BPF_MAP_TYPE_PERCPU_ARRAY,
    StackTrace = BPF_MAP_TYPE_STACK_TRACE,
    CgroupArray = BPF_MAP_TYPE_CGROUP_ARRAY,
    LruHash = BPF_MAP_TYPE_LRU_HASH,
    LruPercpuHash = BPF_MAP_TYPE_LRU_PERCPU_HASH,
    LpmTrie = BPF_MAP_TYPE_LPM_TRIE,
    ArrayOfMaps = BPF_MAP_TYPE_ARRAY_OF_MAPS,
    HashOfMaps = BPF_MAP_TYPE_HASH_OF_MAPS,
    Devmap = BPF_MAP_TYPE_DEVMAP,
    Sockmap = BPF_MAP_TYPE_SOCKMAP,
    Cpumap = BPF_MAP_TYPE_CPUMAP,
    Xskmap = BPF_MAP_TYPE_XSKMAP,
    Sockhash = BPF_MAP_TYPE_SOCKHASH,
    CgroupStorage = BPF_MAP_TYPE_CGROUP_STORAGE,
    ReuseportSockarray = BPF_MAP_TYPE_REUSEPORT_SOCKARRAY,
    PercpuCgroupStorage = BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
    Queue = BPF_MAP_TYPE_QUEUE,
    Stack = BPF_MAP_TYPE_STACK,
    SkStorage = BPF_MAP_TYPE_SK_STORAGE,
    DevmapHash = BPF_MAP_TYPE_DEVMAP_HASH,
    StructOps = BPF_MAP_TYPE_STRUCT_OPS,
    Ringbuf = BPF_MAP_TYPE_RINGBUF,
    InodeStorage = BPF_MAP_TYPE_INODE_STORAGE,
    TaskStorage = BPF_MAP_TYPE_TASK_STORAGE,
    BloomFilter = BPF_MAP_TYPE_BLOOM_FILTER,
    UserRingbuf = BPF_MAP_TYPE_USER_RINGBUF,
    CgrpStorage = BPF_MAP_TYPE_CGRP_STORAGE,
    Arena = BPF_MAP_TYPE_ARENA,
}

kernel_numbers! { ProgramType,
    SocketFilter = BPF_PROG_TYPE_SOCKET_FILTER,
    Kprobe = BPF_PROG_TYPE_KPROBE,
    SchedCls = BPF_PROG_TYPE_SCHED_CLS,
    SchedAct = BPF_PROG_TYPE_SCHED_ACT,
    Tracepoint = BPF_PROG_TYPE_TRACEPOINT,
    Xdp = BPF_PROG_TYPE_XDP,
    PerfEvent = BPF_PROG_TYPE_PERF_EVENT,
    CgroupSkb = BPF_PROG_TYPE_CGROUP_SKB,
    CgroupSock = BPF_PROG_TYPE_CGROUP_SOCK,
    LwtIn = BPF_PROG_TYPE_LWT_IN,
    LwtOut = BPF_PROG_TYPE_LWT_OUT,
    LwtXmit = BPF_PROG_TYPE_LWT_XMIT,
    SockOps = BPF_PROG_TYPE_SOCK_OPS,
    SkSkb = BPF_PROG_TYPE_SK_SKB,
    CgroupDevice = BPF_PROG_TYPE_CGROUP_DEVICE,
    SkMsg = BPF_PROG_TYPE_SK_MSG,
    RawTracepoint = BPF_PROG_TYPE_RAW_TRACEPOINT,
    CgroupSockAddr = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
    LwtSeg6local = BPF_PROG_TYPE_LWT_SEG6LOCAL,
    LircMode2 = BPF_PROG_TYPE_LIRC_MODE2,
    SkReuseport = BPF_PROG_TYPE_SK_REUSEPORT,
    FlowDissector = BPF_PROG_TYPE_FLOW_DISSECTOR,
    CgroupSysctl = BPF_PROG_TYPE_CGROUP_SYSCTL,
    RawTracepointWritable = BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
    CgroupSockopt = BPF_PROG_TYPE_CGROUP_SOCKOPT,
    Tracing = BPF_PROG_TYPE_TRACING,
    StructOps = BPF_PROG_TYPE_STRUCT_OPS,
    Ext = BPF_PROG_TYPE_EXT,
    Lsm = BPF_PROG_TYPE_LSM,
    SkLookup = BPF_PROG_TYPE_SK_LOOKUP,
    Syscall = BPF_PROG_TYPE_SYSCALL,
    Netfilter = BPF_PROG_TYPE_NETFILTER,
}

kernel_numbers! { LinkType,
    RawTracepoint = BPF_LINK_TYPE_RAW_TRACEPOINT,
    Tracing = BPF_LINK_TYPE_TRACING,
    Cgroup = BPF_LINK_TYPE_CGROUP,
    Iter = BPF_LINK_TYPE_ITER,
    Netns = BPF_LINK_TYPE_NETNS,
    Xdp = BPF_LINK_TYPE_XDP,
    PerfEvent = BPF_LINK_TYPE_PERF_EVENT,
    KprobeMulti = BPF_LINK_TYPE_KPROBE_MULTI,
    StructOps = BPF_LINK_TYPE_STRUCT_OPS,
    Netfilter = BPF_LINK_TYPE_NETFILTER,
    Tcx = BPF_LINK_TYPE_TCX,
    UprobeMulti = BPF_LINK_TYPE_UPROBE_MULTI,
    Netkit = BPF_LINK_TYPE_NETKIT,
    Sockmap = BPF_LINK_TYPE_SOCKMAP,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_the_round_trip() {
        for number in 0..200 {
            assert_eq!(MapType::from_kernel(number).to_kernel(), number);
            assert_eq!(ProgramType::from_kernel(number).to_kernel(), number);
            assert_eq!(LinkType::from_kernel(number).to_kernel(), number);
        }
    }

    #[test]
    fn a_case_given_as_other_is_the_case() {
        // A component may send `other(1)`; what is decided on the number must not see two different things.
        let sent = MapType::Other(sys::BPF_MAP_TYPE_HASH);
        assert!(matches!(
            MapType::from_kernel(sent.to_kernel()),
            MapType::Hash
        ));
    }

    #[test]
    fn names_are_those_of_the_wit() {
        assert_eq!(MapType::PercpuHash.name(), "percpu-hash");
        assert_eq!(ProgramType::LwtSeg6local.name(), "lwt-seg6local");
    }
}
