//! A client that does as RFC 8656 says, unless it is told otherwise.

use std::net::SocketAddr;

use super::world::{START_UNIX_S, World};
use crate::channel_data;
use crate::credential::{Credential, Secret};
use crate::stun::attribute::{self, read_xor_address};
use crate::stun::{
    Builder, Class, Integrity, Message, Transaction, long_term_key, long_term_key_sha256, method,
};
use crate::turn::{FiveTuple, Verdict};

pub(super) const UDP: (u16, &[u8]) = (attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);

pub(super) struct Client {
    pub(super) tuple: FiveTuple,
    pub(super) credential: Credential,
    pub(super) nonce: String,
    pub(super) sha256: bool,
    pub(super) transaction: Transaction,
}

/// One message the relay sent.
pub(super) struct Answer(pub(super) Vec<u8>);

impl Answer {
    pub(super) fn message(&self) -> Message<'_> {
        Message::parse(&self.0).unwrap()
    }

    /// The error code; 0 for success.
    pub(super) fn code(&self) -> u16 {
        let Some(value) = self.message().get(attribute::ERROR_CODE) else {
            assert_eq!(self.message().class(), Class::Success);
            return 0;
        };
        u16::from(value[2]) * 100 + u16::from(value[3])
    }

    pub(super) fn relayed(&self) -> Vec<SocketAddr> {
        self.addresses(attribute::XOR_RELAYED_ADDRESS)
    }

    pub(super) fn addresses(&self, kind: u16) -> Vec<SocketAddr> {
        let message = self.message();
        let values = message.attributes().filter(|(found, _)| *found == kind);
        values.map(|(_, value)| read_xor_address(value, &message.transaction()).unwrap()).collect()
    }

    pub(super) fn lifetime_s(&self) -> u32 {
        self.message().get(attribute::LIFETIME).and_then(attribute::read_u32).unwrap()
    }
}

impl Client {
    pub(super) fn new(port: u16) -> Self {
        Self {
            tuple: FiveTuple {
                listener: 0,
                local: "192.0.2.10".parse().unwrap(),
                remote: SocketAddr::new("198.51.100.7".parse().unwrap(), port),
            },
            credential: Secret::new("first secret, new").credential("me", START_UNIX_S + 3600),
            nonce: String::new(),
            sha256: false,
            transaction: [0; 12],
        }
    }

    pub(super) fn key(&self) -> Vec<u8> {
        let make = if self.sha256 { long_term_key_sha256 } else { long_term_key };
        make(&self.credential.username, "starling", &self.credential.password)
    }

    pub(super) fn next_transaction(&mut self) {
        let next = u32::from_be_bytes(*self.transaction.first_chunk().unwrap()) + 1;
        self.transaction[..4].copy_from_slice(&next.to_be_bytes());
    }

    /// A request without a credential.
    pub(super) fn plain(&mut self, method: u16, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        self.next_transaction();
        self.body(method, attributes).finish(true)
    }

    fn body(&self, method: u16, attributes: &[(u16, &[u8])]) -> Builder {
        let builder = Builder::new(Class::Request, method, self.transaction);
        attributes.iter().fold(builder, |builder, (kind, value)| builder.put(*kind, value))
    }

    /// A signed request.
    pub(super) fn signed(&mut self, method: u16, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        self.next_transaction();
        self.signed_again(method, attributes)
    }

    /// The same, with the transaction of the one before.
    pub(super) fn signed_again(&self, method: u16, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut builder = self
            .body(method, attributes)
            .put(attribute::USERNAME, self.credential.username.as_bytes())
            .put(attribute::REALM, b"starling")
            .put(attribute::NONCE, self.nonce.as_bytes());
        let mut integrity = Integrity::Sha1;
        if self.sha256 {
            builder = builder
                .put(attribute::PASSWORD_ALGORITHMS, &attribute::OUR_PASSWORD_ALGORITHMS)
                .put(attribute::PASSWORD_ALGORITHM, &attribute::SHA256);
            integrity = Integrity::Sha256;
        }
        builder.sign(integrity, &self.key()).finish(true)
    }

