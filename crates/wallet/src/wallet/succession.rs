//! Validators took over from others: whom this wallet found, it keeps between visits.

use light_client::{Identity, LightClient, RootError, TrustRoot};
use minicbor::{Decode, Encode};

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
}

/// A light client that knows what was kept. What does not follow on the root is as good as nothing.
pub(super) fn client(root: &TrustRoot, saved: &Saved) -> Result<LightClient, RootError> {
    let first = Identity { height: 0, group_key: root.group_key };
    let identity = |one: &Successor| Identity { height: one.height, group_key: one.group_key };
    let kept = saved.successors.iter().flatten().map(identity);
    let identities: Vec<Identity> = [first].into_iter().chain(kept).collect();
    LightClient::resume(root, &identities).or_else(|_| LightClient::new(root))
}

impl Wallet {
    /// Others make the blocks from some height on. It is kept at once: those before are never believed again.
    pub(super) fn on_succeeded(&mut self, out: &mut Vec<Output>) {
        let successor = |one: &Identity| Successor { height: one.height, group_key: one.group_key };
        let all = self.client.identities();
        let height = all.last().map_or(0, |newest| newest.height);
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
