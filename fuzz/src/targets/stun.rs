//! Datagrams at the relay: any bytes are a STUN message or none, what was read can be built again,
//! and what a check found right is right again.

use relay::stun::{Attributes, Builder, Class, Integrity, Message, attribute, method};

const KEY: &[u8] = b"a key";

/// Parses, and builds what parsed.
pub fn run(bytes: &[u8]) {
    let Ok(message) = Message::parse(bytes) else { return };
    let transaction = message.transaction();
    for (kind, value) in message.attributes() {
        assert!(message.get(kind).is_some());
        let range = message.range(kind).expect("what is there is somewhere");
        assert_eq!(message.get(kind), Some(&bytes[range]));
        if let Some(address) = attribute::read_xor_address(value, &transaction) {
            let (again, length) = attribute::xor_address(address, &transaction);
            assert_eq!(value[1..], again[1..length]);
        }
    }
    let signed = message.is_by(KEY);
    assert!(!signed || message.integrity().is_some());
    let again = build(&message, message.attributes());
    let again = Message::parse(&again).expect("what was built is a message");
    assert_eq!((again.class(), again.method()), (message.class(), message.method()));
    assert!(again.attributes().eq(message.attributes()));
    assert!(again.is_by(KEY) && again.has_fingerprint());
}

fn build(message: &Message<'_>, attributes: Attributes<'_>) -> Vec<u8> {
    let builder = Builder::new(message.class(), message.method(), message.transaction());
    // Room for what is added: a message is at most 64 KiB.
    let fits = attributes.clone().map(|(_, value)| value.len() + 7).sum::<usize>() < 65_000;
    let attributes = attributes.filter(|_| fits);
    let builder = attributes.fold(builder, |builder, (kind, value)| builder.put(kind, value));
    builder.sign(Integrity::Sha256, KEY).finish(true)
}

/// Messages of every class, with every check.
pub fn seeds() -> Vec<Vec<u8>> {
    let address = "192.0.2.1:32853".parse().expect("an address");
    let long = "[2001:db8::7]:443".parse().expect("an address");
    let new = |class, method| Builder::new(class, method, [7; 12]);
    vec![
        new(Class::Request, method::BINDING).finish(false),
        new(Class::Success, method::BINDING)
            .put_address(attribute::XOR_MAPPED_ADDRESS, address)
            .finish(true),
        new(Class::Request, method::ALLOCATE)
            .put(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0])
            .put(attribute::USERNAME, b"1800000000:me")
            .put(attribute::REALM, b"starling")
            .put(attribute::NONCE, b"obMatJos2gAAA")
            .sign(Integrity::Sha1, KEY)
            .finish(true),
        new(Class::Indication, method::SEND)
            .put_address(attribute::XOR_PEER_ADDRESS, long)
            .put(attribute::DATA, b"hello")
            .finish(false),
        new(Class::Error, method::REFRESH)
            .put_error(relay::stun::ErrorCode::StaleNonce)
            .sign(Integrity::Sha256, KEY)
            .finish(true),
    ]
}
