//! What a person may choose, and what others can see.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::browser;
use crate::components::cache::CachePanel;
use crate::components::earning::EarnSwitch;
use crate::components::heading::Heading;
use crate::components::hour_limit::{HandInSwitch, HourLimit};
use crate::components::kept::KeptPanel;
use crate::components::upload::{Switch, UploadLimit};
use crate::session::Session;
use crate::settings::Theme;

/// The settings page.
#[component]
pub(crate) fn SettingsPage() -> impl IntoView {
    browser::set_title("Settings");
    let session = Session::get();
    let settings = session.settings;
    view! {
        <div class="route">
            <Heading title="Settings" about="Kept in this browser, used at once." />
            <section class="card" aria-labelledby="sharing-title">
                <h2 id="sharing-title">"Sharing"</h2>
                <UploadLimit />
                <Switch
                    label="Also on metered connections"
                    help="Pass on over mobile data, and when the browser is told to save data."
                    on=Signal::derive(move || settings.read().upload_metered)
                    choose=move |on| session.choose(|settings| settings.upload_metered = on)
                />
                <EarnSwitch />
                <CachePanel />
                <KeptPanel />
            </section>
            <section class="card" aria-labelledby="paying-title">
                <h2 id="paying-title">"Paying for files"</h2>
                <HourLimit />
                <HandInSwitch />
            </section>
            <section class="card" aria-labelledby="privacy-title">
                <h2 id="privacy-title">"Privacy"</h2>
                <Switch
                    label="Hide my address from other viewers"
                    help="Exchange video only through a relay. Slower, and only where this site runs a relay."
                    on=Signal::derive(move || settings.read().relay_only)
                    choose=move |on| session.choose(|settings| settings.relay_only = on)
                />
                <Seen />
            </section>
            <section class="card" aria-labelledby="looks-title">
                <h2 id="looks-title">"Appearance"</h2>
                <ThemeChoice />
            </section>
            <p class="quiet">
                "Do you run this server? " <A href="/host">"See how it is."</A>
            </p>
        </div>
    }
}

/// What is seen by whom. Says what the protocol does, no more and no less.
#[component]
fn Seen() -> impl IntoView {
    view! {
        <div class="seen">
            <h3>"What others can see"</h3>
            <dl>
                <div>
                    <dt>"Viewers connected to you"</dt>
                    <dd>
                        "That someone watches this video, which parts are here, and, unless hidden above, your network address."
                    </dd>
                </div>
                <div>
                    <dt>"The signaling server"</dt>
                    <dd>"Your network address and which videos you open. It passes on no video."</dd>
                </div>
                <div>
                    <dt>"The video's site"</dt>
                    <dd>"What any site sees: your address and the parts you fetch from it. Fewer than usual."</dd>
                </div>
                <div>
                    <dt>"Who pays for a video"</dt>
                    <dd>
                        "Nothing, unless you choose to earn above and the video\u{2019}s link names a fund: then your network address, a key made for this visit, your account, and how much you got from which other viewers."
                    </dd>
                </div>
                <div>
                    <dt>"Others with a file that you are paid for"</dt>
                    <dd>
                        "Your account; two at a time also what you earned and did not hand in yet. They do that for you if you don\u{2019}t come back."
                    </dd>
                </div>
                <div>
                    <dt>"Everyone else"</dt>
                    <dd>"Nothing of what you watch: no cookie, and a new key at every visit. A wallet, if you open one, is an account of its own and public."</dd>
                </div>
            </dl>
        </div>
    }
}

#[component]
fn ThemeChoice() -> impl IntoView {
    let session = Session::get();
    let option = move |theme: Theme| {
        view! {
            <label class="segment">
                <input
                    type="radio"
                    name="theme"
                    value=theme.as_text()
                    prop:checked=move || session.settings.read().theme == theme
                    on:change=move |_| session.choose(|settings| settings.theme = theme)
                />
                <span>{theme.words()}</span>
            </label>
        }
    };
    view! {
        <fieldset class="segments">
            <legend class="visually-hidden">"Colours"</legend>
            {Theme::ALL.map(option).collect_view()}
        </fieldset>
    }
}
