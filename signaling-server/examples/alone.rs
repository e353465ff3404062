//! The signaling server and the tracker alone, without pages: `alone ADDRESS [SETTINGS.toml]`. What the
//! bench measures when the whole binary is not built. Prints the address it listens on.
#![allow(clippy::print_stdout, reason = "the address is its only output")]

use std::error::Error;
use std::net::SocketAddr;

use primitives::{KeyPair, Seed};
use signaling_server::{Config, State, app};
use tokio::net::TcpSocket;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let address: SocketAddr = words.next().ok_or("expected an address: 127.0.0.1:0")?.parse()?;
    let config: Config = match words.next() {
        Some(file) => toml::from_str(&std::fs::read_to_string(file)?)?,
        None => Config::default(),
    };
    let state = State::new(config, KeyPair::from_seed(Seed::from_number(1)), Vec::new())?;
    let socket = TcpSocket::new_v4()?;
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    let listener = socket.listen(1024)?;
    println!("{}", listener.local_addr()?);
    let service = app(state).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await?;
    Ok(())
}
