//! One case: run with the host, answered, watched, and compared with what is left afterwards.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::case::{Case, End};
use crate::config::Config;
use crate::host::{Call, Host};
use crate::kernel::{self, Held};
use crate::log::KernelLog;
use crate::probe::Probes;
use crate::release::Release;
use crate::results::{CaseResult, Outcome, Skip};
use crate::surroundings::Surroundings;
use crate::trigger::Trigger;

/// What all cases of a run have in common.
pub struct Suite {
    pub host: Host,
    /// `LANGUAGE/FOLDER.component.wasm`.
    pub components: PathBuf,
    pub release: Release,
    pub config: Config,
    pub probes: Probes,
    pub log: KernelLog,
    /// How many times longer than on a usual machine things may take.
    pub time_factor: u32,
    /// Runs also what the kernel is said to be too old for, and tells what passes.
    pub try_too_old: bool,
}

/// A moment for the guest to begin to wait.
const BEFORE_A_STOP: Duration = Duration::from_millis(50);

impl Suite {
    /// Runs a case, or finds why this kernel cannot.
    pub fn run(&mut self, case: &Case) -> CaseResult {
        let start = Instant::now();
        let mut kernel_log = Vec::new();
        let outcome = match self.skip(case) {
            Some((Skip::KernelTooOld, shown)) if self.try_too_old => {
                match self.execute(case, &mut kernel_log) {
                    Outcome::Passed => Outcome::Failed {
                        why: vec![format!(
                            "it passes, although {shown}: that is wrong, or this kernel has it from a newer one"
                        )],
                        printed: String::new(),
                    },
                    _ => Outcome::Skipped {
                        reason: Skip::KernelTooOld,
                        shown,
                    },
                }
            }
            Some((reason, shown)) => Outcome::Skipped { reason, shown },
            None => self.execute(case, &mut kernel_log),
        };
        CaseResult {
            case: case.id(),
            language: case.language.name().to_owned(),
            covers: case.covers.clone(),
            outcome,
            seconds: start.elapsed().as_secs_f64(),
            kernel_log,
        }
    }

    fn skip(&mut self, case: &Case) -> Option<(Skip, String)> {
        let setting = &case.setting;
        if let Some(first) = setting.kernel.filter(|first| *first > self.release) {
            return Some((Skip::KernelTooOld, format!("it needs {first}")));
        }
        if let Some(option) = setting.config.iter().find(|name| !self.config.has(name)) {
            let file = self.config.file().display();
            return Some((Skip::NotBuilt, format!("{option} is not in {file}")));
        }
        setting.probe.iter().find_map(|probe| {
            let shown = self.probes.refusal(*probe)?;
            let reason = match probe.is_of_hardware() {
                true => Skip::NoHardware,
                false => Skip::RefusedByMachine,
            };
            Some((reason, shown))
        })
    }

    fn execute(&mut self, case: &Case, kernel_log: &mut Vec<String>) -> Outcome {
        let mut printed = String::new();
        let mut why = Vec::new();
        let before = kernel::everything();
        // What earlier came, from others, is not this case's.
        if let Err(error) = self.log.news() {
            why.push(format!("{error:#}"));
        }
        if let Err(error) = self.run_host(case, &mut printed, &mut why) {
            why.push(format!("{error:#}"));
        }
        for held in kernel::left_since(&before) {
            why.push(format!("left in the kernel: {held}"));
        }
        match self.log.news() {
            Ok(news) => {
                let broken = news.broken.iter();
                why.extend(broken.map(|line| format!("the kernel's log says: {line}")));
                *kernel_log = news.lines;
            }
            Err(error) => why.push(format!("{error:#}")),
        }
        if why.is_empty() {
            Outcome::Passed
        } else {
            Outcome::Failed { why, printed }
        }
    }

