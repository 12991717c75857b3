//! Which files are the system's: their structs are not what a program and its BPF side agree about.

use std::path::{Component, Path, PathBuf};

/// Where systems keep headers, compilers' own ones included.
const DEFAULT: [&str; 4] = [
    "/usr/include",
    "/usr/lib",
    "/usr/local/include",
    "/usr/local/lib",
];

#[derive(Debug)]
pub struct Places {
    current: PathBuf,
    system: Vec<PathBuf>,
}

impl Places {
    /// Takes more directories than the usual ones; relative paths refer to `current`.
    pub fn new(current: PathBuf, more: &[PathBuf]) -> Self {
        let mut places = Self {
            current,
            system: Vec::new(),
        };
        let usual = DEFAULT.iter().map(Path::new);
        places.system = usual
            .chain(more.iter().map(PathBuf::as_path))
            .map(|dir| places.absolute(dir))
            .collect();
        places
    }

    pub fn is_system(&self, file: &Path) -> bool {
        // All of the kernel's types, under whatever directory: vmlinux.h, and vmlinux_601.h where there are several.
        if let Some(name) = file.file_name().and_then(|name| name.to_str())
            && name.starts_with("vmlinux")
            && name.ends_with(".h")
        {
            return true;
        }
        let file = self.absolute(file);
        self.system.iter().any(|dir| file.starts_with(dir))
    }

    /// The shortest way to say where a file is.
    pub fn shown(&self, file: &Path) -> PathBuf {
        let absolute = self.absolute(file);
        match absolute.strip_prefix(&self.current) {
            Ok(relative) => relative.to_owned(),
            Err(_) => absolute,
        }
    }

    /// Without `.` and `..`, as text: the file need not be there any more.
    fn absolute(&self, path: &Path) -> PathBuf {
        let mut clean = PathBuf::new();
        for component in self.current.join(path).components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => {
                    clean.pop();
                }
                other => clean.push(other),
            }
        }
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_system() {
        let places = Places::new(
            "/home/x/project".into(),
            &["sdk/include".into(), "/opt/sysroot".into()],
        );
        for file in [
            "/usr/include/linux/bpf.h",
            "/usr/lib/llvm-19/lib/clang/19/include/stddef.h",
            "vmlinux.h",
            "../vmlinux/x86/vmlinux_601.h",
            "sdk/include/bpf/libbpf.h",
            "src/../sdk/include/argp.h",
            "/opt/sysroot/include/time.h",
        ] {
            assert!(places.is_system(Path::new(file)), "{file}");
        }
        for file in [
            "event.h",
            "include/event.h",
            "sdk/includes/event.h",
            "/home/x/event.h",
            "vmlinux.c",
        ] {
            assert!(!places.is_system(Path::new(file)), "{file}");
        }
    }
}
