//! Asking a ledger, and paying on it, through the HTTP of any validator.
//!
//! It believes what the validator says, but for [`Client::proved`], whose answers are checked. What it says
//! may be anything, though: records are decoded before they are used.

mod follower;
mod nodes;
mod signing;
mod snapshot;

use std::time::Duration;

use ledger::domains::accounts;
use ledger::{
    AccountId, Action, AssetId, ChainId, Changes, Code as _, Key, MemoryStore, Params, Policy,
    Refusal, Transaction, TransactionId,
};
use light_client::{TrustRoot, Verifier};
use minicbor::Decode;
use primitives::{Hash, KeyPair};
use serde_json::Value;
use wire::ledger::{Records, StateProof};

pub use follower::Follower;
pub use nodes::Nodes;
pub use snapshot::{FetchError, Reach};

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Most records that are listed.
const LISTED_MAX: usize = 1_000_000;
/// What records are asked for as.
const CBOR: &str = "application/cbor";
/// What a server says that is of no use now: another one may be.
const NO_USE: [&str; 9] = [
    "busy",
    "full",
    "off",
    "other-ledger",
    "place",
    "replaced",
    "starting",
    "stopped",
    "unreachable",
];
/// How often a receipt is asked for.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long one answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How often an action is signed anew because another of its account was first.
const TRIES_MAX: usize = 8;
/// How long the other one is waited for each time.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// A record as it was in a block that is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proved<T> {
    /// What was under the key; none: nothing was.
    pub record: Option<T>,
    /// The block.
    pub height: u64,
    /// Its time, in seconds since 1970-01-01 UTC.
    pub time_s: u64,
}

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
    /// It does not keep what is older.
    #[error("not in the blocks that this validator keeps, which begin with block {since}")]
    Older {
        /// The first block that it keeps.
        since: u64,
    },
    /// Its answer is not what a ledger says.
    #[error("{0}: not the answer of a ledger")]
    Form(String),
    /// No block took the transaction in time.
    #[error("transaction {0} waits still")]
    Waiting(TransactionId),
    /// A block took it and its action was refused: only the fee and the number were taken.
    #[error("transaction {transaction} was refused in block {height}: number {code}{}", called(*code))]
    Failed {
        /// Which.
        transaction: TransactionId,
        /// In which block.
        height: u64,
        /// The refusal's number.
        code: u16,
    },
    /// A transaction costs more than it may.
    #[error("a transaction costs {fee} units, limit is {limit}")]
    Fee {
        /// By the server's word.
        fee: u128,
        /// At most.
        limit: u128,
    },
}

/// The name of a refusal behind its number, for people.
fn called(code: u16) -> String {
    ledger::refusal_name(code).map_or_else(String::new, |name| format!(", {name}"))
}

