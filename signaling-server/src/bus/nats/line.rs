//! The line to NATS: what is sent, what comes, and whether it is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_nats::{Client, ConnectError, Subscriber};
use futures_util::StreamExt as _;
use tokio::sync::{Notify, mpsc, oneshot};
use wire::node::Message;

use super::{Followed, Subjects, TOLD_BYTES_MAX, message};
use crate::bus::{Counters, Heard, NodeId};
use crate::lock;

/// What waits to be sent.
#[derive(Debug)]
pub(super) enum Told {
    /// A message.
    Message {
        /// Where to.
        subject: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Say when all before it is on its way.
    Flush(oneshot::Sender<()>),
}

/// What the bus and its task share.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) id: NodeId,
    pub(super) subjects: Subjects,
    pub(super) followed: Followed,
    pub(super) counters: Counters,
    told: mpsc::Sender<Told>,
    waiting_bytes: AtomicUsize,
    up: AtomicBool,
    rose: Notify,
}

/// The three subscriptions.
struct Hearing {
    swarms: Subscriber,
    own: Subscriber,
    nodes: Subscriber,
}

impl Line {
    pub(super) fn new(id: NodeId, subjects: Subjects, told: mpsc::Sender<Told>) -> Self {
        Self {
            id,
            subjects,
            followed: Followed::default(),
            counters: Counters::default(),
            told,
            waiting_bytes: AtomicUsize::new(0),
            up: AtomicBool::new(false),
            rose: Notify::new(),
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// The line is there.
    pub(super) fn rise(&self) {
        self.up.store(true, Ordering::Relaxed);
        self.rose.notify_one();
    }

    /// It is not.
    pub(super) fn fall(&self) {
        if self.up.swap(false, Ordering::Relaxed) {
            tracing::warn!("the bus is away: this node serves its own peers alone");
        }
    }

    /// Puts a message where it is sent from; loses it when there is no line or too much waits.
    pub(super) fn tell(&self, subject: String, message: &Message) {
        let sent = self.is_up() && self.put_message(subject, message.encode_to_vec());
        let count = if sent { &self.counters.told } else { &self.counters.lost };
        count.inc();
    }

    fn put_message(&self, subject: String, bytes: Vec<u8>) -> bool {
        let size = bytes.len();
        let waiting = self.waiting_bytes.fetch_add(size, Ordering::Relaxed);
        if waiting + size <= TOLD_BYTES_MAX && self.put(Told::Message { subject, bytes }) {
            return true;
        }
        self.waiting_bytes.fetch_sub(size, Ordering::Relaxed);
        false
    }

    /// Whether there was room.
    pub(super) fn put(&self, told: Told) -> bool {
        self.told.try_send(told).is_ok()
    }

    /// Sends what waits, for as long as there is anybody to put something there.
    async fn send(&self, client: &Client, mut waiting: mpsc::Receiver<Told>) {
        while let Some(told) = waiting.recv().await {
            match told {
                Told::Message { subject, bytes } => {
                    self.waiting_bytes.fetch_sub(bytes.len(), Ordering::Relaxed);
                    if !self.is_up() || client.publish(subject, bytes.into()).await.is_err() {
                        self.counters.lost.inc();
                    }
                }
                Told::Flush(sent) if self.is_up() => {
                    // An error: the line broke, and there is nothing to wait for.
                    let _ = client.flush().await;
                    // An error: nobody waits any more.
                    let _ = sent.send(());
                }
                Told::Flush(_) => {}
            }
        }
    }

    /// Hears until the subscriptions end or nobody listens.
    async fn hear(&self, mut from: Hearing, to: mpsc::Sender<Heard>) {
        loop {
            let heard = tokio::select! {
                () = self.rose.notified() => Some(Heard::Joined),
                came = from.swarms.next() => match came {
                    Some(came) => self.of_swarm(&came),
                    None => return,
                },
                came = from.own.next() => match came {
                    Some(came) => self.checked(message::of_one(&came.payload, self.id)),
                    None => return,
                },
                came = from.nodes.next() => match came {
                    Some(came) => self.checked(message::of_all(&came.payload, self.id)),
                    None => return,
                },
            };
            if let Some(heard) = heard
                && to.send(heard).await.is_err()
            {
                return;
            }
        }
    }

    /// Only news of swarms that are followed are read further than their subject.
    fn of_swarm(&self, came: &async_nats::Message) -> Option<Heard> {
        let swarm = came.subject.as_str().strip_prefix(&self.subjects.swarm);
        let swarm = swarm.and_then(|id| id.parse().ok());
        let Some(swarm) = swarm else { return self.checked(None) };
        if !lock(&self.followed).contains(&swarm) {
            return None;
        }
        self.checked(message::of_swarm(&came.payload, self.id, swarm))
    }

    fn checked(&self, heard: Option<Heard>) -> Option<Heard> {
        let count = if heard.is_some() { &self.counters.heard } else { &self.counters.refused };
        count.inc();
        heard
    }
}

/// Connects, and sends and hears until the bus is dropped.
pub(super) async fn run(
    line: Arc<Line>,
    connecting: impl Future<Output = Result<Client, ConnectError>>,
    waiting: mpsc::Receiver<Told>,
    hearing: mpsc::Sender<Heard>,
) {
    let client = match connecting.await {
        Ok(client) => client,
        Err(error) => return tracing::error!("the bus can't be used: {error}"),
    };
    match subscribe(&client, &line).await {
        Ok(from) => {
            tokio::select! {
                () = line.send(&client, waiting) => {}
                () = line.hear(from, hearing) => {}
            }
        }
        Err(error) => tracing::error!("the bus can't be heard: {error}"),
    }
    line.fall();
}

async fn subscribe(
    client: &Client,
    line: &Line,
) -> Result<Hearing, async_nats::client::SubscribeError> {
    let subjects = &line.subjects;
    Ok(Hearing {
        swarms: client.subscribe(format!("{}*", subjects.swarm)).await?,
        own: client.subscribe(subjects.of_node(line.id)).await?,
        nodes: client.subscribe(subjects.nodes.clone()).await?,
    })
}
