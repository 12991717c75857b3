//! Measures guests against native libbpf, in one process and by turns, and prints how many times longer guests take.

mod cases;
#[path = "../guest/src/data.rs"]
mod data;
mod guest;
mod measure;
mod native;
mod report;
mod trigger;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;

use cases::{CASES, Case};
use guest::Compiled;
use measure::{Effort, measure};
use report::Conditions;

/// Measure what guests cost, compared with native libbpf.
///
/// Each case is done by a component and by native code, each with maps and programs of its own, in one process and by turns. The
/// least of all rounds counts. Both must have read and written the same.
#[derive(Parser)]
#[command(name = "bench", after_help = EXAMPLES)]
struct Options {
    /// Only show that every case works: few and short rounds. The numbers are not worth much.
    #[arg(long)]
    quick: bool,

    /// How many rounds to measure [default: 100; with --quick 3].
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,

    /// Write the results to a file as well.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Say which cases there are, and end.
    #[arg(long)]
    list: bool,

    /// The component to measure.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "build/bench/bench_guest.component.wasm"
    )]
    guest: PathBuf,

    /// Only cases whose names contain one of these.
    #[arg(value_name = "CASE")]
    cases: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  make bench                                all cases
  make bench ARGS=--quick                   does everything work?
  make bench ARGS='lookup ring'             cases with `lookup` or `ring` in their names
  make bench ARGS='--rounds 1000 --json results.json'

Needs root.";

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<ExitCode> {
    if options.list {
        return list();
    }
    let chosen = choose(&options.cases)?;
    let effort = Effort {
        rounds: options
            .rounds
            .unwrap_or(if options.quick { 3 } else { 100 }),
        part: Duration::from_micros(if options.quick { 200 } else { 4000 }),
    };
    let compiled = Compiled::new(&options.guest)?;
    let object = compiled.object()?;
    let shows_progress = std::io::stderr().is_terminal();
    let mut results = Vec::new();
    let mut failed = false;
    for case in chosen {
        let result = measure(case, &compiled, &object, effort, |round| {
            if shows_progress {
                eprint!("\r\x1b[K{}: round {}", case.name, round + 1);
            }
        });
        if shows_progress {
            eprint!("\r\x1b[K");
        }
        match result {
            Ok(times) => results.push((case, times)),
            Err(error) => {
                failed = true;
                eprintln!("{}: {error:#}", case.name);
            }
        }
    }
    let conditions = Conditions::new(effort.rounds)?;
    if !results.is_empty() {
        print(&report::table(&conditions, &results))?;
    }
    if let Some(path) = &options.json {
        report::write_json(path, &conditions, &results)?;
    }
    Ok(ExitCode::from(u8::from(failed)))
}

/// The cases whose names contain one of the texts; all, if there are no texts.
fn choose(texts: &[String]) -> Result<Vec<&'static Case>> {
    for text in texts {
        ensure!(
            CASES.iter().any(|case| case.name.contains(text.as_str())),
            "no case has {text:?} in its name; `--list` says which there are"
        );
    }
    Ok(CASES
        .iter()
        .filter(|case| {
            texts.is_empty() || texts.iter().any(|text| case.name.contains(text.as_str()))
        })
        .collect())
}

fn list() -> Result<ExitCode> {
    let width = CASES.iter().map(|case| case.name.len()).max().unwrap_or(0);
    let lines: String = CASES
        .iter()
        .map(|case| format!("{:width$}  {}\n", case.name, case.about))
        .collect();
    print(&lines)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints, and takes no offence at a reader that has read enough.
fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
