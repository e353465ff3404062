//! The round that a validator without others is in when it is asked to stop.
//!
//! What it signed of a block is on its disk, but after a start the engine does not count it: it goes on when the round
//! has run out of time, which is a heartbeat later. Others would have gone on meanwhile; one without others ends its
//! round before it stops.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::application::Core;

/// How long it may take: what a person waits for, not more.
const WITHIN: Duration = Duration::from_secs(5);

/// Which blocks are being made. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rounds(Arc<watch::Sender<Now>>);

#[derive(Debug, Default)]
struct Now {
    /// Blocks that are built: in a state as soon as they are.
    making: usize,
    /// No other is begun.
    is_ending: bool,
}

/// A block is being built while this is there.
#[derive(Debug)]
pub(crate) struct Making(Rounds);

impl Rounds {
    /// None: no block is begun any more.
    pub(crate) fn begin(&self) -> Option<Making> {
        let begun = self.0.send_if_modified(|now| {
            now.making += usize::from(!now.is_ending);
            !now.is_ending
        });
        begun.then(|| Making(self.clone()))
    }

    /// Begins none any more, and waits until that is final which was begun, if that comes soon.
    pub(crate) async fn end(&self, core: &Core) {
        self.0.send_modify(|now| now.is_ending = true);
        let (mut rounds, mut heights) = (self.0.subscribe(), core.height.subscribe());
        let ending = async {
            loop {
                let is_made = rounds.borrow_and_update().making == 0;
                heights.mark_unchanged();
                if is_made && core.state.is_settled() {
                    return;
                }
                tokio::select! {
                    Ok(()) = rounds.changed() => {}
                    Ok(()) = heights.changed() => {}
                    else => return,
                }
            }
        };
        if tokio::time::timeout(WITHIN, ending).await.is_err() {
            tracing::warn!("stopped in a round: the next start waits for its end");
        }
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        self.0.0.send_modify(|now| now.making = now.making.saturating_sub(1));
    }
}
