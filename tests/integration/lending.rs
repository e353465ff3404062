//! Lending with its keepers: reporters and liquidators as real processes beside a real validator.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use ledger::domains::{
    accounts::{self, Balance},
    assets,
    lending::{self, Config, Curve, Position, Terms, math::U256},
    oracle::{self, Feed, Quote, Report, Stale},
};
use ledger::{AccountId, Action, AssetId, BlockContext, Code as _, MemoryStore};
use primitives::{KeyPair, Seed};
use serde_json::Value;
use starling::key_file;
use starling::ledger_client::{Client, ClientError};

use super::files_rig::Killed;
use super::ledger_rig::{Network, starling};

/// What a slow machine may take for anything here.
const DEADLINE: Duration = Duration::from_secs(60);
const SUN: AssetId = AssetId(1);
const COIN: AssetId = AssetId(2);
/// Their reserves.
const PLEDGED: u8 = 0;
const OWED: u8 = 1;
/// Units of one, of each and of the ledger's own.
const ONE: u128 = 1_000_000;
/// A price of one.
const PRICE_ONE: u64 = 100_000_000;
/// How long a report of SUN counts: the shortest there is.
const AGE_MAX_S: u64 = 10;

/// A ledger with a market of two assets that four accounts report on.
struct Town {
    network: Network,
    client: Client,
    owner: KeyPair,
    reporters: Vec<KeyPair>,
}

fn person(number: u64) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(number))
}

fn account(key: &KeyPair) -> AccountId {
    AccountId::of_key(key.id())
}

fn rules(asset: AssetId, feed: u32, ltv_bps: u16, threshold_bps: u16) -> Config {
    Config {
        asset,
        feed,
        decimals: 6,
        ltv_bps,
        threshold_bps,
        bonus_bps: 10_500,
        reserve_factor_bps: 1_000,
        protocol_fee_bps: 1_000,
        supply_cap: u128::MAX,
        borrow_cap: u128::MAX,
        borrowable: true,
        curve: Curve { optimal_bps: 8_000, base_bps: 0, slope1_bps: 400, slope2_bps: 6_000 },
    }
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn event<'a>(lines: &'a [Value], name: &str) -> Option<&'a Value> {
    lines.iter().find(|line| line["event"] == name)
}

impl Town {
    /// Feed 1 is that of SUN, 2 of COIN. Market 1: SUN is pledged, COIN is lent.
    async fn found() -> Self {
        let mut network = Network::alone();
        network.start(0).await;
        let (client, owner) = (Client::new(&network.base(0)).unwrap(), network.faucet());
        let key = |number: usize| {
            let path = network.folder().join(format!("reporter-{number}.key"));
            key_file::load_or_create(&path).unwrap().key
        };
        let reporters: Vec<KeyPair> = (0..4).map(key).collect();
        let town = Self { network, client, owner, reporters };
        for symbol in ["SUN", "COIN"] {
            let (symbol, decimals, supply_max) = (symbol.to_owned(), 6, None);
            let create = assets::Action::Create { symbol, decimals, supply_max, freezable: false };
            town.act(&town.owner, Action::Assets(create)).await.unwrap();
        }
        let mut reporters: Vec<AccountId> = town.reporters.iter().map(account).collect();
        reporters.sort();
        for age_max_s in [AGE_MAX_S, 3_600] {
            let reporters = reporters.clone();
            let create = oracle::Action::Create { reporters, age_max_s };
            town.act(&town.owner, Action::Oracle(create)).await.unwrap();
        }
        let reserves = vec![rules(SUN, 1, 7_500, 8_000), rules(COIN, 2, 0, 0)];
        let open = lending::Action::Open { treasury: account(&town.owner), reserves };
        town.lend(&town.owner, open).await.unwrap();
        for key in &town.reporters {
            town.give(account(key), AssetId::NATIVE, 100 * ONE).await;
        }
        town
    }

    /// The receipt, or the refusal's number.
    async fn act(&self, key: &KeyPair, action: Action) -> Result<Value, u16> {
        let id = self.client.act(key, action).await.unwrap();
        match self.client.done(id, DEADLINE).await {
            Err(ClientError::Failed { code, .. }) => Err(code),
            answer => Ok(answer.unwrap()),
        }
    }