    fn run_host(
        &self,
        case: &Case,
        printed: &mut String,
        why: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let setting = &case.setting;
        for (part, values) in [
            ("{grants}", &setting.grants),
            ("{limits}", &setting.limits),
            ("{dirs}", &setting.dirs),
        ] {
            ensure!(
                values.is_empty() || self.host.takes(part),
                "the case has {part}, the host's command does not"
            );
        }
        let component = component(&self.components, case);
        ensure!(component.exists(), "{} is not there", component.display());
        let mut surroundings = Surroundings::make(&setting.needs)?;
        let trigger = Trigger::new();
        let cpus = usable_cpus()?;
        let mut args = vec![
            case.name.clone(),
            format!("trigger-thread={}", trigger.thread_id()),
            format!("trigger-syscall={}", trigger.syscall()),
            format!("possible-cpus={}", possible_cpus()?),
            format!("cpus={cpus}"),
        ];
        let values = surroundings.values().into_iter();
        args.extend(values.map(|(name, value)| format!("{name}={value}")));
        let fill = |texts: &[String]| {
            let filled = texts.iter().map(|text| surroundings.fill(text));
            filled.collect::<Vec<_>>()
        };
        let line = self.host.command_line(&Call {
            component: &component,
            args: &args,
            grants: &fill(&setting.grants),
            limits: &fill(&setting.limits),
            dirs: &fill(&setting.dirs),
        });
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]);
        surroundings.enter(&mut command)?;
        let mut running = Running::start(&mut command)?;
        let limit = Duration::from_secs(setting.time_limit) * self.time_factor;
        let mut run = Run {
            surroundings: &mut surroundings,
            trigger: &trigger,
            held: Vec::new(),
            errors: Vec::new(),
            filters_left: None,
            is_trapping: false,
            stop_after: BEFORE_A_STOP * self.time_factor,
        };
        let status = run.attend(&mut running, Instant::now() + limit, printed);
        match status {
            Ok(status) => why.extend(run.judge(case, status)),
            Err(error) => why.push(format!("{error:#}")),
        }
        drop(running);
        if let Some(expected) = run.filters_left.take()
            && let Err(error) = run.check_filters(&expected)
        {
            why.push(format!("after the host has ended {error:#}"));
        }
        let held = run.held;
        drop(trigger);
        for held in kernel::still_there(&held) {
            why.push(format!("left in the kernel: {held}"));
        }
        surroundings.end()
    }
}

/// Where the component of a case is.
pub fn component(components: &Path, case: &Case) -> PathBuf {
    let folder = components.join(case.language.name());
    folder.join(format!("{}.component.wasm", case.folder))
}

/// As the kernel counts: possible ones, not those that run.
fn possible_cpus() -> anyhow::Result<usize> {
    const FILE: &str = "/sys/devices/system/cpu/possible";
    let text = std::fs::read_to_string(FILE).with_context(|| format!("cannot read {FILE}"))?;
    let last = text
        .trim_end()
        .rsplit(['-', ','])
        .next()
        .unwrap_or_default();
    Ok(last.parse::<usize>()? + 1)
}

/// Those that this process may run on, as a list with commas.
fn usable_cpus() -> anyhow::Result<String> {
    // SAFETY: a set of CPUs is plain bits, which the call fills.
    let set = unsafe {
        let mut set = std::mem::zeroed::<libc::cpu_set_t>();
        let answer = libc::sched_getaffinity(0, size_of_val(&set), &raw mut set);
        ensure!(answer == 0, "{}", std::io::Error::last_os_error());
        set
    };
    // SAFETY: within the set.
    let has = |cpu: &usize| unsafe { libc::CPU_ISSET(*cpu, &set) };
    let cpus = (0..libc::CPU_SETSIZE as usize).filter(has);
    Ok(cpus
        .map(|cpu| cpu.to_string())
        .collect::<Vec<_>>()
        .join(","))
}

/// A host that runs.
struct Running {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Line>,
}

enum Line {
    Output(String),
    Error(String),
}

impl Running {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start the host, {command:?}"))?;
        let (sender, lines) = mpsc::channel();
        forward(child.stdout.take(), &sender, Line::Output);
        forward(child.stderr.take(), &sender, Line::Error);
        Ok(Self {
            input: child.stdin.take(),
            child,
            lines,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends each line of a stream.
fn forward(stream: Option<impl Read + Send + 'static>, to: &Sender<Line>, as_: fn(String) -> Line) {
    let Some(stream) = stream else { return };
    let to = to.clone();
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while matches!(stream.read_until(b'\n', &mut line), Ok(1..)) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if to.send(as_(text)).is_err() {
                return;
            }
            line.clear();
        }
    });
}

/// What the guest asked and said.
struct Run<'a> {
    surroundings: &'a mut Surroundings,
    trigger: &'a Trigger,
    held: Vec<Held>,
    errors: Vec<String>,
    /// What the interface has to have when the host has ended, as `filters` has it.
    filters_left: Option<String>,
    is_trapping: bool,
    stop_after: Duration,
}

