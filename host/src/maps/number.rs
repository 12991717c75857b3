//! Keys and values that cross as numbers: no list is made of them on either side.

use super::{Access, Map};
use crate::bindings::maps::UpdateMode;
use crate::bindings::types::ErrorCode;
use crate::error::CodeResult;

/// The bytes of a number in as many bytes as it has in the map; none if it is too large, or there are no numbers of this size.
fn to_bytes(number: u64, size: u32) -> Option<[u8; 8]> {
    let mut bytes = [0; 8];
    match size {
        1 => bytes[..1].copy_from_slice(&u8::try_from(number).ok()?.to_ne_bytes()),
        2 => bytes[..2].copy_from_slice(&u16::try_from(number).ok()?.to_ne_bytes()),
        4 => bytes[..4].copy_from_slice(&u32::try_from(number).ok()?.to_ne_bytes()),
        8 => bytes = number.to_ne_bytes(),
        _ => return None,
    }
    Some(bytes)
}

fn from_bytes(bytes: &[u8]) -> Option<u64> {
    Some(match bytes.len() {
        1 => bytes[0].into(),
        2 => u16::from_ne_bytes(bytes.try_into().ok()?).into(),
        4 => u32::from_ne_bytes(bytes.try_into().ok()?).into(),
        8 => u64::from_ne_bytes(bytes.try_into().ok()?),
        _ => return None,
    })
}

impl Map {
    pub(super) fn lookup_number(&self, key: u64) -> CodeResult<Option<u64>> {
        self.demand_keys()?;
        let key = to_bytes(key, self.info.key_size).ok_or(ErrorCode::WrongSize)?;
        let mut value = [0; 8];
        let value = match self.value_of_number() {
            Some(size) => &mut value[..size],
            None => return Err(ErrorCode::WrongSize.into()),
        };
        let key = &key[..self.info.key_size as usize];
        Ok(if self.lookup_into(key, value)? {
            from_bytes(value)
        } else {
            None
        })
    }

    pub(super) fn update_number(&self, key: u64, value: u64, mode: UpdateMode) -> CodeResult<()> {
        self.demand(Access::Full)?;
        let key = to_bytes(key, self.info.key_size).ok_or(ErrorCode::WrongSize)?;
        let size = self.value_of_number().ok_or(ErrorCode::WrongSize)?;
        let value = to_bytes(value, size as u32).ok_or(ErrorCode::WrongSize)?;
        let key = &key[..self.info.key_size as usize];
        self.update(key, &value[..size], mode)
    }

    /// The bytes of a value, if it is one number for all CPUs.
    fn value_of_number(&self) -> Option<usize> {
        let is_number = matches!(self.info.value_length, 1 | 2 | 4 | 8);
        // With one CPU a per-CPU value has a length that a number could have.
        (is_number && self.info.value_length == self.info.value_size && !self.is_percpu())
            .then_some(self.info.value_length as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_size_of_the_map() {
        for size in [1, 2, 4, 8] {
            let largest = u64::MAX >> (64 - 8 * size);
            for number in [0, 1, largest] {
                let bytes = to_bytes(number, size).unwrap();
                assert_eq!(from_bytes(&bytes[..size as usize]), Some(number));
            }
            if size < 8 {
                assert_eq!(to_bytes(largest + 1, size), None);
            }
        }
        for size in [0, 3, 5, 16, u32::MAX] {
            assert_eq!(to_bytes(0, size), None);
        }
    }
}
