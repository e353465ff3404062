//! What a link costs, who shares it, what a cut and a crash look like, and that a seed replays.

use std::{collections::BTreeMap, time::Duration};

use primitives::{Seed, Time};

use super::{Happening, Network, OFFLINE};
use crate::{
    flow::Lane,
    host::{Access, HostId},
    http::{Fault, FaultKind, Get, HttpServer},
    path::Path,
};

type Net = Network<u32>;

const LATENCY: Duration = Duration::from_millis(20);
const MESSAGE_BYTES: usize = 16_384;

/// 5 Mbit/s up, 20 down, without a modem's queue, so that rates show at once.
const HOME: Access = Access {
    up_bits_per_s: 5_000_000,
    down_bits_per_s: 20_000_000,
    up_queue: Duration::from_millis(1),
};

fn bare(latency: Duration) -> Path {
    Path { header_bytes: 0, ..Path::data_channel(latency) }
}

fn network() -> Net {
    Network::new(Seed::from_number(1))
}

/// Works off everything and returns it with its times.
fn run(net: &mut Net) -> Vec<(Time, Happening<u32>)> {
    net.by_ref().collect()
}

/// Payload bytes by (sender, receiver) that arrived until `until`.
fn received(log: &[(Time, Happening<u32>)], until: Time) -> BTreeMap<(u32, u32), usize> {
    let mut bytes_by_pair = BTreeMap::new();
    for (at, happening) in log {
        if let Happening::Message { to, from, bytes, .. } = happening
            && *at <= until
        {
            *bytes_by_pair.entry((from.0, to.0)).or_default() += bytes.len();
        }
    }
    bytes_by_pair
}

fn send_payload(net: &mut Net, from: HostId, to: HostId, count: usize) {
    for _ in 0..count {
        assert!(net.send(from, to, Lane::Payload, vec![0; MESSAGE_BYTES]));
    }
}

#[test]
fn one_message_takes_latency_and_both_links() {
    let mut net = network();
    let (a, b) = (net.add_host(HOME), net.add_host(HOME));
    net.connect(a, b, bare(LATENCY));
    net.send(a, b, Lane::Payload, vec![0; 1000]);
    let log = run(&mut net);
    // 1000 bytes: 1.6 ms up, 20 ms on the way, 0.4 ms down.
    assert!(matches!(log[0], (Time::ZERO, Happening::Sent { bytes: 1000, .. })));
    assert_eq!(log[1].0, Time::from_us(22_000));
}

#[test]
fn the_uplink_is_the_bottleneck_and_is_shared_fairly() {
    let mut net = network();
    let sender = net.add_host(HOME);
    let receivers: Vec<HostId> = (0..4).map(|_| net.add_host(HOME)).collect();
    for receiver in &receivers {
        net.connect(sender, *receiver, bare(LATENCY));
        send_payload(&mut net, sender, *receiver, 200);
    }
    let log = run(&mut net);
    let until = Time::from_ms(5_000);
    let bytes_by_pair = received(&log, until);
    let total: usize = bytes_by_pair.values().sum();
    let possible = 5 * 5_000_000 / 8;
    assert!(total <= possible && total > possible * 97 / 100, "{total} of {possible}");
    let (least, most) = (bytes_by_pair.values().min(), bytes_by_pair.values().max());
    assert!(most.unwrap() - least.unwrap() <= 2 * MESSAGE_BYTES, "{bytes_by_pair:?}");
}

#[test]
fn the_downlink_caps_what_many_senders_give() {
    let mut net = network();
    let receiver = net.add_host(HOME);
    for _ in 0..8 {
        let sender = net.add_host(HOME);
        net.connect(sender, receiver, bare(LATENCY));
        send_payload(&mut net, sender, receiver, 400);
    }
    let log = run(&mut net);
    let total: usize = received(&log, Time::from_ms(5_000)).values().sum();
    let possible = 5 * 20_000_000 / 8;
    assert!(total <= possible && total > possible * 97 / 100, "{total} of {possible}");
}

#[test]
fn the_window_caps_a_long_path() {
    let mut net = network();
    let (a, b) = (net.add_host(Access::UNLIMITED), net.add_host(Access::UNLIMITED));
    net.connect(a, b, bare(Duration::from_millis(50)));
    send_payload(&mut net, a, b, 2_000);
    let log = run(&mut net);
    let total: usize = received(&log, Time::from_ms(5_000)).values().sum();
    // 128 KiB (and one message that straddles the window) per 100 ms, less the slow start.
    let most = 50 * (128 * 1024 + MESSAGE_BYTES);
    assert!(total <= most && total > most * 85 / 100, "{total} of {most}");
}

#[test]
fn control_overtakes_payload_in_the_buffer_but_not_on_the_wire() {
    let mut net = network();
    let (a, b) = (net.add_host(HOME), net.add_host(HOME));
    net.connect(a, b, bare(LATENCY));
    send_payload(&mut net, a, b, 20);
    net.send(a, b, Lane::Control, vec![1]);
    let log = run(&mut net);
    let mut lanes = log.iter().filter_map(|(_, happening)| match happening {
        Happening::Message { lane, .. } => Some(*lane),
        _ => None,
    });
    let place = lanes.position(|lane| lane == Lane::Control);
    assert!((1..=2).contains(&place.unwrap()), "{place:?}");
}

