//! A bug of ours must not stop the video: the page is told, and plays on without us.

use std::{panic, sync::Once};

use web_sys::Event;

/// Fired at `window` when the peer panicked. Nothing of it answers any more.
const EVENT: &str = "starling-panic";

/// From now on a panic is shown in the console and told to the page. An earlier hook still runs.
pub(crate) fn tell_the_page() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let earlier = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            earlier(info);
            web_sys::console::error_1(&["starling: ", &info.to_string()].concat().into());
            if let (Some(window), Ok(event)) = (web_sys::window(), Event::new(EVENT)) {
                let _ = window.dispatch_event(&event);
            }
        }));
    });
}
