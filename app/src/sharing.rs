//! What the pages of files share: the handle, what is being made, and status that is looked at again and
//! again.
//!
//! The shares themselves come with the first page that wants them, or at once where some were open at the
//! last visit ([`crate::later`]). So nothing that every page calls may reach into them: what is called
//! from outside is held as `dyn`.

use core::any::Any;
use std::{collections::BTreeMap, rc::Rc, time::Duration};

use gloo_timers::future::sleep;
use leptos::prelude::*;
use leptos::task::spawn_local;
use peer_wasm::Peer;
use peer_wasm::files::{Files, FilesError, Gateway, Item, MakeOptions, ShareStatus};

use crate::blocks::Blocks;
use crate::browser;
use crate::later;
use crate::ledger::Ledger;
use crate::neighbours;
use crate::paying;
use crate::reporting;
use crate::session::Earned;
use crate::share_words::{Said, error};

/// Kept once there are shares on this device.
const SHARES_KEY: &str = "starling.shares";

/// Keeps the address of the gateway, where one is used.
const GATEWAY_KEY: &str = "starling.gateway";

/// How often it is looked whether the shares have started, and how many times.
const STARTS: (Duration, u32) = (Duration::from_millis(200), 75);

/// How often a share is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// Files being made into a share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Making {
    /// Nothing is.
    #[default]
    Nothing,
    /// Read and hashed.
    Reading {
        /// What it is called.
        name: String,
        /// Bytes done.
        done_bytes: u64,
        /// Bytes of all.
        all_bytes: u64,
    },
    /// It did not work.
    Failed(Said),
}

/// Handle to the shares of this page. Copied freely.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sharing {
    /// [`Files`], once they are started.
    files: StoredValue<Option<Rc<dyn Any>>, LocalStorage>,
    /// The same for pages that come without it.
    blocks: StoredValue<Option<Rc<dyn Blocks>>, LocalStorage>,
    limit: StoredValue<Limit, LocalStorage>,
    waiting: StoredValue<Waiting, LocalStorage>,
    /// What another page made for the Share page to take.
    handed: StoredValue<Vec<Item>, LocalStorage>,
    /// Where what is paid for bytes is settled; asleep until somebody pays or asks for payment.
    pub(crate) ledger: Ledger,
    /// There are shares, and those of the last visit are open.
    pub(crate) ready: RwSignal<bool>,
    /// What is being made.
    pub(crate) making: RwSignal<Making>,
    /// The share made last, by its CID: shown open.
    pub(crate) made: RwSignal<Option<String>>,
    /// Counts changes of the library.
    pub(crate) changed: RwSignal<u32>,
    /// The gateway that is asked for what nobody has, by its address.
    pub(crate) gateway: RwSignal<Option<String>>,
    /// What funds say was earned by shares, by their CIDs.
    pub(crate) earned: RwSignal<BTreeMap<String, Earned>>,
}

/// Bytes a second that shares may send, and who is to be told.
#[derive(Default)]
struct Limit {
    bytes_per_s: Option<u64>,
    told: Option<Rc<dyn Fn(Option<u64>)>>,
}

/// What is missing before shares can start.
#[derive(Default)]
struct Waiting {
    peer: Option<Peer>,
    is_wanted: bool,
    is_started: bool,
}

impl Sharing {
    /// No peer yet. The ledger is in the context already.
    pub(crate) fn new() -> Self {
        Self {
            files: StoredValue::new_local(None),
            blocks: StoredValue::new_local(None),
            limit: StoredValue::new_local(Limit::default()),
            waiting: StoredValue::new_local(Waiting::default()),
            handed: StoredValue::new_local(Vec::new()),
            ledger: Ledger::handle(),
            ready: RwSignal::new(false),
            making: RwSignal::new(Making::Nothing),
            made: RwSignal::new(None),
            changed: RwSignal::new(0),
            gateway: RwSignal::new(browser::kept(GATEWAY_KEY).filter(|text| !text.is_empty())),
            earned: RwSignal::new(BTreeMap::new()),
        }
    }

