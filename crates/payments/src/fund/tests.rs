use core::time::Duration;

use ledger::domains::paypool::LANES_MAX;
use primitives::KeyPair;
use proptest::prelude::*;

use super::*;

const MIB: u64 = 1 << 20;
const PER_MIB: u64 = 1_000;
const POOL: u64 = 7;
const START: Time = Time::from_ms(5_000);

fn key(number: u64) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(number))
}

fn account(number: u64) -> AccountId {
    AccountId::of_key(key(1_000 + number).id())
}

fn at(number: u8) -> IpAddr {
    IpAddr::from([198, 51, 100, number])
}

fn swarm() -> SwarmId {
    SwarmId::new([8; 32])
}

fn rules() -> Rules {
    Rules {
        chain: ChainId::new([3; 32]),
        pool: POOL,
        swarms: vec![swarm()],
        per_mib: PER_MIB,
        units_max: 100_000,
        hour_units_max: 60_000,
        viewer_bytes_max: 20 * MIB,
        place_bytes_max: 30 * MIB,
        same_place: false,
    }
}

fn fund(rules: Rules) -> Fund {
    Fund::new(rules, Seed::from_number(77), START)
}

/// What a viewer says now: `account` is its own, `from` what it got from other viewers.
fn said(fund: &mut Fund, now: Time, account: Option<u64>, from: &[(u64, u64)]) -> Said {
    let terms = fund.terms(now);
    Said {
        chain: terms.chain,
        pool: terms.pool,
        session: terms.session,
        swarm: swarm(),
        account: account.map(|number| Hash::new(*self::account(number).as_bytes())),
        from: from.iter().map(|(giver, bytes)| (key(*giver).id(), *bytes)).collect(),
    }
}

fn body(viewer: u64, said: &Said) -> Vec<u8> {
    let key = key(viewer);
    Report::make(key.id(), said, |bytes| key.sign(bytes)).to_json()
}

/// A viewer whose number is also that of its account and its place reports.
fn tell(fund: &mut Fund, now: Time, viewer: u8, from: &[(u64, u64)]) -> Result<Told, Refusal> {
    let said = said(fund, now, Some(u64::from(viewer)), from);
    fund.report(now, at(viewer), &body(u64::from(viewer), &said))
}

fn earned(fund: &mut Fund, now: Time, viewer: u8) -> String {
    tell(fund, now, viewer, &[]).unwrap().earned
}

/// Signs what is due, as a driver does.
fn pay(fund: &mut Fund, least: u128) -> u128 {
    let mut units = 0;
    for (payee, more) in fund.due(least) {
        let before = fund.payees[&payee].promised;
        let voucher = Voucher::sign(&key(9), ChainId::new([3; 32]), POOL, payee, 1, before + more);
        fund.promised(voucher, more);
        units += more;
    }
    units
}

#[test]
fn what_others_verified_is_earned_once() {
    let mut fund = fund(rules());
    tell(&mut fund, START, 1, &[]).unwrap();
    tell(&mut fund, START, 2, &[(1, 3 * MIB)]).unwrap();
    assert_eq!(earned(&mut fund, START, 1), "3000");
    assert_eq!(earned(&mut fund, START, 2), "0");
    // The same again, an older one, and more.
    tell(&mut fund, START, 2, &[(1, 3 * MIB)]).unwrap();
    tell(&mut fund, START, 2, &[(1, MIB)]).unwrap();
    assert_eq!(earned(&mut fund, START, 1), "3000");
    tell(&mut fund, START, 2, &[(1, 5 * MIB)]).unwrap();
    tell(&mut fund, START, 3, &[(1, MIB), (2, MIB)]).unwrap();
    assert_eq!(earned(&mut fund, START, 1), "6000");
    assert_eq!(earned(&mut fund, START, 2), "1000");
}

