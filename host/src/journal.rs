//! What the kernel does not tie to a descriptor is written down before it is made, so that the next host can remove what a killed one left.
//!
//! An entry is a small file in a folder of root's (`/run/wasm-bpf/journal` unless the embedder or `--journal` says otherwise). Its host holds a
//! lock on it (`flock`) as long as it lives: an entry that can be locked is of a host that is dead. Process ids are in it for people only; they say
//! nothing across containers.
//!
//! Each kind of attachment has its own file: it writes the record, and removes what a record of it stands for after it has seen whose that is. An
//! entry that cannot be understood is moved aside and told of, and never followed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags};

/// Where entries are unless somebody says otherwise. Emptied when the machine starts anew, as the kernel is.
pub(crate) const DEFAULT_FOLDER: &str = "/run/wasm-bpf/journal";

/// The first line of an entry. Another number is another host's business.
const HEADER: &str = "wasm-bpf journal 1";
/// The last line: what has it is whole.
const FOOTER: &str = "end";
/// More than any entry has.
const MAX_ENTRY: u64 = 16 << 10;
/// How long another host may keep the folder locked. It is for a few system calls.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// The kinds of entry, and what removes what a dead host left.
/// Removes what an entry of its kind tells of, if it is still there.
type Remove = fn(&Record, &mut Locked<'_>) -> Left;

const KINDS: &[(&str, Remove)] = &[
    (crate::programs::tc::KIND, crate::programs::tc::remove_left),
    (
        crate::programs::cgroup::KIND,
        crate::programs::cgroup::remove_left,
    ),
];

/// What is written down of one attachment: a kind, and fields that the kind chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    kind: String,
    fields: BTreeMap<String, String>,
}

/// What became of an attachment that a dead host wrote down.
pub(crate) enum Left {
    /// It was there and was this host's, and is removed: what it was.
    Removed(String),
    /// It is not there any more.
    Gone,
    /// It may be there, but not where this process can see it. The entry stays.
    Elsewhere,
    /// It could not be removed, or it does not follow from the record whose it is. The entry stays.
    Kept(String),
    /// The record lacks something, or has what cannot be.
    Corrupt,
}

impl Record {
    pub(crate) fn new(kind: &'static str) -> Self {
        let fields = BTreeMap::new();
        Self {
            kind: kind.to_owned(),
            fields,
        }
    }

    /// Adds or changes a field. Names are of letters and `-`; values may have any character.
    pub(crate) fn set(&mut self, name: &'static str, value: impl ToString) -> &mut Self {
        self.fields.insert(name.to_owned(), value.to_string());
        self
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    pub(crate) fn number<N: std::str::FromStr>(&self, name: &str) -> Option<N> {
        self.text(name)?.parse().ok()
    }

    fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\nkind={}\n", self.kind);
        for (name, value) in &self.fields {
            text.push_str(&format!("{name}={}\n", value.escape_default()));
        }
        text.push_str(FOOTER);
        text.push('\n');
        text
    }

    /// Whether this is an entry of a later version, which is left to that.
    fn is_of_another_version(text: &str) -> bool {
        let first = text.lines().next().unwrap_or_default();
        first.starts_with("wasm-bpf journal ") && first != HEADER
    }

    /// None: that is no whole entry of this version.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next()? != HEADER || lines.next_back()? != FOOTER {
            return None;
        }
        let kind = lines.next()?.strip_prefix("kind=")?.to_owned();
        let mut fields = BTreeMap::new();
        for line in lines {
            let (name, value) = line.split_once('=')?;
            if fields.insert(name.to_owned(), unescape(value)?).is_some() {
                return None;
            }
        }
        Some(Self { kind, fields })
    }
}

/// The other way of `str::escape_default`.
fn unescape(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        plain.push(match letters.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'u' => {
                let (digits, rest) = letters.as_str().strip_prefix('{')?.split_once('}')?;
                letters = rest.chars();
                char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
            }
            same @ ('\\' | '\'' | '"') => same,
            _ => return None,
        });
    }
    Some(plain)
}

/// Where a host writes down what it attaches.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
}

