//! Energy with its meters: `starling meter` as real processes beside a real validator, in a community for
//! trying out, whose quarter hours take a second.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use ledger::domains::accounts;
use ledger::domains::energy::{
    self, Community, Content, Member, Meter, Mode, Purse, Reading, Record, Rules, Slot, Tariff,
    Trust,
};
use ledger::{AccountId, Action, AssetId, Key};
use minicbor::Decode;
use primitives::{KeyPair, sha256};
use serde_json::Value;
use starling::key_file;
use starling::ledger_client::Client;
use starling::metering;

use super::files_rig::Killed;
use super::ledger_rig::{Network, starling};

/// What a slow machine may take for anything here.
const DEADLINE: Duration = Duration::from_secs(60);
/// The community, the first there is.
const COMMUNITY: u32 = 1;
/// Slots for readings after a slot: eight seconds.
const WINDOW_SLOTS: u16 = 8;
/// Units that each member and the grid pay in.
const DEPOSIT: u128 = 1_000_000_000;
const RULES: Rules = Rules {
    mode: Mode::Sharing,
    tariff: Tariff { retail: 300_000, feed_in: 80_000, grid_fee: 50_000 },
    loss_ppm: 0,
    trust_min: Trust::SelfReported,
};

/// A ledger with a community of two members, whose meters are added by the command line.
struct Street {
    network: Network,
    client: Client,
}

fn account(key: &KeyPair) -> AccountId {
    AccountId::of_key(key.id())
}

