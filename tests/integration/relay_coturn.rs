//! coturn's `turnutils_uclient`, `turnutils_peer` and `turnutils_stunclient` (Debian package
//! `coturn`): every case of theirs that applies, paced, with nothing lost.
//!
//! The client binds channels up to 0x7FFF and speaks to a peer on this machine, so the relay is told
//! to allow both.

use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::relay_rig::{DEADLINE, Program, Relay, SECRET};

const SETTINGS: &str = "allow_loopback_peers = true\nold_channels = true";
const V4: &str = "127.0.0.1";
const V6: &str = "::1";
const NOTHING_LOST: &str = "Total lost packets 0 (0.000000%)";
/// Messages of each client of a run.
const MESSAGES: u32 = 50;
const CLIENTS: u32 = 2;

/// A relay, and an echo peer on both families.
struct Setting {
    relay: Relay,
    peer_port: u16,
    _peer: Program,
}

impl Setting {
    fn new() -> Self {
        let relay = Relay::start(SETTINGS);
        let free = UdpSocket::bind("127.0.0.1:0").unwrap();
        let peer_port = free.local_addr().unwrap().port();
        drop(free);
        let mut command = Command::new("turnutils_peer");
        command.args(["-L", "127.0.0.1", "-L", "::1", "-p", &peer_port.to_string()]);
        let peer = Program::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
        let new = Self { relay, peer_port, _peer: peer };
        new.await_peer();
        new
    }

