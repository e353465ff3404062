//! A reporter of one feed: what it signs and in which order.

use std::time::Duration;

use ledger::domains::oracle::{self, Feed, Report};
use ledger::{AccountId, Action, Code as _, TransactionId};
use primitives::KeyPair;

use super::{BadReading, Price};
use crate::ledger_client::{Client, ClientError, Nodes, Waits};

/// Blocks in which a report may be: what a ledger that stood still finds later is of no use.
const EXPIRY_BLOCKS: u64 = 20;
/// Seconds by which a report is older than the clock says: the block that will hold it may have begun a
/// moment ago, and what was seen after its block is refused.
const MARGIN_S: u64 = 1;
/// Times between reports that a report counts.
const PER_AGE: u64 = 3;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The ledger.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// There is no such feed.
    #[error("there is no feed {0}")]
    NoFeed(u32),
    /// The key's account is none of the feed's reporters.
    #[error("account {account} does not report to feed {feed}")]
    NotReporter {
        /// Which feed.
        feed: u32,
        /// Which account.
        account: AccountId,
    },
    /// No price was read.
    #[error("no price was read: {0}")]
    Reading(#[from] BadReading),
}

impl ReportError {
    /// For programs: stable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Client(error) => error.code(),
            Self::NoFeed(_) => "no-feed",
            Self::NotReporter { .. } => "not-reporter",
            Self::Reading(_) => "bad-reading",
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Client(ClientError::Failed { code, .. })
                if *code == oracle::Error::FromTheFuture.code() =>
            {
                "This machine's clock is ahead of the validator's: set it."
            }
            Self::Client(error) => error.remedy(),
            Self::NoFeed(_) => "Name a feed that was created with --feed NUMBER.",
            Self::NotReporter { .. } => {
                "Give the key of one of its reporters with --key FILE; `starling keys show FILE` names \
                 a key's account."
            }
            Self::Reading(BadReading::Old { .. }) => {
                "See whether what writes the file still runs, or allow more with --file-age-max \
                 SECONDS."
            }
            Self::Reading(_) => {
                "The file or the command must give one decimal number with at most 8 decimals, like \
                 1234.56, between --at-least and --at-most."
            }
        }
    }

    /// Exit code of the process: 1 the ledger refused it, 2 the feed or the key is wrong, 4 no price was
    /// read, 6 no validator answered.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Client(error) => error.exit_code(),
            Self::NoFeed(_) | Self::NotReporter { .. } => 2,
            Self::Reading(_) => 4,
        }
    }

    /// Whether the next price may be reported all the same.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Client(_) | Self::Reading(_))
    }
}

/// A report that is in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported {
    /// What was said.
    pub report: Report,
    /// In which block.
    pub height: u64,
    /// By which transaction.
    pub transaction: TransactionId,
}

/// Who reports to one feed. What it said before stands in the ledger: it keeps nothing.
#[derive(Debug)]
pub struct Reporter {
    key: KeyPair,
    feed: u32,
    /// Its position among the feed's reporters.
    place: u8,
    age_max_s: u64,
    /// Units paid beyond the fee: more than its own report that waits, so that the newer one takes its
    /// place.
    extra: u128,
}

impl Reporter {
    /// The reporter to a feed that has this key.
    ///
    /// # Errors
    /// No feed, another's feed, or no answer.
    pub async fn open(nodes: &mut Nodes, key: KeyPair, feed: u32) -> Result<Self, ReportError> {
        let asked = oracle::feed_key(feed);
        let found: Option<Feed> =
            nodes.ask(async |client: &Client| client.record(&asked).await).await?;
        let Feed { reporters, age_max_s, .. } = found.ok_or(ReportError::NoFeed(feed))?;
        let account = AccountId::of_key(key.id());
        let place = reporters.binary_search(&account).ok().and_then(|place| place.try_into().ok());
        let place = place.ok_or(ReportError::NotReporter { feed, account })?;
        Ok(Self { key, feed, place, age_max_s, extra: 0 })
    }

    /// Time between its reports, unless somebody says another.
    pub const fn every(&self) -> Duration {
        every(self.age_max_s)
    }

    /// Signs a price that was read at `now_s` and waits until a block holds it.
    ///
    /// # Errors
    /// No answer, a refusal, or no block within the time.
    pub async fn report(
        &mut self,
        nodes: &mut Nodes,
        price: Price,
        now_s: u64,
        within: Duration,
    ) -> Result<Reported, ReportError> {
        let asked = oracle::report_key(self.feed, self.place);
        let last: Option<Report> =
            nodes.ask(async |client: &Client| client.record(&asked).await).await?;
        let report = next(last, price, now_s);
        let Report { price, seen_s, number } = report;
        let action =
            Action::Oracle(oracle::Action::Report { feed: self.feed, price, seen_s, number });
        let waits = Waits { extra: self.extra, blocks: Some(EXPIRY_BLOCKS), fee_max: None };
        let transaction = nodes.act(&self.key, &action, waits).await?;
        let done = nodes.ask(async |client: &Client| client.done(transaction, within).await).await;
        self.extra = match &done {
            Err(ClientError::Waiting(_)) => self.extra.saturating_add(1),
            _ => 0,
        };
        let height = done?["height"].as_u64().unwrap_or_default();
        Ok(Reported { report, height, transaction })
    }
}

/// Time between reports that count so long: a third of it, at least a second.
pub(super) const fn every(age_max_s: u64) -> Duration {
    let every_s = age_max_s / PER_AGE;
    Duration::from_secs(if every_s == 0 { 1 } else { every_s })
}

/// What is said after the last word: a larger number, not seen before it.
fn next(last: Option<Report>, price: Price, now_s: u64) -> Report {
    let (said_s, number) = last.map_or((0, 0), |last| (last.seen_s, last.number));
    Report {
        price: price.units(),
        seen_s: now_s.saturating_sub(MARGIN_S).max(said_s),
        number: number.saturating_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_time_does_not_fall_whatever_the_clock_does() {
        let price: Price = "2".parse().unwrap();
        let first = next(None, price, 100);
        assert_eq!(first, Report { price: 200_000_000, seen_s: 99, number: 1 });
        let back = next(Some(first), price, 50);
        assert_eq!((back.seen_s, back.number), (99, 2));
        assert_eq!(next(Some(back), price, 200).seen_s, 199);
        let many = Report { number: 41, ..first };
        assert_eq!(next(Some(many), price, 100).number, 42, "another process of the key went on");
    }

    #[test]
    fn a_clock_that_is_ahead_has_a_remedy_of_its_own() {
        let code = oracle::Error::FromTheFuture.code();
        let transaction = TransactionId::new([1; 32]);
        let failed = ReportError::from(ClientError::Failed { transaction, height: 1, code });
        assert!(failed.remedy().contains("clock"));
    }
}