    async fn lend(&self, key: &KeyPair, action: lending::Action) -> Result<Value, u16> {
        self.act(key, Action::Lending(action)).await
    }

    async fn give(&self, to: AccountId, asset: AssetId, amount: u128) {
        let action = if asset == AssetId::NATIVE {
            Action::Accounts(accounts::Action::Transfer { asset, to, amount })
        } else {
            Action::Assets(assets::Action::Issue { asset, to, amount })
        };
        self.act(&self.owner, action).await.unwrap();
    }

    async fn supply(&self, key: &KeyPair, reserve: u8, amount: u128) {
        self.lend(key, lending::Action::Supply { market: 1, reserve, amount }).await.unwrap();
    }

    async fn borrow(&self, key: &KeyPair, amount: u128) -> Result<Value, u16> {
        self.lend(key, lending::Action::Borrow { market: 1, reserve: OWED, amount }).await
    }

    async fn held(&self, key: &KeyPair, asset: AssetId) -> u128 {
        let key = accounts::balance_key(account(key), asset);
        self.client.record::<Balance>(&key).await.unwrap().unwrap_or_default().amount
    }

    async fn position(&self, who: AccountId) -> Position {
        let key = lending::position_key(1, who);
        self.client.record(&key).await.unwrap().unwrap_or_default()
    }

    /// What a reporter said last of SUN.
    async fn said(&self, reporter: usize) -> Option<Report> {
        let mut accounts: Vec<AccountId> = self.reporters.iter().map(account).collect();
        accounts.sort();
        let place = accounts.binary_search(&account(&self.reporters[reporter])).unwrap();
        let key = oracle::report_key(1, u8::try_from(place).unwrap());
        self.client.record(&key).await.unwrap()
    }

    /// The price of SUN as the domain has it in the last block.
    async fn price(&self) -> Result<Quote, Stale> {
        let (mut store, status) = (MemoryStore::new(), self.client.status().await.unwrap());
        let (chain, height, time_ms) = (status.chain, status.height, status.time_ms);
        let feed = oracle::feed_key(1);
        self.client.list::<Feed>(&feed, &mut store).await.unwrap();
        self.client.list::<Report>(&oracle::reports_prefix(1), &mut store).await.unwrap();
        oracle::quote(&store, &BlockContext { chain, height, time_ms }, 1)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.network.folder().join(name)
    }

    /// What a reporter reads: there at once and whole.
    fn quote(&self, reporter: usize, price: &str) {
        let path = self.file(&format!("sun-{reporter}.price"));
        let beside = path.with_extension("new");
        std::fs::write(&beside, price).unwrap();
        std::fs::rename(beside, path).unwrap();
    }

    /// A reporter of SUN that reads its file every second; the first address it has is nobody's.
    fn reporter(&self, reporter: usize) -> Killed {
        let child = starling()
            .args(["report", "--feed", "1", "--every", "1", "--json"])
            .args(["--node", "http://127.0.0.1:1", &self.network.base(0), "--file"])
            .arg(self.file(&format!("sun-{reporter}.price")))
            .arg("--key")
            .arg(self.file(&format!("reporter-{reporter}.key")))
            .stdout(Stdio::null())
            .spawn();
        Killed(child.unwrap())
    }

    /// Runs a command of this ledger to its end.
    async fn run(&self, args: &[&str]) -> Output {
        let mut command = starling();
        command.args(args).args(["--node", &self.network.base(0), "--json"]);
        command.current_dir(self.network.folder());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// COIN is worth one, as three of four say.
    async fn coin_is_one(&self) {
        std::fs::write(self.file("coin.price"), "1\n").unwrap();
        for reporter in 0..3 {
            let key = format!("reporter-{reporter}.key");
            let args = ["report", "--feed", "2", "--once", "--file", "coin.price", "--key", &key];
            let said = self.run(&args).await;
            assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
            let told = lines(&said.stdout);
            let told = event(&told, "reported").unwrap();
            assert_eq!((&told["price"], &told["number"]), (&"1.00000000".into(), &1.into()));
        }
    }

    async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        self.network.condition(what, look).await
    }
}

