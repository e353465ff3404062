//! `starling fund`: whoever uploads is paid on the ledger of a real server for what other viewers verified, and nobody
//! else is.
//!
//! Proves: reports of receivers become units in the sender's account, to the unit, without a transaction of its own; a
//! report twice, a forged one and one of the sender's own address are worth nothing; the amount is never passed;
//! `seed` and `get` of a share do so between them; what is left comes back; another process goes on with what the first
//! left in the pool, sets more aside only when told to, and reports of the first's hour are worth nothing; a pool without
//! lanes is followed by another, and nobody loses by it; who is paid nothing in the end is told of; and a fund that draws
//! from its owner's pool takes a little at a time, and gives the rest back.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![allow(dead_code, reason = "the rig is shared with other tests")]

mod files_rig;
mod native_rig;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use files_rig::{DEADLINE, Killed, Place, Served, noise, wait_until};
use ledger::{
    AccountId, Action, AssetId,
    domains::paypool::{self, BATCH_MAX, LANES_MAX, Lane, Pool, lane_key, pool_key},
};
use native_rig::{Getting, Seeded};
use primitives::{Hash, KeyPair, PeerId, Seed, SwarmId};
use serde_json::Value;
use starling::{key_file, ledger_client::Client};
use tokio::runtime::Runtime;
use wire::fund::{Report, Said, Terms};

const MIB: u64 = 1 << 20;
const PER_MIB: u64 = 20_000;
const VIDEO: &str = "https://media.example/film/master.m3u8";

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn units(bank: &Served, account: AccountId) -> u128 {
    let client = Client::new(&bank.url).unwrap();
    runtime().block_on(client.holding(account)).unwrap().units.parse().unwrap()
}

/// The account of the place's key, which is made and given something.
fn rich(bank: &Served, place: &Place) -> AccountId {
    let shown = place.plain(&["keys", "show", "me.key", "--json"]).output().unwrap();
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let account: AccountId = shown["account"].as_str().unwrap().parse().unwrap();
    let url = format!("{}/ledger/faucet/{account}", bank.url);
    wait_until("the faucet gives", || {
        let given = runtime().block_on(http().post(&url).send()).unwrap().status();
        assert!(given.is_success() || given.as_u16() == 503, "{given}");
        given.is_success()
    });
    wait_until("the gift is there", || units(bank, account) > 0);
    account
}

/// A running `starling fund`.
struct Funding {
    url: String,
    pool: u64,
    /// What it may pay.
    units: Value,
    process: Killed,
    lines: Receiver<Value>,
}

impl Funding {
    fn start(place: &Place, bank: &Served, more: &[&str]) -> Self {
        Self::of(VIDEO, place, bank, more)
    }

    /// For another video, or a share.
    fn of(what: &str, place: &Place, bank: &Served, more: &[&str]) -> Self {
        let words = [
            &["fund", what, "--key", "me.key", "--node", &bank.url, "--listen", "127.0.0.1:0"][..],
            // Every request comes from here: the header tells where its viewer is.
            &["--proxy", "127.0.0.1", "--price", "20000", "--every", "1s", "--json"][..],
            more,
        ];
        let mut command = place.command(&words.concat());
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut process = command.spawn().unwrap();
        let (sender, lines) = channel();
        let read = BufReader::new(process.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in read.map_while(Result::ok) {
                let Ok(()) = sender.send(serde_json::from_str(&line).unwrap()) else { return };
            }
        });
        let open: Value = lines.recv_timeout(DEADLINE).unwrap();
        assert_eq!(open["event"], "open", "{open}");
        let (url, pool) =
            (open["url"].as_str().unwrap().to_owned(), open["pool"].as_u64().unwrap());
        Self { url, pool, units: open["units"].clone(), process: Killed(process), lines }
    }

    fn until(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        loop {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) if wanted(&line) => return line,
                Ok(line) => last = line,
                Err(_) => panic!("its last line is {last}"),
            }
        }
    }

    fn stop(self) -> Option<i32> {
        self.stop_telling().0
    }

    /// Its exit code, and what it said until then.
    fn stop_telling(mut self) -> (Option<i32>, Vec<Value>) {
        let id = self.process.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let code = self.process.0.wait().unwrap().code();
        (code, self.lines.iter().collect())
    }

    fn terms(&self) -> Terms {
        let answer = runtime()
            .block_on(async { http().get(&self.url).send().await.unwrap().bytes().await.unwrap() });
        serde_json::from_slice(&answer).unwrap()
    }

    /// Status and answer.
    fn post(&self, address: u8, body: Vec<u8>) -> (u16, Value) {
        runtime().block_on(async {
            let from = format!("203.0.113.{address}");
            let request = http().post(&self.url).header("x-forwarded-for", from).body(body);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.headers()["access-control-allow-origin"], "*");
            let status = answer.status().as_u16();
            (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
        })
    }

    fn report(&self, viewer: &Viewer, from: &[(&Viewer, u64)]) -> Value {
        let (status, told) = self.post(viewer.address, viewer.report(&self.terms(), from));
        assert_eq!(status, 200, "{told}");
        told
    }
}