#[test]
fn whoever_names_no_account_gives_for_nothing_until_it_does() {
    let mut fund = fund(rules());
    tell(&mut fund, START, 2, &[(1, MIB)]).unwrap();
    let silent = said(&mut fund, START, None, &[]);
    let told = fund.report(START, at(1), &body(1, &silent)).unwrap();
    assert_eq!((told.earned.as_str(), told.paid.as_str(), told.voucher), ("0", "0", None));
    tell(&mut fund, START, 2, &[(1, 2 * MIB)]).unwrap();
    assert_eq!(fund.spent().bytes, 0);
    tell(&mut fund, START, 1, &[]).unwrap();
    tell(&mut fund, START, 2, &[(1, 2 * MIB)]).unwrap();
    assert_eq!(earned(&mut fund, START, 1), "2000");
}

#[test]
fn what_a_liar_says_counts_for_nothing_or_up_to_its_bound() {
    let mut fund = fund(rules());
    tell(&mut fund, START, 1, &[]).unwrap();
    let good = said(&mut fund, START, Some(2), &[(1, MIB)]);
    let zero = Hash::new([0; 32]);
    let refused = [
        (Said { chain: zero, ..good.clone() }, Refusal::Pool),
        (Said { pool: POOL + 1, ..good.clone() }, Refusal::Pool),
        (Said { session: zero, ..good.clone() }, Refusal::Session),
        (Said { swarm: SwarmId::new([9; 32]), ..good.clone() }, Refusal::Swarm),
    ];
    for (said, refusal) in refused {
        assert_eq!(fund.report(START, at(2), &body(2, &said)), Err(refusal));
    }
    assert_eq!(fund.report(START, at(2), b"{}"), Err(Refusal::Form));
    let forged =
        Report { peer: key(3).id(), ..Report::make(key(2).id(), &good, |b| key(2).sign(b)) };
    assert_eq!(fund.report(START, at(2), &forged.to_json()), Err(Refusal::Signature));
    assert_eq!(fund.spent().bytes, 0);
    // Itself, its own account, its own place.
    tell(&mut fund, START, 2, &[(2, MIB)]).unwrap();
    let own = said(&mut fund, START, Some(1), &[(1, MIB)]);
    fund.report(START, at(4), &body(4, &own)).unwrap();
    let near = said(&mut fund, START, Some(5), &[(1, MIB)]);
    fund.report(START, at(1), &body(5, &near)).unwrap();
    assert_eq!(fund.spent().bytes, 0);
    // One viewer, then all of its place.
    tell(&mut fund, START, 2, &[(1, u64::MAX)]).unwrap();
    assert_eq!(fund.spent().bytes, 20 * MIB);
    for viewer in 6..9 {
        let said = said(&mut fund, START, None, &[(1, u64::MAX)]);
        fund.report(START, at(2), &body(viewer, &said)).unwrap();
    }
    assert_eq!(fund.spent().bytes, 30 * MIB);
    // All places, in an hour and in all.
    for viewer in 10..20 {
        tell(&mut fund, START, viewer, &[(1, u64::MAX)]).unwrap();
    }
    assert_eq!(fund.spent().earned, 60_000);
    let later = START + Duration::from_secs(3_600);
    tell(&mut fund, later, 1, &[]).unwrap();
    for viewer in 10..20 {
        tell(&mut fund, later, viewer, &[(1, u64::MAX)]).unwrap();
    }
    let spent = fund.spent();
    assert_eq!((spent.earned, spent.is_over), (100_000, true));
}

#[test]
fn neighbours_of_one_place_are_paid_where_the_owner_says_so() {
    let mut fund = fund(Rules { same_place: true, ..rules() });
    tell(&mut fund, START, 1, &[]).unwrap();
    let near = said(&mut fund, START, Some(5), &[(1, MIB)]);
    fund.report(START, at(1), &body(5, &near)).unwrap();
    assert_eq!(earned(&mut fund, START, 1), "1000");
}

