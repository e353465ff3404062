//! What ends a command early: what happened, what to do, and the exit code.

use std::fmt;

use ledger_node::{NetworkError, NodeError};
use starling::content::ContentError;
use starling::demo::{DemoError, LiveError};
use starling::key_file::KeyFileError;
use starling::ledger_client::ClientError;
use starling::publish::PublishError;
use starling::serve::ServeError;
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

    /// A credential or a grant that does not hold, or is not made.
    pub(crate) fn identity(what: &impl ToString, remedy: &str) -> Self {
        Self::new("identity", what, remedy)
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
            _ => "Check the files that `starling validator --print-config` names.",
        };
        Self::new("ledger", &error, remedy)
    }
}

impl From<NetworkError> for Problem {
    fn from(error: NetworkError) -> Self {
        Self::new("network", &error, "Name a new folder with --out DIR: nothing is overwritten.")
    }
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        Self::new(error.code(), &error, error.remedy())
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
