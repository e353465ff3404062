//! Buffers outside of our memory, given back at once.

use js_sys::{ArrayBuffer, Uint8Array};

/// The bytes of a buffer that nobody else has.
pub(crate) fn taken(buffer: &ArrayBuffer) -> Vec<u8> {
    let bytes = Uint8Array::new(buffer).to_vec();
    free(buffer);
    bytes
}

/// Gives the bytes back now: collectors count what lies outside of their heap late, V8 every 64 MiB or so.
pub(crate) fn free(buffer: &ArrayBuffer) {
    // A browser without `ArrayBuffer.transfer` collects it later.
    drop(buffer.transfer_with_length(0));
}
