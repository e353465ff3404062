//! What ends a command early: what happened, what to do, and the exit code.

use std::fmt;

use ledger_node::ceremony::CeremonyError;
use ledger_node::{NetworkError, NodeError, SnapshotError, SuccessionError};
use meter_data::ReadError;
use starling::beginning::BeginError;
use starling::content::ContentError;
use starling::demo::{DemoError, LiveError};
use starling::keepers::ReportError;
use starling::keepers::demo::SetUpError;
use starling::key_file::KeyFileError;
use starling::ledger_client::{ClientError, FetchError};
use starling::metering::MeteringError;
use starling::publish::PublishError;
use starling::purse::PurseError;
use starling::serve::{PageError, ServeError};
use starling::settings::SettingsError;
use starling::share::ShareError;

/// An error as a person reads it.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    pub(crate) what: String,
    pub(crate) remedy: String,
    pub(crate) exit_code: u8,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}\n  {}", self.what, self.remedy)
    }
}

impl Problem {
    fn new(code: &'static str, error: &impl ToString, remedy: impl Into<String>) -> Self {
        Self { code, what: error.to_string(), remedy: remedy.into(), exit_code: 1 }
    }

    /// No folder to keep the key in.
    pub(crate) fn no_home() -> Self {
        Self::new("no-home", &"no home folder to keep the key in", "Name a file with --key FILE.")
    }

    /// The port for HTTP can't be had.
    pub(crate) fn no_port(address: std::net::SocketAddr, error: &std::io::Error) -> Self {
        let what = format!("cannot listen on {address}: {error}");
        Self::new("listen", &what, "Choose another with `http` in the validator's settings.")
    }

    /// The port of a fund can't be had.
    pub(crate) fn no_fund_port(address: std::net::SocketAddr, error: &std::io::Error) -> Self {
        let what = format!("cannot listen on {address}: {error}");
        Self::new("listen", &what, "Choose another with --listen ADDRESS.")
    }

    /// A proxy that is no address.
    pub(crate) fn no_proxy(error: &std::net::AddrParseError) -> Self {
        let remedy = "Name it like 10.0.0.0/8 or 127.0.0.1 with --proxy.";
        Self { exit_code: 2, ..Self::new("proxy", error, remedy) }
    }

    /// The same in a validator's settings.
    pub(crate) fn no_trusted_proxy(error: &std::net::AddrParseError) -> Self {
        let remedy = "Name it like 10.0.0.0/8 or 127.0.0.1 in `trusted_proxies`.";
        Self { exit_code: 2, ..Self::new("proxy", error, remedy) }
    }

    /// A credential or a grant that does not hold, or is not made.
    pub(crate) fn identity(what: &impl ToString, remedy: &str) -> Self {
        Self::new("identity", what, remedy)
    }

    /// Nobody to sign.
    pub(crate) fn no_key() -> Self {
        let what = "a liquidation is signed and paid by somebody";
        let remedy =
            "Name the liquidator's key with --key FILE, or leave it at looking with --dry-run.";
        Self { exit_code: 2, ..Self::new("no-key", &what, remedy) }
    }

    /// Neither a key nor a draft for several to sign.
    pub(crate) fn no_signer() -> Self {
        let what = "nobody signs it";
        let remedy = "Name the account's key with --key FILE, or write a draft with --draft FILE.";
        Self { exit_code: 2, ..Self::new("no-key", &what, remedy) }
    }

    /// No market that is trusted.
    pub(crate) fn no_market() -> Self {
        let what = "anybody opens a market and says what its collateral is worth";
        let remedy = "Name markets you trust with --market NUMBER, or look with --dry-run.";
        Self { exit_code: 2, ..Self::new("no-market", &what, remedy) }
    }

    /// A market without prices.
    pub(crate) fn stale(market: u32, borrowers: usize) -> Self {
        let what = format!("market {market}: {borrowers} borrowers have something without a price");
        let remedy = "Too few of a feed's reporters report, or a jump waits to be confirmed.";
        Self::new("stale-price", &what, remedy)
    }

