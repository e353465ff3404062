//! Names whose documents other web servers keep (`did:web`, `did:webvh`): fetched through this page's server, checked
//! here.

use identity::credentials::{WebFact, WebWord};
use identity::did::webvh::ReadLog;
use identity::did::{Issuers, Place, Vouched};
use identity::sd_jwt::IssuerKeys as _;
use identity::statement::Statement;

use crate::browser;

/// What is to be thought of what such a name signed, and what says so.
pub(super) async fn verdict(read: &Statement<'_>) -> String {
    let did = read.did();
    let issuers = match look_up(did).await {
        Ok(issuers) => issuers,
        Err(why) => return format!("Not checked: {why}"),
    };
    let Ok(key) = issuers.key(did, &read.key_id, Some(read.at_s)) else {
        return "Refused: that key was not the name\u{2019}s when it says it signed.".to_owned();
    };
    if read.verify(&key).is_err() {
        return "Refused: the signature is not the key\u{2019}s over this text.".to_owned();
    }
    let said = format!("\u{201c}{}\u{201d}", read.text);
    match issuers.vouched(did) {
        Some(Vouched::Log { version, witnesses }) => {
            let number = version.split('-').next().unwrap_or_default();
            let seen = match witnesses {
                0 => String::new(),
                count => format!(", which {count} witnesses must see change"),
            };
            format!(
                "Good: {said}, signed by the key that held then, by the name\u{2019}s own log{seen}. Version {number} is the newest that its web server shows. {did}"
            )
        }
        Some(Vouched::WebServer { host }) => format!(
            "Unproved: {said}, signed by a key that {host} shows now. Whoever has that web server can show another. {did}"
        ),
        Some(Vouched::Itself | Vouched::Ledger { .. }) | None => String::new(),
    }
}

/// The key of a name at a time, as its web server shows it now and its log proves it. An error: why it can't be known,
/// in a sentence for a person.
pub(super) async fn key(did: &str, id: String, at_s: Option<u64>) -> Result<WebFact, String> {
    let issuers = look_up(did).await?;
    let by = match issuers.vouched(did) {
        Some(Vouched::Log { version, witnesses }) => {
            WebWord::Log { version, witnesses: u32::try_from(witnesses).unwrap_or(u32::MAX) }
        }
        Some(Vouched::WebServer { host }) => WebWord::Server(host),
        Some(Vouched::Itself | Vouched::Ledger { .. }) | None => {
            return Err("a name of another kind is not looked up here.".to_owned());
        }
    };
    let key = issuers.key(did, &id, at_s).ok();
    Ok(WebFact { id, at_s, key, by })
}

/// What a web server shows of a name, checked as far as it can be. An error: why not, in a sentence for a person.
async fn look_up(did: &str) -> Result<Issuers, String> {
    let place = Place::of(did).map_err(|_| "a name of another kind is not looked up here.")?;
    let mut issuers = Issuers::default();
    let bytes = fetch(did, "").await?;
    if place.scid().is_none() {
        issuers.add_web(did, &bytes).map_err(|why| refused(&why))?;
        return Ok(issuers);
    }
    let now_s = browser::now_s();
    let log = ReadLog::read(&bytes, did, now_s).map_err(|why| refused(&why))?;
    let proofs = if log.needs_witnesses() { fetch(did, "/witness").await? } else { Vec::new() };
    issuers.add_log(log.witnessed(&proofs, now_s).map_err(|why| refused(&why))?);
    Ok(issuers)
}

fn refused(why: &impl ToString) -> String {
    format!("what its web server shows is refused: {}.", why.to_string())
}

/// As this page's server fetches it. It is bounded there, and believed no more than the web server.
async fn fetch(did: &str, behind: &str) -> Result<Vec<u8>, String> {
    let path = format!("/did/{}{behind}", browser::encoded(did));
    match browser::ask(&path, "GET").await {
        Some((200, bytes)) => Ok(bytes),
        Some((404, _)) => Err("its web server has no such document.".to_owned()),
        Some((429, _)) => Err("too much was asked from here: try again in a minute.".to_owned()),
        Some(_) | None => {
            Err("its web server can\u{2019}t be reached, or shows something else.".to_owned())
        }
    }
}
