//! A ledger in miniature: one signer, headers, a state with proofs. For tests; its keys are public.

use bls12_381::{G1Affine, G2Affine, Scalar};
use primitives::{Hash, sha256};
use wire::ledger::{Finality, StateProof, Successions};

use crate::{
    TrustRoot,
    certificate::{hash_to_group, message},
    proof::{self, Update},
    succession_key,
};

/// A ledger whose only validator is the test.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// By epoch: its first block, and who signs.
    signers: Vec<(u64, Scalar)>,
    successions: Vec<StateProof>,
    root: TrustRoot,
    /// Bytes of headers by height, from 1.
    headers: Vec<Vec<u8>>,
    /// States by height, from 1.
    states: Vec<State>,
}

/// Records in a log, sealed.
#[derive(Debug, Clone, Default)]
pub struct State {
    log: Vec<Logged>,
    folded: usize,
}

#[derive(Debug, Clone)]
struct Logged {
    update: [Hash; 3],
    holds: bool,
    record: Vec<u8>,
}

/// Who signs, and the key that it is checked against.
fn signer(number: u8) -> (Scalar, [u8; 96]) {
    let secret = Scalar::from(u64::from(number) + 7);
    (secret, G2Affine::from(G2Affine::generator() * secret).to_compressed())
}

pub(crate) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or_default());
}

impl State {
    /// A state of these records. `stale` updates that hold no more lie before them in the log;
    /// `folded` peaks are folded first.
    pub fn of(records: &[(&[u8], &[u8])], stale: usize, folded: usize) -> Self {
        let mut named: Vec<(Hash, Vec<u8>)> =
            records.iter().map(|(key, record)| (sha256(key), record.to_vec())).collect();
        named.sort();
        let next = |place: usize| named[(place + 1) % named.len()].0;
        let old = (0..stale).map(|number| {
            let name = sha256(&number.to_be_bytes());
            Logged { update: [name, name, name], holds: false, record: Vec::new() }
        });
        let new = named.iter().enumerate().map(|(place, (name, record))| Logged {
            update: [*name, sha256(record), next(place)],
            holds: true,
            record: record.clone(),
        });
        Self { log: old.chain(new).collect(), folded }
    }

    fn prover(&self) -> proof::Prover {
        let bytes = |logged: &Logged| {
            let [key, value, next] = logged.update.map(|hash| *hash.as_bytes());
            (Update { key, value, next }.bytes(), logged.holds)
        };
        proof::Prover { log: self.log.iter().map(bytes).collect(), folded: self.folded }
    }

    /// The record under a key, and the proof of it or of its absence.
    pub fn prove(&self, key: &[u8]) -> (Option<Vec<u8>>, Vec<u8>) {
        let name = sha256(key);
        let prover = self.prover();
        let held = self.log.iter().position(|one| one.holds && one.update[0] == name);
        if let Some(at) = held {
            let proof = [prover.place(at).as_slice(), self.log[at].update[2].as_bytes()].concat();
            return (Some(self.log[at].record.clone()), proof);
        }
        let between = |one: &Logged| {
            let [before, _, next] = one.update.map(|hash| *hash.as_bytes());
            one.holds && proof::lies_between(&before, name.as_bytes(), &next)
        };
        let at = self.log.iter().position(between).unwrap_or_default();
        let update: Vec<u8> =
            self.log[at].update.iter().flat_map(|hash| *hash.as_bytes()).collect();
        (None, [&[0], prover.place(at).as_slice(), &update].concat())
    }
}

impl Ledger {
    /// A ledger without blocks; another number is another ledger.
    pub fn new(number: u8) -> Self {
        let (secret, group_key) = signer(number);
        let root = TrustRoot { chain: Hash::new([number; 32]), group_key };
        let signers = vec![(0, secret)];
        Self { signers, successions: Vec::new(), root, headers: Vec::new(), states: Vec::new() }
    }

