//! One line of a server's `/metrics`.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The value of a line.
pub(crate) async fn metric(address: SocketAddr, line: &str) -> Result<f64> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    let found = text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
    Ok(found.with_context(|| format!("{line} is not told"))?.parse()?)
}
