//! Words of strangers, which pages show.

/// Whether nothing in it moves other words about, or hides.
pub(crate) fn are_plain(text: &str) -> bool {
    !text.contains(is_odd)
}

/// The text without such letters, at most `bytes_max` bytes of it.
pub(crate) fn made_plain(text: &str, bytes_max: usize) -> String {
    let mut plain = String::new();
    for letter in text.trim().chars().filter(|letter| !is_odd(*letter)) {
        if plain.len() + letter.len_utf8() > bytes_max {
            break;
        }
        plain.push(letter);
    }
    plain
}

/// Letters that have no place of their own.
fn is_odd(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_words_about_is_left_out() {
        assert!(are_plain("Ärger (12).pdf"));
        assert!(!are_plain("a\u{202e}fdp.exe") && !are_plain("a\nb"));
        assert_eq!(made_plain(" a\u{202e}fdp.exe\n", 255), "afdp.exe");
        assert_eq!(made_plain("äöü", 5), "äö");
    }
}
