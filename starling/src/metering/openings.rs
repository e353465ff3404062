//! What a meter's registers showed, sealed for the people who settle disputes of its community.
//!
//! The ledger keeps of a reading the Wh that are traded and a commitment to the registers. What the commitment
//! opens to is written beside, for the settlement group alone; since nobody else reads it, the files may lie
//! anywhere, such as in a public share. Whoever of the group opens one holds it against the ledger: a meter
//! that traded more than it metered is shown up by its own signature.

use std::path::{Path, PathBuf};

use identity::grant::Recipient;
use ledger::domains::energy::{self, LETTER_FILE_BYTES_MAX, Meter, Reading, Record};
pub use ledger::domains::energy::{LETTER_ENDING as ENDING, Opened};
use ledger::{Action, ChainId, TransactionId};
use primitives::{KeyPair, Seed};

use super::MeteringError;
use super::live::act;
use crate::atomic;
use crate::ledger_client::{Client, Follower, Nodes};

/// Who may open what a meter's registers showed, and where it is put for them.
#[derive(Debug, Clone)]
pub struct Group {
    /// Their X25519 keys; at most [`identity::limits::READERS_MAX`].
    pub readers: Vec<[u8; 32]>,
    /// The folder.
    pub folder: PathBuf,
}

/// What a letter comes to against the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The reading on the ledger commits to it, and trades no more than was metered.
    Matches,
    /// The meter signed for more than it metered: it can be cut.
    Lied,
    /// It is not what the reading commits to, or not the meter's word: it shows nothing.
    Differs,
    /// The ledger has another word of the meter for this slot.
    Other,
    /// The ledger has no reading of this slot, or has forgotten it.
    Unread,
}

impl Verdict {
    /// For programs: stable.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Matches => "matches",
            Self::Lied => "lied",
            Self::Differs => "differs",
            Self::Other => "other",
            Self::Unread => "unread",
        }
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Matches => {
                "is what the reading commits to, and no more is traded than was metered"
            }
            Self::Lied => "shows that more was traded than metered",
            Self::Differs => "is not what the meter signed",
            Self::Other => "is of another reading than the ledger has",
            Self::Unread => "is of a slot that the ledger has no reading of",
        }
    }
}

/// Writes an opening for a group.
pub(super) async fn write(
    group: &Group,
    chain: ChainId,
    opened: &Opened,
    seed: Seed,
) -> Result<(), MeteringError> {
    let path = group.folder.join(opened.file_name());
    let bytes = opened.seal(&group.readers, chain, seed).map_err(MeteringError::Letter)?;
    let written = atomic::write(&path, &bytes).await;
    written.map_err(|source| MeteringError::Io { path, source })
}

/// What a file holds for a reader.
///
/// # Errors
/// It can't be read, is not for this reader, or is something else.
pub async fn read_opened(
    path: &Path,
    chain: ChainId,
    reader: &Recipient,
) -> Result<Opened, MeteringError> {
    let io = |source| MeteringError::Io { path: path.to_owned(), source };
    let length = tokio::fs::metadata(path).await.map_err(io)?.len();
    if !usize::try_from(length).is_ok_and(|bytes| bytes <= LETTER_FILE_BYTES_MAX) {
        return Err(MeteringError::NotForMe(path.to_owned()));
    }
    let bytes = tokio::fs::read(path).await.map_err(io)?;
    Opened::open(&bytes, chain, reader).ok_or_else(|| MeteringError::NotForMe(path.to_owned()))
}

/// Holds an opening against what the ledger proves.
///
/// # Errors
/// No validator answers, or its proof does not hold.
pub async fn check(
    nodes: &mut Nodes,
    follower: &Follower,
    chain: ChainId,
    opened: &Opened,
) -> Result<Verdict, MeteringError> {
    let Reading { community, meter, slot, .. } = opened.reading;
    let device = energy::meter_key(community, meter);
    let (device, _) =
        nodes.ask(async |client: &Client| client.proved::<Meter>(follower, &device).await).await?;
    let record = energy::record_key(community, slot, meter);
    let (record, _) =
        nodes.ask(async |client: &Client| client.proved::<Record>(follower, &record).await).await?;
    Ok(judge(chain, device.as_ref(), record.as_ref(), opened))
}