/// A tab with a video.
struct Viewer {
    key: KeyPair,
    account: Option<AccountId>,
    address: u8,
}

impl Viewer {
    fn new(number: u8, account: Option<AccountId>) -> Self {
        let key = KeyPair::from_seed(Seed::from_number(700 + u64::from(number)));
        Self { key, account, address: number }
    }

    fn id(&self) -> PeerId {
        self.key.id()
    }

    fn report(&self, terms: &Terms, from: &[(&Self, u64)]) -> Vec<u8> {
        let said = Said {
            chain: terms.chain,
            pool: terms.pool,
            session: terms.session,
            swarm: swarm(),
            account: self.account.map(|account| Hash::new(*account.as_bytes())),
            from: from.iter().map(|(giver, bytes)| (giver.id(), *bytes)).collect(),
        };
        Report::make(self.id(), &said, |bytes| self.key.sign(bytes)).to_json()
    }
}

/// As `docs/spec/swarm.md` names it.
fn swarm() -> SwarmId {
    let name = format!("starling-hls-v1\0{VIDEO}");
    SwarmId::new(*primitives::sha256(name.as_bytes()).as_bytes())
}

fn somebody(number: u64) -> AccountId {
    AccountId::of_key(KeyPair::from_seed(Seed::from_number(number)).id())
}

