//! The samples of RFC 5769 and RFC 8489, what must be refused, and any bytes at all.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

/// RFC 5769, 2.1.
const REQUEST: &str = "00010058 2112a442 b7e7a701bc34d686fa87dfae
    80220010 5354554e207465737420636c69656e74 00240004 6e0001ff 80290008 932ff9b151263b36
    00060009 6576746a3a68367659202020 00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
    80280004 e57a3bcf";
/// RFC 5769, 2.2.
const IPV4_RESPONSE: &str = "0101003c 2112a442 b7e7a701bc34d686fa87dfae
    8022000b 7465737420766563746f7220 00200008 0001a147e112a643
    00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96";
/// RFC 5769, 2.3.
const IPV6_RESPONSE: &str = "01010048 2112a442 b7e7a701bc34d686fa87dfae
    8022000b 7465737420766563746f7220 00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
    00080014 a382954e4be67bf11784c97c8292c275bfe3ed41 80280004 c8fb0b4c";
/// RFC 5769, 2.4.
const LONG_TERM: &str = "00010060 2112a442 78ad3433c6ad72c029da412e
    00060012 e3839ee38388e383aae38383e382afe382b90000
    0015001c 662f2f3439396b39353464364f4c33346f4c394653547679363473 41
    0014000b 6578616d706c652e6f726700 00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666";
/// RFC 8489, B.1, with erratum 6268.
const SHA256_LONG_TERM: &str = "00010090 2112a442 78ad3433c6ad72c029da412e
    001e0020 4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704
    00150029 6f62 4d61744a6f7332414141 43662f2f3439396b393534643 64f4c33346f4c39465354767936347341 000000
    0014000b 6578616d706c652e6f726700 001d0004 00020000
    001c0020 b5c7bf005b6c52a21c51c5e892f819241362 96cb927c43149309278cc6518e65";
const SHORT_TERM_PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";
const TRANSACTION: Transaction =
    [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];
const USERNAME: &str = "マトリックス";

#[test]
fn the_sample_request_is_read_and_checks_out() {
    let bytes = hex(REQUEST);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Request, method::BINDING));
    assert_eq!(message.transaction(), TRANSACTION);
    assert_eq!(message.text(attribute::USERNAME), Some("evtj:h6vY"));
    assert_eq!(message.get(0x0024), Some(&[0x6e, 0, 1, 0xff][..]));
    assert!(message.has_fingerprint());
    assert_eq!(message.integrity(), Some(Integrity::Sha1));
    assert!(message.is_by(SHORT_TERM_PASSWORD));
    assert!(!message.is_by(b"VOkJxbRl1RmTxUk/WvJxBT"));
}

#[test]
fn the_sample_responses_are_read_and_built_again() {
    let check = |text: &str, address: &str| {
        let (bytes, address) = (hex(text), address.parse::<SocketAddr>().unwrap());
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.class(), Class::Success);
        let value = message.get(attribute::XOR_MAPPED_ADDRESS).unwrap();
        assert_eq!(attribute::read_xor_address(value, &TRANSACTION), Some(address));
        assert!(message.is_by(SHORT_TERM_PASSWORD));
        let built = Builder::new(Class::Success, method::BINDING, TRANSACTION)
            .put(0x8022, b"test vector")
            .put_address(attribute::XOR_MAPPED_ADDRESS, address);
        // Ours pads with zeros, the sample with a space: the rest is the same.
        let built = built.finish(false);
        assert_eq!(built[20..35], bytes[20..35]);
        assert_eq!(built[36..], bytes[36..built.len()]);
    };
    check(IPV4_RESPONSE, "192.0.2.1:32853");
    check(IPV6_RESPONSE, "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
}

#[test]
fn the_long_term_sample_is_built_byte_for_byte() {
    let bytes = hex(LONG_TERM);
    let message = Message::parse(&bytes).unwrap();
    let key = long_term_key(USERNAME, "example.org", "TheMatrIX");
    assert!(message.is_by(&key));
    let built = Builder::new(Class::Request, method::BINDING, message.transaction())
        .put(attribute::USERNAME, USERNAME.as_bytes())
        .put(attribute::NONCE, b"f//499k954d6OL34oL9FSTvy64sA")
        .put(attribute::REALM, b"example.org")
        .sign(Integrity::Sha1, &key)
        .finish(false);
    assert_eq!(built, bytes);
}

#[test]
fn the_sha_256_sample_is_built_byte_for_byte() {
    let bytes = hex(SHA256_LONG_TERM);
    let message = Message::parse(&bytes).unwrap();
    let key = long_term_key_sha256(USERNAME, "example.org", "TheMatrIX");
    assert_eq!(message.integrity(), Some(Integrity::Sha256));
    assert!(message.is_by(&key));
    let built = Builder::new(Class::Request, method::BINDING, message.transaction())
        .put(0x001e, message.get(0x001e).unwrap())
        .put(attribute::NONCE, b"obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA")
        .put(attribute::REALM, b"example.org")
        .put(attribute::PASSWORD_ALGORITHM, &attribute::SHA256)
        .sign(Integrity::Sha256, &key)
        .finish(false);
    assert_eq!(built, bytes);
}

