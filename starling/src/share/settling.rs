//! Money of a share: from its opening to the last promise and claim.

use std::time::Duration;

use payments::{Input, Output};
use peer_native::{OpenTill, Share, TillView, payments};
use tokio::sync::mpsc::Receiver;

use super::ShareError;
use crate::purse::{Options, Purse};

/// How long the ledger has to take what was earned, or to set aside what is owed.
const SETTLE_WITHIN: Duration = Duration::from_secs(20);
/// How often it is looked whether it did.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A purse, and what a till asks of it.
pub(super) type Serving = Option<(Purse, Receiver<Output>)>;

/// Meets the ledger, if there is to be money at all.
pub(super) async fn open(
    money: Option<Options>,
) -> Result<(Serving, Option<OpenTill>), ShareError> {
    let Some(options) = money else { return Ok((None, None)) };
    let (purse, till, asked) = Purse::open(options).await?;
    Ok((Some((purse, asked)), Some(till)))
}

/// Answers the till for as long as the share is open.
pub(super) fn serve(serving: Serving, share: &Share) {
    if let Some((purse, asked)) = serving {
        tokio::spawn(purse.serve(asked, share.till_teller()));
    }
}

/// Promises what is owed and claims what was promised; what came of it. None: there is no till.
pub(super) async fn settle(share: &Share) -> Option<TillView> {
    share.status().await.ok()?.till?;
    share.tell_till(Input::Leave).await;
    let settled = async {
        loop {
            let till = share.status().await.ok()?.till?;
            if till.paid.owed == 0 && !till.earned.claiming {
                return Some(till);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    match tokio::time::timeout(SETTLE_WITHIN, settled).await {
        Ok(till) => till,
        Err(_) => {
            let till = share.status().await.ok()?.till?;
            let (owed, claiming) = (till.paid.owed, till.earned.claiming);
            tracing::warn!(%owed, %claiming, "not everything was settled");
            Some(till)
        }
    }
}