#[tokio::test]
async fn a_price_falls_is_reported_by_three_of_four_and_a_debt_is_liquidated_to_the_unit() {
    let town = Town::found().await;
    let (borrower, keeper) = business(&town).await;
    (0..3).for_each(|reporter| town.quote(reporter, "2.5\n"));
    let mut reporting = vec![town.reporter(0), town.reporter(1)];
    for reporter in 0..2 {
        town.until("two reporters report", async || town.said(reporter).await).await;
    }
    let stale = Err(lending::Error::StalePrice.code());
    assert_eq!(town.borrow(&borrower, 1_800 * ONE).await.map(|_| ()), stale, "two of four");
    reporting.push(town.reporter(2));
    town.until("a price", async || town.price().await.ok()).await;
    town.borrow(&borrower, 1_800 * ONE).await.unwrap();
    check_reporters(&town, &mut reporting).await;

    let healthy = ["liquidate", "--once", "--market", "1", "--key", "keeper.key"];
    let healthy = town.run(&healthy).await;
    assert!(healthy.status.success(), "{}", String::from_utf8_lossy(&healthy.stderr));
    let told = lines(&healthy.stdout);
    let looked = event(&told, "looked").unwrap();
    assert_eq!((&looked["borrowers"], &looked["below"]), (&1.into(), &0.into()));
    assert_eq!(town.client.holding(account(&keeper)).await.unwrap().nonce, 0, "it signed nothing");

    // Health is 1,000 * 2.1 * 80 % of 1,800: all may be repaid.
    (0..3).for_each(|reporter| town.quote(reporter, "2.1\n"));
    let below = town
        .until("it is listed for everybody", async || {
            event(&lines(&town.run(&["liquidate"]).await.stdout), "below").cloned()
        })
        .await;
    assert!(below["health"].as_str().unwrap().starts_with("0.933"), "{below}");
    assert_eq!(below["borrower"], account(&borrower).to_string());
    let keeping = town.keeper();
    town.until("it is liquidated", async || (town.held(&keeper, SUN).await > 0).then_some(()))
        .await;
    check_liquidation(&town, &borrower, &keeper).await;
    drop((keeping, reporting));

    let old = Stale::Quorum { needed: 3, fresh: 0 };
    town.until("all reports are old", async || (town.price().await == Err(old)).then_some(()))
        .await;
    assert_eq!(town.borrow(&borrower, ONE).await.map(|_| ()), stale, "nobody reports");
    town.supply(&borrower, OWED, ONE).await;
}

/// Who borrows and who liquidates: 50,000 COIN are lent, 1,000 SUN pledged, 10,000 COIN ready.
async fn business(town: &Town) -> (KeyPair, KeyPair) {
    let (borrower, keeper) = (person(81), person_of(&town.file("keeper.key")));
    for key in [&borrower, &keeper] {
        town.give(account(key), AssetId::NATIVE, 100 * ONE).await;
    }
    town.give(account(&town.owner), COIN, 50_000 * ONE).await;
    town.supply(&town.owner, OWED, 50_000 * ONE).await;
    town.give(account(&borrower), SUN, 1_000 * ONE).await;
    town.supply(&borrower, PLEDGED, 1_000 * ONE).await;
    town.give(account(&keeper), COIN, 10_000 * ONE).await;
    town.coin_is_one().await;
    (borrower, keeper)
}

/// One that comes back goes on where it was, and a fourth that lies moves nothing.
async fn check_reporters(town: &Town, reporting: &mut Vec<Killed>) {
    let before = town.said(0).await.unwrap().number;
    drop(reporting.remove(0));
    reporting.push(town.reporter(0));
    let went_on = async || town.said(0).await.filter(|said| said.number > before + 1);
    town.until("it goes on", went_on).await;
    town.quote(3, "1000000");
    reporting.push(town.reporter(3));
    town.until("a liar", async || town.said(3).await).await;
    let price = town.until("a price", async || town.price().await.ok()).await;
    assert_eq!(price.price, 250_000_000);
}

/// The key in a file, made if it is not there.
fn person_of(path: &Path) -> KeyPair {
    key_file::load_or_create(path).unwrap().key
}

impl Town {
    fn keeper(&self) -> Killed {
        let told = File::create(self.file("keeper.lines")).unwrap();
        let child = starling()
            .args(["liquidate", "--watch", "--every", "1", "--market", "1", "--json", "--key"])
            .arg(self.file("keeper.key"))
            .args(["--node", &self.network.base(0)])
            .stdout(told)
            .spawn();
        Killed(child.unwrap())
    }
}

