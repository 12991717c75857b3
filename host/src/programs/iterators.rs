//! Iterators: programs that the kernel runs for each thing of a kind, and whose output is read.

use std::collections::HashSet;
use std::ffi::CStr;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;

use libbpf_sys as sys;
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;

use super::trace::{link_options, make_link};
use super::{Program, cannot_attach};
use crate::bindings::programs::{CgroupOrder, HostIteratorOptions};
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::descriptors::HostFile;
use crate::error::{CodeError, Failure, FailureResult};
use crate::links::Link;
use crate::maps::Map;
use crate::objects::LoadedProgram;
use crate::policy::{Need, Reservation, kernel_function};

/// What an iterator is to walk.
#[derive(Default)]
pub struct IteratorOptions {
    over: Over,
}

#[derive(Default)]
enum Over {
    /// What its kind has.
    #[default]
    All,
    Map(Arc<Map>),
    Cgroup {
        folder: HostFile,
        order: CgroupOrder,
        _held: Reservation,
    },
    Task(u32),
    Process(u32),
}

impl CgroupOrder {
    fn to_kernel(self) -> u32 {
        match self {
            Self::SelfOnly => sys::BPF_CGROUP_ITER_SELF_ONLY,
            Self::DescendantsPre => sys::BPF_CGROUP_ITER_DESCENDANTS_PRE,
            Self::DescendantsPost => sys::BPF_CGROUP_ITER_DESCENDANTS_POST,
            Self::AncestorsUp => sys::BPF_CGROUP_ITER_ANCESTORS_UP,
            Self::Other(number) => number,
        }
    }
}

pub(super) fn set_map(
    view: &mut WasmBpfCtxView<'_>,
    options: &Resource<IteratorOptions>,
    map: &Resource<Map>,
) -> FailureResult<()> {
    let map = view.table.get(map)?;
    let name = &map.info().name;
    // An iterator's program writes to values directly, and the kernel asks neither for these flags nor for what is in a value: the
    // verifier takes what is in read-only maps for constants, and the kernel what is in its own fields for its own.
    let why = if map.demand_changeable().is_err() {
        "it was opened by its id, to be read only, and an iterator could write to it"
    } else if map.info().flags & sys::BPF_F_RDONLY_PROG != 0 {
        "programs may only read it, and an iterator could write to it"
    } else if has_fields_of_the_kernel(map.fd()) {
        "its values have locks, timers, lists or pointers of the kernel, and an iterator could write to them"
    } else {
        let map = map.try_clone(&view.ctx.usage).map_err(|error| {
            let mut text =
                format!("cannot iterate over the map `{name}`: no second descriptor of it");
            if matches!(error, CodeError::Code(ErrorCode::LimitExceeded)) {
                text.push_str("; the limit can be raised with --limit descriptors=N");
            }
            Failure::of(error, text).about(name)
        })?;
        view.table.get_mut(options)?.over = Over::Map(Arc::new(map));
        return Ok(());
    };
    let text = format!("cannot iterate over the map `{name}`: {why}");
    Err(Failure::refused(ErrorCode::NotPermitted, text).about(name))
}

pub(super) fn set_cgroup(
    view: &mut WasmBpfCtxView<'_>,
    options: &Resource<IteratorOptions>,
    cgroup: &Resource<Descriptor>,
    order: CgroupOrder,
) -> FailureResult<()> {
    let folder = view.host_file(cgroup)?;
    let need = Need {
        descriptors: 1,
        ..Need::default()
    };
    let held = view.ctx.usage.reserve(need).map_err(|limit| {
        let text = format!("cannot iterate over cgroups: {limit}");
        Failure::refused(ErrorCode::LimitExceeded, text)
    })?;
    view.table.get_mut(options)?.over = Over::Cgroup {
        folder,
        order,
        _held: held,
    };
    Ok(())
}

pub(super) fn set_task(
    view: &mut WasmBpfCtxView<'_>,
    options: &Resource<IteratorOptions>,
    thread: u32,
) -> FailureResult<()> {
    view.table.get_mut(options)?.over = Over::Task(not_zero(thread, "thread")?);
    Ok(())
}

pub(super) fn set_process(
    view: &mut WasmBpfCtxView<'_>,
    options: &Resource<IteratorOptions>,
    process: u32,
) -> FailureResult<()> {
    view.table.get_mut(options)?.over = Over::Process(not_zero(process, "process")?);
    Ok(())
}