    /// Until the peer echoes.
    fn await_peer(&self) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        socket.connect(("127.0.0.1", self.peer_port)).unwrap();
        let start = std::time::Instant::now();
        // A refusal is the answer of a port nobody has yet.
        while socket.send(b"are you there").is_err() || socket.recv(&mut [0; 64]).is_err() {
            assert!(start.elapsed() < DEADLINE, "the peer does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The client with these flags, split at spaces.
    fn client(&self, flags: &str, address: &str) -> tokio::process::Command {
        let port = match (flags.contains("-S"), address) {
            (true, _) => self.relay.port_tls,
            (false, "::1") => self.relay.port_v6,
            (false, _) => self.relay.port,
        };
        let mut command = tokio::process::Command::new("turnutils_uclient");
        command.args(flags.split(' ').filter(|flag| !flag.is_empty()));
        command.args(["-p", &port.to_string(), "-L", address]);
        if !flags.split(' ').any(|flag| flag == "-y") {
            let echo = if flags.contains("-x") { "::1" } else { "127.0.0.1" };
            command.args(["-e", echo, "-r", &self.peer_port.to_string()]);
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs the client with a good credential; every message must come back.
    async fn check(&self, flags: &str, address: &str) {
        let paced = format!("{flags} -m {CLIENTS} -n {MESSAGES} -l 1200 -z 4");
        let mut command = self.client(&paced, address);
        let output = command.args(["-u", "me", "-W", SECRET, address]).output();
        let output = tokio::time::timeout(DEADLINE, output).await;
        let output = output.unwrap_or_else(|_| panic!("{flags} does not end")).unwrap();
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed);
        // Nothing sent is nothing lost, too. Clients that send to each other (`-y`) send from the RTCP
        // port as well, unless told to have none (`-c`).
        let has = |flag: &str| flags.split(' ').any(|each| each == flag);
        let ports = if has("-y") && !has("-c") { 2 } else { 1 };
        let count = MESSAGES * CLIENTS * ports;
        let received = format!("tot_send_msgs={count}, tot_recv_msgs={count}\n");
        let came_back = printed.contains(&received);
        let good = printed.contains(NOTHING_LOST) && came_back;
        assert!(good, "{flags} {address}:\n{printed}");
    }

    /// Several cases at once.
    async fn check_all(cases: &[(&'static str, &'static str)]) -> Arc<Self> {
        let setting = Arc::new(Self::new());
        let mut checks = JoinSet::new();
        for (flags, address) in cases.iter().copied() {
            let setting = Arc::clone(&setting);
            checks.spawn(async move { setting.check(flags, address).await });
        }
        while let Some(check) = checks.join_next().await {
            check.unwrap();
        }
        setting
    }
}

#[tokio::test]
async fn udp_clients_reach_a_peer_by_channels_and_by_indications() {
    let cases = [
        ("-c", V4),
        ("-c -s", V4),
        ("-c -g", V4),
        ("-c -D", V4),
        ("-c -X", V4),
        ("-c -G", V4),
        // With a pair of ports and a reservation.
        ("", V4),
        ("-s", V4),
    ];
    Setting::check_all(&cases).await;
}

#[tokio::test]
async fn clients_reach_each_other_inside_the_relay() {
    let cases =
        [("-c -y", V4), ("-c -y -s", V4), ("-y", V4), ("-c -y -t", V4), ("-c -y -t -S", V4)];
    let setting = Setting::check_all(&cases).await;
    let relay = &setting.relay;
    let inside = relay.metric("starling_relay_inside_datagrams_total").await;
    let all = relay.metric("starling_relay_from_clients_datagrams_total").await;
    assert_eq!(inside, all, "nothing left the relay");
}

#[tokio::test]
async fn tcp_and_tls_clients_reach_a_peer() {
    let cases =
        [("-c -t", V4), ("-c -t -s", V4), ("-c -t -D", V4), ("-c -t -S", V4), ("-c -t -S -s", V4)];
    Setting::check_all(&cases).await;
}

#[tokio::test]
async fn either_family_reaches_either() {
    let cases =
        [("-c -x", V4), ("-c -x", V6), ("-c", V6), ("-c -x -t", V6), ("-Z", V4), ("-Z -t", V4)];
    Setting::check_all(&cases).await;
}

/// With `-B` a client leaves at random after its first messages, in the middle of what it sends.
#[tokio::test]
async fn clients_that_leave_without_a_word_harm_nobody() {
    let setting = Setting::new();
    let mut leavers = JoinSet::new();
    for flags in ["-c -B", "-c -B -t"] {
        let mut command = setting.client(&format!("{flags} -m 8 -n 20 -z 4"), V4);
        command.args(["-u", "me", "-W", SECRET, V4]);
        // Those that left wait for what was under way: their end tells nothing.
        leavers.spawn(tokio::time::timeout(Duration::from_secs(5), async move {
            command.output().await.map(drop)
        }));
    }
    setting.check("-c", V4).await;
    setting.check("-c -t", V4).await;
    while leavers.join_next().await.is_some() {}
    setting.check("-c", V4).await;
}

/// The client breaks its own requests at random and ends when one is refused, as some must be: what
/// is asked for is that the relay goes on.
#[tokio::test]
async fn broken_requests_harm_nobody() {
    let setting = Setting::new();
    let mut runs = JoinSet::new();
    for flags in ["-c -N", "-c -R", "-c -N -R", "-c -N -R -G", "-c -N -R -t", "-c -O -m 20"] {
        let mut command = setting.client(&format!("{flags} -n 5 -z 4"), V4);
        command.args(["-u", "me", "-W", SECRET, V4]);
        // An error: it waits for an answer to what can't be answered.
        runs.spawn(tokio::time::timeout(Duration::from_secs(5), async move {
            command.output().await.map(drop)
        }));
    }
    while runs.join_next().await.is_some() {}
    setting.check("-c", V4).await;
    setting.check("-c -t", V4).await;
}

#[tokio::test]
async fn a_credential_of_another_secret_gets_nothing() {
    let setting = Setting::new();
    let mut command = setting.client("-c", V4);
    command.args(["-u", "me", "-W", "south of the river, 16", V4]);
    let output = tokio::time::timeout(DEADLINE, command.output()).await.unwrap().unwrap();
    assert!(!output.status.success());
    let relay = &setting.relay;
    assert!(relay.metric("starling_relay_auth_failures_total").await > 0);
    assert_eq!(relay.metric("starling_relay_allocated_total").await, 0);
}

/// The peer is on this machine: without leave it is not reached.
#[tokio::test]
async fn a_relay_with_its_defaults_reaches_no_peer_on_its_machine() {
    let setting = Setting { relay: Relay::start("old_channels = true"), ..Setting::new() };
    let mut command = setting.client("-c", V4);
    command.args(["-u", "me", "-W", SECRET, V4]);
    let output = tokio::time::timeout(DEADLINE, command.output()).await.unwrap().unwrap();
    assert!(!output.status.success());
    let forbidden = r#"starling_relay_refused_total{kind="403"}"#;
    assert!(setting.relay.metric(forbidden).await > 0);
    setting.check("-c -y", V4).await;
}

#[tokio::test]
async fn the_stun_client_is_told_its_address() {
    let relay = Relay::start("");
    let mut command = tokio::process::Command::new("turnutils_stunclient");
    command.args(["-p", &relay.port.to_string(), V4]).kill_on_drop(true);
    let output = tokio::time::timeout(DEADLINE, command.output()).await.unwrap().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains("UDP reflexive addr: 127.0.0.1:"), "{printed}");
}
