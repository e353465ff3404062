//! An issuer whose browser is lost, and lists that come from the block store.

use super::*;
use crate::limits::{BOOK_BYTES_MAX, ISSUED_MAX, ISSUED_SHOWN_MAX};

/// What an issuer's browser would lose, in a file that the issuer has.
fn backup(issuer: &mut Browser) -> Vec<u8> {
    let file = issuer.done(Command::Backup).bytes;
    issuer.done(Command::Saved);
    file
}

fn restored(browser: &mut Browser, file: &[u8], sure: bool) -> Reply {
    browser.done(Command::Restore { file: file.to_vec(), sure })
}

fn issue(issuer: &mut Browser, label: &str) -> u32 {
    let mut order = order(&Browser::new(2).did(), true);
    label.clone_into(&mut order.label);
    issuer.now_s += 1;
    issuer.done(Command::Issue(order)).view.issued[0].entry
}

fn revoke(issuer: &mut Browser, entry: u32) -> String {
    issuer.now_s += 1;
    issuer.done(Command::Mark { entry, mark: Mark::Revoked, head: None }).text
}

fn marks(reply: &Reply) -> Vec<(String, Mark)> {
    reply.view.issued.iter().map(|one| (one.label.clone(), one.mark)).collect()
}

fn list_of(issuer: &mut Browser) -> String {
    issuer.done(Command::List(None, 0)).text
}

fn learn(issuer: &mut Browser, text: &str) -> Reply {
    issuer.done(Command::Learn { text: text.to_owned(), facts: Facts::default() })
}

fn anchor(issuer: &mut Browser, last: Option<&str>, despite: bool) -> Reply {
    let (network, last) = ([5; 32], last.map(token_hash));
    issuer.call(Command::Anchor { network, number: 2, head: None, last, despite, list: 0 })
}

#[test]
fn another_browser_with_the_same_words_goes_on_from_a_backup() {
    let mut issuer = Browser::new(1);
    assert!(issuer.call(Command::Backup).refused.unwrap().contains("nothing was issued"));
    let (ann, bob) = (issue(&mut issuer, "Ann"), issue(&mut issuer, "Bob"));
    let list = revoke(&mut issuer, bob);
    assert_eq!(issuer.done(Command::Look).view.unsaved, 3);
    let file = backup(&mut issuer);
    let view = issuer.done(Command::Look).view;
    assert_eq!((view.saved_s, view.unsaved), (Some(issuer.now_s), 0));
    assert!(!String::from_utf8_lossy(&file).contains("Ann"));

    let mut other = Browser::new(1);
    let look = restored(&mut other, &file, false);
    let joined = look.joined.unwrap();
    assert_eq!((joined.added, joined.same, joined.twice), (2, 0, 0));
    assert_eq!(look.view.issued, [], "a look changes nothing");
    let back = restored(&mut other, &file, true);
    assert_eq!(marks(&back), [("Bob".to_owned(), Mark::Revoked), ("Ann".to_owned(), Mark::Valid)]);
    assert_eq!((back.view.saved_s, back.view.unsaved), (view.saved_s, 0));
    other.reload();
    // The same list, and no new signature for it.
    assert_eq!(list_of(&mut other), list);
    assert_eq!(back.view.lists[0].token, Some(token_hash(&list)));
    other.now_s = issuer.now_s;
    assert_ne!(revoke(&mut other, ann), list);

    let again = restored(&mut other, &file, true);
    let joined = again.joined.unwrap();
    assert_eq!((joined.added, joined.same, joined.worse), (0, 2, 0));
    assert_eq!(again.view.unsaved, 1, "what was revoked since is in no backup");
    assert!(again.view.issued.iter().all(|one| one.mark == Mark::Revoked), "{again:?}");
}