    /// Adds the last block of who signs now, with these records beside the one that names the next: `number`
    /// says which.
    pub fn succeed(&mut self, time_ms: u64, number: u8, records: &[(&[u8], &[u8])]) -> StateProof {
        let first = self.height() + 2;
        let (key, record) = self.naming(number, first);
        let records = [records, &[(key.as_slice(), record.as_slice())]].concat();
        let last = self.add(time_ms, State::of(&records, 3, 0));
        let proof = self.state_proof(last, &key);
        self.successions.push(proof.clone());
        self.signers.push((first, signer(number).0));
        proof
    }

    /// The record that names who signs in the next epoch, from a block on.
    pub fn naming(&self, number: u8, first: u64) -> (Vec<u8>, Vec<u8>) {
        let epoch = u64::try_from(self.signers.len()).unwrap_or_default();
        let mut record = Vec::new();
        let mut encoder = minicbor::Encoder::new(&mut record);
        let written = encoder
            .array(2)
            .and_then(|encoder| encoder.u64(first))
            .and_then(|encoder| encoder.bytes(&signer(number).1));
        written.expect("encoding into memory does not fail");
        (succession_key(epoch).expect("few epochs"), record)
    }

    /// What a server says of who took over after an epoch.
    pub fn successions(&self, after: u64) -> Successions {
        let after = usize::try_from(after).unwrap_or_default();
        Successions(self.successions.iter().skip(after).cloned().collect())
    }

    fn epoch(&self, height: u64) -> usize {
        self.signers.iter().filter(|(first, _)| *first <= height).count() - 1
    }

    /// What clients pin.
    pub fn root(&self) -> TrustRoot {
        self.root
    }

    /// Height of the newest block.
    pub fn height(&self) -> u64 {
        u64::try_from(self.headers.len()).unwrap_or_default()
    }

    /// Adds a block with this state after it; its height.
    pub fn add(&mut self, time_ms: u64, state: State) -> u64 {
        let height = self.height() + 1;
        let parent = match self.headers.last() {
            Some(bytes) => sha256(bytes),
            None => self.root.chain,
        };
        let mut bytes = vec![u8::try_from(self.epoch(height)).unwrap_or_default()];
        varint(height, &mut bytes);
        bytes.extend_from_slice(&[3; 32]);
        varint(height - 1, &mut bytes);
        bytes.extend_from_slice(parent.as_bytes());
        bytes.extend_from_slice(parent.as_bytes());
        varint(height, &mut bytes);
        bytes.extend_from_slice(&time_ms.to_be_bytes());
        bytes.extend_from_slice(&state.prover().root());
        bytes.extend_from_slice(&[0; 32 + 8 + 8]);
        bytes.extend_from_slice(sha256(&[]).as_bytes());
        self.headers.push(bytes);
        self.states.push(state);
        height
    }

    fn place(height: u64) -> usize {
        usize::try_from(height).unwrap_or_default().saturating_sub(1)
    }

    /// That a block is final, by a certificate of a block `links` later.
    pub fn finality(&self, height: u64, links: u64) -> Finality {
        let headers = &self.headers[Self::place(height)..=Self::place(height + links)];
        let signed = headers.last().expect("at least one");
        Finality::new(headers.to_vec(), self.certificate(height + links, sha256(signed)))
    }

    fn certificate(&self, view: u64, names: Hash) -> Vec<u8> {
        let epoch = self.epoch(view);
        let mut proposal = vec![u8::try_from(epoch).unwrap_or_default()];
        varint(view, &mut proposal);
        varint(view - 1, &mut proposal);
        proposal.extend_from_slice(names.as_bytes());
        let namespace =
            [b"starling/ledger/1", self.root.chain.as_bytes().as_slice(), b"_FINALIZE"].concat();
        let point = hash_to_group(&message(&namespace, &proposal)) * self.signers[epoch].1;
        proposal.extend_from_slice(&G1Affine::from(point).to_compressed());
        proposal
    }

    /// What is under a key after a block.
    pub fn state_proof(&self, height: u64, key: &[u8]) -> StateProof {
        let (record, proof) = self.states[Self::place(height)].prove(key);
        StateProof {
            record: record.map(Into::into),
            proof: proof.into(),
            finality: self.finality(height, 0),
        }
    }
}
