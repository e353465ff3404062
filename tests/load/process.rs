//! What a process used, from `/proc` (proc(5)).

use anyhow::{Context as _, Result};

/// Clock ticks per second that the kernel shows times in.
const TICKS_PER_S: f64 = 100.0;

/// Time and memory of a process so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Of all threads, in user and system mode.
    pub(crate) cpu_s: f64,
    pub(crate) resident_kib: f64,
}

impl Usage {
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let read = |name: &str| {
            let file = format!("/proc/{pid}/{name}");
            std::fs::read_to_string(&file).with_context(|| format!("reading {file}"))
        };
        let stat = read("stat")?;
        // The name of the program may hold anything; fields are counted after it.
        let (_, fields) = stat.rsplit_once(')').context("stat has a name in brackets")?;
        let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<f64>);
        let mut next = || ticks.next().context("stat has times")?.context("a time is a number");
        let cpu_s = (next()? + next()?) / TICKS_PER_S;
        let status = read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = line.and_then(|line| line.split_whitespace().next());
        let resident_kib = resident.context("status has VmRSS")?.parse()?;
        Ok(Self { cpu_s, resident_kib })
    }
}
