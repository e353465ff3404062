//! What the seed signs for `did:starling`, without anything remembered: which keys of its tree a DID
//! has follows from what the ledger proves of it.
//!
//! Every op uses the next generation of keys that change the DID, because the one before promised it.
//! The key that signs has a generation of its own: it is the newest that a change of keys brought, and is
//! found by the hash of what the DID says.

use super::{Command, Head, Next, Refusal, Secret, Session, Turn};
use crate::{
    SecretKey,
    custody::Root,
    did::{
        Did, StarlingId, did_key,
        starling::{
            Approval, AskText, Change, Content, GuardOp, Guardians, HandedApproval, KeyMethod, Op,
            Veto, promise, purposes,
        },
    },
    limits::{GENERATIONS_MAX, STATEMENT_BYTES_MAX},
    statement,
};

/// What the key that signs is for: everything.
const PURPOSES: u8 = purposes::AUTHENTICATION
    | purposes::ASSERTION
    | purposes::AGREEMENT
    | purposes::INVOCATION
    | purposes::DELEGATION;

/// Which keys of a seed's tree a DID has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Keys {
    /// Generation of those that change it.
    rotation: u32,
    /// Generation of the one that signs; none: what it says is not this seed's.
    signing: Option<u32>,
    /// Place of ours among those that change it.
    by: u8,
}

/// What the key of a generation is called in the document.
pub(super) fn method_name(generation: u32) -> String {
    format!("key-{generation}")
}

/// What a DID says with these keys.
fn content(root: &Root, rotation: u32, signing: u32, guardians: Option<Guardians>) -> Content {
    Content {
        rotation: vec![root.rotation_key(rotation).public()],
        next: vec![promise(&root.rotation_key(rotation + 1).public())],
        methods: vec![KeyMethod {
            id: method_name(signing),
            key: root.signing_key(signing).public(),
            purposes: PURPOSES,
        }],
        services: Vec::new(),
        aliases: Vec::new(),
        guardians,
    }
}

/// The first op of the DID that follows from a seed: the same on every device, so that the DID is found
/// again by who has nothing but the seed.
fn genesis(root: &Root, network: &[u8; 32]) -> Op {
    let change = Change::Set(content(root, 0, 0, None));
    Op::sign((0, None), change, (0, &root.rotation_key(0)), network)
}

/// Which keys of the tree the DID has now.
fn keys(root: &Root, head: &Head) -> Option<Keys> {
    let likely = u32::try_from(head.seq).ok().filter(|seq| *seq < GENERATIONS_MAX);
    let (rotation, by) = likely.into_iter().chain(0..GENERATIONS_MAX).find_map(|generation| {
        let key = root.rotation_key(generation).public();
        let by = head.rotation.iter().position(|known| *known == key)?;
        Some((generation, u8::try_from(by).ok()?))
    })?;
    let is_it = |signing: &u32| {
        content(root, rotation, *signing, head.guardians.clone()).hash() == head.content
    };
    let signing = (0..=rotation).rev().find(is_it);
    Some(Keys { rotation, signing, by })
}

/// Who signs in the name of a DID.
pub(crate) struct Signer {
    /// The DID.
    pub(crate) did: Did,
    /// The DID and the name of the key in its document.
    pub(crate) key_id: String,
    /// The key that signs.
    pub(crate) key: SecretKey,
    /// The key that changes the DID, and its place among those: what the ledger goes by.
    pub(crate) changing: (u8, SecretKey),
}

/// Who signs: by the DID on the ledger if its head is there, else by the key's own. None: no key of this seed does.
pub(crate) fn signer(root: &Root, head: Option<&Head>) -> Option<Signer> {
    let Some(head) = head else {
        let key = root.identity_key();
        let public = key.public();
        let (did, key_id) = (Did::Key(public), did_key::key_id(&public));
        return Some(Signer { did, key_id, changing: (0, key.clone()), key });
    };
    let keys = keys(root, head)?;
    let signing = keys.signing?;
    Some(Signer {
        did: Did::Starling(head.did),
        key_id: key_id(head.did, signing),
        key: root.signing_key(signing),
        changing: (keys.by, root.rotation_key(keys.rotation)),
    })
}

