//! Entropy: `crypto.getRandomValues`.

use primitives::Seed;

use crate::js_error::BrowserError;

/// A fresh secret seed: the key and every choice of one session follow from it.
pub(crate) fn seed() -> Result<Seed, BrowserError> {
    const API: &str = "Crypto.getRandomValues";
    let window = web_sys::window().ok_or_else(|| BrowserError::missing("Window"))?;
    let crypto = window.crypto().map_err(|thrown| BrowserError::thrown(API, &thrown))?;
    let mut bytes = [0; 32];
    crypto
        .get_random_values_with_u8_array(&mut bytes)
        .map_err(|thrown| BrowserError::thrown(API, &thrown))?;
    Ok(Seed::new(bytes))
}
