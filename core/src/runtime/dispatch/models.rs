//! What threads may do to a queue at the same time, under the model checker, for each kind of consumer.

use std::sync::{Arc, Mutex as Plain};

use super::delivery::Delivery;
use super::host::HostQueue;
use super::inline::Inline;
use super::queue::{Consumer, Queue, Stalled};
use super::wake::{count_work, defer_wakes, wake_deferred};
use crate::runtime::sync::atomic::{AtomicBool, Ordering};
use crate::runtime::sync::thread::{self, JoinHandle};
use crate::runtime::sync::{Condvar, Mutex, explore};
use crate::runtime::{Runtime, RuntimeConfig};

/// Work that an I/O thread does only after it has woken whom it has to.
const ENOUGH: usize = 256;

fn runtime() -> Arc<Runtime> {
    Runtime::new(&RuntimeConfig::default()).expect("a runtime that starts no I/O threads")
}

/// What became of deliveries, in order. The checker does not see its lock: nobody is stopped under it.
#[derive(Clone, Default)]
struct Record(Arc<Plain<Vec<(Fate, &'static str, usize)>>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Ran,
    Dropped,
}

/// The `n`th delivery of a producer.
struct Item(Record, &'static str, usize);

impl Drop for Item {
    fn drop(&mut self) {
        self.0.note(Fate::Dropped, self.1, self.2);
    }
}

impl Record {
    fn note(&self, fate: Fate, producer: &'static str, n: usize) {
        self.0.lock().unwrap().push((fate, producer, n));
    }

    fn delivery(&self, producer: &'static str, n: usize) -> Delivery {
        self.delivery_with(producer, n, || ())
    }

    /// A delivery that does something too.
    fn delivery_with(&self, producer: &'static str, n: usize, then: impl FnOnce() + Send + 'static) -> Delivery {
        let item = Item(self.clone(), producer, n);
        Delivery::call(move || {
            item.0.note(Fate::Ran, item.1, item.2);
            then();
        })
    }

    /// Those of a producer that met this fate, in order.
    fn of(&self, fate: Fate, producer: &str) -> Vec<usize> {
        let record = self.0.lock().unwrap();
        record.iter().filter(|(f, p, _)| *f == fate && *p == producer).map(|(_, _, n)| *n).collect()
    }

    /// Each of so many was dropped once, and what ran is their beginning. Says how many ran.
    fn assert_in_order(&self, producer: &str, count: usize) -> usize {
        let mut dropped = self.of(Fate::Dropped, producer);
        dropped.sort_unstable();
        assert_eq!(dropped, Vec::from_iter(0..count), "each is dropped once");
        let ran = self.of(Fate::Ran, producer);
        assert_eq!(ran, Vec::from_iter(0..ran.len()), "none is lost on the way, none overtaken");
        ran.len()
    }

    fn assert_all_ran(&self, producer: &str, count: usize) {
        assert_eq!(self.assert_in_order(producer, count), count, "all are delivered");
    }

    fn ran(&self) -> usize {
        self.0.lock().unwrap().iter().filter(|(fate, ..)| *fate == Fate::Ran).count()
    }
}

/// Counts, and lets a thread wait for the next.
#[derive(Default)]
struct Bell {
    rung: Mutex<usize>,
    changed: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock() += 1;
        self.changed.notify_all();
    }

    /// Waits until it has rung so often in all.
    fn wait(&self, times: usize) -> usize {
        let mut rung = self.rung.lock();
        while *rung < times {
            rung = self.changed.wait(rung);
        }
        *rung
    }

    /// Waits until it rings for this thread and no other.
    fn take(&self) {
        let mut rung = self.rung.lock();
        while *rung == 0 {
            rung = self.changed.wait(rung);
        }
        *rung -= 1;
    }
}

fn join<const N: usize>(threads: [JoinHandle<()>; N]) {
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// A thread of the program: one delivery, and two at once.
fn produce(queue: &Arc<Queue>, record: &Record, producer: &'static str) -> JoinHandle<()> {
    let (queue, record) = (queue.clone(), record.clone());
    thread::spawn(move || {
        queue.push(record.delivery(producer, 0));
        drop(queue.append(&mut vec![record.delivery(producer, 1), record.delivery(producer, 2)]));
    })
}

/// The same by an I/O thread that has other things to do meanwhile.
fn produce_by_io(queue: &Arc<Queue>, record: &Record, producer: &'static str) -> JoinHandle<()> {
    let (queue, record) = (queue.clone(), record.clone());
    thread::spawn(move || {
        defer_wakes();
        drop(queue.append(&mut vec![record.delivery(producer, 0)]));
        count_work(ENOUGH);
        drop(queue.append(&mut vec![record.delivery(producer, 1), record.delivery(producer, 2)]));
        wake_deferred();
    })
}

mod dispatch_thread {
    use super::super::threads;
    use super::*;

    fn consume(queue: &Arc<Queue>) -> JoinHandle<()> {
        let queue = queue.clone();
        thread::spawn(move || threads::run(&queue))
    }

    #[test]
    fn it_is_woken_for_everything() {
        explore::random(|| {
            let (queue, record, all) = (Queue::of_thread(), Record::default(), Arc::new(Bell::default()));
            let consumer = consume(&queue);
            let producers = [produce(&queue, &record, "program"), produce_by_io(&queue, &record, "io")];
            join(producers);
            let last = all.clone();
            queue.push(Delivery::call(move || last.ring()));
            // Not by the end of the queue, which wakes too.
            all.wait(1);
            queue.close();
            consumer.join().unwrap();
            record.assert_all_ran("program", 3);
            record.assert_all_ran("io", 3);
        });
    }

    #[test]
    fn it_is_woken_whenever_it_falls_asleep() {
        explore::all(200_000, || {
            let (queue, bell) = (Queue::of_thread(), Arc::new(Bell::default()));
            let consumer = consume(&queue);
            let ring = bell.clone();
            queue.push(Delivery::call(move || ring.ring()));
            bell.wait(1);
            queue.close();
            consumer.join().unwrap();
        });
    }

    #[test]
    fn what_it_has_not_taken_when_the_queue_is_closed_is_still_delivered() {
        explore::random(|| {
            let (queue, record) = (Queue::of_thread(), Record::default());
            let consumer = consume(&queue);
            let producers = [produce(&queue, &record, "program"), produce_by_io(&queue, &record, "io")];
            let before = Vec::from_iter(["program", "io"].map(|producer| record.of(Fate::Dropped, producer).len()));
            queue.close();
            consumer.join().unwrap();
            let ran = record.ran();
            join(producers);
            assert_eq!(record.ran(), ran, "nothing runs behind the end");
            assert!(before.iter().sum::<usize>() <= ran);
            record.assert_in_order("program", 3);
            record.assert_in_order("io", 3);
        });
    }

    /// Reads as long as there is room, as a connection does.
    #[derive(Default)]
    struct Reader(Bell);

    impl Stalled for Reader {
        fn resume(self: Arc<Self>) {
            self.0.ring();
        }
    }

    #[test]
    fn who_waits_for_room_is_told_of_it() {
        explore::random(|| {
            let (queue, record) = (Queue::of_thread(), Record::default());
            let consumer = consume(&queue);
            let readers = ["a", "b"].map(|name| {
                let (queue, record) = (queue.clone(), record.clone());
                thread::spawn(move || {
                    let (reader, mut waits) = (Arc::new(Reader::default()), 0);
                    for n in 0..3 {
                        while queue.stall(2, || reader.clone()) {
                            waits += 1;
                            reader.0.wait(waits);
                        }
                        queue.hold(1);
                        let room = queue.clone();
                        queue.push(record.delivery_with(name, n, move || room.release(1)));
                    }
                })
            });
            join(readers);
            queue.close();
            consumer.join().unwrap();
            record.assert_all_ran("a", 3);
            record.assert_all_ran("b", 3);
        });
    }
}

mod host {
    use super::*;
    use crate::error::ErrorKind;

    /// A queue with a wake function that counts.
    fn queue() -> (Arc<HostQueue>, Arc<Bell>) {
        let bell = Arc::new(Bell::default());
        let rung = bell.clone();
        (HostQueue::new(&runtime(), Some(Box::new(move || rung.ring()))).unwrap(), bell)
    }

    fn is_readable(queue: &HostQueue) -> bool {
        let Consumer::Host(wake) = &queue.queue().consumer else { return false };
        wake.is_signalled()
    }

    /// Dispatches, whenever the wake function was called and the descriptor is readable, until so many were delivered.
    fn consume(queue: &Arc<HostQueue>, bell: &Arc<Bell>, record: &Record, all: usize, max: usize) -> JoinHandle<usize> {
        let (queue, bell, record) = (queue.clone(), bell.clone(), record.clone());
        thread::spawn(move || {
            let (mut rung, mut dispatches) = (0, 0);
            while record.ran() < all {
                rung = bell.wait(rung + 1);
                if is_readable(&queue) {
                    queue.dispatch(max).unwrap();
                    dispatches += 1;
                }
            }
            dispatches
        })
    }

    fn it_is_told_of_everything(max: usize) {
        let ((queue, bell), record) = (queue(), Record::default());
        let consumer = consume(&queue, &bell, &record, 6, max);
        let producers = [produce(queue.queue(), &record, "program"), produce_by_io(queue.queue(), &record, "io")];
        join(producers);
        let dispatches = consumer.join().unwrap();
        record.assert_all_ran("program", 3);
        record.assert_all_ran("io", 3);
        assert!(bell.wait(0) <= dispatches + 1, "told once for each time that it had everything");
        assert_eq!(queue.dispatch(0), Ok(0));
        assert!(!is_readable(&queue));
        queue.close();
    }

    #[test]
    fn it_is_told_of_everything_that_waits() {
        explore::random(|| it_is_told_of_everything(0));
    }

    #[test]
    fn it_is_told_of_what_a_short_dispatch_leaves() {
        explore::random(|| it_is_told_of_everything(2));
    }

    #[test]
    fn it_is_told_once_until_it_has_taken_everything() {
        explore::random(|| {
            let ((queue, bell), record) = (queue(), Record::default());
            let producers = ["a", "b"].map(|name| produce(queue.queue(), &record, name));
            join(producers);
            assert_eq!(bell.wait(1), 1);
            for waiting in (1..=6).rev() {
                assert!(is_readable(&queue), "{waiting} wait");
                assert_eq!(queue.dispatch(1), Ok(1));
            }
            assert!(!is_readable(&queue));
            queue.close();
        });
    }

    #[test]
    fn threads_that_share_it_miss_nothing() {
        explore::random(|| {
            let ((queue, bell), record) = (queue(), Record::default());
            let running = Arc::new(AtomicBool::new(false));
            let consumers = [(); 2].map(|()| {
                let (queue, bell, record) = (queue.clone(), bell.clone(), record.clone());
                thread::spawn(move || {
                    while record.ran() < 4 {
                        bell.take();
                        if let Err(error) = queue.dispatch(0) {
                            assert_eq!(error.kind(), ErrorKind::InvalidState);
                        }
                    }
                    // The other one may wait for a bell that will not ring any more.
                    bell.ring();
                })
            });
            let producers = ["a", "b"].map(|name| {
                let (queue, record, running) = (queue.clone(), record.clone(), running.clone());
                thread::spawn(move || {
                    for n in 0..2 {
                        let running = running.clone();
                        queue.queue().push(record.delivery_with(name, n, move || {
                            assert!(!running.swap(true, Ordering::SeqCst), "one handler at a time");
                            running.store(false, Ordering::SeqCst);
                        }));
                    }
                })
            });
            join(producers);
            join(consumers);
            record.assert_all_ran("a", 2);
            record.assert_all_ran("b", 2);
            queue.close();
        });
    }

    #[test]
    fn a_close_gives_up_what_waits_wherever_it_is() {
        explore::random(|| {
            let ((queue, bell), record) = (queue(), Record::default());
            let dispatching = queue.clone();
            let consumer = thread::spawn(move || {
                // Whoever closes it counts as one that dispatches, while it gives up what was taken.
                while dispatching.dispatch(2).map_err(|error| error.kind()) != Err(ErrorKind::Closed) {
                    thread::yield_now();
                }
            });
            let producers = [produce(queue.queue(), &record, "program"), produce_by_io(queue.queue(), &record, "io")];
            thread::yield_now();
            queue.close();
            let ran = record.ran();
            consumer.join().unwrap();
            assert!(record.ran() <= ran + 1, "but one handler may have been about to begin");
            join(producers);
            assert_eq!(Arc::strong_count(&bell), 1, "the wake function is gone");
            // All of that though the queue is still there.
            record.assert_in_order("program", 3);
            record.assert_in_order("io", 3);
            drop(queue);
        });
    }

    #[test]
    fn a_close_gives_up_what_a_short_dispatch_has_taken() {
        explore::random(|| {
            let ((queue, _), record) = (queue(), Record::default());
            (0..3).for_each(|n| queue.queue().push(record.delivery("program", n)));
            let dispatching = queue.clone();
            let consumer = thread::spawn(move || drop(dispatching.dispatch(1)));
            queue.close();
            join([consumer]);
            // Though the queue is still there.
            record.assert_in_order("program", 3);
            drop(queue);
        });
    }

    #[test]
    fn who_waits_for_room_goes_on_when_it_is_closed() {
        struct Reader(Bell);
        impl Stalled for Reader {
            fn resume(self: Arc<Self>) {
                self.0.ring();
            }
        }
        explore::random(|| {
            let (queue, _) = queue();
            let dispatching = queue.clone();
            let consumer = thread::spawn(move || {
                // Of two, one is taken and left behind.
                let _ = dispatching.dispatch(1);
            });
            let readers = [(); 2].map(|()| {
                let queue = queue.clone();
                thread::spawn(move || {
                    let (reader, mut waits) = (Arc::new(Reader(Bell::default())), 0);
                    for _ in 0..2 {
                        while queue.queue().stall(2, || reader.clone()) {
                            waits += 1;
                            reader.0.wait(waits);
                        }
                        /// Gives its room back however it ends.
                        struct Held(Arc<Queue>);
                        impl Drop for Held {
                            fn drop(&mut self) {
                                self.0.release(1);
                            }
                        }
                        queue.queue().hold(1);
                        queue.queue().push(Delivery::discard(Held(queue.queue().clone())));
                    }
                })
            });
            queue.close();
            join(readers);
            join([consumer]);
        });
    }
}

mod budget {
    use super::super::undelivered::Undelivered;
    use super::*;
    use crate::data::limits::Limits;

    struct Nobody;

    impl Stalled for Nobody {
        fn resume(self: Arc<Self>) {}
    }

    #[test]
    fn who_pauses_for_the_last_handler_is_resumed_by_it() {
        explore::random(|| {
            let limits = Limits { undelivered_events: 1, ..Limits::DEFAULT };
            let undelivered = Arc::new(Undelivered::new(Queue::of_thread()));
            let resumed = Arc::new(Bell::default());
            undelivered.hold(1);
            let (handled, resuming, of_handler) = (undelivered.clone(), resumed.clone(), limits.clone());
            let handler = thread::spawn(move || {
                if handled.release(1, &of_handler) {
                    resuming.ring();
                }
            });
            if undelivered.must_pause(&limits, || Arc::new(Nobody)) {
                resumed.wait(1);
            }
            join([handler]);
        });
    }
}

mod inline {
    use super::*;
    use crate::runtime::is_delivering;

    fn tokio() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    /// Whether a handler of a queue is running.
    #[derive(Clone, Default)]
    struct Alone(Arc<Plain<bool>>);

    impl Alone {
        fn run(&self, handler: impl FnOnce()) {
            assert!(is_delivering());
            assert!(!std::mem::replace(&mut *self.0.lock().unwrap(), true), "one handler at a time");
            thread::yield_now();
            handler();
            *self.0.lock().unwrap() = false;
        }
    }

    /// A delivery whose handler has another queue deliver something.
    fn pass_on(record: &Record, producer: &'static str, n: usize, alone: &[Alone; 2], to: &Arc<Queue>) -> Delivery {
        let ([alone, alone_there], passed_on, to) = (alone.clone(), record.clone(), to.clone());
        record.delivery_with(producer, n, move || {
            alone.run(|| {
                let n = passed_on.ran() - passed_on.of(Fate::Ran, "there").len() - 1;
                to.push(passed_on.delivery_with("there", n, move || alone_there.run(|| ())));
            });
        })
    }

    #[test]
    fn whoever_fills_a_queue_handlers_run_one_by_one_and_none_is_left_behind() {
        explore::random(|| {
            let (tokio, record, alone) = (tokio(), Record::default(), <[Alone; 2]>::default());
            let inline = Inline::new(tokio.handle());
            let queues = [Queue::inline(&inline), Queue::inline(&inline)];
            let producers = ["io", "another io", "program"].map(|producer| {
                let (record, alone, [queue, there]) = (record.clone(), alone.clone(), queues.clone());
                thread::spawn(move || {
                    if producer != "program" {
                        defer_wakes();
                    }
                    for n in 0..2 {
                        drop(queue.append(&mut vec![pass_on(&record, producer, n, &alone, &there)]));
                        assert!(!is_delivering());
                    }
                })
            });
            join(producers);
            let rest = Arc::new(Bell::default());
            let at_rest = rest.clone();
            inline.when_at_rest(&queues[0], Delivery::call(move || at_rest.ring()));
            assert_eq!(rest.wait(1), 1);
            for producer in ["io", "another io", "program"] {
                record.assert_all_ran(producer, 2);
            }
            record.assert_all_ran("there", 6);
        });
    }

    #[test]
    fn what_waits_for_rest_is_not_forgotten() {
        explore::random(|| {
            let (tokio, rest) = (tokio(), Arc::new(Bell::default()));
            let inline = Inline::new(tokio.handle());
            let queue = Queue::inline(&inline);
            let filled = queue.clone();
            let io = thread::spawn(move || {
                defer_wakes();
                filled.push(Delivery::call(|| ()));
            });
            let at_rest = rest.clone();
            inline.when_at_rest(&queue, Delivery::call(move || at_rest.ring()));
            rest.wait(1);
            io.join().unwrap();
        });
    }
}
