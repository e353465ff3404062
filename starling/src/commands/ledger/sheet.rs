//! A transaction on its way from signer to signer, as text that people can mail to each other.
//!
//! What it says in words is for people. The program reads only what stands between the two lines, and says by itself
//! what that is: whoever wrote other words above it deceives nobody who signs with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::domains::accounts::Action as Accounts;
use ledger::{AccountId, Action, AssetId, Body, Policy, Signature, Transaction, TransactionId};
use primitives::{KeyPair, PeerId};

const BEGIN: &str = "-----BEGIN STARLING TRANSACTION-----";
const END: &str = "-----END STARLING TRANSACTION-----";
const HEAD: &str = "\
A transaction to be signed. In words, it is what follows; the program reads only what stands between the two lines
below, and says in words what that is before it signs: starling ledger sign FILE\n";
/// Characters of a line.
const LINE: usize = 64;
/// Longest text that is read, in bytes: sixteen keys and their signatures are 4 kB.
pub(super) const TEXT_BYTES_MAX: u64 = 64 << 10;

/// Why a text can't be signed or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SheetError {
    /// Nothing of it is a transaction.
    #[error("there is no transaction in it that can be read")]
    Form,
    /// It asks for something else than this signs.
    #[error("it is neither a transfer nor a change of keys")]
    Action,
    /// A signature in it is not its key's.
    #[error("a signature in it does not hold")]
    Signature,
    /// The key is none of the account's.
    #[error("this key is none of those that may sign it")]
    Stranger,
    /// Two texts are of two transactions.
    #[error("these are different transactions")]
    Other,
    /// It is not signed by enough.
    #[error("signed by {signed}, expected {needed}")]
    Few {
        /// By so many.
        signed: usize,
        /// Of so many that it takes.
        needed: usize,
    },
}

/// A transaction with as many signatures as there are so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sheet {
    transaction: Transaction,
}

impl Sheet {
    /// Nobody signed it yet.
    pub(super) fn new(body: Body, policy: Policy) -> Self {
        Self { transaction: Transaction { body, policy, signatures: Vec::new() } }
    }

    /// Reads a text: what a mail program did to its lines does not matter.
    pub(super) fn read(text: &str) -> Result<Self, SheetError> {
        let (_, rest) = text.split_once(BEGIN).ok_or(SheetError::Form)?;
        let (inside, _) = rest.split_once(END).ok_or(SheetError::Form)?;
        let plain: String =
            inside.chars().filter(|one| !one.is_whitespace() && *one != '>').collect();
        let bytes = STANDARD.decode(plain).map_err(|_| SheetError::Form)?;
        let transaction: Transaction = minicbor::decode(&bytes).map_err(|_| SheetError::Form)?;
        let Transaction { body, policy, signatures } = &transaction;
        let known = Body::new(body.chain, body.signer, body.nonce, body.action.clone());
        let is_known = body.version == known.version && transaction.to_bytes() == bytes;
        if !is_known || policy.check().is_err() || ledger::check(&body.action).is_err() {
            return Err(SheetError::Form);
        }
        if !matches!(body.action, Action::Accounts(_)) {
            return Err(SheetError::Action);
        }
        let signed = body.to_sign();
        let holds = |one: &Signature| {
            let key = policy.keys.get(usize::from(one.key));
            key.is_some_and(|key| key.verify(&signed, &one.bytes).is_ok())
        };
        let ascending = signatures.is_sorted_by(|one, next| one.key < next.key);
        if !ascending || !signatures.iter().all(holds) {
            return Err(SheetError::Signature);
        }
        Ok(Self { transaction })
    }

    /// The text.
    pub(super) fn to_text(&self) -> String {
        let mut text = HEAD.to_owned();
        for line in self.says() {
            text.push_str(&format!("\n  {line}"));
        }
        text.push_str(&format!("\n\n{BEGIN}"));
        for (at, one) in STANDARD.encode(self.transaction.to_bytes()).chars().enumerate() {
            if at % LINE == 0 {
                text.push('\n');
            }
            text.push(one);
        }
        text.push_str(&format!("\n{END}\n"));
        text
    }

