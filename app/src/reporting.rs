//! Tells whoever pays for a share what came from whom, while the person chose to earn, as the player does of a video.
//!
//! Which fund a share has, its link says (`?fund=` before the `#`), and this browser remembers. Of a share that was made
//! here its maker says it: no link changes that, and only that one goes out with the share's own link. What is counted and
//! said is decided in `payments::fund::Tally`.

use std::{collections::BTreeMap, time::Duration};

use gloo_timers::future::sleep;
use leptos::prelude::*;
use peer_wasm::Peer;
use peer_wasm::files::{Files, ShareStatus};
use wallet::funds::Tally;

use crate::browser;
use crate::session::Earned;
use crate::settings::Settings;
use crate::sharing::Sharing;

/// Keeps the funds that links named: a CID and an address a line.
const LINKED: &str = "starling.share-funds";
/// Keeps those that were named here for shares of one's own, alike.
const OWN: &str = "starling.own-funds";
/// Most shares whose funds are remembered, of each kind.
const KEPT_MAX: usize = 32;
/// How often it is looked who gave what.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A fund that did not answer is asked again after so long, in milliseconds.
const AGAIN_MS: u64 = 20_000;
/// An answer that takes longer is none, in milliseconds.
const ANSWER_MS: u32 = 5_000;
/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 4 << 10;

/// The fund of a share, by its address.
pub(crate) fn fund_of(cid: &str) -> Option<String> {
    of(funds(), cid)
}

/// The fund that was named here for a share of one's own.
pub(crate) fn own_fund(cid: &str) -> Option<String> {
    of(noted(&browser::kept(OWN).unwrap_or_default()), cid)
}

/// A share of one's own has this fund from now on, or none.
pub(crate) fn name(cid: &str, fund: Option<&str>) {
    put(OWN, cid, fund);
}

/// A link says that a share has this fund.
pub(crate) fn linked(cid: &str, fund: &str) {
    put(LINKED, cid, Some(fund));
}

/// All shares that have one.
fn funds() -> Vec<(String, String)> {
    let text = |key| browser::kept(key).unwrap_or_default();
    together(&text(OWN), &text(LINKED))
}

/// What was named here counts, whatever a link says.
fn together(own: &str, linked: &str) -> Vec<(String, String)> {
    let mut all = noted(own);
    let is_new = |(cid, _): &(String, String)| !all.iter().any(|(known, _)| known == cid);
    let others: Vec<_> = noted(linked).into_iter().filter(is_new).collect();
    all.extend(others);
    all
}

fn of(all: Vec<(String, String)>, cid: &str) -> Option<String> {
    all.into_iter().find(|(known, _)| known == cid).map(|(_, fund)| fund)
}

fn put(key: &str, cid: &str, fund: Option<&str>) {
    let mut all = noted(&browser::kept(key).unwrap_or_default());
    all.retain(|(known, _)| known != cid);
    all.extend(fund.map(|fund| (cid.to_owned(), fund.to_owned())));
    let over = all.len().saturating_sub(KEPT_MAX);
    let lines: Vec<String> = all.drain(over..).map(|(cid, fund)| format!("{cid} {fund}")).collect();
    browser::keep(key, &lines.join("\n"));
}

/// Shares and their funds in what was kept.
fn noted(text: &str) -> Vec<(String, String)> {
    let one = |line: &str| {
        let (cid, fund) = line.split_once(' ')?;
        Some((cid.to_owned(), fund.to_owned()))
    };
    text.lines().filter_map(one).take(KEPT_MAX).collect()
}

/// Reports of one share to one fund.
struct Reports {
    fund: String,
    account: Option<String>,
    tally: Tally,
    next_ms: u64,
    earned: Earned,
}

