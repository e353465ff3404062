//! What somebody asks of the gateway.

use ::content::Cid;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::car::{Car, Scope};
use super::range::EntityBytes;
use super::refusal::Refusal;

/// The empty block in its own name: clients ask for it to see whether this is a gateway (Trustless
/// Gateway, "Dedicated Probe Paths").
const PROBE: &str = "bafkqaaa";
const RAW: &str = "application/vnd.ipld.raw";
const CAR: &str = "application/vnd.ipld.car";
/// Longest query, in bytes.
const QUERY_BYTES_MAX: usize = 4096;

/// A request, understood.
#[derive(Debug)]
pub(super) struct Asked {
    /// The path as it was sent.
    pub(super) path: String,
    pub(super) query: Option<String>,
    /// Of a probe this is nothing that is looked up.
    pub(super) root: Cid,
    pub(super) names: Vec<String>,
    /// The path ends with a slash.
    pub(super) as_folder: bool,
    pub(super) format: Format,
    pub(super) filename: Option<String>,
    pub(super) download: bool,
    pub(super) only_if_cached: bool,
    pub(super) is_probe: bool,
    pub(super) headers: HeaderMap,
}

/// In which form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    /// As what it is.
    File,
    /// One block.
    Raw,
    /// Blocks.
    Car(Car),
}

impl Asked {
    pub(super) fn read(parts: &Parts) -> Result<Self, Refusal> {
        if parts.headers.contains_key(HeaderName::from_static("service-worker")) {
            // It would be one of every path below, and of this origin.
            let text = "a service worker can't come from content";
            return Err(Refusal::new(StatusCode::FORBIDDEN, text));
        }
        let (cid, names, as_folder) = path(&parts.uri)?;
        let is_probe = cid == PROBE && names.is_empty();
        let root = if is_probe {
            Cid::of(::content::Codec::Raw, b"")
        } else {
            cid.parse().map_err(|error| Refusal::bad(&error))?
        };
        let query = Query::read(parts.uri.query().unwrap_or_default())?;
        let cache = parts.headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
        Ok(Self {
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            root,
            names,
            as_folder,
            format: format(&query, &parts.headers)?,
            filename: query.filename,
            download: query.download,
            only_if_cached: cache.is_some_and(|value| value.contains("only-if-cached")),
            is_probe,
            headers: parts.headers.clone(),
        })
    }
}

/// The CID, the names after it, and whether the path ends with a slash.
fn path(uri: &Uri) -> Result<(String, Vec<String>, bool), Refusal> {
    let rest = uri.path().strip_prefix("/ipfs/").unwrap_or_default();
    let mut names = Vec::new();
    for name in rest.split('/') {
        let name = percent_decode_str(name).decode_utf8();
        let name = name.map_err(|_| Refusal::bad(&"the path is not UTF-8"))?;
        names.push(name.into_owned());
    }
    let as_folder = names.len() > 1 && names.last().is_some_and(String::is_empty);
    if as_folder {
        names.pop();
    }
    let cid = names.remove(0);
    if names.iter().any(String::is_empty) {
        return Err(Refusal::bad(&"the path has an empty name"));
    }
    Ok((cid, names, as_folder))
}

#[derive(Debug, Default)]
struct Query {
    format: Option<String>,
    scope: Option<String>,
    bytes: Option<String>,
    version: Option<String>,
    order: Option<String>,
    filename: Option<String>,
    download: bool,
}

impl Query {
    fn read(text: &str) -> Result<Self, Refusal> {
        if text.len() > QUERY_BYTES_MAX {
            return Err(Refusal::new(StatusCode::URI_TOO_LONG, "the query is too long"));
        }
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let value = Some(value.into_owned());
            match name.as_ref() {
                "format" => query.format = value,
                "dag-scope" => query.scope = value,
                "entity-bytes" => query.bytes = value,
                "car-version" => query.version = value,
                "car-order" => query.order = value,
                "filename" => query.filename = value,
                "download" => query.download = value.as_deref() == Some("true"),
                // `car-dups` may be asked for, and is answered by `dups=n`; others mean nothing here.
                _ => {}
            }
        }
        Ok(query)
    }

    fn car(&self) -> Result<Car, Refusal> {
        if self.version.as_deref().is_some_and(|version| version != "1") {
            return Err(Refusal::bad(&"expected car-version 1"));
        }
        if self.order.as_deref().is_some_and(|order| order != "dfs" && order != "unk") {
            return Err(Refusal::bad(&"expected car-order dfs or unk"));
        }
        let scope = match self.scope.as_deref() {
            None | Some("all") if self.bytes.is_none() => Scope::All,
            None | Some("entity") => Scope::Entity,
            Some("block") => Scope::Block,
            Some("all") => Scope::All,
            Some(_) => return Err(Refusal::bad(&"expected dag-scope block, entity or all")),
        };
        let bytes = self.bytes.as_deref().map(EntityBytes::read).transpose()?;
        Ok(Car { scope, bytes })
    }
}

/// The query goes before what the client accepts.
fn format(query: &Query, headers: &HeaderMap) -> Result<Format, Refusal> {
    match query.format.as_deref() {
        Some("raw") => return Ok(Format::Raw),
        Some("car") => return Ok(Format::Car(query.car()?)),
        Some(_) => return Err(Refusal::bad(&"expected format raw or car")),
        None => {}
    }
    let lists = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let kinds: Vec<&str> = lists.flat_map(|list| list.split(',')).map(str::trim).collect();
    for kind in &kinds {
        let mut parts = kind.split(';').map(str::trim);
        match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            RAW => return Ok(Format::Raw),
            CAR if parts.clone().any(|part| part == "version=2") => {}
            CAR => return Ok(Format::Car(query.car()?)),
            _ => {}
        }
    }
    let special = |kind: &&str| {
        ["application/vnd.ipld.", "application/vnd.ipfs."].iter().any(|p| kind.starts_with(p))
    };
    if !kinds.is_empty() && kinds.iter().all(special) {
        let text = format!("expected {RAW} or {CAR} with version=1");
        return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, text));
    }
    Ok(Format::File)
}