    /// What is signed, in words.
    pub(super) fn says(&self) -> Vec<String> {
        let Transaction { body, policy, .. } = &self.transaction;
        let mut says = vec![deed(&body.action, body.signer)];
        says.push(format!("Fee: {} units of the ledger's own asset", body.fee));
        says.extend(body.memo.map(|memo| format!("Memo, the SHA-256 of a note: {memo}")));
        says.push(format!(
            "It is transaction {} of this account, in block {} at the latest",
            body.nonce, body.expiry_height
        ));
        says.push(format!("Ledger: {}", body.chain));
        says.push(format!("It takes {}", takes(policy)));
        let signed: Vec<String> = self.signed().iter().map(PeerId::to_string).collect();
        says.push(match signed.as_slice() {
            [] => "Nobody signed yet".to_owned(),
            signed => format!("Signed by {}: {}", signed.len(), signed.join(", ")),
        });
        says
    }

    /// What it is called, signed or not.
    pub(super) fn id(&self) -> TransactionId {
        self.transaction.body.id()
    }

    /// Whose keys signed.
    pub(super) fn signed(&self) -> Vec<PeerId> {
        let Transaction { policy, signatures, .. } = &self.transaction;
        let key = |one: &Signature| policy.keys.get(usize::from(one.key)).copied();
        signatures.iter().filter_map(key).collect()
    }

    /// How many must sign.
    pub(super) fn needed(&self) -> usize {
        self.transaction.policy.threshold.into()
    }

    /// Signs it; once more changes nothing.
    pub(super) fn sign(&mut self, key: &KeyPair) -> Result<(), SheetError> {
        let policy = Policy { threshold: 1, keys: self.transaction.policy.keys.clone() };
        let mut one = self.transaction.body.clone().sign_by(policy, &[key]);
        let signature = one.signatures.pop().ok_or(SheetError::Stranger)?;
        self.take(signature);
        Ok(())
    }

    /// Takes the signatures of another text of the same transaction.
    pub(super) fn merge(&mut self, other: &Self) -> Result<(), SheetError> {
        let (ours, theirs) = (&self.transaction, &other.transaction);
        if ours.body != theirs.body || ours.policy != theirs.policy {
            return Err(SheetError::Other);
        }
        theirs.signatures.iter().for_each(|one| self.take(*one));
        Ok(())
    }

    fn take(&mut self, signature: Signature) {
        let signatures = &mut self.transaction.signatures;
        if let Err(at) = signatures.binary_search_by_key(&signature.key, |one| one.key) {
            signatures.insert(at, signature);
        }
    }

    /// As a block takes it: exactly as many signatures as it needs.
    pub(super) fn complete(mut self) -> Result<Transaction, SheetError> {
        let (signed, needed) = (self.transaction.signatures.len(), self.needed());
        if signed < needed {
            return Err(SheetError::Few { signed, needed });
        }
        self.transaction.signatures.truncate(needed);
        Ok(self.transaction)
    }
}

/// What an account does, in words.
fn deed(action: &Action, signer: AccountId) -> String {
    match action {
        Action::Accounts(Accounts::Transfer { asset, to, amount }) => {
            let what = match *asset {
                AssetId::NATIVE => "the ledger's own asset".to_owned(),
                AssetId(number) => format!("asset {number}"),
            };
            format!("Account {signer} sends {amount} units of {what} to account {to}")
        }
        Action::Accounts(Accounts::SetPolicy { policy }) => {
            format!("Account {signer} changes its keys: from then on it takes {}", takes(policy))
        }
        other => format!("Account {signer} asks for {other:?}"),
    }
}

/// Which keys sign, in words.
fn takes(policy: &Policy) -> String {
    let keys: Vec<String> = policy.keys.iter().map(PeerId::to_string).collect();
    format!("{} of these {} keys: {}", policy.threshold, keys.len(), keys.join(", "))
}

#[cfg(test)]
mod tests {
    use ledger::ChainId;
    use primitives::Seed;

    use super::*;

    fn key(number: u64) -> KeyPair {
        KeyPair::from_seed(Seed::from_number(number))
    }

    fn policy() -> Policy {
        let mut keys: Vec<_> = (1..4).map(|number| key(number).id()).collect();
        keys.sort_unstable();
        Policy { threshold: 2, keys }
    }

