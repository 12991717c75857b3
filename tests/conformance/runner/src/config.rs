//! What the kernel was built with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

/// The options that are on, built in or as modules.
pub struct Config {
    file: PathBuf,
    on: BTreeSet<String>,
}

impl Config {
    /// Of a file, or of the first that the running kernel or its distribution offers.
    pub fn read(file: Option<&Path>, release: &str) -> anyhow::Result<Self> {
        let known = [
            PathBuf::from("/proc/config.gz"),
            PathBuf::from(format!("/boot/config-{release}")),
            PathBuf::from(format!("/lib/modules/{release}/config")),
        ];
        let found = match file {
            Some(file) => Some(file),
            None => known
                .iter()
                .map(PathBuf::as_path)
                .find(|file| file.exists()),
        };
        let Some(file) = found else {
            bail!("the kernel's configuration is in none of {known:?}: name it with --config");
        };
        let text = if file.extension().is_some_and(|extension| extension == "gz") {
            let output = Command::new("gzip").arg("-dc").arg(file).output()?;
            ensure!(
                output.status.success(),
                "gzip cannot read {}",
                file.display()
            );
            String::from_utf8(output.stdout)?
        } else {
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
        };
        let on = Self::parse(&text);
        ensure!(!on.is_empty(), "{} has no CONFIG_ line", file.display());
        Ok(Self {
            file: file.to_owned(),
            on,
        })
    }

    fn parse(text: &str) -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.split_once('='));
        lines
            .filter(|(name, value)| name.starts_with("CONFIG_") && matches!(*value, "y" | "m"))
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    pub fn file(&self) -> &Path {
        &self.file
    }

    pub fn has(&self, option: &str) -> bool {
        self.on.contains(option)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_on_or_not() {
        let on = Config::parse("# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C=m\nCONFIG_HZ=250\n");
        assert_eq!(on.into_iter().collect::<Vec<_>>(), ["CONFIG_B", "CONFIG_C"]);
    }
}
