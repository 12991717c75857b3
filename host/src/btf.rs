//! `btf.wit`.

mod types;

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::{Arc, OnceLock};

use libbpf_rs::AsRawLibbpf as _;
use libbpf_sys as sys;
use wasmtime::component::Resource;

pub(crate) use self::types::TYPEDEF;
pub(crate) use self::types::Types;
use crate::bindings::btf::{Host, HostBtf, TypeInfo, TypeKind};
use crate::bindings::types::ErrorCode;
use crate::ctx::{WasmBpfCtx, WasmBpfCtxView};
use crate::error::{CodeResult, Errno, Failure, FailureResult};
use crate::messages;
use crate::objects::{Object, OpenObject};
use crate::policy::{Need, Reservation};
use crate::programs::Program;

/// Types from one source.
pub struct Btf {
    types: Arc<Types>,
    /// Of what is held for this component alone.
    _held: Option<Reservation>,
}

/// Bytes that one call returns, about.
const MAX_BYTES: usize = 1 << 20;

/// Where the running kernel and its modules show their types.
const FOLDER: &str = "/sys/kernel/btf";

/// The running kernel's own types, read once for all components; the errno if it has none, which may change: /sys may not be mounted yet.
pub(crate) fn kernel_types() -> Result<Arc<Types>, i32> {
    static KERNEL: OnceLock<Arc<Types>> = OnceLock::new();
    if let Some(types) = KERNEL.get() {
        return Ok(Arc::clone(types));
    }
    // SAFETY: takes no argument. Null is answered with errno set.
    let types = unsafe { take_types(sys::btf__load_vmlinux_btf()) }?;
    Ok(Arc::clone(KERNEL.get_or_init(|| Arc::new(types))))
}

/// Reads anew what libbpf has read.
///
/// # Safety
/// `btf` is libbpf's and nobody else's, or null with errno set.
unsafe fn take_types(btf: *mut sys::btf) -> Result<Types, i32> {
    let Some(btf) = NonNull::new(btf) else {
        return Err(crate::objects::last_errno());
    };
    // SAFETY: by the contract above.
    let data = unsafe { raw_data(btf.as_ptr()) };
    // SAFETY: as above; the bytes have been copied.
    unsafe { sys::btf__free(btf.as_ptr()) };
    let data = data.ok_or(libc::ENOMEM)?;
    Types::parse(data, None).map_err(|_| libc::ENOEXEC)
}

/// A copy of the bytes, in the byte order of this machine.
///
/// # Safety
/// `btf` is libbpf's, and nobody else uses it meanwhile.
unsafe fn raw_data(btf: *mut sys::btf) -> Option<Vec<u8>> {
    let native = if cfg!(target_endian = "little") {
        sys::BTF_LITTLE_ENDIAN
    } else {
        sys::BTF_BIG_ENDIAN
    };
    let mut size = 0;
    // SAFETY: by the contract; what is returned has `size` bytes and lives as long as `btf` is not changed.
    unsafe {
        if sys::btf__endianness(btf) != native {
            sys::btf__set_endianness(btf, native);
        }
        let data = NonNull::new(sys::btf__raw_data(btf, &raw mut size).cast_mut())?;
        Some(std::slice::from_raw_parts(data.as_ptr().cast::<u8>(), size as usize).to_vec())
    }
}

/// The file that the operator gave in place of the kernel's types. It is the operator's, so libbpf may read it: it may be raw or ELF.
fn custom_types(file: &Path) -> Result<Types, i32> {
    let path = CString::new(file.as_os_str().as_bytes()).map_err(|_| libc::EINVAL)?;
    // SAFETY: the path outlives the call; null is answered with errno set.
    unsafe { take_types(sys::btf__parse(path.as_ptr(), std::ptr::null_mut())) }
}

/// As modules are called in /sys: letters, digits and `_`.
fn module_name(name: &str) -> Option<String> {
    // The kernel's MODULE_NAME_LEN, with the zero.
    let ok = (1..56).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        && name != "vmlinux";
    ok.then(|| name.replace('-', "_"))
}

/// The names of modules that have types.
pub(crate) fn modules() -> Vec<String> {
    let Ok(folder) = fs::read_dir(FOLDER) else {
        return Vec::new();
    };
    folder
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name != "vmlinux")
        .collect()
}

/// The types of a module that is loaded now. The name was checked, or is the kernel's.
pub(crate) fn module_types(name: &str) -> io::Result<Types> {
    let data = fs::read(Path::new(FOLDER).join(name))?;
    let kernel = kernel_types().map_err(io::Error::from_raw_os_error)?;
    Types::parse(data, Some(kernel)).map_err(|bad| io::Error::new(io::ErrorKind::InvalidData, bad))
}

