//! Tells whoever pays for a share what came from whom, while the person chose to earn, as the player does of a video.
//!
//! Which fund a share has, its link says (`?fund=` before the `#`), and this browser remembers. Of a share that was made
//! here its maker says it: no link changes that, and only that one goes out with the share's own link. What is counted and
//! said is decided in `payments::fund::Tally`.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use gloo_timers::future::sleep;
use leptos::prelude::*;
use leptos::task::spawn_local;
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
    /// The fund is being told. A slow one holds up nobody else's.
    is_busy: bool,
    /// It said that its terms are others, and has taken no report since.
    is_anew: bool,
    earned: Earned,
}

/// Held by the round that counts and by the one that tells.
type One = Rc<RefCell<Reports>>;

/// Reports of all open shares, as long as the page lives.
pub(crate) async fn run(files: Files, peer: Peer, sharing: Sharing) {
    let mut all: BTreeMap<String, One> = BTreeMap::new();
    loop {
        sleep(LOOK_EVERY).await;
        let earns = Settings::load(browser::kept).earn;
        let funds = if earns { funds() } else { Vec::new() };
        all.retain(|cid, one| {
            let one = one.borrow();
            funds.iter().any(|(known, fund)| known == cid && *fund == one.fund)
        });
        for (cid, fund) in funds {
            let Some(status) = files.status(&cid) else {
                all.remove(&cid);
                continue;
            };
            // Whose account is to be paid, the wallet says.
            sharing.ledger.wake();
            let account = untrack(|| sharing.ledger.account());
            let one = all.entry(cid).or_insert_with(|| Reports::open(fund));
            if one.borrow_mut().look(&status, account) {
                let (one, peer) = (Rc::clone(one), peer.clone());
                spawn_local(async move { tell(&one, &status.room.swarm, &peer).await });
            }
        }
        let told: BTreeMap<String, Earned> =
            all.iter().map(|(cid, one)| (cid.clone(), one.borrow().earned.clone())).collect();
        if *sharing.earned.read_untracked() != told {
            sharing.earned.set(told);
        }
    }
}

/// Tells the fund, and takes its answer.
async fn tell(one: &One, swarm: &str, peer: &Peer) {
    let account = one.borrow().account.clone();
    let heard = report(one, swarm, peer).await;
    let mut one = one.borrow_mut();
    one.is_busy = false;
    if heard.is_none() {
        "unreachable".clone_into(&mut one.earned.state);
    }
    if one.account != account {
        one.ask_soon();
    }
}

/// None: the fund did not answer, or not as one.
async fn report(one: &One, swarm: &str, peer: &Peer) -> Option<()> {
    let (fund, has_terms) = {
        let one = one.borrow();
        (one.fund.clone(), one.tally.terms().is_some())
    };
    if !has_terms {
        let (code, answer) = ask(&fund, None).await?;
        if code != 200 || !one.borrow_mut().tally.read_terms(&answer) {
            return None;
        }
    }
    let said = {
        let mut one = one.borrow_mut();
        let account = one.account.as_ref().and_then(|account| account.parse().ok());
        one.tally.said(swarm.parse().ok()?, account)?
    };
    let signature = peer.attest(&said);
    let report = Tally::report(peer.view().peer.parse().ok()?, said, &signature);
    let (code, answer) = ask(&fund, Some(&report)).await?;
    one.borrow_mut().hear(code, &answer)
}

async fn ask(fund: &str, report: Option<&[u8]>) -> Option<(u16, Vec<u8>)> {
    browser::told(fund, report, ANSWER_BYTES_MAX, ANSWER_MS).await
}

impl Reports {
    fn open(fund: String) -> One {
        let earned = Earned { state: "starting".to_owned(), ..Earned::default() };
        Rc::new(RefCell::new(Self {
            fund,
            account: None,
            tally: Tally::default(),
            next_ms: 0,
            is_busy: false,
            is_anew: false,
            earned,
        }))
    }

    /// Counts; whether the fund is to be told now.
    fn look(&mut self, status: &ShareStatus, account: Option<String>) -> bool {
        let peers = &status.share.peers;
        self.tally.count(&peers.iter().map(|one| (one.peer, one.received_bytes)).collect());
        if self.account != account {
            self.account = account;
            self.ask_soon();
        }
        if self.is_busy || browser::now_ms() < self.next_ms {
            return false;
        }
        self.is_busy = true;
        self.next_ms = browser::now_ms().saturating_add(AGAIN_MS);
        true
    }

    /// A fund that does not pay for this share is not asked again.
    const fn ask_soon(&mut self) {
        if self.next_ms != u64::MAX {
            self.next_ms = 0;
        }
    }

    /// Takes the answer to a report; none: it is none.
    fn hear(&mut self, code: u16, answer: &[u8]) -> Option<()> {
        match code {
            200 => {
                let units = |name| browser::json_text(answer, name)?.parse().ok();
                let after = u64::try_from(self.tally.heard().as_millis()).unwrap_or(AGAIN_MS);
                self.next_ms = browser::now_ms().saturating_add(after);
                self.is_anew = false;
                self.earned.units = units("earned").unwrap_or_default();
                self.earned.paid = units("paid").unwrap_or_default();
                "on".clone_into(&mut self.earned.state);
            }
            409 => {
                self.tally.anew();
                // One that says so again is not asked in a circle.
                if !self.is_anew {
                    self.next_ms = 0;
                }
                self.is_anew = true;
            }
            404 => {
                self.next_ms = u64::MAX;
                "off".clone_into(&mut self.earned.state);
            }
            _ => return None,
        }
        Some(())
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

    #[test]
    fn a_fund_whose_terms_are_others_twice_is_not_asked_in_a_circle() {
        let one = Reports::open("https://pay.example/fund".to_owned());
        let mut one = one.borrow_mut();
        let mut hear = |code, next_ms| {
            one.next_ms = next_ms;
            let heard = one.hear(code, b"").is_some();
            (heard, one.next_ms)
        };
        assert_eq!(hear(409, 7_000), (true, 0));
        assert_eq!(hear(409, 7_000), (true, 7_000));
        assert_eq!(hear(500, 7_000), (false, 7_000));
        assert_eq!(hear(404, 7_000), (true, u64::MAX));
        one.ask_soon();
        assert_eq!(one.next_ms, u64::MAX);
    }
}
