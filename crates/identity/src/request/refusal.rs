//! Why a question is not answered.

use core::fmt;

use crate::{dcql::QueryError, jws::JwsError, sd_jwt::NoKey};

/// Why, about in order of check. A closed list: a page has words for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestRefusal {
    /// More bytes than [`crate::limits::REQUEST_BYTES_MAX`].
    TooLarge,
    /// Not signed JSON.
    Form,
    /// The header asks for an extension; none is known.
    Critical,
    /// The header's `typ` is not that of a request.
    Type,
    /// `none`, an unknown algorithm, or another than the key's.
    Algorithm,
    /// The verifier is not named by a DID, or its key is not named as its own.
    Verifier,
    /// The verifier's key is not to be had.
    Key(NoKey),
    /// The verifier did not sign this.
    Signature,
    /// Signed in the future.
    FromTheFuture,
    /// It is not answered any more.
    Expired,
    /// It could be answered for longer than [`crate::limits::REQUEST_LIFE_S_MAX`].
    LongLived,
    /// Not for any wallet.
    ForOthers,
    /// A member is missing.
    Missing(&'static str),
    /// A member has not the form it must have, or is too long.
    MemberForm(&'static str),
    /// Something that changes what is signed and is not known here.
    Unsupported(&'static str),
    /// A nonce that could be guessed.
    ShortNonce,
    /// What is asked for can't be read.
    Query(QueryError),
}

impl fmt::Display for RequestRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the request is too large",
            Self::Form => "expected a signed request, found something else",
            Self::Critical => "the request needs an extension that is not known",
            Self::Type => "expected the type oauth-authz-req+jwt",
            Self::Algorithm => "the algorithm is not the key's",
            Self::Verifier => "the verifier and its key are not named as one DID",
            Self::Key(why) => return write!(f, "the verifier's key: {why}"),
            Self::Signature => "who is named as the verifier did not sign this request",
            Self::FromTheFuture => "the request is from the future",
            Self::Expired => "the request has expired",
            Self::LongLived => "the request could be answered for too long",
            Self::ForOthers => "the request is for another wallet",
            Self::Missing(member) => return write!(f, "{member} is missing in the request"),
            Self::MemberForm(member) => {
                return write!(f, "{member} in the request has a wrong form");
            }
            Self::Unsupported(member) => {
                return write!(f, "{member} in a request is not known here");
            }
            Self::ShortNonce => "the request's nonce is too short to be random",
            Self::Query(why) => return why.fmt(f),
        })
    }
}

impl core::error::Error for RequestRefusal {}

impl From<JwsError> for RequestRefusal {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::Form => Self::Form,
            JwsError::Critical => Self::Critical,
            JwsError::Type => Self::Type,
            JwsError::Algorithm => Self::Algorithm,
            JwsError::Signature => Self::Signature,
        }
    }
}
