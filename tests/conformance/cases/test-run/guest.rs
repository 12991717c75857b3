//! Programs are run on data and contexts that components make.

use std::time::{Duration, Instant};

use conformance_guests::raw::objects::{OpenObject, OpenOptions};
use conformance_guests::raw::programs::{Program, TestOptions};
use conformance_guests::raw::types::ErrorCode;
use conformance_guests::{assert_fails, cpus, saw, stop_soon};
use wasm_bpf_guest::{ErrorKind, ProgramInput, features};

conformance_guests::guest!();
use case::{CaseSkel, CaseSkelBuilder};

const ON_CPU: u32 = 1;
const LIVE_FRAMES: u32 = 2;
const CHECKSUM_COMPLETE: u32 = 4;

/// The object with one of its programs.
fn loaded(program: &str) -> CaseSkel {
    let open = CaseSkelBuilder::new().open().unwrap();
    let program = open.open.program(program).unwrap();
    program.set_autoload(true).unwrap();
    open.load().unwrap()
}

/// A frame that every kind takes: 64 bytes, the first and the second as given.
const fn frame(first: u8, second: u8) -> [u8; 64] {
    let mut frame = [0; 64];
    frame[0] = first;
    frame[1] = second;
    // IPv4.
    frame[12] = 8;
    frame
}

const DROPPED: [u8; 64] = frame(5, 1);
const PASSED: [u8; 64] = frame(5, 2);

/// The verdict is the packet's second byte; the first is one more than before.
fn packet() {
    let skel = loaded("on_packet");
    for verdict in [1, 2, 3] {
        let mut room = [0xff; 128];
        let given = frame(5, verdict);
        let output = skel.progs.on_packet.test_run(ProgramInput {
            data_in: Some(&given),
            data_out: Some(&mut room),
            ..ProgramInput::default()
        });
        let output = output.unwrap();
        assert_eq!(output.return_value, u32::from(verdict));
        assert_eq!(output.data.unwrap(), frame(6, verdict));
        assert!(output.context.is_none());
    }
    assert_eq!(skel.bss.runs.get().unwrap(), 3);
    // Nothing is asked for back.
    let output = skel.progs.on_packet.test_run(ProgramInput {
        data_in: Some(&PASSED),
        ..ProgramInput::default()
    });
    let output = output.unwrap();
    assert!(output.data.is_none() && output.context.is_none());
    assert_eq!(output.return_value, 2);
}

/// A field of `struct __sk_buff`.
fn field(context: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(context[at..at + 4].try_into().unwrap())
}

/// The context that comes back is the one that was given, changed.
fn buffer() {
    const MARK: usize = 8;
    const CB: usize = 48;
    let skel = loaded("on_buffer");
    let mut context = [0u8; 192];
    context[CB..CB + 4].copy_from_slice(&41u32.to_ne_bytes());
    let (mut context_out, mut data_out) = ([0u8; 192], [0u8; 64]);
    let output = skel.progs.on_buffer.test_run(ProgramInput {
        context_in: Some(&mut context),
        context_out: Some(&mut context_out),
        data_in: Some(&DROPPED),
        data_out: Some(&mut data_out),
        ..ProgramInput::default()
    });
    let output = output.unwrap();
    assert_eq!(output.return_value, 7);
    let context = output.context.unwrap();
    assert_eq!((field(context, CB), field(context, MARK)), (42, 64));
    assert_eq!(output.data.unwrap(), frame(5, 1));
}

/// Arguments have 8 bytes each.
fn arguments() {
    let skel = loaded("on_tracepoint");
    let numbers = [30u64, 12].map(u64::to_ne_bytes);
    let mut context = numbers.concat();
    let run = |context: &mut [u8], flags, cpu| {
        let input = ProgramInput {
            context_in: Some(context),
            flags,
            cpu,
            ..ProgramInput::default()
        };
        let output = skel.progs.on_tracepoint.test_run(input);
        output.map(|output| output.return_value)
    };
    assert_eq!(run(&mut context, 0, 0).unwrap(), 42);
    assert_eq!(skel.bss.runs.get().unwrap(), 1);
    for cpu in cpus() {
        let cpu = cpu as u32;
        assert_eq!(run(&mut context, ON_CPU, cpu).unwrap(), 42);
        assert_eq!(skel.bss.cpu.get().unwrap(), cpu);
    }
    // There is no such CPU.
    let error = run(&mut context, ON_CPU, u32::MAX).unwrap_err();
    assert!(error.errno().is_some(), "{error}");
    // Fewer arguments than it reads.
    assert_fails!(
        run(&mut context[..8], 0, 0),
        ErrorKind::InvalidArgument,
        "on_tracepoint"
    );
}