/// The folder, which no other host changes meanwhile. Attaching and detaching what is journalled happens under it.
pub(crate) struct Locked<'a> {
    folder: OwnedFd,
    _lock: File,
    journal: &'a Journal,
}

/// An entry of this process. It stays when this is dropped: only [`Locked::remove`] says that what it stands for is gone.
pub(crate) struct Entry {
    name: String,
    /// Locked: this host lives.
    _file: File,
}

impl Journal {
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        let folder = folder.unwrap_or_else(|| DEFAULT_FOLDER.into());
        Self { folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Locks the folder, and makes it first if it is not there.
    pub(crate) fn lock(&self) -> io::Result<Locked<'_>> {
        if let Some(parent) = self.folder.parent() {
            std::fs::create_dir_all(parent)?;
        }
        match DirBuilder::new().mode(0o700).create(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        self.lock_existing()
    }

    fn lock_existing(&self) -> io::Result<Locked<'_>> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        let folder = rustix::fs::open(&self.folder, flags, Mode::empty())?;
        let about = rustix::fs::fstat(&folder)?;
        // What others can write to would have this host remove what they choose.
        if about.st_uid != rustix::process::geteuid().as_raw() || about.st_mode & 0o077 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the folder has to belong to this user, and nobody else may have access (mode 0700)",
            ));
        }
        let lock = rustix::fs::openat(
            &folder,
            "lock",
            OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::from_raw_mode(0o600),
        )?;
        let lock = File::from(lock);
        let until = Instant::now() + LOCK_PATIENCE;
        while let Err(errno) = rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            if errno != rustix::io::Errno::WOULDBLOCK && errno != rustix::io::Errno::INTR {
                return Err(errno.into());
            }
            if Instant::now() > until {
                return Err(io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    "another host keeps it locked",
                ));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(Locked {
            folder,
            _lock: lock,
            journal: self,
        })
    }

    /// Removes what dead hosts left, and returns what there is to tell about it. Where nothing was ever written down there is nothing to do.
    pub(crate) fn recover(&self) -> Vec<Recovered> {
        let mut told = Vec::new();
        let shown = self.folder.display();
        let mut locked = match self.lock_existing() {
            Ok(locked) => locked,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return told;
            }
            // An ordinary user has nothing to remove.
            Err(error)
                if error.kind() == io::ErrorKind::PermissionDenied
                    && !rustix::process::geteuid().is_root() =>
            {
                return told;
            }
            Err(error) => {
                told.push(Recovered::Problem(format!(
                    "cannot look for what killed hosts left: {shown}: {error}"
                )));
                return told;
            }
        };
        // What was being written when its host died stands for nothing yet; nobody else is writing now.
        for name in locked.names(b"new-").unwrap_or_default() {
            let _ = rustix::fs::unlinkat(&locked.folder, &name, AtFlags::empty());
        }
        match locked.names(b"entry-") {
            Ok(names) => {
                for name in names {
                    locked.recover_entry(&name, &mut told);
                }
            }
            Err(error) => told.push(Recovered::Problem(format!(
                "cannot look for what killed hosts left: {shown}: {error}"
            ))),
        }
        told
    }

    /// The same at most once for each folder in a process.
    pub(crate) fn recover_once(&self) -> Vec<Recovered> {
        static DONE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
        let is_first = DONE
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(self.folder.clone());
        if is_first { self.recover() } else { Vec::new() }
    }
}

/// What is told of one entry of a dead host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovered {
    /// This was still in the kernel, and is removed.
    Removed(String),
    /// This could not be removed, or an entry could not be understood.
    Problem(String),
}

