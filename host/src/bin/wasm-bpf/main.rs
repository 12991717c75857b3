//! The `wasm-bpf` command: a thin user of the library.

mod compile;
mod component;
mod componentize;
mod engine;
mod output;
mod run;
mod signals;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use wasm_bpf_host::Grant;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Run eBPF tools that are WebAssembly components.
#[derive(Parser)]
#[command(
    name = "wasm-bpf",
    version,
    styles = STYLES,
    max_term_width = 100,
    after_help = "Examples:\n  \
        sudo wasm-bpf run bootstrap.component.wasm\n  \
        sudo wasm-bpf run bootstrap.component.wasm -d 100\n  \
        sudo wasm-bpf run --allow xdp=eth0 counter.component.wasm eth0\n  \
        sudo wasm-bpf compile bootstrap.component.wasm\n  \
        wasm-bpf componentize tool.wasm -o tool.component.wasm\n  \
        wasm-bpf completions bash > /etc/bash_completion.d/wasm-bpf"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(Run),
    Compile(Compile),
    Componentize(Componentize),
    /// Find names of addresses for a process that runs a component.
    #[command(hide = true)]
    Symbolizer,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// Run a component until it ends or is stopped.
///
/// A component may observe: tracepoints, probes, perf events and the like, with maps to report through. Whatever
/// changes what the machine does needs a grant. A refusal names the grant that is missing.
///
/// Ctrl-C asks the component to stop; it gets 2 seconds to clean up. A second Ctrl-C ends it at once. Nothing of it
/// stays in the kernel either way.
#[derive(Args)]
#[command(after_long_help = run_help())]
struct Run {
    /// Open a directory of this machine to the component, at GUEST if given, for reading and writing.
    #[arg(long, value_name = "HOST[::GUEST]", value_parser = run::parse_dir)]
    dir: Vec<run::Dir>,

    /// Set an environment variable for the component; without a value, as it is here.
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = run::parse_env)]
    env: Vec<(String, Option<String>)>,

    /// Use this BTF for CO-RE relocations in place of the running kernel's.
    #[arg(long, value_name = "FILE")]
    btf: Option<PathBuf>,

    /// Allow something beyond observing; `--help` lists the grants.
    #[arg(long, value_name = "NAME[=VALUE]")]
    allow: Vec<Grant>,

    /// Allow everything.
    #[arg(long)]
    allow_all: bool,

    /// Change a limit: map-memory, maps, programs, links, descriptors or memory (K, M and G are understood).
    #[arg(long, value_name = "NAME=VALUE", value_parser = run::parse_limit)]
    limit: Vec<run::Limit>,

    /// Write down in this directory what a killed host would leave in the kernel, and remove what others left.
    #[arg(long, value_name = "DIR", default_value = "/run/wasm-bpf/journal", value_hint = ValueHint::DirPath)]
    journal: PathBuf,

    /// Compile the component anew, and keep nothing of it.
    #[arg(long)]
    no_cache: bool,

    /// Use code for any CPU of this architecture, as `compile --any-cpu` makes it, not for this very one.
    #[arg(long)]
    any_cpu: bool,

    /// Say what libbpf says; twice: each of its steps.
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,

    /// Print errors only.
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,

    /// The component, a .wasm file, and its arguments. What follows the file is the component's.
    // One list: with two, an option behind the file that this command knows too would be taken for its own.
    #[arg(
        value_name = "COMPONENT [ARGS]",
        trailing_var_arg = true,
        required = true,
        value_hint = ValueHint::FilePath
    )]
    command: Vec<OsString>,
}

impl Run {
    fn component(&self) -> &Path {
        Path::new(&self.command[0])
    }

    fn args(&self) -> &[OsString] {
        &self.command[1..]
    }
}

/// Compile components ahead of their first run, which then starts as fast as later ones.
///
/// What is compiled goes into the cache that `run` reads: /var/cache/wasm-bpf for root, wasm-bpf in XDG_CACHE_HOME (in
/// ~/.cache if that is not set) for anybody else. `run` recognizes a component by its contents, wherever its file lies.
#[derive(Args)]
#[command(after_long_help = "Exit codes:\n  \
    0 if all are compiled; 1 if one of them is not, or cannot be kept; 2 for wrong usage\n\n\
    Examples:\n  \
    sudo wasm-bpf compile bootstrap.component.wasm\n\n  \
    For an image of many machines, or for one directory that they share:\n  \
    sudo wasm-bpf compile --any-cpu *.component.wasm\n  \
    sudo wasm-bpf run --any-cpu bootstrap.component.wasm -d 100")]
