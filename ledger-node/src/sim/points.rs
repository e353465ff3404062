//! Signatures that no honest program makes: their point `R` has a part of small order. Strict checks refuse them, a check
//! with the cofactor does not, and whoever checks many at once must say what others say of each.

use curve25519_dalek::{EdwardsPoint, Scalar, constants::EIGHT_TORSION};
use ledger::{Body, Policy, Signature, Transaction};
use primitives::{KeyPair, Seed};
use sha2::{Digest as _, Sha512};

/// Signs with the key of a seed, and with one of the eight parts; the first is none.
pub(super) fn sign(body: Body, seed: Seed, part: usize) -> Transaction {
    let key = KeyPair::from_seed(seed).id();
    let expanded: [u8; 64] = Sha512::digest(seed.as_bytes()).into();
    let (mut secret, nonce) = ([0; 32], Scalar::from_bytes_mod_order_wide(&expanded));
    secret.copy_from_slice(&expanded[..32]);
    let secret = Scalar::from_bytes_mod_order(curve25519_dalek::scalar::clamp_integer(secret));
    let to_sign = body.to_sign();
    let hash = |hash: Sha512| Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let nonce = hash(Sha512::new().chain_update(nonce.as_bytes()).chain_update(&to_sign));
    let point = EdwardsPoint::mul_base(&nonce) + EIGHT_TORSION[part % EIGHT_TORSION.len()];
    let point = point.compress().to_bytes();
    let of_all = Sha512::new().chain_update(point).chain_update(key.as_bytes());
    let s = nonce + hash(of_all.chain_update(&to_sign)) * secret;
    let bytes = [point, s.to_bytes()].concat().try_into().expect("two halves");
    let signatures = vec![Signature { key: 0, bytes }];
    Transaction { body, policy: Policy::single(key), signatures }
}

#[test]
fn a_strict_check_refuses_all_but_the_first() {
    let (seed, chain) = (Seed::from_number(4), ledger::ChainId::new([7; 32]));
    let signer = ledger::AccountId::of_key(KeyPair::from_seed(seed).id());
    let transfer = ledger::domains::accounts::Action::Transfer {
        asset: ledger::AssetId::NATIVE,
        to: signer,
        amount: 1,
    };
    for part in 0..EIGHT_TORSION.len() {
        let body = Body::new(chain, signer, 0, ledger::Action::Accounts(transfer.clone()));
        let signed = sign(body, seed, part);
        let bytes = signed.body.to_sign();
        let strict = signed.policy.keys[0].verify(&bytes, &signed.signatures[0].bytes);
        assert_eq!(strict.is_ok(), part == 0);
        assert!(ledger::Checked::open(&signed.to_bytes(), chain).is_ok());
    }
}
