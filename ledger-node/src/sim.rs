//! Validators on a simulated network, clock and disks: all that happens follows from a seed.
//!
//! Engine, state machine, mempool, records and questions are the real ones; the runtime and the network
//! are the engine's own simulations, and records are on a disk that loses at a crash what was not
//! flushed. Each test is a trouble, played with some seeds by four validators or seven, and what may happen to one
//! without others by that one. Then all is well again, and it must be true that: blocks are made; everybody
//! who keeps the rules has the same block at each height and the same state; each receipt that one of them ever
//! gave is everybody's; no number was spent twice; each client's name has its own keys; everybody who keeps
//! the rules votes, and shut out nobody else who does; a light client believes the state. What was once said to
//! be final is never unsaid, by a validator that crashed neither. The laws of every domain hold after every
//! transaction and every block that did something: clients pay, change their names, promise from pools, use a
//! market and share energy meanwhile, most of their signatures made so that strict checks would refuse them
//! (`points.rs`).
//!
//! Each trouble has seeds of its own: those that leave its number when divided by [`TROUBLES`].
//!
//! `SEED=7 cargo test -p ledger-node --lib sim::` replays a seed. `SIM_SEEDS=1000` plays so many in place of
//! those of every test run, `SIM_SECONDS=60` each trouble for that long, both from `SIM_FIRST` on:
//! `cargo xtask soak --target validators`.

mod disk;
mod liars;
mod markets;
mod names;
mod points;
mod pools;
mod street;
mod wires;
mod world;

use std::io::Write as _;
use std::time::{Duration, Instant};

use commonware_p2p::simulated::Link;
use commonware_runtime::{
    Runner as _,
    deterministic::{Config, FaultConfig, PartialWriteMode, Runner, WriteConfig},
};
use commonware_utils::probability;

use world::{START, World, good};

/// Seeds that every test run plays, of all troubles together.
const SEEDS: u64 = 200;
/// And of a validator without others.
const SEEDS_ALONE: u64 = 4;
/// How often it is killed in each.
const KILLS: usize = 32;
/// How many troubles there are.
const TROUBLES: u64 = 19;
/// Simulated time after which a run has failed.
const RUN_MAX: Duration = Duration::from_secs(900);
/// How far apart clocks may be without anybody noticing, in milliseconds.
const CLOCKS_MS: i64 = 20_000;
/// Blocks that validators keep which do not keep all.
const SHORT_BLOCKS: u64 = 12;
/// A clock whose blocks nobody votes for, in milliseconds.
const WRONG_CLOCK_MS: i64 = 120_000;

/// Says which seed it was, if the test ends before it is through.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}: SEED={} replays it", self.0, self.0);
        }
    }
}

fn config(seed: u64) -> Config {
    Config::new()
        .with_seed(seed)
        .with_start_time(std::time::UNIX_EPOCH + START)
        .with_timeout(Some(RUN_MAX))
}

/// Every third run of a trouble has seven validators: two of them may be faulty.
fn count(seed: u64) -> usize {
    if seed / TROUBLES % 3 == 2 { 7 } else { 4 }
}

