//! What one machine may send, divided among its shares.
//!
//! Connections share a line, and who has more neighbours has more connections: a share that many want
//! would leave next to nothing for one that few want. So each share that would send more may send as much
//! as any other, and what one can't use is for the rest. With a limit of the person's this is exact.
//! Without one a share is held to an even part of what went out lately, all but the one that sends least: so
//! the line is never held, and a line that grew is found. A share that leaves what it may send, for its own
//! neighbours are slow, is not waited for: it is tried again after a while ([`RESTS`]). One that is crowded
//! out, on a full line, or that grows towards its part, is not taken for slow.
//!
//! The driver calls [`Division::divide`] about once a second, and when a share or the limit changes; each
//! part is said to its share by [`crate::Input::Limit`].

use core::time::Duration;

use primitives::{SwarmId, Time};
use swarm::rate::per_second;

/// Shortest time that is measured over.
const TURN_LEAST: Duration = Duration::from_millis(500);
/// Turns of which the best says what the line takes.
const LINE_TURNS: usize = 10;
/// Turns for which a share may leave a quarter of its part and more…
const TRIES: u32 = 3;
/// …and turns for which it then gets what it uses, and half as much again: others have the rest. So a slow
/// share costs others a tenth of the time.
const RESTS: u32 = 27;
/// Bytes a second that no share is held below by others.
const PART_LEAST: u64 = 64 << 10;

/// What a share sends; [`crate::Share::sends`] says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sends {
    /// Which share.
    pub swarm: SwarmId,
    /// Bytes to others since it was opened.
    pub total_bytes: u64,
    /// Somebody waits for more.
    pub wants_more: bool,
}

/// A share, as far as it was measured.
#[derive(Debug, Clone, Copy)]
struct Account {
    sends: Sends,
    bytes_per_s: u64,
    /// Turns in which it left of what it might send.
    left: u32,
}

/// Divides what may be sent. Holds a line for each open share.
#[derive(Debug, Default)]
pub struct Division {
    at: Time,
    /// What each share might send of late.
    fair: u64,
    accounts: Vec<Account>,
    /// Bytes a second of all together.
    line: [u64; LINE_TURNS],
    turn: usize,
}

impl Division {
    /// The part of each share, in bytes a second and in the order of `shares`; `None`: as much as the line
    /// takes. `limit` is for all of them and `others`, which send as well (streams), together.
    pub fn divide(
        &mut self,
        now: Time,
        limit: Option<u64>,
        others: u64,
        shares: &[Sends],
    ) -> Vec<Option<u64>> {
        self.measure(now, limit, shares);
        let (mut hungry, mut quick) = (0_u64, 0_u64);
        let mut least: Option<&Account> = None;
        for account in &self.accounts {
            hungry += u64::from(account.sends.wants_more);
            quick += u64::from(account.is_quick());
            let is_least = |least: &Account| account.bytes_per_s < least.bytes_per_s;
            if account.is_quick() && least.is_none_or(is_least) {
                least = Some(account);
            }
        }
        let least = least.map(|account| account.sends.swarm);
        let shown = self.line.iter().copied().max().unwrap_or_default();
        let count = hungry.max(1);
        let line = limit.map_or(shown, |limit| limit / (count + others) * count);
        // All are slow: nobody waits for what one leaves.
        let spare = if quick > 0 { PART_LEAST } else { line };
        let used = |account: &Account| (account.bytes_per_s * 3 / 2 + spare).min(line / count);
        self.fair = line;
        for account in self.accounts.iter().filter(|account| account.is_slow()) {
            self.fair -= used(account);
        }
        self.fair /= quick.max(1);
        let part = |account: &Account| match limit {
            Some(_) if account.is_quick() => Some(self.fair),
            Some(_) if account.is_slow() => Some(used(account)),
            Some(_) => Some(line / (hungry + 1)),
            // Not held: a share alone, what sends least, and all while nothing was seen of the line.
            None => {
                let is_least = least == Some(account.sends.swarm);
                let held = account.is_quick() && quick > 1 && shown > 0 && !is_least;
                held.then(|| (self.fair + self.fair / 16).max(PART_LEAST))
            }
        };
        self.accounts.iter().map(part).collect()
    }

