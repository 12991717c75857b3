//! What the kernel says of links.

use std::os::fd::{AsRawFd as _, BorrowedFd};

use libbpf_sys::{self as sys, bpf_link_info};

use crate::bindings::links::{
    CgroupDetails, CgroupIteration, EventDetails, InterfaceDetails, IterDetails, Iteration,
    KprobeDetails, KprobeMultiDetails, LinkDetails, LinkInfo, LinkPlace, LinkType,
    NetfilterDetails, NetnsDetails, RawTracepointDetails, SockmapDetails, TaskIteration,
    TracepointDetails, TracingDetails, UprobeDetails, UprobeMultiDetails,
};
use crate::bindings::types::ErrorCode;
use crate::error::CodeResult;

/// Paths end within this; names are shorter.
const MAX_TEXT: usize = 4096;

/// Asks the kernel. What `info` points to already is the caller's, with the lengths that go with it. A text that did not get in whole is no failure.
fn ask(link: BorrowedFd<'_>, info: &mut bpf_link_info) -> Result<(), i32> {
    let mut length = size_of_val(info) as u32;
    // SAFETY: `info` is a plain struct of `length` bytes.
    let answer =
        unsafe { sys::bpf_link_get_info_by_fd(link.as_raw_fd(), &raw mut *info, &raw mut length) };
    match -answer {
        ..=0 => Ok(()),
        errno => Err(errno),
    }
}

/// The kernel's own answer, without texts.
pub(super) fn kernel_info(link: BorrowedFd<'_>) -> Option<bpf_link_info> {
    let mut info = bpf_link_info::default();
    ask(link, &mut info).is_ok().then_some(info)
}

/// Room for a text that the kernel writes.
struct Text(Vec<u8>);

impl Text {
    fn new() -> Self {
        Self(vec![0; MAX_TEXT])
    }

    fn address(&mut self) -> u64 {
        self.0.as_mut_ptr() as u64
    }

    fn length(&self) -> u32 {
        self.0.len() as u32
    }

    fn read(&self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0);
        String::from_utf8_lossy(&self.0[..end.unwrap_or(self.0.len())]).into_owned()
    }
}

/// None if the descriptor is that of a perf event: how kernels before 5.15 attach tracepoints and probes.
pub(super) fn info(link: BorrowedFd<'_>) -> CodeResult<Option<LinkInfo>> {
    let mut first = bpf_link_info::default();
    match ask(link, &mut first) {
        Ok(()) => {}
        Err(libc::EINVAL | libc::EBADFD) => return Ok(None),
        Err(errno) => return Err(std::io::Error::from_raw_os_error(errno).into()),
    }
    Ok(Some(LinkInfo {
        id: first.id,
        type_: LinkType::from_kernel(first.type_),
        program_id: first.prog_id,
        details: details(link, &first)?,
    }))
}

