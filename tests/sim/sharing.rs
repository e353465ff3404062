//! Shares over a simulated network: the same `step` as in a browser.
//!
//! Proves: what a receiver keeps is what the sender has, block by block; four receivers of one sender serve
//! each other; they finish after it left, as soon as together they had everything; whoever sends wrong, unasked or
//! malformed bytes is cut and costs nobody the share; what is asked for is bounded; a receiver that starts
//! over fetches only what it lacks; any bytes of a stranger leave a share standing; a public share goes as a
//! sealed one; a gateway gives what no peer has, is not asked for what a peer has, and is believed as little;
//! what somebody looks at comes first (`sharing_in_time`: and in time); what somebody waits for comes without being
//! chosen, and nothing else does.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod sharing_in_time;
mod sharing_world;

use files::{
    Event, HangupReason, Input,
    config::COMING_BYTES_MAX,
    view::{Failure, GatewayState, Stage},
};
use netsim::Access;
use sharing_world::{Content, Gateway, Role, World};

const HOME: Access = Access::home(40_000_000, 100_000_000);

/// One sender, some receivers, a file of this many bytes; all choose everything.
fn meet(seed: u64, receivers: usize, content: Content) -> World {
    let mut world = World::new(seed, content);
    world.add(HOME, Role::Honest, true);
    for _ in 0..receivers {
        world.add(HOME, Role::Honest, false);
    }
    world.introduce_all();
    world
}

fn finish_ms(seed: u64, receivers: usize) -> u64 {
    let mut world = meet(seed, receivers, Content::file(seed, 24 << 20));
    world.until("all are done", 600, |world| (1..=receivers).all(|node| world.is_done(node)));
    for node in 1..=receivers {
        world.check_content(node);
    }
    world.now().as_ms()
}

#[test]
fn four_receivers_finish_nearly_as_soon_as_one() {
    for seed in 1..5 {
        let (one, four) = (finish_ms(seed, 1), finish_ms(seed, 4));
        // 24 MiB at 40 Mbit/s are 5.0 s; the last block must travel once more.
        assert!(one < 7_500, "seed {seed}: {one} ms for one receiver");
        assert!(four * 10 < one * 16, "seed {seed}: {four} ms for four, {one} ms for one");
    }
}

#[test]
fn receivers_go_on_when_the_sender_leaves_at_sixty_percent() {
    for seed in 1..9 {
        let mut world = meet(seed, 4, Content::file(seed, 24 << 20));
        // Receivers that trade have the same 60 %: what none has leaves with the sender, and is said.
        world.until("they have 60 %", 600, |world| {
            (1..=4).map(|node| world.percent(node)).sum::<u64>() >= 4 * 60
        });
        world.leave(0);
        let together = world.blocks_of(1..=4);
        if together == world.content().blocks() {
            world.until("all are done", 600, |world| (1..=4).all(|node| world.is_done(node)));
            (1..=4).for_each(|node| world.check_content(node));
        } else {
            // Then all have all that any of them has, and say so. What was under way may still come.
            world.until("they are even", 600, |world| {
                let together = world.blocks_of(1..=4);
                (1..=4).all(|node| world.blocks_of(node..=node) == together)
            });
            world.until("they say so", 60, |world| {
                let view = world.view(1);
                view.available_bytes == view.chosen_held_bytes
            });
        }
        assert!(together * 100 >= world.content().blocks() * 60, "seed {seed}: {together} blocks");
    }
}

#[test]
fn receivers_that_together_hold_all_complete_without_the_sender() {
    for seed in 1..5 {
        let mut world = meet(seed, 4, Content::file(seed, 24 << 20));
        // The first moment at which nothing leaves with the sender.
        world.until("together they have all", 600, |world| {
            world.blocks_of(1..=4) == world.content().blocks()
        });
        assert!((1..=4).any(|node| !world.is_done(node)), "seed {seed}: nobody needs anything");
        world.leave(0);
        world.until("all are done", 60, |world| (1..=4).all(|node| world.is_done(node)));
        (1..=4).for_each(|node| world.check_content(node));
    }
}