/// Plays one seed and says what its trace is.
fn play(seed: u64, story: impl AsyncFnOnce(&mut World)) -> String {
    let _seed = Seed(seed);
    Runner::new(config(seed)).start(|context| async move {
        let mut world = World::new(context, seed, count(seed)).await;
        story(&mut world).await;
        world.end().await
    })
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Plays the seeds of a trouble that are asked for, and says how many these were.
fn play_all(trouble: u64, play: impl Fn(u64)) {
    if let Some(seed) = number("SEED") {
        if seed % TROUBLES == trouble {
            play(seed);
        }
        return;
    }
    let limit = number("SIM_SECONDS").map(Duration::from_secs);
    let first = number("SIM_FIRST").unwrap_or(0);
    let behind = first + number("SIM_SEEDS").unwrap_or(SEEDS);
    let start = Instant::now();
    let is_asked = |seed| match limit {
        Some(limit) => start.elapsed() < limit,
        None => seed < behind,
    };
    let mut seed = first + (trouble + TROUBLES - first % TROUBLES) % TROUBLES;
    let mut played = 0;
    while is_asked(seed) {
        play(seed);
        seed += TROUBLES;
        played += 1;
    }
    if let Ok(path) = std::env::var("SIM_TALLY") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        writeln!(file.unwrap(), "{played}").unwrap();
    }
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn any_ms(world: &mut World, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(world.rng.u64(range))
}

/// Ten in a hundred messages are lost, the others come in a time of their own.
fn bad() -> Link {
    let (latency, jitter) = (Duration::from_millis(40), Duration::from_millis(30));
    Link { latency, jitter, success_rate: probability!(0.9) }
}

async fn lossy_lines(world: &mut World) {
    world.start_all().await;
    world.connect(&bad(), |_, _| true).await;
    world.pass(seconds(8)).await;
    world.connect(&good(), |_, _| true).await;
}

async fn a_partition(world: &mut World) {
    world.start_all().await;
    world.pass(seconds(2)).await;
    let sides: Vec<bool> = (0..world.count()).map(|_| world.rng.bool()).collect();
    world.connect(&good(), |one, other| sides[one] == sides[other]).await;
    // What was on its way when it was cut.
    world.pass(seconds(2)).await;
    let one = sides.iter().filter(|side| **side).count();
    let larger = one.max(sides.len() - one);
    if larger + world.faulty_max() < world.count() {
        world.stands_still(seconds(6)).await;
    } else {
        world.pass(seconds(6)).await;
    }
    world.connect(&good(), |_, _| true).await;
}

async fn crashes_at_any_time(world: &mut World) {
    world.start_all().await;
    for _ in 0..3 {
        let (before, after) = (any_ms(world, 100..3_000), any_ms(world, 100..2_000));
        world.pass(before).await;
        // Now and then everybody at once.
        let count = if world.rng.u8(..4) == 0 { world.count() } else { world.rng.usize(1..3) };
        let some = world.some(count);
        world.crash_all(&some).await;
        world.pass(after).await;
        for index in some {
            world.start(index).await;
        }
    }
}

async fn too_few(world: &mut World) {
    world.start_all().await;
    world.pass(seconds(2)).await;
    let gone = world.some(world.faulty_max() + 1);
    world.crash_all(&gone).await;
    world.pass(seconds(2)).await;
    world.stands_still(seconds(8)).await;
    for index in gone {
        world.start(index).await;
    }
}

async fn clocks_that_differ(world: &mut World) {
    for index in 0..world.count() {
        world.validators[index].ahead_ms = world.rng.i64(-CLOCKS_MS..CLOCKS_MS);
    }
    world.start_all().await;
    world.pass(seconds(6)).await;
}

async fn a_wrong_clock(world: &mut World) {
    let wrong = world.some(1)[0];
    let ahead = world.rng.bool();
    world.validators[wrong].ahead_ms = if ahead { WRONG_CLOCK_MS } else { -WRONG_CLOCK_MS };
    world.start_all().await;
    world.pass(seconds(8)).await;
}

/// Starts those who are not among the first, who do something else.
async fn start_others(world: &mut World, strange: &[usize]) {
    for index in (0..world.count()).filter(|index| !strange.contains(index)) {
        world.start(index).await;
    }
}

async fn silent_ones(world: &mut World) {
    let silent = world.some(world.faulty_max());
    start_others(world, &silent).await;
    world.pass(seconds(8)).await;
}

async fn liars_among_us(world: &mut World) {
    let liars = world.some(world.faulty_max());
    for index in &liars {
        world.start_liar(*index).await;
    }
    start_others(world, &liars).await;
    world.pass(seconds(10)).await;
}

async fn double_voters(world: &mut World) {
    let liars = world.some(world.faulty_max());
    for index in &liars {
        world.start_double_voter(*index).await;
    }
    start_others(world, &liars).await;
    world.pass(seconds(8)).await;
}

async fn withheld_blocks(world: &mut World) {
    let withholders = world.some(world.faulty_max());
    for index in &withholders {
        world.start_withholder(*index).await;
    }
    start_others(world, &withholders).await;
    world.pass(seconds(8)).await;
}

async fn twins(world: &mut World) {
    let twins = world.some(world.faulty_max());
    for index in &twins {
        world.start_twins(*index).await;
    }
    start_others(world, &twins).await;
    world.pass(seconds(8)).await;
}

async fn late_and_wiped(world: &mut World) {
    let late = world.some(1)[0];
    start_others(world, &[late]).await;
    world.pass(seconds(8)).await;
    world.start(late).await;
    world.goes_on().await;
    // Again with nothing, but its key.
    world.wipe(late).await;
    world.pass(seconds(3)).await;
    world.start(late).await;
}

async fn late_from_a_snapshot(world: &mut World) {
    let late = world.some(1)[0];
    start_others(world, &[late]).await;
    world.pass(seconds(8)).await;
    world.restore(late).await;
    // Blocks are made that it has to fetch and run.
    let behind = any_ms(world, 0..3_000);
    world.pass(behind).await;
    world.start(late).await;
    // It may crash before it is anywhere.
    let early = any_ms(world, 0..2_000);
    world.pass(early).await;
    world.crash(late).await;
    world.start(late).await;
    world.all_vote().await;
    world.goes_on().await;
    // Again with nothing, but its key.
    world.wipe(late).await;
    world.pass(seconds(3)).await;
    world.restore(late).await;
    world.start(late).await;
}

async fn short_memories(world: &mut World) {
    let late = world.some(1)[0];
    for validator in &mut world.validators {
        validator.keep_blocks = Some(SHORT_BLOCKS);
    }
    start_others(world, &[late]).await;
    world.all_forget().await;
    let crashed = world.some(1)[0];
    if crashed != late {
        world.crash(crashed).await;
        world.pass(seconds(1)).await;
        world.start(crashed).await;
    }
    world.goes_on().await;
    // Nobody tells what became of the first transactions any more.
    world.restore(late).await;
    world.pass(seconds(2)).await;
    world.start(late).await;
    world.pass(seconds(4)).await;
    world.all_forget().await;
}

async fn an_upgrade(world: &mut World) {
    let height = world.rng.u64(2..12);
    world.upgrade(height, 2_000);
    world.upgrade(1_000, 3_000);
    let late = world.some(1)[0];
    start_others(world, &[late]).await;
    let before = any_ms(world, 500..4_000);
    world.pass(before).await;
    let crashed = world.some(1)[0];
    if crashed != late {
        world.crash(crashed).await;
        world.pass(seconds(1)).await;
        world.start(crashed).await;
    }
    world.pass(seconds(6)).await;
    // It runs that block when the others have long done so.
    world.start(late).await;
    for _ in 0..4 {
        world.goes_on().await;
    }
    world.all_ask_for(2_000);
}

async fn a_handover(world: &mut World) {
    let height = world.rng.u64(5..12);
    world.name_successors(height);
    world.start_all().await;
    let early = any_ms(world, 500..3_000);
    world.pass(early).await;
    let crashed = world.some(1)[0];
    world.crash(crashed).await;
    world.comes_to_its_end(height - 1).await;
    // It hears of the last block although nobody makes another.
    world.start(crashed).await;
    world.comes_to_its_end(height - 1).await;
    let wiped = world.some(1)[0];
    world.take_over(wiped).await;
    world.goes_on().await;
    // Again one with nothing but its key, of which others know.
    world.wipe(wiped).await;
    world.pass(seconds(2)).await;
    world.restore(wiped).await;
    world.start(wiped).await;
}

/// As [`a_handover`], under the key that there was: each has another share of it.
async fn a_resharing(world: &mut World) {
    let height = world.rng.u64(5..12);
    world.name_reshared(height);
    world.start_all().await;
    world.comes_to_its_end(height - 1).await;
    let wiped = world.some(1)[0];
    world.take_over(wiped).await;
    world.goes_on().await;
}

async fn votes_forgotten(world: &mut World) {
    world.start_all().await;
    let early = any_ms(world, 500..4_000);
    world.pass(early).await;
    let wiped = world.some(world.faulty_max());
    for index in &wiped {
        world.wipe(*index).await;
    }
    // Alone with nothing: who votes at once votes in views that it had voted in.
    world.connect(&good(), |one, other| !wiped.contains(&one) && !wiped.contains(&other)).await;
    for index in &wiped {
        world.start(*index).await;
    }
    let alone = any_ms(world, 0..4_000);
    world.pass(alone).await;
    world.connect(&good(), |_, _| true).await;
    world.all_vote().await;
    // Now others may be away: without those who forgot there is nothing final.
    let others: Vec<usize> = (0..world.count()).filter(|index| !wiped.contains(index)).collect();
    for index in &others[..wiped.len()] {
        world.crash(*index).await;
    }
    world.goes_on().await;
    for index in &others[..wiped.len()] {
        world.start(*index).await;
    }
}

async fn everything_at_once(world: &mut World) {
    let strange = world.some(1)[0];
    for index in 0..world.count() {
        world.validators[index].ahead_ms = world.rng.i64(-CLOCKS_MS..CLOCKS_MS);
    }
    match world.rng.u8(..3) {
        0 => world.start_liar(strange).await,
        1 => world.start_double_voter(strange).await,
        _ => world.start_twins(strange).await,
    }
    start_others(world, &[strange]).await;
    world.connect(&bad(), |_, _| true).await;
    for _ in 0..2 {
        let (before, after) = (any_ms(world, 500..3_000), any_ms(world, 200..2_000));
        world.pass(before).await;
        let sides: Vec<bool> = (0..world.count()).map(|_| world.rng.bool()).collect();
        world.connect(&bad(), |one, other| sides[one] == sides[other]).await;
        let crashed = world.some(1)[0];
        if crashed != strange {
            world.crash(crashed).await;
        }
        world.pass(after).await;
        if crashed != strange {
            world.start(crashed).await;
        }
        world.connect(&bad(), |_, _| true).await;
    }
    world.connect(&good(), |_, _| true).await;
}

/// The power fails for everybody, three times at any moment. Of what was not flushed, each disk keeps any bytes, or
/// those before the first that it lost.
fn play_power_cuts(seed: u64, count: usize) {
    let _seed = Seed(seed);
    let (mode, retention_rate) = match seed / TROUBLES % 8 {
        ..4 => (PartialWriteMode::Subset, probability!(0.5)),
        4.. => (PartialWriteMode::Prefix, probability!(999, 1000)),
    };
    let write = WriteConfig { failure_rate: probability!(0.0), retention_rate, mode };
    let faults = FaultConfig::default().write(write);
    let mut runner = Runner::new(config(seed).with_storage_fault_config(faults));
    let mut remains = None;
    for _ in 0..3 {
        let before = remains.take();
        let (left, checkpoint) = runner.start_and_recover(|context| async move {
            let mut world = match before {
                Some(remains) => World::of(context, remains).await,
                None => World::new(context, seed, count).await,
            };
            world.start_all().await;
            let span = any_ms(&mut world, 100..4_000);
            world.pass(span).await;
            world.power_fails()
        });
        (runner, remains) = (checkpoint.into(), Some(left));
    }
    runner.start(|context| async move {
        let remains = remains.expect("the power failed");
        let mut world = World::of(context, remains).await;
        world.start_all().await;
        world.end().await
    });
}

macro_rules! troubles {
    ($($number:literal $test:ident: $play:expr;)*) => {
        $(
            #[test]
            fn $test() {
                play_all($number, $play);
            }
        )*

        #[test]
        fn each_trouble_has_a_number_of_its_own() {
            let numbers: &[u64] = &[$($number),*];
            assert!(numbers.iter().copied().eq(0..TROUBLES), "{numbers:?}");
        }
    };
}

fn told(story: impl AsyncFn(&mut World)) -> impl Fn(u64) {
    move |seed| drop(play(seed, &story))
}

troubles! {
    0 lossy_lines_neither_fork_nor_stop_it: told(lossy_lines);
    1 a_partition_forks_nothing_and_only_two_thirds_go_on: told(a_partition);
    2 validators_that_crash_at_any_time_lose_nothing: told(crashes_at_any_time);
    3 with_too_few_nothing_is_final_until_they_are_back: told(too_few);
    4 clocks_may_differ_within_bounds: told(clocks_that_differ);
    5 a_wrong_clock_does_not_move_time_for_others: told(a_wrong_clock);
    6 silent_validators_are_passed_over: told(silent_ones);
    7 what_liars_propose_is_never_final: told(liars_among_us);
    8 who_votes_twice_forks_nothing: told(double_voters);
    9 blocks_that_only_some_are_given_stop_nobody: told(withheld_blocks);
    10 two_validators_with_one_key_fork_nothing: told(twins);
    11 who_comes_late_or_lost_its_disk_catches_up: told(late_and_wiped);
    12 who_begins_with_a_snapshot_has_what_the_others_have: told(late_from_a_snapshot);
    13 an_upgrade_holds_for_everybody_from_its_block_on: told(an_upgrade);
    14 who_forgot_its_votes_listens_and_then_votes_again: told(votes_forgotten);
    15 all_troubles_at_once_fork_nothing: told(everything_at_once);
    16 who_keeps_the_last_blocks_only_goes_on: told(short_memories);
    17 others_take_over_at_a_height_and_all_goes_on: told(a_handover);
    18 a_power_cut_at_any_write_loses_nothing_that_was_told: |seed| play_power_cuts(seed, count(seed));
}

/// Nothing goes wrong for so long that clients do all that they can.
async fn a_minute_of_peace(world: &mut World) {
    world.start_all().await;
    world.pass(seconds(60)).await;
    world.all_is_used();
}

#[test]
fn blocks_of_an_idle_ledger_are_final_when_they_are_made() {
    // A lone validator is the leader always.
    for count in [1, 4] {
        Runner::new(config(7)).start(|context| async move {
            let mut world = World::new(context, 7, count).await;
            world.start_all().await;
            world.idles(seconds(12)).await;
        });
    }
}

/// Those that a validator without others plays, so far apart.
fn seeds_alone(apart: u64) -> Vec<u64> {
    let some = || (0..SEEDS_ALONE).map(|seed| seed * apart).collect();
    number("SEED").map_or_else(some, |seed| vec![seed])
}

#[test]
fn who_is_alone_and_killed_in_the_middle_goes_on_at_once() {
    for seed in seeds_alone(1) {
        let _seed = Seed(seed);
        Runner::new(config(seed)).start(|context| async move {
            let mut world = World::new(context, seed, 1).await;
            world.start_all().await;
            for _ in 0..KILLS {
                world.is_killed_in_the_middle().await;
            }
            world.end().await
        });
    }
}

#[test]
fn who_is_alone_loses_nothing_that_was_told_when_the_power_fails() {
    // Half of them in each of the two ways to lose what was not flushed.
    for seed in seeds_alone(2 * TROUBLES) {
        play_power_cuts(seed, 1);
    }
}

#[test]
fn clients_really_use_what_they_ask_for() {
    play(0, a_minute_of_peace);
}

#[test]
fn a_key_that_is_dealt_anew_goes_on_and_a_light_client_follows() {
    play(0, a_resharing);
}

#[test]
fn a_seed_is_always_the_same_run() {
    let trace = play(1, everything_at_once);
    assert_eq!(play(1, everything_at_once), trace);
    assert_ne!(play(2, everything_at_once), trace);
}