#[test]
fn who_uploads_is_paid_for_what_others_verified_and_a_liar_for_nothing() {
    let (server, owner) = (Place::new(), Place::new());
    let bank = Served::new(&server);
    let payer = rich(&bank, &owner);
    let had = units(&bank, payer);
    let amount = ["--amount", "1000000", "--hourly", "1000000", "--payout", "100000"];
    let fund = Funding::start(&owner, &bank, &amount);
    assert!(units(&bank, payer) < had - 1_000_000, "it is set aside");

    let account = somebody(1);
    let giver = Viewer::new(1, Some(account));
    let (second, third) = (Viewer::new(2, None), Viewer::new(3, Some(somebody(3))));
    assert_eq!(fund.report(&giver, &[])["earned"], "0");
    fund.report(&second, &[(&giver, 4 * MIB)]);
    let body = third.report(&fund.terms(), &[(&giver, 3 * MIB)]);
    // Told twice, it is the same.
    assert_eq!(fund.post(3, body.clone()).0, 200);
    assert_eq!(fund.post(3, body).0, 200);
    assert_eq!(fund.report(&giver, &[])["earned"], "140000");

    // Itself, its neighbour, somebody who is not who it says, another video.
    fund.report(&giver, &[(&giver, 50 * MIB)]);
    let near = Viewer { address: 1, ..Viewer::new(4, None) };
    fund.report(&near, &[(&giver, 50 * MIB)]);
    let forged = String::from_utf8(second.report(&fund.terms(), &[(&giver, 50 * MIB)])).unwrap();
    let forged = forged.replace(&second.id().to_string(), &third.id().to_string());
    let (status, told) = fund.post(5, forged.into_bytes());
    assert_eq!((status, &told["error"]["code"]), (400, &Value::from("signature")));
    let other = Terms { pool: fund.pool + 1, ..fund.terms() };
    let (status, told) = fund.post(2, second.report(&other, &[(&giver, 50 * MIB)]));
    assert_eq!((status, &told["error"]["code"]), (409, &Value::from("pool")));
    assert_eq!(fund.post(2, b"{}".to_vec()).0, 400);

    // Paid into an account that signed nothing and pays no fee.
    let told = fund.until(|line| line["paid"] == "140000");
    assert_eq!((&told["earned"], &told["payees"]), (&Value::from("140000"), &Value::from(1)));
    assert_eq!(units(&bank, account), 140_000);
    let told = fund.report(&giver, &[]);
    assert_eq!(
        (&told["paid"], &told["voucher"]["cumulative"]),
        (&"140000".into(), &"140000".into())
    );

    // Too little for a payment of its own waits until the end, and is paid then.
    fund.report(&second, &[(&giver, 6 * MIB)]);
    assert_eq!(fund.report(&giver, &[])["earned"], "180000");
    let old = fund.terms();
    assert_eq!(fund.stop(), Some(0));
    assert_eq!(units(&bank, account), 180_000);

    // The next process has what is left, and no more of it is set aside.
    let before = units(&bank, payer);
    let fund = Funding::start(&owner, &bank, &["--amount", "5000000", "--hourly", "5000000"]);
    assert_eq!(units(&bank, payer), before, "nothing more is set aside");
    assert_eq!(fund.units, "820000");
    let (status, told) = fund.post(2, second.report(&old, &[(&giver, 9 * MIB)]));
    assert_eq!((status, &told["error"]["code"]), (409, &Value::from("session")));
    fund.report(&giver, &[]);
    for number in 10..20 {
        fund.report(&Viewer::new(number, None), &[(&giver, 2_000 * MIB)]);
    }
    let told = fund.until(|line| line["paid"] == "820000");
    assert_eq!(told["over"], true);
    assert_eq!(units(&bank, account), 1_000_000, "all that was ever set aside");
    let pool = fund.pool;
    assert_eq!(fund.stop(), Some(0));

    // More only when it is told to.
    let before = units(&bank, payer);
    let fund = Funding::start(&owner, &bank, &["--amount", "50000", "--refill"]);
    assert_eq!((fund.pool, &fund.units), (pool, &"50000".into()));
    assert!(units(&bank, payer) < before - 50_000);
    assert_eq!(fund.stop(), Some(0));
    let closed = owner.json(&["fund", "--close", "--key", "me.key", "--node", &bank.url]);
    assert_eq!((&closed["event"], &closed["units"]), (&"closing".into(), &"50000".into()));
}

/// The key in a place, which is made there.
fn key_of(place: &Place) -> KeyPair {
    key_file::load_or_create(&place.path("me.key")).unwrap().key
}

/// Does something with a pool, as the Wallet page does; the receipt.
fn act(bank: &Served, key: &KeyPair, action: paypool::Action) -> Value {
    let client = Client::new(&bank.url).unwrap();
    runtime().block_on(async {
        let id = client.act(key, Action::Paypool(action)).await.unwrap();
        client.done(id, DEADLINE).await.unwrap()
    })
}

fn pool_of(bank: &Served, number: u64) -> Pool {
    let client = Client::new(&bank.url).unwrap();
    runtime().block_on(client.record(&pool_key(number))).unwrap().unwrap()
}

/// Opens every lane that a pool may have, for people who never come.
fn use_up(bank: &Served, owner: &Place, pool: u64) {
    let mut people: Vec<_> =
        (0..u64::from(LANES_MAX)).map(|number| somebody(10_000 + number)).collect();
    people.sort();
    for people in people.chunks(BATCH_MAX) {
        let lanes = people.iter().map(|one| (*one, 1)).collect();
        act(bank, &key_of(owner), paypool::Action::Reserve { pool, lanes });
    }
}