    /// The peer is there.
    pub(crate) fn peer_is(self, peer: Peer) {
        self.waiting.update_value(|waiting| waiting.peer = Some(peer));
        if browser::kept(SHARES_KEY).is_some() {
            self.want();
        } else {
            self.try_start();
        }
    }

    /// A page shows shares.
    pub(crate) fn want(self) {
        self.waiting.update_value(|waiting| waiting.is_wanted = true);
        self.try_start();
    }

    fn try_start(self) {
        let ready = |waiting: &mut Waiting| {
            let peer = waiting.peer.clone().filter(|_| waiting.is_wanted && !waiting.is_started)?;
            waiting.is_started = true;
            Some(peer)
        };
        let Some(peer) = self.waiting.try_update_value(ready).flatten() else { return };
        spawn_local(async move {
            match later::patiently(|| later::shares(self, peer.clone())).await {
                Ok(work) => work.await,
                // The page that wants them says that it did not load, and tries again.
                Err(_) => self.waiting.update_value(|waiting| waiting.is_started = false),
            }
        });
    }

    /// Opens what was open at the last visit.
    pub(crate) async fn start(self, peer: Peer) {
        let files = peer.files();
        self.files.set_value(Some(Rc::new(files.clone())));
        self.blocks.set_value(Some(Rc::new(files.clone())));
        let told = files.clone();
        self.limit.update_value(|limit| {
            told.set_upload_limit(limit.bytes_per_s);
            limit.told = Some(Rc::new(move |bytes_per_s| told.set_upload_limit(bytes_per_s)));
        });
        if let Some(address) = self.gateway.get_untracked() {
            // One that is no address any more is as none.
            files.set_gateway(Gateway::parse(&address).ok());
        }
        files.use_worker();
        neighbours::begin(&files, self.ledger);
        paying::resume(&files, self.ledger);
        spawn_local(reporting::run(files.clone(), peer, self));
        files.restore().await;
        self.ready.set(true);
        self.changed.update(|count| *count = count.wrapping_add(1));
    }

    /// Asks this gateway from now on, if one answers at the address.
    pub(crate) async fn use_gateway(self, address: &str) -> Result<(), Said> {
        let Some(files) = self.files() else { return Ok(()) };
        let gateway = Gateway::parse(address).map_err(|wrong| error(&wrong))?;
        gateway.probe().await.map_err(|wrong| error(&wrong))?;
        browser::keep(GATEWAY_KEY, gateway.address());
        self.gateway.set(Some(gateway.address().to_owned()));
        files.set_gateway(Some(gateway));
        Ok(())
    }

    /// Asks no gateway any more.
    pub(crate) fn use_no_gateway(self) {
        browser::keep(GATEWAY_KEY, "");
        self.gateway.set(None);
        if let Some(files) = self.files() {
            files.set_gateway(None);
        }
    }

    /// What all shares together may send from now on.
    pub(crate) fn set_upload_limit(self, bytes_per_s: Option<u64>) {
        self.limit.update_value(|limit| {
            limit.bytes_per_s = bytes_per_s;
            if let Some(told) = &limit.told {
                told(bytes_per_s);
            }
        });
    }

    /// The handle, once there is one.
    pub(crate) fn files(self) -> Option<Files> {
        self.files.with_value(|files| files.as_ref()?.downcast_ref::<Files>().cloned())
    }

    /// Single blocks, once the shares are started; none: there is no peer here, or the shares did not load.
    pub(crate) async fn blocks(self) -> Option<Rc<dyn Blocks>> {
        self.want();
        let (every, times) = STARTS;
        for _ in 0..times {
            let blocks = self.blocks.try_get_value().flatten();
            if blocks.is_some() {
                return blocks;
            }
            sleep(every).await;
        }
        None
    }

    /// Single blocks, if the shares are started.
    pub(crate) fn blocks_now(self) -> Option<Rc<dyn Blocks>> {
        self.blocks.try_get_value().flatten()
    }

