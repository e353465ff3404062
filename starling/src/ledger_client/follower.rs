//! Whose blocks are believed, and that it is not forgotten who took over.

use std::sync::{Mutex, PoisonError};

use light_client::{Header, RootError, TrustRoot, Verifier};
use wire::ledger::{Finality, Successions};

use super::{CBOR, Client, ClientError};

/// Checks proofs of one ledger. It remembers whom it followed, whichever server it asks next: those who were
/// replaced are believed no more for as long as it lives.
#[derive(Debug)]
pub struct Follower(Mutex<Verifier>);

impl Follower {
    /// One that knows nothing but a trust root.
    ///
    /// # Errors
    /// The root's key is no key.
    pub fn new(root: &TrustRoot) -> Result<Self, RootError> {
        Ok(Self(Mutex::new(Verifier::new(root)?)))
    }

    /// How many successions it followed.
    pub fn epoch(&self) -> u64 {
        self.known().epoch()
    }

    fn known(&self) -> Verifier {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers what follows on what it knows, and nothing else: another may have been first. What it knows then.
    fn learn(&self, followed: Verifier) -> Verifier {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if followed.identities().starts_with(known.identities()) {
            *known = followed;
        }
        known.clone()
    }

    /// The headers that a server shows as final now. If others make the blocks, it is asked who named them.
    pub(crate) async fn headers(
        &self,
        server: &Client,
        finality: &Finality,
    ) -> Result<Vec<Header>, ClientError> {
        let mut verifier = self.known();
        if !verifier.knows(finality) {
            verifier = self.learn(follow(server, verifier).await?);
        }
        verifier.newest(finality).map_err(|_| server.form())
    }
}

/// A verifier that knows who took over since from the validators that `verifier` knows, as a server proves it.
async fn follow(server: &Client, mut verifier: Verifier) -> Result<Verifier, ClientError> {
    loop {
        let path = format!("successions?after={}", verifier.epoch());
        let (good, bytes) = server.ask(&path, None, CBOR).await?;
        if !good {
            return Err(server.refused(&bytes));
        }
        let Successions(found) = Successions::read(&bytes).ok_or_else(|| server.form())?;
        if found.is_empty() {
            return Ok(verifier);
        }
        for proof in &found {
            verifier.succeed(proof).map_err(|_| server.form())?;
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, extract::RawQuery, routing::get};
    use ledger::Key;
    use light_client::testing::{Ledger, State};
    use tokio::net::TcpListener;

    use super::*;

    const KEY: &[u8] = b"held";
    const TIME_MS: u64 = 1_790_000_000_000;

    fn state(held: u8) -> State {
        State::of(&[(KEY, &[held]), (b"other", b"x")], 3, 0)
    }

    /// A server that is at a block.
    async fn serve(ledger: &Ledger, height: u64) -> Client {
        let (proof, ledger) = (ledger.state_proof(height, KEY).to_bytes(), ledger.clone());
        let named = move |RawQuery(query): RawQuery| async move {
            let query = query.unwrap_or_default();
            let after = query.strip_prefix("after=").and_then(|after| after.parse().ok());
            ledger.successions(after.unwrap_or_default()).to_bytes()
        };
        let router = Router::new()
            .route("/ledger/state/{key}", get(move || async move { proof }))
            .route("/ledger/successions", get(named));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        client
    }

    #[tokio::test]
    async fn whom_it_followed_it_does_not_forget() {
        let mut ledger = Ledger::new(1);
        ledger.add(TIME_MS, state(1));
        let mut old = ledger.clone();
        old.add(TIME_MS, state(9));
        ledger.succeed(TIME_MS, 2, &[(KEY, &[2]), (b"other", b"x")]);
        ledger.add(TIME_MS, state(3));
        let (old, last) = (serve(&old, 2).await, serve(&ledger, 2).await);
        let new = serve(&ledger, 3).await;
        let follower = Follower::new(&ledger.root()).unwrap();
        let key = Key::from_bytes(KEY.to_vec());
        let held = async |client: &Client| {
            client.proved_in::<u8>(&follower, &key).await.map(|proved| proved.record)
        };
        assert_eq!(held(&new).await.unwrap(), Some(3));
        assert_eq!(follower.epoch(), 1);
        let refused = held(&old).await;
        assert!(matches!(refused, Err(ClientError::Form(_))), "{refused:?}");
        assert_eq!(held(&last).await.unwrap(), Some(2), "the last of those before is known");
        assert_eq!(held(&new).await.unwrap(), Some(3));
    }
}
