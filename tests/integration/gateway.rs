//! The gateway of `starling serve`, by the real binary: what HTTP clients and IPFS clients see.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![allow(dead_code, reason = "the rigs are shared with the tests of files and of native peers")]

mod files_rig;
mod gateway_swarm;
mod native_rig;

use content::car::CarReader;
use content::{Candidate, Cid};
use files_rig::{Place, Served, noise};
use reqwest::{Client, Method, Response, StatusCode};
use sha2::{Digest as _, Sha256};

const RAW: &str = "application/vnd.ipld.raw";
const CAR: &str = "application/vnd.ipld.car";

struct Site {
    place: Place,
    served: Served,
    http: Client,
}

impl Site {
    fn new(place: Place) -> Self {
        let served = Served::new(&place);
        let policy = reqwest::redirect::Policy::none();
        let http = Client::builder().no_proxy().redirect(policy).build().unwrap();
        Self { place, served, http }
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = self.http.request(method, format!("{}{path}", self.served.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.ask(Method::GET, path, &[]).await
    }
}

fn text<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Every block of a CAR, verified.
async fn car(response: Response) -> (Vec<Cid>, Vec<Cid>) {
    assert_eq!(response.status(), StatusCode::OK);
    assert!(text(&response, "content-type").starts_with("application/vnd.ipld.car; version=1"));
    let mut reader = CarReader::new();
    reader.push(&response.bytes().await.unwrap());
    let mut blocks = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        blocks.push(block.cid());
    }
    reader.finish().unwrap();
    (reader.roots().unwrap().unwrap().to_vec(), blocks)
}

/// A store with a folder in it; the folder's CID.
fn with_folder() -> (Place, String) {
    let place = Place::new();
    place.write("box/large.bin", &noise(3_300_000, 1));
    place.write("box/hello.txt", b"hello world");
    place.write("box/code.js", b"alert(1)");
    place.write("box/site/index.html", b"<h1>hi</h1><script>alert(1)</script>");
    place.write("box/<b>.txt", b"bold");
    let cid = place.ok(&["add", "box"]);
    (place, cid)
}

#[tokio::test]
async fn a_block_comes_raw_and_is_what_it_is_called() {
    let (place, _) = with_folder();
    let hello = place.ok(&["add", "box/hello.txt"]);
    let site = Site::new(place);
    for (path, accept) in
        [(format!("/ipfs/{hello}?format=raw"), "*/*"), (format!("/ipfs/{hello}"), RAW)]
    {
        let whole = site.ask(Method::GET, &path, &[("accept", accept)]).await;
        assert_eq!(whole.status(), StatusCode::OK);
        assert_eq!(text(&whole, "content-type"), RAW);
        assert_eq!(text(&whole, "etag"), format!("\"{hello}.raw\""));
        assert_eq!(text(&whole, "x-content-type-options"), "nosniff");
        assert_eq!(text(&whole, "access-control-allow-origin"), "*");
        assert!(text(&whole, "cache-control").contains("immutable"));
        assert!(text(&whole, "content-disposition").starts_with("attachment"));
        assert_eq!(whole.bytes().await.unwrap(), "hello world");
    }
    let path = format!("/ipfs/{hello}?format=raw");
    let head = site.ask(Method::HEAD, &path, &[]).await;
    assert_eq!((head.status(), text(&head, "content-length")), (StatusCode::OK, "11"));
    assert_eq!(head.bytes().await.unwrap(), "");
    let part = site.ask(Method::GET, &path, &[("range", "bytes=6-")]).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(text(&part, "content-range"), "bytes 6-10/11");
    assert_eq!(part.bytes().await.unwrap(), "world");
    let etag = format!("W/\"{hello}.raw\"");
    let same = site.ask(Method::GET, &path, &[("if-none-match", &etag)]).await;
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
    let probe = site.get("/ipfs/bafkqaaa?format=raw").await;
    assert_eq!((probe.status(), text(&probe, "content-length")), (StatusCode::OK, "0"));
}

#[tokio::test]
async fn a_car_holds_what_its_scope_says_and_every_block_verifies() {
    let (place, root) = with_folder();
    let large: Cid = place.ok(&["add", "box/large.bin"]).parse().unwrap();
    let cid: Cid = root.parse().unwrap();
    let site = Site::new(place);
    let (roots, all) =
        car(site.ask(Method::GET, &format!("/ipfs/{root}"), &[("accept", CAR)]).await).await;
    assert_eq!((roots, all.first()), (vec![cid], Some(&cid)));
    // The folder, four leaves and their node, a folder in it, and four small files.
    assert_eq!(all.len(), 1 + 5 + 1 + 4);
    let ask = async |query: &str| {
        car(site.get(&format!("/ipfs/{root}/large.bin?format=car{query}")).await).await
    };
    let (roots, entity) = ask("&dag-scope=entity").await;
    assert_eq!((roots, entity.len()), (vec![large], 1 + 5));
    assert_eq!(entity[..2], [cid, large]);
    assert_eq!(ask("&dag-scope=block").await.1, [cid, large]);
    // The second of four chunks only.
    assert_eq!(ask("&dag-scope=entity&entity-bytes=1048576:1048577").await.1.len(), 3);
    assert_eq!(ask("&entity-bytes=-10:*").await.1.len(), 3);
    let folder = site.get(&format!("/ipfs/{root}?format=car&dag-scope=entity")).await;
    assert_eq!(car(folder).await.1, [cid]);
    let first = site.get(&format!("/ipfs/{root}?format=car")).await;
    let etag = text(&first, "etag").to_owned();
    assert!(etag.starts_with("W/\""));
    let path = format!("/ipfs/{root}?format=car");
    let same = site.ask(Method::GET, &path, &[("if-none-match", &etag)]).await;
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn files_and_folders_are_shown_and_no_script_of_theirs_runs() {
    let (place, root) = with_folder();
    let site = Site::new(place);
    let hello = site.get(&format!("/ipfs/{root}/hello.txt")).await;
    assert_eq!(text(&hello, "content-type"), "text/plain; charset=utf-8");
    let policy = text(&hello, "content-security-policy");
    assert!(policy.starts_with("sandbox;") && !policy.contains("allow-"), "{policy}");
    assert_eq!(text(&hello, "x-ipfs-path"), format!("/ipfs/{root}/hello.txt"));
    assert!(text(&hello, "x-ipfs-roots").starts_with(&format!("{root},")));
    assert_eq!(hello.bytes().await.unwrap(), "hello world");
    // A page of ours that is tricked into loading it as a script gets none.
    let code = site.get(&format!("/ipfs/{root}/code.js")).await;
    assert_eq!(text(&code, "content-type"), "text/plain; charset=utf-8");
    assert_eq!(text(&code, "x-content-type-options"), "nosniff");
    let path = format!("/ipfs/{root}/code.js");
    let worker = site.ask(Method::GET, &path, &[("service-worker", "script")]);
    assert_eq!(worker.await.status(), StatusCode::FORBIDDEN);

    let moved = site.get(&format!("/ipfs/{root}?x=1")).await;
    assert_eq!(moved.status(), StatusCode::MOVED_PERMANENTLY);
    assert_eq!(text(&moved, "location"), format!("/ipfs/{root}/?x=1"));
    let listing = site.get(&format!("/ipfs/{root}/")).await;
    assert!(text(&listing, "content-security-policy").starts_with("sandbox;"));
    let page = listing.text().await.unwrap();
    assert!(page.contains("&lt;b&gt;.txt") && !page.contains("<b>.txt"), "{page}");
    let escaped = site.get(&format!("/ipfs/{root}/%3Cb%3E.txt")).await;
    assert_eq!(escaped.bytes().await.unwrap(), "bold");
    let index = site.get(&format!("/ipfs/{root}/site/")).await;
    assert_eq!(text(&index, "content-type"), "text/html; charset=utf-8");
    assert!(text(&index, "content-security-policy").starts_with("sandbox;"));
    assert!(index.text().await.unwrap().starts_with("<h1>hi"));

    let path = format!("/ipfs/{root}/large.bin");
    let large = noise(3_300_000, 1);
    let part = site.ask(Method::GET, &path, &[("range", "bytes=1048570-2097160")]).await;
    assert_eq!(text(&part, "content-range"), "bytes 1048570-2097160/3300000");
    assert_eq!(text(&part, "content-type"), "application/octet-stream");
    assert!(part.bytes().await.unwrap() == large[1_048_570..=2_097_160]);
    let beyond = site.ask(Method::GET, &path, &[("range", "bytes=3300000-")]).await;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(text(&beyond, "content-range"), "bytes */3300000");
    let head = site.ask(Method::HEAD, &path, &[]).await;
    assert_eq!(text(&head, "content-length"), "3300000");
    let saved = site.get(&format!("{path}?download=true&filename=%C3%A4.bin")).await;
    assert!(text(&saved, "content-disposition").contains("filename*=UTF-8''%C3%A4%2Ebin"));
}

#[tokio::test]
async fn what_is_not_here_or_not_meant_is_refused_by_name() {
    let (place, root) = with_folder();
    let site = Site::new(place);
    let gone = Cid::of(content::Codec::Raw, b"not here").to_string();
    let check = async |path: String, headers: &[(&str, &str)], expected: u16| {
        let answer = site.ask(Method::GET, &path, headers).await;
        assert_eq!(answer.status().as_u16(), expected, "{path} {headers:?}");
        assert_eq!(text(&answer, "cache-control"), "no-store");
        assert!(text(&answer, "content-security-policy").starts_with("sandbox;"));
        let said = answer.text().await.unwrap();
        assert!(said.len() < 300 && !said.contains("store/"), "{said}");
    };
    check(format!("/ipfs/{gone}"), &[], 404).await;
    check(format!("/ipfs/{gone}?format=raw"), &[("cache-control", "only-if-cached")], 412).await;
    check(format!("/ipfs/{root}/none"), &[], 404).await;
    check(format!("/ipfs/{root}/hello.txt/x"), &[], 404).await;
    check(format!("/ipfs/{root}/hello.txt/"), &[], 404).await;
    check(format!("/ipfs/{root}//hello.txt"), &[], 400).await;
    check("/ipfs/hello".to_owned(), &[], 400).await;
    check("/ipfs/bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4kok6gl37quzvm".to_owned(), &[], 400)
        .await;
    check(format!("/ipfs/{root}?format=dag-json"), &[], 400).await;
    check(format!("/ipfs/{root}?format=car&car-version=2"), &[], 400).await;
    check(format!("/ipfs/{root}?format=car&dag-scope=some"), &[], 400).await;
    check(format!("/ipfs/{root}?x={}", "y".repeat(5000)), &[], 414).await;
    check(format!("/ipfs/{root}"), &[("accept", "application/vnd.ipld.dag-json")], 406).await;
    check(format!("/ipfs/{root}"), &[("accept", "application/vnd.ipld.car; version=2")], 406).await;
    check(format!("/ipfs/{root}/{}", "a/".repeat(200)), &[], 400).await;
    let post = site.ask(Method::POST, &format!("/ipfs/{root}"), &[]).await;
    assert_eq!((post.status().as_u16(), text(&post, "allow")), (405, "GET, HEAD, OPTIONS"));
    let preflight = site.ask(Method::OPTIONS, &format!("/ipfs/{root}"), &[]).await;
    assert_eq!(text(&preflight, "access-control-allow-methods"), "GET, HEAD, OPTIONS");
    // Dots are names like others: they stand in no folder.
    let dots = site.get(&format!("/ipfs/{root}/%2e%2e%2f%2e%2e%2fserver.key")).await;
    assert_eq!(dots.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_damaged_block_is_not_passed_on() {
    let (place, _) = with_folder();
    let hello = place.ok(&["add", "box/hello.txt"]);
    let path = place.blocks().into_iter().find(|path| path.ends_with(&hello)).unwrap();
    std::fs::write(path, b"hello w0rld").unwrap();
    let site = Site::new(place);
    let answer = site.get(&format!("/ipfs/{hello}?format=raw")).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!answer.text().await.unwrap().contains("w0rld"));
}

#[tokio::test]
async fn it_can_be_off_or_for_blocks_only_and_has_a_bound() {
    let place = Place::new();
    // More than sockets hold.
    place.write("box/large.bin", &noise(40 << 20, 1));
    let root = place.ok(&["add", "box"]);
    place.write("config.toml", b"[gateway]\nenabled = false\n");
    let site = Site::new(place);
    assert_ne!(site.get(&format!("/ipfs/{root}?format=raw")).await.status(), StatusCode::OK);
    let Site { place, served, .. } = site;
    drop(served);
    place.write("config.toml", b"[gateway]\nfiles = false\nstreams_max = 1\n");
    let site = Site::new(place);
    assert_eq!(site.get(&format!("/ipfs/{root}/")).await.status(), StatusCode::NOT_ACCEPTABLE);
    // An answer that is not read holds the only place; when it goes, the next is served.
    let whole = format!("/ipfs/{root}?format=car");
    let held = site.get(&whole).await;
    assert_eq!(held.status(), StatusCode::OK);
    let busy = site.get(&whole).await;
    assert_eq!((busy.status().as_u16(), text(&busy, "retry-after")), (503, "1"));
    drop(held);
    let start = std::time::Instant::now();
    while site.get(&whole).await.status() != StatusCode::OK {
        assert!(start.elapsed() < files_rig::DEADLINE, "the place was not given back");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// The most memory the process ever had, in KiB.
#[cfg(target_os = "linux")]
fn peak_kib(served: &Served) -> u64 {
    let status = format!("/proc/{}/status", served.process.0.id());
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_of_256_mib_is_never_in_memory() {
    const MIB: usize = 256;
    let place = Place::new();
    let mut bytes = noise(1 << 20, 7);
    let mut expected = Sha256::new();
    let mut file = std::fs::File::create(place.path("large")).unwrap();
    for number in 0..MIB {
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        expected.update(&bytes);
        std::io::Write::write_all(&mut file, &bytes).unwrap();
    }
    let cid = place.ok(&["add", "large"]);
    // A ledger takes some memory of its own when it starts.
    place.write("config.toml", b"[ledger]\nenabled = false\n");
    let site = Site::new(place);
    site.get(&format!("/ipfs/{cid}?format=raw")).await.bytes().await.unwrap();
    let before = peak_kib(&site.served);
    let mut answer = site.get(&format!("/ipfs/{cid}")).await;
    let mut hash = Sha256::new();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        hash.update(&chunk);
    }
    assert_eq!(hash.finalize(), expected.finalize());
    let mut answer = site.get(&format!("/ipfs/{cid}?format=car")).await;
    let mut reader = CarReader::new();
    let mut blocks = 0;
    while let Some(chunk) = answer.chunk().await.unwrap() {
        reader.push(&chunk);
        while let Some(Candidate { .. }) = reader.next_candidate().unwrap() {
            blocks += 1;
        }
    }
    assert_eq!(blocks, MIB + 1);
    let after = peak_kib(&site.served);
    assert!(after - before < 32 << 10, "{before} KiB before, {after} KiB after");
}
