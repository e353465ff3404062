//! `starling keys ceremony`: each step says what comes next.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ledger::AccountId;
use ledger_node::ceremony::{self, Outcome, Overview, Purpose};
use ledger_node::{Network, Plan};

use super::super::{Problem, now_ms};
use super::UNITS;

/// Options of `starling keys ceremony`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, clap::Subcommand)]
enum Step {
    /// First, each one who will be a validator: make your keys, and say them to the others
    Join {
        /// The folder of the files that are handed round
        folder: PathBuf,
        /// A new folder of your own, which nobody else may see
        #[arg(long, value_name = "DIR")]
        home: PathBuf,
        /// What the others call you: letters a to z, digits, hyphens
        #[arg(long)]
        name: String,
        /// Where your validator will listen for the others, such as 192.0.2.1:4100
        #[arg(long)]
        address: SocketAddr,
    },
    /// Then one of you: say who takes part
    Begin(Begin),
    /// Say who takes part in a ceremony
    Show {
        /// The folder of the files that are handed round
        folder: PathBuf,
    },
    /// Deal to the others. In a resharing: those who are validators now
    Deal(Files),
    /// Say whose dealings you have, and keep them
    Ack(Files),
    /// Say your last word as a dealer, when everybody has your dealing
    Seal {
        #[command(flatten)]
        files: Files,
        /// Who never answered, by name: their share of your dealing is made public
        #[arg(long, value_name = "NAME")]
        reveal: Vec<String>,
    },
    /// Take your share, and the network's file
    Take {
        #[command(flatten)]
        files: Files,
        /// Whose last word never came, by name. All of you must leave out the same
        #[arg(long, value_name = "NAME")]
        without: Vec<String>,
    },
    /// Make the network's file without a share: for validators who are replaced, and for hosts
    Finish {
        /// The folder of the files that are handed round
        folder: PathBuf,
        /// A folder for `network.toml`
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// As with `take`
        #[arg(long, value_name = "NAME")]
        without: Vec<String>,
    },
}

/// Whose step it is.
#[derive(Debug, clap::Args)]
struct Files {
    /// The folder of the files that are handed round
    folder: PathBuf,
    /// Your own folder: of `join`, or of your validator that runs
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
}

/// Who takes part, and in what.
#[derive(Debug, clap::Args)]
struct Begin {
    /// The folder of the files that are handed round, with the `join` files of all players
    folder: PathBuf,
    /// Who gets a share, by name
    #[arg(long, value_delimiter = ',', required = true, value_name = "NAME,NAME…")]
    players: Vec<String>,
    /// A new network: the account that holds all its units at first
    #[arg(long, required_unless_present = "network", conflicts_with = "network")]
    owner: Option<AccountId>,
    /// A new network: what people call it
    #[arg(long, default_value = "ledger")]
    called: String,
    /// The file of the network whose validators are replaced
    #[arg(long, value_name = "FILE", requires = "height")]
    network: Option<PathBuf>,
    /// The players' first block there; all validators must be told before the block before it
    #[arg(long, requires = "network")]
    height: Option<u64>,
    /// They share the key that there is, dealt by the validators who have it. Those keep shares that are as good:
    /// for validators that trust each other still, and never for one alone
    #[arg(long, requires = "network")]
    reshare: bool,
}

pub(super) fn run(args: Args) -> Result<(), Problem> {
    match args.step {
        Step::Join { folder, home, name, address } => join(&folder, &home, &name, address),
        Step::Begin(begin) => begin.run(),
        Step::Show { folder } => {
            show(&ceremony::look(&folder)?);
            Ok(())
        }
        Step::Deal(Files { folder, home }) => deal(&folder, &home),
        Step::Ack(Files { folder, home }) => ack(&folder, &home),
        Step::Seal { files: Files { folder, home }, reveal } => seal(&folder, &home, &reveal),
        Step::Take { files: Files { folder, home }, without } => {
            let outcome = ceremony::take(&home, &folder, &without)?;
            taken(&outcome, &home);
            Ok(())
        }
        Step::Finish { folder, out, without } => {
            let outcome = ceremony::finish(&folder, &out, &without)?;
            made(&outcome);
            Ok(())
        }
    }
}

impl Begin {
    fn run(self) -> Result<(), Problem> {
        let Self { folder, players, owner, called, network, height, reshare } = self;
        let purpose = match (network, height) {
            (Some(file), Some(height)) => {
                Purpose::Succession { network: Network::read(&file)?, height, reshare }
            }
            _ => Purpose::Network(Plan {
                name: called,
                demo: false,
                time_ms: now_ms(),
                addresses: Vec::new(),
                allocations: owner.into_iter().map(|owner| (owner, UNITS)).collect(),
            }),
        };
        let overview = ceremony::begin(&folder, purpose, &players)?;
        show(&overview);
        println!(
            "\nHand {file} to all of them. Each dealer then runs\n  \
             starling keys ceremony deal --home HOME {folder}\n\
             where {folder} is the folder with that file.",
            file = folder.join("ceremony.toml").display(),
            folder = folder.display()
        );
        Ok(())
    }
}

