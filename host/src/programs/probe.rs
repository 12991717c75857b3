//! What probes of the kernel's and of users' functions have in common: options and targets from the component.

use std::ffi::CString;
use std::sync::Arc;

use wasmtime::component::Resource;

use super::{LoadedProgram, MAX_STARS};
use crate::bindings::programs::{HostProbeOptions, ProbeTargets};
use crate::bindings::types::{ErrorCode, ProgramType};
use crate::ctx::WasmBpfCtxView;
use crate::error::{Failure, FailureResult};
use crate::policy::{Need, Reservation, Usage};

/// As many targets as one call may name.
pub(super) const MAX_TARGETS: usize = 65_536;
/// Bytes of all their names.
const MAX_NAMES: usize = 4 << 20;
/// The kernel's KSYM_NAME_LEN, with the final zero.
const MAX_KERNEL_NAME: usize = 512;

/// How a program is attached to probes.
#[derive(Clone, Debug, Default)]
pub struct ProbeOptions {
    pub(super) cookie: u64,
    pub(super) cookies: Vec<u64>,
    pub(super) at_return: bool,
    pub(super) session: bool,
    pub(super) offset: u64,
    pub(super) process: Option<u32>,
    pub(super) semaphore: u64,
    pub(super) semaphores: Vec<u64>,
    /// Lists take memory of the host as long as these options are there.
    pub(super) held: [Option<Arc<Reservation>>; 2],
    /// The limit that one of them would have passed.
    pub(super) exceeded: Option<String>,
}

/// An option, for what each function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Cookie,
    Cookies,
    AtReturn,
    Session,
    Offset,
    Process,
    Semaphore,
    Semaphores,
}

impl ProbeOptions {
    pub(super) fn set_cookies(&mut self, cookies: Vec<u64>, usage: &Usage) {
        self.cookies = self.keep(0, cookies, usage);
    }

    pub(super) fn set_semaphores(&mut self, offsets: Vec<u64>, usage: &Usage) {
        self.semaphores = self.keep(1, offsets, usage);
    }

    fn keep(&mut self, slot: usize, mut list: Vec<u64>, usage: &Usage) -> Vec<u64> {
        // Guest-controlled: one more than can be right is enough to be wrong.
        list.truncate(MAX_TARGETS + 1);
        list.shrink_to_fit();
        let need = Need {
            map_memory: size_of_val(list.as_slice()) as u64,
            ..Need::default()
        };
        self.held[slot] = None;
        match usage.reserve(need) {
            Ok(held) => {
                self.held[slot] = Some(Arc::new(held));
                list
            }
            Err(limit) => {
                self.exceeded = Some(limit.to_string());
                Vec::new()
            }
        }
    }

    fn is_set(&self, option: Takes) -> bool {
        match option {
            Takes::Cookie => self.cookie != 0,
            Takes::Cookies => !self.cookies.is_empty(),
            Takes::AtReturn => self.at_return,
            Takes::Session => self.session,
            Takes::Offset => self.offset != 0,
            Takes::Process => self.process.is_some(),
            Takes::Semaphore => self.semaphore != 0,
            Takes::Semaphores => !self.semaphores.is_empty(),
        }
    }

    /// Nothing is set that the function cannot use, and nothing that excludes something else.
    pub(super) fn demand_only(&self, takes: &[Takes]) -> Result<(), String> {
        let all = [
            (Takes::Cookie, "cookie"),
            (Takes::Cookies, "cookies"),
            (Takes::AtReturn, "at-return"),
            (Takes::Session, "session"),
            (Takes::Offset, "offset"),
            (Takes::Process, "process"),
            (Takes::Semaphore, "semaphore-offset"),
            (Takes::Semaphores, "semaphore-offsets"),
        ];
        let unused = all
            .into_iter()
            .find(|(option, _)| self.is_set(*option) && !takes.contains(option));
        if let Some((_, name)) = unused {
            return Err(format!("the option {name} is set, which is not for this"));
        }
        if self.at_return && self.session {
            return Err("the options at-return and session exclude each other".into());
        }
        Ok(())
    }

