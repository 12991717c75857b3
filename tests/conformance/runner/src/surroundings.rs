//! What a case needs around it. All of it is the case's own and goes with it.

use std::ffi::CString;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use crate::mounts::{BpfFs, make_private, mount};
use crate::packets;
use crate::probe::Kind;

/// What the runner can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A BPF file system: `{bpffs}`.
    Bpffs,
    /// An XDP program with a name in the BPF file system, which `bpffs` before it makes: `{pinned-program}`.
    PinnedProgram,
    /// The kernel's files about tracepoints, at their usual place.
    Tracefs,
    /// A cgroup (version 2) without processes: `{cgroup}`.
    Cgroup,
    /// A network namespace with a veth pair; the host runs in it: `{interface}` is one end, `{netns}` its file.
    Netns,
    /// An empty folder: `{folder}`.
    Folder,
    /// A pair of interfaces of the kind netkit in the namespace, which `netns` before it makes: `{netkit}`, `{netkit-peer}`.
    Netkit,
    /// An executable with a function, at a fixed path that BPF objects can name: `{target}`.
    UprobeTarget,
    /// The same, and a process that runs it until the case ends: `{process}`.
    UprobeProcess,
}

/// Where the executable is; sections of BPF objects name it.
const TARGET: &str = "/run/wasm-bpf-conformance/target";

/// What one case has.
#[derive(Default)]
pub struct Surroundings {
    bpffs: Option<BpfFs>,
    // Goes with the file system.
    pinned_program: Option<PathBuf>,
    cgroup: Option<Cgroup>,
    netns: Option<Netns>,
    // Before the file that it runs.
    process: Option<TargetProcess>,
    target: Option<Target>,
    folder: Option<Folder>,
    tracefs: bool,
}

impl Surroundings {
    pub fn make(needs: &[Need]) -> anyhow::Result<Self> {
        let mut made = Self::default();
        for need in needs {
            match need {
                Need::Bpffs => made.bpffs = Some(BpfFs::new().context("a BPF file system")?),
                Need::PinnedProgram => {
                    let bpffs = made.bpffs.as_ref();
                    let path = bpffs.context("pinned-program needs bpffs before it")?;
                    let path = path.path().join("of-others");
                    pin_program(&path).context("a program with a name")?;
                    made.pinned_program = Some(path);
                }
                Need::Tracefs => made.tracefs = true,
                Need::Cgroup => made.cgroup = Some(Cgroup::new().context("a cgroup")?),
                Need::Netns => made.netns = Some(Netns::new().context("a network namespace")?),
                Need::Folder => made.folder = Some(Folder::new().context("a folder")?),
                Need::Netkit => {
                    let netns = made
                        .netns
                        .as_mut()
                        .context("netkit needs netns before it")?;
                    netns.add_netkit().context("a netkit pair")?;
                }
                Need::UprobeTarget => made.target = Some(Target::new().context("a uprobe target")?),
                Need::UprobeProcess => {
                    made.target = Some(Target::new().context("a uprobe target")?);
                    let process = TargetProcess::new().context("a process to probe")?;
                    made.process = Some(process);
                }
            }
        }
        Ok(made)
    }

    /// Names and values, for guests and for what stands between braces.
    pub fn values(&self) -> Vec<(&'static str, String)> {
        let mut values = Vec::new();
        if let Some(bpffs) = &self.bpffs {
            values.push(("bpffs", bpffs.path().display().to_string()));
        }
        if let Some(path) = &self.pinned_program {
            values.push(("pinned-program", path.display().to_string()));
        }
        if let Some(cgroup) = &self.cgroup {
            values.push(("cgroup", cgroup.path.display().to_string()));
            values.push(("cgroup-id", cgroup.id.to_string()));
        }
        if let Some(netns) = &self.netns {
            values.push(("interface", "wb0".to_owned()));
            values.push(("netns", netns.path().display().to_string()));
            if let Some(peer) = &netns.netkit_peer {
                values.push(("netkit", NETKIT.to_owned()));
                values.push(("netkit-peer", peer.clone()));
            }
        }
        if let Some(folder) = &self.folder {
            values.push(("folder", folder.0.display().to_string()));
        }
        if self.target.is_some() {
            values.push(("target", TARGET.to_owned()));
        }
        if let Some(process) = &self.process {
            values.push(("process", process.child.id().to_string()));
        }
        values
    }

    /// Text with the values put in.
    pub fn fill(&self, text: &str) -> String {
        let put = |text: String, (name, value): &(&str, String)| {
            text.replace(&format!("{{{name}}}"), value)
        };
        self.values().iter().fold(text.to_owned(), put)
    }

