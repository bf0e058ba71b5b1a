//! Handlers by the name of their event, copy-on-write: delivery reads without a lock and may change them meanwhile.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arc_swap::{ArcSwapOption, Guard};
use foldhash::fast::RandomState;

use crate::runtime::sync::atomic::{AtomicBool, Ordering};

/// Names a registration, uniquely in the process; never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenerId(u64);

impl ListenerId {
    /// The number, for the C API.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The id with this number, if it can be one.
    pub fn from_number(number: u64) -> Option<Self> {
        (number != 0).then_some(Self(number))
    }

    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Handlers of type `H`: those for all events, and those for one each.
pub struct Listeners<H: ?Sized> {
    table: ArcSwapOption<Table<H>>,
}

struct Table<H: ?Sized> {
    any: List<H>,
    named: HashMap<Box<str>, Arc<List<H>>, RandomState>,
}

type List<H> = Vec<Arc<Listener<H>>>;

struct Listener<H: ?Sized> {
    id: ListenerId,
    /// For a handler that is called once: whether that has begun.
    once: Option<AtomicBool>,
    handler: Box<H>,
}

/// The handlers for one event, as they were when it was looked up.
pub struct Found<'a, H: ?Sized> {
    listeners: &'a Listeners<H>,
    table: Guard<Option<Arc<Table<H>>>>,
    named: Option<Arc<List<H>>>,
}

/// What was taken out of [`Listeners`]: to be dropped on the thread that delivers.
pub struct Removed<H: ?Sized>(#[expect(dead_code, reason = "kept only to be dropped")] Vec<Arc<Listener<H>>>);

impl<H: ?Sized> Default for Listeners<H> {
    fn default() -> Self {
        Self { table: ArcSwapOption::empty() }
    }
}

impl<H: ?Sized + Send + Sync> Listeners<H> {
    /// Adds a handler for the event `name`, behind those that it has.
    pub fn add(&self, name: &str, handler: Box<H>) -> ListenerId {
        self.insert(Some(name), false, handler)
    }

    /// Adds a handler that is called for the next event `name` only.
    pub fn add_once(&self, name: &str, handler: Box<H>) -> ListenerId {
        self.insert(Some(name), true, handler)
    }

    /// Adds a handler for all events; these are called first.
    pub fn add_any(&self, handler: Box<H>) -> ListenerId {
        self.insert(None, false, handler)
    }

    /// Takes a handler out. A call that has begun may still be running.
    pub fn remove(&self, id: ListenerId) -> Option<Removed<H>> {
        let mut found = Vec::new();
        self.update(|table| {
            found.clear();
            let keep = |listeners: &mut List<H>, found: &mut List<H>| {
                listeners.retain(|listener| {
                    let this = listener.id == id;
                    if this {
                        found.push(listener.clone());
                    }
                    !this
                });
            };
            keep(&mut table.any, &mut found);
            table.named.retain(|_, listeners| {
                if listeners.iter().any(|listener| listener.id == id) {
                    keep(Arc::make_mut(listeners), &mut found);
                }
                !listeners.is_empty()
            });
        });
        (!found.is_empty()).then_some(Removed(found))
    }

    /// Takes all handlers out.
    pub fn clear(&self) -> Removed<H> {
        Removed(self.table.swap(None).map_or_else(Vec::new, |table| {
            table.any.iter().chain(table.named.values().flat_map(|list| list.iter())).cloned().collect()
        }))
    }

    /// Whether nobody listens to anything.
    pub fn is_empty(&self) -> bool {
        self.table.load().is_none()
    }

    /// The handlers for the event `name`.
    pub fn find(&self, name: &str) -> Found<'_, H> {
        let table = self.table.load();
        let named = table.as_ref().and_then(|table| table.named.get(name)).cloned();
        Found { listeners: self, table, named }
    }

    fn insert(&self, name: Option<&str>, once: bool, handler: Box<H>) -> ListenerId {
        let listener = Arc::new(Listener { id: ListenerId::next(), once: once.then(AtomicBool::default), handler });
        self.update(|table| match name {
            None => table.any.push(listener.clone()),
            Some(name) => Arc::make_mut(table.named.entry(name.into()).or_default()).push(listener.clone()),
        });
        listener.id
    }

    fn update(&self, change: impl FnMut(&mut Table<H>)) {
        let mut change = change;
        self.table.rcu(|current| {
            let mut table = match current {
                Some(table) => Table { any: table.any.clone(), named: table.named.clone() },
                None => Table { any: Vec::new(), named: HashMap::default() },
            };
            change(&mut table);
            let empty = table.any.is_empty() && table.named.is_empty();
            (!empty).then(|| Arc::new(table))
        });
    }
}

