//! The host as a library: several components in one process, and async programs.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Barrier, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use wasm_bpf_host::{Policy, Stop, WasmBpfCtx};
use wasm_bpf_tests::{Held, PATIENCE, State, Trigger, assert_gone, guest, held};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::p2::bindings::Command as AsyncCommand;
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

/// A component that can be run, and what is seen of it from outside.
struct Guest {
    store: Store<State>,
    stop: Stop,
    output: MemoryOutputPipe,
    said_by_libbpf: Arc<Mutex<String>>,
}

impl Guest {
    fn new(engine: &Engine, args: &[&str], environment: &[String]) -> Self {
        let said_by_libbpf = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&said_by_libbpf);
        let bpf = WasmBpfCtx::builder()
            .policy(Policy::observe())
            .on_message(move |_, text| heard.lock().unwrap().push_str(text))
            .build();
        let output = MemoryOutputPipe::new(1 << 20);
        let mut wasi = WasiCtx::builder();
        wasi.arg("guest")
            .args(args)
            .stdout(output.clone())
            .inherit_stderr();
        for variable in environment {
            let (name, value) = variable.split_once('=').unwrap();
            wasi.env(name, value);
        }
        let stop = bpf.stop();
        let state = State::new(wasi.build(), bpf);
        let mut store = Store::new(engine, state);
        stop.arm(&mut store);
        Self {
            store,
            stop,
            output,
            said_by_libbpf,
        }
    }

    fn said(&self) -> String {
        String::from_utf8(self.output.contents().to_vec()).unwrap()
    }

    fn holds(&self) -> Vec<Held> {
        held(
            self.said()
                .lines()
                .find(|line| line.starts_with("holds "))
                .unwrap(),
        )
    }
}

fn compile(name: &str) -> (Engine, Component) {
    let engine = Engine::new(&wasm_bpf_host::engine_config()).unwrap();
    let component = Component::from_file(&engine, guest(name)).unwrap();
    (engine, component)
}

fn sync_linker(engine: &Engine) -> Linker<State> {
    let mut linker = Linker::new(engine);
    wasm_bpf_host::wasi::add_to_linker_sync(&mut linker).unwrap();
    wasm_bpf_host::add_to_linker_sync(&mut linker).unwrap();
    linker
}

fn async_linker(engine: &Engine) -> Linker<State> {
    let mut linker = Linker::new(engine);
    wasm_bpf_host::wasi::add_to_linker_async(&mut linker).unwrap();
    wasm_bpf_host::add_to_linker_async(&mut linker).unwrap();
    linker
}

#[test]
fn two_guests_that_fail_at_once_see_their_own_log() {
    let (engine, component) = compile("embedded");
    let linker = sync_linker(&engine);
    let barrier = Barrier::new(2);
    let fail = |program: &str, other: &str| {
        for _ in 0..10 {
            let mut guest = Guest::new(&engine, &["fail", program], &[]);
            let command = Command::instantiate(&mut guest.store, &component, &linker).unwrap();
            barrier.wait();
            command
                .wasi_cli_run()
                .call_run(&mut guest.store)
                .unwrap()
                .unwrap();
            let said = guest.said();
            assert!(
                said.contains(program) && said.contains("verifier log:"),
                "{said}"
            );
            assert!(!said.contains(other), "{said}");
            let messages = guest.said_by_libbpf.lock().unwrap();
            assert!(
                messages.contains(&format!("prog '{program}': BPF program load failed")),
                "{messages}"
            );
            assert!(
                !messages.contains(&format!("prog '{other}': BPF program load failed")),
                "{messages}"
            );
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| fail("careless", "wrong_field"));
        scope.spawn(|| fail("wrong_field", "careless"));
    });
}

