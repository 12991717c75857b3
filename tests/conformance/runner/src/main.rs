//! The command: lists cases, runs them with a host, shows results of several kernels.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::{Args, Parser, Subcommand};
use wasm_bpf_conformance::actor::act;
use wasm_bpf_conformance::case::{self, Case, Language};
use wasm_bpf_conformance::config::Config;
use wasm_bpf_conformance::execute::Suite;
use wasm_bpf_conformance::host::Host;
use wasm_bpf_conformance::log::KernelLog;
use wasm_bpf_conformance::matrix::Matrix;
use wasm_bpf_conformance::probe::Probes;
use wasm_bpf_conformance::release::Release;
use wasm_bpf_conformance::results::{self, Outcome, Results};
use wasm_bpf_conformance::{c_compat, check, coverage};

/// Try whether a host does what the interface says.
#[derive(Parser)]
#[command(
    name = "conformance",
    max_term_width = 100,
    after_help = "Examples:\n  \
        conformance list --cases 'map*'\n  \
        conformance run --host 'wasm-bpf run {grants} {limits} {dirs} {component} {args}'\n  \
        conformance run --host './my-host {component} {args}' --cases 'ring-buffer/*' --junit out.xml\n  \
        conformance matrix results/*.json"
)]
struct Cli {
    /// The directory of the project, which has the cases.
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    root: PathBuf,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the cases.
    List(Choice),
    /// Run cases with a host on the running kernel.
    Run(Run),
    /// Show the results of several kernels, and fail if a case failed on one or, of more than one kernel, passed on none.
    Matrix {
        /// What `run --json` wrote.
        #[arg(required = true)]
        results: Vec<PathBuf>,
        /// Write JUnit's XML.
        #[arg(long, value_name = "FILE")]
        junit: Option<PathBuf>,
    },
    /// Check that the cases cover the whole interface, and that components use what their cases are said to cover.
    Check {
        /// Where the components are: DIR/LANGUAGE/FOLDER.component.wasm.
        #[arg(long, default_value = "build/conformance", value_name = "DIR")]
        components: PathBuf,
    },
    /// Write docs/coverage.md.
    Coverage {
        /// What `run --json` wrote, of all cases: which functions passed on that kernel is kept for the table.
        results: Vec<PathBuf>,
        /// Write nothing, and fail if the file is not what would be written.
        #[arg(long, conflicts_with = "results")]
        check: bool,
    },
    /// Write docs/c-compat.md.
    CCompat {
        /// Write nothing, and fail if the file is not what would be written.
        #[arg(long)]
        check: bool,
    },
    /// What a case has a process of its own do.
    #[command(hide = true)]
    Act { action: Vec<String> },
}

#[derive(Args)]
struct Choice {
    /// Which cases: FOLDER or FOLDER/CASE, with * and ?; all unless told otherwise.
    #[arg(long, value_name = "PATTERN")]
    cases: Vec<String>,
    /// Only guests in this language.
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<String>,
}

