//! What came out, of one kernel: kept as JSON, told as JUnit.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::{Deserialize, Serialize};

/// What one run of the suite found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// The kernel as it is shown: `6.12`.
    pub kernel: String,
    /// The whole of its name.
    pub release: String,
    /// The command line of the host.
    pub host: String,
    pub results: Vec<CaseResult>,
}

/// One case, in one language.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseResult {
    pub case: String,
    pub language: String,
    pub covers: Vec<String>,
    #[serde(flatten)]
    pub outcome: Outcome,
    pub seconds: f64,
    /// New lines of the kernel's log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kernel_log: Vec<String>,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    Passed,
    Failed {
        /// What was wrong, in a line for each.
        why: Vec<String>,
        /// What the guest and the host printed.
        printed: String,
    },
    Skipped {
        reason: Skip,
        /// What shows that it cannot be done here.
        shown: String,
    },
}

/// Why a case is not run on a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skip {
    /// The kernel is older than what the case is about.
    KernelTooOld,
    /// Its configuration does not have it.
    NotBuilt,
    /// A native program was refused as well.
    RefusedByMachine,
    /// The machine does not have the hardware, as a native program saw.
    NoHardware,
}

impl Skip {
    pub fn name(self) -> &'static str {
        match self {
            Self::KernelTooOld => "kernel-too-old",
            Self::NotBuilt => "not-built",
            Self::RefusedByMachine => "refused-by-machine",
            Self::NoHardware => "no-hardware",
        }
    }
}

impl Results {
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} has no results of the suite", path.display()))
    }

    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    pub fn failed(&self) -> usize {
        let failed = |result: &&CaseResult| matches!(result.outcome, Outcome::Failed { .. });
        self.results.iter().filter(failed).count()
    }
}

/// Writes the results of all kernels as JUnit's XML: a suite for each kernel.
pub fn save_junit(all: &[Results], path: &Path) -> anyhow::Result<()> {
    let mut report = Report::new("wasm-bpf conformance");
    for results in all {
        let mut suite = TestSuite::new(format!("kernel {}", results.kernel));
        suite.add_property(("release", results.release.as_str()));
        suite.add_property(("host", results.host.as_str()));
        for result in &results.results {
            let status = match &result.outcome {
                Outcome::Passed => TestCaseStatus::success(),
                Outcome::Failed { why, printed } => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(why.join("; "));
                    status.set_description(printed.as_str());
                    status
                }
                Outcome::Skipped { reason, shown } => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(format!("{}: {shown}", reason.name()));
                    status
                }
            };
            let mut case = TestCase::new(result.case.as_str(), status);
            case.set_classname(result.language.as_str());
            case.set_time(Duration::from_secs_f64(result.seconds));
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    let file =
        fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    report.serialize(file)?;
    Ok(())
}
