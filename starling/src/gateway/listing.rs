//! A folder without an `index.html`.

use ::content::FolderLink;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Most entries that are shown.
pub(super) const ENTRIES_MAX: usize = 10_000;
/// What stands in a link as it is (RFC 3986, 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The page of a folder. `path` is as it was asked for; `more`: there are others that are not shown.
pub(super) fn page(path: &str, at_root: bool, links: &[FolderLink], more: bool) -> String {
    let title = escape(&percent_encoding::percent_decode_str(path).decode_utf8_lossy());
    let mut rows = String::new();
    if !at_root {
        rows.push_str("<tr><td><a href=\"../\">../</a><td><td>\n");
    }
    let mut sorted: Vec<&FolderLink> = links.iter().take(ENTRIES_MAX).collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    for FolderLink { name, cid, tree_bytes } in sorted {
        let (href, name) = (utf8_percent_encode(name, ESCAPED), escape(name));
        rows.push_str(&format!(
            "<tr><td><a href=\"./{href}\">{name}</a><td>{tree_bytes}<td><a \
             href=\"/ipfs/{cid}\"><code>{cid}</code></a>\n"
        ));
    }
    let more = if more || links.len() > ENTRIES_MAX { "<p>There are more.</p>" } else { "" };
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport \
         content=\"width=device-width\"><title>{title}</title><style>body{{font:16px \
         system-ui;margin:2rem auto;max-width:60rem;padding:0 \
         1rem;color-scheme:light dark}}td{{padding:.2rem .8rem .2rem \
         0;overflow-wrap:anywhere}}td:nth-child(2){{text-align:right}}</style><h1>{title}</h1>\n\
         <table><thead><tr><th scope=col>name<th scope=col>bytes<th scope=col>CID\n\
         <tbody>\n{rows}</table>{more}\n"
    )
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use ::content::{Cid, Codec};

    use super::*;

    #[test]
    fn a_name_is_text_and_stays_in_the_folder() {
        let cid = Cid::of(Codec::Raw, b"x");
        let link = |name: &str| FolderLink { name: name.to_owned(), cid, tree_bytes: 1 };
        let names = ["<script>alert(1)</script>", "a b?c#d", "\"onload=\"x"];
        let page = page("/ipfs/x/%3Cb%3E/", false, &names.map(link), false);
        assert!(!page.contains("<script") && !page.contains("<b>") && page.contains("&lt;b&gt;"));
        assert!(page.contains("href=\"./a%20b%3Fc%23d\""), "{page}");
        assert!(page.contains("href=\"./%22onload%3D%22x\""), "{page}");
        assert!(page.contains("href=\"../\""));
    }
}
