//! Where a DID is looked up: in its own name, on a ledger, by a web server; and what vouches for it then.

use std::collections::{BTreeMap, btree_map::Entry};
use std::time::Duration;

use identity::did::starling::Content;
use identity::did::webvh::{Log, ReadLog};
use identity::did::{Did, Issuers, Place, Since, StarlingId, Vouched};
use identity::limits::{CLOCK_SKEW_S_MAX, LOG_BYTES_MAX};
use identity::sd_jwt::issuer_said;
use ledger::domains::identity::{self as dids, Record, Version};
use ledger::{Action, Key};
use minicbor::Decode;
use primitives::Hash;
use serde_json::{Value, json};
use starling::ledger_client::{Client, Follower, Proved};
use starling::resolver::{Fetcher, File, Missing};

use super::options::LookUp;
use super::{Problem, now_s};

/// How long a web server may take.
const WITHIN: Duration = Duration::from_secs(20);
/// What `--resolver` says when nobody else is to be asked.
const SELF: &str = "self";
/// Most versions of a DID that are asked for: the newest.
const VERSIONS_MAX: u64 = 256;

/// A ledger that is asked, and what its proofs are checked by.
#[derive(Debug)]
pub(super) struct Asked {
    client: Client,
    follower: Follower,
    age_s_max: u64,
}

impl Asked {
    /// The ledger that was named, if one was.
    pub(super) async fn open(from: &LookUp) -> Result<Option<Self>, Problem> {
        let Some(ledger) = &from.ledger else { return Ok(None) };
        let client = Client::new(ledger)?;
        let root = match from.root {
            Some(root) => root,
            None => client.root().await?,
        };
        let follower = Follower::new(&root).map_err(|why| {
            Problem::identity(&why, "Give the trust root of the ledger with --root.")
        })?;
        Ok(Some(Self { client, follower, age_s_max: from.proof_age_s }))
    }

    /// What is under a key, proved in a block that is not old, and how old it is, in seconds.
    pub(super) async fn proved<T: for<'b> Decode<'b, ()>>(
        &self,
        key: &Key,
    ) -> Result<(Proved<T>, u64), Problem> {
        let proved = self.client.proved_in::<T>(&self.follower, key).await?;
        let age_s = age_s(proved.time_s, now_s(), self.age_s_max).map_err(|what| {
            let remedy = "Name another server of the ledger, or allow more with --proof-age-s.";
            Problem::identity(&what, remedy)
        })?;
        Ok((proved, age_s))
    }

    /// What a DID said in all its versions that nobody erased, and after which block that was proved.
    pub(super) async fn history(&self, id: StarlingId) -> Result<History, Problem> {
        let (proved, age_s) = self.proved::<Record>(&dids::did_key(id)).await?;
        let record = proved.record.ok_or_else(|| {
            let what = format!("in block {} there is no did:starling:{id}", proved.height);
            Problem::identity(&what, "Check the DID, and which ledger it is on.")
        })?;
        let mut versions: Vec<Version> = Vec::new();
        let first = (record.seq + 1).saturating_sub(VERSIONS_MAX);
        for seq in first..=record.seq {
            let (proved, _) = self.proved::<Version>(&dids::version_key(id, seq)).await?;
            versions.push(proved.record.ok_or_else(changed)?);
        }
        // A version that changed no words has those of an earlier one.
        let mut said: BTreeMap<Hash, Content> = BTreeMap::new();
        let mut history = Vec::new();
        for version in versions {
            if let Entry::Vacant(entry) = said.entry(version.content) {
                entry.insert(self.content(version.height, version.content).await?);
            }
            let Some(content) = said.get(&version.content) else { continue };
            if version.erased_s.is_none() {
                history.push((version, content.clone()));
            }
        }
        Ok(History { id, versions: history, height: proved.height, age_s })
    }

    /// What a DID said, of the block in which it said so: the words whose hash is proved.
    async fn content(&self, height: u64, hash: Hash) -> Result<Content, Problem> {
        let transactions = self.client.transactions(height).await?;
        let found = transactions.iter().find_map(|transaction| {
            let Action::Identity(action) = &transaction.body.action else { return None };
            let (dids::Action::Create { op } | dids::Action::Apply { op, .. }) = action else {
                return None;
            };
            op.content().filter(|content| content.hash() == hash).cloned()
        });
        found.ok_or_else(|| {
            let what = format!("block {height} does not have what the DID said");
            Problem::identity(&what, "Name another server of the ledger.")
        })
    }
}

/// The history of a DID on a ledger.
#[derive(Debug)]
pub(super) struct History {
    pub(super) id: StarlingId,
    /// Oldest first.
    pub(super) versions: Vec<(Version, Content)>,
    pub(super) height: u64,
    pub(super) age_s: u64,
}

impl History {
    /// For who checks signatures: a DID that was stopped has no keys from then on.
    fn since(&self) -> Vec<Since> {
        let one = |(version, content): &(Version, Content)| {
            let mut content = content.clone();
            if version.stopped {
                content.methods.clear();
            }
            Since { from_s: version.time_s, content }
        };
        self.versions.iter().map(one).collect()
    }
}

fn changed() -> Problem {
    Problem::identity(&"the DID changed while it was looked up", "Try again.")
}