fn details(link: BorrowedFd<'_>, first: &bpf_link_info) -> CodeResult<LinkDetails> {
    let mut text = Text::new();
    // The whole answer, with a text where this kind has one.
    let mut ask_with = |set: &dyn Fn(&mut bpf_link_info, u64, u32)| -> CodeResult<bpf_link_info> {
        let mut info = bpf_link_info::default();
        let length = text.length();
        set(&mut info, text.address(), length);
        ask(link, &mut info).map_err(std::io::Error::from_raw_os_error)?;
        Ok(info)
    };
    // SAFETY of all that reads from a union: the kernel filled it for this kind of link, and every member is of integers.
    let union = &first.__bindgen_anon_1;
    Ok(match LinkType::from_kernel(first.type_) {
        LinkType::RawTracepoint => {
            let info = ask_with(&|info, address, length| {
                info.__bindgen_anon_1.raw_tracepoint.tp_name = address;
                info.__bindgen_anon_1.raw_tracepoint.tp_name_len = length;
            })?;
            LinkDetails::RawTracepoint(RawTracepointDetails {
                name: text.read(),
                // SAFETY: see above.
                cookie: unsafe { info.__bindgen_anon_1.raw_tracepoint.cookie },
            })
        }
        LinkType::Tracing => {
            // SAFETY: see above.
            let info = unsafe { union.tracing };
            LinkDetails::Tracing(TracingDetails {
                attach_type: info.attach_type,
                target_object_id: info.target_obj_id,
                target_btf_id: info.target_btf_id,
                cookie: info.cookie,
            })
        }
        LinkType::Cgroup => {
            // SAFETY: see above.
            let info = unsafe { union.cgroup };
            LinkDetails::Cgroup(CgroupDetails {
                cgroup_id: info.cgroup_id,
                attach_type: info.attach_type,
            })
        }
        LinkType::Iter => {
            let info = ask_with(&|info, address, length| {
                info.__bindgen_anon_1.iter.target_name = address;
                info.__bindgen_anon_1.iter.target_name_len = length;
            })?;
            let target = text.read();
            // SAFETY: see above.
            let iteration = unsafe { iteration(&target, &info) };
            LinkDetails::Iter(IterDetails { target, iteration })
        }
        LinkType::Netns => {
            // SAFETY: see above.
            let info = unsafe { union.netns };
            LinkDetails::Netns(NetnsDetails {
                inode: info.netns_ino,
                attach_type: info.attach_type,
            })
        }
        LinkType::Xdp => LinkDetails::Xdp(InterfaceDetails {
            // SAFETY: see above.
            interface_index: unsafe { union.xdp.ifindex },
            attach_type: sys::BPF_XDP,
        }),
        // SAFETY: see above.
        LinkType::StructOps => LinkDetails::StructOps(unsafe { union.struct_ops.map_id }),
        LinkType::Netfilter => {
            // SAFETY: see above.
            let info = unsafe { union.netfilter };
            LinkDetails::Netfilter(NetfilterDetails {
                protocol_family: info.pf,
                hook: info.hooknum,
                priority: info.priority,
                flags: info.flags,
            })
        }
        LinkType::KprobeMulti => {
            // SAFETY: see above.
            let info = unsafe { union.kprobe_multi };
            LinkDetails::KprobeMulti(KprobeMultiDetails {
                count: info.count,
                flags: info.flags,
                missed: info.missed,
            })
        }
        LinkType::UprobeMulti => {
            let info = ask_with(&|info, address, length| {
                info.__bindgen_anon_1.uprobe_multi.path = address;
                info.__bindgen_anon_1.uprobe_multi.path_size = length;
            })?;
            // SAFETY: see above.
            let info = unsafe { info.__bindgen_anon_1.uprobe_multi };
            LinkDetails::UprobeMulti(UprobeMultiDetails {
                path: text.read(),
                count: info.count,
                flags: info.flags,
                process: info.pid,
            })
        }
        LinkType::PerfEvent => {
            // SAFETY: see above.
            match unsafe { union.perf_event.type_ } {
                sys::BPF_PERF_EVENT_UNSPEC => LinkDetails::Unknown,
                sys::BPF_PERF_EVENT_EVENT => {
                    // SAFETY: see above.
                    let info = unsafe { union.perf_event.__bindgen_anon_1.event };
                    LinkDetails::Event(EventDetails {
                        type_: info.type_,
                        config: info.config,
                        cookie: info.cookie,
                    })
                }
                _ => {
                    // The place of the name is the same for all that have one.
                    let info = ask_with(&|info, address, length| {
                        info.__bindgen_anon_1.perf_event.__bindgen_anon_1.kprobe =
                            sys::bpf_link_info__bindgen_ty_1__bindgen_ty_11__bindgen_ty_1__bindgen_ty_2 {
                                func_name: address,
                                name_len: length,
                                ..Default::default()
                            };
                    })?;
                    // SAFETY: see above.
                    unsafe { named_event(&info, text.read()) }
                }
            }
        }
        LinkType::Tcx => {
            // SAFETY: see above.
            let info = unsafe { union.tcx };
            LinkDetails::Tcx(InterfaceDetails {
                interface_index: info.ifindex,
                attach_type: info.attach_type,
            })
        }
        LinkType::Netkit => {
            // SAFETY: see above.
            let info = unsafe { union.netkit };
            LinkDetails::Netkit(InterfaceDetails {
                interface_index: info.ifindex,
                attach_type: info.attach_type,
            })
        }
        LinkType::Sockmap => {
            // SAFETY: see above.
            let info = unsafe { union.sockmap };
            LinkDetails::Sockmap(SockmapDetails {
                map_id: info.map_id,
                attach_type: info.attach_type,
            })
        }
        LinkType::Other(_) => LinkDetails::Unknown,
    })
}

/// # Safety
/// The kernel filled `info` for an iterator.
unsafe fn iteration(target: &str, info: &bpf_link_info) -> Iteration {
    // SAFETY: the caller's word.
    let (first, second) = unsafe {
        let iter = &info.__bindgen_anon_1.iter;
        (iter.__bindgen_anon_1, iter.__bindgen_anon_2)
    };
    match target {
        // SAFETY: what the kernel fills for iterators of these names.
        "bpf_map_elem" | "bpf_sk_storage_map" => unsafe { Iteration::ElementsOf(first.map.map_id) },
        // SAFETY: as above.
        "cgroup" => unsafe {
            Iteration::Cgroups(CgroupIteration {
                cgroup_id: second.cgroup.cgroup_id,
                order: second.cgroup.order,
            })
        },
        // SAFETY: as above.
        "task" | "task_file" | "task_vma" => unsafe {
            Iteration::Tasks(TaskIteration {
                thread: second.task.tid,
                process: second.task.pid,
            })
        },
        _ => Iteration::All,
    }
}

