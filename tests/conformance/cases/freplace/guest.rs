//! Programs that take the place of a function of another program, and programs that observe another.

use conformance_guests::{assert_fails, holds, is_gone, is_held, pull};
use wasm_bpf_guest::{ErrorKind, Link, LinkType, Program};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder, OpenCaseSkel};

fn open() -> OpenCaseSkel {
    let mut open = CaseSkelBuilder::new().open().unwrap();
    (open.rodata.trigger_thread, open.rodata.trigger_syscall) = conformance_guests::trigger();
    open
}

/// An object with one program to load.
fn with_program(name: &str) -> OpenCaseSkel {
    let open = open();
    open.open.program(name).unwrap().set_autoload(true).unwrap();
    open
}

/// The program that others are for, at work.
fn target() -> (CaseSkel, Link) {
    let skel = with_program("on_enter").load().unwrap();
    let link = skel.progs.on_enter.attach().unwrap();
    (skel, link)
}

/// A program for a function of the target.
fn loaded_for(name: &str, target: &Program, function: &str) -> CaseSkel {
    let open = with_program(name);
    let program = open.open.program(name).unwrap();
    program.set_attach_program(target, function).unwrap();
    open.load().unwrap()
}

fn answer(target: &CaseSkel) -> u64 {
    pull(1);
    target.bss.answered.get().unwrap()
}

fn id(program: &Program) -> String {
    format!("program={}", program.info().unwrap().id)
}

/// By the section, which names the function, and the target that was set.
fn replaces() {
    let (target, _at_work) = target();
    assert_eq!(answer(&target), 11);
    let skel = loaded_for("other_answer", &target.progs.on_enter, "answer");
    assert_eq!(answer(&target), 11);
    let link = skel.progs.other_answer.attach().unwrap();
    assert_eq!(answer(&target), 10);
    let info = link.info().unwrap().unwrap();
    assert!(matches!(info.type_, LinkType::Tracing), "{info:?}");
    assert_eq!(info.program_id, skel.progs.other_answer.info().unwrap().id);
    holds(&skel.object, &[&link]);
    drop(link);
    assert_eq!(answer(&target), 11);
}

/// The target is one of its own.
fn denied() {
    let (target, _at_work) = target();
    let open = with_program("other_answer");
    let program = &open.progs.other_answer;
    program
        .set_attach_program(&target.progs.on_enter, "answer")
        .unwrap();
    let error = assert_fails!(
        open.load(),
        ErrorKind::NotGranted,
        "other_answer",
        "freplace"
    );
    assert_eq!(error.errno(), None);
    assert_eq!(answer(&target), 11);
}

/// One is loaded for, two are attached to.
fn another_target() {
    let ((one, _one_at_work), (other, _other_at_work)) = (target(), target());
    let skel = loaded_for("other_answer", &one.progs.on_enter, "answer");
    let program = &skel.progs.other_answer;
    let link = program
        .attach_freplace(&other.progs.on_enter, "answer")
        .unwrap();
    assert_eq!(answer(&one), 11);
    assert_eq!(answer(&other), 10);
    let second = program
        .attach_freplace(&one.progs.on_enter, "answer")
        .unwrap();
    assert_eq!(answer(&one), 10);
    drop(link);
    assert_eq!(answer(&one), 10);
    assert_eq!(answer(&other), 11);
    drop(second);
    assert_eq!(answer(&one), 11);
}

/// The section has a function's name only.
fn no_target() {
    let error = conformance_guests::failure(with_program("other_answer").load());
    assert!(
        matches!(error.kind(), ErrorKind::InvalidArgument),
        "{error}"
    );
    assert_eq!(error.subject(), Some("other_answer"));
    let open = with_program("other_answer");
    // The kernel's function of the name is not what it is for.
    assert_fails!(
        open.progs.other_answer.set_attach_target("vfs_read"),
        ErrorKind::InvalidArgument,
        "other_answer"
    );
}

/// Nothing of it reaches the kernel.
fn wrong_targets() {
    let target = with_program("on_enter").load().unwrap();
    let target = &target.progs.on_enter;
    let open = with_program("other_answer");
    let program = &open.progs.other_answer;
    for function in ["no_such_function", "", "vfs_read"] {
        assert_fails!(
            program.set_attach_program(target, function),
            ErrorKind::NotFound,
            "other_answer",
            "on_enter"
        );
    }
    assert_fails!(
        program.set_attach_program(target, "answer\0"),
        ErrorKind::InvalidArgument,
        "other_answer"
    );
    assert_fails!(
        open.progs.on_enter.set_attach_program(target, "answer"),
        ErrorKind::InvalidArgument,
        "on_enter"
    );
    let on_enter = target;
    assert_fails!(
        on_enter.attach_freplace(target, "answer"),
        ErrorKind::InvalidArgument,
        "on_enter"
    );
    assert_fails!(
        on_enter.attach_trace(),
        ErrorKind::InvalidArgument,
        "on_enter"
    );
    assert_fails!(
        on_enter.attach_lsm(),
        ErrorKind::InvalidArgument,
        "on_enter"
    );
}

