//! A transaction after every check that needs no state.

use super::{Refusal, Signature, Transaction, VERSION};
use crate::{
    ChainId, TransactionId, app,
    limits::{SIGNATURE_WORK, TRANSACTION_BYTES_MAX},
};

/// A transaction of one canonical form whose signatures hold: the expensive part, which needs no
/// state and so may be done in parallel and once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    transaction: Transaction,
    id: TransactionId,
    size_bytes: u64,
    work: u32,
}

impl Checked {
    /// Reads and checks what a stranger sent for `chain`.
    pub fn open(bytes: &[u8], chain: ChainId) -> Result<Self, Refusal> {
        if bytes.len() > TRANSACTION_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let transaction: Transaction = minicbor::decode(bytes).map_err(|_| Refusal::Malformed)?;
        // One transaction has one form: longer integers, other orders and bytes behind it do not
        // survive being written again.
        if transaction.to_bytes() != bytes {
            return Err(Refusal::Malformed);
        }
        check_envelope(&transaction, chain)?;
        let body = &transaction.body;
        app::check(&body.action).map_err(Refusal::Action)?;
        check_signatures(&transaction)?;
        let signature_work = SIGNATURE_WORK * u32::from(transaction.policy.threshold);
        let work = app::work(&body.action).saturating_add(signature_work);
        let size_bytes = u64::try_from(bytes.len()).map_err(|_| Refusal::TooLarge)?;
        Ok(Self { id: body.id(), size_bytes, work, transaction })
    }

    /// What was checked.
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// What it is called.
    pub fn id(&self) -> TransactionId {
        self.id
    }

    /// Bytes of the canonical form.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// What it costs a validator, signatures included: units of a record read and written.
    pub fn work(&self) -> u32 {
        self.work
    }
}

fn check_envelope(transaction: &Transaction, chain: ChainId) -> Result<(), Refusal> {
    if transaction.body.version != VERSION {
        return Err(Refusal::Version);
    }
    if transaction.body.chain != chain {
        return Err(Refusal::OtherChain);
    }
    transaction.policy.check().map_err(|_| Refusal::Policy)?;
    let (policy, signatures) = (&transaction.policy, &transaction.signatures);
    let ascending = signatures.is_sorted_by(|one, next| one.key < next.key);
    if signatures.len() != usize::from(policy.threshold) || !ascending {
        return Err(Refusal::SignatureCount);
    }
    let known = |signature: &Signature| usize::from(signature.key) < policy.keys.len();
    if signatures.iter().all(known) { Ok(()) } else { Err(Refusal::SignatureCount) }
}

fn check_signatures(transaction: &Transaction) -> Result<(), Refusal> {
    let bytes = transaction.body.to_sign();
    for signature in &transaction.signatures {
        let key = transaction.policy.keys.get(usize::from(signature.key));
        let holds = key.is_some_and(|key| key.verify(&bytes, &signature.bytes).is_ok());
        if !holds {
            return Err(Refusal::Signature);
        }
    }
    Ok(())
}
