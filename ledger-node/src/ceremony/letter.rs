//! What participants hand to each other: text in files, signed by whose it is, bound to one ceremony.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use commonware_codec::{Copying, DecodeExt as _, Encode};
use commonware_cryptography::{
    Signer as _, Verifier as _,
    ed25519::{PrivateKey, Signature},
};
use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::error::{Kind, LetterFault};
use super::{NAMESPACE, Round, is_name, sealed};
use crate::header::PublicKey;

/// Who takes part, as they say themselves: file `NAME.join.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    /// What the others call them.
    pub(crate) name: String,
    /// Their validator's Ed25519 key, in hexadecimal.
    pub(crate) key: String,
    /// Where it will listen for the others.
    pub(crate) address: SocketAddr,
    /// The X25519 key that is sealed for, in hexadecimal.
    pub(crate) encryption: String,
    /// All this, signed by the key; in hexadecimal.
    signature: String,
}

/// What a dealer deals: file `NAME.dealing.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dealing {
    /// The public half of it, as the engine writes it, in hexadecimal.
    pub(crate) commitment: String,
    /// By player: their half, sealed, in hexadecimal.
    pub(crate) sealed: BTreeMap<String, String>,
}

/// Whose dealings a player has: file `NAME.acks.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acks {
    /// By dealer: the player's signature of the dealing's public half, in hexadecimal.
    pub(crate) acks: BTreeMap<String, String>,
}

/// A dealer's last word: file `NAME.log.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    /// The dealing's public half, and for each player what they signed or their share in the open: as the
    /// engine writes and signs it, in hexadecimal.
    pub(crate) log: String,
}

/// What a letter says.
pub(crate) trait Body: Serialize + DeserializeOwned {
    const KIND: Kind;
}

impl Body for Dealing {
    const KIND: Kind = Kind::Dealing;
}

impl Body for Acks {
    const KIND: Kind = Kind::Acks;
}

impl Body for Log {
    const KIND: Kind = Kind::Log;
}

/// A signed file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Letter<B> {
    /// Digest of the ceremony, in hexadecimal.
    ceremony: String,
    /// Whose it is: an Ed25519 key, in hexadecimal.
    from: String,
    /// Kind, ceremony, key and body, signed by the key; in hexadecimal.
    signature: String,
    pub(crate) body: B,
}

/// Bytes in hexadecimal.
pub(crate) fn bytes(text: &str) -> Result<Vec<u8>, LetterFault> {
    HEX.decode(text.as_bytes()).map_err(|_| LetterFault::Form)
}

/// A value of the engine in hexadecimal.
pub(crate) fn hex(value: &impl Encode) -> String {
    HEX.encode(&value.encode())
}

/// What is signed: an array, so that nothing runs into what follows it.
fn message(parts: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(parts).expect("plain text is written to memory")
}

fn is_signed(key: &PublicKey, message: &[u8], signature: &str) -> Result<(), LetterFault> {
    let signature = Signature::decode(Copying(&bytes(signature)?[..]));
    let signature = signature.map_err(|_| LetterFault::Form)?;
    if key.verify(NAMESPACE, message, &signature) { Ok(()) } else { Err(LetterFault::Signature) }
}

impl Member {
    /// Who joins with these secrets.
    pub(crate) fn new(
        name: &str,
        address: SocketAddr,
        key: &PrivateKey,
        secret: &[u8; 32],
    ) -> Self {
        let mut member = Self {
            name: name.to_owned(),
            key: hex(&key.public_key()),
            address,
            encryption: HEX.encode(&sealed::public(secret)),
            signature: String::new(),
        };
        member.signature = hex(&key.sign(NAMESPACE, &member.message()));
        member
    }

    fn message(&self) -> Vec<u8> {
        message(&(Kind::Join.to_string(), &self.name, &self.key, self.address, &self.encryption))
    }

    /// Their keys, if they say so themselves: the validator's, and the one to seal for.
    pub(crate) fn keys(&self) -> Result<(PublicKey, [u8; 32]), LetterFault> {
        let key = PublicKey::decode(Copying(&bytes(&self.key)?[..]));
        let key = key.map_err(|_| LetterFault::Form)?;
        let encryption = bytes(&self.encryption)?.try_into().map_err(|_| LetterFault::Form)?;
        if !is_name(&self.name) {
            return Err(LetterFault::Form);
        }
        is_signed(&key, &self.message(), &self.signature)?;
        Ok((key, encryption))
    }

    pub(crate) fn to_text(&self) -> String {
        toml::to_string(self).expect("plain text is written to memory")
    }
}

impl<B: Body> Letter<B> {
    pub(crate) fn sign(round: &Round, key: &PrivateKey, body: B) -> Self {
        let (ceremony, from) = (round.digest.to_string(), hex(&key.public_key()));
        let message = message(&(B::KIND.to_string(), &ceremony, &from, &body));
        let signature = hex(&key.sign(NAMESPACE, &message));
        Self { ceremony, from, signature, body }
    }

    /// What somebody says in a ceremony.
    ///
    /// # Errors
    /// In order: [`LetterFault::Form`], [`LetterFault::Foreign`], [`LetterFault::Signature`].
    pub(crate) fn read(text: &str, round: &Round, from: &PublicKey) -> Result<B, LetterFault> {
        let letter: Self = toml::from_str(text).map_err(|_| LetterFault::Form)?;
        if letter.ceremony != round.digest.to_string() {
            return Err(LetterFault::Foreign);
        }
        if letter.from != hex(from) {
            return Err(LetterFault::Signature);
        }
        let Self { ceremony, from: said, signature, body } = letter;
        let message = message(&(B::KIND.to_string(), &ceremony, &said, &body));
        is_signed(from, &message, &signature)?;
        Ok(body)
    }

    pub(crate) fn to_text(&self) -> String {
        toml::to_string(self).expect("plain text is written to memory")
    }
}
