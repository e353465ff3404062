//! Which servers are asked beside the page's own: those that a person named, and those that the page's host names.
//!
//! Without the latter a host that stays behind or keeps answers back would be noticed by nobody who did not name a
//! second one. They are kept, so that they are asked while the page's host is down.

use light_client::{Input as Seen, ServerId};

use super::{Output, Wallet};
use crate::servers::{self, Added};

/// Most servers that are kept as unwanted. What was taken off longest ago may be asked again.
const UNWANTED_MAX: usize = 64;

impl Wallet {
    /// Begins with the page's own, and with what was kept.
    pub(super) fn open_servers(&mut self, origin: &str, out: &mut Vec<Output>) {
        let mine = self.saved.servers.clone();
        for url in [origin.to_owned()].into_iter().chain(mine) {
            if let Some(added) = self.servers.add(&url) {
                self.connect(added, out);
            }
        }
        self.follow_named(out);
    }

    /// The page's own host names these now.
    pub(super) fn on_named(&mut self, hosts: &str, out: &mut Vec<Output>) {
        let Some(origin) = self.servers.list.first() else { return };
        let named = servers::named(hosts, &origin.url);
        if named != self.saved.named {
            self.saved.named = named;
            self.follow_named(out);
            self.save(out);
        }
    }

    pub(super) fn add_server(
        &mut self,
        url: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), &'static str> {
        let added = self.servers.add(url).ok_or("server")?;
        self.saved.servers.push(added.url.clone());
        self.saved.unwanted.retain(|unwanted| *unwanted != added.url);
        self.connect(added, out);
        self.save(out);
        Ok(())
    }

    /// Asks it no more, whoever names it.
    pub(super) fn remove_server(&mut self, url: &str, out: &mut Vec<Output>) {
        let Some(id) = self.servers.remove(url) else { return };
        self.saved.servers.retain(|known| known != url);
        if self.saved.named.iter().any(|named| named == url) {
            self.saved.unwanted.push(url.to_owned());
            let over = self.saved.unwanted.len().saturating_sub(UNWANTED_MAX);
            self.saved.unwanted.drain(..over);
        }
        self.hang_up(id, out);
        // There may be room for another.
        self.follow_named(out);
        self.save(out);
    }

    fn follow_named(&mut self, out: &mut Vec<Output>) {
        let unwanted = |url: &&String| !self.saved.unwanted.contains(url);
        let wanted: Vec<String> = self.saved.named.iter().filter(unwanted).cloned().collect();
        for id in self.servers.keep_named(&wanted) {
            self.hang_up(id, out);
        }
        for url in wanted {
            out.extend(self.servers.name(&url).map(|id| Output::Connect(id, url)));
        }
    }

    fn connect(&mut self, added: Added, out: &mut Vec<Output>) {
        if let Some(id) = added.gone {
            self.hang_up(id, out);
        }
        out.extend(added.open.map(|id| Output::Connect(id, added.url)));
    }

    fn hang_up(&mut self, id: ServerId, out: &mut Vec<Output>) {
        out.push(Output::Hangup(id));
        self.see(Seen::Down(id), out);
    }
}