#[test]
fn what_follows_the_integrity_counts_for_nothing() {
    let unsigned = Builder::new(Class::Request, method::REFRESH, TRANSACTION);
    let signed = unsigned.sign(Integrity::Sha1, b"key").put(attribute::LIFETIME, &[0; 4]);
    let bytes = signed.sign(Integrity::Sha256, b"key").finish(true);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.get(attribute::LIFETIME), None);
    assert!(message.is_by(b"key"));
    assert!(message.has_fingerprint());
}

#[test]
fn a_cut_sha_256_is_right_down_to_16_bytes() {
    let whole = Builder::new(Class::Request, method::REFRESH, TRANSACTION);
    let whole = whole.put(0x8022, b"abcd").finish(false);
    let hmac_over = |length: u8| {
        // As if the attribute were `length` bytes: the header says so, the HMAC is over that.
        let mut bytes = whole.clone();
        let at = bytes.len();
        bytes.extend_from_slice(&[0, 0x1c, 0, length]);
        bytes.resize(at + 4 + usize::from(length), 0);
        let all = u16::try_from(bytes.len() - HEADER_BYTES).unwrap().to_be_bytes();
        bytes[2..4].copy_from_slice(&all);
        let start = *bytes.first_chunk().unwrap();
        let value = Integrity::Sha256.sign(b"key", &start, &bytes[4..at]);
        bytes[at + 4..].copy_from_slice(&value[..usize::from(length)]);
        bytes
    };
    for length in [16, 20, 28, 32] {
        let bytes = hmac_over(length);
        assert!(Message::parse(&bytes).unwrap().is_by(b"key"), "{length} bytes");
    }
    let malformed = Malformed::Attribute(attribute::MESSAGE_INTEGRITY_SHA256);
    assert_eq!(Message::parse(&hmac_over(12)).unwrap_err(), malformed);
}

#[test]
fn what_is_no_message_is_told_apart() {
    let good = hex(REQUEST);
    let check = |change: &dyn Fn(&mut Vec<u8>), expected: Malformed| {
        let mut bytes = good.clone();
        change(&mut bytes);
        assert_eq!(Message::parse(&bytes).unwrap_err(), expected);
    };
    check(&|bytes| bytes.truncate(19), Malformed::Short(19));
    check(&|bytes| bytes[0] |= 0x40, Malformed::NotStun);
    check(&|bytes| bytes[7] ^= 1, Malformed::NotStun);
    check(&|bytes| bytes[3] -= 4, Malformed::Length { declared: 0x54, found: 0x58 });
    check(&|bytes| bytes.push(0), Malformed::Length { declared: 0x58, found: 0x59 });
    check(&|bytes| bytes[23] = 0xf0, Malformed::Attribute(0x8022));
    check(&|bytes| bytes[24] ^= 1, Malformed::Fingerprint);
    check(&|bytes| bytes[107] ^= 1, Malformed::Fingerprint);
}

#[test]
fn a_fingerprint_is_the_last_attribute() {
    let mut bytes = Builder::new(Class::Request, method::BINDING, TRANSACTION).finish(true);
    bytes[3] += 8;
    bytes.extend_from_slice(&[0x80, 0x22, 0, 4, b'm', b'o', b'r', b'e']);
    assert_eq!(Message::parse(&bytes).unwrap_err(), Malformed::Fingerprint);
}

fn classes() -> impl Strategy<Value = Class> {
    prop_oneof![
        Just(Class::Request),
        Just(Class::Indication),
        Just(Class::Success),
        Just(Class::Error)
    ]
}

proptest! {
    #[test]
    fn what_is_built_is_read(
        class in classes(),
        method in 0_u16..0x1000,
        transaction: [u8; 12],
        attributes in proptest::collection::vec((0x8100_u16..0xffff, proptest::collection::vec(any::<u8>(), 0..40)), 0..8),
        key: Vec<u8>,
        sha256: bool,
        with_fingerprint: bool,
    ) {
        let builder = Builder::new(class, method, transaction);
        let builder = attributes.iter().fold(builder, |builder, (kind, value)| builder.put(*kind, value));
        let integrity = if sha256 { Integrity::Sha256 } else { Integrity::Sha1 };
        let bytes = builder.sign(integrity, &key).finish(with_fingerprint);
        let message = Message::parse(&bytes).unwrap();
        prop_assert_eq!((message.class(), message.method()), (class, method));
        prop_assert_eq!(message.transaction(), transaction);
        let read: Vec<_> = message.attributes().map(|(kind, value)| (kind, value.to_vec())).collect();
        prop_assert_eq!(read, attributes);
        prop_assert!(message.is_by(&key));
        prop_assert_eq!(message.has_fingerprint(), with_fingerprint);
    }

    #[test]
    fn an_address_survives_its_disguise(address: SocketAddr, transaction: [u8; 12]) {
        let (value, length) = attribute::xor_address(address, &transaction);
        let read = attribute::read_xor_address(&value[..length], &transaction).unwrap();
        prop_assert_eq!((read.ip(), read.port()), (address.ip(), address.port()));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(mut bytes: Vec<u8>, cookie: bool) {
        if cookie && bytes.len() >= HEADER_BYTES {
            let length = u16::try_from(bytes.len() - HEADER_BYTES).unwrap() / 4 * 4;
            bytes.truncate(usize::from(length) + HEADER_BYTES);
            bytes[0] &= 0x3f;
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            bytes[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
        }
        if let Ok(message) = Message::parse(&bytes) {
            message.is_by(b"key");
            for (_, value) in message.attributes() {
                let _ = attribute::read_xor_address(value, &message.transaction());
            }
        }
    }
}
