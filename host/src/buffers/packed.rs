//! The list that a read returns: records of all sources, packed as `buffers.wit` says.

use std::ptr;

/// Bytes in front of each record's data.
pub(super) const HEADER: usize = 8;
/// Bits of the first header word that hold the length of the data; bit 30 says "discarded".
pub(super) const LENGTH: u32 = (1 << 30) - 1;
/// Says that this is no record, but how many were lost.
const LOST: u32 = 1 << 31;

/// Header, data and padding.
pub(super) fn frame_length(header: u32) -> usize {
    (header & LENGTH).next_multiple_of(8) as usize + HEADER
}

/// The bytes that a record of this length takes.
pub(super) fn packed_length(data: usize) -> usize {
    HEADER + data.next_multiple_of(8)
}

/// Appends a record whose data comes in two parts: what was before and after the end of a ring. Shorter than 2^30 bytes.
pub(super) fn push_record(packed: &mut Vec<u8>, source: u32, data: (&[u8], &[u8])) {
    let length = data.0.len() + data.1.len();
    debug_assert!(length <= LENGTH as usize);
    let frame = packed_length(length);
    packed.reserve(frame);
    // SAFETY: there is room for the frame; its last 8 bytes are the padding's, or the header's if there is no data, so that all
    // of it is initialized.
    unsafe {
        let start = packed.as_mut_ptr().add(packed.len());
        start.add(frame - 8).cast::<[u8; 8]>().write([0; 8]);
        write_header(start, length as u32, source);
        let to = start.add(HEADER);
        ptr::copy_nonoverlapping(data.0.as_ptr(), to, data.0.len());
        if !data.1.is_empty() {
            ptr::copy_nonoverlapping(data.1.as_ptr(), to.add(data.0.len()), data.1.len());
        }
        packed.set_len(packed.len() + frame);
    }
}

/// Writes a record's header.
///
/// # Safety
/// There is room for 8 bytes.
pub(super) unsafe fn write_header(at: *mut u8, word: u32, source: u32) {
    let [a, b, c, d] = word.to_ne_bytes();
    let [e, f, g, h] = source.to_ne_bytes();
    // SAFETY: as the caller says.
    unsafe { at.cast::<[u8; 8]>().write([a, b, c, d, e, f, g, h]) };
}

/// Appends how many records were lost at a source.
pub(super) fn push_lost(packed: &mut Vec<u8>, source: u32, count: u64) {
    packed.extend_from_slice(&(8 | LOST).to_ne_bytes());
    packed.extend_from_slice(&source.to_ne_bytes());
    packed.extend_from_slice(&count.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_padded() {
        assert_eq!(frame_length(0), 8);
        assert_eq!(frame_length(1), 16);
        assert_eq!(frame_length(8), 16);
        assert_eq!(frame_length(9 | 1 << 30), 24);
        assert_eq!(frame_length(LENGTH), (1 << 30) + 8);
    }

    #[test]
    fn records_are_as_long_as_their_headers_say() {
        let mut packed = Vec::new();
        for data in [&b""[..], b"1", b"12345678", b"123456789"] {
            let start = packed.len();
            let (first, second) = data.split_at(data.len() / 2);
            push_record(&mut packed, 3, (first, second));
            let frame = &packed[start..];
            let header = u32::from_ne_bytes(frame[..4].try_into().unwrap());
            assert_eq!(frame.len(), frame_length(header));
            assert_eq!(frame.len(), packed_length(data.len()));
            assert_eq!(frame[4..8], 3u32.to_ne_bytes());
            assert_eq!(&frame[8..8 + data.len()], data);
        }
        let start = packed.len();
        push_lost(&mut packed, 1, 7);
        let header = u32::from_ne_bytes(packed[start..start + 4].try_into().unwrap());
        assert_eq!(packed.len() - start, frame_length(header));
        assert_eq!(packed[start + 8..], 7u64.to_ne_bytes());
    }
}
