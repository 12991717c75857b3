//! `wasm-bpf run`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use wasm_bpf_host::{
    Limits, MessageLevel, Output, Policy, Recovered, Terminated, WasmBpfCtx, WasmBpfCtxView,
    WasmBpfView,
};
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store, StoreLimits, StoreLimitsBuilder, Trap};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx, WasiCtxView, WasiView};

use crate::signals::{self, Received};
use crate::{Run, component, engine, output};

/// Memory of the component itself, unless `--limit memory=` says otherwise.
const DEFAULT_MEMORY: u64 = 1 << 30;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dir {
    host: PathBuf,
    guest: String,
}

pub fn parse_dir(text: &str) -> Result<Dir, String> {
    let (host, guest) = text.split_once("::").unwrap_or((text, text));
    if host.is_empty() || guest.is_empty() {
        return Err("HOST or HOST::GUEST, such as /var/log::/log".into());
    }
    Ok(Dir {
        host: host.into(),
        guest: guest.into(),
    })
}

pub fn parse_env(text: &str) -> Result<(String, Option<String>), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    if name.is_empty() {
        return Err("NAME or NAME=VALUE".into());
    }
    Ok((name.to_owned(), value))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    MapMemory(u64),
    Maps(u64),
    Programs(u64),
    Links(u64),
    Descriptors(u64),
    Memory(u64),
}

pub fn parse_limit(text: &str) -> Result<Limit, String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("NAME=VALUE, such as map-memory=1G")?;
    let number = parse_size(value).ok_or_else(|| format!("{value:?} is no number or size"))?;
    Ok(match name {
        "map-memory" => Limit::MapMemory(number),
        "maps" => Limit::Maps(number),
        "programs" => Limit::Programs(number),
        "links" => Limit::Links(number),
        "descriptors" => Limit::Descriptors(number),
        "memory" => Limit::Memory(number),
        _ => {
            return Err(format!(
                "there is no limit `{name}`; the limits are map-memory, maps, programs, links, descriptors, memory"
            ));
        }
    })
}

