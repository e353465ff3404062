//! What blocks of the store hold, sealed or not.

use ::content::{
    Block, Opened,
    share::{Purpose, ShareKey},
};

use super::ContentError;

/// How blocks are opened.
#[derive(Debug, Clone)]
pub enum Opening {
    /// They are as they are.
    Plain,
    /// They are sealed with this key for this.
    Sealed(ShareKey, Purpose),
}

impl Opening {
    /// What a block holds.
    ///
    /// # Errors
    /// It is not sealed with the key.
    pub fn open(&self, block: Block) -> Result<Opened, ContentError> {
        match self {
            Self::Plain => Ok(block.into_opened()),
            Self::Sealed(key, purpose) => {
                let cid = block.cid();
                key.open(&block, *purpose).map_err(|error| ContentError::Sealed { cid, error })
            }
        }
    }
}
