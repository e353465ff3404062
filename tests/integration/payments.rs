//! `starling get --pay` and `starling seed --earn`: bytes are paid from peer to peer while they come, and settled
//! on the ledger of a real server.
//!
//! Proves: what came is paid, little more, and arrives in the payee's account; who does not pay, or not that
//! much, gets a first credit and no more; the same pool pays the next time; what a neighbour left is handed in for it.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![allow(dead_code, reason = "the rigs are shared with other tests")]

mod files_rig;
mod native_rig;

use std::fs;
use std::process::Command;

use files_rig::{DEADLINE, Place, Served, noise, wait_until};
use ledger::{
    AccountId, Action, AssetId,
    domains::paypool::{self, Voucher, count_key},
};
use native_rig::{Getting, Seeded};
use peer_native::payments::{Input, Output, keeping::keep_of};
use primitives::{KeyPair, PeerId};
use serde_json::Value;
use starling::key_file;
use starling::ledger_client::Client;
use starling::purse::{Earn, Options, Purse};

const MIB: usize = 1 << 20;
const PRICE: &str = "20000";

/// A server with a ledger, asked over HTTP.
struct Bank {
    served: Served,
    runtime: tokio::runtime::Runtime,
}

impl Bank {
    fn new(place: &Place) -> Self {
        let served = Served::new(place);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { served, runtime }
    }

    fn units(&self, account: AccountId) -> u128 {
        // A new one each time: nobody looks after its connections in between.
        let client = Client::new(&self.served.url).unwrap();
        self.runtime.block_on(client.holding(account)).unwrap().units.parse().unwrap()
    }

    /// The account of a key file, which is made and given something.
    fn somebody(&self, place: &Place) -> AccountId {
        let shown = Command::new(env!("CARGO_BIN_EXE_starling"))
            .args(["keys", "show", "me.key", "--json"])
            .current_dir(place.path(""))
            .output()
            .unwrap();
        let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
        let account: AccountId = shown["account"].as_str().unwrap().parse().unwrap();
        let url = format!("{}/ledger/faucet/{account}", self.served.url);
        // A ledger that is starting says so.
        wait_until("the faucet gives", || {
            let given = self.runtime.block_on(async {
                let http = reqwest::Client::builder().no_proxy().build().unwrap();
                http.post(&url).send().await.unwrap().status()
            });
            assert!(given.is_success() || given.as_u16() == 503, "{given}");
            given.is_success()
        });
        wait_until("the gift is there", || self.units(account) > 0);
        account
    }
}

#[test]
fn who_takes_pays_for_what_came_and_who_gives_has_it_on_the_ledger() {
    let (server, sender, receiver) = (Place::new(), Place::new(), Place::new());
    let bank = Bank::new(&server);
    let (payee, payer) = (bank.somebody(&sender), bank.somebody(&receiver));
    let url = &bank.served.url;
    let film = noise(12 * MIB, 1);
    sender.write("film.bin", &film);
    let words = ["film.bin", "--server", url, "--earn", "me.key", "--price", PRICE, "--must-pay"];
    let mut seeded = Seeded::start(&sender, &words);
    let had = bank.units(payee);

    let pay = ["--pay", "me.key", "--spend", "1000000", "--price-max", PRICE];
    let got = Getting::finish(&receiver, &[&[seeded.link.as_str()], &pay[..]].concat());
    assert_eq!(fs::read(receiver.path("film.bin")).unwrap(), film);
    let paid: u128 = got["paid_units"].as_str().unwrap().parse().unwrap();
    let fetched = u128::from(got["fetched_bytes"].as_u64().unwrap());
    // All that was kept, and little that came twice.
    let least = (fetched * 20_000) >> 20;
    assert!((least..least + 40_000).contains(&paid), "{paid} for {fetched} bytes");
    assert!(paid > 240_000, "{paid}");

    let earned = seeded.until(|told| told["earned_units"] == paid.to_string());
    assert!(earned["sent_bytes"].as_u64().unwrap() >= 12 << 20);
    assert_eq!(seeded.stop(), Some(0));
    let has = bank.units(payee);
    // The claims cost their fees.
    assert!(has > had + paid * 8 / 10 && has < had + paid, "{had} + {paid} is {has}");
    assert!(bank.units(payer) < 10_000_000 - 1_000_000, "the deposit is locked");

    // The same pool, filled again: no second deposit.
    let before = bank.units(payer);
    sender.write("next.bin", &noise(MIB, 2));
    let words = ["next.bin", "--server", url, "--earn", "me.key", "--price", PRICE];
    let seeded = Seeded::start(&sender, &words);
    let got = Getting::finish(&receiver, &[&[seeded.link.as_str()], &pay[..]].concat());
    let again: u128 = got["paid_units"].as_str().unwrap().parse().unwrap();
    assert!(again > 20_000, "{again}");
    let spent = before - bank.units(payer);
    assert!(spent <= paid.max(1_000_000 - 240_000) && spent > again, "{spent}");
    assert_eq!(seeded.stop(), Some(0));
}