impl Locked<'_> {
    /// Writes an entry, and returns when it is on its way to stay: before what it stands for is made.
    pub(crate) fn write(&mut self, record: &Record) -> io::Result<Entry> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let pid = std::process::id();
        // Of an earlier process of the same id something may be left, and of another container.
        let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        let name = format!("entry-{pid}-{}-{number}", since.as_nanos());
        let file = self.put(&name, record)?;
        Ok(Entry { name, _file: file })
    }

    /// Writes an entry anew: what the kernel chose is known now.
    pub(crate) fn rewrite(&mut self, entry: &mut Entry, record: &Record) -> io::Result<()> {
        entry._file = self.put(&entry.name, record)?;
        Ok(())
    }

    /// What an entry stands for is gone.
    pub(crate) fn remove(&mut self, entry: Entry) -> io::Result<()> {
        self.unlink(&entry.name)
    }

    /// A file that no host holds, with this name.
    pub(crate) fn put_note(&mut self, name: &str, record: &Record) -> io::Result<()> {
        self.put(&format!("note-{name}"), record).map(drop)
    }

    pub(crate) fn note(&mut self, name: &str) -> Option<Record> {
        let (_, text) = self.read(&format!("note-{name}")).ok()??;
        Record::parse(&text)
    }

    pub(crate) fn remove_note(&mut self, name: &str) -> io::Result<()> {
        match self.unlink(&format!("note-{name}")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn put(&self, name: &str, record: &Record) -> io::Result<File> {
        let mut record = record.clone();
        record.set("host-pid", std::process::id());
        record.set("host-started", started_at().unwrap_or_default());
        let temporary = format!("new-{name}");
        let file = rustix::fs::openat(
            &self.folder,
            &temporary,
            OFlags::CREATE | OFlags::TRUNC | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::from_raw_mode(0o600),
        )?;
        let mut file = File::from(file);
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        let written = file
            .write_all(record.to_text().as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| {
                Ok(rustix::fs::renameat(
                    &self.folder,
                    &temporary,
                    &self.folder,
                    name,
                )?)
            })
            .and_then(|()| Ok(rustix::fs::fsync(&self.folder)?));
        if written.is_err() {
            let _ = self.unlink(&temporary);
        }
        written.map(|()| file)
    }

    fn unlink(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.folder, name, AtFlags::empty())?)
    }

    fn names(&self, start: &[u8]) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.folder)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if name.starts_with(start) {
                names.push(OsString::from_vec(name));
            }
        }
        names.sort();
        Ok(names)
    }

    /// A file, open, and what is in it; none if its host lives.
    fn read(&self, name: impl rustix::path::Arg + Copy) -> io::Result<Option<(File, String)>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(
            &self.folder,
            name,
            flags,
            Mode::empty(),
        )?);
        if FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(io::ErrorKind::InvalidData.into());
        }
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
        let mut bytes = Vec::new();
        (&file).take(MAX_ENTRY).read_to_end(&mut bytes)?;
        let text = String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(Some((file, text)))
    }

    fn recover_entry(&mut self, name: &OsString, told: &mut Vec<Recovered>) {
        let shown = self.journal.folder.join(name);
        let shown = shown.display();
        let (_file, text) = match self.read(name) {
            Ok(Some(read)) => read,
            Ok(None) => return,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return self.move_aside(name, told);
            }
            Err(error) => {
                told.push(Recovered::Problem(format!("cannot read {shown}: {error}")));
                return;
            }
        };
        if Record::is_of_another_version(&text) {
            told.push(Recovered::Problem(format!(
                "{shown} is of another version of wasm-bpf, which has to act on it"
            )));
            return;
        }
        let Some(record) = Record::parse(&text) else {
            return self.move_aside(name, told);
        };
        let Some((_, remove)) = KINDS.iter().find(|(kind, _)| *kind == record.kind) else {
            told.push(Recovered::Problem(format!(
                "{shown} is of a kind that this version does not know, {:?}",
                record.kind
            )));
            return;
        };
        match remove(&record, self) {
            Left::Elsewhere => return,
            Left::Kept(why) => {
                told.push(Recovered::Problem(format!("{shown}: {why}")));
                return;
            }
            Left::Corrupt => return self.move_aside(name, told),
            Left::Gone => {}
            Left::Removed(what) => {
                let pid = record.text("host-pid").unwrap_or("?");
                told.push(Recovered::Removed(format!(
                    "{what}, which a host that was killed (process {pid}) left behind, is removed"
                )));
            }
        }
        if let Err(error) = rustix::fs::unlinkat(&self.folder, name, AtFlags::empty()) {
            told.push(Recovered::Problem(format!(
                "cannot remove {shown}: {error}"
            )));
        }
    }

    /// Out of the way of later starts, for people to look at.
    fn move_aside(&self, name: &OsString, told: &mut Vec<Recovered>) {
        let mut aside = OsString::from("corrupt-");
        aside.push(name);
        let moved = rustix::fs::renameat(&self.folder, name, &self.folder, &aside);
        let shown = self.journal.folder.join(name);
        let aside = self.journal.folder.join(aside);
        told.push(Recovered::Problem(match moved {
            Ok(()) => format!(
                "{} cannot be understood and was not acted on; it is now {}",
                shown.display(),
                aside.display()
            ),
            Err(error) => format!(
                "{} cannot be understood, and cannot be moved aside: {error}",
                shown.display()
            ),
        }));
    }
}