impl ClientError {
    /// Its code, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Refused { .. } => "refused",
            Self::Older { .. } => "older",
            Self::Form(_) => "form",
            Self::Waiting(_) => "waiting",
            Self::Failed { .. } => "failed",
            Self::Fee { .. } => "fee",
        }
    }

    /// Exit code of the process: 6 no ledger answered, 1 it did not do or say what was asked.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Unreachable { .. } | Self::Form(_) => 6,
            Self::Refused { .. }
            | Self::Older { .. }
            | Self::Waiting(_)
            | Self::Failed { .. }
            | Self::Fee { .. } => 1,
        }
    }

    /// Whether it is about this validator, so that another may answer.
    fn is_of_node(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Older { .. } | Self::Form(_) | Self::Fee { .. } => {
                true
            }
            Self::Refused { code, .. } => NO_USE.contains(&code.as_str()),
            Self::Waiting(_) | Self::Failed { .. } => false,
        }
    }

    /// Whether another transaction of the same account was first: the next number is another soon.
    fn is_behind_another(&self) -> bool {
        match self {
            Self::Refused { code, refusal } => {
                let used = Some(u64::from(Refusal::Nonce.code()));
                code == "underpriced" || (code == "refused" && *refusal == used)
            }
            Self::Unreachable { .. }
            | Self::Older { .. }
            | Self::Form(_)
            | Self::Waiting(_)
            | Self::Failed { .. }
            | Self::Fee { .. } => false,
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Refused { refusal: Some(number), .. }
                if *number == u64::from(Refusal::CannotPayFee.code()) =>
            {
                "The account can't pay the fee: send it units, or ask a demo network's faucet."
            }
            Self::Refused { refusal: Some(number), .. }
                if *number == u64::from(Refusal::OtherKeys.code()) =>
            {
                "Its keys were changed: `starling ledger policy show` says to which. Begin with --draft FILE \
                 --from ACCOUNT, and collect signatures with `starling ledger sign`."
            }
            Self::Unreachable { .. } => {
                "Start `starling validator`, or name another with --node URL."
            }
            Self::Refused { code, .. } if code == "replaced" => {
                "Other validators make the blocks now: name one of theirs with --node URL."
            }
            Self::Refused { .. } | Self::Failed { .. } => {
                "docs/spec/ledger.md lists what the numbers mean."
            }
            Self::Older { .. } => "Name a validator that keeps all blocks with --node URL.",
            Self::Form(_) => "Check the address in --node URL.",
            Self::Waiting(_) => "Ask again with `starling ledger receipt`.",
            Self::Fee { .. } => "Name another server of the ledger with --node URL.",
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

/// Which ledger a validator runs, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Which.
    pub chain: ChainId,
    /// The last final block.
    pub height: u64,
    /// When that was made, in milliseconds since 1970-01-01 UTC.
    pub time_ms: u64,
    /// What it takes for transactions.
    pub params: Params,
}

/// How a transaction waits for its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waits {
    /// Units paid beyond what it costs: whoever pays more takes the place of another with its number.
    pub extra: u128,
    /// Blocks in which it may be; none: all to come.
    pub blocks: Option<u64>,
    /// Most that it may cost: servers say what a transaction costs. None: whatever they say.
    pub fee_max: Option<u128>,
}

/// A ledger behind an address.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
}