#[test]
fn a_pool_without_lanes_is_followed_by_another_and_nobody_loses_by_it() {
    let (server, owner) = (Place::new(), Place::new());
    let bank = Served::new(&server);
    rich(&bank, &owner);
    let amount = ["--amount", "1000000", "--hourly", "1000000", "--payout", "1000"];
    let fund = Funding::start(&owner, &bank, &amount);
    let first = fund.pool;
    use_up(&bank, &owner, first);

    let account = somebody(1);
    let (giver, second) = (Viewer::new(1, Some(account)), Viewer::new(2, None));
    fund.report(&giver, &[]);
    let old = fund.terms();
    fund.report(&second, &[(&giver, MIB)]);
    let told = fund.until(|line| line["event"] == "pool");
    let pool = told["pool"].as_u64().unwrap();
    assert_ne!(pool, first);
    fund.until(|line| line["paid"] == "20000");
    assert_eq!(units(&bank, account), 20_000);

    // Viewers are told of it, and tell what came since.
    let (status, told) = fund.post(2, second.report(&old, &[(&giver, 2 * MIB)]));
    assert_eq!((status, &told["error"]["code"]), (409, &Value::from("pool")));
    assert_eq!(fund.terms().pool, pool);
    fund.report(&second, &[(&giver, MIB)]);
    assert_eq!(fund.report(&giver, &[])["earned"], "40000");
    fund.until(|line| line["paid"] == "40000");
    assert_eq!(fund.stop(), Some(0));
    let left = pool_of(&bank, first);
    assert!(left.closing_s.is_some(), "what is left in it comes back a day later");
    assert_eq!(pool_of(&bank, pool).payees, 1);
}

#[test]
fn a_fund_draws_a_little_at_a_time_and_its_owner_has_the_rest() {
    let (server, owner, machine) = (Place::new(), Place::new(), Place::new());
    let bank = Served::new(&server);
    let payer = rich(&bank, &owner);
    let (owners, funds) = (key_of(&owner), key_of(&machine));
    let fund_account = AccountId::of_key(funds.id());
    let (deposit, asset) = (1_000_000, AssetId::NATIVE);
    let open = paypool::Action::Open { asset, deposit, ttl_s: 7 * 86_400, signer: funds.id() };
    let opened = act(&bank, &owners, open);
    let number = opened["events"][0]["numbers"][0].as_str().unwrap().to_owned();
    let pool: u64 = number.parse().unwrap();

    // Nothing is set aside for it yet.
    let start = ["fund", VIDEO, "--key", "me.key", "--node", &bank.url, "--listen", "127.0.0.1:0"];
    let drawing = ["--amount", "1000000", "--hourly", "100000", "--pool", &number];
    let (code, text) = machine.fails(&[&start[..], &drawing[..]].concat());
    assert!(code == 7 && text.contains("--pool"), "{code}: {text}");

    let lanes = vec![(fund_account, deposit)];
    act(&bank, &owners, paypool::Action::Reserve { pool, lanes });
    let client = Client::new(&bank.url).unwrap();
    runtime().block_on(async {
        let id = client.send(&owners, asset, fund_account, 1_000_000).await.unwrap();
        client.done(id, DEADLINE).await.unwrap();
    });
    let lane = || {
        let key = lane_key(pool, fund_account);
        let lane: Option<Lane> = runtime().block_on(client.record(&key)).unwrap();
        lane.unwrap()
    };
    let fund = Funding::start(&machine, &bank, &[&drawing[..], &["--payout", "1000"]].concat());
    let first = lane().redeemed;
    assert!((200_000..500_000).contains(&first), "two hours' worth: {first}");
    let may: u128 = fund.units.as_str().unwrap().parse().unwrap();
    assert!((500_000..=1_000_000).contains(&may), "{may}");

    // An hour's worth is earned: as much is drawn again.
    let account = somebody(1);
    let (giver, second) = (Viewer::new(1, Some(account)), Viewer::new(2, None));
    fund.report(&giver, &[]);
    fund.report(&second, &[(&giver, 50 * MIB)]);
    fund.until(|line| line["paid"] == "100000");
    assert_eq!(units(&bank, account), 100_000);
    wait_until("more is drawn", || lane().redeemed >= first + 100_000);
    assert_eq!(fund.stop(), Some(0));
    let drawn = lane().redeemed;
    assert!(drawn < 700_000, "{drawn}");

    let close = ["fund", "--close", "--key", "me.key", "--node", &bank.url, "--pool", &number];
    assert_eq!(machine.json(&close)["event"], "closing", "its own, from which somebody was paid");
    let left = pool_of(&bank, pool);
    assert_eq!((left.open_lanes, left.free), (0, deposit - drawn), "the owner waits for nobody");
    let before = units(&bank, payer);
    act(&bank, &owners, paypool::Action::CloseFinish { pool });
    assert!(units(&bank, payer) > before + left.free - 100_000, "but for a fee");
}

