//! Trying what the kernel takes.
//!
//! Libbpf makes the smallest map or program of a kind, which is gone before the call ends and does nothing: to observe is enough for it.

use std::collections::HashMap;
use std::ptr;
use std::sync::{Mutex, PoisonError};

use libbpf_sys as sys;

use crate::bindings::types::ErrorCode;
use crate::ctx::WasmBpfCtx;
use crate::error::{CodeResult, code_of_errno};
use crate::messages;
use crate::policy::Need;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Question {
    Map(u32),
    Program(u32),
    Helper(u32, u32),
}

impl Question {
    /// What a kernel answers today it answers tomorrow; numbers that no kernel has are not worth remembering.
    fn is_remembered(self) -> bool {
        match self {
            Self::Map(number) | Self::Program(number) => number < 256,
            Self::Helper(number, helper) => number < 256 && helper < 1024,
        }
    }

    fn ask(self) -> i32 {
        // SAFETY: numbers, and no options. The largest numbers of helpers go into an instruction, which the verifier refuses.
        unsafe {
            match self {
                Self::Map(kind) => sys::libbpf_probe_bpf_map_type(kind, ptr::null()),
                Self::Program(kind) => sys::libbpf_probe_bpf_prog_type(kind, ptr::null()),
                Self::Helper(kind, helper) => {
                    sys::libbpf_probe_bpf_helper(kind, helper, ptr::null())
                }
            }
        }
    }
}

pub(super) fn probe(ctx: &WasmBpfCtx, question: Question) -> CodeResult<bool> {
    static KNOWN: Mutex<Option<HashMap<Question, bool>>> = Mutex::new(None);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(answer) = known().as_ref().and_then(|known| known.get(&question)) {
        return Ok(*answer);
    }
    // A map in a map and its BTF at most.
    let need = match question {
        Question::Map(_) => Need {
            maps: 2,
            descriptors: 3,
            ..Need::default()
        },
        Question::Program(_) | Question::Helper(..) => Need {
            programs: 1,
            descriptors: 2,
            ..Need::default()
        },
    };
    let _held = ctx
        .usage
        .reserve(need)
        .map_err(|_| ErrorCode::LimitExceeded)?;
    let (answer, _) = messages::collect(ctx.messages.as_ref(), || question.ask());
    let answer = match answer {
        0 => false,
        1.. => true,
        errno => return Err(code_of_errno(-errno).into()),
    };
    if question.is_remembered() {
        known().get_or_insert_default().insert(question, answer);
    }
    Ok(answer)
}
