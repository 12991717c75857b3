//! The table of an interval.

use std::cmp::Reverse;
use std::io::{self, Write};

use crate::Options;

/// The calls of one system call or process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    pub key: u32,
    pub count: u64,
    pub total_ns: u64,
}

/// The largest rows, and the sum of the others.
pub struct Table {
    pub rows: Vec<Row>,
    others: usize,
    rest: Row,
}

impl Table {
    pub fn new(mut rows: Vec<Row>, top: usize, by_time: bool) -> Self {
        rows.retain(|row| row.count > 0);
        rows.sort_unstable_by_key(|row| {
            let size = if by_time { row.total_ns } else { row.count };
            (Reverse(size), row.key)
        });
        let mut rest = Row::default();
        let mut others = 0;
        for row in rows.iter().skip(top) {
            rest.count += row.count;
            rest.total_ns += row.total_ns;
            others += 1;
        }
        rows.truncate(top);
        Self { rows, others, rest }
    }

    /// `names` has the name of each row.
    pub fn print(
        &self,
        output: &mut impl Write,
        names: &[String],
        options: &Options,
    ) -> io::Result<()> {
        let what = if options.processes {
            format!("{:>7} {:<15}", "PID", "COMM")
        } else {
            format!("{:<23}", "SYSCALL")
        };
        let unit = if options.milliseconds { "ms" } else { "us" };
        write!(output, "{what} {:>10}", "COUNT")?;
        if options.latency {
            write!(output, " {:>16}", format!("TIME ({unit})"))?;
        }
        writeln!(output)?;
        for (row, name) in self.rows.iter().zip(names) {
            let what = if options.processes {
                format!("{:>7} {name:<15}", row.key)
            } else {
                format!("{name:<23}")
            };
            line(output, &what, row, options)?;
        }
        if self.others > 0 {
            let what = format!("{:<23}", format!("({} more)", self.others));
            line(output, &what, &self.rest, options)?;
        }
        writeln!(output)
    }
}

fn line(output: &mut impl Write, what: &str, row: &Row, options: &Options) -> io::Result<()> {
    write!(output, "{what} {:>10}", row.count)?;
    if options.latency {
        let divisor = if options.milliseconds { 1e6 } else { 1e3 };
        write!(output, " {:>16.3}", row.total_ns as f64 / divisor)?;
    }
    writeln!(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::options;

    fn rows() -> Vec<Row> {
        let row = |key, count, total_ns| Row {
            key,
            count,
            total_ns,
        };
        vec![
            row(1, 5, 1_000),
            row(2, 7, 2_000_000),
            row(3, 0, 0),
            row(4, 5, 3_000),
        ]
    }

    fn print(rows: Vec<Row>, args: &[&str]) -> String {
        let options = options(args).unwrap();
        let table = Table::new(rows, options.top, options.latency);
        let name = |row: &Row| format!("n{}", row.key);
        let names = table.rows.iter().map(name).collect::<Vec<_>>();
        let mut output = Vec::new();
        table.print(&mut output, &names, &options).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn the_largest_come_first_and_the_rest_is_summed_up() {
        let lines = |args: &[&str]| {
            let text = print(rows(), args);
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            lines(&["-T", "1"]),
            [
                "SYSCALL                      COUNT",
                "n2                               7",
                "(2 more)                        10",
                "",
            ]
        );
        assert_eq!(
            lines(&["-LPm", "-T", "2"]),
            [
                "    PID COMM                 COUNT        TIME (ms)",
                "      2 n2                       7            2.000",
                "      4 n4                       5            0.003",
                "(1 more)                         5            0.001",
                "",
            ]
        );
    }

    #[test]
    fn of_equals_the_lower_number_comes_first() {
        let keys = |by_time| {
            let table = Table::new(rows(), 10, by_time);
            table.rows.iter().map(|row| row.key).collect::<Vec<_>>()
        };
        assert_eq!(keys(false), [2, 1, 4]);
        assert_eq!(keys(true), [2, 4, 1]);
    }
}