    /// A file that can't be read from the disk.
    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        let what = format!("cannot read {}: {error}", path.display());
        Self::new("file", &what, "Check its name and whether you may read it.")
    }

    /// A file of meter readings without a reading.
    pub(crate) fn no_readings(path: &std::path::Path) -> Self {
        let what = format!("no reading of {} could be read", path.display());
        Self::new("no-readings", &what, "The lines that were not read, and why, are listed above.")
    }

    /// A file of more than one meter.
    pub(crate) fn several_meters(ids: &[&str]) -> Self {
        let what = format!("the file has {} meters: {}", ids.len(), ids.join(", "));
        let remedy = "Say which one this meter is with --of ID.";
        Self { exit_code: 2, ..Self::new("several-meters", &what, remedy) }
    }

    /// What meters sealed is not all as the ledger has it.
    pub(crate) fn openings(bad: usize, all: usize) -> Self {
        let what = format!("{bad} of {all} are not what the ledger has, or show a lie");
        let remedy = "Those above say which. Ask their owners; --expose cuts a meter that lied.";
        Self { exit_code: 3, ..Self::new("openings", &what, remedy) }
    }

    /// Sealed files that this key does not open, or that can't be read.
    pub(crate) fn unopened(unopened: usize, all: usize) -> Self {
        let what = format!("{unopened} of {all} hold nothing for this key on this ledger");
        let remedy = "Those above say which; the others are what the ledger has. Give the key whose \
                      did:key the meter was told with --group, and a validator of its ledger.";
        Self::new("not-for-me", &what, remedy)
    }

    /// `--out` is needed.
    pub(crate) fn no_out() -> Self {
        let what = "a manifest of a stream on the web must be written somewhere";
        let remedy = "Name a folder with --out DIR, then upload what is in it beside the playlist.";
        Self { exit_code: 2, ..Self::new("no-out", &what, remedy) }
    }
}

impl From<ContentError> for Problem {
    fn from(error: ContentError) -> Self {
        let exit_code = error.exit_code();
        Self { exit_code, ..Self::new(error.code(), &error, error.remedy()) }
    }
}

impl From<ShareError> for Problem {
    fn from(error: ShareError) -> Self {
        let exit_code = error.exit_code();
        Self { exit_code, ..Self::new(error.code(), &error, error.remedy()) }
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        let exit_code = error.exit_code();
        Self { exit_code, ..Self::new(error.code(), &error, error.remedy()) }
    }
}

impl From<relay::RelayError> for Problem {
    fn from(error: relay::RelayError) -> Self {
        Self::new("relay", &error, starling::relay::remedy(&error))
    }
}

impl From<ServeError> for Problem {
    fn from(error: ServeError) -> Self {
        Self::new("serve", &error, error.remedy())
    }
}

impl From<PageError> for Problem {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Content(error) => error.into(),
            PageError::Name(_) | PageError::NoDocument => {
                let remedy =
                    "Take a program that was built with its page, as `cargo xtask dist` does.";
                Self::new("no-page", &error, remedy)
            }
        }
    }
}

impl From<SettingsError> for Problem {
    fn from(error: SettingsError) -> Self {
        let remedy = "The same command with --print-config shows every setting with its default.";
        Self { exit_code: 2, ..Self::new("config", &error, remedy) }
    }
}

impl From<NodeError> for Problem {
    fn from(error: NodeError) -> Self {
        let remedy = match &error {
            NodeError::Ended => "The log above says why; its records are safe: start it again.",
            NodeError::Locked(_) => "Stop the other one, or give this one another `data` folder.",
            NodeError::Unfinished(_) => {
                "Restore it again: `starling ledger restore FILE`, or start it with --snapshot-from URL."
            }
            NodeError::Epoch { .. } | NodeError::Unnamed { .. } => {
                "Take back the network's file as it was, and choose a later block with `starling keys successor`."
            }
            NodeError::Over { .. } => {
                "Start it with the secrets of the validators who took over, or with a folder of its own."
            }
            NodeError::Keep(_) => "Change `keep_blocks` in the validator's settings.",
            _ => "Check the files that `starling validator --print-config` names.",
        };
        Self::new("ledger", &error, remedy)
    }
}

impl From<BeginError> for Problem {
    fn from(error: BeginError) -> Self {
        let remedy = "Leave out `snapshot_from` to begin a ledger of this validator alone.";
        Self { exit_code: 2, ..Self::new("config", &error, remedy) }
    }
}

impl From<SnapshotError> for Problem {
    fn from(error: SnapshotError) -> Self {
        let remedy = match &error {
            SnapshotError::Used(_) => "Name settings whose `data` folder holds its secrets only.",
            SnapshotError::RollBack => {
                "Start it with its own ledger if there is one. With --roll-back it begins with the \
                 snapshot, and whoever saw later blocks sees two histories."
            }
            SnapshotError::Epoch { .. } => {
                "Fetch it again when the validators before have made their last block."
            }
            SnapshotError::Network(_) | SnapshotError::Records(_) | SnapshotError::Io(_) => {
                "Check the files that the validator's settings name, and the disk."
            }
            _ => {
                "Fetch it again, from another validator: `starling ledger snapshot FILE --node URL`."
            }
        };
        Self::new("snapshot", &error, remedy)
    }
}

