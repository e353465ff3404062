//! What this is, at once playing.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::browser;
use crate::components::icon::{Glyph, Icon};
use crate::components::open_url::OpenUrl;
use crate::components::problems::Problems;
use crate::components::share::ShareButton;
use crate::components::truth::Truth;
use crate::session::Session;

/// The home page.
#[component]
pub(crate) fn Home() -> impl IntoView {
    browser::set_title("Watch together");
    let session = Session::get();
    let demo = LocalResource::new(|| async { browser::exists(&Session::demo_url()).await });
    let missing = Memo::new(move |_| demo.get().flatten() == Some(false));
    let details = move || session.watch_path();
    view! {
        <div class="route" data-empty=move || missing.get().to_string()>
            <div class="intro">
                <h1>"Video that viewers carry together"</h1>
                <p class="lead">
                    "Everyone who watches passes on what they have just seen. The more people watch, the less one site has to send."
                </p>
            </div>
            <div class="below">
                <Problems />
                <div class="empty" hidden=move || !missing.get()>
                    <p class="empty-title">"No video is set up here yet"</p>
                    <p class="quiet">"Paste the address of any HLS stream below, and share the page to watch it together."</p>
                </div>
                <div class="now" hidden=missing>
                    <Truth />
                    <div class="actions">
                        <ShareButton />
                        <A href=details attr:class="button">
                            "See who sends what"
                            <Icon glyph=Glyph::Arrow />
                        </A>
                    </div>
                </div>
                <OpenUrl />
            </div>
        </div>
    }
}