/// # Safety
/// The kernel filled `info` for a perf event.
unsafe fn named_event(info: &bpf_link_info, name: String) -> LinkDetails {
    // SAFETY: the caller's word; every member is of integers.
    let (kind, union) = unsafe {
        let event = &info.__bindgen_anon_1.perf_event;
        (event.type_, &event.__bindgen_anon_1)
    };
    match kind {
        sys::BPF_PERF_EVENT_TRACEPOINT => LinkDetails::Tracepoint(TracepointDetails {
            name,
            // SAFETY: as above.
            cookie: unsafe { union.tracepoint.cookie },
        }),
        sys::BPF_PERF_EVENT_KPROBE | sys::BPF_PERF_EVENT_KRETPROBE => {
            // SAFETY: as above.
            let probe = unsafe { union.kprobe };
            LinkDetails::Kprobe(KprobeDetails {
                function: name,
                offset: probe.offset,
                is_return: kind == sys::BPF_PERF_EVENT_KRETPROBE,
                address: probe.addr,
                missed: probe.missed,
                cookie: probe.cookie,
            })
        }
        sys::BPF_PERF_EVENT_UPROBE | sys::BPF_PERF_EVENT_URETPROBE => {
            // SAFETY: as above.
            let probe = unsafe { union.uprobe };
            LinkDetails::Uprobe(UprobeDetails {
                // The kernel has the name that it was given: of this host a descriptor's, which may be another's by now.
                path: if name.starts_with("/proc/self/fd/") {
                    String::new()
                } else {
                    name
                },
                offset: probe.offset,
                is_return: kind == sys::BPF_PERF_EVENT_URETPROBE,
                cookie: probe.cookie,
                semaphore_offset: probe.ref_ctr_offset,
            })
        }
        _ => LinkDetails::Unknown,
    }
}

/// Places of links that have many.
pub(super) fn places(link: BorrowedFd<'_>) -> CodeResult<Vec<LinkPlace>> {
    let mut first = bpf_link_info::default();
    match ask(link, &mut first) {
        Ok(()) => {}
        Err(libc::EINVAL | libc::EBADFD) => return Ok(Vec::new()),
        Err(errno) => return Err(std::io::Error::from_raw_os_error(errno).into()),
    }
    let kind = LinkType::from_kernel(first.type_);
    // SAFETY: the kernel filled the union for this kind of link.
    let count = unsafe {
        match kind {
            LinkType::KprobeMulti => first.__bindgen_anon_1.kprobe_multi.count,
            LinkType::UprobeMulti => first.__bindgen_anon_1.uprobe_multi.count,
            _ => return Ok(Vec::new()),
        }
    };
    // A link has one place at least; a kernel that does not tell leaves the number alone.
    if count == 0 {
        return Err(ErrorCode::NotSupported.into());
    }
    let numbers = || vec![0u64; count as usize];
    let (mut addresses, mut cookies, mut semaphores) = (numbers(), numbers(), numbers());
    let mut info = bpf_link_info::default();
    if matches!(kind, LinkType::KprobeMulti) {
        info.__bindgen_anon_1.kprobe_multi = sys::bpf_link_info__bindgen_ty_1__bindgen_ty_9 {
            addrs: addresses.as_mut_ptr() as u64,
            count,
            cookies: cookies.as_mut_ptr() as u64,
            ..Default::default()
        };
    } else {
        info.__bindgen_anon_1.uprobe_multi = sys::bpf_link_info__bindgen_ty_1__bindgen_ty_10 {
            offsets: addresses.as_mut_ptr() as u64,
            ref_ctr_offsets: semaphores.as_mut_ptr() as u64,
            cookies: cookies.as_mut_ptr() as u64,
            count,
            ..Default::default()
        };
    }
    // Each list has room for `count` numbers, which the kernel keeps to.
    ask(link, &mut info).map_err(std::io::Error::from_raw_os_error)?;
    let places = addresses.iter().zip(cookies).zip(semaphores);
    Ok(places
        .map(|((address, cookie), semaphore_offset)| LinkPlace {
            address: *address,
            cookie,
            semaphore_offset,
        })
        .collect())
}
