//! An issuer's book as a file, such a file beside the book that is here, and what may leave the book for the file.
//!
//! The file is sealed under the seed, as what is kept is: who has the 24 words opens it on any machine, and nobody else
//! does. It is joined with what is here and never put in its place, so nothing is lost by it and there is nothing to
//! undo: what was revoked in either is revoked, a place that was given in either is given, and the same file twice is
//! the same as once.
//!
//! A file that was made is not a file that somebody has: it counts once the person says so ([`Credentials::saved`]). What
//! holds no more by its own end, and is in such a file, may leave the book and make room ([`Credentials::let_go`]). Its
//! places stay taken where they say that it was revoked, so that no list changes by it.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use super::{
    Credentials, IssuedOne, Made, Mark, Turn,
    keep::{seal, unseal},
    lists::{badness, contents, mark, says, settle, split, status},
    shown::count,
};
use crate::{
    limits::{BOOK_BYTES_MAX, ISSUED_MAX, MADE_MAX},
    session,
};

/// What the file is, under the seed; authenticated with it.
const WHAT: &str = "issued/1";
/// What the file begins with.
const MARK: &[u8] = b"starling-issued-1\n";

/// What is in the file.
#[derive(Encode, Decode)]
struct Book {
    #[n(0)]
    saved_s: u64,
    #[n(1)]
    issued: Vec<IssuedOne>,
    #[n(2)]
    made: Vec<Made>,
}

/// What a file of what was issued brings, beside what is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Joined {
    /// When it was made, in seconds since 1970-01-01 UTC.
    #[n(0)]
    pub saved_s: u64,
    /// Credentials that are not here.
    #[n(1)]
    pub added: u32,
    /// Credentials that are here.
    #[n(2)]
    pub same: u32,
    /// Of those, that hold no more, or not for now, by the file only.
    #[n(3)]
    pub worse: u32,
    /// Places that two credentials have: what revokes one, revokes both.
    #[n(4)]
    pub twice: u32,
    /// Credentials that are over and stay in the file only: there is no room for them.
    #[n(5)]
    pub left: u32,
}

impl Credentials {
    pub(super) fn backup(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        if self.issued.is_empty() && self.made.is_empty() {
            return Err("nothing was issued here yet".to_owned());
        }
        let (issued, made) = (self.issued.clone(), self.made.clone());
        let book = session::to_bytes(&Book { saved_s: turn.now_s, issued, made });
        let file = [MARK, &seal(turn.root, WHAT, &turn.seed, &book)].concat();
        if file.len() > BOOK_BYTES_MAX {
            return Err(format!("the file would be larger than {BOOK_BYTES_MAX} bytes"));
        }
        turn.reply.bytes = file;
        self.handed = Some((turn.now_s, self.unsaved));
        Ok(())
    }

    /// The person has the file that was made last.
    pub(super) fn saved(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let handed = self.handed.take();
        let (at_s, changes) = handed.ok_or("no file was made that has what is here: save one")?;
        (self.saved_s, self.unsaved) = (Some(at_s), self.unsaved.saturating_sub(changes));
        turn.changed = true;
        Ok(())
    }

    /// Lets what is over leave the book.
    pub(super) fn let_go(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        if self.saved_s.is_none() || self.unsaved > 0 {
            return Err("save a backup first: what leaves this browser is in that only".to_owned());
        }
        let now_s = turn.now_s;
        let is_over = |one: &IssuedOne| one.is_over(now_s);
        let gone = let_go(&mut self.issued, &mut self.made, ISSUED_MAX, is_over);
        turn.reply.taken = gone;
        turn.changed = gone > 0;
        Ok(())
    }

    /// Says what a file would bring; if the person is `sure`, it is brought.
    pub(super) fn restore(
        &mut self,
        file: &[u8],
        sure: bool,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        let sealed = file.strip_prefix(MARK).filter(|_| file.len() <= BOOK_BYTES_MAX);
        let sealed = sealed.ok_or("that file is no backup of what somebody issued")?;
        let bytes = unseal(turn.root, WHAT, sealed)
            .ok_or("that backup is of another identity, with other words, or it is damaged")?;
        let book: Book = session::read(&bytes)
            .ok_or("that backup is of a version that is not understood here")?;
        let (mut issued, mut made) = (self.issued.clone(), self.made.clone());
        let (joined, is_all) = join(&mut issued, &mut made, &book, turn.now_s)?;
        turn.reply.joined = Some(joined);
        if !sure {
            return Ok(());
        }
        (self.issued, self.made) = (issued, made);
        // A file that was made before has not what came now.
        self.handed = None;
        if is_all {
            // Nothing is here that the file has not: it is the backup of it.
            (self.saved_s, self.unsaved) = (self.saved_s.max(Some(book.saved_s)), 0);
        } else {
            // No file has both.
            self.unsaved = self.unsaved.max(1);
        }
        turn.changed = true;
        Ok(())
    }
}

