//! Why a credential or a presentation is refused.

use core::fmt;

use super::NoKey;

/// Why, about in order of check. A closed list: a page has words for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// More bytes or disclosures than [`crate::limits`] allow.
    TooLarge,
    /// Not the form of a credential.
    Form,
    /// The header asks for an extension; none is known.
    Critical,
    /// The header's `typ` is not that of a credential.
    Type,
    /// `none`, a shared secret, an unknown algorithm, or another than the key's.
    Algorithm,
    /// It has no issuer, or its key is not named, or named as another's.
    Issuer,
    /// The issuer's key is not to be had.
    Key(NoKey),
    /// The issuer did not sign this.
    Signature,
    /// A hash for disclosures that is not known, or not safe.
    HashAlgorithm,
    /// A disclosure is not an array of salt, name and value or of salt and value, or one of the wrong
    /// of both for its place.
    DisclosureForm,
    /// A disclosure called `_sd` or `...`.
    ReservedName,
    /// A disclosure given twice.
    DuplicateDisclosure,
    /// A digest that stands in two places.
    DuplicateDigest,
    /// A disclosure that the issuer did not sign.
    Unreferenced,
    /// A disclosure that would replace a claim.
    Overwrites,
    /// A claim was hidden that must not be.
    NeverHidden,
    /// Digests in a place or a form they have not.
    DigestForm,
    /// Deeper than [`crate::limits::JSON_DEPTH_MAX`].
    TooDeep,
    /// A claim is missing.
    Missing(&'static str),
    /// A claim has not the form it must have.
    ClaimForm(&'static str),
    /// Issued in the future, or not valid before then.
    NotYetValid,
    /// It has expired.
    Expired,
    /// A credential of another type than was asked for.
    OtherType,
    /// Not bound to a key.
    NoHolderKey,
    /// Presented without key binding.
    NoKeyBinding,
    /// A key binding where there is nothing to answer.
    UnexpectedKeyBinding,
    /// The key binding is not signed JSON, or lacks a claim.
    KeyBindingForm,
    /// The key binding's `typ` is another.
    KeyBindingType,
    /// The key binding's algorithm is not the holder's key's.
    KeyBindingAlgorithm,
    /// The holder did not sign the key binding.
    KeyBindingSignature,
    /// The answer to another challenge.
    Nonce,
    /// Meant for another verifier.
    Audience,
    /// Presented too long ago.
    Stale,
    /// Presented in the future.
    FromTheFuture,
    /// The key binding is of other disclosures.
    PresentationHash,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the credential is too large",
            Self::Form => "expected a credential, found something else",
            Self::Critical => "the credential needs an extension that is not known",
            Self::Type => "expected the type dc+sd-jwt",
            Self::Algorithm => "the algorithm is not the key's",
            Self::Issuer => "the issuer and its key are not named as one",
            Self::Key(why) => return why.fmt(f),
            Self::Signature => "the issuer did not sign this",
            Self::HashAlgorithm => "the hash of disclosures is not known or not safe",
            Self::DisclosureForm => "a disclosure has a wrong form",
            Self::ReservedName => "a disclosure has a reserved name",
            Self::DuplicateDisclosure => "a disclosure was given twice",
            Self::DuplicateDigest => "a digest stands in two places",
            Self::Unreferenced => "a disclosure is not the issuer's",
            Self::Overwrites => "a disclosure would replace a claim",
            Self::NeverHidden => "a claim was hidden that must not be",
            Self::DigestForm => "digests stand where they must not",
            Self::TooDeep => "the claims are too deep",
            Self::Missing(claim) => return write!(f, "the claim {claim} is missing"),
            Self::ClaimForm(claim) => return write!(f, "the claim {claim} has a wrong form"),
            Self::NotYetValid => "the credential is not yet valid",
            Self::Expired => "the credential has expired",
            Self::OtherType => "the credential is of another type than asked for",
            Self::NoHolderKey => "the credential is not bound to a key",
            Self::NoKeyBinding => "the holder did not prove that it is theirs",
            Self::UnexpectedKeyBinding => "expected no key binding",
            Self::KeyBindingForm => "the key binding has a wrong form",
            Self::KeyBindingType => "expected a key binding of the type kb+jwt",
            Self::KeyBindingAlgorithm => "the key binding's algorithm is not the key's",
            Self::KeyBindingSignature => "the holder did not sign this presentation",
            Self::Nonce => "the presentation answers another challenge",
            Self::Audience => "the presentation is for another verifier",
            Self::Stale => "the presentation is too old",
            Self::FromTheFuture => "the presentation is from the future",
            Self::PresentationHash => "the key binding is of other disclosures",
        })
    }
}

impl core::error::Error for Refusal {}
