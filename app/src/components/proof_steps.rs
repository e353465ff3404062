//! How something is proved, step by step, and all of it to be checked elsewhere.

use leptos::prelude::*;
use wallet::view::Step;

use crate::components::copy::CopyText;
use crate::format::counted;

/// The steps; what is long is told by its size, and in the text to copy.
#[component]
pub(crate) fn ProofSteps(
    /// All of one proof.
    steps: Memo<Vec<Step>>,
) -> impl IntoView {
    let all = Signal::derive(move || {
        let steps = steps.read();
        let lines = steps.iter().map(|step| format!("{}\n{}\n", step.what, step.value));
        lines.collect::<Vec<_>>().join("\n")
    });
    view! {
        <ol>{move || steps.get().into_iter().map(row).collect_view()}</ol>
        <details id="proof-bytes" hidden=move || steps.read().is_empty()>
            <summary>"All of it, in hexadecimal"</summary>
            <p class="quiet">
                "The newest one. It changes with each block: copied at once, it belongs together."
            </p>
            <CopyText label="the proof" text=all />
        </details>
    }
}

fn row(step: Step) -> impl IntoView {
    let value = if step.is_long { size(&step.value) } else { step.value };
    view! {
        <li>
            <span>{step.what}</span>
            <code class="mono wrap">{value}</code>
        </li>
    }
}

/// How many bytes so many digits are.
fn size(hex: &str) -> String {
    counted(u64::try_from(hex.len() / 2).unwrap_or(u64::MAX), "byte", "bytes")
}
