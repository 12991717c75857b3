//! Looks at the instructions that will be loaded, after libbpf relocated them.
//!
//! What counts is what the kernel will get, not what the ELF file declares: a hostile file can hold calls and map references
//! that no relocation made.

use std::collections::BTreeSet;

use libbpf_sys::{self as sys, bpf_insn};

/// What libbpf puts in place of an instruction whose CO-RE relocation failed; the verifier refuses it if it can be reached.
const POISONED_CORE: i32 = 0xbad2310;
/// What libbpf puts in place of calls of unresolved kernel functions: this number plus an index.
const POISONED_KFUNC: std::ops::RangeInclusive<i32> = 2_002_000_000..=2_002_999_999;
/// What libbpf puts in place of references to maps that are not created: this number plus an index.
const POISONED_MAP: std::ops::RangeInclusive<i32> = 2_001_000_000..=2_001_999_999;

/// What a program's instructions ask for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asks {
    /// Helpers by number.
    pub(super) helpers: BTreeSet<u32>,
    /// Functions of the kernel by BTF id.
    pub(super) kfuncs: BTreeSet<u32>,
    /// Functions of kernel modules by BTF id.
    pub(super) module_kfuncs: BTreeSet<u32>,
    /// Descriptors of BTF that variables of the kernel are looked up in.
    pub(super) btf_fds: BTreeSet<i32>,
}

/// An instruction that no compiler and no relocation makes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadInstruction {
    #[error(
        "instruction {at} refers to a map by descriptor {descriptor}, which is not one of this object's maps"
    )]
    ForeignMap { at: usize, descriptor: i32 },
    #[error("instruction {at} refers to a map by index, which this host does not allow")]
    MapByIndex { at: usize },
    #[error(
        "a variable is looked up in descriptor {descriptor}, which is not the BTF of a kernel module"
    )]
    ForeignBtf { descriptor: i32 },
    #[error("instruction {at} is cut off")]
    CutOff { at: usize },
}

