//! Funds: JSON over HTTP between viewers and whoever pays those of them that upload
//! (`docs/spec/payments.md`, "Funds").
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET` | none | [`Terms`] |
//! | `POST` | [`Report`] | [`Told`] |
//!
//! What is signed is a text as it came, so that nobody has to write the same JSON twice.

use primitives::{Hash, PeerId, Signature, SignatureError, SwarmId};
use serde::{Deserialize, Serialize};

use crate::signaling::Base64;

/// Largest report, in bytes.
pub const REPORT_BYTES_MAX: usize = 8 << 10;
/// Most senders that one report names, and that one viewer names in an hour.
pub const GIVERS_MAX: usize = 64;
/// A viewer reports so often, in seconds.
pub const REPORT_EVERY_S: u32 = 15;
/// Context of a report's signature, put before what is said.
const CONTEXT: &[u8] = b"starling-receipt-v1\0";

/// What a fund pays for, and what a report must name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// On which ledger: its chain.
    pub chain: Hash,
    /// From which pool.
    pub pool: u64,
    /// Which hour of the fund it is. Counts begin anew with another.
    pub session: Hash,
    /// Units for a MiB that another viewer received.
    pub per_mib: u64,
    /// How often to report, in seconds.
    pub every_s: u32,
}

/// What a viewer says, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Who says it.
    pub peer: PeerId,
    /// A [`Said`] as JSON text.
    pub said: String,
    /// Ed25519 by `peer` over [`to_sign`] of `said`.
    pub signature: Base64,
}

/// What is in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// As in the [`Terms`].
    pub chain: Hash,
    /// As in the [`Terms`].
    pub pool: u64,
    /// As in the [`Terms`].
    pub session: Hash,
    /// In which swarm.
    pub swarm: SwarmId,
    /// The account to pay for what this viewer sends; none: it does not want to be paid.
    #[serde(default)]
    pub account: Option<Hash>,
    /// Verified bytes from each sender since the session began. At most [`GIVERS_MAX`].
    pub from: Vec<(PeerId, u64)>,
}

/// What the one who reported has, in units as decimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Earned from this fund since its process began.
    pub earned: String,
    /// Of it, paid into the account.
    pub paid: String,
    /// The newest promise: anybody may hand it to the ledger.
    pub voucher: Option<Promised>,
}

/// A voucher of the domain `paypool`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promised {
    /// Of which pool.
    pub pool: u64,
    /// To which account.
    pub payee: Hash,
    /// Of which of its lanes.
    pub epoch: u32,
    /// Units in all, as decimal digits.
    pub cumulative: String,
    /// By the pool's voucher key.
    pub signature: Base64,
}

/// What a report's signature is over.
pub fn to_sign(said: &str) -> Vec<u8> {
    [CONTEXT, said.as_bytes()].concat()
}

impl Terms {
    /// A fund's answer.
    pub fn read(answer: &[u8]) -> Option<Self> {
        serde_json::from_slice(answer).ok()
    }
}

impl Said {
    /// As it is signed.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("ids and numbers are JSON")
    }
}

impl Report {
    /// A report by the owner of a key: `sign` gives its signature over bytes.
    pub fn make(peer: PeerId, said: &Said, sign: impl FnOnce(&[u8]) -> Signature) -> Self {
        let said = said.to_text();
        let signature = Base64(sign(&to_sign(&said)).to_vec());
        Self { peer, said, signature }
    }

    /// Its text.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("ids and texts are JSON")
    }

    /// Reads a report and what is in it. Nothing is checked but its form.
    pub fn read(body: &[u8]) -> Option<(Self, Said)> {
        if body.len() > REPORT_BYTES_MAX {
            return None;
        }
        let report: Self = serde_json::from_slice(body).ok()?;
        let said: Said = serde_json::from_str(&report.said).ok()?;
        (said.from.len() <= GIVERS_MAX).then_some((report, said))
    }

    /// Checks that who says it signed it.
    ///
    /// # Errors
    /// The signature is not over what is said.
    pub fn verify(&self) -> Result<(), SignatureError> {
        self.peer.verify(&to_sign(&self.said), &self.signature.0)
    }
}

#[cfg(test)]
mod tests {
    use primitives::{KeyPair, Seed};

    use super::*;

    fn said(givers: u64) -> Said {
        let giver = |number| (KeyPair::from_seed(Seed::from_number(number)).id(), number);
        Said {
            chain: Hash::new([1; 32]),
            pool: u64::MAX,
            session: Hash::new([2; 32]),
            swarm: SwarmId::new([3; 32]),
            account: Some(Hash::new([4; 32])),
            from: (0..givers).map(giver).collect(),
        }
    }

    fn report(said: &Said) -> Report {
        let key = KeyPair::from_seed(Seed::from_number(900));
        Report::make(key.id(), said, |bytes| key.sign(bytes))
    }

    #[test]
    fn what_is_said_is_read_and_only_the_signer_said_it() {
        let said = said(64);
        let body = report(&said).to_json();
        assert!(body.len() <= REPORT_BYTES_MAX, "{}", body.len());
        let (read, what) = Report::read(&body).unwrap();
        assert_eq!((read.verify(), what), (Ok(()), said));
        let other = Report { said: read.said.replace("\"pool\":1", "\"pool\":2"), ..read.clone() };
        assert_eq!(other.verify(), Err(SignatureError));
        let peer = KeyPair::from_seed(Seed::from_number(901)).id();
        assert_eq!(Report { peer, ..read }.verify(), Err(SignatureError));
    }

    #[test]
    fn too_much_and_too_many_are_not_read() {
        let long = Report { said: "x".repeat(REPORT_BYTES_MAX), ..report(&said(0)) };
        assert_eq!(Report::read(&long.to_json()), None);
        assert_eq!(Report::read(&report(&said(65)).to_json()), None);
        assert_eq!(Report::read(b"{}"), None);
        let negative = report(&said(1)).said.replace(",0]", ",-1]");
        let report = Report { said: negative, ..report(&said(1)) };
        assert_eq!(Report::read(&report.to_json()), None);
    }

    /// As `static/fund/reports.js` writes it.
    #[test]
    fn a_report_without_an_account_is_one() {
        let zero = "0".repeat(64);
        let text = format!(
            r#"{{"chain":"{zero}","pool":1,"session":"{zero}","swarm":"{zero}","from":[["{zero}",5]]}}"#
        );
        let read: Said = serde_json::from_str(&text).unwrap();
        assert_eq!((read.account, read.from.len()), (None, 1));
    }
}
