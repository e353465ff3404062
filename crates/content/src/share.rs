//! What one person sends another: a link, a manifest, encrypted blocks.
//!
//! ```text
//! link      #/get/<CID of the manifest>?k=<key>        k, or p with a password
//!   manifest    a file of blocks sealed as manifest: names, sizes, types, the content's root
//!     content   blocks sealed as content
//! ```
//!
//! A public share has neither key nor manifest: its link names the content itself, and any IPFS tool
//! reads it.
//!
//! Who sees what: the link is in the fragment, which browsers send to nobody. Whoever carries blocks
//! sees their number, sizes and who asks for them, not what they hold; not even which links which.

mod key;
mod link;
mod manifest;
mod password;

pub use key::{OpenError, Purpose, Sealer, ShareKey};
pub use link::{LinkError, Secret, ShareLink};
pub use manifest::{Cipher, EntryKind, ManifestError, ShareEntry, ShareManifest};
pub use password::{PasswordCost, PasswordError, PasswordLock};

#[cfg(test)]
mod tests;