/// Collects what `instructions` ask for. `map_fds` are the descriptors of the object's own maps.
pub(super) fn scan(
    instructions: &[bpf_insn],
    map_fds: &BTreeSet<i32>,
) -> Result<Asks, BadInstruction> {
    const LOAD_64: u8 = (sys::BPF_LD | sys::BPF_IMM | sys::BPF_DW) as u8;
    const CALL: u8 = (sys::BPF_JMP | sys::BPF_CALL) as u8;
    // The same with the source bit, and in the 32-bit class: the verifier refuses them, but that is its word, not ours.
    const CALL_X: u8 = CALL | sys::BPF_X as u8;

    let mut asks = Asks::default();
    let mut at = 0;
    while at < instructions.len() {
        let instruction = &instructions[at];
        match instruction.code {
            LOAD_64 => {
                if at + 1 >= instructions.len() {
                    return Err(BadInstruction::CutOff { at });
                }
                match u32::from(instruction.src_reg()) {
                    sys::BPF_PSEUDO_MAP_FD | sys::BPF_PSEUDO_MAP_VALUE
                        if !map_fds.contains(&instruction.imm) =>
                    {
                        return Err(BadInstruction::ForeignMap {
                            at,
                            descriptor: instruction.imm,
                        });
                    }
                    sys::BPF_PSEUDO_MAP_IDX | sys::BPF_PSEUDO_MAP_IDX_VALUE => {
                        return Err(BadInstruction::MapByIndex { at });
                    }
                    sys::BPF_PSEUDO_BTF_ID => {
                        // 0 is the kernel's own BTF; a module's is named by a descriptor.
                        let descriptor = instructions[at + 1].imm;
                        if descriptor != 0 {
                            asks.btf_fds.insert(descriptor);
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
            CALL | CALL_X => match u32::from(instruction.src_reg()) {
                sys::BPF_PSEUDO_CALL => {}
                sys::BPF_PSEUDO_KFUNC_CALL => {
                    if !POISONED_KFUNC.contains(&instruction.imm) {
                        let id = instruction.imm.cast_unsigned();
                        if instruction.off == 0 {
                            asks.kfuncs.insert(id);
                        } else {
                            asks.module_kfuncs.insert(id);
                        }
                    }
                }
                _ => {
                    let imm = instruction.imm;
                    if imm != POISONED_CORE
                        && !POISONED_KFUNC.contains(&imm)
                        && !POISONED_MAP.contains(&imm)
                    {
                        asks.helpers.insert(imm.cast_unsigned());
                    }
                }
            },
            _ => {}
        }
        at += 1;
    }
    Ok(asks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instruction(code: u32, src: u8, off: i16, imm: i32) -> bpf_insn {
        let mut instruction = bpf_insn {
            code: code as u8,
            off,
            imm,
            ..Default::default()
        };
        instruction.set_src_reg(src);
        instruction
    }

    fn load_64(src: u32, imm: i32) -> [bpf_insn; 2] {
        let code = sys::BPF_LD | sys::BPF_IMM | sys::BPF_DW;
        [
            instruction(code, src as u8, 0, imm),
            instruction(0, 0, 0, 0),
        ]
    }

    fn call(src: u32, off: i16, imm: i32) -> bpf_insn {
        instruction(sys::BPF_JMP | sys::BPF_CALL, src as u8, off, imm)
    }

    #[test]
    fn collects_calls() {
        let program = [
            call(0, 0, 1),
            call(sys::BPF_PSEUDO_CALL, 0, 109),
            call(sys::BPF_PSEUDO_KFUNC_CALL, 0, 5000),
            call(sys::BPF_PSEUDO_KFUNC_CALL, 1, 6000),
            call(0, 0, POISONED_CORE),
        ];
        let asks = scan(&program, &BTreeSet::new()).unwrap();
        assert_eq!(asks.helpers, [1].into());
        assert_eq!(asks.kfuncs, [5000].into());
        assert_eq!(asks.module_kfuncs, [6000].into());
    }

    #[test]
    fn a_descriptor_of_the_host_is_refused() {
        let own = BTreeSet::from([7]);
        assert!(scan(&load_64(sys::BPF_PSEUDO_MAP_FD, 7), &own).is_ok());
        for kind in [sys::BPF_PSEUDO_MAP_FD, sys::BPF_PSEUDO_MAP_VALUE] {
            assert_eq!(
                scan(&load_64(kind, 3), &own),
                Err(BadInstruction::ForeignMap {
                    at: 0,
                    descriptor: 3
                })
            );
        }
        for kind in [sys::BPF_PSEUDO_MAP_IDX, sys::BPF_PSEUDO_MAP_IDX_VALUE] {
            assert_eq!(
                scan(&load_64(kind, 0), &own),
                Err(BadInstruction::MapByIndex { at: 0 })
            );
        }
    }

    #[test]
    fn descriptors_of_btf_are_collected() {
        let [first, mut second] = load_64(sys::BPF_PSEUDO_BTF_ID, 10);
        assert_eq!(
            scan(&[first, second], &BTreeSet::new()),
            Ok(Asks::default())
        );
        second.imm = 9;
        assert_eq!(
            scan(&[first, second], &BTreeSet::new()).unwrap().btf_fds,
            [9].into()
        );
    }

    #[test]
    fn the_second_half_of_a_load_is_no_call() {
        let [first, mut second] = load_64(0, 1);
        second.code = (sys::BPF_JMP | sys::BPF_CALL) as u8;
        second.imm = 109;
        assert_eq!(
            scan(&[first, second], &BTreeSet::new()),
            Ok(Asks::default())
        );
        assert_eq!(
            scan(&[first], &BTreeSet::new()),
            Err(BadInstruction::CutOff { at: 0 })
        );
    }
}