    /// Asks once without a credential, for the nonce.
    pub(super) fn greet(&mut self, world: &mut World) {
        let request = self.plain(method::ALLOCATE, &[UDP]);
        world.send(&self.tuple, &request);
        let answer = world.answer(&self.tuple);
        assert_eq!(answer.code(), 401);
        self.nonce = answer.message().text(attribute::NONCE).unwrap().to_owned();
    }

    /// Sends a signed request and hears the answer, whose integrity is right unless it is an
    /// answer to a stranger.
    pub(super) fn ask(
        &mut self,
        world: &mut World,
        method: u16,
        attributes: &[(u16, &[u8])],
    ) -> Answer {
        if self.nonce.is_empty() {
            self.greet(world);
        }
        let request = self.signed(method, attributes);
        self.exchange(world, &request)
    }

    pub(super) fn exchange(&mut self, world: &mut World, request: &[u8]) -> Answer {
        world.send(&self.tuple, request);
        let answer = world.answer(&self.tuple);
        let message = answer.message();
        assert_eq!(message.transaction(), self.transaction);
        assert!(message.has_fingerprint());
        if message.integrity().is_some() {
            assert!(message.is_by(&self.key()), "the answer is signed with our key");
        } else {
            assert!(matches!(answer.code(), 400 | 401 | 438), "unsigned {}", answer.code());
        }
        answer
    }

    /// The same, for what is answered to anybody.
    pub(super) fn exchange_unsigned(&mut self, world: &mut World, request: &[u8]) -> Answer {
        world.send(&self.tuple, request);
        world.answer(&self.tuple)
    }

    pub(super) fn allocate(&mut self, world: &mut World, more: &[(u16, &[u8])]) -> Answer {
        let attributes = [&[UDP], more].concat();
        let answer = self.ask(world, method::ALLOCATE, &attributes);
        assert_eq!(answer.code(), 0);
        answer
    }

    /// The value of an XOR address in the next request.
    pub(super) fn xor(&self, address: SocketAddr) -> Vec<u8> {
        let mut next = self.transaction;
        let number = u32::from_be_bytes(*next.first_chunk().unwrap()) + 1;
        next[..4].copy_from_slice(&number.to_be_bytes());
        let (value, length) = attribute::xor_address(address, &next);
        value[..length].to_vec()
    }

    pub(super) fn permit(&mut self, world: &mut World, peer: &str) -> u16 {
        if self.nonce.is_empty() {
            self.greet(world);
        }
        let value = self.xor(peer.parse().unwrap());
        let attributes = [(attribute::XOR_PEER_ADDRESS, &value[..])];
        self.ask(world, method::CREATE_PERMISSION, &attributes).code()
    }

    pub(super) fn bind(&mut self, world: &mut World, channel: u16, peer: SocketAddr) -> u16 {
        if self.nonce.is_empty() {
            self.greet(world);
        }
        let ([high, low], value) = (channel.to_be_bytes(), self.xor(peer));
        let number = [high, low, 0, 0];
        let attributes =
            [(attribute::CHANNEL_NUMBER, &number[..]), (attribute::XOR_PEER_ADDRESS, &value[..])];
        self.ask(world, method::CHANNEL_BIND, &attributes).code()
    }

    pub(super) fn refresh(&mut self, world: &mut World, lifetime_s: u32) -> Answer {
        let value = lifetime_s.to_be_bytes();
        self.ask(world, method::REFRESH, &[(attribute::LIFETIME, &value)])
    }

    pub(super) fn send_channel(&self, world: &mut World, channel: u16, data: &[u8]) -> Verdict {
        let length = u16::try_from(data.len()).unwrap();
        let bytes = [&channel_data::header(channel, length)[..], data].concat();
        world.send(&self.tuple, &bytes)
    }

    pub(super) fn send_indication(
        &mut self,
        world: &mut World,
        peer: SocketAddr,
        data: &[u8],
    ) -> Verdict {
        self.next_transaction();
        let bytes = Builder::new(Class::Indication, method::SEND, self.transaction)
            .put_address(attribute::XOR_PEER_ADDRESS, peer)
            .put(attribute::DATA, data)
            .finish(false);
        let verdict = world.send(&self.tuple, &bytes);
        if let Verdict::ToPeer { data: range, .. } | Verdict::ToClient { data: range, .. } =
            &verdict
        {
            assert_eq!(&bytes[range.clone()], data);
        }
        verdict
    }
}
