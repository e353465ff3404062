//! What a share brings in time: what somebody reads as it comes waits for nothing that is not due, is asked
//! of a second neighbour, and of the gateway, where one is slow or silent, and costs a bounded number of bytes
//! twice; the last blocks do not wait for the slowest neighbour; a sender sends little more than once; shares
//! of one machine send as much as each other.

use files::{
    Division, Input,
    config::{HEDGES_MAX, WASTE_FREE_BYTES, WASTE_PART},
    view::Stage,
};
use netsim::Access;

use crate::{
    HOME, meet,
    sharing_world::{Content, Gateway, Role, World},
};

const MIB: u64 = 1 << 20;

/// Reads so many mebibytes of the file from a byte on, at a pace; how long each was waited for, in ms.
fn read(world: &mut World, node: usize, from: u64, mib: u64, bytes_per_s: u64) -> Vec<u64> {
    let mut waits = Vec::new();
    for number in 0..mib {
        let (at, began) = (from + number * MIB, world.now());
        let entry = world.entries(node)[0].number;
        loop {
            world.give(node, Input::Look { entry, from: at, bytes_per_s });
            if world.has_bytes(node, at..at + MIB) {
                break;
            }
            world.run(50);
            assert!(world.now().since(began).as_secs() < 60, "{at} never comes: {waits:?}");
        }
        waits.push(u64::try_from(world.now().since(began).as_millis()).unwrap());
        world.run(MIB * 1_000 / bytes_per_s);
    }
    waits
}

/// 1 MB/s, and a sender that everybody asks for as much as it can give.
const SLOW: Access = Access::home(8_000_000, 100_000_000);
/// 50 kB/s: a block takes 21 s.
const SLOWEST: Access = Access::home(400_000, 100_000_000);

#[test]
fn a_reader_never_waits_behind_what_is_not_due() {
    for seed in 1..4 {
        let mut world = World::new(seed, Content::file(seed, 40 << 20));
        world.add(SLOW, Role::Honest, true);
        world.add(HOME, Role::Honest, false);
        world.introduce_all();
        world.until("it has begun", 60, |world| world.percent(1) >= 5);
        let waits = read(&mut world, 1, 25 * MIB, 8, 400_000);
        // A block takes a second; what lies in the transport, half of one. Four blocks were asked before.
        assert!(waits[0] <= 2_300, "seed {seed}: {waits:?}");
        assert!(waits[1..].iter().all(|wait| *wait <= 500), "seed {seed}: {waits:?}");
        assert!(world.percent(1) > 40, "the rest goes on: {} %", world.percent(1));
        world.until("it is done", 60, |world| world.is_done(1));
        world.check_content(1);
    }
}

/// Who has what a reader needs, and is slow or silent, costs it a moment and not the picture.
#[test]
fn a_due_block_is_asked_of_a_second_neighbour_when_the_first_is_late() {
    for (seed, access, role) in
        [(1, SLOWEST, Role::Honest), (2, SLOWEST, Role::Honest), (3, HOME, Role::Mute)]
    {
        let mut world = World::new(seed, Content::file(seed, 48 << 20));
        world.add(access, role, true);
        world.add(HOME, Role::Honest, true);
        world.add(HOME, Role::Honest, false);
        world.introduce_all();
        world.until("it is open", 60, |world| world.view(2).stage == Stage::Fetching);
        let waits = read(&mut world, 2, 0, 12, 1_500_000);
        assert!(waits.iter().all(|wait| *wait <= 2_500), "seed {seed}: {waits:?}");
        let late = waits.iter().filter(|wait| **wait > 200).count();
        assert!(late <= 3, "seed {seed}: {waits:?}");
    }
}