#[test]
fn a_modem_queue_delays_what_comes_later() {
    let mut net = network();
    let (a, b) = (net.add_host(Access::home(5_000_000, 20_000_000)), net.add_host(HOME));
    let c = net.add_host(HOME);
    net.connect(a, b, Path { window_bytes: 1 << 20, ..bare(LATENCY) });
    net.connect(a, c, bare(LATENCY));
    send_payload(&mut net, a, b, 200);
    net.set_timer(Time::from_ms(3_000), 0);
    let mut asked = Time::ZERO;
    loop {
        match net.next() {
            Some((now, Happening::Timer(_))) => {
                asked = now;
                net.send(a, c, Lane::Control, vec![1]);
            }
            Some((now, Happening::Message { to, .. })) if to == c => {
                let waited_ms = now.since(asked).as_millis();
                assert!((200..260).contains(&waited_ms), "{waited_ms}");
                return;
            }
            Some(_) => {}
            None => panic!("the control message never came"),
        }
    }
}

#[test]
fn order_is_kept_through_jitter_and_loss() {
    let mut net = network();
    let (a, b) = (net.add_host(HOME), net.add_host(HOME));
    net.connect(a, b, bare(LATENCY).with_trouble(Duration::from_millis(30), 20_000));
    for number in 0..200_u8 {
        net.send(a, b, Lane::Payload, vec![number; 1000]);
    }
    let log = run(&mut net);
    let order: Vec<u8> = log
        .iter()
        .filter_map(|(_, happening)| match happening {
            Happening::Message { bytes, .. } => bytes.first().copied(),
            _ => None,
        })
        .collect();
    assert_eq!(order, (0..200).collect::<Vec<u8>>());
}

#[test]
fn loss_costs_throughput() {
    let rate = |loss_ppm| {
        let mut net = network();
        let (a, b) = (net.add_host(Access::UNLIMITED), net.add_host(Access::UNLIMITED));
        net.connect(a, b, bare(LATENCY).with_trouble(Duration::ZERO, loss_ppm));
        send_payload(&mut net, a, b, 2_000);
        let log = run(&mut net);
        received(&log, Time::from_ms(3_000)).values().sum::<usize>()
    };
    assert!(rate(10_000) * 3 < rate(0));
}

#[test]
fn a_short_cut_delays_and_a_long_one_closes() {
    for (cut_s, survives) in [(5, true), (20, false)] {
        let mut net = network();
        let (a, b) = (net.add_host(HOME), net.add_host(HOME));
        net.connect(a, b, bare(LATENCY));
        net.send(a, b, Lane::Control, vec![1]);
        net.set_side(a, 1);
        net.set_timer(Time::from_ms(cut_s * 1000), 0);
        let mut arrived_at = None;
        let mut closed = Vec::new();
        while let Some((now, happening)) = net.next() {
            match happening {
                Happening::Timer(_) => net.set_side(a, 0),
                Happening::Message { .. } => arrived_at = Some(now),
                Happening::Closed { host, .. } => closed.push(host),
                _ => {}
            }
        }
        assert_eq!(arrived_at.is_some(), survives, "after {cut_s} s");
        assert_eq!(closed.is_empty(), survives, "after {cut_s} s");
        if let Some(at) = arrived_at {
            assert!(at >= Time::from_ms(cut_s * 1000));
        }
    }
}

#[test]
fn neighbours_of_a_dead_host_learn_it_late() {
    let mut net = network();
    let (a, b) = (net.add_host(HOME), net.add_host(HOME));
    net.connect(a, b, bare(LATENCY));
    net.remove_host(a, Duration::from_secs(5));
    net.send(b, a, Lane::Payload, vec![0; 10]);
    let log = run(&mut net);
    assert!(matches!(
        log.last(),
        Some((at, Happening::Closed { host, peer }))
            if *at == Time::from_ms(5_020) && *host == b && *peer == a
    ));
    assert!(!net.is_connected(b, a) && !net.connect(a, b, bare(LATENCY)));
}

fn web(server: HttpServer, up_bits_per_s: u64, clients: u32) -> (Net, HostId) {
    let mut net = network();
    let access = Access { up_bits_per_s, ..Access::UNLIMITED };
    let origin = net.add_server(access, server);
    for _ in 0..clients {
        let client = net.add_host(HOME);
        net.open_http(client, origin, Path { header_bytes: 0, ..Path::https(LATENCY) });
    }
    (net, origin)
}

const fn whole(number: u64, bytes: u32) -> Get {
    Get { number, from: 0, to: bytes, exists_at: Time::ZERO }
}

