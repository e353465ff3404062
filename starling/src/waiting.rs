//! Work that would stop what else runs on its thread.

/// Runs what waits for disks, or computes for long, on a thread that may. A panic in it goes on here.
pub async fn waiting<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}