fn parse_size(text: &str) -> Option<u64> {
    let (digits, unit) = match text.strip_suffix(['K', 'M', 'G']) {
        Some(digits) => (digits, text.as_bytes()[text.len() - 1]),
        None => (text, b' '),
    };
    let shift = match unit {
        b'K' => 10,
        b'M' => 20,
        b'G' => 30,
        _ => 0,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// What the store of a component holds.
pub struct State {
    wasi: WasiCtx,
    bpf: WasmBpfCtx,
    table: ResourceTable,
    limits: StoreLimits,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasmBpfView for State {
    fn bpf(&mut self) -> WasmBpfCtxView<'_> {
        WasmBpfCtxView {
            ctx: &mut self.bpf,
            table: &mut self.table,
        }
    }
}

/// Runs the component; its exit code.
pub fn run(options: Run) -> anyhow::Result<u8> {
    let engine = engine(&options)?;
    let command = component::load(&engine, options.component())?;
    recover(&options);
    let (limits, memory) = limits(&options.limit);
    let bpf = bpf_ctx(&options, limits)?;
    let stop = bpf.stop();
    let state = State {
        wasi: wasi_ctx(&options)?,
        bpf,
        table: ResourceTable::new(),
        limits: StoreLimitsBuilder::new().memory_size(memory).build(),
    };
    let mut store = Store::new(&engine, state);
    store.limiter(|state| &mut state.limits);
    stop.arm(&mut store);
    let received = signals::watch(stop)?;

    let result = command
        .instantiate(&mut store)
        .and_then(|command| command.wasi_cli_run().call_run(&mut store));
    // Detaches and unloads before the exit code is out.
    drop(store);
    match result {
        Ok(Ok(())) => Ok(0),
        Ok(Err(())) => Ok(1),
        Err(error) => ended(error, &received, &options),
    }
}

/// Removes what killed hosts left, whatever is run now.
fn recover(options: &Run) {
    for recovered in wasm_bpf_host::recover(Some(&options.journal)) {
        match recovered {
            Recovered::Removed(text) if !options.quiet => output::note(&text),
            Recovered::Problem(text) => output::note(&text),
            _ => {}
        }
    }
}

/// How a component ended that did not return.
fn ended(error: wasmtime::Error, received: &Received, options: &Run) -> anyhow::Result<u8> {
    if let Some(I32Exit(code)) = error.downcast_ref() {
        // WASI's exit codes are bytes.
        return Ok(*code as u8);
    }
    if error.is::<Terminated>() {
        if !options.quiet {
            output::note(
                "the component did not end in time after it was asked to stop; it was terminated",
            );
        }
        return Ok(received.exit_code().unwrap_or(1));
    }
    let shown = options.component().display();
    if options.verbose > 0 {
        return Err(anyhow::Error::from(error)).with_context(|| format!("{shown} failed"));
    }
    let cause = match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    bail!("{shown} failed: {cause}\n  (-v shows where)")
}

fn engine(options: &Run) -> anyhow::Result<Engine> {
    let mut cache = None;
    if !options.no_cache {
        match engine::cache() {
            Ok(found) => cache = Some(found),
            // Slower, no more than that: a read-only home, for one.
            Err(error) if options.verbose > 0 => {
                output::note(&format!("components are compiled at each start: {error:#}"));
            }
            Err(_) => {}
        }
    }
    engine::new(cache, options.any_cpu)
}

fn limits(given: &[Limit]) -> (Limits, usize) {
    let mut limits = Limits::default();
    let mut memory = DEFAULT_MEMORY;
    for limit in given {
        match *limit {
            Limit::MapMemory(bytes) => limits.map_memory = bytes,
            Limit::Maps(count) => limits.maps = count,
            Limit::Programs(count) => limits.programs = count,
            Limit::Links(count) => limits.links = count,
            Limit::Descriptors(count) => limits.descriptors = count,
            Limit::Memory(bytes) => memory = bytes,
        }
    }
    (limits, usize::try_from(memory).unwrap_or(usize::MAX))
}

fn bpf_ctx(options: &Run, limits: Limits) -> anyhow::Result<WasmBpfCtx> {
    let mut policy = if options.allow_all {
        Policy::allow_all()
    } else {
        Policy::observe()
    };
    for grant in &options.allow {
        policy.allow(grant.clone());
    }
    let mut builder = WasmBpfCtx::builder();
    builder
        .policy(policy)
        .limits(limits)
        .journal(&options.journal);
    builder.symbolizer("/proc/self/exe", ["symbolizer"]);
    if let Some(file) = &options.btf {
        check_btf(file)?;
        builder.custom_btf(file);
    }
    let least = match options.verbose {
        0 => None,
        1 => Some(MessageLevel::Info),
        _ => Some(MessageLevel::Debug),
    };
    if let Some(least) = least {
        builder.on_message(move |level, text| {
            if level <= least {
                output::libbpf(level, text);
            }
        });
    }
    Ok(builder.build())
}

/// libbpf only says "invalid argument", and only at the first load.
fn check_btf(file: &Path) -> anyhow::Result<()> {
    use std::io::Read as _;

    let shown = file.display();
    let mut magic = [0; 4];
    std::fs::File::open(file)
        .and_then(|mut file| file.read_exact(&mut magic))
        .with_context(|| format!("cannot read the BTF file {shown}"))?;
    // Raw BTF in either byte order, or ELF.
    if magic[..2] != [0x9f, 0xeb] && magic[..2] != [0xeb, 0x9f] && magic != *b"\x7fELF" {
        bail!(
            "{shown} is not BTF\n  it must be raw BTF, such as a copy of /sys/kernel/btf/vmlinux, or an ELF file with a .BTF section"
        );
    }
    Ok(())
}

fn wasi_ctx(options: &Run) -> anyhow::Result<WasiCtx> {
    let mut builder = WasiCtx::builder();
    builder
        .inherit_stdin()
        .stdout(Output::stdout().context("cannot use standard output")?)
        .stderr(Output::stderr().context("cannot use standard error")?);
    let name = options
        .component()
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    builder.arg(name);
    for arg in options.args() {
        let arg = arg
            .to_str()
            .with_context(|| format!("the argument {arg:?} is not UTF-8"))?;
        builder.arg(arg);
    }
    for (name, value) in &options.env {
        match (value, std::env::var(name)) {
            (Some(value), _) => {
                builder.env(name, value);
            }
            (None, Ok(value)) => {
                builder.env(name, value);
            }
            (None, Err(std::env::VarError::NotPresent)) => {}
            (None, Err(error)) => bail!("cannot pass on the variable {name}: {error}"),
        }
    }
    for dir in &options.dir {
        builder
            .preopened_dir(&dir.host, &dir.guest, FsPerms::ReadWrite)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("cannot open the directory {}", dir.host.display()))?;
    }
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dirs() {
        let dir = parse_dir("/var/log::/log").unwrap();
        assert_eq!(
            (dir.host.to_str(), dir.guest.as_str()),
            (Some("/var/log"), "/log")
        );
        assert_eq!(parse_dir("/tmp").unwrap().guest, "/tmp");
        assert!(parse_dir("::/x").is_err());
        assert!(parse_dir("/x::").is_err());
    }

    #[test]
    fn environment() {
        assert_eq!(parse_env("A=b=c"), Ok(("A".into(), Some("b=c".into()))));
        assert_eq!(parse_env("A"), Ok(("A".into(), None)));
        assert!(parse_env("=x").is_err());
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_limit("map-memory=2M"), Ok(Limit::MapMemory(2 << 20)));
        assert_eq!(parse_limit("links=7"), Ok(Limit::Links(7)));
        for wrong in [
            "maps",
            "maps=",
            "maps=x",
            "maps=-1",
            "mops=1",
            "memory=99999999999999999999",
            "memory=18446744073709551615G",
        ] {
            assert!(parse_limit(wrong).is_err(), "{wrong}");
        }
    }
}
