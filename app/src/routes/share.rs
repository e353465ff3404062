//! Sharing files: drop them, send the link, watch them go.

use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::components::A;
use peer_wasm::files::{COPY_BYTES_MAX, FilesError, Item, MakeOptions, Remembered};

use crate::browser;
use crate::components::asking::Asking;
use crate::components::car::SaveCar;
use crate::components::funding::Funding;
use crate::components::icon::{Glyph, Icon};
use crate::components::link_card::LinkCard;
use crate::components::problems::Problems;
use crate::format::{bytes, percent, share, trimmed};
use crate::picked;
use crate::reporting;
use crate::session::Session;
use crate::share_words;
use crate::sharing::{Making, funded};

/// The page.
#[component]
pub(crate) fn Share() -> impl IntoView {
    browser::set_title("Share files");
    let sharing = Session::get().sharing;
    sharing.want();
    let mine = LocalResource::new(move || {
        let _ = (sharing.ready.get(), sharing.changed.get());
        async move {
            let Some(files) = sharing.files() else { return Vec::new() };
            let mut all = files.library().await;
            all.retain(|share| share.made && share.active);
            all
        }
    });
    let shown = move || mine.get().unwrap_or_default();
    view! {
        <div class="route">
            <div class="intro">
                <h1>"Send files straight to people"</h1>
                <p class="lead">
                    "Nothing is uploaded. Whoever opens your link fetches from you, and from everybody who already has a part. Encrypted unless you make it public, every block checked."
                </p>
            </div>
            <Problems />
            <Chooser />
            <div class="made" aria-live="polite">
                <For each=shown key=|share| (share.cid.clone(), share.needs_files) let:share>
                    <Mine share />
                </For>
            </div>
            <p class="quiet library-link">
                <A href="/library">"Everything you sent and received"</A>
            </p>
        </div>
    }
}

/// Where files are dropped, and what goes with them.
#[component]
fn Chooser() -> impl IntoView {
    let sharing = Session::get().sharing;
    let (over, locked, public) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let (password, lasts_s) = (NodeRef::<Input>::new(), RwSignal::new(0_u64));
    let take = move |items: Vec<Item>| {
        let chosen = password.get_untracked().map(|input| input.value());
        let lasts = lasts_s.get_untracked();
        let options = MakeOptions {
            password: chosen.filter(|text| locked.get_untracked() && !text.is_empty()),
            ends_at_s: (lasts > 0).then(|| browser::now_s() + lasts),
            public: public.get_untracked(),
        };
        sharing.make(items, options);
    };
    let import = move |items: Vec<Item>| {
        if let Some(item) = items.into_iter().next() {
            sharing.import_car(item);
        }
    };
    Effect::new(move || {
        if sharing.ready.get() {
            let handed = sharing.take_handed();
            if !handed.is_empty() {
                sharing.make(handed, MakeOptions { public: true, ..MakeOptions::default() });
            }
            spawn_local(async move {
                match browser::query("shared").as_deref() {
                    Some("full") => sharing.failed(&FilesError::Full),
                    Some(_) => sharing.failed(&FilesError::Unreadable),
                    None => {}
                }
                let items = picked::from_device().await;
                if !items.is_empty() {
                    take(items);
                }
            });
        }
    });
    let dropped = move |event: leptos::ev::DragEvent| {
        event.prevent_default();
        over.set(false);
        if let Some(transfer) = event.data_transfer() {
            let reading = picked::from_transfer(&transfer);
            spawn_local(async move { take(reading.await) });
        }
    };
    let dragged = move |event: leptos::ev::DragEvent| {
        if event.data_transfer().is_some_and(|transfer| picked::carries_files(&transfer)) {
            event.prevent_default();
            over.set(true);
        }
    };
    let pasted = window_event_listener(leptos::ev::paste, move |event| {
        let transfer = event.clipboard_data();
        if let Some(transfer) = transfer.filter(picked::carries_files) {
            let reading = picked::from_transfer(&transfer);
            spawn_local(async move { take(reading.await) });
        }
    });
    on_cleanup(move || pasted.remove());
    view! {
        <section
            class="drop"
            class:drop--over=over
            aria-label="Files to share"
            on:dragenter=dragged
            on:dragover=dragged
            on:dragleave=move |_| over.set(false)
            on:drop=dropped
        >
            <Show when=move || !matches!(sharing.making.get(), Making::Reading { .. }) fallback=|| view! { <Reading /> }>
                <p class="drop-title drop-hint">"Drop files or a folder here"</p>
                <p class="quiet drop-hint">"or paste them"</p>
                <p class="drop-title drop-tap">"What do you want to send?"</p>
                <div class="actions">
                    <Pick id="pick-files" words="Choose files" folder=false take />
                    <Pick id="pick-folder" words="Choose a folder" folder=true take />
                </div>
                <Pick id="pick-car" words="Open a CAR" folder=false take=import quiet=true />
            </Show>
            <p class="quiet quiet--warn drop-wrong" aria-live="polite">
                {move || match sharing.making.get() {
                    Making::Failed(said) => format!("{} {}", said.headline, said.detail),
                    _ => String::new(),
                }}
            </p>
        </section>
        <Options locked password lasts_s public />
    }
}

