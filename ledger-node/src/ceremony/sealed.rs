//! A share on its way: HPKE (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! ChaCha20-Poly1305. Who sealed it is not proved by this: the file that it lies in is signed.

use hpke::{
    Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _, aead::ChaCha20Poly1305,
    kdf::HkdfSha256, kem::X25519HkdfSha256 as Kem, single_shot_open, single_shot_seal_with_rng,
};

/// Bytes of the sender's key, which come first.
const KEY_BYTES: usize = 32;

/// The key to seal for that belongs to a participant's secret.
pub(crate) fn public(secret: &[u8; 32]) -> [u8; KEY_BYTES] {
    let (_, public) = Kem::derive_keypair(secret);
    public.to_bytes().into()
}

/// Seals for a key. `None`: it is none.
pub(crate) fn seal(
    public: &[u8; KEY_BYTES],
    info: &[u8],
    authenticated: &[u8],
    text: &[u8],
) -> Option<Vec<u8>> {
    let public = <Kem as hpke::Kem>::PublicKey::from_bytes(public).ok()?;
    let sealed = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &public,
        info,
        text,
        authenticated,
        &mut commonware_utils::sys_rng(),
    );
    let (key, sealed) = sealed.ok()?;
    let key: [u8; KEY_BYTES] = key.to_bytes().into();
    Some([&key[..], &sealed[..]].concat())
}

/// Opens what was sealed for this secret's key. `None`: it was not.
pub(crate) fn open(
    secret: &[u8; 32],
    info: &[u8],
    authenticated: &[u8],
    sealed: &[u8],
) -> Option<Vec<u8>> {
    let (key, sealed) = sealed.split_first_chunk::<KEY_BYTES>()?;
    let key = <Kem as hpke::Kem>::EncappedKey::from_bytes(key).ok()?;
    let (secret, _) = Kem::derive_keypair(secret);
    single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeR::Base,
        &secret,
        &key,
        info,
        sealed,
        authenticated,
    )
    .ok()
}
