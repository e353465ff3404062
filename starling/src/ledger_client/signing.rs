//! Transactions for several signers, and notes.

use ledger::{AccountId, Action, Body, Checked, Code as _, Policy, Transaction, TransactionId};
use primitives::Hash;

use super::{Client, ClientError, Status};

impl Client {
    /// The next transaction of an account, unsigned, for the least fee if as many keys sign it as `policy` asks for.
    /// `memo`: of a note that is kept elsewhere ([`Body::memo_of`]). `blocks`: in how many it may be; none: all to
    /// come.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn draft(
        &self,
        account: AccountId,
        policy: &Policy,
        action: Action,
        memo: Option<Hash>,
        blocks: Option<u64>,
    ) -> Result<Body, ClientError> {
        let Status { chain, height, params, .. } = self.status().await?;
        let nonce = self.holding(account).await?.nonce;
        let mut body = Body::new(chain, account, nonce, action);
        if let Some(blocks) = blocks {
            body.expiry_height = height.saturating_add(blocks);
        }
        body.memo = memo;
        body.fee = body.cost_by(&params, policy);
        Ok(body)
    }

    /// Sends what is signed; its name.
    ///
    /// # Errors
    /// See [`ClientError`]; what no state would take is refused before it is sent.
    pub async fn submit(&self, transaction: &Transaction) -> Result<TransactionId, ClientError> {
        let bytes = transaction.to_bytes();
        Checked::open(&bytes, transaction.body.chain).map_err(|refusal| {
            let refusal = Some(u64::from(refusal.code()));
            ClientError::Refused { code: "refused".to_owned(), refusal }
        })?;
        let value = self.answer("transactions", Some(bytes)).await?;
        value["transaction"].as_str().and_then(|id| id.parse().ok()).ok_or_else(|| self.form())
    }

    /// The memo of a transaction in this block: its name is the hash of what has it. None: it has none.
    ///
    /// # Errors
    /// See [`ClientError`]; [`ClientError::Form`] if the block does not hold it.
    pub async fn memo(&self, id: TransactionId, height: u64) -> Result<Option<Hash>, ClientError> {
        let mut all = self.transactions(height).await?.into_iter();
        let found = all.find(|one| one.body.id() == id).ok_or_else(|| self.form())?;
        Ok(found.body.memo)
    }
}