/// What the kernel says of BTF that it has.
pub(crate) struct KernelBtf {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) size: u32,
    pub(crate) of_kernel: bool,
    fd: OwnedFd,
}

impl KernelBtf {
    pub(crate) fn of_id(id: u32) -> io::Result<Self> {
        // SAFETY: a number; what comes back is a descriptor of our own.
        let fd = unsafe { sys::bpf_btf_get_fd_by_id(id) };
        if fd < 0 {
            return Err(io::Error::from_raw_os_error(-fd));
        }
        // SAFETY: the kernel just made it for us.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let mut name = [0u8; 64];
        let mut info = sys::bpf_btf_info {
            name: name.as_mut_ptr() as u64,
            name_len: name.len() as u32,
            ..Default::default()
        };
        let answer = btf_info(&fd, &mut info);
        // Kernels before 5.11 have no names.
        if answer
            .as_ref()
            .is_err_and(|error| matches!(error.raw_os_error(), Some(libc::E2BIG | libc::EINVAL)))
        {
            info = sys::bpf_btf_info::default();
            btf_info(&fd, &mut info)?;
        } else {
            answer?;
        }
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(0);
        Ok(Self {
            id: info.id,
            name: String::from_utf8_lossy(&name[..end]).into_owned(),
            size: info.btf_size,
            of_kernel: info.kernel_btf != 0,
            fd,
        })
    }

    fn data(&self) -> io::Result<Vec<u8>> {
        let mut data = vec![0u8; self.size as usize];
        let mut info = sys::bpf_btf_info {
            btf: data.as_mut_ptr() as u64,
            btf_size: self.size,
            ..Default::default()
        };
        btf_info(&self.fd, &mut info)?;
        Ok(data)
    }

    /// Not of the kernel itself, which has its types already.
    pub(crate) fn types(&self) -> io::Result<Types> {
        let base = if self.of_kernel {
            Some(kernel_types().map_err(io::Error::from_raw_os_error)?)
        } else {
            None
        };
        Types::parse(self.data()?, base)
            .map_err(|bad| io::Error::new(io::ErrorKind::InvalidData, bad))
    }
}

fn btf_info(fd: &OwnedFd, info: &mut sys::bpf_btf_info) -> io::Result<()> {
    // Only what every kernel has, unless the rest is asked for: older ones refuse what they do not know unless it is zero.
    let mut length = size_of_val(info) as u32;
    // SAFETY: `info` is a plain struct of `length` bytes; its pointers are null, or to buffers of the lengths next to them.
    let answer = unsafe { sys::bpf_btf_get_info_by_fd(fd.as_raw_fd(), info, &raw mut length) };
    if answer < 0 {
        return Err(io::Error::from_raw_os_error(-answer));
    }
    Ok(())
}

/// The kernel's id of a program's types; 0 if it has none.
fn btf_of_program(program: BorrowedFd<'_>) -> io::Result<u32> {
    let mut info = sys::bpf_prog_info::default();
    let mut length = size_of_val(&info) as u32;
    // SAFETY: `info` is a plain struct of `length` bytes; its pointers are null.
    let answer = unsafe {
        sys::bpf_prog_get_info_by_fd(program.as_raw_fd(), &raw mut info, &raw mut length)
    };
    if answer < 0 {
        return Err(io::Error::from_raw_os_error(-answer));
    }
    Ok(info.btf_id)
}

impl Btf {
    fn shared(types: Arc<Types>) -> Self {
        Self { types, _held: None }
    }
}

/// What bytes of BTF take while a component has them: themselves, where each type begins, and their order by name.
fn reserve(ctx: &WasmBpfCtx, size: usize, what: &str) -> FailureResult<Reservation> {
    let need = Need {
        map_memory: size as u64 * 2 + 4096,
        ..Need::default()
    };
    ctx.usage.reserve(need).map_err(|limit| {
        Failure::refused(
            ErrorCode::LimitExceeded,
            format!("cannot read {what}: {limit}"),
        )
    })
}

/// Types that this component alone holds.
pub(crate) fn own(
    ctx: &WasmBpfCtx,
    size: usize,
    what: &str,
    read: impl FnOnce() -> io::Result<Types>,
) -> FailureResult<Btf> {
    let held = reserve(ctx, size, what)?;
    let types = read().map_err(|error| match error.raw_os_error() {
        Some(errno) => Failure::errno(errno, format!("cannot read {what}: {}", Errno(errno))),
        None => Failure::refused(ErrorCode::Malformed, format!("cannot read {what}: {error}")),
    })?;
    Ok(Btf {
        types: Arc::new(types),
        _held: Some(held),
    })
}