#[test]
fn a_backup_opens_to_its_own_words_only_and_says_what_else_it_is_not() {
    let mut issuer = Browser::new(1);
    issue(&mut issuer, "Ann");
    let file = backup(&mut issuer);
    let mut stranger = Browser::new(4);
    let mut refused = |file: &[u8]| {
        let reply = stranger.call(Command::Restore { file: file.to_vec(), sure: true });
        assert_eq!(reply.view.issued, []);
        reply.refused.unwrap()
    };
    assert!(refused(&file).contains("other words"));
    assert!(refused(b"a picture").contains("no backup"));
    assert!(refused(&vec![b's'; BOOK_BYTES_MAX + 1]).contains("no backup"));
    let mut damaged = file.clone();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let reply = issuer.call(Command::Restore { file: damaged, sure: true });
    assert!(reply.refused.unwrap().contains("damaged"));
    let cut = Command::Restore { file: file[..30].to_vec(), sure: true };
    assert!(issuer.call(cut).refused.is_some());
}

#[test]
fn two_books_are_joined_and_neither_is_lost() {
    let mut issuer = Browser::new(1);
    let (ann, bob) = (issue(&mut issuer, "Ann"), issue(&mut issuer, "Bob"));
    let old = backup(&mut issuer);
    let mut other = Browser::new(1);
    restored(&mut other, &old, true);
    other.now_s = issuer.now_s + 10;
    other.calls = 100;
    issue(&mut other, "Carol");
    revoke(&mut other, bob);
    other.now_s += 1;
    let theirs = backup(&mut other);

    let first = list_of(&mut issuer);
    issue(&mut issuer, "Dan");
    issuer.now_s += 60;
    issuer.done(Command::Mark { entry: ann, mark: Mark::Suspended, head: None });
    // Everything of its own is in a file; then something comes that is in another one.
    backup(&mut issuer);
    let both = restored(&mut issuer, &theirs, true);
    let joined = both.joined.unwrap();
    assert_eq!((joined.added, joined.same, joined.worse), (1, 2, 1));
    let mut all = marks(&both);
    all.sort_by(|one, two| one.0.cmp(&two.0));
    let all: Vec<(&str, Mark)> = all.iter().map(|(label, mark)| (label.as_str(), *mark)).collect();
    assert_eq!(
        all,
        [
            ("Ann", Mark::Suspended),
            ("Bob", Mark::Revoked),
            ("Carol", Mark::Valid),
            ("Dan", Mark::Valid)
        ]
    );
    let mut entries: Vec<u32> = both.view.issued.iter().map(|one| one.entry).collect();
    entries.sort_unstable();
    entries.dedup();
    assert_eq!(entries.len(), 4, "numbers are given once");
    assert_eq!(both.view.lists[0].token, None, "what was signed last does not say all of it");
    assert!(both.view.unsaved > 0);
    assert_ne!(list_of(&mut issuer), first);
    // Lists that were signed in either say nothing new to this book.
    let reply = anchor(&mut issuer, Some(&list_of(&mut other)), false);
    assert_eq!(reply.refused, None);
}

#[test]
fn a_place_that_two_browsers_gave_is_told() {
    let (mut one, mut two) = (Browser::new(1), Browser::new(1));
    // The same draws: what chance does once in 2^16.
    issue(&mut one, "Ann");
    issue(&mut two, "Bob");
    let theirs = backup(&mut two);
    let joined = restored(&mut one, &theirs, false).joined.unwrap();
    assert_eq!((joined.added, joined.twice), (1, 1));
    // What revokes one revokes both, whichever it is.
    restored(&mut one, &theirs, true);
    let list = revoke(&mut one, 1);
    let place = one.store.issued[0].places[0];
    let list = StatusToken::unchecked(&list).unwrap().list;
    assert_eq!(list.get(place), Some(Status::Invalid.value()));
}