/// The context is what the program is asked, and what it answers.
fn system_call() {
    let skel = loaded("answer");
    let mut context = [12u64, 0].map(u64::to_ne_bytes).concat();
    let output = skel.progs.answer.test_run(ProgramInput {
        context_in: Some(&mut context),
        ..ProgramInput::default()
    });
    let output = output.unwrap();
    assert_eq!(output.return_value, 3);
    assert_eq!(output.context.unwrap()[8..], 144u64.to_ne_bytes());
}

/// It is attached: the kernel calls the function for every run of such a program.
fn function() {
    let skel = loaded("on_function");
    let link = skel.progs.on_function.attach().unwrap();
    skel.progs
        .on_function
        .test_run(ProgramInput::default())
        .unwrap();
    assert_eq!(skel.bss.runs.get().unwrap(), 1);
    drop(link);
    skel.progs
        .on_function
        .test_run(ProgramInput::default())
        .unwrap();
    assert_eq!(skel.bss.runs.get().unwrap(), 1);
}

/// Which socket is looked for is in the context.
fn lookup() {
    const FAMILY: usize = 8;
    const LOCAL_PORT: usize = 60;
    let skel = loaded("on_lookup");
    for (port, verdict) in [(4242u32, 1), (4243, 0)] {
        let mut context = [0u8; 72];
        context[FAMILY..FAMILY + 4].copy_from_slice(&2u32.to_ne_bytes());
        context[LOCAL_PORT..LOCAL_PORT + 4].copy_from_slice(&port.to_ne_bytes());
        let output = skel.progs.on_lookup.test_run(ProgramInput {
            context_in: Some(&mut context),
            ..ProgramInput::default()
        });
        assert_eq!(output.unwrap().return_value, verdict, "port {port}");
    }
}

/// Up to a thousand runs see what the one before left; of more each is counted all the same.
fn repeat() {
    let skel = loaded("on_packet");
    let mut before = 0;
    for (repeat, runs) in [(0, 1), (1, 1), (100, 100), (1_000_000, 1_000_000)] {
        let mut room = [0; 64];
        let output = skel.progs.on_packet.test_run(ProgramInput {
            data_in: Some(&PASSED),
            data_out: Some(&mut room),
            repeat,
            ..ProgramInput::default()
        });
        let output = output.unwrap();
        assert_eq!(output.return_value, 2);
        if repeat == 100 {
            assert_eq!(output.data.unwrap()[0], 105);
        }
        // Of one run: in an emulated machine it takes its time.
        assert!(output.duration < Duration::from_secs(1));
        let now = skel.bss.runs.get().unwrap();
        assert_eq!(now - before, runs);
        before = now;
    }
}

/// As often as can be said. The stop comes while it runs, or before.
fn stop() {
    let skel = loaded("on_packet");
    stop_soon();
    let started = Instant::now();
    let result = skel.progs.on_packet.test_run(ProgramInput {
        data_in: Some(&PASSED),
        repeat: u32::MAX,
        ..ProgramInput::default()
    });
    assert_fails!(result, ErrorKind::Interrupted, "on_packet");
    assert!(started.elapsed() < Duration::from_secs(20));
    // It goes on after that.
    let output = skel.progs.on_packet.test_run(ProgramInput {
        data_in: Some(&PASSED),
        ..ProgramInput::default()
    });
    assert_eq!(output.unwrap().return_value, 2);
}

fn live(skel: &CaseSkel, context: Option<&mut [u8]>) -> wasm_bpf_guest::Result<u64> {
    let before = skel.bss.runs.get()?;
    skel.progs.on_packet.test_run(ProgramInput {
        context_in: context,
        data_in: Some(&DROPPED),
        flags: LIVE_FRAMES,
        repeat: 500,
        batch_size: 16,
        ..ProgramInput::default()
    })?;
    Ok(skel.bss.runs.get()? - before)
}

/// `struct xdp_md` with the interface on which the packet came. The frame begins where the data does.
fn came_on(interface: u32) -> Vec<u8> {
    [0, 64, 0, interface, 0, 0].map(u32::to_ne_bytes).concat()
}

/// The loopback interface is the first of each namespace.
fn live_frames() {
    let skel = loaded("on_packet");
    assert_eq!(live(&skel, Some(&mut came_on(1))).unwrap(), 500);
    assert_eq!(live(&skel, None).unwrap(), 500);
}

