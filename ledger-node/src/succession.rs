//! Who makes which blocks: validators of the network's file, and those who take over from them at a height.
//!
//! Like upgrades, successions are agreed on outside of the ledger, by the same lines in everybody's network
//! file. The last block of the old validators names the next ones' key in a record, which their certificate
//! covers by the state root: that is how light clients follow. To the engine each set is an epoch, whose last
//! block is proposed again and built on by nobody; the next epoch's first block is built on it. A process is
//! of one epoch: the newest of which its secrets are.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use commonware_codec::Encode as _;
use commonware_consensus::{
    Automaton, CertifiableAutomaton, Handoff,
    types::{Epoch, EpochInfo, Epocher, Height, Round},
};
use commonware_cryptography::certificate::{Provider, Scoped};
use ledger::BlockRun;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::application::App;
use crate::engine::Runtime;
use crate::header::{Context, Digest, GroupKey, Scheme};
use crate::network::{Set, Validator};
use crate::recall::Recall;

/// Most successions of a ledger: as many as light clients follow.
pub const SUCCESSIONS_MAX: usize = light_client::SUCCESSIONS_MAX;
/// The highest block that any validators make.
const HEIGHT_MAX: u64 = u64::MAX - 1;
/// Shortest rest before the last block of an epoch, which is final, is proposed again.
const REST: Duration = Duration::from_millis(500);

/// Other validators from a block on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Succession {
    /// Their first block.
    pub height: u64,
    /// The public half of their shared key, in hexadecimal.
    pub sharing: String,
    /// Who they are, in any order.
    pub validators: Vec<Validator>,
}

/// Why successions can't be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SuccessionError {
    /// They are not in order.
    #[error("successions rise in height, from block 2 on: look at block {0}")]
    Order(u64),
    /// A key that was there before those who are replaced, or their very own shares of it.
    #[error(
        "the validators from block {0} on have a key that others had before, who could sign for them: \
         make fresh ones"
    )]
    SameKey(u64),
    /// Shares of a key that one validator had alone, or that one is to have.
    #[error(
        "the validators from block {0} on share a key that one validator has alone, who could sign for \
         all of them: make a fresh one"
    )]
    Alone(u64),
    /// More than [`SUCCESSIONS_MAX`].
    #[error("expected at most {SUCCESSIONS_MAX} successions")]
    Count,
}

/// Sets of validators by epoch. At least one; first blocks rise.
#[derive(Clone)]
pub(crate) struct Eras(Arc<[Set]>);

impl Eras {
    /// Checks that they can follow on each other.
    pub(crate) fn new(sets: Vec<Set>) -> Result<Self, SuccessionError> {
        if sets.len() > SUCCESSIONS_MAX + 1 {
            return Err(SuccessionError::Count);
        }
        for (place, set) in sets.iter().enumerate().skip(1) {
            let before = &sets[..place];
            if before.iter().any(|one| one.first >= set.first) || set.first < 2 {
                return Err(SuccessionError::Order(set.first));
            }
            follows(before, set)?;
        }
        Ok(Self(sets.into()))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Set)> {
        (0..).zip(self.0.iter())
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        u64::try_from(self.0.len()).expect("a few hundred")
    }

    pub(crate) fn get(&self, epoch: u64) -> Option<&Set> {
        self.0.get(usize::try_from(epoch).ok()?)
    }

    /// The epoch of a block.
    pub(crate) fn epoch(&self, height: u64) -> u64 {
        let begun = self.0.iter().skip(1).filter(|set| set.first <= height).count();
        u64::try_from(begun).expect("a few hundred")
    }

    /// The last block of an epoch; none: the epoch does not end, or is none.
    pub(crate) fn ends(&self, epoch: u64) -> Option<u64> {
        self.get(epoch.checked_add(1)?).map(|next| next.first - 1)
    }

    /// Which last blocks name whom.
    pub(crate) fn named(&self) -> Named {
        let name = |(epoch, set): (u64, &Set)| {
            let epoch = u32::try_from(epoch).expect("a few hundred");
            (set.first - 1, (epoch, set.succession()))
        };
        Named(Arc::new(self.iter().skip(1).map(name).collect()))
    }
}