/// What the process told, what the receipt says, what the domain computes, and who holds what.
async fn check_liquidation(town: &Town, borrower: &KeyPair, keeper: &KeyPair) {
    let told = town
        .until("the keeper tells it", async || {
            let told = lines(&std::fs::read(town.file("keeper.lines")).unwrap());
            event(&told, "liquidated").cloned()
        })
        .await;
    let number = |name: &str| told[name].as_str().unwrap().parse::<u128>().unwrap();
    let (repaid, seized, fee) = (number("repaid"), number("seized"), number("fee"));
    // Interest of a few seconds, at less than a unit each.
    assert!((1_800 * ONE..1_800 * ONE + 100).contains(&repaid), "{repaid}");
    let terms = Terms {
        collateral_price: U256::from(210_000_000_u64),
        collateral_unit: U256::from(ONE),
        debt_price: U256::from(PRICE_ONE),
        debt_unit: U256::from(ONE),
        bonus_bps: U256::from(10_500_u64),
        protocol_fee_bps: U256::from(1_000_u64),
    };
    let due = lending::seize(&terms, U256::from(repaid), U256::from(1_000 * ONE)).unwrap();
    assert_eq!([due.debt, due.collateral, due.fee], [repaid, seized, fee].map(U256::from));

    let id = told["transaction"].as_str().unwrap();
    let receipt = town.network.get(0, &format!("receipts/{id}")).await;
    let numbers = [1, u128::from(PLEDGED), u128::from(OWED), repaid, seized, fee];
    let seen = receipt["events"].as_array().unwrap().iter().any(|event| {
        event["kind"] == lending::LIQUIDATED
            && event["numbers"] == Value::from(numbers.map(|one| one.to_string()).to_vec())
    });
    assert!(seen, "{receipt}");
    assert_eq!(town.held(keeper, SUN).await, seized);
    assert_eq!(town.held(keeper, COIN).await, 10_000 * ONE - repaid);
    assert_eq!(town.held(borrower, COIN).await, 1_800 * ONE);
    let left = town.position(account(borrower)).await;
    assert_eq!(left.entry(OWED).debt_scaled, 0);
    // Nobody owes SUN: a claim is worth one.
    assert_eq!(left.entry(PLEDGED).supply_scaled, 1_000 * ONE - seized - fee);
    let treasury = town.position(account(&town.owner)).await;
    assert_eq!(treasury.entry(PLEDGED).supply_scaled, fee);
}

#[tokio::test]
async fn each_failure_of_a_keeper_has_its_exit_code() {
    let town = Town::found().await;
    std::fs::write(town.file("bad.price"), "hello").unwrap();
    std::fs::write(town.file("good.price"), "2.5").unwrap();
    person_of(&town.file("stranger.key"));
    let report = |feed: &'static str, price: &'static str, key: &'static str| {
        ["report", "--once", "--feed", feed, "--file", price, "--key", key]
    };
    let cases: [(&[&str], i32, &str); 7] = [
        (&report("1", "bad.price", "reporter-0.key"), 4, "bad-reading"),
        (&report("1", "none.price", "reporter-0.key"), 4, "bad-reading"),
        (&report("9", "good.price", "reporter-0.key"), 2, "no-feed"),
        (&report("1", "good.price", "stranger.key"), 2, "not-reporter"),
        (&report("1", "good.price", "none.key"), 1, "key"),
        (&["liquidate", "--watch"], 2, "no-key"),
        (&["liquidate", "--once", "--key", "stranger.key"], 2, "no-market"),
    ];
    for (args, code, name) in cases {
        let output = town.run(args).await;
        assert_eq!(output.status.code(), Some(code), "{args:?}");
        assert_eq!(lines(&output.stdout)[0]["error"]["code"], name, "{args:?}");
        assert!(!output.stderr.is_empty());
    }
    for reporter in 0..4 {
        assert_eq!(town.said(reporter).await, None, "nothing of this is a report");
    }
    let bounded = ["--at-least", "3", "--command", "echo 2.5", "--once", "--feed", "1"];
    let outside = town.run(&[&["report", "--key", "reporter-0.key"][..], &bounded].concat()).await;
    assert_eq!(outside.status.code(), Some(4));
    let nobody = ["liquidate", "--json", "--node", "http://127.0.0.1:1", "http://127.0.0.1:2"];
    let nobody = starling().args(nobody).output().unwrap();
    assert_eq!(nobody.status.code(), Some(6));
    assert_eq!(lines(&nobody.stdout)[0]["error"]["code"], "unreachable");
}