/// 0 is how the kernel is told "all of them".
fn not_zero(id: u32, what: &str) -> FailureResult<u32> {
    if id == 0 {
        let text = format!("there is no {what} with the id 0");
        return Err(Failure::refused(ErrorCode::InvalidArgument, text));
    }
    Ok(id)
}

pub(super) fn attach(
    view: &mut WasmBpfCtxView<'_>,
    program: &Resource<Program>,
    options: &Resource<IteratorOptions>,
) -> FailureResult<Resource<Link>> {
    let to = "as an iterator";
    view.demand_kind(program, &[ProgramType::Tracing], to)?;
    let program = view.table.get(program)?.clone();
    let over = &view.table.get(options)?.over;
    let loaded = program.loaded();
    if loaded.attach_type != sys::BPF_TRACE_ITER {
        let text = format!(
            "cannot attach `{}` {to}: it is none (attach type {})",
            loaded.name, loaded.attach_type
        );
        return Err(Failure::refused(ErrorCode::InvalidArgument, text).about(&loaded.name));
    }
    let mut info = over.link_info(loaded)?;
    let mut options = link_options();
    if !matches!(over, Over::All) {
        options.iter_info = &raw mut info;
        options.iter_info_len = size_of_val(&info) as _;
    }
    let link = match make_link(view, &program, 0, &options)? {
        Ok(link) => link,
        Err(errno) => {
            let mut failure = cannot_attach(loaded, to, errno, &[]);
            let hint = match (over, errno) {
                (Over::All, libc::EBADF | libc::EINVAL) => {
                    "some iterators have to be told what to walk: see iterator-options"
                }
                (Over::Cgroup { .. }, libc::EBADF) => {
                    "the folder is none of a cgroup file system of version 2"
                }
                _ => return Err(failure),
            };
            if let Failure::Error(error) = &mut failure {
                error.code = ErrorCode::InvalidArgument;
                error.message.push_str(&format!("\n{hint}"));
            }
            return Err(failure);
        }
    };
    over.check(&link, loaded)?;
    let link = match over {
        Over::Map(map) => link.with_map(Arc::clone(map)),
        _ => link,
    };
    Ok(view.table.push(link)?)
}

/// What is asked of the iterator is not what it walks.
fn mismatch(program: &LoadedProgram, what: &str) -> Failure {
    let text = format!(
        "cannot attach `{}` as an iterator over {what}: it walks something else",
        program.name
    );
    Failure::refused(ErrorCode::InvalidArgument, text).about(&program.name)
}

fn not_supported(program: &LoadedProgram, what: &str) -> Failure {
    let text = format!(
        "cannot attach `{}` as an iterator over {what}: this kernel cannot restrict it so (6.1 can)",
        program.name
    );
    Failure::refused(ErrorCode::NotSupported, text).about(&program.name)
}

impl Over {
    fn words(&self) -> &'static str {
        match self {
            Self::All => "everything",
            Self::Map(_) => "the elements of a map",
            Self::Cgroup { .. } => "cgroups",
            Self::Task(_) => "one thread",
            Self::Process(_) => "one process",
        }
    }

    /// What the kernel is told. It is a union, which an iterator of another kind takes for what it knows: a number of the component would
    /// be a descriptor of the host. So those whose numbers the component chose are only for iterators that are known to be of the kind.
    fn link_info(&self, program: &LoadedProgram) -> FailureResult<sys::bpf_iter_link_info> {
        let demand = |known: &[&str]| match target_of(program.fd()) {
            Some(target) if known.contains(&target) => Ok(()),
            Some(_) => Err(mismatch(program, self.words())),
            None => Err(not_supported(program, self.words())),
        };
        let tasks = ["bpf_iter_task", "bpf_iter_task_file", "bpf_iter_task_vma"];
        let mut info = sys::bpf_iter_link_info::default();
        match self {
            Self::All => {}
            Self::Map(map) => info.map.map_fd = map.fd().as_raw_fd() as u32,
            Self::Cgroup { folder, order, .. } => {
                demand(&["bpf_iter_cgroup"])?;
                info.cgroup.order = order.to_kernel();
                info.cgroup.cgroup_fd = folder.as_fd().as_raw_fd() as u32;
            }
            Self::Task(thread) => {
                demand(&tasks)?;
                info.task.tid = *thread;
            }
            Self::Process(process) => {
                demand(&tasks)?;
                info.task.pid = *process;
            }
        }
        Ok(info)
    }

    /// Whether the kernel took it: iterators that know nothing of what they are told walk everything.
    fn check(&self, link: &Link, program: &LoadedProgram) -> FailureResult<()> {
        if matches!(self, Self::All | Self::Cgroup { .. }) {
            // Cgroup iterators and what they are told came with the same kernel.
            return Ok(());
        }
        let Some(info) = link.kernel_info() else {
            return Ok(());
        };
        // SAFETY: the kernel fills in this part for links of iterators; every bit pattern is a number.
        let (name_length, map, [thread, process]) = unsafe {
            let iter = info.__bindgen_anon_1.iter;
            let task = iter.__bindgen_anon_2.task;
            let map = iter.__bindgen_anon_1.map.map_id;
            (iter.target_name_len, map, [task.tid, task.pid])
        };
        match self {
            // Kernels before 5.10 do not say.
            Self::Map(_) if name_length == 0 => Ok(()),
            Self::Map(wanted) if map != wanted.info().id => Err(mismatch(program, self.words())),
            Self::Task(wanted) if thread != *wanted => Err(not_supported(program, self.words())),
            Self::Process(wanted) if process != *wanted => {
                Err(not_supported(program, self.words()))
            }
            _ => Ok(()),
        }
    }
}

