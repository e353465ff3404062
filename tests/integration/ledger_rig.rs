//! Validators as processes, each with its folder and ports.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ledger::{AccountId, AssetId, domains::accounts::balance_key};
use primitives::KeyPair;
use serde_json::Value;
use starling::key_file;
use starling::ledger_client::Client;

/// What a slow machine may take for anything here.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Blocks come quickly, and an absent leader is noticed in 1.2 s.
const HEARTBEAT_MS: &str = "200";

/// Validators, running or not. They end with it.
pub(crate) struct Network {
    folder: tempfile::TempDir,
    http_port: u16,
    running: Vec<Option<Child>>,
    http: reqwest::Client,
}

/// The binary under test.
pub(crate) fn starling() -> Command {
    Command::new(env!("CARGO_BIN_EXE_starling"))
}

/// A step of a ceremony by one of them, which must be done; what it says.
pub(crate) fn ceremony(step: &[&str], shared: &Path, home: &Path) -> String {
    let mut command = starling();
    command.args(["keys", "ceremony"]).args(step).arg(shared).arg("--home").arg(home);
    said(command)
}

/// What a command says that must succeed.
pub(crate) fn said(mut command: Command) -> String {
    let made = command.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8_lossy(&made.stdout).into_owned()
}

/// The key of the record that says what an account holds, in hexadecimal.
pub(crate) fn balance(account: AccountId) -> String {
    let key = balance_key(account, AssetId::NATIVE);
    key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends without waiting for a receipt; the transaction's name.
pub(crate) async fn transfer(
    network: &Network,
    index: usize,
    key: &KeyPair,
    to: AccountId,
    units: u128,
) -> String {
    let client = Client::new(&network.base(index)).unwrap();
    client.send(key, AssetId::NATIVE, to, units).await.unwrap().to_string()
}

/// Ports that no system hands out by itself, so that no connection of another test takes one meanwhile.
const PORTS: std::ops::Range<u32> = 12_000..32_000;

/// Rows that this process looked at: tests that run beside each other take other ones.
static LOOKED_AT: AtomicU32 = AtomicU32::new(0);

/// That many free ports in a row. Each process looks elsewhere first.
fn ports(count: u16) -> u16 {
    let room = PORTS.end - PORTS.start - u32::from(count);
    let begin = std::process::id().wrapping_mul(16);
    for _ in 0..room {
        let turn = LOOKED_AT.fetch_add(1, Ordering::Relaxed);
        let first = PORTS.start + (begin.wrapping_add(turn.wrapping_mul(16))) % room;
        let row: Vec<u16> =
            (first..).take(count.into()).map(|one| one.try_into().unwrap()).collect();
        let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
        if row.iter().all(free) {
            return row[0];
        }
    }
    panic!("no {count} free ports in a row in {PORTS:?}");
}

impl Network {
    /// A validator without a network's file.
    pub(crate) fn alone() -> Self {
        Self::alone_with(&format!("heartbeat_ms = {HEARTBEAT_MS}\n"))
    }

    /// The same with settings.
    pub(crate) fn alone_with(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let http_port = ports(1);
        let text = format!("data = \".\"\nhttp = \"127.0.0.1:{http_port}\"\n{settings}");
        std::fs::write(folder.path().join("validator-0.toml"), text).unwrap();
        Self::new(folder, http_port, 1)
    }

    /// Four by `starling keys network`.
    pub(crate) fn of_four() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = ports(8);
        let http_port = port + 4;
        let made = starling()
            .args(["keys", "network", "--heartbeat-ms", HEARTBEAT_MS])
            .args(["--port", &port.to_string(), "--http-port", &http_port.to_string(), "--out"])
            .arg(folder.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self::new(folder, http_port, 4)
    }

    /// Four by `starling keys successor`, who take over from these at a height; what it says.
    pub(crate) fn successor(&self, height: u64) -> (Self, String) {
        let folder = tempfile::tempdir().unwrap();
        let port = ports(8);
        let http_port = port + 4;
        let made = starling()
            .args(["keys", "successor"])
            .arg(self.folder().join("network.toml"))
            .args(["--height", &height.to_string(), "--heartbeat-ms", HEARTBEAT_MS])
            .args(["--port", &port.to_string(), "--http-port", &http_port.to_string(), "--out"])
            .arg(folder.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        // Who held everything still does.
        std::fs::copy(self.faucet_file(), folder.path().join("faucet.key")).unwrap();
        let said = String::from_utf8_lossy(&made.stdout).into_owned();
        (Self::new(folder, http_port, 4), said)
    }

    /// Four who made their own keys for a ceremony, and said them in `shared`, called `v0` to `v3`.
    pub(crate) fn joined(shared: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = ports(8);
        let http_port = port + 4;
        for index in 0..4 {
            let name = format!("validator-{index}");
            let listen = format!("127.0.0.1:{}", port + index);
            let http = http_port + index;
            let home = folder.path().join(&name);
            ceremony(
                &["join", "--name", &format!("v{index}"), "--address", &listen],
                shared,
                &home,
            );
            let text = format!(
                "data = \"{name}\"\nnetwork = \"{name}/network.toml\"\nlisten = \"{listen}\"\n\
                 http = \"127.0.0.1:{http}\"\nheartbeat_ms = {HEARTBEAT_MS}\n"
            );
            std::fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
        }
        Self::new(folder, http_port, 4)
    }

    /// A validator's own folder.
    pub(crate) fn home(&self, index: usize) -> PathBuf {
        self.folder().join(format!("validator-{index}"))
    }

    fn new(folder: tempfile::TempDir, http_port: u16, count: usize) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { folder, http_port, running: (0..count).map(|_| None).collect(), http }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Who holds everything at the start.
    pub(crate) fn faucet(&self) -> KeyPair {
        key_file::load_or_create(&self.faucet_file()).unwrap().key
    }

    pub(crate) fn faucet_file(&self) -> PathBuf {
        self.folder().join("faucet.key")
    }

    /// Starts a validator and waits until it answers.
    pub(crate) async fn start(&mut self, index: usize) {
        self.start_with(index, &[], Stdio::inherit()).await;
    }

    /// The same with more options; the file of what it warns of.
    pub(crate) async fn start_warned(&mut self, index: usize, options: &[&str]) -> PathBuf {
        let path = self.folder().join(format!("validator-{index}.log"));
        let file = std::fs::File::create(&path).unwrap();
        self.start_with(index, options, file.into()).await;
        path
    }

    async fn start_with(&mut self, index: usize, options: &[&str], log: Stdio) {
        let child = starling()
            .args(["validator", "--config"])
            .arg(self.folder().join(format!("validator-{index}.toml")))
            .args(options)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.running[index] = Some(child);
        self.until(index, 0).await;
    }

    /// Changes the settings of all.
    pub(crate) fn settings(&self, change: impl Fn(String) -> String) {
        for index in 0..self.running.len() {
            let path = self.folder().join(format!("validator-{index}.toml"));
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(path, change(text)).unwrap();
        }
    }

    /// Deletes all that a validator has, but its secrets.
    pub(crate) fn wipe(&self, index: usize) {
        for entry in std::fs::read_dir(self.folder().join(format!("validator-{index}"))).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap();
            if name == "validator.key" || name == "validator.share" {
                continue;
            }
            let gone = if path.is_dir() {
                std::fs::remove_dir_all(&path)
            } else {
                std::fs::remove_file(&path)
            };
            gone.unwrap();
        }
    }

    /// kill -9.
    pub(crate) fn kill(&mut self, index: usize) {
        let mut child = self.running[index].take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn base(&self, index: usize) -> String {
        format!("http://127.0.0.1:{}", self.http_port + u16::try_from(index).unwrap())
    }

    pub(crate) async fn ask(
        &self,
        index: usize,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> (u16, Value) {
        self.try_ask(index, path, body).await.unwrap()
    }

    async fn try_ask(
        &self,
        index: usize,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<(u16, Value), reqwest::Error> {
        let url = format!("{}/ledger/{path}", self.base(index));
        let request = match body {
            Some(body) => self.http.post(url).body(body),
            None => self.http.get(url),
        };
        let response = request.send().await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// An answer that must be a good one.
    pub(crate) async fn get(&self, index: usize, path: &str) -> Value {
        let (status, value) = self.ask(index, path, None).await;
        assert_eq!(status, 200, "{path}: {value}");
        value
    }

    /// Waits until a validator has this height.
    pub(crate) async fn until(&self, index: usize, height: u64) {
        self.condition(&format!("validator {index} at height {height}"), async || {
            let (_, status) = self.try_ask(index, "status", None).await.ok()?;
            (status["height"].as_u64()? >= height).then_some(())
        })
        .await;
    }

    /// Waits for a receipt.
    pub(crate) async fn receipt(&self, index: usize, id: &str) -> Value {
        self.condition("a receipt", async || {
            let (_, receipt) = self.try_ask(index, &format!("receipts/{id}"), None).await.ok()?;
            receipt["height"].is_u64().then_some(receipt)
        })
        .await
    }

    /// Waits until there is what is looked for.
    pub(crate) async fn condition<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(start.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Sends from the faucet by the command line and waits for the receipt.
    pub(crate) fn send(&self, index: usize, to: AccountId, units: u128) -> Value {
        let sent = starling()
            .args(["ledger", "--node", &self.base(index), "send"])
            .args([&to.to_string(), &units.to_string(), "--wait-s", "60", "--key"])
            .arg(self.faucet_file())
            .output()
            .unwrap();
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
        serde_json::from_slice(&sent.stdout).unwrap()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for child in self.running.iter_mut().flatten() {
            // Neither can fail in a way that matters: the process is ours, and it is gone afterwards.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