impl Run<'_> {
    /// Answers until the host ends.
    fn attend(
        &mut self,
        running: &mut Running,
        until: Instant,
        printed: &mut String,
    ) -> anyhow::Result<ExitStatus> {
        loop {
            let wait = until.saturating_duration_since(Instant::now());
            let line = match running.lines.recv_timeout(wait) {
                Ok(Line::Error(line)) => {
                    writeln!(printed, "! {line}")?;
                    continue;
                }
                Ok(Line::Output(line)) => line,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => bail!("it did not end in time"),
            };
            writeln!(printed, "{line}")?;
            ensure!(!self.is_trapping, "it went on after it should have trapped");
            if let Some(request) = line.strip_prefix("> ") {
                self.answer(request, running, until)
                    .with_context(|| format!("the guest asked: {request}"))?;
                if let Some(input) = &mut running.input {
                    // A guest that ended meanwhile reads nothing.
                    let _ = input.write_all(b"done\n");
                }
            } else if let Some(statement) = line.strip_prefix("= ") {
                self.note(statement)?;
            }
        }
        // Both outputs are closed.
        loop {
            if let Some(status) = running.child.try_wait()? {
                return Ok(status);
            }
            ensure!(Instant::now() < until, "it did not end in time");
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn note(&mut self, statement: &str) -> anyhow::Result<()> {
        match statement.split_once(' ') {
            None if statement == "trap" => self.is_trapping = true,
            Some(("error", code)) => self.errors.push(code.to_owned()),
            Some(("leaves-filters", count)) => self.filters_left = Some(count.to_owned()),
            _ => bail!("the guest says what is not understood: {statement}"),
        }
        Ok(())
    }

    fn answer(&mut self, request: &str, running: &Running, until: Instant) -> anyhow::Result<()> {
        let words = request.split(' ').collect::<Vec<_>>();
        let pull = |count: &str| {
            let done = self.trigger.begin(count.parse()?);
            let wait = until.saturating_duration_since(Instant::now());
            done.recv_timeout(wait)
                .context("the trigger was not done in time")
        };
        match words[..] {
            ["pull", count] => pull(count)?,
            ["pull", count, "on", cpu] => {
                self.trigger.pin(cpu.parse()?)?;
                pull(count)?;
            }
            ["begin", count] => drop(self.trigger.begin(count.parse()?)),
            ["serve", count] => self.surroundings.serve(count.parse()?)?,
            ["call", count] => self.surroundings.call_target(count.parse()?)?,
            ["in-cgroup", outcome, ref action @ ..] => {
                let came_out = self.surroundings.act_in_cgroup(action)?;
                ensure!(came_out == outcome, "it came out as {came_out}");
            }
            ["packets", count, "through", through, "to", to] => {
                self.surroundings
                    .send_packets(count.parse()?, through, to)?;
            }
            ["unplug"] => self.surroundings.unplug()?,
            ["filters", expected] => self.check_filters(expected)?,
            ["stop"] => {
                let (pid, after) = (running.child.id(), self.stop_after);
                thread::spawn(move || {
                    thread::sleep(after);
                    // SAFETY: a number; the child is waited for only after its outputs are closed, so that the number is still its own
                    // while the guest waits for this.
                    unsafe { libc::kill(pid.cast_signed(), libc::SIGINT) };
                });
            }
            ["held", ref things @ ..] => {
                for thing in things {
                    let held: Held = thing.parse()?;
                    ensure!(held.exists(), "there is no {held} in the kernel");
                    self.held.push(held);
                }
            }
            ["gone", thing] => {
                let held: Held = thing.parse()?;
                let left = kernel::still_there(&[held]);
                ensure!(left.is_empty(), "{held} is still in the kernel");
            }
            _ => bail!("this is not understood"),
        }
        Ok(())
    }

    fn check_filters(&self, expected: &str) -> anyhow::Result<()> {
        let found = self.surroundings.filters()?;
        let found = found.map_or_else(|| "none".to_owned(), |count| count.to_string());
        ensure!(found == expected, "the interface has {found} filters");
        Ok(())
    }

    /// What is wrong with how it ended and with what it saw.
    fn judge(&self, case: &Case, status: ExitStatus) -> Vec<String> {
        let mut why = Vec::new();
        let is_as_expected = match (case.setting.end, status.code()) {
            (_, None) => {
                let signal = status.signal().unwrap_or_default();
                why.push(format!("the host died of signal {signal}"));
                true
            }
            (End::Ok, Some(0)) => !self.is_trapping,
            (End::Trap, Some(1..)) => self.is_trapping,
            (End::Exit(expected), Some(code)) => i32::from(expected) == code,
            _ => false,
        };
        if !is_as_expected {
            let announced = if self.is_trapping {
                ", after it said that it would trap"
            } else {
                ""
            };
            let code = status.code().unwrap_or_default();
            why.push(format!(
                "it ended with exit code {code}{announced}; expected: {:?}",
                case.setting.end
            ));
        }
        let errors = case
            .covers
            .iter()
            .filter_map(|item| item.strip_prefix("error:"));
        for error in errors.filter(|error| !self.errors.iter().any(|seen| seen == error)) {
            why.push(format!("the error {error}, which it covers, was not seen"));
        }
        why
    }
}
