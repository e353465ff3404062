//! `cargo xtask cluster`: several nodes of one host on this machine, joined by NATS, to try things on.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};

use crate::{children::Children, house::House, run, setup, web};

/// How long NATS may take to listen.
const NATS_WITHIN: Duration = Duration::from_secs(10);
/// How long the nodes may: the first makes the demo video before it listens, once.
const NODES_WITHIN: Duration = Duration::from_secs(300);

/// Options of `cluster`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many nodes
    #[arg(default_value_t = 3)]
    nodes: u16,
    /// The first node's port; each next one's is one more
    #[arg(long, default_value_t = 8791)]
    port: u16,
    /// Port of NATS
    #[arg(long, default_value_t = 4222)]
    nats_port: u16,
    /// Where settings and keys lie
    #[arg(long, value_name = "DIR", default_value = "data/cluster")]
    out: PathBuf,
}

/// Builds, starts NATS and all nodes, and runs until one ends or a person stops it.
pub(crate) fn cluster(house: &House, args: &Args) -> Result<()> {
    ensure!(args.nodes > 0, "a cluster needs a node");
    setup::for_cluster(house)?;
    web::build(house, web::Mode::Release)?;
    run::quick_server(house)?;
    let mut children = Children::default();
    let mut nats = house.command("nats-server");
    nats.args(["--addr", "127.0.0.1", "--port", &args.nats_port.to_string()]);
    children.start("nats-server", &mut nats)?;
    children.wait_until_listening([args.nats_port], NATS_WITHIN)?;
    for index in 0..args.nodes {
        let mut node = node(house, args, index)?;
        children.start(format!("node {}", index + 1), node.env("RUST_LOG", "warn"))?;
        // One after the other: the first makes the video that all serve.
        children.wait_until_listening([args.port + index], NODES_WITHIN)?;
    }
    announce(args);
    children.wait()
}

/// A node with settings of its own and the video of the first.
fn node(house: &House, args: &Args, index: u16) -> Result<Command> {
    let out = house.root.join(&args.out);
    let data = out.join(format!("node-{}", index + 1));
    fs::create_dir_all(&data).with_context(|| data.display().to_string())?;
    let settings = data.join("starling.toml");
    let text = format!(
        "# Written anew by `cargo xtask cluster`.\nlisten = [\"127.0.0.1:{}\"]\n\n\
         [signaling.admin]\ntoken = \"{TOKEN}\"\n\n\
         [bus]\nnats = \"nats://127.0.0.1:{}\"\nname = \"node {}\"\n",
        args.port + index,
        args.nats_port,
        index + 1
    );
    fs::write(&settings, text).with_context(|| settings.display().to_string())?;
    let mut command = house.command(house.tested_starling());
    command.arg("serve").arg("--config").arg(settings).arg("--data").arg(data);
    if index > 0 {
        command.arg("--media").arg(out.join("node-1/demo"));
    }
    Ok(command)
}

/// The host's token on every node: they are reached from this machine only.
const TOKEN: &str = "cluster-of-this-machine";

fn announce(args: &Args) {
    println!("\n  NATS at nats://127.0.0.1:{}, and {} nodes:", args.nats_port, args.nodes);
    for port in (args.port..).take(args.nodes.into()) {
        println!("    http://127.0.0.1:{port}/");
    }
    println!(
        "\n  Open two of them: who watches on one meets who watches on the other.\n  \
         The host's page is http://127.0.0.1:{}/host, the token {TOKEN}. Ctrl-C stops all.\n",
        args.port
    );
}