/// What tells a namespace from all others of this boot: the number of its file.
pub(crate) fn netns_inode() -> io::Result<u64> {
    Ok(rustix::fs::stat("/proc/thread-self/ns/net")?.st_ino)
}

/// When the machine started: the kernel's objects of another boot are gone.
pub(crate) fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.unwrap_or_default().trim_end().to_owned()
}

/// When this process started, in ticks since the machine did.
fn started_at() -> Option<String> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name, which may have anything in it.
    let (_, rest) = stat.rsplit_once(") ")?;
    Some(rest.split(' ').nth(19)?.to_owned())
}

/// What identifies a program in the kernel for as long as the machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProgramIdentity {
    pub(crate) id: u32,
    tag: u64,
    /// Nanoseconds since the machine started. Ids may come again after four billion programs; this does not.
    loaded_at: u64,
}

impl ProgramIdentity {
    pub(crate) fn of(program: std::os::fd::BorrowedFd<'_>) -> io::Result<Self> {
        let mut info = libbpf_sys::bpf_prog_info::default();
        let mut length = size_of_val(&info) as u32;
        // SAFETY: `info` is a plain struct of `length` bytes; its pointers are null, so the kernel writes nothing elsewhere.
        let answer = unsafe {
            libbpf_sys::bpf_prog_get_info_by_fd(program.as_raw_fd(), &raw mut info, &raw mut length)
        };
        if answer < 0 {
            return Err(io::Error::from_raw_os_error(-answer));
        }
        Ok(Self {
            id: info.id,
            tag: u64::from_be_bytes(info.tag),
            loaded_at: info.load_time,
        })
    }

