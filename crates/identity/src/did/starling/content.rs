//! What a DID says.

use core::fmt;

use minicbor::{Decode, Encode};
use primitives::{Hash, sha256};

use crate::{PublicKey, did::Did};

/// Most keys that may change a DID, and most promised ones.
pub(crate) const ROTATION_MAX: usize = 5;
/// Most keys of the document.
const METHODS_MAX: usize = 16;
/// Most services, and most other names.
const SERVICES_MAX: usize = 8;
/// Most guardians.
const GUARDIANS_MAX: usize = 9;
/// Longest id of a key or a service, in bytes.
const ID_BYTES_MAX: usize = 64;
/// Longest address or other name, in bytes.
const TEXT_BYTES_MAX: usize = 256;

/// What a key of the document may be used for: bits.
pub mod purposes {
    /// To prove who is there.
    pub const AUTHENTICATION: u8 = 1;
    /// To issue credentials.
    pub const ASSERTION: u8 = 2;
    /// To be sealed for.
    pub const AGREEMENT: u8 = 4;
    /// To act.
    pub const INVOCATION: u8 = 8;
    /// To let others act.
    pub const DELEGATION: u8 = 16;
    /// All of them.
    pub(super) const ALL: u8 = 31;
    /// What the document calls each.
    pub(in super::super) const NAMES: &[(u8, &str)] = &[
        (AUTHENTICATION, "authentication"),
        (ASSERTION, "assertionMethod"),
        (AGREEMENT, "keyAgreement"),
        (INVOCATION, "capabilityInvocation"),
        (DELEGATION, "capabilityDelegation"),
    ];
}

/// All that a DID says, as of one op.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Content {
    /// Who may change the DID: 1 to 5 keys, the first with the most authority.
    #[n(0)]
    pub rotation: Vec<PublicKey>,
    /// SHA-256 of the keys that may be in `rotation` next, at most 5. None: any may.
    #[n(1)]
    pub next: Vec<Hash>,
    /// Keys of the document, by ascending id, at most 16.
    #[n(2)]
    pub methods: Vec<KeyMethod>,
    /// Where to reach the subject, by ascending id, at most 8.
    #[n(3)]
    pub services: Vec<Service>,
    /// Other names, at most 8. Public for good: nothing personal belongs here.
    #[n(4)]
    pub aliases: Vec<String>,
    /// Who may give the DID new keys when all are lost.
    #[n(5)]
    pub guardians: Option<Guardians>,
}

/// A key of the document.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct KeyMethod {
    /// The fragment: 1 to 64 letters, digits, `-` and `_`.
    #[n(0)]
    pub id: String,
    /// The key.
    #[n(1)]
    pub key: PublicKey,
    /// Bits of [`purposes`], at least one.
    #[n(2)]
    pub purposes: u8,
}

/// Where to reach the subject.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Service {
    /// The fragment, as of a key.
    #[n(0)]
    pub id: String,
    /// What speaks there.
    #[n(1)]
    pub kind: String,
    /// Its address.
    #[n(2)]
    pub endpoint: String,
}

/// Who may give a DID new keys, and how many of them it takes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Guardians {
    /// 1 to the number of members.
    #[n(0)]
    pub threshold: u8,
    /// 1 to 9 of `did:key` or `did:starling`, ascending.
    #[n(1)]
    pub members: Vec<Did>,
}

/// Why a DID can't say this, in order of check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentError {
    /// No key to change the DID, more than 5, or one twice.
    Rotation,
    /// More than 5 promised keys, or one twice.
    Next,
    /// Keys out of order, too many, or with a wrong id or purpose.
    Methods,
    /// Services out of order, too many, too long, or with the id of a key.
    Services,
    /// Too many other names, or too long.
    Aliases,
    /// No guardian, more than 9, out of order, of a method that is not looked up, or a wrong threshold.
    Guardians,
}

impl fmt::Display for ContentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rotation => "expected 1 to 5 keys that change the DID, each once",
            Self::Next => "expected at most 5 promised keys, each once",
            Self::Methods => "expected at most 16 keys with ids in order",
            Self::Services => "expected at most 8 services with ids in order",
            Self::Aliases => "expected at most 8 other names of at most 256 bytes",
            Self::Guardians => "expected 1 to 9 guardians in order and a threshold of 1 to as many",
        })
    }
}

impl core::error::Error for ContentError {}

impl Content {
    /// Whether a DID may say this, and in one form only.
    ///
    /// # Errors
    /// See [`ContentError`].
    pub fn check(&self) -> Result<(), ContentError> {
        check_rotation(&self.rotation, &self.next)?;
        let (methods, services) = (&self.methods, &self.services);
        let good = |method: &KeyMethod| {
            is_id(&method.id) && method.purposes != 0 && method.purposes & !purposes::ALL == 0
        };
        let ordered = methods.is_sorted_by(|one, next| one.id < next.id);
        if methods.len() > METHODS_MAX || !ordered || !methods.iter().all(good) {
            return Err(ContentError::Methods);
        }
        let good = |service: &Service| {
            let own = methods.iter().all(|method| method.id != service.id);
            own && is_id(&service.id) && is_text(&service.kind) && is_text(&service.endpoint)
        };
        let ordered = services.is_sorted_by(|one, next| one.id < next.id);
        if services.len() > SERVICES_MAX || !ordered || !services.iter().all(good) {
            return Err(ContentError::Services);
        }
        if self.aliases.len() > SERVICES_MAX || !self.aliases.iter().all(|name| is_text(name)) {
            return Err(ContentError::Aliases);
        }
        self.guardians.as_ref().map_or(Ok(()), Guardians::check)
    }

    /// What the ledger knows the content by.
    pub fn hash(&self) -> Hash {
        sha256(&minicbor::to_vec(self).expect("encoding into memory does not fail"))
    }
}

impl Guardians {
    fn check(&self) -> Result<(), ContentError> {
        let count = self.members.len();
        let known = |member: &Did| matches!(member, Did::Key(_) | Did::Starling(_));
        let formed = (1..=GUARDIANS_MAX).contains(&count)
            && (1..=count).contains(&usize::from(self.threshold))
            && self.members.is_sorted_by(|one, next| one < next)
            && self.members.iter().all(known);
        if formed { Ok(()) } else { Err(ContentError::Guardians) }
    }
}

/// What a key is promised by: SHA-256 of its code and bytes.
pub fn promise(key: &PublicKey) -> Hash {
    sha256(&key.to_prefixed())
}

/// Checks who may change a DID now and next.
pub(crate) fn check_rotation(rotation: &[PublicKey], next: &[Hash]) -> Result<(), ContentError> {
    if !(1..=ROTATION_MAX).contains(&rotation.len()) || !each_once(rotation) {
        return Err(ContentError::Rotation);
    }
    if next.len() > ROTATION_MAX || !each_once(next) { Err(ContentError::Next) } else { Ok(()) }
}

fn each_once<T: PartialEq>(list: &[T]) -> bool {
    list.iter().enumerate().all(|(at, one)| !list[..at].contains(one))
}

fn is_id(id: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(letter)
}

fn is_text(text: &str) -> bool {
    let visible = text.chars().all(|letter| !letter.is_control() && letter != ' ');
    (1..=TEXT_BYTES_MAX).contains(&text.len()) && visible
}