struct Compile {
    /// Generate code for any CPU of this architecture, not for this very one; `run` needs the same option to use it.
    #[arg(long)]
    any_cpu: bool,

    /// Say of each component what was done.
    #[arg(short, long)]
    verbose: bool,

    /// The components, .wasm files.
    #[arg(value_name = "COMPONENT", required = true, value_hint = ValueHint::FilePath)]
    components: Vec<PathBuf>,
}

/// Make a component of a core module.
///
/// Compilers that do not make components themselves make core modules: clang and wasi-sdk for wasm32-wasip1, zig for wasm32-wasi,
/// emscripten with -sSTANDALONE_WASM. What such a module imports of WASI preview 1 is translated to WASI 0.2. If the C bindings of
/// the wasm-bpf interfaces are linked into it, with guest-sdk-c/generated/wasm_bpf_component_type.o, the component imports these.
#[derive(Args)]
#[command(after_long_help = "Exit codes:\n  \
    0 if the component is written; 1 if not; 2 for wrong usage\n\n\
    Examples:\n  \
    clang --target=wasm32-wasip1 --sysroot=wasi-sysroot tool.c -o tool.wasm\n  \
    wasm-bpf componentize tool.wasm -o tool.component.wasm\n  \
    sudo wasm-bpf run tool.component.wasm")]
struct Componentize {
    /// The file to write; it appears when it is complete.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: PathBuf,

    /// The core module, a .wasm file.
    #[arg(value_name = "MODULE", value_hint = ValueHint::FilePath)]
    module: PathBuf,
}

fn run_help() -> String {
    let mut help = String::from("Grants (`*` as the value stands for every one):\n");
    for (name, value, allows) in wasm_bpf_host::grants() {
        let grant = value.map_or_else(|| name.to_owned(), |value| format!("{name}={value}"));
        help.push_str(&format!("  {grant:<26} {allows}\n"));
    }
    help.push_str(
        "\nLimits, with their defaults:\n  \
         map-memory=512M  maps=1024  programs=512  links=4096  descriptors=512  memory=1G (of the\n  component itself)\n\n\
         Exit codes:\n  \
         the component's own; 1 if it could not be run or failed; 2 for wrong usage;\n  \
         130 (143) if Ctrl-C (SIGTERM) had to end it by force\n\n\
         Examples:\n  \
         sudo wasm-bpf run bootstrap.component.wasm -d 100\n  \
         sudo wasm-bpf run --dir /var/log::/log --env LANG tool.component.wasm --out /log/trace\n  \
         sudo wasm-bpf run --allow helper=bpf_send_signal guard.component.wasm",
    );
    help
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Command::Run(options) => exit_code(run::run(options)),
        Command::Compile(options) => exit_code(compile::compile(&options)),
        Command::Componentize(options) => exit_code(componentize::componentize(&options)),
        Command::Symbolizer => match wasm_bpf_host::serve_symbolizer() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Command::Completions { shell } => {
            // To a buffer first: the generator panics when standard output is closed.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "wasm-bpf", &mut script);
            match std::io::Write::write_all(&mut std::io::stdout(), &script) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
    }
}

fn exit_code(result: anyhow::Result<u8>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::error(&error);
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_after_the_component_are_its_own() {
        for args in [
            &["-v", "--help", "-d", "5"][..],
            &["--help"],
            &["--", "x"],
            &["--allow-all"],
        ] {
            let command = ["wasm-bpf", "run", "-v", "x.wasm"].iter().chain(args);
            let cli = Cli::parse_from(command);
            let Command::Run(run) = cli.command else {
                panic!("not run")
            };
            assert_eq!(run.verbose, 1);
            assert!(!run.allow_all);
            assert_eq!(run.component(), Path::new("x.wasm"));
            assert_eq!(run.args(), args);
        }
    }

    #[test]
    fn unknown_options_are_no_component() {
        assert!(Cli::try_parse_from(["wasm-bpf", "run", "--bogus", "x.wasm"]).is_err());
        assert!(Cli::try_parse_from(["wasm-bpf", "run"]).is_err());
    }
}
