//! Peer to signaling server: JSON text over one WebSocket at `/signal`.
//!
//! The server opens with a [`FromServer::Challenge`]; the peer answers with [`ToServer::Hello`] and may
//! send [`ToServer::Join`] in the same breath. Objects carry `type`; unknown fields are skipped.
//! Story, limits and examples: `docs/spec/signaling.md`.

use primitives::{Hash, KeyPair, PeerId, SignatureError, SwarmId};
use serde::{Deserialize, Serialize};

use crate::json::Json;

/// Context of the proof in a hello, put before the server's nonce.
const HELLO_CONTEXT: &[u8] = b"starling-hello-v1\0";
/// Context of a signed session description.
const DESCRIPTION_CONTEXT: &[u8] = b"starling-description-v1\0";
/// Context of a witness statement.
const WITNESS_CONTEXT: &[u8] = b"starling-witness-v1\0";

/// What a peer says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ToServer {
    /// Who I am, with the proof that I hold the key.
    Hello {
        /// [`crate::limits::SIGNALING_VERSION`].
        version: u32,
        /// My public key.
        peer: PeerId,
        /// [`hello_proof`] over the challenge's nonce, base64.
        proof: Base64,
        /// The token of the session this socket takes up again, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume: Option<String>,
    },
    /// I share this; introduce me.
    Join {
        /// The swarm.
        swarm: SwarmId,
        /// How many neighbours I could use now, at most [`crate::limits::NEIGHBOURS_MAX`].
        want: u16,
        /// Coarse place of my choosing ("eu-west"), at most 32 bytes; neighbours of one region first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<String>,
        /// Site key given by the host, if it gives any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        site: Option<String>,
        /// Where I play: the media sequence number at my playhead. Neighbours near it first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        position: Option<u32>,
    },
    /// More or other neighbours, please.
    More {
        /// The swarm.
        swarm: SwarmId,
        /// How many.
        want: u16,
        /// Those I have or tried, at most [`crate::limits::NEIGHBOURS_MAX`]` * 2`.
        #[serde(default)]
        except: Vec<PeerId>,
        /// Where I play now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        position: Option<u32>,
    },
    /// To be handed to one peer of the swarm, unread.
    Signal {
        /// The swarm both are in.
        swarm: SwarmId,
        /// The receiver.
        to: PeerId,
        /// What is handed over.
        #[serde(flatten)]
        signal: Signal,
    },
    /// I share this no longer.
    Leave {
        /// The swarm.
        swarm: SwarmId,
    },
    /// Fetch this once for everybody and say what it is.
    Witness {
        /// Chosen by the asker; comes back in the answer.
        id: u32,
        /// Absolute `http:` or `https:` URL on an origin the host allows.
        url: String,
    },
    /// Keeps the socket open through proxies; answered by [`FromServer::Pong`].
    Ping,
}

/// What a server says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Json")]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum FromServer {
    /// First message: sign this.
    Challenge {
        /// The server's version.
        version: u32,
        /// 32 random bytes, base64.
        nonce: Base64,
        /// The key this server signs witness statements with.
        server: PeerId,
    },
    /// The hello was good.
    Welcome {
        /// Give this in the next hello to take up the session after a dropped socket.
        resume: String,
        /// How long a dropped session is kept, in milliseconds.
        lease_ms: u32,
        /// Whether an earlier session was taken up: its swarms are still joined.
        resumed: bool,
        /// Send a `ping` when nothing was sent for this long, in milliseconds.
        ping_ms: u32,
        /// STUN and TURN servers for `RTCPeerConnection`.
        #[serde(default)]
        ice_servers: Vec<IceServer>,
    },
    /// The join was good.
    Joined {
        /// The swarm.
        swarm: SwarmId,
        /// Peers in it, the asker included.
        size: u32,
        /// Dial these.
        peers: Vec<Neighbour>,
        /// The site's policy: connections by relay only.
        #[serde(default)]
        relay_only: bool,
    },
    /// Neighbours asked for, or pushed because they are better.
    Neighbours {
        /// The swarm.
        swarm: SwarmId,
        /// Peers in it.
        size: u32,
        /// Dial these.
        peers: Vec<Neighbour>,
    },
    /// Handed over from a peer.
    Signal {
        /// The swarm.
        swarm: SwarmId,
        /// The sender, as proved in its hello.
        from: PeerId,
        /// What is handed over.
        #[serde(flatten)]
        signal: Signal,
    },
    /// That peer is not here (any more).
    Gone {
        /// The swarm.
        swarm: SwarmId,
        /// Who is gone.
        peer: PeerId,
    },
    /// What the server fetched.
    Witness {
        /// The asker's id.
        id: u32,
        /// The statement.
        #[serde(flatten)]
        statement: WitnessStatement,
        /// [`WitnessStatement::sign`], base64.
        signature: Base64,
    },
    /// Something asked for was refused. The socket stays open unless a [`FromServer::Goodbye`] follows.
    Error {
        /// What kind of refusal.
        code: ErrorCode,
        /// What to do about it, for a person.
        message: String,
        /// The swarm it is about, if it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        swarm: Option<SwarmId>,
        /// The witness request it answers, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u32>,
        /// Not before this many milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u32>,
    },
    /// The server closes this socket.
    Goodbye {
        /// Why, for a person.
        reason: String,
        /// Connect again after this many milliseconds; already jittered per peer.
        reconnect_after_ms: u32,
    },
    /// Answer to a ping.
    Pong,
}

