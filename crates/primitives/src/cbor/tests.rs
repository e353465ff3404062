//! The reader of fields takes what the derived one takes.

use super::*;

/// Read by minicbor's derive.
#[derive(Debug, PartialEq, minicbor::Encode, Decode)]
struct Derived<'b> {
    #[n(0)]
    count: u32,
    #[cbor(b(1), with = "minicbor::bytes")]
    bytes: &'b [u8],
    #[n(2)]
    live: bool,
}

/// The same by hand.
fn by_fields(bytes: &[u8]) -> Option<Derived<'_>> {
    let mut decoder = Decoder::new(bytes);
    let mut fields = Fields::of(&mut decoder).ok()?;
    let count = fields.read().ok()?;
    let bytes: &minicbor::bytes::ByteSlice = fields.read().ok()?;
    let read = Derived { count, bytes, live: fields.read().ok()? };
    fields.end().ok()?;
    Some(read)
}

fn read_alike(bytes: &[u8]) {
    let derived: Option<Derived<'_>> = minicbor::decode(bytes).ok();
    let read = by_fields(bytes);
    // A break where none belongs: minicbor takes it for an item.
    if read.is_some() || !bytes.contains(&BREAK) {
        assert_eq!(read, derived, "{bytes:02x?}");
    }
}

#[test]
fn a_struct_with_any_byte_changed_is_read_as_the_derived_reader_reads_it() {
    let structs: [&[u8]; 4] = [
        &[0x83, 0x18, 0x2a, 0x42, 1, 2, 0xf5],
        &[0x9f, 0x07, 0x41, 1, 0xf4, 0xff],
        // Fields of a later version.
        &[0x86, 1, 0x40, 0xf4, 0x9f, 0xa1, 1, 0x61, b'a', 0xff, 0xc2, 0x5f, 0x41, 9, 0xff, 0x20],
        &[
            0x9f, 1, 0x40, 0xf4, 0xbf, 1, 0x7f, 0x61, b'a', 0xff, 0xff, 0xfb, 0, 0, 0, 0, 0, 0, 0,
            1, 0xff,
        ],
    ];
    for bytes in structs {
        assert!(by_fields(bytes).is_some());
        for at in 0..=bytes.len() {
            read_alike(&bytes[..at]);
            for byte in 0..=255 {
                let mut changed = bytes.to_vec();
                changed.insert(at, byte);
                read_alike(&changed);
                if at < bytes.len() {
                    changed.remove(at + 1);
                    read_alike(&changed);
                    changed.remove(at);
                    read_alike(&changed);
                }
            }
        }
    }
}

#[test]
fn an_item_is_skipped_as_minicbor_skips_it() {
    let mut ours = Vec::new();
    for number in 0..=0xff_ffff_u32 {
        // The last byte only where it may matter: every head, and a few more.
        let [_, first, second, third] = number.to_be_bytes();
        if third % 32 > 2 && third % 32 < 30 {
            continue;
        }
        let bytes = [first, second, third, 0, 0x61, 0xff, 0, 0, 0, 0, 0, 0];
        let (mut one, mut other) = (Decoder::new(&bytes), Decoder::new(&bytes));
        let (here, there) = (skip(&mut one).is_ok(), other.skip().is_ok());
        if here {
            assert!(there && one.position() == other.position(), "{bytes:02x?}");
            ours.push(first >> 5);
        } else if there {
            assert!(bytes[..other.position()].contains(&BREAK), "{bytes:02x?}");
        }
    }
    ours.dedup();
    assert_eq!(ours, [0, 1, 2, 3, 4, 5, 6, 7]);
}