    fn sheet() -> Sheet {
        let (asset, to) = (AssetId::NATIVE, AccountId::new([7; 32]));
        let action = Action::Accounts(Accounts::Transfer { asset, to, amount: 250 });
        let signer = AccountId::of(&policy());
        let mut body = Body::new(ChainId::new([3; 32]), signer, 4, action);
        (body.fee, body.memo) = (9_000, Some(Body::memo_of("rent")));
        Sheet::new(body, policy())
    }

    #[test]
    fn a_text_says_what_is_signed_and_carries_signatures_from_one_to_the_next() {
        let text = sheet().to_text();
        for said in
            ["sends 250 units of the ledger's own asset", "Fee: 9000 units", "Nobody signed"]
        {
            assert!(text.contains(said), "{text}");
        }
        let mut first = Sheet::read(&text).unwrap();
        assert_eq!(first, sheet());
        first.sign(&key(2)).unwrap();
        let few = first.clone().complete();
        assert_eq!(few, Err(SheetError::Few { signed: 1, needed: 2 }));
        // As a mail program quotes it, with other words above it.
        let quoted: String = first.to_text().lines().map(|line| format!("> {line}\r\n")).collect();
        let quoted = quoted.replace("sends 250 units", "sends 2 units");
        let mut second = Sheet::read(&quoted).unwrap();
        assert!(second.says()[0].contains("sends 250 units"), "what is signed is what is read");
        second.sign(&key(1)).unwrap();
        second.sign(&key(1)).unwrap();
        assert_eq!(second.signed().len(), 2);
        let chain = ChainId::new([3; 32]);
        let whole = second.complete().unwrap();
        assert!(ledger::Checked::open(&whole.to_bytes(), chain).is_ok());
    }

    #[test]
    fn signatures_collected_apart_are_put_together_and_no_more_are_sent_than_it_takes() {
        let (mut one, mut two, mut three) = (sheet(), sheet(), sheet());
        one.sign(&key(1)).unwrap();
        two.sign(&key(2)).unwrap();
        three.sign(&key(3)).unwrap();
        one.merge(&Sheet::read(&two.to_text()).unwrap()).unwrap();
        one.merge(&three).unwrap();
        assert_eq!(Sheet::read(&one.to_text()).unwrap().signed().len(), 3);
        let whole = one.complete().unwrap();
        assert_eq!(whole.signatures.len(), 2);
        assert!(ledger::Checked::open(&whole.to_bytes(), ChainId::new([3; 32])).is_ok());

        let mut other = sheet();
        other.transaction.body.nonce += 1;
        assert_eq!(two.merge(&other), Err(SheetError::Other));
    }

    #[test]
    fn what_is_not_signed_by_its_keys_or_is_something_else_is_refused() {
        assert_eq!(sheet().sign(&key(9)), Err(SheetError::Stranger));
        for text in [
            "",
            BEGIN,
            "-----BEGIN STARLING TRANSACTION-----\nAAAA\n-----END STARLING TRANSACTION-----",
        ] {
            assert_eq!(Sheet::read(text), Err(SheetError::Form), "{text}");
        }
        let mut forged = sheet();
        forged.sign(&key(1)).unwrap();
        forged.transaction.body.fee += 1;
        assert_eq!(Sheet::read(&forged.to_text()), Err(SheetError::Signature));
        let mut nobody = sheet();
        nobody.transaction.policy.threshold = 0;
        assert_eq!(Sheet::read(&nobody.to_text()), Err(SheetError::Form));
        let mut other = sheet();
        let renounce = ledger::domains::assets::Action::Renounce { asset: AssetId(1) };
        other.transaction.body.action = Action::Assets(renounce);
        assert_eq!(Sheet::read(&other.to_text()), Err(SheetError::Action));
    }

    #[test]
    fn a_change_of_keys_is_told_with_all_of_them() {
        let action = Action::Accounts(Accounts::SetPolicy { policy: policy() });
        let told = deed(&action, AccountId::new([1; 32]));
        assert!(told.contains("from then on it takes 2 of these 3 keys"), "{told}");
        assert!(policy().keys.iter().all(|key| told.contains(&key.to_string())));
    }
}
