//! Several validators of one ledger.

use ledger::{Action, TransactionId};
use primitives::KeyPair;

use super::{Client, ClientError, Waits};

/// Addresses of one ledger: the next is asked when one does not answer, and stays until it does not.
#[derive(Debug)]
pub struct Nodes {
    clients: Vec<Client>,
    at: usize,
}

impl Nodes {
    /// Validators at these addresses.
    ///
    /// # Errors
    /// The platform gives no HTTP client.
    pub fn new(bases: &[String]) -> Result<Self, ClientError> {
        let clients = bases.iter().map(|base| Client::new(base)).collect::<Result<_, _>>()?;
        Ok(Self { clients, at: 0 })
    }

    /// Asks the one that answered last, then each other once, until one answers.
    ///
    /// # Errors
    /// What the ledger says; or why the last one asked does not answer.
    pub async fn ask<T>(
        &mut self,
        question: impl AsyncFn(&Client) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let mut failed = ClientError::Form("no address".to_owned());
        for _ in 0..self.clients.len() {
            match question(&self.clients[self.at]).await {
                Err(error) if error.is_of_node() => {
                    self.at = (self.at + 1) % self.clients.len();
                    failed = error;
                }
                answer => return answer,
            }
        }
        Err(failed)
    }

    /// Signs and sends an action; again, if another of the same account was first.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn act(
        &mut self,
        key: &KeyPair,
        action: &Action,
        waits: Waits,
    ) -> Result<TransactionId, ClientError> {
        self.ask(async |client: &Client| client.act_as(key, action.clone(), waits).await).await
    }
}