impl Session {
    pub(super) fn perform_of_dids(
        &mut self,
        command: Command,
        turn: &mut Turn,
    ) -> Result<(), Refusal> {
        let root = self.root(turn.now_ms)?.clone();
        match command {
            Command::Genesis(network) => {
                turn.answer.bytes = genesis(&root, &network).to_bytes();
                Ok(())
            }
            Command::Next { head, change } => next(&root, &head, change, turn),
            Command::Ask(head) => {
                ask(&root, &head, turn);
                Ok(())
            }
            Command::Approve { head, asked } => approve(&root, &head, &asked, turn),
            Command::Veto { head, guard } => {
                let keys = keys(&root, &head).ok_or(Refusal::NotYours)?;
                let key = root.rotation_key(keys.rotation);
                let veto = Veto::sign(guard, (keys.by, &key), &head.network);
                turn.answer.bytes = super::to_bytes(&veto);
                Ok(())
            }
            Command::Sign { text, head } => sign(&root, &text, head.as_ref(), turn),
            _ => Err(Refusal::Form),
        }
    }
}

fn next(root: &Root, head: &Head, change: Next, turn: &mut Turn) -> Result<(), Refusal> {
    let keys = keys(root, head).ok_or(Refusal::NotYours)?;
    let rotation = keys.rotation + 1;
    // What nobody looks for would not be found again.
    if rotation >= GENERATIONS_MAX && !matches!(change, Next::Stop) {
        return Err(Refusal::UsedUp);
    }
    let change = match change {
        Next::Rotate => Change::Set(content(root, rotation, rotation, head.guardians.clone())),
        Next::Guardians(guardians) => {
            // A DID that guardians gave to this seed still says the key of the one before.
            let signing = keys.signing.unwrap_or(rotation);
            let content = content(root, rotation, signing, guardians);
            content.check().map_err(|_| Refusal::Guardians)?;
            Change::Set(content)
        }
        Next::Stop => Change::Stop,
    };
    let place = (head.seq + 1, Some(head.op));
    let signer = (keys.by, &root.rotation_key(keys.rotation));
    turn.answer.bytes = Op::sign(place, change, signer, &head.network).to_bytes();
    Ok(())
}

impl Session {
    /// A DID is this identity's for as long as the ledger says so: what guardians gave is found again by its name.
    pub(super) fn adopt_mine(&mut self, head: &Head, turn: &mut Turn) -> Result<(), Refusal> {
        let root = self.root(turn.now_ms)?;
        keys(root, head).ok_or(Refusal::NotYours)?;
        // The one that follows from the seed needs no remembering.
        let own = genesis(root, &head.network).id() == head.did;
        self.adopt((!own).then_some(head.did), turn)
    }
}

/// Keys of this seed, under which it changes the DID once guardians gave them.
fn ask(root: &Root, head: &Head, turn: &mut Turn) {
    let guard = GuardOp::new(
        head.op,
        vec![root.rotation_key(0).public()],
        vec![promise(&root.rotation_key(1).public())],
    );
    let ask = AskText { did: head.did, guard };
    turn.answer.texts = vec![Secret::text(&ask.to_text())];
}

fn approve(root: &Root, head: &Head, asked: &str, turn: &mut Turn) -> Result<(), Refusal> {
    let ask = AskText::parse(asked).map_err(|_| Refusal::NotAsked)?;
    if ask.did != head.did || ask.guard.prev != head.op {
        return Err(Refusal::NotAsked);
    }
    let key = root.identity_key();
    let members = head.guardians.as_ref().ok_or(Refusal::NoGuardian)?;
    let me = Did::Key(key.public());
    let member = members.members.iter().position(|member| *member == me);
    let member = member.and_then(|at| u8::try_from(at).ok()).ok_or(Refusal::NoGuardian)?;
    let signature = key.sign(&ask.guard.to_sign(&head.network));
    let approval = Approval { member, key: 0, signature };
    let handed = HandedApproval { guard: ask.guard.hash(), approval };
    turn.answer.texts = vec![Secret::text(&handed.to_text())];
    Ok(())
}

fn sign(root: &Root, text: &str, head: Option<&Head>, turn: &mut Turn) -> Result<(), Refusal> {
    if text.is_empty() || text.len() > STATEMENT_BYTES_MAX {
        return Err(Refusal::TextLength);
    }
    let Signer { key, key_id, .. } = signer(root, head).ok_or(Refusal::NotYours)?;
    let signed = statement::sign(&key, &key_id, text, turn.now_ms / 1000);
    turn.answer.texts = vec![Secret::text(&signed)];
    Ok(())
}

fn key_id(did: StarlingId, generation: u32) -> String {
    format!("did:starling:{did}#{}", method_name(generation))
}