fn told(bytes: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// A day of quarter hours that are all the same.
fn day(import_wh: u64, export_wh: u64) -> String {
    let mut text = "time,import Wh,export Wh\n".to_owned();
    for quarter in 0..96 {
        let (hour, minute) = (quarter / 4, quarter % 4 * 15);
        writeln!(text, "2026-06-21T{hour:02}:{minute:02}:00Z,{import_wh},{export_wh}").unwrap();
    }
    text
}

impl Street {
    async fn found() -> Self {
        let mut network = Network::alone();
        network.start(0).await;
        let client = Client::new(&network.base(0)).unwrap();
        let street = Self { network, client };
        let (faucet, asset) = (street.network.faucet(), AssetId::NATIVE);
        let own = account(&faucet);
        let open = energy::Action::OpenTrial {
            asset,
            grid: own,
            network: own,
            window_slots: WINDOW_SLOTS,
            rules: RULES,
            pace: 900,
        };
        street.act(&faucet, Action::Energy(open)).await;
        street.pay_in(&faucet, Purse::Grid).await;
        for (number, text) in [(0, day(500, 0)), (1, day(0, 300))] {
            let owner = street.owner(number);
            let (to, amount) = (account(&owner), 3 * DEPOSIT);
            let transfer = accounts::Action::Transfer { asset, to, amount };
            street.act(&faucet, Action::Accounts(transfer)).await;
            let admit = energy::Action::Admit { community: COMMUNITY, account: to };
            street.act(&faucet, Action::Energy(admit)).await;
            street.pay_in(&owner, Purse::Member).await;
            let (owner, key) = (format!("owner-{number}.key"), format!("meter-{number}.key"));
            let added = street.run(&["add", "--owner", &owner, "--key", &key]).await;
            assert_eq!(told(&added.stdout)[0]["meter"], number, "{added:?}");
            std::fs::write(street.file(&format!("feed-{number}.csv")), text).unwrap();
        }
        street
    }

    async fn act(&self, key: &KeyPair, action: Action) {
        let id = self.client.act(key, action).await.unwrap();
        self.client.done(id, DEADLINE).await.unwrap();
    }

    async fn pay_in(&self, key: &KeyPair, purse: Purse) {
        let (community, amount) = (COMMUNITY, DEPOSIT);
        let deposit = energy::Action::Deposit { community, purse, amount };
        self.act(key, Action::Energy(deposit)).await;
    }

    fn file(&self, name: &str) -> PathBuf {
        self.network.folder().join(name)
    }

    fn owner(&self, number: u32) -> KeyPair {
        key_file::load_or_create(&self.file(&format!("owner-{number}.key"))).unwrap().key
    }

    /// Runs `starling meter` to its end.
    async fn run(&self, words: &[&str]) -> Output {
        let mut command = starling();
        command.arg("meter").args(words).args(["--node", &self.network.base(0), "--json"]);
        command.current_dir(self.network.folder());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// `starling meter` until it is killed; what it tells is in a file.
    fn start(&self, lines: &str, words: &[&str]) -> Killed {
        let mut command = starling();
        command.arg("meter").args(words).args(["--node", &self.network.base(0), "--json"]);
        let lines = File::options().create(true).append(true).open(self.file(lines)).unwrap();
        command.current_dir(self.network.folder()).stdout(lines).stderr(Stdio::inherit());
        Killed(command.spawn().unwrap())
    }

    fn meter(&self, number: u32) -> Killed {
        let (feed, key) = (format!("feed-{number}.csv"), format!("meter-{number}.key"));
        let payer = format!("owner-{number}.key");
        let words = ["--feed", &feed, "--speed", "900x", "--repeat", "--key", &key];
        let more = ["--payer", &payer, "--state", "said", "--out", "copies"];
        let group = self.group();
        let sealed = ["--group", &group, "--sealed", "sealed"];
        self.start(&format!("meter-{number}.lines"), &[&words[..], &more, &sealed].concat())
    }

    /// The DID of who settles disputes.
    fn group(&self) -> String {
        let mut command = starling();
        command.args(["id", "key", "group.key"]).current_dir(self.network.folder());
        String::from_utf8(command.output().unwrap().stdout).unwrap().trim().to_owned()
    }

    fn settling(&self) -> Killed {
        self.start("settled.lines", &["settle", "--key", "faucet.key", "--run"])
    }

    async fn record<T: for<'b> Decode<'b, ()>>(&self, key: Key) -> Option<T> {
        self.client.record(&key).await.unwrap()
    }

    async fn device(&self, number: u32) -> Meter {
        self.record(energy::meter_key(COMMUNITY, number)).await.unwrap()
    }

    /// The newest slot that was told as settled with so many meters.
    async fn settled_with(&self, meters: u64) -> u64 {
        let look = async || {
            let lines = told(&std::fs::read(self.file("settled.lines")).ok()?);
            let mut settled = lines.iter().filter(|line| line["event"] == "settled");
            settled.rfind(|line| line["meters"] == meters)?["slot"].as_u64()
        };
        self.network.condition(&format!("a slot of {meters} meters"), look).await
    }

    /// What a settled slot came to for a meter: paid and got.
    async fn due(&self, slot: u64, meter: u32) -> (u128, u128) {
        let record: Record = self.record(energy::record_key(COMMUNITY, slot, meter)).await.unwrap();
        let due = record.due.unwrap();
        (due.paid, due.got)
    }

    /// All purses add up to what was paid in: read until no block came between.
    async fn check_purses(&self) {
        let look = async || {
            let before = self.client.status().await.ok()?.height;
            let community: Community = self.record(energy::community_key(COMMUNITY)).await?;
            let mut purses = 0;
            for number in 0..2 {
                let key = energy::member_key(COMMUNITY, account(&self.owner(number)));
                let member: Member = self.record(key).await?;
                purses += member.free + member.held;
            }
            (self.client.status().await.ok()?.height == before).then_some((community, purses))
        };
        let (community, members) = self.network.condition("a quiet moment", look).await;
        let funds = community.funds;
        let others = funds.grid_free + funds.grid_held + funds.fees + funds.fund;
        assert_eq!((members + others, funds.total), (3 * DEPOSIT, 3 * DEPOSIT));
    }
}

#[tokio::test]
async fn two_meters_are_read_slots_settle_and_money_and_energy_balance_to_the_unit() {
    let street = Street::found().await;
    let (first, settling) = (street.meter(0), street.settling());

    // The other is silent: nobody waits for it, and the grid does all.
    let alone = street.settled_with(1).await;
    let slot: Slot = street.record(energy::slot_key(COMMUNITY, alone)).await.unwrap();
    let summary = slot.summary.unwrap();
    assert_eq!((summary.volume_wh, summary.grid_in_wh, summary.grid_out_wh), (0, 500, 0));
    assert_eq!(street.due(alone, 0).await, (150_000, 0));
    let silent: Option<Record> = street.record(energy::record_key(COMMUNITY, alone, 1)).await;
    assert_eq!(silent, None);

    let second = street.meter(1);
    let both = street.settled_with(2).await;
    let slot: Slot = street.record(energy::slot_key(COMMUNITY, both)).await.unwrap();
    let summary = slot.summary.unwrap();
    // 300 Wh at 16.5 and 5 cents a kWh, 200 Wh of the grid at 30.
    assert_eq!((summary.volume_wh, summary.price), (300, 165_000));
    assert_eq!((summary.grid_in_wh, summary.grid_out_wh), (200, 0));
    let ((paid, none), (nothing, got)) = (street.due(both, 0).await, street.due(both, 1).await);
    assert_eq!((paid, none, nothing, got), (64_500 + 60_000, 0, 0, 49_500));
    assert_eq!((summary.fees, summary.grid_got, summary.residue), (15_000, 60_000, 0));
    assert_eq!(paid, got + summary.fees + summary.grid_got + summary.residue);
    assert_eq!(500 + summary.grid_out_wh, 300 + summary.grid_in_wh, "energy in is energy out");

    check_sealed(&street, both).await;
    check_restart(&street, first).await;
    drop((second, settling));
    street.check_purses().await;
}

/// What was metered is sealed for the group alone, and is what the ledger's readings commit to.
async fn check_sealed(street: &Street, slot: u64) {
    let file = format!("sealed/{COMMUNITY}-0-{slot}-0.sealed");
    let mine = street.run(&["check", &file, "--key", "group.key"]).await;
    assert!(mine.status.success(), "{}", String::from_utf8_lossy(&mine.stderr));
    let line = &told(&mine.stdout)[0];
    assert_eq!((&line["verdict"], &line["slot"]), (&"matches".into(), &slot.into()));
    assert_eq!(line["metered"]["import_wh"], 500);
    let others = street.run(&["check", &file, "--key", "owner-1.key"]).await;
    assert_eq!(others.status.code(), Some(1));
    let lines = told(&others.stdout);
    assert_eq!(lines[0]["verdict"], "not-for-me");
    assert_eq!(lines[1]["error"]["code"], "not-for-me");
}

/// A meter that was killed goes on from its counters, and never says two things of a slot.
async fn check_restart(street: &Street, running: Killed) {
    let before = street.device(0).await.last.unwrap();
    drop(running);
    let again = street.meter(0);
    let went_on = async || {
        let device = street.device(0).await;
        device.last.filter(|last| last.slot > before.slot + 2).map(|last| (last, device.cut))
    };
    let (last, cut) = street.network.condition("it goes on", went_on).await;
    assert!(!cut);
    assert_eq!(last.import_wh - before.import_wh, 500 * (last.slot - before.slot), "no Wh is lost");
    drop(again);
}

#[tokio::test]
async fn a_meter_that_says_two_things_of_a_slot_is_cut_and_refusals_are_named() {
    let street = Street::found().await;
    let running = RefCell::new(street.meter(1));
    let said = street.network.condition("a reading", async || street.device(1).await.last).await;
    let copy = street.file(&format!("copies/{COMMUNITY}-1-{}-0.reading", said.slot));
    let copied = copy.display().to_string();
    let truth = metering::read_said(&copy).await.unwrap();
    let same = street.run(&["accuse", &copied, &copied, "--key", "faucet.key"]).await;
    assert_eq!(same.status.code(), Some(1));
    assert_eq!(told(&same.stdout)[0]["error"]["code"], "no-evidence");

    let lie = lie(&street, &truth).await;
    let lying = metering::write_said(&street.file("lies"), &lie).await.unwrap();
    let lying = lying.display().to_string();
    let cut = street.run(&["accuse", &copied, &lying, "--key", "faucet.key"]).await;
    assert!(cut.status.success(), "{}", String::from_utf8_lossy(&cut.stderr));
    assert!(street.device(1).await.cut);
    let ended = street
        .network
        .condition("it hears of it", async || running.borrow_mut().0.try_wait().unwrap())
        .await;
    assert_eq!(ended.code(), Some(3));

    let key = ["--key", "meter-1.key"];
    let feed = ["--feed", "feed-1.csv"];
    for (words, exit_code, name) in [
        (&[][..], 3, "cut"),
        (&["--community", "9"][..], 2, "no-community"),
        (&["--meter", "7"][..], 2, "no-meter"),
        (&["--meter", "0"][..], 2, "other-key"),
    ] {
        let refused = street.run(&[&feed[..], &key, words].concat()).await;
        assert_eq!(refused.status.code(), Some(exit_code), "{name}");
        assert_eq!(told(&refused.stdout)[0]["error"]["code"], name);
    }
    let stranger = street.run(&[&feed[..], &["--key", "new.key"]].concat()).await;
    assert_eq!(stranger.status.code(), Some(2), "no meter has this key");
    // What it said of slots that wait is left out, and they settle all the same.
    let settling = street.settling();
    street.settled_with(1).await;
    drop(settling);
    street.check_purses().await;
}

/// Another thing that the same meter says of the same slot.
async fn lie(street: &Street, truth: &Reading) -> Reading {
    let key = key_file::load_or_create(&street.file("meter-1.key")).unwrap().key;
    let chain = street.client.status().await.unwrap().chain;
    let content = Content { commitment: sha256(b"something else"), ..truth.content };
    Reading::sign(&key, chain, (truth.community, truth.meter), (truth.slot, 0), content)
}