#[test]
fn a_network_of_ipv6_is_one_place() {
    let mut fund = fund(rules());
    let from = |text: &str| text.parse::<IpAddr>().unwrap();
    let giver = said(&mut fund, START, Some(1), &[]);
    fund.report(START, from("2001:db8:7:1::1"), &body(1, &giver)).unwrap();
    let got = said(&mut fund, START, None, &[(1, MIB)]);
    fund.report(START, from("2001:db8:7:ffff::2"), &body(2, &got)).unwrap();
    assert_eq!(fund.spent().bytes, 0);
    fund.report(START, from("2001:db8:8::2"), &body(3, &got)).unwrap();
    assert_eq!(fund.spent().bytes, MIB);
    assert_eq!(place(from("::ffff:198.51.100.7")), at(7));
}

#[test]
fn a_report_of_the_last_hour_is_nothing_in_the_next() {
    let mut fund = fund(rules());
    tell(&mut fund, START, 1, &[]).unwrap();
    let old = said(&mut fund, START, Some(2), &[(1, MIB)]);
    fund.report(START, at(2), &body(2, &old)).unwrap();
    let later = START + Duration::from_secs(3_600);
    assert_eq!(fund.report(later, at(2), &body(2, &old)), Err(Refusal::Session));
    tell(&mut fund, later, 1, &[]).unwrap();
    tell(&mut fund, later, 2, &[(1, MIB)]).unwrap();
    assert_eq!(earned(&mut fund, later, 1), "2000");
    // Another process, another session.
    let mut other = Fund::new(rules(), Seed::from_number(78), START);
    assert_eq!(other.report(START, at(2), &body(2, &old)), Err(Refusal::Session));
}

#[test]
fn what_is_due_is_signed_once_and_what_the_ledger_paid_is_told() {
    let mut fund = fund(rules());
    tell(&mut fund, START, 1, &[]).unwrap();
    tell(&mut fund, START, 2, &[(1, 3 * MIB / 2)]).unwrap();
    assert!(fund.due(2_000).is_empty());
    assert_eq!(fund.due(1_500), [(account(1), 1_500)]);
    assert_eq!(pay(&mut fund, 1_500), 1_500);
    assert!(fund.due(1).is_empty());
    let told = tell(&mut fund, START, 1, &[]).unwrap();
    assert_eq!((told.earned.as_str(), told.paid.as_str()), ("1500", "0"));
    let voucher = told.voucher.unwrap();
    assert_eq!((voucher.pool, voucher.epoch, voucher.cumulative.as_str()), (POOL, 1, "1500"));
    assert_eq!(fund.unclaimed().len(), 1);
    fund.claimed(account(1), 2, 9_999);
    assert_eq!(fund.unclaimed().len(), 1, "another lane");
    fund.claimed(account(1), 1, 1_500);
    assert!(fund.unclaimed().is_empty());
    assert_eq!(tell(&mut fund, START, 1, &[]).unwrap().paid, "1500");
    tell(&mut fund, START, 2, &[(1, 2 * MIB)]).unwrap();
    assert_eq!(fund.due(1), [(account(1), 500)]);
}

#[test]
fn a_voucher_of_a_lane_that_was_given_back_is_not_handed_in_again() {
    let mut fund = fund(rules());
    tell(&mut fund, START, 1, &[]).unwrap();
    tell(&mut fund, START, 2, &[(1, MIB)]).unwrap();
    assert_eq!(pay(&mut fund, 1), 1_000);
    fund.forfeited(account(1), 2);
    assert_eq!(fund.unclaimed().len(), 1, "another lane");
    fund.forfeited(account(1), 1);
    assert!(fund.unclaimed().is_empty() && fund.due(1).is_empty());
    assert_eq!((fund.spent().promised, fund.spent().paid), (1_000, 0));
    assert_eq!(tell(&mut fund, START, 1, &[]).unwrap().paid, "0");
}

