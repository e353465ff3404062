//! Keys of meters, made of the account's seed: who has the account has its meters, and there is nothing
//! else to lose. A key signs for one community; which, the ledger says.

use ledger::{
    AccountId, ChainId,
    domains::energy::{Opened, Opening, Reading, meter_proof},
};
use primitives::{Hash, KeyPair, PeerId, Seed, sha256};

use crate::explain;

/// Keys of one account: as many as a community takes of one member.
pub(crate) const DEVICES_MAX: u8 = 8;
/// What a key's seed is the hash of, before the account's.
const KEY: &[u8] = b"starling/wallet/meter-key/1";
/// What a salt is the hash of, before the key's seed.
const SALT: &[u8] = b"starling/wallet/meter-salt/1";
/// What the secret of a letter is the hash of, before the key's seed.
const LETTER: &[u8] = b"starling/wallet/meter-letter/1";

/// An account's meters.
pub(crate) struct Devices {
    seeds: Vec<[u8; 32]>,
    names: Vec<String>,
}

/// Without the seeds: what is printed is read by others.
impl core::fmt::Debug for Devices {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Devices").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Devices {
    /// Those of an account on a ledger.
    pub(crate) fn new(seed: &[u8; 32], chain: ChainId) -> Self {
        let seed_of = |number: u8| sha256(&[KEY, seed, chain.as_bytes(), &[number]].concat());
        let seeds: Vec<[u8; 32]> = (0..DEVICES_MAX).map(|one| *seed_of(one).as_bytes()).collect();
        let names = seeds.iter().map(|seed| explain::hex(key(seed).id().as_bytes())).collect();
        Self { seeds, names }
    }

    /// Public keys, hexadecimal.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    fn seed(&self, device: u8) -> Option<&[u8; 32]> {
        self.seeds.get(usize::from(device))
    }

    /// A meter's public key, and its word that this account brings it.
    pub(crate) fn bring(
        &self,
        device: u8,
        chain: ChainId,
        community: u32,
        owner: AccountId,
    ) -> Option<(PeerId, [u8; 64])> {
        let key = key(self.seed(device)?);
        Some((key.id(), key.sign(&meter_proof(chain, community, owner))))
    }

    /// A reading, committed to and signed.
    pub(crate) fn sign(&self, device: u8, chain: ChainId, said: &Reading) -> Option<Reading> {
        let seed = self.seed(device)?;
        let place = ((said.community, said.meter), (said.slot, said.revision));
        let commitment = opening(seed, said).commitment();
        let content = ledger::domains::energy::Content { commitment, ..said.content };
        Some(Reading::sign(&key(seed), chain, place.0, place.1, content))
    }

    /// The file of a letter to `readers`: a reading as it was signed, and what it commits to. None: there is no
    /// such key, or it commits to something else, so that this key did not sign it. Else who settles disputes
    /// would have two words of one slot.
    pub(crate) fn seal(
        &self,
        device: u8,
        chain: ChainId,
        said: &Reading,
        readers: &[[u8; 32]],
    ) -> Option<Sealed> {
        let seed = self.seed(device)?;
        let reading = self.sign(device, chain, said)?;
        if said.content.commitment != reading.content.commitment {
            return None;
        }
        let opened = Opened { opening: opening(seed, said), reading };
        // Of what is in it and of who reads it, so that no secret seals two things.
        let digest = opened.digest();
        let secret = sha256(&[LETTER, seed, digest.as_bytes(), readers.as_flattened()].concat());
        let bytes = opened.seal(readers, chain, Seed::new(*secret.as_bytes())).ok()?;
        Some(Sealed { name: opened.file_name(), bytes })
    }
}

/// A letter's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

fn key(seed: &[u8; 32]) -> KeyPair {
    KeyPair::from_seed(Seed::new(*seed))
}

