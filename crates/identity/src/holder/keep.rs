//! What is kept of a person's credentials.

use minicbor::{Decode, Encode};

use super::{Held, Holder, card_of};
use crate::{
    PublicKey,
    limits::{HELD_BYTES_MAX, HELD_MAX, TYPES_MAX},
    sd_jwt::{Credential, IssuerKeys, NoKey},
};

/// The version of the form.
const VERSION: u8 = 1;

#[derive(Encode, Decode)]
struct Written {
    #[n(0)]
    version: u8,
    #[n(1)]
    copies: Vec<OneCopy>,
    /// Types, and how many keys of each were given out.
    #[n(2)]
    given: Vec<(String, u32)>,
    /// The number of the first copy of each type; none: 0.
    #[n(3)]
    first: Option<u32>,
}

#[derive(Encode, Decode)]
struct OneCopy {
    #[n(0)]
    text: String,
    #[n(1)]
    copy: u32,
    #[n(2)]
    issuer_key: PublicKey,
    #[n(3)]
    added_s: u64,
    #[n(4)]
    shown: u32,
}

impl Holder {
    /// As bytes, to be kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        let copy = |held: &Held| OneCopy {
            text: held.text.clone(),
            copy: held.copy,
            issuer_key: held.issuer_key,
            added_s: held.added_s,
            shown: held.shown,
        };
        let copies = self.held.iter().map(copy).collect();
        let given = self.given.iter().map(|(name, count)| (name.clone(), *count)).collect();
        let first = Some(self.first);
        let written = Written { version: VERSION, copies, given, first };
        minicbor::to_vec(&written).expect("encoding into memory does not fail")
    }

    /// From bytes that were kept; none: they are no such thing. A credential is read as on the day it came
    /// and with the issuer's key of then: what expired is still shown as expired, without a network.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let written: Written =
            minicbor::decode(bytes).ok().filter(|_| bytes.len() <= HELD_BYTES_MAX)?;
        let Written { version, copies, given, first } = written;
        if version != VERSION || copies.len() > HELD_MAX || given.len() > TYPES_MAX {
            return None;
        }
        let held = copies.into_iter().map(held).collect::<Option<_>>()?;
        Some(Self { held, first: first.unwrap_or_default(), given: given.into_iter().collect() })
    }
}

fn held(copy: OneCopy) -> Option<Held> {
    let OneCopy { text, copy, issuer_key, added_s, shown } = copy;
    let credential = Credential::open(&text, &Known(issuer_key), added_s).ok()?;
    let card = card_of(credential.contents());
    Some(Held { credential, text, copy, issuer_key, added_s, shown, card })
}

/// The key that was found when the credential came.
struct Known(PublicKey);

impl IssuerKeys for Known {
    fn key(&self, _: &str, _: &str, _: Option<u64>) -> Result<PublicKey, NoKey> {
        Ok(self.0)
    }
}
