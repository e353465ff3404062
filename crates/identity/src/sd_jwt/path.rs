//! Where a claim is: names of members and numbers of elements, from the top.

use core::fmt;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// To the member of an object.
    Name(String),
    /// To the element of an array, counted from 0 among those that are there: for an issuer all, for a verifier
    /// those that are shown.
    Index(usize),
}

/// The way from the top to a claim. Shown as RFC 6901 does: `/address/street`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The path of a text: steps after slashes; digits alone are the number of an element. `~1` is a
    /// slash and `~0` a tilde within a name.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let step = |part: &str| match part.parse::<usize>() {
            Ok(index) if index.to_string() == part => Step::Index(index),
            _ => Step::Name(part.replace("~1", "/").replace("~0", "~")),
        };
        Some(Self(rest.split('/').map(step).collect()))
    }

    /// One step further.
    pub(crate) fn join(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Whether one comes by this on the way to `other`, or at its end. A number in a path that was
    /// read from a text is also a name of digits.
    pub fn leads_to(&self, other: &Self) -> bool {
        self.0.len() <= other.0.len()
            && self.0.iter().zip(&other.0).all(|(one, two)| one.is_same(two))
    }
}

impl Step {
    /// Whether both mean the same claim: `18` may be an element or a member's name.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(name), Self::Index(index)) | (Self::Index(index), Self::Name(name)) => {
                *name == index.to_string()
            }
            _ => self == other,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| match step {
            Step::Name(name) => write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")),
            Step::Index(index) => write!(f, "/{index}"),
        })
    }
}