#[test]
fn two_who_chose_other_files_complete_from_each_other() {
    let mut world = World::new(43, Content::folder(43, 60, 400_000));
    world.add(HOME, Role::Honest, true);
    world.add(HOME, Role::Waits, false);
    world.add(HOME, Role::Waits, false);
    world.introduce_all();
    world.until("the names are known", 60, |world| {
        (1..=2).all(|node| world.view(node).stage == Stage::Offered)
    });
    let all: Vec<u32> = world.entries(1).iter().map(|entry| entry.number).collect();
    let (left, right) = all.split_at(all.len() * 6 / 10);
    for (node, entries) in [(1, left), (2, right)] {
        world.give(node, Input::Choose { entries: entries.to_vec(), in_order: false });
    }
    world.until("each has its own", 120, |world| {
        (1..=2).all(|node| world.view(node).stage == Stage::Done)
    });
    assert!((1..=2).all(|node| world.percent(node) < 90), "neither has all");
    world.leave(0);
    for node in 1..=2 {
        world.give(node, Input::Choose { entries: all.clone(), in_order: false });
    }
    world.until("both have all", 120, |world| (1..=2).all(|node| world.is_done(node)));
    (1..=2).for_each(|node| world.check_content(node));
}

#[test]
fn a_folder_of_many_small_files_arrives_whole() {
    let mut world = meet(3, 2, Content::folder(3, 2_000, 700));
    world.until("both are done", 600, |world| (1..=2).all(|node| world.is_done(node)));
    world.check_content(1);
    world.check_content(2);
    assert!(world.now().as_ms() < 20_000, "{} ms", world.now().as_ms());
}

#[test]
fn files_that_fill_their_blocks_arrive_whole() {
    for content in [Content::file(47, 1 << 20), Content::file(48, 2 << 20)] {
        let mut world = meet(47, 1, content);
        world.until("it is done", 60, |world| world.is_done(1));
        world.check_content(1);
    }
}

#[test]
fn only_what_was_chosen_is_fetched() {
    let mut world = World::new(5, Content::folder(5, 40, 50_000));
    world.add(HOME, Role::Honest, true);
    world.add(HOME, Role::Waits, false);
    world.introduce_all();
    world.until("the names are known", 60, |world| world.view(1).stage == Stage::Offered);
    let entries = world.entries(1);
    assert_eq!(entries.iter().filter(|entry| !entry.path.is_empty()).count(), 40);
    assert_eq!(world.view(1).held_bytes, 0);
    let chosen = [entries[7].number, entries[3].number];
    world.give(1, Input::Choose { entries: chosen.to_vec(), in_order: false });
    world.until("the two are here", 60, |world| world.view(1).stage == Stage::Done);
    let whole = world.entries(1).into_iter().filter(|entry| entry.whole);
    assert_eq!(whole.map(|entry| entry.number).collect::<Vec<_>>(), [chosen[1], chosen[0]]);
}

#[test]
fn who_sends_wrong_bytes_is_cut_and_nobody_else_pays() {
    for seed in 1..6 {
        let mut world = World::new(seed, Content::file(seed, 8 << 20));
        world.add(HOME, Role::Honest, true);
        world.add(HOME, Role::Corrupts, true);
        world.add(HOME, Role::Honest, false);
        world.introduce_all();
        world.until("it is done", 120, |world| world.is_done(2));
        world.check_content(2);
        let liar = world.id(1);
        let events = world.events(2);
        assert!(events.contains(&Event::Liar(liar)), "seed {seed}: {events:?}");
        assert_eq!(events.iter().filter(|event| matches!(event, Event::Liar(_))).count(), 1);
        assert_eq!(world.hangups(2), [(liar, HangupReason::WrongBytes)]);
    }
}

#[test]
fn who_sends_what_nobody_asked_for_is_cut() {
    let mut world = World::new(2, Content::file(2, 4 << 20));
    world.add(HOME, Role::Honest, true);
    world.add(HOME, Role::Pushes, true);
    world.add(HOME, Role::Honest, false);
    world.introduce_all();
    world.until("it is done", 120, |world| world.is_done(2));
    world.check_content(2);
    assert_eq!(world.hangups(2), [(world.id(1), HangupReason::BadFrame)]);
}