/// Joins a file with a book; what came of it, and whether the file says all that the book says now.
fn join(
    issued: &mut Vec<IssuedOne>,
    made: &mut Vec<Made>,
    book: &Book,
    now_s: u64,
) -> Result<(Joined, bool), String> {
    let here = issued.len();
    let mut joined = Joined { saved_s: book.saved_s, ..Joined::default() };
    let mut next = issued.iter().map(|one| one.shown.entry).max().unwrap_or(0);
    for theirs in &book.issued {
        // Those that were here: the file may have two that look the same.
        match issued.iter_mut().take(here).find(|one| one.is(theirs)) {
            Some(one) => {
                joined.same = joined.same.saturating_add(1);
                joined.worse = joined.worse.saturating_add(u32::from(one.join(theirs)));
            }
            None => {
                joined.added = joined.added.saturating_add(1);
                next = next.saturating_add(1);
                let mut one = theirs.clone();
                one.shown.entry = next;
                issued.push(one);
            }
        }
    }
    // The list shows what was issued last first.
    issued.sort_by_key(|one| one.shown.at_s);
    for theirs in &book.made {
        match made.iter_mut().find(|one| one.uri == theirs.uri) {
            Some(one) => one.join(theirs, issued),
            None => made.push(theirs.clone()),
        }
    }
    if made.len() > MADE_MAX {
        return Err(format!(
            "at most {MADE_MAX} status lists are kept in one browser: bring it into another, which has fewer"
        ));
    }
    for one in made.iter_mut() {
        settle(one, issued);
    }
    // What only this browser has is in no file that is known to be kept: it stays.
    let too_many = issued.len().saturating_sub(ISSUED_MAX);
    let in_file =
        |one: &IssuedOne| one.is_over(now_s) && book.issued.iter().any(|theirs| one.is(theirs));
    joined.left = let_go(issued, made, too_many, in_file);
    if issued.len() > ISSUED_MAX {
        let next = if issued.iter().any(|one| one.is_over(now_s)) {
            "save a backup here, make room by letting go of what is over, and bring this one in after that"
        } else {
            "none of them is over, so nothing can go: bring this one into a browser that has fewer"
        };
        return Err(format!(
            "both together are more than the {ISSUED_MAX} credentials that are remembered as issued here: {next}"
        ));
    }
    joined.twice = twice(issued);
    let has = |one: &IssuedOne| {
        book.issued.iter().any(|theirs| one.is(theirs) && one.shown.mark == theirs.shown.mark)
    };
    let is_all = issued.iter().all(has) && made.iter().all(|one| book.knows(one));
    Ok((joined, is_all))
}

impl Book {
    /// Whether it has a list, and all that the list says of credentials that are not in the book here.
    fn knows(&self, made: &Made) -> bool {
        let Some(theirs) = self.made.iter().find(|theirs| theirs.uri == made.uri) else {
            return false;
        };
        let place = (theirs.issuer.as_str(), theirs.list());
        let Ok(list) = contents(&self.issued, theirs.also(), place) else { return false };
        let says = |at: u64| badness(mark(list.get(at).unwrap_or(0)));
        made.also().iter().all(|(at, value)| says(*at) >= badness(mark(*value)))
    }
}

/// Takes out what `may_go`, the oldest first, and `most` at most; how many. Lists stay as they are.
fn let_go(
    issued: &mut Vec<IssuedOne>,
    made: &mut [Made],
    most: usize,
    may_go: impl Fn(&IssuedOne) -> bool,
) -> u32 {
    let mut left = most;
    issued.retain(|one| {
        let goes = left > 0 && may_go(one);
        if goes {
            left -= 1;
            for place in &one.places {
                let (list, at) = split(*place);
                let is_it =
                    |made: &&mut Made| made.issuer == one.shown.issuer && made.list() == list;
                if let Some(made) = made.iter_mut().find(is_it) {
                    made.take(at, status(one.shown.mark).value());
                }
            }
        }
        !goes
    });
    count(most - left)
}

impl IssuedOne {
    /// Whether both are the same credential, whatever their numbers and whether they hold.
    fn is(&self, other: &Self) -> bool {
        let (one, two) = (&self.shown, &other.shown);
        // What differs most, first.
        let times = one.at_s == two.at_s && one.until_s == two.until_s;
        let same = times && one.copies == two.copies && self.places == other.places;
        same && one.issuer == two.issuer && one.kind == two.kind && one.label == two.label
    }

    /// Joins what two books say of it; whether it is worse now than it was here. What was revoked stays so, else the
    /// later word counts, and of two of one second the worse.
    fn join(&mut self, theirs: &Self) -> bool {
        let (mine, other) = (self.shown.mark, theirs.shown.mark);
        let (worse, later) = (badness(other) > badness(mine), theirs.marked_s > self.marked_s);
        let same_time = theirs.marked_s == self.marked_s;
        let takes = match (mine, other) {
            (Mark::Revoked, _) => false,
            (_, Mark::Revoked) => true,
            _ => later || (same_time && worse),
        };
        if takes {
            (self.shown.mark, self.marked_s) = (other, theirs.marked_s);
        }
        takes && worse
    }
}

impl Made {
    /// Joins what two books know of one list. Which of the two is kept as signed does not matter to anybody but the
    /// issuer, who need not sign again.
    fn join(&mut self, theirs: &Self, issued: &[IssuedOne]) {
        for (place, value) in theirs.also() {
            self.take(*place, *value);
        }
        for token in theirs.seen() {
            self.note(token);
        }
        if !says(self, issued) {
            let signed = Self { token: theirs.token.clone(), ..self.clone() };
            if says(&signed, issued) {
                *self = signed;
            }
        }
    }
}

/// How many places two credentials of one issuer have.
fn twice(issued: &[IssuedOne]) -> u32 {
    let mut places = BTreeSet::new();
    let all = issued
        .iter()
        .flat_map(|one| one.places.iter().map(|place| (one.shown.issuer.as_str(), *place)));
    count(all.filter(|place| !places.insert(*place)).count())
}
