//! Credentials in use, and what each has used.
//!
//! One is remembered from its first allocation until it expires, so that taking a new allocation does
//! not give back bytes already used. One that relayed nothing is forgotten with its last allocation.

use std::collections::HashMap;
use std::sync::Arc;

use primitives::Time;

use super::bucket::Bucket;
use super::limits::USERS_MAX;
use super::stats::Drop;

/// Place of a user.
pub(super) type UserId = usize;

#[derive(Debug)]
struct User {
    name: Arc<str>,
    expires_unix_s: u64,
    allocations: u32,
    bytes: u64,
    bucket: Bucket,
}

/// What one credential may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct UserLimits {
    pub(super) allocations_max: u32,
    pub(super) bytes_max: u64,
    pub(super) bits_per_s: u64,
}

/// Why a credential gets no allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// It has its most.
    User,
    /// Too many credentials are remembered.
    Table,
}

#[derive(Debug)]
pub(super) struct Users {
    limits: UserLimits,
    slots: Vec<Option<User>>,
    free: Vec<UserId>,
    by_name: HashMap<Arc<str>, UserId>,
}

impl Users {
    pub(super) fn new(limits: UserLimits) -> Self {
        Self { limits, slots: Vec::new(), free: Vec::new(), by_name: HashMap::new() }
    }

    pub(super) fn count(&self) -> usize {
        self.by_name.len()
    }

    pub(super) fn name(&self, id: UserId) -> &str {
        self.slots[id].as_ref().map_or("", |user| &user.name)
    }

    /// Takes a place for an allocation of a credential that was checked.
    pub(super) fn enter(
        &mut self,
        name: &str,
        expires_unix_s: u64,
        now_unix_s: u64,
    ) -> Result<UserId, NoRoom> {
        let id = match self.by_name.get(name) {
            Some(&id) => id,
            None => self.remember(name, expires_unix_s, now_unix_s)?,
        };
        let limits = self.limits;
        let user = self.slots[id].as_mut().expect("names lead to users");
        let spent = limits.bytes_max > 0 && user.bytes >= limits.bytes_max;
        if user.allocations >= limits.allocations_max || spent {
            return Err(NoRoom::User);
        }
        user.allocations += 1;
        Ok(id)
    }

    fn remember(&mut self, name: &str, expires: u64, now_unix_s: u64) -> Result<UserId, NoRoom> {
        if self.count() >= USERS_MAX {
            self.forget_expired(now_unix_s);
        }
        if self.count() >= USERS_MAX {
            return Err(NoRoom::Table);
        }
        let name: Arc<str> = name.into();
        let user = User {
            name: Arc::clone(&name),
            expires_unix_s: expires,
            allocations: 0,
            bytes: 0,
            bucket: Bucket::default(),
        };
        let id = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[id] = Some(user);
        self.by_name.insert(name, id);
        Ok(id)
    }

    /// Gives the place of an allocation back.
    pub(super) fn leave(&mut self, id: UserId) {
        let Some(user) = self.slots[id].as_mut() else { return };
        user.allocations = user.allocations.saturating_sub(1);
        if user.allocations == 0 && user.bytes == 0 {
            self.forget(id);
        }
    }

    /// Forgets those without an allocation whose credential nobody can use any more.
    pub(super) fn forget_expired(&mut self, now_unix_s: u64) {
        for id in 0..self.slots.len() {
            let is_over = |user: &User| user.allocations == 0 && user.expires_unix_s < now_unix_s;
            if self.slots[id].as_ref().is_some_and(is_over) {
                self.forget(id);
            }
        }
    }

    fn forget(&mut self, id: UserId) {
        if let Some(user) = self.slots[id].take() {
            self.by_name.remove(&user.name);
            self.free.push(id);
        }
    }

    /// Takes the bytes of one datagram from what the credential may use.
    pub(super) fn charge(&mut self, now: Time, id: UserId, bytes: u64) -> Result<(), Drop> {
        let limits = self.limits;
        let Some(user) = self.slots[id].as_mut() else { return Ok(()) };
        let after = user.bytes.saturating_add(bytes);
        if limits.bytes_max > 0 && after > limits.bytes_max {
            return Err(Drop::Quota);
        }
        if !user.bucket.take(now, bytes.saturating_mul(8), limits.bits_per_s) {
            return Err(Drop::Rate);
        }
        user.bytes = after;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(bytes_max: u64) -> Users {
        Users::new(UserLimits { allocations_max: 2, bytes_max, bits_per_s: 0 })
    }

    #[test]
    fn a_credential_has_its_most_allocations_and_gets_them_back() {
        let mut users = users(0);
        let id = users.enter("9:a", 9, 0).unwrap();
        assert_eq!(users.enter("9:a", 9, 0), Ok(id));
        assert_eq!(users.enter("9:a", 9, 0), Err(NoRoom::User));
        assert!(users.enter("9:b", 9, 0).is_ok());
        users.leave(id);
        assert_eq!(users.enter("9:a", 9, 0), Ok(id));
    }

    #[test]
    fn used_bytes_are_remembered_until_the_credential_expires() {
        let mut users = users(100);
        let id = users.enter("9:a", 9, 0).unwrap();
        assert_eq!(users.charge(Time::ZERO, id, 100), Ok(()));
        assert_eq!(users.charge(Time::ZERO, id, 1), Err(Drop::Quota));
        users.leave(id);
        assert_eq!(users.enter("9:a", 9, 0), Err(NoRoom::User));
        users.forget_expired(9);
        assert_eq!(users.count(), 1);
        users.forget_expired(10);
        assert_eq!(users.count(), 0);
    }

    #[test]
    fn who_used_nothing_is_forgotten_at_once() {
        let mut users = users(100);
        for round in 0..10 {
            let id = users.enter(&format!("9:{round}"), 9, 0).unwrap();
            users.leave(id);
        }
        assert_eq!((users.count(), users.slots.len()), (0, 1));
    }
}