    /// Has the command run in them.
    pub fn enter(&self, command: &mut Command) -> anyhow::Result<()> {
        if let Some(netns) = &self.netns {
            let descriptor = netns.descriptor()?;
            // SAFETY: one system call with a descriptor that the closure owns.
            unsafe {
                command.pre_exec(move || {
                    match libc::setns(descriptor.as_raw_fd(), libc::CLONE_NEWNET) {
                        0 => Ok(()),
                        _ => Err(io::Error::last_os_error()),
                    }
                });
            }
        }
        if self.tracefs && !Path::new("/sys/kernel/tracing/events").exists() {
            // SAFETY: system calls only.
            unsafe {
                command.pre_exec(|| {
                    make_private()?;
                    mount(c"tracefs", c"/sys/kernel/tracing")
                });
            }
        }
        Ok(())
    }

    /// Has the executable call its function.
    pub fn call_target(&self, count: u64) -> anyhow::Result<()> {
        ensure!(self.target.is_some(), "the case has no uprobe target");
        run(Command::new(TARGET).arg(count.to_string()))
    }

    /// Has a process in the cgroup do something; what came out. In the network namespace, if there is one.
    pub fn act_in_cgroup(&self, action: &[&str]) -> anyhow::Result<String> {
        let cgroup = self.cgroup.as_ref().context("the case has no cgroup")?;
        let processes = fs::OpenOptions::new()
            .write(true)
            .open(cgroup.path.join("cgroup.procs"))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("act").args(action);
        // SAFETY: one system call with a descriptor that the closure owns: the process moves itself.
        unsafe {
            command.pre_exec(move || {
                match libc::write(processes.as_raw_fd(), c"0".as_ptr().cast(), 1) {
                    1 => Ok(()),
                    _ => Err(io::Error::last_os_error()),
                }
            });
        }
        self.enter(&mut command)?;
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}", said.trim_end());
        Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned())
    }

    /// Has the process call its functions.
    pub fn serve(&mut self, count: u64) -> anyhow::Result<()> {
        let process = self.process.as_mut();
        process.context("the case has no process")?.call(count)
    }

    /// Sends packets through one interface to another.
    pub fn send_packets(&self, count: u64, through: &str, to: &str) -> anyhow::Result<()> {
        packets::send(self.netns()?.descriptor()?, count, through, to)
    }

    /// Takes the interface away, and its other end with it.
    pub fn unplug(&self) -> anyhow::Result<()> {
        self.netns()?.ip("link delete wb0")
    }

    /// How many filters of traffic control the interface has on both sides; none if it has no qdisc for some.
    pub fn filters(&self) -> anyhow::Result<Option<usize>> {
        self.netns()?.filters()
    }

    fn netns(&self) -> anyhow::Result<&Netns> {
        self.netns
            .as_ref()
            .context("the case has no network namespace")
    }

    /// Takes everything away again; what could not be.
    pub fn end(self) -> anyhow::Result<()> {
        if let Some(cgroup) = self.cgroup {
            cgroup.end()?;
        }
        Ok(())
    }
}

/// Runs the uprobe target, and calls its functions when it is told to.
struct TargetProcess {
    child: Child,
    orders: ChildStdin,
    done: BufReader<ChildStdout>,
}

impl TargetProcess {
    fn new() -> anyhow::Result<Self> {
        let mut child = Command::new(TARGET)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take().context("a pipe")?;
        let done = BufReader::new(child.stdout.take().context("a pipe")?);
        Ok(Self {
            child,
            orders,
            done,
        })
    }

    fn call(&mut self, count: u64) -> anyhow::Result<()> {
        writeln!(self.orders, "{count}")?;
        let mut line = String::new();
        ensure!(self.done.read_line(&mut line)? > 0, "the process has ended");
        Ok(())
    }
}

impl Drop for TargetProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}", said.trim_end());
    Ok(())
}

/// Loads a program natively and gives it a name.
fn pin_program(path: &Path) -> anyhow::Result<()> {
    let program = Kind::of(libbpf_sys::BPF_PROG_TYPE_XDP).load()?;
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: a descriptor and a string that ends with a zero.
    let answer = unsafe { libbpf_sys::bpf_obj_pin(program.as_raw_fd(), path.as_ptr()) };
    ensure!(answer == 0, "{}", io::Error::from_raw_os_error(-answer));
    Ok(())
}

/// Goes with what is in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("wasm-bpf-conformance-{}", process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Cgroup {
    path: PathBuf,
    /// The kernel's number of it.
    id: u64,
}

