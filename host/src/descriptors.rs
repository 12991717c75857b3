//! Descriptors of `wasi:filesystem` that a component hands over as capabilities: a binary, a cgroup, a namespace.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::component::{Resource, ResourceTableError};
use wasmtime_wasi::filesystem::Descriptor;

use crate::ctx::WasmBpfCtxView;

/// A file or folder of the host that the component opened through a preopened folder.
pub(crate) struct HostFile(Arc<File>);

impl HostFile {
    /// Where the file is reached by a path, for interfaces of libbpf and the kernel that take one. Valid while this lives.
    pub(crate) fn proc_path(&self) -> String {
        format!("/proc/self/fd/{}", self.0.as_raw_fd())
    }

    /// The path that the kernel knows it by now, which grants are compared with.
    pub(crate) fn path(&self) -> io::Result<PathBuf> {
        std::fs::read_link(self.proc_path())
    }
}

impl From<File> for HostFile {
    fn from(file: File) -> Self {
        Self(Arc::new(file))
    }
}

impl AsFd for HostFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl WasmBpfCtxView<'_> {
    /// What a descriptor stands for on the host.
    pub(crate) fn host_file(
        &self,
        descriptor: &Resource<Descriptor>,
    ) -> Result<HostFile, ResourceTableError> {
        Ok(HostFile(match self.table.get(descriptor)? {
            Descriptor::File(file) => Arc::clone(&file.file),
            Descriptor::Dir(dir) => Arc::clone(&dir.dir),
        }))
    }
}
