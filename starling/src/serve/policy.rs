//! What the page's document may do in the browser.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use primitives::sha256;

use super::http::value;

/// Security headers of an HTML document. Its inline scripts are allowed by their hashes.
///
/// Any HLS URL can be pasted, so the page may connect to anything and show media and posters from
/// anywhere; code comes from here only. No COOP/COEP: nothing here needs shared memory, and they
/// would keep media of other origins out.
pub(super) fn set(headers: &mut HeaderMap, html: &[u8]) {
    headers.insert(header::CONTENT_SECURITY_POLICY, value(&content_security_policy(html)));
    let fixed = [
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
        ),
    ];
    for (name, text) in fixed {
        headers.insert(name, HeaderValue::from_static(text));
    }
}

/// Content Security Policy Level 3.
fn content_security_policy(html: &[u8]) -> String {
    let hashes: String = inline_scripts(&String::from_utf8_lossy(html))
        .map(|script| {
            format!(" 'sha256-{}'", STANDARD.encode(sha256(script.as_bytes()).as_bytes()))
        })
        .collect();
    [
        "default-src 'self'",
        &format!("script-src 'self' 'wasm-unsafe-eval'{hashes}"),
        "style-src 'self' 'unsafe-inline'",
        "img-src * data: blob:",
        "media-src * data: blob:",
        "connect-src * ws: wss: data: blob:",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    ]
    .join("; ")
}

/// The contents of the script elements without `src`.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (tag, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script")?;
        (!tag.contains(" src")).then_some(script)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest is the one of CSP Level 3, 8.3: `alert('Hello, world.');`.
    #[test]
    fn only_the_documents_own_inline_scripts_are_allowed() {
        let html = "<script src=\"/a.js\"></script>\
            <script type=module>alert('Hello, world.');</script>";
        let policy = content_security_policy(html.as_bytes());
        let expected = "script-src 'self' 'wasm-unsafe-eval' \
            'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=';";
        assert!(policy.contains(expected), "{policy}");
        assert!(!policy.contains("script-src 'self' 'unsafe-inline'"));
    }
}