/// Whether a set may have its key after those before it: a fresh one, or the one of those whom it replaces,
/// dealt anew. Shares of before sign on for such a key: whoever left must have deleted theirs.
fn follows(before: &[Set], set: &Set) -> Result<(), SuccessionError> {
    let same = |one: &Set| one.group_key() == set.group_key();
    let Some(last) = before.last().filter(|last| same(last)) else {
        let known = before.iter().any(same);
        return if known { Err(SuccessionError::SameKey(set.first)) } else { Ok(()) };
    };
    if last.keys.len() == 1 || set.keys.len() == 1 {
        return Err(SuccessionError::Alone(set.first));
    }
    // The same shares in other hands.
    if last.sharing == set.sharing { Err(SuccessionError::SameKey(set.first)) } else { Ok(()) }
}

/// As light clients have a key.
pub(crate) fn key_bytes(key: &GroupKey) -> [u8; 96] {
    <[u8; 96]>::try_from(&key.encode()[..]).expect("a point of G2 has 96 bytes")
}

impl Epocher for Eras {
    fn containing(&self, height: Height) -> Option<EpochInfo> {
        let epoch = Epoch::new(self.epoch(height.get()));
        let (first, last) = (self.first(epoch)?, self.last(epoch)?);
        (height <= last).then_some(EpochInfo::new(epoch, height, first, last))
    }

    fn first(&self, epoch: Epoch) -> Option<Height> {
        self.get(epoch.get()).map(|set| Height::new(set.first))
    }

    fn last(&self, epoch: Epoch) -> Option<Height> {
        self.get(epoch.get())?;
        Some(Height::new(self.ends(epoch.get()).unwrap_or(HEIGHT_MAX)))
    }
}

/// How certificates of each epoch are checked.
#[derive(Clone)]
pub(crate) struct Schemes(pub(crate) Arc<[Scoped<Scheme>]>);

impl Provider for Schemes {
    type Scope = Epoch;
    type Scheme = Scheme;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<Scheme>> {
        self.0.get(usize::try_from(epoch.get()).ok()?).cloned()
    }
}

/// Whom the last block of an epoch names, by its height.
#[derive(Debug, Clone, Default)]
pub(crate) struct Named(Arc<BTreeMap<u64, (u32, ledger::Succession)>>);

impl Named {
    /// Writes it into the block that begins, if that is such a block.
    pub(crate) fn begin(&self, height: u64, run: &mut BlockRun<'_>) {
        if let Some((epoch, succession)) = self.0.get(&height) {
            run.succeed(*epoch, succession);
        }
    }

    /// How many epochs begin after the first, up to the one that does after a block.
    pub(crate) fn until(&self, height: u64) -> usize {
        self.0.range(..=height).count()
    }

    /// The epoch that begins after a block, if its validators are named in it.
    pub(crate) fn after(&self, height: u64) -> Option<u32> {
        self.0.get(&height).map(|(epoch, _)| *epoch)
    }
}

/// Proposes as `inner` does, and takes its time: a block waits for its first transaction or a heartbeat, here and not
/// where it is built, since nothing becomes final while one is built. The last block of an epoch, once that is final,
/// is only proposed again so that a validator which is behind hears of it.
pub(crate) struct Resting<E, A> {
    runtime: Arc<E>,
    inner: A,
    app: App,
    /// None: there are others.
    recall: Option<Recall>,
}

impl<E, A: Clone> Clone for Resting<E, A> {
    fn clone(&self) -> Self {
        let (runtime, inner) = (Arc::clone(&self.runtime), self.inner.clone());
        Self { runtime, inner, app: self.app.clone(), recall: self.recall.clone() }
    }
}

impl<E, A> Resting<E, A> {
    pub(crate) fn new(runtime: E, inner: A, app: App, recall: Option<Recall>) -> Self {
        Self { runtime: Arc::new(runtime), inner, app, recall }
    }
}

