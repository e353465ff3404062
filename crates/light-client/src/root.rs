//! What everything is checked against.

use core::{fmt, str::FromStr};

use primitives::Hash;

/// Bytes of the group key.
const KEY_BYTES: usize = 96;
/// What the text begins with: the form's version.
const TEXT_BEGIN: &str = "starling-ledger-1-";

/// Why a text is no trust root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootError {
    /// Not of the form.
    Form,
    /// The key is no point of the group, or the one at infinity.
    Key,
}

impl fmt::Display for RootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "not a trust root",
            Self::Key => "the trust root's key is no key",
        })
    }
}

impl core::error::Error for RootError {}

/// Which ledger, and the key under which its certificates hold: what a page or a link pins.
///
/// As text: `starling-ledger-1-`, then 256 hexadecimal digits: chain (32 bytes), key (96 bytes).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TrustRoot {
    /// The ledger's name: the hash of its genesis.
    pub chain: Hash,
    /// The validators' shared key, compressed.
    pub group_key: [u8; KEY_BYTES],
}

impl fmt::Display for TrustRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{TEXT_BEGIN}{}", self.chain)?;
        self.group_key.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TrustRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for TrustRoot {
    type Err = RootError;

    fn from_str(text: &str) -> Result<Self, RootError> {
        let digits = text.strip_prefix(TEXT_BEGIN).ok_or(RootError::Form)?;
        let (chain, key) = digits.split_at_checked(64).ok_or(RootError::Form)?;
        let chain = chain.parse().map_err(|_| RootError::Form)?;
        let mut group_key = [0; KEY_BYTES];
        if key.len() != KEY_BYTES * 2 || !key.is_ascii() {
            return Err(RootError::Form);
        }
        for (place, byte) in group_key.iter_mut().enumerate() {
            let pair = key.get(place * 2..place * 2 + 2).ok_or(RootError::Form)?;
            if !pair.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit)) {
                return Err(RootError::Form);
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| RootError::Form)?;
        }
        Ok(Self { chain, group_key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_has_one_text() {
        let root = TrustRoot { chain: Hash::new([0xab; 32]), group_key: [0x0c; 96] };
        let text = root.to_string();
        assert_eq!(text.parse(), Ok(root));
        assert_eq!(text.len(), 18 + 256);
        for bad in
            [&text[1..], &text[..text.len() - 1], &text.to_uppercase(), "", "starling-ledger-1-é"]
        {
            assert_eq!(bad.parse::<TrustRoot>(), Err(RootError::Form), "{bad}");
        }
    }
}
