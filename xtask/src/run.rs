//! `cargo xtask run`: from nothing to a page that plays.

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    house::{self, House},
    say, setup, web,
};

/// Options of `run`.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    args: Args,
    /// Build the server as it ships: thrice the wait, for a server that others shall use
    #[arg(long)]
    release: bool,
}

/// Options of `run` and `dev`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Port on the loopback interface
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Open the page in the desktop's browser
    #[arg(long)]
    open: bool,
    /// More arguments for `starling serve`, after `--`
    #[arg(last = true)]
    serve: Vec<String>,
}

impl Args {
    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The server with these options.
    pub(crate) fn serve(&self, house: &House, binary: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut serve = house.command(binary);
        serve.args(["serve", "--listen", &self.address(), "--data"]).arg(house.root.join("data"));
        // Whatever somebody pastes here is shared with whoever opens their link.
        serve.args(["--witness", "*"]).args(&self.serve);
        serve
    }

    /// Fails early, with the remedy, when somebody else listens there.
    pub(crate) fn check_port(&self) -> Result<()> {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).err();
        taken.map_or(Ok(()), |error| {
            Err(error).with_context(|| {
                format!("port {} can't be had: choose another by --port", self.port)
            })
        })
    }

    /// Waits until `server` listens, then says where, and opens the page if asked to.
    pub(crate) fn announce(&self, house: &House, server: &mut Child) -> Result<()> {
        wait_until_listening(&self.address(), server)?;
        let url = format!("http://{}/", self.address());
        println!("\n  {url}  ← open it in two browsers\n");
        if self.open && !house::succeeds(house.command("xdg-open").arg(&url)) {
            say::note("no desktop browser could be opened: open the address by hand");
        }
        Ok(())
    }
}

/// The first start makes the demo video before it listens.
const LISTENING_WITHIN: Duration = Duration::from_secs(300);

fn wait_until_listening(address: &str, server: &mut Child) -> Result<()> {
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        if let Some(status) = server.try_wait().context("asking after the server")? {
            bail!("the server ended with {status}; what it said stands above");
        }
        if start.elapsed() > LISTENING_WITHIN {
            bail!(
                "the server does not listen on {address} after {}",
                say::duration(LISTENING_WITHIN)
            );
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Sets up, builds and serves until stopped.
pub(crate) fn run(house: &House, RunArgs { args, release }: &RunArgs) -> Result<()> {
    let start = Instant::now();
    args.check_port()?;
    setup::for_run(house)?;
    let binary = if *release {
        web::build(house, web::Mode::Release)?;
        server(house)?;
        house.starling()
    } else {
        both(house)?;
        house.tested_starling()
    };
    let mut serve = args.serve(house, binary);
    say::step("starling", &format!("ready to start after {}", say::duration(start.elapsed())));
    let mut server = serve.spawn().context("starting starling")?;
    args.announce(house, &mut server)?;
    let status = server.wait().context("waiting for starling")?;
    if !status.success() {
        bail!("starling ended with {status}");
    }
    Ok(())
}

/// Builds the bundle and the quick binary side by side: the optimisers of the bundle use one processor for
/// minutes, and cargo's outputs for browsers and for this machine have locks of their own.
fn both(house: &House) -> Result<()> {
    thread::scope(|scope| {
        let quick = scope.spawn(|| quick_server(house));
        web::build(house, web::Mode::Release)?;
        quick.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Builds the release binary with the bundle in it; cargo knows whether anything changed.
pub(crate) fn server(house: &House) -> Result<()> {
    say::timed("starling", "the one binary, with the web bundle in it", || {
        house::run(&mut house.cargo(["build", "--quiet", "--release", "--package", "starling"]))
    })
}

/// Builds the binary that tests run: hashes and signatures optimised, the rest not. It reads the bundle from
/// its folder. Whoever tries Starling waits a third as long for it; pages are the same.
pub(crate) fn quick_server(house: &House) -> Result<()> {
    say::timed("starling", "the one binary, quickly built", || {
        house::run(&mut house.cargo(["build", "--quiet", "--package", "starling"]))
    })
}
