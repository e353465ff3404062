//! What a holder does: take, forget, look at a request, answer it.

use primitives::{Hash, sha256};

use super::{
    Asking, Choice, Command, Credentials, Facts, HeldList, Part, Pick, Resolved, Told, Turn,
    WebFact, WebWord,
    check::by_web,
    shown::{claims, count},
    texts, words,
};
use crate::{
    holder,
    jws::Jws,
    limits::{COPIES_MAX, LIST_BYTES_MAX, LISTS_MAX, QUERY_TEXT_BYTES_MAX},
    request::Request,
    status::{STATUS_TYPE, StatusToken},
};

impl Credentials {
    pub(super) fn keys(
        &mut self,
        kind: &str,
        copies: u8,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        if kind.is_empty() || kind.len() > QUERY_TEXT_BYTES_MAX {
            return Err("say which type of credential it is for".to_owned());
        }
        let copies = usize::from(copies).clamp(1, COPIES_MAX);
        let keys = self.holder.keys(turn.root, kind, copies);
        turn.reply.text = texts::keys(kind, &keys);
        turn.changed = true;
        Ok(())
    }

    pub(super) fn take(
        &mut self,
        text: &str,
        facts: &Facts,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        let text = texts::bare(text);
        let is_unproved = |fact: &WebFact| matches!(fact.by, WebWord::Server(_));
        turn.reply.unproved = facts.web.iter().any(is_unproved);
        if let Some(offer) = texts::read_offer(&text) {
            turn.reply.offer = Some(offer);
            return Ok(());
        }
        if is_list(&text) {
            self.take_list(&text, facts, turn)?;
            turn.reply.taken = 1;
            turn.changed = true;
            return Ok(());
        }
        let (copies, list) = texts::read_bundle(&text).unwrap_or((text, None));
        let keys = Resolved::with_web(facts);
        let mut holder = self.holder.clone();
        let added = holder.add(turn.root, &copies, &keys, turn.now_s);
        turn.reply.needs = keys.missing();
        turn.reply.taken = count(added.map_err(words)?);
        if let Some(list) = list {
            self.take_list(&list, facts, turn)?;
        }
        self.holder = holder;
        self.before = None;
        turn.changed = true;
        Ok(())
    }

    /// Keeps a signed list, unless a newer one is here.
    pub(super) fn take_list(
        &mut self,
        token: &str,
        facts: &Facts,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        if token.len() > LIST_BYTES_MAX {
            return Err(format!("the status list is larger than {LIST_BYTES_MAX} bytes"));
        }
        let uri = StatusToken::name(token).map_err(words)?;
        let issuer = issuer_of(token).ok_or("the status list names no issuer")?;
        let keys = Resolved::with_web(facts);
        let opened = StatusToken::open(token, &uri, &issuer, &keys, turn.now_s);
        turn.reply.needs.extend(keys.missing());
        let issued_s = opened.map_err(words)?.terms.issued_s;
        let key = keys.found().ok_or("the status list names no key")?;
        let is_it = |list: &HeldList| list.issuer == issuer && list.uri == uri;
        if self.lists.iter().any(|list| is_it(list) && list.issued_s > issued_s) {
            return Ok(());
        }
        self.lists.retain(|list| !is_it(list));
        if self.lists.len() >= LISTS_MAX {
            // The one that was not renewed for longest.
            self.lists.remove(0);
        }
        self.lists.push(HeldList { issuer, uri, issued_s, token: token.to_owned(), key });
        Ok(())
    }

    pub(super) fn remove(&mut self, card: Hash, turn: &mut Turn<'_>) -> Result<(), String> {
        let before = self.holder.clone();
        if self.holder.remove(card) == 0 {
            return Err("that credential is not here any more".to_owned());
        }
        self.before = Some(before);
        turn.changed = true;
        Ok(())
    }

    pub(super) fn undo(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        self.holder = self.before.take().ok_or("there is nothing to undo any more")?;
        turn.changed = true;
        Ok(())
    }

    pub(super) fn read(
        &self,
        request: &str,
        facts: &Facts,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        let keys = Resolved::with_web(facts);
        let text = texts::bare(request);
        let opened = Request::open(&text, &keys, turn.now_s);
        turn.reply.needs = keys.missing();
        let request = opened.map_err(words)?;
        let verifier = request.verifier.clone();
        let proved = keys.fact(&verifier);
        let (parts, lacking) = match self.holder.ask(&request, turn.now_s) {
            Ok(parts) => (parts.iter().map(|part| self.part(part)).collect(), None),
            Err(lack) => (Vec::new(), Some(words(lack))),
        };
        turn.reply.asking = Some(Asking {
            verifier: verifier.clone(),
            proved: proved.map(|fact| (fact.version, fact.since, fact.height)),
            shown: keys.by_web(&verifier).map(by_web),
            name: request.name,
            purpose: request.purpose,
            until_s: request.expires_s,
            return_to: request.return_to,
            parts,
            lacking,
            read: sha256(text.as_bytes()),
        });
        Ok(())
    }

