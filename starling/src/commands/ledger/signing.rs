//! `starling ledger sign` and `submit`: a transaction of an account that several keys speak for, from its draft to the
//! ledger. In between it is a file that people hand on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::domains::accounts::{Account, account_key};
use ledger::{AccountId, Action, Policy};
use primitives::{Hash, KeyPair, PeerId};
use serde_json::{Value, json};
use starling::key_file;
use starling::ledger_client::Client;
use tokio::io::AsyncWriteExt as _;

use super::sheet::{Sheet, SheetError, TEXT_BYTES_MAX};
use crate::commands::Problem;

/// To let several sign, in place of one key.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Drafting {
    /// Sign and send nothing: write it into this new file, for several to sign
    #[arg(long, value_name = "FILE", requires = "from")]
    draft: Option<PathBuf>,
    /// Whose transaction it is
    #[arg(long, value_name = "ACCOUNT", requires = "draft")]
    from: Option<AccountId>,
    /// The account's keys, if it never changed them: how many of them must sign, and all of them
    #[arg(long, value_name = "COUNT:KEY,KEY,...", requires = "draft", value_parser = read_keys)]
    by: Option<Policy>,
    /// In how many blocks from now it may be
    #[arg(long, value_name = "COUNT", default_value_t = 604_800, requires = "draft")]
    blocks: u64,
}

impl Drafting {
    /// Writes the draft, if one is wanted; what is in it.
    pub(super) async fn write(
        &self,
        client: &Client,
        action: Action,
        memo: Option<Hash>,
    ) -> Result<Option<Value>, Problem> {
        let Some((file, account)) = self.draft.as_deref().zip(self.from) else { return Ok(None) };
        let policy = self.policy(client, account).await?;
        let body = client.draft(account, &policy, action, memo, Some(self.blocks)).await?;
        let sheet = Sheet::new(body, policy);
        create(file, &sheet.to_text()).await.map_err(|error| unwritten(file, &error))?;
        Ok(Some(told(&sheet)))
    }

    /// Which keys speak for the account now.
    async fn policy(&self, client: &Client, account: AccountId) -> Result<Policy, Problem> {
        let record: Option<Account> = client.record(&account_key(account)).await?;
        match (record.and_then(|record| record.policy), &self.by) {
            (Some(policy), _) => Ok(policy),
            (None, Some(policy)) if AccountId::of(policy) == account => Ok(policy.clone()),
            (None, Some(_)) => Err(problem(
                "these keys are not those that name the account",
                "Say with --by how many must sign and all keys, as the account was named by them.",
            )),
            (None, None) => Err(problem(
                "the account never changed its keys, and the ledger has only their hash",
                "Say with --by how many of its keys must sign, and all of them.",
            )),
        }
    }
}

/// Keys and how many of them must sign, in any order.
pub(super) fn policy_of(threshold: u8, mut keys: Vec<PeerId>) -> Result<Policy, String> {
    keys.sort_unstable();
    let policy = Policy { threshold, keys };
    policy.check().map_err(|error| error.to_string())?;
    Ok(policy)
}

fn read_keys(text: &str) -> Result<Policy, String> {
    let (threshold, keys) = text.split_once(':').ok_or("expected COUNT:KEY,KEY,...")?;
    let threshold = threshold.parse().map_err(|_| "expected a number before the keys")?;
    let keys: Result<Vec<PeerId>, _> = keys.split(',').map(|key| key.trim().parse()).collect();
    policy_of(threshold, keys.map_err(|error| error.to_string())?)
}

/// Signs what is in a file, or only says what it is.
pub(super) async fn sign(file: &Path, key: Option<&Path>) -> Result<Value, Problem> {
    let mut sheet = read(file).await?;
    if let Some(key) = key {
        let key = KeyPair::from_seed(key_file::load(key)?);
        sheet.sign(&key)?;
        let written = tokio::fs::write(file, sheet.to_text()).await;
        written.map_err(|error| unwritten(file, &error))?;
    }
    Ok(told(&sheet))
}

/// Puts signatures of all files together and sends it.
pub(super) async fn submit(
    client: &Client,
    files: &[PathBuf],
    within: Duration,
) -> Result<Value, Problem> {
    let mut whole: Option<Sheet> = None;
    for file in files {
        let sheet = read(file).await?;
        match &mut whole {
            Some(whole) => whole.merge(&sheet)?,
            None => whole = Some(sheet),
        }
    }
    let transaction = whole.ok_or(SheetError::Form)?.complete()?;
    let id = client.submit(&transaction).await?;
    Ok(client.done(id, within).await?)
}

fn told(sheet: &Sheet) -> Value {
    json!({
        "transaction": sheet.id(),
        "says": sheet.says(),
        "signed": sheet.signed(),
        "needed": sheet.needed(),
    })
}

async fn read(file: &Path) -> Result<Sheet, Problem> {
    let fail = |error: std::io::Error| Problem::file(file, &error);
    if tokio::fs::metadata(file).await.map_err(fail)?.len() > TEXT_BYTES_MAX {
        return Err(SheetError::Form.into());
    }
    let bytes = tokio::fs::read(file).await.map_err(fail)?;
    Ok(Sheet::read(&String::from_utf8_lossy(&bytes))?)
}

/// A new file: one that is there has perhaps signatures of others.
async fn create(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = tokio::fs::OpenOptions::new();
    let mut made = options.write(true).create_new(true).open(file).await?;
    made.write_all(text.as_bytes()).await?;
    made.flush().await
}

fn unwritten(file: &Path, error: &std::io::Error) -> Problem {
    let what = format!("cannot write {}: {error}", file.display());
    problem(&what, "Name a new file in a folder that you may write to.")
}

pub(super) fn problem(what: &str, remedy: &str) -> Problem {
    let (what, remedy) = (what.to_owned(), remedy.to_owned());
    Problem { code: "signing", what, remedy, exit_code: 1 }
}

impl From<SheetError> for Problem {
    fn from(error: SheetError) -> Self {
        let remedy = match error {
            SheetError::Form | SheetError::Signature => {
                "Ask whoever sent the file to send it once more, as it was written."
            }
            SheetError::Action => "`starling ledger sign` signs nothing else.",
            SheetError::Stranger => {
                "`starling ledger sign FILE` without a key says whose may sign."
            }
            SheetError::Other => "Name files that began as copies of one draft.",
            SheetError::Few { .. } => {
                "Hand the file on: the others sign it with `starling ledger sign FILE --key KEY`."
            }
        };
        problem(&error.to_string(), remedy)
    }
}

#[cfg(test)]
mod tests {
    use primitives::Seed;

    use super::*;

    #[test]
    fn keys_are_read_in_any_order_each_once() {
        let mut keys: Vec<PeerId> =
            (1..4).map(|number| KeyPair::from_seed(Seed::from_number(number)).id()).collect();
        keys.sort_unstable();
        let [one, two, three] = keys[..] else { panic!("three") };
        let read = read_keys(&format!("2:{three}, {one},{two}"));
        assert_eq!(read, Ok(Policy { threshold: 2, keys: vec![one, two, three] }));
        for text in [String::new(), format!("{one}"), format!("x:{one}"), "1:zz".to_owned()] {
            assert!(read_keys(&text).is_err(), "{text}");
        }
        assert!(read_keys(&format!("1:{one},{one}")).is_err(), "twice");
        assert!(read_keys(&format!("2:{one}")).is_err(), "more than there are");
    }
}
