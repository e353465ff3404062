//! Settling what is over: anyone may, and gets nothing for it but a settled slot.

use ledger::domains::energy::{self, Community, METERS_MAX, Slot, Summary};
use ledger::{Action, Key, MemoryStore};
use primitives::KeyPair;

use super::MeteringError;
use super::error::refusal;
use super::live::{act, find_community};
use crate::ledger_client::{Client, ClientError, Nodes};

/// For a block that was proposed in time to be seen, and for clocks that differ, in milliseconds.
const LATE_MS: u64 = 1_000;

/// A slot that was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Which.
    pub slot: u64,
    /// Meters that read it.
    pub meters: usize,
    /// What it came to.
    pub summary: Summary,
}

/// Who settles one community's slots in order.
#[derive(Debug)]
pub struct Settler {
    number: u32,
    community: Community,
    /// The first slot that may not be settled yet.
    next: u64,
}

impl Settler {
    /// Looks for the oldest slot that is not settled.
    ///
    /// # Errors
    /// There is no such community, or no answer.
    pub async fn open(nodes: &mut Nodes, number: u32, now_ms: u64) -> Result<Self, MeteringError> {
        let community = find_community(nodes, number).await?;
        let prefix = energy::slots_prefix(number);
        let all: Vec<(Key, Slot)> = nodes
            .ask(async |client: &Client| client.list(&prefix, &mut MemoryStore::new()).await)
            .await?;
        let open = all.iter().filter(|(_, slot)| slot.summary.is_none());
        let oldest = open.filter_map(|(key, _)| energy::slot_of(key)).min();
        // Slots that nobody has read yet and that may still be: from the window's beginning on.
        let window = community.oldest(community.slot_at(now_ms));
        Ok(Self { number, next: oldest.map_or(window, |slot| slot.min(window)), community })
    }

    /// The community.
    pub fn community(&self) -> &Community {
        &self.community
    }

    /// When the next slot's window is over, in milliseconds since 1970.
    pub fn due_ms(&self) -> u64 {
        let over = self.next + u64::from(self.community.window_slots) + 1;
        self.community.begins_ms(over).saturating_add(LATE_MS)
    }

    /// Settles the next slot if its window is over; none: it is not, or nobody read it.
    ///
    /// # Errors
    /// The ledger refuses, or does not answer.
    pub async fn step(
        &mut self,
        nodes: &mut Nodes,
        key: &KeyPair,
    ) -> Result<Option<Settled>, MeteringError> {
        let slot = self.next;
        let found = look(nodes, self.number, slot).await?;
        let Some(found) = found.filter(|found| found.summary.is_none()) else {
            self.next += 1;
            return Ok(None);
        };
        let settled = settle(nodes, key, (self.number, slot), found.meters.len()).await?;
        self.next += 1;
        Ok(settled)
    }
}

async fn look(nodes: &mut Nodes, community: u32, slot: u64) -> Result<Option<Slot>, ClientError> {
    let key = energy::slot_key(community, slot);
    nodes.ask(async |client: &Client| client.record(&key).await).await
}

/// Settles a slot, paying for `readings`; for as many as there may be, where one that is forgotten for it
/// has more. None: somebody else did, and it is forgotten by now.
///
/// # Errors
/// The ledger refuses, or does not answer.
pub async fn settle(
    nodes: &mut Nodes,
    key: &KeyPair,
    (community, slot): (u32, u64),
    readings: usize,
) -> Result<Option<Settled>, MeteringError> {
    let least = u16::try_from(readings).unwrap_or(METERS_MAX).clamp(1, METERS_MAX);
    for readings_max in [least, METERS_MAX] {
        let settle = energy::Action::Settle { community, slot, readings_max };
        match act(nodes, key, &Action::Energy(settle)).await {
            Ok(_) => break,
            Err(error) => match refusal(&error) {
                Some(energy::Error::MoreReadings) if readings_max < METERS_MAX => {}
                Some(energy::Error::Settled) => break,
                _ => return Err(error.into()),
            },
        }
    }
    let found = look(nodes, community, slot).await?;
    Ok(found.and_then(|found| {
        let summary = found.summary?;
        Some(Settled { slot, meters: found.meters.len(), summary })
    }))
}