/// The verifier compares them.
fn wrong_types() {
    let (target, _at_work) = target();
    let open = with_program("of_other_types");
    let program = &open.progs.of_other_types;
    program
        .set_attach_program(&target.progs.on_enter, "answer")
        .unwrap();
    assert_fails!(open.load(), ErrorKind::RejectedByVerifier, "of_other_types");
    assert_eq!(answer(&target), 11);
}

/// Each for another reason.
fn cannot_attach() {
    let (target, _at_work) = target();
    let on_enter = &target.progs.on_enter;
    let skel = loaded_for("other_answer", on_enter, "answer");
    let third = loaded_for("third_answer", on_enter, "answer");
    let program = &skel.progs.other_answer;
    for function in ["no_such_function", ""] {
        assert_fails!(
            program.attach_freplace(on_enter, function),
            ErrorKind::NotFound,
            "other_answer",
            "on_enter"
        );
    }
    assert_fails!(
        program.attach_freplace(on_enter, "a\0"),
        ErrorKind::InvalidArgument,
        "other_answer"
    );
    // The program as a whole has other types than the function.
    assert_fails!(
        program.attach_freplace(on_enter, "on_enter"),
        ErrorKind::InvalidArgument,
        "other_answer"
    );
    assert_eq!(answer(&target), 11);
    let _link = program.attach_freplace(on_enter, "answer").unwrap();
    assert_fails!(
        third.progs.third_answer.attach_freplace(on_enter, "answer"),
        ErrorKind::Busy,
        "third_answer"
    );
    assert_eq!(answer(&target), 10);
}

/// libbpf would have been left with the number of a descriptor.
fn target_dropped_before_load() {
    let (target, at_work) = target();
    let open = with_program("other_answer");
    let program = &open.progs.other_answer;
    program
        .set_attach_program(&target.progs.on_enter, "answer")
        .unwrap();
    let id = id(&target.progs.on_enter);
    drop(at_work);
    drop(target);
    // Descriptors of the same number come and go.
    let others = (0..8).map(|_| with_program("on_enter").load().unwrap());
    drop(others.collect::<Vec<_>>());
    is_held(&id);
    let skel = open.load().unwrap();
    is_held(&id);
    let link = skel.progs.other_answer.attach().unwrap();
    drop(skel);
    is_held(&id);
    drop(link);
    is_gone(&id);
}

/// Without any load.
fn target_dropped_before_open_object() {
    let target = with_program("on_enter").load().unwrap();
    let id = id(&target.progs.on_enter);
    let open = with_program("other_answer");
    let program = &open.progs.other_answer;
    program
        .set_attach_program(&target.progs.on_enter, "answer")
        .unwrap();
    drop(target);
    is_held(&id);
    drop(open);
    is_gone(&id);
}

/// The first is not even alive.
fn target_set_twice() {
    let (first, _) = target();
    let (second, _at_work) = target();
    let open = with_program("other_answer");
    let program = &open.progs.other_answer;
    for target in [&first, &second] {
        program
            .set_attach_program(&target.progs.on_enter, "answer")
            .unwrap();
    }
    let id = id(&first.progs.on_enter);
    drop(first);
    is_gone(&id);
    let skel = open.load().unwrap();
    let _link = skel.progs.other_answer.attach().unwrap();
    assert_eq!(answer(&second), 10);
}

/// Nothing else does.
fn link_outlives() {
    let (one, _) = target();
    let (other, at_work) = target();
    let skel = loaded_for("other_answer", &one.progs.on_enter, "answer");
    let program = &skel.progs.other_answer;
    let link = program
        .attach_freplace(&other.progs.on_enter, "answer")
        .unwrap();
    let ids = [id(program), id(&other.progs.on_enter)];
    drop(skel);
    assert_eq!(answer(&other), 10);
    drop((one, other, at_work));
    is_held(&ids.join(" "));
    drop(link);
    ids.iter().for_each(|id| is_gone(id));
}

/// Two are allowed.
fn kept_targets_count() {
    let target = with_program("on_enter").load().unwrap();
    let skel = loaded_for("other_answer", &target.progs.on_enter, "answer");
    drop(target);
    assert_fails!(
        with_program("on_enter").load(),
        ErrorKind::LimitExceeded,
        "programs"
    );
    drop(skel);
    with_program("on_enter").load().unwrap();
}

/// The argument is 1, and so is the result.
fn observes_a_function() {
    let (target, _at_work) = target();
    let skel = loaded_for("observes", &target.progs.on_enter, "answer");
    let link = skel.progs.observes.attach_trace().unwrap();
    pull(3);
    assert_eq!(skel.bss.observed.get().unwrap(), 3);
    assert_eq!(skel.bss.last_result.get().unwrap(), 101);
    drop(link);
    pull(3);
    assert_eq!(skel.bss.observed.get().unwrap(), 3);
    assert_eq!(target.bss.calls.get().unwrap(), 6);
}

/// Only its link is left. All calls of the machine are seen, those of the trigger among them.
fn observes_a_program() {
    let (target, at_work) = target();
    let open = with_program("observes_program");
    let program = &open.progs.observes_program;
    program
        .set_attach_program(&target.progs.on_enter, "on_enter")
        .unwrap();
    drop(target);
    let skel = open.load().unwrap();
    let _link = skel.progs.observes_program.attach().unwrap();
    pull(3);
    assert!(skel.bss.observed.get().unwrap() >= 3);
    drop(at_work);
}
