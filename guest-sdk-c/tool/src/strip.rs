//! Drops the names that nothing needs from a component: of its parts, and of the functions in all of its modules. Linkers leave those of the modules that
//! they put in themselves.

use std::fs;

use anyhow::Context as _;
use wasmparser::{Encoding, Parser, Payload};

use crate::{Strip, is_same_file, write_whole};

pub fn strip(options: &Strip) -> anyhow::Result<()> {
    let (input, output) = (&options.component, &options.output);
    anyhow::ensure!(
        !is_same_file(input, output),
        "{} would be overwritten with what is made of it: give another name with -o",
        input.display()
    );
    let bytes = fs::read(input).with_context(|| format!("cannot read {}", input.display()))?;
    let stripped = without_names(&bytes)
        .with_context(|| format!("{} is no WebAssembly component or module", input.display()))?;
    write_whole(output, |unfinished| {
        fs::write(unfinished, &stripped).map_err(Into::into)
    })
}

/// A section, with its number and its length before it.
fn push_section(out: &mut Vec<u8>, id: u8, content: &[u8]) {
    out.push(id);
    let mut length = content.len();
    loop {
        let low = (length & 0x7f) as u8;
        length >>= 7;
        out.push(if length == 0 { low } else { low | 0x80 });
        if length == 0 {
            break;
        }
    }
    out.extend_from_slice(content);
}

fn without_names(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    // What is around the part that is being read, with the number of the section that it is.
    let mut around: Vec<(u8, Vec<u8>)> = Vec::new();
    let mut out = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        match &payload {
            Payload::Version {
                encoding, range, ..
            } => {
                let number = match encoding {
                    Encoding::Module => 1,
                    Encoding::Component => 4,
                };
                // All but the outermost begin behind something.
                if !out.is_empty() {
                    around.push((number, std::mem::take(&mut out)));
                }
                out.extend_from_slice(&bytes[range.clone()]);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {}
            Payload::CustomSection(section) if is_names(section.name()) => {}
            Payload::End(_) => {
                if let Some((number, outer)) = around.pop() {
                    let inner = std::mem::replace(&mut out, outer);
                    push_section(&mut out, number, &inner);
                }
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    push_section(&mut out, id, &bytes[range]);
                }
            }
        }
    }
    Ok(out)
}

fn is_names(section: &str) -> bool {
    matches!(section, "name" | "component-name" | "producers")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &[u8] = b"\0asm\x01\0\0\0";
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    fn custom(name: &str, content: &[u8]) -> Vec<u8> {
        let mut section = vec![name.len() as u8];
        section.extend_from_slice(name.as_bytes());
        section.extend_from_slice(content);
        let mut out = Vec::new();
        push_section(&mut out, 0, &section);
        out
    }

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        push_section(&mut out, id, content);
        out
    }

    #[test]
    fn names_go_and_all_else_stays() {
        // Longer than the shortest lengths.
        let kept = custom("other", &[7; 300]);
        let inner = [MODULE, &kept, &custom("name", b"\0\x01")].concat();
        let component = [
            COMPONENT,
            &section(1, &inner),
            &section(4, &[COMPONENT, &custom("producers", b"\0"), &kept].concat()),
            &custom("component-name", b"abc"),
            &kept,
        ]
        .concat();
        let expected = [
            COMPONENT,
            &section(1, &[MODULE, &kept].concat()),
            &section(4, &[COMPONENT, &kept].concat()),
            &kept,
        ]
        .concat();
        assert_eq!(without_names(&component).unwrap(), expected);
        assert_eq!(without_names(&expected).unwrap(), expected);
        without_names(b"\x7fELF").unwrap_err();
        without_names(&component[..component.len() - 3]).unwrap_err();
    }
}
