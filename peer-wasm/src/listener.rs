//! A callback given to the browser, taken back when dropped. Nothing here is ever leaked on purpose.

use core::fmt;

use wasm_bindgen::{JsCast as _, closure::Closure, convert::FromWasmAbi};
use web_sys::EventTarget;

/// Calls a closure for each event of one kind, until dropped.
pub struct Listener {
    target: EventTarget,
    kind: &'static str,
    is_first: bool,
    callback: Box<dyn Callback>,
}

/// Closures of different event types, seen only as the function the browser holds.
trait Callback {
    fn function(&self) -> &js_sys::Function;
}

impl<E: 'static> Callback for Closure<dyn FnMut(E)> {
    fn function(&self) -> &js_sys::Function {
        self.as_ref().unchecked_ref()
    }
}

impl Listener {
    /// Calls `handle` for each event `kind` of `target`. `E` is the event's own type, as the
    /// platform's manual gives it for `kind`.
    pub fn new<E: FromWasmAbi + 'static>(
        target: &EventTarget,
        kind: &'static str,
        handle: impl FnMut(E) + 'static,
    ) -> Self {
        Self::listen(target, kind, false, Box::new(Closure::<dyn FnMut(E)>::new(handle)))
    }

    /// The same, before those of [`Self::new`] are called, whoever listened earlier: while the event is captured.
    pub fn first<E: FromWasmAbi + 'static>(
        target: &EventTarget,
        kind: &'static str,
        handle: impl FnMut(E) + 'static,
    ) -> Self {
        Self::listen(target, kind, true, Box::new(Closure::<dyn FnMut(E)>::new(handle)))
    }

    fn listen(
        target: &EventTarget,
        kind: &'static str,
        is_first: bool,
        callback: Box<dyn Callback>,
    ) -> Self {
        let function = callback.function();
        // Fails only for a null target.
        let _ = target.add_event_listener_with_callback_and_bool(kind, function, is_first);
        Self { target: target.clone(), kind, is_first, callback }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let (function, is_first) = (self.callback.function(), self.is_first);
        let _ =
            self.target.remove_event_listener_with_callback_and_bool(self.kind, function, is_first);
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener(")?;
        f.write_str(self.kind)?;
        f.write_str(")")
    }
}
