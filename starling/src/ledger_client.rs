//! Asking a ledger, and paying on it, through the HTTP of any validator.
//!
//! It believes what the validator says: proofs are for the light client.

use std::time::Duration;

use ledger::{
    AccountId, Action, AssetId, Body, ChainId, Checked, Params, TransactionId, domains::accounts,
};
use primitives::KeyPair;
use serde_json::Value;

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// How often a receipt is asked for.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long one answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Why a ledger did not do or say what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It can't be reached.
    #[error("{url}: {source}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why.
        source: Box<reqwest::Error>,
    },
    /// It said no, with a code of `docs/spec/ledger.md`.
    #[error("the ledger says {code}{}", refusal.map(|number| format!(", refusal {number}")).unwrap_or_default())]
    Refused {
        /// The code.
        code: String,
        /// The refusal's number, where a transaction was refused.
        refusal: Option<u64>,
    },
    /// Its answer is not what a ledger says.
    #[error("{0}: not the answer of a ledger")]
    Form(String),
    /// No block took the transaction in time.
    #[error("transaction {0} waits still")]
    Waiting(TransactionId),
    /// A block took it and its action was refused: only the fee and the number were taken.
    #[error("transaction {transaction} was refused in block {height}: number {code}")]
    Failed {
        /// Which.
        transaction: TransactionId,
        /// In which block.
        height: u64,
        /// The refusal's number.
        code: u16,
    },
}

impl ClientError {
    /// Its code, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Refused { .. } => "refused",
            Self::Form(_) => "form",
            Self::Waiting(_) => "waiting",
            Self::Failed { .. } => "failed",
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => {
                "Start `starling validator`, or name another with --node URL."
            }
            Self::Refused { .. } | Self::Failed { .. } => {
                "docs/spec/ledger.md lists what the numbers mean."
            }
            Self::Form(_) => "Check the address in --node URL.",
            Self::Waiting(_) => "Ask again with `starling ledger receipt`.",
        }
    }
}

/// What an account has, as a validator says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The last final block.
    pub height: u64,
    /// The next transaction's number.
    pub nonce: u64,
    /// Units of the ledger's own asset, in decimal digits.
    pub units: String,
}

/// A ledger behind an address.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
}

impl Client {
    /// A ledger at `http://host:port`.
    ///
    /// # Errors
    /// The platform gives no HTTP client.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        let url = base.trim_end_matches('/').to_owned();
        let http = reqwest::Client::builder().timeout(ANSWER_WITHIN).build();
        let fail = |source| ClientError::Unreachable { url: url.clone(), source: Box::new(source) };
        Ok(Self { http: http.map_err(fail)?, base: url.clone() })
    }

    async fn answer(&self, path: &str, body: Option<Vec<u8>>) -> Result<Value, ClientError> {
        let url = format!("{}/ledger/{path}", self.base);
        let request = match body {
            Some(bytes) => self.http.post(&url).body(bytes),
            None => self.http.get(&url),
        };
        let fail = |source| ClientError::Unreachable { url: url.clone(), source: Box::new(source) };
        let mut response = request.send().await.map_err(fail)?;
        let good = response.status().is_success();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(fail)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ANSWER_BYTES_MAX {
                return Err(ClientError::Form(url));
            }
        }
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|_| ClientError::Form(url.clone()))?;
        if good {
            return Ok(value);
        }
        let code = value["error"]["code"].as_str().ok_or(ClientError::Form(url))?.to_owned();
        Err(ClientError::Refused { code, refusal: value["error"]["refusal"].as_u64() })
    }

    fn form(&self) -> ClientError {
        ClientError::Form(self.base.clone())
    }

    /// What an account has.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn holding(&self, account: AccountId) -> Result<Holding, ClientError> {
        let value = self.answer(&format!("accounts/{account}"), None).await?;
        let number = |name: &str| value[name].as_u64().ok_or_else(|| self.form());
        let units = value["units"].as_str().ok_or_else(|| self.form())?.to_owned();
        Ok(Holding { height: number("height")?, nonce: number("nonce")?, units })
    }

    /// Signs and sends an action of the account of `key`, for the least fee; its name.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn act(&self, key: &KeyPair, action: Action) -> Result<TransactionId, ClientError> {
        let status = self.answer("status", None).await?;
        let text = status["chain"].as_str().ok_or_else(|| self.form())?;
        let chain: ChainId = text.parse().map_err(|_| self.form())?;
        let fee = |name: &str| status["fees"][name].as_u64().ok_or_else(|| self.form());
        let params = Params {
            fee_base: fee("base")?,
            fee_per_byte: fee("per_byte")?,
            fee_per_work: fee("per_work")?,
            ..Params::default()
        };
        let account = AccountId::of_key(key.id());
        let nonce = self.holding(account).await?.nonce;
        let mut body = Body::new(chain, account, nonce, action);
        // A first form with a fee of as many bytes as any: what it costs is at most that of this.
        body.fee = u128::from(u64::MAX);
        let bytes = body.clone().sign(key).to_bytes();
        let checked = Checked::open(&bytes, chain).map_err(|refusal| {
            let refusal = Some(u64::from(ledger::Code::code(&refusal)));
            ClientError::Refused { code: "refused".to_owned(), refusal }
        })?;
        body.fee = params.fee(checked.size_bytes(), checked.work());
        let value = self.answer("transactions", Some(body.sign(key).to_bytes())).await?;
        value["transaction"].as_str().and_then(|id| id.parse().ok()).ok_or_else(|| self.form())
    }

    /// Sends units of an asset.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn send(
        &self,
        key: &KeyPair,
        asset: AssetId,
        to: AccountId,
        amount: u128,
    ) -> Result<TransactionId, ClientError> {
        self.act(key, Action::Accounts(accounts::Action::Transfer { asset, to, amount })).await
    }

    /// What became of a transaction, as the ledger tells it; none while it waits.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn receipt(&self, id: TransactionId) -> Result<Option<Value>, ClientError> {
        let value = self.answer(&format!("receipts/{id}"), None).await?;
        Ok(value["height"].is_u64().then_some(value))
    }

    /// Waits for a receipt of success.
    ///
    /// # Errors
    /// See [`ClientError`]; [`ClientError::Waiting`] after `within`.
    pub async fn done(&self, id: TransactionId, within: Duration) -> Result<Value, ClientError> {
        let asking = async {
            loop {
                if let Some(receipt) = self.receipt(id).await? {
                    break Ok::<_, ClientError>(receipt);
                }
                tokio::time::sleep(ASK_EVERY).await;
            }
        };
        let receipt =
            tokio::time::timeout(within, asking).await.map_err(|_| ClientError::Waiting(id))??;
        let (height, code) = (receipt["height"].as_u64(), receipt["code"].as_u64());
        let code = code.and_then(|code| u16::try_from(code).ok());
        match (height, code) {
            (Some(_), Some(0)) => Ok(receipt),
            (Some(height), Some(code)) => {
                Err(ClientError::Failed { transaction: id, height, code })
            }
            _ => Err(self.form()),
        }
    }
}
