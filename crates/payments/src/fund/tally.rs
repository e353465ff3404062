//! What one peer tells a fund of one swarm, sans-IO: verified bytes from each sender, as sums since the fund's session
//! began. `static/fund/reports.js` does the same for a video.
//!
//! A driver looks who gave how much, asks the fund for its terms, signs what is said and sends it; it may lose an answer,
//! for sums told twice count once.

use core::{cmp::Reverse, time::Duration};
use std::collections::BTreeMap;

use primitives::{Hash, PeerId, Signature, SwarmId};
use wire::{
    fund::{GIVERS_MAX, Report, Said, Terms},
    signaling::Base64,
};

/// Most senders remembered.
const REMEMBERED_MAX: usize = 1_024;
/// Longest wait between two reports, whatever the fund says, in seconds.
const EVERY_MAX_S: u32 = 3_600;

/// Verified bytes from one sender: in all, at the last look, as of the session before, and as the fund knows them.
#[derive(Debug, Clone, Copy, Default)]
struct Giver {
    all: u64,
    last: u64,
    base: u64,
    told: u64,
}

/// Sums for one fund.
#[derive(Debug, Default)]
pub struct Tally {
    terms: Option<Terms>,
    givers: BTreeMap<PeerId, Giver>,
    /// Of whom was told last, and what they gave in all then.
    said: Vec<(PeerId, u64)>,
}

impl Tally {
    /// Who is there now, and what each gave since it is there.
    pub fn count(&mut self, here: &BTreeMap<PeerId, u64>) {
        for (peer, giver) in &mut self.givers {
            if !here.contains_key(peer) {
                // Whoever comes back is counted from nothing, by a new connection.
                giver.last = 0;
            }
        }
        for (peer, bytes) in here {
            let has_room = self.givers.len() < REMEMBERED_MAX || self.givers.contains_key(peer);
            if *bytes == 0 || !has_room {
                continue;
            }
            let giver = self.givers.entry(*peer).or_default();
            let new = if *bytes >= giver.last { *bytes - giver.last } else { *bytes };
            giver.all = giver.all.saturating_add(new);
            giver.last = *bytes;
        }
    }

    /// What the fund pays for; none: it is to be asked.
    pub fn terms(&self) -> Option<&Terms> {
        self.terms.as_ref()
    }

    /// The fund's answer, as JSON; whether it is one.
    pub fn read_terms(&mut self, answer: &[u8]) -> bool {
        let terms = Terms::read(answer);
        let is_read = terms.is_some();
        self.terms = terms.or_else(|| self.terms.take());
        is_read
    }

    /// What to sign and send, of those first of whom there is most news; none: the terms are not known.
    pub fn said(&mut self, swarm: SwarmId, account: Option<Hash>) -> Option<String> {
        let terms = self.terms.as_ref()?;
        let mut givers: Vec<(&PeerId, &Giver)> = self.givers.iter().collect();
        givers.sort_by_key(|(_, one)| Reverse(one.all - one.told));
        givers.truncate(GIVERS_MAX);
        self.said = givers.iter().map(|(peer, one)| (**peer, one.all)).collect();
        let from = givers.iter().map(|(peer, one)| (**peer, one.all - one.base)).collect();
        let (chain, pool, session) = (terms.chain, terms.pool, terms.session);
        Some(Said { chain, pool, session, swarm, account, from }.to_text())
    }

    /// The report that says so, signed by `peer`.
    pub fn report(peer: PeerId, said: String, signature: &Signature) -> Vec<u8> {
        Report { peer, said, signature: Base64(signature.to_vec()) }.to_json()
    }

    /// The fund heard what was said last. How long until the next report.
    pub fn heard(&mut self) -> Duration {
        for (peer, all) in core::mem::take(&mut self.said) {
            if let Some(giver) = self.givers.get_mut(&peer) {
                giver.told = giver.told.max(all);
            }
        }
        let every_s = self.terms.as_ref().map_or(EVERY_MAX_S, |terms| terms.every_s);
        Duration::from_secs(every_s.clamp(1, EVERY_MAX_S).into())
    }

    /// Another hour, or another pool: what was told was for the last. The terms are to be asked for.
    pub fn anew(&mut self) {
        self.givers.values_mut().for_each(|giver| giver.base = giver.told);
        self.terms = None;
    }
}

#[cfg(test)]
mod tests {
    use primitives::{KeyPair, Seed};
    use wire::fund::REPORT_BYTES_MAX;

    use super::*;

    fn peer(number: u64) -> PeerId {
        KeyPair::from_seed(Seed::from_number(number)).id()
    }

    fn terms(session: u8) -> Vec<u8> {
        let (chain, session) = ("03".repeat(32), format!("{session:02x}").repeat(32));
        let text = format!(
            r#"{{"chain":"{chain}","pool":7,"session":"{session}","per_mib":10,"every_s":15}}"#
        );
        text.into_bytes()
    }

    /// What a report would say of each sender.
    fn told(tally: &mut Tally) -> Vec<(PeerId, u64)> {
        let said = tally.said(SwarmId::new([8; 32]), None).unwrap();
        let report = Tally::report(peer(1), said, &[0; 64]);
        assert!(report.len() <= REPORT_BYTES_MAX);
        Report::read(&report).unwrap().1.from
    }

    fn here(all: &[(u64, u64)]) -> BTreeMap<PeerId, u64> {
        all.iter().map(|(number, bytes)| (peer(*number), *bytes)).collect()
    }

    #[test]
    fn sums_grow_over_connections_and_begin_anew_with_a_session() {
        let mut tally = Tally::default();
        assert!(tally.said(SwarmId::new([8; 32]), None).is_none());
        assert!(!tally.read_terms(b"{}") && tally.read_terms(&terms(1)));
        tally.count(&here(&[(2, 100)]));
        tally.count(&here(&[(2, 150)]));
        assert_eq!(told(&mut tally), [(peer(2), 150)]);
        assert_eq!(tally.heard(), Duration::from_secs(15));
        // It left and came back by another connection.
        tally.count(&here(&[]));
        tally.count(&here(&[(2, 40)]));
        assert_eq!(told(&mut tally), [(peer(2), 190)]);
        // The answer is lost: what was heard is not known, and told again.
        tally.anew();
        assert!(tally.terms().is_none() && tally.read_terms(&terms(2)));
        assert_eq!(told(&mut tally), [(peer(2), 40)]);
    }

    #[test]
    fn of_too_many_senders_those_with_most_news_are_told() {
        let mut tally = Tally::default();
        tally.read_terms(&terms(1));
        let many = u64::try_from(GIVERS_MAX).unwrap() + 6;
        let all: Vec<(u64, u64)> = (0..many).map(|number| (100 + number, number + 1)).collect();
        tally.count(&here(&all));
        let first = told(&mut tally);
        assert_eq!(first.len(), GIVERS_MAX);
        assert!(first.iter().all(|(_, bytes)| *bytes > 6));
        tally.heard();
        let next = told(&mut tally);
        assert!((1..=6).all(|bytes| next.iter().any(|(_, told)| *told == bytes)));
    }
}
