//! What a page is told.

use light_client::Status;

use super::{BLOCKS_SHOWN, Output, Wallet};
use crate::{
    explain,
    holdings::Record,
    servers::State,
    transfers::Sent,
    view::{self, Sight, View},
};

impl Wallet {
    /// How the balance is proved, with what it takes to check that elsewhere.
    fn steps(&self) -> Vec<view::Step> {
        let Some(shown) = &self.holdings.shown else { return Vec::new() };
        let key = Record::Balance.key(self.account);
        let servers = &self.servers.list;
        // Of another connection, or a neighbour's: any server has it.
        let server = servers.iter().find(|one| one.id == shown.from).or_else(|| servers.first());
        let url = server.map(|server| server.url.as_str()).unwrap_or_default();
        let url = format!("{url}/ledger/state/{}", explain::hex(key.as_bytes()));
        explain::steps(shown, key.as_bytes(), &url)
    }

    pub(super) fn show(&mut self, out: &mut Vec<Output>) {
        let view = self.view();
        if self.shown.as_ref() != Some(&view) {
            self.shown = Some(view.clone());
            out.push(Output::Show(Box::new(view)));
        }
    }

    fn view(&self) -> View {
        let (sight, clock_minutes) = sight(self.client.status());
        let balance = self.holdings.balance.as_ref().map(|known| view::Proved {
            units: known.value.amount,
            height: known.height,
            time_ms: known.time_ms,
            frozen: known.value.frozen,
        });
        let shown = |one: &&crate::near::Neighbour| one.id.is_some() || one.lies();
        View {
            root: self.saved.root.clone(),
            pinned_by_link: self.saved.pinned_by_link,
            account: self.account.to_string(),
            sight,
            blocks: self.blocks.iter().take(BLOCKS_SHOWN).cloned().collect(),
            servers: self.servers.list.iter().map(server).collect(),
            balance,
            outgoing: self.transfers.outgoing(),
            sent: self.transfers.list.iter().rev().map(sent).collect(),
            received: self.received(),
            unwanted: self.unwanted(),
            has_older: self.past.has_older(),
            fee: self.fee,
            faucet: self.faucet,
            certificates: self.client.verified(),
            proofs: self.holdings.proofs.saturating_add(self.purse.facts.proofs),
            steps: self.steps(),
            refused: self.refused.clone(),
            keys: self.keys(),
            note_fee: self.note_price(),
            meter_keys: self.devices.names().to_vec(),
            recoverable: self.saved.recoverable == Some(true),
            aside: self.aside(),
            neighbours: self.near.list.iter().filter(shown).map(neighbour).collect(),
            succession: self.succession(),
            proposers: self.proposers(),
            clock_minutes,
            by_neighbour: self.holdings.shown.as_ref().is_some_and(|one| one.from.is_neighbour()),
        }
    }

    /// Who proposed the blocks that are counted, whoever did last first. Those who were replaced propose no more.
    fn proposers(&self) -> Vec<view::Proposer> {
        let first = self.succession().map_or(0, |one| one.height);
        let mut all: Vec<view::Proposer> = Vec::new();
        for block in self.blocks.iter().filter(|block| block.height >= first) {
            match all.iter_mut().find(|one| one.key == block.leader) {
                Some(one) => one.count += 1,
                None => {
                    let (key, height) = (block.leader.clone(), block.height);
                    all.push(view::Proposer { key, count: 1, height });
                }
            }
        }
        all
    }
}

/// The same for a page, and by how many minutes the clock is off.
const fn sight(status: Status) -> (Sight, u64) {
    match status {
        Status::Blind => (Sight::Blind, 0),
        Status::Fresh => (Sight::Fresh, 0),
        Status::Stale => (Sight::Stale, 0),
        Status::ClockBehind { minutes } => (Sight::ClockBehind, minutes),
        Status::ClockAhead { minutes } => (Sight::ClockAhead, minutes),
        Status::Forked => (Sight::Forked, 0),
    }
}

fn server(server: &crate::servers::Server) -> view::Server {
    view::Server {
        url: server.url.clone(),
        is_up: server.state == State::Up,
        height: server.height,
        faults: server.faults.iter().map(|fault| fault.code().to_owned()).collect(),
        lies: server.state == State::Out,
        is_away: server.is_away(),
        is_named: server.is_named,
    }
}

fn neighbour(one: &crate::near::Neighbour) -> view::Server {
    view::Server {
        url: one.peer.to_string(),
        is_up: one.id.is_some(),
        height: one.height,
        faults: one.faults.iter().map(|fault| fault.code().to_owned()).collect(),
        lies: one.lies(),
        is_away: false,
        is_named: false,
    }
}

fn sent(sent: &Sent) -> view::Sent {
    view::Sent {
        id: sent.id.to_string(),
        to: sent.to.to_string(),
        units: sent.units,
        fee: sent.fee,
        signed_ms: sent.signed_ms,
        fate: sent.fate,
        height: sent.height,
        took_ms: sent.took_ms,
        act: sent.act.clone(),
        pool: sent.pool,
        by_balance: sent.by_balance,
        note: sent.note.clone(),
        counted: sent.counted,
    }
}