/// Issuers of credentials of which nothing is checked yet, looked up as far as one may.
pub(super) async fn issuers_of(
    texts: &[String],
    from: &LookUp,
    ledger: Option<&Asked>,
) -> Result<Issuers, Problem> {
    let mut issuers = Issuers::default();
    for text in texts.iter().filter_map(|text| issuer_said(text)) {
        match (text.parse(), ledger, &from.resolver) {
            (Ok(Did::Starling(id)), Some(ledger), _) => {
                let history = ledger.history(id).await?;
                issuers.add_ledger(id, history.since(), history.height);
            }
            (Ok(Did::Web(did)), _, Some(resolver)) => match web(&did, resolver).await? {
                Web::Log(log) => issuers.add_log(log),
                Web::Document(bytes) => {
                    issuers.add_web(&did, &bytes).map_err(|why| {
                        Problem::identity(&why, "Its web server must show its own document.")
                    })?;
                }
            },
            // Nobody is to be asked: they are not known, which is what the verdict will say.
            _ => {}
        }
    }
    Ok(issuers)
}

/// What a web server shows of a DID.
pub(super) enum Web {
    /// Of a `did:webvh`, checked.
    Log(Log),
    /// Of a `did:web`: nothing proves it.
    Document(Vec<u8>),
}

/// Fetches it, itself or through a server, and checks what can be checked.
pub(super) async fn web(did: &str, resolver: &str) -> Result<Web, Problem> {
    let wrong = |why: Missing| {
        Problem::identity(&why, "Check the DID, or name another server with --resolver URL.")
    };
    let place = Place::of(did).map_err(|_| wrong(Missing::Did))?;
    let get = async |file: File| match resolver {
        SELF => Fetcher::new(WITHIN, &BTreeMap::new())?.get(did, &place, file).await,
        server => through(server, did, file).await,
    };
    let bytes = get(File::Document).await.map_err(wrong)?;
    if place.scid().is_none() {
        return Ok(Web::Document(bytes));
    }
    let refused = |why| Problem::identity(&why, "The log proves nothing: ask the DID's owner.");
    let log = ReadLog::read(&bytes, did, now_s()).map_err(refused)?;
    let proofs =
        if log.needs_witnesses() { get(File::Witness).await.map_err(wrong)? } else { Vec::new() };
    Ok(Web::Log(log.witnessed(&proofs, now_s()).map_err(refused)?))
}

/// What a Starling server fetches. It is believed no more than the web server itself.
async fn through(server: &str, did: &str, file: File) -> Result<Vec<u8>, Missing> {
    let told = |error: reqwest::Error| Missing::Server(format!("{server}: {error}"));
    let name = percent_encoding::utf8_percent_encode(did, percent_encoding::NON_ALPHANUMERIC);
    let behind = match file {
        File::Document => "",
        File::Witness => "/witness",
    };
    let url = format!("{}/did/{name}{behind}", server.trim_end_matches('/'));
    let client = reqwest::Client::builder().timeout(WITHIN).build().map_err(told)?;
    let mut response = client.get(url).send().await.map_err(told)?;
    let is_good = response.status().is_success();
    let mut bytes = Vec::new();
    while let Some(part) = response.chunk().await.map_err(told)? {
        bytes.extend_from_slice(&part);
        if bytes.len() > LOG_BYTES_MAX {
            return Err(Missing::TooLarge);
        }
    }
    if is_good {
        return Ok(bytes);
    }
    let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let message = value["error"]["message"].as_str();
    let message = message.unwrap_or("not the answer of a Starling server");
    Err(Missing::Server(format!("{server}: {message}")))
}

/// What vouches for an issuer's key, for people and programs.
pub(super) fn vouched(vouched: &Vouched) -> Value {
    match vouched {
        Vouched::Itself => json!({ "by": "itself" }),
        Vouched::Ledger { height } => json!({ "by": "ledger", "proved_at_height": height }),
        Vouched::Log { version, witnesses } => {
            json!({ "by": "log", "version": version, "witnesses": witnesses, "may_be_older": true })
        }
        Vouched::WebServer { host } => {
            json!({ "by": "web-server", "host": host, "proved": false })
        }
    }
}

/// How old a block is, in seconds. One that is too old says what was, not what is: whoever holds newer ones back
/// could show a list from before a revocation with it.
pub(super) fn age_s(time_s: u64, now_s: u64, age_s_max: u64) -> Result<u64, String> {
    if time_s > now_s.saturating_add(CLOCK_SKEW_S_MAX) {
        let ahead_s = time_s - now_s;
        return Err(format!("the ledger's block is {ahead_s} s ahead of this machine's clock"));
    }
    let age_s = now_s.saturating_sub(time_s);
    if age_s > age_s_max {
        return Err(format!("the ledger's proof is {age_s} s old, limit is {age_s_max}"));
    }
    Ok(age_s)
}

#[cfg(test)]
mod tests {
    use super::age_s;

    #[test]
    fn a_proof_that_is_old_or_ahead_proves_nothing_of_now() {
        assert_eq!(age_s(1_000, 1_000, 300), Ok(0));
        assert_eq!(age_s(1_000, 1_300, 300), Ok(300));
        assert!(age_s(1_000, 1_301, 300).unwrap_err().contains("301 s old, limit is 300"));
        assert_eq!(age_s(1_060, 1_000, 300), Ok(0), "clocks differ a little");
        assert!(age_s(1_061, 1_000, 300).unwrap_err().contains("61 s ahead"));
    }
}