/// What a reading commits to. The salt follows from the key and the slot, so that it can be opened for a
/// dispute without having been kept. The registers are what was read in all: a file has no others.
fn opening(seed: &[u8; 32], said: &Reading) -> Opening {
    let salt: Hash = sha256(
        &[
            SALT,
            seed,
            &said.community.to_be_bytes(),
            &said.meter.to_be_bytes(),
            &said.slot.to_be_bytes(),
            &[said.revision],
        ]
        .concat(),
    );
    Opening {
        salt: *salt.as_bytes(),
        import_wh: said.content.import_wh,
        export_wh: said.content.export_wh,
        import_register_wh: said.content.import_total_wh,
        export_register_wh: said.content.export_total_wh,
    }
}

#[cfg(test)]
mod tests {
    use identity::grant::Recipient;
    use ledger::domains::energy::Content;

    use super::*;

    const CHAIN: ChainId = ChainId::new([7; 32]);

    fn said(slot: u64) -> Reading {
        let content = Content {
            import_wh: 10,
            export_wh: 3,
            import_total_wh: 110,
            export_total_wh: 33,
            commitment: Hash::new([0; 32]),
        };
        Reading { community: 1, meter: 4, slot, revision: 0, content, signature: [0; 64] }
    }

    #[test]
    fn keys_differ_by_account_ledger_and_number_and_come_again() {
        let [mine, again] = [Devices::new(&[1; 32], CHAIN), Devices::new(&[1; 32], CHAIN)];
        assert_eq!(mine.names(), again.names());
        let other = Devices::new(&[2; 32], CHAIN);
        let elsewhere = Devices::new(&[1; 32], ChainId::new([8; 32]));
        let mut all = [mine.names(), other.names(), elsewhere.names()].concat();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 3 * usize::from(DEVICES_MAX));
    }

    #[test]
    fn a_reading_is_signed_by_its_meter_and_opens_to_what_it_says() {
        let devices = Devices::new(&[1; 32], CHAIN);
        let signed = devices.sign(2, CHAIN, &said(5)).unwrap();
        let (key, _) = devices.bring(2, CHAIN, 1, AccountId::new([3; 32])).unwrap();
        assert!(signed.verify(CHAIN, key).is_ok());
        assert_eq!(signed.content.import_wh, 10);
        let seed = devices.seed(2).unwrap();
        assert_eq!(opening(seed, &signed).commitment(), signed.content.commitment);
        let later = devices.sign(2, CHAIN, &said(6)).unwrap();
        assert_ne!(later.content.commitment, signed.content.commitment, "same Wh, another salt");
        assert!(devices.sign(DEVICES_MAX, CHAIN, &said(5)).is_none());
    }

    #[test]
    fn a_letter_opens_to_what_was_signed_for_who_is_named_and_is_made_again_alike() {
        let devices = Devices::new(&[1; 32], CHAIN);
        let group = Recipient::new(&[4; 32]);
        let signed = devices.sign(2, CHAIN, &said(5)).unwrap();
        let sealed = devices.seal(2, CHAIN, &signed, &[group.public()]).unwrap();
        assert_eq!(sealed.name, "1-4-5-0.sealed");
        let opened = Opened::open(&sealed.bytes, CHAIN, &group).unwrap();
        assert_eq!(opened.reading, signed);
        assert_eq!(opened.opening.commitment(), opened.reading.content.commitment);
        assert_eq!(opened.opening.import_register_wh, 110);
        assert_eq!(Opened::open(&sealed.bytes, CHAIN, &Recipient::new(&[5; 32])), None);

        // Of what the ledger has of it, which is no signature, the same letter.
        let known = Reading { signature: [0; 64], ..signed.clone() };
        assert_eq!(devices.seal(2, CHAIN, &known, &[group.public()]), Some(sealed));
        let mut other = known;
        other.content.import_wh += 1;
        for (device, said) in [(2, &other), (2, &said(5)), (3, &signed)] {
            let none = devices.seal(device, CHAIN, said, &[group.public()]);
            assert_eq!(none, None, "not this key's word");
        }
        assert_eq!(devices.seal(2, CHAIN, &signed, &[]), None, "nobody reads it");
    }
}