    /// The process as the kernel takes it: -1 for all.
    pub(super) fn pid(&self) -> Result<i32, (ErrorCode, String)> {
        match self.process {
            None => Ok(-1),
            // For libbpf it is the process that calls: the host.
            Some(0) => Err((
                ErrorCode::InvalidArgument,
                "0 is no process; leave the option out for all".into(),
            )),
            Some(id) => i32::try_from(id).map_err(|_| {
                (
                    ErrorCode::NoSuchProcess,
                    format!("there is no process {id}"),
                )
            }),
        }
    }
}

/// Targets whose numbers and characters are checked.
pub(super) enum Targets {
    Pattern(String),
    Functions(Vec<String>),
    Offsets(Vec<u64>),
}

impl Targets {
    /// `is_kernel`: names of the kernel's functions, which go to it and into its files as they are.
    pub(super) fn check(targets: ProbeTargets, is_kernel: bool) -> Result<Self, String> {
        // All of it is guest-controlled.
        let count = |count: usize| match count {
            0 => Err("no target is named".to_owned()),
            1..=MAX_TARGETS => Ok(()),
            _ => Err(format!(
                "{count} targets are too many: {MAX_TARGETS} at most"
            )),
        };
        match targets {
            ProbeTargets::Pattern(pattern) => {
                check_pattern(&pattern)?;
                if is_kernel {
                    kernel_name(&pattern, "*?")?;
                } else {
                    user_name(&pattern)?;
                }
                Ok(Self::Pattern(pattern))
            }
            ProbeTargets::Functions(names) => {
                count(names.len())?;
                let length = names.iter().map(String::len).sum::<usize>();
                if length > MAX_NAMES {
                    return Err(format!(
                        "names of {length} bytes are too many: {MAX_NAMES} at most"
                    ));
                }
                for name in &names {
                    if is_kernel {
                        kernel_name(name, "")?;
                    } else {
                        user_name(name)?;
                    }
                }
                Ok(Self::Functions(names))
            }
            ProbeTargets::Offsets(_) if is_kernel => {
                Err("offsets are for binaries; the kernel's functions go by their names".into())
            }
            ProbeTargets::Offsets(offsets) => {
                count(offsets.len())?;
                Ok(Self::Offsets(offsets))
            }
        }
    }

    /// Lists that go with the targets are as long as these.
    pub(super) fn demand_length(&self, what: &str, length: usize) -> Result<(), String> {
        let targets = match self {
            _ if length == 0 => return Ok(()),
            Self::Pattern(_) => {
                return Err(format!(
                    "{what} are one for each target, and a pattern stands for no certain number"
                ));
            }
            Self::Functions(names) => names.len(),
            Self::Offsets(offsets) => offsets.len(),
        };
        if targets != length {
            return Err(format!("there are {length} {what} for {targets} targets"));
        }
        Ok(())
    }
}

/// Matching takes the longer the more stars there are.
pub(super) fn check_pattern(pattern: &str) -> Result<(), String> {
    if pattern.bytes().filter(|byte| *byte == b'*').count() > MAX_STARS {
        return Err(format!("a pattern has {MAX_STARS} stars at most"));
    }
    Ok(())
}

/// A name of a kernel function. libbpf puts it into a line of a file of tracefs on kernels that have no other way.
pub(super) fn kernel_name(name: &str, besides: &str) -> Result<CString, String> {
    let is_good = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"_.$".contains(&byte) || besides.as_bytes().contains(&byte)
    };
    let good = !name.is_empty() && name.len() < MAX_KERNEL_NAME && name.bytes().all(is_good);
    CString::new(name).ok().filter(|_| good).ok_or_else(|| {
        format!(
            "{} is no name of a kernel function: letters, digits, `_`, `.` and `$` only, {} at most",
            shown(name),
            MAX_KERNEL_NAME - 1
        )
    })
}

/// The longest name of a function in a binary, or of a USDT probe.
pub(super) const MAX_USER_NAME: usize = 4096;

