//! The process: how streams end, how many there may be, and how it stops.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use relay::stun::{Builder, Class, Message, method};

use super::relay_rig::{DEADLINE, Relay};

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

fn binding() -> Vec<u8> {
    Builder::new(Class::Request, method::BINDING, [7; 12]).finish(true)
}

#[test]
fn messages_of_a_stream_are_found_however_they_are_cut() {
    let relay = Relay::start("");
    let mut stream = connect(relay.port);
    // Three requests, the second in pieces, with a ChannelData that nobody bound between.
    let bytes = [&binding()[..], &binding(), &[0x40, 0, 0, 1, 9, 0, 0, 0], &binding()].concat();
    for piece in bytes.chunks(13) {
        stream.write_all(piece).unwrap();
    }
    let mut answers = vec![0; 3 * 40];
    stream.read_exact(&mut answers).unwrap();
    for answer in answers.chunks(40) {
        assert_eq!(Message::parse(answer).unwrap().class(), Class::Success);
    }
}

#[test]
fn a_stream_that_makes_no_sense_is_closed() {
    let relay = Relay::start("");
    let mut stream = connect(relay.port);
    stream.write_all(&[0xff; 64]).unwrap();
    // An end or a reset, by who is faster.
    assert_eq!(stream.read(&mut [0; 64]).unwrap_or(0), 0);
}

#[tokio::test]
async fn one_address_has_its_most_streams() {
    let relay = Relay::start("connections_per_ip_max = 2");
    let mut streams: Vec<TcpStream> = (0..3).map(|_| connect(relay.port)).collect();
    relay.metric_becomes("starling_relay_streams_refused_total", 1).await;
    assert_eq!(relay.metric("starling_relay_streams").await, 2);
    assert_eq!(streams[2].read(&mut [0; 1]).unwrap_or(0), 0);
    drop(streams);
    relay.metric_becomes("starling_relay_streams", 0).await;
}

#[test]
fn a_relay_told_to_stop_ends_well() {
    let mut relay = Relay::start("");
    let _stream = connect(relay.port);
    let told = Command::new("kill").args(["-TERM", &relay.program.id().to_string()]).status();
    assert!(told.unwrap().success());
    assert!(relay.program.wait());
}

#[test]
fn settings_that_can_not_be_meant_say_what_to_do() {
    let check = |arguments: &[&str], expected: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_starling"));
        let output = command.arg("relay").args(arguments).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && printed.contains(expected), "{printed}");
    };
    check(&["--listen", "127.0.0.1:0"], "secrets");
    check(&["--config", "/no/such/file.toml"], "/no/such/file.toml");
}
