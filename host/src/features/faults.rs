//! Faults of kernels that a component could bring about.

use super::kernel::Names;

/// Why this kernel takes no stream parser from a component; none if it is without the fault.
///
/// What a verdict program passes on to the socket itself goes into the socket's queue under a lock that the parser's part of the kernel holds already: the CPU waits
/// for itself for good (CVE-2024-56694).
pub(crate) fn stream_parser() -> Option<String> {
    let fails = |error| format!("the host cannot tell which kernel this is: {error}");
    match Names::get() {
        Ok(names) => stream_parser_of(names.version()),
        Err(error) => Some(fails(error)),
    }
}

/// The lines of kernels that got the fault, which was new in 6.9, with the first release that has it and the first that does not any more.
const STREAM_PARSER: [(u32, u32, u32, u32); 10] = [
    (5, 4, 0, 289),
    (5, 10, 223, 233),
    (5, 15, 159, 174),
    (6, 1, 91, 120),
    (6, 6, 31, 64),
    (6, 8, 10, u32::MAX),
    (6, 9, 0, u32::MAX),
    (6, 10, 0, u32::MAX),
    (6, 11, 0, 11),
    (6, 12, 0, 2),
];

fn stream_parser_of([major, minor, patch]: [u32; 3]) -> Option<String> {
    const REPAIRED: &str =
        "repaired in 5.10.233, 5.15.174, 6.1.120, 6.6.64, 6.11.11, 6.12.2 and 6.13";
    const WHAT: &str =
        "locks a CPU up for good when a program lets pass what a stream parser has read";
    if (major, minor) >= (6, 13) || (major, minor) < (5, 4) {
        return None;
    }
    let has_fault = |&(line_major, line_minor, first, repaired): &(u32, u32, u32, u32)| {
        (line_major, line_minor) == (major, minor) && (first..repaired).contains(&patch)
    };
    if STREAM_PARSER.iter().any(has_fault) {
        return Some(format!("Linux {major}.{minor}.{patch} {WHAT} ({REPAIRED})"));
    }
    // Distributions take changes over and leave the number as it is.
    (patch == 0).then(|| {
        format!(
            "some kernels that call themselves {major}.{minor}.0 have a fault that {WHAT} ({REPAIRED}), and it cannot be seen which"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_parsers_are_refused_where_they_lock_up() {
        for version in [
            [5, 10, 223],
            [5, 10, 232],
            [5, 15, 173],
            [6, 1, 91],
            [6, 6, 63],
            [6, 8, 12],
            [6, 9, 0],
            [6, 10, 14],
            [6, 12, 1],
        ] {
            let why = stream_parser_of(version).unwrap();
            let [major, minor, patch] = version;
            let name = format!("Linux {major}.{minor}.{patch} locks");
            assert!(why.starts_with(&name), "{why}");
        }
        // By name alone.
        for version in [[5, 14, 0], [6, 6, 0], [5, 10, 0]] {
            let why = stream_parser_of(version).unwrap();
            assert!(why.contains("some kernels"), "{why}");
        }
        for version in [
            [4, 18, 0],
            [5, 10, 222],
            [5, 10, 233],
            [5, 15, 158],
            [5, 19, 17],
            [6, 1, 90],
            [6, 1, 120],
            [6, 7, 12],
            [6, 8, 9],
            [6, 11, 11],
            [6, 12, 2],
            [6, 13, 0],
            [7, 0, 0],
        ] {
            assert_eq!(stream_parser_of(version), None, "{version:?}");
        }
    }
}
