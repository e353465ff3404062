//! Which version of a status list is the newest.

use identity::{PublicKey, did::Did, status::Anchor};
use primitives::{Hash, sha256};

use super::{
    Error, did as find,
    state::{ANCHORS, Anchored},
};
use crate::{AccountId, BlockContext, Key, Overlay, Prefix, Store};

/// Takes the next version of a list, whoever brings it, if its issuer signed it.
pub(super) fn take(
    context: &BlockContext,
    payer: AccountId,
    anchor: &Anchor,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let keys = keys_of(&anchor.issuer, state)?;
    let place = place(&anchor.issuer, &anchor.uri);
    let last = ANCHORS.get(state, &place.each()).map_or(0, |record| record.number);
    if last.checked_add(1) != Some(anchor.number) {
        return Err(Error::NotNext);
    }
    let key = keys.get(usize::from(anchor.by)).ok_or(Error::NoKey)?;
    anchor.verify(key, context.chain.as_bytes()).map_err(|_| Error::BadSignature)?;
    let record = Anchored {
        number: anchor.number,
        token: anchor.token,
        height: context.height,
        time_s: context.now_s(),
    };
    ANCHORS.put(state, &place.each(), &record);
    let mut first = [0; 16];
    first.copy_from_slice(&place.issuer.as_bytes()[..16]);
    let numbers = [u128::from_be_bytes(first), anchor.number.into()];
    state.emit(Prefix::Identity, 8, &[payer], &numbers);
    Ok(())
}

/// Keys with which an issuer signs: of a `did:starling`, those that may change it now; none of those
/// that are looked up elsewhere.
fn keys_of(issuer: &Did, state: &dyn Store) -> Result<Vec<PublicKey>, Error> {
    match issuer {
        Did::Key(key) => Ok(vec![*key]),
        Did::Web(_) => Ok(Vec::new()),
        Did::Starling(id) => {
            let record = find(state, *id).ok_or(Error::NoDid)?;
            let stopped = record.standing.stopped_s.is_some();
            if stopped { Err(Error::Stopped) } else { Ok(record.standing.rotation) }
        }
    }
}

/// Where an anchor's record is: hashes of the issuer's name and the list's.
struct Place {
    issuer: Hash,
    list: Hash,
}

fn place(issuer: &Did, uri: &str) -> Place {
    let issuer = sha256(issuer.to_string().as_bytes());
    Place { issuer, list: sha256(uri.as_bytes()) }
}

impl Place {
    fn each(&self) -> [&[u8]; 2] {
        [self.issuer.as_bytes(), self.list.as_bytes()]
    }
}

/// What is said of an issuer's list.
pub fn anchored(store: &dyn Store, issuer: &Did, uri: &str) -> Option<Anchored> {
    ANCHORS.get(store, &place(issuer, uri).each())
}

/// Where that record is.
pub fn anchored_key(issuer: &Did, uri: &str) -> Key {
    ANCHORS.key(&place(issuer, uri).each())
}