impl Cgroup {
    fn new() -> anyhow::Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts")?;
        let root = mounts.lines().find_map(|line| {
            let mut words = line.split(' ').skip(1);
            let path = words.next()?;
            (words.next()? == "cgroup2").then(|| PathBuf::from(path))
        });
        let root = root.context("no cgroup file system of version 2 is mounted")?;
        let path = root.join(format!("wasm-bpf-conformance-{}", process::id()));
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        let id = fs::metadata(&path)?.ino();
        Ok(Self { path, id })
    }

    fn end(self) -> anyhow::Result<()> {
        remove_cgroup(&self.path)
    }
}

/// With those that the guest made below it, which one that failed leaves.
fn remove_cgroup(path: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_cgroup(&entry.path())?;
        }
    }
    fs::remove_dir(path).with_context(|| format!("cannot remove {}", path.display()))
}

/// A network namespace that `ip` knows by its name, to set it up.
struct Netns {
    name: String,
    netkit_peer: Option<String>,
}

/// The primary end of the netkit pair.
const NETKIT: &str = "wbk0";

impl Netns {
    fn path(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.name)
    }

    fn ip(&self, words: &str) -> anyhow::Result<()> {
        let words = words.split(' ');
        run(Command::new("ip").args(["-netns", &self.name]).args(words))
    }

    /// Tools that do not know netkit yet make a pair all the same, whose other end the kernel names.
    fn add_netkit(&mut self) -> anyhow::Result<()> {
        self.ip(&format!("link add {NETKIT} type netkit"))?;
        let output = Command::new("ip")
            .args(["-netns", &self.name, "-oneline", "link", "show", NETKIT])
            .output()?;
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let peer = shown
            .split_once(&format!("{NETKIT}@"))
            .and_then(|(_, rest)| rest.split_once(':'))
            .with_context(|| format!("no peer in {shown:?}"))?;
        let peer = peer.0.to_owned();
        self.ip(&format!("link set {NETKIT} up"))?;
        self.ip(&format!("link set {peer} up"))?;
        self.netkit_peer = Some(peer);
        Ok(())
    }

    fn filters(&self) -> anyhow::Result<Option<usize>> {
        let tc = |words: &str| {
            let mut command = Command::new("tc");
            command.args(["-netns", &self.name]).args(words.split(' '));
            let output = command.output().context("cannot start tc")?;
            ensure!(output.status.success(), "{command:?}: {output:?}");
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        };
        if !tc("qdisc show dev wb0")?.contains("clsact") {
            return Ok(None);
        }
        let mut count = 0;
        for side in ["ingress", "egress"] {
            let shown = tc(&format!("filter show dev wb0 {side}"))?;
            // Each priority has a line of its own without a handle.
            count += shown
                .lines()
                .filter(|line| line.contains(" handle "))
                .count();
        }
        Ok(Some(count))
    }

    fn descriptor(&self) -> anyhow::Result<OwnedFd> {
        let path = self.path();
        let file = fs::File::open(&path).with_context(|| path.display().to_string())?;
        Ok(file.into())
    }

    fn new() -> anyhow::Result<Self> {
        let name = format!("wbc-{}", process::id());
        run(Command::new("ip").args(["netns", "add", &name]))?;
        // From here on it is removed whatever happens.
        let made = Self {
            name: name.clone(),
            netkit_peer: None,
        };
        let ip = |words: &str| made.ip(words);
        ip("link set lo up")?;
        ip("link add wb0 type veth peer name wb1")?;
        ip("link set wb0 up")?;
        ip("link set wb1 up")?;
        let [a, b, c, d] = packets::TO;
        ip(&format!("address add {a}.{b}.{c}.{d}/24 dev wb0"))?;
        Ok(made)
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        if let Err(error) = run(Command::new("ip").args(["netns", "delete", &self.name])) {
            eprintln!("conformance: {error:#}");
        }
    }
}

/// A copy of the program that lies beside this one: a file of its own, of which this process maps nothing.
struct Target;

impl Target {
    fn new() -> anyhow::Result<Self> {
        let beside = std::env::current_exe()?.with_file_name("conformance-target");
        let folder = Path::new(TARGET).parent().expect("a file in a folder");
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                bail!("cannot make {}: {error}", folder.display());
            }
            _ => {}
        }
        fs::copy(&beside, TARGET)
            .with_context(|| format!("cannot copy {} to {TARGET}", beside.display()))?;
        Ok(Self)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = fs::remove_file(TARGET);
        let _ = fs::remove_dir(Path::new(TARGET).parent().expect("a file in a folder"));
    }
}
