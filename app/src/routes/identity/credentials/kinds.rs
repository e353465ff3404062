//! Types of credentials that pages know by a title, and what they say.

use identity::credentials::{Said, Wanted};

/// A type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// Its `vct`; empty: the person names it.
    pub(super) vct: &'static str,
    /// What it is called.
    pub(super) title: &'static str,
    /// What an issuer fills in, a claim a line.
    pub(super) claims: &'static str,
    /// What a verifier asks for, a claim a line.
    pub(super) asked: &'static str,
}

/// Types that pages offer; the last one is free.
pub(super) const KINDS: [Kind; 4] = [
    Kind {
        vct: "urn:starling:vct:age:1",
        title: "Proof of age",
        claims: "age_equal_or_over/16 = yes\nage_equal_or_over/18 = yes",
        asked: "age_equal_or_over/18 = yes",
    },
    Kind {
        vct: "urn:starling:vct:person:1",
        title: "Person",
        claims: "given_name = \nfamily_name = \nbirthdate = \nage_equal_or_over/18 = yes",
        asked: "age_equal_or_over/18 = yes",
    },
    Kind {
        vct: "urn:starling:vct:member:1",
        title: "Membership",
        claims: "organisation = \nmember_number = \nmember_since = ",
        asked: "organisation",
    },
    Kind { vct: "", title: "Another type", claims: "", asked: "" },
];

/// What a type is called; itself, where it has no title here.
pub(super) fn title(vct: &str) -> &str {
    let known = KINDS.iter().find(|kind| kind.vct == vct && !vct.is_empty());
    known.map_or(vct, |kind| kind.title)
}

/// Claims of lines: a name, `=`, a value. None: a line has no value.
pub(super) fn said(lines: &str) -> Option<Vec<Said>> {
    let one = |line: &str| {
        let (path, value) = line.split_once('=')?;
        let (path, value) = (path.trim().to_owned(), value.trim().to_owned());
        (!path.is_empty() && !value.is_empty()).then_some(Said { path, value })
    };
    lines.lines().filter(|line| !line.trim().is_empty()).map(one).collect()
}

/// What is asked for, of lines: a name, and a value where only that will do.
pub(super) fn wanted(lines: &str) -> Vec<Wanted> {
    let one = |line: &str| {
        let (path, value) = line.split_once('=').unwrap_or((line, ""));
        Wanted { path: path.trim().to_owned(), value: value.trim().to_owned() }
    };
    lines.lines().filter(|line| !line.trim().is_empty()).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_claims_and_one_without_a_value_is_none() {
        let claims = said("given_name = Ann\n\n age/18=yes ").unwrap();
        let claims: Vec<_> = claims.iter().map(|one| (&*one.path, &*one.value)).collect();
        assert_eq!(claims, [("given_name", "Ann"), ("age/18", "yes")]);
        assert_eq!(said("given_name = "), None);
        assert_eq!(said("given_name"), None);
        let asked = wanted("given_name\nage/18 = yes");
        let asked: Vec<_> = asked.iter().map(|one| (&*one.path, &*one.value)).collect();
        assert_eq!(asked, [("given_name", ""), ("age/18", "yes")]);
    }

    #[test]
    fn known_types_have_titles() {
        assert_eq!(title("urn:starling:vct:age:1"), "Proof of age");
        assert_eq!(title("urn:other"), "urn:other");
        assert_eq!(title(""), "");
        assert!(KINDS.iter().all(|kind| kind.vct.is_empty() || !kind.asked.is_empty()));
    }
}