/// Types that the kernel has under an id.
pub(crate) fn of_id(ctx: &WasmBpfCtx, id: u32) -> FailureResult<Btf> {
    let what = format!("the BTF of id {id}");
    let found = KernelBtf::of_id(id).map_err(|error| {
        let errno = error.raw_os_error().unwrap_or(libc::EIO);
        Failure::errno(errno, format!("cannot read {what}: {}", Errno(errno)))
    })?;
    if found.of_kernel && found.name == "vmlinux" {
        return Ok(Btf::shared(kernel_types().map_err(no_kernel_btf)?));
    }
    own(ctx, found.size as usize, &what, || found.types())
}

fn no_kernel_btf(errno: i32) -> Failure {
    let why = match errno {
        // What libbpf says when it has looked everywhere.
        libc::ESRCH | libc::ENOENT => "it was built without (CONFIG_DEBUG_INFO_BTF)".to_owned(),
        errno => Errno(errno).to_string(),
    };
    let text = format!(
        "cannot read the BTF of the running kernel: {why}; give the host a file with its types: --btf FILE"
    );
    Failure::new(ErrorCode::NotFound, errno, text)
}

impl Host for WasmBpfCtxView<'_> {}

impl HostBtf for WasmBpfCtxView<'_> {
    fn kernel(&mut self) -> FailureResult<Resource<Btf>> {
        let sink = self.ctx.messages.clone();
        let types = match self.ctx.custom_btf.clone() {
            Some(_) if self.ctx.custom_types.get().is_some() => {
                Arc::clone(self.ctx.custom_types.get().expect("just seen"))
            }
            Some(file) => {
                let (types, _) = messages::collect(sink.as_ref(), || custom_types(&file));
                let types = types.map_err(|errno| {
                    let text = format!(
                        "cannot read the BTF in {}: {}",
                        file.display(),
                        Errno(errno)
                    );
                    Failure::errno(errno, text)
                })?;
                Arc::clone(self.ctx.custom_types.get_or_init(|| Arc::new(types)))
            }
            None => {
                let (types, _) = messages::collect(sink.as_ref(), kernel_types);
                types.map_err(no_kernel_btf)?
            }
        };
        Ok(self.table.push(Btf::shared(types))?)
    }

    fn module(&mut self, name: String) -> FailureResult<Resource<Btf>> {
        let Some(name) = module_name(&name) else {
            return Err(Failure::refused(
                ErrorCode::InvalidArgument,
                format!("{name:?} is no name of a module: letters, digits and `_`, 55 at most"),
            ));
        };
        let what = format!("the BTF of the module `{name}`");
        let (kernel, _) = messages::collect(self.ctx.messages.as_ref(), kernel_types);
        kernel.map_err(no_kernel_btf)?;
        let size = fs::metadata(Path::new(FOLDER).join(&name)).map_or(0, |file| file.len());
        let btf = own(
            self.ctx,
            usize::try_from(size).unwrap_or(usize::MAX / 4),
            &what,
            || module_types(&name),
        )
        .map_err(|failure| failure.about(&name))?;
        Ok(self.table.push(btf)?)
    }

    fn of_open_object(
        &mut self,
        object: Resource<OpenObject>,
    ) -> FailureResult<Option<Resource<Btf>>> {
        let object = self.table.get(&object)?.pointer();
        // SAFETY: the object lives, and nobody else has it meanwhile.
        let data = unsafe { data_of_object(object) };
        self.push_data(data)
    }

    fn of_object(&mut self, object: Resource<Object>) -> FailureResult<Option<Resource<Btf>>> {
        let data = {
            let object = self.table.get(&object)?.loaded().lock();
            // SAFETY: the object lives, and is locked.
            unsafe { data_of_object(object.as_libbpf_object().as_ptr()) }
        };
        self.push_data(data)
    }

    fn of_program(&mut self, program: Resource<Program>) -> FailureResult<Option<Resource<Btf>>> {
        let program = self.table.get(&program)?.loaded();
        let id = btf_of_program(program.fd()).map_err(|error| {
            let errno = error.raw_os_error().unwrap_or(libc::EIO);
            let text = format!(
                "cannot ask about the program `{}`: {}",
                program.name,
                Errno(errno)
            );
            Failure::errno(errno, text).about(&program.name)
        })?;
        if id == 0 {
            return Ok(None);
        }
        let btf = of_id(self.ctx, id)?;
        Ok(Some(self.table.push(btf)?))
    }

    fn parse(&mut self, data: Vec<u8>) -> FailureResult<Resource<Btf>> {
        const WHAT: &str = "the BTF given as bytes";
        if data.len() > types::MAX_SIZE {
            return Err(Failure::refused(
                ErrorCode::LimitExceeded,
                format!("cannot read {WHAT}: it is more than 16 MiB"),
            ));
        }
        let size = data.len();
        let btf = own(self.ctx, size, WHAT, || {
            Types::parse(data, None).map_err(|bad| io::Error::new(io::ErrorKind::InvalidData, bad))
        })?;
        Ok(self.table.push(btf)?)
    }

    fn type_count(&mut self, btf: Resource<Btf>) -> wasmtime::Result<u32> {
        Ok(self.table.get(&btf)?.types.count())
    }

    fn first_id(&mut self, btf: Resource<Btf>) -> wasmtime::Result<u32> {
        Ok(self.table.get(&btf)?.types.first_id())
    }

    fn find(
        &mut self,
        btf: Resource<Btf>,
        name: String,
        kind: Option<TypeKind>,
    ) -> wasmtime::Result<Option<u32>> {
        let types = &self.table.get(&btf)?.types;
        Ok(types.find(&name, kind.map(TypeKind::to_kernel)))
    }

    fn describe(&mut self, btf: Resource<Btf>, id: u32) -> wasmtime::Result<Option<TypeInfo>> {
        Ok(self.table.get(&btf)?.types.describe(id))
    }

    fn describe_many(
        &mut self,
        btf: Resource<Btf>,
        first: u32,
        max: u32,
    ) -> wasmtime::Result<Vec<TypeInfo>> {
        let types = &self.table.get(&btf)?.types;
        let (mut all, mut weight) = (Vec::new(), 0);
        for id in (first..types.count()).take(max as usize) {
            weight += types.weight(id);
            if weight > MAX_BYTES && !all.is_empty() {
                break;
            }
            all.extend(types.describe(id));
        }
        Ok(all)
    }

    fn resolve_size(&mut self, btf: Resource<Btf>, id: u32) -> CodeResult<u32> {
        Ok(self.table.get(&btf)?.types.resolve_size(id)?)
    }

    fn resolve_type(&mut self, btf: Resource<Btf>, id: u32) -> CodeResult<u32> {
        Ok(self.table.get(&btf)?.types.resolve_type(id)?)
    }

    fn align_of(&mut self, btf: Resource<Btf>, id: u32) -> CodeResult<u32> {
        Ok(self.table.get(&btf)?.types.align_of(id)?)
    }

    fn pointer_size(&mut self, btf: Resource<Btf>) -> wasmtime::Result<u32> {
        Ok(self.table.get(&btf)?.types.pointer_size())
    }

    fn string_at(&mut self, btf: Resource<Btf>, offset: u32) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&btf)?.types.string_at(offset))
    }

    fn raw_size(&mut self, btf: Resource<Btf>) -> wasmtime::Result<u32> {
        Ok(self.table.get(&btf)?.types.raw().len() as u32)
    }

    fn raw_data(&mut self, btf: Resource<Btf>, offset: u32, max: u32) -> wasmtime::Result<Vec<u8>> {
        let data = self.table.get(&btf)?.types.raw();
        let rest = data.get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(max as usize).min(MAX_BYTES);
        Ok(rest[..length].to_vec())
    }

    fn drop(&mut self, btf: Resource<Btf>) -> wasmtime::Result<()> {
        self.table.delete(btf)?;
        Ok(())
    }
}