#[allow(clippy::async_yields_async, reason = "the engine waits for the answer itself")]
impl<E: Runtime, A: CertifiableAutomaton<Context = Context, Digest = Digest>> Automaton
    for Resting<E, A>
{
    type Context = Context;
    type Digest = Digest;

    async fn propose(&mut self, context: Context) -> oneshot::Receiver<Digest> {
        self.recall.iter().for_each(Recall::begin);
        let (mut sender, receiver) = oneshot::channel();
        let (mut inner, app) = (self.inner.clone(), self.app.clone());
        self.runtime.child("rest").spawn(move |runtime| async move {
            let proposing = async move {
                let parent = context.parent.1;
                let is_over = app.core.is_over();
                let left =
                    if is_over { app.heartbeat.max(REST) } else { app.left(&runtime, &parent) };
                let mut rest = pin!(runtime.sleep(left));
                let mut arrived = app.core.arrived.subscribe();
                while is_over || !app.is_due(&runtime, &parent) {
                    // In this order, so that a simulation of a seed is always the same one.
                    tokio::select! {
                        biased;
                        // First: what arrives all the time keeps nothing from its time.
                        () = rest.as_mut() => break,
                        Ok(()) = arrived.changed(), if !is_over => {}
                    }
                }
                inner.propose(context).await.await
            };
            let proposed = tokio::select! {
                biased;
                () = sender.closed() => return,
                proposed = proposing => proposed,
            };
            if let Ok(digest) = proposed {
                // Nobody waits for it any more: the view is over.
                let _ = sender.send(digest);
            }
        });
        receiver
    }

    async fn verify(
        &mut self,
        context: Self::Context,
        payload: Self::Digest,
    ) -> oneshot::Receiver<bool> {
        self.inner.verify(context, payload).await
    }
}

#[allow(clippy::async_yields_async, reason = "the engine waits for the answer itself")]
impl<E: Runtime, A: CertifiableAutomaton<Context = Context, Digest = Digest>> CertifiableAutomaton
    for Resting<E, A>
{
    async fn prepare(
        &mut self,
        context: Self::Context,
    ) -> oneshot::Receiver<Handoff<Self::Digest>> {
        // Without the wait of `propose`: whatever `inner` prepares, it does at once.
        if !self.app.core.is_over() {
            return self.inner.prepare(context).await;
        }
        answered(Handoff::Wait)
    }

    async fn certify(&mut self, round: Round, payload: Self::Digest) -> oneshot::Receiver<bool> {
        if let Some(recall) = &self.recall {
            recall.begin();
            if recall.has_lost(payload).await {
                tracing::warn!(view = round.view().get(), "a block was lost before it was final");
                return answered(false);
            }
        }
        self.inner.certify(round, payload).await
    }
}

