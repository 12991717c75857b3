//! The cases: a folder each, and what its `case.toml` says.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Deserializer, de};

use crate::probe::Probe;
use crate::release::Release;
use crate::surroundings::Need;

/// One case, in one language.
#[derive(Clone, Debug)]
pub struct Case {
    /// The folder, which is also the name of the component.
    pub folder: String,
    /// The case in it: the component's first argument.
    pub name: String,
    /// The language of the guest.
    pub language: Language,
    pub about: String,
    pub covers: Vec<String>,
    pub setting: Setting,
}

impl Case {
    /// As it is chosen and shown.
    pub fn id(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }
}

/// What a guest is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    Rust,
    C,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::Rust, Self::C];

    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Rust => "guest.rs",
            Self::C => "guest.c",
        }
    }
}

/// How a case has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum End {
    #[default]
    Ok,
    /// The component is ended by the host, after it said that it would be.
    Trap,
    Exit(u8),
}

impl<'de> Deserialize<'de> for End {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = End;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"ok\", \"trap\" or an exit code from 1 to 255")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<End, E> {
                match text {
                    "ok" => Ok(End::Ok),
                    "trap" => Ok(End::Trap),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_i64<E: de::Error>(self, code: i64) -> Result<End, E> {
                match u8::try_from(code) {
                    Ok(code @ 1..) => Ok(End::Exit(code)),
                    _ => Err(E::invalid_value(de::Unexpected::Signed(code), &self)),
                }
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// What a case needs, and how it ends.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    pub kernel: Option<Release>,
    pub config: Vec<String>,
    pub probe: Vec<Probe>,
    pub needs: Vec<Need>,
    pub grants: Vec<String>,
    pub limits: Vec<String>,
    pub dirs: Vec<String>,
    pub time_limit: u64,
    pub end: End,
}

/// The same as it is written: for a folder, and again for a case.
#[derive(Clone, Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct Written {
    kernel: Option<Release>,
    config: Option<Vec<String>>,
    probe: Option<Vec<Probe>>,
    needs: Option<Vec<Need>>,
    grants: Option<Vec<String>>,
    limits: Option<Vec<String>>,
    dirs: Option<Vec<String>>,
    time_limit: Option<u64>,
    end: Option<End>,
}

const TIME_LIMIT: u64 = 60;

impl Written {
    /// What is said here, and for the rest what the folder says.
    fn within(&self, folder: &Self) -> Setting {
        fn either<T: Clone>(own: &Option<T>, folder: &Option<T>) -> Option<T> {
            own.clone().or_else(|| folder.clone())
        }
        Setting {
            kernel: either(&self.kernel, &folder.kernel),
            config: either(&self.config, &folder.config).unwrap_or_default(),
            probe: either(&self.probe, &folder.probe).unwrap_or_default(),
            needs: either(&self.needs, &folder.needs).unwrap_or_default(),
            grants: either(&self.grants, &folder.grants).unwrap_or_default(),
            limits: either(&self.limits, &folder.limits).unwrap_or_default(),
            dirs: either(&self.dirs, &folder.dirs).unwrap_or_default(),
            time_limit: either(&self.time_limit, &folder.time_limit).unwrap_or(TIME_LIMIT),
            end: either(&self.end, &folder.end).unwrap_or_default(),
        }
    }
}

/// `deny_unknown_fields` does not go with `flatten`: the names are listed for it.
#[derive(Deserialize)]
struct File {
    #[serde(flatten)]
    written: Written,
    case: Vec<CaseInFile>,
}

#[derive(Deserialize)]
struct CaseInFile {
    name: String,
    about: String,
    #[serde(default)]
    covers: Vec<String>,
    #[serde(flatten)]
    written: Written,
}

const SETTINGS: [&str; 9] = [
    "kernel",
    "config",
    "probe",
    "needs",
    "grants",
    "limits",
    "dirs",
    "time-limit",
    "end",
];

/// A misspelt setting would be one that is not there.
fn check_names(text: &str) -> anyhow::Result<()> {
    let table: toml::Table = toml::from_str(text)?;
    let check = |table: &toml::Table, more: &[&str]| {
        for name in table.keys() {
            let name = name.as_str();
            ensure!(
                SETTINGS.contains(&name) || more.contains(&name),
                "there is no setting `{name}`"
            );
        }
        Ok(())
    };
    check(&table, &["case"])?;
    let cases = table.get("case").and_then(toml::Value::as_array);
    for case in cases.into_iter().flatten() {
        let case = case.as_table().context("a [[case]] is a table")?;
        check(case, &["name", "about", "covers"])?;
    }
    Ok(())
}

fn read_folder(folder: &Path) -> anyhow::Result<Vec<Case>> {
    let path = folder.join("case.toml");
    let text = fs::read_to_string(&path)?;
    check_names(&text)?;
    let file: File = toml::from_str(&text)?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let languages = Language::ALL
        .into_iter()
        .filter(|language| folder.join(language.source()).exists())
        .collect::<Vec<_>>();
    ensure!(!languages.is_empty(), "there is no guest");
    ensure!(!file.case.is_empty(), "there is no case");
    let mut cases = Vec::new();
    for (index, case) in file.case.iter().enumerate() {
        ensure!(
            !file.case[..index]
                .iter()
                .any(|other| other.name == case.name),
            "there are two cases `{}`",
            case.name
        );
        ensure!(
            !case.about.is_empty(),
            "`{}` says nothing of itself",
            case.name
        );
        for language in &languages {
            cases.push(Case {
                folder: name.clone().into_owned(),
                name: case.name.clone(),
                language: *language,
                about: case.about.clone(),
                covers: case.covers.clone(),
                setting: case.written.within(&file.written),
            });
        }
    }
    Ok(cases)
}

/// Where the suite is.
pub fn suite(root: &Path) -> PathBuf {
    root.join("tests/conformance")
}

/// All cases, by folder and then as they are written.
pub fn read_all(root: &Path) -> anyhow::Result<Vec<Case>> {
    read(root, &Chosen::parse(&[])?)
}

/// The cases that are asked for. Folders that have none of them are not looked into.
pub fn read(root: &Path, chosen: &Chosen) -> anyhow::Result<Vec<Case>> {
    let directory = suite(root).join("cases");
    let entries =
        fs::read_dir(&directory).with_context(|| format!("cannot list {}", directory.display()))?;
    let mut folders = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    folders.sort();
    let name = |folder: &PathBuf| folder.file_name().is_some_and(|name| chosen.has_of(name));
    let mut cases = Vec::new();
    for folder in folders.into_iter().filter(name) {
        let of_folder = read_folder(&folder).with_context(|| folder.display().to_string())?;
        cases.extend(of_folder);
    }
    cases.retain(|case| chosen.cases.is_match(case.id()));
    Ok(cases)
}

/// Which cases are asked for: those that one of the patterns matches, or all if there is no pattern.
pub struct Chosen {
    folders: GlobSet,
    cases: GlobSet,
}

impl Chosen {
    /// A pattern without a slash stands for folders.
    pub fn parse(patterns: &[String]) -> anyhow::Result<Self> {
        let (mut folders, mut cases) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        let all = ["*".to_owned()];
        let patterns = if patterns.is_empty() { &all } else { patterns };
        for pattern in patterns {
            let (folder, case) = pattern.split_once('/').unwrap_or((pattern, "*"));
            let glob =
                |text: &str| Glob::new(text).with_context(|| format!("{pattern:?} is no pattern"));
            folders.add(glob(folder)?);
            cases.add(glob(&format!("{folder}/{case}"))?);
        }
        Ok(Self {
            folders: folders.build()?,
            cases: cases.build()?,
        })
    }

