//! Stacks with their names.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use wasm_bpf_guest::{ErrorKind, MapCore as _, Symbolizer, printable};

use crate::profile::ProfileSkel;
use crate::profile::types::place;

/// What was sampled: stacks of the same names are one, the most frequent last.
#[derive(Debug, Default, PartialEq)]
pub struct Sampled(Vec<(Stack, u64)>);

/// A stack, its innermost function first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stack {
    comm: String,
    tgid: u32,
    kernel: Vec<String>,
    user: Vec<String>,
}

/// An address of a process that has gone, or of code without symbols.
const UNKNOWN: &str = "[unknown]";

/// Addresses by the process that they are of; `None` is the kernel.
type Names = BTreeMap<(Option<u32>, u64), String>;

impl Sampled {
    pub fn read(skel: &ProfileSkel) -> wasm_bpf_guest::Result<Self> {
        let counts = skel.maps.counts.iter().collect::<Result<Vec<_>, _>>()?;
        let mut raw = Vec::new();
        for (place, count) in counts {
            let kernel = addresses(skel, place.kernel_stack)?;
            let user = addresses(skel, place.user_stack)?;
            raw.push((place, kernel, user, count));
        }
        let names = names(&raw)?;
        let mut stacks = BTreeMap::new();
        for (place, kernel, user, count) in raw {
            let stack = Stack {
                comm: printable(&place.comm).to_string(),
                tgid: place.tgid,
                kernel: frames(&names, None, &kernel),
                user: frames(&names, Some(place.tgid), &user),
            };
            *stacks.entry(stack).or_default() += count;
        }
        let mut stacks = stacks.into_iter().collect::<Vec<_>>();
        stacks.sort_by_key(|(_, count)| *count);
        Ok(Self(stacks))
    }

    pub fn print(&self, output: &mut impl Write, annotations: bool) -> io::Result<()> {
        let mark = if annotations { "_[k]" } else { "" };
        for (stack, count) in &self.0 {
            for frame in &stack.kernel {
                writeln!(output, "    {frame}{mark}")?;
            }
            if !stack.kernel.is_empty() && !stack.user.is_empty() {
                writeln!(output, "    --")?;
            }
            for frame in &stack.user {
                writeln!(output, "    {frame}")?;
            }
            writeln!(
                output,
                "    -                {} ({})",
                stack.comm, stack.tgid
            )?;
            writeln!(output, "        {count}\n")?;
        }
        if self.0.is_empty() {
            writeln!(output, "(nothing ran)")?;
        }
        Ok(())
    }

    /// `comm;outermost;...;innermost count`: stacks of the same names are one.
    pub fn print_folded(&self, output: &mut impl Write, annotations: bool) -> io::Result<()> {
        let mark = if annotations { "_[k]" } else { "" };
        let mut lines = BTreeMap::<String, u64>::new();
        for (stack, count) in &self.0 {
            let mut line = separated(&stack.comm);
            for frame in stack.user.iter().rev() {
                line.push(';');
                line.push_str(&separated(frame));
            }
            for frame in stack.kernel.iter().rev() {
                line.push(';');
                line.push_str(&separated(frame));
                line.push_str(mark);
            }
            *lines.entry(line).or_default() += count;
        }
        for (line, count) in lines {
            writeln!(output, "{line} {count}")?;
        }
        Ok(())
    }
}

/// A name that does not look like two.
fn separated(name: &str) -> String {
    name.replace([';', '\n'], ":")
}

fn addresses(skel: &ProfileSkel, id: i32) -> wasm_bpf_guest::Result<Vec<u64>> {
    let Ok(id) = u32::try_from(id) else {
        return Ok(Vec::new());
    };
    let stack = skel.maps.stacks.lookup(&id.to_ne_bytes())?;
    let (words, _) = stack.as_deref().unwrap_or_default().as_chunks();
    let mut addresses = words
        .iter()
        .map(|word| u64::from_ne_bytes(*word))
        .collect::<Vec<_>>();
    let depth = addresses.iter().position(|address| *address == 0);
    addresses.truncate(depth.unwrap_or(addresses.len()));
    for address in addresses.iter_mut().skip(1) {
        // A return address is behind the call, which may be the last thing in a function.
        *address -= 1;
    }
    Ok(addresses)
}

fn names(raw: &[(place, Vec<u64>, Vec<u64>, u64)]) -> wasm_bpf_guest::Result<Names> {
    let mut wanted = BTreeMap::<Option<u32>, BTreeSet<u64>>::new();
    for (place, kernel, user, _) in raw {
        wanted.entry(None).or_default().extend(kernel);
        wanted.entry(Some(place.tgid)).or_default().extend(user);
    }
    let symbolizer = Symbolizer::new();
    let mut names = Names::new();
    let mut unreadable = None;
    for (process, addresses) in wanted {
        if addresses.is_empty() {
            continue;
        }
        let addresses = addresses.into_iter().collect::<Vec<_>>();
        let found = match process {
            None => symbolizer.symbolize_kernel(&addresses),
            Some(pid) => symbolizer.symbolize_process(pid, &addresses),
        };
        let found = match found {
            Ok(found) => found,
            // Short-lived ones have often gone.
            Err(error) if matches!(error.kind(), ErrorKind::NoSuchProcess) => continue,
            // One that cannot be read is no reason to show nothing.
            Err(error) => {
                unreadable = Some(error);
                continue;
            }
        };
        for (address, symbol) in addresses.into_iter().zip(found) {
            if let Ok(symbol) = symbol {
                let name = printable(symbol.name.as_bytes()).to_string();
                names.insert((process, address), name);
            }
        }
    }
    if let Some(error) = unreadable {
        eprintln!("profile: names are missing: {error}");
    }
    Ok(names)
}

fn frames(names: &Names, process: Option<u32>, addresses: &[u64]) -> Vec<String> {
    let frame = |address: &u64| match names.get(&(process, *address)) {
        Some(name) => name.clone(),
        None => UNKNOWN.to_owned(),
    };
    addresses.iter().map(frame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampled() -> Sampled {
        let stack = |tgid| Stack {
            comm: "a;b".to_owned(),
            tgid,
            kernel: vec!["do_nothing".to_owned(), "entry".to_owned()],
            user: vec![UNKNOWN.to_owned(), "main".to_owned()],
        };
        Sampled(vec![(stack(7), 2), (stack(8), 3)])
    }

    #[test]
    fn folded_stacks_begin_outside_and_are_summed_up() {
        let mut output = Vec::new();
        sampled().print_folded(&mut output, true).unwrap();
        assert_eq!(
            String::from_utf8(output).unwrap(),
            "a:b;main;[unknown];entry_[k];do_nothing_[k] 5\n"
        );
    }

    #[test]
    fn stacks_begin_inside() {
        let mut output = Vec::new();
        sampled().print(&mut output, false).unwrap();
        let text = String::from_utf8(output).unwrap();
        assert!(
            text.starts_with(
                "    do_nothing\n    entry\n    --\n    [unknown]\n    main\n    -                a;b (7)\n        2\n\n"
            ),
            "{text}"
        );
    }
}
