//! The example `opensnoop` reports the files that the test opens.

use std::ffi::CString;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use wasm_bpf_tests::{Run, Running, assert_nothing_new, everything};

/// Of this process alone, unless the test says otherwise.
fn opensnoop(args: &[&str]) -> Running {
    let run = args.iter().fold(Run::example("opensnoop"), Run::arg);
    let mut running = run.start();
    while !running.next_line().expect("a header").contains("PATH") {}
    running
}

fn me() -> String {
    std::process::id().to_string()
}

/// The words of the line whose path is this.
fn words(running: &mut Running, path: &Path) -> Vec<String> {
    loop {
        let line = running.next_line().expect("the tool is running");
        if line.ends_with(&format!(" {}", path.display())) {
            return line.split_whitespace().map(str::to_owned).collect();
        }
    }
}

#[test]
fn reports_what_is_opened_and_what_is_not_found() {
    let before = everything();
    let dir = tempfile::tempdir().unwrap();
    let mut running = opensnoop(&["-p", &me()]);
    let (there, missing) = (dir.path().join("there"), dir.path().join("missing"));
    let file = File::create(&there).unwrap();
    File::open(&missing).unwrap_err();
    let found = words(&mut running, &there);
    assert_eq!(found[0], me());
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&file);
    assert_eq!(found[2], descriptor.to_string());
    assert_eq!(found[3], "0");
    let not_found = words(&mut running, &missing);
    assert_eq!(not_found[2..4], ["-1", "2"], "ENOENT");
    running.signal(libc::SIGINT);
    running.finish().ok();
    assert_nothing_new(&before);
}

fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}

#[test]
fn reports_each_of_the_three_system_calls() {
    let dir = tempfile::tempdir().unwrap();
    let mut running = opensnoop(&["-p", &me(), "-e"]);
    let flags = libc::O_RDONLY | libc::O_DIRECTORY;
    let expected = format!("{flags:08o}");
    // open is only on x86-64.
    #[cfg(target_arch = "x86_64")]
    {
        let path = dir.path().join("by-open");
        std::fs::create_dir(&path).unwrap();
        // SAFETY: a string that ends with a zero; the descriptor is leaked, which hurts no test.
        unsafe { libc::syscall(libc::SYS_open, c_path(&path).as_ptr(), flags) };
        assert_eq!(words(&mut running, &path)[4], expected);
    }
    let path = dir.path().join("by-openat");
    std::fs::create_dir(&path).unwrap();
    // SAFETY: as above.
    unsafe {
        libc::syscall(
            libc::SYS_openat,
            libc::AT_FDCWD,
            c_path(&path).as_ptr(),
            flags,
        )
    };
    assert_eq!(words(&mut running, &path)[4], expected);
    let path = dir.path().join("by-openat2");
    std::fs::create_dir(&path).unwrap();
    // struct open_how: flags, mode, resolve.
    let how = [flags as u64, 0, 0];
    // SAFETY: as above; `how` has the length that is given.
    unsafe {
        libc::syscall(
            libc::SYS_openat2,
            libc::AT_FDCWD,
            c_path(&path).as_ptr(),
            how.as_ptr(),
            size_of_val(&how),
        )
    };
    assert_eq!(words(&mut running, &path)[4], expected);
}

#[test]
fn filters_by_process_user_name_and_failure() {
    let dir = tempfile::tempdir().unwrap();
    let (there, missing) = (dir.path().join("there"), dir.path().join("missing"));
    let open_both = || {
        File::create(&there).unwrap();
        File::open(&missing).unwrap_err();
    };
    let this_name = std::fs::read_to_string("/proc/thread-self/comm").unwrap();
    let seen = |args: &[&str]| {
        let mut running = opensnoop(args);
        open_both();
        // Enough time for lines that should not come.
        std::thread::sleep(Duration::from_millis(300));
        running.signal(libc::SIGINT);
        let mut seen = (false, false);
        while let Some(line) = running.next_line() {
            seen.0 |= line.ends_with(&format!(" {}", there.display()));
            seen.1 |= line.ends_with(&format!(" {}", missing.display()));
        }
        running.finish().ok();
        seen
    };
    // SAFETY: takes nothing, cannot fail.
    let user = unsafe { libc::getuid() }.to_string();
    assert_eq!(seen(&["-p", &me()]), (true, true));
    assert_eq!(seen(&["-p", "1"]), (false, false));
    assert_eq!(seen(&["-u", &user]), (true, true));
    assert_eq!(seen(&["-u", "54321"]), (false, false));
    assert_eq!(seen(&["-n", this_name.trim()]), (true, true));
    assert_eq!(seen(&["-n", "no-such-name"]), (false, false));
    assert_eq!(seen(&["-p", &me(), "-x"]), (false, true));
}

#[test]
fn reports_events_that_were_lost() {
    let dir = tempfile::tempdir().unwrap();
    let missing = c_path(&dir.path().join("missing"));
    let mut running = opensnoop(&["-p", &me(), "--pages", "1"]);
    // Stopped, the tool cannot read while the buffer fills.
    running.signal(libc::SIGSTOP);
    const CALLS: usize = 5000;
    for _ in 0..CALLS {
        // SAFETY: a string that ends with a zero.
        unsafe { libc::open(missing.as_ptr(), libc::O_RDONLY) };
    }
    running.signal(libc::SIGCONT);
    let line = running.error_line("opensnoop: ");
    assert!(line.contains("events lost on CPU"), "{line}");
    running.signal(libc::SIGINT);
    let mut received = 0;
    while let Some(line) = running.next_line() {
        received += usize::from(line.ends_with("/missing"));
    }
    let finished = running.finish().ok();
    let lost = finished
        .errors
        .lines()
        .find_map(|line| {
            line.strip_prefix("opensnoop: ")?
                .split_once(" events lost in all")
        })
        .map(|(count, _)| count.parse::<usize>().unwrap())
        .expect("the sum of what was lost");
    assert!(lost > 1000, "{lost}");
    // This process opens nothing else meanwhile, but the test's threads may.
    assert!(
        (CALLS..CALLS + 100).contains(&(received + lost)),
        "{received} + {lost}"
    );
}

#[test]
fn ends_after_its_duration() {
    let start = std::time::Instant::now();
    opensnoop(&["-d", "0.5", "-T", "-U"]).finish().ok();
    assert!(start.elapsed() >= Duration::from_millis(500));
}
