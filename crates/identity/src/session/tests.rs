use super::*;

const MINUTE_MS: u64 = 60_000;

/// A session on a device that keeps what it is told to.
#[derive(Default)]
struct Rig {
    session: Session,
    kept: Option<Vec<u8>>,
    now_ms: u64,
    draws: u8,
}

impl Rig {
    fn call(&mut self, command: Command) -> Answer {
        self.draws += 1;
        let (answer, keep) = self.session.call(self.now_ms, [self.draws; 32], command);
        match keep {
            Some(Keep::This(bytes)) => self.kept = Some(bytes),
            Some(Keep::Nothing) => self.kept = None,
            None => {}
        }
        answer
    }

    fn good(&mut self, command: Command) -> Answer {
        let answer = self.call(command);
        assert_eq!(answer.refused, None);
        answer
    }

    fn refused(&mut self, command: Command) -> Option<Refusal> {
        let before = (self.session.view(), self.kept.clone());
        let answer = self.call(command);
        assert_eq!((answer.view, self.kept.clone()), before, "a refusal changes nothing");
        answer.refused
    }

    fn words(&mut self) -> String {
        let words = self.good(Command::Words).texts;
        words.iter().map(Secret::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Words confirmed and a passkey: kept, at place 0 and 1.
    fn whole() -> (Self, String) {
        let mut rig = Self::default();
        rig.good(Command::Create);
        let words = rig.words();
        rig.good(Command::Confirm(Secret::text(&words)));
        rig.good(Command::Salt);
        rig.good(Command::Passkey { id: vec![4].into(), output: Secret::new(vec![9; 32]) });
        assert_eq!(rig.session.stage(), Stage::Open);
        (rig, words)
    }

    /// The next visit.
    fn again(&self) -> Self {
        Self {
            session: Session::new(self.kept.as_deref()),
            kept: self.kept.clone(),
            ..Self::default()
        }
    }

    /// Another device.
    fn elsewhere() -> Self {
        Self { draws: 100, ..Self::default() }
    }
}

fn passkey(byte: u8) -> Command {
    Command::Unlock { slot: 1, with: Secret::new(vec![byte; 32]) }
}

#[test]
fn nothing_is_kept_before_there_are_two_ways_of_which_one_is_not_on_the_device() {
    let mut rig = Rig::default();
    rig.good(Command::Create);
    assert_eq!(rig.session.stage(), Stage::Draft);
    assert_eq!(rig.refused(Command::Create), Some(Refusal::Exists));
    rig.good(Command::Salt);
    let output = Secret::new(vec![9; 32]);
    rig.good(Command::Passkey { id: vec![4].into(), output });
    assert_eq!((rig.session.stage(), rig.kept.is_some()), (Stage::Draft, false));
    let words = rig.words();
    assert_eq!(rig.refused(Command::Confirm(Secret::text("a b"))), Some(Refusal::WordCount));
    rig.good(Command::Confirm(Secret::text(&words.to_uppercase())));
    assert_eq!((rig.session.stage(), rig.kept.is_some()), (Stage::Open, true));
}

#[test]
fn what_is_locked_opens_by_its_ways_and_a_wrong_one_is_told() {
    let (rig, _) = Rig::whole();
    let did = rig.session.view().did;
    assert!(did.starts_with("did:key:z6Mk"));
    let mut rig = rig.again();
    assert_eq!((rig.session.stage(), rig.session.view().did), (Stage::Locked, did.clone()));
    assert_eq!(rig.refused(Command::Words), Some(Refusal::Locked));
    assert_eq!(rig.refused(Command::Password(Secret::text("long enough"))), Some(Refusal::Locked));
    assert_eq!(rig.refused(Command::Genesis([1; 32])), Some(Refusal::Locked));
    assert_eq!(rig.refused(passkey(8)), Some(Refusal::Wrong));
    assert_eq!(
        rig.refused(Command::Unlock { slot: 0, with: Secret::text("x") }),
        Some(Refusal::NoWay)
    );
    rig.good(passkey(9));
    assert_eq!((rig.session.stage(), rig.session.view().did), (Stage::Open, did));
    rig.good(Command::Lock);
    assert_eq!(rig.session.stage(), Stage::Locked);
}

#[test]
fn a_password_opens_and_is_replaced_and_a_short_one_is_refused() {
    let (mut rig, _) = Rig::whole();
    assert_eq!(
        rig.refused(Command::Password(Secret::text("short"))),
        Some(Refusal::PasswordLength)
    );
    rig.good(Command::Password(Secret::text("a first password")));
    rig.good(Command::Password(Secret::text("another password")));
    let ways = rig.session.view().slots;
    assert_eq!(ways.len(), 3);
    assert_eq!(ways[2], Way::Password);
    let mut rig = rig.again();
    let open = |text: &str| Command::Unlock { slot: 2, with: Secret::text(text) };
    assert_eq!(rig.refused(open("a first password")), Some(Refusal::Wrong));
    rig.good(open("another password"));
}

#[test]
fn the_words_alone_give_the_same_identity_on_an_empty_device() {
    let (rig, words) = Rig::whole();
    let mut other = Rig::elsewhere();
    let swapped = words.split(' ').rev().collect::<Vec<_>>().join(" ");
    assert_eq!(
        other.call(Command::Recover(Secret::text(&swapped))).refused,
        Some(Refusal::WordsChecked)
    );
    let mut wrong: Vec<&str> = words.split(' ').collect();
    wrong[6] = "starling";
    let answer = other.call(Command::Recover(Secret::text(&wrong.join(" "))));
    assert_eq!((answer.refused, answer.at), (Some(Refusal::Word), 7));
    other.good(Command::Recover(Secret::text(&words)));
    assert_eq!((other.session.stage(), other.kept.is_some()), (Stage::Draft, false));
    other.good(Command::Salt);
    other.good(Command::Passkey { id: vec![5].into(), output: Secret::new(vec![1; 32]) });
    assert_eq!(other.session.stage(), Stage::Open);
    assert_eq!(other.session.view().did, rig.session.view().did);
    assert_eq!(other.session.account_seed(&[1; 32]), rig.session.account_seed(&[1; 32]));
}

#[test]
fn enough_shares_give_the_identity_back_and_fewer_or_strange_ones_do_not() {
    let (mut rig, _) = Rig::whole();
    assert_eq!(rig.refused(Command::Share { threshold: 1, count: 3 }), Some(Refusal::Guardians));
    let shares = rig.good(Command::Share { threshold: 2, count: 3 }).texts;
    let older = rig.good(Command::Share { threshold: 2, count: 3 }).texts;
    rig.good(Command::HandedOut);
    assert_eq!(rig.session.view().slots[2..], [Way::Guardians { threshold: 2 }]);
    let mut other = Rig::elsewhere();
    let by = |shares: &[&Secret]| {
        Command::RecoverByShares(shares.iter().map(|share| (*share).clone()).collect())
    };
    assert_eq!(other.refused(by(&[&shares[0]])), Some(Refusal::Shares));
    assert_eq!(other.refused(by(&[&shares[0], &shares[0]])), Some(Refusal::Shares));
    assert_eq!(other.refused(by(&[&shares[0], &older[1]])), Some(Refusal::Shares));
    assert_eq!(other.refused(by(&[&Secret::text("hello")])), Some(Refusal::Share));
    other.good(by(&[&shares[2], &shares[0]]));
    assert_eq!(other.session.stage(), Stage::Draft);
    other.good(Command::Password(Secret::text("a new password")));
    assert_eq!(other.session.stage(), Stage::Open);
    assert_eq!(other.session.view().did, rig.session.view().did);
}

#[test]
fn shares_that_nobody_has_are_no_way() {
    let (mut rig, _) = Rig::whole();
    rig.good(Command::Password(Secret::text("long enough")));
    assert_eq!(rig.refused(Command::HandedOut), Some(Refusal::NoShares));
    rig.good(Command::Share { threshold: 2, count: 3 });
    let guardians = Way::Guardians { threshold: 2 };
    assert!(!rig.session.view().slots.contains(&guardians), "they were shown to one person only");
    assert_eq!(rig.refused(Command::Remove(0)), Some(Refusal::TooFewWays), "the words are needed");
    // What was shown before it was locked is not asked about any more.
    rig.good(Command::Lock);
    rig.good(passkey(9));
    assert_eq!(rig.refused(Command::HandedOut), Some(Refusal::NoShares));
    rig.good(Command::Share { threshold: 2, count: 3 });
    rig.good(Command::HandedOut);
    assert!(rig.again().session.view().slots.contains(&guardians));
    assert_eq!(rig.refused(Command::HandedOut), Some(Refusal::NoShares));
    rig.good(Command::Remove(0));
    assert!(rig.session.view().is_recoverable);
}

#[test]
fn words_and_shares_are_shown_to_who_opened_it_just_now_only() {
    let (mut rig, words) = Rig::whole();
    let secrets = [Command::Words, Command::Share { threshold: 2, count: 2 }];
    rig.now_ms += FRESH_MS;
    for secret in &secrets {
        assert!(!rig.good(secret.clone()).texts.is_empty());
    }
    // Use keeps it open, and is no proof of who sits there.
    rig.good(Command::Genesis([1; 32]));
    rig.now_ms += 1;
    for secret in &secrets {
        assert_eq!(rig.refused(secret.clone()), Some(Refusal::NotFresh));
    }
    assert_eq!(rig.session.stage(), Stage::Open, "all else goes on");
    assert_eq!(rig.refused(passkey(8)), Some(Refusal::Wrong));
    assert_eq!(rig.refused(Command::Words), Some(Refusal::NotFresh));
    rig.good(passkey(9));
    rig.good(Command::Words);
    rig.now_ms += FRESH_MS + 1;
    rig.good(Command::Recover(Secret::text(&words)));
    rig.good(Command::Words);
}

#[test]
fn words_of_an_identity_that_is_not_kept_yet_can_be_written_down_slowly() {
    let mut rig = Rig::default();
    rig.good(Command::Create);
    rig.now_ms += 60 * MINUTE_MS;
    assert_eq!(rig.good(Command::Words).texts.len(), 24);
}

/// A DID that stands at the last generation of keys that is looked for, or before.
fn head_at(rig: &mut Rig, generation: u32) -> Head {
    let root = rig.session.root(rig.now_ms).unwrap().clone();
    Head {
        network: [1; 32],
        did: crate::did::StarlingId::new([3; 20]),
        op: primitives::Hash::new([4; 32]),
        seq: generation.into(),
        rotation: vec![root.rotation_key(generation).public()],
        content: primitives::Hash::new([5; 32]),
        guardians: None,
    }
}

#[test]
fn a_did_ends_before_its_keys_are_out_of_reach() {
    let (mut rig, _) = Rig::whole();
    let last = crate::limits::GENERATIONS_MAX - 1;
    let head = head_at(&mut rig, last - 1);
    rig.good(Command::Next { head, change: Next::Rotate });
    // Whoever changed it once more would have a DID whose keys nobody finds.
    let head = head_at(&mut rig, last);
    for change in [Next::Rotate, Next::Guardians(None)] {
        let next = Command::Next { head: head.clone(), change };
        assert_eq!(rig.refused(next), Some(Refusal::UsedUp));
    }
    rig.good(Command::Veto { head: head.clone(), guard: primitives::Hash::new([6; 32]) });
    rig.good(Command::Next { head, change: Next::Stop });
}

#[test]
fn who_forgot_the_password_comes_in_by_the_words_and_strange_words_do_not() {
    let (rig, words) = Rig::whole();
    let mut rig = rig.again();
    let strange = crate::custody::Root::new([77; 32]).words().words().join(" ");
    assert_eq!(rig.refused(Command::Recover(Secret::text(&strange))), Some(Refusal::WordsOther));
    rig.good(Command::Recover(Secret::text(&words)));
    assert_eq!(rig.session.stage(), Stage::Open);
    assert_eq!(rig.session.view().slots.len(), 2, "nothing is there twice");
}

#[test]
fn a_way_that_would_leave_too_few_stays() {
    let (mut rig, _) = Rig::whole();
    assert_eq!(rig.refused(Command::Remove(0)), Some(Refusal::TooFewWays));
    assert_eq!(rig.refused(Command::Remove(7)), Some(Refusal::NoWay));
    rig.good(Command::Password(Secret::text("long enough")));
    assert_eq!(rig.refused(Command::Remove(0)), Some(Refusal::TooFewWays), "none would be away");
    rig.good(Command::Remove(1));
    assert_eq!(rig.session.view().slots, [Way::Words, Way::Password]);
}

#[test]
fn it_locks_by_itself_and_use_keeps_it_open() {
    let (mut rig, _) = Rig::whole();
    rig.good(Command::LockAfter(5));
    rig.now_ms += 4 * MINUTE_MS;
    rig.good(Command::Genesis([1; 32]));
    rig.now_ms += 4 * MINUTE_MS;
    rig.good(Command::Look);
    assert_eq!(rig.session.stage(), Stage::Open, "it was used four minutes ago");
    assert_eq!(rig.session.locks_at_ms(), Some(9 * MINUTE_MS));
    rig.now_ms += MINUTE_MS;
    assert_eq!(rig.call(Command::Words).refused, Some(Refusal::Locked));
    assert_eq!(rig.again().session.view().lock_after_min, 5);
}

#[test]
fn a_drill_says_whether_the_words_are_right_even_while_it_is_locked() {
    let (mut rig, words) = Rig::whole();
    rig.now_ms = 9;
    let strange = crate::custody::Root::new([77; 32]).words().words().join(" ");
    assert_eq!(rig.refused(Command::Drill(Secret::text(&strange))), Some(Refusal::WordsOther));
    rig.good(Command::Lock);
    rig.good(Command::Drill(Secret::text(&words)));
    assert_eq!(rig.session.view().drilled_ms, 9);
    assert_eq!(rig.session.stage(), Stage::Locked);
}

#[test]
fn a_backup_is_locked_where_it_is_restored_and_opens_by_the_same_ways() {
    let (mut rig, _) = Rig::whole();
    let backup = rig.good(Command::Backup).bytes;
    assert_eq!(rig.refused(Command::Restore(backup.clone().into())), Some(Refusal::Exists));
    let mut other = Rig::elsewhere();
    assert_eq!(other.refused(Command::Restore(vec![1, 2].into())), Some(Refusal::Form));
    other.good(Command::Restore(backup.into()));
    assert_eq!(other.session.stage(), Stage::Locked);
    other.good(passkey(9));
    rig.good(Command::SignOut);
    assert_eq!((rig.session.stage(), rig.kept), (Stage::Empty, None));
}

#[test]
fn what_is_printed_says_nothing_of_a_secret() {
    let (mut rig, words) = Rig::whole();
    let answer = rig.good(Command::Words);
    let command = Command::Password(Secret::text("open sesame"));
    let all = format!("{:?} {answer:?} {command:?}", rig.session);
    let first = words.split(' ').next().unwrap();
    assert!(!all.contains("sesame") && !all.contains(&format!("\"{first}\"")), "{all}");
}

#[test]
fn kept_bytes_hold_no_part_of_the_seed() {
    let (rig, _) = Rig::whole();
    let seed = Seed::new([1; 32]).derive("identity/seed");
    let kept = rig.kept.unwrap();
    assert!(kept.windows(8).all(|part| !seed.as_bytes().windows(8).any(|other| other == part)));
}

/// `static/identity/worker.js` asks for a look by these bytes.
#[test]
fn a_look_is_these_bytes() {
    assert_eq!(to_bytes(&Command::Look), [0x82, 0x00, 0x80]);
}
