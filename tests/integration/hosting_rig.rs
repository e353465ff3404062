//! `starling serve` as a process, with settings of the test's.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// No wait of these tests is this long unless something is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Fails the test when `wait` takes longer than [`DEADLINE`].
pub(crate) async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("waited for {what}"))
}

/// A running server; ended with its test.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Host {
    /// Starts one whose `starling.toml` is `settings`.
    pub(crate) fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("starling.toml");
        std::fs::write(&path, settings).unwrap();
        let media = folder.path().join("media");
        std::fs::create_dir(&media).unwrap();
        std::fs::write(media.join("a.m4s"), "a").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_starling"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&path);
        command.arg("--data").arg(folder.path()).arg("--media").arg(&media);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().expect("it says where it listens").unwrap();
        let (_, rest) = line.split_once("://").unwrap();
        let address = rest.trim_end_matches('/').parse().unwrap();
        Self { address, child, _folder: folder }
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let arguments = [format!("-{name}"), self.child.id().to_string()];
        assert!(Command::new("kill").args(arguments).status().unwrap().success());
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        http.get(format!("http://{}{path}", self.address)).send().await.unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file of the checkout.
pub(crate) fn checkout(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