#[test]
fn what_was_revoked_elsewhere_stays_so_in_lists_of_an_older_book() {
    let mut issuer = Browser::new(1);
    let ann = issue(&mut issuer, "Ann");
    let old = backup(&mut issuer);
    let bob = issue(&mut issuer, "Bob");
    revoke(&mut issuer, ann);
    let newest = revoke(&mut issuer, bob);
    let lost: Vec<u64> = issuer.store.issued.iter().flat_map(|one| one.places.clone()).collect();

    // That browser is gone. The backup knows Ann, and that she holds.
    let mut other = Browser::new(1);
    other.now_s = issuer.now_s + 60;
    other.calls = 100;
    restored(&mut other, &old, true);
    let refused = anchor(&mut other, Some(&newest), false);
    assert!(refused.bytes.is_empty());
    assert!(refused.refused.unwrap().contains("was not signed in this browser"));
    let seen = other.done(Command::Look).view.lists[0].seen.clone();
    assert!(!seen.contains(&token_hash(&newest)));

    let learned = learn(&mut other, &newest);
    assert_eq!((learned.taken, learned.view.issued[0].mark), (2, Mark::Revoked));
    assert_eq!(learned.view.lists[0].token, Some(token_hash(&newest)), "it says what is known");
    other.reload();
    issue(&mut other, "Carol");
    let carol = other.store.issued.iter().find(|one| one.shown.label == "Carol").unwrap();
    assert!(!lost.iter().any(|place| carol.places.contains(place)));
    let entry = carol.shown.entry;
    let next = revoke(&mut other, entry);
    let list = StatusToken::unchecked(&next).unwrap().list;
    for place in &lost {
        assert_eq!(list.get(*place), Some(Status::Invalid.value()));
    }
    let done = anchor(&mut other, Some(&newest), false);
    assert_eq!((done.refused, done.text), (None, next));

    // The same of a book that was joined after the list was learned.
    let mut late = Browser::new(1);
    late.now_s = other.now_s;
    late.calls = 200;
    issue(&mut late, "Dan");
    learn(&mut late, &newest);
    let back = restored(&mut late, &old, true);
    let ann = back.view.issued.iter().find(|one| one.label == "Ann").unwrap();
    assert_eq!(ann.mark, Mark::Revoked);
}

#[test]
fn what_another_browser_suspended_and_let_hold_again_does_so_here() {
    let (mut desk, mut other) = (Browser::new(1), Browser::new(1));
    let ann = issue(&mut desk, "Ann");
    other.calls = 100;
    issue(&mut other, "Bob");
    let places: Vec<u64> = desk.store.issued.iter().flat_map(|one| one.places.clone()).collect();
    let value = |browser: &mut Browser| {
        let list = StatusToken::unchecked(&list_of(browser)).unwrap().list;
        list.get(places[0])
    };
    for (mark, expected) in [
        (Mark::Suspended, Status::Suspended),
        (Mark::Valid, Status::Valid),
        (Mark::Suspended, Status::Suspended),
        (Mark::Revoked, Status::Invalid),
    ] {
        desk.now_s += 10;
        let text = desk.done(Command::Mark { entry: ann, mark, head: None }).text;
        other.now_s = desk.now_s + 1;
        learn(&mut other, &text);
        assert_eq!(value(&mut other), Some(expected.value()));
    }
}

#[test]
fn a_list_of_another_issuer_teaches_nothing_and_a_person_may_go_on_without_one() {
    let (mut issuer, mut other) = (Browser::new(1), Browser::new(4));
    issue(&mut issuer, "Ann");
    let foreign = {
        issue(&mut other, "Bob");
        list_of(&mut other)
    };
    let learns = |text: String| Command::Learn { text, facts: Facts::default() };
    let reply = issuer.call(learns(foreign.clone()));
    assert!(reply.refused.unwrap().contains("no status list of yours"));
    let mut forged = list_of(&mut issuer);
    forged.replace_range(forged.len() - 4.., "AAAA");
    assert!(issuer.call(learns(forged)).refused.unwrap().contains("did not sign"));
    assert!(anchor(&mut issuer, Some(&foreign), false).refused.is_some());
    assert_eq!(anchor(&mut issuer, Some(&foreign), true).refused, None);
}