/// An answer that is here already.
fn answered<T>(answer: T) -> oneshot::Receiver<T> {
    let (sender, receiver) = oneshot::channel();
    // The receiver is here.
    let _ = sender.send(answer);
    receiver
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use commonware_cryptography::{Signer as _, ed25519::PrivateKey};

    use super::*;
    use crate::network::{Network, NetworkError, Plan, deal_keys, succeed};

    fn keys(count: u64, from: u64) -> Vec<PrivateKey> {
        (from..from + count).map(PrivateKey::from_seed).collect()
    }

    fn addresses(count: usize) -> Vec<std::net::SocketAddr> {
        vec![([127, 0, 0, 1], 1).into(); count]
    }

    /// One validator.
    fn network() -> Network {
        let plan = Plan {
            name: "succession".to_owned(),
            demo: false,
            time_ms: 1,
            addresses: addresses(1),
            allocations: Vec::new(),
        };
        deal_keys(&plan, keys(1, 0), commonware_utils::sys_rng()).unwrap().0
    }

    /// The same, and four from a block on.
    fn next(network: Network, height: u64, from: u64) -> Network {
        let rng = commonware_utils::sys_rng();
        succeed(network, height, &addresses(4), keys(4, from), rng).unwrap().0
    }

    fn eras(network: &Network) -> Result<Eras, NetworkError> {
        network.members(Path::new("network")).map(|members| members.eras)
    }

    #[test]
    fn blocks_are_of_one_epoch_each() {
        let network = next(next(network(), 100, 10), 250, 20);
        let eras = eras(&network).unwrap();
        for (height, epoch, first, last) in
            [(0, 0, 0, 99), (99, 0, 0, 99), (100, 1, 100, 249), (249, 1, 100, 249)]
        {
            let info = eras.containing(Height::new(height)).unwrap();
            assert_eq!(info.epoch().get(), epoch);
            assert_eq!((info.first().get(), info.last().get()), (first, last));
        }
        let last = eras.containing(Height::new(HEIGHT_MAX)).unwrap();
        assert_eq!((last.epoch().get(), last.first().get()), (2, 250));
        assert!(eras.containing(Height::new(u64::MAX)).is_none());
        assert_eq!((Epocher::first(&eras, Epoch::new(3)), eras.last(Epoch::new(3))), (None, None));
        assert_eq!((eras.ends(0), eras.ends(1), eras.ends(2)), (Some(99), Some(249), None));
        let named = eras.named();
        assert_eq!((named.after(99), named.after(100), named.after(249)), (Some(1), None, Some(2)));
        let counts = [0, 98, 99, 248, 249, u64::MAX].map(|height| named.until(height));
        assert_eq!(counts, [0, 0, 1, 1, 2, 2]);
    }

    #[test]
    fn sets_that_can_not_follow_on_each_other_are_refused() {
        let refused = |network: &Network| match eras(network) {
            Err(NetworkError::Succession(error)) => Some(error),
            _ => None,
        };
        for height in [0, 1] {
            let early = next(network(), height, 10);
            assert_eq!(refused(&early), Some(SuccessionError::Order(height)));
        }
        assert_eq!(refused(&next(network(), 2, 10)), None);
        let falls = next(next(network(), 9, 10), 9, 20);
        assert_eq!(refused(&falls), Some(SuccessionError::Order(9)));
        let mut same = next(network(), 9, 10);
        let again = Succession { height: 12, ..same.successions[0].clone() };
        same.successions.push(again);
        assert_eq!(refused(&same), Some(SuccessionError::SameKey(12)));
        let mut other = next(network(), 9, 10);
        other.successions[0].validators.pop();
        assert!(matches!(eras(&other), Err(NetworkError::Count)));
    }

    /// The same key in one hand: the sharing (mode, count, length and points of the polynomial) cut to its first point.
    fn alone(sharing: &str) -> String {
        assert_eq!(&sharing[..12], "000000000403");
        format!("000000000101{}", &sharing[12..12 + 192])
    }

    #[test]
    fn who_has_a_key_alone_neither_hands_it_on_nor_gets_it() {
        let refused = |network: &Network| match eras(network) {
            Err(NetworkError::Succession(error)) => Some(error),
            _ => None,
        };
        let mut many = next(network(), 9, 10);
        let Succession { sharing, validators, .. } = many.successions[0].clone();
        let one = Succession {
            height: 12,
            sharing: alone(&sharing),
            validators: validators[..1].to_vec(),
        };
        many.successions.push(one.clone());
        assert_eq!(refused(&many), Some(SuccessionError::Alone(12)));
        let mut network = network();
        (network.sharing, network.validators) = (one.sharing, one.validators);
        network.successions = vec![Succession { height: 20, sharing, validators }];
        assert_eq!(refused(&network), Some(SuccessionError::Alone(20)));
    }

    #[test]
    fn the_networks_file_says_who_takes_over() {
        let mut network = next(network(), 9, 10);
        network.upgrades.push(toml::from_str("height = 3\nfee_base = 5").unwrap());
        let read: Network = toml::from_str(&toml::to_string(&network).unwrap()).unwrap();
        assert_eq!(read.successions[0].sharing, network.successions[0].sharing);
        assert_eq!((read.upgrades.len(), read.validators(0).len()), (1, 1));
        assert_eq!(read.validators(1).len(), 4);
    }

    #[test]
    fn light_clients_look_where_validators_write() {
        for epoch in [1, 2, 255, u32::MAX] {
            let key = light_client::succession_key(u64::from(epoch)).unwrap();
            assert_eq!(key, ledger::succession_key(epoch).as_bytes());
        }
        assert_eq!(light_client::succession_key(1 << 32), None);
    }
}