#[test]
fn who_earned_less_than_its_fees_is_told_of_at_the_end() {
    let (server, owner) = (Place::new(), Place::new());
    let bank = Served::new(&server);
    rich(&bank, &owner);
    let fund = Funding::start(&owner, &bank, &["--amount", "1000000"]);
    let (giver, second) = (Viewer::new(1, Some(somebody(1))), Viewer::new(2, None));
    fund.report(&giver, &[]);
    fund.report(&second, &[(&giver, 100)]);
    assert_eq!(fund.report(&giver, &[])["earned"], "1");
    let (code, told) = fund.stop_telling();
    let unpaid = told.iter().find(|line| line["event"] == "unpaid").unwrap();
    assert_eq!((code, &unpaid["payees"], &unpaid["units"]), (Some(0), &1.into(), &"1".into()));
}

#[test]
fn whoever_gives_a_share_is_paid_for_what_its_taker_checked() {
    let (server, owner, sender, receiver) =
        (Place::new(), Place::new(), Place::new(), Place::new());
    let bank = Served::new(&server);
    rich(&bank, &owner);
    let film = noise(6 << 20, 5);
    sender.write("film.bin", &film);
    let cid = sender.ok(&["add", "film.bin"]);
    // Both are on this machine.
    let more =
        ["--amount", "1000000", "--hourly", "1000000", "--payout", "20000", "--same-address"];
    let fund = Funding::of(&cid, &owner, &bank, &more);
    let account = somebody(9);
    let to = account.to_string();
    let words = [cid.as_str(), "--server", &bank.url, "--fund", &fund.url, "--fund-account", &to];
    let mut seeded = Seeded::start(&sender, &words);
    fund.until(|line| line["viewers"] == 1);

    let words = [cid.as_str(), "--server", &bank.url, "-o", "film.bin", "--fund", &fund.url];
    let got = Getting::finish(&receiver, &words);
    assert_eq!(fs::read(receiver.path("film.bin")).unwrap(), film);
    let told = fund.until(|line| line["paid"] != "0" && line["paid"] == line["earned"]);
    let paid: u128 = told["paid"].as_str().unwrap().parse().unwrap();
    let price = u128::from(got["fetched_bytes"].as_u64().unwrap() * PER_MIB) >> 20;
    assert!((price..price + 20_000).contains(&paid), "{paid} units, price is {price}");
    assert_eq!(units(&bank, account), paid);
    seeded.until(|told| told["fund_units"] == paid.to_string());
    assert_eq!(seeded.stop(), Some(0));
    assert_eq!(fund.stop(), Some(0));
}

#[test]
fn what_nobody_was_paid_comes_back_at_once_when_the_owner_ends_it() {
    let (server, owner) = (Place::new(), Place::new());
    let bank = Served::new(&server);
    let payer = rich(&bank, &owner);
    let had = units(&bank, payer);
    let fund = Funding::start(&owner, &bank, &["--amount", "1000000"]);
    let pool = fund.pool;
    assert_eq!(fund.stop(), Some(0));
    let close = ["fund", "--close", "--key", "me.key", "--node", &bank.url];
    let closed = owner.json(&close);
    assert_eq!((&closed["event"], &closed["units"]), (&"closed".into(), &"1000000".into()));
    assert_eq!(closed["pool"], pool);
    let has = units(&bank, payer);
    assert!(has < had && has > had - 20_000, "two fees: {had}, {has}");
    assert_eq!(owner.json(&close)["event"], "nothing");
}

#[test]
fn an_owner_without_units_is_told_before_anybody_can_report() {
    let (server, owner) = (Place::new(), Place::new());
    let bank = Served::new(&server);
    rich(&bank, &owner);
    let words =
        ["fund", VIDEO, "--key", "poor.key", "--node", &bank.url, "--listen", "127.0.0.1:0"];
    let (code, text) = owner.fails(&[&words[..], &["--amount", "5000"]].concat());
    assert!(code == 7 && text.contains("--amount"), "{code}: {text}");
}
