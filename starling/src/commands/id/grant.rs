//! `starling id grant` and `starling id open`.

use identity::did::Did;
use identity::grant::{Grant, GrantError, Recipient, Terms};
use primitives::Hash;
use starling::key_file;

use super::options::{Purpose, ToGrant, ToOpen};
use super::{Problem, entropy, read};

pub(super) fn make(args: &ToGrant) -> Result<(), Problem> {
    let recipient = match &args.to {
        Did::Key(key) => key.agreement(),
        Did::Starling(_) | Did::Web(_) => None,
    };
    let recipient = recipient.ok_or_else(|| wrong(GrantError::Key))?;
    let key = read(&args.document_key)?.parse::<Hash>().map_err(|error| {
        Problem::identity(&error, "Give a file with a key of 64 hexadecimal characters.")
    })?;
    let grant = Grant::seal(key.as_bytes(), &terms(&args.purpose), &recipient, entropy()?);
    let bytes = grant.map_err(wrong)?.to_bytes();
    println!("{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    Ok(())
}

pub(super) fn open(args: &ToOpen) -> Result<(), Problem> {
    let text = read(&args.grant)?;
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(pair).collect();
    let grant = Grant::from_bytes(&bytes.unwrap_or_default()).map_err(wrong)?;
    let recipient = Recipient::of_ed25519(key_file::load(&args.key)?.as_bytes());
    let key = grant.open(&recipient, &terms(&args.purpose)).map_err(wrong)?;
    println!("{}", Hash::new(key));
    Ok(())
}

fn terms(purpose: &Purpose) -> Terms {
    let Purpose { resource, consent, scope } = purpose;
    Terms { resource: *resource, consent: *consent, scope: scope.clone() }
}

fn wrong(error: GrantError) -> Problem {
    Problem::identity(&error, "Check key, recipient and purpose: all must be those of the grant.")
}
