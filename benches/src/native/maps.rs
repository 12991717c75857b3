//! Maps and global variables through libbpf.

use std::ffi::{CStr, c_int, c_void};
use std::ptr::{self, NonNull};

use anyhow::{Result, bail, ensure};
use libbpf_sys as sys;

use super::Native;
use super::object::{Object, answer};
use crate::data::{BATCH, ENTRIES, KEYS, MANY, value_of, wide_of};
use crate::trigger::Trigger;

/// Which key comes in this turn.
fn key_of(turn: u32) -> u64 {
    u64::from(turn) % KEYS
}

/// The value of a key in a map.
///
/// # Safety
/// The map's keys have the size of `K` and its values that of `V`, for which all bytes are valid.
unsafe fn lookup<K, V: Default>(fd: c_int, key: &K) -> Result<V> {
    let mut value = V::default();
    // SAFETY: pointers to as much as the map has.
    let found = unsafe {
        sys::bpf_map_lookup_elem(
            fd,
            ptr::from_ref(key).cast(),
            ptr::from_mut(&mut value).cast(),
        )
    };
    if found < 0 {
        answer(found, "look up a key")?;
    }
    Ok(value)
}

/// Sets the value of a key in a map.
///
/// # Safety
/// The map's keys have the size of `K` and its values that of `V`.
unsafe fn update<K, V>(fd: c_int, key: &K, value: &V) -> Result<()> {
    // SAFETY: pointers to as much as the map has.
    let done = unsafe {
        sys::bpf_map_update_elem(
            fd,
            ptr::from_ref(key).cast(),
            ptr::from_ref(value).cast(),
            u64::from(sys::BPF_ANY),
        )
    };
    if done < 0 {
        answer(done, "update a key")?;
    }
    Ok(())
}

/// A map of numbers, filled.
struct Numbers {
    fd: c_int,
    _object: Object,
}

impl Numbers {
    fn new(object: &[u8], trigger: Trigger, map: &CStr, count: u64) -> Result<Self> {
        let object = Object::load(object, None, trigger)?;
        let fd = object.map_fd(map)?;
        for key in 0..count {
            // SAFETY: both maps of numbers have keys and values of 8 bytes.
            unsafe { update(fd, &key, &value_of(key))? };
        }
        Ok(Self {
            fd,
            _object: object,
        })
    }
}

/// A lookup of a number.
pub struct Lookup(Numbers);

impl Lookup {
    pub fn new(object: &[u8], trigger: Trigger) -> Result<Self> {
        Ok(Self(Numbers::new(object, trigger, c"numbers", KEYS)?))
    }
}

impl Native for Lookup {
    fn run(&mut self, iterations: u32) -> Result<u64> {
        let mut sum = 0u64;
        for turn in 0..iterations {
            // SAFETY: a map of numbers.
            let value: u64 = unsafe { lookup(self.0.fd, &key_of(turn))? };
            sum = sum.wrapping_add(value);
        }
        Ok(sum)
    }
}

/// A lookup of 64 bytes.
pub struct LookupWide {
    fd: c_int,
    _object: Object,
}

impl LookupWide {
    pub fn new(object: &[u8], trigger: Trigger) -> Result<Self> {
        let object = Object::load(object, None, trigger)?;
        let fd = object.map_fd(c"wides")?;
        for key in 0..KEYS {
            // SAFETY: the map has keys of 8 and values of 64 bytes.
            unsafe { update(fd, &key, &wide_of(key))? };
        }
        Ok(Self {
            fd,
            _object: object,
        })
    }
}

impl Native for LookupWide {
    fn run(&mut self, iterations: u32) -> Result<u64> {
        let mut sum = 0u64;
        for turn in 0..iterations {
            // SAFETY: the map has keys of 8 and values of 64 bytes.
            let value: [u64; 8] = unsafe { lookup(self.fd, &key_of(turn))? };
            sum = sum.wrapping_add(value[7]);
        }
        Ok(sum)
    }
}

/// An update of a number.
pub struct Update(Numbers);

impl Update {
    pub fn new(object: &[u8], trigger: Trigger) -> Result<Self> {
        Ok(Self(Numbers::new(object, trigger, c"numbers", KEYS)?))
    }
}

impl Native for Update {
    fn run(&mut self, iterations: u32) -> Result<u64> {
        for turn in 0..iterations {
            // SAFETY: a map of numbers.
            unsafe { update(self.0.fd, &key_of(turn), &u64::from(turn))? };
        }
        Ok(0)
    }

    fn written(&mut self) -> Result<u64> {
        let mut sum = 0u64;
        for key in 0..KEYS {
            // SAFETY: a map of numbers.
            let value: u64 = unsafe { lookup(self.0.fd, &key)? };
            sum = sum.wrapping_add(value ^ key << 32);
        }
        Ok(sum)
    }
}

