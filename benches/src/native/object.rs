//! libbpf's objects, owned.

use std::ffi::{CStr, c_int, c_void};
use std::ptr::{self, NonNull};

use anyhow::{Context as _, Result, bail, ensure};
use libbpf_sys as sys;

use crate::trigger::Trigger;

/// What libbpf returned with a pointer: null is a failure, whose reason is in errno.
pub fn pointer<T>(pointer: *mut T, what: &str) -> Result<NonNull<T>> {
    NonNull::new(pointer).ok_or_else(|| {
        let reason = std::io::Error::last_os_error();
        anyhow::anyhow!("native side: cannot {what}: {reason}")
    })
}

/// What libbpf returned with a number: negative is a failure.
pub fn answer(answer: c_int, what: &str) -> Result<c_int> {
    if answer < 0 {
        let reason = std::io::Error::from_raw_os_error(-answer);
        bail!("native side: cannot {what}: {reason}");
    }
    Ok(answer)
}

/// A loaded object, and the link of its program if it has one.
pub struct Object {
    object: NonNull<sys::bpf_object>,
    link: Option<NonNull<sys::bpf_link>>,
}

impl Object {
    /// Loads an object with one of its programs, or with none.
    pub fn load(bytes: &[u8], program: Option<&CStr>, trigger: Trigger) -> Result<Self> {
        // SAFETY: so many bytes, which libbpf copies; options may be null.
        let object = unsafe {
            sys::bpf_object__open_mem(bytes.as_ptr().cast(), bytes.len() as u64, ptr::null())
        };
        let mut this = Self {
            object: pointer(object, "open the object")?,
            link: None,
        };
        let (settings, size) = this.section(c".rodata")?;
        let words = [trigger.thread, trigger.syscall];
        ensure!(
            size == size_of_val(&words),
            "the object's settings have {size} bytes"
        );
        // SAFETY: libbpf's buffer of this size until the object is loaded, aligned by malloc.
        unsafe { settings.cast().write(words) };
        if let Some(name) = program {
            // SAFETY: an open object and a string.
            let program = unsafe {
                sys::bpf_object__find_program_by_name(this.object.as_ptr(), name.as_ptr())
            };
            let program = pointer(program, "find the program")?;
            // SAFETY: a program of the open object.
            answer(
                unsafe { sys::bpf_program__set_autoload(program.as_ptr(), true) },
                "choose the program",
            )?;
            this.load_now()?;
            // SAFETY: a program of the loaded object, and a string.
            let link = unsafe {
                sys::bpf_program__attach_raw_tracepoint(program.as_ptr(), c"sys_enter".as_ptr())
            };
            this.link = Some(pointer(link, "attach the program")?);
        } else {
            this.load_now()?;
        }
        Ok(this)
    }

    fn load_now(&self) -> Result<()> {
        // SAFETY: an open object.
        let loaded = unsafe { sys::bpf_object__load(self.object.as_ptr()) };
        answer(loaded, "load the object").map(drop)
    }

    fn map(&self, name: &CStr) -> Result<NonNull<sys::bpf_map>> {
        // SAFETY: an object and a string.
        let map = unsafe { sys::bpf_object__find_map_by_name(self.object.as_ptr(), name.as_ptr()) };
        pointer(map, "find a map").with_context(|| format!("the map {name:?}"))
    }

    /// A map of the loaded object. Its descriptor is the object's.
    pub fn map_fd(&self, name: &CStr) -> Result<c_int> {
        let map = self.map(name)?;
        // SAFETY: a map of the object.
        answer(
            unsafe { sys::bpf_map__fd(map.as_ptr()) },
            "use a map that is not there",
        )
    }

    /// What a section of variables has: before load what it begins with, then the memory that programs see.
    pub fn section(&self, name: &CStr) -> Result<(NonNull<c_void>, usize)> {
        let map = self.map(name)?;
        let mut size = 0;
        // SAFETY: a map of the object, and where to put a number.
        let start = unsafe { sys::bpf_map__initial_value(map.as_ptr(), &mut size) };
        Ok((pointer(start, "find a section")?, size as usize))
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: ours, and nobody uses them later.
        unsafe {
            if let Some(link) = self.link {
                sys::bpf_link__destroy(link.as_ptr());
            }
            sys::bpf_object__close(self.object.as_ptr());
        }
    }
}