/// A button in front of a file input, which can't be styled.
#[component]
fn Pick(
    id: &'static str,
    words: &'static str,
    folder: bool,
    take: impl Fn(Vec<Item>) + Copy + 'static,
    /// For few: beside the others it is small.
    #[prop(default = false)]
    quiet: bool,
) -> impl IntoView {
    let ready = Session::get().sharing.ready;
    let input = NodeRef::<Input>::new();
    Effect::new(move || {
        if let Some(input) = input.get().filter(|_| folder) {
            input.set_webkitdirectory(true);
        }
    });
    let glyph = if folder { Glyph::Folder } else { Glyph::File };
    let picked = move |_| {
        if let Some(input) = input.get_untracked() {
            let items = picked::from_input(&input);
            if !items.is_empty() {
                take(items);
            }
        }
    };
    view! {
        <input
            id=id
            class="visually-hidden"
            node_ref=input
            type="file"
            multiple
            tabindex="-1"
            aria-hidden="true"
            on:change=picked
        />
        <button
            class="button"
            class:button--strong={!folder && !quiet}
            class:button--quiet=quiet
            type="button"
            disabled=move || !ready.get()
            on:click=move |_| picked::pick(id)
        >
            <Icon glyph />
            {words}
        </button>
    }
}

/// How far reading is.
#[component]
fn Reading() -> impl IntoView {
    let sharing = Session::get().sharing;
    let now = move || match sharing.making.get() {
        Making::Reading { name, done_bytes, all_bytes } => (name, done_bytes, all_bytes),
        _ => (String::new(), 0, 0),
    };
    let part = move || {
        let (_, done, all) = now();
        share(done, all)
    };
    view! {
        <div class="reading">
            <p class="drop-title num">{move || format!("Preparing {}", now().0)}</p>
            <div class="progress">
                <span class="progress-held" style:transform=move || format!("scaleX({:.4})", part())></span>
            </div>
            <p class="quiet num">
                {move || format!("{} of {}", percent(part()), bytes(now().2))}
            </p>
        </div>
    }
}

/// A password, and how long the link works.
#[component]
fn Options(
    locked: RwSignal<bool>,
    password: NodeRef<Input>,
    lasts_s: RwSignal<u64>,
    public: RwSignal<bool>,
) -> impl IntoView {
    const LASTS: [(u64, &str); 4] =
        [(0, "No end"), (3_600, "1 hour"), (86_400, "1 day"), (604_800, "1 week")];
    let option = move |(seconds, words): (u64, &'static str)| {
        view! {
            <label class="segment">
                <input
                    type="radio"
                    name="lasts"
                    value=seconds.to_string()
                    prop:checked=move || lasts_s.get() == seconds
                    on:change=move |_| lasts_s.set(seconds)
                />
                <span>{words}</span>
            </label>
        }
    };
    let readers = move |(is_public, words): (bool, &'static str)| {
        view! {
            <label class="segment">
                <input
                    type="radio"
                    name="readers"
                    value=if is_public { "public" } else { "link" }
                    prop:checked=move || public.get() == is_public
                    on:change=move |_| public.set(is_public)
                />
                <span>{words}</span>
            </label>
        }
    };
    view! {
        <div class="share-options">
            <div class="share-lasts">
                <span id="lasts-title" class="quiet">"How long the link works"</span>
                <fieldset class="segments" aria-labelledby="lasts-title">
                    {LASTS.map(option).collect_view()}
                </fieldset>
            </div>
            <div class="share-lasts">
                <span id="readers-title" class="quiet">"Who can read it"</span>
                <fieldset class="segments" aria-labelledby="readers-title">
                    {[(false, "Who has the link"), (true, "Public")].map(readers).collect_view()}
                </fieldset>
            </div>
            <p class="quiet share-public" hidden=move || !public.get()>
                "Not encrypted. The link names the content itself, by the CID that IPFS tools give it: whoever knows the CID can fetch it, and pass it on."
            </p>
            <div class="share-lock" hidden=public>
                <label class="lock-choice">
                    <input
                        class="switch"
                        type="checkbox"
                        role="switch"
                        prop:checked=locked
                        on:change=move |event| locked.set(event_target_checked(&event))
                    />
                    <span>"Ask for a password"</span>
                </label>
                <div class="field" hidden=move || !locked.get()>
                    <input
                        id="share-password"
                        node_ref=password
                        type="text"
                        autocomplete="off"
                        autocapitalize="off"
                        spellcheck="false"
                        placeholder="Password"
                        aria-label="Password for the link"
                    />
                </div>
            </div>
        </div>
    }
}

