//! SHA-256 by the browser, which is three times as fast at it as WebAssembly; by us where a page has no
//! WebCrypto (plain HTTP).

use files::content::{Block, Candidate, Cid};
use js_sys::Uint8Array;
use primitives::{Hash, sha256};
use wasm_bindgen_futures::JsFuture;

/// The digest of these bytes.
pub(super) async fn digest(bytes: &[u8]) -> Hash {
    match by_browser(bytes).await {
        Some(hash) => hash,
        None => sha256(bytes),
    }
}

async fn by_browser(bytes: &[u8]) -> Option<Hash> {
    let crypto = web_sys::window()?.crypto().ok()?;
    // Absent outside of secure contexts, whatever the type says.
    let subtle = js_sys::Reflect::get(&crypto, &"subtle".into()).ok()?;
    if subtle.is_undefined() {
        return None;
    }
    // It takes its copy of the bytes before it returns.
    let digesting = crypto.subtle().digest_with_str_and_u8_array("SHA-256", bytes).ok()?;
    let answer = JsFuture::from(digesting).await.ok()?;
    let bytes: [u8; 32] = Uint8Array::new(&answer).to_vec().try_into().ok()?;
    Some(Hash::new(bytes))
}

/// The block of this name, if the bytes are it.
pub(super) async fn block(cid: Cid, bytes: Vec<u8>) -> Option<Block> {
    let digest = digest(&bytes).await;
    Candidate { cid, bytes }.verify_digest(digest).ok()
}