/// A name that a file may have for one of its functions: any characters.
pub(super) fn user_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > MAX_USER_NAME || name.contains('\0') {
        return Err(format!(
            "{} is no name of a function: 1 to {MAX_USER_NAME} bytes, none of them 0",
            shown(name)
        ));
    }
    Ok(())
}

/// The beginning of what may be very long.
fn shown(name: &str) -> String {
    let short = name.chars().take(80).collect::<String>();
    if short.len() < name.len() {
        format!("{short:?}...")
    } else {
        format!("{short:?}")
    }
}

/// The same for messages that say where to.
pub(super) fn shown_name(name: &str) -> String {
    let shown = shown(name);
    shown.replacen('"', "`", 1).replace('"', "`")
}

impl WasmBpfCtxView<'_> {
    pub(super) fn probe_options(
        &self,
        options: &Resource<ProbeOptions>,
    ) -> FailureResult<ProbeOptions> {
        let options = self.table.get(options)?;
        match &options.exceeded {
            None => Ok(options.clone()),
            Some(limit) => {
                let text = format!("cannot attach with these options: {limit}");
                Err(Failure::refused(ErrorCode::LimitExceeded, text))
            }
        }
    }
}

/// `cannot attach PROGRAM TO: WHY`.
pub(super) fn refuse(
    program: &LoadedProgram,
    to: &str,
    code: ErrorCode,
    why: impl std::fmt::Display,
) -> Failure {
    let name = &program.name;
    Failure::refused(code, format!("cannot attach `{name}` {to}: {why}")).about(name)
}

/// Invalid, with a reason.
pub(super) fn invalid<'a>(
    program: &'a LoadedProgram,
    to: &'a str,
) -> impl Fn(String) -> Failure + 'a {
    move |why| refuse(program, to, ErrorCode::InvalidArgument, why)
}

/// Programs that were verified for many probes at once find nothing of their own in a single one, and the other way round.
pub(super) fn demand_attach_type(
    program: &LoadedProgram,
    to: &str,
    good: &[u32],
    sections: &str,
) -> FailureResult<()> {
    debug_assert_eq!(
        program.kind.to_kernel(),
        ProgramType::Kprobe.to_kernel(),
        "the kind was checked before"
    );
    if good.contains(&program.attach_type) {
        return Ok(());
    }
    let why = format!(
        "it was loaded from the section `{}`, and this takes programs of {sections}",
        program.section
    );
    Err(refuse(program, to, ErrorCode::InvalidArgument, why))
}

