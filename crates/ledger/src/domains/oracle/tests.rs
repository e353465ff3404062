use proptest::prelude::*;

use super::{Action, Error, Quote, Stale, quote};
use crate::{
    self as ledger, Code as _,
    testing::{Lab, account},
};

const FEED: u32 = 1;
const DOLLAR: u64 = 100_000_000;

fn lab(reporters: u64) -> Lab {
    let mut lab = Lab::new();
    lab.wait_s(1_000_000);
    let mut accounts: Vec<_> = (0..reporters).map(account).collect();
    accounts.sort();
    let create = Action::Create { reporters: accounts, age_max_s: 120 };
    lab.act(account(50), &ledger::Action::Oracle(create)).unwrap();
    lab
}

fn report(lab: &mut Lab, who: u64, price: u64) -> Result<(), u16> {
    let (seen_s, number) = (lab.context.now_s(), lab.context.height);
    let action = Action::Report { feed: FEED, price, seen_s, number };
    lab.act(account(who), &ledger::Action::Oracle(action)).map(|_| ())
}

fn all_report(lab: &mut Lab, reporters: u64, price: u64) {
    lab.wait_s(1);
    (0..reporters).for_each(|who| report(lab, who, price).unwrap());
}

fn price(lab: &Lab) -> Result<Quote, Stale> {
    quote(&lab.store, &lab.context, FEED)
}

#[test]
fn a_price_takes_a_quorum_of_fresh_reports() {
    let mut lab = lab(4);
    report(&mut lab, 0, DOLLAR).unwrap();
    report(&mut lab, 1, DOLLAR + 1).unwrap();
    assert_eq!(price(&lab), Err(Stale::Quorum { needed: 3, fresh: 2 }));
    report(&mut lab, 2, DOLLAR + 2).unwrap();
    assert_eq!(price(&lab).unwrap().price, DOLLAR + 1);
    report(&mut lab, 3, DOLLAR + 3).unwrap();
    assert_eq!(price(&lab).unwrap().price, DOLLAR + 1, "the lower of two in the middle");
    lab.wait_s(120);
    assert!(price(&lab).is_ok());
    lab.wait_s(1);
    assert_eq!(price(&lab), Err(Stale::Quorum { needed: 3, fresh: 0 }));
}

#[test]
fn a_quorum_is_twice_those_that_may_lie_and_one() {
    for (count, needed) in [(4, 3), (5, 3), (6, 3), (7, 5), (10, 7), (31, 21)] {
        let mut lab = lab(count);
        for who in 0..needed {
            assert!(price(&lab).is_err(), "{who} of {count}");
            report(&mut lab, who, DOLLAR).unwrap();
        }
        assert_eq!(price(&lab), Ok(Quote::flat(DOLLAR)), "{needed} of {count}");
    }
}

#[test]
fn reports_are_by_reporters_in_order_and_not_of_the_future() {
    let mut lab = lab(4);
    assert_eq!(report(&mut lab, 9, DOLLAR), Err(Error::NotReporter.code()));
    assert_eq!(report(&mut lab, 0, 0), Err(Error::BadPrice.code()));
    report(&mut lab, 0, DOLLAR).unwrap();
    assert_eq!(report(&mut lab, 0, DOLLAR), Err(Error::NumberUsed.code()));
    let now_s = lab.context.now_s();
    let mut say = |seen_s: u64| {
        let action = Action::Report { feed: FEED, price: DOLLAR, seen_s, number: u64::MAX };
        lab.act(account(0), &ledger::Action::Oracle(action)).map(|_| ())
    };
    assert_eq!(say(now_s + 1), Err(Error::FromTheFuture.code()));
    assert_eq!(say(now_s - 1), Err(Error::Older.code()));
    let nowhere = Action::Report { feed: 9, price: 1, seen_s: 0, number: 1 };
    let refused = lab.act(account(0), &ledger::Action::Oracle(nowhere));
    assert_eq!(refused.unwrap_err(), Error::NoFeed.code());
}

#[test]
fn a_jump_waits_until_a_quorum_has_seen_it_again() {
    let mut lab = lab(4);
    all_report(&mut lab, 4, DOLLAR);
    all_report(&mut lab, 4, DOLLAR * 3 / 4);
    assert_eq!(price(&lab).unwrap().price, DOLLAR * 3 / 4, "a quarter is no jump");
    all_report(&mut lab, 4, DOLLAR / 2);
    assert_eq!(price(&lab), Err(Stale::Jump));
    lab.wait_s(1);
    assert_eq!(price(&lab), Err(Stale::Jump), "time alone confirms nothing");
    report(&mut lab, 0, DOLLAR / 2).unwrap();
    report(&mut lab, 1, DOLLAR / 2).unwrap();
    assert_eq!(price(&lab), Err(Stale::Jump), "two of four confirm nothing");
    report(&mut lab, 2, DOLLAR / 2).unwrap();
    assert_eq!(price(&lab).unwrap().price, DOLLAR / 2);
}