impl<H: ?Sized + Send + Sync> Found<'_, H> {
    /// Calls `call` with each handler, those for all events first, then in the order in which they were added.
    pub fn each(&self, mut call: impl FnMut(&H)) {
        let any = self.table.as_ref().map_or(&[][..], |table| &table.any);
        let named = self.named.as_ref().map_or(&[][..], |named| named);
        for listener in any.iter().chain(named) {
            match &listener.once {
                None => call(&listener.handler),
                Some(begun) if !begun.swap(true, Ordering::Relaxed) => {
                    // Removed before the call, so that what the handler adds or asks sees it gone.
                    let removed = self.listeners.remove(listener.id);
                    call(&listener.handler);
                    drop(removed);
                }
                Some(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::sync::Mutex;

    type Handler = dyn Fn(&mut Vec<u32>) + Send + Sync;

    fn push(n: u32) -> Box<Handler> {
        Box::new(move |seen| seen.push(n))
    }

    fn seen(listeners: &Listeners<Handler>, name: &str) -> Vec<u32> {
        let mut seen = Vec::new();
        listeners.find(name).each(|handler| handler(&mut seen));
        seen
    }

    #[test]
    fn handlers_are_called_in_the_order_added_those_for_all_events_first() {
        let listeners = Listeners::<Handler>::default();
        listeners.add("a", push(1));
        listeners.add("b", push(2));
        listeners.add("a", push(3));
        listeners.add_any(push(4));
        assert_eq!(seen(&listeners, "a"), [4, 1, 3]);
        assert_eq!(seen(&listeners, "c"), [4]);
    }

    #[test]
    fn a_once_handler_is_called_once_and_is_gone_when_called() {
        let listeners = Arc::new(Listeners::<Handler>::default());
        let inside = listeners.clone();
        listeners.add_once("a", Box::new(move |seen| seen.push(u32::from(inside.is_empty()))));
        assert_eq!(seen(&listeners, "a"), [1]);
        assert!(seen(&listeners, "a").is_empty());
    }

    #[test]
    fn removing_takes_out_one_handler_and_the_last_one_frees_the_table() {
        let listeners = Listeners::<Handler>::default();
        let first = listeners.add("a", push(1));
        let second = listeners.add("a", push(2));
        assert!(listeners.remove(first).is_some());
        assert!(listeners.remove(first).is_none());
        assert_eq!(seen(&listeners, "a"), [2]);
        listeners.remove(second);
        assert!(listeners.is_empty());
    }

    #[test]
    fn what_is_removed_lives_until_the_removed_part_is_dropped() {
        struct OnDrop(Arc<Mutex<bool>>);
        impl Drop for OnDrop {
            fn drop(&mut self) {
                *self.0.lock() = true;
            }
        }
        let dropped = Arc::new(Mutex::new(false));
        let guard = OnDrop(dropped.clone());
        let listeners = Listeners::<Handler>::default();
        let id = listeners.add("a", Box::new(move |_| _ = &guard));
        let removed = listeners.remove(id);
        assert!(!*dropped.lock());
        drop(removed);
        assert!(*dropped.lock());
    }
}