#[test]
fn who_does_not_pay_gets_a_credit_and_no_more_where_paying_is_a_must() {
    let (server, sender, receiver) = (Place::new(), Place::new(), Place::new());
    let bank = Bank::new(&server);
    bank.somebody(&sender);
    let payer = bank.somebody(&receiver);
    let url = &bank.served.url;
    sender.write("film.bin", &noise(8 * MIB, 3));
    let words = ["film.bin", "--server", url, "--earn", "me.key", "--price", PRICE, "--must-pay"];
    let seeded = Seeded::start(&sender, &words);

    let (code, text) = receiver.fails(&["get", &seeded.link, "--wait", "6s"]);
    assert_eq!(code, 3, "{text}");
    let mean = ["--pay", "me.key", "--spend", "100000", "--price-max", "19999"];
    let words = [&["get", seeded.link.as_str(), "--wait", "6s"], &mean[..]].concat();
    let (code, text) = receiver.fails(&words);
    assert_eq!(code, 3, "{text}");
    assert!(receiver.blocks().len() <= 7, "twice a credit of 2 MiB, of 8");
    assert!(bank.units(payer) > 9_000_000, "only the deposit of the second was locked");

    let fair = ["--pay", "me.key", "--spend", "400000", "--price-max", PRICE];
    Getting::finish(&receiver, &[&[seeded.link.as_str()], &fair[..]].concat());
    assert_eq!(fs::metadata(receiver.path("film.bin")).unwrap().len(), 8 << 20);
}

#[test]
fn an_account_without_units_and_a_ledger_that_is_not_there_are_said_before_anything_is_fetched() {
    let (server, sender, receiver) = (Place::new(), Place::new(), Place::new());
    let bank = Bank::new(&server);
    // The ledger has started.
    bank.somebody(&sender);
    sender.write("film.bin", &noise(MIB, 4));
    let seeded = Seeded::start(&sender, &["film.bin", "--server", &bank.served.url]);
    let (code, text) = receiver.fails(&["get", &seeded.link, "--pay", "poor.key"]);
    assert!(code == 7 && text.contains("--spend"), "{code}: {text}");
    let nowhere = ["get", &seeded.link, "--pay", "poor.key", "--node", "http://127.0.0.1:1"];
    let (code, text) = receiver.fails(&nowhere);
    assert!(code == 7 && text.contains("--node"), "{code}: {text}");
    assert!(receiver.blocks().is_empty(), "nothing was fetched");
}

/// Does something with a pool, and waits until it is done.
async fn act(client: &Client, key: &KeyPair, action: paypool::Action) {
    let id = client.act(key, Action::Paypool(action)).await.unwrap();
    client.done(id, DEADLINE).await.unwrap();
}

#[test]
fn what_a_neighbour_left_is_handed_in_for_it_when_its_pool_ends_soon() {
    let (server, keeper, payer) = (Place::new(), Place::new(), Place::new());
    let bank = Bank::new(&server);
    let (account, _) = (bank.somebody(&keeper), bank.somebody(&payer));
    let key = |place: &Place| key_file::load_or_create(&place.path("me.key")).unwrap().key;
    let (keeper, payer) = (key(&keeper), key(&payer));
    // It is gone, and has nothing to pay a fee with.
    let payee = AccountId::new([77; 32]);
    let had = bank.units(account);
    bank.runtime.block_on(async {
        let client = Client::new(&bank.served.url).unwrap();
        // The shortest life that there is: less than six hours.
        let (ttl_s, deposit) = (paypool::TTL_MIN_S, 500_000);
        let (asset, signer) = (AssetId::NATIVE, payer.id());
        act(&client, &payer, paypool::Action::Open { asset, deposit, ttl_s, signer }).await;
        let pool: u64 = client.record(&count_key()).await.unwrap().unwrap();
        let lanes = vec![(payee, 400_000)];
        act(&client, &payer, paypool::Action::Reserve { pool, lanes }).await;
        let chain = client.status().await.unwrap().chain;
        let voucher = Voucher::sign(&payer, chain, pool, payee, 1, 300_000);
        let forged = Voucher { cumulative: 400_000, ..voucher.clone() };

        for (keeps, handed_in) in [(false, 0), (true, 300_000)] {
            let earn = Some(Earn { per_mib: 1, required: false, keeps });
            let (node, key) = (bank.served.url.clone(), keeper.clone());
            let options = Options { node, root: None, key, pay: None, earn };
            let (purse, till, asked) = Purse::open(options).await.unwrap();
            let serving = tokio::spawn(purse.serve(asked, |_: Input| {}));
            for left in [&forged, &voucher] {
                let (from, keep) = (PeerId::new([5; 32]), keep_of(chain, left, 0));
                till.ledger.send(Output::Entrusted { from, keep }).await.unwrap();
            }
            // What it was asked it does to the end.
            drop(till);
            serving.await.unwrap();
            let found = client.holding(payee).await.unwrap().units;
            assert_eq!(found, handed_in.to_string());
        }
    });
    let fee = had - bank.units(account);
    assert!(fee > 0 && fee < 50_000, "{fee} units for one claim");
}