fn judge(
    chain: ChainId,
    device: Option<&Meter>,
    record: Option<&Record>,
    opened: &Opened,
) -> Verdict {
    let Opened { reading, opening } = opened;
    let is_said = device.is_some_and(|device| reading.verify(chain, device.key).is_ok());
    if !is_said || opening.commitment() != reading.content.commitment {
        return Verdict::Differs;
    }
    let content = &reading.content;
    if content.import_wh > opening.import_wh || content.export_wh > opening.export_wh {
        return Verdict::Lied;
    }
    match record {
        None => Verdict::Unread,
        Some(known) if known.content != *content => Verdict::Other,
        Some(_) => Verdict::Matches,
    }
}

/// Shows the ledger that a meter traded more than it metered: it is cut. What its registers showed in this
/// slot is public then.
///
/// # Errors
/// The opening shows nothing, or the ledger refuses.
pub async fn expose(
    nodes: &mut Nodes,
    key: &KeyPair,
    opened: Opened,
) -> Result<TransactionId, MeteringError> {
    let Opened { reading, opening } = opened;
    let (reading, opening) = (Box::new(reading), Box::new(opening));
    let expose = energy::Action::Expose { reading, opening };
    Ok(act(nodes, key, &Action::Energy(expose)).await?)
}

#[cfg(test)]
mod tests {
    use ledger::AccountId;
    use ledger::domains::energy::{Content, Limits, Opening, Source, Trust};

    use super::*;

    const CHAIN: ChainId = ChainId::new([1; 32]);

    fn key() -> KeyPair {
        KeyPair::from_seed(Seed::from_number(1))
    }

    /// A meter that metered 500 Wh in, and says that it takes so many.
    fn opened(says_wh: u64) -> Opened {
        let opening = Opening {
            salt: [3; 32],
            import_wh: 500,
            export_wh: 0,
            import_register_wh: 70_000,
            export_register_wh: u64::MAX,
        };
        let content = Content {
            import_wh: says_wh,
            export_wh: 0,
            import_total_wh: says_wh,
            export_total_wh: 0,
            commitment: opening.commitment(),
        };
        let reading = Reading::sign(&key(), CHAIN, (4, u32::MAX), (u64::MAX, 0), content);
        Opened { reading, opening }
    }

    fn device() -> Meter {
        Meter {
            key: key().id(),
            owner: AccountId::new([2; 32]),
            source: Source::Solar,
            connection_w: 10_000,
            trust: Trust::SelfReported,
            cut: false,
            from_slot: 0,
            last: None,
            limits: Vec::new(),
            friends: Vec::new(),
            open: 0,
        }
    }

    fn record(content: Content) -> Record {
        Record {
            owner: AccountId::new([2; 32]),
            revision: 0,
            content,
            before: None,
            limits: Limits { buy: 0, sell: 0 },
            friend: None,
            cover: 0,
            grid_cover: 0,
            due: None,
            unpaid_wh: None,
        }
    }

    #[test]
    fn an_opening_is_held_against_the_meters_word_and_the_ledgers() {
        let (device, honest) = (device(), opened(500));
        let known = record(honest.reading.content);
        let judged =
            |record: Option<&Record>, opened: &Opened| judge(CHAIN, Some(&device), record, opened);
        assert_eq!(judged(Some(&known), &honest), Verdict::Matches);
        assert_eq!(judged(Some(&known), &opened(400)), Verdict::Other);
        assert_eq!(judged(None, &honest), Verdict::Unread);
        assert_eq!(judged(None, &opened(501)), Verdict::Lied);
        let opening = Opening { import_wh: 600, ..honest.opening.clone() };
        let changed = Opened { opening, ..honest.clone() };
        assert_eq!(judged(Some(&known), &changed), Verdict::Differs);
        let mut forged = opened(501);
        forged.reading.signature = honest.reading.signature;
        assert_eq!(judged(None, &forged), Verdict::Differs, "the meter did not say so");
        assert_eq!(judge(CHAIN, None, Some(&known), &honest), Verdict::Differs, "no such meter");
    }
}
