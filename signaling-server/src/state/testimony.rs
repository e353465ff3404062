//! The witness's outcome as a message.

use wire::signaling::{Base64, ErrorCode, FromServer, WitnessStatement};

use super::State;
use crate::witness::Unseen;

impl State {
    /// Looks at a URL and says, signed, what it is; or why not.
    pub(crate) async fn testify(&self, host: Option<&str>, id: u32, url: String) -> FromServer {
        let (outcome, looked) = self.witness().look(host, &url).await;
        self.metrics().witness(match (&outcome, looked) {
            (Ok(_), true) => "fetched",
            (Ok(_), false) => "remembered",
            (Err(_), true) => "failed",
            (Err(_), false) => "refused",
        });
        let seen = match outcome {
            Ok(seen) => seen,
            Err(unseen) => return self.unseen(id, unseen),
        };
        if looked {
            self.metrics().witness_bytes.inc_by(u64::from(seen.size_bytes));
        }
        let pieces = Base64(seen.pieces.clone());
        let (size_bytes, sha256) = (seen.size_bytes, seen.sha256);
        let statement = WitnessStatement { url, size_bytes, sha256, pieces };
        let signature = statement.sign(self.key());
        FromServer::Witness { id, statement, signature }
    }

    fn unseen(&self, id: u32, unseen: Unseen) -> FromServer {
        let code = match unseen {
            Unseen::Nothing => ErrorCode::NoWitness,
            Unseen::Forbidden | Unseen::NotPublic => ErrorCode::Forbidden,
            Unseen::Unreachable
            | Unseen::TimedOut
            | Unseen::Status(_)
            | Unseen::TooLong
            | Unseen::NoFile => ErrorCode::Unfetched,
        };
        let failure_ms = self.config().witness.failure_ms;
        let retry_after_ms = (code == ErrorCode::Unfetched).then_some(failure_ms);
        let message = unseen.to_string();
        FromServer::Error { code, message, swarm: None, id: Some(id), retry_after_ms }
    }
}