    fn part(&self, part: &holder::Part) -> Part {
        let cards = self.holder.cards();
        let choice = |(id, shown): &(Hash, Vec<crate::sd_jwt::Path>)| {
            let card = cards.iter().find(|card| card.id == *id)?;
            let contents = &card.contents;
            Some(Choice {
                card: *id,
                kind: contents.credential_type.clone(),
                issuer: contents.issuer.clone(),
                claims: claims(&contents.claims, self.holder.choices(*id), shown),
                fresh: count(card.fresh),
            })
        };
        Part { id: part.id.clone(), choices: part.cards.iter().filter_map(choice).collect() }
    }

    /// Answers a request, if it is the one that was read.
    pub(super) fn share(
        &mut self,
        (request, read): (&str, Hash),
        facts: &Facts,
        picks: &[Pick],
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        let text = texts::bare(request);
        if sha256(text.as_bytes()) != read {
            return Err("that is another request than the one you saw: look at it again".to_owned());
        }
        let keys = Resolved::with_web(facts);
        let opened = Request::open(&text, &keys, turn.now_s);
        turn.reply.needs = keys.missing();
        let request = opened.map_err(words)?;
        let pick =
            |pick: &Pick| holder::Pick { id: pick.part.clone(), card: pick.card, more: Vec::new() };
        let chosen: Vec<holder::Pick> = picks.iter().map(pick).collect();
        let told = Told::of(&request, &self.chosen(&request, picks, turn.now_s), turn.now_s);
        let answered = self.holder.answer(turn.root, &request, &chosen, turn.now_s);
        let mut answered = answered.map_err(words)?;
        self.remember(told);
        answered.response.status_lists = self.lists_of(picks);
        turn.reply.seen_before = count(answered.seen_before.len());
        turn.reply.text = answered.response.to_fragment();
        // What was shown stays shown: the removal before it can't be undone any more.
        self.before = None;
        turn.changed = true;
        Ok(())
    }

    /// What of which card a choice shows.
    fn chosen(&self, request: &Request, picks: &[Pick], now_s: u64) -> Vec<Choice> {
        let parts = self.holder.ask(request, now_s).unwrap_or_default();
        let one = |pick: &Pick| {
            let part = parts.iter().find(|part| part.id == pick.part)?;
            self.part(part).choices.into_iter().find(|choice| choice.card == pick.card)
        };
        picks.iter().filter_map(one).collect()
    }

    /// Lists that say whether these cards hold, as far as they are here.
    fn lists_of(&self, picks: &[Pick]) -> Vec<String> {
        let cards = self.holder.cards();
        let mut lists: Vec<String> = Vec::new();
        for card in cards.iter().filter(|card| picks.iter().any(|pick| pick.card == card.id)) {
            let place = card.contents.status.as_ref();
            let list = place.and_then(|place| self.kept_list(&card.contents, place));
            if let Some(list) = list.filter(|list| !lists.contains(&list.token)) {
                lists.push(list.token.clone());
            }
        }
        lists
    }
}

/// Whether a text is signed as a status list.
pub(super) fn is_list(text: &str) -> bool {
    text.len() <= LIST_BYTES_MAX
        && Jws::parse(text).is_ok_and(|jws| jws.text("typ") == Some(STATUS_TYPE))
}

/// Who signed a list, as it says itself.
pub(super) fn issuer_of(token: &str) -> Option<String> {
    let jws = Jws::parse(token).ok()?;
    Some(jws.text("kid")?.split_once('#')?.0.to_owned())
}

impl Command {
    /// The same command with what was proved meanwhile; itself, where nothing has to be.
    #[must_use]
    pub fn with(self, proved: Facts) -> Self {
        match self {
            Self::Take { text, .. } => Self::Take { text, facts: proved },
            Self::Read { request, .. } => Self::Read { request, facts: proved },
            Self::Share { request, picks, read, .. } => {
                Self::Share { request, picks, read, facts: proved }
            }
            Self::Check { answer, .. } => Self::Check { answer, facts: proved },
            Self::Grants { ask, .. } => Self::Grants { ask, facts: proved },
            Self::Learn { text, .. } => Self::Learn { text, facts: proved },
            other => other,
        }
    }
}