#[test]
fn a_neighbour_that_falls_silent_costs_seconds_and_not_the_share() {
    let mut world = World::new(4, Content::file(4, 8 << 20));
    world.add(HOME, Role::Honest, true);
    world.add(HOME, Role::Mute, true);
    world.add(HOME, Role::Honest, false);
    world.introduce_all();
    world.until("it is done", 30, |world| world.is_done(2));
    world.check_content(2);
}

/// A greeting that is lost would leave two who wait for each other for ever.
#[test]
fn a_neighbour_that_never_greets_is_hung_up() {
    let mut world = World::new(5, Content::file(5, 1 << 20));
    world.add(HOME, Role::Dumb, true);
    world.add(HOME, Role::Honest, false);
    world.introduce_all();
    world.until("it is hung up", 40, |world| !world.hangups(1).is_empty());
    assert_eq!(world.hangups(1), [(world.id(0), HangupReason::Silent)]);
}

#[test]
fn a_receiver_that_starts_over_fetches_only_what_it_lacks() {
    let mut world = meet(6, 1, Content::file(6, 16 << 20));
    world.until("half is here", 60, |world| world.percent(1) >= 50);
    let kept = world.blocks_of(1..=1);
    world.restart(1);
    world.introduce_all();
    world.until("it is done", 60, |world| world.is_done(1));
    world.check_content(1);
    let fetched = world.view(1).received_bytes;
    let lacking = u64::try_from(world.content().blocks() - kept).unwrap();
    assert!(fetched <= (lacking + 1) * (1 << 20), "{fetched} bytes for {lacking} blocks");
}

#[test]
fn what_is_under_way_is_bounded() {
    let mut world = World::new(7, Content::file(7, 64 << 20));
    for _ in 0..5 {
        world.add(Access::UNLIMITED, Role::Honest, true);
    }
    world.add(Access::UNLIMITED, Role::Honest, false);
    // Its disk is slow: what comes must wait at its senders.
    world.slow_store(5, 400);
    world.introduce_all();
    world.until("it is done", 900, |world| world.is_done(5));
    let most = world.most_coming(5);
    let bound = COMING_BYTES_MAX + 5 * 2 * (1 << 20);
    assert!(most <= bound, "{most} bytes were under way");
}

#[test]
fn a_full_disk_stops_and_room_goes_on() {
    let mut world = meet(8, 1, Content::file(8, 8 << 20));
    world.limit_store(1, 4);
    world.until("the store is full", 60, |world| world.view(1).full);
    world.run(5_000);
    let held = world.blocks_of(1..=1);
    assert!(held <= 5 && !world.is_done(1));
    world.limit_store(1, 1_000);
    world.give(1, Input::Pause(false));
    world.until("it is done", 60, |world| world.is_done(1));
    world.check_content(1);
}

#[test]
fn pausing_stops_the_bytes_and_going_on_ends_them() {
    let mut world = meet(9, 1, Content::file(9, 16 << 20));
    world.until("some is here", 60, |world| world.percent(1) >= 20);
    world.give(1, Input::Pause(true));
    world.run(3_000);
    let held = world.blocks_of(1..=1);
    world.run(10_000);
    assert_eq!(world.blocks_of(1..=1), held);
    world.give(1, Input::Pause(false));
    world.until("it is done", 60, |world| world.is_done(1));
}

#[test]
fn a_sender_gives_everybody_about_as_much() {
    for seed in 1..5 {
        let mut world = meet(seed, 4, Content::file(seed, 48 << 20));
        world.until("half is out", 600, |world| {
            (1..=4).map(|node| world.percent(node)).sum::<u64>() >= 4 * 50
        });
        let mut sent: Vec<u64> = world.view(0).peers.iter().map(|peer| peer.sent_bytes).collect();
        sent.sort_unstable();
        assert_eq!(sent.len(), 4);
        assert!(sent[0] * 2 >= sent[3], "seed {seed}: {sent:?}");
    }
}