    /// Something in the library changed.
    pub(crate) fn touch(self) {
        browser::keep(SHARES_KEY, "here");
        self.changed.update(|count| *count = count.wrapping_add(1));
    }

    /// Makes a share of these files.
    pub(crate) fn make(self, items: Vec<Item>, options: MakeOptions) {
        let Some(files) = self.files() else { return };
        let Some(first) = items.first() else { return };
        let name = match items.len() {
            1 => first.path.clone(),
            count => format!("{count} files"),
        };
        self.work(name, async move |progress: &dyn Fn(u64, u64)| {
            let link = files.make(&items, &options, progress).await?;
            self.made.set(cid_of(&link));
            Ok(())
        });
    }

    /// Hands the Share page files that it shares, for everybody, as soon as it is shown.
    pub(crate) fn hand(self, items: Vec<Item>) {
        self.handed.set_value(items);
    }

    /// What another page handed over; once.
    pub(crate) fn take_handed(self) -> Vec<Item> {
        self.handed.try_update_value(core::mem::take).unwrap_or_default()
    }

    /// What another app shared did not arrive.
    pub(crate) fn failed(self, wrong: &FilesError) {
        self.making.set(Making::Failed(error(wrong)));
    }

    /// Shares what is in a CAR.
    pub(crate) fn import_car(self, item: Item) {
        let Some(files) = self.files() else { return };
        self.work(item.path.clone(), async move |progress: &dyn Fn(u64, u64)| {
            let link = files.import_car(&item.file, progress).await?;
            self.made.set(cid_of(&link));
            Ok(())
        });
    }

    /// Goes on with a share whose files were chosen again.
    pub(crate) fn make_again(self, cid: String, items: Vec<Item>) {
        let Some(files) = self.files() else { return };
        self.work("the files".to_owned(), async move |progress: &dyn Fn(u64, u64)| {
            files.make_again(&cid, &items, progress).await
        });
    }

    fn work(
        self,
        name: String,
        work: impl AsyncFnOnce(&dyn Fn(u64, u64)) -> Result<(), FilesError> + 'static,
    ) {
        let progress = move |done_bytes, all_bytes| {
            self.making.set(Making::Reading { name: name.clone(), done_bytes, all_bytes });
        };
        progress(0, 0);
        spawn_local(async move {
            let next = match work(&progress).await {
                Ok(()) => Making::Nothing,
                Err(wrong) => Making::Failed(error(&wrong)),
            };
            self.making.set(next);
            self.touch();
        });
    }

    /// What is shown of a share, looked at again while the caller's owner lives.
    pub(crate) fn watch(self, cid: Signal<Option<String>>) -> RwSignal<Option<ShareStatus>> {
        let status = RwSignal::new(None);
        let look = move || {
            let now = cid.get_untracked().and_then(|cid| self.files()?.status(&cid));
            if *status.read_untracked() != now {
                status.set(now);
            }
        };
        Effect::new(move || {
            let _ = (cid.get(), self.ready.get(), self.changed.get());
            look();
        });
        if let Ok(looking) = set_interval_with_handle(look, LOOK_EVERY) {
            on_cleanup(move || looking.clear());
        }
        status
    }
}

/// The CID a link names.
pub(crate) fn cid_of(link: &str) -> Option<String> {
    let (_, rest) = link.split_once("#/get/")?;
    Some(rest.split('?').next().unwrap_or(rest).to_owned())
}

/// A link in full, to be sent.
pub(crate) fn full(link: &str) -> String {
    format!("{}/{link}", crate::browser::origin())
}

/// The same, with the fund that pays those who give it.
pub(crate) fn funded(link: &str, fund: Option<&str>) -> String {
    match fund {
        Some(fund) => full(&format!("?fund={}{link}", browser::encoded(fund))),
        None => full(link),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_called_by_its_cid() {
        assert_eq!(cid_of("https://h/#/get/bafy?k=x").as_deref(), Some("bafy"));
        assert_eq!(cid_of("#/get/bafy").as_deref(), Some("bafy"));
        assert_eq!(cid_of("#/watch"), None);
    }
}
