//! What a read of a buffer returns, walked in place.

use std::time::Duration;

/// What a call of the host may return, in bytes. Larger is slower.
pub(super) const WINDOW: u32 = 64 << 10;

/// A timeout as the host takes it.
pub(super) fn limit(timeout: Duration) -> Option<u64> {
    (timeout != Duration::MAX).then(|| u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX))
}

pub(super) enum Entry<'a> {
    Record {
        source: u32,
        data: &'a [u8],
    },
    /// So many records were lost at this source.
    Lost {
        source: u32,
        count: u64,
    },
}

const LOST: u32 = 1 << 31;
const DISCARDED: u32 = 1 << 30;
const LENGTH: u32 = DISCARDED - 1;

/// The entry at `at`, discarded records skipped; `at` moves behind it.
///
/// Inlined even where size counts: this is what each record costs in a component.
#[inline(always)]
pub(super) fn next_entry<'a>(packed: &'a [u8], at: &mut usize) -> Option<Entry<'a>> {
    loop {
        let (header, rest) = packed.get(*at..)?.split_first_chunk::<8>()?;
        // One load for both words; the lower one comes first.
        let header = u64::from_le_bytes(*header);
        let (word, source) = (header as u32, (header >> 32) as u32);
        let length = (word & LENGTH) as usize;
        *at += 8 + length.next_multiple_of(8);
        if word <= LENGTH {
            return Some(Entry::Record {
                source,
                data: rest.get(..length)?,
            });
        }
        if word & LOST != 0 {
            let count = u64::from_ne_bytes(*rest.first_chunk()?);
            return Some(Entry::Lost { source, count });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(source: u32, word: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = word.to_ne_bytes().to_vec();
        bytes.extend(source.to_ne_bytes());
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    #[test]
    fn walks_over_several_sources_discarded_records_and_losses() {
        let mut packed = entry(1, 3, b"abc");
        packed.extend(entry(0, 5 | DISCARDED, b"nothi"));
        packed.extend(entry(7, 8 | LOST, &42u64.to_ne_bytes()));
        packed.extend(entry(2, 8, b"12345678"));
        packed.extend(entry(0, 0, b""));
        let mut at = 0;
        let mut seen = Vec::new();
        while let Some(entry) = next_entry(&packed, &mut at) {
            seen.push(match entry {
                Entry::Record { source, data } => (source, data.to_vec(), 0),
                Entry::Lost { source, count } => (source, Vec::new(), count),
            });
        }
        assert_eq!(
            seen,
            [
                (1, b"abc".to_vec(), 0),
                (7, Vec::new(), 42),
                (2, b"12345678".to_vec(), 0),
                (0, Vec::new(), 0)
            ]
        );
        assert_eq!(at, packed.len());
    }
}
