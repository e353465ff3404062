//! What one may write after `starling id`.

use std::path::PathBuf;

use identity::dcql::ClaimPath;
use identity::did::Did;
use identity::limits::REQUEST_LIFE_S_MAX;
use identity::sd_jwt::Path;
use light_client::TrustRoot;
use primitives::Hash;

use crate::commands::ledger::NodeArgs;

/// Options of `starling id`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(super) what: What,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum What {
    /// Show the DID of a key; a new key is made unless it is there
    Key {
        /// The key's file, which only its owner may read
        file: PathBuf,
        /// Print one JSON object, with the DID's document
        #[arg(long)]
        json: bool,
    },
    /// Sign claims about somebody, and print the credential
    Issue(ToIssue),
    /// Check a credential, and show what is in it and what its holder may leave out
    Show {
        /// The credential's file
        credential: PathBuf,
        #[command(flatten)]
        from: LookUp,
    },
    /// Ask for credentials, and print the signed request
    Request(ToRequest),
    /// Show part of a credential to who asks, and print the presentation
    Present(ToPresent),
    /// Check a presentation, and print what it proves
    Verify(ToVerify),
    /// Look up the document of a DID, and say what vouches for it
    Resolve(ToResolve),
    /// Sign a list of which credentials still hold, and print it
    Status(ToSign),
    /// Put on the ledger which status list is the newest
    Anchor(ToAnchor),
    /// Seal a document's key for somebody, and print the grant
    Grant(ToGrant),
    /// Open a grant, and print the document's key
    Open(ToOpen),
}

#[derive(Debug, clap::Args)]
pub(super) struct ToIssue {
    /// A file with one JSON object: the claims, `vct` among them
    pub(super) claims: PathBuf,
    /// The issuer's key
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// The holder's did:key
    #[arg(long, value_name = "DID")]
    pub(super) to: Did,
    /// A claim that the holder may leave out, as /name, /object/name or /list/0; may be given again
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub(super) hide: Vec<Path>,
    /// The issuer's DID and the name of the key in its document, as did:web:town.example#key; the key's own
    /// did:key, if it is left out
    #[arg(long = "as", value_name = "KEY-ID")]
    pub(super) key_id: Option<String>,
    /// Digests of nothing beside those of each object
    #[arg(long, default_value_t = 0)]
    pub(super) decoys: usize,
}

/// The verifier's question.
#[derive(Debug, clap::Args)]
pub(super) struct Given {
    /// The verifier's signed request
    #[arg(long, value_name = "FILE", conflicts_with_all = ["nonce", "audience"])]
    pub(super) request: Option<PathBuf>,
    /// What the verifier drew for this question
    #[arg(long, required_unless_present = "request", requires = "audience")]
    pub(super) nonce: Option<String>,
    /// Who the verifier is
    #[arg(long, required_unless_present = "request", requires = "nonce")]
    pub(super) audience: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ToRequest {
    /// The verifier's key
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// A file with a question in DCQL, instead of --type and --claim
    #[arg(long, value_name = "FILE", conflicts_with_all = ["credential_type", "claim"])]
    pub(super) query: Option<PathBuf>,
    /// The type of the credential that is asked for (`vct`)
    #[arg(long = "type", value_name = "VCT", required_unless_present = "query")]
    pub(super) credential_type: Option<String>,
    /// A claim that is asked for, as /age/18, or /list/* for every element; may be given again
    #[arg(long, value_name = "PATH", value_parser = claim)]
    pub(super) claim: Vec<ClaimPath>,
    /// What the verifier calls itself
    #[arg(long)]
    pub(super) name: Option<String>,
    /// Why it asks, in a sentence for the person
    #[arg(long)]
    pub(super) purpose: Option<String>,
    /// The page that the answer goes back to; none: it is handed over by hand
    #[arg(long, value_name = "URL")]
    pub(super) return_to: Option<String>,
    /// For how many seconds it may be answered
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=REQUEST_LIFE_S_MAX))]
    pub(super) life_s: u64,
}

#[derive(Debug, clap::Args)]
pub(super) struct ToPresent {
    /// Files of credentials; of several, those that answer the request are shown
    #[arg(required = true)]
    pub(super) credential: Vec<PathBuf>,
    /// The holder's key
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// A claim to show besides what is always shown; may be given again
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub(super) show: Vec<Path>,
    /// Print who asks, why, and what would be shown, and show nothing
    #[arg(long, requires = "request")]
    pub(super) preview: bool,
    #[command(flatten)]
    pub(super) given: Given,
    #[command(flatten)]
    pub(super) from: LookUp,
}