impl From<FetchError> for Problem {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Client(error) => error.into(),
            FetchError::Stalled(_) | FetchError::TooLong(_) => {
                Self::new("snapshot", &error, "Fetch it from another validator with --node URL.")
            }
            FetchError::Io(_) => Self::new("snapshot", &error, "Name another file."),
        }
    }
}

impl From<CeremonyError> for Problem {
    fn from(error: CeremonyError) -> Self {
        let remedy = match error {
            CeremonyError::Network(error) => return error.into(),
            CeremonyError::Waits(_) => {
                "Get them from whose they are. What is missing from one who never answers is left out with \
                 --without NAME, by all of you."
            }
            CeremonyError::Unacknowledged(_) => {
                "Get their acks files. The share of one who never answers is made public with --reveal NAME: \
                 it then counts as faulty for good. It is better to begin again without them."
            }
            CeremonyError::Letter { .. } | CeremonyError::TooLarge { .. } => {
                "Get that file from whose it is, into the folder of the ceremony."
            }
            CeremonyError::There(_) => {
                "Nothing is overwritten: name another folder. What was taken, and never ran, is taken again \
                 when network.toml and validator.share are deleted."
            }
            CeremonyError::NotADealer(_)
            | CeremonyError::NotAPlayer(_)
            | CeremonyError::WrongShare => {
                "Name your own folder with --home DIR: in a resharing, who deals names the one that its \
                 validator runs with, who gets a share the one that `join` made."
            }
            CeremonyError::TooFew { .. } | CeremonyError::Revealed(_) | CeremonyError::Lost(_) => {
                "`starling keys ceremony begin` in another folder; the join files may be used again."
            }
            _ => "`starling keys ceremony show FOLDER` says who takes part in which ceremony.",
        };
        Self::new("ceremony", &error, remedy)
    }
}

impl From<NetworkError> for Problem {
    fn from(error: NetworkError) -> Self {
        let remedy = match &error {
            NetworkError::Succession(SuccessionError::Alone(_)) => {
                "Leave out --reshare: a fresh key is what takes it from the one who has it."
            }
            NetworkError::Succession(_) => "Choose a later block with --height HEIGHT.",
            _ => "Name a new folder with --out DIR: nothing is overwritten.",
        };
        Self::new("network", &error, remedy)
    }
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        let exit_code = error.exit_code();
        Self { exit_code, ..Self::new(error.code(), &error, error.remedy()) }
    }
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        let exit_code = error.exit_code();
        Self { exit_code, ..Self::new(error.code(), &error, error.remedy()) }
    }
}

impl From<SetUpError> for Problem {
    fn from(error: SetUpError) -> Self {
        match error {
            SetUpError::Client(error) => error.into(),
            SetUpError::Report(error) => error.into(),
            SetUpError::Key(error) => error.into(),
            SetUpError::Io { .. } => {
                Self::new("io", &error, "Name another folder with --data DIR.")
            }
        }
    }
}

impl From<MeteringError> for Problem {
    fn from(error: MeteringError) -> Self {
        let exit_code = error.exit_code();
        Self { exit_code, ..Self::new(error.code(), &error, error.remedy()) }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        let remedy = match &error {
            ReadError::ZoneNeeded { .. } => {
                "Say where the meter is with --zone, such as --zone Europe/Amsterdam."
            }
            ReadError::UnknownFormat | ReadError::NoColumns => {
                "A CSV file needs a line with names such as `time` and `import kWh`; another format \
                 is named with --format."
            }
            ReadError::NotText => "Unpack it, or save it as UTF-8.",
            ReadError::TooLarge { .. } | ReadError::TooMany { .. } => {
                "Export a shorter span, or fewer meters at a time."
            }
            ReadError::Empty | ReadError::Xml { .. } => "Export or download it again.",
        };
        Self::new(error.code(), &error, remedy)
    }
}

impl From<PurseError> for Problem {
    fn from(error: PurseError) -> Self {
        let remedy = match &error {
            PurseError::Short { .. } => {
                "Set less aside with --amount, or send the account more units."
            }
            error => error.remedy(),
        };
        Self { exit_code: 7, ..Self::new(error.code(), &error, remedy) }
    }
}

impl From<KeyFileError> for Problem {
    fn from(error: KeyFileError) -> Self {
        Self::new("key", &error, "Check the file, or name another with --key FILE.")
    }
}

impl From<DemoError> for Problem {
    fn from(error: DemoError) -> Self {
        Self::new("demo", &error, error.remedy())
    }
}

impl From<LiveError> for Problem {
    fn from(error: LiveError) -> Self {
        Self::new("live", &error, "Give the folder of a demo with --from DIR, or leave it out.")
    }
}