/// One share made here: its link, who has it, and stopping.
#[component]
fn Mine(share: Remembered) -> impl IntoView {
    let sharing = Session::get().sharing;
    let cid = StoredValue::new(share.cid.clone());
    let status = sharing.watch(Signal::stored(Some(share.cid.clone())));
    let said =
        Memo::new(move |_| status.read().as_ref().map(share_words::sending).unwrap_or_default());
    let fund = RwSignal::new(reporting::own_fund(&share.cid));
    let bare = share.link.clone();
    let link = Signal::derive(move || funded(&bare, fund.read().as_deref()));
    let open = sharing.made.get_untracked().as_ref() == Some(&share.cid);
    let stop = move |_| {
        spawn_local(async move {
            if let Some(files) = sharing.files() {
                // One that can't be written down is stopped until the page is loaded again.
                drop(files.stop(&cid.get_value()).await);
            }
            sharing.touch();
        });
    };
    let again = share.needs_files;
    view! {
        <section
            class="card transfer"
            data-share=share.cid.clone()
            data-peers=move || status.read().as_ref().map_or(0, |s| s.share.peers.len()).to_string()
        >
            <div class="transfer-head transfer-head--row">
                <div>
                    <h2>{share.name.clone()}</h2>
                    <p class="quiet num">
                        {bytes(share.size_bytes)}
                        {share.ends_at_s.map(|end| format!(", {}", ends(end)))}
                        {share.link.contains("?p=").then_some(", with a password")}
                        {share.public.then_some(", public")}
                    </p>
                </div>
                <button class="button" type="button" data-do="stop" on:click=stop>
                    "Stop sharing"
                </button>
            </div>
            <details class="link-details" open={open || !again}>
                <summary>"Link and code"</summary>
                <LinkCard link />
            </details>
            <div class="transfer-state">
                <p class="transfer-line num" aria-live="polite">{move || said.read().headline.clone()}</p>
                <p class="quiet num transfer-detail">{move || said.read().detail.clone()}</p>
            </div>
            <Asking cid=share.cid.clone() name=share.name.clone() />
            <Funding cid=share.cid.clone() fund />
            {share.public.then(|| view! { <div class="transfer-actions"><SaveCar cid=Signal::stored(Some(share.cid.clone())) /></div> })}
            {again.then(|| view! { <Again cid=share.cid.clone() size_bytes=share.size_bytes /> })}
        </section>
    }
}

/// Asks for the files of a large share after a reload: they were read where they are.
#[component]
fn Again(cid: String, size_bytes: u64) -> impl IntoView {
    let sharing = Session::get().sharing;
    let cid = StoredValue::new(cid);
    let take = move |items| sharing.make_again(cid.get_value(), items);
    view! {
        <div class="problem">
            <Icon glyph=Glyph::Note />
            <div class="again">
                <p>
                    <strong>"Choose the same files to go on."</strong>
                    " "
                    {if size_bytes > COPY_BYTES_MAX {
                        format!(
                            "Shares above {} are read where they are, without a copy.",
                            trimmed(&bytes(COPY_BYTES_MAX)),
                        )
                    } else {
                        "The page was closed before its copy was ready.".to_owned()
                    }}
                </p>
                <div class="actions">
                    <Pick id="again-files" words="Choose files" folder=false take />
                    <Pick id="again-folder" words="Choose a folder" folder=true take />
                </div>
            </div>
        </div>
    }
}

/// When a share ends, from now.
pub(crate) fn ends(end_s: u64) -> String {
    match end_s.saturating_sub(browser::now_s()) {
        0 => "ended".to_owned(),
        1..=5_400 => {
            format!("ends in {}\u{a0}min", end_s.saturating_sub(browser::now_s()).div_ceil(60))
        }
        left @ 5_401..=172_800 => format!("ends in {}\u{a0}h", left.div_ceil(3_600)),
        left => format!("ends in {}\u{a0}days", left.div_ceil(86_400)),
    }
}