/// What two peers hand each other to connect (RFC 8829). Relayed unread.
///
/// `connection` is chosen by the dialler and names one attempt, so that late messages of an earlier
/// attempt are told apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Json")]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Signal {
    /// The dialler's description.
    Offer {
        /// The attempt.
        connection: u32,
        /// Session description, at most [`crate::limits::SDP_BYTES_MAX`].
        sdp: String,
        /// [`Description::sign`], base64.
        signature: Base64,
    },
    /// The answerer's description.
    Answer {
        /// The attempt.
        connection: u32,
        /// Session description.
        sdp: String,
        /// [`Description::sign`], base64.
        signature: Base64,
    },
    /// A trickled candidate (RFC 8838).
    Candidate {
        /// The attempt.
        connection: u32,
        /// The candidate line, at most [`crate::limits::CANDIDATE_BYTES_MAX`]; empty: no more.
        candidate: String,
        /// Media identification.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mid: Option<String>,
    },
    /// I do not want this connection (enough neighbours, or you were cut).
    Decline {
        /// The attempt.
        connection: u32,
    },
}

/// A peer to dial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Json")]
pub struct Neighbour {
    /// Its key.
    pub peer: PeerId,
    /// Its region hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// One entry of `RTCConfiguration.iceServers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Json")]
pub struct IceServer {
    /// `stun:` and `turn:` URLs (RFC 7064, RFC 7065).
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// Kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Json")]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    /// Not a message of this protocol, or too long.
    BadMessage,
    /// The proof is not the peer's over our nonce.
    BadProof,
    /// This needs a hello first.
    HelloFirst,
    /// Not in that swarm.
    NotJoined,
    /// A budget is used up; see `retry_after_ms`.
    TooMany,
    /// The site's policy does not allow it (origin, site key, swarm).
    Forbidden,
    /// The witness could not fetch the URL.
    Unfetched,
    /// This server gives no witness.
    NoWitness,
}

/// What a server saw when it fetched a URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Json")]
pub struct WitnessStatement {
    /// The URL fetched.
    pub url: String,
    /// Length of the body.
    pub size_bytes: u32,
    /// SHA-256 of the body.
    pub sha256: Hash,
    /// SHA-256 of each piece of [`crate::limits::PIECE_BYTES`], concatenated, base64.
    pub pieces: Base64,
}

impl WitnessStatement {
    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = WITNESS_CONTEXT.to_vec();
        bytes.extend_from_slice(&u32::try_from(self.url.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(self.url.as_bytes());
        bytes.extend_from_slice(&self.size_bytes.to_be_bytes());
        bytes.extend_from_slice(self.sha256.as_bytes());
        bytes.extend_from_slice(&self.pieces.0);
        bytes
    }

    /// Signs the statement with the server's key.
    pub fn sign(&self, server: &KeyPair) -> Base64 {
        Base64(server.sign(&self.signed_bytes()).to_vec())
    }

    /// Checks that `server` signed it.
    pub fn verify(&self, server: &PeerId, signature: &Base64) -> Result<(), SignatureError> {
        server.verify(&self.signed_bytes(), &signature.0)
    }
}

/// The proof in a hello: a signature over the context and the server's nonce.
pub fn hello_proof(key: &KeyPair, nonce: &Base64) -> Base64 {
    Base64(key.sign(&[HELLO_CONTEXT, &nonce.0].concat()).to_vec())
}

/// Checks the proof in a hello.
pub fn check_hello(peer: &PeerId, nonce: &Base64, proof: &Base64) -> Result<(), SignatureError> {
    peer.verify(&[HELLO_CONTEXT, &nonce.0].concat(), &proof.0)
}

/// What both ends of a connection attempt sign: the server in the middle can't swap the
/// DTLS fingerprints (RFC 8122) without the peers' keys.
#[derive(Debug, Clone, Copy)]
pub struct Description<'a> {
    /// The swarm.
    pub swarm: SwarmId,
    /// Who made the description.
    pub from: PeerId,
    /// For whom.
    pub to: PeerId,
    /// The attempt.
    pub connection: u32,
    /// The session description.
    pub sdp: &'a str,
}

impl Description<'_> {
    /// `None` when the description has no fingerprint, or two that differ.
    fn signed_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = DESCRIPTION_CONTEXT.to_vec();
        bytes.extend_from_slice(self.swarm.as_bytes());
        bytes.extend_from_slice(self.from.as_bytes());
        bytes.extend_from_slice(self.to.as_bytes());
        bytes.extend_from_slice(&self.connection.to_be_bytes());
        bytes.extend_from_slice(fingerprint(self.sdp)?.to_ascii_lowercase().as_bytes());
        Some(bytes)
    }

    /// Signs it with the maker's key; `None` when it has no single fingerprint.
    pub fn sign(&self, key: &KeyPair) -> Option<Base64> {
        Some(Base64(key.sign(&self.signed_bytes()?).to_vec()))
    }

    /// Checks that `from` signed it.
    pub fn verify(&self, signature: &Base64) -> Result<(), SignatureError> {
        let bytes = self.signed_bytes().ok_or(SignatureError)?;
        self.from.verify(&bytes, &signature.0)
    }
}

/// The one `a=fingerprint:` value of a session description.
fn fingerprint(sdp: &str) -> Option<&str> {
    let mut values = sdp.lines().filter_map(|line| line.trim_end().strip_prefix("a=fingerprint:"));
    let first = values.next()?;
    values.all(|other| other.eq_ignore_ascii_case(first)).then_some(first)
}

/// Bytes that are base64 (RFC 4648, section 4, padded) in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Base64(pub Vec<u8>);

impl Serialize for Base64 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use base64::Engine as _;
        serializer.serialize_str(&base64::engine::general_purpose::STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use base64::Engine as _;
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        base64::engine::general_purpose::STANDARD
            .decode(text.as_bytes())
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

mod reading;
#[cfg(test)]
mod tests;
