//! How a model is run: again and again, each time with another order of what its threads do.
//!
//! A model is a function that starts threads of [`super::thread`] on the code under test and asserts what has to hold at
//! the end. A run in which threads wait for ever fails too. What fails is printed with its schedule, which replays it.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

/// Schedules of either kind that a model is run under; the variable of the environment `MODEL_SCHEDULES` changes it.
const SCHEDULES: usize = 1_000;

/// The schedules are always the same ones.
const SEED: u64 = 0x5eed;

/// Switches at arbitrary points among the schedules of the second kind: most races need no more.
const SWITCHES: usize = 3;

/// Real code on a thread that is not one.
const STACK_BYTES: usize = 256 << 10;

/// Runs `model` under random schedules, and under as many in which threads are stopped at few points only (probabilistic
/// concurrency testing).
pub fn random(model: fn()) {
    let schedules = std::env::var("MODEL_SCHEDULES").ok().and_then(|n| n.parse().ok()).unwrap_or(SCHEDULES);
    run("random", RandomScheduler::new_from_seed(SEED, schedules), model);
    run("few-switches", PctScheduler::new_from_seed(SEED, SWITCHES, schedules), model);
}

/// Runs `model` under all schedules that there are, which have to be fewer than `bound`. The model must not look at a clock.
pub fn all(bound: usize, model: fn()) {
    let schedules = run("exhaustive", DfsScheduler::new(Some(bound), false), model);
    assert!(schedules < bound, "there are more than {bound} schedules");
}

fn run(kind: &str, scheduler: impl Scheduler + 'static, model: fn()) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = count.clone();
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.silence_warnings = true;
    let runner = Runner::new(scheduler, config);
    let result = panic::catch_unwind(AssertUnwindSafe(|| {
        runner.run(move || {
            counting.fetch_add(1, Ordering::Relaxed);
            model();
        });
    }));
    let count = count.load(Ordering::Relaxed);
    assert!(result.is_ok(), "the model fails under the {kind} schedule number {count}");
    count
}