#[test]
fn a_verifier_asks_for_the_newest_list_by_its_hash_and_keeps_it() {
    let mut issuer = Browser::new(1);
    let mut holder = held(&mut issuer, true);
    let mut verifier = Browser::new(3);
    let [one, two, three] = [(); 3].map(|()| verifier.done(Command::Ask(question())).text);
    let [one, two, three] = [one, two, three].map(|text| answered(&mut holder, &text).text);
    // Another credential is revoked: the holder brings along a list that is not the newest.
    issue(&mut issuer, "Bob");
    let newest = revoke(&mut issuer, 2);
    verifier.now_s = issuer.now_s;
    let facts = Facts { missing: Vec::new(), ..list_facts(&issuer, Some(&newest)) };
    let check = |answer: &str, facts: &Facts| Command::Check {
        answer: answer.to_owned(),
        facts: facts.clone(),
    };
    let asked = verifier.call(check(&one, &facts));
    assert_eq!((asked.needs, asked.verdict), (vec![Need::Token(token_hash(&newest))], None));
    let came = Facts { tokens: vec![newest.clone()], ..facts.clone() };
    let good = verifier.verdict(&one, came);
    assert!(good.good, "{good:?}");
    let says = |words: &str| good.holds.iter().any(|line| line.contains(words));
    assert!(says("is the newest, proved at block 9") && says("fetched whole"), "{good:?}");
    // It is kept: nobody is asked for it again.
    verifier.reload();
    let again = verifier.verdict(&two, facts.clone());
    assert!(again.good && !again.holds.iter().any(|line| line.contains("fetched")), "{again:?}");

    let revoked = revoke(&mut issuer, 1);
    verifier.now_s = issuer.now_s;
    let facts = Facts { missing: Vec::new(), ..list_facts(&issuer, Some(&revoked)) };
    assert_eq!(verifier.call(check(&three, &facts)).needs.len(), 1);
    // What hashes to something else is as good as nothing.
    let other = Facts { tokens: vec![newest], ..facts.clone() };
    assert_eq!(verifier.call(check(&three, &other)).needs.len(), 1);
    let came = Facts { tokens: vec![revoked], ..facts };
    let refused = verifier.verdict(&three, came);
    assert!(refused.refused.contains("was revoked: status list version 1"), "{refused:?}");
}

#[test]
fn a_file_counts_once_the_person_has_it_and_with_what_was_in_it() {
    let mut issuer = Browser::new(1);
    assert!(issuer.call(Command::Saved).refused.unwrap().contains("no file was made"));
    issue(&mut issuer, "Ann");
    let made_s = issuer.now_s;
    let handed = issuer.done(Command::Backup).view;
    assert_eq!((handed.saved_s, handed.unsaved), (None, 1), "nobody has it yet");
    assert!(handed.handed);
    // Before the browser is done with it, something else is issued.
    issue(&mut issuer, "Bob");
    let view = issuer.done(Command::Saved).view;
    assert_eq!((view.saved_s, view.unsaved), (Some(made_s), 1));
    assert!(issuer.call(Command::Saved).refused.is_some(), "it is said once");
    // One that was made before another file came in has not what is in that.
    let mut other = Browser::new(1);
    other.calls = 100;
    issue(&mut other, "Carol");
    let theirs = backup(&mut other);
    issuer.done(Command::Backup);
    restored(&mut issuer, &theirs, true);
    assert!(issuer.call(Command::Saved).refused.is_some());
    assert!(issuer.done(Command::Look).view.unsaved > 0);
    // And none is remembered by a page that was closed.
    issuer.done(Command::Backup);
    issuer.reload();
    assert!(!issuer.done(Command::Look).view.handed);
    assert!(issuer.call(Command::Saved).refused.is_some());
}

/// A book that is full: one credential, remembered as often as may be; every second one is over tomorrow.
fn full(issuer: &mut Browser) -> u64 {
    issue(issuer, "Ann");
    let one = issuer.store.issued[0].clone();
    let day_s = one.shown.until_s.unwrap();
    issuer.store.issued = (0_u32..)
        .take(ISSUED_MAX)
        .map(|number| {
            let mut one = one.clone();
            one.places = vec![u64::from(number)];
            one.shown.entry = number + 1;
            one.shown.label = format!("person {number}");
            one.shown.until_s = (number % 2 == 0).then_some(day_s);
            one
        })
        .collect();
    day_s
}

