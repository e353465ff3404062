//! Servers that a chore starts and that end with it.

use std::{
    net::{Ipv4Addr, TcpStream},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

/// How often processes are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Children that end with us.
#[derive(Debug, Default)]
pub(crate) struct Children(Vec<(String, Child)>);

impl Children {
    /// Starts one, called `name` in what is said about it.
    pub(crate) fn start(&mut self, name: impl Into<String>, command: &mut Command) -> Result<()> {
        let name = name.into();
        let child = command.spawn().with_context(|| format!("starting {name}"))?;
        self.0.push((name, child));
        Ok(())
    }

    /// Waits until somebody listens on each of these ports of the loopback.
    pub(crate) fn wait_until_listening(
        &mut self,
        ports: impl IntoIterator<Item = u16>,
        within: Duration,
    ) -> Result<()> {
        let start = Instant::now();
        for port in ports {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
                self.check()?;
                let late = start.elapsed() > within;
                ensure!(!late, "port {port}: nobody listens after {within:?}");
                thread::sleep(LOOK_EVERY);
            }
        }
        Ok(())
    }

    /// Waits until one ends, which is an error: the others end with us.
    pub(crate) fn wait(&mut self) -> Result<()> {
        loop {
            self.check()?;
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Whether none has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        for (name, child) in &mut self.0 {
            if let Some(status) =
                child.try_wait().with_context(|| format!("asking after {name}"))?
            {
                bail!("{name} ended with {status}; what it said stands above");
            }
        }
        Ok(())
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for (_, child) in &mut self.0 {
            // Neither can fail in a way that matters: the process is ours, and it is gone afterwards.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
