//! What a verifier does: ask, and judge an answer.

use minicbor::{Decode, Encode};
use primitives::Hash;

use super::{
    Asked, Claim, Credentials, Facts, Need, Question, Resolved, Turn, Wait, WebWord, facts::Known,
    issue, shown, signs, words,
};
use crate::{
    dcql::{ClaimPath, ClaimQuery, Query},
    limits::ASKED_MAX,
    request::{Request, Response},
    sd_jwt::Verified,
    status::{Status, StatusRef, StatusToken, token_hash},
};

/// What an answer proves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Verdict {
    /// Whether it proves what was asked.
    #[n(0)]
    pub good: bool,
    /// What holds, in words, in order of check.
    #[n(1)]
    pub holds: Vec<String>,
    /// Why it proves nothing; empty: it does.
    #[n(2)]
    pub refused: String,
    /// What was shown.
    #[n(3)]
    pub claims: Vec<Claim>,
    /// Who says so.
    #[n(4)]
    pub issuers: Vec<String>,
    /// For an issuer's key nothing vouches but its web server.
    #[n(5)]
    pub unproved: bool,
    /// An issuer's web server was asked for its key.
    #[n(6)]
    pub was_asked: bool,
}

impl Credentials {
    pub(super) fn ask(&mut self, question: &Question, turn: &mut Turn<'_>) -> Result<(), String> {
        let who = signs(turn.root, question.head.as_ref())?;
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let claims = question.claims.iter().map(|wanted| {
            let path = format!("/{}", wanted.path.trim().trim_start_matches('/'));
            let values = some(&wanted.value).map(|text| issue::value(&text)).into_iter().collect();
            Some(ClaimQuery { path: ClaimPath::parse(&path)?, values })
        });
        let claims: Option<Vec<ClaimQuery>> = claims.collect();
        let drawn = |what: &str| Hash::new(*turn.seed.derive(what).as_bytes()).to_string();
        let state = drawn("credentials/state").chars().take(32).collect::<String>();
        let expires_s = turn.now_s.saturating_add(question.lasts_s);
        let request = Request {
            verifier: who.did.to_string(),
            nonce: drawn("credentials/nonce-of-question"),
            state: Some(state.clone()),
            issued_s: turn.now_s,
            expires_s,
            query: Query::of(question.kind.trim(), claims.ok_or("name what is asked for")?),
            name: some(&question.name),
            purpose: some(&question.purpose),
            return_to: some(&question.return_to),
        };
        let text = request.sign(&who.key, &who.key_id);
        let key = who.key.public();
        // What nobody would answer is not asked.
        Request::open(&text, &Known(key), turn.now_s).map_err(words)?;
        self.make_room(turn.now_s)?;
        let kind = question.kind.trim().to_owned();
        let shown =
            Wait { state, request: text.clone(), until_s: expires_s, kind, answered: false };
        self.asked.push(Asked { shown, issued_s: turn.now_s, key });
        turn.reply.text = text;
        turn.changed = true;
        Ok(())
    }

    /// Drops the oldest question that waits for nothing any more.
    fn make_room(&mut self, now_s: u64) -> Result<(), String> {
        if self.asked.len() < ASKED_MAX {
            return Ok(());
        }
        let over = |one: &Asked| one.shown.answered || one.shown.until_s <= now_s;
        let place = self.asked.iter().position(over);
        let place =
            place.ok_or_else(|| format!("{ASKED_MAX} questions are open: forget one first"))?;
        self.asked.remove(place);
        Ok(())
    }

    pub(super) fn forget(&mut self, state: &str, turn: &mut Turn<'_>) -> Result<(), String> {
        self.asked.retain(|one| one.shown.state != state);
        turn.changed = true;
        Ok(())
    }

    /// Judges an answer. What it proves, or why it proves nothing, is in the reply; only what is missing, or
    /// can't be read at all, is no verdict.
    pub(super) fn check(
        &mut self,
        answer: &str,
        facts: &Facts,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        let mut verdict = Verdict::default();
        let judged = self.judge(answer, facts, &mut verdict, turn);
        if !turn.reply.needs.is_empty() {
            return Ok(());
        }
        self.keep_fetched(facts, turn);
        match judged {
            Ok(place) => {
                verdict.good = true;
                // A question is answered once.
                if let Some(asked) = self.asked.get_mut(place) {
                    asked.shown.answered = true;
                }
                turn.changed = true;
            }
            Err(why) => {
                // Of what proves nothing, nothing is shown as if it were so.
                verdict.claims.clear();
                verdict.refused = why;
            }
        }
        turn.reply.verdict = Some(verdict);
        Ok(())
    }

