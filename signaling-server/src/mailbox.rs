//! The bounded queue of one socket, and the word that ends it.
//!
//! Whoever has a message for a socket puts it into its [`Mailbox`]; the socket's task takes it out of
//! the [`Inbox`]. Nobody waits for a slow socket: a full queue ends it.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::{Notify, mpsc};

/// Most questions to the witness one socket may have open.
const ASKS_MAX: u32 = 32;

/// Why others end a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Its queue is full.
    Slow,
    /// A newer socket proved the same key.
    Replaced,
}

/// Where messages for a socket are put.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox {
    queue: mpsc::Sender<Utf8Bytes>,
    shared: Arc<Shared>,
}

/// Where the socket's task finds them.
#[derive(Debug)]
pub(crate) struct Inbox {
    queue: mpsc::Receiver<Utf8Bytes>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bytes: AtomicUsize,
    bytes_max: usize,
    asks: AtomicU32,
    ending: OnceLock<Ending>,
    ended: Notify,
}

/// One open question to the witness; closed when dropped.
#[derive(Debug)]
pub(crate) struct Ask(Arc<Shared>);

/// A queue of at most this many messages and bytes.
pub(crate) fn mailbox(messages_max: usize, bytes_max: usize) -> (Mailbox, Inbox) {
    let (sender, receiver) = mpsc::channel(messages_max.max(1));
    let shared = Arc::new(Shared {
        bytes: AtomicUsize::new(0),
        bytes_max,
        asks: AtomicU32::new(0),
        ending: OnceLock::new(),
        ended: Notify::new(),
    });
    (Mailbox { queue: sender, shared: Arc::clone(&shared) }, Inbox { queue: receiver, shared })
}

impl Mailbox {
    /// Puts a message in. A full queue ends the socket; one that is closed already drops the message.
    pub(crate) fn send(&self, text: Utf8Bytes) {
        let size_bytes = text.len();
        let waiting = self.shared.bytes.fetch_add(size_bytes, Ordering::Relaxed);
        let fits = waiting + size_bytes <= self.shared.bytes_max;
        if !fits || self.queue.try_send(text).is_err() {
            self.shared.bytes.fetch_sub(size_bytes, Ordering::Relaxed);
            self.end(Ending::Slow);
        }
    }

    /// Ends the socket; the first word counts.
    pub(crate) fn end(&self, ending: Ending) {
        let _ = self.shared.ending.set(ending);
        self.shared.ended.notify_one();
    }

    /// Opens a question to the witness, if there are not too many.
    pub(crate) fn ask(&self) -> Option<Ask> {
        let fits = |asks: u32| (asks < ASKS_MAX).then_some(asks + 1);
        self.shared.asks.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()?;
        Some(Ask(Arc::clone(&self.shared)))
    }
}

impl Inbox {
    /// The next message, or the word that ends the socket.
    pub(crate) async fn next(&mut self) -> Result<Utf8Bytes, Ending> {
        let received = tokio::select! {
            biased;
            ending = self.shared.ended() => return Err(ending),
            received = self.queue.recv() => received,
        };
        match received {
            Some(text) => Ok(self.taken(text)),
            // The socket's own task holds a mailbox, so the queue outlives the wait.
            None => std::future::pending().await,
        }
    }

    /// A message that is there already.
    pub(crate) fn waiting(&mut self) -> Option<Utf8Bytes> {
        self.queue.try_recv().ok().map(|text| self.taken(text))
    }

    /// Waits for the end.
    pub(crate) async fn ended(&self) -> Ending {
        self.shared.ended().await
    }

    fn taken(&self, text: Utf8Bytes) -> Utf8Bytes {
        self.shared.bytes.fetch_sub(text.len(), Ordering::Relaxed);
        text
    }
}

impl Shared {
    async fn ended(&self) -> Ending {
        loop {
            if let Some(ending) = self.ending.get() {
                return *ending;
            }
            self.ended.notified().await;
        }
    }
}

impl Drop for Ask {
    fn drop(&mut self) {
        self.0.asks.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_ends_the_socket() {
        let (mailbox, mut inbox) = mailbox(2, 1_000);
        for text in ["a", "b", "c"] {
            mailbox.send(text.into());
        }
        assert_eq!(inbox.ended().await, Ending::Slow);
        assert_eq!(inbox.next().await, Err(Ending::Slow));
        assert_eq!(inbox.waiting(), Some("a".into()));
        assert_eq!(inbox.waiting(), Some("b".into()));
        assert_eq!(inbox.waiting(), None);
    }

    #[tokio::test]
    async fn so_do_too_many_bytes_and_taking_them_out_makes_room() {
        let (mailbox, mut inbox) = mailbox(10, 10);
        mailbox.send("12345678".into());
        assert!(inbox.waiting().is_some());
        mailbox.send("12345678".into());
        assert!(inbox.shared.ending.get().is_none());
        mailbox.send("123".into());
        assert_eq!(inbox.ended().await, Ending::Slow);
    }

    #[test]
    fn questions_are_bounded_and_come_back() {
        let (mailbox, _inbox) = mailbox(1, 1);
        let asks: Vec<_> = std::iter::from_fn(|| mailbox.ask()).collect();
        assert_eq!(asks.len(), usize::try_from(ASKS_MAX).unwrap());
        drop(asks);
        assert!(mailbox.ask().is_some());
    }
}