    fn has_of(&self, folder: &OsStr) -> bool {
        self.folders.is_match(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_says_more_than_its_folder() {
        let text = r#"
            kernel = "5.8"
            grants = ["lsm"]
            [[case]]
            name = "a"
            about = "of the folder"
            [[case]]
            name = "b"
            about = "its own"
            kernel = "6.12"
            grants = []
            end = 3
        "#;
        check_names(text).unwrap();
        let file: File = toml::from_str(text).unwrap();
        let settings = file
            .case
            .iter()
            .map(|case| case.written.within(&file.written));
        let settings = settings.collect::<Vec<_>>();
        assert_eq!(settings[0].kernel, Release::parse("5.8"));
        assert_eq!(settings[0].grants, ["lsm"]);
        assert_eq!((settings[0].end, settings[0].time_limit), (End::Ok, 60));
        assert_eq!(settings[1].kernel, Release::parse("6.12"));
        assert!(settings[1].grants.is_empty());
        assert_eq!(settings[1].end, End::Exit(3));
    }

    #[test]
    fn what_is_misspelt_is_named() {
        let wrong = |text: &str| check_names(text).unwrap_err().to_string();
        assert!(wrong("kernal = '5.8'").contains("`kernal`"));
        assert!(wrong("[[case]]\nname = 'a'\nlimit = 1").contains("`limit`"));
        for end in ["0", "256", "'fine'"] {
            let text = format!("case = []\nend = {end}");
            assert!(toml::from_str::<File>(&text).is_err(), "{end}");
        }
    }

    #[test]
    fn patterns_choose_folders_or_cases() {
        let chosen = |pattern: &str| Chosen::parse(&[pattern.to_owned()]).unwrap();
        for pattern in ["map*", "*/values", "map-values/values", "*-values"] {
            let chosen = chosen(pattern);
            assert!(chosen.has_of(OsStr::new("map-values")), "{pattern}");
            assert!(chosen.cases.is_match("map-values/values"), "{pattern}");
        }
        assert!(!chosen("map*").cases.is_match("objects/map"));
        assert!(!chosen("map*").has_of(OsStr::new("objects")));
        assert!(!chosen("map-values/v").cases.is_match("map-values/values"));
        assert!(Chosen::parse(&[]).unwrap().cases.is_match("a/b"));
        assert!(Chosen::parse(&["a[".to_owned()]).is_err());
    }
}
