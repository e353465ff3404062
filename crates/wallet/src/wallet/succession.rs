//! Validators took over from others: whom this wallet found, it keeps between visits.

use light_client::{Identity, LightClient, RootError, TrustRoot};
use minicbor::{Decode, Encode};
use primitives::Hash;

use super::{Output, Saved, Wallet};
use crate::view;

/// Validators that those before named.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Successor {
    /// Their first block.
    #[n(0)]
    height: u64,
    #[cbor(n(1), with = "minicbor::bytes")]
    group_key: [u8; 96],
    /// Name of the block before it. What was kept before it was known has none.
    #[n(2)]
    last: Option<Hash>,
}

impl Successor {
    fn identity(&self) -> Identity {
        Identity { height: self.height, group_key: self.group_key, last: self.last }
    }
}

/// A light client that knows what was kept. What does not follow on the root is as good as nothing.
pub(super) fn client(root: &TrustRoot, saved: &Saved) -> Result<LightClient, RootError> {
    let first = Identity { height: 0, group_key: root.group_key, last: None };
    let kept = saved.successors.iter().flatten().map(Successor::identity);
    let identities: Vec<Identity> = [first].into_iter().chain(kept).collect();
    LightClient::resume(root, &identities).or_else(|_| LightClient::new(root))
}

impl Wallet {
    /// Others make the blocks from a height on. It is kept at once: those before are never believed again. More may
    /// have been found together with it, each of which is told.
    pub(super) fn on_succeeded(&mut self, height: u64, out: &mut Vec<Output>) {
        let successor = |one: &Identity| {
            let Identity { height, group_key, last } = *one;
            Successor { height, group_key, last }
        };
        let all = self.client.identities();
        self.saved.successors = Some(all.iter().skip(1).map(successor).collect());
        if self.blocks.first().is_some_and(|block| block.height >= height) {
            // Those before signed on after their time. What was proved by that was not so.
            self.blocks.retain(|block| block.height < height);
            self.holdings.forget();
        }
        self.save(out);
    }

    /// The last succession, to be shown.
    pub(super) fn succession(&self) -> Option<view::Succession> {
        let all = self.client.identities();
        let (newest, before) = all.split_last()?;
        let count = u64::try_from(before.len()).unwrap_or(u64::MAX);
        (count > 0).then_some(view::Succession { height: newest.height, count })
    }
}