#[tokio::test]
async fn the_demo_of_lending_is_made_once_and_anybody_can_borrow_in_it() {
    let mut network = Network::alone();
    network.start(0).await;
    let (base, folder) = (network.base(0), network.folder().to_owned());
    let demo = |more: &[&str]| {
        let mut command = starling();
        command.args(["demo", "lending", "--json", "--key", "faucet.key", "--data", "lending"]);
        command.args(["--node", &base]).args(more).current_dir(&folder);
        command
    };
    let made = |output: Output| {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        event(&lines(&output.stdout), "market").cloned().unwrap()
    };
    let first = made(demo(&[]).output().unwrap());
    let friend = account(&person(83));
    let again = made(demo(&["--give", &friend.to_string()]).output().unwrap());
    assert!(first["sent"].as_u64().unwrap() > 0);
    assert_eq!(again["sent"], 0, "it is there");
    let page = accounts::balances_prefix(friend);
    let (client, mut store) = (Client::new(&base).unwrap(), MemoryStore::new());
    let gifts = client.list::<Balance>(&page, &mut store).await.unwrap();
    assert_eq!(gifts.iter().map(|(_, held)| held.amount).collect::<Vec<_>>(), [1_000 * ONE; 2]);
    for same in ["market", "sun", "coin", "feeds"] {
        assert_eq!(first[same], again[same], "{same}");
    }

    let _reporting = Killed(demo(&["--run"]).stdout(Stdio::null()).spawn().unwrap());
    let somebody = person(82);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for asset in ["", "?asset=1"] {
        let url = format!("{base}/ledger/faucet/{}{asset}", account(&somebody));
        let given = http.post(url).send().await.unwrap();
        assert_eq!(given.status(), 202, "{asset}");
        let given: Value = serde_json::from_slice(&given.bytes().await.unwrap()).unwrap();
        network.receipt(0, given["transaction"].as_str().unwrap()).await;
    }
    let other = format!("{base}/ledger/faucet/{}?asset=9", account(&somebody));
    assert_eq!(http.post(other).send().await.unwrap().status(), 404, "nobody issues it");

    let market = u32::try_from(first["market"].as_u64().unwrap()).unwrap();
    let supply = lending::Action::Supply { market, reserve: PLEDGED, amount: 1_000 * ONE };
    let id = client.act(&somebody, Action::Lending(supply)).await.unwrap();
    client.done(id, DEADLINE).await.unwrap();
    let borrow = lending::Action::Borrow { market, reserve: OWED, amount: 1_000 * ONE };
    network
        .condition("prices are reported", async || {
            let id = client.act(&somebody, Action::Lending(borrow.clone())).await.ok()?;
            client.done(id, DEADLINE).await.ok()
        })
        .await;
    let key = accounts::balance_key(account(&somebody), COIN);
    assert_eq!(client.record::<Balance>(&key).await.unwrap().unwrap().amount, 1_000 * ONE);
}

#[tokio::test]
async fn records_are_listed_by_what_their_keys_begin_with() {
    let mut network = Network::alone();
    network.start(0).await;
    let page = network.get(0, "records/0001").await;
    assert_eq!((page["records"].as_array().unwrap().len(), &page["more"]), (1, &false.into()));
    assert_eq!(page["records"][0]["key"], "0001");
    assert!(page["height"].is_u64() && page["time_ms"].is_u64());
    assert_eq!(network.get(0, "records/0502").await["records"], Value::from(Vec::<Value>::new()));
    for wrong in ["records/05", "records/0g", "records/0502?after=0501", "records/0502?after=x"] {
        let (status, value) = network.ask(0, wrong, None).await;
        assert_eq!((status, &value["error"]["code"]), (400, &"malformed".into()), "{wrong}");
    }
}
