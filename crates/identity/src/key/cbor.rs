//! Keys in CBOR: a byte string, the code of the kind and the key.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use super::PublicKey;

impl<C> Encode<C> for PublicKey {
    fn encode<W: encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        encoder.bytes(&self.to_prefixed())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for PublicKey {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Self::from_prefixed(decoder.bytes()?).map_err(|_| decode::Error::message("expected a key"))
    }
}
