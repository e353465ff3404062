//! Credentials whose holder shows part of them: SD-JWT VC (RFC 9901; draft-ietf-oauth-sd-jwt-vc).
//!
//! An issuer signs digests of claims and gives the claims beside them ([`issue()`]). The holder keeps
//! all ([`Credential::open`]) and gives a verifier some, signed together with the verifier's challenge
//! by the key that the credential is bound to ([`Credential::present`]). The verifier learns what was
//! given and that nothing was added ([`verify()`]).
//!
//! Strict where the standard leaves room or libraries do not look: everything that RFC 9901, 7, says
//! must be rejected is refused, each with its own [`Refusal`]; a claim that decides whether a
//! credential holds can't be hidden; a presentation without key binding is none.
//!
//! Not here: whose credentials a verifier takes (it looks at [`Verified::issuer`]), where keys are
//! looked up ([`IssuerKeys`]), whether a credential was revoked ([`crate::status`]), and whether a
//! challenge was used before (the verifier forgets it when it is answered).

mod claims;
mod credential;
mod disclosure;
mod hash;
mod issue;
mod key_binding;
mod path;
mod refusal;
#[cfg(test)]
mod tests;
mod token;
mod unpack;
mod verify;

pub use credential::{Credential, PresentError};
pub use disclosure::Disclosure;
pub use hash::HashAlgorithm;
pub use issue::{CopyFor, IssueError, Template, issue, issue_copies};
pub use key_binding::Challenge;
pub use path::{Path, Step};
pub use refusal::Refusal;
pub use verify::{DidKeys, Expected, IssuerKeys, NoKey, Verified, issuer_said, verify};

/// The media type in the header of a credential.
pub const CREDENTIAL_TYPE: &str = "dc+sd-jwt";
/// The media type in the header of a key binding.
pub const KEY_BINDING_TYPE: &str = "kb+jwt";

/// Claims that are never hidden, for they decide whether a credential holds (draft-ietf-oauth-sd-jwt-vc,
/// 2.2.2.3; `cnf` and `status` with all that is in them).
pub(crate) const NEVER_HIDDEN: [&str; 8] =
    ["iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"];