#[test]
fn a_full_book_has_room_again_once_a_file_has_what_is_over() {
    let mut issuer = Browser::new(1);
    let day_s = full(&mut issuer);
    let more = || Command::Issue(order(&Browser::new(2).did(), true));
    let refused = issuer.call(more()).refused.unwrap();
    assert!(refused.contains("no room for more: none of them is over yet"), "{refused}");
    let list = revoke(&mut issuer, 1);
    let view = issuer.done(Command::Look).view;
    assert_eq!((view.issued.len(), view.issued_over), (ISSUED_SHOWN_MAX, 0));
    assert_eq!(usize::try_from(view.issued_count).unwrap(), ISSUED_MAX);
    issuer.now_s = day_s;
    assert!(issuer.call(more()).refused.unwrap().contains("let those go that are over"));
    assert!(issuer.call(Command::LetGo).refused.unwrap().contains("save a backup first"));
    let file = backup(&mut issuer);
    let reply = issuer.done(Command::LetGo);
    let half = u32::try_from(ISSUED_MAX / 2).unwrap();
    assert_eq!((reply.taken, reply.view.issued_count, reply.view.issued_over), (half, half, 0));
    // The list is the same: nobody pays for another one, and what was revoked stays so.
    assert_eq!(list_of(&mut issuer), list);
    assert_eq!(StatusToken::unchecked(&list).unwrap().list.get(0), Some(Status::Invalid.value()));
    let reply = issuer.done(more());
    assert_eq!(reply.view.issued_count, half + 1);
    assert_ne!(issuer.store.issued.last().unwrap().places, [0], "that place is taken");

    // The file brings back what there is room for, and says what it leaves out.
    let back = restored(&mut issuer, &file, true);
    let joined = back.joined.unwrap();
    assert_eq!((joined.added, joined.same, joined.left), (half, half, 1));
    assert_eq!(usize::try_from(back.view.issued_count).unwrap(), ISSUED_MAX);
    let mut other = Browser::new(1);
    other.now_s = day_s;
    assert_eq!(restored(&mut other, &file, true).joined.unwrap().left, 0);
    assert_eq!(list_of(&mut other), list);
}

#[test]
fn two_books_that_do_not_fit_together_are_left_as_they_are() {
    let (mut one, mut two) = (Browser::new(1), Browser::new(1));
    full(&mut one);
    issue(&mut two, "Zoe");
    let file = backup(&mut two);
    let reply = one.call(Command::Restore { file, sure: true });
    let refused = reply.refused.unwrap();
    assert!(refused.contains("both together") && refused.contains("none of them is over"));
    assert_eq!(usize::try_from(reply.view.issued_count).unwrap(), ISSUED_MAX);
}

#[test]
fn what_no_file_has_does_not_leave_a_full_book_for_what_comes_in() {
    let (mut one, mut two) = (Browser::new(1), Browser::new(1));
    let day_s = full(&mut one);
    two.now_s = day_s;
    issue(&mut two, "Zoe");
    let file = backup(&mut two);
    one.now_s = two.now_s;
    // Half of what is here is over, and in no file.
    let reply = one.call(Command::Restore { file: file.clone(), sure: true });
    assert!(reply.refused.unwrap().contains("save a backup here"));
    assert_eq!(usize::try_from(reply.view.issued_count).unwrap(), ISSUED_MAX);
    assert_eq!(one.store.issued[0].shown.label, "person 0");
    backup(&mut one);
    one.done(Command::LetGo);
    let joined = restored(&mut one, &file, true).joined.unwrap();
    assert_eq!((joined.added, joined.left), (1, 0));
}

#[test]
fn a_file_that_does_not_know_what_a_list_revoked_is_no_backup_of_it() {
    let mut issuer = Browser::new(1);
    issue(&mut issuer, "Ann");
    let old = backup(&mut issuer);
    let bob = issue(&mut issuer, "Bob");
    let newest = revoke(&mut issuer, bob);
    let mut other = Browser::new(1);
    other.now_s = issuer.now_s + 60;
    assert_eq!(restored(&mut other, &old, true).view.unsaved, 0);
    assert_eq!(learn(&mut other, &newest).taken, 1);
    let file = backup(&mut other);
    // Ann is in the older file as she is here; that Bob's place is taken, is not.
    assert_eq!(restored(&mut other, &old, true).view.unsaved, 1);
    assert_eq!(restored(&mut other, &file, true).view.unsaved, 0);
}