/// Reports of all open shares, as long as the page lives.
pub(crate) async fn run(files: Files, peer: Peer, sharing: Sharing) {
    let mut all: BTreeMap<String, Reports> = BTreeMap::new();
    loop {
        sleep(LOOK_EVERY).await;
        let earns = Settings::load(browser::kept).earn;
        let funds = if earns { funds() } else { Vec::new() };
        all.retain(|cid, one| funds.iter().any(|(known, fund)| known == cid && *fund == one.fund));
        for (cid, fund) in funds {
            let Some(status) = files.status(&cid) else {
                all.remove(&cid);
                continue;
            };
            // Whose account is to be paid, the wallet says.
            sharing.ledger.wake();
            let account = untrack(|| sharing.ledger.account());
            let one = all.entry(cid).or_insert_with(|| Reports::new(fund));
            one.look(&status, account, &peer).await;
        }
        let told: BTreeMap<String, Earned> =
            all.iter().map(|(cid, one)| (cid.clone(), one.earned.clone())).collect();
        if *sharing.earned.read_untracked() != told {
            sharing.earned.set(told);
        }
    }
}

impl Reports {
    fn new(fund: String) -> Self {
        let earned = Earned { state: "starting".to_owned(), ..Earned::default() };
        Self { fund, account: None, tally: Tally::default(), next_ms: 0, earned }
    }

    async fn look(&mut self, status: &ShareStatus, account: Option<String>, peer: &Peer) {
        let peers = &status.share.peers;
        self.tally.count(&peers.iter().map(|one| (one.peer, one.received_bytes)).collect());
        if self.account != account {
            self.account = account;
            // A fund that does not pay for this share is not asked again.
            self.next_ms = if self.next_ms == u64::MAX { u64::MAX } else { 0 };
        }
        if browser::now_ms() >= self.next_ms {
            self.next_ms = browser::now_ms().saturating_add(AGAIN_MS);
            if self.report(status, peer).await.is_none() {
                self.earned.state = "unreachable".to_owned();
            }
        }
    }

    /// None: the fund did not answer, or not as one.
    async fn report(&mut self, status: &ShareStatus, peer: &Peer) -> Option<()> {
        if self.tally.terms().is_none() {
            let (code, answer) = self.tell(None).await?;
            if code != 200 || !self.tally.read_terms(&answer) {
                return None;
            }
        }
        let account = self.account.as_ref().and_then(|account| account.parse().ok());
        let said = self.tally.said(status.room.swarm.parse().ok()?, account)?;
        let signature = peer.attest(&said);
        let report = Tally::report(peer.view().peer.parse().ok()?, said, &signature);
        let (code, answer) = self.tell(Some(&report)).await?;
        match code {
            200 => {
                let units = |name| browser::json_text(&answer, name)?.parse().ok();
                let after = u64::try_from(self.tally.heard().as_millis()).unwrap_or(AGAIN_MS);
                self.next_ms = browser::now_ms().saturating_add(after);
                self.earned.units = units("earned").unwrap_or_default();
                self.earned.paid = units("paid").unwrap_or_default();
                "on".clone_into(&mut self.earned.state);
            }
            409 => {
                self.tally.anew();
                self.next_ms = 0;
            }
            404 => {
                self.next_ms = u64::MAX;
                "off".clone_into(&mut self.earned.state);
            }
            _ => return None,
        }
        Some(())
    }

    async fn tell(&self, report: Option<&[u8]>) -> Option<(u16, Vec<u8>)> {
        browser::told(&self.fund, report, ANSWER_BYTES_MAX, ANSWER_MS).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn funds_of_shares_are_read_line_by_line() {
        let text = "bafyone https://pay.example/fund\nrubbish\nbafytwo https://other.example/f?a b";
        let all = noted(text);
        assert_eq!(all[0], ("bafyone".to_owned(), "https://pay.example/fund".to_owned()));
        assert_eq!(all[1].0, "bafytwo");
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn what_a_link_says_does_not_change_what_was_named_here() {
        let own = "bafyone https://mine.example/fund";
        let linked = "bafytwo https://pay.example/fund\nbafyone https://other.example/fund";
        let all = together(own, linked);
        assert_eq!(all.len(), 2);
        assert_eq!(of(all.clone(), "bafyone").as_deref(), Some("https://mine.example/fund"));
        assert_eq!(of(all.clone(), "bafytwo").as_deref(), Some("https://pay.example/fund"));
        assert_eq!(of(all, "bafythree"), None);
    }
}
