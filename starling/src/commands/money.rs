//! What `get` and `seed` are told about paying for bytes.

use std::path::{Path, PathBuf};

use ledger::AccountId;
use light_client::TrustRoot;
use peer_native::Server;
use starling::fund::Reported;
use starling::key_file;
use starling::purse::{Earn, Options, Pay, PurseError};
use starling::share::ShareError;

/// Which ledger.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(super) struct Which {
    /// A server of the ledger, if it is not the server that introduces peers
    #[arg(long, value_name = "URL")]
    node: Option<String>,
    /// Which ledger it must be, as the Ledger page shows it [default: the one that the server runs]
    #[arg(long, value_name = "ROOT")]
    ledger_root: Option<TrustRoot>,
}

/// To pay for what comes.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(super) struct Paying {
    /// Pay peers that ask for it, from the account of this key; a new key is made unless it is there
    #[arg(long, value_name = "FILE")]
    pay: Option<PathBuf>,
    /// Most units to pay in all; so many are set aside in a pool, which the next `get` uses again
    #[arg(long, value_name = "UNITS", default_value_t = 1_000_000, requires = "pay")]
    spend: u128,
    /// Most units for a MiB; who wants more is not paid
    #[arg(long, value_name = "UNITS", default_value_t = 10_000, requires = "pay")]
    price_max: u64,
    #[command(flatten)]
    which: Which,
}

/// To be paid for what is given.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(super) struct Earning {
    /// Ask takers to pay the account of this key; a new key is made unless it is there
    #[arg(long, value_name = "FILE")]
    earn: Option<PathBuf>,
    /// Units for a MiB
    #[arg(long, value_name = "UNITS", default_value_t = 1_000, requires = "earn")]
    price: u64,
    /// Serve who does not pay no further than a first credit of 2 MiB
    #[arg(long, requires = "earn")]
    must_pay: bool,
    /// Keep nothing of what others earned and left here. Otherwise it is handed in for those who don't come back in time,
    /// for fees of at most 50,000 units a day
    #[arg(long, requires = "earn")]
    keep_nothing: bool,
    #[command(flatten)]
    which: Which,
}

/// To tell a fund who gave what, so that those who give are paid.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(super) struct Funded {
    /// Tell this fund what came from whom, so that it pays them: the address that `starling fund` prints
    #[arg(long, value_name = "URL")]
    fund: Option<String>,
    /// The account that the fund pays for what is given from here
    #[arg(long, value_name = "ACCOUNT", requires = "fund")]
    fund_account: Option<AccountId>,
}

impl Funded {
    /// What the library takes; none: nobody is told.
    pub(super) fn options(&self) -> Option<Reported> {
        let url = self.fund.clone()?;
        Some(Reported { url, account: self.fund_account })
    }
}

impl Paying {
    /// What the library takes; none: nothing is paid.
    pub(super) fn options(
        &self,
        server: &Server,
        data: &Path,
    ) -> Result<Option<Options>, ShareError> {
        let Some(file) = &self.pay else { return Ok(None) };
        let (spend_max, per_mib_max) = (self.spend, self.price_max);
        let pay = Some(Pay { spend_max, per_mib_max, data: data.to_owned() });
        self.which.options(server, file, pay, None).map(Some)
    }
}

impl Earning {
    /// What the library takes; none: what is given is a gift.
    pub(super) fn options(&self, server: &Server) -> Result<Option<Options>, ShareError> {
        let Some(file) = &self.earn else { return Ok(None) };
        let (per_mib, required, keeps) = (self.price, self.must_pay, !self.keep_nothing);
        let earn = Some(Earn { per_mib, required, keeps });
        self.which.options(server, file, None, earn).map(Some)
    }
}

impl Which {
    fn options(
        &self,
        server: &Server,
        file: &Path,
        pay: Option<Pay>,
        earn: Option<Earn>,
    ) -> Result<Options, ShareError> {
        let node = self.node.as_deref().unwrap_or_else(|| server.page()).to_owned();
        let key = key_file::load_or_create(file).map_err(PurseError::Key)?.key;
        Ok(Options { node, root: self.ledger_root, key, pay, earn })
    }
}
