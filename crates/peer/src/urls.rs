//! The little that is needed of URLs. The browser resolves and checks the rest.

/// The URL up to its query or fragment.
pub(crate) fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// The URL of `path` in the folder of `url`. `path` is relative and stays below it
/// ([`media::is_safe_path`]), so that no other host is ever asked.
pub(crate) fn beside(url: &str, path: &str) -> String {
    let bare = without_query(url);
    let authority = bare.find("://").map_or(0, |at| at + 3);
    match bare[authority..].rfind('/') {
        Some(slash) => format!("{}{path}", &bare[..=authority + slash]),
        None => format!("{bare}/{path}"),
    }
}

/// The last step of the URL's path, without query and fragment.
pub(crate) fn file_name(url: &str) -> &str {
    without_query(url).rsplit('/').next().unwrap_or_default()
}

/// Whether another machine can fetch this: not `blob:`, `data:` or relative.
pub(crate) fn is_http(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_beside_a_playlist_keeps_folder_and_loses_query() {
        let check = |url, expected| assert_eq!(beside(url, "x/y.json"), expected);
        check("https://a.example/v/m.m3u8?t=/1", "https://a.example/v/x/y.json");
        check("https://a.example/m.m3u8", "https://a.example/x/y.json");
        check("https://a.example", "https://a.example/x/y.json");
        check("/v/m.m3u8#f", "/v/x/y.json");
        check("", "/x/y.json");
    }
}