    fn measure(&mut self, now: Time, limit: Option<u64>, shares: &[Sends]) {
        let took = now.since(self.at);
        let is_turn = took >= TURN_LEAST;
        let known = std::mem::take(&mut self.accounts);
        let sent = |sends: &Sends| {
            let old = known.iter().find(|account| account.sends.swarm == sends.swarm);
            old.map_or(0, |old| old.sent(*sends, took))
        };
        // What one share leaves on a full line, others have taken from it.
        let most = limit.or(self.line.iter().copied().max()).unwrap_or_default();
        let is_full = shares.iter().map(sent).sum::<u64>() >= most / 8 * 7;
        self.accounts = shares
            .iter()
            .map(|sends| {
                let old = known.iter().find(|account| account.sends.swarm == sends.swarm);
                let Some(old) = old else {
                    return Account { sends: *sends, bytes_per_s: 0, left: 0 };
                };
                if is_turn { old.after(*sends, took, self.fair, is_full) } else { old.now(*sends) }
            })
            .collect();
        if is_turn {
            self.at = now;
            self.line[self.turn % LINE_TURNS] =
                self.accounts.iter().map(|account| account.bytes_per_s).sum();
            self.turn = self.turn.wrapping_add(1);
        }
    }
}

impl Account {
    /// It would send more than it may.
    const fn is_quick(&self) -> bool {
        self.sends.wants_more && self.left < TRIES
    }

    /// It would send more, and its neighbours don't take what it may.
    const fn is_slow(&self) -> bool {
        self.sends.wants_more && self.left >= TRIES
    }

    /// Between two turns: only whether somebody waits is new.
    const fn now(&self, sends: Sends) -> Self {
        let Sends { wants_more, .. } = sends;
        Self { sends: Sends { wants_more, ..self.sends }, ..*self }
    }

    /// Bytes a second since the last turn.
    fn sent(&self, sends: Sends, took: Duration) -> u64 {
        per_second(sends.total_bytes.saturating_sub(self.sends.total_bytes), took)
    }