#[test]
fn what_is_fetched_twice_is_bounded() {
    for seed in 1..4 {
        let mut world = World::new(seed, Content::file(seed, 40 << 20));
        for number in 0..6 {
            let up = 400_000 + number * 600_000;
            world.add(Access::home(up, 100_000_000), Role::Honest, true);
        }
        world.add(HOME, Role::Honest, false);
        world.introduce_all();
        world.until("it is open", 60, |world| world.view(6).stage == Stage::Fetching);
        read(&mut world, 6, 10 * MIB, 10, 1_000_000);
        world.until("it is done", 240, |world| world.is_done(6));
        world.check_content(6);
        let view = world.view(6);
        let hedges = u64::try_from(HEDGES_MAX).unwrap() * (MIB + 42);
        // What lay in six transports when it was taken back besides.
        let bound = view.received_bytes / WASTE_PART + WASTE_FREE_BYTES + hedges + 6 * (256 << 10);
        assert!(view.wasted_bytes <= bound, "seed {seed}: {} of {bound}", view.wasted_bytes);
    }
}

/// The gateway is for what no neighbour brings in time, while its neighbours have all.
#[test]
fn a_due_block_comes_from_the_gateway_when_every_neighbour_is_late() {
    let mut world = World::new(41, Content::file(41, 24 << 20));
    world.add(SLOWEST, Role::Honest, true);
    world.add(HOME, Role::Honest, false);
    world.give_gateway(1, Gateway::HasAll);
    world.introduce_all();
    world.run(5_000);
    let waits = read(&mut world, 1, 12 * MIB, 6, 1_000_000);
    assert!(waits.iter().all(|wait| *wait <= 3_000), "{waits:?}");
    assert!(world.gateway_asked() >= 5 && world.view(1).gateway_bytes >= 5 * MIB);
}

#[test]
fn the_last_blocks_do_not_wait_for_the_slowest() {
    for seed in 1..4 {
        let mut world = World::new(seed, Content::file(seed, 40 << 20));
        world.add(SLOWEST, Role::Honest, true);
        world.add(HOME, Role::Honest, true);
        world.add(HOME, Role::Honest, false);
        world.introduce_all();
        world.until("it is done", 60, |world| world.is_done(2));
        // 40 MiB at 40 Mbit/s are 8.4 s; one block of the slow one is 21 s.
        assert!(world.now().as_ms() < 11_000, "seed {seed}: {}", world.now().as_ms());
        world.check_content(2);
    }
}

#[test]
fn a_sender_of_four_sends_little_more_than_once() {
    for seed in 1..4 {
        let mut world = meet(seed, 4, Content::file(seed, 48 << 20));
        world.until("all are done", 120, |world| (1..=4).all(|node| world.is_done(node)));
        let (sent, size) = (world.view(0).sent_bytes, world.view(0).total_bytes);
        assert!(sent * 10 <= size * 13, "seed {seed}: {sent} of {size} bytes");
    }
}

/// One share with four receivers beside one with one, on one line: connections would share it four to one.
#[test]
fn shares_of_one_machine_send_as_much_as_each_other_with_a_limit_and_without() {
    for limit in [None, Some(1_000_000)] {
        let mut world = World::new(51, Content::file(51, 48 << 20));
        world.add(Access::home(16_000_000, 100_000_000), Role::Honest, true);
        world.add_beside(0, Role::Honest, true);
        for receiver in 2..7 {
            world.add(HOME, Role::Honest, false);
            world.introduce(receiver, usize::from(receiver == 6));
        }
        let mut division = Division::default();
        let mut seconds = |world: &mut World, count| {
            let before = [world.view(0).sent_bytes, world.view(1).sent_bytes];
            for _ in 0..count {
                world.run(1_000);
                world.divide(&mut division, limit, 0..=1);
            }
            [world.view(0).sent_bytes - before[0], world.view(1).sent_bytes - before[1]]
        };
        seconds(&mut world, 6);
        let [many, one] = seconds(&mut world, 12);
        let all = limit.unwrap_or(1_900_000) * 12;
        assert!((many + one) * 10 >= all * 9, "{limit:?}: the line is used: {many} {one}");
        assert!(one * 10 >= many * 8 && many * 10 >= one * 8, "{limit:?}: {many} {one}");
        // What the one no longer sends is for the other.
        world.leave(6);
        seconds(&mut world, 2);
        let [many, one] = seconds(&mut world, 6);
        assert!(many * 20 >= all * 9 && one < MIB, "{limit:?}: {many} {one}");
    }
}