    /// Keeps lists that came for this verdict, for the next one.
    fn keep_fetched(&mut self, facts: &Facts, turn: &mut Turn<'_>) {
        for token in &facts.tokens {
            // One that is none was said so, if it mattered.
            let is_kept = self.take_list(token, facts, turn).is_ok();
            turn.changed |= is_kept;
        }
        // Whose key is not proved was not judged by.
        turn.reply.needs.clear();
    }

    fn judge(
        &self,
        answer: &str,
        facts: &Facts,
        verdict: &mut Verdict,
        turn: &mut Turn<'_>,
    ) -> Result<usize, String> {
        let response = Response::parse(answer).map_err(words)?;
        let is_it = |one: &Asked| Some(&one.shown.state) == response.state.as_ref();
        let place = self.asked.iter().position(is_it).ok_or(
            "the answer is to no question of yours: it was asked elsewhere, or forgotten here",
        )?;
        let asked = self.asked.get(place).ok_or("the question was forgotten")?;
        if asked.shown.answered {
            return Err(
                "the question was answered before: a copy of an answer proves nothing".to_owned()
            );
        }
        let request = Request::open(&asked.shown.request, &Known(asked.key), asked.issued_s);
        let request = request.map_err(words)?;
        let keys = Resolved::with_web(facts);
        let given = response.check(&request, &keys, turn.now_s);
        turn.reply.needs = keys.missing();
        let given = given.map_err(words)?;
        verdict.holds.push(
            "It answers your question, which was open and not answered before; nobody else can use it."
                .to_owned(),
        );
        verdict.holds.push(
            "Its holder showed it: the key that the credential is bound to signed this answer."
                .to_owned(),
        );
        for verified in given.values() {
            verdict.issuers.push(verified.issuer.clone());
            verdict.holds.push(issued_by(verified, &keys));
            let by = keys.by_web(&verified.issuer);
            verdict.was_asked |= by.is_some();
            verdict.unproved |= matches!(by, Some(WebWord::Server(_)));
            verdict.claims.extend(shown::claims(&verified.claims, &verified.disclosed, &[]));
            let status = self.status(verified, &response, facts, turn);
            if !turn.reply.needs.is_empty() {
                return Err(String::new());
            }
            verdict.holds.push(status?);
        }
        verdict.holds.push("It shows all that you asked for, and holds now.".to_owned());
        Ok(place)
    }

    /// Whether a credential was revoked, in words.
    fn status(
        &self,
        verified: &Verified,
        response: &Response,
        facts: &Facts,
        turn: &mut Turn<'_>,
    ) -> Result<String, String> {
        let Some(place) = &verified.status else {
            return Ok("It can\u{2019}t be revoked: its issuer gave it no place in a status list."
                .to_owned());
        };
        let Some(fact) = facts.list(&verified.issuer, &place.uri) else {
            let (issuer, uri) = (verified.issuer.clone(), place.uri.clone());
            turn.reply.needs.push(Need::List { issuer, uri });
            return Err(String::new());
        };
        let height = fact.height;
        let kept = self.kept_list(verified, place);
        let brought = response.status_lists.iter().chain(kept.map(|list| &list.token));
        let mut lists = brought.map(String::as_str);
        let Some(newest) = fact.newest else {
            let list = newest_of(lists, verified, place, facts, turn)?;
            if kept.is_some_and(|kept| kept.issued_s > list.terms.issued_s) {
                return Err("a newer status list is here, and is not to be believed any more: ask the issuer for the newest".to_owned());
            }
            return by_its_own_time(&list, place, turn.now_s);
        };
        let is_newest = |token: &&str| token_hash(token) == newest.token;
        let here = lists.find(is_newest);
        let fetched = || facts.tokens.iter().map(String::as_str).find(is_newest);
        let Some(token) = here.or_else(fetched) else {
            if !facts.missing.contains(&newest.token) {
                turn.reply.needs.push(Need::Token(newest.token));
                return Err(String::new());
            }
            return Err(format!(
                "the newest status list is not here: the ledger names version {} (block {}, proved at block {height}), and nobody who is online gives it. Ask the holder or the issuer for it, and take it on the Credentials page",
                newest.number, newest.since
            ));
        };
        let list = open(token, verified, place, facts, turn)?;
        let by = format!(
            "status list version {} (block {}) is the newest, proved at block {height}",
            newest.number, newest.since
        );
        match list.status(place, turn.now_s).map_err(words)? {
            Status::Valid if here.is_none() => Ok(format!(
                "It was not revoked: {by}. The list was fetched whole, by its hash: who gave it does not learn whom you look at."
            )),
            Status::Valid => Ok(format!("It was not revoked: {by}.")),
            Status::Invalid => Err(format!("the credential was revoked: {by}")),
            Status::Suspended => Err(format!("the credential is suspended: {by}")),
            Status::Other(value) => {
                Err(format!("the credential has status {value}, which is not known: {by}"))
            }
        }
    }
}