#[test]
fn a_server_is_shared_by_its_clients_and_paces_each() {
    let ends = |clients: u32, rate| {
        let (mut net, origin) = web(HttpServer::new(Duration::ZERO, rate), 16_000_000, clients);
        for client in 1..=clients {
            net.get(HostId(client), origin, whole(7, 1_000_000));
        }
        let log = run(&mut net);
        let ends: Vec<u64> = log
            .iter()
            .filter_map(|(at, happening)| match happening {
                Happening::Chunk { last: true, to: 1_000_000, .. } => Some(at.as_ms()),
                _ => None,
            })
            .collect();
        assert_eq!(ends.len(), usize::try_from(clients).unwrap());
        (ends[0], *ends.last().unwrap())
    };
    // One client alone: 16 Mbit/s. Eight together: an eighth each. Paced: 4 Mbit/s each.
    let (_, alone) = ends(1, None);
    assert!((500..750).contains(&alone), "{alone}");
    let (first, last) = ends(8, None);
    assert!(first > 3_500 && (4_000..4_300).contains(&last), "{first} {last}");
    let (_, paced) = ends(2, Some(4_000_000));
    assert!((2_000..2_200).contains(&paced), "{paced}");
}

#[test]
fn a_taken_back_request_stops_the_server() {
    let (mut net, origin) = web(HttpServer::new(Duration::ZERO, None), 8_000_000, 1);
    let client = HostId(1);
    net.get(client, origin, whole(1, 1_000_000));
    net.set_timer(Time::from_ms(300), 0);
    while let Some((_, happening)) = net.next() {
        match happening {
            Happening::Timer(_) => net.abort(client, 1),
            Happening::Chunk { .. } => assert!(net.now() <= Time::from_ms(300)),
            _ => {}
        }
    }
    let up_bytes = net.traffic(origin).up_bytes;
    assert!((200_000..400_000).contains(&up_bytes), "{up_bytes}");
}

#[test]
fn faults_hit_in_their_time() {
    let fault = |kind, from_ms, until_ms| Fault {
        from: Time::from_ms(from_ms),
        until: Time::from_ms(until_ms),
        kind,
        permille: 1000,
    };
    let mut server = HttpServer::new(Duration::ZERO, None);
    server.faults = vec![
        fault(FaultKind::Status(503), 0, 1_000),
        fault(FaultKind::Break, 1_000, 2_000),
        fault(FaultKind::Silence, 2_000, 3_000),
    ];
    let (mut net, origin) = web(server, 80_000_000, 1);
    let client = HostId(1);
    for (number, at_ms) in [(0, 10), (1, 1_010), (2, 2_010), (3, 3_010)] {
        net.set_timer(Time::from_ms(at_ms), number);
    }
    let mut bytes = BTreeMap::<u64, u32>::new();
    let mut failed = Vec::new();
    while let Some((_, happening)) = net.next() {
        match happening {
            Happening::Timer(number) => {
                net.get(client, origin, whole(u64::from(number), 100_000));
            }
            Happening::Chunk { number, from, to, .. } => {
                *bytes.entry(number).or_default() += to - from;
            }
            Happening::GetFailed { number, status, .. } => failed.push((number, status)),
            _ => {}
        }
    }
    assert_eq!(failed, [(0, 503), (1, 0)]);
    assert!((50_000..100_000).contains(&bytes[&1]));
    assert_eq!(bytes.get(&2), None);
    assert_eq!(bytes[&3], 100_000);
}

#[test]
fn a_live_file_is_404_before_it_exists() {
    let (mut net, origin) = web(HttpServer::new(Duration::ZERO, None), 80_000_000, 1);
    let get = Get { exists_at: Time::from_ms(1_000), ..whole(1, 10) };
    net.get(HostId(1), origin, get);
    assert!(
        run(&mut net).iter().any(|(_, happening)| {
            matches!(happening, Happening::GetFailed { status: 404, .. })
        })
    );
}

#[test]
fn requests_fail_offline_and_work_again_after() {
    let (mut net, origin) = web(HttpServer::new(Duration::ZERO, None), 8_000_000, 1);
    let client = HostId(1);
    net.get(client, origin, whole(1, 1_000_000));
    net.set_side(client, OFFLINE);
    net.get(client, origin, whole(2, 10));
    net.set_timer(Time::from_ms(30_000), 0);
    let mut ends = Vec::new();
    while let Some((_, happening)) = net.next() {
        match happening {
            Happening::Timer(_) => {
                net.set_side(client, 0);
                net.get(client, origin, whole(3, 10));
            }
            Happening::Chunk { number, .. } => ends.push((number, true)),
            Happening::GetFailed { number, .. } => ends.push((number, false)),
            _ => {}
        }
    }
    assert_eq!(ends, [(2, false), (1, false), (3, true)]);
}

#[test]
fn a_seed_replays_and_another_differs() {
    let trace = |seed| {
        let mut net: Net = Network::new(Seed::from_number(seed));
        let hosts: Vec<HostId> = (0..6).map(|_| net.add_host(HOME)).collect();
        for (a, b) in [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)] {
            let path = bare(LATENCY).with_trouble(Duration::from_millis(5), 5_000);
            net.connect(hosts[a], hosts[b], path);
            send_payload(&mut net, hosts[a], hosts[b], 30);
        }
        run(&mut net)
    };
    assert_eq!(trace(3), trace(3));
    assert_ne!(trace(3), trace(4));
}
