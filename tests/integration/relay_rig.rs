//! A relay process, and programs that are ended with their test.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// No wait of these tests is this long unless something is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// The secret of every relay here.
pub(crate) const SECRET: &str = "north of the river, 16";

/// A program that ends with its test.
#[derive(Debug)]
pub(crate) struct Program(Child);

impl Program {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits for its end; whether it was a good one.
    pub(crate) fn wait(&mut self) -> bool {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.success();
            }
            assert!(start.elapsed() < DEADLINE, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `starling relay` on free ports of the loopback.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) program: Program,
    /// Port of UDP and TCP on 127.0.0.1.
    pub(crate) port: u16,
    /// The same on ::1.
    pub(crate) port_v6: u16,
    /// Port of TLS on 127.0.0.1.
    pub(crate) port_tls: u16,
    metrics: String,
    _folder: TempDir,
}

impl Relay {
    /// Starts one; `more` are further lines of its settings. Its relayed ports are none the system
    /// gives by itself: at its own address it would take a peer's port for one of them.
    pub(crate) fn start(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_certificate(folder.path());
        let path = folder.path().join("starling.toml");
        let settings = format!(
            "[relay]\nlisten = [\"127.0.0.1:0\", \"[::1]:0\"]\nlisten_tls = [\"127.0.0.1:0\"]\n\
             certificate = {:?}\ncertificate_key = {:?}\nsecrets = [{SECRET:?}]\n\
             port_min = 61000\nuser_bytes_max = 0\nuser_bits_per_s = 0\nuser_allocations_max = 1000\n{more}\n",
            folder.path().join("certificate.pem"),
            folder.path().join("key.pem"),
        );
        std::fs::write(&path, settings).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_starling"));
        command.arg("relay").arg("--config").arg(&path).args(["--metrics", "127.0.0.1:0"]);
        let mut program = Program::start(command.stdout(Stdio::piped()));
        let output = BufReader::new(program.0.stdout.take().unwrap());
        // Metrics, UDP and TCP of two families, TLS.
        let lines: Vec<String> = output.lines().take(6).map(Result::unwrap).collect();
        let find = |start: &str, end: &str| {
            let found = lines.iter().find_map(|line| line.strip_prefix(start)?.strip_suffix(end));
            found.unwrap_or_else(|| panic!("{start} is not in {lines:?}")).to_owned()
        };
        let port = |start, end| find(start, end).parse().unwrap();
        Self {
            port: port("relay at turn:127.0.0.1:", "?transport=udp"),
            port_v6: port("relay at turn:[::1]:", "?transport=udp"),
            port_tls: port("relay at turns:127.0.0.1:", "?transport=tcp"),
            metrics: find("metrics at ", ""),
            program,
            _folder: folder,
        }
    }

    /// The value of one line of `/metrics`.
    pub(crate) async fn metric(&self, line: &str) -> u64 {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let text = http.get(&self.metrics).send().await.unwrap().text().await.unwrap();
        let found = text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
        found.unwrap_or_else(|| panic!("{line} is not in\n{text}")).parse().unwrap()
    }

    /// Waits until a line of `/metrics` has this value.
    pub(crate) async fn metric_becomes(&self, line: &str, expected: u64) {
        let start = Instant::now();
        while self.metric(line).await != expected {
            assert!(start.elapsed() < DEADLINE, "waited for {line} {expected}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn write_certificate(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
}
