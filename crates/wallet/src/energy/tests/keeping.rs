//! What a household has left and leaves, and what an operator announces.

use super::{
    Left, NOTICE_SLOTS, Purse, RULES, SPAN, START, STREET, Source, Street, WINDOW, Wish, left,
    refusal, rules, scene,
};

#[test]
fn certificates_are_told_by_slot_until_they_are_used_up() {
    let mut street = Street::new(2, RULES);
    street.wait(3);
    // The neighbour takes 200 of 500 Wh, then nothing.
    street.read(START + 1, &[(0, 0, 500), (1, 200, 0)]);
    street.read(START + 2, &[(0, 0, 300), (1, 0, 0)]);
    let book = street.seen();
    assert_eq!(left(&scene(&street, &book), SPAN), [], "nothing is settled");
    street.wait(u64::from(WINDOW));
    street.settle(START + 1);
    street.settle(START + 2);
    let book = street.seen();
    let of = |slot, left_wh| Left { slot, meter: 0, source: Source::Solar, left_wh };
    assert_eq!(left(&scene(&street, &book), SPAN), [of(START + 1, 300), of(START + 2, 300)]);
    let claim = |slot, energy_wh| rules::Action::Claim {
        community: STREET,
        slot,
        meter: 0,
        energy_wh,
        holder: super::person(1),
    };
    street.done(1, claim(START + 1, 300));
    street.done(1, claim(START + 2, 100));
    let book = street.seen();
    assert_eq!(left(&scene(&street, &book), SPAN), [of(START + 2, 200)]);
}

#[test]
fn rules_are_announced_a_day_ahead_by_the_operator_alone() {
    let mut street = Street::new(1, RULES);
    let (now, cheaper) = (START, rules::Rules { loss_ppm: 10_000, ..RULES });
    let book = street.seen();
    let mine = scene(&street, &book);
    let wish = |from_slot| Wish::Rules(from_slot, cheaper);
    let not_operator = refusal(&mine, STREET, &wish(now + NOTICE_SLOTS)).unwrap_err();
    let who = super::person(50);
    let named = super::Named { span: Some(SPAN), slot: None, trade: None };
    let kept = super::Book::default();
    let keys = super::wanted((&book, &kept), &who.to_string(), street.now_ms, named, &[]);
    let theirs = super::Book::with_kept(&street.proved(&keys), &kept);
    let operator = super::Scene { book: &theirs, account: who, now_ms: street.now_ms };
    assert_eq!(refusal(&operator, STREET, &wish(now + NOTICE_SLOTS)), Ok(()));
    let too_soon = refusal(&operator, STREET, &wish(now + NOTICE_SLOTS - 1)).unwrap_err();
    assert_eq!((not_operator, too_soon), (0x0709, 0x0711));
    let Some(super::view::Command::Energy { action, .. }) =
        super::super::ask(&operator, STREET, &wish(now + NOTICE_SLOTS))
    else {
        panic!("a command of a community")
    };
    let domain = Some(ledger::Prefix::Energy.byte());
    let act =
        super::view::Act { action: action.clone(), code: 0, amount: None, seized: None, domain };
    let asked = super::super::asked(&act).unwrap();
    assert_eq!((asked.community, asked.wish), (Some(STREET), wish(now + NOTICE_SLOTS)));
    street.done(50, minicbor::decode(&action).unwrap());
    let book = street.seen();
    let shown = super::community(&scene(&street, &book), STREET).unwrap();
    assert_eq!(shown.next, Some((now + NOTICE_SLOTS, cheaper)));
    assert_eq!(shown.rules, RULES, "until then the rules that are");
}

#[test]
fn who_has_a_meter_stays_and_who_has_none_leaves_with_what_is_free() {
    let mut street = Street::new(1, RULES);
    let book = street.seen();
    assert_eq!(refusal(&scene(&street, &book), STREET, &Wish::Leave), Err(0x0714));
    street.done(1, rules::Action::RemoveMeter { community: STREET, meter: 0 });
    let book = street.seen();
    assert_eq!(refusal(&scene(&street, &book), STREET, &Wish::Leave), Ok(()));
    assert_eq!(refusal(&scene(&street, &book), STREET, &Wish::Withdraw(Purse::Member, 1)), Ok(()));
}
