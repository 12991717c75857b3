//! Names, clocks, CPUs, interfaces and functions of the running kernel.

use std::collections::HashMap;
use std::ffi::CStr;
use std::fs::File;
use std::io::{self, BufReader};

use super::interface_c_name;

/// What `uname` says.
pub(super) struct Names {
    pub(super) release: String,
    pub(super) machine: String,
    version: String,
}

impl Names {
    pub(super) fn get() -> io::Result<Self> {
        // SAFETY: a struct of bytes, for which zeros are a value.
        let mut names: libc::utsname = unsafe { std::mem::zeroed() };
        // SAFETY: `names` is such a struct, which is filled.
        if unsafe { libc::uname(&raw mut names) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let text = |bytes: &[libc::c_char]| {
            // SAFETY: the kernel ends each with a zero within the array.
            unsafe { CStr::from_ptr(bytes.as_ptr()) }
                .to_string_lossy()
                .into_owned()
        };
        Ok(Self {
            release: text(&names.release),
            machine: text(&names.machine),
            version: text(&names.version),
        })
    }

    /// As libbpf finds it.
    pub(super) fn version(&self) -> [u32; 3] {
        // "Ubuntu 5.15.0-25.25-generic 5.15.30"
        let ubuntu = std::fs::read_to_string("/proc/version_signature").ok();
        let ubuntu = ubuntu.as_deref().and_then(|text| text.split(' ').nth(2));
        self.version_with(ubuntu)
    }

    fn version_with(&self, ubuntu: Option<&str>) -> [u32; 3] {
        // "#1 SMP Debian 6.1.90-1 (2024-05-03)"
        let debian = self.version.split_once("Debian ").map(|(_, rest)| rest);
        [ubuntu, debian]
            .into_iter()
            .flatten()
            .find_map(numbers)
            .or_else(|| numbers(&self.release))
            .unwrap_or_default()
    }
}

/// The three numbers at the beginning; the last may be missing.
fn numbers(text: &str) -> Option<[u32; 3]> {
    let digits = |part: &str| -> Option<u32> {
        let end = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        part[..end].parse().ok()
    };
    let mut parts = text.trim().splitn(3, '.');
    let major = digits(parts.next()?)?;
    let minor = digits(parts.next()?)?;
    Some([major, minor, parts.next().and_then(digits).unwrap_or(0)])
}

/// A clock in nanoseconds.
pub(super) fn clock(id: libc::clockid_t) -> i64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is filled. The clocks that are asked for are always there.
    unsafe { libc::clock_gettime(id, &raw mut time) };
    time.tv_sec
        .wrapping_mul(1_000_000_000)
        .wrapping_add(time.tv_nsec)
}

/// Of some readings that with the least time between the two clocks.
pub(super) fn monotonic_to_wall() -> i64 {
    (0..5)
        .map(|_| {
            let before = clock(libc::CLOCK_MONOTONIC);
            let wall = clock(libc::CLOCK_REALTIME);
            let after = clock(libc::CLOCK_MONOTONIC);
            (after - before, wall - (before + (after - before) / 2))
        })
        .min()
        .map_or(0, |(_, offset)| offset)
}

/// A list such as `0-3,5`.
pub(super) fn cpu_list(text: &str) -> Option<Vec<u32>> {
    // More than any kernel is built for.
    const MAX: u32 = 1 << 16;
    let mut all = Vec::new();
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        if last >= MAX {
            return None;
        }
        all.extend(first..=last);
    }
    Some(all)
}

pub(super) fn interfaces() -> io::Result<Vec<(u32, String)>> {
    // SAFETY: takes no argument.
    let list = unsafe { libc::if_nameindex() };
    if list.is_null() {
        return Err(io::Error::last_os_error());
    }
    let mut all = Vec::new();
    let mut at = list;
    // SAFETY: the list ends with an entry of zeros; the names are strings that live until it is freed.
    unsafe {
        while (*at).if_index != 0 && !(*at).if_name.is_null() {
            let name = CStr::from_ptr((*at).if_name);
            all.push(((*at).if_index, name.to_string_lossy().into_owned()));
            at = at.add(1);
        }
        libc::if_freenameindex(list);
    }
    Ok(all)
}

