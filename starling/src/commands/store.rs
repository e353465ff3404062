//! `starling pins`, `pin`, `unpin`, `ls`, `rm` and `gc`: what the block store keeps.

use std::path::PathBuf;

use content::Cid;
use serde_json::json;
use starling::content::{
    ContentError, FileStore, Limits, Listed, Pin, PinKind, Swept, Usage, list,
};

use super::{Problem, blocking};

/// The store, and how to answer.
#[derive(Debug, clap::Args)]
struct Common {
    /// Folder that holds the block store
    #[arg(long, value_name = "DIR", default_value = "starling-data")]
    data: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Common {
    async fn run(
        self,
        work: impl FnOnce(&FileStore, bool) -> Result<(), ContentError> + Send + 'static,
    ) -> Result<(), Problem> {
        blocking(self.json, move || work(&FileStore::open(&self.data)?, self.json)).await
    }
}

/// Options of `starling pins`.
#[derive(Debug, clap::Args)]
pub(crate) struct Pins {
    #[command(flatten)]
    common: Common,
}

/// Options of `starling pin`.
#[derive(Debug, clap::Args)]
pub(crate) struct PinOne {
    /// What to keep, with everything below it
    cid: Cid,
    /// What to call it in `starling pins`
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Options of `starling unpin`.
#[derive(Debug, clap::Args)]
pub(crate) struct Unpin {
    /// What was pinned
    cid: Cid,
    #[command(flatten)]
    common: Common,
}

/// Options of `starling ls`.
#[derive(Debug, clap::Args)]
pub(crate) struct Ls {
    /// A folder or file of the store; without it, how much there is
    cid: Option<Cid>,
    #[command(flatten)]
    common: Common,
}

/// Options of `starling rm`.
#[derive(Debug, clap::Args)]
pub(crate) struct Rm {
    /// What to remove, with everything below it that no pin keeps
    cid: Cid,
    #[command(flatten)]
    common: Common,
}

/// Options of `starling gc`.
#[derive(Debug, clap::Args)]
pub(crate) struct Gc {
    /// Only set how many bytes may be held; the longest unused blocks go when there are more
    #[arg(long, value_name = "BYTES")]
    quota_bytes: Option<u64>,
    /// Only set how many blocks may be held
    #[arg(long, value_name = "COUNT")]
    blocks_max: Option<u64>,
    #[command(flatten)]
    common: Common,
}

pub(crate) async fn pins(args: Pins) -> Result<(), Problem> {
    args.common
        .run(|store, json| {
            let pins = store.pins()?;
            if json {
                let pin = |Pin { root, kind, name }: &Pin| {
                    json!({ "cid": root.to_string(), "kind": kind, "name": name })
                };
                println!("{}", json!({ "pins": pins.iter().map(pin).collect::<Vec<_>>() }));
                return Ok(());
            }
            for Pin { root, kind, name } in pins {
                let kind = match kind {
                    PinKind::Below => "",
                    PinKind::Listed => " (sealed)",
                    PinKind::Getting | PinKind::GettingListed => " (being fetched)",
                };
                println!("{root}  {}{kind}", name.unwrap_or_default());
            }
            Ok(())
        })
        .await
}

pub(crate) async fn pin(args: PinOne) -> Result<(), Problem> {
    let PinOne { cid, name, common } = args;
    common
        .run(move |store, json| {
            let kind = store.pinned(&cid)?.map(|pin| pin.kind);
            if matches!(kind, Some(PinKind::Listed | PinKind::GettingListed)) {
                // The list is known only to who sealed: it stays.
                return say(json, &json!({ "cid": cid.to_string() }), &cid.to_string());
            }
            store.pin(&Pin { root: cid, kind: PinKind::Below, name }, &[])?;
            say(json, &json!({ "cid": cid.to_string() }), &cid.to_string())
        })
        .await
}

pub(crate) async fn unpin(args: Unpin) -> Result<(), Problem> {
    let Unpin { cid, common } = args;
    common
        .run(move |store, json| {
            if !store.unpin(&cid)? {
                return Err(ContentError::NotPinned(cid));
            }
            say(json, &json!({ "cid": cid.to_string() }), &cid.to_string())
        })
        .await
}

pub(crate) async fn ls(args: Ls) -> Result<(), Problem> {
    let Ls { cid, common } = args;
    common
        .run(move |store, json| {
            cid.map_or_else(|| total(store, json), |cid| tree(cid, store, json))
        })
        .await
}

fn total(store: &FileStore, json: bool) -> Result<(), ContentError> {
    let (Usage { bytes, blocks }, limits) = (store.usage()?, store.limits()?);
    let Limits { quota_bytes, blocks_max } = limits;
    let pins = store.pins()?.len();
    let object = json!({ "bytes": bytes, "blocks": blocks, "pins": pins,
                         "quota_bytes": quota_bytes, "blocks_max": blocks_max });
    let text =
        format!("{bytes} bytes of {quota_bytes} in {blocks} blocks of {blocks_max}; {pins} pins");
    say(json, &object, &text)
}

fn tree(cid: Cid, store: &FileStore, json: bool) -> Result<(), ContentError> {
    let entries = list(cid, store)?;
    if json {
        let entry = |Listed { path, cid, kind, size_bytes }: &Listed| json!({ "path": path, "cid": cid.to_string(), "kind": kind, "size_bytes": size_bytes });
        println!("{}", json!({ "entries": entries.iter().map(entry).collect::<Vec<_>>() }));
        return Ok(());
    }
    for Listed { path, cid, kind, size_bytes } in entries {
        println!("{cid}  {kind:<7} {size_bytes:>12}  {path}");
    }
    Ok(())
}

pub(crate) async fn rm(args: Rm) -> Result<(), Problem> {
    let Rm { cid, common } = args;
    common
        .run(move |store, json| {
            let swept = store.remove(&cid)?.ok_or(ContentError::Missing(cid))?;
            tell(&swept, json)
        })
        .await
}

pub(crate) async fn gc(args: Gc) -> Result<(), Problem> {
    let Gc { quota_bytes, blocks_max, common } = args;
    common
        .run(move |store, json| {
            if quota_bytes.is_none() && blocks_max.is_none() {
                return tell(&store.collect()?, json);
            }
            let kept = store.limits()?;
            store.set_limits(Limits {
                quota_bytes: quota_bytes.unwrap_or(kept.quota_bytes),
                blocks_max: blocks_max.unwrap_or(kept.blocks_max),
            })?;
            total(store, json)
        })
        .await
}

fn tell(swept: &Swept, json: bool) -> Result<(), ContentError> {
    let Swept { removed, left } = swept;
    let object = json!({ "removed_bytes": removed.bytes, "removed_blocks": removed.blocks,
                         "bytes": left.bytes, "blocks": left.blocks });
    let text = format!(
        "removed {} bytes in {} blocks; {} bytes in {} blocks are left",
        removed.bytes, removed.blocks, left.bytes, left.blocks
    );
    say(json, &object, &text)
}

#[allow(clippy::unnecessary_wraps, reason = "commands end with it")]
fn say(json: bool, object: &serde_json::Value, text: &str) -> Result<(), ContentError> {
    if json {
        println!("{object}")
    } else {
        println!("{text}")
    }
    Ok(())
}