fn join(folder: &Path, home: &Path, name: &str, address: SocketAddr) -> Result<(), Problem> {
    let file = ceremony::join(home, folder, name, address)?;
    println!(
        "{file}\nHand it to whoever begins the ceremony; nobody else may see {home}. Then wait for ceremony.toml.\n\
         Whoever begins, with the join files of all in one folder:\n  \
         starling keys ceremony begin FOLDER --players {name},… --owner ACCOUNT\n\
         or, in place of --owner, --network FILE --height HEIGHT for those who take over from others.",
        file = file.display(),
        home = home.display(),
    );
    Ok(())
}

/// Who takes part.
fn show(overview: &Overview) {
    let Overview { fingerprint, network, dealers, players, required, quorum, faulty_max, .. } =
        overview;
    println!("ceremony {fingerprint}");
    match (overview.height, overview.reshare) {
        (None, _) => println!("for     the first validators of the new network {network:?}"),
        (Some(height), false) => {
            println!("for     validators of {network:?} from block {height} on, with a fresh key");
        }
        (Some(height), true) => {
            println!(
                "for     validators of {network:?} from block {height} on, with the key that there is"
            );
        }
    }
    if let Some(digits) = &overview.runs {
        println!("runs    {digits}: compare with the network.toml that your validators run with");
    }
    for (account, units) in &overview.allocations {
        println!("begins  {account} with {units} units");
    }
    println!("deal    {}; {required} of {} are enough", dealers.join(", "), dealers.len());
    for (name, key, address) in players {
        println!("player  {name} {key} at {address}");
    }
    println!("Of {} players, {quorum} sign for all: {faulty_max} may be faulty.", players.len());
    println!(
        "Ask the others, not by the way that the files came, whether they see the same digits in the first line, \
         and whether the keys are theirs."
    );
}

fn deal(folder: &Path, home: &Path) -> Result<(), Problem> {
    let dealt = ceremony::deal(home, folder)?;
    show(&dealt.overview);
    println!(
        "\n{}\nHand it to all players. When the dealings of all dealers are in your folder, each player runs\n  \
         starling keys ceremony ack --home HOME {}",
        dealt.file.display(),
        folder.display()
    );
    Ok(())
}

fn ack(folder: &Path, home: &Path) -> Result<(), Problem> {
    let said = ceremony::acknowledge(home, folder)?;
    show(&said.overview);
    println!("\n{}\nYou have the dealings of {}.", said.file.display(), said.from.join(", "));
    for (who, fault) in &said.wrong {
        println!("not of {who}: {who}.dealing.toml {fault}");
    }
    if said.wrong.is_empty() {
        println!("Hand the file to all dealers.");
    } else {
        println!(
            "Run this again when you have theirs. {} of {} dealers are enough: if one never deals, hand the file to \
             the others, and all of you leave that one out in the end.",
            said.overview.required,
            said.overview.dealers.len()
        );
    }
    println!(
        "When the acks of all players are in your folder, each dealer runs\n  \
         starling keys ceremony seal --home HOME {}",
        folder.display()
    );
    Ok(())
}

fn seal(folder: &Path, home: &Path, reveal: &[String]) -> Result<(), Problem> {
    let sealed = ceremony::seal(home, folder, reveal)?;
    println!(
        "{file}\nHand it to all players and to who needs the network's file, and give out no other. When those of \
         all dealers are in your folder, each player runs\n  starling keys ceremony take --home HOME {folder}\n\
         and whoever is replaced, or hosts the ledger without a share,\n  \
         starling keys ceremony finish --out DIR {folder}",
        file = sealed.file.display(),
        folder = folder.display()
    );
    Ok(())
}

/// The network's file is there.
fn made(outcome: &Outcome) {
    println!("{}\nnetwork {}", outcome.file.display(), outcome.fingerprint);
    println!(
        "Ask the others whether they see the same digits, before anybody starts: all of you need the same file."
    );
    for who in &outcome.revealed {
        println!(
            "The share of {who} was made public: it counts as faulty. Begin again if you can."
        );
    }
    let Overview { height: Some(height), reshare, .. } = &outcome.overview else { return };
    let last = height.saturating_sub(1);
    println!(
        "Before block {last}, each of the validators that run now takes this file in place of its own network.toml \
         and starts again: that block is their last. Then `starling ledger --node URL snapshot FILE` from one of them."
    );
    if *reshare {
        println!(
            "When the players make blocks, who ran before deletes validator.share and ceremony.key of then: enough \
             of those shares sign for this key still, and nobody can see it."
        );
    }
}

/// A player has its share.
fn taken(outcome: &Outcome, home: &Path) {
    made(outcome);
    let settings = home.join("validator.toml");
    let settings = settings.display();
    println!("Look through {settings}: where it listens, and where it answers HTTP.");
    if outcome.overview.height.is_some() {
        println!("After that last block: starling ledger restore --config {settings} FILE");
    }
    println!(
        "  starling validator --config {settings}\n\
         When it runs, delete {}: what was dealt to you can be opened with it.",
        home.join("ceremony.key").display()
    );
}