#[derive(Args)]
struct Run {
    /// How the host is called: {component}, {args}, {grants}, {limits} and {dirs} are put in.
    #[arg(long, value_name = "COMMAND")]
    host: String,
    /// What one grant is on the host's command line.
    #[arg(
        long,
        default_value = "--allow {grant}",
        value_name = "WORDS",
        allow_hyphen_values = true
    )]
    grant: String,
    /// What one limit is on the host's command line.
    #[arg(
        long,
        default_value = "--limit {limit}",
        value_name = "WORDS",
        allow_hyphen_values = true
    )]
    limit: String,
    /// What one folder that the component may use is on the host's command line.
    #[arg(
        long,
        default_value = "--dir {dir}",
        value_name = "WORDS",
        allow_hyphen_values = true
    )]
    dir: String,
    /// Where the components are: DIR/LANGUAGE/FOLDER.component.wasm.
    #[arg(long, default_value = "build/conformance", value_name = "DIR")]
    components: PathBuf,
    #[command(flatten)]
    choice: Choice,
    /// The configuration of the running kernel, where it is at no usual place.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How many times longer than on a usual machine cases may take.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..1000))]
    time_factor: u32,
    /// Also run what the kernel is said to be too old for, and fail if it passes.
    #[arg(long)]
    try_too_old: bool,
    /// Write the results as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the results as JUnit's XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        Command::List(choice) => list(&cli.root, choice),
        Command::Run(run) => self::run(&cli.root, run),
        Command::Matrix { results, junit } => matrix(results, junit.as_deref()),
        Command::Check { components } => check(&cli.root, components),
        Command::Coverage { results, check } => write_coverage(&cli.root, results, *check),
        Command::CCompat { check } => write_c_compat(&cli.root, *check),
        Command::Act { action } => {
            let words = action.iter().map(String::as_str).collect::<Vec<_>>();
            act(&words).map(|outcome| {
                println!("{outcome}");
                true
            })
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            anstream::eprintln!("conformance: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn choose(root: &Path, choice: &Choice) -> anyhow::Result<Vec<Case>> {
    if let Some(language) = &choice.language {
        ensure!(
            Language::ALL.iter().any(|known| known.name() == language),
            "there is no language {language:?}"
        );
    }
    let mut cases = case::read(root, &case::Chosen::parse(&choice.cases)?)?;
    if let Some(language) = &choice.language {
        cases.retain(|case| case.language.name() == language);
    }
    ensure!(!cases.is_empty(), "no case is called {:?}", choice.cases);
    Ok(cases)
}

fn list(root: &Path, choice: &Choice) -> anyhow::Result<bool> {
    for case in choose(root, choice)? {
        anstream::println!("{:40} {:5} {}", case.id(), case.language.name(), case.about);
    }
    Ok(true)
}

fn run(root: &Path, options: &Run) -> anyhow::Result<bool> {
    let cases = choose(root, &options.choice)?;
    let (release, full) = Release::running()?;
    let mut suite = Suite {
        host: Host::parse(&options.host, &options.grant, &options.limit, &options.dir)?,
        components: options.components.clone(),
        release,
        config: Config::read(options.config.as_deref(), &full)?,
        probes: Probes::default(),
        log: KernelLog::follow()?,
        time_factor: options.time_factor,
        try_too_old: options.try_too_old,
    };
    let mut results = Results {
        kernel: release.to_string(),
        release: full,
        host: options.host.clone(),
        results: Vec::new(),
    };
    // Gets what it says out at once, line by line: who waits sees how far it is.
    let mut output = anstream::stdout();
    for case in &cases {
        let result = suite.run(case);
        let (name, language) = (&result.case, &result.language);
        let seconds = result.seconds;
        match &result.outcome {
            Outcome::Passed => writeln!(output, "ok       {name} ({language}) {seconds:.2} s")?,
            Outcome::Skipped { reason, shown } => {
                writeln!(
                    output,
                    "skipped  {name} ({language}) {}: {shown}",
                    reason.name()
                )?;
            }
            Outcome::Failed { why, printed } => {
                writeln!(output, "FAILED   {name} ({language}) {seconds:.2} s")?;
                for line in why {
                    writeln!(output, "           {line}")?;
                }
                for line in printed.lines() {
                    writeln!(output, "         | {line}")?;
                }
            }
        }
        output.flush()?;
        results.results.push(result);
    }
    if let Some(file) = &options.json {
        results.save(file)?;
    }
    let all = [results];
    if let Some(file) = &options.junit {
        results::save_junit(&all, file)?;
    }
    writeln!(output)?;
    Matrix::new(&all).summarize(&mut output)?;
    Ok(all[0].failed() == 0)
}

fn load_all(files: &[PathBuf]) -> anyhow::Result<Vec<Results>> {
    files.iter().map(|path| Results::load(path)).collect()
}

fn matrix(files: &[PathBuf], junit: Option<&Path>) -> anyhow::Result<bool> {
    let all = load_all(files)?;
    if let Some(file) = junit {
        results::save_junit(&all, file)?;
    }
    let matrix = Matrix::new(&all);
    let mut output = anstream::stdout();
    matrix.print(&mut output)?;
    writeln!(output)?;
    matrix.summarize(&mut output)?;
    let never_passed = matrix.never_passed();
    for (case, language, why) in &never_passed {
        let why = why.map_or_else(String::new, |why| format!(": {}", why.name()));
        writeln!(output, "passed on no kernel: {case} ({language}){why}")?;
    }
    let failed = all.iter().map(Results::failed).sum::<usize>();
    let unexplained = never_passed.iter().any(|(.., why)| why.is_none());
    // One kernel alone does not have everything.
    Ok(failed == 0 && (all.len() == 1 || !unexplained))
}

/// Each function that a case covers passed with it.
fn keep_passed(root: &Path, all: &[Results]) -> anyhow::Result<()> {
    let mut passed = coverage::Passed::load(root)?;
    let cases = case::read_all(root)?.len();
    for results in all {
        ensure!(
            results.results.len() == cases,
            "the results of kernel {} are of {} cases, and there are {cases}: run all of them",
            results.kernel,
            results.results.len()
        );
        passed.forget(&results.kernel);
    }
    for results in all {
        let results_passed = results.results.iter();
        for result in results_passed.filter(|result| result.outcome == Outcome::Passed) {
            // Errors and the like have a colon.
            for function in result.covers.iter().filter(|item| !item.contains(':')) {
                passed.add(function, &results.kernel);
            }
        }
    }
    passed.save(root)
}

fn print_problems(problems: &[String]) -> bool {
    for problem in problems {
        anstream::eprintln!("conformance: {problem}");
    }
    problems.is_empty()
}

fn check(root: &Path, components: &Path) -> anyhow::Result<bool> {
    let cases = check::check(root, components)?;
    let table = coverage::check(root, &coverage::libbpf_functions(root)?)?;
    Ok(print_problems(&cases) & print_problems(&table))
}

fn write_coverage(root: &Path, results: &[PathBuf], only_check: bool) -> anyhow::Result<bool> {
    if !results.is_empty() {
        keep_passed(root, &load_all(results)?)?;
    }
    let text = coverage::document(root, &coverage::Passed::load(root)?)?;
    write_page(root, "docs/coverage.md", &text, only_check)?;
    Ok(true)
}

fn write_page(root: &Path, name: &str, text: &str, only_check: bool) -> anyhow::Result<()> {
    let file = root.join(name);
    if !only_check {
        return std::fs::write(&file, text)
            .with_context(|| format!("cannot write {}", file.display()));
    }
    let found = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    ensure!(
        found == text,
        "{} is not what `make coverage` writes",
        file.display()
    );
    Ok(())
}

fn write_c_compat(root: &Path, only_check: bool) -> anyhow::Result<bool> {
    let (text, problems) = c_compat::document(root)?;
    write_page(root, "docs/c-compat.md", &text, only_check)?;
    Ok(print_problems(&problems))
}