    /// After a turn in which it might have sent `fair` bytes a second, if the line was not full.
    fn after(&self, sends: Sends, took: Duration, fair: u64, is_full: bool) -> Self {
        let bytes_per_s = self.sent(sends, took);
        let wanted = sends.wants_more && self.sends.wants_more;
        // Connections that were crowded out take seconds to grow.
        let grows = bytes_per_s / 5 * 4 > self.bytes_per_s;
        let left = if !wanted || bytes_per_s >= fair / 4 * 3 {
            0
        } else if self.left >= TRIES || !(is_full || grows) {
            (self.left + 1) % (TRIES + RESTS)
        } else {
            self.left
        };
        Self { sends, bytes_per_s, left }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A line that its connections share evenly, and shares that always have more to send.
    struct Line {
        bytes_per_s: u64,
        /// Of each share: connections, and what its neighbours take at most.
        shares: Vec<(u64, u64)>,
        sent: Vec<u64>,
        parts: Vec<Option<u64>>,
        division: Division,
        now: Time,
    }

    impl Line {
        fn new(bytes_per_s: u64, shares: &[(u64, u64)]) -> Self {
            let (sent, parts) = (vec![0; shares.len()], vec![None; shares.len()]);
            let (division, now) = (Division::default(), Time::ZERO);
            Self { bytes_per_s, shares: shares.to_vec(), sent, parts, division, now }
        }

        /// A second; what each share sent in it.
        fn turn(&mut self, limit: Option<u64>) -> Vec<u64> {
            let most = self.shares.iter().zip(&self.parts);
            let most = most.map(|((_, takes), part)| part.unwrap_or(u64::MAX).min(*takes));
            let most: Vec<u64> = most.collect();
            let mut got = vec![0; most.len()];
            // By small turns, so that who has enough leaves the rest.
            for _ in 0..1_000 {
                let open = |at: &usize| got[*at] < most[*at];
                let ways: u64 = (0..got.len()).filter(open).map(|at| self.shares[at].0).sum();
                let open: Vec<usize> = (0..got.len()).filter(open).collect();
                for at in open {
                    let more = self.bytes_per_s / 1_000 * self.shares[at].0 / ways;
                    got[at] = (got[at] + more).min(most[at]);
                }
            }
            self.now = self.now + Duration::from_secs(1);
            let sends = (0..got.len()).map(|at| {
                self.sent[at] += got[at];
                let swarm = SwarmId::new([u8::try_from(at).unwrap(); 32]);
                Sends { swarm, total_bytes: self.sent[at], wants_more: true }
            });
            let sends: Vec<Sends> = sends.collect();
            self.parts = self.division.divide(self.now, limit, 0, &sends);
            got
        }

        fn after(&mut self, turns: usize, limit: Option<u64>) -> Vec<u64> {
            (0..turns).map(|_| self.turn(limit)).last().unwrap()
        }
    }

    const MB: u64 = 1_000_000;

    #[test]
    fn on_a_line_that_connections_share_evenly_each_share_gets_half() {
        let mut line = Line::new(2 * MB, &[(4, 9 * MB), (1, 9 * MB)]);
        assert!(line.turn(None)[0] > MB * 3 / 2, "as connections share it");
        let sent = line.after(6, None);
        assert!(sent.iter().all(|bytes| (900_000..1_100_000).contains(bytes)), "{sent:?}");
    }

    #[test]
    fn a_line_that_grew_is_used_and_still_shared() {
        let mut line = Line::new(MB, &[(4, 9 * MB), (1, 9 * MB)]);
        line.after(6, None);
        line.bytes_per_s = 8 * MB;
        let sent = line.after(12, None);
        assert!(sent.iter().sum::<u64>() > 7 * MB, "{sent:?}");
        assert!(sent.iter().all(|bytes| *bytes > 3 * MB), "{sent:?}");
    }

    #[test]
    fn what_a_slow_share_leaves_is_for_the_others() {
        let mut line = Line::new(2 * MB, &[(4, 9 * MB), (1, 100_000)]);
        let all: u64 = (0..60).map(|_| line.turn(None)[0]).sum();
        assert!(all > 60 * 1_900_000 * 85 / 100, "{all}");
        let mut line = Line::new(20 * MB, &[(4, 9 * MB), (1, 100_000)]);
        let all: u64 = (0..60).map(|_| line.turn(Some(2 * MB))[0]).sum();
        assert!(all > 60 * 1_700_000 * 80 / 100, "{all}");
    }

    #[test]
    fn one_share_alone_is_not_held_and_none_sends_where_none_may() {
        let swarm = |number| SwarmId::new([number; 32]);
        let sends =
            |number, wants_more| Sends { swarm: swarm(number), total_bytes: 5 * MB, wants_more };
        let (mut division, now) = (Division::default(), Time::from_ms(1_000));
        assert_eq!(division.divide(now, None, 3, &[sends(1, true), sends(2, false)]), [None; 2]);
        assert_eq!(division.divide(now, Some(MB), 0, &[sends(1, true)]), [Some(MB)]);
        // A stream beside it, and a share that has nothing to send.
        let two = [sends(1, true), sends(2, false)];
        assert_eq!(division.divide(now, Some(MB), 1, &two), [Some(MB / 2), Some(MB / 4)]);
        assert_eq!(division.divide(now, Some(0), 0, &two), [Some(0); 2]);
    }

    proptest! {
        /// What may be sent by those who would is never more than the limit, whatever they sent.
        #[test]
        fn a_limit_holds_for_all_together(
            limit in 1_000_u64..100 * MB,
            others in 0_u64..4,
            turns in prop::collection::vec(
                prop::collection::vec((0_u64..10 * MB, any::<bool>()), 1..6), 1..40),
        ) {
            let (mut division, mut now) = (Division::default(), Time::ZERO);
            let mut totals = [0; 6];
            for turn in turns {
                now = now + Duration::from_secs(1);
                let sends: Vec<Sends> = turn.iter().zip(0_u8..).map(|((more, wants_more), at)| {
                    let total = &mut totals[usize::from(at)];
                    *total += more;
                    let swarm = SwarmId::new([at; 32]);
                    Sends { swarm, total_bytes: *total, wants_more: *wants_more }
                }).collect();
                let parts = division.divide(now, Some(limit), others, &sends);
                let sum: u64 = parts.iter().zip(&sends)
                    .filter(|(_, sends)| sends.wants_more)
                    .map(|(part, _)| part.unwrap())
                    .sum();
                prop_assert!(sum <= limit, "{sum} of {limit}");
            }
        }
    }
}