pub(crate) fn interface_index(name: &str) -> Option<u32> {
    let name = interface_c_name(name)?;
    // SAFETY: the name outlives the call.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (index != 0).then_some(index)
}

pub(super) fn interface_name(index: u32) -> Option<String> {
    let mut name: [libc::c_char; libc::IF_NAMESIZE] = [0; libc::IF_NAMESIZE];
    // SAFETY: the buffer has the size that the function writes at most.
    let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr()) };
    if found.is_null() {
        return None;
    }
    // SAFETY: it ends with a zero within the buffer.
    let name = unsafe { CStr::from_ptr(name.as_ptr()) };
    Some(name.to_string_lossy().into_owned())
}

/// Which of the names are functions; none if the kernel lists no symbols.
pub(super) fn functions(names: &[String]) -> io::Result<Option<Vec<bool>>> {
    match File::open("/proc/kallsyms") {
        Ok(file) => find_functions(names, BufReader::with_capacity(1 << 18, file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn find_functions(
    names: &[String],
    mut symbols: impl io::BufRead,
) -> io::Result<Option<Vec<bool>>> {
    let mut wanted: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (index, name) in names.iter().enumerate() {
        wanted.entry(name.as_bytes()).or_default().push(index);
    }
    let mut found = vec![false; names.len()];
    let mut line = Vec::new();
    let mut any = false;
    loop {
        line.clear();
        if symbols.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        any = true;
        // "0000000000000000 t name\t[module]"
        let mut words = line
            .split(|byte| byte.is_ascii_whitespace())
            .filter(|word| !word.is_empty())
            .skip(1);
        let (Some([b't' | b'T' | b'w' | b'W']), Some(name)) = (words.next(), words.next()) else {
            continue;
        };
        for index in wanted.remove(name).unwrap_or_default() {
            found[index] = true;
        }
    }
    Ok(any.then_some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_distributions() {
        let names = |release: &str, version: &str| Names {
            release: release.into(),
            machine: String::new(),
            version: version.into(),
        };
        let plain = names("6.12.3-arch1-1", "#1 SMP");
        assert_eq!(plain.version_with(None), [6, 12, 3]);
        let debian = names("6.1.0-21-amd64", "#1 SMP Debian 6.1.90-1 (2024-05-03)");
        assert_eq!(debian.version_with(None), [6, 1, 90]);
        let ubuntu = names("5.15.0-25-generic", "#25-Ubuntu SMP");
        assert_eq!(ubuntu.version_with(Some("5.15.30\n")), [5, 15, 30]);
        assert_eq!(names("7.0-rc1", "").version_with(None), [7, 0, 0]);
        assert_eq!(names("x", "").version_with(None), [0, 0, 0]);
    }

    #[test]
    fn lists_of_cpus() {
        assert_eq!(cpu_list("0-3,5\n"), Some(vec![0, 1, 2, 3, 5]));
        assert_eq!(cpu_list("0\n"), Some(vec![0]));
        assert_eq!(cpu_list("0-4294967295"), None);
        assert_eq!(cpu_list("a"), None);
    }

    #[test]
    fn functions_are_text_symbols() {
        let symbols = "0 T one\n0 D data\n0 t two\t[module]\n0 T one\n";
        let names = ["one", "data", "two", "three", "one", ""].map(str::to_owned);
        let found = find_functions(&names, symbols.as_bytes()).unwrap().unwrap();
        assert_eq!(found, [true, false, true, false, true, false]);
        assert!(find_functions(&names, "".as_bytes()).unwrap().is_none());
    }
}
