//! What a visitor downloads, against what was promised.

use std::fs;

use anyhow::{Context as _, Result};

use super::count::Tally;
use crate::{house::House, web};

/// Everything an embedding page loads of ours, hls.js apart. A ratchet: it only goes down (`docs/bench.md`
/// says where it is).
const EMBED_BYTES_MAX: u64 = 180_000;
/// The whole page as it comes: markup, styles, wasm and its JavaScript. A ratchet as well; the goal
/// was 450,000. What the wallet's worker tells the page of validators, clocks and refusals, which is read there, took 2,500.
const APP_BYTES_MAX: u64 = 385_500;
/// What comes with the pages that are opened later, all together. More than half of this are Lend with Liquidations,
/// Energy with Community, and Identity with Credentials: they bring the ledger's own code of markets and of slots, so that a preview
/// is what a block does (ADR 0056, 0058), and what reads files of meters; so does Wallet with assets (ADR 0073). Nobody
/// loads it who does not open the page. Network and Settings, which came with the first page, and the worker that keeps the page
/// (ADR 0078) took 40,000; funds, notes and several keys in the wallet, corrections and members of a community, an
/// issuer's several lists and larger book, and checking what web servers vouch for (ADR 0076 to 0081) 150,000; covering
/// a deficit, the list of validators, older history and what became of a transfer (ADR 0083 to 0086) 28,000.
const PAGES_BYTES_MAX: u64 = 1_655_000;

/// What reads QR codes where the browser can't, loaded when somebody scans (ADR 0067).
const SCAN_BYTES_MAX: u64 = 90_000;

/// The worker that pages with money load: the light client, for which 150,000 were promised, and the wallet, which
/// reads and signs what every domain of the ledger knows, with the tills that pay for bytes (ADR 0062: 30,000) and
/// proofs of neighbours (ADR 0066: 8,000), assets and letters of meters (ADR 0072, 0073: 10,000). The code of markets
/// is not in it. Validators that take over, notes, pools of an owner, what may be paid in an hour, and corrections that
/// contradict nothing took 14,000 (ADR 0076, 0077, 0079, 0081). Vouchers that are left with neighbours, hosts that name
/// others, what became of transfers that no server took, older history, and device's clocks took 24,000 (ADR 0073, 0083,
/// 0086). Pairings that are optimised for size gave 33,000 back.
/// `cargo xtask bench ledger` weighs the light client alone.
const LEDGER_BYTES_MAX: u64 = 228_000;

/// The worker that pages with keys load: Argon2id, the words, Ed25519 and P-256 (ADR 0060), credentials with
/// requests and status lists (ADR 0067), grants of shares, which bring HPKE along (ADR 0070: 16,000), an issuer's
/// backup and what lists signed elsewhere say (ADR 0071: 8,000), several lists and a larger book (ADR 0080: 6,000).
const IDENTITY_BYTES_MAX: u64 = 260_000;

/// What a page with `<starling-file>` loads when one is pressed. Due times, an even division of the upload and
/// downloads through the worker took 13,000 of it, code for speed instead of size 4,000: blocks are sealed at five
/// times the speed.
const FILES_BYTES_MAX: u64 = 302_000;

/// What a player loads besides where its page names a fund (ADR 0074).
const FUND_BYTES_MAX: u64 = 2_500;

/// Checks the bundle's sizes as transferred: compressed by brotli where that was made.
pub(super) fn check(house: &House, tally: &mut Tally) -> Result<()> {
    let folder = house.web();
    let mut embed = 0;
    let mut app = 0;
    let mut pages = 0;
    let mut ledger = 0;
    let mut identity = 0;
    let mut scan = 0;
    let mut shares = 0;
    let mut fund = 0;
    for path in web::read_folder(&folder)?.keys().filter(|path| !path.ends_with(".br")) {
        let brotli = folder.join(format!("{path}.br"));
        let sent = if brotli.is_file() { brotli } else { folder.join(path) };
        let size_bytes = fs::metadata(&sent).with_context(|| format!("looking at {path}"))?.len();
        match part(path) {
            Part::Embed => embed += size_bytes,
            Part::App => app += size_bytes,
            Part::Pages => pages += size_bytes,
            Part::Ledger => ledger += size_bytes,
            Part::Identity => identity += size_bytes,
            Part::Scan => scan += size_bytes,
            Part::Files => shares += size_bytes,
            Part::Fund => fund += size_bytes,
            Part::Neither => {}
        }
    }
    let parts = [
        ("embed", embed, EMBED_BYTES_MAX),
        ("app", app, APP_BYTES_MAX),
        ("pages", pages, PAGES_BYTES_MAX),
        ("ledger", ledger, LEDGER_BYTES_MAX),
        ("identity", identity, IDENTITY_BYTES_MAX),
        ("scan", scan, SCAN_BYTES_MAX),
        ("files", shares, FILES_BYTES_MAX),
        ("fund", fund, FUND_BYTES_MAX),
    ];
    for (name, found, limit) in parts {
        let good = found <= limit && found > 0;
        println!(
            "{} {name}: {found} bytes compressed, limit is {limit}",
            if good { '✓' } else { '✗' }
        );
        tally.check(good);
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Embed,
    App,
    Pages,
    Ledger,
    Identity,
    Scan,
    Files,
    Fund,
    Neither,
}

fn part(path: &str) -> Part {
    let code = [".js", ".mjs", ".wasm", ".css", ".html"].iter().any(|end| path.ends_with(end));
    let (folder, _) = path.split_once('/').unwrap_or(("", path));
    match folder {
        _ if !code => Part::Neither,
        "peer" | "player" => Part::Embed,
        "alerts" | "pages" | "preview" | "share-target" => Part::Pages,
        "files" => Part::Files,
        "fund" => Part::Fund,
        "wallet" => Part::Ledger,
        "identity" => Part::Identity,
        "scan" => Part::Scan,
        "" if path == "embed.js" => Part::Embed,
        // For rigs: no visitor loads it.
        "" if path.starts_with("bench.") => Part::Neither,
        "" if path == "kept.js" => Part::Pages,
        "" => Part::App,
        _ => Part::Neither,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_counts_for_what_loads_it() {
        assert_eq!(part("embed.js"), Part::Embed);
        assert_eq!(part("kept.js"), Part::Pages);
        assert_eq!(part("peer/peer_bg-00.wasm"), Part::Embed);
        assert_eq!(part("app-00_bg.wasm"), Part::App);
        assert_eq!(part("index.html"), Part::App);
        assert_eq!(part("pages/files-00.wasm"), Part::Pages);
        assert_eq!(part("wallet/worker.js"), Part::Ledger);
        assert_eq!(part("identity/identity_bg-00.wasm"), Part::Identity);
        assert_eq!(part("scan/scan_bg-00.wasm"), Part::Scan);
        assert_eq!(part("preview/worker.js"), Part::Pages);
        assert_eq!(part("files/element.js"), Part::Files);
        assert_eq!(part("fund/reports-00.js"), Part::Fund);
        assert_eq!(part("vendor/hls-00.mjs"), Part::Neither);
        assert_eq!(part("bench.html"), Part::Neither);
        assert_eq!(part("bench.js"), Part::Neither);
        assert_eq!(part("icons/icon.svg"), Part::Neither);
    }
}
