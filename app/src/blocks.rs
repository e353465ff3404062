//! Single public blocks, for pages that come without the shares of files: the status lists of issuers.
//!
//! [`Sharing`](crate::sharing::Sharing) holds them as `dyn`, so that such a page reaches nothing of the shares' own code.

use core::{future::Future, pin::Pin};

use js_sys::{Array, Uint8Array};
use peer_wasm::files::{Files, FilesError, Item, MakeOptions};

use crate::share_words::{Said, error};
use crate::sharing::cid_of;

/// Longest wait for neighbours and a gateway, in milliseconds.
const WAIT_MS: u32 = 20_000;
/// Shares of one name that stay: the newest, and the one before, until nobody asks for it any more.
const KEPT: usize = 2;

/// What comes later.
pub(crate) type Later<T> = Pin<Box<dyn Future<Output = T>>>;

/// Blocks by their names.
pub(crate) trait Blocks {
    /// The bytes of a name, from neighbours, or the gateway that the person chose. None: nobody gave it in time.
    fn block(&self, cid: String) -> Later<Option<Vec<u8>>>;

    /// Gives a file publicly from now on, in place of older ones of its name that were made here; its link.
    fn give(&self, name: String, bytes: Vec<u8>) -> Later<Result<String, Said>>;

    /// Whether a share is open here.
    fn is_given(&self, cid: &str) -> bool;
}

impl Blocks for Files {
    fn block(&self, cid: String) -> Later<Option<Vec<u8>>> {
        let files = self.clone();
        Box::pin(async move { Self::block(&files, &cid, WAIT_MS).await })
    }

    fn give(&self, name: String, bytes: Vec<u8>) -> Later<Result<String, Said>> {
        let files = self.clone();
        Box::pin(async move { give(&files, &name, &bytes).await.map_err(|wrong| error(&wrong)) })
    }

    fn is_given(&self, cid: &str) -> bool {
        self.status(cid).is_some()
    }
}

async fn give(files: &Files, name: &str, bytes: &[u8]) -> Result<String, FilesError> {
    let parts = Array::of1(&Uint8Array::from(bytes));
    let file = web_sys::File::new_with_u8_array_sequence(&parts, name);
    let items = [Item { path: name.to_owned(), file: file.map_err(|_| FilesError::Unreadable)? }];
    let options = MakeOptions { public: true, ..MakeOptions::default() };
    let link = files.make(&items, &options, &|_, _| ()).await?;
    let made = cid_of(&link);
    let all = files.library().await.into_iter();
    let older = all.filter(|one| {
        one.made && one.public && one.name == name && Some(&one.cid) != made.as_ref()
    });
    // The one that was used last comes first.
    for one in older.skip(KEPT - 1) {
        // One that can't be taken away is given a little longer.
        drop(files.remove(&one.cid).await);
    }
    Ok(link)
}
