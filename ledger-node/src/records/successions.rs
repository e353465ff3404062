//! Proofs of who took over from which validators. There are none of them in any state: each is of one that is
//! gone.

use wire::ledger::StateProof;

use super::{Records, RecordsError, SUCCESSIONS};

impl Records {
    /// Whether it is kept who took over in an epoch.
    pub(crate) fn has_succession(&self, epoch: u32) -> Result<bool, RecordsError> {
        let table = self.snapshot()?.read.open_table(SUCCESSIONS)?;
        Ok(table.get(u64::from(epoch))?.is_some())
    }

    /// Keeps the proof of who took over in an epoch.
    pub(crate) fn keep_succession(
        &self,
        epoch: u32,
        proof: &StateProof,
    ) -> Result<(), RecordsError> {
        let write = self.database.begin_write()?;
        let bytes = proof.to_bytes();
        write.open_table(SUCCESSIONS)?.insert(u64::from(epoch), bytes.as_slice())?;
        self.end(write)
    }

    /// Who took over after an epoch, one after the other, until one is not known; at most so many.
    pub(crate) fn successions(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StateProof>, RecordsError> {
        let table = self.snapshot()?.read.open_table(SUCCESSIONS)?;
        let mut found = Vec::new();
        let Some(first) = after.checked_add(1) else { return Ok(found) };
        // What is finite comes first: the next number is asked for only where there is an entry.
        for (entry, expected) in table.range(first..)?.take(limit).zip(first..) {
            let (epoch, bytes) = entry?;
            if epoch.value() != expected {
                break;
            }
            found.push(StateProof::read(bytes.value()).ok_or(RecordsError::Format)?);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use ledger::Changes;
    use wire::ledger::Finality;

    use super::super::{Digest, Final};
    use super::*;

    #[test]
    fn successions_are_told_in_order_and_up_to_the_first_that_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let (digest, changes) = (Digest::from([0; 32]), Changes::new());
        let genesis =
            Final { height: 0, digest, header: b"header", changes: &changes, receipts: &[] };
        let records = Records::open(&folder.path().join("records"), &genesis).unwrap();
        let proof = |epoch: u8| StateProof {
            record: Some(vec![epoch].into()),
            proof: vec![9].into(),
            finality: Finality::new(vec![vec![1]], vec![2]),
        };
        assert_eq!(records.successions(0, 9).unwrap(), []);
        for epoch in [4, 2, 1] {
            records.keep_succession(u32::from(epoch), &proof(epoch)).unwrap();
        }
        assert!(records.has_succession(2).unwrap() && !records.has_succession(3).unwrap());
        assert_eq!(records.successions(0, 9).unwrap(), [proof(1), proof(2)]);
        assert_eq!(records.successions(1, 9).unwrap(), [proof(2)]);
        assert_eq!(records.successions(2, 9).unwrap(), []);
        assert_eq!(records.successions(3, 9).unwrap(), [proof(4)]);
        assert_eq!(records.successions(0, 1).unwrap(), [proof(1)]);
        assert_eq!(records.successions(0, 0).unwrap(), []);
        for last in [u64::MAX - 1, u64::MAX] {
            assert_eq!(records.successions(last, 9).unwrap(), [], "after {last}");
        }
    }
}