#[test]
fn an_upload_limit_holds_and_none_sends_nothing() {
    let mut world = meet(10, 1, Content::file(10, 2 << 20));
    world.give(0, Input::Limit(Some(100_000)));
    world.run(10_000);
    let sent = world.view(0).sent_bytes;
    assert!((700_000..=1_200_000).contains(&sent), "{sent} bytes in 10 s at 100 kB/s");
    world.give(0, Input::Limit(Some(0)));
    world.run(2_000);
    let stopped = world.view(0).sent_bytes;
    world.run(10_000);
    assert_eq!(world.view(0).sent_bytes, stopped);
    world.give(0, Input::Limit(None));
    world.until("it is done", 60, |world| world.is_done(1));
}

#[test]
fn a_share_ends_when_it_was_said_to() {
    let mut world = World::new(11, Content::file(11, 32 << 20).ending_in(3));
    world.add(HOME, Role::Honest, true);
    world.add(HOME, Role::Honest, false);
    world.introduce_all();
    world.run(5_000);
    assert_eq!(world.view(1).stage, Stage::Failed(Failure::Ended));
    assert_eq!(world.view(0).stage, Stage::Failed(Failure::Ended));
    assert!(world.view(1).held_bytes > 0 && world.view(1).peers.is_empty());
}

#[test]
fn a_wrong_key_says_so() {
    let mut world = World::new(12, Content::file(12, 1 << 20));
    world.add(HOME, Role::Honest, true);
    world.add(HOME, Role::WrongKey, false);
    world.introduce_all();
    world.run(5_000);
    assert_eq!(world.view(1).stage, Stage::Failed(Failure::Key));
}

#[test]
fn the_same_seed_is_the_same_run() {
    assert_eq!(finish_ms(21, 3), finish_ms(21, 3));
}

/// Frames of a stranger, valid and not, in any order: nothing panics, and an honest share stands.
#[test]
fn any_frames_leave_a_share_standing() {
    for seed in 1..200 {
        let mut world = World::new(seed, Content::file(seed, 200_000));
        world.add(HOME, Role::Honest, true);
        world.add(HOME, Role::Babbles, true);
        world.add(HOME, Role::Honest, false);
        world.introduce_all();
        world.until("it is done", 60, |world| world.is_done(2));
        world.check_content(2);
    }
}

#[test]
fn a_public_share_arrives_without_a_manifest() {
    for content in
        [Content::file(21, 5 << 20), Content::file(22, 900), Content::folder(23, 60, 90_000)]
    {
        let mut world = meet(21, 2, content.into_public());
        world.until("both are done", 120, |world| (1..=2).all(|node| world.is_done(node)));
        world.check_content(1);
        world.check_content(2);
        assert!(world.view(1).public && !world.view(1).name.is_empty());
    }
}

/// The root of a file is read as it comes; the store may tell that it has it before it answers whether it
/// has it, and its links were never read then.
#[test]
fn a_public_share_arrives_whatever_a_store_says_first() {
    for (look_ms, store_ms) in [(500, 3), (1, 500), (500, 500)] {
        for content in [Content::file(24, 3 << 20), Content::folder(25, 20, 3 << 20)] {
            let mut world = meet(24, 1, content.into_public());
            world.look_slowly(look_ms);
            world.slow_store(1, store_ms);
            world.until("it is done", 240, |world| world.is_done(1));
            world.check_content(1);
        }
    }
}

#[test]
fn a_gateway_gives_what_no_peer_has() {
    for content in [Content::file(31, 9 << 20), Content::file(32, 3 << 20).into_public()] {
        let mut world = World::new(31, content);
        world.add(HOME, Role::Honest, false);
        world.give_gateway(0, Gateway::HasAll);
        world.until("it is done", 60, |world| world.is_done(0));
        world.check_content(0);
        assert_eq!(world.view(0).gateway, GatewayState::Gives);
        assert!(world.view(0).gateway_bytes >= world.view(0).total_bytes);
    }
}

