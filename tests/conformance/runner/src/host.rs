//! The host that is tried, as a command line.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use anyhow::{Context as _, ensure};

/// How a host is called.
pub struct Host {
    words: Vec<String>,
    grant: Vec<String>,
    limit: Vec<String>,
    dir: Vec<String>,
}

/// What is run, and with what.
pub struct Call<'a> {
    pub component: &'a Path,
    pub args: &'a [String],
    pub grants: &'a [String],
    pub limits: &'a [String],
    pub dirs: &'a [String],
}

impl Host {
    /// Of command lines as in a shell, with what is put in between braces.
    pub fn parse(host: &str, grant: &str, limit: &str, dir: &str) -> anyhow::Result<Self> {
        let split = |text: &str| {
            shlex::split(text).with_context(|| format!("{text:?} has a quote that does not end"))
        };
        let words = split(host)?;
        ensure!(!words.is_empty(), "the host's command is empty");
        for part in ["{component}", "{args}"] {
            ensure!(
                words.iter().any(|word| word.contains(part)),
                "the host's command {host:?} has no {part}"
            );
        }
        let (grant, limit, dir) = (split(grant)?, split(limit)?, split(dir)?);
        ensure!(
            grant.iter().any(|word| word.contains("{grant}")),
            "the form of a grant has no {{grant}}"
        );
        ensure!(
            limit.iter().any(|word| word.contains("{limit}")),
            "the form of a limit has no {{limit}}"
        );
        ensure!(
            dir.iter().any(|word| word.contains("{dir}")),
            "the form of a folder has no {{dir}}"
        );
        Ok(Self {
            words,
            grant,
            limit,
            dir,
        })
    }

    /// The words of one call.
    pub fn command_line(&self, call: &Call<'_>) -> Vec<OsString> {
        let mut line: Vec<OsString> = Vec::new();
        let each = |line: &mut Vec<OsString>, form: &[String], part: &str, values: &[String]| {
            for value in values {
                line.extend(form.iter().map(|word| word.replace(part, value).into()));
            }
        };
        for word in &self.words {
            match word.as_str() {
                "{args}" => line.extend(call.args.iter().map(OsString::from)),
                "{grants}" => each(&mut line, &self.grant, "{grant}", call.grants),
                "{limits}" => each(&mut line, &self.limit, "{limit}", call.limits),
                "{dirs}" => each(&mut line, &self.dir, "{dir}", call.dirs),
                _ => line.push(with_component(word, call.component)),
            }
        }
        line
    }

    /// Whether the host is told of grants, of limits, of folders.
    pub fn takes(&self, part: &str) -> bool {
        self.words.iter().any(|word| word == part)
    }
}

fn with_component(word: &str, component: &Path) -> OsString {
    match word.split_once("{component}") {
        Some((before, after)) => {
            let mut word = OsString::from(before);
            word.push(component);
            word.push(OsStr::new(after));
            word
        }
        None => word.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_between_braces_is_put_in() {
        let host = Host::parse(
            "a --b 'c d' {grants} {dirs} {component} {args}",
            "-g {grant}",
            "{limit}",
            "--dir {dir}",
        );
        let line = host.unwrap().command_line(&Call {
            component: Path::new("/x y.wasm"),
            args: &["one".to_owned(), "two three".to_owned()],
            grants: &["lsm".to_owned(), "pin=/a".to_owned()],
            limits: &["maps=1".to_owned()],
            dirs: &["/x".to_owned()],
        });
        let expected = [
            "a",
            "--b",
            "c d",
            "-g",
            "lsm",
            "-g",
            "pin=/a",
            "--dir",
            "/x",
            "/x y.wasm",
            "one",
            "two three",
        ];
        assert_eq!(line, expected);
    }

    #[test]
    fn commands_that_cannot_work_are_refused() {
        for wrong in ["", "a {component}", "a {args}", "a 'b {component} {args}"] {
            assert!(
                Host::parse(wrong, "{grant}", "{limit}", "{dir}").is_err(),
                "{wrong}"
            );
        }
        assert!(Host::parse("a {component} {args}", "--allow", "{limit}", "{dir}").is_err());
    }
}
