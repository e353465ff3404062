//! The web bundle, built while other stages run: its optimisers use one processor for minutes.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Stdio},
};

use crate::house::House;

/// How politely it is built: what measures itself by the clock goes first.
const NICENESS: &str = "10";

/// A build of the bundle that runs.
pub(super) struct Beside {
    child: Child,
    log: PathBuf,
}

impl Beside {
    /// Starts it. None where it can't be started: the first stage that needs the bundle builds it.
    pub(super) fn start(house: &House) -> Option<Self> {
        let folder = house.root.join("dist");
        fs::create_dir_all(&folder).ok()?;
        let log = folder.join("web.log");
        let file = fs::File::create(&log).ok()?;
        let child = house
            .command("nice")
            .args(["-n", NICENESS])
            .arg(std::env::current_exe().ok()?)
            .arg("web")
            .stdin(Stdio::null())
            .stdout(file.try_clone().ok()?)
            .stderr(file)
            .spawn()
            .ok()?;
        Some(Self { child, log })
    }

    /// Waits for its end and prints what it said. Whether it succeeded, the next stage sees: it builds what is
    /// not built.
    pub(super) fn join(mut self) {
        // It can't be waited for: the stage waits at the bundle's lock instead.
        let _ = self.child.wait();
        print!("{}", fs::read_to_string(&self.log).unwrap_or_default());
    }
}
