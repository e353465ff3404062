//! Passkeys whose PRF opens the seed (WebAuthn 3, 10.1.4), where the browser has it.

use identity::session::{Command, Secret, Way};
use js_sys::{Array, Object, Reflect, Uint8Array};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::desk::{Desk, Said};

/// ES256 and RS256, as COSE numbers them: what authenticators have.
const ALGORITHMS: [i32; 2] = [-7, -257];
/// Said where a passkey can't open anything.
const NO_PRF: &str =
    "This passkey can\u{2019}t open a secret (it has no PRF), or it was dismissed. Use a password.";

/// What a passkey gave.
struct Given {
    id: Vec<u8>,
    /// Of its PRF.
    output: Vec<u8>,
}

/// A button that makes a passkey a way in.
#[component]
pub(super) fn AddPasskey() -> impl IntoView {
    let desk = Desk::get();
    let add = move |_| {
        desk.run("passkey", Command::Salt, move |answer| {
            spawn_local(async move {
                match make(&answer.bytes).await {
                    Some(Given { id, output }) => {
                        let output = Secret::new(output);
                        let command = Command::Passkey { id: id.into(), output };
                        desk.run("passkey", command, |_| ());
                    }
                    None => desk.say("passkey", NO_PRF),
                }
            });
        });
    };
    view! {
        <Show when=is_there>
            <div class="dialog-actions">
                <button id="passkey-add" class="button" type="button" disabled=move || desk.busy.get() on:click=add>
                    "Use a passkey"
                </button>
            </div>
            <Said place="passkey" />
        </Show>
    }
}

/// A button that opens by one of the passkeys.
#[component]
pub(super) fn OpenByPasskey() -> impl IntoView {
    let desk = Desk::get();
    let open = move |_| {
        let slots = desk.keys.view.read_untracked().slots.clone();
        spawn_local(async move {
            let Some(Given { id, output }) = ask(&slots).await else {
                desk.say("passkey-open", NO_PRF);
                return;
            };
            let is_it = |way: &Way| matches!(way, Way::Passkey { id: known, .. } if **known == id);
            let place = slots.iter().position(is_it).and_then(|place| u8::try_from(place).ok());
            let Some(slot) = place else { return };
            let with = Secret::new(output);
            desk.run("passkey-open", Command::Unlock { slot, with }, move |_| desk.retry());
        });
    };
    view! {
        <div class="dialog-actions">
            <button id="passkey-open" class="button" type="button" disabled=move || desk.busy.get() on:click=open>
                "Open by passkey"
            </button>
        </div>
        <Said place="passkey-open" />
    }
}

/// Whether the browser has passkeys.
fn is_there() -> bool {
    Reflect::get(&window(), &"PublicKeyCredential".into()).is_ok_and(|value| value.is_truthy())
}

/// Makes a passkey. Browsers that give nothing of the PRF then are asked once more.
async fn make(salt: &[u8]) -> Option<Given> {
    let kinds: Array = ALGORITHMS
        .iter()
        .map(|number| object(&[("type", "public-key".into()), ("alg", (*number).into())]))
        .collect();
    let options = object(&[
        ("challenge", random()),
        ("rp", object(&[("name", "Starling".into())])),
        (
            "user",
            object(&[
                ("id", random()),
                ("name", "Starling".into()),
                ("displayName", "Starling".into()),
            ]),
        ),
        ("pubKeyCredParams", kinds.into()),
        (
            "authenticatorSelection",
            object(&[("residentKey", "preferred".into()), ("userVerification", "required".into())]),
        ),
        ("extensions", prf(&[("eval", object(&[("first", bytes(salt))]))])),
    ]);
    let made = credential("create", &options).await?;
    let id = id_of(&made)?;
    match output_of(&made) {
        Some(output) => Some(Given { id, output }),
        None => ask(&[Way::Passkey { id: id.into(), salt: salt.to_vec().into() }]).await,
    }
}

/// Asks whichever of the passkeys is at hand for what its PRF gives for its salt.
async fn ask(ways: &[Way]) -> Option<Given> {
    let (allowed, salts) = (Array::new(), Object::new());
    for way in ways {
        let Way::Passkey { id, salt } = way else { continue };
        allowed.push(&object(&[("type", "public-key".into()), ("id", bytes(id))]));
        let eval = object(&[("first", bytes(salt))]);
        Reflect::set(&salts, &base64url(id).into(), &eval).ok()?;
    }
    let options = object(&[
        ("challenge", random()),
        ("allowCredentials", allowed.into()),
        ("userVerification", "required".into()),
        ("extensions", prf(&[("evalByCredential", salts.into())])),
    ]);
    let given = credential("get", &options).await?;
    Some(Given { id: id_of(&given)?, output: output_of(&given)? })
}

async fn credential(what: &str, options: &JsValue) -> Option<JsValue> {
    let container = field(&window().navigator(), "credentials")?;
    let call: js_sys::Function = field(&container, what)?.dyn_into().ok()?;
    let argument = object(&[("publicKey", options.clone())]);
    let promise: js_sys::Promise = call.call1(&container, &argument).ok()?.dyn_into().ok()?;
    JsFuture::from(promise).await.ok().filter(JsValue::is_truthy)
}

fn id_of(credential: &JsValue) -> Option<Vec<u8>> {
    Some(Uint8Array::new(&field(credential, "rawId")?).to_vec())
}

fn output_of(credential: &JsValue) -> Option<Vec<u8>> {
    let call: js_sys::Function = field(credential, "getClientExtensionResults")?.dyn_into().ok()?;
    let results = field(&field(&call.call0(credential).ok()?, "prf")?, "results")?;
    let output = Uint8Array::new(&field(&results, "first")?).to_vec();
    (output.len() == 32).then_some(output)
}

fn prf(fields: &[(&str, JsValue)]) -> JsValue {
    object(&[("prf", object(fields))])
}

fn field(of: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(of, &name.into()).ok().filter(JsValue::is_truthy)
}

fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // A plain object takes any field.
        drop(Reflect::set(&object, &(*name).into(), value));
    }
    object.into()
}

fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

/// 32 random bytes: nobody checks what a passkey signs here, only what its PRF gives counts.
fn random() -> JsValue {
    let bytes = Uint8Array::new_with_length(32);
    if let Ok(crypto) = window().crypto() {
        // Refused for more than 65,536 bytes only.
        drop(crypto.get_random_values_with_js_u8_array(&bytes));
    }
    bytes.into()
}

/// base64url without padding, as WebAuthn names passkeys.
fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let word = part.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let word = word << (8 * (3 - part.len()));
        for place in 0..=part.len() {
            let index = usize::try_from(word >> (18 - 6 * place) & 63).unwrap_or_default();
            text.push(char::from(LETTERS[index]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64url;

    /// RFC 4648, 10, without padding.
    #[test]
    fn names_of_passkeys_are_base64url() {
        let pairs = [("", ""), ("s", "cw"), ("st", "c3Q"), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, text) in pairs {
            assert_eq!(base64url(plain.as_bytes()), text);
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }
}
