//! DIDs in CBOR: a text; the id of a `did:starling` alone: 20 bytes.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use super::{Did, StarlingId};

impl<C> Encode<C> for Did {
    fn encode<W: encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        encoder.str(&self.to_string())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Did {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        decoder.str()?.parse().map_err(|_| decode::Error::message("expected a DID"))
    }
}

impl<C> Encode<C> for StarlingId {
    fn encode<W: encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        encoder.bytes(self.as_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for StarlingId {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bytes = decoder.bytes()?.try_into();
        bytes.map(Self::new).map_err(|_| decode::Error::message("expected 20 bytes"))
    }
}