#[test]
fn who_cannot_be_paid_keeps_nobody_waiting() {
    let mut fund = fund(Rules { units_max: u128::MAX, hour_units_max: u128::MAX, ..rules() });
    let many = u8::try_from(BATCH_MAX).unwrap() + 10;
    for giver in 1..=many {
        tell(&mut fund, START, giver, &[]).unwrap();
        tell(&mut fund, START, giver + 100, &[(u64::from(giver), MIB)]).unwrap();
    }
    let mut seen: Vec<AccountId> = fund.due(1).into_iter().map(|(payee, _)| payee).collect();
    assert_eq!(seen.len(), BATCH_MAX);
    assert!(seen.is_sorted(), "as the ledger wants them");
    seen.extend(fund.due(1).into_iter().map(|(payee, _)| payee));
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), BATCH_MAX + 10, "all had their turn");
}

#[test]
fn one_place_reports_only_so_often() {
    let mut fund = fund(rules());
    let asks = (0..5_000).filter(|_| fund.report(START, at(1), b"") == Err(Refusal::Form));
    assert_eq!(asks.count(), 4_096);
    assert!(tell(&mut fund, START, 2, &[]).is_ok());
}

#[test]
fn who_is_owed_most_stays_when_there_are_too_many() {
    assert_eq!(u32::try_from(PAYEES_MAX), Ok(LANES_MAX));
    let many = Rules { viewer_bytes_max: u64::MAX, place_bytes_max: u64::MAX, ..rules() };
    let mut fund = fund(Rules { units_max: u128::MAX, hour_units_max: u128::MAX, ..many });
    for number in 0..1_100_u64 {
        let giver = 5_000 + number;
        let named = said(&mut fund, START, Some(giver), &[]);
        fund.report(START, at(1), &body(giver, &named)).unwrap();
        let viewer = 20_000 + number;
        let bytes = if number == 0 { 2 * MIB } else { MIB };
        let got = said(&mut fund, START, None, &[(giver, bytes)]);
        fund.report(START, at(2), &body(viewer, &got)).unwrap();
    }
    assert_eq!(fund.payees.len(), PAYEES_MAX);
    assert_eq!(fund.payees[&account(5_000)].bytes, 2 * MIB);
    let held: u64 = fund.payees.values().map(|payee| payee.bytes).sum();
    assert_eq!(fund.spent().bytes, held);
}

#[test]
fn another_pool_goes_on_where_the_last_ended() {
    let mut fund = fund(rules());
    tell(&mut fund, START, 1, &[]).unwrap();
    tell(&mut fund, START, 2, &[(1, 3 * MIB)]).unwrap();
    pay(&mut fund, 1);
    fund.claimed(account(1), 1, 3_000);
    tell(&mut fund, START, 2, &[(1, 5 * MIB)]).unwrap();
    let old = said(&mut fund, START, Some(2), &[(1, 9 * MIB)]);

    fund.renew(POOL + 1, 40_000);
    assert_eq!(fund.report(START, at(2), &body(2, &old)), Err(Refusal::Pool));
    assert_ne!(fund.terms(START).session, old.session, "viewers tell anew");
    let told = tell(&mut fund, START, 1, &[]).unwrap();
    assert_eq!((told.earned.as_str(), told.paid.as_str()), ("5000", "3000"), "nothing is lost");
    assert_eq!(told.voucher, None);
    // What came since, as sums that begin at nothing; within what one viewer's word is worth in the hour.
    tell(&mut fund, START, 2, &[(1, 4 * MIB)]).unwrap();
    assert_eq!(earned(&mut fund, START, 1), "9000");
    tell(&mut fund, START, 2, &[(1, 400 * MIB)]).unwrap();
    assert_eq!(earned(&mut fund, START, 1), "20000");
    // In all no more than was promised before and the new pool has.
    assert_eq!((fund.left_units(), fund.spent().promised), (40_000, 3_000));
    assert_eq!(pay(&mut fund, 1), 17_000);
    assert_eq!((fund.left_units(), fund.owed()), (23_000, (0, 0)));
}

