//! Channels of the simulated network, and those of two validators that share a key.

use std::sync::Arc;

use commonware_p2p::{
    Recipients, Sender,
    simulated::{self, Control, Manager, Oracle, SplitOrigin, SplitTarget},
};
use commonware_runtime::{IoBuf, Supervisor as _, deterministic::Context};

use crate::engine::{CHANNELS, Wires, quota};
use crate::header::PublicKey;

/// A channel as the simulated network gives it.
pub(super) type Channel = (simulated::Sender<PublicKey, Context>, simulated::Receiver<PublicKey>);
/// Whom each of two halves speaks to: none is everybody.
pub(super) type Reach = [Option<Vec<PublicKey>>; 2];
/// The channels that blocks come by, on demand and unasked.
const BLOCKS: [usize; 2] = [3, 4];

/// All channels of a validator. Those it had before are closed.
pub(super) async fn channels(
    oracle: &Oracle<PublicKey, Context>,
    me: &PublicKey,
) -> [Channel; CHANNELS] {
    let control = oracle.control(me.clone());
    let mut channels = Vec::new();
    for channel in 0..u64::try_from(CHANNELS).unwrap() {
        channels.push(control.register(channel, quota()).await.unwrap());
    }
    channels.try_into().unwrap_or_else(|_| unreachable!("as many as were asked for"))
}

/// The wires of two validators with one key; of a validator that is whole, the first are all it needs.
/// Blocks of the first go to some only, if so told.
#[allow(clippy::type_complexity, reason = "a sender that splits has no name")]
pub(super) fn halves(
    context: &Context,
    oracle: &Oracle<PublicKey, Context>,
    me: &PublicKey,
    channels: [Channel; CHANNELS],
    reach: Reach,
    blocks_to: Option<Vec<PublicKey>>,
) -> [Wires<
    impl Sender<PublicKey = PublicKey> + use<>,
    simulated::Receiver<PublicKey>,
    Manager<PublicKey, Context>,
    Control<PublicKey, Context>,
>; 2] {
    let heard = if reach[1].is_some() { SplitTarget::Both } else { SplitTarget::Primary };
    let blocks_reach = Arc::new([blocks_to.or_else(|| reach[0].clone()), reach[1].clone()]);
    let (control, reach) = (oracle.control(me.clone()), Arc::new(reach));
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for (channel, (sender, receiver)) in channels.into_iter().enumerate() {
        let reach = if BLOCKS.contains(&channel) { &blocks_reach } else { &reach };
        let [one, two] = split(sender, reach.clone());
        let router = move |_: &(PublicKey, IoBuf)| heard;
        let (hears_one, hears_two) = receiver.split_with(context.child("halves"), router);
        first.push((one, hears_one));
        second.push((two, hears_two));
    }
    [first, second].map(|channels| Wires {
        channels: channels.try_into().unwrap_or_else(|_| unreachable!("as many as came in")),
        peers: oracle.manager(),
        blocker: control.clone(),
    })
}

fn split(
    sender: simulated::Sender<PublicKey, Context>,
    reach: Arc<Reach>,
) -> [impl Sender<PublicKey = PublicKey> + use<>; 2] {
    let forward = move |half: SplitOrigin, to: &Recipients<PublicKey>, _: &IoBuf| {
        let known = match half {
            SplitOrigin::Primary => &reach[0],
            SplitOrigin::Secondary => &reach[1],
        };
        let Some(known) = known else { return Some(to.clone()) };
        let meant = |key: &&PublicKey| match to {
            Recipients::All => true,
            Recipients::Some(list) => list.contains(key),
            Recipients::One(one) => one == *key,
        };
        Some(Recipients::Some(known.iter().filter(meant).cloned().collect()))
    };
    let (one, two) = sender.split_with(forward);
    [one, two]
}
