//! What the kernel was built with.

use std::collections::HashMap;
use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;

use super::kernel::Names;

// Of zlib, which libbpf reads these files with too. It reads files that are not packed as they are.
unsafe extern "C" {
    fn gzopen(path: *const c_char, mode: *const c_char) -> *mut c_void;
    fn gzread(file: *mut c_void, buffer: *mut c_void, length: c_uint) -> c_int;
    fn gzclose(file: *mut c_void) -> c_int;
}

/// All options that are set; none where the kernel does not tell. They do not change while it runs.
pub(super) fn all() -> Option<&'static HashMap<String, String>> {
    static ALL: OnceLock<HashMap<String, String>> = OnceLock::new();
    if let Some(all) = ALL.get() {
        return Some(all);
    }
    let release = Names::get().ok()?.release;
    // As libbpf looks for them.
    let text = [
        format!("/boot/config-{release}"),
        "/proc/config.gz".to_owned(),
    ]
    .iter()
    .find_map(|path| read(path))?;
    Some(ALL.get_or_init(|| parse(&text)))
}

fn read(path: &str) -> Option<String> {
    /// Some hundred times what there is.
    const MAX: usize = 64 << 20;
    let path = CString::new(path).ok()?;
    // SAFETY: both strings outlive the call.
    let file = NonNull::new(unsafe { gzopen(path.as_ptr(), c"re".as_ptr()) })?;
    let mut text = Vec::new();
    let mut part = vec![0u8; 1 << 16];
    let whole = loop {
        // SAFETY: the file is open, and the buffer has this length.
        let length = unsafe {
            gzread(
                file.as_ptr(),
                part.as_mut_ptr().cast(),
                part.len() as c_uint,
            )
        };
        match usize::try_from(length) {
            Ok(0) => break true,
            Ok(length) if text.len() < MAX => text.extend_from_slice(&part[..length]),
            _ => break false,
        }
    };
    // SAFETY: the file is open, and not used any more.
    unsafe { gzclose(file.as_ptr()) };
    whole.then(|| String::from_utf8_lossy(&text).into_owned())
}

fn parse(text: &str) -> HashMap<String, String> {
    text.lines()
        .filter(|line| line.starts_with("CONFIG_"))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_their_values() {
        let all = parse("# comment\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"x=1\"\n");
        assert_eq!(all.get("CONFIG_A").unwrap(), "y");
        assert!(!all.contains_key("CONFIG_B"));
        assert_eq!(all.get("CONFIG_C").unwrap(), "\"x=1\"");
    }

    #[test]
    fn files_are_read_packed_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        std::fs::write(&path, "CONFIG_A=y\n").unwrap();
        assert_eq!(read(path.to_str().unwrap()).unwrap(), "CONFIG_A=y\n");
        // `printf 'CONFIG_A=y\n' | gzip -n`
        let packed = [
            31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 115, 246, 247, 115, 243, 116, 143, 119, 180, 173, 228,
            2, 0, 142, 177, 128, 218, 11, 0, 0, 0,
        ];
        std::fs::write(&path, packed).unwrap();
        assert_eq!(
            read(path.to_str().unwrap()).as_deref(),
            Some("CONFIG_A=y\n")
        );
        assert_eq!(read("/no/such/file"), None);
    }
}