/// The newest of the lists that are here, of those that the issuer signed: who shows a credential does not choose
/// by which it is judged.
fn newest_of<'a>(
    lists: impl Iterator<Item = &'a str>,
    verified: &Verified,
    place: &StatusRef,
    facts: &Facts,
    turn: &mut Turn<'_>,
) -> Result<StatusToken, String> {
    let mut why = "its status list is not here, and not on the ledger".to_owned();
    let mut newest: Option<StatusToken> = None;
    let is_it = |token: &&str| StatusToken::name(token).is_ok_and(|name| name == place.uri);
    for token in lists.filter(is_it) {
        match open(token, verified, place, facts, turn) {
            Ok(list) => {
                // Of two of one second, the one by which it does not hold.
                let is_newer = |one: &StatusToken| {
                    let (new_s, old_s) = (list.terms.issued_s, one.terms.issued_s);
                    let held = one.status(place, turn.now_s) == Ok(Status::Valid);
                    new_s > old_s || (new_s == old_s && held)
                };
                if newest.as_ref().is_none_or(is_newer) {
                    newest = Some(list);
                }
            }
            Err(refused) => why = refused,
        }
    }
    if !turn.reply.needs.is_empty() {
        return Err(String::new());
    }
    newest.ok_or(why)
}

/// A list that no ledger names: it must say itself until when it may be believed.
fn by_its_own_time(list: &StatusToken, place: &StatusRef, now_s: u64) -> Result<String, String> {
    if list.terms.ttl_s.is_none() && list.terms.expires_s.is_none() {
        return Err(
            "its issuer has not put the status list on the ledger, so nothing proves that it is the newest"
                .to_owned(),
        );
    }
    match list.status(place, now_s).map_err(words)? {
        Status::Valid => Ok(
            "It was not revoked by a list that is not on the ledger: only that list\u{2019}s own time limit says that it is new."
                .to_owned(),
        ),
        Status::Invalid => Err("the credential was revoked".to_owned()),
        Status::Suspended | Status::Other(_) => Err("the credential is suspended".to_owned()),
    }
}

fn open(
    token: &str,
    verified: &Verified,
    place: &StatusRef,
    facts: &Facts,
    turn: &mut Turn<'_>,
) -> Result<StatusToken, String> {
    let keys = Resolved::with_web(facts);
    let opened = StatusToken::open(token, &place.uri, &verified.issuer, &keys, turn.now_s);
    turn.reply.needs.extend(keys.missing());
    opened.map_err(words)
}

/// Whose key signed, and what proves that.
fn issued_by(verified: &Verified, keys: &Resolved<'_>) -> String {
    let issuer = &verified.issuer;
    if let Some(by) = keys.by_web(issuer) {
        return format!("Issued by {issuer}, unchanged. {}", by_web(by));
    }
    match keys.fact(issuer) {
        Some(fact) => format!(
            "Issued by {issuer}, unchanged: signed by the key of version {} (block {}), which held then; proved at block {}.",
            fact.version, fact.since, fact.height
        ),
        None => format!(
            "Issued by {issuer}, unchanged: this name is the key itself, so there is nothing to look up."
        ),
    }
}

/// What vouches for a key of a name that a web server keeps.
pub(super) fn by_web(by: &WebWord) -> String {
    match by {
        WebWord::Log { version, witnesses } => {
            let number = version.split('-').next().unwrap_or_default();
            let seen = match witnesses {
                0 => String::new(),
                count => format!(", and {count} witnesses must see each change"),
            };
            format!(
                "Signed by the key that held then by the name\u{2019}s own log{seen}. Version {number} is the newest that its web server shows: a newer one may be held back."
            )
        }
        WebWord::Server(host) => format!(
            "Signed by a key that {host} shows now. Nothing proves it: whoever has that web server can show another."
        ),
    }
}
