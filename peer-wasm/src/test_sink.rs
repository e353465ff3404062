//! A sink that keeps what it is told, so that a module is tested against the real browser alone.

use core::cell::RefCell;
use std::{collections::VecDeque, rc::Rc};

use gloo_timers::future::TimeoutFuture;
use peer::Input;

use crate::pump::{Inbox, Sink};

/// How long a test waits for something to happen before it fails, in milliseconds.
const DEADLINE_MS: u32 = 20_000;
/// How often it looks.
const LOOK_EVERY_MS: u32 = 5;

/// What a module told, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Told(RefCell<VecDeque<Input>>);

impl Sink for Told {
    fn take(&self, input: Input) {
        self.0.borrow_mut().push_back(input);
    }
}

impl Told {
    /// A sink and its inbox.
    pub(crate) fn new() -> (Rc<Self>, Inbox) {
        let told = Rc::new(Self::default());
        let sink: Rc<dyn Sink> = Rc::<Self>::clone(&told);
        let inbox = Inbox::new(Rc::downgrade(&sink));
        (told, inbox)
    }

    /// What was told since the last look.
    pub(crate) fn take_all(&self) -> Vec<Input> {
        self.0.borrow_mut().drain(..).collect()
    }

    /// The first input that `pick` picks, when it comes; those before it are dropped.
    pub(crate) async fn wait<T>(&self, what: &str, mut pick: impl FnMut(Input) -> Option<T>) -> T {
        for _ in 0..DEADLINE_MS / LOOK_EVERY_MS {
            loop {
                let next = self.0.borrow_mut().pop_front();
                let Some(input) = next else { break };
                if let Some(picked) = pick(input) {
                    return picked;
                }
            }
            TimeoutFuture::new(LOOK_EVERY_MS).await;
        }
        panic!("waited {DEADLINE_MS} ms for {what}");
    }
}