/// What the context does not name is the loopback interface; what is not there is no interface.
fn live_frames_denied() {
    let skel = loaded("on_packet");
    assert_fails!(
        live(&skel, Some(&mut came_on(1))),
        ErrorKind::NotGranted,
        "xdp=lo"
    );
    assert_fails!(live(&skel, None), ErrorKind::NotGranted, "xdp=lo");
    // A context that is too short to name one.
    assert_fails!(
        live(&skel, Some(&mut [1; 8])),
        ErrorKind::NotGranted,
        "xdp=lo"
    );
    assert_fails!(
        live(&skel, Some(&mut came_on(99_999))),
        ErrorKind::NoSuchDevice,
        "99999"
    );
    assert_eq!(skel.bss.runs.get().unwrap(), 0);
    // Without live frames nothing goes anywhere.
    let output = skel.progs.on_packet.test_run(ProgramInput {
        data_in: Some(&PASSED),
        ..ProgramInput::default()
    });
    assert_eq!(output.unwrap().return_value, 2);
}

/// Kernels before do not know the flag.
fn checksum() {
    let skel = loaded("on_buffer");
    let output = skel.progs.on_buffer.test_run(ProgramInput {
        data_in: Some(&PASSED),
        flags: CHECKSUM_COMPLETE,
        ..ProgramInput::default()
    });
    assert_eq!(output.unwrap().return_value, 7);
}

/// Each for its own reason.
fn refused() {
    let skel = loaded("on_packet");
    let program = &skel.progs.on_packet;
    // No packet, and one that is too short.
    assert_fails!(
        program.test_run(ProgramInput::default()),
        ErrorKind::InvalidArgument,
        "on_packet"
    );
    let short = ProgramInput {
        data_in: Some(&[1, 2, 3]),
        ..ProgramInput::default()
    };
    assert_fails!(
        program.test_run(short),
        ErrorKind::InvalidArgument,
        "on_packet"
    );
    // What no kernel knows.
    let unknown = ProgramInput {
        data_in: Some(&PASSED),
        flags: 1 << 31,
        ..ProgramInput::default()
    };
    assert_fails!(program.test_run(unknown), ErrorKind::InvalidArgument);
    // A megabyte is no packet.
    let large = ProgramInput {
        data_in: Some(&[0; 1 << 20]),
        ..ProgramInput::default()
    };
    let error = conformance_guests::failure(program.test_run(large));
    assert!(error.errno().is_some(), "the kernel's word: {error}");
    let mut room = [0; 10];
    let small = ProgramInput {
        data_in: Some(&PASSED),
        data_out: Some(&mut room),
        ..ProgramInput::default()
    };
    assert_fails!(program.test_run(small), ErrorKind::NoSpace, "64");
    // Kinds that the kernel does not run, and that it runs once.
    let skel = loaded("on_event");
    assert_fails!(
        skel.progs.on_event.test_run(ProgramInput::default()),
        ErrorKind::NotSupported,
        "on_event"
    );
    let skel = loaded("on_tracepoint");
    let twice = ProgramInput {
        context_in: Some(&mut [0; 16]),
        repeat: 2,
        ..ProgramInput::default()
    };
    assert_fails!(
        skel.progs.on_tracepoint.test_run(twice),
        ErrorKind::InvalidArgument,
        "once"
    );
}

/// What is refused changes nothing: the option has what it had.
fn bounds() {
    let options = OpenOptions::new();
    let open = OpenObject::open(case::DATA, &options).unwrap();
    open.set_autoload("on_packet", true).unwrap();
    let object = OpenObject::load(open).unwrap();
    let program: Program = object.program("on_packet").unwrap();
    let options = TestOptions::new();
    options.set_data(&frame(5, 2)).unwrap();
    let exceeded = |result: Result<(), conformance_guests::raw::types::Error>| {
        let error = result.unwrap_err();
        assert!(matches!(error.code, ErrorCode::LimitExceeded), "{error:?}");
        saw(error.code);
    };
    let large = vec![0; (1 << 20) + 1];
    exceeded(options.set_data(&large));
    exceeded(options.set_context(&large));
    for room in [(1 << 20) + 1, 1 << 31, u32::MAX] {
        exceeded(options.set_data_room(room));
        exceeded(options.set_context_room(room));
    }
    assert_eq!(program.test_run(&options).unwrap().return_value, 2);
    // Options that are never used, until there is no room for more.
    let mut held = Vec::new();
    let full = loop {
        let options = TestOptions::new();
        if let Err(error) = options.set_data_room(1 << 20) {
            break error;
        }
        held.push(options);
        assert!(held.len() < 5, "this is more than the limit");
    };
    assert!(matches!(full.code, ErrorCode::LimitExceeded), "{full:?}");
    assert!(full.message.contains("map-memory"), "{}", full.message);
    drop(held);
    options.set_data_room(1 << 20).unwrap();
    let output = program.test_run(&options).unwrap();
    assert_eq!(output.data, frame(6, 2));
}

/// What runs the program is the process that the component is told.
fn own_process() {
    let skel = loaded("on_own_process");
    let output = skel.progs.on_own_process.test_run(ProgramInput::default());
    assert_eq!(output.unwrap().return_value, features::own_process());
}