#[derive(Debug, clap::Args)]
pub(super) struct ToVerify {
    /// The file of the presentation, or of the answer to a request
    pub(super) presentation: PathBuf,
    #[command(flatten)]
    pub(super) given: Given,
    /// Whose credentials are taken; all, if it is left out
    #[arg(long, value_name = "DID")]
    pub(super) issuer: Option<String>,
    /// Which `vct` is taken; all, if it is left out
    #[arg(long = "type", value_name = "VCT")]
    pub(super) credential_type: Option<String>,
    /// The issuer's status list, for credentials that name one
    #[arg(long, value_name = "FILE")]
    pub(super) status: Option<PathBuf>,
    #[command(flatten)]
    pub(super) from: LookUp,
}

/// Where DIDs and lists are looked up that are not their own names.
#[derive(Debug, clap::Args)]
pub(super) struct LookUp {
    /// A validator: of a did:starling the keys, and of status lists the newest, by the ledger's proof
    #[arg(long, value_name = "URL")]
    pub(super) ledger: Option<String>,
    /// The ledger's trust root; the validator's word, if it is left out
    #[arg(long, requires = "ledger")]
    pub(super) root: Option<TrustRoot>,
    /// How old the block of the ledger's proof may be, in seconds
    #[arg(long, default_value_t = 300, requires = "ledger")]
    pub(super) proof_age_s: u64,
    /// A Starling server that fetches did:web and did:webvh; "self": their web servers are asked from here
    #[arg(long, value_name = "URL")]
    pub(super) resolver: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ToResolve {
    /// The DID
    pub(super) did: String,
    /// As it was then, in seconds since 1970; now, if it is left out
    #[arg(long, value_name = "SECONDS")]
    pub(super) at_s: Option<u64>,
    #[command(flatten)]
    pub(super) from: LookUp,
}

#[derive(Debug, clap::Args)]
pub(super) struct ToAnchor {
    /// The file of the signed list
    pub(super) list: PathBuf,
    /// The issuer's key
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// Whose account pays; the issuer's, if it is left out
    #[arg(long, value_name = "FILE")]
    pub(super) payer: Option<PathBuf>,
    #[command(flatten)]
    pub(super) validators: NodeArgs,
    /// How long to wait for the receipt, in seconds
    #[arg(long, default_value_t = 30)]
    pub(super) wait_s: u64,
}

#[derive(Debug, clap::Args)]
pub(super) struct ToSign {
    /// The list's name, as credentials give it
    pub(super) uri: String,
    /// The issuer's key
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// How many places the list has
    #[arg(long, default_value_t = 1 << 20)]
    pub(super) count: usize,
    /// A place that does not hold any more; may be given again
    #[arg(long, value_name = "PLACE")]
    pub(super) revoke: Vec<u64>,
    /// A place that does not hold for now; may be given again
    #[arg(long, value_name = "PLACE")]
    pub(super) suspend: Vec<u64>,
    /// The issuer's DID and the name of the key in its document; the key's own did:key, if it is left out
    #[arg(long = "as", value_name = "KEY-ID")]
    pub(super) key_id: Option<String>,
    /// For how many seconds a copy may be used
    #[arg(long, default_value_t = 86_400)]
    pub(super) ttl_s: u64,
}

/// What a document's key is given for.
#[derive(Debug, clap::Args)]
pub(super) struct Purpose {
    /// What it opens: 64 hexadecimal characters
    #[arg(long, value_name = "HASH")]
    pub(super) resource: Hash,
    /// The consent under which it is given: 64 hexadecimal characters
    #[arg(long, value_name = "HASH")]
    pub(super) consent: Hash,
    /// What may be done, in a word
    #[arg(long)]
    pub(super) scope: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct ToGrant {
    /// A file with the document's key: 64 hexadecimal characters
    pub(super) document_key: PathBuf,
    /// Who may open it: a did:key of Ed25519
    #[arg(long, value_name = "DID")]
    pub(super) to: Did,
    #[command(flatten)]
    pub(super) purpose: Purpose,
}

#[derive(Debug, clap::Args)]
pub(super) struct ToOpen {
    /// The grant's file
    pub(super) grant: PathBuf,
    /// The recipient's key
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    #[command(flatten)]
    pub(super) purpose: Purpose,
}

fn claim(text: &str) -> Result<ClaimPath, String> {
    ClaimPath::parse(text).ok_or_else(|| "expected a path that begins with a slash".to_owned())
}

fn path(text: &str) -> Result<Path, String> {
    Path::parse(text).ok_or_else(|| "expected a path that begins with a slash".to_owned())
}
