//! `starling get --from`: blocks from gateways, ours and hostile ones.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::files_rig::{Killed, Place, Served, noise, wait_until};

/// What a gateway of these tests does with a block it has.
#[derive(Clone, Copy)]
enum Manner {
    Honest,
    /// Turns a bit.
    Lies,
    /// Sends without end.
    Floods,
    /// Sends half and hangs up.
    Cuts,
    /// Says that it failed.
    Fails,
    /// Is busy once, then honest.
    BusyOnce,
}

/// A gateway over a store's files, that counts what it is asked.
struct Rogue {
    url: String,
    asked: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl Rogue {
    fn new(place: &Place, manner: Manner, pause: Duration) -> Self {
        let blocks = place.blocks().into_iter().map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())
        });
        let blocks: Arc<BTreeMap<String, Vec<u8>>> = Arc::new(blocks.collect());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(BTreeMap::new()));
        let counting = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (blocks, asked) = (Arc::clone(&blocks), Arc::clone(&counting));
                std::thread::spawn(move || answer(stream.ok()?, &blocks, &asked, manner, pause));
            }
        });
        Self { url, asked }
    }

    fn requests(&self) -> u32 {
        self.asked.lock().unwrap().values().sum()
    }
}

/// Answers one request. None: the client went away.
fn answer(
    mut stream: TcpStream,
    blocks: &BTreeMap<String, Vec<u8>>,
    asked: &Mutex<BTreeMap<String, u32>>,
    manner: Manner,
    pause: Duration,
) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    while !lines.next()?.ok()?.is_empty() {}
    let cid = first.split(['/', '?']).nth(2)?.to_owned();
    let times = *asked.lock().unwrap().entry(cid.clone()).and_modify(|n| *n += 1).or_insert(1);
    std::thread::sleep(pause);
    let mut send = |status: &str, length: usize, bytes: &[u8]| {
        let head =
            format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(bytes)).ok()
    };
    let Some(bytes) = blocks.get(&cid) else { return send("404 Not Found", 0, b"") };
    let mut bytes = bytes.clone();
    match manner {
        Manner::Fails => send("500 Internal Server Error", 0, b""),
        Manner::BusyOnce if times == 1 => send("503 Service Unavailable", 0, b""),
        Manner::Cuts => send("200 OK", bytes.len(), &bytes[..bytes.len() / 2]),
        Manner::Floods => send("200 OK", 64 << 20, &vec![0; 3 << 20]),
        Manner::Lies => {
            *bytes.last_mut()? ^= 1;
            send("200 OK", bytes.len(), &bytes)
        }
        Manner::Honest | Manner::BusyOnce => send("200 OK", bytes.len(), &bytes),
    }
}

const NOW: Duration = Duration::ZERO;

#[test]
fn a_folder_comes_from_a_server_of_ours() {
    let (there, here) = (Place::new(), Place::new());
    there.write("box/large.bin", &noise(5_300_000, 1));
    for number in 0..40 {
        there.write(&format!("box/small/{number}.txt"), number.to_string().as_bytes());
    }
    let cid = there.ok(&["add", "box"]);
    let served = Served::new(&there);
    let got = here.json(&["get", &cid, "-o", "out", "--from", &served.url]);
    assert_eq!((&got["files"], &got["blocks_here"]), (&41.into(), &0.into()));
    assert!(fs::read(here.path("out/large.bin")).unwrap() == noise(5_300_000, 1));
    assert_eq!(fs::read(here.path("out/small/39.txt")).unwrap(), b"39");
    // What is here is not fetched again, and what was being fetched is no longer pinned.
    let again = here.json(&["get", &cid, "-o", "again", "--from", &served.url, "--pin"]);
    assert_eq!(again["fetched_blocks"], 0);
    assert_eq!(here.json(&["pins"])["pins"].as_array().unwrap().len(), 1);
}