#[test]
fn what_was_issued_is_found_by_its_note() {
    let mut issuer = Browser::new(1);
    full(&mut issuer);
    let found = issuer.done(Command::Seek(" Person 40".to_owned())).view.issued;
    let all: Vec<&str> = found.iter().map(|one| one.label.as_str()).take(3).collect();
    assert_eq!(all, ["person 4095", "person 4094", "person 4093"]);
    assert!(found.iter().any(|one| one.label == "person 4050") && found.len() > 90);
    let none = issuer.done(Command::Seek("nobody".to_owned())).view;
    assert_eq!((none.issued.len(), none.sought.as_str()), (0, "nobody"));
    assert_eq!(usize::try_from(none.issued_count).unwrap(), ISSUED_MAX, "they are here still");
    let by_kind = issuer.done(Command::Seek("VCT:person".to_owned())).view.issued;
    assert_eq!(by_kind.len(), ISSUED_SHOWN_MAX);
    assert_eq!(issuer.done(Command::Seek("nobody".to_owned())).view.issued, []);
    assert_eq!(issuer.done(Command::Seek(String::new())).view.issued.len(), ISSUED_SHOWN_MAX);
}

#[test]
fn a_second_list_begins_where_the_first_has_no_room() {
    let mut issuer = Browser::new(1);
    let ann = issue(&mut issuer, "Ann");
    let first = list_of(&mut issuer);
    // Somebody whose copies take all that is given of the first one.
    let mut many = issuer.store.issued[0].clone();
    let other = 1 - many.places[0] % 2;
    many.places = (0..1 << 15).map(|place| 2 * place + other).collect();
    many.shown.entry = 2;
    issuer.store.issued.push(many);
    let bob = issue(&mut issuer, "Bob");
    let places = &issuer.store.issued.last().unwrap().places;
    assert!(places.iter().all(|place| place >> 16 == 1), "{places:?}");
    let lists = issuer.done(Command::Look).view.lists;
    let names: Vec<String> = lists.iter().map(|list| list.uri.clone()).collect();
    let did = issuer.did();
    assert_eq!(names, [format!("{did}/status/1"), format!("{did}/status/2")]);
    let numbers: Vec<u32> = lists.iter().map(|list| list.number).collect();
    assert_eq!(numbers, [0, 1]);

    // What is said of one says nothing of the other.
    assert_eq!(list_of(&mut issuer), first);
    let second = revoke(&mut issuer, bob);
    assert_eq!(StatusToken::name(&second).unwrap(), format!("{did}/status/2"));
    assert_eq!(list_of(&mut issuer), first);
    let token = issuer.done(Command::List(None, 1)).text;
    assert_eq!(token, second);
    let list = StatusToken::unchecked(&second).unwrap().list;
    let at = issuer.store.issued.last().unwrap().places[0] & 0xffff;
    assert_eq!(list.get(at), Some(Status::Invalid.value()));
    let anchored = issuer.call(Command::Anchor {
        network: [5; 32],
        number: 1,
        head: None,
        last: None,
        despite: false,
        list: 1,
    });
    assert_eq!((anchored.refused, anchored.text), (None, second.clone()));
    revoke(&mut issuer, ann);
    assert_ne!(list_of(&mut issuer), first);
    assert_eq!(issuer.done(Command::List(None, 1)).text, second);

    // A browser with an older book learns from each of its own list.
    let mut holder = Browser::new(2);
    let mut text = order(&holder.did(), true);
    "Cleo".clone_into(&mut text.label);
    let bundle = issuer.done(Command::Issue(text)).text;
    assert_eq!(holder.take(&bundle).view.cards[0].mark, Some(Mark::Valid));
    let file = backup(&mut issuer);
    let mut other = Browser::new(1);
    other.now_s = issuer.now_s + 60;
    restored(&mut other, &file, true);
    assert_eq!(other.done(Command::List(None, 1)).text, issuer.done(Command::List(None, 1)).text);
    let cleo = other.done(Command::Look).view.issued.iter().map(|one| one.entry).max().unwrap();
    let newer = revoke(&mut other, cleo);
    issuer.now_s = other.now_s;
    assert_eq!(learn(&mut issuer, &newer).taken, 1);
    holder.now_s = other.now_s;
    assert_eq!(holder.take(&newer).view.cards[0].mark, Some(Mark::Revoked));
}
