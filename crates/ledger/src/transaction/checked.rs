//! A transaction after every check that needs no state.

use primitives::{PeerId, Signed, sha256, verify_all};

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
        let read = Unchecked::read(bytes, chain)?;
        read.check()?;
        Ok(read.checked)
    }

    /// The same of many: where all signatures hold, in a third of the time.
    pub fn open_all<'a>(
        many: impl IntoIterator<Item = &'a [u8]>,
        chain: ChainId,
    ) -> Vec<Result<Self, Refusal>> {
        let read: Vec<_> = many.into_iter().map(|bytes| Unchecked::read(bytes, chain)).collect();
        let signed: Vec<_> = read.iter().flatten().flat_map(Unchecked::signed).collect();
        let all_hold = verify_all(&signed);
        let check = |read: Unchecked| {
            if !all_hold {
                read.check()?;
            }
            Ok(read.checked)
        };
        read.into_iter().map(|read| read.and_then(check)).collect()
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

/// A transaction whose signatures may be anything: as many as its policy asks for, each of a key that it has.
struct Unchecked {
    checked: Checked,
    /// Who made them, one after the other.
    signers: Vec<PeerId>,
    /// What they are over.
    to_sign: Vec<u8>,
}

impl Unchecked {
    fn read(bytes: &[u8], chain: ChainId) -> Result<Self, Refusal> {
        if bytes.len() > TRANSACTION_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let transaction: Transaction = minicbor::decode(bytes).map_err(|_| Refusal::Malformed)?;
        // One transaction has one form: longer integers, other orders and bytes behind it do not
        // survive being written again.
        if transaction.to_bytes() != bytes {
            return Err(Refusal::Malformed);
        }
        let signers = check_envelope(&transaction, chain)?;
        let body = &transaction.body;
        app::check(&body.action).map_err(Refusal::Action)?;
        let signature_work = SIGNATURE_WORK * u32::from(transaction.policy.threshold);
        let work = app::work(&body.action).saturating_add(signature_work);
        let size_bytes = u64::try_from(bytes.len()).map_err(|_| Refusal::TooLarge)?;
        let to_sign = body.to_sign();
        let id = TransactionId::new(*sha256(&to_sign).as_bytes());
        Ok(Self { checked: Checked { transaction, id, size_bytes, work }, signers, to_sign })
    }

    fn signed(&self) -> impl Iterator<Item = Signed<'_>> {
        let each = self.signers.iter().zip(&self.checked.transaction.signatures);
        each.map(|(signer, signature)| {
            let (signer, signature) = (*signer, &signature.bytes);
            Signed { signer, bytes: &self.to_sign, signature }
        })
    }

    fn check(&self) -> Result<(), Refusal> {
        let mut signed = self.signed();
        if signed.all(|one| one.verify().is_ok()) { Ok(()) } else { Err(Refusal::Signature) }
    }
}

/// Who is to have signed, one for each signature.
fn check_envelope(transaction: &Transaction, chain: ChainId) -> Result<Vec<PeerId>, Refusal> {
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
    let signer = |signature: &Signature| policy.keys.get(usize::from(signature.key)).copied();
    let signers: Option<Vec<PeerId>> = signatures.iter().map(signer).collect();
    signers.ok_or(Refusal::SignatureCount)
}