#[test]
fn a_liar_is_named_and_the_next_gateway_is_asked() {
    let (there, here) = (Place::new(), Place::new());
    there.write("file", &noise(3_300_000, 1));
    let cid = there.ok(&["add", "file"]);
    let honest = Rogue::new(&there, Manner::Honest, NOW);
    for (number, (manner, says)) in [
        (Manner::Lies, "sent other bytes as block"),
        (Manner::Floods, "sent more than 2097152 bytes"),
        (Manner::Cuts, "failed"),
        (Manner::Fails, "answered 500"),
    ]
    .into_iter()
    .enumerate()
    {
        let rogue = Rogue::new(&there, manner, NOW);
        // Alone: nothing is written.
        let (code, said) = here.fails(&["get", &cid, "-o", "out", "--from", &rogue.url]);
        assert!(code == 3 && said.contains(says) && said.contains(&rogue.url), "{said}");
        assert!(!here.path("out").exists() && here.blocks().is_empty());
        let out = format!("out{number}");
        let words = ["get", &cid, "-o", &out, "--from", &rogue.url, "--from", &honest.url];
        let got = here.json(&words);
        assert_eq!(got["given_up"][0]["url"], rogue.url.as_str());
        assert!(got["given_up"][0]["why"].as_str().unwrap().contains(says), "{got}");
        assert!(fs::read(here.path(&out)).unwrap() == noise(3_300_000, 1));
        here.ok(&["rm", &cid]);
    }
}

#[test]
fn a_gateway_that_lacks_a_block_or_is_busy_is_no_liar() {
    let (there, part, here) = (Place::new(), Place::new(), Place::new());
    there.write("box/a.bin", &noise(1_300_000, 1));
    there.write("box/b.bin", &noise(1_300_000, 2));
    part.write("a.bin", &noise(1_300_000, 1));
    let cid = there.ok(&["add", "box"]);
    part.ok(&["add", "a.bin"]);
    let (half, whole) =
        (Rogue::new(&part, Manner::Honest, NOW), Rogue::new(&there, Manner::BusyOnce, NOW));
    let got = here.json(&["get", &cid, "-o", "out", "--from", &half.url, "--from", &whole.url]);
    assert_eq!(got["given_up"].as_array().unwrap().len(), 0);
    assert!(fs::read(here.path("out/b.bin")).unwrap() == noise(1_300_000, 2));
    // The three blocks of `a.bin` came from the half.
    assert_eq!(whole.asked.lock().unwrap().len(), 1 + 3);
    here.ok(&["rm", &cid]);
    let (code, said) = here.fails(&["get", &cid, "-o", "out2", "--from", "http://127.0.0.1:1"]);
    assert!(code == 3 && said.contains("http://127.0.0.1:1 failed"), "{said}");
}

#[test]
fn a_fetch_that_is_killed_goes_on_where_it_was() {
    const BLOCKS: u32 = 60 + 1;
    let (there, here) = (Place::new(), Place::new());
    there.write("file", &noise(60 << 20, 1));
    let cid = there.ok(&["add", "file"]);
    let slow = Rogue::new(&there, Manner::Honest, Duration::from_millis(100));
    let get = here.command(&["get", &cid, "-o", "out", "--from", &slow.url]);
    let get = Killed({ get }.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    wait_until("half of it is here", || here.blocks().len() >= 30);
    get.kill();
    assert!(!here.path("out").exists());
    // Room is made meanwhile: what is being fetched stays.
    let kept = here.blocks().len();
    assert_eq!(here.json(&["gc"])["removed_blocks"], 0);
    assert_eq!(here.json(&["pins"])["pins"][0]["kind"], "getting");
    let got = here.json(&["get", &cid, "-o", "out", "--from", &slow.url]);
    assert_eq!(got["blocks_here"], kept);
    assert_eq!(got["fetched_blocks"], usize::try_from(BLOCKS).unwrap() - kept);
    // Fetched twice: at most what was under way.
    assert!(slow.requests() <= BLOCKS + 16, "{} requests", slow.requests());
    assert!(fs::read(here.path("out")).unwrap() == noise(60 << 20, 1));
    assert_eq!(here.json(&["pins"])["pins"].as_array().unwrap().len(), 0);
}

#[test]
fn a_damaged_block_of_the_store_is_fetched_again() {
    let (there, here) = (Place::new(), Place::new());
    there.write("file", b"hello world");
    let cid = there.ok(&["add", "file"]);
    let honest = Rogue::new(&there, Manner::Honest, NOW);
    here.ok(&["get", &cid, "-o", "out", "--from", &honest.url]);
    fs::write(&here.blocks()[0], b"hello w0rld").unwrap();
    here.ok(&["get", &cid, "-o", "out2", "--from", &honest.url]);
    assert_eq!(fs::read(here.path("out2")).unwrap(), b"hello world");
    let (code, said) =
        here.fails(&["get", &cid, "-o", "out3", "--max-bytes", "3", "--from", &honest.url]);
    assert!(code == 4 && said.contains("--max-bytes"), "{said}");
}
