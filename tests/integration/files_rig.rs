//! A folder with a store of its own, and the binary that works on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// No wait of these tests is this long unless something is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A folder of its own, and the store in it.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The binary in this folder.
    pub(crate) fn plain(&self, words: &[&str]) -> Command {
        let mut starling = Command::new(env!("CARGO_BIN_EXE_starling"));
        starling.args(words).current_dir(self.0.path());
        starling.stdin(Stdio::null()).env("NO_PROXY", "*");
        starling
    }

    /// The same, on the store.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut starling = self.plain(words);
        starling.args(["--data", "store"]);
        starling
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// What it prints when it works.
    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// What it prints with `--json` when it works.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[words, &["--json"]].concat())).unwrap()
    }

    /// Its exit code and what it says when it does not.
    pub(crate) fn fails(&self, words: &[&str]) -> (i32, String) {
        let output = self.run(words);
        assert!(!output.status.success(), "{words:?} went well");
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    /// Blocks in the store.
    pub(crate) fn blocks(&self) -> Vec<PathBuf> {
        let is_block = |path: &PathBuf| {
            let folder = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
            folder.len() == 2
        };
        files_below(&self.path("store/blocks")).into_iter().filter(is_block).collect()
    }

    /// Files that a session has under way.
    pub(crate) fn being_written(&self) -> usize {
        files_below(&self.path("store/blocks/writing")).len()
    }
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut todo) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = todo.pop() {
        for entry in fs::read_dir(next).into_iter().flatten() {
            // What goes away meanwhile was there a moment ago.
            let Ok(entry) = entry else { continue };
            let path = entry.path();
            if path.is_dir() { todo.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Bytes that no two blocks share.
pub(crate) fn noise(count: usize, seed: u32) -> Vec<u8> {
    let mut state = u64::from(seed) << 32 | 0x9e37_79b9;
    let words = (0..count.div_ceil(8)).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(count).collect()
}

/// Waits until it is so.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "{what}: not after {} s", DEADLINE.as_secs());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A child that is killed, not asked, when the test ends.
pub(crate) struct Killed(pub(crate) Child);

impl Killed {
    /// Kills it as a power cut would: nothing of it runs any more.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server of a place's store, in a process of its own.
pub(crate) struct Served {
    pub(crate) url: String,
    pub(crate) process: Killed,
}

impl Served {
    pub(crate) fn new(place: &Place) -> Self {
        use std::io::{BufRead as _, BufReader};

        fs::create_dir_all(place.path("no-media")).unwrap();
        let mut serve = place.command(&["serve", "--listen", "127.0.0.1:0", "--media", "no-media"]);
        if place.path("config.toml").exists() {
            serve.args(["--config", "config.toml"]);
        }
        let mut process = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("open ").unwrap().trim_end_matches('/').to_owned();
        Self { url, process: Killed(process) }
    }
}
