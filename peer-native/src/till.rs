//! Money beside the bytes of a share: a till, and what carries its questions to a ledger.

use std::collections::{BTreeMap, VecDeque};

use payments::{Earned, Event, Input, Output, Paid, Setup, Till, config::ACCOUNTS_MAX};
use peer::RoomInput;
use primitives::{PeerId, Time};
use tokio::sync::mpsc;

/// Questions to the ledger that wait; further ones are not answered, and asked again later.
const QUESTIONS_MAX: usize = ACCOUNTS_MAX * 3;

/// A till to be opened with a share.
#[derive(Debug)]
pub struct OpenTill {
    /// Who pays what, who wants what.
    pub setup: Setup,
    /// Where questions to the ledger go; answered by [`crate::Share::tell_till`].
    pub ledger: mpsc::Sender<Output>,
}

/// Where a till's questions go, and where they are read.
pub fn questions() -> (mpsc::Sender<Output>, mpsc::Receiver<Output>) {
    mpsc::channel(QUESTIONS_MAX)
}

/// What was paid and earned, as shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TillView {
    /// To all neighbours.
    pub paid: Paid,
    /// From all neighbours.
    pub earned: Earned,
}

/// What the share is to do.
#[derive(Debug)]
pub(crate) enum Followed {
    /// The room.
    Room(RoomInput),
    /// The share's core.
    Share(files::Input),
}

/// The till of an open share.
#[derive(Debug)]
pub(crate) struct Counter {
    till: Till,
    ledger: mpsc::Sender<Output>,
    /// Bytes received, spared and sent, as the till was told.
    moved: BTreeMap<PeerId, (u64, u64, u64)>,
    wake_at: Time,
}

impl Counter {
    pub(crate) fn new(OpenTill { setup, ledger }: OpenTill, now: Time) -> Self {
        let (till, moved) = (Till::new(setup, now), BTreeMap::new());
        Self { till, ledger, moved, wake_at: Time::NEVER }
    }

    pub(crate) const fn wake_at(&self) -> Time {
        self.wake_at
    }

    pub(crate) fn view(&self) -> TillView {
        TillView { paid: self.till.paid(), earned: self.till.earned() }
    }

    pub(crate) fn step(&mut self, now: Time, input: Input) -> Vec<Followed> {
        if let Input::Up(peer) | Input::Down(peer) = &input {
            self.moved.remove(peer);
        }
        let mut followed = Vec::new();
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut outputs = Vec::new();
            self.wake_at = self.till.step(now, input, &mut outputs);
            inputs.extend(self.perform(outputs, &mut followed));
        }
        followed
    }

    /// Does what the till asks for; answers for a ledger that has no room for more questions.
    fn perform(&self, outputs: Vec<Output>, followed: &mut Vec<Followed>) -> Vec<Input> {
        let mut unanswered = Vec::new();
        for output in outputs {
            match output {
                Output::Send { to, bytes } => {
                    followed.push(Followed::Room(RoomInput::Send {
                        to,
                        channel: files::Channel::Control,
                        bytes,
                    }));
                }
                Output::Hold { peer, on } => {
                    followed.push(Followed::Share(files::Input::Hold { peer, on }));
                }
                Output::Event(event) => tell(event),
                question => {
                    if let Err(refused) = self.ledger.try_send(question) {
                        tracing::warn!("nobody answers for the ledger");
                        unanswered.extend(no_answer(refused.into_inner()));
                    }
                }
            }
        }
        unanswered
    }

    /// What moved since it was asked last.
    pub(crate) fn count(
        &mut self,
        now: Time,
        moved: impl Iterator<Item = (PeerId, u64, u64, u64)>,
    ) -> Vec<Followed> {
        let mut followed = Vec::new();
        for (peer, received, spared, sent) in moved {
            let all = (received, spared, sent);
            if self.moved.insert(peer, all) != Some(all) {
                followed.extend(self.step(now, Input::Moved { peer, received, spared, sent }));
            }
        }
        followed
    }
}

/// What a ledger says that can't be asked.
fn no_answer(question: Output) -> Option<Input> {
    match question {
        Output::Reserve { payee, .. } => Some(Input::Reserved { payee, lane: None }),
        Output::Prove { peer, lane } => Some(Input::Proved { peer, lane, proof: None }),
        Output::Claim { peer, .. } => Some(Input::Claimed { peer, redeemed: None }),
        Output::Send { .. }
        | Output::Remember(_)
        | Output::Forget(_)
        | Output::Keep(_)
        | Output::Entrusted { .. }
        | Output::Hold { .. }
        | Output::Event(_) => None,
    }
}

fn tell(event: Event) {
    match event {
        Event::Paid(peer, units) => tracing::debug!(%peer, units, "paid"),
        Event::Earned(peer, units) => tracing::debug!(%peer, units, "earned"),
        Event::Claimed(peer, Some(redeemed)) => tracing::debug!(%peer, redeemed, "claimed"),
        Event::Claimed(peer, None) => tracing::warn!(%peer, "its voucher could not be claimed"),
        Event::Stopped(peer, reason) => tracing::warn!(%peer, ?reason, "no more is paid"),
        Event::Nonsense(peer) => tracing::debug!(%peer, "said something unreadable about payment"),
    }
}