    /// The program that has this id now; none: no program has it.
    pub(crate) fn of_id(id: u32) -> io::Result<Option<Self>> {
        // SAFETY: a number.
        let fd = unsafe { libbpf_sys::bpf_prog_get_fd_by_id(id) };
        if fd == -libc::ENOENT {
            return Ok(None);
        }
        if fd < 0 {
            return Err(io::Error::from_raw_os_error(-fd));
        }
        // SAFETY: libbpf just opened it for us.
        let fd = unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(fd) };
        Self::of(std::os::fd::AsFd::as_fd(&fd)).map(Some)
    }

    pub(crate) fn write_to(&self, record: &mut Record) {
        record
            .set("boot", boot_id())
            .set("program-id", self.id)
            .set("program-tag", format!("{:016x}", self.tag))
            .set("program-loaded-at", self.loaded_at);
    }

    /// What a record has; none if it lacks it. The outer none: it is of another boot, so nothing of it is in the kernel.
    pub(crate) fn read_from(record: &Record) -> Option<Option<Self>> {
        let identity = Self {
            id: record.number("program-id")?,
            tag: u64::from_str_radix(record.text("program-tag")?, 16).ok()?,
            loaded_at: record.number("program-loaded-at")?,
        };
        Some((record.text("boot")? == boot_id()).then_some(identity))
    }

    /// Whether this very program is in the kernel still: whatever attaches it holds it.
    pub(crate) fn is_in_kernel(&self) -> io::Result<bool> {
        Ok(Self::of_id(self.id)? == Some(*self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> (tempfile::TempDir, Journal) {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(Some(dir.path().join("a/journal")));
        (dir, journal)
    }

    fn record() -> Record {
        let mut record = Record::new("no-such-kind");
        record.set("name", "a\nb\\=\u{e9}\t'\"").set("number", 7);
        record
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        let record = record();
        let read = Record::parse(&record.to_text()).unwrap();
        assert_eq!(read, record);
        assert_eq!(read.text("name"), Some("a\nb\\=\u{e9}\t'\""));
        assert_eq!(read.number::<u32>("number"), Some(7));
        assert_eq!(read.number::<u32>("name"), None);
    }

    #[test]
    fn what_is_not_whole_is_no_record() {
        let whole = record().to_text();
        for length in 0..whole.len() {
            if let Some(part) = whole.get(..length) {
                assert_eq!(Record::parse(part), None, "{part:?}");
            }
        }
        for wrong in [
            "",
            "\n",
            "wasm-bpf journal 2\nkind=tc\nend\n",
            "wasm-bpf journal 1\nend\n",
            "wasm-bpf journal 1\nkind=tc\nx\nend\n",
            "wasm-bpf journal 1\nkind=tc\nx=\\q\nend\n",
            "wasm-bpf journal 1\nkind=tc\nx=\\u{110000}\nend\n",
            "wasm-bpf journal 1\nkind=tc\nx=1\nx=2\nend\n",
        ] {
            assert_eq!(Record::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn entries_of_the_living_stay() {
        let (_dir, journal) = journal();
        assert_eq!(journal.recover(), []);
        let mut entry = journal.lock().unwrap().write(&record()).unwrap();
        assert_eq!(journal.recover(), []);
        let mut changed = record();
        changed.set("number", 8);
        journal
            .lock()
            .unwrap()
            .rewrite(&mut entry, &changed)
            .unwrap();
        assert_eq!(journal.recover(), []);
        let path = journal.folder().join(&entry.name);
        assert!(std::fs::read_to_string(&path).unwrap().contains("number=8"));
        // As if the host died: its lock goes with it.
        drop(entry);
        let [Recovered::Problem(told)] = &journal.recover()[..] else {
            panic!("an unknown kind is told of")
        };
        assert!(told.contains("no-such-kind"), "{told}");
        assert!(path.exists());
    }

    #[test]
    fn what_cannot_be_understood_is_moved_aside() {
        let (_dir, journal) = journal();
        drop(journal.lock().unwrap());
        let folder = journal.folder();
        std::fs::write(folder.join("entry-1"), "wasm-bpf journal 1\nkind=tc\nend\n").unwrap();
        std::fs::write(folder.join("entry-2"), b"\xff\xfe").unwrap();
        std::fs::write(folder.join("entry-3"), vec![b'x'; 1 << 20]).unwrap();
        let told = journal.recover();
        assert_eq!(told.len(), 3, "{told:?}");
        for number in 1..=3 {
            assert!(!folder.join(format!("entry-{number}")).exists());
            assert!(folder.join(format!("corrupt-entry-{number}")).exists());
        }
        assert_eq!(journal.recover(), []);
        // A link is not followed.
        std::os::unix::fs::symlink("/etc/passwd", folder.join("entry-4")).unwrap();
        assert!(matches!(journal.recover()[..], [Recovered::Problem(_)]));
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_dir, journal) = journal();
        drop(journal.lock().unwrap());
        let open = std::fs::Permissions::from_mode(0o770);
        std::fs::set_permissions(journal.folder(), open).unwrap();
        let Err(error) = journal.lock() else {
            panic!("it was taken")
        };
        assert!(error.to_string().contains("0700"), "{error}");
    }

    #[test]
    fn notes_have_names() {
        let (_dir, journal) = journal();
        let mut locked = journal.lock().unwrap();
        assert_eq!(locked.note("x"), None);
        locked.put_note("x", &record()).unwrap();
        assert_eq!(locked.note("x").unwrap().number::<u32>("number"), Some(7));
        locked.remove_note("x").unwrap();
        locked.remove_note("x").unwrap();
        assert_eq!(locked.note("x"), None);
    }
}
