//! How a peer reads what a server says.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Base64, ErrorCode, FromServer, IceServer, Neighbour, Signal, WitnessStatement};
use crate::json::{Field, Fields, Json, Mismatch};

impl TryFrom<Json> for FromServer {
    type Error = Mismatch;

    fn try_from(json: Json) -> Result<Self, Mismatch> {
        let mut fields = Fields::of(json)?;
        let kind: String = fields.take("type")?;
        Ok(match kind.as_str() {
            "challenge" => Self::Challenge {
                version: fields.take("version")?,
                nonce: fields.take("nonce")?,
                server: fields.take("server")?,
            },
            "welcome" => Self::Welcome {
                resume: fields.take("resume")?,
                lease_ms: fields.take("lease_ms")?,
                resumed: fields.take("resumed")?,
                ping_ms: fields.take("ping_ms")?,
                ice_servers: fields.take_or_default("ice_servers")?,
            },
            "joined" => Self::Joined {
                swarm: fields.take("swarm")?,
                size: fields.take("size")?,
                peers: fields.take("peers")?,
                relay_only: fields.take_or_default("relay_only")?,
            },
            "neighbours" => Self::Neighbours {
                swarm: fields.take("swarm")?,
                size: fields.take("size")?,
                peers: fields.take("peers")?,
            },
            "signal" => Self::Signal {
                swarm: fields.take("swarm")?,
                from: fields.take("from")?,
                signal: signal(&mut fields)?,
            },
            "gone" => Self::Gone { swarm: fields.take("swarm")?, peer: fields.take("peer")? },
            "witness" => Self::Witness {
                id: fields.take("id")?,
                signature: fields.take("signature")?,
                statement: statement(&mut fields)?,
            },
            "error" => Self::Error {
                code: fields.take("code")?,
                message: fields.take("message")?,
                swarm: fields.take("swarm")?,
                id: fields.take("id")?,
                retry_after_ms: fields.take("retry_after_ms")?,
            },
            "goodbye" => Self::Goodbye {
                reason: fields.take("reason")?,
                reconnect_after_ms: fields.take("reconnect_after_ms")?,
            },
            "pong" => Self::Pong,
            _ => return Err(Mismatch("type")),
        })
    }
}

fn signal(fields: &mut Fields) -> Result<Signal, Mismatch> {
    let kind: String = fields.take("kind")?;
    let connection = fields.take("connection");
    Ok(match kind.as_str() {
        "offer" => Signal::Offer {
            connection: connection?,
            sdp: fields.take("sdp")?,
            signature: fields.take("signature")?,
        },
        "answer" => Signal::Answer {
            connection: connection?,
            sdp: fields.take("sdp")?,
            signature: fields.take("signature")?,
        },
        "candidate" => Signal::Candidate {
            connection: connection?,
            candidate: fields.take("candidate")?,
            mid: fields.take("mid")?,
        },
        "decline" => Signal::Decline { connection: connection? },
        _ => return Err(Mismatch("kind")),
    })
}

fn statement(fields: &mut Fields) -> Result<WitnessStatement, Mismatch> {
    Ok(WitnessStatement {
        url: fields.take("url")?,
        size_bytes: fields.take("size_bytes")?,
        sha256: fields.take("sha256")?,
        pieces: fields.take("pieces")?,
    })
}

impl TryFrom<Json> for Signal {
    type Error = Mismatch;

    fn try_from(json: Json) -> Result<Self, Mismatch> {
        signal(&mut Fields::of(json)?)
    }
}

impl TryFrom<Json> for WitnessStatement {
    type Error = Mismatch;

    fn try_from(json: Json) -> Result<Self, Mismatch> {
        statement(&mut Fields::of(json)?)
    }
}

impl TryFrom<Json> for Neighbour {
    type Error = Mismatch;

    fn try_from(json: Json) -> Result<Self, Mismatch> {
        let mut fields = Fields::of(json)?;
        Ok(Self { peer: fields.take("peer")?, region: fields.take("region")? })
    }
}

impl TryFrom<Json> for IceServer {
    type Error = Mismatch;

    fn try_from(json: Json) -> Result<Self, Mismatch> {
        let mut fields = Fields::of(json)?;
        Ok(Self {
            urls: fields.take("urls")?,
            username: fields.take("username")?,
            credential: fields.take("credential")?,
        })
    }
}

impl TryFrom<Json> for ErrorCode {
    type Error = Mismatch;

    fn try_from(json: Json) -> Result<Self, Mismatch> {
        let text = String::from_json(json).ok_or(Mismatch("code"))?;
        Ok(match text.as_str() {
            "bad-message" => Self::BadMessage,
            "bad-proof" => Self::BadProof,
            "hello-first" => Self::HelloFirst,
            "not-joined" => Self::NotJoined,
            "too-many" => Self::TooMany,
            "forbidden" => Self::Forbidden,
            "unfetched" => Self::Unfetched,
            "no-witness" => Self::NoWitness,
            _ => return Err(Mismatch("code")),
        })
    }
}

impl Field for Neighbour {
    fn from_json(json: Json) -> Option<Self> {
        json.try_into().ok()
    }
}

impl Field for IceServer {
    fn from_json(json: Json) -> Option<Self> {
        json.try_into().ok()
    }
}

impl Field for ErrorCode {
    fn from_json(json: Json) -> Option<Self> {
        json.try_into().ok()
    }
}

impl Field for Base64 {
    fn from_json(json: Json) -> Option<Self> {
        STANDARD.decode(String::from_json(json)?).map(Self).ok()
    }
}
