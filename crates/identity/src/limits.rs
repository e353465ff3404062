//! Every bound of what is read and made, named once.

/// Largest credential with its disclosures and key binding, in bytes.
pub const TOKEN_BYTES_MAX: usize = 256 << 10;
/// Most disclosures of a credential.
pub const DISCLOSURES_MAX: usize = 1024;
/// Deepest JSON, in arrays and objects, disclosures unfolded.
pub const JSON_DEPTH_MAX: usize = 32;
/// Most decoy digests beside those of an object.
pub const DECOYS_MAX: usize = 64;
/// Largest status list, inflated, in bytes: 2^27 entries of one bit.
pub const STATUS_BYTES_MAX: usize = 16 << 20;
/// Largest status list token, in bytes: the list above, if nothing of it can be compressed.
pub const STATUS_TOKEN_BYTES_MAX: usize = 24 << 20;
/// Largest DID document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 64 << 10;
/// Largest log of a `did:webvh`, in bytes.
pub const LOG_BYTES_MAX: usize = 1 << 20;
/// Most entries of it.
pub const LOG_ENTRIES_MAX: usize = 1024;
/// Most keys, promises or watchers that an entry names.
pub const LOG_KEYS_MAX: usize = 64;
/// Most proofs of an entry.
pub const PROOFS_MAX: usize = 8;
/// Most witnesses of a `did:webvh`.
pub const WITNESSES_MAX: usize = 64;
/// Most bytes of what they signed.
pub const WITNESS_BYTES_MAX: usize = 256 << 10;
/// Most proofs of witnesses that are looked at.
pub const WITNESS_PROOFS_MAX: usize = 512;
/// Most verification methods of a DID document that are looked at.
pub const METHODS_MAX: usize = 64;
/// Longest DID, and longest name of a key in it, in bytes.
pub const DID_BYTES_MAX: usize = 512;
/// Longest base58 text of a key, in bytes: decoding costs the square of it.
pub const MULTIKEY_BYTES_MAX: usize = 128;
/// How far a clock of an issuer or a holder may be ahead of ours, in seconds.
pub const CLOCK_SKEW_S_MAX: u64 = 60;
/// How old a presentation may be, in seconds.
pub const PRESENTATION_AGE_S_MAX: u64 = 300;
/// Longest scope of a grant, in bytes.
pub const SCOPE_BYTES_MAX: usize = 256;
/// Most people one letter is sealed for.
pub const READERS_MAX: usize = 16;
/// Longest letter, in bytes before it is sealed.
pub const LETTER_BYTES_MAX: usize = 64 << 10;
/// Most slots that seal one seed.
pub const SLOTS_MAX: usize = 16;
/// Fewest slots before something of value is kept.
pub const SLOTS_MIN: usize = 2;
/// Longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// Fewest characters of a password that a page takes.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Most changes of a DID whose keys are looked for in a seed's tree.
pub const GENERATIONS_MAX: u32 = 512;
/// Longest signed statement, in bytes of its text.
pub const STATEMENT_BYTES_MAX: usize = 16 << 10;
/// Memory Argon2id may be asked for by a slot, in MiB: what a phone's tab survives.
pub const ARGON2_MEMORY_MIB_MAX: u8 = 128;
/// Passes Argon2id may be asked for by a slot.
pub const ARGON2_PASSES_MAX: u8 = 10;
/// Most credentials that one question asks for.
pub const QUERY_CREDENTIALS_MAX: usize = 16;
/// Most claims that a question asks for of one credential.
pub const QUERY_CLAIMS_MAX: usize = 64;
/// Most types or values that will do for one credential or claim.
pub const QUERY_VALUES_MAX: usize = 32;
/// Most sets of credentials in a question.
pub const QUERY_SETS_MAX: usize = 8;
/// Most options of a set.
pub const QUERY_OPTIONS_MAX: usize = 16;
/// Longest way to a claim that is asked for, in steps.
pub const CLAIM_DEPTH_MAX: usize = 16;
/// Longest text in a question, in bytes.
pub const QUERY_TEXT_BYTES_MAX: usize = 512;
/// Largest request of a verifier, in bytes.
pub const REQUEST_BYTES_MAX: usize = 32 << 10;
/// Longest time in which a request may be answered, in seconds.
pub const REQUEST_LIFE_S_MAX: u64 = 24 * 3600;
/// Shortest nonce of a request, in letters of base64url: 128 bits.
pub const NONCE_BYTES_MIN: usize = 22;
/// Longest nonce, and longest state, of a request, in bytes.
pub const NONCE_BYTES_MAX: usize = 128;
/// Longest name that a verifier gives itself, in bytes.
pub const VERIFIER_NAME_BYTES_MAX: usize = 128;
/// Longest reason that a verifier gives, in bytes.
pub const PURPOSE_BYTES_MAX: usize = 512;
/// Longest address that an answer goes back to, in bytes.
pub const RETURN_BYTES_MAX: usize = 512;
/// Largest answer to a request, in bytes.
pub const RESPONSE_BYTES_MAX: usize = 1 << 20;
/// Longest name of a status list that is put on a ledger, in bytes.
pub const LIST_NAME_BYTES_MAX: usize = 512;
/// Most copies of credentials that a person holds.
pub const HELD_MAX: usize = 512;
/// Most bytes of what is kept of them.
pub const HELD_BYTES_MAX: usize = 32 << 20;
/// Most types of credentials whose keys are counted.
pub const TYPES_MAX: usize = 256;
/// Most copies of a credential that are issued at once.
pub const COPIES_MAX: usize = 50;
/// Most status lists of others that a browser keeps.
pub const LISTS_MAX: usize = 64;
/// Largest signed status list that is kept or brought along, in bytes: one of 2^16 places, if it can't be compressed.
pub const LIST_BYTES_MAX: usize = 32 << 10;
/// Most credentials that a browser remembers to have issued, copies apart.
pub const ISSUED_MAX: usize = 4096;
/// Most of them that a page is shown at once: the newest of those that it seeks.
pub const ISSUED_SHOWN_MAX: usize = 100;
/// Longest note of an issuer about a credential, in bytes.
pub const LABEL_BYTES_MAX: usize = 512;
/// Most status lists of an issuer's own: of each name that it issued by as many as its credentials need.
pub const MADE_MAX: usize = 16;
/// Hashes that are remembered of each: of lists whose contents are in the issuer's book.
pub const SEEN_MAX: usize = 32;
/// Largest file of what was issued, in bytes: all that is remembered, and each of an issuer's own lists.
pub const BOOK_BYTES_MAX: usize = 16 << 20;
/// Most questions of a verifier that wait for an answer or are remembered as answered.
pub const ASKED_MAX: usize = 32;
/// Most claims of a credential that a page issues.
pub const SAID_MAX: usize = 64;
/// Most bytes of what a browser keeps of all this, sealed.
pub const CREDENTIALS_BYTES_MAX: usize = 64 << 20;
/// Most answers to questions that a browser remembers to have given.
pub const TOLD_MAX: usize = 256;
/// Most names of claims that are remembered of each.
pub const TOLD_CLAIMS_MAX: usize = 32;
/// Most letters of such a name.
pub const TOLD_NAME_CHARS_MAX: usize = 64;
/// Longest name of a share that is granted, in bytes.
pub const GRANTED_NAME_BYTES_MAX: usize = 255;
/// Longest CID of it, in bytes of its text.
pub const GRANTED_CID_BYTES_MAX: usize = 128;
/// Longest time for which a share is granted, in seconds: ten years.
pub const GRANTED_LIFE_S_MAX: u64 = 3_650 * 86_400;
/// Longest text of a grant that is handed over, in bytes.
pub const GRANTED_TEXT_BYTES_MAX: usize = 8 << 10;
/// Longest text of a receipt, in bytes.
pub const RECEIPT_TEXT_BYTES_MAX: usize = 512;
/// Most grants that a browser remembers to have given.
pub const GIVEN_MAX: usize = 256;
/// Most receipts that it keeps of each.
pub const RECEIPTS_MAX: usize = 16;
