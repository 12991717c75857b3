//! The example `tcpstates` tells of the states of a connection that the test makes.

use std::net::{TcpListener, TcpStream};

use wasm_bpf_tests::{Run, assert_nothing_new, everything};

#[test]
fn a_connection_goes_through_its_states() {
    let before = everything();
    let mut running = Run::example("tcpstates").start();
    running.line("SKADDR");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let server = listener.accept().unwrap();
    drop((client, server, listener));
    // Of the client, whose remote port it is.
    let of_client = |line: &str| line.split_whitespace().nth(6) == Some(&*port);
    let mut seen = Vec::new();
    while seen
        .last()
        .is_none_or(|(_, new)| new != "CLOSE" && new != "TIME_WAIT")
    {
        let line = running.line("");
        if of_client(&line) {
            let words = line.split_whitespace().collect::<Vec<_>>();
            let milliseconds = words[10].parse::<f64>();
            assert!(words[10] == "-" || milliseconds.is_ok(), "{line}");
            seen.push((words[7].to_owned(), words[9].to_owned()));
        }
    }
    for (old, new) in [("CLOSE", "SYN_SENT"), ("SYN_SENT", "ESTABLISHED")] {
        assert!(seen.contains(&(old.to_owned(), new.to_owned())), "{seen:?}");
    }
    running.signal(libc::SIGINT);
    drop(running.finish().ok());
    assert_nothing_new(&before);
}
