//! What the chores print: one line per step, with what and why.

use std::time::{Duration, Instant};

/// Says that a step starts.
pub(crate) fn step(name: &str, why: &str) {
    println!("• {name}: {why}");
}

/// Says that there was nothing to do.
pub(crate) fn kept(name: &str, state: &str) {
    println!("✓ {name}: {state}");
}

/// A line under a step.
pub(crate) fn note(text: &str) {
    println!("  {text}");
}

/// Says what went wrong and what led to it.
pub(crate) fn problem(error: &anyhow::Error) {
    println!("✗ {error}");
    for cause in error.chain().skip(1) {
        println!("  because: {cause}");
    }
}

/// Runs a step and says how long it took.
pub(crate) fn timed<T>(
    name: &str,
    why: &str,
    work: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    step(name, why);
    let start = Instant::now();
    let value = work()?;
    println!("✓ {name}: done in {}", duration(start.elapsed()));
    Ok(value)
}

/// A duration for a person: `0.4 s`, `12 s`, `3 min 05 s`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_a_person_would_say_them() {
        assert_eq!(duration(Duration::from_millis(430)), "0.4 s");
        assert_eq!(duration(Duration::from_secs(12)), "12 s");
        assert_eq!(duration(Duration::from_secs(185)), "3 min 05 s");
    }
}
