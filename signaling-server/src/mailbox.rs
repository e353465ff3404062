//! The queue of one socket, and the word that ends it.
//!
//! Whoever has a message for a socket puts it into its [`Mailbox`]; the socket's task takes it out of
//! the [`Inbox`]. Nobody waits for a slow socket: a full queue ends it. An empty queue holds no memory:
//! most sockets wait most of the time, and there are many.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::Notify;

use crate::lock;

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
pub(crate) struct Mailbox(Arc<Shared>);

/// Where the socket's task finds them.
#[derive(Debug)]
pub(crate) struct Inbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    messages_max: usize,
    bytes_max: usize,
    asks: AtomicU32,
    /// Told when the queue was empty and is not any more, and when the socket ends.
    news: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<Utf8Bytes>,
    size_bytes: usize,
    ending: Option<Ending>,
}

/// One open question to the witness; closed when dropped.
#[derive(Debug)]
pub(crate) struct Ask(Arc<Shared>);

/// A queue of at most this many messages and bytes.
pub(crate) fn mailbox(messages_max: usize, bytes_max: usize) -> (Mailbox, Inbox) {
    let shared = Arc::new(Shared {
        queue: Mutex::default(),
        messages_max: messages_max.max(1),
        bytes_max,
        asks: AtomicU32::new(0),
        news: Notify::new(),
    });
    (Mailbox(Arc::clone(&shared)), Inbox(shared))
}

impl Mailbox {
    /// Puts a message in. A full queue ends the socket; one that is closed already drops the message.
    pub(crate) fn send(&self, text: Utf8Bytes) {
        let shared = &*self.0;
        let mut queue = lock(&shared.queue);
        let size_bytes = queue.size_bytes + text.len();
        if queue.messages.len() >= shared.messages_max || size_bytes > shared.bytes_max {
            drop(queue);
            return self.end(Ending::Slow);
        }
        // Who found it filled is on the way already.
        let news = queue.messages.is_empty();
        queue.size_bytes = size_bytes;
        queue.messages.push_back(text);
        drop(queue);
        if news {
            shared.news.notify_one();
        }
    }

    /// Ends the socket; the first word counts.
    pub(crate) fn end(&self, ending: Ending) {
        lock(&self.0.queue).ending.get_or_insert(ending);
        self.0.news.notify_one();
    }

    /// Opens a question to the witness, if there are not too many.
    pub(crate) fn ask(&self) -> Option<Ask> {
        let fits = |asks: u32| (asks < ASKS_MAX).then_some(asks + 1);
        self.0.asks.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()?;
        Some(Ask(Arc::clone(&self.0)))
    }
}

/// Only one task waits at an inbox, for one thing at a time; it looks before it waits.
impl Inbox {
    /// The next message, or the word that ends the socket.
    pub(crate) async fn next(&self) -> Result<Utf8Bytes, Ending> {
        loop {
            if let Some(ending) = self.ending() {
                return Err(ending);
            }
            if let Some(text) = self.waiting() {
                return Ok(text);
            }
            self.0.news.notified().await;
        }
    }

    /// A message that is there already.
    pub(crate) fn waiting(&self) -> Option<Utf8Bytes> {
        let mut queue = lock(&self.0.queue);
        let text = queue.messages.pop_front()?;
        queue.size_bytes -= text.len();
        if queue.messages.is_empty() {
            queue.messages = VecDeque::new();
        }
        Some(text)
    }

    /// Waits for the end.
    pub(crate) async fn ended(&self) -> Ending {
        loop {
            if let Some(ending) = self.ending() {
                return ending;
            }
            self.0.news.notified().await;
        }
    }

    fn ending(&self) -> Option<Ending> {
        lock(&self.0.queue).ending
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
        let (mailbox, inbox) = mailbox(2, 1_000);
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
        let (mailbox, inbox) = mailbox(10, 10);
        mailbox.send("12345678".into());
        assert!(inbox.waiting().is_some());
        mailbox.send("12345678".into());
        assert_eq!(inbox.ending(), None);
        mailbox.send("123".into());
        assert_eq!(inbox.ended().await, Ending::Slow);
    }

    #[tokio::test]
    async fn what_comes_while_a_task_waits_for_the_end_is_found_later() {
        let (mailbox, inbox) = mailbox(10, 100);
        let waits = async {
            tokio::select! {
                biased;
                _ = inbox.ended() => panic!("nothing ended"),
                () = tokio::task::yield_now() => {}
            }
        };
        mailbox.send("first".into());
        waits.await;
        mailbox.send("second".into());
        assert_eq!(inbox.next().await, Ok("first".into()));
        assert_eq!(inbox.next().await, Ok("second".into()));
        tokio::join!(async { assert_eq!(inbox.next().await, Ok("third".into())) }, async {
            mailbox.send("third".into())
        },);
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
