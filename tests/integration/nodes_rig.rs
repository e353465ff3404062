//! `nats-server` and `starling serve` as processes that are killed and started again.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use primitives::PeerId;
use tempfile::TempDir;
use tokio::net::TcpStream;
use wire::signaling::{FromServer, Signal, ToServer};

use super::signaling_rig::{Client, Door, SWARM, within};

/// A process that ends with its test.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Self {
        let missing = "is it installed? `cargo xtask setup --all` does";
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}; {missing}")))
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Asks it to end, as a service manager does, and waits until it has.
    pub(crate) async fn stop(mut self) {
        let asked = Command::new("kill").arg(self.0.id().to_string()).status().unwrap();
        assert!(asked.success());
        let wait = async {
            while self.0.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within("the end of a node", wait).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A NATS server that comes back on the port it had.
#[derive(Debug)]
pub(crate) struct Nats {
    pub(crate) address: SocketAddr,
    process: Option<Process>,
}

impl Nats {
    /// One that is not started yet.
    pub(crate) fn absent() -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        Self { address: free.local_addr().unwrap(), process: None }
    }

    pub(crate) async fn running() -> Self {
        let mut new = Self::absent();
        new.start().await;
        new
    }

    pub(crate) async fn start(&mut self) {
        let mut command = Command::new("nats-server");
        command.args(["--addr", "127.0.0.1", "--port", &self.address.port().to_string()]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(Process::start(&mut command));
        let wait = async {
            while TcpStream::connect(self.address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within("NATS", wait).await;
    }

    pub(crate) fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }
}

/// `starling serve` as one node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    pub(crate) process: Process,
    _folder: TempDir,
}

impl Node {
    /// Starts one. Its peers are forgotten by others after `lease_ms`.
    pub(crate) fn start(nats: &Nats, lease_ms: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = format!(
            "[signaling]\nlease_ms = {lease_ms}\n[bus]\nnats = \"nats://{}\"\n\
             [relay]\nenabled = false\n[gateway]\nenabled = false\n",
            nats.address
        );
        let path = folder.path().join("starling.toml");
        std::fs::write(&path, settings).unwrap();
        let media = folder.path().join("no-media");
        std::fs::create_dir(&media).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_starling"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&path);
        command.arg("--data").arg(folder.path()).arg("--media").arg(&media);
        let mut process = Process::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
        let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
        let line = lines.next().expect("it says where it listens").unwrap();
        let address = line.strip_prefix("open http://").and_then(|rest| rest.strip_suffix('/'));
        let address = address.and_then(|text| text.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address in {line:?}"));
        Self { address, process, _folder: folder }
    }

    /// Starts one and waits until it is on the bus with `count` nodes in all.
    pub(crate) async fn among(nats: &Nats, lease_ms: u32, count: u64) -> Self {
        let node = Self::start(nats, lease_ms);
        node.metric_becomes("starling_signaling_nodes", count).await;
        node
    }

    /// The value of one line of `/metrics`.
    pub(crate) async fn metric(&self, line: &str) -> u64 {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}/metrics", self.address);
        let text = http.get(url).send().await.unwrap().text().await.unwrap();
        let found = text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
        found.unwrap_or_else(|| panic!("{line} is not in\n{text}")).parse().unwrap()
    }

    /// Waits until a line of `/metrics` has this value.
    pub(crate) async fn metric_becomes(&self, line: &str, expected: u64) {
        let wait = async {
            while self.metric(line).await != expected {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        within(line, wait).await;
    }
}

impl Door for Node {
    fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Two nodes with a peer each, which know of each other.
pub(crate) async fn two_with_peers(nats: &Nats, lease_ms: u32) -> [(Node, Client); 2] {
    let first = Node::start(nats, lease_ms);
    let second = Node::among(nats, lease_ms, 2).await;
    let (mut one, _) = Client::join(&first, 1).await;
    let (mut two, _) = Client::join(&second, 2).await;
    size_becomes(&mut one, 2).await;
    size_becomes(&mut two, 2).await;
    [(first, one), (second, two)]
}

/// Waits until the swarm has this many peers, as the client is told.
pub(crate) async fn size_becomes(client: &mut Client, expected: u32) {
    let wait = async {
        while client.size().await != expected {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within("the swarm's size", wait).await;
}

/// One peer's signal reaches the other.
pub(crate) async fn reaches(from: &mut Client, to: &mut Client) {
    let signal = Signal::Decline { connection: 1 };
    from.send(&call(to.id())).await;
    assert_eq!(to.next().await, FromServer::Signal { swarm: SWARM, from: from.id(), signal });
}

/// A small signal.
pub(crate) fn call(to: PeerId) -> ToServer {
    ToServer::Signal { swarm: SWARM, to, signal: Signal::Decline { connection: 1 } }
}