impl WasmBpfCtxView<'_> {
    fn push_data(&mut self, data: Option<Vec<u8>>) -> FailureResult<Option<Resource<Btf>>> {
        let Some(data) = data else {
            return Ok(None);
        };
        let size = data.len();
        let btf = own(self.ctx, size, "the BTF of the object", || {
            Types::parse(data, None).map_err(|bad| io::Error::new(io::ErrorKind::InvalidData, bad))
        })?;
        Ok(Some(self.table.push(btf)?))
    }
}

/// A copy of an object's BTF as libbpf has it.
///
/// # Safety
/// The object lives, and nobody else uses it meanwhile.
unsafe fn data_of_object(object: *const sys::bpf_object) -> Option<Vec<u8>> {
    // SAFETY: by the contract; what is returned is the object's.
    unsafe {
        let btf = NonNull::new(sys::bpf_object__btf(object))?;
        raw_data(btf.as_ptr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_modules_do_not_climb() {
        assert_eq!(module_name("snd-hda").as_deref(), Some("snd_hda"));
        for bad in [
            "",
            ".",
            "..",
            "../vmlinux",
            "a/b",
            "a\0",
            "vmlinux",
            "a.b",
            &"a".repeat(56),
        ] {
            assert_eq!(module_name(bad), None, "{bad:?}");
        }
    }
}