/// Many lookups, a call for each: libbpf has none for many keys.
pub struct LookupMany {
    numbers: Numbers,
    keys: Vec<u64>,
}

impl LookupMany {
    pub fn new(object: &[u8], trigger: Trigger) -> Result<Self> {
        Ok(Self {
            numbers: Numbers::new(object, trigger, c"numbers", KEYS)?,
            keys: (0..MANY).collect(),
        })
    }
}

impl Native for LookupMany {
    fn run(&mut self, iterations: u32) -> Result<u64> {
        let mut sum = 0u64;
        for _ in 0..iterations {
            for key in &self.keys {
                // SAFETY: a map of numbers.
                let value: u64 = unsafe { lookup(self.numbers.fd, key)? };
                sum = sum.wrapping_add(value);
            }
        }
        Ok(sum)
    }
}

/// A walk with the kernel's batches.
pub struct Walk {
    entries: Numbers,
    keys: Vec<u64>,
    values: Vec<u64>,
}

impl Walk {
    pub fn new(object: &[u8], trigger: Trigger) -> Result<Self> {
        Ok(Self {
            entries: Numbers::new(object, trigger, c"entries", ENTRIES)?,
            keys: vec![0; BATCH as usize],
            values: vec![0; BATCH as usize],
        })
    }

    fn walk(&mut self) -> Result<u64> {
        let mut sum = 0u64;
        let mut seen = 0;
        // The kernel's cursor in a hash map: the number of a bucket.
        let mut cursor = 0u32;
        let mut from: *mut c_void = ptr::null_mut();
        loop {
            let mut count = BATCH;
            // SAFETY: room for so many keys and values, and for a cursor.
            let answer = unsafe {
                sys::bpf_map_lookup_batch(
                    self.entries.fd,
                    from,
                    ptr::from_mut(&mut cursor).cast(),
                    self.keys.as_mut_ptr().cast(),
                    self.values.as_mut_ptr().cast(),
                    &mut count,
                    ptr::null(),
                )
            };
            // ENOENT comes with the last batch.
            if answer < 0 && answer != -libc::ENOENT {
                let reason = std::io::Error::from_raw_os_error(-answer);
                bail!("native side: cannot fetch a batch: {reason}");
            }
            let count = count as usize;
            for (key, value) in self.keys[..count].iter().zip(&self.values[..count]) {
                sum = sum.wrapping_add(value ^ key);
            }
            seen += count as u64;
            if answer < 0 {
                ensure!(
                    seen == ENTRIES,
                    "native side: {seen} entries came in place of {ENTRIES}"
                );
                return Ok(sum);
            }
            from = ptr::from_mut(&mut cursor).cast();
        }
    }
}

impl Native for Walk {
    fn run(&mut self, iterations: u32) -> Result<u64> {
        let mut sum = 0u64;
        for _ in 0..iterations {
            sum = sum.wrapping_add(self.walk()?);
        }
        Ok(sum)
    }
}

/// A global variable in mapped memory.
pub struct Global {
    counter: NonNull<u64>,
    _object: Object,
}

impl Global {
    pub fn new(object: &[u8], trigger: Trigger) -> Result<Self> {
        let object = Object::load(object, None, trigger)?;
        let (start, size) = object.section(c".bss")?;
        ensure!(
            size == size_of::<u64>(),
            "the object's variables have {size} bytes"
        );
        let counter = start.cast::<u64>();
        // SAFETY: the section is mapped as long as the object lives, and has this variable only.
        unsafe { counter.write_volatile(value_of(0)) };
        Ok(Self {
            counter,
            _object: object,
        })
    }
}

impl Native for Global {
    fn run(&mut self, iterations: u32) -> Result<u64> {
        let mut sum = 0u64;
        for _ in 0..iterations {
            // SAFETY: as above.
            sum = sum.wrapping_add(unsafe { self.counter.read_volatile() });
        }
        Ok(sum)
    }
}

/// A global variable read through its map, as tools do that do not map it.
pub struct GlobalLookup {
    fd: c_int,
    _global: Global,
}

impl GlobalLookup {
    pub fn new(object: &[u8], trigger: Trigger) -> Result<Self> {
        let global = Global::new(object, trigger)?;
        Ok(Self {
            fd: global._object.map_fd(c".bss")?,
            _global: global,
        })
    }
}

impl Native for GlobalLookup {
    fn run(&mut self, iterations: u32) -> Result<u64> {
        let mut sum = 0u64;
        for _ in 0..iterations {
            // SAFETY: an array with one value, of 8 bytes as `Global::new` made sure.
            let value: u64 = unsafe { lookup(self.fd, &0u32)? };
            sum = sum.wrapping_add(value);
        }
        Ok(sum)
    }
}
