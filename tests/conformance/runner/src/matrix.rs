//! Case by language by kernel.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::release::Release;
use crate::results::{CaseResult, Outcome, Results, Skip};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const SKIPPED: Style = AnsiColor::Yellow.on_default();

/// Results of several kernels.
pub struct Matrix<'a> {
    kernels: Vec<&'a Results>,
    /// By case and language, in the order in which the first kernel has them.
    rows: Vec<(&'a str, &'a str)>,
    cells: BTreeMap<(&'a str, &'a str, usize), &'a CaseResult>,
}

impl<'a> Matrix<'a> {
    pub fn new(all: &'a [Results]) -> Self {
        let mut kernels = all.iter().collect::<Vec<_>>();
        kernels.sort_by_key(|results| (Release::parse(&results.release), &results.release));
        let mut rows = Vec::new();
        let mut seen = BTreeSet::new();
        let mut cells = BTreeMap::new();
        for (column, results) in kernels.iter().enumerate() {
            for result in &results.results {
                let row = (result.case.as_str(), result.language.as_str());
                if seen.insert(row) {
                    rows.push(row);
                }
                cells.insert((row.0, row.1, column), result);
            }
        }
        Self {
            kernels,
            rows,
            cells,
        }
    }

    fn of_row(&self, row: (&'a str, &'a str)) -> impl Iterator<Item = Option<&'a CaseResult>> {
        let columns = 0..self.kernels.len();
        columns.map(move |column| self.cells.get(&(row.0, row.1, column)).copied())
    }

    /// Cases that no kernel could run, with why none of these could: all are too old, or on machines without the hardware. Others should have passed
    /// on one of them.
    pub fn never_passed(&self) -> Vec<(&'a str, &'a str, Option<Skip>)> {
        let mut never = Vec::new();
        for row in self.rows.iter().copied() {
            let outcomes = self.of_row(row).flatten().map(|result| &result.outcome);
            let outcomes = outcomes.collect::<Vec<_>>();
            if outcomes.contains(&&Outcome::Passed) {
                continue;
            }
            let all_skipped = |wanted: &[Skip]| {
                outcomes.iter().all(|outcome| {
                    matches!(outcome, Outcome::Skipped { reason, .. } if wanted.contains(reason))
                })
            };
            let why = if all_skipped(&[Skip::KernelTooOld]) {
                Some(Skip::KernelTooOld)
            } else if all_skipped(&[Skip::KernelTooOld, Skip::NoHardware]) {
                Some(Skip::NoHardware)
            } else {
                None
            };
            never.push((row.0, row.1, why));
        }
        never
    }

    pub fn print(&self, to: &mut impl Write) -> io::Result<()> {
        let wide = self.rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
        let column = |results: &Results| results.kernel.len().max(8);
        write!(to, "{:wide$}  {:8}", "case", "language")?;
        for results in &self.kernels {
            write!(to, "  {:width$}", results.kernel, width = column(results))?;
        }
        writeln!(to)?;
        for row in &self.rows {
            write!(to, "{:wide$}  {:8}", row.0, row.1)?;
            for (results, cell) in self.kernels.iter().zip(self.of_row(*row)) {
                let (style, text) = match cell.map(|result| &result.outcome) {
                    Some(Outcome::Passed) => (GOOD, "ok"),
                    Some(Outcome::Failed { .. }) => (BAD, "FAILED"),
                    Some(Outcome::Skipped { reason, .. }) => (
                        SKIPPED,
                        match reason {
                            Skip::KernelTooOld => "too old",
                            Skip::NotBuilt => "no build",
                            Skip::RefusedByMachine => "refused",
                            Skip::NoHardware => "no hw",
                        },
                    ),
                    None => (Style::new(), "-"),
                };
                write!(
                    to,
                    "  {style}{text:width$}{style:#}",
                    width = column(results)
                )?;
            }
            writeln!(to)?;
        }
        Ok(())
    }

    /// How many of each, and what there is to say of skips and failures.
    pub fn summarize(&self, to: &mut impl Write) -> io::Result<()> {
        for results in &self.kernels {
            let count = |is: fn(&Outcome) -> bool| {
                let outcomes = results.results.iter().map(|result| &result.outcome);
                outcomes.filter(|outcome| is(outcome)).count()
            };
            writeln!(
                to,
                "kernel {} ({}): {} passed, {} failed, {} skipped in {:.0} s",
                results.kernel,
                results.release,
                count(|outcome| *outcome == Outcome::Passed),
                count(|outcome| matches!(outcome, Outcome::Failed { .. })),
                count(|outcome| matches!(outcome, Outcome::Skipped { .. })),
                results
                    .results
                    .iter()
                    .map(|result| result.seconds)
                    .sum::<f64>(),
            )?;
            // Many cases are skipped for one reason.
            let mut skips = BTreeMap::<_, usize>::new();
            for result in &results.results {
                if let Outcome::Skipped { reason, shown } = &result.outcome {
                    *skips.entry((reason, shown)).or_default() += 1;
                }
            }
            for ((reason, shown), count) in skips {
                writeln!(to, "  {count} skipped: {}: {shown}", reason.name())?;
            }
            for result in &results.results {
                if let Outcome::Failed { why, .. } = &result.outcome {
                    let (case, language) = (&result.case, &result.language);
                    writeln!(
                        to,
                        "  {BAD}failed{BAD:#}: {case} ({language}): {}",
                        why.join("; ")
                    )?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(kernel: &str, outcomes: &[(&str, Outcome)]) -> Results {
        let result = |(case, outcome): &(&str, Outcome)| CaseResult {
            case: (*case).to_owned(),
            language: "rust".to_owned(),
            covers: Vec::new(),
            outcome: outcome.clone(),
            seconds: 0.5,
            kernel_log: Vec::new(),
        };
        Results {
            kernel: kernel.to_owned(),
            release: format!("{kernel}.1"),
            host: String::new(),
            results: outcomes.iter().map(result).collect(),
        }
    }

    #[test]
    fn what_no_kernel_at_hand_can_run_is_told_apart() {
        let skipped = |reason| Outcome::Skipped {
            reason,
            shown: String::new(),
        };
        let (old, hardware) = (skipped(Skip::KernelTooOld), skipped(Skip::NoHardware));
        let refused = skipped(Skip::RefusedByMachine);
        let all = [
            results(
                "5.10",
                &[
                    ("new", old.clone()),
                    ("counter", old.clone()),
                    ("lsm", old.clone()),
                ],
            ),
            results(
                "6.12",
                &[("new", old), ("counter", hardware), ("lsm", refused)],
            ),
        ];
        let expected = [
            ("new", "rust", Some(Skip::KernelTooOld)),
            ("counter", "rust", Some(Skip::NoHardware)),
            ("lsm", "rust", None),
        ];
        assert_eq!(Matrix::new(&all).never_passed(), expected);
    }

    #[test]
    fn kernels_are_columns_and_cases_rows() {
        let skipped = Outcome::Skipped {
            reason: Skip::KernelTooOld,
            shown: "needs 6.9".to_owned(),
        };
        let failed = Outcome::Failed {
            why: vec!["it trapped".to_owned()],
            printed: String::new(),
        };
        let all = [
            results("6.12", &[("a/one", Outcome::Passed), ("a/two", failed)]),
            results("5.10", &[("a/one", Outcome::Passed), ("a/two", skipped)]),
        ];
        let matrix = Matrix::new(&all);
        assert_eq!(matrix.never_passed(), [("a/two", "rust", None)]);
        let mut text = Vec::new();
        matrix
            .print(&mut anstream::StripStream::new(&mut text))
            .unwrap();
        matrix
            .summarize(&mut anstream::StripStream::new(&mut text))
            .unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let lines = lines.collect::<Vec<_>>();
        assert_eq!(lines[0], ["case", "language", "5.10", "6.12"]);
        assert_eq!(lines[1], ["a/one", "rust", "ok", "ok"]);
        assert_eq!(lines[2], ["a/two", "rust", "too", "old", "FAILED"]);
        for part in [
            "1 skipped: kernel-too-old: needs 6.9",
            "failed: a/two (rust): it trapped",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
