//! A client of a TURN relay by UDP (RFC 8656), as far as the load needs one: it allocates and binds
//! channels; what goes over them its socket sends by itself.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use relay::Credential;
use relay::stun::attribute::{self, TRANSPORT_UDP, read_xor_address};
use relay::stun::{Builder, Class, Integrity, Message, Transaction, long_term_key, method};
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// How long an answer may take before the request is sent again, and how often it is sent.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);
const TRIES: u32 = 8;

/// A client with one allocation.
#[derive(Debug)]
pub(crate) struct Client {
    socket: UdpSocket,
    credential: Credential,
    realm: String,
    nonce: String,
    requests: u64,
    /// Where it is reached from outside.
    pub(crate) relayed: SocketAddr,
}

impl Client {
    /// Asks a relay for an allocation.
    pub(crate) async fn allocate(server: SocketAddr, credential: Credential) -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        socket.connect(server).await?;
        let (realm, nonce) = (String::new(), String::new());
        let mut new = Self { socket, credential, realm, nonce, requests: 0, relayed: server };
        let transport = [TRANSPORT_UDP, 0, 0, 0];
        let answer = new
            .ask(method::ALLOCATE, |builder| {
                builder.put(attribute::REQUESTED_TRANSPORT, &transport)
            })
            .await?;
        let answer = Message::parse(&answer)?;
        let value = answer.get(attribute::XOR_RELAYED_ADDRESS).context("no relayed address")?;
        let relayed = read_xor_address(value, &answer.transaction());
        new.relayed = relayed.context("the relayed address is none")?;
        Ok(new)
    }

    /// Gives a peer a channel, and with it leave to send.
    pub(crate) async fn bind(&mut self, channel: u16, peer: SocketAddr) -> Result<()> {
        let [high, low] = channel.to_be_bytes();
        let answer = self.ask(method::CHANNEL_BIND, |builder| {
            let builder = builder.put(attribute::CHANNEL_NUMBER, &[high, low, 0, 0]);
            builder.put_address(attribute::XOR_PEER_ADDRESS, peer)
        });
        answer.await.map(drop)
    }

    /// What it speaks to the relay on.
    pub(crate) fn into_socket(self) -> UdpSocket {
        self.socket
    }

    /// Asks until the relay does it: the first time without a nonce, which the refusal brings.
    async fn ask(&mut self, method: u16, put: impl Fn(Builder) -> Builder) -> Result<Vec<u8>> {
        for _ in 0..TRIES {
            let transaction = self.next_transaction();
            let builder = put(Builder::new(Class::Request, method, transaction));
            self.socket.send(&self.sign(builder)).await?;
            let Some(answer) = self.answer_to(transaction).await? else { continue };
            let message = Message::parse(&answer)?;
            if message.class() == Class::Success {
                return Ok(answer);
            }
            let code = message.get(attribute::ERROR_CODE).and_then(|value| value.get(2..4));
            match code {
                Some([4, 1 | 38]) => {
                    self.nonce = message.text(attribute::NONCE).context("no nonce")?.to_owned();
                    if let Some(realm) = message.text(attribute::REALM) {
                        realm.clone_into(&mut self.realm);
                    }
                }
                other => bail!("method {method:#x} is refused: {other:?}"),
            }
        }
        bail!("method {method:#x} is not answered")
    }

    fn sign(&self, builder: Builder) -> Vec<u8> {
        if self.nonce.is_empty() {
            return builder.finish(true);
        }
        let Credential { username, password } = &self.credential;
        let key = long_term_key(username, &self.realm, password);
        let builder = builder.put(attribute::USERNAME, username.as_bytes());
        let builder = builder.put(attribute::REALM, self.realm.as_bytes());
        let builder = builder.put(attribute::NONCE, self.nonce.as_bytes());
        builder.sign(Integrity::Sha1, &key).finish(true)
    }

    /// The answer; `None`: none came in time.
    async fn answer_to(&self, transaction: Transaction) -> Result<Option<Vec<u8>>> {
        let mut buffer = vec![0; 2048];
        let wait = async {
            loop {
                let length = self.socket.recv(&mut buffer).await?;
                let message = Message::parse(&buffer[..length]);
                if message.is_ok_and(|message| message.transaction() == transaction) {
                    return Ok::<_, std::io::Error>(length);
                }
            }
        };
        let Ok(length) = timeout(ANSWER_WITHIN, wait).await else { return Ok(None) };
        buffer.truncate(length?);
        Ok(Some(buffer))
    }

    fn next_transaction(&mut self) -> Transaction {
        self.requests += 1;
        let mut transaction = [0; 12];
        transaction[4..].copy_from_slice(&self.requests.to_be_bytes());
        transaction
    }
}