#[test]
fn a_jump_that_goes_back_is_forgotten() {
    let mut lab = lab(4);
    all_report(&mut lab, 4, DOLLAR);
    all_report(&mut lab, 4, DOLLAR * 2);
    all_report(&mut lab, 4, DOLLAR);
    assert_eq!(price(&lab).unwrap().price, DOLLAR);
}

#[test]
fn what_is_pledged_and_what_is_owed_lean_on_the_last_half_hour() {
    let mut lab = lab(4);
    for _ in 0..40 {
        all_report(&mut lab, 4, DOLLAR);
        lab.wait_s(59);
    }
    all_report(&mut lab, 4, DOLLAR * 5 / 4);
    let quoted = price(&lab).unwrap();
    assert_eq!(quoted, Quote { price: DOLLAR * 5 / 4, low: DOLLAR, high: DOLLAR * 5 / 4 });
    for _ in 0..40 {
        lab.wait_s(59);
        all_report(&mut lab, 4, DOLLAR * 5 / 4);
    }
    assert_eq!(price(&lab).unwrap(), Quote::flat(DOLLAR * 5 / 4), "the old price has left");
}

#[test]
fn lists_that_can_have_no_quorum_are_refused() {
    let mut lab = Lab::new();
    let mut three: Vec<_> = (0..3).map(account).collect();
    three.sort();
    let cases = [
        (Action::Create { reporters: three, age_max_s: 120 }, Error::BadReporters),
        (Action::Create { reporters: vec![account(1); 4], age_max_s: 120 }, Error::BadReporters),
    ];
    for (action, error) in cases {
        let refused = lab.act(account(1), &ledger::Action::Oracle(action));
        assert_eq!(refused.unwrap_err(), error.code());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever a third of the reporters say, whoever else is silent, the price lies between two
    /// honest ones or there is none.
    #[test]
    fn no_third_of_the_reporters_moves_the_price(
        count in 4..13_u64,
        honest in prop::collection::vec(DOLLAR..DOLLAR + 1_000, 13),
        lies in prop::collection::vec(1..u64::MAX, 13),
        silent in prop::collection::vec(any::<bool>(), 13),
        rotate in 0..13_u64,
    ) {
        let mut lab = lab(count);
        let liars = (count - 1) / 3;
        let mut said = Vec::new();
        for at in 0..usize::try_from(count).unwrap() {
            let who = (u64::try_from(at).unwrap() + rotate) % count;
            if u64::try_from(at).unwrap() < liars {
                report(&mut lab, who, lies[at]).unwrap();
            } else if !silent[at] || at % 2 == 0 {
                report(&mut lab, who, honest[at]).unwrap();
                said.push(honest[at]);
            }
        }
        lab.wait_s(1);
        if let Ok(quoted) = price(&lab) {
            let (least, most) = (said.iter().min().unwrap(), said.iter().max().unwrap());
            prop_assert!(quoted.price >= *least && quoted.price <= *most);
        }
    }

    /// Round after round, with old reports beside new ones: neither the price nor the half hour's average leaves
    /// what honest reporters said.
    #[test]
    fn a_third_that_lies_on_and_on_moves_neither_price_nor_average(
        count in 4..11_u64,
        rounds in prop::collection::vec(
            (DOLLAR..DOLLAR + 1_000, prop::collection::vec(1..u64::MAX, 3), 1..90_u64),
            1..30,
        ),
    ) {
        let mut lab = lab(count);
        let liars = (count - 1) / 3;
        let (mut least, mut most) = (u64::MAX, 0);
        for (honest, lies, wait_s) in rounds {
            lab.wait_s(wait_s);
            for who in 0..count {
                // Liars first: each report is a moment at which the price may be used.
                let lie = usize::try_from(who).ok().filter(|_| who < liars).map(|at| lies[at]);
                let said = lie.unwrap_or(honest + who);
                report(&mut lab, who, said).unwrap();
                if lie.is_none() {
                    (least, most) = (least.min(said), most.max(said));
                }
                if let Ok(Quote { price, low, high }) = price(&lab) {
                    let within = least <= low && low <= price && price <= high && high <= most;
                    prop_assert!(within, "{low}, {price}, {high} of {least} to {most}");
                }
            }
            prop_assert!(price(&lab).is_ok(), "all of them reported");
        }
    }
}
