//! The relay alone, for the bench: `relay-alone SECRET`. It listens by UDP on a free port of the
//! loopback interface, reaches peers there, and bounds nobody. Prints its address.
#![allow(clippy::print_stdout, reason = "the address is its only output")]

use std::error::Error;
use std::future::pending;

use relay::{Config, Server, Transport};

/// Above the ports that the system gives by itself, of which the peers of the load are.
const PORT_MIN: u16 = 61_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = std::env::args().nth(1).ok_or("expected a secret of 16 bytes and more")?;
    let config = Config {
        listen: vec!["127.0.0.1:0".parse()?],
        secrets: vec![secret],
        port_min: PORT_MIN,
        allow_loopback_peers: true,
        user_allocations_max: 1_000,
        user_bytes_max: 0,
        user_bits_per_s: 0,
        ..Config::default()
    };
    let server = Server::bind(&config)?;
    let addresses = server.addresses();
    let found = addresses.iter().find(|(transport, _)| *transport == Transport::Udp);
    println!("{}", found.ok_or("no address")?.1);
    server.run(pending()).await;
    Ok(())
}
