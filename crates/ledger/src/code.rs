//! Numbers for refusals: what a receipt says instead of text.

/// A refusal with a number.
///
/// The high byte is the domain's prefix, the low byte the refusal within it. Numbers are stable and
/// never reused; their order within a domain is the order of the checks. 0 is success.
pub trait Code {
    /// The number.
    fn code(&self) -> u16;
}

/// Declares a domain's closed list of refusals. `passes` takes refusals of another domain over with
/// their own numbers.
macro_rules! codes {
    (
        $(#[$doc:meta])*
        $name:ident in $prefix:path $(, passes $from:path as $pass:ident)? {
            $( $(#[$variant_doc:meta])* $number:literal $variant:ident, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $( $(#[$variant_doc])* $variant, )*
            $(
                /// What another domain refused, with its own number.
                $pass($from),
            )?
        }

        impl $crate::Code for $name {
            fn code(&self) -> u16 {
                match self {
                    $( Self::$variant => $crate::code::number($prefix, $number), )*
                    $( Self::$pass(inner) => $crate::Code::code(inner), )?
                }
            }
        }

        impl $name {
            /// Every number with its name, for documents and for people.
            pub const ALL: &[(u16, &str)] = &[
                $( ($crate::code::number($prefix, $number), stringify!($variant)), )*
            ];
        }

        $(
            impl From<$from> for $name {
                fn from(inner: $from) -> Self {
                    Self::$pass(inner)
                }
            }
        )?
    };
}
pub(crate) use codes;

/// The number of refusal `local` of a domain.
pub(crate) const fn number(prefix: crate::Prefix, local: u8) -> u16 {
    u16::from_be_bytes([prefix.byte(), local])
}
