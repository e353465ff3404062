//! The signaling server and the tracker alone, without pages: `alone ADDRESS [SETTINGS.toml [NATS]]`, the last
//! the address of a NATS server, of whose nodes it is one. What the bench measures when the whole binary is not
//! built. Prints the address it listens on; asked to end, it says goodbye to everybody first.
#![allow(clippy::print_stdout, reason = "the address is its only output")]

use std::error::Error;
use std::net::SocketAddr;

use primitives::{KeyPair, Seed};
use signaling_server::{BusConfig, Config, State, app, bus};
use tokio::net::TcpSocket;
use tokio::signal::unix::{SignalKind, signal};

/// Most connections that wait to be taken.
const BACKLOG: u32 = 4096;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let address: SocketAddr = words.next().ok_or("expected an address: 127.0.0.1:0")?.parse()?;
    let config: Config = match words.next() {
        Some(file) => toml::from_str(&std::fs::read_to_string(file)?)?,
        None => Config::default(),
    };
    let nats = words.next().unwrap_or_default();
    let bus = bus::open(&BusConfig { nats, ..BusConfig::default() })?;
    let key = KeyPair::from_seed(Seed::from_number(1));
    let state = State::on_bus(config, key, Vec::new(), "", bus)?;
    let socket = TcpSocket::new_v4()?;
    // The port of one that just ended.
    socket.set_reuseaddr(true)?;
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    println!("{}", listener.local_addr()?);
    let service = app(state.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let mut asked = signal(SignalKind::terminate())?;
    tokio::select! {
        served = async { axum::serve(listener, service).await } => served?,
        _ = asked.recv() => state.shutdown("restart").await,
    }
    Ok(())
}
