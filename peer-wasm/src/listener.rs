//! A callback given to the browser, taken back when dropped. Nothing here is ever leaked on purpose.

use core::fmt;

use wasm_bindgen::{JsCast as _, closure::Closure, convert::FromWasmAbi};
use web_sys::EventTarget;

/// Calls a closure for each event of one kind, until dropped.
pub struct Listener {
    target: EventTarget,
    kind: &'static str,
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
        let callback: Box<dyn Callback> = Box::new(Closure::<dyn FnMut(E)>::new(handle));
        // Fails only for a null target.
        let _ = target.add_event_listener_with_callback(kind, callback.function());
        Self { target: target.clone(), kind, callback }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ =
            self.target.remove_event_listener_with_callback(self.kind, self.callback.function());
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener(")?;
        f.write_str(self.kind)?;
        f.write_str(")")
    }
}