/// Goes on with the calls until something is said.
async fn until(condition: impl Fn() -> bool) {
    tokio::time::timeout(PATIENCE, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("this should have come by now");
}

#[tokio::test(flavor = "current_thread")]
async fn guests_wait_side_by_side_on_one_thread_and_dropping_a_call_ends_it() {
    side_by_side("poll").await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_same_with_perf_buffers() {
    side_by_side("poll-perf").await;
}

async fn side_by_side(case: &str) {
    let (engine, component) = compile("embedded");
    let linker = async_linker(&engine);
    let triggers = [Trigger::new(), Trigger::new()];
    let mut guests = triggers
        .each_ref()
        .map(|trigger| Guest::new(&engine, &[case], &trigger.environment()));
    let outputs = guests.each_ref().map(|guest| guest.output.clone());
    let said = |index: usize, what: &str| {
        String::from_utf8_lossy(&outputs[index].contents())
            .lines()
            .any(|line| line.starts_with(what))
    };
    let [first, second] = &mut guests;
    let first_command = AsyncCommand::instantiate_async(&mut first.store, &component, &linker)
        .await
        .unwrap();
    let second_command = AsyncCommand::instantiate_async(&mut second.store, &component, &linker)
        .await
        .unwrap();
    let stop = first.stop.clone();
    {
        let mut first_call = pin!(first_command.wasi_cli_run().call_run(&mut first.store));
        let mut second_call = pin!(second_command.wasi_cli_run().call_run(&mut second.store));
        // Both wait, without a time limit, on this thread.
        tokio::select! {
            _ = &mut first_call => panic!("the first ended"),
            _ = &mut second_call => panic!("the second ended"),
            () = until(|| said(0, "holds") && said(1, "holds")) => {}
        }
        triggers[1].pull(1);
        tokio::select! {
            _ = &mut first_call => panic!("the first ended"),
            _ = &mut second_call => panic!("the second ended"),
            () = until(|| said(1, "record")) => {}
        }
        assert!(!said(0, "record"));
        triggers[0].pull(1);
        tokio::select! {
            _ = &mut first_call => panic!("the first ended"),
            _ = &mut second_call => panic!("the second ended"),
            () = until(|| said(0, "record")) => {}
        }
        stop.request();
        tokio::select! {
            result = &mut first_call => result.unwrap().unwrap(),
            _ = &mut second_call => panic!("the second was not asked to stop"),
        }
        assert!(said(0, "interrupted"));
        // The second is dropped here, in the middle of its wait.
    }
    let [first, second] = guests;
    // The first returned, and dropped what it had.
    assert_gone(&first.holds());
    let held = second.holds();
    assert!(
        held.len() >= 4 && held.iter().all(|held| held.exists()),
        "{held:?}"
    );
    drop(second);
    assert_gone(&held);
}

#[tokio::test(flavor = "current_thread")]
async fn a_stop_ends_the_waits_of_async_guests() {
    let (engine, component) = compile("ending");
    let linker = async_linker(&engine);
    for case in [
        "sleep",
        "poll",
        "poll-with-time-out",
        "poll-perf",
        "subscribe",
        "subscribe-perf",
        "subscribe-user-ring",
    ] {
        let trigger = Trigger::new();
        let mut guest = Guest::new(&engine, &[case], &trigger.environment());
        let (stop, output) = (guest.stop.clone(), guest.output.clone());
        let command = AsyncCommand::instantiate_async(&mut guest.store, &component, &linker)
            .await
            .unwrap();
        let mut call = Box::pin(command.wasi_cli_run().call_run(&mut guest.store));
        tokio::select! {
            _ = &mut call => panic!("{case} ended by itself"),
            () = until(|| output.contents().starts_with(b"waiting")) => {}
        }
        // It really waits: polled once more it has nothing to say.
        let pending =
            std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_pending()));
        assert!(pending.await, "{case} did not wait");
        stop.request();
        let result = tokio::time::timeout(PATIENCE, call).await;
        result
            .unwrap_or_else(|_| panic!("{case} goes on waiting"))
            .unwrap()
            .unwrap();
        assert!(guest.said().contains("ended"), "{case}: {}", guest.said());
    }
}

#[test]
fn a_guest_that_does_not_listen_is_terminated_and_its_neighbour_is_not() {
    let (engine, component) = compile("ending");
    let linker = sync_linker(&engine);
    let trigger = Trigger::new();
    let environment = trigger.environment();
    thread::scope(|scope| {
        let start = |case: &'static str| {
            let mut guest = Guest::new(&engine, &[case], &environment);
            let (stop, output) = (guest.stop.clone(), guest.output.clone());
            let (component, linker) = (&component, &linker);
            let running = scope.spawn(move || {
                let command = Command::instantiate(&mut guest.store, component, linker)?;
                command.wasi_cli_run().call_run(&mut guest.store)
            });
            let start = std::time::Instant::now();
            while !String::from_utf8_lossy(&output.contents()).contains("waiting") {
                assert!(start.elapsed() < PATIENCE, "{case} did not start");
                thread::sleep(Duration::from_millis(5));
            }
            (stop, running)
        };
        let (stop_busy, busy) = start("busy");
        let (stop_polite, polite) = start("until-stopped");
        stop_busy.terminate();
        let error = busy.join().unwrap().unwrap_err();
        assert!(error.is::<wasm_bpf_host::Terminated>(), "{error:?}");
        // The epoch is the engine's, so its neighbour noticed too.
        thread::sleep(Duration::from_millis(50));
        assert!(!polite.is_finished());
        stop_polite.request();
        polite.join().unwrap().unwrap().unwrap();
    });
}
