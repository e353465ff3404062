//! Other validators over encrypted TCP: the network of a real one.

use std::net::SocketAddr;
use std::time::Duration;

use commonware_cryptography::{ChaCha20Poly1305, ed25519::PrivateKey};
use commonware_p2p::{
    Address, AddressableManager as _, Blocker, Provider, Receiver, Sender, authenticated::lookup,
};
use commonware_runtime::{Supervisor as _, tokio::Context};
use commonware_stream::{
    cups::{self, Cups},
    sake::{self, Sake},
};
use commonware_utils::{NZUsize, ordered::Map};

use crate::engine::{MAILBOX, Part, RETRY, Wires, message_bytes_max, quota};
use crate::header::PublicKey;

type Crypt = Cups<Sake<PrivateKey>, ChaCha20Poly1305>;

fn config(part: &Part, listen: SocketAddr) -> lookup::Config<Crypt> {
    let handshake = Sake {
        signer: part.secrets.key.clone(),
        synchrony_bound: Duration::from_secs(5),
        max_handshake_age: Duration::from_secs(10),
        version: sake::Version::V1,
    };
    let mut config = lookup::Config::local(
        Cups::<_, ChaCha20Poly1305>::new(handshake, cups::Version::V1),
        &crate::network::namespace(part.members.genesis.chain()),
        listen,
        NZUsize!(16),
        message_bytes_max(part.members.set().keys.len()),
        NZUsize!(MAILBOX),
    );
    // A validator that comes back is found at once.
    config.peer_connection_cooldown = RETRY;
    config.dial_frequency = RETRY;
    config
}

/// Listens, and dials the others for as long as the runtime runs.
pub(crate) fn open(
    context: &Context,
    part: &Part,
    listen: SocketAddr,
) -> Wires<
    impl Sender<PublicKey = PublicKey> + use<>,
    impl Receiver<PublicKey = PublicKey> + use<>,
    impl Provider<PublicKey = PublicKey> + use<>,
    impl Blocker<PublicKey = PublicKey> + use<>,
> {
    let (mut network, mut oracle) =
        lookup::Network::new(context.child("network"), config(part, listen));
    let all = part.members.set().addresses.iter();
    let peers = all.map(|(key, at)| (key.clone(), Address::from(*at)));
    let peers: Map<PublicKey, Address> =
        peers.collect::<Vec<_>>().try_into().expect("validators were checked to differ");
    oracle.track(0, peers);
    let channels = [0_u64, 1, 2, 3, 4, 5, 6].map(|channel| network.register(channel, quota()));
    network.start();
    Wires { channels, peers: oracle.clone(), blocker: oracle }
}
