//! Every case works: both sides read and write the same. What they take is not looked at.

use std::path::Path;
use std::process::{Command, Output};

fn bench(args: &[&str]) -> Output {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate is in a directory of the workspace");
    Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(args)
        .current_dir(workspace)
        .output()
        .expect("it can be started")
}

#[test]
fn all_cases_work() {
    let output = bench(&["--quick", "--rounds", "2"]);
    let (table, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{errors}");
    let cases = bench(&["--list"]).stdout;
    for line in String::from_utf8_lossy(&cases).lines() {
        let name = line.split_whitespace().next().expect("a name");
        assert!(
            table
                .lines()
                .any(|line| line.split_whitespace().next() == Some(name)),
            "{name} is missing in\n{table}"
        );
    }
    // Nobody watches.
    assert_eq!(errors, "");
}

#[test]
fn no_such_case() {
    let output = bench(&["no-such-case"]);
    assert!(!output.status.success());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("--list"), "{errors}");
}