/// The function of the kernel's BTF that stands for what an iterator walks; none if the kernel (before 6.0) does not say, or if it is in a
/// module.
fn target_of(program: BorrowedFd<'_>) -> Option<&'static str> {
    let mut info = sys::bpf_prog_info::default();
    let mut length = size_of_val(&info) as u32;
    // SAFETY: `info` is a plain struct of `length` bytes; its pointers are null, so the kernel writes nothing elsewhere.
    let answer = unsafe {
        sys::bpf_prog_get_info_by_fd(program.as_raw_fd(), &raw mut info, &raw mut length)
    };
    if answer < 0 || info.attach_btf_id == 0 {
        return None;
    }
    // SAFETY: a number.
    let btf = unsafe { sys::bpf_btf_get_fd_by_id(info.attach_btf_obj_id) };
    if btf < 0 {
        return None;
    }
    // SAFETY: just made, and nobody else has it.
    let btf = unsafe { OwnedFd::from_raw_fd(btf) };
    is_vmlinux(btf.as_fd())
        .then(|| kernel_function(info.attach_btf_id))
        .flatten()
}

fn is_vmlinux(btf: BorrowedFd<'_>) -> bool {
    let mut name = [0u8; 16];
    let mut info = sys::bpf_btf_info {
        name: name.as_mut_ptr() as u64,
        name_len: name.len() as u32,
        ..Default::default()
    };
    let mut length = size_of_val(&info) as u32;
    // SAFETY: `info` is a plain struct of `length` bytes, with a buffer for the name and its length.
    let answer =
        unsafe { sys::bpf_btf_get_info_by_fd(btf.as_raw_fd(), &raw mut info, &raw mut length) };
    // A longer name, which does not fit, is an error and another one.
    let name = CStr::from_bytes_until_nul(&name);
    answer == 0 && info.kernel_btf == 1 && name.is_ok_and(|name| name == c"vmlinux")
}

/// Whether the values of a map have something that only the kernel may write.
fn has_fields_of_the_kernel(map: BorrowedFd<'_>) -> bool {
    let mut info = sys::bpf_map_info::default();
    let mut length = size_of_val(&info) as u32;
    // SAFETY: `info` is a plain struct of `length` bytes.
    let answer =
        unsafe { sys::bpf_map_get_info_by_fd(map.as_raw_fd(), &raw mut info, &raw mut length) };
    if answer < 0 {
        return true;
    }
    if info.btf_id == 0 || info.btf_value_type_id == 0 {
        // Without types the kernel knows of no such fields.
        return false;
    }
    // SAFETY: a number; null on failure.
    let btf = unsafe { sys::btf__load_from_kernel_by_id(info.btf_id) };
    let Some(btf) = NonNull::new(btf) else {
        return true;
    };
    let types = Types { btf };
    types.has_fields_of_the_kernel(info.btf_value_type_id)
}

/// Types as the kernel keeps them, which it has checked.
struct Types {
    btf: NonNull<sys::btf>,
}

impl Drop for Types {
    fn drop(&mut self) {
        // SAFETY: loaded for this, and freed once.
        unsafe { sys::btf__free(self.btf.as_ptr()) };
    }
}

/// Structs in values whose contents are the kernel's.
const OF_THE_KERNEL: &[&CStr] = &[
    c"bpf_spin_lock",
    c"bpf_res_spin_lock",
    c"bpf_timer",
    c"bpf_wq",
    c"bpf_task_work",
    c"bpf_list_head",
    c"bpf_list_node",
    c"bpf_rb_root",
    c"bpf_rb_node",
    c"bpf_refcount",
    c"bpf_dynptr",
];

impl Types {
    fn get(&self, id: u32) -> Option<&sys::btf_type> {
        // SAFETY: a wrong id gives null; types live as long as the BTF.
        unsafe { sys::btf__type_by_id(self.btf.as_ptr(), id).as_ref() }
    }

    fn has_fields_of_the_kernel(&self, id: u32) -> bool {
        let mut seen = HashSet::new();
        let mut next = vec![id];
        while let Some(id) = next.pop() {
            if !seen.insert(id) {
                continue;
            }
            let Some(info) = self.get(id) else {
                continue;
            };
            let behind: *const sys::btf_type = info;
            // SAFETY: not past the end of an allocation that has more behind the type, or ends there.
            let behind = unsafe { behind.add(1) };
            let count = (info.info & 0xffff) as usize;
            // SAFETY: of the kinds below that have one this is the type that they are made of.
            let of = unsafe { info.__bindgen_anon_1.type_ };
            match (info.info >> 24) & 0x1f {
                sys::BTF_KIND_STRUCT | sys::BTF_KIND_UNION => {
                    if self.is_of_the_kernel(info.name_off) {
                        return true;
                    }
                    // SAFETY: as many members stand behind a struct or union as it says.
                    let members = unsafe {
                        std::slice::from_raw_parts(behind.cast::<sys::btf_member>(), count)
                    };
                    next.extend(members.iter().map(|member| member.type_));
                }
                sys::BTF_KIND_DATASEC => {
                    // SAFETY: as many variables stand behind a section as it says.
                    let variables = unsafe {
                        std::slice::from_raw_parts(behind.cast::<sys::btf_var_secinfo>(), count)
                    };
                    next.extend(variables.iter().map(|variable| variable.type_));
                }
                sys::BTF_KIND_ARRAY => {
                    // SAFETY: one description stands behind an array.
                    next.push(unsafe { (*behind.cast::<sys::btf_array>()).type_ });
                }
                // Pointers that the kernel keeps in values are tagged.
                sys::BTF_KIND_PTR => {
                    let is_tagged =
                        |info: &sys::btf_type| (info.info >> 24) & 0x1f == sys::BTF_KIND_TYPE_TAG;
                    if self.get(of).is_some_and(is_tagged) {
                        return true;
                    }
                }
                sys::BTF_KIND_TYPEDEF
                | sys::BTF_KIND_VOLATILE
                | sys::BTF_KIND_CONST
                | sys::BTF_KIND_RESTRICT
                | sys::BTF_KIND_TYPE_TAG
                | sys::BTF_KIND_VAR => next.push(of),
                _ => {}
            }
        }
        false
    }

    fn is_of_the_kernel(&self, name: u32) -> bool {
        // SAFETY: a wrong offset gives null; strings live as long as the BTF.
        let name = unsafe { sys::btf__name_by_offset(self.btf.as_ptr(), name) };
        // SAFETY: as above.
        !name.is_null() && OF_THE_KERNEL.contains(&unsafe { CStr::from_ptr(name) })
    }
}

impl HostIteratorOptions for WasmBpfCtxView<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<IteratorOptions>> {
        Ok(self.table.push(IteratorOptions::default())?)
    }

    fn set_map(
        &mut self,
        options: Resource<IteratorOptions>,
        map: Resource<Map>,
    ) -> FailureResult<()> {
        set_map(self, &options, &map)
    }

    fn set_cgroup(
        &mut self,
        options: Resource<IteratorOptions>,
        cgroup: Resource<Descriptor>,
        order: CgroupOrder,
    ) -> FailureResult<()> {
        set_cgroup(self, &options, &cgroup, order)
    }

    fn set_task(&mut self, options: Resource<IteratorOptions>, thread: u32) -> FailureResult<()> {
        set_task(self, &options, thread)
    }

    fn set_process(
        &mut self,
        options: Resource<IteratorOptions>,
        process: u32,
    ) -> FailureResult<()> {
        set_process(self, &options, process)
    }

    fn drop(&mut self, options: Resource<IteratorOptions>) -> wasmtime::Result<()> {
        self.table.delete(options)?;
        Ok(())
    }
}