impl HostProbeOptions for WasmBpfCtxView<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<ProbeOptions>> {
        Ok(self.table.push(ProbeOptions::default())?)
    }

    fn set_cookie(&mut self, options: Resource<ProbeOptions>, cookie: u64) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.cookie = cookie;
        Ok(())
    }

    fn set_cookies(
        &mut self,
        options: Resource<ProbeOptions>,
        cookies: Vec<u64>,
    ) -> wasmtime::Result<()> {
        let usage = &self.ctx.usage;
        self.table.get_mut(&options)?.set_cookies(cookies, usage);
        Ok(())
    }

    fn set_at_return(
        &mut self,
        options: Resource<ProbeOptions>,
        yes: bool,
    ) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.at_return = yes;
        Ok(())
    }

    fn set_session(&mut self, options: Resource<ProbeOptions>, yes: bool) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.session = yes;
        Ok(())
    }

    fn set_offset(&mut self, options: Resource<ProbeOptions>, offset: u64) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.offset = offset;
        Ok(())
    }

    fn set_process(
        &mut self,
        options: Resource<ProbeOptions>,
        process: Option<u32>,
    ) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.process = process;
        Ok(())
    }

    fn set_semaphore_offset(
        &mut self,
        options: Resource<ProbeOptions>,
        offset: u64,
    ) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.semaphore = offset;
        Ok(())
    }

    fn set_semaphore_offsets(
        &mut self,
        options: Resource<ProbeOptions>,
        offsets: Vec<u64>,
    ) -> wasmtime::Result<()> {
        let usage = &self.ctx.usage;
        self.table.get_mut(&options)?.set_semaphores(offsets, usage);
        Ok(())
    }

    fn drop(&mut self, options: Resource<ProbeOptions>) -> wasmtime::Result<()> {
        self.table.delete(options)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_are_not_taken_are_told() {
        let mut options = ProbeOptions::default();
        assert!(options.demand_only(&[]).is_ok());
        options.offset = 1;
        assert!(options.demand_only(&[Takes::Offset]).is_ok());
        let why = options.demand_only(&[Takes::Cookie]).unwrap_err();
        assert!(why.contains("offset"), "{why}");
        let both = ProbeOptions {
            at_return: true,
            session: true,
            ..ProbeOptions::default()
        };
        assert!(
            both.demand_only(&[Takes::AtReturn, Takes::Session])
                .is_err()
        );
    }

    #[test]
    fn the_host_is_no_process_to_name() {
        let pid = |process| {
            ProbeOptions {
                process,
                ..ProbeOptions::default()
            }
            .pid()
        };
        assert_eq!(pid(None).unwrap(), -1);
        assert_eq!(pid(Some(7)).unwrap(), 7);
        assert!(matches!(
            pid(Some(0)).unwrap_err().0,
            ErrorCode::InvalidArgument
        ));
        for huge in [1 << 31, u32::MAX] {
            assert!(matches!(
                pid(Some(huge)).unwrap_err().0,
                ErrorCode::NoSuchProcess
            ));
        }
    }

    #[test]
    fn names_of_the_kernel_stay_in_their_line() {
        for good in ["vfs_read", "f.isra.0", "_RNv$a", &"x".repeat(511)] {
            kernel_name(good, "").unwrap();
        }
        for bad in [
            "",
            "a b",
            "a\np:x/y z",
            "a\0",
            "a/b",
            "a+4",
            "a*",
            "a:b",
            &"x".repeat(512),
        ] {
            kernel_name(bad, "").unwrap_err();
        }
        kernel_name("a*b?", "*?").unwrap();
    }

    #[test]
    fn targets_are_counted() {
        let functions = |names: Vec<String>| Targets::check(ProbeTargets::Functions(names), false);
        assert!(functions(vec![]).is_err());
        assert!(functions(vec!["f".into(); MAX_TARGETS]).is_ok());
        assert!(functions(vec!["f".into(); MAX_TARGETS + 1]).is_err());
        assert!(functions(vec!["f".repeat(4096); 1024]).is_ok());
        assert!(functions(vec!["f".repeat(4096); 1025]).is_err());
        assert!(functions(vec!["f".repeat(4097)]).is_err());
        assert!(Targets::check(ProbeTargets::Offsets(vec![1]), true).is_err());
        assert!(Targets::check(ProbeTargets::Pattern("a*b*c*".into()), true).is_err());
        let targets = functions(vec!["f".into(); 2]).ok().unwrap();
        assert!(targets.demand_length("cookies", 0).is_ok());
        assert!(targets.demand_length("cookies", 2).is_ok());
        assert!(targets.demand_length("cookies", 3).is_err());
        let pattern = Targets::Pattern("f*".into());
        assert!(pattern.demand_length("cookies", 1).is_err());
    }

    #[test]
    fn lists_count_against_the_limit() {
        let usage = Usage::new(crate::policy::Limits {
            map_memory: 1 << 20,
            ..Default::default()
        });
        let mut options = ProbeOptions::default();
        options.set_cookies(vec![1; 2 * MAX_TARGETS], &usage);
        assert_eq!(options.cookies.len(), MAX_TARGETS + 1);
        options.set_cookies(vec![1; 2 * MAX_TARGETS], &usage);
        assert!(options.exceeded.is_none());
        options.set_semaphores(vec![1; 2 * MAX_TARGETS], &usage);
        assert!(options.exceeded.is_some());
        assert!(options.semaphores.is_empty());
        drop(options);
        ProbeOptions::default().set_cookies(vec![1; MAX_TARGETS], &usage);
    }

    #[test]
    fn long_names_are_cut() {
        assert!(shown(&"x".repeat(1 << 20)).len() < 100);
        assert_eq!(shown_name("f"), "`f`");
    }
}
