//! What the host and the process that reads symbols say to each other: a length, then that many bytes. A file comes along with the
//! length.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Bytes of an answer at most.
pub(super) const MAX_ANSWER: usize = 16 << 20;

/// Seconds that an answer may take.
pub(super) const TIME_LIMIT: u32 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Options {
    pub(super) debug_info: bool,
    pub(super) inlined: bool,
    pub(super) demangle: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Source {
    Kernel,
    Process(u32),
    /// The file that comes along.
    FileOffsets,
    VirtualOffsets,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) options: Options,
    pub(super) source: Source,
    pub(super) addresses: Vec<u64>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    Found(Vec<Result<Symbol, Unknown>>),
    Failed(Failed, String),
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Failed {
    NotFound,
    NotPermitted,
    Malformed,
    NotSupported,
    TooLarge,
    Other,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) folder: Option<String>,
    pub(super) file: String,
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Symbol {
    pub(super) name: String,
    pub(super) module: Option<String>,
    pub(super) address: u64,
    pub(super) offset: u64,
    pub(super) size: Option<u64>,
    pub(super) place: Option<Place>,
    pub(super) inlined: Vec<(String, Option<Place>)>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Unknown {
    Unmapped,
    InvalidOffset,
    NoFile,
    Unsupported,
    NoSymbols,
    NoSuchSymbol,
    Unreadable,
    Other(u32),
}

pub(super) fn encode(message: &impl Serialize) -> io::Result<Vec<u8>> {
    postcard::to_allocvec(message).map_err(io::Error::other)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    postcard::from_bytes(bytes).map_err(io::Error::other)
}

pub(super) fn length(bytes: &[u8]) -> io::Result<[u8; 4]> {
    let length = u32::try_from(bytes.len());
    Ok(length.map_err(io::Error::other)?.to_ne_bytes())
}

pub(super) fn write(mut stream: impl Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(&length(bytes)?)?;
    stream.write_all(bytes)
}

/// The bytes that follow a length, which is checked first: a broken reader of symbols must not take the host's memory.
pub(super) fn read_rest(mut stream: impl Read, length: [u8; 4]) -> io::Result<Vec<u8>> {
    let length = u32::from_ne_bytes(length) as usize;
    if length > MAX_ANSWER {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_the_round_trip() {
        let request = Request {
            options: Options {
                debug_info: true,
                inlined: false,
                demangle: true,
            },
            source: Source::Process(7),
            addresses: vec![0, u64::MAX],
        };
        let bytes = encode(&request).unwrap();
        assert_eq!(decode::<Request>(&bytes).unwrap(), request);
        // What is cut off is an error, not half of a message.
        decode::<Request>(&bytes[..bytes.len() - 1]).unwrap_err();
    }

    #[test]
    fn lengths_are_checked_before_memory_is_taken() {
        let length = (MAX_ANSWER as u32 + 1).to_ne_bytes();
        read_rest(&[][..], length).unwrap_err();
        read_rest(&[][..], u32::MAX.to_ne_bytes()).unwrap_err();
    }
}