#[test]
fn a_voucher_that_was_not_handed_in_before_its_pool_ended_is_not_called_paid() {
    let mut fund = fund(rules());
    tell(&mut fund, START, 1, &[]).unwrap();
    tell(&mut fund, START, 2, &[(1, 3 * MIB)]).unwrap();
    pay(&mut fund, 1);
    fund.renew(POOL + 1, 40_000);
    assert!(fund.unclaimed().is_empty());
    assert_eq!((fund.spent().promised, fund.spent().paid), (3_000, 0));
}

#[test]
fn who_was_paid_all_gives_way_and_stays_counted() {
    let mut fund = fund(Rules { units_max: u128::MAX, hour_units_max: u128::MAX, ..rules() });
    tell(&mut fund, START, 1, &[]).unwrap();
    tell(&mut fund, START, 2, &[(1, MIB)]).unwrap();
    pay(&mut fund, 1);
    fund.claimed(account(1), 1, 1_000);
    for number in 0..PAYEES_MAX - 1 {
        let number = u64::try_from(number).unwrap();
        let owed = Payee { bytes: 2 * MIB, ..Payee::default() };
        fund.payees.insert(account(5_000 + number), owed);
        fund.bytes += 2 * MIB;
    }
    let before = fund.spent();
    assert_eq!((before.payees, before.paid), (PAYEES_MAX, 1_000));
    tell(&mut fund, START, 3, &[]).unwrap();
    tell(&mut fund, START, 2, &[(3, MIB)]).unwrap();
    assert_eq!(earned(&mut fund, START, 3), "1000");
    let spent = fund.spent();
    assert_eq!((spent.payees, spent.paid), (PAYEES_MAX + 1, 1_000));
    assert_eq!(spent.earned, before.earned + 1_000);
    assert_eq!(earned(&mut fund, START, 1), "0", "forgotten");
    assert_eq!(fund.owed().0, PAYEES_MAX, "nobody who is owed something");
}

proptest! {
    /// Whatever is said by whomever from wherever: what is signed stays within what was set aside, what is earned is
    /// what somebody said, and saying it again changes nothing.
    #[test]
    fn nothing_is_overspent(
        steps in prop::collection::vec(
            (0_u64..6, 0_u8..4, prop::option::of(0_u64..4), 0_u64..6, any::<u64>(), 0_u64..900, any::<bool>()),
            1..60,
        ),
        units_max in 0_u128..200_000,
        same_place in any::<bool>(),
    ) {
        let rules = Rules { units_max, same_place, ..rules() };
        let mut fund = fund(rules);
        let (mut now, mut said_in_all, mut signed) = (START, 0_u128, 0_u128);
        for (viewer, from, named, giver, bytes, seconds, pays) in steps {
            now = now + Duration::from_secs(seconds);
            let bytes = bytes >> (bytes % 64);
            let said = said(&mut fund, now, named, &[(giver, bytes)]);
            let body = body(viewer, &said);
            prop_assert!(fund.report(now, at(from), &body).is_ok());
            let once = fund.spent();
            prop_assert!(fund.report(now, at(from), &body).is_ok());
            prop_assert_eq!(fund.spent(), once);
            said_in_all += u128::from(bytes);
            if pays {
                signed += pay(&mut fund, 1);
            }
            let spent = fund.spent();
            prop_assert!(spent.earned <= units_max);
            prop_assert!(u128::from(spent.bytes) <= said_in_all);
            prop_assert_eq!(spent.promised, signed);
            prop_assert!(signed <= spent.earned);
        }
    }

    #[test]
    fn any_bytes_are_read(body in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(fund(rules()).report(START, at(1), &body).is_err());
    }
}
