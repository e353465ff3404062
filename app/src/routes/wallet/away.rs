//! That the page's own host does not answer, and who is read instead: what is proved needs no host in particular.

use leptos::prelude::*;
use wallet::view::{Server, View};

use crate::ledger::Ledger;

/// What is said of it; nothing while it answers.
fn words(view: &View) -> Option<String> {
    let (own, others) = view.servers.split_first()?;
    if !own.is_away {
        return None;
    }
    let useful = |one: &&Server| one.is_up && one.height > 0 && one.faults.is_empty();
    let read: Vec<&str> = others.iter().filter(useful).map(|one| place(&one.url)).collect();
    if !read.is_empty() {
        return Some(format!("Your host does not answer; read from {}.", read.join(" and ")));
    }
    let told = if view.neighbours.iter().any(|one| one.is_up) {
        "Your host does not answer; read from neighbours in your shares."
    } else if others.iter().any(|one| one.is_up) {
        "Your host does not answer. Another one is being asked."
    } else if others.is_empty() {
        "Your host does not answer, and no other one is known here. Name one on the page Ledger: it need not be trusted."
    } else {
        "Neither your host nor another one that is known here answers. They are tried again by themselves."
    };
    Some(told.to_owned())
}

/// An address without its scheme.
fn place(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, place)| place)
}

/// The line; hidden while the host answers.
#[component]
pub(super) fn Away() -> impl IntoView {
    let ledger = Ledger::get();
    let words = Memo::new(move |_| words(&ledger.view.read()));
    view! {
        <p class="quiet" id="away" role="status" hidden=move || words.read().is_none()>
            {move || words.get()}
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str, is_up: bool, height: u64) -> Server {
        Server {
            url: url.to_owned(),
            is_up,
            height,
            faults: Vec::new(),
            lies: false,
            is_away: !is_up,
            is_named: false,
        }
    }

    fn told(servers: Vec<Server>) -> Option<String> {
        words(&View { servers, ..View::default() })
    }

    #[test]
    fn who_is_read_is_named_only_while_the_own_host_is_away() {
        let own = |is_up| server("https://own.example", is_up, 7);
        let other = |height| server("https://other.example:8443", true, height);
        assert_eq!(told(Vec::new()), None, "the wallet has said nothing yet");
        assert_eq!(told(vec![own(true), other(9)]), None);
        let read = "Your host does not answer; read from other.example:8443.";
        assert_eq!(told(vec![own(false), other(9)]).as_deref(), Some(read));
        assert!(told(vec![own(false), other(0)]).unwrap().contains("is being asked"));
        assert!(told(vec![own(false)]).unwrap().contains("no other one is known here"));
        let both = vec![own(false), server("https://other.example", false, 9)];
        assert!(told(both).unwrap().starts_with("Neither"));
    }

    #[test]
    fn one_that_keeps_answers_back_is_not_named_as_read_and_neighbours_are() {
        let own = server("https://own.example", false, 0);
        let late = Server { faults: vec!["withholds".to_owned()], ..server("https://b", true, 9) };
        let mut view = View { servers: vec![own, late], ..View::default() };
        assert!(words(&view).unwrap().contains("is being asked"));
        view.neighbours = vec![server("ab", true, 9)];
        assert!(words(&view).unwrap().contains("read from neighbours"));
    }
}
