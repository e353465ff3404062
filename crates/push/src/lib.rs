//! Telling people who closed the page: subscriptions, when there is news for one, and how a message is sealed.
//!
//! Sans-IO. A driver has the addresses, the ledger, the clock and the entropy. It keeps a [`List`] on disk, asks it
//! whose health to look at, says what it saw, sends the [`Alert`]s that come of it, and says what became of them.
//!
//! | part | source |
//! |---|---|
//! | [`Vapid`]: who sends, to a push service | RFC 8292 |
//! | [`Recipient::seal`]: a message that the browser alone reads | RFC 8291, RFC 8188 |
//! | [`List`]: who is subscribed, within bounds | `docs/spec/push.md` |
//! | [`Level`]: when health is news, and when it is no more | `docs/spec/push.md`, "When" |
//!
//! Laws:
//! - a subscription is told once that it got worse, and not again before it has become clearly better;
//! - everything a stranger can make grow has a bound, named in [`limits`];
//! - a message holds nothing that the ledger does not say to everybody.
//!
//! Nothing here panics whatever a stranger, a push service or the file on disk says.

mod level;
pub mod limits;
mod list;
mod message;
mod seal;
mod subscription;
mod text;
mod vapid;

pub use level::{Health, Level, ONE};
pub use list::{Alert, Damaged, List, Look, Outcome, Place};
pub use message::{Message, Topic};
pub use seal::{Once, Recipient, Unusable};
pub use subscription::{Account, Forget, Letter, Name, Network, Refused, Wish};
pub use vapid::Vapid;