impl Client {
    /// A ledger at `http://host:port`. It is followed nowhere: what is asked, and the transactions of people, are for
    /// whom they named.
    ///
    /// # Errors
    /// The platform gives no HTTP client.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        let url = base.trim_end_matches('/').to_owned();
        let nowhere = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().timeout(ANSWER_WITHIN).redirect(nowhere).build();
        let fail = |source| ClientError::Unreachable { url: url.clone(), source: Box::new(source) };
        Ok(Self { http: http.map_err(fail)?, base: url.clone() })
    }

    async fn answer(&self, path: &str, body: Option<Vec<u8>>) -> Result<Value, ClientError> {
        let (good, bytes) = self.ask(path, body, "application/json").await?;
        if good {
            return serde_json::from_slice(&bytes).map_err(|_| self.form());
        }
        Err(self.refused(&bytes))
    }

    /// Whether it is a good answer, and its bytes.
    async fn ask(
        &self,
        path: &str,
        body: Option<Vec<u8>>,
        accept: &str,
    ) -> Result<(bool, Vec<u8>), ClientError> {
        let url = format!("{}/ledger/{path}", self.base);
        let request = match body {
            Some(bytes) => self.http.post(&url).body(bytes),
            None => self.http.get(&url),
        };
        let fail = |source| ClientError::Unreachable { url: url.clone(), source: Box::new(source) };
        let mut response = request.header("accept", accept).send().await.map_err(fail)?;
        let good = response.status().is_success();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(fail)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ANSWER_BYTES_MAX {
                return Err(ClientError::Form(url));
            }
        }
        Ok((good, bytes))
    }

    fn refused(&self, bytes: &[u8]) -> ClientError {
        let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
        match (value["error"]["code"].as_str(), value["error"]["since"].as_u64()) {
            (_, Some(since)) => ClientError::Older { since },
            (Some(code), None) => {
                let refusal = value["error"]["refusal"].as_u64();
                ClientError::Refused { code: code.to_owned(), refusal }
            }
            (None, None) => self.form(),
        }
    }

    fn form(&self) -> ClientError {
        ClientError::Form(self.base.clone())
    }

    /// The trust root that it names: which ledger, and by which key certificates are checked.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn root(&self) -> Result<TrustRoot, ClientError> {
        let status = self.answer("status", None).await?;
        let root = status["root"].as_str().and_then(|text| text.parse().ok());
        root.ok_or_else(|| self.form())
    }

    /// What is under a key of the state, proved to `follower`, and the block's time in seconds since 1970;
    /// none: nothing is, which is proved as well.
    ///
    /// # Errors
    /// See [`ClientError`]; [`ClientError::Form`] if the proof does not hold, or it is no such record.
    pub async fn proved<T: for<'b> Decode<'b, ()>>(
        &self,
        follower: &Follower,
        key: &Key,
    ) -> Result<(Option<T>, u64), ClientError> {
        let proved = self.proved_in(follower, key).await?;
        Ok((proved.record, proved.time_s))
    }

    /// The same, with the block that it is proved in.
    ///
    /// # Errors
    /// As [`Self::proved`].
    pub async fn proved_in<T: for<'b> Decode<'b, ()>>(
        &self,
        follower: &Follower,
        key: &Key,
    ) -> Result<Proved<T>, ClientError> {
        let (good, bytes) = self.ask(&format!("state/{key}"), None, CBOR).await?;
        if !good {
            return Err(self.refused(&bytes));
        }
        let proof = StateProof::read(&bytes).ok_or_else(|| self.form())?;
        let headers = follower.headers(self, &proof.finality).await?;
        let header = headers.first().ok_or_else(|| self.form())?;
        let record = Verifier::record(header, key.as_bytes(), &proof).map_err(|_| self.form())?;
        let record = record.map(|record| self.decode(record)).transpose()?;
        Ok(Proved { record, height: header.height, time_s: header.time_ms / 1_000 })
    }

    /// A block's transactions, as a validator hands them over; nothing proves them.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn transactions(&self, height: u64) -> Result<Vec<Transaction>, ClientError> {
        let value = self.answer(&format!("blocks/{height}"), None).await?;
        let list = value["transactions"].as_array().ok_or_else(|| self.form())?;
        let one = |text: &Value| {
            let text = text.as_str()?;
            let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
            let bytes: Vec<u8> = (0..text.len()).step_by(2).map(pair).collect::<Option<_>>()?;
            minicbor::decode(&bytes).ok()
        };
        list.iter().map(one).collect::<Option<_>>().ok_or_else(|| self.form())
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

    /// Which ledger it is, and how far.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn status(&self) -> Result<Status, ClientError> {
        let status = self.answer("status", None).await?;
        let text = status["chain"].as_str().ok_or_else(|| self.form())?;
        let chain: ChainId = text.parse().map_err(|_| self.form())?;
        let number = |value: &Value| value.as_u64().ok_or_else(|| self.form());
        let params = Params {
            fee_base: number(&status["fees"]["base"])?,
            fee_per_byte: number(&status["fees"]["per_byte"])?,
            fee_per_work: number(&status["fees"]["per_work"])?,
            ..Params::default()
        };
        let (height, time_ms) = (number(&status["height"])?, number(&status["time_ms"])?);
        Ok(Status { chain, height, time_ms, params })
    }

    /// Signs and sends an action of the account of `key`, for the least fee; its name. Again, if another
    /// of the same account was first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn act(&self, key: &KeyPair, action: Action) -> Result<TransactionId, ClientError> {
        self.act_as(key, action, Waits::default()).await
    }

    /// The same with the memo of a note that is kept elsewhere.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn act_noted(
        &self,
        key: &KeyPair,
        action: Action,
        memo: Option<Hash>,
    ) -> Result<TransactionId, ClientError> {
        self.act_in_turn(key, action, memo, Waits::default()).await
    }

    /// The same for more, or for a while.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn act_as(
        &self,
        key: &KeyPair,
        action: Action,
        waits: Waits,
    ) -> Result<TransactionId, ClientError> {
        self.act_in_turn(key, action, None, waits).await
    }

    async fn act_in_turn(
        &self,
        key: &KeyPair,
        action: Action,
        memo: Option<Hash>,
        waits: Waits,
    ) -> Result<TransactionId, ClientError> {
        let mut tries = 1;
        loop {
            match self.send_once(key, action.clone(), memo, waits).await {
                Err(error) if error.is_behind_another() && tries < TRIES_MAX => {
                    tries += 1;
                    tokio::time::sleep(RETRY_AFTER).await;
                }
                answer => return answer,
            }
        }
    }

    async fn send_once(
        &self,
        key: &KeyPair,
        action: Action,
        memo: Option<Hash>,
        waits: Waits,
    ) -> Result<TransactionId, ClientError> {
        let (account, policy) = (AccountId::of_key(key.id()), Policy::single(key.id()));
        let mut body = self.draft(account, &policy, action, memo, waits.blocks).await?;
        let fee = body.fee.saturating_add(waits.extra);
        if let Some(limit) = waits.fee_max.filter(|limit| fee > *limit) {
            return Err(ClientError::Fee { fee, limit });
        }
        body.fee = fee;
        self.submit(&body.sign(key)).await
    }

    /// The record under a key, as it is now; nothing proves it.
    ///
    /// # Errors
    /// See [`ClientError`]; [`ClientError::Form`] if it is no such record.
    pub async fn record<T: for<'b> Decode<'b, ()>>(
        &self,
        key: &Key,
    ) -> Result<Option<T>, ClientError> {
        let page = self.page(key, None).await?;
        let found = page.records.iter().find(|(found, _)| found.as_slice() == key.as_bytes());
        found.map(|(_, record)| self.decode(record)).transpose()
    }

    /// Every record whose key begins with `prefix`, page by page; they are put into `store`, too. Blocks
    /// may come between pages.
    ///
    /// # Errors
    /// See [`ClientError`]; [`ClientError::Form`] if one is no such record, or there is no end.
    pub async fn list<T: for<'b> Decode<'b, ()>>(
        &self,
        prefix: &Key,
        store: &mut MemoryStore,
    ) -> Result<Vec<(Key, T)>, ClientError> {
        let mut listed: Vec<(Key, T)> = Vec::new();
        loop {
            let page = self.page(prefix, listed.last().map(|(key, _)| key)).await?;
            let mut changes = Changes::new();
            for (key, record) in page.records {
                let key = Key::from_bytes(key.into());
                listed.push((key.clone(), self.decode(&record)?));
                changes.insert(key, Some(record.into()));
            }
            let is_empty = changes.is_empty();
            store.commit(changes);
            if !page.more {
                return Ok(listed);
            }
            if is_empty || listed.len() > LISTED_MAX {
                return Err(self.form());
            }
        }
    }

    /// Records under keys that begin with `prefix` and come behind `after`: anything else is no answer.
    async fn page(&self, prefix: &Key, after: Option<&Key>) -> Result<Records, ClientError> {
        let behind = after.map_or_else(String::new, |key| format!("?after={key}"));
        let (good, bytes) = self.ask(&format!("records/{prefix}{behind}"), None, CBOR).await?;
        if !good {
            return Err(self.refused(&bytes));
        }
        let page = Records::read(&bytes).ok_or_else(|| self.form())?;
        let after = after.map(Key::as_bytes).unwrap_or_default();
        let is_asked = |key: &[u8]| key.starts_with(prefix.as_bytes()) && key > after;
        let all = page.records.iter().all(|(key, _)| is_asked(key.as_slice()));
        if all { Ok(page) } else { Err(self.form()) }
    }

    fn decode<T: for<'b> Decode<'b, ()>>(&self, record: &[u8]) -> Result<T, ClientError> {
        minicbor::decode(record).map_err(|_| self.form())
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