#[test]
fn a_gateway_is_not_asked_for_what_a_peer_has() {
    // Both take longer than peers have before a gateway is asked.
    let mut world = meet(33, 1, Content::file(33, 48 << 20));
    world.give_gateway(1, Gateway::HasAll);
    world.until("it is done", 60, |world| world.is_done(1));
    assert_eq!(world.gateway_asked(), 0);
    // The sender leaves in the middle: the rest is the gateway's.
    let mut world = meet(34, 1, Content::file(34, 64 << 20));
    world.give_gateway(1, Gateway::HasAll);
    world.until("half is here", 60, |world| world.percent(1) >= 50);
    assert_eq!(world.gateway_asked(), 0);
    world.leave(0);
    world.until("it is done", 60, |world| world.is_done(1));
    world.check_content(1);
    assert!(world.view(1).gateway_bytes < world.view(1).total_bytes * 6 / 10);
}

#[test]
fn a_gateway_that_gives_nothing_or_lies_costs_little() {
    for (gateway, state, most) in [
        (Gateway::HasNothing, GatewayState::Lacks, 8),
        (Gateway::IsDown, GatewayState::Unreachable, 8),
        (Gateway::Lies, GatewayState::Lied, 1),
    ] {
        let mut world = World::new(35, Content::file(35, 2 << 20));
        world.add(HOME, Role::Honest, false);
        world.give_gateway(0, gateway);
        world.run(60_000);
        assert_eq!(world.view(0).gateway, state);
        assert!(world.gateway_asked() <= most, "{gateway:?}: {}", world.gateway_asked());
        world.add(HOME, Role::Honest, true);
        world.introduce_all();
        world.until("it is done by a peer", 60, |world| world.is_done(0));
        world.check_content(0);
    }
}

/// What the gateway of before still owes is neither waited for nor held against the one of now.
#[test]
fn a_gateway_in_the_place_of_one_that_hangs_is_asked_at_once() {
    let mut world = World::new(36, Content::file(36, 9 << 20));
    world.add(HOME, Role::Honest, false);
    world.give_gateway(0, Gateway::Hangs);
    world.run(5_000);
    assert!(world.gateway_asked() > 0);
    world.give_gateway(0, Gateway::HasAll);
    world.until("it is done", 15, |world| world.is_done(0));
    world.check_content(0);
    // The old one's answers come now.
    world.run(40_000);
    assert_eq!(world.view(0).gateway, GatewayState::Gives);
}

#[test]
fn what_somebody_looks_at_comes_first() {
    let mut world = meet(37, 1, Content::file(37, 64 << 20));
    world.until("it has begun", 60, |world| world.percent(1) >= 5);
    let entry = world.entries(1)[0].number;
    let at = 50 << 20;
    world.give(1, Input::Look { entry, from: at, bytes_per_s: 1_000_000 });
    let seconds_ahead = world.now().as_ms();
    world.until("what is looked at is here", 60, |world| world.has_bytes(1, at..at + (8 << 20)));
    assert!(world.percent(1) < 60, "{} %", world.percent(1));
    assert!(world.now().as_ms() - seconds_ahead < 9_000);
}

#[test]
fn what_somebody_waits_for_comes_unchosen_and_alone() {
    let mut world = World::new(41, Content::file(41, 32 << 20).into_public());
    world.add(HOME, Role::Honest, true);
    world.add(HOME, Role::Waits, false);
    // Before it is known that they are of this share.
    let leaves = [world.leaf(20), world.leaf(21)];
    world.give(1, Input::Wait(leaves.to_vec()));
    world.introduce_all();
    world.until("both are here", 60, |world| world.has_bytes(1, 20 << 20..22 << 20));
    world.run(5_000);
    assert_eq!((world.view(1).held_bytes, world.view(1).stage), (2 << 20, Stage::Offered));
    // Somebody else at the front: who came first gets his, and so does who came last.
    let far: Vec<_> = (22..30).map(|mib| world.leaf(mib)).collect();
    world.give(1, Input::Wait(far));
    let front = world.leaf(0);
    world.give(1, Input::Wait(vec![front]));
    world.until("all are here", 60, |world| {
        world.has_bytes(1, 0..1 << 20) && world.has_bytes(1, 20 << 20..30 << 20)
    });
    // The store tells of the last a moment later.
    world.run(1_000);
    assert_eq!(world.view(1).held_bytes, 11 << 20);
}
